"""The language model: any server with OpenAI's chat completions, through the ``openai`` SDK.

A turn is asked for under a strict schema. A server that refuses a part of our request (the schema, the name of the
token limit, the count of tokens) is asked again without it, and the process remembers. Retries are otherwise off: a
late answer is worth less than none, and the caller has its own fallback. Nothing that was said is logged or put into
an error.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

import openai
from openai import AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletionChunk
from temporalio.exceptions import ApplicationError

from activities import faults, health
from activities.settings import Settings, settings
from activities.vendors import status
from workflows.conversation import signals
from workflows.conversation.turn import Decision, MalformedTurn, TurnReader

log = logging.getLogger(__name__)

MOST_TOKENS = 600
"""Tokens that one turn may take."""
SPEAK_WITHIN = 10.0
"""Seconds from the decision to the last word."""
_LENIENT = (
    ("json_schema", ("response_format", "schema", "structured", "guided")),
    ("response_format", ("response_format", "json_object")),
    ("max_completion_tokens", ("max_completion_tokens",)),
    ("stream_options", ("stream_options", "include_usage")),
)
"""What a server may do without, and the words by which its refusal names it."""


@dataclass(frozen=True)
class Usage:
    """What one turn cost, in the model's tokens; 0 where the server does not tell."""

    tokens_in: int = 0
    tokens_out: int = 0


_Server = tuple[str, str]
"""Address and model."""
_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], AsyncOpenAI]] = WeakKeyDictionary()
_without: dict[_Server, frozenset[str]] = {}
"""What each server refused so far, by the names in :data:`_LENIENT`."""


def _client(house: Settings) -> AsyncOpenAI:
    """The running loop's client for these settings: connections are kept alive between turns."""
    of_loop = _clients.setdefault(asyncio.get_running_loop(), {})
    key = (house.openai_base_url, house.openai_api_key)
    if key not in of_loop:
        of_loop[key] = AsyncOpenAI(
            api_key=house.openai_api_key or "none",
            base_url=house.openai_base_url or None,
            max_retries=0,
            timeout=house.showrate_timeout,
        )
    return of_loop[key]


async def think(
    ask: signals.Ask, take: Callable[[signals.Input], object], now: Callable[[], datetime], decide_within: timedelta
) -> None:
    """Have ``ask`` answered: each piece goes to ``take`` as it comes, Finished or Failed last. Nothing is raised but a
    cancellation."""
    usage = Usage()
    try:
        async with asyncio.timeout(decide_within.total_seconds()) as limit:
            async for known in stream_turn(ask.messages, ask.schema, ask.actions):
                if isinstance(known, Decision):
                    limit.reschedule(asyncio.get_running_loop().time() + SPEAK_WITHIN)
                    take(signals.Decided(now(), ask.id, known))
                elif isinstance(known, Usage):
                    usage = known
                else:
                    take(signals.Words(now(), ask.id, known))
    except (ApplicationError, MalformedTurn, TimeoutError) as error:
        health.effect("model_turn", getattr(error, "type", None) or "error", type(error).__name__)
        log.warning("no usable turn: %s", type(error).__name__)
        take(signals.Failed(now(), ask.id, type(error).__name__, usage.tokens_in, usage.tokens_out))
        return
    health.effect("model_turn", "ok")
    take(signals.Finished(now(), ask.id, usage.tokens_in, usage.tokens_out))


async def stream_turn(
    messages: list[dict[str, str]], schema: dict[str, Any], actions: tuple[str, ...], house: Settings | None = None
) -> AsyncIterator[Decision | str | Usage]:
    """One turn as it comes: the Decision once it is complete, then pieces of what to say, last the Usage. ``house``
    names the model, the process's settings do by default.

    Raises turn.MalformedTurn when the answer is no turn (a refusal, another shape, cut off), and the errors of
    :mod:`activities.faults`."""
    reader = TurnReader(actions)
    usage = Usage()
    try:
        stream = await _asked(house or settings(), messages, schema)
        async with stream:
            async for chunk in stream:
                if chunk.usage is not None:
                    usage = Usage(chunk.usage.prompt_tokens or 0, chunk.usage.completion_tokens or 0)
                for choice in (chunk.choices or [])[:1]:
                    if choice.delta is None:
                        continue
                    if choice.delta.refusal:
                        raise MalformedTurn("is a refusal")
                    # What a model thinks before it answers comes under names of its own, and is not read.
                    if choice.delta.content:
                        for known in reader.feed(choice.delta.content):
                            yield known
    except openai.APIStatusError as error:
        raise _refusal(error) from error
    except openai.OpenAIError as error:
        raise faults.retry(f"the language model did not answer: {type(error).__name__}") from error
    except (ValueError, TypeError, AttributeError) as error:
        # The SDK builds what it gets without looking: a frame of another shape shows only here.
        if isinstance(error, MalformedTurn):
            raise
        raise MalformedTurn(f"is no stream of turns: {type(error).__name__}") from None
    yield usage
    reader.finish()


async def _asked(
    house: Settings, messages: list[dict[str, str]], schema: dict[str, Any]
) -> AsyncStream[ChatCompletionChunk]:
    """The server's stream, asked without what it refused before; each new refusal is remembered. Raises
    openai.OpenAIError."""
    server = (house.openai_base_url, house.openai_model)
    while True:
        without = _without.get(server, frozenset())
        try:
            asked = _request(house.openai_model, messages, schema, without)
            stream: AsyncStream[ChatCompletionChunk] = await _client(house).chat.completions.create(**asked)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            refused = _named(error, without)
            if not refused:
                raise
            _without[server] = without | {refused}
        else:
            return stream


def _request(
    model: str, messages: list[dict[str, str]], schema: dict[str, Any], without: frozenset[str]
) -> dict[str, Any]:
    asked: dict[str, Any] = {"model": model, "messages": messages, "stream": True}
    if "json_schema" in without:
        # The schema changes with the place in the talk, so it stands last: what comes before stays as it was.
        shape = f"Answer with one JSON object that keeps to this schema, keys in this order: {json.dumps(schema)}"
        asked["messages"] = [*messages, {"role": "system", "content": shape}]
        if "response_format" not in without:
            asked["response_format"] = {"type": "json_object"}
    else:
        strict = {"name": "turn", "strict": True, "schema": schema}
        asked["response_format"] = {"type": "json_schema", "json_schema": strict}
    asked["max_tokens" if "max_completion_tokens" in without else "max_completion_tokens"] = MOST_TOKENS
    if "stream_options" not in without:
        asked["stream_options"] = {"include_usage": True}
    return asked


def _named(error: openai.APIStatusError, without: frozenset[str]) -> str:
    """The part of our request that this refusal names, if the server may do without it and was not already."""
    said = f"{getattr(error, 'param', '') or ''} {error.message}".lower()
    return next((part for part, words in _LENIENT if part not in without and any(w in said for w in words)), "")


def _refusal(error: openai.APIStatusError) -> BaseException:
    if isinstance(error, openai.RateLimitError):
        wait = status.delay(error.response.headers.get("retry-after")) or timedelta(seconds=1)
        return faults.retry_after("the language model is over its rate", wait)
    failure = faults.retry if status.temporary(error.status_code) or error.status_code == 409 else faults.permanent
    return failure(f"the language model answered {error.status_code}")


async def close() -> None:
    """Close the running loop's connections."""
    for client in _clients.pop(asyncio.get_running_loop(), {}).values():
        await client.close()
