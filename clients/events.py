"""``showrate events``: where outgoing webhooks go and how they do, sending them again, and switching one on again."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer
from rich.table import Table
from temporalio.client import Client

from activities import catalogue, health, outbox, stream
from activities.endpoints import Endpoint, new_secret
from activities.outbox import State
from activities.settings import settings
from activities.stream import Told
from activities.vendors.webhook import Forbidden, Sender
from workflows.model import Instant, Model

from . import printing, stories
from .leads import Refused, Unknown
from .phrases import ago
from .terminal import CODES, MISUSED, AsJson, answer, fail, instant, run

app = typer.Typer(help=f"Outgoing webhooks; docs/events.md tells what they hold. {CODES}", no_args_is_help=True)

_PAGE = 500


class Seen(Model):
    """An endpoint as people see it: ``behind`` entries are not looked at yet, ``waiting`` events are tried again,
    ``given_up`` were not taken in a day and a half."""

    name: str
    state: str
    delivered: int = 0
    delivered_at: Instant | None = None
    behind: int = 0
    waiting: int = 0
    given_up: tuple[int, ...] = ()
    why: str = ""


@app.command("endpoints")
def show(as_json: AsJson = False) -> None:
    """Every endpoint, and how it does."""

    async def work(client: Client | None) -> list[Seen]:
        return await stories.from_record(_seen)

    found = run(work, need=False, connect=False)

    def shown() -> None:
        table = Table(box=None, header_style="dim", pad_edge=False)
        for name in ("endpoint", "state", "delivered", "last", "behind", "waiting", "given up", "why"):
            table.add_column(name, no_wrap=name not in ("given up", "why"))
        now = datetime.now(UTC)
        for one in found:
            last = ago(one.delivered_at, now) if one.delivered_at else "never"
            given_up = f"{len(one.given_up)}" + (f" (first: {one.given_up[0]})" if one.given_up else "")
            counts = (str(one.delivered), last, str(one.behind), str(one.waiting), given_up)
            table.add_row(one.name, one.state, *counts, one.why)
        printing.out.print(table if found else "no endpoints; SHOWRATE_WEBHOOKS names them")

    answer([one.in_full() for one in found], as_json, shown)


def _seen() -> list[Seen]:
    states = {state.name: state for state in outbox.states()}
    newest, parked = stream.last_seq(), outbox.parked()
    found = []
    for name in settings().showrate_webhooks:
        state = states.get(name, State(name=name, cursor=newest))
        mine = [each for each in parked if each.endpoint == name]
        given_up = tuple(each.seq for each in mine if each.again_at is None)
        seen = Seen(
            name=name, state=_state(state, name in states), delivered=state.delivered, delivered_at=state.delivered_at,
            behind=newest - state.cursor, waiting=len(mine) - len(given_up), given_up=given_up, why=state.why,
        )  # fmt: skip
        found.append(seen)
    return found


def _state(state: State, known: bool) -> str:
    if not known:
        return "begins with the next event"
    if state.disabled_at:
        return "switched off"
    return "fails" if state.failing_since else "well"


@app.command()
def enable(name: Annotated[str, typer.Argument(metavar="ENDPOINT")]) -> None:
    """Switch an endpoint on again: it gets what has happened since, in order."""

    async def work(client: Client | None) -> bool:
        done = await stories.from_record(lambda: outbox.enable(name))
        if done:
            await asyncio.to_thread(health.switched_on, name, datetime.now(UTC))
        return done

    if not run(work, need=False, connect=False):
        fail(MISUSED, f"there is no endpoint {name}; `showrate events endpoints` lists them")
    printing.out.print(f"{name} is delivered to")


@app.command()
def secret() -> None:
    """Print a fresh secret for SHOWRATE_WEBHOOKS: put it before the old one, change the receiver, remove the old one."""
    printing.out.print(new_secret())


class Again(Model):
    """What became of a replay: the numbers of those that were not taken."""

    sent: int = 0
    skipped: int = 0
    failed: tuple[int, ...] = ()
    why: str = ""


@app.command()
def replay(
    start: Annotated[int, typer.Option("--from", min=0, help="The first event's seq.")] = 0,
    since: Annotated[str, typer.Option(help="Or: what happened from this instant on, such as 2027-03-01T00:00:00Z.")] = "",
    until: Annotated[int, typer.Option(min=0, help="The last event's seq; the newest when 0.")] = 0,
    lead: Annotated[str, typer.Option(help="Only this lead's: its id, number or address.")] = "",
    to: Annotated[str, typer.Option(help="An endpoint's name, or a URL.")] = "",
    signed_as: Annotated[str, typer.Option("--as", help="For a URL: the endpoint with whose secret it is signed.")] = "",
    as_json: AsJson = False,
) -> None:
    """Send events again, in order, under the ids that they had: a receiver that took one before knows it. What an
    endpoint does not take stops the lead that it belongs to, not the others."""
    at = instant(since)
    if bool(start) == bool(at):
        fail(MISUSED, "give --from SEQ or --since TIME")
    endpoint = _endpoint(to, signed_as)

    async def work(client: Client | None) -> Again:
        only = await stories.find(lead) if lead else []
        if lead and not only:
            raise Unknown(f"{lead!r} is no lead's id, phone number or e-mail address")
        first = start if at is None else await stories.from_record(lambda: stream.first_seq(at))
        try:
            return await send_again(endpoint, first, until, only)
        except Forbidden as error:
            raise Refused(str(error)) from error

    done = run(work, need=False, connect=False)

    def shown() -> None:
        printing.out.print(f"{done.sent} sent to {endpoint.url}")
        if done.failed:
            more = f", {done.skipped} of their leads' later ones were not tried" if done.skipped else ""
            printing.out.print(f"{len(done.failed)} not taken ({done.why}), the first is seq {done.failed[0]}{more}")

    answer(done.in_full(), as_json, shown)
    if done.failed:
        raise typer.Exit(1)


def _endpoint(to: str, signed_as: str) -> Endpoint:
    """Where a replay goes: a known endpoint, the only one when none is named, or a URL."""
    known = settings().showrate_webhooks
    name = signed_as if "://" in to else to
    if not name and len(known) == 1:
        name = next(iter(known))
    if name not in known:
        option = "--as" if "://" in to else "--to"
        fail(MISUSED, f"name an endpoint with {option}: {', '.join(known) or 'SHOWRATE_WEBHOOKS has none'}")
    if "://" not in to:
        return known[name]
    try:
        return Endpoint(**{**known[name].model_dump(), "url": to})
    except ValueError:
        fail(MISUSED, f"{to} is no address to send to; write https://host/path")


async def send_again(endpoint: Endpoint, first: int, last: int = 0, only: Collection[str] = ()) -> Again:
    """Send the events from ``first`` to ``last`` (0: the newest) that ``endpoint`` wants, of the leads ``only`` where any
    are named. Raises Forbidden, Unreachable."""
    newest = last or await stories.from_record(stream.last_seq)
    sender = Sender(endpoint.url, endpoint.secrets)
    done = Again()
    stopped: set[str] = set()
    after = first - 1
    try:
        while page := await stories.from_record(partial(stream.tail, after, _PAGE)):
            for told in page:
                if told.seq > newest:
                    return done
                if (not only or told.lead in only) and endpoint.wants(catalogue.type_of(told.entry.kind)):
                    done = await _send(sender, endpoint, told, done, stopped)
            after = page[-1].seq
        return done
    finally:
        await sender.close()


async def _send(sender: Sender, endpoint: Endpoint, told: Told, done: Again, stopped: set[str]) -> Again:
    if told.lead in stopped:
        return done.model_copy(update={"skipped": done.skipped + 1})
    body = await asyncio.to_thread(catalogue.body, told, endpoint.detail)
    answered = await sender.post(catalogue.event_id(told), body)
    if answered.ok:
        return done.model_copy(update={"sent": done.sent + 1})
    stopped.add(told.lead)
    return done.model_copy(update={"failed": (*done.failed, told.seq), "why": answered.why})
