"""An opt-out is an open execution: kept before it is acknowledged, ended only by the person's own words."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.testing import ActivityEnvironment

from activities import gate, handles
from activities.settings import settings
from activities.suppression import keep_opt_out
from clients import consent
from tests.fixtures.temporal import running_worker
from workflows import identity
from workflows.effects import KeepOptOut
from workflows.optout_workflow import OptIn, OptOutEnded, OptOutWorkflow, Stop

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@pytest.fixture
def handle() -> str:
    return uuid.uuid4().hex


async def test_it_stands_without_any_worker_and_says_why(client: Client, handle: str) -> None:
    other = uuid.uuid4().hex
    assert not await gate.opted_out(client, handle)
    await gate.start_opt_out(client, [handle, other, "", handle], "lead-1", "text", NOW, "STOP please")
    assert await gate.opted_out(client, handle)
    assert await gate.opted_out(client, other)


async def test_a_repeat_changes_nothing_and_another_stop_is_evidence(client: Client, handle: str) -> None:
    for minutes, words in ((0, "stop"), (0, "stop"), (5, "I said stop"), (5, "I said stop")):
        await gate.start_opt_out(client, [handle], "lead-1", "call", NOW + timedelta(minutes=minutes), words)
    async with running_worker(client, [OptOutWorkflow]):
        running = client.get_workflow_handle(identity.optout_id(handle))
        said: list[Stop] = await running.query(OptOutWorkflow.said)
    assert [s.words for s in said] == ["stop", "I said stop"]
    assert said[0] == Stop(channel="call", at=NOW, lead="lead-1", words="stop")


async def test_only_explicit_words_end_it_and_a_new_stop_begins_anew(client: Client, handle: str) -> None:
    await gate.start_opt_out(client, [handle], "lead-1", "text", NOW, "stop")
    running = client.get_workflow_handle(identity.optout_id(handle))
    async with running_worker(client, [OptOutWorkflow]):
        for vague in (OptIn(by="ops"), OptIn(by="", words="START"), OptIn(by="ops", words="  ")):
            with pytest.raises(WorkflowUpdateFailedError):
                await running.execute_update("opt_in", vague)
            await running.signal("opt_in", vague)
        assert await gate.opted_out(client, handle)
        ended = await running.execute_update(
            "opt_in", OptIn(by="ops", words="START"), result_type=OptOutEnded
        )
        assert (ended.by, ended.words) == ("ops", "START")
        await running.result()
        assert not await gate.opted_out(client, handle)
        await gate.start_opt_out(client, [handle], "lead-1", "text", NOW + timedelta(days=1), "stop again")
        assert await gate.opted_out(client, handle)


async def test_a_signal_can_end_it_too(client: Client, handle: str) -> None:
    await gate.start_opt_out(client, [handle], "lead-1", "text", NOW, "stop")
    running = client.get_workflow_handle(identity.optout_id(handle))
    async with running_worker(client, [OptOutWorkflow]):
        await running.signal("opt_in", OptIn(by="ops", words="yes, call me"))
        assert OptOutEnded.model_validate(await running.result()).words == "yes, call me"


async def test_neither_cancelling_nor_terminating_frees_the_handle(client: Client, handle: str) -> None:
    await gate.start_opt_out(client, [handle], "lead-1", "text", NOW, "stop")
    running = client.get_workflow_handle(identity.optout_id(handle))
    async with running_worker(client, [OptOutWorkflow]):
        await running.query(OptOutWorkflow.said)
        await running.cancel()
        await running.cancel()
        await asyncio.sleep(0.2)
        await running.signal("opted_out", Stop(channel="call", at=NOW + timedelta(hours=1)))
        assert len(await running.query(OptOutWorkflow.said)) == 2
        assert (await running.describe()).status == WorkflowExecutionStatus.RUNNING
    await running.terminate("by mistake")
    assert await gate.opted_out(client, handle)


@pytest.mark.usefixtures("environment")
async def test_what_they_said_to_a_person_here_ends_it_for_all_that_they_are_known_by(client: Client, handle: str) -> None:
    lead, address, other = identity.lead_id(handle), uuid.uuid4().hex, uuid.uuid4().hex
    handles.learn(lead, [address])
    await gate.start_opt_out(client, [handle, address, other], lead, "call", NOW, "stop")
    async with running_worker(client, [OptOutWorkflow]):
        await consent.take_back(client, lead, "ana", "do call me")
        for each in (handle, address):
            ended: OptOutEnded = await client.get_workflow_handle(identity.optout_id(each), result_type=OptOutEnded).result()
            assert (ended.by, ended.words) == ("ana", "do call me")
    assert await gate.opted_out(client, other), "somebody else's"


async def test_the_evidence_is_bounded_and_keeps_the_first(client: Client, handle: str) -> None:
    for minute in range(30):
        await gate.start_opt_out(client, [handle], "lead-1", "text", NOW + timedelta(minutes=minute), "stop")
    async with running_worker(client, [OptOutWorkflow]):
        running = client.get_workflow_handle(identity.optout_id(handle))
        said = await running.query(OptOutWorkflow.said)
    assert len(said) == 20
    assert said[0].at == NOW
    assert said[-1].at == NOW + timedelta(minutes=29)


@pytest.mark.usefixtures("environment")
async def test_a_lead_keeps_it_through_its_activity(client: Client, handle: str) -> None:
    """Also under the address that they named in a talk, which a form may bring one day."""
    asked = KeepOptOut(handles=(handle,), addresses=("dana@other.example",), lead="lead-1", channel="call", at=NOW, words="never again")
    environment = ActivityEnvironment(client=client)
    await environment.run(keep_opt_out, asked)
    await environment.run(keep_opt_out, asked)
    assert await gate.opted_out(client, handle)
    address = identity.handle_id(settings().identity_key, "dana@other.example")
    assert await gate.opted_out(client, address)
    await environment.run(keep_opt_out, asked.model_copy(update={"addresses": (), "lead": "lead-2"}))
    assert handles.of("lead-1") == {address}, "their START ends it with the others"
    assert handles.of("lead-2") == set()
