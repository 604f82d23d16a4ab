"""Asking a workflow that keeps something (a rep's ledger, a team's turns): updates and queries with a time limit.

Plain functions over a Temporal client, for activities and clients alike. The workflows recognise a repeat by the
booking's id and answer how it stands *now*. Temporal's own deduplication by update id would repeat the answer of
then: an attempt that comes late would be told "held" of a time that was released meanwhile.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from workflows.messages import QUEUE

from . import faults
from .settings import settings

Answer = TypeVar("Answer")

_AT_ONCE = 8
"""Updates to one workflow that a process has in flight. Temporal takes ten of them at once; the eleventh is refused and
the SDK asks again later and later, so that under load few are answered in time."""
_lines: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[str, asyncio.Semaphore]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Entity:
    """A workflow by type and id; ``start`` is the input to start it with, ``summary`` its line in Temporal's UI."""

    workflow: str
    id: str
    start: Any = None
    summary: str = ""


def update_id(booking: str, step: str) -> str:
    """An id that says in the history what the update was about, and is used once."""
    return f"{booking}:{step}:{secrets.token_hex(4)}"


async def ask(
    client: Client, entity: Entity, update: str, asked: Any, answer: type[Answer], id: str | None = None
) -> Answer:
    """The answer to an update. A workflow that does not run is started with it, when ``entity.start`` is given.

    Raises LookupError when it does not run and cannot be started so, ``retry`` when no answer came in time (the
    update may have been carried out: ask again under the same id), ``permanent`` when it was refused."""
    return await _in_time(entity, _in_line(client, entity, update, asked, answer, id))


async def read(client: Client, entity: Entity, query: str, asked: Any, answer: type[Answer]) -> Answer:
    """The answer to a query; ``asked`` None for one without input. Raises as :func:`ask`; starts nothing."""
    handle = client.get_workflow_handle(entity.id)
    inputs = [] if asked is None else [asked]
    return await _in_time(entity, handle.query(query, args=inputs, result_type=answer))


async def _in_line(
    client: Client, entity: Entity, update: str, asked: Any, answer: type[Answer], id: str | None
) -> Answer:
    async with _line(entity):
        return await _updated(client, entity, update, asked, answer, id)


async def _updated(
    client: Client, entity: Entity, update: str, asked: Any, answer: type[Answer], id: str | None
) -> Answer:
    # The plain update first: it is three times as fast, and an entity is started once in its life.
    try:
        handle = client.get_workflow_handle(entity.id)
        found: Answer = await handle.execute_update(update, asked, id=id, result_type=answer)
        return found
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND or entity.start is None:
            raise
    begun: Any = WithStartWorkflowOperation(
        entity.workflow,
        entity.start,
        id=entity.id,
        task_queue=QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=entity.summary or None,
    )
    started: Answer = await client.execute_update_with_start_workflow(
        update, asked, start_workflow_operation=begun, id=id, result_type=answer
    )
    return started


async def tell(client: Client, workflow: str, signal: str, told: Any) -> bool:
    """Signal the workflow with this id. False when it does not run, or ended meanwhile; raises RPCError for all else."""
    try:
        await client.get_workflow_handle(workflow).signal(signal, told)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


def _line(entity: Entity) -> asyncio.Semaphore:
    """Where this process's updates to ``entity`` wait for each other, first come first served."""
    lines = _lines.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    line = lines.get(entity.id)
    if line is None:
        line = lines[entity.id] = asyncio.Semaphore(_AT_ONCE)
    return line


async def _in_time(entity: Entity, asking: Awaitable[Answer]) -> Answer:
    try:
        async with asyncio.timeout(settings().showrate_timeout):
            return await asking
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        raise faults.retry(f"{entity.id} did not answer in time") from None
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        if isinstance(cause, ApplicationError) and cause.type == "AcceptedUpdateCompletedWorkflow":
            raise faults.retry(f"{entity.id} was just continuing as new") from error
        words = cause.message if isinstance(cause, ApplicationError) else type(cause).__name__
        raise faults.permanent(f"{entity.id} refused: {words}") from error
    except WorkflowQueryFailedError as error:
        raise faults.retry(f"{entity.id} could not be read: {type(error).__name__}") from error
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise LookupError(f"{entity.id} does not run") from error
        raise faults.retry(f"{entity.id} could not be asked: {error.status.name}") from error
