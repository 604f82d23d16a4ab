"""Who or what answered, by the words: people are never taken for machines."""

from __future__ import annotations

import pytest

from workflows.greetings import (
    is_acknowledged,
    is_holding,
    is_live,
    is_menu,
    is_screening,
    is_voicemail,
    key_for,
    takes_no_message,
)

VOICEMAILS = (
    "Hi, you've reached Dana Reyes. Please leave a message after the beep.",
    "You have reached the voicemail box of Sam Doe.",
    "Your call has been forwarded to an automated voice messaging system.",
    "Hi, this is Dana, sorry I missed your call. I'll get back to you as soon as I can.",
    "The person you are trying to reach is not available. At the tone, please record your message.",
    "I can't come to the phone right now, leave your name and number",
    "We are unable to take your call, please leave a brief message",
    "the number you have dialed is not in service",
    "The mailbox is full and cannot accept any messages at this time. Goodbye.",
    "no one is available to take your call",
    "the wireless customer you are calling is not available please try again later",
)
SCREENINGS = (
    "Hi, the person you're calling is using a screening service from Google, and will get a copy of this conversation. "
    "Go ahead and say your name and why you're calling.",
    "If you record your name and reason for calling, I'll see if this person is available.",
    "Please state your name after the tone and I will see if they are available",
    "May I ask who is calling and why?",
    "This call is being screened. Calls are being screened by an assistant.",
)
MENUS = (
    "Thank you for calling Acme. For sales, press 1. For support, press 2.",
    "press one for english",
    "if you know your party's extension you may dial it at any time",
    "Please listen carefully as our menu options have changed.",
)
PEOPLE = (
    "Hello?", "Hello? ... hello?", "Yes, this is... one moment", "Acme, how may I help you?", "Dana speaking.", "Hi, this is Dana.",
    "Good morning, thank you for calling Acme Corporation of Ohio, this is Julie speaking, how may I direct your call?",
    "Who is this?", "Yeah, I got your voicemail", "She's not in, would you like to leave a message?", "Can I take a message?",
    "He can't come to the phone right now", "I'm driving, can you call me back?", "Sorry, say that again?", "What number are you calling from?",
    "Uh... yes? Reyes plumbing", "I was about to call you back", "Do you want me to take a message", "the person in charge is my husband",
    "Can you send me a message instead?", "What's your name?", "I pressed the wrong button", "You left me a voicemail yesterday",
)  # fmt: skip


@pytest.mark.parametrize("words", VOICEMAILS)
def test_a_voicemail_is_known_by_its_words(words: str) -> None:
    assert is_voicemail(words)
    assert not is_screening(words)


@pytest.mark.parametrize("words", SCREENINGS)
def test_a_screening_is_known_by_its_words(words: str) -> None:
    assert is_screening(words)


@pytest.mark.parametrize("words", MENUS)
def test_a_menu_is_known_by_its_words(words: str) -> None:
    assert is_menu(words)
    assert not is_screening(words)
    assert not is_voicemail(words)


@pytest.mark.parametrize("words", PEOPLE)
def test_a_person_is_no_machine(words: str) -> None:
    assert not is_voicemail(words)
    assert not is_screening(words)
    assert not is_menu(words)
    assert not takes_no_message(words)


@pytest.mark.parametrize(
    "words",
    [
        "Hello?", "hello hello", "Yes?", "Acme, how may I help you?", "Dana speaking", "Who is this?", "Hi, this is Dana.",
        "Sorry, I'm here", "Hello, can you hear me?", "yes hello", "What is this about?",
    ],
)  # fmt: skip
def test_what_only_a_person_says(words: str) -> None:
    assert is_live(words)


@pytest.mark.parametrize(
    "words",
    [*VOICEMAILS, "and I'll call you back as soon as possible. Thanks, bye.", "Have a great day.", "Thanks for calling Acme."],
)
def test_what_a_machine_may_say_proves_no_person(words: str) -> None:
    assert not is_live(words)


@pytest.mark.parametrize(
    ("words", "full"),
    [
        ("The mailbox is full and cannot accept any messages at this time.", True),
        ("the voicemail box has not been set up yet", True),
        ("The number you have dialed is not in service.", True),
        ("Please leave a message after the tone.", False),
    ],
)
def test_where_nothing_can_be_left(words: str, full: bool) -> None:
    assert takes_no_message(words) == full


WANTED = ("operator", "receptionist", "representative", "speak to someone")


@pytest.mark.parametrize(
    ("menu", "key"),
    [
        ("For sales, press 1. For support, press 2. To reach the operator, press 0.", "0"),
        ("Press 1 for sales, press 2 for support, or press 0 to speak to a representative.", "0"),
        ("for sales press one for support press two for the receptionist press nine", "9"),
        ("press one for sales press two for the operator press three for hours", "2"),
        ("Thank you for calling Acme. Press 3 to speak to someone.", "3"),
        ("thank you for calling acme press one for sales press zero for an operator", "0"),
        ("To hear this again press star, for the operator press pound.", "#"),
        ("For sales, press 1. For support, press 2.", ""),
        ("Hello?", ""),
    ],
)
def test_the_key_of_whom_we_want(menu: str, key: str) -> None:
    assert key_for(menu, WANTED) == key


@pytest.mark.parametrize(
    ("words", "holding"),
    [
        ("Please stay on the line.", True), ("One moment, please.", True), ("Thanks.", False), ("Okay, hold on.", True),
        ("I'll see if he is around", True), ("Connecting you now.", True), ("Hello?", False), ("Yes, sure.", False),
        ("We have forty people", False), ("This is Dana, who is this?", False), ("Stop calling me", False),
    ],
)  # fmt: skip
def test_being_asked_to_wait(words: str, holding: bool) -> None:
    assert is_holding(words) == holding


@pytest.mark.parametrize(("words", "noted"), [("Thanks.", True), ("Okay, thank you.", True), ("Thanks, who is this?", False)])
def test_a_note_taken_is_no_answer(words: str, noted: bool) -> None:
    assert is_acknowledged(words) == noted
