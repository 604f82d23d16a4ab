"""A language model on OpenAI's wire: ``/openai/v1/chat/completions``, streaming and not.

It is scripted (:mod:`.script`), keeps no state and sees nothing but its request: the instruction, the talk, the moment's
state and the schema. The vendor has no idempotency: the same request twice is two answers, and two bills.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from .script import Reader

if TYPE_CHECKING:
    from .app import World

FIRST_TOKEN = 0.03
"""Seconds to the first piece of an answer."""
_PIECE = 24
"""Characters of one streamed piece."""


def routes(world: World) -> list[BaseRoute]:
    numbers = itertools.count(1)

    async def completions(request: Request) -> Response:
        return await _complete(request, f"chatcmpl-{next(numbers):06d}")

    return [
        Route("/openai/v1/chat/completions", completions, methods=["POST"]),
        Route("/openai/v1/models", _models),
    ]


async def _models(request: Request) -> Response:
    model = {"id": "scripted", "object": "model", "created": 1_700_000_000, "owned_by": "sandbox"}
    return JSONResponse({"object": "list", "data": [model]})


def _error(status: int, message: str, code: str, param: str = "") -> Response:
    kind = "invalid_request_error"
    return JSONResponse({"error": {"message": message, "type": kind, "param": param or None, "code": code}}, status)


async def _complete(request: Request, answer_id: str) -> Response:
    if not request.headers.get("authorization", "").startswith("Bearer "):
        return _error(401, "You didn't provide an API key.", "invalid_api_key")
    try:
        asked = await request.json()
    except ValueError:
        return _error(400, "We could not parse the JSON body of your request.", "invalid_json")
    messages = asked.get("messages") if isinstance(asked, dict) else None
    if not isinstance(asked, dict) or not asked.get("model"):
        return _error(400, "you must provide a model parameter", "missing_required_parameter", "model")
    if not isinstance(messages, list) or not messages:
        return _error(400, "Missing required parameter: 'messages'.", "missing_required_parameter", "messages")
    text = reply(asked)
    usage = _usage(messages, text)
    frame = {"id": answer_id, "created": int(time.time()), "model": asked["model"]}
    await asyncio.sleep(FIRST_TOKEN)
    if asked.get("stream"):
        include = bool((asked.get("stream_options") or {}).get("include_usage"))
        return StreamingResponse(_stream(frame, text, usage, include), media_type="text/event-stream")
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return JSONResponse({**frame, "object": "chat.completion", "choices": [choice], "usage": usage})


def _usage(messages: list[dict[str, Any]], text: str) -> dict[str, int]:
    """Tokens, at four characters each."""
    asked = sum(len(str(m.get("content", ""))) for m in messages) // 4 + 4 * len(messages)
    said = len(text) // 4 + 1
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


async def _stream(
    frame: Mapping[str, Any], text: str, usage: dict[str, int], include_usage: bool
) -> AsyncIterator[str]:
    def event(**more: Any) -> str:
        return f"data: {json.dumps({**frame, 'object': 'chat.completion.chunk', **more})}\n\n"

    extra: dict[str, Any] = {"usage": None} if include_usage else {}
    role = {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}
    yield event(choices=[role], **extra)
    for at in range(0, len(text), _PIECE):
        piece = {"index": 0, "delta": {"content": text[at : at + _PIECE]}, "finish_reason": None}
        yield event(choices=[piece], **extra)
        await asyncio.sleep(0)
    yield event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}], **extra)
    if include_usage:
        yield event(choices=[], usage=usage)
    yield "data: [DONE]\n\n"


# ---- the script -------------------------------------------------------------------------------------------------


def reply(asked: Mapping[str, Any]) -> str:
    """The text that answers this request: one turn as JSON, or a plain sentence when no schema was given."""
    schema = ((asked.get("response_format") or {}).get("json_schema") or {}).get("schema")
    last = str(asked["messages"][-1].get("content", ""))
    try:
        moment = json.loads(last)
        state, said = moment["state"], str(moment["caller_said"])
    except (ValueError, TypeError, KeyError):
        return json.dumps(_least(schema)) if schema else "Hello! How can I help you today?"
    instruction = str(asked["messages"][0].get("content", ""))
    return json.dumps(Reader(instruction, state, said).turn(), ensure_ascii=False)


def _least(schema: Mapping[str, Any]) -> Any:
    """The smallest value that the schema allows."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {name: _least(inner) for name, inner in schema.get("properties", {}).items()}
    return {"array": [], "string": "", "number": 0, "integer": 0, "boolean": False}.get(str(kind))
