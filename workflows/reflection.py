"""What the record, the CRM and the reps' channel are told, and when."""

from __future__ import annotations

from datetime import datetime

from . import plan, review, standing
from .effects import Reflection
from .lead import Lead
from .playbook import Playbook
from .steps import Wait
from .wording import written_time


def is_due(state: Lead) -> bool:
    """Whether something waits to be told that is worth a write of its own. Lesser lines ride along with the next;
    a call under way is told when it is over, unless a person is needed now: to take over, or to approve."""
    news = (
        bool(state.owed)
        or state.outcome_due
        or state.stage != state.reflected_stage
        or state.person_version > state.reflected
        or (state.closed and bool(state.entries))
    )
    if not news:
        return False
    return state.call is None or bool(state.taken_over_by or state.approvals or state.call.transfer)


def _next(state: Lead, playbook: Playbook, now: datetime) -> tuple[str, datetime | None]:
    """What comes next and why, in a line for the CRM, and when, where it waits for a time."""
    step = plan.next_step(state, playbook, now)
    until = step.until if isinstance(step, Wait) else None
    return f"{step.reason}, {written_time(until, state.zone)}" if until else step.reason, until


def reflection(state: Lead, playbook: Playbook, now: datetime) -> Reflection:
    """Everything since the last one."""
    outcome = ""
    if state.attendance is not None:
        outcome = "showed" if state.attendance.present else "no_show"
    elif state.unknown is not None:
        outcome = "unknown"
    told_anew = standing.is_new(state)
    next_step, next_at = _next(state, playbook, now)
    fit = standing.fit_of(state, playbook) if state.learned and told_anew else None
    memory = state.but(entries=(), transitions=(), owed=(), seen=(), answers={}, requests=()).model_dump(mode="json")
    told = Reflection(
        lead=state.lead, version=state.version, audience=state.audience, playbook=state.playbook, now=now,
        stage=state.stage, furthest=state.furthest, disposition=state.disposition, reason=state.reason,
        source=state.person.source if state.person else "", owner=state.owner,
        form=state.person if state.person_version > state.reflected else None,
        learned={k: v.value for k, v in state.learned.items()},
        fit=standing.verdict(fit) if fit else "", criteria=fit.criteria if fit else (),
        signs=standing.signs_of(state) if told_anew else (), concerns=tuple(state.concerns.values()),
        next_step=next_step, next_at=next_at, milestones=state.milestones, entries=state.entries,
        transitions=state.transitions,
        calls=tuple(o.call for o in (*state.unwritten, *state.owed) if o.call), booking=state.booking or state.missed,
        meeting_outcome=outcome, cards=tuple(o.card for o in state.owed if o.card),
        todos=tuple(o.todo for o in (*state.unwritten, *state.owed) if o.todo), needs_review=state.review,
        items=review.priced(state, playbook), resolved=state.resolved,
        memory=memory if state.closed else None, merged_into=state.merged_into,
        absorbed=state.absorbed, since=state.stage_since or max(state.milestones.values(), default=None),
        let_go=state.wrong_numbers,
        team=playbook.team, contact=state.crm_contact, overwrite=state.overwrite,
        parts=("record", "crm", "notice", "rotation") if state.outcome_due else ("record", "crm", "notice"),
    )  # fmt: skip
    if state.merged_into:  # all but the story itself is told by the lead that has it now
        return told.model_copy(update={"parts": ("record",), "calls": (), "cards": (), "todos": ()})
    return told
