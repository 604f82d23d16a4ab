"""Consent taken back in any words, over a corpus with counter-examples: none is missed, few are taken wrongly."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.doubt import may_revoke
from workflows.leaning import contradicts, leans, margin, sentences
from workflows.playbook import LOADER
from workflows.reading import is_opt_out, may_opt_out
from workflows.revocation import revokes
from workflows.spelling import mended

CORPORA = Path(__file__).parent / "corpora"
CORPUS = yaml.load((CORPORA / "revocation.yml").read_text(), LOADER)
CONSENT = yaml.load((CORPORA / "consent.yml").read_text(), LOADER)
UNSEEN = yaml.load((CORPORA / "unseen.yml").read_text(), LOADER)
WISHES = yaml.load((CORPORA / "wishes.yml").read_text(), LOADER)
REVOKES, DOUBTFUL, LEAVES = CORPUS["revokes"], CORPUS["doubtful"], CORPUS["leaves"]
DRESSED = ("{}", "{}.", "{}!!", "Look, {}", "Um, {} please", "I'm busy, {}", "{}. Goodbye.", "No thank you. {}")
BARE = ("end", "cancel", "quit", "remove", "REMOVE ME NOW")
"""Alone they answer a question when spoken."""


def test_the_corpus_is_wide() -> None:
    assert len(REVOKES) >= 150
    assert len(LEAVES) >= 150
    assert not set(REVOKES) & set(LEAVES)


@pytest.mark.parametrize("text", REVOKES)
def test_nothing_is_missed(text: str) -> None:
    assert is_opt_out(text)
    assert is_opt_out(text, spoken=True) or text in BARE or text == "remove"


def test_few_are_taken_wrongly() -> None:
    wrong = [text for text in LEAVES if is_opt_out(text, spoken=True)]
    assert len(wrong) <= 0.01 * len(LEAVES), wrong


@settings(max_examples=300)
@given(st.sampled_from(REVOKES), st.sampled_from(DRESSED), st.booleans())
def test_it_is_heard_however_it_is_dressed(text: str, dress: str, curly: bool) -> None:
    said = dress.format(text.rstrip(".!"))
    said = said.replace("'", "\u2019") if curly else said
    assert is_opt_out(said) or may_opt_out(said) or (is_opt_out(text.rstrip(".!")) and text in BARE), said


@given(st.sampled_from([text for text in LEAVES if "," not in text]), st.sampled_from(("{}.", "{}!", "Okay, {}", "{} Thanks.")))
def test_what_leaves_consent_leaves_it_however_it_is_dressed(text: str, dress: str) -> None:
    assert not revokes(dress.format(text))


@pytest.mark.parametrize("text", DOUBTFUL)
def test_in_doubt_a_person_looks(text: str) -> None:
    """Some of them a stop in plain words, as it turns out: then it is one."""
    assert may_opt_out(text) or is_opt_out(text)


def test_few_are_suspected_wrongly() -> None:
    suspected = [text for text in LEAVES if may_opt_out(text, spoken=True)]
    assert len(suspected) <= 0.035 * len(LEAVES), suspected


@pytest.mark.parametrize("part", CONSENT)
def test_in_every_kind_of_talk_it_is_heard(part: str) -> None:
    """The weights were learned from these; no rule was written for them."""
    ends, stays = CONSENT[part]["ends"], CONSENT[part]["stays"]
    missed = [text for text in ends if not is_opt_out(text) and not may_opt_out(text)]
    assert len(missed) <= 0.025 * len(ends), missed
    wrong = [text for text in stays if is_opt_out(text)]
    assert len(wrong) <= 0.03 * len(stays), wrong


def test_wordings_that_nobody_thought_of_are_heard() -> None:
    """By the rules alone one in ten of these is missed."""
    missed = [text for text in UNSEEN["revokes"] if not is_opt_out(text) and not may_opt_out(text)]
    by_rule = [text for text in UNSEEN["revokes"] if revokes(text) or may_revoke(text)]
    assert len(missed) <= 0.02 * len(UNSEEN["revokes"]), missed
    assert len(by_rule) <= 0.92 * len(UNSEEN["revokes"])


def test_wordings_that_nobody_thought_of_are_seldom_mistaken() -> None:
    opted_out = [text for text in UNSEEN["leaves"] if is_opt_out(text)]
    suspected = [text for text in UNSEEN["leaves"] if may_opt_out(text)]
    assert len(opted_out) <= 0.02 * len(UNSEEN["leaves"]), opted_out
    assert len(suspected) <= 0.075 * len(UNSEEN["leaves"]), suspected


def test_a_rule_is_not_believed_where_all_else_speaks_against_it() -> None:
    """Not in so few words that nothing could."""
    for text in ("I told those QuickBooks people to take me off their list, but you I don't mind.",
                 "Can my customers unsubscribe from the back-in-stock alerts on their own?"):  # fmt: skip
        assert revokes(text)
        assert contradicts(text, certain=True)
        assert not is_opt_out(text)
        assert may_opt_out(text), "a person looks"
    assert not contradicts("go away", certain=True)


def test_who_wants_something_of_us_is_not_suspected() -> None:
    wanted = [text for wish, texts in WISHES.items() if wish not in ("stop", "complaint") for text in texts]
    suspected = [text for text in wanted if leans(text) and not is_opt_out(text)]
    assert len(suspected) <= 0.025 * len(wanted), suspected


@pytest.mark.parametrize(
    "text", ["bitte löschen Sie meine Nummer", "não me liguem mais", "cessez de me contacter", "I no longer wissh to hear about this",
             "there is no need for you to follow up with me again, ever"],
)  # fmt: skip
def test_no_rule_is_needed_where_all_words_lean_one_way(text: str) -> None:
    assert leans(text)


def test_in_a_long_letter_each_sentence_has_to_lean_more() -> None:
    """Of many sentences one may by chance lean a little."""
    one, many = sentences("Thursday at ten."), sentences("Thursday at ten. " * 20)
    assert margin(one) < margin(many[:3]) < margin(many)


def test_what_is_certain_is_not_in_doubt() -> None:
    assert not [text for text in REVOKES if may_opt_out(text)]


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert revokes(text) in (True, False)
    assert may_revoke(text) in (True, False)
    assert leans(text) in (True, False)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("stpo texting", "stop texting"), ("S.T.O.P", "stop"), ("s t o p", "stop"), ("🛑🛑", "stop"), ("Stooop!", "stop!"),
     ("stop1", "stop"), ("dont evr call me agian", "dont ever call me again"), ("the contract is with our remover", "the contract is with our remover"),
     ("I a m o k", "i a m o k"), ("no mesages plz", "no messages please"), ("borre mi número", "borre mi número"),
     ("ST0P", "stop"), ("5top", "stop"), ("5 top sites", "5 top sites"), ("Stp", "stop"), ("un sign me", "remove me"), ("usubscirbe", "unsubscribe"), ("unsubscribing", "unsubscribing"), ("understand", "understand"),
     ("Un-subscribe", "unsubscribe"), ("stop w/ the bot", "stop with the bot"), ("w/o this", "without this"), ("pls rmv me", "please remove me")],
)  # fmt: skip
def test_haste_is_mended(written: str, meant: str) -> None:
    assert mended(written).strip() == meant


@pytest.mark.parametrize(
    "part", ["stop the ", "not ", "a", "don't you ever please ", "don't want to get more of ", "my number delete ",
             "if you call lawyer ", "lawyer ", "asked told ", "stop, ", "no quiero ", "enough "],
)  # fmt: skip
def test_no_text_takes_long_to_read(part: str) -> None:
    """64 KiB, as much as a socket or webhook lets through; minutes would mean that the patterns backtrack."""
    begun = time.process_time()
    revokes(part * (65_536 // len(part)))
    may_revoke(part * (65_536 // len(part)))
    leans(part * (65_536 // len(part)))
    assert time.process_time() - begun < 5
