"""How many meetings one team can hand out: assignments a second, and the load at which their p99 passes 100 ms.

Run ``python -m tests.bench.team``. A real Temporal server, the team's workflow in a worker of its own, and updates that
come at random moments (Poisson) at a rate that rises from step to step. Beside it, in the same run, the same load on
the plainest of workflows, whose update only counts: what is left is what the turns themselves cost.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import Client
from temporalio.worker import Worker

from activities import entity
from activities.entity import Entity
from workers.options import common_options
from workflows import rotation
from workflows.roster import Rep, Team
from workflows.rotation import Assigned, AssignTurn
from workflows.team_workflow import TeamStart, TeamWorkflow

from .counter import Counter
from .house import house

QUEUE = "bench-team"
REPS = 20
LIMIT = 100.0
"""Milliseconds."""


def team() -> Team:
    hours = {day: ("09:00-17:00",) for day in range(5)}
    reps = [
        Rep(id=f"rep{n}", name=f"Rep {n}", calendar=f"rep{n}@tallyhook.example", zone="UTC", hours=hours, weight=1 + n % 3)
        for n in range(REPS)
    ]
    return Team(id="bench", reps=tuple(reps))


def turn() -> AssignTurn:
    rep = f"rep{random.randrange(REPS)}"
    return AssignTurn(booking=secrets.token_hex(8), lead=secrets.token_hex(8), rep=rep, now=datetime.now(UTC))


async def connect() -> Client:
    from temporalio.contrib.pydantic import pydantic_data_converter

    return await Client.connect(os.environ["TEMPORAL_ADDRESS"], data_converter=pydantic_data_converter)


async def work() -> None:
    async with Worker(await connect(), task_queue=QUEUE, workflows=[TeamWorkflow, Counter], **common_options()):
        await asyncio.Event().wait()


async def load(ask: Callable[[], Awaitable[object]], rate: float, seconds: float) -> list[float]:
    """Milliseconds of each, asked ``rate`` times a second whether or not the ones before were answered."""
    took: list[float] = []

    async def one() -> None:
        begun = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - begun) * 1000)

    asked, at = [], time.perf_counter()
    end = at + seconds
    while at < end:
        await asyncio.sleep(max(at - time.perf_counter(), 0))
        asked.append(asyncio.create_task(one()))
        at += random.expovariate(rate)
    await asyncio.gather(*asked)
    return took


async def climb(name: str, ask: Callable[[], Awaitable[object]], rates: list[float], seconds: float) -> float:
    """The highest of ``rates`` at which p99 stays below the limit."""
    best = 0.0
    for _ in range(20):
        await ask()
    for rate in rates:
        took = sorted(await load(ask, rate, seconds))
        p50, p99 = statistics.median(took), took[int(len(took) * 0.99)]
        print(f"{name:12} {rate:6.0f}/s  p50 {p50:7.1f} ms  p99 {p99:8.1f} ms", flush=True)
        if p99 > LIMIT:
            break
        best = rate
    return best


async def flat_out(ask: Callable[[], Awaitable[object]], at_once: int, count: int) -> float:
    """Answers a second with ``at_once`` always in flight."""
    left = iter(range(count))

    async def one() -> None:
        for _ in left:
            await ask()

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(at_once)))
    return count / (time.perf_counter() - begun)


def pure(count: int = 5000) -> float:
    """Assignments a second of the rules alone, without Temporal."""
    state, _ = rotation.set_roster(rotation.Rotation(team=Team(id="bench", reps=())), team())
    turns = [turn() for _ in range(count)]
    begun = time.perf_counter()
    for each in turns:
        state, _ = rotation.assign(state, each)
    return count / (time.perf_counter() - begun)


async def run(rates: list[float], seconds: float) -> None:
    print(f"the rules alone: {pure():,.0f} assignments a second, {REPS} reps", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        async with house(Path(folder)) as made:
            os.environ["TEMPORAL_ADDRESS"] = made.temporal
            made.python("worker", "tests.bench.team", "--worker")
            client = await connect()
            ours = await client.start_workflow(TeamWorkflow.run, TeamStart(team="bench"), id="team", task_queue=QUEUE)
            await ours.execute_update("set_roster", team())
            peer = await client.start_workflow(Counter.run, id="counter", task_queue=QUEUE)

            async def assign() -> None:
                answer = await entity.ask(client, Entity("", "team"), "assign", turn(), Assigned)
                assert answer.rep is not None, answer.refused

            async def add() -> None:
                await entity.ask(client, Entity("", peer.id), "add", turn(), int)

            best = await climb("team", assign, rates, seconds)
            plain = await climb("plain update", add, rates, seconds)
            most, most_plain = await flat_out(assign, 32, 1000), await flat_out(add, 32, 1000)
            print(f"p99 stays below {LIMIT:.0f} ms up to {best:.0f}/s (plain update {plain:.0f}/s)")
            print(f"32 in flight: {most:.0f}/s (plain update {most_plain:.0f}/s, ratio {most / most_plain:.2f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=10, help="of each step")
    parser.add_argument("--rates", default="5,10,20,40,60,80,100,140,200,300", help="updates a second, rising")
    given = parser.parse_args()
    if given.worker:
        asyncio.run(work())
    else:
        asyncio.run(run([float(rate) for rate in given.rates.split(",")], given.seconds))


if __name__ == "__main__":
    main()
