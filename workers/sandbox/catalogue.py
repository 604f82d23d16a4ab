"""What every HubSpot account comes with: its standard properties, their options, and which kinds of records connect."""

from __future__ import annotations

from typing import Any

PROPERTIES = {
    "contacts": "email firstname lastname phone mobilephone company jobtitle website city state zip country message "
    "lifecyclestage hs_lead_status hubspot_owner_id hs_email_optout num_associated_deals hs_sequences_is_enrolled createdate lastmodifieddate "
    "hs_searchable_calculated_phone_number hs_searchable_calculated_mobile_number hs_object_id",
    "deals": "dealname dealstage pipeline amount closedate description hubspot_owner_id createdate hs_is_closed "
    "hs_is_closed_won hs_object_id",
    "calls": "hs_timestamp hs_call_title hs_call_body hs_call_direction hs_call_disposition hs_call_duration "
    "hs_call_from_number hs_call_to_number hs_call_recording_url hs_call_status hubspot_owner_id hs_object_id",
    "meetings": "hs_timestamp hs_meeting_title hs_meeting_body hs_internal_meeting_notes hs_meeting_external_url "
    "hs_meeting_location hs_meeting_start_time hs_meeting_end_time hs_meeting_outcome hubspot_owner_id hs_object_id",
    "notes": "hs_timestamp hs_note_body hubspot_owner_id hs_object_id",
    "tasks": "hs_timestamp hs_task_subject hs_task_body hs_task_status hs_task_priority hs_task_type "
    "hubspot_owner_id hs_object_id",
    "companies": "name domain phone city state industry hubspot_owner_id hs_object_id",
}
"""The standard properties that this portal knows, by object type."""
CALCULATED = {
    "num_associated_deals", "hs_is_closed", "hs_is_closed_won", "hs_searchable_calculated_phone_number",
    "hs_searchable_calculated_mobile_number", "hs_sequences_is_enrolled", "createdate", "lastmodifieddate", "hs_object_id",
}  # fmt: skip
LIFECYCLE = (
    "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist", "other",
)  # fmt: skip
"""In the order in which a record moves through them, and only forward."""
OPTIONS = {
    "hs_call_direction": ("INBOUND", "OUTBOUND"),
    "hs_call_status": (
        "BUSY", "CALLING_CRM_USER", "CANCELED", "COMPLETED", "CONNECTING", "FAILED", "IN_PROGRESS", "NO_ANSWER",
        "QUEUED", "RINGING",
    ),
    "hs_meeting_outcome": ("SCHEDULED", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELED"),
    "hs_task_status": ("NOT_STARTED", "IN_PROGRESS", "WAITING", "COMPLETED", "DEFERRED"),
    "hs_task_priority": ("NONE", "LOW", "MEDIUM", "HIGH"),
    "hs_task_type": ("TODO", "CALL", "EMAIL"),
    "lifecyclestage": LIFECYCLE,
    "hs_lead_status": (
        "NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED", "ATTEMPTED_TO_CONTACT", "CONNECTED", "BAD_TIMING",
    ),
}  # fmt: skip
DATETIMES = {"hs_timestamp", "hs_meeting_start_time", "hs_meeting_end_time", "closedate"}
ENGAGEMENTS = {"calls", "meetings", "notes", "tasks"}
LINK_TYPES = {
    ("contacts", "calls"): 193, ("calls", "contacts"): 194, ("contacts", "meetings"): 199,
    ("meetings", "contacts"): 200, ("contacts", "notes"): 201, ("notes", "contacts"): 202,
    ("contacts", "tasks"): 203, ("tasks", "contacts"): 204, ("deals", "contacts"): 3, ("contacts", "deals"): 4,
    ("calls", "deals"): 206, ("deals", "calls"): 205, ("meetings", "deals"): 212, ("deals", "meetings"): 211,
    ("notes", "deals"): 214, ("deals", "notes"): 213, ("tasks", "deals"): 216, ("deals", "tasks"): 215,
}  # fmt: skip
"""The association type ids of hubspot/crm/association_type.py."""
FIELD_TYPES = {
    "textarea", "text", "date", "file", "number", "select", "radio", "checkbox", "booleancheckbox",
    "calculation_equation",
}  # fmt: skip
MOST_UNIQUE = 10
"""Properties with unique values that one object type may have."""
SCOPES = (
    "crm.objects.contacts.read", "crm.objects.contacts.write", "crm.objects.deals.read", "crm.objects.deals.write",
    "crm.objects.owners.read", "crm.schemas.contacts.read", "crm.schemas.contacts.write", "crm.schemas.deals.read",
    "crm.schemas.deals.write", "automation.sequences.read", "automation.sequences.enrollments.write",
)  # fmt: skip
"""What an app may be granted, as far as this portal asks for it."""


def standard(name: str) -> dict[str, Any]:
    """The definition of a property, as far as its name tells."""
    options = [
        {"label": value.replace("_", " ").capitalize(), "value": value, "displayOrder": order, "hidden": False}
        for order, value in enumerate(OPTIONS.get(name, ()))
    ]
    kind = "datetime" if name in DATETIMES else "enumeration" if options else "string"
    return {
        "name": name,
        "label": name.removeprefix("hs_").replace("_", " ").capitalize(),
        "type": kind,
        "fieldType": {"datetime": "date", "enumeration": "select"}.get(kind, "text"),
        "groupName": "information",
        "description": "",
        "options": options,
        "hasUniqueValue": name == "email",
        "hubspotDefined": True,
    }
