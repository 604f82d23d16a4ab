"""What every dispatch to a person shares: the workflow's clock."""

from __future__ import annotations

import time
from contextvars import ContextVar
from datetime import datetime, timedelta

from temporalio import activity

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
