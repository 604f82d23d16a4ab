"""Outgoing webhooks: each endpoint is told every event of the record at least once, those of one lead in order.

A receiver that fails is tried again over hours. An event that it will not take holds up its own lead alone; a receiver
that takes nothing at all is left alone for longer and longer, while its cursor waits, and no other endpoint notices.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from . import catalogue, health, outbox, stream
from .endpoints import Endpoint
from .outbox import Sent, State
from .settings import settings
from .stream import Told
from .vendors.webhook import Answer, Forbidden, Sender

log = logging.getLogger(__name__)

AGAIN = tuple(
    timedelta(seconds=s) for s in (5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600)
)
"""How long after each failure an event is tried again: a day and a half in all (Standard Webhooks, "Retry schedule")."""
REST = tuple(timedelta(seconds=s) for s in (10, 60, 300, 900, 1800))
"""How long a receiver is left alone that failed STREAK times in a row, growing to the last."""
STREAK = 4
_BATCH = 100
_AT_ONCE = 4
"""POSTs under way to one endpoint."""
_PAUSE = 1.0
"""Seconds between two looks at the record."""


async def run(holder: str, stop: asyncio.Event) -> None:
    """Deliver to every endpoint of the settings until ``stop``; ``holder`` names this process. What fails here is logged
    and tried again: the record may be away for a while."""
    couriers = [Courier(name, endpoint, holder) for name, endpoint in settings().showrate_webhooks.items()]
    try:
        await asyncio.gather(*(_serve(courier, stop) for courier in couriers))
    finally:
        for courier in couriers:
            await courier.close()
        with suppress(SQLAlchemyError):
            await asyncio.to_thread(outbox.let_go, holder)


async def _serve(courier: Courier, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            busy = await courier.turn()
        except Exception as error:  # one endpoint's fault must not end the others
            log.warning("webhooks to %s wait: %s", courier.name, type(error).__name__)
            busy = False
        if not busy:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _PAUSE)


class Courier:
    """Delivers to one endpoint."""

    def __init__(self, name: str, endpoint: Endpoint, holder: str) -> None:
        self.name = name
        self._endpoint = endpoint
        self._holder = holder
        self._sender = Sender(endpoint.url, endpoint.secrets)
        self._state = State(name=name, cursor=0)
        self._halted = False
        """Whether nothing more is to be tried in this turn."""

    async def close(self) -> None:
        await self._sender.close()

    async def turn(self, now: datetime | None = None) -> bool:
        """What is to be tried again, then what is new; whether there may be more at once. ``now`` (aware) is for
        tests."""
        at = now or datetime.now(UTC)
        state = await asyncio.to_thread(outbox.take, self.name, self._holder, at)
        if state is None or state.disabled_at or (state.again_at and state.again_at > at):
            return False
        self._state, self._halted = state, False
        probing = state.streak >= STREAK
        leads = await asyncio.to_thread(outbox.due, self.name, at, 1 if probing else _BATCH)
        await self._each([self._retry(lead, at) for lead in leads])
        if self._halted or (probing and leads):
            await self._mark(at)
            return not self._halted
        batch = await asyncio.to_thread(stream.tail, state.cursor, 1 if probing else _BATCH)
        if batch:
            await self._tell(batch, at)
        if batch or leads:
            await self._mark(at)
        return bool(batch) and not self._halted

    async def _each(self, work: Sequence[Coroutine[Any, Any, None]]) -> None:
        """Do ``work``, a few at once, and keep holding the endpoint meanwhile. Raises RuntimeError when another process
        has taken it over: it sends anew what is not noted yet."""
        slots = asyncio.Semaphore(_AT_ONCE)

        async def one(some: Coroutine[Any, Any, None]) -> None:
            async with slots:
                await some

        holding = asyncio.create_task(self._hold())
        try:
            async with asyncio.TaskGroup() as group:  # nothing goes on that is not held any more
                for some in work:
                    group.create_task(one(some))
            if holding.done():
                raise RuntimeError("another process delivers here now")
        finally:
            holding.cancel()

    async def _hold(self) -> None:
        """Renew the hold, until it is lost or this is cancelled; a record that is away is asked again before it ends."""
        while True:
            await asyncio.sleep(outbox.HELD.total_seconds() / 3)
            try:
                held = await asyncio.to_thread(outbox.take, self.name, self._holder, datetime.now(UTC))
            except SQLAlchemyError as error:
                log.warning("webhooks to %s: the hold was not renewed: %s", self.name, type(error).__name__)
                continue
            if held is None:
                self._halted = True
                return

    async def _tell(self, batch: Sequence[Told], at: datetime) -> None:
        """New events: those of one lead one after the other. The cursor goes to the end of the batch; whatever was not
        delivered is parked."""
        wanted = [told for told in batch if self._endpoint.wants(catalogue.type_of(told.entry.kind))]
        blocked = await asyncio.to_thread(outbox.blocked, self.name)
        results: list[Sent] = []

        async def lead_told(events: Iterable[Told], waits: bool) -> None:
            for told in events:
                if waits or self._halted:
                    results.append(Sent(seq=told.seq, lead=told.lead, ok=False, again_at=at, why="waits its turn"))
                    continue
                sent = await self._try(told, 0, at)
                results.append(sent)
                waits = not sent.ok and sent.again_at is not None

        by_lead: dict[str, list[Told]] = {}
        for told in wanted:
            by_lead.setdefault(told.lead, []).append(told)
        await self._each([lead_told(events, lead in blocked) for lead, events in by_lead.items()])
        await asyncio.to_thread(outbox.note, self.name, results, at, batch[-1].seq)

    async def _retry(self, lead: str, at: datetime) -> None:
        """The waiting events of ``lead``, until one fails again."""
        waiting = await asyncio.to_thread(outbox.waiting, self.name, lead)
        known = {told.seq: told for told in await asyncio.to_thread(stream.told, [each.seq for each in waiting])}
        for each in waiting:
            if self._halted or each.seq not in known:
                return
            sent = await self._try(known[each.seq], each.tries, at)
            await asyncio.to_thread(outbox.note, self.name, [sent], at)
            if not sent.ok and sent.again_at is not None:
                return

    async def _try(self, told: Told, tries: int, at: datetime) -> Sent:
        body = await asyncio.to_thread(catalogue.body, told, self._endpoint.detail)
        try:
            answer = await self._sender.post(catalogue.event_id(told), body)
        except Forbidden as error:
            answer = Answer(410, str(error))
        self._count(answer, at)
        if answer.ok:
            return Sent(seq=told.seq, lead=told.lead, ok=True)
        if answer.gone:  # kept for when it is switched on again
            return Sent(seq=told.seq, lead=told.lead, ok=False, tries=tries, again_at=at, why=answer.why)
        again = None
        if tries < len(AGAIN):
            wait = AGAIN[tries] * random.uniform(0.9, 1.1)
            again = at + max(wait, min(answer.wait or timedelta(0), AGAIN[-1]))
        else:
            log.warning("an event of seq %d was given up for %s: %s", told.seq, self.name, answer.why)
        return Sent(seq=told.seq, lead=told.lead, ok=False, tries=tries + 1, again_at=again, why=answer.why)

    def _count(self, answer: Answer, at: datetime) -> None:
        """How the endpoint does as a whole."""
        state = self._state
        health.effect(f"webhook {self.name}", "ok" if answer.ok else "retry", answer.why)
        if answer.ok:
            self._state = state.model_copy(update={"streak": 0, "failing_since": None, "again_at": None, "why": ""})
            return
        since = state.failing_since or at
        changes: dict[str, object] = {"streak": state.streak + 1, "failing_since": since, "why": answer.why}
        too_long = at - since >= timedelta(seconds=settings().showrate_webhooks_disable_after)
        if answer.gone or too_long:
            changes["disabled_at"] = at
            self._halted = True
        if state.streak + 1 >= STREAK:
            rest = REST[min(state.streak + 1 - STREAK, len(REST) - 1)]
            changes["again_at"] = at + max(rest, min(answer.wait or timedelta(0), REST[-1]))
            self._halted = True
        self._state = state.model_copy(update=changes)

    async def _mark(self, at: datetime) -> None:
        await asyncio.to_thread(outbox.mark, self._state)
        if self._state.disabled_at is not None:
            await asyncio.to_thread(health.switched_off, self.name, self._state.why, at)
