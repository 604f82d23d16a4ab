"""The carrier's stand-in of the benches: takes a dial, notes when it arrived, and does nothing more.

Speaks as much of Twilio's REST API as a dial and a text need. ``GET /arrivals`` streams one JSON line for each
request as it arrives: ``{"to", "kind", "at"}``, ``at`` in seconds of this machine's clock.

    python -m tests.bench.carrier PORT
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid

from aiohttp import web


class Carrier:
    """All arrivals since the start, and who listens to them."""

    def __init__(self) -> None:
        self.arrivals: list[bytes] = []
        self.more = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        """A dial, a text, or anything else that is asked of the carrier."""
        at = time.time()
        kind = request.path.rsplit("/", 1)[-1].removesuffix(".json").lower()
        if request.method != "POST":
            return web.json_response({"calls": [], "messages": [], "events": []})
        asked = await (request.post() if request.content_type.endswith("urlencoded") else request.json())
        line = {"to": asked.get("To") or asked.get("to"), "kind": kind, "at": at}
        self.arrivals.append(json.dumps(line).encode() + b"\n")
        self.more.set()
        sid = ("CA" if kind == "calls" else "SM") + uuid.uuid4().hex
        return web.json_response({"sid": sid, "status": "queued", "num_segments": "1"}, status=201)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """From the first arrival on, for as long as the listener stays."""
        answer = web.StreamResponse()
        await answer.prepare(request)
        sent = 0
        while True:
            self.more.clear()
            if sent < len(self.arrivals):
                new = self.arrivals[sent:]
                sent += len(new)
                await answer.write(b"".join(new))
            else:
                await self.more.wait()


def application() -> web.Application:
    carrier = Carrier()
    app = web.Application()
    app.router.add_get("/healthz", _healthy)
    app.router.add_get("/arrivals", carrier.stream)
    app.router.add_route("*", "/{path:.*}", carrier.take)
    return app


async def _healthy(request: web.Request) -> web.Response:
    return web.Response(text="ok")


if __name__ == "__main__":
    web.run_app(
        application(), host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None, backlog=4096
    )
