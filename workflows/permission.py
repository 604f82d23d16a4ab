"""The calling gate as one lead stands before it: what is asked of it, what it allows, and what may be promised.

Pure; instants are UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from . import events as ev
from .cadence import REFUSED
from .calling import Contact, Purpose, judge
from .lead import Lead
from .messages import Touched
from .playbook import Playbook
from .refusals import narrowed
from .rulebook import Basis, Sent
from .rules import Ruling


def contact(state: Lead, playbook: Playbook, channel: Sent, purpose: Purpose = "solicit", but: str = "") -> Contact:
    """What the calling gate is asked of this lead; the dial of attempt ``but`` is the one in question, and not counted."""
    person = state.person or ev.Form(submission_id="")
    asked: Basis | Literal["none"] = "none" if playbook.unasked and not state.callback_at else "asked"
    return Contact(
        phone=state.phone, channel=channel, purpose=purpose, region=person.region, zone=person.zone,
        basis=asked if person.consent.kind == "none" else person.consent.kind,
        opted_out=state.opted_out_at is not None,
        line="mobile" if channel == "text" and state.texted_back else None,  # what they text from takes texts
        heard_at=_heard_at(state, playbook, person),
        dials=tuple(t.at for t in state.touches if _dialled(t) and t.attempt != but) if channel == "call" else (),
    )  # fmt: skip


def _heard_at(state: Lead, playbook: Playbook, person: ev.Form) -> datetime | None:
    """When they last told us anything themselves. That we took them from a list, or began a pass after a no-show, was not
    their word."""
    talks = [t.at for t in state.touches if t.touch == "inbound" or "talked" in t.outcome]
    forms = [state.milestones.get("form"), state.life_began, state.pass_began if state.pass_kind == "first" else None]
    return max(filter(None, (person.consent.at, *talks, *(() if playbook.unasked else forms))), default=None)


def allowed(
    state: Lead, playbook: Playbook, channel: Sent, at: datetime, purpose: Purpose = "solicit", but: str = ""
) -> Ruling:
    """By what the lead knows; what has to be looked up is left to the dispatch, and what it said before is kept."""
    if channel in state.refuses and not (channel == "call" and state.callback_at):  # a call they asked for since is theirs
        return Ruling(at=None, rule=REFUSED)
    asked = contact(state, playbook, channel, purpose, but)
    return narrowed(state, asked, at, lambda start: judge(asked, playbook, start))


def after_gap(state: Lead, playbook: Playbook, due: datetime) -> datetime:
    """``due``, moved past the least gap since the last touch, and past the pause after a callback that nobody took."""
    calls = [t for t in state.touches if t.channel == "call"]
    if calls and calls[-1].touch.startswith("callback/") and "talked" not in calls[-1].outcome:
        due = max(due, calls[-1].at + playbook.cadence.retry_callback)
    last = max(filter(None, (state.last_touch_at, state.last_over_at)), default=None)
    return max(due, last + playbook.cadence.min_gap) if last else due


def promise(state: Lead, playbook: Playbook, at: datetime, now: datetime) -> Ruling:
    """What may be promised to somebody who asks at ``now`` to be called at ``at``: that time, or the first after it at which
    the rules allow the call; ``rule`` is what moved it. ``at`` stands where nobody can tell yet: the call meets the gate then."""
    wished = state.but(callback_at=at)  # their own word
    due = max(at, now + playbook.cadence.min_gap)
    ruling = allowed(wished, playbook, "call", due)
    return ruling if ruling.at is not None else Ruling(at=at)


def _dialled(touch: Touched) -> bool:
    """Whether we dialled, or may have: what a cap on attempts counts."""
    return touch.channel == "call" and touch.touch != "inbound" and not touch.outcome.startswith("not placed")
