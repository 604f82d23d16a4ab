"""What becomes of the cadence's touches beside those that are made."""

from __future__ import annotations

from .. import events as ev
from ..cadence import place
from ..lead import Lead
from . import marks


def touch_passed(state: Lead, event: ev.TouchPassed) -> Lead:
    """A touch of the cadence, a call once more, or a promised callback will not be made."""
    found = place(event.touch)
    if found and (found[0] != state.pass_no or found[1] < state.next_touch):
        return state
    said = f"{marks.plain(event.touch)} is left out: {event.why or event.rule.replace('_', ' ')}"
    state = marks.note(state, event.at, "touch_passed", said, event.rule, touch=event.touch)
    state = state.but(passed={**state.passed, event.touch: event.rule})
    if found is not None:
        return state.but(next_touch=found[1] + 1)
    return state.but(callback_at=None) if event.touch.startswith("callback/") else state
