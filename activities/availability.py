"""What keeps a rep busy and what is free: hours, days off, calendar, ledger and caps, read together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from temporalio.client import Client

from workflows import caps, slots, working
from workflows import ledger as book
from workflows.effects import FindSlots
from workflows.playbook import MeetingType
from workflows.roster import Rep
from workflows.slots import Span

from . import calendars, ledger


async def free(client: Client, rep: Rep, meeting: MeetingType, asked: FindSlots, now: datetime) -> list[int]:
    """Every start (seconds since 1970) at which ``rep`` can take a ``meeting`` within what was ``asked``. Raises when
    ledger or calendar cannot be read: what is not known is not free."""
    terms = slots.terms_of(meeting)
    margin = timedelta(seconds=max(terms.before, terms.after))
    since = max(now, asked.not_before or now) - margin
    last = now + timedelta(seconds=terms.window)
    until = min(last, asked.not_after or last) + timedelta(seconds=terms.length) + margin
    if since >= until:
        return []
    first, end = caps.counted(rep, meeting, since, until)
    in_ledger = book.AskTaken(since=min(first, since), until=max(end, until), now=now, ignore=asked.ignore)
    if asked.ignore:
        # What stands of the lead's own booking has to be known before the calendar can be asked to leave it out.
        taken = await ledger.taken(client, rep.id, in_ledger)
        own = _own(asked.ignore, taken)
        known = await calendars.look(rep, since, until, meeting.length, own)
    else:
        taken, known = await asyncio.gather(
            ledger.taken(client, rep.id, in_ledger), calendars.look(rep, since, until, meeting.length)
        )
    starts = slots.free_starts(
        slots.hours_of(rep),
        rep.zone,
        [*calendar_spans(known.busy), *claimed_spans(taken.times)],
        terms,
        slots.epoch(now),
        slots.epoch(asked.not_before) if asked.not_before else None,
        int(asked.not_after.timestamp()) if asked.not_after else None,
        working.dates_of(rep, days_off(rep, since, until)),
    )
    return caps.within(rep, meeting, known.within(starts), taken.times)


def _own(booking: str, taken: book.Taken) -> calendars.Mark | None:
    if taken.ignored is None:
        return None
    return calendars.Mark(booking=booking, event=taken.event, start=taken.ignored.start, end=taken.ignored.end)


def calendar_spans(spans: Iterable[calendars.Span]) -> list[Span]:
    """A calendar's busy times for the search; they ask for no buffer of their own."""
    return [Span(int(start.timestamp()), slots.epoch(end)) for start, end in spans]


def claimed_spans(times: Iterable[book.TakenTime]) -> list[Span]:
    """The ledger's times with their buffers."""
    return [
        Span(
            int(each.start.timestamp()),
            slots.epoch(each.end),
            round(each.before.total_seconds()),
            round(each.after.total_seconds()),
        )
        for each in times
    ]


def days_off(rep: Rep, since: datetime, until: datetime) -> dict[date, str]:
    """The public holidays that ``rep`` keeps between two instants, on the rep's calendar, with their names (from the
    ``holidays`` package). Raises ValueError naming the rep when the country or its part is unknown."""
    if not rep.holidays:
        return {}
    zone = ZoneInfo(rep.zone)
    first, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    try:
        known = _holidays(rep.holidays, first.year, last.year)
    except NotImplementedError:
        raise ValueError(f"{rep.id}: holidays {rep.holidays!r} are not known; write US, US-CA or DE-BY") from None
    return {day: name for day, name in known.items() if first <= day <= last}


@lru_cache(maxsize=256)
def _holidays(code: str, first: int, last: int) -> dict[date, str]:
    country, _, part = code.partition("-")
    return dict(holidays.country_holidays(country, subdiv=part or None, years=range(first, last + 1)))
