"""The ``showrate`` command: what the console's pages do, for scripts and terminals, and the processes' starters.

Exit codes: 0 done; 1 refused or failed; 2 misused; 3 no such lead; 4 Temporal, the record or the web process did not
answer.
"""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer
from temporalio.client import Client

from activities import funnel as funnels

from . import calendars, crm, digest, events, lead, leads, playbook, printing, reps, review, rules, slots, stories
from .evaluation import command as evaluation
from .terminal import CODES, AsJson, Who, Words, answer, instant, lead_of, run

app = typer.Typer(
    name="showrate",
    help=f"Turns a form fill into a meeting that is held. {CODES}",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(lead.app, name="lead")
app.add_typer(review.app, name="review")
app.add_typer(playbook.app, name="playbook")
app.add_typer(rules.app, name="rules")
app.command("eval", help=evaluation.HELP)(evaluation.evaluate)
app.add_typer(reps.app, name="rep")
app.add_typer(calendars.app, name="calendars")
app.add_typer(crm.app, name="crm")
app.add_typer(events.app, name="events")
app.command("digest")(digest.digest)
app.command("slots")(slots.slots_of_day)
app.command("fairness")(slots.fairness)

Scope = Annotated[
    str, typer.Argument(metavar="SCOPE", help="everything, audience:NAME, channel:call|text|email, or a lead.")
]


# ---- processes -------------------------------------------------------------------------------------------------


def _become(*arguments: str) -> None:
    """Replace this process: the other rooms are started, never imported."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", *arguments])


_PASSED = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command(context_settings=_PASSED, add_help_option=False)
def demo(context: typer.Context) -> None:
    """Everything on this machine, with stand-ins for every vendor: --once runs the cast, --seed N draws it."""
    _become("workers", "demo", *context.args)


@app.command(context_settings=_PASSED, add_help_option=False)
def setup(context: typer.Context) -> None:
    """Make what must exist once: search attributes, identity key, CRM properties; --new-keys prints fresh keys."""
    _become("workers", "setup", *context.args)


@app.command(context_settings=_PASSED, add_help_option=False)
def worker(context: typer.Context) -> None:
    """The Temporal worker, until SIGTERM."""
    _become("workers", "worker", *context.args)


@app.command(context_settings=_PASSED, add_help_option=False)
def sandbox(context: typer.Context) -> None:
    """Stand-ins for the phone, calendar, CRM, chat and language model."""
    _become("workers", "sandbox", *context.args)


@app.command()
def serve() -> None:
    """The web process: intake, webhooks, live calls, console. SHOWRATE_HOST and SHOWRATE_PORT say where."""
    _become("clients.web")


# ---- everybody at once -----------------------------------------------------------------------------------------


@app.command()
def pause(scope: Scope = "everything", words: Words = "", by: Who = "command", as_json: AsJson = False) -> None:
    """Stop contact: within a second nothing new is dialled or sent. Opt-outs and inbound still work."""
    _set_paused(scope, True, by, words, as_json)


@app.command()
def resume(scope: Scope = "everything", by: Who = "command", as_json: AsJson = False) -> None:
    """Let contact go on: what was held is planned again and spread out."""
    _set_paused(scope, False, by, "", as_json)


def _set_paused(scope: str, pausing: bool, by: str, words: str, as_json: bool) -> None:
    async def work(client: Client | None) -> dict[str, Any]:
        about = scope
        if scope != "everything" and not scope.startswith(("audience:", "channel:")):
            about = await lead_of(client, scope)
        return await leads.set_paused(client, about, pausing, by or "command", words)

    done = run(work)
    later = "; it holds as soon as a worker runs" if done["waiting"] else ""
    said = f"{done['scope']} is {'paused' if pausing else 'no longer paused'}{later}"
    answer(done, as_json, lambda: printing.out.print(said))


class By(StrEnum):
    """What the funnel is told apart by."""

    source = "source"
    audience = "audience"


@app.command()
def funnel(
    by: Annotated[By | None, typer.Option(help="Tell the people apart by this.")] = None,
    source: Annotated[str, typer.Option(help="Only this source.")] = "",
    audience: Annotated[str, typer.Option(help="Only this audience.")] = "",
    since: Annotated[str, typer.Option(help="First forms from this instant on, such as 2027-03-01T00:00:00Z.")] = "",
    until: Annotated[str, typer.Option(help="First forms before this instant.")] = "",
    as_json: AsJson = False,
) -> None:
    """Each person once, by milestones ever reached; the time to the first ring; every lead not called and why."""
    start, end = instant(since), instant(until)

    async def work(client: Client | None) -> funnels.Funnel:
        return await stories.from_record(
            lambda: funnels.funnel(
                source=source, audience=audience, since=start, until=end, by=by.value if by else ""
            )
        )

    counted = run(work, need=False, connect=False)

    def shown() -> None:
        printing.out.print(funnels.table(counted))
        if counted.total.not_called:
            printing.out.print(funnels.not_called_table(counted))

    answer(counted.in_full(), as_json, shown)


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
