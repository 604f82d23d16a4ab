"""What the CRM says of a lead, as the plan heeds it: whoever must not be contacted is closed."""

from __future__ import annotations

from datetime import datetime

from . import events as ev
from .crm import course
from .effects import Look
from .lead import Lead
from .playbook import Playbook
from .steps import Step, settle


def not_contacted(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """The CRM says not to contact them. A talk that goes on is let end, and a meeting that stands is a person's."""
    if state.crm is None or state.closed or state.opted_out_at or state.booking or state.taken_over_by:
        return None
    way, rule = course(state.crm, playbook.crm)
    if way != "not_called" or (state.call is not None and state.call.state in ("connected", "ended")):
        return None
    reason = f"the CRM says so ({rule.removeprefix('crm_').replace('_', ' ')})"
    closed = ev.LeadClosed(at=now, disposition="no_way_to_contact", reason=reason)
    return settle("close", rule, reason, closed)


def look(state: Lead, playbook: Playbook, now: datetime) -> Look | None:
    """What the dial asks the CRM first; nothing where the CRM has spoken."""
    if state.crm is not None or state.person is None:
        return None
    waits = playbook.crm.unread == "wait"
    must = waits and state.pass_began is not None and now < state.pass_began + playbook.crm.wait_most
    return Look(name=state.person.name, email=state.person.email, must=must)


def opening(state: Lead, playbook: Playbook) -> str:
    """The opening of its own that this lead's first call has by the CRM; none for anybody else."""
    way, rule = course(state.crm, playbook.crm) if state.crm else ("as_usual", "")
    return rule.removeprefix("crm_") if way == "opening" else ""
