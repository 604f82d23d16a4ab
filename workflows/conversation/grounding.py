"""What the model may say: times, numbers, names, promises and claims must stand in the facts of this state or in the
playbook's approved ones. Checked sentence by sentence, before a word is spoken."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from ..playbook import Playbook
from ..reading import fixed, plain
from . import dates
from .numbers import number_in
from .state import State

_SENTENCE = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|\n+")
_MONEY = re.compile(r"[$€£]|\b(?:dollars?|bucks?|grand|euros?|pounds?|cents?|per ?cent|%|usd)\b|%")
_DIGITS = re.compile(r"\d+(?:[.,:]\d+)*")
_DONE = re.compile(
    r"\b(?:i(?:'ve| have)?|we(?:'ve| have)?|you(?:'re| are|'ve| have)?|it(?:'s| is| has)?|that(?:'s| is)?|all|"
    r"meeting(?: is)?|demo(?: is)?|appointment(?: is)?|everything(?: is)?)(?: (?:now|just|all|been|already|got))*"
    r" (?:booked|scheduled|confirmed|reserved|moved|rescheduled|cancelled|canceled|sent|set up|set|texted|emailed|transferred)\b"
)
_PROMISE = re.compile(
    r"\b(?:free|discount|guarantee[ds]?|refund(?:s|ed)?|waive[ds]?|cheaper|cheapest|best price|lowest|no obligation|"
    r"cancel (?:any ?time|whenever)|no contract|no commitment|risk free|promise|will (?:call|email|send|text|get back)|"
    r"legal(?:ly)?|compliant|certified|lifetime|forever|unlimited|24 7|money back)\b"
)
_CLAIM = re.compile(
    r"\b(?:we|our|us|it|they|tallyhook|product|software|system|platform|app|demo|plan|plans|trial|specialist|company)\b"
    r"(?: \w+){0,3}? (?:integrates?|supports?|offers?|includes?|costs?|works? with|connects?|handles?|provides?|has|have|"
    r"does|can|comes? with|starts? at|takes?|runs?|syncs?|replaces?|beats?|saves?|reduces?|lets|allows?|is|are|will)\b"
)
_STOPWORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "but",
        "by",
        "can",
        "do",
        "does",
        "for",
        "from",
        "have",
        "has",
        "i",
        "in",
        "is",
        "it",
        "its",
        "of",
        "on",
        "or",
        "our",
        "so",
        "that",
        "the",
        "their",
        "them",
        "there",
        "they",
        "this",
        "to",
        "us",
        "was",
        "we",
        "what",
        "when",
        "which",
        "will",
        "with",
        "would",
        "you",
        "your",
        "just",
        "also",
        "more",
        "very",
    ]
)
_CAPITAL = re.compile(r"(?<!^)(?<![.!?] )\b([A-Z][a-zA-Z]{2,})\b")
_CALENDAR = frozenset(
    [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "english",
        "great",
        "thanks",
        "okay",
    ]
)


@dataclass(frozen=True)
class Ground:
    """Why a sentence was refused: ``rule`` is time, number, name, promise, done or claim."""

    sentence: str
    rule: str


def sentences(text: str) -> list[str]:
    """``text`` in sentences; a decimal point or an abbreviation inside one does not end it."""
    return [piece.strip() for piece in _SENTENCE.split(text) if piece and piece.strip()]


def split_complete(text: str) -> tuple[list[str], str]:
    """The sentences of a stream so far that are complete, and the rest."""
    ends = [match.end() for match in _SENTENCE.finditer(text)]
    if not ends:
        return [], text
    return sentences(text[: ends[-1]]), text[ends[-1] :]


def refused(state: State, sentence: str) -> Ground | None:
    """Why ``sentence`` may not be spoken, or None when it may."""
    words = plain(sentence)
    approved = _approved(state.playbook)
    if any(plain(sentence).strip() in text for text in approved) and words:
        return None
    if any(re.search(rf"\b{re.escape(term.lower())}", sentence.lower()) for term in state.playbook.forbidden):
        return Ground(sentence, "promise")
    if _DONE.search(words):
        return Ground(sentence, "done")
    if _PROMISE.search(words):
        return Ground(sentence, "promise")
    if _ungrounded_time(state, sentence):
        return Ground(sentence, "time")
    if _ungrounded_number(state, sentence):
        return Ground(sentence, "number")
    if _ungrounded_name(state, sentence):
        return Ground(sentence, "name")
    if not sentence.rstrip("\"' ").endswith("?") and _CLAIM.search(words) and not _supported(state, words, approved):
        return Ground(sentence, "claim")
    return None


def _ungrounded_time(state: State, sentence: str) -> bool:
    said = dates.read(sentence, state.brief.zone, state.now)
    if said.empty:
        return False
    if said.delay is not None:
        return True
    known = [slot.start for slot in state.offered]
    known += [meeting.start for meeting in (state.booking, state.brief.missed) if meeting]
    if said.clock is None and sentence.rstrip().endswith("?"):
        return False  # "Would a morning suit you?", "this week?": a question, no statement about a time
    local = [instant.astimezone(ZoneInfo(state.brief.zone)) for instant in known]
    for at in local:
        day = said.first is None or said.first <= at.date() <= (said.last or said.first)
        clock = said.clock is None or said.clock.means(at)
        if day and clock and (said.first or said.clock):
            return False
    return True


def _ungrounded_number(state: State, sentence: str) -> bool:
    plain_words = sentence.lower()
    numbers = {_number(n) for n in _DIGITS.findall(plain_words)}
    if _MONEY.search(plain_words) and not numbers:
        return True  # money in words alone is never ours: prices are spoken from the playbook's facts
    if not numbers:
        return False
    if _MONEY.search(plain_words):
        return not any(
            numbers <= {_number(n) for n in _DIGITS.findall(text)} and _overlap(plain(sentence), fixed(text)) >= 0.6
            for text in _texts(state.playbook)
        )
    known = {_number(n) for text in (*_told(state), *_texts(state.playbook)) for n in _DIGITS.findall(text)}
    spoken = number_in(state.last_words)
    if spoken is not None:
        known.add(f"{spoken:g}")
    if not dates.read(sentence, state.brief.zone, state.now).empty:
        return False  # the time itself was judged already
    return not numbers <= known


def _number(text: str) -> str:
    """One spelling of a number: ``1,200`` and ``1200.0`` are the same."""
    bare = text.replace(",", "")
    return f"{float(bare):g}" if bare.count(".") <= 1 and bare.replace(".", "").isdigit() else bare


def _told(state: State) -> Iterable[str]:
    """What they told us: it may be said back."""
    yield from state.learned.values()
    yield from (line.text for line in state.lines if line.who == "lead")


def _ungrounded_name(state: State, sentence: str) -> bool:
    names = _CAPITAL.findall(sentence)
    if not names:
        return False
    known = {word for text in _texts(state.playbook) for word in fixed(text).split()}
    known |= {word for text in (*_told(state), *_known_names(state)) for word in plain(text).split()}
    for name in names:
        word = name.lower()
        if word not in known and word not in _CALENDAR and word.removesuffix("s") not in known:
            return True
    return False


def _known_names(state: State) -> tuple[str, ...]:
    meeting = state.booking or state.brief.missed
    person = state.brief.person
    return (
        state.playbook.company.name,
        state.playbook.company.purpose,
        state.playbook.agent.name,
        state.playbook.meeting.name,
        meeting.rep_name if meeting else "",
        person.name if person else "",
        person.company if person else "",
        " ".join(state.brief.reps.values()),
    )


def _texts(playbook: Playbook) -> tuple[str, ...]:
    """Everything approved: facts, answers to objections, questions."""
    return (
        *(fact.text for fact in playbook.facts.values()),
        *(answer for objection in playbook.objections.values() for answer in objection.answers),
        *(question.ask for question in playbook.fields.values()),
    )


def _approved(playbook: Playbook) -> tuple[str, ...]:
    return tuple(fixed(text) for text in _texts(playbook))


def _overlap(words: str, text: str) -> float:
    """The part of the content words of ``words`` that stand in ``text``."""
    content = [word for word in words.split() if word not in _STOPWORDS]
    known = set(text.split())
    return sum(1 for word in content if word in known) / len(content) if content else 1.0


def _supported(state: State, words: str, approved: tuple[str, ...]) -> bool:
    """Whether one approved text holds (almost) all content words of the claim. What they told us may be said back."""
    if re.match(r"^(?:that|it|this) (?:is|sounds|makes|helps|works)\b(?: \w+){0,3}$", words):
        return True  # "that sounds good", "it makes sense": nothing is claimed
    said = " ".join(line.text for line in state.lines if line.who == "lead")
    return any(_overlap(words, text) >= 0.8 for text in (*approved, fixed(state.playbook.company.purpose))) or (
        bool(re.match(r"^(?:so|ok|okay|got it|thanks|thank you|great|and)?\s?(?:you|your)\b", words))
        and _overlap(words, plain(said)) >= 0.6
    )
