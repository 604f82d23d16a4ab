"""Finding, booking, moving and releasing meetings: the real ledgers and turns, the real SDK against Google's stand-in,
with every step failing before and after it took effect. Afterwards calendar, ledger and turns must tell one story.
"""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import faults, ledger, library, meetings, roster
from activities.settings import settings
from activities.vendors import google
from tests.fixtures.books import Books
from tests.fixtures.temporal import Patience, running_worker
from workflows import playbook, slots
from workflows.effects import Booked, BookMeeting, FindSlots, ReleaseMeeting, SlotsAnswer
from workflows.events import Booking, Slot
from workflows.ledger import AskTaken
from workflows.rep_workflow import RepWorkflow
from workflows.roster import Rep, Team
from workflows.rotation import AssignTurn, Outcome, SetActive
from workflows.team_workflow import TeamWorkflow

NOW = datetime(2032, 3, 1, 12, tzinfo=UTC)
START = datetime(2032, 3, 2, 15, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
ALWAYS = {day: ("00:00-24:00",) for day in range(7)}


@dataclass
class Desk:
    """A team of two, new for each test, and the activities run as Temporal would run them."""

    client: Client
    books: Books
    team: str
    ana: str
    ben: str
    book: str
    """The playbook's hash."""

    def calendar(self, rep: str) -> str:
        return f"{rep}@tallyhook.example"

    async def run(self, activity: Callable[..., Any], request: Any, patience: int = 10) -> Any:
        """The activity, repeated while its errors allow it; each attempt a new environment."""
        for attempt in range(1, patience + 1):
            env = ActivityEnvironment(self.client)
            env.info = dataclasses.replace(
                env.info,
                attempt=attempt,
                activity_id=request.model_dump_json()[:200],
                schedule_to_close_timeout=timedelta(seconds=25),
                retry_policy=RetryPolicy(),
            )
            try:
                return await env.run(activity, request)
            except ApplicationError as error:
                if error.non_retryable or attempt == patience:
                    raise
        raise AssertionError("never")

    async def find(self, **more: Any) -> SlotsAnswer:
        asked = {"lead": lead(), "zone": "America/New_York", "count": 3, **more}
        return await self.run(meetings.find_slots, FindSlots(team=self.team, playbook=self.book, now=NOW, **asked))

    def request(self, rep: str, start: datetime = START, **more: Any) -> BookMeeting:
        slot = Slot(id=slots.slot_id(rep, start), rep=rep, start=start, end=start + HALF_HOUR)
        asked = {
            "lead": lead(), "booking": secrets.token_hex(10), "attendee": "lead@example.com", "attendee_name": "Kim",
            "zone": "America/New_York", "title": "Demo: Kim", "notes": "team size: 12", **more,
        }  # fmt: skip
        return BookMeeting(team=self.team, playbook=self.book, slot=slot, now=NOW, **asked)

    async def book_at(self, rep: str, start: datetime = START, **more: Any) -> Booking:
        done: Booked = await self.run(meetings.book_meeting, self.request(rep, start, **more))
        assert done.booking is not None, done.refused
        return done.booking

    def release(self, booking: Booking, **more: Any) -> ReleaseMeeting:
        return ReleaseMeeting(team=self.team, booking=booking, now=NOW, why="cancelled", **more)

    def events(self, rep: str) -> list[dict[str, Any]]:
        """What stands in the calendar under our mark."""
        calendars = {one["id"]: one for one in self.books.state("google")["calendars"]}
        found = calendars.get(self.calendar(rep), {"events": []})["events"]
        return [event for event in found if event["status"] != "cancelled" and "extendedProperties" in event]

    async def ledger(self, rep: str) -> list[datetime]:
        asked = AskTaken(since=NOW, until=NOW + timedelta(days=30), now=NOW)
        return [time.start for time in (await ledger.taken(self.client, rep, asked)).times]

    async def turns(self) -> dict[str, int]:
        found = await roster.shares(self.client, self.team)
        assert sum(row.drift for row in found.shares) == pytest.approx(0, abs=0.01)
        return {row.rep: row.had for row in found.shares}

    async def agrees(self, expected: dict[str, list[datetime]]) -> None:
        """Calendar, ledger and turns hold these meetings and no other."""
        for rep in (self.ana, self.ben):
            times = sorted(expected.get(rep, []))
            in_calendar = sorted(datetime.fromisoformat(event["start"]["dateTime"]) for event in self.events(rep))
            assert in_calendar == times, f"calendar of {rep}"
            assert await self.ledger(rep) == times, f"ledger of {rep}"
        assert await self.turns() == {rep: len(expected.get(rep, [])) for rep in (self.ana, self.ben)}


def lead() -> str:
    return f"lead-{secrets.token_hex(16)}"


@pytest.fixture
async def desk(client: Client, books: Books) -> AsyncIterator[Desk]:
    async with open_desk(client, books) as made:
        yield made


@asynccontextmanager
async def open_desk(
    client: Client, books: Books, workflows: Sequence[type] = (), acts: Sequence[Callable[..., Any]] = ()
) -> AsyncIterator[Desk]:
    """A desk whose worker has these workflows and activities too."""
    sales = next(b for b in library.playbooks(settings().showrate_playbooks) if b.meeting.length == HALF_HOUR)
    playbook.register([sales])
    tag = secrets.token_hex(4)
    ana, ben = f"ana-{tag}", f"ben-{tag}"
    reps = [
        Rep(id=rep, name=name, calendar=f"{rep}@tallyhook.example", zone=zone, hours=ALWAYS)
        for rep, name, zone in ((ana, "Ana", "America/New_York"), (ben, "Ben", "America/Los_Angeles"))
    ]
    async with running_worker(client, [RepWorkflow, TeamWorkflow, *workflows], acts):
        await roster.set_roster(client, Team(id=f"sales-{tag}", reps=tuple(reps)))
        yield Desk(client, books, f"sales-{tag}", ana, ben, sales.hash)


# ---- finding -----------------------------------------------------------------------------------------------------


async def test_reads_everybody_where_those_whose_turn_it_is_are_full(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """"Nobody has a time" is never said while another host is free (cal.com #17693)."""
    monkeypatch.setattr(meetings, "_FEW", 1)
    times = {"start": NOW.isoformat(), "end": (NOW + timedelta(days=90)).isoformat()}
    desk.books.seed("google", busy=[{"calendar": desk.calendar(desk.ana), **times}])
    answer = await desk.find()
    assert [slot.rep for slot in answer.slots] == [desk.ben] * 3
    desk.books.seed("google", busy=[{"calendar": desk.calendar(desk.ben), **times}])
    nobody = await desk.find()
    assert nobody.slots == ()
    assert "Ana" in nobody.why
    assert "Ben" in nobody.why


async def test_offers_the_next_reps_free_times(desk: Desk) -> None:
    answer = await desk.find()
    assert [slot.rep for slot in answer.slots] == [desk.ana] * 3
    assert answer.why == ""
    assert all(slot.start >= NOW + timedelta(hours=1) for slot in answer.slots)
    assert [r.path.rsplit("/", 1)[-1] for r in desk.books.requests("google")] == ["freeBusy"]
    other = await desk.find()
    assert [slot.rep for slot in other.slots] == [desk.ben] * 3  # ana's times are on offer to somebody


async def test_never_offers_what_calendar_or_ledger_take(desk: Desk) -> None:
    taken = (START - timedelta(hours=1), START)
    times = {"start": taken[0].isoformat(), "end": taken[1].isoformat(), "summary": "dentist"}
    desk.books.seed("google", busy=[{"calendar": desk.calendar(desk.ana), **times}])
    await ledger.hold(desk.client, desk.ana, holding("x", START + HALF_HOUR))
    window = {"not_before": START - timedelta(hours=2), "not_after": START + timedelta(hours=2)}
    answer = await desk.find(rep=desk.ana, count=50, **window)
    starts = [slot.start - START for slot in answer.slots]
    # Ten minutes of buffer on both sides of the dentist and of the hold leave nothing beside them.
    assert starts == [timedelta(minutes=m) for m in (-120, 90, 120)]


def holding(booking: str, start: datetime) -> Any:
    return ledger.HoldTime(
        booking=booking, start=start, end=start + HALF_HOUR, now=NOW, until=NOW + timedelta(hours=1),
        before=timedelta(minutes=10), after=timedelta(minutes=10),
    )  # fmt: skip


async def test_an_unreadable_calendar_is_never_free(desk: Desk) -> None:
    """HubSpot: a disconnected calendar counts as always free."""
    desk.books.seed("google", unreadable=[desk.calendar(desk.ana)])
    answer = await desk.find()
    assert [slot.rep for slot in answer.slots] == [desk.ben] * 3
    assert answer.why == "Ana's calendar could not be read"
    desk.books.seed("google", unreadable=[desk.calendar(desk.ana), desk.calendar(desk.ben)])
    answer = await desk.find()
    assert answer.slots == ()
    assert "Ana's calendar could not be read" in answer.why
    assert "Ben's calendar could not be read" in answer.why


async def test_one_stumble_of_the_vendor_is_not_told_to_anybody(desk: Desk) -> None:
    desk.books.fault("google", "500", path="freeBusy")
    answer = await desk.find()
    assert (len(answer.slots), answer.why) == (3, "")


async def test_a_calendar_that_does_not_answer_costs_one_time_out(
    desk: Desk, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meetings, "_LOOKING", timedelta(seconds=1))
    desk.books.fault("google", "slow", path="freeBusy", delay=3, times=9)
    with patience(2):
        answer = await desk.find()
    assert answer.slots == ()
    assert answer.why == "Ana's calendar could not be read; there was no time left to read Ben's calendar"
    assert len(desk.books.requests("google")) == 1


async def test_the_owner_comes_first_and_a_move_keeps_its_rep(desk: Desk) -> None:
    assert {slot.rep for slot in (await desk.find(owner=desk.ben)).slots} == {desk.ben}
    booking = await desk.book_at(desk.ana)
    window = {"not_before": START - HALF_HOUR, "not_after": START + HALF_HOUR}
    answer = await desk.find(rep=desk.ana, ignore=booking.id, **window)
    assert {slot.rep for slot in answer.slots} == {desk.ana}
    assert START in {slot.start for slot in answer.slots}  # the lead's own meeting is not in its way
    answer = await desk.find(rep=desk.ana, exclude=tuple(slot.id for slot in answer.slots), **window)
    assert answer.slots == ()
    assert answer.why == "no other free time with Ana in the range asked for"


async def test_a_rep_switched_off_is_not_offered(desk: Desk) -> None:
    await roster.set_active(desk.client, desk.team, SetActive(rep=desk.ana, active=False, by="ops"))
    assert {slot.rep for slot in (await desk.find()).slots} == {desk.ben}
    refused = await desk.run(meetings.book_meeting, desk.request(desk.ana))
    assert refused.refused == "Ana takes no meetings now"
    await desk.agrees({})


async def test_a_team_that_nobody_wrote_down_is_named(desk: Desk) -> None:
    with pytest.raises(ApplicationError, match=r"there is no team nobody; write nobody\.team\.yml") as error:
        await desk.run(
            meetings.find_slots,
            FindSlots(lead=lead(), team="nobody", playbook=desk.book, now=NOW, zone="UTC", count=3),
        )
    assert error.value.type == "permanent"


# ---- booking -----------------------------------------------------------------------------------------------------


async def test_books_once_and_says_why_this_rep(desk: Desk) -> None:
    request = desk.request(desk.ana)
    done: Booked = await desk.run(meetings.book_meeting, request)
    assert done.booking is not None
    assert (done.booking.rep_name, done.booking.start) == ("Ana", START)
    assert done.booking.reason.startswith("next in turn")
    await desk.agrees({desk.ana: [START]})
    [event] = desk.events(desk.ana)
    assert event["id"] == done.booking.event_id
    assert "https://showrate.example/j/" in event["location"]
    assert event["location"] in event["description"]
    assert event["attendees"][0]["email"] == "lead@example.com"
    assert event["extendedProperties"]["private"] == {"showrate_booking": request.booking}
    assert [r.path.rsplit("/", 1)[-1] for r in desk.books.requests("google")] == ["freeBusy", "events"]
    again: Booked = await desk.run(meetings.book_meeting, request)
    assert again == done
    await desk.agrees({desk.ana: [START]})


async def test_costs_three_updates(desk: Desk) -> None:
    await desk.book_at(desk.ana)
    updates = 0
    for entity in (f"rep-{desk.ana}", f"team-{desk.team}"):
        history = await desk.client.get_workflow_handle(entity).fetch_history()
        updates += sum(e.HasField("workflow_execution_update_accepted_event_attributes") for e in history.events)
    assert updates == 3 + 1  # set_roster is the fourth


async def test_a_taken_time_is_refused_and_nothing_is_left(desk: Desk) -> None:
    await desk.book_at(desk.ana)
    refused = await desk.run(meetings.book_meeting, desk.request(desk.ana, START + timedelta(minutes=35)))
    assert refused == Booked(refused="the time was taken")
    times = {"start": START.isoformat(), "end": (START + HALF_HOUR).isoformat()}
    desk.books.seed("google", busy=[{"calendar": desk.calendar(desk.ben), **times}])
    refused = await desk.run(meetings.book_meeting, desk.request(desk.ben))
    assert refused == Booked(refused="Ben is no longer free then")
    refused = await desk.run(meetings.book_meeting, desk.request(desk.ben, NOW - HALF_HOUR))
    assert refused == Booked(refused="that time has passed")
    await desk.agrees({desk.ana: [START]})


async def test_a_refusal_names_the_reps_nearest_free_times_to_a_person(desk: Desk) -> None:
    old = await desk.book_at(desk.ana, START - HALF_HOUR)
    times = {"start": START.isoformat(), "end": (START + HALF_HOUR).isoformat(), "summary": "dentist"}
    desk.books.seed("google", busy=[{"calendar": desk.calendar(desk.ana), **times}])
    move = desk.request(desk.ana, START, replaces=old, nearest=4)
    refused: Booked = await desk.run(meetings.book_meeting, move)
    assert refused.refused == "Ana is no longer free then"
    # The dentist wants ten minutes on both sides; where the meeting stands that is to be moved is no other time.
    assert [(slot.start - START) // timedelta(minutes=1) for slot in refused.nearest] == [-90, -60, 60, 90]
    assert {(slot.rep, slot.end - slot.start) for slot in refused.nearest} == {(desk.ana, HALF_HOUR)}
    moved = await desk.book_at(desk.ana, refused.nearest[0].start, replaces=old)
    assert moved.replaces == old.id
    desk.books.seed("google", unreadable=[desk.calendar(desk.ana)])
    unread: Booked = await desk.run(meetings.book_meeting, desk.request(desk.ana, START, replaces=moved, nearest=4))
    assert (unread.refused, unread.nearest) == ("Ana's calendar could not be read", ())


async def test_leads_that_book_one_time_at_once_get_one_meeting(desk: Desk) -> None:
    """cal.com #13397, #7703, PR #22401."""
    done = await asyncio.gather(
        *(desk.run(meetings.book_meeting, desk.request(desk.ana)) for _ in range(8)),
        *(desk.run(meetings.book_meeting, desk.request(desk.ben)) for _ in range(8)),
    )
    assert sum(one.booking is not None for one in done) == 2
    await desk.agrees({desk.ana: [START], desk.ben: [START]})


async def test_without_a_link_key_nothing_is_done(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOWRATE_LINK_KEY", "")
    settings.cache_clear()
    with pytest.raises(ApplicationError, match="SHOWRATE_LINK_KEY"):
        await desk.run(meetings.book_meeting, desk.request(desk.ana))
    await desk.agrees({})


# ---- the matrix: each step x each fault x before or after it took effect ---------------------------------------------

VENDOR = [("freeBusy", "POST", "freeBusy"), ("insert", "POST", "/events$")]
OURS = [("assign", roster, "assign"), ("hold", ledger, "hold"), ("commit", ledger, "commit")]


@pytest.mark.parametrize("times", [1, 50], ids=["once", "for-good"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["500", "429", "drop", "403", "400"])
@pytest.mark.parametrize("step", VENDOR, ids=[step[0] for step in VENDOR])
async def test_vendor_faults(desk: Desk, step: tuple[str, str, str], kind: str, when: str, times: int) -> None:
    _, method, path = step
    desk.books.fault("google", kind, when, method=method, path=path, times=times)
    request = desk.request(desk.ana)
    done: Booked = await desk.run(meetings.book_meeting, request)
    if done.booking:
        assert times == 1 or when == "after"
        await desk.agrees({desk.ana: [START]})
    else:
        assert done.refused
        await desk.agrees({})
    if times == 1 and kind in ("500", "drop", "429"):
        assert done.booking, "a single stumble must not cost the meeting"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", OURS, ids=[step[0] for step in OURS])
async def test_ledger_and_team_faults(
    desk: Desk, step: tuple[str, Any, str], when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Temporal's answer is lost, once: the next attempt finds what was done."""
    _, module, name = step
    real, left = getattr(module, name), [1]

    async def lost(*asked: Any) -> Any:
        answer = await real(*asked) if when == "after" or not left else None
        if left:
            left.pop()
            raise faults.retry("the answer was lost")
        return answer

    monkeypatch.setattr(module, name, lost)
    done: Booked = await desk.run(meetings.book_meeting, desk.request(desk.ana))
    assert done.booking is not None
    await desk.agrees({desk.ana: [START]})


@pytest.mark.parametrize("step", [*OURS, ("insert", google, "insert_event"), ("look", google, "free_busy")])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_booking_that_died_midway_is_released_whole(
    desk: Desk, step: tuple[str, Any, str], when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker is killed and the time is over: the lead releases a booking that was never answered for."""
    _, module, name = step
    real = getattr(module, name)

    class Killed(BaseException):
        pass

    async def dies(*asked: Any) -> Any:
        if when == "after":
            await real(*asked)
        raise Killed

    request = desk.request(desk.ana)
    with monkeypatch.context() as planted:
        planted.setattr(module, name, dies)
        with pytest.raises(Killed):
            await desk.run(meetings.book_meeting, request)
    undone = Booking(id=request.booking, rep=desk.ana, rep_name="", start=START, end=START + HALF_HOUR)
    await desk.run(meetings.release_meeting, desk.release(undone))
    await desk.agrees({})
    # The killed attempt was only slow, and comes back: it finds its booking spent.
    late = await desk.run(meetings.book_meeting, request)
    assert late.booking is None
    await desk.agrees({})


async def test_a_slow_attempt_that_writes_after_the_release_takes_its_event_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = desk.request(desk.ana)
    real = google.insert_event

    async def overtaken(*asked: Any) -> Any:
        undone = Booking(id=request.booking, rep=desk.ana, rep_name="", start=START, end=START + HALF_HOUR)
        await desk.run(meetings.release_meeting, desk.release(undone))
        return await real(*asked)

    monkeypatch.setattr(google, "insert_event", overtaken)
    late = await desk.run(meetings.book_meeting, request)
    assert late.refused.startswith("this booking was released")
    await desk.agrees({})


# ---- moving, releasing, outcome --------------------------------------------------------------------------------------

LATER = START + timedelta(days=1)


@pytest.mark.parametrize("to", ["same rep", "other rep", "overlapping"])
async def test_a_move_books_the_new_and_releases_the_old(desk: Desk, to: str) -> None:
    """cal.com #11547: nothing stays behind in the old rep's calendar."""
    old = await desk.book_at(desk.ana)
    rep = desk.ben if to == "other rep" else desk.ana
    start = START + timedelta(minutes=15) if to == "overlapping" else LATER
    new = await desk.book_at(rep, start, replaces=old)
    assert new.replaces == old.id
    assert new.reason.startswith("kept" if rep == desk.ana else "next in turn")
    await desk.agrees({rep: [start]})
    await desk.run(meetings.release_meeting, desk.release(new))
    await desk.agrees({})


async def test_a_move_that_is_refused_leaves_the_old_meeting(desk: Desk) -> None:
    old = await desk.book_at(desk.ana)
    await desk.book_at(desk.ana, LATER)
    refused = await desk.run(meetings.book_meeting, desk.request(desk.ana, LATER, replaces=old))
    assert refused.refused
    await desk.agrees({desk.ana: [START, LATER]})
    await desk.run(meetings.release_meeting, desk.release(old))
    await desk.agrees({desk.ana: [LATER]})


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_move_whose_old_event_stays_says_so(desk: Desk, when: str) -> None:
    old = await desk.book_at(desk.ana)
    desk.books.fault("google", "500", when, method="DELETE")
    done: Booked = await desk.run(meetings.book_meeting, desk.request(desk.ana, LATER, replaces=old))
    assert done.booking is not None
    assert done.unreleased == old
    await desk.run(meetings.release_meeting, desk.release(old))
    await desk.agrees({desk.ana: [LATER]})


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["500", "429", "drop"])
async def test_a_release_is_repeated_until_it_is_done(desk: Desk, kind: str, when: str) -> None:
    booking = await desk.book_at(desk.ana)
    desk.books.fault("google", kind, when, method="DELETE", times=3)
    await desk.run(meetings.release_meeting, desk.release(booking))
    await desk.run(meetings.release_meeting, desk.release(booking))
    await desk.agrees({})


async def test_a_release_that_the_calendar_refuses_frees_the_rest_and_says_so(desk: Desk) -> None:
    booking = await desk.book_at(desk.ana)
    desk.books.fault("google", "401", method="DELETE")
    with pytest.raises(ApplicationError) as error:
        await desk.run(meetings.release_meeting, desk.release(booking))
    assert error.value.type == "permanent"
    assert await desk.ledger(desk.ana) == []
    assert await desk.turns() == {desk.ana: 0, desk.ben: 0}


async def test_the_event_may_stay(desk: Desk) -> None:
    booking = await desk.book_at(desk.ana)
    await desk.run(meetings.release_meeting, desk.release(booking, keep_event=True))
    assert len(desk.events(desk.ana)) == 1
    assert await desk.ledger(desk.ana) == []


async def test_a_no_show_gives_the_turn_back(desk: Desk) -> None:
    booking = await desk.book_at(desk.ana)
    for showed, had in ((False, 0), (False, 0), (True, 1), (False, 0)):
        await roster.outcome(desk.client, desk.team, Outcome(booking=booking.id, showed=showed))
        assert (await desk.turns())[desk.ana] == had


async def test_a_team_starts_itself_from_its_file(client: Client, books: Books) -> None:
    """``make demo`` asks before anybody has set the roster."""
    async with running_worker(client, [RepWorkflow, TeamWorkflow]):
        taken = await roster.assign(client, "sales", AssignTurn(booking="b1", lead=lead(), rep="ana", now=NOW))
        assert taken.rep is not None
        assert taken.rep.name == "Ana Torres"
