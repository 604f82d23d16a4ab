"""A meeting as its iCalendar object (RFC 5545, iTIP RFC 5546): asked for, moved, or called off.

One meeting keeps one UID through all its moves, also to another rep: a higher SEQUENCE supersedes what stood, and
CANCEL takes it out. Times are in UTC, which every calendar shows on its owner's own clock, on either side of a change
of the clocks. There is no alarm: reminders are the playbook's, and the lead's calendar has its own.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from icalendar import Calendar, Event, vCalAddress, vText

from workflows.events import Booking


def uid(booking: Booking) -> str:
    """The meeting's name in every calendar, the same for each of its bookings."""
    return f"{booking.meeting or booking.id}@showrate"


def invitation(
    method: Literal["REQUEST", "CANCEL"],
    booking: Booking,
    *,
    title: str,
    words: str,
    link: str,
    organizer: str,
    organizer_name: str,
    attendee: str,
    attendee_name: str,
    at: datetime,
) -> bytes:
    """The calendar object in UTF-8 with its lines folded. ``at`` is when the meeting became what it is now; ``link`` is
    how to join; the addresses are e-mail addresses."""
    called_off = method == "CANCEL"
    event = Event()
    event.add("uid", uid(booking))
    event.add("sequence", booking.sequence + called_off)
    event.add("dtstamp", _whole(at))
    event.add("dtstart", _whole(booking.start))
    event.add("dtend", _whole(booking.end))
    event.add("summary", title)
    event.add("description", words)
    event.add("status", "CANCELLED" if called_off else "CONFIRMED")
    event.add("transp", "OPAQUE")
    if link and not called_off:
        event.add("location", link)
        event.add("url", link)
    event.add("organizer", _person(organizer, organizer_name), encode=False)
    guest = _person(attendee, attendee_name)
    guest.params["CUTYPE"] = vText("INDIVIDUAL")
    guest.params["ROLE"] = vText("REQ-PARTICIPANT")
    guest.params["PARTSTAT"] = vText("NEEDS-ACTION")
    guest.params["RSVP"] = vText("FALSE" if called_off else "TRUE")
    event.add("attendee", guest, encode=False)
    calendar = Calendar()
    calendar.add("prodid", "-//Showrate//Meetings//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _person(address: str, name: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{address}")
    if name:
        person.params["CN"] = vText(name)
    return person


def _whole(instant: datetime) -> datetime:
    """iCalendar counts in whole seconds."""
    return instant - timedelta(microseconds=instant.microsecond)
