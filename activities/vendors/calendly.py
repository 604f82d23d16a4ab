"""Calendly's API v2: a host's available times, scheduling, single-use links, cancelling, absences, and the signature of its
webhooks.

Our id goes with a booking as its tracking (``utm_content``), which Calendly keeps with the invitee and tells back. It has no
idempotency key and no 409: a time that is taken, be it by ourselves, is a plain 400, so a request may be repeated and the
events of that time are read after a refusal. Scheduling is for paid plans; the others are answered 403 and can be given a
link for one booking instead. There is no move: the new time is booked and the old one cancelled. Its texts quote addresses,
so only its status codes enter our messages.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from activities import faults
from activities.settings import settings
from activities.vendors import answers, rest
from activities.vendors.draft import Draft
from workflows.model import Instant, Model

CHANGES = frozenset({"invitee.created", "invitee.canceled"})
"""The webhook events that say that somebody booked, moved or cancelled elsewhere."""

_HOME = "https://api.calendly.com"
_SOURCE, _BY_PAGE = "showrate", "page"
_PAGE = timedelta(days=7)
"""One query of available times takes a week at most."""
_FRESH = timedelta(minutes=3)
"""How old a webhook may be: a caught one is not played again later."""
_NOBODYS = "00000000-0000-0000-0000-000000000000"
_SIGNED = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


class Declined(Exception):
    """400: the booking cannot be so. The time may be ours already, or somebody else's, or not exist."""


class Forbidden(Exception):
    """403: the plan or the token does not allow it."""


class EventType(Model):
    """What bookings are made of. ``owner`` is the address of its host at Calendly, empty when several take turns;
    ``places`` the kinds of place that a guest can be given."""

    id: str
    length: timedelta
    active: bool = True
    owner: str = ""
    places: tuple[tuple[str, str], ...] = ()
    """Kind, and the place itself where the host has named one."""


class Held(Model):
    """An event with its invitee as it stands at Calendly. ``booking`` is our mark on it, empty on other people's."""

    event: str
    start: Instant
    end: Instant
    kind: str
    """The event type's id."""
    stands: bool
    invitee: str = ""
    booking: str = ""
    absent: str = ""
    """The id of the note that the invitee did not come."""


def configured() -> bool:
    """Whether there is an account at Calendly."""
    return bool(settings().calendly_token)


async def event_type(id: str) -> EventType:
    """What Calendly says of an event type."""
    answer = await _send("GET", f"/event_types/{id}")
    with answers.believed("Calendly"):
        row = answer["resource"]
        profile = row.get("profile") or {}
        alone = row["kind"] == "solo" and not row["pooling_type"] and profile.get("type") == "User"
        return EventType(
            id=last(row["uri"]),
            length=answers.minutes(row["duration"]),
            active=bool(row["active"]),
            owner=str(profile["owner"]) if alone else "",
            places=tuple((str(one["kind"]), str(one.get("location") or "")) for one in row.get("locations") or ()),
        )


async def available(event_type: str, since: datetime, until: datetime, now: datetime) -> frozenset[datetime]:
    """The starts (UTC) that can be booked between two instants, with the host's hours, buffers, limits and busy times in
    them. Calendly refuses to speak of the past, so what lies before ``now`` is left out."""
    begin = max(since, now + timedelta(minutes=1))
    pages = [(start, min(start + _PAGE, until)) for start in _starts(begin, until)]
    found = await asyncio.gather(*(_available(event_type, *page) for page in pages))
    return frozenset(start for page in found for start in page if since <= start <= until)


def _starts(since: datetime, until: datetime) -> list[datetime]:
    return [since + n * _PAGE for n in range(-(-(until - since) // _PAGE))] if since < until else []


async def _available(event_type: str, since: datetime, until: datetime) -> list[datetime]:
    asked = {"event_type": _uri("event_types", event_type), "start_time": _utc(since), "end_time": _utc(until)}
    answer = await _send("GET", "/event_type_available_times", params=asked)
    with answers.believed("Calendly"):
        told = answers.rows(answer["collection"])
        return [answers.instant(row["start_time"]) for row in told if row["status"] == "available"]


async def book(kind: EventType, draft: Draft) -> str:
    """Book, and invite the attendee; the event's id. Raises :class:`Declined` and :class:`Forbidden`."""
    asked: dict[str, Any] = {
        "event_type": _uri("event_types", kind.id),
        "start_time": _utc(draft.start),
        "invitee": {
            "name": draft.attendee_name or draft.attendee,
            "email": draft.attendee,
            "timezone": draft.zone,
        },
        "tracking": {"utm_source": _SOURCE, "utm_content": draft.booking},
    }
    if place := _place(kind, draft.link):
        asked["location"] = place
    answer = await _send("POST", "/invitees", json=asked)
    with answers.believed("Calendly"):
        return last(answer["resource"]["event"])


def _place(kind: EventType, link: str) -> dict[str, str]:
    """Where they meet: our link, where the event type lets the guest say it; else the first of its own places."""
    if not kind.places:
        return {}
    if link and any(name == "ask_invitee" for name, _ in kind.places):
        return {"kind": "ask_invitee", "location": link}
    name, where = kind.places[0]
    return {"kind": name, "location": where} if where else {"kind": name}


async def link(event_type: str, booking: str, name: str = "", email: str = "") -> str:
    """A page on which one booking can be made, once, under our mark. Raises :class:`Forbidden`."""
    asked = {"max_event_count": 1, "owner": _uri("event_types", event_type), "owner_type": "EventType"}
    answer = await _send("POST", "/scheduling_links", json=asked)
    known = {"utm_source": _SOURCE, "utm_medium": _BY_PAGE, "utm_content": booking, "name": name, "email": email}
    with answers.believed("Calendly"):
        url = str(answer["resource"]["booking_url"])
        if not url.startswith(("https://", "http://")):
            raise ValueError
    return f"{url}{'&' if '?' in url else '?'}{urlencode({key: value for key, value in known.items() if value})}"


async def cancel(event: str, why: str) -> bool:
    """Cancel an event; its people hear of it. False when there is none, or it was cancelled already."""
    try:
        answer = await _send("POST", f"/scheduled_events/{event}/cancellation", gone=True, json={"reason": why})
    except (Declined, Forbidden):
        found = await get(event)
        if found is not None and found.stands:
            raise faults.permanent("Calendly does not let this event be cancelled") from None
        return False
    return answer is not None


async def get(event: str) -> Held | None:
    """One event, also a cancelled one, without its invitee."""
    answer = await _send("GET", f"/scheduled_events/{event}", gone=True)
    if answer is None:
        return None
    with answers.believed("Calendly"):
        return _held(answer["resource"])


async def find(kind: EventType, start: datetime) -> list[Held]:
    """The events of this type that stand and begin at ``start``, with their invitees."""
    asked = {
        "user": kind.owner,
        "status": "active",
        "min_start_time": _utc(start),
        "max_start_time": _utc(start + timedelta(seconds=1)),
        "count": "100",
    }
    answer = await _send("GET", "/scheduled_events", params=asked)
    with answers.believed("Calendly"):
        found = [_held(row) for row in answers.rows(answer["collection"])]
    mine = [held for held in found if held.stands and held.start == start and held.kind == kind.id]
    return [await invited(held) for held in mine]


async def invited(held: Held) -> Held:
    """The same event with what its invitee carries; two invitees are none of ours."""
    answer = await _send("GET", f"/scheduled_events/{held.event}/invitees", params={"status": "active"})
    with answers.believed("Calendly"):
        told = [marked(row) for row in answers.rows(answer["collection"])]
    if len(told) != 1:
        return held
    return held.model_copy(update=told[0].model_dump(include={"invitee", "booking", "absent"}))


class Marks(Model):
    """What an invitee says of our booking: its own address there, our mark, whether it was made on a page that we sent,
    and the id of the note that they did not come."""

    invitee: str
    booking: str = ""
    page: bool = False
    absent: str = ""


def marked(invitee: Mapping[str, Any]) -> Marks:
    """What we find of ours on an invitee, as Calendly shows it or tells of it."""
    tracking = invitee.get("tracking") or {}
    ours = tracking.get("utm_source") == _SOURCE
    return Marks(
        invitee=str(invitee["uri"]),
        booking=str(tracking.get("utm_content") or "") if ours else "",
        page=ours and tracking.get("utm_medium") == _BY_PAGE,
        absent=last((invitee.get("no_show") or {}).get("uri", "")),
    )


def event_of(invitee: str) -> str:
    """The id of the event that an invitee's address is under."""
    return invitee.partition("/scheduled_events/")[2].partition("/")[0]


async def mark_absent(event: str, absent: bool) -> None:
    """Say of the invitee whether they came; nothing when it is said already."""
    held = await get(event)
    if held is None:
        return
    held = await invited(held)
    if not held.invitee or bool(held.absent) == absent:
        return
    try:
        if absent:
            await _send("POST", "/invitee_no_shows", json={"invitee": held.invitee})
        else:
            await _send("DELETE", f"/invitee_no_shows/{held.absent}", gone=True)
    except (Declined, Forbidden):
        raise faults.permanent("Calendly does not let the invitee be marked absent") from None


async def told_of(url: str) -> frozenset[str]:
    """The webhook events that Calendly tells this address of."""
    me, house = await _me()
    asked = {"organization": house, "scope": "user", "user": me}
    answer = await _send("GET", "/webhook_subscriptions", params=asked)
    with answers.believed("Calendly"):
        mine = [row for row in answers.rows(answer["collection"]) if row["callback_url"] == url]
        return frozenset(str(event) for row in mine if row["state"] == "active" for event in row["events"])


async def subscribe(url: str, key: str) -> bool:
    """Have Calendly tell ``url`` of what happens to the account's own bookings, signed with ``key``. False when it does
    already."""
    if await told_of(url) >= CHANGES:
        return False
    me, house = await _me()
    asked = {
        "url": url,
        "events": sorted(CHANGES),
        "organization": house,
        "user": me,
        "scope": "user",
        "signing_key": key,
    }
    try:
        await _send("POST", "/webhook_subscriptions", json=asked)
    except (Declined, Forbidden):
        raise faults.permanent("Calendly does not let us subscribe to its webhooks: they are for paid plans") from None
    return True


async def _me() -> tuple[str, str]:
    answer = await _send("GET", "/users/me")
    with answers.believed("Calendly"):
        return str(answer["resource"]["uri"]), str(answer["resource"]["current_organization"])


async def may_book(event_type: str) -> bool:
    """Whether the plan and the token allow bookings: asked for one without a guest, which can never be made."""
    try:
        await _send("POST", "/invitees", json={"event_type": _uri("event_types", event_type)})
    except Forbidden:
        return False
    except Declined:
        return True
    return True


async def may_cancel() -> bool:
    """Whether the token allows cancelling: asked for an event that cannot be."""
    try:
        await _send("POST", f"/scheduled_events/{_NOBODYS}/cancellation", gone=True, json={"reason": "check"})
    except Forbidden:
        return False
    except Declined:
        return True
    return True


def genuine(body: bytes, signature: str, now: datetime) -> bool:
    """Whether Calendly signed this webhook's ``body`` and sent it just now: ``t=SECONDS,v1=HEX``, HMAC-SHA256 of time and
    body under the subscription's signing key."""
    key, found = settings().calendly_webhook_key, _SIGNED.fullmatch(signature)
    if not key or not found:
        return False
    signed = hmac.new(key.encode(), found[1].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signed, found[2]) and abs(now.timestamp() - int(found[1])) <= _FRESH.total_seconds()


# ---- the wire --------------------------------------------------------------------------------------------------


def _held(row: Mapping[str, Any]) -> Held:
    start, end = answers.span(row["start_time"], row["end_time"])
    return Held(
        event=last(row["uri"]), start=start, end=end, kind=last(row["event_type"]), stands=row["status"] == "active"
    )


def _uri(kind: str, id: str) -> str:
    """How Calendly names a thing, whatever address we reach it at."""
    return f"{_HOME}/{kind}/{id}"


def last(uri: str) -> str:
    """The id at the end of one of Calendly's addresses."""
    return uri.rsplit("/", 1)[-1]


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


async def _send(method: str, path: str, *, gone: bool = False, **content: Any) -> Any:
    """The answer's JSON. Raises our errors, :class:`Declined` and :class:`Forbidden`; with ``gone``, a 404 is answered by
    None."""
    house = settings()
    headers = {"Authorization": f"Bearer {house.calendly_token}"}
    base = (house.calendly_base_url or _HOME).rstrip("/")
    answer = await rest.send("Calendly", method, base + path, headers, **content)
    if gone and answer.status_code == 404:
        return None
    if answer.status_code == 400 and method != "GET":
        raise Declined
    if answer.status_code == 403 and method != "GET":
        raise Forbidden
    return rest.told("Calendly", answer)
