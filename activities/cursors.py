"""How far each rep's calendar was read, and which push channels bring a reading forward.

It stands in the record's database: the web process, which takes the pushes, and the worker, which reads, both have it at
hand, each reading is one row written, and no workflow's history grows by it. Nothing is decided by it: what is booked
stands in the ledgers, and what stands in a calendar is asked of the calendar. A row that is lost costs one whole
reading. Rows hold reps' ids, instants, and ids and tokens of the vendor; a calendar's address only as a digest.

All functions are synchronous and short, as in :mod:`activities.store`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping

from pydantic import Field
from sqlalchemy import Row, delete, select, update

from workflows.model import Instant, Model

from . import tables
from .settings import settings

PUSH_PATH = "/google/push"
"""Where Google posts to, under the public address."""


class Cursor(Model):
    """One rep's. ``told`` is what the leads were told of their bookings' events and still holds; ``pushed`` counts the
    pushes that came, ``heeded`` those that the last reading knew of. ``trouble`` says why it cannot be read, ``since``
    when; before ``watch_after`` no push channel is asked for."""

    rep: str
    calendar: str = ""
    token: str = ""
    read_at: Instant | None = None
    told: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    trouble: str = ""
    since: Instant | None = None
    watch_after: Instant | None = None
    pushed: int = 0
    heeded: int = 0


class Watching(Model):
    """A push channel of ours; ``resource`` is the vendor's name of what it watches, empty while it is being opened."""

    channel: str
    rep: str
    resource: str = ""
    opened: Instant
    expires: Instant

    def fresh(self, now: Instant) -> bool:
        """Whether it lasts: a channel is replaced when a quarter of its life is left."""
        return self.resource != "" and now < self.opened + (self.expires - self.opened) * 0.75


def digest(calendar: str) -> str:
    """Tells one calendar from another without naming it."""
    return hashlib.sha256(calendar.encode()).hexdigest()[:16]


def secret(channel: str) -> str:
    """The token that only a push of this channel brings along. Raises ValueError when no link key is set."""
    key = settings().showrate_link_key
    if len(key) < 32:
        raise ValueError("SHOWRATE_LINK_KEY is missing or short; `showrate setup --new-keys` prints one")
    return hmac.new(key.encode(), f"showrate push channel {channel}".encode(), hashlib.sha256).hexdigest()


def cursors() -> dict[str, Cursor]:
    """By rep."""
    with tables.reading(_url()) as db:
        return {row.rep: _cursor(row) for row in db.execute(select(tables.cursors))}


def unread() -> list[Cursor]:
    """Those whose calendar could not be read the last time, longest first."""
    return sorted((each for each in cursors().values() if each.since is not None), key=lambda each: str(each.since))


def keep(cursor: Cursor) -> None:
    """Write what the reader knows; the count of pushes is not its to write."""
    names = ("calendar", "token", "read_at", "trouble", "since", "watch_after", "heeded")
    values = {name: getattr(cursor, name) for name in names} | {"told": json.dumps(dict(cursor.told))}
    t = tables.cursors
    with tables.writing(_url()) as db:
        adding = tables.insert(db, t).values(rep=cursor.rep, **values)
        db.execute(adding.on_conflict_do_update(index_elements=[t.c.rep], set_=values))


def forget(rep: str) -> None:
    """Of a rep who is in no team any more."""
    with tables.writing(_url()) as db:
        db.execute(delete(tables.cursors).where(tables.cursors.c.rep == rep))


# ---- pushes --------------------------------------------------------------------------------------------------------


def watching() -> list[Watching]:
    """Every channel, oldest first."""
    t = tables.channels
    with tables.reading(_url()) as db:
        return [Watching.model_validate(row._asdict()) for row in db.execute(select(t).order_by(t.c.opened))]


def watch(channel: Watching) -> None:
    """Remember a channel, or what has become known of it."""
    t = tables.channels
    values = {"rep": channel.rep, "resource": channel.resource, "opened": channel.opened, "expires": channel.expires}
    with tables.writing(_url()) as db:
        adding = tables.insert(db, t).values(channel=channel.channel, **values)
        db.execute(adding.on_conflict_do_update(index_elements=[t.c.channel], set_=values))


def unwatch(channel: str) -> None:
    with tables.writing(_url()) as db:
        db.execute(delete(tables.channels).where(tables.channels.c.channel == channel))


def pushed(channel: str, resource: str, message: int) -> bool | None:
    """Note a push: whether its calendar is to be read for it. None when there is no such channel, or when it watches
    something else. A message that came before, or that a later one of its channel has overtaken, counts as one."""
    t, c = tables.channels, tables.cursors
    with tables.writing(_url()) as db:
        known = db.execute(select(t).where(t.c.channel == channel)).one_or_none()
        if known is None or known.resource not in ("", resource):
            return None
        newer = db.execute(update(t).where(t.c.channel == channel, t.c.message < message).values(message=message))
        if newer.rowcount:
            db.execute(tables.insert(db, c).values(rep=known.rep).on_conflict_do_nothing())
            db.execute(update(c).where(c.c.rep == known.rep).values(pushed=c.c.pushed + 1))
        row = db.execute(select(c.c.pushed, c.c.heeded).where(c.c.rep == known.rep)).one_or_none()
        return row is not None and row.pushed > row.heeded


def _cursor(row: Row[tuple[object, ...]]) -> Cursor:
    values = row._asdict()
    return Cursor.model_validate({**values, "told": json.loads(values["told"])})


def _url() -> str:
    return settings().record_url
