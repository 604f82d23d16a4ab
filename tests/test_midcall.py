"""A live call on a stack of its own, with real processes: the gateway dies by ``kill -9`` after a booking was accepted
and before a word was said about it, and a rep takes a call over while the agent speaks."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from temporalio.client import Client, WorkflowHandle

from activities.settings import settings
from activities.vendors import temporal
from clients import stories
from clients.stories import Story
from workers import setup, stack
from workflows import messages
from workflows.identity import handle_id, lead_id

BOOKS, TAKEN = "+12125550141", "+12125550142"
SLOW = 4.0
"""Seconds that the calendar takes for the event."""


@dataclass
class Phone:
    """The person at the sandbox's phone page, at one number."""

    http: httpx.AsyncClient
    number: str
    sid: str = ""

    async def call(self) -> dict[str, Any]:
        found = (await self.http.get("/_phone", params={"number": self.number})).json()["calls"]
        return dict(found[0]) if found else {}

    async def do(self, verb: str, **more: Any) -> None:
        (await self.http.post(f"/_phone/{verb}", json={"sid": self.sid, **more})).raise_for_status()

    async def answer(self) -> None:
        async def rings() -> bool:
            self.sid = (await self.call()).get("sid", "")
            return self.sid in (await self.http.get("/_phone")).json()["rings"]

        await until(rings)
        await self.do("answer")

    async def heard(self) -> list[dict[str, Any]]:
        """Our utterances."""
        return [said for said in (await self.call())["says"] if said["us"]]

    async def say(self, words: str) -> str:
        """Say ``words``; what we answer, once we have finished."""
        before = len(await self.heard())
        await self.do("say", words=words)
        await until(lambda: self._quiet(before))
        return " ".join(said["text"] for said in (await self.heard())[before:])

    async def _quiet(self, before: int) -> bool:
        heard, call = await self.heard(), await self.call()
        return len(heard) > before and not call["busy"] and heard[-1]["text"] not in ("One moment, please.",)


@dataclass
class Seen:
    """What there is to see afterwards."""

    heard: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    stories: dict[str, Story] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    stopped_after: float = 0.0
    answered: str = ""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    before = dict(os.environ)
    try:
        yield asyncio.run(_both(tmp_path_factory.mktemp("midcall")))
    finally:
        os.environ.clear()
        os.environ.update(before)
        settings.cache_clear()


async def _both(home: Path) -> Seen:
    found = Seen()
    async with _house(home) as (running, http, client):
        for play in (_killed, _taken_over):
            await play(running, http, client, found)
        found.events = [
            event
            for calendar in (await http.get("/_state/google")).json()["calendars"]
            for event in calendar["events"]
            if event.get("status") != "cancelled" and event.get("extendedProperties")
        ]
        for number in (BOOKS, TAKEN):
            found.stories[number] = await stories.story(client, _lead(number))
    return found


@asynccontextmanager
async def _house(home: Path) -> AsyncIterator[tuple[stack.Stack, httpx.AsyncClient, Client]]:
    ports = stack.free_ports(preferred=False)
    environment = stack.demo_environment(home, ports, stack.demo_keys(home))
    environment |= {"SHOWRATE_PLAYBOOKS": str(_always_open(home / "playbooks"))}
    async with stack.Stack(home, ports, environment) as running:
        await running.start()
        os.environ.update(environment)
        settings.cache_clear()
        async for _ in setup.setup():
            pass
        client = await temporal.connect()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports.sandbox}", trust_env=False) as http:
            await http.post("/_phone/persona", json={"kind": "nobody"})
            yield running, http, client


def _always_open(folder: Path) -> Path:
    """The demo's playbooks, at any hour, with slots that do not pass while the gateway is away."""
    folder.mkdir()
    for file in settings().showrate_playbooks.glob("*.yml"):
        content = yaml.safe_load(file.read_text())
        if file.stem == "demo":
            content["hours"] = {"opens": "00:00", "closes": "24:00"}
            content["rules"] = None
            content["meeting"] |= {"notice": "90s", "window": "8m"}
        (folder / file.name).write_text(yaml.safe_dump(content))
    return folder


async def _submit(number: str) -> WorkflowHandle[Any, Any]:
    house = settings()
    form = {"phone": number, "name": "Dana Reyes", "email": f"dana{number[-4:]}@example.com", "company": "Reyes Ltd", "source": "website",
            "key": house.showrate_sources["website"]}  # fmt: skip
    async with httpx.AsyncClient(trust_env=False) as http:
        (await http.post(f"{house.showrate_public_url}/leads", json=form, timeout=15)).raise_for_status()
    client = await temporal.connect()
    return client.get_workflow_handle(_lead(number))


def _lead(number: str) -> str:
    return lead_id(handle_id(settings().identity_key, number))


async def _killed(running: stack.Stack, http: httpx.AsyncClient, client: Client, found: Seen) -> None:
    """The booking is under way when the gateway dies; it is made while nobody holds the call."""
    lead, phone = await _submit(BOOKS), Phone(http, BOOKS)
    await phone.answer()
    await until(lambda: phone._quiet(0))
    for words in ("Yes, sure.", "We need help with stock counts.", "About 25 people."):
        await phone.say(words)
    assert "I can offer" in await phone.say("This quarter.")
    assert "is that right?" in await phone.say("The first one, please.")
    fault = {"vendor": "google", "method": "POST", "path": "/events$", "kind": "slow", "when": "after", "delay": SLOW}
    (await http.post("/_faults", json=fault)).raise_for_status()
    await phone.do("say", words="Yes, that's right.")

    async def asked() -> bool:
        return not (await http.get("/_faults")).json()

    await until(asked)
    before = len(await phone.heard())
    running.kill("web")

    async def booked() -> bool:
        view: messages.View = await lead.query("view", result_type=messages.View)
        return view.booking is not None

    await until(booked)
    running.spawn("web")
    await until(lambda: phone._quiet(before))
    found.answered = " ".join(said["text"] for said in (await phone.heard())[before:])
    await phone.say("No, that's all. Thank you!")
    await until(lambda: _over(phone))
    found.heard[BOOKS] = await phone.heard()


async def _taken_over(running: stack.Stack, http: httpx.AsyncClient, client: Client, found: Seen) -> None:
    await http.post("/_twilio", json={"pace": {"word": 0.3}})
    lead, phone = await _submit(TAKEN), Phone(http, TAKEN)
    await phone.answer()

    async def speaking() -> bool:
        return bool((await phone.call()).get("busy"))

    await until(speaking)
    await asyncio.sleep(1.0)
    began = time.monotonic()
    await lead.execute_update("take_over", messages.By(by="ana"), result_type=messages.Answer)

    async def silenced() -> bool:
        """The carrier was told; from then on the agent's socket is gone."""
        asked = {"vendor": "twilio", "direction": "in", "method": "POST", "path": f"/Calls/{phone.sid}.json"}
        return bool((await http.get("/_log", params=asked)).json())

    await until(silenced)
    found.stopped_after = time.monotonic() - began
    await until(lambda: _over(phone))
    await asyncio.sleep(0.5)
    found.heard[TAKEN] = await phone.heard()


async def _over(phone: Phone) -> bool:
    return bool((await phone.call())["status"] == "completed")


async def until(true: Callable[[], Awaitable[object]], seconds: float = 150) -> None:
    end = time.monotonic() + seconds
    while not await true():
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


def test_the_new_gateway_speaks_of_the_booking_first(seen: Seen) -> None:
    assert "cut off" in seen.answered
    assert "stands" in seen.answered
    assert "I can offer" not in seen.answered
    assert "automated assistant" in seen.answered, "whoever takes the call up says what it is"


def test_nothing_was_booked_twice_and_the_call_came_to_its_end(seen: Seen) -> None:
    assert len(seen.events) == 1
    story = seen.stories[BOOKS]
    assert [entry.kind for entry in story.entries].count("booked") == 1
    assert story.now is not None
    assert story.now.booking is not None
    assert story.now.booking.start > datetime(2026, 1, 1, tzinfo=UTC)
    assert "goodbye" in seen.heard[BOOKS][-1]["text"].lower()
    assert len([t for t in story.now.touches if t.channel == "call"]) == 1


def test_a_rep_who_takes_over_silences_the_agent_at_once_and_it_says_so(seen: Seen) -> None:
    said = [each["text"] for each in seen.heard[TAKEN]]
    assert "get back to you" in said[-1]
    assert not any("good moment?" in text for text in said), "in the middle of its first words"
    assert seen.stopped_after < 3


def test_after_the_take_over_nothing_more_is_started(seen: Seen) -> None:
    story = seen.stories[TAKEN]
    assert story.now is not None
    assert story.now.taken_over_by == "ana"
    assert len(story.now.touches) == 1
