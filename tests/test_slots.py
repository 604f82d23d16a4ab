"""Free slots against a brute-force oracle, through clock changes in both hemispheres, and what is offered."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows import slots
from workflows.playbook import MeetingType
from workflows.roster import Rep
from workflows.slots import DAY, Hours, Span, Terms

# Weeks that hold a clock change: north and south, at midnight, by half an hour, across the date line, and none.
CHANGES = {
    "America/New_York": [(2027, 3, 14), (2027, 11, 7)],
    "Europe/London": [(2027, 3, 28), (2027, 10, 31)],
    "Australia/Sydney": [(2027, 4, 4), (2027, 10, 3)],
    "Australia/Lord_Howe": [(2027, 4, 4), (2027, 10, 3)],
    "America/Santiago": [(2027, 4, 4), (2027, 9, 5)],
    "Asia/Beirut": [(2027, 3, 28), (2027, 10, 31)],
    "Pacific/Auckland": [(2027, 4, 4), (2027, 9, 26)],
    "Asia/Kolkata": [(2027, 3, 28)],
    "Pacific/Kiritimati": [(2027, 3, 28)],
}
OFFICE = {day: ("09:00-12:00", "13:00-17:00") for day in range(5)}
HALF_HOUR = Terms(length=1800, step=1800, before=0, after=0, notice=0, window=28 * DAY)


def rep(zone: str = "UTC", hours: dict[int, tuple[str, ...]] | None = None) -> Rep:
    return Rep(id="dana", name="Dana", calendar="dana", zone=zone, hours=OFFICE if hours is None else hours)


def at(*when: int, zone: str = "UTC") -> int:
    return int(datetime(*when, tzinfo=ZoneInfo(zone)).timestamp())


def free(someone: Rep, busy: list[Span], terms: Terms, now: int, **more: int) -> list[int]:
    return slots.free_starts(slots.hours_of(someone), someone.zone, busy, terms, now, **more)


def working(hours: Hours, zone: ZoneInfo, second: int) -> bool:
    """The definition: does the rep's wall clock stand within the hours of that weekday?"""
    local = datetime.fromtimestamp(second, zone)
    of_day = local.hour * 3600 + local.minute * 60 + local.second
    return any(start <= of_day < end for start, end in hours[local.weekday()])


def oracle(
    hours: Hours, zone: str, busy: list[Span], terms: Terms, now: int, grain: int, first: int, last: int
) -> list[int]:
    """Every instant on the grain, asked one by one; everything in the case is a multiple of the grain."""
    where = ZoneInfo(zone)
    found = []
    for start in range(first - first % grain, last + 1, grain):
        end = start + terms.length
        local = datetime.fromtimestamp(start, where)
        aligned = (local.hour * 3600 + local.minute * 60 + local.second) % terms.step == 0
        if (
            aligned
            and first <= start <= last
            and now + terms.notice <= start <= now + terms.window
            and all(working(hours, where, second) for second in range(start, end, grain))
            and all(
                start >= span.end + max(span.after, terms.before) or end <= span.start - max(span.before, terms.after)
                for span in busy
                if span.end > span.start
            )
        ):
            found.append(start)
    return found


GRAIN = 900
quarters = st.integers(0, 6).map(lambda n: n * GRAIN)


@st.composite
def clocks(draw: st.DrawFn) -> str:
    start = draw(st.integers(0, 94))
    end = draw(st.integers(start + 1, 96))
    return "-".join(f"{n // 4:02}:{n % 4 * 15:02}" for n in (start, end))


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, Hours, list[Span], Terms, int]:
    zone = draw(st.sampled_from(sorted(CHANGES)))
    change = int(datetime(*draw(st.sampled_from(CHANGES[zone])), tzinfo=UTC).timestamp())
    now = change - 2 * DAY + draw(st.integers(0, 4 * 96)) * GRAIN
    days = draw(st.sets(st.integers(0, 6), min_size=2))
    spans = st.lists(clocks(), min_size=1, max_size=3).map(tuple)
    someone = rep(zone, {day: draw(spans) for day in days})
    busy = [
        Span(begin, begin + length, before, after)
        for begin, length, before, after in draw(
            st.lists(
                st.tuples(
                    st.integers(-20, 200).map(lambda n: now + n * GRAIN),
                    st.integers(0, 30).map(lambda n: n * GRAIN),
                    quarters,
                    quarters,
                ),
                max_size=8,
            )
        )
    ]
    terms = Terms(
        length=draw(st.integers(1, 8)) * GRAIN,
        step=draw(st.sampled_from([900, 1800, 2700, 3600, 5400])),
        before=draw(quarters),
        after=draw(quarters),
        notice=draw(st.integers(0, 40)) * GRAIN,
        window=draw(st.integers(40, 300)) * GRAIN,
    )
    return zone, slots.hours_of(someone), busy, terms, now


@settings(max_examples=150)
@given(cases())
def test_agrees_with_brute_force(case: tuple[str, Hours, list[Span], Terms, int]) -> None:
    zone, hours, busy, terms, now = case
    expected = oracle(hours, zone, busy, terms, now, GRAIN, now, now + terms.window)
    assert slots.free_starts(hours, zone, busy, terms, now) == expected


@settings(max_examples=40)
@given(cases(), st.integers(0, 200), st.integers(0, 200))
def test_bounds_only_narrow(case: tuple[str, Hours, list[Span], Terms, int], since: int, until: int) -> None:
    zone, hours, busy, terms, now = case
    first, last = now + since * GRAIN, now + until * GRAIN
    everything = slots.free_starts(hours, zone, busy, terms, now)
    narrowed = slots.free_starts(hours, zone, busy, terms, now, first, last)
    assert narrowed == [start for start in everything if first <= start <= last]


@pytest.mark.parametrize("zone", sorted(CHANGES))
def test_same_wall_clock_every_week(zone: str) -> None:
    """cal.com #6217, #10517, #12137: a weekly 12:30 stays 12:30 through every clock change."""
    for change in CHANGES[zone]:
        now = at(*change, zone=zone) - 10 * DAY
        found = free(rep(zone, {day: ("12:30-13:00",) for day in range(7)}), [], HALF_HOUR, now)
        local = [datetime.fromtimestamp(start, ZoneInfo(zone)) for start in found]
        assert {(when.hour, when.minute) for when in local} == {(12, 30)}
        assert [b.date() - a.date() for a, b in itertools.pairwise(local)] == [timedelta(days=1)] * 27


def test_a_gap_holds_no_slot_and_a_doubled_hour_counts_twice() -> None:
    night = rep("America/New_York", {day: ("01:00-04:00",) for day in range(7)})
    gap = free(night, [], HALF_HOUR, at(2027, 3, 14), not_after=at(2027, 3, 14, 12))
    assert [f"{datetime.fromtimestamp(s, ZoneInfo('America/New_York')):%H:%M}" for s in gap] == [
        "01:00", "01:30", "03:00", "03:30",
    ]  # fmt: skip
    fold = free(night, [], HALF_HOUR, at(2027, 11, 7), not_after=at(2027, 11, 7, 12))
    assert [f"{datetime.fromtimestamp(s, ZoneInfo('America/New_York')):%H:%M %Z}" for s in fold] == [
        "01:00 EDT", "01:30 EDT", "01:00 EST", "01:30 EST", "02:00 EST", "02:30 EST", "03:00 EST", "03:30 EST",
    ]  # fmt: skip


def test_notice_that_ends_on_the_change_day_shifts_nothing() -> None:
    """cal.com #12137."""
    now = at(2027, 3, 12, 12, zone="America/New_York")
    terms = HALF_HOUR._replace(notice=2 * DAY)
    first = free(rep("America/New_York"), [], terms, now)[0]
    assert f"{datetime.fromtimestamp(first, ZoneInfo('America/New_York')):%a %H:%M}" == "Mon 09:00"


def test_buffers_are_neither_ignored_nor_doubled() -> None:
    """cal.com #3662, #17414: the longer of the two buffers lies between, not their sum."""
    day = rep("UTC", {0: ("09:00-17:00",)})
    monday = at(2027, 3, 1)
    busy = [Span(monday + 12 * 3600, monday + 13 * 3600, before=600, after=900)]
    terms = Terms(length=1800, step=300, before=300, after=1200, notice=0, window=DAY)
    found = {(start - monday) // 60 for start in free(day, busy, terms, monday)}
    assert 12 * 60 - 50 in found
    assert 12 * 60 - 45 not in found
    assert 13 * 60 + 15 in found
    assert 13 * 60 + 10 not in found


def test_increments_stand_on_the_wall_clock_where_offsets_are_odd() -> None:
    found = free(rep("Asia/Kolkata"), [], HALF_HOUR._replace(step=3600), at(2027, 3, 1))
    assert {datetime.fromtimestamp(s, ZoneInfo("Asia/Kolkata")).minute for s in found} == {0}


def test_seconds_count_in_a_demo() -> None:
    always = rep("America/New_York", {day: ("00:00-24:00",) for day in range(7)})
    terms = Terms(length=30, step=30, before=0, after=0, notice=15, window=240)
    now = at(2027, 3, 1, 4, 58, 50)  # ten minutes before midnight in New York
    assert free(always, [], terms, now) == list(range(at(2027, 3, 1, 4, 59, 30), now + 241, 30))


def test_a_meeting_may_pass_midnight_of_a_rep_who_always_works() -> None:
    always = rep("UTC", {day: ("00:00-24:00",) for day in range(7)})
    found = free(always, [], HALF_HOUR._replace(length=7200, window=3 * DAY), at(2027, 3, 1))
    assert len(found) == 3 * 48 + 1


@pytest.mark.parametrize("text", ["9-17", "17:00-09:00", "09:00", "09:00-25:00", "09:60-10:00", "morning"])
def test_hours_that_cannot_be_read_are_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"dana: .*write 09:00-17:00"):
        slots.hours_of(rep(hours={0: (text,)}))


def test_zone_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="dana: 'Mars/Base' is no time zone"):
        slots.check_rep(rep("Mars/Base"))


def test_terms_come_from_the_meeting_type() -> None:
    span = timedelta(minutes=15)
    meeting = MeetingType(
        name="Demo", length=2 * span, increment=span, notice=span, window=timedelta(days=7),
        buffer_before=span, buffer_after=span, hold=span,
    )  # fmt: skip
    assert slots.terms_of(meeting) == Terms(1800, 900, 900, 900, 900, 7 * DAY)
    with pytest.raises(ValueError, match="at least 1s"):
        slots.terms_of(meeting.model_copy(update={"increment": timedelta(0)}))


# ---- what is offered -------------------------------------------------------------------------------------------

MONDAY = at(2027, 3, 1)
WEEK = [MONDAY + day * DAY + half * 1800 for day in range(5) for half in range(18, 34)]


def told(offered: tuple[slots.Slot, ...], zone: str = "UTC") -> list[str]:
    return [f"{slot.start.astimezone(ZoneInfo(zone)):%a %H:%M} {slot.rep}" for slot in offered]


def test_soonest_first_then_other_parts_of_the_day_and_other_days() -> None:
    assert told(slots.offer({"dana": WEEK}, 1800, 3, "UTC")) == ["Mon 09:00 dana", "Mon 12:00 dana", "Tue 09:00 dana"]


def test_the_preferred_rep_fills_the_offer_then_the_next() -> None:
    offered = slots.offer({"dana": WEEK[:2], "eve": WEEK}, 1800, 3, "UTC")
    assert told(offered) == ["Mon 09:00 dana", "Mon 09:30 dana", "Mon 12:00 eve"]


def test_nothing_refused_is_offered_again_by_anybody() -> None:
    refused = slots.slot_id("dana", slots.instant(WEEK[0]))
    assert refused == "dana@2027-03-01T09:00:00Z"
    assert told(slots.offer({"eve": WEEK}, 1800, 1, "UTC", exclude=[refused])) == ["Mon 09:30 eve"]


def test_part_of_the_day_is_the_leads() -> None:
    offered = slots.offer({"dana": WEEK}, 1800, 2, "America/New_York", part="morning")
    assert told(offered, "America/New_York") == ["Mon 08:00 dana", "Tue 08:00 dana"]


def test_nobody_is_asked_to_meet_at_night_while_there_is_daylight() -> None:
    night = [MONDAY + 2 * 3600, MONDAY + 5 * 3600]
    assert told(slots.offer({"dana": [*night, *WEEK]}, 1800, 1, "UTC")) == ["Mon 09:00 dana"]
    assert told(slots.offer({"dana": night}, 1800, 1, "UTC")) == ["Mon 02:00 dana"]


free_times = st.lists(st.integers(0, 400).map(lambda n: MONDAY + n * 1800), unique=True).map(sorted)


@settings(max_examples=100)
@given(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), free_times, max_size=3),
    st.integers(1, 6),
    st.sampled_from(sorted(CHANGES)),
    st.sampled_from(["", "morning", "afternoon", "evening"]),
    st.lists(st.integers(0, 400).map(lambda n: f"z@{slots.instant(MONDAY + n * 1800):%Y-%m-%dT%H:%M:%SZ}"), max_size=9),
)
def test_offers_are_few_free_and_never_refused_ones(
    everyone: dict[str, list[int]], count: int, zone: str, part: str, exclude: list[str]
) -> None:
    offered = slots.offer(everyone, 1800, count, zone, part, exclude)
    starts = [slots.epoch(slot.start) for slot in offered]
    assert len(offered) <= count
    assert starts == sorted(set(starts))
    hours = slots.PARTS.get(part, (0, 24))
    for slot, start in zip(offered, starts, strict=True):
        assert start in everyone[slot.rep]
        assert slot.id == slots.slot_id(slot.rep, slot.start)
        assert slot.end - slot.start == timedelta(minutes=30)
        assert hours[0] <= slot.start.astimezone(ZoneInfo(zone)).hour < hours[1]
        assert f"z@{slot.id.partition('@')[2]}" not in exclude
    if not exclude and not part and any(everyone.values()):
        assert offered


@given(st.lists(st.integers(0, 300), unique=True).map(sorted), st.integers(-20, 320), st.integers(0, 5))
def test_the_nearest_times_are_others_and_none_left_out_is_nearer(starts: list[int], wanted: int, count: int) -> None:
    found = slots.nearest(starts, wanted, count)
    others = [start for start in starts if start != wanted]
    assert found == sorted(set(found) & set(others))
    assert len(found) == min(count, len(others))
    left = [abs(start - wanted) for start in others if start not in found]
    assert all(abs(start - wanted) <= min(left) for start in found if left)
