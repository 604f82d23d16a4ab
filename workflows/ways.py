"""What the plan makes of a channel that the lead refused while another is welcome (:mod:`.channels`).

Calls and touches of the cadence over it are left out by the rules of the plan itself; here is what is left: a text goes
out by e-mail instead, and an e-mail does not go out. What answers them where they wrote is no touch of ours.
"""

from __future__ import annotations

from datetime import datetime

from . import events as ev
from . import posting
from .cadence import LEFT_OUT, REFUSED
from .lead import DueText, Lead
from .playbook import Playbook
from .steps import Step, Text, settle


def kept(step: Step, state: Lead, now: datetime) -> Step:
    """``step``, or what is done in its place: a text that is owed to who wants none goes with its e-mail alone."""
    if not isinstance(step, Text) or step.body or "text" not in state.refuses:
        return step
    if state.email and all(due.key != step.touch for due in state.due_texts):
        return posting.send(step.touch, step.message, REFUSED, LEFT_OUT[REFUSED], now)
    event = ev.TextNotSent(at=now, touch=step.touch, message=step.message, why=REFUSED, permanent=True, mail=bool(state.email))
    return settle(step.key, REFUSED, LEFT_OUT[REFUSED], event)


def refused_mail(state: Lead, due: DueText) -> bool:
    """Whether ``due`` is an e-mail of ours to somebody who wants none, and no answer to one of theirs."""
    return "email" in state.refuses and due.post is None


def unmailed(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """The next e-mail, where they want none, does not go out."""
    due = state.due_mails[0] if state.due_mails else None
    if due is None or state.merged_into or not refused_mail(state, due):
        return None
    return settle(f"unmailed:{due.key}", REFUSED, LEFT_OUT[REFUSED], ev.MailNotSent(at=now, touch=due.key, message=due.message, why=REFUSED))
