"""Working time: a rep's hours, on the wall clock of their zone, as spans of whole seconds since 1970 (UTC).

An instant is working time when the rep's own wall clock then stands within the hours of that day, so a slot keeps its
wall-clock time every week, a gap of the clock change holds no slot, and an hour that comes twice counts twice. What is
written for a date outranks the weekday's hours.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .roster import Rep

DAY = 86400
_EPOCH = date(1970, 1, 1).toordinal()
_MONDAY = 4
"""Day 0 of the epoch was a Thursday: day 4 after it the first Monday."""
_BLOCK = 28
"""Days of working time computed, and remembered, at once."""

Spans = tuple[tuple[int, int], ...]
"""Sorted spans of one day (seconds of the wall clock since midnight, end excluded)."""
Hours = tuple[Spans, ...]
"""Seven weekdays from Monday."""
Dates = tuple[tuple[int, Spans], ...]
"""Days (counted from 1970-01-01) that have hours of their own, in order; no spans: a day off."""


class Piece(NamedTuple):
    """Working time under one UTC offset on one local day. ``midnight`` is what the increments count from (that
    day's 00:00 under this offset); ``reach`` is the end of the unbroken working time that this piece is part of."""

    start: int
    end: int
    midnight: int
    reach: int


def hours_of(rep: Rep) -> Hours:
    """The rep's working hours as numbers. Raises ValueError naming the rep, the day and the remedy."""
    try:
        return _hours(tuple(sorted(rep.hours.items())))
    except ValueError as error:
        raise ValueError(f"{rep.id}: {error}") from None


def check_rep(rep: Rep) -> None:
    """Raises ValueError when the rep's hours, dates or zone cannot be used."""
    hours_of(rep)
    dates_of(rep)
    try:
        ZoneInfo(rep.zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{rep.id}: {rep.zone!r} is no time zone; write it as America/New_York") from None


@lru_cache(maxsize=4096)
def _hours(days: tuple[tuple[int, tuple[str, ...]], ...]) -> Hours:
    week: list[Spans] = [()] * 7
    for day, texts in days:
        if not 0 <= day <= 6:
            raise ValueError(f"{day} is no weekday; 0 is Monday, 6 is Sunday")
        week[day] = _spans(texts)
    return tuple(week)


def _spans(texts: Sequence[str]) -> Spans:
    """The spans of one day, sorted and joined."""
    spans: list[tuple[int, int]] = []
    for start, end in sorted(_clock_span(text) for text in texts):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return tuple(spans)


def _clock_span(text: str) -> tuple[int, int]:
    start, dash, end = (part.strip() for part in text.partition("-"))
    try:
        opens, closes = _clock(start), _clock(end)
    except ValueError:
        opens, closes = 0, 0
    if not dash or opens >= closes:
        raise ValueError(
            f"{text!r} is no span of hours; write 09:00-17:00, end after start (24:00 ends a day, and hours past"
            " midnight belong to the next day)"
        )
    return opens, closes


def _clock(text: str) -> int:
    hour, colon, minute = text.partition(":")
    seconds = int(hour) * 3600 + int(minute) * 60
    if not colon or int(minute) > 59 or not 0 <= seconds <= DAY:
        raise ValueError(text)
    return seconds


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH


def dates_of(rep: Rep, off: Mapping[date, str] | None = None) -> Dates:
    """The days on which the weekday's hours do not count: those ``off`` (date -> why: holidays), those on which the
    rep is away, and, outranking both, the rep's own hours for a date. Raises ValueError naming the rep and the day."""
    days: dict[int, Spans] = {day_number(day): () for day in off or {}}
    for away in rep.away:
        days.update(dict.fromkeys(range(day_number(away.first), day_number(away.last) + 1), ()))
    for day, texts in rep.overrides.items():
        try:
            days[day_number(day)] = _spans(texts)
        except ValueError as error:
            raise ValueError(f"{rep.id}: {day}: {error}") from None
    return tuple(sorted(days.items()))


# ---- working time ----------------------------------------------------------------------------------------------


def working_time(hours: Hours, zone: str, since: int, until: int, dates: Dates = ()) -> list[tuple[int, int]]:
    """Unbroken working spans within [since, until), for people and tests. Raises ZoneInfoNotFoundError."""
    spans: list[tuple[int, int]] = []
    for piece in pieces_of(hours, zone, since, until, dates):
        start, end = max(piece.start, since), min(piece.end, until)
        if start >= end:
            continue
        if spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def pieces_of(hours: Hours, zone: str, since: int, until: int, dates: Dates = ()) -> Sequence[Piece]:
    """The pieces of working time that touch [since, until), in order, and perhaps some outside of it."""
    # A local day lies within a UTC day and its neighbours (offsets run from -12 to +14 hours).
    first, last = (since // DAY - 1) // _BLOCK, (until // DAY + 1) // _BLOCK
    return _working(hours, zone, dates, first * _BLOCK, (last - first + 1) * _BLOCK)


@lru_cache(maxsize=2048)
def _working(hours: Hours, zone: str, dates: Dates, day: int, days: int) -> tuple[Piece, ...]:
    """The working time of the local days ``day`` .. ``day + days - 1`` (counted from 1970-01-01)."""
    # Two days more, so that working time through the last midnight keeps its full reach.
    spans: list[tuple[int, int, int]] = []
    exceptions = dict(dates)
    for number in range(day, day + days + 2):
        wanted = exceptions.get(number, hours[(number - _MONDAY) % 7])
        if not wanted:
            continue
        for since, until, offset in offsets(zone, number):
            midnight = number * DAY - offset
            for start, end in wanted:
                begin, finish = max(midnight + start, since), min(midnight + end, until)
                if begin < finish:
                    spans.append((begin, finish, midnight))
    spans.sort()
    pieces: list[Piece] = []
    reach = 0
    for begin, finish, midnight in reversed(spans):
        reach = reach if pieces and pieces[-1].start == finish else finish
        pieces.append(Piece(begin, finish, midnight, reach))
    end = (day + days + 1) * DAY
    return tuple(piece for piece in reversed(pieces) if piece.start < end)


@lru_cache(maxsize=65536)
def offsets(zone: str, day: int) -> tuple[tuple[int, int, int], ...]:
    """(since, until, offset) of the stretches of one UTC offset that the local day ``day`` may lie in."""
    since, until = (day - 1) * DAY, (day + 2) * DAY
    found: list[tuple[int, int, int]] = []
    start, offset = since, _offset(zone, since)
    # No zone changes twice within six hours.
    for probe in range(since + DAY // 4, until + 1, DAY // 4):
        if _offset(zone, probe) == offset:
            continue
        low, high = probe - DAY // 4, probe
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset(zone, middle) == offset else (low, middle)
        found.append((start, high, offset))
        start, offset = high, _offset(zone, high)
    found.append((start, until, offset))
    return tuple(found)


@lru_cache(maxsize=65536)
def _offset(zone: str, seconds: int) -> int:
    """Seconds that the wall clock of ``zone`` is ahead of UTC then."""
    ahead = datetime.fromtimestamp(seconds, ZoneInfo(zone)).utcoffset()
    return round(ahead.total_seconds()) if ahead is not None else 0


def wall(zone: str, seconds: int) -> tuple[int, int]:
    """The local day (counted from 1970) and the second of that day that the wall clock shows."""
    stretches = offsets(zone, seconds // DAY)
    at = bisect_right(stretches, seconds, key=lambda stretch: stretch[0]) - 1
    return divmod(seconds + stretches[at][2], DAY)
