"""Every conversation with 10, 20 and 30 % of its words spoilt, over many seeds.

Run ``python -m tests.bench.corrupted`` (``--seeds 10``; about two minutes on two cores). Exit code 1 when anything was
booked that nobody chose, kept that nobody said, or did not end, with a recogniser that says how sure it is; the same
with one that never does is reported beside it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from clients.evaluation.corrupt import LEVELS
from tests.corrupted import Tally, all_of_them, many

SHOWN = 8
Kind = tuple[bool, float]
"""Whether the recogniser tells its confidence, and the part of the words that is spoilt."""


def part(kind: Kind, seed: int) -> Tally:
    """All conversations once, with this seed."""
    tells, rate = kind
    return many(all_of_them(), rate, (seed,), tells)


def run(seeds: int) -> dict[Kind, Tally]:
    """All of it on every core, with its progress on the error output."""
    kinds = [(tells, rate) for tells in (True, False) for rate in LEVELS]
    sums = {kind: Tally() for kind in kinds}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with ProcessPoolExecutor(os.cpu_count()) as pool, Progress(*columns) as bar:
        task = bar.add_task("spoilt", total=len(kinds) * seeds)
        under_way = {pool.submit(part, kind, seed): kind for kind in kinds for seed in range(seeds)}
        for done in as_completed(under_way):
            sums[under_way[done]].add(done.result())
            bar.advance(task)
    return sums


def report(sums: dict[Kind, Tally]) -> bool:
    """Print what came of it; whether all is well: no time is ever booked wrongly, and no value is kept wrongly where the
    recogniser tells how sure it is."""
    print("confidence  word errors   played   booked of bookable   read back   wrong time   wrong value   no end")
    for (tells, rate), came in sums.items():
        print(
            f"{'told' if tells else 'not told':<12}{rate:>10.0%}{came.played:>9,}{came.booked:>11,} of {came.bookable:<6,}"
            f"{came.read_back:>11,}{len(came.wrong):>13}{len(came.misheard):>14}{len(came.unended):>9}"
        )
    for (tells, _), came in sums.items():
        for line in [*came.wrong, *came.unended, *(came.misheard if tells else ())][:SHOWN]:
            print(f"  {line}")
    return not any(came.wrong + came.unended + (came.misheard if tells else []) for (tells, _), came in sums.items())


def main(arguments: Iterable[str] | None = None) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.corrupted", description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10, help="how often each conversation is played at each level")
    given = parser.parse_args(list(arguments) if arguments is not None else None)
    began = time.monotonic()
    well = report(run(given.seeds))
    print(f"{time.monotonic() - began:.0f} s; {'nothing wrong' if well else 'SOMETHING IS WRONG'}")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
