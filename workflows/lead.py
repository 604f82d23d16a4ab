"""A lead: what is true now, as the fold of everything that happened (``apply``).

Pure: the same code runs in Temporal, in property tests and over recorded leads. ``workflows/plan.py`` decides from
this state what to do next.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from . import events as ev
from .effects import CallNote, Card, Entry
from .messages import Answer, Touched
from .model import Instant, Model
from .reading import is_confirmation, is_opt_out
from .rules import zones_of
from .wording import written_time

Stage = Literal[
    "new", "attempting", "contacted", "interested", "qualified", "booked", "confirmed", "rescheduled", "recovered",
    "no_show", "showed", "closed",
]  # fmt: skip

_LADDER = ("new", "attempting", "contacted", "interested", "qualified", "booked", "confirmed", "showed")
"""The stages of a straight way up; the furthest of these is what the funnel counts."""
_RANK = {stage: rank for rank, stage in enumerate(_LADDER)} | {
    "rescheduled": 5,
    "recovered": 5,
    "no_show": 5,
    "closed": -1,
}

_KEPT_IDS = 200
"""How many ids of past callbacks, messages and requests are kept to recognise a repeat."""
_KEPT_ANSWERS = 40
_BACKOFF = (2, 5, 15, 60, 300)
"""Seconds until a dial or text that surely did not go out (carrier down, 429) is planned anew, by failures in a row."""


class LiveCall(Model):
    """A call under way. ``state``: queued (asked of the carrier), placed, ambiguous, connected, ended (the gateway's
    last word is in, the carrier's is not)."""

    attempt: str
    state: Literal["queued", "placed", "ambiguous", "connected", "ended"] = "queued"
    since: Instant
    """When this state began: deadlines count from here."""
    sid: str = ""
    inbound: bool = False
    touch: str = ""


class DueText(Model):
    """A text that answers something: due at once."""

    key: str
    message: str


class Owed(Model):
    """Something the next reflection carries to the CRM or the reps' channel."""

    version: int
    call: CallNote | None = None
    card: Card | None = None


class Lead(Model):
    """The state. Instants are UTC; counts and ids are ours unless they say whose."""

    lead: str
    audience: str
    playbook: str
    version: int = 0
    settled: int = 0
    """The version at which booking, consent or ownership last changed: what was authorised on an older one is stale."""

    stage: Stage = "new"
    furthest: str = "new"
    milestones: dict[str, Instant] = Field(default_factory=dict)
    disposition: ev.Disposition = ""
    reason: str = ""
    closed_at: Instant | None = None

    person: ev.Form | None = None
    handles: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    zone: str = "UTC"
    submissions: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()

    touches: tuple[Touched, ...] = ()
    dials: int = 0
    pass_no: int = 0
    pass_kind: Literal["first", "recovery"] = "first"
    pass_began: Instant | None = None
    next_touch: int = 0
    last_touch_at: Instant | None = None
    """When the last touch of ours went out: the cadence counts from here."""
    last_over_at: Instant | None = None
    """When the last call was over: the least gap counts from here too."""
    not_before: Instant | None = None
    failures: int = 0
    reached: bool = False
    texted_back: bool = False
    callback_at: Instant | None = None

    call: LiveCall | None = None
    strays: tuple[LiveCall, ...] = ()
    """Calls that must not go on: they are ended through the carrier."""
    talks: dict[str, CallNote] = Field(default_factory=dict)
    """What the gateway said of calls whose end the carrier has not reported yet."""

    requests: tuple[ev.ActionAsked, ...] = ()
    answers: dict[str, Answer] = Field(default_factory=dict)
    offered: tuple[ev.Slot, ...] = ()
    refused: tuple[str, ...] = ()
    booking: ev.Booking | None = None
    booked_at: Instant | None = None
    missed: ev.Booking | None = None
    bookings: int = 0
    moves: int = 0
    reminded: tuple[str, ...] = ()
    due_texts: tuple[DueText, ...] = ()
    attendance: ev.AttendanceReported | None = None
    outcome_due: bool = False

    learned: dict[str, ev.Learned] = Field(default_factory=dict)
    signs: tuple[ev.Sign, ...] = ()
    objections: dict[str, int] = Field(default_factory=dict)

    opted_out_at: Instant | None = None
    opt_out_words: str = ""
    opt_out_kept: bool = False
    taken_over_by: str = ""
    held_by: str = ""
    held_scope: str = ""
    owner: str = ""
    crm_contact: str = ""
    review: str = ""
    kept_back: str = ""
    """The rule that keeps the next touch back now."""

    entries: tuple[Entry, ...] = ()
    owed: tuple[Owed, ...] = ()
    person_version: int = 0
    reflected: int = 0
    """The version that record, CRM and reps' channel were last brought up to."""
    reflected_stage: str = ""

    @property
    def closed(self) -> bool:
        return self.closed_at is not None

    @property
    def phone(self) -> str:
        return self.person.phone if self.person else ""

    def but(self, **changes: Any) -> Lead:
        """This state with ``changes``."""
        return self.model_copy(update=changes)


def apply(state: Lead, event: ev.Event) -> Lead:
    """``state`` after ``event``; the version counts up by one, also for a repeat that changes nothing else."""
    state = state.but(version=state.version + 1)
    if event.id and event.kind not in ("action_asked", "form_submitted"):
        if event.id in state.seen:
            return state
        state = state.but(seen=(*state.seen, event.id)[-_KEPT_IDS:])
    return _HANDLERS[event.kind](state, event)


# ---- small steps that several events share ----------------------------------------------------------------------


def _note(state: Lead, at: datetime, kind: str, text: str, rule: str = "", **data: object) -> Lead:
    entry = Entry(
        at=at, kind=kind, version=state.version, text=text, rule=rule,
        data={k: str(v) for k, v in data.items() if v not in ("", None)},
    )  # fmt: skip
    return state.but(entries=(*state.entries, entry))


def _plain(touch: str) -> str:
    """``cadence/1/0/call_1`` as people say it: call 1."""
    return touch.rsplit("/", 1)[-1].replace("_", " ") if touch.startswith("cadence/") else touch.partition("/")[0]


def _name(state: Lead) -> str:
    return state.person.name if state.person else ""


def _card(state: Lead, key: str, title: str, *lines: str) -> Lead:
    card = Card(
        key=f"{state.lead}:{key}",
        title=title,
        lines=tuple(filter(None, lines)),
        rep=state.owner,
        lead=state.lead,
    )
    return state.but(owed=(*state.owed, Owed(version=state.version, card=card)))


def _milestone(state: Lead, name: str, at: datetime) -> Lead:
    return state if name in state.milestones else state.but(milestones={**state.milestones, name: at})


def _reach(state: Lead, stage: Stage, at: datetime, *, back: bool = False) -> Lead:
    """Move to ``stage``; never back down unless ``back``. A stage reached counts for those below it too, except that
    a call that somebody rang us with is no attempt of ours."""
    rank = _RANK[stage]
    for below in _LADDER[2 : rank + 1] if rank >= 2 and stage != "no_show" else ():
        if below == "confirmed" and stage != "confirmed":
            continue
        state = _milestone(state, below, at)
    state = _milestone(state, stage, at)
    if rank > _RANK[state.furthest]:
        state = state.but(furthest=_LADDER[rank])
    higher = rank > _RANK[state.stage] or (rank == _RANK[state.stage] and stage != state.stage)
    if back or (higher and not state.closed):  # a call's last words may come in after the lead closed
        state = state.but(stage=stage)
    return state


def _touch(state: Lead, attempt: str, **changes: Any) -> Lead:
    touches = tuple(t.model_copy(update=changes) if t.attempt == attempt else t for t in state.touches)
    return state.but(touches=touches)


def touch_of(state: Lead, attempt: str) -> Touched | None:
    """The touch of this attempt, if the lead knows it."""
    return next((t for t in reversed(state.touches) if t.attempt == attempt), None)


def _advance(state: Lead, touch: str, at: datetime) -> Lead:
    """A touch was made: what comes after it in the cadence is next."""
    state = state.but(last_touch_at=at, failures=0, not_before=None)
    return state.but(next_touch=state.next_touch + 1) if touch.startswith("cadence/") else state.but(callback_at=None)


def _later(state: Lead, at: datetime) -> Lead:
    wait = _BACKOFF[min(state.failures, len(_BACKOFF) - 1)]
    return state.but(failures=state.failures + 1, not_before=at + timedelta(seconds=wait))


def _answer(state: Lead, request: str, answer: Answer) -> Lead:
    answers = {**state.answers, request: answer.model_copy(update={"version": state.version})}
    return state.but(
        answers=dict(list(answers.items())[-_KEPT_ANSWERS:]),
        requests=tuple(r for r in state.requests if r.id != request),
    )


def _settle(state: Lead) -> Lead:
    return state.but(settled=state.version)


def _opt_out(state: Lead, at: datetime, words: str, kept: bool = False) -> Lead:
    """They want no more contact. A call of ours that is not a conversation yet becomes a stray."""
    if state.opted_out_at is None:
        state = _note(state, at, "opted_out", "asked not to be contacted again", "opt_out", words=words)
        state = _milestone(_settle(state.but(opted_out_at=at, opt_out_words=words)), "opted_out", at)
        if state.booking:
            line = "Do not call or text; the meeting is yours to keep or cancel."
            state = _card(state, "opted_out", "Opted out, meeting still stands", line)
    call = state.call
    if call and not call.inbound and call.state in ("queued", "placed", "ambiguous"):
        state = state.but(call=None, strays=(*state.strays, call))
    return state.but(opt_out_kept=state.opt_out_kept or kept, due_texts=(), callback_at=None)


def _learn(state: Lead, at: datetime, event: ev.CallLearned | ev.ConversationEnded) -> Lead:
    objections = dict(state.objections)
    for name in event.objections:
        objections[name] = objections.get(name, 0) + 1
    learned = {**state.learned, **{f.field: f for f in event.learned}}
    state = state.but(learned=learned, objections=objections, signs=(*state.signs, *event.signs)[-40:])
    if state.person:
        blank: dict[str, Any] = {
            name: learned[name].value
            for name in ("name", "email", "company")
            if name in learned and not getattr(state.person, name)
        }
        if blank:
            state = state.but(person=state.person.model_copy(update=blank), person_version=state.version)
    if event.learned or event.signs:
        state = _reach(state, "contacted", at).but(reached=True)
    if any(s.sign == "commitment" and s.strength >= 0.5 for s in event.signs):
        state = _reach(state, "interested", at)
    if state.booking and any(s.sign == "confirmation" and s.about == "booking" for s in event.signs):
        state = _reach(state, "confirmed", at)
    for fact in event.learned:
        state = _note(state, at, "learned", f"learned {fact.field}", source=fact.source, attempt=event.attempt)
    return state


# ---- the events, one function each ------------------------------------------------------------------------------


def _form_submitted(state: Lead, event: ev.FormSubmitted) -> Lead:
    form = event.form
    if state.version == 1 and event.memory:
        remembered = Lead.model_validate(event.memory)
        state = remembered.but(
            version=remembered.version + 1, lead=state.lead, playbook=state.playbook, audience=state.audience
        )
    if form.submission_id in state.submissions:
        return state
    known = state.person is not None
    kept = {k: v for k, v in state.person.model_dump().items() if v} if state.person else {}
    if known:
        # What the person was known by stays; the newer form wins where it says something.
        kept = kept | {k: v for k, v in form.model_dump().items() if v}
        kept["attributes"] = {**(state.person.attributes if state.person else {}), **form.attributes}
        person = ev.Form.model_validate(kept)
    else:
        person = form
    zones = zones_of(person.phone, person.region, person.zone)
    handles = tuple(dict.fromkeys([*state.handles, *filter(None, (form.phone_hash, form.email_hash))]))
    state = state.but(
        person=person, person_version=state.version, handles=handles, zones=zones,
        zone=person.zone or (zones[0] if zones else "UTC"), submissions=(*state.submissions, form.submission_id)[-50:],
    )  # fmt: skip
    state = _milestone(state, "form", event.at)
    state = _note(state, event.at, "form", f"form from {form.source or 'an unnamed source'}", source=form.source)
    if not known:
        return _reach(_milestone(state, "new", event.at), "new", event.at).but(pass_no=1, pass_began=event.at)
    if state.opted_out_at:
        return _note(state, event.at, "not_called", "sent a form after opting out", "opt_out").but(
            review="form_after_opt_out"
        )
    if state.closed:
        state = state.but(
            closed_at=None, disposition="", reason="", stage="new", pass_no=1, pass_kind="first",
            pass_began=event.at, next_touch=0, reached=False, texted_back=False, missed=None, booking=None,
            attendance=None, outcome_due=False, last_touch_at=None, last_over_at=None, not_before=None,
        )  # fmt: skip
        return _note(state, event.at, "reopened", "came back with a new form")
    if state.booking:
        return _card(
            state,
            f"again:{state.version}",
            "Sent the form again",
            "A meeting is booked already.",
            form.message,
        )
    return _note(state, event.at, "repeat", "the same person again: no second call", "one_lead")


def _dial_queued(state: Lead, event: ev.DialQueued) -> Lead:
    touched = Touched(attempt=event.attempt, touch=event.touch, channel="call", at=event.at, outcome="queued")
    call = LiveCall(attempt=event.attempt, since=event.at, touch=event.touch)
    state = state.but(touches=(*state.touches, touched), call=call, dials=state.dials + 1)
    return _reach(state, "attempting", event.at)


def _call_placed(state: Lead, event: ev.CallPlaced) -> Lead:
    touch = touch_of(state, event.attempt)
    state = _milestone(state, "first_ring", event.at)
    if touch and touch.outcome == "queued":
        state = _touch(state, event.attempt, outcome="placed", sid=event.sid, at=event.at)
        state = _note(
            state, event.at, "call_placed", f"dialled: {_plain(touch.touch)}", attempt=event.attempt, sid=event.sid
        )
    elif touch and not touch.sid:
        state = _touch(state, event.attempt, sid=event.sid)
    if state.call and state.call.attempt == event.attempt:
        changes: dict[str, Any] = {"sid": event.sid}
        if state.call.state in ("queued", "ambiguous"):
            changes |= {"state": "placed", "since": event.at}
        state = state.but(call=state.call.model_copy(update=changes))
        if state.review == "ambiguous_dial":
            state = state.but(review="")
    strays = tuple(
        c.model_copy(update={"sid": event.sid, "state": "placed"}) if c.attempt == event.attempt else c
        for c in state.strays
    )
    state = state.but(strays=strays)
    return _advance(state, touch.touch, event.at) if touch and touch.outcome == "queued" else state


def _drop_call(state: Lead, attempt: str) -> Lead:
    return state.but(
        call=None if state.call and state.call.attempt == attempt else state.call,
        strays=tuple(c for c in state.strays if c.attempt != attempt),
    )


def _call_not_placed(state: Lead, event: ev.CallNotPlaced) -> Lead:
    touch = touch_of(state, event.attempt)
    if touch is None or touch.outcome not in ("queued", "ambiguous"):
        return state
    state = _drop_call(_touch(state, event.attempt, outcome=f"not placed: {event.why}"), event.attempt)
    state = _note(state, event.at, "not_called", f"not dialled: {event.why}", event.why, attempt=event.attempt)
    if event.why == "opted_out":
        return _opt_out(state, event.at, "", kept=True)
    if event.held:
        return state.but(held_scope=event.held)
    if event.permanent:
        state = _card(state, f"refused:{event.attempt}", "The number cannot be called", event.why)
        return _advance(state, touch.touch, event.at).but(review="number_refused")
    if event.why == "no_longer_wanted":
        return state
    return _later(state, event.at)


def _call_ambiguous(state: Lead, event: ev.CallAmbiguous) -> Lead:
    touch = touch_of(state, event.attempt)
    if touch is None or touch.outcome != "queued":
        return state
    state = _touch(state, event.attempt, outcome="ambiguous", at=event.at)
    if state.call and state.call.attempt == event.attempt:
        state = state.but(call=state.call.model_copy(update={"state": "ambiguous", "since": event.at}))
    state = _note(
        state,
        event.at,
        "ambiguous",
        "nobody knows yet whether this dial went out",
        "ambiguous",
        attempt=event.attempt,
    )
    return _advance(state, touch.touch, event.at).but(review="ambiguous_dial")


def _call_connected(state: Lead, event: ev.CallConnected) -> Lead:
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
            state = _note(state, event.at, "call_inbound", "rang us", attempt=event.attempt, sid=event.sid)
        if state.call and not state.call.inbound and state.call.attempt != event.attempt:
            state = state.but(strays=(*state.strays, state.call))
        call = LiveCall(attempt=event.attempt, state="connected", since=event.at, sid=event.sid, inbound=True)
        return _reach(state.but(call=call, callback_at=None), "contacted", event.at).but(reached=True)
    if known is None or state.call is None or state.call.attempt != event.attempt:
        return state
    if state.call.state == "connected":
        return _note(state, event.at, "reconnected", "the line to the call was restored", attempt=event.attempt)
    if known.outcome in ("queued", "ambiguous"):
        state = _advance(_milestone(state, "first_ring", event.at), known.touch, event.at)
        state = state.but(review="" if state.review == "ambiguous_dial" else state.review)
    call = LiveCall(
        attempt=event.attempt,
        state="connected",
        since=event.at,
        sid=event.sid or known.sid,
        touch=known.touch,
    )
    state = _touch(state.but(call=call), event.attempt, outcome="connected", sid=event.sid or known.sid)
    return _note(state, event.at, "call_answered", "the call was answered", attempt=event.attempt)


def _call_learned(state: Lead, event: ev.CallLearned) -> Lead:
    return _learn(state, event.at, event)


def _conversation_ended(state: Lead, event: ev.ConversationEnded) -> Lead:
    touch = touch_of(state, event.attempt)
    told = f"talk:{event.attempt}"
    if touch is None or told in state.seen:
        return state
    state = _learn(state.but(seen=(*state.seen, told)[-_KEPT_IDS:]), event.at, event)
    outcome: str = event.outcome
    if event.outcome == "talked":
        state = _reach(state, "contacted", event.at).but(reached=True)
    note = CallNote(
        attempt=event.attempt, sid=touch.sid, at=touch.at, inbound=touch.touch == "inbound", disposition=outcome,
        transcript=event.transcript, verdicts=event.verdicts, timings=event.timings,
        tokens_in=event.tokens_in, tokens_out=event.tokens_out,
    )  # fmt: skip
    if _is_over(touch):  # the carrier's word was quicker than ours
        note = note.model_copy(update={"seconds": touch.seconds, "status": "completed"})
        others = tuple(o for o in state.owed if not (o.call and o.call.attempt == event.attempt))
        state = _touch(state, event.attempt, outcome=f"{outcome}, over")
        state = state.but(owed=(*others, Owed(version=state.version, call=note)))
    else:
        state = _touch(state.but(talks={**state.talks, event.attempt: note}), event.attempt, outcome=outcome)
    if state.call and state.call.attempt == event.attempt:
        state = state.but(call=state.call.model_copy(update={"state": "ended"}))
    return _note(
        state, event.at, "conversation", f"conversation over: {outcome}", attempt=event.attempt, node=event.node,
        tokens_in=event.tokens_in, tokens_out=event.tokens_out,
    )  # fmt: skip


_OVER = ("no-answer", "busy", "failed", "canceled", "unknown", "over")


def _is_over(touch: Touched) -> bool:
    return touch.outcome in _OVER or touch.outcome.endswith(", over")


def _call_ended(state: Lead, event: ev.CallEnded) -> Lead:
    touch = touch_of(state, event.attempt)
    if touch is None or _is_over(touch):
        return _drop_call(state, event.attempt)
    state = _milestone(state, "first_ring", event.at) if touch.touch != "inbound" else state
    if touch.outcome in ("queued", "ambiguous"):
        state = _advance(state, touch.touch, event.at)
        state = state.but(review="" if state.review == "ambiguous_dial" else state.review)
    note = state.talks.get(event.attempt)
    outcome: str = event.status
    if event.status == "completed" and note:
        outcome = f"{note.disposition}, over"
    elif event.status == "completed":
        outcome = "voicemail, over" if event.answered_by.startswith(("machine", "fax")) else "over"
    state = _touch(state, event.attempt, outcome=outcome, sid=event.sid or touch.sid, seconds=event.seconds)
    note = (note or CallNote(attempt=event.attempt, sid=event.sid, at=touch.at, inbound=touch.touch == "inbound")).model_copy(
        update={"sid": event.sid or touch.sid, "seconds": event.seconds, "status": event.status,
                "disposition": outcome.removesuffix(", over")},
    )  # fmt: skip
    talks = {k: v for k, v in state.talks.items() if k != event.attempt}
    state = _drop_call(
        state.but(talks=talks, owed=(*state.owed, Owed(version=state.version, call=note))), event.attempt
    )
    state = state.but(last_over_at=event.at)
    return _note(
        state, event.at, "call_ended", f"call over: {outcome.removesuffix(', over')}", attempt=event.attempt,
        sid=event.sid, seconds=event.seconds,
    )  # fmt: skip


def _call_unknown(state: Lead, event: ev.CallUnknown) -> Lead:
    state = _drop_call(_touch(state, event.attempt, outcome="unknown"), event.attempt)
    state = _note(
        state, event.at, "ambiguous", "the carrier knows of no such call; it counts as an attempt", "ambiguous",
        attempt=event.attempt,
    )  # fmt: skip
    return state.but(last_over_at=event.at, review="ambiguous_dial")


def _call_cancelled(state: Lead, event: ev.CallCancelled) -> Lead:
    state = _note(state, event.at, "call_cancelled", "ended the call through the carrier", attempt=event.attempt)
    touch = touch_of(state, event.attempt)
    if touch and touch.outcome in ("queued", "placed", "ambiguous"):
        state = _touch(state, event.attempt, outcome="canceled")
    return _drop_call(state, event.attempt)


def _made(state: Lead, event: ev.TextSent | ev.TextNotSent | ev.TextAmbiguous, outcome: str, sid: str = "") -> Lead:
    """A text went out, or is counted as if it had."""
    touched = Touched(
        attempt=event.touch,
        touch=event.message or event.touch,
        channel="text",
        at=event.at,
        outcome=outcome,
        sid=sid,
    )
    state = state.but(
        touches=(*state.touches, touched), due_texts=tuple(d for d in state.due_texts if d.key != event.touch),
        reminded=(*state.reminded, event.touch) if event.touch.startswith("reminder/") else state.reminded,
    )  # fmt: skip
    if event.touch.startswith("cadence/"):
        return _advance(state, event.touch, event.at)
    return state.but(failures=0, last_touch_at=event.at)


def _text_sent(state: Lead, event: ev.TextSent) -> Lead:
    state = _made(state, event, "sent", event.sid)
    return _note(
        state,
        event.at,
        "text_sent",
        f"texted: {event.message.replace('_', ' ')}",
        touch=event.touch,
        sid=event.sid,
        segments=event.segments,
    )


def _text_not_sent(state: Lead, event: ev.TextNotSent) -> Lead:
    state = _note(state, event.at, "not_texted", f"not texted: {event.why}", event.why, touch=event.touch)
    if event.why == "opted_out":
        return _opt_out(state, event.at, "", kept=True)
    if event.held:
        return state.but(held_scope=event.held)
    if event.permanent:
        return _made(state, event, f"not sent: {event.why}")
    return state if event.why == "no_longer_wanted" else _later(state, event.at)


def _text_ambiguous(state: Lead, event: ev.TextAmbiguous) -> Lead:
    state = _made(state, event, "ambiguous")
    return _note(
        state, event.at, "ambiguous", "nobody knows whether this text went out; it is not sent again", "ambiguous",
        touch=event.touch,
    ).but(review="ambiguous_text")  # fmt: skip


def _text_failed(state: Lead, event: ev.TextFailed) -> Lead:
    state = _touch(state, event.touch, outcome=f"failed: {event.code}")
    state = _note(state, event.at, "text_failed", f"text not delivered ({event.code})", touch=event.touch)
    return state.but(review="text_failed") if event.touch.startswith("due/") else state


def _message_received(state: Lead, event: ev.MessageReceived) -> Lead:
    if state.person is None:
        return state
    state = _note(state, event.at, "message", "texted us", chars=len(event.text))
    if is_opt_out(event.text):
        return _opt_out(state, event.at, event.text)
    state = _reach(state, "contacted", event.at).but(texted_back=True)
    if state.booking and is_confirmation(event.text):
        return _note(_reach(state, "confirmed", event.at), event.at, "confirmed", "confirmed the meeting by text")
    name = _name(state) or "A lead"
    return _card(state, f"text:{event.id or state.version}", f"{name} texted", f"“{event.text[:500]}”")


def _action_asked(state: Lead, event: ev.ActionAsked) -> Lead:
    if event.id in state.answers or any(r.id == event.id for r in state.requests):
        return state
    state = state.but(requests=(*state.requests, event))
    if event.attempt and event.action.kind in ("offer_slots", "book"):
        state = _reach(state, "qualified", event.at)
    if event.action.kind == "opt_out":
        state = _opt_out(state, event.at, event.action.words)
    return state


def _slots_found(state: Lead, event: ev.SlotsFound) -> Lead:
    ids = {s.id for s in event.slots}
    refused = tuple(dict.fromkeys([*state.refused, *(s.id for s in state.offered if s.id not in ids)]))[-60:]
    state = _note(
        state,
        event.at,
        "slots",
        f"offered {len(event.slots)} times" if event.slots else f"no time to offer: {event.why}",
    ).but(offered=event.slots, refused=refused)
    return _answer(
        state, event.request,
        Answer(allowed=bool(event.slots), rule="" if event.slots else "no_slots", detail=event.why, slots=event.slots),
    )  # fmt: skip


def _meeting_booked(state: Lead, event: ev.MeetingBooked) -> Lead:
    booking, moved = event.booking, state.booking is not None
    recovered = state.missed is not None
    request = next((r for r in state.requests if r.id == event.request), None)
    state = state.but(
        booking=booking, booked_at=event.at, bookings=state.bookings + 1, moves=state.moves + (1 if moved else 0),
        missed=None, offered=(), callback_at=None, owner=booking.rep, attendance=None, outcome_due=False,
        due_texts=(*state.due_texts, DueText(key=f"due/booked/{booking.id}", message="moved" if moved else "confirmation")),
    )  # fmt: skip
    state = _settle(state)
    state = _reach(state, "recovered" if recovered else "rescheduled" if moved else "booked", event.at, back=True)
    when = written_time(booking.start, state.zone)
    state = _note(
        state, event.at, "booked", f"{'moved to' if moved else 'booked'} {when} with {booking.rep_name}", booking.reason,
        booking=booking.id, by=request.by if request else "",
    )  # fmt: skip
    person = state.person
    state = _card(
        state, f"booked:{booking.id}", f"{'Meeting moved' if moved else 'Meeting booked'}: {person.name if person else ''}",
        f"{when} with {booking.rep_name}", person.company if person else "",
        *(f"{f.field.replace('_', ' ')}: {f.value}" for f in state.learned.values()), f"Why you: {booking.reason}",
    )  # fmt: skip
    if state.closed:
        state = state.but(closed_at=None, disposition="", reason="")
    return _answer(state, event.request, Answer(allowed=True, booking=booking))


def _booking_refused(state: Lead, event: ev.BookingRefused) -> Lead:
    state = _note(state, event.at, "booking_refused", f"not booked: {event.why}", "slot_taken")
    return _answer(state, event.request, Answer(allowed=False, rule="slot_taken", detail=event.why))


def _meeting_cancelled(state: Lead, event: ev.MeetingCancelled) -> Lead:
    if state.booking and state.booking.id == event.booking:
        name = _name(state)
        state = _card(state, f"cancelled:{event.booking}", f"Meeting cancelled: {name}", event.words)
        state = _settle(
            state.but(
                booking=None,
                due_texts=(
                    *state.due_texts,
                    DueText(key=f"due/cancelled/{event.booking}", message="cancelled"),
                ),
            )
        )
        state = _reach(state, "contacted", event.at, back=True)
        state = _note(state, event.at, "cancelled", "meeting cancelled", booking=event.booking, words=event.words)
    return _answer(state, event.request, Answer(allowed=True))


def _action_done(state: Lead, event: ev.ActionDone) -> Lead:
    request = next((r for r in state.requests if r.id == event.request), None)
    if request is None:
        return state
    action = request.action
    state = _note(
        state, event.at, "action", f"{action.kind.replace('_', ' ')} asked by {request.by}: "
        f"{'done' if event.allowed else 'denied'}", event.why, attempt=request.attempt,
    )  # fmt: skip
    if event.allowed and action.kind == "call_back":
        state = state.but(callback_at=action.at or event.at)
    if event.allowed and action.kind == "send_link":
        state = state.but(due_texts=(*state.due_texts, DueText(key=f"due/link/{request.id}", message="link")))
    if event.allowed and action.kind == "hand_off":
        name = _name(state) or "A lead"
        state = _card(
            state, f"handoff:{request.id}", f"{name} wants a person", action.why,
            f"“{action.words}”" if action.words else "", f"Phone: {state.phone}" if state.phone else "",
        )  # fmt: skip
        state = state.but(taken_over_by=state.owner or "team", review="handoff")
    if action.kind == "decline" and event.allowed:
        state = _closing(state, event.at, action.disposition, action.words)
    return _answer(state, event.request, Answer(allowed=event.allowed, rule=event.why))


def _meeting_confirmed(state: Lead, event: ev.MeetingConfirmed) -> Lead:
    if state.booking is None or state.booking.id != event.booking:
        return state
    return _note(_reach(state, "confirmed", event.at), event.at, "confirmed", f"meeting confirmed by {event.by}")


_STRENGTH = {"absent": 0, "join_link": 1, "rep": 2}


def _attendance_reported(state: Lead, event: ev.AttendanceReported) -> Lead:
    meeting = next((b for b in (state.booking, state.missed) if b and b.id == event.booking), None)
    known = state.attendance if state.attendance and state.attendance.booking == event.booking else None
    if meeting is None or (
        known and (_STRENGTH[known.source] > _STRENGTH[event.source] or known.present == event.present)
    ):
        return state
    state = state.but(attendance=event, outcome_due=not event.present or known is not None)
    state = _note(
        state, event.at, "attendance", f"{'came' if event.present else 'did not come'} ({event.source.replace('_', ' ')})",
        event.source, booking=event.booking, by=event.by,
    )  # fmt: skip
    if event.present:
        state = state.but(booking=meeting, missed=None)
        return _settle(_reach(state, "showed", event.at, back=True))
    state = state.but(
        booking=None, missed=meeting, closed_at=None, disposition="", reason="", pass_began=None, not_before=None,
        due_texts=(),
    )  # fmt: skip
    name = _name(state)
    state = _card(state, f"missed:{event.booking}", f"No-show: {name}", "We are trying to reach them.")
    return _settle(_reach(state, "no_show", event.at, back=True))


def _opt_out_kept(state: Lead, event: ev.OptOutKept) -> Lead:
    state = state.but(opt_out_kept=True)
    for request in state.requests:
        if request.action.kind == "opt_out":
            state = _answer(state, request.id, Answer(allowed=True))
    return state


def _taken_over(state: Lead, event: ev.TakenOver) -> Lead:
    state = _note(state, event.at, "taken_over", f"taken over by {event.by}", "taken_over")
    return _settle(state.but(taken_over_by=event.by, due_texts=()))


def _released(state: Lead, event: ev.Released) -> Lead:
    state = _note(state, event.at, "released", f"released by {event.by}")
    review = "" if state.review == "handoff" else state.review
    return _settle(state.but(taken_over_by="", review=review, last_over_at=event.at))


def _held(state: Lead, event: ev.Held) -> Lead:
    return _note(state.but(held_by=event.by), event.at, "held", f"paused by {event.by}", "paused")


def _resumed(state: Lead, event: ev.Resumed) -> Lead:
    if not (state.held_by or state.held_scope):
        return state
    later = event.at + event.spread if event.spread else None
    state = state.but(held_by="", held_scope="", not_before=later, failures=0)
    return _note(state, event.at, "resumed", f"resumed by {event.by or 'the end of the pause'}")


def _reflected(state: Lead, event: ev.Reflected) -> Lead:
    state = state.but(
        entries=tuple(e for e in state.entries if e.version > event.version),
        owed=tuple(o for o in state.owed if o.version > event.version),
        reflected=event.version,
        reflected_stage=event.stage,
        outcome_due=state.outcome_due and not event.rotated,
        owner=state.owner or event.owner,
        crm_contact=event.crm_contact or state.crm_contact,
    )
    for part in event.failed:
        state = _note(state, event.at, "write_back_failed", f"could not be written: {part}", "write_back")
    return state.but(review="write_back_failed") if event.failed else state


def _closing(state: Lead, at: datetime, disposition: ev.Disposition, reason: str) -> Lead:
    if state.closed:
        return state
    state = _note(state, at, "closed", f"closed: {disposition.replace('_', ' ')}", disposition, why=reason)
    return _reach(
        state.but(closed_at=at, disposition=disposition, reason=reason, callback_at=None),
        "closed",
        at,
        back=True,
    ).but(settled=state.version)


def _lead_closed(state: Lead, event: ev.LeadClosed) -> Lead:
    return _closing(state, event.at, event.disposition, event.reason)


def _recovery_began(state: Lead, event: ev.RecoveryBegan) -> Lead:
    state = _note(state, event.at, "recovery", "recovery of the no-show begins", passes=state.pass_no + 1)
    return state.but(
        pass_no=state.pass_no + 1, pass_kind="recovery", pass_began=event.at, next_touch=0, reached=False,
        texted_back=False,
    )  # fmt: skip


def _faulted(state: Lead, event: ev.Faulted) -> Lead:
    state = _note(state, event.at, "fault", f"our own fault in {event.where}: {event.error}", "fault").but(
        review="fault"
    )
    if event.request:
        state = _answer(state, event.request, Answer(allowed=False, rule="fault", detail="a person looks at this"))
    return state


def _waiting(state: Lead, event: ev.Waiting) -> Lead:
    state = state.but(kept_back=event.rule)
    if not event.rule:
        return state
    when = f" until {written_time(event.until, state.zone)}" if event.until else ""
    return _note(state, event.at, "waiting", f"{event.reason}{when}", event.rule)


def _playbook_moved(state: Lead, event: ev.PlaybookMoved) -> Lead:
    state = _note(state, event.at, "playbook", f"moved to playbook {event.playbook} by {event.by}")
    return state.but(playbook=event.playbook)


_HANDLERS: dict[str, Callable[[Lead, Any], Lead]] = {
    "form_submitted": _form_submitted,
    "dial_queued": _dial_queued,
    "call_placed": _call_placed,
    "call_not_placed": _call_not_placed,
    "call_ambiguous": _call_ambiguous,
    "call_connected": _call_connected,
    "call_learned": _call_learned,
    "conversation_ended": _conversation_ended,
    "call_ended": _call_ended,
    "call_unknown": _call_unknown,
    "call_cancelled": _call_cancelled,
    "text_sent": _text_sent,
    "text_not_sent": _text_not_sent,
    "text_ambiguous": _text_ambiguous,
    "text_failed": _text_failed,
    "message_received": _message_received,
    "action_asked": _action_asked,
    "slots_found": _slots_found,
    "meeting_booked": _meeting_booked,
    "booking_refused": _booking_refused,
    "meeting_cancelled": _meeting_cancelled,
    "action_done": _action_done,
    "meeting_confirmed": _meeting_confirmed,
    "attendance_reported": _attendance_reported,
    "opt_out_kept": _opt_out_kept,
    "taken_over": _taken_over,
    "released": _released,
    "held": _held,
    "resumed": _resumed,
    "reflected": _reflected,
    "lead_closed": _lead_closed,
    "recovery_began": _recovery_began,
    "faulted": _faulted,
    "waiting": _waiting,
    "playbook_moved": _playbook_moved,
}
