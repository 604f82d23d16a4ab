"""In doubt whether they opted out, nothing is sent or dialled until a person has looked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.stage import form, playbook
from workflows import events as ev
from workflows import messages as ms
from workflows import plan, review
from workflows.brief import view
from workflows.lead import DueText, Lead
from workflows.reflection import reflection
from workflows.story import apply

START = datetime(2027, 3, 10, 17, 0, tzinfo=UTC)
BOOK = playbook()
DOUBT = "you people never stop"


def after(*events: ev.Event, message: str = "") -> Lead:
    state = Lead(lead="lead-x", audience=BOOK.audience, playbook=BOOK.hash)
    for event in (ev.FormSubmitted(at=START, form=form(message=message)), *events):
        state = apply(state, event)
    return state


def wrote(text: str, id: str = "m1", after: int = 0) -> ev.MessageReceived:
    return ev.MessageReceived(at=START + timedelta(minutes=after), id=id, text=text)


def ended(*lines: str, outcome: str = "talked") -> ev.ConversationEnded:
    said = tuple(ev.Line(who="lead", text=text, at=START) for text in lines)
    return ev.ConversationEnded.model_validate({"at": START, "attempt": "a1", "transcript": said, "outcome": outcome})


RINGS = (
    ev.DialQueued(at=START, attempt="a1", touch="cadence/1/0/call_1"),
    ev.CallPlaced(at=START, attempt="a1", sid="CA1"),
)
TALKS = (*RINGS, ev.CallConnected(at=START, attempt="a1", sid="CA1"))


def test_contact_stops_and_a_person_is_called() -> None:
    state = after(wrote(DOUBT))
    for later in range(0, 60 * 24 * 30, 60 * 7):
        step = plan.next_step(state, BOOK, START + timedelta(minutes=later))
        assert isinstance(step, plan.Wait)
        assert step.rule == "suspended"
    assert state.review == "suspended"
    (item,) = review.priced(state, BOOK)
    assert item.words == DOUBT
    (card,) = [owed.card for owed in state.owed if owed.card]
    assert card.urgent
    assert card.title == "Did Dana Reyes opt out?"
    assert f"“{DOUBT}”" in card.lines
    assert not state.closed
    shown = view(state, BOOK, None)
    assert not shown.opted_out
    assert shown.held_by
    assert DOUBT not in " ".join(e.text for e in state.entries)
    assert reflection(state, BOOK, START).needs_review == "suspended"


def test_what_is_due_waits_too() -> None:
    due = DueText(key="due/link/r1", message="link")
    state = after().but(due_texts=(due,))
    assert isinstance(plan.next_step(state, BOOK, START), plan.Text)
    state = apply(state, wrote(DOUBT))
    assert isinstance(plan.next_step(state, BOOK, START), plan.Wait)
    state = apply(state, ev.Released(at=START, by="ana"))
    step = plan.next_step(state, BOOK, START)
    assert isinstance(step, plan.Text)
    assert step.touch == due.key


def test_a_call_that_rings_is_ended_and_one_not_dialled_is_not() -> None:
    step = plan.next_step(after(*RINGS, wrote(DOUBT)), BOOK, START)
    assert isinstance(step, plan.Hangup)
    assert after(RINGS[0], wrote(DOUBT)).call is None


def test_after_it_the_machine_answers_nothing() -> None:
    state = after(wrote(DOUBT), wrote("can we do Thursday?", "m2", 1))
    assert not state.unanswered
    assert [owed.card.title for owed in state.owed if owed.card][-1] == "Dana Reyes texted"


@pytest.mark.parametrize(
    "released", [ev.Released(at=START, by="ana"), ev.Resumed(at=START, by="ana"), ev.OptedIn(at=START, by="ana", words="do call"),
                 ev.ReviewResolved(at=START, item="suspended", way="reject", by="ana"), wrote("START", "m9")],
)  # fmt: skip
def test_a_person_lets_contact_go_on(released: ev.Event) -> None:
    state = apply(after(wrote(DOUBT)), released)
    assert state.suspended_at is None
    assert state.review == ""
    step = plan.next_step(state, BOOK, START + timedelta(minutes=10))
    assert isinstance(step, plan.Settle)
    assert step.event.kind == "dial_queued"


def test_the_end_of_a_wider_pause_is_no_look() -> None:
    assert apply(after(wrote(DOUBT)), ev.Resumed(at=START, by="ops", scope="everything")).suspended_at


@pytest.mark.parametrize(
    "confirmed", [ev.ReviewResolved(at=START, item="suspended", way="approve", by="ana"), wrote("STOP", "m9"),
                  ev.ActionAsked(at=START, id="r9", action=ev.OptOut(words="they meant it"), by="ana")],
)  # fmt: skip
def test_confirmed_it_is_an_opt_out(confirmed: ev.Event) -> None:
    state = apply(after(wrote(DOUBT)), confirmed)
    assert state.opted_out_at
    assert state.suspended_at is None
    assert state.review == ""
    assert isinstance(plan.next_step(state, BOOK, START), plan.KeepOptOut)
    assert state.opt_out_words


def test_both_words_and_nothing_else_resolve_it() -> None:
    state = after(wrote(DOUBT))
    assert review.unfit(state, ms.Resolve(item="suspended", way="done", by="ana"))
    assert review.unfit(state, ms.Resolve(item="suspended", way="approve", by="ana")) is None


def test_who_takes_over_decides_when_they_hand_back() -> None:
    state = apply(after(wrote(DOUBT)), ev.TakenOver(at=START, by="ana"))
    assert state.suspended_at
    assert apply(state, ev.Released(at=START, by="ana")).suspended_at is None


def test_who_leaves_a_complaint_to_the_agent_has_not_decided_about_the_opt_out() -> None:
    angry = ev.ActionAsked(at=START, id="r1", action=ev.HandOff(why="angry", complaint=True), by="agent", attempt="a1")
    state = after(angry, ev.ActionDone(at=START, request="r1"), wrote(DOUBT))
    (item,) = [item for item in state.items if item.kind == "complaint"]
    state = apply(state, ev.ReviewResolved(at=START, item=item.id, way="retry", by="ana"))
    assert not state.taken_over_by
    assert state.suspended_at
    assert state.review == "suspended"


def test_overheard_in_a_call() -> None:
    assert after(*TALKS, ended("who is this", "how many times do I have to tell you")).suspended_at
    assert not after(*TALKS, ended("who is this", "tell me more")).suspended_at
    asked = ev.ActionAsked(at=START, id="a1:2", action=ev.CallBack(at=START + timedelta(hours=3)), by="agent", attempt="a1")
    done = ev.ActionDone(at=START, request="a1:2")
    assert not after(*TALKS, asked, done, ended("here we go again", "okay call me at three")).suspended_at


def test_a_form_that_asks_to_be_left_alone_waits_for_a_person() -> None:
    assert after(message="please stop calling me").suspended_at
    assert not after(message="call me about the demo").suspended_at


@pytest.mark.parametrize("message", ["No message", "no message.", "No comment"])
def test_who_has_nothing_to_say_in_a_form_is_called(message: str) -> None:
    assert after(message=message).suspended_at is None


def test_opting_in_again_lets_a_later_form_be_called_and_starts_nothing_itself() -> None:
    out = after(wrote("STOP"), ev.OptOutKept(at=START))
    out = apply(out, ev.LeadClosed(at=START, disposition="opted_out"))
    state = apply(out, wrote("START", "m2"))
    assert state.opted_out_at is None
    assert state.closed
    assert isinstance(plan.next_step(state, BOOK, START), plan.Wait)
    again = ev.FormSubmitted(at=START + timedelta(hours=1), form=form(submission_id="s2"))
    step = plan.next_step(apply(state, again), BOOK, START + timedelta(hours=1))
    assert isinstance(step, plan.Settle)
    assert step.event.kind == "dial_queued"
    assert isinstance(plan.next_step(apply(out, again), BOOK, START + timedelta(hours=1)), plan.Wait)


def test_it_is_kept_with_the_state() -> None:
    state = after(wrote(DOUBT))
    again = Lead.model_validate(state.model_dump(mode="json"))
    assert again == state
