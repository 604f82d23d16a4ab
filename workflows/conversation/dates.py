"""Times that somebody names, resolved by code: which offered slot, which window, which moment.

Pure: text, the lead's zone (IANA) and the instant go in; instants come out in UTC. English, spoken or typed:
"the second one", "tomorrow at ten", "half past three", "Tuesday the 24th in the morning", "in twenty minutes".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from ..events import Slot
from ..reading import plain
from .numbers import NUMBERS, number

Part = Literal["", "morning", "afternoon", "evening"]

_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_HOUR = r"(?:[01]?\d|2[0-3]|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_MINUTE = r"(?:[0-5]\d|fifteen|thirty|forty five|ten|twenty|forty|fifty|five)"

_PARTS: dict[str, tuple[time, time]] = {
    "morning": (time(0), time(12)),
    "afternoon": (time(12), time(17)),
    "evening": (time(17), time(23, 59, 59)),
}


@dataclass(frozen=True)
class Clock:
    """A time of day as named. ``half`` is "am", "pm" or "" when it was left open; ``second`` only when named."""

    hour: int
    minute: int = 0
    second: int | None = None
    half: str = ""

    def hours(self) -> tuple[int, ...]:
        """The hours of the day (0-23) that it can mean."""
        if self.half == "am":
            return (self.hour % 12,)
        if self.half == "pm":
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
    edge: Literal["", "after", "before"] = ""
    """"after three", "before noon"."""
    part: Part = ""
    delay: timedelta | None = None

    @property
    def empty(self) -> bool:
        return self == Said()


def _minutes(words: str) -> int:
    return sum(number(word) for word in words.split())


def _spaced(text: str) -> str:
    """Lower-case words, times kept whole: "10:30am" becomes "10:30 am"; punctuation gone."""
    lowered = text.lower().replace("a.m.", "am").replace("p.m.", "pm").replace("o'clock", "oclock")
    lowered = re.sub(r"(\d)[.h](\d\d)\b(?=\s*(?:am|pm|$|\s))", r"\1:\2", lowered)
    lowered = re.sub(r"(\d)\s*(am|pm)\b", r"\1 \2", lowered)
    lowered = re.sub(r"\b(a|p) m\b", r"\1m", lowered)
    lowered = re.sub(r"[^a-z0-9:'#áéíóúñ ]+", " ", lowered)
    return " ".join(lowered.split())


_SECONDS = rf"(?: (?:and )?({_MINUTE}|\d{{1,2}}) seconds?)?"
_CLOCKS: tuple[tuple[str, str], ...] = (
    ("digits", rf"\b([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(?: (am|pm))?{_SECONDS}(?: (am|pm))?"),
    ("past", rf"\b(quarter|half|{_MINUTE}) past ({_HOUR})(?: (am|pm))?\b"),
    ("to", rf"\b(quarter|{_MINUTE}) (?:to|till|before) ({_HOUR})(?: (am|pm))?\b"),
    ("half", rf"\bhalf ({_HOUR})(?: (am|pm))?\b"),
    ("spoken", rf"\b({_HOUR}) ({_MINUTE})(?: (am|pm))?{_SECONDS}\b(?! (?:minutes?|hours?|days?|weeks?|people|users?))"),
    ("hour", rf"\b({_HOUR}) (am|pm){_SECONDS}\b"),
    ("oclock", rf"\b({_HOUR}) oclock{_SECONDS}(?: (am|pm))?\b"),
    (
        "at",
        rf"\b(?:at|around|about|by|after|before|from|make it|say) ({_HOUR}){_SECONDS}\b(?! (?:minutes?|hours?|days?|weeks?|people|users?|dollars?|percent))",
    ),
)


def _clock(words: str) -> Clock | None:
    if re.search(r"\b(?:noon|midday)\b", words):
        return Clock(12, half="pm")
    if re.search(r"\bmidnight\b", words):
        return Clock(0)
    for kind, pattern in _CLOCKS:
        found = re.search(pattern, words)
        if not found:
            continue
        g = found.groups()
        if kind == "digits":
            second = g[2] or g[4]
            return Clock(int(g[0]), int(g[1]), _minutes(second) if second else None, g[3] or g[5] or "")
        if kind == "past":
            minute = {"quarter": 15, "half": 30}.get(g[0]) or _minutes(g[0])
            return Clock(number(g[1]), minute, half=g[2] or "")
        if kind == "to":
            minute = 60 - (15 if g[0] == "quarter" else _minutes(g[0]))
            return Clock((number(g[1]) - 1) % 12 or 12, minute, half=g[2] or "")
        if kind == "half":
            return Clock(number(g[0]), 30, half=g[1] or "")
        if kind == "spoken":
            return Clock(number(g[0]), _minutes(g[1]), _minutes(g[3]) if g[3] else None, g[2] or "")
        if kind == "hour":
            return Clock(number(g[0]), 0, _minutes(g[2]) if g[2] else None, g[1])
        if kind == "oclock":
            return Clock(number(g[0]), 0, _minutes(g[1]) if g[1] else None, g[2] or "")
        return Clock(number(g[0]), 0, _minutes(g[1]) if g[1] else None)
    return None


def _day(words: str, today: date) -> tuple[date, date] | None:
    """The first and last day that the words name."""
    if re.search(r"\b(?:the )?day after tomorrow\b", words):
        return today + timedelta(2), today + timedelta(2)
    if re.search(r"\btomorrow\b|\bmañana\b", words):
        return today + timedelta(1), today + timedelta(1)
    if re.search(r"\btoday\b|\btonight\b|\bthis (?:morning|afternoon|evening)\b", words):
        return today, today
    monday = today - timedelta(today.weekday())
    for index, name in enumerate(_WEEKDAYS):
        found = re.search(rf"\b(next |this )?{name}s?\b|\b(next |this )?{name[:3]}\b(?! \d+ users)", words)
        if not found:
            continue
        day = today + timedelta((index - today.weekday()) % 7)
        if "next " in found.group() and monday <= day < monday + timedelta(7):
            day += timedelta(7)  # "next Tuesday" lies in the coming week, not in this one
        numbered = re.search(rf"\b{name}(?: the)? (\d{{1,2}})(?:st|nd|rd|th)?\b(?!:| am| pm)", words)
        if numbered and (exact := _dated(int(numbered[1]), None, today)) and exact.weekday() == index:
            day = exact
        return day, day
    month = re.search(
        rf"\b(?:({'|'.join(_MONTHS)})[a-z]* (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?|"
        rf"(?:the )?(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?({'|'.join(_MONTHS)})[a-z]*)\b",
        words,
    )
    if month:
        number_, name_ = month[2] or month[3], month[1] or month[4]
        exact = _dated(int(number_), _MONTHS.index(name_) + 1, today)
        return (exact, exact) if exact else None
    ordinal = re.search(r"\b(?:the |on )(\d{1,2})(?:st|nd|rd|th)\b(?! (?:one|option|slot|time))", words)
    if ordinal and (exact := _dated(int(ordinal[1]), None, today)):
        return exact, exact
    if "next week" in words:
        return monday + timedelta(7), monday + timedelta(13)
    if "this week" in words:
        return today, monday + timedelta(6)
    if re.search(r"\bweekend\b", words):
        return monday + timedelta(5), monday + timedelta(6)
    return None


def _dated(day: int, month: int | None, today: date) -> date | None:
    """The next date with this day of the month (and month), today included; None if there is none."""
    year, first = today.year, today.month
    for step in range(13):
        candidate = (first - 1 + step) % 12 + 1
        if month is not None and candidate != month:
            continue
        try:
            exact = date(year + (first - 1 + step) // 12, candidate, day)
        except ValueError:
            continue
        if exact >= today:
            return exact
    return None


_UNITS = {"second": 1, "minute": 60, "min": 60, "hour": 3600, "day": 86400, "week": 604800}


def _delay(words: str) -> timedelta | None:
    if re.search(r"\bhalf an hour\b", words):
        return timedelta(minutes=30)
    if re.search(r"\b(?:in an hour and a half)\b", words):
        return timedelta(minutes=90)
    found = re.search(
        rf"\bin (?:about |around |like )?(\d+|a couple of|a few|{'|'.join(NUMBERS)}) (second|minute|min|hour|day|week)s?\b",
        words,
    )
    if not found:
        return None
    count = {"a couple of": 2, "a few": 3}.get(found[1]) or number(found[1])
    return timedelta(seconds=count * _UNITS[found[2]])


def read(text: str, zone: str, now: datetime) -> Said:
    """What ``text``, said at ``now`` to somebody in ``zone``, names of a time; an empty Said when nothing."""
    words = _spaced(text)
    delay = _delay(words)
    if delay is not None and delay < timedelta(days=1):
        return Said(delay=delay)
    today = now.astimezone(ZoneInfo(zone)).date()
    days = (today + delay, today + delay) if delay is not None else _day(words, today)
    clock = _clock(words)
    part: Part = ""
    for name in ("morning", "afternoon", "evening"):
        if re.search(rf"\b{name}s?\b", words):
            part = name
    if re.search(r"\b(?:tonight|after work)\b", words):
        part = "evening"
    elif re.search(r"\b(?:after|following) lunch\b", words):
        part = "afternoon"
    if clock and not clock.half and clock.hour <= 12 and part:
        clock = replace(clock, half="am" if part == "morning" else "pm")
    edge: Literal["", "after", "before"] = ""
    if clock and re.search(rf"\b(?:after|later than|from) (?:{_HOUR}|noon)", words):
        edge = "after"
    elif clock and re.search(rf"\b(?:before|earlier than|until) (?:{_HOUR}|noon)", words):
        edge = "before"
    first, last = days or (None, None)
    return Said(first, last, clock, edge, part)


def _clauses(text: str) -> list[tuple[str, bool]]:
    """The clauses of ``text`` with whether each refuses what it names."""
    pieces = re.split(r"[,;.!?]\s+|[,;!?]|\bbut\b|\brather\b|\binstead\b|(?<=\w)\s+-+\s+", text.lower())
    negative = re.compile(r"\b(?:not|no|don't|dont|doesn't|can't|cannot|won't|isn't|neither|never|except)\b")
    return [(piece, bool(negative.search(piece))) for piece in pieces if piece and piece.strip()]


def fits(slot: Slot, said: Said, zone: str) -> bool:
    """Whether ``slot`` lies in what was said."""
    local = slot.start.astimezone(ZoneInfo(zone))
    if said.first and not said.first <= local.date() <= (said.last or said.first):
        return False
    if said.part and not _PARTS[said.part][0] <= local.time() <= _PARTS[said.part][1]:
        return False
    if said.clock:
        if said.edge == "after":
            return local.time() >= said.clock.likely()
        if said.edge == "before":
            return local.time() < said.clock.likely()
        return said.clock.means(local)
    return True


_WHICHEVER = re.compile(
    r"\b(?:either|any(?: of them| one| time)?|whichever|whatever|doesn't matter|does not matter|both work|all work|you (?:choose|pick))\b"
)
_EARLIEST = re.compile(r"\b(?:earliest|soonest|as soon as possible|asap|sooner|former|right away|the early one)\b")
_LATEST = re.compile(r"\b(?:latest|last one|last|latter|the late one|later one)\b")
_INDEX = re.compile(
    r"\b(?:(first|second|third|fourth|fifth)(?! (?:of|week|quarter))|([1-5])(?:st|nd|rd|th)?(?: (?:one|option|slot|time))|"
    r"(?:number|option|slot|#) ?(one|two|three|four|five|[1-5]))\b|^([1-5])$|#([1-5])\b"
)


_BARE = re.compile(
    rf"^(?:ok |okay |yes |let's do |let's say |how about |maybe |the )?({_HOUR})"
    r"(?: (?:works|is (?:good|fine|great|ok|okay|perfect)|please|sounds good|then|one))*$"
)


def _index(words: str, count: int) -> int | None:
    """The position (0-based) among ``count`` offers that the words point to by order."""
    found = _INDEX.search(words)
    if found:
        word = next(g for g in found.groups() if g)
        index = (_ORDINALS.get(word) or number(word)) - 1
        return index if 0 <= index < count else None
    if _EARLIEST.search(words):
        return 0
    if _LATEST.search(words):
        return count - 1
    return None


def choose(text: str, slots: Sequence[Slot], zone: str, now: datetime) -> Slot | None:
    """The one of ``slots`` (as offered, in order) that the words pick; None when they pick none or leave it open
    which. What a clause refuses ("not the first") is taken away first."""
    if not slots:
        return None
    left = list(slots)
    picked: Slot | None = None
    spoke = False
    for clause, negative in _clauses(text):
        words = _spaced(clause)
        index = _index(words, len(slots))
        said = read(clause, zone, now)
        if said.empty and index is None and (bare := _BARE.match(words)):
            said = Said(clock=Clock(number(bare[1])))
        if index is not None and (said.clock is None or said.edge):
            matching = [slots[index]]
        elif not said.empty and said.delay is None:
            matching = _exact([slot for slot in slots if fits(slot, said, zone)], said, zone)
        elif _WHICHEVER.search(words) and not negative:
            return left[0] if left else None
        else:
            continue
        if negative:
            left = [slot for slot in left if slot not in matching]
            continue
        spoke = True
        matching = [slot for slot in matching if slot in left]
        if picked is not None and picked in matching:
            continue
        picked = matching[0] if len(matching) == 1 else None
    return picked if spoke and picked in left else None


def _exact(slots: list[Slot], said: Said, zone: str) -> list[Slot]:
    """Of several within the minute named, the one on the full minute is meant."""
    if said.clock and said.clock.second is None and not said.edge:
        full = [slot for slot in slots if slot.start.astimezone(ZoneInfo(zone)).second == 0]
        if len(full) == 1:
            return full
    return slots


def window(said: Said, zone: str, now: datetime) -> tuple[datetime | None, datetime | None, Part]:
    """The span in which slots are wanted, (not_before, not_after, part of day), in UTC; None: unbounded."""
    local = ZoneInfo(zone)
    if said.delay is not None:
        return now + said.delay, None, ""
    if said.first is None:
        if said.clock is None:
            return None, None, said.part
        at = moment(said, zone, now) or now
        if said.edge == "before":
            return None, at, ""
        return at - timedelta(hours=0 if said.edge else 1), None if said.edge else at + timedelta(hours=2), ""
    start = datetime.combine(said.first, time(0), local)
    end = datetime.combine((said.last or said.first) + timedelta(1), time(0), local)
    if said.clock:
        at = datetime.combine(said.first, said.clock.likely(), local)
        if said.edge == "after":
            start = at
        elif said.edge == "before":
            end = at
        else:
            start, end = at - timedelta(hours=1), at + timedelta(hours=2)
    return max(start.astimezone(UTC), now), end.astimezone(UTC), said.part


def moment(said: Said, zone: str, now: datetime) -> datetime | None:
    """The one instant (UTC) at which to ring again; None when nothing definite was named. A part of the day means
    its first reasonable hour, a bare day ten in the morning."""
    if said.delay is not None:
        return now + said.delay
    if said.empty:
        return None
    local = now.astimezone(ZoneInfo(zone))
    at = (
        said.clock.likely()
        if said.clock
        else {"morning": time(9), "afternoon": time(14), "evening": time(18), "": time(10)}[said.part]
    )
    day = said.first or local.date()
    found = datetime.combine(day, at, ZoneInfo(zone))
    if found <= local:
        if said.first and said.first > local.date():
            return None
        if (
            said.clock
            and not said.clock.half
            and len(said.clock.hours()) == 2
            and found + timedelta(hours=12) > local
            and at.hour < 12
        ):
            found += timedelta(hours=12)
        elif said.first is None:
            found += timedelta(1)
        else:
            return None
    return found.astimezone(UTC)


def mentions_time(text: str) -> bool:
    """Whether ``text`` names a day or a time of day at all."""
    return not read(text, "UTC", datetime(2027, 1, 6, 12, tzinfo=UTC)).empty or bool(
        re.search(
            r"\b(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|tomorrow|noon|midnight)\b", plain(text)
        )
    )
