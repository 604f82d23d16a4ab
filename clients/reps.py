"""``showrate rep``: who takes meetings, and switching a rep off or on."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities import library, roster
from activities.settings import settings
from workflows.roster import Team
from workflows.rotation import SetActive, Shares

from . import printing
from .leads import Unknown, Unreachable
from .terminal import CODES, AsJson, Who, Words, answer, run

app = typer.Typer(help=f"Who takes meetings. {CODES}", no_args_is_help=True)

Rep = Annotated[str, typer.Argument(metavar="REP", help="A rep's id, as the team's file has it.")]


@app.command("list")
def show(as_json: AsJson = False) -> None:
    """Every rep of every team, and whether they take meetings now."""

    async def work(client: Client | None) -> list[Shares]:
        assert client is not None
        found = []
        for team in _teams():
            try:
                found.append(await roster.shares(client, team.id))
            except LookupError:  # it has given no turn yet: as it is written down
                found.append(await roster.set_roster(client, team))
            except ApplicationError as error:
                raise Unreachable(f"the team {team.id} does not answer: {error.message}") from None
        return found

    teams = run(work)
    answer([each.in_full() for each in teams], as_json, lambda: _print(teams))


@app.command()
def off(rep: Rep, by: Who = "", words: Words = "", as_json: AsJson = False) -> None:
    """Switch a rep off: their coming meetings and their leads go to others with the reason, or stand for review."""
    _switch(rep, False, by, words, as_json)


@app.command()
def on(rep: Rep, by: Who = "", words: Words = "", as_json: AsJson = False) -> None:
    """Switch a rep on again: they get their share from now on, and are owed nothing for the time away."""
    _switch(rep, True, by, words, as_json)


def _switch(rep: str, active: bool, by: str, words: str, as_json: bool) -> None:
    teams = [team for team in _teams() if any(one.id == rep for one in team.reps)]

    async def work(client: Client | None) -> list[Shares]:
        assert client is not None
        if not teams:
            known = ", ".join(one.id for team in _teams() for one in team.reps)
            raise Unknown(f"there is no rep {rep}; there are {known}")
        asked = SetActive(rep=rep, active=active, by=by or "command", why=words)
        try:
            return [await roster.set_active(client, team.id, asked) for team in teams]
        except ApplicationError as error:
            raise Unreachable(f"the team does not answer: {error.message}") from None

    found = run(work)
    answer([each.in_full() for each in found], as_json, lambda: _print(found))


def _teams() -> list[Team]:
    return library.teams(settings().showrate_playbooks)


def _print(teams: list[Shares]) -> None:
    for team in teams:
        table = Table(title=team.team, title_justify="left", box=None, header_style="dim")
        for column in ("rep", "name", "takes meetings"):
            table.add_column(column)
        for share in team.shares:
            table.add_row(
                share.rep, share.name, "yes" if share.active else "no", style="" if share.active else "yellow"
            )
        printing.out.print(table)
