"""What a person did about an item of the review queue: tried again, corrected, taken over, or found in order."""

from __future__ import annotations

from collections.abc import Callable

from .. import calling, review
from .. import events as ev
from ..lead import DueText, Lead, touch_of
from ..messages import Item
from ..playbook import registered
from . import marks, suspension, twins
from .people import handed_back, taken_over

_DONE = {
    "retry": "is tried again", "undo": "was undone", "correct": "was corrected", "hand_over": "was taken over",
    "approve": "was approved", "reject": "was rejected", "done": "is dealt with",
}  # fmt: skip


def review_resolved(state: Lead, event: ev.ReviewResolved) -> Lead:
    """Do it, and note who decided so and why."""
    item = review.find(state, event.item)
    if item is None:
        return state
    what = review.kind_of(item.kind).words
    state = marks.note(
        state, event.at, "reviewed", f"{what}: {_DONE[event.way]}, by {event.by}", event.way, item=item.id, words=event.words,
        field=event.field,
    )  # fmt: skip
    state = review.settle(state, item.kind, item.about, at=event.at, way=event.way, by=event.by, words=event.words)
    if item.kind == suspension.KIND and event.way in ("approve", "reject"):
        return _judged(state, event, item)
    match event.way:
        case "retry":
            return RETRIED[item.kind](state, event, item) if item.kind in RETRIED else state
        case "correct":
            return _corrected(state, event)
        case "done" if item.kind == twins.REVIEW:
            return twins.kept_apart(state, ev.KeptApart(at=event.at, lead=item.about, by=event.by, words=event.words))
        case "hand_over":
            return taken_over(state, ev.TakenOver(at=event.at, by=event.to or event.by))
        case _:
            return state


def _judged(state: Lead, event: ev.ReviewResolved, item: Item) -> Lead:
    """They did opt out, or did not."""
    if event.way == "approve":
        return marks.opt_out(state, event.at, item.words)
    return suspension.lift(state, event.at, event.by)


# ---- once more ---------------------------------------------------------------------------------------------------


def _call_again(state: Lead, event: ev.ReviewResolved, item: Item) -> Lead:
    """Rung again as soon as the rules allow it; a lead that was closed only for want of a way to reach them is open."""
    if state.closed and state.disposition == "no_way_to_contact":
        state = marks.note(state, event.at, "reopened", "tried again")
        state = state.but(closed_at=None, disposition="", reason="")
        state = marks.reach(state, "new" if state.dials == 0 else "attempting", event.at, back=True)
    if state.closed or state.opted_out_at or not state.phone:
        return state
    return state.but(callback_at=event.at, not_before=None, bars=())


def _text_again(state: Lead, event: ev.ReviewResolved, item: Item) -> Lead:
    """The same message under a key of its own; an answer in a thread with its words, as far as they are kept."""
    if state.opted_out_at or state.closed:
        return state
    touch = touch_of(state, item.about)
    message = touch.touch if touch else ""
    said = [line.text for line in state.thread.lines if line.who == "agent"]
    body = said[-1] if message == "reply" and said else ""
    if not marks.worded(state, message) and not body:
        return state
    due = DueText(key=f"due/again/{state.version}", message=message, body=body)
    return state.but(due_texts=(*state.due_texts, due), not_before=None)


def _mail_again(state: Lead, event: ev.ReviewResolved, item: Item) -> Lead:
    message = item.words.partition(":")[0]
    if state.opted_out_at or not marks.worded(state, message):
        return state
    return state.but(due_mails=(*state.due_mails, DueText(key=f"{item.about}/again/{state.version}", message=message)))


def _rehome_again(state: Lead, event: ev.ReviewResolved, item: Item) -> Lead:
    """Somebody else is looked for once more, for the meeting at its time."""
    return state.but(homeless=state.booking.id) if state.booking else state


def _write_again(state: Lead, event: ev.ReviewResolved, item: Item) -> Lead:
    """All that was refused is owed once more, and the whole person with it."""
    again = tuple(owed.model_copy(update={"version": state.version}) for owed in state.unwritten)
    return state.but(
        owed=(*state.owed, *again), unwritten=(), reflected_stage="",
        person_version=state.version if state.person else state.person_version,
    )  # fmt: skip


def _overwrite(state: Lead, event: ev.ReviewResolved, item: Item) -> Lead:
    """What the lead says is written over what somebody set in the CRM: this person wants it so."""
    return _write_again(state.but(overwrite=(*state.overwrite, item.about)), event, item)


def _let_the_agent(state: Lead, event: ev.ReviewResolved, item: Item) -> Lead:
    return handed_back(state, ev.Released(at=event.at, by=event.by))


def _merge(state: Lead, event: ev.ReviewResolved, item: Item) -> Lead:
    joining = ev.Joining(lead=item.about, by=event.by)
    return twins.merge_asked(state, ev.MergeAsked(at=event.at, joining=joining, words=event.words))


def _as_it_is(state: Lead, event: ev.ReviewResolved, item: Item) -> Lead:
    """What failed is planned anew by itself, once nobody stands in its way."""
    return state


RETRIED: dict[str, Callable[[Lead, ev.ReviewResolved, Item], Lead]] = {
    "ambiguous_dial": _call_again,
    "number_refused": _call_again,
    "not_looked_up": _call_again,
    "no_way_to_contact": _call_again,
    "ambiguous_text": _text_again,
    "text_failed": _text_again,
    "not_mailed": _mail_again,
    "clash": _rehome_again,
    "rep_left": _rehome_again,
    "write_back_failed": _write_again,
    "crm_conflict": _overwrite,
    "crm_field": _write_again,
    "handoff": _let_the_agent,
    "complaint": _let_the_agent,
    "identity": _merge,
    "fault": _as_it_is,
}
"""What doing it once more is, by kind."""


# ---- what is true ------------------------------------------------------------------------------------------------


def _corrected(state: Lead, event: ev.ReviewResolved) -> Lead:
    """A field as the person says it is; their word outranks what was heard. Without a field their words stand in the
    story, and nothing else changes."""
    if not event.field:
        return state
    if event.field in review.PERSONAL and state.person is not None:
        person = state.person.model_copy(update={event.field: event.value})
        book = registered().get(state.playbook)
        zones = calling.zones(person.phone, person.region, person.zone, book.rules if book else None)
        state = state.but(person=person, person_version=state.version, zones=zones, zone=person.zone or (zones[0] if zones else "UTC"))
    fact = ev.Learned(field=event.field, value=event.value, quote=event.words, source="rep")
    return state.but(learned={**state.learned, event.field: fact})
