"""A stage for one lead: activities whose outcomes a test writes, in place of the real ones, on the real server."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowHandle

from tests.fixtures.temporal import running_worker
from workflows import effects as fx
from workflows import events as ev
from workflows import messages
from workflows.attributes import start_attributes
from workflows.lead_workflow import LeadWorkflow
from workflows.playbook import Playbook, read_playbook, register

FOLDER = Path(__file__).parent.parent / "workflows" / "playbooks"


def playbook(name: str = "inbound") -> Playbook:
    """A playbook of the repository, put into the registry."""
    texts = {p.name: p.read_text() for p in FOLDER.glob("*.yml") if not p.name.endswith(".team.yml")}
    read = read_playbook(f"{name}.yml", texts)
    register([read])
    return read


def form(**over: Any) -> ev.Form:
    """A form of an invented person in California."""
    known: dict[str, Any] = {
        "submission_id": "s1", "name": "Dana Reyes", "phone": "+14155550123", "email": "dana@example.com",
        "company": "Reyes Ltd", "source": "website", "phone_hash": "p" * 32, "email_hash": "e" * 32,
    }  # fmt: skip
    return ev.Form.model_validate(known | over)


class Stage:
    """Records every request of the lead; ``answers`` maps an activity's name to what it does with a request."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.answers: dict[str, Callable[[Any], Any]] = {}
        self.sids = 0

    def of(self, name: str) -> list[Any]:
        """The requests of one activity, in order."""
        return [request for asked, request in self.asked if asked == name]

    async def _do(self, name: str, request: Any) -> Any:
        self.asked.append((name, request))
        if name in self.answers:
            answer = self.answers[name](request)
            answer = await answer if inspect.isawaitable(answer) else answer
            if isinstance(answer, BaseException):
                raise answer
            return answer
        answer = getattr(self, f"usual_{name}", lambda _: None)(request)
        return await answer if inspect.isawaitable(answer) else answer

    def usual_place_call(self, _: fx.PlaceCall) -> fx.Dispatched:
        self.sids += 1
        return fx.Dispatched(sid=f"CA{self.sids}")

    def usual_send_text(self, _: fx.SendText) -> fx.Dispatched:
        self.sids += 1
        return fx.Dispatched(sid=f"SM{self.sids}", segments=1)

    def usual_find_call(self, request: fx.FindCall) -> fx.FoundCall:
        return fx.FoundCall(sid=request.sid or "CA-found", status="no-answer")

    def usual_find_text(self, _: fx.FindText) -> fx.Dispatched:
        return fx.Dispatched()

    def usual_find_slots(self, request: fx.FindSlots) -> fx.SlotsAnswer:
        start = (request.now + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
        starts = [start + timedelta(hours=h) for h in range(request.count)]
        return fx.SlotsAnswer(
            slots=tuple(
                ev.Slot(id=f"ana@{s.isoformat()}", rep="ana", start=s, end=s + timedelta(minutes=30)) for s in starts
            )
        )

    def usual_find_line(self, _: fx.FindLine) -> fx.FoundLine:
        return fx.FoundLine(why="nobody is on call")

    def usual_book_meeting(self, request: fx.BookMeeting) -> fx.Booked:
        slot = request.slot
        return fx.Booked(
            booking=ev.Booking(
                id=request.booking, rep=slot.rep, rep_name="Ana Torres", start=slot.start, end=slot.end,
                event_id="e1", reason="next in turn",
            )
        )  # fmt: skip

    def usual_converse(self, _: fx.Converse) -> fx.Conversed:
        return fx.Conversed(reply="Thank you.")

    def usual_send_mail(self, _: fx.SendMail) -> fx.Mailed:
        return fx.Mailed()

    def usual_take_in(self, request: fx.TakeIn) -> fx.TakenIn:
        return fx.TakenIn(other=request.other)

    def usual_find_twins(self, _: fx.FindTwins) -> fx.FoundTwins:
        return fx.FoundTwins()

    def usual_reflect(self, _: fx.Reflection) -> fx.ReflectionDone:
        return fx.ReflectionDone()

    def activities(self) -> list[Callable[..., Any]]:
        """One implementation for every declared activity."""
        made = []
        for declared in fx.DECLARED:
            definition = activity._Definition.must_from_callable(declared)
            hints = declared.__annotations__
            made.append(self._implement(str(definition.name), getattr(fx, hints["request"])))
        return made

    def _implement(self, name: str, kind: type) -> Callable[..., Any]:
        async def run(request: Any) -> Any:
            return await self._do(name, request)

        run.__annotations__ = {"request": kind}
        return activity.defn(name=name)(run)


@asynccontextmanager
async def on_stage(client: Client, stage: Stage):  # type: ignore[no-untyped-def]
    """Workers for workflows and dials while the block runs."""
    async with (
        running_worker(client, [LeadWorkflow], stage.activities()),
        running_worker(client, [], stage.activities(), queue=messages.DIAL_QUEUE),
    ):
        yield


async def submit(
    client: Client, book: Playbook, at: datetime | None = None, lead: str = "lead-test", **over: Any
) -> WorkflowHandle[Any, Any]:
    """Start the lead as the intake does."""
    event = ev.FormSubmitted(at=at or datetime.now(UTC), form=form(**over))
    return await client.start_workflow(
        messages.LEAD,
        messages.LeadStart(lead=lead, audience=book.audience, playbook=book.hash),
        id=lead,
        task_queue=messages.QUEUE,
        start_signal="form_submitted",
        start_signal_args=[event],
        search_attributes=start_attributes(book.audience, "website", book.hash),
    )
