"""Whether each time that a sentence names is one that the state knows: offered, booked, missed, or named by the lead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ...events import Slot
from ...tokens import bag, tokens
from .. import dates, identity
from ..dates import Mention, Said
from ..state import State
from .lexicon import GLUE

_ALIKE = bag("too also well same likewise similarly")
_BESIDE = GLUE | bag("or on at in the around , . ! ?")
"""Around a day alone, which then goes on with what was said: "Tomorrow at ten. And the day after."""
_WEEKS = timedelta(days=2)
_LEAD_LINES = 4
"""How many of the lead's last lines are looked at for the times that they named."""


def said_before(before: Sequence[str], state: State) -> Mention | None:
    """The last time that the words right before a sentence named: what "the day after" starts from."""
    found = dates.mentions(before, state.brief.zone, state.now) if before else []
    return found[-1] if found else None


def anchor(state: State, before: Sequence[str]) -> datetime | None:
    """The time that "the day after" or "an hour later" starts from: the one spoken of right before, else the booked."""
    named = said_before(before, state)
    found = _instant_of(state, named.said) if named else None
    stands, _ = identity.meetings(state)
    return found or (stands.start if stands and not state.offered else None)


def _instant_of(state: State, said: Said) -> datetime | None:
    """The instant that was meant, when it is one: a known one that agrees, else the beginning of its day."""
    for at in known(state, "any"):
        if agrees(said, at, at + timedelta(minutes=30), state.brief.zone):
            return at
    if said.first is None:
        return None
    clock = said.clock.likely() if said.clock else datetime.min.time()
    return datetime.combine(said.first, clock, ZoneInfo(state.brief.zone))


def known(state: State, what: str) -> list[datetime]:
    """The starts that a sentence of this kind may name: ``offer``, ``meeting``, ``missed``, or ``any`` of them."""
    found: list[datetime] = []
    stands, missed = identity.meetings(state)
    if what in ("offer", "any"):
        found += [slot.start for slot in state.offered]
    if what in ("meeting", "any") and stands:
        found.append(stands.start)
    if what in ("missed", "any") and missed and not (what == "any" and state.booking):
        found.append(missed.start)
    return found


def grounded(state: State, mentions: Sequence[Mention], t: Sequence[str], kinds: Iterable[str], asks: bool, before: Mention | None) -> bool:
    """Whether all of ``mentions`` (found in the tokens ``t``) may be said in a sentence of these ``kinds``; ``asks``: it is a
    question. ``before`` was named right before."""
    kinds = set(kinds)
    what = next((kind for kind in ("missed", "meeting", "offer") if kind in kinds), "any")
    if "first" in kinds:
        what = "offer"
    ends = _ends(state)
    starts = known(state, what)
    if "first" in kinds:
        starts = sorted(starts)[:1]
    theirs = _named_by_lead(state) if kinds & {"said", "want", "look"} or asks else ()
    alike = not _ALIKE.isdisjoint(t) or any(t[i : i + 2] in (["so", "does"], ["so", "is"], ["so", "would"]) for i in range(len(t)))
    alike = alike or (bool(mentions) and all(token in _BESIDE for token in (*t[: mentions[0].start], *t[mentions[0].stop :])))
    previous: Said | None = before.said if before and alike else None
    carried = before.said if before and (not t or mentions[0].start <= 3) else None
    for n, mention in enumerate(mentions):
        said = _completed(mention.said, n, mentions, previous if alike else None, carried)
        if said is None or _at_odds(mentions, n, t):
            return False
        previous = said
        zone = state.brief.zone
        if what == "missed":
            said = _in_the_past(said, starts, zone)
        if any(agrees(said, at, ends.get(at, at), zone) for at in starts):
            continue
        wished = asks and "offer" not in kinds and _vague(said, state)
        if not wished and not _theirs(said, theirs, kinds, asks):
            return False
    return True


def _in_the_past(said: Said, starts: Sequence[datetime], zone: str) -> Said:
    """A weekday in what is said of a missed meeting is the last one."""
    if not said.loose or said.weekday is None or not starts:
        return said
    day = starts[0].astimezone(ZoneInfo(zone)).date()
    return replace(said, first=day, last=day)


def _ends(state: State) -> dict[datetime, datetime]:
    known_: list[Slot] = list(state.offered)
    found = {slot.start: slot.end for slot in known_}
    for meeting in (state.booking, state.brief.missed):
        if meeting:
            found[meeting.start] = meeting.end
    return found


def _completed(said: Said, n: int, mentions: Sequence[Mention], previous: Said | None, carried: Said | None) -> Said | None:
    """``said`` with the day (or, in "the day after too", the time of day) that the words around it lend it. None when they
    say that it starts from a time that nobody knows."""
    if said.shift is not None and said.first is None and said.clock is None:
        return None
    if said.clock is not None and said.first is None and said.delay is None:
        around = [m.said for m in reversed(mentions[:n])] + [m.said for m in mentions[n + 1 :]] + ([carried] if carried else [])
        day = next((other for other in around if other.first is not None), None)
        if day is not None:
            return replace(said, first=day.first, last=day.last, weekday=day.weekday, monthday=day.monthday, loose=day.loose)
    if said.clock is None and said.first is not None and previous is not None and previous.clock is not None and not said.part:
        return replace(said, clock=previous.clock, zone=previous.zone)
    return said


def _at_odds(mentions: Sequence[Mention], n: int, t: Sequence[str]) -> bool:
    """Whether this day is put beside another as if they were one ("tomorrow, Wednesday, at nine")."""
    if n + 1 >= len(mentions):
        return False
    one, two = mentions[n], mentions[n + 1]
    if one.said.first is None or two.said.first is None or one.said.clock or one.said.part:
        return False
    return list(t[one.stop : two.start]) in ([","], [",", "on"], ["on"]) and one.said.first != two.said.first and "or" not in t and "and" not in t


def agrees(said: Said, start: datetime, end: datetime, zone: str) -> bool:
    """Whether ``start`` is what was said, nearest reading: "Tuesday" is the coming one only."""
    if said.zone == dates.ELSEWHERE:
        return False
    local = start.astimezone(ZoneInfo(said.zone or zone))
    if said.delay is not None or said.shift is not None:
        return False
    if said.first is not None and not said.first <= local.date() <= (said.last or said.first):
        return False
    if said.end is not None and said.clock is not None:
        return said.clock.means(local) and said.end.means(end.astimezone(local.tzinfo))
    if said.clock is not None and (said.edge or (said.about and not said.clock.means(local))):
        return False  # "after ten", "from nine": open spans are not ours to name
    return dates.fits(Slot(id="", rep="", start=start, end=end), replace(said, about=False), zone)


def starts_in(state: State, said: Said) -> bool:
    """Whether the booked meeting begins after this delay, to a minute or so: "your demo starts in an hour"."""
    stands, _ = identity.meetings(state)
    if said.delay is None or stands is None:
        return False
    off = abs((stands.start - state.now) - said.delay)
    return off <= max(said.delay / 20, timedelta(minutes=1))


def _vague(said: Said, state: State) -> bool:
    """A wish to be asked about, no time that is claimed: a part of the day, a week, today."""
    today = state.now.astimezone(ZoneInfo(state.brief.zone)).date()
    if said.first == said.last == today and said.clock is None and not said.part:
        return True
    if said.clock is not None or said.delay is not None or said.shift is not None:
        return False
    return said.first is None or (said.last or said.first) - said.first >= _WEEKS


def _named_by_lead(state: State) -> tuple[Said, ...]:
    found: list[Said] = []
    lines = [line.text for line in state.lines[-2 * _LEAD_LINES :] if line.who == "lead"]
    for text in lines[-_LEAD_LINES:]:
        found += [m.said for m in dates.mentions(tokens(text), state.brief.zone, state.now)]
    return tuple(found)


def _theirs(said: Said, named: Sequence[Said], kinds: set[str], asks: bool) -> bool:
    """Whether they named this themselves: said back ("you said Thursday at five"), looked for, or, without a time of day,
    asked about."""
    if not (kinds & {"said", "want", "look"} or (asks and said.clock is None and "offer" not in kinds)):
        return False
    for other in named:
        day = said.first is None or (other.first is not None and (said.first, said.last) == (other.first, other.last))
        clock = said.clock is None or (other.clock is not None and _same_clock(said, other))
        part = not said.part or other.part == said.part or (other.clock is not None and said.clock is not None)
        delay = said.delay == other.delay
        if day and clock and part and delay and said.shift is None:
            return True
    return False


def _same_clock(said: Said, other: Said) -> bool:
    assert said.clock is not None
    assert other.clock is not None
    return set(said.clock.hours()) & set(other.clock.hours()) != set() and said.clock.minute == other.clock.minute
