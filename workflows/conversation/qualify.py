"""Fit, computed by code from what was learned; the language model has no say in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from ..events import Form, Learned
from ..identity import email_address
from ..messages import Judged
from ..model import Model
from ..playbook import Criterion, Playbook, Question, Source
from ..reading import is_confirmation, is_denial, only_assents
from ..words import fixed, plain
from .numbers import number_in


class Fit(Model):
    """``missing``: required fields that are not known, or not from a source whose word counts, in the playbook's
    order; ``unconfirmed`` those of all fields that have such a value. ``failed``: the knock-out that failed. ``score``:
    the satisfied part of the known criteria's weight."""

    missing: tuple[str, ...] = ()
    unconfirmed: tuple[str, ...] = ()
    failed: str = ""
    score: float = 0.0
    passes: bool = False
    criteria: tuple[Judged, ...] = ()
    """Each criterion with the value, its source and words that it was judged by."""

    @property
    def fits(self) -> bool:
        return self.passes and not self.missing and not self.failed

    @property
    def misfit(self) -> bool:
        """Whether it is settled that they do not fit: a knock-out failed, or all is known and it is not enough."""
        return bool(self.failed) or (not self.missing and not self.passes)

    @property
    def against(self) -> tuple[Judged, ...]:
        """The criteria that speak against a fit: the knock-out alone where one failed."""
        failed = tuple(c for c in self.criteria if c.status == "failed")
        return tuple(c for c in failed if c.knock_out) or failed


_OTHER_NUMBERS = re.compile(
    r"[$€£] ?\d[\d.,]*|\b(?:number|option|slot) \w+|\b[\w.,-]+(?: (?:hundred|thousand))? ?(?:%|percent\b|per cent\b|dollars?\b|bucks\b|euros?\b|pounds?\b|cents?\b|"
    r"o'?clock\b|[ap]\.?m\b|in the (?:morning|afternoon|evening)\b|minutes?\b|hours?\b|days?\b|weeks?\b|months?\b|years?\b)"
)
"""Money, shares, times and lengths: no answer to how many there are of something."""


def accept(question: Question, value: str) -> str:
    """``value`` in the field's one spelling, or "" when it is no answer to the question."""
    value = " ".join(value.split())[:200]
    if not value:
        return ""
    if question.kind == "number":
        number = number_in(without_other_numbers(value))
        return "" if number is None else f"{number:.0f}" if number == int(number) else f"{number:g}"
    if question.kind == "choice":
        return _choice(question, value)
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
    return "" if only_assents(value) else value


def without_other_numbers(text: str) -> str:
    """``text`` in small letters, without the money, shares, times and lengths in it."""
    return _OTHER_NUMBERS.sub(" ", text.lower())


def _choice(question: Question, value: str) -> str:
    """The choice that is named by its own word, else the one whose everyday words are there, the longest of them."""
    said = f" {plain(value)} "
    for choice in question.choices:
        if f" {fixed(choice.replace('_', ' '))} " in said:
            return choice
    found = (
        (len(word), choice)
        for choice in question.choices
        for word in question.words.get(choice, ())
        if f" {fixed(word)}" in said
    )
    return max(found, key=lambda each: each[0], default=(0, ""))[1]


def answers(playbook: Playbook, form: Form) -> dict[str, Learned]:
    """The fields that a form has answered, by name: what was asked there is not asked again. A form field counts
    under the question's own name or one that it lists; a value that is no answer is left to be asked for."""
    given = {key(name): value for name, value in form.attributes.items()}
    given |= {name: value for name in ("company", "message") if (value := getattr(form, name))}
    found: dict[str, Learned] = {}
    for name, question in playbook.fields.items():
        said = next((given[key(n)] for n in (name, *question.form) if given.get(key(n))), "")
        if value := accept(question, said):
            found[name] = Learned(field=name, value=value, quote=said[:200], source="form")
    return found


def key(name: str) -> str:
    """A form field's name as it is compared: ``Team size`` and ``team-size`` are ``team_size``."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def known(playbook: Playbook, learned: Mapping[str, str], sources: Mapping[str, Source], field: str) -> bool:
    """Whether ``field`` has a value from a source whose word counts for every criterion on it."""
    if not learned.get(field):
        return False
    source = sources.get(field, "said")
    return all(source in c.sources for c in playbook.qualification.criteria if c.field == field)


def assess(
    playbook: Playbook,
    learned: Mapping[str, str],
    sources: Mapping[str, Source] | None = None,
    quotes: Mapping[str, str] | None = None,
) -> Fit:
    """How well somebody with these learned fields fits, by the playbook's criteria. ``sources`` says whose word each
    field is (``said`` where it does not say), ``quotes`` the words. A value from a source that a criterion does not
    accept neither meets nor fails it: it is to be confirmed."""
    rules, whose = playbook.qualification, sources or {}
    judged = tuple(_judged(c, learned.get(c.field, ""), whose.get(c.field, "said")) for c in rules.criteria)
    if quotes:
        judged = tuple(j.model_copy(update={"quote": quotes.get(j.field, "")}) if j.value else j for j in judged)
    weights = {"met": 0.0, "failed": 0.0}
    for criterion, j in zip(rules.criteria, judged, strict=True):
        if j.status in weights:
            weights[j.status] += criterion.weight
    total = weights["met"] + weights["failed"]
    score = weights["met"] / total if total else 1.0
    unconfirmed = tuple(dict.fromkeys(j.field for j in judged if j.status == "unconfirmed"))
    return Fit(
        missing=tuple(field for field in rules.required if not learned.get(field) or field in unconfirmed),
        unconfirmed=unconfirmed,
        failed=next((j.field for j in judged if j.knock_out and j.status == "failed"), ""),
        score=round(score, 3),
        passes=score >= rules.pass_score,
        criteria=judged,
    )


def _judged(criterion: Criterion, value: str, source: Source) -> Judged:
    status: Literal["met", "failed", "unknown", "unconfirmed"] = "unknown"
    if value:
        status = "unconfirmed" if source not in criterion.sources else "met" if _met(criterion, value) else "failed"
    return Judged(
        field=criterion.field, status=status, value=value, source=source if value else "", wants=_wants(criterion),
        knock_out=criterion.knock_out,
    )  # fmt: skip


def _met(criterion: Criterion, value: str) -> bool:
    if criterion.at_least is not None:
        number = number_in(value)
        return number is not None and number >= criterion.at_least
    return value in criterion.one_of


def _wants(criterion: Criterion) -> str:
    if criterion.at_least is not None:
        return f"at least {criterion.at_least:g}"
    return " or ".join(choice.replace("_", " ") for choice in criterion.one_of)
