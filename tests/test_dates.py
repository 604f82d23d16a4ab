"""Times that people name, resolved by code."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.conversation import dates
from workflows.conversation.numbers import number_in
from workflows.events import Slot
from workflows.wording import spoken_time, written_time

from .talk import NOW, SLOTS, ZONE, slot

LOCAL = ZoneInfo(ZONE)
ZONES = ("America/New_York", "America/Los_Angeles", "Europe/London", "Europe/Madrid", "Asia/Kolkata", "Pacific/Auckland", "Australia/Lord_Howe")  # fmt: skip

# Tomorrow (Tuesday the 24th) at 10:00 and 15:30, Wednesday the 25th at 9:00.
CHOICES = """
the first one | 0
second | 1
the second | 1
the second one please | 1
the 2nd | 1
the third | 2
the last one please | 2
the one you said first | 0
the first one on Wednesday | -
the last one tomorrow | 1
the later one | -
the later one on Tuesday | 1
the earliest on Wednesday | 2
number two | 1
2 | 1
4 | -
two | -
nine | 2
ten works | 0
it's ten | 0
tomorrow at ten | 0
ten tomorrow | 0
nine on Wednesday | 2
Wednesday nine | 2
half three | 1
the one at half past three tomorrow | 1
at three thirty pm tomorrow | 1
3:30 PM works for me. | 1
tomorrow afternoon at half three | 1
tomorrow, Tuesday the 24th, at 10 AM sounds good | 0
Tuesday 24 at 10 | 0
Nov 25 | 2
the 25th | 2
tomorrow afternoon | 1
Wednesday | 2
the day after tomorrow | 2
this Wednesday | 2
next Wednesday | -
next Tuesday | -
Tuesday the 25th | -
Wednesday at 10 | -
9am | 2
9 pm | -
Let's take 9 AM. | 2
Can we do Wednesday at nine? | 2
How about the first one? | 0
mañana a las diez | 0
mañana a las tres y media | 1
el miércoles | 2
pasado mañana a las nueve | 2
la segunda | 1
any time after lunch | 1
between two and four | 1
not before eleven | -
I'd prefer the afternoon | 1
mornings are better | -
Wednesday morning | 2
first thing Wednesday | 2
around ten | 0
ten-ish tomorrow | 0
noonish | -
at ten Eastern | 0
ten my time | 0
seven Pacific | 0
ten your time | -
ten Pacific | -
either of the first two | 0
the first two | -
Tuesday or Wednesday | -
Wednesday or Thursday | 2
tomorrow at ten or Wednesday | -
any of them | 0
both work | 0
The earliest you have, please. | 0
Any time is fine, the sooner the better. | 0
as soon as possible | 0
We need it as soon as possible for all of our warehouses, to be honest | -
not the first, the second | 1
the first one is bad, second please | 1
ten, not nine | -
I can't do tomorrow, Wednesday at nine is good | 2
tomorrow is bad and Wednesday works | 2
tomorrow at ten, no wait, Wednesday at nine | 2
Tomorrow at ten. No, the second one. | 1
tomorrow at ten? No. | -
tomorrow at ten, that doesn't work | -
tomorrow does not work and Wednesday does | -
tomorrow at ten would be too early | -
I'm busy tomorrow at ten | -
I have a meeting tomorrow at ten | -
anything but tomorrow at ten | -
I wanna do ten but on Wednesday | -
why not tomorrow at ten | 0
no problem, tomorrow at ten | 0
any of those is fine but not the first | -
quarter to ten | -
Tuesday | -
tomorrow | -
10:30 | -
in an hour | -
not tomorrow | -
not the first | -
neither | -
none of them | -
I don't want either | -
yes | -
whatever, I'm not interested | -
do you have any others? | -
do you have any in the evening? | -
First, tell me the price | -
that is the first time I hear of it | -
just a second | -
what does it cost | -
we are 25 people | -
same time tomorrow | -
 | -
"""


@pytest.mark.parametrize("line", [line for line in CHOICES.splitlines() if "|" in line])
def test_a_choice_among_offered_slots(line: str) -> None:
    text, _, index = (part.strip() for part in line.rpartition("|"))
    chosen = dates.choose(text, SLOTS, ZONE, NOW)
    assert chosen == (None if index == "-" else SLOTS[int(index)])


def test_a_bare_weekday_leaves_open_which_when_two_are_offered() -> None:
    both = (slot(24, 10), slot(24, 10).model_copy(update={"id": "week", "start": slot(24, 10).start + timedelta(7)}))
    assert dates.choose("Tuesday at ten", both, ZONE, NOW) is None
    assert dates.choose("next Tuesday at ten", both, ZONE, NOW) == both[1]
    assert dates.choose("a week from Tuesday", both, ZONE, NOW) == both[1]
    assert dates.choose("tomorrow at ten", both, ZONE, NOW) == both[0]


def test_a_step_is_taken_from_the_time_spoken_of_before() -> None:
    slots = (slot(24, 10), slot(25, 10), slot(25, 11))
    assert dates.choose("same time, the day after", slots, ZONE, NOW, slots[0].start) == slots[1]
    assert dates.choose("the day after", slots, ZONE, NOW, slots[0].start) is None  # two on that day
    assert dates.choose("same time on Wednesday", slots, ZONE, NOW, slots[0].start) == slots[1]
    assert dates.choose("an hour later", slots, ZONE, NOW, slots[1].start) == slots[2]
    assert dates.choose("an hour later", slots, ZONE, NOW) is None
    said = dates.read("same time next week", ZONE, NOW, slots[0].start)
    assert (said.first, said.clock and said.clock.hour) == (date(2026, 12, 1), 10)
    assert dates.read("the day after", ZONE, NOW, slots[0].start).first == date(2026, 11, 25)


def test_slots_half_a_minute_apart_are_told_apart() -> None:
    first = slot(23, 10, 31)
    second = first.model_copy(update={"id": "later", "start": first.start + timedelta(seconds=30)})
    said = spoken_time(second.start, ZONE, NOW)
    assert "seconds" in said
    assert dates.choose(f"{said} works", (first, second), ZONE, NOW) == second
    assert dates.choose("10:31 AM works for me.", (first, second), ZONE, NOW) == first


@st.composite
def offers(draw: st.DrawFn) -> tuple[str, datetime, list[Slot], Slot]:
    """A zone, an instant of three years, up to five slots in the two weeks after it, and one of them."""
    zone = draw(st.sampled_from(ZONES))
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * draw(st.integers(0, 3 * 365 * 48)))
    base = now.replace(minute=0) + timedelta(hours=1)
    steps = draw(st.lists(st.integers(0, 13 * 48), min_size=1, max_size=5, unique=True))
    slots = []
    for step in sorted(steps):
        start = base + timedelta(minutes=30 * step)
        slots.append(Slot(id=f"s{step}", rep="ana", start=start, end=start + timedelta(minutes=30)))
    return zone, now, slots, draw(st.sampled_from(slots))


def _wall(one: Slot, zone: str) -> datetime:
    return one.start.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@given(offers())
def test_a_slot_said_or_written_as_we_do_is_that_slot(known: tuple[str, datetime, list[Slot], Slot]) -> None:
    zone, now, slots, wanted = known
    assert dates.choose(written_time(wanted.start, zone), slots, zone, now) == wanted
    twins = [one for one in slots if _wall(one, zone) == _wall(wanted, zone)]  # in an hour that comes twice
    assert dates.choose(spoken_time(wanted.start, zone, now), slots, zone, now) == (wanted if len(twins) == 1 else None)


@settings(max_examples=150)
@given(offers(), st.data())
def test_words_that_are_lost_or_misheard_never_pick_another_slot(
    known: tuple[str, datetime, list[Slot], Slot], data: st.DataObject
) -> None:
    """Up to two words of ours lost, or replaced by words that name no time."""
    zone, now, slots, wanted = known
    way = data.draw(st.sampled_from([spoken_time(wanted.start, zone, now), written_time(wanted.start, zone)]))
    words = way.split()
    for at in data.draw(st.sets(st.integers(0, len(words) - 1), max_size=2)):
        words[at] = data.draw(st.sampled_from(["", "um", "banana", "line", "please", "so", "great"]))
    chosen = dates.choose(" ".join(words), slots, zone, now)
    assert chosen is None or _wall(chosen, zone) == _wall(wanted, zone)


@given(offers(), st.integers(1, 6))
def test_the_right_time_on_another_day_picks_nothing(known: tuple[str, datetime, list[Slot], Slot], days: int) -> None:
    zone, now, slots, wanted = known
    other = datetime.combine(_wall(wanted, zone) + timedelta(days), _wall(wanted, zone).time(), ZoneInfo(zone))
    if other.date() in [_wall(one, zone).date() for one in slots]:
        return
    for way in (spoken_time(other.astimezone(UTC), zone, now), written_time(other.astimezone(UTC), zone)):
        assert dates.choose(way, slots, zone, now) is None


# Said on Monday the 23rd of November 2026 at 10:05.
DAYS = """
next Tuesday | 2026-12-01
this coming Friday | 2026-11-27
el próximo martes | 2026-12-01
el martes que viene | 2026-12-01
pasado mañana | 2026-11-25
the day after tomorrow | 2026-11-25
the 3rd | 2026-12-03
on the third | 2026-12-03
the third of December | 2026-12-03
el 3 de diciembre | 2026-12-03
the 31st | 2026-12-31
the twenty fourth | 2026-11-24
Wednesday the 25th | 2026-11-25
next week Tuesday | 2026-12-01
Tuesday next week | 2026-12-01
Tuesday week | 2026-12-01
a week from Tuesday | 2026-12-01
two weeks from tomorrow | 2026-12-08
in a fortnight | 2026-12-07
in two weeks | 2026-12-07
last Tuesday | 2026-11-17
yesterday | 2026-11-22
the last day of the month | 2026-11-30
end of the week | 2026-11-26 2026-11-27
early next week | 2026-11-30 2026-12-01
the week after next | 2026-12-07 2026-12-13
next month | 2026-12-01 2026-12-31
in December | 2026-12-01 2026-12-31
the weekend | 2026-11-28 2026-11-29
by Friday | 2026-11-23 2026-11-27
after Wednesday | 2026-11-26 2026-12-22
"""


@pytest.mark.parametrize("line", DAYS.strip().splitlines())
def test_days(line: str) -> None:
    text, _, wanted = (part.strip() for part in line.partition("|"))
    days = [date.fromisoformat(day) for day in wanted.split()]
    said = dates.read(text, ZONE, NOW)
    assert (said.first, said.last) == (days[0], days[-1])


CLOCKS = """
half three | 15:30
quarter to four | 15:45
quarter of four | 15:45
twenty five past two | 14:25
ten thirty | 10:30
three oh five | 15:05
a las tres y media | 15:30
a las cuatro menos cuarto | 15:45
3.30pm | 15:30
noon | 12:00
tonight at eight | 20:00
nine in the morning | 09:00
las nueve de la mañana | 09:00
"""


@pytest.mark.parametrize("line", CLOCKS.strip().splitlines())
def test_times_of_day(line: str) -> None:
    text, wanted = (part.strip() for part in line.split("|"))
    clock = dates.read(text, ZONE, NOW).clock
    assert clock is not None
    assert clock.likely().strftime("%H:%M") == wanted


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [("between two and four", 14, 16), ("from ten to four", 10, 16), ("between eleven and one", 11, 13), ("9 to 11 am", 9, 11),
     ("entre las dos y las cuatro", 14, 16)],
)  # fmt: skip
def test_ranges(text: str, begins: int, ends: int) -> None:
    found = dates.span(dates.read(text, ZONE, NOW))
    assert found is not None
    assert (found[0].hour, found[1].hour) == (begins, ends)


@pytest.mark.parametrize(
    "text",
    ["one moment", "a second please", "at one point", "we are about ten people", "at 40 dollars", "five to ten people", "between five and ten people",
     "I may go", "we sat down", "have a good evening", "half past", "a quarter of the team", "about a dozen or so", "good morning", "step by step"],
)  # fmt: skip
def test_what_names_no_time(text: str) -> None:
    assert dates.read(text, ZONE, NOW).empty
    assert not dates.mentions_time(text)


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("in twenty minutes", "2026-11-23 10:25"),
        ("in an hour", "2026-11-23 11:05"),
        ("in an hour and a half", "2026-11-23 11:35"),
        ("dentro de dos horas", "2026-11-23 12:05"),
        ("ten minutes from now", "2026-11-23 10:15"),
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
        ("Monday morning", "2026-11-30 09:00"),
        ("mañana at 11", "2026-11-24 11:00"),
        ("tomorrow at nine Pacific", "2026-11-24 12:00"),
        ("call me", None),
        ("we are 12 people", None),
        ("yesterday at ten", None),
        ("an hour later", None),
    ],
)
def test_a_moment_to_call_back(text: str, local: str | None) -> None:
    found = dates.moment(dates.read(text, ZONE, NOW), ZONE, NOW)
    assert (found and found.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M")) == local


@pytest.mark.parametrize(
    ("now", "text", "wanted"),
    [
        # 2026-03-08 02:00-03:00 is left out in New York; 2026-11-01 01:00-02:00 comes twice.
        ("2026-03-07T15:00Z", "tomorrow at 2:30 am", "2026-03-08T07:30Z"),
        ("2026-10-31T15:00Z", "tomorrow at 1:30 am", "2026-11-01T05:30Z"),
        ("2026-11-01T05:45Z", "at 1:30 am", "2026-11-01T06:30Z"),
        ("2026-11-01T06:45Z", "at 1:30 am", "2026-11-02T06:30Z"),
        ("2026-03-07T15:00Z", "tomorrow at ten", "2026-03-08T14:00Z"),
        ("2026-12-31T15:00Z", "tomorrow at ten", "2027-01-01T15:00Z"),
        ("2026-12-31T15:00Z", "the 1st at ten", "2027-01-01T15:00Z"),
        ("2027-01-31T15:00Z", "the 31st at noon", "2027-01-31T17:00Z"),
        ("2027-02-01T15:00Z", "the 31st at noon", "2027-03-31T16:00Z"),
        ("2028-02-27T15:00Z", "the 29th at noon", "2028-02-29T17:00Z"),
    ],
)  # fmt: skip
def test_clock_changes_and_the_ends_of_months_and_years(now: str, text: str, wanted: str) -> None:
    instant = datetime.fromisoformat(now.replace("Z", "+00:00"))
    assert dates.moment(dates.read(text, ZONE, instant), ZONE, instant) == datetime.fromisoformat(wanted.replace("Z", "+00:00"))  # fmt: skip


def test_the_two_passes_of_a_repeated_hour() -> None:
    now = datetime(2026, 10, 31, 15, tzinfo=UTC)
    slots = tuple(
        Slot(id=str(hour), rep="ana", start=datetime(2026, 11, 1, hour, 30, tzinfo=UTC), end=datetime(2026, 11, 1, hour + 1, tzinfo=UTC))
        for hour in (5, 6)
    )  # fmt: skip
    assert dates.choose("tomorrow at 1:30 am", slots, ZONE, now) is None
    assert dates.choose("tomorrow at 1:30 am EST", slots, ZONE, now) == slots[1]
    assert dates.choose("tomorrow at 1:30 am EDT", slots, ZONE, now) == slots[0]


@given(st.text(max_size=120), st.sampled_from(["America/New_York", "Asia/Calcutta", "Pacific/Auckland", "UTC"]))
def test_any_text_is_read_and_no_moment_lies_in_the_past(text: str, zone: str) -> None:
    said = dates.read(text, zone, NOW)
    found = dates.moment(said, zone, NOW)
    assert found is None or found >= NOW
    first, last, _ = dates.window(said, zone, NOW)
    assert first is None or last is None or first <= last or last <= NOW + timedelta(days=1)
    dates.choose(text, SLOTS, zone, NOW)


_TIME_WORDS = (
    "tomorrow next this last week weekday tuesday friday the 24th 3rd second at ten half past quarter to three in an hour later after before not between "
    "and or day same time end of month december mañana las y media por la am pm oclock first thing noon ish fortnight from until , 12:30 99 5 eastern your "
    "31 february 0 dozen couple a"
)


@settings(max_examples=300)
@given(st.lists(st.sampled_from(_TIME_WORDS.split()), max_size=9), st.sampled_from(ZONES))
def test_any_heap_of_time_words_is_read(words: list[str], zone: str) -> None:
    text = " ".join(words)
    said = dates.read(text, zone, NOW, SLOTS[0].start)
    found = dates.moment(said, zone, NOW)
    assert found is None or found >= NOW
    dates.window(said, zone, NOW)
    chosen = dates.choose(text, SLOTS, zone, NOW)
    assert chosen is None or chosen in SLOTS


def test_a_day_spans_the_lead_s_own_midnight() -> None:
    first, last, _ = dates.window(dates.read("tomorrow", "Asia/Tokyo", NOW), "Asia/Tokyo", NOW)
    assert first == datetime(2026, 11, 24, 15, tzinfo=UTC)
    assert last == datetime(2026, 11, 25, 15, tzinfo=UTC)


def test_a_range_is_a_window() -> None:
    first, last, _ = dates.window(dates.read("tomorrow between two and four", ZONE, NOW), ZONE, NOW)
    assert (first, last) == (datetime(2026, 11, 24, 19, tzinfo=UTC), datetime(2026, 11, 24, 21, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("about twenty five", 25),
        ("1,200", 1200),
        ("just me", 1),
        ("me and two others", 3),
        ("a couple", 2),
        ("a couple of thousand", 2000),
        ("a hundred and twenty", 120),
        ("a hundred and fifty", 150),
        ("twelve hundred", 1200),
        ("two and a half thousand", 2500),
        ("2.5k", 2500),
        ("a dozen or so", 12),
        ("half a dozen", 6),
        ("between five and ten", 5),
        ("five to ten", 5),
        ("two to three hundred", 200),
        ("forty-odd", 40),
        ("about two grand", 2000),
        ("three thousand two hundred", 3200),
        ("one fifty", 150),
        ("treinta y cinco", 35),
        ("veinticinco personas", 25),
        ("cien", 100),
        ("somos once", 11),
        ("once a week", None),
        ("no one", None),
        ("none", None),
        ("9" * 400, None),
        ("²", None),
    ],
)
def test_quantities(text: str, number: float | None) -> None:
    assert number_in(text) == number
