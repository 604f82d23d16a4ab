"""``showrate eval``: play the scenarios against a language model, score it, and compare two models or two playbooks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from activities import library
from activities.settings import Settings, settings
from workflows.playbook import Playbook, PlaybookError, read_playbook

from .. import printing
from ..terminal import MISUSED, NOT_FOUND, REFUSED, UNREACHABLE, AsJson, answer, fail
from . import coverage, models, report, scenario, suite
from .scenario import Scenario, ScenarioError
from .suite import Run, Score

HELP = (
    "Play conversations against the language model and score it. Exit codes: 0 every result stands, 1 some do not (or a "
    "file is refused), 2 misused, 3 no such playbook or scenario, 4 the model does not answer."
)

SHOWN = (
    ("passed", "passed as written"),
    ("other_way", "right result, another way"),
    ("failed", "failed"),
    ("booked", "booked of the bookable"),
    ("wrong_bookings", "wrong bookings"),
    ("denied_falsely", "denied falsely"),
    ("unsupported", "sentences not let through"),
    ("unended", "calls without an end"),
    ("model_failures", "turns that were no turn"),
    ("turns", "turns of theirs"),
    ("first_word", "first word, median s"),
    ("slow_word", "first word, p95 s"),
    ("tokens_in", "tokens in"),
    ("tokens_out", "tokens out"),
)
"""The figures of a score, in the order in which they are shown."""


def evaluate(
    playbook: Annotated[list[str] | None, typer.Option(help="A playbook by name or file; all of the folder by default.")] = None,
    against: Annotated[str, typer.Option(help="A second playbook (name or file) of the same audience, side by side.")] = "",
    model: Annotated[str, typer.Option(help="The model's name; OPENAI_MODEL by default.")] = "",
    base_url: Annotated[str, typer.Option(help="Where it is; OPENAI_BASE_URL by default.")] = "",
    against_model: Annotated[str, typer.Option(help="A second model, side by side.")] = "",
    against_url: Annotated[str, typer.Option(help="Where the second model is; --base-url by default.")] = "",
    scenarios: Annotated[Path | None, typer.Option(help="A folder of scenario files, or one file; the bundled ones by default.")] = None,
    only: Annotated[str, typer.Option(help="Only scenarios whose name holds this.")] = "",
    corrupt: Annotated[float, typer.Option(min=0, max=0.6, help="Word error rate of the transcripts, such as 0.1.")] = 0.0,
    seed: Annotated[str, typer.Option(help="Draws the errors.")] = "1",
    at_once: Annotated[int, typer.Option(min=1, max=64, help="Calls at a time.")] = 4,
    out: Annotated[Path | None, typer.Option(help="Write the report here, one HTML file.")] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Play the scenarios against the language model and score what comes of them."""
    house = settings()
    books = _playbooks(playbook or [], house.showrate_playbooks)
    wanted = _scenarios(scenarios or scenario.BUNDLED, books, only)
    first = _Setup(books, _of(house, model, base_url))
    compared = [first]
    if against:
        other = _one(against, house.showrate_playbooks)
        if other.audience not in books:
            fail(MISUSED, f"--against {against} is for {other.audience}, which no other playbook here is for")
        wanted = [each for each in wanted if each.audience == other.audience]
        compared.append(_Setup({**books, other.audience: other}, first.house))
    if against_model or against_url:
        compared.append(_Setup(books, _of(first.house, against_model, against_url)))
    runs = asyncio.run(_runs(compared, wanted, corrupt, seed, at_once, quiet=as_json))
    reached = coverage.of(runs[0].results, books)
    missed = coverage.missed(reached, books) if not (only or scenarios or corrupt) else []
    if out is not None:
        out.write_text(report.html(runs, books, missed, corrupt), encoding="utf-8")
        printing.err.print(f"wrote {out}", style="dim")
    answer(_data(runs, missed), as_json, lambda: _shown(runs))
    if all(run.score.asks and run.score.model_failures == run.score.asks for run in runs):
        fail(UNREACHABLE, f"the model gave no turn at all: {_why(runs[0])}")
    if any(run.score.failed for run in runs[:1]):
        raise typer.Exit(REFUSED)


class _Setup:
    """One side of a comparison: the playbooks by audience, and the settings that name the model."""

    def __init__(self, playbooks: dict[str, Playbook], house: Settings) -> None:
        self.playbooks, self.house = playbooks, house

    def named(self, other: _Setup | None) -> str:
        """What tells it apart from the other side."""
        if other is None or other.playbooks == self.playbooks:
            same_name = other is not None and other.house.openai_model == self.house.openai_model
            return (
                f"{self.house.openai_model} at {self.house.openai_base_url}"
                if same_name
                else self.house.openai_model
            )
        books = [book for audience, book in self.playbooks.items() if other.playbooks[audience] != book]
        return ", ".join(f"{book.name} v{book.version}" for book in books)


def _of(house: Settings, model: str, base_url: str) -> Settings:
    changed = {"openai_model": model, "openai_base_url": base_url}
    return house.model_copy(update={name: value for name, value in changed.items() if value})


def _playbooks(names: list[str], folder: Path) -> dict[str, Playbook]:
    """The playbooks by audience: those named, or the newest of each audience in ``folder``."""
    if names:
        found = [_one(name, folder) for name in names]
    else:
        try:
            found = sorted(library.playbooks(folder), key=lambda book: book.version)
        except PlaybookError as error:
            fail(REFUSED, str(error))
    return {book.audience: book for book in found}


def _one(name: str, folder: Path) -> Playbook:
    given = Path(name)
    place = given.parent if given.suffix == ".yml" else folder
    file = given.name if given.suffix == ".yml" else f"{name}.yml"
    if not (place / file).is_file():
        fail(NOT_FOUND, f"there is no playbook {place / file}")
    try:
        return read_playbook(file, {each.name: each.read_text("utf-8") for each in place.glob("*.yml")})
    except PlaybookError as error:
        fail(REFUSED, str(error))


def _scenarios(place: Path, books: Mapping[str, Playbook], only: str) -> list[Scenario]:
    if not place.exists():
        fail(NOT_FOUND, f"there is no folder or file {place}")
    try:
        found = scenario.read(place, books)
    except ScenarioError as error:
        fail(REFUSED, str(error))
    found = [each for each in found if only in each.name]
    if not found:
        fail(NOT_FOUND, f"no scenario{f' named {only}' if only else ''} for {', '.join(books)} in {place}")
    return found


async def _runs(
    compared: list[_Setup], wanted: list[Scenario], corrupt: float, seed: str, at_once: int, quiet: bool
) -> list[Run]:
    runs: list[Run] = []
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[tally]}"), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=printing.err, disable=quiet or not printing.err.is_terminal) as bar:
        for index, side in enumerate(compared):
            other = compared[1 - index] if len(compared) > 1 else None
            name = side.named(other)
            task = bar.add_task(name, total=len(wanted), tally="")
            tally = {"passed": 0, "other_way": 0, "failed": 0}

            def one(result: suite.Result, task: Any = task, tally: dict[str, int] = tally) -> None:
                tally[result.verdict] += 1
                told = f"{tally['passed'] + tally['other_way']} ✔ {tally['failed']} ✖"
                bar.update(task, advance=1, tally=told)

            try:
                runs.append(
                    await suite.run(
                        name, wanted, side.playbooks, partial(models.wired, house=side.house),
                        model_name=side.house.openai_model, corrupt=corrupt, seed=seed, at_once=at_once, progress=one,
                    )
                )  # fmt: skip
            except ScenarioError as error:
                fail(REFUSED, str(error))
    return runs


def _why(run: Run) -> str:
    return next(
        (thought.failed for result in run.results for thought in result.played.thoughts if thought.failed), ""
    )


# ---- what is shown ------------------------------------------------------------------------------------------------


def figure(score: Score, name: str) -> str:
    """One figure of a score, for people."""
    if name == "booked":
        return f"{score.booked} of {score.bookable}"
    value = getattr(score, name)
    return f"{value:.2f}" if isinstance(value, float) else f"{value:,}"


def _shown(runs: list[Run]) -> None:
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column(f"{runs[0].score.played} scenarios")
    for run in runs:
        table.add_column(run.name, justify="right")
    for name, label in SHOWN:
        table.add_row(label, *(figure(run.score, name) for run in runs))
    printing.out.print(table)
    for run in runs:
        for result in run.results:
            if result.verdict != "failed":
                continue
            printing.out.print(
                f"✖ {result.scenario.title} ({result.scenario.file}:{result.scenario.line})", style="red"
            )
            for miss in result.misses:
                printing.out.print(f"    {miss}", style="" if miss.result else "dim")


def _data(runs: list[Run], missed: list[coverage.Place]) -> dict[str, Any]:
    return {
        "runs": [
            {
                "name": run.name,
                "model": run.model,
                "playbooks": run.playbooks,
                "score": asdict(run.score),
                "scenarios": [
                    {
                        "scenario": result.scenario.title,
                        "verdict": result.verdict,
                        "booked": result.booked,
                        "turns": result.played.turns,
                        "misses": [{**asdict(miss)} for miss in result.misses],
                    }
                    for result in run.results
                ],
            }
            for run in runs
        ],
        "never_reached": [coverage.written(place) for place in missed],
    }
