"""May this action be done now? Judged in memory, for every action, at the newest state; each verdict is one record.

An action is first held against its rules, by name: what must not be, whatever is said for it. Then its evidence is
weighed, a number from 0 to 1 against the playbook's threshold. It grows: what these words ask for, what was said for it
over the whole talk and the talks before it, that we know whom we speak with, that they fit. It shrinks with doubt: words
that were heard badly, hesitation, a yes and a no in one breath, a strong concern that is still open. Last comes the
autonomy that the playbook grants: what it leaves to a person is not done, and not lost either (:func:`for_a_person`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..events import Action, Book, CallBack, Decline, Verdict
from ..reading import asks_cancel, asks_move, hesitates, is_confirmation, is_denial, is_goodbye
from ..wishes import asks_later, asks_link, is_not_interested
from . import ear, identity
from .signs import Kind
from .state import State

TALK = frozenset({"say", "ask", "answer", "state", "end", "reveal"})
"""What touches nothing but the talk. ``reveal`` is to tell of the meeting that stands."""
_CLOSED_NODES = ("confirmation", "follow_up", "handoff", "reschedule")
_PAST = 60.0
"""Seconds by which a promised call may lie in the past: the talk goes on while it is judged."""

Asked = Action | str


class Case(NamedTuple):
    """What is judged: the action, and how it was weighed. ``counted`` says in words how the value came about."""

    state: State
    action: Asked
    name: str
    value: float
    threshold: float
    counted: str


class Rule(NamedTuple):
    """``forbids`` says why the action must not be, in words for people; "" when the rule has nothing against it."""

    name: str
    forbids: Callable[[Case], str]


class Weight(NamedTuple):
    """How the evidence for an action is weighed. ``asked``: how clearly these words ask for it, given what the
    model's reading alone weighs. ``grows``: the signs that speak for it. They add up to ``gain``; ``bound``: only in
    proportion to how clearly it was asked, since no enthusiasm says which time was meant. ``doubt``: how much doubt
    counts."""

    asked: Callable[[State, Asked, float], float]
    grows: tuple[Kind, ...] = ()
    gain: float = 0.0
    bound: bool = False
    doubt: float = 1.0


def authorize(
    state: State, action: Asked, quotes: tuple[str, ...] = (), before: Verdict | None = None
) -> Verdict:
    """The verdict on ``action`` (one with an effect, or the name of one that only talks) in ``state``; ``quotes`` are
    the lead's words that the model's reading gave for it, already found in the transcript. ``before``: this action was
    denied for want of an identity alone; what it was asked with then still counts."""
    name = _name(action)
    threshold = state.playbook.thresholds.get(name, 0.0)
    value, counted, evidence = _weigh(state, action, name, quotes, before)
    case = Case(state, action, name, value, threshold, counted)
    rule, detail = "", ""
    for each in RULES[name]:
        detail = each.forbids(case)
        if detail:
            rule = each.name
            break
    return Verdict(
        action=name,
        allowed=not rule,
        rule=rule or "evidence",
        detail=detail or counted,
        threshold=threshold,
        value=value,
        evidence=evidence,
        version=state.version,
        at=state.now,
    )


def for_a_person(verdict: Verdict) -> bool:
    """Whether everything speaks for the action and only the playbook's autonomy leaves it to a person: it goes to the
    lead all the same, which asks one and does nothing."""
    return verdict.rule in (_OBSERVE.name, _PROPOSE.name)


def is_meant(verdict: Verdict) -> bool:
    """Whether the action is what they asked for: nothing is against it but, at most, that we do not know who they are or
    that a person does it."""
    return verdict.allowed or verdict.rule == _WHOSE.name or for_a_person(verdict)


def _name(action: Asked) -> str:
    return action if isinstance(action, str) else action.kind


# ---- the rules ----------------------------------------------------------------------------------------------------


def _after_opt_out(case: Case) -> str:
    return "after an opt-out only goodbye is said" if case.state.opted_out else ""


def _nobody_there(case: Case) -> str:
    return "" if case.state.human else "nobody has spoken yet"


def _not_qualified(case: Case) -> str:
    if case.state.qualified:
        return ""
    fit = case.state.fit
    return f"missing {', '.join(fit.missing)}" if fit.missing else "does not fit"


def _slot_not_offered(case: Case) -> str:
    offered = isinstance(case.action, Book) and case.action.slot in {slot.id for slot in case.state.offered}
    return "" if offered else "only an offered time can be booked"


def _no_meeting(case: Case) -> str:
    return "" if case.state.booking else "there is no meeting"


def _identity(case: Case) -> str:
    return (
        "" if identity.may_tell(case.state) else "it is not known whether this is the person with the meeting"
    )


def _meeting_stands(case: Case) -> str:
    return "a meeting is booked; it is moved or cancelled first" if case.state.booking else ""


def _not_shown(case: Case) -> str:
    claimed = isinstance(case.action, Decline) and case.action.disposition == "not_fit"
    return "nothing known speaks against a fit" if claimed and not case.state.fit.misfit else ""


def _no_address(case: Case) -> str:
    person = case.state.brief.person
    return "" if person and person.phone else "there is no number on record"


def _callback_time(case: Case) -> str:
    if not isinstance(case.action, CallBack) or case.action.at is None:
        return ""
    ahead = case.action.at - case.state.now
    if ahead.total_seconds() < -_PAST:
        return "that time has passed"
    return "that is longer than we remember" if ahead > case.state.playbook.memory else ""


def _still_open(case: Case) -> str:
    state = case.state
    settled = state.node in _CLOSED_NODES or any(
        ear.says(state, test) for test in (is_goodbye, is_denial, is_not_interested)
    )
    return "" if settled else "nothing is settled and nobody said goodbye"


def _evidence(case: Case) -> str:
    return f"not clear enough: {case.counted}" if case.value < case.threshold else ""


def _observe(case: Case) -> str:
    observed = case.state.playbook.autonomy.get(case.name) == "observe"
    return f"a person does this, and is told; {case.counted}" if observed else ""


def _propose(case: Case) -> str:
    proposed = case.state.playbook.autonomy.get(case.name) == "propose"
    return f"a person approves this first; {case.counted}" if proposed else ""


_OPTED_OUT, _THERE = Rule("after_opt_out", _after_opt_out), Rule("nobody_there", _nobody_there)
_QUALIFIED, _MEETING = Rule("not_qualified", _not_qualified), Rule("no_meeting", _no_meeting)
_WHOSE, _STANDS = Rule("identity", _identity), Rule("meeting_stands", _meeting_stands)
_CLEAR, _OBSERVE, _PROPOSE = (
    Rule("evidence", _evidence),
    Rule("autonomy_observe", _observe),
    Rule("autonomy_propose", _propose),
)
_AT_FIRST, _AT_LAST = (_OPTED_OUT, _THERE), (_OBSERVE, _PROPOSE)

RULES: dict[str, tuple[Rule, ...]] = {
    **dict.fromkeys(TALK, (_OPTED_OUT,)),
    "offer_slots": (*_AT_FIRST, _QUALIFIED, _CLEAR, *_AT_LAST),
    "book": (*_AT_FIRST, Rule("slot_not_offered", _slot_not_offered), _QUALIFIED, _CLEAR, _WHOSE, *_AT_LAST),
    "cancel": (*_AT_FIRST, _MEETING, _CLEAR, _WHOSE, *_AT_LAST),
    "reveal": (_OPTED_OUT, _MEETING, _WHOSE),
    "decline": (*_AT_FIRST, _STANDS, Rule("not_shown", _not_shown), _CLEAR, *_AT_LAST),
    "refer": (*_AT_FIRST, _STANDS, _CLEAR, *_AT_LAST),
    "call_back": (*_AT_FIRST, Rule("callback_time", _callback_time), _CLEAR, *_AT_LAST),
    "send_link": (*_AT_FIRST, Rule("no_address", _no_address), _CLEAR, *_AT_LAST),
    "attend": (*_AT_FIRST, *_AT_LAST),
    "confirm": (*_AT_FIRST, _WHOSE, *_AT_LAST),
    "task": (*_AT_FIRST, *_AT_LAST),
    "end": (Rule("still_open", _still_open),),
    "opt_out": (),
    "hand_off": (_OPTED_OUT,),
}
"""Each action's rules in the order in which they are asked; the first that forbids wins."""


# ---- the evidence -------------------------------------------------------------------------------------------------


_UNHEARD = 0.25
"""What the model's reading alone weighs for an action that ends a talk or puts it off, where no word of theirs shows
it."""


def _plainly(state: State, action: Asked, read: float) -> float:
    return 1.0


def _choice(state: State, action: Asked, read: float) -> float:
    """How clearly these words pick the slot among those offered; one that was read back and agreed to is clear."""
    slot = action.slot if isinstance(action, Book) else ""
    if slot and slot == state.agreed:
        return 1.0
    picked = ear.picked(state)
    if picked is not None:
        return 1.0 if picked.id == slot else 0.0
    if ear.says(state, is_confirmation):
        return 0.9 if len(state.offered) == 1 else 0.3
    return 0.4


def _refusal(state: State, action: Asked, read: float) -> float:
    why = action.disposition if isinstance(action, Decline) else ""
    if why == "not_fit" or ear.wish(state) == "wrong_number" or ear.says(state, is_not_interested):
        return 1.0
    if why == "not_interested" and ear.says(state, is_denial):
        return max(read, 0.5)
    return 0.0  # no earlier no, and no word of the model's, makes these words one


def _cancelling(state: State, action: Asked, read: float) -> float:
    return 1.0 if ear.says(state, asks_cancel) else min(read, 0.5)


def _later(state: State, action: Asked, read: float) -> float:
    """How clearly they want to be called at another time. A time alone does not say that it is for a call."""
    timed = not ear.named(state).empty
    asked = ear.says(state, asks_later) or ear.wish(state) in ("later", "call_now")
    if asked or (timed and state.when_asked):
        return 1.0
    before = state.when_asked and ear.said(state, asks_later)
    return 0.6 if before else min(read, _UNHEARD)


def _linking(state: State, action: Asked, read: float) -> float:
    return 1.0 if ear.says(state, asks_link) else max(read, 0.5)


def _referring(state: State, action: Asked, read: float) -> float:
    """How clearly they pass us on to somebody else: in so many words, or when they were asked who is right."""
    return 1.0 if state.referring or ear.wish(state) == "referral" else min(read, _UNHEARD)


def _offering(state: State, action: Asked, read: float) -> float:
    return 1.0 if ear.says(state, asks_move) or not ear.named(state).empty else 0.7


WEIGHTS: dict[str, Weight] = {
    "book": Weight(_choice, ("commitment", "confirmation"), gain=0.2, bound=True),
    "offer_slots": Weight(_offering, ("commitment", "confirmation"), gain=0.2, doubt=0.5),
    "cancel": Weight(_cancelling, ("denial",), gain=0.2, bound=True),
    "decline": Weight(_refusal, ("denial",), gain=0.4),
    "refer": Weight(_referring, (), doubt=0.5),
    "call_back": Weight(_later, ("hesitation",), gain=0.1, doubt=0.5),
    "send_link": Weight(_linking, doubt=0.0),
    "task": Weight(_plainly, doubt=0.0),
}
"""How each action with an effect is weighed; what only talks needs no evidence, and neither does what nobody is ever
refused: to be left alone, and to speak with a person."""

_KNOWN = 0.3
"""What the identity, and a fit, each add to what speaks for a booking."""
_HESITATES, _HESITATED, _CONTRADICTS, _CONCERN, _UNCLEAR = 0.3, 0.15, 0.2, 0.2, 0.4
"""What doubt takes away at most: hesitation in these words, earlier hesitation, a yes and a no at once, an open
concern at full strength, a transcript that nobody can trust."""
_STRONG = 0.6
"""An open concern below this strength is no doubt."""
_MOST_QUOTES = 4


def _weigh(
    state: State, action: Asked, name: str, quotes: tuple[str, ...], before: Verdict | None
) -> tuple[float, str, tuple[str, ...]]:
    """The value, how it came about in words for people, and the words that it rests on."""
    words = state.last_words
    weight = WEIGHTS.get(name)
    if weight is None:
        return 1.0, "needs no evidence", (words,) if words and name not in TALK else ()
    if isinstance(action, Decline) and action.disposition == "not_fit":
        return 1.0, "the criteria say so", tuple(each.in_words for each in state.fit.against)
    read = min(0.5 + 0.1 * len(quotes), 0.7) if quotes else 0.3
    asked = max(weight.asked(state, action, read), (before.value or 0.0) if before else 0.0)
    standing = _standing(state, weight.grows, name)
    if weight.bound:
        value = asked * (1 - weight.gain + weight.gain * standing)
    else:
        value = min(asked + weight.gain * standing, 1.0)
    counted = f"asked {asked:.2f}" + (f", borne out {standing:.2f}" if weight.grows else "")
    for what, much in _doubts(state, name):
        value -= much * weight.doubt
        if much * weight.doubt:
            counted += f", {what} -{much * weight.doubt:.2f}"
    earlier = tuple(
        s.quote for s in state.signs[-8:] if s.sign in weight.grows and s.quote and s.quote not in words
    )
    said = (*(before.evidence if before else ()), *((words,) if words else ()))
    evidence = dict.fromkeys((*said, *quotes, *earlier[-2:]))
    return round(max(value, 0.0), 3), counted, tuple(evidence)[:_MOST_QUOTES]


def _standing(state: State, grows: tuple[Kind, ...], name: str) -> float:
    """What speaks for the action beside these words, 0 to 1: each piece adds to those before it, none takes away."""
    left = 1.0
    for kind in grows:
        left *= 1 - ear.strength(state, kind)
    if name == "book":
        left *= 1 - _KNOWN * (identity.passed(state) or state.identified)
        left *= 1 - _KNOWN * state.fit.fits
    return 1 - left


def _doubts(state: State, name: str) -> list[tuple[str, float]]:
    """What speaks against relying on what was said, and how much."""
    found: list[tuple[str, float]] = []
    if state.doubtful:
        found.append(("heard badly", _UNCLEAR * state.doubt))
    if ear.says(state, hesitates):
        found.append(("hesitates", _HESITATES))
    elif name in ("book", "cancel", "decline"):
        found.append(("hesitated before", _HESITATED * ear.strength(state, "hesitation")))
    if _contradicts(state):
        found.append(("says yes and no", _CONTRADICTS))
    if name in ("book", "offer_slots"):
        open_ = max((c.strength for c in state.concerns.values() if c.status == "open"), default=0.0)
        if open_ >= _STRONG:
            found.append(("has an open concern", _CONCERN * open_))
    return found


def _contradicts(state: State) -> bool:
    """Whether these words hold both a yes and a no."""
    words = state.last_words
    if not words:
        return False
    now = {s.sign for s in state.signs[-6:] if s.quote and s.quote in words}
    return bool(now & {"commitment", "confirmation"}) and "denial" in now
