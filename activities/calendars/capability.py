"""The capability that every calendar has, in our words: what is asked of it, what it answers, what it can do.

Each write is known by the booking's id and may be repeated: what stands already is adopted. What is not known is never free.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from datetime import datetime, timedelta
from typing import Literal, Protocol, get_args

from temporalio.exceptions import ApplicationError

from activities.vendors.draft import Draft
from workflows.model import Instant, Model

Span = tuple[datetime, datetime]
Need = Literal["read", "write", "cancel", "invite", "changes"]
"""What we need of a calendar: its free times, an event, its removal, an invitation, and to hear of changes made there."""
NEEDS: tuple[Need, ...] = get_args(Need)

PROBED = timedelta(days=14)
"""How far a check looks for a free time."""


class Refused(Exception):
    """The calendar will not have this booking; the message is for people."""


class Elsewhere(Refused):
    """The account may not book, but the lead can, on the page ``link``, once."""

    def __init__(self, link: str) -> None:
        super().__init__("this rep's meetings can only be booked on their own page")
        self.link = link


class Mark(Model):
    """A booking of ours as the calendar is asked for it. ``event`` is the vendor's id, empty when it was never told."""

    booking: str
    event: str = ""
    start: Instant
    end: Instant


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

    name: Need
    able: bool
    why: str = ""
    remedy: str = ""


class Calendar(Protocol):
    """One rep's calendar. All may raise ``retry``, ``retry_after`` and ``permanent`` (:mod:`activities.faults`)."""

    vendor: str
    spelling: str
    """How it is written in a roster, for the messages that say what to write."""
    setting: str
    """The setting without which there is no account."""
    keeps_outcomes: bool
    """Whether the vendor wants to hear who came."""

    @property
    def invites(self) -> bool:
        """Whether the vendor itself invites a booking's attendee and tells them of each change. Where it does, our
        e-mail carries no invitation: two to one meeting are two meetings in the lead's calendar."""

    @classmethod
    def spelled(cls, rest: str) -> Calendar:
        """The calendar that ``rest``, the roster's word after the colon, means. Raises ValueError saying what is wrong
        with it."""

    def account(self) -> bool:
        """Whether there is an account at this vendor."""

    async def look(self, since: datetime, until: datetime, length: timedelta, own: Mark | None) -> Known:
        """What is free between two instants for a meeting of ``length``; the lead's ``own`` booking is in nobody's
        way."""

    async def write(self, draft: Draft, moved: Mark | None) -> str:
        """The event's id at the vendor; its attendee is invited if the vendor ``invites``. ``moved`` is a booking of this calendar that the new
        one takes the place of. Raises :class:`Refused`."""

    async def adopt(self, event: str, draft: Draft) -> None:
        """``event``, moved by hand to where ``draft`` is, is that of the draft's booking from now on."""

    async def standing(self, mark: Mark, moved: Mark | None) -> str:
        """The id of the event that stands for ``mark`` at its time, as an earlier attempt left it; empty when none."""

    async def remove(self, mark: Mark, why: str, moved: Mark | None = None) -> None:
        """Take out all that stands for ``mark``; nothing when it is gone. ``moved`` is the booking that it would have
        taken the place of: it stands again."""

    async def outcome(self, mark: Mark, showed: bool) -> None:
        """They met, or the lead did not come."""

    async def check(self, length: timedelta) -> list[Ability]:
        """What the configured account can do, found out without leaving anything behind."""


async def tried(name: Need, work: Awaitable[object], remedy: str) -> Ability:
    """An ability, by whether ``work`` succeeds."""
    try:
        await work
    except ApplicationError as error:
        return lacking(name, error, remedy)
    return ability(name, True)


def lacking(name: Need, error: ApplicationError, remedy: str) -> Ability:
    """An ability that could not be shown. ``remedy`` is for refusals that name none of their own after a semicolon; a
    vendor that does not answer refuses nothing."""
    if error.non_retryable:
        why, _, own = error.message.partition("; ")
        return ability(name, False, why, own or remedy)
    return ability(name, False, error.message, "see that this machine reaches the vendor, and run this again")


def ability(name: Need, able: bool, why: str = "", remedy: str = "") -> Ability:
    """An ability, which needs reason and remedy only where it is missing."""
    return Ability(name=name, able=able) if able else Ability(name=name, able=False, why=why, remedy=remedy)
