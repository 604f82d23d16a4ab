"""``make demo ARGS="--once"``: the cast on seeds of the day, each run a whole stack of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from activities.vendors.temporal import ADDRESS
from tests.test_stack import gone
from workers.demo import CAP
from workers.sandbox.personas import CAST
from workers.stack import ROOT

SEEDS = (1, Random(datetime.now(UTC).toordinal()).randrange(1_000_000))
"""One that is always run, and one that nobody has tried before."""


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[int, subprocess.Popen[str]]]:
    """Both runs at the same time."""
    started = {
        seed: subprocess.Popen(
            [sys.executable, "-m", "workers", "demo", "--once", "--seed", str(seed)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        for seed in SEEDS
    }
    yield started
    for run in started.values():
        if run.poll() is None:
            run.send_signal(signal.SIGTERM)
        run.communicate()


@pytest.mark.parametrize("seed", SEEDS)
def test_every_one_of_the_cast_ends_where_they_must(runs: dict[int, subprocess.Popen[str]], seed: int) -> None:
    begun = time.monotonic()
    told, _ = runs[seed].communicate(timeout=CAP + 30)
    assert runs[seed].returncode == 0, told
    assert time.monotonic() - begun < CAP + 10
    assert f"All {len(CAST)} ended where they must" in told
    assert "first ring p50" in told


def test_a_signal_stops_all_of_it(tmp_path: Path) -> None:
    run = subprocess.Popen(
        [sys.executable, "-m", "workers", "demo", "--once"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"TEMPORAL_ADDRESS": ADDRESS},
        start_new_session=True,
    )
    assert run.stdout is not None
    seen = ""
    for line in run.stdout:
        seen += line
        if "dialled" in line:
            break
    children = _children(run.pid)
    assert len(children) >= 4, seen
    run.send_signal(signal.SIGTERM)
    told, _ = run.communicate(timeout=40)
    assert run.returncode == 0, told
    assert gone(children)


def _children(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [int(pid) for pid, ppid in (line.split() for line in listed.splitlines()) if int(ppid) == parent]
