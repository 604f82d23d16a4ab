"""Calls: the activities that dial, hang up, and ask the carrier what became of a dial.

A dial is one attempt and never repeated here: what is not known to have failed is ambiguous, and looked up. New calls
go through the carrier of the settings; a call that is known is asked of whoever carries it.
"""

from __future__ import annotations

from typing import Literal

from temporalio import activity
from temporalio.exceptions import ApplicationError

from workflows.effects import Dispatched, EndCall, FindCall, FoundCall, PlaceCall

from . import clearance, gate, look, metrics, twins
from .dispatch import late, now
from .settings import settings
from .vendors import retell, twilio

_Carrier = Literal["twilio", "retell"]
_NOT_TAKEN = frozenset({"retry", "retry_after", "permanent"})
"""The failures after which the carrier surely has no such call."""


def _carrier(sid: str) -> _Carrier:
    """Who carries the call ``sid``, or a call whose id is not known."""
    if not sid:
        return settings().showrate_carrier
    return "retell" if sid.startswith(retell.PREFIX) else "twilio"


@activity.defn
async def place_call(request: PlaceCall) -> Dispatched:
    """Ask the gate and the calling rules, then dial. Raises ``ambiguous`` when the carrier may have taken it."""
    info = activity.info()
    metrics.dial_wait((info.started_time - info.scheduled_time).total_seconds())
    glance = look.Glance(request)
    refused = "late" if late(request.not_after) else await gate.ask(request.gate, "call")
    if not refused and request.gate.beside:
        busy = await twins.line_busy(activity.client(), request.gate.lead, request.gate.beside)
        refused = "number_busy" if busy else ""
    if refused:
        glance.drop()
        return Dispatched(refused=refused)
    cleared = await clearance.dial(
        request.contact, request.to, request.playbook, now(), request.gate.lead, request.attempt
    )
    if cleared.refusal is not None:
        glance.drop()
        return Dispatched(refused=cleared.refusal.rule, refusal=cleared.refusal)
    try:
        # Asking takes time too: what became late or unwanted meanwhile is not dialled.
        known = await glance.word()
        refused = glance.forbids(known) or (await gate.ask(request.gate, "call") if cleared.slow else "")
        if refused or late(request.not_after):
            await clearance.struck(cleared.dial)
            glance.drop()
            return Dispatched(refused=refused or "late", known=known)
        sid = await _placed(request)
        glance.follow()
        return Dispatched(sid=sid, known=known)
    except ApplicationError as error:
        if error.type in _NOT_TAKEN:
            await clearance.struck(cleared.dial)
        raise


async def _placed(request: PlaceCall) -> str:
    named = request.gate.lead, request.attempt, request.to, request.ring, request.longest
    if _carrier("") == "retell":
        return await retell.place_call(*named)
    return await twilio.place_call(*named, request.playbook)


@activity.defn
async def end_call(request: EndCall) -> None:
    """Idempotent."""
    carrier = retell if _carrier(request.sid) == "retell" else twilio
    await carrier.end_call(request.sid, request.say)


@activity.defn
async def find_call(request: FindCall) -> FoundCall:
    """Read only. The asking workflow is the lead whose attempt it is."""
    lead = activity.info().workflow_id or ""
    carrier = retell if _carrier(request.sid) == "retell" else twilio
    found = await carrier.find_call(lead, request.attempt, request.to, request.since, request.sid)
    return FoundCall() if found is None else FoundCall.model_validate(found.model_dump())
