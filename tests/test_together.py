"""Requests that travel together: one refused by the vendor costs nobody else theirs, and none is sent out of turn."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities import faults
from activities.vendors.together import Together


class Vendor:
    """Refuses what is ``bad``, and a batch that holds it; lets in ``turns`` requests."""

    def __init__(self, turns: int = 1000) -> None:
        self.turns, self.taken = turns, 0
        self.batches: list[tuple[str, ...]] = []

    async def turn(self) -> None:
        if self.taken == self.turns:
            raise faults.retry_after("its limit is used up", timedelta(seconds=9))
        self.taken += 1
        await asyncio.sleep(0)

    async def send(self, wanted: Sequence[str]) -> list[str]:
        self.batches.append(tuple(wanted))
        await asyncio.sleep(0)
        if "bad" in wanted:
            raise faults.permanent("refused")
        return [one.upper() for one in wanted]

    async def ask(self, *wanted: str) -> list[str | BaseException]:
        together = Together(self.send, str, 100, self.turn)
        return await asyncio.gather(*map(together.ask, wanted), return_exceptions=True)


async def test_what_comes_at_once_goes_as_one_and_a_refusal_is_sought_out_in_turn() -> None:
    vendor = Vendor()
    told = await vendor.ask("a", "bad", "c")
    assert (told[0], told[2]) == ("A", "C")
    assert isinstance(told[1], ApplicationError)
    assert vendor.batches == [("a", "bad", "c"), ("a",), ("bad",), ("c",)]
    assert vendor.taken == len(vendor.batches)


@pytest.mark.parametrize("turns", [0, 1, 2])
async def test_when_the_limit_is_used_up_whoever_waits_is_told_to_come_again(turns: int) -> None:
    vendor = Vendor(turns)
    told = await vendor.ask("a", "bad", "c")
    assert len(vendor.batches) == turns
    late = told[max(turns - 1, 0) :]
    assert [each.next_retry_delay for each in late if isinstance(each, ApplicationError)] == [timedelta(seconds=9)] * len(late)
