"""Who may see and change leads: whoever has the token, as a bearer or behind the cookie of the console's login.

The cookie holds no token, only that somebody showed it and when; a page's forms carry a second proof that they come
from that page, since a browser sends the cookie with any site's form.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import quote, unquote, urlsplit

from itsdangerous import BadSignature, TimestampSigner
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from activities.settings import settings

from .render import render

COOKIE = "showrate"
SESSION = 12 * 3600
"""Seconds that a login lasts."""

Endpoint = Callable[[Request], Awaitable[Response]]


def is_token(given: str) -> bool:
    """Whether ``given`` is the token. With no token set, nothing is."""
    token = settings().showrate_token
    return bool(token) and hmac.compare_digest(token.encode(), given.encode("utf-8", "replace"))


def bearer(request: Request) -> str:
    """The token of ``Authorization: Bearer``, empty without one."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def logged_in(request: Request) -> bool:
    """Whether the request carries the cookie of a login that still lasts."""
    if not settings().showrate_token:
        return False
    try:
        _signer().unsign(request.cookies.get(COOKIE, ""), max_age=SESSION)
    except BadSignature:
        return False
    return True


def who(request: Request) -> str:
    """The name that was given at the login, as it is noted with what this person does; ``console`` without one."""
    try:
        name = _signer().unsign(request.cookies.get(COOKIE, ""), max_age=SESSION)
    except BadSignature:
        return "console"
    return unquote(name.decode()) or "console"


def admit(response: Response, name: str = "") -> Response:
    """``response`` with the cookie of a new login."""
    response.set_cookie(
        COOKIE,
        _signer().sign(quote(name.strip()[:60], safe="")).decode(),
        max_age=SESSION,
        httponly=True,
        samesite="lax",
        secure=settings().showrate_public_url.startswith("https://"),
    )
    return response


def proof(request: Request) -> str:
    """What a page's forms carry in the field ``proof``: bound to this login, worthless in another."""
    session = request.cookies.get(COOKIE, "")
    return hmac.new(settings().showrate_token.encode(), f"form {session}".encode(), hashlib.sha256).hexdigest()


def sealed(text: str) -> str:
    """``text`` so that only we can have written it: what a page says after a button was pressed travels in its
    address."""
    return _signer().sign(quote(text, safe="")).decode()


def unsealed(text: str) -> str:
    """What :func:`sealed` sealed within the last minute, else nothing."""
    try:
        return unquote(_signer().unsign(text, max_age=60).decode())
    except BadSignature:
        return ""


def for_people(endpoint: Endpoint) -> Endpoint:
    """A page of the console: without a login it answers 401 and the login form; a form posted without its proof 403."""

    async def guarded(request: Request) -> Response:
        if is_token(bearer(request)):
            return await endpoint(request)
        if not logged_in(request):
            return login_page(request.url.path)
        if request.method != "GET" and not await _proved(request):
            return render(
                "notice",
                403,
                title="This form is stale",
                text="It was opened before you logged in again. Go back, reload the page and press the button once more.",
                back="/console",
            )
        return await endpoint(request)

    return guarded


def for_programs(endpoint: Endpoint) -> Endpoint:
    """A JSON address: 401 without the token. The console's own cookie is good for reading."""

    async def guarded(request: Request) -> Response:
        if is_token(bearer(request)) or (request.method == "GET" and logged_in(request)):
            return await endpoint(request)
        answer = {"error": "the token is missing or wrong", "remedy": "send Authorization: Bearer SHOWRATE_TOKEN"}
        return JSONResponse(answer, 401, headers={"WWW-Authenticate": "Bearer"})

    return guarded


def login_page(then: str, wrong: bool = False) -> Response:
    """The login form, which leads on to ``then`` (a path of ours)."""
    return render(
        "login",
        401,
        headers={"WWW-Authenticate": "Bearer"},
        then=local_path(then),
        wrong=wrong,
        unset=not settings().showrate_token,
    )


def local_path(address: str) -> str:
    """``address`` if it is a path of the console, else the console itself: a login never leads elsewhere."""
    parts = urlsplit(address)
    ours = not parts.scheme and not parts.netloc and parts.path.startswith("/console") and "\\" not in address
    return address if ours and not parts.path.startswith("//") else "/console"


async def _proved(request: Request) -> bool:
    form = await request.form(max_files=0, max_fields=100)
    return hmac.compare_digest(str(form.get("proof", "")).encode(), proof(request).encode())


def _signer() -> TimestampSigner:
    return TimestampSigner(settings().showrate_token, salt="showrate.console", digest_method=hashlib.sha256)
