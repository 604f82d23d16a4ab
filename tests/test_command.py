"""The ``showrate`` command as scripts meet it: a process of its own, its output and its exit codes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from typer.testing import CliRunner

from clients import command
from workflows.control_workflow import ControlWorkflow

from .fixtures.temporal import free_port, running_worker
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


async def showrate(*arguments: str, **environment: str) -> Ran:
    """Run the command as a process, beside the servers of this test."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "clients.command", *arguments, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env={**os.environ, "COLUMNS": "140", **environment},
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return Ran(process.returncode, out.decode(), err.decode())


async def test_a_lead_from_its_form_to_the_end(web: Site, people: People) -> None:
    sent = await showrate("lead", "submit", "--phone", "415 555 4001", "--name", "Ada Park", "--field", "seats=12", "--json")
    assert sent.code == 0, sent.err
    assert (await people.view(sent.data["lead"])).person is not None

    met = await people.talked("+1 415 555 4002")
    shown, listed, why = await asyncio.gather(
        showrate("lead", "show", "(415) 555-4002"),
        showrate("lead", "list", "--stage", "booked", "--json"),
        showrate("lead", "why", met.lead, "--json"),
    )
    assert shown.code == 0, shown.err
    for told in ("Ada Park", "booked", "Ana Torres", "dialled", met.lead):
        assert told in shown.out
    assert met.lead in {row["lead"] for row in listed.data}
    assert why.data["verdicts"][0]["rule"] == "commitment"

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
    assert (await showrate("lead", "cancel", met.lead, "--words", "they asked")).out.strip() == "The meeting is cancelled."
    counted, pretty = await asyncio.gather(showrate("funnel", "--by", "source", "--json"), showrate("funnel"))
    assert {s["name"]: s["people"] for s in counted.data["total"]["stages"]}["booked"] == 1
    assert "first ring p50" in pretty.out


async def test_exit_codes_tell_what_went_wrong(web: Site) -> None:
    nowhere = {"TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}"}
    ran = await asyncio.gather(
        showrate("lead", "show"),
        showrate("lead", "reschedule", UNKNOWN),
        showrate("lead", "reschedule", UNKNOWN, "--start", "2027-03-12T15:00"),
        showrate("lead", "show", "somebody"),
        showrate("lead", "cancel", UNKNOWN),
        showrate("lead", "cancel", UNKNOWN, **nowhere),
        showrate("lead", "submit", "--phone", "12"),
        showrate("lead", "submit", "--phone", "415 555 4003", "--url", f"http://127.0.0.1:{free_port()}"),
        showrate("lead", "list", SHOWRATE_ENCRYPTION_KEYS="bad:!"),
    )
    assert [each.code for each in ran] == [2, 2, 2, 3, 3, 4, 1, 4, 2], [each.err for each in ran]
    assert all(each.err for each in ran)
    assert not any("Traceback" in each.err for each in ran)


async def test_pauses(web: Site, client: Client) -> None:
    async with running_worker(client, [ControlWorkflow]):
        paused = await showrate("pause", "audience:nobody", "--json")
        assert (paused.code, [h["scope"] for h in paused.data["holds"]]) == (0, ["audience:nobody"])
        assert (await showrate("resume", "audience:nobody")).code == 0
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
def test_help_is_there(words: list[str]) -> None:
    helped = CliRunner().invoke(command.app, [*words, "--help"])
    assert helped.exit_code == 0
    assert "Usage" in helped.output


async def test_serve_refuses_what_would_lose_people(environment: Path) -> None:
    keyless = await showrate("serve", SHOWRATE_IDENTITY_KEY="short")
    assert keyless.code == 1
    assert "SHOWRATE_IDENTITY_KEY" in keyless.err
    unserved = await showrate("serve", SHOWRATE_AUDIENCES='{"website": "moon"}')
    assert unserved.code == 1
    assert "no playbook has the audience moon" in unserved.err
