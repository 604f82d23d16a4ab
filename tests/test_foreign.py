"""Stops in other languages than English and Spanish, each with what sounds near one."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.stage import form, playbook
from workflows import events as ev
from workflows import plan
from workflows.foreign import folded, judged, letters
from workflows.lead import Lead
from workflows.playbook import LOADER
from workflows.reading import is_opt_out, may_opt_out
from workflows.story import apply

CORPORA = Path(__file__).parent / "corpora"
FOREIGN = yaml.load((CORPORA / "foreign.yml").read_text(), LOADER)
ENDS = {language: said["ends"] for language, said in FOREIGN.items()}
STAYS = {language: said["stays"] for language, said in FOREIGN.items()}


@pytest.mark.parametrize("language", FOREIGN)
def test_a_stop_is_heard_in_every_language(language: str) -> None:
    known, held_back = ENDS[language][::2], ENDS[language][1::2]
    for half in (known, held_back):
        missed = [text for text in half if not is_opt_out(text) and not may_opt_out(text)]
        doubted = [text for text in half if not is_opt_out(text)]
        assert not missed
        assert len(doubted) <= 0.06 * len(half), doubted


@pytest.mark.parametrize("language", FOREIGN)
def test_what_is_no_stop_is_none(language: str) -> None:
    assert not [text for text in STAYS[language] if is_opt_out(text) or is_opt_out(text, spoken=True)]
    suspected = [text for text in STAYS[language] if may_opt_out(text)]
    assert len(suspected) <= 0.17 * len(STAYS[language]), suspected


def test_few_are_suspected_in_all_languages_together() -> None:
    stays = [text for said in STAYS.values() for text in said]
    suspected = [text for text in stays if may_opt_out(text)]
    assert len(suspected) <= 0.05 * len(stays), suspected


def test_nothing_english_is_taken_for_it() -> None:
    """And what Spanish there is."""
    revocation, consent = (yaml.load((CORPORA / f"{name}.yml").read_text(), LOADER) for name in ("revocation", "consent"))
    unseen, wishes = (yaml.load((CORPORA / f"{name}.yml").read_text(), LOADER) for name in ("unseen", "wishes"))
    stays = [*revocation["leaves"], *unseen["leaves"], *(text for part in consent.values() for text in part["stays"])]
    stays += [text for wish, texts in wishes.items() if wish not in ("stop", "complaint") for text in texts]
    assert not [text for text in stays if judged(text)]


@pytest.mark.parametrize(
    ("text", "word"),
    [("请不要打电话,发邮件就好", "doubt"), ("晚上不要打电话", ""), ("Bitte nicht mehr anrufen, E-Mail ist in Ordnung", "doubt"),
     ("Ne m'appelez pas avant dix heures", ""), ("Ne m'appelez plus le matin", "doubt"), ("Désabonnez-moi !", "stop"),
     ("TD", "stop"), ("回复TD退订", "stop"), ("別忘了打電話給我", ""), ("我不小心退订了", ""), ("STOP", "")],
)  # fmt: skip
def test_a_time_explains_a_refusal_and_another_channel_makes_it_doubtful(text: str, word: str) -> None:
    assert judged(text) == word


@pytest.mark.parametrize(
    ("written", "bare"), [("đừng gọi nữa!", "dung goi nua"), ("proszę się wypisać", "prosze sie wypisac"), ("Straße, Çà", "strasse ca")]
)
def test_accents_are_folded_away(written: str, bare: str) -> None:
    assert folded(written.lower()) == bare


@given(st.text(max_size=300))
def test_any_text_is_judged(text: str) -> None:
    assert judged(text) in ("", "doubt", "stop")


@pytest.mark.parametrize("part", ["不要再", "ne me ", "nie do mnie ", "huwag na po ", "لا تتصل ", "stop de ", "dung khong goi ", "não me "])
def test_no_text_takes_long_to_judge(part: str) -> None:
    begun = time.process_time()
    judged(part * (65_536 // len(part)))
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("text", "kind"),
    [("พรุ่งนี้บ่ายสองโมง", "unread"), ("אל תתקשרו אליי", "unread"), ("明天下午两点", "read"), ("Завтра в два", "read"), ("tomorrow at two", ""),
     ("Đừng lo, tôi sẽ đến", ""), ("Łódź, ośrodek", ""), ("ok 👍👍👍", ""), ("Meet 王 at two please", "")],
)  # fmt: skip
def test_letters_that_nobody_here_reads(text: str, kind: str) -> None:
    assert letters(text) == kind
    assert may_opt_out(text) == (kind == "unread")


@pytest.mark.parametrize(("text", "why"), [("明天下午两点", "other_language"), ("tomorrow at two", "")])
def test_a_person_answers_what_is_written_in_another_language(text: str, why: str) -> None:
    """And contact goes on meanwhile: it was no stop."""
    book, at = playbook(), datetime(2027, 3, 10, 17, 0, tzinfo=UTC)
    state = apply(Lead(lead="lead-x", audience=book.audience, playbook=book.hash), ev.FormSubmitted(at=at, form=form()))
    state = apply(state, ev.MessageReceived(at=at, id="m1", text=text))
    assert state.suspended_at is None
    step = plan.next_step(state, book, at)
    if not why:
        assert isinstance(step, plan.Converse)
        return
    assert isinstance(step, plan.Settle)
    assert isinstance(step.event, ev.TextAnswered)
    assert step.event.why == why
    state = apply(state, step.event)
    assert not state.unanswered
    assert [owed.card for owed in state.owed if owed.card and text in " ".join(owed.card.lines)]
