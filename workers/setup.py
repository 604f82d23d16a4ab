"""``showrate setup``: what must exist once before the processes run, made or brought up to date; repeat it freely."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities import crm, data_keys, installation, library, roster
from activities.calendars import changes
from activities.settings import Settings, settings
from activities.vendors import temporal
from workers import schedules, server
from workers.worker import DEPLOYMENT
from workflows import attributes, identity, messages
from workflows.roster import Team

_KEYWORDS = {key.name: "Keyword" for key in attributes.ALL}
_POLLED = timedelta(seconds=70)
"""A worker's poll lasts up to a minute; one that asked within this time is there."""


class SetupError(RuntimeError):
    """A part cannot be set up; the message says what to do."""


def new_keys() -> dict[str, str]:
    """Fresh secrets by environment variable. The identity key and the link key are made once and kept for good; a
    new encryption key is put before the old ones."""
    today = datetime.now(UTC).strftime("k%Y%m%d")
    return {
        "SHOWRATE_IDENTITY_KEY": secrets.token_hex(32),
        "SHOWRATE_ENCRYPTION_KEYS": f"{today}:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "SHOWRATE_LINK_KEY": secrets.token_hex(32),
        "SHOWRATE_TOKEN": secrets.token_urlsafe(24),
    }


async def setup(using: Settings | None = None) -> AsyncIterator[str]:
    """Set up this installation; yields one line for each part as it is done.

    Raises SetupError (or the part's own error) when a part cannot be done: what was done before it stands."""
    chosen = using or settings()
    yield f"identity key {await asyncio.to_thread(_bind_identity, chosen)}"
    if wrapped := await asyncio.to_thread(data_keys.rewrap):
        yield f"record keys {wrapped} wrapped anew, under {next(iter(chosen.encryption_keys))}"
    written = await asyncio.to_thread(library.load, chosen)
    await asyncio.to_thread(installation.keep_playbooks, written)
    yield f"playbooks {', '.join(f'{book.name} {book.hash}' for book in written)}"

    client = await temporal.connect(using=chosen)
    added = await server.register(client, _KEYWORDS)
    yield f"search attributes {'added: ' + ', '.join(added) if added else 'are there'}"
    if chosen.hubspot_access_token:
        done = await crm.prepare()
        yield f"CRM {f'{len(done)} properties and stages made' if done else 'properties and stages are there'}"
    if begun := await changes.subscribe():
        yield f"webhooks of {' and '.join(begun)} added"
    if chosen.showrate_build:
        await _make_current(client, chosen.showrate_build)
        yield f"build {chosen.showrate_build} takes new leads"
    answered = await _has_worker(client)
    for team in library.teams(chosen.showrate_playbooks):
        answered = answered and await _set_roster(client, team)
        reps = ", ".join(rep.id for rep in team.reps)
        # Without a worker nobody can take the roster now; the first booking starts a team with its file's.
        yield f"team {team.id} {reps}" + ("" if answered else " (at its first booking: no worker answers yet)")
    if told := await schedules.post_digests(client, library.teams(chosen.showrate_playbooks)):
        yield f"digests are posted for {', '.join(told)}"
    await schedules.read_calendars(client, timedelta(seconds=chosen.showrate_calendars_every))
    yield f"calendars are read every {chosen.showrate_calendars_every:g} s"


async def _set_roster(client: Client, team: Team) -> bool:
    """False when no worker answered. Raises SetupError when the roster is refused."""
    try:
        await roster.set_roster(client, team)
    except ApplicationError as error:
        if error.type == "retry":
            return False
        raise SetupError(f"team {team.id}: {error.message}") from error
    except ValueError as error:
        raise SetupError(f"team {team.id}: {error}") from error
    return True


async def _has_worker(client: Client) -> bool:
    newest = await temporal.polled(client, messages.QUEUE, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)
    return newest is not None and datetime.now(UTC) - newest < _POLLED


def _bind_identity(using: Settings) -> str:
    try:
        _ = using.encryption_keys
        fingerprint = identity.fingerprint(using.identity_key)
        installation.remember_identity(fingerprint)
    except (ValueError, installation.OtherIdentity) as error:
        raise SetupError(str(error)) from error
    return fingerprint


async def _make_current(client: Client, build: str) -> None:
    """New leads start on ``build``; leads under way stay where they are. Raises SetupError when no worker of this
    build has shown itself to the server."""
    try:
        await client.workflow_service.set_worker_deployment_current_version(
            SetWorkerDeploymentCurrentVersionRequest(
                namespace=client.namespace,
                deployment_name=DEPLOYMENT,
                build_id=build,
                identity="showrate setup",
                ignore_missing_task_queues=True,
            )
        )
    except RPCError as error:
        if error.status not in {RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION}:
            raise
        raise SetupError(f"build {build} has no worker yet: start one, then run setup again") from error
