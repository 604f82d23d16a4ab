"""What does not work now, since when and what it affects, in the record's database: every process adds what it sees,
and whoever claims it tells the reps' channel, once.

All functions are synchronous and short, as in :mod:`activities.store`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import or_, select, update

from workflows.model import Instant, Model

from . import tables
from .settings import settings

News = Literal["began", "goes_on", "well"]


class Trouble(Model):
    """``since`` is None when it is over. ``failures`` and ``leads`` count those of the last time it lasted. ``told_since``
    is the beginning of the one that the channel knows of, None when it knows of none."""

    name: str
    since: Instant | None = None
    failures: int = 0
    leads: int = 0
    affects: str = ""
    why: str = ""
    holder: str = ""
    seen_at: Instant | None = None
    told_at: Instant | None = None
    told_since: Instant | None = None
    told_failures: int = 0

    def news(self, now: datetime, quiet: timedelta) -> News | None:
        """What the channel has yet to be told, if anything: a second time only after the ``quiet`` time, and of what is
        counted only if it failed again since. What is not counted (nobody asks for work) goes on until it is over."""
        rested = self.told_at is None or now - self.told_at >= quiet
        if self.since is None:
            return "well" if self.told_since is not None else None
        if self.told_since is None:
            return "began" if rested else None
        grew = self.failures > self.told_failures or not self.failures
        return "goes_on" if rested and grew else None


def begin(trouble: Trouble, now: datetime) -> None:
    """It does not work, as of ``now``; what lasts already grows by these failures and leads, and keeps its beginning."""
    t = tables.troubles
    words = {"affects": trouble.affects, "why": trouble.why, "holder": trouble.holder, "seen_at": now}
    with tables.writing(_url()) as db:
        db.execute(tables.insert(db, t).values(name=trouble.name).on_conflict_do_nothing())
        fresh = {"since": trouble.since, "failures": 0, "leads": 0, "told_failures": 0}
        # One that is over but of which the channel was not told so yet goes on.
        over = (t.c.name == trouble.name, t.c.since.is_(None))
        db.execute(update(t).where(*over, t.c.told_since.is_not(None)).values(since=t.c.told_since))
        db.execute(update(t).where(*over).values(fresh))
        more = {"failures": t.c.failures + trouble.failures, "leads": t.c.leads + trouble.leads}
        db.execute(update(t).where(t.c.name == trouble.name).values({**words, **more}))


def end(name: str, holder: str, now: datetime) -> None:
    """It works again, says ``holder``: believed when nobody else has seen it fail within the window."""
    t = tables.troubles
    window = timedelta(seconds=settings().showrate_alert_window)
    alone = or_(t.c.holder == holder, t.c.seen_at < now - window)
    with tables.writing(_url()) as db:
        db.execute(update(t).where(t.c.name == name, t.c.since.is_not(None), alone).values(since=None, seen_at=now))


def known() -> list[Trouble]:
    """All, those that last first."""
    t = tables.troubles
    with tables.reading(_url()) as db:
        rows = db.execute(select(t).order_by(t.c.since.is_(None), t.c.since, t.c.name))
        return [Trouble.model_validate(row._asdict()) for row in rows]


def lasting() -> list[Trouble]:
    """What does not work now, the oldest first."""
    return [each for each in known() if each.since is not None]


def claim(trouble: Trouble, news: News, now: datetime) -> bool:
    """Whether this process is the one to tell; give it back when that fails."""
    t = tables.troubles
    same = t.c.told_at.is_(None) if trouble.told_at is None else t.c.told_at == trouble.told_at
    since = None if news == "well" else trouble.since
    told = {"told_at": now, "told_since": since, "told_failures": trouble.failures}
    with tables.writing(_url()) as db:
        return bool(db.execute(update(t).where(t.c.name == trouble.name, same).values(told)).rowcount)


def give_back(trouble: Trouble) -> None:
    """It could not be told: as before the claim."""
    t = tables.troubles
    before = {"told_at": trouble.told_at, "told_since": trouble.told_since, "told_failures": trouble.told_failures}
    with tables.writing(_url()) as db:
        db.execute(update(t).where(t.c.name == trouble.name).values(before))


def _url() -> str:
    return settings().record_url
