"""What every dispatch asks first: has anyone of these handles opted out, is anything paused?

Nothing is sent when the answer cannot be had. Both are read by describing workflows, which needs neither a
query nor a worker and is not billed; the opt-outs each time, what is paused at most a quarter of a second
old.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from temporalio import activity
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from workflows import identity, messages
from workflows.control_workflow import MEMO, ControlStart, Pause, Paused, Resume, holding, scope_fault
from workflows.effects import Gate
from workflows.events import Form
from workflows.optout_workflow import OptOutStart, Stop

from . import faults
from .vendors import temporal

_FRESH = 0.25
"""Seconds that an answer about what is paused may be old."""
_PATIENCE = 5.0
"""Seconds within which the server must answer."""
_PER_REQUEST = timedelta(seconds=2)

_LEAD = identity.lead_id("")


async def ask(gate: Gate, channel: str, client: Client | None = None) -> str:
    """May ``gate``'s lead be contacted over ``channel`` (call, text, email) now? '' means go; else the
    rule that forbids it: ``opted_out``, ``paused:everything``, ``paused:audience:NAME`` or
    ``paused:channel:CHANNEL``.

    ``client`` is the activity's own unless given. Raises faults.retry when the answer cannot be had."""
    client = client or activity.client()
    handles = {handle for handle in gate.handles if handle}
    if gate.lead.startswith(_LEAD):
        handles.add(gate.lead.removeprefix(_LEAD))  # the id is a handle's hash too: no lead goes unasked
    try:
        async with asyncio.timeout(_PATIENCE):
            *opted_out, scopes = await asyncio.gather(
                *(_opted_out(client, handle) for handle in handles),
                _paused_scopes(client),
                return_exceptions=True,
            )
    except TimeoutError as error:
        raise faults.retry(f"the gate had no answer within {_PATIENCE:.0f} s") from error
    if any(answer is True for answer in opted_out):
        return "opted_out"
    for answer in (*opted_out, scopes):
        if isinstance(answer, BaseException):
            raise faults.retry(f"the gate could not be asked: {type(answer).__name__}") from answer
    assert isinstance(scopes, frozenset)
    scope = holding(scopes, gate.audience, channel)
    return f"paused:{scope}" if scope else ""


async def paused(client: Client, audience: str, channel: str) -> str:
    """Is contact with ``audience`` over ``channel`` paused? '' or the rule, as :func:`ask` words it. Cheap
    enough to ask several times a second. Raises faults.retry when the answer cannot be had."""
    try:
        async with asyncio.timeout(_PATIENCE):
            scope = holding(await _paused_scopes(client), audience, channel)
    except (TimeoutError, RPCError) as error:
        raise faults.retry(f"the gate could not be asked: {type(error).__name__}") from error
    return f"paused:{scope}" if scope else ""


async def opted_out(client: Client, handle: str) -> bool:
    """Has the handle of this hash opted out? Raises faults.retry when the answer cannot be had."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await _opted_out(client, handle)
    except (TimeoutError, RPCError) as error:
        raise faults.retry(f"the gate could not be asked: {type(error).__name__}") from error


def handles(lead: str, person: Form | None) -> set[str]:
    """Every hash under which the opt-out of this lead has to stand."""
    known = {lead.removeprefix(_LEAD)}
    if person is not None:
        known |= {person.phone_hash, person.email_hash}
    return known - {""}


async def start_opt_out(
    client: Client, handles: Iterable[str], lead: str, channel: str, at: datetime, words: str = ""
) -> None:
    """Make the opt-out of each handle (hash) durable; the caller acknowledges only after this returned. A
    repeat with the same ``at`` changes nothing, another is kept as evidence. Needs no worker. Raises
    RPCError."""
    said = Stop(channel=channel, at=at, lead=lead, words=words)
    await asyncio.gather(
        *(
            client.start_workflow(
                messages.OPT_OUT,
                OptOutStart(handle=handle),
                id=identity.optout_id(handle),
                task_queue=messages.QUEUE,
                start_signal="opted_out",
                start_signal_args=[said],
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary="said stop: nothing is sent or dialled",
            )
            for handle in sorted({handle for handle in handles if handle})
        )
    )


async def pause(client: Client, scope: str, by: str, why: str = "") -> Paused:
    """Pause ``scope`` (``everything``, ``audience:NAME``, ``channel:call|text|email``); what is paused then.

    When no worker answers in time the request is left as a signal, which holds as soon as one runs, and the
    answer says ``waiting``. Raises ValueError on an unknown scope, RPCError when the server is away."""
    return await _tell(client, "pause", Pause(scope=_checked(scope), by=by, why=why))


async def resume(client: Client, scope: str, by: str) -> Paused:
    """Resume ``scope`` and wake the leads that it held, otherwise as :func:`pause`."""
    return await _tell(client, "resume", Resume(scope=_checked(scope), by=by))


async def paused_scopes(client: Client) -> frozenset[str]:
    """All that is paused now. Raises RPCError."""
    return await _paused_scopes(client)


def _checked(scope: str) -> str:
    if fault := scope_fault(scope):
        raise ValueError(fault)
    return scope


async def _tell(client: Client, name: str, asked: Pause | Resume) -> Paused:
    start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        messages.CONTROL,
        ControlStart(),
        id=identity.CONTROL_ID,
        task_queue=messages.QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary="what is paused",
    )
    try:
        async with asyncio.timeout(_PATIENCE):
            answer: Paused = await client.execute_update_with_start_workflow(
                name, asked, start_workflow_operation=start, result_type=Paused
            )
            return answer
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        # An update that no worker took is lost; a signal is not.
        await client.start_workflow(
            messages.CONTROL,
            ControlStart(),
            id=identity.CONTROL_ID,
            task_queue=messages.QUEUE,
            start_signal=name,
            start_signal_args=[asked],
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary="what is paused",
        )
        return Paused(waiting=True)
    finally:
        temporal.read(start)
        _standing.pop(client, None)


async def _opted_out(client: Client, handle: str) -> bool:
    """An opt-out that ended in any way but its opt-in (terminated, say) still counts. Raises RPCError."""
    try:
        asked = client.get_workflow_handle(identity.optout_id(handle))
        found = await asked.describe(rpc_timeout=_PER_REQUEST)
    except RPCError as error:
        if _unknown_workflow(error):
            return False
        raise
    return found.status != WorkflowExecutionStatus.COMPLETED


def _unknown_workflow(error: RPCError) -> bool:
    """Told from an unknown namespace, which is a wrong setting and says nothing about anybody."""
    if error.status != RPCStatusCode.NOT_FOUND:
        return False
    return not any(detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in error.grpc_status.details)


class _Standing:
    """A reading of what is paused, shared by all who ask within :data:`_FRESH` of its beginning."""

    def __init__(self, client: Client) -> None:
        self.asked = time.monotonic()
        self.answer = asyncio.ensure_future(_read_paused(client))

    def fresh(self) -> bool:
        if self.answer.done() and (self.answer.cancelled() or self.answer.exception() is not None):
            return False
        return time.monotonic() - self.asked < _FRESH


_standing: WeakKeyDictionary[Client, _Standing] = WeakKeyDictionary()


async def _paused_scopes(client: Client) -> frozenset[str]:
    standing = _standing.get(client)
    if standing is None or not standing.fresh():
        standing = _standing[client] = _Standing(client)
    # Shielded: one asker that gives up must not take the answer from the others.
    return await asyncio.shield(standing.answer)


async def _read_paused(client: Client) -> frozenset[str]:
    """From the memo, which outlasts the workflow's end: what was paused stays paused until somebody
    resumes."""
    try:
        found = await client.get_workflow_handle(identity.CONTROL_ID).describe(rpc_timeout=_PER_REQUEST)
    except RPCError as error:
        if _unknown_workflow(error):
            return frozenset()
        raise
    scopes: list[str] = await found.memo_value(MEMO, default=[], type_hint=list[str])
    return frozenset(scopes)
