"""What a rep's calendar can do for us, whoever keeps it. ``Rep.calendar`` says who:

    ana@example.com, google:ana@example.com      a calendar at Google, by its id
    calcom:4711, calcom:4711@ana                 an event type at Cal.com; with a username, only that host will do
    calendly:0f7c2a9e-...                        an event type at Calendly, by its UUID; it has one host

``capability`` says what is asked of each; one module keeps each vendor's way of it.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from temporalio.exceptions import ApplicationError

from activities import faults
from workflows.events import Booking
from workflows.roster import Rep

from .calcom import CalComCalendar
from .calendly import CalendlyCalendar
from .capability import NEEDS, Ability, Calendar, Elsewhere, Known, Mark, Refused, Span, ability
from .google import GoogleCalendar

_STUMBLE = 1.0
"""Seconds within which a failed read counts as a stumble and is repeated at once."""
_VENDORS: dict[str, type[Calendar]] = {"google": GoogleCalendar, "calcom": CalComCalendar, "calendly": CalendlyCalendar}


def mark(booking: Booking) -> Mark:
    """The booking as its calendar is asked for it."""
    return Mark(booking=booking.id, event=booking.event_id, start=booking.start, end=booking.end)


def of(rep: Rep) -> Calendar:
    """The calendar of ``rep``. Raises ValueError naming rep and remedy when it cannot be told whose it is."""
    name, colon, rest = rep.calendar.partition(":")
    if not colon:
        name, rest = "google", rep.calendar
    if (vendor := _VENDORS.get(name)) is None:
        raise ValueError(
            f"{rep.id}: nobody is known to keep the calendar {rep.calendar!r}; write a Google calendar's id, or "
            + " or ".join(each.spelling for each in _VENDORS.values())
        )
    try:
        return vendor.spelled(rest)
    except ValueError as error:
        raise ValueError(f"{rep.id}: calendar {rep.calendar!r} {error}; write {vendor.spelling}") from None


async def look(rep: Rep, since: datetime, until: datetime, length: timedelta, own: Mark | None = None) -> Known:
    """As :meth:`Calendar.look`, live; once more when the vendor stumbles, since a person waits."""
    calendar, begun = configured(rep), time.monotonic()
    try:
        return await calendar.look(since, until, length, own)
    except ApplicationError as error:
        if error.type != "retry" or time.monotonic() - begun > _STUMBLE:
            raise
    return await calendar.look(since, until, length, own)


def configured(rep: Rep) -> Calendar:
    """As :func:`of`, but raises ``permanent`` when it is misspelled, or when there is no account at its vendor."""
    try:
        calendar = of(rep)
    except ValueError as error:
        raise faults.permanent(str(error)) from None
    if not calendar.account():
        raise faults.permanent(f"{calendar.vendor} is not configured; set {calendar.setting}")
    return calendar


async def check(rep: Rep, length: timedelta) -> list[Ability]:
    """What the account behind the calendar of ``rep`` can do for meetings of ``length``, each of what we need."""
    try:
        calendar = configured(rep)
    except ApplicationError as error:
        why, _, remedy = error.message.rpartition("; ")
        return [ability(name, False, why, remedy) for name in NEEDS]
    return await calendar.check(length)


__all__ = [
    "NEEDS", "Ability", "Calendar", "Elsewhere", "Known", "Mark", "Refused", "Span", "check", "configured", "look", "mark", "of",
]  # fmt: skip
