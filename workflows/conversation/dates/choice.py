"""Which of the offered slots somebody's words pick.

What is guaranteed: a slot is chosen only when it agrees with every day and every time of day that the words name and do
not refuse, and when it is the only one offered that does (unless they leave it to us: "either", "any of them"). Words
that are lost or misheard as words that name no time can thus make the choice unclear, never another one; a time
misheard as another time can be caught only by reading it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ...events import Booking, Slot
from ...tokens import PUNCTUATION, bag, tokens
from .clocks import HOURS, NOUNS, hour_of
from .days import ORDINALS
from .said import ELSEWHERE, PARTS, Clock, Mention, Said, span
from .scan import mentions

_BREAKS = frozenset([",", ";", ".", "!", "?", "-", ":", "but", "instead", "rather", "however", "so", "because"])
_NOT = frozenset(["not", "no", "never", "nothing", "cannot", "neither", "nor", "except", "without", "besides", "nunca", "ni", "excepto"])
_BAD = bag(
    "bad busy booked taken early late difficult hard tricky impossible problem conflict clash clashes conflicts packed full unavailable worse worst "
    "away vacation holiday travelling traveling swamped slammed crazy hectic "
    "ocupado ocupada imposible mal out"
)  # fmt: skip
_ALL_BUT = frozenset(["any", "anything", "anytime", "every", "everything", "all"])
_WHICH_IS = frozenset(["what", "which", "when"])
_COURTESY = (("why", "not"), ("no", "problem"), ("no", "worries"), ("not", "bad"), ("no", "rush"), ("not", "a", "problem"), ("do", "not", "mind"))
_TAKEN_BACK = bag("no actually wait sorry mean rather instead scratch correction perdon")
_POINTING = bag("one ones option slot slots time choice please works work is sounds suits then and would will good fine great , . ! ? ; -")  # fmt: skip
_POINTED = bag("the your that option number slot take say prefer with want like choose pick choice la el ok okay yes")  # fmt: skip
_SPANISH_ORDER = {"primera": 1, "primero": 1, "segunda": 2, "segundo": 2, "tercera": 3, "tercero": 3}
_EARLIEST = frozenset(["earliest", "soonest", "sooner", "asap"])
_LATEST = frozenset(["latest", "last", "ultima", "ultimo"])
_LATER = frozenset(["later", "latter", "late"])
_EARLIER = frozenset(["earlier", "former", "early"])
_FILLERS = bag(
    "okay yes let us do say how about maybe the works work is good fine great perfect please sounds then one it at would be i will take for me that well "
    "um uh sure think si vale"
)  # fmt: skip
_ABOUT = timedelta(minutes=30)


class _Reference(NamedTuple):
    """What one stretch of the words points to: the offers that agree with it, in the order offered."""

    start: int
    stop: int
    slots: tuple[Slot, ...]
    timed: bool = False


def fits(slot: Slot | Booking, said: Said, zone: str) -> bool:
    """Whether ``slot``, or the meeting, lies in what was said by somebody in ``zone``."""
    if said.zone == ELSEWHERE and said.clock:
        return False
    local = slot.start.astimezone(ZoneInfo(said.zone or zone))
    if said.weekday is not None and local.weekday() != said.weekday:
        return False
    if said.monthday is not None and local.day != said.monthday:
        return False
    if not said.loose and said.first and not said.first <= local.date() <= (said.last or said.first):
        return False
    if said.part and not (said.clock and said.clock.half) and not PARTS[said.part][0] <= local.time() <= PARTS[said.part][1]:
        return False
    return said.clock is None or _clock_fits(local, slot, said)


def _clock_fits(local: datetime, slot: Slot | Booking, said: Said) -> bool:
    assert said.clock is not None
    if ends := span(said):
        finished = slot.end.astimezone(local.tzinfo)
        return ends[0] <= local.time() and finished.date() == local.date() and finished.time() <= ends[1]
    if said.edge == "after":
        return local.time() >= said.clock.likely()
    if said.edge == "before":
        return local.time() < said.clock.likely()
    if said.about:
        return abs(_minutes(local.hour, local.minute) - _nearest(said.clock, local)) <= _ABOUT / timedelta(minutes=1)
    return said.clock.means(local)


def _minutes(hour: int, minute: int) -> int:
    return hour * 60 + minute


def _nearest(clock: Clock, local: datetime) -> int:
    at = _minutes(local.hour, local.minute)
    return min((_minutes(hour, clock.minute) for hour in clock.hours()), key=lambda named: abs(named - at))


def choose(text: str, slots: Sequence[Slot], zone: str, now: datetime, anchor: datetime | None = None) -> Slot | None:
    """The one of ``slots`` (as offered, in order) that the words pick; None when they pick none or leave it open
    which. What they refuse ("not the first") is taken away first. ``anchor`` is the time spoken of before ("same time
    tomorrow")."""
    if not slots:
        return None
    return _Choice(tokens(text)[:400], tuple(slots), zone, now, anchor).made()


def asks_earliest(text: str) -> bool:
    """Whether the words ask which is the earliest time, and so choose none yet: "what's the earliest you have?"."""
    t = tokens(text)
    return _asks_which(t) and not _EARLIEST.isdisjoint(t)


def _asks_which(t: Sequence[str]) -> bool:
    return not _WHICH_IS.isdisjoint(t[:3])


def refused(text: str, zone: str, now: datetime) -> tuple[Mention, ...]:
    """The times that the words name only to refuse them: "tomorrow doesn't work", "any day but Tuesday", "I'm away until
    the fifteenth"."""
    said = _Choice(tokens(text)[:400], (), zone, now, None)
    at = {mention.start: mention for mention in said.times}
    return tuple(
        at[reference.start]
        for number, reference in enumerate(said.references)
        if reference.timed and reference.start in at and said._refused(number, reference)
    )


class _Choice:
    def __init__(self, t: list[str], slots: tuple[Slot, ...], zone: str, now: datetime, anchor: datetime | None) -> None:
        self.t, self.slots, self.zone, self.now = t, slots, zone, now
        self.times = mentions(t, zone, now, anchor)
        inside = {k for m in self.times for k in range(m.start, m.stop)}
        self.breaks = [k for k, token in enumerate(t) if token in _BREAKS and k not in inside]
        self.references = self._references(inside)

    def made(self) -> Slot | None:
        left = list(self.slots)
        picked: tuple[Slot, ...] | None = None
        previous: _Reference | None = None
        for number, reference in enumerate(self.references):
            if self._refused(number, reference):
                left = [slot for slot in left if slot not in reference.slots]
            elif picked is None:
                picked, previous = reference.slots, reference
            else:
                assert previous is not None
                picked, previous = self._combined(picked, previous, reference), reference
        return self._settled(picked, left)

    def _settled(self, picked: tuple[Slot, ...] | None, left: list[Slot]) -> Slot | None:
        candidates = [slot for slot in (self.slots if picked is None else picked) if slot in left]
        if self._leaves_it_to_us() and not (picked is None and len(left) < len(self.slots)):
            return candidates[0] if candidates else None
        if picked is None or len(candidates) != 1:
            return None
        return candidates[0] if self._nothing_else_named(candidates[0]) else None

    def _nothing_else_named(self, slot: Slot) -> bool:
        """Whether each small number outside of what was understood is part of this slot's time too: "I can do ten but
        on Wednesday" is not Wednesday at nine."""
        local = slot.start.astimezone(ZoneInfo(self.zone))
        own = {local.hour, local.hour % 12 or 12, local.minute, local.day, self.slots.index(slot) + 1}
        taken = {k for r in self.references for k in range(r.start, r.stop)}
        return all(
            k in taken or (number := hour_of(token)) is None or number in own or not self._is_number(k)
            for k, token in enumerate(self.t)
        )

    def _is_number(self, k: int) -> bool:
        after = self.t[k + 1] if k + 1 < len(self.t) else ""
        before = self.t[k - 1] if k else ""
        return self.t[k] != "one" and after not in NOUNS and before not in _NOT and before not in ("+", "am", "pm")

    def _combined(self, picked: tuple[Slot, ...], before: _Reference, reference: _Reference) -> tuple[Slot, ...]:
        between = self.t[before.stop : reference.start]
        if "or" in between or "o" in between:
            return tuple(slot for slot in self.slots if slot in picked or slot in reference.slots)
        both = tuple(slot for slot in picked if slot in reference.slots)
        if not both and not _TAKEN_BACK.isdisjoint(between):
            return reference.slots
        return both

    # ---- what is pointed to -----------------------------------------------------------------------------------

    def _references(self, inside: set[int]) -> list[_Reference]:
        found = [self._timed(mention) for mention in self.times if mention.said.delay is None]
        found += self._ordered(inside)
        if not found and (alone := self._alone()):
            found.append(alone)
        found.sort(key=lambda reference: reference.start)
        return self._narrowed(found)

    def _timed(self, mention: Mention) -> _Reference:
        said = mention.said
        if said.shift is not None and said.clock is None:
            return _Reference(mention.start, mention.stop, (), True)
        if said.edge and self.t[mention.start] in _NOT:
            return _Reference(mention.start, mention.stop, (), True)  # "nothing before eleven" leaves open which
        matching = tuple(slot for slot in self.slots if fits(slot, said, self.zone))
        if said.about and said.clock:
            exact = tuple(s for s in matching if said.clock.means(s.start.astimezone(ZoneInfo(said.zone or self.zone))))
            matching = exact or matching
        matching = self._exact(matching, said)
        if not matching and said.monthday and said.monthday <= len(self.slots) and self._only_number(mention):
            matching = (self.slots[said.monthday - 1],)  # "the 2nd", as a recogniser writes "the second"
        return _Reference(mention.start, mention.stop, matching, True)

    def _only_number(self, mention: Mention) -> bool:
        said = mention.said
        return said.weekday is None and said.clock is None and not said.part and not any(
            slot.start.astimezone(ZoneInfo(self.zone)).day == said.monthday for slot in self.slots
        )

    def _exact(self, slots: tuple[Slot, ...], said: Said) -> tuple[Slot, ...]:
        """Of several within the minute named, the one on the full minute is meant; of the two passes of a repeated hour,
        the one whose abbreviation was named."""
        if len(slots) < 2 or said.clock is None or said.edge:
            return slots
        if said.clock.second is None:
            full = tuple(slot for slot in slots if slot.start.astimezone(ZoneInfo(self.zone)).second == 0)
            slots = full if len(full) == 1 else slots
        if said.abbreviation and len(slots) > 1:
            local = ZoneInfo(said.zone or self.zone)
            named = tuple(slot for slot in slots if slot.start.astimezone(local).tzname() == said.abbreviation)
            slots = named or slots
        return slots

    def _ordered(self, inside: set[int]) -> list[_Reference]:
        """References by order: "the second one", "number two", "the last", "the first two", "the later one"."""
        found: list[_Reference] = []
        for i, at in enumerate(self.t):
            if i in inside and at not in ORDINALS:
                continue
            reference = self._by_order(i, at) if i not in inside else None
            if reference is not None and not any(r.start <= i < r.stop for r in found):
                found.append(reference)
        return found

    def _by_order(self, i: int, at: str) -> _Reference | None:
        before = self.t[i - 1] if i else ""
        after = self.t[i + 1] if i + 1 < len(self.t) else ""
        if at in ("number", "option", "slot", "#") and (index := _small(after)):
            return self._nth(i, i + 2, index)
        index = ORDINALS.get(at, 0) or _SPANISH_ORDER.get(at, 0) or _digit_ordinal(at)
        if 0 < index <= 5:
            return self._by_ordinal(i, index, before, after)
        if at.isdecimal() and len(at) == 1 and after in ("one", "option", "slot"):
            return self._nth(i, i + 2, int(at))
        if at in _EARLIEST and _asks_which(self.t):
            return None  # "what's the earliest you have?"
        if at == "sooner" and before not in ("the", ""):
            return None  # "anything sooner?"
        if at in _EARLIEST or (at == "soon" and before == "as" and len(self.t) <= 8):
            return None if at == "asap" and len(self.t) > 8 else _Reference(i, i + 1, self.slots[:1])
        if at in _LATEST and before in ("the", "that", "your", "la", "el") and after not in ("week", "month", "time", "year", "thing"):
            return _Reference(i, i + 1, self.slots[-1:])
        if at in _LATER or at in _EARLIER:
            return self._by_comparison(i, at, before, after)
        return None

    def _by_ordinal(self, i: int, index: int, before: str, after: str) -> _Reference | None:
        several = _small(after) if after in HOURS or after.isdecimal() else 0
        if index == 1 and several and before in ("the", "those", "your"):
            return _Reference(i, i + 2, self.slots[:several])
        of_them = after == "of" and self.t[i + 2 : i + 3] in (["those"], ["these"], ["them"], ["the"])
        if after in ("of", "week", "quarter", "thing", "half", "place", "name", "i", "we") and not of_them:
            return None
        if after == "time" and self.t[i + 2 : i + 3] in (["i"], ["we"], ["you"], ["that"]):
            return None
        if before in ("a", "one", "just", "per", "each", "my", "last", "every"):
            return None
        if after and after not in _POINTING and not (before in _POINTED and after in ("on", "at", "in")) and before != "said":
            return None
        if not (before in _POINTED or before in PUNCTUATION or not before or before in ("not", "said", "or", "maybe")):
            return None
        if index == 1 and not before and after in (",", "of"):
            return None  # "First, tell me ..."
        return self._nth(i, i + 1, index)

    def _by_comparison(self, i: int, at: str, before: str, after: str) -> _Reference | None:
        if before != "the" and after != "one":
            return None
        if after and after not in _POINTING and after not in ("of", "on"):
            return None
        if len(self.slots) > 2 and not self.times:
            return _Reference(i, i + 1, self.slots)  # of three, "the later one" is two
        return _Reference(i, i + 1, self.slots[-1:] if at in _LATER else self.slots[:1])

    def _nth(self, start: int, stop: int, index: int) -> _Reference | None:
        return _Reference(start, stop, self.slots[index - 1 : index]) if index <= len(self.slots) else None

    def _alone(self) -> _Reference | None:
        """Nothing but an hour, or a number of those offered: "nine", "ten works", "2"."""
        found = _hour_alone(self.t)
        if found is None:
            return None
        at, hour = found
        timed = [slot for slot in self.slots if fits(slot, Said(clock=Clock(hour)), self.zone)]
        if self.t[at].isdecimal() and hour <= len(self.slots):
            timed += [slot for slot in self.slots[hour - 1 : hour] if slot not in timed]
        return _Reference(at, at + 1, tuple(timed), True)

    def _narrowed(self, found: list[_Reference]) -> list[_Reference]:
        """"the earliest on Wednesday" is the earliest of Wednesday's; "first thing Monday" the first of Monday's."""
        timed = [reference for reference in found if reference.timed]
        if len(timed) != 1:
            return found
        inside = timed[0].slots
        narrowed = []
        for reference in found:
            word = self.t[reference.start]
            if not reference.timed and inside and word in _EARLIEST | _EARLIER:
                reference = reference._replace(slots=inside[:1])
            elif not reference.timed and inside and word in _LATEST | _LATER:
                reference = reference._replace(slots=inside[-1:])
            elif reference.timed and self._first_thing(reference):
                reference = reference._replace(slots=inside[:1])
            narrowed.append(reference)
        return narrowed

    def _first_thing(self, reference: _Reference) -> bool:
        return any(self.t[k : k + 2] == ["first", "thing"] for k in range(reference.start, reference.stop))

    # ---- yes or no --------------------------------------------------------------------------------------------

    def _refused(self, number: int, reference: _Reference) -> bool:
        """Whether the words around a reference refuse it."""
        before = self.references[number - 1].stop if number else 0
        after = self.references[number + 1].start if number + 1 < len(self.references) else len(self.t)
        begin = max([before, *(k + 1 for k in self.breaks if k < reference.start)])
        end = min([after, *(k for k in self.breaks if k >= reference.stop)])
        ahead, behind = self._plain(begin, reference.start), self._plain(reference.stop, end)
        if not _NOT.isdisjoint(ahead) or {"other", "than"} <= set(ahead):
            return True
        if begin and self.t[begin - 1] == "but" and not _ALL_BUT.isdisjoint(self.t[:begin]):
            return True  # "any day but Tuesday"
        if ahead[-2:] in (["am", "out"], ["are", "out"], ["be", "out"], ["am", "off"], ["be", "off"]):
            return True
        if end < len(self.t) and end == after and behind and behind[-1] in _NOT:
            behind = behind[:-1]  # "ten, not nine": it refuses what follows
        if not _NOT.isdisjoint(behind) or not _BAD.isdisjoint(behind):
            return True
        first = number == 0 or before < begin
        return (first and not _BAD.isdisjoint(ahead)) or self._have_something(ahead) or self._taken_back(end, after)

    def _plain(self, begin: int, end: int) -> list[str]:
        """The words of a stretch without courtesies that only look like a refusal."""
        stretch = self.t[begin:end]
        for courtesy in _COURTESY:
            for k in range(len(stretch) - len(courtesy), -1, -1):
                if tuple(stretch[k : k + len(courtesy)]) == courtesy:
                    del stretch[k : k + len(courtesy)]
        return stretch

    def _have_something(self, ahead: list[str]) -> bool:
        """"I have a meeting at ten"."""
        text = " ".join(ahead[-4:])
        return any(f"have {article} " in f"{text} " or f"got {article} " in f"{text} " for article in ("a", "an", "another"))

    def _taken_back(self, begin: int, until: int) -> bool:
        """Whether the next stretch, which names no time itself, takes it back: "tomorrow at ten, that does not work"."""
        for k, start in enumerate(self.breaks):
            if start < begin or start >= until:
                continue
            end = self.breaks[k + 1] if k + 1 < len(self.breaks) else len(self.t)
            if end > until or any(start < r.start < end for r in self.references):
                continue
            stretch = self._plain(start + 1, end)
            if stretch in (["no"], ["not"], ["nope"]):
                return True
            if not _NOT.isdisjoint(stretch) or not _BAD.isdisjoint(stretch):
                return not {"that", "it", "this", "those"}.isdisjoint(stretch)
        return False

    def _leaves_it_to_us(self) -> bool:
        """"either works", "any of them", "whichever suits you", "you choose"; not "do you have any others?"."""
        t = self.t
        if not _NOT.isdisjoint(self._plain(0, len(t))):
            return False
        text = f" {' '.join(t)} "
        if "?" in t and not any(f" {w} " in text for w in ("either", "whichever")):
            return False
        return any(phrase in text for phrase in _WHICHEVER)


def bare_hour(text: str) -> Clock | None:
    """The hour that is all that ``text`` says, "nine then": a time only in answer to a question for one."""
    found = _hour_alone(tokens(text))
    return Clock(found[1]) if found else None


def _hour_alone(t: Sequence[str]) -> tuple[int, int] | None:
    """Where the only word of weight stands among the tokens ``t``, and the hour (1-23) that it is; None when it is none."""
    bare = [i for i, token in enumerate(t) if token not in _FILLERS and token not in PUNCTUATION]
    hour = hour_of(t[bare[0]]) if len(bare) == 1 else None
    return (bare[0], hour) if hour else None


_WHICHEVER = tuple(
    f" {phrase} "
    for phrase in (
        "either one", "either works", "either is", "either of", "either time", "either will", "either would", "either", "any of them", "any of those",
        "any of these", "any one", "any time", "any works", "any is fine", "any will do", "whichever", "whatever works", "whatever suits",
        "whatever you have", "whatever is best", "whatever is easiest", "does not matter", "both work", "both are", "both fine", "all work", "you choose",
        "you pick", "up to you", "cualquiera", "you decide",
    )
)  # fmt: skip


def _digit_ordinal(at: str) -> int:
    return int(at[0]) if len(at) == 3 and at[0].isdecimal() and at[1:] in ("st", "nd", "rd", "th") else 0


def _small(token: str) -> int:
    return HOURS.get(token, 0) or (int(token) if token.isdecimal() and len(token) == 1 else 0)
