"""What somebody's words mean, where it must not depend on a language model: the local rules.

Plain functions over the text of a call's transcript or of a text message, in English, with the few Spanish words
that stop contact. They are used by calls, texts and webhooks alike.
"""

from __future__ import annotations

import re

from . import channels, foreign
from .doubt import may_revoke
from .leaning import contradicts, leans
from .revocation import revokes
from .spelling import mended
from .words import any_of, plain, remembered

# 47 CFR 64.1200(a)(10): stop, quit, end, revoke, opt out, cancel and unsubscribe are revocation words.
_KEYWORDS = {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out", "stop all", "remove", "remove me"}
_SPOKEN_KEYWORDS = {"stop", "unsubscribe", "revoke", "opt out", "stop it"}
_ALWAYS_STOP = {"stop", "stopall", "unsubscribe", "quit", "revoke"}
"""These open a text that says more only where contact is to end: "STOP, not interested"."""
_COURTESY = re.compile(r"\b(?:please|now|thanks|thank you|ok|okay|hey|hi|hello|just|no|sir|maam|guys)\b")
_REPEATED = re.compile(r"\b(\w+)(?: \1\b)+")
_FIRST = re.compile(r"[.,;:!?\n]")
_QUOTED = re.compile(r"^[ \t]*(?:>.*|(?:on|am|le|el)\b[^\n]{3,80}\b(?:wrote|schrieb|a [eé]crit|escribi[oó])\b[^\n]{0,40}:[ \t]*)$", re.IGNORECASE | re.MULTILINE)
"""Lines that they answer: a footer of ours is no word of theirs."""


@remembered
def is_opt_out(text: str, spoken: bool = False) -> bool:
    """Whether these words revoke consent: nothing may be sent or dialled after them.

    In a text a revocation word alone (STOP, QUIT, END, CANCEL, ...) counts; ``spoken`` words such as "end" or
    "cancel" alone do not, for in a call they answer a question. Words that only move the contact to another time
    ("don't call me before ten") or to another channel ("don't call, text me") are no opt-out."""
    own = _theirs(text)
    if channels.wish(own).refused:
        return False
    text = mended(own)
    words = _uncourteous(text)
    if words in (_SPOKEN_KEYWORDS if spoken else _KEYWORDS):
        return True
    if not spoken and _uncourteous(_FIRST.split(text.strip(), maxsplit=1)[0]) in _ALWAYS_STOP:
        return True
    return foreign.judged(own) == "stop" or (revokes(text) and not contradicts(text, certain=True))


@remembered
def may_opt_out(text: str, spoken: bool = False) -> bool:
    """Whether these words, which :func:`is_opt_out` does not hold for an opt-out, may be one all the same: contact is
    suspended until a person has looked."""
    if is_opt_out(text, spoken):
        return False
    text = _theirs(text)
    if channels.wish(text).refused:
        return False
    if foreign.judged(text) == "doubt" or foreign.letters(text) == "unread":
        return True
    return leans(text) or revokes(text) or (may_revoke(text) and not contradicts(text, certain=False))


def ways_wished(text: str) -> channels.Wish:
    """Which channels they refuse while another is welcome; empty where nothing is said of that."""
    return channels.wish(_theirs(text))


def _theirs(text: str) -> str:
    """``text`` without the lines that it quotes; the whole where nothing else is left."""
    own = _QUOTED.sub("", text)
    return own if own.strip() else text


def _uncourteous(text: str) -> str:
    return _REPEATED.sub(r"\1", " ".join(_COURTESY.sub(" ", plain(text)).split()))


_OPT_IN = {"start", "unstop", "yes start", "start please", "opt in", "subscribe"}


def is_opt_in(text: str) -> bool:
    """Whether a text takes an opt-out back in so many words."""
    return plain(text) in _OPT_IN


_YES = any_of(
    r"^(?:(?:oh|uh|um|well|ah|hi|hello|hey) )*(?:yes|yeah|yep|yup|sure|ok|okay|correct|right|exactly|absolutely|definitely"
    r"|certainly|of course|fine|perfect|great|sounds good|sounds great|that works|works for me|go ahead|please do"
    r"|alright|all right|why not|si|sí|claro|speaking|that's me|this is (?:he|she|me)|good|deal|agreed"
    r"|let's do (?:it|that)|that one|confirmed?|c$|y$|indeed|that's right|uh huh|mhm|mm hm)\b",
    # "I am" alone is a yes; "I am driving" and "it is too expensive" are none.
    r"^(?:(?:oh|uh|um|well|ah|hi|hello|hey) )*(?:it is|i am|i do|i would|we do|we are|we would)"
    r"(?= *$| (?:yes|indeed|actually|please|thanks|thank you|speaking|it is|love (?:to|that|it)|like (?:to|that)|go ahead|sure)\b)",
)
_BACKCHANNEL = re.compile(
    r"(?:(?:m+|mm+ h?m+|m+h+m+|h+m+|uh huh|mm hmm|ah|oh|aha|okay|ok|right|yes|yeah|yep|yup|sure|i see|got it|go on|all right|"
    r"alright|good|great|nice|cool|fine|true|exactly|of course|i understand|understood|makes sense|really) ?){1,5}"
)


@remembered
def is_backchannel(text: str) -> bool:
    """Words that only show that somebody listens, when said while another speaks: "mm-hm", "okay, right"."""
    return bool(_BACKCHANNEL.fullmatch(plain(text)))


# Each piece is taken for good (atomic): otherwise "it is fine" could be read in two ways, and a hundred of them in 2^100.
_ASSENT = re.compile(
    r"(?:(?>(?:(?:that|it|this|now)(?:'s| is) (?:it|right|fine|ok|okay|good|great|perfect|me)|(?:that|now|it) works|a good (?:time|moment)|"
    r"i have (?:a )?(?:minute|moment|time)|i can talk|i'm listening|i guess|i suppose|i think so|i do|i am|it is|that's me|why not|you can|"
    r"go (?:ahead|on|for it)|thank you|of course|all right|not really|no problem|"
    r"yes|yeah|yep|yup|sure|ok|okay|please|thanks|right|correct|fine|good|great|perfect|exactly|absolutely|definitely|certainly|alright|"
    r"no|nope|nah|hello|hi|hey|speaking|well|um+|uh+|so|then|now)\b) ?+)++"
)


@remembered
def only_assents(text: str) -> bool:
    """Nothing but a yes or a no with its courtesies: "yes, please", "sure, now is fine". It answers no open question."""
    return bool(_ASSENT.fullmatch(plain(text)))


def merely_agrees(text: str) -> bool:
    """Whether what follows an echoed question, or stands for one, is no more than a yes: "Yes?", "One minute? Okay, fine."."""
    rest = text.rstrip("? ").rpartition("?")[2]
    return is_confirmation(rest) and only_assents(rest)


_EMPTY = re.compile(
    r"(?:(?:yes|yeah|yep|no|ok|okay|sure|well|right|alright|fine|thanks|thank you|hello|hi|hey|um+|uh+|h+m+|m+ ?h+m+|mhm|uh huh|oh|so|but|speaking|"
    r"call me \w+|that's me|i (?:don't|do not) know|don't know|dunno|no idea|not sure|whatever|go (?:on|ahead)|let me (?:think|see)|"
    r"i guess|i suppose|good question|actually|really) ?)+"
)


@remembered
def says_nothing(text: str) -> bool:
    """Whether these words tell nothing: courtesies, sounds, somebody's own name, or that they do not know. They answer no
    open question."""
    return bool(_EMPTY.fullmatch(plain(text)))


_GO_ON = re.compile(
    r"(?:(?:oh|sorry|no|please|you) )+go ahead|(?:(?:oh|sorry|no|please|you) )*(?:go on|carry on|continue|keep going)(?: please)?"
)


@remembered
def urges_on(text: str) -> bool:
    """Somebody who broke in, or was met by a pause, wants the other to go on: "sorry, go on"."""
    return bool(_GO_ON.fullmatch(plain(text)))


_GREETING = re.compile(r"(?:(?:oh|uh|um) )*(?:(?:hello|hi|hey|hallo|halo|hola|good (?:morning|afternoon|evening)) ?){1,4}")


@remembered
def is_greeting(text: str) -> bool:
    """Nothing but a greeting, as of somebody who picks up, or is not sure that anybody is there: "Hello? ... hello?"."""
    return bool(_GREETING.fullmatch(plain(text)))


_TAKEN_BACK = re.compile(
    r"\b(?:wait|hold on|hang on|actually|never ?mind|scratch that|no|not|don't|instead|sorry|stop|rather)\b"
)


@remembered
def takes_back(text: str) -> bool:
    """Whether these words, said right after others, put those in doubt: "wait", "no, actually"."""
    return bool(_TAKEN_BACK.search(plain(text)))


_NO = any_of(
    r"^(?:(?:oh|uh|um|well|ah|hi|hello|hey|sorry) )*(?:no|nope|nah|not really|not at all|never|negative|n$"
    r"|i'm afraid not|rather not|no thanks|no thank you)\b",
    r"\b(?:i'd rather not|i would rather not|that (?:doesn't|does not|won't) (?:work|suit)|doesn't work for me|i can't make)\b",
)
_BUT = re.compile(r"\b(?:but|however|although|not|don't|dont|isn't|wasn't|can't|won't|wrong|no)\b")


@remembered
def is_confirmation(text: str) -> bool:
    """A plain yes: "yes", "sure, go ahead", "C". A yes that is taken back in the same breath ("yes, but not
    tomorrow") is none."""
    words = plain(text)
    if words in {"why not", "no problem", "not bad", "yes why not", "sure why not", "yes no problem"}:
        return True
    return bool(_YES.search(words)) and not _BUT.search(words)


@remembered
def is_denial(text: str) -> bool:
    """A plain no: "no", "no thanks", "that doesn't work". "No problem" and "why not" are none."""
    words = plain(text)
    if re.match(r"^(?:no problem|no worries|why not|not bad)\b", words):
        return False
    return bool(_NO.search(without_dismay(words)))


_DISMAY = re.compile(r"^(?:oh|ah|aw) no\b(?=.* (?:sorry|apologi[sz]e|forgot|forgotten|missed|completely|totally|slipped)\b)")


def without_dismay(words: str) -> str:
    """``words`` (plain) without the "oh no" of somebody who is sorry about something, which denies nothing."""
    return _DISMAY.sub("oh", words)


_PARTLY = (
    r"(?:not (?:a |one )?(?:hundred|100)(?: percent| per cent)? (?:sure|convinced|certain)"
    r"|not (?:totally|completely|entirely|fully|quite|too|that|very|really|so|all that) (?:sure|convinced|certain|keen|confident)"
    r"|(?:don't|can't|do not|cannot) (?:really )?see why not)"
)
HEDGES = re.compile(
    rf"\b{_PARTLY}\b|"
    r"\b(?:i guess|guess so|i suppose|suppose so|maybe|perhaps|possibly|probably|might|could be|kind of|sort of|i think so|not sure|if you say so|"
    r"whatever|i don't know|we'll see|we will see|let me think|in theory|more or less|if i have to|if i must|if you (?:think|insist|like|really)|"
    r"i (?:reckon|imagine|expect|suspect|would say)|i'd say|i think$|i think (?:that|it|this|i|we|i'd|we'd) ?(?:'?s|is|should|would|could|might|can|will|'ll)? ?"
    r"(?:probably |maybe )?(?:works?|do|make|manage|suits?|be|fine|ok|okay|good|alright|all right|possible|doable)|as long as|unless|provided|"
    r"(?:should|ought to|may|might) (?:probably )?(?:be (?:ok|okay|fine|alright|all right|good|possible|doable|able)|work|do|suit)|(?:don't|can't|do not|cannot) (?:really )?see why not|"
    r""
    r"but (?:ok|okay|fine|sure|yes|yeah|alright|all right|i guess|let's)|go on then|oh go on|if (?:it|that|this)(?:'s| is| does)?|if it (?:helps|works|fits|suits))\b"
)
"""Words that take from what they stand with."""
FILLERS = re.compile(r"\b(?:u+m+|u+h+(?! huh)|h+m+|e+r+|mm+(?! hm))\b")
"""Sounds of somebody who thinks."""
_THINKING = re.compile(r"\bh+m+\b")


@remembered
def hesitates(text: str) -> bool:
    """Whether doubt can be heard in these words: "I guess", "maybe", "not sure"."""
    words = plain(text)
    return bool(HEDGES.search(words) or _THINKING.search(words))


_AGREES = any_of(
    rf"{_YES.pattern}",
    r"\b(?:guess|suppose|think|reckon|expect|imagine|believe|hope) so\b|\b(?:i|we) (?:could|can|might) do (?:that|it)\b|\b(?:that|it) (?:works|could work|might work|would be (?:ok|okay|fine))\b",
    r"\b(?:sure|yes|yeah|okay|ok|fine|alright|all right)(?: (?:whatever|then|let's .*))?$",
    r"\b(?:i|we) (?:could|can|might|should) (?:\w+ )?(?:do|make|manage|fit|squeeze|try) (?:that|it|this)\b|\b(?:that|it|this|which) (?:\w+ )?(?:should|would|could|might|may|will|ought to) (?:\w+ )?(?:work|do|suit|be (?:ok|okay|fine|good|possible|doable|alright|all right))\b",
    r"\bthink (?:that|it|this)(?:'?s| is)? ?(?:works|fine|ok|okay|good|alright|all right|possible|doable)\b|\b(?:should|ought to|might) be (?:ok|okay|fine|good|possible|doable|alright|all right|able to)\b",
    r"\bsay yes\b|\bsee why not\b|^(?:oh )?go on(?: then)?\b|\bbut (?:ok|okay|fine|sure|yes|yeah|alright|all right|let's)\b",
)
_CONDITION = re.compile(r"\b(?:if|unless|as long as|provided) .*$")
_NOT_QUITE = re.compile(_PARTLY)
_NOT_SO = re.compile(r"\b(?:guess|suppose|maybe|think|probably|perhaps|sure|i'd|would|should|might|rather|reckon|imagine) not\b")
_NO_YES = re.compile(
    r"\bnot (?:sure|really|yet|now|today)\b|\b(?:don't|doesn't|can't|won't|isn't|wasn't)\b|\bno\b(?! problem)"
)
_MUMBLED = re.compile(rf"^(?:(?:{FILLERS.pattern}|\b(?:well|oh|ah|i mean|you know|let me (?:think|see)|so|look|listen|honestly)\b) ?)+")


@remembered
def agrees(text: str) -> bool:
    """Whether there is a yes of any kind in these words, also a doubtful one: "yes", "I guess so", "maybe, sure"."""
    words = _MUMBLED.sub("", plain(text))
    if _NOT_SO.search(words) or _NO_YES.search(_CONDITION.sub(" ", _NOT_QUITE.sub(" ", words))):
        return False
    return bool(_AGREES.search(words) or _YES.search(" ".join(HEDGES.sub(" ", words).split())))


@remembered
def is_hesitating_yes(text: str) -> bool:
    """A yes that doubt can be heard in: "yeah... I guess", "maybe, sure", "um, okay". It books nothing by itself."""
    words = plain(text)
    return bool(HEDGES.search(words) or FILLERS.search(words)) and agrees(text)


_WHILE = r"(?:(?:just |about |only )*(?:one|a|half a|two|a quick|another|a couple of) (?:moments?|seconds?|secs?|minutes?|min|mins|ticks?|mo)|a bit|a little)"
_STALL = re.compile(
    r"(?:(?:oh|uh|um|er|hm+|sorry|okay|ok|please|yes|yeah|well|actually|just|right|so|hey|can you|could you|would you|and|thanks|thank you|would you mind|i'm sorry|"
    rf"{_WHILE}|(?:hold|hang|wait|holding|hanging)(?: on)?(?: for)?(?: {_WHILE})?|bear with me|give me {_WHILE}|i need {_WHILE}|i'll (?:just )?be (?:right )?(?:back|with you)|in {_WHILE}|"
    r"(?:let me|lemme|i'll|i'm|i am|i will|i need to|i have to)(?: just)? (?:grab|get|find|fetch|pull up|open|look up|see if|look for|close|turn|move|shut|get to|go|step|step outside|put|switch|check|see|look at|looking|getting|finding|opening)(?: \w+){0,6}|"
    r"(?:someone's|somebody's|there's someone) at the door|i'm just (?:looking|checking|getting|pulling|opening)(?: \w+){0,5}) ?){1,6}"
)
_NO_STALL = re.compile(r"\b(?:with(?! me\b| you\b)|my (?:boss|wife|husband|partner|team|manager|colleague)|back to you|some|quotes?|it|by)\b")
_WAITS = re.compile(r"\b(?:(?:one|an?|two|another|quick) (?:moment|second|sec|secs|seconds|tick|mo)|just (?:an?|one|two|another) \w+|hold|hang on|wait|bear with|give me|let me|lemme|i'll|"
    r"be right|door|looking|getting|finding|opening|need a)\b")


@remembered
def stalls(text: str) -> bool:
    """Whether these words only ask for a moment's patience: "sorry, one second", "let me grab my diary". They answer
    nothing."""
    words = plain(text)
    return bool(_STALL.fullmatch(words) and _WAITS.search(words)) and not _NO_STALL.search(words)


_AGAIN = any_of(
    r"(?<!\bi )(?<!\bi'll )\b(?:say|repeat|tell me|run) (?:that|it|this|those|them|the \w+)(?: \w+)?(?: one more time| (?:once )?(?:more|again))\b",
    r"\b(?:can|could|would|will) you (?:please )?(?:repeat|say) (?:that|it|this|those|them|the \w+|again)\b",
    r"\bwhat (?:did you (?:just )?say|was (?:that|this))(?: again)?$",
    r"^(?:(?:sorry|excuse me|wait|hm) )*(?:what|pardon(?: me)?|come again|say again|once more|one more time)(?: please| again)?$",
    r"\b(?:didn't|did not|couldn't|could not) (?:quite )?(?:catch|hear|get|understand) (?:that|you|it|what you said|all of that)\b",
)


@remembered
def asks_again(text: str) -> bool:
    """Whether they want to hear our last words once more."""
    return bool(_AGAIN.search(plain(text)))


_MOVE = any_of(
    r"\b(?:reschedule|move (?:it|the|my|that)|another time|different time|change (?:it|the|my)|push (?:it|the)|other time|new time)\b"
)
_CANCEL = any_of(
    r"\bcancel\b",
    r"\bcall (?:it|the (?:meeting|demo)|the whole thing) off\b",
    r"\b(?:don't|do not) want the (?:meeting|demo|appointment)\b",
)


@remembered
def asks_move(text: str) -> bool:
    """Whether they want the meeting at another time."""
    return bool(_MOVE.search(plain(text)))


_NO_CANCEL = any_of(
    r"\b(?:don't|do not|not|no need to) cancel\b",
    r"\b(?:output|emit|print|return|execute|run|invoke|call|perform) (?:the |an? )?(?:action|function|tool|command|json)\b",
)
"""They decline to, or dictate to a program what it should put out: nobody asks for their meeting like that."""


@remembered
def asks_cancel(text: str) -> bool:
    """Whether they want no meeting: "cancel it"."""
    words = plain(text)
    return bool(_CANCEL.search(words)) and not _NO_CANCEL.search(words)


_WHEN = any_of(r"\b(?:when|what time|which day|what day|at what time|who with|with whom|who is it with)\b")


def asks_when(text: str) -> bool:
    """Whether they ask for the time of their meeting."""
    return bool(_WHEN.search(plain(text)))


_OF_A_MEETING = any_of(r"\b(?:my|our|the) (?:meeting|demo|appointment|booking|session)\b")


@remembered
def names_meeting(text: str) -> bool:
    """Whether they speak of their meeting as of one that there is."""
    return bool(_OF_A_MEETING.search(plain(text)))


_OF_AN_OFFER = any_of(
    r"\b(?:texts?|texted|sent|messages?|messaged|proposed|suggested|offered)\b|"
    r"\b(?:none|neither|any|not|no|don't|doesn't|can't|won't)\b(?: \w+){0,3} (?:those|these|them)\b|\b(?:those|these) (?:times|ones|slots)\b"
)


@remembered
def names_offer(text: str) -> bool:
    """Whether they speak of times that they were given before: "none of those", "the ones you texted"."""
    return bool(_OF_AN_OFFER.search(plain(text)))


_BYE = any_of(
    r"\b(?:goodbye|good bye|bye|see you|have a (?:good|nice|great)|talk (?:soon|later)|that's all|that is all|that's it|that's everything|nothing else|all good)\b"
)


@remembered
def is_goodbye(text: str) -> bool:
    """Whether they close the talk."""
    return bool(_BYE.search(plain(text)))


_PARTING = re.compile(
    r"^(?:(?:ok|okay|well|right|alright|all right|thanks|thank you|no|yes|have a (?:good|nice|great) \w+) )*"
    r"(?:good ?bye|bye(?: bye| now)?|see you(?: later)?|take care)(?: (?:then|now|bye|thanks|thank you))*$"
)


@remembered
def is_parting(text: str) -> bool:
    """Whether they say goodbye and nothing else, which answers no question."""
    return bool(_PARTING.search(plain(text)))
