"""How many meetings a rep takes in a day and in a week, counted on the rep's own wall clock.

A day or week is that of ``rep.zone``, whatever zone the lead or the server lives in; a meeting belongs to the day on
which it begins. Held times count: two leads never share the last place of a day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from .ledger import Cap, TakenTime
from .playbook import MeetingType
from .roster import Rep


class _Limit(NamedTuple):
    """At most ``most`` meetings (of ``kind`` alone, when it names one) in each span of ``days`` from a Monday."""

    most: int
    days: int
    kind: str
    why: str


def _limits(rep: Rep, meeting: MeetingType) -> list[_Limit]:
    found = (
        (rep.daily, 1, "", "a day"), (rep.weekly, 7, "", "a week"),
        (meeting.daily, 1, meeting.name, "of this kind a day"), (meeting.weekly, 7, meeting.name, "of this kind a week"),
    )  # fmt: skip
    return [
        _Limit(most, days, kind, f"{rep.name} takes at most {most} {words}")
        for most, days, kind, words in found
        if most is not None
    ]


def caps(rep: Rep, meeting: MeetingType, start: datetime) -> tuple[Cap, ...]:
    """The caps that a meeting at ``start`` must keep: the rep's local day and week as instants."""
    day = start.astimezone(ZoneInfo(rep.zone)).date()
    found = []
    for limit in _limits(rep, meeting):
        first = _first(day, limit.days)
        since, until = _midnight(first, rep.zone), _midnight(first + timedelta(limit.days), rep.zone)
        found.append(Cap(since=since, until=until, most=limit.most, kind=limit.kind, why=limit.why))
    return tuple(found)


def counted(rep: Rep, meeting: MeetingType, since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """The span that has to be looked at to keep every cap between ``since`` and ``until``: whole weeks or days, or
    just these two when there is no cap."""
    days = max((limit.days for limit in _limits(rep, meeting)), default=0)
    if not days:
        return since, until
    zone = ZoneInfo(rep.zone)
    first = _first(since.astimezone(zone).date(), days)
    last = _first(until.astimezone(zone).date(), days) + timedelta(days)
    return _midnight(first, rep.zone), _midnight(last, rep.zone)


def within(rep: Rep, meeting: MeetingType, starts: Sequence[int], taken: Iterable[TakenTime]) -> list[int]:
    """Those of ``starts`` (seconds since 1970) at which one more meeting keeps every cap, given what is ``taken``."""
    spent = full(rep, meeting, taken)
    if not spent:
        return list(starts)
    return [start for start in starts if not exceeded(rep, datetime.fromtimestamp(start, UTC), spent)]


def exceeded(rep: Rep, start: datetime, spent: dict[tuple[int, date], str]) -> str:
    """The cap that a meeting at ``start`` would break, in words for people; empty when none."""
    day = start.astimezone(ZoneInfo(rep.zone)).date()
    return spent.get((1, day), "") or spent.get((7, _first(day, 7)), "")


def full(rep: Rep, meeting: MeetingType, taken: Iterable[TakenTime]) -> dict[tuple[int, date], str]:
    """The days (1, date) and weeks (7, Monday) that are full, each with the cap."""
    zone = ZoneInfo(rep.zone)
    held = [(each.start.astimezone(zone).date(), each.kind) for each in taken]
    found: dict[tuple[int, date], str] = {}
    for limit in _limits(rep, meeting):
        count = Counter(_first(day, limit.days) for day, kind in held if not limit.kind or kind == limit.kind)
        found.update({(limit.days, first): limit.why for first, many in count.items() if many >= limit.most})
    return found


def _first(day: date, days: int) -> date:
    return day if days == 1 else day - timedelta(day.weekday())


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(0), ZoneInfo(zone)).astimezone(UTC)
