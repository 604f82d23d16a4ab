"""Obeys TwiML: ``follow`` runs a call's documents until the call is over.

``<Connect><ConversationRelay>`` holds a :class:`~.session.Session`; its action callback says how that ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from .line import Line
from .session import Session
from .traffic import Call
from .transfer import put_through

if TYPE_CHECKING:
    from .exchange import Exchange

UNREACHABLE = "We are sorry, an application error has occurred. Goodbye."
"""What a caller hears when our webhook gives no usable TwiML."""


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
        elif verb.tag == "Dial":
            told = await put_through(exchange, call, verb)
            if action := verb.get("action"):
                return await _fetch(exchange, call, urljoin(call.url, action), told)
        elif verb.tag == "Connect":
            noun = verb.find("ConversationRelay")
            if noun is None:
                await _speak(exchange, call.line, UNREACHABLE)
                return None
            outcome = await Session(exchange, call, noun).run()
            if call.status == "ringing":  # a call to us: its session begins as it is answered
                exchange.move(call, "in-progress")
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
