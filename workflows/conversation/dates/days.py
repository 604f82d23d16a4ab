"""Days as people name them, found among tokens: "next Tuesday", "the 24th", "pasado mañana", "end of the week"."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from ..numbers import SPANISH, quantity

Tokens = Sequence[str]

_ENGLISH = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPANISH = ("lunes", "martes", "miercoles", "jueves", "viernes", "sabado", "domingo")
_SHORT = {"mon": 0, "tue": 1, "tues": 1, "wed": 2, "weds": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4, "sat": 5, "sun": 6}
WEEKDAYS = {name: n for names in (_ENGLISH, _SPANISH) for n, name in enumerate(names)} | _SHORT
WEEKDAYS |= {f"{name}s": n for n, name in enumerate(_ENGLISH)}
_DOUBTFUL = frozenset(["sat", "sun", "wed", "mon"])
"""Abbreviations that are words of their own."""
_MONTH_WORDS = "january february march april may june july august september october november december"
_MONTH_NAMES = _MONTH_WORDS.split()
_SPANISH_MONTH_WORDS = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
_SPANISH_MONTHS = _SPANISH_MONTH_WORDS.split()
MONTHS = {name: n for names in (_MONTH_NAMES, _SPANISH_MONTHS) for n, name in enumerate(names, 1)}
MONTHS |= {name[:3]: n for n, name in enumerate(_MONTH_NAMES, 1)} | {"sept": 9}
_ORDINAL_WORDS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth "
    "seventeenth eighteenth nineteenth twentieth"
)
ORDINALS = {word: n for n, word in enumerate(_ORDINAL_WORDS.split(), 1)} | {"thirtieth": 30}
_ONE = timedelta(1)
_LONG = timedelta(27)
"""How far an open span ("after Wednesday") reaches."""
_PLACES = frozenset(["one", "option", "slot", "time", "choice", "floor", "of"])
_CLOCKED = frozenset(["am", "pm", "oclock", "ish", ":"])


class Day(NamedTuple):
    """A span of days, or (``loose``) any day of this weekday or number, ``first`` being the nearest."""

    first: date
    last: date
    weekday: int | None = None
    monthday: int | None = None
    loose: bool = False


def dated(day: int, month: int | None, today: date, weekday: int | None = None) -> date | None:
    """The next date with this day of the month (and month, and weekday), today included; None if there is none."""
    for step in range(49):
        candidate = (today.month - 1 + step) % 12 + 1
        if month is not None and candidate != month:
            continue
        try:
            exact = date(today.year + (today.month - 1 + step) // 12, candidate, day)
        except ValueError:
            continue
        if exact >= today and (weekday is None or exact.weekday() == weekday):
            return exact
        if exact >= today and month is not None:
            return None
    return None


def ordinal_at(t: Tokens, i: int) -> tuple[int, int] | None:
    """A day of the month as an ordinal: "24th", "twenty fourth", "third"."""
    if i >= len(t):
        return None
    at = t[i]
    if len(at) <= 4 and at[-2:] in ("st", "nd", "rd", "th") and at[:-2].isdecimal():
        return (int(at[:-2]), i + 1) if 0 < int(at[:-2]) <= 31 else None
    if at in ("twenty", "thirty") and i + 1 < len(t) and 0 < ORDINALS.get(t[i + 1], 0) < 10:
        value = (20 if at == "twenty" else 30) + ORDINALS[t[i + 1]]
        return (value, i + 2) if value <= 31 else None
    return (ORDINALS[at], i + 1) if at in ORDINALS else None


def _single(day: date) -> Day:
    return Day(day, day)


def day_at(t: Tokens, i: int, today: date) -> tuple[Day, int] | None:
    """The day or span that begins at ``t[i]``, seen from ``today``, and the index after it."""
    at = t[i]
    rule = FIRST_WORDS.get(at)
    if rule is not None and (found := rule(t, i, today)) is not None:
        return found
    if at in WEEKDAYS:
        return _weekday(t, i, today)
    if at in MONTHS:
        return _month_first(t, i, today)
    return _numbered(t, i, today)


def _words(t: Tokens, i: int, *patterns: str) -> int:
    """The index after the first of ``patterns`` that stands at ``t[i]``; 0 when none does."""
    for pattern in patterns:
        wanted = pattern.split()
        if list(t[i : i + len(wanted)]) == wanted:
            return i + len(wanted)
    return 0


def _today(t: Tokens, i: int, today: date) -> tuple[Day, int] | None:
    return _single(today), i + 1


def _tomorrow(t: Tokens, i: int, today: date) -> tuple[Day, int] | None:
    if t[i] == "manana" and i and t[i - 1] == "la":
        return None  # "por la mañana": the morning
    return _single(today + _ONE), i + 1


def _yesterday(t: Tokens, i: int, today: date) -> tuple[Day, int] | None:
    return _single(today - _ONE), i + 1


def _overmorrow(t: Tokens, i: int, today: date) -> tuple[Day, int] | None:
    if t[i] == "the":
        return _the(t, i, today)
    after = _words(t, i, "day after tomorrow", "pasado manana")
    if after:
        return _single(today + 2 * _ONE), after
    after = _words(t, i, "day before yesterday")
    return (_single(today - 2 * _ONE), after) if after else None


def _the(t: Tokens, i: int, today: date) -> tuple[Day, int] | None:
    """"the 24th", "the twenty fourth", "the week after next", "the weekend", "the end of the week"."""
    if i + 1 >= len(t):
        return None
    if t[i + 1] in ("end", "beginning", "start", "middle", "last", "week", "weekend", "day", "coming", "next", "following"):
        rule = FIRST_WORDS.get(t[i + 1], _this_or_next)
        return rule(t, i + 1, today)
    if t[i + 1] in WEEKDAYS:
        return _weekday(t, i + 1, today)
    found = ordinal_at(t, i + 1)
    if found is None:
        return None
    number, after = found
    if nth := _nth_of_month(number, t, after, today):
        return nth
    if after < len(t) and t[after] in ("of", "de") and after + 1 < len(t) and t[after + 1] in MONTHS:
        return _dated_day(number, MONTHS[t[after + 1]], today, after + 2)
    if after < len(t) and t[after] in MONTHS and t[after] != "may":
        return _dated_day(number, MONTHS[t[after]], today, after + 1)
    worded = t[i + 1] in ORDINALS and number < 6
    if worded and not (i and t[i - 1] == "on"):
        return None  # "the third" is one of those offered
    if after < len(t) and (t[after] in _PLACES or t[after] in ("thing", "quarter", "half")):
        return None
    return _monthday(number, today, after)


def _monthday(number: int, today: date, after: int) -> tuple[Day, int] | None:
    exact = dated(number, None, today)
    return (Day(exact, exact, monthday=number, loose=True), after) if exact else None


def _dated_day(number: int, month: int, today: date, after: int) -> tuple[Day, int] | None:
    exact = dated(number, month, today)
    return (_single(exact), after) if exact else None


def _numbered(t: Tokens, i: int, today: date) -> tuple[Day, int] | None:
    """"24th", "24 November", "3 de diciembre"."""
    found = ordinal_at(t, i)
    if found is not None:
        number, after = found
        if nth := _nth_of_month(number, t, after, today):
            return nth
        month = after + 1 if t[after : after + 1] in (["of"], ["de"]) else after
        if month < len(t) and t[month] in MONTHS and t[month] != "may":
            return _dated_day(number, MONTHS[t[month]], today, month + 1)
        if t[i] in ORDINALS and not (t[i] in ("twentieth", "thirtieth") or number > 10):
            return None
        if after < len(t) and (t[after] in _PLACES or t[after] in ("thing", "quarter", "half", "floor")):
            return None
        return _monthday(number, today, after)
    if t[i].isdecimal() and len(t[i]) <= 2 and 0 < int(t[i]) <= 31 and i + 1 < len(t):
        month = i + 2 if t[i + 1] in ("de", "of") and i + 2 < len(t) else i + 1
        if t[month] in MONTHS and (t[month] != "may" or month == i + 2):
            return _dated_day(int(t[i]), MONTHS[t[month]], today, month + 1)
    return None


def _month_first(t: Tokens, i: int, today: date) -> tuple[Day, int] | None:
    """"November 24", "Dec 3rd"; "December" alone is the whole month."""
    month = MONTHS[t[i]]
    j = i + 2 if t[i + 1 : i + 2] == ["the"] else i + 1
    found = ordinal_at(t, j)
    if found is not None:
        return _dated_day(found[0], month, today, found[1])
    if j < len(t) and t[j].isdecimal() and len(t[j]) <= 2 and 0 < int(t[j]) <= 31:
        if j + 1 < len(t) and t[j + 1] in _CLOCKED:
            return None
        return _dated_day(int(t[j]), month, today, j + 1)
    if t[i] in ("may", "march", "mar", "dec", "nov", "oct", "jan", "feb", "jun", "jul", "aug", "sep", "apr", "sept", "marzo"):
        return None
    if i and t[i - 1] not in ("in", "en", "of", "till", "until", "by", "next", "this", "before", "after", "early", "late"):
        return None
    first = dated(1, month, today.replace(day=1))
    assert first is not None
    return Day(max(first, today), first.replace(day=monthrange(first.year, first.month)[1])), i + 1


def _weekday(t: Tokens, i: int, today: date, later: int = 0, exact: bool = False) -> tuple[Day, int] | None:
    """"Tuesday", "Tuesday the 24th", "Tuesday week", "Tuesday next week", "el martes que viene"."""
    index, after = WEEKDAYS[t[i]], i + 1
    if t[i] in _DOUBTFUL and not exact and not _surely_weekday(t, i):
        return None
    day = today + timedelta((index - today.weekday()) % 7)
    if stop := _words(t, after, "after next"):
        return _single(_next(index, today) + timedelta(7)), stop
    if stop := _words(t, after, "week", "of next week", "next week", "in next week"):
        if t[after] == "week":
            return _single(day + timedelta(7)), stop
        return _single(_monday(today) + timedelta(7 + index)), stop
    if stop := _words(t, after, "of this week", "this week", "de esta semana"):
        return _single(_monday(today) + timedelta(index)), stop
    if stop := _words(t, after, "que viene", "proximo"):
        return _single(_next(index, today)), stop
    if later or exact:
        return _single(day + timedelta(later)), after
    if after < len(t) and t[after].isdecimal() and len(t[after]) <= 2 and 0 < int(t[after]) <= 31:
        written = t[i] in _SHORT and t[after + 1 : after + 2] == [","]  # "Fri 2, 3 PM"; "Friday 2" is an hour
        if (int(t[after]) > 12 or written) and not (after + 1 < len(t) and t[after + 1] in _CLOCKED):
            number = int(t[after])
            near = dated(number, None, today, index)
            return Day(near or day, near or day, index, number, True), after + 1
    return Day(day, day, weekday=index, loose=True), after


def _surely_weekday(t: Tokens, i: int) -> bool:
    after = t[i + 1] if i + 1 < len(t) else ""
    before = t[i - 1] if i else ""
    return (
        before in ("on", "or", "and", "this", "next", "by", "until", "before", "after", ",", "coming")
        or after in MONTHS
        or after[:1].isdecimal()
        or after in ("at", "the", "morning", "afternoon", "evening", ",", "or")
        or len(t) <= 2
    )


def _nth_of_month(number: int, t: Tokens, i: int, today: date) -> tuple[Day, int] | None:
    """"(the first) Monday of next month", "(the last) Friday in April": ``number`` is which of them, -1 the last. Without
    a month's name that of today, or the next one when it is over."""
    if not (i + 2 < len(t) and t[i] in WEEKDAYS and t[i + 1] in ("of", "in")):
        return None
    j = i + 3 if t[i + 2] in ("the", "this", "next") else i + 2
    if j < len(t) and t[j] in MONTHS:
        months = [first] if (first := dated(1, MONTHS[t[j]], today.replace(day=1))) else []
    elif t[j : j + 1] == ["month"]:
        begin = today.replace(day=1)
        months = [_after_month(begin)] if t[i + 2] == "next" else [begin, _after_month(begin)]
    else:
        return None
    days = (_weekday_in(month, WEEKDAYS[t[i]], number) for month in months)
    return next(((_single(day), j + 1) for day in days if day is not None and day >= today), None)


def _after_month(first: date) -> date:
    return first + timedelta(monthrange(first.year, first.month)[1])


def _weekday_in(first: date, weekday: int, number: int) -> date | None:
    """The ``number``-th such weekday of the month that begins at ``first``, -1 the last; None when it has fewer."""
    length = monthrange(first.year, first.month)[1]
    days = [first + timedelta(n) for n in range(length) if (first + timedelta(n)).weekday() == weekday]
    return days[-1] if number < 0 else days[number - 1] if number <= len(days) else None


def _monday(today: date) -> date:
    return today - timedelta(today.weekday())


def _next(index: int, today: date) -> date:
    """"next Tuesday" lies in the coming week, not in this one."""
    day = today + timedelta((index - today.weekday()) % 7)
    return day + timedelta(7) if day < _monday(today) + timedelta(7) else day


def _this_or_next(t: Tokens, i: int, today: date) -> tuple[Day, int] | None:
    """What "this", "next", "coming", "last" or "próximo" make of the word after them."""
    which, j = t[i], i + 1
    while j < len(t) and t[j] in ("coming", "following", "past", "immediate"):
        j += 1
    if j >= len(t):
        return None
    at, monday = t[j], _monday(today)
    if at in WEEKDAYS:
        if which == "last":
            if nth := _nth_of_month(-1, t, j, today):
                return nth
            return _single(today - timedelta((today.weekday() - WEEKDAYS[at] - 1) % 7 + 1)), j + 1
        if which in ("next", "proximo", "proxima"):
            return _single(_next(WEEKDAYS[at], today)), j + 1
        return _weekday(t, j, today, exact=True)
    if at in ("morning", "afternoon", "evening", "noche", "tarde", "manana") and which in ("this", "esta"):
        return _single(today), j
    if at in ("week", "semana", "weeks"):
        return _week(which, today, j + 1)
    if at == "weekend":
        ahead = 7 if which == "next" else 0
        return Day(monday + timedelta(5 + ahead), monday + timedelta(6 + ahead)), j + 1
    if at in ("month", "mes"):
        return _month(which, today, j + 1)
    if at == "few" and t[j + 1 : j + 2] == ["days"]:
        return Day(today, today + timedelta(4)), j + 2
    return None


def _week(which: str, today: date, after: int) -> tuple[Day, int] | None:
    monday = _monday(today)
    if which in ("next", "proxima", "coming"):
        return Day(monday + timedelta(7), monday + timedelta(13)), after
    if which in ("this", "esta"):
        return Day(today, monday + timedelta(6)), after
    return None


def _weekend(t: Tokens, i: int, today: date) -> tuple[Day, int] | None:
    saturday = _monday(today) + timedelta(5)
    return Day(saturday, saturday + _ONE), i + 1


def _month(which: str, today: date, after: int) -> tuple[Day, int] | None:
    end = today.replace(day=monthrange(today.year, today.month)[1])
    if which in ("this", "este"):
        return Day(today, end), after
    if which in ("next", "proximo"):
        first = end + _ONE
        return Day(first, first.replace(day=monthrange(first.year, first.month)[1])), after
    return None


def _part_of_span(t: Tokens, i: int, today: date) -> tuple[Day, int] | None:
    """"end of the week", "early next week", "later this week", "the last day of the month", "middle of next week"."""
    which, j = t[i], i + 1
    if which == "last":
        if t[j : j + 3] != ["day", "of", "the"]:
            return _this_or_next(t, i, today)
        j += 1
    if j < len(t) and t[j] == "of":
        j += 1
    if j < len(t) and t[j] == "the":
        j += 1
    if j >= len(t):
        return None
    span = _this_or_next(t, j, today) if t[j] in ("this", "next") else None
    if span is None and t[j] in ("week", "month"):
        span = _week("this", today, j + 1) if t[j] == "week" else _month("this", today, j + 1)
    if span is None or span[0].first == span[0].last:
        return span
    (first, last, *_), after = span
    if which == "last":
        return _single(last), after
    if last - first > timedelta(7) or (last.day == monthrange(last.year, last.month)[1] and last.weekday() != 6):
        parts = {"early": (0, 9), "beginning": (0, 6), "start": (0, 6), "middle": (10, 19), "mid": (10, 19)}
        low, high = parts.get(which, (-6, 0))
        begin = last.replace(day=1) if low >= 0 else last
        return Day(max(today, begin + timedelta(low)), begin + timedelta(high)), after
    sunday = last
    ranges = {"early": (-6, -5), "beginning": (-6, -5), "start": (-6, -5), "middle": (-4, -4), "mid": (-5, -3), "later": (-4, -2), "late": (-3, -2)}
    low, high = ranges.get(which, (-3, -2))
    if which == "later" and first == today:
        return Day(today + _ONE, max(sunday, today + _ONE)), after
    return Day(max(today, sunday + timedelta(low)), max(today, sunday + timedelta(high))), after


def weeks_on(t: Tokens, i: int, today: date) -> tuple[Day, int] | None:
    """"a week from Tuesday", "a week on Tuesday", "a week today", "the week after next", "two weeks from tomorrow", "three
    days after Monday"."""
    if t[i] == "week":
        after = _words(t, i, "week after next")
        monday = _monday(today)
        return (Day(monday + timedelta(14), monday + timedelta(20)), after) if after else None
    if t[i] == "a" and t[i + 1 : i + 2] == ["fortnight"]:
        count, j = 2.0, i + 2
    elif t[i] in ("a", "one") and t[i + 1 : i + 2] == ["week"]:
        count, j = 1.0, i + 2
    else:
        found = quantity(t, i)
        if found is None or t[found[1] : found[1] + 1] not in (["weeks"], ["days"]):
            return None
        count, j = found[0] / (1 if t[found[1]] == "weeks" else 7), found[1] + 1
        if t[j - 1] == "days" and t[j : j + 1] not in (["from"], ["after"]):
            return None
    if j < len(t) and t[j] in ("from", "on", "after"):
        j += 1
    if j >= len(t) or not (t[j] in WEEKDAYS or t[j] in ("today", "tomorrow", "now")):
        return None
    base = (_single(today), j + 1) if t[j] == "now" else day_at(t, j, today)
    if base is None or count > 52:
        return None
    return _single(base[0].first + timedelta(round(7 * count))), base[1]


def _spanish_the(t: Tokens, i: int, today: date) -> tuple[Day, int] | None:
    """"el martes", "el próximo martes", "el 3 de diciembre", "el día 3"."""
    j = i + 2 if t[i + 1 : i + 2] == ["dia"] else i + 1
    if j >= len(t):
        return None
    if t[j] in WEEKDAYS and t[j] not in _SHORT:
        return _weekday(t, j, today)
    if t[j] in ("proximo", "proxima"):
        return _this_or_next(t, j, today)
    number = int(t[j]) if t[j].isdecimal() and len(t[j]) <= 2 else SPANISH.get(t[j], 0)
    if not 0 < number <= 31:
        return None
    if t[j + 1 : j + 2] == ["de"] and j + 2 < len(t) and t[j + 2] in MONTHS:
        return _dated_day(number, MONTHS[t[j + 2]], today, j + 3)
    return _monthday(number, today, j + 1) if j == i + 2 else None


def opened(day: Day, edge: str, today: date) -> Day:
    """``day`` as the edge of an open span: "after Wednesday", "before Friday" (or "by Friday", its day included)."""
    if edge == "after":
        return Day(day.last + _ONE, day.last + _LONG)
    if edge == "from":
        return Day(day.first, day.first + _LONG)
    return Day(min(today, day.first), day.first if edge == "by" else max(today, day.first - _ONE))


FIRST_WORDS = {
    "today": _today, "tonight": _today, "hoy": _today, "tomorrow": _tomorrow, "manana": _tomorrow, "yesterday": _yesterday, "ayer": _yesterday,
    "day": _overmorrow, "pasado": _overmorrow, "the": _the, "this": _this_or_next, "next": _this_or_next, "coming": _this_or_next,
    "esta": _this_or_next, "este": _this_or_next, "proximo": _this_or_next, "proxima": _this_or_next, "last": _part_of_span,
    "end": _part_of_span, "early": _part_of_span, "late": _part_of_span, "later": _part_of_span, "mid": _part_of_span,
    "middle": _part_of_span, "beginning": _part_of_span, "start": _part_of_span, "weekend": _weekend, "week": weeks_on,
    "a": weeks_on, "el": _spanish_the,
}  # fmt: skip
