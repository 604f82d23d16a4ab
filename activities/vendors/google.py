"""Google Calendar, through its own SDK: free/busy, and events under ids of our own.

An event's id is made from the booking, so that a repeated insert collides with itself (409) and the event that
stands is adopted after reading back our mark in ``extendedProperties.private``. A deleted event keeps its id, so a
booking that was undone and is made again takes the id of the next generation. Everything here may therefore be
repeated, and nothing is ambiguous: errors are ``retry``, ``retry_after`` or ``permanent`` (:mod:`activities.faults`).
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from activities import faults
from activities.settings import settings
from activities.vendors import answers
from activities.vendors.draft import Draft as Draft
from activities.vendors.google_wire import Duplicate, Gone, execute, service
from workflows.model import Instant, Model

MARK = "showrate_booking"
"""The private property under which an event of ours carries its booking's id."""
_PAGE = timedelta(days=60)
"""One free/busy query: Google refuses ranges past about three months (timeRangeTooLong)."""
_CALENDARS = 50
"""``calendarExpansionMax`` of a free/busy query."""
_GENERATIONS = 8
_NOT_BUSY = frozenset({"workingLocation", "birthday"})


class Busy(Model):
    """What one calendar says of a range: ``spans`` (UTC, sorted, merged), or ``error``: then nothing is known, and
    nothing of it counts as free."""

    spans: tuple[tuple[Instant, Instant], ...] = ()
    error: str = ""


class Event(Model):
    """An event as it stands at Google. ``booking`` is our mark on it, empty on other people's events; a cancelled one
    may have nothing but its id. A whole-day event has times only where its calendar's zone was known."""

    id: str
    booking: str = ""
    start: Instant | None = None
    end: Instant | None = None
    etag: str = ""
    cancelled: bool = False
    meet: str = ""
    organizer: str = ""
    """The calendar that it belongs to."""
    busy: bool = True
    """Whether it keeps its calendar's owner busy: not when it is shown as free, or they declined it."""
    refused: bool = False
    """The calendar's owner declined it."""
    guest: str = ""
    """What the first guest answered: accepted, declined, tentative, needsAction."""


def configured() -> bool:
    """Whether there is a calendar vendor at all."""
    return bool(settings().google_credentials or settings().google_base_url)


def event_id(booking: str, generation: int = 0) -> str:
    """The id of a booking's event: its base32hex in lower case (a-v and 0-9, the characters that Google takes)."""
    name = booking if not generation else f"{booking}~{generation}"
    return base64.b32hexencode(name.encode()).decode().lower().rstrip("=").ljust(5, "0")


async def free_busy(calendars: Iterable[str], start: datetime, end: datetime) -> dict[str, Busy]:
    """The busy spans between two instants of each calendar. A calendar that cannot be read has its ``error`` set."""
    names = list(dict.fromkeys(calendars))
    found: dict[str, Busy] = dict.fromkeys(names, Busy())
    for first in range(0, len(names), _CALENDARS):
        for since, until in _pages(start, end):
            answer = await asyncio.to_thread(_query, names[first : first + _CALENDARS], since, until)
            for name, busy in answer.items():
                found[name] = _joined(found[name], busy)
    return found


async def insert_event(calendar: str, draft: Draft) -> Event:
    """Write the event of a booking, once: a repeat answers with the event that stands. The attendee is invited by
    Google when the event is made, and not by a repeat. Raises permanent when the id is taken by somebody else's."""
    for generation in range(_GENERATIONS):
        name = event_id(draft.booking, generation)
        try:
            return await asyncio.to_thread(_insert, calendar, name, draft)
        except Duplicate:
            standing = await get_event(calendar, name)
        if standing is None or standing.booking != draft.booking:
            raise faults.permanent("Google: the event's id is taken by an event that is not ours")
        if not standing.cancelled:
            return standing
    raise faults.permanent(f"Google: this booking's event was deleted {_GENERATIONS} times")


async def patch_event(calendar: str, event: str, changes: Mapping[str, object], etag: str = "") -> Event:
    """Change fields of an event (the vendor's own names, e.g. ``summary``). With ``etag``, only if nobody changed it
    since: else permanent (412)."""

    def send() -> Event:
        request = (
            service()
            .events()
            .patch(calendarId=calendar, eventId=event, body=dict(changes), conferenceDataVersion=1, sendUpdates="all")
        )
        if etag:
            request.headers["If-Match"] = etag
        return event_of(execute(request))

    return await asyncio.to_thread(send)


async def adopt_event(calendar: str, event: str, draft: Draft) -> None:
    """An event of ours that was moved by hand carries the mark and the link of ``draft`` from now on; its other words
    stay, and nobody is told."""

    def send() -> None:
        events = service().events()
        standing = execute(events.get(calendarId=calendar, eventId=event))
        changes: dict[str, Any] = {"extendedProperties": {"private": {MARK: draft.booking}}}
        if (link := standing.get("location")) and draft.link:
            changes |= {"location": draft.link, "description": standing.get("description", "").replace(link, draft.link)}
        execute(events.patch(calendarId=calendar, eventId=event, body=changes, sendUpdates="none"))

    try:
        await asyncio.to_thread(send)
    except Gone:
        raise faults.permanent("Google: the event that was moved is gone") from None


async def delete_event(calendar: str, event: str, *, notify: bool = True) -> bool:
    """Take an event out; its attendee hears of it if ``notify``. False when it was gone already (404 or 410)."""

    def send() -> bool:
        request = (
            service().events().delete(calendarId=calendar, eventId=event, sendUpdates="all" if notify else "none")
        )
        try:
            execute(request)
        except Gone:
            return False
        return True

    return await asyncio.to_thread(send)


async def get_event(calendar: str, event: str) -> Event | None:
    """One event, also a cancelled one; None when there never was one."""

    def send() -> Event | None:
        try:
            return event_of(execute(service().events().get(calendarId=calendar, eventId=event)))
        except Gone:
            return None

    return await asyncio.to_thread(send)


async def access(calendar: str) -> str:
    """What we may do with a calendar, in Google's word: ``owner``, ``writer``, ``reader``, ``freeBusyReader``. Raises
    permanent when its events cannot be listed at all."""

    def send() -> str:
        answer = execute(service().events().list(calendarId=calendar, maxResults=1))
        with answers.believed("Google"):
            return str(answer.get("accessRole", ""))

    return await asyncio.to_thread(send)


async def find_events(calendar: str, booking: str) -> list[Event]:
    """The events of a booking that stand, by our mark: for compensation when no event's id is known."""

    def send() -> list[Event]:
        request = service().events().list(calendarId=calendar, privateExtendedProperty=f"{MARK}={booking}")
        answer = execute(request)
        with answers.believed("Google"):
            return [event_of(item) for item in answers.rows(answer.get("items", []))]

    return await asyncio.to_thread(send)


# ---- the wire --------------------------------------------------------------------------------------------------


def _query(calendars: Sequence[str], start: datetime, end: datetime) -> dict[str, Busy]:
    body = {
        "timeMin": start.isoformat(),
        "timeMax": end.isoformat(),
        "timeZone": "UTC",
        "calendarExpansionMax": _CALENDARS,
        "items": [{"id": name} for name in calendars],
    }
    answer = execute(service().freebusy().query(body=body))
    with answers.believed("Google"):
        return {name: _busy(answer["calendars"].get(name)) for name in calendars}


def _busy(answer: Mapping[str, Any] | None) -> Busy:
    if answer is None:
        return Busy(error="notAnswered")
    if answer.get("errors"):
        return Busy(error=answer["errors"][0].get("reason", "error"))
    return Busy(spans=tuple(answers.span(row["start"], row["end"]) for row in answers.rows(answer["busy"])))


def _insert(calendar: str, name: str, draft: Draft) -> Event:
    body: dict[str, Any] = {
        "id": name,
        "summary": draft.title,
        "description": draft.notes,
        "start": {"dateTime": draft.start.isoformat(), "timeZone": draft.zone},
        "end": {"dateTime": draft.end.isoformat(), "timeZone": draft.zone},
        "extendedProperties": {"private": {MARK: draft.booking}},
        "guestsCanModify": False,
    }
    if draft.link:
        body["location"] = draft.link
    if draft.attendee:
        person = {"email": draft.attendee, "displayName": draft.attendee_name}
        body["attendees"] = [{key: value for key, value in person.items() if value}]
    if draft.conference:
        body["conferenceData"] = {
            "createRequest": {"requestId": name, "conferenceSolutionKey": {"type": "hangoutsMeet"}}
        }
    request = (
        service()
        .events()
        .insert(
            calendarId=calendar,
            body=body,
            conferenceDataVersion=1,
            sendUpdates="all" if draft.attendee else "none",
        )
    )
    return event_of(execute(request))


def event_of(item: Mapping[str, Any], zone: str = "") -> Event:
    """``zone``, the calendar's, is where whole days begin."""
    with answers.believed("Google"):
        people = item.get("attendees", [])
        own: Mapping[str, Any] = next((each for each in people if each.get("self")), {})
        guests = [each for each in people if not (each.get("self") or each.get("organizer") or each.get("resource"))]
        refused = own.get("responseStatus") == "declined"
        away = item.get("transparency") == "transparent" or item.get("eventType") in _NOT_BUSY
        return Event(
            id=item["id"],
            booking=item.get("extendedProperties", {}).get("private", {}).get(MARK, ""),
            start=_instant(item.get("start", {}), zone),
            end=_instant(item.get("end", {}), zone),
            etag=item.get("etag", ""),
            cancelled=item.get("status") == "cancelled",
            meet=item.get("hangoutLink", ""),
            organizer=item.get("organizer", {}).get("email", ""),
            busy=not (away or refused),
            refused=refused,
            guest=guests[0].get("responseStatus", "") if guests else "",
        )


def _pages(start: datetime, end: datetime) -> Iterable[tuple[datetime, datetime]]:
    while start < end:
        until = min(start + _PAGE, end)
        yield start, until
        start = until


def _joined(one: Busy, other: Busy) -> Busy:
    if one.error or other.error:
        return Busy(error=one.error or other.error)
    return Busy(spans=one.spans + other.spans)


def _instant(moment: Mapping[str, Any], zone: str) -> datetime | None:
    """When an event's day begins in ``zone`` where it has no hour; None where the zone is not known either."""
    if "dateTime" in moment:
        return answers.instant(moment["dateTime"])
    if "date" not in moment or not zone:
        return None
    return datetime.combine(date.fromisoformat(moment["date"]), time(), ZoneInfo(zone)).astimezone(UTC)
