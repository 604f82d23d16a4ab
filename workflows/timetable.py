"""Why each time of one day is or is not offered: the search of ``workflows/slots.py``, told time by time.

For people who check a day ahead, such as the week of a clock change, on their own settings. What it says is offered
is what the search offers; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from . import caps, slots
from .ledger import TakenTime
from .model import Instant, Model
from .playbook import MeetingType
from .roster import Rep
from .slots import Terms
from .wording import length
from .working import DAY, Piece, dates_of, hours_of, offsets, pieces_of, wall

Rule = Literal[
    "offered", "past", "notice", "window", "day_off", "hours", "too_long", "calendar", "booked", "held", "buffer", "cap",
    "clock_change",
]  # fmt: skip


class Hour(Model):
    """One time of the day. ``start`` is None for a time that the rep's clock leaps over; ``clock`` is the wall clock
    in the rep's zone, ``rule`` and ``why`` say why it is offered or not."""

    start: Instant | None
    clock: str
    rule: Rule
    why: str

    @property
    def offered(self) -> bool:
        return self.rule == "offered"


class Busy(Model):
    """Something that keeps the rep from meeting: an event of the calendar, or a claim of the ledger."""

    start: Instant
    end: Instant
    kind: Literal["calendar", "booked", "held"] = "calendar"
    before: timedelta = timedelta(0)
    after: timedelta = timedelta(0)


def busy_of(calendar: Iterable[tuple[datetime, datetime]], taken: Iterable[TakenTime]) -> list[Busy]:
    """Calendar and ledger as one list, in order."""
    found = [Busy(start=start, end=end) for start, end in calendar]
    found += [Busy(start=t.start, end=t.end, kind=t.state, before=t.before, after=t.after) for t in taken]
    return sorted(found, key=lambda each: each.start)


def explain(
    rep: Rep,
    meeting: MeetingType,
    day: date,
    zone: str,
    now: datetime,
    busy: Sequence[Busy] = (),
    taken: Sequence[TakenTime] = (),
    off: Mapping[date, str] | None = None,
) -> list[Hour]:
    """Every time of ``day`` (in ``zone``) at which a ``meeting`` with ``rep`` could begin, in order, and the verdict.

    ``busy`` and ``taken`` must cover the day with the meeting's length and buffers (and the rep's whole week, where
    there are caps); ``off`` holds the public holidays. Raises ValueError for hours that cannot be read."""
    terms = slots.terms_of(meeting)
    first = int(datetime.combine(day, time(0), ZoneInfo(zone)).timestamp())
    last = int(datetime.combine(day + timedelta(1), time(0), ZoneInfo(zone)).timestamp())
    pieces = pieces_of(hours_of(rep), rep.zone, first, last + terms.length, dates_of(rep, off))
    spent = caps.full(rep, meeting, taken)
    found = []
    for start, clock in _times(rep.zone, first, last, terms.step):
        if start is None:
            found.append(Hour(start=None, clock=clock, rule="clock_change", why="the clocks leap over it on this day"))
            continue
        rule, why = _verdict(rep, terms, start, slots.epoch(now), pieces, busy, off or {})
        if rule == "offered" and (cap := caps.exceeded(rep, slots.instant(start), spent)):
            rule, why = "cap", f"{cap}, and it is full"
        found.append(Hour(start=slots.instant(start), clock=clock, rule=rule, why=why))
    return found


def _times(zone: str, first: int, last: int, step: int) -> Iterator[tuple[int | None, str]]:
    """The increments of the rep's wall clock within [first, last), as time passes, those that the clock leaps over
    among them. Where the clock is put back, its second run through an hour comes after the whole of the first."""
    for number in range(first // DAY - 1, last // DAY + 2):
        stretches = offsets(zone, number)
        found: list[tuple[int, int | None, str]] = []
        for second in range(0, DAY, step):
            starts = [number * DAY + second - offset for since, until, offset in stretches
                      if since <= number * DAY + second - offset < until]  # fmt: skip
            clock = _clock(second)
            for start in starts:
                twice = " (again)" if len(starts) > 1 and start == starts[-1] else ""
                found.append((start, start, clock + twice))
            if not starts:
                onward = next(since for since, _, offset in stretches if number * DAY + second - offset < since)
                found.append((onward, None, clock))
        found.sort(key=lambda each: (each[0], each[1] is not None))
        yield from ((start, clock) for at, start, clock in found if first <= at < last)


def _verdict(
    rep: Rep, terms: Terms, start: int, now: int, pieces: Sequence[Piece], busy: Sequence[Busy], off: Mapping[date, str]
) -> tuple[Rule, str]:
    """The first rule against ``start``, in the order in which a person would ask."""
    if start < now:
        return "past", "it has passed"
    if start < now + terms.notice:
        return "notice", f"it is less than {length(timedelta(seconds=terms.notice))} ahead"
    if start > now + terms.window:
        return "window", f"it is more than {length(timedelta(seconds=terms.window))} ahead"
    piece = next((p for p in pieces if p.start <= start < p.end), None)
    if piece is None:
        return _closed(rep, start, off)
    if start + terms.length > piece.reach:
        return "too_long", f"the meeting would run past {_clock(wall(rep.zone, piece.reach)[1])}, the end of the hours"
    for each in busy:
        if (blocked := _blocked(rep, terms, start, each)) is not None:
            return blocked
    return "offered", "free"


def _closed(rep: Rep, start: int, off: Mapping[date, str]) -> tuple[Rule, str]:
    number = wall(rep.zone, start)[0]
    day = date(1970, 1, 1) + timedelta(number)
    if day in rep.overrides:
        texts = rep.overrides[day]
        return (
            "day_off",
            f"on this date the hours are {', '.join(texts)}" if texts else "a day off by the rep's own word",
        )
    away = next((each.why for each in rep.away if each.first <= day <= each.last), "")
    if away or day in off:
        return "day_off", away or f"a holiday: {off[day]}"
    texts = rep.hours.get(day.weekday(), ())
    return "hours", f"outside of the hours ({', '.join(texts)})" if texts else "no working day"


def _blocked(rep: Rep, terms: Terms, start: int, busy: Busy) -> tuple[Rule, str] | None:
    end, since, until = start + terms.length, int(busy.start.timestamp()), slots.epoch(busy.end)
    if since >= until:
        return None
    what = {"calendar": "the calendar is busy", "booked": "a meeting is booked", "held": "somebody is booking it"}[
        busy.kind
    ]
    span = f"{_clock(wall(rep.zone, since)[1])} to {_clock(wall(rep.zone, until)[1])}"
    if since < end and start < until:
        return busy.kind, f"{what} from {span}"
    before = max(round(busy.before.total_seconds()), terms.after)
    after = max(round(busy.after.total_seconds()), terms.before)
    if since - before < end and start < until + after:
        return (
            "buffer",
            f"too close: {what} from {span}, and {length(timedelta(seconds=before if start < since else after))} are kept free",
        )
    return None


def _clock(second: int) -> str:
    hours, rest = divmod(second, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours:02}:{minutes:02}" + (f":{seconds:02}" if seconds else "")
