"""Meetings: what is free, and booking as a transaction over the team's turns, the rep's ledger and their calendar.

    turn -> hold -> live look at the calendar -> event under our own id -> commit -> the moved booking out

Every step may be repeated under the booking's id, so a retry resumes where the last attempt came to. What is
refused, or fails for good, is undone in reverse. A calendar that cannot be read is never free.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from workflows import caps, slots
from workflows import ledger as book
from workflows.effects import Booked, BookMeeting, FindSlots, ReleaseMeeting, SlotsAnswer
from workflows.events import Booking, Slot
from workflows.playbook import Playbook, playbook_of
from workflows.roster import Rep
from workflows.rotation import AskCandidates, AssignTurn, Candidate, Candidates, GiveBack
from workflows.wording import length

from . import availability, calendars, faults, ledger, links, roster
from .vendors.draft import Draft

log = logging.getLogger(__name__)

_ATTEMPTS = 4
"""After this many attempts a booking that still meets errors is undone and refused: somebody waits for it."""
_SHARE = 0.4
"""Of the activity's whole time, what may pass before that; the rest is for undoing."""
_LOOKING = timedelta(seconds=8)
"""After this long no further rep's calendar is asked for free times."""
_NAMING = 5.0
"""Seconds that naming other times may take, once a booking is refused: somebody waits for the answer."""
_FEW = AskCandidates.model_fields["count"].default
"""So many candidates are read at first ..."""
_EVERYBODY = 200
"""... and so many where they have no time."""
_TEMPORARY = ("retry", "retry_after", "ambiguous")


class _Refused(Exception):
    """The booking cannot be; the message is for people. On ``page`` the lead can make it themselves."""

    def __init__(self, words: str, page: str = "") -> None:
        super().__init__(words)
        self.page = page


@activity.defn
async def find_slots(request: FindSlots) -> SlotsAnswer:
    """Free times of the candidates that the team names, as few of them asked as needed.

    Costs one update to the team (one more when the first few are full), and for each rep asked one query to the
    ledger and one look at the calendar. Raises
    ``retry`` only when Temporal itself does not answer."""
    search = _Search(request)
    found = await search.among(_FEW)
    if not found and search.more:
        # Those whose turn is next are full; that says nothing of the others.
        found = await search.among(_EVERYBODY)
    return search.answer(found)


class _Search:
    """One search for free times: the candidates read so far, and what kept others from being read."""

    def __init__(self, request: FindSlots) -> None:
        playbook = _playbook(request.playbook)
        self._client, self._clock = activity.client(), _Clock(request.now)
        self._request, self._meeting = request, playbook.meeting
        self._terms, self._zone = slots.terms_of(playbook.meeting), _zone(request.zone)
        self._names: dict[str, str] = {}
        self._free: dict[str, list[int]] = {}
        self._troubles: list[str] = []
        self.more = False
        """The team may have candidates whom nobody looked at yet."""

    async def among(self, count: int) -> tuple[Slot, ...]:
        """Read the first ``count`` candidates whom nobody read yet, until there are as many times as asked for."""
        named = await self._named(count)
        self.more = len(named.candidates) == count
        if named.why:
            self._troubles.append(named.why)
        for candidate in named.candidates:
            if candidate.rep.id in self._names:
                continue
            self._names[candidate.rep.id] = candidate.rep.name
            starts = await self._read(candidate.rep)
            if starts is None:
                continue
            if candidate.within is not None and not self._request.rep:
                if found := self._with_owner(candidate, candidate.within, starts):
                    return found
                continue
            self._free[candidate.rep.id] = starts
            found = self._offer(self._free)
            if len(found) >= self._request.count:
                return found
        return self._offer(self._free)

    def answer(self, found: tuple[Slot, ...]) -> SlotsAnswer:
        if not found and self._free:
            names = " or ".join(self._names[rep] for rep in self._free)
            self._troubles.append(f"no other free time with {names} in the range asked for")
        return SlotsAnswer(slots=found, why="; ".join(self._troubles))

    async def _named(self, count: int) -> Candidates:
        request, info = self._request, activity.info()
        asked = AskCandidates(
            lead=request.lead,
            now=request.now,
            until=request.now + max(self._meeting.hold, timedelta(seconds=1)),
            owner=request.owner,
            rep=request.rep,
            facts=request.facts,
            count=count,
        )
        update = f"{request.lead}:{info.workflow_run_id}:{info.activity_id}"
        return await roster.candidates(
            self._client, request.team, asked, update if count == _FEW else f"{update}:{count}"
        )

    async def _read(self, rep: Rep) -> list[int] | None:
        """When this rep is free; None, with the trouble noted, when nobody can tell."""
        if self._clock.spent() > _LOOKING:
            self._troubles.append(f"there was no time left to read {rep.name}'s calendar")
            return None
        try:
            return await availability.free(self._client, rep, self._meeting, self._request, self._clock.now())
        except ApplicationError as error:
            log.warning("a calendar could not be read: %s", error.message)
            self._troubles.append(f"{rep.name}'s calendar could not be read")
            return None

    def _with_owner(self, owner: Candidate, within: timedelta, starts: list[int]) -> tuple[Slot, ...]:
        """A lead stays with the owner while the owner has a time soon enough, be it only one."""
        soon = slots.epoch(self._clock.now() + within)
        found = self._offer({owner.rep.id: [start for start in starts if start <= soon]})
        if not found:
            self._troubles.append(f"{owner.rep.name}, who owns the contact, has no time within {length(within)}")
        return found

    def _offer(self, free: dict[str, list[int]]) -> tuple[Slot, ...]:
        request = self._request
        return slots.offer(free, self._terms.length, request.count, self._zone, request.part, request.exclude)


@activity.defn
async def book_meeting(request: BookMeeting) -> Booked:
    """Book ``request.slot`` once, however often this runs. Three updates to ledger and team, one look at the
    calendar and one event; a move adds the old event's deletion and the release of the old time.

    Raises ``retry`` and ``retry_after`` while there is time to try again; else it undoes what was done and answers
    ``refused``. Raises ``permanent`` when even that failed: release the booking then."""
    return await _Transaction(activity.client(), request).run()


@activity.defn
async def release_meeting(request: ReleaseMeeting) -> None:
    """Turn, ledger, calendar: free of ``request.booking``. A booking without an event's id was never answered for:
    it is undone, and a turn that it carried on goes back to the booking that it was to move.

    Raises ``permanent`` when the calendar refuses for good; turn and ledger are freed all the same."""
    booking = request.booking
    client = activity.client()
    given = await roster.give_back(
        client,
        request.team,
        GiveBack(booking=booking.id, rep=booking.rep, now=request.now, undo=not booking.event_id),
    )
    await ledger.release(client, booking.rep, book.Release(booking=booking.id, now=request.now, why=request.why))
    if request.keep_event:
        return
    if given.rep is None:
        raise faults.permanent(f"nobody in {request.team} is called {booking.rep}; their calendar is unknown")
    await calendars.configured(given.rep).remove(calendars.mark(booking), request.why)


# ---- the transaction ---------------------------------------------------------------------------------------------


class _Transaction:
    """One attempt at one booking."""

    def __init__(self, client: Client, request: BookMeeting) -> None:
        playbook = _playbook(request.playbook)
        self._client = client
        self._asked = request
        self._meeting = playbook.meeting
        self._clock = _Clock(request.now)
        self._first = activity.info().attempt == 1
        self._rep: Rep | None = None
        self._event = ""
        self._writing = False
        expires = request.slot.end + playbook.attendance.closes
        try:
            # Before anything is done: without its key there is no link, and without a link no attendance.
            self._link = links.join_link(request.lead, request.booking, expires)
        except ValueError as error:
            raise faults.permanent(str(error)) from None

    async def run(self) -> Booked:
        try:
            booking = await self._book()
        except _Refused as refusal:
            await self._undo(str(refusal))
            return Booked(refused=str(refusal), page=refusal.page, nearest=() if refusal.page else await self._nearest())
        except ApplicationError as error:
            if self._goes_on(error):
                raise
            log.warning("booking %s is undone: %s", self._asked.booking, error.message)
            await self._undo(error.message)
            return Booked(refused="the calendar could not be reached")
        return Booked(booking=booking, unreleased=await self._release_moved())

    async def _book(self) -> Booking:
        asked, slot = self._asked, self._asked.slot
        length_there = slot.end - slot.start
        if not asked.adopt and length_there != self._meeting.length:
            raise _Refused("the time asked for does not have the meeting's length")
        if not timedelta(0) < length_there < timedelta(days=1):
            raise _Refused("it has no time of the day any more")
        turn = await roster.assign(
            self._client,
            asked.team,
            AssignTurn(
                booking=asked.booking,
                lead=asked.lead,
                rep=slot.rep,
                now=asked.now,
                owner=asked.owner,
                replaces=asked.replaces.id if asked.replaces else "",
                facts=asked.facts,
                start=slot.start,
            ),
        )
        if turn.rep is None:
            raise _Refused(turn.refused)
        self._rep = rep = turn.rep
        if not await self._held(rep):
            await self._write(rep)
        return Booking(
            id=asked.booking,
            rep=rep.id,
            rep_name=rep.name,
            start=slot.start,
            end=slot.end,
            event_id=self._event,
            reason=turn.reason,
            replaces=asked.replaces.id if asked.replaces else "",
            invited=asked.replaces.invited
            if asked.adopt and asked.replaces
            else bool(asked.attendee) and calendars.configured(rep).invites,
        )

    async def _held(self, rep: Rep) -> bool:
        """Hold the time. True when an earlier attempt has booked it already."""
        asked, now = self._asked, self._clock.now()
        standing = await ledger.hold(
            self._client,
            rep.id,
            book.HoldTime(
                booking=asked.booking,
                start=asked.slot.start,
                end=asked.slot.end,
                now=now,
                until=now + max(self._meeting.hold, timedelta(seconds=1)),
                before=self._meeting.buffer_before,
                after=self._meeting.buffer_after,
                replaces=asked.replaces.id if asked.replaces else "",
                kind=self._meeting.name,
                caps=() if asked.adopt else caps.caps(rep, self._meeting, asked.slot.start),
                lead=asked.lead,
                by_hand=bool(asked.adopt),
            ),
        )
        if not standing.ok:
            raise _Refused(standing.why)
        self._event = standing.event
        return standing.state == "booked"

    async def _write(self, rep: Rep) -> None:
        """Calendar, commit."""
        asked = self._asked
        if asked.adopt:
            await self._take_over(rep)
        else:
            await self._look_again(rep)
        if not self._event:
            self._writing = True
            try:
                self._event = await calendars.configured(rep).write(self._draft(), self._moved(rep))
            except calendars.Elsewhere as refusal:
                raise _Refused(str(refusal), refusal.link) from None
            except calendars.Refused as refusal:
                raise _Refused(str(refusal)) from None
        standing = await ledger.commit(
            self._client,
            rep.id,
            book.Commit(booking=asked.booking, now=self._clock.now(), event=self._event),
        )
        if not standing.ok:
            raise _Refused(standing.why)

    def _draft(self) -> Draft:
        asked, slot = self._asked, self._asked.slot
        return Draft(
            booking=asked.booking,
            title=asked.title,
            notes="\n\n".join(filter(None, [asked.notes, f"Join: {self._link}"])),
            start=slot.start,
            end=slot.end,
            zone=_zone(asked.zone),
            attendee=asked.attendee,
            attendee_name=asked.attendee_name,
            link=self._link,
        )

    async def _take_over(self, rep: Rep) -> None:
        """The event stands already. That it names its new booking is good to have and no more: where the calendar
        cannot be reached for long, its old link still leads to the new one."""
        self._event = self._asked.adopt
        try:
            await calendars.configured(rep).adopt(self._event, self._draft())
        except ApplicationError as error:
            if self._goes_on(error):
                raise
            log.warning("the event of booking %s keeps its old mark: %s", self._asked.booking, error.message)

    async def _look_again(self, rep: Rep) -> None:
        """Refuses when the calendar has become busy; adopts the event that an earlier attempt left there."""
        slot, meeting, moved = self._asked.slot, self._meeting, self._moved(rep)
        since, until = slot.start - meeting.buffer_before, slot.end + meeting.buffer_after
        try:
            known = await calendars.look(rep, since, until, meeting.length, moved)
        except ApplicationError as error:
            if error.type == "permanent":
                raise _Refused(f"{rep.name}'s calendar could not be read") from error
            raise
        if known.free(slot.start, since, until):
            return
        standing = await calendars.configured(rep).standing(self._mark(), moved)
        if not standing:
            raise _Refused(f"{rep.name} is no longer free then")
        self._writing, self._event = True, standing

    def _mark(self) -> calendars.Mark:
        slot = self._asked.slot
        return calendars.Mark(booking=self._asked.booking, event=self._event, start=slot.start, end=slot.end)

    def _moved(self, rep: Rep) -> calendars.Mark | None:
        """The booking that this one moves, when it stands in the same calendar."""
        moved = self._asked.replaces
        return calendars.mark(moved) if moved and moved.rep == rep.id else None

    async def _release_moved(self) -> Booking | None:
        """Take the moved booking out; it is answered when that fails, since the new one stands."""
        moved = self._asked.replaces
        if moved is None or self._rep is None:
            return None
        why = f"moved to {self._asked.booking}"
        try:
            holder: Rep | None = self._rep
            if moved.rep != self._rep.id:
                back = GiveBack(booking=moved.id, rep=moved.rep, now=self._asked.now)
                holder = (await roster.give_back(self._client, self._asked.team, back)).rep
            await ledger.release(
                self._client, moved.rep, book.Release(booking=moved.id, now=self._clock.now(), why=why)
            )
            if holder is not None and not self._asked.adopt:
                await calendars.configured(holder).remove(calendars.mark(moved), why)
        except ApplicationError as error:
            log.warning("booking %s is not wholly released: %s", moved.id, error.message)
            return moved
        return None

    async def _nearest(self) -> tuple[Slot, ...]:
        """The rep's free times nearest to the one that was refused, as many as are wanted. The refusal stands without
        them: where they cannot be read in time there are none."""
        asked, rep = self._asked, self._rep
        if not asked.nearest or rep is None or self._clock.spent() > _LOOKING:
            return ()
        moved = asked.replaces if asked.replaces and asked.replaces.rep == rep.id else None
        search = FindSlots(
            lead=asked.lead, team=asked.team, playbook=asked.playbook, now=asked.now, zone=asked.zone, count=asked.nearest,
            ignore=moved.id if moved else "",
        )  # fmt: skip
        try:
            async with asyncio.timeout(_NAMING):
                starts = await availability.free(self._client, rep, self._meeting, search, self._clock.now())
        except (ApplicationError, TimeoutError) as error:
            log.warning("no times near the refused one could be named: %s", type(error).__name__)
            return ()
        stands = slots.epoch(moved.start) if moved else None
        near = slots.nearest((s for s in starts if s != stands), slots.epoch(asked.slot.start), asked.nearest)
        begins = [slots.instant(start) for start in near]
        return tuple(
            Slot(id=slots.slot_id(rep.id, start), rep=rep.id, start=start, end=start + self._meeting.length) for start in begins
        )

    async def _undo(self, why: str) -> None:
        """Event, hold, turn. Raises what a vendor raises; what was freed stays free."""
        asked, now = self._asked, self._clock.now()
        rep = self._rep
        if rep is not None:
            if not asked.adopt and (self._writing or not self._first):
                await calendars.configured(rep).remove(self._mark(), why, self._moved(rep))
            await ledger.release(self._client, rep.id, book.Release(booking=asked.booking, now=now, why=why[:80]))
        if rep is not None or not self._first:
            back = GiveBack(booking=asked.booking, rep=asked.slot.rep, now=now, undo=True)
            await roster.give_back(self._client, asked.team, back)

    def _goes_on(self, error: ApplicationError) -> bool:
        """Whether another attempt is worth its time."""
        info = activity.info()
        policy = info.retry_policy
        attempts = min(_ATTEMPTS, policy.maximum_attempts if policy and policy.maximum_attempts else _ATTEMPTS)
        spent = self._clock.spent() + (error.next_retry_delay or timedelta(0))
        limit = info.schedule_to_close_timeout
        in_time = not limit or spent < limit * _SHARE
        return error.type in _TEMPORARY and info.attempt < attempts and in_time


# ---- what the requests name --------------------------------------------------------------------------------------


class _Clock:
    """The workflow's instant plus the time that the activity has waited and run."""

    def __init__(self, asked_at: datetime) -> None:
        info = activity.info()
        self._waited = max(info.started_time - info.scheduled_time, timedelta(0))
        self._asked_at = asked_at
        self._begun = time.monotonic()

    def spent(self) -> timedelta:
        return self._waited + timedelta(seconds=time.monotonic() - self._begun)

    def now(self) -> datetime:
        return self._asked_at + self.spent()


def _playbook(content_hash: str) -> Playbook:
    try:
        return playbook_of(content_hash)
    except KeyError:
        raise faults.retry(f"playbook {content_hash} is not loaded in this worker") from None


def _zone(zone: str) -> str:
    """The zone, or UTC for one that does not exist."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"
    return zone
