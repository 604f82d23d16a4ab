"""How a conversation moves through the graph: the named conditions of exits, and the walk along them."""

from __future__ import annotations

from collections.abc import Callable

from ..reading import asks_move, is_denial
from ..wishes import asks_later, asks_person
from .state import State
from .turn import Reading

Condition = Callable[[State, Reading], bool]

_LONGEST_PATH = 40
"""Nodes of one talk that are kept, the last."""
_OPEN_INTENTS = {"answer", "wants_meeting", "picks_time", "names_time", "yes", "refuses_times"}

CONDITIONS: dict[str, Condition] = {
    "answered": lambda s, r: s.human and r.intent in _OPEN_INTENTS,
    "identified": lambda s, r: s.identified,
    "qualified": lambda s, r: s.qualified,
    "booked": lambda s, r: s.booking is not None and s.booking != s.brief.booking,
    "concern": lambda s, r: r.intent == "concern",
    "asks_person": lambda s, r: r.intent in ("person", "complaint") or asks_person(s.last_words),
    "later": lambda s, r: r.intent == "later" or (r.intent == "unclear" and asks_later(s.last_words)),
    "moving": lambda s, r: r.intent in ("move", "cancel") or (r.intent == "unclear" and asks_move(s.last_words)),
    "refused": lambda s, r: r.intent == "no" or (r.intent == "unclear" and is_denial(s.last_words)),
    "willing": lambda s, r: r.intent in _OPEN_INTENTS,
}
"""Every condition that a playbook's exits may name, by name."""


def advance(state: State, reading: Reading) -> list[str]:
    """Follow the exits whose conditions hold, in the playbook's order, and give the nodes entered. A detour that
    has nothing left to do, and no way out of its own, returns to where it came from. Bounded by the graph's size."""
    path: list[str] = []
    graph = state.playbook.graph
    if state.human and state.name and reading.intent in _OPEN_INTENTS:
        state.identified = True
    for _ in range(len(graph)):
        taken = next((e.to for e in state.here.exits if CONDITIONS[e.when](state, reading)), None)
        back = taken is None and state.node == "objection" and reading.intent != "concern"
        if back:
            taken = state.return_to or None
        if taken is None or taken == state.node or taken in path:
            break
        state.return_to = state.node if graph[taken].detour and not back else ""
        enter(state, taken)
        path.append(taken)
        if graph[taken].detour or taken in ("follow_up", "handoff"):
            break
    return path


def enter(state: State, node: str) -> None:
    """Be in ``node`` from now on."""
    if node != state.node:
        state.node = node
        state.node_turns = 0
        state.path.append(node)
        del state.path[:-_LONGEST_PATH]
