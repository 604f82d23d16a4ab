"""How the pages and the command write times, lengths and names for people."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import phonenumbers


def utc(instant: datetime) -> str:
    """What ``<time datetime>`` holds: ``2027-03-12T15:00:00Z``."""
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def ago(instant: datetime, now: datetime) -> str:
    """How long ago, or how far ahead, for people: ``4 min ago``, ``in 2 h``."""
    seconds = (now - instant).total_seconds()
    length = span(abs(seconds))
    if abs(seconds) < 1:
        return "now"
    return f"{length} ago" if seconds > 0 else f"in {length}"


def span(seconds: float) -> str:
    """A length of time in its largest sensible unit: ``340 ms``, ``12 s``, ``4 min``, ``3 h``, ``2 d``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    for unit, length, until in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48)):
        if seconds < length * until:
            number = seconds / length
            return f"{number:.1f} {unit}" if number < 10 and unit == "s" else f"{number:.0f} {unit}"
    return f"{seconds / 86400:.0f} d"


def clock(instant: datetime, zone: str) -> str:
    """The wall clock in ``zone``: ``15:04:09``."""
    return f"{instant.astimezone(ZoneInfo(zone)):%H:%M:%S}"


def date(instant: datetime, zone: str) -> str:
    """The day in ``zone``: ``Tuesday, 24 November``."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{local:%A}, {local.day} {local:%B}"


def typed(instant: datetime, zone: str) -> str:
    """What a ``datetime-local`` field holds: the wall clock in ``zone``."""
    return f"{instant.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M:%S}"


TIMINGS = {
    "pause": "they began",
    "decided": "decided",
    "first_token": "first token",
    "first_word": "first word",
    "audio": "heard",
    "stop": "stopped",
    "stable": "stable",
    "filler": "filler",
}
"""What is measured of a turn, in the order in which it happens, as a heading of a few letters. ``pause`` counts from the
end of our speech, ``stop`` from their first sound to the end of ours, the rest from their final words."""


def measured(timings: dict[str, float], name: str) -> str:
    """One time of a turn: ``340 ms``; nothing where it was not measured."""
    return span(timings[name]) if name in timings else ""


_TONES = {
    "good": {"booked", "confirmed", "attendance"},
    "main": {"form", "call_placed", "call_answered", "call_inbound", "text_sent", "message", "recovery", "reopened"},
    "bad": {"opted_out", "fault", "booking_refused", "write_back_failed", "text_failed"},
    "warn": {
        "ambiguous",
        "not_called",
        "not_texted",
        "held",
        "taken_over",
        "cancelled",
        "waiting",
        "approval",
        "concern",
    },
}


def tone(kind: str) -> str:
    """How an entry of a lead's story is coloured: ``good``, ``main``, ``bad``, ``warn`` or not at all."""
    return next((name for name, kinds in _TONES.items() if kind in kinds), "")


def phone(number: str) -> str:
    """A number in E.164 as people read it: ``+1 415-555-0123``."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return number


def scope(name: str) -> str:
    """What a pause holds, as people read it: ``channel:call`` as ``calls``."""
    kind, _, what = name.partition(":")
    return {"channel": {"call": "calls", "text": "texts", "email": "e-mails"}.get(what, what), "audience": f"the audience {what}"}.get(kind, name)


def words(name: str) -> str:
    """An identifier as people read it: ``no_show`` as ``no show``."""
    return name.replace("_", " ")
