"""A lead that does nothing for another lead's sake notices when that one is gone, and goes on; on the real server."""

from __future__ import annotations

from datetime import timedelta

import pytest
from temporalio.client import WorkflowExecutionStatus

from activities import handles
from clients import leads
from tests.fixtures.web import People
from tests.test_identity import BOOK, DAY, LATER, START, hashed, in_doubt, lead_of, next_of
from tests.test_lead_workflow import now
from workflows import events as ev
from workflows import messages as ms
from workflows import plan, review, twins
from workflows.lead import Lead
from workflows.story import apply


async def ended_by_hand(people: People, lead: str) -> None:
    handle = people.site.temporal.get_workflow_handle(lead)
    await handle.terminate("a test")
    assert (await handle.describe()).status == WorkflowExecutionStatus.TERMINATED


async def over(people: People, lead: str) -> None:
    """Nobody took the lead's first call."""
    seen = await people.until(lead, lambda seen: seen.on_call == "placed")
    told = ev.CallEnded(at=now(), attempt="a1", sid=seen.touches[0].sid, status="no-answer", id="over")
    await people.site.temporal.get_workflow_handle(lead).signal("call_status", told)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look comes at once."""
    monkeypatch.setattr(twins, "_FIRST_LOOK", timedelta(seconds=0.5))


async def two_merged(people: People, phone: str) -> tuple[str, str]:
    """One lead, and another that went into it with a callback that was promised."""
    one = await people.submit(f"{phone}1", name="Dana Reyes", email=f"a{phone[-3:]}@example.com")
    two = await people.submit(f"{phone}2", name="Dana Reyes", email=f"b{phone[-3:]}@example.com")
    for lead in (one, two):
        await over(people, lead)
    wish = ms.Act(at=now(), id="r1", action=ev.CallBack(at=now() + DAY), by="ana")
    assert (await people.ask(two, "act", wish)).allowed
    assert (await leads.merge(people.site.temporal, one, two, by="ops")).allowed
    await people.until(two, lambda seen: seen.merged_into == one)
    return one, two


async def test_what_comes_to_a_lead_whose_survivor_was_ended_brings_it_back(people: People) -> None:
    one, two = await two_merged(people, "+1 415 555 077")
    await ended_by_hand(people, one)
    late = ev.MessageReceived(at=now(), id="SM1", text="Are you still there?")
    await people.site.temporal.get_workflow_handle(two).signal("message_received", late)
    seen = await people.until(two, lambda seen: any(t.touch == "reply" for t in seen.touches))
    assert (seen.merged_into, seen.closed, seen.needs_review) == ("", False, "")
    assert one in (await people.until(two, lambda seen: seen.absorbed)).absorbed
    assert handles.survivor(one) == two
    assert handles.lead_of(hashed("+14155550771")) == two, "what would have gone to the other comes here"


async def test_a_lead_notices_by_itself_that_the_one_it_went_into_is_gone(people: People, soon: None) -> None:
    one, two = await two_merged(people, "+1 415 555 078")
    assert not (await people.view(one)).closed
    await ended_by_hand(people, one)
    seen = await people.until(two, lambda seen: seen.absorbed)
    assert (seen.merged_into, seen.closed) == ("", False)
    seen = await people.until(two, lambda seen: seen.next_at)
    assert "promised callback" in seen.next_reason


async def test_who_waits_in_doubt_about_a_lead_that_was_ended_is_called(people: People, soon: None) -> None:
    first, second = await in_doubt(people, "+1 415 555 0791")
    waits = await people.until(second, lambda seen: seen.doubts)
    assert (waits.needs_review, bool(waits.touches)) == ("identity", False)
    await ended_by_hand(people, first)
    seen = await people.until(second, lambda seen: any(t.sid for t in seen.touches))
    assert (seen.doubts, seen.needs_review) == ((), "")


async def test_who_is_in_doubt_about_a_lead_that_went_into_another_is_in_doubt_about_that(people: People, soon: None) -> None:
    first, second = await in_doubt(people, "+1 415 555 0793")
    await people.until(second, lambda seen: seen.doubts)
    third = await people.submit("+1 415 555 0794", name="Dana Reyes", email="third@example.com")
    for lead in (first, third):
        await over(people, lead)
    assert (await leads.merge(people.site.temporal, third, first, by="ops")).allowed
    seen = await people.until(second, lambda seen: [d.lead for d in seen.doubts] == [third])
    assert [item.about for item in seen.items] == [third]
    await leads.keep_apart(people.site.temporal, second, third, by="ops")
    await people.until(second, lambda seen: any(t.sid for t in seen.touches))


# ---- on the pure core ------------------------------------------------------------------------------------------------


def gone_into(state: Lead) -> Lead:
    return apply(apply(state, ev.Yielding(at=LATER, into="lead-x")), ev.GoneInto(at=LATER, into="lead-x"))


def test_what_it_went_into_the_other_with_it_has_again() -> None:
    doubt = ev.Meet(lead="lead-y", likeness="doubt", why="one number, but another name")
    for before in (
        lead_of("lead-a", ev.TwinsMet(at=START, meets=(doubt,))).but(callback_at=LATER + DAY),
        apply(lead_of("lead-b"), ev.LeadClosed(at=START, disposition="not_interested", reason="said so")),
    ):
        merged = gone_into(before)
        assert merged.disposition == "merged"
        assert apply(merged, ev.TwinsLooked(at=LATER + DAY, gone=("lead-z",))).merged_into == "lead-x"
        back = apply(merged, ev.TwinsLooked(at=LATER + DAY, gone=("lead-x",)))
        for name in ("stage", "disposition", "reason", "closed_at", "callback_at", "doubts", "items"):
            assert getattr(back, name) == getattr(before, name), name
        assert (back.merged_into, [j.lead for j in back.joining]) == ("", ["lead-x"])
        card = next(owed.card for owed in reversed(back.owed) if owed.card)
        assert card.title == "Dana Reyes goes on under another lead"
        assert next_of(back, LATER + DAY).rule == "merging", "first it takes in what the record remembers of the other"


def test_the_other_is_looked_for_ever_more_rarely() -> None:
    state, looks = gone_into(lead_of("lead-a")), list[timedelta]()
    at = LATER
    while isinstance(step := plan.next_step(state, BOOK, at), plan.Wait):
        assert step.until is not None
        assert step.until > at
        at = step.until
        if at == twins.next_look(state):
            looks.append(at - LATER)
            state = apply(state, ev.TwinsLooked(at=at))
    assert looks[:4] == [timedelta(hours=hours) for hours in (1, 2, 4, 8)]
    assert len(looks) <= 13
    assert isinstance(step, plan.Finish)
    assert at == LATER + BOOK.memory


def test_a_history_from_before_waits_as_it_did() -> None:
    waits = ev.Meet(lead="lead-y", likeness="doubt", why="one number, but another name", waits=True)
    state = apply(lead_of("lead-a"), ev.TwinsMet(at=START, meets=(waits,)))
    step = next_of(state, START)
    assert isinstance(step, plan.Wait)
    assert (step.rule, step.until) == ("identity", START + timedelta(hours=1))
    step = next_of(state.but(unwatched=True), START)
    assert isinstance(step, plan.Wait)
    assert (step.rule, step.until) == ("identity", None)
    assert review.stands(state, "identity")
