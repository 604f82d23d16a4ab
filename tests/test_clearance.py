"""The calling rules at the dispatch: lists, dials of other leads, rule files that were edited since; all fail closed."""

from __future__ import annotations

import asyncio
import shutil
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from temporalio.exceptions import ApplicationError

from activities import clearance, dials, lists, store, tables
from activities.clearance import Clearance
from activities.settings import settings
from tests.fixtures.record import reflection
from tests.stage import FOLDER, playbook
from workflows.calling import Contact
from workflows.playbook import register
from workflows.refusals import OURS

BOOK = playbook()
NOON = datetime(2027, 3, 10, 18, 0, tzinfo=UTC)
NEW_YORK, MIAMI, DALLAS = "+12125550123", "+13055550123", "+12145550123"
ASKED = Contact(basis="asked", heard_at=NOON - timedelta(minutes=1))


@pytest.fixture(autouse=True)
def house(record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A record, rule files and lists of this test's own."""
    for file in FOLDER.glob("*.yml"):
        (tmp_path / "books").mkdir(exist_ok=True)
        shutil.copy(file, tmp_path / "books")
    monkeypatch.setenv("SHOWRATE_PLAYBOOKS", str(tmp_path / "books"))
    monkeypatch.setenv("SHOWRATE_DO_NOT_CALL", str(tmp_path / "lists"))
    monkeypatch.setenv("SHOWRATE_IDENTITY_KEY", "k" * 32)
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


async def dial(
    to: str = NEW_YORK, contact: Contact | None = ASKED, at: datetime = NOON, lead: str = "lead-1", attempt: str = "a1",
    playbook: str = BOOK.hash,
) -> Clearance:  # fmt: skip
    return await clearance.dial(contact, to, playbook, at, lead, attempt)


def rule(cleared: Clearance) -> str:
    return cleared.refusal.rule if cleared.refusal else ""


async def test_hours_are_judged_again_and_bound_what_goes() -> None:
    night = datetime(2027, 3, 10, 9, tzinfo=UTC)
    cleared = await dial(at=night)
    assert cleared.refusal is not None
    assert (cleared.refusal.rule, cleared.refusal.at) == ("calling_hours", datetime(2027, 3, 10, 13, tzinfo=UTC))
    assert "04:00" in cleared.refusal.reason
    assert rule(await clearance.text(ASKED, NEW_YORK, BOOK.hash, night)) == "calling_hours"
    answer = ASKED.model_copy(update={"purpose": "answer"})
    assert rule(await clearance.text(answer, NEW_YORK, BOOK.hash, night)) == ""
    assert (await dial()).until == datetime(2027, 3, 11, 2, tzinfo=UTC)


async def test_without_facts_or_playbook_nothing_goes() -> None:
    for cleared in (await dial(contact=None), await dial(playbook="unknown")):
        assert rule(cleared) == OURS
    assert rule(await clearance.text(None, NEW_YORK, BOOK.hash, NOON)) == OURS
    assert rule(await dial(contact=Contact())) == "consent", "facts that say nothing allow nothing"


async def test_a_rule_file_that_was_edited_since_forbids(house: Path) -> None:
    file = house / "books" / "us.rules.yml"
    assert rule(await dial(lead="lead-1")) == ""
    row = '  - {where: [US-NY], opens: "15:00", closes: "16:00", source: "a law of today"}\n'
    file.write_text(file.read_text().replace("hours:\n", f"hours:\n{row}", 1))
    cleared = await dial(lead="lead-2")
    assert cleared.refusal is not None
    assert (cleared.refusal.rule, cleared.refusal.where, cleared.refusal.source) == ("calling_hours", "US-NY", "a law of today")
    assert cleared.refusal.at == datetime(2027, 3, 10, 20, tzinfo=UTC)
    file.write_text(file.read_text().replace('opens: "15:00"', 'opens: "at three"'))
    assert rule(await dial(lead="lead-3")) == OURS, "a file that cannot be used forbids"
    file.unlink()
    assert rule(await dial(lead="lead-4")) == "", "what the playbook took over stands"


async def test_two_leads_on_one_number_share_its_caps() -> None:
    for n in range(3):
        assert rule(await dial(MIAMI, at=NOON + timedelta(minutes=n), lead=f"lead-{n % 2}", attempt=f"a{n}")) == ""
    cleared = await dial(MIAMI, at=NOON + timedelta(minutes=9), lead="lead-9")
    assert cleared.refusal is not None
    assert (cleared.refusal.rule, cleared.refusal.at) == ("attempt_cap", NOON + timedelta(hours=24))
    assert cleared.dial is None
    assert rule(await dial(DALLAS, at=NOON + timedelta(minutes=9))) == "", "another number has its own"
    past = dials.past(dials.handle(MIAMI), NOON + timedelta(minutes=9))
    assert len(past.dials) == 3, "what was refused is no dial"


async def test_a_dial_counts_before_the_carrier_knows_and_is_struck_out_when_it_surely_did_not_go() -> None:
    cleared = await dial(MIAMI)
    number = dials.handle(MIAMI)
    assert len(dials.past(number, NOON).dials) == 1, "a crash from here on counts as dialled"
    await clearance.struck(cleared.dial)
    assert not dials.past(number, NOON).dials


async def test_an_erased_person_s_number_keeps_its_cap_and_nobody_knows_whose_dials_they_were() -> None:
    store.write(reflection(lead="lead-1"))
    await dial(MIAMI)
    store.erase("lead-1")
    assert len(dials.past(dials.handle(MIAMI), NOON).dials) == 1
    with tables.reading(settings().record_url) as db:
        assert db.execute(select(tables.dials.c.lead)).scalars().all() == [""]


async def test_a_burst_at_one_number_keeps_its_cap() -> None:
    """However many leads dial it at the same moment."""

    async def one(n: int) -> str:
        return rule(await dial(MIAMI, lead=f"lead-{n}"))

    found = await asyncio.gather(*(one(n) for n in range(12)), return_exceptions=True)
    assert found.count("") == len(dials.past(dials.handle(MIAMI), NOON).dials) <= 3
    assert found.count("") >= 1
    assert {error.type for error in found if isinstance(error, ApplicationError)} <= {"retry"}
    assert not [error for error in found if isinstance(error, BaseException) and not isinstance(error, ApplicationError)]


async def test_a_log_that_cannot_be_had_forbids(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("select", {}, Exception("away"))

    monkeypatch.setattr(dials, "past", away)
    with pytest.raises(ApplicationError) as raised:
        await dial()
    assert raised.value.type == "retry"


# ---- lists ------------------------------------------------------------------------------------------------------


def snapshot(house: Path, day: str, files: dict[str, str], name: str = "national") -> Path:
    folder = house / "lists" / name / day
    folder.mkdir(parents=True)
    for file, content in files.items():
        (folder / file).write_text(content)
    return folder



async def test_a_list_that_cannot_be_asked_forbids_and_says_why(house: Path) -> None:
    long_silent = Contact(basis="asked")
    book = without_reassigned()
    for files, day, why in (
        (None, "", "there is no snapshot"),
        ({"212.txt": "2125550000\n"}, "2027-02-01", "at most 31 days count"),
        ({"305.txt": "3055550000\n"}, "2027-03-01", "does not cover this area code"),
        ({"212.txt": "2125550000\nnot a number\n"}, "2027-03-02", "212.txt, line 2: no number"),
    ):
        if files:
            snapshot(house, day, files)
        cleared = await dial(contact=long_silent, playbook=book)
        assert cleared.refusal is not None
        assert (cleared.refusal.rule, cleared.refusal.tries) == ("do_not_call", 3)
        assert cleared.refusal.at == NOON + timedelta(days=1)
        assert why in cleared.refusal.reason
        assert "5550" not in cleared.refusal.reason


def without_reassigned() -> str:
    """The playbook without the rule on reassigned numbers, under a name that has no newer file; its hash."""
    assert BOOK.rules
    rules = BOOK.rules.model_copy(update={"reassigned": (), "name": "mine"})
    book = BOOK.model_copy(update={"rules": rules})
    register([book])
    return book.hash


@pytest.mark.parametrize(("number", "on"), [("+12125550123", True), ("+12125550124", False), ("+12145550123", True)])
async def test_the_newest_snapshot_decides(house: Path, number: str, on: bool) -> None:
    snapshot(house, "2027-01-02", {"212.txt": "2125550124\n"})
    folder = snapshot(house, "2027-03-01", {"2027-03-01_212_A1B2.txt": "212,5559999\n\n212,5550123\n212,5550100\n"})
    with zipfile.ZipFile(folder / "area 214.zip", "w") as packed:
        packed.writestr("list.txt", "(214) 555-0123\n")
    cleared = await dial(number, contact=Contact(basis="asked"), playbook=without_reassigned())
    assert rule(cleared) == ("do_not_call" if on else "")
    if cleared.refusal:
        assert cleared.refusal.at is None
        assert cleared.refusal.reason == "on the national list of 2027-03-01"


def test_a_state_s_own_list_and_a_file_of_many_codes(house: Path) -> None:
    snapshot(house, "2027-03-01", {"whole state.csv": "3175550123\n8125550100\n"}, "US-IN")
    found = [lists.look(number, "US-IN") for number in ("+13175550123", "+18125550123", "+12125550123", "+442071838750")]
    assert [(each.of, each.on) for each in found] == [
        (date(2027, 3, 1), True), (date(2027, 3, 1), False), (date(2027, 3, 1), None), (date(2027, 3, 1), None),
    ]  # fmt: skip
    assert not lists.look("+13175550123", "national").of


async def test_consent_in_writing_lifts_the_list(house: Path) -> None:
    snapshot(house, "2027-03-01", {"212.txt": "2125550123\n"})
    written = Contact(basis="written")
    assert rule(await dial(contact=written, playbook=without_reassigned())) == ""
    fresh_inquiry = Contact(basis="asked", heard_at=NOON - timedelta(days=10))
    assert rule(await dial(contact=fresh_inquiry, playbook=without_reassigned(), lead="lead-2")) == ""
