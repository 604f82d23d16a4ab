"""What a call's signals leave behind: one typed moment each, and one for a whole turn of the other side.

A moment never holds what was said. A turn's onset, partial transcripts, confidence and pace stand in the detail of its
``final``; alone they stand only where no final came. The list is bounded: where it is full, what is told elsewhere
(turns, their silences) makes room first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ..events import Moment

if TYPE_CHECKING:
    from .state import State

KINDS = (
    "answered", "machine", "screening", "fax", "onset", "partial", "final", "interruption", "resumed", "overlap",
    "backchannel", "silence", "key", "filler", "lost", "restored", "hang_up", "longest",
)  # fmt: skip
"""Every kind of moment: ``resumed`` is what follows an interruption that was none, ``longest`` the call's greatest
duration."""

_MOST = 56
_LESSER = ("final", "backchannel", "onset", "overlap", "silence", "filler")


@dataclass(frozen=True, slots=True)
class Noted:
    """A :class:`~workflows.events.Moment` while the call lasts: a tenth of its size."""

    kind: str
    at: datetime
    version: int
    seconds: float | None
    detail: str


def note(state: State, kind: str, seconds: timedelta | float | None = None, detail: str = "") -> None:
    """One more moment, at the state's newest version. ``detail`` holds no words of anybody."""
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    moments = state.moments
    moments.append(Noted(kind, state.now, state.version, None if seconds is None else round(seconds, 2), detail))
    if len(moments) > _MOST:
        lesser = next((i for i, moment in enumerate(moments) if moment.kind in _LESSER), 0)
        del moments[lesser]


def told(moments: Sequence[Noted]) -> tuple[Moment, ...]:
    """As they are stored with the call."""
    return tuple(
        Moment(kind=noted.kind, at=noted.at, version=noted.version, seconds=noted.seconds, detail=noted.detail)
        for noted in moments
    )
