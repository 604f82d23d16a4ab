"""One handle that said stop: the open execution itself is the opt-out, and every dispatch asks for it by
its id.

Its id is ``identity.optout_id(hash)``. Whoever hears the words starts it (signal-with-start, so a repeat
joins what runs), and only an explicit opt-in ends it: neither a cancellation nor the erasure of the lead
does.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from . import messages, versions
    from .handlers import query, signal, update
    from .model import Instant, Model

_KEPT = 20
"""How many repeats are kept as evidence: the first, which is the proof, and the latest others."""


class Stop(Model):
    """That they said stop: on which channel, when, to which lead of ours, in which words."""

    channel: str
    at: Instant
    lead: str = ""
    words: str = ""


class OptOutStart(Model):
    """The input: the handle's hash, and what was said so far when the workflow continues as new."""

    handle: str
    said: tuple[Stop, ...] = ()
    times: int = 0
    """How often it was said, those no longer kept included."""


class OptIn(Model):
    """They want to hear from us again: who vouches for it, and in which words they said so."""

    by: str
    words: str = ""
    """What the person said or signed; an opt-in without it is refused."""


class OptOutEnded(Model):
    """The result: who ended the opt-out, and on which words."""

    by: str
    words: str
    at: Instant


@workflow.defn(name=messages.OPT_OUT, versioning_behavior=versions.moves())
class OptOutWorkflow:
    """Signals: ``opted_out`` Stop, ``opt_in`` OptIn. Updates: ``opt_in`` OptIn -> OptOutEnded. Queries:
    ``said`` -> list of Stop."""

    @workflow.init
    def __init__(self, start: OptOutStart) -> None:
        self._handle = start.handle
        self._said = list(start.said)
        self._times = max(start.times, len(start.said))
        self._ended: OptOutEnded | None = None
        self._show()

    @workflow.run
    async def run(self, start: OptOutStart) -> OptOutEnded:
        while True:
            try:
                await workflow.wait_condition(
                    lambda: self._ended is not None or workflow.info().is_continue_as_new_suggested()
                )
                await workflow.wait_condition(workflow.all_handlers_finished)
            except asyncio.CancelledError:
                # Ending the execution would free the handle, and a cancellation is nobody's opt-in.
                continue
            if self._ended is not None:
                return self._ended
            carried = OptOutStart(handle=self._handle, said=tuple(self._said), times=self._times)
            workflow.continue_as_new(carried)

    @signal
    def opted_out(self, stop: Stop) -> None:
        """They said it (again). Said once more after an opt-in in the same moment, the stop stands."""
        if stop in self._said:
            return
        self._said.append(stop)
        self._times += 1
        if len(self._said) > _KEPT:
            del self._said[1]
        self._ended = None
        self._show()

    @update
    def opt_in(self, asked: OptIn) -> OptOutEnded:
        """End the opt-out. Refused (ApplicationError) without the person's words or without who vouches."""
        return self._end(asked)

    @opt_in.validator
    def _explicit(self, asked: OptIn) -> None:
        if not asked.by.strip() or not asked.words.strip():
            raise ApplicationError("an opt-in needs who vouches for it (by) and what the person said (words)")

    @signal(name="opt_in")
    def opt_in_by_signal(self, asked: OptIn) -> None:
        """End the opt-out, as the update does, for callers that cannot wait for an answer; without by or words nothing changes."""
        if asked.by.strip() and asked.words.strip():
            self._end(asked)

    @query
    def said(self) -> list[Stop]:
        """The evidence: the first time and the latest."""
        return list(self._said)

    def _end(self, asked: OptIn) -> OptOutEnded:
        if self._ended is None:
            self._ended = OptOutEnded(by=asked.by, words=asked.words, at=workflow.now())
            self._show()
        return self._ended

    def _show(self) -> None:
        lines = [f"**Opted out**: nothing is sent to this handle or dialled ({self._times}x said)."]
        if self._ended is not None:
            lines = [f"**Opted in** by {self._ended.by}, {_minute(self._ended.at)}: {self._ended.words!r}"]
        lines += ["", "| when | channel | lead | words |", "| --- | --- | --- | --- |"]
        lines += [f"| {_minute(s.at)} | {s.channel} | {s.lead} | {s.words.replace('|', '/')} |" for s in self._said]
        workflow.set_current_details("\n".join(lines))


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M %Z}"
