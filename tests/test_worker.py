"""What a worker runs, when it refuses to start, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import logging
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import get_type_hints

import pytest
from temporalio.client import Client
from temporalio.common import VersioningBehavior

from activities import installation, library, logs, roster, store
from activities.settings import settings
from activities.vendors import temporal
from tests.fixtures.record import reflection
from tests.fixtures.temporal import free_port, running_worker
from tests.stage import form
from workers import setup, worker
from workflows import effects, identity, messages
from workflows.attributes import start_attributes


def test_every_declared_activity_is_implemented_once_with_the_same_types() -> None:
    implemented: dict[str, list] = {}
    for function in worker.activity_functions():
        implemented.setdefault(function.__name__, []).append(function)
    for declared in effects.DECLARED:
        assert len(implemented.get(declared.__name__, [])) == 1, declared.__name__
        function = implemented.pop(declared.__name__)[0]
        assert get_type_hints(function) == get_type_hints(declared)
        assert list(inspect.signature(function).parameters) == list(inspect.signature(declared).parameters)
    assert not implemented, "activities that no workflow declares"


def test_every_workflow_that_has_a_name_is_found() -> None:
    named = {messages.LEAD, messages.REP, messages.TEAM, messages.OPT_OUT, messages.CONTROL, messages.CALENDARS, messages.DIGEST}
    assert {found.__name__ for found in worker.workflow_classes()} == named


async def test_refuses_another_identity_key_than_setup_stored(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await worker.require_identity(settings())
    installation.remember_identity(identity.fingerprint(settings().identity_key))
    await worker.require_identity(settings())
    monkeypatch.setenv("SHOWRATE_IDENTITY_KEY", "f" * 32)
    settings.cache_clear()
    with pytest.raises(worker.Refusal, match="was set up under"):
        await worker.require_identity(settings())


async def test_refuses_while_an_open_lead_follows_an_unknown_playbook(own_server: str) -> None:
    client, known = await temporal.connect(), library.load()[0]
    lead = "lead-of-an-unknown-playbook"
    for content_hash, fault in ((known.hash, ""), ("0123456789abcdef", "0123456789abcdef")):
        handle = await client.start_workflow(
            messages.LEAD,
            messages.LeadStart(lead=lead, audience="inbound", playbook=content_hash),
            id=lead,
            task_queue="nobody",
            search_attributes=start_attributes("inbound", "", content_hash),
        )
        try:
            await _until_listed(client, lead)
            if fault:
                with pytest.raises(worker.Refusal, match=f"{fault} .of {lead}"):
                    await worker.require_playbooks(client)
            else:
                await worker.require_playbooks(client)
        finally:
            await handle.terminate()
    await _until_listed(client, lead, running=False)


async def _until_listed(client: Client, lead: str, running: bool = True) -> None:
    query = f"WorkflowId = '{lead}' AND ExecutionStatus = 'Running'"
    while bool((await client.count_workflows(query)).count) != running:
        await asyncio.sleep(0.05)


@asynccontextmanager
async def process(*arguments: str, **variables: str) -> AsyncIterator[subprocess.Popen[str]]:
    """``python -m workers ARGUMENTS`` in its own group, gone at the end."""
    running = subprocess.Popen(
        [sys.executable, "-m", "workers", *arguments],
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield running
    finally:
        if running.poll() is None:
            running.kill()
        await asyncio.to_thread(running.communicate)


async def test_serves_health_and_metrics_drains_on_sigterm_and_exits_cleanly(own_server: str) -> None:
    port = free_port()
    async with process("worker", SHOWRATE_WORKER_PORT=str(port)) as running:
        state = json.loads(await _fetch(f"http://127.0.0.1:{port}/healthz", running))
        assert state["ok"] is True
        assert state["queues"] == [messages.QUEUE, messages.DIAL_QUEUE]
        shown = await _fetch(f"http://127.0.0.1:{port}/metrics", running)
        for metric in (
            "showrate_backlog_age_seconds",
            "showrate_dial_wait_seconds",
            "showrate_turn_seconds",
            "temporal_",
        ):
            assert metric in shown
        running.send_signal(signal.SIGTERM)
        _, told = await asyncio.to_thread(running.communicate, timeout=60)
        assert running.returncode == 0, told
        assert "Traceback" not in told


async def test_a_refusal_is_one_line_and_exit_code_2(environment: Path) -> None:
    async with process("worker", SHOWRATE_IDENTITY_KEY="") as running:
        _, told = await asyncio.to_thread(running.communicate, timeout=60)
    assert running.returncode == 2
    assert told.splitlines() == [
        "showrate worker: SHOWRATE_IDENTITY_KEY is missing or short; `showrate setup --new-keys` prints one"
    ]


async def _fetch(address: str, running: subprocess.Popen[str]) -> str:
    for _ in range(1200):  # it computes for seconds before it answers, and may have little of the machine
        if running.poll() is not None:
            pytest.fail(f"ended with {running.returncode}: {running.communicate()[1]}")
        try:
            answer = await asyncio.to_thread(urllib.request.urlopen, address)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            with answer:
                return answer.read().decode()
    pytest.fail(f"{address} did not answer")


async def test_setup_twice_changes_nothing_the_second_time(own_server: str) -> None:
    """The first time without a worker, as before a first start; a server that has met none."""
    client = await temporal.connect()
    first = [line async for line in setup.setup(settings())]
    async with running_worker(client, worker.workflow_classes()):
        again = [line async for line in setup.setup(settings())]
        team = await roster.roster(client, "sales")
    assert team == library.teams(settings().showrate_playbooks)[0]
    assert installation.identity_fingerprint() == identity.fingerprint(settings().identity_key)
    assert set(installation.playbooks()) >= {book.hash for book in library.playbooks(settings().showrate_playbooks)}
    assert len(first) == len(again)
    assert "search attributes are there" in again


async def test_setup_wraps_the_record_s_keys_under_the_newest(
    environment: Path, rotate: Callable[..., None]
) -> None:
    rotate("k1")
    store.write(reflection("lead-1", form=form()))
    rotate("k2", "k1")
    told = [line async for line in setup.setup(settings())]
    assert "record keys 1 wrapped anew, under k2" in told
    assert not [line async for line in setup.setup(settings()) if line.startswith("record keys")]
    rotate("k2")
    assert store.lead("lead-1").person == form()  # type: ignore[union-attr]


async def test_setup_refuses_another_identity_key(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installation.remember_identity("of another key")
    with pytest.raises(setup.SetupError, match="of another key"):
        [line async for line in setup.setup(settings())]


def test_new_keys_are_usable_and_never_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in setup.new_keys().items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    try:
        assert len(settings().identity_key) == 64
        assert [len(key) for key in settings().encryption_keys.values()] == [32]
    finally:
        settings.cache_clear()
    assert set(setup.new_keys().values()).isdisjoint(setup.new_keys().values())


def test_logs_say_where_it_failed_and_not_what_was_said() -> None:
    name, number = "Wilhelmina", "+14155550123"
    try:
        try:
            raise ValueError(number)
        except ValueError as cause:
            raise RuntimeError(name) from cause
    except RuntimeError:
        record = logging.LogRecord("n", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())
    told = logs.Discreet().format(record)
    for word in ("RuntimeError", "ValueError", "test_worker.py"):
        assert word in told
    assert name not in told
    assert number not in told


def test_a_task_that_nobody_awaited_is_told_without_its_words() -> None:
    said = "Task exception was never retrieved\nfuture: <Task finished exception=ValueError('+14155550123')>"
    error = ValueError("+14155550123")
    record = logging.LogRecord("asyncio", logging.ERROR, __file__, 1, said, (), (ValueError, error, None))
    told = logs.Discreet("%(message)s").format(record)
    assert told.startswith("Task exception was never retrieved\n")
    assert "ValueError" in told
    assert "4155550123" not in told


async def test_a_versioned_worker_pins_leads_and_moves_what_lives_for_good(
    own_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    build = {"SHOWRATE_BUILD": "one", "SHOWRATE_WORKER_PORT": str(port)}
    for name, value in build.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    async with process("worker") as running:
        await _fetch(f"http://127.0.0.1:{port}/healthz", running)
        async with asyncio.timeout(60):
            lines = await _setup_when_ready()
        assert "build one takes new leads" in lines
        client = await temporal.connect()
        described = await client.get_workflow_handle(identity.team_id("sales")).describe()
        info = described.raw_description.workflow_execution_info.versioning_info
        assert info.behavior == VersioningBehavior.AUTO_UPGRADE.value
        assert info.deployment_version.build_id == "one"


async def _setup_when_ready() -> list[str]:
    """A worker's first poll makes its build known to the server, a moment after it is healthy."""
    while True:
        with contextlib.suppress(setup.SetupError):
            return [line async for line in setup.setup(settings())]
        await asyncio.sleep(0.2)
