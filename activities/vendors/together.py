"""Requests that come while one is under way go out with the next, as one batch; alone, a request goes at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from temporalio.exceptions import ApplicationError

_In = TypeVar("_In")
_Out = TypeVar("_Out")


_SMALL = 10


class Together(Generic[_In, _Out]):
    """``send`` takes a batch of at most ``most`` and answers in its order; no two of a batch have the same ``key``. What
    a vendor refuses is sent again one by one, each in its ``turn``, so that nobody pays for another's fault; so is a small
    batch at which the vendor stumbles, but not what its limit keeps back: a vendor that is down is not asked a hundred
    times."""

    def __init__(
        self,
        send: Callable[[Sequence[_In]], Awaitable[Sequence[_Out]]],
        key: Callable[[_In], str],
        most: int,
        turn: Callable[[], Awaitable[None]],
    ) -> None:
        self._send, self._key, self._most, self._turn = send, key, most, turn
        self._waiting: list[tuple[_In, asyncio.Future[_Out]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def ask(self, one: _In) -> _Out:
        """What becomes of ``one``. Raises what ``send`` raises."""
        answer: asyncio.Future[_Out] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, answer))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_all())
        return await answer

    async def _send_all(self) -> None:
        while self._waiting:
            if not await self._may(self._waiting):
                self._waiting = []
                return
            batch = self._next()
            if not await self._sent(batch):
                for number, each in enumerate(batch):
                    if not await self._may(batch[number:]):
                        break
                    await self._sent([each], last=True)

    async def _may(self, waiting: Sequence[tuple[_In, asyncio.Future[_Out]]]) -> bool:
        """Whether it is our turn; when there is none to be had, those who wait for it are told."""
        try:
            await self._turn()
        except ApplicationError as error:
            for _, answer in waiting:
                _fail(answer, error)
            return False
        return True

    def _next(self) -> list[tuple[_In, asyncio.Future[_Out]]]:
        batch: list[tuple[_In, asyncio.Future[_Out]]] = []
        later: list[tuple[_In, asyncio.Future[_Out]]] = []
        keys: set[str] = set()
        for one, answer in self._waiting:
            key = self._key(one)
            if answer.done():
                continue  # who asked has gone
            if len(batch) < self._most and key not in keys:
                keys.add(key)
                batch.append((one, answer))
            else:
                later.append((one, answer))
        self._waiting = later
        return batch

    async def _sent(self, batch: list[tuple[_In, asyncio.Future[_Out]]], last: bool = False) -> bool:
        """Whether everybody of the batch has an answer now; False when it is to be sent one by one."""
        if not batch:
            return True
        try:
            answers = await self._send([one for one, _ in batch])
        except Exception as error:
            if len(batch) > 1 and not last and _apart(error, len(batch)):
                return False
            for _, answer in batch:
                _fail(answer, error)
            return True
        for (_, answer), said in zip(batch, answers, strict=True):
            if not answer.done():
                answer.set_result(said)
        return True


def _apart(error: Exception, size: int) -> bool:
    """Whether a batch that met ``error`` is worth sending one by one."""
    if not isinstance(error, ApplicationError) or error.non_retryable:
        return True
    return error.next_retry_delay is None and size <= _SMALL


def _fail(answer: asyncio.Future[_Out], error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)
