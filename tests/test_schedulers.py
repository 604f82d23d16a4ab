"""What is done at Cal.com and Calendly reaches the lead: real webhooks from the stand-ins to our own addresses, over HTTP,
against the real ledgers. They are told once, out of order, late, twice, forged and played again.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import yaml
from starlette.applications import Starlette
from temporalio.client import Client, WorkflowHandle

from activities import crm, meetings, store
from activities.calendars import changes
from activities.settings import settings
from activities.vendors import calcom
from clients import schedulers
from tests.fixtures.temporal import running_worker
from tests.test_calendars import OWN_OPENINGS, UUIDS, Rig, rig  # noqa: F401
from tests.test_meetings import HALF_HOUR, LATER, START, lead
from tests.toys import Hears
from workers.sandbox import calcom as calcom_stand_in
from workers.sandbox import calendly as calendly_stand_in
from workflows import identity, slots
from workflows.effects import Booked, Reflection
from workflows.events import Booking, CalendarChanged, Form, Slot

both = pytest.mark.parametrize("rig", OWN_OPENINGS, ids=lambda vendor: vendor.name, indirect=True)
NAMES = {"calcom": "Cal.com", "calendly": "Calendly"}
KIM = "kim@lead.example"


@dataclass
class Line:
    """A lead that listens, its meeting, and the web process that the vendor tells."""

    rig: Rig
    lead: WorkflowHandle[Any, Any]
    url: str
    http: httpx.AsyncClient

    async def heard(self, count: int = 1) -> list[CalendarChanged]:
        return await self._until(lambda: self.lead.query(Hears.heard), count)

    async def _until(self, ask: Callable[[], Awaitable[list[Any]]], count: int) -> list[Any]:
        deadline = time.monotonic() + 10
        while len(found := await ask()) < count and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        return found

    async def quiet(self) -> None:
        """Until every webhook that went out was answered."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            await asyncio.sleep(0.05)
            if self.posted() and all(entry.status for entry in self.posted()):
                return

    def posted(self) -> list[Any]:
        return self.rig.books.world.log.find(self.rig.vendor.name, "out")

    async def book(self) -> Booking:
        return await self.rig.book_at(self.rig.ana, lead=self.lead.id)

    async def guest(self, booking: Booking | None = None, start: datetime | None = None, link: str = "") -> str:
        """A guest on the vendor's own pages: books, moves, or cancels; the event's id."""
        when = {"start": start.isoformat()} if start else {}
        if self.rig.vendor.name == "calendly":
            said = {"event": booking.event_id} if booking else {"link": link or self.page()}
            answer = await self.http.post(f"{self.rig.books.url}/_state/calendly/guest", json={**said, **when})
            return str(answer.raise_for_status().json()["event"])
        person = {"name": "Kim", "email": KIM, "timeZone": "UTC"}
        path, body = "", {"eventTypeId": 4711, "attendee": person, **when}
        if booking:
            path, body = f"/{booking.event_id}/{'reschedule' if start else 'cancel'}", when
        headers = {"Authorization": "Bearer cal_guest", "cal-api-version": "2024-08-13"}
        answer = await self.http.post(f"{self.rig.books.url}/calcom/v2/bookings{path}", json=body, headers=headers)
        return str(answer.raise_for_status().json()["data"]["uid"])

    def page(self) -> str:
        """A link that somebody else sent."""
        body = {"max_event_count": 1, "owner": f"x/event_types/{UUIDS['ana']}", "owner_type": "EventType"}
        headers = {"Authorization": "Bearer eyJx"}
        made = httpx.post(f"{self.rig.books.url}/calendly/scheduling_links", json=body, headers=headers).json()
        return f"{made['resource']['booking_url']}?email={KIM}&name=Kim"


@pytest.fixture
async def line(
    rig: Rig,  # noqa: F811
    client: Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Line]:
    app = Starlette(routes=schedulers.routes)
    app.state.temporal = client
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    (tmp_path / "teams").mkdir()
    written = {"id": rig.team, "reps": []}
    (tmp_path / "teams" / f"{rig.team}.team.yml").write_text(yaml.safe_dump(written))
    for name, value in {
        "SHOWRATE_PUBLIC_URL": url,
        "SHOWRATE_PLAYBOOKS": str(tmp_path / "teams"),
        "CALCOM_WEBHOOK_SECRET": "a secret of ours",
        "CALENDLY_WEBHOOK_KEY": "a key of ours",
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    await changes.subscribe()
    async with running_worker(client, [Hears], queue="ears"), httpx.AsyncClient() as http:
        handle = await client.start_workflow(Hears.run, id=lead(), task_queue="ears")
        yield Line(rig, handle, url, http)
        await handle.terminate()
    server.should_exit = True
    await serving
    crm.forget()


@both
async def test_a_move_there_reaches_the_lead_with_its_new_time_and_event(line: Line) -> None:
    booking = await line.book()
    await line.quiet()
    line.rig.books.fault(line.rig.vendor.name, "duplicate", direction="out", body="RESCHEDULED|invitee.created")
    event = await line.guest(booking, LATER)
    told = await line.heard(2)
    await line.quiet()
    told = await line.heard(2)
    assert {(one.change, one.booking, one.event, one.id) for one in told} == {
        ("moved", booking.id, event, f"{NAMES[line.rig.vendor.name]}:moved:{event}")
    }
    slot = told[0].slot
    assert slot == Slot(id=slots.slot_id(line.rig.ana, LATER), rep=line.rig.ana, start=LATER, end=LATER + HALF_HOUR)


@both
async def test_a_move_there_and_back_again_is_told_as_both(line: Line) -> None:
    booking = await line.book()
    away = await line.guest(booking, LATER)
    await line.heard()
    back = await line.guest(booking.model_copy(update={"event_id": away}), START)
    told = await line.heard(2)
    assert [(one.event, one.slot and one.slot.start) for one in told] == [(away, LATER), (back, START)]
    assert {one.booking for one in told} == {booking.id}


@both
async def test_a_cancellation_there_reaches_the_lead(line: Line) -> None:
    booking = await line.book()
    await line.guest(booking)
    [told] = await line.heard()
    assert (told.change, told.booking, told.slot) == ("removed", booking.id, None)


@both
async def test_what_we_do_ourselves_is_no_news(line: Line) -> None:
    old = await line.book()
    new = await line.rig.book_at(line.rig.ana, LATER, replaces=old, lead=line.lead.id)
    await line.rig.run(meetings.release_meeting, line.rig.release(new))
    await line.quiet()
    assert len(line.posted()) >= 4
    assert await line.lead.query(Hears.heard) == []


@both
async def test_a_booking_on_the_reps_page_is_the_meeting_of_the_lead_whose_address_it_has(line: Line) -> None:
    await line.guest(start=START)
    await line.quiet()
    assert await line.lead.query(Hears.heard) == []  # nobody knows the guest
    hashed = identity.handle_id(settings().identity_key, KIM)
    store.write(
        Reflection(
            lead=line.lead.id,
            version=1,
            audience="inbound",
            playbook="p",
            now=START,
            stage="new",
            furthest="new",
            form=Form(submission_id="s", email=KIM, email_hash=hashed),
        )
    )
    event = await line.guest(start=LATER)
    [told] = await line.heard()
    assert (told.change, told.booking, told.event) == ("booked", "", event)
    assert told.slot is not None
    assert (told.slot.rep, told.slot.start, told.slot.end) == (line.rig.ana, LATER, LATER + HALF_HOUR)


@both
async def test_a_scheduler_that_cannot_be_read_comes_again(line: Line) -> None:
    booking = await line.book()
    await line.quiet()
    line.rig.fault(("GET", booking.event_id), "500", times=2)
    await line.guest(booking)
    [told] = await line.heard()
    assert told.change == "removed"
    assert 503 in {entry.status for entry in line.posted()}


@both
async def test_what_is_not_signed_by_the_scheduler_is_refused(line: Line) -> None:
    booking = await line.book()
    await line.guest(booking)
    await line.heard()
    sent = line.posted()[-1]
    name = next(key for key in sent.headers if "signature" in key.lower())
    key = b"a secret of ours" if line.rig.vendor.name == "calcom" else b"a key of ours"

    async def post(body: bytes, signature: str) -> int:
        headers = {name: signature} if signature else {}
        return (await line.http.post(sent.path, content=body, headers=headers)).status_code

    def signed(body: bytes, at: float) -> str:
        if line.rig.vendor.name == "calcom":
            return calcom_stand_in.signature(key.decode(), body)
        return calendly_stand_in.signature(key.decode(), body, int(at))

    now, body = time.time(), sent.body.encode()
    assert await post(body, signed(body, now)) == 204
    for wrong in (
        "",
        "x",
        signed(b"other", now),
        signed(body, now) + "0",
        signed(body, now).upper(),
        "t=9,v1=" + "0" * 64,
        "é" * 64,
    ):
        assert await post(body, wrong.encode("ascii", "ignore").decode()) == 403, wrong
    if line.rig.vendor.name == "calendly":
        assert await post(body, signed(body, now - 600)) == 403
        assert await post(body, signed(body, now + 600)) == 403
    for nonsense in (
        b"",
        b"{",
        b"[]",
        b"null",
        b"[" * 9000,
        json.dumps({"triggerEvent": "BOOKING_CREATED", "event": "invitee.created"}).encode(),
    ):
        assert await post(nonsense, signed(nonsense, now)) == 400, nonsense[:20]
    other = json.dumps(
        {"triggerEvent": "MEETING_ENDED", "event": "routing_form_submission.created", "payload": {}}
    ).encode()
    assert await post(other, signed(other, now)) == 204
    assert await post(b" " * 2**21, "x") == 413
    assert {one.id for one in await line.lead.query(Hears.heard)} == {
        f"{NAMES[line.rig.vendor.name]}:removed:{booking.event_id}"
    }


@pytest.mark.parametrize("rig", OWN_OPENINGS[:1], ids=["calcom"], indirect=True)
async def test_an_absence_marked_there_is_evidence_for_the_lead(line: Line) -> None:
    booking = await line.book()
    await calcom.mark_absent(booking.event_id, True)
    [mark] = await line.heard()
    assert (mark.change, mark.booking, mark.id) == ("absent", booking.id, f"Cal.com:absent:{booking.event_id}")
    await calcom.mark_absent(booking.event_id, False)
    await line.quiet()
    assert len(await line.heard()) == 1


@pytest.mark.parametrize("rig", OWN_OPENINGS[1:], ids=["calendly"], indirect=True)
async def test_where_the_plan_forbids_booking_the_lead_books_on_a_page_of_one_use(line: Line) -> None:
    line.rig.books.seed("calendly", plan="free")
    asked = line.rig.request(line.rig.ana, lead=line.lead.id, booking=identity.booking_id(line.lead.id, "12345678"))
    done: Booked = await line.rig.run(meetings.book_meeting, asked)
    assert (done.booking, done.refused) == (None, "this rep's meetings can only be booked on their own page")
    assert "utm_content=" + asked.booking in done.page
    assert "email=lead%40example.com" in done.page
    await line.rig.agrees({})

    store.write(
        Reflection(
            lead=line.lead.id, version=1, audience="inbound", playbook="p", now=START, stage="new", furthest="new"
        )
    )
    assert store.leads_that_booked(asked.booking) == [line.lead.id]
    for forged in ("", line.lead.id[5:6], line.lead.id[5:17], "%" * 20, asked.booking + "0", "g" * 20):
        assert store.leads_that_booked(forged) == [], "a guest may write anything into the address"
    line.rig.books.seed("calendly", plan="standard")  # webhooks are told of either way
    event = await line.guest(link=done.page, start=LATER)
    [told] = await line.heard()
    assert (told.change, told.booking, told.event) == ("booked", "", event)
    assert told.slot is not None
    assert told.slot.start == LATER
    again = await line.http.post(
        f"{line.rig.books.url}/_state/calendly/guest", json={"link": done.page, "start": START.isoformat()}
    )
    assert again.status_code == 404

    adopting = line.rig.request(line.rig.ana, LATER, lead=line.lead.id, adopt=event)
    adopted: Booked = await line.rig.run(meetings.book_meeting, adopting)
    assert adopted.booking is not None
    await line.rig.agrees({line.rig.ana: [LATER]})
    await line.rig.run(meetings.release_meeting, line.rig.release(adopted.booking))
    await line.rig.agrees({})


@pytest.mark.parametrize("rig", OWN_OPENINGS[1:], ids=["calendly"], indirect=True)
async def test_an_account_that_may_neither_book_nor_make_a_page_says_so(line: Line) -> None:
    line.rig.fault(("POST", "/invitees$|/scheduling_links$"), "403", times=9)
    done: Booked = await line.rig.run(meetings.book_meeting, line.rig.request(line.rig.ana))
    assert (done.booking, done.page) == (None, "")
    assert done.refused
    await line.rig.agrees({})
