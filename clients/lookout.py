"""The web process looks out for the workers: while none asks for work nothing is dialled, sent or answered, and no
worker is there to say so."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from starlette.applications import Starlette
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.client import Client
from temporalio.service import RPCError

from activities import troubles
from activities.settings import settings
from activities.troubles import Trouble
from activities.vendors import temporal
from workflows.messages import DIAL_QUEUE, QUEUE

log = logging.getLogger(__name__)

WORKERS, DIALS, TEMPORAL = "the worker", "the worker for dials", "Temporal"
_WE = "web"
"""All web processes see the same: any of them may say that it is over."""
_PAUSE = 15.0
"""Seconds between two looks."""
_WATCHED = (
    (WORKERS, QUEUE, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, "nothing is dialled, sent or planned; forms are taken and wait"),
    (DIALS, DIAL_QUEUE, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY, "nothing is dialled; the rest goes on"),
)


async def watch(app: Starlette, stop: asyncio.Event) -> None:
    """Look until ``stop``. What is seen is written down; :func:`activities.health.watch` tells it, once for all web
    processes."""
    seen = Lookout()
    while not stop.is_set():
        try:
            await seen.look(app.state.temporal, datetime.now(UTC))
        except Exception as error:  # the lookout itself must not end
            log.warning("the workers cannot be looked after: %s", type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PAUSE)


class Lookout:
    """What this process has seen so far."""

    def __init__(self) -> None:
        self._silent: dict[str, datetime] = {}
        """Since when nothing was heard of them."""
        self._known: dict[str, bool] = {}
        """Whether they were last written down as well."""

    async def look(self, client: Client | None, now: datetime) -> None:
        """One look at ``now`` (aware). Who has not been heard of for as long as the setting says is in trouble."""
        patience = timedelta(seconds=settings().showrate_alert_workers)
        for name, heard, affects in await _heard(client, now):
            if heard is not None and now - heard <= patience:
                self._silent.pop(name, None)
                if not self._known.get(name):  # also what an earlier process wrote down is over
                    await asyncio.to_thread(troubles.end, name, _WE, now)
                    self._known[name] = True
                continue
            since = self._silent.setdefault(name, heard or now)
            if now - since >= patience and self._known.get(name) is not False:
                seen = Trouble(name=name, since=since, affects=affects, holder=_WE)
                await asyncio.to_thread(troubles.begin, seen, now)
                self._known[name] = False


async def _heard(client: Client | None, now: datetime) -> list[tuple[str, datetime | None, str]]:
    """Who was last heard of when; of the workers nobody knows anything while Temporal is silent."""
    heard = []
    if client is not None:
        try:
            for name, queue, kind, affects in _WATCHED:
                heard.append((name, await temporal.polled(client, queue, kind), affects))
        except RPCError:
            client = None
    if client is None:
        return [(TEMPORAL, None, "forms are refused, and nothing is dialled or sent")]
    return [*heard, (TEMPORAL, now, "")]
