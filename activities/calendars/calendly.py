"""An event type of one host at Calendly: it tells its own openings, in which its hours, buffers and limits are contained.

Calendly moves nothing: a new time is booked and the old one cancelled. The lead's old meeting is in the way of a new one that
overlaps it, and no such time is offered.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

from temporalio.exceptions import ApplicationError

from activities import faults
from activities.settings import settings
from activities.vendors import calendly
from activities.vendors.draft import Draft

from .capability import PROBED, Ability, Elsewhere, Known, Mark, Refused, ability, lacking, tried


class CalendlyCalendar:
    vendor = "Calendly"
    invites = True
    spelling = "calendly:EVENT_TYPE_UUID, the last part of the event type's address in Calendly's API"
    setting = "CALENDLY_TOKEN"
    keeps_outcomes = True

    @classmethod
    def spelled(cls, rest: str) -> CalendlyCalendar:
        if not re.fullmatch(r"[A-Za-z0-9-]{8,64}", rest):
            raise ValueError("names no event type of Calendly")
        return cls(rest)

    def account(self) -> bool:
        return calendly.configured()

    def __init__(self, event_type: str) -> None:
        self._type = event_type

    async def look(self, since: datetime, until: datetime, length: timedelta, own: Mark | None) -> Known:
        now = datetime.now(UTC)
        kind, found = await asyncio.gather(
            calendly.event_type(self._type), calendly.available(self._type, since, until, now)
        )
        if wrong := self._unfit(kind, length):
            raise faults.permanent(wrong)
        return Known(openings=found)

    def _unfit(self, kind: calendly.EventType, length: timedelta) -> str:
        """What keeps the event type from being this rep's meeting."""
        if not kind.active:
            return f"Calendly's event type {self._type} is switched off; switch it on"
        if not kind.owner:
            return f"Calendly's event type {self._type} belongs to several hosts; make one that is the rep's alone"
        if kind.length != length:
            return (
                f"Calendly's event type {self._type} lasts {kind.length}, but the playbook's meeting {length}; "
                "make them agree"
            )
        return ""

    async def write(self, draft: Draft, moved: Mark | None) -> str:
        if not draft.attendee:
            raise Refused("an e-mail address is needed to book with this rep")
        mark = Mark(booking=draft.booking, start=draft.start, end=draft.end)
        kind = await calendly.event_type(self._type)
        try:
            event = await calendly.book(kind, draft)
        except calendly.Forbidden:
            raise Elsewhere(await self._page(draft)) from None
        except calendly.Declined:
            # Ours from an earlier attempt; taken; or something else is asked of its guests.
            if standing := await self._standing(kind, mark):
                return standing
            length = draft.end - draft.start
            if draft.start not in ((await self.look(draft.start, draft.end, length, None)).openings or ()):
                raise Refused("that time is no longer free") from None
            raise faults.permanent(
                f"Calendly refuses a booking at a free time; check what the event type {self._type} asks of its guests"
            ) from None
        # The answer names the event and says nothing of its time.
        held = await calendly.get(event)
        if held is None:
            raise faults.retry("Calendly does not know yet what it booked")
        if (held.start, held.end, held.kind) != (mark.start, mark.end, self._type):
            raise faults.permanent(f"Calendly booked another time than asked; check the event type {self._type}")
        return event

    async def _page(self, draft: Draft) -> str:
        try:
            return await calendly.link(self._type, draft.booking, draft.attendee_name, draft.attendee)
        except (calendly.Declined, calendly.Forbidden):
            raise faults.permanent("Calendly lets us neither book nor make a link to book with") from None

    async def adopt(self, event: str, draft: Draft) -> None:
        """Who moves a meeting at Calendly takes our mark along; the event is found by Calendly's own id."""

    async def standing(self, mark: Mark, moved: Mark | None) -> str:
        return await self._standing(await calendly.event_type(self._type), mark)

    async def _standing(self, kind: calendly.EventType, mark: Mark) -> str:
        found = [
            held for held in await calendly.find(kind, mark.start) if self._is(held, mark) and held.end == mark.end
        ]
        return found[0].event if found else ""

    def _is(self, held: calendly.Held, mark: Mark) -> bool:
        return held.booking == mark.booking or held.event == mark.event

    async def remove(self, mark: Mark, why: str, moved: Mark | None = None) -> None:
        if mark.event:
            await calendly.cancel(mark.event, why)
            return
        kind = await calendly.event_type(self._type)
        for held in await calendly.find(kind, mark.start):
            if self._is(held, mark):
                await calendly.cancel(held.event, why)

    async def outcome(self, mark: Mark, showed: bool) -> None:
        if mark.event:
            await calendly.mark_absent(mark.event, not showed)

    async def check(self, length: timedelta) -> list[Ability]:
        now = datetime.now(UTC)
        read = await tried(
            "read",
            self.look(now, now + PROBED, length, None),
            f"give CALENDLY_TOKEN the token of an account that has the event type {self._type}",
        )
        write, cancel = read.model_copy(update={"name": "write"}), read.model_copy(update={"name": "cancel"})
        if read.able:
            write, cancel = await self._writes(), await self._cancels()
        return [read, write, cancel, write.model_copy(update={"name": "invite"}), await self._changes()]

    async def _writes(self) -> Ability:
        remedy = (
            "take a paid plan and a token with the scope scheduled_events:write; until then each lead is sent a link to "
            "book with"
        )
        try:
            able = await calendly.may_book(self._type)
        except ApplicationError as error:
            return lacking("write", error, remedy)
        return ability("write", able, "Calendly's plan does not let us book", remedy)

    async def _cancels(self) -> Ability:
        remedy = "make a token with the scope scheduled_events:write"
        try:
            able = await calendly.may_cancel()
        except ApplicationError as error:
            return lacking("cancel", error, remedy)
        return ability("cancel", able, "CALENDLY_TOKEN does not let us cancel", remedy)

    async def _changes(self) -> Ability:
        house = settings()
        remedy = "set CALENDLY_WEBHOOK_KEY to a secret of your own and run `showrate setup`, which subscribes with it"
        if not house.calendly_webhook_key:
            return ability("changes", False, "CALENDLY_WEBHOOK_KEY is not set", remedy)
        try:
            told = await calendly.told_of(house.calendly_webhook)
        except ApplicationError as error:
            return lacking("changes", error, remedy)
        missing = ", ".join(sorted(calendly.CHANGES - told))
        return ability("changes", not missing, f"no webhook tells us of {missing}", remedy)
