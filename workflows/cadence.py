"""The cadence as a list of touches: which comes next, and by which rule one is left out. Pure.

A touch of the cadence is known by its place: ``cadence/PASS/INDEX/NAME``. Whatever the playbook lists is made, or left
out by a rule that is told (:class:`~workflows.events.TouchPassed`), so that none goes missing without a word. A call
that is made once more because of what it came to is ``redial/PASS/INDEX/NAME``.
"""

from __future__ import annotations

from datetime import datetime

from .lead import Lead
from .messages import Touched
from .playbook import Outcome, Playbook, Reaction, Touch

CADENCE, REDIAL = "cadence/", "redial/"


def touches(playbook: Playbook, recovery: bool) -> tuple[Touch, ...]:
    """The touches of a first pass, or of one after a no-show."""
    return playbook.cadence.recovery if recovery else playbook.cadence.first


def key(pass_no: int, index: int, touch: Touch) -> str:
    """``cadence/1/0/call_1``."""
    return f"{CADENCE}{pass_no}/{index}/{touch.name}"


def place(touch: str) -> tuple[int, int] | None:
    """Pass and index of a touch of the cadence by its key; None for any other touch."""
    parts = touch.split("/")
    return (int(parts[1]), int(parts[2])) if touch.startswith(CADENCE) and len(parts) > 3 else None


# ---- which comes next --------------------------------------------------------------------------------------------


def upcoming(state: Lead, playbook: Playbook) -> tuple[int, Touch] | None:
    """The next touch of this pass that no rule leaves out, and its place."""
    listed = touches(playbook, state.pass_kind == "recovery")
    for index in range(state.next_touch, len(listed)):
        if not left_out(state, playbook, index):
            return index, listed[index]
    return None


def first_left_out(state: Lead, playbook: Playbook) -> tuple[str, str] | None:
    """The touch whose turn it is, by its key, and the rule that leaves it out; None when none does."""
    listed = touches(playbook, state.pass_kind == "recovery")
    if state.next_touch >= len(listed):
        return None
    rule = left_out(state, playbook, state.next_touch)
    return (key(state.pass_no, state.next_touch, listed[state.next_touch]), rule) if rule else None


def left_out(state: Lead, playbook: Playbook, index: int) -> str:
    """The rule by which the touch at ``index`` of this pass is not made, as things stand; empty when it is."""
    listed = touches(playbook, state.pass_kind == "recovery")
    touch = listed[index]
    holds = {
        "reached": state.reached, "texted_back": state.texted_back, "first_pass": state.pass_kind == "first",
        "has_number": bool(state.phone),
    }  # fmt: skip
    if touch.channel == "email" and not state.email:
        return "no_address"
    if touch.channel != "email" and not state.phone:
        return "no_number"
    if touch.channel in state.refuses:
        return REFUSED
    for outcome in dict.fromkeys(outcome_of(call) for call in calls_of(state)):
        if outcome and touch.channel in _reaction(playbook, outcome).skip:
            return outcome
    wanted = playbook.cadence.engaged.channel if playbook.cadence.engaged and is_engaged(state) else ""
    if wanted and touch.channel != wanted and any(later.channel == wanted for later in listed[index + 1 :]):
        return "engaged"
    return next((rule for rule in touch.skip_if if holds[rule]), "")


REFUSED = "refused_way"
"""They refused this channel, and welcome another."""
LEFT_OUT = {
    REFUSED: "they asked to be reached in another way",
    "reached": "they were reached by then",
    "texted_back": "they have texted back",
    "first_pass": "it is for later passes",
    "has_number": "it is for those whom we cannot call",
    "no_address": "there is no e-mail address that works",
    "no_number": "there is no phone number",
    "engaged": "they looked at times, and are met on another channel",
    "busy": "the line was busy",
    "no_answer": "nobody answered a call",
    "voicemail": "a call met a voicemail",
    "failed": "the number could not be reached",
    "refused": "the carrier will not dial this number",
    "talked": "they were spoken with",
    "late": "it speaks of what has just been, and that is long past",
}
"""The rules that leave a touch out, in words."""


def is_engaged(state: Lead) -> bool:
    """Whether they looked at times on their own page since our last touch."""
    return state.engaged_at is not None and (state.last_touch_at is None or state.engaged_at > state.last_touch_at)


# ---- what calls came to ------------------------------------------------------------------------------------------


def calls_of(state: Lead) -> list[Touched]:
    """The calls that we made in this pass, or that the carrier refused, oldest first."""
    began = state.pass_began
    return [
        t for t in state.touches
        if t.channel == "call" and t.touch != "inbound" and began is not None and t.at >= began
        and (t.refused or not t.outcome.startswith("not placed"))
    ]  # fmt: skip


_OUTCOMES: dict[str, Outcome] = {
    "busy": "busy", "no-answer": "no_answer", "failed": "failed", "voicemail": "voicemail", "talked": "talked",
    "dropped": "talked",
}  # fmt: skip


def outcome_of(call: Touched) -> Outcome | None:
    """What a call came to; None where nobody knows, or it is still going on."""
    return "refused" if call.refused else _OUTCOMES.get(call.outcome.removesuffix(", over"))


def _reaction(playbook: Playbook, outcome: Outcome) -> Reaction:
    return playbook.cadence.outcomes.get(outcome, _NONE)


_NONE = Reaction()


def redial(state: Lead, playbook: Playbook) -> tuple[str, datetime] | None:
    """The call that is made once more because of what the last one came to, by its key, and when it is due."""
    made = calls_of(state)
    kind, _, rest = made[-1].touch.partition("/") if made else ("", "", "")
    outcome = outcome_of(made[-1]) if made and f"{kind}/" in (CADENCE, REDIAL) else None
    if outcome is None:
        return None
    reaction, again = _reaction(playbook, outcome), REDIAL + rest
    if reaction.again is None or again in state.passed or sum(t.touch == again for t in made) >= reaction.times:
        return None
    return again, max(made[-1].at, state.last_over_at or made[-1].at) + reaction.again
