"""A push brings the reading forward, from Google's POST to the lead's text: the served web process, the real Schedule,
the real lead, the real SDK against the stand-in. A push that is forged, repeated or lost changes nothing but when."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from activities import cursors, meetings, roster, sync
from activities.settings import settings
from tests.fixtures.books import Books
from tests.fixtures.temporal import running_worker
from tests.fixtures.web import Site
from tests.stage import Stage, submit
from tests.test_google_changes import by_hand, times
from tests.test_lead_workflow import at_any_hour, booked, ended, lead_name, until, update, view
from tests.test_meetings import ALWAYS
from tests.test_outside import told
from workers import schedules
from workflows import events as ev
from workflows import identity, messages
from workflows.calendars_workflow import CalendarsWorkflow
from workflows.lead_workflow import LeadWorkflow
from workflows.playbook import register
from workflows.rep_workflow import RepWorkflow
from workflows.roster import Rep, Team
from workflows.team_workflow import TeamWorkflow

ANA, BEN = "ana@tallyhook.example", "ben@tallyhook.example"
HOUR = timedelta(hours=1)
REAL = {"book_meeting": meetings.book_meeting, "release_meeting": meetings.release_meeting,
        "find_slots": meetings.find_slots, "sync_calendars": sync.sync_calendars}  # fmt: skip


class Whole:
    """A lead with a meeting, whose rep's calendar is watched."""

    def __init__(self, site: Site, books: Books, stage: Stage, lead: WorkflowHandle[Any, Any], meeting: ev.Booking) -> None:
        self.site, self.books, self.stage, self.lead, self.meeting = site, books, stage, lead, meeting

    def hand(self, method: str, booking: ev.Booking | None = None, **body: Any) -> None:
        by_hand(self.books, method, f"/{(booking or self.meeting).event_id}", ANA, **body)

    async def moved(self) -> ev.Booking:
        async def other() -> ev.Booking | None:
            seen = (await view(self.lead)).booking
            return seen if seen and seen.id != self.meeting.id else None

        found: ev.Booking = await until(other)
        return found

    async def readings(self) -> int:
        """How many readings there were, once none is under way."""
        handle = self.site.temporal.get_schedule_handle(identity.CALENDARS_ID)

        async def idle() -> int:
            info = (await handle.describe()).info
            return 0 if info.running_actions else info.num_actions

        return int(await until(idle))

    async def heeded(self) -> bool:
        """Whether a reading began after every push that came."""
        known = await asyncio.to_thread(cursors.cursors)
        return all(each.pushed == each.heeded for each in known.values())

    async def quiet(self) -> None:
        """No push is under way, and none comes from now on but a test's own."""
        self.books.fault("google", "lost", direction="out", times=999)
        await asyncio.sleep(0.3)
        await until(self.heeded)
        await self.readings()

    @property
    def channel(self) -> dict[str, Any]:
        return next(each for each in self.books.state("google")["channels"] if each["calendar"] == ANA)

    async def push(self, **headers: str) -> int:
        """A push as anybody can send one."""
        known = self.channel
        sent = {
            "X-Goog-Channel-ID": known["id"], "X-Goog-Channel-Token": known["token"], "X-Goog-Resource-State": "exists",
            "X-Goog-Resource-ID": known["resourceId"], "X-Goog-Message-Number": "1000000",
        } | headers  # fmt: skip
        return (await self.site.http.post(cursors.PUSH_PATH, headers=sent)).status_code


@pytest.fixture
async def whole(
    client: Client, web: Site, books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Whole]:
    tag = secrets.token_hex(4)
    reps = tuple(
        Rep(id=f"{name}-{tag}", name=name.title(), calendar=calendar, zone="UTC", hours=ALWAYS)
        for name, calendar in (("ana", ANA), ("ben", BEN))
    )
    team = Team(id=f"sales-{tag}", reps=reps)
    (tmp_path / "one.team.yml").write_text(yaml.safe_dump(team.model_dump(mode="json")))
    monkeypatch.setenv("SHOWRATE_PLAYBOOKS", str(tmp_path))
    monkeypatch.setenv("SHOWRATE_PUBLIC_URL", web.url)
    settings.cache_clear()
    book = at_any_hour().model_copy(update={"team": team.id})
    register([book])
    stage = Stage()
    rest = [each for each in stage.activities() if activity._Definition.must_from_callable(each).name not in REAL]
    flows = [LeadWorkflow, RepWorkflow, TeamWorkflow, CalendarsWorkflow]
    async with (
        running_worker(client, flows, [*rest, *REAL.values()]),
        running_worker(client, [], rest, queue=messages.DIAL_QUEUE),
    ):
        await roster.set_roster(client, team)
        with suppress(RPCError):
            await client.get_schedule_handle(identity.CALENDARS_ID).delete()
        await schedules.read_calendars(client, timedelta(hours=12))
        await until(lambda: len(books.state("google")["channels"]) == 2)
        lead = await submit(client, book, lead=lead_name())
        await until(lambda: stage.of("place_call"))
        meeting = await booked(lead)
        await update(lead, "report", ended("a1"), int)
        over = ev.CallEnded(at=datetime.now(UTC), attempt="a1", sid="CA1", status="completed", seconds=60, id="over")
        await lead.signal("call_status", over)
        await until(lambda: told(stage, "due/booked"))
        yield Whole(web, books, stage, lead, meeting)
        await lead.terminate()
        await client.get_schedule_handle(identity.CALENDARS_ID).delete()


async def test_a_meeting_moved_in_the_calendar_reaches_its_lead_at_once_and_once(whole: Whole) -> None:
    there = whole.meeting.start + HOUR
    whole.hand("PATCH", **times(there))
    booking = await whole.moved()
    assert (booking.start, booking.event_id, booking.rep) == (there, whole.meeting.event_id, whole.meeting.rep)
    [_, text] = await until(lambda: len(told(whole.stage, "due/booked")) == 2 and told(whole.stage, "due/booked"))
    assert text.booking == booking.id
    # Taking the event over was a change of ours: it is pushed back to us, read, and means nothing.
    before = await whole.readings()
    whole.hand("PATCH", summary="Demo, room 4")
    await until(lambda: _more(whole, before))
    assert (await view(whole.lead)).booking == booking
    assert len(told(whole.stage, "due/booked")) == 2
    assert len(whole.stage.of("send_text")) == 2
    history = await whole.lead.fetch_history()
    signals = [e.workflow_execution_signaled_event_attributes.signal_name for e in history.events]
    assert signals.count("calendar_changed") == 1, "the ordinary life of a lead has none, and this one had one"
    whole.hand("DELETE", booking)
    await until(lambda: told(whole.stage, "due/cancelled"))
    assert (await view(whole.lead)).booking is None


async def test_a_lost_push_is_found_by_the_schedule_and_a_repeated_one_costs_nothing(whole: Whole) -> None:
    await whole.quiet()
    handle = whole.site.temporal.get_schedule_handle(identity.CALENDARS_ID)
    before = await whole.readings()
    whole.hand("PATCH", **times(whole.meeting.start + HOUR))
    await asyncio.sleep(0.5)
    assert await whole.readings() == before
    known = await asyncio.to_thread(cursors.cursors)
    old = known[whole.meeting.rep]
    await asyncio.to_thread(cursors.keep, old.model_copy(update={"read_at": old.read_at - timedelta(days=1)}))
    await handle.trigger()  # its hour has come
    await whole.moved()
    count = await whole.readings()
    assert [await whole.push() for _ in range(3)] == [204, 204, 204]
    await until(lambda: _more(whole, count))
    settled = await whole.readings()
    assert settled <= count + 2
    assert [await whole.push() for _ in range(3)] == [204, 204, 204], "it was read for that one"
    assert await whole.readings() == settled


async def test_a_forged_push_is_refused_and_reads_nothing(whole: Whole) -> None:
    before = await whole.readings()
    other = next(each for each in whole.books.state("google")["channels"] if each["calendar"] == BEN)
    assert await whole.push(**{"X-Goog-Channel-Token": "guessed"}) == 403
    assert await whole.push(**{"X-Goog-Channel-Token": ""}) == 403
    assert await whole.push(**{"X-Goog-Channel-ID": other["id"]}) == 403, "the token of another channel"
    assert await whole.push(**{"X-Goog-Resource-ID": other["resourceId"]}) == 404
    assert await whole.push(**{"X-Goog-Message-Number": "many"}) == 403
    unknown = {"X-Goog-Channel-ID": "unknown", "X-Goog-Channel-Token": cursors.secret("unknown")}
    assert await whole.push(**unknown) == 404
    assert await whole.push(**{"X-Goog-Resource-State": "sync"}) == 204
    assert (await whole.site.http.get(cursors.PUSH_PATH)).status_code == 405
    assert await whole.readings() == before
    known = await asyncio.to_thread(cursors.cursors)
    assert {each.pushed > each.heeded for each in known.values()} == {False}


async def test_google_comes_again_while_the_reading_cannot_be_asked_for(whole: Whole) -> None:
    await whole.quiet()
    client, whole.site.app.state.temporal = whole.site.app.state.temporal, None
    assert await whole.push() == 503
    whole.site.app.state.temporal = client
    before = await whole.readings()
    assert await whole.push() == 204, "noted the first time, asked for the second"
    await until(lambda: _more(whole, before))


async def test_however_many_pushes_come_the_last_is_followed_by_a_reading(whole: Whole) -> None:
    await whole.quiet()
    before = await whole.readings()
    numbers = [str(2_000_000 + nth) for nth in range(12)]
    assert {await whole.push(**{"X-Goog-Message-Number": number}) for number in numbers} == {204}
    await until(whole.heeded)
    assert await whole.readings() - before < len(numbers), "they share readings"


async def _more(whole: Whole, than: int) -> bool:
    return await whole.readings() > than
