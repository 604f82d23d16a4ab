"""A sentence of ours taken apart: its times, names and numbers as classes, and what small talk takes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...tokens import PUNCTUATION, bag, tokens
from .. import dates, identity
from ..numbers import quantity
from ..state import State
from . import times
from .facts import Approved, sentence_parts
from .lexicon import COUNTED, GLUE
from .phrases import longest, tries

_LEANING = bag("at on in the around")
"""Little words that belong to the time after them."""


@dataclass(slots=True)
class Sentence:
    """``items`` are its words with times, names and numbers as classes; ``open`` marks those that no phrase took."""

    text: str
    t: list[str]
    items: list[str]
    open: list[bool] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    """The kinds of the phrases that it holds (:mod:`.phrases`)."""
    mentions: list[dates.Mention] = field(default_factory=list)
    reps: list[str] = field(default_factory=list)
    """The words of people's names of ours."""
    asks: bool = False
    context: list[str] = field(default_factory=list)
    """The tokens of what we said right before."""
    sources: list[str] = field(default_factory=list)
    subjects: set[str] = field(default_factory=set)
    """What it spoke of so far, by what supports it."""

    @property
    def framed(self) -> bool:
        """It reports what they said: "you said ..."."""
        return "said" in self.kinds

    def clauses(self) -> list[tuple[int, int]]:
        """The clauses with words that no phrase took, as ranges of items."""
        found, start = [], 0
        for k, item in enumerate([*self.items, "."]):
            if item in PUNCTUATION:
                if any(self.open[start:k]):
                    found.append((start, k))
                start = k + 1
        return found


def taken_apart(state: State, known: Approved, text: str, t: list[str], before: str | None) -> Sentence:
    """``text`` (tokens ``t``) as said now; ``before``: the sentence right before it, None for the last of our line."""
    s = Sentence(text, t, [], asks="?" in t[-2:])
    s.context = tokens(_before(state, before))
    if dates.names_any(t):
        s.mentions = dates.mentions(_without_greetings(t), state.brief.zone, state.now, times.anchor(state, s.context))
    _itemize(state, known, s)
    s.open = [True] * len(s.items)
    _take_phrases(s)
    return s


def _before(state: State, before: str | None) -> str:
    if before is not None:
        return before
    if not state.lines or state.lines[-1].who != "agent":
        return ""
    parts = sentence_parts(state.lines[-1].text)
    return parts[-1] if parts else ""


def _without_greetings(t: list[str]) -> list[str]:
    """The tokens with those phrases blanked whose words of time name none: "have a good evening"."""
    blanked = t
    _, timed = tries()
    i = 0
    while i < len(t):
        found = longest(timed, t, i)
        if found is None:
            i += 1
            continue
        if blanked is t:
            blanked = list(t)
        blanked[i : found[0]] = ["~"] * (found[0] - i)
        i = found[0]
    return blanked


def _itemize(state: State, known: Approved, s: Sentence) -> None:
    called = names(state, known)
    items, i, t = s.items, 0, s.t
    starts = {mention.start: mention for mention in s.mentions}
    while i < len(t):
        mention = starts.get(i)
        if mention is not None:
            while items and items[-1] in _LEANING:
                items.pop()
            items.append("<t>")
            i = mention.stop
        elif (kind := called.get(t[i])) is not None:
            if kind == "<rep>":
                s.reps.append(t[i])
            if not items or items[-1] != kind:
                items.append(kind)
            i += 1
        elif t[i] == "half" and t[i + 1 : i + 3] == ["an", "hour"]:
            items += ("#30", "minutes")
            i += 3
        else:
            i = _number(s, i, i + 1 in starts)


def _number(s: Sentence, i: int, time_follows: bool) -> int:
    """Take the number or word at ``i``; the index after it."""
    found = quantity(s.t, i)
    one = s.t[i] == "one" and not (i + 1 < len(s.t) and s.t[i + 1] in COUNTED)
    if found is None or one or (time_follows and found[1] > i + 1):
        s.items.append(s.t[i])
        return i + 1
    s.items.append(f"#{found[0]:g}")
    return found[1]


def names(state: State, known: Approved) -> dict[str, str]:
    """The words by which people and the company are called here, with their class."""
    called: dict[str, str] = dict.fromkeys(known.agent, "<agent>")
    for meeting in identity.meetings(state):
        if meeting:
            called |= dict.fromkeys(tokens(meeting.rep_name), "<rep>")
    for slot in state.offered:
        if name := state.brief.reps.get(slot.rep):
            called |= dict.fromkeys(tokens(name), "<rep>")
    if state.name:
        called |= dict.fromkeys(tokens(state.name), "<lead>")
    called |= known.company
    return called


def _take_phrases(s: Sentence) -> None:
    items, i = s.items, 0
    phrases, _ = tries()
    while i < len(items):
        found = longest(phrases, items, i)
        if found is not None and (found[1] != "short" or _whole(items, i, found[0])):
            for k in range(i, found[0]):
                s.open[k] = False
            if not (found[1] == "grant" and s.asks and found[0] >= len(items) - 1):  # ", okay?" asks
                s.kinds.add(found[1])
            i = found[0]
            continue
        if items[i] == "<t>" or items[i] in PUNCTUATION:
            s.open[i] = False
        i += 1


def _whole(items: Sequence[str], start: int, stop: int) -> bool:
    """Whether an answer in two words ("it does") is all of its clause."""
    before = items[start - 1] if start else ","
    while stop < len(items) and items[stop] in GLUE:
        stop += 1
    return (before in PUNCTUATION or before in GLUE or before in ("yes", "no", "<lead>")) and (
        stop == len(items) or items[stop] in PUNCTUATION
    )
