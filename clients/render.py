"""Templates to responses: escaped, with headers that keep a page's scripts and frames to our own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from workflows.wording import written_time

from . import phrases

FOLDER = Path(__file__).parent / "templates"

_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors {frames}"
)


def render(
    name: str,
    status: int = 200,
    *,
    framed: bool = False,
    headers: Mapping[str, str] | None = None,
    **facts: object,
) -> HTMLResponse:
    """The page ``templates/NAME.html`` filled with ``facts``. ``framed``: other sites may show it in a frame."""
    response = HTMLResponse(_templates().get_template(f"{name}.html").render(**facts), status, dict(headers or {}))
    response.headers["Content-Security-Policy"] = _POLICY.format(frames="*" if framed else "'none'")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin" if framed else "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def text_of(name: str, **facts: object) -> str:
    """The template ``templates/NAME`` as text: scripts and styles."""
    return _templates().get_template(name).render(**facts)


@cache
def _templates() -> Environment:
    env = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    env.filters["written"] = written_time
    for phrase in (
        phrases.ago, phrases.clock, phrases.date, phrases.phone, phrases.span, phrases.tone, phrases.typed, phrases.utc,
        phrases.scope, phrases.words,
    ):  # fmt: skip
        env.filters[phrase.__name__] = phrase
    return env
