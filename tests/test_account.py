"""Touches due and touches made, over random histories: none goes missing without its rule, none is made twice, and no
callback that was promised is forgotten without a word."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stage import form
from tests.test_plan import BOOK, START, World
from workflows import events as ev
from workflows import plan
from workflows.account import account
from workflows.brief import view
from workflows.cadence import LEFT_OUT, place, touches
from workflows.lead import Lead, touch_of
from workflows.playbook import AfterHours, Engaged, Playbook, Reaction, register
from workflows.story import apply

OURS = ("cadence/", "redial/", "callback/", "after_hours/")
"""What we start of our own accord, or because we promised it."""


class Watched(World):
    """Sees to it that no touch of the cadence is begun that is known to have gone out, none too soon after another, and
    none once there is a meeting."""

    declined = False
    promises = 0

    def take(self, event: ev.Event) -> None:
        self.declined |= isinstance(event, ev.ActionAsked) and event.action.kind == "decline"
        if isinstance(event, ev.DialQueued | ev.TextSent) and place(event.touch):
            began = self.state.life_began or START - timedelta(days=1)
            made = [t for t in self.state.touches if event.touch in (t.touch, t.attempt) and t.at >= began]
            assert all(t.outcome.startswith("not ") for t in made), event
        if isinstance(event, ev.DialQueued | ev.TextSent) and event.touch.startswith(OURS):
            self.begun(event)
        before = self.state
        super().take(event)
        if before.callback_at and self.state.callback_at != before.callback_at:
            self.promises += 1
            assert self.called(event) or self.explained(), f"a promise was dropped by {event}"

    def begun(self, event: ev.DialQueued | ev.TextSent) -> None:
        """A touch that we start keeps the least gap from every other, and is over with the goal."""
        went_out = [t.at for t in self.state.touches if t.touch != "inbound" and not t.outcome.startswith("not ")]
        assert not went_out or event.at >= max(went_out) + self.book.cadence.min_gap, event
        assert self.state.booking is None
        assert not self.state.closed

    def surprise(self) -> None:
        """Now and then they ask to be called at a time of theirs."""
        if self.draw.random() < 0.4:
            at = self.now + timedelta(minutes=self.draw.randrange(1, 60 * 30))
            return self.ask(ev.CallBack(at=at))
        return super().surprise()

    def called(self, event: ev.Event) -> bool:
        """Whether the callback was made: the carrier had it, or nobody knows."""
        touch = touch_of(self.state, getattr(event, "attempt", ""))
        return touch is not None and touch.touch.startswith("callback/") and not touch.outcome.startswith("not ")

    def explained(self) -> bool:
        told = [e for e in self.state.entries if e.version == self.state.version]
        return any(e.rule for e in told if e.kind in ("callback_off", "touch_passed", "not_called"))


def every_wish() -> Playbook:
    """The inbound playbook with all that a cadence can ask for."""
    calls = {"call_2": {"part": "other"}, "call_3": {"day": 3, "days": ("tue", "wed", "thu")}, "call_4": {"part": "evening"}}
    cadence = BOOK.cadence.model_copy(update={
        "first": tuple(t.model_copy(update=calls.get(t.name, {})) for t in BOOK.cadence.first),
        "texting": timedelta(minutes=10), "engaged": Engaged(after=timedelta(minutes=20), channel="call"),
        "outcomes": {
            "busy": Reaction(again=timedelta(minutes=10), times=2), "failed": Reaction(skip=("text",)),
            "refused": Reaction(skip=("call",)),
        },
        "after_hours": AfterHours(message="question", wait=timedelta(minutes=30)), "opening_spread": timedelta(minutes=5),
    })  # fmt: skip
    made = BOOK.model_copy(update={"cadence": cadence})
    register([made])
    return made


FULL = every_wish()


def lived(seed: int, surprises: int, book: Playbook = BOOK) -> Watched:
    world = Watched(seed, book)
    world.run(surprises)
    return world


@settings(max_examples=50)
@given(st.integers(0, 10**9), st.integers(0, 12))
def test_each_touch_that_the_playbook_lists_is_made_once_or_its_rule_is_named(seed: int, surprises: int) -> None:
    book = (BOOK, FULL)[seed % 2]
    state = lived(seed, surprises, book).state
    told = account(state, book)
    listed = [t.name for n in range(1, state.pass_no + 1) for t in touches(book, n > 1)]
    assert [each.touch for each in told] == listed
    for each in told:
        assert (each.at is None) == bool(each.rule), each
        assert each.rule not in ("later", "playbook_moved"), each
    assert {each.rule for each in told} & {"reached", "texted_back"} <= set(LEFT_OUT)


@settings(max_examples=50)
@given(st.integers(0, 10**9), st.integers(0, 12))
def test_a_lead_closes_by_goal_refusal_rule_or_exhaustion_alone(seed: int, surprises: int) -> None:
    book = (BOOK, FULL)[seed % 2]
    world = lived(seed, surprises, book)
    state = world.state
    told = [each for each in account(state, book) if each.pass_no == state.pass_no]
    match state.disposition:
        case "showed":
            assert state.attendance
            assert state.attendance.present
        case "unknown":  # the goal was booked, and nobody said in the playbook's time who came
            assert state.unknown
        case "unresponsive":
            assert state.pass_kind == "first"
            assert all(each.at or each.rule in {*LEFT_OUT, "refused"} for each in told), told
        case "no_show":
            exhausted = all(each.at or each.rule in {*LEFT_OUT, "refused"} for each in told)
            assert exhausted or state.pass_no == BOOK.cadence.passes, told
        case "no_way_to_contact":
            assert state.reason
        case "opted_out":
            assert state.opted_out_at
        case refusal:
            assert refusal == "not_interested"
            assert world.declined


def test_the_random_histories_hold_promises_that_are_kept_or_explained() -> None:
    assert sum(lived(seed, 6).promises for seed in range(20)) > 10


def test_a_touch_that_is_left_out_costs_no_other_its_turn() -> None:
    """Whoever was reached gets no text of a missed call, and the next call once."""
    state = Lead(lead="lead-x", audience=BOOK.audience, playbook=BOOK.hash)
    now = START
    state = apply(state, ev.FormSubmitted(at=now, form=form()))
    for number in range(1, 4):
        step = plan.next_step(state, BOOK, now)
        while not isinstance(step, plan.Dial):
            if isinstance(step, plan.Settle):
                state = apply(state, step.event)
            else:
                assert isinstance(step, plan.Wait)
                assert step.until
                now = step.until
            step = plan.next_step(state, BOOK, now)
        assert step.touch.endswith(f"call_{number}")
        for event in (
            ev.CallPlaced(at=now, attempt=step.attempt, sid=f"CA{number}"),
            ev.CallConnected(at=now, attempt=step.attempt, sid=f"CA{number}"),
            ev.ConversationEnded(at=now, attempt=step.attempt, outcome="talked"),
            ev.CallEnded(at=now, attempt=step.attempt, sid=f"CA{number}", status="completed"),
        ):
            state = apply(state, event)
    assert state.passed == {"cadence/1/1/text_1": "reached"}
    assert [e.text for e in state.entries if e.kind == "touch_passed"] == ["text 1 is left out: they were reached by then"]
    told = view(state, BOOK, plan.next_step(state, BOOK, now)).account
    assert [(each.touch, each.rule) for each in told[:5]] == [
        ("call_1", ""), ("text_1", "reached"), ("call_2", ""), ("call_3", ""), ("text_2", "cadence"),
    ]  # fmt: skip
    assert told[4].due
    assert told[5].rule == "later"


def test_what_nobody_can_be_reached_by_is_said_once_and_accounted_touch_by_touch() -> None:
    """Ten touches by phone and text are one line of the story of somebody who left an address alone."""
    state = apply(Lead(lead="lead-1", audience=BOOK.audience, playbook=BOOK.hash), ev.FormSubmitted(at=START, form=form(phone="", phone_hash="")))
    now = START
    for _ in range(200):
        step = plan.next_step(state, BOOK, now)
        if isinstance(step, plan.Settle):
            state = apply(state, step.event)
        elif isinstance(step, plan.Wait) and step.until and not state.closed:
            now = step.until
        else:
            break
        for mail in state.due_mails:
            state = apply(state, ev.MailSent(at=now, touch=mail.key, message=mail.message))
    by_phone = [touch for touch in touches(BOOK, recovery=False) if touch.channel != "email"]
    assert list(state.passed.values()).count("no_number") == len(by_phone) > 5
    told = [entry.text for entry in state.entries if entry.rule == "no_number"]
    assert told == ["calls and texts are left out: there is no phone number"]
    rules = {each.touch: each.rule for each in view(state, BOOK, None).account}
    assert {rules[touch.name] for touch in by_phone} == {"no_number"}
