"""Slack's Web API: posting a card under a key, and finding cards by key.

``chat.postMessage`` knows no idempotency key, so the key travels in the message's metadata and is read back from
``conversations.history``. A post whose answer was lost is *ambiguous*; everything else that fails was not carried
out, or refused (:mod:`activities.faults`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import httpx

from activities import faults
from activities.settings import settings
from activities.vendors import rest, status

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
