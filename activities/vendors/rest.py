"""One request to a vendor that has no SDK of its own, sent once, and its JSON. Temporal owns the retries."""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any

import httpx

from activities import faults
from activities.settings import settings
from activities.vendors import status


async def once(method: str, url: str, headers: dict[str, str], **content: Any) -> httpx.Response:
    """The answer within SHOWRATE_TIMEOUT. Raises what httpx raises, for those who must know how far the request came."""
    async with httpx.AsyncClient(timeout=settings().showrate_timeout, verify=tls()) as client:
        return await client.request(method, url, headers=headers, **content)


async def send(vendor: str, method: str, url: str, headers: dict[str, str], **content: Any) -> httpx.Response:
    """The answer, whatever its status. Raises ``retry`` when there is none within SHOWRATE_TIMEOUT: the request may have
    been carried out all the same."""
    try:
        return await once(method, url, headers, **content)
    except (httpx.RequestError, httpx.InvalidURL) as error:
        raise faults.retry(f"{vendor} could not be reached: {type(error).__name__}") from None


def told(vendor: str, answer: httpx.Response) -> Any:
    """The JSON of a success, None of one without a body. Raises what its status means, and ``retry`` for what is no JSON:
    it comes from something between us and the vendor."""
    if answer.status_code >= 400:
        raise status.fault(vendor, answer.status_code, "", answer.headers.get("Retry-After"))
    if answer.status_code == 204:
        return None
    try:
        return answer.json()
    except (ValueError, RecursionError):
        raise faults.retry(f"{vendor}'s answer could not be read") from None


@cache
def tls() -> ssl.SSLContext:
    """Made once: reading the root certificates takes longer than a request."""
    return httpx.create_ssl_context()
