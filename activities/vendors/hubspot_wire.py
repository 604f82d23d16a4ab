"""HubSpot's SDK as we call it: in a thread, once, within the account's limits, its errors told in our four kinds.

The SDK's generated APIs are used with its retries off (a GET would go out four times). HubSpot's own texts may quote an
address; only its categories, codes and property names enter our messages.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import hubspot
import urllib3
from hubspot.crm import objects, owners, pipelines, properties
from hubspot.crm.associations import v4
from temporalio.exceptions import ApplicationError

from activities import faults
from activities.settings import settings
from activities.vendors import status
from activities.vendors.bucket import Bucket

_Answer = TypeVar("_Answer")
REFUSALS = (
    objects.ApiException, properties.ApiException, pipelines.ApiException, v4.ApiException, owners.ApiException
)  # fmt: skip
_EXISTING = re.compile(r"Existing ID:\s*(\d+)")
_CODE = re.compile(r'\\*"(?:error|code|subCategory)\\*":\s*\\*"([A-Z][A-Z_]+)\\*"')
_NAME = re.compile(r'\\*"(?:name|propertyName)\\*":\s*\\*"([a-z][a-z0-9_]*)\\*"')
_SEARCHES = 5
"""A second, of an account: developers.hubspot.com, usage guidelines."""


class Conflict(Exception):
    """A unique value is another object's; ``existing`` is its id, if HubSpot said which."""

    def __init__(self, existing: str = "") -> None:
        super().__init__(existing)
        self.existing = existing


class Invalid(Exception):
    """Some properties cannot be written as asked: name -> HubSpot's code, such as PROPERTY_DOESNT_EXIST."""

    def __init__(self, fields: dict[str, str], fault: ApplicationError) -> None:
        super().__init__(", ".join(fields))
        self.fields, self.fault = fields, fault


async def turn(search: bool = False) -> None:
    """Wait until the account may be asked again. Raises ``retry_after`` when that is longer than a request may take."""
    await _bucket(account(), settings().hubspot_rate).take(settings().showrate_timeout)
    if search:
        await _search_bucket(account()).take(settings().showrate_timeout)


async def ask(work: Callable[..., _Answer], *arguments: Any) -> _Answer:
    """:func:`sent`, in its turn."""
    await turn()
    return await sent(work, *arguments)


async def sent(work: Callable[..., _Answer], *arguments: Any) -> _Answer:
    """Run one of the SDK's blocking calls in a thread. Raises the errors of :mod:`activities.faults`, Conflict or
    Invalid."""
    try:
        return await asyncio.to_thread(work, *arguments)
    except REFUSALS as error:
        raise _fault(error) from None
    except urllib3.exceptions.HTTPError as error:
        raise faults.retry(f"HubSpot could not be reached: {type(error).__name__}") from None


def _fault(error: Any) -> ApplicationError | Conflict | Invalid:
    body = error.body.decode("utf-8", "replace") if isinstance(error.body, bytes) else str(error.body or "")
    if error.status == 409:
        return conflict(body)
    if not error.status:  # the SDK's word for a failed TLS handshake
        return faults.retry("HubSpot could not be reached: no answer")
    said = words(body)
    if "PROPERTY_DOESNT_EXIST" in said or (error.status == 400 and "non-unique" in body):
        said += "; `showrate setup` creates our properties"
    if error.status == 403 and "MISSING_SCOPES" in said:
        said += "; `showrate crm check` names what the token may not do"
    fault = status.fault("HubSpot", int(error.status), said, (error.headers or {}).get("Retry-After"))
    if error.status == 429 and fault.next_retry_delay:
        _bucket(account(), settings().hubspot_rate).close(fault.next_retry_delay.total_seconds())
    fields = _fields(body) if error.status == 400 else {}
    return Invalid(fields, fault) if fields else fault


def _fields(body: str) -> dict[str, str]:
    """The properties that HubSpot lists as not valid, by the JSON inside its message."""
    try:
        text = json.loads(body).get("message", "")
        listed = json.loads(text[text.index("[") :])
        return {str(one["name"]): str(one["error"]) for one in listed if one.get("name") and one.get("error")}
    except (ValueError, AttributeError, TypeError, KeyError):
        return {}


def conflict(body: str) -> Conflict:
    """What an answer of 409 says."""
    named = _EXISTING.search(body)
    return Conflict(named.group(1) if named else "")


def words(body: str) -> str:
    """HubSpot's category, codes and property names, without its prose."""
    category = re.search(r'"category":\s*"([A-Z_]+)"', body)
    found = [category.group(1)] if category else []
    found += _CODE.findall(body) + _NAME.findall(body)
    return " ".join(dict.fromkeys(found))


def timeout() -> dict[str, float]:
    """For every call of the SDK, which has none of its own."""
    return {"_request_timeout": settings().showrate_timeout}


def account() -> tuple[str, str]:
    """What tells one account from another: where it is, and its token."""
    return settings().hubspot_base_url, settings().hubspot_access_token


def api(name: str) -> Any:
    """One of the SDK's APIs."""
    return _apis(*account())[name]


@cache
def _bucket(of: tuple[str, str], rate: int) -> Bucket:
    return Bucket("HubSpot", rate, 10.0)


@cache
def _search_bucket(of: tuple[str, str]) -> Bucket:
    return Bucket("HubSpot's search", _SEARCHES, 1.0)


def forget() -> None:
    """Begin with full buckets: for tests."""
    _bucket.cache_clear()
    _search_bucket.cache_clear()


@cache
def _apis(base_url: str, token: str) -> dict[str, Any]:
    """The SDK's APIs, each made once: every access of a client's property makes a new pool of connections."""
    where = {"host": base_url.rstrip("/")} if base_url else {}
    crm = hubspot.Client(access_token=token, retry=False, **where).crm
    return {
        "objects": crm.objects.basic_api,
        "batch": crm.objects.batch_api,
        "search": crm.objects.search_api,
        "associations": crm.associations.v4.batch_api,
        "properties": crm.properties.core_api,
        "groups": crm.properties.groups_api,
        "pipelines": crm.pipelines.pipelines_api,
        "stages": crm.pipelines.pipeline_stages_api,
        "owners": crm.owners.owners_api,
    }
