"""The day of one team, told to the reps' channel the morning after: started by the Schedule ``showrate-digest-TEAM``."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from . import effects, messages, versions
    from .effects import DigestPosted, PostDigest
    from .roster import last_day

_PATIENT = RetryPolicy(initial_interval=timedelta(seconds=10), maximum_interval=timedelta(minutes=15))
_NEWS = timedelta(hours=12)
"""For this long it is tried: after that nobody reads yesterday's news."""


@workflow.defn(name=messages.DIGEST, versioning_behavior=versions.moves())
class DigestWorkflow:
    """The answer is what was posted, or why nothing was."""

    @workflow.run
    async def run(self, request: PostDigest) -> DigestPosted:
        day = request.day or last_day(request.zone, workflow.now()).isoformat()
        asked = request.model_copy(update={"day": day})
        done = await workflow.execute_activity(
            effects.post_digest, asked, start_to_close_timeout=timedelta(minutes=2), schedule_to_close_timeout=_NEWS,
            retry_policy=_PATIENT, summary=f"the digest of {asked.day}",
        )  # fmt: skip
        workflow.set_current_details(f"{done.day}: {'posted' if done.posted else done.why}")
        return done
