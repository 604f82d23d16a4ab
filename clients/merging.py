"""Two leads whom somebody recognises as one person: the console's page that shows both and asks, and what is asked then.

A merge cannot be taken back, so nothing is merged from a lead's own page; docs/identity.md says what goes where.
"""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from workflows import likeness

from . import leads, stories
from .access import for_people, sealed, who
from .api import lead_asked
from .console import page
from .leads import Refused, Unknown, Unreachable
from .stories import Story


async def compared(request: Request) -> Response:
    """Both leads side by side, and what merging them means. ``other``: the second one's id, number or address."""
    lead = lead_asked(request)
    try:
        one, other = await _both(request, lead, request.query_params.get("other", ""))
    except (Refused, Unknown, Unreachable) as error:
        return _back(lead, f"Not done: {error}.")
    shared, why = likeness.judged(likeness.person_of(one.person), likeness.person_of(other.person))
    return await page(
        request, "merge", one=one, other=other, shared=shared, why=why, meetings=bool(_ahead(one) and _ahead(other)),
    )  # fmt: skip


async def decided(request: Request) -> Response:
    """A button of that page: ``way`` merge or apart."""
    lead = lead_asked(request)
    form = await request.form(max_files=0, max_fields=20)
    other, keep, way = (str(form.get(name, ""))[:200] for name in ("other", "keep", "way"))
    words, client = str(form.get("words", "")).strip()[:500], request.app.state.temporal
    try:
        if way not in ("merge", "apart") or keep not in ("", "mine", "theirs"):
            raise Refused("press one of the buttons")
        _, named = await _both(request, lead, other)
        if way == "apart":
            answer = await leads.keep_apart(client, lead, named.lead, by=who(request), words=words)
        elif not words:
            raise Refused("say how you know that they are one person")
        else:
            answer = await leads.merge(client, lead, named.lead, by=who(request), words=words, keep=keep)
        message = leads.told(way, answer)
    except (Refused, Unknown, Unreachable) as error:
        message = f"Not done: {error}."
    return _back(lead, message)


async def _both(request: Request, lead: str, text: str) -> tuple[Story, Story]:
    """The stories of ``lead`` and of the other whom ``text`` names. Raises Refused, Unknown, Unreachable."""
    if not text.strip():
        raise Refused("name the other lead by its phone number, e-mail address or id")
    client = request.app.state.temporal
    one = await stories.story(client, lead)
    other = await stories.named(client, text, besides=lead)
    if other.survivor == one.survivor:
        raise Refused("that is this lead; name another")
    if other.survivor != other.lead:
        other = await stories.story(client, other.survivor)
    return one, other


def _ahead(told: Story) -> bool:
    """Whether a meeting stands that a merge could leave standing."""
    return bool(told.now and told.now.booking and not told.now.closed and "showed" not in told.now.milestones)


def _back(lead: str, message: str) -> Response:
    return RedirectResponse(f"/console/leads/{lead}?{urlencode({'told': sealed(message)})}", 303)


routes: list[BaseRoute] = [
    Route("/console/leads/{lead}/merge", for_people(compared), methods=["GET"]),
    Route("/console/leads/{lead}/merge", for_people(decided), methods=["POST"]),
]
