"""How the CRM is kept and heeded: the playbook's mapping, what the CRM says of a person, and what that means.

Pure. The names of properties, options, stages and pipeline are the account's; ``showrate crm check`` holds this mapping
against it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from .model import Duration, Model, Strict

Course = Literal["as_usual", "opening", "owner", "not_called"]
"""What a standing in the CRM makes of a lead: called as anybody, called with an opening of its own, left to who owns
them, or not contacted at all."""

_LEAD_STATUS = {
    "new": "NEW", "attempting": "ATTEMPTED_TO_CONTACT", "contacted": "CONNECTED", "interested": "CONNECTED",
    "qualified": "IN_PROGRESS", "booked": "OPEN_DEAL", "confirmed": "OPEN_DEAL", "rescheduled": "OPEN_DEAL",
    "recovered": "OPEN_DEAL", "no_show": "IN_PROGRESS", "showed": "OPEN_DEAL", "closed.showed": "OPEN_DEAL",
    "closed.unresponsive": "BAD_TIMING", "closed.no_show": "BAD_TIMING", "closed.handed_off": "IN_PROGRESS",
    "closed": "UNQUALIFIED",
}  # fmt: skip
_LIFECYCLE = {
    "new": "lead", "attempting": "lead", "contacted": "lead", "interested": "marketingqualifiedlead",
    "qualified": "salesqualifiedlead", "booked": "salesqualifiedlead", "confirmed": "salesqualifiedlead",
    "rescheduled": "salesqualifiedlead", "recovered": "salesqualifiedlead", "showed": "opportunity",
    "closed.showed": "opportunity",
}  # fmt: skip
_DEAL_STAGES = {
    "booked": "Meeting booked", "rescheduled": "Meeting booked", "recovered": "Meeting booked",
    "confirmed": "Meeting confirmed", "no_show": "No-show", "showed": "Meeting held", "closed.showed": "Meeting held",
    "closed": "Lost", "": "Qualified",
}  # fmt: skip


class Deal(Strict):
    """The deal of a lead: when it is made, in which pipeline, and at which of its stages it stands, all by label."""

    since: Literal["never", "qualified", "booked"] = "booked"
    """It is made once the lead has come so far, and moved from then on."""
    pipeline: str = "Showrate"
    stages: dict[str, str] = Field(default_factory=_DEAL_STAGES.copy)
    """By stage of ours, or ``closed.DISPOSITION``; ``""`` for every other."""


class Sequence(Strict):
    """A sequence of the CRM's own that takes a lead on when it closes so. HubSpot wants the user who enrols (with a
    paid seat) and the connected mailbox that sends; it has no request that takes a contact out again: a workflow of the
    account does that when ``showrate_sequence`` becomes ``leave``."""

    id: str
    user: str
    sender: str
    on: tuple[str, ...] = ("unresponsive",)
    """The dispositions after which a lead is enrolled."""


class Crm(Strict):
    """The section ``crm`` of a playbook."""

    read_within: Duration = timedelta(milliseconds=300)
    """How long the first dial waits for what the CRM says of the lead, beside the calling gate."""
    unread: Literal["dial", "wait"] = "dial"
    """The CRM did not answer in time: dial all the same, or wait for its word ..."""
    wait_most: Duration = timedelta(minutes=10)
    """... but no longer than this since the lead came."""
    customer: Course = "owner"
    open_deal: Course = "owner"
    do_not_contact: Course = "not_called"
    customer_stages: tuple[str, ...] = ("customer", "evangelist")
    """Values of ``lifecyclestage`` that mean an existing customer."""
    flags: tuple[str, ...] = ("do_not_contact", "do_not_call", "hs_do_not_call")
    """Contact properties that mean do-not-contact when they say true or yes."""
    properties: dict[str, str] = Field(default_factory=dict)
    """Where a property of ours is kept under another name: ``{showrate_stage: sdr_stage}``."""
    lead_status: dict[str, str] = Field(default_factory=_LEAD_STATUS.copy)
    """The option of ``hs_lead_status`` by our stage, or ``closed.DISPOSITION``; left alone where there is none."""
    lifecycle: dict[str, str] = Field(default_factory=_LIFECYCLE.copy)
    """The option of ``lifecyclestage``, likewise. It is only ever moved forward."""
    deal: Deal = Deal()
    sequence: Sequence | None = None

    def name(self, ours: str) -> str:
        """The property in which ``ours`` is kept."""
        return self.properties.get(ours, ours)


def mapped(options: dict[str, str], stage: str, disposition: str) -> str:
    """The option for this stage; nothing where the mapping has none."""
    if stage == "closed":
        return options.get(f"closed.{disposition}", options.get("closed", options.get("", "")))
    return options.get(stage, options.get("", ""))


# ---- what the CRM says ------------------------------------------------------------------------------------------


class Known(Model):
    """What the CRM says of a person. ``outcome``: whether it could be asked (``late``: not within the budget)."""

    outcome: Literal["read", "late", "failed"] = "read"
    contact: str = ""
    owner: str = ""
    """The rep who owns the contact (or the open deal); empty when nobody of ours does."""
    customer: bool = False
    open_deal: str = ""
    """The id of a deal that is open and not ours."""
    do_not_contact: str = ""
    """The property that says so."""


def course(known: Known, rules: Crm) -> tuple[Course, str]:
    """What ``known`` makes of the lead, and the rule's name; the strictest of those that hold."""
    order: tuple[Course, ...] = ("not_called", "owner", "opening", "as_usual")
    held: list[tuple[Course, str]] = []
    if known.do_not_contact:
        held.append((rules.do_not_contact, "crm_do_not_contact"))
    if known.customer:
        held.append((rules.customer, "crm_customer"))
    if known.open_deal:
        held.append((rules.open_deal, "crm_open_deal"))
    return min(held, key=lambda each: order.index(each[0]), default=("as_usual", ""))


class Conflict(Model):
    """A field that a person changed in the CRM, where the lead now says otherwise: theirs stands."""

    field: str
    """``contacts.showrate_stage``."""
    theirs: str = ""
    ours: str = ""
