"""The carrier's webhooks: each is checked to be Twilio's, and becomes TwiML or one signal to its lead.

What cannot be handed to Temporal is answered 503, for Twilio comes again (``activities.vendors.twilio.RETRIES``), unless
two people are on the line, who would be cut off; what no lead wants is acknowledged. Only what can change a plan is
signalled: how a call ended, a text that came in, a text that could not be delivered. An opt-out is durable before it is
acknowledged.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args
from urllib.parse import parse_qsl

from starlette.datastructures import State
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from temporalio.client import Client
from temporalio.service import RPCError

from activities import entity
from activities.settings import Settings, settings
from activities.vendors import twilio
from workflows import identity
from workflows.events import CallEnded, Form, MessageReceived, TextFailed
from workflows.playbook import registered

from . import bodies, consent, intake, transfers
from .audiences import audience_of, newest
from .calls import INBOUND
from .gateway import answered_by

log = logging.getLogger(__name__)

_TWILIOS: Mapping[str, consent.Said] = {"STOP": "stop", "START": "start"}
"""What Twilio itself makes of a text (OptOutType)."""
MOST_RECONNECTS = 5
"""How often a live call is connected to the gateway again after its socket was lost."""
_MAX_BODY = 256 * 1024
_FINAL = frozenset(get_args(CallEnded.model_fields["status"].annotation))
_NO_NUMBER = "Sorry, your number is not shown to us, so we cannot tell who is calling. Please send us a text. Goodbye."
_CUT_OFF = "Sorry, we have a problem with the line. We will get back to you. Goodbye."


class _Recent:
    """The newest keys and what was noted under them; the oldest are forgotten."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._held: OrderedDict[str, str] = OrderedDict()

    def note(self, key: str, value: str = "") -> None:
        self._held[key] = value
        if len(self._held) > self._most:
            self._held.popitem(last=False)

    def get(self, key: str) -> str | None:
        return self._held.get(key)


_handled = _Recent()
"""What was handed on already. Only an economy for repeats that meet this process: leads recognise a repeat themselves."""
_answered = _Recent()
"""CallSid -> who answered, told by a callback of its own before the call's end, whose callback may not say it."""


@dataclass(frozen=True)
class _Call:
    """A webhook that has passed the check: its fields, its query, and where to take it."""

    fields: dict[str, str]
    query: dict[str, str]
    state: State
    """The web process's own."""
    house: Settings

    @property
    def temporal(self) -> Client | None:
        """None before Temporal was first reached."""
        client: Client | None = self.state.temporal
        return client

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")


_Handler = Callable[[_Call], Awaitable[Response]]


def _webhook(handler: _Handler) -> Callable[[Request], Awaitable[Response]]:
    """Let ``handler`` see only what Twilio signed: 403 otherwise, 503 while Temporal cannot take it."""

    async def checked(request: Request) -> Response:
        house = settings()
        try:
            fields = await _fields(request)
        except (ValueError, ClientDisconnect):
            return Response("unreadable", 413)
        path = (request.scope.get("raw_path") or request.url.path.encode()).decode("latin-1").partition("?")[0]
        query = f"?{request.url.query}" if request.url.query else ""
        signature = request.headers.get("x-twilio-signature", "")
        signed_with = request.headers.get("x-twilio-webhooks-signature-settings", "")
        if not twilio.genuine(f"{house.showrate_public_url}{path}{query}", fields, signature, signed_with):
            log.warning("refused %s: not signed by the carrier for this address", request.url.path)
            return Response("not signed for this address", 403)
        call = _Call(fields, dict(request.query_params), request.app.state, house)
        try:
            return await handler(call)
        except (RPCError, intake.Unreachable, TimeoutError) as error:
            log.warning("%s could not be handed on: %s", request.url.path, type(error).__name__)
            return Response("come again", 503)

    return checked


async def _fields(request: Request) -> dict[str, str]:
    """The fields of the form, as they were signed. Raises ValueError when there are unbelievably many."""
    body = await bodies.whole(request, _MAX_BODY)
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=500))


def _twiml(text: str) -> Response:
    return Response(text, media_type="text/xml")


_done = Response(status_code=204)


# ---- calls -------------------------------------------------------------------------------------------------------


async def voice(call: _Call) -> Response:
    """A call of ours was answered: connect it to the gateway, which learns from the lead whether to talk."""
    lead, attempt = call.query.get("lead", ""), call.query.get("attempt", "")
    return _twiml(_to_gateway(call, lead, attempt) if lead and attempt else twilio.hang_up())


async def inbound(call: _Call) -> Response:
    """Somebody rings our number."""
    lead = await _lead_of(call)
    if not lead:
        return _twiml(twilio.hang_up(_NO_NUMBER))
    return _twiml(_to_gateway(call, lead, f"in-{call['CallSid']}"))


def _to_gateway(call: _Call, lead: str, attempt: str, again: int = 0) -> str:
    """TwiML to the gateway, with the voice and the hints of the lead's playbook where its hash came along, else of that
    which a caller nobody knows would get."""
    content_hash = call.query.get("playbook", "")
    book = registered().get(content_hash)
    if book is None:
        content_hash, book = newest(audience_of(INBOUND, call.house))
    return twilio.relay(lead, attempt, book.agent, content_hash, (book.company.name, book.meeting.name), again)


async def relay_ended(call: _Call) -> Response:
    """The gateway's session is over. If only the socket was lost and the other side is still there, connect again: the
    gateway rebuilds the conversation from the lead."""
    lead, attempt = call.query.get("lead", ""), call.query.get("attempt", "")
    if call["SessionStatus"] == "ended" and call["HandoffData"] and call["CallStatus"] == "in-progress" and lead and attempt:
        return _twiml(transfers.put_through(lead, attempt, call["HandoffData"], call.query.get("playbook", "")))
    if call["SessionStatus"] != "failed" or call["CallStatus"] != "in-progress" or not (lead and attempt):
        return _twiml(twilio.hang_up())
    again = int(call.query["again"]) + 1 if call.query.get("again", "").isdigit() else 1
    log.info("%s %s lost its socket (%s), %d. time", lead, attempt, call["ErrorCode"], again)
    return _twiml(_to_gateway(call, lead, attempt, again) if again <= MOST_RECONNECTS else twilio.hang_up(_CUT_OFF))


async def whisper(call: _Call) -> Response:
    """A colleague picked up: they hear who is on the line, and take the call with a key."""
    lead, attempt = call.query.get("lead", ""), call.query.get("attempt", "")
    if not (lead and attempt):
        return _twiml(twilio.hang_up())
    words = await transfers.whispered(call.temporal, lead, call.query.get("playbook", ""))
    return _twiml(twilio.whisper(words, lead, attempt))


async def taken(call: _Call) -> Response:
    """They pressed a key: the two are connected, and the lead is theirs."""
    lead, attempt = call.query.get("lead", ""), call.query.get("attempt", "")
    await transfers.tell(lambda: call.temporal, lead, attempt, call["CallSid"], "taken")
    return _twiml(twilio.connect())


async def transferred(call: _Call) -> Response:
    """The transfer is over: they have spoken, or nobody took it and the agent goes on."""
    lead, attempt = call.query.get("lead", ""), call.query.get("attempt", "")
    if not (lead and attempt):
        return _twiml(twilio.hang_up())
    bridged = (call["DialBridged"] or str(call["DialCallStatus"] in ("completed", "answered"))).lower() == "true"
    what, seconds = ("over", _number(call["DialCallDuration"])) if bridged else ("missed", 0)
    await transfers.tell(lambda: call.temporal, lead, attempt, call["DialCallSid"] or call["CallSid"], what, seconds)
    here = not bridged and call["CallStatus"] == "in-progress"
    return _twiml(_to_gateway(call, lead, attempt) if here else twilio.hang_up())


async def answered(call: _Call) -> Response:
    """Who or what answered: the gateway is told if it has this call, and it is kept for the call's end."""
    _answered.note(call["CallSid"], call["AnsweredBy"])
    answered_by(call.query.get("lead", ""), call.query.get("attempt", ""), call["AnsweredBy"])
    return _done


async def status(call: _Call) -> Response:
    """How a call stands; only its end is a signal."""
    if call["CallStatus"] not in _FINAL:
        return _done
    lead, attempt = call.query.get("lead", ""), call.query.get("attempt", "")
    if call["Direction"] == "inbound":
        lead, attempt = await _lead_of(call), f"in-{call['CallSid']}"
    if not lead or not attempt:
        return _done
    ended = CallEnded.model_validate(
        {
            "at": datetime.now(UTC),
            "id": f"{call['CallSid']}:{call['CallStatus']}",
            "attempt": attempt,
            "sid": call["CallSid"],
            "status": call["CallStatus"],
            "answered_by": call["AnsweredBy"] or _answered.get(call["CallSid"]) or "",
            "seconds": _number(call["CallDuration"]),
            "sequence": _number(call["SequenceNumber"]),
        }
    )
    await _signal(call, lead, "call_status", ended, ended.id)
    return _done


# ---- texts -------------------------------------------------------------------------------------------------------


async def message(call: _Call) -> Response:
    """A text came in. A "stop" is kept before anything else; then the lead hears of it, and an unknown number becomes a
    lead, unless all it said was stop."""
    number = _number_of(call)
    if not number or _handled.get(call["MessageSid"]) is not None:
        return _twiml(twilio.no_reply())
    temporal = _connected(call)
    handle = identity.handle_id(call.house.identity_key, number)
    (lead, *beside), text, now = await intake.all_of(handle), call["Body"], datetime.now(UTC)
    said = _TWILIOS.get(call["OptOutType"]) or consent.said(text, "text")
    confirmed = await consent.confirmation(temporal, said, handle, text, call.house) if not call["OptOutType"] else ""
    await consent.keep(temporal, said, handle, lead, "text", now, text)
    received = MessageReceived(at=now, id=call["MessageSid"], text=text)
    for other in beside if said == "stop" else ():  # the number is theirs too
        await entity.tell(temporal, other, "message_received", received)
    if not await entity.tell(temporal, lead, "message_received", received) and said != "stop":
        stranger = Form(
            submission_id=call["MessageSid"], phone=number, phone_hash=handle, source="inbound_text", message=text
        )
        lead = await intake.start(temporal, call.house, stranger, now)
        await entity.tell(temporal, lead, "message_received", received)
    _handled.note(call["MessageSid"])
    return _twiml(twilio.reply(confirmed) if confirmed else twilio.no_reply())


async def message_status(call: _Call) -> Response:
    """How a text of ours stands; only that it could not be delivered is a signal."""
    lead, touch = call.query.get("lead", ""), call.query.get("touch", "")
    if call["MessageStatus"] not in {"failed", "undelivered"} or not (lead and touch):
        return _done
    key = f"{call['MessageSid']}:{call['MessageStatus']}"
    failed = TextFailed(at=datetime.now(UTC), id=key, touch=touch, code=call["ErrorCode"])
    await _signal(call, lead, "message_status", failed, key)
    return _done


# ---- to the lead -------------------------------------------------------------------------------------------------


def _number_of(call: _Call) -> str:
    """The other side's number in E.164; empty when it is withheld."""
    try:
        return identity.phone_number(call["From"], call.house.showrate_region)
    except ValueError:
        return ""


async def _lead_of(call: _Call) -> str:
    number = _number_of(call)
    return await intake.whose(identity.handle_id(call.house.identity_key, number)) if number else ""


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _connected(call: _Call) -> Client:
    if call.temporal is None:
        raise intake.Unreachable("not connected to Temporal yet")
    return call.temporal


async def _signal(call: _Call, lead: str, name: str, event: Any, key: str) -> None:
    """Hand ``event`` to the lead once, as far as this process can tell."""
    if _handled.get(key) is None:
        if not await entity.tell(_connected(call), lead, name, event):
            log.info("%s is over or unknown; its %s was dropped", lead, name)
        _handled.note(key)


routes: list[BaseRoute] = [
    Route("/twilio/voice", _webhook(voice), methods=["POST"]),
    Route("/twilio/inbound", _webhook(inbound), methods=["POST"]),
    Route("/twilio/status", _webhook(status), methods=["POST"]),
    Route("/twilio/answered", _webhook(answered), methods=["POST"]),
    Route("/twilio/relay-ended", _webhook(relay_ended), methods=["POST"]),
    Route("/twilio/transferred", _webhook(transferred), methods=["POST"]),
    Route("/twilio/whisper", _webhook(whisper), methods=["POST"]),
    Route("/twilio/taken", _webhook(taken), methods=["POST"]),
    Route("/twilio/message", _webhook(message), methods=["POST"]),
    Route("/twilio/message-status", _webhook(message_status), methods=["POST"]),
]
