"""How the CRM account is set up, as far as we need it: remembered for a while, made by ``showrate setup``."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from activities import faults
from activities.settings import settings
from activities.vendors import hubspot_account as account
from activities.vendors import hubspot_wire
from activities.vendors.hubspot import KEY
from activities.vendors.hubspot_account import Pipeline, Property, Stage, Token
from workflows.crm import Crm, Deal
from workflows.playbook import Playbook, registered

from . import fields

_REMEMBER = 600.0
"""Seconds for which the account's set-up is remembered."""
_What = TypeVar("_What")
_remembered: dict[tuple[str, ...], tuple[float, object]] = {}
"""(what, account) -> (when read, by the monotonic clock; what was read)."""


def forget() -> None:
    """Read the account's set-up anew."""
    _remembered.clear()
    hubspot_wire.forget()


async def _known(what: str, read: Callable[[], Awaitable[_What]], lasts: Callable[[_What], bool] = bool) -> _What:
    """What ``read`` answered within the last minutes; an answer that does not ``last`` is asked for again."""
    key = (what, *hubspot_wire.account())
    when, value = _remembered.get(key, (0.0, None))
    if value is not None and time.monotonic() - when < _REMEMBER:
        return value  # type: ignore[return-value]
    told = await read()
    if lasts(told):
        _remembered[key] = (time.monotonic(), told)
    return told


async def properties(kind: str) -> dict[str, Property]:
    """The properties that records of this kind have. Raises permanent when our key is not among them."""
    there = await _known(f"properties of {kind}", lambda: account.all_properties(kind), lambda told: KEY in told)
    if KEY not in there:
        raise faults.permanent(f"HubSpot: {kind} have no property {KEY}; `showrate setup` creates our properties")
    return there


async def pipeline(deal: Deal) -> Pipeline:
    """The pipeline of our deals. Raises permanent when there is none of its name."""
    found = await _known(f"pipeline {deal.pipeline}", lambda: account.pipeline(deal.pipeline))
    if found is None:
        raise faults.permanent(f"HubSpot: there is no deal pipeline {deal.pipeline}; `showrate setup` creates it")
    return found


async def owners() -> frozenset[str]:
    """The ids of the owners who are there still; empty when they cannot be read, which says nothing of anybody."""
    return await _known("owners", _owners)


async def _owners() -> frozenset[str]:
    try:
        return await account.owners()
    except Exception as error:
        if faults.is_temporary(error):
            raise
        return frozenset()  # the token may not read owners: `showrate crm check` says so


async def app() -> str:
    """The id of the app whose token we have; empty when it cannot be asked."""
    return (await _known("token", _token)).app


async def _token() -> Token:
    try:
        return await account.token()
    except Exception as error:
        if faults.is_temporary(error):
            raise
        return Token(app="", scopes=frozenset())


async def prepare() -> list[str]:
    """Create what is written into: the properties of the registered playbooks, under their names there, and their deal
    pipelines. Idempotent; answers with one line for each thing done."""
    books = list(registered().values())
    done = []
    for kind, wanted in needed(books).items():
        done += [f"HubSpot {kind}: property {name}" for name in await account.create_properties(kind, wanted)]
    for deal in deals(books):
        stages = [Stage(label=label, probability=fields.probability(label)) for label in labels(deal)]
        done += [f"HubSpot deals: pipeline {label}" for label in await account.create_pipeline(deal.pipeline, stages)]
    forget()
    return done


def needed(books: Iterable[Playbook]) -> dict[str, list[Property]]:
    """The properties of our own that these playbooks write, by kind of record."""
    books = list(books)
    rules = [book.crm for book in books] or [Crm()]
    said = {name: f"Showrate: {name.replace('_', ' ')}" for book in books for name in book.fields}
    found: dict[str, dict[str, Property]] = {}
    for kind, ours in fields.PROPERTIES.items():
        more = [Property(name=fields.SAID + name, label=label) for name, label in said.items()] if kind == "contacts" else []
        for one in (*ours, *more):
            for each in rules:
                name = each.name(one.name)
                found.setdefault(kind, {})[name] = one.model_copy(update={"name": name})
    return {kind: list(properties.values()) for kind, properties in found.items()}


def deals(books: Iterable[Playbook]) -> list[Deal]:
    """The pipelines that these playbooks move deals through, each once."""
    wanted = [book.crm.deal for book in books] or [Deal()]
    return list({deal.pipeline: deal for deal in wanted if deal.since != "never"}.values())


def labels(deal: Deal) -> list[str]:
    """The stages that a deal can be at, in their order."""
    return list(dict.fromkeys(sorted(deal.stages.values(), key=fields.place)))


def region() -> str:
    """The country in which numbers without + are read."""
    return settings().showrate_region
