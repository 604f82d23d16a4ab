"""Calls on the carrier's wire: the stand-in rings a persona, our webhooks and gateway talk to it, a real lead decides."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from activities.settings import settings
from activities.vendors import openai, twilio
from tests.fixtures.sandbox import Sandbox, serving
from tests.fixtures.temporal import running_worker
from tests.fixtures.web import People, Site
from tests.stage import Stage
from workers.sandbox import model
from workers.sandbox.personas import Character
from workflows import effects as fx
from workflows import events as ev
from workflows import messages
from workflows.lead_workflow import LeadWorkflow
from workflows.optout_workflow import OptOutWorkflow
from workflows.playbook import playbook_of

_persons = itertools.count(100)


class Wire(People):
    """Leads whose dials really ring in the sandbox."""

    def __init__(self, site: Site, stage: Stage, sandbox: Sandbox) -> None:
        super().__init__(site, stage)
        self.sandbox = sandbox

    async def calling(self, kind: str, **who: Any) -> tuple[str, str]:
        """Somebody of this kind sends the form: the lead, and the person's number."""
        number = f"+1415555{next(_persons):04d}"
        email = f"sam{number[-4:]}@northwind.example"
        person = Character(kind=kind, number=number, email=email, seed=7, **who)  # type: ignore[arg-type]
        await asyncio.to_thread(self.sandbox.cast, person)
        return await self.submit(number, name=person.name, email=person.email), number

    def booked(self, lead: str) -> int:
        """How many meetings were booked for ``lead``."""
        return sum(request.lead == lead for request in self.stage.of("book_meeting"))

    async def calls_with(self, number: str) -> list[dict[str, Any]]:
        """The calls with ``number`` as the carrier knows them, oldest first."""
        async with httpx.AsyncClient() as http:
            seen = (await http.get(f"{self.sandbox.url}/_phone", params={"number": number})).json()
        return list(reversed(seen["calls"]))

    async def said(self, number: str, ours: bool = True) -> str:
        """What was said on the line by our side, over all calls with ``number``."""
        calls = await self.calls_with(number)
        return " | ".join(line["text"] for call in calls for line in call["says"] if line["us"] == ours)


@pytest.fixture
async def wire(web: Site, serve: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Wire]:
    served = await serve(Starlette(routes=model.routes(None)))  # type: ignore[arg-type]
    with ExitStack() as held:
        sandbox = held.enter_context(serving(tmp_path / "sandbox", web.url))
        account = sandbox.world.account
        for name, value in {
            "OPENAI_BASE_URL": f"{served.url}/openai/v1", "OPENAI_API_KEY": "sandbox",
            "TWILIO_ACCOUNT_SID": account.sid, "TWILIO_AUTH_TOKEN": account.token, "TWILIO_NUMBER": account.number,
            "TWILIO_BASE_URL": f"{sandbox.url}/twilio",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        stage = Stage()
        start = (datetime.now(UTC) + timedelta(days=1)).replace(hour=18, minute=0, second=0, microsecond=0)
        times = tuple(
            ev.Slot(id=f"ana@{at.isoformat()}", rep="ana", start=at, end=at + timedelta(minutes=30))
            for at in (start, start + timedelta(hours=1))
        )

        async def place(request: fx.PlaceCall) -> fx.Dispatched:
            sid = await twilio.place_call(
                request.gate.lead, request.attempt, request.to, request.ring, request.longest, request.playbook
            )
            return fx.Dispatched(sid=sid)

        stage.answers |= {"place_call": place, "find_slots": lambda _: fx.SlotsAnswer(slots=times)}
        async with (
            running_worker(web.temporal, [LeadWorkflow, OptOutWorkflow], stage.activities()),
            running_worker(web.temporal, [], stage.activities(), queue=messages.DIAL_QUEUE),
        ):
            yield Wire(web, stage, sandbox)
        # In a thread: the sandbox says goodbye to our gateway, which answers it from this loop.
        await asyncio.to_thread(held.close)
        await openai.close()
        await twilio.close()


async def cut_off(wire: Wire) -> None:
    """A call that breaks off in mid-sentence is taken up within two minutes, and ends in a booking."""
    lead, number = await wire.calling("cut_off")
    seen = await wire.until(lead, lambda view: view.booking, seconds=60)
    first, second = await wire.calls_with(number)
    assert first["says"][-1]["text"].endswith("-"), "they were gone in the middle of it"
    assert [t.touch for t in seen.touches if t.channel == "call"] == ["cadence/1/0/call_1", "resumption/a1"]
    assert seen.touches[0].outcome.startswith("dropped")
    ended = datetime.fromisoformat(first["at"]) + timedelta(seconds=first["seconds"])
    assert timedelta(0) < datetime.fromisoformat(second["at"]) - ended < playbook_of(seen.playbook).call.ring_again
    assert "cut off" in next(line["text"] for line in second["says"] if line["us"])
    assert (await wire.said(number)).count("help you with") <= 1, "what was answered is not asked again"
    assert wire.booked(lead) == 1


async def voicemail(wire: Wire) -> None:
    """A voicemail hears one whole message, after its tone."""
    lead, number = await wire.calling("voicemail_then_books")
    seen = await wire.until(lead, lambda view: view.touches and "over" in view.touches[0].outcome, seconds=60)
    (call,) = await wire.calls_with(number)
    says = [(line["us"], line["text"]) for line in call["says"]]
    greeting = next(at for at, (us, _) in enumerate(says) if not us)
    left = [at for at, (us, text) in enumerate(says) if us and "call back on" in text]
    assert len(left) == 1
    assert left[0] > greeting
    assert says[left[0]][1].endswith("Goodbye."), "nothing cut it short"
    assert call["answered_by"] == "machine_end_beep"
    assert seen.touches[0].outcome == "voicemail, over"


async def reached(wire: Wire, kind: str) -> tuple[str, str]:
    """A person is reached and books whatever stands in between: the lead, and what our side said."""
    lead, number = await wire.calling(kind)
    seen = await wire.until(lead, lambda view: view.booking and "over" in view.touches[0].outcome, seconds=60)
    assert len([t for t in seen.touches if t.channel == "call"]) == 1
    assert wire.booked(lead) == 1
    ours = await wire.said(number)
    assert "call back on" not in ours, "no message for a machine"
    return lead, ours


async def screening(wire: Wire) -> None:
    """Who calls and why is told once: in one line, or with the opening where the two spoke at once. Whoever is put
    through then hears the opening."""
    lead, number = await wire.calling("behind_screening")
    await wire.until(lead, lambda view: view.booking, seconds=60)
    (call,) = await wire.calls_with(number)
    through = next(at for at, line in enumerate(call["says"]) if "stay on the line" in line["text"])
    told = [line["text"] for line in call["says"][:through] if line["us"] and not line["cut"]]
    assert len(told) == 1
    assert "the automated assistant of Tallyhook" in told[0]
    assert "about the demo" in told[0]
    first = next(line["text"] for line in call["says"][through:] if line["us"])
    assert first.startswith("Hi Sam, this is Juno, the automated assistant of Tallyhook.")


async def menu(wire: Wire) -> None:
    _, ours = await reached(wire, "behind_menu")
    assert ours.count("(0)") == 1


async def bad_line(wire: Wire) -> None:
    """The socket breaks, and comes back with events that we had already: they change nothing."""
    lead, ours = await reached(wire, "bad_line")
    assert ours.count("cut off") == 1
    while not (notes := [call for request in wire.stage.of("reflect") if request.lead == lead for call in request.calls]):
        await asyncio.sleep(0.1)
    theirs = [line.text for line in notes[0].transcript if line.who == "lead"]
    assert len(theirs) >= 5
    assert len(theirs) == len(set(theirs))


async def fax(wire: Wire) -> None:
    """A fax is let go at once."""
    lead, number = await wire.calling("fax")
    seen = await wire.until(lead, lambda view: view.touches and "over" in view.touches[0].outcome, seconds=60)
    (call,) = await wire.calls_with(number)
    assert call["seconds"] <= 4
    assert seen.touches[0].outcome == "screened, over"


async def test_whatever_answers_is_met_as_it_should_be(wire: Wire) -> None:
    """All at once: it is the waiting that takes the time."""
    async with asyncio.TaskGroup() as group:
        for meet in (cut_off, voicemail, screening, menu, bad_line, fax):
            group.create_task(meet(wire), name=meet.__name__)
        for kind in ("slow_greeting", "breaks_in"):
            group.create_task(reached(wire, kind), name=kind)
