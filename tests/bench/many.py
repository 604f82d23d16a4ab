"""Many open leads on one worker, asleep and then all woken at once: memory, database bytes, and how long it takes.

    python -m tests.bench.many [--leads 1000] [--cached 1000] [--minutes 60] [--json]

Everything is paused before the forms come, so each lead is started, recorded, tries its first dial, is refused, and
sleeps until the pause is over, as in an outage. ``showrate resume everything`` then signals every one of them. The real
worker, web process, server and record; the carrier's stand-in is never reached.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
from temporalio.client import Client

from activities.settings import Settings
from activities.vendors import temporal
from tests.bench.dial import phone
from tests.bench.house import LOOPBACK, ROOT, House, environment, house, start_product
from workflows.attributes import HELD

_ASLEEP = f"{HELD.name} = 'everything'"
_PORTION = 500
"""Leads that are posted before it is looked whether all sleep."""
_WARM = 30
"""Leads before the first measurement, so that what is loaded once is not counted."""
_AT_ONCE = 24
_TRIES = 20
_PATIENCE = 3600.0

_PLAYBOOK = """
extends: bench.yml
name: many
audience: many
version: 1
resume_spread: 12h
"""
"""What wakes goes on hours later: the waking alone is measured, not ten thousand dials."""


def resident(made: House, name: str) -> int:
    """Bytes of the process's memory that are in RAM."""
    pages = int(Path(f"/proc/{made.processes[name].pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def stored(file: Path) -> int:
    """Bytes of an SQLite database, what stands in its log included."""
    with sqlite3.connect(file, timeout=30) as db:
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        pages, size = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        return int(pages) * int(size)


def cached(port: str) -> int:
    """The workflows that the worker keeps in memory, by its own metrics."""
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/metrics", timeout=10) as answer:
        found = re.findall(r"^temporal_sticky_cache_size\{[^}]*\} (\d+)", answer.read().decode(), re.M)
    return max(map(int, found), default=0)


class Bench:
    """One run."""

    def __init__(self, made: House, settings: dict[str, str], client: Client, url: str) -> None:
        self.made, self.settings, self.client, self.url = made, settings, client, url

    def command(self, *words: str) -> None:
        """Run ``showrate`` against this installation."""
        env = {**os.environ, **self.settings, "TEMPORAL_ADDRESS": self.made.temporal}
        subprocess.run([sys.executable, "-m", "clients.command", *words], env=env, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)

    async def submit(self, leads: int) -> None:
        """Post that many forms; returns when all are accepted. One that is answered 503 is sent again under its id, as the
        README asks for."""
        slots = asyncio.Semaphore(_AT_ONCE)

        async def one(session: aiohttp.ClientSession) -> None:
            number = phone()
            form = {"name": "Ada Park", "phone": number, "source": "many", "email": f"{number}@example.com", "submission_id": number}
            async with slots:
                for _ in range(_TRIES):
                    async with session.post(f"{self.url}/leads", json=form) as answer:
                        if answer.status == 202:
                            return
                    await asyncio.sleep(1)
            raise RuntimeError(f"a form was answered {answer.status} {_TRIES} times; see the logs")

        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await asyncio.gather(*(one(session) for _ in range(leads)))

    async def until_asleep(self, leads: int) -> None:
        """Wait until exactly so many leads sleep under the pause. Raises RuntimeError when they do not."""
        end = time.monotonic() + _PATIENCE
        while (found := (await self.client.count_workflows(_ASLEEP)).count) != leads:
            if time.monotonic() > end:
                raise RuntimeError(f"{found} of {leads} leads sleep after {_PATIENCE:.0f} s; see the logs")
            await asyncio.sleep(0.5)

    def state(self) -> dict[str, float]:
        """Bytes in memory and on disk now."""
        record = self.made.folder / "home" / "record.db"
        return {
            "worker": resident(self.made, "worker"),
            "server": resident(self.made, "server"),
            "temporal_db": stored(next((self.made.folder / "temporal").glob("*.db"))),
            "record_db": stored(record),
            "cached": cached(self.settings["SHOWRATE_WORKER_PORT"]),
        }


async def run(asked: argparse.Namespace, made: House) -> dict[str, Any]:
    settings = environment(made) | {"SHOWRATE_CACHED_LEADS": str(asked.cached)}
    settings["SHOWRATE_AUDIENCES"] = json.dumps({"many": "many"})
    (Path(settings["SHOWRATE_PLAYBOOKS"]) / "many.yml").write_text(_PLAYBOOK)
    url = await start_product(made, settings)
    keys = Settings(showrate_encryption_keys=settings["SHOWRATE_ENCRYPTION_KEYS"]).encryption_keys
    client = await Client.connect(made.temporal, data_converter=temporal.converter(keys))
    bench = Bench(made, settings, client, url)

    bench.command("pause", "everything")
    await bench.submit(_WARM)
    await bench.until_asleep(_WARM)
    await made.quiet()
    before, used = bench.state(), made.used()

    begun = time.monotonic()
    leads, accepting = 0, 0.0
    while leads < asked.leads and time.monotonic() - begun < asked.minutes * 60:
        portion = min(_PORTION, asked.leads - leads)
        posted = time.monotonic()
        await bench.submit(portion)
        accepting += time.monotonic() - posted
        leads += portion
        await bench.until_asleep(_WARM + leads)
        print(f"{time.monotonic() - begun:6.0f} s: {leads} asleep; {bench.state()}", file=sys.stderr, flush=True)
    asleep = time.monotonic() - begun
    await made.quiet()
    after, spent = bench.state(), made.used()

    begun = time.monotonic()
    await asyncio.to_thread(bench.command, "resume", "everything")
    await bench.until_asleep(0)
    woken = time.monotonic() - begun
    await made.quiet()
    last = made.used()

    kept = after["cached"] - before["cached"]
    return {
        "leads": leads,
        "cache": asked.cached,
        "cached_more": int(kept),
        "accepted_per_second": round(leads / accepting, 1),
        "asleep_seconds": round(asleep, 1),
        "asleep_per_second": round(leads / asleep, 1),
        "worker_MB": round(after["worker"] / 1e6),
        "worker_KB_per_cached": round((after["worker"] - before["worker"]) / kept / 1e3, 1) if kept else None,
        "server_KB_per_lead": round((after["server"] - before["server"]) / leads / 1e3, 1),
        "temporal_db_KB_per_lead": round((after["temporal_db"] - before["temporal_db"]) / leads / 1e3, 1),
        "record_db_KB_per_lead": round((after["record_db"] - before["record_db"]) / leads / 1e3, 1),
        "woken_seconds": round(woken, 1),
        "woken_per_second": round((_WARM + leads) / woken, 1),
        "cpu_ms_per_start": {n: round((spent[n] - used[n]) * 1000 / leads, 1) for n in ("worker", "web", "server")},
        "cpu_ms_per_wake": {n: round((last[n] - spent[n]) * 1000 / (_WARM + leads), 1) for n in ("worker", "server")},
    }


async def whole(asked: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="many-") as folder:
        async with house(Path(folder)) as made:
            return await run(asked, made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--leads", type=int, default=1000)
    parser.add_argument("--cached", type=int, default=Settings.model_fields["showrate_cached_leads"].default)
    parser.add_argument("--minutes", type=float, default=60.0, help="post no more forms after so long")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    result = asyncio.run(whole(asked))
    for name, value in ({} if asked.json else result).items():
        print(f"{name:<26} {value}")
    if asked.json:
        print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
