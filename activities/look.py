"""The read before the first call: what the CRM says of somebody, beside the gate and within the playbook's budget."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.client import Client

from workflows.crm import Crm, Known, course
from workflows.effects import PlaceCall
from workflows.events import CrmKnown, Form

from . import crm
from .vendors import hubspot

_LOG = logging.getLogger(__name__)
_later: set[asyncio.Task[None]] = set()
"""Reads that are not over yet although their call was dialled."""


class Glance:
    """One read, begun at once; :meth:`word` is what is known of it when the dial is ready."""

    def __init__(self, request: PlaceCall) -> None:
        self.rules: Crm = crm.rules_of(request.playbook)
        self._request = request
        self._began = time.monotonic()
        look = request.look
        self._read: asyncio.Task[Known] | None = None
        if look is not None and hubspot.configured():
            person = Form(submission_id="", name=look.name, email=look.email, phone=request.to)
            self._read = asyncio.create_task(crm.before_call(person, self.rules))

    async def word(self) -> Known | None:
        """What the CRM said within its budget, which counts from the beginning; None when it was not to be asked."""
        if self._read is None:
            return None
        left = self.rules.read_within - timedelta(seconds=time.monotonic() - self._began)
        done, _ = await asyncio.wait({self._read}, timeout=max(left.total_seconds(), 0))
        if not done:
            return Known(outcome="late")
        return Known(outcome="failed") if self._read.exception() else self._read.result()

    def forbids(self, known: Known | None) -> str:
        """The rule by which nothing is dialled now; empty when there is none."""
        if known is None:
            return ""
        if known.outcome != "read":
            must = self._request.look is not None and self._request.look.must
            return "crm_unread" if must else ""
        way, rule = course(known, self.rules)
        return rule if way in ("owner", "not_called") else ""

    def follow(self) -> None:
        """The call is on its way: tell the lead what the CRM says once it does. Should this process end first, the next
        word to the CRM brings it."""
        if self._read is not None and not self._read.done():
            task = asyncio.create_task(_tell(activity.client(), self._request.gate.lead, self._read))
            _later.add(task)
            task.add_done_callback(_later.discard)

    def drop(self) -> None:
        """Nobody wants to know any more."""
        if self._read is not None and not self._read.done():
            self._read.cancel()


async def _tell(client: Client, lead: str, read: asyncio.Task[Known]) -> None:
    try:
        told = CrmKnown(at=datetime.now(UTC), known=await read)
        await client.get_workflow_handle(lead).signal("crm_known", told)
    except Exception as error:
        _LOG.info("what the CRM says came to nothing: %s", type(error).__name__)
