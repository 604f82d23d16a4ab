"""The carrier's own requests: signed, retried as their addresses ask, logged, and open to planted faults."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
from yarl import URL

if TYPE_CHECKING:
    from .app import World


@dataclass(frozen=True)
class Reply:
    """What our webhook answered."""

    status: int
    text: str
    content_type: str = ""


@dataclass(frozen=True)
class Overrides:
    """Connection overrides in a webhook address's fragment: ``ct``, ``rt``, ``tt`` in ms, ``rc`` retries, ``rp`` on
    what (``4xx``, ``5xx``, ``ct``, ``rt``, ``all``)."""

    connect: float = 5.0
    read: float = 15.0
    total: float = 15.0
    retries: int = 1
    policy: frozenset[str] = frozenset({"ct"})

    @classmethod
    def of(cls, fragment: str) -> Overrides:
        given = dict(parse_qsl(fragment))

        def seconds(name: str, default: float, most: float) -> float:
            return min(max(int(given[name]), 100) / 1000, most) if given.get(name, "").isdigit() else default

        return cls(
            connect=seconds("ct", 5.0, 10.0),
            read=seconds("rt", 15.0, 15.0),
            total=seconds("tt", 15.0, 15.0),
            retries=min(int(given["rc"]), 5) if given.get("rc", "").isdigit() else 1,
            policy=frozenset(given["rp"].split(",")) if "rp" in given else frozenset({"ct"}),
        )

    def again(self, failure: str) -> bool:
        return failure in self.policy or ("all" in self.policy and failure != "")


def signature(token: str, url: str, form: Mapping[str, str]) -> str:
    """``X-Twilio-Signature``: base64 of HMAC-SHA1 under the account's token over ``url``, then each sorted form
    field's name and value."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


class Webhooks:
    """Posts to our addresses the way the carrier does."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._passed = asyncio.Event()

    async def post(self, url: str, form: Mapping[str, str]) -> Reply | None:
        """POST ``form`` to ``url`` and its retries; None when nobody answered in the end."""
        parts = urlsplit(url)
        target = parts._replace(fragment="").geturl()
        overrides = Overrides.of(parts.fragment)
        headers = {
            "X-Twilio-Signature": signature(self._world.account.token, target, form),
            "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
            "User-Agent": "TwilioProxy/1.1",
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        }
        body = urlencode(form)
        fault = self._world.faults.take("twilio", "out", "POST", parts.path, body)
        kind = fault.kind if fault else ""
        if fault and kind == "slow":
            await asyncio.sleep(fault.delay)
        elif fault and kind == "reorder":
            self._passed.clear()
            try:
                await asyncio.wait_for(self._passed.wait(), fault.delay + 1)
            except TimeoutError:
                kind = "reorder, nothing passed it"
        elif fault and kind == "lost":
            entry = self._world.log.arrived("twilio", "out", "POST", target, "", headers, body)
            self._world.log.answered(entry, 0, 0.0, kind)
            return None
        reply = await self._persist(target, body, headers, overrides, kind)
        if kind == "duplicate":
            await self._once(target, body, headers, overrides, kind)
        if kind != "reorder":
            self._passed.set()
        return reply

    async def _persist(
        self, url: str, body: str, headers: dict[str, str], overrides: Overrides, kind: str
    ) -> Reply | None:
        deadline = time.monotonic() + overrides.total
        pause = 0.25
        for attempt in range(overrides.retries + 1):
            failure, reply = await self._once(url, body, headers, overrides, kind)
            if not failure or not overrides.again(failure) or attempt == overrides.retries:
                return reply
            # How long Twilio waits between tries is not documented; these fill the total time it allows.
            pause = min(pause * 2, max(deadline - time.monotonic(), 0))
            if not pause:
                return reply
            await asyncio.sleep(pause)
        return None

    async def _once(
        self, url: str, body: str, headers: dict[str, str], overrides: Overrides, kind: str
    ) -> tuple[str, Reply | None]:
        entry = self._world.log.arrived("twilio", "out", "POST", url, "", headers, body)
        started = time.perf_counter()
        failure, reply = "", None
        timeout = aiohttp.ClientTimeout(sock_connect=overrides.connect, sock_read=overrides.read)
        try:
            # Sent as it was signed: aiohttp would write an address's %2F as / otherwise.
            address = URL(url, encoded=True)
            async with self._world.http.post(address, data=body, headers=headers, timeout=timeout) as answer:
                reply = Reply(answer.status, await answer.text(), answer.content_type)
                failure = f"{answer.status // 100}xx" if answer.status >= 400 else ""
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            failure = "ct"
        except (aiohttp.ClientError, TimeoutError):
            failure = "rt"
        finally:
            status = reply.status if reply else 0
            self._world.log.answered(entry, status, time.perf_counter() - started, kind)
        return failure, reply
