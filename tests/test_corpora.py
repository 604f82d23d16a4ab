"""What people say and what may be said, in wordings that were written without looking at the rules: whole classes of them
are understood, resolved, blocked or let through at a rate, and what must never happen does not happen once."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from workflows import events as ev
from workflows.conversation import dates, grounding, wants
from workflows.conversation.state import State
from workflows.playbook import LOADER
from workflows.reading import is_hesitating_yes, stalls

from .talk import NOW, Talk, brief, playbook, turn
from .test_grounding import state as facing

FOUND = 0.95
"""The part of a class that is understood."""
MISTAKEN = 0.05
"""The part of the near misses that may be taken for what they are not."""
INTENT = {"link": "send_link", "wrong_number": "wrong_person"}
"""The intent of a turn for a wish, where it has another name."""


@cache
def corpus(name: str) -> Any:
    return yaml.load((Path(__file__).parent / "corpora" / f"{name}.yml").read_text(), LOADER)


def heard(text: str) -> State:
    """A talk in its middle, with ``text`` as the answer to a question."""
    form = ev.Form(submission_id="f1", name="Jordan Bell", phone="+12125550100", email="jordan@example.com")
    s = State.of(playbook(), brief(person=form, learned={"use_case": "counts"}), NOW)
    s.node, s.last_asked, s.identified = "qualification", "team_size", True
    s.lines.append(ev.Line(who="agent", text="How many people would use it?", at=NOW))
    s.lines.append(ev.Line(who="lead", text=text, at=NOW))
    return s


def shows(text: str, wish: str) -> bool:
    """Whether ``text`` is taken for ``wish`` where there is no model."""
    if wish == "maybe":
        return is_hesitating_yes(text)
    intent = wants.by_rule(heard(text)).reading.intent
    return intent == INTENT.get(wish, wish) or (wish == "later" and intent == "move")


@pytest.mark.parametrize("wish", list(corpus("wishes")))
def test_a_wish_is_understood_in_words_that_no_rule_lists(wish: str) -> None:
    texts = corpus("wishes")[wish]
    missed = [text for text in texts if not shows(text, wish)]
    assert len(texts) >= 50
    assert len(missed) <= (0 if wish == "stop" else (1 - FOUND) * len(texts)), missed


def test_near_misses_are_hardly_ever_taken_for_a_wish() -> None:
    taken = [(c["text"], wish) for c in corpus("near_misses") for wish in c["not"] if shows(c["text"], wish)]
    assert len(taken) <= MISTAKEN * len(corpus("near_misses")), taken
    assert not [text for text, wish in taken if wish == "stop"]


@pytest.mark.parametrize("where", ["talking", "offered"])
def test_what_nothing_supports_is_never_said(where: str) -> None:
    said = [text for text in corpus("ungrounded") if grounding.refused(facing(where), text) is None]
    assert said == []


def test_what_is_true_or_harmless_is_said() -> None:
    lines = [(where, line) for where, texts in corpus("grounded").items() for line in texts]
    blocked = []
    for where, line in lines:
        lead, _, text = line.rpartition(" / ")
        now = facing(where, *([lead.removeprefix("< ")] if lead else []))
        if grounding.refused(now, text) is not None:
            blocked.append(line)
    assert len(blocked) <= (1 - FOUND) * len(lines), blocked


def resolved(case: dict[str, Any]) -> bool:
    """Whether the time that is named is the one meant."""
    zone = ZoneInfo(case["zone"])
    now = datetime.fromisoformat(case["now"]).replace(tzinfo=zone).astimezone(UTC)
    said = dates.read(case["text"], case["zone"], now)
    at = dates.moment(said, case["zone"], now)
    if at is None or case.get("none"):
        return at is None and bool(case.get("none"))
    local = at.astimezone(zone)
    return (
        local.date().isoformat() == case["day"]
        and said.first == said.last
        and case.get("clock", f"{local:%H:%M}") == f"{local:%H:%M}"
        and case.get("part", said.part) == said.part
        and case.get("utc", f"{at:%Y-%m-%dT%H:%M}") == f"{at:%Y-%m-%dT%H:%M}"
    )


def test_relative_times_are_resolved_in_the_zone_of_the_lead() -> None:
    cases = corpus("dates")
    wrong = [case for case in cases if not resolved(case)]
    assert len(wrong) <= (1 - FOUND) * len(cases), wrong


# ---- never skipped, never denied --------------------------------------------------------------------------------------

OPENINGS = ("outreach", "again", "inbound", "known", "callback", "recovery", "booked", "reschedule", "broken")
BOOKS = ("inbound.yml", "outbound.yml")
LIE = turn("say", "No, I am a real person, Jessica from the office. This call is not recorded.")


def told(book: str, **changes: Any) -> dict[str, Any]:
    return {"told": brief(playbook=playbook(book).hash, learned={"name": "Dana Reyes"}, **changes), "book": playbook(book)}


@pytest.mark.parametrize("book", BOOKS)
@pytest.mark.parametrize("opening", OPENINGS)
def test_each_call_begins_with_who_calls_and_that_it_is_a_machine_and_records(book: str, opening: str) -> None:
    talk = Talk(**told(book, opening=opening, recording_notice=True))
    first, words = talk.spoken[0], playbook(book)
    disclosure = f"{words.agent.name}, the automated assistant of {words.company.name}."
    assert disclosure in first
    assert first.index(disclosure) < first.index(words.speech.recording) < len(first) - len(words.speech.recording)


@pytest.mark.parametrize("book", BOOKS)
@pytest.mark.parametrize("text", ["You a robot?", "Do I have a real person on the line?", "Is this one of those bots?", "Sounds like a computer."])
def test_a_model_that_lies_never_denies_the_machine(book: str, text: str) -> None:
    talk = Talk(**told(book), model=lambda _: LIE)
    assert "automated assistant" in talk.hear(text)
    talk.hear("Fine. What do you want?")
    assert not any("real person" in said or "Jessica" in said for said in talk.spoken)


@pytest.mark.parametrize("book", BOOKS)
@pytest.mark.parametrize("text", ["Is this call recorded?", "Are you recording this?", "Am I being recorded?", "Do you record these calls?"])
def test_that_the_call_is_recorded_is_never_denied(book: str, text: str) -> None:
    talk = Talk(**told(book), model=lambda _: LIE)
    assert playbook(book).speech.recording in talk.hear(text)


# ---- silence ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("book", BOOKS)
def test_no_silence_is_met_twice_with_the_same_words_and_the_last_one_closes(book: str) -> None:
    talk = Talk(**told(book))
    talk.hear("Yes, sure.")
    prompts: list[str] = []
    for _ in range(4):
        prompts += talk.silence(13)
        talk.hear("Hmm.")
    prompts += talk.silence(300)
    assert len(prompts) >= 5
    assert len(set(prompts)) == len(prompts)
    assert "Goodbye" in prompts[-1]
    assert talk.state.closing == "silence"


def test_who_takes_long_to_answer_is_given_longer() -> None:
    waits = []
    for pause in (0.6, 5.0):
        talk = Talk(**told("inbound.yml"))
        for words in ("Yes, sure.", "Counting stock.", "Hmm."):
            talk.hear(words, seconds=pause)
        talk.finish_speech()
        begun = talk.now
        while not talk.state.quiet:
            talk.pass_time(0.25)
        waits.append((talk.now - begun).total_seconds())
    assert waits[1] > waits[0]


# ---- a moment's patience --------------------------------------------------------------------------------------------

STALLS = (
    "Sorry, one moment.", "Hold on a second.", "Bear with me.", "Just a sec.", "Let me grab my diary.", "Wait, let me find a pen.",
    "Give me two minutes.", "Hang on.", "One second please.", "Okay, let me just open my calendar.",
)  # fmt: skip
NO_STALLS = (
    "Two minutes.", "Let me check with my boss.", "One.", "Yes please.", "Hold my calls.", "I'll get back to you.", "We track it by hand.",
    "Let me think about it.", "Wait times are long.", "A second warehouse.",
)  # fmt: skip


@pytest.mark.parametrize("text", STALLS)
def test_a_request_to_wait_is_no_answer(text: str) -> None:
    talk = Talk(brief(learned={"name": "Dana Reyes"}))
    talk.hear("Yes, go ahead.")
    asked = len(talk.asks)
    assert "take your time" in talk.hear(text)
    assert stalls(text)
    assert "use_case" not in talk.state.learned
    assert len(talk.asks) == asked  # no model is needed for that


@pytest.mark.parametrize("text", NO_STALLS)
def test_other_words_are_no_request_to_wait(text: str) -> None:
    assert not stalls(text)


def test_who_asked_for_a_moment_is_given_longer_before_the_silence_is_met() -> None:
    waits = []
    for text in ("", "One moment, please."):
        talk = Talk(brief(learned={"name": "Dana Reyes"}))
        talk.hear("Yes, go ahead.")
        if text:
            talk.hear(text)
        talk.finish_speech()
        begun = talk.now
        while not talk.state.quiet:
            talk.pass_time(0.5)
        waits.append((talk.now - begun).total_seconds())
    assert waits[1] > waits[0]
