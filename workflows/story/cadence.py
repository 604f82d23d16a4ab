"""What becomes of the cadence's touches beside those that are made, and what people say of when to call them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from .. import events as ev
from ..cadence import place
from ..lead import Lead
from ..preference import preference
from . import marks

_WHOLE = {"no_number": "calls and texts", "no_address": "e-mails"}
"""Rules that leave out all touches of a channel: the story says so once."""


def touch_passed(state: Lead, event: ev.TouchPassed) -> Lead:
    """A touch of the cadence, a call once more, or a promised callback will not be made."""
    found = place(event.touch)
    if found and (found[0] != state.pass_no or found[1] < state.next_touch):
        return state
    why = event.why or event.rule.replace("_", " ")
    whole = _WHOLE.get(event.rule) if found else None
    if whole is None:
        said = f"{marks.plain(event.touch)} is left out: {why}"
        state = marks.note(state, event.at, "touch_passed", said, event.rule, touch=event.touch)
    elif event.rule not in state.passed.values():  # the account names each of them
        state = marks.note(state, event.at, "touch_passed", f"{whole} are left out: {why}", event.rule)
    state = state.but(passed={**state.passed, event.touch: event.rule})
    if found is not None:
        return state.but(next_touch=found[1] + 1)
    return state.but(callback_at=None) if event.touch.startswith("callback/") else state


def heard(state: Lead, at: datetime, texts: Iterable[str], aloud: bool = False) -> Lead:
    """What they said of when to call them is kept; the newest word counts."""
    for text in texts:
        found = preference(text, aloud)
        if found is not None and found != state.prefers:
            state = marks.note(state.but(prefers=found), at, "preference", "told us when to call", words=found.words)
    return state


def asked_times(form: ev.Form) -> tuple[str, ...]:
    """What the form says under fields of a time to call: ``best_time``, ``time to call``."""
    return tuple(value for name, value in form.attributes.items() if re.search(r"(?<![a-z])times?(?![a-z])", name.lower()))
