"""The Temporal worker: all workflows, all activities, and what must be true before it takes work.

Two task queues: ``QUEUE`` for workflows and most activities, ``DIAL_QUEUE`` for dials, held to the carrier's rate by
the server itself, whatever the number of workers.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import logging
import os
import pkgutil
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, NoReturn

from temporalio import activity
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError
from temporalio.worker import (
    Worker,
    WorkerDeploymentConfig,
)

import activities
import workflows
from activities import deliveries, health, installation, library, logs, metrics, vocabulary
from activities.settings import Settings, settings
from activities.vendors import temporal, twilio
from workers import health as healthz
from workers.options import DIAL, DRAIN, common_options
from workflows import identity, messages, playbook
from workflows.attributes import PLAYBOOK

log = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds that a starting worker waits for Temporal."""
DEPLOYMENT = "showrate"
"""The name of the deployment when workers are versioned."""


class Refusal(RuntimeError):
    """The worker must not take work; the message says why and what to do."""


# ---- what there is to run ------------------------------------------------------------------------------------


def workflow_classes() -> list[type]:
    """Every workflow, found in the modules ``workflows/*_workflow.py``."""
    found = []
    for module in _modules(workflows, lambda name: name.endswith("_workflow")):
        for _, member in inspect.getmembers(module, inspect.isclass):
            if member.__module__ == module.__name__ and hasattr(member, "__temporal_workflow_definition"):
                found.append(member)
    return found


def activity_functions() -> list[Callable[..., Any]]:
    """Every activity, found in the modules directly in ``activities/``."""
    found: list[Callable[..., Any]] = []
    for module in _modules(activities, lambda name: name != "vendors"):
        for _, member in inspect.getmembers(module, inspect.isfunction):
            if member.__module__ == module.__name__ and hasattr(member, "__temporal_activity_definition"):
                found.append(member)
    return found


def _modules(package: Any, wanted: Callable[[str], bool]) -> Iterable[Any]:
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__) if wanted(info.name))
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


# ---- what must be true first ---------------------------------------------------------------------------------


async def require_identity(using: Settings) -> None:
    """Raises Refusal when the identity key is missing, or is not the one that ``setup`` stored: under another key
    every person would be a stranger, and their opt-outs unknown."""
    try:
        mine = identity.fingerprint(using.identity_key)
    except ValueError as error:
        raise Refusal(str(error)) from error
    stored = await asyncio.to_thread(installation.identity_fingerprint)
    if stored and stored != mine:
        raise Refusal(
            f"SHOWRATE_IDENTITY_KEY has fingerprint {mine}, but this installation was set up under {stored}; "
            "start with the key that `showrate setup` was given"
        )


async def require_playbooks(client: Client) -> None:
    """Raises Refusal when an open lead follows a playbook that is not registered: its next step could not be
    decided."""
    known = ", ".join(f"'{content_hash}'" for content_hash in playbook.registered())
    query = f"WorkflowType = '{messages.LEAD}' AND ExecutionStatus = 'Running' AND {PLAYBOOK.name} IS NOT NULL"
    if known:
        query += f" AND {PLAYBOOK.name} NOT IN ({known})"
    unknown: dict[str, str] = {}
    async for lead in client.list_workflows(query, limit=20):
        unknown.setdefault(lead.typed_search_attributes.get(PLAYBOOK) or "", lead.id)
    if unknown:
        named = "; ".join(f"{content_hash} (of {lead})" for content_hash, lead in sorted(unknown.items()))
        raise Refusal(
            f"open leads follow playbooks that are neither in SHOWRATE_PLAYBOOKS nor in the record: {named}; "
            "put their files back, or point SHOWRATE_RECORD_URL at the record that remembers them"
        )


# ---- running -------------------------------------------------------------------------------------------------


def workers(client: Client, using: Settings) -> list[Worker]:
    """The two workers of a process, on one client: for everything, and for dials that are held to the carrier's rate.
    Raises Refusal when no workflow or no dial is to be found."""
    options = common_options()
    if using.showrate_build:
        options["deployment_config"] = WorkerDeploymentConfig(
            version=WorkerDeploymentVersion(deployment_name=DEPLOYMENT, build_id=using.showrate_build),
            use_worker_versioning=True,
            default_versioning_behavior=VersioningBehavior.PINNED,
        )
    options["max_cached_workflows"] = using.showrate_cached_leads
    found = activity_functions()
    rate = using.showrate_dial_rate
    return [
        Worker(
            client,
            task_queue=messages.QUEUE,
            workflows=workflow_classes(),
            activities=found,
            activity_executor=ThreadPoolExecutor(100, "activity"),
            **options,
        ),
        Worker(
            client,
            task_queue=messages.DIAL_QUEUE,
            activities=[each for each in found if _name(each) == DIAL],
            activity_executor=ThreadPoolExecutor(32, "dial"),
            # What waits in the queue can still be called off; what a busy process has taken can only be waited for.
            max_concurrent_activities=32,
            max_task_queue_activities_per_second=rate if rate > 0 else None,
            **options,
        ),
    ]


async def run(using: Settings | None = None) -> None:
    """Take work until SIGTERM or SIGINT, then let running activities end and return.

    Raises Refusal when the process must not start, PlaybookError when a playbook cannot be read, RuntimeError when no
    Temporal server answers."""
    chosen = using or settings()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(100, "default"))
    await require_identity(chosen)
    known = await asyncio.to_thread(library.load, chosen)
    sdk_metrics = f"127.0.0.1:{_free_port()}"
    client = await _connect(
        chosen, Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=sdk_metrics)))
    )
    await require_playbooks(client)

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    main, dial = workers(client, chosen)

    def state() -> dict[str, object]:
        return {
            "ok": main.is_running and dial.is_running and not stop.is_set(),
            "process": "worker",
            "build": chosen.showrate_build,
            "queues": [main.task_queue, dial.task_queue],
            "playbooks": sorted(book.hash for book in known),
        }

    async def exposition() -> bytes:
        await _note_backlog(client)
        return metrics.exposition() + await asyncio.to_thread(_fetch, f"http://{sdk_metrics}/metrics")

    listener, port = await healthz.serve(chosen.showrate_host, chosen.showrate_worker_port, state, exposition)
    try:
        async with listener, main, dial:
            log.info("takes work; http://%s:%d/healthz", chosen.showrate_host, port)
            beside = asyncio.gather(health.watch(stop), deliveries.run(health.HOLDER, stop), vocabulary.prepare())
            await stop.wait()
            log.info("ends: waits up to %d s for running activities", DRAIN.total_seconds())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(beside, DRAIN.total_seconds())
    finally:
        await twilio.close()


async def _connect(using: Settings, runtime: Runtime) -> Client:
    """Wait a minute for the server, which may be starting too; then raise RuntimeError."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return await temporal.connect(
                using=using, runtime=runtime, identity=f"worker-{os.getpid()}@{socket.gethostname()}"
            )
        except RuntimeError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.2)


def main() -> NoReturn:
    """The process ``python -m workers worker``. Ends with 0 after SIGTERM, 2 when it refuses to start, 1 otherwise.

    It leaves through ``os._exit``: the SDK's threads abort an ordinary interpreter exit now and then (sdk-python
    #300), which would look like a crash."""
    logs.start()
    code = 0
    try:
        asyncio.run(run())
    except (Refusal, playbook.PlaybookError) as refusal:
        print(f"showrate worker: {refusal}", file=sys.stderr)
        code = 2
    except Exception:
        log.exception("the worker failed")
        code = 1
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


async def _note_backlog(client: Client) -> None:
    """Ask the server how old the oldest waiting task of each queue is; silent when it does not answer in time."""
    for queue in (messages.QUEUE, messages.DIAL_QUEUE):
        oldest = 0.0
        for kind in (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY):
            with contextlib.suppress(RPCError):
                described = await client.workflow_service.describe_task_queue(
                    DescribeTaskQueueRequest(
                        namespace=client.namespace,
                        task_queue=TaskQueue(name=queue),
                        task_queue_type=kind,
                        report_stats=True,
                    ),
                    timeout=timedelta(seconds=1),
                )
                oldest = max(oldest, described.stats.approximate_backlog_age.ToTimedelta().total_seconds())
        metrics.backlog_age(queue, oldest)


def _fetch(address: str) -> bytes:
    with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2) as answer:
        return bytes(answer.read())
    return b""


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _name(function: Callable[..., Any]) -> str | None:
    return activity._Definition.must_from_callable(function).name
