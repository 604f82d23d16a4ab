"""What the lead's words add to what is known: the model's reading, checked against the words themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..events import CallLearned, Concern, Learned, Sign
from ..playbook import Question
from ..reading import (
    agrees,
    hesitates,
    is_denial,
    says_nothing,
)
from ..tokens import tokens
from ..wishes import is_not_interested
from ..wording import first_name
from ..words import fixed, plain
from . import dates, ear, spelled
from .numbers import number_in, numbers_in, quantity
from .qualify import accept, assess, without_other_numbers
from .signs import Kind, weigh
from .state import ReadBack, State
from .turn import FieldRead, Reading

_NO_ANSWERS = (
    "concern", "later", "call_now", "send_link", "already_booked", "not_interested", "wrong_person", "referral", "stop", "person",
    "complaint", "robot", "question",
)  # fmt: skip
"""Intents whose words are no answer to an open question, whatever the model takes from them."""
_MOST_SIGNS = 8
_NOT = re.compile(r"\b(?:not|no|never|nothing|\w+n't)\b")
_INTRODUCES = re.compile(r"^(?:(?:yes|yeah|yep|no|well|hi|hello) )*(?:(?:it's|it is|i'm|i am|this is|that's) )?|(?: here| speaking)$")
_MEETING = re.compile(r"\b(?:meeting|demo|booking|appointment|time|slot|call)\b")


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
    if question.kind == "text" and (says_nothing(found.value) or _is_own_name(state, found.value)):
        return None
    value = value_of(question, found.value)
    quote = found.quote if heard(state, found.quote) else ""
    if not value or not (quote or heard(state, value)):
        return None
    if quote and question.kind != "text" and not _shows(state, reading, question, quote, value):
        return None
    known = state.learned.get(found.field) == value
    if known and state.sources.get(found.field, "said") in ("said", "texted"):
        return None
    source = "said" if state.brief.channel == "call" else "texted"
    doubt = round(state.doubt, 2) if state.doubtful else 0.0
    return Learned(field=found.field, value=value, quote=(quote or value)[:200], source=source, doubt=doubt)


def _is_own_name(state: State, words: str) -> bool:
    """Whether ``words`` only say who speaks: "Dana", "yes, this is Dana Reyes"."""
    said = _INTRODUCES.sub("", plain(words))
    return bool(said) and said in (plain(first_name(state.name)), plain(state.name))


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
