"""Time zones as people name them: "Eastern", "Chicago time", "your time", "PST"."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from .said import ELSEWHERE

TIMES = {
    "eastern": "America/New_York", "et": "America/New_York", "est": "America/New_York", "edt": "America/New_York",
    "central": "America/Chicago", "ct": "America/Chicago", "cst": "America/Chicago", "cdt": "America/Chicago",
    "mountain": "America/Denver", "mt": "America/Denver", "mst": "America/Denver", "mdt": "America/Denver",
    "pacific": "America/Los_Angeles", "pt": "America/Los_Angeles", "pst": "America/Los_Angeles", "pdt": "America/Los_Angeles",
    "arizona": "America/Phoenix", "alaska": "America/Anchorage", "hawaii": "Pacific/Honolulu", "atlantic": "America/Halifax",
    "gmt": "Europe/London", "bst": "Europe/London", "british": "Europe/London", "utc": "UTC", "cet": "Europe/Berlin", "cest": "Europe/Berlin",
    "aest": "Australia/Sydney", "jst": "Asia/Tokyo",
}  # fmt: skip
PLACES = {
    "new york": "America/New_York", "boston": "America/New_York", "miami": "America/New_York", "atlanta": "America/New_York",
    "east coast": "America/New_York", "chicago": "America/Chicago", "dallas": "America/Chicago", "houston": "America/Chicago",
    "texas": "America/Chicago", "denver": "America/Denver", "phoenix": "America/Phoenix", "los angeles": "America/Los_Angeles",
    "la": "America/Los_Angeles", "california": "America/Los_Angeles", "seattle": "America/Los_Angeles", "san francisco": "America/Los_Angeles",
    "west coast": "America/Los_Angeles", "london": "Europe/London", "uk": "Europe/London", "dublin": "Europe/Dublin", "paris": "Europe/Paris",
    "berlin": "Europe/Berlin", "madrid": "Europe/Madrid", "mexico city": "America/Mexico_City", "toronto": "America/Toronto",
    "sydney": "Australia/Sydney", "tokyo": "Asia/Tokyo", "india": "Asia/Kolkata",
}  # fmt: skip
_ABBREVIATED = frozenset(name for name in TIMES if len(name) <= 4 and name not in ("utc",))
_HALF_YEAR = timedelta(days=182)

WORDS = frozenset(TIMES) | {name.split()[0] for name in PLACES} | {"my", "your", "our", "local", "their"}
"""The words with which the name of a zone begins."""


def zone_at(t: Sequence[str], i: int, zone: str, now: datetime) -> tuple[str, str, int] | None:
    """The zone that begins at ``t[i]`` for somebody in ``zone``: its IANA name ("" for their own, ELSEWHERE for ours),
    its abbreviation in capitals if one was used, and the index after it."""
    at = t[i]
    if t[i + 1 : i + 2] == ["time"] and at in ("my", "our", "local"):
        return "", "", i + 2
    if t[i + 1 : i + 2] == ["time"] and at in ("your", "their"):
        return ELSEWHERE, "", i + 2
    if at in TIMES:
        after = i + 1
        while after < len(t) and t[after] in ("time", "standard", "daylight"):
            after += 1
        if at in _ABBREVIATED and at.upper() in own_names(zone, now):
            return "", at.upper(), after
        if at in ("british",) and after == i + 1:
            return None
        return TIMES[at], at.upper() if at in _ABBREVIATED else "", after
    for width in (1, 2):
        name = " ".join(t[i : i + width])
        if name in PLACES and t[i + width : i + width + 1] == ["time"]:
            return PLACES[name], "", i + width + 1
    return None


def same_clock(one: str, other: str, now: datetime) -> bool:
    """Whether the two zones show the same time now, and in half a year."""
    return all(at.astimezone(ZoneInfo(one)).utcoffset() == at.astimezone(ZoneInfo(other)).utcoffset() for at in (now, now + _HALF_YEAR))


def own_names(zone: str, now: datetime) -> tuple[str, ...]:
    """The abbreviations that ``zone`` goes by over the year around ``now``."""
    local = now.astimezone(ZoneInfo(zone))
    return (local.tzname() or "", (local + _HALF_YEAR).tzname() or "")
