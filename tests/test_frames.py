"""The two codecs of a live call: what each frame becomes, and that nothing a socket can hold breaks them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.vendors.retell import END_POLITELY
from clients import relay
from clients.relay import Relay
from clients.replay import MOST, WITHIN, Received
from clients.retell import Retell
from clients.wire import Codec, Found, Ignored, Reply, Setup
from workflows.conversation import signals

AT = datetime(2026, 11, 23, 15, 5, tzinfo=UTC)


# ---- ConversationRelay ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "becomes"),
    [
        ({"type": "prompt", "voicePrompt": "Yes, sure.", "lang": "en-US", "last": True}, signals.Heard(AT, "Yes, sure.")),
        ({"type": "prompt", "voicePrompt": "Yes", "last": False}, signals.Heard(AT, "Yes", final=False)),
        ({"type": "prompt", "voicePrompt": "Yes", "confidence": 0.4}, signals.Heard(AT, "Yes", confidence=0.4)),
        ({"type": "prompt", "voicePrompt": "Yes", "confidence": 40}, signals.Heard(AT, "Yes")),
        ({"type": "interrupt", "utteranceUntilInterrupt": "I can", "durationUntilInterruptMs": "460"},
         signals.Interrupted(AT, "I can", timedelta(milliseconds=460))),
        ({"type": "interrupt", "utteranceUntilInterrupt": "I can", "durationUntilInterruptMs": 460},
         signals.Interrupted(AT, "I can", timedelta(milliseconds=460))),
        ({"type": "interrupt", "utteranceUntilInterrupt": "", "durationUntilInterruptMs": "soon"},
         signals.Interrupted(AT, "")),
        ({"type": "dtmf", "digit": "9"}, signals.Key(AT, "9")),
        ({"type": "info", "name": "agentSpeaking", "value": "on"}, signals.Speaking(AT, True)),
        ({"type": "info", "name": "clientSpeaking", "value": "off"}, signals.Onset(AT, False)),
        ({"type": "info", "name": "tokensPlayed", "value": "Hi Ada"}, signals.Played(AT, "Hi Ada")),
        ({"type": "info", "name": "clientSpeaking", "value": 1}, Ignored("malformed")),
        ({"type": "info", "name": "weather", "value": "on"}, Ignored("unknown")),
        ({"type": "error", "description": "Invalid message received"}, Ignored("carrier_error")),
        ({"type": "configUpdated", "status": "ok"}, None),
        ({"type": "mystery"}, Ignored("unknown")),
        ({"type": 7}, Ignored("malformed")),
        ({"type": "prompt", "voicePrompt": 5}, Ignored("malformed")),
        ({"type": "dtmf", "digit": 5}, Ignored("malformed")),
    ],
)  # fmt: skip
def test_what_a_relay_frame_becomes(frame: dict[str, Any], becomes: Found | None) -> None:
    assert relay.read(json.dumps(frame), AT) == becomes


def test_what_the_relay_is_sent() -> None:
    def sent(output: signals.Output) -> Any:
        frame = relay.write(output)
        return None if frame is None else json.loads(frame)

    assert sent(signals.Speak("Hello.")) == {"type": "text", "token": "Hello.", "last": True}
    filler = sent(signals.Speak("One second.", preemptible=True))
    assert filler == {"type": "text", "token": "One second.", "last": True, "preemptible": True}
    assert sent(signals.Speak("Bye.", interruptible=False))["interruptible"] is False
    assert sent(signals.Press("1")) == {"type": "sendDigits", "digits": "1"}
    assert sent(signals.End("settled")) == {"type": "end"}
    assert sent(signals.Hush(1)) is None


# ---- Retell --------------------------------------------------------------------------------------------------------


class Line:
    """Retell's end of the socket: a transcript that only grows, and what the codec makes of it."""

    def __init__(self) -> None:
        self.codec = Retell()
        self.transcript: list[dict[str, str]] = []
        self.number = 0

    def take(self, kind: str, **more: Any) -> list[Found]:
        frame = {"interaction_type": kind, "transcript": self.transcript, **more}
        return list(self.codec.read(json.dumps(frame), AT))

    def agent(self, words: str) -> None:
        self.transcript.append({"role": "agent", "content": words})

    def user(self, words: str) -> None:
        self.transcript.append({"role": "user", "content": words})

    def required(self) -> list[Found]:
        self.number += 1
        return self.take("response_required", response_id=self.number)

    def write(self, *outputs: signals.Output) -> list[dict[str, Any]]:
        return [json.loads(frame) for output in outputs for frame in self.codec.write(output)]


def reply(found: list[Found]) -> dict[str, Any]:
    """The one frame that goes back at once."""
    (only,) = found
    assert isinstance(only, Reply)
    told: dict[str, Any] = json.loads(only.frame)
    return told


def test_a_talk_over_retell() -> None:
    line = Line()
    first = line.write(signals.Speak("Hi Ada, ", last=False), signals.Speak("is now good?"))
    assert [f["response_id"] for f in first] == [0, 0]
    assert [f["content_complete"] for f in first] == [False, True]
    line.agent("Hi Ada, is now good?")
    assert line.take("update_only") == [signals.Played(AT, "Hi Ada, is now good?")]
    line.user("Yes")
    assert line.take("update_only") == [signals.Heard(AT, "Yes", final=False)]
    line.transcript[-1]["content"] = "Yes, sure."
    assert line.required() == [signals.Heard(AT, "Yes, sure.")]
    (said,) = line.write(signals.Speak("Great."))
    assert (said["response_type"], said["response_id"]) == ("response", 1)


def test_a_turn_that_is_asked_again_gets_the_same_words_and_no_new_turn() -> None:
    line = Line()
    line.user("The first one, please.")
    assert line.required() == [signals.Heard(AT, "The first one, please.")]
    line.write(signals.Speak("You are booked.", last=True))
    again = reply(line.required())
    assert (again["response_id"], again["content"], again["content_complete"]) == (2, "You are booked.", True)
    line.agent("You are")
    assert reply(line.required())["content"] == "booked."
    line.transcript[-1]["content"] = "You are booked."
    assert reply(line.required())["content"] == ""


def test_a_turn_that_is_asked_again_while_we_think_is_answered_under_the_new_number() -> None:
    line = Line()
    line.user("Book it.")
    line.required()
    assert line.required() == []
    assert line.write(signals.Speak("You are booked."))[0]["response_id"] == 2
    line.user("Thanks.")
    line.required()
    line.write(signals.Speak("One moment. ", last=False))
    again = reply(line.required())
    assert (again["content"], again["content_complete"]) == ("One moment.", False)
    assert line.write(signals.Speak("Done."))[0]["response_id"] == 4


def test_more_words_in_the_same_turn_are_all_that_is_handed_on() -> None:
    line = Line()
    line.user("Book")
    line.required()
    line.write(signals.Speak("Which one?"))
    line.transcript[-1]["content"] = "Book the first one."
    found = line.required()
    assert found == [signals.Interrupted(AT, ""), signals.Heard(AT, "the first one.")]
    line.transcript[-1]["content"] = "Look, the first one."
    assert line.required()[-1] == signals.Heard(AT, "Look, the first one.")


def test_an_interruption_tells_what_was_heard() -> None:
    line = Line()
    line.write(signals.Speak("I can offer Tuesday at ten, or Wednesday at noon."))
    line.agent("I can offer Tuesday")
    assert signals.Interrupted(AT, "I can offer Tuesday") in line.take("update_only", turntaking="user_turn")
    line.user("Tuesday is fine.")
    assert line.required() == [signals.Heard(AT, "Tuesday is fine.")]
    line.write(signals.Speak("Great."))
    line.agent("Great.")
    assert line.take("update_only", turntaking="user_turn") == [signals.Speaking(AT, False)]


def test_a_reminder_of_theirs_is_answered_with_nothing_for_silence_is_ours() -> None:
    line = Line()
    frames = [json.loads(frame) for frame in line.codec.greet()]
    assert frames[1] == {"response_type": "update_agent", "agent_config": {"reminder_max_count": 0}}
    line.user("Hm.")
    line.required()
    line.write(signals.Speak("Shall I go on?"))
    line.agent("Shall I go on?")
    line.number += 1
    told = reply(line.take("reminder_required", response_id=line.number))
    assert (told["content"], told["content_complete"]) == ("", True)
    (prompt,) = line.write(signals.Speak("Are you still there?"))
    assert (prompt["response_type"], prompt["interrupt_id"]) == ("agent_interrupt", 1)


def test_a_filler_does_not_complete_the_response() -> None:
    line = Line()
    line.user("Tomorrow?")
    line.required()
    said = line.write(signals.Speak("Let me see.", preemptible=True), signals.Speak("Ten is free."))
    assert [(f["response_id"], f["content_complete"]) for f in said] == [(1, False), (1, True)]


def test_audio_that_was_not_understood_is_sound_without_words() -> None:
    line = Line()
    line.user("(unintelligible audio)")
    assert line.required() == [signals.Onset(AT, True), signals.Onset(AT, False)]
    line.transcript[-1]["content"] = "(unintelligible audio) tomorrow"
    assert line.required() == [signals.Heard(AT, "tomorrow")]


def test_keys_and_what_is_injected_are_told_once() -> None:
    line = Line()
    line.transcript += [{"role": "dtmf", "digit": "9"}, {"role": "injected", "content": END_POLITELY}]
    assert line.take("update_only") == [signals.Key(AT, "9"), signals.Paused(AT)]
    assert line.take("update_only") == []


def test_the_last_words_end_the_call() -> None:
    line = Line()
    line.user("Bye.")
    line.required()
    said = line.write(signals.Speak("Goodbye.", interruptible=False), signals.End("settled"))
    assert said[0]["no_interruption_allowed"] is True
    assert said[1]["end_call"] is True


def test_pings_are_echoed_and_whose_call_it_is_is_read() -> None:
    line = Line()
    assert reply(line.take("ping_pong", timestamp=5)) == {"response_type": "ping_pong", "timestamp": 5}
    call = {"call_id": "call_1", "direction": "inbound", "from_number": "+12125550100", "to_number": "+14155550100",
            "metadata": {"lead": "lead-1", "attempt": "a1"}}  # fmt: skip
    (setup,) = line.take("call_details", call=call)
    assert isinstance(setup, Setup)
    assert (setup.call, setup.inbound, setup.theirs, setup.parameters["attempt"]) == ("call_1", True, "+12125550100", "a1")


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ("not json", "malformed"), ("[]", "malformed"), ("null", "malformed"), ('{"interaction_type": 5}', "malformed"),
        ('{"interaction_type": "song"}', "unknown"), ('{"interaction_type": "update_only"}', "malformed"),
        ('{"interaction_type": "response_required", "transcript": []}', "malformed"),
        ('{"interaction_type": "response_required", "response_id": true, "transcript": []}', "malformed"),
        ('{"interaction_type": "call_details", "call": []}', "malformed"),
        ('{"interaction_type": "response_required", "response_id": 3, "transcript": []}', "repeated"),
        ('{"interaction_type": "response_required", "response_id": 2, "transcript": []}', "stale"),
        ("x" * 300_000, "too_long"), ("[" * 100_000, "malformed"),
    ],
)  # fmt: skip
def test_what_retell_cannot_mean_is_counted_by_kind(frame: str, kind: str) -> None:
    codec = Retell()
    list(codec.read('{"interaction_type": "response_required", "response_id": 3, "transcript": []}', AT))
    assert list(codec.read(frame, AT)) == [Ignored(kind)]


# ---- both ----------------------------------------------------------------------------------------------------------

_KEYS = (
    "type", "voicePrompt", "last", "name", "value", "digit", "utteranceUntilInterrupt", "durationUntilInterruptMs", "confidence",
    "customParameters", "callSid", "interaction_type", "response_id", "transcript", "transcript_with_tool_calls", "role", "content",
    "turntaking", "call", "call_id", "metadata", "timestamp",
)  # fmt: skip
_WORDS = (
    "setup", "prompt", "interrupt", "dtmf", "info", "error", "agentSpeaking", "clientSpeaking", "tokensPlayed", "on", "off",
    "call_details", "ping_pong", "update_only", "response_required", "reminder_required", "user_turn", "agent_turn", "agent", "user",
    "injected", "(unintelligible audio)", "1e999", "-5", "\ud800", "NaN",
)  # fmt: skip
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(_WORDS) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=6),
    max_leaves=12,
)
_frames = st.dictionaries(st.sampled_from(_KEYS), _values, max_size=8).map(json.dumps) | st.text(max_size=200)
_outputs = st.sampled_from(
    [signals.Speak("Hello there. ", last=False), signals.Speak("Well?"), signals.Press("1"), signals.Stop(), signals.End("x")]
)


@pytest.mark.parametrize("kind", [Relay, Retell])
@settings(max_examples=150)
@given(steps=st.lists(_frames | _outputs, max_size=12))
def test_nothing_breaks_a_codec(kind: type[Codec], steps: list[Any]) -> None:
    """Any frames in any order, between any outputs: each gives what the session knows how to take."""
    codec = kind()
    for step in steps:
        if isinstance(step, str):
            for found in codec.read(step, AT):
                assert isinstance(found, Setup | Ignored | Reply | signals.Input)
                if isinstance(found, signals.Heard):
                    assert found.confidence is None or 0 <= found.confidence <= 1
        else:
            for frame in codec.write(step):
                json.loads(frame)


# ---- replays -------------------------------------------------------------------------------------------------------


def test_what_comes_again_after_a_reconnect_is_known_again() -> None:
    seen = Received()
    frames = [f"frame {n % 7} {n}" for n in range(1200)]
    assert not any(seen.note(frame, AT) for frame in frames)
    seen.again(AT)
    assert all(seen.note(frame, AT) for frame in frames[-MOST // 2 :])
    assert not seen.note("something new", AT)
    assert not seen.note(frames[-1], AT), "after the first new one nothing is a repeat"


def test_the_same_words_later_are_not_a_repeat() -> None:
    seen = Received()
    assert not seen.note("yes", AT)
    assert not seen.note("yes", AT)
    seen.again(AT)
    assert not seen.note("yes", AT + WITHIN + timedelta(milliseconds=1))
