"""A wrong booking is undone: what was before stands again in calendar, ledger and turns, or nothing changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from temporalio import activity
from temporalio.client import Client

from activities import meetings
from tests.fixtures.books import Books
from tests.fixtures.temporal import running_worker
from tests.stage import Stage, form, playbook, submit
from tests.test_lead_workflow import at_any_hour, lead_name, until, update, view
from tests.test_meetings import START, Desk, open_desk
from workflows import events as ev
from workflows import messages as ms
from workflows import plan
from workflows.lead import Lead
from workflows.lead_workflow import LeadWorkflow
from workflows.playbook import register
from workflows.story import apply

HOUR = timedelta(hours=1)


@dataclass
class House:
    """Leads whose meetings are real: the team's turns, the reps' ledgers, the calendar's stand-in."""

    desk: Desk
    stage: Stage

    async def lead(self) -> Any:
        book = at_any_hour().model_copy(update={"team": self.desk.team})
        register([book])
        return await submit(self.desk.client, book, lead=lead_name())


@pytest.fixture
async def house(client: Client, books: Books) -> AsyncIterator[House]:
    stage = Stage()
    real = [meetings.find_slots, meetings.book_meeting, meetings.release_meeting]
    names = {each.__name__ for each in real}
    acts = [each for each in stage.activities() if activity._Definition.must_from_callable(each).name not in names]
    async with (
        open_desk(client, books, [LeadWorkflow], [*acts, *real]) as desk,
        running_worker(client, [], acts, queue=ms.DIAL_QUEUE),
    ):
        yield House(desk, stage)


async def book_at(handle: Any, rep: str, start: datetime) -> ev.Booking:
    asked = ms.Act(
        id=f"book:{rep}:{start}:{datetime.now(UTC)}",
        action=ev.Book(slot=f"{rep}@={start.isoformat()}"),
        at=start,
        by="ops",
    )
    answer = await update(handle, "act", asked)
    assert answer.booking is not None, answer
    return answer.booking  # type: ignore[no-any-return]


async def undo(handle: Any) -> ms.Answer:
    answer: ms.Answer = await update(handle, "undo", {"by": "ops", "words": "the wrong person"})
    return answer


async def agrees(desk: Desk, expected: dict[str, list[datetime]]) -> None:
    """Once what was left is released, which nobody waits for."""

    async def whole() -> bool:
        try:
            await desk.agrees(expected)
        except AssertionError:
            return False
        return True

    await until(whole)


async def test_a_move_a_cancellation_and_a_first_booking_are_undone(house: House) -> None:
    desk, stage, handle = house.desk, house.stage, await house.lead()
    first = await book_at(handle, desk.ana, START)
    assert (await view(handle)).undo == "that no meeting is booked"
    await update(handle, "confirm", {"by": "lead"})
    await book_at(handle, desk.ben, START + HOUR)
    await agrees(desk, {desk.ben: [START + HOUR]})
    assert (await view(handle)).undo.endswith("with Ana")

    assert (await undo(handle)).allowed
    seen = await view(handle)
    assert (seen.stage, seen.owner) == ("confirmed", desk.ana)
    assert seen.booking is not None
    assert (seen.booking.rep, seen.booking.start) == (desk.ana, START)
    assert (seen.booking.meeting, seen.booking.sequence) == (first.id, 2)
    await agrees(desk, {desk.ana: [START]})
    again = await undo(handle)
    assert (again.allowed, again.rule) == (False, "nothing_to_undo")

    assert (await update(handle, "cancel", {"by": "ops"})).allowed
    await agrees(desk, {})
    assert (await undo(handle)).allowed
    await agrees(desk, {desk.ana: [START]})
    seen = await view(handle)
    assert seen.stage == "confirmed"
    assert seen.booking is not None
    assert seen.booking.sequence == 4, "after the invitation, its withdrawal was the third change"
    told = await until(lambda: [r for r in stage.of("reflect") if r.booking and r.booking.sequence == 4])
    assert told[-1].stage == "confirmed"

    await handle.terminate()
    handle = await house.lead()
    before = await view(handle)
    await book_at(handle, desk.ben, START)
    assert (await undo(handle)).allowed
    seen = await view(handle)
    assert (seen.booking, seen.stage, seen.owner) == (None, before.stage, "")
    await agrees(desk, {desk.ana: [START]})


async def test_what_is_no_longer_free_is_not_brought_back_and_the_reason_is_told(house: House) -> None:
    desk, handle = house.desk, await house.lead()
    await book_at(handle, desk.ana, START)
    await book_at(handle, desk.ben, START)
    await agrees(desk, {desk.ben: [START]})
    taken = {"calendar": desk.calendar(desk.ana), "start": START.isoformat(), "end": (START + HOUR).isoformat()}
    desk.books.seed("google", busy=[taken])
    answer = await undo(handle)
    assert (answer.allowed, answer.rule) == (False, "slot_taken")
    assert answer.detail.startswith("Ana is no longer free then; free near it: ")
    assert {slot.rep for slot in answer.slots} == {desk.ana}
    seen = await view(handle)
    assert seen.booking is not None
    assert seen.booking.rep == desk.ben
    assert seen.undo.endswith("with Ana"), "it may be tried again once it is free"
    await agrees(desk, {desk.ben: [START]})


def test_no_conversation_can_ask_for_it() -> None:
    with pytest.raises(ValidationError):
        ms.Act.model_validate({"id": "a1:1", "action": {"kind": "undo"}, "at": START, "by": "agent"})


# ---- the story ---------------------------------------------------------------------------------------------------


def booking(id: str, start: datetime, rep: str = "ana") -> ev.Booking:
    return ev.Booking(id=id, rep=rep, rep_name=rep.title(), start=start, end=start + HOUR / 2, event_id=f"e-{id}")


def asked(state: Lead, at: datetime, action: ev.Action | ev.Undo, id: str) -> Lead:
    return apply(state, ev.ActionAsked(at=at, id=id, action=action, by="ops"))


def test_reminders_that_went_out_stay_sent_and_moves_are_not_counted_twice() -> None:
    book = playbook()
    now = datetime(2027, 3, 10, 20, tzinfo=UTC)
    state = Lead(lead="lead-x", audience=book.audience, playbook=book.hash)
    state = apply(state, ev.FormSubmitted(at=now, form=form()))
    soon = booking("b1", now + timedelta(hours=23.5))
    state = asked(state, now, ev.Book(slot="s"), "r1")
    state = apply(state, ev.MeetingBooked(at=now - timedelta(days=3), request="r1", booking=soon)).but(
        due_texts=(), due_mails=()
    )
    state = apply(state, ev.TextSent(at=now, touch="reminder/b1/0", message="reminder"))
    counted = state.moves
    state = asked(state, now, ev.Book(slot="t"), "r2")
    state = apply(state, ev.MeetingBooked(at=now, request="r2", booking=booking("b2", now + timedelta(days=5), "ben")))
    assert state.moves == counted + 1
    step = plan.next_step(asked(state, now, ev.Undo(), "r3"), book, now)
    assert isinstance(step, plan.MakeBooking)
    assert (step.slot.rep, step.slot.start) == ("ana", soon.start)
    state = asked(state, now, ev.Undo(), "r3")
    state = apply(state, ev.MeetingBooked(at=now, request="r3", booking=booking("b3", soon.start)))
    assert state.moves == counted
    assert state.booked_at == now - timedelta(days=3)
    assert state.booking is not None
    assert (state.booking.meeting, state.booking.sequence) == ("b1", 2)
    later = plan.next_step(state.but(due_texts=(), call=None, callback_at=None), book, now + timedelta(minutes=1))
    assert not (isinstance(later, plan.Text) and later.touch.startswith("reminder/b3/0")), "the day's reminder went out"
    due_at = soon.start - book.reminders[1].before
    due = plan.next_step(state.but(due_texts=(), call=None, callback_at=None), book, due_at)
    assert isinstance(due, plan.Text)
    assert due.touch == "reminder/b3/1"


def test_a_time_that_has_passed_does_not_come_back() -> None:
    book = playbook()
    now = datetime(2027, 3, 10, 17, tzinfo=UTC)
    state = Lead(lead="lead-x", audience=book.audience, playbook=book.hash)
    state = apply(state, ev.FormSubmitted(at=now, form=form()))
    state = asked(state, now, ev.Book(slot="s"), "r1")
    state = apply(state, ev.MeetingBooked(at=now, request="r1", booking=booking("b1", now + HOUR)))
    state = asked(state, now, ev.Cancel(), "r2")
    state = apply(state, ev.MeetingCancelled(at=now, request="r2", booking="b1"))
    step = plan.next_step(asked(state, now, ev.Undo(), "r3"), book, now + 2 * HOUR)
    assert isinstance(step, plan.Settle)
    assert isinstance(step.event, ev.ActionDone)
    assert (step.event.allowed, step.event.why) == (False, "time_passed")
