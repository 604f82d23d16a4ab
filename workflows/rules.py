"""The arithmetic of the calling rules: in which zones somebody may be, when hours there open, when a cap lets go.

What the rules are stands in the playbook and its rule file; ``workflows/calling.py`` judges by them. Where a number
can lie in several zones, the hours of all of them must allow it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as number_zones

from .model import Model
from .playbook import Hours, RegionHours

MOST_ZONES = 4
"""A number that may lie in more zones than this (toll-free: 42) cannot be called without an address."""

_AHEAD = 70
"""Days that are searched for an open one: more than any run of Sundays and holidays, and a state of emergency."""

# The zones of a US state, where it is stated: split states list both, and both must allow the call.
_STATE_ZONES = {
    "America/New_York": "CT DC DE GA MA MD ME NC NH NJ NY OH PA RI SC VA VT WV MI FL KY TN IN",
    "America/Chicago": "AL AR IA IL LA MN MO MS OK WI TX KS NE SD ND FL KY TN IN MI",
    "America/Denver": "CO MT NM UT WY ID KS NE SD ND OR TX",
    "America/Phoenix": "AZ",
    "America/Los_Angeles": "CA NV WA OR ID",
    "America/Anchorage": "AK",
    "Pacific/Honolulu": "HI",
}


# Countries in one zone: for their numbers of which the library knows the country and no more.
_COUNTRY_ZONE = {
    "GB": "Europe/London", "IE": "Europe/Dublin", "FR": "Europe/Paris", "DE": "Europe/Berlin", "NL": "Europe/Amsterdam",
    "BE": "Europe/Brussels", "AT": "Europe/Vienna", "CH": "Europe/Zurich", "IT": "Europe/Rome", "SE": "Europe/Stockholm",
    "NO": "Europe/Oslo", "DK": "Europe/Copenhagen", "FI": "Europe/Helsinki", "PL": "Europe/Warsaw", "CZ": "Europe/Prague",
    "IN": "Asia/Kolkata", "JP": "Asia/Tokyo", "SG": "Asia/Singapore", "ZA": "Africa/Johannesburg", "AE": "Asia/Dubai",
}  # fmt: skip


class Ruling(Model):
    """``at`` is the first instant (UTC) at or after the one asked for at which every rule allows contact;
    ``until`` is when that window closes; ``rule`` names what moved it, empty when nothing did."""

    at: datetime | None
    until: datetime | None = None
    rule: str = ""


@lru_cache(maxsize=4096)
def zones_of(phone: str, region: str = "", stated: str = "", area: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Every zone in which the owner of ``phone`` (E.164) may be: the number's own, those of the stated state
    (``US-TX``), the stated zone, and those of its ``area`` code by the rule file: an exchange that the library does
    not list falls back to one zone, sometimes the wrong one. Empty when nothing is known, or when the number could lie
    in too many zones and there is no address. The first is that in which they are told times."""
    zones: set[str] = set()
    if phone:
        number = phonenumbers.parse(phone)
        found = [z for z in number_zones.time_zones_for_number(number) if z != "Etc/Unknown"]
        if not found and (country := phonenumbers.region_code_for_country_code(number.country_code or 0)) in _COUNTRY_ZONE:
            found = [_COUNTRY_ZONE[country]]
        zones.update(found if len(found) <= MOST_ZONES else ())
    if region.startswith("US-"):
        zones.update(zone for zone, states in _STATE_ZONES.items() if region[3:] in states.split())
    if stated:
        zones.add(stated)
    return (*sorted(zones), *(zone for zone in area if zone not in zones))


def _clock(text: str) -> time:
    hour, _, minute = text.partition(":")
    return time.max if int(hour) == 24 else time(int(hour), int(minute))


def window(hours: Hours, region: str) -> Hours | RegionHours:
    """The hours in this state (``US-FL``): its own row where it has one, within the playbook's own hours."""
    row = hours.regions.get(region)
    if row is None:
        return hours
    return RegionHours(
        opens=max(row.opens, hours.opens, key=_clock),
        closes=min(row.closes, hours.closes, key=_clock),
        days=tuple(day for day in row.days if day in hours.days),
    )


Span = tuple[str, str]
"""Local opening and closing time of one day, as ``HH:MM``."""


def _opening(at: datetime, zone: str, hours: Callable[[date], Span | None]) -> tuple[datetime, datetime] | None:
    """The first window in ``zone`` that is open at ``at`` or opens after it, as (start >= at, end)."""
    local = at.astimezone(ZoneInfo(zone))
    utc = at.tzinfo
    for days in range(_AHEAD):
        day = local.date() + timedelta(days=days)
        span = hours(day)
        if span is None:
            continue
        opens = datetime.combine(day, _clock(span[0]), ZoneInfo(zone)).astimezone(utc)
        closes = datetime.combine(day, _clock(span[1]), ZoneInfo(zone)).astimezone(utc)
        if at < closes:
            return max(at, opens), closes
    return None


def first_open(at: datetime, zones: Sequence[str], hours: Callable[[date], Span | None]) -> Ruling:
    """The first instant from ``at`` (UTC) on that is open in all ``zones``, by what ``hours`` says of a local day.

    No zone: nobody knows what time it is there, so ``at`` of the answer is None and nothing may go out."""
    if not zones:
        return Ruling(at=None, rule="zone_unknown")
    start = at
    for _ in range(64):
        spans = [span for zone in zones if (span := _opening(start, zone, hours))]
        if len(spans) < len(zones):
            break
        latest = max(span[0] for span in spans)
        if latest == start:
            return Ruling(at=start, until=min(s[1] for s in spans), rule="" if start == at else "calling_hours")
        start = latest
    return Ruling(at=None, rule="no_common_hours")


def house_hours(hours: Hours, region: str) -> Callable[[date], Span | None]:
    """The playbook's own hours, day by day."""
    row = window(hours, region)
    return lambda day: (row.opens, row.closes) if day.weekday() in row.days else None


def allowed_from(at: datetime, zones: Sequence[str], region: str, hours: Hours) -> Ruling:
    """:func:`first_open` by the playbook's own hours alone."""
    return first_open(at, zones, house_hours(hours, region))


def cap_allows(at: datetime, dials: Iterable[datetime], most: int, per: timedelta) -> datetime:
    """The first instant from ``at`` on at which one more dial keeps every window of ``per`` at ``most`` dials."""
    recent = sorted(d for d in dials if d > at - per)
    return at if len(recent) < most else max(at, recent[-most] + per)
