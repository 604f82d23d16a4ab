"""Free slots: when a rep can take a meeting, and which few of those times to offer.

All arithmetic is on whole seconds since 1970 (UTC); zones enter only in ``workflows/working.py``, which turns working
hours into spans of such seconds.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from .events import Slot
from .playbook import MeetingType
from .working import DAY, Dates, Hours, check_rep, dates_of, hours_of, pieces_of, wall, working_time

PARTS: dict[str, tuple[int, int]] = {"morning": (0, 12), "afternoon": (12, 17), "evening": (17, 24)}
"""Parts of a day by local hour, from (included) to (excluded)."""
CIVIL = (8, 20)
"""Hours of the lead's day within which a slot is offered if there is any, so that nobody is asked to meet at night
because the rep lives elsewhere."""


__all__ = [
    "DAY",
    "Dates",
    "Hours",
    "Span",
    "Terms",
    "check_rep",
    "dates_of",
    "epoch",
    "free_starts",
    "hours_of",
    "in_part",
    "instant",
    "nearest",
    "offer",
    "slot_id",
    "terms_of",
    "working_time",
]


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


# ---- free starts -----------------------------------------------------------------------------------------------


def free_starts(
    hours: Hours,
    zone: str,
    busy: Iterable[Span],
    terms: Terms,
    now: int,
    not_before: int | None = None,
    not_after: int | None = None,
    dates: Dates = (),
) -> list[int]:
    """Every start, in order, at which a meeting fits: after ``now`` + notice and within the window, between
    ``not_before`` and ``not_after`` (both included), wholly in working time, clear of everything busy with the
    buffers of both, and on the wall clock's increments counted from local midnight."""
    earliest = max(now + terms.notice, not_before if not_before is not None else now)
    latest = min(now + terms.window, not_after if not_after is not None else now + terms.window)
    if earliest > latest:
        return []
    pieces = pieces_of(hours, zone, earliest, latest + terms.length, dates)
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
    return first <= wall(zone, start)[1] // 3600 < last


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


def nearest(starts: Iterable[int], wanted: int, count: int) -> list[int]:
    """The ``count`` of ``starts`` that lie nearest to ``wanted``, in the order of time; ``wanted`` itself is none."""
    others = (start for start in starts if start != wanted)
    return sorted(heapq.nsmallest(count, others, key=lambda start: (abs(start - wanted), start)))


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
    day, second = wall(zone, start)
    hour = second // 3600
    return day, next(part for part, (first, last) in PARTS.items() if first <= hour < last)


def _civil(zone: str, start: int) -> bool:
    return CIVIL[0] * 3600 <= wall(zone, start)[1] < CIVIL[1] * 3600
