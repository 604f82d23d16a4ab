"""How every worker of ours runs workflows and counts activities, in production and in tests."""

from __future__ import annotations

import pkgutil
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    PollerBehaviorAutoscaling,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import workflows
from activities import metrics
from workflows import effects

DRAIN = timedelta(seconds=10)
"""How long running activities may take to end after SIGTERM."""

DIAL = effects.place_call.__name__


def pure_modules() -> list[str]:
    """The deterministic modules that workflows share with everybody else: loaded once for the process instead of once
    for each workflow, which costs 160 KB and 3 ms each (facts measured on our models)."""
    return [
        f"workflows.{info.name}"
        for info in pkgutil.iter_modules(workflows.__path__)
        if not info.name.endswith("_workflow")
    ]


def common_options() -> dict[str, Any]:
    """The options that every worker of ours takes, in production and in tests."""
    passed = SandboxRestrictions.default.with_passthrough_modules(
        *pure_modules(), "phonenumbers", "yaml", "zoneinfo", "tzdata"
    )
    return {
        "workflow_runner": SandboxedWorkflowRunner(restrictions=passed),
        # The default pollers are five, of which one serves new work: a burst queues behind it.
        "workflow_task_poller_behavior": PollerBehaviorAutoscaling(),
        "activity_task_poller_behavior": PollerBehaviorAutoscaling(),
        # After a worker died, its leads wait this long for it before another takes them (10 s by default).
        "sticky_queue_schedule_to_start_timeout": timedelta(seconds=2),
        "graceful_shutdown_timeout": DRAIN,
        "interceptors": [Counting()],
    }


class Counting(Interceptor):
    """Counts every effect by its outcome, and how long dials waited."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Counted(next)


class _Counted(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        if info.activity_type == DIAL:
            metrics.dial_wait((info.started_time - info.current_attempt_scheduled_time).total_seconds())
        try:
            result = await super().execute_activity(input)
        except ApplicationError as error:
            metrics.effect(info.activity_type, error.type or "error")
            raise
        except Exception:
            metrics.effect(info.activity_type, "error")
            raise
        metrics.effect(info.activity_type, "refused" if getattr(result, "refused", "") else "ok")
        return result
