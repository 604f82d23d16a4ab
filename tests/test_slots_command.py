"""``showrate slots`` and ``showrate fairness``: what a rep or an operator reads on their own settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.client import Client

from activities import ledger, library, roster
from activities.settings import settings
from tests.fixtures.books import Books
from tests.fixtures.temporal import running_worker
from tests.test_command import showrate
from workflows import ledger as book
from workflows.rep_workflow import RepWorkflow
from workflows.roster import Team
from workflows.rotation import AssignTurn
from workflows.team_workflow import TeamWorkflow

WEEKDAYS = {day: ("09:00-17:00",) for day in range(5)}


def next_weekday(day: int) -> datetime:
    """The next such weekday (0 Monday), at least two days ahead, at midnight UTC."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(2 + (day - today.weekday() - 2) % 7)


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, books: Books, environment: Path) -> Team:
    """A team of its own, written down beside the playbooks."""
    folder = tmp_path / "playbooks"
    folder.mkdir()
    for file in settings().showrate_playbooks.glob("*.yml"):
        if not file.name.endswith(".team.yml"):
            (folder / file.name).write_text(file.read_text())
    (folder / "east.team.yml").write_text(
        "id: east\nreps:\n  - {id: kim, name: Kim Lee, calendar: kim@tallyhook.example, zone: America/New_York, hours: "
        "{0: ['09:00-12:00'], 1: ['09:00-17:00'], 2: ['09:00-17:00'], 3: ['09:00-17:00'], 4: ['09:00-17:00']}}\n"
    )
    monkeypatch.setenv("SHOWRATE_PLAYBOOKS", str(folder))
    settings.cache_clear()
    return library.teams(folder)[0]


async def test_a_day_is_told_from_hours_calendar_and_ledger(team: Team, client: Client, books: Books) -> None:
    day = next_weekday(1)
    at_ten = day.replace(hour=15)  # ten or eleven in New York, by the season
    books.seed("google", calendars=[{"id": "kim@tallyhook.example"}])
    async with running_worker(client, [RepWorkflow, TeamWorkflow]):
        await roster.set_roster(client, team)

        hold = book.HoldTime(
            booking="b1", start=at_ten, end=at_ten + timedelta(minutes=30), now=datetime.now(UTC),
            until=datetime.now(UTC) + timedelta(hours=1),
        )  # fmt: skip
        assert (await ledger.hold(client, "kim", hold)).ok
        ran = await showrate("slots", "--for", "kim", "--on", f"{day:%Y-%m-%d}", "--json")
        assert ran.code == 0, ran.err
        (told,) = ran.data
        assert (told["rep"], told["zone"], told["unread"]) == ("kim", "America/New_York", [])
        rules = {hour.get("start"): hour["rule"] for hour in told["hours"]}
        assert rules[f"{at_ten:%Y-%m-%dT%H:%M:%SZ}"] == "held"
        assert {"offered", "hours", "held"} <= set(rules.values())
        shown = await showrate("slots", "--for", "east", "--on", f"{day:%Y-%m-%d}", "--in", "Europe/London")
        assert shown.code == 0
        assert "Kim Lee" in shown.out
        assert "somebody is booking it" in shown.out

        now = datetime.now(UTC)
        await roster.assign(client, "east", AssignTurn(booking="b1", lead="lead-x", rep="kim", now=now))
        shares = await showrate("fairness", "east", "--json")
        assert shares.data["shares"][0]["had"] == 1
        assert "Kim Lee" in (await showrate("fairness", "east")).out

        off = await showrate("rep", "off", "kim", "--by", "ops", "--words", "on leave", "--json")
        assert off.data[0]["shares"][0]["active"] is False
        assert "no" in (await showrate("rep", "list")).out
        assert (await showrate("rep", "on", "kim", "--json")).data[0]["shares"][0]["active"] is True
        nobody = await showrate("rep", "off", "zoe")
        assert (nobody.code, "there are kim" in nobody.err) == (3, True)
        for each in ("team-east", "rep-kim"):
            await client.get_workflow_handle(each).terminate()


async def test_what_cannot_be_read_is_said_and_misuse_is_named(team: Team, client: Client, books: Books) -> None:
    books.fault("google", "500", times=9)
    day = next_weekday(1)
    ran = await showrate("slots", "--for", "kim", "--on", f"{day:%Y-%m-%d}")
    assert ran.code == 0
    assert "calendar could not be read" in ran.out
    for arguments, code, words in (
        (("--for", "nobody", "--on", "2027-03-12"), 3, "there are east, kim"),
        (("--for", "kim", "--on", "next tuesday"), 2, "write 2027-03-12"),
        (("--for", "kim", "--on", "2027-03-12", "--in", "Mars"), 2, "no time zone"),
        (("--for", "kim", "--on", "2027-03-12", "--playbook", "none"), 3, "there are"),
    ):
        refused = await showrate("slots", *arguments)
        assert (refused.code, words in refused.err) == (code, True), refused.err
    assert (await showrate("fairness", "nobodys")).code == 3
