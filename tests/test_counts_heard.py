"""How many there are is what people meant: sums, corrections and vague amounts turn nobody away by their first number."""

from __future__ import annotations

import pytest

from tests.talk import Talk, brief, playbook, turn
from workflows import events as ev
from workflows.conversation.numbers import number_in
from workflows.reading import is_opt_out


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("a couple of dozen, maybe thirty", 24),
        ("It's me and my wife", 2),
        ("my brother and I", 2),
        ("One warehouse and about six trucks", 7),
        ("three vans and a shop", 4),
        ("2 warehouses, 3 vans and the shop", 6),
        ("Fifteen drivers and five in the office", 20),
        ("five, no wait, six", 6),
        ("it used to be two but now we're six", 6),
        ("between ten and twenty", 10),
        ("ten people, two of them part time", 10),
        ("ten and a bit", 10),
        ("we are fifteen people and have two warehouses", 15),
        ("twenty people and two offices", 20),
        ("15 users and a warehouse", 15),
        ("25 people and a budget of 500", 25),
        ("5 people, and the deadline is two weeks", 5),
        ("twelve reps and a manager", 13),
        ("me and my team", None),
    ],
)
def test_what_is_counted(text: str, number: float | None) -> None:
    assert number_in(text) == number


def asked_for(field: str, audience: str, **learned: str) -> Talk:
    """A talk in which ``field`` was just asked for; the model then reads the first number word, as a hasty one does."""
    book = playbook(f"{audience}.yml")
    known = {"name": "Dana Reyes", **learned}
    talk = Talk(brief(playbook=book.hash, learned=known, sources=dict.fromkeys(known, "said"), node="qualification"), book)
    talk.hear("Yes, go ahead.")
    assert talk.state.last_asked == field
    return talk


@pytest.mark.parametrize(
    ("words", "first", "whole"),
    [("One warehouse and about six trucks.", "One", "7"), ("One shop plus four vans.", "One shop", "5")],
)
def test_a_sum_is_read_back_before_its_first_part_turns_them_away(words: str, first: str, whole: str) -> None:
    talk = asked_for("sites", "outbound", current_way="paper")
    talk.model = lambda _: turn("say", "I see.", "answer", {"sites": first})
    assert whole in talk.hear(words)
    assert talk.last.endswith("is that right?")
    talk.hear("Yes.")
    assert talk.state.learned["sites"] == whole
    assert not [act for act in talk.lead.acts if isinstance(act, ev.Decline)]


@pytest.mark.parametrize(
    ("words", "part", "meant"),
    [("Oh, a couple of dozen, I think.", "couple", "24"), ("Two. No wait, six, we just hired some.", "Two", "6")],
)
def test_a_part_of_an_amount_or_one_taken_back_is_not_the_answer(words: str, part: str, meant: str) -> None:
    talk = asked_for("team_size", "inbound", use_case="counting stock")
    talk.model = lambda _: turn("say", "I see.", "answer", {"team_size": part})
    talk.hear(words)
    assert talk.state.learned["team_size"] == meant


def test_one_place_is_still_one_place() -> None:
    talk = asked_for("sites", "outbound", current_way="paper")
    talk.hear("Just the one.")
    assert [act.disposition for act in talk.lead.acts if isinstance(act, ev.Decline)] == ["not_fit"]


@pytest.mark.parametrize(
    ("words", "stops"),
    [
        ("We want to stop calling the warehouse all the time to ask what's in stock.", False),
        ("I'd like to be able to stop calling our drivers.", False),
        ("I need you to stop calling our office.", True),
        ("I want to stop calling me.", True),
    ],
)
def test_whom_they_call_themselves_is_no_opt_out(words: str, stops: bool) -> None:
    assert is_opt_out(words, spoken=True) is stops
