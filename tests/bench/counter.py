"""The plainest workflow that answers updates: what an answer costs before anything is decided."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.rotation import AssignTurn


@workflow.defn
class Counter:
    """Its update adds one."""

    def __init__(self) -> None:
        self._count = 0

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: workflow.info().is_continue_as_new_suggested())
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new()

    @workflow.update
    def add(self, asked: AssignTurn) -> int:
        self._count += 1
        return self._count
