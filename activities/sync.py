"""Keeping the ledgers and the reps' Google calendars in agreement: read what changed, and tell the leads.

Reading decides nothing: ``workflows/reconcile.py`` compares with the ledger, and the lead decides what comes of it. A
cursor moves on only after the news were given, so a reading that broke off is repeated, under the same ids.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from workflows import reconcile
from workflows.effects import SyncCalendars, Synced
from workflows.ledger import AskAhead, Meeting
from workflows.reconcile import News, Seen
from workflows.roster import Rep

from . import calendars, cursors, entity, faults, ledger, library, metrics, roster
from .calendars.google import GoogleCalendar
from .cursors import Cursor, Watching
from .settings import settings
from .vendors import google, google_changes

log = logging.getLogger(__name__)

_AT_ONCE = 8
_LIFETIME = timedelta(days=7)
_LATER = timedelta(hours=1)
"""After Google refused our address, it is asked again this much later."""


@dataclass(frozen=True)
class _Calendar:
    """One rep's calendar at Google."""

    rep: Rep
    id: str


@activity.defn
async def sync_calendars(request: SyncCalendars) -> Synced:
    """One reading: each due calendar by its sync token, its news to the leads, its push channel renewed. One that fails
    keeps no other waiting, and is shown in the record and in the answer.

    Costs one request for each due calendar, one more where something of others changed beside our meetings; a query to
    the ledger where anything changed; a signal for each piece of news. Raises ``retry`` after all others are read while
    a calendar does not answer, except in the last attempt."""
    client = activity.client()
    everybody = {each.rep.id: each for each in await _calendars(client)}
    known = await asyncio.to_thread(cursors.cursors)
    channels = await asyncio.to_thread(cursors.watching)
    await _forget(set(known) | {channel.rep for channel in channels}, everybody, channels)
    now = request.now or datetime.now(UTC)
    due = [each for each in everybody.values() if _is_due(known.get(each.rep.id), now, request.every)]
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(each: _Calendar) -> tuple[str, int | ApplicationError]:
        async with limit:
            cursor = known.get(each.rep.id) or Cursor(rep=each.rep.id)
            reading = _Reading(client, each, list(everybody.values()), cursor, now)
            mine = [channel for channel in channels if channel.rep == each.rep.id]
            told: int | ApplicationError
            try:
                told = await reading.run(mine)
            except ApplicationError as error:
                told = error
            except Exception as error:  # a fault of ours in one calendar is no reason to read no other
                told = faults.permanent(f"a fault of ours: {type(error).__name__}")
            if isinstance(told, ApplicationError):
                await reading.failed(told)
            activity.heartbeat(each.rep.id)
            return each.rep.id, told

    found = dict(await asyncio.gather(*(one(each) for each in due)))
    failed = {rep: told for rep, told in found.items() if isinstance(told, ApplicationError)}
    for error in failed.values():
        metrics.effect("read_calendar", error.type or "error")
    policy = activity.info().retry_policy
    last = policy is not None and activity.info().attempt >= policy.maximum_attempts > 0
    again = faults.worst(error for error in failed.values() if not error.non_retryable)
    if again is not None and not last:
        raise again
    told = sum(told for told in found.values() if isinstance(told, int))
    troubles = {rep: error.message for rep, error in failed.items()}
    return Synced(read=len(due) - len(failed), told=told, troubles=troubles)


async def _calendars(client: Client) -> list[_Calendar]:
    """The Google calendars of all reps in all teams that run. A team that never ran has no meetings."""
    found: list[_Calendar] = []
    for team in library.teams(settings().showrate_playbooks):
        try:
            reps = (await roster.roster(client, team.id)).reps
        except LookupError:
            continue
        for rep in reps:
            calendar = calendars.of(rep)
            if isinstance(calendar, GoogleCalendar) and calendar.account():
                found.append(_Calendar(rep, calendar.id))
    return found


async def _forget(known: Iterable[str], everybody: dict[str, _Calendar], channels: Sequence[Watching]) -> None:
    """Of reps who are gone, nothing is kept and nothing watched."""
    for rep in set(known) - everybody.keys():
        await asyncio.to_thread(cursors.forget, rep)
    for channel in channels:
        if channel.rep not in everybody:
            await _stop(channel)


def _is_due(cursor: Cursor | None, now: datetime, every: timedelta) -> bool:
    if cursor is None or cursor.read_at is None or cursor.pushed > cursor.heeded or cursor.trouble:
        return True
    return now - cursor.read_at >= every / 2


class _Reading:
    """One calendar, read once."""

    def __init__(self, client: Client, calendar: _Calendar, everybody: list[_Calendar], cursor: Cursor, now: datetime) -> None:
        self._client = client
        self._rep, self._calendar = calendar.rep, calendar.id
        self._hosts = {each.id: each.rep.id for each in everybody}
        self._others = [each for each in everybody if each.id != calendar.id]
        mark = cursors.digest(calendar.id)
        # Another calendar than before is read from its beginning.
        same = cursor.calendar in ("", mark)
        self._cursor = cursor.model_copy(update={"calendar": mark} if same else {"calendar": mark, "token": "", "told": {}})
        self._same = same
        self._now = now

    async def run(self, channels: Sequence[Watching]) -> int:
        """How many pieces of news were given. Raises as the vendor and Temporal do."""
        watch_after = await self._watch(channels)
        cursor = self._cursor
        read = await google_changes.changes(self._calendar, cursor.token, self._now)
        seen = [self._seen(event) for event in read.events]
        told, news = dict(cursor.told), list[News]()
        if seen or read.whole:
            asked = AskAhead(now=self._now)
            meetings = [m for m in await ledger.ahead(self._client, self._rep.id, asked) if m.event]
            if read.whole:
                seen += await self._missing(meetings, seen)
            seen = [await self._wherever(meetings, event) for event in seen]
            beside = await self._beside(meetings, seen)
            news = reconcile.own_news(self._rep.id, self._rep.name, meetings, seen, told, self._now)
            if beside is not None:
                news += reconcile.clash_news(self._rep.name, meetings, beside, told, self._now)
            told = reconcile.still_told(self._rep.id, meetings, seen, beside, told)
            for each in news:
                await self._tell(each)
        kept = cursor.model_copy(
            update={
                "token": read.token, "read_at": self._now, "told": told, "trouble": "", "since": None,
                "watch_after": watch_after, "heeded": cursor.pushed,
            }
        )  # fmt: skip
        await asyncio.to_thread(cursors.keep, kept)
        return len(news)

    async def failed(self, error: ApplicationError) -> None:
        """It could not be read: what was known of it stands, and people can see why it is old."""
        log.warning("the calendar of %s could not be read: %s", self._rep.id, error.message)
        since = self._cursor.since or self._now
        kept = self._cursor.model_copy(update={"trouble": error.message, "since": since})
        await asyncio.to_thread(cursors.keep, kept)

    # ---- reading -----------------------------------------------------------------------------------------------

    def _seen(self, event: google.Event, rep: str = "") -> Seen:
        # An event that another rep's calendar organizes is that rep's, whoever still has a copy of it.
        host = rep or self._hosts.get(event.organizer, "")
        return Seen(
            id=event.id, booking=event.booking, rep=self._rep.id if event.organizer == self._calendar else host or self._rep.id,
            start=event.start, end=event.end, gone=event.cancelled or event.refused, busy=event.busy, guest=event.guest,
        )  # fmt: skip

    async def _missing(self, meetings: Sequence[Meeting], seen: Sequence[Seen]) -> list[Seen]:
        """The events of meetings that a whole reading did not bring: deleted long ago, or moved into the past."""
        lost = [meeting for meeting in meetings if reconcile.event_of(meeting, seen) is None]
        found = [await google.get_event(self._calendar, meeting.event) for meeting in lost]
        return [
            self._seen(event) if event else Seen(id=meeting.event, booking=meeting.booking, rep=self._rep.id, gone=True)
            for meeting, event in zip(lost, found, strict=True)
        ]

    async def _wherever(self, meetings: Sequence[Meeting], event: Seen) -> Seen:
        """An event of ours that is gone here may stand in a colleague's calendar, where the rep moved it. While one of
        them stumbles nobody knows; one that is closed to us for good is left out."""
        if not event.gone or all(event.id != meeting.event for meeting in meetings):
            return event
        for other in self._others:
            activity.heartbeat(self._rep.id)
            try:
                there = await google.get_event(other.id, event.id)
            except ApplicationError as error:
                if not error.non_retryable:
                    raise
                continue
            if there is not None and not there.cancelled:
                return self._seen(there, other.rep.id)
        return event

    async def _beside(self, meetings: Sequence[Meeting], seen: Sequence[Seen]) -> list[Seen] | None:
        """All that stands at the meetings' times, when something of others has changed; None when nothing has."""
        if not meetings or not any(reconcile.is_foreign(event, meetings) for event in seen):
            return None
        since, until = min(m.start for m in meetings), max(m.end for m in meetings)
        return [self._seen(event) for event in await google_changes.between(self._calendar, since, until)]

    async def _tell(self, news: News) -> None:
        """Signal the lead. The last reading's time makes the id: a repeat of this reading gets the same one, and the
        same thing done once more, later, another."""
        if not news.meeting.lead:
            log.warning("booking %s has no lead in the ledger; its event changed", news.meeting.booking)
            return
        salt = f"{self._cursor.read_at:%Y%m%d%H%M%S%f}" if self._cursor.read_at else "first"
        change = news.change
        event = change.model_copy(update={"id": f"{change.change}:{change.booking}:{change.event}:{salt}"})
        try:
            runs = await entity.tell(self._client, news.meeting.lead, "calendar_changed", event)
        except RPCError as error:
            raise faults.retry(f"a lead could not be told: {error.status.name}") from error
        if not runs:
            log.warning("%s is over; what changed in its meeting is told to nobody", news.meeting.lead)

    # ---- push channels -----------------------------------------------------------------------------------------

    async def _watch(self, channels: Sequence[Watching]) -> datetime | None:
        """Keep one channel open; a new one is open before the old one ends. Without one, readings are only as often as
        the Schedule's. When to ask again, after a refusal."""
        held = self._cursor.watch_after
        if self._same and any(channel.fresh(self._now) for channel in channels):
            return None
        if held and self._now < held:
            return held
        name = uuid.uuid4().hex
        opening = Watching(channel=name, rep=self._rep.id, opened=self._now, expires=self._now + _LIFETIME)
        address = f"{settings().showrate_public_url}{cursors.PUSH_PATH}"
        try:
            token = cursors.secret(name)
            await asyncio.to_thread(cursors.watch, opening)  # the first push may be here before the answer
            opened = await google_changes.watch(self._calendar, name, token, address, _LIFETIME)
        except (ApplicationError, ValueError) as error:
            log.warning("no pushes of the calendar of %s: %s", self._rep.id, error)
            await asyncio.to_thread(cursors.unwatch, name)
            return self._now + _LATER if isinstance(error, ValueError) or error.non_retryable else None
        known = opening.model_copy(update={"resource": opened.resource, "expires": opened.expires})
        await asyncio.to_thread(cursors.watch, known)
        for channel in channels:
            await _stop(channel)
        return None


async def _stop(channel: Watching) -> None:
    try:
        if channel.resource:
            await google_changes.stop(channel.channel, channel.resource)
    except ApplicationError as error:
        log.warning("a push channel of %s is left to expire: %s", channel.rep, error.message)
    await asyncio.to_thread(cursors.unwatch, channel.channel)
