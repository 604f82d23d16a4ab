"""What a live call asks of its lead: the brief, its actions, its reports. Each is an update with a deadline and an id
of its own, so that a repeat changes nothing."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any, TypeVar

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.settings import Settings, settings
from activities.vendors import temporal
from workflows import identity, messages
from workflows.attributes import start_attributes
from workflows.conversation import signals
from workflows.events import CallLearned, ConversationEnded, Form, FormSubmitted
from workflows.messages import Act, Answer, Brief, Connect, Report

from .audiences import audience_of, newest
from .intake import recall, whose
from .wire import Setup

log = logging.getLogger(__name__)

CONNECT_WITHIN = 4.0
"""Seconds for one try to get the lead's brief; somebody is on the line already."""
ACT_WITHIN = 12.0
"""Seconds for one try of an action: a booking reads calendars."""
REPORT_WITHIN = 10.0
INBOUND = "inbound_call"
"""The source of a lead that began with a call to our number."""

_T = TypeVar("_T")


async def who(setup: Setup, house: Settings) -> tuple[str, str] | None:
    """The lead and the attempt of this call; None when it cannot be known. What we dialled names both in the
    parameters of our own signed TwiML; a call to us is known by its number."""
    lead, attempt = setup.parameters.get("lead", ""), setup.parameters.get("attempt", "")
    if not lead and setup.inbound:
        try:
            number = identity.phone_number(setup.theirs, house.showrate_region)
        except ValueError:
            return None
        lead = await whose(identity.handle_id(house.identity_key, number))
    if setup.inbound:
        attempt = attempt or f"in-{setup.call}"
    return (lead, attempt) if lead and attempt else None


async def connect(client: Client, setup: Setup, lead: str, attempt: str) -> Brief | None:
    """Tell the lead who is on the line; None when it does not answer. A caller whom nobody knows becomes a lead."""
    now = datetime.now(UTC)
    update_id = f"connect:{setup.session or setup.call}"[:200]
    for _ in range(3):
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                if setup.inbound:
                    brief = await _connect_inbound(client, setup, lead, attempt, now, update_id)
                else:
                    call = Connect(attempt=attempt, sid=setup.call, at=now, transfers=setup.transfers)
                    handle = client.get_workflow_handle(lead)
                    brief = await handle.execute_update("connect", call, id=update_id, result_type=Brief)
            return brief
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
            _unless_stopping()
        except (RPCError, WorkflowUpdateFailedError, LookupError) as error:
            if isinstance(error, RPCError) and error.status != RPCStatusCode.NOT_FOUND:
                await asyncio.sleep(0.3)
                continue
            log.warning("%s/%s: no lead takes this call: %s", lead, attempt, type(error).__name__)
            return None
    log.warning("%s/%s: the lead gave no brief in time", lead, attempt)
    return None


async def _connect_inbound(
    client: Client, setup: Setup, lead: str, attempt: str, now: datetime, update_id: str
) -> Brief:
    house = settings()
    number = identity.phone_number(setup.theirs, house.showrate_region)
    form = Form(
        submission_id=attempt,
        phone=number,
        source=INBOUND,
        phone_hash=identity.handle_id(house.identity_key, number),
    )
    call = Connect(
        attempt=attempt,
        sid=setup.call,
        at=now,
        inbound=True,
        transfers=setup.transfers,
        form=FormSubmitted(at=now, id=attempt, form=form, memory=await recall(lead)),
    )
    content_hash, playbook = newest(audience_of(INBOUND, house))
    start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        messages.LEAD,
        messages.LeadStart(lead=lead, audience=playbook.audience, playbook=content_hash),
        id=lead,
        task_queue=messages.QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        search_attributes=start_attributes(playbook.audience, INBOUND, content_hash),
        static_summary="a lead who rang us",
    )
    try:
        brief: Brief = await client.execute_update_with_start_workflow(
            "connect", call, start_workflow_operation=start, id=update_id, result_type=Brief
        )
    finally:
        temporal.read(start)
    return brief


async def act(client: Client, lead: str, attempt: str, asked: signals.Perform, at: datetime) -> Answer | None:
    """The lead's recorded answer; None when there was none in time. Repeated once under the same id."""
    request = Act(
        id=asked.id, action=asked.action, at=at, attempt=attempt, version=asked.version, verdict=asked.verdict
    )  # fmt: skip
    return await _update(client, lead, "act", request, asked.id, Answer, ACT_WITHIN, tries=2)


async def _update(
    client: Client, lead: str, name: str, asked: Any, update_id: str, result: type[_T], within: float, tries: int
) -> _T | None:
    handle = client.get_workflow_handle(lead)
    for number in range(tries):
        try:
            async with asyncio.timeout(within):
                answer: _T = await handle.execute_update(name, asked, id=update_id, result_type=result)
                return answer
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
            _unless_stopping()
            log.warning("%s: %s %s had no answer (%s), try %d", lead, name, update_id, type(error).__name__, number + 1)
        except WorkflowUpdateFailedError as error:
            log.warning("%s: %s %s was refused: %s", lead, name, update_id, type(error.cause).__name__)
            return None
        except RPCError as error:
            log.warning("%s: %s %s: %s", lead, name, update_id, error.status.name)
            if error.status == RPCStatusCode.NOT_FOUND:
                return None
            await asyncio.sleep(0.3 * (number + 1))
    return None


def _unless_stopping() -> None:
    """Temporal's client turns a cancellation into an error of its own; give it back, or a process that stops would
    go on trying. Raises CancelledError when this task was cancelled."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class Reports:
    """What a call understood, sent to its lead with at most one report in flight; what gathers meanwhile goes
    together with the next."""

    def __init__(self, client: Client, lead: str, attempt: str) -> None:
        self._client, self._lead, self._attempt = client, lead, attempt
        self._waiting: list[CallLearned] = []
        self._sending: asyncio.Task[None] | None = None

    def add(self, learned: CallLearned) -> None:
        self._waiting.append(learned)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        while self._waiting:
            learned = _together(self._waiting)
            self._waiting = []
            version = await self._report(
                Report(learned=learned), learned.id or f"{self._attempt}:learned:{learned.turn}"
            )
            if version is None:
                self._waiting.insert(0, learned)
                return

    async def flush(self) -> None:
        """Until all that was understood is reported, or could not be."""
        if self._waiting and (self._sending is None or self._sending.done()):
            self._sending = asyncio.create_task(self._send())
        if self._sending is not None:
            await asyncio.wait({self._sending}, timeout=REPORT_WITHIN)

    async def end(self, ended: ConversationEnded) -> None:
        """The last report, with whatever has not been reported before; tried for as long as a restart may take."""
        await self.flush()
        if self._waiting:
            rest = _together(self._waiting)
            update = {"learned": rest.learned, "signs": rest.signs, "objections": rest.objections}
            ended = ended.model_copy(update=update)
        for _ in range(12):
            if await self._report(Report(ended=ended), f"{self._attempt}:ended:{ended.at.timestamp():.3f}") is not None:
                return
            await asyncio.sleep(1)
        log.error("%s/%s: the lead did not take the end of the call", self._lead, self._attempt)

    async def _report(self, report: Report, update_id: str) -> int | None:
        return await _update(self._client, self._lead, "report", report, update_id, int, REPORT_WITHIN, tries=2)


def _together(reports: list[CallLearned]) -> CallLearned:
    """Several reports as one; of a field the last value counts."""
    last = reports[-1]
    fields = {learned.field: learned for report in reports for learned in report.learned}
    return last.model_copy(
        update={
            "learned": tuple(fields.values()),
            "signs": tuple(sign for report in reports for sign in report.signs),
            "objections": tuple(name for report in reports for name in report.objections),
            "concerns": tuple({concern.name: concern for report in reports for concern in report.concerns}.values()),
        }
    )
