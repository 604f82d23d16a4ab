"""What becomes of the cadence's touches beside those that are made, and what people say of when to call them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import get_args

from .. import events as ev
from ..cadence import REFUSED, place
from ..channels import Way
from ..lead import Lead
from ..preference import preference
from ..reading import ways_wished
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
    """What they said of when and how to reach them is kept; the newest word counts."""
    for text in texts:
        state = _ways(state, at, text)
        found = preference(text, aloud)
        if found is not None and found != state.prefers:
            state = marks.note(state.but(prefers=found), at, "preference", "told us when to call", words=found.words)
    return state


def _ways(state: Lead, at: datetime, text: str) -> Lead:
    """What ``text`` refuses is not used any more, what it welcomes is again. A call of ours that is no talk yet ends, and
    what was to go out by text goes by e-mail."""
    wished = ways_wished(text)
    refuses = tuple(way for way in get_args(Way) if way in wished.refused or (way in state.refuses and way not in wished.welcome))
    if refuses == state.refuses:
        return state
    said = f"reach them by {' or '.join(map(_named, wished.welcome))}, not by {' or '.join(map(_named, wished.refused))}"
    state = marks.note(state.but(refuses=refuses), at, "ways", said, REFUSED, words=text[:500])
    state = marks.card(state, f"ways:{state.version}", f"{marks.name(state) or 'A lead'}: {said}", marks.quoted(text), acts=("take-over",))
    if "call" in refuses:
        state = marks.unring(state.but(callback_at=None))
    if "text" in refuses and state.due_texts:
        mailed = tuple(due for due in state.due_texts if not due.body)
        state = state.but(due_texts=tuple(due for due in state.due_texts if due.body), due_mails=(*state.due_mails, *mailed))
    return state


def _named(way: Way) -> str:
    return "e-mail" if way == "email" else "phone" if way == "call" else "text"


def asked_times(form: ev.Form) -> tuple[str, ...]:
    """What the form says under fields of a time to call: ``best_time``, ``time to call``."""
    return tuple(value for name, value in form.attributes.items() if re.search(r"(?<![a-z])times?(?![a-z])", name.lower()))
