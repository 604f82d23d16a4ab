"""Small workflows for tests of the machinery; kept apart because the sandbox imports their module again."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError

from workflows.events import CalendarChanged
from workflows.messages import By


@activity.defn
async def fail_with(secret: str) -> None:
    raise ApplicationError(f"cannot reach {secret}", type="permanent", non_retryable=True)


@workflow.defn
class Fails:
    @workflow.run
    async def run(self, secret: str) -> None:
        workflow.set_current_details(f"about {secret}")
        await workflow.execute_activity(
            fail_with, secret, start_to_close_timeout=timedelta(seconds=5), summary=f"for {secret}"
        )


@workflow.defn
class Echoes:
    """Keeps what was said last, until cancelled."""

    def __init__(self) -> None:
        self._said = ""

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    def say(self, what: By) -> str:
        self._said = f"{what.by}: {what.words}"
        return self._said

    @workflow.signal
    def tell(self, what: By) -> None:
        self.say(what)

    @workflow.query
    def said(self) -> str:
        return self._said


@workflow.defn
class Hears:
    """A lead that only listens to what is told of its meeting."""

    def __init__(self) -> None:
        self._heard: list[CalendarChanged] = []

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def calendar_changed(self, event: CalendarChanged) -> None:
        self._heard.append(event)

    @workflow.query
    def heard(self) -> list[CalendarChanged]:
        return self._heard

