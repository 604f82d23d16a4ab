"""Faults planted into the pure core, one for each rule of ``tests/witness.py``: what it was written against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests import months
from workflows import cadence, permission, plan, story
from workflows.lead import Lead
from workflows.playbook import Playbook
from workflows.rules import Ruling
from workflows.steps import Step, Wait

Plant = Callable[[pytest.MonkeyPatch], None]


def _rules(patch: pytest.MonkeyPatch, name: str, other: Callable[..., Step | None]) -> None:
    """Put ``other`` in the place of the plan's rule ``name``."""
    patch.setattr(plan, "RULES", tuple(other if rule.__name__ == name else rule for rule in plan.RULES))


def _told(patch: pytest.MonkeyPatch, kind: str, otherwise: Callable[[Lead, Any], Lead]) -> None:
    """Make something else of the event ``kind``; ``otherwise`` gets what should have come of it."""
    real = story.HANDLERS[kind]
    patch.setitem(story.HANDLERS, kind, lambda state, event: otherwise(state, real(state, event)))


def plans_on_after_an_opt_out(patch: pytest.MonkeyPatch) -> None:
    real = plan.next_step
    patch.setattr(plan, "next_step", lambda state, book, now: real(state.but(opted_out_at=None, opt_out_words=""), book, now))


def calls_at_any_hour(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plan, "allowed", lambda state, book, channel, at, *more, **but: Ruling(at=at, until=at + 60 * months._MINUTE, rule=""))


def counts_no_dials(patch: pytest.MonkeyPatch) -> None:
    real = permission.contact
    patch.setattr(permission, "contact", lambda *given, **more: real(*given, **more).model_copy(update={"dials": ()}))


def leaves_no_gap(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plan, "after_gap", lambda state, book, due: due)


def waits_for_no_call(patch: pytest.MonkeyPatch) -> None:
    real = plan._call

    def call(state: Lead, book: Playbook, now: Any) -> Step | None:
        return None if state.call is not None and state.call.state != "queued" else real(state, book, now)

    _rules(patch, "_call", call)


def hears_everything_twice(patch: pytest.MonkeyPatch) -> None:
    real = months.apply
    patch.setattr(months, "apply", lambda state, event: real(state.but(seen=()), event))


def forgets_what_was_promised(patch: pytest.MonkeyPatch) -> None:
    _told(patch, "action_done", lambda before, after: after.but(callback_at=before.callback_at))


def forgets_what_was_said(patch: pytest.MonkeyPatch) -> None:
    _told(patch, "call_learned", lambda before, after: after.but(learned=before.learned))


def loses_the_meeting(patch: pytest.MonkeyPatch) -> None:
    _told(patch, "meeting_booked", lambda before, after: after.but(booking=None, stage=before.stage))


def gives_up_early(patch: pytest.MonkeyPatch) -> None:
    real = cadence.upcoming
    patch.setattr(cadence, "upcoming", lambda state, book: None if state.next_touch >= 2 else real(state, book))


def sleeps_for_ever(patch: pytest.MonkeyPatch) -> None:
    def callback(state: Lead, book: Playbook, now: Any) -> Step | None:
        waits = Wait(key="wait", rule="nothing_due", reason="nothing is due")
        return waits if state.callback_at else None

    _rules(patch, "_callback", callback)


FAULTS: dict[str, Plant] = {
    "silence": plans_on_after_an_opt_out,
    "hours": calls_at_any_hour,
    "caps": counts_no_dials,
    "gap": leaves_no_gap,
    "one_call": waits_for_no_call,
    "touches_once": hears_everything_twice,
    "promises": forgets_what_was_promised,
    "asked_once": forgets_what_was_said,
    "one_meeting": loses_the_meeting,
    "closes_for_a_reason": gives_up_early,
    "wakes": sleeps_for_ever,
}
"""By the rule that finds it."""
