"""Somebody who speaks another language than we do: offered a person who speaks theirs, and never argued with.

The languages and their words stand in the playbook. Who says so ("no hablo inglés") is believed at once. Words that only
sound like another language are met with the offer first, in that language: what was misheard goes on in English.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..events import HandOff
from ..reading import is_confirmation, is_denial
from ..speech import Language
from ..tokens import PUNCTUATION, bag, tokens
from . import ear, moves
from .exits import enter
from .state import State

if TYPE_CHECKING:
    from .core import Conversation

_FIRST_LINES = 3
"""Lines of theirs within which it shows what they speak."""
_FEWEST = 2
"""Different words that tell a language apart ..."""
_SHARE = 0.6
"""... and the part of all words that has to be of it."""
_ENGLISH = bag("a am as come dare die do e en he hat i il in is me no non o on per se si so son the they to was will y")
"""Words that English has too, or that are made of noise: they tell nothing apart."""
_SHORT = 3
"""Words of a yes or no that says nothing else."""
_WORDS = 300


def answered(talk: Conversation, text: str) -> bool:
    """Meet ``text`` if it shows that they speak another language; whether it did."""
    s = talk.state
    before, s.language = s.language, ""
    said = _said(text)
    if name := _named(s, said):
        _hand_over(talk, name, text)
        return True
    if before:
        known = s.playbook.languages[before]
        if is_confirmation(text) or not {"yes", *known.yes}.isdisjoint(said.split()) or _sounds_like(s, said) == before:
            _hand_over(talk, before, text)
            return True
        return False
    found = _asked_for(s, said)
    early = sum(line.who == "lead" for line in s.lines) <= _FIRST_LINES
    if not found and early and not _makes_sense(s, text):
        found = _sounds_like(s, said)
    if not found:
        return False
    s.language = found
    talk.void()
    talk.say(s.words(s.playbook.languages[found].offer))
    return True


def _hand_over(talk: Conversation, name: str, text: str) -> None:
    """A person who speaks it takes over, or calls them; the team is told which language that is."""
    s = talk.state
    s.language = name
    spoken = s.playbook.languages[name].name
    if "handoff" in s.playbook.graph:
        enter(s, "handoff")
    moves.attempt(talk, HandOff(why=f"speaks {spoken}: somebody who does should take over or call back", words=text[:_WORDS]))


def farewell(s: State) -> str:
    """What is said when a person takes over, in their language; "" where it is ours."""
    return s.words(s.playbook.languages[s.language].handoff) if s.language else ""


def _said(text: str) -> str:
    return " ".join(token for token in tokens(text) if token not in PUNCTUATION)


def _named(s: State, said: str) -> str:
    """The language that they say they speak, or ask for."""
    return next((name for name, known in s.playbook.languages.items() if _has(said, known)), "")


def _asked_for(s: State, said: str) -> str:
    """The language of which they ask whether we speak it: perhaps for somebody else's sake."""
    return next((name for name, known in s.playbook.languages.items() if f"you speak {known.name.lower()}" in said), "")


def _has(said: str, known: Language) -> bool:
    return any(f" {_said(cue)} " in f" {said} " for cue in known.cues) or said in known.alone


def _sounds_like(s: State, said: str) -> str:
    """The language of which most of their words are, if there are enough of them."""
    words = set(said.split())
    counts = {name: len(words.intersection(known.common) - _ENGLISH) for name, known in s.playbook.languages.items()}
    name = max(counts, key=lambda each: counts[each], default="")
    if not name or counts[name] < _FEWEST:
        return ""
    return name if len(words.intersection(s.playbook.languages[name].common)) >= _SHARE * len(words) else ""


def _makes_sense(s: State, text: str) -> bool:
    """Whether we understand it all the same: a wish, a time, a plain yes or no."""
    return bool(ear.wish(s)) or not ear.named(s).empty or ((is_confirmation(text) or is_denial(text)) and len(text.split()) <= _SHORT)
