"""The doors of the live-call gateway: ConversationRelay's websocket and Retell's. Each is checked to be the carrier's,
says whose call it is, and is then held by that call's :class:`~clients.session.Session`."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from datetime import UTC, datetime

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from temporalio.client import Client

from activities import metrics
from activities.settings import settings
from activities.vendors import twilio

from . import calls
from .relay import Relay
from .retell import Retell
from .session import answered_by, close, live_calls, session_of
from .wire import Codec, Ignored, Reply, Setup

RELAY = "/twilio/relay"
RETELL = "/retell/llm/{secret}/{call}"

SETUP_WITHIN = 10.0
"""Seconds in which a socket must say whose call it is."""
_BEFORE = 20
"""Frames that may stand before it on Retell's socket, which begins with its own pings and an empty transcript."""
_REFUSED = 1008
_AWAY = 1013


async def relay(socket: WebSocket) -> None:
    """ConversationRelay's: signed in the handshake; its first frame is ``setup``."""
    signature = socket.headers.get("x-twilio-signature", "")
    signed_with = socket.headers.get("x-twilio-webhooks-signature-settings", "")
    if not twilio.genuine(_address(), {}, signature, signed_with):
        await socket.close(_REFUSED)  # before accept: the handshake is refused with 403
        return
    await _hold(socket, Relay(), most=1)


async def retell(socket: WebSocket) -> None:
    """Retell's: nothing is signed, a secret in the address tells it; the call's id stands there too."""
    secret = settings().retell_socket_secret
    given = str(socket.path_params["secret"])
    if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
        await socket.close(_REFUSED)
        return
    await _hold(socket, Retell(), most=_BEFORE, call=str(socket.path_params["call"]))


async def _hold(socket: WebSocket, codec: Codec, most: int, call: str = "") -> None:
    """Learn whose call this is, within ``most`` frames, and hold it. With ``call``, it has to be that one."""
    client: Client | None = socket.app.state.temporal
    if client is None:
        await socket.close(_AWAY)
        return
    await socket.accept()
    setup = None
    with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
        async with asyncio.timeout(SETUP_WITHIN):
            setup = await _setup(socket, codec, most)
    who = await calls.who(setup, settings()) if setup is not None else None
    if setup is None or who is None or (call and setup.call != call):
        metrics.ignored_frame("misplaced")
        await close(socket, _REFUSED)
        return
    await session_of(client, setup, *who, codec).serve(socket, setup)


async def _setup(socket: WebSocket, codec: Codec, most: int) -> Setup | None:
    for frame in codec.greet():
        await socket.send_text(frame)
    for _ in range(most):
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        text = message.get("text")
        for found in codec.read(text, datetime.now(UTC)) if isinstance(text, str) else (Ignored("binary"),):
            if isinstance(found, Setup):
                return found
            if isinstance(found, Reply):
                await socket.send_text(found.frame)
            else:
                metrics.ignored_frame(found.kind if isinstance(found, Ignored) else "misplaced")
    return None


def _address() -> str:
    """The address that the TwiML names, which the carrier signed."""
    public = settings().showrate_public_url
    return f"ws{public.removeprefix('http')}{RELAY}"


routes: list[BaseRoute] = [WebSocketRoute(RELAY, relay), WebSocketRoute(RETELL, retell)]

__all__ = ["RELAY", "RETELL", "answered_by", "live_calls", "routes"]
