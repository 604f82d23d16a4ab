"""Retell's webhooks: each is checked to be Retell's, and the end of a call becomes the same signal as Twilio's.

That a call began is known from its websocket, and what Retell makes of a call afterwards is not asked for. What
cannot be handed to Temporal is answered 503, for Retell comes again.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from temporalio.client import Client
from temporalio.service import RPCError

from activities import entity
from activities.settings import settings
from activities.vendors import retell
from workflows.events import CallEnded

from . import bodies, calls
from .retell import setup_of

log = logging.getLogger(__name__)

_MAX_BODY = 4 * 1024 * 1024
"""A webhook carries the whole call, with its transcript."""
_done = Response(status_code=204)


async def webhook(request: Request) -> Response:
    """``call_started``, ``call_ended``, ``call_analyzed`` and whatever else is switched on."""
    try:
        body = await bodies.whole(request, _MAX_BODY)
    except (bodies.TooLong, ClientDisconnect):
        return Response("unreadable", 413)
    if not retell.genuine(body, request.headers.get("x-retell-signature", "")):
        log.warning("refused %s: not signed by the carrier", request.url.path)
        return Response("not signed by the carrier", 403)
    try:
        told = json.loads(body)
        event, call = told["event"], told["call"]
        setup = setup_of(call)
    except (ValueError, TypeError, KeyError, RecursionError):
        return Response("no event of a call", 400)
    if event != "call_ended" or setup is None:
        return _done
    who = await calls.who(setup, settings())
    client: Client | None = request.app.state.temporal
    if who is None:
        return _done
    if client is None:
        return Response("come again", 503)
    return await _ended(client, *who, call)


async def _ended(client: Client, lead: str, attempt: str, call: dict[str, Any]) -> Response:
    status, answered_by, seconds = retell.outcome(call)
    sid = str(call["call_id"])
    over = CallEnded.model_validate(
        {
            "at": datetime.now(UTC),
            "id": f"{sid}:{status}",
            "attempt": attempt,
            "sid": sid,
            "status": status,
            "answered_by": answered_by,
            "seconds": seconds,
        }
    )
    try:
        runs = await entity.tell(client, lead, "call_status", over)
    except RPCError as error:
        log.warning("%s could not be handed on: %s", lead, error.status.name)
        return Response("come again", 503)
    if not runs:
        log.info("%s is over or unknown; the end of its call was dropped", lead)
    return _done


routes: list[BaseRoute] = [Route("/retell/webhook", webhook, methods=["POST"])]
