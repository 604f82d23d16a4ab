"""Months of leads with clock changes, vendors away for hours, webhooks late, doubled and lost, and all that people do: on
the pure core, and some on the real server with time skipping. ``python -m tests.bench.months`` plays more of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from temporalio import activity
from temporalio.client import WorkflowHandle
from temporalio.testing import TimeSkipper

from activities import faults
from tests import planted, witness
from tests.months import CHAOTIC, PERSONAS, REACHABLE, UNRESPONSIVE, Fact, Month, Persona
from tests.stage import Stage, on_stage, playbook, submit
from tests.test_lead_workflow import lead_name
from workflows import effects as fx
from workflows import events as ev
from workflows import messages as ms
from workflows.effects import Entry
from workflows.lead import Lead
from workflows.playbook import Playbook

# ---- on the pure core ----------------------------------------------------------------------------------------------


@given(st.integers(0, 10**9), st.sampled_from(PERSONAS))
@how(max_examples=15)
def test_whatever_a_month_brings_every_rule_holds(seed: int, persona: Persona) -> None:
    assert witness.judged(Month(seed, persona).run()) == []


def test_who_answers_fares_otherwise_than_who_does_not() -> None:
    def fates(persona: Persona) -> Counter[str]:
        return Counter(Month(seed, persona).run().state.disposition for seed in range(8))

    assert fates(UNRESPONSIVE) == {"unresponsive": 8}
    reached = fates(REACHABLE)
    assert reached["showed"] >= 6
    assert not reached["unresponsive"]


@pytest.mark.parametrize("rule", witness.RULES)
def test_the_witness_finds_a_planted_fault(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    eager = impatient()
    assert not any(list(witness.RULES[rule](month)) for month in sound())
    planted.FAULTS[rule](monkeypatch)
    assert any(list(witness.RULES[rule](played(seed, eager))) for seed in range(60)), planted.FAULTS[rule].__name__


def impatient() -> Playbook:
    """The playbook with a second call hard upon the first, which only gap and line keep back."""
    book = playbook()
    first = book.cadence.first
    again = first[0].model_copy(update={"name": "again", "after": timedelta(seconds=10)})
    cadence = book.cadence.model_copy(update={"first": (first[0], again, *first[1:])})
    return book.model_copy(update={"cadence": cadence})


@cache
def sound() -> tuple[Month, ...]:
    """Months without a fault, the same for every rule."""
    return tuple(played(seed, impatient()) for seed in range(3))


def played(seed: int, book: Playbook) -> Month:
    month = Month(seed, (CHAOTIC, REACHABLE)[seed % 2], book)
    try:
        return month.run()
    except AssertionError:
        return month  # the fault may keep it from ending; what happened until then is judged


# ---- on the real server ----------------------------------------------------------------------------------------------


@dataclass
class Lived:
    """A lead's months on the server, in the shape that the witness reads."""

    persona: Persona
    book: Playbook
    phone: str = "+14155550123"
    seed: int = 0
    facts: list[Fact] = field(default_factory=list)
    story: list[Entry] = field(default_factory=list)
    state: Lead | None = None
    rests: None = None
    ended: bool = True

    @property
    def now(self) -> datetime:
        return self.facts[-1].at

    def fact(self, kind: str, **data: Any) -> None:
        self.facts.append(Fact(activity.info().started_time, kind, data))


class Carrier:
    """What the stage's activities play: the carrier and the person, in the lead's own skipped time. What they tell the
    lead comes before the activity has answered, for time stands still only until then."""

    def __init__(self, skipping: TimeSkipper, stage: Stage, lived: Lived) -> None:
        self._skipping, self._stage, self._lived = skipping, stage, lived
        self._away_until: datetime | None = None
        self.handle: WorkflowHandle[Any, Any] | None = None
        stage.answers |= {"place_call": self.place_call, "send_text": self.send_text, "reflect": self.reflect}

    async def place_call(self, request: fx.PlaceCall) -> Any:
        at = activity.info().started_time
        if self._away_until is None and any(fact.kind == "dial" for fact in self._lived.facts):
            self._away_until = at + timedelta(hours=7)  # from the second dial on, whatever the hour of the form
        if self._away_until is not None and at < self._away_until:
            return faults.retry("the carrier is away")
        sid = f"CA{request.attempt}"
        assert self.handle is not None
        seen = await self.handle.query("view", result_type=ms.View)
        touch = next(t.touch for t in seen.touches if t.attempt == request.attempt)
        self._lived.fact("dial", attempt=request.attempt, sid=sid, touch=touch)
        number = len([f for f in self._lived.facts if f.kind == "dial"])
        if self._lived.persona is CHAOTIC and number == 4:
            await self._tell("message_received", ev.MessageReceived(at=at, id="SM1", text="STOP"))
            await self._tell("message_received", ev.MessageReceived(at=at, id="SM1", text="STOP"))
            self._lived.fact("opt_out_said")
            self._lived.fact("opt_out_heard")
        elif self._lived.persona is REACHABLE and number >= 3:
            await self._talks(request.attempt, sid, at, calls_back=number == 3)
        status = "completed" if self._lived.persona is REACHABLE and number >= 3 else "no-answer"
        over = ev.CallEnded.model_validate(
            {"at": at, "id": f"{sid}:{status}", "attempt": request.attempt, "sid": sid, "status": status, "seconds": 20}
        )
        self._lived.fact("hung_up", sid=sid)
        await self._tell("call_status", over)
        await self._tell("call_status", over)
        return fx.Dispatched(sid=sid)

    async def _talks(self, attempt: str, sid: str, at: datetime, calls_back: bool) -> None:
        """First they ask to be called tomorrow, then they book."""
        brief = await self._ask("connect", ms.Connect(attempt=attempt, sid=sid, at=at), ms.Brief)
        if brief.refusal:
            return
        self._lived.fact("briefed", learned=brief.learned, person=brief.person, booking=brief.booking)
        learned = ev.CallLearned(at=at, attempt=attempt, turn=1, learned=(ev.Learned(field="team_size", value="12"),))
        await self._ask("report", ms.Report(learned=learned), int)
        self._lived.fact("said", field="team_size", value="12")
        if calls_back:
            due = at + timedelta(hours=22)
            await self._act(attempt, 1, ev.CallBack(at=due), at)
            self._lived.fact("promised", due=due)
        else:
            offered = await self._act(attempt, 1, ev.OfferSlots(), at)
            answer = await self._act(attempt, 2, ev.Book(slot=offered.slots[0].id), at)
            assert answer.booking is not None
            self._lived.fact("booked", booking=answer.booking.id, start=answer.booking.start, moved="")
        await self._ask("report", ms.Report(ended=ev.ConversationEnded(at=at, attempt=attempt)), int)

    async def _act(self, attempt: str, turn: int, action: ev.Action, at: datetime) -> ms.Answer:
        self._lived.fact("asked", action=action.kind, request=f"{attempt}:{turn}", disposition="")
        asked = ms.Act(id=f"{attempt}:{turn}", action=action, at=at, attempt=attempt)
        answer: ms.Answer = await self._ask("act", asked, ms.Answer)
        assert answer.allowed, answer
        return answer

    async def send_text(self, request: fx.SendText) -> fx.Dispatched:
        self._lived.fact("text", touch=request.touch, message="opted_out" if "opted out" in request.body else "", rule="")
        if request.touch.startswith("reminder/") and request.booking:
            await self._tell_joined(request.booking)
        return self._stage.usual_send_text(request)

    async def _tell_joined(self, booking: str) -> None:
        """They click their link in time, which counts from shortly before the meeting."""
        at = activity.info().started_time
        self._lived.fact("met", booking=booking)  # before the lead knows: it may be closed when we hear of it
        met = self._lived.facts[-1]
        answer = await self._ask("joined", ms.Joined(booking=booking, at=at), ms.Answer)
        if not answer.allowed:
            self._lived.facts.remove(met)

    def reflect(self, request: fx.Reflection) -> fx.ReflectionDone:
        self._lived.story += request.entries
        if request.memory is not None and self._lived.state is None:
            self._lived.state = Lead.model_validate(request.memory)
            self._lived.fact("closed", disposition=request.disposition, state=self._lived.state)
        return fx.ReflectionDone()

    async def _tell(self, name: str, event: ev.Event) -> None:
        assert self.handle is not None
        await self.handle.signal(name, event)

    async def _ask(self, name: str, asked: Any, kind: type) -> Any:
        assert self.handle is not None
        return await asyncio.wait_for(self.handle.execute_update(name, asked, result_type=kind), 60)


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.name)
async def test_months_on_the_server(skipping: TimeSkipper, persona: Persona) -> None:
    stage, book = Stage(), playbook()
    lived = Lived(persona, book)
    carrier = Carrier(skipping, stage, lived)
    lead = lead_name()
    carrier.handle = skipping.client.get_workflow_handle(lead)
    async with on_stage(skipping.client, stage):
        handle = await submit(skipping.client, book, datetime.now(UTC), lead=lead)
        await asyncio.wait_for(handle.result(), 60)
    assert lived.state is not None
    assert witness.judged(lived) == []  # type: ignore[arg-type]
    expected = {UNRESPONSIVE: "unresponsive", REACHABLE: "showed", CHAOTIC: "opted_out"}
    assert lived.state.disposition == expected[persona]
    assert any("carrier is away" in entry.text for entry in lived.story)


def test_a_closed_lead_that_asks_to_be_called_is_called() -> None:
    """Found by these months: the promise was made, and the lead stayed closed."""
    month = Month(1, UNRESPONSIVE).run_until_closed()
    month.rings_us("call_back")
    due = next(fact.due for fact in month.facts if fact.kind == "promised")
    assert any(fact.kind == "dial" and fact.at >= due for fact in month.facts)
    assert witness.judged(month) == []
