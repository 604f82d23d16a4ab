"""What others are told of a lead: the brief of a live call, the view for people, the page in Temporal's UI."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from . import events as ev
from . import heed, review, standing, transfers
from .account import account
from .calling import both_ends, places_of
from .conversation.identity import same_person
from .lead import Approval, Lead, touch_of
from .messages import Brief, Connect, Touched, View, Waiting
from .plan import STILL_OPEN, Step, Wait, blocked_by
from .playbook import Playbook, registered
from .rulebook import holding
from .story.marks import meant, name
from .wording import written_time

# Of a playbook that names no rule file: the states that want to be told of a recording (facts of 2026-11-21, to be
# confirmed by counsel; freedomrankings 2026-06, recordphonecall.com).
_RECORDING_NOTICE = frozenset(["CA", "DE", "FL", "IL", "MD", "MA", "MT", "NV", "NH", "PA", "WA", "CT", "MI", "OR"])


def brief(state: Lead, playbook: Playbook, call: Connect, resumed: bool = False) -> Brief:
    """All that the conversation of this call needs. ``refusal`` names why it must end at once, if it must: a dial
    that nobody knows of (a second one for the same attempt), or one that is no longer wanted. ``resumed``: it was
    connected before and lost its line."""
    touch = touch_of(state, call.attempt)
    return _known(state, call.attempt, call.at).model_copy(update={
        "refusal": _refusal(state, call), "node": _node(state, call), "opening": _opening(state, playbook, call),
        "recording_notice": _recording_notice(state, playbook, call.at),
        "talked_before": _talked_before(state), "resumed": resumed and not transfers.missed(state, call.attempt),
        "touch": touch.touch.rsplit("/", 1)[-1] if touch and not call.inbound else "",
        "booked_here": bool(resumed and touch and state.booked_at and state.booked_at >= touch.at),
    })  # fmt: skip


def _recording_notice(state: Lead, playbook: Playbook, at: datetime) -> bool:
    """Whether they have to hear that the call is recorded: where nobody knows of the state that they are in, and where
    a rule asks for it in any in which they may be."""
    region = state.person.region if state.person else ""
    if playbook.rules is None or not region.startswith("US-"):
        return not region.startswith("US-") or region[3:] in _RECORDING_NOTICE
    places = both_ends(places_of(state.phone, region, playbook.rules), playbook)
    return any(holding(playbook.rules.recording, places, at.date()))


def text_brief(state: Lead, message: str, channel: Literal["text", "email"] = "text") -> Brief:
    """All that the conversation needs to answer the lead's text or e-mail ``message``. It came from their own number or
    address, so there is nothing to ask about who writes."""
    at = max((u.at for u in state.unanswered), default=datetime.min.replace(tzinfo=UTC))
    return _known(state, f"text-{message}", at).model_copy(update={
        "channel": channel, "node": _text_node(state, at), "opening": "inbound", "talked_before": True,
        "last_asked": state.thread.asked,
    })  # fmt: skip


def _known(state: Lead, attempt: str, at: datetime) -> Brief:
    return Brief(
        lead=state.lead, attempt=attempt, version=state.version, playbook=state.playbook, person=state.person,
        zone=state.zone, stage=state.stage, learned={k: v.value for k, v in state.learned.items()},
        sources={k: v.source for k, v in state.learned.items()}, booking=_standing(state, at), missed=_missed(state, at),
        offered=state.offered, objections=state.objections, concerns=tuple(state.concerns.values()), signs=state.signs,
        asked_at=state.pass_began if state.pass_kind == "first" else None,
        booked_for=_somebody_else(state),
    )  # fmt: skip


def _standing(state: Lead, at: datetime) -> ev.Booking | None:
    """The meeting to come, or under way. One that is over, of which nobody knows whether it was held, is none: who speaks
    of it now wants another."""
    return None if _is_over(state, at) else state.booking


def _missed(state: Lead, at: datetime) -> ev.Booking | None:
    return state.booking if _is_over(state, at) else state.missed


def _is_over(state: Lead, at: datetime) -> bool:
    return state.unknown is not None and state.booking is not None and at > state.booking.end


def _somebody_else(state: Lead) -> str:
    """Whose the meeting is, if it is not the person's who used the number last."""
    if not (state.booking or state.missed) or same_person(state.booked_for, name(state)):
        return ""
    return state.booked_for


def _text_node(state: Lead, at: datetime) -> str:
    """Where a text is taken up: what was booked, offered or missed counts most, then where the thread stands, then
    where a call left off."""
    if _standing(state, at):
        return "reschedule" if state.offered else "confirmation"
    if state.offered:
        return "booking"
    if _missed(state, at):
        return "no_show_recovery"
    left = state.thread.node or (state.broken.node if state.broken else "")
    return left if left in ("identity", "qualification") else "identity"


def _refusal(state: Lead, call: Connect) -> str:
    if call.inbound:
        return ""
    touch = touch_of(state, call.attempt)
    if touch is None:
        return "unknown_attempt"
    if state.opted_out_at:
        return "opted_out"
    if blocked_by(state, "call"):
        return "paused"
    if touch.sid and touch.sid != call.sid:
        return "second_call"
    if state.call is None or state.call.attempt != call.attempt:
        return "no_longer_wanted"
    return ""


def _talked_before(state: Lead) -> bool:
    """Whether we know whom we speak with: a talk was brought to its close, or broke off beyond that point."""
    beyond = state.broken is not None and state.broken.node not in ("outreach", "identity")
    return beyond or any("talked" in t.outcome for t in state.touches)


def _goes_on(state: Lead, call: Connect) -> bool:
    """Whether this call takes up one that broke off: ours, or theirs when they were quicker."""
    broken, touch = state.broken, touch_of(state, call.attempt)
    if broken is None or (state.booking and broken.node != "reschedule"):
        return False
    ours = touch is not None and touch.touch == broken.touch
    return ours or (call.inbound and call.attempt != broken.attempt and call.at - broken.at < STILL_OPEN)


def _node(state: Lead, call: Connect) -> str:
    if transfers.missed(state, call.attempt):
        return _after_a_transfer(state)
    if state.broken and _goes_on(state, call):
        return state.broken.node
    if _standing(state, call.at):
        return "reschedule" if call.inbound else "confirmation"
    if _missed(state, call.at):
        return "no_show_recovery"
    return "identity" if call.inbound else "outreach"


def _after_a_transfer(state: Lead) -> str:
    """Where the agent goes on with somebody to whom nobody could be had: to a time with that person, or for a call."""
    book = registered().get(state.playbook)
    if state.booking:
        return "reschedule"
    return "booking" if book is not None and standing.fit_of(state, book).fits else "follow_up"


def _opening(state: Lead, playbook: Playbook, call: Connect) -> str:
    if transfers.missed(state, call.attempt):
        return "not_picked_up"
    if _goes_on(state, call):
        return "broken"
    if _missed(state, call.at):
        return "recovery"
    if call.inbound:
        return "inbound"
    touch = touch_of(state, call.attempt)
    if touch and touch.touch.startswith("confirm/") and state.stage != "confirmed":
        return "confirm"
    if touch and touch.touch.startswith("callback"):
        return "callback"
    return heed.opening(state, playbook) or "outreach"


def view(state: Lead, playbook: Playbook, step: Step | None) -> View:
    """The lead as people see it, with what comes next and why, how they fit, and what waits for a person."""
    known = state.learned
    return View(
        lead=state.lead, version=state.version, audience=state.audience, playbook=state.playbook, stage=state.stage,
        furthest=state.furthest, disposition=state.disposition, reason=state.reason, closed=state.closed,
        opted_out=state.opted_out_at is not None, taken_over_by=state.taken_over_by,
        held_by=state.held_by or state.held_scope or ("nobody knows whether they opted out" if state.suspended_at else ""), person=state.person, zone=state.zone, owner=state.owner,
        learned={k: v.value for k, v in known.items()},
        criteria=standing.fit_of(state, playbook).criteria if known else (), signs=standing.signs_of(state),
        concerns=tuple(state.concerns.values()), approvals=tuple(_waiting(state, each) for each in state.approvals),
        transfer=state.call.transfer if state.call else None, booking=state.booking, missed=state.missed, undo=_undone(state), touches=state.touches,
        account=account(state, playbook, step),
        milestones=state.milestones, next_step=type(step).__name__ if step else "",
        next_at=step.until if isinstance(step, Wait) else None, next_reason=step.reason if step else "",
        doubts=state.doubts, absorbed=state.absorbed, merged_into=state.merged_into,
        joining=tuple(each.lead for each in state.joining),
        on_call=state.call.state if state.call else "", needs_review=state.review, items=review.priced(state, playbook),
    )  # fmt: skip


def _undone(state: Lead) -> str:
    if state.before is None or state.before.made != (state.booking.id if state.booking else ""):
        return ""
    stood = state.before.booking
    return f"{written_time(stood.start, state.zone)} with {stood.rep_name}" if stood else "that no meeting is booked"


def _waiting(state: Lead, approval: Approval) -> Waiting:
    request = approval.request
    return Waiting(
        request=request.id, action=request.action.kind, words=meant(state, request.action, approval.slot),
        until=approval.until, evidence=request.verdict.evidence if request.verdict else (),
    )  # fmt: skip


def details(state: Lead, step: Step | None, now: datetime) -> str:
    """Markdown for Temporal's UI. It is kept in the worker's memory and answered by a query; names stay out of it."""
    lines = [
        f"### {state.stage.replace('_', ' ')}"
        + (f" ({state.disposition.replace('_', ' ')})" if state.disposition else ""),
        f"*Now:* {step.reason if step else 'planning'}"
        + (f" until {written_time(step.until, state.zone)}" if isinstance(step, Wait) and step.until else ""),
    ]
    if state.booking:
        lines.append(f"*Meeting:* {written_time(state.booking.start, state.zone)} with {state.booking.rep_name}")
    lines += [f"*Waits for a person:* {waiting.request.action.kind.replace('_', ' ')}" for waiting in state.approvals]
    if state.review:
        lines.append(f"*For a person:* {state.review.replace('_', ' ')}")
    if state.touches:
        lines.append("")
        lines += [f"- {written_time(t.at, state.zone)}: {_told(t)}" for t in state.touches[-20:]]
    return "\n".join(lines)


def _told(touch: Touched) -> str:
    own = touch.touch.startswith(("callback", "resumption"))
    what = touch.touch.partition("/")[0] if own else touch.touch.rsplit("/", 1)[-1]
    return f"{what.replace('_', ' ')}, {touch.outcome.removesuffix(', over').replace('_', ' ')}"
