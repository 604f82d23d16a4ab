"""What a workflow owes those who ask it: to say what it can be asked; a bug must not stop its answers, and neither must
continuing as new.

A handler is declared with :func:`signal`, :func:`update` or :func:`query` from here: its docstring is then what Temporal's UI and
``temporal workflow metadata`` show of it."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar, overload

from temporalio import workflow
from temporalio.exceptions import ApplicationError

_QUIET = timedelta(seconds=1)
_LONGEST = timedelta(minutes=1)
_HARD = 3
"""After this many times its turnover a workflow waits no longer; Temporal takes 2,000 updates in a run."""

_Signal = TypeVar("_Signal", bound=Callable[..., Awaitable[None] | None])
_Query = TypeVar("_Query", bound=Callable[..., Any])
_Asked = ParamSpec("_Asked")
_Answer = TypeVar("_Answer")


@overload
def signal(fn: _Signal) -> _Signal: ...
@overload
def signal(*, name: str) -> Callable[[_Signal], _Signal]: ...
def signal(fn: _Signal | None = None, *, name: str = "") -> _Signal | Callable[[_Signal], _Signal]:
    """A signal handler, described by its docstring; ``name`` where the method cannot have that of the signal."""

    def declared(fn: _Signal) -> _Signal:
        return workflow.signal(name=name or fn.__name__, description=described(fn))(fn)

    return declared if fn is None else declared(fn)


def update(fn: Callable[_Asked, _Answer]) -> workflow.UpdateMethodMultiParam[_Asked, _Answer]:
    """An update handler, described by its docstring."""
    return workflow.update(description=described(fn))(fn)


def query(fn: _Query) -> _Query:
    """A query handler, described by its docstring."""
    return workflow.query(name=fn.__name__, description=described(fn))(fn)


def described(handler: Callable[..., Any]) -> str:
    """The first paragraph of the handler's docstring as one line; what stands in double backticks there, in single ones."""
    text = (inspect.getdoc(handler) or "").partition("\n\n")[0]
    return " ".join(text.split()).replace("``", "`")


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
