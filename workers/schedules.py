"""What happens by the clock, as Temporal Schedules: made or brought up to date by ``showrate setup``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from workflows import identity, messages
from workflows.effects import PostDigest, SyncCalendars
from workflows.roster import Team

_LONGEST = timedelta(minutes=30)
"""A reading that no worker took within this time is given up: the next one reads the same."""


async def post_digests(client: Client, teams: Iterable[Team]) -> list[str]:
    """One Schedule for each team that wants a digest, at its time in its own zone; those of other teams are deleted.
    Somebody who paused one in Temporal finds it paused. The ids of the teams that have one."""
    wanted = {identity.digest_id(team.id): team for team in teams if not team.digest.off}
    async for found in await client.list_schedules():
        if found.id.startswith(identity.digest_id("")) and found.id not in wanted:
            await client.get_schedule_handle(found.id).delete()
    for name, team in wanted.items():
        hour, minute = map(int, team.digest.at.split(":"))
        daily = ScheduleCalendarSpec(hour=[ScheduleRange(hour)], minute=[ScheduleRange(minute)])
        schedule = Schedule(
            action=ScheduleActionStartWorkflow(
                messages.DIGEST,
                PostDigest(team=team.id, zone=team.zone),
                id=name,
                task_queue=messages.QUEUE,
                execution_timeout=timedelta(hours=13),
                static_summary=f"yesterday in a few lines, for team {team.id}",
            ),
            spec=ScheduleSpec(calendars=[daily], time_zone_name=team.zone),
            # A server that was away at the hour posts it when it is back; after that it is yesterday's news.
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(hours=12)),
        )
        await _made(client, name, schedule)
    return [team.id for team in wanted.values()]


async def _made(client: Client, name: str, schedule: Schedule) -> None:
    """Make the Schedule, or bring it up to date without starting a paused one."""

    def renewed(found: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule.state = found.description.schedule.state
        return ScheduleUpdate(schedule=schedule)

    try:
        await client.create_schedule(name, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(name).update(renewed)


async def read_calendars(client: Client, every: timedelta) -> None:
    """One Schedule for the calendars of all reps; the first reading begins at once. Somebody who paused it in Temporal
    finds it paused."""
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            messages.CALENDARS,
            SyncCalendars(every=every),
            id=identity.CALENDARS_ID,
            task_queue=messages.QUEUE,
            execution_timeout=_LONGEST,
            static_summary="what changed in the reps' calendars",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ONE, catchup_window=timedelta(minutes=1)),
    )

    await _made(client, identity.CALENDARS_ID, schedule)
    await client.get_schedule_handle(identity.CALENDARS_ID).trigger(overlap=ScheduleOverlapPolicy.BUFFER_ONE)
