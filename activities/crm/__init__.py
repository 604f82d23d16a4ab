"""Keeping the CRM true: the contact, its calls with transcripts, meetings and deal of a lead, the tasks that it leaves to
people, and a note on how it ended.

Everything is written under keys of our own, so a repeat changes nothing: the contact and its deal under the lead's
id, a call under lead and attempt, a meeting under its booking, a task under the request that it came from. Only what
differs is written, never over what a person set (:mod:`.merge`), and what was written is read back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Iterable, Mapping

from activities import faults, store
from activities.reps import rep, rep_of_owner
from activities.vendors import hubspot
from activities.vendors.hubspot import KEY, Conflict, Record
from workflows.crm import Conflict as Edited
from workflows.crm import Crm, Known
from workflows.effects import Reflection
from workflows.events import Form
from workflows.model import Model
from workflows.playbook import registered

from . import account, fields, known, merge, sequences, shared
from .account import forget, prepare
from .fields import lead_page
from .known import before_call

__all__ = ["Synced", "before_call", "forget", "lead_page", "prepare", "rules_of", "sync"]


class Synced(Model):
    """What came of bringing the CRM up to date. ``left_out`` and ``differs`` name fields (``contacts.showrate_fit``): those
    that cannot be written, with HubSpot's code, and those that read otherwise than they were written."""

    owner: str = ""
    """The rep who owns the contact; empty when nobody of ours does."""
    contact: str = ""
    known: Known = Known()
    conflicts: tuple[Edited, ...] = ()
    left_out: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()


def rules_of(playbook: str) -> Crm:
    """The section ``crm`` of a registered playbook; as it is by default for one that this process does not know."""
    book = registered().get(playbook)
    return book.crm if book else Crm()


async def sync(told: Reflection) -> Synced:
    """Bring the CRM up to ``told``; idempotent.

    Raises the errors of :mod:`activities.faults`: a refusal of one record does not keep the others from being
    written, and a temporary failure outranks it, so that the whole is tried again."""
    pen = _Pen(told, rules_of(told.playbook), await account.app())
    contact = await pen.contact()
    deal = asyncio.ensure_future(pen.deal(contact))
    work: list[Awaitable[object]] = [deal, pen.calls(contact), pen.meetings(contact, deal), pen.tasks(contact)]
    if told.stage == "closed":
        work += [pen.note(contact), pen.sequence(contact)]
    results = await asyncio.gather(*work, return_exceptions=True)
    if error := faults.worst(result for result in results if isinstance(result, BaseException)):
        raise error
    return Synced(
        owner=pen.known.owner, contact=contact.id, known=pen.known.model_copy(update={"contact": contact.id}),
        conflicts=tuple(pen.conflicts), left_out=tuple(sorted(pen.left_out)), differs=tuple(sorted(pen.differs)),
    )  # fmt: skip


class _Pen:
    """One reflection on its way into the CRM, and what came of each field."""

    def __init__(self, told: Reflection, rules: Crm, app: str) -> None:
        self.told, self.rules, self.app = told, rules, app
        self.known = Known()
        self.conflicts: list[Edited] = []
        self.left_out: set[str] = set()
        self.differs: set[str] = set()
        self.aside = False
        """The contact goes on telling another lead's story."""

    # -- the contact

    async def contact(self) -> Record:
        """The lead's contact, found or made, as it stands after it was written."""
        told, person = self.told, self.told.form
        values = await self._there("contacts", fields.contact(told, self.rules, person))
        wanted = (*known.names(self.rules), *values)
        found = await known.by_key(told.lead, told.contact, wanted)
        if found.record is None:
            if person is None:
                person = await asyncio.to_thread(_person, told.lead)
                values = await self._there("contacts", fields.contact(told, self.rules, person))
                wanted = (*known.names(self.rules), *values)
            if person is not None:
                found = await known.by_person(person, wanted, wanted)
        self.known = await known.standing(found.record, self.rules)
        if found.others:
            note = f"{found.others} more with this number"
            values[self.rules.name("showrate_review")] = told.needs_review or note
        record, values = await self._shared(found.record, values)
        values |= await self._owner(record)
        if not self.aside:
            values |= await self._there("contacts", sequences.wanted(told, self.rules, record))
        return await self._write_contact(record, values)

    async def _shared(self, record: Record | None, values: dict[str, str]) -> tuple[Record | None, dict[str, str]]:
        """What of ``values`` goes to a contact that another lead has too, and the contact with all that goes with it: whole
        where this lead's story is told from now on, with what the other one said taken out."""
        told, rules = self.told, self.rules
        if record is None or not shared.another(record, told, rules):
            return record, shared.unnamed(record, values, told.lead)
        self.aside = shared.stands(record, told, rules)
        if self.aside:
            asked = {name: values[name] for name in values if f"contacts.{name}" in told.overwrite}
            return record, shared.aside(record, values) | asked
        names = shared.ours(rules, await account.properties("contacts"))
        wanted = (*known.names(rules), *names, *values)
        record = await hubspot.read("contacts", record.id, wanted, "", wanted) or record
        return record, {name: "" for name in names if record.values.get(name)} | shared.unnamed(record, values, told.lead)

    async def _write_contact(self, record: Record | None, values: dict[str, str]) -> Record:
        """With our key, unless the contact is another lead's already: two numbers may share an address."""
        lead = self.told.lead
        shared = record is not None and record.values.get(KEY, lead) != lead
        adopted = record is not None and record.values.get(KEY) is None
        change = self._merged("contacts", record, values)
        if adopted:
            change[KEY] = lead
        if record is not None and not change:
            return record
        id, by = (record.id, "") if record is not None and (shared or adopted) else (lead, KEY)
        try:
            done = await hubspot.write("contacts", id, change, by)
        except Conflict as conflict:
            return await self._contested(record, values, conflict)
        return await self._written("contacts", done, change, values)

    async def _contested(self, record: Record | None, values: dict[str, str], conflict: Conflict) -> Record:
        """A unique value, the e-mail, is another contact's. One of our own keeps its own, and both are left apart for a
        person to merge; else the other one is the lead's."""
        if record is not None:
            rest = {name: value for name, value in values.items() if name != "email"}
            rest[self.rules.name("showrate_review")] = f"has the e-mail of contact {conflict.existing}"
            if "email" not in values:
                raise faults.permanent("HubSpot: another contact has one of these unique values")
            return await self._write_contact(record, rest)
        wanted = (*known.names(self.rules), *values)
        other = (
            await hubspot.read("contacts", conflict.existing, wanted, "", wanted)
            if conflict.existing
            else await hubspot.read("contacts", values.get("email", ""), wanted, "email", wanted)
        )
        if other is None:
            raise faults.retry("HubSpot: the contact that is in the way cannot be read yet")
        self.known = await known.standing(other, self.rules)
        return await self._write_contact(*await self._shared(other, values))

    async def _owner(self, record: Record | None) -> dict[str, str]:
        """Who takes the meeting owns a contact that nobody owns, or whose owner has left."""
        booking = self.told.booking
        person = rep(booking.rep) if booking else None
        if person is None or not person.crm_owner:
            return {}
        there = record.values.get("hubspot_owner_id", "") if record else ""
        if there and there != person.crm_owner:
            active = await account.owners()
            if not active or there in active or rep_of_owner(there):
                return {}
        return {"hubspot_owner_id": person.crm_owner}

    # -- what hangs on it

    async def calls(self, contact: Record) -> None:
        told = self.told
        await self._all("calls", contact, {f"{told.lead}:{note.attempt}": fields.call(told, note) for note in told.calls})

    async def tasks(self, contact: Record) -> None:
        await self._all("tasks", contact, {todo.key: fields.task(todo) for todo in self.told.todos}, once=True)

    async def note(self, contact: Record) -> None:
        closed = self.told.milestones.get("closed", self.told.now)
        key = f"{self.told.lead}:closed:{closed.timestamp():.0f}"
        await self._all("notes", contact, {key: fields.closing(self.told)}, once=True)

    async def sequence(self, contact: Record) -> None:
        if self.aside:
            return  # somebody else of this contact is being worked on
        if not (sequences.takes(self.told, self.rules) and await self._there("contacts", {self.rules.name(sequences.PROPERTY): ""})):
            return  # without the property nobody would know that they were enrolled
        if why := await sequences.enrol(self.rules, contact):
            self.left_out.add(f"contacts.{sequences.PROPERTY}: not enrolled ({why})")

    async def meetings(self, contact: Record, deal: asyncio.Future[str]) -> None:
        told, booking = self.told, self.told.booking
        past = {key: {"hs_meeting_outcome": "CANCELED"} for key in fields.cancelled(told)}
        if booking and booking.replaces and not told.meeting_outcome:
            past[booking.replaces] = {"hs_meeting_outcome": "RESCHEDULED"}
        if booking:
            name = " ".join(filter(None, (contact.values.get("firstname"), contact.values.get("lastname"))))
            [made] = await self._all("meetings", contact, {booking.id: fields.meeting(told, booking, name)})
            with contextlib.suppress(Exception):  # what became of the deal is told by itself
                if theirs := self.known.open_deal or await asyncio.shield(deal):
                    await hubspot.associate("meetings", "deals", [(made, theirs)])
        await asyncio.gather(*(self._put("meetings", key, values, only_there=True) for key, values in past.items()))

    async def deal(self, contact: Record) -> str:
        """The id of ours, made once the lead has come so far; where somebody else's is open, none is made beside it."""
        told, rules = self.told, self.rules
        if not fields.has_deal(told, rules):
            return ""
        pipeline = await account.pipeline(rules.deal)
        label = fields.deal_stage(told, rules)
        if label not in pipeline.stages:
            remedy = "`showrate setup` creates it"
            raise faults.permanent(f"HubSpot: pipeline {rules.deal.pipeline} has no stage {label}; {remedy}")
        values = contact.values
        name = values.get("company") or " ".join(filter(None, (values.get("firstname"), values.get("lastname"))))
        wanted = await self._there("deals", fields.deal(told, rules, name))
        wanted |= {"pipeline": pipeline.id, "dealstage": pipeline.stages[label]}
        made = await self._put("deals", told.lead, wanted, only_there=bool(self.known.open_deal))
        if made:
            await hubspot.associate("deals", "contacts", [(made, contact.id)])
        return made

    # -- records in general

    async def _all(
        self, kind: str, contact: Record, records: Mapping[str, dict[str, str]], *, once: bool = False
    ) -> list[str]:
        """The ids of these records, written by their keys and connected with the contact."""
        if not records:
            return []
        wanted = {key: await self._there(kind, values) for key, values in records.items()}
        ids = await asyncio.gather(*(self._put(kind, key, values, once=once) for key, values in wanted.items()))
        await hubspot.associate(kind, "contacts", [(id, contact.id) for id in ids])
        return ids

    async def _put(
        self, kind: str, key: str, values: dict[str, str], *, once: bool = False, only_there: bool = False
    ) -> str:
        """The id of the record of this key, brought up to ``values``: made ``once``, and a person's from then on; or
        changed ``only_there``, where it exists."""
        record = await hubspot.read(kind, key, values, KEY, values)
        if (record is None and only_there) or (record is not None and once):
            return record.id if record else ""
        change = self._merged(kind, record, values)
        if record is not None and not change:
            return record.id
        try:
            done = await hubspot.write(kind, key, change)
        except Conflict:
            raise faults.permanent(f"HubSpot: another {kind} record has one of these unique values") from None
        return (await self._written(kind, done, change, values)).id

    def _merged(self, kind: str, record: Record | None, values: Mapping[str, str]) -> dict[str, str]:
        change, conflicts = merge.merged(kind, record, values, fields.BLANKS, self.app, account.region())
        for each in conflicts:
            if each.field in self.told.overwrite:
                change[each.field.partition(".")[2]] = values[each.field.partition(".")[2]]
            else:
                self.conflicts.append(each)
        return change

    async def _there(self, kind: str, values: Mapping[str, str]) -> dict[str, str]:
        """Those of ``values`` that the account has a property for. One for what a conversation learns is missed by
        nobody: all of that stands in one property besides."""
        there = await account.properties(kind)
        missing = [name for name in values if name not in there]
        self.left_out |= {f"{kind}.{n}: PROPERTY_DOESNT_EXIST" for n in missing if not n.startswith(fields.SAID)}
        return {name: value for name, value in values.items() if name in there}

    async def _written(
        self, kind: str, done: hubspot.Written, change: Mapping[str, str], names: Iterable[str]
    ) -> Record:
        """The record as it reads now, with these ``names`` (the same for many leads, so that they are read together): what
        was written has to stand there."""
        if "PROPERTY_DOESNT_EXIST" in done.left_out.values():
            forget()
        self.left_out |= {f"{kind}.{name}: {code}" for name, code in done.left_out.items()}
        wanted = known.names(self.rules) if kind == "contacts" else ()
        record = await hubspot.read(kind, done.id, (*wanted, *names))
        if record is None:
            raise faults.retry(f"HubSpot: the {kind} record that was written cannot be read yet")
        self.differs |= {
            f"{kind}.{name}"
            for name, value in change.items()
            if name not in done.left_out and not name.endswith("_body") and not merge.same(record.values.get(name, ""), value)
        }
        return record


def _person(lead: str) -> Form | None:
    """The person as the record knows them."""
    found = store.lead(lead)
    return found.person if found else None
