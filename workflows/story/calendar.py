"""What people do to a meeting in the calendar itself: the rep moves it or takes it out, the lead answers the invitation,
something else comes into its time."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from .. import events as ev
from .. import review
from ..lead import DueText, Lead
from ..playbook import registered
from ..wording import written_time
from . import attendance, marks, meetings


def calendar_changed(state: Lead, event: ev.CalendarChanged) -> Lead:
    meeting = state.booking
    if event.change == "booked":
        return _booked_there(state, event)
    if event.change == "absent":
        mark = ev.AttendanceReported(at=event.at, booking=event.booking, present=False, source="provider", by=event.by)
        return attendance.attendance_reported(state, mark)
    if meeting is None or meeting.id != event.booking or state.attendance:
        return state
    match event.change:
        case "moved" if event.slot and (event.slot.rep, event.slot.start, event.slot.end) == _place(meeting):
            return _cleared(state.but(outside=None), event)
        case "moved":
            return state.but(outside=event)
        case "removed":
            # After its start only who came counts.
            return state.but(outside=event) if event.at < meeting.start else state
        case "accepted" | "declined":
            return _invitation_answered(state, meeting, event.change, event)
        case "clash":
            return _clashed(state, meeting, event)
        case "clear":
            return _cleared(state, event)


def _booked_there(state: Lead, event: ev.CalendarChanged) -> Lead:
    """What they booked on the rep's own page is their meeting; beside one that stands it is for a person to sort out."""
    meeting = state.booking
    if meeting is None:
        return state.but(outside=event)
    if event.slot is None or meeting.event_id == event.event:
        return state
    state = marks.note(state, event.at, "booked_twice", "booked another time on the rep's own page", "calendar")
    state = review.file(state, "clash", event.at, event.event, "booked another time on the rep's own page")
    return marks.card(
        state, f"booked_twice:{event.event}", f"Booked twice: {marks.name(state) or 'a lead'}",
        f"{written_time(event.slot.start, state.zone)}, on your own page; "
        f"{written_time(meeting.start, state.zone)} with {meeting.rep_name} stands too. Cancel one of the two.", urgent=True,
    )  # fmt: skip


def _place(meeting: ev.Booking) -> tuple[str, datetime, datetime]:
    return meeting.rep, meeting.start, meeting.end


def _invitation_answered(
    state: Lead, meeting: ev.Booking, answer: Literal["accepted", "declined"], event: ev.CalendarChanged
) -> Lead:
    """Their word in the calendar is evidence: a yes confirms the time; after a no they are asked what suits, and the
    meeting stands until somebody says otherwise."""
    if state.invitation == answer:
        return state
    state = state.but(invitation=answer)
    if answer == "accepted":
        return meetings.meeting_confirmed(state, ev.MeetingConfirmed(at=event.at, booking=meeting.id, by="the invitation"))
    said = "declined the invitation"
    state = marks.note(state, event.at, "invitation", said, "calendar", booking=meeting.id)
    sign = ev.Sign(sign="denial", about="meeting", quote=said, strength=0.6, at=event.at)
    state = state.but(signs=(*state.signs, sign))
    if state.stage == "confirmed":
        state = marks.reach(state, "booked", event.at, back=True)
    state = marks.card(
        state, f"declined:{meeting.id}", f"Invitation declined: {marks.name(state)}",
        f"{written_time(meeting.start, state.zone)}. The meeting stands; they are asked for a time that suits.",
    )  # fmt: skip
    if not marks.worded(state, "declined") or state.opted_out_at:
        return state
    due = DueText(key=f"due/declined/{meeting.id}", message="declined")
    return state.but(due_texts=(*state.due_texts, due))


def _clashed(state: Lead, meeting: ev.Booking, event: ev.CalendarChanged) -> Lead:
    book = registered().get(state.playbook)
    elsewhere = book is not None and book.meeting.clash == "another_rep" and not state.clash
    said = "something else stands in the calendar at this time"
    state = marks.note(state, event.at, "clash", said, "calendar", booking=meeting.id)
    state = review.file(state.but(clash=event.event), "clash", event.at, event.event, said)
    if elsewhere:
        return state.but(homeless=meeting.id)
    return marks.card(
        state, f"clash:{meeting.id}:{event.event}", f"Two things at once: {marks.name(state) or 'a lead'}",
        f"{written_time(meeting.start, state.zone)} with {meeting.rep_name}: something else came into the calendar.",
        "Move one of the two, in the calendar or here; the meeting stands until then.", urgent=True,
    )  # fmt: skip


def _cleared(state: Lead, event: ev.CalendarChanged) -> Lead:
    if not state.clash:
        return state
    state = marks.note(state, event.at, "clash", "the calendar is clear again at this time", "calendar")
    return review.settle(state.but(clash=""), "clash")


def not_adopted(state: Lead, event: ev.NotAdopted) -> Lead:
    meeting, outside = state.booking, state.outside
    if outside is not None and outside.slot and not event.booking:
        state = marks.note(state, event.at, "not_adopted", f"booked on the rep's own page: {event.why}", "calendar")
        state = marks.card(
            state, f"not_adopted:{outside.event}", f"Booked on your own page: {marks.name(state) or 'a lead'}",
            f"{written_time(outside.slot.start, state.zone)}. We could not take it over: {event.why}.", urgent=True,
        )  # fmt: skip
        return review.file(state.but(outside=None), "clash", event.at, outside.event, event.why)
    if meeting is None or meeting.id != event.booking or outside is None:
        return state.but(outside=None)
    where = written_time(outside.slot.start, state.zone) if outside.slot else "another time"
    state = marks.note(state, event.at, "not_moved", f"moved in the calendar to {where}: {event.why}", "calendar")
    state = marks.card(
        state, f"not_moved:{event.booking}:{outside.id or where}", f"Moved, but not for the lead: {marks.name(state) or 'a lead'}",
        f"In the calendar it is on {where} now, for the lead still on {written_time(meeting.start, state.zone)}.",
        f"Why: {event.why}. Move it to a time that can be, or back.", urgent=True,
    )  # fmt: skip
    state = review.file(state, "clash", event.at, outside.event, event.why)
    return state.but(outside=None, clash=outside.event)
