"""The ``showrate`` command as scripts meet it: a process of its own, its output and its exit codes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from clients import command

from .fixtures.temporal import free_port
from .fixtures.web import People, Site

UNKNOWN = "lead-" + "0" * 32


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


async def showrate(*arguments: str) -> Ran:
    """Run the command beside the servers of this test, in a thread with an event loop of its own."""
    ran = await asyncio.to_thread(CliRunner(env={"COLUMNS": "140"}).invoke, command.app, arguments)
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return Ran(ran.exit_code, ran.stdout, ran.stderr)


async def process(*arguments: str, **environment: str) -> Ran:
    """Run the command as a process of its own."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "clients.command", *arguments, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env={**os.environ, **environment},
    )  # fmt: skip
    out, err = await asyncio.wait_for(started.communicate(), 300)
    assert started.returncode is not None
    return Ran(started.returncode, out.decode(), err.decode())


async def test_a_lead_from_its_form_to_the_end(web: Site, people: People) -> None:
    sent = await showrate(
        "lead", "submit", "--phone", "415 555 4001", "--name", "Ada Park", "--field", "seats=12", "--json"
    )
    assert sent.code == 0, sent.err
    assert (await people.view(sent.data["lead"])).person is not None

    met = await people.talked("+1 415 555 4002")
    shown = await showrate("lead", "show", "(415) 555-4002")
    listed = await showrate("lead", "list", "--stage", "booked", "--json")
    why = await showrate("lead", "why", met.lead, "--json")
    assert shown.code == 0, shown.err
    for told in ("Ada Park", "booked", "Ana Torres", "dialled", met.lead):
        assert told in shown.out
    assert met.lead in {row["lead"] for row in listed.data}
    assert why.data["verdicts"][0]["rule"] == "commitment"
    first, *rest = why.data["account"]
    assert (first["touch"], first.get("rule", "")) == ("call_1", "")
    assert {each["rule"] for each in rest} <= {"reached", "goal_reached"}

    drawn = await showrate("playbook", "graph", "--lead", "(415) 555-4002")
    assert drawn.code == 0, drawn.err
    assert drawn.out.count('marker-end="url(#taken)"') == 4
    no_call = await showrate("playbook", "graph", "--lead", met.lead, "--attempt", "none")
    assert (no_call.code, (await showrate("playbook", "graph")).code) == (3, 2)

    told = await showrate("lead", "why", met.lead)
    for line in (
        "path",
        "outreach → identity",
        "✔ book",
        "0.90 of 0.50",
        "“tomorrow works for me”",
        "340 ms",
        "price: resolved",
        "commitment 0.75",
    ):
        assert line in told.out, line
    picture = await showrate("lead", "draw", met.lead)
    assert picture.out.startswith("<svg")
    assert (await showrate("lead", "draw", met.lead, "a9")).code == 3
    await people.waits(met, "a1:9")
    rejected = await showrate("lead", "reject", met.lead, "a1:9", "--by", "ops", "--json")
    assert (rejected.code, rejected.data["allowed"]) == (0, True)
    assert (await showrate("lead", "approve", met.lead)).code == 1

    moved_to = (met.booking.start + timedelta(hours=2)).isoformat()
    moved = await showrate("lead", "reschedule", met.lead, "--start", moved_to, "--by", "ops", "--json")
    assert (moved.code, moved.data["allowed"]) == (0, True)
    assert (await showrate("lead", "take-over", met.lead, "--by", "ops")).code == 0
    assert (await people.view(met.lead)).taken_over_by == "ops"
    assert (await showrate("lead", "release", met.lead)).code == 0
    assert (await showrate("pause", met.lead, "--by", "ops")).code == 0
    assert (await people.view(met.lead)).held_by == "ops"
    assert (await showrate("resume", met.lead)).code == 0
    too_early = await showrate("lead", "attended", met.lead)
    assert too_early.code == 1
    assert "Not done" in too_early.out
    assert (
        await showrate("lead", "cancel", met.lead, "--words", "they asked")
    ).out.strip() == "The meeting is cancelled."
    counted, pretty = await showrate("funnel", "--by", "source", "--json"), await showrate("funnel")
    assert {s["name"]: s["people"] for s in counted.data["total"]["stages"]}["booked"] == 1
    assert "first ring p50" in pretty.out


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (2, ["lead", "show"]),
        (2, ["lead", "reschedule", UNKNOWN]),
        (2, ["lead", "reschedule", UNKNOWN, "--start", "2027-03-12T15:00"]),
        (2, ["lead", "submit", "--field", "seats"]),
        (3, ["lead", "show", "somebody"]),
        (3, ["lead", "cancel", UNKNOWN]),
        (4, ["lead", "submit", "--phone", "415 555 4003", "--url", "http://127.0.0.1:9"]),
        (1, ["lead", "submit", "--phone", "12"]),
    ],
)
async def test_exit_codes_tell_what_went_wrong(web: Site, code: int, arguments: list[str]) -> None:
    ran = await showrate(*arguments)
    assert ran.code == code, ran.err
    assert ran.err


async def test_what_cannot_be_reached_or_read_is_said_without_a_traceback(web: Site) -> None:
    away, unreadable = await asyncio.gather(
        process("lead", "cancel", UNKNOWN, TEMPORAL_ADDRESS=f"127.0.0.1:{free_port()}"),
        process("lead", "list", SHOWRATE_ENCRYPTION_KEYS="bad:!"),
    )
    assert (away.code, unreadable.code) == (4, 2)
    assert "TEMPORAL_ADDRESS" in away.err
    assert "SHOWRATE_ENCRYPTION_KEYS" in unreadable.err
    assert "Traceback" not in away.err + unreadable.err


async def test_pauses(switches: None) -> None:
    paused = await showrate("pause", "audience:demo", "--json")
    assert (paused.code, [h["scope"] for h in paused.data["holds"]]) == (0, ["audience:demo"])
    assert (await showrate("resume", "audience:demo")).code == 0
    slip = await showrate("pause", "audience:inbuond")
    assert (slip.code, "there are demo, inbound, outbound" in slip.err) == (1, True)
    assert (await showrate("resume", "audience:inbuond")).code == 0
    assert (await showrate("pause", "channel:pigeon")).code == 1


async def test_playbooks_are_proven_and_drawn(environment: Path, tmp_path: Path) -> None:
    proven = await showrate("playbook", "check")
    assert proven.code == 0, proven.err
    assert "inbound: proven" in proven.out
    drawn = await showrate("playbook", "graph", "inbound", "--out", str(tmp_path / "graph.svg"))
    assert drawn.code == 0
    assert (tmp_path / "graph.svg").read_text().startswith("<svg")
    (tmp_path / "bad.yml").write_text("extends: inbound.yml\nname: bad\n")
    assert (await showrate("playbook", "check", "nowhere")).code == 3
    broken = await showrate("playbook", "check", str(tmp_path / "bad.yml"), "--json")
    assert broken.code == 1
    assert "inbound.yml" in broken.data[0]["faults"][0]["problem"]


@pytest.mark.parametrize("words", [[], ["lead"], ["lead", "submit"], ["funnel"], ["pause"], ["serve"], ["playbook"]])
async def test_help_is_there(words: list[str]) -> None:
    helped = await showrate(*words, "--help")
    assert helped.code == 0
    assert "Usage" in helped.out


async def test_serve_takes_forms_until_it_is_told_to_stop(environment: Path) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "clients.command", "serve", stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "SHOWRATE_PORT": str(port)},
    )  # fmt: skip
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as http:
        for _ in range(900):
            with contextlib.suppress(httpx.TransportError):
                if (await http.get("/healthz")).status_code == 200:
                    break
            await asyncio.sleep(0.05)
        assert (await http.get("/healthz")).json()["record"] == "ok"
        assert (await http.post("/leads", json={"phone": "+1 415 555 4009", "name": "Ada Park"})).status_code == 202
        assert 'showrate_effects_total{name="intake",outcome="ok"} 1.0' in (await http.get("/metrics")).text
    process.terminate()
    _, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err
    assert "5554009" not in err.decode().replace(" ", "")
    assert "Ada" not in err.decode()


async def test_serve_refuses_what_would_lose_people(environment: Path) -> None:
    keyless, unserved = await asyncio.gather(
        process("serve", SHOWRATE_IDENTITY_KEY="short"), process("serve", SHOWRATE_AUDIENCES='{"website": "moon"}')
    )
    assert keyless.code == 1
    assert "SHOWRATE_IDENTITY_KEY" in keyless.err
    assert unserved.code == 1
    assert "no playbook has the audience moon" in unserved.err


async def test_what_programs_read_has_all_its_fields_whatever_their_values(people: People) -> None:
    met = await people.talked("+1 415 555 4077")
    shown = (await showrate("lead", "show", met.lead, "--json")).data
    assert (shown["now"]["opted_out"], shown["now"]["held_by"], shown["now"]["taken_over_by"]) == (False, "", "")
    listed = (await showrate("lead", "list", "--json")).data
    assert all({"owner", "disposition", "review", "booking"} <= row.keys() for row in listed)
    wrong = await showrate("lead", "list", "--stage", "bogus")
    assert (wrong.code, "there are new, attempting" in wrong.err) == (2, True)
    assert met.lead in (await showrate("lead", "list")).out
