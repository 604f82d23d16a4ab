"""What fourteen days of a lead cost on Temporal, counted from real histories (payloads encrypted)."""

from __future__ import annotations

import os
import re
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from temporalio import activity
from temporalio.client import WorkflowHandle
from temporalio.testing import TimeSkipper

from activities.settings import settings
from activities.vendors import temporal
from tests.cost import Line, actions, lines, size
from tests.stage import Stage, on_stage, playbook, submit
from tests.test_lead_workflow import lead_name
from workflows import effects as fx
from workflows import events as ev
from workflows import messages as ms
from workflows.playbook import Playbook, Touch, register
from workflows.rules import zones_of

LEDGER_ACTIONS = 5
"""What one booking costs over TeamWorkflow and RepWorkflow: candidates, times taken, assign, hold, commit."""


LEDGER = "the ledgers"
COST = Path(__file__).parent.parent / "docs" / "cost.md"
BEGIN = "<!-- counts: written and checked by tests/test_cost.py -->\n"
END = "<!-- end of counts -->"


class Days(Stage):
    """Six calls, the second and the sixth answered; the sixth books a meeting that is held. Callbacks come while the
    dial is under way, for a skipped clock would run past them later."""

    handle: WorkflowHandle[Any, Any]
    answered: tuple[int, ...] = (2, 6)

    async def usual_place_call(self, request: fx.PlaceCall) -> fx.Dispatched:
        number = int(request.attempt[1:])
        sid = f"CA{number:032x}"
        at = activity.info().current_attempt_scheduled_time
        if number in self.answered:
            call = ms.Connect(attempt=request.attempt, sid=sid, at=at)
            await self.handle.execute_update("connect", call, result_type=ms.Brief)
            learned = (
                ev.Learned(field="team_size", value="40", quote="about forty of us"),
                ev.Learned(field="use_case", value="field reports", quote="field reports mostly"),
            )
            if number == 6:
                told = ev.CallLearned(at=at, attempt=request.attempt, turn=1, learned=learned)
                await self.handle.execute_update("report", ms.Report(learned=told), result_type=int)
                offer = await self.act(request, 2, ev.OfferSlots(), at)
                await self.act(request, 3, ev.Book(slot=offer.slots[-1].id), at)
                learned = ()
            end = ev.ConversationEnded(at=at, attempt=request.attempt, learned=learned, tokens_in=4000, tokens_out=400)
            await self.handle.execute_update("report", ms.Report(ended=end), result_type=int)
        status = "completed" if number in self.answered else "no-answer"
        over = {"at": at.isoformat(), "attempt": request.attempt, "sid": sid, "status": status, "seconds": 120}
        await self.handle.signal("call_status", over)
        return fx.Dispatched(sid=sid)

    async def act(self, request: fx.PlaceCall, turn: int, action: ev.Action, at: Any) -> ms.Answer:
        key = f"{request.attempt}:{turn}"
        asked = ms.Act(id=key, action=action, at=at, attempt=request.attempt)
        answer: ms.Answer = await self.handle.execute_update("act", asked, id=key, result_type=ms.Answer)
        assert answer.allowed, answer
        return answer

    def usual_find_slots(self, request: fx.FindSlots) -> fx.SlotsAnswer:
        found = super().usual_find_slots(request)
        later = timedelta(days=3)
        return fx.SlotsAnswer(
            slots=tuple(s.model_copy(update={"start": s.start + later, "end": s.end + later}) for s in found.slots)
        )

    async def usual_send_text(self, request: fx.SendText) -> fx.Dispatched:
        if request.touch.startswith("reminder/") and request.touch.endswith("/2"):
            seen: ms.View = await self.handle.query("view", result_type=ms.View)
            assert seen.booking is not None
            click = ms.Joined(booking=seen.booking.id, at=seen.booking.start)
            assert (await self.handle.execute_update("joined", click, result_type=ms.Answer)).allowed
        return fx.Dispatched(sid=f"SM{len(self.asked):032x}", segments=1)


def fourteen_days() -> Playbook:
    """The inbound playbook with five texts in its cadence: with the confirmation they are six."""
    book = playbook()
    more = [Touch(name=f"text_{n}", channel="text", after=timedelta(hours=1), message="question") for n in (8, 9)]
    first = book.cadence.first
    cadence = book.cadence.model_copy(update={"first": (*first[:4], more[0], *first[4:6], more[1], *first[6:])})
    book = book.model_copy(update={"cadence": cadence})
    register([book])
    return book


def phone_by_day() -> str:
    """A number where it is between nine and one o'clock now: the cost of waiting for the morning is another story."""
    for phone in ("+14155550123", "+12125550123", "+442071838750", "+919812345678", "+61291234567", "+6421123456"):
        (zone,) = zones_of(phone)
        if 9 <= datetime.now(ZoneInfo(zone)).hour < 16:
            return phone
    raise AssertionError("it is night everywhere")


async def test_fourteen_days_of_a_lead_cost_at_most_65_actions_and_48_kilobytes(skipping: TimeSkipper) -> None:
    stage, book, name = Days(), fourteen_days(), lead_name()
    async with on_stage(skipping.client, stage):
        stage.handle = skipping.client.get_workflow_handle(name)
        handle = await submit(skipping.client, book, lead=name, phone=phone_by_day())
        await handle.result()
    history = await handle.fetch_history()
    counted, stored = actions(history), size(history)
    told = stage.of("reflect")[-1]
    assert (told.stage, told.disposition) == ("closed", "showed")
    assert len(stage.of("place_call")) == 6
    assert len(stage.of("send_text")) == 9
    story = [e.text for r in stage.of("reflect") for e in r.entries]
    assert sum(t.startswith("texted: ") for t in story) == 9
    assert sum(t.startswith("call over: ") for t in story) == 6
    print(sum(counted.values()), dict(counted), stored)
    _documented(counted, stored, lines(history, temporal.Codec(settings().encryption_keys)))
    assert sum(counted.values()) + LEDGER_ACTIONS <= 65, counted
    assert stored <= 48 * 1024, counted


_WHY = {
    "start": "the workflow, with its form as the first signal",
    "signal": "the form, and the carrier's last word on each call: nothing else of a call's callbacks changes the plan",
    "place_call": "a dial each: one activity, one attempt, never repeated",
    "send_text": "the cadence's texts, the confirmation and the reminders, each with its e-mail where there is one",
    "update": "in live calls: connect, what was learned, an action each, the end; and the click on the join link",
    "find_slots": "the times that were offered",
    "book_meeting": "ledger, live free/busy, calendar and commit as one activity",
    "reflect": "record, CRM, Slack and rotation at once, when a stage changed or a call was over; outgoing events and alerts ride on it",
    "timer": "one for each gap, shared with the deadline of the call before it; an alarm that is set for an earlier time is kept",
    "attributes": "all search attributes that changed, in one command, and none during a call",
    LEDGER: "not in the lead's history: the team's candidates and assignment, the rep's times, hold and commit",
}


def _documented(counted: Counter[str], stored: int, story: list[Line]) -> None:
    """``docs/cost.md`` says what was counted. With SHOWRATE_WRITE_DOCS=1 in the environment it is written."""
    counts = {**counted, LEDGER: LEDGER_ACTIONS}
    rows = ["| what | actions | why |", "| --- | --- | --- |"]
    rows += [f"| {kind} | {counts[kind]} | {why} |" for kind, why in _WHY.items() if counts.get(kind)]
    rows += [f"| **all** | **{sum(counts.values())}** | {stored / 1024:.1f} KB of history, payloads encrypted |"]
    if os.environ.get("SHOWRATE_WRITE_DOCS"):
        told = ["", "Line by line, as one run had it (days after the form; the clock of a skipped fortnight):", ""]
        told += ["| day | what | about |", "| --- | --- | --- |"]
        told += [f"| {line.after / timedelta(days=1):.2f} | {line.kind} | {line.about} |" for line in story]
        head, _, tail = COST.read_text().partition(BEGIN)
        COST.write_text(head + BEGIN + "\n".join([*rows, *told]) + "\n" + END + tail.partition(END)[2])
    written = COST.read_text().partition(BEGIN)[2].partition(END)[0]
    assert set(counts) == set(_WHY), "a kind of action that docs/cost.md does not explain"
    again = "run: SHOWRATE_WRITE_DOCS=1 python -m pytest tests/test_cost.py"
    for kind, count in counts.items():
        told = re.search(rf"^\| {re.escape(kind)} \| (\d+) \|", written, re.M)
        assert told is not None, again
        # A call that the morning's spread puts behind an alarm that is set wakes the lead once more.
        assert abs(int(told[1]) - count) <= (1 if kind == "timer" else 0), f"{kind}: {count}\n{again}"
    told_size = re.search(r"([\d.]+) KB of history, payloads", written)
    assert told_size is not None
    assert abs(float(told_size[1]) - stored / 1024) < 2, "docs/cost.md names another size"


async def test_the_bare_cadence_costs_at_most_34_actions(skipping: TimeSkipper) -> None:
    stage, book, name = Days(), playbook(), lead_name()
    stage.answered = ()
    async with on_stage(skipping.client, stage):
        stage.handle = skipping.client.get_workflow_handle(name)
        handle = await submit(skipping.client, book, lead=name, phone=phone_by_day())
        await handle.result()
    counted = actions(await handle.fetch_history())
    print(counted)
    bare = {k: v for k, v in counted.items() if k not in ("reflect", "attributes")}
    assert sum(bare.values()) <= 34, counted
