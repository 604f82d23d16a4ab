"""Judges a simulated call by what the caller meant and what the ledger gave, with none of the product's understanding.

It sees what went in and out in order: the caller's turns (by their place, which leads to their truth), what was offered,
every action with its answer, every word of ours. Times and prices are looked for with patterns of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from workflows import events as ev
from workflows.playbook import Playbook

from .crowd import Someone, Truth

Kind = Literal["said", "offered", "action", "spoke", "learned", "booked", "denied"]


@dataclass(frozen=True)
class Seen:
    """One thing that happened, in order. ``what`` is a turn's place, slots, an action, words of ours, a field, or
    (``denied``, right before an action) whether the verdict before its own, on the same words, was a denial."""

    kind: Kind
    what: Any


@dataclass
class Found:
    """What is wrong with a call; each a short line with the seed in it."""

    unauthorised: list[str] = field(default_factory=list)
    ungrounded: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    """Fields learned that nobody said."""
    false_denials: Counter[str] = field(default_factory=Counter)
    premature: int = 0
    """Times offered on a fit that was read into words about something else: looked up, and nothing done."""
    needless: Counter[str] = field(default_factory=Counter)
    """What anybody may have for the asking, and nobody asked for: a person, a note to one."""


def judge(
    who: Someone, seen: list[Seen], verdicts: tuple[ev.Verdict, ...], book: Playbook, lies: frozenset[str]
) -> Found:
    """What is wrong with this call. ``lies`` are sentences of the model's that must never be heard."""
    found = Found()
    _actions(who, seen, found)
    _words(who, seen, book, lies, found)
    _denials(who, seen, verdicts, found)
    return found


# ---- actions --------------------------------------------------------------------------------------------------------


@dataclass
class _Then:
    """What was so at a moment of the call."""

    offered: tuple[ev.Slot, ...] = ()
    chosen: str = ""
    """The slot that they chose last, by its id."""
    wants: set[str] = field(default_factory=set)
    told: dict[str, str] = field(default_factory=dict)
    asked_when: bool = False
    denied: bool = False
    """What was asked for right before the action at hand was denied."""
    last: str = ""
    """What we said last."""


def _actions(who: Someone, seen: list[Seen], found: Found) -> None:
    scenario = who.scenario
    then = _Then(
        offered=tuple(scenario.slot(each) for each in scenario.lead.offered), told=dict(scenario.lead.known)
    )
    for each in seen:
        if each.kind == "offered":
            then.offered = each.what
        elif each.kind == "spoke":
            then.last = each.what
        elif each.kind == "denied":
            then.denied = each.what
        elif each.kind == "said":
            _understand(who, who.truths.get(each.what, Truth()), then)
        elif each.kind == "learned":
            name, value = each.what
            if name in who_fields(who) and then.told.get(name) != value:
                found.untrue.append(f"{who.seed} {who.kind}: {name}={value!r}, said {then.told.get(name)!r}")
        elif each.kind == "action":
            _action(who, each.what, then, found)


def who_fields(who: Someone) -> set[str]:
    """The fields whose truth is known: what free text is taken from is not judged."""
    return {"team_size", "timeline"} if who.scenario.audience == "inbound" else {"current_way", "sites"}


def _understand(who: Someone, truth: Truth, then: _Then) -> None:
    if truth.slot:
        meant = who.scenario.slot(truth.slot).id
        then.chosen = meant if meant in {slot.id for slot in then.offered} else then.chosen
    elif truth.picks is not None and then.offered:
        places = range(-len(then.offered), len(then.offered))
        then.chosen = then.offered[truth.picks].id if truth.picks in places else then.chosen
    elif truth.agrees and len(then.offered) == 1:
        then.chosen = then.offered[0].id
    then.wants |= truth.wants
    then.told |= {name: value for name, value in truth.says.items() if value}
    then.told |= dict.fromkeys((name for name, value in truth.says.items() if not value), "?")
    ours = then.last.lower()
    if truth.agrees and "link" in ours:
        then.wants.add("link")  # we offered it, and they said yes
    then.asked_when = then.asked_when or "moment" in ours or "which day" in ours
    if (truth.timed or truth.slot) and then.asked_when:
        then.wants.add("call_back")  # we asked when to call, and they named a time


_NEEDS = {
    "cancel": {"cancel"},
    "opt_out": {"opt_out"},
    "call_back": {"call_back"},
    "send_link": {"link"},
    "refer": {"refer"},
}


def _action(who: Someone, action: ev.Action, then: _Then, found: Found) -> None:
    told = f"{who.seed} {who.kind}: {action.kind}"
    if "opt_out" in then.wants and action.kind != "opt_out":
        found.unauthorised.append(f"{told} after an opt-out")
    elif action.kind == "book":
        if action.slot not in {slot.id for slot in then.offered}:
            found.unauthorised.append(f"{told} {action.slot}, which was never offered")
        elif action.slot != then.chosen:
            found.unauthorised.append(f"{told} {action.slot}, they chose {then.chosen or 'none'}")
        elif not (who.fits or who.scenario.lead.booking):
            found.unauthorised.append(f"{told} for somebody who does not fit")
    elif action.kind == "decline":
        wanted = {"not_interested": "decline", "wrong_person": "wrong_person"}.get(action.disposition, "")
        misfit = action.disposition == "not_fit" and not who.fits and bool(who_fields(who) & set(then.told))
        # "No, thanks, goodbye" without a meeting may be taken for what it says.
        leaves = action.disposition == "not_interested" and "bye" in then.wants
        if wanted not in then.wants and not misfit and not leaves:
            found.unauthorised.append(f"{told} {action.disposition}")
    elif action.kind == "offer_slots":
        required = {"inbound": {"use_case", "team_size", "timeline"}, "outbound": {"current_way", "sites"}}
        if not (required[who.scenario.audience] <= set(then.told) or who.scenario.lead.booking):
            found.premature += 1
    elif action.kind in ("hand_off", "task"):
        if action.kind == "task" or "person" not in then.wants:
            found.needless[action.kind] += 1
    elif action.kind == "send_link" and then.denied:
        found.needless["send_link"] += 1  # the playbook's next best after a denial, to the number on record
    elif not _NEEDS[action.kind] & then.wants:
        found.unauthorised.append(told)


# ---- words ----------------------------------------------------------------------------------------------------------


def _words(who: Someone, seen: list[Seen], book: Playbook, lies: frozenset[str], found: Found) -> None:
    scenario = who.scenario
    # Of a meeting nothing is told to somebody else.
    known = () if who.kind == "stranger" else (scenario.lead.booking, scenario.lead.missed)
    heard = Heard(
        instants=[scenario.slot(each).start.astimezone(scenario.zone) for each in known if each],
        approved=book.model_dump_json().lower(),
        began=scenario.began,
    )
    for each in seen:
        if each.kind == "offered":
            heard.instants += [slot.start.astimezone(scenario.zone) for slot in each.what]
        elif each.kind == "booked":
            heard.instants.append(each.what.astimezone(scenario.zone))
        elif each.kind == "action" and isinstance(each.what, ev.CallBack) and each.what.at:
            heard.instants.append(each.what.at.astimezone(scenario.zone))
        elif each.kind == "said" and each.what >= 0:
            turn = scenario.turns[each.what]
            heard.theirs += " " + (turn.says or " ".join(turn.answers.values())).lower()
        elif each.kind == "spoke":
            for fault in faults(each.what, heard):
                found.ungrounded.append(f"{who.seed} {who.kind}: {fault}: {each.what!r}")
            for lie in lies:
                if lie in each.what:
                    found.ungrounded.append(f"{who.seed} {who.kind}: lie: {lie!r}")


@dataclass
class Heard:
    """What our words may rest on: ``instants`` that the ledger gave, on the lead's clock, ``theirs``, what they said
    themselves, and ``approved``, the playbook's own words, in which a price or a day may stand."""

    instants: list[datetime]
    approved: str
    began: datetime
    theirs: str = ""

    def said(self, words: str) -> bool:
        """Whether they said these words themselves."""
        return bool(re.search(rf"\b{re.escape(words.lower())}\b", self.theirs))


_CLOCK = re.compile(r"\b(\d{1,2})(?::(\d\d))?\s?([ap])\.?m\b\.?", re.I)
_HOURS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_SPOKEN_CLOCK = re.compile(
    rf"\b(half (?:past )?|quarter (?:past|to) |at |by )({'|'.join(_HOURS)}|noon|midday|midnight)\b|\b(\w+) o'?clock\b", re.I
)
_MINUTES = {"half": 30, "half past": 30, "quarter past": 15, "quarter to": 45}
_WEEKDAY = re.compile(r"\b(mon|tues|wednes|thurs|fri|satur|sun)day\b", re.I)
_DAY_OF_MONTH = re.compile(r"\bthe (\d{1,2})(?:st|nd|rd|th)\b", re.I)
_NEAR = re.compile(r"\b(?:tomorrow|next week|the day after|in \d+ (?:days|hours|weeks))\b", re.I)
_PAIR = re.compile(
    r"\b(tomorrow|(?:mon|tues|wednes|thurs|fri|satur|sun)day)(?: the \d{1,2}(?:st|nd|rd|th))?,? at (\d{1,2})(?::(\d\d))? ?([ap])m",
    re.I,
)
_MONEY = re.compile(
    r"[$€£]\s?\d|\b(?:\d[\d,.]*|one|two|ten|fifty|half)\s*(?:-?\s?(?:dollars?|percent|%|bucks|grand|euros?)|%)|\bfree (?:month|of charge)\b|\bmonth is free\b",
    re.I,
)
_DAYS = ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun")


def faults(said: str, heard: Heard) -> list[str]:
    """What in ``said`` rests on nothing: times of day, days, a day put to the time of another, prices."""
    return [*_clock_faults(said, heard), *_day_faults(said, heard), *_pair_faults(said, heard), *_price_faults(said, heard)]


def _clock_faults(said: str, heard: Heard) -> Iterator[str]:
    known = {(at.hour, at.minute) for at in heard.instants}
    for hour, minute, half in _CLOCK.findall(said):
        if _on_the_clock(hour, minute, half) not in known and not heard.said(hour) and not heard.said(_word(hour)):
            yield "time"
    for found in _SPOKEN_CLOCK.finditer(said):
        lead, word = (found[1] or "").strip().lower(), (found[2] or found[3]).lower()
        minute_ = _MINUTES.get(lead, 0)
        hour_ = {"noon": 12, "midday": 12, "midnight": 0}.get(word, _HOURS.index(word) + 1 if word in _HOURS else -1)
        hour_ -= lead == "quarter to"
        if not any((h % 12, m) == (hour_ % 12, minute_) for h, m in known) and not heard.said(word):
            yield "time in words"


def _on_the_clock(hour: str, minute: str, half: str) -> tuple[int, int]:
    return int(hour) % 12 + (12 if half.lower() == "p" else 0), int(minute or 0)


def _word(hour: str) -> str:
    return _HOURS[int(hour) - 1] if 1 <= int(hour) <= 12 else hour


def _day_faults(said: str, heard: Heard) -> Iterator[str]:
    weekdays = {at.weekday() for at in heard.instants}
    for name in _WEEKDAY.findall(said):
        if _DAYS.index(name.lower()) not in weekdays and not heard.said(f"{name}day"):
            yield "weekday"
    for day in _DAY_OF_MONTH.findall(said):
        if int(day) not in {at.day for at in heard.instants} and day not in heard.theirs:
            yield "day of the month"
    ahead = {(at.date() - heard.began.date()).days for at in heard.instants}
    for near in _NEAR.findall(said):
        if not ((near.lower() == "tomorrow" and 1 in ahead) or heard.said(near) or near.lower() in heard.approved):
            yield near.lower()


def _pair_faults(said: str, heard: Heard) -> Iterator[str]:
    """The right time on the wrong day."""
    for day, hour, minute, half in _PAIR.findall(said):
        clock = _on_the_clock(hour, minute, half)
        on = [at for at in heard.instants if (at.hour, at.minute) == clock and _is_on(at, day.lower(), heard.began)]
        if not on and not heard.said(day) and not heard.said(_word(hour)) and not heard.said(hour):
            yield "day and time that do not belong together"


def _is_on(at: datetime, day: str, began: datetime) -> bool:
    if day == "tomorrow":
        return (at.date() - began.date()).days == 1
    return _DAYS[at.weekday()] == day.removesuffix("day")


def _price_faults(said: str, heard: Heard) -> Iterator[str]:
    for found in _MONEY.finditer(said):
        if found.group().lower() not in heard.approved and found.group().lower() not in heard.theirs:
            yield "price"


# ---- denials --------------------------------------------------------------------------------------------------------


def _denials(who: Someone, seen: list[Seen], verdicts: tuple[ev.Verdict, ...], found: Found) -> None:
    """Denied though they meant it: what they wanted, or the choice of somebody bookable, was denied and never done."""
    done = {each.what.kind for each in seen if each.kind == "action"}
    wanted = {want for truth in who.truths.values() for want in truth.wants}
    meant = {"cancel", "decline", "call_back"} & wanted
    if "link" in wanted:
        meant.add("send_link")
    if who.bookable:
        meant |= {"book", "offer_slots"}
    for kind in meant - done:
        denied = [v.rule for v in verdicts if v.action == kind and not v.allowed]
        if denied:
            found.false_denials[f"{kind} {denied[-1]}"] += 1
