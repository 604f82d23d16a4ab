"""What is due about a meeting from its reminders to its outcome: texts each in their time, new times where it was missed, and
who is asked where nobody knows whether they came. Pure; instants are UTC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from . import events as ev
from .lead import Lead
from .playbook import Playbook
from .rules import Ruling
from .steps import Step, Text, settle
from .wording import length

CHECK_IN, OFFER = "check_in", "missed_offer"
"""The texts that ask whether they can join, and that offer new times."""
_ASKS = 2
"""The rep is asked this often; then it stands for review."""

Allowed = Callable[[datetime], Ruling]
"""When a text may go out, at this instant or after it."""


class Announced(NamedTuple):
    """A text about the meeting: due ``at``, and no more from ``stale`` on."""

    key: str
    message: str
    at: datetime
    stale: datetime
    reason: str


def announcements(state: Lead, playbook: Playbook, meeting: ev.Booking) -> Iterator[Announced]:
    """The texts of the meeting that were not sent yet: its reminders, and the question whether they can join."""
    prefix = f"reminder/{meeting.id}/"
    for index, reminder in enumerate(playbook.reminders):
        at = meeting.start - reminder.before
        if f"{prefix}{index}" in state.reminded or (state.booked_at and at < state.booked_at):
            continue
        follows = [r.before for r in playbook.reminders[index + 1 :]]
        stale = meeting.start - max(follows) if follows else meeting.start + playbook.attendance.absent_after
        yield Announced(f"{prefix}{index}", reminder.message, at, stale, _reminds(reminder.before))
    check_in = playbook.attendance.check_in
    if check_in is not None and CHECK_IN in playbook.messages and f"{prefix}{CHECK_IN}" not in state.reminded:
        at, stale = expected(state, meeting) + check_in, unknown_from(state, playbook, meeting)
        if at < stale:
            yield Announced(f"{prefix}{CHECK_IN}", CHECK_IN, at, stale, "nobody came through the join link yet")


def _reminds(before: timedelta) -> str:
    return f"reminder: the meeting is in {length(before)}" if before else "reminder: the meeting begins"


def expected(state: Lead, meeting: ev.Booking) -> datetime:
    """When they come: at the start, or later by their own word."""
    return max(meeting.start, state.expected_at or meeting.start)


def confirm_call(state: Lead, playbook: Playbook, meeting: ev.Booking) -> tuple[datetime, datetime] | None:
    """From when until when they may be called about the meeting that they have not confirmed; None when they are not."""
    policy = playbook.confirm_call
    if policy is None or not state.phone or state.stage == "confirmed" or state.invitation == "accepted":
        return None
    if state.booked_at is None or meeting.start - state.booked_at < policy.ahead or state.expected_at:
        return None
    tried = any(t.touch == confirming(meeting) and (t.refused or not t.outcome.startswith("not placed")) for t in state.touches)
    return None if tried else (meeting.start - policy.before, meeting.start - policy.until)


def confirming(meeting: ev.Booking) -> str:
    """The touch of the call about a meeting that was not confirmed."""
    return f"confirm/{meeting.id}"


def unknown_from(state: Lead, playbook: Playbook, meeting: ev.Booking) -> datetime:
    """From when on the outcome is unknown, without evidence."""
    return expected(state, meeting) + playbook.attendance.absent_after


def next_at(state: Lead, playbook: Playbook) -> datetime | None:
    """When somebody is asked next what became of the meeting, or it is given up; None when nothing is to come."""
    meeting, policy, unknown = state.booking, playbook.attendance, state.unknown
    if meeting is None or state.attendance is not None:
        return None
    if unknown is None or unknown.booking != meeting.id:
        return unknown_from(state, playbook, meeting)
    if unknown.asked <= _ASKS:
        return unknown.last + policy.ask_again
    return None if state.closed else unknown.since + policy.unresolved


def nobody_knows(state: Lead, playbook: Playbook, now: datetime) -> bool:
    """Whether it is time to ask for the first time."""
    due = next_at(state, playbook)
    return due is not None and now >= due and state.unknown is None


def outcome(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """Without evidence nobody counts as absent: the rep is asked, once more, then it stands for review, and at last the
    lead is closed with its outcome unknown."""
    meeting, due = state.booking, next_at(state, playbook)
    if meeting is None or due is None or now < due:
        return None
    if state.guesses:
        return _guess(state, meeting, now)
    asked = state.unknown.asked if state.unknown and state.unknown.booking == meeting.id else 0
    if asked > _ASKS:
        reason = "nobody said whether the meeting was held"
        return settle("close", "attendance", reason, ev.LeadClosed(at=now, disposition="unknown", reason=reason))
    event = ev.OutcomeAsked(
        at=now, booking=meeting.id, until=now + playbook.attendance.unresolved, review=asked == _ASKS
    )
    return settle(f"asked:{meeting.id}:{asked}", "attendance", "nobody knows whether they came", event)


def _guess(state: Lead, meeting: ev.Booking, now: datetime) -> Step | None:
    """As it was before somebody was asked."""
    if state.taken_over_by:
        return None
    event = ev.AttendanceReported(at=now, booking=meeting.id, present=False, source="absent")
    return settle(f"absent:{meeting.id}", "absent", "nobody came through the join link", event)


def offer(state: Lead, playbook: Playbook, now: datetime, allowed: Allowed) -> Step | None:
    """New times by text, from the live calendars, once for a meeting that was missed or may have been."""
    missed, since = state.missed, state.attendance.at if state.attendance else None
    if state.unknown and state.booking and state.unknown.booking == state.booking.id:
        missed, since = state.booking, state.unknown.since
    if missed is None or since is None or OFFER not in playbook.messages or not state.phone or state.opted_out_at:
        return None
    key, request = f"offer/{missed.id}", f"offer-{missed.id}"
    if state.closed or state.callback_at or any(t.attempt == key for t in state.touches):
        return None
    ruling = allowed(max(now, state.not_before or now))
    latest = since + playbook.attendance.offer_within
    if ruling.at is None or ruling.at > now or now >= latest:
        return None
    reason = "new times for the meeting that was missed, or may have been"
    found = state.answers.get(request)
    if found is None:
        asked = ev.ActionAsked(at=now, id=request, action=ev.OfferSlots(), by="the plan")
        return settle(f"ask:{request}", "no_show", reason, asked)
    if not found.slots or not state.offered:
        return None
    return Text(
        key=f"text:{key}:{state.failures}", rule="no_show", reason=reason, touch=key, message=OFFER,
        not_after=min(latest, ruling.until or latest),
    )  # fmt: skip
