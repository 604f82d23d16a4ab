"""The carrier's webhooks: only what is signed is believed, and each becomes TwiML or one signal to its lead."""

from __future__ import annotations

import asyncio
import itertools
import xml.etree.ElementTree as ElementTree
from typing import Any

import httpx
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.service import RPCError
from twilio.request_validator import RequestValidator

from activities import gate
from activities.settings import settings
from clients import carrier, session
from tests.fixtures.web import Site
from workflows import identity

TOKEN = "the account's token"
_lines = itertools.count(1000)
OURS = "+14155550100"


@pytest.fixture
def number() -> str:
    """A number of this test's own: the Temporal server is everybody's."""
    return f"+1415555{next(_lines)}"


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", TOKEN)
    monkeypatch.setenv("TWILIO_NUMBER", OURS)


def lead_of(number: str) -> str:
    return identity.lead_id(handle_of(number))


def handle_of(number: str) -> str:
    return identity.handle_id(settings().identity_key, number)


async def hook(web: Site, path: str, **fields: str) -> httpx.Response:
    signature = RequestValidator(TOKEN).compute_signature(web.url + path, fields)
    return await web.http.post(path, data=fields, headers={"X-Twilio-Signature": signature})


async def submit(web: Site, number: str) -> str:
    answer = await web.http.post("/leads", json={"phone": number, "name": "Dana Reyes", "source": "website"})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["lead"])


async def signals(web: Site, workflow: str) -> list[tuple[str, dict[str, Any]]]:
    """Name and input of each signal of a workflow, in order."""
    found = []
    history = await web.temporal.get_workflow_handle(workflow).fetch_history()
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            told = event.workflow_execution_signaled_event_attributes
            (given,) = await web.temporal.data_converter.decode(told.input.payloads)
            found.append((told.signal_name, given))
    return found


def ended(**more: str) -> dict[str, str]:
    return {
        "CallSid": "CA1", "From": OURS, "To": "+14155550123", "Direction": "outbound-api", "CallStatus": "completed",
        "CallDuration": "42", "SequenceNumber": "3",
    } | more  # fmt: skip


async def test_what_is_not_signed_for_this_address_is_refused(web: Site, number: str) -> None:
    lead = await submit(web, number)
    path = f"/twilio/status?lead={lead}&attempt=a1"
    good = RequestValidator(TOKEN).compute_signature(web.url + path, ended())
    for where, fields, signature in (
        (path, ended(), ""),
        (path, ended(), "bm9wZQ=="),
        (path + "2", ended(), good),
        (path, ended(CallDuration="43"), good),
    ):
        answer = await web.http.post(where, data=fields, headers={"X-Twilio-Signature": signature})
        assert answer.status_code == 403
    assert [name for name, _ in await signals(web, lead)] == ["form_submitted"]


async def test_only_the_end_of_a_call_is_a_signal_and_only_once(web: Site, number: str) -> None:
    lead = await submit(web, number)
    path = f"/twilio/status?lead={lead}&attempt=a1"
    sid = "CA-only-once"
    for status in ("initiated", "ringing", "in-progress"):
        assert (await hook(web, path, **ended(CallSid=sid, CallStatus=status))).status_code == 204
    await hook(web, f"/twilio/answered?lead={lead}&attempt=a1", CallSid=sid, AnsweredBy="machine_start")
    for _ in range(2):
        assert (await hook(web, path, **ended(CallSid=sid))).status_code == 204
    ((name, event),) = (await signals(web, lead))[1:]
    assert name == "call_status"
    wanted = {"attempt": "a1", "sid": sid, "status": "completed", "seconds": 42, "sequence": 3}
    assert wanted.items() <= event.items()
    assert event["answered_by"] == "machine_start"
    assert session._early.pop((lead, "a1")) == "machine_start"


async def test_a_call_that_nobody_wants_any_more_is_acknowledged(web: Site) -> None:
    assert (await hook(web, "/twilio/status?lead=lead-gone&attempt=a1", **ended(CallSid="CA-gone"))).status_code == 204
    assert (await hook(web, "/twilio/status", **ended())).status_code == 204


async def test_the_carrier_comes_again_when_temporal_cannot_take_it(web: Site, number: str) -> None:
    temporal, web.app.state.temporal = web.app.state.temporal, None
    answer = await hook(web, "/twilio/status?lead=lead-x&attempt=a1", **ended(CallSid="CA-503"))
    assert answer.status_code == 503
    assert (await hook(web, "/twilio/message", From=number, MessageSid="SM-503", Body="hi")).status_code == 503
    web.app.state.temporal = temporal
    assert carrier._handled.get("SM-503") is None


async def test_an_answered_call_and_one_to_us_are_connected(web: Site, number: str) -> None:
    out = await hook(web, "/twilio/voice?lead=lead-1&attempt=a1", **ended(CallStatus="in-progress"))
    assert out.headers["content-type"].startswith("text/xml")
    assert parameters(out.text) == {"lead": "lead-1", "attempt": "a1"}
    call = {"CallSid": "CA9", "From": number, "To": OURS, "Direction": "inbound", "CallStatus": "ringing"}
    assert parameters((await hook(web, "/twilio/inbound", **call)).text) == {
        "lead": lead_of(number),
        "attempt": "in-CA9",
    }
    unseen = await hook(web, "/twilio/inbound", **{**call, "From": "anonymous"})
    assert tags(unseen.text) == ["Say", "Hangup"]
    assert tags((await hook(web, "/twilio/voice", **ended())).text) == ["Hangup"]


async def test_a_call_to_us_tells_its_end_too(web: Site, number: str) -> None:
    lead = await submit(web, number)
    call = ended(CallSid="CA-in", From=number, To=OURS, Direction="inbound")
    await hook(web, "/twilio/status", **call)
    assert (await signals(web, lead))[-1][1]["attempt"] == "in-CA-in"


async def test_a_lost_socket_is_connected_again_but_not_for_ever(web: Site) -> None:
    lost = ended(CallStatus="in-progress", SessionStatus="failed", ErrorCode="64105")
    path = "/twilio/relay-ended?lead=lead-1&attempt=a1"
    for again in range(1, carrier.MOST_RECONNECTS + 1):
        answer = await hook(web, path, **lost)
        assert parameters(answer.text) == {"lead": "lead-1", "attempt": "a1"}
        action = ElementTree.fromstring(answer.text)[0].get("action", "").partition("#")[0]
        assert action.endswith(f"&again={again}")
        path = action.removeprefix(web.url)
    assert tags((await hook(web, path, **lost)).text) == ["Say", "Hangup"]
    over = (
        {**lost, "CallStatus": "completed"},
        {**lost, "SessionStatus": "completed"},
        {**lost, "SessionStatus": "ended", "HandoffData": "{}"},
    )
    for fields in over:
        assert tags((await hook(web, "/twilio/relay-ended?lead=lead-1&attempt=a1", **fields)).text) == ["Hangup"]


async def test_a_text_reaches_its_lead_once(web: Site, number: str) -> None:
    lead = await submit(web, number)
    for _ in range(2):
        answer = await hook(web, "/twilio/message", From=number, To=OURS, MessageSid="SM1", Body="tomorrow at ten?")
        assert tags(answer.text) == []
    ((name, event),) = (await signals(web, lead))[1:]
    assert (name, event["text"], event["id"]) == ("message_received", "tomorrow at ten?", "SM1")


async def test_a_text_from_a_stranger_makes_a_lead(web: Site, number: str) -> None:
    await hook(web, "/twilio/message", From=number, To=OURS, MessageSid="SM2", Body="do you have a demo?")
    (first, form), (second, event) = await signals(web, lead_of(number))
    assert (first, second) == ("form_submitted", "message_received")
    assert (form["form"]["source"], form["form"]["phone"]) == ("inbound_text", number)
    assert event["text"] == "do you have a demo?"


@pytest.mark.parametrize(("words", "more"), [("STOP", {"OptOutType": "STOP"}), ("please don't text me again", {})])
async def test_stop_is_kept_before_it_is_acknowledged(web: Site, number: str, words: str, more: dict[str, str]) -> None:
    sid = f"SM-stop-{len(more)}"
    await hook(web, "/twilio/message", From=number, To=OURS, MessageSid=sid, Body=words, **more)
    assert await gate.opted_out(web.temporal, handle_of(number))
    with pytest.raises(RPCError):  # nobody becomes a lead by saying stop
        await web.temporal.get_workflow_handle(lead_of(number)).describe()


async def test_a_stop_is_confirmed_once_and_not_beside_the_carrier(web: Site, number: str) -> None:
    """47 CFR 64.1200(a)(12) allows one text; Twilio sends its own after its keywords."""
    answers = []
    for sid, words, more in (("SM-c1", "please leave me alone", {}), ("SM-c2", "I said leave me alone", {})):
        answers.append((await hook(web, "/twilio/message", From=number, To=OURS, MessageSid=sid, Body=words, **more)).text)
    assert "opted out" in answers[0]
    assert "<Message>" not in answers[1]
    for n, (words, more) in enumerate([("STOP", {}), ("Stop all", {}), ("please leave me alone", {"OptOutType": "STOP"})]):
        other = f"+1415556{next(_lines)}"
        answer = await hook(web, "/twilio/message", From=other, To=OURS, MessageSid=f"SM-d{n}", Body=words, **more)
        assert "<Message>" not in answer.text


async def test_start_is_an_opt_in(web: Site, number: str) -> None:
    for sid, body in (("SM-a", "stop"), ("SM-b", "START")):
        await hook(web, "/twilio/message", From=number, To=OURS, MessageSid=sid, Body=body)
    told = [name for name, _ in await signals(web, identity.optout_id(handle_of(number)))]
    assert told == ["opted_out", "opt_in"]


async def test_only_failed_texts_are_signals(web: Site, number: str) -> None:
    lead = await submit(web, number)
    path = f"/twilio/message-status?lead={lead}&touch=text_1"
    for status in ("sent", "delivered", "undelivered", "undelivered"):
        answer = await hook(web, path, MessageSid="SM3", MessageStatus=status, ErrorCode="30003", To=number)
        assert answer.status_code == 204
    ((name, event),) = (await signals(web, lead))[1:]
    assert (name, event["touch"], event["code"]) == ("message_status", "text_1", "30003")


async def test_a_body_without_end_is_cut_off(web: Site) -> None:
    answer = await web.http.post("/twilio/status", content=b"x" * 300_000)
    assert answer.status_code == 413


async def test_many_at_once(web: Site, number: str) -> None:
    lead = await submit(web, number)
    path = f"/twilio/status?lead={lead}&attempt=a7"
    answers = await asyncio.gather(*(hook(web, path, **ended(CallSid=f"CA-m{n}")) for n in range(20)))
    assert {a.status_code for a in answers} == {204}
    assert len(await signals(web, lead)) == 21


def tags(twiml: str) -> list[str]:
    return [node.tag for node in ElementTree.fromstring(twiml)]


def parameters(twiml: str) -> dict[str | None, str | None]:
    return {node.get("name"): node.get("value") for node in ElementTree.fromstring(twiml).iter("Parameter")}
