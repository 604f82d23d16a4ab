"""What a HubSpot account is set up with: properties, pipelines, owners, the token's scopes, and sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hubspot.crm import pipelines, properties

from activities import faults
from activities.settings import settings
from activities.vendors import rest
from activities.vendors.hubspot_wire import REFUSALS, api, ask, timeout, turn
from workflows.model import Model

GROUP = "showrate"
_HOST = "https://api.hubapi.com"


class Property(Model):
    """A property, in HubSpot's vocabulary of types. ``options``: the values that an enumeration takes."""

    name: str
    label: str
    type: str = "string"
    field: str = "text"
    unique: bool = False
    options: tuple[str, ...] = ()


class Stage(Model):
    """A deal stage; ``probability`` 0 to 1 as HubSpot wants it (``1.0`` won, ``0.0`` lost)."""

    label: str
    probability: str


class Pipeline(Model):
    """A pipeline as it stands: its id, and its stages' ids by label."""

    id: str
    stages: dict[str, str]


class Token(Model):
    """What the access token may do, and whose it is. ``app`` stands with each value that it writes."""

    app: str
    scopes: frozenset[str]


# ---- properties and pipelines ------------------------------------------------------------------------------------


async def all_properties(kind: str) -> dict[str, Property]:
    """The properties of an object type, by name."""
    answer = await ask(lambda: api("properties").get_all(kind, **timeout()))
    return {
        found.name: Property(
            name=found.name, label=found.label, type=found.type, field=found.field_type,
            unique=bool(found.has_unique_value), options=tuple(option.value for option in found.options or ()),
        )
        for found in answer.results
    }  # fmt: skip


async def create_properties(kind: str, wanted: Sequence[Property]) -> list[str]:
    """Create those of ``wanted`` that are missing, in our own group; the names of the created."""
    there = await all_properties(kind)
    missing = [one for one in wanted if one.name not in there]
    if missing:
        group = properties.PropertyGroupCreate(name=GROUP, label="Showrate", display_order=-1)
        await ask(_unless_there, lambda: api("groups").create(kind, group, **timeout()))
    for one in missing:
        made = properties.PropertyCreate(
            name=one.name, label=one.label, group_name=GROUP, type=one.type, field_type=one.field,
            has_unique_value=one.unique,
        )  # fmt: skip
        await ask(_unless_there, lambda made=made: api("properties").create(kind, made, **timeout()))
    return [one.name for one in missing]


async def pipeline(label: str) -> Pipeline | None:
    """The deal pipeline of this label; None when there is none."""
    answer = await ask(lambda: api("pipelines").get_all("deals", **timeout()))
    for found in answer.results:
        if found.label == label:
            return Pipeline(id=found.id, stages={stage.label: stage.id for stage in found.stages})
    return None


async def create_pipeline(label: str, stages: Sequence[Stage]) -> list[str]:
    """Make sure that the deal pipeline and its stages exist; the labels of what was created."""
    standing = await pipeline(label)
    inputs = [
        pipelines.PipelineStageInput(
            label=stage.label, display_order=order, metadata={"probability": stage.probability}
        )
        for order, stage in enumerate(stages)
    ]
    if standing is None:
        whole = pipelines.PipelineInput(label=label, display_order=0, stages=inputs)
        await ask(lambda: api("pipelines").create("deals", whole, **timeout()))
        return [label, *(stage.label for stage in stages)]
    missing = [one for one in inputs if one.label not in standing.stages]
    for one in missing:
        await ask(lambda one=one: api("stages").create("deals", standing.id, one, **timeout()))
    return [str(one.label) for one in missing]


def _unless_there(create: Callable[[], object]) -> None:
    """Run ``create``; that it exists already is fine."""
    try:
        create()
    except REFUSALS as error:
        if error.status != 409:
            raise


# ---- who, and what they may ---------------------------------------------------------------------------------------


async def owners() -> frozenset[str]:
    """The ids of the account's owners who are there still (the first 500)."""
    answer = await ask(lambda: api("owners").get_page(limit=500, archived=False, **timeout()))
    return frozenset(str(one.id) for one in answer.results)


async def token() -> Token:
    """The access token's app and scopes. Only tokens of private apps can be asked about themselves."""
    secret = settings().hubspot_access_token
    told = await _send("POST", "/oauth/v2/private-apps/get/access-token-info", json={"tokenKey": secret})
    return Token(app=str(told["appId"]), scopes=frozenset(told["scopes"]))


# ---- sequences (developers.hubspot.com/docs/api-reference/legacy/automation/sequences; the SDK has none of it) -----


async def sequence(id: str, user: str) -> str | None:
    """The name of a sequence as this user sees it; None when there is none."""
    try:
        told = await _send("GET", f"/automation/v4/sequences/{id}", params={"userId": user})
    except Exception as error:
        if "answered 404" in str(error):
            return None
        raise
    return str(told.get("name", ""))


async def enrolled(contact: str) -> str:
    """The sequence that the contact is in; empty when in none."""
    told = await _send("GET", f"/automation/v4/sequences/enrollments/contact/{contact}")
    return str((told or {}).get("sequenceId", ""))


async def enrol(contact: str, sequence: str, user: str, sender: str) -> None:
    """Enrol a contact. HubSpot refuses who is in a sequence already: ask :func:`enrolled` before."""
    body = {"contactId": contact, "sequenceId": sequence, "senderEmail": sender}
    await _send("POST", "/automation/v4/sequences/enrollments", params={"userId": user}, json=body)


async def _send(method: str, path: str, **content: Any) -> Any:
    """A request that the SDK has no part for: its own generic one ignores the host that it is given."""
    await turn()
    headers = {"Authorization": f"Bearer {settings().hubspot_access_token}"}
    base = settings().hubspot_base_url.rstrip("/") or _HOST
    told = rest.told("HubSpot", await rest.send("HubSpot", method, base + path, headers, **content))
    if told is not None and not isinstance(told, dict):
        raise faults.retry("HubSpot's answer could not be read")
    return told
