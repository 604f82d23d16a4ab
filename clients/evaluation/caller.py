"""The other side of a play: where it is in its script, what it meant by its words, and how it takes being misheard."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from workflows import events as ev
from workflows.conversation import dates, openings
from workflows.conversation.state import ReadBack, State
from workflows.conversation.understand import value_of
from workflows.reading import hesitates, is_confirmation, is_hesitating_yes

from .scenario import Turn

MOST_REPEATS = 3
"""How often in a row somebody says the same again, or answers the same question."""

_ASSENT = "Yes, that's right."


@dataclass
class Caller:
    """Somebody with a script of ``turns``."""

    turns: tuple[Turn, ...]
    index: int = 0
    said: int = 0
    """Words of theirs that were final."""
    true: str = ""
    """What they said last, as they said it."""
    meant: ev.Slot | None = None
    """The slot that they chose last among those offered."""
    talking_until: datetime | None = None
    free_at: datetime | None = None
    """Since when the floor is theirs."""
    quiet_from: datetime | None = None
    """Since when they are silent on purpose."""
    answered: dict[str, int] = field(default_factory=dict)
    misheard: bool = False
    """The recogniser took what they said last for something else."""
    reacted: int = 0
    """How often in a row they answered to having been misheard, instead of going on with their script."""

    @property
    def turn(self) -> Turn | None:
        """What their script has next; None when they have said all."""
        return self.turns[self.index] if self.index < len(self.turns) else None

    def chooses(self, true: str, state: State, now: datetime) -> None:
        """Note which of the offered times these words, rightly understood, choose."""
        picked = dates.choose(true, state.offered, state.brief.zone, now)
        if picked is None and len(state.offered) == 1 and is_confirmation(true):
            picked = state.offered[0]
        if picked is not None:
            self.meant = picked

    def reaction(self, state: State, said: str, booked: str, spoiled: bool) -> str:
        """What somebody says who notices that they were misheard, or whose choice is read back for no doubt of their own;
        "" when they go on with what they wanted to say. ``said`` is what we said since their last words, ``booked`` the
        slot that we booked last; a line that is not ``spoiled`` lets everybody be heard as they speak."""
        waits = state.read_back
        if not spoiled:
            routine = waits is not None and self._routine(state, waits) and self._was_meant(state, waits)
            return _ASSENT if routine else ""
        if self.reacted >= MOST_REPEATS or not self.true or state.closing:
            return ""
        if waits is not None and waits.spoken:
            if self._was_meant(state, waits):
                return _ASSENT
            return "No." if waits.about == "book" and self.meant is None else f"No. {self.true}"
        if booked and self.meant and self.meant.id != booked:
            return f"No, that is not the time I said. {self.true}"
        again = (state.playbook.speech.again, openings.which(state), state.here.fallback)
        asks_again = tuple(state.words(words) for words in again)
        return self.true if self.misheard and said.strip().endswith(asks_again) else ""

    def _routine(self, state: State, waits: ReadBack) -> bool:
        """Whether a time or a number is read back only because the recogniser never says how sure it is."""
        question = state.playbook.fields.get(waits.about)
        asked = waits.about == "book" or (question is not None and question.kind == "number")
        if not asked or not waits.spoken or not state.unsure or state.closing:
            return False
        return not (hesitates(self.true) or is_hesitating_yes(self.true))

    def _was_meant(self, state: State, waits: ReadBack) -> bool:
        if waits.about == "book":
            return self.meant is not None and self.meant.id == waits.value
        question = state.playbook.fields.get(waits.about)
        return question is not None and value_of(question, self.true) == waits.value
