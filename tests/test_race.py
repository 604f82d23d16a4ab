"""Two hundred leads race for the same ten slots of five reps on the real server, and the worker is killed in it.

Afterwards every slot is booked at most once, no lead twice, no hold leaks, and calendar, ledgers and leads tell one story.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from temporalio.client import Client

from activities import ledger, library
from activities.settings import settings
from activities.vendors import temporal
from clients import leads
from workers import setup, stack
from workflows import events as ev
from workflows import messages as ms
from workflows.attributes import start_attributes
from workflows.ledger import AskTaken

LEADS = 200
REPS = 5
AT_ONCE = 32
"""So many ask at the same moment; more would only measure how long a small machine lets people wait."""
TRIES = 20
"""How often a lead asks again for times or for an answer: a worker that is gone for seconds answers nothing."""


@dataclass
class Race:
    """What is seen after it: each lead's booking, and every rep's ledger and calendar."""

    won: dict[str, ev.Booking] = field(default_factory=dict)
    shown: dict[str, ev.Booking | None] = field(default_factory=dict)
    claims: list[tuple[str, datetime, str]] = field(default_factory=list)
    events: list[tuple[str, datetime]] = field(default_factory=list)
    killed_after: int = 0


def rep(number: int) -> dict[str, Any]:
    """A rep with two slots in all: one hour of the day after tomorrow (UTC)."""
    day = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    mail = f"racer{number}@tallyhook.example"
    return {
        "id": f"racer{number}", "name": f"Racer {number}", "calendar": mail, "zone": "UTC", "hours": {},
        "overrides": {day: ["15:00-16:00"]},
    }  # fmt: skip


def playbooks(folder: Path) -> Path:
    """One audience whose people are never called (it is never a calling hour), and a team of five."""
    folder.mkdir()
    for file in settings().showrate_playbooks.glob("*.yml"):
        if file.name in ("inbound.yml", "demo.yml", "us.rules.yml"):
            (folder / file.name).write_text(file.read_text())
    race = {
        "extends": "inbound.yml", "name": "race", "audience": "race", "team": "race",
        "hours": {"opens": "08:00", "closes": "08:00"},
        "meeting": {"buffer_before": "0s", "buffer_after": "0s", "offers": 10},
    }  # fmt: skip
    (folder / "race.yml").write_text(yaml.safe_dump(race))
    team = {"id": "race", "reps": [rep(number) for number in range(REPS)]}
    (folder / "race.team.yml").write_text(yaml.safe_dump(team))
    (folder / "sales.team.yml").write_text(yaml.safe_dump(team | {"id": "sales"}))
    return folder


async def run(home: Path) -> Race:
    ports = stack.free_ports(preferred=False)
    environment = stack.demo_environment(home, ports, stack.demo_keys(home))
    environment |= {"SHOWRATE_PLAYBOOKS": str(playbooks(home / "playbooks")), "SHOWRATE_AUDIENCES": "{}"}
    async with stack.Stack(home, ports, environment) as running:
        await running.start()
        os.environ.update(environment)
        settings.cache_clear()
        async for _ in setup.setup():
            pass
        client = await temporal.connect()
        book = next(one for one in library.playbooks(settings().showrate_playbooks) if one.name == "race")
        seen, draw = Race(), random.Random(7)
        names = [f"lead-{number:032x}" for number in range(LEADS)]
        for at in range(0, LEADS, 50):
            await asyncio.gather(*(submit(client, name, book.audience, book.hash) for name in names[at : at + 50]))
        gate = asyncio.Semaphore(AT_ONCE)
        racing = asyncio.gather(*(compete(client, gate, name, draw.random(), seen) for name in names))
        while len(seen.won) < 3 and not racing.done():
            await asyncio.sleep(0.05)
        running.kill("worker")
        seen.killed_after = len(seen.won)
        await asyncio.sleep(1)
        running.spawn("worker")
        await racing
        await asyncio.sleep(1)
        await look(client, seen, names, f"http://127.0.0.1:{ports.sandbox}")
    return seen


async def submit(client: Client, lead: str, audience: str, content_hash: str) -> None:
    number = int(lead.removeprefix("lead-"), 16)
    form = ev.Form(
        submission_id=lead, name="Ada Park", phone=f"+1415555{number:04d}", phone_hash=lead[5:], source="website",
        zone="America/Los_Angeles",
    )  # fmt: skip
    await client.start_workflow(
        ms.LEAD, ms.LeadStart(lead=lead, audience=audience, playbook=content_hash), id=lead, task_queue=ms.QUEUE,
        start_signal="form_submitted", start_signal_args=[ev.FormSubmitted(at=datetime.now(UTC), form=form)],
        search_attributes=start_attributes(audience, "website", content_hash),
    )  # fmt: skip


async def compete(client: Client, gate: asyncio.Semaphore, lead: str, luck: float, seen: Race) -> None:
    """Ask for times and take one of them, again while there are any: as a person on their own page does."""
    for turn in range(TRIES):
        async with gate:
            if not await tried(client, lead, turn, luck, seen):
                return
        await asyncio.sleep(luck)
    raise AssertionError(f"{lead} was offered times without end")


async def tried(client: Client, lead: str, turn: int, luck: float, seen: Race) -> bool:
    """One try; False when it is over for this lead: it has a time, or there are none left."""
    offered = await ask(client, lead, f"times-{turn}", ev.OfferSlots(count=2 * REPS))
    if not offered.slots:  # none left, or so many asked at once that not every calendar was read in time
        return not offered.detail.startswith("no other free time")
    slot = offered.slots[int(luck * len(offered.slots))]
    answer = await ask(client, lead, f"book-{turn}", ev.Book(slot=slot.id))
    if answer.booking is not None:
        seen.won[lead] = answer.booking
    return answer.booking is None


async def ask(client: Client, lead: str, request: str, action: ev.Action) -> ms.Answer:
    """The same request under the same id until it is answered."""
    for _ in range(TRIES):
        asked = ms.Act(id=request, action=action, at=datetime.now(UTC), by="lead")
        try:
            return await leads.update(client, lead, "act", asked, request_id=request, result=ms.Answer, within=20)
        except leads.Unreachable:
            await asyncio.sleep(0.5)
    raise AssertionError(f"{lead} never answered {request}")


async def look(client: Client, seen: Race, names: list[str], sandbox: str) -> None:
    for name in names:
        seen.shown[name] = (await leads.view(client, name)).booking
    now = datetime.now(UTC)
    for number in range(REPS):
        name = f"racer{number}"
        found = await ledger.taken(client, name, AskTaken(since=now, until=now + timedelta(days=5), now=now))
        seen.claims += [(name, each.start, each.state) for each in found.times]
    async with httpx.AsyncClient(trust_env=False) as http:
        for calendar in (await http.get(f"{sandbox}/_state/google")).json()["calendars"]:
            seen.events += [
                (calendar["id"].partition("@")[0], datetime.fromisoformat(event["start"]["dateTime"]))
                for event in calendar["events"] if event["status"] != "cancelled"
            ]  # fmt: skip


@pytest.fixture(scope="module")
def race(tmp_path_factory: pytest.TempPathFactory) -> Any:
    before = dict(os.environ)
    try:
        yield asyncio.run(run(tmp_path_factory.mktemp("race")))
    finally:
        os.environ.clear()
        os.environ.update(before)
        settings.cache_clear()


def test_every_slot_is_booked_once_and_no_lead_twice(race: Race) -> None:
    slots = Counter((booking.rep, booking.start) for booking in race.won.values())
    assert max(slots.values()) == 1
    assert len(slots) == 2 * REPS, "every slot found its lead"
    assert race.killed_after < 2 * REPS, "the worker was killed in the middle"
    assert {name: booking for name, booking in race.shown.items() if booking} == race.won


def test_calendar_and_ledger_tell_the_same_story_and_no_hold_leaks(race: Race) -> None:
    won = sorted((booking.rep, booking.start) for booking in race.won.values())
    assert sorted((rep_, start) for rep_, start, state in race.claims if state == "booked") == won
    assert [claim for claim in race.claims if claim[2] == "held"] == []
    assert sorted((rep_, start.astimezone(UTC)) for rep_, start in race.events) == won
