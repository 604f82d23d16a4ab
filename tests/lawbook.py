"""The law of calling in 2027, written down a second time by hand: minute by minute, where and when nobody is solicited.

The tables here share nothing with the rule file but the law. ``minutes`` lays out a whole year of one place, both clock
changes in it, so that the gate's answer at any instant is compared with the first open minute from there.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from tests.stage import playbook
from workflows.calling import Contact, judge, zones

BOOK = playbook()
assert BOOK.rules
RULES = BOOK.rules
YEAR = datetime(2027, 1, 1, 12, tzinfo=UTC)  # the clocks change on 14 March and 7 November
HOURS = 364 * 24
_SPARE = 10
"""Days laid out beyond the year, for what is first allowed after it."""


def _week(opens: int, closes: int, days: int = 7) -> dict[int, tuple[int, int]]:
    return {day: (opens, closes) for day in range(days)}


BY_STATE: dict[str, dict[int, tuple[int, int]]] = {
    "AL": _week(8, 20, 6), "LA": _week(8, 20, 6), "MS": _week(8, 20, 6), "FL": _week(8, 20), "MA": _week(8, 20),
    "MD": _week(8, 20), "OK": _week(8, 20), "WA": _week(8, 20), "CT": _week(9, 20), "NV": _week(9, 20),
    "MI": _week(9, 21), "MN": _week(9, 21), "NM": _week(9, 21), "KY": _week(10, 21), "UT": _week(8, 21, 6),
    "RI": {**_week(9, 18, 5), 5: (10, 17)},
    "TX": {**_week(9, 21, 6), 6: (12, 21)},
}
FEDERAL = {(1, 1), (1, 18), (2, 15), (5, 31), (6, 18), (6, 19), (7, 4), (7, 5), (9, 6), (10, 11), (11, 11), (11, 25),
           (12, 24), (12, 25), (12, 31)}  # fmt: skip
"""The days of 5 U.S.C. 6103 in 2027 with those observed for a week-end; New Year's Day of 2028 is a Saturday, and the only
day of that year that is looked at and closed."""
MARDI_GRAS, GOOD_FRIDAY, EASTER = (2, 9), (3, 26), (3, 28)
CLOSED = {
    "AL": FEDERAL | {MARDI_GRAS, (4, 26), (6, 7)},
    "LA": FEDERAL | {(1, 8), MARDI_GRAS, GOOD_FRIDAY, (8, 30), (11, 1), (11, 26)},
    "PA": FEDERAL | {GOOD_FRIDAY, (6, 14), (11, 2)},
    "RI": FEDERAL | {(5, 4), (8, 9)},
    "UT": (FEDERAL - {(6, 18), (6, 19)}) | {GOOD_FRIDAY, EASTER, (6, 21), (7, 23), (7, 24)},
}


def allowed(states: set[str], there: tuple[str, ...], at: datetime) -> bool:
    """What the law says of one instant, of somebody in these states and zones who gave no consent of their own."""
    for zone in there:
        local = at.astimezone(ZoneInfo(zone))
        for state in states:
            opens, closes = BY_STATE.get(state, _week(8, 21)).get(local.weekday(), (0, 0))
            if not (opens <= local.hour < closes) or _closed(state, local.date()):
                return False
    return True


def _closed(state: str, day: date) -> bool:
    return (day.month, day.day) in CLOSED.get(state, ()) and (day.year == 2027 or (day.month, day.day) == (1, 1))


@cache
def _days(zone: str) -> list[tuple[date, int]]:
    """Each local day of the zone, with the minute from YEAR on that its midnight would be by the clock of its noon: the
    clocks change before anybody may be called."""
    days = [date(2026, 12, 31) + timedelta(days=n) for n in range(HOURS // 24 + _SPARE + 2)]
    noons = [datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)) for day in days]
    return [(day, (noon - YEAR) // timedelta(minutes=1) - 720) for day, noon in zip(days, noons, strict=True)]


@cache
def _place(state: str, zone: str) -> int:
    """One state in one zone: a byte for each minute from YEAR on, as one number."""
    found = bytearray((HOURS // 24 + _SPARE) * 24 * 60)
    week = BY_STATE.get(state, _week(8, 21))
    for day, midnight in _days(zone):
        opens, closes = week.get(day.weekday(), (0, 0))
        if closes and not _closed(state, day):
            first, last = max(midnight + opens * 60, 0), min(max(midnight + closes * 60, 0), len(found))
            found[first:last] = b"\x01" * max(last - first, 0)
    return int.from_bytes(found, "little")


@cache
def minutes(states: frozenset[str], there: tuple[str, ...]) -> bytes:
    """1 for each minute from YEAR on at which all of them allow it."""
    everywhere = -1
    for state in states:
        for zone in there:
            everywhere &= _place(state, zone)
    return everywhere.to_bytes((HOURS // 24 + _SPARE) * 24 * 60, "little")


class Number:
    """A number of one area code whose owner stated ``region``, or nothing."""

    def __init__(self, code: str, region: str = "") -> None:
        self.phone, self.region = f"+1{code}5550123", region
        self.zones = zones(self.phone, region, "", RULES)
        self.states = frozenset(place[3:] for place in (region, RULES.area(self.phone)[0]) if place)
        self.open = minutes(self.states, self.zones)

    def agrees(self, minute: int) -> int | None:
        """The gate's answer at this minute is that of the tables: what it first allows is the first open minute, and all
        until it ends is open. Gives the minute at which that ends."""
        at = YEAR + timedelta(minutes=minute)
        asked = Contact(phone=self.phone, region=self.region, basis="asked", heard_at=at, opted_out=False)
        found = judge(asked, BOOK, at)
        first = self.open.find(1, minute)
        assert found.at is not None, (self.phone, self.region, at)
        assert found.at == YEAR + timedelta(minutes=first), (self.phone, self.region, at, found.at)
        assert found.until is not None
        end = -((YEAR - found.until) // timedelta(minutes=1))
        closes = self.open.find(0, first)
        assert first < end <= closes, (self.phone, self.region, at, found.until)
        return end

    def whole_year(self) -> int:
        """Every minute of the year, by going from each closing to the next; how many times the gate was asked."""
        minute, asked = 0, 0
        while minute is not None and minute < HOURS * 60:
            minute, asked = self.agrees(minute), asked + 1
        return asked


@cache
def kinds() -> dict[tuple[str, tuple[str, ...]], list[str]]:
    """Area codes that share state and zones, and so are judged alike."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for code in sorted(RULES.codes):
        number = f"+1{code}5550123"
        found[RULES.area(number)[0], tuple(sorted(zones(number, "", "", RULES)))].append(code)
    return dict(found)
