"""What two leads that may be one person, or share a number, mean for the plan: a lead that is about to go into another
begins nothing new, and one of whom nobody knows yet who it is waits for a person.

Whoever does nothing for another lead's sake looks for that one from time to time: an execution that was ended by hand
tells nobody, and its person would never be called again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from . import review
from .lead import Lead
from .playbook import Playbook
from .steps import Finish, Step, Wait

_FIRST_LOOK = timedelta(hours=1)
"""After this long the other lead is looked for; then each time after twice as long. A memory of half a year takes a dozen
looks."""


def merged(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """A lead that went into another only leads on to it."""
    if not state.merged_into or state.closed_at is None:
        return None
    until = state.closed_at + playbook.memory
    if now >= until:
        return Finish(key="finish", rule="memory", reason="the memory period is over")
    until = min(until, next_look(state) or until)
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
            return Wait(key="identity", rule="identity", reason=reason, until=next_look(state))
    return None


# ---- whether the other one is still there ------------------------------------------------------------------------


def looked_for(state: Lead) -> tuple[str, ...]:
    """The leads for whose sake this one does nothing: the one that it went into, or those that came before it and may be
    the same person."""
    return (state.merged_into,) if state.merged_into else tuple(doubt.lead for doubt in state.doubts if doubt.waits)


def next_look(state: Lead) -> datetime | None:
    """When they are looked for next; None for nobody."""
    wanted = looked_for(state)
    if not wanted or state.unwatched:
        return None
    items = (review.find(state, f"identity:{lead}") for lead in wanted)
    since = state.closed_at if state.merged_into else max((item.since for item in items if item), default=state.pass_began)
    if since is None:
        return None
    seen = state.twins_seen_at
    if seen is None or seen <= since:
        return since + _FIRST_LOOK
    return seen + max(seen - since, _FIRST_LOOK)
