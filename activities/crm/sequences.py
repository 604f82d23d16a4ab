"""The CRM's own sequences: out of them while we work on a lead, into one when it closes so, as the playbook says.

HubSpot enrols through its API (the facts of it: a user with a seat, a connected mailbox, the scope
automation.sequences.enrollments.write) and takes nobody out through it: contacts leave by replying or booking, or by a
workflow of the account. Ours is triggered by the property ``showrate_sequence`` becoming ``leave``. The same property
remembers who was enrolled: a lead goes into its sequence once each time that it closes, however often it is told again.
"""

from __future__ import annotations

from temporalio.exceptions import ApplicationError

from activities.vendors import hubspot, hubspot_account
from activities.vendors.hubspot import Record
from workflows.crm import Crm
from workflows.effects import Reflection

ENROLLED = "hs_sequences_is_enrolled"
"""HubSpot's own property: in a sequence now."""
PROPERTY = "showrate_sequence"
LEAVE = "leave"


def takes(told: Reflection, rules: Crm) -> bool:
    """Whether the lead goes into the playbook's sequence now. Whoever opted out, if only after it closed, does not."""
    if rules.sequence is None or told.stage != "closed" or "opted_out" in told.milestones:
        return False
    return told.disposition in rules.sequence.on


def wanted(told: Reflection, rules: Crm, record: Record | None) -> dict[str, str]:
    """What :data:`PROPERTY` is to say before anybody is enrolled: ``leave`` for who is in a sequence and is to be out of
    it, nothing for an open lead that is in none: its next closing enrols it anew."""
    if rules.sequence is None or record is None:
        return {}
    open_again = told.stage != "closed"
    if record.values.get(ENROLLED) == "true":
        return {rules.name(PROPERTY): LEAVE} if open_again or "opted_out" in told.milestones else {}
    return {rules.name(PROPERTY): ""} if open_again and _entered(rules, record) else {}


async def enrol(rules: Crm, contact: Record) -> str:
    """Enrol the contact of a lead that the sequence takes, unless it is in one, or was in this one since the lead closed;
    what HubSpot has against it, in its codes. Raises what may pass."""
    if rules.sequence is None or _entered(rules, contact):
        return ""
    try:
        if not await hubspot_account.enrolled(contact.id):
            await hubspot_account.enrol(contact.id, rules.sequence.id, rules.sequence.user, rules.sequence.sender)
        await hubspot.write("contacts", contact.id, {rules.name(PROPERTY): rules.sequence.id}, "")
    except ApplicationError as error:
        if not error.non_retryable:
            raise
        return error.message
    return ""


def _entered(rules: Crm, contact: Record) -> bool:
    """Whether the contact was enrolled in the playbook's sequence, and not told to leave it."""
    return rules.sequence is not None and contact.values.get(rules.name(PROPERTY)) == rules.sequence.id
