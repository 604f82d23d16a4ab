"""A stand-in for HubSpot's CRM, on the wire: objects, properties, pipelines, associations and owners.

Like HubSpot, it refuses properties that do not exist, keeps unique values unique (a contact's e-mail, and custom
properties that say so), finds by unique properties only, and creates another record whenever it is not asked to
upsert. ``GET /_state/hubspot`` shows all of it; ``POST`` there with ``{"owners": [{"id", "email", "firstName",
"lastName"}]}`` sets the owners.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from .pages import page
from .portal import Portal, Refused

if TYPE_CHECKING:
    from .app import World

Handler = Callable[[Portal, dict[str, str], Any, dict[str, str]], Any]
"""(portal, what the path names, the body, the query) -> the answer's JSON, None for 204."""


def _create(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    made = portal.create(path["kind"], body.get("properties", {}))
    for association in body.get("associations", []):
        portal.associate(path["kind"], made["id"], _far_end(path["kind"], association), association["to"]["id"])
    return 201, made


def _far_end(kind: str, association: dict[str, Any]) -> str:
    """The type at the other end, from HubSpot's own association type ids."""
    far = {
        194: "contacts",
        200: "contacts",
        202: "contacts",
        204: "contacts",
        3: "contacts",
        206: "deals",
        212: "deals",
    }
    return far.get(association["types"][0]["associationTypeId"], "contacts" if kind != "contacts" else "deals")


def _get(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    wanted = [name for name in query.get("properties", "").split(",") if name]
    found = portal.find(path["kind"], path["id"], query.get("idProperty", ""))
    answer = portal.shown(found, wanted)
    if query.get("associations"):
        answer["associations"] = {
            kind: {"results": [{"id": one, "type": f"{path['kind'].rstrip('s')}_to_{kind.rstrip('s')}"} for one in ids]}
            for kind in query["associations"].split(",")
            if (ids := portal.associated(path["kind"], found["id"], kind))
        }
    return answer


def _page(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    wanted = [name for name in query.get("properties", "").split(",") if name]
    everything = [one for one in portal.objects(path["kind"]).values() if not one["archived"]]
    start, size = int(query.get("after", "0")), min(int(query.get("limit", "10")), 100)
    answer: dict[str, Any] = {"results": [portal.shown(one, wanted) for one in everything[start : start + size]]}
    if start + size < len(everything):
        answer["paging"] = {"next": {"after": str(start + size)}}
    return answer


def _update(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    found = portal.find(path["kind"], path["id"], query.get("idProperty", ""))
    return portal.update(path["kind"], found["id"], body.get("properties", {}))


def _archive(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    portal.objects(path["kind"])[portal.find(path["kind"], path["id"])["id"]]["archived"] = True


def _batch(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    """A whole batch stands or falls together, except what a read or update does not find."""
    kind, what, inputs = path["kind"], path["what"], body.get("inputs", [])
    if not inputs or len(inputs) > 100:
        raise Refused(400, "VALIDATION_ERROR", "A batch holds 1 to 100 inputs.")
    before = portal.snapshot(kind)
    results: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    try:
        for one in inputs:
            by = one.get("idProperty") or body.get("idProperty") or ""
            if what == "create":
                results.append(portal.create(kind, one.get("properties", {})))
            elif what == "upsert":
                results.append(portal.upsert(kind, one["id"], by, one.get("properties", {})))
            else:
                try:
                    found = portal.find(kind, one["id"], by)
                except Refused as refused:
                    errors.append({**refused.body(), "context": {"ids": [one["id"]]}, "links": {}, "errors": []})
                    continue
                if what == "read":
                    results.append(portal.shown(found, body.get("properties", [])))
                else:
                    results.append(portal.update(kind, found["id"], one.get("properties", {})))
    except Refused:
        portal.restore(kind, before)
        raise
    now = portal.now()
    answer: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if errors:
        return 207, {**answer, "numErrors": len(errors), "errors": errors}
    return (201, answer) if what == "create" else answer


def _search(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    def meets(one: dict[str, Any]) -> bool:
        groups = body.get("filterGroups") or [{"filters": []}]
        return any(all(_meets(one["properties"], f) for f in group["filters"]) for group in groups)

    found = [one for one in portal.objects(path["kind"]).values() if not one["archived"] and meets(one)]
    limit = int(body.get("limit", 10))
    shown = [portal.shown(one, body.get("properties", [])) for one in found[:limit]]
    return {"total": len(found), "results": shown}


def _meets(values: dict[str, Any], condition: dict[str, Any]) -> bool:
    value, operator = values.get(condition["propertyName"]) or "", condition["operator"]
    if operator == "HAS_PROPERTY":
        return bool(value)
    if operator == "NOT_HAS_PROPERTY":
        return not value
    if operator == "IN":
        return value in condition.get("values", [])
    return bool((value == condition.get("value")) == (operator == "EQ"))


def _properties(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    return {"results": list(portal.properties(path["kind"]).values())}


def _property(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    found = portal.properties(path["kind"]).get(path["name"])
    if found is None:
        raise Refused(404, "OBJECT_NOT_FOUND", f"Property {path['name']} does not exist")
    return found


def _create_property(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    return 201, portal.create_property(path["kind"], body)


def _groups(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    return {"results": list(portal.groups.setdefault(path["kind"], {}).values())}


def _create_group(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    there = portal.groups.setdefault(path["kind"], {})
    if body["name"] in there:
        raise Refused(409, "OBJECT_ALREADY_EXISTS", f"A group named {body['name']} already exists.")
    there[body["name"]] = {"name": body["name"], "label": body["label"], "displayOrder": -1, "archived": False}
    return 201, there[body["name"]]


def _pipelines(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    return {"results": list(portal.pipelines(path["kind"]).values())}


def _create_pipeline(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    return 201, portal.create_pipeline(path["kind"], body)


def _create_stage(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    return 201, portal.create_stage(path["kind"], path["id"], body)


def _associate(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    return portal.associate(path["kind"], path["id"], path["to_kind"], path["to_id"])


def _associated(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    portal.find(path["kind"], path["id"])
    kind = [{"category": "HUBSPOT_DEFINED", "typeId": portal.association_type(path["kind"], path["to_kind"])}]
    ids = portal.associated(path["kind"], path["id"], path["to_kind"])
    return {"results": [{"toObjectId": one, "associationTypes": kind} for one in ids]}


def _owners(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    return {"results": portal.owners}


def routes(world: World) -> list[BaseRoute]:
    """The CRM's addresses, its page and its state."""
    portal = Portal()

    def at(method: str, path: str, handler: Handler) -> Route:
        return Route("/hubspot" + path, _endpoint(portal, handler), methods=[method])

    async def state(request: Request) -> Response:
        if request.method == "POST":
            portal.set_owners((await request.json()).get("owners", []))
        return JSONResponse(portal.everything())

    async def page_of(request: Request) -> Response:
        return HTMLResponse(page("CRM", (Path(__file__).parent / "crm.html").read_text("utf-8")))

    objects, properties, pipelines = "/crm/v3/objects/{kind}", "/crm/v3/properties/{kind}", "/crm/v3/pipelines/{kind}"
    links = "/crm/v4/objects/{kind}/{id}/associations"
    return [
        at("POST", objects + "/batch/{what:str}", _batch),
        at("POST", objects + "/search", _search),
        at("POST", objects, _create),
        at("GET", objects, _page),
        at("GET", objects + "/{id}", _get),
        at("PATCH", objects + "/{id}", _update),
        at("DELETE", objects + "/{id}", _archive),
        at("GET", properties + "/groups", _groups),
        at("POST", properties + "/groups", _create_group),
        at("GET", properties, _properties),
        at("POST", properties, _create_property),
        at("GET", properties + "/{name}", _property),
        at("GET", pipelines, _pipelines),
        at("POST", pipelines, _create_pipeline),
        at("POST", pipelines + "/{id}/stages", _create_stage),
        at("PUT", links + "/default/{to_kind}/{to_id}", _associate),
        at("GET", links + "/{to_kind}", _associated),
        at("GET", "/crm/v3/owners/", _owners),
        Route("/_state/hubspot", state, methods=["GET", "POST"]),
        Route("/crm", page_of, methods=["GET"]),
    ]


def _endpoint(portal: Portal, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            if not re.match(r"Bearer \S+", request.headers.get("authorization", "")):
                raise Refused(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
            query = dict(request.query_params)
            for name in ("properties", "associations"):  # the SDK repeats these instead of joining them
                if name in query:
                    query[name] = ",".join(request.query_params.getlist(name))
            answer = handler(portal, request.path_params, await _json(request), query)
        except Refused as refused:
            body = {"status": "error", "correlationId": str(uuid.uuid4()), **refused.body()}
            return JSONResponse(body, status_code=refused.code)
        if answer is None:
            return Response(status_code=204)
        code, content = answer if isinstance(answer, tuple) else (200, answer)
        return JSONResponse(content, status_code=code)

    return endpoint


async def _json(request: Request) -> Any:
    text = await request.body()
    try:
        body = json.loads(text) if text else {}
    except ValueError as error:
        raise Refused(400, "VALIDATION_ERROR", "Invalid input JSON.") from error
    if not isinstance(body, dict):
        raise Refused(400, "VALIDATION_ERROR", "Invalid input JSON.")
    return body
