"""What a call's signals leave behind: one typed moment each, and one for a whole turn of the other side.

A moment never holds what was said. A turn's onset, partial transcripts, confidence and pace stand in the detail of its
``final``; alone they stand only where no final came. The list is bounded: where it is full, what is told elsewhere
(turns, their silences) makes room first.
"""

from __future__ import annotations

from datetime import timedelta
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


def note(state: State, kind: str, seconds: timedelta | float | None = None, detail: str = "") -> None:
    """One more moment, at the state's newest version. ``detail`` holds no words of anybody."""
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    moments = state.moments
    moments.append(
        Moment(
            kind=kind,
            at=state.now,
            version=state.version,
            seconds=None if seconds is None else round(seconds, 2),
            detail=detail,
        )
    )
    if len(moments) > _MOST:
        lesser = next((i for i, moment in enumerate(moments) if moment.kind in _LESSER), 0)
        del moments[lesser]
