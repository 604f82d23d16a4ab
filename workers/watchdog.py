"""Ends process groups whose parent is gone, however it went.

:class:`Watchdog` is the parent's side. The other side is this file run as a script, outside the parent's session: it is
told ``+PGID`` and ``-PGID`` on standard input, one a line; when that ends, because the parent closed it or died,
whatever is still listed gets SIGTERM, and after a moment SIGKILL. It needs the standard library only and starts in
a few milliseconds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""


class Watchdog:
    """Watches process groups on behalf of this process. Started with the first of them."""

    def __init__(self) -> None:
        self._other: subprocess.Popen[str] | None = None

    def watch(self, group: int) -> None:
        """End ``group`` when this process is gone."""
        self._tell(f"+{group}")

    def forget(self, group: int) -> None:
        """``group`` is over."""
        self._tell(f"-{group}")

    def close(self) -> None:
        """End what is still watched and return when it is gone."""
        other, self._other = self._other, None
        if other is not None and other.stdin is not None:
            other.stdin.close()
            other.wait()

    def _tell(self, change: str) -> None:
        if self._other is None:
            self._other = subprocess.Popen(
                [sys.executable, "-S", "-E", __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                text=True,
            )
        assert self._other.stdin is not None
        self._other.stdin.write(change + "\n")
        self._other.stdin.flush()


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
