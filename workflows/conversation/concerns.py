"""What they are concerned about, from its first mention until it is resolved, or accepted as it is.

The playbook's objections name the concerns; code decides which one is meant, by its cues before the model's word. A
concern is answered in proportion: a light aside shortly, a real one with the next of its answers, none of them
twice, also not in a later talk. When the answers are used up, or it comes back after it was resolved, it is accepted:
nobody is argued with.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from ..events import Concern
from ..reading import is_confirmation, is_denial, is_hesitating_yes
from .prepared import prepared
from .signs import weigh
from .state import State
from .turn import Reading

_SENTENCES = re.compile(r"[^.?!]+[.?!]*")
_AGAIN = 0.2
"""What a concern gains in strength each time that it is raised again."""
_WILLING = ("wants_meeting", "picks_time", "names_time")
_GOING_ON = ("answer", "yes", "question", *_WILLING)


class Reply(NamedTuple):
    """How a concern is met. ``goes_on``: after it the
    talk goes on where it was. ``then``: it is accepted; the next best thing is offered."""

    text: str = ""
    goes_on: bool = False
    then: Literal["", "follow_up", "send_link", "hand_off", "acknowledge"] = ""


def concern(state: State, words: str) -> str:
    """The playbook's objection that these words raise, by its cues; "" when none."""
    return prepared(state.playbook).concerns.first_in(words)


def stated(state: State, words: str) -> str:
    """The objection that is raised beside whatever is asked: "What is it? That sounds too expensive."."""
    return concern(state, " ".join(part for part in _SENTENCES.findall(words) if not part.rstrip().endswith("?")))


def classify(state: State, reading: Reading, topic: str) -> str:
    """The concern of this turn: by the cues in their words, else the model's ``topic`` where it read a concern and
    they did say something against us going on; "" when there is none."""
    words = state.last_words
    named = concern(state, words)
    if reading.intent == "concern":
        return named or (topic if topic in state.playbook.objections and not is_confirmation(words) else "")
    return named if reading.intent in ("unclear", "no", "not_interested", "question") else ""


def follow(state: State, raised: str, reading: Reading) -> tuple[Concern, ...]:
    """Take this turn into the concerns; those that changed since they were last reported, as they stand now."""
    if raised:
        _raise(state, raised)
    else:
        _ease(state, reading)
    changed = tuple(c for name, c in state.concerns.items() if state.concerns_told.get(name) != c)
    state.concerns_told = dict(state.concerns)
    return changed


def _raise(state: State, name: str) -> None:
    words = state.last_words
    weight = weigh("concern", words, state.doubtful)
    known = state.concerns.get(name)
    if known is None:
        now = Concern(name=name, strength=weight, words=words[:200], at=state.now)
        state.concerns[name] = now.model_copy(update={"answered": state.objections.get(name, 0)})
    else:
        status = known.status if known.status in ("resolved", "accepted") else "open"
        state.concerns[name] = known.model_copy(
            update={
                "status": status,
                "raised": known.raised + 1,
                "strength": round(min(max(weight, known.strength) + _AGAIN, 1.0), 3),
                "words": words[:200],
                "at": state.now,
            }
        )
    for other in list(state.concerns.values()):
        if other.name != name and other.status == "open":
            # They left that one for this one.
            shifted = {"status": "softened", "gave_way_to": name}
            state.concerns[other.name] = other.model_copy(update=shifted)


def _ease(state: State, reading: Reading) -> None:
    """They spoke of something else: what was answered softens, and is resolved by a clear yes, by going for a time, or
    by not coming back."""
    words = state.last_words
    if is_denial(words) or reading.intent not in _GOING_ON:
        return
    doubt = is_hesitating_yes(words)
    clear = reading.intent in _WILLING or (is_confirmation(words) and not doubt)
    for known in list(state.concerns.values()):
        if known.status not in ("open", "softened") or (known.status == "open" and not known.answered):
            continue
        status = "resolved" if clear or (known.status == "softened" and not doubt) else "softened"
        state.concerns[known.name] = known.model_copy(update={"status": status, "at": state.now})


def resolve(state: State) -> None:
    """They have booked: what was open is settled by that."""
    for known in list(state.concerns.values()):
        if known.status in ("open", "softened"):
            state.concerns[known.name] = known.model_copy(update={"status": "resolved", "at": state.now})


def left(state: State, name: str) -> bool:
    """Whether there is an answer to this concern that was not given yet, and it may still be answered."""
    known = state.concerns.get(name)
    answered = known.answered if known else state.objections.get(name, 0)
    settled = known is not None and known.status in ("resolved", "accepted")
    return not settled and answered < len(state.playbook.objections[name].answers)


def answer(state: State, name: str) -> Reply:
    """How the concern ``name``, raised just now, is met. What is said to it counts as said."""
    objection = state.playbook.objections[name]
    known = state.concerns.get(name) or Concern(name=name, at=state.now)
    if known.status in ("resolved", "accepted"):
        reply = Reply(then="acknowledge" if known.status == "resolved" else objection.then)
        now = known.model_copy(update={"status": "accepted"})
    elif objection.short and known.raised == 1 and not known.answered and known.strength < objection.light:
        reply = Reply(state.words(objection.short), goes_on=True)
        now = known.model_copy(update={"status": "softened"})
    elif known.answered < len(objection.answers):
        reply = Reply(state.words(objection.answers[known.answered]))
        now = known.model_copy(update={"answered": known.answered + 1})
        state.objections[name] = now.answered
    else:
        reply = Reply(then=objection.then)
        now = known.model_copy(update={"status": "accepted"})
    state.concerns[name] = now
    return reply
