"""The processes that the benches measure, each in a process of its own on free ports of loopback."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from workers import server

ROOT = Path(__file__).parent.parent.parent
LOOPBACK = "127.0.0.1"

_PLAYBOOK = """
extends: inbound.yml
name: bench
audience: bench
hours: {opens: "00:00", closes: "24:00"}
rules: null
"""
"""The real playbook, but always open: a bench must not depend on the hour."""


def free_port() -> int:
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        port: int = found.getsockname()[1]
        return port


@dataclass
class House:
    """Where everything is. ``folder`` holds homes, databases and one log for each process."""

    folder: Path
    temporal: str = field(default_factory=lambda: f"{LOOPBACK}:{free_port()}")
    ui_port: int = field(default_factory=free_port)
    carrier: str = field(default_factory=lambda: f"http://{LOOPBACK}:{free_port()}")
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a process; its output goes to ``folder/NAME.log``."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                start_new_session=True,
                env={
                    **os.environ,
                    "TEMPORAL_ADDRESS": self.temporal,
                    # As on any machine that keeps bytecode: Temporal's sandbox imports each workflow's module anew.
                    "PYTHONDONTWRITEBYTECODE": "",
                    "PYTHONPYCACHEPREFIX": str(self.folder / "bytecode"),
                    **environment,
                },
            )
        return self.processes[name]

    def python(self, name: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        return self.start(name, sys.executable, "-m", *arguments, **environment)

    def kill(self, name: str) -> None:
        """As ``kill -9`` does."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """End all that was started, in the reverse order."""
        for process in reversed(self.processes.values()):
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2)
            process.kill()
            process.wait()
        self.processes.clear()

    def used(self) -> dict[str, float]:
        """CPU seconds that each process has used so far."""
        seconds = {}
        for name, process in self.processes.items():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
                seconds[name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return seconds

    async def quiet(self, patience: float = 60) -> None:
        """Wait until the processes have nothing left to do."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            before = sum(self.used().values())
            await asyncio.sleep(0.5)
            if sum(self.used().values()) - before < 0.06:
                return


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    """A Temporal server as ``temporal-dev.yml`` describes it, and the carrier's stand-in."""
    made = House(folder)
    try:
        port = int(made.temporal.rpartition(":")[2])
        data = folder / "temporal"
        data.mkdir()
        made.start("server", *server.native(server.read(), data, port=port, ui_port=made.ui_port))
        made.python("carrier", "tests.bench.carrier", made.carrier.rpartition(":")[2])
        await server.wait_until_answers(made.temporal)
        await until_healthy(made.carrier)
        yield made
    finally:
        made.stop()


def environment(made: House, *, rate: float = 0.0, carrier: str = "") -> dict[str, str]:
    """The settings of the product's processes: our own carrier unless ``carrier`` names another base URL."""
    playbooks = made.folder / "playbooks"
    if not playbooks.exists():
        shutil.copytree(ROOT / "workflows" / "playbooks", playbooks)
        (playbooks / "bench.yml").write_text(_PLAYBOOK)
    return {
        "SHOWRATE_HOME": str(made.folder / "home"),
        "SHOWRATE_PLAYBOOKS": str(playbooks),
        "SHOWRATE_AUDIENCES": json.dumps({"bench": "bench"}),
        "SHOWRATE_IDENTITY_KEY": "i" * 32,
        "SHOWRATE_ENCRYPTION_KEYS": f"b1:{base64.b64encode(b'e' * 32).decode()}",
        "SHOWRATE_LINK_KEY": "l" * 32,
        "SHOWRATE_TOKEN": "bench",
        "SHOWRATE_DIAL_RATE": str(rate),
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "bench",
        "TWILIO_NUMBER": "+14155550100",
        "TWILIO_BASE_URL": carrier or f"{made.carrier}/twilio",
    }


async def start_product(made: House, settings: dict[str, str]) -> str:
    """The worker and the web process; the address of the latter once both are ready."""
    port, worker_port = free_port(), free_port()
    url = f"http://{LOOPBACK}:{port}"
    settings |= {
        "SHOWRATE_PORT": str(port),
        "SHOWRATE_PUBLIC_URL": url,
        "SHOWRATE_WORKER_PORT": str(worker_port),
    }
    made.python("worker", "workers", "worker", **settings)
    made.python("web", "clients.web", **settings)
    await until_healthy(url)
    await until_healthy(f"http://{LOOPBACK}:{worker_port}")
    return url


async def start_starter(made: House) -> str:
    """The minimal Temporal starter's worker and web process."""
    port = free_port()
    made.python("starter-worker", "tests.bench.starter", "worker", made.carrier)
    made.python("starter-web", "tests.bench.starter", "web", str(port))
    await until_healthy(f"http://{LOOPBACK}:{port}")
    return f"http://{LOOPBACK}:{port}"


async def start_floor(made: House) -> str:
    """The non-durable floor."""
    port = free_port()
    made.python("floor", "tests.bench.floor", str(port), made.carrier)
    await until_healthy(f"http://{LOOPBACK}:{port}")
    return f"http://{LOOPBACK}:{port}"


async def until_healthy(url: str, seconds: float = 120) -> None:
    """Return once ``url/healthz`` answers 200. Raises RuntimeError after ``seconds``."""
    deadline = time.monotonic() + seconds
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < deadline:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(f"{url}/healthz", timeout=aiohttp.ClientTimeout(total=2)) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.1)
    raise RuntimeError(f"{url} does not answer; see the logs")


class Arrivals:
    """What the carrier's stand-in got, as it gets it."""

    def __init__(self) -> None:
        self.dials: dict[str, list[float]] = {}
        self.texts: dict[str, list[float]] = {}
        self._changed = asyncio.Event()

    async def follow(self, carrier: str) -> None:
        """Read the stream until cancelled."""
        timeout = aiohttp.ClientTimeout(total=None)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{carrier}/arrivals") as stream,
        ):
            async for line in stream.content:
                seen = json.loads(line)
                kept = self.dials if seen["kind"] == "calls" else self.texts
                kept.setdefault(seen["to"], []).append(seen["at"])
                self._changed.set()

    async def until(self, true: Callable[[], bool], seconds: float) -> bool:
        """Wait until ``true()``, which is asked after each arrival; False when it did not come to be."""
        deadline = time.monotonic() + seconds
        while not true():
            self._changed.clear()
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), left)
        return True


@asynccontextmanager
async def following(carrier: str) -> AsyncIterator[Arrivals]:
    arrivals = Arrivals()
    task = asyncio.create_task(arrivals.follow(carrier))
    try:
        yield arrivals
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
