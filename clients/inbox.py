"""What one call has yet to handle, and the one alarm that wakes it when nothing comes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Generic, TypeVar

T = TypeVar("T")


class Inbox(Generic[T]):
    """In order of arrival, for a single reader.

    The alarm is only ever set earlier: most things that come move it on by seconds, and one that rings too soon is set
    again. That is much less work than a new timer for each of them."""

    __slots__ = ("_alarm", "_reader", "_waiting")

    def __init__(self) -> None:
        self._waiting: list[T] = []
        self._reader: asyncio.Future[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, item: T) -> None:
        """One more, for the reader."""
        self._waiting.append(item)
        self._rouse()

    async def next(self, wake: datetime | None) -> T | None:
        """The next one; None when nothing has come until ``wake``, an instant in UTC."""
        loop = asyncio.get_running_loop()
        while not self._waiting:
            if wake is not None:
                wait = (wake - datetime.now(UTC)).total_seconds()
                if wait <= 0:
                    await asyncio.sleep(0)  # what is due at once, again and again, lets others go on
                    return self._waiting.pop(0) if self._waiting else None
                self._set(loop, loop.time() + wait)
            self._reader = loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self._waiting.pop(0)

    def close(self) -> None:
        """Nobody reads any more."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _set(self, loop: asyncio.AbstractEventLoop, when: float) -> None:
        if self._alarm is None or when < self._alarm.when():
            self.close()
            self._alarm = loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._rouse()

    def _rouse(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
