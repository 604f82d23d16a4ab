"""Times that somebody names, resolved by code: which offered slot, which window, which moment.

Pure: text, the lead's zone (IANA) and the instant go in; instants come out in UTC. English and Spanish, spoken or
typed: "the second one", "tomorrow at ten", "half past three", "Tuesday the 24th in the morning", "in twenty minutes",
"pasado mañana a las diez". How a day is meant:

* "Tuesday" and "this Tuesday" is the coming one, today included; "next Tuesday" lies in the coming week, not in this one;
* "the 31st" is the next month's that has one;
* a wall-clock time that a clock change leaves out moves on by the hour that is left out, one that comes twice is its
  first pass, unless that is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ...tokens import bag, tokens
from .choice import asks_earliest, bare_hour, choose, fits, refused
from .said import ELSEWHERE, Clock, Mention, Part, Said, span
from .scan import maybe_a_number, mentions, names_any
from .steps import step
from .whereabouts import is_stay, label, whereabouts
from .zones import same_clock

__all__ = [
    "ELSEWHERE", "Clock", "Mention", "Part", "Said", "asks_earliest", "bare_hour", "choose", "fits", "label", "maybe_a_number", "mentions", "mentions_time", "moment", "names_any",
    "read", "refused", "same_clock", "span", "step", "wanted", "whereabouts", "window",
]  # fmt: skip

_NIGHT = 21
"""From this hour on nobody means the evening who leaves it open: "at ten", said at eleven, is tomorrow."""
_FIRST_HOURS = {"morning": time(9), "afternoon": time(14), "evening": time(18), "": time(10)}
"""The hour that a day, or a part of one, means when none was named."""


def read(text: str, zone: str, now: datetime, anchor: datetime | None = None) -> Said:
    """What ``text``, said at ``now`` to somebody in ``zone``, names of a time; an empty Said when nothing. Of several
    times it is the first, with what the later ones add to it. ``anchor``: the time spoken of before, for "same time",
    "the day after", "an hour later"."""
    t = tokens(text)
    return _together([mention.said for mention in _meant(t, mentions(t, zone, now, anchor))])


def wanted(text: str, zone: str, now: datetime) -> Said:
    """What :func:`read` finds, without the times that the words refuse, and without how long they are somewhere."""
    t = tokens(text)
    left_out = {mention.start for mention in refused(text, zone, now)}
    found = [
        mention
        for mention in mentions(t, zone, now, None)
        if mention.start not in left_out and not is_stay(" ".join(t[: mention.start]))
    ]
    return _together([mention.said for mention in _meant(t, found)])


def _together(found: list[Said]) -> Said:
    if not found:
        return Said()
    said = found[0]
    for other in found[1:]:
        said = _completed(said, other)
    return said


_CORRECTING = bag("no sorry actually mean meant rather instead wait make")


def _meant(t: Sequence[str], found: list[Mention]) -> list[Mention]:
    """The times that stand: not one that is denied beside another ("not Monday, Tuesday"), nor one that is taken back for
    the next ("Thursday, no sorry, Friday")."""
    left = []
    for n, mention in enumerate(found):
        denied = mention.start and t[mention.start - 1] == "not"
        until = found[n + 1].start if n + 1 < len(found) else len(t)
        if n + 1 < len(found) and (denied or not _CORRECTING.isdisjoint(t[mention.stop : until])):
            continue
        left.append(mention)
    return left or found


def _completed(said: Said, other: Said) -> Said:
    """``said`` with what only ``other`` names: its day, or its time of day."""
    day, clocked = (said, other) if said.first or said.delay else (other, said)
    if day.delay is not None or day.first is None:
        return said
    if clocked.first is not None and clocked is other and (other.clock is None or said.clock is not None):
        return said
    source = clocked if clocked.clock and not (clocked is other and (said.clock or said.part or other.first)) else day
    if source is day and not day.clock and not said.clock and other.clock and other.first is None:
        source = other
    half = said.part or other.part
    return Said(
        day.first, day.last, source.clock, source.edge, source.part or half, None, source.end, source.about, day.weekday, day.monthday,
        day.loose, source.zone, source.abbreviation, None,
    )  # fmt: skip


def window(said: Said, zone: str, now: datetime) -> tuple[datetime | None, datetime | None, Part]:
    """The span in which slots are wanted, (not_before, not_after, part of day), in UTC; None: unbounded."""
    local = ZoneInfo(said.zone if said.zone and said.zone != ELSEWHERE else zone)
    if said.delay is not None:
        return now + said.delay, None, ""
    if said.first is None:
        return _any_day(said, zone, now)
    start = datetime.combine(said.first, time(0), local)
    end = datetime.combine((said.last or said.first) + timedelta(1), time(0), local)
    if said.clock and said.first == (said.last or said.first):
        at = datetime.combine(said.first, said.clock.likely(), local)
        if ends := span(said):
            start, end = (datetime.combine(said.first, edge, local) for edge in ends)
        elif said.edge == "after":
            start = at
        elif said.edge == "before":
            end = at
        else:
            start, end = _earlier(at, 1), _earlier(at, -2)
    elif said.clock and not said.part and not said.end:
        hour = said.clock.likely().hour
        return max(start.astimezone(UTC), now), end.astimezone(UTC), "morning" if hour < 12 else "afternoon" if hour < 17 else "evening"
    return max(start.astimezone(UTC), now), end.astimezone(UTC), said.part


def _earlier(at: datetime, hours: int) -> datetime:
    return at.astimezone(UTC) - timedelta(hours=hours)


def _any_day(said: Said, zone: str, now: datetime) -> tuple[datetime | None, datetime | None, Part]:
    if said.clock is None:
        return None, None, said.part
    if said.edge == "after" or said.end:
        return None, None, "afternoon" if said.clock.likely().hour >= 12 else "morning" if said.end else ""
    local = ZoneInfo(said.zone if said.zone and said.zone != ELSEWHERE else zone)
    at = _at(datetime.combine(now.astimezone(local).date(), said.clock.likely()), local, now)
    if at <= now:
        at = _at(datetime.combine(now.astimezone(local).date() + timedelta(1), said.clock.likely()), local, now)
    if said.edge == "before":
        return None, None if said.clock.likely() <= time(12) else at, "morning" if said.clock.likely() <= time(12) else ""
    return at - timedelta(hours=1), at + timedelta(hours=2), ""


def moment(said: Said, zone: str, now: datetime) -> datetime | None:
    """The one instant (UTC) at which to ring again; None when nothing definite was named. A part of the day means
    its first reasonable hour, a bare day ten in the morning."""
    if said.delay is not None:
        return now + said.delay
    if said.empty or (said.shift is not None and said.first is None and said.clock is None):
        return None
    if not said.loose and said.first is not None and said.first == said.last and not _exists(said, said.first):
        return None
    local = ZoneInfo(said.zone if said.zone and said.zone != ELSEWHERE else zone)
    today = now.astimezone(local).date()
    at = said.clock.likely() if said.clock else _FIRST_HOURS[said.part]
    day = said.first or today
    found = _at(datetime.combine(day, at), local, now)
    if found > now:
        return found
    if said.first and said.loose and said.weekday is not None:
        return _at(datetime.combine(day + timedelta(7), at), local, now)  # "Monday", said on a Monday
    if said.first and said.first != today:
        return None
    if said.clock and not said.clock.half and len(said.clock.hours()) == 2 and at.hour < 12:
        later = _at(datetime.combine(day, at.replace(hour=at.hour + 12)), local, now)
        if later > now and at.hour + 12 < _NIGHT:
            return later
    return _at(datetime.combine(day + timedelta(1), at), local, now) if said.first is None else None


def _exists(said: Said, day: date) -> bool:
    """Whether ``day`` is the weekday and number named with it: "Monday the 10th" may be no day at all."""
    return said.weekday in (None, day.weekday()) and said.monthday in (None, day.day)


def _at(wall: datetime, zone: ZoneInfo, now: datetime) -> datetime:
    """The instant (UTC) of a wall-clock time: of the two passes of a repeated hour the first that is not over."""
    first = wall.replace(tzinfo=zone).astimezone(UTC)
    return first if first > now else wall.replace(tzinfo=zone, fold=1).astimezone(UTC)


def mentions_time(text: str) -> bool:
    """Whether ``text`` names a day or a time of day at all."""
    return bool(mentions(tokens(text), "UTC", datetime(2027, 1, 6, 12, tzinfo=UTC)))
