"""A calendar at Google: it tells what is busy, and the free times are ours to find."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from temporalio.exceptions import ApplicationError

from activities import faults
from activities.settings import settings
from activities.vendors import google, smtp
from activities.vendors.draft import Draft

from .capability import PROBED, Ability, Known, Mark, Span, ability, lacking, tried


class GoogleCalendar:
    vendor = "Google"
    spelling = "google:CALENDAR_ID"
    setting = "GOOGLE_CREDENTIALS"
    keeps_outcomes = False

    @classmethod
    def spelled(cls, rest: str) -> GoogleCalendar:
        if not rest:
            raise ValueError("names no calendar of Google")
        return cls(rest)

    def account(self) -> bool:
        return google.configured()

    def __init__(self, id: str) -> None:
        self._id = id

    @property
    def invites(self) -> bool:
        house = settings()
        ours = house.showrate_invitations == "mail" and smtp.configured()
        return not ours and (bool(house.google_subject) or not house.google_credentials)

    @property
    def id(self) -> str:
        return self._id

    async def look(self, since: datetime, until: datetime, length: timedelta, own: Mark | None) -> Known:
        found = (await google.free_busy([self._id], since, until))[self._id]
        if found.error:
            raise faults.permanent(f"Google does not read this calendar: {found.error}")
        return Known(busy=tuple(without(found.spans, (own.start, own.end)) if own else found.spans))

    async def write(self, draft: Draft, moved: Mark | None) -> str:
        if not self.invites:
            # With its attendee in it the event would stand in their calendar beside our own invitation.
            draft = draft.model_copy(update={"attendee": "", "attendee_name": ""})
        return (await google.insert_event(self._id, draft)).id

    async def adopt(self, event: str, draft: Draft) -> None:
        await google.adopt_event(self._id, event, draft)

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
        read = await tried("read", self.look(now, now + PROBED, length, None), share)
        write, changes = (read.model_copy(update={"name": name}) for name in ("write", "changes"))
        if read.able:
            try:
                role = await google.access(self._id)
                ours = f"our role there is {role or 'unknown'}"
                write = ability("write", role in ("owner", "writer"), ours, share)
                # Read by the Schedule; a push only brings that forward, so its absence is no lack.
                changes = ability("changes", role in ("owner", "writer", "reader"), ours, share)
            except ApplicationError as error:
                write, changes = lacking("write", error, share), lacking("changes", error, share)
        house = settings()
        invite = write.model_copy(update={"name": "invite"})
        if house.google_credentials and not house.google_subject and not smtp.configured():
            remedy = "set GOOGLE_SUBJECT to a user for whom it acts (domain-wide delegation), or SMTP_HOST and MAIL_FROM"
            invite = ability("invite", False, "a service account by itself cannot invite guests", remedy)
        return [
            read,
            write,
            write.model_copy(update={"name": "cancel"}),
            invite,
            changes,
        ]


def without(busy: Iterable[Span], own: Span) -> list[Span]:
    """The spans less the time of a booking of our own, whose event stands in the calendar."""
    left: list[Span] = []
    for start, end in busy:
        parts = ((start, min(end, own[0])), (max(start, own[1]), end))
        left += [(since, until) for since, until in parts if since < until]
    return left
