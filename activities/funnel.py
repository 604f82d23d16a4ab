"""How far people came, how soon they were called, and who was not called by which rule.

Each person counts once, in the cohort of their first form, at every milestone that they ever reached; as ``unknown`` only
while nobody has said whether they came.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from rich.table import Table

from workflows.model import Instant, Model

from . import store

MILESTONES = (
    "new",
    "attempting",
    "contacted",
    "interested",
    "qualified",
    "booked",
    "confirmed",
    "showed",
    "no_show",
    "unknown",
    "recovered",
    "closed",
)
_TELLS = {"new": "form", "attempting": "first_ring"}
"""Milestones that these instants prove too."""

By = Literal["", "source", "audience"]


class Stage(Model):
    """``people`` reached the milestone; ``share`` of all in the group (0 to 1)."""

    name: str
    people: int
    share: float


class Ring(Model):
    """Seconds from the first form to the first ring, over the ``people`` that were rung."""

    people: int = 0
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None


class NotCalled(Model):
    """A lead whose phone we never rang: the rule that decided its latest step, when it did, and where it
    stands."""

    lead: str
    form_at: Instant
    stage: str
    rule: str = ""
    rule_at: Instant | None = None
    disposition: str = ""


class Group(Model):
    """The people of one source or audience, or all (``name`` '')."""

    name: str = ""
    people: int = 0
    stages: tuple[Stage, ...] = ()
    ring: Ring = Ring()
    not_called: tuple[NotCalled, ...] = ()


class Funnel(Model):
    """``total`` counts everybody who was asked for, ``groups`` the same people apart, the largest group
    first."""

    by: By = ""
    source: str = ""
    audience: str = ""
    since: Instant | None = None
    until: Instant | None = None
    total: Group = Group()
    groups: tuple[Group, ...] = ()


def funnel(
    *,
    source: str = "",
    audience: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    by: By = "",
) -> Funnel:
    """The funnel of the people whose first form came within [``since``, ``until``), of one ``source`` or
    ``audience`` where given, and apart ``by`` one of them. Reads the record; synchronous."""
    people = [
        person
        for person in store.cohort(since, until)
        if source in ("", person.source) and audience in ("", person.audience)
    ]
    silent = [person.lead for person in people if "first_ring" not in person.milestones]
    rules = store.last_rules(silent)
    apart: dict[str, list[store.Cohorted]] = {}
    for person in people if by else ():
        apart.setdefault(person.source if by == "source" else person.audience, []).append(person)
    groups = [_group(name or "(none)", some, rules) for name, some in apart.items()]
    return Funnel(
        by=by,
        source=source,
        audience=audience,
        since=since,
        until=until,
        total=_group("", people, rules),
        groups=tuple(sorted(groups, key=lambda group: (-group.people, group.name))),
    )


def _group(name: str, people: Sequence[store.Cohorted], rules: dict[str, tuple[datetime, str]]) -> Group:
    counts = {milestone: sum(_reached(person, milestone) for person in people) for milestone in MILESTONES}
    return Group(
        name=name,
        people=len(people),
        stages=tuple(
            Stage(name=milestone, people=count, share=round(count / len(people), 4) if people else 0.0)
            for milestone, count in counts.items()
        ),
        ring=_ring(people),
        not_called=tuple(
            _not_called(person, rules) for person in people if "first_ring" not in person.milestones
        ),
    )


def _reached(person: store.Cohorted, milestone: str) -> bool:
    if milestone == "unknown":
        return _nobody_knows(person)
    return milestone in person.milestones or _TELLS.get(milestone) in person.milestones


def _not_called(person: store.Cohorted, rules: dict[str, tuple[datetime, str]]) -> NotCalled:
    at, rule = rules.get(person.lead, (None, ""))
    return NotCalled(
        lead=person.lead,
        form_at=person.first_form_at,
        stage=person.stage,
        rule=rule,
        rule_at=at,
        disposition=person.disposition,
    )


def _nobody_knows(person: store.Cohorted) -> bool:
    """Whether nobody has said yet how their last meeting went."""
    since = person.milestones.get("unknown")
    told = (person.milestones[name] for name in ("showed", "no_show", "recovered") if name in person.milestones)
    return since is not None and all(at < since for at in told)


def _ring(people: Iterable[store.Cohorted]) -> Ring:
    waits = sorted(
        (person.milestones["first_ring"] - person.first_form_at).total_seconds()
        for person in people
        if "first_ring" in person.milestones
    )
    if not waits:
        return Ring()
    return Ring(people=len(waits), p50=_rank(waits, 50), p90=_rank(waits, 90), p99=_rank(waits, 99))


def _rank(ordered: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile: a wait that somebody really had."""
    return ordered[max(math.ceil(len(ordered) * percent / 100) - 1, 0)]


# ---- pictures ------------------------------------------------------------------------------------------


def table(funnel: Funnel) -> Table:
    """For the terminal: a column for everybody and one for each group."""
    shown = (funnel.total, *funnel.groups)
    drawn = Table(title="Funnel" + (f" by {funnel.by}" if funnel.by else ""), title_justify="left")
    drawn.add_column("milestone")
    for group in shown:
        drawn.add_column(group.name or "all", justify="right")
    for place, milestone in enumerate(MILESTONES):
        drawn.add_row(milestone.replace("_", "-"), *(_counted(g.stages[place]) for g in shown))
    drawn.add_section()
    for name in ("p50", "p90", "p99"):
        drawn.add_row(f"first ring {name}", *(duration(getattr(group.ring, name)) for group in shown))
    drawn.add_row("not called", *(str(len(group.not_called)) for group in shown))
    return drawn


def not_called_table(funnel: Funnel) -> Table:
    """For the terminal: every lead that was not called, with its rule."""
    drawn = Table(title="Not called", title_justify="left")
    for column in ("lead", "form", "stage", "rule"):
        drawn.add_column(column, no_wrap=column == "lead", min_width=37 if column == "lead" else None)
    for person in funnel.total.not_called:
        stage = person.stage + (f" ({person.disposition})" if person.disposition else "")
        came = f"{person.form_at:%Y-%m-%d %H:%M:%S}"
        drawn.add_row(person.lead, came, stage, person.rule or "undecided yet")
    return drawn


def picture(funnel: Funnel) -> str:
    """An SVG of the whole cohort: one bar for each milestone, its width the share that reached it."""
    left, width, row = 110, 420, 30
    rows = []
    for place, stage in enumerate(funnel.total.stages):
        y = place * row + 4
        bar = max(stage.share * width, 1 if stage.people else 0)
        label = html.escape(stage.name.replace("_", "-"))
        rows.append(
            f'<text x="{left - 10}" y="{y + 16}" text-anchor="end">{label}</text>'
            f'<rect x="{left}" y="{y}" width="{bar:.1f}" height="{row - 8}" rx="3" class="s-{stage.name}"/>'
            f'<text x="{left + bar + 8:.1f}" y="{y + 16}">{_counted(stage)}</text>'
        )
    height = len(rows) * row + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 110} {height}" role="img"'
        f' aria-label="Funnel of {funnel.total.people} people" class="funnel">'
        "<style>.funnel{font:13px system-ui,sans-serif;max-width:640px}.funnel text{fill:currentColor}"
        ".funnel rect{fill:#3b6fd4}.funnel .s-no_show{fill:#c9863c}.funnel .s-showed,"
        ".funnel .s-recovered{fill:#2f9163}.funnel .s-closed{fill:#8a8f98}</style>" + "".join(rows) + "</svg>"
    )


def _counted(stage: Stage) -> str:
    return f"{stage.people} ({stage.share:.0%})"


def duration(seconds: float | None) -> str:
    """``1.2 s``, ``4 min``, ``3.5 h``; a dash when there is none."""
    if seconds is None:
        return "-"
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
