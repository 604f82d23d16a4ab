"""``showrate digest``: a day of a team in a few lines, and posting it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities import daily, library
from activities import digest as digests
from activities.crm import lead_page
from activities.settings import settings
from workflows.roster import Team, last_day

from . import printing, stories
from .leads import Unknown, Unreachable
from .terminal import MISUSED, AsJson, answer, fail, run


def digest(
    team: Annotated[str, typer.Option(help="A team's id; the only one when there is one.")] = "",
    day: Annotated[str, typer.Option(help="A date, such as 2027-03-12; the last day that is over by default.")] = "",
    post: Annotated[bool, typer.Option(help="Post it to the reps' channel, unless it stands there.")] = False,
    as_json: AsJson = False,
) -> None:
    """A team's day: calls, what came of them, missed calls, money that waits, mess, missing confirmations, and who is
    stuck. A Temporal Schedule posts it each morning."""
    asked = None
    if day:
        try:
            asked = date.fromisoformat(day)
        except ValueError:
            fail(MISUSED, f"{day!r} is no date; write 2027-03-12")

    async def work(client: Client | None) -> tuple[digests.Digest, str]:
        chosen = _team(team)
        when = asked or last_day(chosen.zone, datetime.now(UTC))
        told = await stories.from_record(lambda: digests.gather(chosen, when))
        if not post:
            return told, ""
        try:
            done = await daily.post(chosen, when)
        except ApplicationError as error:
            raise Unreachable(error.message) from error
        return told, "posted" if done.posted else done.why

    told, posted = run(work, need=False, connect=False)
    data: dict[str, Any] = told.in_full() | ({"posted": posted} if post else {})

    def shown() -> None:
        printing.out.print(drawn(told))
        if posted:
            printing.out.print(f"\n{posted}")

    answer(data, as_json, shown)


def _team(named: str) -> Team:
    """Raises Unknown."""
    teams = {one.id: one for one in library.teams(settings().showrate_playbooks)}
    if named not in teams and (named or len(teams) != 1):
        raise Unknown(f"name a team with --team: {', '.join(teams) or 'there is none'}")
    return teams[named] if named else next(iter(teams.values()))


def drawn(told: digests.Digest) -> RenderableType:
    """For the terminal."""
    lines: list[RenderableType] = [Text(digests.title(told), style="bold")]
    for section in digests.sections(told):
        lines += [Text(""), Text(section.title, style="bold dim")]
        lines += [Text(f"  {line}") for line in section.lines]
        for person in section.people:
            line = Text(f"  {person.name or person.lead}: {person.why}")
            line.append(f"  {lead_page(person.lead)}", style="dim")
            lines.append(line)
        lines += [Text(f"  {line}", style="cyan") for line in section.picture]
    return Group(*lines)
