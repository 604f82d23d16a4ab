"""Ten thousand calls with a hostile model, and in the same run a sane one and one that errs in a tenth of its turns.

Run ``python -m tests.bench.hostile`` (``--calls 10000 --sane 2000 --errs 2000 --from 0``; about a minute and a half on
two cores). Every call is drawn from its seed, so one that is named in the report can be played again:
``--from SEED --calls 1 --sane 0 --errs 0``. Exit code 1 when an aim is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.hostile import ERRS, Mind, Sum, calls

CHUNK = 100
"""Calls that a process plays before it reports."""
AIMS: dict[Mind, float] = {"sane": 0.95, "errs": 0.85}
"""The part of the bookable calls that must be booked at least."""
SHOWN = 12


def run(first: int, wanted: dict[Mind, int]) -> dict[Mind, Sum]:
    """All the calls, on every core, with their progress on the error output."""
    sums: dict[Mind, Sum] = {mind: Sum() for mind in wanted}
    columns = (TextColumn("{task.description:8}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with ProcessPoolExecutor(os.cpu_count()) as pool, Progress(*columns) as bar:
        tasks = {mind: bar.add_task(mind, total=many) for mind, many in wanted.items() if many}
        under_way = {
            pool.submit(calls, range(at, min(at + CHUNK, first + many)), mind): mind
            for mind, many in wanted.items()
            for at in range(first, first + many, CHUNK)
        }
        for done in as_completed(under_way):
            mind, came = under_way[done], done.result()
            sums[mind].add(came)
            bar.update(tasks[mind], advance=came.calls)
    return sums


def report(sums: dict[Mind, Sum]) -> bool:
    """Print what came of it; whether every aim is met."""
    met = True
    for mind, came in sums.items():
        if not came.calls:
            continue
        found = came.found
        what = {"hostile": "every turn drawn to do harm", "errs": f"wrong in {ERRS:.0%} of its turns", "sane": "scripted"}[mind]
        print(f"\n{mind} ({what}): {came.calls:,} calls, {came.turns:,} turns of theirs, {came.asks:,} of the model")
        if came.thrown:
            print(f"  stale or foreign inputs thrown in   {came.thrown:,}")
        for name, lines in (
            ("unauthorised actions", found.unauthorised),
            ("ungrounded times or prices", found.ungrounded),
            ("calls that did not end", came.unended),
        ):
            met = met and not lines
            print(f"  {name:<35} {len(lines)}")
            _some(lines)
        print(f"  {'fields kept that nobody said':<35} {len(found.untrue)}")
        _some(found.untrue)
        if mind in AIMS:
            met = met and came.share >= AIMS[mind]
            print(f"  {'booked of the bookable':<35} {came.booked:,} of {came.bookable:,}: {came.share:.1%} (aim {AIMS[mind]:.0%})")
        print(f"  {'false denials':<35} {found.false_denials.total()} {_counted(found.false_denials)}")
        print(f"  {'done':<35} {_counted(came.actions)}")
        print(f"  {'denied':<35} {_counted(came.denied, 8)}")
        print(f"  {'done without having been asked for':<35} {_counted(found.needless)}")
        print(f"  {'times looked up too early':<35} {found.premature}")
    return met


def _some(lines: list[str]) -> None:
    for line in sorted(lines)[:SHOWN]:
        print(f"    {line}")


def _counted(counter: dict[str, int], most: int = SHOWN) -> str:
    return ", ".join(f"{name} {many:,}" for name, many in _sorted(counter)[:most])


def _sorted(counter: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counter.items(), key=lambda each: (-each[1], each[0]))


def main(arguments: Iterable[str] | None = None) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.hostile", description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=10_000, help="calls with the hostile model")
    parser.add_argument("--sane", type=int, default=2_000, help="bookable calls with the scripted model")
    parser.add_argument("--errs", type=int, default=2_000, help="bookable calls with the one that errs")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    given = parser.parse_args(list(arguments) if arguments is not None else None)
    began = time.monotonic()
    met = report(run(given.first, {"hostile": given.calls, "sane": given.sane, "errs": given.errs}))
    print(f"\n{time.monotonic() - began:.0f} s; {'every aim is met' if met else 'AN AIM IS MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
