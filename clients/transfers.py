"""Calls that are put through to a colleague: what the carrier is told to do, what the colleague hears, what the lead is
told."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError

from activities import entity
from activities.vendors import twilio
from workflows.events import TransferTold
from workflows.identity import phone_number
from workflows.playbook import registered
from workflows.wording import asked, first_name, render

from . import leads
from .leads import Unknown, Unreachable

log = logging.getLogger(__name__)

TELL_WITHIN = 3.0
"""Seconds that the carrier waits for what it is to do while the lead is told."""
TELL_TRIES = 60
TELL_PAUSE = 10.0
"""Seconds between the tries that follow."""
_LONGEST_RING = 120
_telling: set[asyncio.Task[None]] = set()
_UNKNOWN = "You have a caller on the line. Press any key to take the call."
"""What is said when the lead cannot be read: the call is put through all the same."""


def put_through(lead: str, attempt: str, handoff: str, playbook: str) -> str:
    """TwiML for what our gateway said when it ended the session. A hang-up when that cannot be read."""
    try:
        given: dict[str, Any] = json.loads(handoff)
        to, ring = phone_number(str(given["to"])), min(max(int(given["ring"]), 1), _LONGEST_RING)
    except (ValueError, KeyError, TypeError):
        log.error("%s/%s: the call cannot be put through: the carrier gave back what we did not send", lead, attempt)
        return twilio.hang_up()
    return twilio.put_through(lead, attempt, to, ring, playbook)


async def whispered(client: Client | None, lead: str, playbook: str) -> str:
    """Who is on the line and what about, in the playbook's words, for the colleague alone."""
    book = registered().get(playbook)
    try:
        seen = await leads.view(client, lead)
    except (Unknown, Unreachable):
        return _UNKNOWN
    book = book or registered().get(seen.playbook)
    if book is None:
        return _UNKNOWN
    person = seen.person
    name = first_name(person.name) if person else ""
    known = {"company": book.company.name, "agent": book.agent.name, "name": name or "a lead", "asked": asked(book, person)}
    return render(book.speech.whisper, known)


async def tell(
    client: Callable[[], Client | None], lead: str, attempt: str, sid: str, status: str, seconds: int = 0
) -> None:
    """Tell the lead; a repeat is recognised. People are on the line who do not wait for us: while Temporal is away, the
    lead is told as soon as it is back, and the news keep their instant."""
    told = TransferTold.model_validate(
        {"at": datetime.now(UTC), "id": f"transfer:{attempt}:{sid}:{status}", "attempt": attempt, "status": status, "seconds": seconds}
    )
    if not await _taken(client(), lead, told):
        task = asyncio.create_task(_tell_later(client, lead, told))
        _telling.add(task)
        task.add_done_callback(_telling.discard)


async def _taken(client: Client | None, lead: str, told: TransferTold) -> bool:
    if client is None:
        return False
    try:
        async with asyncio.timeout(TELL_WITHIN):
            if not await entity.tell(client, lead, "call_transferred", told):
                log.info("%s is over or unknown; what became of its transfer was dropped", lead)
    except (RPCError, TimeoutError) as error:
        log.warning("%s was not told of its transfer: %s", lead, type(error).__name__)
        return False
    return True


async def _tell_later(client: Callable[[], Client | None], lead: str, told: TransferTold) -> None:
    for _ in range(TELL_TRIES):
        await asyncio.sleep(TELL_PAUSE)
        if await _taken(client(), lead, told):
            return
    log.error("%s was never told that its transfer is %s", lead, told.status)
