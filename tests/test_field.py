"""What goes wrong with scheduling in the field, case by case: each is answered by the tests that are named beside it,
here or elsewhere. The numbers are those of the public tracker of cal.com, the most used open scheduler."""

from __future__ import annotations

import asyncio
import importlib
from datetime import UTC, datetime, timedelta

import pytest

from activities import meetings
from tests.stage import form, playbook
from tests.test_meetings import START, Desk, desk  # noqa: F401
from workflows import events as ev
from workflows import plan
from workflows.lead import Lead
from workflows.playbook import Playbook, register
from workflows.story import apply

CASES = {
    "no lock: parallel posts book one slot several times (#13397, #5820)": (
        "test_meetings.test_leads_that_book_one_time_at_once_get_one_meeting",
        "test_race.test_every_slot_is_booked_once_and_no_lead_twice",
    ),
    "two pending requests for one slot are both confirmed (#10789, #29958)": (
        "test_ledger.test_a_held_time_is_nobody_elses",
        "test_meetings.test_never_offers_what_calendar_or_ledger_take",
    ),
    "two confirms at once make two events (#7703)": ("test_field.test_two_attempts_at_once_make_one_event",),
    "a cache of what is free lets two guests seconds apart in (PR #22401)": (
        "test_meetings.test_a_taken_time_is_refused_and_nothing_is_left",
    ),
    "the same attendee and slot again is the booking there is (PR #21455)": (
        "test_meetings.test_books_once_and_says_why_this_rep",
        "test_pages.test_a_meeting_is_moved_in_two_taps_and_no_more_often_than_allowed",
    ),
    "the first host of a round robin gets every booking of a slot (#1019)": (
        "test_fairness.test_open_offers_send_others_to_the_next",
        "test_race.test_every_slot_is_booked_once_and_no_lead_twice",
    ),
    "a conflict is told although another host is free (#17693)": (
        "test_meetings.test_reads_everybody_where_those_whose_turn_it_is_are_full",
    ),
    "12:30 becomes 11:30 or 13:30 on the day of the clock change (#6217)": (
        "test_slots.test_same_wall_clock_every_week",
        "test_slots.test_a_gap_holds_no_slot_and_a_doubled_hour_counts_twice",
    ),
    "after the change in autumn the day begins an hour early (#10517, #4702)": (
        "test_slots.test_same_wall_clock_every_week",
        "test_timetable.test_a_day_of_the_clock_change_is_told_hour_by_hour",
    ),
    "a notice that ends on the day of the change shifts everything (#12137)": (
        "test_slots.test_notice_that_ends_on_the_change_day_shifts_nothing",
    ),
    "a daily limit is counted in another zone (#27261, PR #24846, PR #16739)": (
        "test_timetable.test_a_full_day_and_a_full_week_are_the_reps_own",
    ),
    "busy is read from the same event type only (PR #5248)": (
        "test_meetings.test_never_offers_what_calendar_or_ledger_take",
    ),
    "a buffer before is ignored, one after doubled (#3662, #17414, #24253)": (
        "test_slots.test_buffers_are_neither_ignored_nor_doubled",
        "test_ledger.test_buffers_keep_meetings_apart_by_the_longer_of_the_two",
    ),
    "a reminder comes after the cancellation or the move (#6973, #7225, #6905)": (
        "test_field.test_reminders_die_with_their_booking",
    ),
    "a reminder is sent although its time is past (#26789)": ("test_field.test_a_reminder_whose_time_is_past_is_left_out",),
    "the event stays with the old host after a move (#11547, #12098)": (
        "test_meetings.test_a_move_books_the_new_and_releases_the_old",
        "test_rehoming.test_the_meeting_goes_to_another_rep_at_its_time",
    ),
    "a host who is away is assigned (#15871, #5331, #8207)": (
        "test_meetings.test_a_rep_switched_off_is_not_offered",
        "test_timetable.test_days_off_and_hours_of_a_date_outrank_the_week",
    ),
    "a new host gets every booking (PR #15558, #16310, #19822)": (
        "test_fairness.test_who_joins_gets_their_share_from_then_on",
    ),
    "no-shows count against the host (#15309)": ("test_fairness.test_a_no_show_gives_the_turn_back_and_a_correction_takes_it",),
    "an owner without a slot keeps the lead waiting (PR #17416)": (
        "test_routing.test_the_owner_comes_first_and_is_named_when_passed_over",
        "test_meetings.test_the_owner_comes_first_and_a_move_keeps_its_rep",
    ),
    "a duplicate in the CRM is an error, or a second record (PR #17299, PR #17292)": (
        "test_hubspot.test_an_existing_contact_of_the_same_email_is_adopted",
        "test_hubspot.test_the_whole_life_keeps_one_record_of_each",
    ),
    "tomorrow and next Tuesday are a day off": (
        "test_dates.test_days",
        "test_dates.test_the_right_time_on_another_day_picks_nothing",
        "test_dates.test_a_day_spans_the_lead_s_own_midnight",
    ),
    "times are offered that do not exist": ("test_pages.test_what_was_never_offered_or_has_gone_is_answered_with_what_is_free",),
    "a calendar that is disconnected is always free (HubSpot)": (
        "test_meetings.test_an_unreadable_calendar_is_never_free",
        "test_calendars.test_a_calendar_that_cannot_be_read_is_never_free",
    ),
    "a new member starts the rotation anew (HubSpot, Calendly)": (
        "test_fairness.test_who_joins_gets_their_share_from_then_on",
        "test_fairness.test_who_was_away_is_owed_nothing_and_keeps_their_place",
    ),
    "changed reminders miss the meetings booked before (Calendly)": (
        "test_field.test_reminders_of_a_changed_playbook_reach_a_meeting_booked_before",
    ),
    "a campaign's call and a workflow's retry go out minutes apart": ("test_plan.test_whatever_happens_the_rules_hold_and_the_story_ends",),
    "a call that missed its window is dialled later": (
        "test_lead_workflow.test_a_dial_that_waits_for_the_carrier_is_called_off_when_no_longer_wanted",
        "test_plan.test_the_cap_moves_a_dial_past_the_window",
    ),
    "one person becomes two by text and by e-mail": (
        "test_hubspot.test_two_numbers_with_one_email_share_a_contact",
        "test_intake.test_two_posts_at_once_and_a_repeat_reach_one_lead",
    ),
    "one text comes as two webhooks": ("test_carrier.test_a_text_reaches_its_lead_once",),
    "what is still in flight is sent again": ("test_lead_workflow.test_a_dial_whose_answer_was_lost_is_asked_for_and_never_repeated",),
    "a slow greeting is hung up on, a screening taken for a person": (
        "test_machines.test_a_slow_greeting_of_a_person_is_never_hung_up_on",
        "test_machines.test_a_screening_is_told_who_calls_and_the_person_is_waited_for_in_silence",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_case_has_its_tests(case: str) -> None:
    for named in CASES[case]:
        module, _, name = named.partition(".")
        assert callable(getattr(importlib.import_module(f"tests.{module}"), name, None)), f"{named} is gone"


# ---- the transaction ---------------------------------------------------------------------------------------------


async def test_two_attempts_at_once_make_one_event(desk: Desk) -> None:  # noqa: F811
    """An attempt that was given up on may still run when the next one starts."""
    request = desk.request(desk.ana)
    first, second = await asyncio.gather(*(desk.run(meetings.book_meeting, request) for _ in range(2)))
    assert first.booking == second.booking
    assert first.booking is not None
    assert [event["id"] for event in desk.events(desk.ana)] == [first.booking.event_id]
    assert await desk.ledger(desk.ana) == [START]


# ---- reminders ---------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
"""A Monday morning in California."""


def booked(book: Playbook, starts_in: timedelta, id: str = "b1", state: Lead | None = None) -> Lead:
    """A lead whose meeting ``id`` was just booked."""
    start = NOW + starts_in
    meeting = ev.Booking(
        id=id, rep="ana", rep_name="Ana", start=start, end=start + timedelta(minutes=30), event_id=id, reason="next in turn"
    )
    state = state or apply(
        Lead(lead="lead-x", audience=book.audience, playbook=book.hash), ev.FormSubmitted(at=NOW, form=form())
    )
    return apply(state, ev.MeetingBooked(at=NOW, request=f"r-{id}", booking=meeting))


def reminders(state: Lead, book: Playbook, until: timedelta = timedelta(hours=80)) -> list[tuple[timedelta, str]]:
    """How long before which booking's start each text about it goes out, when nothing else happens: its reminders, and
    after the start the question whether they are able to join."""
    sent, now = [], NOW
    while now < NOW + until:
        step = plan.next_step(state, book, now)
        if isinstance(step, plan.Text):
            if step.rule == "reminder" and step.booking:
                sent.append((step.booking.start - now, step.booking.id))
            state = apply(state, ev.TextSent(at=now, touch=step.touch, message=step.message))
        elif isinstance(step, plan.Settle):
            state = apply(state, step.event)
        elif isinstance(step, plan.Wait) and step.until is not None:
            now = step.until
        else:
            break
    return sent


def two_reminders(*before: timedelta) -> Playbook:
    book = playbook()
    one = book.reminders[0]
    changed = book.model_copy(update={"reminders": tuple(one.model_copy(update={"before": each}) for each in before)})
    register([changed])
    return changed


DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def check_in(book: Playbook) -> timedelta:
    """When the question whether they can join goes out, as ``reminders`` tells it: after the start."""
    assert book.attendance.check_in
    return -book.attendance.check_in


def test_a_reminder_whose_time_is_past_is_left_out() -> None:
    book = two_reminders(DAY, HOUR)
    assert reminders(booked(book, 50 * HOUR), book) == [(DAY, "b1"), (HOUR, "b1"), (check_in(book), "b1")]
    assert reminders(booked(book, 5 * HOUR), book) == [(HOUR, "b1"), (check_in(book), "b1")]
    assert reminders(booked(book, HOUR / 2), book) == [(check_in(book), "b1")]


def test_reminders_die_with_their_booking() -> None:
    book = two_reminders(DAY, HOUR)
    state = booked(book, 50 * HOUR)
    moved = booked(book, 74 * HOUR, "b2", state)
    assert reminders(moved, book) == [(DAY, "b2"), (HOUR, "b2"), (check_in(book), "b2")]
    cancelled = apply(state, ev.MeetingCancelled(at=NOW, request="r3", booking="b1"))
    assert reminders(cancelled, book) == []


def test_reminders_of_a_changed_playbook_reach_a_meeting_booked_before() -> None:
    before, after = two_reminders(DAY), two_reminders(2 * HOUR)
    state = apply(booked(before, 50 * HOUR), ev.PlaybookMoved(at=NOW, playbook=after.hash, by="ops"))
    assert reminders(state, after) == [(2 * HOUR, "b1"), (check_in(after), "b1")]
