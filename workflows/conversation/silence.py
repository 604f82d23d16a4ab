"""Silence: how long it lasts before it is met, and what it is met with.

How long depends on the stage, on how much the open question asks of them, and on how long this lead usually takes;
what is said goes from reassuring, over asking differently and offering help, to a graceful close, never twice the same.
"""

from __future__ import annotations

from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .state import State

_SAMPLES = 9
"""Answers from which a lead's usual pause is taken, the last."""
_UNSET = timedelta(seconds=8)


def paused(state: State, seconds: float) -> None:
    """They took so long to begin their answer."""
    state.pauses.append(round(seconds, 2))
    del state.pauses[:-_SAMPLES]


def patience(state: State) -> timedelta:
    """How long the silence of this step lasts before it is met."""
    call = state.playbook.call
    if not call.silence:
        return _UNSET
    plain = call.silence[min(state.quiet, len(call.silence) - 1)]
    wait = plain * call.patience.nodes.get(state.node, 1.0)
    if _takes_thought(state):
        wait *= call.patience.complex
    if state.pauses:
        wait = max(wait, timedelta(seconds=median(state.pauses)) * call.patience.own)
    most = plain * max(call.patience.most, 1.0)
    return most if state.stalled else min(wait, most)


def _takes_thought(state: State) -> bool:
    question = state.playbook.fields.get(state.last_asked)
    return bool(question and question.complex) or len(state.offered) > 1


def prompt(state: State) -> tuple[str, bool]:
    """What to say at this step, "" where all its wordings were used, and whether it is the last; it counts as used."""
    steps = state.playbook.speech.silence
    if not steps:
        return state.words(state.playbook.speech.goodbye), True
    last = state.quiet >= len(steps) - 1
    step = steps[min(state.quiet, len(steps) - 1)]
    ours = next((line.text for line in reversed(state.lines) if line.who == "agent"), "")
    wordings = [state.words(w, question=_question(state)) for w in ((step,) if isinstance(step, str) else step)]
    text = next((w for w in wordings if w not in state.prompted and not ours.endswith(w)), "")
    if not text and last:
        text = wordings[-1]
    if text:
        state.prompted.append(text)
    return text, last


def _question(state: State) -> str:
    """The open question in other words."""
    question = state.playbook.fields.get(state.last_asked)
    return state.words(question.rephrase or question.ask if question else state.here.fallback)
