"""What a carrier sends again after it has reconnected a lost socket.

ConversationRelay keeps up to 500 events while its socket is away and sends them when it is back, without a number or
a mark. Those that we had already are recognised by their order: they are the end of what was received before.
"""

from __future__ import annotations

import zlib
from array import array
from datetime import datetime, timedelta

MOST = 500
"""Frames that the carrier keeps."""
WITHIN = timedelta(seconds=2)
"""After the reconnection; whatever comes later is new."""


class Received:
    """The frames of one call, as far as they could come again."""

    def __init__(self) -> None:
        self._sums = array("L")
        self._places: list[int] = []
        """Where the frames that came again so far could have stood; empty when none did."""
        self._until: datetime | None = None

    def again(self, at: datetime) -> None:
        """A new socket, at ``at``: frames may be repeated from here."""
        self._until = at + WITHIN
        self._places = list(range(len(self._sums)))

    def note(self, frame: str, at: datetime) -> bool:
        """Keep ``frame`` in mind; whether it repeats one that was there before the socket was lost."""
        found = zlib.crc32(frame.encode("utf-8", "replace"))
        if self._until is not None:
            follows = [place + 1 for place in self._places if place < len(self._sums) and self._sums[place] == found]
            if follows and at <= self._until:
                self._places = follows
                return True
            self._until, self._places = None, []
        self._sums.append(found)
        if len(self._sums) >= 2 * MOST:
            del self._sums[:-MOST]
        return False
