"""A rep's ledger: which times are held or booked, under which booking's id. Nothing personal, no clock of its own.

Every change is one pure step ``(ledger, request) -> (ledger, standing)``. A repeat under the same booking's id gets
the answer that it got before. A hold dies by being read after its time; the asker's instant is in each request.
Two meetings never stand booked within each other's buffers: whatever a hold said, a commit looks again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from .model import Duration, Instant, Model

MEMORY = timedelta(days=7)
"""How long after its end a claim is remembered: repeats come within minutes, and a longer past is the record's."""

_NOTHING = timedelta(0)


class Cap(Model):
    """At most ``most`` meetings may begin in [since, until); of ``kind`` alone, when it names one. ``why`` says it in
    words for people."""

    since: Instant
    until: Instant
    most: int
    kind: str = ""
    why: str = ""


class HoldTime(Model):
    """Hold [start, end) for ``booking`` until ``until``. ``before`` and ``after`` are the meeting's buffers;
    ``replaces`` is the booking that this one moves, which does not stand in its way. ``kind`` is the meeting type,
    ``caps`` what a meeting then must keep. ``lead`` is whose meeting it is. ``by_hand``: the rep put it there, so only
    another meeting at that very time is in its way, and no buffer."""

    booking: str = Field(min_length=1)
    start: Instant
    end: Instant
    now: Instant
    until: Instant
    before: Duration = _NOTHING
    after: Duration = _NOTHING
    replaces: str = ""
    kind: str = ""
    caps: tuple[Cap, ...] = ()
    lead: str = ""
    by_hand: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> HoldTime:
        if self.start >= self.end:
            raise ValueError("end must be after start")
        if self.until <= self.now:
            raise ValueError("until must be after now")
        if self.before < _NOTHING or self.after < _NOTHING:
            raise ValueError("a buffer cannot be negative")
        return self


class Commit(Model):
    """The event of ``booking`` stands in the calendar: the hold becomes a booking."""

    booking: str = Field(min_length=1)
    now: Instant
    event: str = ""


class Release(Model):
    """Give the time of ``booking`` back, held or booked."""

    booking: str = Field(min_length=1)
    now: Instant
    why: str = ""


class Claim(Model):
    """What the ledger knows under one booking's id."""

    start: Instant
    end: Instant
    state: Literal["held", "booked", "released", "refused"]
    before: Duration = _NOTHING
    after: Duration = _NOTHING
    until: Instant | None = None
    """When the hold dies."""
    replaces: str = ""
    kind: str = ""
    caps: tuple[Cap, ...] = ()
    """While it is held: a hold that died is counted anew when it is committed after all."""
    event: str = ""
    why: str = ""
    lead: str = ""
    by_hand: bool = False

    def live(self, now: Instant) -> bool:
        """Whether it keeps its time from others at ``now``."""
        if self.state == "held":
            return self.until is not None and now < self.until
        return self.state == "booked"

    def clashes(self, other: Claim) -> bool:
        """Whether the two are closer than the longer of the buffers between them."""
        return self.start < other.end + max(other.after, self.before) and other.start < self.end + max(
            self.after, other.before
        )

    def overlaps(self, other: Claim) -> bool:
        return self.start < other.end and other.start < self.end


class Standing(Model):
    """The answer to every request: whether it holds, how the booking now stands, and why not in words for people."""

    ok: bool
    state: Literal["held", "booked", "released", "refused", "unknown"]
    why: str = ""
    until: Instant | None = None
    event: str = ""


class Ledger(Model):
    """All of one rep's claims by booking. ``latest`` is the newest instant that any asker brought."""

    claims: dict[str, Claim] = Field(default_factory=dict)
    latest: Instant | None = None


class AskTaken(Model):
    """What keeps the rep busy between two instants, as ``now`` sees it, but for the booking ``ignore``."""

    since: Instant
    until: Instant
    now: Instant
    ignore: str = ""


class AskAhead(Model):
    """Which meetings are not over yet at ``now``?"""

    now: Instant


class Meeting(Model):
    """A booking that stands: whose it is, when, and its event in the calendar."""

    booking: str
    lead: str
    start: Instant
    end: Instant
    event: str = ""


class Ahead(Model):
    meetings: tuple[Meeting, ...] = ()


class TakenTime(Model):
    start: Instant
    end: Instant
    kind: str = ""
    state: Literal["held", "booked"] = "booked"
    before: Duration = _NOTHING
    after: Duration = _NOTHING


class Taken(Model):
    """``ignored`` is the time of the booking that the asker wanted left out: its event, called ``event``, stands in the
    calendar."""

    times: tuple[TakenTime, ...] = ()
    ignored: TakenTime | None = None
    event: str = ""


def hold(ledger: Ledger, asked: HoldTime) -> tuple[Ledger, Standing]:
    """Claim a time. Refused when it is past, or when another live claim is too close."""
    known = ledger.claims.get(asked.booking)
    if known and (known.start, known.end) != (asked.start, asked.end):
        return ledger, Standing(ok=False, state="refused", why="this booking was made for another time")
    if known and (known.state != "held" or known.live(asked.now)):
        return ledger, _standing(known)
    claim = Claim(
        start=asked.start,
        end=asked.end,
        state="held",
        before=asked.before,
        after=asked.after,
        until=asked.until,
        replaces=asked.replaces,
        kind=asked.kind,
        caps=asked.caps,
        lead=asked.lead,
        by_hand=asked.by_hand,
    )
    why = _in_the_way(ledger, asked.booking, claim, asked.now)
    if asked.start <= asked.now:
        why = "that time has passed"
    if why:
        claim = claim.model_copy(update={"state": "refused", "why": why, "until": None, "caps": ()})
    return _with(ledger, asked.booking, claim, asked.now), _standing(claim)


def commit(ledger: Ledger, asked: Commit) -> tuple[Ledger, Standing]:
    """Book what is held; also a hold that has died meanwhile, if nobody else took its time."""
    claim = ledger.claims.get(asked.booking)
    if claim is None:
        return ledger, Standing(ok=False, state="unknown", why="nothing is held for this booking")
    if claim.state != "held":
        return ledger, _standing(claim)
    why = _in_the_way(ledger, asked.booking, claim, asked.now)
    changes = {"state": "refused", "why": why} if why else {"state": "booked", "event": asked.event}
    claim = claim.model_copy(update={**changes, "until": None, "caps": ()})
    return _with(ledger, asked.booking, claim, asked.now), _standing(claim)


def release(ledger: Ledger, asked: Release) -> tuple[Ledger, Standing]:
    """Free the time. The booking's id is spent: a hold or commit that arrives later under it is refused, also when
    the ledger had never heard of it."""
    known = ledger.claims.get(asked.booking)
    if known and known.state in ("released", "refused"):
        return ledger, _standing(known, ok=True)
    if known:
        claim = known.model_copy(update={"state": "released", "why": asked.why, "until": None, "caps": ()})
    else:
        claim = Claim(start=asked.now, end=asked.now, state="released", why=asked.why)
    return _with(ledger, asked.booking, claim, asked.now), _standing(claim, ok=True)


def taken(ledger: Ledger, asked: AskTaken) -> Taken:
    """Every live claim that touches the range with its buffers, in order."""
    times = sorted(
        (
            claim
            for booking, claim in ledger.claims.items()
            if booking != asked.ignore
            and claim.live(asked.now)
            and claim.start - claim.before < asked.until
            and claim.end + claim.after > asked.since
        ),
        key=lambda claim: claim.start,
    )
    own = ledger.claims.get(asked.ignore)
    return Taken(
        times=tuple(_time(claim) for claim in times),
        ignored=_time(own) if own and own.live(asked.now) else None,
        event=own.event if own and own.live(asked.now) else "",
    )


def ahead(ledger: Ledger, asked: AskAhead) -> Ahead:
    """Every meeting that is booked and not over, in order."""
    standing = (
        Meeting(booking=booking, lead=claim.lead, start=claim.start, end=claim.end, event=claim.event)
        for booking, claim in ledger.claims.items()
        if claim.state == "booked" and claim.end > asked.now
    )
    return Ahead(meetings=tuple(sorted(standing, key=lambda meeting: meeting.start)))


def without_past(ledger: Ledger) -> Ledger:
    """The ledger to carry on with: claims that ended more than MEMORY before the newest instant are dropped."""
    if ledger.latest is None:
        return ledger
    since = ledger.latest - MEMORY
    kept = {booking: claim for booking, claim in ledger.claims.items() if claim.end + claim.after >= since}
    return ledger.model_copy(update={"claims": kept})


def _in_the_way(ledger: Ledger, booking: str, claim: Claim, now: Instant) -> str:
    for other_booking, other in ledger.claims.items():
        if other_booking in (booking, claim.replaces) or not other.live(now):
            continue
        if claim.overlaps(other) if claim.by_hand else claim.clashes(other):
            return "the time was taken" if other.state == "booked" else "somebody else is just booking that time"
    return next((cap.why for cap in claim.caps if _spent(ledger, booking, claim, cap, now)), "")


def _spent(ledger: Ledger, booking: str, claim: Claim, cap: Cap, now: Instant) -> bool:
    """Whether as many others as ``cap`` allows begin within it already."""
    others = sum(
        1
        for other_booking, other in ledger.claims.items()
        if other_booking not in (booking, claim.replaces)
        and other.live(now)
        and cap.since <= other.start < cap.until
        and (not cap.kind or other.kind == cap.kind)
    )
    return others >= cap.most


def _with(ledger: Ledger, booking: str, claim: Claim, now: Instant) -> Ledger:
    latest = max(ledger.latest, now) if ledger.latest else now
    return Ledger(claims={**ledger.claims, booking: claim}, latest=latest)


def _standing(claim: Claim, ok: bool | None = None) -> Standing:
    why = claim.why
    if claim.state == "released" and ok is None:
        why = f"this booking was released{': ' + claim.why if claim.why else ''}"
    return Standing(
        ok=claim.state in ("held", "booked") if ok is None else ok,
        state=claim.state,
        why=why,
        until=claim.until,
        event=claim.event,
    )


def _time(claim: Claim) -> TakenTime:
    state: Literal["held", "booked"] = "held" if claim.state == "held" else "booked"
    return TakenTime(
        start=claim.start, end=claim.end, kind=claim.kind, state=state, before=claim.before, after=claim.after
    )
