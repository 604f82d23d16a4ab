"""One rep's ledger as a workflow: ``rep-<rep>``, started by whoever first holds a time of theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from . import ledger, messages, versions
    from .handlers import bug_ends_here, query, quiet_moment, update
    from .ledger import Ahead, AskAhead, AskTaken, Commit, HoldTime, Ledger, Release, Standing, Taken
    from .model import Model

_Asked = TypeVar("_Asked")
_SHOWN = 20


class RepStart(Model):
    """The input. ``carry`` is the ledger through continue-as-new, which comes after ``turnover`` changes (five
    events each; a run takes at most 2,000 updates)."""

    rep: str
    carry: Ledger | None = None
    turnover: int = 500


@workflow.defn(name=messages.REP, versioning_behavior=versions.moves())
class RepWorkflow:
    """Updates: ``hold`` HoldTime, ``commit`` Commit, ``release`` Release, each answering Standing. Query: ``taken``
    AskTaken -> Taken, ``ahead`` AskAhead -> Ahead. No handler awaits anything, so check and change are one step. There are no timers and no
    activities: the history is nothing but what was asked."""

    @workflow.init
    def __init__(self, start: RepStart) -> None:
        self._ledger = start.carry or Ledger()
        self._rep = start.rep
        self._changes = 0
        self._show()

    @workflow.run
    async def run(self, start: RepStart) -> None:
        await quiet_moment(lambda: self._changes, start.turnover)
        await workflow.wait_condition(workflow.all_handlers_finished)
        carried = ledger.without_past(self._ledger)
        workflow.continue_as_new(start.model_copy(update={"carry": carried}))

    @update
    def hold(self, asked: HoldTime) -> Standing:
        """Claim a time for a while."""
        return self._change(ledger.hold, asked)

    @update
    def commit(self, asked: Commit) -> Standing:
        """Turn the hold into a booking."""
        return self._change(ledger.commit, asked)

    @update
    def release(self, asked: Release) -> Standing:
        """Free the time; the booking's id is spent."""
        return self._change(ledger.release, asked)

    @query
    def taken(self, asked: AskTaken) -> Taken:
        """What keeps the rep busy between two instants."""
        return ledger.taken(self._ledger, asked)

    @query
    def ahead(self, asked: AskAhead) -> Ahead:
        """The meetings that are not over yet."""
        return ledger.ahead(self._ledger, asked)

    def _change(self, step: Callable[[Ledger, _Asked], tuple[Ledger, Standing]], asked: _Asked) -> Standing:
        with bug_ends_here(step.__name__):
            self._ledger, standing = step(self._ledger, asked)
            self._changes += 1
            self._show()
            return standing

    def _show(self) -> None:
        """What stands in the ledger, for people who look at the workflow."""
        since = self._ledger.latest
        live = sorted(
            (claim.start, claim.end, claim.state, booking)
            for booking, claim in self._ledger.claims.items()
            if since and claim.live(since) and claim.end > since
        )
        lines = [f"**{self._rep}: {len(live)} meetings ahead**"]
        if live:
            lines += ["", "| start (UTC) | end | state | booking |", "| --- | --- | --- | --- |"]
            lines += [
                f"| {start:%a %Y-%m-%d %H:%M} | {end:%H:%M} | {state} | {booking} |"
                for start, end, state, booking in live[:_SHOWN]
            ]
        if len(live) > _SHOWN:
            lines.append(f"\nand {len(live) - _SHOWN} more")
        workflow.set_current_details("\n".join(lines))
