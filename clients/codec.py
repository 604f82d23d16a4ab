"""Temporal's codec-server protocol: its UI and command line send what they cannot read, and get it in the clear.

``POST /codec/decode|encode`` with the token as bearer, as ``?token=``, or behind the console's cookie. Temporal's UI
takes one address and appends ``/decode`` to it, so ``/codec/TOKEN/decode`` works too, with a token that is derived for
this use and opens nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from activities.settings import Settings, settings
from activities.vendors import temporal

from . import bodies
from .access import bearer, is_token, logged_in

MAX_BODY = 8 * 1024 * 1024
"""Bytes: a page of the UI asks for a history's payloads at once."""


def endpoint(house: Settings) -> str:
    """The address to give to Temporal's UI (``--ui-codec-endpoint``): it carries its own derived token."""
    return f"{house.showrate_public_url}/codec/{derived_token(house)}"


def derived_token(house: Settings) -> str:
    """A token that opens this endpoint only."""
    return hmac.new(house.showrate_token.encode(), b"codec", hashlib.sha256).hexdigest()[:32]


async def recode(request: Request) -> Response:
    """Decode for people or encode what they typed: 401 without a token, 400 when a payload cannot be read."""
    headers = _cors(request)
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=headers)
    if not _allowed(request):
        answer = {"error": "the token is missing or wrong", "remedy": "send Authorization: Bearer SHOWRATE_TOKEN"}
        return JSONResponse(answer, 401, headers=headers)
    try:
        body = await bodies.whole(request, MAX_BODY)
    except bodies.TooLong:
        return JSONResponse({"error": "more than 8 MiB of payloads"}, 413, headers=headers)
    codec = temporal.Codec(settings().encryption_keys)
    try:
        answer_text = temporal.recode(codec, body, decrypt=request.url.path.endswith("/decode"))
    except ValueError as error:
        return JSONResponse({"error": str(error)}, 400, headers=headers)
    return Response(answer_text, media_type="application/json", headers={**headers, "Cache-Control": "no-store"})


def _allowed(request: Request) -> bool:
    house = settings()
    given = request.path_params.get("token", "")
    if given and house.showrate_token and hmac.compare_digest(given.encode(), derived_token(house).encode()):
        return True
    return is_token(bearer(request)) or is_token(request.query_params.get("token", "")) or logged_in(request)


def _cors(request: Request) -> dict[str, str]:
    """The UI's own origin may ask with the console's cookie; no other page may ask at all."""
    origin = request.headers.get("origin", "")
    if not origin or origin not in _ui_origins():
        return {"Vary": "Origin"}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "POST, OPTIONS",
        "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Namespace",
        "Access-Control-Max-Age": "86400",
        "Vary": "Origin",
    }


def _ui_origins() -> set[str]:
    """The UI's origin, under both names of this machine when it runs here."""
    ui = urlsplit(settings().showrate_temporal_ui)
    names = {ui.hostname or "", *({"127.0.0.1", "localhost"} if ui.hostname in {"127.0.0.1", "localhost"} else ())}
    port = f":{ui.port}" if ui.port else ""
    return {f"{ui.scheme}://{name}{port}" for name in names}


_methods = ["POST", "OPTIONS"]
routes: list[BaseRoute] = [
    *(Route(f"/codec/{what}", recode, methods=_methods) for what in ("decode", "encode")),
    *(Route(f"/codec/{{token}}/{what}", recode, methods=_methods) for what in ("decode", "encode")),
]
