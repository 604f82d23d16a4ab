"""What two leads that may be one person, or share a number, mean for the plan: a lead that is about to go into another
begins nothing new, and one of whom nobody knows yet who it is waits for a person."""

from __future__ import annotations

from datetime import datetime

from .lead import Lead
from .playbook import Playbook
from .steps import Finish, Step, Wait


def merged(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """A lead that went into another only leads on to it."""
    if not state.merged_into or state.closed_at is None:
        return None
    until = state.closed_at + playbook.memory
    if now >= until:
        return Finish(key="finish", rule="memory", reason="the memory period is over")
    return Wait(key="merged", rule="merged", reason=f"goes on as {state.merged_into}", until=until)


def merging(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """Until two leads of one person are one, neither calls or writes."""
    if state.yielding:
        return Wait(key="merging", rule="merging", reason=f"goes into {state.yielding}, the same person")
    if state.joining:
        return Wait(key="merging", rule="merging", reason=f"takes in {state.joining[0].lead}, the same person")
    return None


def doubted(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """Whom we may be calling already under another lead is not called until a person has decided."""
    for doubt in state.doubts:
        if doubt.waits:
            reason = f"may be the person of {doubt.lead} ({doubt.why}); a person decides"
            return Wait(key="identity", rule="identity", reason=reason)
    return None
