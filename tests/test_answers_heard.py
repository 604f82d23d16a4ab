"""An answer is one only if it says something, and a question that was not answered is not asked in the same words again."""

from __future__ import annotations

import json

import pytest

from tests.talk import SLOTS, Lead, Talk, brief, playbook, turn
from workflows import events as ev
from workflows.reading import says_nothing


def asked(field: str, **known: str) -> Talk:
    learned = {"name": "Dana Reyes", **known}
    talk = Talk(brief(learned=learned, sources=dict.fromkeys(learned, "said")), lead=Lead(SLOTS))
    talk.hear("Yes, go ahead.")
    assert talk.state.last_asked == field
    return talk


@pytest.mark.parametrize(
    "words", ["I don't know.", "Yeah, this is Dana.", "Mm-hm.", "Yes, but call me Danny.", "It's Dana.", "Whatever, go on."]
)
def test_what_says_nothing_is_no_answer(words: str) -> None:
    talk = asked("use_case")
    talk.model = lambda ask: turn("say", "", "answer", {"use_case": words})
    talk.hear(words)
    assert "use_case" not in talk.state.learned


@pytest.mark.parametrize("words", ["I don't know what's in the vans.", "Counting.", "This is stock control."])
def test_what_says_something_is(words: str) -> None:
    assert not says_nothing(words)
    talk = asked("use_case")
    talk.model = lambda ask: turn("say", "", "answer", {"use_case": words})
    talk.hear(words)
    assert talk.state.learned["use_case"] == words


def test_a_question_in_vain_is_asked_in_other_words() -> None:
    question = playbook().fields["team_size"]
    talk = asked("team_size", use_case="counting stock")
    assert question.ask in talk.last
    talk.model = lambda ask: turn("ask", question.ask, "unclear", field="team_size")
    said = talk.hear("We keep losing parts in our vans.")
    assert question.ask not in said
    assert question.rephrase in said


def test_a_time_that_answers_a_question_is_no_wish_for_the_meeting() -> None:
    talk = asked("timeline", use_case="counting stock", team_size="20")
    action = {"name": "offer_slots", "args": {"field": "", "topic": "", "when": "Next month.", "choice": "", "why": ""}}
    read = {"intent": "answer", "fields": [{"field": "timeline", "value": "quarter", "quote": "Next month"}], "signs": []}
    talk.model = lambda ask: json.dumps({"reading": read, "action": action, "say": ""})
    talk.hear("Next month.")
    (look,) = (act for act in talk.lead.acts if isinstance(act, ev.OfferSlots))
    assert look.not_before is None
    assert talk.state.offered == SLOTS


def test_who_did_not_ask_for_the_call_says_no_twice_at_most() -> None:
    book = playbook("outbound.yml")
    talk = Talk(brief(playbook=book.hash), book)
    talk.hear("No.")
    talk.hear("No thanks.")
    (act,) = talk.lead.acts
    assert isinstance(act, ev.Decline)
    assert act.disposition == "not_interested"


def test_one_acknowledgement_is_enough() -> None:
    book = playbook("outbound.yml")
    talk = Talk(brief(playbook=book.hash), book)
    talk.hear("Make it quick.")
    ask = book.fields["current_way"].ask
    talk.model = lambda _: turn("ask", f"Got it. {ask}", "yes", field="current_way")
    said = talk.hear("Yes, okay.")
    assert said == f"{book.speech.soften} {ask}"
