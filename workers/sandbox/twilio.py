"""Twilio's REST API as far as the product uses it, over the exchange: Calls and Messages with the vendor's shapes,
paging, error bodies and codes.

Calls are not idempotent here, as they are not there: the same request twice is two calls.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from workflows.identity import phone_number

from . import phone_page
from .exchange import Exchange
from .phones import PhoneBook
from .traffic import FINAL, Call, Refused, Text, new_sid, note_event, rfc2822, segments

if TYPE_CHECKING:
    from .app import World

_BASE = "/twilio/2010-04-01/Accounts/{account}"
_EVENTS = ("initiated", "ringing", "answered", "completed")


def routes(world: World) -> list[BaseRoute]:
    """The API, the sandbox's own handles on it, and the pages of phone and texts."""
    book = world.book = PhoneBook(world)
    exchange = book.exchange

    def api(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            try:
                _authenticate(world, request)
                return await handler(request)
            except Refused as error:
                return refusal(error)

        return guarded

    async def calls(request: Request) -> Response:
        if request.method == "GET":
            q = request.query_params
            found = [c for c in _newest(exchange.calls.values()) if c.sid.startswith("CA") and _call_matches(c, q)]
            return _page(request, "calls", [_call(exchange, c) for c in found])
        form = await request.form()
        call = _placed(exchange, form)
        made = {"account_sid": world.account.sid, **{_snake(name): str(value) for name, value in form.items()}}
        url = f"https://api.twilio.com{_uri(exchange, call)}.json"
        note_event(call, {"method": "POST", "url": url, "parameters": made}, 201, 0.0, call.created)
        exchange.dial(call)
        return JSONResponse(_call(exchange, call), 201)

    async def events(request: Request) -> Response:
        call = exchange.calls.get(request.path_params["sid"])
        if call is None:
            raise _missing(request)
        return _page(request, "events", call.requests)

    async def one_call(request: Request) -> Response:
        call = exchange.calls.get(request.path_params["sid"])
        if call is None:
            raise _missing(request)
        if request.method == "DELETE":
            if call.status not in FINAL:
                raise Refused(409, 20009, "Call is not in a final state")
            del exchange.calls[call.sid]
            return Response(status_code=204)
        if request.method == "POST":
            _changed(call, await request.form())
        return JSONResponse(_call(exchange, call))

    async def texts(request: Request) -> Response:
        if request.method == "GET":
            q = request.query_params
            found = [t for t in _newest(exchange.texts.values()) if _text_matches(t, q)]
            return _page(request, "messages", [_text(exchange, t) for t in found])
        text = _sent(exchange, await request.form())
        return JSONResponse(_text(exchange, text), 201)

    async def one_text(request: Request) -> Response:
        text = exchange.texts.get(request.path_params["sid"])
        if text is None:
            raise _missing(request)
        if request.method == "DELETE":
            del exchange.texts[text.sid]
            return Response(status_code=204)
        if request.method == "POST":
            form = await request.form()
            if form.get("Status"):
                raise Refused(400, 30409, "Message cannot be canceled in its present state")
            text.body = str(form.get("Body", text.body))
        return JSONResponse(_text(exchange, text))

    return [
        Route(_BASE + "/Calls.json", api(calls), methods=["GET", "POST"]),
        Route(_BASE + "/Calls/{sid}.json", api(one_call), methods=["GET", "POST", "DELETE"]),
        Route(_BASE + "/Calls/{sid}/Events.json", api(events), methods=["GET"]),
        Route(_BASE + "/Messages.json", api(texts), methods=["GET", "POST"]),
        Route(_BASE + "/Messages/{sid}.json", api(one_text), methods=["GET", "POST", "DELETE"]),
        *phone_page.routes(book),
    ]


def _authenticate(world: World, request: Request) -> None:
    credentials(world, request)
    if request.path_params["account"] != world.account.sid:
        raise _missing(request)


def credentials(world: World, request: Request) -> None:
    """Raises Refused when the request does not carry those of the account."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    try:
        user, _, secret = base64.b64decode(given).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user = secret = ""
    ours = world.account
    if kind.lower() != "basic" or (user, secret) != (ours.sid, ours.token):
        raise Refused(401, 20003, "Authenticate")


def refusal(error: Refused) -> Response:
    more = f"https://www.twilio.com/docs/errors/{error.code}"
    body = {"code": error.code, "message": error.message, "more_info": more, "status": error.status}
    return JSONResponse(body, error.status)


def _missing(request: Request) -> Refused:
    path = request.url.path.removeprefix("/twilio")
    return Refused(404, 20404, f"The requested resource {path} was not found")


def _newest(found: Any) -> list[Any]:
    return sorted(found, key=lambda one: one.created, reverse=True)


# ---- calls -------------------------------------------------------------------------------------------------------


def _placed(exchange: Exchange, form: FormData) -> Call:
    """The call that ``form`` asks for. Raises :class:`Refused`."""
    for field, code in (("To", 21201), ("From", 21213)):
        if not form.get(field):
            raise Refused(400, code, f"No '{field}' number is specified")
    if not (form.get("Url") or form.get("Twiml") or form.get("ApplicationSid")):
        raise Refused(400, 21205, "Url parameter is required.")
    if str(form["From"]) != exchange.world.account.number:
        raise Refused(400, 21210, "'From' phone number not verified")
    events = tuple(str(e) for e in form.getlist("StatusCallbackEvent")) or ("completed",)
    if unknown := [e for e in events if e not in _EVENTS]:
        raise Refused(400, 21626, f"Invalid StatusCallbackEvent: {unknown[0]}")
    return Call(
        sid=new_sid("CA"),
        to=_number(form["To"], 21211),
        from_=exchange.world.account.number,
        direction="outbound-api",
        created=exchange.world.now(),
        url=str(form.get("Url", "")),
        twiml=str(form.get("Twiml", "")),
        callback=str(form.get("StatusCallback", "")),
        events=events,
        ring=_seconds(form, "Timeout", 60, 600),
        longest=_seconds(form, "TimeLimit", 14_400, 86_400),
        detect=str(form.get("MachineDetection", "")),
        async_amd=str(form.get("AsyncAmd", "")).lower() == "true",
        amd_callback=str(form.get("AsyncAmdStatusCallback", "")),
    )


def _number(given: object, code: int) -> str:
    text = str(given)
    try:
        if not text.startswith("+"):
            raise ValueError("no country code")
        return phone_number(text)
    except ValueError as error:
        raise Refused(400, code, f"Invalid 'To' Phone Number: {text}") from error


def _seconds(form: FormData, field: str, default: int, most: int) -> int:
    given = str(form.get(field, "") or default)
    if not given.isdigit() or not 1 <= int(given) <= most:
        raise Refused(400, 20001, f"{field} must be an integer between 1 and {most}")
    return int(given)


def _changed(call: Call, form: FormData) -> None:
    """Cancel, end or redirect a call. A call that is over stays as it is."""
    status = str(form.get("Status", ""))
    if status not in {"", "canceled", "completed"}:
        raise Refused(400, 21218, "Invalid Status")
    redirected = form.get("Twiml") or form.get("Url")
    if redirected:
        if call.status != "in-progress":
            raise Refused(400, 21220, "Call is not in-progress. Cannot redirect.")
        url = escape(str(form.get("Url", "")))
        call.redirects.put_nowait(str(form.get("Twiml") or f"<Response><Redirect>{url}</Redirect></Response>"))
    elif status == "completed" or (status == "canceled" and call.status in {"queued", "ringing"}):
        call.line.hang_up("api")


def _uri(exchange: Exchange, call: Call) -> str:
    return f"/2010-04-01/Accounts/{exchange.world.account.sid}/Calls/{call.sid}"


def _snake(name: str) -> str:
    """``StatusCallback`` as ``status_callback``: how the Events resource names parameters."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _call(exchange: Exchange, call: Call) -> dict[str, Any]:
    account, uri = exchange.world.account.sid, _uri(exchange, call)
    over = call.status in FINAL
    return {
        "sid": call.sid,
        "account_sid": account,
        "parent_call_sid": None,
        "to": call.to,
        "to_formatted": call.to,
        "from": call.from_,
        "from_formatted": call.from_,
        "phone_number_sid": "PN" + "0" * 32,
        "status": call.status,
        "date_created": rfc2822(call.created),
        "date_updated": rfc2822(call.updated),
        "start_time": rfc2822(call.answered or call.ended if call.started else None),
        "end_time": rfc2822(call.ended),
        "duration": str(call.seconds) if over else None,
        "price": None,
        "price_unit": "USD",
        "direction": call.direction,
        "answered_by": call.answered_by or None,
        "api_version": "2010-04-01",
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": str(round((call.started - call.created).total_seconds() * 1000)) if call.started else "0",
        "trunk_sid": None,
        "uri": f"{uri}.json",
        "subresource_uris": {
            name: f"{uri}/{name.capitalize()}.json" for name in ("notifications", "recordings", "events")
        },
    }


def _call_matches(call: Call, q: QueryParams) -> bool:
    return (
        q.get("To", call.to) == call.to
        and q.get("From", call.from_) == call.from_
        and q.get("Status", call.status) == call.status
        # A call that is still queued has no start time, so any bound on it leaves the call out.
        and _within(call.answered or call.ended, q, "StartTime")
        and _within(call.ended, q, "EndTime")
    )


# ---- texts -------------------------------------------------------------------------------------------------------


def _sent(exchange: Exchange, form: FormData) -> Text:
    """Send the text that ``form`` asks for. Raises :class:`Refused`."""
    body = str(form.get("Body", ""))
    if not form.get("To"):
        raise Refused(400, 21604, "A 'To' phone number is required.")
    if not form.get("From") and not form.get("MessagingServiceSid"):
        raise Refused(400, 21603, "A 'From' phone number is required.")
    if form.get("From") and str(form["From"]) != exchange.world.account.number:
        raise Refused(400, 21606, "The 'From' phone number is not a valid, SMS-capable Twilio number.")
    if not body:
        raise Refused(400, 21602, "Message body is required.")
    if len(body) > 1600:
        raise Refused(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
    to = _number(form["To"], 21211)
    return exchange.send(
        to, body, str(form.get("StatusCallback", "")), _seconds(form, "ValidityPeriod", 36_000, 36_000)
    )


def _text(exchange: Exchange, text: Text) -> dict[str, Any]:
    account = exchange.world.account.sid
    uri = f"/2010-04-01/Accounts/{account}/Messages/{text.sid}"
    return {
        "sid": text.sid,
        "account_sid": account,
        "messaging_service_sid": None,
        "to": text.to,
        "from": text.from_,
        "body": text.body,
        "status": text.status,
        "direction": text.direction,
        "num_segments": str(segments(text.body)),
        "num_media": "0",
        "date_created": rfc2822(text.created),
        "date_updated": rfc2822(text.updated),
        "date_sent": rfc2822(text.sent),
        "price": None,
        "price_unit": "USD",
        "error_code": text.error,
        "error_message": "Unreachable destination handset" if text.error else None,
        "api_version": "2010-04-01",
        "uri": f"{uri}.json",
        "subresource_uris": {"media": f"{uri}/Media.json"},
    }


def _text_matches(text: Text, q: QueryParams) -> bool:
    return (
        q.get("To", text.to) == text.to
        and q.get("From", text.from_) == text.from_
        and _within(text.sent, q, "DateSent")
    )


# ---- lists -------------------------------------------------------------------------------------------------------


def _within(at: datetime | None, q: QueryParams, field: str) -> bool:
    """Whether ``at`` keeps the bounds ``field<``, ``field>`` and ``field`` (a day) of the query."""
    bounds = {sign: q[field + sign] for sign in ("<", ">", "") if q.get(field + sign)}
    if not bounds:
        return True
    if at is None:
        return False

    def instant(text: str) -> datetime:
        read = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return read if read.tzinfo else read.replace(tzinfo=UTC)

    try:
        if "<" in bounds and at > instant(bounds["<"]):
            return False
        if ">" in bounds and at < instant(bounds[">"]):
            return False
        return "" not in bounds or at.date() == instant(bounds[""]).date()
    except ValueError as error:
        raise Refused(400, 20001, f"{field} is no date") from error


def _page(request: Request, name: str, found: Sequence[dict[str, Any]]) -> Response:
    """One page of a list, with the vendor's paging fields."""
    q = dict(request.query_params)
    size = min(int(q.get("PageSize", 50) or 50), 1000)
    number = int(q.get("Page", 0) or 0)
    start = number * size
    shown = found[start : start + size]
    path = request.url.path.removeprefix("/twilio")

    def uri(page: int, token: str = "") -> str:
        query = {**q, "PageSize": size, "Page": page, **({"PageToken": token} if token else {})}
        return f"{path}?{urlencode(query)}"

    more = start + size < len(found)
    body = {
        name: shown,
        "end": start + len(shown) - 1 if shown else 0,
        "first_page_uri": uri(0),
        "next_page_uri": uri(number + 1, "PA" + str(shown[-1].get("sid", number))) if more else None,
        "page": number,
        "page_size": size,
        "previous_page_uri": uri(number - 1) if number else None,
        "start": start,
        "uri": uri(number),
    }
    return JSONResponse(body)
