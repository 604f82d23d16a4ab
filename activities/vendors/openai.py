"""The language model: any server with OpenAI's chat completions and structured output, through the ``openai`` SDK.

Retries are off: a late answer is worth less than none, and the caller has its own fallback. Nothing that was said is
logged or put into an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

import openai
from openai import AsyncOpenAI

from activities import faults
from activities.settings import Settings, settings
from workflows.conversation.turn import Decision, TurnReader

MOST_TOKENS = 600
"""Tokens that one turn may take."""


@dataclass(frozen=True)
class Usage:
    """What one turn cost, in the model's tokens."""

    tokens_in: int = 0
    tokens_out: int = 0


_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], AsyncOpenAI]] = WeakKeyDictionary()


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


async def stream_turn(
    messages: list[dict[str, str]], schema: dict[str, Any], actions: tuple[str, ...]
) -> AsyncIterator[Decision | str | Usage]:
    """One turn as it comes: the Decision once it is complete, then pieces of what to say, last the Usage.

    Raises turn.MalformedTurn when the answer is no turn, and the errors of :mod:`activities.faults`."""
    house = settings()
    reader = TurnReader(actions)
    usage = Usage()
    asked: dict[str, Any] = {
        "model": house.openai_model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        "response_format": {"type": "json_schema", "json_schema": {"name": "turn", "strict": True, "schema": schema}},
        "max_completion_tokens": MOST_TOKENS,
    }  # fmt: skip
    try:
        stream = await _client(house).chat.completions.create(**asked)
        async with stream:
            async for chunk in stream:
                if chunk.usage is not None:
                    usage = Usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
                for choice in chunk.choices[:1]:
                    if choice.delta is not None and choice.delta.content:
                        for known in reader.feed(choice.delta.content):
                            yield known
    except openai.RateLimitError as error:
        seconds = error.response.headers.get("retry-after", "")
        wait = timedelta(seconds=float(seconds)) if seconds.replace(".", "", 1).isdigit() else timedelta(seconds=1)
        raise faults.retry_after("the language model is over its rate", wait) from error
    except openai.APIConnectionError as error:
        raise faults.retry(f"the language model did not answer: {type(error).__name__}") from error
    except openai.APIStatusError as error:
        failure = faults.retry if error.status_code >= 500 or error.status_code in (408, 409) else faults.permanent
        raise failure(f"the language model answered {error.status_code}") from error
    except openai.OpenAIError as error:
        raise faults.retry(f"the language model failed: {type(error).__name__}") from error
    yield usage
    reader.finish()


async def close() -> None:
    """Close the running loop's connections."""
    for client in _clients.pop(asyncio.get_running_loop(), {}).values():
        await client.close()
