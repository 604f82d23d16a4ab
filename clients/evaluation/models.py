"""What answers a turn in a played conversation: a model behind the wire, or one in this process.

A :class:`Thought` is a whole turn with the time that each part of it took, so that a play in its own time can let it
arrive as it really did.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.exceptions import ApplicationError

from activities.settings import Settings
from workflows.conversation import signals
from workflows.conversation.turn import Decision, MalformedTurn, TurnReader

from .scenario import Thinks

QUICK = timedelta(milliseconds=350)
"""How long a model in this process takes in the play's time."""
PATIENCE = 20.0
"""Seconds of real time for one turn of a model behind the wire."""


@dataclass(frozen=True)
class Thought:
    """One turn: what became known, each with the time since it was asked. ``failed`` says why it is not whole."""

    parts: tuple[tuple[timedelta, Decision | str], ...] = ()
    failed: str = ""
    took: timedelta = QUICK
    tokens_in: int = 0
    tokens_out: int = 0

    @property
    def first_word(self) -> timedelta | None:
        return next((at for at, known in self.parts if isinstance(known, str)), None)


Model = Callable[[signals.Ask], Awaitable[Thought]]


def read(text: str, ask: signals.Ask, after: timedelta = QUICK) -> Thought:
    """The turn in ``text``, as if it had come whole ``after`` it was asked."""
    reader = TurnReader(ask.actions)
    parts: list[tuple[timedelta, Decision | str]] = []
    failed = ""
    try:
        parts += [(after, known) for known in reader.feed(text)]
        reader.finish()
    except MalformedTurn as error:
        failed = str(error)
    return Thought(tuple(parts), failed, after, _tokens(ask), len(text) // 4)


def _tokens(ask: signals.Ask) -> int:
    """About four characters each."""
    return sum(len(message["content"]) for message in ask.messages) // 4


def local(reply: Callable[[dict[str, Any]], str]) -> Model:
    """A model in this process: ``reply`` takes a request as it goes over the wire and gives the answer's text."""

    async def think(ask: signals.Ask) -> Thought:
        schema = {"type": "json_schema", "json_schema": {"name": "turn", "schema": ask.schema}}
        return read(reply({"model": "local", "messages": ask.messages, "response_format": schema}), ask)

    return think


async def wired(ask: signals.Ask, house: Settings | None = None) -> Thought:
    """The model that ``house`` (the process's settings by default) names, over the wire, with the times that its answer
    really took."""
    from activities.vendors import openai  # of the commands only this one needs its five hundred modules

    began = time.monotonic()
    parts: list[tuple[timedelta, Decision | str]] = []
    usage, failed = openai.Usage(), ""
    try:
        async with asyncio.timeout(PATIENCE):
            async for known in openai.stream_turn(ask.messages, ask.schema, ask.actions, house):
                if isinstance(known, openai.Usage):
                    usage = known
                else:
                    parts.append((_since(began), known))
    except (ApplicationError, MalformedTurn, TimeoutError) as error:
        failed = str(error) or type(error).__name__
    return Thought(tuple(parts), failed, _since(began), usage.tokens_in, usage.tokens_out)


def _since(began: float) -> timedelta:
    return timedelta(seconds=time.monotonic() - began)


def turn(
    action: str,
    args: Mapping[str, str],
    say: str = "",
    intent: str = "unclear",
    fields: Mapping[str, tuple[str, str]] | None = None,
    signs: tuple[Mapping[str, str], ...] = (),
) -> dict[str, Any]:
    """A turn as the schema has it; ``fields`` are values with their quotes."""
    blank = {"field": "", "topic": "", "when": "", "choice": "", "why": ""}
    read_fields = [
        {"field": name, "value": value, "quote": quote} for name, (value, quote) in (fields or {}).items()
    ]
    return {
        "reading": {"intent": intent, "fields": read_fields, "signs": [dict(sign) for sign in signs]},
        "action": {"name": action, "args": {**blank, **args}},
        "say": say,
    }


def instead(thinks: Thinks, ask: signals.Ask) -> Thought:
    """The thought that a scenario puts in the model's place."""
    after = thinks.after or QUICK
    if thinks.fails == "never":
        return Thought(failed="TimeoutError", took=timedelta(seconds=20))
    if thinks.fails == "unreachable":
        return Thought(failed="the language model did not answer", took=after)
    if thinks.fails == "malformed":
        return read('{"reading": {"intent": ', ask, after)
    fields = {name: (value, thinks.quotes.get(name, value)) for name, value in thinks.fields.items()}
    signs = tuple(sign.model_dump() for sign in thinks.signs)
    action = "transfer_money" if thinks.fails == "wrong_action" else thinks.action or "say"
    text = json.dumps(turn(action, thinks.args, thinks.say, thinks.intent, fields, signs))
    if thinks.fails == "cut":
        thought = read(text[: text.rindex('"say"') + 9], ask, after)
        return Thought(thought.parts, "ended before the turn was whole", after)
    return read(text, ask, after)
