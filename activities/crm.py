"""Keeping the CRM true: the contact, its calls with transcripts, the meeting and the deal of a lead, and the tasks that
it leaves to people.

Everything is written under keys of our own, so a repeat changes nothing: the contact and its deal under the lead's
id, a call under lead and attempt, a meeting under its booking, a task under the request that it came from. What people keep in the CRM stays theirs: we write
our own properties (``showrate_...``), and of theirs only what the form said.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterable
from datetime import UTC, datetime
from html import escape

from workflows import standing
from workflows.effects import CallNote, Reflection, ToDo
from workflows.events import Booking, Form
from workflows.playbook import registered

from . import faults
from .reps import rep, rep_of_owner
from .settings import settings
from .vendors import hubspot
from .vendors.hubspot import KEY, Pipeline, Property, Stage

PIPELINE = "Showrate"
_QUALIFIED, _BOOKED, _CONFIRMED, _MISSED, _HELD, _LOST = (
    "Qualified",
    "Meeting booked",
    "Meeting confirmed",
    "No-show",
    "Meeting held",
    "Lost",
)
_STAGES = (
    Stage(label=_QUALIFIED, probability="0.2"),
    Stage(label=_BOOKED, probability="0.4"),
    Stage(label=_CONFIRMED, probability="0.5"),
    Stage(label=_MISSED, probability="0.3"),
    Stage(label=_HELD, probability="0.6"),
    Stage(label=_LOST, probability="0.0"),
)
_DEAL_STAGE = {
    "qualified": _QUALIFIED,
    "booked": _BOOKED,
    "rescheduled": _BOOKED,
    "recovered": _BOOKED,
    "confirmed": _CONFIRMED,
    "no_show": _MISSED,
    "showed": _HELD,
}
"""A lead that fell back below these (a cancelled meeting) is ``Qualified`` again."""
_WORTH_A_DEAL = frozenset({"qualified", "booked", "confirmed", "rescheduled", "recovered", "no_show", "showed"})

_UNIQUE = Property(name=KEY, label="Showrate key", unique=True)
_STANDING = (
    Property(name="showrate_fit", label="Showrate fit"),
    Property(name="showrate_objections", label="Showrate: objections and how they went", field="textarea"),
    Property(name="showrate_next_step", label="Showrate: what comes next"),
)
"""What a rep looks for on the contact and on the deal alike."""
_CONTACT = (
    _UNIQUE,
    Property(name="showrate_stage", label="Showrate stage"),
    Property(name="showrate_furthest", label="Showrate furthest stage"),
    Property(name="showrate_disposition", label="Showrate disposition"),
    Property(name="showrate_reason", label="Showrate reason"),
    Property(name="showrate_source", label="Showrate source"),
    Property(name="showrate_campaign", label="Showrate campaign (UTM)"),
    Property(name="showrate_audience", label="Showrate audience"),
    Property(name="showrate_rep", label="Showrate rep"),
    Property(name="showrate_next_meeting", label="Showrate next meeting", type="datetime", field="date"),
    Property(name="showrate_meeting_outcome", label="Showrate meeting outcome"),
    Property(name="showrate_learned", label="Showrate: what they said", field="textarea"),
    Property(name="showrate_message", label="Showrate: message on the form", field="textarea"),
    Property(name="showrate_review", label="Showrate needs review"),
    Property(name="showrate_link", label="Showrate lead page"),
    Property(name="showrate_criteria", label="Showrate: what is met, missing, against", field="textarea"),
    Property(name="showrate_signs", label="Showrate: signs they gave", field="textarea"),
    *_STANDING,
)
_DEAL = (_UNIQUE, *_STANDING)
_CALL = (_UNIQUE, Property(name="showrate_disposition", label="Showrate disposition"))
_TASK_TYPE = {"hs_task_type": "TODO", "hs_task_status": "NOT_STARTED"}
_SAID = "showrate_said_"
"""Before the name of a field that the conversation learns."""

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
_REMEMBER = 600.0
"""Seconds for which names of properties and the pipeline are remembered."""


async def sync(reflection: Reflection) -> str:
    """Bring the CRM up to ``reflection``; idempotent. Answers with the id of the rep who owns the contact there,
    empty when nobody does or the contact was not read.

    Raises the errors of :mod:`activities.faults`: a refusal of one record does not keep the others from being
    written, and a temporary failure outranks it, so that the whole is tried again."""
    contact_id = await hubspot.upsert_contact(reflection.lead, await _contact_values(reflection))
    deal = reflection.furthest in _WORTH_A_DEAL
    if reflection.form is None and reflection.booking is None and not deal:
        contact = hubspot.Contact(id=contact_id)
    else:
        contact = await hubspot.contact(contact_id)
    work: list[Awaitable[None]] = [_call(reflection, contact_id, note) for note in reflection.calls]
    if reflection.booking:
        work.append(_meeting(reflection, contact, reflection.booking))
    work += [_cancelled(booking) for booking in _cancellations(reflection)]
    work += [_todo(contact_id, todo) for todo in reflection.todos]
    if deal:
        work.append(_deal(reflection, contact))
    results = await asyncio.gather(*work, return_exceptions=True)
    if error := faults.worst(result for result in results if isinstance(result, BaseException)):
        raise error
    return rep_of_owner(contact.owner)


async def prepare() -> list[str]:
    """Create what :func:`sync` writes into: custom properties, one for each field of the registered playbooks
    among them, and the deal pipeline. Idempotent; answers with one line for each thing done."""
    fields = {name: question for book in registered().values() for name, question in book.fields.items()}
    said = [Property(name=_SAID + name, label=f"Showrate: {name.replace('_', ' ')}") for name in sorted(fields)]
    done = []
    for kind, wanted in (
        ("contacts", [*_CONTACT, *said]),
        ("calls", list(_CALL)),
        ("meetings", [_UNIQUE]),
        ("tasks", [_UNIQUE]),
        ("deals", list(_DEAL)),
    ):
        done += [f"HubSpot {kind}: property {name}" for name in await hubspot.create_properties(kind, wanted)]
    done += [f"HubSpot deals: pipeline {label}" for label in await hubspot.create_pipeline(PIPELINE, _STAGES)]
    forget()
    return done


# ---- the contact -----------------------------------------------------------------------------------------------


async def _contact_values(reflection: Reflection) -> dict[str, str]:
    """Ours always, empty ones too (they clear what stood there); the form's only what it said."""
    values = {
        "showrate_stage": reflection.stage,
        "showrate_furthest": reflection.furthest,
        "showrate_disposition": reflection.disposition,
        "showrate_reason": reflection.reason,
        "showrate_audience": reflection.audience,
        "showrate_review": reflection.needs_review,
        "showrate_meeting_outcome": reflection.meeting_outcome,
        "showrate_link": lead_page(reflection.lead),
    }
    booking = reflection.booking
    upcoming = booking is not None and not reflection.meeting_outcome
    values["showrate_next_meeting"] = _iso(booking.start) if booking and upcoming else ""
    if reflection.owner:
        person = rep(reflection.owner)
        values["showrate_rep"] = person.name if person else reflection.owner
    if reflection.source:
        values["showrate_source"] = reflection.source
    later = _standing(reflection)
    if reflection.criteria:
        later["showrate_criteria"] = "\n".join(map(standing.criterion, reflection.criteria))
    if reflection.signs:
        later["showrate_signs"] = "\n".join(map(standing.sign, reflection.signs))
    if reflection.learned:
        values["showrate_learned"] = "\n".join(f"{name}: {said}" for name, said in reflection.learned.items())
        later |= {_SAID + name: said for name, said in reflection.learned.items()}
    values |= await _there("contacts", later)
    return values | (_form_values(reflection.form) if reflection.form else {})


def _standing(reflection: Reflection) -> dict[str, str]:
    """What comes next, and how they fit and what they object to where that is told anew."""
    values = {"showrate_next_step": reflection.next_step}
    if reflection.fit:
        values["showrate_fit"] = reflection.fit
    if reflection.concerns:
        values["showrate_objections"] = "\n".join(map(standing.objection, reflection.concerns))
    return values


async def _there(kind: str, values: dict[str, str]) -> dict[str, str]:
    """Those of ``values`` that the CRM has a property for: one that the last setup did not know yet must not have
    HubSpot refuse the whole record."""
    names = await _property_names(kind)
    return {name: said for name, said in values.items() if name in names}


def _form_values(form: Form) -> dict[str, str]:
    first, _, last = form.name.strip().partition(" ")
    values = {
        "email": form.email,
        "firstname": first,
        "lastname": last.strip(),
        "phone": form.phone,
        "company": form.company,
        "showrate_message": form.message,
        "showrate_campaign": ", ".join(f"{name}={value}" for name, value in form.utm.items()),
    }
    return {name: value for name, value in values.items() if value}


def lead_page(lead: str) -> str:
    """Where people read a lead's story."""
    return f"{settings().showrate_public_url}/console/leads/{lead}"


# ---- calls, meeting, deal ---------------------------------------------------------------------------------------


async def _call(reflection: Reflection, contact_id: str, note: CallNote) -> None:
    outcome = _OUTCOME.get(note.disposition) or _OUTCOME.get(note.status, "")
    values = {
        "hs_timestamp": _iso(note.at),
        "hs_call_title": "Call from the lead" if note.inbound else "Call to the lead",
        "hs_call_direction": "INBOUND" if note.inbound else "OUTBOUND",
        "hs_call_duration": str(note.seconds * 1000),
        "hs_call_status": _CALL_STATUS.get(note.status, "COMPLETED"),
        "hs_call_body": _body(reflection, note),
        "showrate_disposition": note.disposition or note.status,
    }
    if outcome:
        values["hs_call_disposition"] = outcome
    call_id = await hubspot.upsert("calls", f"{reflection.lead}:{note.attempt}", values)
    await hubspot.associate("calls", call_id, "contacts", contact_id)


async def _todo(contact_id: str, todo: ToDo) -> None:
    person = rep(todo.rep)
    values = {
        **_TASK_TYPE,
        "hs_timestamp": _iso(todo.at),
        "hs_task_subject": todo.title,
        "hs_task_body": "".join(f"<p>{escape(line)}</p>" for line in todo.lines),
        "hs_task_priority": "HIGH" if todo.urgent else "MEDIUM",
    }
    if person and person.crm_owner:
        values["hubspot_owner_id"] = person.crm_owner
    task_id = await hubspot.upsert("tasks", todo.key, values)
    await hubspot.associate("tasks", task_id, "contacts", contact_id)


def _body(reflection: Reflection, note: CallNote) -> str:
    """How the lead stands after the call, and the conversation, as HTML; of the latter the beginning is cut off when
    the whole is longer than HubSpot takes."""
    if not note.transcript:
        return f"<p>No conversation ({escape(note.disposition or note.status or 'unknown')}).</p>"
    head = "".join(f"<p><em>{name}:</em> {escape(words)}</p>" for name, words in standing.summary(reflection))
    lines = [
        f"<p><strong>{'Agent' if line.who == 'agent' else 'Lead'}:</strong> {escape(line.text)}</p>"
        for line in note.transcript
    ]
    while len(head) + sum(map(len, lines)) > _LONGEST_BODY:
        lines = lines[1:]
    return head + "".join(lines)


async def _meeting(reflection: Reflection, contact: hubspot.Contact, booking: Booking) -> None:
    person = rep(booking.rep)
    owner = person.crm_owner if person else ""
    if booking.replaces and not reflection.meeting_outcome:
        await hubspot.update("meetings", booking.replaces, {"hs_meeting_outcome": "RESCHEDULED"}, id_property=KEY)
    values = {
        "hs_timestamp": _iso(booking.start),
        "hs_meeting_title": f"{contact.name or 'Lead'} and {booking.rep_name}",
        "hs_meeting_body": f"{escape(booking.reason)} {lead_page(reflection.lead)}".strip(),
        "hs_meeting_start_time": _iso(booking.start),
        "hs_meeting_end_time": _iso(booking.end),
        "hs_meeting_outcome": _MEETING_OUTCOME.get(reflection.meeting_outcome, "SCHEDULED"),
    }
    if owner:
        values["hubspot_owner_id"] = owner
    meeting_id = await hubspot.upsert("meetings", booking.id, values)
    await hubspot.associate("meetings", meeting_id, "contacts", contact.id)
    if owner and not contact.owner:
        await hubspot.update("contacts", contact.id, {"hubspot_owner_id": owner})


def _cancellations(reflection: Reflection) -> Iterable[str]:
    """The bookings that the new entries say were cancelled."""
    standing = reflection.booking.id if reflection.booking else ""
    for entry in reflection.entries:
        booking = entry.data.get("booking", "")
        if entry.kind == "cancelled" and booking and booking != standing:
            yield booking


async def _cancelled(booking: str) -> None:
    await hubspot.update("meetings", booking, {"hs_meeting_outcome": "CANCELED"}, id_property=KEY)


async def _deal(reflection: Reflection, contact: hubspot.Contact) -> None:
    pipeline = await _pipeline()
    label = _DEAL_STAGE.get(reflection.stage, _QUALIFIED)
    if reflection.stage == "closed":
        label = _HELD if reflection.disposition == "showed" else _LOST
    if label not in pipeline.stages:
        raise faults.permanent(f"HubSpot: pipeline {PIPELINE} has no stage {label}; `showrate setup` creates it")
    values = {
        "dealname": f"{contact.company or contact.name or 'Lead'} · {reflection.source or reflection.audience}",
        "pipeline": pipeline.id,
        "dealstage": pipeline.stages[label],
        **await _there("deals", _standing(reflection)),
    }
    person = rep(reflection.owner)
    if person and person.crm_owner:
        values["hubspot_owner_id"] = person.crm_owner
    deal_id = await hubspot.upsert("deals", reflection.lead, values)
    await hubspot.associate("deals", deal_id, "contacts", contact.id)


# ---- what is remembered between syncs ---------------------------------------------------------------------------

_remembered: dict[tuple[str, str], tuple[float, object]] = {}
"""(what, account) -> (when read, by the monotonic clock; what was read)."""


def forget() -> None:
    """Read properties and pipeline anew at the next sync."""
    _remembered.clear()


async def _property_names(kind: str) -> frozenset[str]:
    """Which properties the records of this ``kind`` have. Learned fields without one of their own (a playbook newer
    than the last setup) stand in ``showrate_learned`` only."""
    key = (f"properties of {kind}", _account())
    known = _remembered.get(key)
    if known and time.monotonic() - known[0] < _REMEMBER and isinstance(known[1], frozenset):
        return known[1]
    names = await hubspot.property_names(kind)
    _remembered[key] = (time.monotonic(), names)
    return names


async def _pipeline() -> Pipeline:
    """Our deal pipeline. Raises permanent when setup has not created it."""
    key = ("pipeline", _account())
    known = _remembered.get(key)
    if known and time.monotonic() - known[0] < _REMEMBER and isinstance(known[1], Pipeline):
        return known[1]
    pipeline = await hubspot.pipeline(PIPELINE)
    if pipeline is None:
        raise faults.permanent(f"HubSpot: there is no deal pipeline {PIPELINE}; `showrate setup` creates it")
    _remembered[key] = (time.monotonic(), pipeline)
    return pipeline


def _account() -> str:
    return settings().hubspot_base_url + "|" + settings().hubspot_access_token


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
