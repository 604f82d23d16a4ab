"""The activity ``reflect``: record, CRM and channel at once, each thing told once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import crm, store
from activities.reflection import reflect
from activities.settings import settings
from tests.fixtures.books import Books
from workflows.effects import CallNote, Card, Entry, Reflection, ReflectionDone
from workflows.events import Booking, Form, Line

LEAD = "lead-" + "7" * 32
NOW = datetime(2027, 3, 12, 15, 0, tzinfo=UTC)
CARD = Card(key=f"{LEAD}:booked:b1", title="Meeting booked", lines=("10 AM",), rep="ana", lead=LEAD)
REQUEST = Reflection(
    lead=LEAD,
    version=7,
    audience="inbound",
    playbook="0" * 16,
    now=NOW,
    stage="booked",
    furthest="booked",
    source="website",
    owner="ana",
    form=Form(submission_id="s1", name="Lee Park", phone="+14155550123", email="lee@example.com"),
    learned={"team_size": "40"},
    milestones={"form": NOW, "booked": NOW},
    entries=(Entry(at=NOW, kind="booked", version=7, text="booked", data={"booking": "b1"}),),
    calls=(
        CallNote(
            attempt="a1",
            sid="CA1",
            at=NOW,
            seconds=9,
            status="completed",
            disposition="talked",
            transcript=(Line(who="agent", text="Hello", at=NOW),),
        ),
    ),
    booking=Booking(id="b1", rep="ana", rep_name="Ana Torres", start=NOW, end=NOW + timedelta(minutes=30)),
    cards=(CARD,),
)


class Tries:
    """The attempts of one activity, with the heartbeat handed on as the server does."""

    def __init__(self) -> None:
        self.attempt = 0
        self.left: tuple[Any, ...] = ()

    async def once(self, request: Reflection = REQUEST, *, forget: bool = False) -> ReflectionDone:
        """One attempt; ``forget`` as if the worker before it had died."""
        self.attempt += 1
        environment = ActivityEnvironment()
        environment.info = replace(
            environment.info,
            attempt=self.attempt,
            scheduled_time=datetime.now(UTC) - timedelta(seconds=1),
            heartbeat_details=() if forget else self.left,
        )
        environment.on_heartbeat = self._note
        return await environment.run(reflect, request)

    def _note(self, *details: Any) -> None:
        self.left = details

    async def fails(self, request: Reflection = REQUEST) -> ApplicationError:
        with pytest.raises(ApplicationError) as raised:
            await self.once(request)
        return raised.value


@pytest.fixture
async def ready(books: Books) -> Books:
    await crm.prepare()
    books.world.log.entries.clear()
    return books


@pytest.fixture
def tries() -> Tries:
    return Tries()


def told_once(books: Books) -> None:
    state = books.state("hubspot")
    assert [len(state[kind]) for kind in ("contacts", "calls", "meetings", "deals")] == [1, 1, 1, 1]
    assert books.cards == [CARD.key]


async def test_all_three_are_told_in_few_requests(ready: Books, tries: Tries) -> None:
    done = await tries.once()
    assert done == ReflectionDone()
    told_once(ready)
    # properties and pipeline (remembered), contact written, read and given its owner; call, meeting and deal
    # written and connected
    assert len(ready.requests("hubspot")) == 11
    assert len(ready.requests("slack")) == 1
    await tries.once(REQUEST.model_copy(update={"version": 8, "form": None, "calls": (), "cards": ()}))
    assert len(ready.requests("hubspot")) == 11 + 6


async def test_a_worker_that_died_tells_nothing_twice(ready: Books, tries: Tries) -> None:
    await tries.once()
    done = await tries.once(forget=True)
    assert done.owner == "ana", "the owner that the first attempt wrote"
    told_once(ready)
    assert len(ready.requests("slack", path="postMessage")) == 1


async def test_what_is_done_is_not_sent_again(ready: Books, tries: Tries) -> None:
    ready.fault("slack", "500", "before", path="postMessage")
    assert (await tries.fails()).type == "retry"
    sent = len(ready.requests("hubspot"))
    assert sent == 11, "the CRM was told although the channel failed"
    await tries.once()
    assert len(ready.requests("hubspot")) == sent
    told_once(ready)


async def test_the_longest_wait_counts(ready: Books, tries: Tries) -> None:
    ready.fault("slack", "429", retry_after=3)
    ready.fault("hubspot", "429", retry_after=9)
    error = await tries.fails()
    assert (error.type, error.next_retry_delay) == ("retry_after", timedelta(seconds=9))
    await tries.once()
    told_once(ready)


async def test_a_refusal_is_answered_and_the_rest_done(ready: Books, tries: Tries) -> None:
    ready.fault("hubspot", "403")
    done = await tries.once()
    assert [said.split(":")[0] for said in done.failed] == ["crm"]
    assert ready.cards == [CARD.key]


async def test_a_refusal_is_remembered_over_a_retry_of_another_part(ready: Books, tries: Tries) -> None:
    ready.fault("hubspot", "403")
    ready.fault("slack", "429", retry_after=1)
    await tries.fails()
    sent = len(ready.requests("hubspot"))
    done = await tries.once()
    assert [said.split(":")[0] for said in done.failed] == ["crm"]
    assert len(ready.requests("hubspot")) == sent


async def test_only_the_parts_asked_for(ready: Books, tries: Tries) -> None:
    await tries.once(REQUEST.model_copy(update={"parts": ("notice",)}))
    assert ready.requests("hubspot") == []
    assert ready.cards == [CARD.key]
    assert store.lead(LEAD) is None


async def test_a_vendor_that_is_not_configured_is_left_out(
    ready: Books, tries: Tries, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HUBSPOT_BASE_URL", "HUBSPOT_ACCESS_TOKEN", "SLACK_BASE_URL", "SLACK_BOT_TOKEN"):
        monkeypatch.setenv(name, "")
    settings.cache_clear()
    assert await tries.once() == ReflectionDone()
    assert ready.requests("hubspot") == ready.requests("slack") == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", ["500", "drop", "429"])
@pytest.mark.parametrize("vendor", ["hubspot", "slack"])
async def test_every_failure_ends_in_one_of_each(
    ready: Books, tries: Tries, vendor: str, fault: str, when: str
) -> None:
    """Three failures in a row, one for each attempt or request, wherever they hit."""
    for skip in (0, 2, 3):
        ready.fault(vendor, fault, when, skip=skip if vendor == "hubspot" else 0, method="POST")
    failures: list[ApplicationError] = []
    while tries.attempt < 6:
        try:
            await tries.once()
            break
        except ApplicationError as error:
            failures.append(error)
    assert {error.type for error in failures} <= {"retry", "retry_after"}
    assert tries.attempt > 1 or (vendor, when) == ("slack", "after")
    told_once(ready)


async def test_no_failure_names_the_person(ready: Books, tries: Tries) -> None:
    for vendor in ("hubspot", "slack"):
        ready.fault(vendor, "500", "before", method="POST")
    error = await tries.fails()
    for word in ("Lee", "4155550123", "lee@"):
        assert word not in str(error)
