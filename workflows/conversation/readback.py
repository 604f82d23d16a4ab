"""What was heard badly, or agreed to with doubt, is read back; only a clear yes makes it count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..events import Book, Learned, SendLink
from ..reading import is_confirmation, is_denial, is_hesitating_yes
from ..wishes import wish
from . import dates, moves, openings, spelled
from .signals import Tell
from .state import ReadBack, State
from .understand import keep, told, value_of

if TYPE_CHECKING:
    from .core import Conversation

_MOST = 3
"""Times that one thing is read back; then a person takes over."""


def ask(talk: Conversation) -> None:
    """Say what waits in ``state.read_back``, as it was understood, and ask for a yes."""
    s = talk.state
    waits = s.read_back
    if waits is None:
        return
    count = f"read back {waits.about}"
    s.asked_often[count] = s.asked_often.get(count, 0) + 1
    talk.void()
    if s.asked_often[count] > _MOST:
        s.read_back = None
        if _asks_in_writing(s, waits):
            moves.attempt(talk, SendLink(address=True))
            return
        moves.hand_off(
            talk, f"could not make out the {'time' if waits.about == 'book' else waits.about.replace('_', ' ')}"
        )
        return
    waits.spoken = s.words(s.playbook.speech.read_back, value=_aloud(s, waits))
    talk.say(waits.spoken)


def _asks_in_writing(s: State, waits: ReadBack) -> bool:
    """Whether they can be texted the question for an address, while the one on record holds."""
    question, person = s.playbook.fields.get(waits.about), s.brief.person
    mail = question is not None and question.kind == "email" and s.knows(waits.about)
    return mail and person is not None and bool(person.phone) and "address" in s.playbook.messages


def _aloud(s: State, waits: ReadBack) -> str:
    if waits.about == "book":
        slot = next((slot for slot in s.offered if slot.id == waits.value), None)
        return s.time(slot.start) if slot else ""
    return spelled.aloud(s.playbook.fields[waits.about].kind, waits.value)


def answered(talk: Conversation, text: str) -> bool:
    """Their answer to what was read back, if ``text`` is one: a clear yes makes it count, a correction takes its
    place, a no drops it. Words about something else leave it unsettled and undone."""
    s = talk.state
    waits = s.read_back
    if waits is None:
        return False
    if wish(text, s.name) not in ("", "maybe"):
        s.read_back = None
        return False
    if waits.about == "book":
        return _time(talk, waits, text)
    return _value(talk, waits, text)


def _time(talk: Conversation, waits: ReadBack, text: str) -> bool:
    s = talk.state
    picked = dates.choose(text, s.offered, s.brief.zone, s.now)
    if picked is not None and picked.id != waits.value:
        s.read_back = ReadBack(about="book", value=picked.id, quote=text)
        ask(talk)
        return True
    if _clear_yes(s, waits, text):
        s.read_back, s.agreed = None, waits.value
        moves.attempt(talk, Book(slot=waits.value), (waits.quote, text))
        return True
    if is_hesitating_yes(text):
        ask(talk)
        return True
    s.read_back = None
    if is_denial(text) and dates.read(text, s.brief.zone, s.now).empty:
        talk.void()
        talk.say(s.words(openings.which(s)))
        return True
    return False


def _value(talk: Conversation, waits: ReadBack, text: str) -> bool:
    s = talk.state
    question = s.playbook.fields[waits.about]
    corrected = value_of(question, text) if question.kind in ("email", "number", "name") else ""
    if corrected and corrected != waits.value and not is_confirmation(text):
        learned = Learned(field=waits.about, value=corrected, quote=text[:200])
        if s.doubtful or (question.kind == "email" and s.brief.channel == "call"):
            s.read_back = ReadBack(about=waits.about, value=corrected, quote=text)
            ask(talk)
            return True
    elif _clear_yes(s, waits, text) or (corrected == waits.value and not s.doubtful and not is_denial(text)):
        learned = Learned(field=waits.about, value=waits.value, quote=waits.quote[:200])
    elif is_denial(text) or is_hesitating_yes(text):
        s.read_back, s.last_asked = None, waits.about
        talk.void()
        talk.say(s.words(question.rephrase or question.ask))
        return True
    else:
        s.read_back = None
        return False
    s.read_back = None
    keep(s, learned)
    talk.put_out(Tell(told(s).model_copy(update={"learned": (learned,)})))
    moves.go_on(talk)
    return True


def _clear_yes(s: State, waits: ReadBack, text: str) -> bool:
    """A yes without doubt, to a question that they heard to its end."""
    return is_confirmation(text) and not is_hesitating_yes(text) and s.was_heard(waits.spoken)
