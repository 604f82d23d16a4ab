"""What has changed in a Google calendar: read by sync token, and told by push.

A push says only that something changed, carries no signature, and may be lost or repeated: it is a reason to read, and
never more. Of other people's events we ask for when they are and whether they keep somebody busy, not what they are.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from activities import faults
from activities.vendors import answers
from activities.vendors.google import MARK, Event, event_of
from activities.vendors.google_wire import Gone, execute, service
from workflows.model import Instant, Model

_PAGE = 2500
"""The most events that Google puts on a page."""
_FIELDS = (
    "items(id,status,etag,start,end,organizer/email,attendees(self,organizer,resource,responseStatus),transparency,"
    f"eventType,extendedProperties/private/{MARK}),nextPageToken,nextSyncToken,timeZone"
)


class Changes(Model):
    """What changed since the token that was asked with, and the ``token`` for the next time. ``whole``: there was no
    such token, or Google knows it no longer; these are all events that are not over, and what was deleted long ago is missing."""

    events: tuple[Event, ...] = ()
    token: str
    whole: bool = False


class Channel(Model):
    """A push channel: Google posts to our address until it ``expires``; ``resource`` is Google's name of what it
    watches."""

    id: str
    resource: str
    expires: Instant


async def changes(calendar: str, token: str, now: datetime) -> Changes:
    """Read all that changed since ``token``; everything from ``now`` on where there is none, or where it is too old
    (410)."""

    def read() -> Changes:
        if token:
            with contextlib.suppress(Gone):
                return _changes(calendar, {"syncToken": token})
        return _changes(calendar, {"timeMin": now.isoformat()}).model_copy(update={"whole": True})

    return await asyncio.to_thread(read)


async def between(calendar: str, since: datetime, until: datetime) -> list[Event]:
    """Every event that touches the time between two instants, each turn of a repeated one by itself."""
    span = {"timeMin": since.isoformat(), "timeMax": until.isoformat(), "singleEvents": True}

    def read() -> list[Event]:
        return [event for page in _pages(calendar, span) for event in _events(page)]

    return await asyncio.to_thread(read)


async def watch(calendar: str, channel: str, token: str, address: str, lifetime: timedelta) -> Channel:
    """Have Google post to ``address`` on every change, as ``channel`` (an id of ours, new each time), with ``token`` in
    a header, for ``lifetime`` at most. Raises permanent when Google does not accept the address."""
    body = {
        "id": channel,
        "type": "web_hook",
        "address": address,
        "token": token,
        "params": {"ttl": str(int(lifetime.total_seconds()))},
    }

    def send() -> Channel:
        try:
            answer = execute(service().events().watch(calendarId=calendar, body=body))
        except Gone:
            raise faults.permanent("Google: there is no such calendar to watch") from None
        with answers.believed("Google"):
            expires = datetime.fromtimestamp(int(answer["expiration"]) / 1000, UTC)
            return Channel(id=channel, resource=answer["resourceId"], expires=expires)

    return await asyncio.to_thread(send)


async def stop(channel: str, resource: str) -> None:
    """End a push channel; one that is over already is done."""

    def send() -> None:
        request = service().channels().stop(body={"id": channel, "resourceId": resource})
        try:
            execute(request)
        except Gone:
            return

    await asyncio.to_thread(send)


def _changes(calendar: str, query: dict[str, Any]) -> Changes:
    found: list[Event] = []
    token = ""
    for page in _pages(calendar, {**query, "showDeleted": True}):
        found += _events(page)
        token = page.get("nextSyncToken", "")
    with answers.believed("Google"):
        if not token:
            raise ValueError("no sync token on the last page")
        answers.few(found)
        return Changes(events=tuple(found), token=token)


def _pages(calendar: str, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    more: dict[str, Any] = {}
    while True:
        request = service().events().list(calendarId=calendar, maxResults=_PAGE, fields=_FIELDS, **query, **more)
        page = execute(request)
        yield page
        if page.get("nextPageToken") in (None, "", more.get("pageToken")):
            return
        more = {"pageToken": page["nextPageToken"]}


def _events(page: dict[str, Any]) -> list[Event]:
    with answers.believed("Google"):
        return [event_of(item, page.get("timeZone", "")) for item in answers.rows(page.get("items", []))]
