"""The record's index from handles to leads: numbers, addresses and CRM ids, all hashed, and the ids of leads that were
merged into others, which lead on to those."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from sqlalchemy import Connection, delete, select

from workflows import identity

from . import tables
from .settings import settings

Kind = Literal["phone", "email", "crm"]
_POINTER = "lead"
"""The kind of a handle that is the id of a lead which was merged into another."""


def lead_of(handle: str) -> str:
    """The lead that a call or text from this handle (hash) belongs to: of several the one last heard of, the lead of
    the handle itself when nobody has it."""
    return next(iter(leads_of(handle)), identity.lead_id(handle))


def leads_of(handle: str) -> list[str]:
    """The ids of the leads that have this handle (its hash), the last heard of first. One that was merged leads to the
    lead that goes on."""
    h, t = tables.handles, tables.leads
    asked = select(h.c.lead).outerjoin(t, t.c.lead == h.c.lead).where(h.c.handle == handle)
    with tables.reading(settings().record_url) as db:
        return list(db.execute(asked.order_by(t.c.updated_at.desc().nulls_last(), h.c.lead)).scalars())


def of(lead: str) -> set[str]:
    """All that ``lead`` is known by (hashes)."""
    h = tables.handles
    asked = select(h.c.handle).where(h.c.lead == lead, h.c.kind != _POINTER)
    with tables.reading(settings().record_url) as db:
        return set(db.execute(asked).scalars())


def survivor(lead: str) -> str:
    """The lead that goes on with the story of ``lead``: itself unless it was merged."""
    h = tables.handles
    asked = select(h.c.lead).where(h.c.handle == lead, h.c.kind == _POINTER)
    with tables.reading(settings().record_url) as db:
        found: str | None = db.execute(asked).scalars().first()
        return found or lead


def absorbed(db: Connection, lead: str) -> list[str]:
    """The leads that were merged into ``lead``."""
    h = tables.handles
    asked = select(h.c.handle).where(h.c.lead == lead, h.c.kind == _POINTER)
    return list(db.execute(asked.order_by(h.c.handle)).scalars())


def holders(db: Connection, handles: Iterable[str]) -> list[str]:
    """The leads that have any of these handles."""
    h = tables.handles
    wanted = select(h.c.lead).where(h.c.handle.in_(list(handles)), h.c.kind != _POINTER)
    return list(dict.fromkeys(db.execute(wanted.order_by(h.c.lead)).scalars()))


def kinds(db: Connection, leads: Sequence[str]) -> dict[str, dict[Kind, frozenset[str]]]:
    """All handles of each of ``leads``, by kind."""
    h = tables.handles
    found: dict[str, dict[Kind, frozenset[str]]] = {
        lead: {"phone": frozenset(), "email": frozenset(), "crm": frozenset()} for lead in leads
    }
    for row in db.execute(select(h).where(h.c.lead.in_(leads), h.c.kind != _POINTER)):
        found[row.lead][row.kind] |= {row.handle}
    return found


def keep(db: Connection, handle: str, lead: str, kind: str) -> None:
    """``lead`` has this handle from now on."""
    adding = tables.insert(db, tables.handles).values(handle=handle, lead=lead, kind=kind)
    db.execute(adding.on_conflict_do_nothing())


def learn(lead: str, addresses: Iterable[str]) -> None:
    """``lead`` has these addresses (hashes) too, which no form brought. Raises SQLAlchemyError."""
    with tables.writing(settings().record_url) as db:
        for address in addresses:
            keep(db, address, lead, "email")


def point(db: Connection, lead: str, into: str) -> None:
    """``lead`` was merged into ``into``: its handles, its own id and what was merged into it before lead there."""
    h = tables.handles
    db.execute(delete(h).where(h.c.handle == into, h.c.lead == lead))  # it had gone into that one, which is gone
    for row in db.execute(select(h).where(h.c.lead == lead)).all():
        keep(db, row.handle, into, row.kind)
    db.execute(delete(h).where(h.c.lead == lead))
    keep(db, lead, into, _POINTER)


def let_go(db: Connection, lead: str, handles: Iterable[str]) -> None:
    """These handles are not this lead's: a number turned out to be somebody else's."""
    h = tables.handles
    db.execute(delete(h).where(h.c.lead == lead, h.c.handle.in_(list(handles)), h.c.kind != _POINTER))

