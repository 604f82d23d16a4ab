"""The activity ``post_digest``."""

from __future__ import annotations

import asyncio
from datetime import date

from temporalio import activity

from workflows.effects import DigestPosted, PostDigest

from . import daily, faults, library
from .settings import settings


@activity.defn
async def post_digest(request: PostDigest) -> DigestPosted:
    """See :func:`workflows.effects.post_digest`. A team that is written nowhere any more has none."""
    teams = await asyncio.to_thread(library.teams, settings().showrate_playbooks)
    team = next((one for one in teams if one.id == request.team), None)
    if team is None:
        return DigestPosted(day=request.day, posted=False, why=f"there is no team {request.team}")
    try:
        return await daily.post(team, date.fromisoformat(request.day))
    except daily.NotOver as error:
        raise faults.retry(str(error)) from error
