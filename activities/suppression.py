"""Keeping an opt-out, asked by a lead: the same as what webhooks, gateway and pages do by themselves."""

from __future__ import annotations

from temporalio import activity
from temporalio.service import RPCError

from workflows.effects import KeepOptOut
from workflows.identity import handle_id

from . import faults, gate
from .settings import settings


@activity.defn
async def keep_opt_out(request: KeepOptOut) -> None:
    """Start the OptOutWorkflow of each handle, or tell the one that runs. Idempotent by ``request.at``."""
    handles = {*request.handles, *(handle_id(settings().identity_key, address) for address in request.addresses)}
    try:
        await gate.start_opt_out(activity.client(), handles, request.lead, request.channel, request.at, request.words)
    except RPCError as error:
        raise faults.retry(f"the opt-out could not be kept: {error.status.name}") from error
