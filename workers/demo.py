"""``make demo``: everything on one machine, without any account.

Plain, it runs until Ctrl-C in ``.showrate`` and remembers what it did. With ``--once`` it runs the cast in a home of
its own and says whether each of them ended where they must.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
import shlex
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from rich.text import Text
from temporalio.client import Client
from temporalio.service import RPCError

from activities import funnel, library
from activities.settings import Settings, settings
from activities.vendors import temporal
from clients import printing
from workers import setup, trial
from workers.follow import OUT, Follower, lines
from workers.sandbox.cast import draw, visitor
from workers.server import ServerError
from workers.stack import LOOPBACK, ROOT, Ports, Stack, StackError, demo_environment, demo_keys, free_ports
from workflows.playbook import PlaybookError
from workflows.roster import Team

CAP = 230.0
"""Seconds that ``--once`` may take in all."""
STOPPING = 15.0
"""Seconds of them kept for stopping and printing."""

_FAULTS = (
    StackError, ServerError, PlaybookError, trial.TrialError, setup.SetupError, RPCError, RuntimeError, OSError, httpx.HTTPError
)  # fmt: skip


class Busy(RuntimeError):
    """Another demo runs in this home."""


def main(once: bool = False, seed: int | None = None) -> int:
    """Run the demo; the exit code: 0 when it was stopped or all of the cast ended well, 1 when something failed."""
    try:
        return asyncio.run(_interruptible(_once(seed) if once else _demo(seed)))
    except _FAULTS as error:
        lines([f"showrate demo: {error}"], "red")
        return 1


async def _interruptible(work: Coroutine[Any, Any, int]) -> int:
    """``work``, cancelled by Ctrl-C or SIGTERM so that it can stop what it started; 0 then."""
    task = asyncio.create_task(work)
    stopped = False

    def stop() -> None:
        nonlocal stopped
        if not stopped:  # a second Ctrl-C must not interrupt the stopping
            stopped = True
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        return 0


# ---- until Ctrl-C --------------------------------------------------------------------------------------------


async def _demo(seed: int | None) -> int:
    home = ROOT / ".showrate"
    with _alone(home):
        ports = free_ports(preferred=True)
        async with _running(home, ports) as (stack, house, client):
            _write_environment(home, stack.environment)
            _banner(home, ports, house, visitor(datetime.now(UTC), seed))
            following = asyncio.create_task(Follower(client, datetime.now(UTC)).follow())
            try:
                while not (ended := stack.ended()):
                    if following.done():
                        following.result()
                    await asyncio.sleep(0.5)
                for name in ended:
                    lines([f"{name} ended by itself:", stack.log_end(name)], "red")
                return 1
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)


def _banner(home: Path, ports: Ports, house: Settings, who: dict[str, str]) -> None:
    web, sandbox = house.showrate_public_url, f"http://{LOOPBACK}:{ports.sandbox}"
    form = f"{web}/form?{urlencode(who)}"
    where = (
        ("the form", form, "send it; the phone rings within a second or two (with a number of your own: by day where you are)"),
        ("the phone", f"{sandbox}/", "answer it yourself, or choose who answers"),
        ("texts, calendars", f"{sandbox}/texts {sandbox}/calendars", "drag, delete or answer a meeting there"),
        ("e-mails", f"{sandbox}/mails", "with the invitations in them"),
        ("CRM, Slack", f"{sandbox}/crm {sandbox}/slack", ""),
        ("the console", f"{web}/console/login?token={house.showrate_token}", "leads, why, the funnel, pause"),
        ("Temporal", f"{house.showrate_temporal_ui}/namespaces/default/workflows", "every lead is a workflow"),
    )
    OUT.print()
    OUT.print(Text("Showrate is running. Ctrl-C stops all of it.", style="bold green"))
    for name, address, what in where:
        told = Text(f"  {name:<17}", style="bold")
        told.append(address, style="cyan")
        told.append(f"   {what}" if what else "", style="dim")
        OUT.print(told)
    told = Text("  in a terminal    ", style="bold")
    told.append(f". {_short(home / 'env')}; .venv/bin/showrate lead list", style="cyan")
    told.append("   (or any temporal command)", style="dim")
    OUT.print(told)
    OUT.print(Text(f"  logs             {_short(home / 'logs')}", style="dim"))
    OUT.print()


def _write_environment(home: Path, environment: dict[str, str]) -> None:
    """The demo's settings as a file to source, so that ``showrate`` and ``temporal`` work beside it."""
    file = home / "env"
    file.touch(0o600)
    ours = {name.upper() for name in Settings.model_fields}
    shown = {
        name: value for name, value in environment.items() if name in ours or name.startswith(("TEMPORAL_", "NO_PROXY"))
    }
    shown.pop("TEMPORAL_CONFIG_FILE", None)
    shown["TEMPORAL_CODEC_ENDPOINT"] = f"{environment['SHOWRATE_PUBLIC_URL']}/codec"
    shown["TEMPORAL_CODEC_AUTH"] = f"Bearer {environment['SHOWRATE_TOKEN']}"
    file.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in shown.items()))


# ---- the cast, once ------------------------------------------------------------------------------------------


async def _once(seed: int | None) -> int:
    begun = time.monotonic()
    chosen = secrets.randbelow(1_000_000) if seed is None else seed
    (ROOT / ".showrate").mkdir(exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="once-", dir=ROOT / ".showrate"))
    well = kept = False
    try:
        async with _running(home, ports := free_ports(preferred=False)) as (_, house, client):
            members = draw(chosen, datetime.now(UTC))
            lines([f"The cast of seed {chosen}, ready after {time.monotonic() - begun:.1f} s:"], "bold")
            lines(f"  {member.character.name:<22} {member.persona.replace('_', ' ')}" for member in members)
            OUT.print()
            left = CAP - STOPPING - (time.monotonic() - begun)
            verdicts = await trial.run(members, client, house, f"http://{LOOPBACK}:{ports.sandbox}", left)
            counted = await asyncio.to_thread(funnel.funnel)
        _report(verdicts, counted, time.monotonic() - begun)
        well = not any(verdict.faults for verdict in verdicts)
        kept = not well
    except Exception:
        kept = True
        raise
    finally:
        if not kept:
            shutil.rmtree(home, ignore_errors=True)
        else:
            lines([f"Its logs and databases are kept in {_short(home)}; run it again with --seed {chosen}."])
    return 0 if well else 1


def _report(verdicts: list[trial.Verdict], counted: funnel.Funnel, seconds: float) -> None:
    for verdict in verdicts:
        OUT.print()
        head = Text(f"{verdict.member.character.name}", style="bold")
        head.append(f"  {verdict.member.persona.replace('_', ' ')}  {verdict.lead}", style="dim")
        OUT.print(head)
        if verdict.story:
            OUT.print(printing.timeline(verdict.story.entries, verdict.story.zone))
        for fault in verdict.faults:
            OUT.print(Text(f"  ✖ {fault}", style="bold red"))
    OUT.print()
    OUT.print(funnel.table(counted))
    OUT.print()
    wrong = [verdict for verdict in verdicts if verdict.faults]
    if wrong:
        names = ", ".join(verdict.member.persona for verdict in wrong)
        OUT.print(Text(f"{len(wrong)} of {len(verdicts)} did not end where they must: {names}", style="bold red"))
    else:
        OUT.print(Text(f"All {len(verdicts)} ended where they must, in {seconds:.0f} s.", style="bold green"))


# ---- shared --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _running(home: Path, ports: Ports) -> AsyncIterator[tuple[Stack, Settings, Client]]:
    """The whole stack, set up; this process reads the same settings. All of it is stopped after the block."""
    environment = demo_environment(home, ports, demo_keys(home))
    async with Stack(home, ports, environment) as stack:
        try:
            lines([f"Starting Temporal, the sandbox, the web process and the worker in {_short(home)} ..."], "dim")
            await stack.start()
            os.environ.update(environment)
            settings.cache_clear()
            await hire(f"http://{LOOPBACK}:{ports.sandbox}", library.teams(settings().showrate_playbooks))
            async for line in setup.setup():
                lines([f"  {line}"], "dim")
            yield stack, settings(), await temporal.connect()
        finally:
            lines(["Stopping ..."], "dim")


async def hire(sandbox: str, teams: Iterable[Team]) -> None:
    """Make the teams' reps users of the sandbox's CRM, as they are of a customer's: contacts and deals name their owner."""
    owners = []
    for rep in (rep for team in teams for rep in team.reps if rep.crm_owner):
        first, _, last = rep.name.partition(" ")
        owners.append({"id": rep.crm_owner, "email": rep.email, "firstName": first, "lastName": last})
    async with httpx.AsyncClient(timeout=15, trust_env=False) as http:
        (await http.post(f"{sandbox}/_state/hubspot", json={"owners": owners})).raise_for_status()


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Hold the home for this process. Raises Busy when another demo does."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy(f"a demo runs already in {_short(home)}; stop that one first") from None
        with contextlib.closing(lock):
            yield


def _short(path: Path) -> str:
    """``path`` as seen from where we are, when that is shorter."""
    return min(str(path), os.path.relpath(path), key=len)
