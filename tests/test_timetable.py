"""Why a time is or is not offered: the explanation agrees with the search, and says what a person needs to know."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities import availability
from workflows import caps, slots, timetable, working
from workflows import ledger as book
from workflows.ledger import TakenTime
from workflows.playbook import MeetingType
from workflows.roster import Away, Rep
from workflows.timetable import Busy, Hour

OFFICE = {day: ("09:00-12:00", "13:00-17:00") for day in range(5)}
HALF = timedelta(minutes=30)
MEETING = MeetingType(
    name="Demo", length=HALF, increment=HALF, notice=timedelta(hours=1), window=timedelta(days=14),
    buffer_before=timedelta(minutes=10), buffer_after=timedelta(minutes=10), hold=timedelta(minutes=5),
)  # fmt: skip
NOW = datetime(2027, 3, 8, 13, tzinfo=UTC)
"""A Monday, 8:00 in New York; the clocks go forward on the Sunday after it."""


def rep(**more: object) -> Rep:
    known = {"id": "dana", "name": "Dana", "calendar": "dana", "zone": "America/New_York", "hours": OFFICE}
    return Rep.model_validate(known | more)


def told(
    day: date, someone: Rep | None = None, meeting: MeetingType = MEETING, zone: str = "", **more: object
) -> dict[str, Hour]:
    someone = someone or rep()
    found = timetable.explain(someone, meeting, day, zone or someone.zone, NOW, **more)  # type: ignore[arg-type]
    return {hour.clock: hour for hour in found}


def local(*when: int, zone: str = "America/New_York") -> datetime:
    return datetime(*when, tzinfo=ZoneInfo(zone))


def test_each_rule_is_named() -> None:
    busy = [
        Busy(start=local(2027, 3, 8, 10), end=local(2027, 3, 8, 10, 30)),
        Busy(start=local(2027, 3, 8, 14), end=local(2027, 3, 8, 14, 30), kind="booked"),
        Busy(start=local(2027, 3, 8, 16), end=local(2027, 3, 8, 16, 30), kind="held"),
    ]
    day = told(date(2027, 3, 8), busy=busy)
    assert {clock: day[clock].rule for clock in ("07:30", "08:30", "09:00", "10:00", "10:30", "11:00", "11:30", "12:30", "13:00",
                                                 "13:30", "14:00", "16:00", "16:30", "17:00")} == {
        "07:30": "past", "08:30": "notice", "09:00": "offered", "10:00": "calendar", "10:30": "buffer", "11:00": "offered",
        "11:30": "offered", "12:30": "hours", "13:00": "offered", "13:30": "buffer", "14:00": "booked", "16:00": "held",
        "16:30": "buffer", "17:00": "hours",
    }  # fmt: skip
    assert day["10:30"].why == "too close: the calendar is busy from 10:00 to 10:30, and 10 minutes are kept free"
    assert day["12:30"].why == "outside of the hours (09:00-12:00, 13:00-17:00)"
    long = MEETING.model_copy(update={"length": timedelta(hours=1)})
    assert told(date(2027, 3, 8), meeting=long)["11:30"].why == "the meeting would run past 12:00, the end of the hours"
    assert {hour.rule for hour in told(date(2027, 3, 30)).values()} == {"window"}


def test_a_day_of_the_clock_change_is_told_hour_by_hour() -> None:
    always = rep(hours={day: ("00:00-24:00",) for day in range(7)})
    spring = told(date(2027, 3, 14), always)
    assert (spring["02:00"].rule, spring["02:30"].start) == ("clock_change", None)
    assert spring["03:00"].start == datetime(2027, 3, 14, 7, tzinfo=UTC)
    assert list(spring)[3:8] == ["01:30", "02:00", "02:30", "03:00", "03:30"]
    wide = MEETING.model_copy(update={"window": timedelta(days=300)})
    autumn = told(date(2027, 11, 7), always, wide)
    assert autumn["01:30"].start == datetime(2027, 11, 7, 5, 30, tzinfo=UTC)
    assert autumn["01:30 (again)"].start == datetime(2027, 11, 7, 6, 30, tzinfo=UTC)
    assert list(autumn)[2:6] == ["01:00", "01:30", "01:00 (again)", "01:30 (again)"]
    for day in (date(2027, 3, 12), date(2027, 3, 15)):  # the same wall clock before and after
        assert next(c for c, h in told(day).items() if h.offered) == "09:00"


def test_days_off_and_hours_of_a_date_outrank_the_week() -> None:
    someone = rep(
        away=[Away(first=date(2027, 3, 9), last=date(2027, 3, 10), why="on leave")],
        overrides={"2027-03-10": ["15:00-16:00"], "2027-03-11": [], "2027-03-13": ["10:00-11:00"]},
        holidays="US",
    )
    assert told(date(2027, 3, 9), someone)["10:00"].why == "on leave"
    assert [c for c, h in told(date(2027, 3, 10), someone).items() if h.offered] == ["15:00", "15:30"]
    assert told(date(2027, 3, 11), someone)["10:00"].why == "a day off by the rep's own word"
    assert [c for c, h in told(date(2027, 3, 13), someone).items() if h.offered] == ["10:00", "10:30"]
    off = availability.days_off(someone, local(2027, 7, 1), local(2027, 7, 31))
    assert off[date(2027, 7, 4)] == "Independence Day"
    wide = MEETING.model_copy(update={"window": timedelta(days=300)})
    assert told(date(2027, 7, 5), someone, wide, off=off)["10:00"].why.startswith("a holiday: Independence Day")
    with pytest.raises(ValueError, match="dana: holidays 'XX' are not known"):
        availability.days_off(rep(holidays="XX"), NOW, NOW)


def test_a_full_day_and_a_full_week_are_the_reps_own() -> None:
    """A day is counted on the rep's wall clock, not on the lead's or in UTC."""
    late = local(2027, 3, 9, 23, 30)  # already the 10th in UTC
    taken = [TakenTime(start=late, end=late + HALF, kind="Demo")]
    daily = MEETING.model_copy(update={"daily": 1})
    assert told(date(2027, 3, 9), meeting=daily, taken=taken)["10:00"].rule == "cap"
    assert told(date(2027, 3, 10), meeting=daily, taken=taken)["10:00"].offered
    assert told(date(2027, 3, 9), meeting=daily, taken=[taken[0].model_copy(update={"kind": "Other"})])["10:00"].offered
    someone = rep(weekly=1)
    assert told(date(2027, 3, 12), someone, taken=taken)["10:00"].why == "Dana takes at most 1 a week, and it is full"
    assert told(date(2027, 3, 15), someone, taken=taken)["10:00"].offered


def test_the_last_place_of_a_day_goes_to_one_lead() -> None:
    someone, ledger = rep(daily=1), book.Ledger()
    answers = []
    for nth, hour in enumerate((10, 15)):
        start = local(2027, 3, 9, hour)
        asked = book.HoldTime(
            booking=f"b{nth}", start=start, end=start + HALF, now=NOW, until=NOW + HALF, kind="Demo",
            caps=caps.caps(someone, MEETING, start),
        )  # fmt: skip
        ledger, standing = book.hold(ledger, asked)
        answers.append((standing.ok, standing.why))
    assert answers == [(True, ""), (False, "Dana takes at most 1 a day")]
    # Its own move is not in its way, and neither is a hold that died.
    moved = local(2027, 3, 9, 16)
    again = book.HoldTime(
        booking="b9", start=moved, end=moved + HALF, now=NOW, until=NOW + HALF, replaces="b0",
        caps=caps.caps(someone, MEETING, moved),
    )  # fmt: skip
    assert book.hold(ledger, again)[1].ok
    assert book.hold(ledger, again.model_copy(update={"replaces": "", "now": NOW + HALF, "until": NOW + 2 * HALF}))[
        1
    ].ok


ZONES = ("America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Kiritimati", "Asia/Beirut")


@settings(max_examples=80)
@given(
    st.sampled_from(ZONES), st.sampled_from(ZONES), st.integers(0, 330),
    st.lists(st.tuples(st.integers(-40, 90), st.integers(0, 12), st.sampled_from(["calendar", "booked", "held"])), max_size=6),
    st.sampled_from([15, 30, 45, 60]), st.sampled_from([None, 1, 2]),
)  # fmt: skip
def test_what_is_told_is_what_is_offered(
    zone: str, seen_from: str, ahead: int, spans: list[tuple[int, int, str]], length: int, daily: int | None
) -> None:
    someone = rep(
        zone=zone, hours={day: ("00:00-02:30", "09:00-17:00", "22:00-24:00") for day in range(7)},
        away=[Away(first=date(2027, 6, 1), last=date(2027, 6, 5))], overrides={"2027-04-04": ["01:00-04:00"]},
    )  # fmt: skip
    day = date(2027, 3, 8) + timedelta(ahead)
    meeting = MEETING.model_copy(
        update={"length": timedelta(minutes=length), "window": timedelta(days=400), "daily": daily}
    )
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(seen_from)).astimezone(UTC)
    quarter = timedelta(minutes=15)
    times = [(midnight + at * quarter, midnight + (at + long) * quarter, kind) for at, long, kind in spans]
    calendar = [(start, end) for start, end, kind in times if kind == "calendar"]
    taken = [TakenTime.model_validate({"start": s, "end": e, "state": k, "kind": "Demo", "before": quarter, "after": quarter})
             for s, e, k in times if k != "calendar"]  # fmt: skip
    hours = timetable.explain(someone, meeting, day, seen_from, NOW, timetable.busy_of(calendar, taken), taken)
    first, last = (
        slots.epoch(midnight),
        slots.epoch(datetime.combine(day + timedelta(1), datetime.min.time(), ZoneInfo(seen_from))),
    )
    found = slots.free_starts(
        slots.hours_of(someone), zone, [*availability.calendar_spans(calendar), *availability.claimed_spans(taken)],
        slots.terms_of(meeting), slots.epoch(NOW), first, last - 1, working.dates_of(someone),
    )  # fmt: skip
    expected = caps.within(someone, meeting, found, taken)
    assert [slots.epoch(hour.start) for hour in hours if hour.start and hour.offered] == expected
    starts = [hour.start for hour in hours if hour.start]
    assert starts == sorted(set(starts))
