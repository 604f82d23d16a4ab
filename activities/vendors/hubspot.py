"""HubSpot, through its own SDK: objects under unique keys of our own.

Every object that we write carries :data:`KEY`, a custom property with unique values, and is written by batch upsert
on it: a repeat meets what it wrote. The SDK's generated APIs are used with its retries off (a GET would go out four
times). All of it is idempotent, so errors are ``retry``, ``retry_after`` or ``permanent`` (:mod:`activities.faults`).
HubSpot's own texts may quote an address; only its categories, codes and property names enter our messages.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import hubspot
import urllib3
from hubspot.crm import objects, pipelines, properties
from hubspot.crm.associations import v4
from temporalio.exceptions import ApplicationError

from activities import faults
from activities.settings import settings
from activities.vendors import status
from workflows.model import Model

KEY = "showrate_key"
GROUP = "showrate"

_Answer = TypeVar("_Answer")
_REFUSALS = (objects.ApiException, properties.ApiException, pipelines.ApiException, v4.ApiException)
_EXISTING = re.compile(r"Existing ID:\s*(\d+)")
_CODE = re.compile(r'\\*"(?:error|code|subCategory)\\*":\s*\\*"([A-Z][A-Z_]+)\\*"')
_NAME = re.compile(r'\\*"(?:name|propertyName)\\*":\s*\\*"([a-z][a-z0-9_]*)\\*"')


class Property(Model):
    """A custom property, in HubSpot's vocabulary of types."""

    name: str
    label: str
    type: str = "string"
    field: str = "text"
    unique: bool = False


class Stage(Model):
    """A deal stage; ``probability`` 0 to 1 as HubSpot wants it (``1.0`` won, ``0.0`` lost)."""

    label: str
    probability: str


class Pipeline(Model):
    """A pipeline as it stands: its id, and its stages' ids by label."""

    id: str
    stages: dict[str, str]


class Contact(Model):
    """A contact as far as we read it. ``owner`` is HubSpot's owner id."""

    id: str
    owner: str = ""
    name: str = ""
    company: str = ""


def configured() -> bool:
    """Whether there is a CRM at all."""
    return bool(settings().hubspot_access_token or settings().hubspot_base_url)


async def upsert(kind: str, key: str, values: Mapping[str, str]) -> str:
    """Create or update the ``kind`` (``calls``, ``meetings``, ``deals``, ...) of this key; its id."""
    try:
        return await _call(_upsert, kind, key, values)
    except _Conflict:
        raise faults.permanent(f"HubSpot: another {kind} record has one of these unique values") from None


async def upsert_contact(key: str, values: Mapping[str, str]) -> str:
    """Create or update the contact of this key; its id.

    A contact that exists under the same e-mail is adopted: it gets our key, unless it has another lead's, whose it
    stays. When this key's contact exists *and* the e-mail is another's, both are left apart for a person to merge,
    and the e-mail is not written."""
    try:
        return await _call(_upsert, "contacts", key, values)
    except _Conflict as conflict:
        existing = conflict.existing
    ours = await _read_by("contacts", KEY, key, [KEY])
    if ours is not None:
        rest = {name: value for name, value in values.items() if name != "email"}
        await update("contacts", ours.id, {**rest, "showrate_review": f"has the e-mail of contact {existing}"})
        return str(ours.id)
    standing = (
        await _read("contacts", existing, [KEY])
        if existing
        else await _read_by("contacts", "email", values.get("email", ""), [KEY])
    )
    if standing is None:
        raise faults.retry("HubSpot: the contact that is in the way cannot be read yet")
    owned = (standing.properties or {}).get(KEY)
    await update("contacts", standing.id, dict(values) if owned else {**values, KEY: key})
    return str(standing.id)


async def contact(contact_id: str) -> Contact:
    """The contact's owner, name and company. Raises permanent when there is none."""
    names = ["hubspot_owner_id", "firstname", "lastname", "company"]
    found = await _read("contacts", contact_id, names)
    if found is None:
        raise faults.permanent("HubSpot: the contact is gone")
    values = found.properties or {}
    return Contact(
        id=str(found.id),
        owner=values.get("hubspot_owner_id") or "",
        name=" ".join(filter(None, (values.get("firstname"), values.get("lastname")))),
        company=values.get("company") or "",
    )


async def update(kind: str, object_id: str, values: Mapping[str, str], id_property: str = "") -> bool:
    """Change properties of an object, found by its id or by the unique ``id_property``. False when there is none."""

    def send() -> bool:
        named = {"id_property": id_property} if id_property else {}
        try:
            _api("objects").update(
                kind, object_id, objects.SimplePublicObjectInput(properties=dict(values)), **named, **_timeout()
            )
        except objects.exceptions.NotFoundException:
            return False
        return True

    return await _call(send)


async def associate(kind: str, object_id: str, to_kind: str, to_id: str) -> None:
    """Connect two objects with HubSpot's default kind of association; a repeat changes nothing."""
    await _call(lambda: _api("associations").create_default(kind, object_id, to_kind, to_id, **_timeout()))


async def property_names(kind: str) -> frozenset[str]:
    """The names of all properties of an object type."""
    answer = await _call(lambda: _api("properties").get_all(kind, **_timeout()))
    return frozenset(found.name for found in answer.results)


async def create_properties(kind: str, wanted: Sequence[Property]) -> list[str]:
    """Create those of ``wanted`` that are missing, in our own group; the names of the created."""
    there = await property_names(kind)
    missing = [one for one in wanted if one.name not in there]
    if missing:
        group = properties.PropertyGroupCreate(name=GROUP, label="Showrate", display_order=-1)
        await _call(_unless_there, lambda: _api("groups").create(kind, group, **_timeout()))
    for one in missing:
        made = properties.PropertyCreate(
            name=one.name,
            label=one.label,
            group_name=GROUP,
            type=one.type,
            field_type=one.field,
            has_unique_value=one.unique,
        )
        await _call(_unless_there, lambda made=made: _api("properties").create(kind, made, **_timeout()))
    return [one.name for one in missing]


async def pipeline(label: str) -> Pipeline | None:
    """The deal pipeline of this label; None when there is none."""
    answer = await _call(lambda: _api("pipelines").get_all("deals", **_timeout()))
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
        await _call(lambda: _api("pipelines").create("deals", whole, **_timeout()))
        return [label, *(stage.label for stage in stages)]
    missing = [one for one in inputs if one.label not in standing.stages]
    for one in missing:
        await _call(lambda one=one: _api("stages").create("deals", standing.id, one, **_timeout()))
    return [str(one.label) for one in missing]


# ---- the wire --------------------------------------------------------------------------------------------------


class _Conflict(Exception):
    """A unique value is another object's; ``existing`` is its id, if HubSpot said which."""

    def __init__(self, existing: str = "") -> None:
        super().__init__(existing)
        self.existing = existing


def _upsert(kind: str, key: str, values: Mapping[str, str]) -> str:
    one = objects.SimplePublicObjectBatchInputUpsert(id=key, id_property=KEY, properties={**values, KEY: key})
    batch = objects.BatchInputSimplePublicObjectBatchInputUpsert(inputs=[one])
    answer = _api("batch").upsert(kind, batch, **_timeout())
    if answer.results:
        return str(answer.results[0].id)
    # 207: the batch was taken, and its one input refused.
    errors = getattr(answer, "errors", None) or []
    text = json.dumps([error.to_dict() for error in errors], default=str)
    if any(error.category == "CONFLICT" for error in errors):
        raise _conflict(text)
    raise faults.permanent(f"HubSpot refused the {kind} record: {_words(text)}")


async def _read(kind: str, object_id: str, names: Sequence[str]) -> Any:
    def send() -> Any:
        try:
            return _api("objects").get_by_id(kind, object_id, properties=list(names), **_timeout())
        except objects.exceptions.NotFoundException:
            return None

    return await _call(send)


async def _read_by(kind: str, id_property: str, value: str, names: Sequence[str]) -> Any:
    """One object by a unique property, as a batch read: the value goes in the body, so no log of addresses has it."""

    def send() -> Any:
        wanted = objects.BatchReadInputSimplePublicObjectId(
            id_property=id_property,
            inputs=[objects.SimplePublicObjectId(id=value)],
            properties=list(names),
            properties_with_history=[],
        )
        results = _api("batch").read(kind, wanted, **_timeout()).results
        return results[0] if results else None

    return await _call(send)


def _unless_there(create: Callable[[], object]) -> None:
    """Run ``create``; that it exists already is fine."""
    try:
        create()
    except _REFUSALS as error:
        if error.status != 409:
            raise


async def _call(work: Callable[..., _Answer], *arguments: Any) -> _Answer:
    """Run one of the SDK's blocking calls in a thread. Raises the errors of :mod:`activities.faults`, or
    _Conflict."""
    try:
        return await asyncio.to_thread(work, *arguments)
    except _REFUSALS as error:
        raise _fault(error) from None
    except urllib3.exceptions.HTTPError as error:
        raise faults.retry(f"HubSpot could not be reached: {type(error).__name__}") from None


def _fault(error: Any) -> ApplicationError | _Conflict:
    body = error.body.decode("utf-8", "replace") if isinstance(error.body, bytes) else str(error.body or "")
    if error.status == 409:
        return _conflict(body)
    if not error.status:  # the SDK's word for a failed TLS handshake
        return faults.retry("HubSpot could not be reached: no answer")
    words = _words(body)
    if "PROPERTY_DOESNT_EXIST" in words or (error.status == 400 and "non-unique" in body):
        words += "; `showrate setup` creates our properties"
    headers = error.headers or {}
    return status.fault("HubSpot", int(error.status), words, headers.get("Retry-After"))


def _conflict(body: str) -> _Conflict:
    named = _EXISTING.search(body)
    return _Conflict(named.group(1) if named else "")


def _words(body: str) -> str:
    """HubSpot's category, codes and property names, without its prose."""
    category = re.search(r'"category":\s*"([A-Z_]+)"', body)
    found = [category.group(1)] if category else []
    found += _CODE.findall(body) + _NAME.findall(body)
    return " ".join(dict.fromkeys(found))


def _timeout() -> dict[str, float]:
    return {"_request_timeout": settings().showrate_timeout}


def _api(name: str) -> Any:
    return _apis(settings().hubspot_base_url, settings().hubspot_access_token)[name]


@cache
def _apis(base_url: str, token: str) -> dict[str, Any]:
    """The SDK's APIs, each made once: every access of a client's property makes a new pool of connections."""
    where = {"host": base_url.rstrip("/")} if base_url else {}
    crm = hubspot.Client(access_token=token, retry=False, **where).crm
    return {
        "objects": crm.objects.basic_api,
        "batch": crm.objects.batch_api,
        "associations": crm.associations.v4.basic_api,
        "properties": crm.properties.core_api,
        "groups": crm.properties.groups_api,
        "pipelines": crm.pipelines.pipelines_api,
        "stages": crm.pipelines.pipeline_stages_api,
    }
