"""A rep moves or deletes a meeting in their own calendar, the lead declines the invitation, something else comes into
its time: what the lead makes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle

from tests.stage import Stage, on_stage, submit
from tests.test_lead_workflow import at_any_hour, booked, ended, lead_name, now, until, update, view
from workflows import effects as fx
from workflows import events as ev
from workflows import ledger, story
from workflows import messages as ms
from workflows.lead import Lead
from workflows.ledger import AskAhead, Commit, HoldTime, Ledger, Release
from workflows.playbook import Playbook, register

HOUR = timedelta(hours=1)


def place(meeting: ev.Booking, later: timedelta = HOUR, rep: str = "ana") -> ev.Slot:
    start = meeting.start + later
    return ev.Slot(id=f"{rep}@{start.isoformat()}", rep=rep, start=start, end=meeting.end + later)


@asynccontextmanager
async def meeting_of(
    client: Client, stage: Stage, book: Playbook | None = None
) -> AsyncIterator[tuple[WorkflowHandle[Any, Any], ev.Booking]]:
    """A lead whose call is over, with a meeting of which it was told."""
    async with on_stage(client, stage):
        handle = await submit(client, book or at_any_hour(), lead=lead_name())
        await until(lambda: stage.of("place_call"))
        meeting = await booked(handle)
        await update(handle, "report", ended("a1"), int)
        over = ev.CallEnded(at=now(), attempt="a1", sid="CA1", status="completed", seconds=60, id="over")
        await handle.signal("call_status", over)
        await until(lambda: told(stage, "due/booked"))
        yield handle, meeting
        await handle.terminate()


def told(stage: Stage, touch: str) -> list[fx.SendText]:
    return [text for text in stage.of("send_text") if text.touch.startswith(touch)]


def cards(stage: Stage, key: str) -> list[fx.Card]:
    return [card for request in stage.of("reflect") for card in request.cards if f":{key}" in card.key]


async def changed(handle: WorkflowHandle[Any, Any], meeting: ev.Booking, change: str, **more: Any) -> None:
    event = ev.CalendarChanged.model_validate(
        {"at": now(), "id": f"{change}:{meeting.id}", "booking": meeting.id, "change": change, "event": "e1", "by": "Ana"} | more
    )
    await handle.signal("calendar_changed", event)


async def test_a_meeting_moved_in_the_calendar_is_followed_and_told_once(client: Client) -> None:
    stage = Stage()
    async with meeting_of(client, stage) as (handle, meeting):
        there = place(meeting)
        await changed(handle, meeting, "moved", slot=there)
        await changed(handle, meeting, "moved", slot=there)  # read twice
        seen = await until(lambda: _other(handle, meeting))
        assert (seen.booking.start, seen.booking.event_id, seen.stage) == (there.start, "e1", "rescheduled")
        request = stage.of("book_meeting")[-1]
        assert (request.adopt, request.replaces, request.slot) == ("e1", meeting, there)
        await until(lambda: told(stage, f"due/booked/{seen.booking.id}"))
        await changed(handle, meeting, "moved", slot=there, id="late")  # the same, of the booking that was
        await update(handle, "hold", {"by": "ops"})
        assert len(stage.of("book_meeting")) == 2
        assert len(told(stage, "due/booked")) == 2
        reflected = [request.booking.id for request in stage.of("reflect") if request.booking]
        assert reflected[-1] == seen.booking.id
        assert len(cards(stage, "booked")) == 2


async def test_what_the_rep_did_while_we_followed_is_followed_too(client: Client) -> None:
    stage = Stage()
    async with meeting_of(client, stage) as (handle, meeting):
        first, second = place(meeting), place(meeting, 2 * HOUR)

        async def while_adopting(request: fx.BookMeeting) -> fx.Booked:
            if request.slot == first:
                await changed(handle, meeting, "moved", slot=second, id="again")
            return stage.usual_book_meeting(request)

        stage.answers["book_meeting"] = while_adopting
        await changed(handle, meeting, "moved", slot=first)
        await until(lambda: len(stage.of("book_meeting")) == 3)
        seen = await until(lambda: _at(handle, second))
        assert stage.of("book_meeting")[-1].replaces.start == first.start
        assert seen.booking.start == second.start


async def test_a_time_that_cannot_be_is_for_the_rep_to_sort_out_and_the_lead_hears_nothing(client: Client) -> None:
    stage = Stage()
    async with meeting_of(client, stage) as (handle, meeting):
        stage.answers["book_meeting"] = lambda _: fx.Booked(refused="the time was taken")
        await changed(handle, meeting, "moved", slot=place(meeting))
        await until(lambda: cards(stage, "not_moved"))
        seen = await view(handle)
        assert (seen.booking, seen.needs_review) == (meeting, "clash")
        assert len(told(stage, "due/booked")) == 1
        await changed(handle, meeting, "moved", slot=place(meeting, timedelta(0)), id="back")
        await until(lambda: _reviewed(handle, ""))


async def test_a_meeting_deleted_in_the_calendar_is_cancelled_and_new_times_are_offered(client: Client) -> None:
    stage = Stage()
    async with meeting_of(client, stage) as (handle, meeting):
        await changed(handle, meeting, "removed")
        await changed(handle, meeting, "removed")
        [text] = await until(lambda: told(stage, "due/cancelled"))
        assert "Ana Torres cannot make it" in text.body
        assert text.booking == ""  # the link is to free times
        await until(lambda: stage.of("release_meeting"))
        [release] = stage.of("release_meeting")
        assert release.booking == meeting
        seen = await view(handle)
        assert (seen.booking, seen.closed) == (None, False)
        assert len(told(stage, "due/cancelled")) == 1


async def test_an_invitation_declined_is_asked_about_and_one_accepted_confirms(client: Client) -> None:
    stage = Stage()
    async with meeting_of(client, stage) as (handle, meeting):
        await changed(handle, meeting, "accepted", id="1")
        await until(lambda: _stage(handle, "confirmed"))
        await changed(handle, meeting, "declined", id="2")
        [text] = await until(lambda: told(stage, "due/declined"))
        assert text.booking == meeting.id
        await changed(handle, meeting, "declined", id="3")
        seen = await until(lambda: _stage(handle, "booked"))
        assert seen.booking == meeting
        await until(lambda: cards(stage, "declined"))
        assert len(told(stage, "due/declined")) == 1


async def test_a_clash_stands_for_review_until_the_calendar_is_clear(client: Client) -> None:
    stage = Stage()
    async with meeting_of(client, stage) as (handle, meeting):
        await changed(handle, meeting, "clash", event="dentist")
        await until(lambda: cards(stage, "clash"))
        seen = await view(handle)
        assert (seen.booking, seen.needs_review) == (meeting, "clash")
        await changed(handle, meeting, "clear", event="dentist")
        await until(lambda: _reviewed(handle, ""))
        assert len(stage.of("send_text")) == 1


@pytest.mark.parametrize("free", [True, False])
async def test_where_the_playbook_says_so_another_rep_takes_the_meeting(client: Client, free: bool) -> None:
    book = at_any_hour()
    book = book.model_copy(update={"meeting": book.meeting.model_copy(update={"clash": "another_rep"})})
    register([book])
    stage = Stage()
    async with meeting_of(client, stage, book) as (handle, meeting):
        ben = place(meeting, timedelta(0), "ben")
        stage.answers["find_slots"] = lambda _: fx.SlotsAnswer(slots=(ben,) if free else ())
        await changed(handle, meeting, "clash", event="dentist")
        if free:
            seen = await until(lambda: _other(handle, meeting))
            assert (seen.booking.rep, seen.booking.start, seen.needs_review) == ("ben", meeting.start, "")
        else:
            await until(lambda: cards(stage, "homeless"))
            assert (await view(handle)).needs_review == "clash"


async def test_a_rep_whose_page_alone_takes_bookings_has_it_sent_to_the_lead(client: Client) -> None:
    stage = Stage()
    page = "https://calendly.example/d/abc?utm_content=b1"
    async with on_stage(client, stage):
        handle = await submit(client, at_any_hour(), lead=lead_name())
        await until(lambda: stage.of("place_call"))
        stage.answers["book_meeting"] = lambda _: fx.Booked(refused="only on their own page", page=page)
        await update(handle, "connect", ms.Connect(attempt="a1", sid="CA1", at=now()), ms.Brief)
        offer = await update(handle, "act", ms.Act(id="a1:1", action=ev.OfferSlots(), at=now(), attempt="a1", version=9))
        book = ms.Act(
            id="a1:2", action=ev.Book(slot=offer.slots[0].id), at=now(), attempt="a1", version=offer.version
        )  # fmt: skip
        answer = await update(handle, "act", book)
        assert (answer.allowed, answer.rule) == (False, "own_page")
        await update(handle, "report", ended("a1"), int)
        over = ev.CallEnded(at=now(), attempt="a1", sid="CA1", status="completed", seconds=60, id="over")
        await handle.signal("call_status", over)
        [text] = await until(lambda: told(stage, "due/page"))
        assert page in text.body
        assert (await view(handle)).booking is None
        await handle.terminate()


@pytest.mark.parametrize("free", [True, False])
async def test_what_they_book_on_the_reps_own_page_is_their_meeting(client: Client, free: bool) -> None:
    stage = Stage()
    async with on_stage(client, stage):
        handle = await submit(client, at_any_hour(), lead=lead_name())
        await until(lambda: stage.of("place_call"))
        over = ev.CallEnded(at=now(), attempt="a1", sid="CA1", status="no-answer", id="over")
        await handle.signal("call_status", over)
        start = now() + 24 * HOUR
        there = ev.Slot(id="ana@there", rep="ana", start=start, end=start + HOUR / 2)
        if not free:
            stage.answers["book_meeting"] = lambda _: fx.Booked(refused="the time was taken")
        booked_there = ev.CalendarChanged(at=now(), id="page", booking="", change="booked", slot=there, event="e1")
        await handle.signal("calendar_changed", booked_there)
        await handle.signal("calendar_changed", booked_there)
        if free:
            seen = await until(lambda: _at(handle, there))
            assert (seen.booking.event_id, seen.stage) == ("e1", "booked")
            [request] = stage.of("book_meeting")
            assert (request.adopt, request.replaces, request.slot) == ("e1", None, there)
            await handle.signal("calendar_changed", booked_there.model_copy(update={"id": "2", "event": "e10"}))
            await until(lambda: cards(stage, "booked_twice"))
            assert len(stage.of("book_meeting")) == 1
        else:
            await until(lambda: cards(stage, "not_adopted"))
            assert (await view(handle)).booking is None
        await handle.terminate()


async def _other(handle: WorkflowHandle[Any, Any], meeting: ev.Booking) -> Any:
    seen = await view(handle)
    return seen if seen.booking and seen.booking.id != meeting.id else None


async def _at(handle: WorkflowHandle[Any, Any], slot: ev.Slot) -> Any:
    seen = await view(handle)
    return seen if seen.booking and seen.booking.start == slot.start else None


async def _stage(handle: WorkflowHandle[Any, Any], stage: str) -> Any:
    seen = await view(handle)
    return seen if seen.stage == stage else None


async def _reviewed(handle: WorkflowHandle[Any, Any], review: str) -> bool:
    return (await view(handle)).needs_review == review


# ---- without a server ----------------------------------------------------------------------------------------------


def test_news_of_a_booking_that_is_not_theirs_changes_nothing() -> None:
    start = now() + HOUR
    meeting = ev.Booking(id="b1", rep="ana", rep_name="Ana", start=start, end=start + HOUR, event_id="e1")
    state = Lead(lead="lead-1", audience="inbound", playbook="p", booking=meeting)
    for change in ("moved", "removed", "accepted", "declined", "clash", "clear"):
        event = ev.CalendarChanged.model_validate(
            {"at": now(), "booking": "other", "change": change, "slot": place(meeting)}
        )
        assert story.apply(state, event) == state.but(version=1)
    late = ev.CalendarChanged(at=start + HOUR / 2, booking="b1", change="removed")
    assert story.apply(state, late).outside is None


def test_a_time_chosen_by_hand_yields_to_no_buffer_but_to_another_meeting() -> None:
    at = now()
    first = HoldTime(booking="b1", start=at + HOUR, end=at + 2 * HOUR, now=at, until=at + HOUR / 2, before=HOUR / 6)
    held, _ = ledger.hold(Ledger(), first)
    held, _ = ledger.commit(held, Commit(booking="b1", now=at, event="e1"))
    beside = first.model_copy(update={"booking": "b2", "start": at + 2 * HOUR, "end": at + 3 * HOUR, "lead": "lead-2"})
    assert not ledger.hold(held, beside)[1].ok
    by_hand = beside.model_copy(update={"by_hand": True})
    held, standing = ledger.hold(held, by_hand)
    assert standing.ok
    held, standing = ledger.commit(held, Commit(booking="b2", now=at, event="e2"))
    assert standing.ok
    onto = by_hand.model_copy(update={"booking": "b3", "start": at + 1.5 * HOUR, "end": at + 2.5 * HOUR})
    assert ledger.hold(held, onto)[1].why == "the time was taken"
    ahead = ledger.ahead(held, AskAhead(now=at)).meetings
    assert [(each.booking, each.lead, each.event) for each in ahead] == [("b1", "", "e1"), ("b2", "lead-2", "e2")]
    held, _ = ledger.release(held, Release(booking="b1", now=at))
    assert [each.booking for each in ledger.ahead(held, AskAhead(now=at + 2.5 * HOUR)).meetings] == ["b2"]
