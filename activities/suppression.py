"""Keeping an opt-out, asked by a lead: the same as what webhooks, gateway and pages do by themselves."""

from __future__ import annotations

import asyncio

from sqlalchemy.exc import SQLAlchemyError
from temporalio import activity
from temporalio.service import RPCError

from workflows.effects import KeepOptOut
from workflows.identity import handle_id

from . import faults, gate, handles
from .settings import settings


@activity.defn
async def keep_opt_out(request: KeepOptOut) -> None:
    """Start the OptOutWorkflow of each handle, or tell the one that runs. Idempotent by ``request.at``. An address that no
    form brought is the lead's from then on, in the record too, so that their START ends its opt-out with the others."""
    theirs = {handle_id(settings().identity_key, address) for address in request.addresses}
    every = theirs.union(request.handles)
    try:
        await gate.start_opt_out(activity.client(), every, request.lead, request.channel, request.at, request.words)
        if learned := theirs.difference(request.handles):
            await asyncio.to_thread(handles.learn, request.lead, learned)
    except RPCError as error:
        raise faults.retry(f"the opt-out could not be kept: {error.status.name}") from error
    except SQLAlchemyError as error:
        raise faults.retry(f"the record does not know the lead's addresses yet: {type(error).__name__}") from error
