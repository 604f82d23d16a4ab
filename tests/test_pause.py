"""Pausing and resuming with the real gate, control workflow and dispatches: everything, an audience, a channel, a lead."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client

from activities import calls, control, gate, suppression, texts
from activities.settings import settings
from activities.vendors import temporal, twilio
from clients import leads, printing, stories
from tests.fixtures.sandbox import Sandbox
from tests.fixtures.temporal import running_worker
from tests.stage import Stage, playbook, submit
from workflows import events as ev
from workflows import messages as ms
from workflows import plan, story
from workflows.attributes import HELD
from workflows.brief import brief
from workflows.control_workflow import ControlWorkflow
from workflows.lead import DueText, Lead
from workflows.lead_workflow import LeadWorkflow
from workflows.optout_workflow import OptOutWorkflow
from workflows.playbook import Hours, Playbook, Touch, register

SPREAD = timedelta(seconds=3)
REAL = (calls.place_call, calls.end_call, calls.find_call, texts.send_text, texts.find_text, control.wake_leads,
        suppression.keep_opt_out)  # fmt: skip
NOW = datetime(2026, 11, 23, 15, 5, tzinfo=UTC)


@cache
def quick(audience: str) -> Playbook:
    """A call at once, a text half a second after it, another call; hours that never close."""
    demo = playbook("demo")
    touches = (
        Touch(name="call_1", channel="call", after=timedelta(0)),
        Touch(name="text_1", channel="text", after=timedelta(seconds=0.5), message="missed_call"),
        Touch(name="call_2", channel="call", after=timedelta(hours=1)),
    )
    cadence = demo.cadence.model_copy(
        update={"first": touches, "min_gap": timedelta(0), "patience": timedelta(hours=1)}
    )
    made = demo.model_copy(
        update={"audience": audience, "cadence": cadence, "resume_spread": SPREAD,
                "hours": Hours(opens="00:00", closes="24:00"), "rules": None}
    )  # fmt: skip
    register([made])
    return made


@dataclass
class Floor:
    """The house during a test: leads are let in, and what reaches the carrier is read from its log."""

    client: Client
    sandbox: Sandbox
    stage: Stage
    numbers: dict[str, str] = field(default_factory=dict)

    async def lead(self, audience: str = "inbound") -> str:
        """Let somebody in, under a handle and a number of their own."""
        handle = uuid4().hex
        name, phone = f"lead-{handle}", f"+1415555{len(self.numbers) + 1000:04d}"
        self.numbers[name] = phone
        await submit(self.client, quick(audience), lead=name, phone=phone, phone_hash=handle, email_hash=uuid4().hex)
        return name

    def sent(self, lead: str, to: str) -> list[datetime]:
        """When the carrier took dials (``Calls``) or texts (``Messages``) for this lead."""
        return [
            datetime.fromisoformat(entry.at)
            for entry in self.sandbox.world.log.find("twilio", "in", "POST", f"/{to}.json")
            if self.numbers[lead] in parse_qs(entry.body).get("To", [])
        ]

    async def pause(self, scope: str) -> datetime:
        """Pause as the command and the console do; when they had their answer."""
        assert (await leads.set_paused(self.client, scope, True, "ops", "a test"))["paused"]
        return datetime.now(UTC)

    async def resume(self, scope: str) -> datetime:
        asked = datetime.now(UTC)
        await leads.set_paused(self.client, scope, False, "ops")
        return asked

    async def view(self, lead: str) -> ms.View:
        return await self.client.get_workflow_handle(lead).query("view", result_type=ms.View)

    async def no_answer(self, lead: str) -> None:
        """The carrier's word that the first call rang out."""
        seen = await self.until(lead, lambda view: view.touches and view.touches[-1].sid)
        last = seen.touches[-1]
        over = ev.CallEnded(at=datetime.now(UTC), attempt=last.attempt, sid=last.sid, status="no-answer")
        await self.client.get_workflow_handle(lead).signal("call_status", over)

    async def until(self, lead: str, true: Callable[[ms.View], Any], seconds: float = 60) -> ms.View:
        end = time.monotonic() + seconds
        while not true(seen := await self.view(lead)):
            assert time.monotonic() < end, f"still {seen}"
            await asyncio.sleep(0.05)
        return seen

    async def told(self, lead: str) -> list[tuple[str, str]]:
        """What the lead's story says of pauses: each rule and its words."""
        told = [request.entries for request in self.stage.of("reflect") if request.lead == lead]
        entries = [*(entry for some in told for entry in some), *await leads.why(self.client, lead)]
        known = {entry.version: entry for entry in entries if "paused" in entry.rule}
        return [(known[version].rule, known[version].text) for version in sorted(known)]

    async def held(self, lead: str, scope: str) -> None:
        """Wait until the lead shows, in Temporal and in its own story, that ``scope`` holds it."""
        await self.until(lead, lambda view: view.held_by == scope)
        query, end = f"{HELD.name} = '{scope}' AND WorkflowId = '{lead}'", time.monotonic() + 60
        while not (await self.client.count_workflows(query)).count:
            assert time.monotonic() < end, f"{lead} does not show as held"
            await asyncio.sleep(0.05)


@asynccontextmanager
async def opened(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, **dials: Any) -> AsyncIterator[Floor]:
    """Workers as in production, but for the systems of record; ``dials`` are options of the worker that dials."""
    account = sandbox.world.account
    for name, value in {
        "TWILIO_ACCOUNT_SID": account.sid, "TWILIO_AUTH_TOKEN": account.token, "TWILIO_NUMBER": account.number,
        "TWILIO_BASE_URL": f"{sandbox.url}/twilio", "SHOWRATE_PUBLIC_URL": "http://127.0.0.1:9",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    client, stage = await temporal.connect(), Stage()
    names = {each.__name__ for each in REAL}
    activities = [*REAL, *(each for each in stage.activities() if _name(each) not in names)]
    async with (
        running_worker(client, [LeadWorkflow, ControlWorkflow, OptOutWorkflow], activities),
        running_worker(client, [], [calls.place_call], queue=ms.DIAL_QUEUE, **dials),
    ):
        yield Floor(client, sandbox, stage)
    await twilio.close()


def _name(function: Callable[..., Any]) -> str | None:
    return activity._Definition.must_from_callable(function).name


@pytest.fixture
async def floor(own_server: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Floor]:
    """A server of its own: what is paused here must hold nobody else."""
    async with opened(sandbox, monkeypatch) as made:
        yield made


async def test_everything_stops_within_a_second_and_comes_back_spread_out(floor: Floor) -> None:
    people: list[str] = []
    stopped = asyncio.Event()

    async def come_in() -> None:
        """People keep coming, a dozen of them after the pause."""
        more = 12
        while more:
            people.append(await floor.lead())
            more -= stopped.is_set()
            await asyncio.sleep(0.05)

    waiting_for_a_text = await floor.lead()
    people.append(waiting_for_a_text)
    await floor.until(waiting_for_a_text, lambda view: view.touches and view.touches[0].sid)
    coming = asyncio.create_task(come_in())
    await asyncio.sleep(0.5)
    paused = await floor.pause("everything")
    stopped.set()
    await floor.no_answer(waiting_for_a_text)
    await coming
    await asyncio.sleep(1)
    dialled = {lead: floor.sent(lead, "Calls") for lead in people}
    assert all(at < paused + timedelta(seconds=1) for dials in dialled.values() for at in dials)
    held = [lead for lead, dials in dialled.items() if not dials]
    assert len(held) >= 10

    for lead in (*held, waiting_for_a_text):
        await floor.held(lead, "everything")
    for lead in held[:3]:
        seen = await floor.view(lead)
        assert (seen.stage, seen.furthest, set(seen.milestones)) == ("new", "new", {"form", "new"})
    told = await stories.story(floor.client, held[0])
    assert printing.held(told) == "everything, paused by ops (a test)"
    assert not floor.sent(waiting_for_a_text, "Messages")
    assert await floor.told(held[0]) == [
        ("paused:everything", "not dialled: everything is paused"),
        ("paused", "everything is paused"),
    ]

    asked = await floor.resume("everything")
    for lead in held:
        await floor.until(lead, lambda view: any(touch.sid for touch in view.touches), SPREAD.total_seconds() + 60)
    await floor.until(waiting_for_a_text, lambda view: len(view.touches) > 1, SPREAD.total_seconds() + 60)
    assert all(len(floor.sent(lead, "Calls")) == 1 for lead in people)
    assert len(floor.sent(waiting_for_a_text, "Messages")) == 1
    after = sorted(floor.sent(lead, "Calls")[0] - asked for lead in held)
    at_once = [wait for wait in after if wait < SPREAD / 3]
    assert len(at_once) < 0.8 * len(held)
    assert after[-1] - after[0] > SPREAD / 3
    assert (await floor.client.count_workflows(f"{HELD.name} IS NOT NULL")).count == 0


async def test_opt_outs_and_inbound_go_on_while_everything_is_paused(floor: Floor) -> None:
    await floor.pause("everything")
    stops, rings = await floor.lead(), await floor.lead()
    for lead in (stops, rings):
        await floor.held(lead, "everything")
    stop = ev.MessageReceived(at=datetime.now(UTC), id="SM1", text="STOP")
    await floor.client.get_workflow_handle(stops).signal("message_received", stop)
    await floor.until(stops, lambda view: view.opted_out)
    await _until_opted_out(floor, stops)

    handle = floor.client.get_workflow_handle(rings)
    call = ms.Connect(attempt="in-CA9", sid="CA9", at=datetime.now(UTC), inbound=True)
    brief = await handle.execute_update("connect", call, result_type=ms.Brief)
    assert brief.refusal == ""
    ask = ms.Act(id="in-CA9:1", action=ev.OfferSlots(), at=call.at, attempt="in-CA9", version=brief.version)
    offer = await handle.execute_update("act", ask, result_type=ms.Answer)
    wish = ev.Book(slot=offer.slots[0].id)
    book = ms.Act(id="in-CA9:2", action=wish, at=call.at, attempt="in-CA9", version=offer.version)
    assert (await handle.execute_update("act", book, result_type=ms.Answer)).booking

    await floor.resume("everything")
    confirmed = await floor.until(rings, lambda view: any(t.channel == "text" for t in view.touches))
    assert confirmed.stage == "booked"
    assert len(floor.sent(rings, "Messages")) == 1
    for lead in (stops, rings):
        assert not floor.sent(lead, "Calls")


async def _until_opted_out(floor: Floor, lead: str) -> None:
    end = time.monotonic() + 60
    while not await gate.opted_out(floor.client, lead.removeprefix("lead-")):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


async def test_an_audience_is_paused_alone(floor: Floor) -> None:
    quick("webinar")
    await floor.pause("audience:webinar")
    held, free = await floor.lead("webinar"), await floor.lead("inbound")
    await floor.until(free, lambda view: view.touches and view.touches[0].sid)
    await floor.held(held, "audience:webinar")
    await floor.pause("everything")
    await floor.resume("everything")
    await asyncio.sleep(1)
    assert not floor.sent(held, "Calls")
    await floor.resume("audience:webinar")
    await floor.until(held, lambda view: view.touches and view.touches[-1].sid)


async def test_a_channel_is_paused_alone(floor: Floor) -> None:
    await floor.pause("channel:text")
    lead = await floor.lead()
    await floor.no_answer(lead)
    await floor.held(lead, "channel:text")
    assert len(floor.sent(lead, "Calls")) == 1
    assert not floor.sent(lead, "Messages")
    await floor.resume("channel:text")
    await floor.until(lead, lambda view: view.touches[-1].channel == "text" and view.touches[-1].outcome == "sent")
    assert len(floor.sent(lead, "Messages")) == 1


async def test_a_lead_that_was_paused_alone_outlasts_a_pause_of_everything(floor: Floor) -> None:
    await floor.pause("everything")
    lead, other = await floor.lead(), await floor.lead()
    for each in (lead, other):
        await floor.held(each, "everything")
    await floor.pause(lead)
    await floor.resume("everything")
    await floor.until(other, lambda view: view.touches[-1].sid)
    await asyncio.sleep(SPREAD.total_seconds())
    assert (await floor.view(lead)).held_by == "ops"
    assert not floor.sent(lead, "Calls")
    await floor.resume(lead)
    await floor.until(lead, lambda view: view.touches[-1].sid)


async def test_who_waits_for_the_dialler_is_not_dialled_any_more(
    own_server: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(sandbox, monkeypatch, max_task_queue_activities_per_second=1.0) as floor:
        began = datetime.now(UTC)
        people = [await floor.lead() for _ in range(7)]
        alone = people[-1]
        await floor.pause(alone)  # takes it out of the queue at once
        seen = await floor.until(alone, lambda view: not any(t.outcome == "queued" for t in view.touches))
        assert seen.next_reason == "paused by ops"
        paused = await floor.pause("everything")
        await asyncio.sleep(3)
        dials = [at for lead in people for at in floor.sent(lead, "Calls")]
        assert all(at < paused + timedelta(seconds=1) for at in dials)
        assert len(dials) <= (paused - began).total_seconds() + 3, "one a second, the first two at once"
        await floor.resume("everything")
        for lead in people[:-1]:
            await floor.until(lead, lambda view: any(touch.sid for touch in view.touches))
        assert all(len(floor.sent(lead, "Calls")) == 1 for lead in people[:-1])
        assert not floor.sent(alone, "Calls")


# ---- decisions --------------------------------------------------------------------------------------------------


@cache
def inbound() -> Playbook:
    return playbook()


def talking(**over: Any) -> Lead:
    """Somebody whom we called a minute ago and who is on the line; the next touch of the cadence is due."""
    book = inbound()
    lead = Lead(lead="lead-1", audience=book.audience, playbook=book.hash)
    form = ev.Form(submission_id="s1", phone="+12125550123", source="website")
    events: list[ev.Event] = [
        ev.FormSubmitted(at=NOW, form=form),
        ev.DialQueued(at=NOW, attempt="a1", touch="cadence/1/0/call_1"),
        ev.CallPlaced(at=NOW, attempt="a1", sid="CA1"),
        ev.CallConnected(at=NOW, attempt="a1", sid="CA1"),
    ]
    for event in events:
        lead = story.apply(lead, event)
    return lead.but(**over)


def test_a_text_that_is_held_back_starts_no_second_call() -> None:
    """Nor does it once the cadence's next call is due."""
    due, demo = (DueText(key="due/link/1", message="link"),), playbook("demo")
    talks = talking(due_texts=due, held_scope="channel:text", next_touch=2)
    for at in (NOW + timedelta(seconds=seconds) for seconds in range(0, 600, 7)):
        step = plan.next_step(talks, demo, at)
        assert isinstance(step, plan.Wait | plan.AskCarrier), step


@pytest.mark.parametrize("scope", ["everything", "audience:inbound", "channel:call"])
def test_a_call_that_a_pause_cut_short_is_owed(scope: str) -> None:
    lead = story.apply(talking(), ev.ConversationEnded(at=NOW, attempt="a1", outcome="paused"))
    lead = story.apply(lead, ev.CallEnded(at=NOW, attempt="a1", sid="CA1", status="completed", seconds=9))
    refused = lead.but(held_scope=scope)
    step = plan.next_step(refused, inbound(), NOW + timedelta(minutes=5))
    assert (step.rule, step.reason) == ("paused", f"{scope.replace(':', ' ')} is paused")
    over = story.apply(refused, ev.Resumed(at=NOW + timedelta(hours=1), scope=scope, spread=timedelta(minutes=3)))
    waits = plan.next_step(over, inbound(), NOW + timedelta(hours=1))
    assert isinstance(waits, plan.Wait)
    assert waits.reason == "waiting for the promised callback"
    assert waits.until == NOW + timedelta(hours=1, minutes=3)
    then = plan.next_step(over, inbound(), waits.until)
    assert isinstance(then, plan.Settle)
    assert isinstance(then.event, ev.DialQueued)
    assert then.event.touch.startswith("callback")


def test_pausing_a_lead_ends_its_call_with_words() -> None:
    held = story.apply(talking(), ev.Held(at=NOW, by="ops"))
    step = plan.next_step(held, inbound(), NOW)
    assert isinstance(step, plan.Hangup)
    assert (step.rule, step.say) == ("paused", inbound().speech.paused)
    over = story.apply(held, ev.CallCancelled(at=NOW, attempt="a1"))
    assert over.callback_at == NOW


def test_taking_over_ends_the_call_that_goes_on_also_one_of_theirs_and_after_they_asked_for_a_person() -> None:
    theirs = story.apply(talking(call=None), ev.CallConnected(at=NOW, attempt="in-CA9", sid="CA9", inbound=True))
    asked = story.apply(talking(), ev.ActionAsked(at=NOW, id="a1:3", action=ev.HandOff(why="prices"), by="agent", attempt="a1"))
    asked = story.apply(asked, ev.ActionDone(at=NOW, request="a1:3"))
    for lead in (talking(), theirs, asked):
        assert not isinstance(plan.next_step(lead, inbound(), NOW), plan.Hangup)
        step = plan.next_step(story.apply(lead, ev.TakenOver(at=NOW, by="ana")), inbound(), NOW)
        assert isinstance(step, plan.Hangup)
        assert (step.rule, step.say) == ("taken_over", inbound().speech.paused)


def test_whoever_rings_a_lead_that_was_taken_over_is_answered() -> None:
    lead = story.apply(talking(call=None), ev.TakenOver(at=NOW, by="ana"))
    lead = story.apply(lead, ev.CallConnected(at=NOW, attempt="in-CA9", sid="CA9", inbound=True))
    assert not isinstance(plan.next_step(lead, inbound(), NOW), plan.Hangup)


def test_a_pause_of_texts_refuses_no_call() -> None:
    call = ms.Connect(attempt="a1", sid="CA1", at=NOW)
    assert brief(talking(held_scope="channel:text"), inbound(), call).refusal == ""
    for scope in ("everything", "audience:inbound", "channel:call"):
        assert brief(talking(held_scope=scope), inbound(), call).refusal == "paused"
    assert brief(talking(held_by="ops"), inbound(), call).refusal == "paused"


def test_the_end_of_one_pause_is_not_the_end_of_another() -> None:
    lead = talking(held_scope="audience:inbound", held_by="ops")
    assert story.apply(lead, ev.Resumed(at=NOW, scope="everything")).held_scope == "audience:inbound"
    over = story.apply(lead, ev.Resumed(at=NOW, scope="audience:inbound"))
    assert (over.held_scope, over.held_by) == ("", "ops")
    both = story.apply(lead, ev.Resumed(at=NOW))
    assert (both.held_scope, both.held_by) == ("", "")


def test_a_dial_that_never_left_leaves_the_lead_as_new_as_it_was() -> None:
    book = inbound()
    lead = Lead(lead="lead-1", audience=book.audience, playbook=book.hash)
    queued = ev.DialQueued(at=NOW, attempt="a1", touch="cadence/1/0/call_1")
    held = ev.CallNotPlaced(at=NOW, attempt="a1", why="paused:everything", held="everything", uncounted=True)
    for event in (ev.FormSubmitted(at=NOW, form=ev.Form(submission_id="s1", phone="+12125550123")), queued):
        lead = story.apply(lead, event)
    assert lead.stage == "attempting"
    new = story.apply(lead, held)
    assert (new.stage, new.furthest, new.transitions, "attempting" in new.milestones) == ("new", "new", (), False)
    again = story.apply(story.apply(new, ev.Resumed(at=NOW)), queued.model_copy(update={"attempt": "a2"}))
    assert [(moved.before, moved.after) for moved in again.transitions] == [("new", "attempting")]
    # What was recorded before stays so, as does whoever was texted, or whose number the carrier refused.
    older, refused = held.model_copy(update={"uncounted": False}), held.model_copy(update={"permanent": True, "held": ""})
    texted = story.apply(lead, ev.TextSent(at=NOW, touch="cadence/1/1/text_1", message="missed_call"))
    for state, event in ((lead, older), (lead, refused), (texted, held)):
        assert story.apply(state, event).stage == "attempting"
