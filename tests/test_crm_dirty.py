"""A CRM as it is found: duplicates, junk numbers, owners who left, fields that people type into while leads live. After
many lives there are no more duplicates, nothing that a person typed is gone, and nothing of ours contradicts the lead."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Literal

import httpx
import pytest
from temporalio.exceptions import ApplicationError

from activities import crm, faults
from activities.vendors.hubspot import KEY
from tests.fixtures.books import Books
from workflows.crm import Crm, mapped
from workflows.effects import CallNote, Entry, Reflection
from workflows.events import Booking, Concern, Form

NOW = datetime(2027, 3, 12, 15, 0, tzinfo=UTC)
OWNERS = [
    {"id": "101", "email": "ana@x", "firstName": "Ana", "lastName": "T"},
    {"id": "102", "email": "ben@x", "firstName": "Ben", "lastName": "O"},
    {"id": "999", "email": "gone@x", "firstName": "Left", "lastName": "Us", "archived": True},
]
FOUND: list[dict[str, Any]] = [
    {"email": "Lead0@Example.com", "firstname": "Person0", "phone": "n/a", "hubspot_owner_id": "999"},
    {"firstname": "Person1", "phone": "(415) 555-0101"},
    {"firstname": "Person1", "phone": "415-555-0101", "company": "Older Ltd"},
    {"firstname": "Mia", "lastname": "Somebody", "phone": "+1 415 555 0102", "email": "mia@example.com"},
    {"email": "lead3@example.com", "phone": "+14155550199", "jobtitle": "CFO", "hubspot_owner_id": "102"},
    {"email": "lead4@example.com", "phone": "0000", "company": "Import GmbH", "hs_lead_status": "OPEN"},
    {"firstname": "Person5", "mobilephone": "4155550105"},
]
"""By lead number, more or less: leads 0 to 5 meet somebody, the others nobody."""
LEADS = 8
_Stage = Literal["new", "attempting", "contacted", "booked", "rescheduled", "no_show", "recovered", "showed", "closed"]
LIVES: tuple[tuple[tuple[_Stage, str, str], ...], ...] = (
    (("new", "", ""), ("attempting", "", ""), ("booked", "", "b1"), ("showed", "", "b1"), ("closed", "showed", "b1")),
    (("attempting", "", ""), ("booked", "", "b1"), ("rescheduled", "", "b2"), ("no_show", "", "b2"), ("recovered", "", "b3"),
     ("showed", "", "b3"), ("closed", "showed", "b3")),
    (("new", "", ""), ("attempting", "", ""), ("contacted", "", ""), ("closed", "unresponsive", "")),
    (("attempting", "", ""), ("booked", "", "b1"), ("contacted", "", ""), ("closed", "not_interested", "")),
    (("attempting", "", ""), ("booked", "", "b1"), ("no_show", "", "b1"), ("closed", "no_show", "b1")),
)  # fmt: skip
EDITS = ("showrate_stage", "hs_lead_status", "phone", "company", "showrate_next_step", "lifecyclestage", "hubspot_owner_id")


def lead_of(number: int) -> str:
    return "lead-" + f"{number:032x}"


def form(number: int) -> Form:
    mail = f"lead{number}@example.com" if number not in (1, 5) else ""
    return Form(
        submission_id=f"s{number}", name=f"Person{number} Lee", phone=f"+1415555010{number}", email=mail, company=f"Firm {number}"
    )


class Life:
    """One lead as the CRM is told of it."""

    def __init__(self, number: int, draw: Random) -> None:
        self.number, self.lead, self.draw = number, lead_of(number), draw
        self.steps = list(LIVES[number % len(LIVES)])
        self.last: Reflection | None = None
        self.version, self.met, self.contact = 0, "", ""

    def next(self) -> Reflection:
        stage, disposition, named = self.steps.pop(0)
        self.version += 1
        at = NOW + timedelta(hours=self.version)
        booking = self._booking(named) if named else None
        before = self.last.booking if self.last else None
        entries = ()
        if before and not booking:
            entries = (Entry(at=at, kind="cancelled", version=self.version, text="", data={"booking": before.id}),)
        if booking and before and before.id != booking.id and stage == "rescheduled":
            booking = booking.model_copy(update={"replaces": before.id})
        outcome = {"no_show": "no_show", "showed": "showed"}.get(stage, "")
        if stage == "closed" and booking:
            outcome = "showed" if disposition == "showed" else "no_show"
        furthest = "booked" if named or (self.last and self.last.furthest == "booked") else stage
        milestones = {**(self.last.milestones if self.last else {}), stage: at}
        call = CallNote(attempt=f"a{self.version}", sid=f"CA{self.version}", at=at, seconds=30, status="completed", disposition="talked")
        self.last = Reflection(
            lead=self.lead, version=self.version, audience="inbound", playbook="0" * 16, now=at, stage=stage,
            furthest="showed" if stage == "showed" else furthest, disposition=disposition, source="website",
            owner="ana" if booking else "", form=form(self.number) if self.version == 1 else None,
            learned={"team_size": str(self.version)}, next_step=f"step {self.version}", calls=(call,), booking=booking,
            meeting_outcome=outcome, milestones=milestones, entries=entries, contact=self.contact,
            concerns=(Concern(name="price", raised=self.version),),
        )  # fmt: skip
        return self.last

    def _booking(self, name: str) -> Booking:
        start = NOW + timedelta(days=int(name[1:]))
        return Booking(
            id=f"{self.number}{name}", rep="ana", rep_name="Ana Torres", start=start, end=start + timedelta(minutes=30)
        )


async def told(request: Reflection) -> crm.Synced:
    """As Temporal does it: tried again until it is through."""
    for _ in range(12):
        try:
            return await crm.sync(request)
        except ApplicationError as error:
            if not faults.is_temporary(error):
                raise
            if error.next_retry_delay:
                crm.forget()
    raise AssertionError("never through")


def seed(books: Books, **what: Any) -> list[str]:
    answer = httpx.post(f"{books.url}/_state/hubspot", json=what).raise_for_status()
    return list(answer.json().get("seeded", []))


def duplicates(contacts: list[dict[str, Any]]) -> int:
    """How many contacts there are beyond the first with the same address, or the same name and number."""
    addresses = Counter(p["email"].lower() for one in contacts if (p := one["properties"]).get("email"))
    numbers: Counter[tuple[str, str]] = Counter()
    for one in contacts:
        p = one["properties"]
        digits = re.sub(r"\D", "", p.get("phone") or p.get("mobilephone") or "")[-10:]
        if len(digits) == 10:
            numbers[digits, p.get("firstname", "")] += 1
    return sum(count - 1 for counter in (addresses, numbers) for count in counter.values())


def spoil(books: Books, draw: Random) -> None:
    """Requests that fail in every way that HubSpot's do."""
    for kind, when in (("500", "before"), ("500", "after"), ("drop", "before"), ("drop", "after"), ("429", "before")):
        books.fault("hubspot", kind, when, method="POST", skip=draw.randrange(150), retry_after=0.1 if kind == "429" else None)


@pytest.mark.parametrize("number", [1, 2])
async def test_a_dirty_crm_gets_no_dirtier(books: Books, number: int) -> None:
    draw = Random(number)
    await crm.prepare()
    ids = seed(
        books, owners=OWNERS, lag=0.2,
        records=[{"kind": "contacts", "properties": dict(values), "by": "IMPORT"} for values in FOUND],
    )  # fmt: skip
    await asyncio.sleep(0.3)  # they are in the search's index: only what comes from now on is late there
    before = books.state("hubspot")["contacts"]
    lives = [Life(n, draw) for n in range(LEADS)]
    typed: dict[tuple[str, str], str] = {}
    conflicts: set[str] = set()
    spoil(books, draw)

    async def live(life: Life) -> None:
        done = await told(life.next())
        life.contact = done.contact
        conflicts.update(f"{life.number} {each.field}" for each in done.conflicts)
        assert done.left_out == done.differs == (), done

    while running := [life for life in lives if life.steps]:
        draw.shuffle(running)
        await asyncio.gather(*(live(life) for life in running))
        for life in draw.sample(running, min(3, len(running))):
            name = draw.choice(EDITS)
            value = {"lifecyclestage": "customer", "hs_lead_status": "OPEN", "hubspot_owner_id": "102"}.get(name, f"typed {name}")
            seed(books, records=[{"kind": "contacts", "properties": {"id": life.contact, name: value}}])
            typed[life.contact, name] = value

    state = books.state("hubspot")
    after = {one["id"]: one["properties"] for one in state["contacts"]}
    new = set(after) - set(ids)
    met = {life.number for life in lives if life.contact not in new}
    assert met == {0, 1, 3, 4, 5}, "2 shares a number with somebody else, and nobody knows the others"
    assert len(new) == LEADS - len(met)
    assert duplicates(state["contacts"]) <= duplicates(before)
    for (id, name), value in typed.items():
        assert after[id].get(name) == value, "what a person typed stands"
    for life in lives:
        _agrees(life, after[life.contact], {name for (id, name) in typed if id == life.contact}, state)
    assert len({one["properties"][KEY] for one in state["calls"]}) == len(state["calls"]) == sum(len(LIVES[n % 5]) for n in range(LEADS))
    if any(name.startswith("showrate_") for _, name in typed):
        assert conflicts


def _agrees(life: Life, contact: dict[str, str], typed: set[str], state: dict[str, Any]) -> None:
    """No field of ours says otherwise than the lead, except where a person typed."""
    last, rules = life.last, Crm()
    assert last is not None
    upcoming = last.booking is not None and not last.meeting_outcome
    wanted = {
        KEY: life.lead, "showrate_stage": last.stage, "showrate_disposition": last.disposition,
        "showrate_next_step": last.next_step, "showrate_meeting_outcome": last.meeting_outcome,
        "showrate_phone": form(life.number).phone, "showrate_learned": f"team_size: {life.version}",
        "showrate_objections": f"price: open, raised {life.version} times, answered 0 times",
        "hs_lead_status": mapped(rules.lead_status, last.stage, last.disposition),
    }  # fmt: skip
    for name, value in wanted.items():
        if name not in typed:
            assert contact.get(name, "") == value, (life.number, name)
    assert ("showrate_next_meeting" in contact) == upcoming
    stages = {stage["id"]: stage["label"] for pipeline in state["pipelines"] for stage in pipeline["stages"]}
    deals = [one["properties"] for one in state["deals"] if one["properties"].get(KEY) == life.lead]
    booked = any(name for _, _, name in LIVES[life.number % len(LIVES)])
    assert [stages[deal["dealstage"]] for deal in deals] == (
        [mapped(rules.deal.stages, last.stage, last.disposition)] if booked else []
    )
    outcomes = {
        one["properties"][KEY]: one["properties"]["hs_meeting_outcome"]
        for one in state["meetings"] if one["properties"][KEY].startswith(str(life.number))
    }  # fmt: skip
    assert outcomes == OUTCOMES[life.number % len(LIVES)](life.number)


OUTCOMES: tuple[Any, ...] = (
    lambda n: {f"{n}b1": "COMPLETED"},
    lambda n: {f"{n}b1": "RESCHEDULED", f"{n}b2": "NO_SHOW", f"{n}b3": "COMPLETED"},
    lambda n: {},
    lambda n: {f"{n}b1": "CANCELED"},
    lambda n: {f"{n}b1": "NO_SHOW"},
)
