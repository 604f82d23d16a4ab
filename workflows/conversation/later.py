"""Another time to call: which moment they mean, and what is promised of it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from .. import events as ev
from ..messages import Answer
from ..reading import is_denial
from ..tokens import tokens
from ..words import plain
from . import dates, moves
from .exits import enter
from .state import State
from .turn import Proposal
from .wants import is_somebody_else

if TYPE_CHECKING:
    from .core import Conversation

SOON = timedelta(minutes=5)
"""What is nearer than this is "in a few minutes"."""
_WORDS = 300
_LOOKED_BACK = 3
"""Lines of theirs in which "then" finds its time."""
_THEN = re.compile(r"\b(?:then|that time|after that|afterwards|after it)\b")
_UNTIL = frozenset(("until", "till", "til"))
_TAKEN = re.compile(r"\b(?:meetings?|busy|appointment|tied up|lunch|class|shift|interview)\b")
_FREE = re.compile(r"\b(?:any ?time|free|available|before)\b")


def call_back(talk: Conversation, proposal: Proposal, quotes: tuple[str, ...]) -> None:
    """Agree on one moment. "Next week" is no moment yet: the day is asked for, once, and then found in that week."""
    s, zone = talk.state, talk.state.brief.zone
    said = _within(s, _named(s, proposal.args.get("when", "")))
    if _vague(said) and s.span is None:
        s.span = said
        _ask_when(talk, s.playbook.speech.which_day)
        return
    at = dates.moment(said, zone, s.now)
    if at is None and not s.when_asked and is_somebody_else(s):
        _ask_when(talk, s.playbook.speech.absent)
        return
    if at is None and not s.when_asked and not is_denial(s.last_words):
        _ask_when(talk, s.playbook.speech.when)
        return
    if at is None:
        at = (s.span and dates.moment(s.span, zone, s.now)) or s.now + s.playbook.cadence.retry_callback
    if at - s.now > SOON:
        at = _full_minute(at)
    moves.attempt(talk, ev.CallBack(at=at, words=s.last_words[:_WORDS]), quotes)


def _named(s: State, proposed: str) -> dates.Said:
    """The time that they name, by itself or by what they said before ("call me then")."""
    words, zone = s.last_words, s.brief.zone
    if not (said := _opening(words, zone, s.now)).empty:
        return said
    if s.when_asked and (hour := dates.bare_hour(words)):
        return dates.Said(clock=hour)
    if proposed and f" {plain(proposed)} " in f" {plain(words)} " and not (said := dates.read(proposed, zone, s.now)).empty:
        return said
    if not _THEN.search(plain(words)):
        return said
    before = [line.text for line in s.lines if line.who == "lead"][-_LOOKED_BACK:]
    return next((found for text in reversed(before) if not (found := _opening(text, zone, s.now)).empty), said)


def _opening(words: str, zone: str, now: datetime) -> dates.Said:
    """The time named in ``words``; where they are taken until then, the end of that: Thursday of "away until Thursday", three
    of "a meeting from two to three"."""
    said, t = dates.read(words, zone, now), tokens(words)
    if said.clock and said.end and _TAKEN.search(plain(words)):
        return replace(said, clock=said.end, end=None)
    if said.first is None or said.last is None or said.clock or _FREE.search(plain(words)):
        return said
    lasting = any(t[each.start] in _UNTIL for each in dates.mentions(t, zone, now))
    day = said.last + timedelta(1)
    return dates.Said(first=day, last=day, part=said.part) if lasting else said


def _full_minute(at: datetime) -> datetime:
    return (at + timedelta(seconds=59)).replace(second=0, microsecond=0)


def _ask_when(talk: Conversation, words: str) -> None:
    s = talk.state
    _wait_for_it(s)
    talk.void()
    talk.say(s.words(words))


def _wait_for_it(s: State) -> None:
    """The open question is when to call."""
    s.when_asked += 1
    if "follow_up" in s.playbook.graph:
        enter(s, "follow_up")


def _vague(said: dates.Said) -> bool:
    """Several days, and no time: nobody knows when to ring."""
    return said.first is not None and said.last is not None and (said.last - said.first).days > 1 and said.clock is None


def _within(s: State, said: dates.Said) -> dates.Said:
    """A weekday named after "next week" lies in that week; an hour alone, in answer to a promise, on its day."""
    if s.promised and said.clock and said.first is None:
        day = s.promised.astimezone(ZoneInfo(s.brief.zone)).date()
        return replace(said, first=day, last=day)
    span = s.span
    if span is None or span.first is None:
        return said
    if said.first is None:
        return replace(said, first=span.first, last=span.first) if said.clock or said.part else said
    days = said.first
    while days < span.first:
        days += timedelta(7)
    return replace(said, first=days, last=days if said.last == said.first else said.last)


def promise(talk: Conversation, action: ev.CallBack, answer: Answer) -> None:
    """Tell them when they are called, by the rules as well as by their wish; who is told another moment than the one they
    named may name a better one."""
    s, speech = talk.state, talk.state.playbook.speech
    wished, due = action.at or s.now, answer.due or action.at or s.now
    due = _full_minute(due) if due - s.now > SOON else due
    if due - wished <= SOON or s.promised == due:  # or they heard of it already
        talk.close("call_back", s.words(speech.callback, time=_in_words(s, due)))
        return
    s.promised = due
    _wait_for_it(s)
    talk.say(s.words(speech.callback_moved, time=_in_words(s, due)), result=True)


def _in_words(s: State, at: datetime) -> str:
    """The moment of a call to come, as said now."""
    return "in a few minutes" if at - s.now <= SOON else s.time(at)
