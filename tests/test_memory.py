"""What outlives a lead's execution: the opt-out, the story, the funnel, and what a new form is met with."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from activities import gate
from activities.settings import settings
from tests.fixtures.temporal import delete, running_worker
from tests.fixtures.web import People
from workflows import effects as fx
from workflows import identity
from workflows import messages as ms
from workflows.optout_workflow import OptOutWorkflow


async def told(people: People, lead: str) -> dict[str, Any]:
    """What ``why`` answers, without what comes next: that is the execution's."""
    answer = await people.site.http.get(f"/api/leads/{lead}/why", headers=people.site.authorized)
    return {name: value for name, value in answer.json().items() if name != "next"}


async def test_a_lead_that_showed_is_remembered_without_its_execution(people: People) -> None:
    site, client = people.site, people.site.temporal
    talked = await people.talked("+14155550142", timedelta(seconds=5))
    handle = client.get_workflow_handle(talked.lead)
    answer = await handle.execute_update("attended", {"by": "ana"}, result_type=ms.Answer)
    assert answer.allowed, answer
    await people.recorded(talked.lead, "closed")
    why = await told(people, talked.lead)
    funnel = (await site.http.get("/api/funnel", headers=site.authorized)).json()
    assert why

    await delete(client, talked.lead)
    assert await told(people, talked.lead) == why
    assert (await site.http.get("/api/funnel", headers=site.authorized)).json() == funnel

    again = await people.submit(talked.phone, submission_id="second")
    assert again == talked.lead
    seen = await people.until(again, lambda v: any(t.attempt == "a2" for t in v.touches))
    assert seen.learned["team_size"] == "12"
    assert "showed" in seen.milestones
    brief = await people._update(
        again, "connect", ms.Connect(attempt="a2", sid="CA2", at=seen.touches[-1].at), ms.Brief
    )
    assert brief.talked_before
    await handle.terminate()


async def test_an_opt_out_holds_without_the_execution_that_heard_it(people: People) -> None:
    site, client = people.site, people.site.temporal

    async def keep(request: fx.KeepOptOut) -> None:
        await gate.start_opt_out(client, request.handles, request.lead, request.channel, request.at, request.words)

    people.stage.answers["keep_opt_out"] = keep
    phone = "+14155550143"
    handle_hash = identity.handle_id(settings().identity_key, phone)
    async with running_worker(client, [OptOutWorkflow], queue="showrate-other"):
        lead = await people.submit(phone)
        await people.until(lead, lambda v: v.touches and v.touches[0].sid)
        stopped = await site.http.post(f"/api/leads/{lead}/opt-out", json={"by": "ops"}, headers=site.authorized)
        assert stopped.status_code == 200, stopped.text
        await people.recorded(lead, "closed")
        await client.get_workflow_handle(lead).terminate("gone")
        asked = fx.Gate(lead=lead, audience="inbound", handles=(handle_hash,))
        assert await gate.ask(asked, "call", client) == "opted_out"
        dials = len(people.stage.of("place_call"))
        assert await people.submit(phone, submission_id="second") == lead
        seen = await people.until(lead, lambda v: v.person is not None)
        assert seen.opted_out
        await asyncio.sleep(0.5)
        assert len(people.stage.of("place_call")) == dials
        await client.get_workflow_handle(lead).terminate()
        await client.get_workflow_handle(identity.optout_id(handle_hash)).terminate()


async def test_a_submission_that_was_sent_before_stays_one_after_the_lead_has_closed(people: People) -> None:
    lead = await people.submit("+14155550144", submission_id="the-same")
    await people.until(lead, lambda v: v.touches and v.touches[0].sid)
    handle = people.site.temporal.get_workflow_handle(lead)
    await handle.execute_update("opt_out", {"by": "ops"}, result_type=ms.Answer)
    before = await people.until(lead, lambda v: v.closed)
    assert await people.submit("+14155550144", submission_id="the-same") == lead
    await asyncio.sleep(0.3)
    after = await people.view(lead)
    assert (after.closed, after.needs_review) == (True, before.needs_review)
    await handle.terminate()
