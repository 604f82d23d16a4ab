"""Who is only angry at being called hears an apology first, and is handed to a person if that does not calm them."""

from __future__ import annotations

import pytest

from tests.talk import Talk
from workflows import events as ev
from workflows.conversation import signals
from workflows.wishes import is_complaint, is_outburst

ANGRY = "This is the third time you people call me today! What the hell do you want?"


def angry(words: str = ANGRY) -> Talk:
    talk = Talk()
    talk.hear(words)
    return talk


def complaints(talk: Talk) -> list[ev.HandOff]:
    return [act for act in talk.lead.acts if isinstance(act, ev.HandOff) and act.complaint]


def test_an_outburst_is_met_with_an_apology_and_the_offer_of_a_person() -> None:
    talk = angry()
    assert not talk.lead.acts
    assert talk.last.startswith("I am sorry about that.")
    assert "colleague" in talk.last


def test_who_calms_down_goes_on() -> None:
    talk = angry()
    said = talk.hear("Oh, the demo. Okay, sorry, rough day. Go ahead.")
    assert not talk.lead.acts
    assert said.endswith("?")
    assert not talk.state.closing


@pytest.mark.parametrize(
    "words", ["Yes, get me a person.", "No!", "You people keep calling me, this is ridiculous.", "It's the third time you call, I said!"]
)
def test_who_does_not_is_handed_to_a_person_with_both_their_words(words: str) -> None:
    talk = angry()
    talk.hear(words)
    (act,) = complaints(talk)
    assert act.words == f"{ANGRY} {words}"


def test_a_stop_and_a_no_to_the_offer_are_what_they_are() -> None:
    talk = angry()
    talk.hear("Just stop calling me.")
    assert [act.kind for act in talk.lead.acts] == ["opt_out"]
    talk = angry()
    talk.hear("I'm not interested.")
    assert [act.kind for act in talk.lead.acts] == ["decline"]


def test_who_hangs_up_in_anger_is_a_persons_to_see_to() -> None:
    talk = angry()
    talk.put(signals.HungUp(talk.now))
    assert [act.words for act in complaints(talk)] == [ANGRY]
    calm = angry()
    calm.hear("Okay, sorry. Go ahead.")
    calm.put(signals.HungUp(calm.now))
    assert not complaints(calm)


def test_the_second_outburst_is_a_complaint() -> None:
    talk = angry()
    talk.hear("Okay, sorry. Go ahead.")
    talk.hear("Wait, it's the fourth time you people call me this week!")
    assert len(complaints(talk)) == 1


@pytest.mark.parametrize(
    "words", ["I want to complain, your last demo guy never showed up.", "This is the third time you call, this is harassment.", "I have a complaint."]
)
def test_what_is_to_be_complained_of_is_a_complaint_at_once(words: str) -> None:
    assert is_complaint(words)
    assert not is_outburst(words)
    assert len(complaints(angry(words))) == 1
