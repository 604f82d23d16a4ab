"""Who picked up, who we are, and what an answer is: what a caller of flesh and blood would not get wrong."""

from __future__ import annotations

import pytest

from tests.talk import Talk, brief, playbook, turn
from workflows import events as ev
from workflows.greetings import is_voicemail
from workflows.reading import is_denial, merely_agrees
from workflows.wishes import is_absent, wish


def outbound() -> Talk:
    book = playbook("outbound.yml")
    return Talk(brief(playbook=book.hash), book)


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("She's not in today.", True),
        ("Dana is in a meeting.", True),
        ("Dana's out for lunch", True),
        ("No, this is her husband.", True),
        ("My mommy is in the shower.", True),
        ("He'll be back at six.", True),
        ("We are not in the city.", False),
        ("I am in a meeting.", False),
        ("My boss is out of ideas.", False),
        ("She is out of stock most of the time.", False),
        ("This is Dana.", False),
    ],
)
def test_who_is_not_there(text: str, absent: bool) -> None:
    assert is_absent(text, "Dana Reyes") is absent


@pytest.mark.parametrize("words", ["She's not in today.", "No, this is her husband.", "My mommy is in the shower."])
def test_somebody_else_is_asked_when_to_reach_them_and_nothing_more(words: str) -> None:
    talk = Talk()
    said = talk.hear(words)
    assert "When would be a good moment to reach Dana?" in said
    talk.hear("Around six thirty.")
    (back,) = (act for act in talk.lead.acts if isinstance(act, ev.CallBack))
    assert back.at is not None
    assert back.at.isoformat() == "2026-11-23T23:30:00+00:00"


def test_who_is_named_in_the_place_of_the_one_who_left_is_taken_up() -> None:
    talk = Talk()
    words = "No, this is Mark. Dana doesn't work here any more, you want Susan Lee."
    assert wish(words, "Dana Reyes") == "referral"
    talk.hear(words)
    (act,) = talk.lead.acts
    assert isinstance(act, ev.Refer)
    assert act.name == "Susan Lee"
    assert wish("Wrong number, try the phone book.") == "wrong_number"


@pytest.mark.parametrize("words", ["Who's calling?", "Which company did you say?", "May I ask who is calling?"])
def test_who_we_are_is_always_told(words: str) -> None:
    for talk in (Talk(), outbound()):
        said = talk.hear(words)
        assert "Juno, the automated assistant of Tallyhook" in said
        assert not talk.lead.acts


@pytest.mark.parametrize("words", ["Where did you get my number?", "What's this about?"])
def test_where_we_have_their_number_from_is_told_in_the_approved_words(words: str) -> None:
    assert "You left your number with us" in Talk().hear(words)


@pytest.mark.parametrize("words", ["Yes?", "Yeah?", "One minute? Okay, fine."])
def test_a_yes_with_a_question_mark_is_a_yes(words: str) -> None:
    assert merely_agrees(words)
    talk = Talk(model=lambda ask: turn("state", "", "question"))
    talk.hear(words)
    assert not talk.lead.acts
    assert talk.state.node == "qualification"


def test_a_question_after_a_yes_is_a_question() -> None:
    assert not merely_agrees("Yes, but what does it cost?")
    assert not merely_agrees("What does it cost?")


def test_who_is_sorry_denies_nothing() -> None:
    assert not is_denial("Oh no, I totally forgot, sorry.")
    assert is_denial("Oh no, not today.")
    known = {"use_case": "vans", "team_size": "20", "timeline": "quarter"}
    talk = Talk(brief(opening="recovery", node="no_show_recovery", learned=known))
    assert "new time" in talk.hear("Oh no, I totally forgot, sorry.")
    assert not talk.lead.acts


def test_what_no_person_says_of_another_is_a_machine() -> None:
    words = "The person you are calling can't take your call right now. Would you like to leave a message?"
    assert is_voicemail(words)
    assert not is_voicemail("She can't take your call right now. Would you like to leave a message?")


@pytest.mark.parametrize(
    ("words", "choice"),
    [
        ("We use a whiteboard.", "paper"),
        ("We have an ERP.", "software"),
        ("Honestly, not at all.", "nothing"),
        ("In Excel, mostly.", "spreadsheet"),
        ("Not on a whiteboard any more.", ""),
    ],
)
def test_a_choice_in_the_playbook_s_own_words_is_taken_in(words: str, choice: str) -> None:
    talk = outbound()
    talk.hear("Okay, go ahead.")
    assert talk.state.last_asked == "current_way"
    talk.model = lambda ask: turn("say", "I see.")
    talk.hear(words)
    assert talk.state.learned.get("current_way", "") == choice


def test_an_answer_to_what_the_objection_s_answer_asked_is_one() -> None:
    talk = outbound()
    assert "how you keep count today?" in talk.hear("We're all set, thanks.")
    said = talk.hear("In a spreadsheet, if you must know.")
    assert talk.state.learned["current_way"] == "spreadsheet"
    assert "in how many places" in said


def test_who_comes_late_is_not_asked_whether_they_come() -> None:
    at = ev.Booking.model_validate(
        {"id": "b1", "rep": "ana", "rep_name": "Ana Torres", "start": "2026-11-25T15:00:00Z", "end": "2026-11-25T15:30:00Z"}
    )
    talk = Talk(brief(opening="confirm", node="confirmation", booking=at))
    talk.hear("Yes.")
    said = talk.hear("I might be ten minutes late.")
    assert "10 minutes late" in said
    assert "Will you be there?" not in said
