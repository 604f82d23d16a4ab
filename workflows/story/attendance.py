"""Who came: evidence with its source and strength, what it comes to, and whom to ask where there is none."""

from __future__ import annotations

from datetime import datetime, timedelta

from .. import events as ev
from .. import review
from ..lead import Lead, Unknown
from ..playbook import registered
from ..wording import written_time
from . import marks

STRENGTH = {"absent": 0, "lead": 1, "join_link": 2, "provider": 3, "rep": 3}
"""A guess counts less than their own word, that less than a click by a person, and that less than the mark of somebody who
was there: the host's at the scheduler, or the rep's here. Of equals the newest counts."""
_SOURCES = {"absent": "a guess", "lead": "their own word", "join_link": "the join link", "provider": "the scheduler", "rep": "the rep"}
_MOST = 8
"""Pieces of evidence on one meeting that are kept."""
REVIEW = "attendance"


def attendance_reported(state: Lead, event: ev.AttendanceReported) -> Lead:
    """Weigh the new piece with what was known; the outcome follows the strongest. A contradiction is noted."""
    meeting = next((b for b in (state.booking, state.missed) if b and b.id == event.booking), None)
    known = _known(state, event.booking)
    if meeting is None or _is_repeated(event, known):
        return state
    before, evidence = _strongest(known), (*known, event)[-_MOST:]
    counts = _strongest(evidence)
    assert counts is not None
    state = state.but(evidence=evidence, before=None)
    against = next((e for e in reversed(known) if e.present != event.present), None)
    said = f"{_in_words(event)} ({event.source.replace('_', ' ')})"
    if against is not None:
        said += f"; {_SOURCES[against.source]} says otherwise, {_SOURCES[counts.source]} counts"
    state = marks.note(
        state, event.at, "attendance", said, event.source, booking=event.booking, by=event.by,
        showed="yes" if counts.present else "no",
    )  # fmt: skip
    if before is not None and counts.present == before.present:
        return state.but(attendance=counts)
    outcome_due = not counts.present or before is not None
    state = state.but(attendance=counts, outcome_due=outcome_due, unknown=None, expected_at=None)
    state = review.settle(state, REVIEW, event.booking)
    return _came(state, meeting, event) if counts.present else _missed(state, meeting, event, against)


def _came(state: Lead, meeting: ev.Booking, event: ev.AttendanceReported) -> Lead:
    state = state.but(booking=meeting, missed=None)
    if state.disposition in ("no_show", "unknown"):
        state = state.but(closed_at=None, disposition="", reason="")
    return marks.settle(marks.reach(state, "showed", event.at, back=True))


def _missed(
    state: Lead, meeting: ev.Booking, event: ev.AttendanceReported, against: ev.AttendanceReported | None
) -> Lead:
    state = state.but(
        booking=None, missed=meeting, closed_at=None, disposition="", reason="", pass_began=None, not_before=None,
        due_texts=(), due_mails=(),
    )  # fmt: skip
    otherwise = f"{_SOURCES[against.source].capitalize()} says that they came." if against else ""
    state = marks.card(
        state, f"missed:{event.booking}", f"No-show: {marks.name(state)}", "We are trying to reach them.", otherwise,
        acts=("attended", "take-over"),
    )  # fmt: skip
    return marks.settle(marks.reach(state, "no_show", event.at, back=True))


def _known(state: Lead, booking: str) -> tuple[ev.AttendanceReported, ...]:
    """What was reported of this meeting before, also where an older version kept only what counted."""
    kept = tuple(e for e in state.evidence if e.booking == booking)
    return kept or tuple(e for e in (state.attendance,) if e and e.booking == booking)


def _is_repeated(event: ev.AttendanceReported, known: tuple[ev.AttendanceReported, ...]) -> bool:
    """Whether it says nothing new: the same as its source said last, or an absence that comes back from a scheduler to
    which we wrote it ourselves."""
    last = next((e for e in reversed(known) if e.source == event.source), None)
    echo = event.source == "provider" and not event.present and any(not e.present for e in known)
    return echo or (last is not None and last.present == event.present)


def _strongest(evidence: tuple[ev.AttendanceReported, ...]) -> ev.AttendanceReported | None:
    found: ev.AttendanceReported | None = None
    for each in evidence:
        if found is None or STRENGTH[each.source] >= STRENGTH[found.source]:
            found = each
    return found


def _in_words(event: ev.AttendanceReported) -> str:
    return "came" if event.present else "did not come"


def outcome_asked(state: Lead, event: ev.OutcomeAsked) -> Lead:
    """Nobody knows: the rep gets a card to answer, and once more; at last it stands for review."""
    meeting = state.booking
    if meeting is None or meeting.id != event.booking or state.attendance is not None:
        return state
    since = state.unknown.since if state.unknown else event.at
    asked = (state.unknown.asked if state.unknown else 0) + 1
    state = state.but(unknown=Unknown(booking=meeting.id, since=since, asked=asked, last=event.at))
    if event.review:
        said = "nobody said whether they came; it waits for a person"
        state = marks.note(state, event.at, "unknown", said, REVIEW, booking=meeting.id)
        return review.file(state, REVIEW, event.at, meeting.id, f"{written_time(meeting.start, state.zone)} with {meeting.rep_name}")
    state = marks.milestone(state, "unknown", event.at)
    again = asked > 1
    said = "the rep is asked once more whether they came" if again else "nobody knows whether they came; the rep is asked"
    state = marks.note(state, event.at, "unknown", said, REVIEW, booking=meeting.id)
    return marks.card(
        state, f"came:{meeting.id}:{state.version}", f"Did {marks.name(state) or 'your lead'} come?",
        f"{written_time(meeting.start, state.zone)} with {meeting.rep_name}. Nobody came through the join link.",
        "Until you say so they count neither as held nor as a no-show.", urgent=again, acts=("attended", "no-show"),
        request=meeting.id, asks="outcome", about=meeting.id, until=event.until,
    )  # fmt: skip


def by_their_word(state: Lead, asked: ev.ActionAsked) -> Lead:
    """Who wants another time for a meeting of which nobody knows whether it was held, or none, was not there. What they
    ask for now is not stale by it."""
    if state.booking is None:
        return state
    word = ev.AttendanceReported(at=asked.at, booking=state.booking.id, present=False, source="lead")
    return attendance_reported(state, word).but(settled=state.settled)


def told_of(state: Lead, at: datetime, said: ev.Attend) -> Lead:
    """What they say of coming, told to the rep at once. Who comes later is expected later; who does not come although it
    has begun was not there, by their own word."""
    meeting, book = state.booking, registered().get(state.playbook)
    if meeting is None or book is None:
        return state
    name = marks.name(state) or "Your lead"
    if said.how == "absent":
        word = ev.AttendanceReported(at=at, booking=meeting.id, present=False, source="lead", by="lead")
        return attendance_reported(state, word).but(settled=state.settled) if at >= meeting.start else state
    after = timedelta(minutes=said.minutes) if said.minutes else book.attendance.late
    expected = min(max(meeting.start, at) + after, meeting.end)
    title = {"late": f"{name} is running late", "soon": f"{name} is on the way in", "here": f"{name} is waiting in the room"}
    how_late = f", by {said.minutes} minutes" if said.minutes else ""
    state = marks.note(state, at, "coming", f"says: {title[said.how].removeprefix(name).strip()}{how_late}", booking=meeting.id)
    state = state.but(expected_at=expected, unknown=None)
    return marks.card(
        state, f"coming:{meeting.id}:{state.version}", f"{title[said.how]}{how_late}",
        f"{written_time(meeting.start, state.zone)}; expected by {written_time(expected, state.zone)}.",
        marks.quoted(said.words), urgent=True, acts=("attended", "no-show", "take-over"), request=meeting.id,
    )  # fmt: skip
