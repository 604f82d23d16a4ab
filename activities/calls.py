"""Calls: the activities that dial, hang up, and ask the carrier what became of a dial.

A dial is one attempt and never repeated here: what is not known to have failed is ambiguous, and looked up.
"""

from __future__ import annotations

from temporalio import activity

from workflows.effects import Dispatched, EndCall, FindCall, FoundCall, PlaceCall

from . import gate, metrics
from .dispatch import late
from .vendors import twilio


@activity.defn
async def place_call(request: PlaceCall) -> Dispatched:
    """Ask the gate, then dial. Raises ``ambiguous`` when the carrier may have taken it."""
    info = activity.info()
    metrics.dial_wait((info.started_time - info.scheduled_time).total_seconds())
    refused = "late" if late(request.not_after) else await gate.ask(request.gate, "call")
    # Asking takes time too: what became late meanwhile is not dialled.
    refused = refused or ("late" if late(request.not_after) else "")
    if refused:
        return Dispatched(refused=refused)
    sid = await twilio.place_call(
        request.gate.lead, request.attempt, request.to, request.ring, request.longest, request.playbook
    )
    return Dispatched(sid=sid)


@activity.defn
async def end_call(request: EndCall) -> None:
    """Idempotent."""
    await twilio.end_call(request.sid, request.say)


@activity.defn
async def find_call(request: FindCall) -> FoundCall:
    """Read only. The asking workflow is the lead whose attempt it is."""
    lead = activity.info().workflow_id or ""
    found = await twilio.find_call(lead, request.attempt, request.to, request.since, request.sid)
    return FoundCall() if found is None else FoundCall.model_validate(found.model_dump())
