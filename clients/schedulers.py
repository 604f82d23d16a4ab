"""The webhooks of Cal.com and Calendly: each is checked to be theirs, what it is about is read there, and the lead whose
meeting it is hears of it as of any change in a rep's calendar.

What cannot be read or handed on now is answered 503, for they come again. A lead recognises a repeat by its id.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities import entity, handles, ledger, library, roster, store
from activities.calendars import changes
from activities.calendars.changes import Change
from activities.settings import Settings, settings
from activities.vendors import calcom, calendly
from workflows import identity, slots
from workflows.events import CalendarChanged, Slot
from workflows.ledger import AskAhead, Meeting
from workflows.roster import Rep

from . import bodies

log = logging.getLogger(__name__)

_MAX_BODY = 1024 * 1024
_EVER = datetime(2000, 1, 1, tzinfo=UTC)
_done = Response(status_code=204)


async def calcom_told(request: Request) -> Response:
    """Cal.com's webhook."""
    return await _take(
        request, lambda body: calcom.genuine(body, request.headers.get("x-cal-signature-256", "")), changes.at_calcom
    )


async def calendly_told(request: Request) -> Response:
    """Calendly's webhook."""
    signature = request.headers.get("calendly-webhook-signature", "")
    return await _take(request, lambda body: calendly.genuine(body, signature, datetime.now(UTC)), changes.at_calendly)


async def _take(
    request: Request, genuine: Callable[[bytes], bool], read: Callable[[bytes], Awaitable[Change | None]]
) -> Response:
    try:
        body = await bodies.whole(request, _MAX_BODY)
    except (bodies.TooLong, ClientDisconnect):
        return Response("unreadable", 413)
    if not genuine(body):
        log.warning("refused %s: not signed by the scheduler", request.url.path)
        return Response("not signed by the scheduler", 403)
    client: Client | None = request.app.state.temporal
    if client is None:
        return Response("come again", 503)
    try:
        change = await read(body)
        if change is not None:
            await _follow(client, change)
    except ValueError:
        return Response("no booking's webhook", 400)
    except (ApplicationError, RPCError, SQLAlchemyError) as error:
        log.warning("%s could not be followed: %s", request.url.path, type(error).__name__)
        return Response("come again", 503)
    return _done


async def _follow(client: Client, change: Change) -> None:
    """Tell the lead. Raises ApplicationError, RPCError when ledger or lead do not answer."""
    for rep in await _reps(client, change):
        meetings = await ledger.ahead(client, rep.id, AskAhead(now=_EVER))
        meeting = next((one for one in meetings if one.event and one.event in (change.event, change.was)), None)
        meeting = meeting or next((one for one in meetings if one.booking == change.booking), None)
        if meeting is not None:
            await _tell_of(client, change, rep, meeting)
            return
        if change.what in ("booked", "moved") and not change.ours:
            await _tell_of_new(client, change, rep)
            return
    log.info("a %s of %s concerns no meeting of ours", change.what, change.vendor)


async def _reps(client: Client, change: Change) -> list[Rep]:
    """Whose calendar it happened in."""
    found: dict[str, Rep] = {}
    for written in await asyncio.to_thread(library.teams, settings().showrate_playbooks):
        try:
            team = await roster.roster(client, written.id)
        except LookupError:  # it has given no turn yet
            continue
        found |= {rep.id: rep for rep in team.reps if change.concerns(rep)}
    return list(found.values())


async def _tell_of(client: Client, change: Change, rep: Rep, meeting: Meeting) -> None:
    """What became of a meeting that the ledger knows."""
    if change.what == "absent":
        await _signal(client, change, meeting.lead, meeting.booking, "absent")
    elif change.what == "removed":
        await _signal(client, change, meeting.lead, meeting.booking, "removed")
    elif change.event != meeting.event or (change.start, change.end) != (meeting.start, meeting.end):
        # Moved away and back again is told too: the lead may be about to follow the first of the two.
        await _signal(client, change, meeting.lead, meeting.booking, "moved", _slot(change, rep))


async def _tell_of_new(client: Client, change: Change, rep: Rep) -> None:
    """Somebody booked on the rep's own page: if it is a lead of ours, it is their meeting."""
    for lead in await asyncio.to_thread(_leads, change, settings()):
        if await _signal(client, change, lead, "", "booked", _slot(change, rep)):
            return


def _leads(change: Change, house: Settings) -> list[str]:
    """Whose page it was, else who has the guest's address."""
    if change.booking:
        return store.leads_that_booked(change.booking)
    hashes = [identity.handle_id(house.identity_key, email.strip().lower()) for email in change.emails if email]
    return [lead for handle in hashes for lead in handles.leads_of(handle)]


def _slot(change: Change, rep: Rep) -> Slot:
    return Slot(id=slots.slot_id(rep.id, change.start), rep=rep.id, start=change.start, end=change.end)


async def _signal(client: Client, change: Change, lead: str, booking: str, what: str, slot: Slot | None = None) -> bool:
    """Whether the lead runs."""
    told = CalendarChanged.model_validate(
        {
            "at": datetime.now(UTC), "id": change.key, "booking": booking, "change": what, "slot": slot,
            "event": change.event, "by": f"somebody at {change.vendor}",
        }
    )  # fmt: skip
    return await entity.tell(client, lead, "calendar_changed", told)


routes: list[BaseRoute] = [
    Route("/calcom/webhook", calcom_told, methods=["POST"]),
    Route("/calendly/webhook", calendly_told, methods=["POST"]),
]
