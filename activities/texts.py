"""Text messages: the activities that send one, and ask the carrier whether it was sent.

A text is one attempt and never repeated here: what is not known to have failed is ambiguous, and looked up. An
e-mail of the same content rides along once the text has gone: one activity for both.
"""

from __future__ import annotations

from temporalio import activity

from workflows.effects import Dispatched, FindText, SendText

from . import clearance, gate, links, mails
from .dispatch import late, now
from .vendors import twilio


@activity.defn
async def send_text(request: SendText) -> Dispatched:
    """Ask the gate and the calling rules, fill in the links, then send. Raises ``ambiguous`` when the carrier may have
    taken it."""
    refused = "late" if late(request.not_after) else await gate.ask(request.gate, "text")
    if refused:
        return Dispatched(refused=refused)
    cleared = await clearance.text(request.contact, request.to, request.playbook, now())
    if cleared.refusal is not None:
        return Dispatched(refused=cleared.refusal.rule, refusal=cleared.refusal)
    refused = await gate.ask(request.gate, "text") if cleared.slow else ""
    if refused or late(request.not_after):
        return Dispatched(refused=refused or "late")
    left = min(filter(None, (request.not_after, cleared.until))) - now()
    sent = await twilio.send_text(request.gate.lead, request.touch, request.to, _filled(request), left)
    mailed = await mails.alongside(request.gate, request.mail) if request.mail else ""
    return Dispatched(sid=sent.sid, segments=sent.segments, mail=mailed)


@activity.defn
async def find_text(request: FindText) -> Dispatched:
    """Read only."""
    found = await twilio.find_text(request.text.to, _filled(request.text), request.since)
    return Dispatched() if found is None else Dispatched(sid=found.sid, segments=found.segments)


def _filled(request: SendText) -> str:
    return links.filled(request.body, request.gate.lead, request.booking, request.expires or request.not_after)
