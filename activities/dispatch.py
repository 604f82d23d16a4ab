"""What every dispatch to a person shares: the workflow's clock, and counting what became of it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from contextvars import ContextVar
from datetime import datetime, timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from . import metrics

_began: ContextVar[tuple[bytes, float] | None] = ContextVar("began", default=None)


def now() -> datetime:
    """The workflow's present (UTC): when the server gave us the task, and how long it has run since. A workflow
    whose clock skips ahead is thereby asked at its own time."""
    info = activity.info()
    held = _began.get()
    if held is None or held[0] != info.task_token:
        held = (info.task_token, time.monotonic())
        _began.set(held)
    return info.started_time + timedelta(seconds=time.monotonic() - held[1])


def late(not_after: datetime) -> bool:
    """Whether nothing may be dispatched any more."""
    return now() > not_after


class Outcome:
    """What an effect came to, unless it raises."""

    name = "ok"

    def refused(self) -> None:
        self.name = "refused"


@contextlib.asynccontextmanager
async def counted(name: str) -> AsyncIterator[Outcome]:
    """Count one effect under ``name`` by what became of it; an error is counted by its kind and passes on."""
    outcome = Outcome()
    try:
        yield outcome
    except ApplicationError as error:
        metrics.effect(name, error.type or "error")
        raise
    except Exception:
        metrics.effect(name, "error")
        raise
    metrics.effect(name, outcome.name)
