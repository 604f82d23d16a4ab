"""A stand-in for Calendly's API v2, on the wire: event types, available times, scheduling, links, events, absences, webhooks.

Like Calendly it speaks of a week at most and never of the past, answers a taken time with a plain 400, keeps no mark but the
tracking, moves nothing for the API, refuses scheduling to accounts without a paid plan, and tells a move by two webhooks.
Hosts are free at all hours, but for what ``POST /_state/calendly`` says:

    {"eventTypes": [{"uuid": "...", "host": "ana", "duration": 30, "slotInterval": 15}], "plan": "free",
     "busy": [{"host": "ana", "start": "...", "end": "..."}]}

``POST /_state/calendly/guest`` is a guest on the pages: ``{"link": ..., "start": ...}`` books, ``{"event": ..., "start": ...}``
moves, ``{"event": ...}`` cancels. ``GET /_state/calendly`` shows all of it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from . import notices

if TYPE_CHECKING:
    from .app import World

API = "https://api.calendly.com"
_HOUSE = f"{API}/organizations/11111111-1111-1111-1111-111111111111"
_WEEK = timedelta(days=7)
_TRACKING = ("utm_campaign", "utm_source", "utm_medium", "utm_content", "utm_term", "salesforce_uuid")


class Refused(Exception):
    """An error in Calendly's own form."""

    def __init__(self, code: int, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.detail = code, message, detail

    def answer(self) -> JSONResponse:
        title = {
            400: "Invalid Argument", 401: "Unauthenticated", 403: "Permission Denied", 404: "Resource Not Found",
        }[self.code]  # fmt: skip
        details = [{"parameter": "start_time", "code": self.detail}] if self.detail else []
        return JSONResponse({"title": title, "message": self.message, "details": details}, self.code)


@dataclass
class EventType:
    uuid: str
    host: str
    length: timedelta = timedelta(minutes=30)
    interval: timedelta = timedelta(minutes=30)
    after: timedelta = timedelta(0)
    active: bool = True
    pooling: str | None = None
    locations: list[dict[str, str]] = field(default_factory=list)

    @property
    def uri(self) -> str:
        return f"{API}/event_types/{self.uuid}"


@dataclass
class Account:
    """All that the account has, with the rules that Calendly keeps."""

    plan: str = "standard"
    types: dict[str, EventType] = field(default_factory=dict)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Event's uuid -> the event as it is shown; its invitee stands in ``invitees`` under the same key."""
    invitees: dict[str, dict[str, Any]] = field(default_factory=dict)
    busy: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    """Unused single-use links: id -> the event type's uuid."""
    absences: dict[str, dict[str, Any]] = field(default_factory=dict)
    subscriptions: list[dict[str, Any]] = field(default_factory=list)

    def type_of(self, uri: Any) -> EventType:
        found = self.types.get(str(uri).rsplit("/", 1)[-1])
        if found is None:
            raise Refused(404, "The server could not find the requested resource.")
        return found

    def event(self, id: str) -> dict[str, Any]:
        if id not in self.events:
            raise Refused(404, "The server could not find the requested resource.")
        return self.events[id]

    def open(self, kind: EventType, start: datetime, ignoring: str = "") -> bool:
        since, until = start, start + kind.length + kind.after
        taken = [(a, b) for who, a, b in self.busy if who == kind.host]
        for id, row in self.events.items():
            other = self.type_of(row["event_type"])
            if row["status"] == "active" and other.host == kind.host and id != ignoring:
                taken.append((_at(row["start_time"]), _at(row["end_time"]) + other.after))
        return not any(a < until and since < b for a, b in taken)

    def times(self, kind: EventType, since: datetime, until: datetime) -> list[datetime]:
        if since <= datetime.now(UTC):
            raise Refused(400, "start_time must be in the future")
        if not since < until <= since + _WEEK:
            raise Refused(400, "The date range can be no greater than 1 week")
        step = since.replace(hour=0, minute=0, second=0, microsecond=0)
        found = []
        while kind.active and step <= until:
            if since <= step and self.open(kind, step):
                found.append(step)
            step += kind.interval
        return found

    def book(
        self, kind: EventType, start: datetime, invitee: dict[str, Any], tracking: dict[str, Any], place: Any = None,
        ignoring: str = "",
    ) -> str:  # fmt: skip
        """The new event's uuid."""
        if not {"email", "timezone"} <= invitee.keys() or not invitee.get("name"):
            raise Refused(400, "invitee: email, name and timezone are required")
        if start <= datetime.now(UTC) or not self.open(kind, start, ignoring):
            raise Refused(400, "The event is already filled.", "already_filled")
        id, now = str(uuid.uuid4()), _text(datetime.now(UTC))
        self.events[id] = {
            "uri": f"{API}/scheduled_events/{id}",
            "name": f"Meeting with {kind.host}",
            "status": "active",
            "start_time": _text(start),
            "end_time": _text(start + kind.length),
            "event_type": kind.uri,
            "location": {"type": "custom", "location": (place or {}).get("location", "by phone")},
            "invitees_counter": {"total": 1, "active": 1, "limit": 1},
            "created_at": now,
            "updated_at": now,
            "event_memberships": [{"user": _user(kind.host), "user_email": f"{kind.host}@calendly.example"}],
            "event_guests": [],
            "calendar_event": None,
        }
        pages = f"https://calendly.example/{id}"
        self.invitees[id] = {
            "uri": f"{API}/scheduled_events/{id}/invitees/{uuid.uuid4()}",
            "email": invitee["email"],
            "first_name": None,
            "last_name": None,
            "name": invitee["name"],
            "status": "active",
            "questions_and_answers": [],
            "timezone": invitee["timezone"],
            "event": f"{API}/scheduled_events/{id}",
            "created_at": now,
            "updated_at": now,
            "tracking": {name: tracking.get(name) for name in _TRACKING},
            "text_reminder_number": None,
            "rescheduled": False,
            "old_invitee": None,
            "new_invitee": None,
            "cancel_url": f"{pages}/cancel",
            "reschedule_url": f"{pages}/reschedule",
            "routing_form_submission": None,
            "payment": None,
            "no_show": None,
            "reconfirmation": None,
        }
        return id

    def cancel(self, id: str, why: str, by: str, rescheduled: bool = False) -> dict[str, Any]:
        row = self.event(id)
        if row["status"] != "active":
            raise Refused(403, "Event is already canceled")
        told = {"canceled_by": by, "reason": why, "canceler_type": "host" if by != "guest" else "invitee"}
        row.update(status="canceled", cancellation=told, updated_at=_text(datetime.now(UTC)))
        self.invitees[id].update(status="canceled", cancellation=told, rescheduled=rescheduled)
        return told

    def move(self, id: str, start: datetime) -> str:
        """A guest picks another time; the new event's uuid."""
        row, guest = self.event(id), self.invitees[id]
        kind = self.type_of(row["event_type"])
        new = self.book(kind, start, guest, guest["tracking"], ignoring=id)
        self.cancel(id, "moved", "guest", rescheduled=True)
        guest["new_invitee"], self.invitees[new]["old_invitee"] = self.invitees[new]["uri"], guest["uri"]
        return new


def signature(key: str, body: bytes, at: int) -> str:
    """What Calendly puts into ``Calendly-Webhook-Signature``."""
    signed = hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


# ---- the wire --------------------------------------------------------------------------------------------------


def _user(host: str) -> str:
    return f"{API}/users/{uuid.uuid5(uuid.NAMESPACE_DNS, host)}"


def _moment(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise Refused(400, "start_time is no date-time") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _shown(kind: EventType) -> dict[str, Any]:
    made = "2026-01-01T00:00:00.000000Z"
    return {
        "uri": kind.uri,
        "name": f"Meeting with {kind.host}",
        "active": kind.active,
        "slug": f"meeting-{kind.host}",
        "scheduling_url": f"https://calendly.example/{kind.host}",
        "duration": kind.length.total_seconds() / 60,
        "kind": "solo",
        "pooling_type": kind.pooling,
        "type": "StandardEventType",
        "color": "#fff200",
        "created_at": made,
        "updated_at": made,
        "internal_note": None,
        "description_plain": None,
        "description_html": None,
        "profile": {"type": "Team" if kind.pooling else "User", "name": kind.host, "owner": _user(kind.host)},
        "secret": False,
        "booking_method": "instant",
        "custom_questions": [],
        "deleted_at": None,
        "kind_description": "Round Robin" if kind.pooling else "One-on-One",
        "admin_managed": False,
        "locations": kind.locations,
    }


def _seed(account: Account, body: dict[str, Any]) -> None:
    account.plan = body.get("plan", account.plan)
    for row in body.get("eventTypes", []):
        length = row.get("duration", 30)
        account.types[row["uuid"]] = EventType(
            row["uuid"],
            row["host"],
            timedelta(minutes=length),
            timedelta(minutes=row.get("slotInterval", length)),
            timedelta(minutes=row.get("after", 0)),
            row.get("active", True),
            row.get("pooling"),
            row.get("locations", []),
        )
    for row in body.get("busy", []):
        account.busy.append((row["host"], _moment(row["start"]), _moment(row["end"])))


def _resource(row: Any, code: int = 200) -> JSONResponse:
    return JSONResponse({"resource": row}, code)


def _collection(rows: list[Any]) -> JSONResponse:
    pages = {"next_page": None, "previous_page": None, "next_page_token": None, "previous_page_token": None}
    return JSONResponse({"collection": rows, "pagination": {"count": len(rows), **pages}})


Handler = Callable[[Request, dict[str, Any]], Awaitable[Response]]


def _asked(work: Handler) -> Callable[[Request], Awaitable[Response]]:
    """The token is looked at first, then the body is read."""

    async def handle(request: Request) -> Response:
        try:
            if not request.headers.get("authorization", "").startswith("Bearer eyJ"):
                raise Refused(401, "The access token is invalid")
            try:
                body = json.loads(await request.body() or b"{}")
            except ValueError:
                raise Refused(400, "The supplied parameters are invalid.") from None
            return await work(request, body)
        except Refused as refused:
            return refused.answer()

    return handle


def routes(world: World) -> list[BaseRoute]:
    """The API's addresses and its state."""
    account = Account()

    def tell(name: str, id: str) -> None:
        payload = {**account.invitees[id], "scheduled_event": account.events[id]}
        now = datetime.now(UTC)
        body = json.dumps({"event": name, "created_at": _text(now), "created_by": _user("us"), "payload": payload})
        for hook in account.subscriptions:
            if name not in hook["events"]:
                continue

            def sign(sent: bytes, key: str = hook["signing_key"]) -> dict[str, str]:
                return {"Calendly-Webhook-Signature": signature(key, sent, int(time.time()))} if key else {}

            world.spawn(notices.post(world, "calendly", hook["callback_url"], body.encode(), sign))

    async def event_type(request: Request, body: dict[str, Any]) -> Response:
        return _resource(_shown(account.type_of(request.path_params["id"])))

    async def times(request: Request, body: dict[str, Any]) -> Response:
        query = request.query_params
        kind = account.type_of(query.get("event_type"))
        found = account.times(kind, _moment(query.get("start_time")), _moment(query.get("end_time")))
        page = f"https://calendly.example/{kind.host}"
        return _collection(
            [
                {"status": "available", "invitees_remaining": 1, "start_time": _text(start), "scheduling_url": page}
                for start in found
            ]
        )

    async def invitees(request: Request, body: dict[str, Any]) -> Response:
        if account.plan == "free":
            raise Refused(403, "Please upgrade your Calendly account to a paid plan.")
        kind, guest = account.type_of(body.get("event_type")), body.get("invitee")
        if not isinstance(guest, dict):
            raise Refused(400, "The supplied parameters are invalid.")
        place = body.get("location")
        if kind.locations and (place or {}).get("kind") not in {one["kind"] for one in kind.locations}:
            raise Refused(400, "location: is required")
        id = account.book(kind, _moment(body.get("start_time")), guest, body.get("tracking") or {}, place)
        tell("invitee.created", id)
        return _resource(account.invitees[id], 201)

    async def links(request: Request, body: dict[str, Any]) -> Response:
        kind = account.type_of(body.get("owner"))
        if (body.get("max_event_count"), body.get("owner_type")) != (1, "EventType"):
            raise Refused(400, "The supplied parameters are invalid.")
        id = uuid.uuid4().hex[:20]
        account.links[id] = kind.uuid
        made = {"booking_url": f"https://calendly.example/d/{id}", "owner": kind.uri, "owner_type": "EventType"}
        return _resource(made, 201)

    async def events(request: Request, body: dict[str, Any]) -> Response:
        query = request.query_params
        if not query.get("user") and not query.get("organization"):
            raise Refused(400, "user or organization is required")
        rows = [row for row in account.events.values() if query.get("status", row["status"]) == row["status"]]
        rows = [row for row in rows if query.get("user", _member(row)) == _member(row)]
        if "min_start_time" in query:
            rows = [row for row in rows if _at(row["start_time"]) >= _moment(query["min_start_time"])]
        if "max_start_time" in query:
            rows = [row for row in rows if _at(row["start_time"]) <= _moment(query["max_start_time"])]
        return _collection(rows)

    async def event(request: Request, body: dict[str, Any]) -> Response:
        return _resource(account.event(request.path_params["id"]))

    async def guests(request: Request, body: dict[str, Any]) -> Response:
        id = request.path_params["id"]
        account.event(id)
        wanted = request.query_params.get("status", account.invitees[id]["status"])
        return _collection([account.invitees[id]] if account.invitees[id]["status"] == wanted else [])

    async def cancellation(request: Request, body: dict[str, Any]) -> Response:
        id = request.path_params["id"]
        told = account.cancel(id, str(body.get("reason", "")), "host")
        tell("invitee.canceled", id)
        return _resource(told, 201)

    async def absent(request: Request, body: dict[str, Any]) -> Response:
        guest = next((one for one in account.invitees.values() if one["uri"] == body.get("invitee")), None)
        if guest is None:
            raise Refused(404, "The server could not find the requested resource.")
        if guest["no_show"]:
            raise Refused(400, "The invitee is marked as a no show already")
        id, now = str(uuid.uuid4()), _text(datetime.now(UTC))
        account.absences[id] = guest
        guest["no_show"] = {"uri": f"{API}/invitee_no_shows/{id}", "created_at": now}
        return _resource({**guest["no_show"], "invitee": guest["uri"]}, 201)

    async def present(request: Request, body: dict[str, Any]) -> Response:
        guest = account.absences.pop(request.path_params["id"], None)
        if guest is None:
            raise Refused(404, "The server could not find the requested resource.")
        guest["no_show"] = None
        return Response(status_code=204)

    async def me(request: Request, body: dict[str, Any]) -> Response:
        made = "2026-01-01T00:00:00.000000Z"
        return _resource(
            {
                "uri": _user("us"), "name": "Us", "slug": "us", "email": "us@calendly.example", "timezone": "UTC",
                "scheduling_url": "https://calendly.example/us", "avatar_url": None, "created_at": made,
                "updated_at": made, "current_organization": _HOUSE,
            }
        )  # fmt: skip

    async def subscriptions(request: Request, body: dict[str, Any]) -> Response:
        if request.method == "GET":
            shown = [
                {key: value for key, value in row.items() if key != "signing_key"} for row in account.subscriptions
            ]
            return _collection(shown)
        if account.plan == "free":
            raise Refused(403, "Please upgrade your Calendly account to a paid plan.")
        now = _text(datetime.now(UTC))
        made = {
            "uri": f"{API}/webhook_subscriptions/{uuid.uuid4()}", "callback_url": body["url"], "created_at": now,
            "updated_at": now, "retry_started_at": None, "state": "active", "events": body["events"],
            "scope": body["scope"], "organization": body["organization"], "user": body.get("user"), "creator": _user("us"),
        }  # fmt: skip
        account.subscriptions.append({**made, "signing_key": body.get("signing_key", "")})
        return _resource(made, 201)

    async def guest(request: Request) -> Response:
        body = await request.json()
        try:
            if "link" in body:
                told = urlsplit(body["link"])
                kind = account.type_of(account.links.pop(told.path.rsplit("/", 1)[-1], ""))
                query = {name: values[0] for name, values in parse_qs(told.query).items()}
                person = {"name": query.get("name", "Kim"), "email": query.get("email", "kim@lead.example")}
                id = account.book(kind, _moment(body["start"]), {**person, "timezone": "UTC"}, query)
                tell("invitee.created", id)
            elif "start" in body:
                id = account.move(body["event"], _moment(body["start"]))
                tell("invitee.canceled", body["event"])
                tell("invitee.created", id)
            else:
                id = body["event"]
                account.cancel(id, str(body.get("reason", "")), body.get("by", "guest"))
                tell("invitee.canceled", id)
        except Refused as refused:
            return refused.answer()
        return JSONResponse({"event": id})

    async def state(request: Request) -> Response:
        if request.method == "POST":
            _seed(account, await request.json())
        shown = [{**row, "invitee": account.invitees[id]} for id, row in account.events.items()]
        return JSONResponse({"events": shown, "links": list(account.links), "plan": account.plan})

    base = "/calendly"
    return [
        Route(base + "/event_types/{id}", _asked(event_type), methods=["GET"]),
        Route(base + "/event_type_available_times", _asked(times), methods=["GET"]),
        Route(base + "/invitees", _asked(invitees), methods=["POST"]),
        Route(base + "/scheduling_links", _asked(links), methods=["POST"]),
        Route(base + "/scheduled_events", _asked(events), methods=["GET"]),
        Route(base + "/scheduled_events/{id}", _asked(event), methods=["GET"]),
        Route(base + "/scheduled_events/{id}/invitees", _asked(guests), methods=["GET"]),
        Route(base + "/scheduled_events/{id}/cancellation", _asked(cancellation), methods=["POST"]),
        Route(base + "/invitee_no_shows", _asked(absent), methods=["POST"]),
        Route(base + "/invitee_no_shows/{id}", _asked(present), methods=["DELETE"]),
        Route(base + "/users/me", _asked(me), methods=["GET"]),
        Route(base + "/webhook_subscriptions", _asked(subscriptions), methods=["GET", "POST"]),
        Route("/_state/calendly", state, methods=["GET", "POST"]),
        Route("/_state/calendly/guest", guest, methods=["POST"]),
    ]


def _member(row: dict[str, Any]) -> str:
    return str(row["event_memberships"][0]["user"])
