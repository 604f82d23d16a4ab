"""What may be done now, and what is done instead: every rule, evidence that grows, doubt that takes away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows import events as ev
from workflows.conversation import identity
from workflows.conversation.authority import RULES, TALK, WEIGHTS, authorize, for_a_person
from workflows.conversation.instead import next_best
from workflows.conversation.state import State
from workflows.playbook import Instead

from .talk import NOW, SLOTS, Lead, Talk, brief, playbook

KNOWN = {"use_case": "stock counts", "team_size": "20", "timeline": "quarter"}
MEETING = ev.Booking(id="b0", rep="ana", rep_name="Ana Torres", start=SLOTS[0].start, end=SLOTS[0].end)
ACTIONS: dict[str, ev.Action | str] = {
    "offer_slots": ev.OfferSlots(), "book": ev.Book(slot=SLOTS[1].id), "cancel": ev.Cancel(),
    "decline": ev.Decline(disposition="not_interested"), "refer": ev.Refer(name="Bo"), "call_back": ev.CallBack(),
    "attend": ev.Attend(how="late"), "confirm": ev.Confirm(), "send_link": ev.SendLink(), "task": ev.Task(what="SSO"), "hand_off": ev.HandOff(why="asked"), "opt_out": ev.OptOut(),
    **{name: name for name in TALK},
}  # fmt: skip


def state(words: str = "the second one, please", asked: str = "Which suits you best?", **told: Any) -> State:
    """Somebody who fits, to whom times were offered, and who has just said ``words``."""
    made = State.of(playbook(), brief(learned=KNOWN, **told), NOW)
    made.human, made.identified, made.version = True, True, 7
    made.offered = SLOTS
    made.lines = [ev.Line(who="agent", text=asked, at=NOW), ev.Line(who="lead", text=words, at=NOW)]
    return made


def but(change: Callable[[State], Any], **more: Any) -> State:
    made = state(**more)
    change(made)
    return made


# ---- the rules ----------------------------------------------------------------------------------------------------

YES = "Am I speaking with Dana?"
DENIED: dict[tuple[str, str], Callable[[], State]] = {
    ("any", "after_opt_out"): lambda: but(lambda s: setattr(s, "opted_out", True)),
    ("any", "nobody_there"): lambda: but(lambda s: setattr(s, "human", False)),
    ("offer_slots", "not_qualified"): lambda: but(lambda s: s.learned.pop("team_size")),
    ("book", "not_qualified"): lambda: but(lambda s: s.learned.update(team_size="1")),
    ("book", "slot_not_offered"): lambda: but(lambda s: setattr(s, "offered", SLOTS[:1])),
    ("book", "evidence"): lambda: state("hmm, well"),
    ("book", "identity"): lambda: state(booking=MEETING),
    ("cancel", "no_meeting"): lambda: state("cancel it"),
    ("cancel", "evidence"): lambda: state("is it long", booking=MEETING),
    ("cancel", "identity"): lambda: state("cancel it", booking=MEETING),
    ("reveal", "no_meeting"): lambda: state(),
    ("reveal", "identity"): lambda: state("when is it", booking=MEETING),
    ("decline", "meeting_stands"): lambda: state("not interested", asked=YES, booking=MEETING),
    ("decline", "evidence"): lambda: state("tell me more"),
    ("refer", "meeting_stands"): lambda: state("talk to Bo", booking=MEETING),
    ("send_link", "no_address"): lambda: state("text me the link", person=ev.Form(submission_id="f")),
    ("attend", "no_meeting"): lambda: state("running late"),
    ("confirm", "no_meeting"): lambda: state("yes"),
    ("confirm", "identity"): lambda: state("I'll be there", booking=MEETING),
    ("end", "still_open"): lambda: state("how long does it take"),
}  # fmt: skip
GRANTED: dict[str, Callable[[], State]] = {
    "offer_slots": lambda: state("what about tomorrow"),
    "book": state,
    "cancel": lambda: but(lambda s: _say(s, "cancel the meeting"), words="yes", asked=YES, booking=MEETING),
    "reveal": lambda: state("yes", asked=YES, booking=MEETING),
    "decline": lambda: state("I'm not interested"),
    "refer": lambda: state("you should talk to my colleague Bo"),
    "call_back": lambda: state("call me back tomorrow at ten"),
    "send_link": lambda: state("text me the link"),
    "attend": lambda: state("running late", booking=MEETING),
    "confirm": lambda: but(lambda s: _say(s, "I'll be there"), words="yes", asked=YES, booking=MEETING),
    "task": state,
    "end": lambda: state("that's all, goodbye"),
    "hand_off": lambda: state("whatever"),
    "opt_out": lambda: state("whatever"),
}


def _say(made: State, words: str, asked: str = "And?") -> None:
    made.lines.append(ev.Line(who="agent", text=asked, at=NOW))
    made.lines.append(ev.Line(who="lead", text=words, at=NOW))


CASES = sorted(
    (action, rule.name)
    for action, rules in RULES.items()
    for rule in rules
    if not rule.name.startswith("autonomy_") and rule.name not in ("not_shown", "callback_time")
    and not (rule.name == "evidence" and action in ("offer_slots", "refer", "call_back", "send_link", "task", "reveal"))
)  # fmt: skip


@pytest.mark.parametrize(("action", "rule"), CASES)
def test_every_rule_denies_where_it_should(action: str, rule: str) -> None:
    made = (DENIED.get((action, rule)) or DENIED["any", rule])()
    verdict = authorize(made, ACTIONS[action])
    assert (verdict.allowed, verdict.rule) == (False, rule), verdict
    assert verdict.detail


@pytest.mark.parametrize("action", sorted(GRANTED))
def test_and_lets_through_what_is_plain(action: str) -> None:
    verdict = authorize(GRANTED[action](), ACTIONS[action])
    assert verdict.allowed, verdict


@pytest.mark.parametrize(
    ("action", "rule"),
    [
        (ev.Decline(disposition="not_fit"), "not_shown"),
        (ev.CallBack(at=NOW - timedelta(hours=1)), "callback_time"),
        (ev.CallBack(at=NOW + timedelta(days=4000)), "callback_time"),
    ],
)
def test_no_claim_of_the_model_s_makes_somebody_unfit_or_a_call_absurd(action: ev.Action, rule: str) -> None:
    assert authorize(state("call me back"), action).rule == rule


def test_not_fit_rests_on_the_criteria_and_their_source() -> None:
    made = but(lambda s: s.learned.update(team_size="1"), words="maybe, I guess")
    verdict = authorize(made, ev.Decline(disposition="not_fit"))
    assert verdict.allowed
    assert verdict.evidence == ("team size is 1, wanted at least 3 (said)",)


@pytest.mark.parametrize("autonomy", ["observe", "propose"])
@pytest.mark.parametrize("action", sorted(set(WEIGHTS)))
def test_autonomy_is_asked_last_and_leaves_to_a_person_only_what_is_authorised(action: str, autonomy: str) -> None:
    made = GRANTED[action]()
    made.playbook = made.playbook.model_copy(update={"autonomy": {action: autonomy}})
    verdict = authorize(made, ACTIONS[action])
    assert (verdict.allowed, verdict.rule) == (False, f"autonomy_{autonomy}")
    assert for_a_person(verdict)
    made.opted_out = True
    assert not for_a_person(authorize(made, ACTIONS[action]))


# ---- the evidence -------------------------------------------------------------------------------------------------

signs = st.lists(
    st.builds(
        ev.Sign,
        sign=st.sampled_from(("commitment", "confirmation", "denial", "hesitation", "concern")),
        quote=st.sampled_from(("sure", "no", "maybe", "let's do it", "the second one, please", "")),
        strength=st.floats(0, 1),
    ),
    max_size=12,
)
FOR = {"book": "commitment", "offer_slots": "confirmation", "decline": "denial", "cancel": "denial"}


@settings(max_examples=60)
@given(st.sampled_from(sorted(FOR)), signs, st.floats(0, 1), st.booleans())
def test_what_speaks_for_an_action_never_makes_it_weaker(
    action: str, given_: list[ev.Sign], strength: float, doubtful: bool
) -> None:
    made = GRANTED[action]()
    made.signs, made.doubt = given_, 0.9 if doubtful else 0.0
    before = authorize(made, ACTIONS[action])
    made.signs = [*given_, ev.Sign(sign=FOR[action], quote="yet another", strength=strength)]  # type: ignore[arg-type]
    after = authorize(made, ACTIONS[action])
    assert before.value is not None
    assert after.value is not None
    assert 0 <= before.value <= after.value <= 1
    assert after.allowed >= before.allowed


@settings(max_examples=60)
@given(st.sampled_from(sorted(WEIGHTS)), signs, st.sampled_from(("heard", "hesitated", "concern", "both")))
def test_doubt_never_makes_an_action_stronger(action: str, given_: list[ev.Sign], doubt: str) -> None:
    made = GRANTED[action]()
    made.signs = given_
    before = authorize(made, ACTIONS[action])
    if doubt == "heard":
        made.doubt = 0.95
    elif doubt == "hesitated" and action != "call_back":
        made.signs = [*given_, ev.Sign(sign="hesitation", quote="hmm", strength=0.9)]
    elif doubt == "concern":
        made.concerns = {"price": ev.Concern(name="price", status="open", strength=0.9)}
    elif doubt == "both":
        words = made.last_words
        made.signs = [
            *given_,
            ev.Sign(sign="denial", quote=words, strength=0),
            ev.Sign(sign="confirmation", quote=words, strength=0),
        ]
    after = authorize(made, ACTIONS[action])
    assert before.value is not None
    assert after.value is not None
    assert after.value <= before.value
    assert after.allowed <= before.allowed


WANTED = (
    ev.Sign(sign="commitment", quote="I really want this", strength=0.95),
    ev.Sign(sign="commitment", quote="that would help us a lot", strength=0.75),
)


def test_a_hesitating_choice_is_carried_by_what_else_speaks_for_it() -> None:
    made = but(lambda s: setattr(s, "identified", False), words="the second one, I guess")
    values = []
    for spoken in range(len(WANTED) + 1):
        made.signs = list(WANTED[:spoken])
        verdict = authorize(made, ev.Book(slot=SLOTS[1].id))
        assert "hesitates -0.30" in verdict.detail
        values.append((verdict.allowed, verdict.value or 0.0))
    assert [allowed for allowed, _ in values] == [False, True, True]
    assert values == sorted(values, key=lambda each: each[1])
    assert len({value for _, value in values}) == len(values), "each says a little more than those before it"


def test_a_hesitating_yes_says_no_time_so_it_is_asked_again_whatever_was_said_before() -> None:
    made = but(lambda s: setattr(s, "offered", SLOTS[:1]), words="yes, I guess so")
    alone = authorize(made, ev.Book(slot=SLOTS[0].id))
    made.signs = list(WANTED)
    borne_out = authorize(made, ev.Book(slot=SLOTS[0].id))
    assert (alone.allowed, borne_out.allowed) == (False, False)
    assert (alone.value or 0) < (borne_out.value or 0) < borne_out.threshold

    talk = Talk(brief(learned=KNOWN, signs=WANTED, offered=SLOTS[:1], node="booking", talked_before=True))
    asked = talk.hear("Yeah, I guess so.")
    assert talk.lead.acts == []
    assert "10 AM" in asked
    talk.hear("Yes, please do.")
    assert [a.kind for a in talk.lead.acts] == ["book"]


def test_no_enthusiasm_says_which_time_was_meant() -> None:
    made = but(
        lambda s: setattr(s, "signs", [ev.Sign(sign="commitment", quote="great", strength=1.0)] * 9), words="yes!"
    )
    verdict = authorize(made, ev.Book(slot=SLOTS[1].id))
    assert (verdict.allowed, verdict.rule) == (False, "evidence")


@settings(max_examples=80)
@given(st.sampled_from(("opt_out", "hand_off")), st.text(max_size=60), st.booleans(), st.floats(0, 1), st.booleans())
def test_to_be_left_alone_and_to_have_a_person_is_refused_to_nobody(
    action: str, words: str, human: bool, doubt: float, booked: bool
) -> None:
    made = state(words, booking=MEETING if booked else None)
    made.human, made.doubt = human, doubt
    made.playbook = made.playbook.model_copy(update={"autonomy": {"opt_out": "observe", "hand_off": "propose"}})
    assert authorize(made, ACTIONS[action]).allowed


def test_a_verdict_is_one_whole_record() -> None:
    verdict = authorize(state(), ev.Book(slot=SLOTS[1].id), ("the second one",))
    assert (verdict.action, verdict.allowed, verdict.rule, verdict.threshold) == ("book", True, "evidence", 0.6)
    assert (verdict.version, verdict.at) == (7, NOW)
    assert verdict.evidence == ("the second one, please", "the second one")
    assert verdict.value is not None
    assert verdict.value > 0.6
    assert verdict.detail.startswith("asked 1.00, borne out")


# ---- whom we speak with -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("passed", "asked", "words", "opening"),
    [
        (True, "Hi Dana, this is Juno. Is now a good moment?", "Yes, go ahead.", "outreach"),
        (False, "Hi Dana, this is Juno. Is now a good moment?", "Who is this?", "outreach"),
        (False, "Hi Dana, thanks for calling. How can I help you?", "Yes, hi, cancel my demo.", "inbound"),
        (True, "Thanks for calling. Am I speaking with Dana?", "Yes, speaking.", "inbound"),
        (True, "Thanks for calling. How can I help you?", "Hi, this is Dana, about my demo.", "inbound"),
        (True, "Hello?", "dana here", "inbound"),
        (True, "Who am I speaking with?", "It's Daná Reyes.", "inbound"),
        (False, "Am I speaking with Dana?", "No, this is Bob, her colleague.", "inbound"),
        (False, "Am I speaking with Dana?", "This is Dana's husband.", "inbound"),
        (False, "Am I speaking with Dana?", "I'm driving.", "outreach"),
        (False, "Am I speaking with Dana?", "You have the wrong number.", "outreach"),
        (False, "Dana is free, isn't that great. Is now a good moment?", "Yes", "inbound"),
    ],
)
def test_the_identity_is_passed_by_the_name_alone(passed: bool, asked: str, words: str, opening: str) -> None:
    made = state(words, asked, booking=MEETING, opening=opening)
    assert identity.passed(made) == passed
    assert (identity.tellable(made) is not None) == passed
    assert ("10 AM" in made.words("{time}")) == passed


def test_another_voice_takes_the_identity_away_again() -> None:
    made = state("Yes", "Am I speaking with Dana?", booking=MEETING)
    assert identity.passed(made)
    _say(made, "Hold on. Hello, this is Mark, her manager.")
    assert not identity.passed(made)
    _say(made, "Dana speaking again.")
    assert identity.passed(made)


def test_who_gave_another_name_has_to_say_outright_that_they_are_the_one() -> None:
    made = state("Hello, this is Kim.", "Am I speaking with Dana?", booking=MEETING)
    for words, passes in (("Ah, right.", False), ("Okay.", False), ("Yes, this is she.", True)):
        _say(made, words, "Just to be sure, am I speaking with Dana?")
        assert identity.passed(made) == passes, words


def test_a_thread_of_texts_goes_to_their_own_number_and_a_meeting_of_this_talk_is_theirs() -> None:
    assert identity.may_tell(state("hi", booking=MEETING, channel="text"))
    made = state("hi")
    made.booking = MEETING
    assert identity.may_tell(made)


RINGS = {"booking": MEETING, "opening": "inbound", "node": "reschedule", "attempt": "in-CA1"}


def test_who_rings_about_a_meeting_says_who_they_are_and_then_has_their_wish() -> None:
    talk = Talk(brief(**RINGS))
    assert "speaking with Dana" in talk.last
    assert "10 AM" not in talk.last
    said = talk.hear("I want to cancel the meeting.")
    assert "speaking with Dana" in said
    assert talk.lead.acts == []
    assert talk.state.verdicts[-1].rule == "identity"
    said = talk.hear("Yes, that's me.")
    assert [a.kind for a in talk.lead.acts] == ["cancel"]
    assert "cancelled" in said
    assert talk.state.verdicts[-1].evidence[0] == "I want to cancel the meeting."


def test_who_changes_their_mind_while_saying_their_name_has_the_new_wish() -> None:
    talk = Talk(brief(**RINGS))
    talk.hear("I want to cancel the meeting.")
    talk.hear("Yes, but actually, move it to another time please.")
    assert "cancel" not in [a.kind for a in talk.lead.acts]


def test_a_stranger_is_told_nothing_and_the_link_goes_to_the_number_on_record() -> None:
    talk = Talk(brief(**RINGS), lead=Lead())
    talk.hear("Cancel the meeting, please.")
    talk.hear("Cancel it, please.")
    talk.hear("Just cancel it, will you.")
    assert {a.kind for a in talk.lead.acts} <= {"send_link", "hand_off"}
    assert talk.lead.acts
    assert not any("10 AM" in said or "Ana Torres" in said for said in talk.spoken)


# ---- instead ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "rule"), [*CASES, ("book", "autonomy_propose"), ("book", "autonomy_observe")])
def test_every_denial_leads_somewhere_and_in_the_end_to_a_person(action: str, rule: str) -> None:
    made = (DENIED.get((action, rule)) or DENIED.get(("any", rule)) or state)()
    denial = ev.Verdict(action=action, allowed=False, rule=rule, version=1, at=NOW)
    ways: list[str] = []
    for _ in range(4):
        made.verdicts.append(denial)
        best = next_best(made, denial)
        assert best.words or best.question or best.action
        assert "{" not in best.words
        assert "10 AM" not in best.words or rule not in ("identity",)
        ways.append(best.do)
    assert set(ways) <= set(get_args(Instead))
    chain = made.playbook.instead.get(f"{action}.{rule}") or made.playbook.instead.get(rule)
    if chain is None or "person" in chain:
        assert ways[-1] == "person"


def test_the_playbook_chooses_what_is_done_instead() -> None:
    made = DENIED["book", "evidence"]()
    made.playbook = made.playbook.model_copy(update={"instead": {"book.evidence": ("link",)}})
    denial = authorize(made, ev.Book(slot=SLOTS[1].id))
    made.verdicts.append(denial)
    assert next_best(made, denial).action == ev.SendLink()
