"""Somebody who is away from home has their times by the clock there, and hears whose clock it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.talk import SLOTS, ZONE, Talk
from tests.test_times_heard import booked, offered
from workflows import events as ev
from workflows.conversation import dates

PACIFIC = "America/Los_Angeles"


@pytest.mark.parametrize(
    ("words", "zone"),
    [
        ("I'm in California this week", PACIFIC),
        ("I'm actually in London until Friday.", "Europe/London"),
        ("We're on the west coast right now", PACIFIC),
        ("What is that in Pacific time?", PACIFIC),
        ("what's that in Chicago time", "America/Chicago"),
        ("I'll be over in Berlin all week", "Europe/Berlin"),
        ("I'm back in New York", "America/New_York"),
        ("My boss is in California", ""),
        ("I was in London last week", ""),
        ("Our warehouse is out in California", ""),
        ("We are in a meeting", ""),
        ("I'm not in London any more", ""),
        ("in no time", ""),
        ("We have customers in Texas", ""),
        ("I'm interested in California", ""),
    ],
)
def test_where_they_say_that_they_are(words: str, zone: str) -> None:
    assert dates.whereabouts(words) == zone


@pytest.mark.parametrize("words", ["I'm in California this week.", "I'm actually in California this week, what is that in Pacific time?"])
def test_the_times_on_the_table_are_told_by_their_clock(words: str) -> None:
    talk = offered(SLOTS)
    assert "tomorrow, Tuesday the 24th, at 10 AM or 3:30 PM, or Wednesday the 25th at 9 AM." in talk.last
    said = talk.hear(words)
    assert "tomorrow, Tuesday the 24th, at 7 AM or 12:30 PM, or Wednesday the 25th at 6 AM Pacific time." in said
    assert not [act for act in talk.lead.acts if isinstance(act, ev.Task)]
    talk.hear("Tomorrow at twelve thirty.")
    assert booked(talk) == [SLOTS[1].id]
    assert "12:30 PM Pacific time" in talk.last


def test_a_time_that_they_name_is_read_by_their_clock() -> None:
    talk = offered(SLOTS)
    talk.hear("I'm in London until Friday, could we do it tomorrow in the afternoon?")
    look = talk.lead.acts[-1]
    assert isinstance(look, ev.OfferSlots)
    assert (look.zone, look.part) == ("Europe/London", "afternoon")
    assert look.not_before == datetime(2026, 11, 24, 0, tzinfo=UTC)


def test_a_choice_in_the_same_breath_stands() -> None:
    talk = offered(SLOTS)
    talk.hear("I'm in California this week, but the second one works.")
    assert booked(talk) == [SLOTS[1].id]


def test_who_is_back_home_hears_no_clock_named() -> None:
    talk = offered(SLOTS)
    talk.hear("I'm in California this week.")
    assert "10 AM or 3:30 PM, or Wednesday the 25th at 9 AM. " in talk.hear("Oh no wait, I'm back in New York.") + " "
    assert talk.state.brief.zone == talk.state.home == ZONE


def test_a_place_by_the_same_clock_changes_nothing() -> None:
    talk = Talk()
    talk.hear("We're in Boston.")
    assert talk.state.brief.zone == ZONE
