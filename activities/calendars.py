"""What a rep's calendar can do for us, whoever keeps it. ``Rep.calendar`` says who:

    ana@example.com, google:ana@example.com      a calendar at Google, by its id
    calcom:4711, calcom:4711@ana                 an event type at Cal.com; with a username, only that host will do

Google tells what is busy, and the free times are ours to find. Cal.com tells its own openings, in which its hours,
buffers and limits are contained; ours are kept on top of them. What is not known is never free.

Each write is known by the booking's id and may be repeated: what stands already is adopted.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from temporalio.exceptions import ApplicationError

from workflows.events import Booking
from workflows.model import Instant, Model
from workflows.roster import Rep

from . import faults
from .settings import settings
from .vendors import calcom, google
from .vendors.draft import Draft

Span = tuple[datetime, datetime]

_STUMBLE = 1.0
"""Seconds within which a failed read counts as a stumble and is repeated at once."""
_PROBED = timedelta(days=14)
"""How far a check looks for a free time."""
_LONGEST_CHAIN = 8
"""Moves of one booking that are followed at Cal.com."""


class Refused(Exception):
    """The calendar will not have this booking; the message is for people."""


class Mark(Model):
    """A booking of ours as the calendar is asked for it. ``event`` is the vendor's id, empty when it was never told."""

    booking: str
    event: str = ""
    start: Instant
    end: Instant


def mark(booking: Booking) -> Mark:
    """The booking as its calendar is asked for it."""
    return Mark(booking=booking.id, event=booking.event_id, start=booking.start, end=booking.end)


class Known(Model):
    """What a calendar says of a range: what is busy, or its own openings. Only one of them is set."""

    busy: tuple[Span, ...] = ()
    openings: frozenset[datetime] | None = None

    def free(self, start: datetime, since: datetime, until: datetime) -> bool:
        """Whether a meeting may begin at ``start`` that keeps the calendar clear from ``since`` to ``until``. Openings
        have the vendor's own buffers in them and ask for no other."""
        if self.openings is not None:
            return start in self.openings
        return not any(begin < until and since < end for begin, end in self.busy)

    def within(self, starts: Iterable[int]) -> list[int]:
        """Those of ``starts`` (seconds since 1970) that are openings; all of them where only busy times are known."""
        if self.openings is None:
            return list(starts)
        known = {int(moment.timestamp()) for moment in self.openings}
        return [start for start in starts if start in known]


class Ability(Model):
    """Whether an account can do one thing that we need, and what to do when it cannot."""

    name: Literal["read", "write", "cancel", "invite", "changes"]
    able: bool
    why: str = ""
    remedy: str = ""


class Calendar(Protocol):
    """One rep's calendar. All may raise ``retry``, ``retry_after`` and ``permanent`` (:mod:`activities.faults`)."""

    vendor: str

    async def look(self, since: datetime, until: datetime, length: timedelta, own: Mark | None) -> Known:
        """What is free between two instants for a meeting of ``length``; the lead's ``own`` booking is in nobody's
        way."""

    async def write(self, draft: Draft, moved: Mark | None) -> str:
        """The event's id at the vendor; its attendee is invited. ``moved`` is a booking of this calendar that the new
        one takes the place of. Raises :class:`Refused`."""

    async def standing(self, mark: Mark, moved: Mark | None) -> str:
        """The id of the event that stands for ``mark`` at its time, as an earlier attempt left it; empty when none."""

    async def remove(self, mark: Mark, why: str, moved: Mark | None = None) -> None:
        """Take out all that stands for ``mark``; nothing when it is gone. ``moved`` is the booking that it would have
        taken the place of: it stands again."""

    async def outcome(self, mark: Mark, showed: bool) -> None:
        """They met, or the lead did not come."""

    async def check(self, length: timedelta) -> list[Ability]:
        """What the configured account can do, found out without leaving anything behind."""


def of(rep: Rep) -> Calendar:
    """The calendar of ``rep``. Raises ValueError naming rep and remedy when it cannot be told whose it is."""
    vendor, colon, rest = rep.calendar.partition(":")
    if not colon:
        return _Google(rep.calendar)
    if vendor == "google" and rest:
        return _Google(rest)
    if vendor == "calcom":
        if found := re.fullmatch(r"(\d+)(?:@([\w.-]+))?", rest):
            return _CalCom(int(found[1]), found[2] or "")
        raise ValueError(
            f"{rep.id}: calendar {rep.calendar!r} names no event type of Cal.com; write calcom:4711 or calcom:4711@username"
        )
    raise ValueError(
        f"{rep.id}: nobody is known to keep the calendar {rep.calendar!r}; write a Google calendar's id, google:ID, "
        "or calcom:EVENT_TYPE_ID"
    )


async def look(rep: Rep, since: datetime, until: datetime, length: timedelta, own: Mark | None = None) -> Known:
    """As :meth:`Calendar.look`, live; once more when the vendor stumbles, since a person waits."""
    calendar, begun = configured(rep), time.monotonic()
    try:
        return await calendar.look(since, until, length, own)
    except ApplicationError as error:
        if error.type != "retry" or time.monotonic() - begun > _STUMBLE:
            raise
    return await calendar.look(since, until, length, own)


def configured(rep: Rep) -> Calendar:
    """As :func:`of`, but raises ``permanent`` when it is misspelled, or when there is no account at its vendor."""
    try:
        calendar = of(rep)
    except ValueError as error:
        raise faults.permanent(str(error)) from None
    known, setting = {
        "Google": (google.configured, "GOOGLE_CREDENTIALS"),
        "Cal.com": (calcom.configured, "CALCOM_API_KEY"),
    }[calendar.vendor]
    if not known():
        raise faults.permanent(f"{calendar.vendor} is not configured; set {setting}")
    return calendar


def keeps_outcomes(rep: Rep) -> bool:
    """Whether the calendar of ``rep`` wants to hear who came."""
    return rep.calendar.startswith("calcom:")


def without(busy: Iterable[Span], own: Span) -> list[Span]:
    """The spans less the time of a booking of our own, whose event stands in the calendar."""
    left: list[Span] = []
    for start, end in busy:
        parts = ((start, min(end, own[0])), (max(start, own[1]), end))
        left += [(since, until) for since, until in parts if since < until]
    return left


# ---- Google ------------------------------------------------------------------------------------------------------


class _Google:
    vendor = "Google"

    def __init__(self, id: str) -> None:
        self._id = id

    async def look(self, since: datetime, until: datetime, length: timedelta, own: Mark | None) -> Known:
        found = (await google.free_busy([self._id], since, until))[self._id]
        if found.error:
            raise faults.permanent(f"Google does not read this calendar: {found.error}")
        return Known(busy=tuple(without(found.spans, (own.start, own.end)) if own else found.spans))

    async def write(self, draft: Draft, moved: Mark | None) -> str:
        return (await google.insert_event(self._id, draft)).id

    async def standing(self, mark: Mark, moved: Mark | None) -> str:
        own = await google.get_event(self._id, google.event_id(mark.booking))
        if own and own.cancelled:
            own = next(iter(await google.find_events(self._id, mark.booking)), None)
        return own.id if own and (own.start, own.end) == (mark.start, mark.end) else ""

    async def remove(self, mark: Mark, why: str, moved: Mark | None = None) -> None:
        if mark.event:
            await google.delete_event(self._id, mark.event)
            return
        for event in await google.find_events(self._id, mark.booking):
            await google.delete_event(self._id, event.id)

    async def outcome(self, mark: Mark, showed: bool) -> None:
        """Google knows no outcome of an event."""

    async def check(self, length: timedelta) -> list[Ability]:
        share = f"share the calendar {self._id} with the service account, with the right to make changes to events"
        now = datetime.now(UTC)
        read = await _able("read", self.look(now, now + _PROBED, length, None), share)
        try:
            role = await google.access(self._id)
            writes, why = role in ("owner", "writer"), f"our role there is {role or 'unknown'}"
        except ApplicationError as error:
            writes, why = False, error.message
        house = settings()
        invites = bool(house.google_subject or not house.google_credentials)
        return [
            read,
            _ability("write", writes, why, share),
            _ability("cancel", writes, why, share),
            _ability(
                "invite",
                writes and invites,
                why if invites else "a service account by itself cannot invite guests",
                share if invites else "set GOOGLE_SUBJECT to a user for whom it acts (domain-wide delegation)",
            ),
            _ability(
                "changes",
                False,
                "what is changed in Google's own calendar is seen only when its free times are read",
                "move and cancel meetings from the console, the Slack card or the manage link",
            ),
        ]


# ---- Cal.com -----------------------------------------------------------------------------------------------------


class _CalCom:
    vendor = "Cal.com"

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
        look = self.look(now, now + _PROBED, length, None)
        read = await _able("read", look, f"let the account of CALCOM_API_KEY see the event type {self._type}")
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
                return _ability("write", False, f"{whose} has no event type {self._type}", remedy)
            if mine.confirms:
                remedy = "switch off 'requires confirmation' there"
                return _ability("write", False, f"the event type {self._type} waits for its host's word", remedy)
            free = (await self.look(now, now + _PROBED, length, None)).openings or frozenset()
            if not free:
                remedy = "open its hours, and run this again"
                return _ability("write", False, "there is no free time within two weeks to try with", remedy)
            await calcom.free(await calcom.reserve(self._type, max(free), timedelta(minutes=1)))
        except calcom.Declined:
            return _ability(
                "write", False, "Cal.com does not let us keep a free time", "check the event type's settings"
            )
        except ApplicationError as error:
            return _ability("write", False, error.message, "check CALCOM_API_KEY and what it may do")
        return _ability("write", True)

    async def _changes(self) -> Ability:
        url = f"{settings().showrate_public_url}/calcom/webhook"
        remedy = f"add a webhook at Cal.com to {url} for {' and '.join(sorted(calcom.CHANGES))}, and set CALCOM_WEBHOOK_SECRET"
        if not settings().calcom_webhook_secret:
            return _ability("changes", False, "CALCOM_WEBHOOK_SECRET is not set", remedy)
        try:
            told = await calcom.told_of(url)
        except ApplicationError as error:
            return _ability("changes", False, error.message, remedy)
        missing = ", ".join(sorted(calcom.CHANGES - told))
        return _ability("changes", not missing, f"no webhook tells us of {missing}", remedy)


# ---- checks ------------------------------------------------------------------------------------------------------


async def check(rep: Rep, length: timedelta) -> list[Ability]:
    """What the account behind the calendar of ``rep`` can do for meetings of ``length``."""
    try:
        calendar = configured(rep)
    except ApplicationError as error:
        why, _, remedy = error.message.partition("; ")
        return [_ability("read", False, why, remedy)]
    return await calendar.check(length)


async def _able(name: Literal["read"], work: object, remedy: str) -> Ability:
    try:
        await work  # type: ignore[misc]
    except ApplicationError as error:
        return _ability(name, False, error.message, remedy)
    return _ability(name, True)


def _ability(
    name: Literal["read", "write", "cancel", "invite", "changes"], able: bool, why: str = "", remedy: str = ""
) -> Ability:
    return Ability(name=name, able=able) if able else Ability(name=name, able=False, why=why, remedy=remedy)
