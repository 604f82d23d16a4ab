"""What a lead makes of a refusal at the dispatch: it waits, closes or goes another way, and never tries in a loop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from temporalio.testing import TimeSkipper

from tests.stage import Stage, form, on_stage, playbook, submit
from tests.test_cost import phone_by_day
from tests.test_lead_workflow import lead_name
from tests.test_plan import World
from workflows import effects as fx
from workflows import events as ev
from workflows import permission, plan
from workflows.calling import Refusal
from workflows.lead import DueText, Lead
from workflows.refusals import OURS, purpose_of
from workflows.story import apply

BOOK = playbook()
NOON = datetime(2027, 3, 10, 20, 0, tzinfo=UTC)
UNKNOWN = Refusal(rule="do_not_call", reason="the national list: no lists are set up", at=NOON + timedelta(days=1), tries=3)


def fresh() -> Lead:
    lead = Lead(lead="lead-x", audience=BOOK.audience, playbook=BOOK.hash)
    return apply(lead, ev.FormSubmitted(at=NOON, form=form()))


def decided(state: Lead, at: datetime) -> tuple[Lead, plan.Step]:
    """The next step that touches the world or waits."""
    step = plan.next_step(state, BOOK, at)
    while isinstance(step, plan.Settle) and not state.closed:
        state = apply(state, step.event)
        step = plan.next_step(state, BOOK, at)
    return state, step


def refused(state: Lead, at: datetime, refusal: Refusal) -> tuple[Lead, plan.Step]:
    """The dial that is due meets ``refusal``; what comes then."""
    state, dial = decided(state, at)
    assert isinstance(dial, plan.Dial), dial
    event = ev.CallNotPlaced(at=at, attempt=dial.attempt, why=refusal.rule, refusal=refusal)
    return decided(apply(state, event), at)


def test_only_their_own_word_counts_as_heard_of() -> None:
    """The list exempts who asked within its days, and a number that was silent for long is looked up."""
    outbound, agreed = playbook("outbound"), NOON - timedelta(days=400)
    lead = Lead(lead="lead-x", audience=outbound.audience, playbook=outbound.hash)
    taken = ev.Consent(text="You may call me", version="v1", at=agreed, kind="written")
    imported = apply(lead, ev.FormSubmitted(at=NOON, form=form(consent=taken)))
    assert permission.contact(imported, outbound, "call").heard_at == agreed
    assert permission.contact(fresh(), BOOK, "call").heard_at == NOON
    missed = apply(fresh().but(pass_no=1), ev.RecoveryBegan(at=NOON + timedelta(days=80)))
    assert permission.contact(missed, BOOK, "call").heard_at == NOON


def test_a_refusal_with_a_time_is_waited_for_and_named() -> None:
    again = NOON + timedelta(hours=3)
    state, step = refused(fresh(), NOON, Refusal(rule="attempt_cap", reason="3 of 3 dials within 24 h", where="US-FL", at=again))
    assert isinstance(step, plan.Wait)
    assert (step.rule, step.until) == ("attempt_cap", again)
    entry = state.entries[-1]
    assert (entry.kind, entry.rule) == ("not_called", "attempt_cap")
    assert entry.text == "not dialled: 3 of 3 dials within 24 h (US-FL), until 2027-03-10 23:00 UTC"
    _, step = decided(state, again)
    assert isinstance(step, plan.Dial)
    assert step.attempt == "a2"


def test_a_refusal_for_good_closes_with_its_rule() -> None:
    state, _ = refused(fresh(), NOON, Refusal(rule="reassigned", reason="the number has gone to somebody else"))
    assert (state.disposition, state.closed_at) == ("no_way_to_contact", NOON)
    assert state.dials == 1
    assert not permission.contact(state, BOOK, "call").dials, "what was refused is no attempt"


def test_what_nobody_knows_is_looked_up_again_a_few_times() -> None:
    state, at = fresh(), NOON
    for day in range(1, 3):
        state, step = refused(state, at, UNKNOWN.model_copy(update={"at": at + timedelta(days=1)}))
        assert isinstance(step, plan.Wait)
        assert step.until == NOON + timedelta(days=day)
        at = step.until
    assert [(item.kind, item.about) for item in state.items] == [("not_looked_up", "call")], "a person is told once"
    asked_again = apply(state, ev.ReviewResolved(at=at, item=state.items[0].id, way="retry", by="ana"))
    assert isinstance(decided(asked_again, at)[1], plan.Dial)
    state, _ = refused(state, at, UNKNOWN)
    assert state.disposition == "no_way_to_contact"


def test_what_they_tell_us_since_counts_more() -> None:
    state, _ = refused(fresh(), NOON, UNKNOWN)
    later = NOON + timedelta(minutes=5)
    consent = ev.Consent(kind="written", at=later)
    state = apply(state, ev.FormSubmitted(at=later, form=form(submission_id="s2", consent=consent)))
    assert isinstance(decided(state, later)[1], plan.Dial)


def test_a_fault_of_ours_is_no_bar() -> None:
    state, step = refused(fresh(), NOON, Refusal(rule=OURS, reason="the rule file cannot be read"))
    assert not state.bars
    assert isinstance(step, plan.Wait)
    assert step.until
    assert step.until - NOON < timedelta(minutes=1)


@pytest.mark.parametrize(("touch", "purpose"), [
    ("cadence/1/3/text_1", "solicit"), ("due/confirmation/b1", "answer"), ("reminder/b1/0", "service"), ("news/1", "service"),
])  # fmt: skip
def test_what_a_text_is_to_the_rules(touch: str, purpose: str) -> None:
    assert purpose_of(touch) == purpose


def test_a_line_that_takes_no_texts_is_called_all_the_same() -> None:
    """Each text of the cadence is passed over, and what was to go with an answer goes by e-mail alone."""
    landline = Refusal(rule="line_type", reason="looked up: the number is of the kind fixed")
    state = fresh()
    touch = "cadence/1/1/text_1"
    state = apply(state, ev.TextNotSent(at=NOON, touch=touch, message="missed_call", why="line_type", refusal=landline))
    place = next(i for i, each in enumerate(BOOK.cadence.first) if each.channel == "text")
    step = plan.next_step(state.but(next_touch=place), BOOK, NOON)
    assert isinstance(step, plan.Settle)
    assert (step.event.kind, step.rule) == ("touch_passed", "line_type")
    due = state.but(due_texts=(DueText(key="due/confirmation/b1", message="confirmation"),))
    answered = ev.TextNotSent(
        at=NOON, touch="due/confirmation/b1", message="confirmation", why="line_type", refusal=landline, purpose="answer",
        mail=True,
    )  # fmt: skip
    after = apply(due, answered)
    assert not after.due_texts
    assert [mail.key for mail in after.due_mails] == ["due/confirmation/b1"]


def test_who_texted_us_is_not_looked_up_before_an_answer() -> None:
    """A landline that takes texts is none to a gate that knows better."""
    state = apply(fresh(), ev.MessageReceived(at=NOON, id="m1", text="what does it cost?"))
    assert permission.contact(state, BOOK, "text", "answer").for_dispatch.line == "mobile"
    assert permission.contact(state, BOOK, "call").line is None
    assert permission.contact(fresh(), BOOK, "text").line is None


class Refusing(World):
    """A gate that knows more than the lead, and refuses a good part of what is planned."""

    refusals = 0

    def dial(self, step: plan.Dial) -> None:
        if self.draw.random() < 0.5:
            self.take(ev.CallNotPlaced(at=self.now, attempt=step.attempt, why="x", refusal=self.refusal()))
        else:
            super().dial(step)

    def text(self, step: plan.Text) -> None:
        if self.draw.random() < 0.5:
            self.take(
                ev.TextNotSent(
                    at=self.now, touch=step.touch, message=step.message, why="x", refusal=self.refusal(),
                    purpose=purpose_of(step.touch),
                )
            )  # fmt: skip
        else:
            super().text(step)

    def refusal(self) -> Refusal:
        self.refusals += 1
        assert self.refusals < 80, "tried in a loop"
        rule = self.draw.choice(("attempt_cap", "calling_hours", "do_not_call", "reassigned", "line_type"))
        at = self.now + timedelta(minutes=self.draw.randrange(1, 5000)) if self.draw.random() < 0.8 else None
        unknown = at is not None and rule in ("do_not_call", "reassigned")
        return Refusal(rule=rule, reason=rule, at=at, tries=3 if unknown else 0)


@settings(max_examples=60)
@given(st.integers(0, 10**9), st.integers(0, 8))
def test_whatever_the_gate_says_the_story_ends_and_nothing_is_tried_in_a_loop(seed: int, surprises: int) -> None:
    world = Refusing(seed)
    world.run(surprises)
    assert world.state.closed
    assert world.sent_after_opt_out == 0


async def test_a_refused_dial_is_planned_anew_on_the_real_server(skipping: TimeSkipper) -> None:
    """It says which rule, waits until the rule lets go, and is dialled then, under an attempt of its own."""
    stage, name = Stage(), lead_name()
    asked: list[datetime] = []

    def gate(request: fx.PlaceCall) -> fx.Dispatched:
        assert request.contact is not None
        assert (request.contact.basis, request.contact.purpose, request.contact.phone) == ("asked", "solicit", "")
        asked.append(request.not_after)
        if len(asked) > 1:
            return fx.Dispatched(sid="CA1")
        cap = Refusal(rule="attempt_cap", reason="7 of 7 dials within 168 h", at=request.not_after + timedelta(hours=49))
        return fx.Dispatched(refused="attempt_cap", refusal=cap)

    stage.answers["place_call"] = gate
    stage.answers["find_call"] = lambda _: fx.FoundCall(sid="CA1", status="no-answer")
    async with on_stage(skipping.client, stage):
        handle = await submit(skipping.client, BOOK, lead=name, phone=phone_by_day())
        await handle.result()
    attempts = [request.attempt for request in stage.of("place_call")]
    assert attempts[:2] == ["a1", "a2"]
    assert asked[1] - asked[0] > timedelta(hours=48)
    told = [e for r in stage.of("reflect") for e in r.entries]
    assert [e.rule for e in told if e.kind == "not_called"] == ["attempt_cap"]
    assert any(e.kind == "waiting" and e.rule == "attempt_cap" for e in told)


def test_a_reminder_that_has_to_wait_holds_up_no_answer() -> None:
    at = NOON + timedelta(days=2)
    booking = ev.Booking(id="b1", rep="ana", rep_name="Ana", start=at + timedelta(hours=24), end=at + timedelta(hours=25))
    state = apply(fresh(), ev.MeetingBooked(at=NOON, request="", booking=booking)).but(due_texts=())
    state, step = decided(state, at)
    assert isinstance(step, plan.Text)
    later = Refusal(rule="reassigned", reason="a long silence", at=at + timedelta(hours=3))
    state = apply(state, ev.TextNotSent(at=at, touch=step.touch, message=step.message, why="reassigned", refusal=later, purpose="service"))
    waiting = plan.next_step(state, BOOK, at)
    assert isinstance(waiting, plan.Wait)
    assert waiting.until == later.at
    asked = state.but(due_texts=(DueText(key="due/link/r1", message="link"),))
    assert isinstance(plan.next_step(asked, BOOK, at), plan.Text)
