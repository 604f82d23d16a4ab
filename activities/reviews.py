"""The review queue's part of the record: what a person should look at, and what was done about it.

A lead tells all of its open items each time; one that is not among them any more is closed, by whom it says, else as
overtaken. What is personal in an item is sealed under its lead's key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, select, update

from workflows.effects import Reflection
from workflows.messages import Item, Resolved

from . import tables
from .vault import DataKey


def write(db: Connection, key: DataKey, news: Reflection) -> None:
    """Bring the lead's items up to ``news``, which is the newest of it. Idempotent."""
    t = tables.reviews
    for item in news.items:
        plain = {"due": item.due, "worth": item.worth, "why": item.why}
        adding = tables.insert(db, t).values(**_place(news.lead, item.id, item.since), kind=item.kind, sealed=_seal(key, item), **plain)
        db.execute(adding.on_conflict_do_update(index_elements=[t.c.lead, t.c.item, t.c.since], set_=plain, where=t.c.closed_at.is_(None)))
    for done in news.resolved:
        _close(db, key, news.lead, done)
    stands = [(item.id, item.since) for item in news.items]
    rows = db.execute(select(t.c.number, t.c.item, t.c.since).where(t.c.lead == news.lead, t.c.closed_at.is_(None))).all()
    gone = [row.number for row in rows if (row.item, row.since) not in stands]
    if gone:
        db.execute(update(t).where(t.c.number.in_(gone)).values(closed_at=news.now))


def _close(db: Connection, key: DataKey, lead: str, done: Resolved) -> None:
    """Note who resolved it; also what came up and was resolved between two of the lead's tellings."""
    t = tables.reviews
    where = [t.c.lead == lead, t.c.item == done.item, t.c.since == (done.since or done.at)]
    known = db.execute(select(t).where(*where)).one_or_none()
    if known is None:
        item = Item(id=done.item, kind=done.kind, since=done.since or done.at)
        db.execute(tables.insert(db, t).values(**_place(lead, item.id, item.since), kind=item.kind, sealed=_seal(key, item)))
        known = db.execute(select(t).where(*where)).one()
    if known.way:
        return
    sealed = key.seal({**((key.open(known.sealed)) or {}), "done": done.words})
    db.execute(update(t).where(t.c.number == known.number).values(closed_at=done.at, way=done.way, by=done.by[:120], sealed=sealed))


def read(row: Row[Any], key: DataKey | None) -> dict[str, Any]:
    """A row as the fields of :class:`activities.store.Filed`, without its lead."""
    told = (key.open(row.sealed) if key else None) or {}
    item = Item(
        id=row.item, kind=row.kind, since=row.since, about=told.get("about", ""), words=told.get("words", ""), due=row.due,
        worth=row.worth, why=row.why,
    )  # fmt: skip
    return {
        "number": row.number, "item": item, "closed_at": row.closed_at, "way": row.way, "by": row.by,
        "words": told.get("done", ""),
    }  # fmt: skip


def _place(lead: str, item: str, since: Any) -> Mapping[str, Any]:
    return {"lead": lead, "item": item, "since": since}


def _seal(key: DataKey, item: Item) -> bytes:
    return key.seal({"about": item.about, "words": item.words})
