"""The console's JSON mirror: leads, their reasons, the review queue, the funnel and the pauses, behind the token.

Errors are ``{"error": ..., "remedy": ...}``: 401 without the token, 404 for an unknown lead, 409 when the lead
refused, 422 when the request is wrong, 503 when Temporal or the record does not answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from activities import funnel
from workflows.effects import CallNote

from . import bodies, leads, queue, stories
from .access import for_programs
from .leads import ACTIONS, STAGES, Refused, Unknown, Unreachable

MAX_BODY = 64 * 1024
_LEAD = re.compile(r"lead-[0-9a-f]{32}")


class Wrong(ValueError):
    """The request itself cannot be used; the message names the remedy."""


def _answered(endpoint: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    """``endpoint``'s value as JSON; our own errors as their status with a remedy. Needs the token."""

    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(await endpoint(request), headers={"Cache-Control": "no-store"})
        except Unknown as error:
            return _error(404, error, "look it up with GET /api/leads")
        except Wrong as error:
            return _error(422, error, "see the fields in the message")
        except Refused as error:
            return _error(409, error, "the lead's own page says why")
        except Unreachable as error:
            return _error(503, error, "try again in a few seconds", {"Retry-After": "2"})

    return for_programs(answer)


async def listed(request: Request) -> dict[str, Any]:
    """Leads, the latest changed first, by ``stage``, ``audience``, ``source``, ``owner``, ``review=yes|no``; ``q``
    finds a phone number or e-mail address. ``limit`` (at most 500) and ``offset`` page through them."""
    asked = request.query_params
    if asked.get("q"):
        known = [await _known(request, lead) for lead in await stories.find(asked["q"])]
        return {"leads": [row for row in known if row]}
    limit, offset = _number(asked.get("limit"), 50, 500), _number(asked.get("offset"), 0, 10_000_000)
    if (stage := asked.get("stage", "")) and stage not in STAGES:
        raise Wrong(f"there is no stage {stage[:40]}; there are {', '.join(STAGES)}")
    names = {name: asked.get(name, "") for name in ("stage", "audience", "source", "owner")}
    review = {"yes": True, "no": False}.get(asked.get("review", ""))
    found = await stories.rows(request.app.state.temporal, **names, review=review, limit=limit, offset=offset)
    answer: dict[str, Any] = {"leads": [row.in_full() for row in found]}
    if len(found) >= limit:
        answer["next_offset"] = offset + limit
    return answer


async def shown(request: Request) -> dict[str, Any]:
    """One lead: what it says now, and what the record has kept."""
    return stories.as_json(await stories.story(request.app.state.temporal, lead_asked(request)))


async def explained(request: Request) -> dict[str, Any]:
    """Why: every touch and decision of a lead with its rule, and the verdicts of its conversations."""
    return reasons(await stories.story(request.app.state.temporal, lead_asked(request)))


def reasons(told: stories.Story) -> dict[str, Any]:
    """The reasons in a story: the touches due and made, each missing one with its rule; what comes next, how they fit
    and on whose word, the signs they gave, how their concerns went, what waits for a person, every entry with its rule,
    and of each call its path through the graph, its turns' times, its verdicts with their evidence, and its signals."""
    seen = told.now
    return {
        "lead": told.lead,
        "account": [each.in_full() for each in told.account],
        "next": {
            "step": seen.next_step if seen else "",
            "at": seen.next_at.isoformat() if seen and seen.next_at else None,
            "reason": seen.next_reason if seen else told.silence,
        },
        "criteria": [each.in_full() for each in told.criteria],
        "signs": [each.in_full() for each in told.signs],
        "concerns": [each.in_full() for each in told.concerns],
        "approvals": [each.in_full() for each in told.approvals],
        "entries": [entry.in_full() for entry in told.entries],
        "calls": [_reasons_in(call) for call in told.calls],
        "verdicts": [verdict.in_full() for verdict in told.verdicts],
    }


def _reasons_in(call: CallNote) -> dict[str, Any]:
    """A call without its words."""
    return {name: value for name, value in call.in_full().items() if name != "transcript"}


async def changed(request: Request) -> dict[str, Any]:
    """Ask a lead to do something. Body: ``by``, ``words``, ``id`` (makes a repeat harmless); to reschedule also
    ``start`` (an instant with its offset) or ``slot``; to approve or reject also ``request``, where several wait."""
    action = request.path_params["action"]
    if action not in ACTIONS:
        raise Unknown(f"there is no action {action}; there are {', '.join(ACTIONS)}")
    body = await _body(request)
    answer = await leads.ask(
        request.app.state.temporal,
        lead_asked(request),
        action,
        by=_text(body, "by") or "api",
        words=_text(body, "words"),
        start=_instant(_text(body, "start")),
        slot=_text(body, "slot"),
        request=_text(body, "request"),
        request_id=_text(body, "id"),
    )
    return {"lead": lead_asked(request), "action": action, **answer.in_full()}


async def merged(request: Request) -> dict[str, Any]:
    """The lead ``other`` (an id, a number, an address) is the same person and goes into this one, for good. Body also:
    ``keep`` (``mine``, ``theirs``: whose meeting stands where both have one), ``by``, ``words``, ``id``."""
    body, client, lead = await _body(request), request.app.state.temporal, lead_asked(request)
    keep = _text(body, "keep")
    if keep not in ("", "mine", "theirs"):
        raise Wrong("keep is neither mine nor theirs")
    other = await stories.named(client, _text(body, "other"), besides=lead)
    answer = await leads.merge(
        client, lead, other.lead, by=_text(body, "by") or "api", words=_text(body, "words"), keep=keep,
        request_id=_text(body, "id"),
    )  # fmt: skip
    return {"lead": lead, "action": "merge", **answer.in_full()}


async def kept_apart(request: Request) -> dict[str, Any]:
    """The lead ``other`` is somebody else: both go on. Body also: ``by``, ``words``, ``id``."""
    body, client, lead = await _body(request), request.app.state.temporal, lead_asked(request)
    other = await stories.named(client, _text(body, "other"), besides=lead)
    answer = await leads.keep_apart(
        client, lead, other.lead, by=_text(body, "by") or "api", words=_text(body, "words"), request_id=_text(body, "id")
    )
    return {"lead": lead, "action": "apart", **answer.in_full()}


async def funnelled(request: Request) -> dict[str, Any]:
    """The funnel of one ``source`` or ``audience`` where given, of first forms ``since`` and ``until`` (instants),
    told apart ``by`` source or audience."""
    asked = request.query_params
    by: Any = asked.get("by", "")
    if by not in ("", "source", "audience"):
        raise Wrong("by is neither source nor audience")
    found = await stories.from_record(
        lambda: funnel.funnel(
            source=asked.get("source", ""),
            audience=asked.get("audience", ""),
            since=_instant(asked.get("since", "")),
            until=_instant(asked.get("until", "")),
            by=by,
        )
    )
    return found.in_full()


async def reviewed(request: Request) -> dict[str, Any]:
    """What people should look at, the most pressing first, by ``kind``, ``owner``, ``lead``; ``closed=yes``: what is
    over."""
    asked = request.query_params
    found = await queue.queue(
        kind=asked.get("kind", ""), owner=asked.get("owner", ""), lead=asked.get("lead", ""),
        closed=asked.get("closed") == "yes", limit=_number(asked.get("limit"), 50, 500),
    )  # fmt: skip
    return {"items": [queue.as_json(each) for each in found]}


async def resolved(request: Request) -> dict[str, Any]:
    """Resolve an item. Body: ``way``, ``by``, ``words``, ``id`` (makes a repeat harmless); to correct also ``field`` and
    ``value``, to hand over ``to``."""
    body, number = await _body(request), request.path_params["number"]
    way = _text(body, "way")
    answer = await queue.resolve(
        request.app.state.temporal, number, way, by=_text(body, "by") or "api", words=_text(body, "words"),
        field=_text(body, "field"), value=_text(body, "value"), to=_text(body, "to"), request_id=_text(body, "id"),
    )  # fmt: skip
    return {"number": number, "way": way, **answer.in_full()}


async def pauses(request: Request) -> dict[str, Any]:
    """What is paused now."""
    return {"paused": await leads.paused(request.app.state.temporal)}


async def paused(request: Request) -> dict[str, Any]:
    """Pause a ``scope``: ``everything``, ``audience:X``, ``channel:call|text|email`` or a lead's id."""
    return await _set_paused(request, True)


async def resumed(request: Request) -> dict[str, Any]:
    """Let contact within a ``scope`` go on."""
    return await _set_paused(request, False)


async def _set_paused(request: Request, pause: bool) -> dict[str, Any]:
    body = await _body(request)
    scope = _text(body, "scope") or "everything"
    try:
        return await leads.set_paused(
            request.app.state.temporal, scope, pause, _text(body, "by") or "api", _text(body, "words")
        )
    except Refused as error:
        raise Wrong(str(error)) from error


def lead_asked(request: Request) -> str:
    """The lead's id in the address. Raises Unknown when it is none."""
    lead = str(request.path_params["lead"])
    if not _LEAD.fullmatch(lead):
        raise Unknown("a lead's id is lead- and 32 hex digits")
    return lead


async def _known(request: Request, lead: str) -> dict[str, Any] | None:
    try:
        told = await stories.story(request.app.state.temporal, lead)
    except Unknown:
        return None
    return {"lead": lead, "stage": told.stage, "name": told.person.name if told.person else ""}


async def _body(request: Request) -> dict[str, Any]:
    try:
        raw = await bodies.whole(request, MAX_BODY)
    except bodies.TooLong:
        raise Wrong("the body is larger than 64 KiB") from None
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Wrong("the body is not readable as JSON") from error
    if not isinstance(body, dict):
        raise Wrong('the body is not a JSON object; send {"by": "..."}')
    return body


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > 2000:
        raise Wrong(f"{name} is no text of at most 2000 characters")
    return value.strip()


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Wrong(f"{text[:40]!r} is no time; write 2027-03-12T15:00:00Z") from error
    if at.tzinfo is None:
        raise Wrong(f"{text[:40]!r} has no zone; write it with an offset, such as 2027-03-12T15:00:00Z")
    return at


def _number(text: str | None, default: int, most: int) -> int:
    return min(int(text), most) if text and text.isascii() and text.isdigit() and len(text) < 10 else default


def _error(status: int, error: Exception, remedy: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": str(error), "remedy": remedy}, status, headers=headers)


routes: list[BaseRoute] = [
    Route("/api/leads", _answered(listed)),
    Route("/api/leads/{lead}", _answered(shown)),
    Route("/api/leads/{lead}/why", _answered(explained)),
    Route("/api/leads/{lead}/merge", _answered(merged), methods=["POST"]),
    Route("/api/leads/{lead}/apart", _answered(kept_apart), methods=["POST"]),
    Route("/api/leads/{lead}/{action}", _answered(changed), methods=["POST"]),
    Route("/api/review", _answered(reviewed)),
    Route("/api/review/{number:int}", _answered(resolved), methods=["POST"]),
    Route("/api/funnel", _answered(funnelled)),
    Route("/api/pauses", _answered(pauses)),
    Route("/api/pause", _answered(paused), methods=["POST"]),
    Route("/api/resume", _answered(resumed), methods=["POST"]),
]
