"""Who speaks another language than we do is handed to somebody who speaks theirs, and never argued with."""

from __future__ import annotations

import pytest

from tests.talk import SLOTS, Lead, Talk, brief, playbook
from workflows import events as ev
from workflows.speech import LANGUAGES


def handed_over(talk: Talk) -> list[ev.HandOff]:
    return [act for act in talk.lead.acts if isinstance(act, ev.HandOff)]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("¿Bueno? No hablo inglés.", "Spanish"),
        ("En español, por favor.", "Spanish"),
        ("Je ne parle pas anglais.", "French"),
        ("Deutsch?", "German"),
        ("Ich spreche kein Englisch.", "German"),
        ("Não falo inglês.", "Portuguese"),
        ("Non parlo inglese.", "Italian"),
        ("Sorry, I don't speak English.", "another language"),
        ("No English.", "another language"),
    ],
)
def test_who_says_that_they_speak_another_language_gets_a_person_who_does(words: str, name: str) -> None:
    talk = Talk()
    talk.hear(words)
    (act,) = handed_over(talk)
    assert f"speaks {name}" in act.why
    assert not act.complaint
    (known,) = [each for each in LANGUAGES.values() if each.name == name]
    assert talk.last == known.handoff
    assert talk.state.closing == "hand_off"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Hola, ¿quién es? ¿De parte de quién?", "es"),
        ("Bueno, ¿quién habla?", "es"),
        ("Bueno, dígame.", "es"),
        ("Do you speak Spanish?", "es"),
        ("Guten Tag, wer ist da bitte?", "de"),
        ("Allô, oui bonjour, qui est-ce ?", "fr"),
        ("Pronto, chi parla?", "it"),
    ],
)
def test_what_only_sounds_so_is_met_with_the_offer_in_that_language(words: str, code: str) -> None:
    talk = Talk()
    assert talk.hear(words) == LANGUAGES[code].offer
    assert not talk.lead.acts
    talk.hear(LANGUAGES[code].yes[0])
    assert [f"speaks {LANGUAGES[code].name}" in act.why for act in handed_over(talk)] == [True]


def test_who_goes_on_in_the_language_is_handed_over_without_a_yes() -> None:
    talk = Talk()
    talk.hear("Hola, ¿quién es?")
    talk.hear("No entiendo nada, señora, ¿qué quiere usted?")
    assert len(handed_over(talk)) == 1


def test_who_goes_on_in_english_was_misheard() -> None:
    talk = Talk()
    talk.hear("Bueno, ¿quién habla?")
    said = talk.hear("Oh sorry, I thought you were my brother. Sure, go ahead.")
    assert not handed_over(talk)
    assert "?" in said
    assert not talk.state.language


@pytest.mark.parametrize(
    "words",
    ["¿Bueno?", "Hola.", "Hello? Hello?", "Yes, this is Dana.", "No, no, no.", "Si, yes.", "Si, señor!", "Hola amigo.", "Uh, la la la.", "Die was on, so come on in.", "Go on then.", "We sell to Spanish customers.", "A no-go, no."],
)
def test_a_greeting_and_noise_are_no_other_language(words: str) -> None:
    talk = Talk()
    talk.hear(words)
    assert not handed_over(talk)
    assert not talk.state.language


def test_a_time_that_they_pick_in_spanish_is_still_booked() -> None:
    known = {"name": "Dana Reyes", "use_case": "counting stock", "team_size": "20", "timeline": "quarter"}
    talk = Talk(brief(learned=known, sources=dict.fromkeys(known, "said")), lead=Lead(SLOTS))
    talk.hear("Yes.")
    talk.hear("Mañana a las diez.")
    assert [act.slot for act in talk.lead.acts if isinstance(act, ev.Book)] == [SLOTS[0].id]


def test_a_stop_goes_before_everything_in_any_language() -> None:
    talk = Talk()
    talk.hear("No hablo inglés, no me llame más.")
    assert [act.kind for act in talk.lead.acts] == ["opt_out"]


def test_the_languages_are_the_playbooks() -> None:
    book = playbook().model_copy(update={"languages": {}})
    talk = Talk(book=book)
    talk.hear("No hablo inglés.")
    assert not handed_over(talk)
