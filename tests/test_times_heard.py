"""What people say of the times that they were offered is heeded: also what they do not want, and what they only ask."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from tests.talk import NOW, SLOTS, ZONE, Lead, Talk, brief, slot
from workflows import events as ev
from workflows.conversation import dates

FITS = {"name": "Dana Reyes", "use_case": "counting stock", "team_size": "20", "timeline": "quarter"}
LATER = (slot(25, 15), slot(26, 9), slot(26, 10), slot(27, 14, 30))


def offered(slots: tuple[ev.Slot, ...] = (*SLOTS, *LATER)) -> Talk:
    """Somebody who fits, and who has just been offered tomorrow at 10, tomorrow at 3:30 and Wednesday at 9."""
    talk = Talk(brief(learned=FITS, sources=dict.fromkeys(FITS, "said")), lead=Lead(slots))
    talk.hear("Yes.")
    return talk


def booked(talk: Talk) -> list[str]:
    return [act.slot for act in talk.lead.acts if isinstance(act, ev.Book)]


@pytest.mark.parametrize(
    "words",
    [
        "Tomorrow doesn't work for me.",
        "Any day but Tuesday.",
        "I can't do tomorrow.",
        "Tuesday is no good.",
        "I'm out tomorrow.",
        "I'm away until Wednesday.",
    ],
)
def test_a_day_that_is_refused_is_not_offered_again(words: str) -> None:
    talk = offered()
    talk.hear(words)
    assert not booked(talk)
    assert talk.state.offered
    assert all(each.start.day > 24 for each in talk.state.offered)
    assert "tomorrow" not in talk.last


@pytest.mark.parametrize(
    "words", ["Nothing before eleven please.", "I can't make anything before eleven.", "Not free until eleven."]
)
def test_what_is_too_early_is_neither_booked_nor_offered(words: str) -> None:
    talk = offered()
    talk.hear(words)
    assert not booked(talk)
    assert talk.state.offered
    assert all(each.start.hour - 5 >= 11 for each in talk.state.offered)


def test_what_was_refused_stays_refused_until_they_name_it() -> None:
    talk = offered((*SLOTS, slot(25, 15), slot(26, 9), slot(27, 9), slot(30, 9), slot(30, 10), slot(30, 11)))
    talk.hear("Wednesday doesn't work at all.")
    assert all(each.start.day != 25 for each in talk.state.offered)
    talk.hear("No.")
    assert all(each.start.day != 25 for each in talk.state.offered)
    talk.hear("Okay, Wednesday at three then.")
    assert [each.start.day for each in talk.state.offered] == [25]


@pytest.mark.parametrize("words", ["What's the earliest you have?", "Which is the earliest?"])
def test_a_question_for_the_earliest_books_nothing_yet(words: str) -> None:
    talk = offered()
    said = talk.hear(words)
    assert not booked(talk)
    assert "10 AM" in said
    assert "3:30" not in said
    talk.hear("That one.")
    assert booked(talk) == [SLOTS[0].id]


def test_the_hour_that_they_name_is_offered_alone_when_it_is_free() -> None:
    talk = offered()
    said = talk.hear("Can we do Thursday at ten?")
    assert "Thursday the 26th at 10 AM" in said
    assert "9 AM" not in said
    talk.hear("Yes.")
    assert booked(talk) == [slot(26, 10).id]


def test_an_hour_by_itself_is_one_of_the_day_spoken_of() -> None:
    talk = offered((*SLOTS, slot(27, 9), slot(27, 10), slot(27, 14, 30)))
    talk.lead.slots = (slot(27, 9), slot(27, 10), slot(27, 13), slot(27, 14, 30))
    talk.hear("Can you do Friday?")
    assert {each.start.day for each in talk.state.offered} == {27}
    assert "Friday the 27th at 2:30 PM" in talk.hear("Two thirty.")


def test_a_day_beyond_a_holiday_is_looked_for() -> None:
    talk = offered()
    talk.hear("I'm on vacation until the twenty sixth.")
    assert talk.state.offered
    assert all(each.start.day >= 26 for each in talk.state.offered)


@pytest.mark.parametrize(
    ("words", "local"),
    [
        ("tomorrow around lunch", "11-24 12:00"),
        ("at ten", "11-24 10:00"),  # it is five past ten
        ("at eight", "11-23 20:00"),
    ],
)
def test_the_moment_that_is_meant(words: str, local: str) -> None:
    at = dates.moment(dates.read(words, ZONE, NOW), ZONE, NOW)
    assert at is not None
    assert at.astimezone(ZoneInfo(ZONE)).strftime("%m-%d %H:%M") == local
