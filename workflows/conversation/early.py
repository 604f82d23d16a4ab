"""Asking the model early, on words that will probably stay as they are, so that its answer is there when they are final.

Nothing of that answer is used before: its inputs are kept, and taken in once the final words turn out to be the same, in
the same place of the graph. Otherwise they are dropped.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ..events import Line
from ..reading import is_backchannel, is_greeting
from ..words import plain
from . import local, signals
from .state import Guess, State

if TYPE_CHECKING:
    from .core import Conversation

_MOST = 2
"""Early requests for one turn of theirs."""


def due(s: State) -> datetime | None:
    """When their words so far will have stayed the same for long enough; None when the model is not asked on them."""
    f, call = s.floor, s.playbook.call
    if not call.speculate or not f.partial or f.stable_at is None or f.guesses >= _MOST:
        return None
    if s.pending or s.closing or s.opted_out or s.machine or f.playing or f.lost or s.owed:
        return None
    if s.guess is not None and s.guess.words == _so_far(s):
        return None
    return f.stable_at + call.stable


def ask(talk: Conversation) -> None:
    """Ask the model as if their words so far were final, unless it will not be asked on them at all."""
    s, f = talk.state, talk.state.floor
    f.guesses += 1
    if is_backchannel(f.partial) or is_greeting(f.partial) or local.knows(s, f.partial):
        return
    talk.void()
    drop(talk)
    so_far = _so_far(s)
    s.turn_no += 1
    s.lines.append(Line(who="lead", text=f.partial, at=s.now))
    turn = talk.request(speculative=True)
    s.lines.pop()
    s.guess = Guess(turn, so_far, s.node)


def adopt(talk: Conversation) -> bool:
    """Use what was asked early, if it was asked on just these words in just this place; whether it was."""
    s = talk.state
    guess = s.guess
    if guess is None or guess.words != plain(s.last_words):
        return False
    if guess.node != s.node or guess.turn.actions != s.allowed:
        return False
    s.guess, s.asked = None, guess.turn
    guess.turn.version, guess.turn.at = s.version, s.now
    for event in guess.held:
        talk.take(event)
    return True


def drop(talk: Conversation) -> None:
    """What was asked on words that have changed is stale."""
    s = talk.state
    guess, s.guess = s.guess, None
    if guess is None:
        return
    talk.put_out(signals.Hush(guess.turn.id))
    for event in guess.held:
        if isinstance(event, signals.Finished | signals.Failed):
            s.tokens_in += event.tokens_in
            s.tokens_out += event.tokens_out


def _so_far(s: State) -> str:
    return plain(f"{s.last_words} {s.floor.partial}")
