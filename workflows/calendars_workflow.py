"""One reading of all reps' calendars: started by the one Schedule ``showrate-calendars``, and sooner by a push.

The Schedule runs one at a time and keeps at most one more waiting, so however many pushes come, each is followed by a
reading that began after it. A reading is short: what it could not read is tried a few times, shown, and read next time.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from . import effects, messages, versions
    from .effects import SyncCalendars, Synced

_AGAIN = RetryPolicy(initial_interval=timedelta(seconds=2), backoff_coefficient=3, maximum_attempts=3)


@workflow.defn(name=messages.CALENDARS, versioning_behavior=versions.moves())
class CalendarsWorkflow:
    """The answer is what was read; the page in Temporal's UI shows whose calendar could not be."""

    @workflow.run
    async def run(self, request: SyncCalendars) -> Synced:
        try:
            done = await workflow.execute_activity(
                effects.sync_calendars, request.model_copy(update={"now": workflow.now()}), start_to_close_timeout=timedelta(minutes=5),
                heartbeat_timeout=timedelta(seconds=45), retry_policy=_AGAIN, summary="what changed in the calendars?",
            )  # fmt: skip
        except ActivityError as error:
            cause = error.cause
            done = Synced(troubles={"": cause.message if isinstance(cause, ApplicationError) else type(cause).__name__})
        lines = [f"read {done.read} calendars, told {done.told} things"]
        lines += [f"- **{rep or 'not all were read'}**: {why}" for rep, why in sorted(done.troubles.items())]
        workflow.set_current_details("\n".join(lines))
        return done
