"""One day of a team, from the record: what was done, what came of it, what went wrong, and what is stuck.

All functions are synchronous, as in :mod:`activities.store`; they read and change nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy import ColumnElement, Connection, Row, func, select

from workflows.model import Instant, Model
from workflows.roster import Team

from . import data_keys, installation, store, tables
from .settings import settings
from .store import STAGE
from .vault import DataKey

FUNNEL = ("form", "attempting", "contacted", "qualified", "booked", "confirmed", "showed")
"""The milestones of the picture."""
PICTURED = timedelta(days=30)
"""The people of whom the picture tells: whose first form came in so long before the day's end."""
NAMED = 8
"""So many people are named under one heading; the others are counted."""
_AHEAD = timedelta(days=1)
"""A meeting that begins within this after the day, and nobody said yes to it, lacks its confirmation."""
_MEETS = ("booked", "rescheduled", "recovered", "confirmed")
_OUTCOMES = ("booked", "rescheduled", "confirmed", "showed", "no_show", "recovered")
_MESS = {
    "booking_refused": "bookings that failed",
    "not_adopted": "bookings on a rep's page that clash",
    "not_moved": "moves in a calendar that clash",
    "clash": "meetings with something else at their time",
    "not_rehomed": "meetings without a rep",
    "text_failed": "texts not delivered",
    "not_mailed": "e-mails not sent",
    "not_answered": "texts of leads that nobody answered",
    "write_back_failed": "write-backs that failed",
    "ambiguous": "dials and texts of which nobody knows",
    "fault": "faults of ours",
}
"""By the kind of the entry."""


class Person(Model):
    """Somebody to look at: ``name`` is empty once they were erased."""

    lead: str
    name: str = ""
    why: str = ""


class Calls(Model):
    """``placed`` and ``received`` (they rang us); of the placed, ``talked``; ``minutes`` of all."""

    placed: int = 0
    received: int = 0
    talked: int = 0
    minutes: int = 0
    ends: dict[str, int] = Field(default_factory=dict)
    """How they ended, by disposition."""


class Digest(Model):
    """The day ``day`` in ``zone``: from ``since`` to ``until``."""

    team: str
    day: date
    zone: str
    since: Instant
    until: Instant
    leads: int = 0
    """People whose first form came in."""
    calls: Calls = Calls()
    outcomes: dict[str, int] = Field(default_factory=dict)
    """Leads that came to booked, confirmed, showed and so on; those who closed as ``closed: why``."""
    missed: tuple[Person, ...] = ()
    """They rang us, and nobody talked with them."""
    revenue: tuple[Person, ...] = ()
    """Money that waits: what stands for review, most worth first; interest without a meeting; no-shows."""
    mess: dict[str, int] = Field(default_factory=dict)
    unconfirmed: tuple[Person, ...] = ()
    leaks: tuple[Person, ...] = ()
    """Open leads of whom nothing was told for as long as the team says."""
    funnel: dict[str, int] = Field(default_factory=dict)
    """People by the milestones that they ever reached."""


def bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """The day's first instant and the next day's, in UTC: 23 to 25 hours."""
    midnights = (datetime.combine(one, time(), ZoneInfo(zone)) for one in (day, day + timedelta(days=1)))
    since, until = (midnight.astimezone(UTC) for midnight in midnights)
    return since, until


def gather(team: Team, day: date) -> Digest:
    """The digest of ``day``. Counts are of that day; what waits or is stuck is so now."""
    since, until = bounds(day, team.zone)
    leads = tables.leads
    mine = leads.c.playbook.in_([key for key, book in installation.playbooks().items() if book.team == team.id])
    theirs = select(leads.c.lead).where(mine)
    with tables.reading(settings().record_url) as db:
        kinds = _kinds(db, theirs, since, until)
        unconfirmed, leaks = _standing(db, mine, until, team.digest.stuck)
        missed = _missed(db, theirs, since, until)
        revenue = _revenue(db, mine, theirs)
        named = [*missed, *unconfirmed, *leaks, *revenue]
        names = store.names(db, [person.lead for person in named])
        came = (leads.c.first_form_at >= since, leads.c.first_form_at < until)
        return Digest(
            team=team.id, day=day, zone=team.zone, since=since, until=until,
            leads=db.execute(select(func.count()).where(mine, *came)).scalar_one(),
            calls=_calls(db, theirs, since, until),
            outcomes=_outcomes(db, theirs, since, until, kinds),
            missed=_named(missed, names), revenue=_named(revenue, names),
            mess={words: kinds[kind] for kind, words in _MESS.items() if kinds[kind]},
            unconfirmed=_named(unconfirmed, names), leaks=_named(leaks, names),
            funnel=_funnel(db, mine, until),
        )  # fmt: skip


def _named(people: Sequence[Person], names: Mapping[str, str]) -> tuple[Person, ...]:
    return tuple(person.model_copy(update={"name": names.get(person.lead, "")}) for person in people)


def _kinds(db: Connection, theirs: Any, since: datetime, until: datetime) -> Counter[str]:
    """How often each kind of entry was written of the day."""
    t = tables.entries
    asked = select(t.c.kind, func.count()).where(t.c.lead.in_(theirs), t.c.at >= since, t.c.at < until)
    return Counter({kind: count for kind, count in db.execute(asked.group_by(t.c.kind))})


def _outcomes(db: Connection, theirs: Any, since: datetime, until: datetime, kinds: Counter[str]) -> dict[str, int]:
    t = tables.entries
    closed = select(t.c.rule, func.count()).where(
        t.c.lead.in_(theirs), t.c.at >= since, t.c.at < until, t.c.kind == "closed"
    )
    ways = {f"closed: {rule}": count for rule, count in db.execute(closed.group_by(t.c.rule))}
    return {stage: kinds[STAGE + stage] for stage in _OUTCOMES if kinds[STAGE + stage]} | dict(sorted(ways.items()))


def _calls(db: Connection, theirs: Any, since: datetime, until: datetime) -> Calls:
    t = tables.calls
    where = (t.c.lead.in_(theirs), t.c.at >= since, t.c.at < until)
    rows = db.execute(select(t.c.inbound, t.c.seconds, t.c.disposition).where(*where)).all()
    placed = [row for row in rows if not row.inbound]
    return Calls(
        placed=len(placed), received=len(rows) - len(placed), talked=sum(row.disposition == "talked" for row in placed),
        minutes=round(sum(row.seconds for row in rows) / 60),
        ends=dict(sorted(Counter(row.disposition or "over" for row in placed).items(), key=lambda end: (-end[1], end[0]))),
    )  # fmt: skip


def _missed(db: Connection, theirs: Any, since: datetime, until: datetime) -> list[Person]:
    t = tables.calls
    where = (t.c.lead.in_(theirs), t.c.at >= since, t.c.at < until, t.c.inbound, t.c.disposition != "talked")
    rows = db.execute(select(t.c.lead, func.max(t.c.disposition).label("how")).where(*where).group_by(t.c.lead))
    return [Person(lead=row.lead, why=_plain(row.how or "nobody talked")) for row in rows.all()]


def _revenue(db: Connection, mine: ColumnElement[bool], theirs: Any) -> list[Person]:
    """What a person should look at, by worth; then who is interested and has no meeting, and who did not come."""
    r, t = tables.reviews, tables.leads
    asked = select(r.c.lead, r.c.kind, r.c.worth).where(r.c.lead.in_(theirs), r.c.closed_at.is_(None), r.c.worth > 0)
    found: dict[str, Person] = {}
    for item in db.execute(asked.order_by(r.c.worth.desc(), r.c.since)):
        found.setdefault(item.lead, Person(lead=item.lead, why=f"waits for a person: {_plain(item.kind)}"))
    why = {"interested": "interested, no meeting", "qualified": "qualified, no meeting", "no_show": "did not come"}
    where = (mine, t.c.stage.in_(why), t.c.version >= 0)
    for row in db.execute(select(t.c.lead, t.c.stage).where(*where).order_by(t.c.stage.desc(), t.c.updated_at.desc())):
        found.setdefault(row.lead, Person(lead=row.lead, why=why[row.stage]))
    return list(found.values())


def _standing(
    db: Connection, mine: ColumnElement[bool], until: datetime, stuck: timedelta
) -> tuple[list[Person], list[Person]]:
    """Whose meeting lacks its confirmation, and who is stuck."""
    t = tables.leads
    rows = db.execute(select(t).where(mine, t.c.version >= 0, t.c.stage != "closed").order_by(t.c.updated_at)).all()
    before = until - stuck
    silent = {row.lead for row in rows if row.updated_at is not None and row.updated_at < before}
    keys = data_keys.of(db, [row.lead for row in rows if row.stage in _MEETS or row.lead in silent])
    unconfirmed, leaks = [], []
    for row in rows:
        told = _told(row, keys)
        start = _instant(told.get("booking"), "start") if row.stage in _MEETS else None
        if start is not None and start >= until:
            if row.stage != "confirmed" and start < until + _AHEAD:
                unconfirmed.append(Person(lead=row.lead, why=f"meets {start.astimezone(UTC):%b %-d, %H:%M} UTC"))
        elif row.stage != "showed" and row.lead in silent:
            planned = _instant(told, "next_at")
            if planned is not None and planned >= before:
                continue  # a promise for a later day, say
            days = (until - row.updated_at).days
            leaks.append(Person(lead=row.lead, why=f"{_plain(row.stage)}, silent for {days} days"))
    return unconfirmed, leaks


def _told(row: Row[Any], keys: Mapping[str, DataKey]) -> Mapping[str, Any]:
    """What is sealed of a lead; nothing of one that was erased."""
    key = keys.get(row.lead)
    return (key.open(row.sealed) if key else None) or {}


def _instant(told: Mapping[str, Any] | None, name: str) -> datetime | None:
    return datetime.fromisoformat(told[name]) if told and told.get(name) else None


def _funnel(db: Connection, mine: ColumnElement[bool], until: datetime) -> dict[str, int]:
    t, m = tables.leads, tables.milestones
    people = select(t.c.lead).where(mine, t.c.first_form_at >= until - PICTURED, t.c.first_form_at < until)
    asked = select(m.c.name, func.count()).where(m.c.lead.in_(people), m.c.name.in_(FUNNEL)).group_by(m.c.name)
    counted: dict[str, int] = dict(db.execute(asked).tuples().all())
    return {name: counted.get(name, 0) for name in FUNNEL}


def _plain(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


# ---- in words ------------------------------------------------------------------------------------------------------


class Section(Model):
    """A heading with its lines; ``people`` are shown with a link to them, at most NAMED."""

    title: str
    lines: tuple[str, ...] = ()
    people: tuple[Person, ...] = ()
    picture: tuple[str, ...] = ()
    """Lines in type of one width."""


def title(told: Digest) -> str:
    return f"{told.day:%A}, {told.day.day} {told.day:%B}: team {told.team}"


def sections(told: Digest) -> list[Section]:
    """The digest in reading order; what there is nothing of is left out."""
    calls = told.calls
    ends = ", ".join(f"{count} {_plain(how)}" for how, count in calls.ends.items())
    did = [
        f"{told.leads} new lead{'' if told.leads == 1 else 's'}",
        f"{calls.placed} calls made" + (f" ({ends})" if ends else "") + f", {calls.received} received, {calls.minutes} min",
    ]
    outcomes = [f"{count} {_plain(what)}" for what, count in told.outcomes.items()]
    found = [
        Section(title="The day", lines=tuple(did)),
        Section(title="What came of it", lines=(", ".join(outcomes) or "nothing yet",)),
        Section(title="Missed calls: they rang, nobody talked", people=told.missed),
        Section(title="Money that waits", people=told.revenue),
        Section(title="Mess", lines=tuple(f"{count} {words}" for words, count in told.mess.items())),
        Section(title="Meetings without a confirmation", people=told.unconfirmed),
        Section(title="Stuck", people=told.leaks),
        Section(title=f"The last {PICTURED.days} days", picture=tuple(bars(told.funnel))),
    ]
    return [one for one in found if one.lines or one.people or one.picture]


def bars(funnel: Mapping[str, int], width: int = 24) -> list[str]:
    """A line for each milestone: its name, a bar, how many and which share of the first; nothing without anybody."""
    most = max(funnel.values(), default=0)
    if not most:
        return []
    first = next(iter(funnel.values())) or most
    return [
        f"{_plain(name):<11} {'█' * max(round(count / most * width), 1 if count else 0):<{width}} {count} ({count / first:.0%})"
        for name, count in funnel.items()
    ]
