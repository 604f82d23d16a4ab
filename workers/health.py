"""``/healthz`` and ``/metrics`` of a process that serves nothing else over HTTP.

A few lines over asyncio's streams: it answers from the process's own event loop, so a loop that hangs does not look
healthy, and it costs no import at start.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

from activities import metrics

Health = Callable[[], Mapping[str, object]]
Metrics = Callable[[], Awaitable[bytes]]

_PATIENCE = 5.0


async def serve(host: str, port: int, health: Health, exposition: Metrics) -> tuple[asyncio.Server, int]:
    """Listen on ``host:port`` (0: any free port); the server and the port that it took.

    ``GET /healthz`` answers ``health()`` as JSON, with 200 when its ``ok`` is true and 503 when not; ``GET /metrics``
    answers ``exposition()``. Raises OSError when the port is taken."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                request = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)
                status, kind, body = await _response(request[1], health, exposition)
                head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\nconnection: close"
                writer.write(head.encode() + b"\r\n\r\n" + body)
                await writer.drain()
        except (TimeoutError, OSError, IndexError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a client that went away or spoke no HTTP is owed nothing
        finally:
            writer.close()

    server = await asyncio.start_server(answer, host, port)
    return server, server.sockets[0].getsockname()[1]


async def _response(path: bytes, health: Health, exposition: Metrics) -> tuple[str, str, bytes]:
    match path.split(b"?")[0]:
        case b"/healthz":
            state = health()
            return (
                "200 OK" if state.get("ok") else "503 Service Unavailable",
                "application/json",
                json.dumps(state).encode(),
            )
        case b"/metrics":
            return "200 OK", metrics.CONTENT_TYPE, await exposition()
    return "404 Not Found", "text/plain", b"here are /healthz and /metrics\n"
