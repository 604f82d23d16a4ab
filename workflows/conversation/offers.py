"""Which times are asked of the ledger, and which of those that it names are spoken of: as the lead's own words want them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from .. import events as ev
from ..reading import names_offer
from . import dates, ear, moves

if TYPE_CHECKING:
    from .core import Conversation
    from .state import State

_OTHER_PART: dict[dates.Part, dates.Part] = {"morning": "afternoon", "afternoon": "morning", "evening": ""}
_MOST_PAST = 30
_DAYS = 7
"""More days than these are no span to look for a time in."""
_MOST_REFUSED = 10
_BEFORE, _MOST_BEFORE = timedelta(hours=3), 12
"""How far back an earlier time is looked for, and at most how many: the last of them is the nearest."""


def look(talk: Conversation, when: str, quotes: tuple[str, ...]) -> None:
    """Look for times as ``when``, or their last words, want them: within what they name, outside of what they refuse."""
    s, zone = talk.state, talk.state.brief.zone
    words = when if not dates.read(when, zone, s.now).empty else s.last_words
    said = dates.wanted(words, zone, s.now)
    s.step = dates.step(s.last_words) if said.shift or said.empty else 0
    anchor = _spoken_of(s, said)
    if anchor is not None and (s.step or said.shift):
        shift = said.shift or timedelta(0)
        if abs(shift) < timedelta(1):
            _look_beside(talk, anchor + shift, shift, quotes)
            return
        said = dates.read(words, zone, s.now, anchor)
    refused = [mention.said for mention in dates.refused(words, zone, s.now)]
    said = dates.Said() if _of_another_matter(s, said) else _on_the_day_at_hand(s, said)
    _note(s, said, refused)
    s.wish = said
    first, last, part = dates.window(said, zone, s.now)
    if said.empty and refused:
        first, part = _beyond(refused, zone), _OTHER_PART.get(refused[0].part, "") if refused[0].first is None else ""
    passed = [slot.id for slot in s.offered if said.empty and refused] or _passed_over(s, said)
    s.past_offers = list(dict.fromkeys([*s.past_offers, *passed]))[-_MOST_PAST:]
    action = ev.OfferSlots(not_before=first, not_after=last, part=part, refused=tuple(s.past_offers))
    moves.attempt(talk, action, quotes, windowed=not said.empty or first is not None or bool(part))


def _spoken_of(s: State, said: dates.Said) -> datetime | None:
    """The time that "later" and "earlier" start from: the last, or first, of those offered, else that of their meeting."""
    later = s.step > 0 or (said.shift is not None and said.shift > timedelta(0))
    starts = sorted(slot.start for slot in s.heard_offers)
    if starts:
        return starts[-1] if later else starts[0]
    return s.booking.start if s.booking is not None else None


def _look_beside(talk: Conversation, anchor: datetime, shift: timedelta, quotes: tuple[str, ...]) -> None:
    """Look for the next free time of that day after ``anchor``, or the last before it; where they said by how much
    (``shift``), it may be ``anchor`` itself."""
    s = talk.state
    s.step = s.step or (1 if shift > timedelta(0) else -1)
    edge = timedelta(minutes=-1 if shift else 1)
    local = anchor.astimezone(ZoneInfo(s.brief.zone))
    s.wish = dates.Said()
    s.past_offers = list(dict.fromkeys([*s.past_offers, *_passed_over(s, s.wish)]))[-_MOST_PAST:]
    if s.step > 0:
        first, last, count = anchor + edge, datetime.combine(local.date() + timedelta(1), time(0), local.tzinfo), 1
    else:
        first, last, count = max(anchor - _BEFORE, s.now), anchor - edge, _MOST_BEFORE
    action = ev.OfferSlots(not_before=first.astimezone(UTC), not_after=last.astimezone(UTC), refused=tuple(s.past_offers), count=count)
    moves.attempt(talk, action, quotes, windowed=True)


def _of_another_matter(s: State, said: dates.Said) -> bool:
    """Whether a long span only answered the question before ("when would you like to have it?", "next month"): nothing was
    offered yet, and it is no wish for the meeting."""
    several = said.first is not None and said.last is not None and (said.last - said.first).days > _DAYS
    return several and not s.offered and not said.clock and not said.part and bool(s.last_asked) and s.knows(s.last_asked)


def _on_the_day_at_hand(s: State, said: dates.Said) -> dates.Said:
    """An hour named by itself is one of the day that all the offered times lie on."""
    days = {slot.start.astimezone(ZoneInfo(s.brief.zone)).date() for slot in s.offered}
    if said.clock is None or said.first is not None or said.zone or len(days) != 1:
        return said
    day = days.pop()
    return replace(said, first=day, last=day)


def _note(s: State, said: dates.Said, refused: Sequence[dates.Said]) -> None:
    """Keep what they refuse for the rest of the talk, until they name it themselves."""
    named = said.first
    kept = [each for each in s.unwanted if named is None or not (each.first and each.first <= named <= (each.last or each.first))]
    s.unwanted = [*kept, *refused][-_MOST_REFUSED:]


def _beyond(refused: Sequence[dates.Said], zone: str) -> datetime | None:
    """The first midnight after the days that they refuse altogether; None when they refuse none."""
    days = [said.last or said.first for said in refused if said.first and not said.clock and not said.part]
    last = max((day for day in days if day), default=None)
    return datetime.combine(last + timedelta(1), time(0), ZoneInfo(zone)) if last else None


def welcome(s: State, slots: tuple[ev.Slot, ...]) -> tuple[ev.Slot, ...]:
    """Those of ``slots`` to speak of: not at times that they refused, if there are others; of the hour that they named,
    if it is free, only that."""
    if s.step:
        return slots[:1] if s.step > 0 else slots[-1:]
    zone = s.brief.zone
    left = tuple(slot for slot in slots if not any(dates.fits(slot, _any_such(said), zone) for said in s.unwanted)) or slots
    said = s.wish
    if said is None or said.clock is None or said.end or said.about or said.part:
        return left
    fitting = tuple(slot for slot in left if dates.fits(slot, said, zone))
    if said.edge:
        return fitting or left
    return fitting if len(fitting) == 1 else left


def narrow(s: State, words: str) -> None:
    """Whoever asks for the earliest time is offered that one alone."""
    if dates.asks_earliest(words):
        s.offered = s.offered[:1]


def _any_such(said: dates.Said) -> dates.Said:
    """A weekday or a day of the month that is refused is the coming one."""
    return replace(said, loose=False) if said.first else said


def _passed_over(s: State, said: dates.Said) -> list[str]:
    """The offered times that are not offered again: those that lie outside of the wish, or all where there is none, but
    for those that nobody spoke of."""
    if not said.empty:
        return [o.id for o in s.offered if said.delay is not None or not dates.fits(o, said, s.brief.zone)]
    texted = only_texted(s)
    return [o.id for o in s.offered if o not in texted]


def only_texted(s: State) -> tuple[ev.Slot, ...]:
    """The times that were texted since the meeting was missed, and of which neither side has spoken on the phone. Whoever
    asks for a new time wants another than the missed one, and has not turned these down."""
    if s.brief.missed is None or s.brief.channel != "call" or ear.says(s, names_offer):
        return ()
    return tuple(o for o in s.offered if o in s.brief.offered and not s.spoke_of(o))
