"""Times of day as people say them, found among tokens: "half three", "quarter to four", "10:30 am", "las tres y media"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ...tokens import bag
from ..numbers import SPANISH, quantity
from .said import Clock, Edge, Part

Tokens = Sequence[str]

_HOUR_WORDS = "one two three four five six seven eight nine ten eleven twelve"
HOURS = {word: n for n, word in enumerate(_HOUR_WORDS.split(), 1)}
_LATE_HOURS = {word: n for n, word in enumerate(["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"], 13)}
_MINUTES = {"five": 5, "ten": 10, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50}
_HALVES = ("am", "pm")
NOUNS = bag(
    "minute minutes min mins hour hours second seconds day days week weeks month months year years people person persons users user seats "
    "dollars dollar bucks euros euro pounds cents percent % $ grand hundred thousand million dozen point points of times time more other others "
    "vans van sites site warehouses warehouse locations stores shops employees staff colleagues guys folks men women kids meetings demos calls"
)  # fmt: skip
"""What counts, where a number is followed by it: then it is no time of day."""
_FOLLOWS = bag(
    ", . ? ! ; : - in on tomorrow today tonight or and to till until works work worked is would will please sharp then that if for your my our "
    "eastern central mountain pacific et est edt pt pst pdt ct cst cdt mt mst mdt gmt utc the next this good great fine sounds suits but so because "
    "i we it you with at am pm oclock ish manana instead thanks onwards onward latest earliest local monday tuesday wednesday thursday friday saturday sunday"
)  # fmt: skip
_LOOSE_PREFIXES = bag("around about by after before than from until till say past towards like roughly approximately near")  # fmt: skip
_AFTER = frozenset(["after", "from", "past", "onwards"])
_BEFORE = frozenset(["before", "until", "till", "by"])
_DENIES = frozenset(["not", "no", "never", "nothing", "cannot", "nada"])
_OF_DENIAL = bag("be do make it that anything something any available free there start get in talk meet possible able to can work really here")
"""What may stand between a denial and the edge that it denies."""
_AFTER_MINUTES = bag(", . ? ! ; : then and or so but please if when today call ring try that")
"""What may follow "half past" where the hour is left out."""
_REACH = 6
_ABOUT = frozenset(["around", "about", "roughly", "approximately", "like", "near", "towards"])
_AT_LUNCH = frozenset(["around", "about", "at", "over", "during", "near"])
_OF_TALK = bag("how what calling call asked asking talk question think thinking")
"""Before "about": it names what is spoken of, no rough time."""
_PARTS: dict[str, Part] = {
    "morning": "morning", "mornings": "morning", "afternoon": "afternoon", "afternoons": "afternoon", "evening": "evening", "evenings": "evening",
    "tarde": "afternoon", "noche": "evening", "lunchtime": "afternoon", "night": "evening",
}  # fmt: skip


class Found(NamedTuple):
    clock: Clock
    stop: int
    end: Clock | None = None
    about: bool = False
    part: Part = ""


def hour_of(token: str) -> int | None:
    """The hour that a token names by itself: "ten", "15"; None for any other."""
    if token in HOURS:
        return HOURS[token]
    return int(token) if token.isdecimal() and len(token) <= 2 and int(token) < 24 else None


def _minute_at(t: Tokens, i: int) -> tuple[int, int] | None:
    """Minutes after an hour word: "thirty", "forty five", "oh five", "05"."""
    if i >= len(t):
        return None
    at = t[i]
    if at in ("oh", "o") and i + 1 < len(t) and 0 < HOURS.get(t[i + 1], 0) < 10:
        return HOURS[t[i + 1]], i + 2
    if at.isdecimal() and len(at) == 2 and int(at) < 60:
        return int(at), i + 1
    if at in _MINUTES and at != "five":
        if _MINUTES[at] >= 20 and i + 1 < len(t) and 0 < HOURS.get(t[i + 1], 0) < 10:
            return _MINUTES[at] + HOURS[t[i + 1]], i + 2
        return _MINUTES[at], i + 1
    return (11 + _TEENS.index(at), i + 1) if at in _TEENS else None


_TEENS = ("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")


def _seconds_at(t: Tokens, i: int) -> tuple[int | None, int]:
    at = i + 1 if i < len(t) and t[i] == "and" else i
    found = quantity(t, at) if at < len(t) else None
    if found and found[1] < len(t) and t[found[1]] in ("second", "seconds") and found[0] < 60:
        return int(found[0]), found[1] + 1
    return None, i


def clock_at(t: Tokens, i: int, beside: bool = False) -> Found | None:
    """The time of day that begins at ``t[i]``, or a range of two ("between two and four", "2 to 4 pm"). A bare hour
    counts only after "at" and its like, in a range, or ``beside`` a day."""
    before = t[i - 1] if i else ""
    ranged = before in ("between", "entre", "from", "desde")
    start = _one(t, i, beside or ranged)
    bare = start is None and hour_of(t[i]) is not None
    if bare:
        start = _one(t, i, True)
    if start is None:
        return None
    second = _one(t, start.stop + 1, True) if t[start.stop : start.stop + 1] and _joins(t, start.stop, before) else None
    if second is None:
        counted = ranged and start.stop + 1 < len(t) and _joins(t, start.stop, before) and quantity(t, start.stop + 1)
        return None if bare or counted else start
    if second.stop < len(t) and t[second.stop] in NOUNS:
        return None if bare or (ranged and start.stop == i + 1) else start
    if bare and not (second.clock.half or second.part):
        return None
    return _ranged(start.clock, second)


def _joins(t: Tokens, j: int, before: str) -> bool:
    """Whether ``t[j]`` joins the two ends of a range that begins after the word ``before``."""
    if t[j] in ("and", "y"):
        return before in ("between", "entre")
    if t[j] == "a":
        return before in ("de", "desde") or t[j + 1 : j + 2] in (["las"], ["la"])
    return t[j] in ("to", "till", "until", "through", "-", "hasta")


def _ranged(clock: Clock, second: Found) -> Found:
    if second.clock.half and not clock.half and clock.hour <= 12:
        same = replace(clock, half=second.clock.half)
        clock = same if same.likely() < second.clock.likely() else clock
    return Found(clock, second.stop, end=second.clock, part=second.part)


def _one(t: Tokens, i: int, beside: bool) -> Found | None:
    if i >= len(t):
        return None
    at = t[i]
    if ":" in at and len(at) > 1:
        return _digital(t, i)
    if at in ("noon", "midday", "mediodia", "lunchtime"):
        about = t[i + 1 : i + 2] == ["ish"]
        return Found(Clock(12, half="pm"), i + 1 + about, about=about or at == "lunchtime")
    if at == "lunch" and i and t[i - 1] in _AT_LUNCH:
        return Found(Clock(12, half="pm"), i + 1, about=True)
    if at in ("midnight", "medianoche"):
        return Found(Clock(0), i + 1)
    if at in ("las", "la") and i + 1 < len(t):
        return _spanish(t, i + 1)
    if at in ("quarter", "half") or at in _MINUTES:
        found = _relative(t, i)
        if found is not None:
            return found
    if at in _LATE_HOURS and (beside or (i and t[i - 1] == "at")) and (late := _late(t, i)) is not None:
        return late
    hour = hour_of(at)
    if hour is None or (at.isdecimal() and len(at) == 2 and at[0] == "0" and not beside):
        return None
    return _from_hour(t, i, hour, beside)


def _late(t: Tokens, i: int) -> Found | None:
    """"sixteen thirty", "fifteen hundred": the clock of 24 hours, spoken."""
    if t[i + 1 : i + 2] == ["hundred"]:
        return _closed(t, i + 3 if t[i + 2 : i + 3] == ["hours"] else i + 2, Clock(_LATE_HOURS[t[i]]))
    minute = _minute_at(t, i + 1)
    return _closed(t, minute[1], Clock(_LATE_HOURS[t[i]], minute[0])) if minute else None


def _digital(t: Tokens, i: int) -> Found | None:
    parts = t[i].split(":")
    hour, minute = int(parts[0]), int(parts[1])
    if hour > 23 or minute > 59:
        return None
    second = int(parts[2]) if len(parts) == 3 and int(parts[2]) < 60 else None
    return _closed(t, i + 1, Clock(hour, minute, second))


def _relative(t: Tokens, i: int) -> Found | None:
    """"quarter past ten", "ten to four", "half three", "twenty five past two"."""
    at, j = t[i], i + 1
    if at == "half":
        minutes = 30
    elif at == "quarter":
        minutes = 15
    else:
        minutes = _MINUTES[at]
        if minutes == 20 and t[j : j + 1] == ["five"]:
            minutes, j = 25, j + 1
        if t[j : j + 1] in (["minutes"], ["minute"]):
            j += 1
    if j + 1 >= len(t):
        return None if at != "half" or j >= len(t) else _half(t, j)
    joint, hour = t[j], hour_of(t[j + 1])
    if at == "half" and joint not in ("past", "after"):
        return _half(t, j)
    if hour is None or hour > 12 or hour == 0 or (at not in ("quarter", "half") and i and t[i - 1] == "from"):
        return None
    if j + 2 < len(t) and t[j + 2] in NOUNS:
        return None
    if joint == "past" or (joint == "after" and t[i - 1 : i] != ["at"]):
        return _closed(t, j + 2, Clock(hour, minutes))
    if joint in ("to", "till", "before") or (joint == "of" and at == "quarter"):
        return _closed(t, j + 2, Clock((hour - 1) % 12 or 12, 60 - minutes))
    return None


def minutes_alone(t: Tokens, i: int) -> tuple[int, int] | None:
    """The minute of the hour that is named at ``t[i]`` without its hour, and the index after it: "at half past", "until a
    quarter to", "at twenty past", "the top of the hour"."""
    if t[i] == "top":
        return (0, i + 4) if t[i + 1 : i + 4] == ["of", "the", "hour"] else None
    minutes = {"half": 30, "quarter": 15}.get(t[i]) or _MINUTES.get(t[i])
    joint, after = t[i + 1 : i + 2], t[i + 2 : i + 3]
    before = t[i - 2 : i - 1] if t[i - 1 : i] in (["a"], ["the"]) else t[i - 1 : i]
    if not before or before[0] not in _LOOSE_PREFIXES | {"at"}:
        return None
    if minutes is None or joint not in (["past"], ["to"]) or (after and after[0] not in _AFTER_MINUTES):
        return None
    if joint == ["to"] and t[i] != "quarter":
        return None  # "ten to two" is read with its hour; "half to" is nothing
    return (minutes if joint == ["past"] else 60 - minutes), i + 2


def _half(t: Tokens, j: int) -> Found | None:
    hour = hour_of(t[j])
    if hour is None or not 0 < hour <= 12 or (j + 1 < len(t) and t[j + 1] in NOUNS):
        return None
    return _closed(t, j + 1, Clock(hour, 30))


def _from_hour(t: Tokens, i: int, hour: int, beside: bool) -> Found | None:
    """What begins with an hour: "ten thirty", "ten am", "ten oclock", "ten in the morning", "at ten"."""
    if i and t[i - 1] in ("$", "€", "£", "#"):
        return None
    after = i + 1
    nxt = t[after] if after < len(t) else ""
    if nxt in _HALVES or nxt == "oclock" or nxt == "sharp" or nxt == "ish":
        return _closed(t, after, Clock(hour))
    minute = _minute_at(t, after)
    if minute is not None and not (minute[1] < len(t) and t[minute[1]] in NOUNS) and hour <= 23:
        whole = quantity(t, i)
        if t[i].isalpha() or t[after].isdecimal() or (whole is not None and whole[1] == after):
            return _closed(t, minute[1], Clock(hour, minute[0]))
    if nxt in NOUNS and not _units_of_seconds(t, after):
        return None
    if _day_part(t, after)[0]:
        return _closed(t, after, Clock(hour))
    whole = quantity(t, i)
    if whole is not None and whole[1] > after:
        return None
    prefix = t[i - 1] if i else ""
    strict = prefix == "at" or (prefix == "it" and t[i - 2 : i - 1] == ["make"])
    if strict or beside or (prefix in _LOOSE_PREFIXES and (not nxt or nxt in _FOLLOWS)):
        return _closed(t, after, Clock(hour))
    return None


def _units_of_seconds(t: Tokens, i: int) -> bool:
    return _seconds_at(t, i)[0] is not None


def _closed(t: Tokens, j: int, clock: Clock) -> Found:
    """``clock`` with what closes it: seconds, "oclock", "am", "sharp", "ish", "in the afternoon"."""
    about = False
    part: Part = ""
    while j < len(t):
        at = t[j]
        if at in _HALVES:
            clock, j = replace(clock, half=at), j + 1
        elif at in ("oclock", "sharp", "exactly", "precisely"):
            j += 1
        elif at == "ish":
            about, j = True, j + 1
        else:
            second, after = _seconds_at(t, j)
            if second is None or clock.second is not None:
                break
            clock, j = replace(clock, second=second), after
    named, after = _day_part(t, j)
    if named:
        part, j = named, after
    return Found(clock, j, about=about, part=part)


def _day_part(t: Tokens, j: int) -> tuple[Part, int]:
    """"in the morning", "at night", "de la tarde" after a time of day."""
    if j + 2 < len(t) and t[j] in ("in", "de", "por", "en") and t[j + 1] in ("the", "la"):
        if t[j + 2] in _PARTS:
            return _PARTS[t[j + 2]], j + 3
        if t[j + 2] == "manana":
            return "morning", j + 3
    if j + 1 < len(t) and t[j] == "at" and t[j + 1] == "night":
        return "evening", j + 2
    return "", j


def _spanish(t: Tokens, i: int) -> Found | None:
    """After "las": "tres y media", "cuatro menos cuarto", "diez y veinte"; digits as well."""
    hour = SPANISH.get(t[i]) or hour_of(t[i])
    if ":" in t[i]:
        return _digital(t, i)
    if not hour or hour > 23:
        return None
    j, minute = i + 1, 0
    if j + 1 < len(t) and t[j] in ("y", "menos"):
        step = {"media": 30, "cuarto": 15}.get(t[j + 1])
        after = j + 2
        if step is None and (found := quantity(t, j + 1)) is not None:
            step, after = int(found[0]), found[1]
        if step is not None and 0 < step < 60:
            minute = step
            if t[j] == "menos":
                hour, minute = (hour - 1) % 12 or 12, 60 - step
            j = after
    return _closed(t, j, Clock(hour, minute))


def part_at(t: Tokens, i: int) -> tuple[Part, int] | None:
    """The part of the day that begins at ``t[i]``: "morning", "after lunch", "por la tarde", "end of the day"."""
    at = t[i]
    if at in _PARTS and at != "lunchtime" and not (at == "night" and t[i - 1 : i] in (["last"], ["per"], ["the"])):
        return _PARTS[at], i + 1
    if at in ("por", "en", "de") and t[i + 1 : i + 3] == ["la", "manana"]:
        return "morning", i + 3
    if at in ("after", "following") and t[i + 1 : i + 2] == ["lunch"]:
        return "afternoon", i + 2
    if at == "before" and t[i + 1 : i + 2] == ["lunch"]:
        return "morning", i + 2
    if at == "after" and t[i + 1 : i + 2] == ["work"]:
        return "evening", i + 2
    if at == "first" and t[i + 1 : i + 2] == ["thing"]:
        return "morning", i + 2
    if at == "end" and (t[i + 1 : i + 4] == ["of", "the", "day"] or t[i + 1 : i + 3] == ["of", "day"]):
        return "afternoon", i + (4 if t[i + 2] == "the" else 3)
    return None


def edge_before(t: Tokens, i: int) -> tuple[Edge, bool, int]:
    """What stands before a time at ``t[i]``: whether it is the edge of an open span, whether it is meant roughly, and
    where those words begin."""
    if not i:
        return "", False, i
    at = t[i - 1]
    if at == "the" and i > 1:
        return edge_before(t, i - 1)
    if at == "at" and i > 1 and t[i - 2] in _ABOUT:
        return "", True, i - 2
    if at == "than" and i > 1 and t[i - 2] in ("later", "earlier", "sooner"):
        edge: Edge = "after" if t[i - 2] == "later" else "before"
        return _turned(t, i - 2, edge)
    if at in _AFTER:
        return _turned(t, i - 1, "after")
    if at in _BEFORE:
        return _turned(t, i - 1, "before")
    if at in _ABOUT and not (at == "about" and i > 1 and t[i - 2] in _OF_TALK):
        return "", True, i - 1
    return "", False, i


def _turned(t: Tokens, i: int, edge: Edge) -> tuple[Edge, bool, int]:
    """"not before eleven" and "I can't make anything before eleven" is eleven or after."""
    at = denial_before(t, i)
    return (edge, False, i) if at is None else ("before" if edge == "after" else "after", False, at)


def denial_before(t: Tokens, i: int) -> int | None:
    """Where the word stands that denies an edge at ``t[i]`` ("nothing before eleven", "I am not free until ten"); None
    when nothing denies it."""
    for k in range(i - 1, max(i - _REACH, 0) - 1, -1):
        if t[k] in _DENIES:
            return k
        if t[k] not in _OF_DENIAL:
            return None
    return None


def edge_after(t: Tokens, j: int) -> tuple[Edge, int]:
    """"ten or later", "ten onwards", "ten at the latest"."""
    rest = list(t[j : j + 3])
    if rest[:2] in (["or", "later"], ["or", "after"], ["and", "later"]):
        return "after", j + 2
    if rest[:2] in (["or", "earlier"], ["or", "before"], ["or", "sooner"]):
        return "before", j + 2
    if rest[:1] in (["onwards"], ["onward"]):
        return "after", j + 1
    if rest == ["at", "the", "latest"]:
        return "before", j + 3
    return ("after", j + 3) if rest == ["at", "the", "earliest"] else ("", j)
