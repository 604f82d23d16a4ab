"""What a call has yet to handle: in order, and never later than its alarm."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from clients.inbox import Inbox


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def test_what_waits_comes_in_order_also_when_the_alarm_is_due() -> None:
    inbox: Inbox[int] = Inbox()
    for number in (1, 2, 3):
        inbox.put(number)
    assert [await inbox.next(soon(-1)) for _ in range(3)] == [1, 2, 3]
    assert not inbox
    assert await inbox.next(soon(-1)) is None


async def test_the_alarm_rings_in_time_wherever_it_was_moved() -> None:
    inbox: Inbox[int] = Inbox()
    for set_to, moved_to in ((0.02, 0.06), (9, 0.05)):  # later: the first is set again; earlier: it is replaced
        asyncio.get_running_loop().call_later(0.01, inbox.put, 1)
        assert await inbox.next(soon(set_to)) == 1
        wake = soon(moved_to)
        assert await inbox.next(wake) is None
        assert timedelta() <= datetime.now(UTC) - wake < timedelta(seconds=6)
    inbox.close()


async def test_a_reader_that_was_given_up_loses_nothing() -> None:
    inbox: Inbox[int] = Inbox()
    reading = asyncio.create_task(inbox.next(None))
    await asyncio.sleep(0)
    inbox.put(1)
    reading.cancel()
    await asyncio.wait({reading})
    assert reading.cancelled()
    assert await inbox.next(None) == 1
