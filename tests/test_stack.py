"""The local stack leaves nothing running, however it ends, and tells two of its kind apart."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fixtures.temporal import free_port
from workers import demo, stack, watchdog
from workers.stack import Ports, StackError


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path("/proc").exists() else True


def gone(pids: list[int], seconds: float = 8) -> bool:
    end = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(map(alive, pids))


def test_children_end_when_their_parent_is_killed() -> None:
    script = (
        "import subprocess, sys, time\n"
        "from workers.watchdog import Watchdog\n"
        "dog = Watchdog()\n"
        "for line in ('sleep 60', 'trap \"\" TERM; sleep 60 & wait; sleep 60'):\n"
        "    child = subprocess.Popen(['sh', '-c', line], start_new_session=True)\n"
        "    dog.watch(child.pid)\n"
        "    print(child.pid, flush=True)\n"
        "print(dog._other.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(parent.stdout.readline()) for _ in range(3)]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone(pids, watchdog.GRACE + 5)


def test_the_default_ports_where_they_are_free_and_others_where_not() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", Ports().web))
            taken.listen()
        except OSError:
            pass  # somebody else has it, which serves as well
        assert stack.free_ports(preferred=True).web != Ports().web
    chosen = stack.free_ports(preferred=False)
    assert len({chosen.temporal, chosen.ui, chosen.web, chosen.sandbox, chosen.worker}) == 5


def test_keys_are_made_once_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    first = stack.demo_keys(tmp_path / "home")
    assert stack.demo_keys(tmp_path / "home") == first
    assert stat.S_IMODE((tmp_path / "home" / "keys.env").stat().st_mode) == 0o600
    assert stack.demo_keys(tmp_path / "other") != first


def test_the_environment_is_ours_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "TEMPORAL_API_KEY", "SHOWRATE_BUILD", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "of somebody else")
    environment = stack.demo_environment(tmp_path, Ports(), stack.demo_keys(tmp_path))
    assert "of somebody else" not in environment.values()
    assert "PATH" in environment


def test_a_second_demo_in_the_same_home_is_refused(tmp_path: Path) -> None:
    with demo._alone(tmp_path), pytest.raises(demo.Busy, match="runs already"), demo._alone(tmp_path):
        pass
    with demo._alone(tmp_path):
        pass


async def test_a_process_that_does_not_start_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    ports = Ports(*(free_port() for _ in range(6)))
    environment = stack.demo_environment(tmp_path, ports, stack.demo_keys(tmp_path))
    environment["SHOWRATE_IDENTITY_KEY"] = "short"
    async with stack.Stack(tmp_path, ports, environment) as running:
        with pytest.raises(StackError, match="SHOWRATE_IDENTITY_KEY is missing or short"):
            await running.start()
        pids = [p.running.pid for p in running.processes.values() if p.running is not None]
        assert len(pids) == 4
    assert gone(pids)
