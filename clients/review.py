"""``showrate review``: what people should look at, the most pressing first, and what they do about it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer
from temporalio.client import Client

from workflows.messages import Answer

from . import printing, queue, stories
from .terminal import CODES, REFUSED, AsJson, Who, Words, answer, run

app = typer.Typer(help=f"What people should look at, and what they do about it. {CODES}", no_args_is_help=True)

Number = Annotated[int, typer.Argument(metavar="NUMBER", help="The item's number, as `showrate review list` shows it.")]


class Resolution(StrEnum):
    """How an item is resolved; which of these it takes, ``show`` says."""

    retry = "retry"
    undo = "undo"
    correct = "correct"
    hand_over = "hand_over"
    approve = "approve"
    reject = "reject"
    done = "done"


@app.command("list")
def listed(
    kind: Annotated[str, typer.Option(help="Only this kind, such as approval or sample.")] = "",
    owner: Annotated[str, typer.Option(help="Only leads of this rep.")] = "",
    lead: Annotated[str, typer.Option(help="Only this lead (its id).")] = "",
    closed: Annotated[bool, typer.Option("--closed", help="What is over, with who resolved it and how.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    as_json: AsJson = False,
) -> None:
    """What is open, ranked by what hangs on it and how much of its time is gone."""

    async def work(client: Client | None) -> list[queue.Ranked]:
        return await queue.queue(kind=kind, owner=owner, lead=lead, closed=closed, limit=limit)

    found = run(work, need=False, connect=False)
    answer([queue.as_json(each) for each in found], as_json, lambda: printing.out.print(printing.queue(found)))


@app.command()
def show(number: Number, as_json: AsJson = False) -> None:
    """One item: what it is about, why it stands where it stands, the conversation if it is one, and how to resolve it."""

    async def work(client: Client | None) -> tuple[queue.Ranked, stories.Story]:
        ranked = await queue.shown(number)
        return ranked, await stories.story(client, ranked.filed.lead.lead)

    ranked, told = run(work, need=False)
    call = queue.talk(told, ranked)
    data: dict[str, Any] = {**queue.as_json(ranked), "call": call.in_full() if call else None}
    answer(data, as_json, lambda: printing.out.print(printing.item(ranked, call)))


@app.command()
def resolve(
    number: Number,
    way: Annotated[Resolution, typer.Argument(metavar="WAY", help="How: retry, undo, correct, hand_over, approve, reject or done.")],
    words: Words = "",
    field: Annotated[str, typer.Option(help="To correct: the field.")] = "",
    value: Annotated[str, typer.Option(help="To correct: what is true.")] = "",
    to: Annotated[str, typer.Option(help="To hand over: who takes the lead; you by default.")] = "",
    by: Who = "command",
    as_json: AsJson = False,
) -> None:
    """Do it, and note who did and why."""

    async def work(client: Client | None) -> Answer:
        return await queue.resolve(
            client, number, way.value, by=by or "command", words=words, field=field, value=value, to=to
        )

    verdict = run(work)
    data = {"number": number, "way": way.value, **verdict.in_full()}
    answer(data, as_json, lambda: printing.out.print(queue.told(way.value, verdict)))
    if not verdict.allowed:
        raise typer.Exit(REFUSED)
