"""Two leads of one person become one, and two people who share a number are not rung at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from temporalio import activity
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from workflows import story
from workflows.effects import FindTwins, FoundTwins, TakeIn, TakenIn
from workflows.messages import View, YieldTo

from . import faults, store

_PATIENCE = 60.0
"""Seconds of one attempt: the other lead may be in a call, and is then asked again."""
_HOPS = 5
"""So many leads may have gone into one another before the one that is asked for."""
_ANSWERS = 3.0
"""Seconds within which a lead must say whether it is in a call."""
_AGAIN = 1.0
"""Seconds after which the first of two that want to dial one number looks again: the second has stood back by then."""


@activity.defn
async def take_in(request: TakeIn) -> TakenIn:
    """Ask the other lead to go into this one. Raises ``retry`` while it is busy or cannot be reached."""
    other = request.other
    for hop in range(_HOPS):
        if other == request.lead:
            return TakenIn(other=request.other)
        try:
            return TakenIn(other=other, state=await _yielded(other, request, hop))
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            if not isinstance(cause, ApplicationError) or not cause.non_retryable:
                if await _takes_all(other, request.lead):
                    return TakenIn(other=other, refused="mutual")
                raise faults.retry(f"{other} is busy") from error
            if cause.type != story.MERGED:
                return TakenIn(other=other, refused=cause.type or "refused")
            other = cause.message
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise faults.retry(f"{other} could not be asked: {error.status.name}") from error
            return TakenIn(other=other, state=await _remembered(other, request.lead))
    raise faults.permanent(f"{request.other} was merged too often")


async def _yielded(other: str, request: TakeIn, hop: int) -> dict[str, Any]:
    asked = YieldTo(into=request.lead, by=request.by, booked=request.booked)
    handle = activity.client().get_workflow_handle(other)
    update = f"yield:{request.lead}:{activity.info().activity_id}:{hop}"
    try:
        async with asyncio.timeout(_PATIENCE):
            state: dict[str, Any] = await handle.execute_update("yield_to", asked, id=update, result_type=dict)
            return state
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        raise faults.retry(f"{other} is not quiet yet") from None


async def _takes_all(other: str, lead: str) -> bool:
    """Whether ``other`` is taking in, one by way of the next, ``lead`` itself: a ring, in which nobody would ever be free.
    The smallest id of it takes all in, and is asked by nobody."""
    ring = [other]
    while len(ring) < _HOPS:
        try:
            async with asyncio.timeout(_ANSWERS):
                seen: View = await activity.client().get_workflow_handle(ring[-1]).query("view", result_type=View)
        except (RPCError, TimeoutError, WorkflowQueryFailedError):
            return False  # asked again with the next attempt
        first = next(iter(seen.joining), "")
        if first == lead:
            return other == min(*ring, lead)
        if not first or first in ring:
            return False
        ring.append(first)
    return False


async def _remembered(other: str, into: str) -> dict[str, Any] | None:
    """What the record has of a lead whose execution is over."""
    try:
        return await asyncio.to_thread(store.merge, other, into)
    except SQLAlchemyError as error:
        raise faults.retry(f"the record could not be written: {type(error).__name__}") from error


@activity.defn
async def find_twins(request: FindTwins) -> FoundTwins:
    """Whether these leads are still there. Raises ``retry`` while Temporal cannot say."""
    gone: list[str] = []
    moved: dict[str, str] = {}
    for lead in request.leads:
        handle = activity.client().get_workflow_handle(lead)
        try:
            if (await handle.describe()).status != WorkflowExecutionStatus.RUNNING:
                gone.append(lead)
                continue
            async with asyncio.timeout(_ANSWERS):
                seen: View = await handle.query("view", result_type=View)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise faults.retry(f"{lead} could not be looked for: {error.status.name}") from error
            gone.append(lead)
        except (TimeoutError, WorkflowQueryFailedError):
            continue  # it is there, and more it does not say
        else:
            moved |= {lead: seen.merged_into} if seen.merged_into else {}
    return FoundTwins(gone=tuple(gone), moved=moved)


async def line_busy(client: Client, lead: str, beside: Iterable[str]) -> bool:
    """Whether one of the leads ``beside``, who share this lead's number, has a call under way.

    Each lead notes its dial before it asks, so that of two at least one sees the other. When both only begin, the one with the
    smaller id looks once more. Raises ``retry`` when one cannot say: nothing is dialled then."""
    for other in beside:
        call = await _on_call(client, other)
        if call == "queued" and lead < other:
            await asyncio.sleep(_AGAIN)
            call = await _on_call(client, other)
        if call:
            return True
    return False


async def _on_call(client: Client, lead: str) -> str:
    try:
        async with asyncio.timeout(_ANSWERS):
            seen: View = await client.get_workflow_handle(lead).query("view", result_type=View)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return ""
        raise faults.retry(f"{lead} could not be asked: {error.status.name}") from error
    except TimeoutError as error:
        raise faults.retry(f"{lead} did not say whether it is in a call") from error
    return seen.on_call if not seen.merged_into else ""
