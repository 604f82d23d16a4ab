"""They are somewhere else than at home: their times are theirs there, and are said with the name of that time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import dates, ear, moves, openings
from .ear import Ear
from .state import State

if TYPE_CHECKING:
    from .core import Conversation


def noted(s: State, text: str) -> bool:
    """Note where they say that they are; whether the clock there is another than so far."""
    zone = dates.whereabouts(text)
    if not zone or dates.same_clock(zone, s.brief.zone, s.now):
        return False
    back = dates.same_clock(zone, s.home, s.now)
    s.brief = s.brief.model_copy(update={"zone": s.home if back else zone})
    s.ear = Ear()
    return True


def told(talk: Conversation, text: str) -> bool:
    """Tell the times that are on the table anew, by the other clock, unless they go on to choose or name one."""
    s = talk.state
    if _names_more(s):
        return False
    if s.heard_offers:
        talk.void()
        talk.say(s.words(openings.offer(s)), result=True)
        return True
    if s.booking is not None and "?" in text:
        moves.reveal(talk)
        return True
    return False


def _names_more(s: State) -> bool:
    """Whether these words choose a time, or name one by the clock."""
    return ear.picked(s) is not None or ear.named(s).clock is not None
