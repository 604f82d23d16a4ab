"""What could not go out in its time, after a pause, a suspension or a carrier that was away: what has lost its sense is left
out and told with its rule, what says the same as something newer is left out too, and the rest keeps the least gap. Pure;
instants are UTC.

How long a touch of the cadence has sense stands at the touch itself (``within``), and a callback is made however late.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from . import attendance
from . import events as ev
from .lead import DueText, Lead
from .playbook import Playbook, Touch
from .steps import Step, settle

WHY = {
    "meeting_over": "the meeting is over, or has begun",
    "meeting_moved": "another meeting stands by now",
    "meeting_off": "the meeting is off by now",
    "said_once": "something newer says the same",
    "late": "its time is past",
}
"""The rules by which something late is left out, in words."""
_ABOUT = frozenset({"booked", "declined", "reminder"})
"""What speaks of a meeting that stands."""
_ANSWERS = frozenset({"reply", "dropped"})
"""What answers what they just said: words that are soon beside the point."""


class Lost(NamedTuple):
    """A text or e-mail, by its key, and the rule by which it is left out."""

    key: str
    message: str
    rule: str


def lapsing(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """The first of what has lost its sense, left out."""
    found = None if state.sends_late else next(lost(state, playbook, now), None)
    if found is None:
        return None
    event = ev.Lapsed(at=now, touch=found.key, message=found.message, rule=found.rule, why=WHY[found.rule])
    return settle(f"lapse:{found.key}", found.rule, f"{found.message.replace('_', ' ')} is left out: {event.why}", event)


def lost(state: Lead, playbook: Playbook, now: datetime) -> Iterator[Lost]:
    """All that is due and has lost its sense."""
    due = (*state.due_texts, *state.due_mails)
    for place, each in enumerate(due):
        if rule := _rule(state, playbook, each, due[place + 1 :], now):
            yield Lost(each.key, each.message, rule)
    yield from _reminders(state, playbook, now)


def free_at(state: Lead, playbook: Playbook, since: datetime | None, now: datetime) -> datetime:
    """When something may go out that was due ``since``: at once, and where it had to wait, no sooner than the least gap after
    the last touch."""
    if state.sends_late or since is None or state.last_touch_at is None or not _held(playbook, since, now):
        return now
    return max(now, state.last_touch_at + playbook.cadence.min_gap)


def too_late(state: Lead, touch: Touch, due: datetime, at: datetime) -> bool:
    """Whether a touch of the cadence that was ``due`` and could go out ``at`` speaks of what is long past by then."""
    after_no_show = state.missed is not None and state.pass_kind == "recovery"
    since = state.missed.end if state.missed is not None and after_no_show else due
    return touch.within is not None and at > since + touch.within


def any_late(state: Lead, playbook: Playbook, now: datetime) -> bool:
    """Whether lateness changes anything now."""
    if any(lost(state, playbook, now)):
        return True
    waiting = [due.since for due in state.due_texts]
    if (meeting := _announced(state)) is not None:
        waiting += [text.at for text in attendance.announcements(state, playbook, meeting)]
    return any(free_at(state, playbook, since, now) > now for since in waiting)


def _held(playbook: Playbook, since: datetime, now: datetime) -> bool:
    return now - since > playbook.cadence.min_gap


def _rule(state: Lead, playbook: Playbook, due: DueText, newer: tuple[DueText, ...], now: datetime) -> str:
    """The rule by which ``due`` is left out; empty when it still goes."""
    parts = due.key.split("/")
    kind = parts[1] if parts[0] == "due" and len(parts) > 2 else parts[0]
    stands = state.booking
    if kind in _ABOUT:
        about = parts[2] if parts[0] == "due" else parts[1]
        return _about(stands, about, now)
    if kind == "cancelled" and due.booking is not None:
        return "meeting_moved" if stands else "meeting_over" if now >= due.booking.start else ""
    if due.since is None or not _held(playbook, due.since, now):
        return ""
    if kind in _ANSWERS and now - due.since > playbook.cadence.late:
        return "late"
    if kind == "page" and stands:
        return "said_once"
    again = any((other.message, other.page) == (due.message, due.page) for other in newer)
    return "said_once" if kind == "link" and again else ""


def _about(stands: ev.Booking | None, meeting: str, now: datetime) -> str:
    if stands is None:
        return "meeting_off"
    if stands.id != meeting:
        return "meeting_moved"
    return "meeting_over" if now >= stands.start else ""


def _announced(state: Lead) -> ev.Booking | None:
    """The meeting whose reminders are due, if any are."""
    return None if state.closed or state.attendance or state.opted_out_at else state.booking


def _reminders(state: Lead, playbook: Playbook, now: datetime) -> Iterator[Lost]:
    """Those whose time is past, and those that a confirmation says which has yet to go out."""
    meeting = _announced(state)
    if meeting is None:
        return
    told = any(due.key == f"due/booked/{meeting.id}" for due in (*state.due_texts, *state.due_mails))
    for text in attendance.announcements(state, playbook, meeting):
        if not (state.phone or (state.email and text.message in playbook.mails)):
            continue
        if now >= text.stale:
            yield Lost(text.key, text.message, "late")
        elif told and text.at <= now < meeting.start:
            yield Lost(text.key, text.message, "said_once")
