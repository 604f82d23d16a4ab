"""A call that is put through to a colleague: rung for, taken, missed, over."""

from __future__ import annotations

from datetime import datetime

from .. import events as ev
from ..effects import CallNote
from ..lead import Lead
from ..messages import Answer, Transfer
from ..playbook import registered
from . import asked, marks
from .people import taken_over


def line_found(state: Lead, event: ev.LineFound) -> Lead:
    """Somebody's phone rings for it, and they read on a card for whom; else a person gets back to them, as without it."""
    request = next((r for r in state.requests if r.id == event.request), None)
    if request is None:
        return state
    call, book, action = state.call, registered().get(state.playbook), request.action
    assert isinstance(action, ev.HandOff)
    if not event.phone or call is None or call.attempt != request.attempt or book is None:
        why = event.why or "the call is over"
        state = marks.note(state, event.at, "transfer", f"not put through: {why}", "transfer", attempt=request.attempt)
        return asked.action_done(state, ev.ActionDone(at=event.at, request=event.request))
    transfer = Transfer(rep=event.rep, name=event.name, to=event.phone, ring=book.call.transfer.ring, since=event.at)
    state = marks.note(
        state, event.at, "transfer", f"put through to {event.name}", "transfer", attempt=request.attempt, rep=event.rep
    )
    state = state.but(call=call.model_copy(update={"transfer": transfer}))
    state = marks.card(
        state, f"transfer:{request.id}", f"On the line for {event.name}: {asked.name(state)}", action.why,
        marks.quoted(action.words), *asked.told(state), asked.reach(state), urgent=True, acts=("take-over",),
    )  # fmt: skip
    return marks.answer(state, request.id, Answer(allowed=True, transfer=transfer))


def transfer_told(state: Lead, event: ev.TransferTold) -> Lead:
    """Who took it has the lead from then on; who did not leaves it to the agent."""
    call = state.call
    if call is None or call.attempt != event.attempt or call.transfer is None:
        return state
    transfer = call.transfer
    if (transfer.state, event.status) not in (("ringing", "taken"), ("ringing", "missed"), ("talking", "over"), ("ringing", "over")):
        return state
    now = "talking" if event.status == "taken" else event.status
    call = call.model_copy(update={"transfer": transfer.model_copy(update={"state": now, "since": event.at})})
    state = state.but(call=call)
    said = {
        "taken": f"{transfer.name} took the call", "missed": f"{transfer.name} did not pick up; the agent goes on",
        "over": f"the call with {transfer.name} is over",
    }[event.status]  # fmt: skip
    state = marks.note(state, event.at, "transfer", said, "transfer", attempt=event.attempt, rep=transfer.rep, seconds=event.seconds or "")
    if event.status == "taken" or (event.status == "over" and transfer.state == "ringing"):
        return taken_over(state.but(owner=state.owner or transfer.rep), ev.TakenOver(at=event.at, by=transfer.name))
    return state


def talked(state: Lead, attempt: str, note: CallNote) -> CallNote:
    """The conversation of a call that came back from a transfer, together with what was said before it."""
    before = state.talks.get(attempt)
    if before is None:
        return note
    return note.model_copy(
        update={name: (*getattr(before, name), *getattr(note, name)) for name in ("transcript", "verdicts", "timings", "path", "moments")}
        | {"tokens_in": before.tokens_in + note.tokens_in, "tokens_out": before.tokens_out + note.tokens_out}
    )


def call_over(state: Lead, at: datetime, attempt: str) -> Lead:
    """The call ended: a wish for a person that nobody met on the line, and that led to no meeting and no time to call, is
    handed over as any other."""
    call = state.call
    if call is None or call.attempt != attempt or call.transfer is None:
        return state
    unmet = call.transfer.state in ("ringing", "missed")
    promised = state.booking is not None or state.callback_at is not None
    if not unmet or promised or state.closed or state.opted_out_at or state.taken_over_by:
        return state
    why = f"{call.transfer.name} was rung for them and did not take the call"
    return asked.handed_off(state, at, f"transfer-{attempt}", ev.HandOff(why=why))
