"""A live call: whatever carries it on one side, the lead's updates and the model on the other.

One session a call, with one ordered inbox and a single writer: every frame, every piece of the model's answer, every
answer of the lead and every timer goes through it into the conversation core, and only what the core says goes out.
A socket that breaks is taken up again under the same call; after the process died, the lead's brief rebuilds it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import traceback
from collections import OrderedDict
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities import gate, metrics
from activities.vendors import openai
from workflows.conversation import Conversation, signals
from workflows.messages import Brief
from workflows.playbook import playbook_of
from workflows.reading import is_opt_out

from . import calls
from .inbox import Inbox
from .replay import Received
from .wire import Codec, Ignored, Reply, Setup

log = logging.getLogger(__name__)

REJOIN_WITHIN = 8.0
"""Seconds for which a call whose socket broke is kept: the carrier comes back, or asks, after about 1.2 s."""
CLOSE_WITHIN = 4.0
"""Seconds for the carrier to close the socket after our end."""
STOP_WITHIN = 3.0
"""Seconds for the last report when the process stops."""
OVERDUE = timedelta(seconds=1)
"""So much later than the conversation itself gives the model up, its request is dropped in any case."""
WATCH_EVERY = 0.3
"""Seconds between two looks at what is paused."""
_RESTART = 1012
"""The code with which our own server closes its sockets when it stops: the call goes on in another process."""
_MOST_WAITING = 5000
"""Frames of one call that may wait; a carrier that sends more is not listened to."""
_EARLY = 200
"""Answers of machine detection that are kept for calls whose socket is not there yet."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame as it came over ``socket``; ``clock`` is the monotonic time."""

    socket: WebSocket
    text: str
    at: datetime
    clock: float


@dataclass(frozen=True, slots=True)
class _Lost:
    """The socket is gone; ``broken`` unless the other side hung up."""

    broken: bool


_live: dict[tuple[str, str], Session] = {}
_watched: dict[tuple[Client, str], set[Session]] = {}
"""Who is to hear when an audience is paused ..."""
_watchers: dict[tuple[Client, str], asyncio.Task[None]] = {}
"""... and what looks at it for them."""
_early: OrderedDict[tuple[str, str], str] = OrderedDict()


def answered_by(lead: str, attempt: str, who: str) -> bool:
    """The carrier's machine detection on a call. True when the call is live here; else the answer is kept for it."""
    session = _live.get((lead, attempt))
    if session is None:
        _early[(lead, attempt)] = who
        while len(_early) > _EARLY:
            _early.popitem(last=False)
        return False
    session.put(signals.AnsweredBy(_now(), who))
    return True


def live_calls() -> int:
    """How many calls this process holds."""
    return len(_live)


def session_of(client: Client, setup: Setup, lead: str, attempt: str, codec: Codec) -> Session:
    """The session of this call: the one that lives here, or a new one that speaks through ``codec``. Another call
    under the same attempt never joins, or takes the place of, the one that lives."""
    known = _live.get((lead, attempt))
    if known is not None and known.setup.call == setup.call:
        return known
    made = Session(client, setup, lead, attempt, codec)
    if known is None:
        _live[(lead, attempt)] = made
    return made


def _now() -> datetime:
    return datetime.now(UTC)


class Session:
    """One call. Only :meth:`_run` touches the conversation and its codec, and writes to the socket."""

    __slots__ = (
        "_brief", "_codec", "_commits", "_conversation", "_deaf_until", "_decided_at", "_final_at", "_inbox", "_joined", "_received",
        "_reports", "_running", "_socket", "_tasks", "_thinking", "attempt", "client", "lead", "setup",
    )  # fmt: skip

    def __init__(self, client: Client, setup: Setup, lead: str, attempt: str, codec: Codec) -> None:
        self.client, self.setup, self.lead, self.attempt = client, setup, lead, attempt
        self._codec = codec
        self._inbox: Inbox[signals.Input | _Frame | _Lost] = Inbox()
        self._received = Received()
        self._socket: WebSocket | None = None
        self._joined: asyncio.Event | None = None
        """While the socket is away: that there is another."""
        self._conversation: Conversation | None = None
        self._brief: Brief | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._commits: set[asyncio.Task[None]] = set()
        """Those of them that no hang-up may cancel."""
        self._thinking: asyncio.Task[None] | None = None
        self._deaf_until: datetime | None = None
        """What came in before this is no answer to anything that we said: see :meth:`_is_new`."""
        self._final_at = self._decided_at = 0.0
        self._reports = calls.Reports(client, lead, attempt)
        self._running: asyncio.Task[None] | None = None

    # ---- from outside -------------------------------------------------------------------------------------------

    def put(self, event: signals.Input | _Frame | _Lost) -> None:
        """Into the one inbox, in order of arrival."""
        self._inbox.put(event)

    async def serve(self, socket: WebSocket, setup: Setup) -> None:
        """Hold the call over ``socket`` until either ends."""
        again = self._running is not None
        previous, self._socket, self.setup = self._socket, socket, setup
        if previous is not None and previous is not socket:
            await close(previous)
        if self._joined is not None:
            self._joined.set()
        if self._running is None:
            self._running = asyncio.create_task(self._life())
        elif again:
            self._received.again(_now())
            self.put(signals.Rejoined(_now()))
        reading = asyncio.create_task(self._read(socket))
        await asyncio.wait({reading, self._running}, return_when=asyncio.FIRST_COMPLETED)
        if self._running.done():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reading, CLOSE_WITHIN)
        reading.cancel()
        await close(socket)

    async def _read(self, socket: WebSocket) -> None:
        """Put what comes over ``socket`` into the inbox, until it is gone."""
        broken = True
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # closed by us
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    code = message.get("code")
                    if code == _RESTART and self._running is not None:
                        self._running.cancel()
                    broken = code not in (1000, 1001)
                    break
                text = message.get("text")
                if not isinstance(text, str):
                    metrics.ignored_frame("binary")
                elif len(self._inbox) > _MOST_WAITING:
                    metrics.ignored_frame("too_many")
                else:
                    self.put(_Frame(socket, text, _now(), time.monotonic()))
        if socket is self._socket:
            self._socket = None
            self._joined = asyncio.Event()
            self.put(_Lost(broken))

    # ---- the single writer --------------------------------------------------------------------------------------

    async def _life(self) -> None:
        try:
            await self._run()
        except asyncio.CancelledError:
            # This process stops and the call does not: only what was understood is handed on, not an end.
            self._hush()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_WITHIN):
                    await self._reports.flush()
            raise
        except Exception as error:
            # The error's text may quote the caller; its kind and place are enough.
            place = traceback.extract_tb(error.__traceback__)[-1]
            log.error("%s/%s: %s at %s:%s", self.lead, self.attempt, type(error).__name__, place.filename, place.lineno)
            await self._write(signals.End("fault"))
        finally:
            self._inbox.close()
            if _live.get((self.lead, self.attempt)) is self:
                del _live[(self.lead, self.attempt)]
        if self._conversation is not None and self._brief is not None:
            await self._close_books(self._conversation, self._brief)

    async def _run(self) -> None:
        brief = await calls.connect(self.client, self.setup, self.lead, self.attempt)
        if brief is None:
            await self._apologise()
            return
        self._brief = brief
        self._conversation = talk = Conversation(playbook_of(brief.playbook))
        await self._carry_out(talk.receive(signals.Begin(_now(), brief)))
        self._deaf_until = _now() if brief.resumed else None
        if (who := _early.pop((self.lead, self.attempt), None)) is not None:
            self.put(signals.AnsweredBy(_now(), who))
        with _watching(self, talk.playbook.audience) if not self.setup.inbound else contextlib.nullcontext():
            while not talk.over:
                wake = None if self._inbox else talk.wake_at
                arrived = await self._inbox.next(wake)
                if arrived is None:
                    assert wake is not None
                    await self._carry_out(talk.receive(signals.Tick(wake)))
                elif isinstance(arrived, _Frame):
                    await self._take(talk, arrived)
                elif isinstance(arrived, _Lost):
                    await self._outlive(talk, arrived)
                else:
                    self._note(arrived)
                    await self._carry_out(talk.receive(arrived))

    async def _take(self, talk: Conversation, frame: _Frame) -> None:
        """One frame, through the codec, into the conversation."""
        if frame.socket is not self._socket:
            metrics.ignored_frame("stale")
            return
        repeats = self._received.note(frame.text, frame.at)
        for found in self._codec.read(frame.text, frame.at):
            if isinstance(found, Reply):
                await self._send(found.frame)
            elif isinstance(found, Ignored):
                metrics.ignored_frame(found.kind)
            elif isinstance(found, Setup):
                metrics.ignored_frame("misplaced")
            elif repeats or not self._is_new(found):
                metrics.ignored_frame("repeated")
            elif not talk.over:
                if isinstance(found, signals.Heard) and found.final:
                    self._final_at, self._decided_at = frame.clock, 0.0
                await self._carry_out(talk.receive(found))
                if isinstance(found, signals.Interrupted):
                    metrics.turn_stage("stopped", time.monotonic() - frame.clock)

    def _is_new(self, event: signals.Input) -> bool:
        """Whether the conversation is to hear this. A gateway that took the call over from one that died has asked
        anew: what the carrier had kept for it until then may be answered already, and is no answer to that. Only a
        "stop" always counts."""
        if self._deaf_until is None or event.at > self._deaf_until:
            return True
        return isinstance(event, signals.Heard) and event.final and is_opt_out(event.text, spoken=True)

    async def _outlive(self, talk: Conversation, lost: _Lost) -> None:
        """Wait for the call's next socket; it is over when there is none to come."""
        joined = self._joined
        assert joined is not None
        if lost.broken:
            await self._carry_out(talk.receive(signals.Lost(_now())))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(joined.wait(), REJOIN_WITHIN)
        if not joined.is_set():
            await self._carry_out(talk.receive(signals.HungUp(_now(), broken=lost.broken)))

    def _note(self, event: signals.Input) -> None:
        if isinstance(event, signals.Decided) and self._final_at:
            self._decided_at = time.monotonic()
            metrics.turn_stage("decided", self._decided_at - self._final_at)

    async def _carry_out(self, outputs: list[signals.Output]) -> None:
        for output in outputs:
            if isinstance(output, signals.Ask):
                self._think(output)
            elif isinstance(output, signals.Hush):
                self._hush()
            elif isinstance(output, signals.Perform):
                self._commits.add(self._spawn(self._perform(output)))
            elif isinstance(output, signals.KeepOptOut):
                self._commits.add(self._spawn(self._keep_opt_out(output.words)))
            elif isinstance(output, signals.Tell):
                self._reports.add(output.learned)
            else:
                await self._write(output)

    async def _write(self, output: signals.Output) -> None:
        for frame in self._codec.write(output):
            await self._send(frame)
        if isinstance(output, signals.Speak) and output.text and self._final_at:
            now = time.monotonic()
            metrics.turn(now - self._final_at)
            if self._decided_at:
                metrics.turn_stage("first_token", now - self._decided_at)
            self._final_at = self._decided_at = 0.0

    async def _send(self, frame: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
                await self._socket.send_text(frame)

    async def _apologise(self) -> None:
        """The lead could not be reached: no playbook is known, so only this is said."""
        await self._write(signals.Speak("We are sorry, we cannot talk right now. We will get back to you. Goodbye."))
        await asyncio.sleep(2.0)
        await self._write(signals.End("unknown"))

    # ---- beside the inbox: each puts what it finds into it ------------------------------------------------------

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _think(self, ask: signals.Ask) -> None:
        self._hush()
        assert self._conversation is not None
        within = self._conversation.playbook.call.decide_within + OVERDUE
        self._thinking = self._spawn(openai.think(ask, self.put, _now, within))

    def _hush(self) -> None:
        if self._thinking is not None:
            self._thinking.cancel()
            self._thinking = None

    async def _perform(self, asked: signals.Perform) -> None:
        began = time.monotonic()
        answer = await calls.act(self.client, self.lead, self.attempt, asked, _now())
        metrics.turn_stage("performed", time.monotonic() - began)
        if answer is None:
            self.put(signals.NotPerformed(_now(), asked.id, "no answer"))
        else:
            self.put(signals.Performed(_now(), asked.id, answer))

    async def _keep_opt_out(self, words: str) -> None:
        """Durable before it is acknowledged, whatever becomes of the lead."""
        handles = gate.handles(self.lead, self._brief.person if self._brief else None)
        at = _now()
        for attempt in range(6):
            try:
                async with asyncio.timeout(3):
                    await gate.start_opt_out(self.client, handles, self.lead, "call", at, words[:300])
                self.put(signals.OptOutKept(_now()))
                return
            except (RPCError, TimeoutError, RuntimeError) as error:
                log.warning("%s: the opt-out is not durable yet: %s", self.lead, type(error).__name__)
                await asyncio.sleep(min(0.2 * 2**attempt, 2))
        log.error("%s: the opt-out could not be made durable; it is in the call's report", self.lead)

    async def _close_books(self, talk: Conversation, brief: Brief) -> None:
        """Wait for what is under way, then give the lead the last word on this call."""
        self._hush()
        keep = {task for task in self._commits if not task.done()}
        for task in self._tasks - keep:
            task.cancel()
        if keep:
            await asyncio.wait(keep, timeout=30)
        ended = talk.ended(_now())
        if brief.refusal:
            return
        await self._reports.end(ended)


@contextlib.contextmanager
def _watching(session: Session, audience: str) -> Iterator[None]:
    """While the block runs, tell ``session`` to end politely when an operator pauses its audience, or all calls of ours;
    who rings us is still served. All calls of one audience share one look at what is paused."""
    key = session.client, audience
    together = _watched.setdefault(key, set())
    together.add(session)
    if len(together) == 1:
        _watchers[key] = asyncio.create_task(_watch(*key))
    try:
        yield
    finally:
        together.discard(session)
        if not together:
            _watched.pop(key, None)
            _watchers.pop(key).cancel()


async def _watch(client: Client, audience: str) -> None:
    """Until nobody is left to be told."""
    while True:
        await asyncio.sleep(WATCH_EVERY)
        with contextlib.suppress(ApplicationError):
            if await gate.paused(client, audience, "call"):
                for session in _watched.get((client, audience), ()):
                    session.put(signals.Paused(_now()))


async def close(socket: WebSocket, code: int = 1000) -> None:
    """Close ``socket`` if it is open."""
    if socket.application_state != WebSocketState.DISCONNECTED:
        with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
            await socket.close(code)
