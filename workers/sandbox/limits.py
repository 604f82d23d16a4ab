"""HubSpot's limits on requests: so many in ten seconds for an app, and so many searches in one."""

from __future__ import annotations

import time
from collections import deque

from activities.settings import settings

from .portal import Refused


class Limits:
    """Rolling windows over the requests that came. HubSpot allows 100 in 10 s (Free, Starter), 190 (Professional,
    Enterprise) or 250 (with the add-on), and 5 searches a second; this account has what the product is configured for."""

    def __init__(self) -> None:
        self.per_ten = 0
        """Another limit, for tests."""
        self._came: deque[float] = deque()
        self._searched: deque[float] = deque()

    def count(self, searches: bool) -> None:
        """Raises Refused 429 with the wait when there is no room for this one."""
        now = time.monotonic()
        most = self.per_ten or settings().hubspot_rate
        _take(self._came, now, 10.0, most, "TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.")
        if searches:
            _take(self._searched, now, 1.0, 5, "SECONDLY", "You have reached your secondly limit.")


def _take(came: deque[float], now: float, window: float, most: int, policy: str, words: str) -> None:
    while came and came[0] <= now - window:
        came.popleft()
    if len(came) >= most:
        wait = max(came[0] + window - now, 0.05)
        raise Refused(429, "RATE_LIMITS", words, errorType="RATE_LIMIT", policyName=policy, wait=wait)
    came.append(now)
