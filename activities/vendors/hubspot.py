"""HubSpot's records, through its own SDK: read and written in batches, under unique keys of our own.

Every record that we make carries :data:`KEY`, a custom property with unique values, and is written by batch upsert on
it: a repeat meets what it wrote. All of it is idempotent, so errors are ``retry``, ``retry_after`` or ``permanent``
(:mod:`activities.faults`). A property that cannot be written costs that property alone.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from hubspot.crm import objects
from hubspot.crm.associations import v4
from pydantic import Field

from activities import faults
from activities.settings import settings
from activities.vendors.hubspot_wire import Conflict, Invalid, account, api, ask, conflict, sent, timeout, turn, words
from activities.vendors.together import Together
from workflows.model import Model

KEY = "showrate_key"
_NUMBERS = ("hs_searchable_calculated_phone_number", "hs_searchable_calculated_mobile_number")
"""Area code and number without the country's, as HubSpot works them out for its search."""
_BATCH = 100
_BATCH_WITH_HISTORY = 50
_PEOPLE = frozenset({"CRM_UI", "CRM_UI_BULK_ACTION", "BATCH_UPDATE", "MOBILE_IOS", "MOBILE_ANDROID"})
"""The sources of a value (``sourceType``) that mean that a person set it in HubSpot's own pages or apps."""
_APPS = frozenset({"INTEGRATION", "API", "INTEGRATIONS_PLATFORM"})
_MACHINES = _APPS | {"IMPORT", "AUTOMATION_PLATFORM", "WORKFLOWS", "SEQUENCES", "FORM", "MIGRATION", "CALCULATED"}
"""Those that set values by themselves, also where they name the user who set them up. A value of any other source that
names a user is a person's: rather a conflict too many than an edit lost."""


class Setter(NamedTuple):
    """Who set a value last: a person, or the app of this id (empty: HubSpot itself, an import, a form)."""

    person: bool = False
    app: str = ""


class Record(Model):
    """A record as it stands. ``setters``: who set each value, where that was asked for."""

    id: str
    values: dict[str, str]
    setters: dict[str, Setter] = Field(default_factory=dict)


class Written(NamedTuple):
    """``left_out``: the properties that could not be written, by HubSpot's code."""

    id: str
    left_out: dict[str, str]


def configured() -> bool:
    """Whether there is a CRM at all."""
    return bool(settings().hubspot_access_token or settings().hubspot_base_url)


async def read(
    kind: str, id: str, names: Iterable[str], by: str = "", histories: Iterable[str] = ()
) -> Record | None:
    """The record of this id, or whose unique property ``by`` has this value; None when there is none. The value goes in
    the body, so that no log of addresses has it."""
    key = ("read", kind, by, tuple(sorted(set(names))), tuple(sorted(set(histories))))
    found: Record | None = await _together(key, _reader(*key[1:])).ask(id)
    return found


async def write(kind: str, id: str, values: Mapping[str, str], by: str = KEY) -> Written:
    """Create or update the record whose unique property ``by`` is ``id``; with ``by`` empty, change that of this id.

    Raises Conflict when a unique value is another record's."""
    left_out: dict[str, str] = {}
    rest = dict(values)
    while True:
        try:
            made = await _together(("write", kind, by), _writer(kind, by)).ask((id, tuple(sorted(rest.items()))))
            return Written(made, left_out)
        except Invalid as invalid:
            named = {name: code for name, code in invalid.fields.items() if name in rest}
            if not named:
                raise invalid.fault from None
            left_out |= named
            rest = {name: value for name, value in rest.items() if name not in named}


async def associate(kind: str, to_kind: str, pairs: Sequence[tuple[str, str]]) -> None:
    """Connect records with HubSpot's default kind of association; a repeat changes nothing."""
    together = _together(("associate", kind, to_kind), _associator(kind, to_kind))
    await asyncio.gather(*(together.ask(pair) for pair in pairs))


async def associated(kind: str, id: str, to_kind: str) -> list[str]:
    """The ids of the records of another kind that this one is connected with."""
    wanted = v4.BatchInputPublicFetchAssociationsBatchRequest(inputs=[v4.PublicFetchAssociationsBatchRequest(id=id)])
    answer = await ask(lambda: api("associations").get_page(kind, to_kind, wanted, **timeout()))
    return [str(far.to_object_id) for one in answer.results for far in one.to]


async def with_number(digits: str, names: Iterable[str]) -> list[Record]:
    """The contacts with this number (area code and number, without the country's), the oldest first. The search is some
    seconds behind, so that nothing may rest on its finding nobody."""
    key = ("number", tuple(sorted(set(names))))
    found: list[Record] = await _together(key, _finder(key[1])).ask(digits)
    return found


# ---- batches -----------------------------------------------------------------------------------------------------

_batches: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Any, Together[Any, Any]]] = WeakKeyDictionary()


def _together(key: tuple[Any, ...], made: Any) -> Together[Any, Any]:
    """Where requests of one kind meet, for this account."""
    there = _batches.setdefault(asyncio.get_running_loop(), {})
    key = (*account(), *key)
    if key not in there:
        send, name, most, turn = made
        there[key] = Together(send, name, most, turn)
    return there[key]


def _reader(kind: str, by: str, names: tuple[str, ...], histories: tuple[str, ...]) -> Any:
    async def send(ids: Sequence[str]) -> list[Record | None]:
        named = {"id_property": by} if by else {}
        wanted = objects.BatchReadInputSimplePublicObjectId(
            inputs=[objects.SimplePublicObjectId(id=id) for id in ids],
            properties=sorted({*names, *([by] if by else [])}),
            properties_with_history=list(histories),
            **named,
        )
        answer = await sent(lambda: api("batch").read(kind, wanted, **timeout()))
        found = {_identity(one, by): _record(one) for one in answer.results}
        return [found.get(id.lower() if by == "email" else id) for id in ids]

    return send, lambda id: id.lower(), _BATCH_WITH_HISTORY if histories else _BATCH, turn


def _identity(one: Any, by: str) -> str:
    value = str((one.properties or {}).get(by) or "") if by else str(one.id)
    return value.lower() if by == "email" else value


def _associator(kind: str, to_kind: str) -> Any:
    async def send(pairs: Sequence[tuple[str, str]]) -> list[None]:
        inputs = [
            v4.PublicDefaultAssociationMultiPost(_from=v4.PublicObjectId(id=one), to=v4.PublicObjectId(id=far))
            for one, far in pairs
        ]
        batch = v4.BatchInputPublicDefaultAssociationMultiPost(inputs=inputs)
        await sent(lambda: api("associations").create_default(kind, to_kind, batch, **timeout()))
        return [None] * len(pairs)

    return send, lambda pair: "/".join(pair), _BATCH, turn


def _finder(names: tuple[str, ...]) -> Any:
    async def send(numbers: Sequence[str]) -> list[list[Record]]:
        groups = [
            objects.FilterGroup(filters=[objects.Filter(property_name=name, operator="IN", values=list(numbers))])
            for name in _NUMBERS
        ]
        wanted = objects.PublicObjectSearchRequest(
            filter_groups=groups, properties=[*names, *_NUMBERS], limit=200, sorts=[], after="0"
        )
        answer = await sent(lambda: api("search").do_search("contacts", wanted, **timeout()))
        found = sorted(map(_record, answer.results), key=lambda one: int(one.id))
        return [[one for one in found if number in map(one.values.get, _NUMBERS)] for number in numbers]

    return send, str, 25, partial(turn, search=True)


def _writer(kind: str, by: str) -> Any:
    async def send(inputs: Sequence[tuple[str, tuple[tuple[str, str], ...]]]) -> list[str]:
        if by:
            upserts = [
                objects.SimplePublicObjectBatchInputUpsert(id=id, id_property=by, properties={**dict(values), by: id})
                for id, values in inputs
            ]
            whole = objects.BatchInputSimplePublicObjectBatchInputUpsert(inputs=upserts)
            answer = await sent(lambda: api("batch").upsert(kind, whole, **timeout()))
        else:
            changes = [objects.SimplePublicObjectBatchInput(id=id, properties=dict(values)) for id, values in inputs]
            some = objects.BatchInputSimplePublicObjectBatchInput(inputs=changes)
            answer = await sent(lambda: api("batch").update(kind, some, **timeout()))
        _raise_refused(kind, answer)
        found = {_identity(one, by): str(one.id) for one in answer.results}
        return [found[id] if id in found else str(answer.results[nth].id) for nth, (id, _) in enumerate(inputs)]

    return send, lambda one: one[0], _BATCH, turn


def _raise_refused(kind: str, answer: Any) -> None:
    """207: the batch was taken, and some of its inputs refused."""
    errors = getattr(answer, "errors", None) or []
    if not errors:
        return
    text = json.dumps([error.to_dict() for error in errors], default=str)
    if any(error.category == "CONFLICT" for error in errors):
        raise conflict(text)
    raise faults.permanent(f"HubSpot refused the {kind} record: {words(text)}")


def _record(one: Any) -> Record:
    values = {name: str(value) for name, value in (one.properties or {}).items() if value is not None}
    setters = {name: _setter(past[0]) for name, past in (one.properties_with_history or {}).items() if past}
    return Record(id=str(one.id), values=values, setters=setters)


def _setter(newest: Any) -> Setter:
    if newest.source_type in _PEOPLE or (newest.updated_by_user_id and newest.source_type not in _MACHINES):
        return Setter(person=True)
    return Setter(app=str(newest.source_id or "")) if newest.source_type in _APPS else Setter()


__all__ = [
    "KEY", "Conflict", "Record", "Setter", "Written", "associate", "associated", "configured", "read", "with_number", "write",
]  # fmt: skip
