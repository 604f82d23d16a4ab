"""A stand-in for HubSpot's CRM, on the wire: objects, properties, pipelines, associations and owners.

Like HubSpot, it refuses properties that do not exist, keeps unique values unique (a contact's e-mail, and custom
properties that say so), finds by unique properties only, creates another record whenever it is not asked to upsert,
remembers who set each value, asks for scopes, and answers 429 over its limits. ``GET /_state/hubspot`` shows all of it;
``POST`` there sets ``owners``, ``scopes``, ``lag`` (of the search, in seconds), ``per_ten_seconds``, ``sequences``, and
takes ``records``: what people (``by``: CRM_UI, unless another source is given) typed, to which no rule applies.
"""

from __future__ import annotations

import json
import re
import uuid
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from .limits import Limits
from .pages import page
from .portal import PERSON, By, Portal, Refused
from .sequences import Sequences

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
    answer = portal.shown(path["kind"], found, wanted)
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
    answer: dict[str, Any] = {"results": [portal.shown(path["kind"], one, wanted) for one in everything[start : start + size]]}
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
                    asked = body.get("properties", []), body.get("propertiesWithHistory", [])
                    results.append(portal.shown(kind, found, *asked))
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
    """Of what the index knows by now: a change shows up in it only after the portal's ``lag``."""
    kind = path["kind"]

    def meets(one: dict[str, Any]) -> bool:
        groups = body.get("filterGroups") or [{"filters": []}]
        return any(all(_meets(one["properties"], f) for f in group["filters"]) for group in groups)

    if len(body.get("filterGroups", [])) > 5:
        raise Refused(400, "VALIDATION_ERROR", "A search holds at most 5 groups of filters.")
    found = [one for one in portal.searched(kind) if meets(one)]
    limit = min(int(body.get("limit", 10)), 200)
    shown = [portal.shown(kind, portal.objects(kind)[one["id"]], body.get("properties", [])) for one in found[:limit]]
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


def _associate_all(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    results: list[Any] = []
    for one in body.get("inputs", []):
        results += portal.associate(path["kind"], one["from"]["id"], path["to_kind"], one["to"]["id"])["results"]
    now = portal.now()
    return {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}


def _all_associated(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    kind, end = path["kind"], path["to_kind"]
    types = [{"category": "HUBSPOT_DEFINED", "typeId": portal.association_type(kind, end)}]
    results = [
        {"from": {"id": one["id"]}, "to": [{"toObjectId": far, "associationTypes": types} for far in ids]}
        for one in body.get("inputs", [])
        if (ids := portal.associated(kind, one["id"], end))
    ]
    now = portal.now()
    return {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}


def _owners(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    archived = query.get("archived", "false") == "true"
    return {"results": [one for one in portal.owners if one["archived"] == archived]}


def _token(portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
    """Whose a private app's token is, and what it may do."""
    return {"userId": 1, "hubId": 7, "appId": int(_app(body.get("tokenKey", ""))), "scopes": sorted(portal.scopes)}


def _app(token: str) -> str:
    """The id of the app that a token belongs to: each token is another app's."""
    return str(zlib.crc32(token.encode()))


def routes(world: World) -> list[BaseRoute]:
    """The CRM's addresses, its page and its state."""
    portal, limits, sequences = Portal(), Limits(), Sequences()
    portal.changed = sequences.workflow

    def at(method: str, path: str, handler: Handler, scope: str = "") -> Route:
        return Route("/hubspot" + path, _endpoint(portal, limits, handler, scope), methods=[method])

    async def state(request: Request) -> Response:
        told = _seed(portal, limits, sequences, await request.json()) if request.method == "POST" else {}
        return JSONResponse({**portal.everything(), "enrolled": sequences.enrolled, **told})

    async def page_of(request: Request) -> Response:
        return HTMLResponse(page("CRM", (Path(__file__).parent / "crm.html").read_text("utf-8")))

    objects, properties, pipelines = "/crm/v3/objects/{kind}", "/crm/v3/properties/{kind}", "/crm/v3/pipelines/{kind}"
    links, batches = "/crm/v4/objects/{kind}/{id}/associations", "/crm/v4/associations/{kind}/{to_kind}/batch"
    read, write, schema = "crm.objects.{}.read", "crm.objects.{}.write", "crm.schemas.{}.read"
    made, flow = "crm.schemas.{}.write", "/automation/v4/sequences"
    return [
        at("POST", objects + "/batch/{what:str}", _batch, "crm.objects.{}.{what}"),
        at("POST", objects + "/search", _search, read),
        at("POST", objects, _create, write),
        at("GET", objects, _page, read),
        at("GET", objects + "/{id}", _get, read),
        at("PATCH", objects + "/{id}", _update, write),
        at("DELETE", objects + "/{id}", _archive, write),
        at("GET", properties + "/groups", _groups, schema),
        at("POST", properties + "/groups", _create_group, made),
        at("GET", properties, _properties, schema),
        at("POST", properties, _create_property, made),
        at("GET", properties + "/{name}", _property, schema),
        at("GET", pipelines, _pipelines, schema),
        at("POST", pipelines, _create_pipeline, made),
        at("POST", pipelines + "/{id}/stages", _create_stage, made),
        at("PUT", links + "/default/{to_kind}/{to_id}", _associate, write),
        at("GET", links + "/{to_kind}", _associated, read),
        at("POST", batches + "/associate/default", _associate_all, write),
        at("POST", batches + "/read", _all_associated, read),
        at("GET", "/crm/v3/owners/", _owners, "crm.objects.owners.read"),
        at("POST", "/oauth/v2/private-apps/get/access-token-info", _token),
        at("GET", flow + "/{id}", sequences.get, "automation.sequences.read"),
        at("POST", flow + "/enrollments", sequences.enrol, "automation.sequences.enrollments.write"),
        at("GET", flow + "/enrollments/contact/{id}", sequences.of, "automation.sequences.read"),
        Route("/_state/hubspot", state, methods=["GET", "POST"]),
        Route("/crm", page_of, methods=["GET"]),
    ]


def _seed(portal: Portal, limits: Limits, sequences: Sequences, told: dict[str, Any]) -> dict[str, Any]:
    """What people and imports did to this account, and how it is set up."""
    if "owners" in told:
        portal.set_owners(told["owners"])
    if "scopes" in told:
        portal.scopes = set(told["scopes"])
    if "rename" in told:
        portal.rename_property(**told["rename"])
    if "associate" in told:
        portal.associate(*told["associate"])
    portal.lag = told.get("lag", portal.lag)
    limits.per_ten = told.get("per_ten_seconds", limits.per_ten)
    sequences.known |= dict.fromkeys(told.get("sequences", []), "")
    done = []
    for one in told.get("records", []):
        by = By(one.get("by", PERSON), one.get("source", ""), one.get("user", 9) if one.get("by", PERSON) == PERSON else None)
        done.append(portal.seed(one["kind"], one["properties"], by)["id"])
    return {"seeded": done}


def _endpoint(
    portal: Portal, limits: Limits, handler: Handler, scope: str
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            token = re.fullmatch(r"Bearer (\S+)", request.headers.get("authorization", ""))
            if token is None and "tokenKey" not in (await _json(request)):
                raise Refused(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
            limits.count(searches=request.url.path.endswith("/search"))
            _require(portal, scope, request.path_params)
            query = dict(request.query_params)
            for name in ("properties", "associations"):  # the SDK repeats these instead of joining them
                if name in query:
                    query[name] = ",".join(request.query_params.getlist(name))
            portal.by = By(id=_app(token.group(1) if token else ""))
            answer = handler(portal, request.path_params, await _json(request), query)
        except Refused as refused:
            body = {"status": "error", "correlationId": str(uuid.uuid4()), **refused.body()}
            wait = {"Retry-After": f"{refused.more['wait']:g}"} if "wait" in refused.more else {}
            body.pop("wait", None)
            return JSONResponse(body, status_code=refused.code, headers=wait)
        if answer is None:
            return Response(status_code=204)
        code, content = answer if isinstance(answer, tuple) else (200, answer)
        return JSONResponse(content, status_code=code)

    return endpoint


def _require(portal: Portal, scope: str, path: dict[str, str]) -> None:
    """The scope that this request needs; engagements go by that of contacts."""
    kind = path.get("kind", "")
    what = "read" if path.get("what") == "read" else "write"
    needed = scope.replace("{what}", what).replace("{}", kind if kind in ("deals", "companies") else "contacts")
    if needed and needed.split(".")[2] != "companies" and needed not in portal.scopes:
        words = "This app hasn't been granted all required scopes to make this call."
        more = {"message": "One or more of the following scopes are required.", "context": {"requiredGranularScopes": [needed]}}
        raise Refused(403, "MISSING_SCOPES", words, errors=[more])


async def _json(request: Request) -> Any:
    text = await request.body()
    try:
        body = json.loads(text) if text else {}
    except ValueError as error:
        raise Refused(400, "VALIDATION_ERROR", "Invalid input JSON.") from error
    if not isinstance(body, dict):
        raise Refused(400, "VALIDATION_ERROR", "Invalid input JSON.")
    return body
