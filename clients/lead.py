"""``showrate lead``: look at leads and change them."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import httpx
import typer
from temporalio.client import Client

from activities.settings import settings
from workflows.messages import Answer

from . import leads, printing, stories, timeline
from .api import reasons
from .leads import STAGES
from .stories import Story
from .terminal import (
    CODES,
    MISUSED,
    NOT_FOUND,
    REFUSED,
    UNREACHABLE,
    AsJson,
    Who,
    Words,
    answer,
    fail,
    instant,
    lead_of,
    run,
)

app = typer.Typer(help=f"Look at leads and change them. {CODES}", no_args_is_help=True)

Named = Annotated[str, typer.Argument(metavar="LEAD", help="A lead's id, phone number or e-mail address.")]


@app.command()
def submit(
    phone: Annotated[str, typer.Option(help="Phone number.")] = "",
    email: Annotated[str, typer.Option(help="E-mail address.")] = "",
    name: Annotated[str, typer.Option(help="Name.")] = "",
    company: Annotated[str, typer.Option(help="Company.")] = "",
    message: Annotated[str, typer.Option(help="What they wrote.")] = "",
    source: Annotated[str, typer.Option(help="The form's source; the first of SHOWRATE_SOURCES by default.")] = "",
    audience: Annotated[
        str, typer.Option(help="Whose playbook it gets, such as outbound; the source's by default.")
    ] = "",
    state: Annotated[str, typer.Option(help="State, such as CA.")] = "",
    zip_code: Annotated[str, typer.Option("--zip", help="ZIP code.")] = "",
    consent: Annotated[str, typer.Option(help="The consent text that they accepted.")] = "",
    submission: Annotated[str, typer.Option("--id", help="Makes a repeat harmless.")] = "",
    field: Annotated[list[str] | None, typer.Option(help="Any other field, as name=value; repeat it.")] = None,
    url: Annotated[str, typer.Option(help="The web process; SHOWRATE_PUBLIC_URL by default.")] = "",
    as_json: AsJson = False,
) -> None:
    """Post a form to the intake, as a site would."""
    house = settings()
    chosen = source or next(iter(house.showrate_sources), "")
    fields = {
        "phone": phone, "email": email, "name": name, "company": company, "message": message, "source": chosen, "audience": audience,
        "state": state, "zip": zip_code, "submission_id": submission, "key": house.showrate_sources.get(chosen, ""),
        "consent_text": consent, "consent": "yes" if consent else "",
    }  # fmt: skip
    for pair in field or []:
        key, equals, value = pair.partition("=")
        if not equals:
            fail(MISUSED, f"{pair!r} is no field; write name=value")
        fields[key] = value
    try:
        response = httpx.post(
            f"{url.rstrip('/') or house.showrate_public_url}/leads",
            json={key: value for key, value in fields.items() if value},
            timeout=15,
        )
        said = response.json()
    except (httpx.HTTPError, ValueError) as error:
        fail(UNREACHABLE, f"the intake does not answer ({type(error).__name__}); is `showrate serve` running?")
    if response.status_code != 202:
        problems = "; ".join(f"{p['field']}: {p['problem']}; {p['remedy']}" for p in said.get("problems", []))
        fail(UNREACHABLE if response.status_code >= 500 else REFUSED, problems or f"status {response.status_code}")
    answer(said, as_json, lambda: printing.out.print(said["lead"]))


@app.command()
def show(lead: Named, as_json: AsJson = False) -> None:
    """One lead: where it stands, what comes next, and its story as a timeline."""

    async def work(client: Client | None) -> Story:
        return await stories.named(client, lead)

    told = run(work, need=False)
    answer(stories.as_json(told), as_json, lambda: printing.out.print(printing.lead(told)))


@app.command()
def why(lead: Named, as_json: AsJson = False) -> None:
    """Why: what comes next, how they fit, what waits for a person, the touches that the playbook lists, made or missing by
    which rule, every decision with its rule, and of each call its path, its turns' times, its verdicts with their evidence, and how the concerns went."""

    async def work(client: Client | None) -> Story:
        return await stories.named(client, lead)

    told = run(work, need=False)
    answer(reasons(told), as_json, lambda: printing.out.print(printing.reasons(told)))


@app.command("list")
def list_leads(
    stage: Annotated[str, typer.Option(help="Only this stage, such as booked.")] = "",
    audience: Annotated[str, typer.Option(help="Only this audience.")] = "",
    source: Annotated[str, typer.Option(help="Only this source.")] = "",
    owner: Annotated[str, typer.Option(help="Only this rep's.")] = "",
    review: Annotated[bool, typer.Option("--review", help="Only those that a person should look at.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Leads, the latest changed first."""
    if stage and stage.replace("-", "_") not in STAGES:
        fail(MISUSED, f"there is no stage {stage}; there are {', '.join(STAGES)}")
    stage = stage.replace("-", "_")

    async def work(client: Client | None) -> list[stories.Row]:
        return await stories.rows(
            client, stage=stage, audience=audience, source=source, owner=owner, review=review or None, limit=limit,
            offset=offset,
        )  # fmt: skip

    found = run(work, need=False)
    data = [row.in_full() for row in found]
    answer(data, as_json, lambda: printing.out.print(printing.listing(found)))


@app.command()
def reschedule(
    lead: Named,
    start: Annotated[str, typer.Option(help="The new time with its offset, such as 2027-03-12T15:00:00-05:00.")] = "",
    slot: Annotated[str, typer.Option(help="An offered slot's id.")] = "",
    by: Who = "command",
    as_json: AsJson = False,
) -> None:
    """Move the meeting: the new time is booked before the old one is let go."""
    if bool(start) == bool(slot):
        fail(MISUSED, "give either --start or --slot")
    _change("reschedule", lead, by, as_json, start=instant(start), slot=slot)


@app.command()
def cancel(lead: Named, words: Words = "", by: Who = "command", as_json: AsJson = False) -> None:
    """Cancel the meeting."""
    _change("cancel", lead, by, as_json, words=words)


@app.command()
def undo(lead: Named, words: Words = "", by: Who = "command", as_json: AsJson = False) -> None:
    """Take back the last booking, move or cancellation: what was before stands again, if it is still free."""
    _change("undo", lead, by, as_json, words=words)


@app.command("take-over")
def take_over(lead: Named, words: Words = "", by: Who = "command", as_json: AsJson = False) -> None:
    """A person takes over: the agent starts nothing more."""
    _change("take-over", lead, by, as_json, words=words)


@app.command()
def release(lead: Named, by: Who = "command", as_json: AsJson = False) -> None:
    """Hand the lead back to the agent."""
    _change("release", lead, by, as_json)


@app.command()
def attended(lead: Named, by: Who = "command", as_json: AsJson = False) -> None:
    """Mark the meeting as attended."""
    _change("attended", lead, by, as_json)


@app.command("no-show")
def no_show(lead: Named, by: Who = "command", as_json: AsJson = False) -> None:
    """Mark the lead as not having come; recovery begins."""
    _change("no-show", lead, by, as_json)


@app.command("opt-out")
def opt_out(lead: Named, words: Words = "", by: Who = "command", as_json: AsJson = False) -> None:
    """Never contact this person again, on any channel."""
    _change("opt-out", lead, by, as_json, words=words)


@app.command("opt-in")
def opt_in(
    lead: Named, words: Annotated[str, typer.Option(help="What the person said or wrote.")], by: Who = "command", as_json: AsJson = False
) -> None:
    """They may be contacted again, because they said so: their opt-out ends on every channel."""
    _change("opt-in", lead, by, as_json, words=words)


Other = Annotated[str, typer.Argument(metavar="OTHER", help="The other lead: an id, a number or an address.")]


@app.command()
def merge(
    lead: Named,
    other: Other,
    keep: Annotated[str, typer.Option(help="Whose meeting stands where both have one: mine (LEAD's) or theirs.")] = "",
    words: Words = "",
    by: Who = "command",
    as_json: AsJson = False,
) -> None:
    """The other lead is the same person: its story, handles and meeting go into the first."""
    if keep not in ("", "mine", "theirs"):
        fail(MISUSED, "--keep is mine or theirs")

    async def work(client: Client | None) -> tuple[str, Answer]:
        into, gone = await lead_of(client, lead), await lead_of(client, other)
        return into, await leads.merge(client, into, gone, by=by or "command", words=words, keep=keep)

    _decide("merge", work, as_json)


@app.command()
def apart(lead: Named, other: Other, words: Words = "", by: Who = "command", as_json: AsJson = False) -> None:
    """The other lead is somebody else: both go on, and share what they share."""

    async def work(client: Client | None) -> tuple[str, Answer]:
        one, another = await lead_of(client, lead), await lead_of(client, other)
        return one, await leads.keep_apart(client, one, another, by=by or "command", words=words)

    _decide("apart", work, as_json)


def _decide(action: str, work: Callable[[Client | None], Awaitable[tuple[str, Answer]]], as_json: bool) -> None:
    named, verdict = run(work)
    data = {"lead": named, "action": action, **verdict.in_full()}
    answer(data, as_json, lambda: printing.out.print(leads.told(action, verdict)))
    if not verdict.allowed:
        raise typer.Exit(REFUSED)


Waiting = Annotated[str, typer.Argument(metavar="REQUEST", help="Which of several; the only one by default.")]


@app.command()
def approve(
    lead: Named, request: Waiting = "", words: Words = "", by: Who = "command", as_json: AsJson = False
) -> None:
    """Have the agent do what waits for a person (the playbook's ``propose``)."""
    _change("approve", lead, by, as_json, words=words, request=request)


@app.command()
def reject(lead: Named, request: Waiting = "", words: Words = "", by: Who = "command", as_json: AsJson = False) -> None:
    """Do not do what waits for a person; the lead is told that a colleague gets back to them."""
    _change("reject", lead, by, as_json, words=words, request=request)


@app.command()
def draw(
    lead: Named,
    attempt: Annotated[str, typer.Argument(help="Which call; the last by default.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write the SVG here; standard output by default.")] = None,
) -> None:
    """Draw a call as SVG: who spoke when, who broke in, what was silent, what was decided."""

    async def work(client: Client | None) -> Story:
        return await stories.named(client, lead)

    told = run(work, need=False)
    calls = [call for call in told.calls if call.transcript and attempt in ("", call.attempt)]
    if not calls:
        fail(NOT_FOUND, f"no call {attempt} with a conversation".replace("  ", " "))
    picture = timeline.draw(calls[-1])
    if out is None:
        sys.stdout.write(picture + "\n")
        return
    out.write_text(picture + "\n", encoding="utf-8")
    printing.out.print(f"wrote {out}")


def _change(
    action: str,
    named: str,
    by: str,
    as_json: bool,
    *,
    words: str = "",
    start: datetime | None = None,
    slot: str = "",
    request: str = "",
) -> None:
    async def work(client: Client | None) -> tuple[Story, Answer]:
        told = await stories.named(client, named)
        verdict = await leads.ask(
            client, told.lead, action, by=by or "command", words=words, start=start, slot=slot, request=request
        )
        return told, verdict

    told, verdict = run(work)
    data = {"lead": told.lead, "action": action, **verdict.in_full()}
    answer(data, as_json, lambda: printing.out.print(printing.verdict(leads.told(action, verdict), verdict, told.zone)))
    if not verdict.allowed:
        raise typer.Exit(REFUSED)
