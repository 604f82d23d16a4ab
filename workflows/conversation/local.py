"""What is decided by local rules alone: at once, the same every time, with the model away or misled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..events import OptOut
from ..reading import is_confirmation, is_goodbye, is_greeting, is_opt_out, stalls
from ..wishes import asks_person, asks_recorded, asks_robot, wish
from . import addresses, branches, coming, elsewhere, language, machines, moves, readback
from .signals import KeepOptOut

if TYPE_CHECKING:
    from .core import Conversation
    from .state import State


_AT_ONCE = ("complaint", "person", "wrong_number")


def decide(talk: Conversation, text: str) -> bool:
    """Decide on the lead's final words by rule, if a rule knows them; whether one did."""
    s = talk.state
    if machines.heard(talk, text):
        return True
    s.human, s.machine = True, ""
    moved = s.pending is None and elsewhere.noted(s, text)
    if is_opt_out(text, spoken=True):
        opt_out(talk, text)
    elif asks_recorded(text) and s.brief.channel == "call":
        disclose(talk, talk.playbook.speech.recording)
    elif asks_robot(text) and not asks_person(text):
        disclose(talk)
    elif s.pending is not None:
        return False  # its result comes first; then these words are understood
    elif is_greeting(text) and s.brief.channel == "call":
        _greeted(talk)
    elif stalls(text) and s.brief.channel == "call":
        s.stalled = True
        talk.say(s.words(talk.playbook.speech.wait))
    else:
        return branches.calmed(talk, text) or _wish(talk, text) or language.answered(talk, text) or coming.answered(talk, text) or readback.answered(talk, text) or addresses.taken(talk, text) or (moved and elsewhere.told(talk, text))
    return True


def knows(s: State, text: str) -> bool:
    """Whether a rule would decide on these words, were they final; nothing is done about them."""
    if is_opt_out(text, spoken=True) or asks_robot(text):
        return True
    if not s.human and machines.kind(text):
        return True
    return wish(text, s.name) in _AT_ONCE


def _wish(talk: Conversation, text: str) -> bool:
    """A wish that brooks no delay and needs no model."""
    s = talk.state
    asked = wish(text, s.name)
    if asked == "complaint":
        branches.complain(talk)
    elif asked == "person":
        branches.person(talk, "asked for a person")
    elif asked == "wrong_number" and s.booking is None:
        moves.decline(talk, "wrong_person")
    else:
        return False
    return True


def _greeted(talk: Conversation) -> None:
    """Somebody picked up, or is not sure that anybody is there: they hear where we are, unless that is on its way."""
    s = talk.state
    if s.floor.until is None or s.floor.until <= s.now:
        talk.say(moves.next_question(s))


def disclose(talk: Conversation, what: str = "") -> None:
    """It is a machine that speaks, or ``what`` else is never denied. The talk goes on where it was."""
    s = talk.state
    talk.void()
    talk.say(s.words(what or talk.playbook.speech.robot), last=False)
    talk.say(moves.next_question(s))


def late(talk: Conversation, text: str) -> None:
    """Words after our goodbye: an opt-out always counts; an open end may be taken up again."""
    s = talk.state
    if is_opt_out(text, spoken=True) and not s.opted_out:
        s.closing, s.outcome = "", ""
        opt_out(talk, text)
    elif machines.late(talk, text):
        pass
    elif s.soft_close and not is_goodbye(text) and not is_confirmation(text) and len(text.split()) > 2:
        s.closing, s.soft_close = "", False
        talk.ask()


def opt_out(talk: Conversation, words: str) -> None:
    """They said stop: made durable first, acknowledged then."""
    talk.state.opted_out = True
    moves.judge(talk, OptOut(words=words))
    talk.put_out(KeepOptOut(words))
    talk.perform(OptOut(words=words[:300]))
