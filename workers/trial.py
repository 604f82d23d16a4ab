"""The cast's run: forms are sent, and each person's story must end where their persona must end.

Judged by what reached the vendors (the sandbox's log of raw requests) as much as by what the leads say of themselves.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
from temporalio.client import Client

from activities.settings import Settings
from clients.stories import Story
from workers.follow import Follower
from workers.sandbox.cast import Member
from workflows import identity


@dataclass
class Verdict:
    """How one of the cast ended; ``faults`` is empty when they ended where they must."""

    member: Member
    lead: str
    story: Story | None = None
    faults: list[str] = field(default_factory=list)


class TrialError(RuntimeError):
    """The run itself could not be carried out; the message says which request failed and how."""


async def run(
    members: Sequence[Member], client: Client, house: Settings, sandbox: str, seconds: float
) -> list[Verdict]:
    """Register the cast with the ``sandbox`` (its address), send their forms, wait at most ``seconds`` until all
    have ended, and judge them. Raises TrialError."""
    verdicts = [Verdict(member, _lead(member.number, house)) for member in members]
    follower = Follower(client, datetime.now(UTC))
    end = time.monotonic() + seconds
    async with httpx.AsyncClient(timeout=15, trust_env=False) as http:
        await _post(http, f"{sandbox}/_cast", [member.model_dump(mode="json") for member in members])
        following = asyncio.create_task(follower.follow())
        try:
            await asyncio.gather(*(_send_forms(http, verdict, house) for verdict in verdicts))
            waiting = {verdict.lead for verdict in verdicts}
            while waiting and time.monotonic() < end:
                if following.done():
                    following.result()
                await asyncio.sleep(0.3)
                waiting = {lead for lead in waiting if not _closed(follower.stories.get(lead))}
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        await follower.look()
        wire = (await http.get(f"{sandbox}/_log", params={"direction": "in"})).raise_for_status().json()
    for verdict in verdicts:
        verdict.story = follower.stories.get(verdict.lead)
        verdict.faults = faults(verdict.member, verdict.story, wire)
    return verdicts


async def _send_forms(http: httpx.AsyncClient, verdict: Verdict, house: Settings) -> None:
    """Send a person's forms at their times; both must be accepted, for the same lead."""
    begun = time.monotonic()
    sent = []
    for post in verdict.member.posts:
        await asyncio.sleep(max(begun + post.delay - time.monotonic(), 0))
        form = {**post.form, "key": house.showrate_sources.get(str(post.form.get("source")), "")}
        sent.append(asyncio.create_task(_post(http, f"{house.showrate_public_url}/leads", form)))
    for answer in await asyncio.gather(*sent):
        if answer.get("lead") != verdict.lead:
            raise TrialError(f"the form of {verdict.member.persona} reached {answer.get('lead')}, not {verdict.lead}")


async def _post(http: httpx.AsyncClient, address: str, body: object) -> dict[str, Any]:
    try:
        answer = await http.post(address, json=body)
    except httpx.HTTPError as error:
        raise TrialError(f"POST {address}: {type(error).__name__}") from error
    if answer.is_error:
        raise TrialError(f"POST {address} answered {answer.status_code}: {answer.text[:500]}")
    found: dict[str, Any] = answer.json()
    return found


def faults(member: Member, story: Story | None, wire: Sequence[dict[str, Any]]) -> list[str]:
    """What is not as the persona must end, in words; ``wire`` is the sandbox's log of requests to the vendors."""
    expect, number = member.expect, member.number
    if story is None or story.now is None:
        return ["the lead did not answer"]
    now, found = story.now, []

    def must(holds: object, otherwise: str) -> None:
        if not holds:
            found.append(otherwise)

    must(now.stage == expect.stage, f"stage is {now.stage}, not {expect.stage}: {now.next_reason}")
    must(now.disposition == expect.disposition, f"disposition is {now.disposition or 'none'}, not {expect.disposition}")
    must(expect.furthest in ("", now.furthest), f"furthest stage is {now.furthest}, not {expect.furthest}")
    dials = _accepted(wire, "/Calls.json", "To", number)
    must(len(dials) >= expect.calls_at_least, f"dialled {len(dials)} times, at least {expect.calls_at_least} expected")
    must(len(dials) <= expect.calls_at_most, f"dialled {len(dials)} times, at most {expect.calls_at_most} expected")
    if expect.inbound:
        must(any(touch.touch == "inbound" for touch in now.touches), "no call from them was taken")
    if expect.recovered:
        must("recovered" in now.milestones, "no missed meeting was followed by another")
    if expect.asked:
        must("unknown" in now.milestones, "nobody was asked whether they came")
    booked = _events_of(wire, now.lead)
    must(len(booked) == expect.booked, f"{len(booked)} meetings in the calendars, {expect.booked} expected")
    if expect.silent_after:
        stopped = now.milestones.get("opted_out")
        must(stopped, "the opt-out is not known")
        late = [each for each in dials if stopped and datetime.fromisoformat(each["at"]) > stopped]
        must(not late, f"dialled {len(late)} times after the opt-out")
        texts = _accepted(wire, "/Messages.json", "To", number)
        late = [each for each in texts if stopped and datetime.fromisoformat(each["at"]) > stopped]
        must(len(late) <= 1, f"{len(late)} texts after the opt-out")
    return found


def _accepted(wire: Sequence[dict[str, Any]], path: str, name: str, value: str) -> list[dict[str, Any]]:
    """The POSTs to ``path`` that the vendor took and whose form field ``name`` is ``value``."""
    return [
        each
        for each in wire
        if each["method"] == "POST"
        and each["path"].endswith(path)
        and 200 <= each["status"] < 300
        and value in parse_qs(each["body"]).get(name, [])
    ]


def _events_of(wire: Sequence[dict[str, Any]], lead: str) -> set[str]:
    """The ids of the calendar events that were made for this lead: our mark on each begins as its id does."""
    stem = lead.removeprefix(identity.lead_id(""))[:12]
    made = set()
    for each in wire:
        if each["method"] == "POST" and each["path"].endswith("/events") and 200 <= each["status"] < 300:
            event = json.loads(each["body"])
            if event.get("extendedProperties", {}).get("private", {}).get("showrate_booking", "").startswith(stem):
                made.add(event["id"])
    return made


def _closed(story: Story | None) -> bool:
    return story is not None and story.now is not None and story.now.closed


def _lead(number: str, house: Settings) -> str:
    return identity.lead_id(identity.handle_id(house.identity_key, identity.phone_number(number)))
