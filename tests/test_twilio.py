"""The Twilio adapter: the vendor's own SDK against the stand-in, with faults before and after the commit."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ElementTree
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from temporalio.exceptions import ApplicationError
from twilio.request_validator import RequestValidator

from activities.settings import settings
from activities.vendors import twilio
from tests.fixtures.sandbox import Sandbox
from tests.fixtures.temporal import Patience, free_port
from workflows.playbook import Agent

LEAD, ATTEMPT, TO = "lead-0123", "a1", "+14155550123"
RING, LONGEST = timedelta(seconds=20), timedelta(minutes=10)


@pytest.fixture
async def carrier(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
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
    settings.cache_clear()


def dial() -> Awaitable[str]:
    return twilio.place_call(LEAD, ATTEMPT, TO, RING, LONGEST, "0123abcd")


def send() -> Awaitable[twilio.Sent]:
    return twilio.send_text(LEAD, "text_1", TO, "Hello there", timedelta(hours=1))


def posts(sandbox: Sandbox, what: str) -> int:
    return len(sandbox.log(vendor="twilio", direction="in", method="POST", path=what))


async def test_a_dial_carries_all_that_the_carrier_needs(carrier: Sandbox) -> None:
    sid = await dial()
    (request,) = carrier.log(vendor="twilio", method="POST", path="Calls.json")
    fields = dict(parse_qsl(request["body"]))
    query = f"?lead={LEAD}&attempt={ATTEMPT}#rc=5&rp=5xx,ct,rt"
    assert fields == {
        "To": TO,
        "From": carrier.world.account.number,
        "Url": "https://calls.example/twilio/voice" + query.replace("#", "&playbook=0123abcd#"),
        "StatusCallback": "https://calls.example/twilio/status" + query,
        "AsyncAmdStatusCallback": "https://calls.example/twilio/answered" + query,
        "MachineDetection": "DetectMessageEnd",
        "AsyncAmd": "true",
        "Timeout": "20",
        "TimeLimit": "600",
    }
    assert sid.startswith("CA")
    assert request["headers"]["authorization"] == "***"


Case = tuple[dict[str, Any], str, int]
FAULTS: list[Case] = [
    ({"kind": "429", "retry_after": 7}, "retry_after", 0),
    ({"kind": "500"}, "ambiguous", 0),
    ({"kind": "503", "when": "after"}, "ambiguous", 1),
    ({"kind": "drop"}, "ambiguous", 0),
    ({"kind": "drop", "when": "after"}, "ambiguous", 1),
    ({"kind": "slow", "delay": 1.5}, "ambiguous", 1),
    ({"kind": "400"}, "permanent", 0),
    ({"kind": "404"}, "permanent", 0),
]


@pytest.mark.parametrize(("fault", "kind", "made"), FAULTS, ids=lambda v: str(v) if isinstance(v, dict) else "")
@pytest.mark.parametrize(("act", "path"), [(dial, "Calls"), (send, "Messages")], ids=["call", "text"])
async def test_an_effect_goes_out_once_and_its_failure_is_told_apart(
    carrier: Sandbox, patience: Patience, act: Callable[[], Awaitable[Any]], path: str, fault: dict[str, Any], kind: str,
    made: int,
) -> None:  # fmt: skip
    carrier.fault(vendor="twilio", method="POST", path=path, **fault)
    before = datetime.now(UTC)
    with pytest.raises(ApplicationError) as caught, patience(0.6 if fault["kind"] == "slow" else 10):
        await act()
    assert caught.value.type == kind
    assert caught.value.non_retryable == (kind in {"permanent", "ambiguous"})
    assert posts(carrier, f"{path}.json") == 1
    assert TO not in str(caught.value)
    if kind == "retry_after":
        assert caught.value.next_retry_delay == timedelta(seconds=7)
    if fault["kind"] == "slow":
        await asyncio.sleep(1.2)
    found = (
        await twilio.find_call(LEAD, ATTEMPT, TO, before)
        if path == "Calls"
        else await twilio.find_text(TO, "Hello there", before)
    )
    assert (found is not None) == bool(made)


async def test_nobody_listening_is_safe_to_try_again(carrier: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_BASE_URL", f"http://127.0.0.1:{free_port()}/twilio")
    settings.cache_clear()
    with pytest.raises(ApplicationError) as caught:
        await dial()
    assert caught.value.type == "retry"


@pytest.mark.parametrize("kind", ["500", "drop"])
async def test_reading_and_ending_are_tried_again(carrier: Sandbox, kind: str) -> None:
    sid = await dial()
    for act in (lambda: twilio.find_call(LEAD, ATTEMPT, TO, datetime.now(UTC), sid), lambda: twilio.end_call(sid)):
        carrier.fault(vendor="twilio", path=sid, kind=kind, times=2)
        with pytest.raises(ApplicationError) as caught:
            await act()
        assert caught.value.type == "retry"
        httpx.delete(f"{carrier.url}/_faults")


async def test_an_attempt_is_found_among_others_to_the_same_number(carrier: Sandbox) -> None:
    start = datetime.now(UTC)
    first = await dial()
    await twilio.end_call(first)
    await until(lambda: carrier.phone()["calls"][0]["status"] == "canceled")
    second = await twilio.place_call(LEAD, "a2", TO, RING, LONGEST)
    assert (await twilio.find_call(LEAD, "a1", TO, start)).sid == first  # type: ignore[union-attr]
    assert (await twilio.find_call(LEAD, "a2", TO, start)).sid == second  # type: ignore[union-attr]
    assert await twilio.find_call(LEAD, "a3", TO, start) is None
    assert await twilio.find_call(LEAD, "a1", TO, start + timedelta(minutes=1)) is None
    known = await twilio.find_call(LEAD, "a1", TO, start, first)
    assert known is not None
    assert known.status == "canceled"
    assert await twilio.find_call(LEAD, "a1", TO, start, "CA" + "0" * 32) is None


async def test_a_text_tells_how_long_the_carrier_may_try(carrier: Sandbox) -> None:
    sent = await twilio.send_text(LEAD, "text_1", TO, "x" * 200, timedelta(days=3))
    assert sent.segments == 2
    await twilio.send_text(LEAD, "text_1", TO, "y", timedelta(seconds=-1))
    bodies = [e["body"] for e in carrier.log(method="POST", path="Messages.json")]
    assert "ValidityPeriod=36000" in bodies[0]
    assert "ValidityPeriod=1&" in bodies[1] + "&"
    assert "message-status%3Flead%3Dlead-0123%26touch%3Dtext_1%23rc" in bodies[0]


async def test_who_opted_out_at_the_carrier_is_a_refusal_for_good(carrier: Sandbox) -> None:
    carrier.phone("text", number=TO, body="STOP")
    with pytest.raises(ApplicationError, match="21610") as caught:
        await send()
    assert caught.value.type == "permanent"


async def test_two_hundred_dials_at_once(carrier: Sandbox) -> None:
    numbers = [f"+1415555{n:04d}" for n in range(200)]
    sids = await asyncio.gather(*(twilio.place_call(LEAD, f"a{n}", to, RING, LONGEST) for n, to in enumerate(numbers)))
    assert len(set(sids)) == 200
    assert posts(carrier, "Calls.json") == 200


# ---- signatures and TwiML -----------------------------------------------------------------------------------------


def test_only_what_twilio_signed_is_genuine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "secret")
    monkeypatch.setenv("TWILIO_WEBHOOK_KEYS", '{"wk1": "shared secret"}')
    settings.cache_clear()
    url, form = "https://calls.example/twilio/status?lead=l&attempt=a1", {"CallSid": "CA1", "CallStatus": "busy"}
    sign = RequestValidator("secret").compute_signature(url, form)
    assert twilio.genuine(url, form, sign)
    assert not twilio.genuine(url + "2", form, sign)
    assert not twilio.genuine(url, {**form, "CallStatus": "completed"}, sign)
    assert not twilio.genuine(url, form, "")
    shared = RequestValidator("shared secret").compute_signature(url, form, "HMAC_SHA256")
    assert twilio.genuine(url, form, shared, "key=wk1,algorithm=HMAC_SHA256")
    assert not twilio.genuine(url, form, shared, "key=wk2,algorithm=HMAC_SHA256")
    assert not twilio.genuine(url, form, shared)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "")
    settings.cache_clear()
    assert not twilio.genuine(url, form, RequestValidator("").compute_signature(url, form))
    settings.cache_clear()


COUNTED_ON = {
    "applicationReconnect": "true",
    "events": "speaker-events tokens-played",
    "partialPrompts": "true",
    "partialPromptOnHangup": "true",
    "interruptible": "any",
    "reportInputDuringAgentSpeech": "any",
    "dtmfDetection": "true",
    "profanityFilter": "false",
}
"""Whatever the playbook says. An attribute that the SDK does not know would be missing here."""


def test_the_twiml_speaks_and_listens_as_the_playbook_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOWRATE_PUBLIC_URL", "https://calls.example")
    settings.cache_clear()
    agent = Agent(
        name="Juno", language="es-US", voice="a-voice", tts_provider="ElevenLabs", transcription_provider="Deepgram",
        speech_model="flux", hints=("Ana Torres", "Xero, Inc", "Juno", "", "x" * 300, *map(str, range(200))),
    )  # fmt: skip
    connect = ElementTree.fromstring(twilio.relay("lead-1", "a1", agent, "0123abcd", ("Tallyhook",), again=2))[0]
    told = dict(connect[0].attrib)
    hints = told.pop("hints").split(",")
    assert hints[:4] == ["Juno", "Tallyhook", "Ana Torres", "Xero Inc"]
    assert len(hints) == len(set(hints)) == 100
    assert max(map(len, hints)) == 100
    assert told == COUNTED_ON | {
        "url": "wss://calls.example/twilio/relay", "language": "es-US", "voice": "a-voice", "ttsProvider": "ElevenLabs",
        "transcriptionProvider": "Deepgram", "speechModel": "flux",
    }  # fmt: skip
    assert "&playbook=0123abcd&again=2#" in str(connect.get("action"))
    settings.cache_clear()


def test_the_twiml_says_what_the_gateway_counts_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for public, socket in (
        ("https://calls.example", "wss://calls.example"),
        ("http://127.0.0.1:1", "ws://127.0.0.1:1"),
    ):
        monkeypatch.setenv("SHOWRATE_PUBLIC_URL", public)
        settings.cache_clear()
        connect = ElementTree.fromstring(twilio.relay("lead-1", "a1", Agent(name="Juno")))[0]
        noun = connect[0]
        assert connect.get("action") == f"{public}/twilio/relay-ended?lead=lead-1&attempt=a1#rc=5&rp=5xx,ct,rt"
        assert noun.attrib == COUNTED_ON | {"url": f"{socket}/twilio/relay", "language": "en-US", "hints": "Juno"}
        assert [(p.get("name"), p.get("value")) for p in noun] == [("lead", "lead-1"), ("attempt", "a1")]
    assert [v.tag for v in ElementTree.fromstring(twilio.hang_up("A & B"))] == ["Say", "Hangup"]
    settings.cache_clear()


async def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    for _ in range(round(seconds / 0.02)):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("did not come true in time")
