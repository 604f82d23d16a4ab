"""What is paused: one workflow (``identity.CONTROL_ID``) that holds the paused scopes in its memo.

The memo can be read without a worker and without a query, which is how every dispatch asks. Resuming a scope
wakes the leads that it held.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterable
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from . import effects, messages, versions
    from .handlers import query, signal, update
    from .model import Instant, Model

MEMO = "paused"
"""The memo's key; its value is the list of paused scopes."""

EVERYTHING = "everything"
_SCOPE = re.compile(r"everything|audience:[\w.-]{1,64}|channel:(call|text|email)")

_SWEEPS = (timedelta(0), timedelta(seconds=5), timedelta(seconds=60))
"""When, after a resume, held leads are looked for. A lead that was refused just before the resume shows as
held only a moment later, since Temporal's visibility lags; without the later sweeps it would sleep for
good."""

_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))


def scope_fault(scope: str) -> str:
    """Why ``scope`` cannot be paused, with the remedy; empty when it can."""
    if _SCOPE.fullmatch(scope):
        return ""
    return f"{scope!r} is no scope; write everything, audience:NAME or channel:call, :text or :email"


def holding(scopes: Iterable[str], audience: str, channel: str) -> str:
    """The widest of the paused ``scopes`` that holds contact with ``audience`` over ``channel``, or ''."""
    paused = set(scopes)
    for scope in (EVERYTHING, f"audience:{audience}", f"channel:{channel}"):
        if scope in paused:
            return scope
    return ""


class Pause(Model):
    """Stop contact within ``scope``: everything, ``audience:NAME`` or ``channel:call|text|email``."""

    scope: str
    by: str
    why: str = ""


class Resume(Model):
    """Let contact within ``scope`` go on."""

    scope: str
    by: str


class Hold(Model):
    """A scope that is paused: by whom, why, since when."""

    scope: str
    by: str
    why: str = ""
    at: Instant


class Paused(Model):
    """The answer to pause and resume: what is paused now. ``waiting`` means that the request is durable
    but no worker has taken it yet."""

    holds: tuple[Hold, ...] = ()
    waiting: bool = False


class Sweep(Model):
    """One search for leads that ``scope`` held, ``due`` at an instant; ``nth`` counts from 0."""

    scope: str
    by: str
    due: Instant
    nth: int = 0


class ControlStart(Model):
    """The input: empty at first, the state when the workflow continues as new."""

    holds: tuple[Hold, ...] = ()
    sweeps: tuple[Sweep, ...] = ()


@workflow.defn(name=messages.CONTROL, versioning_behavior=versions.moves())
class ControlWorkflow:
    """Updates and signals: ``pause`` Pause, ``resume`` Resume (updates answer Paused). Queries: ``paused`` ->
    Paused."""

    @workflow.init
    def __init__(self, start: ControlStart) -> None:
        self._holds = {hold.scope: hold for hold in start.holds}
        self._sweeps = list(start.sweeps)
        self._show()

    @workflow.run
    async def run(self, start: ControlStart) -> None:
        while True:
            try:
                await self._step()
            except asyncio.CancelledError:
                # What is paused must stay paused; only a resume lets it go on.
                continue

    async def _step(self) -> None:
        """Wait for the next sweep and do it, or continue as new when the history has grown."""
        with contextlib.suppress(asyncio.TimeoutError):
            await workflow.wait_condition(
                lambda: self._due() or workflow.info().is_continue_as_new_suggested(),
                timeout=self._until_next(),
                timeout_summary="next search for held leads",
            )
        if self._due():
            await self._sweep(self._sweeps[0])
        elif workflow.info().is_continue_as_new_suggested():
            await workflow.wait_condition(workflow.all_handlers_finished)
            workflow.continue_as_new(ControlStart(holds=tuple(self._holds.values()), sweeps=tuple(self._sweeps)))

    def _due(self) -> bool:
        return bool(self._sweeps) and self._sweeps[0].due <= workflow.now()

    def _until_next(self) -> timedelta | None:
        return max(self._sweeps[0].due - workflow.now(), timedelta(0)) if self._sweeps else None

    async def _sweep(self, sweep: Sweep) -> None:
        """Wake the leads that the scope held; given up as soon as the scope is paused again."""
        waking = workflow.start_activity(
            effects.wake_leads,
            effects.WakeLeads(scope=sweep.scope, by=sweep.by),
            start_to_close_timeout=timedelta(hours=1),
            heartbeat_timeout=timedelta(seconds=30),
            retry_policy=_RETRY,
            summary=f"wake leads held by {sweep.scope}",
        )
        await workflow.wait_condition(lambda: waking.done() or sweep not in self._sweeps)
        if not waking.done():
            waking.cancel()
        with contextlib.suppress(ActivityError):
            await waking
        if sweep in self._sweeps:
            self._sweeps.remove(sweep)
            self._plan(sweep.scope, sweep.by, sweep.nth + 1)

    def _plan(self, scope: str, by: str, nth: int) -> None:
        if nth < len(_SWEEPS):
            wait = _SWEEPS[nth] - (_SWEEPS[nth - 1] if nth else timedelta(0))
            self._sweeps.append(Sweep(scope=scope, by=by, due=workflow.now() + wait, nth=nth))
            self._sweeps.sort(key=lambda s: s.due)

    @update
    def pause(self, asked: Pause) -> Paused:
        """Pause a scope; a scope that is paused already keeps its first reason."""
        return self._pause(asked)

    @pause.validator
    def _pausable(self, asked: Pause) -> None:
        if fault := scope_fault(asked.scope):
            raise ApplicationError(fault)

    @signal(name="pause")
    def pause_by_signal(self, asked: Pause) -> None:
        """Pause a scope, as the update does; durable also while no worker runs."""
        if not scope_fault(asked.scope):
            self._pause(asked)

    @update
    def resume(self, asked: Resume) -> Paused:
        """Resume a scope and wake what it held; a scope that is not paused is searched for held leads all the
        same, which makes it the remedy for a lead left behind."""
        return self._resume(asked)

    @resume.validator
    def _resumable(self, asked: Resume) -> None:
        if fault := scope_fault(asked.scope):
            raise ApplicationError(fault)

    @signal(name="resume")
    def resume_by_signal(self, asked: Resume) -> None:
        """Resume a scope, as the update does; durable also while no worker runs."""
        if not scope_fault(asked.scope):
            self._resume(asked)

    @query
    def paused(self) -> Paused:
        """What is paused: by whom, why and since when."""
        return Paused(holds=tuple(self._holds.values()))

    def _pause(self, asked: Pause) -> Paused:
        self._sweeps = [s for s in self._sweeps if s.scope != asked.scope]
        hold = Hold(scope=asked.scope, by=asked.by, why=asked.why, at=workflow.now())
        self._holds.setdefault(asked.scope, hold)
        self._show()
        return self.paused()

    def _resume(self, asked: Resume) -> Paused:
        self._holds.pop(asked.scope, None)
        self._sweeps = [s for s in self._sweeps if s.scope != asked.scope]
        self._plan(asked.scope, asked.by, 0)
        self._show()
        return self.paused()

    def _show(self) -> None:
        """Tell dispatches through the memo, and people through the details."""
        scopes = sorted(self._holds)
        if workflow.memo_value(MEMO, default=None) != scopes:
            workflow.upsert_memo({MEMO: scopes})
        lines = ["**Nothing is paused.**"]
        if self._holds:
            lines = ["**Paused**", "", "| scope | by | since | why |", "| --- | --- | --- | --- |"]
            lines += [
                f"| {h.scope} | {h.by} | {h.at:%Y-%m-%d %H:%M %Z} | {h.why.replace('|', '/')} |"
                for h in self._holds.values()
            ]
        workflow.set_current_details("\n".join(lines))
