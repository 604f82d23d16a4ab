"""A lead that does nothing but show as held until it is resumed, in place of the real one."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows import attributes, messages
    from workflows.messages import Wake


@workflow.defn(name=messages.LEAD)
class Sleeper:
    """Held by ``scope`` from its start; a resume clears it. Ends after ``resumes`` of them."""

    @workflow.init
    def __init__(self, scope: str, resumes: int) -> None:
        self.resumed: list[Wake] = []

    @workflow.run
    async def run(self, scope: str, resumes: int) -> None:
        workflow.upsert_search_attributes([attributes.HELD.value_set(scope)])
        await workflow.wait_condition(lambda: len(self.resumed) >= resumes)

    @workflow.signal
    def resume(self, event: Wake) -> None:
        self.resumed.append(event)
        workflow.upsert_search_attributes([attributes.HELD.value_unset()])

    @workflow.query
    def heard(self) -> list[Wake]:
        return self.resumed
