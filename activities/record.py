"""Writing the record from an activity."""

from __future__ import annotations

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from workflows.effects import Reflection
from workflows.events import Meet

from . import claims, faults, health, store
from .vault import Unreadable


async def write(reflection: Reflection) -> tuple[Meet, ...]:
    """Bring the record up to ``reflection``; idempotent. Of a new or changed person: the other leads that share one of
    their handles. Raises faults.retry when the database is away or
    busy and when a key is missing, which an operator can put right while the lead waits."""
    try:
        return await asyncio.to_thread(written, reflection)
    except (SQLAlchemyError, Unreadable) as error:
        raise faults.retry(f"the record could not be written: {type(error).__name__}") from error


def written(reflection: Reflection) -> tuple[Meet, ...]:
    """Write it, in this thread. Raises SQLAlchemy's errors."""
    if store.write(reflection):  # a repeat tells nothing new
        health.calls(reflection.lead, reflection.entries)
    if reflection.form is None or reflection.merged_into:
        return ()
    return claims.others(reflection.form, reflection.lead)
