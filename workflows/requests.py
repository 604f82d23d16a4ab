"""What is asked of a lead, by its calls, by reps and by pages: denied on the durable state, left to a person, or done.

The conversation has authorised its actions already, in memory and at its own version. Here each is judged once more, on
what the lead knows by now. What the playbook leaves to a person is not done: ``observe`` tells one what the agent would
have done, ``propose`` waits for one to approve, and is dropped when nobody does in time.
"""

from __future__ import annotations

from datetime import datetime

from . import events as ev
from . import transfers
from .lead import Lead
from .permission import promise
from .playbook import Playbook
from .steps import FindLine, FindTimes, MakeBooking, Step, Unbook, Wait, settle

AGENT = "agent"
"""Who asks in a conversation; everybody else is a person, or a page on a person's behalf."""
LEAD = "lead"
"""Who asks on the lead's own page."""
UNBOUND = frozenset({"opt_out", "hand_off"})
"""No autonomy keeps these back: to be left alone, and to speak with a person."""
SAME_TIME = "same_time"
"""A person moves a meeting to where it stands: nothing is booked anew, counted as a move, or told."""
TURNED_DOWN = "help_on_the_way"
"""The text that tells them, who were promised one, that their wish is settled by a person."""


def requests(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """The first open request: denied, left to a person, or begun."""
    for request in state.requests:
        action, key = request.action, f"request:{request.id}"
        why = denied(state, playbook, request, now)
        if why == "autonomy_propose":
            slot = _slot(state, playbook, request) if action.kind == "book" else None
            until = now + playbook.call.approval
            event = ev.ActionDeferred(at=now, request=request.id, until=until, slot=slot)
            return settle(key, why, "a person approves this first", event)
        if why:
            done = ev.ActionDone(at=now, request=request.id, allowed=False, why=why)
            return settle(key, why, f"denied: {why}", done)
        if action.kind == "opt_out":
            continue  # answered once it is kept, by the plan
        whose = f"{request.by}, approved by {request.approved_by}" if request.approved_by else request.by
        words = f"{action.kind.replace('_', ' ')} asked by {whose}"
        if action.kind == "hand_off" and transfers.wanted(state, playbook, request):
            return FindLine(key=key, rule="asked", reason=words, request=request)
        if action.kind == "offer_slots":
            return FindTimes(key=key, rule="asked", reason=words, request=request)
        if action.kind == "book":
            slot = _slot(state, playbook, request)
            if slot is not None:
                return MakeBooking(key=key, rule="asked", reason=words, request=request, slot=slot)
        if action.kind == "undo":
            return _undoing(state, request, key, words)
        if action.kind == "cancel" and state.booking:
            return Unbook(key=key, rule="asked", reason=words, request=request, booking=state.booking)
        if action.kind == "call_back":
            promised = promise(state, playbook, action.at or now, now)
            done = ev.ActionDone(at=now, request=request.id, due=promised.at, why=promised.rule)
            return settle(key, promised.rule or "asked", words, done)
        return settle(key, "asked", words, ev.ActionDone(at=now, request=request.id))
    return None


def _undoing(state: Lead, request: ev.ActionAsked, key: str, words: str) -> Step:
    """What stood is booked again, through the same transaction as any move; where nothing stood, the booking goes."""
    stood = state.before.booking if state.before else None
    if stood is not None:
        slot = ev.Slot(id=f"{stood.rep}@{stood.start.isoformat()}", rep=stood.rep, start=stood.start, end=stood.end)
        return MakeBooking(key=key, rule="asked", reason=words, request=request, slot=slot)
    assert state.booking is not None
    return Unbook(key=key, rule="asked", reason=words, request=request, booking=state.booking)


def _not_undone(state: Lead, now: datetime) -> str:
    """The rule against an undo: nothing changed since, or what stood is over."""
    before = state.before
    if before is None or before.made != (state.booking.id if state.booking else ""):
        return "nothing_to_undo"
    return "time_passed" if before.booking is not None and before.booking.start <= now else ""


def denied(state: Lead, playbook: Playbook, request: ev.ActionAsked, now: datetime) -> str:
    """The rule against this action on the durable state; empty when there is none. Rules of what can be bind
    everybody, those of what may be the agent alone."""
    kind = request.action.kind
    if kind == "opt_out":
        return ""
    if kind == "undo":
        return _not_undone(state, now)
    rang_us = state.call is not None and state.call.inbound
    if state.opted_out_at and request.by == AGENT and (not rang_us or kind in ("call_back", "send_link")):
        return "opted_out"
    if request.version and request.version < state.settled and kind in ("book", "cancel", "offer_slots"):
        return "stale_version"
    if kind in ("book", "offer_slots"):
        if state.stage == "showed":
            return "showed_already"
        if state.booking and state.moves >= playbook.meeting.max_moves and request.by in (AGENT, LEAD):
            return "moved_too_often"
    if kind == "book":
        slot, meeting = _slot(state, playbook, request), state.booking
        if slot is None:
            return "slot_not_offered"
        if meeting and request.by != AGENT and (slot.rep, slot.start) == (meeting.rep, meeting.start):
            return SAME_TIME
    if kind == "call_back" and not state.phone:
        return "no_number"
    if kind in ("cancel", "attend", "confirm") and state.booking is None:
        return "no_meeting"
    return _unauthorised(state, playbook, request, now) if request.by == AGENT else ""


def _unauthorised(state: Lead, playbook: Playbook, request: ev.ActionAsked, now: datetime) -> str:
    """The rule that keeps the agent from it: a meeting that stands, the conversation's own verdict, evidence below
    the threshold of the playbook that the lead follows by now, and its autonomy."""
    action, verdict = request.action, request.verdict
    if action.kind in ("decline", "refer") and state.booking:
        return "meeting_stands"
    if action.kind == "call_back" and action.at and action.at > now + playbook.memory:
        return "callback_time"
    if action.kind in UNBOUND:
        return ""
    if verdict is not None:
        if not verdict.allowed and not verdict.rule.startswith("autonomy_"):
            return verdict.rule
        if verdict.value is not None and verdict.value < playbook.thresholds.get(action.kind, 0.0):
            return "evidence"
    autonomy = "act" if request.approved_by else playbook.autonomy.get(action.kind, "act")
    return "" if autonomy == "act" else f"autonomy_{autonomy}"


def by_a_person(request: ev.ActionAsked) -> bool:
    """Whether somebody of ours stands behind it: they asked for it, or approved it."""
    return request.by not in (AGENT, LEAD) or bool(request.approved_by)


def _slot(state: Lead, playbook: Playbook, request: ev.ActionAsked) -> ev.Slot | None:
    """The slot that a request names: an offered one, or, where a person stands behind it, ``REP@=INSTANT``."""
    wanted = request.action.slot if isinstance(request.action, ev.Book) else ""
    offered = next((s for s in state.offered if s.id == wanted), None)
    if offered is not None:
        return offered
    rep, at, text = wanted.partition("@")
    if not at or not text.startswith("=") or not by_a_person(request):
        return None
    try:
        start = datetime.fromisoformat(text[1:])
        return ev.Slot(id=f"{rep}@{start.isoformat()}", rep=rep, start=start, end=start + playbook.meeting.length)
    except ValueError:  # no instant, or one without its zone
        return None


# ---- what waits for a person -------------------------------------------------------------------------------------


def overdue(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """What nobody approved in time is dropped, never done."""
    for waiting in state.approvals:
        if now >= waiting.until:
            event = ev.ActionDecided(
                at=now, request=waiting.request.id, approved=False, text=turned_down(playbook), words="nobody decided in time"
            )  # fmt: skip
            return settle(f"approval:{waiting.request.id}", "approval", "nobody approved it in time", event)
    return None


def awaited(state: Lead, playbook: Playbook, now: datetime) -> Step | None:
    """While somebody is asked whether to do what the lead wished for, the lead is not called or texted about it."""
    if not state.approvals:
        return None
    until = min(waiting.until for waiting in state.approvals)
    what = state.approvals[0].request.action.kind.replace("_", " ")
    return Wait(key="approval", rule="approval", reason=f"waiting for a person to approve: {what}", until=until)


def sooner(step: Step, state: Lead) -> Step:
    """``step``, waiting no longer than the first approval has time."""
    if not isinstance(step, Wait) or not state.approvals:
        return step
    first = min(waiting.until for waiting in state.approvals)
    return step.model_copy(update={"until": min(first, step.until or first)})


def turned_down(playbook: Playbook) -> str:
    """The template of the text about a wish that was turned down; none when the playbook has none."""
    return TURNED_DOWN if TURNED_DOWN in playbook.messages else ""
