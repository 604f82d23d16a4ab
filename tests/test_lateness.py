"""After a long pause, suspension or outage nothing goes out in a row: what has lost its sense is left out with its rule, the
rest goes once and keeps the least gap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fixtures.web import People
from tests.stage import form, playbook
from tests.test_lead_workflow import now
from workflows import events as ev
from workflows import messages as ms
from workflows import plan
from workflows.lead import Lead
from workflows.story import apply

BOOK = playbook()
START = datetime(2027, 3, 10, 17, 0, tzinfo=UTC)  # ten in the morning in California, a Wednesday
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
GAP = BOOK.cadence.min_gap
DOUBT = "you people never stop"


class Life:
    """One lead whose texts go out as the plan says; what went out and what was left out, with when."""

    def __init__(self, *events: ev.Event, **over: Any) -> None:
        self.now, self.sent = START, list[tuple[str, datetime]]()
        self.state = Lead(lead="lead-x", audience=BOOK.audience, playbook=BOOK.hash)
        self.take(ev.FormSubmitted(at=START, form=form(**over)), *events)

    def take(self, *events: ev.Event) -> None:
        for event in events:
            self.state = apply(self.state, event.model_copy(update={"at": self.now}))

    def until(self, end: datetime) -> list[str]:
        """Live until ``end``; the messages that went out since the last time."""
        before = len(self.sent)
        for _ in range(200):
            step = plan.next_step(self.state, BOOK, self.now)
            match step:
                case plan.Settle():
                    self.take(step.event)
                case plan.Text():
                    self.sent.append((step.message, self.now))
                    self.take(ev.TextSent(at=self.now, touch=step.touch, message=step.message, sid="SM"))
                case plan.Dial():
                    self.sent.append((step.touch, self.now))
                    self.take(ev.CallPlaced(at=self.now, attempt=step.attempt, sid=f"CA{step.attempt}"))
                    over = {"at": self.now, "attempt": step.attempt, "sid": f"CA{step.attempt}", "status": "no-answer"}
                    self.take(ev.CallEnded.model_validate(over))
                case plan.Wait():
                    if step.until is None or step.until >= end:
                        self.now = end
                        return [what for what, _ in self.sent[before:]]
                    assert step.until > self.now, step
                    self.now = step.until
                case _:
                    raise AssertionError(step)
        raise AssertionError("no end")

    def left_out(self) -> dict[str, str]:
        """What was left out, with the rule."""
        return {e.data["touch"]: e.rule for e in self.state.entries if "left out" in e.text}


def booking(name: str, start: datetime) -> ev.Booking:
    return ev.Booking(id=name, rep="ana", rep_name="Ana", start=start, end=start + timedelta(minutes=30))


def booked(name: str, start: datetime) -> ev.MeetingBooked:
    return ev.MeetingBooked(at=START, request="", booking=booking(name, start))


def asked(name: str, action: ev.Action) -> tuple[ev.Event, ...]:
    return ev.ActionAsked(at=START, id=name, action=action, by="ana"), ev.ActionDone(at=START, request=name)


HELD = ev.Held(at=START, by="ops")
WAYS: list[tuple[ev.Event, ev.Event]] = [
    (HELD, ev.Resumed(at=START, by="ops")),
    (ev.MessageReceived(at=START, id="m1", text=DOUBT), ev.Released(at=START, by="ana")),
    (ev.TextNotSent(at=START, touch="due/booked/b0", message="x", why="paused:channel:text", held="channel:text"),
     ev.Resumed(at=START, by="ops", scope="channel:text")),
]  # fmt: skip


@pytest.mark.parametrize(("stopped", "goes_on"), WAYS, ids=["paused", "in doubt", "channel"])
def test_of_what_happened_to_a_meeting_meanwhile_only_what_stands_is_told(stopped: ev.Event, goes_on: ev.Event) -> None:
    life = Life(stopped)
    life.take(booked("b1", START + 3 * DAY))
    life.until(START + DAY)
    life.take(booked("b2", START + 4 * DAY))
    life.until(START + 2 * DAY)
    life.take(booked("b3", START + 6 * DAY))
    life.until(START + 2 * DAY + HOUR)
    life.take(goes_on)
    assert life.until(life.now + DAY) == ["moved"]
    assert life.left_out() == {"due/booked/b1": "meeting_moved", "due/booked/b2": "meeting_moved"}


def test_a_meeting_that_is_over_is_neither_confirmed_nor_reminded_of() -> None:
    life = Life(HELD, booked("b1", START + 2 * DAY))
    life.until(START + 5 * DAY)
    life.take(ev.Resumed(at=START, by="ops"))
    assert life.until(life.now + HOUR) == []
    out = life.left_out()
    assert out.pop("due/booked/b1") == "meeting_over"
    assert set(out) == {"reminder/b1/0", "reminder/b1/1", "reminder/b1/2", "reminder/b1/check_in"}
    assert set(out.values()) == {"said_once", "late"}, "the first ones came up while the confirmation had yet to go"


def test_a_late_confirmation_says_what_the_reminder_would() -> None:
    life = Life(HELD, booked("b1", START + 3 * DAY))
    life.until(START + 3 * DAY - 10 * HOUR + 7 * HOUR)  # three hours before it, in the morning
    life.take(ev.Resumed(at=START, by="ops"))
    assert life.until(START + 3 * DAY + timedelta(minutes=1)) == ["confirmation", "reminder", "starting"]
    assert life.left_out() == {"reminder/b1/0": "said_once"}
    times = [at for _, at in life.sent]
    assert START + 3 * DAY - times[1] == HOUR, "the second reminder in its own time"


def test_a_cancellation_is_told_as_long_as_somebody_might_come() -> None:
    for days, told in ((1, ["cancelled"]), (4, [])):
        life = Life(booked("b1", START + 3 * DAY))
        life.until(START + HOUR)
        life.take(HELD, *asked("r1", ev.Cancel()))
        life.take(ev.MeetingCancelled(at=START, request="r1", booking="b1"))
        life.until(START + days * DAY)
        life.take(ev.Resumed(at=START, by="ops"))
        assert [what for what in life.until(life.now + timedelta(minutes=1)) if what == "cancelled"] == told
        assert life.left_out().get("due/cancelled/b1", "") == ("" if told else "meeting_over")


def test_what_was_asked_for_goes_once_and_keeps_the_gap() -> None:
    life = Life(HELD)
    for number in range(3):
        life.take(*asked(f"r{number}", ev.SendLink()))
        life.until(life.now + HOUR)
    life.take(booked("b1", START + 6 * DAY))
    life.until(START + 5 * DAY - 12 * HOUR)
    life.take(ev.Resumed(at=START, by="ops"))
    assert life.until(life.now + HOUR) == ["link", "confirmation"]
    (_, first), (_, second) = life.sent
    assert second - first == GAP
    assert life.left_out() == {"due/link/r0": "said_once", "due/link/r1": "said_once"}


def test_what_is_due_at_once_goes_at_once() -> None:
    """The gap is kept by what had to wait alone: who books right after a link was sent is confirmed at once."""
    life = Life(*asked("r1", ev.SendLink()), booked("b1", START + 3 * DAY))
    assert life.until(START + timedelta(seconds=1)) == ["link", "confirmation"]
    assert life.left_out() == {}


def test_an_old_answer_is_a_persons_to_give() -> None:
    life = Life(ev.MessageReceived(at=START, id="m1", text="What does it cost?"))
    life.take(ev.TextAnswered(at=START, messages=("m1",), reply="It is 49 a month. Thursday at 3?", node="qualification"), HELD)
    life.until(START + 5 * DAY)
    life.take(ev.Resumed(at=START, by="ops"))
    assert "reply" not in life.until(life.now + timedelta(minutes=1))
    assert life.left_out()["due/reply/m1"] == "late"
    card = next(owed.card for owed in reversed(life.state.owed) if owed.card)
    assert card.title == "Dana Reyes was not answered"
    assert "Thursday at 3?" in card.lines[0]


def test_we_missed_you_is_not_said_days_later() -> None:
    life = Life()
    life.until(START + timedelta(seconds=1))
    life.take(HELD)
    life.until(START + 5 * DAY)
    life.take(ev.Resumed(at=START, by="ops"))
    assert life.until(life.now + DAY)[0].endswith("call_2")
    assert life.left_out() == {"cadence/1/1/text_1": "late"}

    life = Life(booked("b1", START + HOUR))
    life.until(START + HOUR + timedelta(minutes=2))
    life.take(HELD, ev.AttendanceReported(at=START, booking="b1", present=False, source="rep", by="ana"))
    life.until(START + 5 * DAY)
    life.take(ev.Resumed(at=START, by="ops"))
    sent = life.until(life.now + 2 * DAY)
    assert "missed_meeting" not in sent
    assert sent[0].endswith("recovery_call_1")
    assert life.left_out()["cadence/2/1/recovery_text_1"] == "late"


def test_the_same_next_morning_is_still_said() -> None:
    life = Life()
    life.now = START + 10 * HOUR + timedelta(minutes=59)  # one minute before nine in the evening
    life.take(ev.FormSubmitted(at=START, form=form(submission_id="s2")))
    assert [what.rsplit("/", 1)[-1] for what in life.until(START + DAY + HOUR)][:2] == ["call_1", "missed_call"]
    assert life.left_out() == {}


def test_a_promised_callback_is_made_however_late() -> None:
    life = Life(*asked("r1", ev.CallBack(at=START + HOUR)), HELD)
    life.until(START + 5 * DAY)
    life.take(ev.Resumed(at=START, by="ops"))
    assert life.until(life.now + timedelta(minutes=1)) == ["callback/1"]


def test_a_reminder_by_mail_of_a_meeting_that_was_moved_is_left_out() -> None:
    life = Life(phone="", phone_hash="")
    life.take(booked("b1", START + DAY + HOUR))
    life.take(ev.MailSent(at=START, touch="due/booked/b1", message="confirmation"))
    life.until(START + 2 * HOUR)
    assert "reminder/b1/0" in [due.key for due in life.state.due_mails]
    life.take(HELD, booked("b2", START + 3 * DAY))
    life.until(START + 2 * HOUR + timedelta(minutes=1))
    assert [due.key for due in life.state.due_mails] == ["due/booked/b2"]
    assert life.left_out()["reminder/b1/0"] == "meeting_moved"


def test_a_history_from_before_sends_what_it_sent() -> None:
    life = Life(HELD, booked("b1", START + 3 * DAY), booked("b2", START + 4 * DAY))
    life.until(START + DAY)
    assert "due/booked/b1" not in [due.key for due in life.state.due_texts]
    old = Life(HELD, booked("b1", START + 3 * DAY), booked("b2", START + 4 * DAY))
    old.state = old.state.but(sends_late=True)
    old.until(START + DAY)
    old.take(ev.Resumed(at=START, by="ops"))
    assert old.until(old.now + timedelta(minutes=1)) == ["confirmation", "moved"]


# ---- on the server ---------------------------------------------------------------------------------------------------


async def test_a_rep_moves_a_meeting_twice_while_the_lead_is_in_doubt(people: People) -> None:
    met = await people.talked("+1 415 555 0851", timedelta(days=3))
    await people.until(met.lead, lambda seen: any(t.touch == "confirmation" for t in seen.touches))
    doubt = ev.MessageReceived(at=now(), id="SM1", text=DOUBT)
    await people.site.temporal.get_workflow_handle(met.lead).signal("message_received", doubt)
    await people.until(met.lead, lambda seen: seen.needs_review == "suspended")
    for days in (4, 5):
        move = ms.Move(by="ana", start=met.booking.start + timedelta(days=days - 3), id=f"move-{days}")
        answer = await people.ask(met.lead, "reschedule", move)
        assert answer.allowed, answer
    last = answer.booking
    assert last is not None
    await people.ask(met.lead, "release", ms.By(by="ana"))
    await people.until(met.lead, lambda seen: any(t.touch == "moved" for t in seen.touches))
    moved = [text for text in people.stage.of("send_text") if text.gate.lead == met.lead and "is now on" in text.body]
    assert [text.touch for text in moved] == [f"due/booked/{last.id}"], "of two moves only the last is told"
    assert moved[0].booking == last.id
    assert now() < last.start
