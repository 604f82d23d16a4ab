"""What every calendar vendor is asked to write: a booking as an event."""

from __future__ import annotations

from workflows.model import Instant, Model


class Draft(Model):
    """An event to be written. ``booking`` is our id, which the vendor keeps with it; ``zone`` is the IANA zone that
    the invitation shows; ``link`` is how to join and is put where calendars show it. With ``conference``, a vendor
    that can makes a meeting room of its own."""

    booking: str
    title: str
    notes: str
    start: Instant
    end: Instant
    zone: str
    attendee: str = ""
    attendee_name: str = ""
    link: str = ""
    conference: bool = False
