"""What a rule file holds: the law of contact as dated rows, each with its source. Read only; ``workflows/calling.py``
judges by it.

A rule file (``workflows/playbooks/*.rules.yml``) is written by counsel. A playbook names one (``rules: us``) and takes
it over whole, so that the playbook's hash covers the rules that its leads were planned under.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import cache, cached_property
from typing import Annotated, Literal, TypeVar
from zoneinfo import available_timezones

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from .model import Duration, Strict

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""By ``date.weekday()``."""
Sent = Literal["call", "text"]
Basis = Literal["written", "oral", "asked"]
"""What allows contact: a signed consent, a spoken one, or only that they asked for this contact themselves."""
Line = Literal[
    "fixed", "mobile", "fixed_or_mobile", "toll_free", "premium", "shared_cost", "voip", "personal", "pager", "uan",
    "voicemail", "unknown",
]  # fmt: skip


def _clock(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d|24:00", text):
        raise ValueError(f"{text!r} is no time of day; write HH:MM in quotes, such as \"08:00\"")
    return text


def _place(text: str) -> str:
    if not re.fullmatch(r"\*|[A-Z]{2}(-[A-Z0-9]{1,3})?", text):
        raise ValueError(f"{text!r} is no place; write a country (US), a state (US-FL), or \"*\" for everywhere")
    return text


@cache
def _zones() -> frozenset[str]:
    """Looking for them walks through the whole database of zones: once is enough."""
    return frozenset(available_timezones())


def _zone(text: str) -> str:
    if text not in _zones():
        raise ValueError(f"{text!r} is no time zone; write an IANA name, such as America/Chicago")
    return text


Clock = Annotated[str, AfterValidator(_clock)]
Place = Annotated[str, AfterValidator(_place)]
Zone = Annotated[str, AfterValidator(_zone)]


class Row(Strict):
    """One dated rule: where it holds, from and until which local day (both inclusive), and who says so."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    where: tuple[Place, ...]
    """Countries (``US``), states (``US-FL``), or ``*``. Every row that holds in a place where they may be must allow."""
    begins: date | None = Field(default=None, alias="from")
    ends: date | None = Field(default=None, alias="until")
    source: str = Field(min_length=3)

    @model_validator(mode="after")
    def _in_order(self) -> Row:
        if not self.where:
            raise ValueError("where: names no place; write a country (US), a state (US-FL), or \"*\" for everywhere")
        if self.begins and self.ends and self.ends < self.begins:
            raise ValueError(f"until: {self.ends} lies before from; write a later day")
        return self

    def holds(self, day: date) -> bool:
        return (self.begins is None or self.begins <= day) and (self.ends is None or day <= self.ends)


class HoursRow(Row):
    """When contact is allowed there, on the local clock. A place that has rows is closed on the days they leave out."""

    opens: Clock
    closes: Clock
    days: tuple[Day, ...] = DAYS
    channels: tuple[Sent, ...] = ("call", "text")
    lifted_by: tuple[Basis, ...] = ()
    """Kinds of consent with which it does not bind."""

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> HoursRow:
        if self.opens >= self.closes:
            raise ValueError(f"closes: {self.closes} is not after {self.opens}; write a later hour")
        return self


class Holiday(Strict):
    """A day of each year: ``month`` and ``day``; or the ``nth`` (-1: the last) ``weekday`` of the month; or so many days
    from Easter Sunday; or the day so many days ``after`` it. ``observed``: also the Friday before when it falls on a
    Saturday, the Monday after a Sunday."""

    name: str
    month: int = Field(default=0, ge=0, le=12)
    day: int = Field(default=0, ge=0, le=31)
    weekday: Day | None = None
    nth: int = Field(default=0, ge=-1, le=5)
    easter: int | None = None
    observed: bool = False
    after: int = Field(default=0, ge=0, le=6)
    years: Literal["all", "even"] = "all"

    @model_validator(mode="after")
    def _says_when(self) -> Holiday:
        ways = (bool(self.month and self.day), bool(self.month and self.weekday and self.nth), self.easter is not None)
        if sum(ways) != 1:
            raise ValueError("says no day; write month and day, or month, weekday and nth, or easter")
        if self.month and self.day:
            try:
                date(2000, self.month, self.day)
            except ValueError as error:
                raise ValueError(f"day: month {self.month} has no day {self.day}; write one that it has") from error
        return self

    def falls_on(self, day: date) -> bool:
        if self.years == "even" and day.year % 2:
            return False
        return self._is(day - timedelta(days=self.after))

    def _is(self, day: date) -> bool:
        if self.easter is not None:
            return day - easter(day.year) == timedelta(days=self.easter)
        if self.weekday is not None:
            if day.month != self.month or DAYS[day.weekday()] != self.weekday:
                return False
            last = (day + timedelta(days=7)).month != day.month
            return last if self.nth == -1 else (day.day - 1) // 7 + 1 == self.nth
        if (day.month, day.day) == (self.month, self.day):
            return True
        beside = day + timedelta(days={4: 1, 0: -1}.get(day.weekday(), 0))
        return self.observed and beside != day and (beside.month, beside.day) == (self.month, self.day)


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian ``year`` (the anonymous algorithm: Meeus, Astronomical Algorithms, ch. 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 19 * weekday) // 433
    month = (h + weekday - 7 * m + 90) // 25
    return date(year, month, (h + weekday - 7 * m + 33 * month + 19) % 32)


LONGEST_CLOSURE = timedelta(days=60)
"""The longest time for which a place may be closed in one row."""


class HolidayRow(Row):
    """Days without solicitation there."""

    days: tuple[Holiday, ...] = ()
    every_day: bool = False
    """Each day from ``from`` to ``until``, as in a state of emergency."""
    channels: tuple[Sent, ...] = ("call", "text")
    lifted_by: tuple[Basis, ...] = ()
    """Kinds of consent with which it does not bind."""

    @model_validator(mode="after")
    def _closes_for_some_days(self) -> HolidayRow:
        if self.every_day == bool(self.days):
            raise ValueError("days: write the days, or every_day: true with from: and until:")
        if self.every_day and not (self.begins and self.ends and self.ends - self.begins < LONGEST_CLOSURE):
            raise ValueError(f"every_day: write from: and until:, at most {LONGEST_CLOSURE.days} days apart; renew it as a new row")
        return self

    def closed(self, day: date) -> str:
        """The holiday that ``day`` is; empty when it is none."""
        if not self.holds(day):
            return ""
        return "every day" if self.every_day else next((each.name for each in self.days if each.falls_on(day)), "")


LONGEST_CAP = timedelta(days=90)
"""The longest window of a cap: for so long the log of dials remembers them."""


class CapRow(Row):
    """At most ``most`` dials to one number in any window of ``per``, whoever they were meant for."""

    most: int = Field(ge=1)
    per: Annotated[Duration, Field(le=LONGEST_CAP)]


class ConsentRow(Row):
    """What allows an automated voice or text there; a state's own row takes the place of its country's."""

    kinds: tuple[Basis, ...]
    channels: tuple[Sent, ...] = ("call", "text")


class ListRow(Row):
    """A do-not-call list: how old the snapshot may be, what it does not bind, and for how long after they last asked us."""

    list: Literal["national", "own"] = "national"
    """``own``: the list that the state itself keeps, known by the state's code (``US-IN``)."""
    fresh: Duration
    exempt: tuple[Basis, ...] = ()
    inquiry: Duration = timedelta(0)


class SilenceRow(Row):
    """After so long without a word from them, the number may have gone to somebody else: look it up before contact."""

    after: Duration
    fresh: Duration = timedelta(days=30)
    """For so long the answer is believed, and not asked for again."""
    no_data: Literal["forbids", "allows"] = "forbids"
    """What it means that the vendor has no data on the number."""


class LineRow(Row):
    """Kinds of line that must not be contacted."""

    refuse: tuple[Line, ...]
    channels: tuple[Sent, ...] = ("call", "text")
    look_up: Literal["never", "wanted", "required"] = "never"
    """``never``: by the number's prefix alone; ``wanted``: by the vendor's word, where a look-up is set up and answers;
    ``required``: by the vendor's word only, and not at all without it."""
    fresh: Duration = timedelta(days=180)
    """For so long the vendor's word is believed, and not asked for again."""


class DutyRow(Row):
    """What has to be said there."""

    duty: str


class Unsure(Strict):
    """What becomes of somebody of whom a rule needs to know more than can be looked up."""

    again: Duration = timedelta(days=1)
    """It is looked up again after this ..."""
    tries: int = Field(default=3, ge=1)
    """... and after so many times in vain it counts as forbidden for good."""


class Area(Strict):
    """Area codes of one state that share their zones: all in which a number of theirs may lie, overlays included."""

    zones: tuple[Zone, ...]
    codes: str = Field(pattern=r"^\d{3}( \d{3})*$")

    @model_validator(mode="after")
    def _lies_somewhere(self) -> Area:
        if not self.zones:
            raise ValueError("zones: names no zone; write IANA names, such as [America/Chicago]")
        return self


class Rulebook(Strict):
    """All rows of one rule file."""

    name: str
    reviewed: date
    """When counsel last went through it."""
    hours: tuple[HoursRow, ...] = ()
    holidays: tuple[HolidayRow, ...] = ()
    caps: tuple[CapRow, ...] = ()
    consent: tuple[ConsentRow, ...] = ()
    do_not_call: tuple[ListRow, ...] = ()
    reassigned: tuple[SilenceRow, ...] = ()
    lines: tuple[LineRow, ...] = ()
    recording: tuple[DutyRow, ...] = ()
    disclosure: tuple[DutyRow, ...] = ()
    unsure: Unsure = Unsure()
    areas: dict[Place, tuple[Area, ...]] = Field(default_factory=dict)
    """By state (``US-FL``). An area code lies in one state."""

    def area(self, phone: str) -> tuple[str, tuple[str, ...]]:
        """The state of the area code of ``phone`` (E.164) and its zones; empty when it stands in no row."""
        return self.codes.get(phone[2:5], ("", ())) if len(phone) == 12 and phone.startswith("+1") else ("", ())

    @cached_property
    def codes(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Area code -> its state and zones."""
        return {
            code: (state, area.zones) for state, areas in self.areas.items() for area in areas for code in area.codes.split()
        }

    @model_validator(mode="after")
    def _codes_stand_once(self) -> Rulebook:
        seen: dict[str, str] = {}
        for state, areas in self.areas.items():
            for code in (code for area in areas for code in area.codes.split()):
                if code in seen:
                    raise ValueError(f"areas.{state}: {code} stands in {seen[code]} too; remove it from one")
                seen[code] = state
        return self


_R = TypeVar("_R", bound=Row)


def holding(rows: Iterable[_R], places: Iterable[str], day: date) -> Iterator[tuple[str, _R]]:
    """The rows that hold on ``day`` in any of ``places``, each with the place that it holds in."""
    known = tuple(places)
    for row in rows:
        if row.holds(day):
            for place in row.where:
                if place in known:
                    yield place, row
