"""Calendars that answer nonsense: a page, wrong types, times without zone, negative lengths, thousands of slots. It is
refused with its reason, and nothing of it is free.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities import calendars
from activities.vendors import answers, calcom, calendly, google
from tests.fixtures.books import Books
from workflows.roster import Rep

START = datetime(2032, 3, 2, 15, tzinfo=UTC)
LENGTH = timedelta(minutes=30)
NOON, LATER = "2032-03-02T15:00:00Z", "2032-03-02T15:30:00Z"
ANA = "ana@tallyhook.example"
PAGE = "<!doctype html><title>Please sign in</title>"

SHAPES: list[Any] = [None, 7, "text", [], [[]], {}, {"data": None}, {"data": 3}, {"data": {"d": 1}}, {"collection": 1}]
"""JSON that is no answer of any calendar."""


def busy(*spans: Any) -> Any:
    return {"calendars": {ANA: {"busy": [{"start": start, "end": end} for start, end in spans]}}}


def slots(*spans: Any) -> Any:
    return {"status": "success", "data": {"2032-03-02": [{"start": start, "end": end} for start, end in spans]}}


def times(*spans: Any) -> Any:
    return {"collection": [{"status": "available", "start_time": start} for start, _ in spans]}


HALF_HOUR = calendly.EventType(id="x", length=LENGTH, owner="https://api.calendly.com/users/x")
UUID = "0f7c2a9e-0000-4000-8000-00000000000a"
TIMES = [
    ((NOON.removesuffix("Z"), LATER.removesuffix("Z")), "without its zone"),
    ((LATER, NOON), "ends before it begins"),
    ((15, 30), "no text but int"),
    (("tomorrow", "later"), "a time that is none"),
    ((NOON, None), "no text but NoneType"),
    (("9999-12-31T23:59:00-14:00", LATER), "OverflowError"),
]


def rep(calendar: str) -> Rep:
    return Rep(id="ana", name="Ana", calendar=calendar, zone="UTC", hours={})


async def refused(work: Awaitable[object]) -> str:
    with pytest.raises(ApplicationError) as told:
        await work
    assert told.value.type in ("permanent", "retry")
    return told.value.message


@pytest.mark.parametrize(
    ("vendor", "path", "calendar", "told"),
    [
        ("google", "/freeBusy$", ANA, busy),
        ("calcom", "/slots$", "calcom:1", slots),
        ("calendly", "/event_type_available_times$", f"calendly:{UUID}", times),
    ],
    ids=["google", "calcom", "calendly"],
)
async def test_times_that_cannot_be_are_not_free(
    books: Books, vendor: str, path: str, calendar: str, told: Callable[..., Any]
) -> None:
    def answers_with(answer: str) -> None:
        books.fault(vendor, "200", path=path, answer=answer, times=9)

    async def why() -> str:
        message = await refused(calendars.look(rep(calendar), START, START + timedelta(days=1), LENGTH))
        books.world.faults.clear()
        return message

    books.seed("calendly", eventTypes=[{"uuid": UUID, "host": "ana"}])
    for span, words in TIMES:
        if vendor == "calendly" and span in ((LATER, NOON), (NOON, None)):
            continue  # it tells no ends
        answers_with(json.dumps(told(span)))
        assert words in await why(), span
    for shape in SHAPES:
        answers_with(json.dumps(shape))
        words = "could not be read" if shape == "text" and vendor == "google" else "makes no sense"
        assert words in await why(), shape
    for page in (PAGE, "{", '{"data": ' + "[" * 100_000):
        answers_with(page)
        assert "could not be read" in await why(), page[:20]
    minute = timedelta(minutes=1)
    many = [
        ((START + n * minute).isoformat(), (START + n * minute + LENGTH).isoformat()) for n in range(answers.MOST + 1)
    ]
    answers_with(json.dumps(told(*many)))
    assert "20001 times, more than a calendar has" in await why()


async def test_a_calendar_that_is_missing_from_the_answer_is_not_free(books: Books) -> None:
    for told in ({"calendars": {}}, {"calendars": {ANA: {}}}, {"calendars": {ANA: None}}):
        books.fault("google", "200", path="/freeBusy$", answer=json.dumps(told))
        assert await refused(calendars.look(rep(ANA), START, START + timedelta(days=1), LENGTH))


@pytest.mark.parametrize("shape", [*SHAPES, {"items": 3}, {"items": [{"id": "x", "start": {"dateTime": NOON[:-1]}}]}])
async def test_events_and_bookings_of_no_known_shape_are_refused(books: Books, shape: Any) -> None:
    """Every read behind a booking: what it finds decides whether something is written."""
    reads: list[tuple[str, Callable[[], Awaitable[object]]]] = [
        ("calcom", lambda: calcom.find(1, START, START + LENGTH)),
        ("calcom", lambda: calcom.get("x")),
        ("calcom", lambda: calcom.event_types()),
        ("calcom", lambda: calcom.told_of("https://x.example")),
        ("calendly", lambda: calendly.event_type(UUID)),
        ("calendly", lambda: calendly.get(UUID)),
        ("calendly", lambda: calendly.find(HALF_HOUR, START)),
        ("calendly", lambda: calendly.told_of("https://x.example")),
        ("google", lambda: google.find_events(ANA, "b1")),
        ("google", lambda: google.get_event(ANA, "b1")),
        ("google", lambda: google.access(ANA)),
    ]
    for vendor, read in reads:
        books.fault(vendor, "200", answer=json.dumps(shape))
        with contextlib.suppress(ApplicationError):
            assert not await read(), "what was not told was believed"


@settings(max_examples=40)
@given(st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.lists(st.integers(), max_size=2))
def test_whatever_is_no_time_is_no_time(told: Any) -> None:
    with pytest.raises(ApplicationError) as error, answers.believed("Cal.com"):
        answers.instant(told)
    assert error.value.type == "permanent"


@settings(max_examples=40)
@given(st.datetimes(timezones=st.timezones()))
def test_a_time_with_its_zone_is_that_instant(moment: datetime) -> None:
    if datetime(2, 1, 1, tzinfo=UTC) < moment < datetime(9998, 1, 1, tzinfo=UTC):
        assert abs(answers.instant(moment.isoformat()) - moment) < timedelta(seconds=1)
