"""Google Calendar, through its own SDK: free/busy, and events under ids of our own.

An event's id is made from the booking, so that a repeated insert collides with itself (409) and the event that
stands is adopted after reading back our mark in ``extendedProperties.private``. A deleted event keeps its id, so a
booking that was undone and is made again takes the id of the next generation. Everything here may therefore be
repeated, and nothing is ambiguous: errors are ``retry``, ``retry_after`` or ``permanent`` (:mod:`activities.faults`).

The SDK's usual transport sends a request twice when the server drops the connection, also a POST; ours is on httpx
and sends it once.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import google.auth.transport
import httplib2
import httpx
from google.auth import exceptions as auth_exceptions
from google.oauth2 import service_account
from googleapiclient import discovery
from googleapiclient.errors import HttpError

from activities import faults
from activities.settings import settings
from activities.vendors import answers, status
from activities.vendors.draft import Draft as Draft
from workflows.model import Instant, Model

logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every URL at INFO, and ours name people's calendars

_SCOPES = ("https://www.googleapis.com/auth/calendar.events", "https://www.googleapis.com/auth/calendar.freebusy")
_MARK = "showrate_booking"
_PAGE = timedelta(days=60)
"""One free/busy query: Google refuses ranges past about three months (timeRangeTooLong)."""
_CALENDARS = 50
"""``calendarExpansionMax`` of a free/busy query."""
_GENERATIONS = 8
_LIMITED = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"})


class Busy(Model):
    """What one calendar says of a range: ``spans`` (UTC, sorted, merged), or ``error``: then nothing is known, and
    nothing of it counts as free."""

    spans: tuple[tuple[Instant, Instant], ...] = ()
    error: str = ""


class Event(Model):
    """An event as it stands at Google. ``booking`` is our mark on it, empty on other people's events."""

    id: str
    booking: str = ""
    start: Instant | None = None
    end: Instant | None = None
    etag: str = ""
    cancelled: bool = False
    meet: str = ""


def configured() -> bool:
    """Whether there is a calendar vendor at all."""
    return bool(settings().google_credentials or settings().google_base_url)


def event_id(booking: str, generation: int = 0) -> str:
    """The id of a booking's event: its base32hex in lower case (a-v and 0-9, the characters that Google takes)."""
    name = booking if not generation else f"{booking}~{generation}"
    return base64.b32hexencode(name.encode()).decode().lower().rstrip("=").ljust(5, "0")


async def free_busy(calendars: Iterable[str], start: datetime, end: datetime) -> dict[str, Busy]:
    """The busy spans between two instants of each calendar. A calendar that cannot be read has its ``error`` set."""
    names = list(dict.fromkeys(calendars))
    found: dict[str, Busy] = dict.fromkeys(names, Busy())
    for first in range(0, len(names), _CALENDARS):
        for since, until in _pages(start, end):
            answer = await asyncio.to_thread(_query, names[first : first + _CALENDARS], since, until)
            for name, busy in answer.items():
                found[name] = _joined(found[name], busy)
    return found


async def insert_event(calendar: str, draft: Draft) -> Event:
    """Write the event of a booking, once: a repeat answers with the event that stands. The attendee is invited by
    Google when the event is made, and not by a repeat. Raises permanent when the id is taken by somebody else's."""
    for generation in range(_GENERATIONS):
        name = event_id(draft.booking, generation)
        try:
            return await asyncio.to_thread(_insert, calendar, name, draft)
        except _Duplicate:
            standing = await get_event(calendar, name)
        if standing is None or standing.booking != draft.booking:
            raise faults.permanent("Google: the event's id is taken by an event that is not ours")
        if not standing.cancelled:
            return standing
    raise faults.permanent(f"Google: this booking's event was deleted {_GENERATIONS} times")


async def patch_event(calendar: str, event: str, changes: Mapping[str, object], etag: str = "") -> Event:
    """Change fields of an event (the vendor's own names, e.g. ``summary``). With ``etag``, only if nobody changed it
    since: else permanent (412)."""

    def send() -> Event:
        request = (
            _service()
            .events()
            .patch(calendarId=calendar, eventId=event, body=dict(changes), conferenceDataVersion=1, sendUpdates="all")
        )
        if etag:
            request.headers["If-Match"] = etag
        return _event(_execute(request))

    return await asyncio.to_thread(send)


async def adopt_event(calendar: str, event: str, draft: Draft) -> None:
    """An event of ours that was moved by hand carries the mark and the link of ``draft`` from now on; its other words
    stay, and nobody is told."""

    def send() -> None:
        events = _service().events()
        standing = _execute(events.get(calendarId=calendar, eventId=event))
        changes: dict[str, Any] = {"extendedProperties": {"private": {_MARK: draft.booking}}}
        if (link := standing.get("location")) and draft.link:
            changes |= {"location": draft.link, "description": standing.get("description", "").replace(link, draft.link)}
        _execute(events.patch(calendarId=calendar, eventId=event, body=changes, sendUpdates="none"))

    try:
        await asyncio.to_thread(send)
    except _Gone:
        raise faults.permanent("Google: the event that was moved is gone") from None


async def delete_event(calendar: str, event: str, *, notify: bool = True) -> bool:
    """Take an event out; its attendee hears of it if ``notify``. False when it was gone already (404 or 410)."""

    def send() -> bool:
        request = (
            _service().events().delete(calendarId=calendar, eventId=event, sendUpdates="all" if notify else "none")
        )
        try:
            _execute(request)
        except _Gone:
            return False
        return True

    return await asyncio.to_thread(send)


async def get_event(calendar: str, event: str) -> Event | None:
    """One event, also a cancelled one; None when there never was one."""

    def send() -> Event | None:
        try:
            return _event(_execute(_service().events().get(calendarId=calendar, eventId=event)))
        except _Gone:
            return None

    return await asyncio.to_thread(send)


async def access(calendar: str) -> str:
    """What we may do with a calendar, in Google's word: ``owner``, ``writer``, ``reader``, ``freeBusyReader``. Raises
    permanent when its events cannot be listed at all."""

    def send() -> str:
        answer = _execute(_service().events().list(calendarId=calendar, maxResults=1))
        with answers.believed("Google"):
            return str(answer.get("accessRole", ""))

    return await asyncio.to_thread(send)


async def find_events(calendar: str, booking: str) -> list[Event]:
    """The events of a booking that stand, by our mark: for compensation when no event's id is known."""

    def send() -> list[Event]:
        request = _service().events().list(calendarId=calendar, privateExtendedProperty=f"{_MARK}={booking}")
        answer = _execute(request)
        with answers.believed("Google"):
            return [_event(item) for item in answers.rows(answer.get("items", []))]

    return await asyncio.to_thread(send)


# ---- the wire --------------------------------------------------------------------------------------------------


class _Duplicate(Exception):
    """The id exists on this calendar."""


class _Gone(Exception):
    """404 or 410: there is no such event, or no longer."""


def _query(calendars: Sequence[str], start: datetime, end: datetime) -> dict[str, Busy]:
    body = {
        "timeMin": start.isoformat(),
        "timeMax": end.isoformat(),
        "timeZone": "UTC",
        "calendarExpansionMax": _CALENDARS,
        "items": [{"id": name} for name in calendars],
    }
    answer = _execute(_service().freebusy().query(body=body))
    with answers.believed("Google"):
        return {name: _busy(answer["calendars"].get(name)) for name in calendars}


def _busy(answer: Mapping[str, Any] | None) -> Busy:
    if answer is None:
        return Busy(error="notAnswered")
    if answer.get("errors"):
        return Busy(error=answer["errors"][0].get("reason", "error"))
    return Busy(spans=tuple(answers.span(row["start"], row["end"]) for row in answers.rows(answer["busy"])))


def _insert(calendar: str, name: str, draft: Draft) -> Event:
    body: dict[str, Any] = {
        "id": name,
        "summary": draft.title,
        "description": draft.notes,
        "start": {"dateTime": draft.start.isoformat(), "timeZone": draft.zone},
        "end": {"dateTime": draft.end.isoformat(), "timeZone": draft.zone},
        "extendedProperties": {"private": {_MARK: draft.booking}},
        "guestsCanModify": False,
    }
    if draft.link:
        body["location"] = draft.link
    if draft.attendee:
        person = {"email": draft.attendee, "displayName": draft.attendee_name}
        body["attendees"] = [{key: value for key, value in person.items() if value}]
    if draft.conference:
        body["conferenceData"] = {
            "createRequest": {"requestId": name, "conferenceSolutionKey": {"type": "hangoutsMeet"}}
        }
    request = (
        _service()
        .events()
        .insert(
            calendarId=calendar,
            body=body,
            conferenceDataVersion=1,
            sendUpdates="all" if draft.attendee else "none",
        )
    )
    return _event(_execute(request))


def _event(item: Mapping[str, Any]) -> Event:
    with answers.believed("Google"):
        return Event(
            id=item["id"],
            booking=item.get("extendedProperties", {}).get("private", {}).get(_MARK, ""),
            start=_instant(item.get("start", {}).get("dateTime")),
            end=_instant(item.get("end", {}).get("dateTime")),
            etag=item.get("etag", ""),
            cancelled=item.get("status") == "cancelled",
            meet=item.get("hangoutLink", ""),
        )


def _execute(request: Any) -> Any:
    """Send one of the SDK's requests, once. Raises what this module raises for each answer."""
    try:
        answer = request.execute(num_retries=0)
    except HttpError as error:
        code = int(error.resp.status)
        reason = _reason(error)
        if code == 409 and reason == "duplicate":
            raise _Duplicate from error
        if code == 410 or (code == 404 and "/events/" in str(request.uri)):
            raise _Gone from error
        if code == 403 and reason in _LIMITED:
            code = 429
        raise status.fault("Google", code, reason, error.resp.get("retry-after")) from None
    except httpx.RequestError as error:
        raise faults.retry(f"Google could not be reached: {type(error).__name__}") from None
    except auth_exceptions.TransportError as error:
        raise faults.retry(f"Google's token endpoint could not be reached: {type(error).__name__}") from None
    except auth_exceptions.GoogleAuthError as error:
        raise faults.permanent(f"Google refuses our credentials: {type(error).__name__}") from None
    except (ValueError, RecursionError):
        raise faults.retry("Google's answer could not be read") from None
    if isinstance(answer, str) and answer:  # the SDK hands on what is no JSON; only a deletion answers with nothing
        raise faults.retry("Google's answer could not be read")
    return answer


def _reason(error: HttpError) -> str:
    """Google's short code for what was wrong (``duplicate``, ``notFound``): never its text."""
    try:
        return str(json.loads(error.content)["error"]["errors"][0]["reason"])
    except (ValueError, LookupError, TypeError):
        return ""


def _pages(start: datetime, end: datetime) -> Iterable[tuple[datetime, datetime]]:
    while start < end:
        until = min(start + _PAGE, end)
        yield start, until
        start = until


def _joined(one: Busy, other: Busy) -> Busy:
    if one.error or other.error:
        return Busy(error=one.error or other.error)
    return Busy(spans=one.spans + other.spans)


def _instant(text: Any) -> datetime | None:
    """None for the days of a whole-day event, which has no ``dateTime``."""
    return None if text is None else answers.instant(text)


# ---- the SDK on httpx -------------------------------------------------------------------------------------------


class _Transport:
    """What the SDK asks of its ``http``: one ``request``, safe for threads, that sends what it is told once."""

    def __init__(self, client: httpx.Client, credentials: Any) -> None:
        self._client = client
        self._credentials = credentials

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        redirections: int = 0,
        connection_type: object = None,
    ) -> tuple[httplib2.Response, bytes]:
        sent = dict(headers or {})
        if self._credentials is not None:
            self._credentials.before_request(_token_request(self._client), method, uri, sent)
        answer = self._client.request(method, uri, content=body, headers=sent)
        if answer.status_code == 401 and self._credentials is not None:
            # A 401 was not carried out: with a fresh token the same request may go again.
            self._credentials.refresh(_token_request(self._client))
            self._credentials.apply(sent)
            answer = self._client.request(method, uri, content=body, headers=sent)
        seen = {key.lower(): value for key, value in answer.headers.items()}
        seen.pop("content-encoding", None)
        return httplib2.Response({**seen, "status": str(answer.status_code)}), answer.content


class _Token(google.auth.transport.Response):
    """A token endpoint's answer in google-auth's words."""

    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer

    @property
    def status(self) -> int:
        return self._answer.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer.headers

    @property
    def data(self) -> bytes:
        return self._answer.content


def _token_request(client: httpx.Client) -> Callable[..., _Token]:
    def call(
        url: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **rest: object,
    ) -> _Token:
        try:
            return _Token(client.request(method, url, content=body, headers=dict(headers or {})))
        except httpx.TransportError as error:
            raise auth_exceptions.TransportError(type(error).__name__) from error  # type: ignore[no-untyped-call]

    return call


def _service() -> Any:
    s = settings()
    return _built(s.google_base_url, s.google_credentials, s.google_subject, s.showrate_timeout)


@cache
def _built(base_url: str, credentials_path: str, subject: str, timeout: float) -> Any:
    credentials = None
    if credentials_path:
        account: Any = service_account.Credentials
        try:
            credentials = account.from_service_account_file(credentials_path, scopes=_SCOPES)
        except (OSError, ValueError) as error:
            raise faults.permanent(
                f"GOOGLE_CREDENTIALS cannot be read ({type(error).__name__}); set the path of a service account's JSON key"
            ) from None
        if subject:
            credentials = credentials.with_subject(subject)
    transport = _Transport(httpx.Client(timeout=timeout), credentials)
    options = {"api_endpoint": base_url} if base_url else {}
    return discovery.build(
        "calendar", "v3", http=transport, client_options=options, static_discovery=True, cache_discovery=False
    )
