"""Whatever is learned of where somebody is, and in whatever order: nothing is dialled or sent in hours that are forbidden there.
The hours are those of ``tests/lawbook.py``, which shares nothing with the calling gate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lawbook import BOOK, RULES, allowed
from tests.stage import form
from tests.test_plan import World
from workflows import events as ev
from workflows import plan
from workflows.calling import zones
from workflows.lead import Lead
from workflows.refusals import purpose_of
from workflows.story import apply

PHONES = ("+14155550123", "+12125550123", "+18505550123", "+18085550123", "+19075550123", "+14015550123", "+15125550123")
REGIONS = ("", "US-FL", "US-TX", "US-UT", "US-RI", "US-HI", "US-KY")
ZONES = ("", "America/New_York", "America/Los_Angeles", "America/Phoenix", "Pacific/Honolulu", "America/Anchorage", "Europe/London")
_BLINK = timedelta(seconds=1)


class Mover(World):
    """Somebody of whom it is learned, at any moment, that they are elsewhere; dials wait in the queue meanwhile."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.state = Lead(lead="lead-x", audience=BOOK.audience, playbook=BOOK.hash)
        # At the edges of days, of clock changes and of weeks more often than between them.
        edge = self.draw.choice(((2027, 3, 13), (2027, 3, 14), (2027, 11, 7), (2027, 7, 3), (2027, 5, 30)))
        self.now = datetime(*edge, self.draw.randrange(24), self.draw.choice((0, 59)), self.draw.choice((0, 59)), tzinfo=UTC)
        self.take(ev.FormSubmitted(at=self.now, form=form(phone=self.draw.choice(PHONES), region=self.draw.choice(REGIONS))))

    # ---- what is learned

    def surprise(self) -> None:
        self.count += 1
        match self.draw.randrange(8):
            case 0 | 1:  # they say so, or moved
                self.take(ev.FormSubmitted(at=self.now, form=form(
                    submission_id=f"z{self.count}", phone=self.state.phone, zone=self.draw.choice(ZONES), region=self.draw.choice(REGIONS)
                )))  # fmt: skip
            case 2:  # another number, under the same address
                self.take(ev.FormSubmitted(at=self.now, form=form(
                    submission_id=f"z{self.count}", phone=self.draw.choice(PHONES), phone_hash=f"{self.count:032}"
                )))  # fmt: skip
            case 3:  # a person corrects it
                self.take(ev.CallUnknown(at=self.now, attempt=f"gone-{self.count}"))  # something to look at
                field, value = self.draw.choice([("zone", zone) for zone in ZONES[1:]] + [("region", region) for region in REGIONS[1:]])
                for item in self.state.items[:1]:
                    self.take(ev.ReviewResolved(at=self.now, item=item.id, way="correct", by="ana", field=field, value=value))
            case 4:
                self.take(ev.Held(at=self.now, by="ops"))
                self.now += timedelta(minutes=self.draw.randrange(60 * 30))
            case 5:
                self.take(ev.Resumed(at=self.now, by="ops", spread=timedelta(seconds=self.draw.randrange(1800))))
            case _:
                super().surprise()

    # ---- what goes out

    def perform(self, step: plan.Step) -> None:
        call = self.state.call
        if isinstance(step, plan.Dial) and self.draw.random() < 0.4:  # it waits for the carrier's rate
            self.now += timedelta(seconds=self.draw.randrange(90))
            if self.draw.random() < 0.5:
                self.surprise()
            return
        if call is not None and call.state == "queued" and not isinstance(step, plan.Dial):
            self.take(ev.CallNotPlaced(at=self.now, attempt=call.attempt, why="no_longer_wanted"))  # as the workflow calls it off
            return
        super().perform(step)

    def dial(self, step: plan.Dial) -> None:
        self.must_be_allowed(step.touch, self.now)
        self.must_be_allowed(f"{step.touch} at its latest", step.not_after - _BLINK)
        state = self.state
        assert not any((state.held_by, state.held_scope, state.taken_over_by, state.suspended_at, state.opted_out_at))
        super().dial(step)

    def text(self, step: plan.Text) -> None:
        match purpose_of(step.touch):
            case "solicit":
                self.must_be_allowed(step.touch, self.now)
                self.must_be_allowed(f"{step.touch} at its latest", step.not_after - _BLINK)
            case "service":
                for zone, at in ((zone, at) for zone in self.there() for at in (self.now, step.not_after - _BLINK)):
                    assert 8 <= at.astimezone(ZoneInfo(zone)).hour < 21, (step.touch, zone, at)
        super().text(step)

    def there(self) -> tuple[str, ...]:
        person = self.state.person
        assert person is not None
        return zones(person.phone, person.region, person.zone, RULES)

    def must_be_allowed(self, what: str, at: datetime) -> None:
        person = self.state.person
        assert person is not None
        states = {place[3:] for place in (person.region, RULES.area(person.phone)[0]) if place}
        assert allowed(states, self.there(), at), f"{what} at {at}, in {states} and {self.there()}"


@settings(max_examples=30)
@given(st.integers(0, 10**9), st.integers(4, 14))
def test_in_any_order_of_events_nothing_goes_out_in_forbidden_hours(seed: int, surprises: int) -> None:
    world = Mover(seed)
    world.run(surprises)
    assert world.state.closed


def test_the_random_lives_do_dial_and_move() -> None:
    """The property is of something: most lives are dialled, after their zones had changed."""
    worlds = [Mover(seed) for seed in range(12)]
    for world in worlds:
        world.run(8)
    assert sum(len(world.dials) for world in worlds) > 30
    assert sum(len(world.state.submissions) > 1 for world in worlds) > 6


# ---- the edges one by one --------------------------------------------------------------------------------------------


def waiting(at: datetime, **over: str) -> tuple[Lead, plan.Step]:
    state = apply(Lead(lead="lead-x", audience=BOOK.audience, playbook=BOOK.hash), ev.FormSubmitted(at=at, form=form(**over)))
    return state, plan.next_step(state, BOOK, at)


NIGHT = datetime(2027, 3, 10, 12, 30, tzinfo=UTC)  # half past four in San Francisco, half past eight in New York


def test_who_turns_out_to_be_further_west_waits_for_their_own_morning() -> None:
    state, step = waiting(NIGHT + timedelta(hours=3), phone="+12125550123")
    assert isinstance(step, plan.Settle), "half past eleven in New York"
    state, step = waiting(NIGHT, phone="+14155550123")
    assert isinstance(step, plan.Wait)
    opens = datetime(2027, 3, 10, 16, 0, tzinfo=UTC)
    assert step.until is not None
    assert opens <= step.until < opens + BOOK.cadence.opening_spread
    moved = apply(state, ev.FormSubmitted(at=NIGHT, form=form(submission_id="s2", zone="Pacific/Honolulu")))
    later = plan.next_step(moved, BOOK, NIGHT)
    assert isinstance(later, plan.Wait)
    assert later.until is not None
    assert later.until >= datetime(2027, 3, 10, 18, 0, tzinfo=UTC), "eight in Honolulu"


@pytest.mark.parametrize("seconds", [0, 30, 119])
def test_a_dial_that_was_decided_on_is_called_off_when_their_zone_is_learned(seconds: int) -> None:
    at = datetime(2027, 3, 10, 16, 30, tzinfo=UTC) + timedelta(seconds=seconds)
    state, step = waiting(at, phone="+14155550123")
    assert isinstance(step, plan.Settle)
    state = apply(state, step.event)
    assert isinstance(plan.next_step(state, BOOK, at), plan.Dial)
    state = apply(state, ev.FormSubmitted(at=at, form=form(submission_id="s2", zone="Pacific/Honolulu")))
    assert isinstance(plan.next_step(state, BOOK, at), plan.Wait), "half past six in Honolulu"


def test_the_hours_end_an_offer_of_new_times_and_a_reminder_too() -> None:
    """Five minutes before nine in the evening: what waits for the carrier must not go out after nine."""
    closes = datetime(2027, 3, 11, 5, 0, tzinfo=UTC)
    now = closes - timedelta(minutes=5)
    meeting = ev.Booking(id="b1", rep="ana", rep_name="Ana", start=now - timedelta(minutes=10), end=now + timedelta(minutes=20))
    slot = ev.Slot(id="s1", rep="ana", start=now + timedelta(days=2), end=now + timedelta(days=2, minutes=30))
    state, _ = waiting(now - timedelta(days=3), phone="+14155550123")
    state = apply(state, ev.MeetingBooked(at=now - timedelta(days=2), request="", booking=meeting)).but(due_texts=())
    missed = apply(state, ev.AttendanceReported(at=now, booking="b1", present=False, source="rep", by="ana"))
    while isinstance(step := plan.next_step(missed, BOOK, now), plan.Settle):
        missed = apply(missed, step.event)
    assert isinstance(step, plan.FindTimes)
    missed = apply(missed, ev.SlotsFound(at=now, request=step.request.id, slots=(slot,)))
    step = plan.next_step(missed, BOOK, now)
    assert isinstance(step, plan.Text)
    assert (step.message, step.not_after) == ("missed_offer", closes)
    moved = meeting.model_copy(update={"start": closes + timedelta(hours=3), "end": closes + timedelta(hours=4)})
    reminded = plan.next_step(state.but(booking=moved), BOOK, now)
    assert isinstance(reminded, plan.Text)
    assert (reminded.message, reminded.not_after) == ("reminder", closes)
