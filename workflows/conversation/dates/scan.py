"""Finds every time that a text names, with its place among the tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ...tokens import bag
from ..numbers import quantity
from .clocks import HOURS, Found, clock_at, denial_before, edge_after, edge_before, hour_of, minutes_alone, part_at
from .days import FIRST_WORDS, MONTHS, ORDINALS, WEEKDAYS, Day, dated, day_at, opened, weeks_on
from .said import Clock, Edge, Mention, Part, Said
from .zones import WORDS as ZONE_WORDS
from .zones import own_names, zone_at

Tokens = Sequence[str]

_UNITS = {
    "second": 1, "seconds": 1, "secs": 1, "minute": 60, "minutes": 60, "min": 60, "mins": 60, "hour": 3600, "hours": 3600, "hrs": 3600,
    "day": 86400, "days": 86400, "week": 604800, "weeks": 604800, "fortnight": 1209600,
    "minuto": 60, "minutos": 60, "hora": 3600, "horas": 3600, "dia": 86400, "dias": 86400, "semana": 604800, "semanas": 604800,
}  # fmt: skip
_DAY = 86400
_FAR = timedelta(days=70)
"""Nobody names a day this far off by its weekday and number alone."""
_GLUE = bag("at on the in of , around about a las por de say for like roughly it is - from after before by between until till el")
"""Words that may stand between the parts of one time."""
_CLOCK_STARTS = frozenset(HOURS) | {"noon", "midday", "midnight", "quarter", "half", "twenty", "fifteen", "las", "la", "mediodia", "medianoche", "lunchtime", "lunch"}  # fmt: skip
_PART_STARTS = bag("morning mornings afternoon afternoons evening evenings night tarde noche after following before first end por en de")
_STARTS = (
    _CLOCK_STARTS | frozenset(FIRST_WORDS) | frozenset(WEEKDAYS) | frozenset(MONTHS) | frozenset(ORDINALS) | _PART_STARTS
    | bag("thirteen fourteen fifteen sixteen seventeen eighteen nineteen in within en dentro same misma hour hours minutes day days week weeks fortnight five ten forty fifty thirty an a couple top")
)  # fmt: skip
SIGNS = (_STARTS | ZONE_WORDS | bag("lunch work month later earlier night")) - bag(
    "the a an la las in en de por first second one two three after before last end this half start couple my your our"
)
"""Without one of these words, or a digit, a text names no time."""
_WISHES = bag("good nice great lovely wonderful buenas buenos")
"""Before a part of the day: a greeting or a farewell, no time."""
_MANY = 600
"""Tokens of one text that are looked at."""


def names_any(t: Tokens) -> bool:
    """Whether these tokens may name a time: a quick look, before the thorough one."""
    return not SIGNS.isdisjoint(t) or any(token[0].isdecimal() for token in t) or "las" in t or _hours(t) or ("half" in t and "past" in t)


def _hours(t: Tokens) -> bool:
    """Whether words stand together that are a time only together: "at one", "on the second"."""
    return ("one" in t or "two" in t or "three" in t or "on" in t) and not _NEIGHBOURS.isdisjoint(t)


_OF_CLOCKS = bag("at las la oclock sharp ish noon midday midnight lunchtime mediodia medianoche hundred make")
"""Words that make a number beside or after them a time of day."""
_NEIGHBOURS = bag("at around about by half after before from between until till past to am pm oclock say make first second third fourth fifth")


@dataclass
class _Draft:
    start: int
    stop: int
    day: Day | None = None
    clock: Clock | None = None
    end: Clock | None = None
    edge: Edge = ""
    part: Part = ""
    about: bool = False
    zone: str = ""
    abbreviation: str = ""
    delay: timedelta | None = None
    shift: timedelta | None = None
    opened: tuple[Day, Edge] | None = None
    """The day, and which way, of an open span: a time of day turns it into the edge itself ("before Friday noon")."""

    def said(self) -> Said:
        clock, end = self.clock, self.end
        if self.part and clock and not clock.half and clock.hour <= 12:
            clock = replace(clock, half="am" if self.part == "morning" else "pm")
        first = last = weekday = monthday = None
        loose = False
        if self.day is not None:
            first, last, weekday, monthday, loose = self.day
        return Said(
            first, last, clock, self.edge, self.part, self.delay, end, self.about, weekday, monthday, loose, self.zone,
            self.abbreviation, self.shift,
        )  # fmt: skip


def mentions(t: Tokens, zone: str, now: datetime, anchor: datetime | None = None) -> list[Mention]:
    """The times named in the tokens ``t``, said at ``now`` to or by somebody in ``zone``. ``anchor`` is the time spoken
    of before, which "same time", "the day after" and "an hour later" start from."""
    if not names_any(t):
        return []
    return _Scan(list(t[:_MANY]), zone, now, anchor).run()


def maybe_a_number(t: Tokens, mention: Mention) -> bool:
    """Whether what was taken for a time of day among the tokens ``t`` may as well be how many there are of something:
    "around twelve", "between ten and fifteen", unlike "at twelve", "around twelve thirty" and "around twelve on Monday"."""
    said = mention.said
    bare = Said(clock=said.clock, end=said.end, about=said.about)
    clocks = [clock for clock in (said.clock, said.end) if clock is not None]
    words = t[max(0, mention.start - 1) : mention.stop]
    return (
        said == bare
        and bool(clocks)
        and not any(clock.half or clock.minute or clock.second for clock in clocks)
        and not any(word in _OF_CLOCKS or ":" in word for word in words)
    )


class _Scan:
    def __init__(self, t: list[str], zone: str, now: datetime, anchor: datetime | None) -> None:
        self.t, self.zone, self.now, self.anchor = t, zone, now, anchor
        self.today = now.astimezone(ZoneInfo(zone)).date()
        self.found: list[Mention] = []
        self.draft: _Draft | None = None

    def run(self) -> list[Mention]:
        i, t = 0, self.t
        while i < len(t):
            at = t[i]
            after = self._take(i) if at in _STARTS or at[0].isdecimal() or self._zone_here(i) else 0
            i = after or i + 1
        self._flush()
        return self.found

    def _take(self, i: int) -> int:
        """Take what begins at ``i`` into a mention; the index after it, or 0 when nothing begins there."""
        return self._relative(i) or self._day(i) or self._part(i) or self._clock(i) or self._zone(i)

    # ---- parts of a mention ---------------------------------------------------------------------------------

    def _joined(self, i: int, start: int) -> _Draft:
        """The draft that goes on here, or a new one: only little words may stand in between."""
        d = self.draft
        if d is not None and d.stop <= start and start - d.stop <= 3 and all(x in _GLUE for x in self.t[d.stop : start]):
            return d
        if d is not None and d.stop > start:
            return d
        self._flush()
        self.draft = _Draft(start, i)
        return self.draft

    def _new(self, i: int, start: int) -> _Draft:
        self._flush()
        self.draft = _Draft(start, i)
        return self.draft

    def _flush(self) -> None:
        if self.draft is not None:
            d, self.draft = self.draft, None
            said = self._anchored(d)
            if not said.empty:
                self.found.append(Mention(d.start, d.stop, said))

    def _anchored(self, d: _Draft) -> Said:
        if d.shift is None or self.anchor is None:
            return d.said()
        at = (self.anchor + d.shift).astimezone(ZoneInfo(self.zone))
        whole_days = d.shift % timedelta(1) == timedelta(0)
        if whole_days and d.shift:
            local = self.anchor.astimezone(ZoneInfo(self.zone))
            d.day = d.day or Day(local.date() + d.shift, local.date() + d.shift)
        else:
            if d.day is None and d.shift:
                d.day = Day(at.date(), at.date())
            elif d.day is not None and d.day.last - d.day.first == timedelta(6):
                day = d.day.first + timedelta((at.weekday() - d.day.first.weekday()) % 7)
                d.day = Day(day, day)  # "same time next week": the same day of it
            d.clock = d.clock or Clock(at.hour, at.minute, half="am" if at.hour < 12 else "pm") if at.hour <= 12 else Clock(at.hour, at.minute)
        d.shift = None
        return d.said()

    def _relative(self, i: int) -> int:
        t, at = self.t, self.t[i]
        if at in ("same", "misma") and t[i + 1 : i + 2] in (["time"], ["hour"], ["hora"]):
            draft = self._joined(i, i - 1 if i and t[i - 1] in ("the", "la") else i)
            draft.shift, draft.stop = timedelta(0), i + 2
            return i + 2
        if at in ("in", "within", "en", "dentro"):
            return self._delay(i)
        if at in ("the", "day") and (after := self._day_after(i)):
            return after
        return self._step(i)

    def _delay(self, i: int) -> int:
        """"in twenty minutes", "in an hour and a half", "within two weeks", "dentro de una hora"."""
        t, j = self.t, i + 1
        while j < len(t) and t[j] in ("about", "around", "like", "roughly", "just", "maybe", "another", "say", "de", "unos", "under", "the", "next"):
            j += 1
        found = _length(t, j)
        if found is None:
            return 0
        seconds, after, unit = found
        draft = self._new(i, i)
        draft.stop = after + 1 if t[after : after + 1] == ["time"] else after
        self._set_delay(draft, seconds, unit)
        return draft.stop

    def _set_delay(self, draft: _Draft, seconds: float, unit: int) -> None:
        if unit < _DAY:
            draft.delay = timedelta(seconds=min(seconds, 366 * _DAY))
        else:
            day = self.today + timedelta(days=min(round(seconds / _DAY), 3660))
            draft.day = Day(day, day)

    def _day_after(self, i: int) -> int:
        """"the day after", "the following day", "the next day", "the day before": seen from a day spoken of."""
        t = self.t
        j = i + 1 if t[i] == "the" else i
        pair = t[j : j + 2]
        following = pair in (["following", "day"], ["next", "day"]) and t[i] == "the"
        if following or (pair == ["day", "after"] and t[j + 2 : j + 3] != ["tomorrow"]):
            step = 1
        elif pair == ["day", "before"] and t[j + 2 : j + 3] != ["yesterday"]:
            step = -1
        else:
            return 0
        draft = self._new(i, i)
        draft.shift, draft.stop = timedelta(step), j + 2
        if t[j + 2 : j + 3] == ["that"]:
            draft.stop = j + 3
        return draft.stop

    def _step(self, i: int) -> int:
        """"an hour later", "half an hour earlier", "two days after that", "ten minutes from now"."""
        t = self.t
        found = _length(t, i)
        if found is None:
            return 0
        seconds, after, unit = found
        if t[after : after + 2] == ["from", "now"] or t[after : after + 3] == ["from", "right", "now"]:
            draft = self._new(i, i)
            draft.stop = after + 2
            self._set_delay(draft, seconds, unit)
            return draft.stop
        direction = {"later": 1, "after": 1, "earlier": -1, "sooner": -1, "before": -1}.get(t[after] if after < len(t) else "", 0)
        if not direction or (t[after] in ("after", "before") and t[after + 1 : after + 2] not in (["that"], ["it"], [])):
            return 0
        draft = self._new(i, i)
        draft.shift = timedelta(seconds=direction * min(seconds, 366 * _DAY))
        draft.stop = after + 1 if t[after] in ("later", "earlier", "sooner") else min(after + 2, len(t))
        return draft.stop

    def _day(self, i: int) -> int:
        found = day_at(self.t, i, self.today) or (weeks_on(self.t, i, self.today) if quantity(self.t, i) else None)
        if found is None:
            return 0
        day, after = found
        start, opening = self._day_edge(i)
        plain = day
        if opening:
            day = opened(day, opening, self.today)
        draft = self._joined(i, start)
        if draft.day is not None:
            merged = _both(draft.day, day, self.today)
            apart = "," in self.t[draft.stop : i] and merged is not None and not _possible(merged)
            if merged is None or apart:
                draft = self._new(i, start)
            else:
                day = merged
        draft.day, draft.stop = day, after
        if opening:
            draft.opened = (plain, "after" if opening in ("after", "from") else "before")
        if self.t[i] == "tonight":
            draft.part = "evening"
        return after

    def _day_edge(self, i: int) -> tuple[int, str]:
        t = self.t
        j = i - 1 if i and t[i - 1] in ("the", "el") else i
        word = t[j - 1] if j else ""
        if word == "than" and j > 1 and t[j - 2] in ("later", "earlier", "sooner"):
            word, j = ("after" if t[j - 2] == "later" else "before"), j - 1
        if word not in ("after", "before", "until", "till", "by", "from"):
            return i, ""
        if word == "from" and not {"on", "onwards", "onward"} & set(t[i : i + 4]):
            return i, ""
        edge = {"until": "before", "till": "before"}.get(word, word)
        if j > 1 and (denied := denial_before(t, j - 1)) is not None:
            edge, j = {"after": "by", "before": "from", "by": "after"}.get(edge, edge), denied + 1
        return j - 1, edge

    def _part(self, i: int) -> int:
        found = part_at(self.t, i)
        if found is None or (i and self.t[i - 1] in _WISHES):
            return 0
        part, after = found
        draft = self._joined(i, i)
        if draft.part and draft.part != part:
            draft = self._new(i, i)
        draft.part, draft.stop = part, after
        return after

    def _clock(self, i: int) -> int:
        t, d = self.t, self.draft
        near = d is not None and d.day is not None and d.clock is None and all(x in _GLUE for x in t[d.stop : i])
        found = clock_at(t, i, beside=bool(near and d and i - d.stop <= 2) or self._told_by_what_follows(i)) or self._of_this_hour(i)
        if found is None:
            return 0
        edge, about, start = edge_before(t, i)
        if i and t[i - 1] in ("between", "entre"):
            start = i - 1
        draft = self._joined(i, start)
        if draft.clock is not None or draft.delay is not None:
            draft = self._new(i, start)
        self._set_clock(draft, found, edge, about)
        return draft.stop

    def _set_clock(self, draft: _Draft, found: Found, edge: Edge, about: bool) -> None:
        draft.clock, draft.end, draft.stop = found.clock, found.end, found.stop
        draft.about = about or found.about
        draft.part = found.part or draft.part
        draft.edge = "" if found.end else edge
        if draft.opened and not draft.edge:
            draft.day, draft.edge = draft.opened
        if not draft.edge and not found.end:
            draft.edge, draft.stop = edge_after(self.t, draft.stop)

    def _of_this_hour(self, i: int) -> Found | None:
        """"half past", "quarter to", "the top of the hour", with no hour named: when the clock shows that next."""
        alone = minutes_alone(self.t, i)
        if alone is None:
            return None
        minute, stop = alone
        now = self.now.astimezone(ZoneInfo(self.zone))
        at = now.replace(minute=minute, second=0, microsecond=0)
        hour = (at if at > now else at + timedelta(hours=1)).hour
        return Found(Clock(hour, minute, half="am" if hour < 12 else "pm") if hour <= 12 else Clock(hour, minute), stop)

    def _told_by_what_follows(self, i: int) -> bool:
        """Whether a bare hour at ``i`` is a time by what follows: "ten tomorrow", "nine on Wednesday", "ten your time", "ten or
        later"."""
        t = self.t
        if hour_of(t[i]) is None or (i and t[i - 1] in ("the", "all", "both", "these", "those", "of", "to", "and")):
            return False
        if t[i] == "one" and i and t[i - 1].isalpha():
            return False  # "the later one on Tuesday"
        if edge_after(t, i + 1)[0] or (i + 1 < len(t) and zone_at(t, i + 1, self.zone, self.now)):
            return True
        j = i + 2 if t[i + 1 : i + 2] == ["on"] else i + 1
        return j < len(t) and (t[j] in WEEKDAYS or t[j] in ("tomorrow", "today", "manana")) and day_at(t, j, self.today) is not None

    def _zone_here(self, i: int) -> bool:
        d = self.draft
        if d is None or d.clock is None or d.zone or d.stop != i:
            return False
        return self.t[i] in ZONE_WORDS or self.t[i].upper() in own_names(self.zone, self.now)

    def _zone(self, i: int) -> int:
        d = self.draft
        if d is None or not self._zone_here(i):
            return 0
        if self.t[i].upper() in own_names(self.zone, self.now):
            d.abbreviation, d.stop = self.t[i].upper(), i + 1
            return i + 1
        found = zone_at(self.t, i, self.zone, self.now)
        if found is None:
            return 0
        d.zone, d.abbreviation, d.stop = found
        return d.stop


def _length(t: Tokens, i: int) -> tuple[float, int, int] | None:
    """A length of time at ``t[i]``: its seconds, the index after it, and the seconds of its unit."""
    if i >= len(t):
        return None
    if t[i] == "half" and t[i + 1 : i + 3] in (["an", "hour"], ["hour"]):
        return 1800, i + 3, 60
    if t[i] == "half" and t[i + 1 : i + 2] == ["hour"]:
        return 1800, i + 2, 60
    if t[i] in ("media",) and t[i + 1 : i + 2] == ["hora"]:
        return 1800, i + 2, 60
    if t[i] in ("a", "an", "one", "una", "un") and i + 1 < len(t):
        if t[i + 1] == "few" and i + 2 < len(t) and t[i + 2] in _UNITS:
            return 3 * _UNITS[t[i + 2]], i + 3, _UNITS[t[i + 2]]
        if t[i + 1] == "half" and t[i + 2 : i + 3] == ["hour"]:
            return 1800, i + 3, 60
        if t[i + 1] == "quarter" and t[i + 2 : i + 5] == ["of", "an", "hour"]:
            return 900, i + 5, 60
        if t[i + 1] in _UNITS:
            unit = _UNITS[t[i + 1]]
            if t[i + 2 : i + 5] == ["and", "a", "half"]:
                return 1.5 * unit, i + 5, unit
            return unit, i + 2, unit
    found = quantity(t, i)
    if found is None:
        return None
    count, j = found
    if j < len(t) and t[j] == "of":
        j += 1
    if j >= len(t) or t[j] not in _UNITS:
        return None
    unit = _UNITS[t[j]]
    half = t[j + 1 : j + 4] == ["and", "a", "half"]
    return (count + 0.5 * half) * unit, j + (4 if half else 1), unit


def _possible(day: Day) -> bool:
    """Whether a single day agrees with the weekday and number named with it."""
    return day.loose or day.first != day.last or (day.weekday in (None, day.first.weekday()) and day.monthday in (None, day.first.day))


def _both(one: Day, other: Day, today: date) -> Day | None:
    """The days that both name, when they can belong to one time ("tomorrow, Tuesday the 24th"); None when they are two
    times. Two that contradict one another stay one time that no day fits."""
    if one.loose and other.loose:
        if one.weekday is not None and other.weekday is not None and one.weekday != other.weekday:
            return None
        if one.monthday is not None and other.monthday is not None and one.monthday != other.monthday:
            return None
        weekday = one.weekday if one.weekday is not None else other.weekday
        monthday = one.monthday if one.monthday is not None else other.monthday
        first = (dated(monthday, None, today, weekday) if monthday else None) or one.first
        if first - today > _FAR:
            return Day(one.first, one.first, weekday, monthday)  # "Tuesday the 25th" when that is a Wednesday
        return Day(first, first, weekday, monthday, True)
    if one.loose or other.loose:
        exact, loose = (other, one) if one.loose else (one, other)
        days = [exact.first + timedelta(n) for n in range(min((exact.last - exact.first).days, 31) + 1)]
        fit = [d for d in days if loose.weekday in (None, d.weekday()) and loose.monthday in (None, d.day)]
        if not fit:
            if exact.first != exact.last:
                return None
            return Day(exact.first, exact.last, loose.weekday, loose.monthday)
        return Day(fit[0], fit[0]) if len(fit) == 1 else Day(exact.first, exact.last, loose.weekday, loose.monthday)
    first, last = max(one.first, other.first), min(one.last, other.last)
    if first <= last:
        return Day(first, last)
    alone = one.first == one.last and other.first == other.last
    return Day(one.first, one.last, other.first.weekday(), other.first.day) if alone else None
