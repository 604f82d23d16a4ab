"""What is done in place of an action that was denied: the playbook's next best.

``playbook.instead`` names it by action and rule; each time that the same is denied again in one talk the next of the
list comes, so that no two denials sound alike for long and the last of them is a person. Nothing here reveals what was
denied: without a known identity the link goes to the address on record, and no time is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..events import Action, HandOff, SendLink, Verdict
from ..messages import Answer
from ..playbook import Instead
from ..reading import is_confirmation
from . import ear, identity, moves, openings
from .exits import enter
from .state import State
from .turn import Reading

if TYPE_CHECKING:
    from .core import Conversation

LAST: tuple[Instead, ...] = ("question", "question", "person")
"""For a denial of which the playbook says nothing."""
_AIMS = frozenset({"offer_slots", "book", "cancel", "decline", "call_back", "refer"})
"""What a talk is about: once it is left to a person, there is nothing more to ask for here."""
_SHORT = 6
"""Words of a yes that says nothing else."""


class Best(NamedTuple):
    """``words`` are said first, rendered; ``action`` is then judged and performed like any other. ``question``: the
    open question follows, in the words of :func:`.moves.next_question`. ``keeps``: the denied action is tried again once
    they have said who they are (``state.wanted``)."""

    do: Instead
    words: str = ""
    action: Action | None = None
    question: bool = False
    keeps: bool = False


def next_best(state: State, verdict: Verdict) -> Best:
    """The next best thing to the action of ``verdict``, a denial that stands among ``state.verdicts`` already."""
    ways = _ways(state, verdict)
    before = sum(1 for v in state.verdicts if (v.action, v.rule) == (verdict.action, verdict.rule)) - 1
    for way in ways[min(max(before, 0), len(ways) - 1) :]:
        if best := _best(state, way):
            return best
    return Best("person", action=_person(state, verdict))


def _ways(state: State, verdict: Verdict) -> tuple[Instead, ...]:
    known = state.playbook.instead
    names = (f"{verdict.action}.{verdict.rule}", verdict.rule, verdict.action)
    return next((known[name] for name in names if known.get(name)), LAST)


def _best(state: State, way: Instead) -> Best | None:
    """The way as it can be gone now; None when it cannot."""
    speech = state.playbook.speech
    match way:
        case "question":
            return Best(way, question=True)
        case "which":
            return Best(way, state.words(openings.which(state))) if state.offered else Best(way, question=True)
        case "when":
            return Best(way, state.words(speech.when))
        case "sure":
            return Best(way, state.words(speech.sure))
        case "identity":
            name = identity.on_record(state)
            return Best(way, state.words(speech.confirm_name), keeps=True) if name else None
        case "link":
            person = state.brief.person
            return Best(way, action=SendLink()) if person and person.phone and not state.link_sent else None
        case "task":
            return Best(way, state.words(speech.tasked), question=True)
        case "approval":
            return Best(way, state.words(speech.approval), question=True)
        case "meeting":
            node = state.playbook.graph.get("reschedule")
            return Best(way, state.words(node.fallback)) if node else None
        case "not_booked":
            return Best(way, state.words(speech.not_booked), question=True)
        case "fallback":
            return Best(way, state.words(state.here.fallback))
        case "goodbye":
            return Best(way, state.words(speech.goodbye))
        case "person":
            return None


def _person(state: State, verdict: Verdict) -> HandOff:
    why = f"{verdict.action.replace('_', ' ')} was not possible: {verdict.detail or verdict.rule.replace('_', ' ')}"
    return HandOff(why=why[:200], words=state.last_words[:300])


def turn_to(talk: Conversation, verdict: Verdict, action: Action | str) -> None:
    """Do the next best thing to ``action``, which ``verdict`` denied: the playbook's words, and what follows them."""
    s = talk.state
    talk.void()
    best = next_best(s, verdict)
    if best.keeps:
        s.wanted = action, verdict
    if best.do == "goodbye":
        if not s.opted_out or s.opt_out_kept:  # else the stop is acknowledged first, and that closes the talk
            talk.close(verdict.rule, best.words)
        return
    _go(s, best.do, verdict)
    if best.words:
        talk.say(best.words, last=not (best.question or best.action))
    if best.action is not None:
        moves.attempt(talk, best.action)
    elif best.question:
        talk.say(moves.next_question(s))


def _go(state: State, do: Instead, verdict: Verdict) -> None:
    """Be where the next best thing belongs."""
    graph = state.playbook.graph
    if do == "when":
        state.when_asked += 1
    nodes = {"when": "follow_up", "meeting": "reschedule", "person": "handoff"}
    node = nodes.get(do, "")
    if do in ("approval", "task") and verdict.action in _AIMS and "confirmation" in graph:
        # To see whether anything is open; no part of their way, for nothing is booked yet.
        state.node, state.node_turns = "confirmation", 0
    if verdict.rule == "not_qualified" and state.fit.missing and state.node not in ("identity", "qualification"):
        node = "qualification"
    if node in graph:
        enter(state, node)


def take_up(talk: Conversation, reading: Reading) -> bool:
    """Once they have said who they are, do what waited for it; whether anything was done. A wish that they utter with
    their name, or in place of it, is what they want now: the old one is dropped."""
    s = talk.state
    if s.wanted is None:
        return False
    other = bool(ear.wish(s)) or (reading.intent not in ("yes", "answer", "unclear") and not _plain_yes(s))
    (action, verdict), passed = s.wanted, identity.passed(s)
    if other or passed:
        s.wanted = None
    if other or not passed:
        return False
    if isinstance(action, str):
        moves.reveal(talk, verdict)
    else:
        moves.attempt(talk, action, before=verdict)
    return True


def _plain_yes(state: State) -> bool:
    """Whether they said no more than who they are, whatever the model takes it for."""
    short = len(state.last_words.split()) <= _SHORT
    return short and ear.says(state, is_confirmation) and ear.named(state).empty


def left_to_a_person(talk: Conversation, action: Action, answer: Answer) -> None:
    """The lead asks a person, as the playbook's autonomy wants it: what the caller hears of that."""
    known = (v for v in reversed(talk.state.verdicts) if v.action == action.kind)
    verdict = next(known, None) or Verdict(action=action.kind, allowed=False, rule=answer.rule, at=talk.state.now)
    turn_to(talk, verdict.model_copy(update={"allowed": False, "rule": answer.rule}), action)
