"""The record's tables, and how its database is opened: SQLite unless a URL names PostgreSQL.

Plain columns hold ids, stages, instants and counts; whatever a person said or is called is sealed.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Dialect,
    Engine,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.types import TypeDecorator

_BUSY = 15.0
"""Seconds that a writer waits for another process's short transaction."""
_SCHEMA = "1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Moment(TypeDecorator[datetime]):
    """An aware datetime, kept as microseconds since 1970 UTC: it sorts alike in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


metadata = MetaData()

leads = Table(
    "leads",
    metadata,
    Column("lead", String(80), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("stage", String(40), nullable=False, default=""),
    Column("furthest", String(40), nullable=False, default=""),
    Column("disposition", String(40), nullable=False, default=""),
    Column("source", String(200), nullable=False, default=""),
    Column("audience", String(80), nullable=False, default=""),
    Column("owner", String(80), nullable=False, default=""),
    Column("playbook", String(40), nullable=False, default=""),
    Column("review", Text, nullable=False, default=""),
    Column("meeting_outcome", String(40), nullable=False, default=""),
    Column("first_form_at", Moment),
    Column("first_ring_at", Moment),
    Column("updated_at", Moment),
    Column("person_version", Integer, nullable=False, default=-1),
    Column("person", LargeBinary),
    Column("sealed", LargeBinary),
    Column("memory_version", Integer, nullable=False, default=-1),
    Column("memory", LargeBinary),
    Column("erased_at", Moment),
    Index("leads_by_update", "updated_at"),
    Index("leads_by_form", "first_form_at"),
)

milestones = Table(
    "milestones",
    metadata,
    Column("lead", String(80), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("at", Moment, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("lead", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", String(24), nullable=False),
    Column("nth", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("kind", String(60), nullable=False),
    Column("rule", String(120), nullable=False, default=""),
    Column("sealed", LargeBinary),
    UniqueConstraint("lead", "version", "digest", "nth", name="entries_once"),
    sqlite_autoincrement=True,
)

handles = Table(
    "handles",
    metadata,
    Column("handle", String(64), primary_key=True),
    Column("lead", String(80), primary_key=True),
    Column("kind", String(10), nullable=False),
)

calls = Table(
    "calls",
    metadata,
    Column("lead", String(80), primary_key=True),
    Column("attempt", String(80), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("inbound", Boolean, nullable=False),
    Column("seconds", Integer, nullable=False),
    Column("status", String(40), nullable=False),
    Column("disposition", String(40), nullable=False),
    Column("sealed", LargeBinary),
)

keys = Table(
    "keys",
    metadata,
    Column("lead", String(80), primary_key=True),
    Column("serial", LargeBinary, nullable=False),
    Column("key_id", String(80), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)

playbooks = Table(
    "playbooks",
    metadata,
    Column("hash", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("audience", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("content", Text, nullable=False),
)

reviews = Table(
    "reviews",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("lead", String(80), nullable=False),
    Column("item", Text, nullable=False),
    Column("kind", String(60), nullable=False),
    Column("since", Moment, nullable=False),
    Column("due", Moment),
    Column("worth", Float, nullable=False, default=0.0),
    Column("why", Text, nullable=False, default=""),
    Column("closed_at", Moment),
    Column("way", String(20), nullable=False, default=""),
    Column("by", String(120), nullable=False, default=""),
    Column("sealed", LargeBinary),
    UniqueConstraint("lead", "item", "since", name="reviews_once"),
    Index("reviews_open", "closed_at"),
    sqlite_autoincrement=True,
)

cursors = Table(
    "cursors",
    metadata,
    Column("rep", String(80), primary_key=True),
    Column("calendar", String(16), nullable=False, default=""),
    Column("token", Text, nullable=False, default=""),
    Column("read_at", Moment),
    Column("told", Text, nullable=False, default="{}"),
    Column("trouble", Text, nullable=False, default=""),
    Column("since", Moment),
    Column("watch_after", Moment),
    Column("pushed", Integer, nullable=False, default=0),
    Column("heeded", Integer, nullable=False, default=0),
)

channels = Table(
    "channels",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("rep", String(80), nullable=False),
    Column("resource", String(200), nullable=False, default=""),
    Column("opened", Moment, nullable=False),
    Column("expires", Moment, nullable=False),
    Column("message", BigInteger, nullable=False, default=0),
)

dials = Table(
    "dials",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("handle", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("lead", String(80), nullable=False),
    Column("attempt", String(80), nullable=False),
    Index("dials_by_handle", "handle", "at"),
    Index("dials_by_time", "at"),
    sqlite_autoincrement=True,
)

endpoints = Table(
    "endpoints",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("cursor", BigInteger, nullable=False),
    Column("holder", String(80), nullable=False, default=""),
    Column("held_until", Moment),
    Column("streak", Integer, nullable=False, default=0),
    Column("failing_since", Moment),
    Column("again_at", Moment),
    Column("disabled_at", Moment),
    Column("why", Text, nullable=False, default=""),
    Column("delivered", BigInteger, nullable=False, default=0),
    Column("delivered_at", Moment),
)

parked = Table(
    "parked",
    metadata,
    Column("endpoint", String(80), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("lead", String(80), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("again_at", Moment),
    Column("why", Text, nullable=False, default=""),
)

troubles = Table(
    "troubles",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("since", Moment),
    Column("failures", Integer, nullable=False, default=0),
    Column("leads", Integer, nullable=False, default=0),
    Column("affects", Text, nullable=False, default=""),
    Column("why", Text, nullable=False, default=""),
    Column("holder", String(80), nullable=False, default=""),
    Column("seen_at", Moment),
    Column("told_at", Moment),
    Column("told_since", Moment),
    Column("told_failures", Integer, nullable=False, default=0),
)

digests = Table(
    "digests",
    metadata,
    Column("team", String(80), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("claimed_at", Moment),
    Column("posted_at", Moment),
)

numbers = Table(
    "numbers",
    metadata,
    Column("handle", String(64), primary_key=True),
    Column("line", String(20)),
    Column("line_at", Moment),
    Column("reassigned", String(10)),
    Column("reassigned_at", Moment),
)

meta = Table(
    "meta",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("value", Text, nullable=False),
)


def insert(db: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT of this database's kind, both of which know ON CONFLICT."""
    return postgresql.insert(table) if db.dialect.name == "postgresql" else sqlite.insert(table)


@contextmanager
def reading(url: str) -> Iterator[Connection]:
    """A connection that reads one consistent state."""
    with engine(url).connect() as db:
        yield db


@contextmanager
def writing(url: str) -> Iterator[Connection]:
    """One transaction, committed at the end. On SQLite it takes the write lock at once, so that two processes
    queue up in place of failing on each other."""
    with engine(url).connect().execution_options(showrate_writes=True) as db, db.begin():
        yield db


def in_turn(db: Connection) -> None:
    """From here to the end of the transaction nobody else writes entries, so that those who read on from the last ``seq``
    that they saw miss none: a number given earlier is never committed later. SQLite has one writer anyway."""
    if db.dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(hashtext('showrate entries'))"))


@functools.cache
def engine(url: str) -> Engine:
    """The process's engine for the record at ``url``, its tables made if they are missing. Raises
    RuntimeError when a newer Showrate wrote it."""
    address = make_url(url)
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() != "sqlite":
        made = create_engine(address, pool_pre_ping=True)
    else:
        if address.database:
            Path(address.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = create_engine(address, connect_args={"timeout": _BUSY})
        event.listen(made, "connect", _set_up_sqlite)
        event.listen(made, "begin", _begin_sqlite)
        _use_wal(made)
    _create(made)
    return made


def _set_up_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # else the driver begins transactions of its own, and late
    # A power cut may take the last moments of the record, which Temporal's history still has; never its
    # sense.
    connection.execute("PRAGMA synchronous=NORMAL")
    # What is erased is overwritten in the file as well.
    connection.execute("PRAGMA secure_delete=ON")


def _begin_sqlite(db: Connection) -> None:
    writes = db.get_execution_options().get("showrate_writes")
    db.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _use_wal(made: Engine) -> None:
    """Readers and one writer at a time, from several processes. The switch does not wait for a lock by
    itself."""
    deadline = time.monotonic() + _BUSY
    while True:
        connection = made.raw_connection()
        try:
            connection.cursor().execute("PRAGMA journal_mode=WAL")
            return
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        finally:
            connection.close()


def _create(made: Engine) -> None:
    for attempt in (1, 2, 3):
        try:
            with made.connect().execution_options(showrate_writes=True) as db, db.begin():
                for table in metadata.sorted_tables:
                    db.execute(CreateTable(table, if_not_exists=True))
                    for index in sorted(table.indexes, key=lambda i: i.name or ""):
                        db.execute(CreateIndex(index, if_not_exists=True))
                db.execute(insert(db, meta).values(name="schema", value=_SCHEMA).on_conflict_do_nothing())
                found = db.execute(select(meta.c.value).where(meta.c.name == "schema")).scalar_one()
            break
        except (IntegrityError, ProgrammingError, OperationalError):
            # PostgreSQL lets two processes that create the same table collide; the second look finds it.
            if attempt == 3:
                raise
            time.sleep(0.2 * attempt)
    if int(found) > int(_SCHEMA):
        raise RuntimeError(
            f"the record has schema {found} and this Showrate knows {_SCHEMA}; run the newer version"
        )


def forget_traces(url: str) -> None:
    """After an erasure: empty SQLite's write-ahead log, in which the old pages still stand."""
    if engine(url).dialect.name == "sqlite":
        connection = engine(url).raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
