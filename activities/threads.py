"""Threads of texts and e-mails: one turn of the conversation core for what the lead wrote.

The core is the phone's, without its time: nothing is said while something is awaited, and no silence is met. Actions
are asked of the lead as on the phone, as updates under an id that the message and the turn give, so that an activity
that runs again gets the first answers again and does nothing twice.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from datetime import datetime, timedelta

from temporalio import activity
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError

from workflows.conversation import Conversation, signals
from workflows.effects import Converse, Conversed
from workflows.events import CallLearned
from workflows.messages import Act, Answer
from workflows.playbook import playbook_of

from . import faults, gate
from .vendors import openai

_MOST_STEPS = 40
"""Things that the core may want done for one message; more is a talk that goes round in circles."""
_THINK_WITHIN = timedelta(seconds=20)
"""For the model's decision: a text may take longer than a word on the phone."""
_ACT_WITHIN = 30.0
"""Seconds for the lead's answer: a booking reads calendars."""


@activity.defn
async def converse(request: Converse) -> Conversed:
    """See :func:`workflows.effects.converse`. Without a usable model the core's own rules answer."""
    return await _Turn(request).answered()


class _Turn:
    """One message on its way through the core."""

    def __init__(self, request: Converse) -> None:
        self._request = request
        self._began = time.monotonic()
        self._talk = Conversation(playbook_of(request.brief.playbook))
        self._wanted: deque[signals.Output] = deque()
        self._said: list[str] = []
        self._told: list[CallLearned] = []

    async def answered(self) -> Conversed:
        self._take(signals.Begin(self._now(), self._request.brief, self._request.thread))
        self._take(signals.Heard(self._now(), self._request.text))
        for _ in range(_MOST_STEPS):
            if not self._wanted:
                break
            await self._carry_out(self._wanted.popleft())
        state = self._talk.state
        return Conversed(
            reply=" ".join("".join(self._said).split()),
            node=state.node,
            asked=state.last_asked,
            told=tuple(self._told),
            verdicts=tuple(state.verdicts),
            tokens_in=state.tokens_in,
            tokens_out=state.tokens_out,
        )

    def _now(self) -> datetime:
        return self._request.now + timedelta(seconds=time.monotonic() - self._began)

    def _take(self, event: signals.Input) -> None:
        self._wanted.extend(self._talk.receive(event))

    async def _carry_out(self, output: signals.Output) -> None:
        if isinstance(output, signals.Speak):
            if output.text.strip() not in self._talk.state.waiting:  # nobody waits on a line
                self._said.append(output.text if output.text.endswith(" ") else output.text + " ")
        elif isinstance(output, signals.Ask):
            await openai.think(output, self._take, self._now, _THINK_WITHIN)
        elif isinstance(output, signals.Perform):
            self._take(signals.Performed(self._now(), output.id, await self._act(output)))
        elif isinstance(output, signals.KeepOptOut):
            await self._keep_opt_out(output.words)
            self._take(signals.OptOutKept(self._now()))
        elif isinstance(output, signals.Tell):
            self._told.append(output.learned)

    async def _act(self, asked: signals.Perform) -> Answer:
        """The lead's recorded answer. The action's kind is part of the id: another decision of the model's, when all
        of this runs again, is another request."""
        brief = self._request.brief
        name = f"{asked.id}:{asked.action.kind}"
        request = Act(
            id=name, action=asked.action, at=self._now(), attempt=brief.attempt, version=asked.version, verdict=asked.verdict
        )  # fmt: skip
        lead = activity.client().get_workflow_handle(brief.lead)
        try:
            async with asyncio.timeout(_ACT_WITHIN):
                answer: Answer = await lead.execute_update("act", request, id=name, result_type=Answer)
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
            raise faults.retry(f"the lead gave no answer: {type(error).__name__}") from None
        except WorkflowUpdateFailedError as error:
            raise faults.retry(f"the lead refused to act: {type(error.cause).__name__}") from None
        except RPCError as error:
            raise faults.retry(f"the lead could not be asked: {error.status.name}") from None
        return answer

    async def _keep_opt_out(self, words: str) -> None:
        """Durable before it is acknowledged."""
        brief, at = self._request.brief, self._request.now
        handles = gate.handles(brief.lead, brief.person)
        try:
            await gate.start_opt_out(activity.client(), handles, brief.lead, brief.channel, at, words[:300])
        except RPCError as error:
            raise faults.retry(f"the opt-out could not be kept: {error.status.name}") from None
