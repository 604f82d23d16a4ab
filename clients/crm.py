"""``showrate crm check``: whether the CRM account fits the playbooks' mapping."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.table import Table
from temporalio.client import Client

from activities import library
from activities.crm.check import Finding
from activities.crm.check import check as check_account
from activities.settings import settings
from activities.vendors import hubspot

from . import printing
from .terminal import CODES, MISUSED, REFUSED, AsJson, answer, fail, run

app = typer.Typer(help=f"The CRM. {CODES}", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps ``check`` a command of its own while it is the only one."""


@app.command()
def check(
    playbook: Annotated[str, typer.Argument(metavar="[PLAYBOOK]", help="Only this one; all of them by default.")] = "",
    as_json: AsJson = False,
) -> None:
    """Whether the CRM has every property, option, pipeline stage, owner, sequence and scope that the playbooks need.

    Names each that is missing or of another kind, with what to do. Ends with 1 when there is any."""
    if not hubspot.configured():
        fail(MISUSED, "there is no CRM; set HUBSPOT_ACCESS_TOKEN")

    async def work(_: Client | None) -> list[Finding]:
        folder = settings().showrate_playbooks
        books = await asyncio.to_thread(library.playbooks, folder)
        chosen = [book for book in books if playbook in ("", book.name)]
        if not chosen:
            fail(MISUSED, f"there is no playbook {playbook}; choose one of {', '.join(book.name for book in books)}")
        teams = await asyncio.to_thread(library.teams, folder)
        wanted = {book.team for book in chosen}
        return await check_account(chosen, [rep for team in teams if team.id in wanted for rep in team.reps])

    found = run(work, need=False)
    answer([each.in_full() for each in found], as_json, lambda: _print(found))
    if found:
        raise typer.Exit(REFUSED)


def _print(found: list[Finding]) -> None:
    if not found:
        printing.out.print("the CRM has all that the playbooks need")
        return
    table = Table(box=None, header_style="dim")
    for column in ("where", "problem", "remedy"):
        table.add_column(column, overflow="fold")
    for each in found:
        table.add_row(each.where, each.problem, each.remedy)
    printing.out.print(table)
