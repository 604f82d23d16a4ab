"""Putting a live call through to a colleague: whether it is done, and how it stands. Pure."""

from __future__ import annotations

from . import events as ev
from . import standing
from .lead import Lead, LiveCall
from .messages import Transfer
from .playbook import Playbook


def wanted(state: Lead, playbook: Playbook, request: ev.ActionAsked) -> bool:
    """Whether this wish for a person is met by putting the call through: it is on the line, its carrier can, nobody was
    rung for it before, and they mean it enough."""
    call, how = state.call, playbook.call.transfer
    if not how.ring or call is None or not call.transfers or call.transfer is not None:
        return False
    if call.attempt != request.attempt or call.state != "connected" or state.opted_out_at or state.held_by:
        return False
    complains = isinstance(request.action, ev.HandOff) and request.action.complaint
    return how.complaints if complains else intent(state, playbook) >= how.intent


def intent(state: Lead, playbook: Playbook) -> float:
    """How much they want it, 0 to 1: the strength of their commitment by all that they said, and 1 for who fits the
    playbook's criteria or has a meeting."""
    if state.booking is not None or (state.learned and standing.fit_of(state, playbook).fits):
        return 1.0
    return max((sign.strength for sign in standing.signs_of(state) if sign.sign == "commitment"), default=0.0)


def under_way(call: LiveCall) -> bool:
    """Whether a colleague has the call, or is being rung for it."""
    return call.transfer is not None and call.transfer.state in ("ringing", "talking")


def missed(state: Lead, attempt: str) -> Transfer | None:
    """The transfer of this call that nobody took, after which the agent goes on."""
    call = state.call
    if call is None or call.attempt != attempt or call.transfer is None or call.transfer.state != "missed":
        return None
    return call.transfer
