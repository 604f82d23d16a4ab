"""Fit, computed by code from what was learned; the language model has no say in it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..identity import email_address
from ..model import Model
from ..playbook import Criterion, Playbook, Question
from ..reading import is_confirmation, is_denial, plain
from .numbers import number_in

_SYNONYMS = {
    "now": ("right away", "immediately", "asap", "as soon as possible", "this month", "this week", "straight away"),
    "quarter": ("this quarter", "next month", "few months", "couple of months", "soon", "next quarter"),
    "year": ("this year", "end of the year", "later this year", "next year", "six months"),
    "looking": ("just looking", "no rush", "looking around", "not sure", "researching", "curious", "browsing"),
    "decides": ("i decide", "my decision", "i'm the", "i am the", "decision maker", "owner", "ceo", "just me"),
    "shares": ("together", "with my", "we decide", "share", "my boss and i", "partner"),
    "researches": ("research", "for my boss", "on behalf", "looking into it for"),
}
"""Everyday words for common choices; a choice that is none of these is known by its own word."""


class Fit(Model):
    """``missing``: required fields not known yet, in the playbook's order. ``failed``: the knock-out that failed.
    ``score``: the satisfied part of the known criteria's weight."""

    missing: tuple[str, ...] = ()
    failed: str = ""
    score: float = 0.0
    passes: bool = False

    @property
    def fits(self) -> bool:
        return self.passes and not self.missing and not self.failed


def accept(question: Question, value: str) -> str:
    """``value`` in the field's one spelling, or "" when it is no answer to the question."""
    value = " ".join(value.split())[:200]
    if not value:
        return ""
    if question.kind == "number":
        number = number_in(value)
        return "" if number is None else f"{number:g}"
    if question.kind == "choice":
        return _choice(question.choices, value)
    if question.kind == "yes_no":
        if is_confirmation(value) or plain(value) == "true":
            return "yes"
        return "no" if is_denial(value) or plain(value) == "false" else ""
    if question.kind == "email":
        try:
            return email_address(value)
        except ValueError:
            return ""
    if question.kind == "name":
        return value if re.fullmatch(r"[^\W\d_][\w' .-]{0,79}", value) and number_in(value) is None else ""
    return value


def _choice(choices: tuple[str, ...], value: str) -> str:
    words = f" {plain(value)} "
    for choice in choices:
        if f" {plain(choice.replace('_', ' '))} " in words:
            return choice
    for choice in choices:
        if any(synonym in words for synonym in _SYNONYMS.get(choice, ())):
            return choice
    return ""


def _met(criterion: Criterion, value: str) -> bool:
    if criterion.at_least is not None:
        number = number_in(value)
        return number is not None and number >= criterion.at_least
    return value in criterion.one_of


def assess(playbook: Playbook, learned: Mapping[str, str]) -> Fit:
    """How well somebody with these learned fields fits, by the playbook's criteria."""
    rules = playbook.qualification
    known = [c for c in rules.criteria if learned.get(c.field)]
    met = [c for c in known if _met(c, learned[c.field])]
    total = sum(c.weight for c in known)
    score = sum(c.weight for c in met) / total if total else 1.0
    failed = next((c.field for c in known if c.knock_out and c not in met), "")
    return Fit(
        missing=tuple(field for field in rules.required if not learned.get(field)),
        failed=failed,
        score=round(score, 3),
        passes=score >= rules.pass_score,
    )
