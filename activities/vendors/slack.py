"""Slack's Web API: posting a card under a key, changing it, and finding cards by key; and the buttons pressed on them.

``chat.postMessage`` knows no idempotency key, so the key travels in the message's metadata and is read back from
``conversations.history``. A post whose answer was lost is *ambiguous*; everything else that fails was not carried
out, or refused (:mod:`activities.faults`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx

from activities import faults
from activities.settings import settings
from activities.vendors import rest, status
from workflows.model import Instant, Model

EVENT = "showrate_card"
"""The metadata's ``event_type``."""

_HOME = "https://slack.com/api/"
_TEMPORARY = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_PAGE = 200
_PAGES = 10


def configured() -> bool:
    """Whether there is a channel to post to."""
    s = settings()
    return bool(s.slack_channel and (s.slack_bot_token or s.slack_base_url))


async def post(key: str, text: str, blocks: list[dict[str, Any]]) -> str:
    """Post a message under ``key``; its timestamp, which is its id. ``text`` is what notifications show.

    Raises ambiguous when the answer was lost: :func:`find` tells whether it stands."""
    body = {
        "channel": settings().slack_channel,
        "text": text,
        "blocks": blocks,
        "metadata": {"event_type": EVENT, "event_payload": {"key": key}},
        "unfurl_links": False,
    }
    try:
        answer = await _send("POST", "chat.postMessage", json=body)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise faults.retry(f"Slack could not be reached: {type(error).__name__}") from None
    except httpx.TransportError as error:
        raise faults.ambiguous(f"Slack's answer was lost: {type(error).__name__}") from None
    if answer.status_code >= 500:
        raise faults.ambiguous(f"Slack answered {answer.status_code} to a post")
    found = _checked(answer)
    if found["error"] in _TEMPORARY:
        raise faults.ambiguous(f"Slack answered {found['error']} to a post")
    return str(_accepted(found)["ts"])


async def find(keys: Iterable[str], since: datetime) -> set[str]:
    """Those of ``keys`` whose messages stand in the channel, posted at or after ``since`` (aware). Needs the
    channel's id in the settings: Slack reads no history by a channel's name."""
    wanted, found, cursor = set(keys), set[str](), ""
    for _ in range(_PAGES):
        query = {
            "channel": settings().slack_channel,
            "include_all_metadata": "true",
            "oldest": f"{since.timestamp():.6f}",
            "inclusive": "true",
            "limit": str(_PAGE),
            **({"cursor": cursor} if cursor else {}),
        }
        try:
            answer = _checked(await _send("GET", "conversations.history", params=query))
        except httpx.TransportError as error:
            raise faults.retry(f"Slack could not be reached: {type(error).__name__}") from None
        if answer["error"] in _TEMPORARY:
            raise faults.retry(f"Slack answered {answer['error']}")
        for message in _accepted(answer)["messages"]:
            metadata = message.get("metadata") or {}
            key = (metadata.get("event_payload") or {}).get("key")
            if metadata.get("event_type") == EVENT and key in wanted:
                found.add(key)
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
        if found == wanted or not cursor:
            break
    return found


async def change(ts: str, text: str, blocks: list[dict[str, Any]]) -> None:
    """Put ``text`` and ``blocks`` in the place of the message ``ts`` of ours. The same twice is the same. Raises retry,
    retry_after, permanent."""
    body = {"channel": settings().slack_channel, "ts": ts, "text": text, "blocks": blocks}
    try:
        _accepted(_checked(await _send("POST", "chat.update", json=body)))
    except httpx.TransportError as error:
        raise faults.retry(f"Slack could not be reached: {type(error).__name__}") from None


async def whisper(user: str, text: str) -> None:
    """Tell ``user`` alone, in the channel. Raises retry, retry_after, permanent."""
    body = {"channel": settings().slack_channel, "user": user, "text": text}
    try:
        _accepted(_checked(await _send("POST", "chat.postEphemeral", json=body)))
    except httpx.TransportError as error:
        raise faults.retry(f"Slack could not be reached: {type(error).__name__}") from None


# ---- buttons -----------------------------------------------------------------------------------------------------

TOLERANCE = timedelta(minutes=5)
"""A request signed longer ago, or further ahead, is not taken: https://docs.slack.dev/authentication/verifying-requests-from-slack."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What Slack writes into ``X-Slack-Signature`` over the raw ``body``."""
    return "v0=" + hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()


def genuine(body: bytes, timestamp: str, signed: str, now: datetime) -> bool:
    """Whether Slack signed this raw ``body`` at ``timestamp`` (seconds since 1970), about ``now`` (aware)."""
    secret = settings().slack_signing_secret
    if not secret or not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 12:
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        return False
    return hmac.compare_digest(signature(secret, timestamp, body).encode(), signed.encode())


class Press(Model):
    """A button that ``user`` pressed on our message ``ts``. ``id`` is this press's own: a repeat has it too. ``value`` is
    what the button carries, ``at`` the time that was chosen beside it, ``text`` and ``blocks`` the message as it stood."""

    id: str
    user: str
    ts: str
    action: str
    value: str = ""
    at: Instant | None = None
    text: str = ""
    blocks: tuple[dict[str, Any], ...] = ()


def pressed(body: bytes) -> Press | None:
    """The press that a verified ``body`` tells of; None when it tells of something else (a link followed, a time
    chosen). Raises ValueError when it is not readable."""
    told = json.loads(dict(parse_qsl(body.decode())).get("payload", ""))
    if not isinstance(told, dict):
        raise ValueError("no interaction")
    presses = [a for a in told.get("actions") or () if a.get("type") == "button" and a.get("value")]
    if told.get("type") != "block_actions" or not presses:
        return None
    action, message = presses[0], told.get("message") or {}
    chosen = [found for block in ((told.get("state") or {}).get("values") or {}).values() for found in block.values()]
    seconds = next((found.get("selected_date_time") for found in chosen if found.get("selected_date_time")), None)
    ts = str(message["ts"])
    return Press(
        id=f"slack:{ts}:{action['action_id']}:{action['action_ts']}", user=str(told["user"]["id"]), ts=ts,
        action=str(action["action_id"]), value=str(action["value"]), text=str(message.get("text", "")),
        at=datetime.fromtimestamp(int(seconds), UTC) if seconds else None, blocks=tuple(message.get("blocks") or ()),
    )  # fmt: skip


# ---- the wire --------------------------------------------------------------------------------------------------


async def _send(method: str, name: str, **content: Any) -> httpx.Response:
    s = settings()
    headers = {"Authorization": f"Bearer {s.slack_bot_token}"} if s.slack_bot_token else {}
    base = s.slack_base_url.rstrip("/") + "/" if s.slack_base_url else _HOME
    return await rest.once(method, base + name, headers, **content)


def _checked(answer: httpx.Response) -> dict[str, Any]:
    """The answer's JSON, its ``error`` '' when there is none. Raises for HTTP errors and limits, none of which were
    carried out except a 5xx, which a post treats itself."""
    wait = answer.headers.get("Retry-After")
    if answer.status_code != 200:
        raise status.fault("Slack", answer.status_code, "", wait)
    try:
        body = answer.json()
    except ValueError:
        raise faults.retry("Slack answered what is no JSON") from None
    body.setdefault("error", "")
    if body["error"] in _LIMITED:
        raise status.fault("Slack", 429, str(body["error"]), wait)
    return dict(body)


def _accepted(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """``body`` if Slack says ok. Raises permanent with its code and the remedy."""
    if body.get("ok"):
        return body
    remedy = {
        "channel_not_found": "set SLACK_CHANNEL to the channel's id (C...) and invite the bot",
        "not_in_channel": "invite the bot to the channel",
        "invalid_auth": "set SLACK_BOT_TOKEN to the bot's token",
        "not_authed": "set SLACK_BOT_TOKEN to the bot's token",
        "missing_scope": "give the bot chat:write, channels:history and groups:history",
    }.get(str(body["error"]), "")
    raise faults.permanent(f"Slack refused: {body['error']}" + (f"; {remedy}" if remedy else ""))
