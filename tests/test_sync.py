"""The ledgers and the reps' calendars kept in agreement: real ledgers, the real SDK against Google's stand-in, and what
the leads are told."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import cursors, ledger, meetings, roster, sync
from activities.settings import settings
from tests.fixtures.books import Books
from tests.fixtures.web import TOKEN, Site
from tests.test_google_changes import by_hand, times
from tests.test_meetings import Desk, lead, open_desk
from tests.toys import Hears
from workflows import messages
from workflows.effects import SyncCalendars, Synced
from workflows.events import Booking, CalendarChanged, Slot
from workflows.ledger import AskAhead

EVERY = timedelta(minutes=5)
HOUR = timedelta(hours=1)
HALF = HOUR / 2


class Office:
    """A team whose calendars are read. ``now`` is the reading's; meetings are on the day after."""

    def __init__(self, desk: Desk, client: Client) -> None:
        self.desk, self.client, self.books = desk, client, desk.books
        self.now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        self.start = self.now + timedelta(days=1)
        self.leads: list[str] = []

    async def booked(self, rep: str = "", later: timedelta = timedelta(0), **more: Any) -> tuple[str, Booking]:
        """A lead's meeting, and the lead."""
        name = lead()
        await self.client.start_workflow("Hears", id=name, task_queue=messages.QUEUE)
        self.leads.append(name)
        return name, await self.book(name, rep, later, **more)

    async def book(self, name: str, rep: str = "", later: timedelta = timedelta(0), **more: Any) -> Booking:
        start = self.start + later
        request = self.desk.request(rep or self.desk.ana, start, lead=name, **more)
        done = await self.desk.run(meetings.book_meeting, request.model_copy(update={"now": self.now}))
        assert done.booking is not None, done.refused
        return done.booking

    async def read(self, after: timedelta = timedelta(0), attempt: int = 1) -> Synced:
        """One reading, ``after`` from the last."""
        self.now += after
        env = ActivityEnvironment(self.client)
        env.info = dataclasses.replace(env.info, attempt=attempt, retry_policy=RetryPolicy(maximum_attempts=3))
        return await env.run(sync.sync_calendars, SyncCalendars(every=EVERY, now=self.now))

    async def ledger(self, rep: str = "") -> list[datetime]:
        ahead = await ledger.ahead(self.client, rep or self.desk.ana, AskAhead(now=self.now))
        return [meeting.start for meeting in ahead]

    async def heard(self, name: str) -> list[CalendarChanged]:
        handle = self.client.get_workflow_handle(name)
        return await asyncio.wait_for(handle.query("heard", result_type=list[CalendarChanged]), 10)

    async def changes(self, name: str) -> list[str]:
        return [each.change for each in await self.heard(name)]

    def hand(self, method: str, booking: Booking, rep: str = "", **body: Any) -> None:
        by_hand(self.books, method, f"/{booking.event_id}", self.desk.calendar(rep or self.desk.ana), **body)

    def dentist(self, start: datetime, rep: str = "", **body: Any) -> str:
        made = by_hand(self.books, "POST", "", self.desk.calendar(rep or self.desk.ana), **times(start), **body)
        return str(made["id"])


@pytest.fixture
async def office(
    client: Client, books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Office]:
    async with open_desk(client, books, [Hears]) as desk:
        team = (await roster.roster(client, desk.team)).model_dump(mode="json")
        (tmp_path / "one.team.yml").write_text(yaml.safe_dump(team))
        monkeypatch.setenv("SHOWRATE_PLAYBOOKS", str(tmp_path))
        settings.cache_clear()
        books.fault("google", "lost", direction="out", times=999)
        made = Office(desk, client)
        yield made
        for name in made.leads:
            await client.get_workflow_handle(name).terminate()


# ---- what a rep does in their own calendar -------------------------------------------------------------------------


async def test_what_we_did_ourselves_is_no_news(office: Office) -> None:
    await office.read()
    name, first = await office.booked()
    assert (await office.read(EVERY)).told == 0
    second = await office.book(name, later=HALF, replaces=first)  # moved by the lead, over its own time
    assert (await office.read(EVERY)).told == 0
    await office.desk.run(meetings.release_meeting, office.desk.release(second))
    assert (await office.read(EVERY)).told == 0
    assert await office.heard(name) == []


async def test_a_moved_event_is_told_once_and_following_it_is_no_news(office: Office) -> None:
    await office.read()
    name, meeting = await office.booked()
    there = office.start + 2 * HOUR
    office.hand("PATCH", meeting, **times(there))
    assert (await office.read(EVERY)).told == 1
    assert (await office.read(EVERY)).told == 0
    [news] = await office.heard(name)
    assert (news.change, news.booking, news.event, news.by) == ("moved", meeting.id, meeting.event_id, "Ana")
    assert news.slot == Slot(id=f"{office.desk.ana}@{there.isoformat()}", rep=office.desk.ana, start=there, end=there + HALF)
    followed = await office.book(name, later=2 * HOUR, replaces=meeting, adopt=meeting.event_id)
    assert (followed.event_id, followed.start) == (meeting.event_id, there)
    assert (await office.read(EVERY)).told == 0
    assert await office.ledger() == [there]
    [event] = office.desk.events(office.desk.ana)
    assert event["extendedProperties"]["private"]["showrate_booking"] == followed.id
    assert f"Join: {event['location']}" in event["description"], "the link is that of the new booking"
    assert await office.desk.turns() == {office.desk.ana: 1, office.desk.ben: 0}


async def test_an_event_moved_onto_another_meeting_is_not_followed_and_stays_where_the_rep_put_it(office: Office) -> None:
    name, meeting = await office.booked()
    await office.booked(later=HOUR)
    office.hand("PATCH", meeting, **times(office.start + HOUR))
    request = office.desk.request(
        office.desk.ana, office.start + HOUR, lead=name, replaces=meeting, adopt=meeting.event_id
    )
    done = await office.desk.run(meetings.book_meeting, request.model_copy(update={"now": office.now}))
    assert (done.booking, done.refused) == (None, "the time was taken")
    assert await office.ledger() == [office.start, office.start + HOUR]
    assert len(office.desk.events(office.desk.ana)) == 2


@pytest.mark.parametrize("length", [timedelta(0), timedelta(days=1)])
async def test_an_event_without_a_time_of_day_is_not_followed(office: Office, length: timedelta) -> None:
    name, meeting = await office.booked()
    request = office.desk.request(office.desk.ana, office.start, lead=name, replaces=meeting, adopt=meeting.event_id)
    slot = request.slot.model_copy(update={"end": request.slot.start + length})
    done = await office.desk.run(meetings.book_meeting, request.model_copy(update={"now": office.now, "slot": slot}))
    assert done.booking is None
    assert "day" in done.refused
    assert await office.ledger() == [office.start]


async def test_a_calendar_that_does_not_answer_keeps_nobody_from_following(office: Office) -> None:
    name, meeting = await office.booked()
    office.hand("PATCH", meeting, **times(office.start + HOUR))
    office.books.fault("google", "500", method="PATCH", times=9)
    followed = await office.book(name, later=HOUR, replaces=meeting, adopt=meeting.event_id)
    assert followed.event_id == meeting.event_id
    assert await office.ledger() == [office.start + HOUR]
    assert len(office.desk.events(office.desk.ana)) == 1


async def test_a_meeting_moved_to_another_length_is_followed(office: Office) -> None:
    name, meeting = await office.booked()
    request = office.desk.request(office.desk.ana, office.start, lead=name, replaces=meeting, adopt=meeting.event_id)
    slot = request.slot.model_copy(update={"end": office.start + HOUR})
    done = await office.desk.run(meetings.book_meeting, request.model_copy(update={"now": office.now, "slot": slot}))
    assert done.booking is not None
    assert done.booking.end == office.start + HOUR


@pytest.mark.parametrize("how", ["deleted", "declined"])
async def test_a_deleted_or_declined_event_is_told(office: Office, how: str) -> None:
    await office.read()
    name, meeting = await office.booked()
    if how == "deleted":
        office.hand("DELETE", meeting)
    else:
        people = [{"email": office.desk.calendar(office.desk.ana), "self": True, "responseStatus": "declined"}]
        office.hand("PATCH", meeting, attendees=people)
    assert (await office.read(EVERY)).told == 1
    assert (await office.read(EVERY)).told == 0
    assert await office.changes(name) == ["removed"]


async def test_an_event_given_to_a_colleague_is_moved_and_not_cancelled(office: Office) -> None:
    await office.read()
    name, meeting = await office.booked()
    ben = office.desk.calendar(office.desk.ben)
    by_hand(office.books, "POST", f"/{meeting.event_id}/move?destination={ben}", office.desk.calendar(office.desk.ana))
    await office.read(EVERY)
    [news] = await office.heard(name)
    assert news.slot is not None
    assert (news.change, news.slot.rep, news.slot.start) == ("moved", office.desk.ben, office.start)
    followed = await office.book(name, office.desk.ben, replaces=meeting, adopt=meeting.event_id)
    assert (followed.rep, followed.rep_name) == (office.desk.ben, "Ben")
    assert (await office.ledger(), await office.ledger(office.desk.ben)) == ([], [office.start])
    assert (office.desk.events(office.desk.ana), len(office.desk.events(office.desk.ben))) == ([], 1)
    assert await office.desk.turns() == {office.desk.ana: 0, office.desk.ben: 1}
    assert (await office.read(EVERY)).told == 0


async def test_the_guests_answer_is_told_when_it_changes(office: Office) -> None:
    await office.read()
    name, meeting = await office.booked()
    for answer in ("accepted", "declined", "declined", "accepted"):
        guests = [{"email": "lead@example.com", "responseStatus": answer}]
        office.hand("PATCH", meeting, attendees=guests)
        await office.read(EVERY)
    assert await office.changes(name) == ["accepted", "declined", "accepted"]


# ---- what comes beside ---------------------------------------------------------------------------------------------


async def test_a_foreign_event_at_a_booked_time_is_a_clash_until_it_goes(office: Office) -> None:
    await office.read()
    name, _ = await office.booked()
    other, _ = await office.booked(later=3 * HOUR)
    dentist = office.dentist(office.start + HALF / 2)
    office.dentist(office.start + HALF)  # right after it
    office.dentist(office.start, transparency="transparent")
    await office.read(EVERY)
    [news] = await office.heard(name)
    assert (news.change, news.event) == ("clash", dentist)
    office.dentist(office.start + 9 * HOUR)
    await office.read(EVERY)
    assert await office.changes(name) == ["clash"], "told once"
    path = f"/{dentist}"
    by_hand(office.books, "DELETE", path, office.desk.calendar(office.desk.ana))
    await office.read(EVERY)
    assert await office.changes(name) == ["clash", "clear"]
    assert await office.heard(other) == []


async def test_a_repeated_foreign_event_is_met_by_its_turns(office: Office) -> None:
    await office.read()
    name, _ = await office.booked()
    office.dentist(office.start - timedelta(days=21), recurrence=["RRULE:FREQ=WEEKLY"])
    await office.read(EVERY)
    assert await office.changes(name) == ["clash"]


# ---- reading itself ------------------------------------------------------------------------------------------------


async def test_a_forgotten_token_finds_all_that_happened_meanwhile(office: Office) -> None:
    """410 Gone: a whole reading, in which what was deleted long ago or moved into the past does not come by itself."""
    await office.read()
    moved, meeting = await office.booked()
    deleted, lost = await office.booked(later=2 * HOUR)
    still, _ = await office.booked(later=4 * HOUR)
    back, past = await office.booked(later=6 * HOUR)
    office.hand("PATCH", meeting, **times(office.start + 9 * HOUR))
    office.hand("DELETE", lost)
    office.hand("PATCH", past, **times(office.now - 9 * HOUR))
    ana = office.desk.calendar(office.desk.ana)
    office.books.seed("google", forget=[ana], page=2)
    await office.read(EVERY)
    told = [await office.changes(name) for name in (moved, deleted, still, back)]
    assert told == [["moved"], ["removed"], [], ["moved"]]
    assert (await office.read(EVERY)).told == 0


async def test_a_calendar_that_is_gone_from_the_books_is_asked_for_each_meeting(office: Office) -> None:
    """The vendor forgot the deleted event altogether."""
    name, meeting = await office.booked()
    world = office.books.state("google")
    assert world["calendars"]
    path = f"/events/{meeting.event_id}$"
    office.hand("DELETE", meeting)
    office.books.fault("google", "404", method="GET", path=path, times=9)
    office.books.fault("google", "200", method="GET", path="/events$", answer='{"items": [], "nextSyncToken": "t"}', times=9)
    await office.read()
    assert await office.changes(name) == ["removed"]


async def test_one_calendar_that_fails_keeps_no_other_waiting_and_is_shown(office: Office) -> None:
    await office.read()
    name, meeting = await office.booked()
    other, theirs = await office.booked(office.desk.ben)
    office.hand("DELETE", meeting)
    office.hand("PATCH", theirs, office.desk.ben, **times(office.start + HOUR))
    office.books.fault("google", "500", method="GET", path=office.desk.ana, times=99)
    with pytest.raises(ApplicationError) as raised:
        await office.read(EVERY)
    assert raised.value.type == "retry"
    assert await office.changes(other) == ["moved"]
    last = await office.read(attempt=3)  # Temporal has tried it often enough: it is shown
    assert set(last.troubles) == {office.desk.ana}
    cursor = (await asyncio.to_thread(cursors.cursors))[office.desk.ana]
    assert cursor.trouble.startswith("Google answered 500")
    assert cursor.since is not None
    assert await office.heard(name) == []


async def test_a_calendar_that_answers_again_brings_what_was_missed(office: Office) -> None:
    await office.read()
    name, meeting = await office.booked()
    office.hand("DELETE", meeting)
    ana = office.desk.calendar(office.desk.ana)
    office.books.seed("google", unreadable=[ana])
    done = await office.read(EVERY)
    assert list(done.troubles) == [office.desk.ana]
    assert await office.heard(name) == [], "what cannot be read has not changed"
    office.books.seed("google", unreadable=[])
    assert (await office.read(EVERY)).troubles == {}
    assert await office.changes(name) == ["removed"]
    assert (await asyncio.to_thread(cursors.cursors))[office.desk.ana].trouble == ""


STEPS = {"read": ("GET", "/events$"), "event": ("GET", "/events/[^/]+$"), "watch": ("POST", "/watch$")}
FAULTS = [(kind, when) for kind in ("500", "429", "drop") for when in ("before", "after")]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("kind", "when"), FAULTS)
async def test_one_story_after_a_fault(local: Office, step: str, kind: str, when: str) -> None:
    """Each request of a reading fails once, before or after it took effect: the readings after it tell the lead once,
    and one channel is watched."""
    method, path = STEPS[step]
    await local.read()
    name, meeting = await local.booked(later=timedelta(days=8))
    local.hand("DELETE", meeting)
    local.books.fault("google", kind, when, method=method, path=path, times=1)
    for attempt in range(1, 4):
        with contextlib.suppress(ApplicationError):
            await local.read(timedelta(days=6) if attempt == 1 else EVERY, attempt=attempt)
    assert await local.changes(name) == ["removed"]
    assert (await local.read(EVERY)).told == 0
    mine = [each.channel for each in await asyncio.to_thread(cursors.watching) if each.rep == local.desk.ana]
    assert len(mine) == 1
    assert mine[0] in {each["id"] for each in channels(local.books, local.desk.calendar(local.desk.ana))}


async def test_a_reading_that_broke_off_is_repeated_under_the_same_ids(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    await office.read()
    name, meeting = await office.booked()
    office.hand("DELETE", meeting)

    def dies(cursor: cursors.Cursor) -> None:
        raise RuntimeError("the worker was killed")

    with monkeypatch.context() as broken:
        broken.setattr(cursors, "keep", dies)
        with pytest.raises(RuntimeError):
            await office.read(EVERY)
    await office.read(EVERY)
    heard = await office.heard(name)
    assert len({each.id for each in heard}) == 1, "a lead takes an id once"


async def test_a_calendar_read_a_moment_ago_is_not_read_again(office: Office) -> None:
    await office.read()
    before = len(office.books.requests("google"))
    assert (await office.read(EVERY / 4)).read == 0
    assert len(office.books.requests("google")) == before
    await office.read(EVERY)
    assert len(office.books.requests("google")) == before + 2, "one request for each calendar in which nothing changed"


async def test_another_calendar_than_before_is_read_from_its_beginning(office: Office) -> None:
    await office.read()
    old = (await asyncio.to_thread(cursors.cursors))[office.desk.ana]
    await asyncio.to_thread(cursors.keep, old.model_copy(update={"calendar": cursors.digest("other")}))
    before = len(office.books.requests("google", "GET"))
    await office.read(EVERY)
    asked = [r.query for r in office.books.requests("google", "GET")[before:] if office.desk.ana in r.path]
    assert len(asked) == 1
    assert "timeMin" in asked[0]


# ---- push channels -------------------------------------------------------------------------------------------------


def channels(books: Books, calendar: str) -> list[dict[str, Any]]:
    return [each for each in books.state("google")["channels"] if each["calendar"] == calendar]


@pytest.fixture
def local(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setenv("SHOWRATE_PUBLIC_URL", "http://127.0.0.1:9")
    settings.cache_clear()
    return office


async def test_channels_are_opened_once_and_renewed_before_they_end(local: Office) -> None:
    ana = local.desk.calendar(local.desk.ana)
    await local.read()
    [first] = channels(local.books, ana)
    await local.read(timedelta(days=5))
    assert channels(local.books, ana) == [first]
    await local.read(timedelta(days=1))
    [second] = channels(local.books, ana)
    assert second["id"] != first["id"]
    kept = [each.channel for each in await asyncio.to_thread(cursors.watching) if each.rep == local.desk.ana]
    assert kept == [second["id"]]
    assert second["token"] == cursors.secret(second["id"])


async def test_where_google_takes_no_channel_the_schedule_reads_all_the_same(office: Office) -> None:
    """Our address is no https in this room, and nowhere near."""
    office.books.fault("google", "400", method="POST", path="/watch$", times=99)
    await office.read()
    asked = len(office.books.requests("google", "POST", "/watch$"))
    name, meeting = await office.booked()
    office.hand("DELETE", meeting)
    await office.read(EVERY)
    assert await office.changes(name) == ["removed"]
    assert len(office.books.requests("google", "POST", "/watch$")) == asked, "not asked again at once"


async def test_a_rep_who_left_is_watched_no_more(local: Office) -> None:
    await local.read()
    team = await roster.roster(local.client, local.desk.team)
    await roster.set_roster(local.client, team.model_copy(update={"reps": team.reps[1:]}))
    await local.read(EVERY)
    assert channels(local.books, local.desk.calendar(local.desk.ana)) == []
    assert local.desk.ana not in await asyncio.to_thread(cursors.cursors)


async def test_a_push_counts_once_and_for_its_own_calendar_alone(office: Office) -> None:
    now = datetime.now(UTC)
    tag = secrets.token_hex(4)
    for rep, channel in (("ana", "c1"), ("ben", "c2")):
        watching = cursors.Watching(channel=channel + tag, rep=rep + tag, resource=f"r-{rep}", opened=now, expires=now + HOUR)
        cursors.watch(watching)
    assert cursors.pushed("unknown", "r-ana", 1) is None
    assert cursors.pushed(f"c1{tag}", "r-ben", 1) is None, "another rep's resource"
    assert cursors.pushed(f"c1{tag}", "r-ana", 8) is True
    assert cursors.pushed(f"c1{tag}", "r-ana", 8) is True, "repeated before it was read: asked for again"
    found = cursors.cursors()
    assert (found[f"ana{tag}"].pushed, f"ben{tag}" in found) == (1, False)
    cursors.keep(found[f"ana{tag}"].model_copy(update={"heeded": 1}))
    assert cursors.pushed(f"c1{tag}", "r-ana", 8) is False
    assert cursors.pushed(f"c1{tag}", "r-ana", 5) is False, "overtaken"
    assert cursors.pushed(f"c1{tag}", "r-ana", 15) is True
    assert cursors.cursors()[f"ana{tag}"].pushed == 2


async def test_a_pushed_calendar_alone_is_read_before_its_time(local: Office) -> None:
    await local.read()
    name, meeting = await local.booked()
    local.hand("DELETE", meeting)
    [channel] = channels(local.books, local.desk.calendar(local.desk.ana))
    assert await asyncio.to_thread(cursors.pushed, channel["id"], channel["resourceId"], 8)
    done = await local.read()
    assert (done.read, done.told) == (1, 1)
    assert await local.changes(name) == ["removed"]
    assert (await local.read()).read == 0


async def test_the_console_shows_whose_calendar_cannot_be_read(web: Site) -> None:
    since = datetime.now(UTC) - timedelta(minutes=12)
    cursors.keep(cursors.Cursor(rep="ana", trouble="Google answered 404 notFound", since=since))
    cursors.keep(cursors.Cursor(rep="ben"))
    await web.http.post("/console/login", data={"token": TOKEN})
    page = (await web.http.get("/console")).text
    assert "The calendar of ana cannot be read" in page
    assert "404 notFound" in page
    assert "calendar of ben" not in page
