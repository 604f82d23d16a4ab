"""``showrate crm check``: each thing that does not fit is named, with what to do about it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from activities import crm, library
from activities.settings import settings
from activities.vendors import hubspot_account
from activities.vendors.hubspot_account import Property
from tests.fixtures.books import Books
from tests.stage import playbook
from tests.test_command import showrate
from workers.demo import hire
from workers.sandbox.catalogue import SCOPES

OWNERS = [{"id": id, "email": f"{id}@x", "firstName": "A", "lastName": "B"} for id in ("101", "102")]


@pytest.fixture
async def ready(books: Books, monkeypatch: pytest.MonkeyPatch, environment: Path) -> Books:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
    monkeypatch.setattr("clients.terminal.CONNECT_WITHIN", 0.01)
    settings.cache_clear()
    playbook("inbound")
    playbook("outbound")
    playbook("demo")
    await crm.prepare()
    books.seed("hubspot", owners=OWNERS)
    return books


async def test_an_account_after_setup_fits(ready: Books) -> None:
    ran = await showrate("crm", "check", "--json")
    assert (ran.code, ran.data) == (0, [])
    assert "all that the playbooks need" in (await showrate("crm", "check")).out


async def test_the_reps_of_the_demo_are_users_of_its_crm(ready: Books) -> None:
    ready.seed("hubspot", owners=OWNERS[:1])
    assert (await showrate("crm", "check")).code == 1
    await hire(ready.url, library.teams(settings().showrate_playbooks))
    assert (await showrate("crm", "check", "--json")).data == []
    assert {owner["firstName"] for owner in ready.state("hubspot")["owners"]} == {"Ana", "Ben"}


async def test_what_does_not_fit_is_named_with_its_remedy(ready: Books) -> None:
    ready.seed(
        "hubspot", owners=OWNERS[:1], scopes=[scope for scope in SCOPES if "deals.write" not in scope],
        rename={"kind": "contacts", "name": "showrate_fit", "to": "our_fit"},
    )  # fmt: skip
    ready.seed("hubspot", rename={"kind": "contacts", "name": "showrate_next_meeting", "to": "x"})
    ready.seed("hubspot", scopes=list(SCOPES))
    wrong = Property(name="showrate_next_meeting", label="Typed by hand")
    await hubspot_account.create_properties("contacts", [wrong])
    ready.seed("hubspot", scopes=[scope for scope in SCOPES if "deals.write" not in scope])
    ran = await showrate("crm", "check", "inbound", "--json")
    assert ran.code == 1
    found = {each["where"]: each for each in ran.data}
    assert set(found) == {
        "scope crm.objects.deals.write", "contacts.showrate_fit", "contacts.showrate_next_meeting", "rep ben"
    }  # fmt: skip
    assert "crm.properties: {showrate_fit: ITS NAME}" in found["contacts.showrate_fit"]["remedy"]
    assert found["contacts.showrate_next_meeting"]["problem"] == "is of type string, not datetime"
    assert all(each["remedy"] for each in ran.data)


async def test_another_option_and_a_sequence_of_nobody_are_found(
    ready: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "playbooks"
    folder.mkdir()
    for file in ("inbound.yml", "us.rules.yml", "sales.team.yml"):
        (folder / file).write_text((settings().showrate_playbooks / file).read_text())
    (folder / "ours.yml").write_text(
        "extends: inbound.yml\nname: ours\naudience: ours\ncrm:\n"
        "  lead_status: {booked: MEETING}\n  flags: [no_calls]\n  deal: {pipeline: Ours}\n"
        "  sequence: {id: '77', user: '9', sender: ana@x}\n"
    )
    monkeypatch.setenv("SHOWRATE_PLAYBOOKS", str(folder))
    settings.cache_clear()
    ran = await showrate("crm", "check", "ours", "--json")
    assert {(each["where"], each["problem"]) for each in ran.data} == {
        ("contacts.hs_lead_status", "has no option MEETING"),
        ("contacts.no_calls", "is missing, so that nobody has the flag"),
        ("pipeline Ours", "is missing"),
        ("sequence 77", "is not there for user 9"),
    }
    assert (await showrate("crm", "check", "nobody")).code == 2


async def test_a_token_of_nobody_is_said(ready: Books) -> None:
    httpx.post(f"{ready.url}/_state/hubspot", json={"scopes": []}).raise_for_status()
    ran = await showrate("crm", "check", "inbound", "--json")
    assert ran.code == 1
    assert len([each for each in ran.data if each["where"].startswith("scope ")]) == 7
