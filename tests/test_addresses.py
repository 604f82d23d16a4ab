"""An e-mail address that they give by themselves: read back, learned after a yes, and where the meeting's e-mail then goes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.stage import form, playbook
from tests.talk import NOW, SLOTS, Lead, Talk, brief
from tests.test_mails import BOOKING
from workflows import events as ev
from workflows.conversation import spelled
from workflows.lead import Lead as State
from workflows.story import apply

FITS = {"name": "Dana Reyes", "use_case": "counting stock", "team_size": "20", "timeline": "quarter"}


def offered() -> Talk:
    """Somebody who fits, whose address is on record, and who has just been offered three times."""
    talk = Talk(brief(learned=FITS, sources=dict.fromkeys(FITS, "said")), lead=Lead(SLOTS))
    talk.hear("Yes.")
    return talk


def learned(talk: Talk) -> list[str]:
    return [fact.value for report in talk.learned for fact in report.learned if fact.field == "email"]


def booked(talk: Talk) -> list[str]:
    return [act.slot for act in talk.lead.acts if isinstance(act, ev.Book)]


@pytest.mark.parametrize(
    ("words", "aloud", "address"),
    [
        ("My email is d a n a at acmi dot com.", "d-a-n-a at a-c-m-i dot com", "dana@acmi.com"),
        ("Oh, please write to dana dot lee at gmail.", "d-a-n-a dot l-e-e at gmail dot com", "dana.lee@gmail.com"),
        ("Use reyes underscore 77 at acme minus parts dot co dot uk for the invite.", "r-e-y-e-s underscore 7 7 at acme-parts dot co dot uk", "reyes_77@acme-parts.co.uk"),
        ("It's dana at acmi dot com.", "d-a-n-a at a-c-m-i dot com", "dana@acmi.com"),
    ],
)  # fmt: skip
def test_an_address_that_they_give_is_read_back_and_learned_after_a_yes(words: str, aloud: str, address: str) -> None:
    talk = offered()
    assert talk.hear(words) == f"You said {aloud}, is that right?"
    assert not learned(talk)
    talk.hear("Yes, that's right.")
    assert learned(talk) == [address]


def test_a_wrong_address_is_corrected_before_the_meeting_is_booked_and_ends_no_call() -> None:
    talk = offered()
    assert "a-c-m-e dot com, is that right?" in talk.hear("First one, and my email is dana at acme dot com.")
    assert "a-c-m-i dot com, is that right?" in talk.hear("No, it's dana at acmi dot com, a c m i.")
    assert not booked(talk)
    talk.hear("Yes.")
    assert learned(talk) == ["dana@acmi.com"]
    assert booked(talk) == [SLOTS[0].id]
    assert not talk.state.closing


def test_who_wants_the_invitation_elsewhere_is_asked_where() -> None:
    talk = offered()
    said = talk.hear("The second one, but please send the invite to a different e-mail address.")
    assert said == "Which e-mail address should the invitation go to?"
    talk.hear("d a n a dot reyes at gmail dot com")
    talk.hear("Correct.")
    assert (learned(talk), booked(talk)) == (["dana.reyes@gmail.com"], [SLOTS[1].id])
    content = offered()
    content.hear("The second one, but please send the invite to a different e-mail address.")
    content.hear("Oh no, never mind.")
    assert (learned(content), booked(content)) == ([], [SLOTS[1].id])


def test_what_cannot_be_made_out_is_asked_for_in_writing_and_the_meeting_is_booked_all_the_same() -> None:
    talk = offered()
    talk.hear("The first one, and my email is dana at b dot com.")
    for words in ("No, it's dana at d dot com.", "No, dana at e dot com.", "No, no, dana at g dot com."):
        talk.hear(words)
    (link,) = [act for act in talk.lead.acts if isinstance(act, ev.SendLink)]
    assert link.address
    assert (learned(talk), booked(talk)) == ([], [SLOTS[0].id])
    assert "answer with the address" in " ".join(talk.spoken)
    assert not any(isinstance(act, ev.HandOff) for act in talk.lead.acts)


@pytest.mark.parametrize(
    "words", ["Other people get an email, we do not.", "We get a new email for every order.", "I work at acme dot com.", "We are at three sites.", "Our shop is at point dot com, you can look."]
)
def test_what_only_stands_in_their_tale_is_no_address(words: str) -> None:
    talk = offered()
    assert "is that right" not in talk.hear(words)


def test_somebody_elses_address_is_given_to_a_person() -> None:
    talk = offered()
    talk.hear("The first one.")
    talk.hear("Can my colleague join too? His name is Bob.")
    talk.hear("bob at acme dot com.")
    assert not learned(talk)
    assert [act.what for act in talk.lead.acts if isinstance(act, ev.Task)][-1].endswith("bob@acme.com")


def test_in_a_thread_it_is_taken_as_it_is_written() -> None:
    talk = Talk(brief(learned=FITS, channel="text"), lead=Lead(SLOTS))
    talk.hear("dana@acmi.com is my address")
    assert learned(talk) == ["dana@acmi.com"]
    assert "is that right" not in " ".join(talk.spoken)


def test_only_an_address_is_one_and_nothing_else() -> None:
    assert spelled.is_only_email("No, it's d a n a at acmi dot com")
    assert not spelled.is_only_email("I work at acme dot com")


# ---- with the lead ------------------------------------------------------------------------------------------------


def told(state: State, address: str, **more: float) -> State:
    fact = ev.Learned.model_validate({"field": "email", "value": address, "quote": address, **more})
    return apply(state, ev.CallLearned(at=NOW, id="a1:l:1", attempt="a1", turn=1, learned=(fact,)))


def lead(invited: bool = False) -> State:
    book = playbook()
    state = State(lead="lead-x", audience=book.audience, playbook=book.hash)
    state = apply(state, ev.FormSubmitted(at=NOW, form=form(email="dana@acme.com")))
    booking = BOOKING.model_copy(update={"invited": invited})
    return apply(state, ev.MeetingBooked(at=NOW, request="r1", booking=booking)).but(due_texts=(), due_mails=(), owed=())


def test_the_invitation_goes_to_the_address_that_they_confirmed() -> None:
    state = told(lead(), "dana@acmi.com")
    assert state.person is not None
    assert (state.person.email, state.booked_email, state.email) == ("dana@acmi.com",) * 2 + ("dana@acmi.com",)
    (again,) = state.due_mails
    assert (again.message, again.key.startswith("due/booked/b1")) == ("confirmation", True)
    assert not state.due_texts
    assert not told(state.but(due_mails=()), "dana@acmi.com").due_mails, "once"


def test_a_doubtful_address_changes_nothing() -> None:
    state = told(lead(), "dana@acmi.com", doubt=0.6)
    assert state.person is not None
    assert (state.person.email, state.due_mails) == ("dana@acme.com", ())


def test_an_invitation_of_the_calendars_own_is_the_reps_to_send_again() -> None:
    state = told(lead(invited=True), "dana@acmi.com")
    assert not state.due_mails
    assert any(o.todo and "another address" in o.todo.title and "dana@acmi.com" in str(o.todo) for o in state.owed)


def test_the_question_in_writing_is_a_text() -> None:
    state = lead()
    asked = ev.ActionAsked(at=NOW + timedelta(minutes=1), id="a1:3", action=ev.SendLink(address=True), by="agent", attempt="a1")
    state = apply(apply(state, asked), ev.ActionDone(at=asked.at, request="a1:3"))
    assert [due.message for due in state.due_texts] == ["address"]
