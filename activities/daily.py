"""Posting the digest: once for each team and day, whoever asks and however often."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from temporalio.exceptions import ApplicationError

from workflows.effects import DigestPosted
from workflows.roster import Team

from . import digest, faults, tables
from .crm import lead_page
from .digest import NAMED, Digest, Section
from .notices import escaped
from .settings import settings
from .vendors import slack

_CLAIM = timedelta(minutes=3)
"""For this long one asker may be posting; then another tries."""


class NotOver(ValueError):
    """The day is not over yet."""


async def post(team: Team, day: date) -> DigestPosted:
    """Post the digest of ``day`` unless it stands there. Raises NotOver, retry while the record or Slack is away or
    somebody else is posting it, permanent when Slack refuses."""
    now = datetime.now(UTC)
    _, until = digest.bounds(day, team.zone)
    if now < until:
        raise NotOver(f"{day} is not over in {team.zone}")
    if not slack.configured():
        return DigestPosted(day=day.isoformat(), posted=False, why="there is no channel; set SLACK_CHANNEL")
    try:
        if not await asyncio.to_thread(_claim, team.id, day, now):
            return DigestPosted(day=day.isoformat(), posted=False, why="it was posted before")
        told = await asyncio.to_thread(digest.gather, team, day)
        try:
            await _once(f"digest:{team.id}:{day}", told, until)
        except ApplicationError:
            await asyncio.to_thread(_note, team.id, day, claimed_at=None)
            raise
        await asyncio.to_thread(_note, team.id, day, posted_at=datetime.now(UTC))
    except SQLAlchemyError as error:
        raise faults.retry(f"the record could not be used: {type(error).__name__}") from error
    return DigestPosted(day=day.isoformat(), posted=True)


async def _once(key: str, told: Digest, since: datetime) -> None:
    """Nobody who asks for it can tell whether an earlier asker was stopped between posting and noting it: the channel
    can."""
    if key in await slack.find([key], since):
        return
    try:
        await slack.post(key, digest.title(told), blocks(told))
    except ApplicationError as error:
        if error.type != "ambiguous":
            raise
        raise faults.retry(error.message) from error


def _claim(team: str, day: date, now: datetime) -> bool:
    """Whether it is ours to post; False when it was posted. Raises retry while somebody else is at it."""
    t = tables.digests
    mine = (t.c.team == team, t.c.day == day.isoformat())
    free = or_(t.c.claimed_at.is_(None), t.c.claimed_at < now - _CLAIM)
    with tables.writing(settings().record_url) as db:
        db.execute(tables.insert(db, t).values(team=team, day=day.isoformat()).on_conflict_do_nothing())
        taken = db.execute(update(t).where(*mine, t.c.posted_at.is_(None), free).values(claimed_at=now)).rowcount
        posted = db.execute(select(t.c.posted_at).where(*mine)).scalar_one()
    if posted is None and not taken:
        raise faults.retry("somebody else is posting it")
    return bool(taken)


def _note(team: str, day: date, **values: datetime | None) -> None:
    t = tables.digests
    with tables.writing(settings().record_url) as db:
        db.execute(update(t).where(t.c.team == team, t.c.day == day.isoformat()).values(**values))


# ---- in Block Kit --------------------------------------------------------------------------------------------------

_LONGEST = 3000
"""Characters of a section."""


def blocks(told: Digest) -> list[dict[str, Any]]:
    """A heading, and a block for each section; people are links to their pages."""
    head = {"type": "header", "text": {"type": "plain_text", "text": digest.title(told)[:150], "emoji": True}}
    bodies = [_words(section) for section in digest.sections(told)]
    return [head, *({"type": "section", "text": {"type": "mrkdwn", "text": body}} for body in bodies)]


def _words(section: Section) -> str:
    lines = [escaped(line) for line in section.lines]
    for person in section.people[:NAMED]:
        name = escaped(person.name[:80]).replace("|", " ") or "somebody"
        lines.append(f"• <{lead_page(person.lead)}|{name}>: {escaped(person.why)}")
    if len(section.people) > NAMED:
        lines.append(f"• and {len(section.people) - NAMED} more")
    if section.picture:
        lines.append("```" + "\n".join(section.picture) + "```")
    return f"*{section.title}*\n" + "\n".join(lines)[: _LONGEST - len(section.title) - 3]
