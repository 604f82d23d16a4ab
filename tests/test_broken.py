"""A call that broke off is taken up once, where the rules allow it, and told of once where they do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.stage import form, playbook
from workflows import events as ev
from workflows import plan
from workflows.brief import brief
from workflows.lead import Lead
from workflows.messages import Connect
from workflows.story import apply

BOOK = playbook()
NOON = datetime(2027, 3, 10, 20, 0, tzinfo=UTC)
"""12:00 in California, where the lead is."""
SECOND = timedelta(seconds=1)


class Story:
    """One lead, whose first call was answered at ``at`` and is under way."""

    def __init__(self, at: datetime = NOON, **over: Any) -> None:
        self.now = at
        self.state = Lead(lead="lead-x", audience=BOOK.audience, playbook=BOOK.hash)
        self.take(ev.FormSubmitted(at=at, form=form(**over)))
        self.dialled("a1")

    def take(self, *events: ev.Event) -> None:
        for event in events:
            self.state = apply(self.state, event)

    def step(self) -> plan.Step:
        """The next step that waits or touches the world."""
        while True:
            step = plan.next_step(self.state, BOOK, self.now)
            if not isinstance(step, plan.Settle):
                return step
            self.take(step.event)

    def due(self) -> plan.Step:
        """The next step that touches the world, when its time has come."""
        while isinstance(step := self.step(), plan.Wait):
            assert step.until is not None, step
            self.now = step.until
        return step

    def dialled(self, attempt: str) -> None:
        dial = self.due()
        assert isinstance(dial, plan.Dial), dial
        assert dial.attempt == attempt
        self.take(
            ev.CallPlaced(at=self.now, attempt=attempt, sid=f"CA{attempt}"),
            ev.CallConnected(at=self.now, attempt=attempt, sid=f"CA{attempt}"),
        )

    def ends(self, attempt: str, outcome: Any = "dropped", node: str = "qualification") -> None:
        """The gateway's last word, then the carrier's."""
        words = (ev.Line(who="lead", text="Yes, sure.", at=self.now),)
        said = ev.ConversationEnded(at=self.now, attempt=attempt, outcome=outcome, node=node, transcript=words)
        self.take(said, ev.CallEnded(at=self.now, attempt=attempt, sid=f"CA{attempt}", status="completed", seconds=60))

    def texted(self, step: plan.Step) -> None:
        assert isinstance(step, plan.Text), step
        self.take(ev.TextSent(at=self.now, touch=step.touch, message=step.message, sid="SM1"))

    def told(self, attempt: str, inbound: bool = False) -> Any:
        """What the conversation of this call is told."""
        sid = f"CA{attempt}"
        return brief(self.state, BOOK, Connect(attempt=attempt, sid=sid, at=self.now, inbound=inbound))


def test_it_is_called_again_within_two_minutes_and_goes_on_where_it_broke_off() -> None:
    story = Story()
    story.now += 90 * SECOND
    broke_off = story.now
    story.ends("a1")
    assert isinstance(story.step(), plan.Wait), "they may be ringing us themselves"
    dial = story.due()
    assert isinstance(dial, plan.Dial)
    assert broke_off + BOOK.call.ring_after <= story.now <= broke_off + BOOK.call.ring_again
    assert story.now < broke_off + BOOK.cadence.min_gap
    assert dial.not_after <= broke_off + BOOK.call.ring_again
    story.take(ev.CallPlaced(at=story.now, attempt="a2", sid="CAa2"))
    told = story.told("a2")
    assert (told.opening, told.node, told.refusal, told.talked_before) == ("broken", "qualification", "", True)
    story.take(ev.CallConnected(at=story.now, attempt="a2", sid="CAa2"))
    story.ends("a2", "talked")
    assert story.state.broken is None
    after = story.due()
    assert story.now > broke_off + timedelta(minutes=30), after
    assert not isinstance(after, plan.Text) or after.message != "cut_off"


def test_who_may_be_somebody_else_is_not_rung_again_and_no_dial_is_left_waiting() -> None:
    story = Story()
    story.ends("a1")
    meet = ev.Meet(lead="lead-y", likeness="doubt", why="one number, but another name", waits=True)
    story.state = story.state.but(doubts=(meet,))
    story.texted(story.step())
    step = story.step()
    assert isinstance(step, plan.Wait)
    assert (step.rule, story.state.call) == ("identity", None)


@pytest.mark.parametrize("outcome", ["voicemail", "silent", "dropped", "no-answer"])
def test_when_nobody_takes_it_up_one_text_says_so(outcome: str) -> None:
    story = Story()
    story.ends("a1")
    dial = story.due()
    assert isinstance(dial, plan.Dial)
    story.take(ev.CallPlaced(at=story.now, attempt="a2", sid="CAa2"))
    if outcome == "no-answer":
        story.take(ev.CallEnded(at=story.now, attempt="a2", sid="CAa2", status="no-answer"))
    else:
        story.take(ev.CallConnected(at=story.now, attempt="a2", sid="CAa2"))
        story.ends("a2", outcome, node="booking")
    text = story.step()
    assert isinstance(text, plan.Text)
    assert text.message == "cut_off"
    story.texted(text)
    then = story.due()
    assert story.now - text.not_after > timedelta(0), "what comes next is the cadence"
    assert isinstance(then, plan.Dial)
    assert "cadence" in then.touch


@pytest.mark.parametrize("why", ["hours", "cap", "channel", "late"])
def test_where_a_call_may_not_be_a_text_goes_at_once(why: str) -> None:
    # 20:59 is the last minute in which California may be called.
    story = Story(NOON.replace(hour=4, minute=58, day=11) if why == "hours" else NOON)
    if why == "cap":
        for _ in range(BOOK.cadence.max_calls - 1):
            story.take(ev.DialQueued(at=story.now, attempt=f"a{story.state.dials + 1}", touch="callback/9"))
            attempt = f"a{story.state.dials}"
            story.take(
                ev.CallPlaced(at=story.now, attempt=attempt, sid=f"CA{attempt}"),
                ev.CallConnected(at=story.now, attempt=attempt, sid=f"CA{attempt}"),
            )
    story.now += 130 * SECOND
    story.ends(f"a{story.state.dials}")
    if why == "channel":
        story.state = story.state.but(held_scope="channel:call")
    if why == "late":
        story.now += BOOK.call.ring_again + SECOND
    text = story.step()
    assert isinstance(text, plan.Text), text
    assert (text.message, text.rule) == ("cut_off", "broken")
    before = story.state.dials
    story.texted(text)
    story.step()
    assert story.state.dials == before


@pytest.mark.parametrize("what", ["opted_out", "taken_over", "paused", "booked", "promised", "declined"])
def test_what_was_settled_or_stopped_is_neither_called_nor_texted_about(what: str) -> None:
    story = Story()
    now = story.now
    if what == "opted_out":
        story.take(ev.MessageReceived(at=now, id="m1", text="STOP"))
    elif what == "taken_over":
        story.take(ev.TakenOver(at=now, by="ana"))
    elif what == "paused":
        story.take(ev.Held(at=now, by="ops"))
    elif what == "booked":
        meeting = ev.Booking(id="b1", rep="ana", rep_name="Ana", start=now + timedelta(days=1), end=now + timedelta(days=2))
        story.take(ev.MeetingBooked(at=now, request="r", booking=meeting))
    else:
        action: ev.Action = (
            ev.CallBack(at=now + timedelta(hours=3)) if what == "promised" else ev.Decline(disposition="not_interested")
        )
        story.take(ev.ActionAsked(at=now, id="r1", action=action, by="agent", attempt="a1"))
        story.step()
    story.ends("a1", node="confirmation" if what == "booked" else "qualification")
    for _ in range(6):
        step = story.step()
        assert not isinstance(step, plan.Dial)
        if isinstance(step, plan.Text):
            assert step.message != "cut_off"
            story.texted(step)
        elif isinstance(step, plan.KeepOptOut):
            story.take(ev.OptOutKept(at=story.now))
    assert story.now == now


def test_a_move_that_broke_off_is_taken_up_although_a_meeting_stands() -> None:
    story = Story()
    meeting = ev.Booking(
        id="b1", rep="ana", rep_name="Ana", start=story.now + timedelta(days=3), end=story.now + timedelta(days=4)
    )
    story.take(ev.MeetingBooked(at=story.now, request="r", booking=meeting))
    story.ends("a1", "talked")
    story.texted(story.step())
    story.now += timedelta(hours=4)
    story.take(ev.CallConnected(at=story.now, attempt="in-CA9", sid="CA9", inbound=True))
    story.ends("in-CA9", node="reschedule")
    dial = story.due()
    assert isinstance(dial, plan.Dial)
    story.take(ev.CallPlaced(at=story.now, attempt=dial.attempt, sid="CAa2"))
    assert not isinstance(story.step(), plan.Hangup)
    told = story.told(dial.attempt)
    assert (told.opening, told.node, told.booking) == ("broken", "reschedule", meeting)


def test_who_rings_us_first_goes_on_from_there_and_is_not_called_again() -> None:
    story = Story()
    story.ends("a1", node="booking")
    story.now += 3 * SECOND
    assert (story.told("in-CA9", inbound=True).opening, story.told("in-CA9", inbound=True).node) == ("broken", "booking")
    story.take(ev.CallConnected(at=story.now, attempt="in-CA9", sid="CA9", inbound=True))
    story.now += timedelta(minutes=3)
    story.ends("in-CA9", "talked")
    story.step()
    assert [t.touch for t in story.state.touches] == ["cadence/1/0/call_1", "inbound"]
    story.now += timedelta(minutes=1)
    assert story.told("in-CA10", inbound=True).opening == "inbound"


@pytest.mark.parametrize("permanent", [False, True])
def test_a_dial_that_the_carrier_refuses_does_not_go_round_and_round(permanent: bool) -> None:
    story = Story()
    story.ends("a1")
    broke_off, dials = story.now, 0
    while isinstance(step := story.due(), plan.Dial):
        dials += 1
        assert dials < 6
        refused = ev.CallNotPlaced(at=story.now, attempt=step.attempt, why="carrier down", permanent=permanent)
        story.take(refused)
    assert isinstance(step, plan.Text)
    assert step.message == "cut_off"
    assert story.now < broke_off + plan.STILL_OPEN, "it goes out as soon as the carrier takes it"
    assert dials == 1 if permanent else dials > 1


def test_who_was_reached_before_the_line_broke_counts_as_reached() -> None:
    story = Story()
    story.ends("a1")
    assert story.state.reached
    assert story.state.stage == "contacted"
    assert story.state.touches[0].outcome == "dropped, over"
