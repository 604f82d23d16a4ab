"""What somebody wants of us, told apart by local rules: one of a dozen wishes that each lead somewhere else.

Like :mod:`.reading`, plain functions over English text, the same for calls and texts. A wish that is not clearly
there is none: the language model, or the question that was open, then decides.
"""

from __future__ import annotations

import re
from typing import Literal

from .reading import (
    asks_cancel,
    asks_link,
    asks_move,
    asks_person,
    asks_robot,
    is_hesitating_yes,
    is_not_interested,
    is_opt_out,
    is_wrong_person,
    plain,
)

Wish = Literal[
    "",
    "stop",
    "complaint",
    "person",
    "robot",
    "wrong_number",
    "referral",
    "already_booked",
    "call_now",
    "link",
    "cancel",
    "move",
    "later",
    "not_interested",
    "maybe",
]
"""``stop``: no more contact. ``referral``: somebody else is the right one. ``call_now``: ring again this moment.
``later``: at another time. ``maybe``: a yes with doubt in it. The others say what they mean."""


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{p})" for p in patterns))


_UPSET = r"(?:unhappy|upset|angry|furious|disappointed|annoyed|fed up|frustrated|disgusted|livid|pissed(?: off)?)"
_COMPLAINT = _any(
    r"\b(?:have|got|make|making|file|filing|lodge|raise|register|put in) (?:a|an|another|one|this) (?:\w+ )?complaint\b",
    r"^(?:\w+ )?complaint\b",
    r"\b(?:want|like|need|going|have|here|calling) to complain\b",
    r"\b(?:this|that|it)(?:'s| is) (?:\w+ )?(?:harassment|unacceptable|outrageous|ridiculous|disgraceful|a disgrace|an outrage)\b",
    r"\b(?:going to|will|i'll|gonna|have to) (?:report|sue) (?:you|this|your)\b|\b(?:reporting|suing) you\b",
    r"\b(?:call|calling|contact|hear from|talk to|get|tell) my (?:lawyer|attorney)\b",
    rf"\b{_UPSET}(?: \w+){{0,2}} (?:with|about|at|by) (?:you|your|how i|how you|the way|this call|these calls|that call|all these calls|what happened)\b",
    r"\byour (?:\w+ ){0,3}(?:was|were|is|are|has been|have been) (?:\w+ )?(?:rude|awful|terrible|horrible|unacceptable|disrespectful|useless|incompetent|appalling)\b",
    r"\b(?:nobody|no one|your (?:rep|guy|specialist|salesperson|colleague|person)) (?:ever |even )?(?:showed up|turned up|called (?:me )?back|never (?:showed|came|called|turned)|didn't (?:show|come|call|turn))",
    r"\b(?:was|were|been) (?:promised|treated|lied to|charged)\b.*\b(?:nothing|never|badly|rudely|terribl[ey]|twice|wrong(?:ly)?)\b",
)


def is_complaint(text: str) -> bool:
    """Whether they complain about us: nothing is sold to them, a person sees to it. What *their* customers complain
    about is none."""
    return bool(_COMPLAINT.search(plain(text)))


_ROLE = (
    r"(?:boss|manager|colleague|co ?worker|wife|husband|partner|brother|sister|son|daughter|father|mother|owner|director|lead|head|"
    r"assistant|department|team|supervisor|ceo|cfo|cto|coo|buyer|secretary|office|people|guy|lady|team ?mate)"
)
_OWN_TALK = re.compile(
    r"\b(?:i|we|i'll|we'll|i'd|let me|lemme|gotta)(?: (?:just|still|first|will|would|might|really|probably|also))*"
    r"(?: (?:need|have|want|got|ought|'d like|like) to)?(?: just| first| also)* (?:talk|speak|check|discuss|ask|consult|run|clear|talked|spoke|spoken)\b[^,;.]*"
)
"""What they will do themselves ("I have to ask my boss first") refers us to nobody."""
_TALK_TO = r"(?:talk|speak|chat|deal|get in touch|reach out|be talking|be speaking|check)(?: directly)? (?:to|with)"
_REFERRAL = _any(
    rf"\byou(?:'d| would|'ll| will)?(?: (?:should|need to|have to|want to|better|must|gotta|could|might want to|wanna|ought to|be better off|really|rather|probably|actually))+"
    rf" (?:{_TALK_TO}|talking to|ask|call|contact|try|email) (?!me\b|us\b|back\b|again\b|later\b|it\b|about\b|a (?:real|human)|tomorrow\b|in\b|at\b|on\b|next\b)\w+",
    r"\byou(?:'d| would)? want (?!me\b|to\b|a\b|it\b|us\b|that\b|this\b|the\b)\w+ (?:in|from|at) \w+",
    rf"^(?:no |sorry |well |please |just |oh |so )*(?:{_TALK_TO}|contact|try|ask|call|email) (?:my|our) (?:\w+ ){{0,2}}{_ROLE}\b",
    rf"\b(?:please |just |better |rather |then )(?:{_TALK_TO}|contact|try|ask|call|email) (?:my|our|him|her|them)\b(?: (?:\w+ )?{_ROLE}\b)?(?! (?:back|later|again))",
    rf"\b(?:{_TALK_TO}) (?:him|her|them) (?:instead|directly|about (?:it|this|that))\b|\b(?:talk|speak) (?:to|with) (?:him|her|them)$",
    r"\b(?:i'm|i am|we're|we are) not (?:really |actually |exactly |even )*(?:the )?(?:right|best|correct|proper) (?:person|one|contact|guy|department)\b",
    r"\b(?:i'm|i am) (?:probably |really |actually )*the wrong (?:person|one|guy|contact|department)\b",
    r"\b(?:i'm|i am) not (?:really |actually )*the (?:one|person|guy) (?:who|that|to|for|in charge)\b|\b(?:i'm|i am) not the (?:decision maker|buyer)\b",
    rf"\b(?:my|our|the) (?:\w+ ){{0,2}}(?:{_ROLE}|\w+) (?:handles|decides|decides on|deals with|takes care of|is in charge of|is responsible for|runs|manages|looks after|does)"
    r" (?:that|this|it|those|these|such things|that stuff|all (?:of )?that)\b(?! (?:all )?(?:manually|by hand|on paper|in))",
    r"\b(?!who\b|that\b|what\b|it\b|this\b|i\b)\w+(?:'s| is) (?:the one )?(?:in charge of|responsible for) (?:that|this|it|those|these|such)\b",
    r"\b(?!who\b|that\b|what\b|it\b|this\b|he\b|she\b|nobody\b)\w+(?:'s| is) the (?:right|best) (?:person|one|contact) (?:for|to)\b",
    r"\bi (?:don't|do not) (?:really |actually )?(?:decide|handle|deal with) (?:that|this|it|on (?:that|this|it)|these|such)\b",
    r"\b(?:that's|that is|it's|this is) not (?:really )?(?:my|our) (?:department|area|decision|call|job|responsibility)\b",
    rf"\b(?:that would be|that'd be|that's|that is) (?:more )?(?:my|our) (?:\w+ ){{0,2}}{_ROLE}(?:'s)?(?: (?:decision|call|job|area|department))?\b(?! (?:and i|of))",
    r"\b(?:that would be|that'd be) (?!(?:great|good|fine|nice|perfect|ok|okay|lovely|wonderful|all|it|helpful|awesome|best|better|a|an|the|too|about|around|my|our|tomorrow|monday|tuesday|wednesday|thursday|friday|next|at|in|on)\b)\w+(?: \w+)? (?:in|from|at|of) \w+",
    rf"\b(?:wrong person|not (?:me|my job|mine))\b.*\b(?:{_TALK_TO}|you want|try|ask|call|contact|it's|it is|that's) (?!wrong)(?:my|our|his|her|the)?\s?\w+",
    rf"\b(?:filled|sent|signed|did) (?:it|this|that|the form)(?: in| out| up)? (?:for|on behalf of) my (?:\w+ )?{_ROLE}\b",
)


def refers(text: str) -> bool:
    """Whether they say that somebody else is the right one to speak with, without turning us away."""
    words = plain(text)
    if re.search(r"\bwrong number\b", words):
        return False
    return bool(_REFERRAL.search(_OWN_TALK.sub(" ", words)))


_BUSY_THEN = re.compile(
    r"\b(?:i'm|i am|we're|we are|i'll be|he's|she's) (?:already |fully |all |completely |pretty )*booked"
    r"(?: (?:up|solid|out|then|that|at|on|all|until|till|for (?:that|the|most)|those|both|the|every|monday|tuesday|wednesday|thursday|friday|tomorrow|through)|$)"
)
_BOOKED = r"(?:booked|scheduled|arranged|reserved|signed up|set up|made|picked|chosen|confirmed|set)"
_THING = r"(?:demo|appointment|meeting|slot|time|booking|call|session|spot)"
_ALREADY_BOOKED = _any(
    rf"\b(?:i|we)(?:'ve| have| had)? (?:already|just) (?:{_BOOKED}) (?:(?:one|it|that|this|something)\b|(?:a|an|the|my|our) (?:\w+ )?{_THING}\b)",
    r"\b(?:i|we)(?:'ve| have| had)? already (?:booked|scheduled|signed up|made a booking)\b(?! (?:solid|up|out|then|at|for (?:that|the)|on))",
    rf"\b(?:i|we)(?:'ve| have)? (?:booked|scheduled|reserved|made|picked|chosen|set up|arranged) (?:(?:one|it)\b|(?:a|an|the|my|our) (?:\w+ )?{_THING}\b)"
    r"(?=.*\b(?:already|online|yesterday|earlier|last|this (?:morning|week|afternoon)|on (?:your|the) (?:web ?site|site|page)|through|with you|ago|before|monday|tuesday|wednesday|thursday|friday)\b)",
    r"\b(?:i|we) signed up for (?:a|one|the) (?:\w+ )?(?:slot|demo|time|session|meeting)\b",
    rf"\balready (?:have|got|had|has) (?:a|an|the|my|our|one) ?(?:\w+ )?(?:{_THING} )?(?:scheduled|booked|with (?:you|your|one of you)|set up|lined up|in (?:the|my) calendar)\b",
    r"\balready (?:have|got) (?:a|an|my|our) (?:demo|appointment|booking)\b(?! (?:then|at|that|on))",
    rf"\b(?:have|got|has) (?:a|an|my|our) (?:\w+ )?{_THING}(?: \w+){{0,3}} (?:with (?:you|your|one of you)|booked|scheduled)\b",
    r"\b(?:we're|we are|i'm|i am) (?:already |all )?(?:booked in|scheduled|set up|down|signed up) (?:with you|for (?:a|the|my|our) (?:demo|meeting|call)|for (?:monday|tuesday|wednesday|thursday|friday|tomorrow))\b",
    rf"\b(?:it's|it is|that's|that is|(?:the|my|our) {_THING} (?:is|was)) (?:already|all) (?:booked|scheduled|set|arranged|set up|in the calendar)\b",
    r"\b(?:didn't|did not|did) (?:i|we) (?:\w+ )?(?:already )?(?:book|schedule|make|arrange|pick|set up) (?:that|this|it|one|a|an|the)\b",
    r"\b(?:haven't|have) (?:i|we) (?:already )?(?:booked|scheduled|made|arranged) (?:that|this|it|one|a|an|the)\b",
    rf"\balready (?:a |an )?{_THING} (?:\w+ ){{0,4}}with you\b|\bset (?:that|this|it) up already\b",
    r"\b(?:somebody|someone|one) of (?:you|your (?:people|colleagues)) (?:has )?already (?:booked|scheduled|set)\b",
)


def is_already_booked(text: str) -> bool:
    """Whether they say that they have a meeting with us already. That they are busy at some time ("I'm booked
    solid") is none of this, nor that they have a system already."""
    words = plain(text)
    return bool(_ALREADY_BOOKED.search(words)) and not _BUSY_THEN.search(words)


_AGAIN = r"(?:call|ring|phone|dial|buzz)(?: (?:me|us))?"
_NOW = r"(?:right now|now|right away|right back|immediately|straight away|at once|asap|as soon as possible|this (?:minute|second|instant)|back now)"
_CALL_NOW = _any(
    rf"\b{_AGAIN}(?: (?:back|again))?(?: (?:please|on \w+ \w+(?: \w+)?))? {_NOW}\b",
    rf"\b(?:give (?:me|us) a (?:call|ring)|have someone call me|someone call me)(?: back| again)? {_NOW}\b",
    rf"\bhang up and {_AGAIN}\b",
    rf"\b(?:line|connection|signal|reception|audio)\b.*\b{_AGAIN} (?:back|again)\b(?! (?:later|tomorrow|in|at|on|next))",
    rf"\b(?:breaking up|can't hear you|cannot hear you|cutting out)\b.*\b{_AGAIN} (?:back|again)\b(?! (?:later|tomorrow|in|at|on|next))",
    rf"\b(?:i can talk|i'm free|i am free|i have time|available) (?:right )?now\b.*\b{_AGAIN}\b(?! (?:later|tomorrow))",
    rf"^(?:please |just |ok |okay |yes |hey |so )*{_AGAIN} {_NOW}\b",
)
_NOT_NOW = re.compile(
    rf"\b(?:don't|do not|not|can't|cannot|never|stop|why|why did you|why do you)(?: \w+)? (?:{_AGAIN}|calling|now|right now)\b"
)


def asks_call_now(text: str) -> bool:
    """Whether they want to be rung (again) this very moment."""
    words = plain(text)
    return bool(_CALL_NOW.search(words)) and not _NOT_NOW.search(words)


_CALL = r"(?:call|ring|phone|try|contact|reach|text|catch)(?: (?:me|us))?"
_THEN = (
    r"(?:later|another (?:time|day|week)|some other (?:time|day)|some ?time|tomorrow|tonight|next (?:week|month|quarter|year|time|mon\w*|tue\w*|wed\w*|thu\w*|fri\w*)|"
    r"(?:on|this|by|around|from)? ?(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)|in (?:a|an|the|about|two|three|four|five|six|ten|fifteen|twenty|thirty|half|\d+|january|february|march|april|may|june|july|august|september|october|november|december)\b|"
    r"at (?:\d|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon|half|a (?:better|different))|after \w+|this (?:afternoon|evening)|around \w+|towards \w+|once \w+|when \w+)"
)
_CALLBACK = _any(
    rf"\b{_CALL}(?: (?:back|again))? {_THEN}",
    rf"\b{_CALL} (?:back|again)\b",
    rf"\b(?:give (?:me|us) (?:a )?(?:call|ring|shout|buzz)|get back to (?:me|us)|reach out(?: to (?:me|us))?|check (?:back|in)(?: with (?:me|us))?|follow up|come back to (?:me|us)|circle back)(?: (?:again|back))? {_THEN}",
    r"\b(?:let's|can we|could we|we could|shall we|we can) (?:talk|speak|do (?:this|it|that)|discuss (?:this|it)|chat)(?: again)? (?:later|another (?:time|day)|some other (?:time|day)|next|tomorrow|on|in|at|after|this)\b",
    r"\b(?:another|a different|a better|some other) (?:time|day|moment|week) (?:would be|is|might be|works) (?:better|best|good)\b",
    r"\b(?:next week|next month|tomorrow|later|monday|tuesday|wednesday|thursday|friday)(?: \w+)? (?:is|would be|might be) (?:a )?(?:better|best)(?: (?:time|for me|to talk))?\b",
    r"\bask me again\b",
)


def asks_callback(text: str) -> bool:
    """Whether they ask in so many words to be called at another time. "I'm busy" alone is a concern, and may be
    answered; this may not."""
    words = plain(text)
    return bool(_CALLBACK.search(words)) and not re.search(
        r"\b(?:i'll|i will|we'll|we will|let me|i'd rather|i can|i could)(?: \w+)? (?:call|ring|phone|text|try|get back|contact)\b|\b(?:don't|do not|never|stop) (?:\w+ )?(?:call|try|contact|ring|text)(?:ing)?(?: me)? (?:again|back|any ?more)\b",
        words,
    )


def wish(text: str, name: str = "") -> Wish:
    """The one thing that these words ask of us, "" when none is clear. The graver comes before the lighter: who wants
    no more calls and a person is left alone. ``name`` is whom we want to speak with: "I'm not Dana"."""
    if is_opt_out(text, spoken=True):
        return "stop"
    if is_complaint(text):
        return "complaint"
    if asks_person(text):
        return "person"
    if asks_robot(text):
        return "robot"
    if refers(text):
        return "referral"
    if is_wrong_person(text, name):
        return "wrong_number"
    if is_already_booked(text):
        return "already_booked"
    if asks_cancel(text):
        return "cancel"
    if asks_call_now(text):
        return "call_now"
    if asks_link(text):
        return "link"
    if asks_callback(text):
        return "later"
    if asks_move(text):
        return "move"
    if is_not_interested(text):
        return "not_interested"
    return "maybe" if is_hesitating_yes(text) else ""
