"""Cal.com's API v2: free slots, reservations, bookings, absences and the signature of its webhooks.

A booking carries our id as metadata. Cal.com has no idempotency key, but refuses a second booking of the same host and
time, with the same 400 as for a time that somebody else took; so a request may be repeated, and after a refusal
the bookings of that time are read to tell the two apart. A reschedule makes a new booking, which names the old one.

Each resource has a version of its own in ``cal-api-version``: without the right one an older endpoint answers. Its texts
quote addresses, so only its status codes enter our messages.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from activities import faults
from activities.settings import settings
from activities.vendors import answers, rest
from activities.vendors.draft import Draft
from workflows.model import Instant, Model

CHANGES = frozenset({"BOOKING_CREATED", "BOOKING_CANCELLED", "BOOKING_RESCHEDULED", "BOOKING_NO_SHOW_UPDATED"})
"""The triggers that say that somebody booked elsewhere, changed a booking, or said who did not come."""

_HOME = "https://api.cal.com"
_BOOKINGS, _SLOTS, _EVENT_TYPES = "2024-08-13", "2024-09-04", "2024-06-14"
_MARK = "showrate_booking"
_STANDING = frozenset({"accepted", "pending"})
_MOST = 100
_SIGNED = re.compile(r"[0-9a-f]{64}")


class Declined(Exception):
    """400 or 409: the booking cannot be so. The time may be ours already, or somebody else's, or not exist."""


class Held(Model):
    """A booking as it stands at Cal.com. ``booking`` is our mark on it, empty on other people's."""

    uid: str
    booking: str = ""
    start: Instant
    end: Instant
    state: str
    kind: str = ""
    """The event type's id."""
    hosts: tuple[str, ...] = ()
    """The usernames of who meets."""
    moved_from: str = ""
    moved_to: str = ""
    attendees: tuple[tuple[str, bool], ...] = ()
    """E-mail address, and whether the person is marked absent."""

    @property
    def stands(self) -> bool:
        return self.state in _STANDING


class EventType(Model):
    """What bookings are made of. ``confirms``: each booking waits until the host accepts it."""

    id: int
    length: timedelta
    confirms: bool = False
    hidden: bool = False


def configured() -> bool:
    """Whether there is an account at Cal.com."""
    return bool(settings().calcom_api_key)


async def slots(event_type: int, since: datetime, until: datetime, replacing: str = "") -> dict[datetime, datetime]:
    """The free starts between two instants (UTC), each with its end; hours, buffers, limits and busy times of the
    host are in them already. ``replacing`` is the uid of a booking that is to be moved and is in nobody's way."""
    asked = {
        "eventTypeId": str(event_type),
        "start": _utc(since),
        "end": _utc(until),
        "timeZone": "UTC",
        "format": "range",
        **({"bookingUidToReschedule": replacing} if replacing else {}),
    }
    answer = await _send("GET", "/v2/slots", _SLOTS, params=asked)
    with answers.believed("Cal.com"):
        told = [slot for day in answer["data"].values() for slot in answers.rows(day)]
        answers.few(told)
        found = dict(answers.span(slot["start"], slot["end"]) for slot in told)
    return {start: end for start, end in found.items() if since <= start <= until}


async def reserve(event_type: int, start: datetime, length: timedelta) -> str:
    """Keep a slot from being offered to others for ``length``; the reservation's uid. A booking takes no notice of it:
    what keeps a time from being booked twice is that Cal.com refuses the second. Raises :class:`Declined`."""
    asked = {
        "eventTypeId": event_type,
        "slotStart": _utc(start),
        "reservationDuration": max(round(length.total_seconds() / 60), 1),
    }
    answer = await _send("POST", "/v2/slots/reservations", _SLOTS, json=asked)
    with answers.believed("Cal.com"):
        return str(answer["data"]["reservationUid"])


async def free(reservation: str) -> bool:
    """Give a reservation up. False when it was over already."""
    answer = await _send("DELETE", f"/v2/slots/reservations/{reservation}", _SLOTS, gone=True)
    return answer is not None


async def book(event_type: int, draft: Draft) -> Held:
    """Book, and invite the attendee. Raises :class:`Declined`."""
    asked: dict[str, Any] = {
        "eventTypeId": event_type,
        "start": _utc(draft.start),
        "attendee": {
            "name": draft.attendee_name or draft.attendee,
            "email": draft.attendee,
            "timeZone": draft.zone,
        },
        # Keys take 40 characters and values 500; ours are short ids.
        "metadata": {_MARK: draft.booking},
    }
    if draft.link:
        asked["location"] = {"type": "link", "link": draft.link}
    return _held(await _send("POST", "/v2/bookings", _BOOKINGS, json=asked))


async def reschedule(uid: str, start: datetime) -> Held:
    """Move a booking: another one, with a uid of its own, stands in its place. Raises :class:`Declined`."""
    asked = {"start": _utc(start)}
    return _held(await _send("POST", f"/v2/bookings/{uid}/reschedule", _BOOKINGS, json=asked))


async def cancel(uid: str, why: str) -> bool:
    """Cancel a booking; its people hear of it. False when there is none, or it was cancelled already."""
    try:
        answer = await _send(
            "POST", f"/v2/bookings/{uid}/cancel", _BOOKINGS, gone=True, json={"cancellationReason": why}
        )
    except Declined:
        found = await get(uid)
        if found is not None and found.stands:
            raise faults.permanent("Cal.com does not let this booking be cancelled") from None
        return False
    return answer is not None


async def get(uid: str) -> Held | None:
    """One booking, also a cancelled one."""
    answer = await _send("GET", f"/v2/bookings/{uid}", _BOOKINGS, gone=True)
    return None if answer is None else _held(answer)


async def find(event_type: int, start: datetime, end: datetime) -> list[Held]:
    """The bookings that stand and begin at ``start``."""
    asked = {
        "eventTypeId": str(event_type),
        "afterStart": _utc(start - timedelta(seconds=1)),
        "beforeEnd": _utc(end + timedelta(seconds=1)),
        "take": str(_MOST),
    }
    answer = await _send("GET", "/v2/bookings", _BOOKINGS, params=asked)
    with answers.believed("Cal.com"):
        rows = [_row(row) for row in answers.rows(answer["data"])]
    return [held for held in rows if held.stands and held.start == start]


async def mark_absent(uid: str, absent: bool) -> None:
    """Say of everybody who was invited whether they came."""
    held = await get(uid)
    if held is None or all(was == absent for _, was in held.attendees):
        return
    people = [{"email": email, "absent": absent} for email, _ in held.attendees]
    try:
        await _send("POST", f"/v2/bookings/{uid}/mark-absent", _BOOKINGS, json={"attendees": people})
    except Declined:
        raise faults.permanent("Cal.com does not let the people of this booking be marked absent") from None


async def event_types(username: str = "") -> list[EventType]:
    """The event types of a user, the account's own unless named."""
    asked = {"username": username} if username else {}
    answer = await _send("GET", "/v2/event-types", _EVENT_TYPES, params=asked)
    with answers.believed("Cal.com"):
        return [
            EventType(
                id=row["id"],
                length=answers.minutes(row["lengthInMinutes"]),
                confirms=_confirms(row.get("confirmationPolicy")),
                hidden=bool(row.get("hidden")),
            )
            for row in answers.rows(answer["data"])
        ]


async def told_of(url: str) -> frozenset[str]:
    """The triggers that Cal.com tells this address of."""
    answer = await _send("GET", "/v2/webhooks", _BOOKINGS)
    with answers.believed("Cal.com"):
        mine = [row for row in answers.rows(answer["data"]) if row["active"] and row["subscriberUrl"] == url]
        return frozenset(str(trigger) for row in mine for trigger in row["triggers"])


async def subscribe(url: str, secret: str) -> bool:
    """Have Cal.com tell ``url`` of changes, signed with ``secret``. False when it does already."""
    missing = CHANGES - await told_of(url)
    if not missing:
        return False
    asked = {
        "active": True,
        "subscriberUrl": url,
        "triggers": sorted(missing),
        "secret": secret,
        "version": "2021-10-20",
    }
    try:
        await _send("POST", "/v2/webhooks", _BOOKINGS, json=asked)
    except Declined:
        raise faults.permanent("Cal.com does not let us add a webhook") from None
    return True


def genuine(body: bytes, signature: str) -> bool:
    """Whether Cal.com signed this webhook's ``body``: HMAC-SHA256 under the webhook's secret. It signs no time, so a
    repeat is told by what it says."""
    secret = settings().calcom_webhook_secret
    if not secret or not _SIGNED.fullmatch(signature):
        return False
    return hmac.compare_digest(hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(), signature)


# ---- the wire --------------------------------------------------------------------------------------------------


def _held(answer: Any) -> Held:
    with answers.believed("Cal.com"):
        return _row(answer["data"])


def _row(row: Mapping[str, Any]) -> Held:
    start, end = answers.span(row["start"], row["end"])
    return Held(
        uid=row["uid"],
        booking=str((row.get("metadata") or {}).get(_MARK, "")),
        start=start,
        end=end,
        state=row["status"],
        kind=str((row.get("eventType") or {}).get("id", "")),
        hosts=tuple(str(host.get("username", "")) for host in row.get("hosts") or ()),
        moved_from=row.get("rescheduledFromUid") or "",
        moved_to=row.get("rescheduledToUid") or "",
        attendees=tuple((one["email"], bool(one.get("absent"))) for one in row.get("attendees") or ()),
    )


def _confirms(policy: Any) -> bool:
    return isinstance(policy, dict) and bool(policy) and not policy.get("disabled", False)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


async def _send(method: str, path: str, version: str, *, gone: bool = False, **content: Any) -> Any:
    """The answer's JSON. Raises our errors and :class:`Declined`; with ``gone``, a 404 is answered by None."""
    house = settings()
    headers = {"Authorization": f"Bearer {house.calcom_api_key}", "cal-api-version": version}
    base = (house.calcom_base_url or _HOME).rstrip("/")
    answer = await rest.send("Cal.com", method, base + path, headers, **content)
    if gone and answer.status_code == 404:
        return None
    if answer.status_code in (400, 409) and method != "GET":
        raise Declined
    return rest.told("Cal.com", answer)
