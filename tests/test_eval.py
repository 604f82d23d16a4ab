"""``showrate eval``: the scenarios against a model on the wire, two models and two playbooks side by side."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from typer.testing import CliRunner

from activities.settings import settings
from activities.vendors import openai
from clients import command
from workers.sandbox import model

from .fixtures.temporal import free_port
from .fixtures.wire import Served

SOME = "booked"
"""Scenarios that hold this in their names: a few, of both audiences."""


async def no_such_model(_: Request) -> Response:
    return JSONResponse({"error": {"message": "The model does not exist", "code": "model_not_found"}}, 404)


@pytest.fixture
async def models(serve: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """The scripted model, and below ``/none`` a server that knows no model."""
    routes = [*model.routes(None), Route("/none/chat/completions", no_such_model, methods=["POST"])]  # type: ignore[arg-type]
    served: Served = await serve(Starlette(routes=routes))
    monkeypatch.setenv("OPENAI_BASE_URL", f"{served.url}/openai/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sandbox")
    monkeypatch.setenv("OPENAI_MODEL", "scripted")
    settings.cache_clear()
    yield served
    await openai.close()
    settings.cache_clear()


async def evaluated(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner(env={"COLUMNS": "160"}).invoke, command.app, ["eval", *arguments])


async def test_a_model_is_scored_and_the_report_written(models: Served, tmp_path: Path) -> None:
    ran = await evaluated("--only", SOME, "--out", str(tmp_path / "report.html"), "--json")
    assert ran.exit_code == 0, ran.output
    (run,) = json.loads(ran.stdout)["runs"]
    assert run["model"] == "scripted"
    assert run["score"]["played"] == len(run["scenarios"]) > 1
    assert run["score"]["failed"] == run["score"]["wrong_bookings"] == run["score"]["unended"] == 0
    assert run["score"]["asks"] > 0
    page = (tmp_path / "report.html").read_text()
    assert all(each["scenario"] in page for each in run["scenarios"])


async def test_two_models_stand_side_by_side(models: Served) -> None:
    ran = await evaluated("--only", SOME, "--against-model", "unknown", "--against-url", f"{models.url}/none", "--json")
    assert ran.exit_code == 0, ran.output
    scripted, unknown = json.loads(ran.stdout)["runs"]
    assert (scripted["name"], unknown["name"]) == ("scripted", "unknown")
    assert scripted["score"]["model_failures"] == 0
    assert unknown["score"]["model_failures"] == unknown["score"]["asks"] > 0
    assert unknown["score"]["unended"] == unknown["score"]["wrong_bookings"] == 0  # the rules alone are safe
    shown = await evaluated("--only", SOME, "--against-model", "unknown", "--against-url", f"{models.url}/none")
    assert "scripted" in shown.stdout
    assert "unknown" in shown.stdout
    assert "passed as written" in shown.stdout


async def test_two_playbooks_stand_side_by_side(models: Served, tmp_path: Path) -> None:
    for file in settings().showrate_playbooks.glob("*.yml"):
        (tmp_path / file.name).write_text(file.read_text())
    strict = {"extends": "inbound.yml", "name": "strict", "thresholds": {"book": 1.0}}
    (tmp_path / "strict.yml").write_text(yaml.safe_dump(strict))
    ran = await evaluated("--only", SOME, "--against", str(tmp_path / "strict.yml"), "--json")
    first, second = json.loads(ran.stdout)["runs"]
    assert first["score"]["booked"] > second["score"]["booked"] == 0
    assert second["name"].startswith("strict")


async def test_what_cannot_be_done_is_said(models: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = await evaluated("--only", SOME, "--base-url", f"http://127.0.0.1:{free_port()}/v1")
    assert gone.exit_code == 4
    assert "the model gave no turn at all" in gone.output
    unknown = await evaluated("--only", SOME, "--base-url", f"{models.url}/none", "--model", "unheard-of")
    assert unknown.exit_code == 4
    assert "no turn at all" in unknown.output
    nobody = await evaluated("--playbook", "nobody")
    assert nobody.exit_code == 3
    assert "nobody.yml" in nobody.output
    nothing = await evaluated("--only", "no scenario is called so")
    assert nothing.exit_code == 3


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("audiences: {inbound: {}}\nscenarios:\n  one:\n    about: x\n    turnss: []\n", "turnss"),
        ("audiences: {inbound: {}}\nscenarios: [\n", "broken.yml:"),
        ("hello\n", "start with audiences: and scenarios:"),
    ],
)
async def test_a_bad_scenario_is_named_with_its_file(models: Served, tmp_path: Path, written: str, told: str) -> None:
    (tmp_path / "broken.yml").write_text(written)
    ran = await evaluated("--scenarios", str(tmp_path / "broken.yml"))
    assert ran.exit_code == 1
    assert "broken.yml" in ran.output
    assert told in ran.output
