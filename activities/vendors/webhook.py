"""One signed POST to an address that somebody else chose (standardwebhooks.com), and where it must not go.

Signed is ``ID.SECONDS.BODY`` with HMAC-SHA256, once for each secret. The name is looked up here and the connection goes
to the address found, so that a name cannot mean one machine when it is checked and another when it is used. Redirects
are not followed, the answer's body is not read.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import socket
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import httpx

from activities.endpoints import key_of
from activities.settings import settings
from activities.vendors import rest, status

PATIENCE = 15.0
"""Seconds that a receiver may take: Standard Webhooks asks for 15 to 30."""

_TRANSLATED = tuple(ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
"""IPv6 addresses that stand for an IPv4 address, which may be anybody's."""


class Forbidden(ValueError):
    """Nothing is sent there; the message says why and what to do."""


class Answer(NamedTuple):
    """What became of one POST: the HTTP status, 0 when there was none; ``why`` it failed, without what was sent; and how
    long the receiver asks us to wait."""

    status: int
    why: str = ""
    wait: timedelta | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """The receiver wants no more."""
        return self.status == 410


def signature(secrets: Sequence[str], event: str, at: datetime, body: bytes) -> str:
    """``v1,BASE64`` for each secret, a space between."""
    signed = f"{event}.{int(at.timestamp())}.".encode() + body
    digests = (hmac.new(key_of(secret), signed, hashlib.sha256).digest() for secret in secrets)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


class Sender:
    """Posts to one address; its connections are kept for the next POST. Close it when done."""

    def __init__(self, url: str, secrets: Sequence[str]) -> None:
        self._url = httpx.URL(url)
        self._secrets = secrets
        # Without the environment's proxies: a proxy would look the name up anew.
        self._http = httpx.AsyncClient(verify=rest.tls(), trust_env=False, timeout=PATIENCE, follow_redirects=False)

    async def close(self) -> None:
        await self._http.aclose()

    async def post(self, event: str, body: bytes) -> Answer:
        """Send ``body`` as the event of this id, signed now. Raises Forbidden."""
        address = await _allowed(self._url)
        if not address:
            return Answer(0, "no answer: the name is not known")
        at = datetime.now(UTC)
        headers = {
            "Host": self._url.netloc.decode(),
            "Content-Type": "application/json",
            "User-Agent": "showrate",
            "webhook-id": event,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature(self._secrets, event, at, body),
        }
        asked = {"sni_hostname": self._url.host}
        url = self._url.copy_with(host=address)
        try:
            async with (
                asyncio.timeout(PATIENCE),
                self._http.stream("POST", url, content=body, headers=headers, extensions=asked) as answer,
            ):
                wait = status.delay(answer.headers.get("Retry-After"))
                return Answer(answer.status_code, "" if answer.is_success else f"answered {answer.status_code}", wait)
        except (httpx.HTTPError, TimeoutError) as error:
            return Answer(0, f"no answer: {type(error).__name__}")


async def _allowed(url: httpx.URL) -> str:
    """The address to connect to, none when the name is not known. Raises Forbidden for plain http and for addresses that
    are not the open internet's, unless SHOWRATE_WEBHOOKS_LOCAL allows both."""
    local = settings().showrate_webhooks_local
    if url.scheme != "https" and not local:
        raise Forbidden("webhooks go to https only; SHOWRATE_WEBHOOKS_LOCAL=true allows http inside your own network")
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except OSError:
        return ""  # not the name itself: whoever looks it up again may find another address
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    if not local and not all(map(_is_public, addresses)):
        raise Forbidden(
            "this name leads to an address of a private network; SHOWRATE_WEBHOOKS_LOCAL=true allows it"
        )
    return addresses[0]


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(str(address.ipv4_mapped))
        if any(address in net for net in _TRANSLATED):
            return False
    return address.is_global and not address.is_multicast
