"""``kill -9`` in the middle of a burst: how many accepted leads are lost, how many are dialled twice.

    python -m tests.bench.kill [--victim worker|web|server] [--leads 200] [--after 40] [--rounds 1] [--json]

The carrier is the sandbox, whose log of raw requests is the judge: a lead counts as *lost* when it was accepted
(202) and neither dialled nor shown as an ambiguous dial, and as *dialled twice* when one touch of its cadence led
to more than one dial request. ``ambiguous`` are those whose dial was under way: looked up, and shown to people;
``ambiguous_and_never_sent`` those of them that the carrier never saw, which go on with the next touch.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from temporalio.client import Client

from activities.settings import Settings
from activities.vendors import temporal
from tests.bench.dial import phone
from tests.bench.house import LOOPBACK, House, environment, free_port, house, start_product, until_healthy
from workers import server
from workflows import identity
from workflows.messages import View

_PATIENCE = 180.0
"""Seconds after the restart in which every lead must be accounted for."""

Dials = dict[str, list[str]]
"""By number, the attempts that were dialled."""


async def start_sandbox(made: House, settings: dict[str, str]) -> str:
    """The sandbox, whose people never answer; its address."""
    port = free_port()
    made.python("sandbox", "workers", "sandbox", "--port", str(port), "--mail-port", "0", **settings)
    url = f"http://{LOOPBACK}:{port}"
    await until_healthy(url)
    return url


async def dials(session: aiohttp.ClientSession, sandbox: str) -> Dials:
    """All dial requests that the sandbox ever got."""
    wanted = {"vendor": "twilio", "direction": "in", "method": "POST", "path": r"/Calls\.json$"}
    async with session.get(f"{sandbox}/_log", params=wanted) as answer:
        found: Dials = {}
        for entry in await answer.json():
            asked = parse_qs(entry["body"])
            attempt = parse_qs(urlsplit(asked["StatusCallback"][0]).query)["attempt"][0]
            found.setdefault(asked["To"][0], []).append(attempt)
    return found


async def post(session: aiohttp.ClientSession, url: str, number: str) -> bool:
    """Whether the form was accepted: what got no answer was not."""
    form = {"name": "Ada Park", "phone": number, "source": "bench"}
    try:
        async with session.post(f"{url}/leads", json=form) as answer:
            return answer.status == 202
    except aiohttp.ClientError:
        return False


async def one_round(made: House, victim: str, leads: int, after: int) -> dict[str, Any]:
    settings = environment(made)
    sandbox = await start_sandbox(made, settings)
    settings["TWILIO_BASE_URL"] = f"{sandbox}/twilio"
    url = await start_product(made, settings)
    commands = {name: made.processes[name].args for name in made.processes}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        numbers = [phone() for _ in range(leads)]
        posting = [asyncio.ensure_future(post(session, url, number)) for number in numbers]
        while sum(map(len, (await dials(session, sandbox)).values())) < after:
            await asyncio.sleep(0.05)
        made.kill(victim)
        before = sum(map(len, (await dials(session, sandbox)).values()))
        taken = await asyncio.gather(*posting)
        accepted = [number for number, ok in zip(numbers, taken, strict=True) if ok]
        await asyncio.sleep(0.5)
        made.start(victim, *map(str, commands[victim]), **settings)  # type: ignore[arg-type]
        restarted = time.monotonic()
        await server.wait_until_answers(made.temporal)
        client = await _client(made, settings)
        views = await _account(client, session, sandbox, settings, accepted)
        taken_seconds = time.monotonic() - restarted
        seen = await dials(session, sandbox)
    return {
        "victim": victim,
        "accepted": len(accepted),
        "dialled_at_kill": before,
        "lost": sum(not _accounted(views.get(number), seen.get(number)) for number in accepted),
        "dialled_twice": sum(_twice(views.get(number), seen.get(number, [])) for number in accepted),
        "ambiguous": sum(_ambiguous(views.get(number)) for number in accepted),
        "ambiguous_and_never_sent": sum(not seen.get(number) for number in accepted),
        "seconds_to_account_for_all": round(taken_seconds, 1),
    }


async def _account(
    client: Client,
    session: aiohttp.ClientSession,
    sandbox: str,
    settings: dict[str, str],
    accepted: list[str],
) -> dict[str, View]:
    """What each lead shows once it is accounted for, or when patience ends."""
    deadline = time.monotonic() + _PATIENCE
    views: dict[str, View] = {}
    while time.monotonic() < deadline:
        seen = await dials(session, sandbox)
        waiting = [number for number in accepted if not seen.get(number)]
        for number in waiting:
            views.update(await _view(client, settings, number))
        if all(_ambiguous(views.get(number)) for number in waiting):
            break
        await asyncio.sleep(1)
    for number in accepted:
        views.update(await _view(client, settings, number))
    return views


async def _view(client: Client, settings: dict[str, str], number: str) -> dict[str, View]:
    key = settings["SHOWRATE_IDENTITY_KEY"].encode()
    lead = client.get_workflow_handle(identity.lead_id(identity.handle_id(key, number)))
    try:
        async with asyncio.timeout(20):
            return {number: await lead.query("view", result_type=View)}
    except Exception as error:
        print(f"a lead could not be asked: {type(error).__name__}")
        return {}


def _ambiguous(view: View | None) -> bool:
    return view is not None and any(touch.outcome in ("ambiguous", "unknown") for touch in view.touches)


def _accounted(view: View | None, attempts: list[str] | None) -> bool:
    return bool(attempts) or _ambiguous(view)


def _twice(view: View | None, attempts: list[str]) -> bool:
    """One attempt sent twice, or two attempts at the same touch that both reached the carrier."""
    if max(Counter(attempts).values(), default=0) > 1:
        return True
    touches = Counter(t.touch for t in view.touches if t.attempt in attempts) if view else Counter()
    return max(touches.values(), default=0) > 1


async def _client(made: House, settings: dict[str, str]) -> Client:
    keys = Settings(showrate_encryption_keys=settings["SHOWRATE_ENCRYPTION_KEYS"]).encryption_keys
    return await Client.connect(made.temporal, data_converter=temporal.converter(keys))


async def run(asked: argparse.Namespace) -> list[dict[str, Any]]:
    results = []
    for _ in range(asked.rounds):
        with tempfile.TemporaryDirectory(prefix="kill-") as folder:
            async with house(Path(folder)) as made:
                results.append(await one_round(made, asked.victim, asked.leads, asked.after))
                if not asked.json:
                    print(json.dumps(results[-1]), flush=True)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--victim", choices=("worker", "web", "server"), default="worker")
    parser.add_argument("--leads", type=int, default=200)
    parser.add_argument("--after", type=int, default=40, help="kill once so many were dialled")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    results = asyncio.run(run(asked))
    if asked.json:
        print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
