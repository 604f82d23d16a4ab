"""All processes on one machine: Temporal, the sandbox, the web process and the worker, and the settings they share.

Each is a child in a process group of its own that logs into a file. Whatever ends this process, they end too: stopped
by :meth:`Stack.stop`, or by the watchdog when there was no time for that.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from activities.settings import Settings
from clients import codec
from workers import server
from workers.watchdog import Watchdog

ROOT = Path(__file__).parent.parent
LOOPBACK = server.LOOPBACK

AUDIENCE = "demo"
"""The playbook audience that counts in seconds what the real one counts in hours."""
SOURCES = ("website", "ads", "webinar")
"""The sources of the demo's forms, the hosted form's own first."""
_UNASKED = ("inbound_call", "inbound_text")
_LIST = "trade_show"
"""A source of people who agreed to be called; they get the outbound script, by the real clock."""

_GRACE = 12.0
"""Seconds that a process gets between SIGTERM and SIGKILL; the worker drains for ten."""
_SHOWN = 25
"""Lines of a log that are shown when its process fails."""


class StackError(RuntimeError):
    """A process did not start or did not last; the message holds the end of its log."""


@dataclass(frozen=True)
class Ports:
    """Where the processes listen, all on loopback."""

    temporal: int = 7233
    ui: int = 8233
    web: int = 8080
    sandbox: int = 8090
    worker: int = 9464
    mail: int = 1025


def free_ports(preferred: bool) -> Ports:
    """The default ports as far as they are free, when ``preferred``; any free ports otherwise."""
    held: list[socket.socket] = []
    chosen: dict[str, int] = {}
    try:
        for name, default in asdict(Ports()).items():
            taken = socket.socket()
            held.append(taken)  # kept open until all are chosen, so that no two are the same
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                taken.bind((LOOPBACK, default if preferred else 0))
            except OSError:
                taken.bind((LOOPBACK, 0))
            chosen[name] = taken.getsockname()[1]
    finally:
        for each in held:
            each.close()
    return Ports(**chosen)


def demo_keys(home: Path) -> dict[str, str]:
    """The demo's secrets by environment variable: made once, kept in a file that only its owner can read."""
    file = home / "keys.env"
    if not file.exists():
        made = {
            "SHOWRATE_IDENTITY_KEY": secrets.token_hex(32),
            "SHOWRATE_ENCRYPTION_KEYS": f"demo:{base64.b64encode(secrets.token_bytes(32)).decode()}",
            "SHOWRATE_LINK_KEY": secrets.token_hex(32),
            "SHOWRATE_TOKEN": secrets.token_urlsafe(16),
            "SHOWRATE_SOURCE_KEY": secrets.token_hex(8),
            "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
        }
        home.mkdir(parents=True, exist_ok=True)
        file.touch(0o600)
        file.write_text("".join(f"{name}={value}\n" for name, value in made.items()))
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if line)


def demo_environment(home: Path, ports: Ports, keys: dict[str, str]) -> dict[str, str]:
    """The whole environment of the demo's processes: this one's without any setting of ours or of Temporal's, and
    every vendor at the sandbox. Nothing but base URLs and keys says that it is the demo."""
    ours = {name.upper() for name in Settings.model_fields}
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ours and not name.startswith(("TEMPORAL_", "SHOWRATE_")) and not name.lower().endswith("_proxy")
    }
    public, sandbox = f"http://{LOOPBACK}:{ports.web}", f"http://{LOOPBACK}:{ports.sandbox}"
    keys = dict(keys)
    source_key = keys.pop("SHOWRATE_SOURCE_KEY")
    sources = {source: f"pk-{source}-{source_key}" for source in SOURCES}
    audiences = dict.fromkeys((*SOURCES, *_UNASKED), AUDIENCE) | {_LIST: "outbound"}
    return {
        **inherited,
        **keys,
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": "*",
        "TEMPORAL_ADDRESS": f"{LOOPBACK}:{ports.temporal}",
        "TEMPORAL_NAMESPACE": "default",
        "TEMPORAL_CONFIG_FILE": os.devnull,
        "SHOWRATE_HOME": str(home),
        "SHOWRATE_PUBLIC_URL": public,
        "SHOWRATE_PORT": str(ports.web),
        "SHOWRATE_WORKER_PORT": str(ports.worker),
        "SHOWRATE_TEMPORAL_UI": f"http://{LOOPBACK}:{ports.ui}",
        "SHOWRATE_SOURCES": json.dumps(sources),
        "SHOWRATE_AUDIENCES": json.dumps(audiences),
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 31 + "1",
        "TWILIO_NUMBER": "+14155550100",
        "TWILIO_BASE_URL": f"{sandbox}/twilio",
        "SHOWRATE_LOOKUPS": "twilio",
        "RETELL_API_KEY": "sandbox-retell",
        "RETELL_AGENT_ID": "agent_sandbox",
        "RETELL_NUMBER": "+14155550100",
        "RETELL_SOCKET_SECRET": keys["TWILIO_AUTH_TOKEN"][:16],
        "RETELL_BASE_URL": f"{sandbox}/retell",
        "SMTP_HOST": LOOPBACK,
        "SMTP_PORT": str(ports.mail),
        "SMTP_TLS": "none",
        "MAIL_FROM": "demo@example.com",
        "MAIL_REPLIES": "reply@in.example.com",
        "MAIL_INBOUND_SECRET": keys["TWILIO_AUTH_TOKEN"],
        "SHOWRATE_INVITATIONS": "mail",
        "GOOGLE_BASE_URL": f"{sandbox}/google/calendar/v3/",
        "CALCOM_API_KEY": "cal_sandbox",
        "CALCOM_BASE_URL": f"{sandbox}/calcom",
        "CALENDLY_TOKEN": "eyJ-sandbox",
        "CALENDLY_BASE_URL": f"{sandbox}/calendly",
        "HUBSPOT_ACCESS_TOKEN": "sandbox",
        "HUBSPOT_RATE": "250",
        "HUBSPOT_BASE_URL": f"{sandbox}/hubspot",
        "SLACK_BOT_TOKEN": "xoxb-sandbox",
        "SLACK_CHANNEL": "C0SALES",
        "SLACK_SIGNING_SECRET": keys["TWILIO_AUTH_TOKEN"][16:],
        "SLACK_BASE_URL": f"{sandbox}/slack/api/",
        "OPENAI_API_KEY": "sandbox",
        "OPENAI_BASE_URL": f"{sandbox}/openai/v1",
    }


@dataclass
class Process:
    """One child: how it is started, and the running one."""

    name: str
    line: list[str]
    address: str
    """What answers when it is healthy: an http address of /healthz, or Temporal's ``host:port``."""
    running: subprocess.Popen[bytes] | None = None


@dataclass
class Stack:
    """The processes of one installation in ``home``. Use it as an async context manager, or call :meth:`stop`."""

    home: Path
    ports: Ports
    environment: dict[str, str]
    extra: tuple[str, ...] = ()
    """More arguments of the Temporal server."""
    processes: dict[str, Process] = field(default_factory=dict)
    _watchdog: Watchdog = field(default_factory=Watchdog)

    def __post_init__(self) -> None:
        python = [sys.executable, "-m"]
        web, sandbox, worker = (f"http://{LOOPBACK}:{port}/healthz" for port in self._http_ports())
        folder = self.home / "temporal"
        temporal = server.native(
            server.read(),
            folder,
            port=self.ports.temporal,
            ui_port=self.ports.ui,
            codec_endpoint=codec.endpoint(Settings.model_validate(self._settings())),
            extra=self.extra,
        )
        kept = str(self.home / "sandbox")
        stand_ins = [
            *python, "workers", "sandbox", "--port", str(self.ports.sandbox), "--mail-port", str(self.ports.mail),
            "--home", kept,
        ]  # fmt: skip
        for process in (
            Process("temporal", temporal, f"{LOOPBACK}:{self.ports.temporal}"),
            Process("sandbox", stand_ins, sandbox),
            Process("web", [*python, "clients.web"], web),
            Process("worker", [*python, "workers", "worker"], worker),
        ):
            self.processes[process.name] = process

    async def __aenter__(self) -> Stack:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, seconds: float = 60.0) -> None:
        """Start everything and return once all of it answers. Raises StackError."""
        for name in ("temporal", "sandbox", "web", "worker"):
            self.spawn(name)
        await self.wait_healthy(self.processes, seconds)

    def spawn(self, name: str) -> None:
        """Start one process; what it writes is appended to ``logs/NAME.log``."""
        process = self.processes[name]
        logs = self.home / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        (self.home / "temporal").mkdir(parents=True, exist_ok=True)
        with (logs / f"{name}.log").open("ab") as log:
            process.running = subprocess.Popen(
                process.line,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._watchdog.watch(process.running.pid)

    async def wait_healthy(self, names: Iterable[str], seconds: float = 60.0) -> None:
        """Return once each of ``names`` answers. Raises StackError when one ends first, or after ``seconds``."""
        end = time.monotonic() + seconds
        await asyncio.gather(*(self._healthy(self.processes[name], end) for name in names))

    async def _healthy(self, process: Process, end: float) -> None:
        while time.monotonic() < end:
            if process.running is None or process.running.poll() is not None:
                raise StackError(f"{process.name} ended:\n{self.log_end(process.name)}")
            if await asyncio.to_thread(_answers, process.address):
                return
            await asyncio.sleep(0.05)
        raise StackError(f"{process.name} does not answer at {process.address}:\n{self.log_end(process.name)}")

    def ended(self) -> list[str]:
        """The names of processes that were started and have ended by themselves."""
        return [p.name for p in self.processes.values() if p.running is not None and p.running.poll() is not None]

    def log_end(self, name: str) -> str:
        """The last lines of a process's log."""
        file = self.home / "logs" / f"{name}.log"
        lines = file.read_text(errors="replace").splitlines() if file.exists() else []
        return "\n".join(f"  {line}" for line in lines[-_SHOWN:]) or "  (it wrote nothing)"

    def kill(self, name: str) -> None:
        """``kill -9`` of one process, at once."""
        process = self.processes[name]
        if process.running is not None:
            _signal(process.running, signal.SIGKILL)
            process.running.wait()
            self._watchdog.forget(process.running.pid)
            process.running = None

    async def stop(self) -> None:
        """End all of it: the worker and the web process first, so that they can still say goodbye to the server."""
        for names in (("worker", "web"), ("sandbox", "temporal")):
            await asyncio.gather(*(self._end(self.processes[name]) for name in names))
        await asyncio.to_thread(self._watchdog.close)

    async def _end(self, process: Process) -> None:
        running, process.running = process.running, None
        if running is None:
            return
        _signal(running, signal.SIGTERM)
        try:
            await asyncio.to_thread(running.wait, _GRACE)
        except subprocess.TimeoutExpired:
            _signal(running, signal.SIGKILL)
            await asyncio.to_thread(running.wait)
        _signal(running, signal.SIGKILL)  # whatever else is left in its group
        self._watchdog.forget(running.pid)

    def _http_ports(self) -> tuple[int, int, int]:
        return self.ports.web, self.ports.sandbox, self.ports.worker

    def _settings(self) -> dict[str, str]:
        names = {name.upper(): name for name in ("showrate_public_url", "showrate_token")}
        return {names[name]: self.environment[name] for name in names}


def _answers(address: str) -> bool:
    """Whether somebody healthy answers at ``address``."""
    if not address.startswith("http"):
        host, _, port = address.rpartition(":")
        try:
            asyncio.run(server.wait_until_answers(f"{host}:{port}", seconds=0.5))
        except server.ServerError:
            return False
        return True
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
