"""An e-mail address that they give without being asked for it: read back, and theirs after a clear yes.

What cannot be made out by ear is asked for in writing, where an address is on record that holds until then.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .. import events as ev
from ..reading import is_confirmation, is_denial
from ..tokens import tokens
from . import branches, ear, identity, moves, readback, spelled
from .signals import Tell
from .state import ReadBack, State
from .understand import keep, told

if TYPE_CHECKING:
    from .core import Conversation

_ABOUT = re.compile(r"\b(?:emails?|address|mail|invit\w*|inbox|write to|reach me|(?:send|use) (?:it|that|this|them) (?:to|at)|use)\b")
_OTHER = re.compile(
    r"\b(?:(?:another|different|other|new|wrong|old|correct|right) (?:\w+ )?(?:email|mail address|inbox)"
    r"|(?:email|mail address|invit\w*) (?:\w+ ){0,4}(?:wrong|old|incorrect|somewhere else|not (?:right|correct|mine)))\b"
)
_WANTED = re.compile(r"\b(?:send|use|invit\w*|write|my|mine|change|update|put)\b")
"""Said with it where they mean theirs, and not what their mail is like."""
_ANOTHERS = re.compile(
    r"\b(?:colleagues?|co ?workers?|boss|manager|partner|wife|husband|assistant|him|her|his|their|them|someone|somebody|team|cc|copy)\b"
)
_MINE = re.compile(r"\b(?:my|mine|our|i)\b")
_LINES = 2
"""Lines of theirs in which it shows that they speak of somebody else."""


def taken(talk: Conversation, text: str) -> bool:
    """Take up an address of theirs that ``text`` gives, or the wish for another one than that on record; whether it was met."""
    s = talk.state
    field = next((name for name, question in s.playbook.fields.items() if question.kind == "email"), "")
    if not field or s.referring or s.node == "handoff" or s.brief.channel == "email":
        return False
    address = spelled.email_in(text)
    if address and _is_anothers(s, text):
        if not spelled.is_only_email(text):
            return False
        branches.ask_person(talk, f"They gave the e-mail address of somebody else: {address}")
        return True
    if address and _is_for_us(s, field, text):
        return _given(talk, field, address, text)
    said = " ".join(tokens(text))
    if not address and _OTHER.search(said) and _WANTED.search(said) and not _ANOTHERS.search(said) and s.knows(field):
        _choose(s)
        s.last_asked = field
        talk.void()
        talk.say(s.words(s.playbook.fields[field].ask))
        return True
    return _goes_on_without(talk, text)


def _is_anothers(s: State, text: str) -> bool:
    """Whether they speak of somebody else, who is to be invited too, or instead."""
    said = " ".join(tokens(text))
    lately = [" ".join(tokens(line.text)) for line in s.lines if line.who == "lead"][-_LINES:]
    return any(_ANOTHERS.search(line) for line in lately) and not (_ABOUT.search(said) and _MINE.search(said))


def _is_for_us(s: State, field: str, text: str) -> bool:
    """Whether an address is given as one to write to, and does not only stand in what they tell."""
    said = " ".join(tokens(text))
    ours = next((line.text for line in reversed(s.lines) if line.who == "agent"), "")
    asked = s.last_asked == field or bool(_ABOUT.search(" ".join(tokens(ours))))
    return asked or "@" in text or bool(_ABOUT.search(said)) or spelled.is_only_email(text)


def _given(talk: Conversation, field: str, address: str, text: str) -> bool:
    s = talk.state
    if not s.knows(field) and s.last_asked == field:
        return False  # the answer to our question
    if s.learned.get(field) == address or (s.booking is not None and not identity.may_tell(s)):
        return False
    if s.brief.channel != "call":  # written, it is what it is
        learned = ev.Learned(field=field, value=address, quote=text[:200], source="texted")
        keep(s, learned)
        talk.put_out(Tell(told(s).model_copy(update={"learned": (learned,)})))
        return False
    _choose(s)
    s.read_back = ReadBack(about=field, value=address, quote=text)
    readback.ask(talk)
    return True


def _choose(s: State) -> None:
    """Remember the time that they chose with the same words: it is booked once the address is settled."""
    picked = ear.picked(s)
    if picked is not None and "book" in s.allowed and not s.doubtful:
        s.chosen = picked.id


def _goes_on_without(talk: Conversation, text: str) -> bool:
    """They chose a time, were asked for an address, and give none: the one on record does."""
    s = talk.state
    if not s.chosen or s.read_back is not None:
        return False
    if is_denial(text) or is_confirmation(text):
        s.last_asked = ""
        moves.go_on(talk)
        return True
    s.chosen = ""
    return False
