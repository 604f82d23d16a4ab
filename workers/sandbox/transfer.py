"""The carrier's ``<Dial><Number>``: a colleague's phone rings, they hear the whisper, and take the call with a key or not.

How each of them behaves stands in :attr:`.phones.PhoneBook.desk`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING, Literal
from urllib.parse import urljoin

from workflows.identity import phone_number

from .traffic import Call, new_sid

if TYPE_CHECKING:
    from .exchange import Exchange

Manner = Literal["takes", "silent", "busy", "machine"]
"""They take the call; let it ring; are on the phone; or their voicemail picks up, which presses no key."""
HELLO = "Hello, thanks for waiting. You are with a person now."


async def put_through(exchange: Exchange, call: Call, dial: ElementTree.Element) -> dict[str, str]:
    """Ring who is named, connect the two if they take it, until either is gone; the fields of the action callback."""
    number = dial.find("Number")
    to = phone_number("".join(number.itertext()).strip() if number is not None else (dial.text or "").strip())
    leg = Call(new_sid("CA"), to, dial.get("callerId") or call.from_, "outbound-dial", exchange.world.now(), status="ringing")
    manner = exchange.book.desk.get(to, "takes")
    if manner == "busy":
        return _outcome(leg, "busy")
    await _unless_over(call, float(dial.get("timeout", "30")) if manner == "silent" else exchange.pace.desk)
    if manner == "silent" or call.line.over.is_set():
        return _outcome(leg, "canceled" if call.line.over.is_set() else "no-answer")
    leg.status = "in-progress"
    if number is not None and number.get("url") and not await _takes(exchange, call, leg, str(number.get("url")), manner):
        return _outcome(leg, "completed")
    began = time.monotonic()
    call.line.played(HELLO)
    await _unless_over(call, exchange.pace.colleague)
    return _outcome(leg, "completed", max(round(time.monotonic() - began), 1))


async def _takes(exchange: Exchange, call: Call, leg: Call, url: str, manner: Manner) -> bool:
    """The colleague hears our document, and does what it asks for if they want the call; whether they are connected."""
    facts = {**exchange.facts(leg), "ParentCallSid": call.sid}
    reply = await exchange.post(leg, url, facts)
    if reply is None or reply.status >= 400:
        return False
    gather = ElementTree.fromstring(reply.text).find("Gather")
    if gather is None:
        return ElementTree.fromstring(reply.text).find("Hangup") is None
    if manner == "machine":
        await _unless_over(call, exchange.pace.desk)
        return False
    action = urljoin(url, gather.get("action", ""))
    pressed = await exchange.post(leg, action, {**facts, "Digits": "1"})
    return pressed is not None and pressed.status < 400 and ElementTree.fromstring(pressed.text).find("Hangup") is None


def _outcome(leg: Call, status: str, seconds: int = 0) -> dict[str, str]:
    bridged = {"DialBridged": "true" if seconds else "false"}
    return {"DialCallSid": leg.sid, "DialCallStatus": status, "DialCallDuration": str(seconds), **bridged}


async def _unless_over(call: Call, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(call.line.over.wait(), seconds)
