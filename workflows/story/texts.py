"""What happens to our texts, and the texts that come in."""

from __future__ import annotations

from .. import events as ev
from ..lead import Lead
from ..messages import Touched
from ..reading import is_confirmation, is_opt_out
from . import marks


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
        return marks.advance(state, event.touch, event.at)
    return state.but(failures=0, last_touch_at=event.at)


def text_sent(state: Lead, event: ev.TextSent) -> Lead:
    state = _made(state, event, "sent", event.sid)
    return marks.note(
        state,
        event.at,
        "text_sent",
        f"texted: {event.message.replace('_', ' ')}",
        touch=event.touch,
        sid=event.sid,
        segments=event.segments,
    )


def text_not_sent(state: Lead, event: ev.TextNotSent) -> Lead:
    state = marks.note(state, event.at, "not_texted", f"not texted: {event.why}", event.why, touch=event.touch)
    if event.why == "opted_out":
        return marks.opt_out(state, event.at, "", kept=True)
    if event.held:
        return state.but(held_scope=event.held)
    if event.permanent:
        return _made(state, event, f"not sent: {event.why}")
    return state if event.why == "no_longer_wanted" else marks.later(state, event.at, event.wait)


def text_ambiguous(state: Lead, event: ev.TextAmbiguous) -> Lead:
    state = _made(state, event, "ambiguous")
    return marks.note(
        state, event.at, "ambiguous", "nobody knows whether this text went out; it is not sent again", "ambiguous",
        touch=event.touch,
    ).but(review="ambiguous_text")  # fmt: skip


def text_failed(state: Lead, event: ev.TextFailed) -> Lead:
    state = marks.touch(state, event.touch, outcome=f"failed: {event.code}")
    state = marks.note(state, event.at, "text_failed", f"text not delivered ({event.code})", touch=event.touch)
    return state.but(review="text_failed") if event.touch.startswith("due/") else state


def message_received(state: Lead, event: ev.MessageReceived) -> Lead:
    if state.person is None:
        return state
    state = marks.note(state, event.at, "message", "texted us", chars=len(event.text))
    if is_opt_out(event.text):
        return marks.opt_out(state, event.at, event.text)
    state = marks.reach(state, "contacted", event.at).but(texted_back=True)
    if state.booking and is_confirmation(event.text):
        return marks.note(
            marks.reach(state, "confirmed", event.at), event.at, "confirmed", "confirmed the meeting by text"
        )
    name = marks.name(state) or "A lead"
    return marks.card(state, f"text:{event.id or state.version}", f"{name} texted", f"“{event.text[:500]}”")
