"""``showrate calendars check``: whether the account behind each rep's calendar can do all that we need of it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text
from temporalio.client import Client

from activities import calendars
from activities.calendars import Ability
from workflows.model import Model
from workflows.playbook import MeetingType
from workflows.roster import Rep

from . import printing
from .slots import meeting_of, reps_of
from .terminal import CODES, REFUSED, AsJson, answer, run

app = typer.Typer(help=f"The reps' calendars. {CODES}", no_args_is_help=True)


class Checked(Model):
    """What one rep's calendar can do."""

    rep: str
    name: str
    calendar: str
    abilities: tuple[Ability, ...]

    @property
    def able(self) -> bool:
        return all(one.able for one in self.abilities)


@app.callback()
def _group() -> None:
    """Keeps ``check`` a command of its own while it is the only one."""


@app.command()
def check(
    who: Annotated[
        str, typer.Argument(metavar="[REP|TEAM]", help="A rep's id, or a team's; everybody by default.")
    ] = "",
    playbook: Annotated[str, typer.Option(help="The playbook whose meeting has to fit.")] = "inbound",
    as_json: AsJson = False,
) -> None:
    """Whether each rep's calendar can be read and written, cancelled and invited from, and tells us of changes.

    Found out without leaving anything behind. Ends with 1 when anything that is needed is missing."""

    async def work(client: Client | None) -> list[Checked]:
        meeting = meeting_of(playbook)
        return list(await asyncio.gather(*(_checked(rep, meeting) for rep in await reps_of(client, who))))

    found = run(work, need=False)
    answer([each.in_full() for each in found], as_json, lambda: _print(found))
    if not all(each.able for each in found):
        raise typer.Exit(REFUSED)


async def _checked(rep: Rep, meeting: MeetingType) -> Checked:
    abilities = tuple(await calendars.check(rep, meeting.length))
    return Checked(rep=rep.id, name=rep.name, calendar=rep.calendar, abilities=abilities)


def _print(found: list[Checked]) -> None:
    table = Table(box=None, header_style="dim")
    for column in ("rep", "calendar", *calendars.NEEDS):
        table.add_column(column)
    for each in found:
        marks = [Text("✓", "green") if one.able else Text("✖", "red") for one in each.abilities]
        table.add_row(each.name, each.calendar, *marks)
    printing.out.print(table)
    for each in found:
        for (why, remedy), names in _missing(each).items():
            printing.out.print(f"▲ {each.name}: {', '.join(names)}: {why}; {remedy}", style="yellow", soft_wrap=True)


def _missing(checked: Checked) -> dict[tuple[str, str], list[str]]:
    """What cannot be done, by its reason and remedy."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in checked.abilities:
        if not one.able:
            found.setdefault((one.why, one.remedy), []).append(one.name)
    return found
