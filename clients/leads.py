"""Asking a lead, and telling it: what the console, the API and the command have in common.

Every request to Temporal has a deadline here and an error that says what to do. Changes are Workflow Updates, so the
answer is the lead's own recorded verdict.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import (
    Client,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities import gate, library
from activities.settings import settings
from workflows import identity, messages, story
from workflows.control_workflow import Hold, Paused
from workflows.effects import Entry
from workflows.messages import Answer, Apart, By, Decide, Merge, Move, TakeOver, View, Wake
from workflows.playbook import PlaybookError, registered
from workflows.requests import SAME_TIME

from . import consent

READ_WITHIN = 3.0
"""Seconds in which a lead must answer a question; the record answers where it does not."""
CHANGE_WITHIN = 25.0
"""Seconds for a change: a move books in a calendar before it answers."""

ACTIONS = {
    "reschedule": "reschedule",
    "cancel": "cancel",
    "undo": "undo",
    "take-over": "take_over",
    "release": "release",
    "attended": "attended",
    "no-show": "no_show",
    "hold": "hold",
    "resume": "resume",
    "opt-out": "opt_out",
    "opt-in": "opt_in",
    "approve": "approve",
    "reject": "reject",
}
"""What people may ask of a lead, as addresses and commands spell it -> the update's name (``resume``: a signal)."""

STAGES = (
    "new", "attempting", "contacted", "interested", "qualified", "booked", "confirmed", "rescheduled", "no_show",
    "recovered", "showed", "closed",
)  # fmt: skip
"""In the order of a lead's life; ``workflows/lead.py`` moves leads through them."""

_WHY = {
    SAME_TIME: "the meeting is at that time already",
    "no_meeting": "there is no meeting",
    "nothing_to_undo": "nothing was changed since",
    "time_passed": "what stood before is over by now",
    "slot_not_offered": "this slot is not on offer; name a time instead",
    "showed_already": "they have met already",
}
"""Rules that people meet when they ask, where the answer has no words of its own."""

_T = TypeVar("_T")


class Unknown(LookupError):
    """There is no such lead, or its execution is over; the record may still know it."""


class Unreachable(ConnectionError):
    """Temporal did not answer, or no worker took the request in time."""


class Unanswered(Unreachable):
    """What was asked is on its way, and no answer came in time."""


class Moved(LookupError):
    """The lead went into ``into``, the same person."""

    def __init__(self, into: str) -> None:
        self.into = into
        super().__init__(f"goes on as {into}")


class Refused(ValueError):
    """The lead could not do what was asked; the message is its own."""


async def view(client: Client | None, lead: str) -> View:
    """The lead as it is now, or the one that has its story. Raises Unknown, Unreachable."""
    handle = connected(client).get_workflow_handle(lead)
    seen = await _within(READ_WITHIN, handle.query("view", result_type=View))
    return await view(client, seen.merged_into) if seen.merged_into else seen


async def why(client: Client | None, lead: str) -> list[Entry]:
    """What the lead remembers of its own story. Raises Unknown, Unreachable."""
    handle = connected(client).get_workflow_handle(lead)
    return await _within(READ_WITHIN, handle.query("why", result_type=list[Entry]))


async def ask(
    client: Client | None,
    lead: str,
    action: str,
    *,
    by: str,
    words: str = "",
    start: datetime | None = None,
    slot: str = "",
    request: str = "",
    request_id: str = "",
    only: bool = False,
) -> Answer:
    """Ask the lead to do ``action`` (a key of :data:`ACTIONS`); its verdict. ``request_id`` makes a repeat harmless;
    ``only``: do not take over from a colleague.

    ``start`` (aware) or ``slot`` say where a meeting moves to; ``request`` which waiting action is decided on, or which
    meeting is marked: the only one by default. Raises Refused, Unknown, Unreachable."""
    handle = connected(client).get_workflow_handle(lead)
    request_id = request_id or f"{action}-{uuid.uuid4().hex}"
    if action == "resume":
        await _within(READ_WITHIN, handle.signal("resume", Wake(by=by, id=request_id)))
        return Answer(allowed=True)
    asked: Move | By = By(by=by, words=words, id=request_id)
    if action == "reschedule":
        asked = Move(by=by, start=start, slot=slot, id=request_id)
    elif action == "take-over":
        asked = TakeOver(by=by, words=words, id=request_id, only=only)
    elif action in ("attended", "no-show"):
        asked = By(by=by, words=words, id=request_id, booking=request)
    elif action == "opt-in" and words.strip():
        # First their handles: what the lead sends before that would be refused, and count as one more opt-out.
        try:
            await _within(READ_WITHIN, consent.take_back(connected(client), lead, by, words))
        except SQLAlchemyError as error:
            raise Unreachable(f"the record cannot be read ({type(error).__name__})") from error
    elif action in ("approve", "reject"):
        asked = Decide(by=by, words=words, id=request_id, request=request)
    return await update(client, lead, ACTIONS[action], asked, request_id=request_id, result=Answer)


async def update(
    client: Client | None,
    lead: str,
    name: str,
    asked: Any,
    *,
    request_id: str,
    result: type[_T],
    within: float = CHANGE_WITHIN,
) -> _T:
    """Send one update under its own id and wait for the answer; of a lead that went into another, that of the other.
    Raises Refused, Unknown, Unreachable."""
    handle = connected(client).get_workflow_handle(lead)
    sent = handle.execute_update(name, asked, id=request_id, result_type=result)
    try:
        return await _within(within, sent)
    except Moved as moved:
        return await update(client, moved.into, name, asked, request_id=request_id, result=result, within=within)


async def merge(
    client: Client | None, lead: str, other: str, *, by: str, words: str = "", keep: str = "", request_id: str = ""
) -> Answer:
    """``other`` is the same person as ``lead`` and goes into it; ``keep`` (``mine``, ``theirs``: of ``lead`` or of ``other``) says
    whose meeting stands where both have one. Where ``other`` is in a call, the answer says that this has to end first; it
    goes in then. Raises Refused, Unknown, Unreachable."""
    request = request_id or f"merge-{uuid.uuid4().hex}"
    asked = Merge.model_validate({"by": by, "words": words, "id": request, "other": other, "keep": keep})
    try:
        return await update(client, lead, "merge", asked, request_id=request, result=Answer, within=CHANGE_WITHIN)
    except Unanswered:
        if (await view(client, other)).on_call:
            return Answer(allowed=False, rule="in_a_call", detail="the other lead is in a call; it goes into this one when that is over")
        raise


async def keep_apart(
    client: Client | None, lead: str, other: str, *, by: str, words: str = "", request_id: str = ""
) -> Answer:
    """``lead`` and ``other`` are two people; both go on, and both know. Raises Refused, Unknown, Unreachable."""
    answer = Answer(allowed=True)
    for one, another in ((lead, other), (other, lead)):
        request = request_id or f"apart-{uuid.uuid4().hex}"
        asked = Apart(by=by, words=words, id=request, other=another)
        answer = await update(client, one, "keep_apart", asked, request_id=request, result=Answer)
    return answer


async def set_paused(client: Client | None, scope: str, pause: bool, by: str, words: str = "") -> dict[str, Any]:
    """Pause or resume ``scope`` (``everything``, ``audience:X``, ``channel:call``, or a lead's id); what is paused
    then. Raises Refused on an unknown scope, Unknown, Unreachable."""
    if scope.startswith("lead-"):
        answer = await ask(client, scope, "hold" if pause else "resume", by=by, words=words)
        return {"scope": scope, "paused": pause and answer.allowed, "waiting": False}
    temporal = connected(client)
    if pause and (fault := _no_audience(scope)):
        raise Refused(fault)
    try:
        told = gate.pause(temporal, scope, by, words) if pause else gate.resume(temporal, scope, by)
        answered = await _within(CHANGE_WITHIN, told)
    except ValueError as error:
        raise Refused(str(error)) from error
    return {
        "scope": scope,
        "paused": pause,
        "waiting": answered.waiting,
        "holds": [hold.in_full() for hold in answered.holds],
    }


def _no_audience(scope: str) -> str:
    """Why ``scope`` names an audience that nobody is of; empty where it does not. A slip of the pen would leave those
    who were meant to be called on. What is paused can be resumed under any name."""
    kind, _, name = scope.partition(":")
    if kind != "audience" or not name:
        return ""
    known = {book.audience for book in registered().values()}
    try:
        known |= {book.audience for book in library.playbooks(settings().showrate_playbooks)}
    except (PlaybookError, OSError):
        return ""  # a broken playbook must keep nobody from pausing
    return "" if name in known else f"there is no audience {name}; there are {', '.join(sorted(known))}"


async def paused(client: Client | None) -> list[str]:
    """The scopes that are paused now. Raises Unreachable."""
    return sorted(await _within(READ_WITHIN, gate.paused_scopes(connected(client))))


async def holds(client: Client | None) -> tuple[Hold, ...]:
    """What is paused, by whom, why and since when. Raises Unreachable, also where no worker runs to say it."""
    handle = connected(client).get_workflow_handle(identity.CONTROL_ID)
    try:
        found: Paused = await _within(READ_WITHIN, handle.query("paused", result_type=Paused))
    except Unknown:
        return ()
    return found.holds


async def exists(client: Client | None, lead: str) -> bool:
    """Whether Temporal has an open execution of this lead. Raises Unreachable."""
    try:
        description = await _within(READ_WITHIN, connected(client).get_workflow_handle(lead).describe())
    except Unknown:
        return False
    return description.close_time is None and description.workflow_type == messages.LEAD


def connected(client: Client | None) -> Client:
    """``client``, if there is one yet. Raises Unreachable."""
    if client is None:
        raise Unreachable("not connected to Temporal yet; try again in a few seconds")
    return client


async def _within(seconds: float, request: Awaitable[_T]) -> _T:
    try:
        async with asyncio.timeout(seconds):
            return await request
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
        limit = timedelta(seconds=seconds).total_seconds()
        raise Unanswered(f"no answer within {limit:.0f} s; is a worker running?") from error
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise Unknown("Temporal has no open lead of this id") from error
        if error.status in {RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.FAILED_PRECONDITION}:
            raise Unreachable(f"the lead cannot answer just now: {error.message}") from error
        raise Unreachable(f"Temporal does not answer ({error.status.name})") from error
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        if isinstance(cause, ApplicationError) and cause.type == story.MERGED:
            raise Moved(cause.message) from error
        raise Refused(str(error.cause or error)) from error
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        raise Unreachable(f"the lead cannot answer just now: {error}") from error


def told(action: str, answer: Answer) -> str:
    """The answer in one sentence for people."""
    if answer.allowed:
        return {
            "reschedule": "The meeting is moved.",
            "cancel": "The meeting is cancelled.",
            "undo": "Undone: what was before stands again.",
            "take-over": f"You have taken over{f' from {answer.detail}' if answer.detail else ''}; the agent stays silent.",
            "release": "The agent goes on.",
            "attended": "Marked as attended.",
            "no-show": "Marked as a no-show; recovery begins.",
            "hold": "On hold: nothing is dialled or sent.",
            "resume": "Contact goes on.",
            "opt-out": "Opted out: nobody contacts them again.",
            "opt-in": "Opted in: they may be contacted again, once they ask for something.",
            "approve": "Approved and done.",
            "reject": "Rejected; they are told that a colleague gets back to them.",
            "merge": "They are one lead now.",
            "apart": "They are two people; both go on.",
        }.get(action, "Done.")
    reason = answer.detail or _WHY.get(answer.rule) or answer.rule.replace("_", " ")
    return f"Not done: {reason or 'the lead refused'}."
