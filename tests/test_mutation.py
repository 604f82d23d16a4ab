"""What the scenarios are worth: with an exit, an answer, a rule or a threshold gone, one of them fails.

``python -m tests.test_mutation`` names the scenario that notices each fault.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clients.evaluation import judge
from clients.evaluation.coverage import Place
from clients.evaluation.play import at_once, play

from . import mutants
from .mutants import Mutant
from .played import AUDIENCES, MODEL, books, reached, scenarios

KINDS = ("exit", "answer", "threshold", "premise", "rule")
_MET_BY = {"at_least": "not fit", "pass_score": "not fit", "heard": "backchannel", "doubt": "read back"}
"""The branch where a figure of the playbook counts."""


def _places(mutant: Mutant) -> Iterator[Place]:
    """Where the fault would be met, the likeliest first."""
    audience, what = mutant.audience, mutant.what
    if mutant.kind == "exit":
        node, to, _ = what
        yield audience, "exit", node, to
        yield audience, "node", node
    elif mutant.kind == "answer":
        yield audience, "answer", *what
    elif what[0] == "light":
        yield audience, "answer", what[1], "short"
    elif what[0] in _MET_BY:
        yield "branch", _MET_BY[what[0]]
    elif mutant.kind == "threshold":
        yield audience, "denied", what[0], "evidence"
    elif mutant.kind == "premise":
        yield from ((audience, "denied", action, what[0]) for action in ("hand_off", "offer_slots"))
    else:
        yield audience, "denied", *what


def _candidates(mutant: Mutant) -> Iterator[str]:
    """The scenarios of this audience, those that met the mutated thing before all others."""
    titles = [title for place in _places(mutant) for title in reached().by(place)]
    titles += scenarios()
    yield from (title for title in dict.fromkeys(titles) if scenarios()[title].audience == mutant.audience)


def killer(mutant: Mutant) -> str:
    """The first scenario that fails with the fault in place; "" when none does."""
    with mutants.planted(mutant) as faulty:
        for title in _candidates(mutant):
            wanted = scenarios()[title]
            played = at_once(play(wanted, wanted.adapted(faulty), MODEL))
            if judge.judge(played, wanted.adapted(books()[mutant.audience])):
                return title
    return ""


def _all(audience: str, kind: str) -> list[Mutant]:
    return [mutant for mutant in mutants.of(audience, books()[audience]) if mutant.kind == kind]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("audience", AUDIENCES)
def test_every_fault_makes_a_conversation_fail_but_for_those_that_change_none(audience: str, kind: str) -> None:
    found = _all(audience, kind)
    assert found
    unnoticed = [mutant for mutant in found if bool(killer(mutant)) == mutant.equivalent]
    assert not unnoticed, "\n".join(map(str, unnoticed))


def test_a_fault_is_gone_with_its_test() -> None:
    rules = {action: mutants.authority.RULES[action] for action in mutants.authority.RULES}
    for mutant in mutants.of("inbound", books()["inbound"]):
        with mutants.planted(mutant) as faulty:
            assert faulty != books()["inbound"] or rules != mutants.authority.RULES, mutant
        assert rules == mutants.authority.RULES


if __name__ == "__main__":
    for each in (mutant for audience in AUDIENCES for mutant in mutants.of(audience, books()[audience])):
        print(f"{each}: {killer(each) or ('changes nothing' if each.equivalent else 'UNNOTICED')}")
