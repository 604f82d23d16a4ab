"""Do we speak with the person on record? What stands in somebody's calendar is told, moved or cancelled only then.

The line is theirs in any case: we dialled the number on record, or were rung or texted from it. Who holds the phone is
known by the name: they give it, or say yes when they are asked for by it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from ..events import Booking
from ..reading import is_confirmation
from ..wishes import is_absent, is_wrong_person
from ..wording import first_name
from ..words import plain

if TYPE_CHECKING:
    from .state import State

_OWN_NAME = re.compile(
    r"\b(?i:this is|it's|it is|i'm|i am|my name is|my name's|name is|soy|me llamo) ([^\W\d_][\w']*)"
    r"|^(?i:(?:hi|hello|hey|yes|yeah|yep|no|um|uh)[,. ]+)*([^\W\d_][\w']*) (?i:here|speaking)\b"
)

_OUTRIGHT = re.compile(r"\b(?:yes|yeah|yep|yup|correct|speaking|that's me|it's me|it is|i am|si|sí)\b")
"""A yes from somebody who gave another name before: a mere "ah, right" is none."""


def passed(state: State) -> bool:
    """Whether the person on record is on the line, as far as the talk shows. What is written from their own number or
    address needs no name, unless two people are known to share it; somebody who gives another name fails until the
    right one is given, on every channel."""
    _hear(state)
    if state.brief.channel == "call" or state.brief.booked_for:
        return state.named
    return state.named or not state.another


def may_tell(state: State) -> bool:
    """Whether the meeting may be spoken of, moved or cancelled: they passed, or it was made in this very talk."""
    brief = state.brief
    return state.booking is None or state.booking != brief.booking or brief.booked_here or passed(state)


def tellable(state: State) -> Booking | None:
    """The meeting that stands, or was missed, if it may be spoken of: nothing else is told of anybody's calendar."""
    stands, missed = meetings(state)
    return stands if state.booking is not None else missed


def meetings(state: State) -> tuple[Booking | None, Booking | None]:
    """The meeting that stands and the one that was missed, each only as far as it may be spoken of."""
    stands = state.booking if may_tell(state) else None
    missed = state.brief.missed
    return stands, missed if missed is not None and passed(state) else None


def on_record(state: State) -> str:
    """The name that passes: whose the meeting is, where two share the number; else that of the form, or what an earlier
    talk learned."""
    person = state.brief.person
    return state.brief.booked_for or (person.name if person else "") or state.brief.learned.get("name", "")


def _hear(state: State) -> None:
    """Take in the lines that came since the last look, each once."""
    wanted = _bare(first_name(on_record(state)))
    asked = next((line.text for line in reversed(state.lines[: state.heard_lines]) if line.who == "agent"), "")
    for line in state.lines[state.heard_lines :]:
        if line.who == "agent":
            asked = line.text
        elif wanted:
            said = _given(line.text, wanted)
            if said is None and (is_wrong_person(line.text) or is_absent(line.text, state.name)):
                said = False
            if said is not None:
                state.named, state.another = said, not said
            elif _asked_for(asked, wanted, state.brief.opening == "inbound") and _says_yes(state, line.text):
                state.named = True
    state.heard_lines = len(state.lines)


def _says_yes(state: State, text: str) -> bool:
    """Whether ``text`` is their yes to the question for their name."""
    return is_confirmation(text) and (not state.another or bool(_OUTRIGHT.search(plain(text))))


def _given(text: str, wanted: str) -> bool | None:
    """Whether somebody says that this is their name (True), or another (False); None when they say none. Another name
    counts only where it is written as one: "I'm driving" is none."""
    other = False
    for found in _OWN_NAME.finditer(text.replace("’", "'")):
        name = found.group(1) or found.group(2)
        if _same(_bare(name), wanted):
            return True
        other = other or (name[0].isupper() and name != "I" and not found.group().lower().startswith(("i'm", "i am")))
    return False if other else None


def _asked_for(words: str, name: str, inbound: bool) -> bool:
    """Whether ``words`` of ours ask for them by name. Whom we dialled and greeted by name may answer any question of
    that greeting; who rings us is asked outright."""
    if "?" not in words:
        return False
    question = words if not inbound else words.rpartition("?")[0].rpartition(".")[2].rpartition("!")[2]
    return f" {name} " in f" {_bare(plain(question))} "


def _same(given: str, wanted: str) -> bool:
    """Dan and Daniel are one; Dana's husband is not Dana."""
    shorter, longer = sorted((given, wanted), key=len)
    return given == wanted or (len(shorter) >= 3 and longer.startswith(shorter) and "'" not in longer)


def same_person(one: str, other: str) -> bool:
    """Whether two full names begin as one person's do: Dan Reyes and Daniel Reyes, not Dana and Sam."""
    first, second = _bare(first_name(one)), _bare(first_name(other))
    return not first or not second or _same(first, second)


def _bare(name: str) -> str:
    """``name`` in lower case without its accents."""
    if name.isascii():
        return name.lower()
    parts = unicodedata.normalize("NFKD", name.lower())
    return "".join(c for c in parts if not unicodedata.combining(c))
