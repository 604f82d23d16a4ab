"""The bundled scenarios, played once with the scripted model and kept for all the tests that look at them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from clients.evaluation import coverage, judge, models, scenario
from clients.evaluation.coverage import Coverage
from clients.evaluation.play import at_once, play
from clients.evaluation.scenario import Scenario
from clients.evaluation.suite import Result
from workers.sandbox.model import reply
from workflows.playbook import Playbook, read_playbook

AUDIENCES = ("inbound", "outbound")
MODEL = models.local(reply)
"""The sandbox's model, without the wire."""


@cache
def books() -> dict[str, Playbook]:
    """The playbook of each audience."""
    folder = Path(__file__).parent.parent / "workflows" / "playbooks"
    texts = {
        file.name: file.read_text() for file in folder.glob("*.yml") if not file.name.endswith(".team.yml")
    }
    return {name: read_playbook(f"{name}.yml", texts) for name in AUDIENCES}


@cache
def scenarios() -> dict[str, Scenario]:
    """Every bundled scenario by its title."""
    return {each.title: each for each in scenario.read(scenario.BUNDLED, AUDIENCES)}


@cache
def adapted(title: str) -> Playbook:
    """The playbook of this scenario, with what it has other than written."""
    wanted = scenarios()[title]
    return wanted.adapted(books()[wanted.audience])


@cache
def result(title: str) -> Result:
    """What came of this scenario."""
    wanted, playbook = scenarios()[title], adapted(title)
    played = at_once(play(wanted, playbook, MODEL))
    return Result(wanted, played, judge.judge(played, playbook))


@cache
def reached() -> Coverage:
    """What all of them reached."""
    return coverage.of([result(title) for title in scenarios()], books())
