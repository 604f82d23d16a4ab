"""Google's pushes: something changed in a rep's calendar. A push is believed only that far, and brings the next reading
forward; what changed is read, never taken from it.

It is not signed. Its channel's id and the token that belongs to it must come together (the token is made from the id
under our own key), and the resource must be the one that the channel watches. The push is noted in the record before
the reading is asked for; where that fails, Google comes again on 503, and the Schedule reads it in any case.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from temporalio.client import Client, ScheduleOverlapPolicy
from temporalio.service import RPCError, RPCStatusCode

from activities import cursors
from workflows.identity import CALENDARS_ID

log = logging.getLogger(__name__)

_WITHIN = timedelta(seconds=5)
"""Google waits a few seconds for an answer."""


async def push(request: Request) -> Response:
    """204 when it was noted (or means nothing new), 403 for a forged one, 404 for a channel that we do not have, 503
    when it shall come again."""
    head = request.headers
    channel, number = head.get("x-goog-channel-id", ""), head.get("x-goog-message-number", "")
    try:
        genuine = hmac.compare_digest(cursors.secret(channel).encode(), head.get("x-goog-channel-token", "").encode())
    except ValueError:
        genuine = False  # without a key we opened no channel
    if not genuine or not (number.isascii() and number.isdigit() and len(number) < 19):
        log.warning("refused a push: its token does not belong to its channel")
        return Response("not a channel of ours", 403)
    if head.get("x-goog-resource-state") == "sync":
        return Response(status_code=204)  # the channel is open
    try:
        due = await asyncio.to_thread(cursors.pushed, channel, head.get("x-goog-resource-id", ""), int(number))
    except SQLAlchemyError as error:
        log.warning("a push could not be noted: %s", type(error).__name__)
        return Response("come again", 503)
    if due is None:
        return Response("no such channel", 404)
    if due and not await _read_soon(request.app.state.temporal):
        return Response("come again", 503)
    return Response(status_code=204)


async def _read_soon(client: Client | None) -> bool:
    """Trigger the reading: while one is under way, one more waits, however many pushes ask for it."""
    if client is None:
        return False
    handle = client.get_schedule_handle(CALENDARS_ID)
    try:
        await handle.trigger(overlap=ScheduleOverlapPolicy.BUFFER_ONE, rpc_timeout=_WITHIN)
    except RPCError as error:
        log.warning("the reading of the calendars could not be brought forward: %s", error.status.name)
        # A Schedule that was never set up is no reason to be called again and again.
        return error.status == RPCStatusCode.NOT_FOUND
    return True


routes: list[BaseRoute] = [Route(cursors.PUSH_PATH, push, methods=["POST"])]
