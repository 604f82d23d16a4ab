"""How every worker of ours runs workflows and counts activities, in production and in tests."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    PollerBehaviorAutoscaling,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import workflows
from activities import health
from workflows import effects

DRAIN = timedelta(seconds=10)
"""How long running activities may take to end after SIGTERM."""

DIAL = effects.place_call.__name__


def pure_modules() -> list[str]:
    """The deterministic modules under the workflows."""
    return [
        f"workflows.{info.name}"
        for info in pkgutil.iter_modules(workflows.__path__)
        if not info.name.endswith("_workflow")
    ]


def common_options(*, isolated: bool = False) -> dict[str, Any]:
    """The options that every worker of ours takes.

    A module that the workflow sandbox loads for itself is loaded again for each workflow: 160 KB and 3 ms for our
    models, and more than half of a lead's whole cost in the worker for the ``*_workflow`` modules. So all of
    ``workflows`` is shared. ``isolated`` (the tests) has the sandbox load the ``*_workflow`` modules and catch there
    what they must not do."""
    shared = pure_modules() if isolated else ["workflows"]
    passed = SandboxRestrictions.default.with_passthrough_modules(*shared, "phonenumbers", "yaml", "zoneinfo", "tzdata")
    return {
        "workflow_runner": SandboxedWorkflowRunner(restrictions=passed),
        # The default pollers are five, of which one serves new work: a burst queues behind it.
        "workflow_task_poller_behavior": PollerBehaviorAutoscaling(),
        "activity_task_poller_behavior": PollerBehaviorAutoscaling(),
        # After a worker died, its leads wait this long for it before another takes them (10 s by default).
        "sticky_queue_schedule_to_start_timeout": timedelta(seconds=2),
        "graceful_shutdown_timeout": DRAIN,
        "interceptors": [Counting(), OneInput()],
    }


class Counting(Interceptor):
    """Counts every effect by its outcome."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Counted(next)


class _Counted(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        try:
            result = await super().execute_activity(input)
        except ApplicationError as error:
            health.effect(info.activity_type, error.type or "error", error.message, info.workflow_id or "")
            raise
        except Exception as error:
            health.effect(info.activity_type, "error", type(error).__name__, info.workflow_id or "")
            raise
        health.effect(info.activity_type, "refused" if getattr(result, "refused", "") else "ok")
        return result


class OneInput(Interceptor):
    """Signals and updates of ours take one input each. Sent by hand with none, or with two, they would raise in the
    call of their handler, which Temporal retries for ever while everything else waits: the update is refused instead,
    and the signal dropped."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        return _OneInput


class _OneInput(WorkflowInboundInterceptor):
    async def handle_signal(self, input: HandleSignalInput) -> None:
        if len(input.args) == 1:
            await super().handle_signal(input)
        else:
            workflow.logger.warning("dropped the signal %s: %s", input.signal, _count(input.args))

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        if len(input.args) != 1:
            raise ApplicationError(f"{input.update} takes one input, a JSON object; {_count(input.args)}", type="input")
        return await super().handle_update_handler(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        if len(input.args) == 1:
            super().handle_update_validator(input)


def _count(inputs: Sequence[Any]) -> str:
    return f"{len(inputs)} were given" if inputs else "none was given"
