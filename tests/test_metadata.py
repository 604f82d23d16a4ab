"""What Temporal's UI and ``temporal workflow metadata`` tell of each workflow: every signal, update and query with what it
does, asked of the real server."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.sdk.v1 import WorkflowInteractionDefinition
from temporalio.client import Client

from tests.fixtures.temporal import running_worker
from tests.stage import Stage, playbook
from tests.test_plain_json import metadata
from workflows import handlers, messages
from workflows.control_workflow import ControlStart, ControlWorkflow
from workflows.lead_workflow import LeadWorkflow
from workflows.optout_workflow import OptOutStart, OptOutWorkflow
from workflows.rep_workflow import RepStart, RepWorkflow
from workflows.team_workflow import TeamStart, TeamWorkflow

Definitions = Sequence[WorkflowInteractionDefinition]


def lead() -> messages.LeadStart:
    book = playbook()
    return messages.LeadStart(lead="lead-metadata", audience=book.audience, playbook=book.hash)


STARTS: dict[type, Callable[[], Any]] = {
    LeadWorkflow: lead, RepWorkflow: lambda: RepStart(rep="ana"), TeamWorkflow: lambda: TeamStart(team="sales"),
    ControlWorkflow: ControlStart, OptOutWorkflow: lambda: OptOutStart(handle="h"),
}  # fmt: skip


def handlers_of(kind: type) -> dict[str, Callable[..., Any]]:
    """The methods of ``kind`` that Temporal calls for somebody."""
    methods = inspect.getmembers(kind, inspect.isfunction)
    marks = ("@signal", "@update", "@query")
    return {name: method for name, method in methods if inspect.getsource(method).lstrip().startswith(marks)}


@pytest.mark.parametrize("kind", STARTS, ids=lambda kind: kind.__name__)
async def test_every_handler_says_what_it_does(client: Client, kind: type) -> None:
    queue = f"metadata-{uuid4().hex}"
    async with running_worker(client, [kind], Stage().activities(), queue=queue):
        handle = await client.start_workflow(kind.__name__, STARTS[kind](), id=queue, task_queue=queue)
        page = (await metadata(client, queue)).definition
        await handle.terminate()
    kinds: list[Definitions] = [page.signal_definitions, page.update_definitions, page.query_definitions]
    told = [each for definitions in kinds for each in definitions if not each.name.startswith("__")]
    methods = handlers_of(kind)
    assert len(told) == len(methods) > 2
    for each in told:
        assert len(each.description) > 10, each.name
        assert "``" not in each.description
        assert "\n" not in each.description
    for name in {each.name for each in told} & methods.keys():
        assert handlers.described(methods[name]) in {each.description for each in told if each.name == name}


def test_the_names_and_inputs_of_a_leads_handlers_are_written_down() -> None:
    """Who sends one by hand reads them in ``workflows/messages.py``."""
    listed = set(re.findall(r"``(\w+)`` (?:->|[A-Z])", messages.__doc__ or ""))
    assert listed == set(handlers_of(LeadWorkflow))
