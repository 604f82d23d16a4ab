"""A stand-in for Cal.com's API v2, on the wire: event types, slots, reservations, bookings and webhooks.

Like Cal.com it answers an older endpoint (here: none) when ``cal-api-version`` is not the resource's, refuses a second
booking of a host's time in the same words whoever took it, takes no notice of reservations when it books, and makes a new
booking of each reschedule. Hosts are free at all hours, but for what ``POST /_state/calcom`` says:

    {"eventTypes": [{"id": 4711, "username": "ana", "lengthInMinutes": 30, "slotInterval": 15}],
     "busy": [{"username": "ana", "start": "...", "end": "..."}]}

``slotInterval``, buffers and ``confirmationPolicy`` are as in the API. ``GET /_state/calcom`` shows all of it.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from . import notices

if TYPE_CHECKING:
    from .app import World

_BOOKINGS, _SLOTS, _EVENT_TYPES = "2024-08-13", "2024-09-04", "2024-06-14"
_TAKEN = "User either already has booking at this time or is not available"
_STANDING = ("accepted", "pending")


class Refused(Exception):
    """An error in Cal.com's own form."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    def answer(self) -> JSONResponse:
        kind = {400: "BadRequestException", 401: "UnauthorizedException", 404: "NotFoundException"}[self.code]
        return JSONResponse({"status": "error", "error": {"code": kind, "message": self.message}}, self.code)


@dataclass
class EventType:
    id: int
    username: str
    length: timedelta = timedelta(minutes=30)
    interval: timedelta = timedelta(minutes=30)
    before: timedelta = timedelta(0)
    after: timedelta = timedelta(0)
    confirms: bool = False


@dataclass
class Account:
    """All event types, bookings and webhooks of the account, with the rules that Cal.com keeps."""

    types: dict[int, EventType] = field(default_factory=dict)
    bookings: dict[str, dict[str, Any]] = field(default_factory=dict)
    busy: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    reservations: dict[str, tuple[int, datetime, datetime]] = field(default_factory=dict)
    """Uid -> event type, start and until when it holds."""
    webhooks: list[dict[str, Any]] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def type_of(self, id: Any) -> EventType:
        found = self.types.get(int(id)) if str(id).isdigit() else None
        if found is None:
            raise Refused(404, f"Event Type with id={id} not found.")
        return found

    def booking(self, uid: str) -> dict[str, Any]:
        if uid not in self.bookings:
            raise Refused(404, f"Booking with uid={uid} was not found in the database")
        return self.bookings[uid]

    def open(self, kind: EventType, start: datetime, ignoring: str = "") -> bool:
        """Whether the host may begin then: no booking or busy time within the meeting and its buffers."""
        since, until = start - kind.before, start + kind.length + kind.after
        taken = [(a, b) for who, a, b in self.busy if who == kind.username]
        for row in self.bookings.values():
            if row["status"] in _STANDING and row["uid"] != ignoring:
                other = self.types[row["eventTypeId"]]
                if other.username == kind.username:
                    taken.append((_at(row["start"]) - other.before, _at(row["end"]) + other.after))
        return not any(a < until and since < b for a, b in taken)

    def slots(self, kind: EventType, since: datetime, until: datetime, ignoring: str) -> list[datetime]:
        now = datetime.now(UTC)
        kept = {start for type_, start, end in self.reservations.values() if type_ == kind.id and now < end}
        step = since.replace(hour=0, minute=0, second=0, microsecond=0)
        found = []
        while step <= until:
            if since <= step and step not in kept and self.open(kind, step, ignoring):
                found.append(step)
            step += kind.interval
        return found

    def book(self, body: dict[str, Any]) -> dict[str, Any]:
        kind, attendee = self.type_of(body.get("eventTypeId")), body.get("attendee")
        if not isinstance(attendee, dict) or not {"name", "timeZone"} <= attendee.keys():
            raise Refused(400, "attendee must have name and timeZone")
        if not attendee.get("email") and not attendee.get("phoneNumber"):
            raise Refused(400, "attendee must have an email or a phone number")
        metadata = body.get("metadata") or {}
        if len(metadata) > 50 or any(len(k) > 40 or len(str(v)) > 500 for k, v in metadata.items()):
            raise Refused(400, "metadata is too large")
        start = _moment(body.get("start"))
        if not self.open(kind, start):
            raise Refused(400, _TAKEN)
        place = (body.get("location") or {}).get("link", "integrations:daily")
        guest = {
            "name": attendee["name"],
            "email": attendee.get("email", ""),
            "displayEmail": attendee.get("email", ""),
            "timeZone": attendee["timeZone"],
            "absent": False,
        }
        return self._keep(kind, start, place, [guest], metadata)

    def reschedule(self, uid: str, start: datetime) -> dict[str, Any]:
        old = self.booking(uid)
        kind = self.types[old["eventTypeId"]]
        if old["status"] not in _STANDING:
            raise Refused(400, f"Can't reschedule booking with uid={uid} because it has been cancelled.")
        if not self.open(kind, start, uid):
            raise Refused(400, _TAKEN)
        guests = [{**guest, "absent": False} for guest in old["attendees"]]
        old["status"] = "cancelled"
        new = self._keep(kind, start, old["location"], guests, old["metadata"])
        new["rescheduledFromUid"], old["rescheduledToUid"] = uid, new["uid"]
        return new

    def cancel(self, uid: str, why: str) -> dict[str, Any]:
        row = self.booking(uid)
        if row["status"] not in _STANDING:
            raise Refused(400, f"Can't cancel booking with uid={uid} because it has been cancelled already.")
        row.update(status="cancelled", cancellationReason=why, updatedAt=_text(datetime.now(UTC)))
        return row

    def _keep(
        self, kind: EventType, start: datetime, place: str, guests: list[dict[str, Any]], metadata: dict[str, Any]
    ) -> dict[str, Any]:
        number, now = next(self.numbers), _text(datetime.now(UTC))
        host = {
            "id": sum(map(ord, kind.username)),
            "name": kind.username,
            "email": f"{kind.username}@cal.example",
            "displayEmail": f"{kind.username}@cal.example",
            "username": kind.username,
            "timeZone": "UTC",
        }
        row: dict[str, Any] = {
            "id": number,
            "uid": f"cal{number:019d}",
            "title": f"{kind.length} with {kind.username}",
            "description": "",
            "hosts": [host],
            "status": "pending" if kind.confirms else "accepted",
            "start": _text(start),
            "end": _text(start + kind.length),
            "duration": kind.length.total_seconds() / 60,
            "eventTypeId": kind.id,
            "eventType": {"id": kind.id, "slug": f"type-{kind.id}"},
            "location": place,
            "absentHost": False,
            "createdAt": now,
            "updatedAt": now,
            "metadata": dict(metadata),
            "attendees": guests,
            "guests": [],
            "bookingFieldsResponses": {},
        }
        self.bookings[row["uid"]] = row
        return row


def signature(secret: str, body: bytes) -> str:
    """What Cal.com puts into ``x-cal-signature-256``."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def told(trigger: str, row: dict[str, Any]) -> bytes:
    """The body of a webhook about a booking."""
    payload = {
        "uid": row["uid"],
        "startTime": row["start"],
        "endTime": row["end"],
        "status": row["status"].upper(),
        "metadata": row["metadata"],
        "rescheduleUid": row.get("rescheduledFromUid"),
        "attendees": [{"email": guest["email"], "name": guest["name"]} for guest in row["attendees"]],
    }
    return json.dumps({"triggerEvent": trigger, "createdAt": _text(datetime.now(UTC)), "payload": payload}).encode()


# ---- the wire --------------------------------------------------------------------------------------------------


def _moment(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise Refused(400, "start must be a valid ISO 8601 date string") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(kind: EventType) -> dict[str, Any]:
    return {
        "id": kind.id,
        "lengthInMinutes": kind.length.total_seconds() / 60,
        "title": f"Meeting with {kind.username}",
        "slug": f"type-{kind.id}",
        "description": "",
        "locations": [],
        "bookingFields": [],
        "disableGuests": False,
        "recurrence": None,
        "metadata": {},
        "price": 0,
        "currency": "usd",
        "lockTimeZoneToggleOnBookingPage": False,
        "forwardParamsSuccessRedirect": None,
        "successRedirectUrl": None,
        "isInstantEvent": False,
        "scheduleId": None,
        "hidden": False,
        "bookingRequiresAuthentication": False,
        "ownerId": sum(map(ord, kind.username)),
        "users": [kind.username],
        "bookingUrl": f"https://cal.example/{kind.username}/type-{kind.id}",
        "beforeEventBuffer": kind.before.total_seconds() / 60,
        "afterEventBuffer": kind.after.total_seconds() / 60,
        "confirmationPolicy": {"type": "always", "blockUnconfirmedBookingsInBooker": True}
        if kind.confirms
        else {"disabled": True},
    }


def _seed(account: Account, body: dict[str, Any]) -> None:
    for row in body.get("eventTypes", []):
        length = row.get("lengthInMinutes", 30)
        account.types[row["id"]] = EventType(
            row["id"],
            row["username"],
            timedelta(minutes=length),
            timedelta(minutes=row.get("slotInterval", length)),
            timedelta(minutes=row.get("beforeEventBuffer", 0)),
            timedelta(minutes=row.get("afterEventBuffer", 0)),
            bool(row.get("confirmationPolicy")),
        )
    for row in body.get("busy", []):
        account.busy.append((row["username"], _moment(row["start"]), _moment(row["end"])))


Handler = Callable[[Request, dict[str, Any]], Awaitable[Response]]


def _asked(version: str, work: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Key and version are looked at first, then the body is read."""

    async def handle(request: Request) -> Response:
        try:
            if not request.headers.get("authorization", "").startswith("Bearer cal_"):
                raise Refused(401, "Invalid API Key")
            if version and request.headers.get("cal-api-version") != version:
                raise Refused(404, f"Cannot {request.method} {request.url.path}")
            try:
                body = json.loads(await request.body() or b"{}")
            except ValueError:
                raise Refused(400, "Invalid JSON") from None
            return await work(request, body)
        except Refused as refused:
            return refused.answer()

    return handle


def _done(data: Any, code: int = 200, **more: Any) -> JSONResponse:
    return JSONResponse({"status": "success", "data": data, **more}, code)


def routes(world: World) -> list[BaseRoute]:
    """The API's addresses and its state."""
    account = Account()

    def tell(trigger: str, row: dict[str, Any]) -> None:
        for hook in account.webhooks:
            if hook["active"] and trigger in hook["triggers"]:

                def sign(sent: bytes, secret: str = hook.get("secret", "")) -> dict[str, str]:
                    return {"x-cal-signature-256": signature(secret, sent)} if secret else {}

                world.spawn(notices.post(world, "calcom", hook["subscriberUrl"], told(trigger, row), sign))

    async def slots(request: Request, body: dict[str, Any]) -> Response:
        query = request.query_params
        kind = account.type_of(query.get("eventTypeId", ""))
        since, until = _moment(query.get("start")), _moment(query.get("end"))
        days: dict[str, list[dict[str, str]]] = {}
        for start in account.slots(kind, since, until, query.get("bookingUidToReschedule", "")):
            slot = {"start": _text(start)}
            if query.get("format") == "range":
                slot["end"] = _text(start + kind.length)
            days.setdefault(f"{start:%Y-%m-%d}", []).append(slot)
        return _done(days)

    async def reserve(request: Request, body: dict[str, Any]) -> Response:
        kind, start = account.type_of(body.get("eventTypeId", "")), _moment(body.get("slotStart"))
        if start not in account.slots(kind, start, start, ""):
            raise Refused(400, "The slot is not available")
        minutes = body.get("reservationDuration", 5)
        until = datetime.now(UTC) + timedelta(minutes=minutes)
        uid = f"reserved-{next(account.numbers)}"
        account.reservations[uid] = (kind.id, start, until)
        length = kind.length.total_seconds() / 60
        shown = {
            "eventTypeId": kind.id,
            "slotStart": _text(start),
            "slotEnd": _text(start + kind.length),
            "slotDuration": length,
            "reservationUid": uid,
            "reservationDuration": minutes,
            "reservationUntil": _text(until),
        }
        return _done(shown, 201)

    async def unreserve(request: Request, body: dict[str, Any]) -> Response:
        if account.reservations.pop(request.path_params["uid"], None) is None:
            raise Refused(404, "The reservation was not found")
        return JSONResponse({"status": "success"})

    async def bookings(request: Request, body: dict[str, Any]) -> Response:
        if request.method == "POST":
            made = account.book(body)
            tell("BOOKING_CREATED", made)
            return _done(made, 201)
        query = request.query_params
        rows = sorted(account.bookings.values(), key=lambda row: str(row["start"]))
        if "eventTypeId" in query:
            rows = [row for row in rows if str(row["eventTypeId"]) == query["eventTypeId"]]
        if "afterStart" in query:
            rows = [row for row in rows if _at(row["start"]) > _moment(query["afterStart"])]
        if "beforeEnd" in query:
            rows = [row for row in rows if _at(row["end"]) < _moment(query["beforeEnd"])]
        if "attendeeEmail" in query:
            rows = [row for row in rows if query["attendeeEmail"] in {one["email"] for one in row["attendees"]}]
        take, skip = int(query.get("take", "100")), int(query.get("skip", "0"))
        shown = rows[skip : skip + take]
        left = max(len(rows) - skip - len(shown), 0)
        pages = {
            "totalItems": len(rows),
            "remainingItems": left,
            "returnedItems": len(shown),
            "itemsPerPage": take,
            "currentPage": skip // take + 1,
            "totalPages": -(-len(rows) // take),
            "hasNextPage": left > 0,
            "hasPreviousPage": skip > 0,
        }
        return _done(shown, pagination=pages)

    async def booking(request: Request, body: dict[str, Any]) -> Response:
        return _done(account.booking(request.path_params["uid"]))

    async def reschedule(request: Request, body: dict[str, Any]) -> Response:
        row = account.reschedule(request.path_params["uid"], _moment(body.get("start")))
        tell("BOOKING_RESCHEDULED", row)
        return _done(row, 201)

    async def cancel(request: Request, body: dict[str, Any]) -> Response:
        row = account.cancel(request.path_params["uid"], str(body.get("cancellationReason", "")))
        tell("BOOKING_CANCELLED", row)
        return _done(row)

    async def mark_absent(request: Request, body: dict[str, Any]) -> Response:
        row = account.booking(request.path_params["uid"])
        known = {guest["email"]: guest for guest in row["attendees"]}
        for person in body.get("attendees", []):
            if person["email"] in known:
                known[person["email"]]["absent"] = bool(person["absent"])
        row["absentHost"] = bool(body.get("host", row["absentHost"]))
        tell("BOOKING_NO_SHOW_UPDATED", row)
        return _done(row)

    async def types(request: Request, body: dict[str, Any]) -> Response:
        who = request.query_params.get("username", "")
        return _done([_shown(kind) for kind in account.types.values() if who in ("", kind.username)])

    async def webhooks(request: Request, body: dict[str, Any]) -> Response:
        if request.method == "GET":
            return _done(account.webhooks)
        made: dict[str, Any] = {
            "id": next(account.numbers),
            "userId": 1,
            "payloadTemplate": "",
            **{key: body[key] for key in ("active", "subscriberUrl", "triggers", "secret") if key in body},
        }
        account.webhooks.append(made)
        return _done(made, 201)

    async def state(request: Request) -> Response:
        if request.method == "POST":
            _seed(account, await request.json())
        return JSONResponse(
            {
                "bookings": list(account.bookings.values()),
                "eventTypes": [_shown(kind) for kind in account.types.values()],
                "reservations": list(account.reservations),
            }
        )

    base = "/calcom/v2"
    return [
        Route(base + "/slots", _asked(_SLOTS, slots), methods=["GET"]),
        Route(base + "/slots/reservations", _asked(_SLOTS, reserve), methods=["POST"]),
        Route(base + "/slots/reservations/{uid}", _asked(_SLOTS, unreserve), methods=["DELETE"]),
        Route(base + "/bookings", _asked(_BOOKINGS, bookings), methods=["GET", "POST"]),
        Route(base + "/bookings/{uid}", _asked(_BOOKINGS, booking), methods=["GET"]),
        Route(base + "/bookings/{uid}/reschedule", _asked(_BOOKINGS, reschedule), methods=["POST"]),
        Route(base + "/bookings/{uid}/cancel", _asked(_BOOKINGS, cancel), methods=["POST"]),
        Route(base + "/bookings/{uid}/mark-absent", _asked(_BOOKINGS, mark_absent), methods=["POST"]),
        Route(base + "/event-types", _asked(_EVENT_TYPES, types), methods=["GET"]),
        Route(base + "/webhooks", _asked("", webhooks), methods=["GET", "POST"]),
        Route("/_state/calcom", state, methods=["GET", "POST"]),
    ]
