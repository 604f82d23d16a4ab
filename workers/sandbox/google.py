"""A stand-in for Google Calendar v3, on the wire: events under the client's ids, etags, sync tokens, push channels,
free/busy.

Like Google, it refuses nothing because of an overlap, keeps a deleted event's id, and answers each calendar of a
free/busy query by itself. Every calendar that is asked for exists, unless ``POST /_state/google`` says otherwise:

    {"calendars": [{"id": "...", "summary": "...", "timeZone": "..."}], "unreadable": ["..."],
     "busy": [{"calendar": "...", "start": "...", "end": "...", "summary": "..."}],
     "forget": ["..."], "page": 3}

``forget`` makes the sync tokens of calendars too old (410); ``page`` is the most events on a page.

``GET /_state/google`` shows all of it; ``POST /google/token`` gives service accounts their access token.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from .google_push import BadChannel, Pushes
from .pages import page

if TYPE_CHECKING:
    from .app import World

_ID = re.compile(r"[a-v0-9]{5,1024}")
_LONGEST = timedelta(days=93)
_MOST_CALENDARS = 50


class Refused(Exception):
    """An error in Google's own form."""

    def __init__(self, code: int, reason: str, message: str, domain: str = "global") -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.domain = code, reason, message, domain

    def answer(self) -> JSONResponse:
        fault = {"domain": self.domain, "reason": self.reason, "message": self.message}
        return JSONResponse(
            {"error": {"errors": [fault], "code": self.code, "message": self.message}}, status_code=self.code
        )


@dataclass
class Calendar:
    id: str
    summary: str = ""
    zone: str = "UTC"
    unreadable: bool = False
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    """Event id -> the number of its latest change."""
    epoch: int = 0
    """Sync tokens of an older one are too old."""


class Calendars:
    """All calendars of the account, with the rules that Google keeps."""

    def __init__(self, tell: Callable[[str], None] = lambda name: None) -> None:
        """``tell`` hears the id of each calendar that changes."""
        self.all: dict[str, Calendar] = {}
        self.page = 2500
        self._tell = tell
        self._clock = itertools.count(1)

    def of(self, name: str) -> Calendar:
        calendar = self.all.setdefault(name, Calendar(name, summary=name))
        if calendar.unreadable:
            raise Refused(404, "notFound", "Not Found")
        return calendar

    def insert(self, name: str, body: dict[str, Any], conference: bool) -> dict[str, Any]:
        calendar = self.of(name)
        number = next(self._clock)
        event_id = body.get("id") or f"auto{number:026d}"
        if not _ID.fullmatch(event_id):
            raise Refused(400, "invalid", "Invalid resource id value.")
        if event_id in calendar.events:
            raise Refused(409, "duplicate", "The requested identifier already exists.")
        now = _now()
        event = {
            "kind": "calendar#event",
            "id": event_id,
            "status": "confirmed",
            "htmlLink": f"https://www.google.com/calendar/event?eid={event_id}",
            "created": now,
            "iCalUID": body.get("iCalUID") or f"{event_id}@google.com",
            "creator": {"email": name, "self": True},
            "organizer": {"email": name, "self": True},
            "sequence": 0,
            "reminders": {"useDefault": True},
            "eventType": "default",
        }
        self._take(event, body, conference)
        return self._keep(calendar, event)

    def change(
        self, name: str, event_id: str, body: dict[str, Any], etag: str | None, conference: bool, whole: bool
    ) -> dict[str, Any]:
        calendar, event = self.of(name), copy.deepcopy(self.get(name, event_id))
        if etag not in (None, "*", event["etag"]):
            raise Refused(412, "conditionNotMet", "Precondition Failed")
        times = (event.get("start"), event.get("end"))
        if whole:
            for key in ("summary", "description", "location", "attendees", "extendedProperties"):
                event.pop(key, None)
            event["status"] = "confirmed"
        self._take(event, body, conference)
        if (event.get("start"), event.get("end")) != times:
            event["sequence"] += 1
        return self._keep(calendar, event)

    def get(self, name: str, event_id: str) -> dict[str, Any]:
        event = self.of(name).events.get(event_id)
        if event is None:
            raise Refused(404, "notFound", "Not Found")
        return event

    def delete(self, name: str, event_id: str, etag: str | None) -> None:
        calendar, event = self.of(name), copy.deepcopy(self.get(name, event_id))
        if event["status"] == "cancelled":
            raise Refused(410, "deleted", "Resource has been deleted")
        if etag not in (None, "*", event["etag"]):
            raise Refused(412, "conditionNotMet", "Precondition Failed")
        event["status"] = "cancelled"
        self._keep(calendar, event)

    def move(self, name: str, event_id: str, to: str) -> dict[str, Any]:
        """Change the event's organizer: it leaves one calendar and stands in another under the same id."""
        source, target = self.of(name), self.of(to)
        event = copy.deepcopy(self.get(name, event_id))
        if event["status"] == "cancelled":
            raise Refused(404, "notFound", "Not Found")
        self._keep(source, {**copy.deepcopy(event), "status": "cancelled"})
        event["organizer"] = {"email": to, "self": True}
        event["sequence"] += 1
        return self._keep(target, event)

    def busy(self, name: str, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """Merged, clipped to the range; cancelled and transparent events block nothing."""
        spans = sorted(
            (max(start, since), min(end, until))
            for master in self.of(name).events.values()
            if master["status"] != "cancelled" and master.get("transparency") != "transparent"
            for event in _turns(master, start, end)
            for since, until in [(_moment(event["start"]), _moment(event["end"]))]
            if since < end and until > start
        )
        merged: list[tuple[datetime, datetime]] = []
        for since, until in spans:
            if merged and since <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], until))
            else:
                merged.append((since, until))
        return merged

    def last_change(self) -> int:
        return max((n for c in self.all.values() for n in c.changes.values()), default=0)

    def _take(self, event: dict[str, Any], body: dict[str, Any], conference: bool) -> None:
        for key, value in body.items():
            if key in {"id", "etag", "kind", "created", "updated", "sequence", "conferenceData"}:
                continue
            if key == "extendedProperties" and isinstance(event.get(key), dict):
                for part, pairs in value.items():
                    event[key] = {**event[key], part: {**event[key].get(part, {}), **pairs}}
            else:
                event[key] = value
        for guest in event.get("attendees", []):
            guest.setdefault("responseStatus", "needsAction")
        _check_times(event)
        request = (body.get("conferenceData") or {}).get("createRequest")
        # Without conferenceDataVersion=1 the field is ignored; a request id seen before makes nothing new.
        if request and conference:
            standing = event.get("conferenceData", {}).get("createRequest", {})
            if standing.get("requestId") != request.get("requestId"):
                event.update(_meeting(request))

    def _keep(self, calendar: Calendar, event: dict[str, Any]) -> dict[str, Any]:
        number = next(self._clock)
        event["updated"] = _now()
        event["etag"] = f'"{number:016d}"'
        calendar.events[event["id"]] = event
        calendar.changes[event["id"]] = number
        self._tell(calendar.id)
        return event


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(when: dict[str, str]) -> datetime:
    """The instant of an EventDateTime; an all-day date begins at midnight of its zone."""
    text = when.get("dateTime") or when.get("date") or ""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(when.get("timeZone") or "UTC"))


def _turns(event: dict[str, Any], since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    """The event itself, or each turn of a repeated one that touches the time between two instants: daily and weekly
    ones, by their INTERVAL and COUNT, on the wall clock of their zone."""
    rule = next((line[6:] for line in event.get("recurrence", []) if line.startswith("RRULE:")), "")
    if not rule:
        yield event
        return
    terms = dict(part.split("=", 1) for part in rule.split(";"))
    zone = event["start"].get("timeZone") or "UTC"
    start, end = (_moment(event[name]).astimezone(ZoneInfo(zone)) for name in ("start", "end"))
    step = timedelta(days={"DAILY": 1, "WEEKLY": 7}[terms["FREQ"]] * int(terms.get("INTERVAL", "1")))
    plain = {key: value for key, value in event.items() if key != "recurrence"}
    for turn in range(int(terms.get("COUNT", "500"))):
        first, last = start + turn * step, end + turn * step
        if first >= until:
            return
        if last > since:
            times = {name: {"dateTime": when.isoformat(), "timeZone": zone} for name, when in (("start", first), ("end", last))}
            yield {**plain, **times, "id": f"{event['id']}_{first:%Y%m%dT%H%M%S}", "recurringEventId": event["id"]}


def _check_times(event: dict[str, Any]) -> None:
    for name in ("start", "end"):
        if not isinstance(event.get(name), dict):
            raise Refused(400, "required", f"Missing {name} time.")
    try:
        start, end = _moment(event["start"]), _moment(event["end"])
    except (ValueError, KeyError) as error:
        raise Refused(400, "invalid", f"Invalid time: {error}") from error
    if end < start:
        raise Refused(400, "timeRangeEmpty", "The specified time range is empty.", "calendar")


def _meeting(request: dict[str, Any]) -> dict[str, Any]:
    code = re.sub(r"[^a-z]", "x", str(request.get("requestId", "")).lower())[:10].ljust(10, "x")
    link = f"https://meet.google.com/{code[:3]}-{code[3:7]}-{code[7:]}"
    return {
        "hangoutLink": link,
        "conferenceData": {
            "createRequest": {**request, "status": {"statusCode": "success"}},
            "entryPoints": [{"entryPointType": "video", "uri": link, "label": link.removeprefix("https://")}],
            "conferenceId": link.rsplit("/", 1)[-1],
        },
    }


# ---- the wire --------------------------------------------------------------------------------------------------


def _listing(calendars: Calendars, name: str, query: dict[str, str], marks: list[str]) -> dict[str, Any]:
    calendar = calendars.of(name)
    token = query.get("syncToken")
    since = 0
    if token is not None:
        clash = {"timeMin", "timeMax", "q", "updatedMin", "iCalUID", "orderBy", "privateExtendedProperty"}
        if clash & query.keys() or query.get("showDeleted") == "false":
            raise Refused(400, "badRequest", "Sync token cannot be used with the other filters.")
        known = re.fullmatch(r"sync-(\d+)-(\d+)", token)
        if not known or int(known[1]) != calendar.epoch or int(known[2]) > calendars.last_change():
            raise Refused(
                410, "fullSyncRequired", "Sync token is no longer valid, a full sync is required.", "calendar"
            )
        since = int(known[2])
    events = sorted(calendar.events.values(), key=lambda e: (_moment(e["start"]), e["id"]))
    if token is not None:
        events = [e for e in events if calendar.changes[e["id"]] > since]
    elif query.get("showDeleted", "false") != "true":
        events = [e for e in events if e["status"] != "cancelled"]
    first = datetime.fromisoformat(query["timeMin"]) if "timeMin" in query else None
    last = datetime.fromisoformat(query["timeMax"]) if "timeMax" in query else None
    if query.get("singleEvents") == "true":
        horizon = last or datetime.now(UTC) + timedelta(days=365)
        events = [turn for e in events for turn in _turns(e, first or _moment(e["start"]), horizon)]
    if first:
        events = [e for e in events if "recurrence" in e or _moment(e["end"]) > first]
    if last:
        events = [e for e in events if _moment(e["start"]) < last]
    for mark in marks:
        key, _, value = mark.partition("=")
        events = [e for e in events if e.get("extendedProperties", {}).get("private", {}).get(key) == value]
    # A page's token says what was known when the first page was read: a change since then is the next reading's.
    begun, _, asof = query.get("pageToken", f"0-{calendars.last_change()}").partition("-")
    start, size = int(begun), min(int(query.get("maxResults", "250")), calendars.page)
    page: dict[str, Any] = {
        "kind": "calendar#events",
        "etag": f'"p{calendars.last_change()}"',
        "summary": calendar.summary,
        "timeZone": calendar.zone,
        "accessRole": "owner",
        "defaultReminders": [],
        "updated": _now(),
        "items": events[start : start + size],
    }
    if start + size < len(events):
        page["nextPageToken"] = f"{start + size}-{asof}"
    else:
        page["nextSyncToken"] = f"sync-{calendar.epoch}-{asof}"
    return page


def _free_busy(calendars: Calendars, body: dict[str, Any]) -> dict[str, Any]:
    try:
        start, end = (datetime.fromisoformat(body[key]) for key in ("timeMin", "timeMax"))
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(400, "required", "timeMin and timeMax are required as RFC 3339.") from error
    if end <= start:
        raise Refused(400, "timeRangeEmpty", "The specified time range is empty.", "calendar")
    if end - start > _LONGEST:
        raise Refused(400, "timeRangeTooLong", "The requested time range is too long.", "calendar")
    answers: dict[str, Any] = {}
    for number, item in enumerate(body.get("items", [])):
        if number >= min(int(body.get("calendarExpansionMax", _MOST_CALENDARS)), _MOST_CALENDARS):
            answers[item["id"]] = {"errors": [{"domain": "global", "reason": "tooManyCalendarsRequested"}]}
            continue
        try:
            spans = calendars.busy(item["id"], start, end)
        except Refused as refused:
            answers[item["id"]] = {"errors": [{"domain": refused.domain, "reason": refused.reason}], "busy": []}
        else:
            answers[item["id"]] = {"busy": [{"start": _utc(a), "end": _utc(b)} for a, b in spans]}
    return {"kind": "calendar#freeBusy", "timeMin": _utc(start), "timeMax": _utc(end), "calendars": answers}


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _seed(calendars: Calendars, body: dict[str, Any]) -> None:
    for row in body.get("calendars", []):
        calendar = calendars.all.setdefault(row["id"], Calendar(row["id"], summary=row["id"]))
        calendar.summary = row.get("summary", calendar.summary)
        calendar.zone = row.get("timeZone", calendar.zone)
    if "unreadable" in body:
        for calendar in calendars.all.values():
            calendar.unreadable = False
        for name in body["unreadable"]:
            calendars.all.setdefault(name, Calendar(name, summary=name)).unreadable = True
    for name in body.get("forget", []):
        calendars.of(name).epoch += 1
    calendars.page = int(body.get("page", calendars.page))
    for row in body.get("busy", []):
        times = {key: {"dateTime": row[key]} for key in ("start", "end")}
        calendars.insert(row["calendar"], {**times, "summary": row.get("summary", "Busy")}, False)


async def _json(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError as error:
        raise Refused(400, "parseError", "Parse Error") from error
    if not isinstance(body, dict):
        raise Refused(400, "parseError", "Parse Error")
    return body


def routes(world: World) -> list[BaseRoute]:
    """The calendar's addresses, its page and its state."""
    pushes = Pushes(world)
    calendars = Calendars(pushes.changed)

    async def events(request: Request) -> Response:
        name, query = request.path_params["calendar"], request.query_params
        try:
            if request.method == "GET":
                marks = query.getlist("privateExtendedProperty")
                return JSONResponse(_listing(calendars, name, dict(query), marks))
            conference = query.get("conferenceDataVersion") == "1"
            return JSONResponse(calendars.insert(name, await _json(request), conference))
        except Refused as refused:
            return refused.answer()

    async def event(request: Request) -> Response:
        name, event_id = request.path_params["calendar"], request.path_params["event"]
        etag = request.headers.get("if-match")
        try:
            if request.method == "GET":
                return JSONResponse(calendars.get(name, event_id))
            if request.method == "DELETE":
                calendars.delete(name, event_id, etag)
                return Response(status_code=204)
            conference = request.query_params.get("conferenceDataVersion") == "1"
            whole = request.method == "PUT"
            changed = calendars.change(name, event_id, await _json(request), etag, conference, whole)
            return JSONResponse(changed)
        except Refused as refused:
            return refused.answer()

    async def move(request: Request) -> Response:
        name, event_id = request.path_params["calendar"], request.path_params["event"]
        try:
            return JSONResponse(calendars.move(name, event_id, request.query_params.get("destination", "")))
        except Refused as refused:
            return refused.answer()

    async def watch(request: Request) -> Response:
        try:
            name = calendars.of(request.path_params["calendar"]).id
            return JSONResponse(pushes.open(name, await _json(request)).shown())
        except BadChannel as bad:
            return Refused(400, bad.reason, bad.message).answer()
        except Refused as refused:
            return refused.answer()

    async def stop(request: Request) -> Response:
        asked = await _json(request)
        if pushes.stop(str(asked.get("id", "")), str(asked.get("resourceId", ""))):
            return Response(status_code=204)
        return Refused(404, "notFound", "Channel not found").answer()

    async def free_busy(request: Request) -> Response:
        try:
            return JSONResponse(_free_busy(calendars, await _json(request)))
        except Refused as refused:
            return refused.answer()

    async def token(request: Request) -> Response:
        return JSONResponse({"access_token": "sandbox-access", "expires_in": 3600, "token_type": "Bearer"})

    async def state(request: Request) -> Response:
        if request.method == "POST":
            _seed(calendars, await _json(request))
        shown = [
            {
                "id": calendar.id,
                "summary": calendar.summary,
                "timeZone": calendar.zone,
                "unreadable": calendar.unreadable,
                "events": sorted(calendar.events.values(), key=lambda e: _moment(e["start"])),
            }
            for calendar in calendars.all.values()
        ]
        watched = [channel.shown() | {"calendar": channel.calendar} for channel in pushes.channels.values()]
        return JSONResponse({"calendars": shown, "channels": watched})

    async def page_of(request: Request) -> Response:
        return HTMLResponse(page("Calendars", (Path(__file__).parent / "calendars.html").read_text("utf-8")))

    base = "/google/calendar/v3"
    return [
        Route(base + "/calendars/{calendar}/events", events, methods=["GET", "POST"]),
        Route(base + "/calendars/{calendar}/events/{event}", event, methods=["GET", "PATCH", "PUT", "DELETE"]),
        Route(base + "/calendars/{calendar}/events/watch", watch, methods=["POST"]),
        Route(base + "/calendars/{calendar}/events/{event}/move", move, methods=["POST"]),
        Route(base + "/channels/stop", stop, methods=["POST"]),
        Route(base + "/freeBusy", free_busy, methods=["POST"]),
        Route("/google/token", token, methods=["POST"]),
        Route("/_state/google", state, methods=["GET", "POST"]),
        Route("/calendars", page_of, methods=["GET"]),
    ]
