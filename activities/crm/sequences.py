"""The CRM's own sequences: out of them while we work on a lead, into one when it closes so, as the playbook says.

HubSpot enrols through its API (the facts of it: a user with a seat, a connected mailbox, the scope
automation.sequences.enrollments.write) and takes nobody out through it: contacts leave by replying or booking, or by a
workflow of the account. Ours is triggered by the property ``showrate_sequence`` becoming ``leave``.
"""

from __future__ import annotations

from temporalio.exceptions import ApplicationError

from activities.vendors import hubspot_account
from activities.vendors.hubspot import Record
from workflows.crm import Crm
from workflows.effects import Reflection

ENROLLED = "hs_sequences_is_enrolled"
"""HubSpot's own property: in a sequence now."""
PROPERTY = "showrate_sequence"
LEAVE = "leave"


def takes(told: Reflection, rules: Crm) -> bool:
    """Whether the lead goes into the playbook's sequence now."""
    return rules.sequence is not None and told.stage == "closed" and told.disposition in rules.sequence.on


def wanted(told: Reflection, rules: Crm, record: Record | None) -> dict[str, str]:
    """What :data:`PROPERTY` says: the sequence, ``leave`` while an open lead of ours is in one, nothing otherwise."""
    if rules.sequence is None:
        return {}
    if takes(told, rules):
        return {rules.name(PROPERTY): rules.sequence.id}
    if told.stage != "closed" and record is not None and record.values.get(ENROLLED) == "true":
        return {rules.name(PROPERTY): LEAVE}
    return {}


async def enrol(told: Reflection, rules: Crm, contact: Record) -> str:
    """Enrol the contact unless it is in a sequence; what HubSpot has against it, in its codes. Raises what may pass."""
    if rules.sequence is None or not takes(told, rules):
        return ""
    try:
        if await hubspot_account.enrolled(contact.id):
            return ""
        await hubspot_account.enrol(contact.id, rules.sequence.id, rules.sequence.user, rules.sequence.sender)
    except ApplicationError as error:
        if not error.non_retryable:
            raise
        return error.message
    return ""
