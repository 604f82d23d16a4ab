"""How far each endpoint was told, in the record's database: a cursor over the stream of entries, and beside it the
entries that wait to be tried again.

One process at a time delivers to an endpoint: it holds the row for a while and renews that. What a lead's earlier event
waits for, its later ones wait for too. All functions are synchronous and short, as in :mod:`activities.store`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update

from workflows.model import Instant, Model

from . import stream, tables
from .settings import settings

HELD = timedelta(seconds=90)
"""For this long a process that holds an endpoint may be silent; then another takes it."""


class State(Model):
    """An endpoint. Everything up to ``cursor`` was delivered or is parked. ``streak`` failures came in a row since
    ``failing_since``; nothing is sent before ``again_at``, nor while it is ``disabled_at``."""

    name: str
    cursor: int
    streak: int = 0
    failing_since: Instant | None = None
    again_at: Instant | None = None
    disabled_at: Instant | None = None
    why: str = ""
    delivered: int = 0
    delivered_at: Instant | None = None


class Parked(Model):
    """An event that could not be delivered yet: tried ``tries`` times, next at ``again_at``; given up when that is
    None."""

    endpoint: str
    seq: int
    lead: str
    tries: int
    again_at: Instant | None = None
    why: str = ""


class Sent(Model):
    """What became of an attempt. ``again_at`` None with ``ok`` false: given up."""

    seq: int
    lead: str
    ok: bool
    tries: int = 0
    again_at: Instant | None = None
    why: str = ""


def take(name: str, holder: str, now: datetime) -> State | None:
    """Hold the endpoint, or go on holding it; None while another process does. One that was never seen begins with
    what happens from now on."""
    t = tables.endpoints
    newest = stream.last_seq()
    with tables.writing(_url()) as db:
        db.execute(tables.insert(db, t).values(name=name, cursor=newest).on_conflict_do_nothing())
        free = or_(t.c.holder.in_(("", holder)), t.c.held_until.is_(None), t.c.held_until < now)
        held = update(t).where(t.c.name == name, free).values(holder=holder, held_until=now + HELD)
        if not db.execute(held).rowcount:
            return None
        return State.model_validate(db.execute(select(t).where(t.c.name == name)).one()._asdict())


def let_go(holder: str) -> None:
    """Another process may take over at once."""
    t = tables.endpoints
    with tables.writing(_url()) as db:
        db.execute(update(t).where(t.c.holder == holder).values(holder="", held_until=None))


def states() -> list[State]:
    """Every endpoint that was ever delivered to, by name."""
    t = tables.endpoints
    with tables.reading(_url()) as db:
        return [State.model_validate(row._asdict()) for row in db.execute(select(t).order_by(t.c.name))]


def parked(name: str = "") -> list[Parked]:
    """What waits or was given up, in order."""
    t = tables.parked
    where = [t.c.endpoint == name] if name else []
    with tables.reading(_url()) as db:
        rows = db.execute(select(t).where(*where).order_by(t.c.endpoint, t.c.seq))
        return [Parked.model_validate(row._asdict()) for row in rows]


def due(name: str, now: datetime, limit: int) -> list[str]:
    """The leads whose first waiting event is to be tried again."""
    t = tables.parked
    first = select(t.c.lead, func.min(t.c.seq).label("seq")).where(t.c.endpoint == name, t.c.again_at.is_not(None))
    firsts = first.group_by(t.c.lead).subquery()
    asked = select(t.c.lead).join(firsts, t.c.seq == firsts.c.seq).where(t.c.endpoint == name, t.c.again_at <= now)
    with tables.reading(_url()) as db:
        return list(db.execute(asked.order_by(t.c.seq).limit(limit)).scalars())


def waiting(name: str, lead: str) -> list[Parked]:
    """The events of ``lead`` that wait, in order."""
    t = tables.parked
    where = (t.c.endpoint == name, t.c.lead == lead, t.c.again_at.is_not(None))
    with tables.reading(_url()) as db:
        return [Parked.model_validate(row._asdict()) for row in db.execute(select(t).where(*where).order_by(t.c.seq))]


def blocked(name: str) -> set[str]:
    """The leads of whom an event waits."""
    t = tables.parked
    with tables.reading(_url()) as db:
        where = (t.c.endpoint == name, t.c.again_at.is_not(None))
        return set(db.execute(select(t.c.lead).where(*where).distinct()).scalars())


def note(name: str, sent: Sequence[Sent], now: datetime, cursor: int | None = None) -> None:
    """Write down what became of some attempts: the delivered are forgotten, the others parked. With ``cursor``,
    everything up to it was in them, or was parked before."""
    t, e = tables.parked, tables.endpoints
    good = [one.seq for one in sent if one.ok]
    with tables.writing(_url()) as db:
        if good:
            db.execute(delete(t).where(t.c.endpoint == name, t.c.seq.in_(good)))
            done = {"delivered": e.c.delivered + len(good), "delivered_at": now}
            db.execute(update(e).where(e.c.name == name).values(done))
        for one in sent:
            if not one.ok:
                values = {"lead": one.lead, "tries": one.tries, "again_at": one.again_at, "why": one.why}
                adding = tables.insert(db, t).values(endpoint=name, seq=one.seq, **values)
                db.execute(adding.on_conflict_do_update(index_elements=[t.c.endpoint, t.c.seq], set_=values))
        if cursor is not None:
            db.execute(update(e).where(e.c.name == name).values(cursor=cursor))


def mark(state: State) -> None:
    """Write down how the endpoint does: its streak, until when it is left alone, whether it is switched off."""
    t = tables.endpoints
    names = ("streak", "failing_since", "again_at", "disabled_at", "why")
    with tables.writing(_url()) as db:
        db.execute(update(t).where(t.c.name == state.name).values({name: getattr(state, name) for name in names}))


def enable(name: str) -> bool:
    """Deliver again from where it stopped, and at once what waits; False when there is no such endpoint."""
    e, t = tables.endpoints, tables.parked
    fresh = {"streak": 0, "failing_since": None, "again_at": None, "disabled_at": None, "why": ""}
    with tables.writing(_url()) as db:
        known = db.execute(update(e).where(e.c.name == name).values(fresh)).rowcount
        soon = update(t).where(t.c.endpoint == name, t.c.again_at.is_not(None))
        db.execute(soon.values(again_at=datetime.fromtimestamp(0).astimezone()))
    return bool(known)


def _url() -> str:
    return settings().record_url
