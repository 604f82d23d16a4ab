"""Writing the record from an activity."""

from __future__ import annotations

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from workflows.effects import Reflection

from . import faults, health, store
from .vault import Unreadable


async def write(reflection: Reflection) -> None:
    """Bring the record up to ``reflection``; idempotent. Raises faults.retry when the database is away or
    busy and when a key is missing, which an operator can put right while the lead waits."""
    try:
        added = await asyncio.to_thread(store.write, reflection)
    except (SQLAlchemyError, Unreadable) as error:
        raise faults.retry(f"the record could not be written: {type(error).__name__}") from error
    if added:  # a repeat tells nothing new
        health.calls(reflection.lead, reflection.entries)
