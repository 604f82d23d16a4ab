"""A stand-in for Slack's Web API, on the wire: posting, changing and reading messages of channels, and people who press
the buttons on them.

Like Slack, it deduplicates nothing, gives metadata back only when asked for it, and reads history by a channel's id
alone. Channels come into being when they are posted to; ``GET /_state/slack`` shows them.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from . import rep
from .pages import page

if TYPE_CHECKING:
    from .app import World

_CHANNEL = re.compile(r"[CDG][A-Z0-9]{8,}")
_LONGEST = 40_000
_BOT = {"bot_id": "B0SHOWRATE", "user": "U0SHOWRATE", "team": "T0SANDBOX"}


class Refused(Exception):
    """Slack's way of saying no: 200 with ``ok`` false and a code."""


class Workspace:
    """The messages of every channel, oldest first."""

    def __init__(self) -> None:
        self.channels: dict[str, list[dict[str, Any]]] = {}
        self.names: dict[str, str] = {}
        self.whispers: list[dict[str, Any]] = []
        self._clock = itertools.count(1)

    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(body.get("channel", ""))
        _check(body)
        # A timestamp is a message's id, so no two are the same, however quickly they come.
        ts = f"{int(time.time())}.{next(self._clock):06d}"
        message = {"type": "message", "subtype": "bot_message", "ts": ts, "text": body.get("text", ""), **_BOT}
        message |= {key: body[key] for key in ("blocks", "metadata", "thread_ts") if key in body}
        self.channels[channel].append(message)
        return {"ok": True, "channel": channel, "ts": ts, "message": _shown(message, metadata=True)}

    def update(self, body: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(body.get("channel", ""))
        message = next((m for m in self.channels[channel] if m["ts"] == body.get("ts")), None)
        if message is None:
            raise Refused("message_not_found")
        _check(body)
        message |= {key: body[key] for key in ("text", "blocks", "metadata") if key in body}
        message["edited"] = {"user": _BOT["user"], "ts": f"{time.time():.6f}"}
        shown = _shown(message, metadata=True)
        return {"ok": True, "channel": channel, "ts": message["ts"], "text": message["text"], "message": shown}

    def whisper(self, body: dict[str, Any]) -> dict[str, Any]:
        """What one person alone sees, until they look away."""
        channel = self._channel(body.get("channel", ""))
        if not body.get("user"):
            raise Refused("user_not_in_channel")
        _check(body)
        ts = f"{int(time.time())}.{next(self._clock):06d}"
        self.whispers.append({"channel": channel, "user": body["user"], "text": body.get("text", ""), "ts": ts})
        return {"ok": True, "message_ts": ts}

    def press(self, asked: dict[str, Any]) -> bytes:
        """What Slack sends when ``user`` presses the button ``action`` of the message ``ts``, with what was chosen beside
        it (``time``, seconds since 1970). Raises KeyError when there is no such button."""
        channel, message = next((c, m) for c, those in self.channels.items() for m in those if m["ts"] == asked["ts"])
        block, element = next(
            (b, e) for b in message["blocks"] if b["type"] == "actions" for e in b["elements"] if e.get("action_id") == asked["action"]
        )
        action = {
            "type": "button", "action_id": element["action_id"], "block_id": block.get("block_id", ""), "text": element["text"],
            "value": element.get("value", ""), "action_ts": f"{time.time():.6f}",
        }  # fmt: skip
        chosen = {"time": {"type": "datetimepicker", "selected_date_time": asked.get("time")}}
        user = {"id": asked["user"], "username": str(asked["user"]).lower(), "team_id": _BOT["team"]}
        payload = {
            "type": "block_actions", "user": user, "api_app_id": "A0SANDBOX", "trigger_id": f"{next(self._clock)}.1.abc",
            "team": {"id": _BOT["team"], "domain": "sandbox"}, "channel": {"id": channel, "name": "sales"},
            "container": {"type": "message", "message_ts": message["ts"], "channel_id": channel, "is_ephemeral": False},
            "message": _shown(message, metadata=False), "state": {"values": {block.get("block_id", ""): chosen}},
            "actions": [action],
        }  # fmt: skip
        return urlencode({"payload": json.dumps(payload)}).encode()

    def history(self, query: dict[str, Any]) -> dict[str, Any]:
        channel = query.get("channel", "")
        if channel not in self.channels and not _CHANNEL.fullmatch(channel):
            raise Refused("channel_not_found")
        oldest, latest = float(query.get("oldest") or 0), float(query.get("latest") or "inf")
        inclusive = str(query.get("inclusive", "")).lower() in {"1", "true"}
        found = [
            m
            for m in reversed(self.channels.get(channel, []))
            if oldest < float(m["ts"]) < latest or (inclusive and float(m["ts"]) in {oldest, latest})
        ]
        start = int(query.get("cursor") or 0)
        size = max(1, min(int(query.get("limit") or 100), 999))
        more = start + size < len(found)
        metadata = str(query.get("include_all_metadata", "")).lower() in {"1", "true"}
        answer: dict[str, Any] = {
            "ok": True,
            "messages": [_shown(m, metadata) for m in found[start : start + size]],
            "has_more": more,
            "pin_count": 0,
            "channel_actions_ts": None,
            "channel_actions_count": 0,
        }
        if more:
            answer["response_metadata"] = {"next_cursor": str(start + size)}
        return answer

    def _channel(self, name: str) -> str:
        """The id of the channel of this id or name."""
        if not name:
            raise Refused("channel_not_found")
        channel = name
        if not _CHANNEL.fullmatch(name):
            channel = "C" + hashlib.sha256(name.lstrip("#").encode()).hexdigest()[:9].upper()
            self.names[channel] = name.lstrip("#")
        self.channels.setdefault(channel, [])
        return channel


def _check(body: dict[str, Any]) -> None:
    if not body.get("text") and not body.get("blocks"):
        raise Refused("no_text")
    if len(str(body.get("text", ""))) > _LONGEST:
        raise Refused("msg_too_long")
    if len(body.get("blocks", [])) > 50 or not isinstance(body.get("blocks", []), list):
        raise Refused("invalid_blocks")
    for block in body.get("blocks", []):
        shown = block.get("text", {}).get("text", "") if isinstance(block, dict) else None
        if shown is None or "type" not in block or len(shown) > (150 if block["type"] == "header" else 3000):
            raise Refused("invalid_blocks")
    metadata = body.get("metadata")
    if metadata is not None and not (
        isinstance(metadata, dict) and metadata.get("event_type") and isinstance(metadata.get("event_payload"), dict)
    ):
        raise Refused("invalid_metadata_format")


def _shown(message: dict[str, Any], metadata: bool) -> dict[str, Any]:
    return {key: value for key, value in message.items() if metadata or key != "metadata"}


async def _arguments(request: Request) -> dict[str, Any]:
    """What was sent, as JSON, as a form or in the address; in a form, structures are JSON in a string."""
    if request.method == "GET":
        return dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            body = json.loads(await request.body())
        except ValueError as error:
            raise Refused("invalid_json") from error
        if not isinstance(body, dict):
            raise Refused("json_not_object")
        return body
    form: dict[str, Any] = {key: str(value) for key, value in (await request.form()).items()}
    for key in ("blocks", "metadata"):
        if key in form:
            form[key] = json.loads(form[key])
    return form


def routes(world: World) -> list[BaseRoute]:
    """Slack's addresses, its page and its state."""
    workspace = Workspace()
    methods = {
        "chat.postMessage": workspace.post,
        "chat.update": workspace.update,
        "chat.postEphemeral": workspace.whisper,
        "conversations.history": workspace.history,
    }

    async def call(request: Request) -> Response:
        try:
            method = methods.get(request.path_params["method"])
            if method is None:
                raise Refused("unknown_method")
            arguments = await _arguments(request)
            if not request.headers.get("authorization", "").startswith("Bearer ") and not arguments.get("token"):
                raise Refused("not_authed")
            done = method(arguments)
            if request.path_params["method"] == "chat.postMessage" and (asked := rep.question(done["message"])):
                world.spawn(rep.answer(world, asked))
            return JSONResponse(done)
        except Refused as refused:
            return JSONResponse({"ok": False, "error": str(refused)})

    async def state(request: Request) -> Response:
        whole = {"channels": workspace.channels, "names": workspace.names, "whispers": workspace.whispers[-20:]}
        return JSONResponse(whole)

    async def press(request: Request) -> Response:
        """Somebody presses a button in the page: signed, and sent once, as Slack does."""
        asked = await request.json()
        try:
            body = workspace.press(asked)
        except (KeyError, StopIteration, RuntimeError):
            return JSONResponse({"error": "there is no such button (any more)"}, 404)
        timestamp = str(int(time.time()))
        signed = hmac.new(world.account.slack_secret.encode(), b"v0:%s:%s" % (timestamp.encode(), body), hashlib.sha256)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded", "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": "v0=" + signed.hexdigest(),
        }  # fmt: skip
        entry = world.log.arrived("slack", "out", "POST", world.account.slack_actions, "", headers, body.decode())
        began, status = time.perf_counter(), 0
        try:
            async with world.http.post(world.account.slack_actions, data=body, headers=headers) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            status = 0
        world.log.answered(entry, status, time.perf_counter() - began, "")
        return JSONResponse({"status": status})

    async def page_of(request: Request) -> Response:
        return HTMLResponse(page("Slack", (Path(__file__).parent / "slack.html").read_text("utf-8")))

    return [
        Route("/slack/api/{method}", call, methods=["GET", "POST"]),
        Route("/_state/slack", state, methods=["GET"]),
        Route("/slack/press", press, methods=["POST"]),
        Route("/slack", page_of, methods=["GET"]),
    ]
