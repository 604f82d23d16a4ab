"""A lead is the list of what happened: ``apply(state, event) -> state`` is the fold.

Each event has one function, by the part of the story that it belongs to; :data:`HANDLERS` says where.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import events as ev
from .. import review
from ..lead import Lead
from . import (
    asked,
    attendance,
    cadence,
    calendar,
    calls,
    known,
    lapses,
    mails,
    marks,
    meetings,
    people,
    reviewed,
    suspension,
    texts,
    transfers,
    twins,
)
from .asked import approved
from .mails import addresses
from .marks import KEPT_IDS
from .texts import NO_SERVER
from .twins import MERGED, engaged, surplus, unwilling
from .union import pending

__all__ = ["HANDLERS", "MERGED", "NO_SERVER", "addresses", "apply", "approved", "engaged", "pending", "surplus", "unwilling"]


def apply(state: Lead, event: ev.Event) -> Lead:
    """``state`` after ``event``; the version counts up by one, also for a repeat that changes nothing else."""
    before = state
    state = state.but(version=state.version + 1)
    if event.id and event.kind not in ("action_asked", "action_decided", "form_submitted"):
        if event.id in state.seen:
            return state
        state = state.but(seen=(*state.seen, event.id)[-KEPT_IDS:])
    after = marks.dated(HANDLERS[event.kind](state, event), event.at)
    return marks.moved(review.noted(before, after), before.stage, event.at)


HANDLERS: dict[str, Callable[[Lead, Any], Lead]] = {
    "form_submitted": people.form_submitted,
    "dial_queued": calls.dial_queued,
    "touch_passed": cadence.touch_passed,
    "lapsed": lapses.lapsed,
    "call_placed": calls.call_placed,
    "call_not_placed": calls.call_not_placed,
    "call_ambiguous": calls.call_ambiguous,
    "call_connected": calls.call_connected,
    "line_found": transfers.line_found,
    "transfer_told": transfers.transfer_told,
    "call_learned": calls.call_learned,
    "conversation_ended": calls.conversation_ended,
    "call_ended": calls.call_ended,
    "call_unknown": calls.call_unknown,
    "call_cancelled": calls.call_cancelled,
    "text_sent": texts.text_sent,
    "text_not_sent": texts.text_not_sent,
    "text_ambiguous": texts.text_ambiguous,
    "text_failed": texts.text_failed,
    "mail_sent": texts.mail_sent,
    "mail_not_sent": texts.mail_not_sent,
    "mail_due": mails.mail_due,
    "mail_bounced": mails.mail_bounced,
    "message_received": texts.message_received,
    "text_answered": texts.text_answered,
    "action_asked": asked.action_asked,
    "slots_found": meetings.slots_found,
    "meeting_booked": meetings.meeting_booked,
    "booking_refused": meetings.booking_refused,
    "meeting_cancelled": meetings.meeting_cancelled,
    "action_done": asked.action_done,
    "action_deferred": asked.action_deferred,
    "action_decided": asked.action_decided,
    "meeting_confirmed": meetings.meeting_confirmed,
    "attendance_reported": attendance.attendance_reported,
    "outcome_asked": attendance.outcome_asked,
    "rep_left": meetings.rep_left,
    "not_rehomed": meetings.not_rehomed,
    "calendar_changed": calendar.calendar_changed,
    "not_adopted": calendar.not_adopted,
    "opt_out_kept": people.opt_out_kept,
    "opted_in": suspension.opted_in,
    "taken_over": people.taken_over,
    "released": people.released,
    "held": people.held,
    "resumed": people.resumed,
    "reflected": people.reflected,
    "twins_met": twins.twins_met,
    "twins_looked": twins.twins_looked,
    "merge_asked": twins.merge_asked,
    "kept_apart": twins.kept_apart,
    "yielding": twins.yielding,
    "gone_into": twins.gone_into,
    "took_in": twins.took_in,
    "not_taken_in": twins.not_taken_in,
    "crm_known": known.crm_known,
    "lead_closed": people.lead_closed,
    "recovery_began": meetings.recovery_began,
    "review_resolved": reviewed.review_resolved,
    "faulted": people.faulted,
    "waiting": people.waiting,
    "playbook_moved": people.playbook_moved,
}
