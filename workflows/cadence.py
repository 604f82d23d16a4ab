"""The cadence as a list of touches: which comes next, and by which rule one is left out. Pure.

A touch of the cadence is known by its place: ``cadence/PASS/INDEX/NAME``. Whatever the playbook lists is made, or left
out by a rule that is told (:class:`~workflows.events.TouchPassed`), so that none goes missing without a word.
"""

from __future__ import annotations

from .lead import Lead
from .playbook import Playbook, Touch

CADENCE = "cadence/"
"""What the key of each touch of the cadence begins with."""


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


def upcoming(state: Lead, playbook: Playbook) -> tuple[int, Touch] | None:
    """The next touch of this pass that no rule leaves out, and its place."""
    listed = touches(playbook, state.pass_kind == "recovery")
    for index in range(state.next_touch, len(listed)):
        if not left_out(state, listed[index]):
            return index, listed[index]
    return None


def first_left_out(state: Lead, playbook: Playbook) -> tuple[str, str] | None:
    """The touch whose turn it is, by its key, and the rule that leaves it out; None when none does."""
    listed = touches(playbook, state.pass_kind == "recovery")
    if state.next_touch >= len(listed):
        return None
    touch = listed[state.next_touch]
    rule = left_out(state, touch)
    return (key(state.pass_no, state.next_touch, touch), rule) if rule else None


def left_out(state: Lead, touch: Touch) -> str:
    """The rule by which this touch is not made, as things stand; empty when it is."""
    holds = {"reached": state.reached, "texted_back": state.texted_back, "first_pass": state.pass_kind == "first"}
    if touch.channel == "email":
        return "no_mail_touch"  # e-mail goes with what they asked for, and never by itself
    return next((rule for rule in touch.skip_if if holds[rule]), "")


LEFT_OUT = {
    "reached": "they were reached by then",
    "texted_back": "they have texted back",
    "first_pass": "it is for later passes",
    "no_mail_touch": "e-mail is sent with what they asked for only",
}
"""The rules that leave a touch out, in words."""
