"""Times that people name, resolved by code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.conversation import dates
from workflows.conversation.numbers import number_in
from workflows.wording import spoken_time

from .talk import NOW, SLOTS, ZONE, slot


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("the first one", 0),
        ("second", 1),
        ("the last one please", 2),
        ("tomorrow at ten", 0),
        ("half three", 1),
        ("the one at half past three tomorrow", 1),
        ("3:30 PM works for me.", 1),
        ("tomorrow, Tuesday the 24th, at 10 AM sounds good", 0),
        ("tomorrow afternoon", 1),
        ("Wednesday", 2),
        ("Let's take 9 AM.", 2),
        ("nine", 2),
        ("ten works", 0),
        ("not the first, the second", 1),
        ("I can't do tomorrow, Wednesday at nine is good", 2),
        ("The earliest you have, please.", 0),
        ("Any time is fine, the sooner the better.", 0),
        ("number two", 1),
        ("2", 1),
        ("quarter to ten", None),
        ("Tuesday", None),
        ("tomorrow", None),
        ("Wednesday at 10", None),
        ("not tomorrow", None),
        ("yes", None),
        ("none of these", None),
        ("what does it cost", None),
        ("we are 25 people", None),
        ("", None),
    ],
)
def test_a_choice_among_offered_slots(text: str, index: int | None) -> None:
    chosen = dates.choose(text, SLOTS, ZONE, NOW)
    assert chosen == (None if index is None else SLOTS[index])


def test_slots_half_a_minute_apart_are_told_apart() -> None:
    first = slot(23, 10, 31)
    second = first.model_copy(update={"id": "later", "start": first.start + timedelta(seconds=30)})
    said = spoken_time(second.start, ZONE, NOW)
    assert "seconds" in said
    assert dates.choose(f"{said} works", (first, second), ZONE, NOW) == second
    assert dates.choose("10:31 AM works for me.", (first, second), ZONE, NOW) == first


@given(st.lists(st.integers(0, 13 * 48), min_size=1, max_size=4, unique=True), st.data())
def test_a_slot_read_back_as_we_say_it_is_that_slot(halves: list[int], data: st.DataObject) -> None:
    base = NOW.replace(minute=0) + timedelta(hours=1)
    slots = []
    for half in sorted(halves):
        start = base + timedelta(minutes=30 * half)
        slots.append(SLOTS[0].model_copy(update={"id": f"s{half}", "start": start, "end": start}))
    wanted = data.draw(st.sampled_from(slots))
    assert dates.choose(spoken_time(wanted.start, ZONE, NOW), slots, ZONE, NOW) == wanted


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("in twenty minutes", "2026-11-23 10:25"),
        ("in an hour", "2026-11-23 11:05"),
        ("tomorrow at ten", "2026-11-24 10:00"),
        ("at 4", "2026-11-23 16:00"),
        ("next Tuesday afternoon", "2026-12-01 14:00"),
        ("Friday at half past two", "2026-11-27 14:30"),
        ("the day after tomorrow", "2026-11-25 10:00"),
        ("this evening", "2026-11-23 18:00"),
        ("noon", "2026-11-23 12:00"),
        ("December 3rd at 9", "2026-12-03 09:00"),
        ("quarter to five", "2026-11-23 16:45"),
        ("nine in the morning", "2026-11-24 09:00"),
        ("mañana at 11", "2026-11-24 11:00"),
        ("call me", None),
        ("we are 12 people", None),
    ],
)
def test_a_moment_to_call_back(text: str, local: str | None) -> None:
    found = dates.moment(dates.read(text, ZONE, NOW), ZONE, NOW)
    assert (found and found.astimezone(ZoneInfo(ZONE)).strftime("%Y-%m-%d %H:%M")) == local


@given(st.text(max_size=120), st.sampled_from(["America/New_York", "Asia/Calcutta", "Pacific/Auckland", "UTC"]))
def test_any_text_is_read_and_no_moment_lies_in_the_past(text: str, zone: str) -> None:
    said = dates.read(text, zone, NOW)
    found = dates.moment(said, zone, NOW)
    assert found is None or found >= NOW
    first, last, _ = dates.window(said, zone, NOW)
    assert first is None or last is None or first <= last or last <= NOW + timedelta(days=1)
    dates.choose(text, SLOTS, zone, NOW)


def test_a_day_spans_the_lead_s_own_midnight() -> None:
    first, last, _ = dates.window(dates.read("tomorrow", "Asia/Tokyo", NOW), "Asia/Tokyo", NOW)
    assert first == datetime(2026, 11, 24, 15, tzinfo=UTC)
    assert last == datetime(2026, 11, 25, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("about twenty five", 25),
        ("1,200", 1200),
        ("just me", 1),
        ("a couple", 2),
        ("a hundred and fifty", 150),
        ("none", None),
    ],
)
def test_quantities(text: str, number: float | None) -> None:
    assert number_in(text) == number
