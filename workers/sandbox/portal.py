"""One HubSpot portal: its records and the rules that HubSpot keeps about them. The wire is :mod:`.hubspot`."""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from . import catalogue

PERSON = "CRM_UI"
"""The source of what people type into HubSpot's own pages."""
_APP = "INTEGRATION"


class By(NamedTuple):
    """Who writes, as a property's history tells it."""

    type: str = _APP
    id: str = ""
    user: int | None = None


class Refused(Exception):
    """An error in HubSpot's own form."""

    def __init__(self, code: int, category: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.code, self.category, self.message, self.more = code, category, message, more

    def body(self) -> dict[str, Any]:
        return {"status": "error", "category": self.category, "message": self.message, **self.more}


class Portal:
    """Records by object type and id, and what they may hold."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in catalogue.PROPERTIES}
        self._properties = {
            kind: {n: catalogue.standard(n) for n in names.split()} for kind, names in catalogue.PROPERTIES.items()
        }
        self._history: dict[str, dict[str, list[dict[str, Any]]]] = {}
        """Record id -> property -> its values with who set them, the newest first."""
        self.by = By()
        """Who is writing just now."""
        self.changed: Callable[[Portal, str, dict[str, Any]], None] = lambda *_: None
        """The account's workflows, told of each record that changed."""
        self.scopes = set(catalogue.SCOPES)
        self.lag = 0.0
        """Seconds that a new or changed record is unknown to the search."""
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
                "stages": [
                    {"label": "Appointment Scheduled", "displayOrder": 0, "metadata": {"probability": "0.2"}},
                    {"label": "Closed won", "displayOrder": 1, "metadata": {"probability": "1.0"}},
                    {"label": "Closed lost", "displayOrder": 2, "metadata": {"probability": "0.0"}},
                ],
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
        if kind in catalogue.ENGAGEMENTS and not values.get("hs_timestamp"):
            raise _invalid(_listed("hs_timestamp", "REQUIRED_FIELD"))
        if kind == "deals" and not values.get("dealstage"):
            raise _invalid(_listed("dealstage", "REQUIRED_FIELD"))
        record: dict[str, Any] = {
            "id": str(next(self._ids)),
            "properties": {},
            "createdAt": self.now(),
            "updatedAt": self.now(),
            "archived": False,
        }
        self.objects(kind)[record["id"]] = record
        return self._set(kind, record, values)

    def update(self, kind: str, object_id: str, values: dict[str, Any]) -> dict[str, Any]:
        record = self.find(kind, object_id)
        self._check(kind, values, record["id"])
        return self._set(kind, record, values)

    def upsert(self, kind: str, value: str, by: str, values: dict[str, Any]) -> dict[str, Any]:
        if by != "hs_object_id":
            self._must_be_unique(kind, by)
        try:
            record = self.find(kind, value, by)
        except Refused:
            return {**self.create(kind, {**values, by: value}), "new": True}
        return {**self.update(kind, record["id"], {**values, by: value}), "new": False}

    def seed(self, kind: str, values: dict[str, Any], by: By) -> dict[str, Any]:
        """A record or a change (``id`` among the values) that did not come through the API: nobody checked it."""
        before, self.by = self.by, by
        try:
            record = self.objects(kind).get(str(values.pop("id", "")))
            if record is None:
                now = self.now()
                record = {"id": str(next(self._ids)), "properties": {}, "createdAt": now, "updatedAt": now, "archived": False}
                self.objects(kind)[record["id"]] = record
            return self._set(kind, record, values)
        finally:
            self.by = before

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

    def shown(
        self, kind: str, record: dict[str, Any], wanted: list[str], histories: list[str] | None = None
    ) -> dict[str, Any]:
        """A record with the properties asked for, null where it has none (also for names that no property has); by
        default all of it. With ``histories`` also the past values of these."""
        values = {**record["properties"], **self._calculated(kind, record)}
        names = [*wanted, "hs_object_id"] if wanted else list(record["properties"])
        answer = {**record, "properties": {name: values.get(name) for name in names}}
        if histories:
            past = self._history.get(record["id"], {})
            answer["propertiesWithHistory"] = {name: past.get(name, []) for name in histories}
        return answer

    def _calculated(self, kind: str, record: dict[str, Any]) -> dict[str, str]:
        """What HubSpot works out by itself."""
        values = record["properties"]
        if kind == "contacts":
            digits = {
                f"hs_searchable_calculated_{short}_number": _national(values.get(name, ""))
                for short, name in (("phone", "phone"), ("mobile", "mobilephone"))
            }
            return {"num_associated_deals": str(len(self.associated(kind, record["id"], "deals"))), **digits}
        if kind == "deals":
            stage = self._stage(values.get("pipeline", ""), values.get("dealstage", "")) or {"metadata": {}}
            chance = float(stage["metadata"].get("probability", "0.5"))
            return {"hs_is_closed": str(chance in (0.0, 1.0)).lower(), "hs_is_closed_won": str(chance == 1.0).lower()}
        return {}

    def searched(self, kind: str) -> list[dict[str, Any]]:
        """The records that the search knows by now, with what HubSpot works out."""
        until = datetime.now(UTC).timestamp() - self.lag
        return [
            {**one, "properties": {**one["properties"], **self._calculated(kind, one)}}
            for one in self.objects(kind).values()
            if not one["archived"] and datetime.fromisoformat(one["updatedAt"]).timestamp() <= until
        ]

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
                raise _invalid(_listed(name, "REQUIRED_FIELD"))
        if not re.fullmatch(r"[a-z][a-z0-9_]*", body["name"]) or body["fieldType"] not in catalogue.FIELD_TYPES:
            raise _invalid(_listed("name", "INVALID_PROPERTY_NAME"))
        if body["name"] in there:
            message = f"A property named '{body['name']}' already exists."
            raise Refused(409, "OBJECT_ALREADY_EXISTS", message)
        standard_group = body["groupName"].endswith("information")
        if not standard_group and body["groupName"] not in self.groups.get(kind, {}):
            raise Refused(400, "VALIDATION_ERROR", f"Property group {body['groupName']} does not exist.")
        unique = bool(body.get("hasUniqueValue"))
        if unique and sum(1 for one in there.values() if one["hasUniqueValue"]) >= catalogue.MOST_UNIQUE:
            raise Refused(400, "VALIDATION_ERROR", "Too many properties with unique values.")
        there[body["name"]] = {**catalogue.standard(body["name"]), **body, "hasUniqueValue": unique, "hubspotDefined": False}
        return there[body["name"]]

    def rename_property(self, kind: str, name: str, to: str) -> None:
        """Somebody renamed a property: its values go with it, and the old name is gone."""
        known = self._properties[kind]
        if name in known:
            known[to] = {**known.pop(name), "name": to}
        for record in self._objects[kind].values():
            if name in record["properties"]:
                record["properties"][to] = record["properties"].pop(name)

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
        if any(one["label"] == body["label"] for one in pipeline["stages"]):
            raise Refused(409, "CONFLICT", "A stage needs a label that no other of its pipeline has.")
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
        if (kind, to_kind) not in catalogue.LINK_TYPES:
            raise Refused(400, "VALIDATION_ERROR", f"No default association from {kind} to {to_kind}.")
        return catalogue.LINK_TYPES[kind, to_kind]

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
        """All that is not valid is said at once; a unique value that is another's comes after that."""
        known = self.properties(kind)
        faults = [fault for name, value in values.items() if (fault := self._fault(known, name, value))]
        if kind == "deals" and (fault := self._stage_fault(values, own_id)):
            faults.append(fault)
        if faults:
            raise _invalid(*faults)
        for name, value in values.items():
            if value not in (None, "") and known[name]["hasUniqueValue"]:
                self._check_unique(kind, name, value, own_id)

    def _fault(self, known: dict[str, dict[str, Any]], name: str, value: Any) -> dict[str, Any] | None:
        if name not in known:
            return _listed(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
        if name in catalogue.CALCULATED:
            return _listed(name, "READ_ONLY_VALUE")
        if value in (None, ""):
            return None
        options = [option["value"] for option in known[name]["options"]]
        if options and value not in options:
            return _listed(name, "INVALID_OPTION", f"{value} was not one of the allowed options: {options}")
        if known[name]["type"] == "datetime" and not _is_time(str(value)):
            return _listed(name, "INVALID_DATE")
        if known[name]["type"] == "number" and not re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
            return _listed(name, "INVALID_INTEGER")
        if name == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
            return _listed(name, "INVALID_EMAIL", f"Email address {value} is invalid")
        if name == "hubspot_owner_id" and self.owners and value not in {one["id"] for one in self._active()}:
            return _listed(name, "INVALID_OWNER_ID")
        return None

    def _active(self) -> list[dict[str, Any]]:
        return [one for one in self.owners if not one["archived"]]

    def _stage_fault(self, values: dict[str, Any], own_id: str) -> dict[str, Any] | None:
        stage = values.get("dealstage")
        current = self._objects["deals"].get(own_id, {}).get("properties", {})
        pipeline = values.get("pipeline") or current.get("pipeline") or ""
        if not stage or self._stage(pipeline, stage) is not None:
            return None
        return _listed("dealstage", "INVALID_OPTION")

    def _stage(self, pipeline: str, stage: str) -> dict[str, Any] | None:
        stages = self._pipelines["deals"].get(pipeline, {"stages": []})["stages"]
        return next((one for one in stages if one["id"] == stage), None)

    def _check_unique(self, kind: str, name: str, value: str, own_id: str) -> None:
        holder = self._holder(kind, name, value)
        if holder is None or holder["id"] == own_id:
            return
        if name == "email":
            raise Refused(409, "CONFLICT", f"Contact already exists. Existing ID: {holder['id']}")
        message = f"Another object has the value {value} of {name}. Existing ID: {holder['id']}"
        raise Refused(409, "CONFLICT", message)

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

    def _set(self, kind: str, record: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        now = self.now()
        for name, value in values.items():
            before = record["properties"].get(name, "")
            said = "" if value in (None, "") else str(value)
            if said == before or (name == "lifecyclestage" and self._goes_back(before, said)):
                continue
            if said:
                record["properties"][name] = said
            else:
                record["properties"].pop(name, None)
            past = self._history.setdefault(record["id"], {}).setdefault(name, [])
            entry = {"value": said, "timestamp": now, "sourceType": self.by.type, "sourceId": self.by.id}
            past.insert(0, entry if self.by.user is None else {**entry, "updatedByUserId": self.by.user})
        record["properties"]["hs_object_id"] = record["id"]
        record["updatedAt"] = now
        self.changed(self, kind, record)
        return copy.deepcopy(record)

    def _goes_back(self, before: str, said: str) -> bool:
        """An app moves a lifecycle stage forward only; people may do as they like."""
        order = catalogue.LIFECYCLE
        return self.by.type == _APP and before in order and said in order and order.index(said) < order.index(before)


def _is_time(text: str) -> bool:
    if re.fullmatch(r"\d{12,14}", text):
        return True
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _national(phone: str) -> str:
    """Area code and number, as HubSpot's search has them; nothing of what is no number."""
    digits = re.sub(r"\D", "", phone)
    return digits.removeprefix("1")[-10:] if len(digits) >= 7 else ""


def _listed(name: str, code: str, message: str = "") -> dict[str, Any]:
    return {"isValid": False, "message": message or f"{name} was not valid", "error": code, "name": name}


def _invalid(*faults: dict[str, Any]) -> Refused:
    """HubSpot's way of listing what was not valid: JSON inside the message."""
    return Refused(400, "VALIDATION_ERROR", f"Property values were not valid: {json.dumps(faults)}")
