"""Every bundled conversation ends as it is written, and together they go everywhere that a call can go.

What counts as everywhere is read off the playbooks and the rules themselves: whatever is added there has to be played.
"""

from __future__ import annotations

import pytest

from clients.evaluation import coverage
from tests import played

BRANCHES = (
    "call me next week", "not interested", "interested but the wrong person", "just text me the link", "already booked",
    "call me back now", "speak to a human", "are you a robot", "stop calling", "I have a complaint", "wrong number",
    "hesitating yes",
)  # fmt: skip
"""The wishes that the talk must tell apart, as the scenarios name them."""


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
