"""Google's push channels, on the wire: a POST without a body to whoever watches a calendar, on each change of it.

Like Google's, they sign nothing, number their messages without counting through, begin with a ``sync``, come again
only on 500, 502, 503 and 504, and end at their expiry without a word. A planted fault on ``out`` loses or doubles one.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

if TYPE_CHECKING:
    from .app import World

_LONGEST = timedelta(days=30)
_USUAL = timedelta(days=7)
_AGAIN = frozenset({500, 502, 503, 504})
_PAUSES = (0.3, 1.0, 3.0)
"""Seconds between tries."""
_HERE = frozenset({"127.0.0.1", "localhost"})
"""Where an address needs no https: nothing leaves this machine."""


class BadChannel(Exception):
    """A channel that Google would not open: its reason and message."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


@dataclass
class Channel:
    id: str
    calendar: str
    address: str
    token: str
    expires: datetime
    number: int = 0

    @property
    def resource(self) -> str:
        return f"res-{self.calendar.encode().hex()}"

    def shown(self) -> dict[str, Any]:
        """As ``events.watch`` answers it."""
        return {
            "kind": "api#channel",
            "id": self.id,
            "resourceId": self.resource,
            "resourceUri": f"https://www.googleapis.com/calendar/v3/calendars/{self.calendar}/events?alt=json",
            "token": self.token,
            "expiration": str(int(self.expires.timestamp() * 1000)),
        }


class Pushes:
    """Who watches what."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.channels: dict[str, Channel] = {}

    def open(self, calendar: str, body: dict[str, Any]) -> Channel:
        """Watch ``calendar``. Raises :class:`BadChannel`."""
        address, name = str(body.get("address", "")), str(body.get("id", ""))
        parts = urlsplit(address)
        if body.get("type") not in ("web_hook", "webhook") or not name:
            raise BadChannel("required", "A channel needs an id and the type web_hook.")
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _HERE):
            raise BadChannel("push.webhookUrlNotHttps", "WebHook callback must be HTTPS")
        if name in self.channels:
            raise BadChannel("channelIdNotUnique", f"Channel id {name} not unique")
        ttl = str(body.get("params", {}).get("ttl", ""))
        lifetime = min(timedelta(seconds=int(ttl)), _LONGEST) if ttl.isdigit() else _USUAL
        made = Channel(name, calendar, address, str(body.get("token", "")), datetime.now(UTC) + lifetime)
        self.channels[name] = made
        self._send(made, "sync")
        return made

    def stop(self, name: str, resource: str) -> bool:
        """False when there is no such channel."""
        found = self.channels.get(name)
        if found is None or found.resource != resource:
            return False
        del self.channels[name]
        return True

    def changed(self, calendar: str) -> None:
        """Tell all who watch ``calendar``."""
        for channel in self.channels.values():
            if channel.calendar == calendar and channel.expires > datetime.now(UTC):
                self._send(channel, "exists")

    def _send(self, channel: Channel, state: str) -> None:
        channel.number += 1 if state == "sync" else 7
        headers = {
            "X-Goog-Channel-ID": channel.id,
            "X-Goog-Channel-Token": channel.token,
            "X-Goog-Channel-Expiration": channel.expires.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            "X-Goog-Resource-ID": channel.resource,
            "X-Goog-Resource-URI": channel.shown()["resourceUri"],
            "X-Goog-Resource-State": state,
            "X-Goog-Message-Number": str(channel.number),
            "User-Agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
        }
        self._world.spawn(self._deliver(channel.address, headers))

    async def _deliver(self, address: str, headers: dict[str, str]) -> None:
        fault = self._world.faults.take("google", "out", "POST", urlsplit(address).path, "")
        kind = fault.kind if fault else ""
        if kind == "lost":
            entry = self._world.log.arrived("google", "out", "POST", address, "", headers, "")
            self._world.log.answered(entry, 0, 0.0, kind)
            return
        for times in range(2 if kind == "duplicate" else 1):
            for pause in (*_PAUSES, None):
                status = await self._once(address, headers, kind if times else "")
                if status not in _AGAIN or pause is None:
                    break
                await asyncio.sleep(pause)

    async def _once(self, address: str, headers: dict[str, str], kind: str) -> int:
        entry = self._world.log.arrived("google", "out", "POST", address, "", headers, "")
        started, status = time.perf_counter(), 0
        try:
            timeout = aiohttp.ClientTimeout(total=10)
            async with self._world.http.post(address, headers=headers, timeout=timeout) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            status = 0
        finally:
            self._world.log.answered(entry, status, time.perf_counter() - started, kind)
        return status
