"""A token bucket: how fast one account of a vendor may be asked by this process."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from activities import faults


class Bucket:
    """At most ``most`` requests in any ``window`` seconds, of which four tenths may come at once: a full bucket and what
    flows in during the window add up to ``most``. Times are of the monotonic clock."""

    def __init__(self, vendor: str, most: float, window: float) -> None:
        self._vendor = vendor
        self._size = max(most * 0.4, 1.0)
        self._flow = max(most - self._size, most / 10) / window
        self._left, self._at, self._closed_until = self._size, time.monotonic(), 0.0

    async def take(self, patience: float) -> None:
        """Wait for a turn. Raises ``retry_after`` when it is more than ``patience`` seconds away."""
        wait = self._wait(time.monotonic())
        if wait > patience:
            raise faults.retry_after(f"{self._vendor}: its limit is used up", timedelta(seconds=wait))
        self._left -= 1  # the turn is ours at once, so that those who come later wait behind us
        if wait > 0:
            await asyncio.sleep(wait)

    def close(self, wait: float) -> None:
        """The vendor said to come again in ``wait`` seconds: so long nobody asks."""
        self._closed_until = max(self._closed_until, time.monotonic() + wait)

    def _wait(self, now: float) -> float:
        self._left = min(self._size, self._left + (now - self._at) * self._flow)
        self._at = now
        return max((1 - self._left) / self._flow, self._closed_until - now, 0.0)
