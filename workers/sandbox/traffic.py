"""What passes through the exchange: calls and texts as the carrier knows them, and the pace of the imitated world."""

from __future__ import annotations

import asyncio
import email.utils
import secrets
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from .line import Line

FINAL = {"completed", "busy", "no-answer", "failed", "canceled"}
STOP_WORDS = {"stop", "stopall", "unsubscribe", "cancel", "end", "quit"}
"""Twilio's default opt-out keywords: a message that is one of them and nothing else."""
START_WORDS = {"start", "yes", "unstop"}


def rfc2822(at: datetime | None) -> str | None:
    """As the API writes times: ``Tue, 31 Aug 2010 20:36:28 +0000``."""
    return email.utils.format_datetime(at.astimezone(UTC)) if at else None


def new_sid(prefix: str) -> str:
    return prefix + secrets.token_hex(16)


@dataclass
class Pace:
    """How fast the imitated world goes, in seconds. Speech is far quicker than real so that a demo is short."""

    word: float = 0.025
    """To speak one word."""
    first_sound: float = 0.12
    """From our first token to sound (seen on the wire: 0.32-0.43)."""
    partial: float = 0.25
    """Between two partial transcripts (0.2-0.3)."""
    recognise: float = 0.35
    """From the end of speech, and the last partial transcript, to the final one (0.35-0.55)."""
    connect: float = 0.15
    """From the answered call's TwiML to ``setup`` (0.4-0.9)."""
    dropped: float = 1.2
    """From a lost websocket to the action callback."""
    hung_up: float = 0.3
    """From the far end hanging up to the action callback (0.5-0.8)."""
    detect: float = 0.5
    """From the answer to the verdict of machine detection."""
    desk: float = 0.4
    """Until a colleague picks up a call that is put through to them."""
    colleague: float = 1.5
    """How long they talk."""
    deliver: float = 0.15
    """From an accepted text to its delivery."""


@dataclass
class Call:
    """One call as the carrier knows it. Times are UTC."""

    sid: str
    to: str
    from_: str
    direction: str
    created: datetime
    url: str = ""
    twiml: str = ""
    callback: str = ""
    events: tuple[str, ...] = ("completed",)
    ring: float = 60
    longest: float = 14_400
    detect: str = ""
    """How answering machines are detected: ``Enable``, ``DetectMessageEnd`` (after the greeting), or not."""
    async_amd: bool = False
    amd_callback: str = ""
    status: str = "queued"
    updated: datetime | None = None
    started: datetime | None = None
    answered: datetime | None = None
    ended: datetime | None = None
    answered_by: str = ""
    sequence: int = 0
    line: Line = field(default_factory=Line)
    requests: list[dict[str, Any]] = field(default_factory=list)
    """What was asked about this call, by us of the carrier and by the carrier of us: its Events."""
    redirects: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    @property
    def far(self) -> str:
        """The number at the other end, seen from us."""
        return self.from_ if self.direction == "inbound" else self.to

    @property
    def seconds(self) -> int:
        """Whole seconds from answer to end, at least one, as carriers count; 0 if never answered."""
        if not self.answered or not self.ended:
            return 0
        return max(round((self.ended - self.answered).total_seconds()), 1)


def note_event(call: Call, request: Mapping[str, Any], status: int, seconds: float, at: datetime) -> None:
    """Keep a request about ``call`` in the shape of the Events resource."""
    response = {
        "response_code": status,
        "request_duration": round(seconds * 1000),
        "content_type": "application/json",
        "response_body": "",
        "date_created": rfc2822(at),
    }
    call.requests.append({"request": dict(request), "response": response})


@dataclass(frozen=True)
class Pickup:
    """What became of the ringing: a ``human``, a ``machine`` or a ``fax`` answers and then holds the line, or it is
    ``busy`` or ``failed``. ``taken_for``: what machine detection says instead of the truth."""

    kind: Literal["human", "machine", "fax", "busy", "failed"]
    converse: Callable[[Line], Coroutine[Any, Any, None]]
    taken_for: str = ""


async def nobody(line: Line) -> None:
    """Who holds the line of a call that was not answered."""


@dataclass
class Text:
    """One text message."""

    sid: str
    to: str
    from_: str
    body: str
    direction: str
    created: datetime
    updated: datetime
    status: str
    callback: str = ""
    sent: datetime | None = None
    error: int | None = None
    validity: int = 36_000


def segments(body: str) -> int:
    """How many message parts ``body`` takes: 160 or 153 characters each in the GSM alphabet (roughly Latin-1 without
    most accents), 70 or 67 outside of it."""
    plain = all(c.isascii() or c in "£¥èéùìòÇØøÅåÆæßÉÄÖÑÜ§äöñüà€" for c in body)
    single, part = (160, 153) if plain else (70, 67)
    return 1 if len(body) <= single else -(-len(body) // part)


class Refused(Exception):
    """The API says no, in its own codes."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
