"""An event type at Cal.com: it tells its own openings, in which its hours, buffers and limits are contained."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from temporalio.exceptions import ApplicationError

from activities import faults
from activities.settings import settings
from activities.vendors import calcom
from activities.vendors.draft import Draft

from .capability import PROBED, Ability, Known, Mark, Refused, ability, lacking, tried

_LONGEST_CHAIN = 8
"""Moves of one booking that are followed at Cal.com."""


class CalComCalendar:
    vendor = "Cal.com"
    invites = True
    spelling = "calcom:EVENT_TYPE_ID or calcom:EVENT_TYPE_ID@USERNAME, such as calcom:4711@ana"
    setting = "CALCOM_API_KEY"
    keeps_outcomes = True

    @classmethod
    def spelled(cls, rest: str) -> CalComCalendar:
        if not (found := re.fullmatch(r"(\d+)(?:@([\w.-]+))?", rest)):
            raise ValueError("names no event type of Cal.com")
        return cls(int(found[1]), found[2] or "")

    def account(self) -> bool:
        return calcom.configured()

    def __init__(self, event_type: int, username: str) -> None:
        self._type, self._username = event_type, username

    async def look(self, since: datetime, until: datetime, length: timedelta, own: Mark | None) -> Known:
        found = await calcom.slots(self._type, since, until, own.event if own else "")
        if wrong := next((end - start for start, end in found.items() if end - start != length), None):
            raise faults.permanent(
                f"Cal.com's event type {self._type} lasts {wrong}, but the playbook's meeting {length}; make them agree"
            )
        return Known(openings=frozenset(found))

    async def write(self, draft: Draft, moved: Mark | None) -> str:
        if not draft.attendee:
            raise Refused("an e-mail address is needed to book with this rep")
        mark = Mark(booking=draft.booking, start=draft.start, end=draft.end)
        try:
            held = await calcom.book(self._type, draft)
        except calcom.Declined:
            # Ours from an earlier attempt; in the way of itself, when it is moved by less than its length; or taken.
            if standing := await self.standing(mark, moved):
                return standing
            if not await self._open(draft, moved):
                raise Refused("that time is no longer free") from None
            if moved is None or not moved.event:
                raise faults.permanent(
                    f"Cal.com refuses a booking at a free time; check what the event type {self._type} asks of its guests"
                ) from None
            try:
                held = await calcom.reschedule(moved.event, draft.start)
            except calcom.Declined:
                raise Refused("that time is no longer free") from None
        if wrong := self._wrong(held, mark):
            raise faults.permanent(wrong)
        return held.uid

    async def _open(self, draft: Draft, moved: Mark | None) -> bool:
        known = await self.look(draft.start, draft.end, draft.end - draft.start, moved)
        return known.free(draft.start, draft.start, draft.end)

    def _wrong(self, held: calcom.Held, mark: Mark) -> str:
        """What keeps a booking just made from being the one that was asked for; the transaction takes it out again."""
        if held.state != "accepted":
            return f"Cal.com's event type {self._type} asks its host to confirm each booking; switch that off"
        if (held.start, held.end) != (mark.start, mark.end):
            return f"Cal.com booked another time than asked; check the length of the event type {self._type}"
        if self._username and self._username not in held.hosts:
            return f"Cal.com's event type {self._type} gave the booking to somebody else than {self._username}"
        return ""

    async def adopt(self, event: str, draft: Draft) -> None:
        """A moved booking keeps the id of the first one; it is found by Cal.com's own."""

    async def standing(self, mark: Mark, moved: Mark | None) -> str:
        found = [held for held in await self._ours(mark, moved) if not self._wrong(held, mark)]
        return found[0].uid if found else ""

    async def remove(self, mark: Mark, why: str, moved: Mark | None = None) -> None:
        ours = await self._ours(mark, moved)
        for held in ours:
            if moved and held.moved_from == moved.event:
                try:
                    await calcom.reschedule(held.uid, moved.start)
                    continue
                except calcom.Declined:
                    raise faults.permanent("Cal.com does not let the moved booking be moved back") from None
            await calcom.cancel(held.uid, why)
        if not ours and mark.event and (last := await self._last(mark)):
            await calcom.cancel(last, why)

    async def _ours(self, mark: Mark, moved: Mark | None) -> list[calcom.Held]:
        """What stands at the time of ``mark`` and is its: by our id, by Cal.com's, or as what ``moved`` became. A move at
        Cal.com hands our id on, so the id alone says nothing of a booking at another time."""
        return [
            held
            for held in await calcom.find(self._type, mark.start, mark.end)
            if held.booking == mark.booking
            or held.uid == mark.event
            or (moved is not None and moved.event != "" and held.moved_from == moved.event)
        ]

    async def _last(self, mark: Mark) -> str:
        """What a booking that was moved away and back again is called now; empty when it stands nowhere at its time."""
        uid = mark.event
        for _ in range(_LONGEST_CHAIN):
            held = await calcom.get(uid)
            if held is None:
                return ""
            if held.stands:
                return held.uid if held.start == mark.start else ""
            if not held.moved_to:
                return ""
            uid = held.moved_to
        return ""

    async def outcome(self, mark: Mark, showed: bool) -> None:
        if mark.event:
            await calcom.mark_absent(mark.event, not showed)

    async def check(self, length: timedelta) -> list[Ability]:
        now = datetime.now(UTC)
        look = self.look(now, now + PROBED, length, None)
        read = await tried(
            "read", look, f"give CALCOM_API_KEY the key of an account that has the event type {self._type}"
        )
        write = await self._writes(now, length) if read.able else read.model_copy(update={"name": "write"})
        return [
            read,
            write,
            write.model_copy(update={"name": "cancel"}),
            write.model_copy(update={"name": "invite"}),
            await self._changes(),
        ]

    async def _writes(self, now: datetime, length: timedelta) -> Ability:
        """By the event type's settings, and by keeping a free time for a moment and giving it up."""
        try:
            known = {each.id: each for each in await calcom.event_types(self._username)}
            if (mine := known.get(self._type)) is None:
                whose = self._username or "the account of CALCOM_API_KEY"
                remedy = "write the id of an event type of theirs"
                return ability("write", False, f"{whose} has no event type {self._type}", remedy)
            if mine.confirms:
                remedy = "switch off 'requires confirmation' there"
                return ability("write", False, f"the event type {self._type} waits for its host's word", remedy)
            free = (await self.look(now, now + PROBED, length, None)).openings or frozenset()
            if not free:
                remedy = "open its hours, and run this again"
                return ability("write", False, "there is no free time within two weeks to try with", remedy)
            await calcom.free(await calcom.reserve(self._type, max(free), timedelta(minutes=1)))
        except calcom.Declined:
            return ability(
                "write", False, "Cal.com does not let us keep a free time", "check the event type's settings"
            )
        except ApplicationError as error:
            return lacking("write", error, "check CALCOM_API_KEY and what it may do")
        return ability("write", True)

    async def _changes(self) -> Ability:
        remedy = (
            "set CALCOM_WEBHOOK_SECRET to a secret of your own and run `showrate setup`, which adds the webhook with it"
        )
        if not settings().calcom_webhook_secret:
            return ability("changes", False, "CALCOM_WEBHOOK_SECRET is not set", remedy)
        try:
            told = await calcom.told_of(settings().calcom_webhook)
        except ApplicationError as error:
            return lacking("changes", error, remedy)
        missing = ", ".join(sorted(calcom.CHANGES - told))
        return ability("changes", not missing, f"no webhook tells us of {missing}", remedy)
