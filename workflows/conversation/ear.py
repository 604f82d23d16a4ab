"""What the lead's last words say: each question about them is answered once.

Several parts of a turn ask the same of the same words (is this a yes, which time does it pick, how much does it weigh
with all that was said before). The answers are kept until other words come, so that the authority's verdict costs
microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from .. import wishes
from ..events import Slot
from ..wishes import Wish
from . import dates, signs

if TYPE_CHECKING:
    from .state import State

_T = TypeVar("_T")


@dataclass(slots=True)
class Ear:
    """The ``words`` at hand, and what was found out about them."""

    words: str = ""
    found: dict[Hashable, Any] = field(default_factory=dict)
    ever: dict[Hashable, tuple[int, bool]] = field(default_factory=dict)
    """What any of their lines has said: how many lines were looked at, and whether one did."""


def _once(state: State, key: Hashable, find: Callable[[str], _T]) -> _T:
    ear, words = state.ear, state.last_words
    if ear.words != words:
        ear.words, ear.found = words, {}
    if key not in ear.found:
        ear.found[key] = find(words)
    answer: _T = ear.found[key]
    return answer


def says(state: State, test: Callable[[str], bool]) -> bool:
    """Whether the last words pass ``test``, one of :mod:`workflows.reading`."""
    return _once(state, test, test)


def said(state: State, test: Callable[[str], bool]) -> bool:
    """Whether any of their lines in this talk passes ``test``; each line is looked at once."""
    seen, found = state.ear.ever.get(test, (0, False))
    new = [line.text for line in state.lines[seen:] if line.who == "lead"] if not found else []
    found = found or any(test(text) for text in new)
    state.ear.ever[test] = len(state.lines), found
    return found


def named(state: State) -> dates.Said:
    """The time that the last words name, in the lead's zone."""
    return _once(state, "named", lambda words: dates.read(words, state.brief.zone, state.now))


def picked(state: State) -> Slot | None:
    """The offered slot that the last words pick by themselves."""
    key = ("picked", *(slot.id for slot in state.offered))
    return _once(state, key, lambda words: dates.choose(words, state.offered, state.brief.zone, state.now))


def wish(state: State) -> Wish:
    """The one thing that the last words plainly ask of us, "" when none is clear."""
    return _once(state, "wish", lambda words: wishes.wish(words, state.name))


def strength(state: State, kind: signs.Kind, about: str = "") -> float:
    """What the signs of ``kind`` come to together, 0 to 1, over this talk and the ones before it."""
    last = state.signs[-1] if state.signs else None
    return _once(
        state, (kind, about, len(state.signs), last and last.quote), lambda _: signs.strength(state, kind, about)
    )
