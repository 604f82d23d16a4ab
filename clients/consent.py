"""A stop, or its taking back, in a message that came in: durable before anybody acknowledges it, whatever becomes of the
lead."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Literal

from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities import entity, gate, handles
from activities.settings import Settings
from workflows import identity
from workflows.optout_workflow import OptIn
from workflows.reading import is_opt_in, is_opt_out
from workflows.wording import render
from workflows.words import plain

from .audiences import audience_of, newest

Said = Literal["", "stop", "start"]
Written = Literal["text", "email"]


def said(words: str, channel: Written) -> Said:
    """What ``words`` say of consent. A keyword such as CANCEL alone is a stop in a text only (47 CFR 64.1200(a)(10)); by
    e-mail it answers our question."""
    if is_opt_out(words, spoken=channel == "email"):
        return "stop"
    return "start" if is_opt_in(words) else ""


_CARRIERS = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
"""Twilio confirms these itself, and takes no text from us afterwards (its error 21610)."""
CONFIRMED = "opted_out"
"""The text that confirms a stop."""


async def confirmation(client: Client, what: Said, handle: str, words: str, house: Settings) -> str:
    """The one text that confirms a stop (47 CFR 64.1200(a)(12)), in the answer to theirs, before the stop is kept; none
    where the carrier confirms, they have said it before, or nobody can tell whether they have."""
    if what != "stop" or plain(words).replace(" ", "") in _CARRIERS:
        return ""
    try:
        book = newest(audience_of("inbound_text", house))[1]
        known = await gate.opted_out(client, handle)
    except (LookupError, ApplicationError):
        return ""
    return "" if known else render(book.messages.get(CONFIRMED, ""), {"company": book.company.name})


async def keep(client: Client, what: Said, handle: str, lead: str, channel: Written, at: datetime, words: str) -> None:
    """Make it durable for ``handle`` (hash). To be contacted again holds for all that the lead is known by, as the stop did,
    if the handle is one of these: whoever else answers a message speaks for themselves alone. Raises RPCError, and the
    record's errors."""
    if what == "stop":
        await gate.start_opt_out(client, [handle], lead, channel, at, words)
    elif what == "start":
        theirs = await asyncio.to_thread(handles.of, lead)
        by = f"the person, by {'e-mail' if channel == 'email' else 'text'}"
        await _end(client, theirs if handle in theirs else {handle}, OptIn(by=by, words=words))


async def take_back(client: Client, lead: str, by: str, words: str) -> None:
    """The stop of ``lead`` no longer holds for anything that it is known by: so the person said, in ``words``, to ``by``.
    Raises RPCError, and the record's errors."""
    theirs = await asyncio.to_thread(handles.of, lead)
    await _end(client, theirs | gate.handles(lead, None), OptIn(by=by, words=words))


async def _end(client: Client, theirs: set[str], wish: OptIn) -> None:
    await asyncio.gather(*(entity.tell(client, identity.optout_id(each), "opt_in", wish) for each in sorted(theirs)))
