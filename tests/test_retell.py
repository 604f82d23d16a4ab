"""Calls over Retell: the API's adapter against the stand-in, its signed webhooks, and whole calls over its websocket."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from temporalio.exceptions import ApplicationError
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from activities import calls as dialling
from activities.settings import settings
from activities.vendors import openai, retell
from clients import session
from tests.fixtures.sandbox import Sandbox
from workers.sandbox import model
from workers.sandbox.personas import Character
from workflows import effects as fx
from workflows import events as ev
from workflows import messages
from workflows.control_workflow import ControlWorkflow
from workflows.lead_workflow import LeadWorkflow
from workflows.optout_workflow import OptOutWorkflow

from .fixtures.temporal import Patience, running_worker
from .fixtures.web import People, Site
from .stage import Stage
from .test_gateway import somebody

LEAD, ATTEMPT, TO = "lead-0123", "a1", "+14155550123"
RING, LONGEST = timedelta(seconds=20), timedelta(minutes=10)
SECRET = "only-retell-knows"


@pytest.fixture
async def carrier(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    for name, value in {
        "SHOWRATE_CARRIER": "retell",
        "RETELL_API_KEY": sandbox.world.account.retell_key,
        "RETELL_AGENT_ID": "agent_1",
        "RETELL_NUMBER": "+14155550100",
        "RETELL_SOCKET_SECRET": SECRET,
        "RETELL_BASE_URL": f"{sandbox.url}/retell",
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    sandbox.phone("persona", kind="nobody")
    yield sandbox
    settings.cache_clear()


def dial(attempt: str = ATTEMPT) -> Any:
    return retell.place_call(LEAD, attempt, TO, RING, LONGEST)


# ---- the API -------------------------------------------------------------------------------------------------------


async def test_a_dial_carries_all_that_the_carrier_needs_and_its_key_is_one_call(carrier: Sandbox) -> None:
    sid = await dial()
    assert sid.startswith(retell.PREFIX)
    (request,) = carrier.log(vendor="retell", method="POST", path="create-phone-call")
    told = json.loads(request["body"])
    assert told["metadata"] == {"lead": LEAD, "attempt": ATTEMPT}
    assert (told["from_number"], told["to_number"]) == ("+14155550100", TO)
    assert (told["override_agent_id"], told["honor_internal_dnc"]) == ("agent_1", True)
    assert told["agent_override"]["agent"] == {"ring_duration_ms": 20_000, "max_call_duration_ms": 600_000}
    assert await dial() == sid, "the same attempt is the same call"
    assert await dial("a2") != sid


@pytest.mark.parametrize(
    ("fault", "kind", "made"),
    [
        ({"kind": "429", "retry_after": 7}, "retry_after", False),
        ({"kind": "500"}, "ambiguous", False),
        ({"kind": "503", "when": "after"}, "ambiguous", True),
        ({"kind": "drop"}, "ambiguous", False),
        ({"kind": "drop", "when": "after"}, "ambiguous", True),
        ({"kind": "slow", "delay": 1.5, "when": "after"}, "ambiguous", True),
        ({"kind": "402"}, "permanent", False),
    ],
)  # fmt: skip
async def test_a_dial_goes_out_once_and_its_failure_is_told_apart(
    carrier: Sandbox, patience: Patience, fault: dict[str, Any], kind: str, made: bool
) -> None:
    carrier.fault(vendor="retell", method="POST", path="create", **fault)
    before = datetime.now(UTC)
    with pytest.raises(ApplicationError) as caught, patience(0.6 if fault["kind"] == "slow" else 10):
        await dial()
    assert caught.value.type == kind
    assert TO not in str(caught.value)
    assert len(carrier.log(vendor="retell", method="POST", path="create")) == 1
    assert (await retell.find_call(LEAD, ATTEMPT, TO, before) is not None) == made
    assert await retell.find_call(LEAD, "a9", TO, before) is None


async def test_a_call_is_found_and_ended_whatever_became_of_it(carrier: Sandbox) -> None:
    sid = await dial()
    found = await retell.find_call(LEAD, ATTEMPT, TO, datetime.now(UTC), sid)
    assert found is not None
    assert found.status == "queued"
    await retell.end_call(sid)
    end = time.monotonic() + 60
    while (found := await retell.find_call("", "", "", datetime.now(UTC), sid)) is None or found.status == "queued":
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
    assert found.status == "no-answer"
    await retell.end_call(sid, "Goodbye.")
    assert await retell.find_call("", "", "", datetime.now(UTC), "call_unknown") is None
    carrier.fault(vendor="retell", path="stop-call", kind="500")
    with pytest.raises(ApplicationError) as caught:
        await retell.end_call(sid)
    assert caught.value.type == "retry"


@pytest.mark.parametrize(
    ("reason", "status", "who"),
    [
        ("user_hangup", "completed", ""), ("agent_hangup", "completed", ""), ("voicemail_reached", "completed", "machine_start"),
        ("dial_busy", "busy", ""), ("dial_no_answer", "no-answer", ""), ("dial_failed", "failed", ""), ("invalid_destination", "failed", ""),
        ("error_llm_websocket_lost_connection", "completed", ""),
    ],
)  # fmt: skip
def test_every_end_is_one_that_the_lead_knows(reason: str, status: str, who: str) -> None:
    call = {"disconnection_reason": reason, "call_status": "ended", "duration_ms": 4200}
    assert retell.outcome(call)[:2] == (status, who)


# ---- webhooks ------------------------------------------------------------------------------------------------------


def signed(body: bytes, at: float | None = None, key: str = "sandbox-retell") -> str:
    now = str(round((time.time() if at is None else at) * 1000))
    return f"v={now},d={hmac.new(key.encode(), body + now.encode(), hashlib.sha256).hexdigest()}"


def test_only_what_retell_signed_lately_is_genuine(carrier: Sandbox) -> None:
    body = '{"event": "call_ended", "name": "Zoë"}'.encode()
    assert retell.genuine(body, signed(body))
    assert not retell.genuine(body + b" ", signed(body))
    assert not retell.genuine(body, signed(body, key="another"))
    assert not retell.genuine(body, signed(body, time.time() - 301))
    assert not retell.genuine(body, signed(body, time.time() + 301))
    assert not retell.genuine(body, "")
    assert not retell.genuine(body, signed(body).replace("v=", "v=x"))


async def test_webhooks_that_are_not_retell_s_or_tell_nothing_are_refused_or_acknowledged(
    web: Site, carrier: Sandbox
) -> None:
    async def post(body: bytes, signature: str | None = None) -> int:
        headers = {"X-Retell-Signature": signed(body) if signature is None else signature}
        return (await web.http.post("/retell/webhook", content=body, headers=headers)).status_code

    assert await post(b'{"event": "call_ended"}', signature="v=1,d=2") == 403
    for broken in (b"", b"[]", b"7", b'{"event": "call_ended"}', b'{"call": {}}', b"\xff\xfe"):
        assert await post(broken) == 400, broken
    for quiet in ({"event": "call_ended", "call": {}}, {"event": "call_analyzed", "call": {"call_id": "call_1"}},
                  {"event": "call_ended", "call": {"call_id": "call_1", "metadata": {"lead": "lead-none", "attempt": "a1"}}}):  # fmt: skip
        assert await post(json.dumps(quiet).encode()) == 204, quiet


# ---- whole calls ---------------------------------------------------------------------------------------------------


@pytest.fixture
async def people(web: Site, carrier: Sandbox, serve: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[People]:
    """Leads whose calls go out over the real activities and come back over Retell's websocket; two slots tomorrow."""
    served = await serve(Starlette(routes=model.routes(None)))  # type: ignore[arg-type]
    monkeypatch.setenv("OPENAI_BASE_URL", f"{served.url}/openai/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sandbox")
    settings.cache_clear()
    carrier.world.account = dataclasses.replace(
        carrier.world.account,
        retell_socket=f"ws{web.url.removeprefix('http')}/retell/llm/{SECRET}",
        retell_webhook=f"{web.url}/retell/webhook",
    )
    start = (datetime.now(UTC) + timedelta(days=1)).replace(hour=18, minute=0, second=0, microsecond=0)
    slots = tuple(
        ev.Slot(id=f"ana@{at.isoformat()}", rep="ana", start=at, end=at + timedelta(minutes=30))
        for at in (start, start + timedelta(hours=1))
    )
    stage = Stage()
    stage.answers |= {"find_slots": lambda _: fx.SlotsAnswer(slots=slots), "wake_leads": lambda _: 0}
    real = [dialling.place_call, dialling.end_call, dialling.find_call]
    acted = [each for each in stage.activities() if each.__temporal_activity_definition.name not in
             {"place_call", "end_call", "find_call"}]  # fmt: skip
    async with (
        running_worker(web.temporal, [LeadWorkflow, ControlWorkflow, OptOutWorkflow], [*acted, *real]),
        running_worker(web.temporal, [], [dialling.place_call], queue=messages.DIAL_QUEUE),
    ):
        yield People(web, stage)
    await openai.close()


async def over(people: People, lead: str) -> messages.View:
    return await people.until(lead, lambda view: view.touches and view.touches[0].outcome.endswith("over"))


@pytest.mark.parametrize("again", [False, True], ids=["once", "every turn asked twice"])
async def test_a_person_books_over_retell(people: People, carrier: Sandbox, again: bool) -> None:
    number = somebody()
    httpx.post(f"{carrier.url}/_retell", json={"again": again}).raise_for_status()
    carrier.cast(Character(kind="books_and_shows", number=number, name="Sam Doe", seed=3))
    lead = await people.submit(number, name="Sam Doe")
    seen = await over(people, lead)
    assert seen.booking is not None
    assert seen.stage in ("booked", "confirmed")
    assert len(people.stage.of("book_meeting")) == 1, "no tool runs twice for one turn"
    assert len(people.stage.of("find_slots")) == 1
    assert seen.touches[0].sid.startswith(retell.PREFIX)
    (call,) = carrier.phone()["calls"]
    said = [line["text"] for line in call["says"] if line["us"]]
    assert "automated assistant of Tallyhook" in said[0]
    assert any("booked with" in text for text in said)
    assert seen.touches[0].outcome == "talked, over"


async def test_a_person_who_takes_over_ends_the_call_politely_through_the_api(people: People, carrier: Sandbox) -> None:
    number = somebody()
    lead = await people.submit(number)
    while not carrier.phone()["rings"]:
        await asyncio.sleep(0.05)
    (sid,) = carrier.phone()["rings"]
    carrier.phone("answer", sid=sid)
    await people.until(lead, lambda view: view.touches[0].outcome == "connected")
    end = time.monotonic() + 60
    while not carrier.phone()["calls"][0]["says"]:
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    handle = people.site.temporal.get_workflow_handle(lead)
    await handle.execute_update("take_over", messages.By(by="ana"), result_type=messages.Answer)
    await over(people, lead)
    said = carrier.phone()["calls"][0]["says"]
    assert "get back to you" in said[-1]["text"]
    assert carrier.log(vendor="retell", method="PATCH", path="update-live-call")


async def test_a_lost_socket_goes_on_where_it_broke_off(people: People, carrier: Sandbox) -> None:
    number = somebody()
    lead = await people.submit(number)
    while not carrier.phone()["rings"]:
        await asyncio.sleep(0.05)
    (sid,) = carrier.phone()["rings"]
    carrier.phone("answer", sid=sid)

    async def says(words: str) -> None:
        end = time.monotonic() + 60
        while words not in " ".join(line["text"] for line in carrier.phone()["calls"][0]["says"]):
            assert time.monotonic() < end, carrier.phone()["calls"][0]["says"]
            await asyncio.sleep(0.05)

    await says("Is now")
    held = session._live[lead, "a1"]
    assert held._socket is not None
    await held._socket.close(1011)
    await says("cut off")
    carrier.phone("say", sid=sid, words="Yes, sure.")
    await says("help you with")
    carrier.phone("hangup", sid=sid)
    seen = await over(people, lead)
    assert seen.touches[0].outcome in ("dropped, over", "talked, over")  # as far as our question was played by then


# ---- at the door ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["wrong/call_1", f"{SECRET}x/call_1", "/call_1"])
async def test_who_does_not_know_the_secret_is_refused_before_anything_is_read(
    web: Site, carrier: Sandbox, path: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws{web.url.removeprefix('http')}/retell/llm/{path}", proxy=None):
            pass
    assert refused.value.response.status_code in (403, 404)


@pytest.mark.parametrize(
    "call", [{"call_id": "call_2", "metadata": {"lead": "lead-1", "attempt": "a1"}}, {"call_id": "call_1"}, {}, [], None]
)
async def test_a_call_that_is_another_s_or_nobody_s_is_closed(web: Site, carrier: Sandbox, call: Any) -> None:
    url = f"ws{web.url.removeprefix('http')}/retell/llm/{SECRET}/call_1"
    async with connect(url, proxy=None) as socket:
        await socket.send(b"\x00\x01")
        await socket.send(json.dumps({"interaction_type": "ping_pong", "timestamp": 1}))
        for _ in range(20):
            await socket.send(json.dumps({"interaction_type": "call_details", "call": call}))
        async with asyncio.timeout(60):
            await socket.wait_closed()
        assert socket.close_code == 1008
