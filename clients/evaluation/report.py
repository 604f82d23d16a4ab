"""The report of an evaluation: one HTML file with its pictures inside, which needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from workflows import graph
from workflows.playbook import Playbook

from .. import render
from . import coverage
from .suite import Result, Run

_CELL, _GAP, _ACROSS = 15, 4, 46
_TONES = {"passed": "good", "other_way": "main", "failed": "bad"}
_SLOWEST = 3.0
"""Seconds at the right end of the strip of first words; later ones stand at its end."""


def html(
    runs: Sequence[Run], playbooks: Mapping[str, Playbook], missed: Sequence[coverage.Place], corrupt: float
) -> str:
    """The report of one run, or of two side by side."""
    from .command import SHOWN, figure

    scores = [run.score for run in runs]
    rows = [
        {"label": label, "values": [figure(score, name) for score in scores], "best": _best(name, scores)}
        for name, label in SHOWN
    ]
    audiences = list(dict.fromkeys(result.scenario.audience for result in runs[0].results))
    pairs = list(zip(*(run.results for run in runs), strict=True))
    return render.text_of(
        "evaluation.html",
        runs=runs,
        scores=scores,
        rows=rows,
        walls=[{"audience": name, "svg": _wall(runs, name)} for name in audiences],
        strips=[_strip(run) for run in runs],
        graphs=[(name, graph.draw(playbooks[name])) for name in audiences if name in playbooks],
        pairs=sorted(pairs, key=lambda pair: min(_order(result) for result in pair)),
        tones=_TONES,
        missed=[coverage.written(place) for place in missed],
        corrupt=corrupt,
        at=datetime.now(UTC),
    )


_LESS_IS_BETTER = {
    "failed", "wrong_bookings", "denied_falsely", "unsupported", "unended", "model_failures", "turns", "first_word", "slow_word",
    "tokens_in", "tokens_out",
}  # fmt: skip


def _best(name: str, scores: Sequence[object]) -> int:
    """Which of two is better in this figure; -1 when neither is, or one way is as good as the other."""
    if len(scores) < 2 or name == "other_way":
        return -1
    values = [getattr(score, name) for score in scores]
    if len(set(values)) == 1:
        return -1
    return values.index(min(values) if name in _LESS_IS_BETTER else max(values))


def _order(result: Result) -> int:
    return {"failed": 0, "other_way": 1, "passed": 2}[result.verdict]


def _wall(runs: Sequence[Run], audience: str) -> str:
    """A square for every scenario of ``audience``, a row of them for each run."""
    parts: list[str] = []
    top = 0
    for run in runs:
        results = [result for result in run.results if result.scenario.audience == audience]
        for index, result in enumerate(results):
            x = (index % _ACROSS) * (_CELL + _GAP)
            y = top + (index // _ACROSS) * (_CELL + _GAP)
            told = escape(f"{result.scenario.name.replace('_', ' ')}: {result.verdict.replace('_', ' ')}")
            parts.append(
                f'<a href="#{escape(result.scenario.title)}"><rect class="{_TONES[result.verdict]}" x="{x}" y="{y}" '
                f'width="{_CELL}" height="{_CELL}" rx="4"><title>{told}</title></rect></a>'
            )
        top += (max(len(results) - 1, 0) // _ACROSS + 1) * (_CELL + _GAP) + _GAP * 2
    wide = _ACROSS * (_CELL + _GAP)
    return (
        f'<svg viewBox="0 0 {wide} {top}" width="{wide}" role="img" aria-label="every scenario of {escape(audience)} by its result">'
        f"{''.join(parts)}</svg>"
    )


def _strip(run: Run) -> str:
    """When the first word of each turn came, a tick for each."""
    words = [
        first.total_seconds()
        for result in run.results
        for thought in result.played.thoughts
        if not thought.failed and (first := thought.first_word) is not None
    ]
    wide, high = 860, 34
    ticks = "".join(
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="2" y2="{high - 14}"/>'
        for x in (min(seconds / _SLOWEST, 1.0) * (wide - 2) + 1 for seconds in words)
    )
    scale = "".join(
        f'<text x="{at / _SLOWEST * (wide - 20) + 2:.0f}" y="{high - 1}">{at:g} s</text>'
        for at in (0, 0.5, 1, 1.5, 2, 2.5)
    )
    return (
        f'<svg class="strip" viewBox="0 0 {wide} {high}" width="{wide}" role="img" '
        f'aria-label="time to the first word, {len(words)} turns"><g>{ticks}</g>{scale}</svg>'
    )
