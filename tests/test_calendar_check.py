"""``showrate calendars check``: what each rep's account can do, what is missing and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from activities.calendars import changes
from activities.settings import settings
from tests.fixtures.books import Books
from tests.test_command import showrate

WHOLE = {"id": 1, "username": "ana"}
UUID = "0f7c2a9e-0000-4000-8000-00000000000a"


@pytest.fixture
def roster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, books: Books, environment: Path) -> Callable[..., None]:
    """Writes down a team of these calendars; nothing runs, so it is read from its file."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
    monkeypatch.setattr("clients.terminal.CONNECT_WITHIN", 0.01)

    def write(*written: str) -> None:
        folder = tmp_path / "playbooks"
        folder.mkdir(exist_ok=True)
        for file in ("inbound.yml", "us.rules.yml"):
            (folder / file).write_text((settings().showrate_playbooks / file).read_text())
        reps = [
            f"  - {{id: r{n}, name: Rep {n}, calendar: '{c}', zone: UTC, hours: {{}}}}" for n, c in enumerate(written)
        ]
        (folder / "west.team.yml").write_text("\n".join(["id: west", "reps:", *reps]) + "\n")
        monkeypatch.setenv("SHOWRATE_PLAYBOOKS", str(folder))
        settings.cache_clear()

    return write


async def test_each_rep_is_told_apart_and_what_is_missing_ends_with_one(
    roster: Callable[..., None], books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.seed("calcom", eventTypes=[WHOLE])
    roster("calcom:1@ana", "closed@tallyhook.example", "calcom:ana", "outlook:x")
    books.seed("google", unreadable=["closed@tallyhook.example"])
    ran = await showrate("calendars", "check", "--json")
    assert ran.code == 1
    told = {one["rep"]: {each["name"]: each for each in one["abilities"]} for one in ran.data}
    assert [name for name, each in told["r0"].items() if each["able"]] == ["read", "write", "cancel", "invite"]
    assert "CALCOM_WEBHOOK_SECRET" in told["r0"]["changes"]["remedy"]
    assert "share the calendar" in told["r1"]["read"]["remedy"]
    assert "calcom:EVENT_TYPE_ID" in told["r2"]["write"]["remedy"]
    assert "outlook:x" in told["r3"]["read"]["why"]
    for each in told.values():
        assert set(each) == {"read", "write", "cancel", "invite", "changes"}
        assert all(one["able"] or (one["why"] and one["remedy"]) for one in each.values())

    shown = await showrate("calendars", "check")
    assert shown.code == 1
    assert "Rep 2: read, write, cancel, invite, changes: r2: calendar 'calcom:ana' names no event type" in shown.out


async def test_one_rep_can_be_asked_about_and_a_whole_account_ends_with_nought(
    roster: Callable[..., None], books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster("calcom:1@ana", "outlook:x")
    monkeypatch.setenv("CALCOM_WEBHOOK_SECRET", "s")
    settings.cache_clear()
    books.seed("calcom", eventTypes=[WHOLE])
    assert "no webhook tells us" in (await showrate("calendars", "check", "r0")).out
    assert await changes.subscribe() == ["Cal.com"]
    assert await changes.subscribe() == []
    ran = await showrate("calendars", "check", "r0")
    assert (ran.code, "✖" in ran.out) == (0, False)
    nobody = await showrate("calendars", "check", "nobody")
    assert (nobody.code, "there are west, r0, r1" in nobody.err) == (3, True)


@pytest.mark.parametrize(
    ("setting", "value", "why", "remedy"),
    [
        ("CALCOM_API_KEY", "", "Cal.com is not configured", "set CALCOM_API_KEY"),
        ("CALCOM_API_KEY", "wrong", "Cal.com answered 401", "give CALCOM_API_KEY the key of an account"),
        ("CALENDLY_TOKEN", "", "Calendly is not configured", "set CALENDLY_TOKEN"),
        ("CALENDLY_TOKEN", "wrong", "Calendly answered 401", "give CALENDLY_TOKEN the token of an account"),
        ("CALENDLY_BASE_URL", "http://127.0.0.1:9", "Calendly could not be reached: ConnectError", "run this again"),
        ("CALCOM_BASE_URL", "http://127.0.0.1:9", "Cal.com could not be reached: ConnectError", "run this again"),
        ("GOOGLE_BASE_URL", "http://127.0.0.1:9/", "Google could not be reached: ConnectError", "run this again"),
        ("GOOGLE_CREDENTIALS", "/nowhere.json", "GOOGLE_CREDENTIALS cannot be read", "service account's JSON key"),
    ],
)
async def test_an_account_that_is_not_there_is_a_clear_line(
    roster: Callable[..., None],
    books: Books,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    value: str,
    why: str,
    remedy: str,
) -> None:
    kept = {"CALCOM": "calcom:1", "CALENDLY": f"calendly:{UUID}", "GOOGLE": "ana@tallyhook.example"}
    roster(kept[setting.partition("_")[0]])
    books.seed("calcom", eventTypes=[WHOLE])
    monkeypatch.setenv(setting, value)
    settings.cache_clear()
    ran = await showrate("calendars", "check", "r0")
    assert ran.code == 1
    [line] = [line for line in ran.out.replace("\n", " ").split("▲") if "read, write" in line]
    assert why in line
    assert remedy in line


async def test_what_a_plan_of_calendly_forbids_is_told(
    roster: Callable[..., None], books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster(f"calendly:{UUID}")
    monkeypatch.setenv("CALENDLY_WEBHOOK_KEY", "k")
    settings.cache_clear()
    books.seed("calendly", eventTypes=[{"uuid": UUID, "host": "ana"}])
    assert await changes.subscribe() == ["Calendly"]
    assert (await showrate("calendars", "check")).code == 0
    books.seed("calendly", plan="free")
    ran = await showrate("calendars", "check")
    assert ran.code == 1
    assert "write, invite: Calendly's plan does not let us book; take a paid plan" in ran.out
    for wrong, words in ({"active": False}, "switched off"), ({"pooling": "round_robin"}, "several hosts"), (
        {"duration": 45}, "lasts 0:45:00",
    ):  # fmt: skip
        books.seed("calendly", eventTypes=[{"uuid": UUID, "host": "ana", **wrong}])
        said = (await showrate("calendars", "check")).out
        assert words in said
        assert "give CALENDLY_TOKEN" not in said, "the token is not what is wrong"
    assert books.state("calendly")["events"] == []
    assert books.state("calendly")["links"] == []
