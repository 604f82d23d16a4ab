"""HubSpot's sequences: contacts are enrolled through the API, and taken out of them by HubSpot alone."""

from __future__ import annotations

import itertools
from typing import Any

from .portal import By, Portal, Refused


class Sequences:
    """The account's sequences, and who is in them."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {"4001": "Nurture"}
        self.enrolled: dict[str, dict[str, Any]] = {}
        """Contact id -> the enrolment."""
        self._ids = itertools.count(900)

    def get(self, portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
        _user(query)
        if path["id"] not in self.known:
            raise Refused(404, "OBJECT_NOT_FOUND", f"Sequence {path['id']} was not found.")
        now = portal.now()
        return {"id": path["id"], "name": self.known[path["id"]], "createdAt": now, "updatedAt": now, "steps": []}

    def enrol(self, portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
        """One sequence at a time for a contact, who needs an e-mail address."""
        _user(query)
        for name in ("sequenceId", "contactId", "senderEmail"):
            if not body.get(name):
                raise Refused(400, "VALIDATION_ERROR", f"{name} is required.")
        if str(body["sequenceId"]) not in self.known:
            raise Refused(404, "OBJECT_NOT_FOUND", "Sequence was not found.")
        contact = portal.find("contacts", str(body["contactId"]))
        if not contact["properties"].get("email"):
            raise Refused(400, "VALIDATION_ERROR", "Contact has no email address.", subCategory="SequenceError.NO_EMAIL")
        if contact["id"] in self.enrolled:
            words = "Contact is already enrolled in a sequence."
            raise Refused(400, "VALIDATION_ERROR", words, subCategory="SequenceError.ALREADY_ENROLLED")
        now = portal.now()
        made = {"id": str(next(self._ids)), "toEmail": contact["properties"]["email"], "enrolledAt": now, "updatedAt": now}
        self.enrolled[contact["id"]] = {**made, "sequenceId": str(body["sequenceId"]), "enrolledByEmail": body["senderEmail"]}
        portal.seed("contacts", {"id": contact["id"], "hs_sequences_is_enrolled": "true"}, By("SEQUENCES"))
        return made

    def workflow(self, portal: Portal, kind: str, record: dict[str, Any]) -> None:
        """Who is through with a sequence is in none, and a workflow of this account takes out who is told to leave."""
        if kind == "contacts" and record["properties"].get("hs_sequences_is_enrolled") == "false":
            self.enrolled.pop(record["id"], None)
        told = kind == "contacts" and record["properties"].get("showrate_sequence") == "leave"
        if told and self.enrolled.pop(record["id"], None):
            portal.seed(kind, {"id": record["id"], "hs_sequences_is_enrolled": "false"}, By("AUTOMATION_PLATFORM"))

    def of(self, portal: Portal, path: dict[str, str], body: Any, query: dict[str, str]) -> Any:
        portal.find("contacts", path["id"])
        return self.enrolled.get(path["id"], {})


def _user(query: dict[str, str]) -> None:
    if not query.get("userId"):
        raise Refused(400, "VALIDATION_ERROR", "Required parameter userId is missing.")
