"""A stop of one channel keeps the others: "don't call me, just text"."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.stage import form, playbook
from workflows import events as ev
from workflows import plan
from workflows.cadence import REFUSED
from workflows.channels import wish
from workflows.lead import DueText, Lead
from workflows.playbook import LOADER
from workflows.reading import is_opt_out, may_opt_out, ways_wished
from workflows.story import apply

WAYS = yaml.load((Path(__file__).parent / "corpora" / "ways.yml").read_text(), LOADER)
CLEAR = [each for each in WAYS["ways"] if each["refused"]]
START = datetime(2027, 3, 10, 17, 0, tzinfo=UTC)
BOOK = playbook()


def after(*texts: str) -> Lead:
    state = Lead(lead="lead-x", audience=BOOK.audience, playbook=BOOK.hash)
    state = apply(state, ev.FormSubmitted(at=START, form=form()))
    for number, text in enumerate(texts):
        state = apply(state, ev.MessageReceived(at=START + timedelta(minutes=number), id=f"m{number}", text=text))
    return state.but(unanswered=())


def steps(state: Lead, days: int = 30) -> list[plan.Step]:
    """What the plan does with nobody answering, each thing as if it were done at once."""
    now, made = START + timedelta(minutes=10), []
    while now < START + timedelta(days=days):
        step = plan.next_step(state, BOOK, now)
        if isinstance(step, plan.Wait):
            now = max(step.until or now + timedelta(days=days), now + timedelta(seconds=1))
        elif isinstance(step, plan.Settle):
            made.append(step)
            state = apply(state, step.event)
            if isinstance(step.event, ev.MailDue):
                state = apply(state, ev.MailSent(at=now, touch=step.event.touch, message=step.event.message))
        elif isinstance(step, plan.Text):
            made.append(step)
            state = apply(state, ev.TextSent(at=now, touch=step.touch, message=step.message, sid="SM1", segments=1))
        else:
            made.append(step)
            break
    return made


@pytest.mark.parametrize("said", CLEAR, ids=lambda said: said["text"][:40])
def test_what_is_refused_and_what_is_welcome(said: dict[str, object]) -> None:
    text = str(said["text"])
    assert ways_wished(text) == (tuple(said["refused"]), tuple(said["welcome"]))  # type: ignore[call-overload]
    assert not is_opt_out(text)
    assert not may_opt_out(text)


def test_most_are_clear() -> None:
    assert len(CLEAR) >= 50
    assert len(WAYS["ways"]) == 60


@pytest.mark.parametrize("text", WAYS["none"])
def test_a_stop_in_full_or_of_one_thing_is_none(text: str) -> None:
    assert not ways_wished(text).refused


def test_no_call_is_made_to_who_would_rather_have_texts() -> None:
    before = after()
    assert any(isinstance(s, plan.Settle) and isinstance(s.event, ev.DialQueued) for s in steps(before))
    state = after("Please don't call me, just text")
    assert state.refuses == ("call",)
    assert not state.closed
    made = steps(state)
    assert not [s for s in made if isinstance(s, plan.Settle) and isinstance(s.event, ev.DialQueued)]
    assert [s for s in made if isinstance(s, plan.Text)]
    (card,) = [owed.card for owed in state.owed if owed.card and "reach them" in owed.card.title]
    assert card.title == "Dana Reyes: reach them by text, not by phone"


def test_no_text_goes_to_who_wants_e_mails_alone() -> None:
    state = after("Email only please")
    assert state.refuses == ("call", "text")
    made = steps(state)
    assert not [s for s in made if isinstance(s, plan.Text)]
    assert not [s for s in made if isinstance(s, plan.Settle) and isinstance(s.event, ev.DialQueued)]
    assert [s for s in made if isinstance(s, plan.Settle) and isinstance(s.event, ev.MailDue | ev.LeadClosed)]


def test_what_was_due_by_text_goes_by_e_mail() -> None:
    due = DueText(key="due/link/r1", message="link")
    state = apply(after().but(due_texts=(due,)), ev.MessageReceived(at=START, id="m1", text="No more texts please, email is fine"))
    assert not state.due_texts
    assert [each.key for each in state.due_mails] == [due.key]


def test_an_e_mail_is_not_sent_to_who_wants_none() -> None:
    state = after("Don't email me, I never check it. Text me").but(due_mails=(DueText(key="due/link/r1", message="link"),))
    assert plan.may_not_mail(state)
    step = plan.next_step(state, BOOK, START + timedelta(minutes=10))
    assert isinstance(step, plan.Settle)
    assert isinstance(step.event, ev.MailNotSent)
    assert step.event.why == REFUSED
    state = apply(state, step.event)
    assert not state.due_mails
    assert not state.items, "nobody is called to it"


def test_the_newest_word_counts() -> None:
    state = after("text only", "don't text any more, you can call me")
    assert state.refuses == ("text", "email")


def test_a_callback_is_called_off() -> None:
    state = after().but(callback_at=START + timedelta(hours=1))
    assert apply(state, ev.MessageReceived(at=START, id="m1", text="don't call, text me")).callback_at is None


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    refused, welcome = wish(text)
    assert not set(refused) & set(welcome)
    assert bool(refused) == bool(welcome)


@pytest.mark.parametrize("part", ["don't call me ", "no calls or texts and ", "text me. ", "no text call email and or ", "never call or "])
def test_no_text_takes_long_to_read(part: str) -> None:
    begun = time.process_time()
    wish(part * (65_536 // len(part)))
    assert time.process_time() - begun < 5


def test_a_call_that_they_ask_for_since_is_made() -> None:
    state = after("Please don't call me, just text").but(callback_at=START + timedelta(hours=2))
    dialled = [s.event for s in steps(state) if isinstance(s, plan.Settle) and isinstance(s.event, ev.DialQueued)]
    assert dialled[0].touch.startswith("callback/")
