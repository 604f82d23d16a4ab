"""What the commands share: how they reach a lead, how they print, and what their exit codes mean.

0 done; 1 refused or failed; 2 misused; 3 no such lead; 4 Temporal, the record or the web process did not answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from temporalio.client import Client

from activities.vendors import temporal
from workflows.playbook import PlaybookError

from . import printing, stories
from .leads import Refused, Unknown, Unreachable

REFUSED, MISUSED, NOT_FOUND, UNREACHABLE = 1, 2, 3, 4
CONNECT_WITHIN = 5.0
"""Seconds that Temporal may take to answer."""

CODES = "Exit codes: 0 done, 1 refused or failed, 2 misused, 3 no such lead, 4 not reachable."
_T = TypeVar("_T")

AsJson = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]
Who = Annotated[str, typer.Option("--by", help="Your name, noted with what you do.", envvar="USER")]
Words = Annotated[str, typer.Option("--words", help="Why, in your words.")]


async def lead_of(client: Client | None, named: str) -> str:
    """The id of the lead that ``named`` (an id, a number, an address) means. Raises Unknown, Unreachable."""
    return (await stories.named(client, named)).lead


def run(
    work: Callable[[Client | None], Awaitable[_T]], *, need: bool = True, connect: bool = True
) -> _T:
    """Run ``work`` with a client of Temporal; our errors become messages and exit codes. Without ``need``, a Temporal
    that does not answer leaves ``work`` to the record."""

    async def whole() -> _T:
        client = None
        if connect:
            try:
                async with asyncio.timeout(CONNECT_WITHIN):
                    client = await temporal.connect(identity="showrate command")
            except (RuntimeError, TimeoutError) as error:
                if need:
                    raise Unreachable("Temporal does not answer; TEMPORAL_ADDRESS says where it is") from error
        return await work(client)

    try:
        return asyncio.run(whole())
    except Unknown as error:
        fail(NOT_FOUND, str(error))
    except Unreachable as error:
        fail(UNREACHABLE, str(error))
    except (Refused, PlaybookError) as error:
        fail(REFUSED, str(error))
    except ValueError as error:  # a missing or malformed setting
        fail(MISUSED, str(error))


def instant(text: str) -> datetime | None:
    """An option's instant, None when it was not given; without an offset it is misused."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        fail(MISUSED, f"{text!r} is no time; write 2027-03-12T15:00:00-05:00")
    if at.tzinfo is None:
        fail(MISUSED, f"{text!r} has no zone; add an offset, such as {text}Z")
    return at


def answer(data: Any, as_json: bool, shown: Callable[[], None]) -> None:
    """Print ``data`` for programs, or what ``shown`` prints for people."""
    if as_json:
        sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    else:
        shown()


def fail(code: int, message: str) -> NoReturn:
    """Say what is wrong on standard error and end with ``code``."""
    printing.err.print(f"showrate: {message}")
    raise typer.Exit(code)
