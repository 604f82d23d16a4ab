"""The telephone exchange behind the carrier's API: calls and texts, their lives, and what is told of them.

A call lives in a task of its own: queued, dialled, ringing, answered, over. Whoever is at the far end is found in
the phone book (:mod:`.phones`) and reached only as a carrier reaches them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .relay import follow, words_of
from .traffic import (
    FINAL,
    START_WORDS,
    STOP_WORDS,
    Call,
    Pace,
    Pickup,
    Refused,
    Text,
    new_sid,
    note_event,
    rfc2822,
    segments,
)
from .webhooks import Reply, Webhooks

if TYPE_CHECKING:
    from .app import World
    from .phones import PhoneBook

_LONGEST_GREETING = 30.0
"""Seconds after which machine detection gives up."""


class Exchange:
    """The account's calls and texts."""

    def __init__(self, world: World, book: PhoneBook) -> None:
        self.world = world
        self.book = book
        self.webhooks = Webhooks(world)
        self.pace = Pace()
        self.calls_per_second = 0.0
        """0: unlimited. Twilio's default is 1; calls above it wait in state queued."""
        self.calls: dict[str, Call] = {}
        self.texts: dict[str, Text] = {}
        self.blocked: set[tuple[str, str]] = set()
        """(our number, theirs): opted out by keyword."""
        self._next_dial = 0.0

    # -- calls ----------------------------------------------------------------------------------------------------

    def dial(self, call: Call) -> None:
        """Accept an outbound call: it is queued, then dialled."""
        call.updated = call.created
        self.calls[call.sid] = call
        self.world.spawn(self._outbound(call))

    def ring_us(self, number: str) -> Call:
        """Somebody at ``number`` calls our number."""
        now = self.world.now()
        ours = self.world.account
        call = Call(
            new_sid("CA"),
            ours.number,
            number,
            "inbound",
            now,
            ours.voice_url,
            callback=ours.status_url,
            status="ringing",
            updated=now,
            started=now,
        )
        self.calls[call.sid] = call
        self.world.spawn(self._inbound(call))
        return call

    def live_with(self, number: str) -> Call | None:
        """The call that ``number`` is on, ringing or talking."""
        return next(
            (c for c in self.calls.values() if c.far == number and c.status in {"ringing", "in-progress"}), None
        )

    async def _turn(self, call: Call) -> None:
        """Wait until the account's rate allows this dial."""
        if not self.calls_per_second:
            return
        now = time.monotonic()
        mine = max(now, self._next_dial)
        self._next_dial = mine + 1 / self.calls_per_second
        await _first(call.line.over.wait(), asyncio.sleep(mine - now))

    async def _outbound(self, call: Call) -> None:
        await self._turn(call)
        if call.line.over.is_set():
            await self._end(call, "canceled")
            return
        call.started = self.world.now()
        await self._tell(call, "initiated", "initiated")
        if self.live_with(call.to):
            await self._end(call, "busy")
            return
        self.move(call, "ringing")
        await self._tell(call, "ringing", "ringing")
        ringing = asyncio.ensure_future(self.book.ring(call))
        try:
            await _first(ringing, call.line.over.wait(), asyncio.sleep(call.ring))
            if call.line.over.is_set():
                await self._end(call, "canceled")
                return
            pickup = ringing.result() if ringing.done() else None
            if pickup is None:
                await self._end(call, "no-answer")
                return
            if pickup.kind in {"busy", "failed"}:
                await self._end(call, pickup.kind)
                return
        finally:
            ringing.cancel()
            self.book.stopped(call)
        call.answered = self.world.now()
        self.move(call, "in-progress")
        talking = asyncio.ensure_future(pickup.converse(call.line))
        try:
            await self._tell(call, "answered", "in-progress")
            if call.detect and call.async_amd:
                self.world.spawn(self._tell_who(call, pickup))
            elif call.detect:
                await self._detect(call, pickup)
            await self._connected(call)
        finally:
            talking.cancel()

    async def _inbound(self, call: Call) -> None:
        person = self.book.caller(call)
        call.answered = self.world.now()
        talking = asyncio.ensure_future(person.converse(call.line))
        try:
            await self._connected(call)
        finally:
            talking.cancel()

    async def _connected(self, call: Call) -> None:
        """Run the call's TwiML until it is over, then tell."""
        self.world.spawn(self._limit(call))
        await follow(self, call)
        call.line.hang_up("product")
        await self._end(call, "completed")

    async def _limit(self, call: Call) -> None:
        await _first(call.line.over.wait(), asyncio.sleep(call.longest))
        call.line.hang_up("limit")

    async def _detect(self, call: Call, pickup: Pickup) -> None:
        """Listen to who answers. A machine is known by its greeting's beginning, or, where its end is asked for, by the
        tone that follows it."""
        await _first(call.line.over.wait(), asyncio.sleep(self.pace.detect))
        verdict = pickup.taken_for or {"human": "human", "fax": "fax"}.get(pickup.kind, "machine_start")
        if verdict == "machine_start" and call.detect == "DetectMessageEnd":
            await _first(call.line.over.wait(), call.line.toned.wait(), asyncio.sleep(_LONGEST_GREETING))
            verdict = "machine_end_beep" if call.line.toned.is_set() else "unknown"
        call.answered_by = verdict

    async def _tell_who(self, call: Call, pickup: Pickup) -> None:
        began = time.monotonic()
        await self._detect(call, pickup)
        if call.line.over.is_set() or not call.amd_callback:
            return
        form = {
            "AccountSid": self.world.account.sid,
            "CallSid": call.sid,
            "AnsweredBy": call.answered_by,
            "MachineDetectionDuration": str(round((time.monotonic() - began) * 1000)),
        }
        await self.post(call, call.amd_callback, form)

    def move(self, call: Call, status: str) -> None:
        call.status = status
        call.updated = self.world.now()

    async def _end(self, call: Call, status: str) -> None:
        call.ended = self.world.now()
        self.move(call, status)
        call.line.hang_up("product")
        await self._tell(call, "completed", status)

    async def _tell(self, call: Call, event: str, status: str) -> None:
        """Post the status callback of ``event`` if it was asked for. The call does not wait for our answer."""
        sequence = call.sequence
        call.sequence += 1
        if not call.callback or event not in call.events:
            return
        form = {
            **self.facts(call),
            "CallStatus": status,
            "Timestamp": rfc2822(self.world.now()) or "",
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(sequence),
        }
        if status in FINAL and call.answered:
            form |= {
                "CallDuration": str(call.seconds),
                "Duration": str(-(-call.seconds // 60)),
                "SipResponseCode": "200",
            }
        elif status in FINAL:
            form |= {"CallDuration": "0", "Duration": "0"}
        self.world.spawn(self.post(call, call.callback, form))

    async def post(self, call: Call, url: str, form: Mapping[str, str]) -> Reply | None:
        """A webhook about ``call``, noted among its events."""
        began, at = time.perf_counter(), self.world.now()
        reply = await self.webhooks.post(url, form)
        request = {"method": "POST", "url": url.partition("#")[0], "parameters": dict(form)}
        note_event(call, request, reply.status if reply else 0, time.perf_counter() - began, at)
        return reply

    def facts(self, call: Call) -> dict[str, str]:
        """The fields that every voice webhook of ``call`` carries."""
        form = {
            "AccountSid": self.world.account.sid,
            "ApiVersion": "2010-04-01",
            "CallSid": call.sid,
            "CallStatus": call.status,
            "Called": call.to,
            "Caller": call.from_,
            "Direction": call.direction,
            "From": call.from_,
            "To": call.to,
        }
        # With asynchronous detection only its own callback says who answered.
        return {**form, "AnsweredBy": call.answered_by} if call.answered_by and not call.async_amd else form

    # -- texts ----------------------------------------------------------------------------------------------------

    def send(self, to: str, body: str, callback: str = "", validity: int = 36_000) -> Text:
        """Accept a text to ``to``. Raises :class:`Refused` 21610 when they opted out by keyword."""
        ours = self.world.account.number
        if (ours, to) in self.blocked:
            raise Refused(400, 21610, "Attempt to send to unsubscribed recipient")
        now = self.world.now()
        text = Text(new_sid("SM"), to, ours, body, "outbound-api", now, now, "queued", callback, validity=validity)
        self.texts[text.sid] = text
        self.world.spawn(self._deliver(text))
        return text

    async def _deliver(self, text: Text) -> None:
        await asyncio.sleep(self.pace.deliver / 2)
        text.sent = self.world.now()
        await self._text_status(text, "sent")
        await asyncio.sleep(self.pace.deliver / 2)
        if self.book.reachable(text.to):
            await self._text_status(text, "delivered")
            self.book.received(text)
        else:
            text.error = 30003
            await self._text_status(text, "undelivered")

    async def _text_status(self, text: Text, status: str) -> None:
        text.status = status
        text.updated = self.world.now()
        if not text.callback:
            return
        form = {
            "AccountSid": self.world.account.sid,
            "ApiVersion": "2010-04-01",
            "From": text.from_,
            "MessageSid": text.sid,
            "MessageStatus": status,
            "SmsSid": text.sid,
            "SmsStatus": status,
            "To": text.to,
        }
        if text.error:
            form["ErrorCode"] = str(text.error)
        self.world.spawn(self.webhooks.post(text.callback, form))

    async def text_us(self, number: str, body: str) -> Text:
        """Somebody at ``number`` texts our number. Keywords do what Twilio's default handling does, and the message
        still reaches our webhook."""
        ours, now = self.world.account, self.world.now()
        text = Text(new_sid("SM"), ours.number, number, body, "inbound", now, now, "received")
        self.texts[text.sid] = text
        word = body.strip().lower()
        if word in STOP_WORDS:
            self.blocked.add((ours.number, number))
            self._automatic(number, "You have successfully been unsubscribed. Reply START to resubscribe.")
        elif word in START_WORDS and (ours.number, number) in self.blocked:
            self.blocked.discard((ours.number, number))
            self._automatic(number, "You have successfully been re-subscribed to messages from this number.")
        form = {
            "AccountSid": ours.sid,
            "ApiVersion": "2010-04-01",
            "Body": body,
            "From": number,
            "MessageSid": text.sid,
            "NumMedia": "0",
            "NumSegments": str(segments(body)),
            "SmsMessageSid": text.sid,
            "SmsSid": text.sid,
            "SmsStatus": "received",
            "To": ours.number,
        }
        if word in STOP_WORDS | START_WORDS:
            form["OptOutType"] = "STOP" if word in STOP_WORDS else "START"
        reply = await self.webhooks.post(ours.message_url, form) if ours.message_url else None
        if reply and reply.status == 200:
            self._answer(number, reply.text)
        return text

    def _automatic(self, number: str, body: str) -> None:
        now = self.world.now()
        text = Text(
            new_sid("SM"), number, self.world.account.number, body, "outbound-reply", now, now, "delivered", sent=now
        )
        self.texts[text.sid] = text

    def _answer(self, number: str, twiml: str) -> None:
        """Send the ``<Message>`` elements of a messaging webhook's answer."""
        for body in words_of(twiml, "Message"):
            if (self.world.account.number, number) not in self.blocked:
                self._automatic(number, body)

    def state(self, number: str = "") -> Mapping[str, object]:
        """Calls and texts for the pages, newest first; those of ``number`` only, if given."""
        calls = [c for c in self.calls.values() if number in ("", c.far)]
        texts = [t for t in self.texts.values() if number in ("", t.to, t.from_)]
        return {
            "calls": [
                {
                    "sid": c.sid,
                    "number": c.far,
                    "direction": c.direction,
                    "status": c.status,
                    "at": c.created.isoformat(),
                    "seconds": c.seconds,
                    "answered_by": c.answered_by,
                    "busy": c.line.busy,
                    "says": [{"us": s.us, "text": s.text, "cut": s.cut, "at": s.at} for s in c.line.transcript],
                }
                for c in reversed(calls)
            ],
            "texts": [
                {
                    "sid": t.sid,
                    "number": t.from_ if t.direction == "inbound" else t.to,
                    "us": t.direction != "inbound",
                    "body": t.body,
                    "status": t.status,
                    "at": t.created.isoformat(),
                }
                for t in reversed(texts)
            ],
        }


async def _first(*work: object) -> None:
    """Wait until the first of ``work`` is done. Coroutines among them are cancelled then; futures are left."""
    tasks = [asyncio.ensure_future(w) for w in work]  # type: ignore[call-overload]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task, given in zip(tasks, work, strict=True):
            if task is not given:
                task.cancel()
