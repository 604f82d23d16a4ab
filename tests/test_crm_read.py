"""The read before the first call: within its budget, heeded by the plan, also when it comes after the dial."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from activities import crm, look
from activities.vendors.hubspot import KEY
from tests.fixtures.books import Books
from tests.stage import Stage, on_stage, playbook, submit
from tests.test_lead_workflow import at_any_hour, lead_name, now, until, update, view
from workflows import effects as fx
from workflows import events as ev
from workflows import messages as ms
from workflows.crm import Conflict, Crm, Known
from workflows.effects import Entry
from workflows.events import Form
from workflows.playbook import Playbook, register

PERSON = Form(submission_id="", name="Lee Park", phone="+14155550123", email="lee@example.com")


def book_with(book: Playbook, **crm_rules: Any) -> Playbook:
    changed = book.model_copy(update={"crm": Crm(**crm_rules)})
    register([changed])
    return changed


def glance(book: Playbook, must: bool = False) -> look.Glance:
    at = datetime.now(UTC) + timedelta(minutes=5)
    request = fx.PlaceCall(
        gate=fx.Gate(lead="lead-x", audience="inbound", handles=()), attempt="a1", to=PERSON.phone,
        ring=timedelta(seconds=20), longest=timedelta(minutes=5), not_after=at, playbook=book.hash,
        look=fx.Look(name=PERSON.name, email=PERSON.email, must=must),
    )  # fmt: skip
    return look.Glance(request)


def contact(books: Books, **values: str) -> str:
    told = {"records": [{"kind": "contacts", "properties": values}]}
    return str(_seed(books, told)["seeded"][0])


def _seed(books: Books, told: dict[str, Any]) -> Any:
    return httpx.post(f"{books.url}/_state/hubspot", json=told).raise_for_status().json()


async def test_nobody_known_is_called_as_anybody(books: Books) -> None:
    seen = glance(playbook())
    word = await seen.word()
    assert word == Known()
    assert seen.forbids(word) == ""


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"email": "LEE@example.com", "lifecyclestage": "customer"}, "crm_customer"),
        ({"phone": "(415) 555-0123", "firstname": "Lee", "lifecyclestage": "customer"}, "crm_customer"),
        ({"phone": "415.555.0123", "firstname": "Mia", "lifecyclestage": "customer"}, ""),
        ({"email": "lee@example.com", "do_not_call": "true"}, "crm_do_not_contact"),
        ({"email": "lee@example.com", "do_not_call": "no", "lifecyclestage": "lead"}, ""),
    ],
)
async def test_a_customer_and_a_flag_change_the_plan(books: Books, values: dict[str, str], rule: str) -> None:
    books.seed("hubspot", owners=[{"id": "102", "email": "b@x", "firstName": "B", "lastName": "O"}])
    contact(books, hubspot_owner_id="102", **values)
    seen = glance(playbook())
    word = await seen.word()
    assert word is not None
    assert seen.forbids(word) == rule
    assert word.owner == ("ben" if rule or "email" in values else "")


@pytest.mark.parametrize(
    ("stage", "key", "rule"),
    [("Appointment Scheduled", "", "crm_open_deal"), ("Closed lost", "", ""), ("Appointment Scheduled", "lead-old", "")],
)
async def test_an_open_deal_of_somebody_else_changes_the_plan(books: Books, stage: str, key: str, rule: str) -> None:
    await crm.prepare()
    id = contact(books, email="lee@example.com")
    pipelines = books.state("hubspot")["pipelines"]
    sales = next(one for one in pipelines if one["label"] == "Sales Pipeline")
    at = next(one["id"] for one in sales["stages"] if one["label"] == stage)
    made = {"dealname": "D", "pipeline": sales["id"], "dealstage": at} | ({KEY: key} if key else {})
    [one] = _seed(books, {"records": [{"kind": "deals", "properties": made}]})["seeded"]
    _seed(books, {"associate": ["deals", one, "contacts", id]})
    seen = glance(playbook())
    assert seen.forbids(await seen.word()) == rule


@pytest.mark.parametrize(("unread", "rule"), [("dial", ""), ("wait", "crm_unread")])
@pytest.mark.parametrize(("kind", "outcome"), [("slow", "late"), ("500", "failed"), ("drop", "failed")])
async def test_no_word_in_time_is_as_the_playbook_says(
    books: Books, kind: str, outcome: str, unread: str, rule: str
) -> None:
    books.fault("hubspot", kind, path="contacts/batch/read", delay=8.0)
    seen = glance(book_with(playbook(), unread=unread), must=unread == "wait")
    began = time.monotonic()
    word = await seen.word()
    assert time.monotonic() - began < 6
    assert word == Known(outcome=outcome)
    assert seen.forbids(word) == rule
    seen.drop()


# ---- what the lead makes of it -----------------------------------------------------------------------------------


async def story(handle: Any) -> dict[str, str]:
    """What ``lead why`` has, by rule."""
    told = await handle.query("why", result_type=list[Entry])
    return {entry.rule: entry.text for entry in told if entry.rule}


def told_of(stage: Stage) -> dict[str, str]:
    return {entry.rule: entry.text for request in stage.of("reflect") for entry in request.entries if entry.rule}


async def test_a_customer_is_left_to_who_owns_them(client: Client) -> None:
    stage, book = Stage(), at_any_hour()
    known = Known(contact="51", owner="ben", customer=True)
    stage.answers["place_call"] = lambda _: fx.Dispatched(refused="crm_customer", known=known)
    async with on_stage(client, stage):
        handle = await submit(client, book, lead=lead_name())
        await until(lambda: any(request.todos for request in stage.of("reflect")))
        seen = await view(handle)
        assert (seen.taken_over_by, seen.owner, len(stage.of("place_call"))) == ("ben", "ben", 1)
        assert stage.of("place_call")[0].look == fx.Look(name="Dana Reyes", email="dana@example.com")
        [todo] = [todo for request in stage.of("reflect") for todo in request.todos]
        assert (todo.rep, todo.title) == ("ben", "Dana Reyes asked again: a customer of ours")
        said = told_of(stage) | await story(handle)
        assert said["crm_customer"] == "the CRM says: a customer of ours; left to who owns them"
        await handle.terminate()


async def test_who_must_not_be_contacted_is_closed_also_while_it_rings(client: Client) -> None:
    stage, book = Stage(), at_any_hour()
    stage.answers["place_call"] = lambda _: fx.Dispatched(sid="CA1", known=Known(outcome="late"))
    async with on_stage(client, stage):
        handle = await submit(client, book, lead=lead_name())
        await until(lambda: stage.of("place_call"))
        await until(lambda: _placed(handle))
        said = told_of(stage) | await story(handle)
        assert said["crm_unread"] == "the CRM gave no answer within 0.3 s: called without its word"
        late = ev.CrmKnown(at=now(), known=Known(contact="51", do_not_contact="do_not_call"))
        await handle.signal("crm_known", late)
        await until(lambda: stage.of("end_call"))
        seen = await until(lambda: _closed(handle))
        assert seen.disposition == "no_way_to_contact"
        await until(lambda: "crm_do_not_contact" in told_of(stage))
        assert told_of(stage)["crm_do_not_contact"].endswith("they are not contacted (known after the dial)")
        assert len(stage.of("place_call")) == 1
        assert stage.of("send_text") == []
        await handle.terminate()


async def _placed(handle: Any) -> bool:
    return any(touch.outcome == "placed" for touch in (await view(handle)).touches)


async def _closed(handle: Any) -> ms.View | None:
    seen = await view(handle)
    return seen if seen.closed else None


async def test_a_playbook_that_waits_dials_once_the_crm_has_spoken(client: Client) -> None:
    stage, book = Stage(), book_with(at_any_hour(), unread="wait")
    answers = iter([fx.Dispatched(refused="crm_unread", known=Known(outcome="failed")), fx.Dispatched(sid="CA1", known=Known())])
    stage.answers["place_call"] = lambda _: next(answers)
    async with on_stage(client, stage):
        handle = await submit(client, book, lead=lead_name())
        await until(lambda: _placed(handle))
        assert [request.look.must for request in stage.of("place_call")] == [True, True]
        assert (told_of(stage) | await story(handle))["crm_unread"].endswith("waiting for its word")
        await handle.terminate()


async def test_a_customer_may_be_called_with_words_of_its_own(client: Client) -> None:
    stage, book = Stage(), book_with(at_any_hour(), customer="opening")
    stage.answers["place_call"] = lambda _: fx.Dispatched(sid="CA1", known=Known(customer=True))
    async with on_stage(client, stage):
        handle = await submit(client, book, lead=lead_name())
        await until(lambda: _placed(handle))
        brief = await update(handle, "connect", ms.Connect(attempt="a1", sid="CA1", at=now()), ms.Brief)
        assert (brief.refusal, brief.opening) == ("", "customer")
        await handle.terminate()


async def test_what_somebody_changed_and_what_is_not_taken_stands_in_the_queue(client: Client) -> None:
    stage, book = Stage(), at_any_hour()
    edited = Conflict(field="contacts.showrate_stage", theirs="hot", ours="attempting")
    missing = ("contacts.showrate_fit: PROPERTY_DOESNT_EXIST",)

    def reflect(_: fx.Reflection) -> fx.ReflectionDone:
        mended = any(request.overwrite for request in stage.of("reflect"))
        told = fx.ReflectionDone(known=Known(contact="51"), contact="51")
        return told if mended else told.model_copy(update={"left_out": missing, "conflicts": (edited,)})

    stage.answers["reflect"] = reflect
    async with on_stage(client, stage):
        handle = await submit(client, book, lead=lead_name())
        await until(lambda: _placed(handle))
        over = ev.CallEnded(at=now(), attempt="a1", sid="CA1", status="no-answer")
        await handle.signal("call_status", over)
        await until(lambda: _filed(handle, {"crm_conflict", "crm_field"}))
        ask = ms.Resolve(id="r1", item="crm_conflict:contacts.showrate_stage", way="retry", by="ana", at=now())
        await update(handle, "resolve", ask)
        again = await until(lambda: next((request for request in stage.of("reflect") if request.overwrite), None))
        assert (again.overwrite, again.contact) == (("contacts.showrate_stage",), "51")
        await until(lambda: _filed(handle, set()))
        await handle.terminate()


async def _filed(handle: Any, kinds: set[str]) -> bool:
    return {item.kind for item in await _items(handle)} == kinds


async def _items(handle: Any) -> Any:
    return (await view(handle)).items
