"""Live calls over a real websocket, with the real lead on the real server and the scripted model on the wire."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from temporalio.client import Client
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from activities import gate, metrics
from activities.settings import settings
from activities.vendors import openai
from clients import gateway, session
from workers.sandbox import model
from workflows import effects as fx
from workflows import events as ev
from workflows import identity, messages
from workflows.control_workflow import ControlWorkflow
from workflows.lead_workflow import LeadWorkflow
from workflows.optout_workflow import OptOutWorkflow

from .fixtures.temporal import running_worker
from .fixtures.web import People, Site
from .stage import Stage

TOKEN = "a token of the test"
NUMBER = "+14155550100"
_persons = itertools.count(100)


THEIR_ZONE = ZoneInfo("America/New_York")


def somebody() -> str:
    """A number that no other test has: the server, and so its leads, are shared."""
    return f"+1212555{next(_persons):04d}"


def ignored() -> Counter[str]:
    """The frames that were ignored so far, by kind."""
    found = re.findall(r'showrate_ignored_frames_total\{kind="(\w+)"\} ([\d.e+]+)', metrics.exposition().decode())
    return Counter({kind: int(float(count)) for kind, count in found})


class Caller:
    """The carrier's end of one session, and the person behind it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.sent: list[str] = []
        self.ended = False
        self.closed: int | None = None

    async def send(self, **frame: Any) -> None:
        self.sent.append(json.dumps(frame))
        await self.socket.send(self.sent[-1])

    async def setup(self, call: str, session: str = "VX1", theirs: str = "", **parameters: str) -> None:
        """``theirs``: the number that rings us."""
        await self.send(
            type="setup", sessionId=session, callSid=call, direction="inbound" if theirs else "outbound-api",
            callStatus="IN_PROGRESS", customParameters=parameters,
            **{"from": theirs or NUMBER, "to": NUMBER if theirs else somebody()},
        )  # fmt: skip

    async def listen(self, seconds: float = 60.0) -> str:
        """The next whole utterance, played to its end; "" when the session ends instead."""
        said = ""
        async with asyncio.timeout(seconds):
            while True:
                try:
                    frame = json.loads(await self.socket.recv())
                except ConnectionClosed as closed:
                    self.closed = closed.rcvd.code if closed.rcvd else 1006
                    return said
                if frame["type"] == "end":
                    self.ended = True
                    return said
                said += frame["token"]
                if frame["last"]:
                    break
        await self.send(type="info", name="agentSpeaking", value="on")
        await self.send(type="info", name="tokensPlayed", value=said)
        await self.send(type="info", name="agentSpeaking", value="off")
        return said

    async def say(self, words: str) -> str:
        """Say ``words``; what we answer."""
        await self.send(type="prompt", voicePrompt=words[: len(words) // 2], lang="en-US", last=False)
        await self.send(type="prompt", voicePrompt=words, lang="en-US", last=True)
        return await self.listen()


@asynccontextmanager
async def ringing(url: str, token: str = TOKEN) -> AsyncIterator[Caller]:
    address = f"ws{url.removeprefix('http')}/twilio/relay"
    signature = base64.b64encode(hmac.new(token.encode(), address.encode(), hashlib.sha1).digest()).decode()
    async with connect(address, additional_headers={"X-Twilio-Signature": signature}, proxy=None) as socket:
        yield Caller(socket)


@pytest.fixture
async def calls(web: Site, serve: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[People]:
    """Leads, a carrier whose token is known, the scripted model, and two slots tomorrow."""
    served = await serve(Starlette(routes=model.routes(None)))  # type: ignore[arg-type]
    monkeypatch.setenv("OPENAI_BASE_URL", f"{served.url}/openai/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sandbox")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", TOKEN)
    monkeypatch.setenv("TWILIO_NUMBER", NUMBER)
    settings.cache_clear()
    tomorrow = datetime.now(THEIR_ZONE) + timedelta(days=1)  # their day may not be over yet when ours is
    start = tomorrow.replace(hour=13, minute=0, second=0, microsecond=0).astimezone(UTC)
    slots = tuple(
        ev.Slot(id=f"ana@{at.isoformat()}", rep="ana", start=at, end=at + timedelta(minutes=30))
        for at in (start, start + timedelta(hours=1))
    )
    stage = Stage()
    stage.answers |= {"find_slots": lambda _: fx.SlotsAnswer(slots=slots), "wake_leads": lambda _: 0}
    async with (
        running_worker(web.temporal, [LeadWorkflow, ControlWorkflow, OptOutWorkflow], stage.activities()),
        running_worker(web.temporal, [], stage.activities(), queue=messages.DIAL_QUEUE),
    ):
        yield People(web, stage)
    await openai.close()


async def dialled(people: People, phone: str = "") -> tuple[str, str]:
    """A lead whose first call was placed: its id and the call's sid."""
    lead = await people.submit(phone or somebody())
    seen = await people.until(lead, lambda view: view.touches and view.touches[0].sid)
    return lead, seen.touches[0].sid


async def qualified(caller: Caller) -> str:
    """Through the questions to the offer."""
    await caller.say("Yes, sure.")
    await caller.say("We need help with stock counts")
    await caller.say("About 25 people.")
    return await caller.say("This quarter.")


YES = "Yes, that's right."


async def chosen(caller: Caller, words: str = "The first one, please.") -> str:
    """They choose a time, which is read back, for this carrier never says how sure the recogniser is; they agree."""
    assert "is that right?" in await caller.say(words)
    return await caller.say(YES)


async def test_a_call_from_ring_to_booked_and_reported(calls: People) -> None:
    lead, sid = await dialled(calls)
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, lead=lead, attempt="a1")
        opening = await caller.listen()
        assert opening.startswith("Hi Ada, this is Juno, the automated assistant of Tallyhook.")
        assert "I can offer tomorrow" in await qualified(caller)
        assert "you are booked with" in await chosen(caller, "The second one, please.")
        assert "goodbye" in await caller.say("No, that's all. Thank you!")
        await caller.listen()
        assert caller.ended
    seen = await calls.until(lead, lambda view: view.booking and view.touches[0].outcome.startswith("talked"))
    assert seen.learned | {"use_case": "stock counts", "team_size": "25", "timeline": "quarter"} == seen.learned
    assert seen.stage == "booked"
    booked = calls.stage.of("book_meeting")
    assert len(booked) == 1
    exposition = (await calls.site.http.get("/metrics")).text
    turns = next(line for line in exposition.splitlines() if line.startswith("showrate_turn_seconds_count"))
    assert float(turns.split()[-1]) >= 5
    for stage in ("decided", "first_token", "performed"):
        assert re.search(rf'showrate_turn_stage_seconds_count{{stage="{stage}"}} [1-9]', exposition), stage
    assert gateway.live_calls() == 0


async def test_a_wrong_signature_is_refused_before_anything_is_read(calls: People) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with ringing(calls.site.url, token="another token"):
            pass
    assert refused.value.response.status_code == 403


async def test_an_unknown_call_hears_an_apology_and_no_lead_is_made(calls: People) -> None:
    async with ringing(calls.site.url) as caller:
        await caller.setup("CA404", lead="lead-" + "0" * 32, attempt="a1")
        assert "cannot talk right now" in await caller.listen()
        await caller.listen()
        assert caller.ended


async def test_what_is_replayed_after_a_reconnect_changes_nothing(calls: People) -> None:
    """The carrier sends again all that it kept; only what is new counts."""
    lead, sid = await dialled(calls)
    sent: list[str] = []
    async with ringing(calls.site.url) as caller:
        caller.sent = sent
        await caller.setup(sid, lead=lead, attempt="a1")
        await caller.listen()
        await qualified(caller)
        assert "you are booked with" in await chosen(caller)
        before = ignored()["repeated"]
        caller.socket.transport.abort()
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, session="VX2", lead=lead, attempt="a1")
        for frame in sent[1:]:
            await caller.socket.send(frame)
        assert "cut off" in await caller.listen()
        assert "goodbye" in await caller.say("No, that's all.")
    assert ignored()["repeated"] - before >= len(sent) - 1
    assert len(calls.stage.of("book_meeting")) == 1
    assert len(calls.stage.of("find_slots")) == 1


async def test_a_new_process_is_not_misled_by_what_the_old_one_had_heard(calls: People) -> None:
    """Replayed to a gateway that knows of nothing: an answer that was acted on already acts on nothing, a stop counts."""
    lead, sid = await dialled(calls)
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, lead=lead, attempt="a1")
        await caller.listen()
        await qualified(caller)
        await chosen(caller)
        forget(lead)
        caller.socket.transport.abort()
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, session="VX2", lead=lead, attempt="a1")
        for words in ("The first one, please.", YES, "No, cancel it."):
            await caller.send(type="prompt", voicePrompt=words, last=True)
        assert "stands: tomorrow" in await caller.listen()
        assert "goodbye" in await caller.say("No, that's all.")
    assert len(calls.stage.of("book_meeting")) == 1
    assert not calls.stage.of("release_meeting")


async def test_a_stop_that_was_kept_for_a_new_process_counts(calls: People) -> None:
    lead, sid = await dialled(calls)
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, lead=lead, attempt="a1")
        await caller.listen()
        forget(lead)
        caller.socket.transport.abort()
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, session="VX2", lead=lead, attempt="a1")
        await caller.send(type="prompt", voicePrompt="Please stop calling me.", last=True)
        await calls.until(lead, lambda view: view.opted_out)


def forget(lead: str) -> None:
    """As if the process that holds the call were gone."""
    held = session._live.pop((lead, "a1"))
    assert held._running is not None
    held._running.cancel()
    held._conversation = None


async def test_another_call_under_the_same_attempt_hears_nothing_and_takes_nothing(calls: People) -> None:
    lead, sid = await dialled(calls)
    async with ringing(calls.site.url) as caller, ringing(calls.site.url) as other:
        await caller.setup(sid, lead=lead, attempt="a1")
        assert "Ada" in await caller.listen()
        await other.setup("CA0another", session="VX9", lead=lead, attempt="a1")
        said = await other.listen()
        assert "Ada" not in said
        assert "demo" not in said
        await other.listen()
        assert other.ended
        assert "help you with" in await caller.say("Yes, sure.")
        assert session._live[lead, "a1"].setup.call == sid


async def test_a_call_cannot_be_had_under_another_lead_s_id(calls: People) -> None:
    """Signed as it is, a setup that names somebody else's lead is no call that this lead asked for."""
    _, sid = await dialled(calls)
    other, _ = await dialled(calls)
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, lead=other, attempt="a1")
        said = await caller.listen()
        assert "Ada" not in said
        await caller.listen()
        assert caller.ended
    assert (await calls.view(other)).touches[0].outcome == "placed"


@pytest.mark.parametrize(
    "first", ["not json", '{"type":"prompt","voicePrompt":"hi"}', "[]", '{"type":"setup"}', "x" * 300_000]
)
async def test_a_session_that_does_not_begin_with_setup_is_closed(calls: People, first: str) -> None:
    async with ringing(calls.site.url) as caller:
        await caller.socket.send(first)
        await caller.listen()
        assert caller.closed == 1008


async def test_garbage_never_ends_a_call(calls: People) -> None:
    lead, sid = await dialled(calls)
    before = ignored()
    garbage = (
        "", "{", "null", "[]", '{"type":7}', '{"type":"prompt"}', '{"type":"prompt","voicePrompt":5,"last":true}', '{"type":"nonsense"}',
        '{"type":"info","name":5}', '{"type":"interrupt","utteranceUntilInterrupt":{}}', '{"type":"dtmf","digit":5}', "[" * 9000,
        '{"type":"prompt","voicePrompt":"' + "word " * 13_000 + '","last":false}', '{"type":"setup","callSid":"CA9"}',
    )  # fmt: skip
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, lead=lead, attempt="a1")
        await caller.listen()
        for frame in (*garbage, b"\x00\xff", b"{}"):
            await caller.socket.send(frame)
        assert "help you with" in await caller.say("Yes, sure.")
        await caller.send(type="prompt", voicePrompt="Stock counts, mostly.", last=True)
        await caller.send(type="prompt", voicePrompt="Stock counts, mostly.", last=True)
        assert "How many people" in await caller.listen()
    found = ignored() - before
    assert found["malformed"] == 9
    assert (found["unknown"], found["binary"], found["misplaced"]) == (2, 2, 1)


async def test_an_opt_out_is_durable_before_it_is_acknowledged(calls: People) -> None:
    phone = somebody()
    lead, sid = await dialled(calls, phone)
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, lead=lead, attempt="a1")
        await caller.listen()
        assert "will not hear from us" in await caller.say("Please stop calling me.")
        handle = identity.handle_id(settings().identity_key, phone)
        assert await gate.opted_out(calls.site.temporal, handle)
    seen = await calls.until(lead, lambda view: view.opted_out)
    assert seen.disposition in ("opted_out", "")


async def test_a_lost_socket_goes_on_where_it_broke_off(calls: People) -> None:
    lead, sid = await dialled(calls)
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, lead=lead, attempt="a1")
        await caller.listen()
        await qualified(caller)
        caller.socket.transport.abort()
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, session="VX2", lead=lead, attempt="a1")
        again = await caller.listen()
        assert again.startswith("Sorry, we were cut off.")
        assert "I can offer tomorrow" in again
        assert "you are booked with" in await chosen(caller)
        await caller.say("No, that's all.")
    await calls.until(lead, lambda view: view.booking and view.touches[0].outcome.startswith("talked"))
    assert len(calls.stage.of("book_meeting")) == 1


async def test_another_gateway_rebuilds_the_call_from_the_lead(calls: People) -> None:
    """The process died between booking and speech: what was booked is spoken from the ledger, and not booked again."""
    lead, sid = await dialled(calls)
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, lead=lead, attempt="a1")
        await caller.listen()
        await qualified(caller)
        await caller.say("The first one, please.")
        await caller.send(type="prompt", voicePrompt=YES, last=True)
        await calls.until(lead, lambda view: view.booking)
        forget(lead)
        caller.socket.transport.abort()
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, session="VX2", lead=lead, attempt="a1")
        again = await caller.listen()
        assert "automated assistant of Tallyhook" in again
        assert "stands: tomorrow" in again
        assert "goodbye" in await caller.say("No, that's all.")
    assert len(calls.stage.of("book_meeting")) == 1


async def test_a_caller_nobody_knows_becomes_a_lead(calls: People) -> None:
    phone = somebody()
    async with ringing(calls.site.url) as caller:
        await caller.setup("CAin1", theirs=phone)
        assert "How can I help you?" in await caller.listen()
        assert "Who am I speaking with?" in await caller.say("Hi, I would like to book a demo.")
        assert "help you with" in await caller.say("My name is Pat Jones.")
    handle = identity.handle_id(settings().identity_key, phone)
    lead = identity.lead_id(handle)
    seen = await calls.until(lead, lambda view: view.learned.get("name") and view.touches[0].outcome == "dropped")
    assert seen.person is not None
    assert seen.person.source == "inbound_call"
    assert seen.touches[0].attempt == "in-CAin1"


async def test_a_pause_ends_a_live_call_politely(calls: People) -> None:
    lead, sid = await dialled(calls)
    try:
        async with ringing(calls.site.url) as caller:
            await caller.setup(sid, lead=lead, attempt="a1")
            await caller.listen()
            await gate.pause(calls.site.temporal, "everything", "test")
            assert "get back to you" in await caller.listen()
            await caller.listen()
            assert caller.ended
        await calls.until(lead, lambda view: view.touches[0].outcome.startswith("paused"))
        over = ev.CallEnded(at=datetime.now(UTC), attempt="a1", sid=sid, status="completed", seconds=9)
        await calls.site.temporal.get_workflow_handle(lead).signal("call_status", over)
        # They were told that we get back to them.
        await calls.until(lead, lambda view: view.next_reason == "waiting for the promised callback")
    finally:
        await gate.resume(calls.site.temporal, "everything", "test")


async def test_who_rings_us_is_served_while_everything_is_paused(calls: People) -> None:
    await gate.pause(calls.site.temporal, "everything", "test")
    try:
        async with ringing(calls.site.url) as caller:
            await caller.setup("CAin9", theirs=somebody())
            assert "How can I help you?" in await caller.listen()
            await asyncio.sleep(4 * session.WATCH_EVERY)
            assert "Who am I speaking with?" in await caller.say("Hi, I would like to book a demo.")
    finally:
        await gate.resume(calls.site.temporal, "everything", "test")


async def test_machine_detection_leaves_the_message_also_when_it_comes_first(calls: People) -> None:
    lead, sid = await dialled(calls)
    gateway.answered_by(lead, "a1", "machine_end_beep")
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, lead=lead, attempt="a1")
        await caller.listen()
        assert "call back" in await caller.listen()
        await caller.listen()
        assert caller.ended
    await calls.until(lead, lambda view: view.touches[0].outcome.startswith("voicemail"))


async def test_a_model_that_is_away_leaves_the_call_to_the_rules(
    calls: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    settings.cache_clear()
    lead, sid = await dialled(calls)
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, lead=lead, attempt="a1")
        await caller.listen()
        assert "I can offer tomorrow" in await qualified(caller)
        assert "you are booked with" in await chosen(caller)


async def test_a_silent_caller_is_asked_and_let_go(calls: People) -> None:
    lead, sid = await dialled(calls)
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, lead=lead, attempt="a1")
        await caller.listen()
        assert await caller.listen() == "Are you still there?"
        await caller.socket.close(1000)
    await calls.until(lead, lambda view: view.touches[0].outcome.startswith("silent"))


async def test_health_answers_while_many_talk(calls: People, client: Client) -> None:
    many = 60
    held = asyncio.Event()

    async def one(number: int) -> None:
        async with ringing(calls.site.url) as caller:
            await caller.setup(f"CA{number}", f"VX{number}", theirs=f"+1312555{number:04d}")
            assert "How can I help you" in await caller.listen()
            said = await caller.say("I would like a demo.")
            said = said if "?" in said else await caller.listen()  # where the wait was bridged
            assert "?" in said
            await held.wait()

    talking = [asyncio.create_task(one(number)) for number in range(100, 100 + many)]
    slowest = 0.0
    try:
        while gateway.live_calls() < many:
            started = time.monotonic()
            assert (await calls.site.http.get("/healthz")).status_code == 200
            slowest = max(slowest, time.monotonic() - started)
            await asyncio.sleep(0.05)
            for task in talking:
                if task.done():
                    task.result()
        held.set()
        await asyncio.gather(*talking)
    finally:
        for task in talking:
            task.cancel()
    assert slowest < 2


# ---- the model behind it ------------------------------------------------------------------------------------------------


class Slow:
    """The scripted model on the wire, told how to answer: it may ``hold`` what comes after its first sentence, say
    nothing at all, or say what is no turn."""

    def __init__(self) -> None:
        self.how = "well"
        self.on = asyncio.Event()
        self.held = asyncio.Event()
        self.asked: list[list[dict[str, str]]] = []

    async def respond(self, request: Request) -> Response:
        asked = await request.json()
        self.asked.append(asked["messages"])
        if self.how == "silent":
            await asyncio.sleep(30)
        return StreamingResponse(self._stream(model.reply(asked)), media_type="text/event-stream")

    async def _stream(self, text: str) -> AsyncIterator[str]:
        if self.how == "rubbish":
            text = "Certainly! I have booked you for midnight, at $5. " + text[:40]
        end = text.index('"say"') + text[text.index('"say"') :].index(". ") + 4 if self.how == "holds" else len(text)
        yield self._chunk(text[:end])
        if self.how == "holds":
            self.held.set()
            await self.on.wait()
            yield self._chunk(text[end:])
        yield "data: [DONE]\n\n"

    def _chunk(self, text: str) -> str:
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
        frame = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
        return f"data: {json.dumps(frame)}\n\n"


@pytest.fixture
async def slow(calls: People, serve: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Slow]:
    behind = Slow()
    served = await serve(Starlette(routes=[Route("/v1/chat/completions", behind.respond, methods=["POST"])]))
    monkeypatch.setenv("OPENAI_BASE_URL", f"{served.url}/v1")
    settings.cache_clear()
    yield behind
    behind.on.set()


async def test_we_speak_as_soon_as_the_action_is_authorised(calls: People, slow: Slow) -> None:
    lead, sid = await dialled(calls)
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, lead=lead, attempt="a1")
        await caller.listen()
        await caller.say("Yes, sure.")
        slow.how = "holds"
        await caller.send(type="prompt", voicePrompt="We need help with stock counts.", last=True)
        async with asyncio.timeout(60):
            first = json.loads(await caller.socket.recv())
        assert (first["type"], first["last"]) == ("text", False)
        assert first["token"].strip()
        assert slow.held.is_set()
        assert not slow.on.is_set(), "the model has not said the rest"
        slow.on.set()
        assert "How many people" in await caller.listen()


async def test_a_model_that_takes_too_long_is_bridged_and_then_done_without(calls: People, slow: Slow) -> None:
    lead, sid = await dialled(calls)
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, lead=lead, attempt="a1")
        await caller.listen()
        await caller.say("Yes, sure.")
        slow.how, began = "silent", time.monotonic()
        assert (await caller.say("We need help with stock counts.")).strip() in ("Let me see.", "One second, please.")
        filled = time.monotonic() - began
        assert "How many people" in await caller.listen()
        assert 1.4 < filled < filled + 1 < time.monotonic() - began
        slow.how = "rubbish"
        said = await caller.say("About 25 people.")
        assert "timeline" in said or "in place" in said, "what is no turn is done without at once"
        assert "midnight" not in said
        assert "$5" not in said
    seen = await calls.until(lead, lambda view: "team_size" in view.learned)
    assert seen.learned["team_size"] == "25"


async def test_what_the_model_is_asked_grows_only_at_its_end(calls: People, slow: Slow) -> None:
    """So that a server can use again what it worked out for the turn before."""
    lead, sid = await dialled(calls)
    async with ringing(calls.site.url) as caller:
        await caller.setup(sid, lead=lead, attempt="a1")
        await caller.listen()
        assert "I can offer" in await qualified(caller)
    assert len(slow.asked) >= 3
    for before, after in itertools.pairwise(slow.asked):
        assert after[: len(before) - 1] == before[:-1]


async def test_64_kib_of_words_are_words_like_others(calls: People) -> None:
    lead, sid = await dialled(calls)
    other, other_sid = await dialled(calls)
    async with ringing(calls.site.url) as caller, ringing(calls.site.url) as neighbour:
        await caller.setup(sid, lead=lead, attempt="a1")
        await neighbour.setup(other_sid, "VX2", lead=other, attempt="a1")
        await caller.listen()
        await neighbour.listen()
        await caller.say("Yes, sure.")
        began = time.monotonic()
        await caller.send(type="prompt", voicePrompt="stock counts and so on, " * 2731, lang="en-US", last=True)
        assert "help you with" in await neighbour.say("Yes, sure.")
        assert time.monotonic() - began < 8, "nobody else waits for it"
        assert await caller.listen(), "it is answered"
        assert "many people" in await neighbour.say("We want to keep our stock right.")
