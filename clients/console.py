"""The console: leads by stage, one lead's page, the review queue, the funnel, the pauses, and the form's snippet.

Every page needs the login; every button is a form that carries its proof and becomes an update of the lead.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from activities import cursors, funnel
from activities.settings import settings
from workflows.effects import CallNote
from workflows.messages import LEAD
from workflows.playbook import registered
from workflows.review import KINDS

from . import access, leads, queue, stories, timeline
from .access import for_people, local_path, proof, sealed, unsealed, who
from .api import lead_asked
from .form import enhancement, snippet
from .leads import ACTIONS, STAGES, Refused, Unknown, Unreachable
from .phrases import TIMINGS, measured
from .render import FOLDER, render
from .stories import Story

PAGE = 50
"""Leads on one page of the list."""
_ITEMS = 100
"""Items of the review queue that are shown at once."""


async def login(request: Request) -> Response:
    """GET shows the form (or, with ``?token=``, logs in and drops the token from the address); POST logs in."""
    if request.method == "GET":
        given = request.query_params.get("token", "")
        if access.is_token(given):
            return access.admit(RedirectResponse(local_path(request.query_params.get("then", "")), 303))
        return access.login_page("/console", wrong=bool(given))
    form = await request.form(max_files=0, max_fields=10)
    then = local_path(str(form.get("then", "")))
    if not access.is_token(str(form.get("token", "")).strip()):
        return access.login_page(then, wrong=True)
    return access.admit(RedirectResponse(then, 303), str(form.get("name", "")))


async def logout(request: Request) -> Response:
    response = RedirectResponse("/console", 303)
    response.delete_cookie(access.COOKIE)
    return response


async def listing(request: Request) -> Response:
    """Leads by stage. ``q`` finds a phone number, an e-mail address or an id."""
    asked = request.query_params
    text = asked.get("q", "").strip()
    filters = {name: asked.get(name, "") for name in ("stage", "audience", "source", "owner")}
    offset = int(asked["offset"]) if asked.get("offset", "").isdecimal() and len(asked["offset"]) < 9 else 0
    facts: dict[str, Any] = {"rows": [], "problem": "", "text": text, "unread": []}
    try:
        if text:
            facts["rows"] = await _named(request, text)
            if len(facts["rows"]) == 1:
                return RedirectResponse(f"/console/leads/{facts['rows'][0].lead}", 303)
            facts["problem"] = "" if facts["rows"] else "Nobody with this phone number, e-mail address or id."
        else:
            review = True if asked.get("review") else None
            facts["rows"] = await stories.rows(
                request.app.state.temporal, **filters, review=review, limit=PAGE, offset=offset
            )
        facts["unread"] = await stories.from_record(cursors.unread)
    except Unreachable as error:
        facts["problem"] = f"{str(error).capitalize()}."
    more = len(facts["rows"]) >= PAGE
    kept = {name: value for name, value in {**filters, "review": asked.get("review", "")}.items() if value}
    return await page(
        request,
        "leads",
        stages=STAGES,
        filters=filters,
        review=bool(asked.get("review")),
        later=urlencode({**kept, "offset": offset + PAGE}) if more else "",
        earlier=urlencode({**kept, "offset": max(0, offset - PAGE)}) if offset else "",
        **facts,
    )


async def _named(request: Request, text: str) -> list[stories.Row]:
    """Everybody whom ``text`` names: two people may have one number."""
    found: dict[str, stories.Row] = {}
    try:
        async for told in stories.matching(request.app.state.temporal, text):
            found.setdefault(told.survivor, stories.row_of(told))
    except Unknown:
        return []
    return list(found.values())


async def shown(request: Request) -> Response:
    """One lead: what comes next and why, its meeting, its story, its conversations, and the buttons."""
    try:
        told = await stories.story(request.app.state.temporal, lead_asked(request))
    except Unknown:
        text = "Nobody knows a lead of this id: not Temporal, not the record."
        return render("notice", 404, title="No such lead", text=text, back="/console")
    except Unreachable as error:
        text = f"{str(error).capitalize()}."
        return render("notice", 503, title="The lead cannot be read just now", text=text, back="/console")
    if told.survivor != told.lead:
        message = f"{told.lead} went into this lead, the same person."
        return RedirectResponse(f"/console/leads/{told.survivor}?{urlencode({'told': sealed(message)})}", 303)
    book = registered().get(told.playbook)
    house = settings()
    return await page(
        request,
        "lead",
        story=told,
        playbook=book,
        marks=_marks(told),
        verdicts=told.verdicts,
        ringing=_first_ring(told),
        pictures={call.attempt: timeline.draw(call) for call in told.calls},
        turns={call.attempt: _turns(call) for call in told.calls},
        temporal_ui=f"{house.showrate_temporal_ui.rstrip('/')}/namespaces/{_namespace(request)}/workflows/{told.lead}",
        workflow=LEAD,
    )


async def pictured(request: Request) -> Response:
    """The way of a lead's calls through the graph of its playbook, or that of one (``?attempt=``)."""
    try:
        told = await stories.story(request.app.state.temporal, lead_asked(request))
        picture = stories.drawn(told, registered()[told.playbook], request.query_params.get("attempt", ""))
    except (Unknown, KeyError):
        return Response("there is no such picture", 404, media_type="text/plain")
    except Unreachable as error:
        return Response(str(error), 503, media_type="text/plain")
    return Response(picture, media_type="image/svg+xml", headers={"Cache-Control": "private, no-store"})


async def changed(request: Request) -> Response:
    """A button on a lead's page."""
    lead, action = lead_asked(request), request.path_params["action"]
    if action not in ACTIONS:
        return render("notice", 404, title="No such action", text="Go back to the lead's page.", back="/console")
    form = await request.form(max_files=0, max_fields=20)
    words, when = str(form.get("words", ""))[:500], str(form.get("start", ""))
    request_asked = str(form.get("request", ""))[:200]
    start: datetime | None = None
    try:
        if action == "reschedule":
            start = await _start(request, lead, when)
        answer = await leads.ask(
            request.app.state.temporal, lead, action, by=who(request), words=words, start=start, request=request_asked
        )
        message = leads.told(action, answer)
    except (Refused, Unknown, Unreachable) as error:
        message = f"Not done: {error}."
    return RedirectResponse(f"/console/leads/{lead}?{urlencode({'told': sealed(message)})}", 303)


async def _start(request: Request, lead: str, when: str) -> datetime:
    """The wall-clock time that was typed, in the lead's zone. Raises Refused when it is none."""
    told = await stories.story(request.app.state.temporal, lead)
    try:
        local = datetime.fromisoformat(when)
    except ValueError as error:
        raise Refused("choose a day and a time") from error
    return (local if local.tzinfo else local.replace(tzinfo=ZoneInfo(told.zone))).astimezone(UTC)


async def funnelled(request: Request) -> Response:
    """Of the people whose first form came in, how many got how far; how soon they rang; who was not called and why."""
    by: funnel.By = "audience" if request.query_params.get("by") == "audience" else "source"
    counted, problem = None, ""
    try:
        counted = await stories.from_record(lambda: funnel.funnel(by=by))
    except Unreachable as error:
        problem = f"{str(error).capitalize()}."
    return await page(request, "funnel", counted=counted, problem=problem, by=by)


async def reviewed(request: Request) -> Response:
    """What people should look at, the most pressing first; ``closed=1``: what is over, and who resolved it how."""
    asked = request.query_params
    kind, closed = asked.get("kind", ""), bool(asked.get("closed"))
    found: list[queue.Ranked] = []
    problem = ""
    try:
        found = await queue.queue(owner=asked.get("owner", ""), closed=closed, limit=500)
    except Unreachable as error:
        problem = f"{str(error).capitalize()}."
    there = {each.filed.item.kind for each in found} | ({kind} if kind else set())
    kinds = [name for name in KINDS if name in there] + sorted(there - set(KINDS))
    found = [each for each in found if kind in ("", each.filed.item.kind)][:_ITEMS]
    book = {each.filed.number: registered().get(each.filed.lead.playbook) for each in found}
    return await page(request, "review", found=found, problem=problem, kind=kind, kinds=kinds, closed=closed, books=book)


async def resolved(request: Request) -> Response:
    """A button beside an item of the review queue."""
    form = await request.form(max_files=0, max_fields=20)
    said = {name: str(form.get(name, ""))[:500] for name in ("words", "field", "value")}
    way = str(form.get("way", ""))
    try:
        answer = await queue.resolve(request.app.state.temporal, request.path_params["number"], way, by=who(request), **said)
        message = queue.told(way, answer)
    except (Refused, Unknown, Unreachable) as error:
        message = f"Not done: {error}."
    return RedirectResponse(f"/console/review?{urlencode({'told': sealed(message)})}", 303)


async def pauses(request: Request) -> Response:
    """What is paused, and the switches."""
    if request.method == "POST":
        form = await request.form(max_files=0, max_fields=20)
        scope, pause = str(form.get("scope", "")), form.get("wish") == "pause"
        try:
            done = await leads.set_paused(
                request.app.state.temporal, scope, pause, who(request), str(form.get("words", ""))[:500]
            )
            message = "Paused." if pause else "Resumed: held leads are planned again."
            message = "Noted; it holds as soon as a worker runs." if done["waiting"] else message
        except (Refused, Unknown, Unreachable) as error:
            message = f"Not done: {error}."
        return RedirectResponse(f"/console/pauses?{urlencode({'told': sealed(message)})}", 303)
    audiences = sorted({book.audience for book in registered().values()})
    try:
        holds = {hold.scope: hold for hold in await leads.holds(request.app.state.temporal)}
    except Unreachable:  # the scopes themselves are read without a worker
        holds = {}
    return await page(request, "pauses", audiences=audiences, holds=holds)


async def form_page(request: Request) -> Response:
    """How to put the form on a page, for each source."""
    house = settings()
    sources = list(house.showrate_sources) or ["website"]
    codes = [(source, snippet(house, source), enhancement(house, source)) for source in sources]
    key = house.showrate_sources.get(sources[0], "")
    return await page(request, "snippets", codes=codes, url=house.showrate_public_url, source=sources[0], key=key)


async def script(request: Request) -> Response:
    """Keeps an open page up to date."""
    return FileResponse(FOLDER / "live.js", media_type="text/javascript", headers={"Cache-Control": "max-age=300"})


# ---- what the pages share --------------------------------------------------------------------------------------


async def page(request: Request, name: str, **facts: Any) -> Response:
    """The console's page ``templates/NAME.html``, with what all of them show: the pauses, and what a button did."""
    try:
        paused = await leads.paused(request.app.state.temporal)
        disconnected = ""
    except Unreachable as error:
        paused, disconnected = [], str(error)
    return render(
        name,
        here=name,
        path=request.url.path,
        now=datetime.now(UTC),
        proof=proof(request),
        told=unsealed(request.query_params.get("told", "")),
        paused=paused,
        disconnected=disconnected,
        **facts,
    )


def _marks(told: Story) -> list[tuple[str, datetime]]:
    """The milestones reached, in time."""
    reached = told.now.milestones if told.now else told.record.milestones if told.record else {}
    return sorted(reached.items(), key=lambda mark: mark[1])


def _turns(call: CallNote) -> tuple[list[str], list[tuple[str, ...]]]:
    """Each turn's times as a table: its headings, and one row a turn."""
    names = [name for name in TIMINGS if any(name in turn for turn in call.timings)]
    rows = [tuple(measured(turn, name) for name in names) for turn in call.timings]
    return [TIMINGS[name] for name in names], rows


def _first_ring(told: Story) -> float | None:
    """Seconds from the first form to the first ring."""
    reached = dict(_marks(told))
    if "form" in reached and "first_ring" in reached:
        return max(0.0, (reached["first_ring"] - reached["form"]).total_seconds())
    return None


def _namespace(request: Request) -> str:
    client = request.app.state.temporal
    return client.namespace if client is not None else "default"


def _guarded(path: str, endpoint: access.Endpoint, methods: list[str] | None = None) -> Route:
    return Route(path, for_people(endpoint), methods=methods)


routes: list[BaseRoute] = [
    Route("/console/login", login, methods=["GET", "POST"]),
    Route("/console/live.js", script),
    _guarded("/console/logout", logout, ["POST"]),
    _guarded("/console", listing),
    _guarded("/console/leads/{lead}", shown),
    _guarded("/console/leads/{lead}/graph.svg", pictured),
    _guarded("/console/leads/{lead}/{action}", changed, ["POST"]),
    _guarded("/console/review", reviewed),
    _guarded("/console/review/{number:int}", resolved, ["POST"]),
    _guarded("/console/funnel", funnelled),
    _guarded("/console/pauses", pauses, ["GET", "POST"]),
    _guarded("/console/form", form_page),
]
