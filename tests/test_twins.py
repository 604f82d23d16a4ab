"""A lead that does nothing for another lead's sake notices when that one is gone, and goes on; on the real server."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowExecutionStatus

from activities import claims, handles
from clients import leads
from tests.fixtures.web import People
from tests.test_identity import BOOK, DAY, LATER, START, hashed, in_doubt, lead_of, next_of, united, who
from tests.test_lead_workflow import now, until
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


# ---- rings of three --------------------------------------------------------------------------------------------------


async def test_of_three_in_doubt_about_each_other_the_first_goes_on_and_a_person_frees_the_others(people: People) -> None:
    """Each shares one handle with the next: a number, an address, and at last a number that the first gives later."""
    first = await people.submit("+1 415 555 0801", name="Dana Reyes", email="ring.a@example.com")
    await over(people, first)
    await people.recorded(first, "attempting")
    second = await people.submit("+1 415 555 0801", name="Dana R.", email="ring.b@example.com")
    await people.recorded(second, "new")
    third = await people.submit("+1 415 555 0803", name="Luis Reyes", email="ring.b@example.com")
    await people.recorded(third, "new")
    assert await people.submit("+1 415 555 0803", name="Dana Reyes", email="ring.a@example.com") == first
    seen = {lead: await people.until(lead, lambda seen: len(seen.doubts) == 2) for lead in (first, second, third)}
    waits = {lead: {d.lead for d in view.doubts if d.waits} for lead, view in seen.items()}
    assert waits == {first: set(), second: {first}, third: {first, second}}
    assert "a person decides" not in seen[first].next_reason, "she goes on"
    assert "a person decides" in seen[second].next_reason
    assert (await leads.merge(people.site.temporal, first, second, by="ops")).allowed
    await leads.keep_apart(people.site.temporal, first, third, by="ops", words="her brother")
    await leads.keep_apart(people.site.temporal, second, third, by="ops", words="her brother")
    freed = await people.until(third, lambda seen: any(t.sid for t in seen.touches))
    assert (freed.doubts, freed.items) == ((), ())
    assert (await people.view(first)).doubts == ()


async def test_three_that_each_take_in_the_next_become_one(people: People) -> None:
    three = [await people.submit(f"+1 415 555 081{n}", name="Dana Reyes", email=f"three.{n}@example.com") for n in range(3)]
    for lead in three:
        await over(people, lead)
    one, two, last = sorted(three)
    pairs = ((one, two), (two, last), (last, one))
    asked = [asyncio.create_task(leads.merge(people.site.temporal, into, other, by="ops")) for into, other in pairs]

    async def joined() -> bool:
        views = [await people.view(lead) for lead in (two, last)]
        return all(view.merged_into for view in views)

    await until(joined)
    seen = await people.until(one, lambda seen: len(seen.absorbed) == 2)
    assert set(seen.absorbed) == {two, last}
    assert (seen.doubts, seen.merged_into) == ((), "")
    assert len([t for t in seen.touches if t.channel == "call"]) == 3, "nobody's story is lost"
    await asyncio.gather(*asked, return_exceptions=True)
    assert {handles.survivor(lead) for lead in three} == {one}


def test_who_was_told_apart_from_the_one_is_not_taken_in_with_the_other() -> None:
    """A person said that A and C are two people; B is A, and C is B by their handles: one of these is wrong."""
    apart = lead_of("lead-a", ev.KeptApart(at=START, lead="lead-c", by="ops"))
    same = ev.Meet(lead="lead-c", likeness="same", why="one e-mail address")
    other = lead_of("lead-b", ev.TwinsMet(at=START, meets=(same,)))
    for mine, theirs in ((apart, other), (other, apart)):
        state = united(mine, theirs)
        assert (state.joining, state.beside) == ((), ())
        assert [d.lead for d in state.doubts] == ["lead-c"]
        assert [item.id for item in state.items] == ["identity:lead-c"]
        told = apply(state, ev.KeptApart(at=LATER, lead="lead-c", by="ops"))
        assert (told.doubts, told.beside, told.items) == ((), ("lead-c",), ())


def test_of_any_leads_in_doubt_the_first_form_goes_first() -> None:
    """One order for all: whoever learns of whom, no ring of them waits."""
    persons = {f"lead-{n}": who("Dana Reyes" if n == "1" else f"Dana {n}.", "p", f"e{n}") for n in "123"}
    came = {"lead-1": START, "lead-2": None, "lead-3": START + DAY}
    waits = {
        lead: {m.lead for m in claims._meets(known, lead, persons, came) if m.waits} for lead, known in persons.items()
    }
    assert waits == {"lead-1": set(), "lead-3": {"lead-1"}, "lead-2": {"lead-1", "lead-3"}}
    waits = {lead: {m.lead for m in claims._meets(persons[lead], lead, persons, {}) if m.waits} for lead in persons}
    assert waits == {"lead-1": set(), "lead-2": {"lead-1"}, "lead-3": {"lead-1", "lead-2"}}
