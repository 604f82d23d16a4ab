"""Retell as the carrier of our calls: its REST API, and the signature of its webhooks.

A call is created under an idempotency key, valid for an hour, and carries the lead and the attempt as metadata, by
which it is found again. Retell has no way to say something in a call but through its agent: to end one politely, the
agent is told to take its leave, and the call is stopped if it did not.

Retell's texts quote numbers, so only its status codes enter our messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import re
import time
from datetime import datetime, timedelta
from typing import Any

import httpx

from activities import faults
from activities.settings import settings
from activities.vendors import rest, status
from workflows.model import Model

PREFIX = "call_"
"""What the id of a call at Retell begins with."""
END_POLITELY = "showrate: end politely"
"""Told to the agent of a live call that has to end; our gateway knows it."""

_HOME = "https://api.retellai.com"
_WINDOW = 300_000
"""Milliseconds that a webhook's time may be off, either way (retell-sdk 6.2.13)."""
_SIGNED = re.compile(r"v=(\d{1,15}),d=([0-9a-f]{64})")
_LEAVE = timedelta(seconds=8)
"""For the agent's last words, before the call is stopped."""
_LOOK_EVERY = 0.5
_SKEW = timedelta(seconds=2)

_UNANSWERED = {"dial_no_answer": "no-answer", "user_declined": "no-answer", "dial_busy": "busy"}
_FAILED = frozenset({
    "dial_failed", "invalid_destination", "telephony_provider_permission_denied", "telephony_provider_unavailable",
    "sip_routing_error", "marked_as_spam", "network_blocked", "concurrency_limit_reached", "no_concurrency_fallback",
    "no_valid_payment", "credit_exhausted", "budget_reached", "scam_detected", "registered_call_timeout", "error_user_not_joined",
})  # fmt: skip
"""Reasons for which there was no call at all."""


class Standing(Model):
    """How a call stands, in the words that the plan knows: queued, in-progress, completed, busy, no-answer, failed;
    ``seconds`` of talk."""

    sid: str
    status: str
    answered_by: str = ""
    seconds: int = 0


async def place_call(lead: str, attempt: str, to: str, ring: timedelta, longest: timedelta) -> str:
    """Dial ``to`` (E.164) for ``attempt`` of ``lead``; the call's id. It rings for ``ring`` and is ended after
    ``longest``. Raises ``retry_after``, ``retry``, ``permanent`` or ``ambiguous``."""
    house = settings()
    asked = {
        "from_number": house.retell_number,
        "to_number": to,
        "override_agent_id": house.retell_agent_id,
        "metadata": {"lead": lead, "attempt": attempt},
        "idempotency_key": f"{lead}:{attempt}",
        "honor_internal_dnc": True,
        "agent_override": {
            "agent": {
                "ring_duration_ms": _within(ring, 5_000, 300_000),
                "max_call_duration_ms": _within(longest, 60_000, 7_200_000),
            }
        },
    }
    try:
        answer = await _send("POST", "/v2/create-phone-call", json=asked)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise faults.retry(f"Retell could not be reached: {type(error).__name__}") from None
    except httpx.TransportError as error:
        raise faults.ambiguous(f"Retell's answer was lost: {type(error).__name__}") from None
    if answer.status_code >= 500:
        raise faults.ambiguous(f"Retell answered {answer.status_code} to a call")
    found = str(_checked(answer).get("call_id") or "")
    if not found:
        raise faults.ambiguous("Retell's answer to a call names none")
    return found


def _within(length: timedelta, least: int, most: int) -> int:
    """Milliseconds, in the range that Retell takes."""
    return min(max(round(length.total_seconds() * 1000), least), most)


async def end_call(sid: str, say: str = "") -> None:
    """End a call that rings or is live; with ``say`` the agent takes its leave first, in the playbook's words. A call
    that is over is left alone. Raises ``retry_after``, ``retry`` or ``permanent``."""
    if say:
        told = await _read("PATCH", f"/v2/update-live-call/{sid}", json={
            "call_control": {"additional_context": END_POLITELY, "trigger_response": True}
        })  # fmt: skip
        end = time.monotonic() + _LEAVE.total_seconds()
        while told is not None and time.monotonic() < end:
            call = await _read("GET", f"/v2/get-call/{sid}")
            if call is None or _standing(call).status != "in-progress":
                return
            await asyncio.sleep(_LOOK_EVERY)
    await _read("POST", f"/v2/stop-call/{sid}")


async def find_call(lead: str, attempt: str, to: str, since: datetime, sid: str = "") -> Standing | None:
    """What Retell knows of ``attempt``: the call ``sid``, or the newest one to ``to`` from ``since`` (UTC) on whose
    metadata names the attempt. Raises ``retry_after``, ``retry`` or ``permanent``."""
    if sid:
        found = await _read("GET", f"/v2/get-call/{sid}")
        return None if found is None else _standing(found)
    named = [{"key": name, "type": "string", "op": "eq", "value": value} for name, value in
             (("lead", lead), ("attempt", attempt))]  # fmt: skip
    asked = {
        "filter_criteria": {"metadata": named, "to_number": {"type": "string", "op": "eq", "value": to}},
        "sort_order": "descending",
        "limit": 50,
    }
    answer = await _read("POST", "/v3/list-calls", json=asked)
    calls = (answer or {}).get("items")
    for call in calls if isinstance(calls, list) else []:
        meant = call.get("metadata") or {}
        begun = call.get("start_timestamp")
        recent = begun is None or begun / 1000 >= (since - _SKEW).timestamp()
        if meant.get("lead") == lead and meant.get("attempt") == attempt and recent:
            return _standing(call)
    return None


def outcome(call: dict[str, Any]) -> tuple[str, str, int]:
    """How a call ended, as the lead is told of it: status, who answered (machine_start or nothing), whole seconds."""
    reason = str(call.get("disconnection_reason") or "")
    seconds = round(float(call.get("duration_ms") or 0) / 1000)
    if reason in _UNANSWERED:
        return _UNANSWERED[reason], "", 0
    if reason in _FAILED or (call.get("call_status") in ("not_connected", "error") and not seconds):
        return "failed", "", 0
    machine = reason in ("voicemail_reached", "ivr_reached")
    return "completed", "machine_start" if machine else "", max(seconds, 1)


def genuine(body: bytes, signature: str, now: float | None = None) -> bool:
    """Whether Retell signed this webhook's ``body``, within five minutes of ``now`` (seconds since the epoch; the
    present unless given): HMAC-SHA256 under the API key over the body and its own time in milliseconds."""
    key, found = settings().retell_api_key, _SIGNED.fullmatch(signature)
    if not key or found is None:
        return False
    if abs((time.time() if now is None else now) * 1000 - int(found[1])) > _WINDOW:
        return False
    wanted = hmac.new(key.encode(), body + found[1].encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, found[2])


# ---- the wire --------------------------------------------------------------------------------------------------


def _standing(call: dict[str, Any]) -> Standing:
    sid = str(call.get("call_id") or "")
    live = {"registered": "queued", "ongoing": "in-progress"}.get(str(call.get("call_status")))
    if live:
        return Standing(sid=sid, status=live)
    state, who, seconds = outcome(call)
    return Standing(sid=sid, status=state, answered_by=who, seconds=seconds)


async def _read(method: str, path: str, **content: Any) -> dict[str, Any] | None:
    """What may safely be asked twice; None when there is no such (live) call. Raises our errors."""
    try:
        answer = await _send(method, path, **content)
    except httpx.TransportError as error:
        raise faults.retry(f"Retell did not answer: {type(error).__name__}") from None
    if answer.status_code in (404, 422) or (answer.status_code == 400 and method != "GET"):
        return None
    return _checked(answer)


async def _send(method: str, path: str, **content: Any) -> httpx.Response:
    house = settings()
    headers = {"Authorization": f"Bearer {house.retell_api_key}"}
    base = (house.retell_base_url or _HOME).rstrip("/")
    return await rest.once(method, base + path, headers, **content)


def _checked(answer: httpx.Response) -> dict[str, Any]:
    """The answer's JSON, nothing for an empty one. Raises for every HTTP error, none of which was carried out."""
    if answer.status_code >= 400:
        raise status.fault("Retell", answer.status_code, "", answer.headers.get("Retry-After"))
    with contextlib.suppress(ValueError):
        body = answer.json()
        if isinstance(body, dict):
            return body
    return {}
