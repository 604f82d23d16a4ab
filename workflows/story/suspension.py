"""In doubt whether they opted out: nothing is sent or dialled until a person has looked.

The words may mean stop and may not (:func:`workflows.reading.may_opt_out`). A person lets contact go on (``release``,
``resume``, or the item rejected), or confirms (``opt-out``, or the item approved); the lead itself does so by START, or by
a stop in plain words.
"""

from __future__ import annotations

from datetime import datetime

from .. import events as ev
from .. import review
from ..lead import Lead
from ..messages import Touched
from ..reading import is_opt_out, may_opt_out
from ..words import plain
from . import marks

KIND = "suspended"
"""The item of the review queue."""
_NO_MESSAGE = frozenset(("no message", "no messages", "no comment", "no comments", "no text", "no note", "no notes"))
"""What people write into a form's field for a message."""
_HOW = "Nothing is sent or dialled until you say so: release the lead if they did not mean it, opt them out if they did."


def suspend(state: Lead, at: datetime, words: str) -> Lead:
    """Stop all contact because of ``words``, and call a person to them. A call of ours that is no talk yet becomes a
    stray; what is due stays due."""
    if state.opted_out_at or state.suspended_at:
        return state
    state = marks.note(state, at, "suspended", "perhaps they opted out: suspended until a person looks", KIND, words=words[:500])
    state = review.file(state.but(suspended_at=at), KIND, at, words=words)
    title = f"Did {marks.name(state) or 'a lead'} opt out?"
    state = marks.card(state, f"{KIND}:{state.version}", title, marks.quoted(words), _HOW, urgent=True)
    return marks.settle(marks.unring(state))


def lift(state: Lead, at: datetime, by: str) -> Lead:
    """``by`` has looked: contact goes on."""
    if state.suspended_at is None:
        return state
    state = marks.note(state.but(suspended_at=None), at, "resumed", f"they did not opt out: contact goes on, says {by}")
    return review.settle(state, KIND, at=at, way="reject", by=by)


def opted_in(state: Lead, event: ev.OptedIn) -> Lead:
    return opt_in(state, event.at, event.words, event.by)


def opt_in(state: Lead, at: datetime, words: str, by: str = "") -> Lead:
    """They want to hear from us again, in so many words, to us or to ``by``. It starts nothing: a lead that closed by its
    opt-out stays closed until they ask for something."""
    state = lift(state, at, by or "the lead")
    if state.opted_out_at is None:
        return state
    told = f"may be contacted again: they said so{f' to {by}' if by else ''}"
    state = marks.note(state, at, "opted_in", told, "opt_in", words=words[:500])
    return marks.settle(state.but(opted_out_at=None, opt_out_words="", opt_out_kept=False))


def doubted(state: Lead, at: datetime, form: ev.Form) -> Lead:
    """A form that asks to be left alone wants something of us and nothing at once."""
    words = form.message
    if plain(words) in _NO_MESSAGE:
        return state
    return suspend(state, at, words) if is_opt_out(words) or may_opt_out(words) else state


def overheard(state: Lead, event: ev.ConversationEnded, touch: Touched) -> Lead:
    """After a talk in which they may have taken consent back, unless they booked in it or asked to be called again."""
    if state.callback_at or (state.booked_at and state.booked_at >= touch.at):
        return state
    said = (line.text for line in event.transcript if line.who == "lead")
    words = next((text for text in said if may_opt_out(text, spoken=True)), "")
    return suspend(state, event.at, words) if words else state
