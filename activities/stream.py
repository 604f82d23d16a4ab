"""The entries of all leads as one stream, in the order in which they were written: what outgoing webhooks are fed from.

All functions are synchronous and short, as in :mod:`activities.store`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from workflows.effects import Entry
from workflows.model import Model

from . import data_keys, tables
from .settings import settings
from .store import STAGE, entry_of


class Told(Model):
    """One entry and its place among all leads' entries: ``seq`` only grows. ``number`` counts those of its lead from 1,
    ``stage`` is where the lead stood then, and ``erased`` says that nothing but its kind and time is left."""

    seq: int
    number: int
    lead: str
    stage: str
    entry: Entry
    erased: bool = False


def tail(after: int = 0, limit: int = 500) -> list[Told]:
    """Entries of all leads with ``seq`` above ``after``, in the order in which they were written."""
    return _told(tables.entries.c.seq > after, limit=limit)


def told(seqs: Iterable[int]) -> list[Told]:
    """The entries of these numbers, in their order."""
    return _told(tables.entries.c.seq.in_(set(seqs)))


def last_seq() -> int:
    """The number of the newest entry; 0 when there is none."""
    with tables.reading(settings().record_url) as db:
        return db.execute(select(func.max(tables.entries.c.seq))).scalar_one() or 0


def first_seq(since: datetime) -> int:
    """The number of the first entry of what happened at or after ``since``; one past the newest when there is none."""
    t = tables.entries
    with tables.reading(settings().record_url) as db:
        found = db.execute(select(func.min(t.c.seq)).where(t.c.at >= since)).scalar_one()
    return found or last_seq() + 1


def _told(*where: ColumnElement[bool], limit: int | None = None) -> list[Told]:
    t, before = tables.entries, tables.entries.alias()
    earlier = (before.c.lead == t.c.lead, before.c.seq <= t.c.seq)
    number = select(func.count()).where(*earlier).scalar_subquery()
    stages = select(before.c.kind).where(*earlier, before.c.kind.startswith(STAGE, autoescape=True))
    stage = stages.order_by(before.c.seq.desc()).limit(1).scalar_subquery()
    with tables.reading(settings().record_url) as db:
        asked = select(t, number.label("number"), stage.label("stage")).where(*where)
        rows = db.execute(asked.order_by(t.c.seq).limit(limit)).all()
        opened = data_keys.of(db, [row.lead for row in rows])
    return [
        Told(
            seq=r.seq, number=r.number, lead=r.lead, stage=(r.stage or "new").removeprefix(STAGE),
            entry=entry_of(r, opened.get(r.lead)), erased=r.sealed is None,
        )
        for r in rows
    ]  # fmt: skip
