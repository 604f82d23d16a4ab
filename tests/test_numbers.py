"""Looking a number up: what the vendor says, what is kept of it, and what a rule makes of no answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import jsonschema
import pytest
from temporalio.exceptions import ApplicationError

from activities import clearance, dials, numbers, store
from activities.settings import settings
from activities.vendors import lookups
from tests.fixtures.record import reflection
from tests.fixtures.sandbox import Sandbox
from tests.stage import form, playbook
from tests.test_scheduler_contract import SPECS
from workflows.calling import Contact
from workflows.playbook import register

NOON = datetime(2027, 3, 10, 18, 0, tzinfo=UTC)
BEFORE = NOON - timedelta(days=120)
DAY, MONTH = timedelta(days=1), timedelta(days=30)
PHONE = "+12125550123"
DOCUMENT = SPECS / "twilio" / "twilio_lookups_v2.json"


@pytest.fixture(autouse=True)
def house(sandbox: Sandbox, record: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    account = sandbox.world.account
    for name, value in {
        "TWILIO_ACCOUNT_SID": account.sid, "TWILIO_AUTH_TOKEN": account.token, "TWILIO_BASE_URL": f"{sandbox.url}/twilio",
        "SHOWRATE_LOOKUPS": "twilio", "SHOWRATE_IDENTITY_KEY": "k" * 32,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield sandbox
    settings.cache_clear()


def says(sandbox: Sandbox, phone: str = PHONE, **told: str) -> None:
    httpx.post(f"{sandbox.url}/_lookups", json={"number": phone, **told}).raise_for_status()


def asked(sandbox: Sandbox) -> int:
    return len(sandbox.log(vendor="twilio", direction="in"))


@pytest.mark.parametrize(("kind", "line"), [
    ("landline", "fixed"), ("mobile", "mobile"), ("nonFixedVoip", "voip"), ("tollFree", "toll_free"), ("satellite", "unknown"),
])  # fmt: skip
async def test_the_vendors_word_in_ours(house: Sandbox, kind: str, line: str) -> None:
    says(house, type=kind, reassigned="yes")
    told = await lookups.look_up(PHONE, True, date(2026, 11, 10))
    assert (told.line, told.reassigned) == (line, "yes")
    (sent,) = house.log(vendor="twilio", direction="in")
    assert "Fields=line_type_intelligence%2Creassigned_number" in sent["query"]
    assert "LastVerifiedDate=20261110" in sent["query"]


async def test_a_package_that_failed_says_nothing(house: Sandbox) -> None:
    says(house, type="landline", error="60601")
    assert await lookups.look_up(PHONE, True, None) == lookups.Answer()


@pytest.mark.skipif(not DOCUMENT.exists(), reason="the vendor's own document is not here")
async def test_the_stand_in_answers_as_the_vendors_document_says(house: Sandbox) -> None:
    await lookups.look_up(PHONE, True, date(2026, 11, 10))
    document = json.loads(DOCUMENT.read_text())
    operation = document["paths"]["/v2/PhoneNumbers/{PhoneNumber}"]["get"]
    known = {each["name"] for each in operation["parameters"]}
    query = {"Fields": "line_type_intelligence,reassigned_number", "LastVerifiedDate": "20261110"}
    assert query.keys() <= known
    account = house.world.account
    answer = httpx.get(f"{house.url}/twilio/v2/PhoneNumbers/{PHONE}", params=query, auth=(account.sid, account.token)).json()
    shapes = document["components"]["schemas"]
    for name, shape in (("line_type_intelligence", "LineTypeIntelligenceInfo"), ("reassigned_number", "ReassignedNumberInfo")):
        present = {field: value for field, value in answer[name].items() if value is not None}
        jsonschema.validate(present, {**shapes[shape], "additionalProperties": False})
    assert answer.keys() <= shapes["LookupResponse"]["properties"].keys()


async def test_each_question_is_paid_for_once_a_period(house: Sandbox) -> None:
    for _ in range(3):
        found = await numbers.look_up(PHONE, NOON, MONTH, BEFORE, MONTH)
        assert (found.line, found.reassigned) == ("mobile", "no")
    assert asked(house) == 1
    assert (await numbers.look_up(PHONE, NOON + 29 * DAY, MONTH, BEFORE, None)).line == "mobile"
    assert asked(house) == 1
    await numbers.look_up(PHONE, NOON + 31 * DAY, MONTH, BEFORE, None)
    assert asked(house) == 2
    heard = NOON + 35 * DAY
    await numbers.look_up(PHONE, NOON + 36 * DAY, None, heard, 90 * DAY)
    assert asked(house) == 3, "what was known before they wrote again says nothing of now"


async def test_erasure_takes_what_is_kept_of_the_number(house: Sandbox) -> None:
    await numbers.look_up(PHONE, NOON, MONTH, BEFORE, MONTH)
    store.write(reflection(form=form(phone=PHONE, phone_hash=dials.handle(PHONE))))
    assert numbers.peek(PHONE, NOON, MONTH, BEFORE, MONTH).line == "mobile"
    store.erase("lead-1")
    assert numbers.peek(PHONE, NOON, MONTH, BEFORE, MONTH) == lookups.Answer()


async def test_nobody_is_asked_unless_that_is_set_up(house: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOWRATE_LOOKUPS", "")
    settings.cache_clear()
    assert await numbers.look_up(PHONE, NOON, MONTH, BEFORE, MONTH) == lookups.Answer()
    assert asked(house) == 0


# ---- what the rules make of it ------------------------------------------------------------------------------------


def rules(**line: object) -> str:
    """The hash of a playbook by whose rules lines are looked up as ``line`` says, and no list is asked."""
    book = playbook()
    assert book.rules
    row = book.rules.lines[0].model_copy(update=line)
    changed = book.rules.model_copy(update={"name": "mine", "do_not_call": (), "lines": (row,)})
    made = book.model_copy(update={"rules": changed})
    register([made])
    return made.hash


async def rule_for(book: str, contact: Contact, phone: str = PHONE) -> str:
    cleared = await clearance.text(contact, phone, book, NOON)
    return cleared.refusal.rule if cleared.refusal else ""


HEARD = Contact(basis="asked", heard_at=NOON - DAY)
SILENT = Contact(basis="asked", heard_at=BEFORE)


@pytest.mark.parametrize(("look_up", "answer", "rule"), [
    ("never", "landline", ""), ("wanted", "landline", "line_type"), ("wanted", "mobile", ""), ("wanted", "", ""),
    ("required", "mobile", ""), ("required", "landline", "line_type"), ("required", "", "line_type"),
])  # fmt: skip
async def test_the_kind_of_line(house: Sandbox, look_up: str, answer: str, rule: str) -> None:
    if answer:
        says(house, type=answer)
    else:
        house.fault(vendor="twilio", path="PhoneNumbers", kind="500", times=9)
    assert await rule_for(rules(look_up=look_up, refuse=("fixed",)), HEARD) == rule
    assert asked(house) == (look_up != "never")


@pytest.mark.parametrize(("answer", "rule"), [("no", ""), ("yes", "reassigned"), ("no_data_available", "reassigned"), ("", "reassigned")])
async def test_a_number_after_a_long_silence(house: Sandbox, answer: str, rule: str) -> None:
    if answer:
        says(house, reassigned=answer)
    else:
        house.fault(vendor="twilio", path="PhoneNumbers", kind="drop", times=9)
    book = rules(refuse=())
    assert await rule_for(book, SILENT) == rule
    assert await rule_for(book, HEARD) == "", "nobody asks of somebody who was heard of yesterday"
    refusal = (await clearance.text(SILENT, PHONE, book, NOON)).refusal
    assert (refusal.tries if refusal else 0) == (0 if answer in ("no", "yes") else 3), "what is not known is asked again"


async def test_what_a_vendor_took_long_for_is_not_sent_unasked(house: Sandbox) -> None:
    cleared = await clearance.dial(SILENT, PHONE, rules(refuse=()), NOON, "lead-1", "a1")
    assert cleared.slow, "opt-outs are asked for once more after it"
    assert not (await clearance.dial(HEARD, PHONE, rules(refuse=()), NOON, "lead-1", "a2")).slow


async def test_a_vendor_that_refuses_us_is_no_answer(house: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    house.fault(vendor="twilio", path="PhoneNumbers", kind="401", times=9)
    with pytest.raises(ApplicationError):
        await lookups.look_up(PHONE, True, None)
    assert (await numbers.look_up(PHONE, NOON, MONTH, BEFORE, None)).line is None
    assert "5550123" not in caplog.text
