"""The whole house runs for two people while vendors fail; then nothing of them may stand in anything it wrote.

The sandbox is the outside world: its own log and state are exempt.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import DataConverter

from activities import store
from activities.settings import Settings, settings
from activities.vendors import temporal
from workers import setup
from workers.sandbox.cast import Member, draw
from workers.stack import LOOPBACK, Ports, Stack, demo_environment, demo_keys, free_ports
from workflows import lead_workflow

WORDS = ("marmalade", "quince", "harpsichord")
"""What only these people say: in their form, on the phone and by text."""
FAULTS = (
    {"vendor": "twilio", "method": "POST", "path": "/Messages.json", "kind": "500", "when": "after"},
    {"vendor": "hubspot", "method": "POST", "path": "contacts", "kind": "500", "when": "before"},
    {"vendor": "google", "method": "POST", "path": "/events", "kind": "drop", "when": "after"},
    {
        "vendor": "slack",
        "method": "POST",
        "path": "chat.postMessage",
        "kind": "429",
        "when": "before",
        "retry_after": 1,
    },
    {"vendor": "openai", "method": "POST", "path": "completions", "kind": "500", "when": "before"},
)


def cast() -> tuple[Member, Member]:
    """One who books and one who says stop, under names that nothing else has."""
    drawn = {member.persona: member for member in draw(7, datetime.now(UTC))}
    booker = _renamed(
        drawn["books_and_shows"], "Wilhelmina Quillfeather", "wilhelmina@thistledown.example", "Thistledown Ltd"
    )
    stopper = _renamed(drawn["says_stop"], "Bartholomew Featherstonehaugh", "barty@gorsewood.example", "Gorsewood Ltd")
    return booker, stopper


def _renamed(member: Member, name: str, email: str, company: str) -> Member:
    said = f"Ask for {name} at the {WORDS[1]} desk."
    who = member.character.model_copy(
        update={"name": name, "email": email, "company": company, "use_case": f"counting our {WORDS[0]} jars"}
    )
    form = {**member.form, "name": name, "email": email, "company": company, "message": said, "source": "website"}
    first = member.posts[0].model_copy(update={"delay": 0.0, "form": form})
    return member.model_copy(update={"character": who, "posts": (first,)})


def traces(member: Member) -> set[str]:
    """What must not be found, in lower case: parts of the name, of the address, the number with and without its plus
    and country, the company, and what they say."""
    who = member.character
    number = who.number.removeprefix("+")
    local, _, domain = who.email.partition("@")
    found = {*who.name.split(), number, number[2:], local, domain, domain.partition(".")[0], *WORDS}
    return {trace.lower() for trace in found}


@dataclass
class Ran:
    """What the run left behind."""

    home: Path
    members: tuple[Member, ...]
    leads: list[str] = field(default_factory=list)
    metrics: dict[str, str] = field(default_factory=dict)
    listed: list[str] = field(default_factory=list)
    """Every execution as Temporal lists it: id, search attributes and memo."""
    payloads: list[Payload] = field(default_factory=list)
    patches: list[dict[str, Any]] = field(default_factory=list)
    """The markers of ``workflow.patched``: the SDK writes them itself, past every codec."""
    histories: str = ""

    @property
    def traces(self) -> set[str]:
        return set().union(*(traces(member) for member in self.members))

    def found_in(self, text: str | bytes) -> set[str]:
        data = (text if isinstance(text, bytes) else text.encode()).lower()
        return {trace for trace in self.traces if trace.encode() in data}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    home = tmp_path_factory.mktemp("house")
    with pytest.MonkeyPatch.context() as monkeypatch:
        ports = free_ports(preferred=False)
        environment = demo_environment(home, ports, demo_keys(home))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        try:
            return asyncio.run(_run(home, ports, environment))
        finally:
            settings.cache_clear()


async def _run(home: Path, ports: Ports, environment: dict[str, str]) -> Ran:
    made = Ran(home, cast())
    sandbox, web = (f"http://{LOOPBACK}:{port}" for port in (ports.sandbox, ports.web))
    async with Stack(home, ports, environment) as stack, httpx.AsyncClient(timeout=15, trust_env=False) as http:
        await stack.start()
        async for _ in setup.setup():
            pass
        for fault in FAULTS:
            (await http.post(f"{sandbox}/_faults", json=fault)).raise_for_status()
        people = [member.model_dump(mode="json") for member in made.members]
        (await http.post(f"{sandbox}/_cast", json=people)).raise_for_status()
        for member in made.members:
            form = {**member.form, "key": settings().showrate_sources["website"]}
            posted = await http.post(f"{web}/leads", json=form)
            assert posted.status_code == 202, posted.text
            made.leads.append(posted.json()["lead"])
        await _until(made.leads[0], "booked", "confirmed")
        await _until(made.leads[1], "closed")
        await _say(http, sandbox, web, made)
        for name, port in (("web", ports.web), ("worker", ports.worker)):
            made.metrics[name] = (await http.get(f"http://{LOOPBACK}:{port}/metrics")).text
        told = (home / "logs" / "temporal.log").read_text()
        address = told.partition("Temporal Metrics:")[2].split()[0]
        made.metrics["temporal"] = (await http.get(address)).text
        await _read_temporal(ports, made)
    return made


async def _until(lead: str, *stages: str) -> None:
    """Wait until the record knows that the lead has come to one of ``stages``."""
    end, known = time.monotonic() + 60, None
    while time.monotonic() < end:
        known = await asyncio.to_thread(store.lead, lead)
        if (
            known
            and known.stage in stages
            and any(call.transcript for call in await asyncio.to_thread(store.calls, lead))
        ):
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"{lead} is still {known and known.stage}")


async def _say(http: httpx.AsyncClient, sandbox: str, web: str, made: Ran) -> None:
    """They text us; somebody posts nonsense about them, and strangers pretend to be the carrier."""
    member = made.members[0]
    text = {"number": member.number, "body": f"Where do I leave the {WORDS[2]}?"}
    (await http.post(f"{sandbox}/_phone/text", json=text)).raise_for_status()
    bad = {**member.form, "email": f"{member.character.name} at home", "key": settings().showrate_sources["website"]}
    assert (await http.post(f"{web}/leads", json=bad)).status_code == 422
    assert (await http.post(f"{web}/leads", json={**member.form, "key": "wrong"})).status_code in (401, 403)
    forged = {"From": member.number, "Body": f"My name is {member.character.name}", "MessageSid": "SM1"}
    assert (await http.post(f"{web}/twilio/message", data=forged)).status_code == 403
    by_number = {"Authorization": f"Bearer {settings().showrate_token}"}
    assert (await http.get(f"{web}/api/leads/{member.number}", headers=by_number)).status_code in (200, 404)
    await asyncio.sleep(1.5)


async def _read_temporal(ports: Ports, made: Ran) -> None:
    """All executions without our codec, as anybody sees them who can reach Temporal."""
    plain = await Client.connect(f"{LOOPBACK}:{ports.temporal}", data_converter=DataConverter.default)
    async for execution in plain.list_workflows():
        made.listed.append(str(execution.raw_info))
        handle = plain.get_workflow_handle(execution.id, run_id=execution.run_id)
        described = (await handle.describe()).raw_description
        made.listed.append(str(described))
        history = await handle.fetch_history()
        made.histories += history.to_json()
        for event in history.events:
            marker = event.marker_recorded_event_attributes
            if marker.marker_name == "core_patch":
                found = [payload for details in marker.details.values() for payload in details.payloads]
                made.patches.extend(json.loads(payload.data) for payload in found)
            else:
                made.payloads.extend(_payloads(event))


def _payloads(message: Message) -> Iterator[Payload]:
    """Every payload anywhere in ``message``, but search attributes, which are told apart."""
    if isinstance(message, Payload):
        yield message
        return
    for described, value in message.ListFields():
        if described.message_type is None or described.name == "search_attributes":
            continue
        if not described.is_repeated:
            yield from _payloads(value)
        elif described.message_type.GetOptions().map_entry:
            for each in value.values():
                if isinstance(each, Message):
                    yield from _payloads(each)
        else:
            for each in value:
                yield from _payloads(each)


def test_no_file_of_any_process_shows_them(ran: Ran) -> None:
    """Logs, the record's database, and Temporal's own: histories, memos, failures and search attributes as stored."""
    read = []
    for file in sorted(ran.home.rglob("*")):
        inside = file.relative_to(ran.home)
        if file.is_file() and inside.parts[0] != "sandbox" and inside.name != "sandbox.log":
            read.append(inside.name)
            assert ran.found_in(file.read_bytes()) == set(), inside
            assert ran.found_in(str(inside)) == set()
    assert {"web.log", "worker.log", "temporal.log", "temporal.db", "record.db"} <= set(read)


def test_no_metric_shows_them(ran: Ran) -> None:
    for process, exposition in ran.metrics.items():
        assert ran.found_in(exposition) == set(), process
    assert 'showrate_effects_total{name="place_call",outcome="ok"}' in ran.metrics["worker"]
    assert "showrate_turn_seconds_count" in ran.metrics["web"]
    assert "service_requests" in ran.metrics["temporal"]


def test_no_id_search_attribute_or_memo_shows_them(ran: Ran) -> None:
    told = "\n".join(ran.listed)
    assert ran.found_in(told) == set()
    assert all(lead in told for lead in ran.leads)
    assert "ShowrateStage" in told


def test_every_payload_is_encrypted_and_no_history_shows_them(ran: Ran) -> None:
    assert ran.found_in(ran.histories) == set()
    assert len(ran.payloads) > 60
    assert {payload.metadata["encoding"] for payload in ran.payloads} == {b"binary/encrypted"}
    assert ran.found_in(b"".join(payload.data for payload in ran.payloads)) == set()
    assert '"message": "Encoded failure"' in ran.histories
    assert '"encodedAttributes"' in ran.histories
    code = "".join(file.read_text() for file in Path(lead_workflow.__file__).parent.glob("*.py"))
    for patch in ran.patches:
        assert set(patch) == {"id", "deprecated"}
        assert f'"{patch["id"]}"' in code, "what stands in a history in clear is our own code's word"


def test_they_are_there_for_who_holds_the_key(ran: Ran) -> None:
    """So that the others did not look in vain: every trace is in what was encrypted, and the vendors did fail."""
    keys = dict(line.split("=", 1) for line in (ran.home / "keys.env").read_text().splitlines())
    codec = temporal.Codec(Settings(**{"showrate_encryption_keys": keys["SHOWRATE_ENCRYPTION_KEYS"]}).encryption_keys)
    clear = b"\n".join(codec.open(payload).data for payload in ran.payloads)
    assert ran.found_in(clear) == ran.traces
    wire = (ran.home / "sandbox" / "wire.jsonl").read_text()
    assert ran.found_in(wire) == ran.traces
    for fault in FAULTS:
        assert any(f'"vendor": "{fault["vendor"]}"' in line and '"fault": ""' not in line for line in wire.splitlines())
