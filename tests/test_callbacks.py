"""Another time to call: the moment that they mean, the first that the rules allow, and what is promised of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.talk import ZONE, Lead, Talk, brief, playbook
from tests.test_asked import START, Case
from workflows import events as ev
from workflows.messages import Answer

NINE = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
"""Tomorrow at nine in New York: the first moment that the rules allow."""


def promised(talk: Talk) -> str:
    """The local time of the callback that was asked for last; "" when none was."""
    asked = [act.at for act in talk.lead.acts if isinstance(act, ev.CallBack)]
    return f"{asked[-1].astimezone(ZoneInfo(ZONE)):%a %H:%M}" if asked and asked[-1] else ""


@pytest.mark.parametrize(
    ("words", "when"),
    [
        ("I'm in a meeting until half past three, call me then.", "Mon 15:30"),
        ("I'm in a meeting until half past.", "Mon 10:30"),
        ("Until half past, call me then.", "Mon 10:30"),
        ("I'm busy till quarter to, call me after.", "Mon 10:45"),
        ("Can you call me at a quarter past?", "Mon 10:15"),
        ("Call me back at the top of the hour.", "Mon 11:00"),
        ("I'm in meetings from two to three, call me then.", "Mon 15:00"),
        ("I'm out until Thursday, call me then.", "Thu 10:00"),
        ("Can you ring me a week from Tuesday, at quarter past four?", "Tue 16:15"),
        ("I'm driving until five. Call me after that.", "Mon 17:00"),
    ],
)
def test_until_when_they_are_taken_is_when_they_are_called(words: str, when: str) -> None:
    talk = Talk()
    talk.hear(words)
    assert promised(talk) == when
    assert talk.core.state.closing == "call_back"


def test_then_is_the_time_that_they_named_before() -> None:
    talk = Talk()
    talk.hear("Not a good time, I'm back at my desk around two.")
    talk.hear("Yes, call me then.")
    assert promised(talk) == "Mon 14:00"


def moved(due: datetime = NINE) -> Talk:
    """Somebody who asks to be called at night, and a lead whose rules put that off."""
    lead = Lead()
    lead.answers = [Answer(allowed=True, rule="calling_hours", due=due)]
    talk = Talk(lead=lead)
    talk.hear("Call me at two in the morning.")
    return talk


def test_a_moment_at_which_we_may_not_call_is_never_promised() -> None:
    talk = moved()
    assert "tomorrow, Tuesday the 24th, at 9 AM" in talk.last
    assert "2 AM" not in " ".join(talk.spoken)
    assert not talk.state.closing, "they may want another time"


@pytest.mark.parametrize("words", ["Yes, that's fine.", "Okay.", "Thanks, bye."])
def test_who_is_content_with_the_first_moment_is_let_go(words: str) -> None:
    talk = moved()
    talk.hear(words)
    assert talk.state.closing
    assert promised(talk) == "Tue 02:00", "the lead knows it; nothing is asked again"


@pytest.mark.parametrize(
    ("words", "when"),
    [("Okay, nine then.", "Tue 09:00"), ("Make it eleven.", "Tue 11:00"), ("No, Wednesday at ten would be better.", "Wed 10:00")],
)
def test_who_would_rather_have_another_moment_gets_that(words: str, when: str) -> None:
    talk = moved()
    talk.hear(words)
    assert promised(talk) == when
    assert talk.state.closing == "call_back"


def test_a_wish_that_stays_impossible_is_settled_with_the_same_promise() -> None:
    talk = moved()
    talk.lead.answers = [Answer(allowed=True, rule="calling_hours", due=NINE)]
    talk.hear("No, call me at three in the morning.")
    assert talk.state.closing == "call_back"
    assert "9 AM" in talk.last


def test_what_may_be_promised_is_said_as_it_was_asked_for() -> None:
    talk = Talk(brief(), playbook())
    talk.hear("Call me back at four.")
    assert talk.last == "All right, I will call you back today at 4 PM. Goodbye."


@pytest.mark.parametrize(
    ("at", "due", "why"),
    [
        (START + timedelta(hours=3), START + timedelta(hours=3), ""),
        (START.replace(hour=7) + timedelta(days=1), START.replace(hour=16) + timedelta(days=1), "calling_hours"),
    ],
)
def test_the_lead_promises_the_first_moment_that_its_rules_allow(at: datetime, due: datetime, why: str) -> None:
    case = Case(playbook())
    answer = case.ask(ev.CallBack(at=at))
    assert (answer.allowed, answer.due, answer.rule) == (True, due, why)
    assert case.state.callback_at == due
