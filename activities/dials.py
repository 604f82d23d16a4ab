"""The log of dials by number: what the caps on attempts count, over all leads and both carriers.

A dial is written down before the carrier is asked for it, so that one that was lost in a crash counts as made; it is
struck out again only when the carrier surely did not take it. A number is known by its keyed hash, which no erasure takes
away, like an opt-out: whose it was goes, and how often it rang stays for as long as a cap may look back.

All functions are synchronous and short, as in :mod:`activities.store`. Instants are UTC.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, func, select, text

from workflows import identity
from workflows.model import Instant, Model
from workflows.rulebook import LONGEST_CAP

from . import tables
from .settings import settings


class Past(Model):
    """The dials of a number that a cap may count, oldest first, as of ``newest``, the last one's place in the log."""

    dials: tuple[Instant, ...] = ()
    newest: int = 0


def handle(phone: str) -> str:
    """How the log knows ``phone`` (E.164). Raises ValueError when there is no identity key."""
    return identity.handle_id(settings().identity_key, phone)


def past(number: str, at: datetime) -> Past:
    """What is known of the number of this handle at ``at``."""
    t = tables.dials
    with tables.reading(_url()) as db:
        asked = select(t.c.seq, t.c.at).where(t.c.handle == number, t.c.at > at - LONGEST_CAP)
        rows = db.execute(asked.order_by(t.c.at)).all()
    return Past(dials=tuple(row.at for row in rows), newest=max((row.seq for row in rows), default=0))


def claim(number: str, at: datetime, lead: str, attempt: str, seen: Past) -> int | None:
    """Write down the dial ``attempt`` of ``lead`` at ``at``, and its place in the log; None when another dial of the
    number came in between, so that what was judged on ``seen`` has to be judged anew."""
    t = tables.dials
    with tables.writing(_url()) as db:
        _alone(db, number)
        known = select(func.max(t.c.seq)).where(t.c.handle == number, t.c.at > at - LONGEST_CAP)
        if (db.execute(known).scalar() or 0) > seen.newest:
            return None
        db.execute(delete(t).where(t.c.at < at - LONGEST_CAP))
        row = tables.insert(db, t).values(handle=number, at=at, lead=lead, attempt=attempt).returning(t.c.seq)
        return int(db.execute(row).scalar_one())


def strike(place: int) -> None:
    """The dial at this place surely did not go out."""
    with tables.writing(_url()) as db:
        db.execute(delete(tables.dials).where(tables.dials.c.seq == place))


def _alone(db: Connection, number: str) -> None:
    """Two dials of one number are written one after the other. SQLite has one writer anyhow."""
    if db.dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:number, 0))"), {"number": number})


def _url() -> str:
    return settings().record_url
