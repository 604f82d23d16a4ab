"""Plays many scenarios, and adds up what came of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from workflows.playbook import Playbook

from . import judge
from .corrupt import spoiler, vocabulary
from .judge import Miss
from .models import Model
from .play import Played, play
from .scenario import Scenario

Progress = Callable[["Result"], None]


@dataclass(frozen=True)
class Result:
    """One scenario, played and judged."""

    scenario: Scenario
    played: Played
    misses: list[Miss]

    @property
    def verdict(self) -> judge.Passed:
        return judge.passed(self.misses)

    @property
    def booked(self) -> bool:
        return bool(self.played.bookings)


@dataclass(frozen=True)
class Score:
    """The figures of one run. Latencies are of the model's turns, in seconds."""

    played: int = 0
    passed: int = 0
    other_way: int = 0
    failed: int = 0
    bookable: int = 0
    booked: int = 0
    wrong_bookings: int = 0
    denied_falsely: int = 0
    unsupported: int = 0
    unended: int = 0
    model_failures: int = 0
    turns: int = 0
    asks: int = 0
    first_word: float = 0.0
    slow_word: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass
class Run:
    """One model with one playbook for each audience, over the scenarios. ``name`` tells it apart in a report."""

    name: str
    model: str
    playbooks: dict[str, str] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)

    @property
    def score(self) -> Score:
        return score(self.results)


def score(results: Iterable[Result]) -> Score:
    """Their figures, added up."""
    done = list(results)
    verdicts = [result.verdict for result in done]
    thoughts = [thought for result in done for thought in result.played.thoughts]
    words = sorted(
        first.total_seconds() for thought in thoughts if not thought.failed and (first := thought.first_word)
    )
    bookable = [result for result in done if result.scenario.bookable]
    return Score(
        played=len(done),
        passed=verdicts.count("passed"),
        other_way=verdicts.count("other_way"),
        failed=verdicts.count("failed"),
        bookable=len(bookable),
        booked=sum(1 for result in bookable if result.booked and not result.played.wrong),
        wrong_bookings=sum(len(result.played.wrong) for result in done),
        denied_falsely=sum(judge.denied_falsely(result.played) for result in done),
        unsupported=sum(judge.unsupported(result.played) for result in done),
        unended=sum(1 for result in done if not result.played.over),
        model_failures=sum(1 for thought in thoughts if thought.failed),
        turns=sum(result.played.turns for result in done),
        asks=len(thoughts),
        first_word=round(median(words), 3) if words else 0.0,
        slow_word=round(words[int(len(words) * 0.95)], 3) if words else 0.0,
        tokens_in=sum(thought.tokens_in for thought in thoughts),
        tokens_out=sum(thought.tokens_out for thought in thoughts),
    )


async def run(
    name: str,
    scenarios: Iterable[Scenario],
    playbooks: Mapping[str, Playbook],
    model: Model,
    *,
    model_name: str = "",
    corrupt: float = 0.0,
    seed: str = "1",
    at_once: int = 8,
    progress: Progress | None = None,
) -> Run:
    """Play every scenario with the playbook of its audience, ``at_once`` of them at a time; ``corrupt`` is the word
    error rate of the transcripts. Raises ScenarioError when a scenario names what its playbook has not."""
    wanted = list(scenarios)
    for scenario in wanted:
        judge.check(scenario, scenario.adapted(playbooks[scenario.audience]))
    known = vocabulary(turn.says for scenario in wanted for turn in scenario.turns)
    gate = asyncio.Semaphore(at_once)

    async def one(scenario: Scenario) -> Result:
        async with gate:
            result = await once(scenario, playbooks[scenario.audience], model, corrupt, seed, known)
        if progress:
            progress(result)
        return result

    done = await asyncio.gather(*(one(scenario) for scenario in wanted))
    named = {audience: f"{book.name} v{book.version} ({book.hash})" for audience, book in playbooks.items()}
    return Run(name, model_name, named, list(done))


async def once(
    scenario: Scenario, playbook: Playbook, model: Model, corrupt: float, seed: str, known: dict[str, Any]
) -> Result:
    """One scenario, played and judged. A spoilt one is judged by what always holds alone: its way is another."""
    adapted = scenario.adapted(playbook)
    if not corrupt:
        played = await play(scenario, adapted, model)
        return Result(scenario, played, judge.judge(played, adapted))
    played = await play(scenario, adapted, model, spoiler(corrupt, f"{seed}/{scenario.title}", known))
    return Result(scenario, played, judge.always(played))
