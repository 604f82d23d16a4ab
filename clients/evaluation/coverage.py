"""What a set of plays reached of their playbooks: nodes, exits, the rules of verdicts, objections' answers, branches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from workflows.playbook import Playbook

from . import judge
from .play import Played
from .suite import Result

Place = tuple[str, ...]
"""``node, NAME`` · ``exit, NODE, TO`` · ``denied, ACTION, RULE`` · ``allowed, ACTION`` · ``answer, OBJECTION, INDEX``
(or ``short``) · ``fact, NAME`` · ``branch, NAME``; before it the audience, but for branches."""


@dataclass
class Coverage:
    """Which scenarios reached what. A place that no scenario reached is absent."""

    reached: dict[Place, list[str]] = field(default_factory=dict)

    def add(self, result: Result, playbook: Playbook) -> None:
        """Count one play in."""
        for place in dict.fromkeys(_places(result.played, playbook)):
            self.reached.setdefault(place, []).append(result.scenario.title)

    def by(self, place: Place) -> list[str]:
        """The titles of the scenarios that reached ``place``."""
        return self.reached.get(place, [])


def of(results: Iterable[Result], playbooks: Mapping[str, Playbook]) -> Coverage:
    """The coverage of these plays."""
    found = Coverage()
    for result in results:
        found.add(result, playbooks[result.scenario.audience])
    return found


def _places(played: Played, playbook: Playbook) -> Iterable[Place]:
    audience, said = played.scenario.audience, played.said
    path = played.ended.path
    yield from ((audience, "node", node) for node in path)
    for node, to in pairwise(path):
        if any(way.to == to for way in playbook.graph[node].exits):
            yield audience, "exit", node, to
    for verdict in played.verdicts:
        if verdict.allowed:
            yield audience, "allowed", verdict.action
        else:
            yield audience, "denied", verdict.action, verdict.rule
    for name, answer, words in _answers(playbook):
        if judge.matches(words, said, playbook):
            yield audience, "answer", name, answer
    for name in playbook.facts:
        if judge.matches(f"<facts.{name}>", said, playbook):
            yield audience, "fact", name
    yield from (("branch", name) for name in played.scenario.covers)


def _answers(playbook: Playbook) -> Iterator[tuple[str, str, str]]:
    """What the playbook says to each objection, in full and in passing: the objection, which answer, where it stands."""
    for name, objection in playbook.objections.items():
        for index in range(len(objection.answers)):
            yield name, str(index), f"<objections.{name}.answers.{index}>"
        if objection.short:
            yield name, "short", f"<objections.{name}.short>"


def expected(audience: str, playbook: Playbook) -> list[Place]:
    """Every place of a playbook that plays should reach; rules of verdicts are the code's and not among them."""
    return [
        *((audience, "node", node) for node in playbook.graph),
        *dict.fromkeys(
            (audience, "exit", node, way.to) for node, here in playbook.graph.items() for way in here.exits
        ),
        *((audience, "answer", name, answer) for name, answer, _ in _answers(playbook)),
        *((audience, "fact", name) for name in playbook.facts),
    ]


def missed(coverage: Coverage, playbooks: Mapping[str, Playbook]) -> list[Place]:
    """The expected places that no play reached."""
    return [
        place
        for audience, playbook in playbooks.items()
        for place in expected(audience, playbook)
        if not coverage.by(place)
    ]


def written(place: Place) -> str:
    """A place for people: ``inbound: exit booking to confirmation``."""
    audience, kind, *rest = place
    if kind == "exit":
        return f"{audience}: exit {rest[0]} to {rest[1]}"
    return f"{audience}: {' '.join((kind, *rest))}"
