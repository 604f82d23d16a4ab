"""What stands in each record of the CRM: our properties, modelled on the sales motion, and the values of a reflection.

What people keep in the CRM stays theirs: we write our own properties (``showrate_...``, or as the playbook calls them),
and of HubSpot's own what the playbook maps.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

from activities.reps import rep
from activities.settings import settings
from activities.vendors.hubspot import KEY
from activities.vendors.hubspot_account import Property
from workflows import standing
from workflows.crm import Crm, mapped
from workflows.effects import CallNote, Reflection, ToDo
from workflows.events import Booking, Form

SAID = "showrate_said_"
"""Before the name of a field that the conversation learns."""
BLANKS = frozenset({"email", "firstname", "lastname", "phone", "company", "dealname", "hs_task_status"})
"""Properties that are not ours: only filled in where they are empty."""

_UNIQUE = Property(name=KEY, label="Showrate key", unique=True)
_STANDING = (
    Property(name="showrate_fit", label="Showrate fit"),
    Property(name="showrate_objections", label="Showrate: objections and how they went", field="textarea"),
    Property(name="showrate_next_step", label="Showrate: what comes next"),
    Property(name="showrate_rep", label="Showrate rep"),
    Property(name="showrate_source", label="Showrate source"),
    Property(name="showrate_no_show", label="Showrate: what became of a no-show"),
)
"""What a rep looks for on the contact and on the deal alike."""
PROPERTIES: dict[str, tuple[Property, ...]] = {
    "contacts": (
        _UNIQUE,
        Property(name="showrate_stage", label="Showrate stage"),
        Property(name="showrate_since", label="Showrate: since when it stands so", type="datetime", field="date"),
        Property(name="showrate_furthest", label="Showrate furthest stage"),
        Property(name="showrate_disposition", label="Showrate disposition"),
        Property(name="showrate_reason", label="Showrate reason"),
        Property(name="showrate_campaign", label="Showrate campaign (UTM)"),
        Property(name="showrate_audience", label="Showrate audience"),
        Property(name="showrate_phone", label="Showrate phone (as given to us)"),
        Property(name="showrate_next_meeting", label="Showrate next meeting", type="datetime", field="date"),
        Property(name="showrate_meeting_rep", label="Showrate: who takes the meeting"),
        Property(name="showrate_meeting_outcome", label="Showrate meeting outcome"),
        Property(name="showrate_learned", label="Showrate: what they said", field="textarea"),
        Property(name="showrate_message", label="Showrate: message on the form", field="textarea"),
        Property(name="showrate_review", label="Showrate needs review"),
        Property(name="showrate_link", label="Showrate lead page"),
        Property(name="showrate_criteria", label="Showrate: what is met, missing, against", field="textarea"),
        Property(name="showrate_signs", label="Showrate: signs they gave", field="textarea"),
        Property(name="showrate_sequence", label="Showrate: the sequence they are in, or leave"),
        *_STANDING,
    ),
    "deals": (_UNIQUE, *_STANDING),
    "calls": (
        _UNIQUE,
        Property(name="showrate_disposition", label="Showrate disposition"),
        Property(name="showrate_tags", label="Showrate tags"),
    ),
    "meetings": (_UNIQUE, Property(name="showrate_disposition", label="Showrate disposition")),
    "tasks": (_UNIQUE,),
    "notes": (_UNIQUE,),
}
"""By kind of record: what ``showrate setup`` makes."""

_PROBABILITY = {
    "Qualified": "0.2", "Meeting booked": "0.4", "Meeting confirmed": "0.5", "No-show": "0.3", "Meeting held": "0.6",
    "Lost": "0.0",
}  # fmt: skip
_CALL_STATUS = {
    "completed": "COMPLETED",
    "busy": "BUSY",
    "no-answer": "NO_ANSWER",
    "failed": "FAILED",
    "canceled": "CANCELED",
}
_OUTCOME = {
    "busy": "9d9162e7-6cf3-4944-bf63-4dff82258764",
    "talked": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
    "voicemail": "b2cf5968-551e-4856-9783-52b3da59a7d0",
    "no-answer": "73a0d17f-1163-4015-bdd5-ec830791da20",
    "wrong_person": "17b47fee-58de-441e-a44c-c6300d46f273",
}
"""HubSpot's own outcomes of a call, the same in every account: developers.hubspot.com/docs/api/crm/calls."""
_MEETING_OUTCOME = {"": "SCHEDULED", "showed": "COMPLETED", "no_show": "NO_SHOW"}
_LONGEST_BODY = 65_000
"""HubSpot takes 65,536 characters in a call's body."""
_SINCE = {
    "qualified": ("qualified", "booked", "confirmed", "showed"),
    "booked": ("booked", "confirmed", "showed"),
}
"""The furthest stages at which a lead has a deal."""


def probability(label: str) -> str:
    """How likely a deal at this stage is won, for a stage that we make; people tune it in HubSpot."""
    return _PROBABILITY.get(label, "0.5")


def place(label: str) -> float:
    """Where a stage stands among the others: lost comes last."""
    return float(probability(label)) or 2.0


def lead_page(lead: str) -> str:
    """Where people read a lead's story."""
    return f"{settings().showrate_public_url}/console/leads/{lead}"


# ---- the contact -------------------------------------------------------------------------------------------------


def contact(told: Reflection, rules: Crm, person: Form | None) -> dict[str, str]:
    """Ours always, empty ones too (they clear what stood there); of HubSpot's own what the form said, and where the
    lead stands."""
    booking = told.booking
    upcoming = booking is not None and not told.meeting_outcome
    values = {
        "showrate_stage": told.stage,
        "showrate_since": _iso(told.since or told.now),
        "showrate_furthest": told.furthest,
        "showrate_disposition": told.disposition,
        "showrate_reason": told.reason,
        "showrate_audience": told.audience,
        "showrate_review": told.needs_review,
        "showrate_meeting_outcome": told.meeting_outcome,
        "showrate_next_meeting": _iso(booking.start) if booking and upcoming else "",
        "showrate_meeting_rep": booking.rep_name if booking and upcoming else "",
        "showrate_link": lead_page(told.lead),
        **_standing(told),
    }
    if told.criteria:
        values["showrate_criteria"] = "\n".join(map(standing.criterion, told.criteria))
    if told.signs:
        values["showrate_signs"] = "\n".join(map(standing.sign, told.signs))
    if told.learned:
        values["showrate_learned"] = "\n".join(f"{name}: {said}" for name, said in told.learned.items())
        values |= {SAID + name: said for name, said in told.learned.items()}
    values |= _form(person) if person else {}
    values = {rules.name(name): value for name, value in values.items()}
    values["hs_lead_status"] = mapped(rules.lead_status, told.stage, told.disposition)
    values["lifecyclestage"] = mapped(rules.lifecycle, told.stage, told.disposition)
    return {name: value for name, value in values.items() if value or not name.startswith(("hs_", "lifecycle"))}


def _standing(told: Reflection) -> dict[str, str]:
    """What contact and deal say alike; how they fit and what they object to only where that is told anew."""
    values = {"showrate_next_step": told.next_step, "showrate_no_show": _no_show(told)}
    if told.owner:
        person = rep(told.owner)
        values["showrate_rep"] = person.name if person else told.owner
    if told.source:
        values["showrate_source"] = told.source
    if told.fit:
        values["showrate_fit"] = told.fit
    if told.concerns:
        values["showrate_objections"] = "\n".join(map(standing.objection, told.concerns))
    return values


def _no_show(told: Reflection) -> str:
    """What became of a meeting that they missed: ``missed``, ``recovered``, ``showed`` later, or ``lost``."""
    if "no_show" not in told.milestones and told.meeting_outcome != "no_show":
        return ""
    if told.meeting_outcome == "showed" or told.disposition == "showed":
        return "showed"
    if told.stage == "closed":
        return "lost"
    return "recovered" if told.stage in ("booked", "confirmed", "rescheduled", "recovered") else "missed"


def _form(form: Form) -> dict[str, str]:
    first, _, last = form.name.strip().partition(" ")
    values = {
        "email": form.email,
        "firstname": first,
        "lastname": last.strip(),
        "phone": form.phone,
        "company": form.company,
        "showrate_phone": form.phone,
        "showrate_message": form.message,
        "showrate_campaign": ", ".join(f"{name}={value}" for name, value in form.utm.items()),
    }
    return {name: value for name, value in values.items() if value}


# ---- calls, meetings, deal, tasks, notes ---------------------------------------------------------------------------


def call(told: Reflection, note: CallNote) -> dict[str, str]:
    """A call with its transcript, and tags by which people filter."""
    outcome = _OUTCOME.get(note.disposition) or _OUTCOME.get(note.status, "")
    values = {
        "hs_timestamp": _iso(note.at),
        "hs_call_title": "Call from the lead" if note.inbound else "Call to the lead",
        "hs_call_direction": "INBOUND" if note.inbound else "OUTBOUND",
        "hs_call_duration": str(note.seconds * 1000),
        "hs_call_status": _CALL_STATUS.get(note.status, "COMPLETED"),
        "hs_call_body": _body(told, note),
        "showrate_disposition": note.disposition or note.status,
        "showrate_tags": "; ".join(_tags(note)),
    }
    return values | ({"hs_call_disposition": outcome} if outcome else {})


def _tags(note: CallNote) -> Iterable[str]:
    yield "inbound" if note.inbound else "outbound"
    yield note.disposition or note.status or "unknown"
    for concern in note.concerns:
        yield f"objection: {concern.name.replace('_', ' ')} ({concern.status})"
    if note.path:
        yield f"ended in {note.path[-1].replace('_', ' ')}"


def _body(told: Reflection, note: CallNote) -> str:
    """How the lead stands after the call, and the conversation, as HTML; of the latter the beginning is cut off when
    the whole is longer than HubSpot takes."""
    if not note.transcript:
        return f"<p>No conversation ({escape(note.disposition or note.status or 'unknown')}).</p>"
    head = "".join(f"<p><em>{name}:</em> {escape(words)}</p>" for name, words in standing.summary(told))
    lines = [
        f"<p><strong>{'Agent' if line.who == 'agent' else 'Lead'}:</strong> {escape(line.text)}</p>"
        for line in note.transcript
    ]
    while len(head) + sum(map(len, lines)) > _LONGEST_BODY:
        lines = lines[1:]
    return head + "".join(lines)


def task(todo: ToDo) -> dict[str, str]:
    """Something that a person has to do."""
    person = rep(todo.rep)
    values = {
        "hs_task_type": "TODO",
        "hs_task_status": "NOT_STARTED",
        "hs_timestamp": _iso(todo.at),
        "hs_task_subject": todo.title,
        "hs_task_body": "".join(f"<p>{escape(line)}</p>" for line in todo.lines),
        "hs_task_priority": "HIGH" if todo.urgent else "MEDIUM",
    }
    return values | ({"hubspot_owner_id": person.crm_owner} if person and person.crm_owner else {})


def meeting(told: Reflection, booking: Booking, name: str) -> dict[str, str]:
    """The meeting as an engagement, with its outcome once that is known."""
    person = rep(booking.rep)
    values = {
        "hs_timestamp": _iso(booking.start),
        "hs_meeting_title": f"{name or 'Lead'} and {booking.rep_name}",
        "hs_meeting_body": f"{escape(booking.reason)} {lead_page(told.lead)}".strip(),
        "hs_meeting_start_time": _iso(booking.start),
        "hs_meeting_end_time": _iso(booking.end),
        "hs_meeting_outcome": _MEETING_OUTCOME.get(told.meeting_outcome, "SCHEDULED"),
        "showrate_disposition": told.meeting_outcome or told.stage,
    }
    return values | ({"hubspot_owner_id": person.crm_owner} if person and person.crm_owner else {})


def has_deal(told: Reflection, rules: Crm) -> bool:
    """Whether the lead has come so far that there is a deal."""
    return told.furthest in _SINCE.get(rules.deal.since, ())


def deal_stage(told: Reflection, rules: Crm) -> str:
    """The label of the stage at which the deal stands."""
    return mapped(rules.deal.stages, told.stage, told.disposition)


def deal(told: Reflection, rules: Crm, name: str) -> dict[str, str]:
    """All of the deal but its pipeline and stage."""
    values = {rules.name(ours): value for ours, value in _standing(told).items()}
    person = rep(told.owner)
    values["dealname"] = f"{name or 'Lead'} · {told.source or told.audience}"
    return values | ({"hubspot_owner_id": person.crm_owner} if person and person.crm_owner else {})


def closing(told: Reflection) -> dict[str, str]:
    """A note on how the lead ended, for whoever reads the contact next."""
    lines = [f"Showrate closed this lead: {told.disposition.replace('_', ' ')}.", told.reason]
    lines += [f"{name}: {words}" for name, words in standing.summary(told) if name != "Now"]
    body = "".join(f"<p>{escape(line)}</p>" for line in lines if line)
    return {"hs_timestamp": _iso(told.milestones.get("closed", told.now)), "hs_note_body": body}


def cancelled(told: Reflection) -> Iterable[str]:
    """The bookings that the new entries say were cancelled."""
    now = told.booking.id if told.booking else ""
    for entry in told.entries:
        booking = entry.data.get("booking", "")
        if entry.kind == "cancelled" and booking and booking != now:
            yield booking


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
