"""The activity ``reflect``: record, CRM and channel at once, each thing told once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import crm, store
from activities.reflection import reflect
from activities.settings import settings
from tests.fixtures.books import CHANNEL, Books
from workflows.effects import CallNote, Card, Entry, Reflection, ReflectionDone
from workflows.events import Booking, Concern, Form, Line, Sign
from workflows.messages import Judged

LEAD = "lead-" + "7" * 32
FIRST = 24
"""Requests to the CRM for a new lead that talked and booked."""
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


STANDS: dict[str, Any] = {
    "fit": "fits",
    "criteria": (
        Judged(field="team_size", status="met", value="25", source="said", quote="about 25", wants="at least 3"),
        Judged(field="role", wants="decides or shares"),
        Judged(field="budget", status="failed", value="none", source="crm", wants="set"),
    ),
    "concerns": (Concern(name="price", status="resolved", answered=1, words="too expensive"),),
    "signs": (Sign(sign="commitment", quote="let's do it", strength=0.95),),
    "next_step": "waiting for the meeting",
}
SUMMARY = {
    "Fit": "fits. met: team size 25 (said); against: budget none (crm); missing: role",
    "Objections": "price: resolved, raised 1 time, answered 1 time (“too expensive”)",
    "Signs": "commitment 0.95 (“let's do it”)",
    "Now": "booked, next: waiting for the meeting",
}


def told_once(books: Books) -> None:
    state = books.state("hubspot")
    assert [len(state[kind]) for kind in ("contacts", "calls", "meetings", "deals")] == [1, 1, 1, 1]
    assert books.cards == [CARD.key]


async def test_all_three_are_told_in_few_requests(ready: Books, tries: Tries) -> None:
    done = await tries.once()
    assert (done.owner, done.failed, done.conflicts, done.left_out) == ("", (), (), ())
    told_once(ready)
    # remembered: the token, the properties of four kinds, the pipeline; the contact is looked for by key, address and
    # number, written and read back; call, meeting and deal are each looked for, written, read back and connected
    assert len(ready.requests("hubspot")) == FIRST
    assert len(ready.requests("slack")) == 1
    await tries.once(REQUEST.model_copy(update={"version": 8, "form": None, "calls": (), "cards": ()}))
    # contact, its deals, deal and meeting are read; nothing changed, so that they are only connected again
    assert len(ready.requests("hubspot")) == FIRST + 8


@pytest.mark.parametrize("again", ["", "retried", "died"])
async def test_how_the_lead_stands_is_on_contact_deal_call_and_card_once(
    ready: Books, tries: Tries, again: str
) -> None:
    request = REQUEST.model_copy(update=STANDS)
    if again == "retried":
        ready.fault("hubspot", "500", "after", method="POST", path="deals/batch/upsert")
        assert (await tries.fails(request)).type == "retry"
    await tries.once(request, forget=again == "died")
    if again == "died":
        await tries.once(request, forget=True)
    told_once(ready)
    state = ready.state("hubspot")
    contact, deal, call = (state[kind][0]["properties"] for kind in ("contacts", "deals", "calls"))
    assert contact["showrate_criteria"].splitlines() == [
        "met: team size is 25, wanted at least 3 (said: “about 25”)",
        "missing: role is not known, wanted decides or shares",
        "against: budget is none, wanted set (crm)",
    ]
    assert contact["showrate_signs"] == SUMMARY["Signs"]
    for record in (contact, deal):
        assert record["showrate_fit"] == "fits"
        assert record["showrate_objections"] == SUMMARY["Objections"]
        assert record["showrate_next_step"] == "waiting for the meeting"
    for name, words in SUMMARY.items():
        assert f"<p><em>{name}:</em> {escape(words)}</p>" in call["hs_call_body"]
    [card] = ready.state("slack")["channels"][CHANNEL]
    assert card["blocks"][2]["text"]["text"] == "\n".join(f"*{name}:* {words}" for name, words in SUMMARY.items())
    assert len(ready.requests("slack", path="postMessage")) == 1
    written = [
        len(ready.requests("hubspot", "POST", f"{kind}/batch/upsert")) for kind in ("contacts", "calls", "deals")
    ]
    assert written == [1, 1, 1], "what stands there already is not written again"


async def test_what_is_not_told_anew_stands_as_it_was(ready: Books, tries: Tries) -> None:
    await tries.once(REQUEST.model_copy(update=STANDS))
    await tries.once(REQUEST.model_copy(update={"version": 8, "stage": "confirmed", "calls": (), "cards": ()}))
    contact = ready.state("hubspot")["contacts"][0]["properties"]
    assert (contact["showrate_stage"], contact["showrate_fit"]) == ("confirmed", "fits")
    record = store.lead(LEAD)
    assert record is not None
    assert (record.stage, record.criteria, record.signs) == ("confirmed", STANDS["criteria"], STANDS["signs"])
    await tries.once(
        REQUEST.model_copy(update={**STANDS, "version": 3, "signs": (), "criteria": STANDS["criteria"][:1]})
    )
    assert store.lead(LEAD) == record, "an older word comes late"


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
    assert sent == FIRST, "the CRM was told although the channel failed"
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
    ready.fault("hubspot", "403", path="contacts/batch")
    done = await tries.once()
    assert [said.split(":")[0] for said in done.failed] == ["crm"]
    assert ready.cards == [CARD.key]


async def test_a_refusal_is_remembered_over_a_retry_of_another_part(ready: Books, tries: Tries) -> None:
    ready.fault("hubspot", "403", path="contacts/batch")
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
