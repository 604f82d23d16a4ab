"""What people say about coming to their meeting, in wordings that were written without looking at the rules."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from workflows.attending import confirms, delay, only_confirms, said_of_coming
from workflows.playbook import LOADER

FOUND = 0.95
MISTAKEN = 0.05
_ON_THE_WAY = {"coming", "late"}
"""A late one who says how long, and one who is about to join, are met alike."""


@cache
def corpus() -> dict[str, list[Any]]:
    read: dict[str, list[Any]] = yaml.load((Path(__file__).parent / "corpora" / "coming.yml").read_text(), LOADER)
    return read


def text_of(case: Any) -> str:
    return case["text"] if isinstance(case, dict) else case


def taken_for(text: str) -> str:
    return said_of_coming(text) or ("confirm" if confirms(text) else "")


@pytest.mark.parametrize("word", [word for word in corpus() if word != "none"])
def test_what_they_say_of_coming_is_understood(word: str) -> None:
    wanted = _ON_THE_WAY if word in _ON_THE_WAY else {word}
    texts = [text_of(case) for case in corpus()[word]]
    missed = {text: taken_for(text) for text in texts if taken_for(text) not in wanted}
    assert len(texts) >= 20
    assert len(missed) <= (1 - FOUND) * len(texts) + 1, missed


def test_near_misses_are_hardly_ever_taken_for_it() -> None:
    texts = [text_of(case) for case in corpus()["none"]]
    taken = {text: word for text in texts if (word := taken_for(text))}
    assert len(taken) <= MISTAKEN * len(texts), taken


def test_how_late_they_come_is_heard_where_they_say_it() -> None:
    cases = [case for case in corpus()["late"] if isinstance(case, dict)]
    wrong = {
        case["text"]: delay(case["text"]) for case in cases if delay(case["text"]) != timedelta(minutes=case["minutes"])
    }
    assert len(cases) >= 20
    assert not wrong


def test_a_clock_time_counts_from_the_minute_at_which_the_meeting_begins() -> None:
    assert delay("I'll be there at quarter past") == timedelta(minutes=15)
    assert delay("should be on by twenty past", minute=10) == timedelta(minutes=10)
    assert delay("joining at ten past", minute=50) == timedelta(minutes=20)
    assert delay("running late") is None


@pytest.mark.parametrize(
    "text",
    [
        "yes but can we do 4 instead",
        "yes, move it please",
        "ok cancel",
        "maybe",
        "yes, I'm running late",
        "ok let me check with my boss",
        "👎",
        "",
    ],
)
def test_a_yes_with_something_against_it_confirms_nothing(text: str) -> None:
    assert not confirms(text)


def test_a_yes_with_a_question_confirms_and_is_still_answered() -> None:
    assert confirms("Yes. How long does it take?")
    assert not only_confirms("Yes. How long does it take?")
    assert only_confirms("Yes, see you then!")
    assert only_confirms("👍")


@given(st.text(max_size=200))
def test_any_text_has_an_answer(text: str) -> None:
    said_of_coming(text)
    late = delay(text)
    assert late is None or late > timedelta(0) or "0" in text
    assert confirms(text) or not only_confirms(text)
