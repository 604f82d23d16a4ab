"""What the lead's words add to what is known: the model's reading, checked against the words themselves, and the
fallback reading by local rules when there is no usable model."""

from __future__ import annotations

from ..events import CallLearned, Learned, Sign
from ..reading import (
    asks_cancel,
    asks_later,
    asks_link,
    asks_move,
    fixed,
    hesitates,
    is_confirmation,
    is_denial,
    is_goodbye,
    is_not_interested,
    plain,
)
from . import dates
from .qualify import accept
from .state import State
from .turn import Decision, FieldRead, Proposal, Reading, SignRead

_NO_ANSWERS = ("concern", "later", "not_interested", "wrong_person", "stop", "person", "complaint", "robot", "question")
"""Intents whose words are no answer to an open question, whatever the model takes from them."""
_STRENGTH = {"commitment": 0.7, "confirmation": 0.7, "concern": 0.5, "denial": 0.6, "hesitation": 0.4}


def heard(state: State, quote: str) -> bool:
    """Whether the lead really said ``quote`` in this conversation."""
    words = plain(quote)
    said = " ".join(plain(line.text) for line in state.lines if line.who == "lead")
    return bool(words) and words in said


def absorb(state: State, reading: Reading) -> CallLearned | None:
    """Take into ``state`` what the reading understood and the words bear out; what is new, to be reported."""
    learned: list[Learned] = []
    for found in reading.fields:
        question = state.playbook.fields.get(found.field)
        if question is None:
            continue
        if question.kind == "text" and reading.intent in _NO_ANSWERS:
            continue
        value = accept(question, found.value)
        quote = found.quote if heard(state, found.quote) else ""
        if not value or not (quote or heard(state, value)):
            continue
        if state.learned.get(found.field) == value:
            continue
        state.learned[found.field] = value
        if found.field == "name":
            state.identified = True
        learned.append(Learned(field=found.field, value=value, quote=(quote or value)[:200]))
    signs = tuple(
        Sign(sign=s.sign, about=s.about[:80], quote=s.quote[:200], strength=_STRENGTH[s.sign])
        for s in reading.signs[:8]
        if heard(state, s.quote)
    )
    state.signs.extend(signs)
    if not learned and not signs:
        return None
    return CallLearned(
        at=state.now,
        id=f"{state.brief.attempt}:learned:{state.turn_no}",
        attempt=state.brief.attempt,
        turn=state.turn_no,
        node=state.node,
        learned=tuple(learned),
        signs=signs,
    )


def concern(state: State, words: str) -> str:
    """The playbook's objection that these words raise, by its cues; "" when none."""
    said = f" {plain(words)} "
    for name, objection in state.playbook.objections.items():
        if any(f" {fixed(cue)} " in said for cue in objection.cues):
            return name
    return ""


def fact(state: State, words: str) -> str:
    """The approved fact that these words ask for, by its cues; "" when none."""
    said = f" {plain(words)} "
    for name, known in state.playbook.facts.items():
        if any(f" {fixed(cue)} " in said for cue in known.cues):
            return name
    return ""


def by_rule(state: State) -> Decision:
    """A turn without a model: what the playbook's cues and the local rules make of the lead's words. It is duller
    than a model and never wrong about what matters: it goes through the same guards."""
    words = state.last_words
    fields: tuple[FieldRead, ...] = ()
    question = state.playbook.fields.get(state.last_asked)
    if question and not state.learned.get(state.last_asked) and accept(question, words):
        fields = (FieldRead(field=state.last_asked, value=words, quote=words),)
    signs: tuple[SignRead, ...] = (SignRead(sign="hesitation", quote=words),) if hesitates(words) else ()

    def turn(intent: str, action: str, **args: str) -> Decision:
        name = action if action in state.allowed else "say"
        reading = Reading(intent=intent, fields=fields, signs=signs)
        return Decision(reading=reading, action=Proposal(name=name, args=args))

    if asks_cancel(words) and state.booking:
        return turn("cancel", "cancel")
    if is_not_interested(words):
        return turn("not_interested", "decline")
    if state.offered and dates.choose(words, state.offered, state.brief.zone, state.now):
        return turn("picks_time", "book", choice=words)
    if asks_link(words):
        return turn("send_link", "send_link")
    if asks_move(words):
        return turn("move", "offer_slots", when=words)
    if raised := concern(state, words):
        return turn("concern", "answer", topic=raised)
    if asks_later(words):
        return turn("later", "call_back", when=words)
    if wanted := fact(state, words):
        return turn("question", "state", topic=wanted)
    if state.offered and not dates.read(words, state.brief.zone, state.now).empty:
        return turn("names_time", "offer_slots", when=words)
    if fields:
        return turn("answer", "say")
    if is_confirmation(words):
        return turn("yes", "say")
    if is_denial(words):
        return turn("refuses_times" if state.offered else "no", "offer_slots" if state.offered else "say")
    if is_goodbye(words):
        return turn("goodbye", "end")
    return turn("unclear", "say")
