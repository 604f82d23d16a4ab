"""Every bundled conversation ends as it is written, and together they go everywhere that a call can go.

What counts as everywhere is read off the playbooks and the rules themselves: whatever is added there has to be played.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from clients.evaluation import coverage, judge, scenario
from clients.evaluation.play import at_once, play
from workflows.conversation import authority

from . import mutants, played

BRANCHES = (
    "call me next week", "not interested", "interested but the wrong person", "just text me the link", "already booked",
    "call me back now", "speak to a human", "are you a robot", "stop calling", "I have a complaint", "wrong number",
    "hesitating yes",
)  # fmt: skip
"""The wishes that the talk must tell apart, as the scenarios name them."""
GROUNDS = ("time", "number", "name", "promise", "done", "machine", "claim")
"""For want of which a sentence is not said (:mod:`workflows.conversation.grounding`)."""


@pytest.mark.parametrize("title", played.scenarios())
def test_ends_as_written(title: str) -> None:
    misses = played.result(title).misses
    assert not misses, "\n".join(map(str, misses))


def test_every_node_exit_answer_and_fact_is_reached() -> None:
    missed = coverage.missed(played.reached(), played.books())
    assert not missed, [coverage.written(place) for place in missed]


@pytest.mark.parametrize("audience", played.AUDIENCES)
@pytest.mark.parametrize("branch", BRANCHES)
def test_every_branch_is_played_with_both_audiences(branch: str, audience: str) -> None:
    titles = played.reached().by(("branch", branch))
    assert any(title.startswith(f"{audience}/") for title in titles)


@pytest.mark.parametrize("audience", played.AUDIENCES)
def test_every_rule_of_every_verdict_denies_something(audience: str) -> None:
    rules = {(action, rule.name) for action, rules in authority.RULES.items() for rule in rules}
    wanted = {(action, name) for action, name in rules if name not in mutants.PREMISES}
    wanted -= {(action, name) for kind, action, name in mutants.EQUIVALENT if kind == "rule"}
    wanted |= {("say", f"grounding_{ground}") for ground in GROUNDS} | {("book", "interrupted")}
    denied = {(place[2], place[3]) for place in played.reached().reached if place[:2] == (audience, "denied")}
    assert wanted <= denied, sorted(wanted - denied)
    assert {name for _, name in denied}.issuperset(mutants.PREMISES)


@pytest.mark.parametrize("audience", played.AUDIENCES)
def test_every_action_is_allowed_somewhere(audience: str) -> None:
    allowed = {place[2] for place in played.reached().reached if place[:2] == (audience, "allowed")}
    assert allowed >= set(authority.RULES)


def test_the_documented_example_is_one() -> None:
    text = (Path(__file__).parent.parent / "docs" / "conversation.md").read_text()
    (wanted,) = scenario.parse(text.split("```yaml\n")[1].split("```")[0], "conversation.md")
    playbook = played.books()[wanted.audience]
    judge.check(wanted, playbook)
    misses = judge.judge(at_once(play(wanted, playbook, played.MODEL)), playbook)
    assert not misses, "\n".join(map(str, misses))
