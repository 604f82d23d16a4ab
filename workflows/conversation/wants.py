"""What the lead wants: the model's word on it, set right by what was plainly said, and the local rules' word when there is
no usable model, or it missed what was there."""

from __future__ import annotations

import re

from ..reading import (
    agrees,
    asks_move,
    hesitates,
    is_confirmation,
    is_denial,
    is_goodbye,
    is_parting,
    merely_agrees,
    names_meeting,
    without_dismay,
)  # fmt: skip
from ..wishes import Wish, asks_later, is_absent, is_enough, is_not_interested
from ..words import plain
from . import dates, ear
from .concerns import concern
from .prepared import prepared
from .state import State
from .turn import Decision, FieldRead, Intent, Proposal, Reading
from .understand import value_of

_FIRST_LINES = 3
"""Lines of theirs within which it shows who picked up."""
_SHORT = 4
"""Words of a yes that says nothing else."""

_INTENT: dict[Wish, Intent] = {
    "stop": "stop",
    "complaint": "complaint",
    "person": "person",
    "robot": "robot",
    "wrong_number": "wrong_person",
    "referral": "referral",
    "already_booked": "already_booked",
    "call_now": "call_now",
    "cancel": "cancel",
    "link": "send_link",
    "move": "move",
    "later": "later",
    "not_interested": "not_interested",
}
_ACTION: dict[Wish, str] = {
    "stop": "opt_out",
    "complaint": "hand_off",
    "person": "hand_off",
    "wrong_number": "decline",
    "referral": "refer",
    "call_now": "call_back",
    "cancel": "cancel",
    "link": "send_link",
    "move": "offer_slots",
    "later": "call_back",
    "not_interested": "decline",
}
_PLAIN: frozenset[Wish] = frozenset(
    ("stop", "complaint", "person", "robot", "wrong_number", "referral", "already_booked", "call_now", "link", "later", "not_interested")
)  # fmt: skip
"""Wishes that stand whatever the model read, once they are plainly there."""
_ABOUT_TIMES = ("picks_time", "names_time", "wants_meeting")
_OF_A_CALL = re.compile(
    r"\b(?:call|ring|phone|reach|try|contact|back|touch|follow|shout|buzz|talk|speak|later)\b"
)

_CALL_ME = re.compile(r"\b(?:call|ring|phone) (?:me|us)\b")

_BORNE_OUT: dict[str, re.Pattern[str]] = {
    "stop": re.compile(
        r"\b(?:stop|never|no more|remove|off|list|leave (?:me|us)|enough|done|quit|unsubscribe|delete|forget|block|go away|"
        r"(?:don't|dont|do not) (?:\w+ )?(?:call|text|contact|want|bother|ring|ever))\b"
    ),
    "person": re.compile(
        r"\b(?:person|human|someone|somebody|anyone|anybody|people|agent|manager|representative|rep|colleague|boss|supervisor|sales|operator|real|"
        r"transfer|connect|expert|specialist)\b"
    ),
    "complaint": re.compile(
        r"\b(?:complain\w*|unhappy|angry|upset|terrible|awful|ridiculous|annoy\w*|harass\w*|report|lawyer|sue|unacceptable|disappoint\w*|rude|bad|worst|"
        r"fed up|sick|problem|scam|fraud|illegal|disgust\w*|shame\w*|frustrat\w*|wrong|horrible|hate|useless|joke|third time|again|keep)\b"
    ),
    "wrong_person": re.compile(
        r"\b(?:wrong|mistake|different|no one|nobody|isn't|is not|not (?:me|my|the|him|her|called|him)|no longer|left|moved|"
        r"(?:never|don't|do not|didn't|did not) (?:\w+ )?(?:know|ask|asked|heard|signed|sign|fill|filled|work|live))\b"
    ),
    "not_interested": re.compile(
        r"\b(?:no|not|don't|dont|never|nah|nope|pass|rather|stop|bye|without|leave|changed|already|decline|skip|isn't|won't|nothing|enough|forget)\b"
    ),
    "cancel": re.compile(
        r"\b(?:cancel\w*|off|not|don't|no|drop|forget|delete|remove|won't|can't|anymore|scrap)\b"
    ),
    "referral": re.compile(
        r"\b(?:he|she|they|him|her|them|someone|somebody|else|colleague|boss|manager|partner|husband|wife|director|department|talk to|"
        r"speak (?:to|with)|right person|handles?|in charge|responsible|not me)\b"
    ),
    "send_link": re.compile(
        r"\b(?:links?|texts?|send|sms|message|info\w*|details?|e?mail|read|look at|online|website|web)\b"
    ),
    "later": re.compile(
        r"\b(?:he|she|they|later|back|again|tomorrow|tonight|next|another|call|ring|phone|busy|driving|meeting|moment|now|soon|wait|minutes?|hours?|days?|weeks?|"
        r"months?|morning|afternoon|evening|after|before|bad time|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b"
    ),
}
"""What must be heard, at least, for the model's word on a grave wish: high recall, so that it may still understand more
than the rules do. Anything else would end a call on words that were never said."""
_GRAVE = {
    "opt_out": "stop",
    "hand_off": "person",
    "cancel": "cancel",
    "decline": "not_interested",
    "send_link": "send_link",
    "call_back": "later",
    "refer": "referral",
}
"""The wish without which the model may not propose an action that ends a talk, puts it off, or sends something."""
_MERE_TALK = ("say", "ask", "answer", "state", "task")
"""What may not stand in the place of a booking that they ask for."""
_ASKING = re.compile(
    r"^(?:(?:and|so|but|ok|okay|well|um|uh|yes|right|wait) )*(?:how|what|what's|when|where|who|who's|why|is|are|does|do (?:you|we|they|i)|will)\b"
)
"""How a question begins, which a recogniser may write without its mark."""
_RATHER = re.compile(
    r"\b(?:instead|rather|better|after all|make (?:it|that)|(?:can|could|may) (?:we|i|you) (?:\w+ )?(?:do|say|try|have|get|go|take|meet)|(?:what|how) about"
    r"|(?:doesn't|does not|won't|will not|can't|cannot) (?:\w+ ){0,2}(?:work|do|make)|is (?:bad|out|no good|free|open|available|possible))\b"
)
"""How another time is asked for by those who have one already."""
_MEETS_NOTHING = re.compile(r"\b(?:what|why|how|who|where|does|remind|invitation|invite|email|mail)\b")
"""Words of a question or a request that may name a time by the way."""
_WE_OFFERED: dict[str, re.Pattern[str]] = {
    "send_link": re.compile(r"\blink\b"),
    "person": re.compile(r"\b(?:colleague|person)\b"),
    "later": re.compile(r"\b(?:moment|call you|later)\b"),
    "not_interested": re.compile(r"\bleave it\b"),
}
"""What our last words must hold for a mere yes to them to be the wish itself."""


def wished(state: State) -> Wish:
    """What their last words plainly ask of us, as far as it makes sense in this state."""
    found = ear.wish(state)
    words = plain(state.last_words)
    if not found and is_somebody_else(state):
        return "later"
    if (
        found == "later"
        and (state.offered or state.node in ("booking", "reschedule"))
        and (not _OF_A_CALL.search(words) or dates.step(state.last_words))
    ):
        return ""  # "Thursday would be better": a time for the meeting
    if found == "cancel" and not state.booking:
        found = "not_interested" if ear.says(state, is_not_interested) else "cancel" if ear.says(state, names_meeting) else ""
    if found == "not_interested" and (state.booking or state.link_sent) and ear.says(state, is_enough):
        return ""  # "I'm all set": they have what they came for
    return found or ("move" if _would_rather(state) else "")


def _would_rather(state: State) -> bool:
    """Whether they name another time than that of their meeting, and would rather have it then: "can we make it Thursday
    instead?"."""
    if state.booking is None or state.offered:
        return False
    if _beside(state):
        return True
    if not _RATHER.search(plain(state.last_words)):
        return False
    said = dates.wanted(state.last_words, state.brief.zone, state.now)
    return not said.empty and said.delay is None and not dates.fits(state.booking, said, state.brief.zone)


def _beside(state: State) -> bool:
    """Whether they want a time a little, or so much, later or earlier than the one spoken of."""
    return bool(dates.step(state.last_words) or dates.wanted(state.last_words, state.brief.zone, state.now).shift)


def _wants_beside(state: State, action: str) -> bool:
    """Whether they want such a time, and the model would only talk, or book what they did not choose."""
    unheard = action in _MERE_TALK or (action == "book" and ear.picked(state) is None)
    return unheard and _beside(state)


def is_somebody_else(state: State) -> bool:
    """Whether whoever answered says, at the beginning of the talk, that the one whom we want is not there."""
    lines = sum(line.who == "lead" for line in state.lines)
    return lines <= _FIRST_LINES and state.brief.channel == "call" and is_absent(state.last_words, state.name)


def settle(state: State, decision: Decision) -> Decision:
    """``decision`` with its reading set right by what was really said: a plain wish that the model missed is taken
    up, a grave one that it made up is dropped."""
    reading, action = decision.reading, decision.action

    def meant(intent: Intent, name: str, argument: str = "when") -> Decision:
        """What their words, which say the rest, come to."""
        proposal = Proposal(name=name, args={argument: state.last_words})
        return Decision(reading=reading.model_copy(update={"intent": intent}), action=proposal)

    plainly = wished(state)
    intent = _INTENT.get(plainly, "unclear")
    if reading.intent == "question" and not plainly and merely_agrees(state.last_words):
        return Decision(reading=reading.model_copy(update={"intent": "yes"}), action=Proposal(name="say"))
    if plainly in _PLAIN and intent != reading.intent:
        soft = plainly in ("later", "link", "not_interested") and not (_asks_for_a_call(state) or is_somebody_else(state))
        if not (soft and reading.intent in _ABOUT_TIMES):
            return meant(intent, _ACTION.get(plainly, "say"))
    if not plainly and ear.says(state, is_parting):
        return Decision(reading=Reading(intent="goodbye", signs=reading.signs), action=Proposal(name="end"))
    if plainly and intent == reading.intent:
        # The wish is plain and was understood; a grave action that is not its own is not.
        mine = _ACTION.get(plainly, "say")
        return (
            decision
            if action.name not in _GRAVE or action.name == mine
            else decision.model_copy(update={"action": Proposal(name=mine, args={"when": state.last_words})})
        )
    if plainly == "move" and state.booking and action.name in _MERE_TALK and reading.intent != "concern":
        return meant("move", "offer_slots")
    if (action.name == "offer_slots" and answers_offer(state)) or _missed_choice(state, decision):
        return meant("picks_time", "book", "choice")
    if state.offered and "offer_slots" in state.allowed and _wants_beside(state, action.name):
        return meant("names_time", "offer_slots")
    if _names_when(state, decision):
        return meant("later", "call_back")
    if _missed_time(state, decision):
        return meant("names_time", "offer_slots")
    doubted = reading.intent in _BORNE_OUT and not _is_borne_out(state, reading.intent)
    made_up = action.name in _GRAVE and not _is_borne_out(state, _GRAVE[action.name])
    if not doubted and not made_up:
        return decision
    if doubted:
        reading = reading.model_copy(update={"intent": "unclear"})
    if made_up or (doubted and action.name in _GRAVE):
        action = Proposal(name="say")
    return Decision(reading=reading, action=action)


def _asks_for_a_call(state: State) -> bool:
    """Whether the time that they name is one for us to call them, in so many words, and no choice among those offered."""
    return wished(state) == "later" and bool(_CALL_ME.search(plain(state.last_words)))


def answers_offer(state: State) -> bool:
    """Whether their words answer the offer that stands, with one of its times or a mere yes: other times would only
    take it away from them."""
    asks = state.last_words.rstrip().endswith("?") or _ASKING.search(plain(state.last_words))
    if "book" not in state.allowed or asks or ear.says(state, asks_move):
        return False
    merely = ear.says(state, is_confirmation) and ear.named(state).empty and len(state.last_words.split()) <= _SHORT
    return ear.picked(state) is not None or merely


def _missed_choice(state: State, decision: Decision) -> bool:
    """Whether they plainly choose one of the times and say nothing else, and the model would only talk."""
    if decision.action.name not in _MERE_TALK or decision.reading.intent in ("question", "concern"):
        return False
    words = state.last_words
    vague = ear.says(state, hesitates) and ear.named(state).clock is None
    beside = vague or ear.says(state, is_denial) or fact(state, words) or concern(state, words)
    chosen = ear.picked(state) is not None or len(state.offered) == 1
    return answers_offer(state) and chosen and not beside


def _names_when(state: State, decision: Decision) -> bool:
    """Whether they answer the question when to call with a time, and the model would only talk."""
    if decision.action.name not in _MERE_TALK or decision.reading.intent in ("question", "concern"):
        return False
    open_still = state.when_asked and state.node == "follow_up" and "call_back" in state.allowed
    return bool(open_still) and not (ear.named(state).empty and dates.bare_hour(state.last_words) is None)


def _missed_time(state: State, decision: Decision) -> bool:
    """Whether they name a time that they want, or one that they do not, of which none was offered, and the model would
    only talk."""
    if decision.action.name not in _MERE_TALK or decision.reading.intent in ("question", "concern", "picks_time"):
        return False
    words = state.last_words
    if not state.offered or "offer_slots" not in state.allowed or state.read_back is not None:
        return False
    said = ear.named(state)
    if said.empty or said.delay is not None or _MEETS_NOTHING.search(plain(words)) or fact(state, words) or concern(state, words):
        return False
    fitting = [dates.fits(slot, said, state.brief.zone) for slot in state.offered]
    refuses = bool(dates.refused(words, state.brief.zone, state.now)) or (bool(said.edge) and not all(fitting))
    return refuses or not any(fitting)


def _is_borne_out(state: State, claimed: str) -> bool:
    words = without_dismay(plain(state.last_words))
    if claimed == "referral" and state.referring:
        return True
    if claimed == "person" and state.node == "handoff":
        return True
    if claimed in _WE_OFFERED and agrees(words):
        ours = next((line.text for line in reversed(state.lines) if line.who == "agent"), "")
        if _WE_OFFERED[claimed].search(plain(ours)):
            return True
    if claimed in ("person", "complaint"):
        return any(_BORNE_OUT[name].search(words) for name in ("person", "complaint"))
    return bool(_BORNE_OUT[claimed].search(words)) or (claimed == "later" and not ear.named(state).empty)


def fact(state: State, words: str) -> str:
    """The approved fact that these words ask for, by its cues; "" when none."""
    return prepared(state.playbook).facts.first_in(words)


# ---- without a model ------------------------------------------------------------------------------------------------


def by_rule(state: State) -> Decision:
    """A turn without a model: what the playbook's cues and the local rules make of the lead's words. It is duller
    than a model and never wrong about what matters: it goes through the same guards."""
    words = state.last_words
    fields: tuple[FieldRead, ...] = ()
    question = state.playbook.fields.get(state.last_asked)
    if question and not state.knows(state.last_asked) and (value := value_of(question, words)):
        fields = (FieldRead(field=state.last_asked, value=value, quote=words),)

    def turn(intent: Intent, action: str, **args: str) -> Decision:
        name = action if action in state.allowed else "say"
        reading = Reading(intent=intent, fields=fields)
        return Decision(reading=reading, action=Proposal(name=name, args=args))

    plainly = wished(state)
    picked = state.offered and ear.picked(state)
    if plainly in _INTENT and not (plainly == "later" and picked and not _asks_for_a_call(state)):
        return turn(_INTENT[plainly], _ACTION.get(plainly, "say"), when=words)
    if state.offered and (picked or (len(state.offered) == 1 and agrees(words))):
        return turn("picks_time", "book", choice=words)
    if asks_move(words):
        return turn("move", "offer_slots", when=words)
    if raised := concern(state, words):
        return turn("concern", "answer", topic=raised)
    when_open = state.when_asked and state.node == "follow_up"
    if asks_later(words) or (when_open and (not ear.named(state).empty or (state.span and hesitates(words)))):
        return turn("later", "call_back", when=words)
    if wanted := fact(state, words):
        return turn("question", "state", topic=wanted)
    if state.offered and not ear.named(state).empty:
        return turn("names_time", "offer_slots", when=words)
    if fields:
        return turn("answer", "say")
    if agrees(words) or is_confirmation(words):
        return turn("yes", "say")
    if is_denial(words):
        return turn("refuses_times" if state.offered else "no", "offer_slots" if state.offered else "say")
    if is_goodbye(words) or is_enough(words):
        return turn("goodbye", "end")
    return turn("unclear", "say")
