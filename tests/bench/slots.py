"""How fast free slots are found: N reps x 4 weeks, 100 busy events each, clock changes inside, buffers.

Run ``python -m tests.bench.slots``. Where ``intervaltree`` is installed, the same question is put to it in the same
run and the answers must be equal.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

from workflows import slots
from workflows.slots import Hours, Span, Terms

ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "Europe/London",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Australia/Sydney",
    "America/Sao_Paulo",
)
TERMS = Terms(length=1800, step=1800, before=300, after=600, notice=7200, window=28 * 86400)
WORK: Hours = ((((9 * 3600, 12 * 3600)), (13 * 3600, 17 * 3600)),) * 5 + ((), ())
NOW = int(datetime(2027, 3, 1, 12, tzinfo=UTC).timestamp())

Case = tuple[str, list[Span]]


def cases(reps: int) -> list[Case]:
    draw = random.Random(7)
    found = []
    for nth in range(reps):
        starts = (NOW + 300 * draw.randrange(28 * 288) for _ in range(100))
        found.append((ZONES[nth % len(ZONES)], [Span(at, at + 900 * draw.randint(1, 6)) for at in starts]))
    return found


def ours(asked: list[Case]) -> list[list[int]]:
    return [slots.free_starts(WORK, zone, busy, TERMS, NOW) for zone, busy in asked]


def with_intervaltree(asked: list[Case]) -> list[list[int]]:
    from intervaltree import IntervalTree

    answers = []
    for zone, busy in asked:
        tree = IntervalTree()
        for span in busy:
            tree.addi(span.start - TERMS.after, span.end + TERMS.before)
        free = []
        last = NOW + TERMS.window
        for begin, finish in slots.working_time(WORK, zone, NOW, last + TERMS.length):
            at = begin + (-begin) % TERMS.step
            while at + TERMS.length <= finish and at <= last:
                if at >= NOW + TERMS.notice and not tree.overlaps(at, at + TERMS.length):
                    free.append(at)
                at += TERMS.step
        answers.append(free)
    return answers


def measure(
    name: str, peer: Callable[[list[Case]], list[list[int]]], asked: list[Case], rounds: int
) -> list[list[int]]:
    answer = peer(asked)
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        answer = peer(asked)
        times.append((time.perf_counter() - begun) * 1000)
    print(f"{name:14} {len(asked):5} reps  median {statistics.median(times):8.2f} ms  best {min(times):8.2f} ms")
    return answer


if __name__ == "__main__":
    for reps, rounds in ((10, 200), (100, 40), (1000, 7)):
        asked = cases(reps)
        mine = measure("showrate", ours, asked, rounds)
        try:
            assert measure("intervaltree", with_intervaltree, asked, max(3, rounds // 10)) == mine
        except ImportError:
            print("intervaltree is not installed: no comparison")
