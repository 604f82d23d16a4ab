"""The body of a request, read only as far as it may be long."""

from __future__ import annotations

from starlette.requests import Request


class TooLong(ValueError):
    """More came than is believed."""


async def whole(request: Request, most: int) -> bytes:
    """The raw body, of at most ``most`` bytes; what follows them is not read. Raises :class:`TooLong`, and what Starlette
    raises when the client goes away."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise TooLong("more than a request has")
    return bytes(body)
