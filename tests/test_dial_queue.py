"""The queue that the carrier's rate makes, on the real server: who is no longer wanted there is passed over, who has just
asked goes first, and nothing is left in the carrier's own queue."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from activities.vendors import temporal
from tests.fixtures.temporal import running_worker
from tests.stage import Stage, submit
from tests.test_lead_workflow import at_any_hour, lead_name, now, until, update, view
from workflows import effects as fx
from workflows import events as ev
from workflows import messages as ms
from workflows.lead_workflow import LeadWorkflow
from workflows.playbook import register


class Hall(Stage):
    """Notes who was dialled and when; who texts is given times and books the first."""

    client: Client

    def __init__(self) -> None:
        super().__init__()
        self.dialled: list[tuple[float, str]] = []

    def usual_place_call(self, request: fx.PlaceCall) -> fx.Dispatched:
        self.dialled.append((time.monotonic(), request.gate.lead))
        return super().usual_place_call(request)

    async def usual_converse(self, request: fx.Converse) -> fx.Conversed:
        lead, attempt = self.client.get_workflow_handle(request.brief.lead), f"text-{request.message}"
        asked = ms.Act(id=f"{attempt}:1", action=ev.OfferSlots(), at=now(), attempt=attempt)
        offer: ms.Answer = await lead.execute_update("act", asked, result_type=ms.Answer)
        asked = ms.Act(id=f"{attempt}:2", action=ev.Book(slot=offer.slots[0].id), at=now(), attempt=attempt)
        booked: ms.Answer = await lead.execute_update("act", asked, result_type=ms.Answer)
        assert booked.allowed, booked
        return fx.Conversed(reply="You are booked.")


@pytest.fixture
async def hall(own_server: str) -> Hall:
    made = Hall()
    made.client = await temporal.connect()
    return made


def dialler(hall: Hall, rate: float) -> Any:
    """The worker of the dials, held to ``rate`` a second by the server."""
    return running_worker(
        hall.client, [], hall.activities(), queue=ms.DIAL_QUEUE, max_task_queue_activities_per_second=rate
    )


async def queued(hall: Hall, count: int) -> bool:
    """Whether so many dials were asked for: they wait for their turn, or had it."""
    client = hall.client
    asked = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=ms.DIAL_QUEUE),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY, report_stats=True,
    )  # fmt: skip
    described = await client.workflow_service.describe_task_queue(asked)
    return described.stats.approximate_backlog_count + len(hall.dialled) >= count


async def test_of_200_that_wait_who_opts_out_and_who_books_by_text_are_not_dialled(hall: Hall) -> None:
    book, leads = at_any_hour(), [lead_name() for _ in range(200)]
    async with running_worker(hall.client, [LeadWorkflow], hall.activities()):
        async with dialler(hall, 1.0):
            began = time.monotonic()
            handles = await asyncio.gather(*(submit(hall.client, book, lead=lead) for lead in leads))
            await until(lambda: queued(hall, 195))
            gone, met = handles[149], handles[150]
            assert (await update(gone, "opt_out", ms.By(by="lead"))).allowed
            await met.signal("message_received", ev.MessageReceived(at=now(), id="m1", text="What times do you have?"))

            async def booked() -> bool:
                return (await view(met)).booking is not None

            await until(booked)
            assert len(hall.dialled) <= time.monotonic() - began + 2, "one a second"
        async with dialler(hall, 40.0):
            await until(lambda: len(hall.dialled) >= 198)
            await asyncio.sleep(1)
    dialled = Counter(lead for _, lead in hall.dialled)
    assert set(leads) - set(dialled) == {leads[149], leads[150]}
    assert set(dialled.values()) == {1}


async def test_who_has_just_asked_is_dialled_before_those_who_did_not(hall: Hall) -> None:
    cold, warm = at_any_hour("outbound"), at_any_hour()
    consent = ev.Consent(kind="written", at=now())
    others, fresh = [lead_name() for _ in range(8)], lead_name()
    async with running_worker(hall.client, [LeadWorkflow], hall.activities()):
        for lead in others:
            await submit(hall.client, cold, lead=lead, consent=consent)
        await until(lambda: queued(hall, 8))
        await submit(hall.client, warm, lead=fresh)
        await until(lambda: queued(hall, 9))
        async with dialler(hall, 1.0):
            await until(lambda: fresh in {lead for _, lead in hall.dialled})
            order = [lead for _, lead in hall.dialled]
    assert order.index(fresh) <= 1, "the eight that wait longer would be dialled before"


async def test_a_call_that_the_carrier_never_dialled_is_taken_out_of_its_queue_and_made_anew(hall: Hall) -> None:
    book = at_any_hour()
    timing = book.call.model_copy(update={"ring": timedelta(seconds=0.5), "settle": timedelta(seconds=0.5)})
    touches = (book.cadence.first[0], book.cadence.first[1].model_copy(update={"after": timedelta(seconds=1)}))
    cadence = book.cadence.model_copy(update={"first": touches, "min_gap": timedelta(0)})
    book = book.model_copy(update={"call": timing, "cadence": cadence})
    register([book])
    hall.answers["find_call"] = lambda r: fx.FoundCall(sid=r.sid, status="queued" if r.attempt == "a1" else "in-progress")
    async with running_worker(hall.client, [LeadWorkflow], hall.activities()), dialler(hall, 10.0):
        handle = await submit(hall.client, book, lead=lead_name())
        await until(lambda: len(hall.dialled) == 2)
        seen = await view(handle)
    assert [r.sid for r in hall.of("end_call")] == ["CA1"]
    first, due = seen.touches[0], seen.account[0]
    assert (first.touch, first.outcome) == ("cadence/1/0/call_1", "not placed: late")
    assert (due.touch, due.rule) == ("call_1", "")
