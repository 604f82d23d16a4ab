"""What the lead's words add to what is known: the model's reading, checked against the words themselves, and the
reading by local rules when there is no usable model, or it missed what was plainly said."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..events import CallLearned, Concern, Learned, Sign
from ..playbook import Question
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
)
from ..tokens import tokens
from ..wishes import Wish, asks_later, is_absent, is_enough, is_not_interested
from ..words import cued, fixed, plain
from . import dates, ear, spelled
from .concerns import concern
from .numbers import number_in, numbers_in, quantity
from .qualify import accept, assess, without_other_numbers
from .signs import Kind, weigh
from .state import ReadBack, State
from .turn import Decision, FieldRead, Intent, Proposal, Reading

_NO_ANSWERS = (
    "concern", "later", "call_now", "send_link", "already_booked", "not_interested", "wrong_person", "referral", "stop", "person",
    "complaint", "robot", "question",
)  # fmt: skip
"""Intents whose words are no answer to an open question, whatever the model takes from them."""
_MOST_SIGNS = 8
_FIRST_LINES = 3
"""Lines of theirs within which it shows who picked up."""
_SHORT = 4
"""Words of a yes that says nothing else."""
_MEETING = re.compile(r"\b(?:meeting|demo|booking|appointment|time|slot|call)\b")


# ---- what they want -------------------------------------------------------------------------------------------------

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
_NOT = re.compile(r"\b(?:not|no|never|nothing|\w+n't)\b")
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
        and not _OF_A_CALL.search(words)
    ):
        return ""  # "Thursday would be better": a time for the meeting
    if found == "cancel" and not state.booking:
        found = "not_interested" if ear.says(state, is_not_interested) else "cancel" if ear.says(state, names_meeting) else ""
    if found == "not_interested" and (state.booking or state.link_sent) and ear.says(state, is_enough):
        return ""  # "I'm all set": they have what they came for
    return found


def is_somebody_else(state: State) -> bool:
    """Whether whoever answered says, at the beginning of the talk, that the one whom we want is not there."""
    lines = sum(line.who == "lead" for line in state.lines)
    return lines <= _FIRST_LINES and state.brief.channel == "call" and is_absent(state.last_words, state.name)


def settle(state: State, decision: Decision) -> Decision:
    """``decision`` with its reading set right by what was really said: a plain wish that the model missed is taken
    up, a grave one that it made up is dropped."""
    reading, action = decision.reading, decision.action
    plainly = wished(state)
    intent = _INTENT.get(plainly, "unclear")
    if reading.intent == "question" and not plainly and merely_agrees(state.last_words):
        return Decision(reading=reading.model_copy(update={"intent": "yes"}), action=Proposal(name="say"))
    if plainly in _PLAIN and intent != reading.intent:
        soft = plainly in ("later", "link", "not_interested") and not (_asks_for_a_call(state) or is_somebody_else(state))
        if not (soft and reading.intent in _ABOUT_TIMES):
            name = _ACTION.get(plainly, "say")
            return Decision(
                reading=reading.model_copy(update={"intent": intent}),
                action=Proposal(name=name, args={"when": state.last_words}),
            )
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
    if (action.name == "offer_slots" and answers_offer(state)) or _missed_choice(state, decision):
        return Decision(
            reading=reading.model_copy(update={"intent": "picks_time"}),
            action=Proposal(name="book", args={"choice": state.last_words}),
        )
    if _names_when(state, decision):
        return Decision(
            reading=reading.model_copy(update={"intent": "later"}), action=Proposal(name="call_back", args={"when": state.last_words})
        )
    if _missed_time(state, decision):
        return Decision(
            reading=reading.model_copy(update={"intent": "names_time"}),
            action=Proposal(name="offer_slots", args={"when": state.last_words}),
        )
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
    return bool(open_still) and not ear.named(state).empty


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


# ---- what they told -------------------------------------------------------------------------------------------------


def heard(state: State, quote: str) -> bool:
    """Whether the lead really said ``quote`` in this conversation."""
    words = plain(quote)
    return bool(words) and any(
        f" {words} " in f" {plain(line.text)} " for line in state.lines if line.who == "lead"
    )


def _now(state: State, quote: str) -> bool:
    """Whether ``quote`` stands in their last words."""
    words = plain(quote)
    return bool(words) and f" {words} " in f" {plain(state.last_words)} "


def absorb(
    state: State, reading: Reading, raised: str = "", concerns: tuple[Concern, ...] = ()
) -> CallLearned | None:
    """Take into ``state`` what the reading understood and the words bear out; what is new, to be reported with the
    ``concerns`` that changed. ``raised`` is the concern of this turn. A doubtful value that the playbook wants
    confirmed is kept in ``state.read_back`` instead, until they say yes to it."""
    read = [kept for found in reading.fields if (kept := _field(state, reading, found))]
    read += [kept for found in _missed_answer(state, reading, read) if (kept := _field(state, reading, found))]
    learned = [kept for kept in read if not _ask_back(state, kept)]
    for kept in learned:
        keep(state, kept)
    signs = _signs(state, reading, raised)
    state.signs.extend(signs)
    if not learned and not signs and not concerns:
        return None
    return told(state).model_copy(
        update={
            "learned": tuple(learned),
            "signs": signs,
            "concerns": concerns,
            "objections": (raised,) if raised else (),
        }
    )


def _missed_answer(state: State, reading: Reading, read: Sequence[Learned]) -> tuple[FieldRead, ...]:
    """The number, address or choice that was asked for and stands in their words, where the model did not see it, or saw
    only a part of it. A choice counts by the playbook's own words for it, unless something is denied beside them."""
    asked, words = state.last_asked, state.last_words
    question = state.playbook.fields.get(asked)
    if question is None or question.kind not in ("email", "number", "choice") or reading.intent in _NO_ANSWERS:
        return ()
    if state.knows(asked) or any(found.field == asked for found in read):
        return ()
    value = value_of(question, words)
    if question.kind == "choice" and value and _denies(question, value, words):
        return ()
    return (FieldRead(field=asked, value=value, quote=words),) if value else ()


def _denies(question: Question, value: str, words: str) -> bool:
    """Whether more is denied in ``words`` than in what the playbook has for ``value``: "not now" is not now."""
    said = f" {plain(words)} "
    for known in question.words.get(value, ()):
        said = said.replace(f" {fixed(known)} ", " ")
    return bool(_NOT.search(said))


def told(state: State) -> CallLearned:
    """An empty report of this turn."""
    attempt = state.brief.attempt
    name = f"{attempt}:learned:{state.turn_no}:{state.version}"
    return CallLearned(at=state.now, id=name, attempt=attempt, turn=state.turn_no, node=state.node)


def keep(state: State, learned: Learned) -> None:
    """It is known from now on, by their own word."""
    state.learned[learned.field] = learned.value
    state.sources[learned.field] = learned.source
    if learned.field == "name":
        state.identified = True


def _field(state: State, reading: Reading, found: FieldRead) -> Learned | None:
    question = state.playbook.fields.get(found.field)
    if question is None or (question.kind in ("text", "name") and reading.intent in _NO_ANSWERS):
        return None
    value = value_of(question, found.value)
    quote = found.quote if heard(state, found.quote) else ""
    if not value or not (quote or heard(state, value)):
        return None
    if quote and question.kind != "text" and not _shows(state, reading, question, quote, value):
        return None
    known = state.learned.get(found.field) == value
    if known and state.sources.get(found.field, "said") == "said":
        return None
    source = "said" if state.brief.channel == "call" else "texted"
    doubt = round(state.doubt, 2) if state.doubtful else 0.0
    return Learned(field=found.field, value=value, quote=(quote or value)[:200], source=source, doubt=doubt)


def _shows(state: State, reading: Reading, question: Question, quote: str, value: str) -> bool:
    """Whether ``quote`` really names ``value``. What fits a choice may be said in words that no list has, but only in
    answer to the question itself, as long as that is open; words that name another value never show this one."""
    named = value_of(question, quote)
    asked = state.playbook.fields.get(state.last_asked) is question and not state.knows(state.last_asked)
    if question.kind == "number":
        return named == value and _is_a_count(state, quote, float(value), asked and reading.intent not in _NO_ANSWERS)
    if named or question.kind != "choice":
        return named == value
    return asked and _now(state, quote) and value_of(question, state.last_words) in ("", value)


def _is_a_count(state: State, quote: str, value: float, asked: bool) -> bool:
    """Whether ``value`` still is a number of something where ``quote`` was said: the three of "half past three" and the
    two of "number two" are none; nor is that of "around twelve", unless we just ``asked`` for a number."""
    words = plain(quote)
    line = next(
        (each.text for each in reversed(state.lines) if each.who == "lead" and f" {words} " in f" {plain(each.text)} "), quote
    )
    t = tokens(line)
    times = [
        time
        for time in dates.mentions(t, state.brief.zone, state.now)
        if not (asked and dates.maybe_a_number(t, time))
    ]
    kept = [token for i, token in enumerate(t) if not any(time.start <= i < time.stop for time in times)]
    rest = tokens(without_other_numbers(" ".join(kept)))
    if (whole := number_in(" ".join(rest))) == value:
        return True
    # A part of what they said counts if it stands by itself: not the couple of "a couple of dozen", nor what they took back.
    return value in numbers_in(" ".join(rest)) if whole is not None else rest == t


def value_of(question: Question, words: str) -> str:
    """The answer to ``question`` in ``words``, in the field's one spelling, also when it is spelled out; "" when there
    is none."""
    if question.kind == "name":
        return accept(question, spelled.name_in(words))
    return accept(question, words) or (spelled.email_in(words) if question.kind == "email" else "")


def _ask_back(state: State, learned: Learned) -> bool:
    """Whether this has to be read back before it is relied on; it then waits in ``state.read_back``."""
    question = state.playbook.fields[learned.field]
    if whole := _all_together(state, learned):
        state.read_back = ReadBack(about=learned.field, value=whole, quote=state.last_words)
        return True
    doubtful = state.doubtful and (question.confirm or question.kind in ("email", "number", "name"))
    heard_so = (question.kind == "email" and question.confirm) or (question.kind == "number" and _turns_away(state, learned))
    if not doubtful and not (state.unsure and heard_so):
        return False
    state.read_back = ReadBack(about=learned.field, value=learned.value, quote=learned.quote)
    return True


def _all_together(state: State, learned: Learned) -> str:
    """What the numbers of their words come to, where the one that was read out of them would turn them away and all
    together would not: "one warehouse and about six trucks" are seven places. "" otherwise."""
    question = state.playbook.fields[learned.field]
    if question.kind != "number" or not _turns_away(state, learned) or not _now(state, learned.quote):
        return ""
    whole = value_of(question, state.last_words)
    return "" if not whole or _turns_away(state, learned.model_copy(update={"value": whole})) else whole


def _turns_away(state: State, learned: Learned) -> bool:
    """Whether this number, if it is what they said, settles that they do not fit: "two" may have been "twenty"."""
    t = tokens(learned.quote)
    if state.fit.misfit or not any(quantity(t, i) for i in range(len(t))):
        return False
    known, whose = state.learned | {learned.field: learned.value}, state.sources | {learned.field: learned.source}
    return assess(state.playbook, known, whose).misfit


def _signs(state: State, reading: Reading, raised: str) -> tuple[Sign, ...]:
    """The signs of these words: those that the model read and the words bear out, and those that the rules hear. How
    strong each is, the words alone say."""
    words = state.last_words
    found = [(s.sign, s.about, s.quote) for s in reading.signs[:_MOST_SIGNS] if _now(state, s.quote)]
    kinds = {kind for kind, _, _ in found}
    found += [(kind, "", words) for kind in _heard_signs(state, raised) if kind not in kinds]
    signs = []
    for kind, about, quote in found:
        weight = weigh(kind, quote, state.doubtful)
        if weight and not (kind == "denial" and _nothing_more(state, reading)):
            matter = raised if kind == "concern" else _about(state, about)
            signs.append(Sign(sign=kind, about=matter, quote=quote[:200], strength=weight, at=state.now))
    return tuple(signs)


def _nothing_more(state: State, reading: Reading) -> bool:
    """Whether their no only says that there is nothing else: all is settled, and it denies none of it."""
    closes = reading.intent in ("no", "goodbye", "unclear") and not is_not_interested(state.last_words)
    return state.node == "confirmation" and closes


def _heard_signs(state: State, raised: str) -> list[Kind]:
    words = state.last_words
    found: list[Kind] = []
    if agrees(words):
        found.append("confirmation")
    if is_denial(words) or is_not_interested(words):
        found.append("denial")
    if hesitates(words):
        found.append("hesitation")
    if raised:
        found.append("concern")
    if weigh("commitment", words) > 0.9 or (state.offered and ear.picked(state) and not is_denial(words)):
        found.append("commitment")
    return found


def _about(state: State, about: str) -> str:
    """What a sign is about, in our own words: a field, the booked meeting, a meeting to be, or nothing in particular."""
    if about in state.playbook.fields:
        return about
    if not about and state.last_asked:
        return state.last_asked
    if state.booking is not None and state.node in ("confirmation", "reschedule"):
        return "booking" if state.booking == state.brief.booking else "meeting"
    return "meeting" if state.offered or _MEETING.search(plain(about)) else ""


def fact(state: State, words: str) -> str:
    """The approved fact that these words ask for, by its cues; "" when none."""
    return cued(words, {name: known.cues for name, known in state.playbook.facts.items()})


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
