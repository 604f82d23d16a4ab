"""Who came: evidence by strength, an outcome that nobody knows is asked for and never guessed, and what is texted meanwhile."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.testing import TimeSkipper

from activities import links
from tests.fixtures.web import People, Site
from tests.stage import Stage, form, on_stage, playbook, submit
from tests.test_lead_workflow import lead_name
from workflows import events as ev
from workflows import messages as ms
from workflows import plan
from workflows.lead import Lead
from workflows.reflection import reflection
from workflows.story import apply
from workflows.story.attendance import STRENGTH

BOOK = playbook()
START = datetime(2027, 3, 10, 18, 0, tzinfo=UTC)
"""The meeting begins: ten in the morning where the lead is."""
MEETING = ev.Booking(id="b1", rep="ana", rep_name="Ana Torres", start=START, end=START + timedelta(minutes=30))
TIMES = tuple(
    ev.Slot(id=f"ana@{n}", rep="ana", start=START + timedelta(days=1, hours=n), end=START + timedelta(days=1, hours=n, minutes=30))
    for n in range(3)
)
MINUTE = timedelta(minutes=1)


def booked() -> Lead:
    """A lead that booked a day ahead, with its reminders sent."""
    at = START - timedelta(days=1, hours=2)
    state = Lead(lead="lead-x", audience=BOOK.audience, playbook=BOOK.hash)
    state = apply(state, ev.FormSubmitted(at=at, form=form()))
    state = apply(state, ev.MeetingBooked(at=at, request="", booking=MEETING))
    state = apply(state, ev.TextSent(at=at, touch="due/booked/b1", message="confirmation"))
    return state.but(reminded=tuple(f"reminder/b1/{n}" for n in range(len(BOOK.reminders))))


def mark(source: Any, present: bool, minutes: int = 5) -> ev.AttendanceReported:
    return ev.AttendanceReported(at=START + minutes * MINUTE, booking="b1", present=present, source=source)


def lived(state: Lead, until: datetime, now: datetime = START - 5 * MINUTE) -> tuple[Lead, list[tuple[timedelta, plan.Step]]]:
    """The lead lives on by its plan, nobody else doing anything; what it did, by the time since the meeting began."""
    did: list[tuple[timedelta, plan.Step]] = []
    while now < until:
        step = plan.next_step(state, BOOK, now)
        match step:
            case plan.Wait():
                now = min(step.until or until, until)
                continue
            case plan.Settle():
                state = apply(state, step.event)
            case plan.Text():
                state = apply(state, ev.TextSent(at=now, touch=step.touch, message=step.message))
            case plan.FindTimes():
                state = apply(state, ev.SlotsFound(at=now, request=step.request.id, slots=TIMES))
            case _:
                raise AssertionError(step)
        did.append((now - START, step))
    return state, did


def texts(did: list[tuple[timedelta, plan.Step]]) -> list[tuple[timedelta, str]]:
    return [(at, step.message) for at, step in did if isinstance(step, plan.Text)]


# ---- evidence -------------------------------------------------------------------------------------------------------

WEIGHED = {
    "a click is enough": ([("join_link", True)], True),
    "the scheduler's absence outranks the click": ([("join_link", True), ("provider", False)], False),
    "and a click that comes after it": ([("provider", False), ("join_link", True)], False),
    "the rep's mark outranks the click": ([("join_link", True), ("rep", False)], False),
    "the rep's own word comes last": ([("provider", False), ("rep", True)], True),
    "an absence that we wrote there ourselves is no news": ([("rep", False), ("rep", True), ("provider", False)], True),
    "the scheduler's absence outranks an earlier mark": ([("rep", True), ("provider", False)], False),
    "a click outranks their own word": ([("lead", False), ("join_link", True)], True),
    "their word does not undo a click": ([("join_link", True), ("lead", False)], True),
    "the rep may change their mind": ([("rep", False), ("rep", True), ("rep", False)], False),
}


@pytest.mark.parametrize("name", WEIGHED)
def test_the_strongest_evidence_counts(name: str) -> None:
    evidence, came = WEIGHED[name]
    state = booked()
    for minutes, (source, present) in enumerate(evidence):
        state = apply(state, mark(source, present, minutes))
    assert state.attendance is not None
    assert state.attendance.present is came
    assert state.stage == ("showed" if came else "no_show")
    assert (state.booking is not None, state.missed is not None) == (came, not came)


def test_a_contradiction_is_noted_and_told_to_the_rep() -> None:
    state = apply(apply(booked(), mark("join_link", True)), mark("provider", False))
    assert state.entries[-1].text == "did not come (provider); the join link says otherwise, the scheduler counts"
    [card] = [owed.card for owed in state.owed if owed.card and owed.card.key.endswith("missed:b1")]
    assert "The join link says that they came." in card.lines
    weaker = apply(apply(booked(), mark("rep", False)), mark("join_link", True, 9))
    assert weaker.entries[-1].text == "came (join link); the rep says otherwise, the rep counts"
    assert weaker.stage == "no_show"


@given(st.lists(st.tuples(st.sampled_from(("lead", "join_link", "provider", "rep")), st.booleans()), max_size=8))
def test_whatever_comes_in_the_outcome_is_that_of_the_strongest_and_no_guess(reports: list[tuple[str, bool]]) -> None:
    state = booked()
    for minutes, (source, present) in enumerate(reports):
        state = apply(state, mark(source, present, minutes))
    if not reports:
        assert state.attendance is None
        assert state.stage == "booked"
        return
    assert state.attendance is not None
    heard = {e.source for e in state.evidence}
    assert STRENGTH[state.attendance.source] == max(STRENGTH[source] for source in heard)
    assert (state.stage == "showed") is state.attendance.present
    assert (state.missed is None) is state.attendance.present


# ---- without evidence ------------------------------------------------------------------------------------------------


def test_without_evidence_they_are_asked_then_the_rep_and_nobody_counts_as_absent() -> None:
    state, did = lived(booked(), START + timedelta(days=8))
    assert texts(did) == [(3 * MINUTE, "check_in"), (10 * MINUTE, "missed_offer")]
    asked = [at for at, step in did if isinstance(step, plan.Settle) and step.event.kind == "outcome_asked"]
    again = BOOK.attendance.ask_again
    assert asked == [10 * MINUTE, 10 * MINUTE + again, 10 * MINUTE + 2 * again]
    cards = [o.card for o in state.owed if o.card and o.card.asks]
    assert [(c.about, c.urgent) for c in cards] == [("b1", False), ("b1", True)]
    assert (state.closed, state.disposition, state.review) == (True, "unknown", "attendance")
    assert state.attendance is None
    assert "no_show" not in state.milestones
    assert "unknown" in state.milestones
    assert state.furthest == "booked"


@pytest.mark.parametrize(("source", "present"), [("join_link", True), ("rep", True), ("rep", False), ("provider", False)])
def test_with_evidence_in_time_nobody_is_asked(source: str, present: bool) -> None:
    state, did = lived(apply(booked(), mark(source, present, 2)), START + 6 * MINUTE, START + 2 * MINUTE)
    assert "check_in" not in dict(texts(did)).values()
    assert not [step for _, step in did if isinstance(step, plan.Settle) and step.event.kind == "outcome_asked"]
    assert state.stage == ("closed" if present else "no_show")


def test_the_answer_decides_it_at_any_time() -> None:
    state, _ = lived(booked(), START + timedelta(days=8))
    came = apply(state, mark("rep", True, 60 * 24 * 8))
    _, did = lived(came, START + timedelta(days=9))
    assert (came.stage, came.closed, came.unknown, came.review) == ("showed", False, None, "")
    closing = [step.event for _, step in did if isinstance(step, plan.Settle)]
    assert [(e.kind, getattr(e, "disposition", "")) for e in closing] == [("lead_closed", "showed")]
    missed = apply(state, mark("rep", False, 60 * 24 * 8))
    step = plan.next_step(missed, BOOK, START + timedelta(days=8))
    assert isinstance(step, plan.Settle)
    assert step.event.kind == "recovery_began"


def test_a_missed_meeting_is_offered_new_times_and_tried_again() -> None:
    state, _ = lived(booked(), START + 6 * MINUTE)
    state = apply(state, mark("rep", False, 6))
    began = START + 6 * MINUTE
    kinds = []
    while isinstance(step := plan.next_step(state, BOOK, began), plan.Settle):
        kinds.append(step.event.kind)
        state = apply(state, step.event)
    assert kinds == ["recovery_began", "action_asked"]
    assert isinstance(step, plan.FindTimes)
    state = apply(state, ev.SlotsFound(at=began, request="offer-b1", slots=TIMES))
    offered = plan.next_step(state, BOOK, began)
    assert isinstance(offered, plan.Text)
    assert offered.message == "missed_offer"
    state = apply(state, ev.TextSent(at=began, touch=offered.touch, message=offered.message))
    called = plan.next_step(state, BOOK, began)
    assert isinstance(called, plan.Wait)
    assert called.until == began + BOOK.cadence.recovery[0].after


def test_who_takes_a_new_time_was_not_there() -> None:
    state, _ = lived(booked(), START + 20 * MINUTE)
    assert state.unknown is not None
    asked = ev.ActionAsked(
        at=START + 20 * MINUTE, id="r1", action=ev.Book(slot=TIMES[0].id), by="agent", version=state.version
    )
    state = apply(state, asked)
    assert state.missed == MEETING
    assert state.attendance is not None
    assert (state.attendance.source, state.attendance.present) == ("lead", False)
    step = plan.next_step(state, BOOK, START + 20 * MINUTE)
    assert isinstance(step, plan.MakeBooking), "what they ask for is not stale by it"
    new = MEETING.model_copy(update={"id": "b2", "start": TIMES[0].start, "end": TIMES[0].end})
    state = apply(state, ev.MeetingBooked(at=START + 20 * MINUTE, request="r1", booking=new))
    assert (state.stage, state.unknown, state.evidence) == ("recovered", None, ())


def test_record_and_crm_are_told_that_nobody_knows() -> None:
    state, _ = lived(booked(), START + 11 * MINUTE)
    told = reflection(state, BOOK, START + 11 * MINUTE)
    assert (told.meeting_outcome, told.stage) == ("unknown", "booked")
    assert "rotation" not in told.parts


# ---- the lead on the real server ---------------------------------------------------------------------------------------


async def _meeting(stage: Stage, handle: Any) -> ev.Booking:
    """Take the call and book the first time that is offered."""
    while not stage.of("place_call"):
        await asyncio.sleep(0.02)
    at = datetime.now(UTC)
    await handle.execute_update("connect", ms.Connect(attempt="a1", sid="CA1", at=at), result_type=ms.Brief)
    offer = ms.Act(id="a1:1", action=ev.OfferSlots(), at=at, attempt="a1")
    times = await handle.execute_update("act", offer, result_type=ms.Answer)
    wish = ms.Act(id="a1:2", action=ev.Book(slot=times.slots[0].id), at=at, attempt="a1")
    answer = await handle.execute_update("act", wish, result_type=ms.Answer)
    assert answer.booking is not None
    end = ms.Report(ended=ev.ConversationEnded(at=at, attempt="a1"))
    await handle.execute_update("report", end, result_type=int)
    over = ev.CallEnded(at=at, attempt="a1", sid="CA1", status="completed", seconds=40)
    await handle.signal("call_status", over)
    return answer.booking  # type: ignore[no-any-return]


async def test_nobody_comes_and_nobody_says_so(skipping: TimeSkipper) -> None:
    stage, book = Stage(), playbook()
    stage.answers["find_slots"] = lambda request: _by_day(request.now)
    async with on_stage(skipping.client, stage):
        handle = await submit(skipping.client, book, lead=lead_name(), phone=_awake())
        meeting = await _meeting(stage, handle)
        await handle.result()
    told = stage.of("reflect")
    assert (told[-1].stage, told[-1].disposition) == ("closed", "unknown")
    cards = [card for r in told for card in r.cards if card.asks]
    assert [(card.about, card.urgent) for card in cards] == [(meeting.id, False), (meeting.id, True)]
    assert {r.meeting_outcome for r in told} == {"", "unknown"}
    assert len(stage.of("find_slots")) == 2, "once in the call, once for the offer"
    offered = next(t for t in stage.of("send_text") if t.touch.startswith("offer/"))
    assert "{slots}" not in offered.body
    assert offered.body.count(" PM ") + offered.body.count(" AM ") == 3


async def test_the_reps_word_settles_it(skipping: TimeSkipper) -> None:
    stage, book = Stage(), playbook()
    stage.answers["find_slots"] = lambda request: _by_day(request.now)
    heard: list[ms.Answer] = []

    async def reflect(request: Any) -> Any:
        for card in request.cards:
            if card.asks:
                wrong = ms.By(by="ana", booking="another")
                heard.append(await handle.execute_update("attended", wrong, result_type=ms.Answer))
                mark = ms.By(by="ana", booking=card.about)
                heard.append(await handle.execute_update("attended", mark, result_type=ms.Answer))
        return stage.usual_reflect(request)

    stage.answers["reflect"] = reflect
    async with on_stage(skipping.client, stage):
        handle = await submit(skipping.client, book, lead=lead_name(), phone=_awake())
        await _meeting(stage, handle)
        await handle.result()
    assert [(a.allowed, a.rule) for a in heard] == [(False, "no_meeting"), (True, "")]
    told = stage.of("reflect")[-1]
    assert (told.stage, told.disposition, told.meeting_outcome) == ("closed", "showed", "showed")


def _awake() -> str:
    from tests.test_cost import phone_by_day

    return phone_by_day()


def _by_day(now: datetime) -> Any:
    """Times of tomorrow, at this hour of the day: texts may go out then."""
    from workflows import effects as fx

    starts = [now.replace(second=0, microsecond=0) + timedelta(days=1, hours=n) for n in range(3)]
    return fx.SlotsAnswer(
        slots=tuple(
            ev.Slot(id=f"ana@{s.isoformat()}", rep="ana", start=s, end=s + timedelta(minutes=30)) for s in starts
        )
    )


# ---- the rep's page ----------------------------------------------------------------------------------------------------


def _path(address: str) -> str:
    return re.sub(r"^https?://[^/]+", "", address)


async def test_the_rep_says_on_a_page_whether_they_came(web: Site, people: People) -> None:
    met = await people.talked("+1 415 555 1071", timedelta(seconds=5))
    until = datetime.now(UTC) + timedelta(days=1)
    address = _path(links.outcome_link(met.lead, met.booking.id, until))
    shown = await web.http.get(address)
    assert shown.status_code == 200
    assert "Did Ada Park come?" in shown.text
    assert (await people.view(met.lead)).stage == "booked", "a GET proves nothing"
    assert (await web.http.post(address, data={"wish": "nonsense"})).status_code == 400
    absent = await web.http.post(address, data={"wish": "missed"})
    assert "Noted: they did not come." in absent.text
    seen = await people.until(met.lead, lambda seen: seen.missed)
    assert "no_show" in seen.milestones
    came = await web.http.post(address, data={"wish": "came"})
    assert "Noted: they came." in came.text
    await people.until(met.lead, lambda seen: seen.disposition == "showed")


async def test_a_page_of_another_kind_or_of_a_meeting_that_moved_marks_nothing(web: Site, people: People) -> None:
    met = await people.talked("+1 415 555 1072", timedelta(seconds=5))
    until = datetime.now(UTC) + timedelta(days=1)
    join = _path(links.join_link(met.lead, met.booking.id, until)).replace("/j/", "/o/")
    assert (await web.http.post(join, data={"wish": "missed"})).status_code == 404
    other = _path(links.outcome_link(met.lead, "another", until))
    gone = await web.http.post(other, data={"wish": "missed"})
    assert gone.status_code == 410
    old = _path(links.outcome_link(met.lead, met.booking.id, datetime.now(UTC) - timedelta(seconds=5)))
    assert (await web.http.get(old)).status_code == 410
    assert (await people.view(met.lead)).stage == "booked"
