"""What schedulers tell us by themselves: somebody booked, moved or cancelled there, or did not come.

A webhook says that something happened to a booking; what it is now is read from the scheduler. So a webhook that comes late,
twice, out of order, or was caught and is played again, tells no more than what is true.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from activities.settings import settings
from activities.vendors import calcom, calendly
from workflows.model import Instant, Model
from workflows.roster import Rep

_LONGEST_CHAIN = 8
"""Moves of one booking that are followed."""


class Change(Model):
    """What became of one booking. ``event`` is its id at the vendor, ``was`` the id of the one that it was moved from."""

    vendor: str
    what: Literal["booked", "moved", "removed", "absent"]
    calendars: tuple[str, ...]
    """How a roster may spell the calendar that it is in."""
    event: str
    was: str = ""
    booking: str = ""
    """Our mark, which a move hands on: the booking that it was made for at first."""
    ours: bool = False
    """We made it, and know of it."""
    start: Instant
    end: Instant
    emails: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The same for every webhook that tells the same."""
        return f"{self.vendor}:{self.what}:{self.event}"

    def concerns(self, rep: Rep) -> bool:
        """Whether it happened in the calendar of ``rep``."""
        return rep.calendar in self.calendars


async def at_calcom(body: bytes) -> Change | None:
    """What a webhook of Cal.com is about, as it stands there now; None for what changes no meeting. Raises ValueError when
    it is none."""
    payload = _payload(body, "triggerEvent", calcom.CHANGES)
    uid = payload and (payload.get("uid") or payload.get("bookingUid"))
    if not uid:
        return None
    held = await calcom.get(str(uid))
    was = held.moved_from if held else ""
    for _ in range(_LONGEST_CHAIN):
        if held is None or held.stands or not held.moved_to:
            break
        was, held = held.uid, await calcom.get(held.moved_to)
    if held is None:
        return None
    absent = bool(held.attendees) and all(one for _, one in held.attendees)
    what: Literal["booked", "moved", "removed", "absent"] = "removed"
    if held.stands:
        what = "absent" if absent else "moved" if was else "booked"
    return Change(
        vendor="Cal.com",
        what=what,
        calendars=(f"calcom:{held.kind}", *(f"calcom:{held.kind}@{host}" for host in held.hosts)),
        event=held.uid,
        was=was,
        booking=held.booking,
        ours=bool(held.booking),
        start=held.start,
        end=held.end,
        emails=tuple(email for email, _ in held.attendees),
    )


async def at_calendly(body: bytes) -> Change | None:
    """As :func:`at_calcom`, of Calendly, which tells a move as a cancellation and a booking."""
    payload = _payload(body, "event", calendly.CHANGES)
    if payload is None or payload.get("new_invitee"):
        return None
    try:
        told, event, old = calendly.marked(payload), str(payload["event"]), payload.get("old_invitee")
        was = calendly.event_of(old) if old else ""
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError("no invitee") from error
    held = await calendly.get(calendly.last(event))
    if held is None:
        return None
    return Change(
        vendor="Calendly",
        what="removed" if not held.stands else "moved" if was else "booked",
        calendars=(f"calendly:{held.kind}",),
        event=held.event,
        was=was,
        booking=told.booking,
        ours=bool(told.booking) and not told.page,
        start=held.start,
        end=held.end,
        emails=(str(payload.get("email") or ""),),
    )


def _payload(body: bytes, name: str, known: frozenset[str]) -> dict[str, Any] | None:
    """A webhook's payload; None when it tells of something else. Raises ValueError."""
    try:
        told = json.loads(body)
        if told[name] not in known:
            return None
        payload = told["payload"]
    except (LookupError, TypeError, RecursionError) as error:
        raise ValueError("no webhook") from error
    if not isinstance(payload, dict):
        raise ValueError("no payload")
    return payload


async def subscribe() -> list[str]:
    """Have each scheduler with an account and a webhook secret tell us of changes; the names of those that do now and
    did not before. Raises as they do."""
    house = settings()
    known = (
        ("Cal.com", calcom.configured(), calcom.subscribe, house.calcom_webhook, house.calcom_webhook_secret),
        ("Calendly", calendly.configured(), calendly.subscribe, house.calendly_webhook, house.calendly_webhook_key),
    )
    return [name for name, account, subscribe, url, key in known if account and key and await subscribe(url, key)]
