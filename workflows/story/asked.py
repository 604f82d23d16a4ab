"""What is asked of a lead, and what becomes of it: done, denied, left to a person, approved, rejected or dropped."""

from __future__ import annotations

from datetime import datetime

from .. import events as ev
from .. import review
from ..lead import Approval, DueText, Lead
from ..messages import Answer, Way
from ..playbook import registered
from ..standing import fit_of
from ..wording import written_time
from . import attendance, marks, meetings, numbers


def action_asked(state: Lead, event: ev.ActionAsked) -> Lead:
    if event.id in state.answers or any(r.id == event.id for r in state.requests):
        return state
    if state.unknown and event.by in ("agent", "lead") and event.action.kind in ("book", "decline"):
        state = attendance.by_their_word(state, event)
    state = state.but(requests=(*state.requests, event))
    if event.attempt and event.action.kind in ("offer_slots", "book"):
        state = marks.reach(state, "qualified", event.at)
    if event.by == "lead" and event.action.kind in ("offer_slots", "book"):
        state = state.but(engaged_at=event.at)
    if event.action.kind == "opt_out":
        state = marks.opt_out(state, event.at, event.action.words)
    return state


def action_done(state: Lead, event: ev.ActionDone) -> Lead:
    request = next((r for r in state.requests if r.id == event.request), None)
    if request is None:
        return state
    state = marks.note(
        state, event.at, "action", f"{request.action.kind.replace('_', ' ')} asked by {_whose(request)}: "
        f"{'done' if event.allowed else 'denied'}", event.why, attempt=request.attempt,
    )  # fmt: skip
    if event.allowed:
        state = _done(state, event, request)
    elif event.why == "autonomy_observe":
        state = _observed(state, event.at, request)
    return marks.answer(state, event.request, Answer(allowed=event.allowed, rule=event.why, due=event.due))


def _done(state: Lead, event: ev.ActionDone, request: ev.ActionAsked) -> Lead:
    """The consequences of an action that touches nothing outside by itself."""
    at = event.at
    match request.action:
        case ev.CallBack() as action:
            state = _reopened(state, at) if state.closed else state
            state = marks.call_off(state, at, "asked", "they asked for another time")
            return state.but(callback_at=event.due or action.at or at, kept_back="")  # what keeps this call back is told anew
        case ev.SendLink():
            joins = request.action.join and state.booking is not None and marks.worded(state, "join")
            asks = request.action.address and marks.worded(state, "address")
            return marks.due(state, f"due/link/{request.id}", "join" if joins else "address" if asks else "link")
        case ev.Attend() as action:
            return attendance.told_of(state, at, action)
        case ev.Confirm() if state.booking:
            return meetings.meeting_confirmed(state, ev.MeetingConfirmed(at=at, booking=state.booking.id))
        case ev.HandOff() as action:
            return handed_off(state, at, request.id, action)
        case ev.Decline() as action:
            reason = _misfit(state, request) if action.disposition == "not_fit" else ""
            if action.disposition == "wrong_person":
                state = numbers.wrong(state, at, request.id)
            return marks.closing(state, at, action.disposition, reason or action.words)
        case ev.Task() as action:
            state = marks.errand(
                state, at, f"task:{request.id}", f"{name(state)} wants to know: {action.what}", marks.quoted(action.words),
                reach(state),
            )  # fmt: skip
            theirs = f" They said: {action.words}" if action.words and action.words not in action.what else ""
            return review.file(state, "task", at, request.id, f"{action.what}{theirs}")
        case ev.Refer() as action:
            return _referred(state, at, request.id, action)
        case _:
            return state


def _reopened(state: Lead, at: datetime) -> Lead:
    """A closed lead that wants to be called is open again where its cadence stood: a promise to one that stays closed
    would never be kept. What came of its meeting is settled."""
    held = state.attendance is not None and state.attendance.present
    state = state.but(closed_at=None, disposition="", reason="", pass_began=at)
    if held:
        state = state.but(booking=None, missed=None, attendance=None)
    state = marks.reach(state, "contacted", at, back=True)
    return marks.note(state, at, "reopened", "asked to be called back")


def handed_off(state: Lead, at: datetime, request: str, action: ev.HandOff) -> Lead:
    title = f"Complaint: {name(state)}" if action.complaint else f"{name(state)} wants a person"
    state = marks.errand(
        state, at, f"handoff:{request}", title, action.why, marks.quoted(action.words), *told(state), reach(state),
        urgent=action.complaint, acts=("take-over", "release"),
    )  # fmt: skip
    state = review.file(state, "complaint" if action.complaint else "handoff", at, request, action.words or action.why)
    return state.but(taken_over_by=state.owner or "team")


def _referred(state: Lead, at: datetime, request: str, action: ev.Refer) -> Lead:
    """Somebody else is the right one: a person takes it up with them, and this lead is not called again."""
    who = ", ".join(filter(None, (action.name, action.contact)))
    state = marks.errand(
        state, at, f"refer:{request}", f"{name(state)} refers us to {who or 'somebody else'}", marks.quoted(action.words),
        f"Asked for by {name(state)}" + (f", {state.person.company}" if state.person and state.person.company else ""),
    )  # fmt: skip
    given = "a right person was named" if who else "somebody else is the right person"
    state = review.file(state, "referral", at, request, who or action.words)
    return marks.closing(state, at, "wrong_person", f"{given}; a colleague takes it up")


def _observed(state: Lead, at: datetime, request: ev.ActionAsked) -> Lead:
    """What the agent would have done is a person's to do."""
    state = marks.errand(
        state, at, f"observed:{request.id}", f"Yours to do for {name(state)}: {marks.meant(state, request.action)}",
        "The agent would have done this; the playbook leaves it to you.", *_grounds(request.verdict), reach(state),
    )  # fmt: skip
    return review.file(state, "observed", at, request.id, marks.meant(state, request.action))


# ---- what waits for a person's word ------------------------------------------------------------------------------


def action_deferred(state: Lead, event: ev.ActionDeferred) -> Lead:
    request = next((r for r in state.requests if r.id == event.request), None)
    if request is None:
        return state
    what = marks.meant(state, request.action, event.slot)
    until = written_time(event.until, state.zone)
    booking = state.booking.id if state.booking else ""
    waiting = Approval(request=request, until=event.until, slot=event.slot, booking=booking)
    state = marks.note(
        state, event.at, "approval", f"waits for a person until {until}: {what}", "autonomy_propose",
        request=request.id, attempt=request.attempt,
    )  # fmt: skip
    state = marks.errand(
        state, event.at, f"approval:{request.id}", f"Approve for {name(state)}? {marks.begun(what)}",
        f"Until {until}; without a word from you it is not done.", *_grounds(request.verdict),
        acts=("approve", "reject", "take-over"), request=request.id,
    )  # fmt: skip
    state = review.file(state, "approval", event.at, request.id, what, event.until)
    state = state.but(approvals=(*state.approvals, waiting))
    told = Answer(allowed=False, rule="autonomy_propose", detail=f"waits for a person until {until}")
    return marks.answer(state, request.id, told)


def action_decided(state: Lead, event: ev.ActionDecided) -> Lead:
    waiting = next((a for a in state.approvals if a.request.id == event.request), None)
    if waiting is None:
        return state
    rest = tuple(a for a in state.approvals if a is not waiting)
    what = marks.meant(state, waiting.request.action, waiting.slot)
    way: Way = "approve" if event.approved else "reject"
    state = review.settle(
        state.but(approvals=rest), "approval", event.request, at=event.at, way=way, by=event.by, words=event.words
    )
    if not event.approved:
        return _dropped(state, event, what)
    state = marks.note(
        state, event.at, "approval", f"approved by {event.by}: {what}", "approved", request=event.request,
        words=event.words,
    )  # fmt: skip
    again = waiting.request.model_copy(
        update={"id": approved(event.request), "at": event.at, "action": _as_approved(waiting), "version": 0,
                "approved_by": event.by or "a person"},
    )  # fmt: skip
    if (state.booking.id if state.booking else "") != waiting.booking:
        state = marks.note(state, event.at, "action", f"no longer done: {what}", "stale_version")
        return marks.answer(state, again.id, Answer(allowed=False, rule="stale_version", detail="the meeting changed"))
    return state.but(requests=(*state.requests, again))


def approved(request: str) -> str:
    """The id under which an approved request is performed: a repeated approval meets its answer."""
    return f"{request}:approved"


def _as_approved(waiting: Approval) -> ev.Action | ev.Undo:
    """The action as it can be done after the talk: a slot by its instant, since other times may have been offered
    since; times to offer as the link where they stand."""
    if waiting.slot is not None:
        return ev.Book(slot=f"{waiting.slot.rep}@={waiting.slot.start.isoformat()}")
    return ev.SendLink() if waiting.request.action.kind == "offer_slots" else waiting.request.action


def _dropped(state: Lead, event: ev.ActionDecided, what: str) -> Lead:
    who = f"rejected by {event.by}" if event.by else "nobody approved it in time"
    rule = "rejected" if event.by else "deadline"
    state = marks.note(
        state, event.at, "approval", f"not done, {who}: {what}", rule, request=event.request, words=event.words
    )
    state = marks.errand(
        state, event.at, f"dropped:{event.request}", f"Not done for {name(state)}: {what}", f"{marks.begun(who)}.",
        "They were told that a colleague gets back to them." if event.text else "", reach(state),
    )  # fmt: skip
    if event.text and not state.opted_out_at and not state.closed:
        due = DueText(key=f"due/dropped/{event.request}", message=event.text)
        state = state.but(due_texts=(*state.due_texts, due))
    return review.file(state, "not_approved", event.at, event.request, what)


# ---- in words ----------------------------------------------------------------------------------------------------


def name(state: Lead) -> str:
    return marks.name(state) or "a lead"


def told(state: Lead) -> tuple[str, ...]:
    """What they said of themselves, as lines of a card, with the words that show it."""
    return tuple(
        f"{marks.begun(fact.field.replace('_', ' '))}: {fact.value}" + (f" ({marks.quoted(fact.quote)})" if fact.quote else "")
        for fact in state.learned.values()
    )


def reach(state: Lead) -> str:
    person = state.person
    if person is None:
        return ""
    return "; ".join(filter(None, (person.company, f"Phone: {person.phone}" if person.phone else "", person.email)))


def _whose(request: ev.ActionAsked) -> str:
    return f"{request.by}, approved by {request.approved_by}" if request.approved_by else request.by


def _grounds(verdict: ev.Verdict | None) -> tuple[str, ...]:
    """What the agent went by, as lines of a card."""
    if verdict is None:
        return ()
    weighed = f"Evidence {verdict.value:.2f} of {verdict.threshold:.2f} needed" if verdict.value is not None else ""
    return (*(marks.quoted(words) for words in verdict.evidence), weighed if verdict.threshold else "")


def _misfit(state: Lead, request: ev.ActionAsked) -> str:
    """Which criterion they failed, and on whose word: as it is known here, else as the conversation knew it, whose
    report of the last answer may still be on its way."""
    book = registered().get(state.playbook)
    against = tuple(c.in_words for c in fit_of(state, book).against) if book else ()
    return "; ".join(against or (request.verdict.evidence if request.verdict else ()))
