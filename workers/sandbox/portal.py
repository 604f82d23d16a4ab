"""One HubSpot portal: its records and the rules that HubSpot keeps about them. The wire is :mod:`.hubspot`."""

from __future__ import annotations

import copy
import itertools
import json
import re
from datetime import UTC, datetime
from typing import Any

_STANDARD = {
    "contacts": "email firstname lastname phone mobilephone company jobtitle website city state zip country message "
    "lifecyclestage hs_lead_status hubspot_owner_id createdate lastmodifieddate hs_object_id",
    "deals": "dealname dealstage pipeline amount closedate description hubspot_owner_id createdate hs_object_id",
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
_OPTIONS = {
    "hs_call_direction": {"INBOUND", "OUTBOUND"},
    "hs_call_status": {
        "BUSY", "CALLING_CRM_USER", "CANCELED", "COMPLETED", "CONNECTING", "FAILED", "IN_PROGRESS", "NO_ANSWER",
        "QUEUED", "RINGING",
    },
    "hs_meeting_outcome": {"SCHEDULED", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELED"},
    "hs_task_status": {"NOT_STARTED", "IN_PROGRESS", "WAITING", "COMPLETED", "DEFERRED"},
    "hs_task_priority": {"NONE", "LOW", "MEDIUM", "HIGH"},
    "hs_task_type": {"TODO", "CALL", "EMAIL"},
}  # fmt: skip
_DATETIMES = {"hs_timestamp", "hs_meeting_start_time", "hs_meeting_end_time", "closedate"}
_ENGAGEMENTS = {"calls", "meetings", "notes", "tasks"}
_LINK_TYPES = {
    ("contacts", "calls"): 193, ("calls", "contacts"): 194, ("contacts", "meetings"): 199,
    ("meetings", "contacts"): 200, ("contacts", "notes"): 201, ("notes", "contacts"): 202,
    ("contacts", "tasks"): 203, ("tasks", "contacts"): 204, ("deals", "contacts"): 3, ("contacts", "deals"): 4,
    ("calls", "deals"): 206, ("deals", "calls"): 205, ("meetings", "deals"): 212, ("deals", "meetings"): 211,
}  # fmt: skip
_FIELD_TYPES = {
    "textarea", "text", "date", "file", "number", "select", "radio", "checkbox", "booleancheckbox",
    "calculation_equation",
}  # fmt: skip
_MOST_UNIQUE = 10
"""Properties with unique values that one object type may have."""


class Refused(Exception):
    """An error in HubSpot's own form."""

    def __init__(self, code: int, category: str, message: str) -> None:
        super().__init__(message)
        self.code, self.category, self.message = code, category, message

    def body(self) -> dict[str, Any]:
        return {"status": "error", "category": self.category, "message": self.message}


class Portal:
    """Records by object type and id, and what they may hold."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in _STANDARD}
        self._properties = {kind: {n: _standard(n) for n in names.split()} for kind, names in _STANDARD.items()}
        self.groups: dict[str, dict[str, dict[str, Any]]] = {}
        self._pipelines: dict[str, dict[str, dict[str, Any]]] = {"deals": {}}
        self._links: dict[tuple[str, str, str], list[str]] = {}
        self._ids = itertools.count(51)
        self.owners: list[dict[str, Any]] = []
        self.create_pipeline(
            "deals",
            {
                "label": "Sales Pipeline",
                "displayOrder": 0,
                "stages": [{"label": "Appointment Scheduled", "displayOrder": 0, "metadata": {"probability": "0.2"}}],
            },
        )

    def now(self) -> str:
        return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    # -- records

    def objects(self, kind: str) -> dict[str, dict[str, Any]]:
        if kind not in self._objects:
            raise Refused(404, "OBJECT_NOT_FOUND", f"Unable to infer object type from: {kind}")
        return self._objects[kind]

    def create(self, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        self._check(kind, values, "")
        if kind in _ENGAGEMENTS and not values.get("hs_timestamp"):
            raise _invalid("hs_timestamp", "REQUIRED_FIELD")
        if kind == "deals" and not values.get("dealstage"):
            raise _invalid("dealstage", "REQUIRED_FIELD")
        record: dict[str, Any] = {
            "id": str(next(self._ids)),
            "properties": {},
            "createdAt": self.now(),
            "updatedAt": self.now(),
            "archived": False,
        }
        self.objects(kind)[record["id"]] = record
        return self._set(record, values)

    def update(self, kind: str, object_id: str, values: dict[str, Any]) -> dict[str, Any]:
        record = self.find(kind, object_id)
        self._check(kind, values, record["id"])
        return self._set(record, values)

    def upsert(self, kind: str, value: str, by: str, values: dict[str, Any]) -> dict[str, Any]:
        if by != "hs_object_id":
            self._must_be_unique(kind, by)
        try:
            record = self.find(kind, value, by)
        except Refused:
            return {**self.create(kind, {**values, by: value}), "new": True}
        return {**self.update(kind, record["id"], {**values, by: value}), "new": False}

    def find(self, kind: str, value: str, by: str = "") -> dict[str, Any]:
        """By id, or by a property with unique values."""
        records = self.objects(kind)
        if by in {"", "hs_object_id"}:
            found = records.get(value)
        else:
            self._must_be_unique(kind, by)
            found = self._holder(kind, by, value)
        if found is None or found["archived"]:
            raise Refused(404, "OBJECT_NOT_FOUND", "Object not found.")
        return found

    def shown(self, record: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
        """A record with the properties asked for, null where it has none; by default a few."""
        names = [*wanted, "hs_object_id"] if wanted else list(record["properties"])
        return {**record, "properties": {name: record["properties"].get(name) for name in names}}

    def snapshot(self, kind: str) -> dict[str, dict[str, Any]]:
        return copy.deepcopy(self.objects(kind))

    def restore(self, kind: str, before: dict[str, dict[str, Any]]) -> None:
        self._objects[kind] = before

    # -- properties and pipelines

    def properties(self, kind: str) -> dict[str, dict[str, Any]]:
        self.objects(kind)
        return self._properties[kind]

    def create_property(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        there = self.properties(kind)
        for name in ("name", "label", "groupName", "type", "fieldType"):
            if not body.get(name):
                raise _invalid(name, "REQUIRED_FIELD")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", body["name"]) or body["fieldType"] not in _FIELD_TYPES:
            raise _invalid("name", "INVALID_PROPERTY_NAME")
        if body["name"] in there:
            message = f"A property named '{body['name']}' already exists."
            raise Refused(409, "OBJECT_ALREADY_EXISTS", message)
        standard_group = body["groupName"].endswith("information")
        if not standard_group and body["groupName"] not in self.groups.get(kind, {}):
            raise Refused(400, "VALIDATION_ERROR", f"Property group {body['groupName']} does not exist.")
        unique = bool(body.get("hasUniqueValue"))
        if unique and sum(1 for one in there.values() if one["hasUniqueValue"]) >= _MOST_UNIQUE:
            raise Refused(400, "VALIDATION_ERROR", "Too many properties with unique values.")
        there[body["name"]] = {**_standard(body["name"]), **body, "hasUniqueValue": unique, "hubspotDefined": False}
        return there[body["name"]]

    def pipelines(self, kind: str) -> dict[str, dict[str, Any]]:
        if kind not in self._pipelines:
            raise Refused(404, "OBJECT_NOT_FOUND", f"{kind} have no pipelines.")
        return self._pipelines[kind]

    def create_pipeline(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        there = self.pipelines(kind)
        if not body.get("label") or any(one["label"] == body["label"] for one in there.values()):
            raise Refused(409, "CONFLICT", "A pipeline needs a label that no other has.")
        now = self.now()
        made = {
            "id": str(next(self._ids)),
            "label": body["label"],
            "displayOrder": body.get("displayOrder", 0),
            "stages": [],
            "createdAt": now,
            "updatedAt": now,
            "archived": False,
        }
        there[made["id"]] = made
        for stage in body.get("stages", []):
            self.create_stage(kind, made["id"], stage)
        return made

    def create_stage(self, kind: str, pipeline_id: str, body: dict[str, Any]) -> dict[str, Any]:
        pipeline = self.pipelines(kind).get(pipeline_id)
        if pipeline is None:
            raise Refused(404, "OBJECT_NOT_FOUND", "Pipeline not found.")
        if "probability" not in body.get("metadata", {}):
            raise Refused(400, "VALIDATION_ERROR", "A deal stage needs metadata.probability.")
        now = self.now()
        made = {
            "id": str(next(self._ids)),
            "label": body["label"],
            "displayOrder": body.get("displayOrder", len(pipeline["stages"])),
            "metadata": body["metadata"],
            "createdAt": now,
            "updatedAt": now,
            "archived": False,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        }
        pipeline["stages"].append(made)
        return made

    # -- associations and owners

    def association_type(self, kind: str, to_kind: str) -> int:
        if (kind, to_kind) not in _LINK_TYPES:
            raise Refused(400, "VALIDATION_ERROR", f"No default association from {kind} to {to_kind}.")
        return _LINK_TYPES[kind, to_kind]

    def associate(self, kind: str, object_id: str, to_kind: str, to_id: str) -> dict[str, Any]:
        """Both ways, once."""
        self.find(kind, object_id)
        self.find(to_kind, to_id)
        results = []
        for one, end, far in (((kind, object_id), to_kind, to_id), ((to_kind, to_id), kind, object_id)):
            ids = self._links.setdefault((*one, end), [])
            if far not in ids:
                ids.append(far)
            spec = {
                "associationCategory": "HUBSPOT_DEFINED",
                "associationTypeId": self.association_type(one[0], end),
            }
            results.append({"from": {"id": one[1]}, "to": {"id": far}, "associationSpec": spec})
        now = self.now()
        return {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}

    def associated(self, kind: str, object_id: str, to_kind: str) -> list[str]:
        return self._links.get((kind, object_id, to_kind), [])

    def set_owners(self, owners: list[dict[str, Any]]) -> None:
        now = self.now()
        self.owners = [
            {"type": "PERSON", "createdAt": now, "updatedAt": now, "archived": False, **owner} for owner in owners
        ]

    def everything(self) -> dict[str, Any]:
        """All of it, for the page and for tests."""
        return {
            **{kind: [one for one in ones.values() if not one["archived"]] for kind, ones in self._objects.items()},
            "associations": [
                {"from": [kind, one], "to": [end, far]} for (kind, one, end), ids in self._links.items() for far in ids
            ],
            "pipelines": list(self._pipelines["deals"].values()),
            "owners": self.owners,
            "custom": {
                kind: sorted(name for name, one in known.items() if not one["hubspotDefined"])
                for kind, known in self._properties.items()
            },
        }

    # -- rules

    def _check(self, kind: str, values: dict[str, Any], own_id: str) -> None:
        known = self.properties(kind)
        for name, value in values.items():
            if name not in known:
                raise _invalid(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
            if value in (None, ""):
                continue
            if name in _OPTIONS and value not in _OPTIONS[name]:
                raise _invalid(name, "INVALID_OPTION")
            if (name in _DATETIMES or known[name]["type"] == "datetime") and not _is_time(str(value)):
                raise _invalid(name, "INVALID_DATE")
            if name == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
                raise _invalid(name, "INVALID_EMAIL", f"Email address {value} is invalid")
            if known[name]["hasUniqueValue"]:
                self._check_unique(kind, name, value, own_id)
        if kind == "deals":
            self._check_stage(values, own_id)

    def _check_unique(self, kind: str, name: str, value: str, own_id: str) -> None:
        holder = self._holder(kind, name, value)
        if holder is None or holder["id"] == own_id:
            return
        if name == "email":
            raise Refused(409, "CONFLICT", f"Contact already exists. Existing ID: {holder['id']}")
        message = f"Another object has the value {value} of {name}. Existing ID: {holder['id']}"
        raise Refused(409, "CONFLICT", message)

    def _check_stage(self, values: dict[str, Any], own_id: str) -> None:
        stage = values.get("dealstage")
        if not stage:
            return
        current = self._objects["deals"].get(own_id, {}).get("properties", {})
        pipeline = self._pipelines["deals"].get(values.get("pipeline") or current.get("pipeline") or "")
        if pipeline is None or all(one["id"] != stage for one in pipeline["stages"]):
            raise _invalid("dealstage", "INVALID_OPTION")

    def _must_be_unique(self, kind: str, name: str) -> None:
        if not self.properties(kind).get(name, {}).get("hasUniqueValue"):
            raise Refused(400, "VALIDATION_ERROR", f"Unable to perform update/upsert by non-unique {kind} property")

    def _holder(self, kind: str, name: str, value: str) -> dict[str, Any] | None:
        sought = value.lower() if name == "email" else value
        for record in self._objects[kind].values():
            held = record["properties"].get(name)
            if not record["archived"] and held and (held.lower() if name == "email" else held) == sought:
                return record
        return None

    def _set(self, record: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        for name, value in values.items():
            if value in (None, ""):
                record["properties"].pop(name, None)
            else:
                record["properties"][name] = str(value)
        record["properties"]["hs_object_id"] = record["id"]
        record["updatedAt"] = self.now()
        return copy.deepcopy(record)


def _standard(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": name.removeprefix("hs_").replace("_", " ").capitalize(),
        "type": "datetime" if name in _DATETIMES else "string",
        "fieldType": "date" if name in _DATETIMES else "text",
        "groupName": "information",
        "description": "",
        "options": [],
        "hasUniqueValue": name == "email",
        "hubspotDefined": True,
    }


def _is_time(text: str) -> bool:
    if re.fullmatch(r"\d{12,14}", text):
        return True
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _invalid(name: str, code: str, message: str = "") -> Refused:
    """HubSpot's way of listing what was not valid: JSON inside the message."""
    listed = [{"isValid": False, "message": message or f"{name} was not valid", "error": code, "name": name}]
    return Refused(400, "VALIDATION_ERROR", f"Property values were not valid: {json.dumps(listed)}")
