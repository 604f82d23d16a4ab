"""What happens by the clock, as Temporal Schedules: made or brought up to date by ``showrate setup``."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from workflows import identity, messages
from workflows.effects import SyncCalendars

_LONGEST = timedelta(minutes=30)
"""A reading that no worker took within this time is given up: the next one reads the same."""


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

    def renewed(found: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule.state = found.description.schedule.state
        return ScheduleUpdate(schedule=schedule)

    try:
        await client.create_schedule(identity.CALENDARS_ID, schedule, trigger_immediately=True)
    except ScheduleAlreadyRunningError:
        handle = client.get_schedule_handle(identity.CALENDARS_ID)
        await handle.update(renewed)
        await handle.trigger(overlap=ScheduleOverlapPolicy.BUFFER_ONE)
