"""Ends process groups whose parent is gone, however it went.

Runs as a script of its own, outside the parent's session. It is told ``+PGID`` and ``-PGID`` on standard input, one a
line; when that ends, because the parent closed it or died, whatever is still listed gets SIGTERM, and after a moment
SIGKILL. Standard library only: it starts in a few milliseconds.
"""

from __future__ import annotations

import os
import signal
import sys
import time

GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""


def _send(group: int, number: int) -> bool:
    """False when nobody of the group is left."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        change, group = line[:1], int(line[1:])
        groups.add(group) if change == "+" else groups.discard(group)
    left = {group for group in groups if _send(group, signal.SIGTERM)}
    end = time.monotonic() + GRACE
    while left and time.monotonic() < end:
        time.sleep(0.1)
        left = {group for group in left if _send(group, 0)}
    for group in left:
        _send(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
