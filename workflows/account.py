"""The account of a lead's cadence: every touch that the playbook lists, made or missing, and why it is missing. Pure.

It covers the lead's present life: from the form that began it, through each pass.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from .cadence import LEFT_OUT, key, place, touches
from .lead import Lead
from .messages import Accounted, Touched
from .playbook import Playbook, Touch
from .steps import Step, Wait

_GOAL = ("showed", "booked", "confirmed", "rescheduled", "recovered")
"""Stages at which nothing more is due: there is a meeting, or there was."""


def account(state: Lead, playbook: Playbook, step: Step | None = None) -> tuple[Accounted, ...]:
    """Every touch of every pass so far, in order. ``step`` is what the plan has come to: it names what the next touch
    waits for."""
    told: list[Accounted] = []
    for number in range(1, state.pass_no + 1):
        listed = touches(playbook, _kind(state, number) == "recovery")
        made = {t_key: t for t in state.touches if _this_life(state, t) and (t_key := _key(t))}
        known = [key(number, index, touch) for index, touch in enumerate(listed)]
        for index, touch in enumerate(listed):
            told.append(_accounted(state, number, index, touch, made.get(known[index]), step))
        told += [
            _made(number, t_key.rsplit("/", 1)[-1], t)
            for t_key, t in made.items()
            if t_key not in known and (place(t_key) or (0, 0))[0] == number
        ]  # made under an earlier version of the playbook
    return tuple(told)


def _kind(state: Lead, number: int) -> Literal["first", "recovery"]:
    return state.pass_kind if number == state.pass_no else "recovery" if number > 1 else "first"


def _key(touch: Touched) -> str:
    """A call names its touch in ``touch``, a text in ``attempt``."""
    return touch.touch if place(touch.touch) else touch.attempt if place(touch.attempt) else ""


def _this_life(state: Lead, touch: Touched) -> bool:
    return state.life_began is None or touch.at >= state.life_began


def _made(number: int, name: str, touch: Touched) -> Accounted:
    refused = touch.outcome.startswith("not ")
    return Accounted(
        pass_no=number, touch=name, channel=touch.channel, at=None if refused else touch.at,
        outcome=touch.outcome.removesuffix(", over"), rule="refused" if refused else "",
        why="the carrier would not take it" if refused else "",
    )  # fmt: skip


def _accounted(
    state: Lead, number: int, index: int, touch: Touch, made: Touched | None, step: Step | None
) -> Accounted:
    if made is not None:
        return _made(number, touch.name, made)
    rule, why, at = _missing(state, number, index, key(number, index, touch), step)
    return Accounted(pass_no=number, touch=touch.name, channel=touch.channel, rule=rule, why=why, due=at)


def _missing(
    state: Lead, number: int, index: int, named: str, step: Step | None
) -> tuple[str, str, datetime | None]:
    """The rule by which this touch was not made, its words, and when it comes if it still does."""
    if named in state.passed:
        rule = state.passed[named]
        return rule, LEFT_OUT.get(rule, rule.replace("_", " ")), None
    if number < state.pass_no:
        return "goal_reached", "a meeting was booked in that pass", None
    if index < state.next_touch:
        return "playbook_moved", "another version of the playbook had something else in its place", None
    if state.opted_out_at:
        return "opt_out", "they asked not to be contacted again", None
    if state.closed:
        return state.disposition or "closed", state.reason or "the lead is closed", None
    if state.booking or state.stage in _GOAL:
        return "goal_reached", "a meeting is booked", None
    if state.missed is not None and state.pass_began is None:
        return "goal_reached", "a meeting was booked in that pass", None
    if index == state.next_touch and step is not None:
        return step.rule, step.reason, step.until if isinstance(step, Wait) else None
    return "later", "its turn comes after the touches before it", None
