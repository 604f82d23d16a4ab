"""``make demo ARGS="--once"``: the cast on a whole stack of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from activities.vendors.temporal import ADDRESS
from tests.test_stack import gone
from workers.demo import CAP
from workers.sandbox.personas import CAST
from workers.stack import ROOT

EXPLORE = os.environ.get("HYPOTHESIS_PROFILE") == "explore"
SEED = Random(datetime.now(UTC).toordinal()).randrange(1_000_000) if EXPLORE else 1
"""The same in every run, or one that nobody has tried before, as the examples of the property tests."""


def test_every_one_of_the_cast_ends_where_they_must() -> None:
    begun = time.monotonic()
    run = subprocess.Popen(
        [sys.executable, "-m", "workers", "demo", "--once", "--seed", str(SEED)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        told, _ = run.communicate(timeout=CAP + 30)
    finally:
        if run.poll() is None:
            run.send_signal(signal.SIGTERM)
            run.communicate()
    assert run.returncode == 0, told
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
    told, _ = run.communicate(timeout=90)
    assert run.returncode == 0, told
    assert gone(children)


def _children(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [int(pid) for pid, ppid in (line.split() for line in listed.splitlines()) if int(ppid) == parent]
