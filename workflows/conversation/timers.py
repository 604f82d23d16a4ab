"""When something is due although nobody said anything, and what is done then.

:func:`due` names the next thing and its time; :func:`tick` does all that have come. Each takes away its own reason, so
that the next is always later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from . import early, hearing, machines, silence
from .moments import note
from .state import Pending, State, Turn

if TYPE_CHECKING:
    from .core import Conversation

_LINGER = timedelta(milliseconds=300)
"""From the end of our last words to closing the line."""
_LATE = timedelta(seconds=8)
"""Speech that the carrier never reports as ended is over this long after it should have been."""
_AT_ONCE = 8
"""Things that may be due at the same instant."""

Act = Callable[["Conversation"], None]


def wake_at(s: State) -> datetime | None:
    """When :func:`tick` is due next; None when the conversation is over."""
    return None if s.over else min(at for at, _ in _timers(s))


def tick(talk: Conversation, at: datetime) -> None:
    """Do what is due at ``at``."""
    for _ in range(_AT_ONCE):
        if talk.state.over:
            return
        due, act = min(_timers(talk.state), key=lambda timer: timer[0])
        if due > at:
            return
        act(talk)


def _timers(s: State) -> Iterator[tuple[datetime, Act]]:
    f, call = s.floor, s.playbook.call
    limit = s.began + call.longest
    if s.closing:
        if f.theirs and _heard_out(s) < limit + _LATE:
            yield _heard_out(s), hearing.gave_up if f.partial else hearing.resume
        else:
            yield min(_ours_over(s), limit + _LATE), _end
        return
    yield limit, _too_long
    if f.lost:
        return
    if not f.theirs and (awaited := machines.due(s)) is not None:
        yield awaited
        return
    if s.keys and s.key_at is not None:
        yield s.key_at + call.key_gap, hearing.keyed
    if f.theirs:
        yield _heard_out(s), hearing.gave_up if f.partial else hearing.resume
        if (stable := early.due(s)) is not None:
            yield stable, early.ask
        return
    if s.asked is not None:
        yield from _turn(s, s.asked)
    elif s.pending is not None:
        if (filler := _filler(s, s.pending)) is not None:
            yield filler, _fill
    else:
        yield _silent_since(s) + silence.patience(s), _silence


def _turn(s: State, turn: Turn) -> Iterator[tuple[datetime, Act]]:
    call, at = s.playbook.call, turn.at or s.now
    if turn.decided:
        yield at + 2 * call.decide_within, _fall_back
        return
    yield at + call.decide_within, _fall_back
    if (filler := _filler(s, turn)) is not None:
        yield filler, _fill


def _filler(s: State, wait: Turn | Pending) -> datetime | None:
    """When the wait is bridged; None when it was, or when there are no words for it."""
    if wait.filled or not s.playbook.speech.filler:
        return None
    begun = wait.at or s.now
    return max(begun, s.floor.until or begun) + s.playbook.call.filler_after


# ---- what is done ----------------------------------------------------------------------------------------------------


def _end(talk: Conversation) -> None:
    talk.end()


def _too_long(talk: Conversation) -> None:
    s = talk.state
    note(s, "longest", s.now - s.began)
    s.pending = None
    early.drop(talk)
    talk.close("too long", s.words(talk.playbook.speech.too_long), outcome="" if s.human else "silent")


def _fill(talk: Conversation) -> None:
    """Say that it takes a moment; what is waited for may cut it off."""
    s = talk.state
    wait = s.asked or s.pending
    if wait is None:
        return
    wait.filled = True
    note(s, "filler")
    words = talk.playbook.speech.filler
    talk.bridge(s.words(words[s.fillers % len(words)]))
    s.fillers += 1


def _fall_back(talk: Conversation) -> None:
    """The model takes too long: local rules decide, and the playbook's words are said."""
    s = talk.state
    turn = s.asked
    if turn is None:
        return
    talk.give_up(turn)


def _silence(talk: Conversation) -> None:
    s = talk.state
    note(s, "silence", s.now - _silent_since(s), detail=f"{s.node} {s.quiet}")
    text, last = silence.prompt(s)
    s.quiet, s.quiet_at = s.quiet + 1, s.now
    if last:
        talk.close("silence", text)
    elif text:
        talk.say(text)


# ---- since when ------------------------------------------------------------------------------------------------------


def _ours_over(s: State) -> datetime:
    f = s.floor
    return (f.until or s.now) + (_LATE if f.playing else _LINGER)


def _silent_since(s: State) -> datetime:
    f = s.floor
    ours = _ours_over(s) if f.playing else (f.until or s.began)
    return max(ours, f.sign_at or s.began, s.quiet_at or s.began)


def _heard_out(s: State) -> datetime:
    """When it is clear that no words, or no more of them, come."""
    f, call = s.floor, s.playbook.call
    if f.partial and f.partial_at is not None:
        return f.partial_at + call.final_within
    sign = f.sign_at or s.now
    if f.ceased and not f.interrupted:
        return sign + call.words_within
    return sign + call.resume
