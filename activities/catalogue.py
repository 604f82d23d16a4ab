"""What outgoing webhooks tell: the type of each event, its data, and the schema of both.

An event is one entry of the record. Its id is the same in every delivery, to every endpoint, so that a receiver knows a
repeat. By default it holds ids, stages and instants; who it is and what was said only where an endpoint asks for it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workflows.model import Instant

from . import store
from .settings import settings
from .store import STAGE
from .stream import Told

Detail = Literal["ids", "full"]


class Data(BaseModel):
    """What every event says. What an erasure took away is missing, and ``erased`` is true."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lead: str = Field(description="The lead's id: a keyed hash, the same for good.")
    seq: int = Field(description="The event's place among all events; it only grows.")
    number: int = Field(description="The event's place among those of its lead: 1, 2, 3 and so on, without a gap.")
    stage: str = Field(description="Where the lead stood then.")
    rule: str | None = Field(None, description="The rule by which it was decided.")
    erased: bool = Field(False, description="The person was erased since; the rest is left out.")
    text: str | None = Field(None, description="The line of the story. Only with detail: full.")
    person: dict[str, str] | None = Field(
        None, description="name, phone, email, company as last known. Only with detail: full."
    )


class StageChanged(Data):
    """The lead went from one stage to another."""

    to: str = Field(description="The stage that it went to.")
    before: str | None = Field(None, alias="from", description="The stage that it came from.")


class FormSubmitted(Data):
    """A form was filled in, the first or a later one."""

    source: str | None = Field(None, description="Which form.")


class CallEvent(Data):
    """Something happened with a call."""

    attempt: str | None = Field(None, description="The call's id within its lead.")


class CallEnded(CallEvent):
    """A call is over."""

    outcome: str | None = Field(None, description="talked, voicemail, no-answer, busy, failed, canceled and so on.")
    seconds: int | None = Field(None, description="How long it lasted.")


class MessageEvent(Data):
    """Something happened with a text or an e-mail of ours."""

    touch: str | None = Field(None, description="Which message, such as reminder/BOOKING/1.")
    segments: int | None = Field(None, description="Segments that the carrier counts.")


class MeetingEvent(Data):
    """Something happened with a meeting."""

    booking: str | None = Field(None, description="The meeting's id; a move makes a new one.")


class MeetingBooked(MeetingEvent):
    """A meeting was booked, or moved: then its predecessor no longer stands."""

    rep: str | None = Field(None, description="The rep's id.")
    start: Instant | None = Field(None, description="When it begins.")
    end: Instant | None = Field(None, description="When it ends.")
    replaces: str | None = Field(None, description="Of a move: the meeting that no longer stands.")


class MeetingOutcome(MeetingEvent):
    """Somebody or something says whether they came; a later one corrects it."""

    showed: Literal["yes", "no"] | None = Field(None, description="Whether the lead came.")


class Noted(Data):
    """Any other line of the story."""

    kind: str = Field(description="What kind of line: slots, waiting, concern, fault and so on.")


TYPES: Mapping[str, tuple[str, type[Data], str]] = {
    "form": ("form.submitted", FormSubmitted, "a form was filled in, the first or a later one"),
    "call_placed": ("call.placed", CallEvent, "we dialled"),
    "call_answered": ("call.answered", CallEvent, "the call was answered"),
    "call_inbound": ("call.received", CallEvent, "they rang us"),
    "call_ended": ("call.ended", CallEnded, "a call is over"),
    "call_cancelled": ("call.cancelled", CallEvent, "we ended a call through the carrier"),
    "not_called": ("call.not_made", CallEvent, "a due call was not made; `rule` says why"),
    "ambiguous": ("call.uncertain", CallEvent, "nobody knows whether a dial, or a text, went out"),
    "text_sent": ("message.sent", MessageEvent, "a text was sent"),
    "not_texted": ("message.not_sent", MessageEvent, "a due text was not sent; `rule` says why"),
    "text_failed": ("message.failed", MessageEvent, "the carrier could not deliver a text"),
    "message": ("message.received", Data, "they wrote to us"),
    "mail_sent": ("mail.sent", MessageEvent, "an e-mail was sent"),
    "not_mailed": ("mail.not_sent", MessageEvent, "a due e-mail was not sent; `rule` says why"),
    "booked": ("meeting.booked", MeetingBooked, "a meeting was booked, or moved: then the one before no longer stands"),
    "booking_refused": ("meeting.refused", Data, "a booking failed"),
    "cancelled": ("meeting.cancelled", MeetingEvent, "a meeting was cancelled"),
    "confirmed": ("meeting.confirmed", MeetingEvent, "they said yes to the meeting"),
    "attendance": ("meeting.outcome", MeetingOutcome, "somebody says whether they came; a later one corrects it"),
    "recovery": ("meeting.recovery_began", Data, "after a no-show we try to reach them again"),
    "opted_out": ("lead.opted_out", Data, "they want no more contact"),
    "closed": ("lead.closed", Data, "nothing more is started; `rule` is how it ended: showed, not_interested and so on"),
    "reopened": ("lead.reopened", Data, "a closed lead came back with a new form"),
    "taken_over": ("lead.taken_over", Data, "a person took over"),
    "released": ("lead.released", Data, "a person handed back"),
    "held": ("lead.held", Data, "contact with this lead was paused"),
    "resumed": ("lead.resumed", Data, "the pause is over"),
}
"""By the kind of the entry: the event's type, its data, and when it happens. What is not here is ``lead.noted``."""

CHANGED, NOTED = "lead.stage_changed", "lead.noted"
MODELS: Mapping[str, type[Data]] = {
    CHANGED: StageChanged, **{name: model for name, model, _ in TYPES.values()}, NOTED: Noted,
}  # fmt: skip
"""By the type of the event."""


def type_of(kind: str) -> str:
    """The type of the events that an entry of this kind becomes."""
    if kind.startswith(STAGE):
        return CHANGED
    return TYPES[kind][0] if kind in TYPES else NOTED


def event_id(told: Told) -> str:
    """The ``webhook-id``: the same whenever and wherever the event is sent."""
    digest = hmac.new(settings().identity_key, f"event {told.lead} {told.seq}".encode(), hashlib.sha256)
    return f"evt_{digest.hexdigest()[:24]}"


def body(told: Told, detail: Detail) -> bytes:
    """The event as it is sent: ``type``, ``timestamp`` (when it happened, UTC) and ``data``. With ``detail`` ``full`` it
    reads the person from the record: call it through a thread from a running event loop."""
    kind = type_of(told.entry.kind)
    facts: dict[str, Any] = {
        "lead": told.lead, "seq": told.seq, "number": told.number, "stage": told.stage,
        "rule": told.entry.rule or None, "erased": told.erased,
    }  # fmt: skip
    if kind == CHANGED:
        facts["to"] = told.entry.kind.removeprefix(STAGE)
    elif kind == NOTED:
        facts["kind"] = told.entry.kind
    own = _own(MODELS[kind])
    facts |= {name: value for name, value in told.entry.data.items() if name in own}
    if detail == "full" and not told.erased:
        facts["text"] = told.entry.text or None
        facts["person"] = _person(told.lead)
    data = MODELS[kind].model_validate(facts).model_dump(mode="json", by_alias=True, exclude_none=True)
    sent = {"type": kind, "timestamp": told.entry.at.isoformat().replace("+00:00", "Z"), "data": data}
    return json.dumps(sent, ensure_ascii=False, separators=(",", ":")).encode()


@cache
def _own(model: type[Data]) -> frozenset[str]:
    """The names under which an entry's facts go into events of this type: those that every event has are ours to say."""
    return frozenset(field.alias or name for name, field in model.model_fields.items() if name not in Data.model_fields)


def _person(lead: str) -> dict[str, str] | None:
    known = store.lead(lead)
    if known is None or known.person is None:
        return None
    person = known.person
    told = {"name": person.name, "phone": person.phone, "email": person.email, "company": person.company}
    return {name: value for name, value in told.items() if value}


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of an event of this type."""
    data = MODELS[kind].model_json_schema(by_alias=True, mode="serialization")
    for fact in data["properties"].values():
        fact.pop("title", None)
        fact.pop("default", None)
        kinds = [one for one in fact.pop("anyOf", []) if one != {"type": "null"}]
        if kinds:  # what is not known is left out, never null
            fact |= kinds[0]
    data["required"] = [name for name in data["required"] if name in _required(MODELS[kind])]
    data.pop("title", None)
    return {
        "title": kind,
        "type": "object",
        "properties": {
            "type": {"const": kind},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened, in UTC."},
            "data": data,
        },
        "required": ["type", "timestamp", "data"],
        "additionalProperties": False,
    }


def _required(model: type[Data]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items() if field.is_required() or name == "erased"}
