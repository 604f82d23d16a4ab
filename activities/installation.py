"""What the record keeps of the installation itself: every playbook that a lead may follow, and under which identity key the
ids were made."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from workflows.playbook import Playbook, canonical

from . import tables
from .settings import settings


class OtherIdentity(RuntimeError):
    """The identity key is not the one under which this installation's ids were made."""


def keep_playbooks(playbooks: Iterable[Playbook]) -> None:
    """Remember each by its content's hash; kept for good, since a lead or a re-planning may need it."""
    with tables.writing(settings().record_url) as db:
        for book in playbooks:
            adding = tables.insert(db, tables.playbooks).values(
                hash=book.hash,
                name=book.name,
                audience=book.audience,
                version=book.version,
                content=canonical(book),
            )
            db.execute(adding.on_conflict_do_nothing())


def playbooks() -> dict[str, Playbook]:
    """All playbooks ever kept, by hash. One that this version can no longer read
    (pydantic.ValidationError) is an error of the deployment and is raised."""
    t = tables.playbooks
    with tables.reading(settings().record_url) as db:
        rows = db.execute(select(t.c.hash, t.c.content).order_by(t.c.audience, t.c.version)).all()
    return {row.hash: Playbook.model_validate_json(row.content) for row in rows}


def identity_fingerprint() -> str:
    """The fingerprint of the identity key that this installation was set up with; '' before that."""
    t = tables.meta
    with tables.reading(settings().record_url) as db:
        return db.execute(select(t.c.value).where(t.c.name == "identity")).scalar_one_or_none() or ""


def remember_identity(fingerprint: str) -> None:
    """Bind the installation to its identity key, once. Raises OtherIdentity when it is bound to another."""
    with tables.writing(settings().record_url) as db:
        adding = tables.insert(db, tables.meta).values(name="identity", value=fingerprint)
        db.execute(adding.on_conflict_do_nothing())
    found = identity_fingerprint()
    if found != fingerprint:
        raise OtherIdentity(
            f"SHOWRATE_IDENTITY_KEY has the fingerprint {fingerprint}, but the ids here were made under "
            f"{found}: every opt-out would be missed. Restore that key; it never rotates"
        )
