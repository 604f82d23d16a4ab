"""What a rep's calendar says of our meetings that we did not do: pure, from the ledger and the events that were read.

The ledger says what we did; so whatever of ours comes back through the calendar agrees with it and is no news.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from .events import CalendarChanged, Slot
from .ledger import Meeting
from .model import Instant, Model

Told = Mapping[str, tuple[str, ...]]
"""By booking: what its lead was told and still holds."""


class Seen(Model):
    """One event of a calendar. ``booking`` is our mark on it, empty on other people's; ``rep`` whose calendar it stands
    in by now; ``gone``: deleted, or declined by the rep; ``guest`` what the lead answered to the invitation."""

    id: str
    booking: str = ""
    rep: str = ""
    start: Instant | None = None
    end: Instant | None = None
    gone: bool = False
    busy: bool = True
    guest: str = ""


class News(Model):
    """What to tell the lead of ``meeting``; ``key`` is what will have been told then."""

    meeting: Meeting
    key: str
    change: CalendarChanged


def event_of(meeting: Meeting, seen: Iterable[Seen]) -> Seen | None:
    """The event of a meeting; of several (a copy, a former one) the one that stands."""
    ours = [event for event in seen if (meeting.event and event.id == meeting.event) or event.booking == meeting.booking]
    return next((event for event in ours if not event.gone), ours[0] if ours else None)


def is_foreign(event: Seen, meetings: Sequence[Meeting]) -> bool:
    """Somebody else's event, or a rep's own: whatever is not ours."""
    return not event.booking and all(event.id != meeting.event for meeting in meetings)


def own_news(rep: str, name: str, meetings: Sequence[Meeting], seen: Sequence[Seen], told: Told, at: datetime) -> list[News]:
    """What was done to our own events in the calendar of ``rep``, called ``name``."""
    found = []
    for meeting in meetings:
        event = event_of(meeting, seen)
        if event is None:
            continue
        for key, change in _changes(rep, meeting, event):
            if key not in told.get(meeting.booking, ()):
                found.append(_news(meeting, key, change, name, event, at))
        if _in_place(rep, meeting, event) and any(key.startswith("moved:") for key in told.get(meeting.booking, ())):
            found.append(_news(meeting, "", "moved", name, event, at))
    return found


def clash_news(name: str, meetings: Sequence[Meeting], seen: Sequence[Seen], told: Told, at: datetime) -> list[News]:
    """What stands beside our meetings at their time, and what does no longer. ``seen`` is all there is at these times."""
    found = []
    for meeting in meetings:
        beside = [event for event in seen if is_foreign(event, meetings) and _overlap(meeting, event)]
        known = [key for key in told.get(meeting.booking, ()) if key.startswith("clash:")]
        keys = {f"clash:{event.id}": event for event in beside}
        found += [_news(meeting, key, "clash", name, event, at) for key, event in keys.items() if key not in known]
        if known and not keys:
            found.append(_news(meeting, "", "clear", name, Seen(id=known[0].partition(":")[2]), at))
    return found


def still_told(
    rep: str, meetings: Sequence[Meeting], seen: Sequence[Seen], beside: Sequence[Seen] | None, told: Told
) -> dict[str, tuple[str, ...]]:
    """What holds of the meetings after this reading: what was read anew replaces what was told of it before. ``beside``
    is all there is at their times, None where that was not read."""
    after: dict[str, tuple[str, ...]] = {}
    for meeting in meetings:
        before = told.get(meeting.booking, ())
        event = event_of(meeting, seen)
        own = [k for k, _ in _changes(rep, meeting, event)] if event else [k for k in before if not k.startswith("clash:")]
        clashes = [key for key in before if key.startswith("clash:")]
        if beside is not None:
            clashes = [f"clash:{each.id}" for each in beside if is_foreign(each, meetings) and _overlap(meeting, each)]
        if own or clashes:
            after[meeting.booking] = (*own, *clashes)
    return after


def _changes(rep: str, meeting: Meeting, event: Seen) -> list[tuple[str, str]]:
    """(key, change) of all that the event says."""
    if event.gone:
        return [("removed", "removed")]
    found = []
    if not _in_place(rep, meeting, event) and event.start and event.end:
        found.append((f"moved:{event.rep or rep}@{event.start.isoformat()}/{event.end.isoformat()}", "moved"))
    if event.guest in ("accepted", "declined"):
        found.append((event.guest, event.guest))
    return found


def _in_place(rep: str, meeting: Meeting, event: Seen) -> bool:
    return not event.gone and (event.rep or rep, event.start, event.end) == (rep, meeting.start, meeting.end)


def _overlap(meeting: Meeting, event: Seen) -> bool:
    if event.gone or not event.busy or event.start is None or event.end is None:
        return False
    return event.start < meeting.end and meeting.start < event.end


def _news(meeting: Meeting, key: str, change: str, name: str, event: Seen, at: datetime) -> News:
    slot = None
    if change == "moved" and event.start and event.end:
        slot = Slot(id=f"{event.rep}@{event.start.isoformat()}", rep=event.rep, start=event.start, end=event.end)
    told = CalendarChanged.model_validate(
        {"at": at, "booking": meeting.booking, "change": change, "slot": slot, "event": event.id, "by": name}
    )
    return News(meeting=meeting, key=key, change=told)
