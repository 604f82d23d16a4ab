"""A lead on the real server: weeks on skipped time, what comes in from outside, and what must survive."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.testing import TimeSkipper

from activities import faults
from clients import leads
from tests.stage import Stage, form, on_stage, playbook, submit
from workflows import effects as fx
from workflows import events as ev
from workflows import messages as ms
from workflows import perform, story
from workflows.lead import Lead
from workflows.playbook import Hours, Playbook, register


def lead_name() -> str:
    return f"lead-{uuid4().hex}"


def at_any_hour(name: str = "inbound") -> Playbook:
    """The playbook with hours that never close, for tests on the wall clock."""
    book = playbook(name).model_copy(update={"hours": Hours(opens="00:00", closes="24:00"), "rules": None})
    register([book])
    return book


def now() -> datetime:
    return datetime.now(UTC)


async def until(check: Any, seconds: float = 60) -> Any:
    """Wait until ``check()`` (maybe awaitable) is true, and give what it gave."""
    end = now() + timedelta(seconds=seconds)
    while now() < end:
        found = check()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("did not come true in time")


async def view(handle: WorkflowHandle[Any, Any]) -> ms.View:
    return await handle.query("view", result_type=ms.View)


async def update(handle: WorkflowHandle[Any, Any], name: str, arg: Any, kind: type = ms.Answer) -> Any:
    return await asyncio.wait_for(handle.execute_update(name, arg, result_type=kind), 60)


async def booked(handle: WorkflowHandle[Any, Any], attempt: str = "a1") -> ev.Booking:
    """Take the call, ask for times and book the first."""
    brief = await update(handle, "connect", ms.Connect(attempt=attempt, sid="CA1", at=now()), ms.Brief)
    assert brief.refusal == ""
    offer = await update(
        handle,
        "act",
        ms.Act(id=f"{attempt}:1", action=ev.OfferSlots(), at=now(), attempt=attempt, version=brief.version),
    )
    assert offer.allowed
    answer = await update(
        handle, "act",
        ms.Act(id=f"{attempt}:2", action=ev.Book(slot=offer.slots[0].id), at=now(), attempt=attempt, version=offer.version),
    )  # fmt: skip
    assert answer.booking is not None
    return answer.booking


async def refused(handle: WorkflowHandle[Any, Any], name: str, arg: Any) -> bool:
    try:
        return not (await update(handle, name, arg)).allowed
    except WorkflowUpdateFailedError:
        return True


def ended(attempt: str, **over: Any) -> ms.Report:
    return ms.Report(ended=ev.ConversationEnded(at=now(), attempt=attempt, **over))


async def test_a_lead_that_never_answers_is_tried_within_the_rules_and_closed(skipping: TimeSkipper) -> None:
    stage, book = Stage(), playbook()
    async with on_stage(skipping.client, stage):
        handle = await submit(skipping.client, book, lead=lead_name())
        await handle.result()
    calls = stage.of("place_call")
    assert len(calls) == len([t for t in book.cadence.first if t.channel == "call"])
    assert len({c.attempt for c in calls}) == len(calls)
    last = stage.of("reflect")[-1]
    assert (last.stage, last.disposition) == ("closed", "unresponsive")
    assert last.memory is not None


async def test_a_meeting_booked_in_the_call_is_moved_by_plain_json_and_missed_and_recovered(client: Client) -> None:
    stage, book = Stage(), at_any_hour()
    async with on_stage(client, stage):
        handle = await submit(client, book, lead=lead_name())
        await until(lambda: stage.of("place_call"))
        first = await booked(handle)
        await update(handle, "report", ended("a1"), int)
        await handle.signal(
            "call_status", ev.CallEnded(at=now(), attempt="a1", sid="CA1", status="completed", seconds=40)
        )
        await until(lambda: any(t.touch.startswith("due/booked") for t in stage.of("send_text")))
        start = first.start + timedelta(hours=3)
        moved = await update(handle, "reschedule", {"start": start.isoformat(), "by": "ops"})
        assert moved.allowed
        assert moved.booking.start == start
        assert stage.of("book_meeting")[-1].replaces.id == first.id
        early = await update(handle, "no_show", {"by": "ana"})
        assert (early.allowed, early.rule) == (False, "too_early")
        seen = await view(handle)
        assert (seen.stage, seen.booking.id) == ("rescheduled", moved.booking.id)
        await until(lambda: [r for r in stage.of("reflect") if r.stage == "rescheduled" and r.cards])
        shown = (await handle.describe()).typed_search_attributes
        assert {p.key.name: p.value for p in shown.search_attributes}["ShowrateStage"] == "rescheduled"
        await handle.terminate()


async def test_an_opt_out_by_text_ends_everything_and_is_kept_first(client: Client) -> None:
    stage, book = Stage(), at_any_hour()
    async with on_stage(client, stage):
        handle = await submit(client, book, lead=lead_name())
        await until(lambda: stage.of("place_call"))
        await handle.signal("message_received", ev.MessageReceived(at=now(), id="SM1", text="STOP"))
        kept = await until(lambda: stage.of("keep_opt_out"))
        assert (kept[0].handles, kept[0].addresses) == (("p" * 32, "e" * 32), ("dana@example.com",))
        await until(lambda: stage.of("end_call"))
        seen = await until(lambda: _closed(handle))
        assert (seen.disposition, seen.opted_out) == ("opted_out", True)
        await handle.signal(
            "form_submitted", ev.FormSubmitted(at=now(), form=ev.Form(submission_id="s2", phone="+14155550123"))
        )
        await asyncio.sleep(0.5)
        assert len(stage.of("place_call")) == 1
        assert not stage.of("send_text")
        await handle.terminate()


async def _closed(handle: WorkflowHandle[Any, Any]) -> ms.View | None:
    seen = await view(handle)
    return seen if seen.closed else None


async def test_a_dial_whose_answer_was_lost_is_asked_for_and_never_repeated(skipping: TimeSkipper) -> None:
    stage, book = Stage(), playbook()
    stage.answers["place_call"] = lambda r: (
        faults.ambiguous("dropped") if r.attempt == "a1" else fx.Dispatched(sid=f"CA{r.attempt}")
    )
    stage.answers["find_call"] = lambda r: (
        fx.FoundCall() if r.attempt == "a1" else fx.FoundCall(sid=r.sid, status="busy")
    )
    async with on_stage(skipping.client, stage):
        handle = await submit(skipping.client, book, lead=lead_name())
        await handle.result()
    attempts = [c.attempt for c in stage.of("place_call")]
    assert attempts == [f"a{number}" for number in range(1, len(attempts) + 1)]
    story = [e for r in stage.of("reflect") for e in r.entries]
    assert [e.text for e in story if e.kind == "ambiguous"][:2] == [
        "nobody knows yet whether this dial went out",
        "the carrier knows of no such call; it counts as an attempt",
    ]


async def test_someone_who_rings_us_calls_off_our_dial(client: Client) -> None:
    stage, book = Stage(), at_any_hour()
    async with on_stage(client, stage):
        handle = await submit(client, book, lead=lead_name())
        await until(lambda: stage.of("place_call"))
        call = ms.Connect(attempt="in-CA9", sid="CA9", at=now(), inbound=True)
        brief = await update(handle, "connect", call, ms.Brief)
        assert (brief.refusal, brief.opening) == ("", "inbound")
        assert (await until(lambda: stage.of("end_call")))[0].sid == "CA1"
        assert len((await view(handle)).touches) == 2
        await handle.terminate()


async def test_a_dial_that_waits_for_the_carrier_is_called_off_when_no_longer_wanted(client: Client) -> None:
    stage, book = Stage(), at_any_hour()
    from tests.fixtures.temporal import running_worker
    from workflows.lead_workflow import LeadWorkflow

    async with running_worker(client, [LeadWorkflow], stage.activities()):
        handle = await submit(client, book, lead=lead_name())  # nobody serves the dial queue
        await asyncio.sleep(0.3)
        call = ms.Connect(attempt="in-CA9", sid="CA9", at=now(), inbound=True)
        await update(handle, "connect", call, ms.Brief)
        seen = await until(lambda: _outcome(handle, "a1", "not placed"))
        assert seen
        assert not stage.of("place_call")
        await handle.terminate()


async def _outcome(handle: WorkflowHandle[Any, Any], attempt: str, begins: str) -> bool:
    seen = await view(handle)
    return any(t.attempt == attempt and t.outcome.startswith(begins) for t in seen.touches)


async def test_a_bug_of_ours_does_not_stop_the_lead_from_answering(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, book = Stage(), at_any_hour()

    def broken(state: Any, event: Any) -> Any:
        raise KeyError("planted")

    monkeypatch.setitem(story.HANDLERS, "taken_over", broken)
    async with on_stage(client, stage):
        handle = await submit(client, book, lead=lead_name())
        await update(handle, "take_over", {"by": "ana"})
        seen = await view(handle)
        assert seen.needs_review == "fault"
        assert (await update(handle, "hold", {"by": "ops"})).allowed
        await handle.terminate()


async def test_who_takes_over_is_told_whom_from(client: Client) -> None:
    stage, book = Stage(), at_any_hour()
    async with on_stage(client, stage):
        handle = await submit(client, book, lead=lead_name())
        told = [leads.told("take-over", await update(handle, "take_over", {"by": by})) for by in ("Ana", "Ana", "Ben")]
        assert [" from Ana" in words for words in told] == [False, False, True]
        await handle.terminate()


async def test_garbage_is_refused_and_harms_nothing(client: Client) -> None:
    stage, book = Stage(), at_any_hour()
    async with on_stage(client, stage):
        handle = await submit(client, book, lead=lead_name())
        await until(lambda: stage.of("place_call"))
        for arg in ({"start": "yesterday", "by": "x"}, {}, "text", 7):
            assert await refused(handle, "reschedule", arg)
        await handle.signal("call_status", {"nonsense": True})
        assert (await view(handle)).stage == "attempting"
        await handle.terminate()


async def test_taken_over_nothing_more_is_started_and_released_it_goes_on(skipping: TimeSkipper) -> None:
    stage, book = Stage(), playbook()
    async with on_stage(skipping.client, stage):
        handle = await submit(skipping.client, book, lead=lead_name())
        await until(lambda: stage.of("place_call"))
        await update(handle, "take_over", {"by": "ana"})
        before = len(stage.of("place_call"))
        await asyncio.sleep(1)
        assert len(stage.of("place_call")) == before
        await update(handle, "release", {"by": "ana"})
        await handle.result()
        assert len(stage.of("place_call")) > before


async def test_the_state_goes_through_continue_as_new(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perform, "CARRIES_ON_AT", 40)
    stage, book = Stage(), at_any_hour()
    async with on_stage(client, stage):
        handle = await submit(client, book, lead=lead_name())
        await until(lambda: stage.of("place_call"))
        first = await booked(handle)
        await update(handle, "report", ended("a1"), int)
        await handle.signal(
            "call_status", ev.CallEnded(at=now(), attempt="a1", sid="CA1", status="completed", seconds=40)
        )
        run = handle.first_execution_run_id

        async def moved_on() -> bool:
            return (await client.get_workflow_handle(handle.id).describe()).run_id != run

        await until(moved_on)
        seen = await view(client.get_workflow_handle(handle.id))
        assert seen.booking is not None
        assert seen.booking.id == first.id
        await client.get_workflow_handle(handle.id).terminate()


async def test_a_dial_that_was_never_begun_does_not_stand_in_the_way_of_the_meeting(client: Client) -> None:
    """It was decided on while something else was under way, and meanwhile they booked."""
    book, at, name = playbook(), now(), lead_name()
    booking = ev.Booking(id="b1", rep="ana", rep_name="Ana", start=at + timedelta(days=2), end=at + timedelta(days=2, minutes=30))
    state = story.apply(Lead(lead=name, audience=book.audience, playbook=book.hash), ev.FormSubmitted(at=at, form=form()))
    state = story.apply(state, ev.DialQueued(at=at, attempt="a1", touch="callback/1"))
    state = story.apply(state, ev.MeetingBooked(at=at, request="", booking=booking)).but(due_texts=())
    start = ms.LeadStart(lead=name, audience=book.audience, playbook=book.hash, carry=state.model_dump(mode="json"))
    stage = Stage()
    async with on_stage(client, stage):
        handle = await client.start_workflow(ms.LEAD, start, id=name, task_queue=ms.QUEUE)

        async def goes_on() -> bool:
            seen = await handle.query("view", result_type=ms.View)
            return not seen.on_call and seen.next_reason == "waiting for the meeting"

        await until(goes_on)
        assert not stage.of("place_call")
        await handle.terminate()
