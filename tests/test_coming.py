"""What is done about what they say of coming: by text and on the phone, told to the rep at once, with times where it is off."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.stage import playbook as staged
from tests.talk import NOW, Talk, brief, slot
from tests.test_attendance import BOOK, MEETING, MINUTE, START, booked
from workflows import events as ev
from workflows import plan
from workflows.brief import text_brief
from workflows.story import apply

MET = ev.Booking(
    id="b1", rep="ana", rep_name="Ana Torres", start=NOW + timedelta(minutes=5), end=NOW + timedelta(minutes=35)
)
"""A meeting that begins in five minutes, at ten past ten."""


def texted(words: str, meeting: ev.Booking | None = MET, **known: Any) -> Talk:
    told = brief(
        channel="text",
        opening="inbound",
        node="confirmation" if meeting else "identity",
        talked_before=True,
        booking=meeting,
        **known,
    )
    talk = Talk(told)
    talk.hear(words)
    return talk


def called(words: str, meeting: ev.Booking = MET) -> Talk:
    talk = Talk(brief(opening="inbound", node="reschedule", talked_before=True, booking=meeting))
    talk.hear("Yes, this is Dana.")
    talk.lead.acts.clear()
    talk.hear(words)
    return talk


@pytest.mark.parametrize("way", [texted, called], ids=["by text", "on the phone"])
def test_who_runs_late_is_noted_and_heard(way: Any) -> None:
    talk = way("Stuck in traffic, I'll be 15 minutes late")
    assert talk.lead.acts == [ev.Attend(how="late", minutes=15, words="Stuck in traffic, I'll be 15 minutes late")]
    assert "told Ana Torres that you come about 15 minutes late" in " ".join(talk.spoken)


def test_late_without_by_how_much_and_by_the_clock() -> None:
    assert texted("running late, sorry").lead.acts[0].minutes == 0  # type: ignore[union-attr]
    assert texted("I'll be there at half past").lead.acts[0].minutes == 20  # type: ignore[union-attr]


@pytest.mark.parametrize("way", [texted, called], ids=["by text", "on the phone"])
def test_who_cannot_come_is_offered_live_times(way: Any) -> None:
    talk = way("Sorry, something came up and I can't make it")
    (action,) = talk.lead.acts
    assert isinstance(action, ev.OfferSlots)
    assert "No problem" in " ".join(talk.spoken)
    assert "tomorrow, Tuesday the 24th, at 10 AM" in talk.last


def test_who_cannot_come_then_and_names_another_day_is_offered_that_day() -> None:
    talk = texted("I can't make it today, could do Wednesday morning")
    (action,) = talk.lead.acts
    assert isinstance(action, ev.OfferSlots)
    assert "Wednesday the 25th at 9 AM" in talk.last


def test_who_cannot_come_may_still_cancel_or_take_a_time() -> None:
    talk = texted("can't make it")
    talk.hear("The second one works")
    assert talk.lead.acts[-1] == ev.Book(slot=slot(24, 15, 30).id)
    off = texted("can't make it")
    off.hear("No, please just cancel the meeting")
    assert [a.kind for a in off.lead.acts] == ["offer_slots", "cancel"]


def test_once_it_has_begun_who_cannot_come_was_not_there() -> None:
    begun = MET.model_copy(update={"start": NOW - timedelta(minutes=4), "end": NOW + timedelta(minutes=26)})
    talk = texted("so sorry, I can't make it today", begun)
    assert [a.kind for a in talk.lead.acts] == ["attend", "offer_slots"]
    assert talk.lead.acts[0].how == "absent"  # type: ignore[union-attr]
    assert "10 AM" in talk.last
    talk.hear("the first")
    assert talk.lead.acts[-1].kind == "book"


@pytest.mark.parametrize("words", ["the link doesn't work", "how do I join?", "it says the page was not found"])
def test_who_does_not_get_in_is_sent_the_way_in(words: str) -> None:
    talk = texted(words)
    assert talk.lead.acts == [ev.SendLink(join=True)]


@pytest.mark.parametrize(
    ("words", "how"), [("I'm here, waiting for Ana", "here"), ("joining now", "soon"), ("omw", "soon")]
)
def test_who_is_there_or_about_to_be_is_told_to_the_rep(words: str, how: str) -> None:
    (action,) = texted(words).lead.acts
    assert isinstance(action, ev.Attend)
    assert action.how == how
    far = MET.model_copy(update={"start": NOW + timedelta(days=2), "end": NOW + timedelta(days=2, minutes=30)})
    assert not [a for a in texted(words, far).lead.acts if a.kind == "attend"], "two days ahead nobody is there"


@pytest.mark.parametrize("meeting", [MET, None], ids=["with a meeting", "without"])
def test_who_asks_who_this_is_hears_who_why_and_how_to_stop_it(meeting: ev.Booking | None) -> None:
    talk = texted("who is this?", meeting)
    said = " ".join(talk.spoken)
    assert "the demo" in said
    assert "STOP" in said
    assert ("Ana Torres" in said) is (meeting is not None)
    talk.hear("sorry, who are you?")
    assert "the automated assistant of Tallyhook" in talk.last, "the first text of a thread says it before anything"
    assert talk.lead.acts == []


# ---- the lead ----------------------------------------------------------------------------------------------------------


def said(state: Any, action: ev.Action, at: datetime) -> Any:
    asked = ev.ActionAsked(at=at, id=f"t-{at.isoformat()}", action=action, by="agent", version=state.version)
    state = apply(state, asked)
    while isinstance(step := plan.next_step(state, BOOK, at), plan.Settle):
        state = apply(state, step.event)
    return state


def test_the_rep_gets_a_card_at_once_and_they_are_not_asked_whether_they_come() -> None:
    state = said(booked(), ev.Attend(how="late", minutes=15, words="15 late, sorry"), START - 2 * MINUTE)
    card = state.owed[-1].card
    assert (card.title, card.urgent) == ("Dana Reyes is running late, by 15 minutes", True)
    assert "“15 late, sorry”" in card.lines
    assert state.expected_at == START + 15 * MINUTE
    step = plan.next_step(state, BOOK, START + 5 * MINUTE)
    assert isinstance(step, plan.Wait)
    assert step.until == START + (15 + 3) * MINUTE, "three minutes after they said that they come"
    late = said(state, ev.Attend(how="late", minutes=90), START)
    assert late.expected_at == MEETING.end, "not beyond the meeting"


def test_who_does_not_get_in_gets_the_link_of_this_meeting() -> None:
    state = said(booked(), ev.SendLink(join=True), START + MINUTE)
    assert state.due_texts[-1].message == "join"
    step = plan.next_step(state, BOOK, START + MINUTE)
    assert isinstance(step, plan.Text)
    assert step.booking == MEETING


def test_an_absence_in_their_own_words_begins_the_recovery() -> None:
    state = said(booked(), ev.Attend(how="absent", words="can't"), START + 4 * MINUTE)
    assert state.attendance.source == "lead"
    assert state.missed == MEETING
    early = said(booked(), ev.Attend(how="absent"), START - 4 * MINUTE)
    assert early.booking == MEETING, "before it begins nobody has missed it"


@pytest.mark.parametrize("words", ["yes", "see you then", "👍", "Yes! How long will it take?"])
def test_a_yes_by_text_confirms(words: str) -> None:
    state = apply(booked(), ev.MessageReceived(at=START - 60 * MINUTE, id="m1", text=words))
    assert state.stage == "confirmed"
    assert bool(state.unanswered) is ("?" in words), "what they ask beside it is answered"


def test_a_yes_after_the_start_is_no_confirmation_but_on_the_way() -> None:
    state = apply(booked(), ev.MessageReceived(at=START + 4 * MINUTE, id="m1", text="yes"))
    assert state.stage == "booked"
    assert state.expected_at == START + 4 * MINUTE + BOOK.attendance.late


def test_a_text_while_the_meeting_may_still_be_held_is_about_it() -> None:
    asked = ev.OutcomeAsked(at=START + 10 * MINUTE, booking="b1", until=START)
    state = apply(booked(), asked)
    for minutes, stands in ((12, True), (60, False)):
        wrote = apply(state, ev.MessageReceived(at=START + minutes * MINUTE, id=f"m{minutes}", text="still there?"))
        told = text_brief(wrote, f"m{minutes}")
        assert (told.booking is not None, told.missed is not None) == (stands, not stands)


# ---- the call to confirm -----------------------------------------------------------------------------------------------


IN_DOUBT = ev.Meet(lead="lead-y", likeness="doubt", why="one number, but another name", waits=True)


def far_ahead(**over: Any) -> Any:
    """A meeting that was booked a week ahead, and not confirmed."""
    return booked().but(booked_at=START - timedelta(days=7), **over)


def confirm_calls(state: Any, begin: datetime = START - timedelta(hours=5)) -> list[datetime]:
    """When a call to confirm would be queued until the meeting begins, nothing else happening."""
    now, dialled = begin, []
    while now < START:
        step = plan.next_step(state, BOOK, now)
        match step:
            case plan.Settle() if isinstance(step.event, ev.DialQueued):
                dialled.append(now)
                state = apply(apply(state, step.event), ev.CallPlaced(at=now, attempt=step.event.attempt, sid="CA1"))
                over = ev.CallEnded(at=now + MINUTE, attempt=step.event.attempt, sid="CA1", status="no-answer")
                state = apply(state, over)
            case plan.Settle():
                state = apply(state, step.event)
            case plan.Wait():
                now = min(step.until or START, START)
            case _:
                raise AssertionError(step)
    return dialled


def test_who_did_not_confirm_a_meeting_of_long_ago_is_called_once_within_the_hours() -> None:
    policy = BOOK.confirm_call
    assert policy is not None
    # Seven in the morning there: three hours before the meeting is too early to call, half past eight would be too late.
    assert confirm_calls(far_ahead()) == [START - timedelta(hours=2)]


@pytest.mark.parametrize(
    "state",
    [
        booked(),
        far_ahead(stage="confirmed"),
        far_ahead(invitation="accepted"),
        far_ahead(taken_over_by="ana"),
        far_ahead(held_by="ops"),
        far_ahead(expected_at=START + 10 * MINUTE),
        far_ahead(doubts=(IN_DOUBT,)),
    ],
    ids=["booked lately", "confirmed", "accepted the invitation", "a person has the lead", "paused", "said that they come", "in doubt who they are"],
)
def test_nobody_else_is_called_about_a_meeting_that_they_have(state: Any) -> None:
    assert confirm_calls(state) == []


def test_a_number_that_the_carrier_refused_is_not_called_about_it_again() -> None:
    at = START - timedelta(hours=2)
    state = apply(far_ahead(), ev.DialQueued(at=at, attempt="a1", touch="confirm/b1"))
    state = apply(state, ev.CallNotPlaced(at=at, attempt="a1", why="not a number that can be called", permanent=True))
    assert confirm_calls(state, at) == []


def test_who_looks_at_times_is_not_called_about_it_meanwhile() -> None:
    at = START - timedelta(hours=2)
    assert confirm_calls(far_ahead(engaged_at=at), at) == [at + BOOK.cadence.choosing]
    assert confirm_calls(far_ahead(engaged_at=at - timedelta(hours=1)), at) == [at]


def test_a_yes_while_the_dial_waits_calls_it_off() -> None:
    state = apply(far_ahead(), ev.DialQueued(at=START - timedelta(hours=2), attempt="a1", touch="confirm/b1"))
    at = START - timedelta(hours=2)
    assert isinstance(plan.next_step(state, BOOK, at), plan.Dial)
    state = apply(state, ev.MessageReceived(at=at, id="m1", text="see you then"))
    assert not isinstance(plan.next_step(state, BOOK, at), plan.Dial)


def phoned() -> Talk:
    later = MET.model_copy(update={"start": NOW + timedelta(hours=2), "end": NOW + timedelta(hours=2, minutes=30)})
    talk = Talk(brief(opening="confirm", node="confirmation", touch="b1", talked_before=True, booking=later))
    talk.hear("Yes, this is Dana.")
    assert not talk.lead.acts, "that is who they are, and no yes to the meeting"
    assert "Will you be there?" in talk.last
    return talk


def test_a_yes_on_the_phone_confirms_and_closes() -> None:
    talk = phoned()
    talk.hear("Yes, I'll be there.")
    assert [a.kind for a in talk.lead.acts] == ["confirm"]
    assert "Ana Torres expects you" in talk.last
    state = said(far_ahead(), ev.Confirm(words="yes"), START - 60 * MINUTE)
    assert state.stage == "confirmed"


def test_a_no_on_the_phone_is_met_with_times() -> None:
    talk = phoned()
    talk.hear("No, I can't.")
    assert [a.kind for a in talk.lead.acts] == ["offer_slots"]
    assert "10 AM" in talk.last


def test_every_shipped_playbook_has_the_words() -> None:
    for name in ("inbound", "outbound", "demo"):
        book = staged(name)
        assert {"check_in", "missed_offer", "join"} <= book.messages.keys()
        assert "YES" in book.messages["confirmation"]
