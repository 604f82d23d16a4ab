"""What a workflow costs: billable actions and bytes, counted from its real history.

One action each: start, signal, update, activity attempt, timer, search-attribute upsert, continue-as-new
(Temporal's pricing of actions; ``docs`` evaluate/cloud/actions).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from temporalio.api.enums.v1 import EventType

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


def size(history: Any) -> int:
    """Bytes of the run's history as it is stored, payloads encrypted; the skipped clock's own marks are left out,
    for production has none."""
    return sum(
        event.ByteSize()
        for event in history.events
        if "TIME_SKIPPING" not in EventType.Name(event.event_type)
    )
