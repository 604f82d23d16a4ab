"""Deliberate faults in the playbooks and in the rules of authority: each must make a conversation fail.

They are generated from what is there, never listed: every exit of every node, every answer to an objection, every
threshold above zero, every rule of every action, and the premises of all actions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from workflows.conversation import authority
from workflows.playbook import Playbook

PREMISES = ("after_opt_out", "nobody_there")
"""Rules that stand before those of every action: one each, which is taken away from all of them at once."""

EQUIVALENT = {
    ("rule", "decline", "not_shown"): (
        "No conversation can meet it: the one place that closes somebody as not fit (moves.drive) has asked the same "
        "criteria in the same instant. It stands for callers of authorize() that have not; tests/test_authority.py "
        "holds it to that."
    ),
}
"""Faults that change no conversation, by kind and place, and why."""


@dataclass(frozen=True)
class Mutant:
    """One fault. ``kind`` is exit, answer, threshold, premise or rule; ``what`` names what is gone; ``playbook`` is the
    playbook with the fault in it, as it was where the fault is in a rule."""

    audience: str
    kind: str
    what: tuple[str, ...]
    playbook: Playbook

    def __str__(self) -> str:
        return f"{self.audience}: {self.kind} {' '.join(self.what)}"

    @property
    def equivalent(self) -> bool:
        return (self.kind, *self.what) in EQUIVALENT


def of(audience: str, playbook: Playbook) -> Iterator[Mutant]:
    """Every fault of this audience."""
    yield from _exits(audience, playbook)
    yield from _answers(audience, playbook)
    yield from _thresholds(audience, playbook)
    yield from (Mutant(audience, "premise", (name,), playbook) for name in PREMISES)
    yield from _rules(audience, playbook)


def _exits(audience: str, playbook: Playbook) -> Iterator[Mutant]:
    for name, node in playbook.graph.items():
        for index, way in enumerate(node.exits):
            left = node.model_copy(update={"exits": _without(node.exits, index)})
            yield Mutant(audience, "exit", (name, way.to, way.when), _with(playbook, "graph", **{name: left}))


def _answers(audience: str, playbook: Playbook) -> Iterator[Mutant]:
    for name, objection in playbook.objections.items():
        for index in range(len(objection.answers)):
            left = objection.model_copy(update={"answers": _without(objection.answers, index)})
            yield Mutant(audience, "answer", (name, str(index)), _with(playbook, "objections", **{name: left}))


def _thresholds(audience: str, playbook: Playbook) -> Iterator[Mutant]:
    """Those of the actions, and every other figure that something must reach before it counts."""
    for action, threshold in playbook.thresholds.items():
        if threshold:
            yield Mutant(audience, "threshold", (action,), _with(playbook, "thresholds", **{action: 0.0}))
    fit, call = playbook.qualification, playbook.call
    for index, criterion in enumerate(fit.criteria):
        if criterion.at_least:
            low = criterion.model_copy(update={"at_least": 0.0})
            criteria = (*fit.criteria[:index], low, *fit.criteria[index + 1 :])
            lowered = playbook.model_copy(update={"qualification": fit.model_copy(update={"criteria": criteria})})
            yield Mutant(audience, "threshold", ("at_least", criterion.field), lowered)
    anybody = fit.model_copy(update={"pass_score": 0.0})
    yield Mutant(audience, "threshold", ("pass_score",), playbook.model_copy(update={"qualification": anybody}))
    for name in ("doubt", "heard"):
        lowered = playbook.model_copy(update={"call": call.model_copy(update={name: 0.0})})
        yield Mutant(audience, "threshold", (name,), lowered)
    for name, objection in playbook.objections.items():
        grave = objection.model_copy(update={"light": 0.0})
        yield Mutant(audience, "threshold", ("light", name), _with(playbook, "objections", **{name: grave}))


def _rules(audience: str, playbook: Playbook) -> Iterator[Mutant]:
    for action, rules in authority.RULES.items():
        for rule in rules:
            if rule.name not in PREMISES:
                yield Mutant(audience, "rule", (action, rule.name), playbook)


def _without(items: tuple[Any, ...], index: int) -> tuple[Any, ...]:
    return (*items[:index], *items[index + 1 :])


def _with(playbook: Playbook, part: str, **changed: Any) -> Playbook:
    """``playbook`` with some entries of the mapping ``part`` changed."""
    return playbook.model_copy(update={part: {**getattr(playbook, part), **changed}})


@contextmanager
def planted(mutant: Mutant) -> Iterator[Playbook]:
    """The playbook to play with while the fault is there."""
    before = dict(authority.RULES)
    if mutant.kind in ("premise", "rule"):
        name, only = mutant.what[-1], mutant.what[0] if mutant.kind == "rule" else ""
        for action, rules in before.items():
            if action == only or not only:
                authority.RULES[action] = tuple(rule for rule in rules if rule.name != name)
    try:
        yield mutant.playbook
    finally:
        authority.RULES.update(before)
