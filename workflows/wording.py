"""How we say and write things: times in the lead's zone, what a form asked for, and templates filled with facts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from .events import Form
from .playbook import Playbook
from .words import fixed, plain

FORM_FIELDS = ("source", "page", "message", "promise", "company", "region", "utm", "attributes")
"""What interests and promises may look at; of ``utm`` and ``attributes`` also one entry, as ``utm.campaign``."""

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CLOCK = re.compile(r"\d{1,2}(?::\d\d)? [AP]M(?: and \d+ seconds)?")
_CLOCKS = re.compile(rf"{_CLOCK.pattern}(?:(?:, or |, | or ){_CLOCK.pattern})*")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def _clock(local: datetime) -> str:
    hour = local.hour % 12 or 12
    half = "AM" if local.hour < 12 else "PM"
    seconds = f" and {local.second} seconds" if local.second else ""
    return f"{hour}:{local.minute:02d} {half}" + seconds if local.minute or seconds else f"{hour} {half}"


def ordinal(number: int) -> str:
    """``24`` as ``24th``."""
    if 10 <= number % 100 <= 20:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def spoken_time(instant: datetime, zone: str, now: datetime) -> str:
    """``instant`` as said aloud to somebody in ``zone`` (IANA) at ``now``: "tomorrow, Tuesday the 24th, at 3:30 PM".

    A time with seconds (demo playbooks have them) is said with them."""
    local = instant.astimezone(ZoneInfo(zone))
    return _on_day(local, now) + _clock(local)


def _on_day(local: datetime, now: datetime) -> str:
    """What stands before the time of day."""
    days = (local.date() - now.astimezone(local.tzinfo).date()).days
    day = f"{_WEEKDAYS[local.weekday()]} the {ordinal(local.day)}"
    if days == 0:
        return "today at "
    if days == 1:
        return f"tomorrow, {day}, at "
    if 0 < days < 28:
        return f"{day} at "
    return f"{_WEEKDAYS[local.weekday()]}, {_MONTHS[local.month - 1]} {ordinal(local.day)}, at "


def spoken_times(instants: Sequence[datetime], zone: str, now: datetime) -> str:
    """``instants``, in order, as times to choose from; a day that has several is said once: "today at 1 PM, or tomorrow,
    Tuesday the 24th, at 10 AM or 3:30 PM"."""
    days: dict[str, list[str]] = {}
    for instant in instants:
        local = instant.astimezone(ZoneInfo(zone))
        days.setdefault(_on_day(local, now), []).append(_clock(local))
    return listed([day + (listed(clocks) if len(clocks) > 2 else " or ".join(clocks)) for day, clocks in days.items()])


def names_time(text: str, instant: datetime, zone: str, now: datetime) -> bool:
    """Whether our words ``text``, said at ``now``, name ``instant`` as :func:`spoken_time` or :func:`spoken_times` say it."""
    local = instant.astimezone(ZoneInfo(zone))
    day, clock = _on_day(local, now), _clock(local)
    at = text.find(day)
    while at >= 0:
        said = _CLOCKS.match(text, at + len(day))
        if said is not None and clock in _CLOCK.findall(said[0]):
            return True
        at = text.find(day, at + 1)
    return False


def written_time(instant: datetime, zone: str) -> str:
    """``instant`` as written to somebody in ``zone``: "Tue Nov 24, 3:30 PM EST"."""
    local = instant.astimezone(ZoneInfo(zone))
    hour = local.hour % 12 or 12
    seconds = f":{local.second:02d}" if local.second else ""
    half = "AM" if local.hour < 12 else "PM"
    day = f"{_WEEKDAYS[local.weekday()][:3]} {_MONTHS[local.month - 1]} {local.day}"
    return f"{day}, {hour}:{local.minute:02d}{seconds} {half} {local.tzname()}"


def listed(times: Sequence[str]) -> str:
    """Times to choose from, as one reads them out: "a, b, or c"."""
    return times[0] if len(times) == 1 else f"{', '.join(times[:-1])}, or {times[-1]}" if times else ""


def length(time: timedelta) -> str:
    """A length of time in words, in the largest unit that divides it: "2 hours", "90 seconds"."""
    seconds = round(time.total_seconds())
    unit, size = next(
        (u, s) for u, s in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)) if seconds % s == 0
    )
    count = seconds // size
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def first_name(name: str) -> str:
    """What we call somebody: the first word of the name, or nothing."""
    return name.split()[0] if name.split() else ""


def spoken_phone(number: str) -> str:
    """An E.164 number as said aloud: "415 555 0100"; the country's code is left out of American ones."""
    digits = number.removeprefix("+")
    if digits.startswith("1") and len(digits) == 11:
        return f"{digits[1:4]} {digits[4:7]} {digits[7:]}"
    return digits


def asked(playbook: Playbook, form: Form | None) -> str:
    """What this person asked for, in the playbook's words: those of the first interest that their form shows."""
    found = next((each.say for each in playbook.interests if form and _shows(form, each.when)), "")
    return found or playbook.company.purpose


def promised(playbook: Playbook, form: Form | None, waited: timedelta | None = None) -> str:
    """What the form promised, in the playbook's words, ``waited`` after it was sent; nothing when it promised nothing
    that the playbook knows, or is too late to be kept and has no words for that."""
    found = next((each for each in playbook.promises if form and _shows(form, each.when)), None)
    if found is None:
        return ""
    late = found.within is not None and waited is not None and waited > found.within
    return found.late if late else found.say


def _shows(form: Form, when: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether every field of ``when`` has one of its words, as whole words."""
    for field, words in when.items():
        text = f" {plain(_told(form, field))} "
        if not any(f" {fixed(word)} " in text for word in words):
            return False
    return bool(when)


def _told(form: Form, field: str) -> str:
    part, _, entry = field.partition(".")
    value = getattr(form, part) if part in FORM_FIELDS else ""
    if isinstance(value, dict):
        return value.get(entry, "") if entry else " ".join(value.values())
    return str(value)


def render(template: str, facts: Mapping[str, str]) -> str:
    """``template`` with its ``{placeholders}`` filled; one that has no fact stays as it stands, so that the
    activity that knows it (a signed link) can fill it. Spaces left by an empty fact are closed up."""
    filled = _PLACEHOLDER.sub(lambda m: facts.get(m.group(1), m.group(0)), template)
    filled = re.sub(r"[ \t]{2,}", " ", filled)
    return re.sub(r" +([,.!?;:])", r"\1", filled).strip()
