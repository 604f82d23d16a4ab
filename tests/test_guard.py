"""What stands in somebody's calendar is for them alone: by phone, by text and by e-mail, from both sides of a number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.stage import form, playbook
from workflows import events as ev
from workflows import identity as ids
from workflows import mailing, perform, plan
from workflows.brief import brief as call_brief
from workflows.brief import text_brief
from workflows.conversation import identity
from workflows.lead import DueText, Lead
from workflows.messages import Brief, Connect
from workflows.story import apply

from .talk import SLOTS, Talk, slot
from .talk import Lead as Free
from .talk import brief as told

MEETING = ev.Booking(id="b0", rep="ana", rep_name="Ana Torres", start=SLOTS[0].start, end=SLOTS[0].end)
OTHERS = (slot(26, 11), slot(26, 14, 30), slot(27, 9))
"""Free times, which say nothing of the meeting's: they may be offered to anybody, and are booked for nobody but them."""
SECRETS = ("10 AM", "10:00", "Ana", "Nov 24", "24th", "Tuesday", "tomorrow")
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)


def texts(*words: str, **changes: Any) -> Talk:
    """A thread in which they wrote ``words``, one text after the other."""
    given = told(channel="text", opening="inbound", node="confirmation", attempt="text-SM1", **changes)
    talk = Talk(given, lead=Free(OTHERS))
    for text in words:
        talk.hear(text)
    return talk


def reveals(talk: Talk) -> list[str]:
    return [said for said in talk.spoken if any(secret in said for secret in SECRETS)]


def lead(*forms: ev.Form, meeting_after: int = 1) -> Lead:
    """A number from which these forms came, with a meeting booked after the first ``meeting_after`` of them."""
    state = Lead(lead="lead-x", audience="inbound", playbook=playbook().hash)
    for nth, sent in enumerate(forms, 1):
        state = apply(state, ev.FormSubmitted(at=NOW, form=sent.model_copy(update={"submission_id": f"s{nth}"})))
        if nth == meeting_after:
            state = apply(state, ev.ActionAsked(at=NOW, id="r1", action=ev.Book(slot="s"), by="agent"))
            state = apply(state, ev.MeetingBooked(at=NOW, request="r1", booking=MEETING))
    return state


DANA = form(name="Dana Reyes", phone="+12125550100", email="dana@example.com")
SAM = form(name="Sam Hill", phone="+12125550100", email="sam@example.com", email_hash="f" * 32)


# ---- by text -----------------------------------------------------------------------------------------------------


def test_who_writes_from_the_number_on_record_is_told_without_being_asked() -> None:
    assert reveals(texts("When is my meeting?", booking=MEETING))


@pytest.mark.parametrize("wish", ["When is the meeting?", "Cancel the meeting please.", "Move it to another time please."])
@pytest.mark.parametrize("name", ["This is Bob, her colleague.", "It's Kim, I have Dana's phone.", "You have the wrong number."])
def test_who_writes_under_another_name_learns_and_changes_nothing(name: str, wish: str) -> None:
    talk = texts(f"Hi. {name} {wish}", wish, wish, booking=MEETING)
    assert not reveals(talk), talk.spoken
    assert {act.kind for act in talk.lead.acts} <= {"send_link", "hand_off", "decline", "offer_slots"}, talk.lead.acts


def test_the_one_who_is_meant_takes_the_phone_back() -> None:
    talk = texts("This is Bob, her colleague. When is the meeting?", booking=MEETING)
    assert not reveals(talk)
    talk.hear("This is Dana now. When is my meeting?")
    assert reveals(talk)


def test_a_name_given_in_an_earlier_text_of_the_thread_counts() -> None:
    """Each text is a talk of its own: what the thread's lines show is taken in again."""
    talk = texts("When is the meeting?", booking=MEETING)
    assert reveals(talk)
    state = talk.state
    state.lines = [ev.Line(who="lead", text="Hello, this is Bob.", at=NOW), *state.lines]
    state.heard_lines, state.named = 0, False
    assert not identity.passed(state)


# ---- an unknown number -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["call", "text"])
def test_an_unknown_number_that_gives_the_leads_name_is_another_lead(channel: str) -> None:
    """A lead is its number: somebody else's line, whatever is said on it, knows no meeting of Dana's."""
    theirs, strangers = (ids.lead_id(ids.handle_id(b"k" * 32, number)) for number in ("+12125550100", "+12125550199"))
    assert theirs != strangers
    unknown = Lead(lead=strangers, audience="inbound", playbook=playbook().hash)
    unknown = apply(unknown, ev.FormSubmitted(at=NOW, form=ev.Form(submission_id="in", phone="+12125550199")))
    if channel == "call":
        made = call_brief(unknown, playbook(), Connect(attempt="in-CA9", sid="CA9", at=NOW, inbound=True))
    else:
        made = text_brief(unknown, "SM9")
    talk = Talk(made.model_copy(update={"zone": "America/New_York"}))
    for words in ("This is Dana Reyes. When is my meeting?", "Cancel my meeting.", "dana@example.com, move it please."):
        talk.hear(words)
    assert made.booking is None
    assert not reveals(talk), talk.spoken
    assert "cancel" not in {act.kind for act in talk.lead.acts}


# ---- two people on one number ------------------------------------------------------------------------------------


def shared(channel: str, state: Lead) -> Brief:
    made = (
        text_brief(state, "SM1")
        if channel == "text"
        else call_brief(state, playbook(), Connect(attempt="in-CA1", sid="CA1", at=NOW, inbound=True))
    )
    return made.model_copy(update={"zone": "America/New_York"})


@pytest.mark.parametrize("channel", ["call", "text"])
def test_of_two_on_one_number_only_whose_it_is_is_told(channel: str) -> None:
    state = lead(DANA, SAM)
    assert state.person is not None
    assert state.person.name == "Sam Hill"
    sam = Talk(shared(channel, state))
    for words in ("This is Sam. When is the meeting?", "Cancel the meeting, please.", "When is it?"):
        sam.hear(words)
    assert not reveals(sam), sam.spoken
    assert "cancel" not in {act.kind for act in sam.lead.acts}
    dana = Talk(shared(channel, state))
    dana.hear("This is Dana. When is my meeting?")
    assert reveals(dana), dana.spoken


@pytest.mark.parametrize("channel", ["call", "text"])
def test_nobody_said_who_it_is_so_nobody_is_told(channel: str) -> None:
    talk = Talk(shared(channel, lead(DANA, SAM)))
    talk.hear("When is the meeting?")
    assert not reveals(talk), talk.spoken


def test_the_same_person_who_writes_the_name_otherwise_is_not_two() -> None:
    for again in ("Dana M. Reyes", "dana reyes", "Daná Reyes"):
        assert shared("text", lead(DANA, DANA.model_copy(update={"name": again}))).booked_for == ""


def test_mails_of_the_meeting_go_to_the_address_that_it_was_booked_with() -> None:
    state = lead(DANA, SAM)
    for key, message in (("due/booked/b0", "moved"), ("due/link/r9", "link")):
        due = DueText(key=key, message=message)
        mail = mailing.mail(state, playbook(), due, perform.facts(state, playbook(), MEETING, NOW), NOW)
        assert mail is not None
        assert (mail.to, mail.name) == ("dana@example.com", "Dana Reyes")
        assert "Sam" not in mail.body


# ---- by e-mail ---------------------------------------------------------------------------------------------------


def wrote(sender: str, handle: str = "", forged: bool = False) -> Lead:
    """Dana's lead after an e-mail from ``sender`` that asks for her meeting's end and its time."""
    post = ev.Post(sender=sender, handle=handle, subject="Re: Your demo", id="<1@example.com>", forged=forged)
    state = lead(DANA).but(due_texts=())
    return apply(state, ev.MessageReceived(at=NOW, id="m1", text="Cancel it. When was it?", channel="email", post=post))


@pytest.mark.parametrize(("sender", "forged"), [("bob@example.org", False), ("dana@example.com", True)])
def test_an_email_that_may_not_be_theirs_is_read_by_a_person_and_changes_nothing(sender: str, forged: bool) -> None:
    state = wrote(sender, handle="b" * 32, forged=forged)
    assert state.booking == MEETING
    assert not state.unanswered
    assert not state.due_texts
    assert not state.due_mails
    assert any(owed.card and owed.card.key.endswith(":mail:m1") for owed in state.owed)
    step = plan.next_step(state, playbook(), NOW + timedelta(seconds=1))
    assert not isinstance(step, plan.Converse | plan.Unbook)


@pytest.mark.parametrize(("sender", "handle"), [("dana@example.com", ""), ("dana@example.net", DANA.email_hash)])
def test_an_email_from_an_address_of_theirs_is_answered_and_changes_nothing_by_itself(sender: str, handle: str) -> None:
    state = wrote(sender, handle)
    assert state.booking == MEETING
    assert [each.post is not None for each in state.unanswered] == [True]
    assert isinstance(plan.next_step(state, playbook(), NOW + timedelta(minutes=1)), plan.Converse)
