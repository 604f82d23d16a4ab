"""The websockets of live calls: uvicorn's, which go on reading while a few frames wait.

uvicorn stops reading a socket after each frame, and begins again when the application has taken it. On a call that is two
system calls and two changes of the event loop for each frame of a second's dozen, although the session takes every frame
at once and bounds what waits by itself.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from .inbox import Inbox

MOST = 32
"""Frames of one socket that may wait before it is read no further."""


class _Frames(Inbox[Any]):
    """What came over a socket, with the face of the :class:`asyncio.Queue` that uvicorn uses: without its four deques,
    3 KB for each call."""

    __slots__ = ()

    put_nowait = Inbox.put

    async def get(self) -> Any:
        return await self.next(None)

    def qsize(self) -> int:
        return len(self)

    def empty(self) -> bool:
        return not len(self)


class Sockets(WebSocketsSansIOProtocol):
    """For ``ws=`` of a :class:`uvicorn.Config`."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.queue = _Frames()  # type: ignore[assignment]

    def send_receive_event_to_app(self) -> None:
        """Hand a frame on; stop reading only where :data:`MOST` of them wait."""
        if self.read_paused or self.queue.qsize() >= MOST:
            super().send_receive_event_to_app()
            return
        self.read_paused = True  # so that it is not stopped
        super().send_receive_event_to_app()
        self.read_paused = False
