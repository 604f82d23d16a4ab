"""The small steps that several events share: a line in the story, a stage reached, an answer given."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from .. import events as ev
from .. import review
from ..cadence import place
from ..effects import Act, Card, Entry, ToDo, Transition
from ..lead import DueText, Lead, Owed, Stage
from ..messages import Answer
from ..playbook import registered
from ..wording import written_time

_LADDER = ("new", "attempting", "contacted", "interested", "qualified", "booked", "confirmed", "showed")
"""The stages of a straight way up; the furthest of these is what the funnel counts."""
RANK = {stage: rank for rank, stage in enumerate(_LADDER)} | {
    "rescheduled": 5,
    "recovered": 5,
    "no_show": 5,
    "closed": -1,
}

KEPT_IDS = 200
"""How many ids of past callbacks, messages and requests are kept to recognise a repeat."""
_KEPT_ANSWERS = 40
_BACKOFF = (2, 5, 15, 60, 300)
"""Seconds until a dial or text that surely did not go out (carrier down, 429) is planned anew, by failures in a row."""


def note(
    state: Lead, at: datetime, kind: str, text: str, rule: str = "", *, verdicts: tuple[ev.Verdict, ...] = (), **data: object
) -> Lead:
    """Add a line to the story; ``data`` holds small facts by name, empty ones are left out."""
    entry = Entry(
        at=at, kind=kind, version=state.version, text=text, rule=rule,
        data={k: str(v) for k, v in data.items() if v not in ("", None)}, verdicts=verdicts,
    )  # fmt: skip
    return state.but(entries=(*state.entries, entry))


def plain(touch: str) -> str:
    """``cadence/1/0/call_1`` as people say it: call 1."""
    return touch.rsplit("/", 1)[-1].replace("_", " ") if touch.startswith("cadence/") else touch.partition("/")[0]


def name(state: Lead) -> str:
    """The person's full name, or nothing."""
    return state.person.name if state.person else ""


def card(
    state: Lead, key: str, title: str, *lines: str, urgent: bool = False, acts: tuple[Act, ...] = (), request: str = "",
    **asks: Any,
) -> Lead:  # fmt: skip
    """Owe the reps' channel a card; ``key`` tells it from the lead's others, ``acts`` are its buttons (with ``request``
    for what waits for a person); ``asks``: what else a Card can ask."""
    meeting = state.booking or state.missed
    card = Card(
        key=f"{state.lead}:{key}",
        title=title,
        lines=tuple(filter(None, lines)),
        rep=state.owner,
        lead=state.lead,
        urgent=urgent,
        acts=acts,
        request=request,
        start=meeting.start if meeting and "reschedule" in acts else None,
        **asks,
    )
    return state.but(owed=(*state.owed, Owed(version=state.version, card=card)))


def errand(
    state: Lead, at: datetime, key: str, title: str, *lines: str, urgent: bool = False,
    acts: tuple[Act, ...] = ("take-over",), request: str = "",
) -> Lead:  # fmt: skip
    """Something for a person to do: a card in the reps' channel and a task in the CRM, both under ``key``."""
    title = begun(title)
    state = card(state, key, title, *lines, urgent=urgent, acts=acts, request=request)
    todo = ToDo(
        key=f"{state.lead}:{key}", title=title, lines=tuple(filter(None, lines)), rep=state.owner, at=at, urgent=urgent
    )  # fmt: skip
    return state.but(owed=(*state.owed, Owed(version=state.version, todo=todo)))


def begun(text: str) -> str:
    """``text`` with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def quoted(words: str) -> str:
    """Somebody's words as a line of a card; nothing when there are none."""
    return f"“{words[:500]}”" if words else ""


def meant(state: Lead, action: ev.Action | ev.Undo, slot: ev.Slot | None = None) -> str:
    """What an action would do, for people: "book Tue Nov 24, 3:30 PM EST with ana"."""
    match action:
        case ev.Book():
            named = slot or next((s for s in state.offered if s.id == action.slot), None)
            verb = "move the meeting to" if state.booking else "book"
            return (
                f"{verb} {written_time(named.start, state.zone)} with {named.rep}" if named else f"{verb} {action.slot}"
            )
        case ev.CallBack():
            return f"call back {written_time(action.at, state.zone)}" if action.at else "call back at once"
        case ev.Decline():
            return f"close as {action.disposition.replace('_', ' ')}"
        case ev.Cancel():
            return "cancel the meeting"
        case ev.OfferSlots():
            return "offer times"
        case _:
            return action.kind.replace("_", " ")


def due(state: Lead, key: str, message: str, booking: ev.Booking | None = None) -> Lead:
    """Owe the lead ``message``: as a text, with its e-mail if it has one; without a number by e-mail alone."""
    message_due = DueText(key=key, message=message, booking=booking)
    if not state.takes_texts:
        return state.but(due_mails=(*state.due_mails, message_due))
    return state.but(due_texts=(*state.due_texts, message_due))


def dated(state: Lead, at: datetime) -> Lead:
    """``state``, in which whatever became due now says so."""
    if all(each.since for each in (*state.due_texts, *state.due_mails)):
        return state
    texts, mails = (
        tuple(each if each.since else each.model_copy(update={"since": at}) for each in those)
        for those in (state.due_texts, state.due_mails)
    )
    return state.but(due_texts=texts, due_mails=mails)


def milestone(state: Lead, name: str, at: datetime) -> Lead:
    """Remember when ``name`` was reached for the first time."""
    return state if name in state.milestones else state.but(milestones={**state.milestones, name: at})


def reach(state: Lead, stage: Stage, at: datetime, *, back: bool = False) -> Lead:
    """Move to ``stage``; never back down unless ``back``. A stage reached counts for those below it too, except that
    a call that somebody rang us with is no attempt of ours."""
    rank = RANK[stage]
    for below in _LADDER[2 : rank + 1] if rank >= 2 and stage != "no_show" else ():
        if below == "confirmed" and stage != "confirmed":
            continue
        state = milestone(state, below, at)
    state = milestone(state, stage, at)
    if rank > RANK[state.furthest]:
        state = state.but(furthest=_LADDER[rank])
    higher = rank > RANK[state.stage] or (rank == RANK[state.stage] and stage != state.stage)
    if back or (higher and not state.closed):  # a call's last words may come in after the lead closed
        state = state.but(stage=stage)
    return state


def moved(state: Lead, before: Stage, at: datetime) -> Lead:
    """Note that this event took the lead from the stage ``before`` to where it stands, if it did; once for each event."""
    if state.stage == before or any(t.version == state.version for t in state.transitions):
        return state
    last = state.transitions[-1] if state.transitions else None
    if last and (last.before, last.after) == ("new", "attempting") == (state.stage, before):
        return state.but(transitions=state.transitions[:-1])  # a dial that never left, of which nobody has heard yet
    made = Transition(at=at, version=state.version, before=before, after=state.stage)
    return state.but(transitions=(*state.transitions, made), stage_since=at)


def touch(state: Lead, attempt: str, channel: str = "", **changes: Any) -> Lead:
    """Change what is known of the touch ``attempt``: of that on ``channel``, where a text and an e-mail share the name."""
    touches = tuple(
        t.model_copy(update=changes) if t.attempt == attempt and channel in ("", t.channel) else t for t in state.touches
    )
    return state.but(touches=touches)


def advance(state: Lead, touch: str, at: datetime) -> Lead:
    """A touch was made: what comes after it in the cadence is next."""
    state = state.but(last_touch_at=at, failures=0, not_before=None)
    found = place(touch)
    if found is None:
        return state.but(callback_at=None) if touch.startswith("callback") else state
    pass_no, index = found
    return state.but(next_touch=max(state.next_touch, index + 1)) if pass_no == state.pass_no else state


def give_back(state: Lead, touch: str, at: datetime) -> Lead:
    """A touch that was counted as made was not: it is due again, and so is a callback that nobody has undone since."""
    found = place(touch)
    if found is not None and found[0] == state.pass_no:
        return state.but(next_touch=min(state.next_touch, found[1]))
    return owe_callback(state, at) if touch.startswith("callback") else state


def later(state: Lead, at: datetime, asked: timedelta = timedelta(0)) -> Lead:
    """A try that surely did not go out: the next one waits, longer with each failure in a row."""
    wait = _BACKOFF[min(state.failures, len(_BACKOFF) - 1)]
    return state.but(failures=state.failures + 1, not_before=at + max(timedelta(seconds=wait), asked))


def owe_callback(state: Lead, at: datetime) -> Lead:
    """A call that a pause cut short: they were told that we get back to them, so that call is next."""
    unwanted = state.closed or state.opted_out_at or state.booking or state.callback_at
    return state if unwanted else state.but(callback_at=at)


def call_off(state: Lead, at: datetime, rule: str, why: str) -> Lead:
    """A callback that was promised is not made: told with its rule, for somebody waits for it."""
    if state.callback_at is None:
        return state
    when = written_time(state.callback_at, state.zone)
    state = note(state, at, "callback_off", f"the callback promised for {when} is off: {why}", rule)
    return state.but(callback_at=None)


def worded(state: Lead, message: str) -> bool:
    """Whether the lead's playbook has words for ``message``, the name of a template."""
    book = registered().get(state.playbook)
    return book is not None and message in book.messages


def answer(state: Lead, request: str, answer: Answer) -> Lead:
    """Answer a request for good; a repeat under its id gets the same."""
    by = next((r.approved_by for r in state.requests if r.id == request), "")
    answers = {**state.answers, request: answer.model_copy(update={"version": state.version, "by": by})}
    return state.but(
        answers=dict(list(answers.items())[-_KEPT_ANSWERS:]),
        requests=tuple(r for r in state.requests if r.id != request),
    )


def settle(state: Lead) -> Lead:
    """From here on, what was authorised on an older version is stale."""
    return state.but(settled=state.version)


def opt_out(state: Lead, at: datetime, words: str, kept: bool = False) -> Lead:
    """They want no more contact."""
    if state.opted_out_at is None:
        state = note(state, at, "opted_out", "asked not to be contacted again", "opt_out", words=words)
        state = milestone(settle(state.but(opted_out_at=at, opt_out_words=words)), "opted_out", at)
        if state.booking:
            line = "Do not call or text; the meeting is yours to keep or cancel."
            state = card(state, "opted_out", "Opted out, meeting still stands", line)
    state = call_off(state, at, "opt_out", "they asked not to be contacted again")
    state = review.settle(unring(state).but(suspended_at=None), "suspended")
    return state.but(opt_out_kept=state.opt_out_kept or kept, due_texts=(), due_mails=())


def unring(state: Lead) -> Lead:
    """A call of ours that is not a conversation yet becomes a stray: it is ended."""
    call = state.call
    if call and not call.inbound and call.state in ("queued", "placed", "ambiguous"):
        return state.but(call=None, strays=(*state.strays, call))
    return state


def closing(state: Lead, at: datetime, disposition: ev.Disposition, reason: str) -> Lead:
    if state.closed:
        return state
    state = call_off(state, at, "closed", f"the lead is closed ({disposition.replace('_', ' ')})")
    state = note(state, at, "closed", f"closed: {disposition.replace('_', ' ')}", disposition, why=reason)
    return reach(
        state.but(closed_at=at, disposition=disposition, reason=reason),
        "closed",
        at,
        back=True,
    ).but(settled=state.version)
