"""May this action be done now? Judged in memory, for every action, at the newest state; each verdict is kept.

The evidence for an action is a number from 0 to 1: what was asked for in so many words weighs 1, what only the
model understood weighs less, and doubt in the same words takes some away. The playbook says how much each needs.
"""

from __future__ import annotations

from ..events import Action, Book, Cancel, Decline, Verdict
from ..reading import (
    asks_cancel,
    asks_later,
    asks_link,
    asks_move,
    hesitates,
    is_confirmation,
    is_denial,
    is_goodbye,
    is_not_interested,
    is_opt_out,
    is_wrong_person,
)
from . import dates
from .state import State

_TALK = ("say", "ask", "answer", "state", "end")
_DOUBT = 0.3
_CLOSED_NODES = ("confirmation", "follow_up", "handoff", "reschedule")


def authorize(state: State, action: Action | str, quotes: tuple[str, ...] = ()) -> Verdict:
    """The verdict on ``action`` (one with an effect, or the name of one that only talks) in ``state``; ``quotes`` are
    the lead's words that the model's reading gave for it, already found in the transcript."""
    name = action if isinstance(action, str) else action.kind
    threshold = state.playbook.thresholds.get(name, 0.0)
    value, evidence = _evidence(state, action, quotes)
    rule, detail = _rule(state, action, name)
    if not rule and value < threshold:
        rule, detail = "evidence", "not said clearly enough"
    return Verdict(
        action=name,
        allowed=not rule,
        rule=rule or "evidence",
        detail=detail,
        threshold=threshold,
        value=round(value, 3),
        evidence=evidence,
        version=state.version,
        at=state.now,
    )


def _rule(state: State, action: Action | str, name: str) -> tuple[str, str]:
    """The rule that forbids it, with words for people; ("", "") when none does."""
    if name == "opt_out":
        return "", ""
    if state.opted_out and name != "end":
        return "after_opt_out", "after an opt-out only goodbye is said"
    autonomy = state.playbook.autonomy.get(name, "act")
    if autonomy != "act":
        return f"autonomy_{autonomy}", "a person decides this"
    if name == "offer_slots" and not state.qualified:
        return "not_qualified", f"missing {', '.join(state.fit.missing)}" if state.fit.missing else "does not fit"
    if isinstance(action, Book):
        if action.slot not in {slot.id for slot in state.offered}:
            return "slot_not_offered", "only an offered time can be booked"
        if not state.qualified:
            return "not_qualified", "fit is not known"
    if isinstance(action, Cancel) and state.booking is None:
        return "no_meeting", "there is no meeting to cancel"
    if name == "end" and not _may_end(state):
        return "still_open", "nothing is settled and nobody said goodbye"
    return "", ""


def _may_end(state: State) -> bool:
    words = state.last_words
    return state.node in _CLOSED_NODES or is_goodbye(words) or is_denial(words) or is_not_interested(words)


def _evidence(state: State, action: Action | str, quotes: tuple[str, ...]) -> tuple[float, tuple[str, ...]]:
    words = state.last_words
    name = action if isinstance(action, str) else action.kind
    said = (words,) if words else ()
    if name in _TALK or name == "hand_off":
        return 1.0, said
    if name == "opt_out":
        return 1.0 if is_opt_out(words, spoken=True) else 0.5, said
    read = min(0.5 + 0.1 * len(quotes), 0.7) if quotes else 0.3
    value = read
    if isinstance(action, Book):
        value = _choice(state, action.slot, words)
    elif isinstance(action, Decline):
        explicit = is_not_interested(words) or is_wrong_person(words) or action.disposition == "not_fit"
        denials = sum(1 for sign in state.signs if sign.sign == "denial")
        value = 1.0 if explicit else min(read + 0.2 * denials, 0.9) if is_denial(words) or denials else read
    elif isinstance(action, Cancel):
        value = 1.0 if asks_cancel(words) else min(read, 0.5)
    elif name == "call_back":
        timed = not dates.read(words, state.brief.zone, state.now).empty
        value = 1.0 if asks_later(words) or (timed and state.when_asked) else 0.5 if timed else read
    elif name == "send_link":
        value = 1.0 if asks_link(words) else max(read, 0.5)
    elif name == "offer_slots":
        value = 1.0 if asks_move(words) or not dates.read(words, state.brief.zone, state.now).empty else 0.7
    if name in ("book", "cancel", "decline") and hesitates(words):
        value = max(value - _DOUBT, 0.0)
    return value, tuple(dict.fromkeys((*said, *quotes)))


def _choice(state: State, slot: str, words: str) -> float:
    """How clearly ``words`` picked ``slot`` among those offered."""
    picked = dates.choose(words, state.offered, state.brief.zone, state.now)
    if picked is not None:
        return 1.0 if picked.id == slot else 0.0
    if is_confirmation(words):
        return 0.9 if len(state.offered) == 1 else 0.3
    return 0.4
