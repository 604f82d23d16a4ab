"""What a workflow costs: billable actions and bytes, counted from its real history.

One action each: start, signal, update, activity attempt, timer, search-attribute upsert, continue-as-new
(Temporal's pricing of actions; ``docs`` evaluate/cloud/actions).
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any, NamedTuple

from temporalio.api.enums.v1 import EventType

from activities.vendors.temporal import Codec

_ACTIONS = {
    "WORKFLOW_EXECUTION_STARTED": "start",
    "WORKFLOW_EXECUTION_SIGNALED": "signal",
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED": "update",
    "TIMER_STARTED": "timer",
    "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES": "attributes",
    "WORKFLOW_PROPERTIES_MODIFIED": "memo",
    "START_CHILD_WORKFLOW_EXECUTION_INITIATED": "child",
    "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED": "signal",
    "WORKFLOW_EXECUTION_CONTINUED_AS_NEW": "continue",
}


def actions(history: Any) -> Counter[str]:
    """The billable actions of one run by kind; activities by name, one for each attempt."""
    found: Counter[str] = Counter()
    names: dict[int, str] = {}
    for event in history.events:
        kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
        if kind == "ACTIVITY_TASK_SCHEDULED":
            name = event.activity_task_scheduled_event_attributes.activity_type.name
            names[event.event_id] = name
            found[name] += 1
        elif kind == "ACTIVITY_TASK_STARTED":
            started = event.activity_task_started_event_attributes
            found[names[started.scheduled_event_id]] += started.attempt - 1
        elif kind in _ACTIONS:
            found[_ACTIONS[kind]] += 1
    return found


class Line(NamedTuple):
    """One billable action: when after the start, its kind (as :func:`actions` counts it), and what it is about."""

    after: timedelta
    kind: str
    about: str


def lines(history: Any, codec: Codec) -> list[Line]:
    """The billable actions of one run in order; what they are about is read with ``codec`` from their summaries."""
    found: list[Line] = []
    began = history.events[0].event_time.ToDatetime()
    for event in history.events:
        kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
        about = ""
        if event.user_metadata.summary.data:
            about = str(json.loads(codec.open(event.user_metadata.summary).data))
        match kind:
            case "ACTIVITY_TASK_SCHEDULED":
                name = event.activity_task_scheduled_event_attributes.activity_type.name
            case "WORKFLOW_EXECUTION_SIGNALED":
                name, about = "signal", event.workflow_execution_signaled_event_attributes.signal_name
            case "WORKFLOW_EXECUTION_UPDATE_ACCEPTED":
                asked = event.workflow_execution_update_accepted_event_attributes.accepted_request.input
                name, about = "update", asked.name
            case _ if kind in _ACTIONS:
                name = _ACTIONS[kind]
            case _:
                continue
        found.append(Line(event.event_time.ToDatetime() - began, name, about))
    return found


def size(history: Any) -> int:
    """Bytes of the run's history as it is stored, payloads encrypted; the skipped clock's own marks are left out,
    for production has none."""
    return sum(
        event.ByteSize()
        for event in history.events
        if "TIME_SKIPPING" not in EventType.Name(event.event_type)
    )
