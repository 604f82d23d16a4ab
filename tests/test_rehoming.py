"""A rep leaves: their meetings and leads go to others with the reason, or a person is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from temporalio import activity
from temporalio.client import Client

from activities import roster
from activities.rehoming import rehome_leads
from tests.fixtures.temporal import running_worker
from tests.stage import Stage, on_stage, submit
from tests.test_lead_workflow import at_any_hour, booked, lead_name, now, until, update, view
from workflows import effects as fx
from workflows import events as ev
from workflows import messages as ms
from workflows import rotation
from workflows.lead_workflow import LeadWorkflow
from workflows.roster import Team
from workflows.rotation import AssignTurn, Rotation, SetActive
from workflows.team_workflow import TeamWorkflow

NOW = datetime(2032, 3, 1, 12, tzinfo=UTC)
ALWAYS = {day: ["00:00-24:00"] for day in range(7)}


def team(*names: str, id: str = "sales") -> Team:
    reps = [{"id": name, "name": name.title(), "calendar": name, "zone": "UTC", "hours": ALWAYS} for name in names]
    return Team.model_validate({"id": id, "reps": reps})


def test_who_leaves_is_noted_with_the_leads_of_their_meetings() -> None:
    held = Rotation(team=team("ana", "ben"))
    for booking, lead, rep in (("b1", "lead-1", "ana"), ("b2", "lead-2", "ben"), ("b3", "lead-3", "ana")):
        held, _ = rotation.assign(held, AssignTurn(booking=booking, lead=lead, rep=rep, now=NOW, start=NOW))
    held, _ = rotation.outcome(held, rotation.Outcome(booking="b3", showed=True))
    off, _ = rotation.set_active(held, SetActive(rep="ana", active=False, by="ops", why="ill"))
    assert [(gone.rep, gone.leads, gone.why) for gone in off.gone] == [("ana", ("lead-1",), "ill")]
    assert rotation.set_active(off, SetActive(rep="ana", active=False, by="ops"))[0].gone == off.gone  # once
    left, _ = rotation.set_roster(held, team("ben"))
    assert [(gone.rep, gone.name, gone.why) for gone in left.gone] == [("ana", "Ana", "left the team")]
    assert rotation.set_roster(held, team("ana", "ben", "kim"))[0].gone == ()


async def lead_with_meeting(client: Client, stage: Stage) -> tuple[object, ev.Booking]:
    book = at_any_hour()
    handle = await submit(client, book, lead=lead_name())
    await until(lambda: stage.of("place_call"))
    meeting = await booked(handle)
    await update(handle, "report", ms.Report(ended=ev.ConversationEnded(at=now(), attempt="a1")), int)
    over = ev.CallEnded(at=now(), attempt="a1", sid="CA1", status="completed", seconds=60, id="over")
    await handle.signal("call_status", over)
    return handle, meeting


async def test_the_meeting_goes_to_another_rep_at_its_time(client: Client) -> None:
    stage = Stage()
    async with on_stage(client, stage):
        handle, meeting = await lead_with_meeting(client, stage)
        other = ev.Slot(id=f"ben@{meeting.start.isoformat()}", rep="ben", start=meeting.start, end=meeting.end)
        stage.answers["find_slots"] = lambda _: fx.SlotsAnswer(slots=(other,))
        news = ev.RepLeft(at=now(), id="left-1", rep="ana", name="Ana Torres", by="ops", why="left the company")
        await handle.signal("rep_left", news)
        await handle.signal("rep_left", news)  # told twice
        seen = await until(lambda: _moved(handle, meeting.id))
        assert (seen.booking.rep, seen.booking.start, seen.owner) == ("ben", meeting.start, "ben")
        assert len(stage.of("book_meeting")) == 2
        asked = stage.of("find_slots")[-1]
        assert (asked.not_before, asked.not_after, asked.ignore, asked.owner) == (
            meeting.start,
            meeting.start,
            meeting.id,
            "",
        )
        assert stage.of("book_meeting")[-1].replaces == meeting
        # It was our move, not theirs: they may still move it as often as before.
        for turn in range(3):
            later = timedelta(days=1 + turn)
            slot = ev.Slot(id=f"x{turn}", rep="ben", start=meeting.start + later, end=meeting.end + later)
            stage.answers["find_slots"] = lambda _, slot=slot: fx.SlotsAnswer(slots=(slot,))
            offer = ms.Act(id=f"p{turn}", action=ev.OfferSlots(), at=now(), by="lead")
            assert (await update(handle, "act", offer)).allowed
            assert (
                await update(handle, "act", ms.Act(id=f"q{turn}", action=ev.Book(slot=f"x{turn}"), at=now(), by="lead"))
            ).booking
        assert (
            await update(handle, "act", ms.Act(id="p9", action=ev.OfferSlots(), at=now(), by="lead"))
        ).rule == "moved_too_often"
        await handle.terminate()


async def _moved(handle: object, booking: str) -> ms.View | None:
    seen = await view(handle)  # type: ignore[arg-type]
    return seen if seen.booking and seen.booking.id != booking else None


@pytest.mark.parametrize("refusal", ["none_free", "taken"])
async def test_where_nobody_else_is_free_a_person_is_told(client: Client, refusal: str) -> None:
    stage = Stage()
    async with on_stage(client, stage):
        handle, meeting = await lead_with_meeting(client, stage)
        if refusal == "none_free":
            stage.answers["find_slots"] = lambda _: fx.SlotsAnswer(why="no other free time with Ben")
        else:
            other = ev.Slot(id="ben@", rep="ben", start=meeting.start, end=meeting.end)
            stage.answers["find_slots"] = lambda _: fx.SlotsAnswer(slots=(other,))
            stage.answers["book_meeting"] = lambda _: fx.Booked(refused="the time was taken")
        await handle.signal("rep_left", ev.RepLeft(at=now(), id="left-1", rep="ana", name="Ana Torres"))
        await until(lambda: _review(handle))
        seen = await view(handle)
        assert seen.booking == meeting
        await until(lambda: [c for r in stage.of("reflect") for c in r.cards if "homeless" in c.key])
        assert len(stage.of("find_slots")) == 2
        await handle.terminate()


async def _review(handle: object) -> bool:
    return (await view(handle)).needs_review == "rep_left"  # type: ignore[arg-type]


async def test_a_team_tells_every_lead_of_a_rep_who_is_switched_off(client: Client) -> None:
    """Through Temporal: the team's own activity finds those with a meeting and those that the rep owns."""
    name = f"east-{now().timestamp():.0f}"
    stage = Stage()
    acts = [each for each in stage.activities() if _activity(each) != "rehome_leads"]
    async with (
        running_worker(client, [TeamWorkflow, LeadWorkflow], [*acts, rehome_leads]),
        running_worker(client, [], acts, queue=ms.DIAL_QUEUE),
    ):
        handle, meeting = await lead_with_meeting(client, stage)
        await roster.set_roster(client, team("ana", "ben", id=name))
        await roster.assign(
            client, name, AssignTurn(booking=meeting.id, lead=handle.id, rep="ana", now=now(), start=meeting.start)
        )
        other = ev.Slot(id="ben@", rep="ben", start=meeting.start, end=meeting.end)
        stage.answers["find_slots"] = lambda _: fx.SlotsAnswer(slots=(other,))
        await roster.set_active(client, name, SetActive(rep="ana", active=False, by="ops", why="ill"))
        seen = await until(lambda: _moved(handle, meeting.id))
        assert seen.booking.rep == "ben"
        await handle.terminate()
        await client.get_workflow_handle(f"team-{name}").terminate()


def _activity(each: object) -> str:
    return str(activity._Definition.must_from_callable(each).name)  # type: ignore[arg-type]
