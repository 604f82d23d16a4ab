"""Whether the CRM account fits the playbooks: what is missing or otherwise than we write it, each with its remedy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence

from temporalio.exceptions import ApplicationError

from activities.vendors import hubspot_account
from activities.vendors.hubspot_account import Property
from workflows.model import Model
from workflows.playbook import Playbook
from workflows.roster import Rep

from . import account

_READS = (
    "crm.objects.contacts.read", "crm.objects.contacts.write", "crm.objects.deals.read", "crm.objects.deals.write",
    "crm.objects.owners.read", "crm.schemas.contacts.read", "crm.schemas.deals.read",
)  # fmt: skip
"""The scopes that every account needs: engagements go by those of contacts. ``showrate setup`` also needs
crm.schemas.contacts.write and crm.schemas.deals.write."""
_SEQUENCES = ("automation.sequences.read", "automation.sequences.enrollments.write")
_MAKES = "`showrate setup` creates it"


class Finding(Model):
    """One thing that does not fit: where (``contacts.showrate_stage``, ``scope crm.objects.deals.read``), what is wrong,
    and what to do."""

    where: str
    problem: str
    remedy: str


async def check(books: Sequence[Playbook], reps: Iterable[Rep]) -> list[Finding]:
    """All findings; none when everything fits. Leaves nothing behind. Raises the errors of :mod:`activities.faults` when
    the account cannot be asked at all."""
    account.forget()
    found = [each async for each in _scopes(books)]
    found += [each async for each in _properties(books)]
    if _missing(found, "crm.schemas.deals.read") is None:
        found += [each async for each in _pipelines(books)]
    if _missing(found, "crm.objects.owners.read") is None:
        found += [each async for each in _owners(reps)]
    if _missing(found, _SEQUENCES[0]) is None:
        found += [each async for each in _sequences(books)]
    return found


def _missing(found: Iterable[Finding], scope: str) -> Finding | None:
    return next((each for each in found if each.where == f"scope {scope}"), None)


async def _scopes(books: Sequence[Playbook]) -> AsyncIterator[Finding]:
    try:
        granted = (await hubspot_account.token()).scopes
    except ApplicationError as error:
        if not error.non_retryable:
            raise
        remedy = "use the token of a private app, so that its own writes can be told from other apps'"
        yield Finding(where="token", problem=f"does not tell its app and scopes ({error.message})", remedy=remedy)
        return
    needed = _READS + (_SEQUENCES if any(book.crm.sequence for book in books) else ())
    for scope in needed:
        if scope not in granted:
            remedy = "add the scope to the private app in HubSpot's settings, and take its new token"
            yield Finding(where=f"scope {scope}", problem="is not granted to the token", remedy=remedy)


async def _properties(books: Sequence[Playbook]) -> AsyncIterator[Finding]:
    for kind, needed in account.needed(books).items():
        try:
            there = await hubspot_account.all_properties(kind)
        except ApplicationError as error:
            if not error.non_retryable:
                raise
            yield Finding(where=kind, problem=f"cannot be read ({error.message})", remedy="mend the scopes first")
            continue
        for one in needed:
            if finding := _property(kind, one, there.get(one.name)):
                yield finding
        if kind == "contacts":
            for book in books:
                for finding in _mapping(book, there):
                    yield finding


def _property(kind: str, needed: Property, there: Property | None) -> Finding | None:
    where = f"{kind}.{needed.name}"
    if there is None:
        remedy = f"{_MAKES}; or, where it was renamed, say so in the playbook: crm.properties: {{{needed.name}: ITS NAME}}"
        return Finding(where=where, problem="is missing", remedy=remedy)
    if needed.unique and not there.unique:
        remedy = "delete it in HubSpot (uniqueness cannot be changed later) and run `showrate setup`"
        return Finding(where=where, problem="does not ask for unique values", remedy=remedy)
    if there.type != needed.type:
        remedy = f"name another property in crm.properties, or delete this one and run `showrate setup` ({needed.type})"
        return Finding(where=where, problem=f"is of type {there.type}, not {needed.type}", remedy=remedy)
    return None


def _mapping(book: Playbook, there: dict[str, Property]) -> Iterable[Finding]:
    """Options that the playbook writes and the account does not have."""
    for name, section, options in (
        ("hs_lead_status", "lead_status", book.crm.lead_status), ("lifecyclestage", "lifecycle", book.crm.lifecycle)
    ):  # fmt: skip
        if name not in there:
            yield Finding(where=f"contacts.{name}", problem="is missing", remedy=f"empty crm.{section} in {book.name}")
            continue
        for option in dict.fromkeys(options.values()):
            if option and option not in there[name].options:
                remedy = f"add the option in HubSpot, or change crm.{section} in playbook {book.name}"
                yield Finding(where=f"contacts.{name}", problem=f"has no option {option}", remedy=remedy)
    for flag in book.crm.flags if "flags" in book.crm.model_fields_set else ():
        if flag not in there:
            remedy = f"create it in HubSpot, or take it out of crm.flags in playbook {book.name}"
            yield Finding(where=f"contacts.{flag}", problem="is missing, so that nobody has the flag", remedy=remedy)


async def _pipelines(books: Sequence[Playbook]) -> AsyncIterator[Finding]:
    for deal in account.deals(books):
        there = await hubspot_account.pipeline(deal.pipeline)
        if there is None:
            remedy = f"{_MAKES}, or name yours in crm.deal.pipeline"
            yield Finding(where=f"pipeline {deal.pipeline}", problem="is missing", remedy=remedy)
            continue
        for label in account.labels(deal):
            if label not in there.stages:
                remedy = f"{_MAKES}, or name yours in crm.deal.stages"
                yield Finding(where=f"pipeline {deal.pipeline}", problem=f"has no stage {label}", remedy=remedy)


async def _owners(reps: Iterable[Rep]) -> AsyncIterator[Finding]:
    active = await hubspot_account.owners()
    for rep in reps:
        if rep.active and not rep.crm_owner:
            remedy = "write crm_owner, HubSpot's owner id, into the team's file"
            yield Finding(where=f"rep {rep.id}", problem="is no owner in the CRM", remedy=remedy)
        elif rep.active and rep.crm_owner not in active:
            remedy = "activate the user in HubSpot, or correct crm_owner in the team's file"
            yield Finding(where=f"rep {rep.id}", problem=f"owner {rep.crm_owner} is not there (any more)", remedy=remedy)


async def _sequences(books: Sequence[Playbook]) -> AsyncIterator[Finding]:
    for book in books:
        rules = book.crm.sequence
        if rules is None:
            continue
        where = f"sequence {rules.id}"
        try:
            name = await hubspot_account.sequence(rules.id, rules.user)
        except ApplicationError as error:
            if not error.non_retryable:
                raise
            remedy = "the user needs a Sales or Service Hub seat (Professional or Enterprise) and a connected mailbox"
            yield Finding(where=where, problem=f"cannot be read as user {rules.user} ({error.message})", remedy=remedy)
            continue
        if name is None:
            remedy = f"correct crm.sequence in playbook {book.name}"
            yield Finding(where=where, problem=f"is not there for user {rules.user}", remedy=remedy)



