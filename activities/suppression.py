"""Keeping an opt-out, asked by a lead: the same as what webhooks, gateway and pages do by themselves."""

from __future__ import annotations

from temporalio import activity
from temporalio.service import RPCError

from workflows.effects import KeepOptOut

from . import faults, gate


@activity.defn
async def keep_opt_out(request: KeepOptOut) -> None:
    """Start the OptOutWorkflow of each handle, or tell the one that runs. Idempotent by ``request.at``."""
    try:
        await gate.start_opt_out(
            activity.client(), request.handles, request.lead, request.channel, request.at, request.words
        )
    except RPCError as error:
        raise faults.retry(f"the opt-out could not be kept: {error.status.name}") from error
