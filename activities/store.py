"""The record: the leads' stories, which outlive Temporal's retention. Lists, funnel, digest and
re-planning read it; no decision about a live lead depends on it.

All functions are synchronous and short; asynchronous callers use ``asyncio.to_thread``. Several processes may
use them at once. They raise ValueError when the encryption keys are missing and SQLAlchemy's errors when the
database is away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import Field
from sqlalchemy import ColumnElement, Connection, Row, delete, select, update

from workflows import identity
from workflows.effects import CallNote, Entry, Reflection, Transition
from workflows.events import Booking, Form, Sign
from workflows.messages import Item, Judged
from workflows.model import Instant, Model

from . import data_keys, handles, reviews, tables
from .settings import settings
from .vault import DataKey


class LeadRecord(Model):
    """What the record knows of a lead. Times are UTC; ``erased`` leads have lost all that is personal."""

    lead: str
    version: int
    stage: str = ""
    furthest: str = ""
    disposition: str = ""
    reason: str = ""
    source: str = ""
    audience: str = ""
    owner: str = ""
    playbook: str = ""
    review: str = ""
    person: Form | None = None
    learned: dict[str, str] = Field(default_factory=dict)
    criteria: tuple[Judged, ...] = ()
    signs: tuple[Sign, ...] = ()
    booking: Booking | None = None
    meeting_outcome: str = ""
    next_at: Instant | None = None
    """When they are next to be contacted, as far as that is planned."""
    milestones: dict[str, Instant] = Field(default_factory=dict)
    first_form_at: Instant | None = None
    first_ring_at: Instant | None = None
    updated_at: Instant | None = None
    erased: bool = False


STAGE = "stage:"
"""What the kind of an entry begins with that holds no line of the story but a change of the stage, to the one named
after it: in plain, for it outlives an erasure."""


# ---- writing -------------------------------------------------------------------------------------------


def write(reflection: Reflection) -> int:
    """Bring the record up to ``reflection``, in one transaction; how many entries were new.

    Idempotent. Entries and milestones are added in any order; the lead's own state never goes back to an
    older version. An entry is recognised by its lead, version and content."""
    with tables.writing(_url()) as db:
        key = data_keys.for_writing(db, reflection.lead)
        if _write_lead(db, key, reflection):
            reviews.write(db, key, reflection)
        _write_handles(db, reflection)
        if reflection.let_go:
            handles.let_go(db, reflection.lead, reflection.let_go)
        if reflection.merged_into:
            handles.point(db, reflection.lead, reflection.merged_into)
        for note in reflection.calls:
            _write_call(db, key, reflection, note)
        return _write_entries(db, key, reflection)


def merge(lead: str, into: str) -> dict[str, Any] | None:
    """``lead``, whose execution is over, goes into ``into``: its handles and story lead there. What was remembered."""
    with tables.writing(_url()) as db:
        handles.point(db, lead, into)
        gone = {"stage": "closed", "disposition": "merged"}
        db.execute(update(tables.leads).where(tables.leads.c.lead == lead).values(gone))
    return recall(lead)


def _write_lead(db: Connection, key: DataKey, news: Reflection) -> bool:
    """Whether ``news`` is the newest of the lead."""
    t = tables.leads
    db.execute(tables.insert(db, t).values(lead=news.lead, version=-1).on_conflict_do_nothing())
    row = db.execute(select(t).where(t.c.lead == news.lead).with_for_update()).one()
    milestones = _write_milestones(db, news)
    changes: dict[str, Any] = {
        "first_form_at": milestones.get("form"),
        "first_ring_at": milestones.get("first_ring"),
        "source": row.source or news.source,  # the cohort is that of the first form
    }
    known = key.open(row.sealed) or {}
    newer: bool = news.version >= row.version
    if newer:
        changes |= {
            "version": news.version,
            "stage": news.stage,
            "furthest": news.furthest,
            "disposition": news.disposition,
            "audience": news.audience or row.audience,
            "owner": news.owner or row.owner,
            "playbook": news.playbook or row.playbook,
            "review": news.needs_review,
            "meeting_outcome": news.meeting_outcome,
            "updated_at": news.now,
        }
        known |= {"reason": news.reason, "booking": _json(news.booking), "next_at": news.next_at.isoformat() if news.next_at else None}
        told = {"criteria": news.criteria, "signs": news.signs}
        known |= {name: [_json(each) for each in those] for name, those in told.items() if those}
    learned, said = known.get("learned", {}), news.learned
    known["learned"] = {**learned, **said} if newer else {**said, **learned}
    changes["sealed"] = key.seal(known)
    if news.form is not None and news.version >= row.person_version:
        changes |= {"person": key.seal(_json(news.form)), "person_version": news.version, "erased_at": None}
    if news.memory is not None and news.version >= row.memory_version:
        changes |= {"memory": key.seal(news.memory), "memory_version": news.version}
    db.execute(update(t).where(t.c.lead == news.lead).values(changes))
    return newer


def _write_milestones(db: Connection, news: Reflection) -> dict[str, datetime]:
    """All of the lead's milestones, each at its first time, whatever order they came in."""
    t = tables.milestones
    found = _milestones(db, t.c.lead == news.lead).get(news.lead, {})
    for name, at in news.milestones.items():
        if name not in found or at < found[name]:
            found[name] = at
            adding = tables.insert(db, t).values(lead=news.lead, name=name, at=at)
            db.execute(adding.on_conflict_do_update(index_elements=[t.c.lead, t.c.name], set_={"at": at}))
    return found


def _write_handles(db: Connection, news: Reflection) -> None:
    if news.form is None:
        return
    form = news.form
    for kind, handle in (("phone", form.phone_hash), ("email", form.email_hash), ("crm", form.crm_hash)):
        if handle:
            handles.keep(db, handle, news.lead, kind)


def expect(db: Connection, lead: str, form: Form) -> None:
    """Remember who ``lead`` will be, until it is written down itself: forms that race for one person are told apart by
    name. What a later form of theirs adds is added."""
    t = tables.leads
    row = db.execute(select(t).where(t.c.lead == lead).with_for_update()).one_or_none()
    if row is not None and row.version >= 0 and row.erased_at is None:
        return
    key = data_keys.for_writing(db, lead)
    known = {k: v for k, v in ((key.open(row.person) if row else None) or {}).items() if v}
    person = key.seal(_json(form) | known)
    db.execute(tables.insert(db, t).values(lead=lead, version=-1).on_conflict_do_nothing())
    db.execute(update(t).where(t.c.lead == lead).values(person=person, erased_at=None))


def names(db: Connection, leads: Iterable[str]) -> dict[str, str]:
    """The names that the persons of these leads go by."""
    t, keys = tables.leads, data_keys.of(db, leads)
    rows = db.execute(select(t.c.lead, t.c.person).where(t.c.lead.in_(keys)))
    people = {row.lead: keys[row.lead].open(row.person) or {} for row in rows}
    return {lead: str(person.get("name", "")) for lead, person in people.items()}


def came(db: Connection, leads: Iterable[str]) -> dict[str, datetime | None]:
    """When the first form of each of these leads came; None for one that is not written down yet, nothing for one that
    nobody has heard of."""
    t = tables.leads
    rows = db.execute(select(t.c.lead, t.c.first_form_at).where(t.c.lead.in_(list(leads))))
    return {row.lead: row.first_form_at for row in rows}


def is_somebody(db: Connection, lead: str) -> bool:
    """Whether this id is a lead's who was not erased."""
    t = tables.leads
    return db.execute(select(t.c.lead).where(t.c.lead == lead, t.c.erased_at.is_(None))).first() is not None


def _write_call(db: Connection, key: DataKey, news: Reflection, note: CallNote) -> None:
    t = tables.calls
    plain = {name: getattr(note, name) for name in ("at", "inbound", "seconds", "status", "disposition")}
    values = {"version": news.version, "sealed": key.seal(_json(note)), **plain}
    adding = tables.insert(db, t).values(lead=news.lead, attempt=note.attempt, **values)
    db.execute(
        adding.on_conflict_do_update(
            index_elements=[t.c.lead, t.c.attempt], set_=values, where=t.c.version <= news.version
        )
    )


def _write_entries(db: Connection, key: DataKey, news: Reflection) -> int:
    seen: Counter[tuple[int, str]] = Counter()
    added = 0
    tables.in_turn(db)
    moves = [_moved(each) for each in news.transitions]
    for entry in sorted([*moves, *news.entries], key=lambda entry: entry.version):
        place = (entry.version, key.digest(entry.model_dump_json()))
        adding = tables.insert(db, tables.entries).values(
            lead=news.lead,
            version=entry.version,
            digest=place[1],
            nth=seen[place],
            at=entry.at,
            kind=entry.kind,
            rule=entry.rule,
            sealed=key.seal({"text": entry.text, "data": entry.data, "verdicts": [_json(v) for v in entry.verdicts]}),
        )
        added += db.execute(adding.on_conflict_do_nothing()).rowcount
        seen[place] += 1
    return added


def _moved(change: Transition) -> Entry:
    data = {"from": change.before}
    return Entry(at=change.at, kind=f"{STAGE}{change.after}", version=change.version, text="", data=data)


# ---- reading -------------------------------------------------------------------------------------------


def lead(lead: str) -> LeadRecord | None:
    """One lead, or None when the record never heard of it."""
    with tables.reading(_url()) as db:
        return next(iter(_leads(db, [tables.leads.c.lead == lead])), None)


def list_leads(
    *,
    stage: str = "",
    audience: str = "",
    source: str = "",
    owner: str = "",
    playbook: str = "",
    review: bool | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[LeadRecord]:
    """Leads, the latest changed first; an empty filter means any, ``review`` those that (do not) need a
    look."""
    t = tables.leads
    wanted = {t.c.stage: stage, t.c.audience: audience, t.c.source: source, t.c.owner: owner}
    wanted[t.c.playbook] = playbook
    where: list[ColumnElement[bool]] = [column == value for column, value in wanted.items() if value]
    if review is not None:
        where.append(t.c.review != "" if review else t.c.review == "")
    with tables.reading(_url()) as db:
        return _leads(db, where, limit, offset)


def entries(lead: str) -> list[Entry]:
    """A lead's story, oldest first, with those of the leads that were merged into it."""
    t = tables.entries
    with tables.reading(_url()) as db:
        mine = [lead, *handles.absorbed(db, lead)]
        keys = data_keys.of(db, mine)
        told = ~t.c.kind.startswith(STAGE, autoescape=True)
        rows = db.execute(select(t).where(t.c.lead.in_(mine), told).order_by(t.c.version, t.c.seq))
        story = [entry_of(row, keys.get(row.lead)) for row in rows]
        return sorted(story, key=lambda entry: entry.at) if len(mine) > 1 else story


def calls(lead: str) -> list[CallNote]:
    """A lead's calls with their transcripts and verdicts, oldest first, with those of the leads merged into it."""
    t = tables.calls
    with tables.reading(_url()) as db:
        whose = [lead, *handles.absorbed(db, lead)]
        keys = data_keys.of(db, whose)
        rows = db.execute(select(t.c.lead, t.c.sealed).where(t.c.lead.in_(whose)).order_by(t.c.at, t.c.attempt))
        notes = [keys[row.lead].open(row.sealed) if row.lead in keys else None for row in rows]
        return [CallNote.model_validate(note) for note in notes if note is not None]


def recall(lead: str) -> dict[str, Any] | None:
    """The state in which ``lead`` was last closed: what a new form of theirs is met with."""
    t = tables.leads
    with tables.reading(_url()) as db:
        sealed = db.execute(select(t.c.memory).where(t.c.lead == lead)).scalar_one_or_none()
        key = data_keys.of(db, [lead]).get(lead) if sealed else None
        memory: dict[str, Any] | None = key.open(sealed) if key else None
        return memory


def leads_that_booked(booking: str) -> list[str]:
    """The leads for whom ``booking`` was named, by its id; none for what is no booking's id."""
    t = tables.leads
    try:
        theirs = t.c.lead.startswith(identity.begins(booking), autoescape=True)
    except ValueError:
        return []
    with tables.reading(_url()) as db:
        return list(db.execute(select(t.c.lead).where(theirs).order_by(t.c.lead)).scalars())


def last_rules(leads: Sequence[str]) -> dict[str, tuple[datetime, str]]:
    """For each of ``leads``, the latest rule that a step of theirs was decided by, and when."""
    t = tables.entries
    rules: dict[str, tuple[datetime, str]] = {}
    with tables.reading(_url()) as db:
        for start in range(0, len(leads), 500):
            some = leads[start : start + 500]
            asked = select(t.c.lead, t.c.at, t.c.rule).where(t.c.lead.in_(some), t.c.rule != "")
            for row in db.execute(asked.order_by(t.c.version, t.c.seq)):
                rules[row.lead] = (row.at, row.rule)
    return rules


class Filed(Model):
    """An item of the review queue: whose it is, and once it is ``closed_at``, which ``way`` (none: it was overtaken),
    ``by`` whom and why."""

    number: int
    lead: LeadRecord
    item: Item
    closed_at: Instant | None = None
    way: str = ""
    by: str = ""
    words: str = ""


def review_queue(
    *, number: int | None = None, kind: str = "", owner: str = "", lead: str = "", closed: bool = False, limit: int = 500
) -> list[Filed]:
    """The items that are open, oldest first, or with ``closed`` those that are over, the last first; an empty filter
    means any. ``number``: that one, open or not."""
    t, leads = tables.reviews, tables.leads
    where = [t.c.number == number] if number is not None else [t.c.closed_at.is_not(None) if closed else t.c.closed_at.is_(None)]
    wanted = {t.c.kind: kind, t.c.lead: lead, leads.c.owner: owner}
    where += [column == value for column, value in wanted.items() if value]
    asked = select(t).join(leads, leads.c.lead == t.c.lead).where(*where)
    with tables.reading(_url()) as db:
        rows = db.execute(asked.order_by(t.c.closed_at.desc() if closed else t.c.since, t.c.number).limit(limit)).all()
        ids = sorted({row.lead for row in rows})
        known = {record.lead: record for record in _leads(db, [leads.c.lead.in_(ids)], len(ids) or 1)}
        keys = data_keys.of(db, ids)
    return [Filed(**reviews.read(row, keys.get(row.lead)), lead=known[row.lead]) for row in rows if row.lead in known]


class Cohorted(Model):
    """A lead as the funnel counts it; nothing personal."""

    lead: str
    source: str
    audience: str
    stage: str
    furthest: str
    disposition: str
    first_form_at: Instant
    milestones: dict[str, Instant]


def cohort(since: datetime | None = None, until: datetime | None = None) -> list[Cohorted]:
    """The leads whose first form came within [``since``, ``until``), oldest first; one that was merged counts as the
    lead that took it in."""
    t = tables.leads
    where: list[ColumnElement[bool]] = [t.c.first_form_at.is_not(None), t.c.disposition != "merged"]
    where += [t.c.first_form_at >= since] if since else []
    where += [t.c.first_form_at < until] if until else []
    plain = ("lead", "source", "audience", "stage", "furthest", "disposition", "first_form_at")
    columns = [t.c[name] for name in plain]
    with tables.reading(_url()) as db:
        rows = db.execute(select(*columns).where(*where).order_by(t.c.first_form_at, t.c.lead)).all()
        reached = _milestones(db, tables.milestones.c.lead.in_(select(t.c.lead).where(*where)))
    return [Cohorted(**row._asdict(), milestones=reached.get(row.lead, {})) for row in rows]


# ---- forgetting ---------------------------------------------------------------------------------------


def erase(lead: str, now: datetime | None = None) -> bool:
    """Forget the person: their keys, handles and everything sealed, also of the leads that were merged into this one.
    Stages, instants and rules stay, which name nobody. False when the record never heard of the lead."""
    t = tables.leads
    with tables.writing(_url()) as db:
        whose = [lead, *handles.absorbed(db, lead)]
        db.execute(delete(tables.keys).where(tables.keys.c.lead.in_(whose)))
        theirs = select(tables.handles.c.handle).where(tables.handles.c.lead.in_(whose))
        db.execute(delete(tables.numbers).where(tables.numbers.c.handle.in_(theirs)))
        db.execute(delete(tables.handles).where(tables.handles.c.lead.in_(whose)))
        db.execute(update(tables.calls).where(tables.calls.c.lead.in_(whose)).values(sealed=None))
        db.execute(update(tables.dials).where(tables.dials.c.lead.in_(whose)).values(lead=""))
        db.execute(update(tables.reviews).where(tables.reviews.c.lead.in_(whose)).values(sealed=None))
        db.execute(update(tables.entries).where(tables.entries.c.lead.in_(whose)).values(sealed=None))
        gone = {"person": None, "sealed": None, "memory": None, "erased_at": now or datetime.now(UTC)}
        known = db.execute(update(t).where(t.c.lead.in_(whose)).values(gone)).rowcount > 0
    tables.forget_traces(_url())
    return known


# ---- rows ----------------------------------------------------------------------------------------------


def _leads(
    db: Connection, where: Iterable[ColumnElement[bool]], limit: int = 1, offset: int = 0
) -> list[LeadRecord]:
    t = tables.leads
    asked = select(t).where(t.c.version >= 0, *where).order_by(t.c.updated_at.desc(), t.c.lead)
    rows = db.execute(asked.limit(limit).offset(offset)).all()
    ids = [row.lead for row in rows]
    keys = data_keys.of(db, ids)
    reached = _milestones(db, tables.milestones.c.lead.in_(ids))
    return [_record(row, keys.get(row.lead), reached.get(row.lead, {})) for row in rows]


def _record(row: Row[Any], key: DataKey | None, reached: Mapping[str, datetime]) -> LeadRecord:
    sealed = (key.open(row.sealed) if key else None) or {}
    plain = {name: value for name, value in row._asdict().items() if name in LeadRecord.model_fields}
    plain |= {"person": key.open(row.person) if key else None, "milestones": reached}
    return LeadRecord.model_validate({**plain, **sealed, "erased": row.erased_at is not None})


def entry_of(row: Row[Any], key: DataKey | None) -> Entry:
    """The entry of a row; without its lead's key only when it was, its kind and its rule are left."""
    told = (key.open(row.sealed) if key else None) or {"text": "(erased)", "data": {}}
    return Entry(at=row.at, kind=row.kind, version=row.version, rule=row.rule, **told)


def _milestones(db: Connection, where: ColumnElement[bool]) -> dict[str, dict[str, datetime]]:
    t = tables.milestones
    found: dict[str, dict[str, datetime]] = {}
    for row in db.execute(select(t).where(where).order_by(t.c.at)):
        found.setdefault(row.lead, {})[row.name] = row.at
    return found


def _json(model: Model | None) -> Any:
    return None if model is None else model.model_dump(mode="json")


def _url() -> str:
    return settings().record_url
