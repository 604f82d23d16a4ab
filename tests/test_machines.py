"""What answers in place of a person, and calls that break off: the core under the test's clock."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.conversation import signals

from .talk import Talk, brief

FIRST = "cadence/1/0/call_1"
BEEP = "Please leave a message after the beep."
MESSAGE = "you can also call back on"
SCREENED = "automated assistant of Tallyhook, for Dana, about"
OPENING = "Hi Dana, this is Juno, the automated assistant of Tallyhook."


def ringing(touch: str = "call_1", **changes: Any) -> Talk:
    """Our call was answered; our opening is being said."""
    return Talk(brief(touch=touch, **changes))


def carrier(talk: Talk, who: str) -> None:
    talk.put(signals.AnsweredBy(talk.now, who))


def messages(talk: Talk) -> list[signals.Speak]:
    return [out for out in talk.outputs if isinstance(out, signals.Speak) and MESSAGE in out.text]


def pressed(talk: Talk) -> list[str]:
    return [out.digits for out in talk.outputs if isinstance(out, signals.Press)]


def outcome(talk: Talk) -> str:
    return talk.core.ended(talk.now).outcome


def hang_up(talk: Talk, broken: bool = False) -> str:
    talk.put(signals.HungUp(talk.now, broken=broken))
    return outcome(talk)


# ---- voicemail ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("touch", ["call_1", "call_2"])
def test_the_message_is_left_after_the_greeting_once_and_whole(touch: str) -> None:
    talk = ringing(touch)
    talk.hear("Hi, you have reached Dana Reyes.")
    talk.pass_time(0.5)
    talk.hear("I can't come to the phone. " + BEEP, seconds=0.5)
    assert not messages(talk), "never over the greeting"
    carrier(talk, "machine_end_beep")
    (message,) = messages(talk)
    assert not message.interruptible, "nothing on the recording cuts it short"
    carrier(talk, "machine_end_beep")
    talk.finish_speech()
    talk.pass_time(20)
    assert len(messages(talk)) == 1
    assert talk.core.over
    assert outcome(talk) == "voicemail"


def test_without_the_carrier_s_word_the_greeting_is_over_when_it_is_silent() -> None:
    talk = ringing()
    talk.hear("You have reached the voicemail box of Dana.", seconds=0.5)
    for part in ("I am in a meeting.", "I will be back on Monday.", BEEP):
        talk.pass_time(1.5)
        assert not messages(talk)
        talk.partial(part)
        talk.pass_time(1.5)
        assert not messages(talk), "they are still speaking"
        talk.final(part)
    talk.pass_time(3)
    assert len(messages(talk)) == 1


@pytest.mark.parametrize("touch", ["call_3", "call_6"])
def test_later_calls_leave_nothing(touch: str) -> None:
    talk = ringing(touch)
    said = len(talk.spoken)
    talk.hear(BEEP)
    carrier(talk, "machine_end_beep")
    talk.pass_time(5)
    assert len(talk.spoken) == said
    assert outcome(talk) == "voicemail"


def test_a_call_that_goes_on_leaves_nothing_either_for_a_text_follows() -> None:
    talk = ringing("a1", opening="broken", node="qualification")
    talk.hear(BEEP)
    carrier(talk, "machine_end_beep")
    assert not messages(talk)
    assert outcome(talk) == "voicemail"


@pytest.mark.parametrize("words", ["The mailbox is full.", "The number you have dialed is not in service."])
def test_where_nothing_can_be_left_the_call_ends_at_once(words: str) -> None:
    talk = ringing()
    talk.hear(words)
    talk.pass_time(1)
    assert talk.core.over
    assert not messages(talk)
    assert outcome(talk) == "voicemail"


def test_a_greeting_that_began_like_a_person_is_known_by_what_follows() -> None:
    talk = ringing()
    talk.hear("Hi, this is Dana Reyes.")
    talk.hear("I can't take your call right now, please leave a message.")
    talk.pass_time(4)
    assert len(messages(talk)) == 1
    assert outcome(talk) == "voicemail"


def test_a_tone_after_words_that_answered_nothing_is_a_machine_s() -> None:
    talk = ringing()
    talk.hear("Reyes Plumbing, we fix what drips.")
    carrier(talk, "machine_end_beep")
    assert len(messages(talk)) == 1


def test_a_greeting_that_goes_on_over_the_message_has_it_left_again_once() -> None:
    talk = ringing()
    talk.hear("You have reached Dana.", seconds=0.5)
    talk.pass_time(2.5)
    assert len(messages(talk)) == 1
    talk.interrupt(messages(talk)[0].text[:12], BEEP)
    talk.pass_time(2.5)
    assert len(messages(talk)) == 2
    talk.interrupt(messages(talk)[1].text[:12], BEEP)
    talk.pass_time(30)
    assert len(messages(talk)) == 2
    assert talk.core.over


# ---- people -------------------------------------------------------------------------------------------------------------

SLOW = (
    ("Hello?", "Hello?"),
    ("Hello? ... hello?",),
    ("Yes, this is...", "one moment", "okay, sorry, now"),
    ("Acme, how may I help you?",),
    ("Good morning, thank you for calling Acme Corporation of Ohio, this is Julie speaking, how may I direct your call?",),
    ("Hi, this is Dana.",),
    ("She is out, would you like to leave a message?",),
)


@pytest.mark.parametrize("words", SLOW)
@pytest.mark.parametrize("who", ["", "machine_start", "machine_end_silence", "machine_end_other", "unknown"])
@pytest.mark.parametrize("first", [True, False], ids=["carrier first", "words first"])
def test_a_slow_greeting_of_a_person_is_never_hung_up_on(words: tuple[str, ...], who: str, first: bool) -> None:
    talk = ringing()
    if who and first:
        carrier(talk, who)
    for text in words:
        talk.hear(text, seconds=1.2)
        talk.pass_time(0.5)
    if who and not first:
        carrier(talk, who)
    talk.pass_time(4)
    assert talk.state.human
    assert not messages(talk)
    assert not talk.state.closing
    assert not talk.core.over


def test_who_picks_up_in_the_middle_of_the_greeting_is_talked_to() -> None:
    talk = ringing()
    talk.hear("You have reached Dana Reyes.")
    assert talk.hear("Hello? Sorry, I'm here.", seconds=0.5).startswith(OPENING), "they have heard nothing of it"
    carrier(talk, "machine_end_silence")
    talk.pass_time(3)
    assert not messages(talk)
    assert not talk.core.over


def test_who_picks_up_over_the_message_is_talked_to_unless_it_is_recorded_already() -> None:
    for toned in (False, True):
        talk = ringing()
        talk.hear("You have reached Dana Reyes.", seconds=0.5)
        if toned:
            carrier(talk, "machine_end_beep")
        talk.pass_time(2.2)
        assert len(messages(talk)) == 1
        talk.interrupt("Hi Dana", "Hello? Who is this?")
        assert talk.state.human == (not toned)
        assert (talk.last.startswith(OPENING) and not talk.state.closing) == (not toned)


def test_stop_counts_also_over_the_message() -> None:
    talk = ringing()
    talk.hear("You have reached Dana Reyes.", seconds=0.5)
    talk.pass_time(2.2)
    talk.interrupt("Hi Dana", "Stop calling me.")
    assert [act.kind for act in talk.lead.acts] == ["opt_out"]


def test_who_asks_for_a_moment_gets_it_in_silence() -> None:
    talk = ringing()
    said = len(talk.spoken)
    talk.hear("Yes, hold on a second.")
    talk.pass_time(3)
    assert len(talk.spoken) == said
    assert not talk.asks


def test_the_carrier_s_machine_without_any_words_waits_and_then_follows_the_policy() -> None:
    for touch, left in (("call_1", 1), ("call_4", 0)):
        talk = ringing(touch)
        carrier(talk, "machine_start")
        talk.finish_speech()
        talk.pass_time(10)
        assert not messages(talk)
        assert len(talk.spoken) == 1, "nobody is asked whether they are there"
        talk.pass_time(20)
        assert len(messages(talk)) == left
        assert talk.core.over


@pytest.mark.parametrize("words", ["", "Hello?"])
def test_a_fax_ends_at_once(words: str) -> None:
    talk = ringing()
    if words:
        talk.hear(words)
    carrier(talk, "fax")
    assert talk.core.over == (not words), "who has spoken is no fax"
    assert words or outcome(talk) == "screened"


# ---- screening and menus --------------------------------------------------------------------------------------------------


def test_a_screening_is_told_who_calls_and_the_person_is_waited_for_in_silence() -> None:
    talk = ringing()
    said = talk.hear("Hi, if you record your name and reason for calling, I'll see if this person is available.")
    assert said.startswith("This is Juno")
    assert SCREENED in said
    before = len(talk.spoken)
    talk.hear("Thanks. Please stay on the line.")
    talk.pass_time(15)
    talk.hear("Thank you.")
    talk.pass_time(10)
    assert len(talk.spoken) == before
    assert not talk.asks
    assert talk.hear("Hello?").startswith(OPENING)
    assert talk.state.human


def test_nobody_comes_to_a_screened_call() -> None:
    talk = ringing()
    talk.hear("Please state your name and the reason for your call.")
    talk.finish_speech()
    before = len(talk.spoken)
    talk.pass_time(35)
    assert talk.core.over
    assert len(talk.spoken) == before
    assert outcome(talk) == "screened"


def test_a_screening_that_did_not_hear_us_is_told_again_but_not_for_ever() -> None:
    talk = ringing()
    talk.hear("Please state your name and the reason for your call.")
    for _ in range(4):
        talk.hear("Please state your name and the reason for your call.")
    assert sum(SCREENED in said for said in talk.spoken) == 2


def test_a_screening_that_ends_in_a_voicemail_is_left_the_message() -> None:
    talk = ringing()
    talk.hear("Please state your name and the reason for your call.")
    talk.hear("The person you are calling is not available. " + BEEP)
    talk.pass_time(4)
    assert len(messages(talk)) == 1


def test_who_comes_to_the_telephone_and_says_stop_is_obeyed_first() -> None:
    talk = ringing()
    talk.hear("Please state your name and the reason for your call.")
    assert OPENING not in talk.hear("Take me off your list, please.")
    assert [act.kind for act in talk.lead.acts] == ["opt_out"]


def test_a_menu_gets_the_operator_s_key_once() -> None:
    talk = ringing()
    talk.hear("Thank you for calling Acme. For sales, press 1.", seconds=0.5)
    assert pressed(talk) == []
    talk.pass_time(0.5)
    talk.hear("For the operator, press 0.", seconds=0.5)
    assert pressed(talk) == ["0"]
    talk.hear("Please hold while we connect you.")
    assert talk.hear("Front desk, this is Sam.").startswith(OPENING)
    assert pressed(talk) == ["0"]
    assert not talk.core.over


@pytest.mark.parametrize("then", ["", "For sales, press 1. For the operator, press 0."])
def test_a_menu_that_leads_nowhere_counts_as_not_reached(then: str) -> None:
    talk = ringing()
    talk.hear("For sales, press 1. For support, press 2." if not then else "For the operator, press 0.")
    if then:
        talk.hear(then)
    before = len(talk.spoken)
    talk.pass_time(3)
    assert talk.core.over
    assert len(talk.spoken) == before
    assert outcome(talk) == "screened"
    assert pressed(talk) == (["0"] if then else [])


def test_who_rings_us_is_no_machine() -> None:
    talk = Talk(brief(attempt="in-CA1", opening="inbound", touch=""))
    talk.hear("Hi, you left me a message after the tone, so I am calling back")
    assert talk.state.human
    assert talk.asks


# ---- breaking off ---------------------------------------------------------------------------------------------------------


def answering() -> Talk:
    """A talk in which they have answered, with a question open."""
    talk = ringing()
    assert "help you with" in talk.hear("Yes, sure.")
    talk.finish_speech()
    return talk


def test_our_own_line_that_fails_is_a_break() -> None:
    assert hang_up(answering(), broken=True) == "dropped"
    assert hang_up(ringing(), broken=True) == "dropped"


def test_gone_with_a_question_open_in_mid_sentence_or_while_we_work_is_a_break() -> None:
    assert hang_up(answering()) == "dropped"
    talk = answering()
    talk.hear("We count parts by hand.")
    talk.start_speech()
    talk.put(signals.Onset(talk.now, True))
    talk.partial("It would be about")
    assert hang_up(talk) == "dropped"
    assert talk.core.ended(talk.now).node == "qualification"
    talk = answering()
    talk.hear("We count parts by hand.")
    talk.hear("About 25 people.")
    talk.hold_acts = True
    talk.hear("This quarter.")
    assert talk.state.pending is not None
    assert hang_up(talk) == "dropped"


@pytest.mark.parametrize("words", ["Goodbye.", "I am not interested.", "No.", "I'm driving, call me back later.", "bye"])
def test_who_wants_to_end_has_ended(words: str) -> None:
    talk = answering()
    talk.hold_model = True
    talk.hear(words)
    assert hang_up(talk) != "dropped"


def test_a_hang_up_on_our_first_words_or_over_our_speech_is_meant() -> None:
    assert hang_up(ringing()) == "silent"
    talk = ringing()
    talk.hear("Hello?")
    talk.finish_speech()
    assert hang_up(talk) == "talked"
    talk = answering()
    talk.hear("We count parts by hand.")
    talk.start_speech()
    assert hang_up(talk) == "talked"


def test_after_our_goodbye_nothing_breaks() -> None:
    talk = answering()
    talk.hear("Stop calling me.")
    assert hang_up(talk, broken=True) != "dropped"


def test_stop_in_the_last_unfinished_words_is_no_break() -> None:
    talk = answering()
    talk.partial("please stop calling me")
    assert hang_up(talk) != "dropped"
    assert [act.kind for act in talk.lead.acts] == ["opt_out"]


def test_the_next_call_goes_on_and_asks_nothing_twice() -> None:
    talk = answering()
    talk.hear("We count parts by hand.")
    told = dict(talk.state.learned)
    asked_before = [said for said in talk.spoken if "help you with" in said]
    hang_up(talk, broken=True)
    ended = talk.core.ended(talk.now)
    again = Talk(brief(attempt="a2", opening="broken", node=ended.node, learned=told, talked_before=True))
    assert again.last.startswith(OPENING)
    assert "cut off" in again.last
    assert "How many people" in again.last
    again.hear("About 25 people.")
    again.hear("This quarter.")
    assert asked_before
    assert not any("help you with" in said for said in again.spoken)
    assert [act.kind for act in again.lead.acts] == ["offer_slots"]


def test_a_talk_that_broke_off_at_the_offer_names_the_times_again() -> None:
    talk = answering()
    for words in ("We count parts by hand.", "About 25 people.", "This quarter."):
        talk.hear(words)
    ended = talk.core.ended(talk.now)
    again = Talk(
        brief(
            attempt="a2", opening="broken", node=ended.node, learned=dict(talk.state.learned), talked_before=True,
            offered=talk.state.offered,
        )
    )  # fmt: skip
    assert "tomorrow, Tuesday the 24th, at 10 AM" in again.last
    again.hear("The first one, please.")
    assert [act.kind for act in again.lead.acts] == ["book"]


# ---- whatever comes ---------------------------------------------------------------------------------------------------------

_SAID = (*(text for texts in SLOW for text in texts), BEEP, "You have reached Dana.", "Please state your name and the reason for your call.",
         "For sales, press 1.", "For the operator, press 0.", "Please stay on the line.", "Thanks.", "Stop calling me.", "Yes, sure.")  # fmt: skip
_WHO = ("human", "machine_start", "machine_end_beep", "machine_end_silence", "machine_end_other", "fax", "unknown", "")
_events = st.lists(
    st.one_of(
        st.sampled_from(_SAID).map(lambda text: ("hear", text)),
        st.sampled_from(_SAID).map(lambda text: ("partial", text)),
        st.sampled_from(_WHO).map(lambda who: ("carrier", who)),
        st.sampled_from([0.3, 1.0, 2.1, 8.0, 31.0]).map(lambda seconds: ("wait", seconds)),
    ),
    max_size=9,
)


@settings(max_examples=150)
@given(events=_events, touch=st.sampled_from(["call_1", "call_3"]))
def test_whatever_answers_at_most_one_whole_message_is_left_and_the_call_ends(events: Any, touch: str) -> None:
    talk = ringing(touch)
    for what, value in events:
        if talk.core.over:
            break
        if what == "hear":
            talk.hear(value, seconds=0.4)
        elif what == "partial":
            talk.partial(value)
        elif what == "carrier":
            carrier(talk, value)
        else:
            talk.pass_time(value)
    talk.pass_time(20 * 60)
    assert talk.core.over
    assert len(messages(talk)) <= (2 if talk.state.restarted else 1 if touch == "call_1" else 0)
    assert len(pressed(talk)) <= 1


def test_the_end_of_what_was_played_before_is_not_the_end_of_what_was_just_said() -> None:
    talk = ringing()
    talk.put(signals.Speaking(talk.now, True))
    talk.put(signals.Played(talk.now, talk.last))
    talk.final("Please state your name and the reason for your call.")
    talk.put(signals.Speaking(talk.now, False))  # that of the opening: the carrier has not begun with the answer
    talk.interrupt("", "Thanks.")
    assert sum(SCREENED in said for said in talk.spoken) == 2, "they did not hear it"
    talk = ringing()
    talk.put(signals.Speaking(talk.now, True))
    talk.put(signals.Played(talk.now, talk.last))
    carrier(talk, "machine_end_beep")
    talk.put(signals.Speaking(talk.now, False))
    talk.pass_time(3)
    assert not talk.core.over, "the message is still being said"
    talk.pass_time(15)
    assert talk.core.over


def test_what_was_played_before_it_is_not_taken_for_what_was_to_come() -> None:
    talk = ringing()
    talk.put(signals.Speaking(talk.now, True))
    opening = talk.last
    talk.final("Please state your name and the reason for your call.")
    talk.put(signals.Played(talk.now, opening))
    talk.put(signals.Interrupted(talk.now, ""))  # before the first word of the answer
    talk.final("Please stay on the line.")
    assert sum(SCREENED in said for said in talk.spoken) == 2, "they did not hear it"
