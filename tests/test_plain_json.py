"""By hand, with encryption on: the real ``temporal`` program sends plain JSON to a lead, and reads what it shows."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle

from activities.settings import settings
from activities.vendors import temporal
from tests.fixtures.temporal import TOKEN
from tests.stage import Stage, on_stage, submit
from tests.test_lead_workflow import at_any_hour, booked, ended, lead_name, now, until, view
from workers import server, worker
from workflows import events as ev
from workflows import messages as ms

NAME, PHONE, EMAIL = "Wilhelmina Quillfeather", "+14155550147", "quillfeather@example.com"


@dataclass
class Said:
    """How the program ended: its code, and all that it wrote."""

    code: int
    text: str


async def cli(*arguments: str, codec: str = "") -> Said:
    """Run ``temporal workflow ...`` as an operator does; ``codec`` is the codec server that its environment names."""
    decoding = {"TEMPORAL_CODEC_ENDPOINT": codec, "TEMPORAL_CODEC_AUTH": f"Bearer {TOKEN}"} if codec else {}
    running = await asyncio.create_subprocess_exec(
        str(server.program()), "workflow", *arguments, "--command-timeout", "15s",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **decoding, "TEMPORAL_CONFIG_FILE": os.devnull},
    )  # fmt: skip
    text, _ = await running.communicate()
    return Said(running.returncode or 0, text.decode())


@pytest.fixture
def codec(codec_endpoint: str) -> str:
    """The codec server, for those who have the token."""
    return codec_endpoint.rpartition("/")[0]


@dataclass
class Meeting:
    """A lead with a meeting, and what was asked of the world."""

    lead: str
    booking: ev.Booking
    stage: Stage
    client: Client

    async def view(self) -> ms.View:
        return await view(self.client.get_workflow_handle(self.lead))

    async def update(self, name: str, *inputs: object, codec: str = "") -> Said:
        """``temporal workflow update execute`` with each input as plain JSON; a text goes as it is."""
        spelt = [each if isinstance(each, str) else json.dumps(each) for each in inputs]
        given = [word for text in spelt for word in ("--input", text)]
        return await cli("update", "execute", "--workflow-id", self.lead, "--name", name, *given, codec=codec)

    async def signal(self, name: str, *inputs: object) -> Said:
        given = [word for each in inputs for word in ("--input", each if isinstance(each, str) else json.dumps(each))]
        return await cli("signal", "--workflow-id", self.lead, "--name", name, *given)

    async def answers(self) -> bool:
        """Whether the lead still takes an update."""
        handle = self.client.get_workflow_handle(self.lead)
        asked = handle.execute_update("confirm", ms.By(by="test"), result_type=ms.Answer)
        return (await asyncio.wait_for(asked, 60)).allowed


@pytest.fixture
async def meeting(client: Client) -> AsyncIterator[Meeting]:
    stage, book = Stage(), at_any_hour()
    async with on_stage(client, stage):
        handle = await submit(client, book, lead=lead_name(), name=NAME, phone=PHONE, email=EMAIL)
        await until(lambda: stage.of("place_call"))
        booking = await booked(handle)
        await handle.execute_update("report", ended("a1"), result_type=int)
        over = ev.CallEnded(at=now(), attempt="a1", sid="CA1", status="completed", seconds=40)
        await handle.signal("call_status", over)
        await until(lambda: _waits(handle))
        yield Meeting(handle.id, booking, stage, client)
        await handle.terminate()


async def test_an_operator_moves_a_meeting(meeting: Meeting, codec: str) -> None:
    start = meeting.booking.start + timedelta(hours=3)
    asked = {"start": start.isoformat().replace("+00:00", "Z"), "by": "ops"}
    said = await meeting.update("reschedule", asked, codec=codec)
    assert said.code == 0, said.text
    assert "allowed:true" in said.text
    seen = await meeting.view()
    assert seen.stage == "rescheduled"
    assert seen.booking is not None
    assert seen.booking.start == start
    moved = meeting.stage.of("book_meeting")[-1]
    assert moved.replaces.id == meeting.booking.id


async def test_who_has_no_codec_can_ask_but_not_read(meeting: Meeting) -> None:
    start = meeting.booking.start + timedelta(hours=2)
    said = await meeting.update("reschedule", {"start": start.isoformat(), "by": "ops"})
    assert "encoding binary/encrypted" in said.text
    assert "allowed" not in said.text
    seen = await meeting.view()
    assert seen.booking is not None
    assert seen.booking.start == start


async def test_an_operator_signals_by_hand(meeting: Meeting, codec: str) -> None:
    assert (await meeting.update("hold", {"by": "ops"}, codec=codec)).code == 0
    assert (await meeting.view()).held_by == "ops"
    assert (await meeting.signal("resume", {"by": "ops"})).code == 0
    await until(lambda: _is(meeting, lambda seen: not seen.held_by))
    stop = {"at": datetime.now(UTC).isoformat(), "id": "SMhand1", "text": "STOP"}
    assert (await meeting.signal("message_received", stop)).code == 0
    await until(lambda: _is(meeting, lambda seen: seen.opted_out))
    await until(lambda: meeting.stage.of("keep_opt_out"))


async def _waits(handle: WorkflowHandle[Any, Any]) -> bool:
    return (await view(handle)).next_reason == "waiting for the meeting"


async def _is(meeting: Meeting, true: Any) -> bool:
    return bool(true(await meeting.view()))


GARBAGE: tuple[tuple[str, list[object], str], ...] = (
    ("reschedule", [{"by": "ops"}], "give start"),
    ("reschedule", [{"by": "ops", "start": "next Tuesday"}], "start"),
    ("reschedule", [{"by": "ops", "start": "2027-03-12T15:00:00"}], "write it with an offset"),
    ("reschedule", [{"start": "2027-03-12T15:00:00Z"}], "by"),
    ("reschedule", [["by", "ops"]], "Move"),
    ("reschedule", ["null"], "Move"),
    ("reschedule", [], "reschedule takes one input, a JSON object; none was given"),
    ("reschedule", [{"by": "ops"}, {"by": "ops"}], "2 were given"),
    ("reschedule", ["{not json"], "not valid JSON"),
    ("attend", [{"by": "ops"}], "attended"),
    ("no_show", [{"by": "ops"}], "ahead"),
)


async def test_garbage_is_refused_in_words_that_help(meeting: Meeting, codec: str) -> None:
    for name, inputs, told in GARBAGE:
        said = await meeting.update(name, *inputs, codec=codec)
        assert told in said.text, (inputs, said.text)
        assert "Traceback" not in said.text
    assert await meeting.answers()
    seen = await meeting.view()
    assert (seen.booking, seen.needs_review) == (meeting.booking, "")


async def test_a_garbage_signal_harms_nobody(meeting: Meeting) -> None:
    before = await meeting.view()
    two: list[object] = [{"by": "ops"}, {"by": "ops"}]
    for name in ("resume", "message_received", "nonsense"):
        for inputs in ([], ["null"], ["7"], [{"by": 5}], ['"words"'], two):
            assert (await meeting.signal(name, *inputs)).code == 0
    assert await meeting.answers()
    after = await meeting.view()
    assert (after.booking, after.opted_out, after.needs_review) == (before.booking, False, "")


def test_every_signal_and_update_of_ours_takes_one_input() -> None:
    for each in worker.workflow_classes():
        for name, handler in inspect.getmembers(each, inspect.isfunction):
            if any(hasattr(handler, f"__temporal_{kind}_definition") for kind in ("signal", "update")):
                assert len(inspect.signature(handler).parameters) == 2, f"{each.__name__}.{name}"


async def test_leads_are_found_by_stage_and_their_page_reads_well(meeting: Meeting) -> None:
    async def listed() -> bool:
        found = await cli("list", "--query", f"ShowrateStage='booked' AND WorkflowId='{meeting.lead}'")
        assert found.code == 0, found.text
        assert NAME not in found.text
        return meeting.lead in found.text

    await until(listed)
    page = await metadata(meeting.client, meeting.lead)
    lines = page.current_details.splitlines()
    assert lines[0] == "### booked"
    assert lines[1].startswith("*Now:* waiting for the meeting until ")
    assert "with Ana Torres" in lines[2]
    assert any(line.startswith("- ") and line.endswith(": call 1, talked") for line in lines)
    for personal in (NAME, NAME.split()[0], PHONE, PHONE[1:], EMAIL, "Reyes"):
        assert personal not in page.current_details
    named = {each.name for each in page.definition.update_definitions}
    assert {"reschedule", "cancel", "take_over", "attended"} <= named


async def metadata(client: Client, lead: str) -> WorkflowMetadata:
    """What Temporal's UI asks of a workflow for its page."""
    return await client.get_workflow_handle(lead).query("__temporal_workflow_metadata", result_type=WorkflowMetadata)


async def test_every_step_of_the_history_has_a_summary_that_reads(meeting: Meeting) -> None:
    words: list[str] = []
    codec = temporal.Codec(settings().encryption_keys)
    async for event in meeting.client.get_workflow_handle(meeting.lead).fetch_history_events():
        what = event.WhichOneof("attributes") or ""
        if what.startswith(("activity_task_scheduled", "timer_started")):
            summary = event.user_metadata.summary
            assert summary.metadata["encoding"] == b"binary/encrypted"
            words.append(json.loads(codec.open(summary).data))
    assert {"call 1 is due", "offer slots asked by agent", "book asked by agent", "confirmation is due"} <= set(words)
    assert all(summary and "_" not in summary and "0:00" not in summary for summary in words), words
    assert not any(personal in " ".join(words) for personal in (NAME.split()[0], PHONE, EMAIL))
