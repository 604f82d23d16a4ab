"""The form that people fill in: a page of ours, and a script that puts it, or its wiring, on any other page."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from activities.settings import Settings, settings
from workflows.playbook import Company

from .access import logged_in
from .audiences import audience_of, newest
from .render import render, text_of
from .submission import Problem, as_text

PROMISE = "We'll call you within a minute."
"""What the form says will happen next; it is kept with the lead, and the call keeps it."""

_FIELDS = ("name", "phone", "email", "company", "message")
_UNSEEN = ("state", "zip", "zone")
"""What a page that links to the form may know of the visitor, and nobody is asked for."""


def company_of(source: str, house: Settings) -> Company:
    """The company that calls the leads of ``source``: its playbook's. Without one, a company with no name."""
    try:
        return newest(audience_of(source, house))[1].company
    except LookupError:
        return Company(name="", purpose="")


def mails(source: str, house: Settings) -> bool:
    """Whether who leaves only an e-mail address is worked too: the playbook writes to them."""
    try:
        cadence = newest(audience_of(source, house))[1].cadence
    except LookupError:
        return False
    return any(touch.channel == "email" for touch in cadence.first)


def consent_text(company: Company) -> str:
    """What stands beside the consent box. 47 CFR 64.1200(f)(9) asks a written consent to name the seller, to say
    that calls and texts may be automated or in an artificial voice, and that no purchase depends on it."""
    who = company.name or "this company"
    return (
        f"I agree that {who} may call and text me at this number about my request, also with an automated system or "
        "an artificial voice. Consent is not a condition of any purchase. Message and data rates may apply. "
        "I can say or text STOP at any time."
    )


def consent_version(text: str) -> str:
    """Names a consent text by its content, so that no version can stand for two texts."""
    return f"web-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def snippet(house: Settings, source: str) -> str:
    """The two lines that put the form of ``source`` on a page."""
    return f'<div id="showrate"></div>\n<script src="{house.showrate_public_url}/embed.js"{_whose(house, source)} async></script>'


def enhancement(house: Settings, source: str) -> str:
    """The line that wires a form which a page has already."""
    return (
        f'<script src="{house.showrate_public_url}/embed.js" data-form="#your-form"{_whose(house, source)} async>'
        "</script>"
    )


def _whose(house: Settings, source: str) -> str:
    key = house.showrate_sources.get(source, "")
    return f' data-source="{source}"' + (f' data-key="{key}"' if key else "")


def source_asked(request: Request, house: Settings) -> str:
    """The source that ``?source=`` names, else the first that has a key, else ``website``."""
    first = next(iter(house.showrate_sources), "website")
    asked = request.query_params.get("source", "")
    named = re.fullmatch(r"[\w.-]{1,60}", asked) and (not house.showrate_sources or asked in house.showrate_sources)
    return asked if named else first


async def show(request: Request) -> Response:
    """The hosted form. UTM parameters of its address go along with what is filled in; ``?name=``, ``?phone=`` and so
    on fill in what the linking page knows already; ``?state=``, ``?zip=`` and ``?zone=`` go along unseen, before what the
    browser says of the zone. Who is logged in to the console also sees the lines that put it on a site."""
    house = settings()
    asked = list(request.query_params.items())[:40]
    along = {k[:64]: v[:300] for k, v in asked if v and (k.startswith("utm_") or k in _UNSEEN)}
    known = {name: request.query_params[name][:300] for name in _FIELDS if name in request.query_params}
    return _page(house, source_asked(request, house), known, hidden=along, ours=logged_in(request))


async def thanks(request: Request) -> Response:
    """Where a form without scripts ends up."""
    house = settings()
    company = company_of(source_asked(request, house), house)
    return render("thanks", framed=True, company=company, promise=PROMISE)


async def embed(request: Request) -> Response:
    """The script. It takes its address from its own tag, so that it works behind any host name."""
    house = settings()
    texts = {}
    for source in {source_asked(request, house), *house.showrate_sources, *house.showrate_audiences}:
        company = company_of(source, house)
        text = consent_text(company)
        texts[source] = {"company": company.name, "text": text, "version": consent_version(text)}
    default = source_asked(request, house)
    script = text_of("embed.js", config={"promise": PROMISE, "sources": texts, "default": default})
    headers = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}
    return Response(script, media_type="text/javascript", headers=headers)


def refused_page(
    fields: Mapping[str, object],
    problems: Iterable[Problem],
    status: int,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The form again, with what was written and what to mend; for forms posted without scripts."""
    house = settings()
    source = as_text(fields.get("source")) or next(iter(house.showrate_sources), "website")
    along = {k: as_text(v) for k, v in fields.items() if k.startswith("utm_") or k in _UNSEEN}
    return _page(house, source, fields, problems, status, headers, along)


def _page(
    house: Settings,
    source: str,
    fields: Mapping[str, object] | None = None,
    problems: Iterable[Problem] = (),
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    hidden: Mapping[str, str] | None = None,
    ours: bool = False,
) -> HTMLResponse:
    company = company_of(source, house)
    text = consent_text(company)
    found = tuple(problems)
    return render(
        "form",
        status,
        framed=True,
        headers=headers,
        company=company,
        mailed=mails(source, house),
        promise=PROMISE,
        consent=text,
        version=consent_version(text),
        source=source,
        key=house.showrate_sources.get(source, ""),
        submission_id=as_text((fields or {}).get("submission_id")) or f"f-{secrets.token_hex(16)}",
        hidden=dict(hidden or {}),
        given={name: as_text((fields or {}).get(name)) for name in _FIELDS},
        agreed=bool(as_text((fields or {}).get("consent"))),
        problems={p.field: p for p in found},
        others=[p for p in found if p.field not in _FIELDS],
        snippet=snippet(house, source) if ours else "",
    )


routes: list[BaseRoute] = [
    Route("/form", show),
    Route("/form/thanks", thanks),
    Route("/embed.js", embed),
]
