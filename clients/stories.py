"""A lead's story, put together for people: what it says of itself now, and what the record has kept.

Either half may be missing (no worker runs; nothing was recorded yet; the execution is over) and the other still
tells. Only when neither knows the lead is it unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client

from activities import handles, installation, store
from activities.settings import settings
from activities.store import LeadRecord
from workflows import graph, identity, messages
from workflows.account import account
from workflows.attributes import AUDIENCE, SOURCE, STAGE
from workflows.control_workflow import Hold, scope_fault
from workflows.effects import CallNote, Entry
from workflows.events import Booking, Concern, Form, Sign, Verdict
from workflows.lead import Lead
from workflows.messages import Accounted, Judged, View, Waiting
from workflows.model import Instant, Model
from workflows.playbook import Playbook, registered
from workflows.rules import zones_of

from . import leads
from .leads import Unknown, Unreachable

_T = TypeVar("_T")


class Story(Model):
    """All that people may see of one lead. ``now`` is None when the lead did not answer; ``silence`` says why."""

    lead: str
    now: View | None = None
    record: LeadRecord | None = None
    entries: tuple[Entry, ...] = ()
    calls: tuple[CallNote, ...] = ()
    account: tuple[Accounted, ...] = ()
    """Every touch that the playbook lists, made or missing; of a closed lead that no longer answers, as it was when it
    closed."""
    silence: str = ""
    hold: Hold | None = None
    """The pause that holds this lead, when it is a wider one: who paused what, since when and why."""

    @property
    def person(self) -> Form | None:
        return (self.now.person if self.now else None) or (self.record.person if self.record else None)

    @property
    def survivor(self) -> str:
        """The lead that goes on with the story: this one, unless it was merged."""
        return self.now.lead if self.now else self.lead

    @property
    def stage(self) -> str:
        return self.now.stage if self.now else self.record.stage if self.record else "new"

    @property
    def booking(self) -> Booking | None:
        return self.now.booking if self.now else self.record.booking if self.record else None

    @property
    def zone(self) -> str:
        return (self.now.zone if self.now else "") or zone_of(self.person)

    @property
    def criteria(self) -> tuple[Judged, ...]:
        """How they fit, and on whose word."""
        return self.now.criteria if self.now else self.record.criteria if self.record else ()

    @property
    def signs(self) -> tuple[Sign, ...]:
        """One sign of each kind that they gave, as strong as all of them together."""
        return self.now.signs if self.now else self.record.signs if self.record else ()

    @property
    def concerns(self) -> tuple[Concern, ...]:
        """Their concerns as they stand: the lead's own word, else that of the last call in which any were told."""
        if self.now and self.now.concerns:
            return self.now.concerns
        return next((call.concerns for call in reversed(self.calls) if call.concerns), ())

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Every verdict, on the phone and by text, oldest first."""
        spoken = [verdict for call in self.calls for verdict in call.verdicts]
        texted = [verdict for entry in self.entries for verdict in entry.verdicts]
        return tuple(sorted([*spoken, *texted], key=lambda verdict: verdict.at))

    @property
    def approvals(self) -> tuple[Waiting, ...]:
        """What waits for a person's word."""
        return self.now.approvals if self.now else ()

    @property
    def learned(self) -> dict[str, str]:
        return self.now.learned if self.now else self.record.learned if self.record else {}

    @property
    def playbook(self) -> str:
        """The content hash of the playbook that the lead keeps."""
        return self.now.playbook if self.now else self.record.playbook if self.record else ""


class Row(Model):
    """A lead in a list."""

    lead: str
    stage: str
    name: str = ""
    company: str = ""
    source: str = ""
    audience: str = ""
    owner: str = ""
    review: str = ""
    disposition: str = ""
    booking: Booking | None = None
    zone: str = "UTC"
    at: Instant | None = None
    """When it last changed; for a lead that was not recorded yet, when it was accepted."""


async def story(client: Client | None, lead: str) -> Story:
    """The story of ``lead``. Raises Unknown when nobody knows it, Unreachable when neither half could be asked."""
    live, recorded = await asyncio.gather(_live(client, lead), _recorded(lead), return_exceptions=True)
    for half in (live, recorded):
        if isinstance(half, BaseException) and not isinstance(half, Unknown | Unreachable):
            raise half
    now, fresh = live if isinstance(live, tuple) else (None, [])
    record, entries, calls = recorded if isinstance(recorded, tuple) else (None, [], [])
    if now is None and record is None:
        if isinstance(live, Unreachable):
            if await _accepted(client, lead):
                return Story(lead=lead, silence="accepted; no worker has taken it up yet")
            raise live
        if isinstance(recorded, Unreachable):
            raise recorded
        raise Unknown("there is no such lead")
    silence = str(live) if isinstance(live, Exception) else ""
    touches = now.account if now else await from_record(partial(_closing_account, record)) if record else ()
    return Story(
        lead=lead, now=now, record=record, entries=merged(entries, fresh), calls=tuple(calls), account=touches,
        silence=silence, hold=await _hold(client, now) if now and now.held_by else None,
    )  # fmt: skip


async def _hold(client: Client | None, now: View) -> Hold | None:
    """The wider pause that holds the lead; None where it is the lead's own, or nobody can say."""
    if scope_fault(now.held_by):
        return None
    try:
        return next((hold for hold in await leads.holds(client) if hold.scope == now.held_by), None)
    except Unreachable:
        return None


def merged(recorded: list[Entry], fresh: list[Entry]) -> tuple[Entry, ...]:
    """Both halves of a story as one, oldest first: an entry that was just recorded may stand in both."""
    known = {entry.model_dump_json() for entry in recorded}
    both = [*recorded, *(entry for entry in fresh if entry.model_dump_json() not in known)]
    return tuple(sorted(both, key=lambda entry: (entry.version, entry.at)))


def drawn(told: Story, book: Playbook, attempt: str = "") -> str:
    """The graph of ``book`` as SVG with the ways that this lead's calls took, or that of one ``attempt``. Raises Unknown
    when there is no such call."""
    calls = [call for call in told.calls if attempt in ("", call.attempt)]
    if attempt and not calls:
        raise Unknown("this lead has no such call")
    what = f"call {attempt}" if attempt else f"{len(calls)} calls" if len(calls) != 1 else "one call"
    return graph.draw(book, *(call.path for call in calls if call.path), title=f"{told.lead}: the way of {what}")


async def rows(
    client: Client | None,
    *,
    stage: str = "",
    audience: str = "",
    source: str = "",
    owner: str = "",
    review: bool | None = None,
    limit: int = 50,
    offset: int = 0,
) -> list[Row]:
    """Leads, the latest changed first; an empty filter means any. Those accepted but not recorded yet come first.

    Raises Unreachable when the record cannot be read."""
    known = await from_record(
        lambda: store.list_leads(
            stage=stage, audience=audience, source=source, owner=owner, review=review, limit=limit, offset=offset
        )
    )
    found = [_row(record) for record in known]
    if offset or owner or review:
        return found
    recorded = {row.lead for row in found}
    waiting = [
        row
        for row in await _unrecorded(client, audience, source)
        if row.lead not in recorded and stage in ("", row.stage)
    ]
    if waiting:
        kept = await asyncio.gather(*(from_record(partial(store.lead, row.lead)) for row in waiting))
        waiting = [row for row, record in zip(waiting, kept, strict=True) if record is None]
    return waiting + found


def zone_of(person: Form | None) -> str:
    """The zone in which a person is told times: the stated one, else the first in which the number may be."""
    if person is None:
        return "UTC"
    known = zones_of(person.phone, person.region, person.zone)
    return person.zone or (known[0] if known else "UTC")


async def find(text: str) -> list[str]:
    """The ids of the leads that ``text`` names: an id, a phone number or an e-mail address."""
    house = settings()
    wanted = text.strip()
    if wanted.startswith(identity.lead_id("")):
        return [wanted]
    hashes = []
    for normal in (lambda t: identity.phone_number(t, house.showrate_region), identity.email_address):
        try:
            hashes.append(identity.handle_id(house.identity_key, normal(wanted)))
        except ValueError:
            continue
    found: dict[str, None] = {}
    for handle in hashes:
        known = await from_record(partial(handles.leads_of, handle))
        found.update(dict.fromkeys([*known, identity.lead_id(handle)]))
    return list(found)


async def named(client: Client | None, text: str, besides: str = "") -> Story:
    """The story of whom ``text`` (an id, a number, an address) names; of several the first that is another than the lead
    ``besides``. Raises Unknown, Unreachable."""
    only = None
    async for only in matching(client, text):
        if only.lead != besides:
            break
    if only is None:
        raise Unknown(f"nobody knows {text!r}")
    return only


async def matching(client: Client | None, text: str) -> AsyncIterator[Story]:
    """The stories of all whom ``text`` names. Raises Unknown where it can name nobody, Unreachable."""
    found = await find(text)
    if not found:
        raise Unknown(f"{text!r} is no lead's id, phone number or e-mail address")
    for lead in found:
        try:
            yield await story(client, lead)
        except Unknown:
            continue


async def from_record(read: Callable[[], _T]) -> _T:
    """What ``read`` gives, run in a thread. Raises Unreachable when the record cannot be read."""
    try:
        return await asyncio.to_thread(read)
    except (SQLAlchemyError, OSError) as error:
        raise Unreachable(f"the record cannot be read ({type(error).__name__})") from error


def as_json(told: Story) -> dict[str, Any]:
    """The story as the API answers it."""
    seen = told.now.in_full() if told.now else None
    record = told.record.in_full() if told.record else None
    return {
        "lead": told.lead,
        "stage": told.stage,
        "silence": told.silence,
        "hold": told.hold.in_full() if told.hold else None,
        "person": told.person.in_full() if told.person else None,
        "booking": told.booking.in_full() if told.booking else None,
        "zone": told.zone,
        "learned": told.learned,
        "now": seen,
        "record": record,
        "entries": [entry.in_full() for entry in told.entries],
        "calls": [call.in_full() for call in told.calls],
    }


async def _live(client: Client | None, lead: str) -> tuple[View, list[Entry]]:
    view, why = await asyncio.gather(leads.view(client, lead), leads.why(client, lead))
    return view, why


async def _recorded(lead: str) -> tuple[LeadRecord | None, list[Entry], list[CallNote]]:
    def read() -> tuple[LeadRecord | None, list[Entry], list[CallNote]]:
        record = store.lead(lead)
        return (record, store.entries(lead), store.calls(lead)) if record else (None, [], [])

    return await from_record(read)


def _closing_account(record: LeadRecord) -> tuple[Accounted, ...]:
    """The account of a closed lead's cadence, from the state in which it closed; of one that was opened again, what is
    remembered is an earlier life."""
    memory = store.recall(record.lead) if record.stage == "closed" else None
    if memory is None:
        return ()
    state = Lead.model_validate(memory)
    book = registered().get(state.playbook) or installation.playbooks().get(state.playbook)
    return account(state, book) if book else ()


async def _accepted(client: Client | None, lead: str) -> bool:
    try:
        return await leads.exists(client, lead)
    except Unreachable:
        return False


async def _unrecorded(client: Client | None, audience: str, source: str) -> list[Row]:
    """The newest open leads that Temporal shows: one that is in its first call is not recorded yet. None when Temporal
    does not answer, since the record's list is good too."""
    if client is None:
        return []
    query = f"WorkflowType = '{messages.LEAD}' AND ExecutionStatus = 'Running' AND {STAGE.name} != 'closed'"
    try:
        async with asyncio.timeout(leads.READ_WITHIN):
            found = [execution async for execution in client.list_workflows(query, limit=50)]
    except Exception:  # Temporal away or visibility not ready: the list is then the record's alone
        return []
    rows = [
        Row(
            lead=execution.id,
            stage=execution.typed_search_attributes.get(STAGE) or "new",
            source=execution.typed_search_attributes.get(SOURCE) or "",
            audience=execution.typed_search_attributes.get(AUDIENCE) or "",
            at=execution.start_time,
        )
        for execution in found
    ]
    return [row for row in rows if audience in ("", row.audience) and source in ("", row.source)]


def row_of(told: Story) -> Row:
    """``told`` as a line of a list."""
    if told.record is not None:
        return _row(told.record)
    person = told.person
    return Row(
        lead=told.lead, stage=told.stage, name=person.name if person else "", company=person.company if person else "",
        source=person.source if person else "", booking=told.booking, zone=told.zone,
    )  # fmt: skip


def _row(record: LeadRecord) -> Row:
    person = record.person
    return Row(
        lead=record.lead,
        stage=record.stage,
        name=person.name if person else "",
        company=person.company if person else "",
        source=record.source,
        audience=record.audience,
        owner=record.owner,
        review=record.review,
        disposition=record.disposition,
        booking=record.booking,
        zone=zone_of(person),
        at=record.updated_at,
    )
