"""Telling the leads of a rep who takes no meetings any more; each finds its own way then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError

from workflows import attributes, messages
from workflows.effects import RehomeLeads
from workflows.events import RepLeft

from . import entity, faults

_GAP = 0.01
"""Seconds between two signals: each of them books anew."""


@activity.defn
async def rehome_leads(request: RehomeLeads) -> int:
    """Signal ``rep_left`` to the leads that the team named and to every open lead that the rep owns; how many.

    Idempotent: a repeat carries the id of the first news, and a lead takes an id once."""
    info, client = activity.info(), activity.client()
    news = RepLeft(
        at=request.now, id=f"left:{info.workflow_run_id}:{info.activity_id}", rep=request.rep, name=request.name,
        by=request.by, why=request.why,
    )  # fmt: skip
    told = 0
    try:
        async for lead in _leads(client, request):
            told += await entity.tell(client, lead, "rep_left", news)
            activity.heartbeat(told)
            await asyncio.sleep(_GAP)
    except RPCError as error:
        raise faults.retry(f"told {told} leads, then: {error.status.name}") from error
    return told


async def _leads(client: Client, request: RehomeLeads) -> AsyncIterator[str]:
    named = set(request.leads)
    for lead in request.leads:
        yield lead
    query = (
        f"WorkflowType = '{messages.LEAD}' AND ExecutionStatus = 'Running'"
        f" AND {attributes.OWNER.name} = '{request.rep}'"
    )
    async for owned in client.list_workflows(query):
        if owned.id not in named:
            yield owned.id
