"""``showrate rules``: what the calling gate says of a number, rule by rule, with what is known of the number here: do-not-call
lists, the log of dials, and what a vendor said of it before. Nobody is asked anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from activities import clearance, dials, numbers
from activities.settings import settings
from workflows import identity
from workflows.calling import NO_RULES, Contact, Judgement, judge, zones
from workflows.rulebook import Rulebook

from . import printing
from .phrases import words
from .playbook import written
from .regions import region_code
from .terminal import MISUSED, AsJson, answer, fail, instant

app = typer.Typer(
    help="The rules of calling and texting. Exit codes: 0 told, 1 a rule file is at fault, 2 misused, 3 no such playbook.",
    no_args_is_help=True,
)

_STYLES = {"allowed": "green", "exempt": "green", "wait": "yellow", "forbidden": "red", "unknown": "yellow", "duty": "cyan"}


class Consented(StrEnum):
    """What they gave."""

    written = "written"
    oral = "oral"
    asked = "asked"
    none = "none"


class Way(StrEnum):
    """How they are contacted."""

    call = "call"
    text = "text"


@app.callback()
def rules() -> None:
    """The rules of calling and texting."""


@app.command()
def explain(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="A phone number, in E.164 or as people write it.")],
    state: Annotated[str, typer.Option(help="The state that they stated: FL, Florida or US-FL.")] = "",
    consent: Annotated[Consented, typer.Option(help="asked: they asked for it, without a record of consent.")] = Consented.asked,
    at: Annotated[str, typer.Option(help="The moment, such as 2027-03-12T15:00:00-05:00; now by default.")] = "",
    heard: Annotated[str, typer.Option(help="When they last told us anything, or never; at that moment by default.")] = "",
    channel: Annotated[Way, typer.Option(help="How they are to be contacted.")] = Way.call,
    playbook: Annotated[str, typer.Option(help="A name in SHOWRATE_PLAYBOOKS, or the path of a file.")] = "inbound",
    as_json: AsJson = False,
) -> None:
    """Every rule with its verdict on one contact, and the first minute at which all allow it."""
    book = written(playbook)
    now = (instant(at) or datetime.now(UTC)).astimezone(UTC)
    try:
        phone = identity.phone_number(number, settings().showrate_region)
    except ValueError as error:
        fail(MISUSED, str(error))
    region = region_code(state) if state else ""
    if state and not region:
        fail(MISUSED, f"{state!r} is no state that is known; write FL, Florida or US-FL")
    heard_at = None if heard == "never" else instant(heard) or now
    asked = Contact(phone=phone, channel=channel.value, region=region, basis=consent.value, heard_at=heard_at)
    contact, missing = _known(asked, book.rules or NO_RULES, now)
    judgement = judge(contact, book, now)
    there = zones(phone, region, "", book.rules)
    answer(_data(contact, judgement, there) | {"unknown": _unknown(judgement), "not_asked": missing}, as_json, lambda: _shown(judgement, there, missing))


def _known(asked: Contact, rules: Rulebook, at: datetime) -> tuple[Contact, list[str]]:
    """``asked`` with what is known of the number here, and what could not be asked, in words."""
    found: dict[str, Any] = {"lists": clearance.listings(asked, [rules])}
    try:
        found["dials"] = dials.past(dials.handle(asked.phone), at).dials
        kept = numbers.peek(
            asked.phone, at, min((row.fresh for row in rules.lines), default=timedelta(0)), asked.heard_at,
            min((row.fresh for row in rules.reassigned), default=timedelta(0)),
        )  # fmt: skip
        found |= {"line": kept.line, "reassigned": kept.reassigned}
    except (ValueError, RuntimeError, SQLAlchemyError) as error:
        why = str(error) if isinstance(error, ValueError) else type(error).__name__
        return asked.model_copy(update=found), [f"the log of dials and what was looked up before: {why}"]
    return asked.model_copy(update=found), []


def _data(contact: Contact, judgement: Judgement, there: tuple[str, ...]) -> dict[str, Any]:
    return {
        "number": contact.phone, "channel": contact.channel, "zones": there,
        "first_allowed": judgement.at.isoformat() if judgement.at else None,
        "until": judgement.until.isoformat() if judgement.at and judgement.until else None, "rule": judgement.rule,
        "rules": [f.in_full() for f in judgement.findings],
    }  # fmt: skip


def _unknown(judgement: Judgement) -> list[str]:
    """The rules that need to know more; opt-outs are asked of the server at each dispatch, and not here."""
    return sorted(judgement.wanting - {"opted_out"})


def _shown(judgement: Judgement, there: tuple[str, ...], missing: list[str]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("rule", "where", "verdict", "why", "source"):
        table.add_column(column, overflow="fold")
    for each in judgement.findings:
        verdict = Text(words(each.verdict), style=_STYLES[each.verdict])
        table.add_row(words(each.rule), each.where, verdict, each.reason, each.source)
    printing.out.print(table)
    for what in missing:
        printing.out.print(f"not asked: {what}", style="yellow")
    if unknown := _unknown(judgement):
        looked_up = ", ".join(words(rule) for rule in unknown)
        printing.out.print(f"! looked up where it is dialled or sent: {looked_up}; what stays unknown there forbids", style="yellow")
    if judgement.at is None:
        printing.out.print(f"✖ never: {words(judgement.rule)}", style="red")
        return
    local = ", ".join(f"{judgement.at.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M} {zone}" for zone in there)
    why = f" ({words(judgement.rule)})" if judgement.rule else ""
    printing.out.print(f"✔ first allowed: {judgement.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC{why}; {local}", style="green")
