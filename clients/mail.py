"""The inbound e-mail webhook: what leads answer to our e-mails, and what could not be delivered.

Whoever receives the mail of MAIL_REPLIES' domain posts each message whole (RFC 5322) to ``/mail/inbound``:

* as ``message/rfc822``, the message itself (any mail server with a pipe);
* as JSON with ``RawEmail`` (Postmark) or ``raw``;
* as a form with ``email`` (SendGrid's inbound parse, raw) or ``body-mime`` (Mailgun, whose address must end with ``mime``:
  ``/mail/inbound/mime``).

The sender proves itself by MAIL_INBOUND_SECRET: as the password of HTTP Basic in the address, or by
``X-Showrate-Signature: sha256=HEX``, the HMAC-SHA256 of the raw body under it. A stop is durable before it is acknowledged.
A repeat is known by its Message-ID. Nobody unknown is answered or becomes a lead: anybody can write to an address.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import HTTP
from urllib.parse import parse_qsl

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from temporalio.client import Client
from temporalio.service import RPCError

from activities import entity, handles, metrics, replies
from activities.settings import settings
from workflows import identity
from workflows.events import Form, MailBounced, MessageReceived, Post

from . import bodies, consent, intake, letters

log = logging.getLogger(__name__)

_MAX_BODY = 25 * 1024 * 1024
"""Bytes of a message: what mail servers take."""
_SHORTEST_SECRET = 16
_FIELDS = ("RawEmail", "raw", "email", "body-mime")
_done = Response(status_code=204)


async def inbound(request: Request) -> Response:
    """Take one message. 204 also for what is known already, was written by a machine or comes from a stranger; 401, 413 or
    422 with the remedy for what cannot be taken, 503 when it should come again."""
    secret = settings().mail_inbound_secret
    if len(secret) < _SHORTEST_SECRET:
        return _refusal(404, "no e-mail is taken here", "set MAIL_INBOUND_SECRET, at least 16 characters")
    try:
        body = await bodies.whole(request, _MAX_BODY)
    except (bodies.TooLong, ClientDisconnect):
        return _refusal(413, "the message is longer than 25 MiB", "leave attachments out")
    if not genuine(request.headers, body, secret):
        log.warning("refused %s: not from the mail service", request.url.path)
        remedy = "give MAIL_INBOUND_SECRET as the password in the address, or sign the body: X-Showrate-Signature: sha256=HEX"
        return _refusal(401, "the sender is not known", remedy, {"WWW-Authenticate": 'Basic realm="mail"'})
    try:
        letter = letters.read(_message(request.headers.get("content-type", ""), body))
    except letters.Unreadable as error:
        metrics.effect("mail_inbound", "refused")
        return _refusal(422, str(error), "post the raw message: message/rfc822, or RawEmail, raw, email or body-mime")
    client: Client | None = request.app.state.temporal
    try:
        if client is None:
            raise intake.Unreachable("not connected to Temporal yet")
        metrics.effect("mail_inbound", await _take(client, letter))
    except (RPCError, SQLAlchemyError, intake.Unreachable, TimeoutError) as error:
        log.warning("an e-mail could not be handed on: %s", type(error).__name__)
        return _refusal(503, "it cannot be taken just now", "send it again in a minute", {"Retry-After": "60"})
    return _done


def genuine(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether the sender knows ``secret``; compared in constant time."""
    signature = headers.get("x-showrate-signature", "")
    if signature:
        expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(signature.encode("utf-8", "replace"), expected.encode())
    kind, _, given = headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return False
    try:
        password = base64.b64decode(given, validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(password, secret.encode())


def _message(kind: str, body: bytes) -> bytes:
    """The raw message in what was posted. Raises Unreadable."""
    plain = kind.partition(";")[0].strip().lower()
    if plain in ("message/rfc822", "application/octet-stream", "text/plain"):
        return body
    if plain == "application/json":
        return _of_json(body)
    if plain == "application/x-www-form-urlencoded":
        # One byte a character, there and back: a message may be in any encoding.
        try:
            fields = dict(parse_qsl(body.decode("latin-1"), encoding="latin-1", max_num_fields=200))
        except ValueError:
            raise letters.Unreadable("the form has more than 200 fields") from None
        return next((fields[name].encode("latin-1") for name in _FIELDS if fields.get(name)), b"")
    if plain == "multipart/form-data":
        return _of_parts(kind, body)
    raise letters.Unreadable(f"{plain[:80] or 'a body of no type'} is not understood")


def _of_json(body: bytes) -> bytes:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise letters.Unreadable("the body is not readable as JSON") from None
    raw = next((fields[name] for name in _FIELDS if fields.get(name)), "") if isinstance(fields, dict) else ""
    if not isinstance(raw, str) or not raw:
        raise letters.Unreadable("the JSON holds no raw message (Postmark: choose to include it)")
    return raw.encode("utf-8", "replace")


def _of_parts(kind: str, body: bytes) -> bytes:
    form = message_from_bytes(b"Content-Type: " + kind.encode("latin-1", "replace") + b"\r\n\r\n" + body, policy=HTTP)
    for part in form.walk():
        if part.get_param("name", header="content-disposition") in _FIELDS:
            raw = part.get_payload(decode=True)
            if isinstance(raw, bytes) and raw:
                return raw
    raise letters.Unreadable("the form holds no raw message (SendGrid: post the raw, full MIME message)")


# ---- to the lead -------------------------------------------------------------------------------------------------


async def _take(client: Client, letter: letters.Letter) -> str:
    """Hand it to its lead; what became of it, for the metric. Raises RPCError, SQLAlchemyError, Unreachable."""
    if letter.kind == "automatic":
        return "automatic"
    house, now = settings(), datetime.now(UTC)
    handle = identity.handle_id(house.identity_key, letter.failed or letter.sender)
    lead, known = await _lead(letter, handle)
    key = f"mail-{hashlib.blake2b(letter.id.encode(), digest_size=12).hexdigest()}"
    if letter.kind == "bounce":
        bounced = MailBounced(at=now, id=key, address=letter.failed)
        return "bounce" if await entity.tell(client, lead, "mail_bounced", bounced) else "unknown"
    words = letter.text if letter.text and _answers(letter) else f"{letter.subject}\n{letter.text}".strip()
    said = consent.said(words, "email") or consent.said(letter.text, "email")
    if said != "start" or not letter.forged:
        await consent.keep(client, said, handle, lead, "email", now, words)
    received = MessageReceived(
        at=now, id=key, text=words, channel="email",
        post=Post(sender=letter.sender, handle=handle, subject=letter.subject, id=letter.id, references=letter.references, forged=letter.forged),
    )  # fmt: skip
    if await entity.tell(client, lead, "message_received", received):
        return "ok"
    if said == "stop" or not known:
        return said or "unknown"
    form = Form(submission_id=key, email=letter.sender, email_hash=handle, source="inbound_mail", message=words)
    lead = await intake.start(client, house, form, now)
    await entity.tell(client, lead, "message_received", received)
    return "ok"


def _answers(letter: letters.Letter) -> bool:
    """Whether its subject is ours: it says nothing of theirs."""
    return bool(letter.references) or letter.subject.lower().startswith(("re:", "fw:", "fwd:", "aw:", "rv:"))


async def _lead(letter: letters.Letter, handle: str) -> tuple[str, bool]:
    """Whose it is, and whether the record knows them: by the address that it was sent to, else by the sender's own; a lead
    that was merged leads on. Of somebody nobody knows the id that they would have."""
    named = next(filter(None, map(replies.lead_of, letter.to)), "")
    if named:
        return await asyncio.to_thread(handles.survivor, named), True
    theirs = await asyncio.to_thread(handles.leads_of, handle)
    return (theirs[0], True) if theirs else (identity.lead_id(handle), False)


def _refusal(status: int, problem: str, remedy: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"problem": problem, "remedy": remedy}, status_code=status, headers=dict(headers or {}))


routes: list[BaseRoute] = [
    Route("/mail/inbound", inbound, methods=["POST"]),
    Route("/mail/inbound/mime", inbound, methods=["POST"]),
]
