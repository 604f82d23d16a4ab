"""The carrier's end of a ConversationRelay websocket.

The frames, their order and the action callback are those seen on the wire (setup, prompt, interrupt, dtmf, info, error;
and text, play, sendDigits, language, end). What the vendor leaves unsaid is decided against us, so that nothing works
only by luck: ``end`` cuts off what is still being spoken; speech over an uninterruptible utterance is lost unless it is
asked for; every sound interrupts, also a cough; and after a lost socket the session goes on under its own id, with the
last events that were sent coming once more before those that were kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import xml.etree.ElementTree as ElementTree
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidURI

from workflows.reading import is_backchannel

from .line import Doing
from .traffic import Call, new_sid
from .webhooks import signature
from .wirelog import Entry

if TYPE_CHECKING:
    from .exchange import Exchange

_MOST_MALFORMED = 10
_KEPT = 500
"""Events that wait for a lost socket to come back: https://www.twilio.com/en-us/changelog, 2026-10-28."""
_IN_FLIGHT = 3
"""Events sent last before a loss: nobody knows whether they arrived, so they come again."""
_RECONNECTS = 2
"""How often a lost socket is tried for before the session has failed."""
_UNREACHABLE = (OSError, TimeoutError, InvalidHandshake, InvalidMessage, InvalidURI, ConnectionClosed)


@dataclass
class _Piece:
    """A token of ours, or keys, waiting for their turn on the line."""

    text: str
    last: bool
    interruptible: str
    preemptible: bool
    begins: bool
    """It is the first token of its message."""
    digits: str = ""


class Session:
    """One ConversationRelay session of one call, over one socket after another."""

    def __init__(self, exchange: Exchange, call: Call, noun: ElementTree.Element) -> None:
        self._exchange, self._call, self._line, self._noun = exchange, call, call.line, noun
        self._sid = new_sid("VX")
        self._socket: ClientConnection | None = None
        self._sent: deque[str] = deque(maxlen=_IN_FLIGHT)
        self._unsent: deque[str] = deque(maxlen=_KEPT)
        self._pieces: deque[_Piece] = deque()
        self._more = asyncio.Event()
        self._next_begins = True
        self._now: _Piece | None = None
        """What is being spoken."""
        self._fragment = ""
        self._speaking_since = 0.0
        self._cut = asyncio.Event()
        self._barged: asyncio.Event | None = None
        """Set, and then forgotten, when the product was told that the far end spoke over it."""
        self._malformed = 0
        self._handoff: str | None = None
        events = noun.get("events", "").split()
        self._tells_speaking = "speaker-events" in events
        self._tells_played = "tokens-played" in events

    async def run(self) -> dict[str, str]:
        """Hold the session to its end; the fields of the action callback."""
        began = time.monotonic()
        await asyncio.sleep(self._exchange.pace.connect)
        if error := await self._connect():
            self._exchange.world.log.answered(error[0], 0, time.monotonic() - began, error[1])
            return self._outcome("failed", began, "64102", "Unable to connect to WebSocket URL")
        playing = asyncio.ensure_future(self._play())
        listening = asyncio.ensure_future(self._listen())
        if greeting := self._noun.get("welcomeGreeting"):
            self._take(greeting, True, {})
        try:
            while await self._hold() and await self._reconnect():
                pass
        finally:
            for task in (playing, listening):
                task.cancel()
            for outcome in await asyncio.gather(playing, listening, return_exceptions=True):
                if isinstance(outcome, Exception):
                    raise outcome
            self._silence()
            if self._socket is not None:
                await self._socket.close(1000)
            self._line.busy = False
        if self._handoff is not None:
            return self._outcome("ended", began) | ({"HandoffData": self._handoff} if self._handoff else {})
        if self._line.over.is_set():
            await asyncio.sleep(self._exchange.pace.hung_up)
            return {**self._outcome("completed", began), "CallStatus": "completed"}
        return self._outcome("failed", began, "64105", "Websocket ended")

    def _outcome(self, status: str, began: float, code: str = "", message: str = "") -> dict[str, str]:
        form = {
            "SessionId": self._sid,
            "SessionStatus": status,
            "SessionDuration": str(round(time.monotonic() - began)),
        }
        return {**form, "ErrorCode": code, "ErrorMessage": message} if code else form

    # -- the socket -----------------------------------------------------------------------------------------------

    async def _connect(self) -> tuple[Entry, str] | None:
        """Open the socket and send ``setup``; its entry in the log and the error when it cannot be opened."""
        url, log, began = self._noun.get("url", ""), self._exchange.world.log, time.monotonic()
        headers = {"X-Twilio-Signature": signature(self._exchange.world.account.token, url, {})}
        entry = log.arrived("twilio", "out", "WS", url, "", headers)
        try:
            socket = await connect(
                url, additional_headers=headers, open_timeout=5, ping_interval=None, compression=None, proxy=None
            )
        except _UNREACHABLE as error:
            return entry, type(error).__name__
        log.answered(entry, 101, time.monotonic() - began)
        with contextlib.suppress(ConnectionClosed):
            await socket.send(json.dumps(self._setup()))
        self._socket = socket
        return None

    async def _hold(self) -> bool:
        """Until the session or the socket ends; whether the session may go on over another socket."""
        assert self._socket is not None
        reading = asyncio.ensure_future(self._read(self._socket))
        over = asyncio.ensure_future(self._line.over.wait())
        lost = asyncio.ensure_future(self._line.lost.wait())
        try:
            await asyncio.wait({reading, over, lost}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (reading, over, lost):
                task.cancel()
            (found,) = await asyncio.gather(reading, return_exceptions=True)
        if isinstance(found, Exception) and not isinstance(found, ConnectionClosed):
            raise found
        if self._line.over.is_set() or self._handoff is not None:
            return False
        socket, self._socket = self._socket, None
        if self._line.lost.is_set():
            self._line.lost.clear()
            socket.transport.abort()
        await _unless(self._line.over, self._exchange.pace.dropped)
        return not self._line.over.is_set()

    async def _reconnect(self) -> bool:
        """Take the session up again where the TwiML wants that: what was on its way comes again, then what was kept.
        Whether it goes on."""
        if self._noun.get("applicationReconnect") != "true":
            return False
        for _ in range(_RECONNECTS):
            if await self._connect() is None:
                again, self._unsent = [*self._sent, *self._unsent], deque(maxlen=_KEPT)
                for text in again:
                    await self._put(text)
                return True
            await _unless(self._line.over, self._exchange.pace.dropped)
            if self._line.over.is_set():
                return False
        return False

    def _setup(self) -> dict[str, Any]:
        call = self._call
        return {
            "type": "setup",
            "sessionId": self._sid,
            "callSid": call.sid,
            "parentCallSid": "",
            "accountSid": self._exchange.world.account.sid,
            "from": call.from_,
            "to": call.to,
            "forwardedFrom": "",
            "callerName": "",
            "direction": call.direction,
            "callType": "PSTN",
            "callStatus": call.status.replace("-", "_").upper(),
            "customParameters": {
                node.get("name", ""): node.get("value", "") for node in self._noun.findall("Parameter")
            },
        }

    async def _send(self, **frame: Any) -> None:
        await self._put(json.dumps(frame))

    async def _put(self, text: str) -> None:
        if self._socket is None:
            self._unsent.append(text)
            return
        self._sent.append(text)
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(text)

    # -- what the product sends -----------------------------------------------------------------------------------

    async def _read(self, socket: ClientConnection) -> None:
        """Take frames until the session ends: the product's ``end``, its socket closing, or ten malformed frames."""
        async for raw in socket:
            try:
                frame = json.loads(raw)
                ended = self._accept(frame)
            except (ValueError, TypeError, KeyError, AttributeError):
                self._malformed += 1
                await self._send(type="error", description=f"Invalid message received: {str(raw)[:120]}")
                if self._malformed >= _MOST_MALFORMED:
                    await socket.close(1007)
                    return
                continue
            self._malformed = 0
            if ended:
                return

    def _accept(self, frame: dict[str, Any]) -> bool:
        """Act on one frame; whether it ended the session. Raises ValueError or KeyError when it is malformed."""
        kind = frame["type"]
        if kind == "text":
            token, last = frame["token"], frame.get("last", False)
            if not isinstance(token, str) or not isinstance(last, bool):
                raise ValueError("token is text, last is true or false")
            self._take(token, last, frame)
        elif kind == "play":
            self._take(f"(plays {frame['source']})", True, frame)
        elif kind == "sendDigits":
            self._take("", True, frame, digits=str(frame["digits"]))
        elif kind == "end":
            self._handoff = str(frame.get("handoffData") or "")
            return True
        elif kind not in {"language", "config", "hints"}:
            raise ValueError(kind)
        return False

    def _take(self, token: str, last: bool, frame: dict[str, Any], digits: str = "") -> None:
        default = self._noun.get("interruptible", "any")
        given = frame.get("interruptible", default)
        interruptible = {True: "any", False: "none"}.get(given, str(given))
        preemptible = bool(frame.get("preemptible", False))
        piece = _Piece(token, last, interruptible, preemptible, self._next_begins, digits)
        if piece.begins and ((self._now and self._now.preemptible) or any(p.preemptible for p in self._pieces)):
            self._pieces = deque(p for p in self._pieces if not p.preemptible)
            if self._now and self._now.preemptible:
                self._cut.set()
        self._next_begins = last
        self._pieces.append(piece)
        self._line.busy = True
        self._more.set()

    # -- speaking -------------------------------------------------------------------------------------------------

    async def _play(self) -> None:
        """Speak what was taken, token by token; tell when speaking starts and stops and what was heard."""
        pace = self._exchange.pace
        sounding = False
        while True:
            if not self._pieces:
                if sounding and not self._fragment:
                    sounding = False
                    await self._info("agentSpeaking", "off")
                self._line.busy = bool(self._fragment)
                self._more.clear()
                try:
                    # A message whose last token never comes is spoken all the same.
                    await asyncio.wait_for(self._more.wait(), 1.5 if self._fragment else None)
                except TimeoutError:
                    await self._finish()
                continue
            piece = self._now = self._pieces.popleft()
            self._cut.clear()
            if piece.begins and self._fragment:
                await self._finish()
            if piece.digits:
                self._line.pressed(piece.digits)
                self._now = None
                continue
            if not sounding:
                await asyncio.sleep(pace.first_sound)
                sounding, self._speaking_since = True, time.monotonic()
                await self._info("agentSpeaking", "on")
            spoken = await self._sound(piece.text)
            self._fragment += spoken
            if self._cut.is_set():
                await self._finish(cut=True)
            elif piece.last:
                await self._finish()
            self._now = None

    async def _sound(self, text: str) -> str:
        """Speak ``text`` at the pace of words; what was said of it when it was cut off."""
        parts = text.split(" ")
        for index in range(len(parts)):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._cut.wait(), self._exchange.pace.word if parts[index] else 0.001)
            if self._cut.is_set():
                return " ".join(parts[:index])
        return text

    async def _finish(self, cut: bool = False) -> None:
        heard, self._fragment = self._fragment, ""
        if heard.strip():
            if self._tells_played:
                await self._info("tokensPlayed", heard)
            self._line.played(heard.strip(), cut)
        if cut and self._barged:
            spoke = round((time.monotonic() - self._speaking_since) * 1000)
            await self._send(type="interrupt", utteranceUntilInterrupt=heard, durationUntilInterruptMs=spoke)
            self._barged.set()

    def _silence(self) -> None:
        """Nothing more is spoken; what was heard until here stays in the transcript."""
        self._pieces.clear()
        if self._fragment.strip():
            self._line.played(self._fragment.strip(), cut=True)
        self._fragment = ""

    async def _info(self, name: str, value: str) -> None:
        if self._tells_played if name == "tokensPlayed" else self._tells_speaking:
            await self._send(type="info", name=name, value=value)

    # -- listening ------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Hand on what the far end says and presses, and the sounds that it makes."""
        while True:
            doing = await self._line.doings.get()
            if doing.digit:
                await self._pressed(doing.digit)
            elif doing.how == "noise":
                await self._noise()
            else:
                await self._spoken(doing)

    async def _pressed(self, digit: str) -> None:
        if self._noun.get("dtmfDetection") == "true" and await self._barge_in("dtmf"):
            await self._send(type="dtmf", digit=digit)

    async def _noise(self) -> None:
        await self._info("clientSpeaking", "on")
        await self._barge_in("speech")
        await asyncio.sleep(self._exchange.pace.word * 4)
        await self._info("clientSpeaking", "off")

    async def _spoken(self, doing: Doing) -> None:
        if self._line.busy and self._noun.get("ignoreBackchannel") == "true" and is_backchannel(doing.words):
            self._line.spoken(doing.words)
            return
        await self._info("clientSpeaking", "on")
        if not await self._barge_in("speech"):
            return
        words = doing.words.split()
        if doing.how == "break_off":
            words = words[: -(-len(words) // 2)]
        await self._sounds(words)
        said = " ".join(words)
        self._line.spoken(said + (" -" if doing.how == "break_off" else ""))
        if doing.how == "break_off":
            if self._noun.get("partialPromptOnHangup") == "true":
                await self._prompt(said, last=False)
            self._line.hang_up()
            return
        await self._info("clientSpeaking", "off")
        if self._noun.get("partialPrompts") == "true":
            await self._prompt(said, last=False)
        await asyncio.sleep(self._exchange.pace.recognise)
        await self._prompt(said)

    async def _sounds(self, words: list[str]) -> None:
        """They speak; what was recognised so far is told from time to time."""
        pace = self._exchange.pace
        told = time.monotonic()
        for count in range(1, len(words)):
            await asyncio.sleep(pace.word)
            if self._noun.get("partialPrompts") == "true" and time.monotonic() - told >= pace.partial:
                told = time.monotonic()
                await self._prompt(" ".join(words[:count]), last=False)
        await asyncio.sleep(pace.word)

    async def _prompt(self, words: str, last: bool = True) -> None:
        language = self._noun.get("transcriptionLanguage") or self._noun.get("language") or "en-US"
        await self._send(type="prompt", voicePrompt=words, lang=language, last=last)

    async def _barge_in(self, by: str) -> bool:
        """Stop speaking because of the far end's ``speech`` or ``dtmf``; whether that is told of."""
        if not self._line.busy or not self._speaking_since:
            return True
        speaking = self._now or (self._pieces[0] if self._pieces else None)
        if speaking is None:
            return True
        if speaking.interruptible not in {"any", by}:
            return self._noun.get("reportInputDuringAgentSpeech", "none") in {"any", by}
        self._pieces.clear()
        self._next_begins = True
        if self._now is not None:
            told = self._barged = asyncio.Event()
            self._cut.set()
            await told.wait()  # the player stops within one word, and tells what was heard of it
            self._barged = None
        return True


async def _unless(event: asyncio.Event, seconds: float) -> None:
    """Wait ``seconds``, unless ``event`` comes first."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
