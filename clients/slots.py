"""``showrate slots`` and ``showrate fairness``: why each hour of a day is or is not offered, and whose turn it is."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.table import Table
from rich.text import Text
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities import availability, calendars, ledger, library, roster
from activities.settings import settings
from workflows import caps, timetable
from workflows.ledger import AskTaken, TakenTime
from workflows.model import Model
from workflows.playbook import MeetingType
from workflows.roster import Rep
from workflows.rotation import Shares
from workflows.timetable import Hour

from . import printing
from .leads import Unknown, Unreachable
from .terminal import MISUSED, AsJson, answer, fail, run

MARKS = {"offered": ("●", "green"), "calendar": ("■", "yellow"), "booked": ("■", "cyan"), "held": ("■", "cyan")}


class RepDay(Model):
    """One rep's day: every time with its verdict; ``unread`` says what could not be looked at."""

    rep: str
    name: str
    zone: str
    seen_from: str
    hours: tuple[Hour, ...]
    unread: tuple[str, ...] = ()


def slots_of_day(
    who: Annotated[str, typer.Option("--for", help="A rep's id, or a team's.", metavar="REP|TEAM")],
    on: Annotated[str, typer.Option("--on", help="The day, as 2027-03-12.", metavar="DATE")],
    zone: Annotated[str, typer.Option("--in", help="The zone whose day it is; the rep's own by default.")] = "",
    playbook: Annotated[str, typer.Option(help="The playbook whose meeting is asked for.")] = "inbound",
    everything: Annotated[bool, typer.Option("--all", help="Also the hours outside of working time.")] = False,
    as_json: AsJson = False,
) -> None:
    """Why each hour of a day is or is not offered: hours, holidays, clock changes, calendar, bookings, caps."""
    try:
        day = date.fromisoformat(on)
    except ValueError:
        fail(MISUSED, f"--on {on!r} is no date; write 2027-03-12")
    if zone:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            fail(MISUSED, f"--in {zone!r} is no time zone; write America/New_York")

    async def work(client: Client | None) -> list[RepDay]:
        reps, meeting = await reps_of(client, who), meeting_of(playbook)
        return list(await asyncio.gather(*(_day(client, rep, meeting, day, zone or rep.zone) for rep in reps)))

    days = run(work, need=False)
    answer([each.in_full() for each in days], as_json, lambda: _print(days, day, everything))


def fairness(
    team: Annotated[str, typer.Argument(help="The team's id.")] = "sales",
    as_json: AsJson = False,
) -> None:
    """Each rep's share of the meetings against their weight, and why each of the latest went where it did."""

    async def work(client: Client | None) -> Shares:
        assert client is not None
        try:
            return await roster.shares(client, team)
        except LookupError:
            raise Unknown(f"the team {team} has given no turn yet") from None
        except ApplicationError as error:
            raise Unreachable(f"the team {team} does not answer: {error.message}") from None

    found = run(work)
    answer(found.in_full(), as_json, lambda: _print_shares(found))


async def reps_of(client: Client | None, who: str = "") -> list[Rep]:
    """The reps of the team, or with the id, ``who``, everybody when it is empty: as the running team knows them, else as
    they are written down. Raises Unknown."""
    written = library.teams(settings().showrate_playbooks)
    teams = []
    for team in written:
        try:
            teams.append(await roster.roster(client, team.id) if client else team)
        except (LookupError, ApplicationError):
            teams.append(team)
    everybody = [rep for team in teams for rep in team.reps]
    reps = [rep for team in teams if team.id == who for rep in team.reps]
    reps = reps or [rep for rep in everybody if who in ("", rep.id)]
    if not reps:
        known = [team.id for team in teams] + [rep.id for rep in everybody]
        raise Unknown(f"there is no rep or team {who}; there are {', '.join(known)}")
    return reps


def meeting_of(name: str) -> MeetingType:
    """The meeting of the playbook ``name``. Raises Unknown."""
    written = {book.name: book for book in library.playbooks(settings().showrate_playbooks)}
    if name not in written:
        raise Unknown(f"there is no playbook {name}; there are {', '.join(written)}")
    return written[name].meeting


async def _day(client: Client | None, rep: Rep, meeting: MeetingType, day: date, zone: str) -> RepDay:
    now = datetime.now(UTC)
    midnight = datetime.combine(day, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
    margin = timedelta(days=1) + meeting.length + meeting.buffer_before + meeting.buffer_after
    since, until = midnight - margin, midnight + timedelta(days=1) + margin
    unread: list[str] = []
    calendar = calendars.Known()
    try:
        calendar = await calendars.look(rep, since, until, meeting.length)
    except ApplicationError as error:
        unread.append(f"the calendar could not be read ({error.message}), so nothing of it would be offered")
    taken: tuple[TakenTime, ...] = ()
    try:
        if client is None:
            raise Unreachable("Temporal does not answer")
        first, last = caps.counted(rep, meeting, since, until)
        taken = (await ledger.taken(client, rep.id, AskTaken(since=first, until=last, now=now))).times
    except (Unreachable, ApplicationError):
        unread.append("the ledger could not be read, so bookings are missing here")
    hours = timetable.explain(
        rep,
        meeting,
        day,
        zone,
        now,
        timetable.busy_of(calendar.busy, taken),
        taken,
        availability.days_off(rep, since, until),
    )
    hours = [_opened(hour, calendar) for hour in hours]
    return RepDay(rep=rep.id, name=rep.name, zone=rep.zone, seen_from=zone, hours=tuple(hours), unread=tuple(unread))


def _opened(hour: Hour, calendar: calendars.Known) -> Hour:
    """An hour that would be offered, but that the calendar's vendor keeps shut by its own settings."""
    if not hour.offered or hour.start is None or calendar.openings is None or hour.start in calendar.openings:
        return hour
    return hour.model_copy(update={"rule": "calendar", "why": "the rep's own booking page does not offer it"})


def _print(days: list[RepDay], day: date, everything: bool) -> None:
    for each in days:
        offered = sum(hour.offered for hour in each.hours)
        title = f"{each.name}, {day:%A %d %B %Y}: {offered} of {len(each.hours)} times offered"
        printing.out.print(title, style="italic")
        table = Table(box=None, show_header=True, header_style="dim")
        table.add_column("")
        if each.seen_from != each.zone:
            table.add_column(each.seen_from)
        table.add_column(each.zone)
        table.add_column("why")
        for hour in each.hours:
            if hour.rule == "hours" and not everything:
                continue
            mark, style = MARKS.get(hour.rule, ("·", "dim"))
            row = [Text(mark, style=style)]
            if each.seen_from != each.zone:
                row.append(Text(_clock(hour, each.seen_from)))
            table.add_row(*row, Text(hour.clock), Text(hour.why, style=style))
        printing.out.print(table)
        if not table.row_count:
            printing.out.print("  no working time on this day; --all shows every hour", style="dim")
        for trouble in each.unread:
            printing.out.print(f"▲ {trouble}", style="yellow")
        printing.out.print()


def _clock(hour: Hour, zone: str) -> str:
    return f"{hour.start.astimezone(ZoneInfo(zone)):%a %H:%M}" if hour.start else "-"


def _print_shares(found: Shares) -> None:
    table = Table(title=f"{found.team}: whose meetings", title_justify="left", box=None, header_style="dim")
    for column in ("rep", "weight", "had", "due", "drift", "no-shows", ""):
        table.add_column(column, justify="left" if column in ("rep", "") else "right")
    for share in found.shares:
        table.add_row(
            share.name, f"{share.weight:g}", str(share.had), f"{share.due:.1f}", f"{share.drift:+.1f}", str(share.no_shows),
            "" if share.active else "takes no meetings now",
        )  # fmt: skip
    printing.out.print(table)
    printing.out.print(f"No drift exceeds {found.bound}, but for turns given back or taken out of turn.", style="dim")
    for turn in found.recent[:10]:
        printing.out.print(f"  {turn.at:%Y-%m-%d %H:%M}Z  {turn.rep}  {turn.reason} ({turn.state.replace('_', ' ')})")


__all__ = ["RepDay", "fairness", "meeting_of", "reps_of", "slots_of_day"]
