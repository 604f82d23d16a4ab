"""Whose contact a lead is in the CRM, and what the CRM says of them: a customer, an open deal, a flag not to contact."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

import phonenumbers

from activities.reps import rep_of_owner
from activities.vendors import hubspot
from activities.vendors.hubspot import KEY, Record
from workflows.crm import Crm, Known
from workflows.events import Form

from . import sequences, shared

_PERSON = ("email", "firstname", "lastname", "phone", "company", "hubspot_owner_id", KEY)
_YES = frozenset({"true", "yes", "1"})


class Found(NamedTuple):
    """A contact that is the lead's, and how it was found: ``key``, ``id``, ``email`` or ``phone``; nothing for none."""

    record: Record | None
    by: str = ""
    others: int = 0
    """How many more contacts have the same number."""


def names(rules: Crm) -> tuple[str, ...]:
    """What has to be read of a contact to know how it stands."""
    sequence = (rules.name(sequences.PROPERTY),) if rules.sequence else ()
    whose = (rules.name(name) for name in shared.NAMES)
    return (*_PERSON, "lifecyclestage", "num_associated_deals", sequences.ENROLLED, *whose, *sequence, *rules.flags)


async def by_key(lead: str, contact: str, wanted: Iterable[str]) -> Found:
    """The contact with our key; else the one of this id, into which people may have merged it."""
    wanted = tuple(wanted)
    record = await hubspot.read("contacts", lead, wanted, KEY, wanted)
    if record is None and contact:
        record = await hubspot.read("contacts", contact, wanted, "", wanted)
        return Found(record, "id" if record else "")
    return Found(record, "key" if record else "")


async def by_person(person: Form, wanted: Iterable[str], histories: Iterable[str] = ()) -> Found:
    """The contact of this e-mail address; else the oldest with this number that is not plainly somebody else."""
    wanted, histories = tuple(wanted), tuple(histories)
    if person.email:
        record = await hubspot.read("contacts", person.email, wanted, "email", histories)
        if record is not None:
            return Found(record, "email")
    digits = _national(person.phone)
    if not digits:
        return Found(None)
    same = await hubspot.with_number(digits, _PERSON)
    likely = [one for one in same if _may_be(one, person)]
    if not likely:
        return Found(None, others=len(same))
    record = await hubspot.read("contacts", likely[0].id, wanted, "", histories)
    return Found(record, "phone", len(same) - 1)


def _national(phone: str) -> str:
    try:
        return phonenumbers.national_significant_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        return ""


def _may_be(record: Record, person: Form) -> bool:
    """Whether a contact with the same number may be this person: nobody else's key, no other address, no other name."""
    values = record.values
    first, _, last = person.name.strip().lower().partition(" ")
    given, family = values.get("firstname", "").lower(), values.get("lastname", "").lower()
    address = values.get("email", "").lower()
    return (
        not values.get(KEY)
        and (not address or not person.email or address == person.email)
        and (not given or not first or given == first)
        and (not family or not last.strip() or family == last.strip())
    )


async def standing(record: Record | None, rules: Crm) -> Known:
    """How a contact stands: read with :func:`names`. Deals of ours are no news."""
    if record is None:
        return Known()
    values = record.values
    known = Known(
        contact=record.id,
        owner=rep_of_owner(values.get("hubspot_owner_id", "")),
        customer=values.get("lifecyclestage", "") in rules.customer_stages,
        do_not_contact=next((flag for flag in rules.flags if values.get(flag, "").lower() in _YES), ""),
    )
    if not int(values.get("num_associated_deals") or 0):
        return known
    ids = await hubspot.associated("contacts", record.id, "deals")
    wanted = (KEY, "hs_is_closed", "hubspot_owner_id")
    deals = [deal for deal in await asyncio.gather(*(hubspot.read("deals", id, wanted) for id in ids)) if deal]
    for deal in deals:
        if deal.values.get("hs_is_closed") != "true" and not deal.values.get(KEY):
            owner = known.owner or rep_of_owner(deal.values.get("hubspot_owner_id", ""))
            return known.model_copy(update={"open_deal": deal.id, "owner": owner})
    return known


async def before_call(person: Form, rules: Crm) -> Known:
    """What the CRM says of somebody who is about to be called for the first time."""
    found = await by_person(person, names(rules))
    return await standing(found.record, rules)
