"""The pure core over random histories: what must hold whatever happens, in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stage import form, playbook
from workflows import events as ev
from workflows import plan
from workflows.lead import Lead
from workflows.playbook import Playbook
from workflows.rules import allowed_from, cap_allows, zones_of
from workflows.story import apply

BOOK = playbook()
START = datetime(2027, 3, 10, 17, 0, tzinfo=UTC)  # four days before the clocks change in the United States
PHONES = ("+14155550123", "+12125550123", "+18505550123", "+442071838750", "+61291234567")


class World:
    """Plays the outside for one lead: carrier, calendar and the lead's own doings, drawn from one seed."""

    def __init__(self, seed: int, book: Playbook = BOOK) -> None:
        self.draw = Random(seed)
        self.book = book
        phone = self.draw.choice(PHONES)
        self.now = START + timedelta(minutes=self.draw.randrange(60 * 24 * 7))
        self.state = Lead(lead="lead-x", audience=book.audience, playbook=book.hash)
        self.dials: list[datetime] = []
        self.texts: list[tuple[datetime, plan.Text]] = []
        self.live: set[str] = set()
        self.ends: dict[str, datetime] = {}
        self.most_live = 0
        self.opted_out = False
        self.sent_after_opt_out = 0
        self.count = 0
        self.take(ev.FormSubmitted(at=self.now, form=form(phone=phone)))

    def take(self, event: ev.Event) -> None:
        self.state = apply(self.state, event)
        self.opted_out = self.opted_out or self.state.opted_out_at is not None

    def run(self, surprises: int) -> None:
        """Live until the memory period is over. Raises when that takes longer than any playbook allows."""
        for _ in range(900):
            if surprises and self.draw.random() < 0.3:
                surprises -= 1
                self.surprise()
            step = plan.next_step(self.state, self.book, self.now)
            if isinstance(step, plan.Finish):
                return
            self.perform(step)
        raise AssertionError(f"no end: {self.state.stage}, {step}")

    def perform(self, step: plan.Step) -> None:
        if self.draw.random() < 0.8:
            told = ev.Reflected(at=self.now, version=self.state.version, stage=self.state.stage, rotated=True)
            self.take(told)
        match step:
            case plan.Settle():
                self.take(step.event)
            case plan.Wait():
                if step.until is None:
                    self.now += timedelta(hours=1)
                    self.people()
                else:
                    assert step.until > self.now, step
                    self.now = step.until
            case plan.Dial():
                self.dial(step)
            case plan.Text():
                self.text(step)
            case plan.AskCarrier():
                attempt = step.call.attempt
                match self.draw.choice(("", "completed", "no-answer", "in-progress")):
                    case "":
                        self.take(ev.CallUnknown(at=self.now, attempt=attempt))
                    case "in-progress":
                        self.take(ev.CallPlaced(at=self.now, attempt=attempt, sid=f"CA{attempt}"))
                        again = plan.next_step(self.state, self.book, self.now)
                        assert not isinstance(again, plan.AskCarrier) or again.call.attempt != attempt
                    case status:
                        self.take(self.over(attempt, status))
            case plan.Hangup():
                self.take(ev.CallCancelled(at=self.now, attempt=step.call.attempt))
            case plan.KeepOptOut():
                self.take(ev.OptOutKept(at=self.now))
            case plan.Converse():
                self.converse(step)
            case plan.FindTimes():
                self.take(ev.SlotsFound(at=self.now, request=step.request.id, slots=self.slots()))
            case plan.MakeBooking():
                self.book_it(step)
            case plan.Unbook():
                self.live.discard(step.booking.id)
                self.take(ev.MeetingCancelled(at=self.now, request=step.request.id, booking=step.booking.id))

    def dial(self, step: plan.Dial) -> None:
        self.sent_after_opt_out += self.opted_out
        self.now += timedelta(seconds=self.draw.randrange(3))
        outcome = self.draw.random()
        if outcome < 0.1:
            self.take(ev.CallAmbiguous(at=self.now, attempt=step.attempt))
            return
        if outcome < 0.2:
            self.take(ev.CallNotPlaced(at=self.now, attempt=step.attempt, why="carrier down"))
            return
        self.dials.append(self.now)
        self.take(ev.CallPlaced(at=self.now, attempt=step.attempt, sid=f"CA{step.attempt}"))
        if outcome < 0.3:
            return  # no callback ever comes
        self.now += timedelta(seconds=self.draw.randrange(5, 25))
        if outcome < 0.6:
            self.take(self.over(step.attempt, self.draw.choice(("no-answer", "busy", "failed"))))
            return
        self.take(ev.CallConnected(at=self.now, attempt=step.attempt, sid=f"CA{step.attempt}"))
        self.talk(step.attempt)

    def talk(self, attempt: str) -> None:
        outcome = self.draw.choice(("talked", "talked", "voicemail", "dropped"))
        node = self.draw.choice(("qualification", "reschedule"))
        end = ev.ConversationEnded(at=self.now, attempt=attempt, outcome=outcome, node=node)
        actions: list[ev.Action] = [ev.OfferSlots()]
        if end.outcome in ("talked", "dropped"):
            actions += self.draw.choice(
                ([ev.Book(slot="next")], [ev.Decline(disposition="not_interested")], [ev.CallBack()],
                 [ev.OptOut()], [ev.HandOff(why="asked")], [ev.Cancel()], [])
            )  # fmt: skip
            for action in actions:
                if isinstance(action, ev.Book):
                    action = ev.Book(slot=self.state.offered[0].id if self.state.offered else "none")
                self.ask(action, attempt)
        self.take(end)
        self.take(self.over(attempt, "completed"))
        self.take(self.over(attempt, "completed"))  # the callback comes twice

    def ask(self, action: ev.Action, attempt: str = "", by: str = "agent") -> None:
        self.count += 1
        self.take(ev.ActionAsked(at=self.now, id=f"r{self.count}", action=action, by=by, attempt=attempt))
        for _ in range(10):
            if not self.state.requests:
                return
            self.perform(plan.next_step(self.state, self.book, self.now))
        raise AssertionError("a request was never answered")

    def over(self, attempt: str, status: str) -> ev.CallEnded:
        return ev.CallEnded.model_validate(
            {"at": self.now, "attempt": attempt, "sid": f"CA{attempt}", "status": status}
        )

    def slots(self) -> tuple[ev.Slot, ...]:
        starts = [self.now + timedelta(hours=self.draw.randrange(2, 200)) for _ in range(self.draw.randrange(4))]
        return tuple(
            ev.Slot(id=f"ana@{s.isoformat()}", rep="ana", start=s, end=s + BOOK.meeting.length) for s in starts
        )

    def book_it(self, step: plan.MakeBooking) -> None:
        if self.draw.random() < 0.2:
            self.take(ev.BookingRefused(at=self.now, request=step.request.id, why="taken"))
            return
        self.count += 1
        booking = ev.Booking(id=f"b{self.count}", rep="ana", rep_name="Ana", start=step.slot.start, end=step.slot.end)
        for over in (self.state.booking, self.state.missed):
            self.live.discard(over.id if over else "")  # moved by this one, or its time has passed
        self.live = {known for known in self.live if self.ends[known] > self.now}
        self.ends[booking.id] = booking.end
        self.live.add(booking.id)
        self.most_live = max(self.most_live, len(self.live))
        self.take(ev.MeetingBooked(at=self.now, request=step.request.id, booking=booking))
        if self.state.missed is None and self.draw.random() < 0.5:
            self.take(ev.MeetingConfirmed(at=self.now, booking=booking.id))

    def text(self, step: plan.Text) -> None:
        self.sent_after_opt_out += self.opted_out
        self.texts.append((self.now, step))
        outcome = self.draw.random()
        if outcome < 0.1:
            self.take(ev.TextAmbiguous(at=self.now, touch=step.touch, message=step.message))
        elif outcome < 0.2:
            self.take(ev.TextNotSent(at=self.now, touch=step.touch, message=step.message, why="429"))
        else:
            self.take(ev.TextSent(at=self.now, touch=step.touch, message=step.message, sid="SM"))

    def converse(self, step: plan.Converse) -> None:
        """The conversation may ask the lead to act before it answers, and may fail to answer."""
        assert not self.opted_out
        self.now += timedelta(seconds=self.draw.randrange(20))
        if self.draw.random() < 0.5:
            action = self.draw.choice(
                (ev.OfferSlots(), ev.HandOff(why="asked"), ev.CallBack(), ev.Decline(disposition="not_interested"))
            )
            asked = f"text-{step.messages[-1]}:1:{action.kind}"
            self.take(
                ev.ActionAsked(at=self.now, id=asked, action=action, by="agent", attempt=f"text-{step.messages[-1]}")
            )
            while (
                not isinstance(then := plan.next_step(self.state, self.book, self.now), plan.Converse)
                and asked not in self.state.answers
            ):
                self.perform(then)
        told = self.draw.choice(({"reply": "Thank you."}, {"reply": ""}, {"why": "no answer in time"}))
        self.take(ev.TextAnswered(at=self.now, messages=step.messages, node="qualification", **told))  # type: ignore[arg-type]

    def people(self) -> None:
        """Somebody always comes back to what a person took over or paused."""
        if self.state.taken_over_by:
            self.take(ev.Released(at=self.now, by="ana"))
        if self.state.held_by or self.state.held_scope:
            self.take(ev.Resumed(at=self.now, spread=timedelta(minutes=self.draw.randrange(30))))

    def surprise(self) -> None:
        self.count += 1
        meeting = self.state.booking
        match self.draw.randrange(12):
            case 0:
                self.take(ev.MessageReceived(at=self.now, id=f"m{self.count}", text="STOP"))
            case 1:
                words = self.draw.choice(("yes that works", "What does it cost?", "START"))
                self.take(ev.MessageReceived(at=self.now, id=f"m{self.count}", text=words))
            case 2:
                self.take(
                    ev.FormSubmitted(at=self.now, form=form(submission_id=f"s{self.count}", phone=self.state.phone))
                )
            case 3:
                self.take(ev.TakenOver(at=self.now, by="ana"))
            case 4:
                self.take(ev.Held(at=self.now, by="ops"))
            case 5 if meeting and self.now >= meeting.start - BOOK.attendance.opens:
                self.take(
                    ev.AttendanceReported(
                        at=self.now, booking=meeting.id, present=self.draw.random() < 0.5, source="rep"
                    )
                )
            case 6 if meeting:
                self.ask(ev.Cancel(), by="ana")
            case 7:
                sid = f"in-{self.count}"
                self.take(ev.CallConnected(at=self.now, attempt=sid, sid=sid, inbound=True))
                self.talk(sid)
            case 8:
                self.take(self.over("a1", "completed"))
            case 9:
                self.take(ev.CallPlaced(at=self.now, attempt="a1", sid="CAa1"))
            case 10:
                self.take(ev.TextFailed(at=self.now, touch="due/x", code="30003"))
            case _:
                self.now += timedelta(minutes=self.draw.randrange(300))


@settings(max_examples=300)
@given(st.integers(0, 10**9), st.integers(0, 12))
def test_whatever_happens_the_rules_hold_and_the_story_ends(seed: int, surprises: int) -> None:
    world = World(seed, BOOK)
    world.run(surprises)
    state = world.state
    assert state.closed
    assert state.disposition
    assert world.sent_after_opt_out == 0
    assert world.most_live <= 1
    zones = zones_of(state.phone)
    for at in [*world.dials, *(t for t, s in world.texts if s.rule not in ("asked", "broken"))]:
        for zone in zones:
            local = at.astimezone(ZoneInfo(zone))
            assert 8 <= local.hour < 21, (local, zone)
    for at in world.dials:
        assert sum(at - timedelta(hours=24) < other <= at for other in world.dials) <= BOOK.cadence.max_calls
    went_out = [(t.touch, t.attempt) for t in state.touches if not t.outcome.startswith("not ")]
    again = [touch for touch, _ in went_out if touch.startswith("resumption/")]
    told = [attempt for touch, attempt in went_out if touch == "cut_off"]
    assert len(again) == len(set(again)), "a call that broke off is taken up once"
    assert len(told) == len(set(told)), "and told of once"


@settings(max_examples=100)
@given(st.integers(0, 10**9))
def test_the_state_survives_being_written_down_at_any_moment(seed: int) -> None:
    world = World(seed, BOOK)
    for _ in range(30):
        again = Lead.model_validate(world.state.model_dump(mode="json"))
        assert again == world.state
        assert plan.next_step(again, BOOK, world.now) == plan.next_step(world.state, BOOK, world.now)
        if world.draw.random() < 0.3:
            world.surprise()
        world.perform(plan.next_step(world.state, BOOK, world.now))


@given(st.integers(0, 2 * 365 * 24 * 60), st.sampled_from(PHONES))
def test_the_first_allowed_minute_is_allowed_and_none_before_it_is(minutes: int, phone: str) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    zones = zones_of(phone)
    ruling = allowed_from(at, zones, "", BOOK.hours)
    assert ruling.at is not None
    assert ruling.until is not None
    assert at <= ruling.at < ruling.until
    for zone in zones:
        assert 8 <= ruling.at.astimezone(ZoneInfo(zone)).hour < 21
    probe = at
    while probe < ruling.at:
        assert any(not 8 <= probe.astimezone(ZoneInfo(z)).hour < 21 for z in zones)
        probe += timedelta(minutes=7)


def test_a_number_that_could_be_anywhere_is_not_called_without_an_address() -> None:
    assert zones_of("+18005550123") == ()
    assert zones_of("+18005550123", "US-CA") == ("America/Los_Angeles",)
    assert allowed_from(START, (), "", BOOK.hours).at is None


@pytest.mark.parametrize(("made", "expected"), [([0, 1, 2], 24), ([0, 1], 3), ([0, 20, 22], 24)])
def test_the_cap_moves_a_dial_past_the_window(made: list[int], expected: int) -> None:
    dials = [START + timedelta(hours=h) for h in made]
    at = START + timedelta(hours=3 if made != [0, 20, 22] else 23)
    assert cap_allows(at, dials, 3, timedelta(hours=24)) == START + timedelta(hours=expected)


def test_a_second_form_in_the_same_moment_is_one_lead_and_one_dial() -> None:
    world = World(1)
    step = plan.next_step(world.state, BOOK, world.now)
    world.take(ev.FormSubmitted(at=world.now, form=form(submission_id="s2", phone=world.state.phone)))
    assert plan.next_step(world.state, BOOK, world.now) == step
