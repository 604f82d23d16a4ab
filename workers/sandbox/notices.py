"""A scheduler's own requests, JSON and signed: logged, sent again when nobody takes them, and open to planted faults."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

if TYPE_CHECKING:
    from .app import World

_TRIES = 4
_PAUSE = 0.3
"""Seconds before the first repeat; each further one waits twice as long."""


async def post(world: World, vendor: str, url: str, body: bytes, sign: Callable[[bytes], dict[str, str]]) -> None:
    """POST ``body`` to ``url``, as ``vendor`` would. Each try is signed anew: a signature may hold its time."""
    fault = world.faults.take(vendor, "out", "POST", urlsplit(url).path, body.decode())
    kind = fault.kind if fault else ""
    if fault and kind in ("slow", "reorder"):
        await asyncio.sleep(fault.delay)
    for number in range(_TRIES):
        if await _once(world, vendor, url, body, sign(body), kind):
            break
        await asyncio.sleep(_PAUSE * 2**number)
    if kind == "duplicate":
        await _once(world, vendor, url, body, sign(body), kind)


async def _once(world: World, vendor: str, url: str, body: bytes, signed: dict[str, str], kind: str) -> bool:
    """Whether somebody took it, or it was lost on the way."""
    headers = {"Content-Type": "application/json", **signed}
    entry = world.log.arrived(vendor, "out", "POST", url, "", headers, body.decode())
    started, status = time.perf_counter(), 0
    try:
        if kind == "lost":
            return True
        async with world.http.post(url, data=body, headers=headers) as answer:
            status = answer.status
            return status < 500
    except (aiohttp.ClientError, TimeoutError):
        return False
    finally:
        world.log.answered(entry, status, time.perf_counter() - started, kind)
