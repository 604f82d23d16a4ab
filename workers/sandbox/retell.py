"""Retell on the wire: its REST API for calls, its webhooks, and its end of the custom-LLM websocket.

Whoever holds the phone is the same person as on Twilio's line. What the vendor promises is kept: one idempotency key
is one call for an hour, only the newest ``response_id`` is heard, the whole transcript travels each time, and a
superseded or malformed response vanishes without a word. ``POST /_retell {"again": true}`` has every turn asked for
twice, as happens when Retell hears more noise.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidURI

from workflows.identity import phone_number

from .exchange import Exchange
from .line import Doing
from .traffic import Call, new_sid

if TYPE_CHECKING:
    from .app import World

_KEY_LIVES = 3600.0
"""Seconds for which an idempotency key is one call."""
_CONNECTS = 3
"""How often the websocket is tried."""
_SUPERSEDED = 0.03
"""Seconds until a turn is asked for again, where every turn is."""


@dataclass
class _Made:
    """A call as Retell's API shows it, around the call on the line."""

    call: Call
    metadata: dict[str, Any]
    status: str = "registered"
    reason: str = ""
    transcript: list[dict[str, str]] = field(default_factory=list)
    injected: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    def shown(self) -> dict[str, Any]:
        call = self.call
        told: dict[str, Any] = {
            "call_type": "phone_call", "call_id": call.sid, "agent_id": "agent_sandbox", "agent_version": 1,
            "call_status": self.status, "from_number": call.from_, "to_number": call.to,
            "direction": "outbound", "metadata": self.metadata, "transcript_object": list(self.transcript),
        }  # fmt: skip
        if call.answered:
            told["start_timestamp"] = round(call.answered.timestamp() * 1000)
        if call.ended:
            told |= {"end_timestamp": round(call.ended.timestamp() * 1000), "duration_ms": call.seconds * 1000,
                     "disconnection_reason": self.reason}  # fmt: skip
        return told


class Retell:
    """The account's calls."""

    def __init__(self, world: World, exchange: Exchange) -> None:
        self.world, self.exchange = world, exchange
        self.calls: dict[str, _Made] = {}
        self.again = False
        """Every turn is asked for twice."""
        self._keys: dict[str, tuple[float, str]] = {}

    def create(self, asked: dict[str, Any]) -> _Made:
        """Dial, unless this key has been used. Raises ValueError."""
        key = str(asked.get("idempotency_key") or "")
        made_at, sid = self._keys.get(key, (0.0, ""))
        if key and sid and time.monotonic() - made_at < _KEY_LIVES:
            return self.calls[sid]
        for name in ("from_number", "to_number"):
            if not str(asked.get(name) or "").startswith("+"):
                raise ValueError(f"{name} must be a number in E.164 format")
        agent = (asked.get("agent_override") or {}).get("agent") or {}
        ring, longest = agent.get("ring_duration_ms", 30_000), agent.get("max_call_duration_ms", 3_600_000)
        if not 5_000 <= ring <= 300_000 or not 60_000 <= longest <= 7_200_000:
            raise ValueError("agent_override.agent: a duration is out of its range")
        number = phone_number(str(asked["to_number"]))
        call = Call(new_sid("call_"), number, str(asked["from_number"]), "outbound-api", self.world.now(), ring=ring / 1000,
                    longest=longest / 1000)  # fmt: skip
        made = _Made(call, dict(asked.get("metadata") or {}))
        self.calls[call.sid] = made
        self.exchange.calls[call.sid] = call
        self._keys[key] = (time.monotonic(), call.sid)
        self.world.spawn(self._life(made))
        return made

    async def _life(self, made: _Made) -> None:
        call = made.call
        call.started = self.world.now()
        made.reason = await self._answered(made)
        call.ended = self.world.now()
        call.line.hang_up("product")
        made.status = "ended" if call.answered else "not_connected"
        call.status = "completed" if call.answered else {"dial_busy": "busy"}.get(made.reason, "no-answer")
        await self.tell("call_ended", made)

    async def _answered(self, made: _Made) -> str:
        """Ring, talk; why it is over."""
        call, book = made.call, self.exchange.book
        if self.exchange.live_with(call.to):
            return "dial_busy"
        call.status = "ringing"
        ringing = asyncio.ensure_future(book.ring(call))
        try:
            await asyncio.wait({ringing, asyncio.ensure_future(call.line.over.wait())}, timeout=call.ring,
                               return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
            pickup = ringing.result() if ringing.done() else None
        finally:
            ringing.cancel()
            book.stopped(call)
        if pickup is None or pickup.kind in ("busy", "failed"):
            return "dial_busy" if pickup is not None and pickup.kind == "busy" else "dial_no_answer"
        call.answered, call.status, made.status = self.world.now(), "in-progress", "ongoing"
        self.world.spawn(self.tell("call_started", made))
        talking = asyncio.ensure_future(pickup.converse(call.line))
        limit = asyncio.get_running_loop().call_later(call.longest, call.line.hang_up, "limit")
        try:
            return await Session(self, made).run()
        finally:
            talking.cancel()
            limit.cancel()

    async def tell(self, event: str, made: _Made) -> None:
        """A webhook, tried three times."""
        url = self.world.account.retell_webhook
        if not url:
            return
        body = json.dumps({"event": event, "call": made.shown()})
        for pause in (0.5, 2, 0):
            now = str(round(time.time() * 1000))
            digest = hmac.new(self.world.account.retell_key.encode(), (body + now).encode(), hashlib.sha256).hexdigest()
            headers = {"X-Retell-Signature": f"v={now},d={digest}", "Content-Type": "application/json"}
            entry = self.world.log.arrived("retell", "out", "POST", url, "", headers, body)
            began, status = time.perf_counter(), 0
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                timeout = aiohttp.ClientTimeout(total=10)
                async with self.world.http.post(url, data=body, headers=headers, timeout=timeout) as answer:
                    status = answer.status
            self.world.log.answered(entry, status, time.perf_counter() - began)
            if 200 <= status < 300:
                return
            await asyncio.sleep(pause)


# ---- the websocket -------------------------------------------------------------------------------------------------


@dataclass
class _Piece:
    """Some of our agent's words, waiting to be spoken."""

    text: str
    complete: bool
    interruptible: bool
    ends: bool


class Session:
    """Retell's end of the websocket of one call."""

    def __init__(self, retell: Retell, made: _Made) -> None:
        self._retell, self._made, self._line = retell, made, made.call.line
        self._pace = retell.exchange.pace
        self._number = 0
        self._pieces: deque[_Piece] = deque()
        self._more = asyncio.Event()
        self._cut = asyncio.Event()
        self._speaking: _Piece | None = None
        self._spoken: dict[str, str] | None = None
        """The transcript's entry of what is being said."""
        self._socket: ClientConnection | None = None

    async def run(self) -> str:
        """Hold the call to its end; why it ended."""
        for attempt in range(_CONNECTS):
            await asyncio.sleep(self._pace.connect if not attempt else 0.5)
            ended = await self._connected()
            if ended or self._line.over.is_set():
                return ended or self._over
        return "error_llm_websocket_lost_connection" if self._made.transcript else "error_llm_websocket_open"

    @property
    def _over(self) -> str:
        return {"api": "manual_stopped", "limit": "max_duration_reached"}.get(self._line.ended_by, "user_hangup")

    async def _connected(self) -> str:
        """One socket; why the call ended with it, nothing when the socket alone was lost."""
        log, began = self._retell.world.log, time.monotonic()
        url = f"{self._retell.world.account.retell_socket}/{self._made.call.sid}"
        entry = log.arrived("retell", "out", "WS", url.replace(url.split("/")[-2], "***"), "", {})
        try:
            socket = await connect(url, open_timeout=5, ping_interval=None, compression=None, proxy=None)
        except (OSError, TimeoutError, InvalidHandshake, InvalidMessage, InvalidURI, ConnectionClosed) as error:
            log.answered(entry, 0, time.monotonic() - began, type(error).__name__)
            return ""
        log.answered(entry, 101, time.monotonic() - began)
        self._socket = socket
        work = [asyncio.ensure_future(each) for each in (
            self._read(socket), self._line.over.wait(), self._play(), self._listen(), self._ping(), self._inject(),
        )]  # fmt: skip
        try:
            await asyncio.wait(work[:2], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            await socket.close(1000)
            self._line.busy = False
        if self._line.over.is_set():
            return "agent_hangup" if self._line.ended_by == "product" else self._over
        return ""

    async def _send(self, kind: str, **content: Any) -> None:
        if self._socket is not None:
            with contextlib.suppress(ConnectionClosed):
                await self._socket.send(json.dumps({"interaction_type": kind, **content}))

    async def _show(self, turntaking: str = "") -> None:
        more = {"turntaking": turntaking} if turntaking else {}
        await self._send("update_only", transcript=self._made.transcript,
                         transcript_with_tool_calls=self._made.transcript, **more)  # fmt: skip

    async def _require(self) -> None:
        for again in (False, True)[: 1 + self._retell.again]:
            if again:
                await asyncio.sleep(_SUPERSEDED)
                self._stop()
            self._number += 1
            await self._send("response_required", response_id=self._number, transcript=self._made.transcript,
                             transcript_with_tool_calls=self._made.transcript)  # fmt: skip

    async def _ping(self) -> None:
        while True:
            await self._send("ping_pong", timestamp=round(time.time() * 1000))
            await asyncio.sleep(2)

    async def _inject(self) -> None:
        """What the API puts into the transcript; the agent is asked for words to it."""
        while True:
            self._made.transcript.append({"role": "injected", "content": await self._made.injected.get()})
            self._stop()
            await self._require()

    # -- what the product sends

    async def _read(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for raw in socket:
                with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
                    await self._accept(json.loads(raw))
        if socket.close_code == 1000:
            self._line.hang_up("product")

    async def _accept(self, frame: dict[str, Any]) -> None:
        kind = frame["response_type"]
        if kind == "config" and frame["config"].get("call_details"):
            await self._send("call_details", call=self._made.shown())
        newest = kind == "response" and frame["response_id"] == self._number
        if newest or (kind == "agent_interrupt" and isinstance(frame["interrupt_id"], int)):
            self._take(frame)

    def _take(self, frame: dict[str, Any]) -> None:
        content = frame["content"]
        if not isinstance(content, str):
            raise TypeError("content is text")
        piece = _Piece(content, bool(frame["content_complete"]), not frame.get("no_interruption_allowed"),
                       bool(frame.get("end_call")))  # fmt: skip
        self._pieces.append(piece)
        self._line.busy = True
        self._more.set()

    # -- speaking

    async def _play(self) -> None:
        sounding = False
        while True:
            if not self._pieces:
                self._line.busy = self._spoken is not None
                self._more.clear()
                await self._more.wait()
                continue
            piece = self._speaking = self._pieces.popleft()
            if piece.text.strip() and not sounding:
                await asyncio.sleep(self._pace.first_sound)
                sounding = True
                await self._show("agent_turn")
            await self._say(piece)
            self._speaking = None
            if piece.complete or self._cut.is_set():
                cut = self._cut.is_set()
                self._cut.clear()
                self._finish(cut)
                if sounding:
                    await self._show("user_turn")
                sounding = False
            if piece.ends:
                self._line.hang_up("product")

    async def _say(self, piece: _Piece) -> None:
        for word in piece.text.split():
            if self._cut.is_set():
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._cut.wait(), self._pace.word)
            if self._cut.is_set():
                return
            if self._spoken is None:
                self._spoken = {"role": "agent", "content": ""}
                self._made.transcript.append(self._spoken)
            self._spoken["content"] = f"{self._spoken['content']} {word}".strip()
        if piece.text.strip():
            await self._show()

    def _finish(self, cut: bool) -> None:
        if self._spoken is not None:
            self._line.played(self._spoken["content"], cut)
        self._spoken = None

    def _stop(self) -> None:
        """Whatever waits to be spoken is dropped; what is being spoken ends within a word."""
        self._pieces.clear()
        if self._speaking is not None:
            self._cut.set()
        elif self._spoken is not None:
            self._finish(True)

    # -- listening

    async def _listen(self) -> None:
        while True:
            doing = await self._line.doings.get()
            if doing.how == "break_off":
                self._line.hang_up()
            elif doing.digit:
                self._made.transcript.append({"role": "dtmf", "digit": doing.digit})
                await self._show()
            elif doing.words:
                await self._heard(doing)

    async def _heard(self, doing: Doing) -> None:
        speaking = self._speaking
        if speaking is None or speaking.interruptible:
            self._stop()
            await asyncio.sleep(self._pace.word * 2)
        entry = {"role": "user", "content": ""}
        self._made.transcript.append(entry)
        words = doing.words.split()
        for count in range(3, len(words), 3):
            await asyncio.sleep(self._pace.word * 3)
            entry["content"] = " ".join(words[:count])
            await self._show()
        entry["content"] = doing.words
        self._line.spoken(doing.words)
        await asyncio.sleep(self._pace.recognise)
        await self._require()


# ---- the API -------------------------------------------------------------------------------------------------------


def routes(world: World) -> list[BaseRoute]:
    assert world.book is not None, "the phone book is Twilio's stand-in's"
    retell = Retell(world, world.book.exchange)

    def api(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {world.account.retell_key}":
                return _error(401, "API key is invalid.")
            return await handler(request)

        return guarded

    async def create(request: Request) -> Response:
        try:
            made = retell.create(await request.json())
        except (ValueError, TypeError) as error:
            return _error(400, str(error))
        return JSONResponse(made.shown(), 201)

    async def get(request: Request) -> Response:
        made = retell.calls.get(request.path_params["sid"])
        return _error(404, "Cannot find requested asset.") if made is None else JSONResponse(made.shown())

    async def listed(request: Request) -> Response:
        wanted = (await request.json()).get("filter_criteria") or {}
        found = [made.shown() for made in retell.calls.values() if _matches(made, wanted)]
        return JSONResponse({"items": found[::-1], "has_more": False})

    async def stop(request: Request) -> Response:
        made = retell.calls.get(request.path_params["sid"])
        if made is None or made.call.ended:
            return _error(404 if made is None else 422, "The call is not live.")
        made.call.line.hang_up("api")
        return Response(status_code=204)

    async def update(request: Request) -> Response:
        made = retell.calls.get(request.path_params["sid"])
        if made is None or made.status != "ongoing":
            return _error(404 if made is None else 422, "The call is not ongoing.")
        control = (await request.json()).get("call_control") or {}
        if control.get("additional_context"):
            made.injected.put_nowait(str(control["additional_context"]))
        return JSONResponse({"call_id": made.call.sid})

    async def switch(request: Request) -> Response:
        retell.again = bool((await request.json()).get("again"))
        return Response(status_code=204)

    return [
        Route("/retell/v2/create-phone-call", api(create), methods=["POST"]),
        Route("/retell/v2/get-call/{sid}", api(get)),
        Route("/retell/v3/list-calls", api(listed), methods=["POST"]),
        Route("/retell/v2/stop-call/{sid}", api(stop), methods=["POST"]),
        Route("/retell/v2/update-live-call/{sid}", api(update), methods=["PATCH"]),
        Route("/_retell", switch, methods=["POST"]),
    ]


def _matches(made: _Made, wanted: dict[str, Any]) -> bool:
    to = wanted.get("to_number")
    meant = wanted.get("metadata") or []
    return (to is None or to["value"] == made.call.to) and all(
        str(made.metadata.get(each["key"])) == each["value"] for each in meant
    )


def _error(status: int, message: str) -> Response:
    return JSONResponse({"status": "error", "message": message}, status)
