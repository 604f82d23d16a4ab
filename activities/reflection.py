"""The activity ``reflect``: what changed with a lead, told to the record, the CRM and the reps' channel at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from sqlalchemy.exc import SQLAlchemyError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from workflows.effects import Reflection, ReflectionDone
from workflows.events import Meet
from workflows.model import Model
from workflows.rotation import Outcome
from workflows.standing import summary

from . import calendars, claims, crm, faults, health, notices, record, roster
from .vendors import hubspot, slack


class Told(Model):
    """A part that is through: what came of the CRM's, the leads that share a handle, or the words of a refusal."""

    refused: str = ""
    synced: crm.Synced | None = None
    meets: tuple[Meet, ...] = ()


@activity.defn
async def reflect(request: Reflection) -> ReflectionDone:
    """Tell each of ``request.parts``, all at once; a vendor that is not configured is left out.

    A part that fails for now does not stop the others: only when all are through it raises ``retry`` or
    ``retry_after``, having left word in its heartbeat of what is done, so that the next attempt does not send that
    again. A worker that died left no word; then all is sent again, and recognised by its keys. What a vendor refuses
    for good is answered in ``failed``."""
    done = _before()
    wanted = [name for name in _PARTS if name in request.parts and name not in done]
    results = await asyncio.gather(*(_PARTS[name](request) for name in wanted), return_exceptions=True)
    errors = []
    for name, result in zip(wanted, results, strict=True):
        told = _through(result)
        health.effect(f"reflect.{name}", _outcome(result), _words(result), request.lead)
        if told is not None:
            done[name] = told
        elif isinstance(result, BaseException):
            errors.append(result)
    if error := faults.worst(errors):
        activity.heartbeat({name: told.model_dump(mode="json") for name, told in done.items()})
        raise error
    synced = next((told.synced for told in done.values() if told.synced), crm.Synced())
    return ReflectionDone(
        owner=synced.owner, contact=synced.contact, conflicts=synced.conflicts,
        known=synced.known if synced.contact else None,
        left_out=(*synced.left_out, *(f"{name}: reads otherwise" for name in synced.differs)),
        meets=tuple(meet for told in done.values() for meet in told.meets),
        failed=tuple(f"{name}: {told.refused}" for name, told in done.items() if told.refused),
    )  # fmt: skip


async def _record(request: Reflection) -> Told:
    return Told(meets=await record.write(request))


async def _crm(request: Reflection) -> Told:
    if not hubspot.configured():
        return Told()
    synced = await crm.sync(request)
    if synced.contact and request.form is not None:
        try:
            await asyncio.to_thread(claims.in_crm, request.lead, synced.contact)
        except SQLAlchemyError as error:
            raise faults.retry(f"the record could not be written: {type(error).__name__}") from error
    return Told(synced=synced)


async def _notice(request: Reflection) -> Told:
    if slack.configured():
        await notices.post(request.cards, summary(request))
    return Told()


async def _rotation(request: Reflection) -> Told:
    """Whether they met, told to the team's turns and to the calendar."""
    booking = request.booking
    if booking is not None and request.meeting_outcome in ("showed", "no_show"):
        client, showed = activity.client(), request.meeting_outcome == "showed"
        await roster.outcome(client, request.team, Outcome(booking=booking.id, showed=showed))
        try:
            reps = {rep.id: rep for rep in (await roster.roster(client, request.team)).reps}
        except LookupError:
            return Told()
        if (rep := reps.get(booking.rep)) is not None and calendars.of(rep).keeps_outcomes:
            await calendars.configured(rep).outcome(calendars.mark(booking), showed)
    return Told()


_PARTS: Mapping[str, Callable[[Reflection], Awaitable[Told]]] = {
    "record": _record,
    "crm": _crm,
    "notice": _notice,
    "rotation": _rotation,
}


def _through(result: Told | BaseException) -> Told | None:
    """What the part has come to; None when it is to be tried again."""
    if isinstance(result, Told):
        return result
    if isinstance(result, ApplicationError) and result.non_retryable:
        return Told(refused=result.message)
    return None


def _outcome(result: Told | BaseException) -> str:
    if isinstance(result, Told):
        return "ok"
    return (result.type if isinstance(result, ApplicationError) else None) or "error"


def _words(result: Told | BaseException) -> str:
    if isinstance(result, Told):
        return result.refused
    return result.message if isinstance(result, ApplicationError) else type(result).__name__


def _before() -> dict[str, Told]:
    """What earlier attempts of this activity left in the heartbeat."""
    details = activity.info().heartbeat_details
    left = details[0] if details else {}
    return {name: Told.model_validate(told) for name, told in left.items()}
