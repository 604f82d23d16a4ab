"""What the playbook approves, taken apart once so that a sentence can be held against it in microseconds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ...playbook import Playbook
from ...tokens import PUNCTUATION, tokens
from ...wording import render
from .lexicon import ALIASES, CURRENCIES, FUNCTION, NEGATORS, RISKY, SCOPE_ENDS, counted, stem

_MOST = 64
"""Playbooks that are kept taken apart at a time."""
_WHOLE = 5
"""A sentence of an answer with fewer words ("Of course.") stands for nothing by itself."""
_PARTS = re.compile(r"[.!?;:]+\s+|\n+")
_JOINTS = re.compile(r",\s+(?=(?:and|but|so|though|while|the|a|our|your|you|it|there|this|we|i|they)\b)")
_PRONOUNS = frozenset(["it", "this", "that", "they", "there"])
_PREPOSITIONS = frozenset(["for", "with", "in", "on", "at", "to", "of", "by", "from"])
_PER = frozenset(["per", "a", "an", "each", "every", "and", "/", "the"])
OURS = "#us"
"""The subject of what is said of the company or its product."""


class Word(NamedTuple):
    """One content word: its stem, and whether it is denied (None: it stands before a denial in its clause)."""

    stem: str
    denied: bool | None


@dataclass(slots=True)
class Claim:
    """What one approved text says of one subject."""

    source: str
    subject: str
    words: dict[str, bool | None] = field(default_factory=dict)
    units: tuple[str, ...] = ()
    """What its price is counted per, in order."""
    counts: dict[str, frozenset[str]] = field(default_factory=dict)
    """What stands beside each of its numbers."""


@dataclass(slots=True)
class Approved:
    """A playbook, ready to be asked."""

    playbook: Playbook
    exact: dict[str, str]
    """Whole sentences that may be said as they stand, and whose they are."""
    claims: list[Claim]
    by_word: dict[str, list[Claim]]
    forbidden: re.Pattern[str] | None
    asked: frozenset[str]
    """Stems of the words in which the playbook asks."""
    ours: frozenset[str]
    """Words that name the company or its product."""
    cues: dict[str, frozenset[str]]
    """Stems by which a fact is known to be asked for."""
    agent: frozenset[str]
    company: dict[str, str]
    """The words of the company's name, as the class of their items."""
    length: float
    """Minutes of the meeting."""


_KEPT: dict[int, Approved] = {}


def approved(playbook: Playbook) -> Approved:
    """``playbook`` taken apart; done once for each object, which is kept as long as its parts are."""
    known = _KEPT.get(id(playbook))
    if known is None:
        while len(_KEPT) >= _MOST:
            _KEPT.pop(next(iter(_KEPT)))
        known = _KEPT[id(playbook)] = _taken_apart(playbook)
    return known


def _taken_apart(book: Playbook) -> Approved:
    ours = frozenset(tokens(book.company.name)) | frozenset(word for word in tokens(book.meeting.name) if word not in FUNCTION and word not in _MEETINGS)
    claims = [claim for source, text in _texts(book) for claim in _claims(source, text, ours)]
    by_word: dict[str, list[Claim]] = {}
    for claim in claims:
        for word in claim.words:
            by_word.setdefault(word, []).append(claim)
    exact: dict[str, str] = {}
    for source, text in (*_texts(book), *_questions(book), *_courtesies(book)):
        for part in (text, *(one for one in sentence_parts(text) if len(one.split()) >= _WHOLE)):
            exact.setdefault(bare(tokens(part)), source)
    exact.pop("", None)
    asked = {stem(w) for _, text in _questions(book) for w in tokens(text) if w not in PUNCTUATION and w not in RISKY}
    choices = [word for q in book.fields.values() for words in ((*q.choices,), *q.words.values()) for word in words]
    asked |= {stem(w) for text in (*(interest.say for interest in book.interests), *choices, book.company.purpose) for w in tokens(text) if w not in PUNCTUATION and w not in RISKY}
    return Approved(
        playbook=book,
        exact=exact,
        claims=claims,
        by_word=by_word,
        forbidden=re.compile("|".join(rf"\b{re.escape(' '.join(tokens(term)))}" for term in book.forbidden)) if book.forbidden else None,
        asked=frozenset(asked),
        ours=ours,
        cues={
            f"fact:{name}": frozenset(stem(w) for cue in fact.cues for w in tokens(cue) if w not in FUNCTION) for name, fact in book.facts.items()
        },
        agent=frozenset(tokens(book.agent.name)),
        company=dict.fromkeys((word for word in tokens(book.company.name) if word not in PUNCTUATION), "<company>"),
        length=book.meeting.length.total_seconds() / 60,
    )  # fmt: skip


_MEETINGS = frozenset(["demo", "meeting", "call", "appointment", "session"])


def bare(t: Sequence[str]) -> str:
    """Tokens as one string without punctuation: how whole sentences are compared."""
    return " ".join(token for token in t if token not in PUNCTUATION)


def sentence_parts(text: str) -> list[str]:
    """The sentences of an approved text."""
    return [part.strip() for part in re.split(r"(?<=[.!?])\s+|\n+", text) if part.strip()]


def _texts(book: Playbook) -> Iterator[tuple[str, str]]:
    """Facts and answers, and what we say of ourselves."""
    for name, fact in book.facts.items():
        yield f"fact:{name}", fact.text
    for name, objection in book.objections.items():
        for answer in objection.answers:
            yield f"objection:{name}", answer
    known = {"company": book.company.name, "agent": book.agent.name, "name": ""}
    yield "speech:disclosure", render(book.speech.disclosure, known)
    yield "speech:robot", book.speech.robot
    yield "speech:recording", book.speech.recording
    yield "company", book.company.purpose


def _questions(book: Playbook) -> Iterator[tuple[str, str]]:
    known = {"company": book.company.name, "agent": book.agent.name, "purpose": book.company.purpose, "asked": book.company.purpose}
    for name, question in book.fields.items():
        for text in (question.ask, question.rephrase):
            yield f"field:{name}", render(text, known)
    for name, node in book.graph.items():
        yield f"node:{name}", render(node.fallback, known)


def _courtesies(book: Playbook) -> Iterator[tuple[str, str]]:
    """Words of the playbook that state and promise nothing."""
    speech = book.speech
    for name in ("moment", "again", "when", "which_day", "who", "soften", "sure", "resumed", "goodbye"):
        yield f"speech:{name}", getattr(speech, name)
    for text in speech.filler:
        yield "speech:filler", text
    for step in speech.silence[:-1]:
        for text in (step,) if isinstance(step, str) else step:
            if "{" not in text:
                yield "speech:silence", text


def _claims(source: str, text: str, ours: frozenset[str]) -> Iterator[Claim]:
    """The claims of a text, one for each subject that it speaks of."""
    found: dict[str, Claim] = {}
    subject = OURS
    for part in _PARTS.split(text):
        if part.strip().endswith("?"):
            continue
        for clause in _JOINTS.split(part):
            words = content(counted(tokens(clause)), ours)
            if not words:
                continue
            subject = _subject(counted(tokens(clause)), words, subject, ours)
            claim = found.setdefault(subject, Claim(source, subject))
            for word, denied in words:
                before = claim.words.get(word, denied)
                claim.words[word] = denied if before == denied else None
            claim.units = claim.units or units(counted(tokens(clause)))
            claim.counts |= beside_numbers(counted(tokens(clause)))
    yield from found.values()


def content(t: Sequence[str], ours: frozenset[str]) -> list[Word]:
    """The content words of a clause in their stems, with what is denied; the product's names are all OURS."""
    words: list[Word] = []
    denying = False
    for token in t:
        if token in SCOPE_ENDS:
            denying = False
            continue
        if token in NEGATORS:
            words = [Word(word, None) for word, _ in words]
            denying = not denying
            if token == "nothing":
                words.append(Word(token, None))
            continue
        if token in FUNCTION or token[0] == "<":
            continue
        words.append(Word(OURS if token in ours or token in ALIASES else stem(token), denying))
    return words


def _subject(t: Sequence[str], words: Sequence[Word], before: str, ours: frozenset[str]) -> str:
    """Whom a clause speaks of: its first content word, or what was spoken of before ("and it needs no card")."""
    bare_words = [token for token in t if token not in PUNCTUATION and token not in ("and", "but", "so", "though", "while")]
    first = bare_words[0] if bare_words else ""
    if first in ("we", "our", "us", "i", "my"):
        return OURS
    if first == "you" or first == "your":
        return "you"
    if first == "there":
        return _existing(t, words)
    if first in _PRONOUNS:
        return before
    if first in _PREPOSITIONS and len(words) > 1:
        return words[1].stem
    return words[0].stem


def _existing(t: Sequence[str], words: Sequence[Word]) -> str:
    """The noun of "there is a 14 day trial that ...": the last content word before what describes it."""
    noun = words[0].stem
    for token in t[2:]:
        if token in ("that", "which", "for", "in", "on", "with", "to", "and", ","):
            break
        if token not in FUNCTION and token not in NEGATORS:
            noun = stem(token)
    return noun


def units(t: Sequence[str]) -> tuple[str, ...]:
    """What a price is counted per: "40 dollars per user and month" gives user and month."""
    for i, token in enumerate(t):
        if stem(token) in CURRENCIES and ((i and t[i - 1][0] == "#") or (i + 1 < len(t) and t[i + 1][0] == "#")):
            j = i + 1
            if j < len(t) and t[j][0] == "#":
                j += 1
            per: list[str] = []
            while j < len(t) and (t[j] in _PER or (per and t[j] == ",") or t[j - 1] in _PER):
                if t[j] not in _PER and t[j] != ",":
                    per.append(stem(t[j]))
                j += 1
            return tuple(per)
    return ()


def beside_numbers(t: Sequence[str]) -> dict[str, frozenset[str]]:
    """The stems right before and after each number: "40 dollars", "$40", "14 day"."""
    return {
        token: frozenset(stem(near) for near in (*t[max(i - 1, 0) : i], *t[i + 1 : i + 2]) if near not in FUNCTION and near not in PUNCTUATION)
        for i, token in enumerate(t)
        if token[0] == "#"
    }


def supporting(
    words: Sequence[Word], items: Sequence[str], known: Approved, spoken_of: frozenset[str], about: Iterable[str], numbers: bool, total: int = 2
) -> str:
    """The source of the one claim that holds all of ``words`` (of them nothing that it denies, or denies of nothing that it
    says); "" when there is none. ``spoken_of``: the subjects that may be meant without being named; ``about``: those named.
    ``numbers``: a number with its unit makes up for a subject that is not named. One word alone claims too little to be
    known by it (``total`` counts the subject)."""
    if not words:
        return ""
    per, counts = units(items), beside_numbers(items)
    numbers = numbers and len(words) > 2
    rarest = min((known.by_word.get(word.stem, _NONE) for word in words), key=len)
    named = set(about)
    for claim in rarest:
        if not all(word.stem in claim.words and _agree(word.denied, claim.words[word.stem]) for word in words):
            continue
        if claim.units and any(word.stem in CURRENCIES for word in words) and (not per or per[0] != claim.units[0] or not set(per) <= set(claim.units)):
            continue
        if not all(beside & claim.counts.get(number, frozenset()) for number, beside in counts.items()):
            continue
        alone = len(words) == 1 and total < 2 and not ("there" in items and claim.subject == words[0].stem)
        if not alone and (claim.subject in named or claim.subject in spoken_of or numbers):
            return claim.source
    return ""


_NONE: list[Claim] = []


def _agree(said: bool | None, approved_: bool | None) -> bool:
    return said is None or approved_ is None or said == approved_
