"""What a lead can do next, as values: the plan decides on one, the workflow carries it out."""

from __future__ import annotations

from typing import Literal

from . import events as ev
from .lead import LiveCall
from .model import Instant, Model


class Step(Model):
    """One thing to do, or the time to wait for. ``key`` tells one step from another; ``reason`` is the answer to
    "why now, why not": its rule's name, then words for people."""

    key: str
    rule: str
    reason: str


class Wait(Step):
    """Nothing to do before ``until`` (None: until something happens)."""

    until: Instant | None = None


class Dial(Step):
    attempt: str
    touch: str
    not_after: Instant


class Text(Step):
    """Send ``message`` (a template's name) under the touch ``touch``, before ``not_after``."""

    touch: str
    message: str
    not_after: Instant
    booking: ev.Booking | None = None
    body: str = ""
    """The words themselves, where no template has them."""


class AskCarrier(Step):
    """The call's deadline passed: read from the carrier what became of it."""

    call: LiveCall


class Hangup(Step):
    """End a call through the carrier; ``say`` first, when somebody listens."""

    call: LiveCall
    say: str = ""


class Converse(Step):
    """Answer what the lead wrote on ``channel``: ``messages`` are the carrier's ids, oldest first."""

    messages: tuple[str, ...]
    text: str
    channel: Literal["text", "email"] = "text"


class FindTimes(Step):
    request: ev.ActionAsked


class FindLine(Step):
    """Look for the colleague who takes this call now."""

    request: ev.ActionAsked


class MakeBooking(Step):
    """Book the slot of ``request``; with a meeting booked already, this moves it."""

    request: ev.ActionAsked
    slot: ev.Slot


class Rehome(Step):
    """Give the meeting ``booking``, whose rep left, to another rep at the same time."""

    booking: ev.Booking


class Adopt(Step):
    """Follow the meeting ``booking`` to ``slot``, where somebody moved its ``event`` by hand; without one, take the
    ``event`` that the lead made there for their meeting."""

    booking: ev.Booking | None
    slot: ev.Slot
    event: str


class Unbook(Step):
    request: ev.ActionAsked
    booking: ev.Booking


class KeepOptOut(Step):
    """Make the opt-out outlive this lead."""


class Settle(Step):
    """Something decided that touches nothing outside: it becomes ``event`` at once."""

    event: ev.Event


class Finish(Step):
    """The memory period is over: the execution may end."""


def settle(key: str, rule: str, reason: str, event: ev.Event) -> Settle:
    return Settle(key=key, rule=rule, reason=reason, event=event)
