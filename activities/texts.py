"""Text messages: the activities that send one, and ask the carrier whether it was sent.

A text is one attempt and never repeated here: what is not known to have failed is ambiguous, and looked up.
"""

from __future__ import annotations

from temporalio import activity

from workflows.effects import Dispatched, FindText, SendText

from . import gate, links
from .dispatch import late, now
from .vendors import twilio


@activity.defn
async def send_text(request: SendText) -> Dispatched:
    """Ask the gate, fill in the links, then send. Raises ``ambiguous`` when the carrier may have taken it."""
    refused = "late" if late(request.not_after) else await gate.ask(request.gate, "text")
    refused = refused or ("late" if late(request.not_after) else "")
    if refused:
        return Dispatched(refused=refused)
    left = request.not_after - now()
    sent = await twilio.send_text(request.gate.lead, request.touch, request.to, _filled(request), left)
    return Dispatched(sid=sent.sid, segments=sent.segments)


@activity.defn
async def find_text(request: FindText) -> Dispatched:
    """Read only."""
    found = await twilio.find_text(request.text.to, _filled(request.text), request.since)
    return Dispatched() if found is None else Dispatched(sid=found.sid, segments=found.segments)


def _filled(request: SendText) -> str:
    """The body with its links. They are signed, not drawn, so the same request gives the same words each time."""
    body, lead, expires = request.body, request.gate.lead, request.expires or request.not_after
    for name, link in (("{join_link}", links.join_link), ("{manage_link}", links.manage_link)):
        if name in body:
            body = body.replace(name, link(lead, request.booking, expires))
    return body
