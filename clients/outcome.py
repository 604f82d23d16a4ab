"""The rep's page behind the link of a card: did they come? A GET shows it and proves nothing; a press of a button is the
rep's mark, once or as often as they change their mind."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from activities import links
from activities.links import BadLink, Link
from workflows.events import Booking
from workflows.messages import Answer, By, View

from .leads import Refused, Unknown, Unreachable, update, view
from .render import render

log = logging.getLogger(__name__)

_MARKS = {"came": "attended", "missed": "no_show"}
"""The page's buttons, and the update of the lead that each asks for."""
_NOT_NOW = "We could not note that just now. Please try again in a minute."


async def outcome(request: Request) -> Response:
    """GET shows the meeting and asks; POST marks it."""
    try:
        link = links.read(request.path_params["token"])
    except BadLink as error:
        return _bad(error)
    if link.kind != "outcome":
        return _bad(BadLink("unreadable"))
    seen = await _seen(request, link)
    if request.method == "GET":
        return _page(seen, link)
    wish = str((await request.form(max_files=0, max_fields=5)).get("wish", ""))
    if wish not in _MARKS:
        return _page(seen, link, status=400)
    told = By(by=_rep(seen, link) or "the rep", words="marked on the page of the card", booking=link.booking)
    # Every press is a mark of its own: who changes their mind is heard, and a repeat changes nothing.
    press = f"outcome:{wish}:{datetime.now(UTC).timestamp():.3f}"
    try:
        answer = await update(
            request.app.state.temporal, link.lead, _MARKS[wish], told, request_id=press, result=Answer
        )
    except (Unknown, Unreachable, Refused) as error:
        log.warning("an outcome of %s from its page failed: %s", link.lead, type(error).__name__)
        return _page(seen, link, status=503, refusal=_NOT_NOW)
    if not answer.allowed:
        return _page(seen, link, status=409, refusal=answer.detail or "That is not possible any more.")
    return _page(seen, link, done=wish)


async def _seen(request: Request, link: Link) -> View | None:
    try:
        return await view(request.app.state.temporal, link.lead)
    except (Unknown, Unreachable) as error:
        log.info("%s could not be read for its page: %s", link.lead, type(error).__name__)
        return None


def _meeting(seen: View | None, link: Link) -> Booking | None:
    return next((b for b in (seen.booking, seen.missed) if b and b.id == link.booking), None) if seen else None


def _rep(seen: View | None, link: Link) -> str:
    meeting = _meeting(seen, link)
    return meeting.rep if meeting else ""


def _page(seen: View | None, link: Link, *, status: int = 200, refusal: str = "", done: str = "") -> Response:
    meeting = _meeting(seen, link)
    if seen and meeting is None:
        return _notice(410, "This meeting is not on any more", "It was moved or called off; there is nothing to mark.")
    response = render(
        "outcome",
        status,
        whom=seen.person.name if seen and seen.person else "",
        meeting=meeting,
        zone=(seen.zone if seen else "") or "UTC",
        refusal=refusal,
        done=done,
    )
    response.headers["Referrer-Policy"] = "no-referrer"  # the address is a key
    return response


def _bad(error: BadLink) -> Response:
    if error.reason == "expired":
        return _notice(410, "This link has expired", "Mark the meeting on the lead's page in the console.")
    return _notice(404, "This link is not complete", "Please open it again from the card.")


def _notice(status: int, title: str, text: str) -> Response:
    return render("notice", status, title=title, text=text, back="")


routes: list[BaseRoute] = [Route("/o/{token}", outcome, methods=["GET", "POST"])]
