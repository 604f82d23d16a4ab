"""The catalogue of outgoing events, and the n8n workflow that reacts to them: both against what is really sent.

``python -m tests.test_events`` writes the catalogue into ``docs/``.
"""

from __future__ import annotations

import ast
import asyncio
import base64
import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from activities import catalogue, crm, store, stream
from activities.catalogue import CHANGED, MODELS, NOTED, TYPES
from activities.stream import Told
from activities.vendors.webhook import signature
from tests.fixtures.books import Books
from tests.fixtures.receiver import NEWER, SECRET
from tests.fixtures.record import reflection
from tests.fixtures.web import People
from workflows import messages as ms
from workflows.effects import Entry, Transition
from workflows.events import Form

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs" / "events.md"
SCHEMA = ROOT / "docs" / "events.schema.json"
WORKFLOW = ROOT / "docs" / "n8n" / "showrate.json"
BEGIN = "<!-- catalogue: written by `python -m tests.test_events`, checked by the tests -->\n"
END = "<!-- end of catalogue -->"
NOW = datetime(2027, 3, 12, 15, 0, tzinfo=UTC)
LEAD = "lead-" + "7" * 32


def schema() -> str:
    """The schema of every event, as the file has it."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What Showrate's webhooks send",
        "oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in MODELS],
        "$defs": {kind: catalogue.schema(kind) for kind in MODELS},
    }
    return json.dumps(document, indent=1) + "\n"


def table() -> str:
    """The catalogue, as the document has it."""
    rows = ["| type | when (the kind of line that `lead why` shows) | its own data |", "| --- | --- | --- |"]
    shared = set(catalogue.schema("lead.opted_out")["properties"]["data"]["properties"])
    words = {name: f"{when} (`{entry}`)" for entry, (name, _, when) in TYPES.items()}
    words |= {CHANGED: "the lead went from one stage to another", NOTED: "any other line of the story"}
    for kind in MODELS:
        fields = catalogue.schema(kind)["properties"]["data"]["properties"]
        own = "; ".join(f"`{name}`: {fields[name]['description'].rstrip('.')}" for name in fields if name not in shared)
        rows.append(f"| `{kind}` | {words[kind]} | {own} |")
    general = catalogue.schema("lead.opted_out")["properties"]["data"]["properties"]
    rows += ["", "Every event's `data` has these:", "", "| field | what it is |", "| --- | --- |"]
    rows += [f"| `{name}` | {field['description']} |" for name, field in general.items()]
    return "\n".join(rows) + "\n"


def valid(sent: bytes) -> dict[str, Any]:
    """The event, if it is as its type's schema says."""
    event: dict[str, Any] = json.loads(sent)
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())["$defs"][event["type"]]).validate(event)
    return event


# ---- the catalogue -------------------------------------------------------------------------------------------------


def test_the_catalogue_is_written_down() -> None:
    assert SCHEMA.read_text() == schema(), "run: python -m tests.test_events"
    assert DOCS.read_text().partition(BEGIN)[2].partition(END)[0] == table(), "run: python -m tests.test_events"
    jsonschema.Draft202012Validator.check_schema(json.loads(schema()))


def test_every_kind_of_the_catalogue_is_one_that_leads_tell() -> None:
    told = set()
    for file in (ROOT / "workflows" / "story").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Attribute | ast.Name) and (getattr(called, "attr", "") or getattr(called, "id", "")) == "note":
                kind = node.args[2]  # type: ignore[attr-defined]
                told |= {kind.value} if isinstance(kind, ast.Constant) else set()
    assert not TYPES.keys() - told


def test_whatever_the_story_holds_is_sent_as_its_schema_says(record: Path) -> None:
    facts = {"booking": "b1", "rep": "ana", "start": NOW.isoformat(), "end": NOW.isoformat(), "attempt": "a1", "seconds": "73",
             "outcome": "talked", "touch": "call_1", "segments": "2", "source": "website", "showed": "yes", "by": "Ada",
             "words": "call me maybe", "lead": "someone", "stage": "high", "seq": "x", "erased": "no", "person": "Ada"}  # fmt: skip
    kinds = [*TYPES, "slots", "a_kind_of_tomorrow"]
    entries = tuple(Entry(at=NOW, kind=kind, version=n, text="Ada did", data=facts) for n, kind in enumerate(kinds, 1))
    moved = (Transition(at=NOW, version=1, before="new", after="attempting"),)
    store.write(reflection(LEAD, 99, entries=entries, transitions=moved, form=Form(submission_id="s", name="Ada")))
    told = stream.tail()
    events = [valid(catalogue.body(each, detail)) for each in told for detail in ("ids", "full")]
    assert {event["type"] for event in events} == set(MODELS)
    plain = json.dumps(events[::2])
    assert "Ada" not in plain
    assert "maybe" not in plain
    assert all(event["data"]["person"] == {"name": "Ada"} for event in events[1::2])
    store.erase(LEAD)
    after = [valid(catalogue.body(each, "full")) for each in stream.tail()]
    assert all(event["data"]["erased"] for event in after)
    assert "Ada" not in json.dumps(after)


async def test_a_real_lead_tells_each_step(people: People) -> None:
    """Through intake, workflow, call, booking, a yes, and the rep's mark."""
    before = await asyncio.to_thread(stream.last_seq)
    met = await people.talked("+1 415 555 7801", timedelta(seconds=3))
    handle = people.site.temporal.get_workflow_handle(met.lead)
    await handle.execute_update("confirm", ms.By(by="lead"), result_type=ms.Answer)
    await people.recorded(met.lead, "confirmed")
    marked = await handle.execute_update("attended", ms.By(by="ana"), result_type=ms.Answer)
    assert marked.allowed, marked
    await people.recorded(met.lead, "closed")
    told = [each for each in await asyncio.to_thread(stream.tail, before, 500) if each.lead == met.lead]
    events = [valid(catalogue.body(each, "ids")) for each in told]
    assert [each["data"]["number"] for each in events] == list(range(1, len(events) + 1))
    stages = [event["data"]["to"] for event in events if event["type"] == "lead.stage_changed"]
    assert [stage for stage in stages if stage not in ("contacted", "interested", "qualified")] == [
        "attempting", "booked", "confirmed", "showed", "closed",
    ]  # fmt: skip
    by_type = {event["type"]: event["data"] for event in events}
    assert by_type["form.submitted"]["source"] == "website"
    assert by_type["call.placed"]["attempt"] == "a1"
    assert (by_type["call.ended"]["outcome"], by_type["call.ended"]["seconds"]) == ("talked", 73)
    assert by_type["meeting.booked"]["rep"] == "ana"
    assert by_type["meeting.booked"]["start"] == met.booking.start.isoformat().replace("+00:00", "Z")
    assert by_type["meeting.confirmed"]["booking"] == met.booking.id
    assert by_type["meeting.outcome"] | {"booking": met.booking.id, "showed": "yes"} == by_type["meeting.outcome"]
    said = json.dumps(events)
    for personal in ("Ada", "Park", "5557801", "Acme", "twelve"):
        assert personal not in said


# ---- n8n -----------------------------------------------------------------------------------------------------------


def workflow() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(WORKFLOW.read_text())
    return read


def test_the_workflow_hangs_together() -> None:
    made = workflow()
    nodes = {node["name"]: node for node in made["nodes"]}
    assert len(nodes) == len(made["nodes"]) == len({node["id"] for node in made["nodes"]})
    reached, open_ends = {made["nodes"][0]["name"]}, [made["nodes"][0]["name"]]
    while open_ends:
        outputs = made["connections"].get(open_ends.pop(), {"main": []})["main"]
        for link in (link for output in outputs for link in output):
            assert (link["type"], link["index"]) == ("main", 0)
            if link["node"] not in reached:
                reached.add(link["node"])
                open_ends.append(link["node"])
    assert reached == nodes.keys(), "every node is reached, and none is named that is not there"
    for name, node in nodes.items():
        branches = made["connections"].get(name, {"main": []})["main"]
        kind = node["type"].removeprefix("n8n-nodes-base.")
        assert len(branches) == {"if": 2, "respondToWebhook": 0}.get(kind, 1), name
    assert nodes["Showrate"]["parameters"]["options"]["rawBody"] is True
    assert nodes["Showrate"]["parameters"]["responseMode"] == "responseNode"


def test_what_the_workflow_reads_is_what_events_have() -> None:
    code = next(node for node in workflow()["nodes"] if node["name"] == "Operations")["parameters"]["jsCode"]
    fields = {name for kind in MODELS for name in catalogue.schema(kind)["properties"]["data"]["properties"]}
    assert set(re.findall(r"\bdata\.(\w+)", code)) <= fields
    assert set(re.findall(r"\bevent\.(\w+)", code)) <= {"id", "type", "timestamp", "data"}
    assert set(re.findall(r"person\?\.(\w+)", code)) <= {"name", "phone", "email", "company"}
    named = set(re.findall(r"'([a-z]+\.[a-z_]+)'", code))
    assert named
    assert named <= MODELS.keys()
    names = {node["name"] for node in workflow()["nodes"]}
    assert set(re.findall(r"\$\('(\w+)'\)", WORKFLOW.read_text())) <= names


class N8n:
    """The workflow, run node by node over real HTTP against the CRM's stand-in."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.kept: dict[str, Any] = {}
        self.secrets = SECRET

    async def post(self, told: Told, detail: Any = "ids", at: datetime | None = None, secret: str = SECRET) -> dict[str, Any]:
        body, event = catalogue.body(told, detail), catalogue.event_id(told)
        when = at or datetime.now(UTC)
        headers = {
            "webhook-id": event, "webhook-timestamp": str(int(when.timestamp())),
            "webhook-signature": signature([secret], event, when, body),
        }  # fmt: skip
        asked = {
            "workflow": workflow(), "request": {"headers": headers, "body": base64.b64encode(body).decode()},
            "env": {"SHOWRATE_WEBHOOK_SECRETS": self.secrets}, "token": "sandbox", "kept": self.kept,
            "hosts": {"from": "https://api.hubapi.com", "to": f"{self.books.url}/hubspot"},
        }  # fmt: skip
        node = await asyncio.create_subprocess_exec(
            str(shutil.which("node")), str(ROOT / "tests" / "n8n.cjs"), stdin=-1, stdout=-1
        )
        out, _ = await asyncio.wait_for(node.communicate(json.dumps(asked).encode()), 60)
        done: dict[str, Any] = json.loads(out)
        self.kept = done["kept"]
        return done

    def records(self, kind: str) -> list[dict[str, Any]]:
        return [one["properties"] for one in self.books.state("hubspot").get(kind, [])]


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
async def test_the_workflow_verifies_maps_and_does_each_thing_once(books: Books) -> None:
    await crm.prepare()
    n8n = N8n(books)
    booked = {"booking": "b1", "rep": "ana", "start": NOW.isoformat(), "end": (NOW + timedelta(minutes=30)).isoformat()}
    entries = (
        Entry(at=NOW, kind="form", version=1, text="form", data={"source": "website"}),
        Entry(at=NOW, kind="booked", version=2, text="booked", data=booked),
        Entry(at=NOW, kind="attendance", version=3, text="came", data={"booking": "b1", "showed": "yes"}),
        Entry(at=NOW, kind="closed", version=4, text="closed", rule="showed"),
    )
    moved = (Transition(at=NOW, version=2, before="contacted", after="booked"), Transition(at=NOW, version=4, before="booked", after="showed"))
    form = Form(submission_id="s", name="Ada Park", phone="+14155550123", email="ada@example.com", company="Acme")
    store.write(reflection(LEAD, 4, entries=entries, transitions=moved, form=form))
    told = stream.tail()
    forged = await n8n.post(told[0], secret=NEWER)
    assert (forged["status"], forged["visited"][-1]) == (401, "Refuse")
    old = await n8n.post(told[0], at=datetime.now(UTC) - timedelta(minutes=6))
    assert old["status"] == 401
    assert n8n.records("contacts") == []
    for each in told:
        done = await n8n.post(each)
        assert (done["status"], done["error"]) == (204, "")
    [contact], [meeting] = n8n.records("contacts"), n8n.records("meetings")
    assert (contact["showrate_key"], contact["showrate_stage"], contact["showrate_disposition"]) == (LEAD, "showed", "showed")
    assert "email" not in contact
    assert (meeting["showrate_key"], meeting["hs_meeting_outcome"]) == ("b1", "COMPLETED")
    before = len(books.requests("hubspot"))
    again = await n8n.post(told[1])
    assert (again["status"], again["visited"][-1]) == (204, "Taken")
    assert len(books.requests("hubspot")) == before, "a repeat asks the CRM for nothing"

    n8n.kept, n8n.secrets = {}, f"{NEWER} {SECRET}"
    for each in told:
        assert (await n8n.post(each, secret=NEWER))["status"] == 204
    assert (len(n8n.records("contacts")), len(n8n.records("meetings"))) == (1, 1), "forgotten and done again, it is the same"

    books.fault("hubspot", "500")
    n8n.kept = {}
    assert (await n8n.post(told[0]))["status"] == 500
    assert n8n.kept.get("seen", []) == [], "what failed is not remembered: it comes again"


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
async def test_of_a_move_the_workflow_leaves_one_meeting_standing(books: Books) -> None:
    await crm.prepare()
    n8n = N8n(books)
    later = {"booking": "b2", "start": (NOW + timedelta(days=1)).isoformat(), "replaces": "b1"}
    entries = (
        Entry(at=NOW, kind="booked", version=1, text="booked", data={"booking": "b1", "start": NOW.isoformat()}),
        Entry(at=NOW, kind="booked", version=2, text="moved", data=later),
    )
    store.write(reflection(LEAD, 2, entries=entries))
    for each in stream.tail():
        done = await n8n.post(each)
        assert (done["status"], done["error"]) == (204, "")
    assert {one["showrate_key"]: one["hs_meeting_outcome"] for one in n8n.records("meetings")} == {"b1": "RESCHEDULED", "b2": "SCHEDULED"}
    meetings = {one["id"] for one in books.state("hubspot")["meetings"]}
    assert {link["from"][1] for link in books.state("hubspot")["associations"] if link["from"][0] == "meetings"} == meetings


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
async def test_with_the_person_the_workflow_finds_the_contact_that_is_there(books: Books) -> None:
    await crm.prepare()
    books.seed("hubspot", records=[{"kind": "contacts", "properties": {"email": "ada@example.com", "firstname": "Ada"}}])
    form = Form(submission_id="s", name="Ada Park", phone="+14155550123", email="ada@example.com", company="Acme")
    store.write(reflection(LEAD, 1, entries=(Entry(at=NOW, kind="form", version=1, text="form"),), form=form))
    done = await N8n(books).post(stream.tail()[0], "full")
    assert (done["status"], done["error"]) == (204, "")
    [contact] = N8n(books).records("contacts")
    assert (contact["firstname"], contact["showrate_key"], contact["phone"]) == ("Ada", LEAD, "+14155550123")


def test_the_noted_type_is_for_what_the_catalogue_does_not_name() -> None:
    assert catalogue.type_of("slots") == NOTED


if __name__ == "__main__":
    SCHEMA.write_text(schema())
    head, _, tail = DOCS.read_text().partition(BEGIN)
    DOCS.write_text(head + BEGIN + table() + END + tail.partition(END)[2])
