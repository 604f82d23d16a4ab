"""What a workflow owes those who ask it: a bug must not stop its answers, and neither must continuing as new."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

_QUIET = timedelta(seconds=1)
_LONGEST = timedelta(minutes=1)
_HARD = 3
"""After this many times its turnover a workflow waits no longer; Temporal takes 2,000 updates in a run."""


@contextlib.contextmanager
def bug_ends_here(handler: str) -> Iterator[None]:
    """Temporal retries a workflow task for ever when anything but an ApplicationError leaves a handler, and all other
    callers wait behind it. This turns whatever goes wrong inside into the caller's failure, of type ``bug``; nothing inside may have changed
    state before its last line."""
    try:
        yield
    except ApplicationError:
        raise
    except Exception as error:
        raise ApplicationError(f"{handler} failed: {type(error).__name__}", type="bug", non_retryable=True) from error


async def quiet_moment(changes: Callable[[], int], turnover: int) -> None:
    """Returns when it is time to continue as new: after ``turnover`` changes (or when Temporal suggests it), as soon
    as a second passed without one. While updates pour in, Temporal refuses to let a run end, and the next run begins
    up to a second later: everybody would wait."""
    info = workflow.info()
    await workflow.wait_condition(lambda: changes() >= turnover or info.is_continue_as_new_suggested())
    wait, most = _QUIET, turnover * _HARD
    while changes() < most:
        before = changes()
        with contextlib.suppress(asyncio.TimeoutError):
            await workflow.wait_condition(
                lambda: changes() >= most, timeout=wait, timeout_summary="continue as new in a quiet moment"
            )
        if changes() == before:
            return
        wait = min(wait * 2, _LONGEST)
