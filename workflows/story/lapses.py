"""What was due and is not sent any more, because it has lost its sense."""

from __future__ import annotations

from .. import events as ev
from ..lead import Lead
from . import marks


def lapsed(state: Lead, event: ev.Lapsed) -> Lead:
    """It is left out, and the story says by which rule. An answer to what they wrote is a person's to give."""
    by_mail = any(due.key == event.touch for due in state.due_mails) or not state.phone
    due = next((due for due in (*state.due_texts, *state.due_mails) if due.key == event.touch), None)
    state = state.but(
        due_texts=tuple(each for each in state.due_texts if each.key != event.touch),
        due_mails=tuple(each for each in state.due_mails if each.key != event.touch),
    )
    if event.touch.startswith("reminder/") and event.touch not in state.reminded:
        state = state.but(reminded=(*state.reminded, event.touch))
    state = marks.touch(state, event.touch, "email", outcome=f"not sent: {event.rule}")
    what = event.message.replace("_", " ")
    kind, said = ("not_mailed", "mailed") if by_mail else ("not_texted", "texted")
    state = marks.note(state, event.at, kind, f"not {said}: {what} is left out, {event.why}", event.rule, touch=event.touch)
    if due is None or not due.body:
        return state
    title = f"{marks.name(state) or 'A lead'} was not answered"
    return marks.card(state, f"lapsed:{event.touch}", title, f"We would have written: {due.body}", event.why, acts=("take-over",))
