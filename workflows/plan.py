"""What to do next for a lead, and why: ``next_step(state, playbook, now) -> Step``.

Planned from live state each time, never from a queue: whatever happened a moment ago is already in ``state``. The
rules stand in the order in which they win. Pure; instants are UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

from . import attendance, cadence, foreign, lateness, posting, review, timing, transfers, ways
from . import events as ev
from .heed import not_contacted
from .lead import Broken, DueText, Lead, LiveCall
from .permission import after_gap, allowed
from .playbook import Playbook, Touch
from .requests import awaited, overdue, requests, sooner
from .rulebook import Sent
from .rules import Ruling
from .steps import (
    Adopt,
    AskCarrier,
    Converse,
    Dial,
    FindLine,
    FindTimes,
    Finish,
    Hangup,
    KeepOptOut,
    MakeBooking,
    Rehome,
    Settle,
    Step,
    Text,
    Unbook,
    Wait,
    settle,
)
from .twins import doubted, merged, merging

__all__ = [
    "KEPT_BACK", "RULES", "STILL_OPEN", "Adopt", "AskCarrier", "Converse", "Dial", "FindLine", "FindTimes", "Finish", "Hangup", "KeepOptOut", "MakeBooking",
    "Rehome", "Settle", "Step", "Text", "Unbook", "Wait", "blocked_by", "next_step",
]  # fmt: skip


KEPT_BACK = frozenset({"calling_hours", "holiday", "attempt_cap", "do_not_call", "reassigned", "consent", "line_type", "paused", "taken_over", "zone_unknown", "no_common_hours", "suspended", "identity"})
"""The rules whose waiting is told in a lead's story: somebody will ask why this lead was not called."""

REDIAL = Touch(name="redial", channel="call")
"""A call that is made once more waits for no part of the day, but for what they told us of their time."""

_NEVER = datetime.max.replace(tzinfo=UTC)

STILL_OPEN = timedelta(hours=1)
"""For this long after a call broke off, what is said next goes on from there."""

Rule = Callable[[Lead, Playbook, datetime], Step | None]


def next_step(state: Lead, playbook: Playbook, now: datetime) -> Step:
    """The one thing to do now for this lead, or what it waits for. Total: there is always an answer."""
    for rule in RULES:
        step = rule(state, playbook, now)
        if step is not None:
            return sooner(ways.kept(step, state, now), state)
    return Wait(key="wait", rule="nothing_due", reason="nothing is due; waiting for the lead or a person")


def _homeless(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    meeting = state.booking
    if meeting is None or meeting.id != state.homeless or now >= meeting.start:
        return None
    rule, reason = "rep_left", f"{meeting.rep_name} left"
    if state.clash:
        rule, reason = "calendar", f"something else stands in the calendar of {meeting.rep_name}"
    return Rehome(key=f"rehome:{meeting.id}", rule=rule, reason=reason, booking=meeting)


def _outside(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """What the rep did to the meeting in their own calendar is followed, as if they had asked for it here."""
    meeting, news = state.booking, state.outside
    if news is not None and meeting is None and news.change == "booked" and news.slot is not None:
        reason = "the lead booked it on the rep's own page"
        key = f"adopt:{news.event}:{news.slot.id}"
        return Adopt(key=key, rule="calendar", reason=reason, booking=None, slot=news.slot, event=news.event)
    if meeting is None or news is None or meeting.id != news.booking:
        return None
    if news.slot is not None:
        reason = f"{news.by or 'somebody'} moved it in the calendar"
        key = f"adopt:{meeting.id}:{news.slot.id}"
        return Adopt(key=key, rule="calendar", reason=reason, booking=meeting, slot=news.slot, event=news.event)
    cancel = ev.Cancel(words="taken out of the calendar", offer=True)
    asked = ev.ActionAsked(at=now, id=f"removed:{meeting.id}", action=cancel, by=news.by or "the rep")
    return settle(asked.id, "calendar", cancel.words, asked)


# ---- what must not go on ----------------------------------------------------------------------------------------


def _stray_calls(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """A call beside the one that counts is ended; one whose sid is not known yet ends when its deadline has come."""
    for call in state.strays:
        if call.sid:
            return Hangup(key=f"hangup:{call.attempt}", rule="one_call", reason="no longer wanted", call=call)
    return None


def _opt_out(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    if state.opted_out_at is None:
        return None
    if not state.opt_out_kept:
        return KeepOptOut(key="opt_out", rule="opt_out", reason="they asked not to be contacted again")
    for request in state.requests:
        if request.action.kind == "opt_out":
            return settle(f"request:{request.id}", "opt_out", "kept", ev.OptOutKept(at=now))
    if not state.closed and state.stage != "showed" and not (state.call and state.call.state == "connected"):
        reason = "asked not to be contacted again"
        return settle("close", "opt_out", reason, ev.LeadClosed(at=now, disposition="opted_out", reason=reason))
    return None


def _unwanted_call(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """A call of ours that rings or goes on although the lead was taken over, held, closed, or booked otherwise; one of
    theirs that somebody took over while it went on."""
    call = state.call
    if call is None or (call.inbound and not call.left) or not call.sid or call.state == "ended" or transfers.under_way(call):
        return None
    ringing = call.state in ("placed", "ambiguous")
    taken = state.taken_over_by and (call.left or not review.stands(state, "handoff", "complaint"))
    if call.state == "connected" and (taken or state.held_by):
        rule, reason = ("taken_over", "a person took over") if taken else ("paused", f"paused by {state.held_by}")
        say = playbook.speech.paused
        return Hangup(key=f"hangup:{call.attempt}", rule=rule, reason=reason, call=call, say=say)
    if not ringing:
        return None
    for unwanted, rule in (
        (state.opted_out_at, "opt_out"), (state.suspended_at, "suspended"), (state.taken_over_by, "taken_over"), (state.held_by, "paused"),
        (state.closed_at, "closed"), (state.yielding, "merging"), (state.engaged_at and state.engaged_at > call.since, "choosing"),
        (state.stage in ("booked", "confirmed", "rescheduled") and _settled_by_booking(state, call), "goal_reached"),
        (call.queued, "late"),
    ):  # fmt: skip
        if unwanted:
            return Hangup(key=f"hangup:{call.attempt}", rule=rule, reason="no longer wanted", call=call)
    return None


# ---- what is under way ------------------------------------------------------------------------------------------


def _deadline(call: LiveCall, playbook: Playbook) -> datetime:
    timing = playbook.call
    length = {
        "queued": timing.dispatch_within + timing.settle,
        "placed": timing.ring + timing.settle,
        "ambiguous": timing.ring + timing.settle,
        "connected": timing.longest + timing.settle,
        "ended": timing.longest + timing.settle,
    }[call.state]
    return call.since + length


def _call(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """A call under way is waited for, up to one deadline; then the carrier is asked."""
    for call in (state.call, *state.strays):
        if call is None or (call.state == "queued" and call is state.call):
            continue
        if now >= min(_deadline(call, playbook), _closing(state, playbook, call)):
            return AskCarrier(
                key=f"ask:{call.attempt}:{call.state}",
                rule="call_deadline",
                reason="no word of this call",
                call=call,
            )
    if state.call is None:
        return None
    if state.call.state == "queued":
        return _dial(state, playbook, now, state.call)
    if _due_text(state, playbook, now) is not None:
        return None
    due = _deadline(state.call, playbook)
    if not (state.callback_at or state.broken or state.call.state == "ambiguous"):
        # Nothing is lost by asking the carrier only when the next touch would come: one timer serves both.
        later = _meeting(state, playbook, now) or _cadence(state, playbook, now)
        due = max(due, later.until or due) if isinstance(later, Wait) else due
    due = min(due, _closing(state, playbook, state.call))
    return Wait(key="call", rule="call_under_way", reason=f"a call is {state.call.state}", until=due)


def _closing(state: Lead, playbook: Playbook, call: LiveCall) -> datetime:
    """When the hours close in which ``call`` was placed: what the carrier has yet to dial by then, it must not dial any
    more. Without a limit for any other call."""
    if call.state != "placed" or call.inbound:
        return _NEVER
    ruling = allowed(state, playbook, "call", call.since, but=call.attempt)
    return ruling.until if ruling.at == call.since and ruling.until else _NEVER


def _dial(state: Lead, playbook: Playbook, now: datetime, call: LiveCall) -> Step:
    """The dial that was decided on, wanted still? The loop calls it off when this answers anything else."""
    blocked = blocked_by(state, "call")
    if blocked:
        return blocked
    if state.closed or _settled_by_booking(state, call):
        return Wait(key="wait", rule="goal_reached", reason="the lead is booked or closed by now")
    if waiting := merging(state, playbook, now) or doubted(state, playbook, now):
        return waiting
    if (free := _chosen_by(state, playbook)) and free > now:
        return Wait(key="wait", rule="choosing", reason="they are looking at times on their page", until=free)
    if (free := _written_by(state, playbook)) and free > now and call.touch.startswith((cadence.CADENCE, cadence.REDIAL)):
        return Wait(key="wait", rule="texting", reason="they are writing with us", until=free)
    ruling = allowed(state, playbook, "call", now, but=call.attempt)
    if ruling.at is None or ruling.at > now or ruling.until is None:
        return Wait(key="wait", rule=ruling.rule, reason="outside the calling hours", until=ruling.at)
    latest = call.since + playbook.call.dispatch_within
    if state.broken and call.touch == state.broken.touch:
        latest = min(latest, state.broken.at + playbook.call.ring_again)
    return Dial(
        key=f"dial:{call.attempt}", rule="due", reason=_why_dial(call.touch), attempt=call.attempt, touch=call.touch,
        not_after=min(ruling.until, latest),
    )  # fmt: skip


def _chosen_by(state: Lead, playbook: Playbook) -> datetime | None:
    """Until when somebody who looks at times on their own page is left to it."""
    return state.engaged_at + playbook.cadence.choosing if state.engaged_at else None


def _written_by(state: Lead, playbook: Playbook) -> datetime | None:
    """Until when somebody who writes with us is not called."""
    return state.wrote_at + playbook.cadence.texting if state.wrote_at else None


def _settled_by_booking(state: Lead, call: LiveCall) -> bool:
    """Whether a meeting makes this call pointless: any but the one that goes on with moving it, and the one that asks for
    a yes to it."""
    if state.booking is None or (state.broken and call.touch == state.broken.touch):
        return False
    return state.stage == "confirmed" or call.touch != attendance.confirming(state.booking)


def _named(touch: str) -> str:
    """A touch in words: ``cadence/1/0/call_1`` is "call 1"."""
    if touch.startswith("resumption"):
        return "the call that broke off"
    if touch.startswith("confirm/"):
        return "the call to confirm"
    return "the promised callback" if touch.startswith("callback") else touch.rsplit("/", 1)[-1].replace("_", " ")


def _why_dial(touch: str) -> str:
    if touch.startswith("resumption"):
        return "the call broke off without a close"
    if touch.startswith("confirm/"):
        return "the meeting was not confirmed"
    if touch.startswith(cadence.REDIAL):
        return f"{_named(touch)} once more, because of what the last came to"
    return "they asked to be called back" if touch.startswith("callback") else f"{_named(touch)} is due"


def blocked_by(state: Lead, channel: str = "") -> Step | None:
    """What keeps us from contact now: over ``channel``, or over every channel when none is named."""
    if state.opted_out_at:
        return Wait(key="wait", rule="opt_out", reason="opted out: never contacted again")
    if state.suspended_at:
        return Wait(key="wait", rule="suspended", reason="perhaps they opted out; waiting for a person to look")
    if state.taken_over_by:
        return Wait(key="wait", rule="taken_over", reason=f"{state.taken_over_by} took over; waiting for release")
    if state.held_by:
        return Wait(key="wait", rule="paused", reason=f"paused by {state.held_by}")
    scope = state.held_scope
    if scope and (not scope.startswith("channel:") or scope == f"channel:{channel}"):
        return Wait(key="wait", rule="paused", reason=f"{scope.replace(':', ' ')} is paused")
    return None


# ---- the meeting ------------------------------------------------------------------------------------------------


def _outcome(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """A meeting that was held is the goal."""
    seen = state.attendance
    if seen is None:
        return None
    if seen.present and not state.closed and state.stage == "showed":
        reason = f"the meeting was held ({seen.source.replace('_', ' ')})"
        return settle("close", "goal_reached", reason, ev.LeadClosed(at=now, disposition="showed", reason=reason))
    return None


def _due_text(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """A text that answers what the lead just did goes out at once; it is no solicitation, so hours do not bind it."""
    if not state.due_texts or not state.phone or _may_not_answer(state):
        return None
    if state.not_before and state.not_before > now:
        late = "after the last try that did not go out" if state.failures else "after the pause"
        return Wait(key="wait", rule="backing_off", reason=f"waiting a while {late}", until=state.not_before)
    due: DueText = state.due_texts[0]
    if (free := lateness.free_at(state, playbook, due.since, now)) > now:
        return Wait(key="wait", rule="min_gap", reason="what had to wait goes out one by one", until=free)
    return Text(
        key=f"text:{due.key}:{state.failures}", rule="asked", reason=f"{due.message} is due", touch=due.key,
        message=due.message, booking=due.booking or state.booking, not_after=now + timedelta(hours=1), body=due.body,
    )  # fmt: skip


def _may_not_answer(state: Lead) -> Step | None:
    """What keeps us from answering by text now. That a person will take over, because they asked for one, is still
    said."""
    return _unless_told_so(state, blocked_by(state, "text"), state.due_texts)


def may_not_mail(state: Lead) -> Step | None:
    """What keeps the next e-mail from going out now, likewise. An opt-out is left to the gate, which knows whose it is."""
    if state.due_mails and ways.refused_mail(state, state.due_mails[0]):
        return Wait(key="wait", rule=cadence.REFUSED, reason="they want no e-mails")
    return None if state.opted_out_at else _unless_told_so(state, blocked_by(state), state.due_mails)


def _unless_told_so(state: Lead, blocked: Step | None, due: tuple[DueText, ...]) -> Step | None:
    said = bool(due and due[0].body) and review.stands(state, "handoff", "complaint")
    return None if blocked and blocked.rule == "taken_over" and said else blocked


def _thread(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """What they wrote is answered by the conversation, or left to the person who has the lead by now. A hand-over that
    comes from the answer itself leaves it to be given."""
    if not state.unanswered or state.opted_out_at:
        return None
    by_mail = state.unanswered[0].post is not None  # what came by the other channel is answered there, after it
    batch = [u for u in state.unanswered if (u.post is not None) == by_mail]
    messages, last = tuple(u.id for u in batch), batch[-1].id
    blocked = blocked_by(state, "email" if by_mail else "text")
    if blocked or state.closed:
        if any(request.startswith(f"text-{last}:") for request in state.answers):
            return None
        event = ev.TextAnswered(at=now, messages=messages, why=blocked.rule if blocked else "closed")
        return settle(f"thread:{last}", event.why, "their message is left to a person", event)
    text = "\n".join(u.text for u in batch)
    if foreign.letters(text) and playbook.agent.language.startswith("en"):
        foreigner = ev.TextAnswered(at=now, messages=messages, why="other_language")
        return settle(f"thread:{last}", foreigner.why, "they write in another language: a person answers", foreigner)
    channel: Literal["text", "email"] = "email" if by_mail else "text"
    return Converse(key=f"converse:{last}", rule="asked", reason="they wrote to us", messages=messages, text=text, channel=channel)


def _meeting(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """About a meeting: its texts, each in its time or not at all."""
    meeting = state.booking
    if meeting is None or state.closed or state.attendance:
        return None
    until = attendance.next_at(state, playbook)
    blocked = blocked_by(state, "text" if state.takes_texts else "email")
    for text in attendance.announcements(state, playbook, meeting):
        if now >= text.stale or (blocked and text.at <= now) or not (state.takes_texts or (state.email and text.message in playbook.mails)):
            continue
        at = max(text.at, state.not_before or text.at, lateness.free_at(state, playbook, text.at, now))
        ruling = allowed(state, playbook, "text", at, "service") if state.takes_texts else posting.anytime(at)
        if ruling.at is None or ruling.at >= text.stale:
            continue
        if ruling.at <= now and not state.takes_texts:
            return posting.send(text.key, text.message, "reminder", text.reason, now)
        if ruling.at <= now:
            return Text(
                key=f"text:{text.key}:{state.failures}", rule="reminder", reason=text.reason, touch=text.key,
                message=text.message, booking=meeting, not_after=min(text.stale, ruling.until or text.stale),
            )  # fmt: skip
        until = min(until or ruling.at, ruling.at)
    call = _confirm_call(state, playbook, now, meeting)
    if isinstance(call, Settle):
        return call
    until = min(filter(None, (until, call)), default=None)
    if now >= attendance.unknown_from(state, playbook, meeting):
        return Wait(key="meeting", rule="attendance", reason="waiting to be told who came", until=until)
    return Wait(key="meeting", rule="booked", reason="waiting for the meeting", until=until)


def _confirm_call(state: Lead, playbook: Playbook, now: datetime, meeting: ev.Booking) -> Settle | datetime | None:
    """The call about a meeting that they have not confirmed, or when it is due; None when there is to be none."""
    window = attendance.confirm_call(state, playbook, meeting)
    if window is None or now >= window[1] or blocked_by(state, "call") or doubted(state, playbook, now):
        return None
    due = max(after_gap(state, playbook, window[0]), now, state.not_before or now, _chosen_by(state, playbook) or now)
    ruling = allowed(state, playbook, "call", due)
    if ruling.at is None or ruling.at >= window[1]:
        return None
    if ruling.at > now:
        return ruling.at
    attempt, touch = f"a{state.dials + 1}", attendance.confirming(meeting)
    return settle(f"queue:{attempt}", "due", _why_dial(touch), ev.DialQueued(at=now, attempt=attempt, touch=touch))


def _new_times(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """A live offer to move what was missed, where a text may go out now."""
    if blocked_by(state, "text"):
        return None
    return attendance.offer(state, playbook, now, lambda at: allowed(state, playbook, "text", at))


# ---- the end, and the cadence -----------------------------------------------------------------------------------


def _dormant(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    if state.closed_at is None:
        return None
    until = state.closed_at + playbook.memory
    asked = attendance.next_at(state, playbook)
    if now >= until:
        if state.owed or state.outcome_due:
            return Wait(key="unwritten", rule="write_back", reason="waiting for the record to be written")
        return Finish(key="finish", rule="memory", reason="the memory period is over")
    return Wait(
        key="dormant",
        rule="closed",
        reason=f"closed ({state.disposition.replace('_', ' ')}); remembered",
        until=min(until, asked or until),
    )


def _recovery(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    if state.missed is None or state.pass_began is not None:
        return None
    if state.pass_no < playbook.cadence.passes:
        return settle("recovery", "no_show", "the meeting was missed", ev.RecoveryBegan(at=now))
    reason = f"missed the meeting after {state.pass_no} passes"
    return settle("close", "passes", reason, ev.LeadClosed(at=now, disposition="no_show", reason=reason))


_FOR_GOOD = {
    "zone_unknown": "nobody knows what time it is where this number is; a state or address is needed",
    "consent": "there is no consent that allows an automated call or text there",
    "do_not_call": "they are on a do-not-call list, or nobody could look whether they are",
    "reassigned": "nothing was heard of them for long, and the number may be somebody else's",
    "line_type": "this kind of number must not be called",
}
"""The rules after which waiting helps nobody, and what is said of each."""


def _contactable(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    blocked = blocked_by(state)
    if blocked:
        return blocked
    if state.person is None:
        return Wait(key="wait", rule="no_form", reason="waiting for the form")
    if not state.phone and posting.reachable(state, playbook):
        return None
    if not state.phone:
        reason = "there is no phone number to call or text"
        return settle(
            "close", "no_phone", reason, ev.LeadClosed(at=now, disposition="no_way_to_contact", reason=reason)
        )
    ruling = allowed(state, playbook, "call", now)
    if ruling.at is None and ruling.rule != cadence.REFUSED:
        reason = _FOR_GOOD.get(ruling.rule, f"the rule on {ruling.rule.replace('_', ' ')} leaves no hour for a call")
        closed = ev.LeadClosed(at=now, disposition="no_way_to_contact", reason=reason)
        return settle("close", ruling.rule, reason, closed)
    return None


def _broken(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """A call that broke off is placed again within ``call.ring_again``, once, where hours, cap and pauses allow it (the
    least gap does not bind: the talk goes on). Where they do not, or nobody took it, one text says so instead."""
    broken = state.broken
    if broken is None or not state.phone or state.closed or state.callback_at or now >= broken.at + STILL_OPEN:
        return None
    if state.booking and broken.node != "reschedule":
        return None  # what the call was for is settled
    placed = any(t.touch == broken.touch and not t.outcome.startswith("not placed") for t in state.touches)
    kept_off = review.stands(state, "number_refused") or blocked_by(state, "call") or doubted(state, playbook, now)
    if not placed and not kept_off:
        due = max(broken.at + playbook.call.ring_after, state.not_before or now, now, _chosen_by(state, playbook) or now)
        ruling = allowed(state, playbook, "call", due)
        if ruling.at is not None and ruling.at <= broken.at + playbook.call.ring_again:
            if ruling.at > now:
                return Wait(key="broken", rule="broken", reason="the call broke off; ringing again", until=ruling.at)
            attempt = f"a{state.dials + 1}"
            event = ev.DialQueued(at=now, attempt=attempt, touch=broken.touch)
            return settle(f"queue:{attempt}", "broken", _why_dial(broken.touch), event)
    return _cut_off(state, playbook, now, broken)


def _cut_off(state: Lead, playbook: Playbook, now: datetime, broken: Broken) -> Step | None:
    """Text once about the call that broke off. It answers what they were just saying, so hours do not bind it."""
    key = f"due/cut_off/{broken.attempt}"
    known = any(t.attempt == key for t in state.touches)
    if known or "cut_off" not in playbook.messages or blocked_by(state, "text"):
        return None
    if state.not_before and state.not_before > now:
        late = "waiting a while after the last try that did not go out"
        return Wait(key="broken", rule="backing_off", reason=late, until=state.not_before)
    return Text(
        key=f"text:{key}:{state.failures}", rule="broken", reason="the call broke off and was not taken up again",
        touch=key, message="cut_off", not_after=broken.at + STILL_OPEN,
    )  # fmt: skip


def _callback(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    if state.callback_at is None or not state.phone:
        return None
    return _dial_or_wait(state, playbook, now, f"callback/{state.dials + 1}", state.callback_at)


def _left_out(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """The touch whose turn it is, where a rule leaves it out: told, so that none goes missing without a word."""
    passed = cadence.first_left_out(state, playbook) if state.pass_began else None
    return _pass(*passed, now) if passed else None


def _pass(touch: str, rule: str, now: datetime) -> Step:
    why = cadence.LEFT_OUT.get(rule, "")
    event = ev.TouchPassed(at=now, touch=touch, rule=rule, why=why)
    return settle(f"pass:{touch}", rule, f"{_named(touch)} is left out", event)


def _cadence(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    if state.pass_began is None:
        return None
    base = max(filter(None, (state.pass_began, state.last_touch_at)))
    found = cadence.upcoming(state, playbook)
    again = cadence.redial(state, playbook)
    if again is not None and (found is None or again[1] <= timing.due(state, playbook, found[1])):
        return _dial_or_wait(state, playbook, now, again[0], again[1], REDIAL)
    if found is None:
        until = base + playbook.cadence.patience
        if now < until:
            return Wait(key="patience", rule="cadence_over", reason="every touch was made; a last wait", until=until)
        missed = state.missed is not None
        reason = "never came back after the last touch"
        disposition: Literal["no_show", "unresponsive"] = "no_show" if missed else "unresponsive"
        return settle("close", "exhausted", reason, ev.LeadClosed(at=now, disposition=disposition, reason=reason))
    index, touch = found
    due, name = timing.due(state, playbook, touch), cadence.key(state.pass_no, index, touch)
    if touch.channel == "call":
        step = _dial_or_wait(state, playbook, now, name, due, touch)
        return _after_hours(state, playbook, now, step) or step if isinstance(step, Wait) else step
    blocked = blocked_by(state, touch.channel)
    if blocked:
        return blocked
    due = after_gap(state, playbook, due)
    allowed = posting.anytime if touch.channel == "email" else _gate(state, playbook, "text")
    ruling = timing.when(state, playbook, touch, touch.channel, due, now, allowed)
    if ruling.at is None or ruling.until is None:
        return _pass(name, ruling.rule, now)
    if lateness.too_late(state, touch, due, ruling.at):
        return _pass(name, "late", now)
    if ruling.at > now:
        return _until(ruling, due, touch.name)
    if touch.channel == "email":
        return posting.send(name, touch.message, "due", f"{touch.name.replace('_', ' ')} is due", now)
    return Text(
        key=f"text:{name}:{state.failures}", rule="due", reason=f"{touch.name.replace('_', ' ')} is due", touch=name,
        message=touch.message, not_after=ruling.until,
    )  # fmt: skip


def _after_hours(state: Lead, playbook: Playbook, now: datetime, call: Wait) -> Step | None:
    """Where the first call has to wait for the morning, a text says so, if a text may go out sooner."""
    asked, key = playbook.cadence.after_hours, f"after_hours/{state.pass_no}"
    called = state.pass_kind != "first" or state.reached or state.texted_back or bool(cadence.calls_of(state))
    if asked is None or called or call.rule not in timing.OPENINGS or call.until is None or blocked_by(state, "text"):
        return None
    if any(t.attempt == key and t.at >= (state.pass_began or now) for t in state.touches):
        return None
    ruling = allowed(state, playbook, "text", max(after_gap(state, playbook, now), state.not_before or now))
    if ruling.at is None or ruling.until is None or ruling.at + asked.wait >= call.until:
        return None
    if ruling.at > now:
        return call.model_copy(update={"until": ruling.at})
    return Text(
        key=f"text:{key}:{state.failures}", rule="after_hours", reason="the first call has to wait for the morning",
        touch=key, message=asked.message, not_after=min(ruling.until, call.until - asked.wait),
    )  # fmt: skip


def _until(ruling: Ruling, due: datetime, touch: str) -> Wait:
    """Wait for ``touch``: until its time has come, or until a rule lets it go."""
    rule = ruling.rule if ruling.at is not None and ruling.at > due else ""
    reason = f"{rule.replace('_', ' ')}: {_named(touch)} has to wait" if rule else f"waiting for {_named(touch)}"
    return Wait(key="cadence", rule=rule or "cadence", reason=reason, until=ruling.at)


def _gate(state: Lead, playbook: Playbook, channel: Sent) -> timing.Allowed:
    return lambda at: allowed(state, playbook, channel, at)


def _dial_or_wait(
    state: Lead, playbook: Playbook, now: datetime, key: str, due: datetime, touch: Touch | None = None
) -> Step:
    """Dial for ``key``, or wait for its time. With its ``touch`` it has wishes of its own; a promise has none."""
    blocked = blocked_by(state, "call")
    if blocked:
        return blocked
    if unknown := [call for call in state.strays if not call.sid]:
        until = min(_deadline(call, playbook) for call in unknown)
        return Wait(key="wait", rule="one_call", reason="nobody knows yet what became of another dial", until=until)
    due = max(after_gap(state, playbook, due), _chosen_by(state, playbook) or due)
    if touch is None:
        ruling = allowed(state, playbook, "call", max(due, state.not_before or due, now))
    else:
        due = max(due, _written_by(state, playbook) or due)
        ruling = timing.when(state, playbook, touch, "call", due, now, _gate(state, playbook, "call"))
    if ruling.at is None or ruling.until is None:
        return _pass(key, ruling.rule, now)
    if ruling.at > now:
        return _until(ruling, due, key)
    attempt = f"a{state.dials + 1}"
    event = ev.DialQueued(at=now, attempt=attempt, touch=key)
    return settle(f"queue:{attempt}", "due", _why_dial(key), event)


RULES: tuple[Rule, ...] = (
    merged,  # another lead has the story
    ways.unmailed,  # an e-mail to who wants none
    _stray_calls,  # one call at a time
    _opt_out,  # kept before anything else is done, and closes
    not_contacted,  # the CRM says that they must not be
    requests,  # somebody waits for an answer: a caller on the line, a rep, a page
    overdue,  # what nobody approved in time is dropped
    _outside,  # a meeting that was moved or taken out in the rep's calendar
    _homeless,  # a meeting whose rep left goes to another
    _unwanted_call,  # a call of ours that is no longer wanted is ended
    _call,  # a call under way is waited for
    merging,  # two leads of one person are about to be one
    _outcome,  # a meeting that was held is the goal
    attendance.outcome,  # nobody knows whether they came: somebody is asked
    lateness.lapsing,  # what came too late to have sense is left out
    _due_text,  # the answer to what they just did
    _thread,  # what they wrote
    _broken,  # a talk that broke off goes on
    _dormant,  # closed: remembered, and nothing more
    _recovery,  # a missed meeting begins a new pass, or closes
    _new_times,  # a live offer to move what was missed, or may have been
    _meeting,  # reminders, and waiting for the meeting
    doubted,  # a lead that may be somebody we know already
    _contactable,  # taken over, paused, or nobody to call
    awaited,  # a wish of theirs waits for a person: no call meanwhile
    _callback,  # the call that was promised
    _left_out,  # a touch that a rule leaves out
    _cadence,  # the next touch, and at last the end
)
"""Every behaviour's place, the first that has something to say wins."""
