"""When a touch goes out: its day and part of the day, what they told us of their time, and the spread of an opening.

Pure. The calling gate is handed in as ``allowed``: it says for an instant (UTC) when contact is first allowed from then
on. A touch's own wishes are weighed within what it allows, never against it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from . import cadence
from .lead import Lead, Preference
from .playbook import Part, Playbook, Touch
from .rulebook import DAYS
from .rules import Ruling

Allowed = Callable[[datetime], Ruling]
Spans = Callable[[date], Sequence[tuple[str, str]]]
"""The local hours of a day in which a touch may go out, as ``HH:MM``, in order."""

OPENINGS = frozenset({"calling_hours", "holiday", "part_of_day", "preference"})
"""The rules that let many go at the same minute."""
_AHEAD = 16
"""Days that are searched, as by the gate: more than any run of Sundays and holidays."""
_MOST_MOVES = 32
_FRESH = timedelta(hours=12)
"""A night: who came longer ago than this is as stale as anybody else."""


def due(state: Lead, playbook: Playbook, touch: Touch) -> datetime:
    """When ``touch``, the next of this pass, is due: after the last, on its day, and sooner for who looked at times."""
    assert state.pass_began is not None
    at = max(filter(None, (state.pass_began, state.last_touch_at))) + touch.after
    if touch.day:
        zone = ZoneInfo(state.zone)
        day = state.pass_began.astimezone(zone).date() + timedelta(days=touch.day - 1)
        at = max(at, _instant(day, "00:00", zone, at))
    engaged = playbook.cadence.engaged
    if engaged is not None and state.engaged_at is not None and cadence.is_engaged(state):
        at = min(at, state.engaged_at + engaged.after)
    return at


def when(
    state: Lead, playbook: Playbook, touch: Touch, channel: str, due: datetime, now: datetime, allowed: Allowed
) -> Ruling:
    """The first instant from ``due`` and ``now`` on at which the gate and the touch's own wishes allow it; ``rule`` is
    what moved it there, ``at`` None when the gate never allows it."""
    wishes = _wishes(state, playbook, touch, channel, due)
    opened = _first(due, wishes, allowed) if wishes or playbook.cadence.opening_spread else None
    start = due
    if opened is not None and opened.at is not None and opened.at > due and opened.rule in OPENINGS:
        start = opened.at + _own_place(state, playbook, opened)
    at = max(start, state.not_before or start, now)
    if opened is not None and at == due:
        return opened
    found = _first(at, wishes, allowed)
    if found.at is not None and found.at == start and opened is not None and start > due:
        return found.model_copy(update={"rule": opened.rule})
    return found


# ---- days and parts ----------------------------------------------------------------------------------------------


class _Wish:
    """Hours that are waited for, until ``latest`` (None: as long as it takes)."""

    def __init__(self, rule: str, spans: Spans, zone: str, latest: datetime | None = None) -> None:
        self.rule, self.spans, self.zone, self.latest = rule, spans, ZoneInfo(zone), latest

    def span_from(self, at: datetime) -> tuple[datetime, datetime] | None:
        """The first of its hours that is open at ``at`` or later, as (start >= at, end)."""
        today = at.astimezone(self.zone).date()
        for day in (today + timedelta(days=n) for n in range(_AHEAD)):
            for opens, closes in self.spans(day):
                end = _instant(day, closes, self.zone, at)
                if at < end:
                    return max(at, _instant(day, opens, self.zone, at)), end
        return None


def _wishes(state: Lead, playbook: Playbook, touch: Touch, channel: str, due: datetime) -> tuple[_Wish, ...]:
    """What is tried in turn: what they told us of their time, the touch's weekdays with its part of the day, and the
    weekdays alone."""
    made: list[_Wish] = []
    days = touch.days
    on_days = _Wish("weekday", _all_day(days), state.zone)
    if channel == "call" and state.prefers:
        made.append(_Wish("preference", _preferred(state.prefers, playbook), state.zone))
    elif parts := _parts(state, playbook, touch):
        first = on_days.span_from(due)
        latest = (first[0] if first else due) + playbook.cadence.wait_for_part
        made.append(_Wish("part_of_day", _hours(parts, days, playbook), state.zone, latest))
    return (*made, on_days) if days else tuple(made)


ALL_DAY = (("00:00", "24:00"),)


def _parts(state: Lead, playbook: Playbook, touch: Touch) -> tuple[Part, ...]:
    if touch.part == "":
        return ()
    if touch.part != "other":
        return (touch.part,)
    # Who is on the line now has taken it: no alarm is set for a time that the end of the call would change.
    live = state.call.attempt if state.call and state.call.state in ("connected", "ended") else ""
    untaken = [
        call for call in cadence.calls_of(state) if cadence.outcome_of(call) != "talked" and call.attempt != live
    ]
    last = part_of(untaken[-1].at, state.zone, playbook) if untaken else None
    return tuple(part for part in playbook.cadence.parts if part != last) if last else ()


def part_of(at: datetime, zone: str, playbook: Playbook) -> Part | None:
    """The part of the day that ``at`` is in ``zone``."""
    clock = f"{at.astimezone(ZoneInfo(zone)):%H:%M}"
    parts = playbook.cadence.parts.items()
    return next((part for part, hours in parts if hours.opens <= clock < hours.closes), None)


def _hours(parts: Sequence[Part], days: Sequence[str], playbook: Playbook) -> Spans:
    hours = [playbook.cadence.parts[part] for part in parts if part in playbook.cadence.parts]
    spans = sorted((each.opens, each.closes) for each in hours)
    return lambda day: spans if not days or DAYS[day.weekday()] in days else ()


def _preferred(prefers: Preference, playbook: Playbook) -> Spans:
    """The hours that they named, as far as there are any."""
    parts = _hours(prefers.parts, prefers.days, playbook) if prefers.parts else _all_day(prefers.days)
    low, high = prefers.after or "00:00", prefers.before or "24:00"

    def on(day: date) -> Sequence[tuple[str, str]]:
        cut = [(max(opens, low), min(closes, high)) for opens, closes in parts(day)]
        return [(opens, closes) for opens, closes in cut if opens < closes]

    return on


def _all_day(days: Sequence[str]) -> Spans:
    return lambda day: ALL_DAY if not days or DAYS[day.weekday()] in days else ()


def _instant(day: date, clock: str, zone: ZoneInfo, like: datetime) -> datetime:
    hour, _, minute = clock.partition(":")
    if int(hour) == 24:
        day, hour = day + timedelta(days=1), "0"
    return datetime.combine(day, time(int(hour), int(minute)), zone).astimezone(like.tzinfo)


def _first(at: datetime, wishes: Sequence[_Wish], allowed: Allowed) -> Ruling:
    """The first instant from ``at`` on that the gate and the first wish that can be met in time allow."""
    for wish in wishes:
        found = _both(at, wish, allowed)
        if found is not None and found.at is not None and (wish.latest is None or found.at <= wish.latest):
            return found
    return allowed(at)


def _both(at: datetime, wish: _Wish, allowed: Allowed) -> Ruling | None:
    """The first instant that suits both; None when there is none in sight."""
    start, moved = at, ""
    for _ in range(_MOST_MOVES):
        span = wish.span_from(start)
        if span is None:
            return None
        moved = wish.rule if span[0] > start else moved
        ruling = allowed(span[0])
        if ruling.at is None or ruling.until is None:
            return None
        if ruling.at == span[0]:
            return Ruling(at=span[0], until=min(ruling.until, span[1]), rule=moved)
        start, moved = ruling.at, ruling.rule
    return None


# ---- the spread --------------------------------------------------------------------------------------------------


def _own_place(state: Lead, playbook: Playbook, opened: Ruling) -> timedelta:
    """How long after an opening this lead goes: a place of its own, the same whenever it is asked for. Who was never
    called comes before the others, and among them half of the place is how long ago they came, half is chance: so the
    rate never comes to more than twice the mean, whenever they came."""
    assert opened.at is not None
    spread, began = playbook.cadence.opening_spread, state.pass_began or opened.at
    chance = int.from_bytes(hashlib.sha256(state.lead.encode()).digest()[:8]) / 2**64
    age = min((opened.at - began) / _FRESH, 1.0)
    place = 1 + chance if cadence.calls_of(state) else (age + chance) / 2
    room = (opened.until - opened.at) / 2 if opened.until else spread * 2
    return min(spread * place, room)


# ---- whose turn it is --------------------------------------------------------------------------------------------


def urgency(state: Lead, playbook: Playbook, touch: str, now: datetime) -> int:
    """The place of a dial in the queue that the carrier's rate makes, 1 to 5: who has just asked, what was promised or
    broke off, who asked and was never called, the cadence, and those who did not ask."""
    if touch.startswith(("callback", "resumption")):
        return 2
    if playbook.unasked:
        return 5
    if any(call.outcome != "queued" for call in cadence.calls_of(state)) or state.pass_kind != "first":
        return 4
    fresh = state.pass_began is not None and now - state.pass_began < playbook.call.dispatch_within
    return 1 if fresh else 3
