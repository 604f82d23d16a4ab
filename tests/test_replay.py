"""Every recorded history replays on the code as it is: no open lead would be stuck by its deployment."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from activities.vendors import temporal
from tests.fixtures.temporal import ENCRYPTION_KEYS
from workers.options import common_options
from workers.worker import workflow_classes
from workflows import perform, playbook
from workflows.playbook import Playbook

HISTORIES = Path(__file__).parent / "histories"
RECORDED = sorted(HISTORIES.glob("*/*.json.gz"))
KEYS = {name: base64.b64decode(key) for name, _, key in [ENCRYPTION_KEYS.partition(":")]}


@pytest.fixture(autouse=True)
def books(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The playbooks that the recorded leads followed, under the hashes that they had then."""
    kept = dict(playbook._registry)
    for file in HISTORIES.glob("*/playbooks.json"):
        for content_hash, content in json.loads(file.read_text()).items():
            monkeypatch.setitem(playbook._registry, content_hash, Playbook.model_validate(content))
    yield
    playbook._registry.clear()
    playbook._registry.update(kept)


def replayer() -> Replayer:
    options: dict[str, Any] = common_options(isolated=True)
    return Replayer(
        workflows=workflow_classes(),
        data_converter=temporal.converter(KEYS),
        workflow_runner=options["workflow_runner"],
    )


def read(file: Path) -> WorkflowHistory:
    recorded = json.loads(gzip.decompress(file.read_bytes()))
    return WorkflowHistory.from_json(recorded["workflow"], recorded["history"])


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: f"{file.parent.name}/{file.name.split('.')[0]}")
async def test_a_recorded_history_replays(file: Path) -> None:
    await replayer().replay_workflow(read(file))


def test_there_is_a_recording_of_every_persona_and_of_what_lives_beside_them() -> None:
    names = {file.name.split(".")[0] for file in RECORDED}
    assert {"books_and_shows", "voicemail_then_books", "rings_back", "no_show_recovered"} <= names
    assert {"not_interested", "says_stop", "twice", "team-sales", "rep-ana", "rep-ben", "optout-0"} <= names


async def test_an_incompatible_change_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check bites: a lead that would now wait before it dials does not replay."""
    dial = perform.start_dial

    def later(*given: Any) -> Any:
        workflow.start_activity("find_call", start_to_close_timeout=timedelta(seconds=1))
        return dial(*given)

    monkeypatch.setattr(perform, "start_dial", later)
    file = next(file for file in RECORDED if file.name.startswith("books_and_shows"))
    with pytest.raises(NondeterminismError):
        await replayer().replay_workflow(read(file))
