"""``POST /leads``: a form becomes a durable lead. 202 means that Temporal has it, also while no worker runs.

A lead is started and told of its form in one request (signal-with-start): a person who is known already keeps the
workflow that runs, and the form is one more signal to it, whichever of their handles it came with. Nothing between the
request and that start waits for anything but the record, which knows whose handles these are, and not long for that.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from activities import claims, entity, handles, metrics, store
from activities.claims import Claim
from activities.settings import Settings, settings
from workflows import identity, messages
from workflows.attributes import start_attributes
from workflows.events import Form, FormSubmitted, TwinsMet
from workflows.playbook import Playbook

from . import bodies
from .audiences import audience_of, newest, open_to_posts
from .form import refused_page
from .submission import Problem, Unusable, as_text, read_submission

log = logging.getLogger(__name__)
_T = TypeVar("_T")

MAX_BODY = 1024 * 1024
"""Bytes of a request's body."""
START_WITHIN = 8.0
"""Seconds in which Temporal must take the lead; after that the sender is told to come again."""
RECALL_WITHIN = 1.0
"""Seconds that the record may take to know a person (milliseconds, but a burst queues for its threads); without an
answer the lead starts without memory, under the form's own number or address."""

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key, X-Showrate-Key",
    "Access-Control-Max-Age": "86400",
}
"""Forms live on other sites. No cookie is read here, so any origin may post."""


class Turned(Exception):
    """A request that is turned away before its fields are read: ``status``, what is wrong, and the remedy."""

    def __init__(self, status: int, problem: str, remedy: str) -> None:
        self.status, self.problem, self.remedy = status, problem, remedy
        super().__init__(problem)


class Unreachable(Exception):
    """Temporal did not take the lead; nothing was accepted."""


async def leads(request: Request) -> Response:
    """Accept one form. 202 with the lead's id; 401/403, 413, 415, 422 or 503 with the remedy otherwise."""
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=CORS)
    page = _from_browser(request)
    fields: Mapping[str, object] = {}
    try:
        fields = await read_fields(request)
        form, lead = await submit(request.app.state.temporal, settings(), request, fields)
    except Turned as error:
        metrics.effect("intake", "refused")
        return _refusal(page, error.status, fields, [Problem("request", error.problem, error.remedy)])
    except Unusable as error:
        metrics.effect("intake", "refused")
        return _refusal(page, 422, fields, error.problems)
    except Unreachable:
        metrics.effect("intake", "retry")
        problem = Problem("request", "we cannot take it just now", "send it again in a few seconds")
        return _refusal(page, 503, fields, [problem], {"Retry-After": "2"})
    metrics.effect("intake", "ok")
    if page:
        return RedirectResponse("/form/thanks", status_code=303)
    answer = {
        "lead": lead,
        "submission_id": form.submission_id,
        "status_url": f"{settings().showrate_public_url}/api/leads/{lead}",
    }
    return JSONResponse(answer, status_code=202, headers=CORS)


async def submit(
    temporal: Client | None, house: Settings, request: Request, fields: Mapping[str, object]
) -> tuple[Form, str]:
    """Check the sender and the fields, and hand the form to Temporal; the form and its lead. Raises Turned, Unusable,
    Unreachable."""
    key = request.headers.get("x-showrate-key") or str(fields.get("key") or "")
    source = source_of(house.showrate_sources, key, str(fields.get("source") or ""))
    now = datetime.now(UTC)
    form = read_submission(
        {**fields, "source": source},
        region=house.showrate_region,
        identity_key=house.identity_key,
        now=now,
        address=request.client.host if request.client else "",
        submission_id=request.headers.get("idempotency-key", "")[:200],
    )
    return form, await start(temporal, house, form, now, _audience(house, as_text(fields.get("audience")), form))


async def start(temporal: Client | None, house: Settings, form: Form, now: datetime, audience: str = "") -> str:
    """Start the lead of ``form`` with the newest playbook of ``audience`` (its source's by default), or tell the one
    that runs; the lead's id. Raises :class:`Unreachable`."""
    if temporal is None:
        raise Unreachable("not connected to Temporal yet")
    content_hash, playbook = _playbook(audience or audience_of(form.source, house))
    claim, memory = await claimed(form)
    lead = claim.lead
    event = FormSubmitted(at=now, id=form.submission_id, form=form, memory=memory, meets=claim.meets)
    try:
        async with asyncio.timeout(START_WITHIN):
            await temporal.start_workflow(
                messages.LEAD,
                messages.LeadStart(
                    lead=lead,
                    audience=playbook.audience,
                    playbook=content_hash,
                    paced=house.showrate_dial_rate > 0,
                ),
                id=lead,
                task_queue=messages.QUEUE,
                start_signal="form_submitted",
                start_signal_args=[event],
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                search_attributes=start_attributes(playbook.audience, form.source, content_hash),
                static_summary=f"a lead from {form.source.replace('_', ' ') or 'an unnamed source'}",
                rpc_timeout=timedelta(seconds=START_WITHIN),
            )
    except (RPCError, TimeoutError, RuntimeError) as error:
        why = f"{error.status.name} {error.message}" if isinstance(error, RPCError) else type(error).__name__
        log.warning("Temporal did not take %s: %s", lead, why)
        raise Unreachable(str(error)) from error
    await _tell_the_others(temporal, lead, claim, now)
    return lead


async def _tell_the_others(temporal: Client, lead: str, claim: Claim, now: datetime) -> None:
    """Who shares a handle with ``lead`` knows of it too. What is not told now is found when that lead is next written
    down."""
    for meet in claim.meets:
        if meet.likeness in ("doubt", "other"):
            waits = meet.likeness == "doubt" and not meet.waits
            back = meet.model_copy(update={"lead": lead, "waits": waits})
            event = TwinsMet(at=now, id=f"met:{lead}", meets=(back,))
            try:
                await entity.tell(temporal, meet.lead, "twins_met", event)
            except RPCError as error:
                log.warning("%s was not told of %s: %s", meet.lead, lead, error.status.name)


def _audience(house: Settings, asked: str, form: Form) -> str:
    """The audience that the post names, else that of its source. Raises Unusable for one that it may not name, and
    where nobody asked to be called and there is no consent."""
    if asked and asked not in open_to_posts(house):
        remedy = f"send {' or '.join(open_to_posts(house))}, or lead a source to it in SHOWRATE_AUDIENCES"
        raise Unusable([Problem("audience", f"{asked[:40]} is not open to posts", remedy)])
    audience = asked or audience_of(form.source, house)
    if _playbook(audience)[1].unasked and form.consent.kind == "none":
        problem = f"there is no record of it, and the audience {audience} did not ask to be called"
        raise Unusable([Problem("consent", problem, "send consent_text, consent_version and consent_at")])
    return audience


def _playbook(audience: str) -> tuple[str, Playbook]:
    """The playbook for a new lead of ``audience``. Raises :class:`Unreachable` when there is none: the process says so
    at its start, and a lead is never accepted that nobody could work."""
    try:
        return newest(audience)
    except LookupError as error:
        log.error("%s", error)
        raise Unreachable(str(error)) from error


def source_of(sources: Mapping[str, str], key: str, claimed: str) -> str:
    """The source whose key this is. With no keys configured every source is taken at its word.

    Raises :class:`Turned`: 401 without a known key, 403 when the key is another source's."""
    if not sources:
        return claimed
    if not key:
        raise Turned(401, "the key is missing", "send the source's key as X-Showrate-Key or as the field key")
    owner = ""
    for source, expected in sources.items():
        if hmac.compare_digest(expected.encode(), key.encode("utf-8", "replace")):
            owner = source
    if not owner:
        raise Turned(401, "the key is not known", "send the source's key from SHOWRATE_SOURCES")
    if claimed and claimed != owner:
        raise Turned(403, "the key belongs to another source", f"send source {owner}, or its own key")
    return owner


async def read_fields(request: Request) -> dict[str, object]:
    """The fields of a JSON or form-encoded body. Raises Turned (413, 415) and Unusable (no readable fields)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await _body(request)
    if kind == "application/json" or kind.endswith("+json"):
        return _json(body)
    if kind in ("application/x-www-form-urlencoded", ""):
        return _encoded(body)
    if kind == "multipart/form-data":
        return await _multipart(request, body)
    raise Turned(415, f"{kind[:80]} is not understood", "send application/json or a form encoding")


async def _body(request: Request) -> bytes:
    too_large = Turned(413, "the request is larger than 1 MiB", "send less than 1,048,576 bytes")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:12]) > MAX_BODY:
        raise too_large
    try:
        return await bodies.whole(request, MAX_BODY)
    except bodies.TooLong:
        raise too_large from None


def _json(body: bytes) -> dict[str, object]:
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise Unusable([Problem("body", "is not readable as JSON", 'send an object, {"phone": "+1 ..."}')]) from None
    if not isinstance(value, dict):
        raise Unusable([Problem("body", "is not a JSON object", 'send an object, {"phone": "+1 ..."}')])
    return value


def _encoded(body: bytes) -> dict[str, object]:
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        raise Unusable([Problem("body", "has more than 1000 fields", "send the fields of one form")]) from None
    return _joined(pairs)


async def _multipart(request: Request, body: bytes) -> dict[str, object]:
    async def once() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        async with Request(request.scope, once).form(max_files=0, max_fields=1000) as form:
            return _joined([(name, value) for name, value in form.multi_items() if isinstance(value, str)])
    except Exception as error:  # the parser's own errors and Starlette's HTTPException: all mean the same here
        log.info("unreadable multipart body: %s", type(error).__name__)
        remedy = "send form fields only, without files"
        raise Unusable([Problem("body", "is not readable as multipart/form-data", remedy)]) from None


def _joined(pairs: list[tuple[str, str]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for name, value in pairs:
        fields[name] = f"{fields[name]}, {value}" if fields.get(name) and value else value or fields.get(name, "")
    return fields


async def claimed(form: Form) -> tuple[Claim, dict[str, Any] | None]:
    """Whose form this is, and what the record remembers of them if their execution is gone. When it cannot say in time,
    the lead of the form's own number or address, without memory."""

    def asked() -> tuple[Claim, dict[str, Any] | None]:
        claim = claims.claim(form)
        return claim, store.recall(claim.lead)

    own = claims.own_lead(form)
    return await _recalled(asked, own) or (Claim(lead=own), None)


async def recall(lead: str) -> dict[str, Any] | None:
    """What the record remembers of a person whose execution is gone; None when it cannot say in time."""
    return await _recalled(lambda: store.recall(lead), lead)


async def whose(handle: str) -> str:
    """The lead to which a call or text from this handle (hash) belongs; the handle's own when the record cannot say in
    time."""
    own = identity.lead_id(handle)
    return await _recalled(lambda: handles.lead_of(handle), own) or own


async def all_of(handle: str) -> list[str]:
    """Every lead that has this handle (hash), its own at least."""
    own = identity.lead_id(handle)
    return await _recalled(lambda: handles.leads_of(handle), own) or [own]


async def _recalled(ask: Callable[[], _T], lead: str) -> _T | None:
    """What the record says; None when it does not say it in time: whatever is wrong with it, a lead is accepted."""
    try:
        async with asyncio.timeout(RECALL_WITHIN):
            return await asyncio.to_thread(ask)
    except Exception as error:
        log.warning("the record could not be asked about %s: %s", lead, type(error).__name__)
        return None


def _from_browser(request: Request) -> bool:
    """Whether a plain HTML form was posted, whose sender wants a page back."""
    kind = request.headers.get("content-type", "")
    return "text/html" in request.headers.get("accept", "") and not kind.startswith("application/json")


def _refusal(
    page: bool,
    status: int,
    fields: Mapping[str, object],
    problems: list[Problem] | tuple[Problem, ...],
    headers: Mapping[str, str] | None = None,
) -> Response:
    if page:
        return refused_page(fields, problems, status, headers)
    content = {"problems": Unusable(problems).as_json()}
    return JSONResponse(content, status_code=status, headers={**CORS, **(headers or {})})


routes: list[BaseRoute] = [Route("/leads", leads, methods=["POST", "OPTIONS"])]
