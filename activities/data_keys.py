"""The record's keys: each lead has a data key of its own, kept wrapped under the installation's encryption keys."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, select, update

from . import tables
from .settings import settings
from .vault import DataKey, Vault, WrappedKey


def rewrap() -> int:
    """Wrap every lead's key under the newest encryption key, after which older ones can be retired; how many
    were changed."""
    t, vault = tables.keys, _vault()
    changed = 0
    with tables.writing(settings().record_url) as db:
        for row in db.execute(select(t).where(t.c.key_id != vault.newest)).all():
            fresh = vault.rewrap(row.lead, _wrapped(row))
            values = {"key_id": fresh.key_id, "wrapped": fresh.wrapped}
            changed += db.execute(update(t).where(t.c.lead == row.lead).values(values)).rowcount
    return changed


def for_writing(db: Connection, lead: str) -> DataKey:
    """The lead's key, made when there is none yet; two processes that make one agree on the first."""
    t, vault = tables.keys, _vault()
    row = db.execute(select(t).where(t.c.lead == lead)).one_or_none()
    if row is None:
        fresh = vault.new_key(lead)
        values = {"serial": fresh.serial, "key_id": fresh.key_id, "wrapped": fresh.wrapped}
        db.execute(tables.insert(db, t).values(lead=lead, **values).on_conflict_do_nothing())
        row = db.execute(select(t).where(t.c.lead == lead)).one()
    return vault.open_key(lead, _wrapped(row))


def of(db: Connection, leads: Iterable[str]) -> dict[str, DataKey]:
    """The keys of ``leads``; those who were erased have none."""
    t, vault = tables.keys, _vault()
    rows = db.execute(select(t).where(t.c.lead.in_(set(leads))))
    return {row.lead: vault.open_key(row.lead, _wrapped(row)) for row in rows}


def _wrapped(row: Row[Any]) -> WrappedKey:
    return WrappedKey(serial=bytes(row.serial), key_id=row.key_id, wrapped=bytes(row.wrapped))


def _vault() -> Vault:
    return _vault_of(tuple(settings().encryption_keys.items()))


@functools.cache
def _vault_of(keys: tuple[tuple[str, bytes], ...]) -> Vault:
    return Vault(dict(keys))
