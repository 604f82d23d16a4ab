"""Spoilt transcripts: nothing is booked that nobody chose, and no address, number or name kept that nobody said.

A drawn part; ``python -m tests.bench.corrupted`` plays all of it, over many seeds.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from clients.evaluation.corrupt import LEVELS
from workflows.conversation.state import State

from . import corrupted


@pytest.mark.parametrize("rate", LEVELS)
def test_every_bookable_conversation_survives_a_spoilt_transcript(rate: float) -> None:
    came = corrupted.many((each for each in corrupted.all_of_them() if each.bookable), rate, (0,))
    assert came.wrong == []
    assert came.misheard == []
    assert came.unended == []
    assert came.read_back > 20
    assert came.booked >= {0.1: 0.8, 0.2: 0.6, 0.3: 0.4}[rate] * came.bookable


@pytest.mark.parametrize("rate", LEVELS)
def test_who_tells_address_number_and_name_is_read_them_back(rate: float) -> None:
    came = corrupted.many(corrupted.spelled(), rate, range(8))
    assert came.misheard == []
    assert came.wrong == []
    assert came.read_back >= 8


@pytest.mark.parametrize("rate", LEVELS)
def test_no_address_is_kept_unconfirmed_when_the_recogniser_never_says_how_sure_it_is(rate: float) -> None:
    came = corrupted.many(corrupted.spelled(), rate, range(8), tells=False)
    assert [line for line in came.misheard if ": email " in line] == []
    assert came.read_back >= 8


@pytest.mark.parametrize("rate", LEVELS)
def test_no_time_is_booked_unconfirmed_when_the_recogniser_never_says_how_sure_it_is(rate: float) -> None:
    came = corrupted.many((each for each in corrupted.all_of_them() if each.bookable), rate, (0,), tells=False)
    assert came.wrong == []
    assert came.unended == []
    assert came.booked >= {0.1: 0.8, 0.2: 0.6, 0.3: 0.4}[rate] * came.bookable


def test_without_doubt_the_same_conversations_book_and_keep_what_nobody_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(State, "doubtful", property(lambda state: False))
    monkeypatch.setattr(State, "unsure", property(lambda state: False, lambda state, value: None), raising=False)
    wanted: Iterable[corrupted.Scenario] = (each for each in corrupted.all_of_them() if each.bookable)
    came = corrupted.many(wanted, 0.3, range(2))
    assert came.wrong
    assert came.misheard
