"""What a vendor knows of a number: the kind of its line, and whether it has gone to somebody else.

Off unless ``SHOWRATE_LOOKUPS`` names a vendor. An answer is kept in the record's database under the number's keyed hash
and believed for as long as the rule file says, so that each question is paid for once a period. A vendor that does not
answer leaves the question open; what that means is for the rule to say.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from sqlalchemy import Row, select
from temporalio.exceptions import ApplicationError

from workflows.rulebook import Line

from . import dials, tables
from .settings import settings
from .vendors import lookups
from .vendors.lookups import Answer

_LOG = logging.getLogger(__name__)
_WITHIN = 4.0
"""Seconds for one look-up: a call or text waits for it."""
_asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


def configured() -> bool:
    return settings().showrate_lookups != ""


async def look_up(
    phone: str, at: datetime, line: timedelta | None, heard_at: datetime | None, reassigned: timedelta | None
) -> Answer:
    """What is known of ``phone`` (E.164) at ``at``. ``line`` and ``reassigned`` say how old an answer may be that is kept
    already, None that it is not asked for; ``heard_at`` is when they last told us anything. Raises SQLAlchemyError when
    the record is away, ValueError without an identity key; a vendor that fails leaves its part None."""
    if not configured():
        return Answer()
    number = dials.handle(phone)
    async with _asking.setdefault(number, asyncio.Lock()):
        row = await asyncio.to_thread(_kept, number)
        known = Answer(line=_line(row, at, line), reassigned=_reassigned(row, at, heard_at, reassigned))
        ask_line = line is not None and known.line is None
        since = heard_at.date() if heard_at and reassigned is not None and known.reassigned is None else None
        if not ask_line and since is None:
            return known
        try:
            async with asyncio.timeout(_WITHIN):
                told = await lookups.look_up(phone, ask_line, since)
        except (ApplicationError, TimeoutError) as error:
            _LOG.warning("a number could not be looked up: %s", error if isinstance(error, ApplicationError) else "too slow")
            return known
        await asyncio.to_thread(_keep, number, at, told)
    return Answer(line=told.line or known.line, reassigned=told.reassigned or known.reassigned)


def peek(phone: str, at: datetime, line: timedelta, heard_at: datetime | None, reassigned: timedelta) -> Answer:
    """What is kept of ``phone``, without asking anybody."""
    row = _kept(dials.handle(phone))
    return Answer(line=_line(row, at, line), reassigned=_reassigned(row, at, heard_at, reassigned))


def _line(row: Row[tuple[object, ...]] | None, at: datetime, fresh: timedelta | None) -> Line | None:
    if row is None or fresh is None or row.line_at is None or row.line_at + fresh <= at:
        return None
    return Answer.model_validate({"line": row.line}).line


def _reassigned(
    row: Row[tuple[object, ...]] | None, at: datetime, heard_at: datetime | None, fresh: timedelta | None
) -> lookups.Reassigned | None:
    """An answer that is older than what they last told us is about somebody else, or about nobody any more."""
    if row is None or fresh is None or row.reassigned_at is None or row.reassigned_at + fresh <= at:
        return None
    if heard_at is not None and heard_at > row.reassigned_at:
        return None
    return Answer.model_validate({"reassigned": row.reassigned}).reassigned


def _kept(number: str) -> Row[tuple[object, ...]] | None:
    t = tables.numbers
    with tables.reading(settings().record_url) as db:
        return db.execute(select(t).where(t.c.handle == number)).one_or_none()


def _keep(number: str, at: datetime, told: Answer) -> None:
    t = tables.numbers
    values: dict[str, object] = {}
    if told.line is not None:
        values |= {"line": told.line, "line_at": at}
    if told.reassigned is not None:
        values |= {"reassigned": told.reassigned, "reassigned_at": at}
    if values:
        with tables.writing(settings().record_url) as db:
            adding = tables.insert(db, t).values(handle=number, **values)
            db.execute(adding.on_conflict_do_update(index_elements=[t.c.handle], set_=values))
