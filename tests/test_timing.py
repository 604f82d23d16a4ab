"""When a touch goes out: its day, its part of the day, what they told us of their time, and how an opening is spread."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.stage import form, playbook
from workflows import events as ev
from workflows import plan
from workflows.lead import Lead
from workflows.playbook import AfterHours, Engaged, Playbook, Reaction, Touch, register
from workflows.preference import preference
from workflows.rulebook import HoursRow, Rulebook
from workflows.story import apply

HOME = ZoneInfo("America/Los_Angeles")
MONDAY = datetime(2027, 3, 15, 17, 0, tzinfo=UTC)  # ten in the morning in California


def book(*touches: Touch, rules: Rulebook | None = None, **cadence: Any) -> Playbook:
    """The inbound playbook with other touches, and other figures of its cadence."""
    base = playbook()
    plain = {"opening_spread": timedelta(0), "outcomes": {}, "texting": timedelta(0), "engaged": None, "after_hours": None,
             "wait_for_part": timedelta(days=1)}  # fmt: skip
    figures = base.cadence.model_copy(update={**plain, "first": touches, **cadence})
    made = base.model_copy(update={"cadence": figures, "rules": rules or base.rules})
    register([made])
    return made


def call(name: str, after: timedelta = timedelta(0), **wishes: Any) -> Touch:
    return Touch(name=name, channel="call", after=after, **wishes)


def text(name: str, after: timedelta) -> Touch:
    return Touch(name=name, channel="text", after=after, message="question")


class Life:
    """One lead: steps are carried out as they come, calls come to what a test says."""

    def __init__(self, made: Playbook, at: datetime = MONDAY, lead: str = "lead-x", **over: Any) -> None:
        self.book, self.now = made, at
        self.state = Lead(lead=lead, audience=made.audience, playbook=made.hash)
        self.take(ev.FormSubmitted(at=at, form=form(**over)))

    def take(self, *events: ev.Event) -> None:
        for event in events:
            self.state = apply(self.state, event)

    def next(self) -> tuple[plan.Dial | plan.Text | plan.Wait, datetime]:
        """What goes out next and when; a wait that has no end is given as it is."""
        for _ in range(50):
            step = plan.next_step(self.state, self.book, self.now)
            if isinstance(step, plan.Settle):
                self.take(step.event)
            elif isinstance(step, plan.Wait) and step.until is not None:
                self.now = step.until
            else:
                assert isinstance(step, plan.Dial | plan.Text | plan.Wait), step
                return step, self.now
        raise AssertionError("nothing ever goes out")

    def dial(self, status: str = "no-answer", talked: str = "") -> tuple[str, datetime]:
        """The next step, which has to be a dial; it comes to ``status``. Its touch, and when it was, where they are."""
        step, at = self.next()
        assert isinstance(step, plan.Dial), step
        sid = f"CA-{step.attempt}"
        self.take(ev.CallPlaced(at=at, attempt=step.attempt, sid=sid))
        self.now += timedelta(seconds=20)
        if talked:
            lines = (ev.Line(who="lead", text=talked, at=self.now),)
            self.take(
                ev.CallConnected(at=self.now, attempt=step.attempt, sid=sid),
                ev.ConversationEnded(at=self.now, attempt=step.attempt, transcript=lines),
            )
        over = {"at": self.now, "attempt": step.attempt, "sid": sid, "status": "completed" if talked else status}
        self.take(ev.CallEnded.model_validate(over))
        return step.touch, at.astimezone(HOME)

    def text(self) -> tuple[str, datetime]:
        """The next step, which has to be a text."""
        step, at = self.next()
        assert isinstance(step, plan.Text), step
        self.take(ev.TextSent(at=at, touch=step.touch, message=step.message, sid="SM"))
        return step.touch, at.astimezone(HOME)


# ---- days and parts of the day -----------------------------------------------------------------------------------


def test_a_call_comes_in_another_part_of_the_day_than_the_last_that_nobody_took() -> None:
    life = Life(book(call("one"), call("two", timedelta(days=1), part="other"), call("three", timedelta(days=1), part="other")))
    assert life.dial()[1].strftime("%a %H:%M") == "Mon 10:00"
    assert life.dial()[1].strftime("%a %H:%M") == "Tue 11:30"
    assert life.dial()[1].strftime("%a %H:%M") == "Wed 13:30"


def test_a_call_that_was_taken_leaves_the_time_of_the_next_as_it_is() -> None:
    life = Life(book(call("one"), call("two", timedelta(days=1), part="other")))
    life.dial(talked="Not now, thanks.")
    assert life.dial()[1].strftime("%a %H:%M") == "Tue 10:00"


def test_a_touch_has_its_day_of_the_pass_its_weekdays_and_its_part() -> None:
    life = Life(book(call("one"), call("two", day=3, part="morning"), call("three", timedelta(hours=1), days=("tue", "thu"), part="evening")))
    life.dial()
    assert life.dial()[1].strftime("%a %H:%M") == "Wed 08:00"
    assert life.dial()[1].strftime("%a %H:%M") == "Thu 17:30"


def test_a_part_of_the_day_is_waited_for_no_longer_than_the_playbook_says() -> None:
    made = book(call("one"), call("two", timedelta(hours=1), part="evening"), wait_for_part=timedelta(hours=2))
    life = Life(made)
    life.dial()
    assert life.dial()[1].strftime("%a %H:%M") == "Mon 11:00"


def test_a_part_that_the_law_never_allows_gives_way() -> None:
    rules = Rulebook(name="x", reviewed=MONDAY.date(), hours=(HoursRow(where=("*",), opens="09:00", closes="17:00", source="a test"),))
    life = Life(book(call("one"), call("two", timedelta(hours=1), part="evening"), rules=rules))
    life.dial()
    assert life.dial()[1].strftime("%a %H:%M") == "Mon 11:00"


# ---- what they told us -------------------------------------------------------------------------------------------

STANDING = {
    "Mornings are best for me": "parts:morning",
    "please only call me in the afternoon": "parts:afternoon",
    "Afternoons please": "parts:afternoon",
    "Best time to reach me is evenings": "parts:evening",
    "try me at lunchtimes": "parts:midday",
    "Don't call me in the morning, I'm asleep": "parts:midday afternoon evening",
    "mornings don't work for me": "parts:midday afternoon evening",
    "I'm busy in the mornings": "parts:midday afternoon evening",
    "Call me after 5": "after:17:00",
    "You can reach me between 9 and 11 am": "after:09:00 before:11:00",
    "Call before noon": "before:12:00",
    "I'm only free on weekends": "days:sat sun",
    "Never call on Mondays": "days:tue wed thu fri sat sun",
}
NO_STANDING = (
    "Good morning, who is this?", "call me tomorrow morning", "Call me this afternoon", "call me in 20 minutes",
    "Can you call back on Tuesday morning?", "We count stock in the mornings and it takes hours", "we ship on Mondays",
    "Call me after lunch tomorrow", "Call me after 5:75", "ring before 9:60 pm", "call me after 45", "We start at 8 in the morning", "Our drivers call in every morning", "yes",
)  # fmt: skip


@pytest.mark.parametrize(("words", "told"), STANDING.items())
def test_what_they_say_of_their_time_is_understood(words: str, told: str) -> None:
    found = preference(words)
    assert found
    named = {"parts": " ".join(found.parts), "after": found.after, "before": found.before, "days": " ".join(found.days)}
    assert " ".join(f"{name}:{value}" for name, value in named.items() if value) == told


@pytest.mark.parametrize("words", NO_STANDING)
def test_what_is_about_one_call_or_something_else_is_no_preference(words: str) -> None:
    assert preference(words) is None


def test_what_they_told_us_by_text_or_on_the_phone_is_kept_by_every_call_after_it() -> None:
    made = book(call("one"), call("two", timedelta(hours=1)), text("three", timedelta(hours=1)), call("four", timedelta(days=1)))
    life = Life(made)
    life.dial(talked="Could you call me in the evenings from now on?".replace("from now on", "please"))
    assert life.dial()[1].strftime("%a %H:%M") == "Mon 17:30"
    assert life.text()[1].strftime("%a %H:%M") == "Mon 18:30"
    life.take(ev.MessageReceived(at=life.now, text="Mornings are better"))
    assert life.dial()[1].strftime("%a %H:%M") == "Wed 08:00"
    assert [e.data["words"] for e in life.state.entries if e.kind == "preference"][-1] == "Mornings are better"


def test_a_form_that_names_a_time_to_call_is_believed_and_a_promise_goes_before_it() -> None:
    life = Life(book(call("one"), call("two", timedelta(days=1))), attributes={"best_time": "Afternoons", "uptime": "mornings"})
    assert life.dial()[1].strftime("%a %H:%M") == "Mon 13:30"
    at = life.now + timedelta(hours=20)
    asked = ev.ActionAsked(at=life.now, id="r1", action=ev.CallBack(at=at), by="agent")
    life.take(asked)
    touch, when = life.dial()
    assert (touch, when) == ("callback/2", at.astimezone(HOME))


# ---- what the last call came to, and what they did --------------------------------------------------------------


def test_a_busy_line_is_tried_again_as_often_as_the_playbook_says() -> None:
    made = book(call("one"), call("two", timedelta(days=1)), outcomes={"busy": Reaction(again=timedelta(minutes=10), times=2)})
    life = Life(made)
    times = [life.dial("busy") for _ in range(4)]
    assert [touch for touch, _ in times] == ["cadence/1/0/one", "redial/1/0/one", "redial/1/0/one", "cadence/1/1/two"]
    assert [when.strftime("%a %H:%M") for _, when in times[:3]] == ["Mon 10:00", "Mon 10:10", "Mon 10:20"]
    assert life.dial("no-answer")[0] == "redial/1/1/two"


def test_a_number_that_the_carrier_refuses_is_texted_only() -> None:
    made = book(call("one"), call("two", timedelta(hours=1)), text("three", timedelta(hours=1)), outcomes={"refused": Reaction(skip=("call",))})
    life = Life(made)
    step, at = life.next()
    assert isinstance(step, plan.Dial)
    life.take(ev.CallNotPlaced(at=at, attempt=step.attempt, why="twilio answered 400 with code 21211", permanent=True))
    assert life.text()[0] == "cadence/1/2/three"
    assert life.state.passed == {"cadence/1/1/two": "refused"}


def test_who_looked_at_times_and_booked_none_is_called_sooner_and_on_the_channel_of_the_playbook() -> None:
    touches = (call("one"), text("two", timedelta(days=1)), call("three", timedelta(days=2)))
    life = Life(book(*touches, engaged=Engaged(after=timedelta(minutes=30), channel="call")))
    life.dial()
    life.now += timedelta(hours=2)
    looked = life.now
    life.take(ev.ActionAsked(at=looked, id="times:1", action=ev.OfferSlots(), by="lead"), ev.SlotsFound(at=looked, request="times:1"))
    assert life.dial() == ("cadence/1/2/three", (looked + timedelta(minutes=30)).astimezone(HOME))
    assert life.state.passed == {"cadence/1/1/two": "engaged"}


def test_who_writes_with_us_is_not_called_meanwhile() -> None:
    life = Life(book(call("one"), call("two", timedelta(hours=1)), texting=timedelta(minutes=10)))
    life.dial()
    step, at = life.next()
    assert isinstance(step, plan.Dial), "it waits in the queue"
    life.take(ev.MessageReceived(at=at, id="m1", text="What does it cost?"))
    waits = plan.next_step(life.state, life.book, at)
    assert (waits.rule, isinstance(waits, plan.Wait)) == ("texting", True)
    life.take(ev.CallNotPlaced(at=at, attempt=step.attempt, why="no_longer_wanted"))
    assert isinstance(plan.next_step(life.state, life.book, at), plan.Converse)
    life.take(ev.TextAnswered(at=at, messages=("m1",), reply=""))
    assert life.dial() == ("cadence/1/1/two", (at + timedelta(minutes=10)).astimezone(HOME))


# ---- after hours, and the opening --------------------------------------------------------------------------------

LATE = datetime(2027, 3, 16, 4, 30, tzinfo=UTC)  # half past nine in the evening


def test_after_hours_a_text_goes_out_where_its_hours_allow_it_and_the_call_at_the_first_minute() -> None:
    rules = Rulebook(name="x", reviewed=MONDAY.date(), hours=(
        HoursRow(where=("*",), opens="08:00", closes="21:00", channels=("call",), source="a test"),
        HoursRow(where=("*",), opens="07:00", closes="22:00", channels=("text",), source="a test"),
    ))  # fmt: skip
    open_longer = {"hours": playbook().hours.model_copy(update={"opens": "00:00", "closes": "24:00"})}
    asked = AfterHours(message="question", wait=timedelta(minutes=30))
    made = book(call("one"), rules=rules, after_hours=asked).model_copy(update=open_longer)
    register([made])
    life = Life(made, LATE)
    assert life.text() == ("after_hours/1", LATE.astimezone(HOME))
    assert life.dial()[1].strftime("%a %H:%M:%S") == "Tue 08:00:00"
    night = Life(made, LATE + timedelta(hours=2))
    assert night.text()[1].strftime("%a %H:%M") == "Tue 07:00"
    assert night.dial()[1].strftime("%a %H:%M") == "Tue 08:00"
    same = made.model_copy(update={"rules": playbook().rules})
    register([same])
    assert Life(same, LATE).dial()[1].strftime("%a %H:%M") == "Tue 08:00"


@pytest.mark.parametrize("burst", [False, True], ids=["all night", "in one minute"])
def test_hundreds_that_wait_for_the_same_minute_are_spread_with_the_freshest_first(burst: bool) -> None:
    """300 leads over four minutes: never more than four a second, however they came; all at once it would be 300."""
    spread, opening = timedelta(minutes=4), datetime(2027, 3, 16, 15, 0, tzinfo=UTC)
    made = book(call("one"), opening_spread=spread).model_copy(update={"rules": None})
    register([made])
    dialled = []
    for number in range(300):
        life = Life(made, LATE + timedelta(seconds=0 if burst else 120 * number), lead=f"lead-{number}")
        waits = plan.next_step(life.state, made, life.now)
        assert isinstance(waits, plan.Wait)
        assert waits.until
        assert opening <= waits.until < opening + spread
        if number % 30 == 0:  # whatever wakes it meanwhile, its place stays the same
            again = plan.next_step(life.state, made, max(opening, waits.until - timedelta(seconds=1)))
            assert isinstance(again, plan.Wait)
            assert again.until == waits.until
            assert life.dial()[1] == waits.until
        dialled.append((waits.until - opening).total_seconds())
    tens = Counter(int(at) // 10 for at in dialled)
    assert max(tens.values()) <= 40, "four a second"
    if not burst:
        fresh, stale = sorted(dialled[200:]), sorted(dialled[:100])
        assert fresh[50] < stale[50] - 30


def test_who_was_never_called_goes_before_those_who_were() -> None:
    made = book(call("one"), call("two", timedelta(hours=8)), opening_spread=timedelta(minutes=4))
    life = Life(made, LATE - timedelta(hours=1))
    life.dial()
    when = life.dial()[1]
    assert timedelta(minutes=4) <= when - when.replace(hour=8, minute=0, second=0, microsecond=0) < timedelta(minutes=8)


def test_one_that_came_in_hours_is_called_at_once() -> None:
    assert Life(book(call("one"), opening_spread=timedelta(minutes=4))).dial()[1] == MONDAY.astimezone(HOME)
