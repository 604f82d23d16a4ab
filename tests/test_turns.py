"""Taking turns: signals, barge-in, silences, waits, early requests, keys and broken lines, with time under the test's
control."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows import events as ev
from workflows.conversation import floor, moments, signals
from workflows.conversation.turn import Decision, TurnReader
from workflows.messages import Answer
from workflows.reading import is_backchannel, takes_back

from .talk import NOW, SLOTS, Lead, Talk, brief, playbook, slot, turn

KNOWN = {"use_case": "stock counts", "team_size": "20", "timeline": "quarter"}
OPENING = "Hi Dana, this is Juno, the automated assistant of Tallyhook."


def offered(**changes: Any) -> Talk:
    """A talk in which the slots have just been offered and heard."""
    talk = Talk(brief(learned=KNOWN), **changes)
    talk.hear("Yes, sure.")
    talk.finish_speech()
    return talk


def kinds(talk: Talk) -> list[str]:
    return [moment.kind for moment in talk.state.moments]


def acts(talk: Talk) -> list[str]:
    return [action.kind for action in talk.lead.acts]


def tuned(**changes: Any) -> Any:
    """The playbook with another timing of calls."""
    book = playbook()
    return book.model_copy(update={"call": book.call.model_copy(update=changes)})


# ---- what was heard ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heard", "rest"),
    [
        ("", "One. Two is long. Three?"),
        ("One", ""),
        ("One.", "Two is long. Three?"),
        ("One. Two is", "Two is long. Three?"),
        ("One. Two is long. Th", "Three?"),
        ("One. Two is long. Three?", ""),
    ],
)
def test_what_is_missing_begins_with_the_sentence_that_was_cut(heard: str, rest: str) -> None:
    line = "One. Two is long. Three?"
    wanted = "One. Two is long. Three?" if heard == "One" else rest
    assert floor.rest(line, floor.kept(line, 0, heard)) == wanted


@given(st.text(alphabet="abc. ?!", max_size=60), st.integers(0, 60))
def test_the_rest_is_the_end_of_the_line_and_starts_no_later_than_what_was_not_heard(line: str, upto: int) -> None:
    missing = floor.rest(line, upto)
    assert line.strip().endswith(missing)
    if line[upto:].strip(" .,;:!?\"')"):
        assert len(missing) >= len(line[upto:].strip())


def test_a_question_counts_as_heard_once_most_of_it_was() -> None:
    line = "I can do that. Shall I book it?"
    assert not floor.asked(line, len("I can do that. Shall"), 0.7)
    assert floor.asked(line, len("I can do that. Shall I book i"), 0.7)
    assert not floor.asked("I can do that.", 14, 0.7)


@pytest.mark.parametrize("words", ["mm-hm", "Mhm.", "uh-huh", "Okay, right.", "yes", "I see", "Got it, got it"])
def test_words_that_only_show_that_they_listen(words: str) -> None:
    assert is_backchannel(words)


@pytest.mark.parametrize("words", ["no", "yes, the first one", "stop", "hello?", "right, but when?", "what?", "one"])
def test_words_that_are_more_than_that(words: str) -> None:
    assert not is_backchannel(words)


def test_words_that_put_the_ones_before_them_in_doubt() -> None:
    assert takes_back("wait, hold on")
    assert takes_back("no, actually the second")
    assert not takes_back("please, for my team")


# ---- signals ----------------------------------------------------------------------------------------------------------


def test_each_signal_leaves_a_moment_and_the_path_is_kept() -> None:
    talk = offered()
    talk.put(signals.AnsweredBy(talk.now, "human"))
    talk.hear("the second one, please", confidence=0.91, partials=("the", "the second"))
    talk.interrupt("Done: you are", "sorry, go on")
    talk.start_speech()
    talk.final("mm-hm")
    talk.silence(8)
    talk.key("7")
    talk.lose()
    talk.rejoin()
    talk.put(signals.HungUp(talk.now, broken=True))
    ended = talk.core.ended(talk.now)
    assert {"answered", "final", "interruption", "backchannel", "silence", "key", "lost", "restored", "hang_up"} <= {
        moment.kind for moment in ended.moments
    }
    assert all(moment.kind in moments.KINDS for moment in ended.moments)
    final = next(m for m in ended.moments if m.kind == "final" and "partials" in m.detail)
    assert "confidence=0.91 partials=2" in final.detail
    versions = [moment.version for moment in ended.moments]
    assert versions == sorted(versions)
    assert ended.path[0] == "outreach"
    assert ended.path[-1] == ended.node
    assert "booking" in ended.path
    assert ended.outcome == "dropped"


def test_moments_hold_nothing_that_was_said() -> None:
    talk = offered()
    talk.hear("my secret is pineapple, the first one", partials=("my secret is pineapple",))
    talk.interrupt("Done", "pineapple again")
    assert "pineapple" not in talk.core.ended(talk.now).model_dump_json(include={"moments"})


def test_a_long_call_leaves_few_moments() -> None:
    talk = offered()
    for number in range(150):
        talk.hear("let me think about that", 1, partials=("let", "let me", "let me think", "let me think about"))
        talk.interrupt("I", "hm, well" if number % 2 else "")
        if talk.core.over:
            break
    told = talk.core.ended(talk.now).model_dump_json(include={"moments"})
    assert len(told) <= 6 * 1024


def test_each_input_is_a_new_version_before_anything_is_decided() -> None:
    talk = offered()
    talk.hold_model = True
    before = talk.state.version
    talk.hear("hm, which was the first")
    assert talk.state.version > before
    assert talk.asks[-1].version == talk.state.version == talk.state.fresh
    talk.onset()
    assert talk.state.version > talk.asks[-1].version


# ---- barge-in -----------------------------------------------------------------------------------------------------------


def streaming(talk: Talk, name: str, say: str, **more: Any) -> tuple[signals.Ask, list[signals.Input]]:
    """The talk's newest request with the inputs of an answer to it, to be put one by one."""
    ask = talk.asks[-1]
    reader = TurnReader(ask.actions)
    inputs: list[signals.Input] = []
    for known in [k for part in _pieces(turn(name, say, **more)) for k in reader.feed(part)]:
        if isinstance(known, Decision):
            inputs.append(signals.Decided(talk.now, ask.id, known))
        else:
            inputs.append(signals.Words(talk.now, ask.id, known))
    return ask, [*inputs, signals.Finished(talk.now, ask.id)]


def _pieces(text: str) -> list[str]:
    return [text[at : at + 11] for at in range(0, len(text), 11)]


def test_after_an_interruption_nothing_more_of_the_utterance_is_said() -> None:
    talk = Talk()
    talk.hold_model = True
    talk.hear("Tell me a little more first.")
    _, inputs = streaming(talk, "say", "Thank you for asking. We can go through it. What would you like to know?")
    for event in inputs[:4]:
        talk.put(event)
    talk.interrupt("Thank you for", "")
    said = len(talk.outputs)
    for event in inputs[4:]:
        talk.put(event)
    talk.onset(False)
    talk.final("no wait")
    assert not [o for o in talk.outputs[said:] if isinstance(o, signals.Speak)]
    assert [line.text for line in talk.state.lines if line.who == "agent"][-1] == "Thank you for"


def test_a_cough_resumes_the_sentence_that_was_cut_and_what_was_still_to_come() -> None:
    talk = Talk()
    talk.hold_model = True
    talk.hear("Tell me a little more first.")
    _, inputs = streaming(talk, "say", "Thank you for asking. We can go through it. What would you like to know?")
    for event in inputs[:-3]:
        talk.put(event)
    talk.interrupt("Thank you for asking. We")
    for event in inputs[-3:]:
        talk.put(event)
    before = len(talk.spoken)
    talk.pass_time(1.9)
    assert len(talk.spoken) == before
    talk.pass_time(0.2)
    assert talk.spoken[before:] == ["We can go through it. What would you like to know?"]
    assert kinds(talk)[-1] == "resumed"
    heard = [line.text for line in talk.state.lines if line.who == "agent"][-2:]
    assert heard == ["Thank you for asking. We", "We can go through it. What would you like to know?"]


@pytest.mark.parametrize("words", ["mm-hm", "Okay.", "yes"])
def test_a_backchannel_that_stopped_us_resumes_at_once(words: str) -> None:
    talk = Talk()
    assert talk.interrupt(f"{OPENING[:30]}", words, 0.4) == talk.spoken[0]
    assert not talk.asks
    assert words not in [line.text for line in talk.state.lines]


def test_a_backchannel_while_we_speak_changes_nothing() -> None:
    talk = Talk()
    talk.start_speech(OPENING[:20])
    talk.final("uh-huh")
    assert len(talk.spoken) == 1
    assert not talk.asks
    assert talk.state.human
    talk.put(signals.Speaking(talk.now, False))
    talk.final("uh-huh")
    assert len(talk.spoken) > 1  # now it answers the opening's question


def test_a_yes_over_the_last_words_of_a_question_is_its_answer() -> None:
    talk = Talk(brief(learned=KNOWN))
    opening = talk.last
    said = talk.interrupt(opening[:-4], "yes", 0.3)
    assert "I can offer" in said
    talk = Talk(brief(learned=KNOWN))
    talk.start_speech(opening[:-2])
    talk.final("yes")
    assert "I can offer" in talk.last


def test_what_breaks_in_twice_is_not_resumed_for_ever() -> None:
    talk = Talk()
    for _ in range(6):
        talk.interrupt("Hi")
        talk.pass_time(2.1)
    assert talk.spoken.count(talk.spoken[0]) <= 3


def booking(talk: Talk) -> list[signals.Input]:
    """ "the first one" was said, and the model has decided to book it; not yet told to the core."""
    talk.hold_model = True
    talk.final("the first one")
    return streaming(talk, "book", "", choice="first", intent="picks_time")[1]


def test_an_action_decided_while_they_speak_waits_and_is_done_when_their_words_leave_it_standing() -> None:
    talk = offered()
    decided = booking(talk)
    talk.onset()
    for event in decided:
        talk.put(event)
    assert acts(talk) == ["offer_slots"]
    talk.model = lambda ask: turn("say", "Of course.", "yes")
    talk.hold_model = False
    talk.pass_time(0.3)
    talk.final("yeah, for the whole team")
    assert acts(talk) == ["offer_slots", "book"]
    assert "you are booked with Ana Torres" in talk.last
    verdict = [v for v in talk.state.verdicts if v.action == "book"][-1]
    assert verdict.allowed
    assert "yeah, for the whole team" in " ".join(verdict.evidence)


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        ("wait, no", turn("say", "Of course.", "unclear")),
        ("what does it cost", turn("state", "", "question", topic="price")),
        ("you have the wrong number", ""),
    ],
)
def test_an_action_decided_while_they_speak_is_dropped_with_a_verdict(words: str, reply: str) -> None:
    talk = offered()
    decided = booking(talk)
    talk.onset()
    for event in decided:
        talk.put(event)
    talk.model = lambda ask: reply
    talk.hold_model = False
    talk.final(words)
    assert "book" not in acts(talk)
    dropped = [v for v in talk.state.verdicts if v.rule == "interrupted"]
    assert [(v.action, v.allowed) for v in dropped] == [("book", False)]


def test_an_action_decided_while_somebody_coughs_is_done_after_it() -> None:
    talk = offered()
    decided = booking(talk)
    talk.onset()
    for event in decided:
        talk.put(event)
    talk.pass_time(0.3)
    talk.onset(False)
    assert "book" not in acts(talk)
    talk.pass_time(0.8)
    assert acts(talk)[-1] == "book"
    assert kinds(talk)[-2:] == ["onset", "final"] or "onset" in kinds(talk)


def test_a_stop_is_never_held_back() -> None:
    talk = offered()
    talk.hold_model = True
    talk.final("I want to quit all of this")
    _, inputs = streaming(talk, "opt_out", "", intent="stop")
    talk.onset()
    talk.put(inputs[0])
    assert acts(talk)[-1] == "opt_out"
    assert talk.state.opted_out


def test_a_result_that_comes_while_they_speak_is_said_first_after_their_words_were_understood() -> None:
    talk = offered()
    talk.hold_acts = True
    talk.hear("the first one")
    (book,) = talk.held
    talk.onset()
    said = len(talk.spoken)
    talk.answer(book)
    assert talk.state.booking is None
    assert len(talk.spoken) == said
    talk.model = lambda ask: turn("say", "Good question.", "answer")
    talk.hold_acts = False
    talk.final("it is for our new warehouse")
    after = " ".join(talk.spoken[said:])
    assert after.startswith("Done: you are booked with Ana Torres") or "Done: you are booked" in after.split("Good")[0]
    assert after.index("Done: you are booked") < after.index("Good question.")
    assert acts(talk).count("book") == 1
    assert json.loads(talk.asks[-1].messages[-1]["content"])["state"]["meeting"]


def test_words_during_an_action_are_answered_after_its_result() -> None:
    talk = offered()
    talk.hold_acts = True
    talk.hear("the first one")
    (book,) = talk.held
    talk.pass_time(0.5)
    asks = len(talk.asks)
    talk.final("what does it cost by the way")
    assert len(talk.asks) == asks
    talk.hold_acts = False
    said = len(talk.spoken)
    talk.answer(book)
    after = " ".join(talk.spoken[said:])
    assert after.index("Done: you are booked") < after.index("Plans start at 40 dollars")
    words = json.loads(talk.asks[-1].messages[-1]["content"])["caller_said"]
    assert words == "what does it cost by the way"


def test_a_committed_action_is_never_repeated_by_an_interruption() -> None:
    talk = offered()
    talk.hold_acts = True
    talk.hear("the first one")
    (book,) = talk.held
    talk.interrupt("One moment", "sorry, yes, the first one")
    talk.hold_acts = False
    talk.model = lambda ask: (
        turn("book", "", "picks_time", choice="first") if "book" in ask.actions else turn("say", "Yes.")
    )
    talk.answer(book)
    assert acts(talk).count("book") == 1
    assert [o for o in talk.outputs if isinstance(o, signals.Perform) and o.action.kind == "book"] == [book]


def test_only_an_offer_that_was_heard_can_be_chosen() -> None:
    talk = Talk(brief(learned=KNOWN))
    talk.hear("Yes, sure.")
    offer = talk.last
    assert talk.state.heard_offers == SLOTS
    talk.interrupt(offer[: offer.index(" or 3:30 PM")])
    assert talk.state.heard_offers == SLOTS[:1]
    talk = Talk(brief(learned=KNOWN))
    talk.hear("Yes, sure.")
    talk.interrupt("I can")
    assert talk.state.heard_offers == ()
    assert "book" not in talk.state.allowed


def test_a_day_that_has_several_of_the_times_is_said_once() -> None:
    talk = Talk(brief(learned=KNOWN))
    assert "I can offer tomorrow, Tuesday the 24th, at 10 AM or 3:30 PM, or Wednesday the 25th at 9 AM." in talk.hear("Yes, sure.")
    talk = Talk(brief(learned=KNOWN), lead=Lead((slot(25, 9), slot(25, 13), slot(26, 9))))
    assert "I can offer Wednesday the 25th at 9 AM or 1 PM, or Thursday the 26th at 9 AM." in talk.hear("Yes, sure.")
    same = (slot(24, 10), slot(24, 11, 30), slot(24, 15))
    talk = Talk(brief(learned=KNOWN), lead=Lead(same))
    assert "I can offer tomorrow, Tuesday the 24th, at 10 AM, 11:30 AM, or 3 PM." in talk.hear("Yes, sure.")
    assert talk.state.heard_offers == same
    talk.hear("The second one.")
    assert [act.slot for act in talk.lead.acts if isinstance(act, ev.Book)] == [same[1].id]


def test_an_interruption_that_is_told_late_does_not_undo_the_reply() -> None:
    talk = Talk()
    talk.hold_model = True
    talk.start_speech()
    talk.final("Tell me a little more first.")
    _, inputs = streaming(talk, "say", "Thank you.")
    talk.put(signals.Interrupted(talk.now, "Hi Dana"))
    for event in inputs:
        talk.put(event)
    assert talk.last.startswith("Hi Dana, this is Juno, the automated assistant of Tallyhook. Thank you."), "who calls was not heard"
    assert talk.state.lines[0].text == "Hi Dana"
    assert not [o for o in talk.outputs if isinstance(o, signals.Hush)]


def test_their_words_over_our_goodbye_are_waited_for() -> None:
    talk = offered()
    talk.hear("No thanks, I am not interested.")
    assert talk.state.closing
    talk.interrupt(talk.last[:5])
    talk.pass_time(1.5)
    assert not talk.core.over
    talk.final("and stop calling me")
    assert talk.state.opted_out
    talk.pass_time(20)
    assert talk.core.over
    assert talk.spoken[-1].startswith("Understood.")


# ---- partial words --------------------------------------------------------------------------------------------------------


def test_a_stop_in_partial_words_silences_us_at_once_and_acts_when_final() -> None:
    talk = Talk()
    talk.hold_model = True
    talk.start_speech(OPENING[:10])
    talk.partial("please stop calling")
    assert isinstance(talk.outputs[-1], signals.Stop)
    assert not talk.state.opted_out
    talk.partial("please stop calling before nine")
    talk.pass_time(0.4)
    talk.final("please stop calling before nine")
    assert not talk.state.opted_out
    talk = Talk()
    talk.start_speech()
    talk.pass_time(2)
    talk.partial("please stop calling me")
    assert talk.state.lines[0].text == OPENING[:30].strip()  # two seconds of it
    talk.final("please stop calling me")
    assert [type(o).__name__ for o in talk.outputs if not isinstance(o, signals.Speak)][:3] == [
        "Stop",
        "KeepOptOut",
        "Perform",
    ]


def test_a_stop_whose_final_never_came_counts_when_they_hang_up() -> None:
    talk = offered()
    talk.partial("stop calling me")
    talk.put(signals.HungUp(talk.now))
    assert talk.state.opted_out
    assert [o.words for o in talk.outputs if isinstance(o, signals.KeepOptOut)] == ["stop calling me"]
    assert talk.core.ended(talk.now).transcript[-1].text == "stop calling me"


def test_partial_words_whose_final_never_comes_are_taken_as_doubtful() -> None:
    talk = offered()
    talk.hold_model = True
    talk.partial("the second")
    talk.pass_time(4.1)
    assert talk.state.lines[-1].text == "the second"
    assert talk.state.doubtful


def test_the_model_is_asked_early_and_its_answer_waits_for_the_final_words() -> None:
    talk = offered()
    talk.model = lambda ask: turn("book", "", "picks_time", choice="first")
    talk.partial("the first")
    talk.pass_time(0.2)
    talk.partial("the first one")
    talk.partial("the first one")
    early = talk.asks[-1]
    assert early.speculative
    said = len(talk.spoken)
    talk.pass_time(0.4)
    assert acts(talk) == ["offer_slots"]
    assert len(talk.spoken) == said
    asks = len(talk.asks)
    talk.final("The first one.")
    assert len(talk.asks) == asks
    assert acts(talk) == ["offer_slots", "book"]
    assert talk.state.timings[-1].seconds()["decided"] == 0.0


def test_an_early_answer_to_other_words_is_never_used() -> None:
    talk = offered()
    talk.model = lambda ask: (
        turn("book", "Gladly, early.", "picks_time", choice="first") if ask.speculative else turn("say", "Okay.")
    )
    talk.partial("the first one")
    talk.pass_time(0.3)
    assert talk.asks[-1].speculative
    early = talk.asks[-1].id
    talk.final("the first one does not suit me")
    assert acts(talk) == ["offer_slots"]
    assert signals.Hush(early) in talk.outputs
    assert "early" not in " ".join(talk.spoken)
    assert talk.state.tokens_in > 0


def test_asking_early_can_be_switched_off_and_is_not_done_where_a_rule_decides() -> None:
    talk = Talk(brief(learned=KNOWN), book=tuned(speculate=False))
    talk.finish_speech()
    talk.partial("who is this")
    talk.pass_time(1)
    assert not talk.asks
    talk = Talk(brief(learned=KNOWN))
    talk.finish_speech()
    talk.partial("are you a robot")
    talk.pass_time(1)
    assert not talk.asks


def test_uncertain_words_are_doubtful_until_we_have_spoken() -> None:
    talk = offered()
    talk.hold_model = True
    talk.hear("the first one", confidence=0.4)
    assert talk.state.doubt == pytest.approx(0.6)
    assert talk.state.doubtful
    talk.final("yes", confidence=0.95)
    assert talk.state.doubtful
    talk.reply(talk.asks[-1], turn("say", "Sorry?"))
    talk.hear("the first one", confidence=0.95)
    assert not talk.state.doubtful


# ---- silence ----------------------------------------------------------------------------------------------------------------


def gaps(talk: Talk, seconds: float) -> list[float]:
    """When prompts came in a silence of so long."""
    talk.finish_speech()
    began, found = talk.now, []
    while (talk.now - began).total_seconds() < seconds and not talk.core.over:
        said = len(talk.spoken)
        talk.pass_time(0.1)
        if len(talk.spoken) > said:
            found.append(round((talk.now - began).total_seconds(), 1))
    return found


def test_silence_is_met_sooner_after_a_plain_question_than_after_one_that_takes_thought() -> None:
    plain, hard = Talk(), offered()
    waits = playbook().call
    assert gaps(plain, 20)[0] == pytest.approx(6 * waits.patience.nodes.get("outreach", 1), abs=0.15)
    wanted = min(6 * waits.patience.nodes.get("booking", 1) * waits.patience.complex, 6 * waits.patience.most)
    assert gaps(hard, 30)[0] == pytest.approx(wanted, abs=0.15)


def test_who_takes_long_is_waited_for_longer_within_bounds() -> None:
    quick, slow, slowest = Talk(), Talk(), Talk()
    for talk, pause in ((quick, 0.5), (slow, 4.0), (slowest, 30.0)):
        talk.state.pauses.extend([pause] * 3)
    first = [gaps(talk, 40)[0] for talk in (quick, slow, slowest)]
    book = playbook().call
    assert first[0] == pytest.approx(6 * book.patience.nodes.get("outreach", 1), abs=0.15)
    assert first[1] == pytest.approx(4.0 * book.patience.own, abs=0.15)
    assert first[2] == pytest.approx(6 * book.patience.most, abs=0.15)


def test_a_lead_s_usual_pause_is_learned_from_the_call() -> None:
    talk = Talk()
    for words in ("Yes, go ahead.", "stock counts", "25 people"):
        talk.finish_speech()
        talk.pass_time(3.0)
        talk.partial(words)
        talk.pass_time(0.8)
        talk.final(words)
    assert talk.state.pauses == [3.0, 3.0, 3.0]
    assert talk.state.timings[-1].seconds()["pause"] == 3.0


def test_no_prompt_is_said_twice_in_a_call_and_it_closes_gracefully() -> None:
    talk = Talk()
    talk.hear("Yes, go ahead.")
    prompts: list[str] = []
    for _ in range(8):
        prompts += talk.silence(25)
        if talk.core.over:
            break
        talk.hear("Sorry, I was away.", 0.5)
    prompts += talk.silence(200)
    assert len(prompts) > len(playbook().speech.silence)
    assert len(set(prompts)) == len(prompts)
    assert talk.core.over
    assert not any("{" in prompt for prompt in prompts)


def test_a_silence_asks_the_open_question_in_other_words() -> None:
    talk = Talk()
    talk.hear("Yes, go ahead.")
    question = playbook().fields[talk.state.last_asked]
    said = talk.silence(60)
    assert question.rephrase in said[1]
    assert question.ask not in said[1]


def test_a_sound_without_words_begins_the_silence_anew() -> None:
    talk = Talk()
    talk.finish_speech()
    talk.pass_time(4)
    talk.onset()
    talk.pass_time(0.2)
    talk.onset(False)
    spoken = len(talk.spoken)
    talk.pass_time(4)
    assert len(talk.spoken) == spoken
    talk.pass_time(4)
    assert len(talk.spoken) == spoken + 1


# ---- waits ------------------------------------------------------------------------------------------------------------------


def test_a_slow_model_is_bridged_once_and_its_answer_follows() -> None:
    talk = Talk()
    talk.hear("Yes, go ahead.")
    talk.model_takes = 3.0
    said = len(talk.spoken)
    talk.hear("stock counts")
    talk.pass_time(4)
    bridge, reply = talk.spoken[said:]
    assert bridge in playbook().speech.filler
    assert "How many people" in reply
    (filler,) = [o for o in talk.outputs if isinstance(o, signals.Speak) and o.preemptible]
    assert filler.text == bridge
    assert kinds(talk).count("filler") == 1


def test_a_model_that_does_not_answer_is_replaced_by_the_rules_in_time() -> None:
    talk = Talk()
    talk.hear("Yes, go ahead.")
    talk.model_takes = 60.0
    talk.hear("stock counts")
    ask = talk.asks[-1]
    talk.pass_time(4.9)
    assert "How many people" not in talk.last
    talk.pass_time(0.2)
    assert talk.state.learned["use_case"] == "stock counts"
    assert "How many people" in talk.last
    assert signals.Hush(ask.id) in talk.outputs
    assert talk.state.timings[-1].seconds()["model_failed"] == 1.0
    said = len(talk.spoken)
    talk.reply(ask, turn("say", "Too late."))
    assert len(talk.spoken) == said


def test_a_slow_calendar_is_bridged_after_its_announcement() -> None:
    talk = Talk(brief(learned=KNOWN))
    talk.lead_takes = 6.0
    talk.hear("Yes, sure.")
    talk.pass_time(7)
    moment, filler = playbook().speech.moment, playbook().speech.filler[0]
    assert talk.spoken[-2] == f"{moment} {filler}"
    assert talk.last.startswith("I can offer")


def test_a_bridge_answers_nothing_their_words_stay_together() -> None:
    talk = Talk()
    talk.hear("Yes, go ahead.")
    talk.hold_model = True
    talk.hear("It is for stock")
    talk.pass_time(1.6)
    assert talk.last in playbook().speech.filler
    talk.final("in four vans")
    assert talk.state.last_words == "It is for stock in four vans"


# ---- keys -------------------------------------------------------------------------------------------------------------------


def test_keys_mean_what_the_playbook_says() -> None:
    talk = offered()
    asked = talk.last
    assert talk.key("*") == asked
    talk.key("5")
    assert talk.last == asked
    talk.key("0")
    assert acts(talk)[-1] == "hand_off"
    talk = offered()
    talk.key("9")
    assert talk.state.opted_out
    assert acts(talk)[-1] == "opt_out"
    talk = Talk(brief(learned=KNOWN))
    talk.finish_speech()
    talk.key("1")
    assert "I can offer" in talk.last


def test_several_digits_are_the_number_that_was_asked_for() -> None:
    talk = Talk()
    talk.hear("Yes, go ahead.")
    talk.hear("stock counts")
    assert talk.state.last_asked == "team_size"
    talk.finish_speech()
    talk.key("25")
    assert talk.state.learned.get("team_size") is None
    talk.pass_time(2)
    assert talk.state.learned["team_size"] == "25"


# ---- broken lines -------------------------------------------------------------------------------------------------------------


def test_a_lost_line_holds_everything_and_goes_on_where_it_broke_off() -> None:
    talk = offered()
    talk.hold_acts = True
    talk.hear("the first one")
    talk.lose()
    said = len(talk.spoken)
    talk.answer(talk.held[-1])
    talk.pass_time(20)
    assert len(talk.spoken) == said
    talk.rejoin()
    assert "Done: you are booked" in talk.last
    assert acts(talk).count("book") == 1


def test_what_the_carrier_sends_again_changes_nothing() -> None:
    talk = offered()
    talk.hear("the first one")
    asks, performed, lines = len(talk.asks), acts(talk), len(talk.state.lines)
    talk.lose()
    talk.rejoin()
    talk.partial("the first one")
    talk.final("the first one")
    talk.put(signals.Rejoined(talk.now))
    assert (len(talk.asks), acts(talk)) == (asks, performed)
    assert len(talk.state.lines) == lines


def test_a_model_in_mid_sentence_goes_on_after_the_line_is_back() -> None:
    talk = Talk()
    talk.hold_model = True
    talk.hear("Tell me a little more first.")
    _, inputs = streaming(talk, "say", "Thank you for asking. We can go through it. What would you like to know?")
    for event in inputs[:5]:
        talk.put(event)
    talk.lose()
    for event in inputs[5:]:
        talk.put(event)
    said = talk.rejoin()
    assert said.startswith("Sorry, we were cut off. Thank you for asking.")
    assert said.endswith("What would you like to know?")


def test_the_longest_call_ends_with_a_word_of_warning() -> None:
    talk = Talk(book=tuned(longest=timedelta(seconds=9)))
    for _ in range(3):
        talk.hear("hm, let me see", 2)
    talk.pass_time(2)
    assert talk.last == playbook().speech.too_long
    assert "longest" in kinds(talk)
    talk.pass_time(20)
    assert talk.core.over


# ---- timings ------------------------------------------------------------------------------------------------------------------


def test_each_turn_s_times_are_kept() -> None:
    talk = Talk()
    talk.model_takes = 0.8
    talk.hear("Yes, go ahead.")
    talk.pass_time(1)
    talk.interrupt(talk.last[:9], "sorry, who is this?", 0.6)
    talk.pass_time(1)
    first, second = talk.core.ended(talk.now).timings[-2:]
    assert first["decided"] == first["first_word"] == 0.8
    assert first["first_token"] == 0.8
    assert second["stop"] == 0.0
    assert first["pause"] > 1


# ---- any order of things --------------------------------------------------------------------------------------------------------

_SAYINGS = (
    "yes",
    "no",
    "okay",
    "the first one",
    "wait",
    "stop calling me",
    "who is this",
    "20 people",
    "hm",
    "I'm busy",
    "bye",
)
_MARKS = "bcdfgh"


def _mark(number: int) -> str:
    """A word that stands for one request."""
    return "zu" + "".join(_MARKS[int(digit, 6)] for digit in _base6(number))


def _base6(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 6)
        digits = str(rest) + digits
    return digits


_STEPS = st.one_of(
    st.tuples(st.just("final"), st.sampled_from(_SAYINGS)),
    st.tuples(st.just("partial"), st.sampled_from(_SAYINGS)),
    st.tuples(st.just("onset"), st.booleans()),
    st.tuples(st.just("speaking"), st.booleans()),
    st.tuples(st.just("interrupt"), st.sampled_from(["", "Hi Dana", "I see", "One moment"])),
    st.tuples(st.just("piece"), st.integers(0, 3)),
    st.tuples(st.just("piece"), st.integers(0, 1)),
    st.tuples(st.just("result"), st.sampled_from(["yes", "no", "lost"])),
    st.tuples(st.just("time"), st.sampled_from([0.05, 0.3, 0.8, 2.1, 6.0, 15.0])),
    st.tuples(st.just("key"), st.sampled_from("019*5#")),
    st.tuples(st.just("line"), st.sampled_from(["lost", "rejoined", "paused", "machine_start", "human"])),
)


class Interleaved:
    """The core under any order of inputs: requests answered piece by piece, also those that are void."""

    def __init__(self, names: list[str]) -> None:
        self.talk = Talk(brief(learned=KNOWN))
        self.talk.hold_model = self.talk.hold_acts = True
        self.talk._carry_out = self._carry_out  # type: ignore[method-assign]
        self.names = names
        self.streams: dict[int, list[Any]] = {}
        self.lead_lines: dict[int, int] = {}
        self.void: set[int] = set()
        self.performed: list[str] = []
        self.waiting: list[signals.Perform] = []
        self.interrupted = False

    def _carry_out(self, output: signals.Output) -> None:
        if isinstance(output, signals.Ask):
            self.void |= set(self.streams)
            said = sum(line.who == "lead" for line in self.talk.state.lines)
            self.lead_lines[output.id] = said - output.speculative + 1 if output.speculative else said
            name = self.names[output.id % len(self.names)]
            text = turn(
                name if name in output.actions else "say",
                f"I see {_mark(output.id)}. Go on {_mark(output.id)}.",
                choice="first",
            )
            self.streams[output.id] = self._inputs(output, text)
        elif isinstance(output, signals.Hush):
            self.void.add(output.id)
        elif isinstance(output, signals.Perform):
            assert output.id not in self.performed
            self.performed.append(output.id)
            self.waiting.append(output)
        elif isinstance(output, signals.Speak):
            self._check(output.text)
        elif isinstance(output, signals.KeepOptOut):
            self.talk.put(signals.OptOutKept(self.talk.now))

    def _inputs(self, ask: signals.Ask, text: str) -> list[Any]:
        reader = TurnReader(ask.actions)
        return [*[known for part in _pieces(text) for known in reader.feed(part)], None]

    def _check(self, text: str) -> None:
        for number in self.streams:
            if f"{_mark(number)}." not in text:
                continue
            assert number not in self.void, "words of a request that was given up"
            said = sum(line.who == "lead" for line in self.talk.state.lines)
            assert said == self.lead_lines[number], "words on an older version than what they said since"
        assert not (self.interrupted and "zu" in text), "the model's words over theirs"

    def step(self, kind: str, value: Any) -> None:
        talk, now = self.talk, self.talk.now
        if kind == "final":
            self.interrupted = False
            talk.final(value)
        elif kind == "partial":
            talk.partial(value)
        elif kind == "onset":
            talk.onset(value)
        elif kind == "speaking":
            talk.put(signals.Speaking(now, value))
        elif kind == "interrupt":
            talk.put(signals.Interrupted(now, value))
            self.interrupted = talk.state.floor.interrupted
        elif kind == "piece":
            self._piece(value)
        elif kind == "result" and self.waiting:
            asked = self.waiting.pop(0)
            if value == "lost":
                talk.put(signals.NotPerformed(now, asked.id))
            else:
                talk.answer(asked, None if value == "yes" else Answer(allowed=False, rule="slot_taken", version=99))
        elif kind == "time":
            self._time(value)
        elif kind == "key":
            self.interrupted = False
            talk.put(signals.Key(now, value))
        elif kind == "line":
            made = {"lost": signals.Lost, "rejoined": signals.Rejoined, "paused": signals.Paused}.get(value)
            self.interrupted = self.interrupted and value == "human"
            talk.put(made(now) if made else signals.AnsweredBy(now, value))

    def _piece(self, back: int) -> None:
        """The next of what the newest request, or one ``back`` of it, is answered with."""
        numbers = [n for n in self.streams if self.streams[n]][-4:]
        if not numbers:
            return
        number = numbers[max(len(numbers) - 1 - back, 0)]
        known, now = self.streams[number].pop(0), self.talk.now
        if known is None:
            self.talk.put(signals.Finished(now, number))
        elif isinstance(known, Decision):
            self.talk.put(signals.Decided(now, number, known))
        else:
            self.talk.put(signals.Words(now, number, known))

    def _time(self, seconds: float) -> None:
        until = self.talk.now + timedelta(seconds=seconds)
        while (wake := self.talk.core.wake_at) is not None and wake <= until:
            self.talk.now = max(self.talk.now, wake)
            self.interrupted = False
            self.talk.put(signals.Tick(self.talk.now))
            after = self.talk.core.wake_at
            assert after is None or after > self.talk.now, "a tick that changes nothing"
        self.talk.now = until


@settings(max_examples=250)
@given(
    st.lists(_STEPS, max_size=40),
    st.lists(
        st.sampled_from(["say", "ask", "book", "offer_slots", "call_back", "decline", "end"]), min_size=1, max_size=5
    ),
)
def test_in_any_order_nothing_stale_is_said_and_it_ends(steps: Any, names: list[str]) -> None:
    run = Interleaved(names)
    for kind, value in steps:
        run.step(kind, value)
    run._time(playbook().call.longest.total_seconds() + 60)
    assert run.talk.core.over
    ended = run.talk.core.ended(run.talk.now)
    assert len(ended.moments) <= 56
    assert ended.at > NOW


def test_the_lead_s_ledger_is_asked_once_for_each_action() -> None:
    lead = Lead()
    talk = offered(lead=lead)
    talk.hear("the first one", partials=("the first", "the first one", "the first one"))
    assert acts(talk) == ["offer_slots", "book"]


# ---- what has to be heard first -----------------------------------------------------------------------------------------


def recorded() -> Talk:
    return Talk(brief(recording_notice=True))


def heard(talk: Talk) -> str:
    """What they have heard of us."""
    return " ".join(line.text for line in talk.state.lines if line.who == "agent")


@pytest.mark.parametrize("words", ["Sorry, go on.", "Hello?", "Who is this?", "Sure, go ahead, what is it?", "Yes."])
@pytest.mark.parametrize("upto", ["", "Hi Dana,", "Hi Dana, this is Juno, the automated assistant of Tallyhook. This"])
def test_who_calls_and_that_it_is_recorded_is_heard_whatever_they_say_into_it(words: str, upto: str) -> None:
    talk = recorded()
    talk.interrupt(upto, words)
    talk.finish_speech()
    asked_again = words == "Who is this?" and "Tallyhook" in upto
    assert heard(talk).count("the automated assistant of Tallyhook.") == (2 if asked_again else 1)
    assert heard(talk).count("This call is recorded.") == 1
    assert heard(talk).index("This call is recorded.") < heard(talk).index("?")


def test_who_calls_is_told_no_more_to_somebody_who_wants_none_of_it() -> None:
    talk = recorded()
    said = talk.interrupt("Hi Dana,", "Stop calling me.")
    assert "recorded" not in said


def test_the_line_that_was_lost_in_the_opening_hears_it_once() -> None:
    talk = recorded()
    talk.start_speech()
    talk.lose()
    talk.pass_time(1)
    said = talk.rejoin()
    assert said.count("This call is recorded.") == 1


def test_whoever_wants_us_to_go_on_hears_it_however_often_we_were_broken_off() -> None:
    talk = recorded()
    for _ in range(2):
        talk.interrupt("Hi Dana,")
        talk.onset(False)
        talk.pass_time(3)
    assert talk.interrupt("Hi Dana,", "Sorry, go on.").startswith("Hi Dana, this is Juno")


# ---- hello? -------------------------------------------------------------------------------------------------------------


def test_a_hello_into_our_opening_lets_it_go_on() -> None:
    talk = Talk()
    asked = len(talk.asks)
    talk.start_speech()
    talk.final("Hello?")
    assert (len(talk.asks), len(talk.spoken)) == (asked, 1), "it is the answer to that"
    assert talk.interrupt("Hi Dana,", "Hello? Hello?").startswith("Hi Dana, this is Juno")


def test_a_hello_after_our_question_hears_it_again_without_the_model() -> None:
    talk = Talk()
    said = talk.hear("Hello?")
    assert said.endswith("Is now a good moment?")
    assert not talk.asks


def test_a_hello_by_text_is_the_models_to_answer() -> None:
    talk = Talk(brief(channel="text"))
    talk.final("Hello")
    assert talk.asks
