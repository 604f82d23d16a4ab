"""The activity ``find_line``: which colleague takes a call that is put through now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta

from temporalio import activity

from workflows import working
from workflows.effects import FindLine, FoundLine
from workflows.roster import Rep, Team

from . import library, roster
from .availability import days_off
from .settings import settings


@activity.defn
async def find_line(request: FindLine) -> FoundLine:
    """The lead's owner, else who is on call, in their order: the first who is in and has a phone. Without one, ``why``
    names each of them. Raises ``retry`` when Temporal does not answer."""
    team = await _team(request.team)
    if team is None:
        return FoundLine(why=f"there is no team {request.team}")
    not_in = []
    for rep in _asked(team, request.owner):
        if why := unavailable(rep, request.now):
            not_in.append(f"{rep.name} {why}")
        else:
            return FoundLine(rep=rep.id, name=rep.name, phone=rep.phone)
    return FoundLine(why="; ".join(not_in) or "nobody owns this lead, and nobody is on call")


async def _team(name: str) -> Team | None:
    """The team as it stands, else as it is written: one that has given no turn yet does not run. Numbers and who is on
    call are always as written, so that a new one counts from the next start of the worker."""
    written = next((one for one in await asyncio.to_thread(library.teams, settings().showrate_playbooks) if one.id == name), None)
    try:
        stands = await roster.roster(activity.client(), name)
    except LookupError:
        return written
    phones = {rep.id: rep.phone for rep in written.reps} if written else {}
    reps = tuple(rep.model_copy(update={"phone": phones.get(rep.id, rep.phone)}) for rep in stands.reps)
    return stands.model_copy(update={"reps": reps, "on_call": written.on_call if written else stands.on_call})


def _asked(team: Team, owner: str) -> Iterator[Rep]:
    reps = {rep.id: rep for rep in team.reps}
    return (reps[name] for name in dict.fromkeys((owner, *team.on_call)) if name in reps)


def unavailable(rep: Rep, now: datetime) -> str:
    """Why the rep's phone is not to ring at ``now`` (aware), in words; "" when it is."""
    if not rep.active:
        return "takes no leads now"
    if not rep.phone:
        return "has no phone in the team's file"
    at = int(now.timestamp())
    off = days_off(rep, now, now + timedelta(minutes=1))
    spans = working.working_time(working.hours_of(rep), rep.zone, at, at + 60, working.dates_of(rep, off))
    return "" if any(start <= at < end for start, end in spans) else "is not at work now"
