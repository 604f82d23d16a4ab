"""What depends on the playbook alone, worked out once for each playbook and shared by all its calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..playbook import Playbook
from ..words import Cues
from .prompt import instruction
from .turn import schema

_MOST = 64
"""Playbooks that are remembered; a process has a few."""


@dataclass(slots=True)
class Prepared:
    playbook: Playbook
    instruction: str
    """The fixed part of what the model is told."""
    waiting: tuple[str, ...]
    """Words of ours that only bridge a wait: who says them has not answered."""
    bridging: frozenset[str]
    """Those words, and every beginning of them."""
    facts: Cues
    """By the name of an approved fact, the words that ask for it."""
    concerns: Cues
    """By the name of an objection, the words that raise it."""
    _schemas: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict)

    def schema(self, actions: tuple[str, ...]) -> dict[str, Any]:
        """The turn's schema for these actions; not to be changed."""
        found = self._schemas.get(actions)
        if found is None:
            found = self._schemas[actions] = schema(self.playbook, actions)
        return found


_known: dict[int, Prepared] = {}


def prepared(playbook: Playbook) -> Prepared:
    """The one of ``playbook``; the object itself is the key, for a playbook is never changed."""
    found = _known.get(id(playbook))
    if found is None:
        if len(_known) >= _MOST:
            _known.pop(next(iter(_known)))
        waiting = (*playbook.speech.filler, playbook.speech.moment)
        bridging = frozenset(words[:upto] for words in waiting for upto in range(len(words) + 1))
        facts = Cues({name: fact.cues for name, fact in playbook.facts.items()})
        concerns = Cues({name: objection.cues for name, objection in playbook.objections.items()})
        found = _known[id(playbook)] = Prepared(playbook, instruction(playbook), waiting, bridging, facts, concerns)
    return found
