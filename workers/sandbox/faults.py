"""Failures on purpose, before or after the vendor committed, and the wrapping that lays them over every stand-in.

Each vendor's requests pass :class:`Wire`: logged raw, then met by a planted fault if one matches. The handlers of
the stand-ins know nothing of either.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workflows.model import Strict

from .wirelog import WireLog

PREFIXES = {
    "/twilio/": "twilio",
    "/retell/": "retell",
    "/google/": "google",
    "/calcom/": "calcom",
    "/calendly/": "calendly",
    "/hubspot/": "hubspot",
    "/slack/api/": "slack",
    "/openai/": "openai",
}
"""Where each vendor's API lives; other paths (pages, the sandbox's own) are neither logged nor failed."""


class Fault(Strict):
    """One planted failure.

    ``vendor`` (empty: any), ``method`` (empty: any), ``path``, ``query`` and ``body`` (regular expressions, searched) say
    what it meets. ``kind`` is an HTTP status (``429``, ``500``, ...; ``200`` with ``answer``, whatever that says), ``drop``
    (the socket closes without an answer) or ``slow`` (``delay`` seconds before the answer); for the vendor's webhooks,
    ``direction`` ``out``, also ``duplicate``, ``reorder`` (sent after the next one) and ``lost``. ``before``: the vendor's state stays untouched;
    ``after``: the effect is committed, then the answer fails. It goes off ``times`` times, after ``skip`` matches.
    """

    vendor: str = ""
    direction: Literal["in", "out"] = "in"
    method: str = ""
    path: str = ""
    query: str = ""
    body: str = ""
    kind: str
    when: Literal["before", "after"] = "before"
    times: int = Field(default=1, ge=1)
    skip: int = Field(default=0, ge=0)
    retry_after: float | None = None
    """Seconds for the Retry-After header of a 429 or 503."""
    delay: float = 1.0
    answer: str = ""
    """The body to answer with, where it is not the vendor's own refusal; HTML when it begins with <."""

    @field_validator("kind")
    @classmethod
    def _known(cls, value: str) -> str:
        if value in {"drop", "slow", "duplicate", "reorder", "lost"} or re.fullmatch(r"200|[45]\d\d", value):
            return value
        raise ValueError("write an HTTP status such as 429, 200, or drop, slow, duplicate, reorder, lost")

    @field_validator("path", "query", "body")
    @classmethod
    def _pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error
        return value


class Faults:
    """The faults that are planted and not used up."""

    def __init__(self) -> None:
        self._planted: list[tuple[Fault, list[int]]] = []

    def plant(self, fault: Fault) -> None:
        self._planted.append((fault, [fault.skip, fault.times]))

    def clear(self) -> None:
        self._planted.clear()

    @property
    def planted(self) -> list[Fault]:
        return [fault for fault, _ in self._planted]

    def take(
        self, vendor: str, direction: str, method: str, path: str, body: str, when: str = "before", query: str = ""
    ) -> Fault | None:
        """The first fault that meets this request, counted down; None when none does."""
        for fault, left in self._planted:
            if (
                fault.direction == direction
                and fault.when == when
                and fault.vendor in {"", vendor}
                and fault.method.upper() in {"", method}
                and re.search(fault.path, path)
                and re.search(fault.query, query)
                and re.search(fault.body, body, re.DOTALL)
            ):
                if left[0]:
                    left[0] -= 1
                    continue
                left[1] -= 1
                if not left[1]:
                    self._planted.remove((fault, left))
                return fault
        return None


def routes(faults: Faults) -> list[BaseRoute]:
    """``POST /_faults`` plants one (or a list), ``GET`` lists what is left, ``DELETE`` clears."""

    async def plant(request: Request) -> Response:
        given = await request.json()
        try:
            wanted = [Fault.model_validate(f) for f in (given if isinstance(given, list) else [given])]
        except ValidationError as error:
            return JSONResponse({"errors": json.loads(error.json(include_url=False))}, status_code=422)
        for fault in wanted:
            faults.plant(fault)
        return JSONResponse({"planted": len(faults.planted)}, status_code=201)

    async def list_(request: Request) -> Response:
        return JSONResponse([fault.model_dump() for fault in faults.planted])

    async def clear(request: Request) -> Response:
        faults.clear()
        return JSONResponse({"planted": 0})

    return [
        Route("/_faults", plant, methods=["POST"]),
        Route("/_faults", list_, methods=["GET"]),
        Route("/_faults", clear, methods=["DELETE"]),
    ]


def vendor_of(path: str) -> str:
    """Whose API ``path`` belongs to, or nothing."""
    return next((vendor for prefix, vendor in PREFIXES.items() if path.startswith(prefix)), "")


def refusal(vendor: str, status: int) -> dict[str, Any]:
    """The body with which ``vendor`` answers ``status``, in its own shape."""
    words = {429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable"}
    message = words.get(status, "Request failed")
    if vendor == "twilio":
        code = {429: 20429, 500: 20500, 503: 20503}.get(status, 20000 + status)
        more = f"https://www.twilio.com/docs/errors/{code}"
        return {"code": code, "message": message, "more_info": more, "status": status}
    if vendor == "google":
        limited = status in {403, 429}
        reason, domain = ("rateLimitExceeded", "usageLimits") if limited else ("backendError", "global")
        shown = "Rate Limit Exceeded" if limited else message
        one = {"domain": domain, "reason": reason, "message": shown}
        return {"error": {"errors": [one], "code": status, "message": shown}}
    if vendor == "calcom":
        return {"status": "error", "error": {"code": "HttpException", "message": message}}
    if vendor == "calendly":
        return {"title": message, "message": message, "details": []}
    if vendor == "hubspot":
        return {
            "status": "error",
            "message": "You have reached your secondly limit." if status == 429 else message,
            "correlationId": "00000000-0000-0000-0000-000000000000",
            "category": "RATE_LIMITS" if status == 429 else "INTERNAL_ERROR",
        }
    if vendor == "slack":
        return {"ok": False, "error": "ratelimited" if status == 429 else "internal_error"}
    kind = "rate_limit_exceeded" if status == 429 else "server_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": kind}}


class Wire:
    """ASGI wrapping of the whole sandbox: log and faults for whatever lies under :data:`PREFIXES`."""

    def __init__(self, app: ASGIApp, log: WireLog, faults: Faults) -> None:
        self._app, self._log, self._faults = app, log, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        vendor = vendor_of(scope["path"]) if scope["type"] == "http" else ""
        if not vendor:
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        body = await _whole_body(receive)
        text = body.decode("utf-8", "replace")
        method, path = scope["method"], scope["path"]
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        entry = self._log.arrived(vendor, "in", method, path, query, headers, text)
        name = ""
        noted = False

        def note(status: int) -> None:
            nonlocal noted
            if not noted:
                noted = True
                self._log.answered(entry, status, time.perf_counter() - started, name)

        try:
            fault = self._faults.take(vendor, "in", method, path, text, query=query)
            if fault:
                name = f"{fault.kind} before"
            if fault and fault.kind == "slow":
                await asyncio.sleep(fault.delay)
            elif fault:
                await _fail(fault, vendor, scope, receive, send, note)
                return
            late = self._faults.take(vendor, "in", method, path, text, "after", query)
            if late:
                name = f"{late.kind} after"
                if late.kind != "slow":
                    await self._app(scope, _replay(body, receive), _nowhere)
                    await _fail(late, vendor, scope, receive, send, note)
                    return
            status = 0

            async def noting(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                    if late:
                        await asyncio.sleep(late.delay)
                elif not message.get("more_body", False):
                    note(status)  # on disk before the client can know: who got an answer finds it in the log
                await send(message)

            await self._app(scope, _replay(body, receive), noting)
        finally:
            note(0)


async def _whole_body(receive: Receive) -> bytes:
    parts = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _nowhere(message: Message) -> None:
    """The effect is committed; its answer is never sent."""


async def _fail(
    fault: Fault, vendor: str, scope: Scope, receive: Receive, send: Send, note: Callable[[int], None]
) -> None:
    """Answer as ``fault`` says; ``note`` takes the status that goes out, 0 for none."""
    if fault.kind == "drop":
        note(0)
        await drop(send)
        return
    status = int(fault.kind)
    # Twilio and Slack send whole seconds; a fraction here lets a test be quick, and our adapters read both.
    headers = {"Retry-After": f"{fault.retry_after:g}"} if fault.retry_after is not None else {}
    note(status)
    said = fault.answer or json.dumps(refusal(vendor, status))
    kind = "text/html" if said.startswith("<") else "application/json"
    await Response(said, status, headers, kind)(scope, receive, send)


async def drop(send: Send) -> None:
    """Close the client's socket with no answer at all.

    ASGI has no message for that, so the transport is taken from uvicorn's request cycle, whose method ``send`` is.
    Raises RuntimeError under another server."""
    cycle: Any = getattr(send, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if transport is None:
        raise RuntimeError("dropping a connection needs uvicorn's own send; serve the sandbox with uvicorn")
    transport.abort()
    # Until uvicorn has seen the loss, which the loop tells it in its next rounds, it would answer 500 in our place.
    for _ in range(1000):
        if cycle.disconnected:
            return
        await asyncio.sleep(0)
