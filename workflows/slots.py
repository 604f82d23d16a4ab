"""Free slots: when a rep can take a meeting, and which few of those times to offer.

All arithmetic is on whole seconds since 1970 (UTC); zones enter only where working hours are turned into spans of
such seconds. An instant is working time when the rep's own wall clock then stands within the hours of that weekday,
so a slot keeps its wall-clock time every week, a gap of the clock change holds no slot, and an hour that comes twice
counts twice.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .events import Slot
from .playbook import MeetingType
from .roster import Rep

DAY = 86400
_MONDAY = 4
"""Day 0 of the epoch was a Thursday: day 4 after it the first Monday."""
_BLOCK = 28
"""Days of working time computed, and remembered, at once."""

PARTS: dict[str, tuple[int, int]] = {"morning": (0, 12), "afternoon": (12, 17), "evening": (17, 24)}
"""Parts of a day by local hour, from (included) to (excluded)."""
CIVIL = (8, 20)
"""Hours of the lead's day within which a slot is offered if there is any, so that nobody is asked to meet at night
because the rep lives elsewhere."""

Hours = tuple[tuple[tuple[int, int], ...], ...]
"""Seven weekdays from Monday, each with sorted spans (seconds of the wall clock since midnight, end excluded)."""


class Span(NamedTuple):
    """Something that keeps a rep busy. ``before`` and ``after`` are the buffers that it asks for itself."""

    start: int
    end: int
    before: int = 0
    after: int = 0


class Terms(NamedTuple):
    """What a slot must satisfy, in seconds. A buffer keeps other things away from the meeting; the buffers of two
    meetings may overlap each other, so the gap between them is the longer of both, not their sum."""

    length: int
    step: int
    before: int
    after: int
    notice: int
    window: int


class _Piece(NamedTuple):
    """Working time under one UTC offset on one local day. ``midnight`` is what the increments count from (that
    day's 00:00 under this offset); ``reach`` is the end of the unbroken working time that this piece is part of."""

    start: int
    end: int
    midnight: int
    reach: int


# ---- words into numbers ----------------------------------------------------------------------------------------


def terms_of(meeting: MeetingType) -> Terms:
    """The meeting type in whole seconds. Raises ValueError when length or increment is less than a second."""
    length, step = _seconds(meeting.length), _seconds(meeting.increment)
    if length < 1 or step < 1:
        raise ValueError(f"meeting {meeting.name}: length and increment must be at least 1s")
    return Terms(
        length=length,
        step=step,
        before=_seconds(meeting.buffer_before),
        after=_seconds(meeting.buffer_after),
        notice=_seconds(meeting.notice),
        window=_seconds(meeting.window),
    )


def hours_of(rep: Rep) -> Hours:
    """The rep's working hours as numbers. Raises ValueError naming the rep, the day and the remedy."""
    try:
        return _hours(tuple(sorted(rep.hours.items())))
    except ValueError as error:
        raise ValueError(f"{rep.id}: {error}") from None


def check_rep(rep: Rep) -> None:
    """Raises ValueError when the rep's hours or zone cannot be used."""
    hours_of(rep)
    try:
        ZoneInfo(rep.zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{rep.id}: {rep.zone!r} is no time zone; write it as America/New_York") from None


@lru_cache(maxsize=4096)
def _hours(days: tuple[tuple[int, tuple[str, ...]], ...]) -> Hours:
    week: list[tuple[tuple[int, int], ...]] = [()] * 7
    for day, texts in days:
        if not 0 <= day <= 6:
            raise ValueError(f"{day} is no weekday; 0 is Monday, 6 is Sunday")
        spans: list[tuple[int, int]] = []
        for start, end in sorted(_clock_span(text) for text in texts):
            if spans and start <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(spans[-1][1], end))
            else:
                spans.append((start, end))
        week[day] = tuple(spans)
    return tuple(week)


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


def _seconds(length: timedelta) -> int:
    return round(length.total_seconds())


def epoch(instant: datetime) -> int:
    """Whole seconds since 1970, a part of a second rounded up: nothing begins before its instant."""
    return -int(-instant.timestamp() // 1)


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def slot_id(rep: str, start: datetime) -> str:
    """``rep@start``, the start in UTC: ``dana@2027-03-12T15:00:00Z``."""
    return f"{rep}@{start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


# ---- working time ----------------------------------------------------------------------------------------------


def working_time(hours: Hours, zone: str, since: int, until: int) -> list[tuple[int, int]]:
    """Unbroken working spans within [since, until), for people and tests. Raises ZoneInfoNotFoundError."""
    spans: list[tuple[int, int]] = []
    for piece in _pieces(hours, zone, since, until):
        start, end = max(piece.start, since), min(piece.end, until)
        if start >= end:
            continue
        if spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _pieces(hours: Hours, zone: str, since: int, until: int) -> Sequence[_Piece]:
    """The pieces of working time that touch [since, until), in order, and perhaps some outside of it."""
    # A local day lies within a UTC day and its neighbours (offsets run from -12 to +14 hours).
    first, last = (since // DAY - 1) // _BLOCK, (until // DAY + 1) // _BLOCK
    return _working(hours, zone, first * _BLOCK, (last - first + 1) * _BLOCK)


@lru_cache(maxsize=2048)
def _working(hours: Hours, zone: str, day: int, days: int) -> tuple[_Piece, ...]:
    """The working time of the local days ``day`` .. ``day + days - 1`` (counted from 1970-01-01)."""
    # Two days more, so that working time through the last midnight keeps its full reach.
    spans: list[tuple[int, int, int]] = []
    for date in range(day, day + days + 2):
        wanted = hours[(date - _MONDAY) % 7]
        if not wanted:
            continue
        for since, until, offset in _offsets(zone, date):
            midnight = date * DAY - offset
            for start, end in wanted:
                begin, finish = max(midnight + start, since), min(midnight + end, until)
                if begin < finish:
                    spans.append((begin, finish, midnight))
    spans.sort()
    pieces: list[_Piece] = []
    reach = 0
    for begin, finish, midnight in reversed(spans):
        reach = reach if pieces and pieces[-1].start == finish else finish
        pieces.append(_Piece(begin, finish, midnight, reach))
    end = (day + days + 1) * DAY
    return tuple(piece for piece in reversed(pieces) if piece.start < end)


@lru_cache(maxsize=65536)
def _offsets(zone: str, date: int) -> tuple[tuple[int, int, int], ...]:
    """(since, until, offset) of the stretches of one UTC offset that the local day ``date`` may lie in."""
    since, until = (date - 1) * DAY, (date + 2) * DAY
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
    return _seconds(ahead) if ahead is not None else 0


# ---- free starts -----------------------------------------------------------------------------------------------


def free_starts(
    hours: Hours,
    zone: str,
    busy: Iterable[Span],
    terms: Terms,
    now: int,
    not_before: int | None = None,
    not_after: int | None = None,
) -> list[int]:
    """Every start, in order, at which a meeting fits: after ``now`` + notice and within the window, between
    ``not_before`` and ``not_after`` (both included), wholly in working time, clear of everything busy with the
    buffers of both, and on the wall clock's increments counted from local midnight."""
    earliest = max(now + terms.notice, not_before if not_before is not None else now)
    latest = min(now + terms.window, not_after if not_after is not None else now + terms.window)
    if earliest > latest:
        return []
    pieces = _pieces(hours, zone, earliest, latest + terms.length)
    starts, ends = _blocked(busy, terms)
    found: list[int] = []
    length, step, blocks, at = terms.length, terms.step, len(starts), 0
    for begin, finish, midnight, reach in pieces:
        if finish <= earliest:
            continue
        if begin > latest:
            break
        while at < blocks and ends[at] <= begin:
            at += 1
        low, block = max(begin, earliest), at
        bound = min(latest, finish - 1, reach - length)
        while low <= bound:
            high = min(bound, starts[block] - length) if block < blocks else bound
            first = low + (midnight - low) % step
            if first <= high:
                found.extend(range(first, high + 1, step))
            if block >= blocks:
                break
            low, block = max(low, ends[block]), block + 1
    return found


def _blocked(busy: Iterable[Span], terms: Terms) -> tuple[list[int], list[int]]:
    """Busy spans widened by the buffers and merged, as starts and ends: a bare meeting must overlap none."""
    before, after = terms.before, terms.after
    wide = [
        (start - (after if after > own_before else own_before), end + (before if before > own_after else own_after))
        for start, end, own_before, own_after in busy
        if end > start
    ]
    wide.sort()
    starts: list[int] = []
    ends: list[int] = []
    reach = 0
    for start, end in wide:
        if starts and start <= reach:
            if end > reach:
                ends[-1] = reach = end
        else:
            starts.append(start)
            ends.append(end)
            reach = end
    return starts, ends


# ---- what to offer ---------------------------------------------------------------------------------------------


def in_part(zone: str, part: str, start: int) -> bool:
    """Whether ``start`` lies in this part of the day in ``zone``; every time does when ``part`` is empty."""
    if not part:
        return True
    first, last = PARTS[part]
    return first <= _wall(zone, start)[1] // 3600 < last


def offer(
    free: Mapping[str, Sequence[int]],
    length: int,
    count: int,
    zone: str,
    part: str = "",
    exclude: Collection[str] = (),
) -> tuple[Slot, ...]:
    """A few good choices out of ``free`` (rep -> sorted starts, the preferred rep first), at most ``count``, in
    the order of time.

    The preferred rep's times fill the offer as far as they go, then the next one's. The soonest comes first, then
    times on other days and in other parts of the lead's day (``zone``), then times well apart. Civil hours of the
    lead go before all others. ``exclude`` holds ids of slots refused before: nobody's slot at such a time is
    offered again."""
    refused = {text.rpartition("@")[2] for text in exclude}
    chosen: dict[int, str] = {}
    for civil in (True, False):
        for rep, starts in free.items():
            wanted = [
                start
                for start in starts
                if start not in chosen
                and _civil(zone, start) is civil
                and in_part(zone, part, start)
                and (not refused or slot_id("", instant(start))[1:] not in refused)
            ]
            for start in _spread(wanted, count - len(chosen), zone, chosen, length):
                chosen[start] = rep
            if len(chosen) >= count:
                break
        if chosen:
            break
    return tuple(
        Slot(id=slot_id(rep, instant(start)), rep=rep, start=instant(start), end=instant(start + length))
        for start, rep in sorted(chosen.items())
    )


def _spread(starts: Sequence[int], count: int, zone: str, chosen: Collection[int], length: int) -> list[int]:
    """At most ``count`` of ``starts``: each the earliest in a part of a day not taken yet; when all are taken, the
    earliest that lies an hour (or three meetings) away from every other; at last simply the earliest."""
    picked: list[int] = []
    places = {_place(zone, start) for start in chosen}
    apart = min(3600, 3 * length)
    rest = list(starts)
    for distance in (None, apart, 0):
        left: list[int] = []
        for start in rest:
            if len(picked) >= count:
                return picked
            place = _place(zone, start)
            if distance is None:
                good = place not in places
            else:
                good = all(abs(start - other) >= distance for other in (*chosen, *picked))
            if good:
                picked.append(start)
                places.add(place)
            else:
                left.append(start)
        rest = left
    return picked


def _place(zone: str, start: int) -> tuple[int, str]:
    """Local day and part of the day."""
    day, second = _wall(zone, start)
    hour = second // 3600
    return day, next(part for part, (first, last) in PARTS.items() if first <= hour < last)


def _civil(zone: str, start: int) -> bool:
    return CIVIL[0] * 3600 <= _wall(zone, start)[1] < CIVIL[1] * 3600


def _wall(zone: str, seconds: int) -> tuple[int, int]:
    """The local day (counted from 1970) and the second of that day that the wall clock shows."""
    stretches = _offsets(zone, seconds // DAY)
    at = bisect_right(stretches, seconds, key=lambda stretch: stretch[0]) - 1
    return divmod(seconds + stretches[at][2], DAY)
