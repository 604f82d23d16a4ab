"""What somebody named of a time: a day or span of days, a time of day, a delay, or a step from another time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple

Part = Literal["", "morning", "afternoon", "evening"]
Edge = Literal["", "after", "before"]

PARTS: dict[str, tuple[time, time]] = {
    "morning": (time(0), time(12)),
    "afternoon": (time(12), time(17)),
    "evening": (time(17), time(23, 59, 59)),
}
"""The hours that each part of the day takes in."""

ELSEWHERE = "?"
"""A zone that was named and that nobody here knows: "ten your time"."""


@dataclass(frozen=True)
class Clock:
    """A time of day as named. ``half`` is "am", "pm" or "" when it was left open; ``second`` only when named."""

    hour: int
    minute: int = 0
    second: int | None = None
    half: str = ""

    def hours(self) -> tuple[int, ...]:
        """The hours of the day (0-23) that it can mean."""
        if self.half == "am" and self.hour <= 12:
            return (self.hour % 12,)
        if self.half == "pm" and self.hour <= 12:
            return (self.hour % 12 + 12,)
        if self.hour > 12 or self.hour == 0:
            return (self.hour,)
        return (self.hour % 12, self.hour % 12 + 12)

    def likely(self) -> time:
        """The one it means in business: 7 to 11 in the morning, 12 to 6 in the afternoon."""
        options = self.hours()
        hour = options[0] if len(options) == 1 else (self.hour if 7 <= self.hour <= 11 else self.hour % 12 + 12)
        return time(hour, self.minute, self.second or 0)

    def means(self, local: datetime) -> bool:
        """Whether ``local`` is this time of day."""
        return (
            local.hour in self.hours()
            and local.minute == self.minute
            and (self.second is None or local.second == self.second)
        )


@dataclass(frozen=True)
class Said:
    """What was named of a time. ``first``/``last`` bound the days (local dates, both included)."""

    first: date | None = None
    last: date | None = None
    clock: Clock | None = None
    edge: Edge = ""
    """"after three", "before noon"."""
    part: Part = ""
    delay: timedelta | None = None
    end: Clock | None = None
    """The later end of a range that ``clock`` begins: "between two and four"."""
    about: bool = False
    """"around ten", "tenish": half an hour either way."""
    weekday: int | None = None
    """A weekday named (0: Monday); every such day fits while ``loose``, ``first`` is the coming one."""
    monthday: int | None = None
    """A day of the month named without its month."""
    loose: bool = False
    """``first``/``last`` only say which day is nearest; a day fits by ``weekday`` and ``monthday``."""
    zone: str = ""
    """Another zone that was named (IANA), or ELSEWHERE."""
    abbreviation: str = ""
    """The zone's abbreviation as named, in capitals: it tells the two passes of a repeated hour apart."""
    shift: timedelta | None = None
    """A step from a time that the listener has to know: nothing for "same time", an hour for "an hour later"."""

    @property
    def empty(self) -> bool:
        return self == _NOTHING


_NOTHING = Said()


class Mention(NamedTuple):
    """One time named in a text: its tokens are ``start`` to ``stop`` (excluded)."""

    start: int
    stop: int
    said: Said


def span(said: Said) -> tuple[time, time] | None:
    """The times of day from and to of a range ("between ten and two"); None when it is none."""
    if said.clock is None or said.end is None:
        return None
    begins, ends = said.clock.likely(), said.end.likely()
    if ends <= begins and len(said.clock.hours()) == 2 and begins.hour >= 12:
        begins = begins.replace(hour=begins.hour - 12)  # "between six and nine": both in one half of the day
    if ends <= begins and len(said.end.hours()) == 2 and ends.hour < 12:
        ends = ends.replace(hour=ends.hour + 12)
    return begins, ends
