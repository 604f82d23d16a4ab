"""What a lead makes of a refusal that its dial or text met at the dispatch.

The gate there knows more than the lead: the do-not-call lists, dials of other leads to the same number, a vendor's word,
rules that have changed since. Its answer becomes a :class:`.lead.Bar`, which the plan keeps as it keeps its own rules:
it waits until the bar lets go, or closes where the bar stands for good. So nothing is tried in a loop, and no lead is
lost. Pure; instants are UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from . import review
from .calling import Contact, Purpose, Refusal
from .lead import Bar, Lead
from .rulebook import Sent
from .rules import Ruling

OURS = "gate"
"""The rule of a refusal that is a fault on our side: it says nothing of the lead, and is soon tried again."""
_UNSURE = "not_looked_up"
"""What a person is told of: a list is missing or too old, or a vendor does not answer."""


def purpose_of(touch: str) -> Purpose:
    """What the text of this touch is to the calling rules; what nobody foresaw keeps the hours."""
    kinds: dict[str, Purpose] = {"cadence": "solicit", "after_hours": "solicit", "offer": "solicit", "due": "answer"}
    return kinds.get(touch.partition("/")[0], "service")


def barred(state: Lead, at: datetime, channel: Sent, purpose: Purpose, refusal: Refusal) -> Lead:
    """``state`` under the bar that ``refusal`` is. One for want of knowledge stands for good when it was met too often."""
    before = _bar(state, channel, purpose)
    times = before.times + 1 if before and before.rule == refusal.rule and refusal.tries else 1
    until = None if refusal.tries and times >= refusal.tries else refusal.at
    if refusal.tries:
        state = review.file(state, _UNSURE, at, channel, told(refusal))
    bar = Bar(channel=channel, purpose=purpose, rule=refusal.rule, since=at, until=until, times=times)
    return state.but(bars=(*(b for b in state.bars if b is not before), bar))


def lifted(state: Lead, channel: Sent) -> Lead:
    """A contact went out: what stood against the last one is over."""
    state = review.settle(state, _UNSURE, channel)
    return state.but(bars=tuple(b for b in state.bars if b.channel != channel)) if state.bars else state


def told(refusal: Refusal) -> str:
    """For the story: ``the rule says 3 of 3 dials within 24 h (US-FL), until 2027-03-12 15:00 UTC``."""
    where = f" ({refusal.where})" if refusal.where else ""
    until = f", until {refusal.at:%Y-%m-%d %H:%M} UTC" if refusal.at else ""
    return f"{refusal.reason or refusal.rule.replace('_', ' ')}{where}{until}"


def held(why: str) -> str:
    """The reason of a dispatch for the story: ``paused:channel:call`` is "channel call is paused"."""
    rule, _, scope = why.partition(":")
    return f"{scope.replace(':', ' ')} is paused" if rule == "paused" and scope else why.replace("_", " ")


def narrowed(state: Lead, contact: Contact, at: datetime, judged: Callable[[datetime], Ruling]) -> Ruling:
    """What the rules allow from ``at`` on by ``judged``, no sooner than the bar lets go that stands against it."""
    bar = _bar(state, contact.channel, contact.purpose)
    if bar is None or (bar.until is not None and bar.until <= at):
        return judged(at)
    if contact.heard_at is not None and contact.heard_at > bar.since:
        return judged(at)
    if bar.until is None:
        return Ruling(at=None, rule=bar.rule)
    ruling = judged(bar.until)
    return ruling if ruling.rule else ruling.model_copy(update={"rule": bar.rule})


def _bar(state: Lead, channel: Sent, purpose: Purpose) -> Bar | None:
    return next((b for b in state.bars if (b.channel, b.purpose) == (channel, purpose)), None)
