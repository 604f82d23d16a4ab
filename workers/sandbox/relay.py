"""Obeys TwiML, and is the carrier's end of a ConversationRelay websocket.

``follow`` runs a call's TwiML until the call is over. ``<Connect><ConversationRelay>`` opens a session: the frames,
their order and the action callback are those seen on the wire (setup, prompt, interrupt, dtmf, info, error; and text,
play, sendDigits, language, end). Two things the vendor leaves unsaid are decided against us, so that nothing here
works only by luck: ``end`` cuts off what is still being spoken, and speech over an uninterruptible utterance is lost.
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
from urllib.parse import urljoin

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidURI

from .line import Doing, Line
from .traffic import Call, new_sid
from .webhooks import signature

if TYPE_CHECKING:
    from .exchange import Exchange

UNREACHABLE = "We are sorry, an application error has occurred. Goodbye."
"""What a caller hears when our webhook gives no usable TwiML."""
_MOST_MALFORMED = 10


def words_of(twiml: str, tag: str) -> list[str]:
    """The texts of all ``tag`` elements; none when ``twiml`` is no XML."""
    try:
        return ["".join(node.itertext()).strip() for node in ElementTree.fromstring(twiml).iter(tag)]
    except ElementTree.ParseError:
        return []


async def follow(exchange: Exchange, call: Call) -> None:
    """Fetch the call's TwiML and obey it, and whatever replaces it, until the call is over."""
    twiml = call.twiml or await _fetch(exchange, call, call.url, {})
    while twiml is not None and not call.line.over.is_set():
        obeying = asyncio.ensure_future(_obey(exchange, call, twiml))
        redirected = asyncio.ensure_future(call.redirects.get())
        try:
            await asyncio.wait({obeying, redirected}, return_when=asyncio.FIRST_COMPLETED)
            twiml = redirected.result() if redirected.done() else obeying.result()
        finally:
            redirected.cancel()
            obeying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await obeying


async def _fetch(exchange: Exchange, call: Call, url: str, more: dict[str, str]) -> str | None:
    """The TwiML that our webhook answers; the caller hears an apology, and it is over, when there is none."""
    reply = await exchange.post(call, url, {**exchange.facts(call), **more}) if url else None
    if reply is None or reply.status >= 400:
        if not call.line.over.is_set():
            await _speak(exchange, call.line, UNREACHABLE)
        return None
    return reply.text


async def _obey(exchange: Exchange, call: Call, twiml: str) -> str | None:
    """Obey one document; the next one, or None when the call is over."""
    try:
        document = ElementTree.fromstring(twiml)
    except ElementTree.ParseError:
        await _speak(exchange, call.line, UNREACHABLE)
        return None
    for verb in document:
        if call.line.over.is_set():
            return None
        if verb.tag == "Say":
            await _speak(exchange, call.line, "".join(verb.itertext()).strip())
        elif verb.tag == "Play":
            await _speak(exchange, call.line, "(a recording)")
        elif verb.tag == "Pause":
            await _unless_over(call.line, float(verb.get("length", "1")))
        elif verb.tag in {"Hangup", "Reject"}:
            return None
        elif verb.tag == "Redirect":
            return await _fetch(exchange, call, urljoin(call.url, (verb.text or "").strip()), {})
        elif verb.tag == "Connect":
            noun = verb.find("ConversationRelay")
            if noun is None:
                await _speak(exchange, call.line, UNREACHABLE)
                return None
            outcome = await Session(exchange, call, noun).run()
            if action := verb.get("action"):
                return await _fetch(exchange, call, urljoin(call.url, action), outcome)
    return None


async def _unless_over(line: Line, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(line.over.wait(), seconds)


async def _speak(exchange: Exchange, line: Line, words: str) -> None:
    """Say ``words`` outside of a session; a hang-up cuts them off."""
    line.busy = True
    await _unless_over(line, exchange.pace.word * len(words.split()))
    line.busy = False
    if not line.over.is_set():
        line.played(words)


@dataclass
class _Piece:
    """A token of ours, waiting to be spoken."""

    text: str
    last: bool
    interruptible: str
    preemptible: bool
    begins: bool
    """It is the first token of its message."""


class Session:
    """One ConversationRelay session of one call."""

    def __init__(self, exchange: Exchange, call: Call, noun: ElementTree.Element) -> None:
        self._exchange, self._call, self._line, self._noun = exchange, call, call.line, noun
        self._sid = new_sid("VX")
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
        url = self._noun.get("url", "")
        pace, began = self._exchange.pace, time.monotonic()
        await asyncio.sleep(pace.connect)
        headers = {"X-Twilio-Signature": signature(self._exchange.world.account.token, url, {})}
        entry = self._exchange.world.log.arrived("twilio", "out", "WS", url, "", headers)
        try:
            socket = await connect(
                url, additional_headers=headers, open_timeout=5, ping_interval=None, compression=None, proxy=None
            )
        except (OSError, TimeoutError, InvalidHandshake, InvalidMessage, InvalidURI, ConnectionClosed) as error:
            self._exchange.world.log.answered(entry, 0, time.monotonic() - began, type(error).__name__)
            return self._outcome("failed", began, "64102", "Unable to connect to WebSocket URL")
        self._exchange.world.log.answered(entry, 101, time.monotonic() - began)
        try:
            return await self._hold(socket, began)
        finally:
            await socket.close(1000)
            self._line.busy = False

    async def _hold(self, socket: ClientConnection, began: float) -> dict[str, str]:
        with contextlib.suppress(ConnectionClosed):
            await self._send(socket, **self._setup())
        if greeting := self._noun.get("welcomeGreeting"):
            self._take(greeting, True, {})
        reading = asyncio.ensure_future(self._read(socket))
        playing = asyncio.ensure_future(self._play(socket))
        listening = asyncio.ensure_future(self._listen(socket))
        over = asyncio.ensure_future(self._line.over.wait())
        try:
            await asyncio.wait({reading, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (reading, playing, listening, over):
                task.cancel()
            gathered = await asyncio.gather(reading, playing, listening, return_exceptions=True)
            for outcome in gathered:
                if isinstance(outcome, Exception) and not isinstance(outcome, ConnectionClosed):
                    raise outcome
        self._silence()
        pace = self._exchange.pace
        if self._handoff is not None:
            await socket.close(1000)
            return self._outcome("ended", began) | ({"HandoffData": self._handoff} if self._handoff else {})
        if self._line.over.is_set():
            await socket.close(1000)
            await asyncio.sleep(pace.hung_up)
            return {**self._outcome("completed", began), "CallStatus": "completed"}
        await _unless_over(self._line, pace.dropped)
        return self._outcome("failed", began, "64105", "Websocket ended")

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

    def _outcome(self, status: str, began: float, code: str = "", message: str = "") -> dict[str, str]:
        form = {
            "SessionId": self._sid,
            "SessionStatus": status,
            "SessionDuration": str(round(time.monotonic() - began)),
        }
        return {**form, "ErrorCode": code, "ErrorMessage": message} if code else form

    async def _send(self, socket: ClientConnection, **frame: Any) -> None:
        await socket.send(json.dumps(frame))

    # -- what the product sends -----------------------------------------------------------------------------------

    async def _read(self, socket: ClientConnection) -> None:
        """Take frames until the session ends: the product's ``end``, its socket closing, or ten malformed frames."""
        async for raw in socket:
            try:
                frame = json.loads(raw)
                ended = self._accept(frame)
            except (ValueError, TypeError, KeyError, AttributeError):
                self._malformed += 1
                await self._send(socket, type="error", description=f"Invalid message received: {str(raw)[:120]}")
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
        elif kind == "end":
            self._handoff = str(frame.get("handoffData") or "")
            return True
        elif kind not in {"sendDigits", "language", "config", "hints"}:
            raise ValueError(kind)
        return False

    def _take(self, token: str, last: bool, frame: dict[str, Any]) -> None:
        default = self._noun.get("interruptible", "any")
        given = frame.get("interruptible", default)
        interruptible = {True: "any", False: "none"}.get(given, str(given))
        piece = _Piece(token, last, interruptible, bool(frame.get("preemptible", False)), self._next_begins)
        if piece.begins and ((self._now and self._now.preemptible) or any(p.preemptible for p in self._pieces)):
            self._pieces = deque(p for p in self._pieces if not p.preemptible)
            if self._now and self._now.preemptible:
                self._cut.set()
        self._next_begins = last
        self._pieces.append(piece)
        self._line.busy = True
        self._more.set()

    # -- speaking -------------------------------------------------------------------------------------------------

    async def _play(self, socket: ClientConnection) -> None:
        """Speak what was taken, token by token; tell when speaking starts and stops and what was heard."""
        pace = self._exchange.pace
        sounding = False
        while True:
            if not self._pieces:
                if sounding and not self._fragment:
                    sounding = False
                    await self._info(socket, "agentSpeaking", "off")
                self._line.busy = bool(self._fragment)
                self._more.clear()
                try:
                    # A message whose last token never comes is spoken all the same.
                    await asyncio.wait_for(self._more.wait(), 1.5 if self._fragment else None)
                except TimeoutError:
                    await self._finish(socket)
                continue
            piece = self._now = self._pieces.popleft()
            self._cut.clear()
            if piece.begins and self._fragment:
                await self._finish(socket)
            if not sounding:
                await asyncio.sleep(pace.first_sound)
                sounding, self._speaking_since = True, time.monotonic()
                await self._info(socket, "agentSpeaking", "on")
            spoken = await self._sound(piece.text)
            self._fragment += spoken
            if self._cut.is_set():
                await self._finish(socket, cut=True)
            elif piece.last:
                await self._finish(socket)
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

    async def _finish(self, socket: ClientConnection, cut: bool = False) -> None:
        heard, self._fragment = self._fragment, ""
        if heard.strip():
            if self._tells_played:
                await self._info(socket, "tokensPlayed", heard)
            self._line.played(heard.strip(), cut)
        if cut and self._barged:
            spoke = round((time.monotonic() - self._speaking_since) * 1000)
            await self._send(
                socket, type="interrupt", utteranceUntilInterrupt=heard, durationUntilInterruptMs=str(spoke)
            )
            self._barged.set()

    def _silence(self) -> None:
        """Nothing more is spoken; what was heard until here stays in the transcript."""
        self._pieces.clear()
        if self._fragment.strip():
            self._line.played(self._fragment.strip(), cut=True)
        self._fragment = ""

    async def _info(self, socket: ClientConnection, name: str, value: str) -> None:
        if self._tells_played if name == "tokensPlayed" else self._tells_speaking:
            await self._send(socket, type="info", name=name, value=value)

    # -- listening ------------------------------------------------------------------------------------------------

    async def _listen(self, socket: ClientConnection) -> None:
        """Hand on what the far end says and presses."""
        while True:
            doing = await self._line.doings.get()
            if doing.digit:
                await self._send(socket, type="dtmf", digit=doing.digit)
            else:
                await self._spoken(socket, doing)

    async def _spoken(self, socket: ClientConnection, doing: Doing) -> None:
        await self._info(socket, "clientSpeaking", "on")
        if self._line.busy and self._speaking_since and not await self._barge_in():
            return
        if self._noun.get("partialPrompts") == "true":
            words = doing.words.split()
            for count in range(3, len(words), 3):
                await asyncio.sleep(self._exchange.pace.word * 3)
                partial = " ".join(words[:count])
                await self._send(socket, type="prompt", voicePrompt=partial, lang=self._language, last=False)
        self._line.spoken(doing.words)
        await self._info(socket, "clientSpeaking", "off")
        await asyncio.sleep(self._exchange.pace.recognise)
        await self._send(socket, type="prompt", voicePrompt=doing.words, lang=self._language, last=True)

    async def _barge_in(self) -> bool:
        """Stop speaking because the far end spoke; whether what they say is listened to."""
        speaking = self._now or (self._pieces[0] if self._pieces else None)
        if speaking is None:
            return True
        if speaking.interruptible not in {"any", "speech"}:
            return self._noun.get("reportInputDuringAgentSpeech", "none") in {"any", "speech"}
        self._pieces.clear()
        self._next_begins = True
        if self._now is not None:
            told = self._barged = asyncio.Event()
            self._cut.set()
            await told.wait()  # the player stops within one word, and tells what was heard of it
            self._barged = None
        return True

    @property
    def _language(self) -> str:
        return self._noun.get("transcriptionLanguage") or self._noun.get("language") or "en-US"
