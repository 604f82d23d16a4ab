"""The calling gate, against an oracle of its own: what the rules say, written down a second time by hand."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from activities import dials
from activities.settings import settings as house_settings
from clients.command import app
from tests.lawbook import BOOK, HOURS, RULES, YEAR, Number, allowed
from tests.stage import FOLDER, form
from workflows import events as ev
from workflows.brief import brief
from workflows.calling import Contact, Finding, judge, places_of, zones
from workflows.fault import misshapen
from workflows.lead import Lead
from workflows.messages import Connect
from workflows.playbook import Playbook, PlaybookError, canonical, read_playbook, read_rules, register
from workflows.rulebook import Rulebook, easter
from workflows.story import apply

NOON = datetime(2027, 3, 10, 18, 0, tzinfo=UTC)
TEXTS = {file.name: file.read_text() for file in FOLDER.glob("*.yml")}


def contact(phone: str = "", region: str = "", **over: object) -> Contact:
    known = {"phone": phone, "region": region, "basis": "written", "heard_at": NOON, "opted_out": False}
    return Contact.model_validate(known | over)


CODES = sorted(RULES.codes)
REGIONS = ["", *sorted(RULES.areas)]


@settings(max_examples=120)
@given(code=st.sampled_from(CODES), region=st.sampled_from(REGIONS), minute=st.integers(0, HOURS * 60 - 1))
@example(code="850", region="", minute=(71 * 24 + 20) * 60)  # Sunday 14 March: Pensacola is an hour behind Miami
@example(code="423", region="", minute=(309 * 24 + 18) * 60)  # Sunday 7 November
@example(code="512", region="", minute=(72 * 24 + 4) * 60)  # Texas on a Sunday, before noon
@example(code="334", region="", minute=(31 + 8) * 24 * 60 + 180)  # Alabama on Mardi Gras
@example(code="907", region="US-FL", minute=(71 * 24 - 3) * 60)  # Adak to Miami, over the change
def test_the_strictest_of_all_zones_and_states_decides_at_every_minute(code: str, region: str, minute: int) -> None:
    Number(code, region).agrees(minute)


def test_every_area_code_at_hours_of_each_kind_of_day() -> None:
    draw = Random(7)
    for code in CODES:
        number = Number(code)
        for _ in range(3):
            number.agrees(draw.randrange(HOURS) * 60)


@pytest.mark.parametrize(("code", "region"), [("850", ""), ("401", ""), ("435", "US-LA")])
def test_a_whole_year_minute_by_minute(code: str, region: str) -> None:
    """All others: ``python -m tests.bench.rules``."""
    assert Number(code, region).whole_year() > 280


def test_the_two_ways_of_writing_the_law_down_agree_with_each_other() -> None:
    """The oracle's map of minutes against its tables."""
    draw = Random(11)
    for _ in range(120):
        number = Number(draw.choice(CODES), draw.choice(REGIONS))
        minute = draw.randrange(HOURS * 60)
        assert number.open[minute] == allowed(set(number.states), number.zones, YEAR + timedelta(minutes=minute))


def test_every_area_code_that_the_library_knows_has_its_state_or_is_not_called() -> None:
    for code in range(200, 1000):
        number = phonenumbers.parse(f"+1{code}5550123")
        if phonenumbers.region_code_for_number(number) == "US" and len(zones(f"+1{code}5550123", "", "", None)) == 1:
            assert f"{code}" in RULES.codes, code


@pytest.mark.parametrize(("phone", "there"), [
    ("+16895550123", {"America/New_York", "America/Chicago"}),  # Orlando: the library alone says Chicago
    ("+18505550123", {"America/New_York", "America/Chicago"}),
    ("+14485550123", {"America/New_York", "America/Chicago"}),
    ("+14235550123", {"America/New_York", "America/Chicago"}),
    ("+12125550123", {"America/New_York"}),
])  # fmt: skip
def test_an_unlisted_exchange_is_held_to_all_zones_of_its_area(phone: str, there: set[str]) -> None:
    assert set(zones(phone, "", "", RULES)) == there


def test_a_number_of_one_state_stated_in_another_is_held_to_both() -> None:
    assert places_of("+12125550123", "US-TX", RULES) == ("US-TX", "US-NY", "US", "*")
    sunday = datetime(2027, 3, 14, 15, tzinfo=UTC)
    assert judge(contact("+12125550123", "US-TX"), BOOK, sunday).at == datetime(2027, 3, 14, 18, tzinfo=UTC), "noon in El Paso"


def finding(rule: str, asked: Contact, at: datetime = NOON, final: bool = True, book: Playbook = BOOK) -> Finding:
    return next(f for f in judge(asked, book, at, final=final).findings if f.rule == rule)


def national(on: bool | None, of: str = "2027-03-01") -> dict[str, object]:
    return {"name": "national", "of": of, "on": on}


@pytest.mark.parametrize(("over", "rule"), [
    ({"opted_out": True}, "opted_out"),
    ({"opted_out": None}, "opted_out"),
    ({"basis": "none"}, "consent"),
    ({"basis": "oral"}, "consent"),
    ({"phone": "+18005550123"}, "zone_unknown"),
    ({"phone": "+19005550123"}, "line_type"),
    ({"basis": "asked", "heard_at": None, "reassigned": "no"}, "do_not_call"),
    ({"basis": "asked", "heard_at": None, "reassigned": "no", "lists": [national(True)]}, "do_not_call"),
    ({"basis": "asked", "heard_at": None, "reassigned": "no", "lists": [national(None)]}, "do_not_call"),
    ({"basis": "asked", "heard_at": None, "reassigned": "no", "lists": [national(False, "2027-02-01")]}, "do_not_call"),
    ({"heard_at": None}, "reassigned"),
    ({"heard_at": None, "reassigned": "no_data"}, "reassigned"),
    ({"heard_at": None, "reassigned": "yes"}, "reassigned"),
])  # fmt: skip
def test_the_dispatch_fails_closed(over: dict[str, object], rule: str) -> None:
    found = judge(contact(**{"phone": "+12125550123", **over}), BOOK, NOON, final=True)
    assert (found.at, found.rule) == (None, rule)


def test_what_is_looked_up_and_good_is_allowed() -> None:
    asked = contact("+12125550123", basis="asked", heard_at=None, reassigned="no", lists=[national(False)])
    assert judge(asked, BOOK, NOON, final=True).at == NOON
    assert finding("do_not_call", asked).verdict == "allowed"


def test_oral_consent_suffices_only_where_every_state_says_so() -> None:
    assert judge(contact("+15125550123", basis="oral"), BOOK, NOON).at == NOON
    assert judge(contact("+15125550123", "US-NY", basis="oral"), BOOK, NOON).rule == "consent"
    before = datetime(2026, 2, 24, 18, tzinfo=UTC)  # the day before the row begins
    assert judge(contact("+15125550123", basis="oral", heard_at=before), BOOK, before).rule == "consent"


def test_caps_count_a_day_and_a_week() -> None:
    dials = tuple(NOON - timedelta(hours=h) for h in (1, 2, 3))
    found = judge(contact("+13055550123", dials=dials), BOOK, NOON)
    assert (found.rule, found.at) == ("attempt_cap", NOON + timedelta(hours=21))
    week = (*(NOON - timedelta(hours=26 * n) for n in range(1, 7)), NOON - timedelta(minutes=5))
    found = judge(contact("+12125550123", dials=week), BOOK, NOON)
    assert found.at is not None
    assert found.at >= week[-2] + timedelta(days=7)


def test_an_answer_goes_out_at_night_and_a_reminder_on_a_holiday_but_not_at_night() -> None:
    night, christmas = datetime(2027, 3, 10, 8, tzinfo=UTC), datetime(2027, 12, 24, 18, tzinfo=UTC)
    text = contact("+12155550123", channel="text", purpose="answer", basis="none")
    assert judge(text, BOOK, night, final=True).at == night
    reminder = text.model_copy(update={"purpose": "service", "heard_at": christmas})
    assert judge(reminder, BOOK, christmas, final=True).at == christmas
    assert judge(reminder, BOOK, night).rule == "calling_hours"
    assert judge(contact("+12155550123", heard_at=christmas), BOOK, christmas).rule in ("holiday", "calling_hours")


def test_a_consent_lifts_the_rows_that_say_so() -> None:
    sunday = datetime(2027, 3, 14, 18, tzinfo=UTC)
    assert judge(contact("+18015550123", basis="written"), BOOK, sunday).at == sunday, "Utah: not with prior consent"
    asked = judge(contact("+18015550123", basis="asked", heard_at=sunday), BOOK, sunday)
    assert (asked.rule, asked.at) == ("calling_hours", datetime(2027, 3, 15, 14, tzinfo=UTC))
    assert judge(contact("+12055550123", basis="written"), BOOK, sunday).at != sunday, "Alabama: for nobody"


def changed(**rows: list[dict[str, object]]) -> Playbook:
    """The playbook with these sections of its rules in place of its own."""
    written = {**RULES.model_dump(mode="json", by_alias=True), **rows}
    return BOOK.model_copy(update={"rules": Rulebook.model_validate(written)})


def test_a_state_of_emergency_closes_a_place_for_weeks() -> None:
    row = {"where": ["US-LA"], "every_day": True, "from": "2027-03-01", "until": "2027-03-31", "lifted_by": ["written"],
           "source": "a declaration of the governor"}  # fmt: skip
    book = changed(holidays=[row])
    assert judge(contact("+15045550123"), book, NOON).at == NOON, "whom they wrote to that we may call"
    found = judge(contact("+15045550123", basis="asked"), book, NOON)
    assert (found.rule, found.at) == ("holiday", datetime(2027, 4, 1, 13, tzinfo=UTC))
    for bad in ({"until": None}, {"every_day": False}, {"until": "2027-08-01"}):
        with pytest.raises(ValueError, match=r"every_day|days:"):
            changed(holidays=[{**row, **bad}])


@pytest.mark.parametrize(("year", "day"), [(2026, 3), (2028, 7), (2030, 5), (2032, 2)])
def test_election_day_is_the_tuesday_after_the_first_monday(year: int, day: int) -> None:
    row = next(row for row in RULES.holidays if row.where == ("US-RI",))
    assert row.closed(date(year, 11, day)) == "Election Day"
    assert not row.closed(date(year, 11, day + 7))
    assert not any(row.closed(date(year + 1, 11, n)) for n in range(1, 10)), "none in odd years"


def test_quiet_hours_of_texts_can_be_narrower_than_those_of_calls() -> None:
    row = {"where": ["US"], "opens": "10:00", "closes": "18:00", "channels": ["text"], "source": "counsel"}
    book = changed(hours=[*RULES.model_dump(mode="json", by_alias=True)["hours"], row])
    early = datetime(2027, 3, 10, 14, tzinfo=UTC)  # nine in New York
    assert judge(contact("+12125550123"), book, early).at == early
    text = contact("+12125550123", channel="text")
    assert judge(text, book, early).at == datetime(2027, 3, 10, 15, tzinfo=UTC)
    assert judge(text.model_copy(update={"purpose": "service"}), book, early).at == datetime(2027, 3, 10, 15, tzinfo=UTC)


def test_what_is_recorded_keeps_the_stricter_of_both_ends() -> None:
    ny = contact("+12125550123")
    here = BOOK.model_copy(update={"company": BOOK.company.model_copy(update={"region": "US-CA"})})
    assert not [f for f in judge(ny, BOOK, NOON).findings if f.rule == "recording"]
    (duty,) = [f for f in judge(ny, here, NOON).findings if f.rule == "recording"]
    assert (duty.where, duty.verdict) == ("US-CA", "duty")
    assert here.hash != BOOK.hash
    for book, said in ((BOOK, False), (here, True)):
        register([book])
        person = ev.FormSubmitted(at=NOON, form=form(phone="+12125550123", region="US-NY"))
        lead = apply(Lead(lead="lead-x", audience=book.audience, playbook=book.hash), person)
        lead = apply(lead, ev.CallConnected(at=NOON, attempt="in-1", sid="CA1", inbound=True))
        assert brief(lead, book, Connect(attempt="in-1", sid="CA1", at=NOON, inbound=True)).recording_notice is said


def test_a_cap_that_the_log_of_dials_would_not_remember_is_refused() -> None:
    with pytest.raises(ValueError, match="less than or equal to"):
        changed(caps=[{"where": ["*"], "most": 9, "per": "91d", "source": "counsel"}])


def test_duties_name_what_is_to_be_said() -> None:
    duties = [f for f in judge(contact("+14155550123"), BOOK, NOON).findings if f.verdict == "duty"]
    assert {(f.rule, f.where) for f in duties} == {("recording", "US-CA"), ("disclosure", "US"), ("disclosure", "US-CA")}
    assert all(f.source for f in judge(contact("+14155550123"), BOOK, NOON).findings)


def test_easter() -> None:
    assert [easter(year) for year in (2026, 2027, 2028, 2038)] == [
        date(2026, 4, 5), date(2027, 3, 28), date(2028, 4, 16), date(2038, 4, 25),
    ]  # fmt: skip


# ---- the files --------------------------------------------------------------------------------------------------


def test_the_rules_are_part_of_the_playbook_s_hash_and_survive_the_store() -> None:
    again = Playbook.model_validate(json.loads(canonical(BOOK)))
    assert again == BOOK
    assert again.hash == BOOK.hash
    later = {**TEXTS, "us.rules.yml": TEXTS["us.rules.yml"].replace("2026-11-21\n", "2026-11-22\n", 1)}
    assert read_playbook("inbound.yml", later).hash != BOOK.hash
    without = BOOK.model_copy(update={"rules": None})
    assert "rules" not in json.loads(canonical(without)), "what was stored before there were rule files keeps its hash"


@pytest.mark.parametrize(("old", "new", "path", "words"), [
    ('opens: "09:00", closes: "18:00"', 'opens: "9am", closes: "18:00"', "hours.11.opens", "write HH:MM"),
    ('opens: "09:00", closes: "18:00"', 'opens: "19:00", closes: "18:00"', "hours.11", "write a later hour"),
    ("where: [US-KY]", "where: [Kentucky]", "hours.6.where.0", "write a country"),
    ("most: 7", "most: some", "caps.3.most", "write one, such as 2"),
    ("from: 2025-01-01", "form: 2025-01-01", "disclosure.1.form", "mend its spelling"),
    ("reviewed: 2026-11-21", "reviewed: soon", "reviewed", "write"),
    ("name: us\n", "name: usa\n", "name", "as in the file's own name"),
    ("years: even}", "years: odd}", "holidays.2.days.5.years", "even"),
    ("look_up: wanted", "look_up: sometimes", "lines.1.look_up", "required"),
    ("zones: [America/Denver, America/Los_Angeles]", "zones: [Boise]", "areas.US-ID.0.zones.0", "IANA"),
    ('codes: "808"', 'codes: "808 907"', "areas.US-HI", "remove it from one"),
    (', source: "RCW 19.158.040, app.leg.wa.gov"', "", "hours.16.source", "add it"),
])  # fmt: skip
def test_a_bad_rule_file_names_file_line_field_and_remedy(old: str, new: str, path: str, words: str) -> None:
    text = TEXTS["us.rules.yml"]
    assert old in text
    texts = {**TEXTS, "us.rules.yml": text.replace(old, new, 1)}
    with pytest.raises(PlaybookError) as caught:
        read_playbook("outbound.yml", texts)
    (fault,) = misshapen(caught.value, texts, "outbound.yml")
    line = text.splitlines()[fault.line - 1]
    assert (fault.file, fault.path) == ("us.rules.yml", path)
    assert old.partition("\n")[0] in line or path.startswith("areas"), line
    assert words in fault.remedy


def test_a_rule_file_that_is_not_there_is_named() -> None:
    with pytest.raises(PlaybookError, match=r"eu\.rules\.yml is not there; name a rule file"):
        read_playbook("mine.yml", {**TEXTS, "mine.yml": "extends: inbound.yml\nrules: eu\n"})
    assert read_rules("us.rules.yml", TEXTS) == RULES


# ---- the command ------------------------------------------------------------------------------------------------


def explained(*arguments: str) -> dict[str, object]:
    ran = CliRunner().invoke(app, ["rules", "explain", *arguments, "--json"])
    assert ran.exit_code == 0, ran.output
    found: dict[str, object] = json.loads(ran.stdout)
    return found


def test_explain_tells_every_rule_and_the_first_allowed_minute() -> None:
    told = explained("(512) 555-0123", "--at", "2027-03-14T15:00:00Z", "--consent", "written")
    assert told["first_allowed"] == "2027-03-14T17:00:00+00:00"
    assert told["rule"] == "calling_hours"
    assert isinstance(told["rules"], list)
    assert {each["rule"] for each in told["rules"]} >= {
        "opted_out", "line_type", "consent", "do_not_call", "reassigned", "attempt_cap", "calling_hours", "disclosure",
    }  # fmt: skip
    both = explained("512-555-0123", "--state", "Pennsylvania", "--at", "2027-11-25T18:00:00Z")
    assert both["first_allowed"] == "2027-11-26T15:00:00+00:00", "after Thanksgiving in Pennsylvania, at nine in Texas"
    assert explained("512-555-0123", "--consent", "none")["first_allowed"] is None


def test_explain_says_what_is_known_of_the_number_here(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "lists" / "national" / "2027-03-01"
    folder.mkdir(parents=True)
    (folder / "305.txt").write_text("3055550123\n")
    monkeypatch.setenv("SHOWRATE_DO_NOT_CALL", str(tmp_path / "lists"))
    silent = ("+13055550123", "--heard", "never", "--at", NOON.isoformat())
    assert explained(*silent)["unknown"] == ["do_not_call", "reassigned"]
    assert explained(*silent)["not_asked"], "without an identity key nobody knows the log of dials"
    monkeypatch.setenv("SHOWRATE_IDENTITY_KEY", "k" * 32)
    house_settings.cache_clear()
    for hour in (1, 2, 3):
        number, at = dials.handle("+13055550123"), NOON - timedelta(hours=hour)
        assert dials.claim(number, at, "lead-1", f"a{hour}", dials.past(number, NOON))
    told = explained(*silent)
    assert not told["not_asked"]
    assert isinstance(told["rules"], list)
    reasons = [each["reason"] for each in told["rules"]]
    assert "on the national list of 2027-03-01" in reasons
    assert "the US-FL list: there is no snapshot; put one into a folder named by its day" in reasons
    assert "3 of 3 dials within 24 h" in reasons
    assert (told["first_allowed"], told["rule"]) == (None, "do_not_call")
    written = explained("+13055550123", "--consent", "written", "--at", NOON.isoformat())
    assert (written["rule"], written["first_allowed"]) == ("attempt_cap", "2027-03-11T15:00:00+00:00")


def test_explain_for_people_and_misuse() -> None:
    ran = CliRunner().invoke(app, ["rules", "explain", "+15125550123", "--at", "2027-03-14T15:00:00Z"])
    assert "first allowed: 2027-03-14 17:00 UTC" in ran.stdout
    assert CliRunner().invoke(app, ["rules", "explain", "12"]).exit_code == 2
    assert CliRunner().invoke(app, ["rules", "explain", "+15125550123", "--state", "Atlantis"]).exit_code == 2
    assert CliRunner().invoke(app, ["rules", "explain", "+15125550123", "--playbook", "none"]).exit_code == 3
