"""Voicemail, call screening, phone menus and fax: told by the carrier and by the words, met by policy.

A person's words win over what the carrier believes until the tone is heard. One message is left, where the cadence's
touch has one, after the greeting and never over it; a screening is told in one line who calls and why, a menu gets the
one key that leads to a person, and both are then waited for in silence, up to a bound.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from ..greetings import (
    is_acknowledged,
    is_holding,
    is_live,
    is_menu,
    is_screening,
    is_voicemail,
    key_for,
    takes_no_message,
)
from ..reading import is_confirmation, is_opt_out, merely_agrees
from ..wishes import asks_person, asks_robot, is_wrong_person
from .moments import note
from .openings import opening, voicemail
from .signals import Press

if TYPE_CHECKING:
    from .core import Conversation
    from .state import State

_MOST_TOLD = 2
"""How often a screening is told who calls."""
_STRANGERS = 3
"""So many utterances that answer nothing of ours may still be a machine's."""


def kind(text: str) -> str:
    """The kind of machine that says ``text``: screening, voicemail or menu; "" when it shows none."""
    if is_screening(text):
        return "screening"
    if is_voicemail(text):
        return "voicemail"
    return "menu" if is_menu(text) else ""


# ---- from the carrier ------------------------------------------------------------------------------------------------


def answered_by(talk: Conversation, who: str) -> None:
    """The carrier's detection: human, machine_start, machine_end_beep, machine_end_silence, machine_end_other, fax,
    unknown."""
    s = talk.state
    if who == "fax" and not s.human:
        talk.close("fax", outcome="screened")
        talk.end()
    elif who == "human" and s.machine == "suspected":
        s.machine = ""
    elif who == "machine_start" and not (s.human or s.machine or s.closing):
        s.machine, s.machine_at = "suspected", s.now
    elif who.startswith("machine_end"):
        _greeting_over(talk, tone=who == "machine_end_beep")


def _greeting_over(talk: Conversation, tone: bool) -> None:
    s = talk.state
    s.toned = s.toned or tone
    if s.closing or s.machine in ("screening", "menu") or (s.human and not (tone and _unanswered(s))):
        return
    if tone or (s.machine == "greeting" and not s.floor.theirs):
        leave_message(talk)
    elif not s.machine or s.machine == "suspected":
        # Only silence after it, which a person waits in too: what was said may still be on its way.
        s.machine, s.machine_at, s.greeted = "suspected", s.now, True


# ---- from the words --------------------------------------------------------------------------------------------------


def heard(talk: Conversation, text: str) -> bool:
    """Decide on final words where a machine, or somebody who only picked up, may be speaking; whether that was done."""
    s = talk.state
    if s.brief.attempt.startswith("in-"):
        return False  # who rings us is a person
    found = kind(text)
    if found and not (s.human and not _unanswered(s)):
        s.human = False
        _ACTS[found](talk, text)
        return True
    if s.human:
        return _unanswered(s) and is_holding(text) and not merely_agrees(text)
    if s.machine in ("greeting", "suspected") and not is_live(text):
        return True  # more of it, or somebody whose next words will tell
    if s.machine in ("screening", "menu") and (is_holding(text) or is_acknowledged(text)):
        if s.machine == "screening" and not s.was_heard(_purpose(s)):
            _tell_who_calls(talk)
        return True
    return _person(talk, text)


def late(talk: Conversation, text: str) -> bool:
    """Words while the message is being left: before the tone they may be a person's, or show that the greeting still
    goes on. Whether they were decided on."""
    s = talk.state
    if s.machine != "voicemail" or s.toned:
        return False
    if is_live(text):
        s.closing, s.outcome, s.soft_close = "", "", False
        return _person(talk, text)
    if is_voicemail(text) and not s.restarted:
        s.restarted = True
        s.closing, s.outcome, s.soft_close = "", "", False
        s.machine, s.machine_at = "greeting", s.now
        return True
    return False


def _person(talk: Conversation, text: str) -> bool:
    """Somebody is there. After a machine they have heard nothing of us yet: the opening comes first, unless what they
    say has a rule of its own."""
    s = talk.state
    met = s.machine in ("screening", "menu", "greeting", "voicemail")
    s.human, s.machine = True, ""
    if not met or is_opt_out(text, spoken=True) or asks_robot(text) or is_wrong_person(text) or asks_person(text):
        return not met and is_holding(text) and not merely_agrees(text)
    talk.say(opening(s))
    return True


def _screening(talk: Conversation, text: str) -> None:
    s = talk.state
    if s.machine != "screening":
        note(s, "screening")
    s.machine, s.machine_at = "screening", s.now
    _tell_who_calls(talk)


def _tell_who_calls(talk: Conversation) -> None:
    s = talk.state
    if s.told < _MOST_TOLD:
        s.told += 1
        talk.say(_purpose(s))


def _purpose(s: State) -> str:
    return s.words(s.playbook.speech.screened)


def _greeting(talk: Conversation, text: str) -> None:
    s = talk.state
    if s.machine != "greeting":
        note(s, "machine", detail="words")
    s.machine, s.machine_at = "greeting", s.now
    if takes_no_message(text):
        talk.close("voicemail", outcome="voicemail")


def _menu(talk: Conversation, text: str) -> None:
    s = talk.state
    if s.pressed:
        _unreached(talk)  # the next one of them: nobody is reached that way
        return
    if s.machine != "menu":
        note(s, "machine", detail="menu")
    s.machine, s.machine_at = "menu", s.now
    s.menu = f"{s.menu} {text}".strip()
    key = key_for(s.menu, s.playbook.call.machines.operator)
    if key:
        s.pressed = key
        talk.put_out(Press(key))


_ACTS: dict[str, Callable[[Conversation, str], None]] = {
    "screening": _screening,
    "voicemail": _greeting,
    "menu": _menu,
}


# ---- in time ---------------------------------------------------------------------------------------------------------


def due(s: State) -> tuple[datetime, Callable[[Conversation], None]] | None:
    """What the machine's silence leads to, and when; None when none is on the line."""
    times, sign = s.playbook.call.machines, max(filter(None, (s.machine_at, s.floor.sign_at)), default=s.began)
    quiet = max(sign, s.floor.until or sign)
    if s.machine == "greeting":
        return sign + times.tone, leave_message
    if s.machine == "screening" or (s.machine == "menu" and s.pressed):
        return quiet + times.hold, _unreached
    if s.machine == "menu":
        return sign + times.tone, _unreached
    if s.machine == "suspected" and _lead_lines(s):
        return sign + times.tone, _taken_for_a_person
    if s.machine == "suspected":
        return sign + (times.tone if s.greeted else times.greeting), leave_message
    return None


def leave_message(talk: Conversation) -> None:
    """Leave what this touch leaves on a machine, and end; once the tone was heard nothing may cut it short."""
    s = talk.state
    s.machine = "voicemail"
    s.floor.give()
    s.floor.cut = ""
    talk.close("voicemail", voicemail(s), outcome="voicemail", interruptible=not s.toned)


def _unreached(talk: Conversation) -> None:
    """Nobody came to the telephone."""
    talk.close(talk.state.machine, outcome="screened")


def _taken_for_a_person(talk: Conversation) -> None:
    """They said something, and wait: no machine does."""
    s = talk.state
    s.human, s.machine = True, ""
    talk.ask()


# ---- what is known ---------------------------------------------------------------------------------------------------


def _lead_lines(s: State) -> list[str]:
    return [line.text for line in s.lines if line.who == "lead"]


def _unanswered(s: State) -> bool:
    """Whether nothing that was said answers us: a recording could have said it too."""
    said = _lead_lines(s)
    if any(s.learned.get(field) != s.brief.learned.get(field, s.learned[field]) for field in s.learned):
        return False
    return len(said) <= _STRANGERS and not any(map(is_confirmation, said))
