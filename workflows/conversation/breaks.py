"""How a call that the other side, or the line, ended is to be understood: as its end, or as broken off.

Who hangs up on us on purpose is not called again; whose line broke is. The carrier reports both alike unless it is our
own socket that was lost, so what was going on decides.
"""

from __future__ import annotations

from ..reading import is_denial, is_goodbye
from ..wishes import asks_later, is_not_interested
from .floor import asked
from .state import State

_LEAVING = ("objection", "follow_up", "handoff")
"""Nodes in which a hang-up is an answer."""


def broke_off(s: State, broken: bool) -> bool:
    """Whether the talk stopped without a close, though it was to go on: our line failed (``broken``), or they were gone
    in mid-sentence, while they waited for something of ours, or with a question open that they had heard, after having
    answered others and without a word of wanting to end."""
    if s.closing or s.opted_out or s.machine:
        return False
    if broken:
        return True
    if not s.human or s.node in _LEAVING or len(set(s.path)) < 2:
        return False
    newest = next((line.text for line in reversed(s.lines) if line.who == "lead"), "")
    if any(test(newest) for test in (is_goodbye, is_not_interested, is_denial, asks_later)):
        return False
    return bool(s.floor.partial) or s.pending is not None or _question_open(s)


def _question_open(s: State) -> bool:
    ours = s.lines[-1] if s.lines and s.lines[-1].who == "agent" else None
    if ours is None or s.floor.playing:
        return False
    return asked(ours.text, len(ours.text), 1.0)


def outcome(s: State, broken: bool) -> str:
    """The outcome of a call that was ended without us; "" when it is what the talk says."""
    if broke_off(s, broken):
        return "dropped"
    if s.machine in ("screening", "menu"):
        return "screened"
    return "voicemail" if s.machine and s.machine != "suspected" else ""
