"""What happens on the phone, from the dial that was decided on to the carrier's last word."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .. import events as ev
from .. import refusals, review
from ..effects import CallNote
from ..lead import Broken, Lead, LiveCall, Owed, touch_of
from ..messages import Touched
from ..transfers import missed
from . import cadence, known, mails, marks, suspension, transfers

_MOST_SIGNS = 40


def _learn(state: Lead, at: datetime, event: ev.CallLearned | ev.ConversationEnded) -> Lead:
    objections = dict(state.objections)
    for name in event.objections:
        objections[name] = objections.get(name, 0) + 1
    learned = {**state.learned, **{f.field: f for f in event.learned}}
    state = state.but(learned=learned, objections=objections, signs=(*state.signs, *event.signs)[-_MOST_SIGNS:])
    state = _concerned(state, at, event)
    if state.person:
        blank: dict[str, Any] = {
            name: learned[name].value
            for name in ("name", "email", "company")
            if name in learned and not getattr(state.person, name)
        }
        if blank:
            state = state.but(person=state.person.model_copy(update=blank), person_version=state.version)
    state = mails.readdressed(state, at, event.learned)
    if event.learned or event.signs:
        state = marks.reach(state, "contacted", at).but(reached=True)
    if any(s.sign == "commitment" and s.strength >= 0.5 for s in event.signs):
        state = marks.reach(state, "interested", at)
    if state.booking and any(s.sign == "confirmation" and s.about == "booking" for s in event.signs):
        state = marks.reach(state, "confirmed", at)
    for fact in event.learned:
        state = review.weigh(state, at, event.attempt, fact)
        state = marks.note(
            state, at, "learned", f"learned {fact.field.replace('_', ' ')}", source=fact.source, attempt=event.attempt
        )
    return state


def _concerned(state: Lead, at: datetime, event: ev.CallLearned | ev.ConversationEnded) -> Lead:
    """Their concerns as they stand now; each change of one is a line of the story."""
    for concern in event.concerns:
        before = state.concerns.get(concern.name)
        if before == concern:
            continue
        state = state.but(concerns={**state.concerns, concern.name: concern})
        if before is None or before.status != concern.status:
            name = concern.name.replace("_", " ")
            state = marks.note(
                state, at, "concern", f"concern about {name}: {concern.status}", raised=concern.raised,
                answered=concern.answered, attempt=event.attempt,
            )  # fmt: skip
    return state


def dial_queued(state: Lead, event: ev.DialQueued) -> Lead:
    touched = Touched(attempt=event.attempt, touch=event.touch, channel="call", at=event.at, outcome="queued")
    call = LiveCall(attempt=event.attempt, since=event.at, touch=event.touch)
    state = state.but(touches=(*state.touches, touched), call=call, dials=state.dials + 1)
    return marks.reach(state, "attempting", event.at)


def call_placed(state: Lead, event: ev.CallPlaced) -> Lead:
    state = known.heeded(state, event.at, event.known)
    touch = touch_of(state, event.attempt)
    state = refusals.lifted(marks.milestone(state, "first_ring", event.at), "call")
    if touch and touch.outcome == "queued":
        state = marks.touch(state, event.attempt, outcome="placed", sid=event.sid, at=event.at)
        state = marks.note(
            state, event.at, "call_placed", f"dialled: {marks.plain(touch.touch)}", attempt=event.attempt, sid=event.sid
        )
    elif touch and not touch.sid:
        state = marks.touch(state, event.attempt, sid=event.sid)
    if state.call and state.call.attempt == event.attempt:
        # Whenever the call is seen, its deadline counts anew: the carrier said that it goes on.
        changes: dict[str, Any] = {"sid": event.sid, "since": event.at, "queued": event.queued}
        if state.call.state in ("queued", "ambiguous"):
            changes["state"] = "placed"
        state = state.but(call=state.call.model_copy(update=changes))
        state = review.settle(state, "ambiguous_dial", event.attempt)
    strays = tuple(
        c.model_copy(update={"sid": event.sid, "state": "placed", "since": event.at})
        if c.attempt == event.attempt
        else c
        for c in state.strays
    )
    state = state.but(strays=strays)
    return marks.advance(state, touch.touch, event.at) if touch and touch.outcome == "queued" else state


def _drop_call(state: Lead, attempt: str) -> Lead:
    return state.but(
        call=None if state.call and state.call.attempt == attempt else state.call,
        strays=tuple(c for c in state.strays if c.attempt != attempt),
    )


def _as_new(state: Lead) -> Lead:
    """Whom nothing has reached in this life is as new as before, and of whom nothing ever did, no attempt is counted."""
    made = [touch for touch in state.touches if not touch.outcome.startswith("not ")]
    if state.stage != "attempting" or any(touch.at >= (state.life_began or touch.at) for touch in made):
        return state
    state = state.but(stage="new")
    if made or state.furthest != "attempting":
        return state
    reached = {stage: at for stage, at in state.milestones.items() if stage != "attempting"}
    return state.but(furthest="new", milestones=reached)


def call_not_placed(state: Lead, event: ev.CallNotPlaced) -> Lead:
    touch = touch_of(state, event.attempt)
    if touch is None or touch.outcome not in ("queued", "ambiguous"):
        return state
    state = _drop_call(marks.touch(state, event.attempt, outcome=f"not placed: {event.why}"), event.attempt)
    if event.uncounted and not event.permanent:
        state = _as_new(state)
    why = refusals.told(event.refusal) if event.refusal else refusals.held(event.why)
    state = marks.note(state, event.at, "not_called", f"not dialled: {why}", event.why, attempt=event.attempt)
    state = known.heeded(state, event.at, event.known)
    if event.why == "opted_out":
        return marks.opt_out(state, event.at, "", kept=True)
    if event.known is not None and event.known.outcome == "read" and event.why.startswith("crm_"):
        return state  # the plan heeds it
    if event.held:
        return state.but(held_scope=event.held)
    if event.permanent:
        state = marks.card(state, f"refused:{event.attempt}", "The number cannot be called", event.why)
        state = marks.touch(state, event.attempt, refused=True)
        state = review.file(state, "number_refused", event.at, words=event.why)
        return marks.advance(state, touch.touch, event.at)
    if event.why == "no_longer_wanted":
        return state
    if event.refusal and event.why != refusals.OURS:
        return refusals.barred(state, event.at, "call", "solicit", event.refusal)
    return marks.later(state, event.at, event.wait)


def call_ambiguous(state: Lead, event: ev.CallAmbiguous) -> Lead:
    touch = touch_of(state, event.attempt)
    if touch is None or touch.outcome != "queued":
        return state
    state = marks.touch(state, event.attempt, outcome="ambiguous", at=event.at)
    if state.call and state.call.attempt == event.attempt:
        state = state.but(call=state.call.model_copy(update={"state": "ambiguous", "since": event.at}))
    state = marks.note(
        state,
        event.at,
        "ambiguous",
        "nobody knows yet whether this dial went out",
        "ambiguous",
        attempt=event.attempt,
    )
    state = review.file(state, "ambiguous_dial", event.at, event.attempt)
    return marks.advance(state, touch.touch, event.at)


def call_connected(state: Lead, event: ev.CallConnected) -> Lead:
    known = touch_of(state, event.attempt)
    if event.inbound:
        if known is None:
            touched = Touched(
                attempt=event.attempt,
                touch="inbound",
                channel="call",
                at=event.at,
                outcome="connected",
                sid=event.sid,
            )
            state = state.but(touches=(*state.touches, touched))
            state = marks.note(state, event.at, "call_inbound", "rang us", attempt=event.attempt, sid=event.sid)
        if state.call and not state.call.inbound and state.call.attempt != event.attempt:
            state = state.but(strays=(*state.strays, state.call))
        before = state.call.transfer if state.call and state.call.attempt == event.attempt else None
        state = state if state.call and state.call.attempt == event.attempt else transfers.replaced(state)
        call = LiveCall(
            attempt=event.attempt, state="connected", since=event.at, sid=event.sid, inbound=True, transfer=before,
            transfers=event.transfers,
        )  # fmt: skip
        state = marks.call_off(state, event.at, "rang_us", "they rang us themselves")
        return marks.reach(state.but(call=call), "contacted", event.at).but(reached=True)
    if known is None or state.call is None or state.call.attempt != event.attempt:
        return state
    if known.sid and event.sid and known.sid != event.sid:
        return state  # not the call that was placed for this attempt: it is refused, and hears of nobody
    if state.call.state == "connected":
        return marks.note(state, event.at, "reconnected", "the line to the call was restored", attempt=event.attempt)
    if known.outcome in ("queued", "ambiguous"):
        state = marks.advance(marks.milestone(state, "first_ring", event.at), known.touch, event.at)
        state = review.settle(state, "ambiguous_dial", event.attempt)
    call = LiveCall(
        attempt=event.attempt,
        state="connected",
        since=event.at,
        sid=event.sid or known.sid,
        touch=known.touch,
        transfers=event.transfers,
        transfer=state.call.transfer if state.call else None,
    )
    state = marks.touch(state.but(call=call), event.attempt, outcome="connected", sid=event.sid or known.sid)
    return marks.note(state, event.at, "call_answered", "the call was answered", attempt=event.attempt)


def call_learned(state: Lead, event: ev.CallLearned) -> Lead:
    return _learn(state, event.at, event)


def conversation_ended(state: Lead, event: ev.ConversationEnded) -> Lead:
    touch = touch_of(state, event.attempt)
    told = f"talk:{event.attempt}"
    if touch is None or told in state.seen:
        return state
    through = event.outcome == "transferred"  # the talk may go on, if nobody picks up
    state = _learn(state if through else state.but(seen=(*state.seen, told)[-marks.KEPT_IDS :]), event.at, event)
    outcome: str = "talked" if through else event.outcome
    if outcome == "talked" or (event.outcome == "dropped" and any(x.who == "lead" for x in event.transcript)):
        state = marks.reach(state, "contacted", event.at).but(reached=True)
    state = cadence.heard(state, event.at, (x.text for x in event.transcript if x.who == "lead"), aloud=True)
    state = _broke_off(state, event, touch)
    note = CallNote(
        attempt=event.attempt, sid=touch.sid, at=touch.at, inbound=touch.touch == "inbound", disposition=outcome,
        transcript=event.transcript, verdicts=event.verdicts, timings=event.timings, concerns=event.concerns,
        path=event.path, moments=event.moments,
        tokens_in=event.tokens_in, tokens_out=event.tokens_out,
    )  # fmt: skip
    note = transfers.talked(state, event.attempt, note)
    if _is_over(touch):  # the carrier's word was quicker than ours
        note = note.model_copy(update={"seconds": touch.seconds, "status": "completed"})
        others = tuple(o for o in state.owed if not (o.call and o.call.attempt == event.attempt))
        state = marks.touch(state, event.attempt, outcome=f"{outcome}, over")
        state = state.but(owed=(*others, Owed(version=state.version, call=note)))
    else:
        state = marks.touch(state.but(talks={**state.talks, event.attempt: note}), event.attempt, outcome=outcome)
    state = review.sample(state, event)
    back = through and missed(state, event.attempt) is not None
    if state.call and state.call.attempt == event.attempt and not back:
        state = state.but(call=state.call.model_copy(update={"state": "ended"}))
    if outcome == "paused":
        state = marks.owe_callback(state, event.at)
    state = suspension.overheard(state, event, touch)
    return marks.note(
        state, event.at, "conversation", f"conversation over: {outcome}", attempt=event.attempt, node=event.node,
        tokens_in=event.tokens_in, tokens_out=event.tokens_out,
    )  # fmt: skip


def _broke_off(state: Lead, event: ev.ConversationEnded, touch: Touched) -> Lead:
    """Remember where a talk broke off; one that came to its close settles what broke off before. The call that takes
    it up again is not taken up itself, but what it came to is kept."""
    if event.outcome in ("talked", "paused", "transferred"):
        return state.but(broken=None)
    if event.outcome != "dropped":
        return state
    known = state.broken
    again = known is not None and touch.touch == known.touch
    attempt = known.attempt if known is not None and again else event.attempt
    return state.but(broken=Broken(attempt=attempt, node=event.node, at=event.at))


_OVER = ("no-answer", "busy", "failed", "canceled", "unknown", "over")


def _is_over(touch: Touched) -> bool:
    return touch.outcome in _OVER or touch.outcome.endswith(", over")


def call_ended(state: Lead, event: ev.CallEnded) -> Lead:
    touch = touch_of(state, event.attempt)
    if touch is None or (_is_over(touch) and touch.outcome != "unknown"):
        return _drop_call(state, event.attempt)
    if touch.outcome.startswith("not placed") and event.status == "canceled":
        return _drop_call(state, event.attempt)
    state = marks.milestone(state, "first_ring", event.at) if touch.touch != "inbound" else state
    # A carrier may be slower than our patience, or have taken a dial that we believed lost.
    if touch.outcome in ("queued", "ambiguous", "unknown") or touch.outcome.startswith("not placed"):
        state = state if touch.outcome == "unknown" else marks.advance(state, touch.touch, event.at)
        state = review.settle(state, "ambiguous_dial", event.attempt)
    state = transfers.call_over(state, event.at, event.attempt)
    note = state.talks.get(event.attempt)
    outcome: str = event.status
    if event.status == "completed" and note:
        outcome = f"{note.disposition}, over"
    elif event.status == "completed":
        outcome = "voicemail, over" if event.answered_by.startswith(("machine", "fax")) else "over"
    state = marks.touch(state, event.attempt, outcome=outcome, sid=event.sid or touch.sid, seconds=event.seconds)
    note = (note or CallNote(attempt=event.attempt, sid=event.sid, at=touch.at, inbound=touch.touch == "inbound")).model_copy(
        update={"sid": event.sid or touch.sid, "seconds": event.seconds, "status": event.status,
                "disposition": outcome.removesuffix(", over")},
    )  # fmt: skip
    talks = {k: v for k, v in state.talks.items() if k != event.attempt}
    state = _drop_call(
        state.but(talks=talks, owed=(*state.owed, Owed(version=state.version, call=note))), event.attempt
    )
    state = state.but(last_over_at=event.at)
    return marks.note(
        state, event.at, "call_ended", "call over" + (f": {outcome.removesuffix(', over')}" if outcome != "over" else ""), attempt=event.attempt,
        sid=event.sid, seconds=event.seconds, outcome=outcome.removesuffix(", over"),
    )  # fmt: skip


def call_unknown(state: Lead, event: ev.CallUnknown) -> Lead:
    touch = touch_of(state, event.attempt)
    if touch is not None and touch.outcome == "queued":
        state = marks.advance(state, touch.touch, event.at)
    state = transfers.call_over(state, event.at, event.attempt)
    state = _drop_call(marks.touch(state, event.attempt, outcome="unknown"), event.attempt)
    state = marks.note(
        state, event.at, "ambiguous", "the carrier knows of no such call; it counts as an attempt", "ambiguous",
        attempt=event.attempt,
    )  # fmt: skip
    return review.file(state.but(last_over_at=event.at), "ambiguous_dial", event.at, event.attempt)


def call_cancelled(state: Lead, event: ev.CallCancelled) -> Lead:
    call, touch = state.call, touch_of(state, event.attempt)
    if call and call.queued and call.attempt == event.attempt and touch:
        return _never_dialled(state, event.at, touch)
    state = marks.note(state, event.at, "call_cancelled", "ended the call through the carrier", attempt=event.attempt)
    if touch and touch.outcome in ("queued", "placed", "ambiguous"):
        state = marks.touch(state, event.attempt, outcome="canceled")
        if touch.sid:  # it rang: whether the carrier's own word comes before ours or after must not matter
            rang = CallNote(
                attempt=event.attempt, sid=touch.sid, at=touch.at, status="canceled", disposition="canceled"
            )
            state = state.but(owed=(*state.owed, Owed(version=state.version, call=rang)))
    elif touch and state.held_by:
        state = marks.owe_callback(state, event.at)
    return _drop_call(state, event.attempt)


def _never_dialled(state: Lead, at: datetime, touch: Touched) -> Lead:
    """It was taken out of the carrier's own queue: nobody's phone rang, and the touch is still due."""
    state = _drop_call(marks.touch(state, touch.attempt, outcome="not placed: late"), touch.attempt)
    state = marks.note(state, at, "not_called", "not dialled: it stood too long in the carrier's queue", "late", attempt=touch.attempt)
    state = marks.give_back(state, touch.touch, at)
    return marks.later(state, at)
