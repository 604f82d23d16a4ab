"""``kill -9`` of the worker, of the web process in mid-call, and of the Temporal server, while 20 leads are under way.

One run on a stack of its own; then each promise is looked at: every lead goes on and ends, everybody who may be called
is called, no dial, text or booking happens twice, and an ambiguous dial shows as such.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import yaml
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer

from activities import library
from activities.settings import settings
from activities.vendors import temporal
from clients import stories
from clients.stories import Story
from workers import setup, stack, trial
from workers.options import common_options
from workers.sandbox.cast import Member, draw
from workers.worker import workflow_classes
from workflows.identity import handle_id, lead_id, phone_number

LEADS = 20
PATIENCE = 200.0
"""Seconds until every lead must have ended."""
REPS = 14
"""More than the demo has: twenty people want meetings within four minutes."""
UNHEARD = 2
"""Dials that are on the wire when the worker is killed, and of which the carrier then tells nothing."""


@dataclass
class Aftermath:
    """What is there to see when all is over."""

    members: dict[str, Member]
    stories: dict[str, Story] = field(default_factory=dict)
    wire: list[dict[str, Any]] = field(default_factory=list)
    calendars: list[dict[str, Any]] = field(default_factory=list)
    histories: list[WorkflowHistory] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def sent(self, path: str) -> list[dict[str, list[str]]]:
        """The bodies of the POSTs to ``path`` that the carrier took, and what their callback address names."""
        found = []
        for each in self.wire:
            if each["method"] == "POST" and each["path"].endswith(path) and 200 <= each["status"] < 300:
                body = parse_qs(each["body"])
                found.append(body | parse_qs(urlsplit(body["StatusCallback"][0]).query))
        return found

    def events(self, lead: str) -> list[dict[str, Any]]:
        """The live events of this lead's meetings, with their rep's calendar: our mark begins as the lead's id does."""
        stem = lead.removeprefix("lead-")[:12]
        return [
            event | {"rep": calendar["id"]}
            for calendar in self.calendars
            for event in calendar["events"]
            if event.get("status") != "cancelled"
            and event.get("extendedProperties", {}).get("private", {}).get("showrate_booking", "").startswith(stem)
        ]


def twenty() -> list[Member]:
    """Twenty people of all personas, no two alike in number or e-mail."""
    found: dict[tuple[str, str], Member] = {}
    now, seed = datetime.now(UTC), 100
    while len(found) < LEADS:
        seed += 1
        for member in draw(seed, now):
            if not any(member.number == number or member.form["email"] == email for number, email in found):
                found[member.number, member.form["email"]] = member
    return list(found.values())[:LEADS]


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    before = dict(os.environ)
    try:
        yield asyncio.run(_live_through_it(tmp_path_factory.mktemp("kill")))
    finally:
        os.environ.clear()
        os.environ.update(before)
        settings.cache_clear()


async def _live_through_it(home: Path) -> Aftermath:
    ports = stack.free_ports(preferred=False)
    environment = stack.demo_environment(home, ports, stack.demo_keys(home))
    environment |= {"SHOWRATE_DIAL_RATE": "4", "SHOWRATE_PLAYBOOKS": str(_playbooks(home / "playbooks"))}
    async with stack.Stack(home, ports, environment) as running, httpx.AsyncClient(trust_env=False) as http:
        await running.start()
        os.environ.update(environment)
        settings.cache_clear()
        async for _ in setup.setup():
            pass
        client, sandbox = await temporal.connect(), f"http://127.0.0.1:{ports.sandbox}"
        house = settings()
        members = {lead_id(handle_id(house.identity_key, phone_number(m.number))): m for m in twenty()}
        seen = Aftermath(members)

        await http.post(f"{sandbox}/_cast", json=[member.model_dump(mode="json") for member in members.values()])
        for member in [m for m in members.values() if m.persona == "rings_back"][:UNHEARD]:
            digits = member.number.removeprefix("+")
            lost = {"vendor": "twilio", "direction": "out", "body": digits, "kind": "lost", "times": 3}
            slow = {"vendor": "twilio", "method": "POST", "path": "Calls.json", "body": digits, "kind": "slow"}
            for fault in (lost, slow | {"when": "after", "delay": 20}):
                (await http.post(f"{sandbox}/_faults", json=fault)).raise_for_status()

        async def submit(member: Member) -> int:
            form = member.form | {"key": house.showrate_sources[member.form["source"]]}
            return (await http.post(f"{house.showrate_public_url}/leads", json=form, timeout=15)).status_code

        seen.answers = await asyncio.gather(*(submit(member) for member in members.values()))
        await asyncio.sleep(1.0)
        await _kill_and_restart(running, "worker")

        async def talking() -> int:
            calls = (await http.get(f"{sandbox}/_phone")).json()["calls"]
            return sum(call["status"] == "in-progress" and len(call["says"]) > 1 for call in calls)

        await _until(talking, at_least=2, seconds=30)
        await _kill_and_restart(running, "web")
        await asyncio.sleep(12)
        await _kill_and_restart(running, "temporal")

        end = time.monotonic() + PATIENCE
        waiting = set(members)
        while waiting and time.monotonic() < end:
            await asyncio.sleep(1)
            for lead in sorted(waiting):
                if (story := await _story(client, lead)) is not None:
                    seen.stories[lead] = story
                    if story.now is not None and story.now.closed:
                        waiting.discard(lead)
        await asyncio.sleep(2)
        for lead in members:
            seen.stories[lead] = await stories.story(client, lead)
        seen.wire = (await http.get(f"{sandbox}/_log", params={"direction": "in"})).json()
        seen.calendars = (await http.get(f"{sandbox}/_state/google")).json()["calendars"]
        async for found in client.list_workflows():
            handle = client.get_workflow_handle(found.id, run_id=found.run_id)
            seen.histories.append(await handle.fetch_history())
        await asyncio.to_thread(library.load, house)
    return seen


def _playbooks(folder: Path) -> Path:
    """The demo's playbooks, with a larger team."""
    shutil.copytree(settings().showrate_playbooks, folder)
    team = yaml.safe_load((folder / "sales.team.yml").read_text())
    for number in range(len(team["reps"]), REPS):
        name = f"rep{number}"
        mail = f"{name}@tallyhook.example"
        team["reps"].append(
            team["reps"][0] | {"id": name, "name": name, "email": mail, "calendar": mail, "crm_owner": ""}
        )
    (folder / "sales.team.yml").write_text(yaml.safe_dump(team))
    return folder


async def _kill_and_restart(running: stack.Stack, name: str) -> None:
    running.kill(name)
    await asyncio.sleep(1)
    running.spawn(name)
    await running.wait_healthy([name])


async def _until(count: Callable[[], Awaitable[int]], at_least: int, seconds: float) -> None:
    """Wait until ``count`` answers ``at_least``. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while await count() < at_least:
            await asyncio.sleep(0.1)


async def _story(client: Client, lead: str) -> Story | None:
    try:
        return await stories.story(client, lead)
    except (stories.Unknown, stories.Unreachable):
        return None


def test_every_form_was_accepted(aftermath: Aftermath) -> None:
    assert aftermath.answers == [202] * LEADS


def test_every_lead_goes_on_and_ends(aftermath: Aftermath) -> None:
    stuck = {
        lead: (story.now.stage, story.now.next_reason, [entry.text for entry in story.entries])
        for lead, story in aftermath.stories.items()
        if story.now is not None and not story.now.closed
    }
    assert not stuck, json.dumps(stuck, indent=1)
    assert all(story.now is not None for story in aftermath.stories.values())


def test_everybody_is_called_and_no_attempt_is_dialled_twice(aftermath: Aftermath) -> None:
    dials = Counter((sent["lead"][0], sent["attempt"][0]) for sent in aftermath.sent("/Calls.json"))
    assert not {dial: times for dial, times in dials.items() if times > 1}
    assert {lead for lead, _ in dials} == set(aftermath.members)
    known = {(lead, touch.attempt) for lead, story in aftermath.stories.items() for touch in story.now.touches}
    assert set(dials) <= known


def test_a_dial_of_which_nothing_was_heard_shows_as_ambiguous_and_is_looked_up(aftermath: Aftermath) -> None:
    ambiguous = {
        lead: [entry.text for entry in story.entries]
        for lead, story in aftermath.stories.items()
        if any(entry.kind == "ambiguous" for entry in story.entries)
    }
    assert len(ambiguous) >= UNHEARD, [entry.text for s in aftermath.stories.values() for entry in s.entries]


def test_no_text_is_sent_twice(aftermath: Aftermath) -> None:
    texts = Counter((sent["lead"][0], sent["touch"][0]) for sent in aftermath.sent("/Messages.json"))
    assert texts
    assert not {text: times for text, times in texts.items() if times > 1}


def test_no_booking_is_lost_or_doubled(aftermath: Aftermath) -> None:
    for lead in aftermath.members:
        story, events = aftermath.stories[lead], aftermath.events(lead)
        kinds = Counter(entry.kind for entry in story.entries)
        assert len(events) == kinds["booked"] - kinds["cancelled"], (lead, kinds, events)
        if story.now is not None and story.now.booking is not None:
            assert story.now.booking.event_id in {event["id"] for event in events}
    for calendar in aftermath.calendars:
        times = sorted(
            (datetime.fromisoformat(e["start"]["dateTime"]), datetime.fromisoformat(e["end"]["dateTime"]))
            for e in calendar["events"]
            if e.get("status") != "cancelled"
        )
        assert all(one[1] <= next_one[0] for one, next_one in itertools.pairwise(times)), times


def test_most_end_as_if_nothing_had_happened(aftermath: Aftermath) -> None:
    """A call that was cut off changes its story, not everybody's."""
    as_usual = [
        lead
        for lead, member in aftermath.members.items()
        if not trial.faults(member, aftermath.stories[lead], aftermath.wire)
    ]
    assert len(as_usual) >= LEADS // 2, {
        member.persona: trial.faults(member, aftermath.stories[lead], aftermath.wire)
        for lead, member in aftermath.members.items()
        if lead not in as_usual
    }


async def test_every_history_replays(aftermath: Aftermath) -> None:
    replayer = Replayer(
        workflows=workflow_classes(),
        data_converter=temporal.converter(settings().encryption_keys),
        workflow_runner=common_options()["workflow_runner"],
    )
    for history in aftermath.histories:
        await replayer.replay_workflow(history)
