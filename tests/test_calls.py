"""The activities that dial and text: what they ask before, what they count, and what they leave to be looked up."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment, TimeSkipper

from activities import calls, clearance, dials, gate, links, texts
from activities.dispatch import now
from activities.settings import settings
from activities.vendors import twilio
from tests.fixtures.sandbox import Sandbox
from tests.fixtures.temporal import running_worker
from tests.stage import playbook
from workflows import effects as fx
from workflows import identity
from workflows.calling import Contact
from workflows.playbook import Hours, Playbook, register
from workflows.rulebook import CapRow, HoursRow, LineRow

TO = "+14155550123"


def around_the_clock() -> Playbook:
    """The rules say nothing about when: these tests run at any hour."""
    cadence = playbook().cadence.model_copy(update={"max_calls": 99})
    book = playbook().model_copy(update={"rules": None, "hours": Hours(opens="00:00", closes="24:00"), "cadence": cadence})
    register([book])
    return book


BOOK = around_the_clock()
ASKED = Contact(basis="asked")


@pytest.fixture
async def carrier(client: Client, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    account = sandbox.world.account
    for name, value in {
        "TWILIO_ACCOUNT_SID": account.sid,
        "TWILIO_AUTH_TOKEN": account.token,
        "TWILIO_NUMBER": account.number,
        "TWILIO_BASE_URL": f"{sandbox.url}/twilio",
        "SHOWRATE_PUBLIC_URL": "https://calls.example",
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield sandbox
    await twilio.close()


Run = Callable[[Any, Any], Awaitable[Any]]


@pytest.fixture
def handle(identity_key: str) -> str:
    """A handle of this test's own: the Temporal server is everybody's."""
    return identity.handle_id(identity_key.encode(), "+14155550123")


@pytest.fixture
def run(client: Client, handle: str) -> Run:
    """Run an activity as the lead of ``handle`` would have it run."""

    async def once(definition: Any, request: Any) -> Any:
        environment = ActivityEnvironment(client=client)
        present = datetime.now(UTC)
        environment.info = dataclasses.replace(
            environment.info, workflow_id=identity.lead_id(handle), scheduled_time=present, started_time=present
        )
        return await environment.run(definition, request)

    return once


def dial(handle: str, within: timedelta = timedelta(minutes=5)) -> fx.PlaceCall:
    return fx.PlaceCall(
        gate=fx.Gate(lead=identity.lead_id(handle), audience="inbound", handles=(handle,)),
        attempt="a1",
        to=TO,
        ring=timedelta(seconds=20),
        longest=timedelta(minutes=10),
        not_after=datetime.now(UTC) + within,
        playbook=BOOK.hash,
        contact=ASKED,
    )


def text(handle: str, body: str = "Hello", within: timedelta = timedelta(minutes=5)) -> fx.SendText:
    return fx.SendText(
        gate=dial(handle).gate,
        touch="text_1",
        to=TO,
        body=body,
        booking="b1",
        expires=datetime.now(UTC) + timedelta(days=1),
        not_after=datetime.now(UTC) + within,
        playbook=BOOK.hash,
        contact=ASKED,
    )


async def test_a_dial_goes_out(carrier: Sandbox, run: Run, handle: str) -> None:
    done = await run(calls.place_call, dial(handle))
    assert done.sid.startswith("CA")
    assert not done.refused
    found = await run(calls.find_call, fx.FindCall(attempt="a1", to=TO, since=datetime.now(UTC)))
    assert (found.sid, found.status) in {(done.sid, status) for status in ("queued", "ringing")}
    await run(calls.end_call, fx.EndCall(sid=done.sid))
    await asyncio.sleep(0.2)
    await run(calls.end_call, fx.EndCall(sid=done.sid, say="Goodbye."))
    over = await run(calls.find_call, fx.FindCall(attempt="a1", to=TO, since=datetime.now(UTC), sid=done.sid))
    assert over.status == "canceled"


async def test_nothing_goes_out_after_an_opt_out_or_too_late(
    client: Client, carrier: Sandbox, run: Run, handle: str
) -> None:
    gone = timedelta(seconds=-1)
    assert (await run(calls.place_call, dial(handle, gone))).refused == "late"
    assert (await run(texts.send_text, text(handle, within=gone))).refused == "late"
    await gate.start_opt_out(client, [handle], identity.lead_id(handle), "text", datetime.now(UTC), "stop")
    assert (await run(calls.place_call, dial(handle))).refused == "opted_out"
    assert (await run(texts.send_text, text(handle))).refused == "opted_out"
    assert not carrier.log(vendor="twilio", direction="in")


def ruled(**changed: Any) -> str:
    """The hash of the playbook around the clock, by rules with these sections only."""
    book = playbook()
    assert book.rules
    empty = book.rules.model_copy(update={name: () for name in ("hours", "holidays", "caps", "do_not_call", "lines", "reassigned")})
    made = BOOK.model_copy(update={"rules": empty.model_copy(update={"name": "mine", **changed})})
    register([made])
    return made.hash


async def test_what_a_rule_forbids_never_reaches_the_carrier(carrier: Sandbox, run: Run, handle: str) -> None:
    """A cap that other leads with this number used up, and hours that are over; both say when to come again."""
    capped = ruled(caps=(CapRow(where=("*",), most=1, per=timedelta(hours=1), source="test"),))
    other = dial("f" * 32).model_copy(update={"playbook": capped})
    assert (await run(calls.place_call, other)).sid
    refused = await run(calls.place_call, dial(handle).model_copy(update={"playbook": capped}))
    assert (refused.refused, refused.refusal.rule, refused.sid) == ("attempt_cap", "attempt_cap", "")
    assert timedelta(minutes=58) < refused.refusal.at - datetime.now(UTC) < timedelta(minutes=61)
    assert len(carrier.log(vendor="twilio", direction="in", path="Calls")) == 1

    local = (datetime.now(ZoneInfo("America/Los_Angeles")).hour + 2) % 23
    closed = ruled(hours=(HoursRow(where=("US",), opens=f"{local:02}:00", closes=f"{local:02}:59", source="test"),))
    answered = await run(texts.send_text, text(handle).model_copy(update={"playbook": closed}))
    assert (answered.refused, answered.refusal.where) == ("calling_hours", "US")
    assert not carrier.log(vendor="twilio", direction="in", path="Messages")
    blind = dial(handle).model_copy(update={"contact": None})
    assert (await run(calls.place_call, blind)).refused == "gate", "a request that says nothing is not believed"


@pytest.mark.parametrize(("kind", "when", "counted"), [("429", "before", 0), ("400", "before", 0), ("drop", "after", 1)])
async def test_a_dial_counts_unless_the_carrier_surely_has_none(
    carrier: Sandbox, run: Run, handle: str, kind: str, when: str, counted: int
) -> None:
    carrier.fault(vendor="twilio", method="POST", path="Calls", kind=kind, when=when)
    with pytest.raises(ApplicationError):
        await run(calls.place_call, dial(handle))
    assert len(dials.past(dials.handle(TO), datetime.now(UTC)).dials) == counted


async def test_an_opt_out_while_a_vendor_is_asked_is_honoured(
    client: Client, carrier: Sandbox, run: Run, handle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOWRATE_LOOKUPS", "twilio")
    settings.cache_clear()
    book = ruled(lines=(LineRow(where=("US",), refuse=("pager",), look_up="required", source="test"),))
    whole = clearance.numbers.look_up

    async def slow(*asked: Any) -> Any:
        found = await whole(*asked)
        await gate.start_opt_out(client, [handle], identity.lead_id(handle), "text", datetime.now(UTC), "stop")
        return found

    monkeypatch.setattr(clearance.numbers, "look_up", slow)
    assert (await run(calls.place_call, dial(handle).model_copy(update={"playbook": book}))).refused == "opted_out"
    assert not carrier.log(vendor="twilio", direction="in", path="Calls")
    assert not dials.past(dials.handle(TO), datetime.now(UTC)).dials, "and does not count as a dial"


async def test_what_the_gate_cannot_answer_is_not_sent(
    carrier: Sandbox, run: Run, handle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> str:
        from activities import faults

        raise faults.retry("the gate could not be asked")

    monkeypatch.setattr(gate, "ask", away)
    with pytest.raises(ApplicationError):
        await run(texts.send_text, text(handle))
    assert not carrier.log(vendor="twilio", direction="in")


async def test_a_text_carries_signed_links_and_is_found_again(carrier: Sandbox, run: Run, handle: str) -> None:
    request = text(handle, "Join {join_link} or move {manage_link}")
    carrier.fault(vendor="twilio", method="POST", path="Messages", kind="drop", when="after")
    since = datetime.now(UTC)
    with pytest.raises(ApplicationError) as caught:
        await run(texts.send_text, request)
    assert caught.value.type == "ambiguous"
    found = await run(texts.find_text, fx.FindText(text=request, since=since))
    assert found.sid.startswith("SM")
    (sent,) = carrier.phone()["texts"]
    join, manage = (word for word in sent["body"].split() if word.startswith("https://calls.example/"))
    for address, kind in ((join, "join"), (manage, "manage")):
        link = links.read(address.rpartition("/")[2])
        assert (link.kind, link.lead, link.booking) == (kind, identity.lead_id(handle), "b1")
    other = text(handle, "Something else")
    assert not (await run(texts.find_text, fx.FindText(text=other, since=since))).sid


@activity.defn
async def look_at_the_clock(asked: str) -> datetime:
    return now()


@workflow.defn(sandboxed=False)
class Sleeper:
    @workflow.run
    async def run(self) -> tuple[datetime, datetime]:
        await workflow.sleep(timedelta(days=3))
        seen = await workflow.execute_activity(look_at_the_clock, "now", start_to_close_timeout=timedelta(seconds=10))
        return workflow.now(), seen


async def test_the_present_is_the_workflows(skipping: TimeSkipper) -> None:
    async with running_worker(skipping.client, [Sleeper], [look_at_the_clock], queue="clock"):
        theirs, ours = await skipping.client.execute_workflow(Sleeper.run, id="sleeper", task_queue="clock")
    assert abs(theirs - ours) < timedelta(seconds=10)
    assert ours - datetime.now(UTC) > timedelta(days=2)
