"""From POST to the dial request arriving at the carrier's stand-in, beside a minimal Temporal starter and a
non-durable floor: the same server, the same stand-in, one run, rounds interleaved.

    python -m tests.bench.dial [--rounds 3] [--singles 30] [--burst 200] [--seconds 10] [--held 40] [--json]

``single``     one form every 200 ms
``burst``      that many forms at once: p50 and p99 of each one's wait, and when the last was dialled
``cpu``        processor time of all processes for one lead of the burst, with all that follows its dial
``sustained``  50 forms in flight, each replaced as it is dialled: forms a second
``held``       the carrier takes one call a second (Twilio's default): order, spacing, and what those at the back got

Absolute times depend on the machine and on what else it does; the ratios of one run are what counts.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import math
import operator
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from tests.bench.house import (
    Arrivals,
    House,
    environment,
    following,
    house,
    start_floor,
    start_product,
    start_starter,
)

_IN_FLIGHT = 50
_PATIENCE = 30.0
"""Seconds after which an accepted lead that was not dialled counts as undialled."""
_numbers = itertools.count()


def phone() -> str:
    """A number that nobody had before in this run; a Californian one, whose hours the bench's playbook opens."""
    return f"+1{('415', '510', '408', '619')[next(_numbers) % 4]}{5_000_000 + next(_numbers):07d}"


@dataclass
class System:
    """One of those compared, and what was measured of it, a value for each round."""

    name: str
    url: str
    results: dict[str, list[float]] = field(default_factory=dict)
    undialled: int = 0
    """Accepted, and not dialled within :data:`_PATIENCE`."""
    twice: int = 0

    def note(self, **measured: float) -> None:
        for name, value in measured.items():
            self.results.setdefault(name, []).append(value)

    def median(self, name: str) -> float:
        return statistics.median(self.results[name])


class Bench:
    """Posts forms and waits for their dials."""

    def __init__(self, made: House, session: aiohttp.ClientSession, arrivals: Arrivals) -> None:
        self._made, self._session, self._arrivals = made, session, arrivals

    async def post(self, system: System, number: str) -> float:
        """When the form of ``number`` was sent, in the machine's clock."""
        form = {"name": "Ada Park", "phone": number, "company": "Acme", "message": "Hello", "source": "bench"}
        began = time.time()
        async with self._session.post(f"{system.url}/leads", json=form) as answer:
            if answer.status != 202:
                raise RuntimeError(f"{system.name} answered {answer.status}: {await answer.text()}")
        return began

    async def single(self, system: System, count: int) -> None:
        sent = {}
        for _ in range(count):
            number = phone()
            sent[number] = await self.post(system, number)
            await asyncio.sleep(0.2)
        waits = await self._waits(system, sent)
        system.note(single_p50=_rank(waits, 50), single_p99=_rank(waits, 99))

    async def burst(self, system: System, count: int) -> None:
        numbers = [phone() for _ in range(count)]
        before = self._made.used()
        began = time.time()
        sent = dict(zip(numbers, await asyncio.gather(*(self.post(system, n) for n in numbers)), strict=True))
        waits = await self._waits(system, sent)
        dials = self._arrivals.dials
        last = max(dials[number][0] for number in numbers if number in dials) - began
        await self._made.quiet()  # what a lead costs includes what follows its dial
        used = self._made.used()
        system.note(
            burst_p50=_rank(waits, 50),
            burst_p99=_rank(waits, 99),
            burst_last=last,
            cpu=sum(used[name] - before[name] for name in used) / count,
        )

    async def sustained(self, system: System, seconds: float) -> None:
        waits: list[float] = []
        dials = self._arrivals.dials
        began = time.monotonic()

        async def one_after_another() -> None:
            while time.monotonic() - began < seconds:
                number = phone()
                sent = await self.post(system, number)
                if not await self._arrivals.until(partial(operator.contains, dials, number), _PATIENCE):
                    system.undialled += 1
                    continue
                waits.append(dials[number][0] - sent)

        await asyncio.gather(*(one_after_another() for _ in range(_IN_FLIGHT)))
        system.note(
            sustained_rate=len(waits) / (time.monotonic() - began), sustained_p99=_rank(sorted(waits), 99)
        )

    async def _waits(self, system: System, sent: dict[str, float]) -> list[float]:
        dials = self._arrivals.dials
        await self._arrivals.until(lambda: all(number in dials for number in sent), _PATIENCE)
        came = {number: began for number, began in sent.items() if number in dials}
        system.undialled += len(sent) - len(came)
        system.twice += sum(len(dials[number]) > 1 for number in came)
        return sorted(dials[number][0] - began for number, began in came.items())


def _rank(ordered: Sequence[float], percent: int) -> float:
    return ordered[max(math.ceil(len(ordered) * percent / 100) - 1, 0)]


async def clear(made: House) -> None:
    """End what is open, so that no system is measured with another's leads in the server."""
    client = await Client.connect(made.temporal)
    for _ in range(3):
        async for found in client.list_workflows("ExecutionStatus = 'Running'"):
            if found.status == WorkflowExecutionStatus.RUNNING:
                try:
                    await client.get_workflow_handle(found.id).terminate("measured")
                except RPCError:
                    continue
    await made.quiet()


async def compare(made: House, asked: argparse.Namespace) -> dict[str, Any]:
    """Interleaved rounds of all three; medians, and ours against the starter."""
    systems = [
        System("showrate", await start_product(made, environment(made))),
        System("starter", await start_starter(made)),
        System("floor", await start_floor(made)),
    ]
    ours, starter, floor = systems
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        following(made.carrier) as arrivals,
    ):
        bench = Bench(made, session, arrivals)
        phases: list[Callable[[System], Awaitable[None]]] = [
            lambda system: bench.single(system, asked.singles),
            lambda system: bench.burst(system, asked.burst),
            lambda system: bench.sustained(system, asked.seconds),
        ]
        for system in systems:  # the first of everything is slower
            await bench.single(system, 3)
            await bench.burst(system, 20)
            system.results.clear()
            system.undialled = system.twice = 0
            await clear(made)
        for _ in range(asked.rounds):
            for phase in phases:
                for system in systems:
                    await phase(system)
                    await clear(made)
                systems = [*systems[1:], systems[0]]
    names = list(ours.results)
    return {
        "systems": {s.name: {n: round(s.median(n), 4) for n in names} for s in (ours, starter, floor)},
        "ratios": {
            "single_p50": round(ours.median("single_p50") / starter.median("single_p50"), 2),
            "burst_p99": round(ours.median("burst_p99") / starter.median("burst_p99"), 2),
            "sustained_rate": round(ours.median("sustained_rate") / starter.median("sustained_rate"), 2),
        },
        "undialled": {s.name: s.undialled for s in (ours, starter, floor)},
        "dialled_twice": {s.name: s.twice for s in (ours, starter, floor)},
        "rounds": {s.name: s.results for s in (ours, starter, floor)},
    }


async def held(made: House, count: int) -> dict[str, Any]:
    """``count`` forms at once while the carrier takes one call a second."""
    system = System("showrate", await start_product(made, environment(made, rate=1.0)))
    async with aiohttp.ClientSession() as session, following(made.carrier) as arrivals:
        bench = Bench(made, session, arrivals)
        sent = {}
        for _ in range(count):  # one after the other, so that there is an order to keep
            number = phone()
            sent[number] = await bench.post(system, number)
        dialled = await arrivals.until(lambda: all(n in arrivals.dials for n in sent), count * 1.5 + 30)
        await asyncio.sleep(2)
    first = {number: arrivals.dials[number][0] for number in sent if number in arrivals.dials}
    places = {number: place for place, number in enumerate(sent)}
    order = sorted(first, key=first.__getitem__)
    times = sorted(first.values())
    waits = sorted(first[number] - sent[number] for number in first)
    back = list(sent)[count // 2 :]
    return {
        "leads": count,
        "all_dialled": dialled,
        "dialled": len(first),
        "dialled_twice": sum(len(arrivals.dials[number]) > 1 for number in first),
        "wait_p50": round(_rank(waits, 50), 2),
        "wait_p99": round(_rank(waits, 99), 2),
        "spacing_p50": round(statistics.median(b - a for a, b in itertools.pairwise(times)), 3),
        "calls_a_second": round((len(times) - 1) / (times[-1] - times[0]), 3),
        "farthest_out_of_order": max(abs(places[n] - place) for place, n in enumerate(order)),
        "texts_to_the_back_half": sum(number in arrivals.texts for number in back),
    }


async def run(asked: argparse.Namespace) -> dict[str, Any]:
    results: dict[str, Any] = {"processors": os.cpu_count()}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        if asked.rounds:
            results["together"] = await _in(Path(folder) / "together", lambda made: compare(made, asked))
        if asked.held:
            results["held"] = await _in(Path(folder) / "held", lambda made: held(made, asked.held))
    return results


async def _in(folder: Path, work: Callable[[House], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    folder.mkdir()
    async with house(folder) as made:
        try:
            return await work(made)
        except BaseException:
            for log in folder.glob("*.log"):
                print(f"---- {log.name}", *log.read_text(errors="replace").splitlines()[-8:], sep="\n")
            raise


def show(results: dict[str, Any]) -> None:
    if together := results.get("together"):
        names = list(together["systems"]["showrate"])
        print(f"{'':16}" + "".join(f"{system:>12}" for system in together["systems"]))
        for name in names:
            row = (measured[name] for measured in together["systems"].values())
            unit = (lambda v: f"{v:.0f}/s") if name == "sustained_rate" else (lambda v: f"{v * 1000:.0f} ms")
            print(f"{name:16}" + "".join(f"{unit(value):>12}" for value in row))
        for name in ("undialled", "dialled_twice"):
            print(f"{name:16}" + "".join(f"{count:>12}" for count in together[name].values()))
        print("against the starter:", together["ratios"])
    if results.get("held"):
        print("one call a second:", results["held"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--singles", type=int, default=30)
    parser.add_argument("--burst", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--held", type=int, default=40, help="leads of the run at one call a second; 0: none")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    results = asyncio.run(run(asked))
    if asked.json:
        print(json.dumps(results, indent=1))
    else:
        show(results)


if __name__ == "__main__":
    main()
