"""A team's day in a few lines: what the record says of it, and that it is posted once."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment

from activities import daily, digest, installation, store
from activities.morning import post_digest
from activities.settings import settings
from tests.fixtures.books import CHANNEL, Books
from tests.fixtures.record import reflection
from tests.fixtures.temporal import running_worker
from tests.stage import playbook
from tests.test_command import showrate
from workers import schedules
from workflows import identity, messages
from workflows.digest_workflow import DigestWorkflow
from workflows.effects import CallNote, DigestPosted, Entry, PostDigest, Transition
from workflows.events import Booking, Form
from workflows.playbook import Playbook
from workflows.roster import DailyDigest, Rep, Team, last_day, read_team

ZONE = "America/New_York"
DAY = datetime.now(ZoneInfo(ZONE)).date() - timedelta(days=1)
NOON = datetime.combine(DAY, datetime.min.time(), ZoneInfo(ZONE)).astimezone(UTC) + timedelta(hours=12)
ALWAYS = dict.fromkeys(range(7), ("00:00-24:00",))
TEAM = Team(id="sales", reps=(Rep(id="ana", name="Ana", calendar="a", zone=ZONE, hours=ALWAYS),))
TALK = CallNote(attempt="a1", sid="CA1", at=NOON, seconds=300, status="completed", disposition="talked")


@pytest.fixture
def book(books: Books) -> Playbook:
    made = playbook()
    installation.keep_playbooks([made])
    return made


def happens(book: Playbook, lead: str, name: str, stage: str, *kinds: str, at: datetime = NOON, **over: Any) -> None:
    """A lead of the team came to ``stage`` at ``at``, with entries of these kinds (``kind=rule``)."""
    entries = [Entry(at=at, kind=kind.split("=")[0], version=2, text=kind, rule=kind.partition("=")[2]) for kind in kinds]
    news = reflection(
        lead, over.pop("version", 2), now=at, stage=stage, furthest=stage, playbook=book.hash, entries=tuple(entries),
        transitions=(Transition(at=at, version=2, before="new", after=stage),), form=Form(submission_id=lead, name=name),
        milestones={"form": at, **over.pop("milestones", {})}, **over,
    )  # fmt: skip
    store.write(news)


def meeting(start: datetime) -> Booking:
    return Booking(id="b1", rep="ana", rep_name="Ana", start=start, end=start + timedelta(minutes=30))


def a_day(book: Playbook) -> None:
    """Eight leads: booked and not confirmed, closed, no-show, qualified, one who rang, one that is stuck, one that wants
    to be called later, one that has its meeting ahead."""
    _, midnight = digest.bounds(DAY, ZONE)
    happens(book, "lead-1", "Ada <Park>", "booked", "booking_refused", "booked", booking=meeting(midnight + timedelta(hours=9)),
            milestones={"attempting": NOON, "contacted": NOON, "booked": NOON}, calls=(TALK,))  # fmt: skip
    quiet = TALK.model_copy(update={"seconds": 0, "status": "no-answer", "disposition": "no-answer"})
    happens(book, "lead-2", "Ben", "closed", "closed=unresponsive", calls=(quiet,), milestones={"attempting": NOON})
    happens(book, "lead-3", "Cleo", "no_show", "write_back_failed")
    happens(book, "lead-4", "Dan", "qualified")
    rang = TALK.model_copy(update={"inbound": True, "disposition": "dropped", "seconds": 20})
    happens(book, "lead-5", "Eve", "contacted", calls=(rang,))
    happens(book, "lead-6", "Finn", "attempting", at=NOON - timedelta(days=4))
    happens(book, "lead-9", "Ida", "contacted", at=NOON - timedelta(days=5), next_at=NOON + timedelta(days=20))
    happens(book, "lead-7", "Gus", "booked", at=NOON - timedelta(days=9), booking=meeting(midnight + timedelta(days=6)))
    happens(playbook("outbound").model_copy(update={"team": "others"}), "lead-8", "Hal", "booked")


def test_the_day_is_counted_from_the_record(book: Playbook) -> None:
    a_day(book)
    told = digest.gather(TEAM, DAY)
    assert told.leads == 5
    assert told.calls == digest.Calls(placed=2, received=1, talked=1, minutes=5, ends={"no-answer": 1, "talked": 1})
    assert told.outcomes == {"booked": 1, "no_show": 1, "closed: unresponsive": 1}
    assert told.mess == {"bookings that failed": 1, "write-backs that failed": 1}
    assert [person.name for person in told.missed] == ["Eve"]
    assert [person.name for person in told.unconfirmed] == ["Ada <Park>"]
    assert [(person.name, person.why) for person in told.leaks] == [("Finn", "attempting, silent for 4 days")]
    assert [person.name for person in told.revenue] == ["Dan", "Cleo"]
    assert told.funnel == {
        "form": 8, "attempting": 2, "contacted": 1, "qualified": 0, "booked": 1, "confirmed": 0, "showed": 0,
    }  # fmt: skip
    patient = TEAM.model_copy(update={"digest": DailyDigest(stuck=timedelta(days=10))})
    assert digest.gather(patient, DAY).leaks == ()


def test_a_day_begins_and_ends_on_the_teams_clock() -> None:
    since, until = digest.bounds(date(2027, 3, 14), ZONE)
    assert until - since == timedelta(hours=23), "the clock goes forward"
    since, until = digest.bounds(date(2027, 11, 7), ZONE)
    assert until - since == timedelta(hours=25)
    late = datetime(2027, 3, 13, 3, 0, tzinfo=UTC)  # still the 12th in New York
    assert last_day(TEAM.zone, late) == date(2027, 3, 11)


def test_the_picture_is_as_wide_as_the_people(book: Playbook) -> None:
    lines = digest.bars({"form": 40, "booked": 10, "showed": 1})
    assert [line.count("█") for line in lines] == [24, 6, 1]
    assert lines[1].endswith("10 (25%)")
    assert digest.bars({"form": 0}) == []


async def test_it_is_posted_once_however_often_it_is_asked_for(book: Playbook, books: Books) -> None:
    a_day(book)
    done = await asyncio.gather(*(daily.post(TEAM, DAY) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, DigestPosted) and one.posted for one in done) == 1
    assert all(isinstance(one, DigestPosted) or (isinstance(one, ApplicationError) and one.type == "retry") for one in done)
    again = await daily.post(TEAM, DAY)
    assert (again.posted, again.why) == (False, "it was posted before")
    assert books.cards == [f"digest:sales:{DAY}"]
    [message] = books.state("slack")["channels"][CHANNEL]
    words = "\n".join(block["text"]["text"] for block in message["blocks"])
    assert "2 calls made (1 no answer, 1 talked), 1 received, 5 min" in words
    assert "<https://showrate.example/console/leads/lead-1|Ada &lt;Park&gt;>: meets" in words
    assert "```form" in words


@pytest.mark.parametrize(("kind", "when"), [("500", "before"), ("500", "after"), ("drop", "after"), ("429", "before")])
async def test_a_slack_that_stumbles_gets_it_once(book: Playbook, books: Books, kind: str, when: str) -> None:
    books.fault("slack", kind, when, method="POST")
    with pytest.raises(ApplicationError, match="Slack"):
        await daily.post(TEAM, DAY)
    assert (await daily.post(TEAM, DAY)).posted
    assert books.cards == [f"digest:sales:{DAY}"]


async def test_a_day_that_is_not_over_is_not_posted(book: Playbook, books: Books) -> None:
    with pytest.raises(daily.NotOver, match="not over in America/New_York"):
        await daily.post(TEAM, DAY + timedelta(days=1))
    asked = PostDigest(team="nobody", zone=ZONE, day=DAY.isoformat())
    assert (await ActivityEnvironment().run(post_digest, asked)).why == "there is no team nobody"


async def test_the_command_prints_and_posts_it(book: Playbook, books: Books) -> None:
    a_day(book)
    printed = await showrate("digest", "--day", DAY.isoformat())
    assert printed.code == 0, printed.err
    for words in ("team sales", "Finn: attempting, silent for 4 days", "Eve: dropped", "1 write-backs that failed", "█"):
        assert words in printed.out
    assert books.state("slack")["channels"] == {}
    posted = await showrate("digest", "--day", DAY.isoformat(), "--post", "--json")
    assert posted.data["posted"] == "posted"
    assert (await showrate("digest", "--day", DAY.isoformat(), "--post", "--json")).data["posted"] == "it was posted before"
    assert len(books.cards) == 1
    assert (await showrate("digest", "--day", "yesterday")).code == 2
    assert (await showrate("digest", "--team", "nobody")).code == 3
    early = await showrate("digest", "--day", (DAY + timedelta(days=1)).isoformat(), "--post")
    assert early.code == 2
    assert "not over" in early.err


async def test_a_schedule_posts_it_in_the_teams_zone_and_a_second_run_posts_nothing(
    client: Client, book: Playbook, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.cache_clear()
    name = f"sales-{secrets.token_hex(3)}"
    team = TEAM.model_copy(update={"id": name, "digest": DailyDigest(at="07:30")})
    monkeypatch.setattr("activities.library.teams", lambda folder: [team])
    quiet = team.model_copy(update={"id": f"{name}-quiet", "digest": DailyDigest(off=True)})
    try:
        assert await schedules.post_digests(client, [team, quiet]) == [name]
        assert await schedules.post_digests(client, [team, quiet]) == [name]
        handle = client.get_schedule_handle(identity.digest_id(name))
        spec = (await handle.describe()).schedule.spec
        assert spec.time_zone_name == ZONE
        assert (spec.calendars[0].hour[0].start, spec.calendars[0].minute[0].start) == (7, 30)
        async with running_worker(client, [DigestWorkflow], [post_digest]):
            await handle.trigger()
            async with asyncio.timeout(60):
                while not books.cards:
                    await asyncio.sleep(0.1)
            asked, again = PostDigest(team=name, zone=ZONE), f"{name}-again"
            done = await client.execute_workflow(DigestWorkflow.run, asked, id=again, task_queue=messages.QUEUE)
        assert (done.day, done.posted) == (DAY.isoformat(), False)
        assert books.cards == [f"digest:{name}:{DAY}"]
        assert await schedules.post_digests(client, [quiet]) == []
        async with asyncio.timeout(60):
            while identity.digest_id(name) in [found.id async for found in await client.list_schedules()]:
                await asyncio.sleep(0.1)
    finally:
        with suppress(RPCError):
            await client.get_schedule_handle(identity.digest_id(name)).delete()


@pytest.mark.parametrize("wrong", ["{at: '8am'}", "{zone: Nowhere/City}", "{stuck: soon}", "{every: day}"])
def test_a_wrong_digest_in_the_teams_file_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="digest"):
        read_team(f"id: t\nreps: []\ndigest: {wrong}\n")
