"""Waking the leads that a pause held back."""

from __future__ import annotations

import asyncio

from temporalio import activity
from temporalio.service import RPCError

from workflows import attributes, messages
from workflows.control_workflow import scope_fault
from workflows.effects import WakeLeads
from workflows.messages import Wake

from . import entity, faults

_GAP = 0.01
"""Seconds between two signals, so that a pause over many leads does not end in a burst at the server."""


@activity.defn
async def wake_leads(request: WakeLeads) -> int:
    """Signal ``resume`` to every open lead that shows as held by ``request.scope``; how many were signalled.

    Idempotent: a lead that was woken no longer shows as held, and a second signal carries the first's id."""
    if fault := scope_fault(request.scope):
        raise faults.permanent(fault)
    info = activity.info()
    wake = Wake(by=request.by, scope=request.scope, id=f"wake:{info.workflow_run_id}:{info.activity_id}")
    woken = 0
    query = (
        f"WorkflowType = '{messages.LEAD}' AND ExecutionStatus = 'Running'"
        f" AND {attributes.HELD.name} = '{request.scope}'"
    )
    client = activity.client()
    try:
        async for lead in client.list_workflows(query):
            woken += await entity.tell(client, lead.id, "resume", wake)
            activity.heartbeat(woken)
            await asyncio.sleep(_GAP)
    except RPCError as error:
        raise faults.retry(f"woke {woken} leads, then: {error.status.name}") from error
    return woken
