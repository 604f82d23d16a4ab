"""A rep's ledger, as activities and clients ask it (``workflows/ledger.py`` says what the answers mean)."""

from __future__ import annotations

from temporalio.client import Client

from workflows import identity, messages
from workflows.ledger import Ahead, AskAhead, AskTaken, Commit, HoldTime, Meeting, Release, Standing, Taken
from workflows.rep_workflow import RepStart

from .entity import Entity, ask, read, update_id


async def hold(client: Client, rep: str, asked: HoldTime) -> Standing:
    """Claim a time of ``rep``. Raises as :func:`activities.entity.ask`, but never LookupError."""
    return await ask(client, _ledger(rep), "hold", asked, Standing, update_id(asked.booking, "hold"))


async def commit(client: Client, rep: str, asked: Commit) -> Standing:
    """The hold becomes a booking."""
    return await ask(client, _ledger(rep), "commit", asked, Standing, update_id(asked.booking, "commit"))


async def release(client: Client, rep: str, asked: Release) -> Standing:
    """Free the booking's time; its id is spent."""
    return await ask(client, _ledger(rep), "release", asked, Standing, update_id(asked.booking, "release"))


async def taken(client: Client, rep: str, asked: AskTaken) -> Taken:
    """What keeps ``rep`` busy. A ledger that was never started holds nothing."""
    try:
        return await read(client, _ledger(rep), "taken", asked, Taken)
    except LookupError:
        return Taken()


async def ahead(client: Client, rep: str, asked: AskAhead) -> tuple[Meeting, ...]:
    """The meetings of ``rep`` that are not over. A ledger that was never started has none."""
    try:
        return (await read(client, _ledger(rep), "ahead", asked, Ahead)).meetings
    except LookupError:
        return ()


def _ledger(rep: str) -> Entity:
    return Entity(messages.REP, identity.rep_id(rep), RepStart(rep=rep), f"ledger of {rep}")
