"""What the model may say: times, numbers, names, promises and claims must stand in the facts of this state or in the
playbook's approved ones. Checked sentence by sentence, before a word is spoken.

The rule is an allow-list: a sentence passes when small talk covers it phrase by phrase (:mod:`.phrases`), or when what is
left over only asks about the lead, only says back what they told us, or stands in one approved text (:mod:`.facts`), its
times in the state (:mod:`.times`). Anything else is refused, however it is worded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..state import State
from .judge import Refusal, judge

__all__ = ["Ground", "refused", "sentences", "split_complete", "support"]

_SENTENCE = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|\n+")


@dataclass(frozen=True)
class Ground:
    """Why a sentence was refused: ``rule`` is time, number, name, promise, done, machine or claim."""

    sentence: str
    rule: str


def sentences(text: str) -> list[str]:
    """``text`` in sentences; a decimal point or an abbreviation inside one does not end it."""
    return [piece.strip() for piece in _SENTENCE.split(text) if piece and piece.strip()]


def split_complete(text: str) -> tuple[list[str], str]:
    """The sentences of a stream so far that are complete, and the rest."""
    ends = [match.end() for match in _SENTENCE.finditer(text)]
    if not ends:
        return [], text
    return sentences(text[: ends[-1]]), text[ends[-1] :]


def refused(state: State, sentence: str, before: str | None = None) -> Ground | None:
    """Why ``sentence`` may not be spoken, or None when it may. ``before`` is the sentence said right before it; where it is
    not given, the last one of our line that is being spoken."""
    try:
        judge(state, sentence, before)
    except Refusal as refusal:
        return Ground(sentence, refusal.rule)
    return None


def support(state: State, sentence: str, before: str | None = None) -> str:
    """What supports ``sentence``: "courtesy", or the names of what it stands on: ``fact:price``, ``objection:think``,
    ``field:team_size``, ``offered``, ``booking``, ``missed``, ``said`` (their own words), several joined by commas; ""
    when it is refused."""
    try:
        return judge(state, sentence, before)
    except Refusal:
        return ""
