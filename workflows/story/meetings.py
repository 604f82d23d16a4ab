"""Times offered, meetings booked, moved, cancelled, held and missed."""

from __future__ import annotations

from .. import events as ev
from .. import review
from ..lead import Before, DueText, Lead
from ..messages import Answer
from ..wording import listed, written_time
from . import marks

OWN_PAGE = "own_page"
"""The text with the page on which the lead books for themselves."""


def slots_found(state: Lead, event: ev.SlotsFound) -> Lead:
    # New times replace those offered before; where there are none, the old ones still stand.
    offered = event.slots or state.offered
    passed_over = (s.id for s in state.offered if s not in offered)
    refused = tuple(dict.fromkeys([*state.refused, *passed_over]))[-60:]
    state = marks.note(
        state,
        event.at,
        "slots",
        f"offered {len(event.slots)} time{'s' if len(event.slots) > 1 else ''}" if event.slots else f"no time to offer: {event.why}",
    ).but(offered=offered, refused=refused)
    return marks.answer(
        state, event.request,
        Answer(allowed=bool(event.slots), rule="" if event.slots else "no_slots", detail=event.why, slots=event.slots),
    )  # fmt: skip


def meeting_booked(state: Lead, event: ev.MeetingBooked) -> Lead:
    undone = undo(state, event.request)
    state = _whose(state) if undone is None else state
    booking, moved = _continued(event.booking, state.booking, undone), state.booking is not None
    recovered = state.missed is not None
    ours = bool(state.homeless) or event.adopted  # no move of the lead's own
    request = next((r for r in state.requests if r.id == event.request), None)
    stood = state
    state = state.but(
        booking=booking, booked_at=event.at, bookings=state.bookings + 1, moves=state.moves + (1 if moved and not ours else 0), homeless="",
        outside=_left(state.outside, event), clash="", invitation="",
        missed=None, offered=(), owner=booking.rep, attendance=None, outcome_due=False, evidence=(), unknown=None,
        expected_at=None, guesses=False,
    )  # fmt: skip
    state = review.settle(review.settle(state, "clash"), "rep_left")
    state = marks.call_off(state, event.at, "goal_reached", "a meeting is booked").but(before=_before(stood, booking.id))
    state = marks.due(state, f"due/booked/{booking.id}", "moved" if moved or undone else "confirmation")
    state = marks.settle(state)
    state = marks.reach(state, "recovered" if recovered else "rescheduled" if moved else "booked", event.at, back=True)
    when = written_time(booking.start, state.zone)
    if undone is not None:
        state = _restored(state, undone, event, booking, request.by if request else "")
    state = marks.note(
        state, event.at, "booked", f"{'moved to' if moved else 'booked'} {when} with {booking.rep_name}", booking.reason,
        booking=booking.id, by=request.by if request else "", rep=booking.rep, start=booking.start.isoformat(),
        end=booking.end.isoformat(), replaces=booking.replaces,
    )  # fmt: skip
    person = state.person
    state = marks.card(
        state, f"booked:{booking.id}", f"{'Meeting moved' if moved else 'Meeting booked'}: {person.name if person else ''}",
        f"{when} with {booking.rep_name}", person.company if person else "",
        *(f"{f.field.replace('_', ' ')}: {f.value}" for f in state.learned.values()), f"Why you: {booking.reason}",
        acts=("take-over", "reschedule"),
    )  # fmt: skip
    if state.closed:
        state = state.but(closed_at=None, disposition="", reason="")
    return marks.answer(state, event.request, Answer(allowed=True, booking=booking))


def _left(outside: ev.CalendarChanged | None, booked: ev.MeetingBooked) -> ev.CalendarChanged | None:
    """What is still to be followed: what the rep did while an earlier change of theirs was being followed."""
    booking = booked.booking
    if outside is None or not booked.adopted:
        return None
    slot = outside.slot
    if slot and (slot.rep, slot.start, slot.end) == (booking.rep, booking.start, booking.end):
        return None
    return outside.model_copy(update={"booking": booking.id})


def _continued(booking: ev.Booking, moved: ev.Booking | None, undone: Before | None) -> ev.Booking:
    """``booking`` as what the meeting ``moved`` has become: the same one in the lead's calendar, once more changed. One
    that was called off and stands again comes after the change that called it off."""
    if moved is None and undone is not None and undone.booking is not None:
        moved = undone.booking.model_copy(update={"sequence": undone.booking.sequence + 1})
    if moved is None:
        return booking
    return booking.model_copy(update={"meeting": moved.meeting or moved.id, "sequence": moved.sequence + 1})


def _whose(state: Lead) -> Lead:
    """A first booking is for whom the form names; a move is for the same person."""
    if state.booking is not None or state.person is None:
        return state
    return state.but(booked_for=state.person.name, booked_email=state.person.email)


def undo(state: Lead, request: str) -> Before | None:
    """What the request brings back, if it is one to undo."""
    asked = next((r for r in state.requests if r.id == request), None)
    return state.before if asked is not None and isinstance(asked.action, ev.Undo) else None


def _before(state: Lead, made: str = "") -> Before:
    return Before(
        made=made, booking=state.booking, missed=state.missed, booked_at=state.booked_at, stage=state.stage,
        moves=state.moves, owner=state.owner, callback_at=state.callback_at,
    )  # fmt: skip


def _restored(state: Lead, undone: Before, event: ev.MeetingBooked, booking: ev.Booking, by: str) -> Lead:
    """As before the change: its stage and counts, and the reminders that went out already stay sent."""
    old = f"reminder/{undone.booking.id}/" if undone.booking else ""
    sent = tuple(key.replace(old, f"reminder/{booking.id}/") for key in state.reminded if old and key.startswith(old))
    state = marks.note(state, event.at, "undone", f"the last change of the meeting was undone by {by}", "undo")
    state = state.but(
        before=None, booked_at=undone.booked_at, moves=undone.moves, owner=undone.owner, reminded=(*state.reminded, *sent)
    )
    return marks.reach(state, undone.stage, event.at, back=True)


def booking_refused(state: Lead, event: ev.BookingRefused) -> Lead:
    rule = "own_page" if event.page else "slot_taken"
    state = marks.note(state, event.at, "booking_refused", f"not booked: {event.why}", rule)
    if event.page and state.phone and marks.worded(state, OWN_PAGE):
        due = DueText(key=f"due/page/{event.request}", message=OWN_PAGE, page=event.page)
        state = state.but(due_texts=(*state.due_texts, due))
    times = [written_time(slot.start, state.zone) for slot in event.nearest]
    detail = f"{event.why}; free near it: {listed(times)}" if times else event.why
    return marks.answer(state, event.request, Answer(allowed=False, rule=rule, detail=detail, slots=event.nearest))


def meeting_cancelled(state: Lead, event: ev.MeetingCancelled) -> Lead:
    if state.booking and state.booking.id == event.booking:
        undone, name = undo(state, event.request), marks.name(state)
        before = None if undone else _before(state)
        state = marks.card(state, f"cancelled:{event.booking}", f"Meeting cancelled: {name}", event.words)
        state = marks.due(state, f"due/cancelled/{event.booking}", _cancelled(state, event), state.booking)
        state = marks.settle(
            review.settle(state.but(booking=None, outside=None, clash="", invitation="", before=before), "clash")
        )
        state = marks.reach(state, undone.stage if undone else "contacted", event.at, back=True)
        if undone is not None:
            state = state.but(missed=undone.missed, owner=undone.owner, callback_at=undone.callback_at)
        state = marks.note(state, event.at, "cancelled", "meeting cancelled", booking=event.booking, words=event.words)
    return marks.answer(state, event.request, Answer(allowed=True))


def _cancelled(state: Lead, event: ev.MeetingCancelled) -> str:
    """The template that tells the lead: with new times, when it was the rep who cannot make it."""
    request = next((r for r in state.requests if r.id == event.request), None)
    offers = request is not None and isinstance(request.action, ev.Cancel) and request.action.offer
    return "rep_cancelled" if offers and marks.worded(state, "rep_cancelled") else "cancelled"


def meeting_confirmed(state: Lead, event: ev.MeetingConfirmed) -> Lead:
    if state.booking is None or state.booking.id != event.booking:
        return state
    return marks.note(
        marks.reach(state, "confirmed", event.at), event.at, "confirmed", f"meeting confirmed by {event.by}",
        booking=event.booking,
    )


def recovery_began(state: Lead, event: ev.RecoveryBegan) -> Lead:
    state = marks.note(state, event.at, "recovery", "recovery of the no-show begins", passes=state.pass_no + 1)
    return state.but(
        pass_no=state.pass_no + 1, pass_kind="recovery", pass_began=event.at, next_touch=0, reached=False,
        texted_back=False,
    )  # fmt: skip


def rep_left(state: Lead, event: ev.RepLeft) -> Lead:
    meeting = state.booking
    theirs = meeting is not None and meeting.rep == event.rep and meeting.start > event.at
    if not theirs and state.owner != event.rep:
        return state
    said = f"{event.name} takes no meetings now{f': {event.why}' if event.why else ''}"
    state = marks.note(state, event.at, "rep_left", said, "rep_left", by=event.by)
    return state.but(
        owner="" if state.owner == event.rep else state.owner,
        homeless=meeting.id if meeting and theirs else state.homeless,
    )


def not_rehomed(state: Lead, event: ev.NotRehomed) -> Lead:
    meeting = state.booking
    if meeting is None or meeting.id != event.booking:
        return state.but(homeless="")
    why = "clash" if state.clash else "rep_left"
    state = marks.note(state, event.at, "not_rehomed", f"nobody else can take the meeting: {event.why}", why)
    title = "Two things at once" if state.clash else "A meeting without a rep"
    state = marks.card(
        state, f"homeless:{event.booking}", f"{title}: {marks.name(state) or 'a lead'}",
        f"{written_time(meeting.start, state.zone)}, until now with {meeting.rep_name}", event.why, urgent=True,
    )  # fmt: skip
    return review.file(state.but(homeless=""), why, event.at, event.booking, event.why)
