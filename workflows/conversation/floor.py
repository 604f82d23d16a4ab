"""The floor: who speaks, what we had planned to say, and how much of it was heard.

There is one of these in the state, and every part of the call looks at it: barge-in, silence, the action that waits,
and the timings. What is planned and heard of our speech is our open line in the transcript; the rest stands here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

PACE = 15.0
"""Characters of speech in a second, where the carrier does not tell when ours ended."""
_SENTENCE = re.compile(r"[.!?][\"')]*\s+")


@dataclass(slots=True)
class Floor:
    """Instants are UTC. Ours: ``playing`` to ``resumed``. Theirs: from ``theirs`` on."""

    playing: bool = False
    """The carrier says that our speech is being played."""
    since: datetime | None = None
    """Since when."""
    until: datetime | None = None
    """When what we said has been, or should be, played to its end."""
    open: bool = False
    """Our last line may still grow."""
    safe: int = 0
    """So many characters of it were played before what is being played now."""
    played: str = ""
    """What the carrier says was played after them."""
    behind: bool = False
    """Something else was being played when it was begun."""
    tells: bool = False
    """The carrier does say what it played."""
    interrupted: bool = False
    """They broke in, and what they want is not understood yet."""
    cut: str = ""
    """What was cut off, from the beginning of the sentence that was not fully heard."""
    missed: str = ""
    """What their last words cut off."""
    cut_result: bool = False
    """A result was among it."""
    resumed: int = 0
    """How often we went on after a false interruption since their last words."""
    theirs: bool = False
    """They speak, or began to."""
    began: datetime | None = None
    """Since when."""
    sign_at: datetime | None = None
    """The newest sign of them: sound, words, a key."""
    ceased: bool = False
    """They ceased to make sounds; their words may still be on the way."""
    over_us: bool = False
    """They began while we were being played."""
    partial: str = ""
    """Their words so far."""
    partials: int = 0
    partial_at: datetime | None = None
    """When the newest partial transcript came ..."""
    stable_at: datetime | None = None
    """... and since when it has said the same."""
    again: bool = False
    """It said the same as the one before it."""
    guesses: int = 0
    """How often the model was asked early in this turn of theirs."""
    lost: bool = False
    """Nobody can hear anybody."""
    rejoined_at: datetime | None = None
    held: list[Any] = field(default_factory=list)
    """Inputs (of the model, of the lead's ledger) that wait until it is clear what the other side wants."""

    @property
    def taken(self) -> bool:
        """Whether nothing may be begun now: they speak, or nobody would hear it."""
        return self.theirs or self.lost

    def take(self, now: datetime) -> None:
        """The other side is heard."""
        if not self.theirs:
            self.theirs, self.began, self.over_us = True, now, self.playing
        self.sign_at, self.ceased = now, False

    def give(self) -> None:
        """They are done: whatever they wanted is known."""
        self.theirs = self.interrupted = self.ceased = self.over_us = self.again = False
        self.began = self.partial_at = self.stable_at = None
        self.partial, self.partials, self.guesses = "", 0, 0

    def shut(self, line: str) -> str:
        """What is played now is over: all of ``line``, our open one, was heard, unless the carrier tells that it was not
        all of it, or speaks of what was played before it. What is left is still to come."""
        upto = len(line)
        if self.played:
            upto = kept(line, self.safe, self.played)
        elif self.behind and self.tells:
            upto = self.safe
        left = line[upto:] if rest(line, upto) else ""
        self.safe, self.played, self.behind = len(line) - len(left), "", False
        return left

    def reached(self, line: str, now: datetime) -> int:
        """How many characters of ``line``, our open one, are played by ``now``: as the carrier reports, else by the
        clock."""
        if self.played:
            return kept(line, self.safe, self.played)
        if not self.playing or self.since is None:
            return len(line)
        return min(self.safe + int((now - self.since).total_seconds() * PACE), len(line))


def kept(line: str, safe: int, heard: str) -> int:
    """How many characters of ``line`` were heard, when ``heard`` is what was played of it after its first ``safe``."""
    if not heard:
        return min(safe, len(line))
    at = line.find(heard, safe)
    if at < 0:
        at = line.rfind(heard)
    return at + len(heard) if at >= 0 else min(safe + len(heard), len(line))


def rest(line: str, upto: int) -> str:
    """What is missing of ``line`` after its first ``upto`` characters, from the beginning of its sentence."""
    if not line[upto:].strip(" .,;:!?\"')"):
        return ""
    begin = 0
    for end in _SENTENCE.finditer(line):
        if end.end() > upto + 1:
            break
        begin = end.end()
    return line[begin:].strip()


def asked(line: str, upto: int, part: float) -> bool:
    """Whether a question was heard in the first ``upto`` characters of ``line``: to its end, or ``part`` of it."""
    begin = 0
    for end in [*(m.end() for m in _SENTENCE.finditer(line)), len(line)]:
        sentence = line[begin:end].rstrip()
        if sentence.endswith("?") and upto - begin >= len(sentence) * part:
            return True
        begin = end
    return False


def first_sentence(text: str) -> str:
    """``text`` to the end of its first sentence."""
    end = _SENTENCE.search(text)
    return (text[: end.end()] if end else text).strip()


def last_sentence(text: str) -> str:
    """``text`` from the beginning of its last sentence, which may be cut."""
    ends = [end.end() for end in _SENTENCE.finditer(text)]
    return text[ends[-1] :] if ends else text


def speech(text: str) -> timedelta:
    """About how long ``text`` takes to say."""
    return timedelta(seconds=len(text) / PACE)
