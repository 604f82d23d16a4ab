"""A call that is put through to a colleague: rung for, taken, missed, over."""

from __future__ import annotations

from datetime import datetime

from .. import events as ev
from .. import review
from ..effects import CallNote
from ..lead import Lead, LiveCall
from ..messages import Answer, Transfer
from ..playbook import registered
from . import asked, marks
from .people import taken_over

_MOST_KEPT = 5
"""Transfers of calls that are over."""


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


_ORDER = frozenset({("ringing", "taken"), ("ringing", "missed"), ("talking", "over"), ("ringing", "over")})
"""What may follow what: each word counts once, and a colleague cannot take what they have missed."""


def transfer_told(state: Lead, event: ev.TransferTold) -> Lead:
    """Who took it has the lead from then on; who did not leaves it to the agent. So does a word that comes after the end
    of the call, by which a person was called to them already (:func:`call_over`)."""
    call = _live(state, event.attempt)
    transfer = _of(state, event.attempt)
    if transfer is None or (transfer.state, event.status) not in _ORDER:
        return state
    now = "talking" if event.status == "taken" else event.status
    stands = transfer.model_copy(update={"state": now, "since": event.at})
    state = state.but(call=call.model_copy(update={"transfer": stands})) if call else _kept(state, event.attempt, stands)
    said = {
        "taken": f"{transfer.name} took the call",
        "missed": f"{transfer.name} did not pick up" + ("; the agent goes on" if call else ""),
        "over": f"the call with {transfer.name} is over",
    }[event.status]  # fmt: skip
    state = marks.note(state, event.at, "transfer", said, "transfer", attempt=event.attempt, rep=transfer.rep, seconds=event.seconds or "")
    if event.status == "missed" or transfer.state != "ringing":
        return state
    state = marks.reach(state, "contacted", event.at).but(reached=True)
    if call is None:
        return _taken_late(state, event, transfer)
    return taken_over(state.but(owner=state.owner or transfer.rep), ev.TakenOver(at=event.at, by=transfer.name))


def _taken_late(state: Lead, event: ev.TransferTold, transfer: Transfer) -> Lead:
    """They were spoken with, as we hear only now: whoever was called to them need not call, and is told so."""
    wish = _wish(event.attempt)
    called = review.find(state, f"handoff:{wish}") is not None
    state = review.settle(state, "handoff", wish, at=event.at, way="hand_over", by=transfer.name)
    if called:
        title = f"Nobody has to call {asked.name(state)}: {transfer.name} took the call"
        state = marks.card(state, f"handoff:{wish}:taken", title, "We heard of it after the call was over.")
    if state.closed or state.opted_out_at:
        return state
    state = marks.note(state, event.at, "taken_over", f"taken over by {transfer.name}", "taken_over")
    return marks.settle(state.but(taken_over_by=transfer.name, owner=state.owner or transfer.rep))


def _live(state: Lead, attempt: str) -> LiveCall | None:
    return state.call if state.call is not None and state.call.attempt == attempt else None


def _of(state: Lead, attempt: str) -> Transfer | None:
    call = _live(state, attempt)
    return call.transfer if call else state.transfers.get(attempt)


def _kept(state: Lead, attempt: str, transfer: Transfer) -> Lead:
    rest = {k: v for k, v in state.transfers.items() if k != attempt}
    return state.but(transfers=dict(list({**rest, attempt: transfer}.items())[-_MOST_KEPT:]))


def _wish(attempt: str) -> str:
    """The wish for a person that nobody met on the line, by which it stands in the review queue."""
    return f"transfer-{attempt}"


def talked(state: Lead, attempt: str, note: CallNote) -> CallNote:
    """The conversation of a call that came back from a transfer, together with what was said before it."""
    before = state.talks.get(attempt)
    if before is None:
        return note
    return note.model_copy(
        update={name: (*getattr(before, name), *getattr(note, name)) for name in ("transcript", "verdicts", "timings", "path", "moments")}
        | {"tokens_in": before.tokens_in + note.tokens_in, "tokens_out": before.tokens_out + note.tokens_out}
    )


def replaced(state: Lead) -> Lead:
    """Another call takes the place of the live one, whose end we have not heard of: what became of its transfer still
    counts."""
    call = state.call
    return _kept(state, call.attempt, call.transfer) if call is not None and call.transfer is not None else state


def call_over(state: Lead, at: datetime, attempt: str) -> Lead:
    """The call ended: a wish for a person that nobody met on the line, and that led to no meeting and no time to call, is
    handed over as any other."""
    transfer = _of(state, attempt)
    if transfer is None:
        return state
    state = _kept(state, attempt, transfer)
    unmet = transfer.state in ("ringing", "missed")
    promised = state.booking is not None or state.callback_at is not None
    if not unmet or promised or state.closed or state.opted_out_at or state.taken_over_by:
        return state
    why = f"{transfer.name} was rung for them and did not take the call"
    return asked.handed_off(state, at, _wish(attempt), ev.HandOff(why=why))
