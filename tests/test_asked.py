"""What is asked of a lead: judged again on the durable state, left to a person, approved, rejected, dropped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from temporalio.client import Client
from temporalio.testing import TimeSkipper

from tests.stage import Stage, form, on_stage, playbook, submit
from tests.test_lead_workflow import at_any_hour, lead_name, now, until, update, view
from workflows import events as ev
from workflows import messages as ms
from workflows import plan
from workflows.brief import view as seen_by_people
from workflows.lead import Lead
from workflows.playbook import Autonomy, Playbook, register
from workflows.reflection import is_due, reflection
from workflows.story import apply

START = datetime(2027, 3, 10, 17, 0, tzinfo=UTC)
SLOT = ev.Slot(
    id="ana@2027-03-11T17:00:00+00:00", rep="ana", start=START + timedelta(days=1), end=START + timedelta(days=1, minutes=30)
)  # fmt: skip
LATER = SLOT.model_copy(
    update={"id": "ana@x", "start": SLOT.start + timedelta(hours=1), "end": SLOT.end + timedelta(hours=1)}
)
GROUNDS = ev.Verdict(
    action="book", allowed=False, rule="autonomy_propose", threshold=0.6, value=0.9, evidence=("the second one, please",),
    version=9, at=START,
)  # fmt: skip


@cache
def leaving(autonomy: Autonomy, *actions: str) -> Playbook:
    """The playbook with ``actions`` left to a person."""
    known = playbook()
    book = known.model_copy(update={"autonomy": {**known.autonomy, **dict.fromkeys(actions, autonomy)}})
    register([book])
    return book


BOOK = playbook()


class Case:
    """One lead in a call, with times offered; the loop of the workflow without Temporal."""

    def __init__(self, book: Playbook) -> None:
        self.book, self.now = book, START
        self.state = Lead(lead="lead-x", audience=book.audience, playbook=book.hash)
        self.effects: list[plan.Step] = []
        self.take(ev.FormSubmitted(at=START, form=form()))
        self.take(ev.DialQueued(at=START, attempt="a1", touch="cadence/1/0/call_1"))
        self.take(ev.CallPlaced(at=START, attempt="a1", sid="CA1"))
        self.take(ev.CallConnected(at=START, attempt="a1", sid="CA1"))
        self.take(ev.ActionAsked(at=START, id="a1:1", action=ev.OfferSlots(), by="agent", attempt="a1"))
        self.run()

    def take(self, event: ev.Event) -> None:
        self.state = apply(self.state, event)

    def run(self) -> plan.Step:
        """Until there is nothing to do now."""
        for _ in range(60):
            step = plan.next_step(self.state, self.book, self.now)
            match step:
                case plan.Settle():
                    self.take(step.event)
                    continue
                case plan.FindTimes():
                    self.take(ev.SlotsFound(at=self.now, request=step.request.id, slots=(SLOT, LATER)))
                case plan.MakeBooking():
                    slot = step.slot
                    booking = ev.Booking(
                        id=f"b{len(self.effects)}", rep=slot.rep, rep_name="Ana", start=slot.start, end=slot.end
                    )
                    self.take(ev.MeetingBooked(at=self.now, request=step.request.id, booking=booking))
                case plan.Unbook():
                    self.take(ev.MeetingCancelled(at=self.now, request=step.request.id, booking=step.booking.id))
                case plan.Text():
                    self.take(ev.TextSent(at=self.now, touch=step.touch, message=step.message))
                case plan.KeepOptOut():
                    self.take(ev.OptOutKept(at=self.now))
                case _:
                    return step
            self.effects.append(step)
        raise AssertionError(f"no end: {step}")

    def ask(self, action: ev.Action, request: str = "a1:2", **more: Any) -> ms.Answer:
        """What the call gets as its answer."""
        more = {"by": "agent", "attempt": "a1", "verdict": GROUNDS, **more}
        self.take(ev.ActionAsked(at=self.now, id=request, action=action, **more))
        self.run()
        return self.state.answers[request]

    def hang_up(self) -> None:
        self.take(ev.ConversationEnded(at=self.now, attempt="a1"))
        self.take(ev.CallEnded(at=self.now, attempt="a1", sid="CA1", status="completed"))
        self.run()

    def decide(self, approved: bool, by: str = "ana", request: str = "a1:2") -> None:
        self.take(ev.ActionDecided(at=self.now, request=request, approved=approved, by=by, text="help_on_the_way"))
        self.run()

    @property
    def texts(self) -> list[str]:
        return [t.touch for t in self.state.touches if t.channel == "text"]

    @property
    def told(self) -> list[str]:
        """Titles of the cards that are owed, each of which is a task as well."""
        tasks = [o.todo.title for o in self.state.owed if o.todo]
        assert set(tasks) <= {o.card.title for o in self.state.owed if o.card}
        return tasks


def call(autonomy: Autonomy, *actions: str) -> Case:
    return Case(leaving(autonomy, *actions))


# ---- observe ------------------------------------------------------------------------------------------------------


def test_observe_does_nothing_and_tells_a_person_what_would_have_been_done_and_why() -> None:
    case = call("observe", "book")
    answer = case.ask(ev.Book(slot=SLOT.id), verdict=GROUNDS.model_copy(update={"rule": "autonomy_observe"}))
    assert (answer.allowed, answer.rule) == (False, "autonomy_observe")
    assert case.state.booking is None
    assert case.told == ["Yours to do for Dana Reyes: book Thu Mar 11, 9:00 AM PST with ana"]
    (card,) = [o.card for o in case.state.owed if o.card]
    assert "“the second one, please”" in card.lines
    assert "Evidence 0.90 of 0.60 needed" in card.lines
    again = case.ask(ev.Book(slot=SLOT.id))
    assert again == answer
    assert len(case.told) == 1


# ---- propose ------------------------------------------------------------------------------------------------------


def test_propose_waits_for_a_person_and_is_done_when_one_approves() -> None:
    case = call("propose", "book")
    answer = case.ask(ev.Book(slot=SLOT.id))
    assert (answer.allowed, answer.rule) == (False, "autonomy_propose")
    assert (case.state.booking, case.state.review) == (None, "approval")
    assert case.told[0].startswith("Approve for Dana Reyes? Book Thu Mar 11, 9:00 AM PST with ana")
    assert is_due(case.state), "a rep is told while the call still goes on"
    shown = seen_by_people(case.state, case.book, None).approvals
    assert [(w.request, w.words, w.evidence) for w in shown] == [
        ("a1:2", "book Thu Mar 11, 9:00 AM PST with ana", ("the second one, please",))
    ]
    # Other times are offered meanwhile; the approved one is still known.
    case.take(ev.SlotsFound(at=case.now, request="", slots=(LATER,)))
    case.hang_up()
    step = case.run()
    assert (step.rule, getattr(step, "until", None)) == ("approval", START + case.book.call.approval)
    case.now += timedelta(minutes=5)
    case.decide(True)
    assert case.state.booking is not None
    assert case.state.booking.start == SLOT.start
    assert case.texts == ["confirmation"]
    assert (case.state.approvals, case.state.review) == ((), "")
    assert case.state.answers["a1:2:approved"].allowed
    case.decide(True)
    assert case.state.bookings == 1


@pytest.mark.parametrize("by", ["ana", ""])
def test_what_is_rejected_or_not_approved_in_time_is_dropped_and_said(by: str) -> None:
    case = call("propose", "book")
    case.ask(ev.Book(slot=SLOT.id))
    case.hang_up()
    if by:
        case.decide(False, by)
    else:
        case.now = START + case.book.call.approval
        case.run()
    assert case.state.booking is None
    assert case.state.approvals == ()
    assert case.texts == ["help_on_the_way"]
    assert case.told[-1] == "Not done for Dana Reyes: book Thu Mar 11, 9:00 AM PST with ana"
    assert case.state.review == "not_approved"
    case.decide(True)
    assert case.state.booking is None, "too late"


def test_an_approval_is_judged_again_as_things_stand_then() -> None:
    opted_out, moved = call("propose", "book"), call("propose", "book")
    opted_out.ask(ev.Book(slot=SLOT.id))
    opted_out.hang_up()
    opted_out.take(ev.MessageReceived(at=START, id="m1", text="STOP"))
    opted_out.decide(True)
    assert opted_out.state.booking is None
    assert opted_out.state.answers["a1:2:approved"].rule == "opted_out"

    moved.ask(ev.Book(slot=SLOT.id))
    moved.take(ev.ActionAsked(at=START, id="page", action=ev.Book(slot=LATER.id), by="page"))
    moved.run()
    moved.decide(True)
    assert moved.state.booking is not None
    assert moved.state.booking.start == LATER.start, "they booked by themselves meanwhile"
    assert moved.state.answers["a1:2:approved"].rule == "stale_version"


@pytest.mark.parametrize(
    ("action", "effect"),
    [
        (ev.Cancel(), lambda s: s.booking is None),
        (ev.SendLink(), lambda s: "due/link/a1:2:approved" in [t.attempt for t in s.touches]),
        (ev.OfferSlots(), lambda s: "due/link/a1:2:approved" in [t.attempt for t in s.touches]),
        (ev.CallBack(at=START + timedelta(days=2)), lambda s: s.callback_at == START + timedelta(days=2)),
        (ev.Decline(disposition="not_interested"), lambda s: s.disposition == "not_interested"),
        (ev.Refer(name="Bo"), lambda s: s.disposition == "wrong_person"),
        (ev.Task(what="SSO"), lambda s: any(o.todo and "SSO" in o.todo.title for o in s.owed)),
    ],
)
def test_every_action_can_wait_and_is_performed_on_approval(action: ev.Action, effect: Any) -> None:
    case = call("propose", action.kind)
    if action.kind == "cancel":
        case.take(ev.ActionAsked(at=START, id="page", action=ev.Book(slot=SLOT.id), by="page"))
        case.run()
    answer = case.ask(action, verdict=None)
    assert (answer.allowed, answer.rule) == (False, "autonomy_propose")
    assert not effect(case.state)
    case.hang_up()
    case.decide(True)
    assert effect(case.state)


@pytest.mark.parametrize("autonomy", ["observe", "propose"])
def test_nobody_s_approval_is_needed_to_be_left_alone_or_to_have_a_person(autonomy: Autonomy) -> None:
    case = call(autonomy, "hand_off", "opt_out")
    assert case.ask(ev.HandOff(why="asked for one")).allowed
    assert case.ask(ev.OptOut(), "a1:3").allowed
    assert case.state.opt_out_kept


@settings(max_examples=80)
@given(st.sampled_from(("act", "observe", "propose")), st.lists(st.sampled_from("yn.hbo"), max_size=8))
def test_nothing_left_to_a_person_is_ever_done_without_one(autonomy: Autonomy, doings: list[str]) -> None:
    """y: approved, n: rejected, .: time passes, h: the call is over, b: the agent asks to book, o: other times."""
    case = call(autonomy, "book")
    asked = approved = 0
    for doing in doings:
        if doing == "b" and case.state.booking is None:
            asked += 1
            case.ask(ev.Book(slot=case.state.offered[0].id), f"a1:b{asked}")
        elif doing in "yn" and case.state.approvals:
            approved += doing == "y"
            case.decide(doing == "y", request=case.state.approvals[0].request.id)
        elif doing == ".":
            case.now += timedelta(minutes=20)
        elif doing == "o":
            case.take(ev.SlotsFound(at=case.now, request="", slots=(LATER, SLOT)))
        elif doing == "h" and case.state.call:
            case.hang_up()
        case.run()
        assert all(a.until > case.now for a in case.state.approvals)
    if autonomy != "act":
        assert case.state.bookings <= approved
    if autonomy == "observe":
        assert case.state.approvals == ()
        assert case.state.bookings == 0


# ---- what the durable state denies --------------------------------------------------------------------------------


def booked(case: Case) -> Case:
    case.take(ev.ActionAsked(at=START, id="page", action=ev.Book(slot=SLOT.id), by="page"))
    case.run()
    return case


@pytest.mark.parametrize(
    ("rule", "action", "more"),
    [
        ("slot_not_offered", ev.Book(slot="ana@=2027-03-11T18:00:00+00:00"), {}),
        ("slot_not_offered", ev.Book(slot="ana@=never"), {"by": "ops"}),
        ("same_time", ev.Book(slot=f"{SLOT.rep}@={SLOT.start.isoformat()}"), {"by": "ops"}),
        ("meeting_stands", ev.Decline(disposition="not_interested"), {}),
        ("meeting_stands", ev.Refer(name="Bo"), {}),
        ("callback_time", ev.CallBack(at=START + timedelta(days=4000)), {}),
        ("identity", ev.Cancel(), {"verdict": GROUNDS.model_copy(update={"rule": "identity"})}),
        ("evidence", ev.Cancel(), {"verdict": GROUNDS.model_copy(update={"allowed": True, "rule": "evidence", "value": 0.5})}),
        ("stale_version", ev.Cancel(), {"version": 2}),
    ],
)  # fmt: skip
def test_what_the_conversation_allowed_is_denied_where_the_lead_knows_better(
    rule: str, action: ev.Action, more: dict[str, Any]
) -> None:
    case = booked(Case(BOOK))
    answer = case.ask(action, **more)
    assert (answer.allowed, answer.rule) == (False, rule)
    assert case.state.booking is not None


# ---- what else a call asks for ------------------------------------------------------------------------------------


def test_a_task_goes_to_a_person_once_and_the_call_goes_on() -> None:
    case = Case(BOOK)
    for _ in range(2):
        assert case.ask(ev.Task(what="Does it work offline?", words="does it work in a basement")).allowed
    assert case.told == ["Dana Reyes wants to know: Does it work offline?"]
    (item,) = case.state.items
    assert item.words == "Does it work offline? They said: does it work in a basement"
    assert (case.state.review, case.state.closed, case.state.taken_over_by) == ("task", False, "")


def test_a_referral_closes_with_its_reason_and_a_person_takes_it_up() -> None:
    case = Case(BOOK)
    assert case.ask(ev.Refer(name="Bo Lind", contact="+14155550199", words="talk to Bo")).allowed
    case.hang_up()
    state = case.state
    assert (state.disposition, state.reason) == ("wrong_person", "a right person was named; a colleague takes it up")
    assert case.told == ["Dana Reyes refers us to Bo Lind, +14155550199"]
    assert isinstance(case.run(), plan.Wait)
    assert case.run().rule == "closed"


def test_a_complaint_is_urgent_and_the_call_is_not_cut_off_by_it() -> None:
    case = Case(BOOK)
    assert case.ask(ev.HandOff(why="a complaint", words="this is the third call", complaint=True)).allowed
    assert case.state.review == "complaint"
    (card,) = [o.card for o in case.state.owed if o.card]
    assert card.urgent
    assert card.title == "Complaint: Dana Reyes"
    assert not isinstance(case.run(), plan.Hangup)
    case.take(ev.Released(at=case.now, by="ana"))
    assert case.state.review == ""


def test_not_fit_says_which_criterion_on_whose_word() -> None:
    case = Case(BOOK)
    fact = ev.Learned(field="team_size", value="1", quote="just me")
    case.take(ev.CallLearned(at=START, attempt="a1", turn=1, learned=(fact,)))
    assert case.ask(ev.Decline(disposition="not_fit", words="just me"), verdict=None).allowed
    assert case.state.disposition == "not_fit"
    assert case.state.reason == "team size is 1, wanted at least 3 (said: “just me”)"
    assert case.state.booking is None
    early = Case(BOOK)
    shown = GROUNDS.model_copy(update={"allowed": True, "rule": "evidence", "evidence": ("team size is 1 (said)",)})
    assert early.ask(ev.Decline(disposition="not_fit", words="just me"), verdict=shown).allowed
    assert early.state.reason == "team size is 1 (said)", "the report of their answer is still on its way"


def test_the_reflection_carries_objections_the_next_step_and_what_people_have_to_do() -> None:
    case = Case(BOOK)
    price = ev.Concern(name="price", status="resolved", answered=1)
    size = ev.Learned(field="team_size", value="40", quote="forty of us")
    yes = [ev.Sign(sign="commitment", quote=words, strength=by) for words, by in (("sure", 0.6), ("let's do it", 0.9))]
    case.take(ev.CallLearned(at=START, attempt="a1", turn=1, concerns=(price,), learned=(size,), signs=tuple(yes)))
    case.ask(ev.Task(what="SSO?"))
    case.hang_up()
    told = reflection(case.state, case.book, case.now)
    assert told.concerns == (price,)
    assert told.next_step.startswith("waiting for call 2, Wed Mar 10")
    assert [t.title for t in told.todos] == ["Dana Reyes wants to know: SSO?"]
    assert (told.fit, told.criteria[0].in_words) == ("open", "team size is 40, wanted at least 3 (said: “forty of us”)")
    assert [(s.sign, s.quote, s.strength > 0.9) for s in told.signs] == [("commitment", "let's do it", True)]
    after = apply(case.state, ev.Reflected(at=START, version=told.version, stage=told.stage))
    again = reflection(after, case.book, case.now)
    assert (again.todos, again.fit, again.criteria, again.signs) == ((), "", (), ())


# ---- on the real server -------------------------------------------------------------------------------------------


async def proposed(stage: Stage, handle: Any) -> ms.Answer:
    """Take the call, have times offered and ask to book the first."""
    await until(lambda: stage.of("place_call"))
    brief = await update(handle, "connect", ms.Connect(attempt="a1", sid="CA1", at=now()), ms.Brief)
    offer = ms.Act(id="a1:1", action=ev.OfferSlots(), at=now(), attempt="a1", version=brief.version)
    offered: ms.Answer = await update(handle, "act", offer)
    wish = ms.Act(
        id="a1:2", action=ev.Book(slot=offered.slots[0].id), at=now(), attempt="a1", version=offered.version, verdict=GROUNDS
    )  # fmt: skip
    answer: ms.Answer = await update(handle, "act", wish)
    return answer


def open_book() -> Playbook:
    book = at_any_hour()
    book = book.model_copy(update={"autonomy": {**book.autonomy, "book": "propose"}})
    register([book])
    return book


async def test_a_person_approves_or_rejects_through_updates(client: Client) -> None:
    stage, book = Stage(), open_book()
    async with on_stage(client, stage):
        handle = await submit(client, book, lead=lead_name())
        assert (await proposed(stage, handle)).rule == "autonomy_propose"
        told = await until(lambda: [r for r in stage.of("reflect") if r.todos])
        assert told[0].todos[0].title.startswith("Approve for Dana Reyes?")
        assert [w.request for w in (await view(handle)).approvals] == ["a1:2"]
        wrong = await update(handle, "approve", {"by": "ana", "request": "a1:9"})
        assert (wrong.allowed, wrong.rule) == (False, "nothing_waits")
        done = await update(handle, "approve", ms.Decide(by="ana"))
        assert done.booking is not None
        assert stage.of("book_meeting")[0].slot.start == done.booking.start
        again = await update(handle, "approve", {"by": "ben", "request": "a1:2"})
        assert again == done
        assert (await update(handle, "reject", {"by": "ben"})).rule == "nothing_waits"
        await handle.terminate()


async def test_nobody_answers_and_the_wish_is_dropped(skipping: TimeSkipper) -> None:
    stage, book = Stage(), open_book()
    book = book.model_copy(update={"call": book.call.model_copy(update={"longest": timedelta(seconds=30)})})
    register([book])
    async with on_stage(skipping.client, stage):
        handle = await submit(skipping.client, book, lead=lead_name())
        assert (await proposed(stage, handle)).rule == "autonomy_propose"
        await update(handle, "report", ms.Report(ended=ev.ConversationEnded(at=now(), attempt="a1")), int)
        over = ev.CallEnded(at=now(), attempt="a1", sid="CA1", status="completed", seconds=40)
        await handle.signal("call_status", over)
        await handle.result()
    assert stage.of("book_meeting") == []
    assert "due/dropped/a1:2" in [t.touch for t in stage.of("send_text")]
    titles = [card.title for r in stage.of("reflect") for card in r.cards]
    assert any(title.startswith("Not done for Dana Reyes: book") for title in titles)
