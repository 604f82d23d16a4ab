"""What is decided by local rules alone: at once, the same every time, with the model away or misled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..events import OptOut
from ..reading import (
    asks_person,
    asks_robot,
    is_confirmation,
    is_goodbye,
    is_menu,
    is_opt_out,
    is_screening,
    is_voicemail,
    is_wrong_person,
)
from . import moves
from .signals import KeepOptOut

if TYPE_CHECKING:
    from .core import Conversation


def decide(talk: Conversation, text: str) -> bool:
    """Decide on the lead's final words by rule, if a rule knows them; whether one did."""
    s, speech = talk.state, talk.playbook.speech
    if not s.human and s.brief.opening != "inbound":
        if is_screening(text):
            s.machine = "screening"
            talk.say(s.words(speech.screened))
            return True
        if is_voicemail(text) or is_menu(text):
            s.machine = "greeting"
            return True
    s.human, s.machine = True, ""
    if is_opt_out(text, spoken=True):
        opt_out(talk, text)
    elif asks_robot(text) and not asks_person(text):
        talk.say(s.words(speech.robot), last=False)
        talk.say(moves.next_question(s))
    elif is_wrong_person(text) and s.booking is None:
        moves.decline(talk, "wrong_person")
    else:
        return False
    return True


def late(talk: Conversation, text: str) -> None:
    """Words after our goodbye: an opt-out always counts; an open end may be taken up again."""
    s = talk.state
    if is_opt_out(text, spoken=True) and not s.opted_out:
        s.closing, s.outcome = "", ""
        opt_out(talk, text)
    elif s.soft_close and not is_goodbye(text) and not is_confirmation(text) and len(text.split()) > 2:
        s.closing, s.soft_close = "", False
        talk.ask()


def opt_out(talk: Conversation, words: str) -> None:
    """They said stop: made durable first, acknowledged then."""
    talk.state.opted_out = True
    moves.judge(talk, OptOut(words=words))
    talk.put_out(KeepOptOut(words))
    talk.perform(OptOut(words=words[:300]))
