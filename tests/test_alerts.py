"""Alerts in the reps' channel: what does not work, since when and what it affects; once, and when it is well again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from temporalio import activity
from temporalio.client import Client

from activities import health, troubles
from activities.settings import settings
from clients.lookout import _WATCHED, Lookout
from tests.fixtures.books import CHANNEL, Books
from tests.fixtures.temporal import running_worker
from tests.toys import Echoes
from workflows.effects import Entry
from workflows.messages import DIAL_QUEUE

NOW = datetime(2027, 3, 12, 15, 0, tzinfo=UTC)


@activity.defn
async def echo() -> None:
    """So that the worker asks for activities."""


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    health._tallies.clear()
    yield
    health._tallies.clear()


def titles(books: Books) -> list[str]:
    messages = books.state("slack")["channels"].get(CHANNEL, [])
    return [message["blocks"][0]["text"]["text"] for message in messages]


def words(books: Books) -> str:
    return str(books.state("slack")["channels"][CHANNEL][-1]["blocks"][1]["text"]["text"])


def seen(name: str, outcomes: str, begins: datetime, why: str = "CRM answered 503") -> datetime:
    """One effect a second: ``x`` fails, ``.`` does well; the time after the last."""
    for number, outcome in enumerate(outcomes):
        at = begins + timedelta(seconds=number)
        health.effect(name, "retry" if outcome == "x" else "ok", why if outcome == "x" else "", f"lead-{number}", at)
    return begins + timedelta(seconds=len(outcomes))


async def look(now: datetime) -> None:
    await asyncio.to_thread(health.look, now)
    await health.tell(now)


async def test_a_vendor_that_fails_repeatedly_is_told_once_and_when_it_is_well(books: Books) -> None:
    now = seen("reflect.crm", "xxxx", NOW)
    await look(now)
    assert titles(books) == []
    now = seen("reflect.crm", "xxx", now)
    await look(now)
    assert titles(books) == ["🚨 Urgent: Trouble: The CRM"]
    assert "Since Mar 12, 15:00 UTC: 7 failures, 4 leads." in words(books)
    assert "written later" in words(books)
    assert "The last: CRM answered 503" in words(books)
    for _ in range(3):
        now = seen("reflect.crm", "xx", now)
        await look(now)
    assert len(titles(books)) == 1
    now = seen("reflect.crm", "...", now)
    await look(now)
    await look(now)
    assert titles(books)[1:] == ["Well again: The CRM"]
    assert "since Mar 12, 15:00 UTC: 13 failures" in words(books)
    assert troubles.lasting() == []


async def test_what_goes_on_is_told_again_after_the_quiet_time(books: Books) -> None:
    now = seen("place_call", "xxxxx", NOW)
    await look(now)
    later = now + timedelta(minutes=50)
    await look(seen("place_call", "xxxxx", later))
    assert len(titles(books)) == 1
    later = now + timedelta(minutes=61)
    await look(seen("place_call", "xxxxx", later))
    assert titles(books)[1:] == ["Still in trouble: The carrier"]
    assert "15 failures" in words(books)


async def test_what_flaps_is_not_told_each_time(books: Books) -> None:
    now = NOW
    for _ in range(5):
        now = seen("reflect.crm", "xxxxx", now)
        await look(now)
        now = seen("reflect.crm", "...", now)
        await look(now)
    assert titles(books) == ["🚨 Urgent: Trouble: The CRM", "Well again: The CRM"]


async def test_some_failures_among_many_successes_are_no_trouble(books: Books) -> None:
    await look(seen("reflect.crm", "x.." * 20, NOW))
    assert titles(books) == []


async def test_a_failed_call_is_told_at_once_and_the_next_only_after_the_quiet_time(books: Books) -> None:
    def over(outcome: str) -> Entry:
        return Entry(at=NOW, kind="call_ended", version=3, text="call over", data={"attempt": "a1", "outcome": outcome})

    refused = Entry(at=NOW, kind="not_called", version=3, text="not dialled", rule="opted_out", data={"attempt": "a1"})
    health.calls("lead-1", [over("no-answer"), refused])
    now = datetime.now(UTC)
    await look(now)
    assert titles(books) == []
    health.calls("lead-1", [over("failed")])
    health.calls("lead-2", [over("failed")])
    await look(now)
    assert titles(books) == ["🚨 Urgent: Trouble: Calls"]
    assert "2 failures, 2 leads" in words(books)
    health.calls("lead-3", [over("failed")])
    await look(now + timedelta(minutes=1))
    assert len(titles(books)) == 1


async def test_two_processes_tell_once_and_a_slack_that_is_away_hears_it_later(books: Books) -> None:
    books.fault("slack", "500")
    now = seen("reflect.crm", "xxxxx", NOW)
    await asyncio.to_thread(health.look, now)
    await health.tell(now)
    [trouble] = troubles.lasting()
    assert trouble.told_since is None
    await asyncio.gather(*(health.tell(now + timedelta(seconds=5)) for _ in range(4)))
    assert titles(books) == ["🚨 Urgent: Trouble: The CRM"]


async def test_the_web_process_tells_when_no_worker_asks_for_work(
    client: Client, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOWRATE_ALERT_WORKERS", "2")
    settings.cache_clear()
    queue = f"lookout-{id(books)}"
    monkeypatch.setattr("clients.lookout._WATCHED", tuple((n, queue + q, k, a) for n, q, k, a in _WATCHED))
    first, second = Lookout(), Lookout()
    begins = datetime.now(UTC)
    await first.look(client, begins)
    assert troubles.lasting() == []
    down = begins + timedelta(seconds=2)
    await asyncio.gather(first.look(client, down), second.look(client, begins), second.look(client, down))
    await asyncio.gather(health.tell(down), health.tell(down))
    assert sorted(titles(books)) == ["🚨 Urgent: Trouble: The worker", "🚨 Urgent: Trouble: The worker for dials"]
    async with (
        running_worker(client, [Echoes], queue=f"{queue}showrate"),
        running_worker(client, [Echoes], [echo], queue=f"{queue}{DIAL_QUEUE}"),
    ):
        for _ in range(50):
            await second.look(client, datetime.now(UTC))
            if not troubles.lasting():
                break
            await asyncio.sleep(0.1)
        await health.tell(datetime.now(UTC))
    assert sorted(titles(books)[2:]) == ["Well again: The worker", "Well again: The worker for dials"]


async def test_a_temporal_that_is_silent_is_told_as_such(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    lookout = Lookout()
    await lookout.look(None, NOW)
    await lookout.look(None, NOW + timedelta(seconds=91))
    await health.tell(NOW + timedelta(seconds=91))
    assert titles(books) == ["🚨 Urgent: Trouble: Temporal"]


async def test_nobody_forgets_a_worker_that_stays_away(books: Books) -> None:
    """What nobody counts is told again after the quiet time for as long as it lasts, and says since when."""
    lookout = Lookout()
    await lookout.look(None, NOW)
    for minutes in (2, 30, 61, 62, 130):
        now = NOW + timedelta(minutes=minutes)
        await lookout.look(None, now)
        await health.tell(now)
    assert titles(books) == ["🚨 Urgent: Trouble: Temporal", *["Still in trouble: Temporal"] * 2]
    assert "Since Mar 12, 15:00 UTC." in words(books)
    keys = books.cards
    assert len(set(keys)) == len(keys)


async def test_a_receiver_that_is_switched_off_is_told_again_until_it_is_on(books: Books) -> None:
    await asyncio.to_thread(health.switched_off, "n8n", "answered 410", NOW)
    await health.tell(NOW)
    await health.tell(NOW + timedelta(hours=2))
    assert len(titles(books)) == 2
    await asyncio.to_thread(health.switched_on, "n8n", NOW + timedelta(hours=3))
    for hours in (3, 5):
        await health.tell(NOW + timedelta(hours=hours))
    assert titles(books)[2:] == ["Well again: The webhooks to n8n"]
