"""What we ask of Cal.com and Calendly, and what their stand-ins answer, against the vendors' own documents. Skipped where
those are not at hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import jsonschema
import pytest
import yaml
from temporalio.exceptions import ApplicationError

from activities.vendors import calcom, calendly
from activities.vendors.draft import Draft
from tests.fixtures.books import Books

SPECS = Path(__file__).parents[1] / "../shared/specs"
CALCOM, CALENDLY = SPECS / "calcom/calcom_v2_interface_facts.json", SPECS / "calendly/openapi_2024-04.yaml"
START = datetime(2032, 3, 2, 15, tzinfo=UTC)
LATER = START + timedelta(hours=2)
HALF_HOUR = timedelta(minutes=30)
UUID = "0f7c2a9e-0000-4000-8000-00000000000a"
PAGE = "<title>down for maintenance</title>"
HOOK = "https://showrate.example/hook"
SINCE_2025 = {"/invitees"}
"""Calendly's Scheduling API is younger than the document."""

DRAFT = Draft(
    booking="b1", title="Demo", notes="", start=START, end=START + HALF_HOUR, zone="America/New_York",
    attendee="kim@lead.example", attendee_name="Kim", link="https://showrate.example/j/x",
)  # fmt: skip


def strict(schema: Any, document: dict[str, Any]) -> Any:
    """A schema of OpenAPI 3.0 as JSON Schema: references followed, ``nullable`` written out, formats left aside."""
    if isinstance(schema, list):
        return [strict(each, document) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found.get(part) if isinstance(found, dict) else None
        return strict(found, document) if found is not None else {}
    made = {
        key: strict(value, document) for key, value in schema.items() if key not in ("nullable", "format", "example")
    }
    if "oneOf" in made:  # the alternatives are told apart by fields that are not required
        made["anyOf"] = made.pop("oneOf")
    if schema.get("nullable") or None in schema.get("enum", ()):
        return {"anyOf": [{"type": "null"}, made]}
    return made


def judge(told: Any, schema: Any, where: str) -> None:
    errors = [error.message[:200] for error in jsonschema.Draft202012Validator(schema).iter_errors(told)]
    assert not errors, f"{where}: {errors[:3]}"


def fields(schema: Any) -> set[str]:
    """Every field that an object of this schema may have."""
    inner = [each for name in ("anyOf", "allOf") for each in schema.get(name, ())]
    return set(schema.get("properties", ())).union(*map(fields, inner))


def asks(told: Any, schema: Any, where: str) -> None:
    """A request's body fits, and has no field that the vendor does not know."""
    judge(told, schema, where)
    assert told.keys() <= fields(schema), where


def fits(pattern: str, path: str) -> bool:
    return bool(re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", pattern), path))


# ---- Cal.com -----------------------------------------------------------------------------------------------------


@cache
def calcom_document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(CALCOM.read_text())
    return found


def calcom_operation(method: str, path: str) -> dict[str, Any]:
    known = calcom_document()["operations"]
    exact = [one for one in known if one["method"] == method.lower() and fits(one["path"], path)]
    assert exact, f"{method} {path} is not in Cal.com's document"
    found: dict[str, Any] = min(exact, key=lambda one: one["path"].count("{"))
    return found


async def use_calcom(books: Books) -> None:
    """Every function of the vendor's module, once."""
    books.seed("calcom", eventTypes=[{"id": 1, "username": "ana"}])
    await calcom.event_types("ana")
    await calcom.slots(1, START, LATER)
    assert await calcom.free(await calcom.reserve(1, LATER, timedelta(minutes=1)))
    held = await calcom.book(1, DRAFT)
    await calcom.find(1, START, START + HALF_HOUR)
    await calcom.mark_absent(held.uid, True)
    moved = await calcom.reschedule(held.uid, LATER)
    await calcom.slots(1, START, LATER, moved.uid)
    assert await calcom.cancel(moved.uid, "it was the wrong one")
    assert await calcom.subscribe(HOOK, "s")
    assert await calcom.told_of(HOOK) == calcom.CHANGES


@pytest.mark.skipif(not CALCOM.exists(), reason="the vendor's own document is not here")
async def test_what_we_ask_of_calcom_is_in_its_document(books: Books) -> None:
    await use_calcom(books)
    asked = books.requests("calcom")
    assert len({(entry.method, re.sub(r"/cal\d+|/reserved-\d+", "", entry.path)) for entry in asked}) >= 11
    for entry in asked:
        operation = calcom_operation(entry.method, entry.path.removeprefix("/calcom"))
        where = f"{entry.method} {entry.path}"
        parameters = {one["name"]: one for one in operation["params"]}
        headers = {name.lower(): value for name, value in entry.headers.items()}
        version = parameters.get("cal-api-version", {}).get("default")
        assert version is None or headers["cal-api-version"] == version, where
        given = set(parse_qs(entry.query))
        assert given <= parameters.keys(), where
        assert {n for n, one in parameters.items() if one["required"] and one["in"] == "query"} <= given, where
        if operation["request"] and entry.body:
            asks(json.loads(entry.body), strict(operation["request"], calcom_document()), where)


@pytest.mark.skipif(not CALCOM.exists(), reason="the vendor's own document is not here")
async def test_what_calcoms_stand_in_answers_is_in_its_document(books: Books) -> None:
    await use_calcom(books)
    held = await calcom.book(1, DRAFT)
    base, key = f"{books.url}/calcom", {"Authorization": "Bearer cal_x"}
    for path in ("/v2/bookings", f"/v2/bookings/{held.uid}", "/v2/event-types", "/v2/webhooks"):
        operation = calcom_operation("GET", path)
        version = next((one["default"] for one in operation["params"] if one["name"] == "cal-api-version"), None)
        answer = httpx.get(base + path, headers={**key, **({"cal-api-version": version} if version else {})})
        judge(answer.json(), strict(operation["responses"]["200"], calcom_document()), path)


# ---- Calendly ----------------------------------------------------------------------------------------------------


@cache
def calendly_document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(CALENDLY.read_text())
    return found


def calendly_operation(method: str, path: str) -> dict[str, Any]:
    known = calendly_document()["paths"]
    exact = [pattern for pattern in known if fits(pattern, path) and method.lower() in known[pattern]]
    assert exact, f"{method} {path} is not in Calendly's document"
    item = known[min(exact, key=lambda pattern: pattern.count("{"))]
    parameters = [*item.get("parameters", ()), *item[method.lower()].get("parameters", ())]
    return {**item[method.lower()], "parameters": parameters}


async def use_calendly(books: Books) -> str:
    """Every function of the vendor's module, once; an event that stands."""
    books.seed("calendly", eventTypes=[{"uuid": UUID, "host": "ana", "locations": [{"kind": "ask_invitee"}]}])
    kind = await calendly.event_type(UUID)
    assert len(await calendly.available(UUID, START, START + timedelta(days=16), START - timedelta(days=1))) > 700
    event = await calendly.book(kind, DRAFT)
    assert (await calendly.find(kind, START))[0].booking == "b1"
    await calendly.mark_absent(event, True)
    await calendly.mark_absent(event, False)
    assert (await calendly.link(UUID, "b1")).startswith("https://")
    assert await calendly.cancel(event, "it was the wrong one")
    assert not await calendly.cancel(event, "again")
    assert await calendly.subscribe(HOOK, "s")
    assert await calendly.told_of(HOOK) == calendly.CHANGES
    assert await calendly.may_book(UUID)
    assert await calendly.may_cancel()
    return await calendly.book(kind, DRAFT)


@pytest.mark.skipif(not CALENDLY.exists(), reason="the vendor's own document is not here")
async def test_what_we_ask_of_calendly_is_in_its_document(books: Books) -> None:
    await use_calendly(books)
    for entry in books.requests("calendly"):
        path = entry.path.removeprefix("/calendly")
        if path in SINCE_2025:
            continue
        operation, where = calendly_operation(entry.method, path), f"{entry.method} {path}"
        parameters = [strict(one, calendly_document()) for one in operation["parameters"]]
        given = parse_qs(entry.query)
        assert set(given) <= {one["name"] for one in parameters}, where
        assert {one["name"] for one in parameters if one.get("required") and one["in"] == "query"} <= set(given), where
        if entry.body:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            asks(json.loads(entry.body), strict(schema, calendly_document()), where)
    windows = [parse_qs(entry.query) for entry in books.requests("calendly", path="available_times")]
    spans = [datetime.fromisoformat(q["end_time"][0]) - datetime.fromisoformat(q["start_time"][0]) for q in windows]
    assert max(spans) <= timedelta(days=7)
    assert len(spans) == 3


@pytest.mark.skipif(not CALENDLY.exists(), reason="the vendor's own document is not here")
async def test_what_calendlys_stand_in_answers_is_in_its_document(books: Books) -> None:
    event = await use_calendly(books)
    week = f"event_type=x/{UUID}&start_time=2032-03-02T00:00:00Z&end_time=2032-03-03T00:00:00Z"
    for path, query in (
        (f"/event_types/{UUID}", ""), ("/event_type_available_times", week), ("/users/me", ""),
        ("/scheduled_events", "organization=x"), (f"/scheduled_events/{event}", ""),
        (f"/scheduled_events/{event}/invitees", ""), ("/webhook_subscriptions", ""),
    ):  # fmt: skip
        answer = httpx.get(f"{books.url}/calendly{path}?{query}", headers={"Authorization": "Bearer eyJx"})
        schema = calendly_operation("GET", path)["responses"]["200"]["content"]["application/json"]["schema"]
        judge(answer.json(), strict(schema, calendly_document()), path)


# ---- both --------------------------------------------------------------------------------------------------------


CALLS: dict[str, Callable[[], Any]] = {
    "calcom slots": lambda: calcom.slots(1, START, LATER),
    "calcom book": lambda: calcom.book(1, DRAFT),
    "calcom reschedule": lambda: calcom.reschedule("x", LATER),
    "calcom find": lambda: calcom.find(1, START, LATER),
    "calendly event_type": lambda: calendly.event_type(UUID),
    "calendly available": lambda: calendly.available(UUID, START, LATER, START - HALF_HOUR),
    "calendly book": lambda: calendly.book(KIND, DRAFT),
    "calendly link": lambda: calendly.link(UUID, "b1"),
    "calendly get": lambda: calendly.get(UUID),
}
KIND = calendly.EventType(id=UUID, length=HALF_HOUR, owner="https://api.calendly.com/users/x")


@pytest.mark.parametrize("name", CALLS)
async def test_a_request_that_fails_is_sent_once_and_said_what_it_means(books: Books, name: str) -> None:
    vendor, call = name.partition(" ")[0], CALLS[name]
    for kind, meant in {
        "429": "retry_after",
        "500": "retry",
        "drop": "retry",
        "200": "retry",
        "401": "permanent",
    }.items():
        before = len(books.requests(vendor))
        books.fault(
            vendor, kind, "after", retry_after=7 if kind == "429" else None, answer=PAGE if kind == "200" else ""
        )
        with pytest.raises(ApplicationError) as told:
            await call()
        assert told.value.type == meant, (kind, told.value.message)
        assert told.value.next_retry_delay == (timedelta(seconds=7) if kind == "429" else None)
        assert len(books.requests(vendor)) == before + 1
        assert "@" not in told.value.message


@pytest.mark.parametrize("use", [use_calcom, use_calendly])
async def test_no_address_of_a_request_names_a_person(books: Books, use: Callable[[Books], Any]) -> None:
    await use(books)
    asked = [*books.requests("calcom"), *books.requests("calendly")]
    assert not [entry.path for entry in asked if "lead" in entry.path + entry.query]
