"""The CRM through HubSpot's own SDK, against the stand-in: one record of each thing, whatever fails."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities import crm
from activities.settings import settings
from activities.vendors import hubspot_account
from tests.fixtures.books import Books
from tests.stage import Stage, on_stage, playbook, submit
from tests.test_lead_workflow import until
from workflows import effects as fx
from workflows.crm import Crm, Sequence
from workflows.effects import CallNote, Entry, Reflection, ToDo
from workflows.events import Booking, Concern, Form, Line, MailBounced
from workflows.playbook import Hours, register

FACTS = Path(__file__).parents[1] / "../shared/specs/hubspot/hubspot_sdk_12.0.0_interface_facts.json"
LEAD = "lead-" + "5" * 32
NOW = datetime(2027, 3, 12, 15, 0, tzinfo=UTC)
FORM = Form(
    submission_id="s1",
    name="Lee van Park",
    phone="+14155550123",
    email="lee@example.com",
    company="Birch & Co",
    message="Show me",
    source="website",
    utm={"campaign": "spring"},
)
CALL = CallNote(
    attempt="a1",
    sid="CA1",
    at=NOW,
    seconds=61,
    status="completed",
    disposition="talked",
    transcript=(Line(who="agent", text="Hello <Lee>", at=NOW), Line(who="lead", text="Hi & bye", at=NOW)),
)
BOOKING = Booking(
    id="b1", rep="ana", rep_name="Ana Torres", start=NOW, end=NOW + timedelta(minutes=30), reason="her turn"
)


def reflection(**more: Any) -> Reflection:
    values = {
        "lead": LEAD,
        "version": 7,
        "audience": "inbound",
        "playbook": "0" * 16,
        "now": NOW,
        "stage": "booked",
        "furthest": "booked",
        "source": "website",
        "owner": "ana",
        "form": FORM,
        "learned": {"team_size": "40"},
        "calls": (CALL,),
        "booking": BOOKING,
    }
    return Reflection(**{**values, **more})


@pytest.fixture
async def prepared(books: Books) -> Books:
    await crm.prepare()
    return books


def only(books: Books, kind: str) -> dict[str, Any]:
    [record] = books.state("hubspot")[kind]
    values: dict[str, Any] = record["properties"]
    return values


def deal_stage(books: Books) -> str:
    state = books.state("hubspot")
    stages = {stage["id"]: stage["label"] for pipeline in state["pipelines"] for stage in pipeline["stages"]}
    return str(stages[only(books, "deals")["dealstage"]])


def create(books: Books, kind: str, **values: str) -> str:
    made = httpx.post(
        f"{books.url}/hubspot/crm/v3/objects/{kind}",
        json={"properties": values},
        headers={"Authorization": "Bearer another-app"},
    )
    return str(made.raise_for_status().json()["id"])


async def test_setup_creates_what_is_missing_once(books: Books) -> None:
    done = await crm.prepare()
    assert "HubSpot contacts: property showrate_key" in done
    assert "HubSpot deals: pipeline Showrate" in done
    assert await crm.prepare() == []
    properties = books.get("/hubspot/crm/v3/properties/calls")
    assert properties.status_code == 401


async def test_without_setup_the_refusal_names_the_remedy(books: Books) -> None:
    with pytest.raises(ApplicationError) as raised:
        await crm.sync(reflection())
    assert raised.value.type == "permanent"
    assert "showrate setup" in raised.value.message


async def test_a_booked_lead_is_all_there(prepared: Books) -> None:
    assert (await crm.sync(reflection())).owner == ""
    contact = only(prepared, "contacts")
    assert contact["email"] == "lee@example.com"
    assert (contact["firstname"], contact["lastname"]) == ("Lee", "van Park")
    assert contact["showrate_key"] == LEAD
    assert contact["showrate_next_meeting"] == "2027-03-12T15:00:00.000Z"
    assert contact["showrate_learned"] == "team_size: 40"
    assert contact["showrate_link"] == f"https://showrate.example/console/leads/{LEAD}"
    assert contact["hubspot_owner_id"] == "101", "nobody owned it, so it is the rep's who meets it"
    call = only(prepared, "calls")
    assert "Hello &lt;Lee&gt;" in call["hs_call_body"]
    assert "Hi &amp; bye" in call["hs_call_body"]
    assert call["hs_call_duration"] == "61000"
    assert call["showrate_disposition"] == "talked"
    meeting = only(prepared, "meetings")
    assert meeting["hs_meeting_outcome"] == "SCHEDULED"
    assert meeting["hs_meeting_title"] == "Lee van Park and Ana Torres"
    assert only(prepared, "deals")["dealname"] == "Birch & Co · website"
    assert deal_stage(prepared) == "Meeting booked"
    links = {(a["from"][0], a["to"][0]) for a in prepared.state("hubspot")["associations"]}
    assert {("calls", "contacts"), ("meetings", "contacts"), ("deals", "contacts")} <= links
    # Asked again, it says who owns the contact.
    assert (await crm.sync(reflection())).owner == "ana"


async def test_the_whole_life_keeps_one_record_of_each(prepared: Books) -> None:
    await crm.sync(reflection(stage="attempting", furthest="attempting", owner="", calls=(), booking=None))
    assert prepared.state("hubspot")["deals"] == []
    await crm.sync(reflection(form=None))
    moved = BOOKING.model_copy(update={"id": "b2", "replaces": "b1", "start": NOW + timedelta(days=1)})
    await crm.sync(reflection(form=None, booking=moved, stage="rescheduled", calls=()))
    outcomes = {
        m["properties"]["showrate_key"]: m["properties"]["hs_meeting_outcome"]
        for m in prepared.state("hubspot")["meetings"]
    }
    assert outcomes == {"b1": "RESCHEDULED", "b2": "SCHEDULED"}
    await crm.sync(reflection(form=None, booking=moved, stage="no_show", meeting_outcome="no_show", calls=()))
    assert deal_stage(prepared) == "No-show"
    assert "showrate_next_meeting" not in only(prepared, "contacts")
    last = moved.model_copy(update={"id": "b3", "replaces": ""})
    await crm.sync(reflection(form=None, booking=last, stage="showed", meeting_outcome="showed", calls=()))
    await crm.sync(reflection(form=None, booking=last, stage="closed", disposition="showed", meeting_outcome="showed"))
    outcomes = {
        m["properties"]["showrate_key"]: m["properties"]["hs_meeting_outcome"]
        for m in prepared.state("hubspot")["meetings"]
    }
    assert outcomes == {"b1": "RESCHEDULED", "b2": "NO_SHOW", "b3": "COMPLETED"}
    assert deal_stage(prepared) == "Meeting held"
    assert only(prepared, "contacts")["showrate_disposition"] == "showed"


async def test_a_cancelled_meeting_says_so(prepared: Books) -> None:
    await crm.sync(reflection())
    entry = Entry(at=NOW, kind="cancelled", version=8, text="meeting cancelled", data={"booking": "b1"})
    await crm.sync(reflection(form=None, booking=None, stage="contacted", entries=(entry,), calls=()))
    assert only(prepared, "meetings")["hs_meeting_outcome"] == "CANCELED"
    assert "showrate_next_meeting" not in only(prepared, "contacts")
    assert deal_stage(prepared) == "Qualified"


async def test_an_existing_contact_of_the_same_email_is_adopted(prepared: Books) -> None:
    existing = create(prepared, "contacts", email="Lee@Example.com", hubspot_owner_id="102", jobtitle="CFO")
    assert (await crm.sync(reflection())).owner == "ben"
    contact = only(prepared, "contacts")
    assert (contact["hs_object_id"], contact["showrate_key"]) == (existing, LEAD)
    assert contact["jobtitle"] == "CFO"
    assert contact["hubspot_owner_id"] == "102", "it keeps its owner"
    await crm.sync(reflection())
    assert len(prepared.state("hubspot")["contacts"]) == 1


async def test_two_numbers_with_one_email_share_a_contact(prepared: Books) -> None:
    await crm.sync(reflection(calls=(), booking=None, furthest="attempting"))
    other = "lead-" + "6" * 32
    for _ in range(2):
        await crm.sync(reflection(lead=other, booking=None, furthest="attempting"))
    assert only(prepared, "contacts")["showrate_key"] == LEAD
    assert only(prepared, "calls")["showrate_key"] == f"{other}:a1"


async def test_a_lead_without_email_that_later_names_anothers(prepared: Books) -> None:
    phone_only = FORM.model_copy(update={"email": ""})
    await crm.sync(reflection(form=phone_only, calls=(), booking=None, furthest="attempting"))
    theirs = create(prepared, "contacts", email="lee@example.com")
    await crm.sync(reflection(calls=(), booking=None, furthest="attempting"))
    contacts = prepared.state("hubspot")["contacts"]
    assert len(contacts) == 2
    [ours] = [c["properties"] for c in contacts if c["id"] != theirs]
    assert ours["showrate_review"] == f"has the e-mail of contact {theirs}"
    assert "email" not in ours


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", ["500", "drop", "429"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "contacts/batch/upsert"),
        ("POST", "calls/batch/upsert"),
        ("POST", "meetings/batch/upsert"),
        ("POST", "deals/batch/upsert"),
        ("POST", "associations/calls/contacts"),
        ("POST", "associations/meetings/contacts"),
        ("POST", "deals/batch/read"),
    ],
)
async def test_a_failure_anywhere_is_made_good_by_a_repeat(
    prepared: Books, method: str, path: str, fault: str, when: str
) -> None:
    prepared.fault("hubspot", fault, when, method=method, path=path, retry_after=2 if fault == "429" else None)
    with pytest.raises(ApplicationError) as raised:
        await crm.sync(reflection())
    assert raised.value.type == ("retry_after" if fault == "429" else "retry")
    met = prepared.requests("hubspot", method, path)
    assert len(met) == 1, "the SDK's own resends must be off"
    crm.forget()  # after a 429 nobody asks for two seconds
    await crm.sync(reflection())
    for kind in ("contacts", "calls", "meetings", "deals"):
        only(prepared, kind)
    links = [tuple(map(tuple, (a["from"], a["to"]))) for a in prepared.state("hubspot")["associations"]]
    assert len(links) == len(set(links)) == 8


async def test_a_refused_record_does_not_keep_the_others_back(prepared: Books) -> None:
    prepared.fault("hubspot", "400", path="calls/batch/upsert")
    with pytest.raises(ApplicationError) as raised:
        await crm.sync(reflection())
    assert raised.value.type == "permanent"
    assert prepared.state("hubspot")["calls"] == []
    assert deal_stage(prepared) == "Meeting booked"
    only(prepared, "meetings")


async def test_learned_fields_get_properties_of_their_own_where_setup_made_them(prepared: Books) -> None:
    await hubspot_account.create_properties("contacts", [hubspot_account.Property(name="showrate_said_team_size", label="Team size")])
    await crm.sync(reflection(learned={"team_size": "40", "budget": "none"}))
    contact = only(prepared, "contacts")
    assert contact["showrate_said_team_size"] == "40"
    assert contact["showrate_learned"] == "team_size: 40\nbudget: none"


async def test_objections_and_the_next_step_stand_with_the_contact(prepared: Books) -> None:
    concerns = (
        Concern(name="price", status="resolved", raised=2, answered=1, words="too expensive"),
        Concern(name="no_time"),
    )
    await crm.sync(reflection(concerns=concerns, next_step="waiting for the meeting"))
    contact = only(prepared, "contacts")
    assert contact["showrate_objections"].splitlines() == [
        "price: resolved, raised 2 times, answered 1 time (“too expensive”)",
        "no time: open, raised 1 time, answered 0 times",
    ]
    assert contact["showrate_next_step"] == "waiting for the meeting"


async def test_what_a_person_has_to_do_is_a_task_once(prepared: Books) -> None:
    todo = ToDo(key=f"{LEAD}:task:a1:4", title="Lee asks: SSO?", lines=("“do you <have> SSO”",), rep="ana", at=NOW)
    for _ in range(2):
        await crm.sync(reflection(todos=(todo, todo.model_copy(update={"key": "k2", "urgent": True}))))
    plain, urgent = [record["properties"] for record in prepared.state("hubspot")["tasks"]]
    assert (plain["hs_task_subject"], plain["hs_task_body"]) == ("Lee asks: SSO?", "<p>“do you &lt;have&gt; SSO”</p>")
    assert (plain["hubspot_owner_id"], plain["hs_task_priority"]) == ("101", "MEDIUM")
    assert urgent["hs_task_priority"] == "HIGH"
    links = {(a["from"][0], a["to"][0]) for a in prepared.state("hubspot")["associations"]}
    assert ("tasks", "contacts") in links


async def test_no_words_of_the_vendor_reach_the_message(prepared: Books) -> None:
    done = await crm.sync(reflection(form=FORM.model_copy(update={"email": "no address"})))
    assert done.left_out == ("contacts.email: INVALID_EMAIL",)
    assert only(prepared, "contacts")["showrate_stage"] == "booked"


QUIET = {"calls": (), "booking": None, "furthest": "attempting"}
"""Of a lead that nobody could reach."""


@pytest.fixture
def sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever closes unreached goes into a sequence of the CRM's own."""
    rules = Crm(sequence=Sequence(id="4001", user="9", sender="ana@tallyhook.example"))
    monkeypatch.setattr(crm, "rules_of", lambda _: rules)


async def test_who_never_came_goes_into_a_sequence_once_and_leaves_it_when_they_come_back(
    prepared: Books, sequence: None
) -> None:
    for _ in range(2):
        done = await crm.sync(reflection(stage="closed", disposition="unresponsive", **QUIET))
    assert done.left_out == ()
    [enrolment] = prepared.state("hubspot")["enrolled"].values()
    assert (enrolment["sequenceId"], enrolment["toEmail"]) == ("4001", "lee@example.com")
    assert len(prepared.requests("hubspot", "POST", "sequences/enrollments")) == 1
    assert only(prepared, "contacts")["showrate_sequence"] == "4001"
    await crm.sync(reflection(stage="attempting", **QUIET))
    assert only(prepared, "contacts")["showrate_sequence"] == "leave"
    assert prepared.state("hubspot")["enrolled"] == {}


async def test_who_is_through_with_a_sequence_is_enrolled_anew_only_after_another_closing(
    prepared: Books, sequence: None
) -> None:
    closed = {"stage": "closed", "disposition": "unresponsive", **QUIET}
    await crm.sync(reflection(**closed))
    contact = only(prepared, "contacts")
    through = {"id": contact["hs_object_id"], "hs_sequences_is_enrolled": "false"}
    prepared.seed("hubspot", records=[{"kind": "contacts", "properties": through, "by": "SEQUENCES"}])
    await crm.sync(reflection(**closed, reason="told again"))
    assert len(prepared.requests("hubspot", "POST", "sequences/enrollments")) == 1
    await crm.sync(reflection(stage="attempting", **QUIET))
    assert only(prepared, "contacts").get("showrate_sequence", "") == ""
    await crm.sync(reflection(**closed))
    assert len(prepared.requests("hubspot", "POST", "sequences/enrollments")) == 2


async def test_who_opts_out_after_closing_leaves_the_sequence_and_enters_none(prepared: Books, sequence: None) -> None:
    closed = {"stage": "closed", "disposition": "unresponsive", "calls": (), "booking": None}
    await crm.sync(reflection(**closed))
    for _ in range(2):
        await crm.sync(reflection(**closed, milestones={"closed": NOW, "opted_out": NOW}))
    assert only(prepared, "contacts")["showrate_sequence"] == "leave"
    assert prepared.state("hubspot")["enrolled"] == {}
    assert len(prepared.requests("hubspot", "POST", "sequences/enrollments")) == 1


async def test_who_cannot_be_enrolled_is_told(prepared: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Crm(sequence=Sequence(id="77", user="9", sender="ana@tallyhook.example"))
    monkeypatch.setattr(crm, "rules_of", lambda _: rules)
    done = await crm.sync(reflection(stage="closed", disposition="unresponsive", calls=(), booking=None))
    assert done.left_out == ("contacts.showrate_sequence: not enrolled (HubSpot answered 404)",)


async def test_what_a_person_changed_stands_and_is_told(prepared: Books) -> None:
    await crm.sync(reflection())
    [contact] = prepared.state("hubspot")["contacts"]
    [meeting] = prepared.state("hubspot")["meetings"]
    typed = {"showrate_next_step": "ring Bo instead", "hs_lead_status": "UNQUALIFIED", "company": ""}
    prepared.seed("hubspot", records=[
        {"kind": "contacts", "properties": {"id": contact["id"], **typed}},
        {"kind": "meetings", "properties": {"id": meeting["id"], "hs_meeting_outcome": "COMPLETED"}},
        {"kind": "contacts", "properties": {"id": contact["id"], "showrate_reason": "a workflow"}, "by": "AUTOMATION_PLATFORM"},
    ])  # fmt: skip
    done = await crm.sync(reflection(next_step="call 2", reason="ours", calls=()))
    told = {each.field: (each.theirs, each.ours) for each in done.conflicts}
    assert told == {
        "contacts.showrate_next_step": ("ring Bo instead", "call 2"),
        "contacts.hs_lead_status": ("UNQUALIFIED", "OPEN_DEAL"),
        "contacts.company": ("", "Birch & Co"),
        "meetings.hs_meeting_outcome": ("COMPLETED", "SCHEDULED"),
    }
    after = only(prepared, "contacts")
    assert (after["showrate_next_step"], after["hs_lead_status"]) == ("ring Bo instead", "UNQUALIFIED")
    assert after["showrate_reason"] == "ours", "no person's"
    assert only(prepared, "meetings")["hs_meeting_outcome"] == "COMPLETED"
    again = await crm.sync(reflection(next_step="call 2", calls=(), overwrite=("contacts.showrate_next_step",)))
    assert only(prepared, "contacts")["showrate_next_step"] == "call 2"
    assert "contacts.showrate_next_step" not in {each.field for each in again.conflicts}


async def test_a_renamed_property_costs_only_that_field(prepared: Books) -> None:
    await crm.sync(reflection(stage="contacted", booking=None))
    prepared.seed("hubspot", rename={"kind": "contacts", "name": "showrate_stage", "to": "sdr_stage"})
    done = await crm.sync(reflection(stage="booked"))
    assert done.left_out == ("contacts.showrate_stage: PROPERTY_DOESNT_EXIST",)
    assert only(prepared, "contacts")["showrate_furthest"] == "booked"
    assert only(prepared, "meetings")["hs_meeting_outcome"] == "SCHEDULED"


async def test_a_playbook_may_keep_a_property_under_another_name(
    prepared: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared.seed("hubspot", rename={"kind": "contacts", "name": "showrate_stage", "to": "sdr_stage"})
    monkeypatch.setattr(crm, "rules_of", lambda _: Crm(properties={"showrate_stage": "sdr_stage"}))
    assert (await crm.sync(reflection())).left_out == ()
    assert only(prepared, "contacts")["sdr_stage"] == "booked"


async def test_many_leads_share_requests_and_keep_to_the_accounts_limit(
    prepared: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUBSPOT_RATE", "190")
    settings.cache_clear()
    prepared.seed("hubspot", per_ten_seconds=250)
    crm.forget()
    leads = [f"lead-{n:032x}" for n in range(41)]
    people = [FORM.model_copy(update={"email": f"l{n}@example.com", "phone": f"+1415555{1000 + n}"}) for n in range(41)]
    asked = [reflection(lead=lead, form=form, booking=None) for lead, form in zip(leads, people, strict=True)]
    before = len(prepared.requests("hubspot"))
    await crm.sync(asked[0])
    alone = len(prepared.requests("hubspot")) - before
    await asyncio.gather(*(crm.sync(one) for one in asked[1:]))
    sent = prepared.requests("hubspot")[before:]
    assert len(prepared.state("hubspot")["contacts"]) == len(prepared.state("hubspot")["calls"]) == 41
    assert len(sent) - alone < 40 * alone / 2, "most requests speak of several leads, however slowly they come"
    assert {entry.status for entry in sent} <= {200, 207}, "never refused"


async def test_after_a_429_nobody_asks_before_its_time(prepared: Books) -> None:
    prepared.fault("hubspot", "429", path="contacts/batch/read", retry_after=0.5)
    with pytest.raises(ApplicationError) as raised:
        await crm.sync(reflection())
    assert raised.value.type == "retry_after"
    began = time.monotonic()
    await crm.sync(reflection())
    assert time.monotonic() - began >= 0.4


async def test_two_contacts_with_the_number_are_told_and_none_is_added(prepared: Books) -> None:
    seeded = [{"kind": "contacts", "properties": {"firstname": "Lee", "phone": phone}, "by": "IMPORT"} for phone in ("(415) 555-0123", "415.555.0123")]
    prepared.seed("hubspot", records=seeded)
    await crm.sync(reflection(form=FORM.model_copy(update={"email": ""})))
    first, second = (one["properties"] for one in prepared.state("hubspot")["contacts"])
    assert (first["showrate_key"], first["showrate_review"]) == (LEAD, "1 more with this number")
    assert "showrate_key" not in second


@pytest.mark.skipif(not FACTS.exists(), reason="the vendor's own facts are not here")
async def test_requests_and_answers_have_the_sdks_shapes(prepared: Books) -> None:
    packages = json.loads(FACTS.read_text())["packages"]
    paths = {(o["method"], o["path"]) for package in packages.values() for o in package["operations"]}
    patterns = [(method, [part.startswith("{") or part for part in path.split("/")]) for method, path in paths]
    await crm.sync(reflection())
    for entry in prepared.requests("hubspot"):
        if "/oauth/" in entry.path:
            continue  # the SDK has no part for it
        parts = entry.path.removeprefix("/hubspot").split("/")
        assert any(
            method == entry.method
            and len(parts) == len(shape)
            and all(s is True or s == p for s, p in zip(shape, parts, strict=True))
            for method, shape in patterns
        ), entry.path
    models = packages["contacts"]["models"]
    wanted = {"inputs": [{"id": LEAD}], "idProperty": "showrate_key", "properties": [], "propertiesWithHistory": ["phone"]}
    assert wanted.keys() <= models["BatchReadInputSimplePublicObjectId"]["fields"].keys()
    headers = {"Authorization": "Bearer sandbox"}
    read = httpx.post(f"{prepared.url}/hubspot/crm/v3/objects/contacts/batch/read", json=wanted, headers=headers)
    [record] = read.json()["results"]
    assert record.keys() <= models["SimplePublicObject"]["fields"].keys()
    [past] = record["propertiesWithHistory"]["phone"]
    assert past.keys() <= models["ValueWithTimestamp"]["fields"].keys()
    assert set(models["ValueWithTimestamp"]["required"]) <= past.keys()
    for record in prepared.state("hubspot")["contacts"]:
        assert record.keys() <= models["SimplePublicObject"]["fields"].keys()
        assert set(models["SimplePublicObject"]["required"]) <= record.keys()
    for pipeline in prepared.state("hubspot")["pipelines"]:
        assert set(packages["pipelines"]["models"]["Pipeline"]["required"]) <= pipeline.keys()
    custom = httpx.get(
        f"{prepared.url}/hubspot/crm/v3/properties/contacts", headers={"Authorization": "Bearer sandbox"}
    ).json()["results"]
    for one in custom:
        assert set(packages["properties"]["models"]["ModelProperty"]["required"]) <= one.keys()


# ---- one contact of several leads --------------------------------------------------------------------------------------

OTHER = "lead-" + "6" * 32
STORY = ("showrate_stage", "showrate_link", "showrate_learned", "showrate_next_step", "hs_lead_status")


def of(lead: str, hours: float, stage: str = "attempting", **more: Any) -> Reflection:
    """What a lead tells that came to its stage so many hours after noon; the second is Bo's, on Lee's address."""
    person = FORM if lead == LEAD else FORM.model_copy(update={"name": "Bo Park", "phone": "+14155550177", "company": "Park GmbH"})
    told = {"lead": lead, "stage": stage, "furthest": "attempting" if stage == "closed" else stage, "since": NOW + timedelta(hours=hours),
            "calls": (), "booking": None, "form": person, "learned": {"team_size": "40" if lead == LEAD else "7"},
            "next_step": f"what comes next for {person.name}"}  # fmt: skip
    return reflection(**{**told, **more})


def story(books: Books) -> tuple[str, ...]:
    contact = only(books, "contacts")
    return tuple(contact.get(name, "") for name in STORY)


def writes(books: Books) -> int:
    return len(books.world.log.find("hubspot", "in", "POST", "/contacts/batch/(upsert|update)"))


async def test_the_newest_truth_of_two_leads_stands_on_their_contact_and_does_not_flap(prepared: Books) -> None:
    await crm.sync(of(LEAD, 1))
    await crm.sync(of(OTHER, 2, "contacted"))
    stands = story(prepared)
    assert stands[:3] == ("contacted", f"https://showrate.example/console/leads/{OTHER}", "team_size: 7")
    before = writes(prepared)
    assert before >= 2
    for _ in range(3):
        await crm.sync(of(LEAD, 1, next_step="call 3"))
        await crm.sync(of(OTHER, 2, "contacted"))
    assert (story(prepared), writes(prepared)) == (stands, before), "nothing new is no reason to write"
    await crm.sync(of(LEAD, 3, "qualified"))
    await crm.sync(of(OTHER, 2, "contacted"))  # a late attempt of what is known
    assert story(prepared)[:3] == ("qualified", f"https://showrate.example/console/leads/{LEAD}", "team_size: 40")


async def test_without_the_property_the_lead_whose_key_it_is_is_told_of(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    await crm.prepare()
    there = hubspot_account.all_properties

    async def older(kind: str) -> dict[str, hubspot_account.Property]:
        return {name: each for name, each in (await there(kind)).items() if name != "showrate_since"}

    monkeypatch.setattr(hubspot_account, "all_properties", older)
    crm.forget()
    for _ in range(2):
        await crm.sync(of(LEAD, 1))
        await crm.sync(of(OTHER, 2, "contacted"))
        assert story(books)[:2] == ("attempting", f"https://showrate.example/console/leads/{LEAD}")


async def test_a_lead_that_closes_hides_no_other_that_is_open(prepared: Books) -> None:
    await crm.sync(of(LEAD, 1, "qualified"))
    await crm.sync(of(OTHER, 2))
    await crm.sync(of(OTHER, 5, "closed", disposition="unresponsive"))
    assert story(prepared)[0] == "closed", "its own"
    await crm.sync(of(LEAD, 1, "qualified"))
    assert story(prepared)[0] == "qualified", "the one that is open is told of"
    await crm.sync(of(OTHER, 5, "closed", disposition="unresponsive"))
    assert story(prepared)[0] == "qualified"
    await crm.sync(of(LEAD, 6, "closed", disposition="not_interested"))
    await crm.sync(of(OTHER, 5, "closed", disposition="unresponsive"))
    assert only(prepared, "contacts")["showrate_disposition"] == "not_interested"


async def test_a_contact_keeps_its_own_name_and_number_and_each_lead_its_calls(prepared: Books) -> None:
    await crm.sync(of(LEAD, 1))
    await crm.sync(of(OTHER, 2, "contacted", calls=(CALL,)))
    await crm.sync(of(LEAD, 3, "qualified"))
    contact = only(prepared, "contacts")
    assert (contact["firstname"], contact["phone"], contact["company"]) == ("Lee", "+14155550123", "Birch & Co")
    assert only(prepared, "calls")["showrate_key"] == f"{OTHER}:a1"


async def test_of_two_contacts_that_a_person_merged_the_newest_story_is_told_whole(prepared: Books) -> None:
    await crm.sync(of(LEAD, 1, "qualified", reason="of the first"))
    first = only(prepared, "contacts")["hs_object_id"]
    theirs = FORM.model_copy(update={"email": "bo@example.com", "phone": "+14155550177"})
    # The other's contact is gone; the lead knows the one that people merged it into.
    told = of(OTHER, 2, "contacted", form=theirs, contact=first, learned={}, reason="")
    await crm.sync(told)
    contact = only(prepared, "contacts")
    assert (contact["showrate_stage"], contact["showrate_key"], contact["email"]) == ("contacted", LEAD, "lee@example.com")
    assert (contact.get("showrate_learned", ""), contact.get("showrate_reason", "")) == ("", ""), "nothing of the first stays"
    await crm.sync(of(LEAD, 1, "qualified"))
    assert only(prepared, "contacts")["showrate_stage"] == "contacted"
    await crm.sync(of(LEAD, 0.5, "qualified", absorbed=(OTHER,)))
    assert only(prepared, "contacts")["showrate_stage"] == "qualified", "the two are one lead now"


async def test_what_a_lead_tells_late_does_not_take_the_contact_from_a_newer_one(prepared: Books, client: Client) -> None:
    """Two leads on the real server, neither of which may ever be called; the first has a card to give after the second came."""
    demo = playbook("demo")
    closed = demo.model_copy(update={"hours": Hours(opens="03:00", closes="03:01", days=()), "rules": None, "version": 0})
    register([closed])
    stage, written = Stage(), list[Reflection]()

    async def reflect(request: Reflection) -> fx.ReflectionDone:
        done = await crm.sync(request)
        written.append(request)
        return fx.ReflectionDone(contact=done.contact)

    stage.answers["reflect"] = reflect
    async with on_stage(client, stage):
        leads = [f"lead-{uuid4().hex}" for _ in range(2)]
        for lead in leads:
            await submit(client, closed, lead=lead, email="both@example.com", phone_hash=uuid4().hex)
            await until(lambda lead=lead: story(prepared)[1].endswith(lead) if prepared.state("hubspot")["contacts"] else False)  # type: ignore[misc]
        bounced = MailBounced(at=datetime.now(UTC), id="b1", address="both@example.com")
        await client.get_workflow_handle(leads[0]).signal("mail_bounced", bounced)
        await until(lambda: [told for told in written if any("does not work" in card.title for card in told.cards)])
        assert story(prepared)[1].endswith(leads[1])
        for lead in leads:
            await client.get_workflow_handle(lead).terminate()
