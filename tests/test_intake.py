"""Forms become durable leads: real HTTP, a real Temporal server, and no worker at all."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from temporalio.client import Client

from activities import store
from activities.settings import settings
from clients.regions import region_code, zip_region
from clients.submission import MAX_ATTRIBUTES, Unusable, read_submission
from workflows import identity
from workflows.events import Form, FormSubmitted
from workflows.messages import LeadStart

from .fixtures.web import Site

NOW = datetime(2027, 3, 1, 15, 0, tzinfo=UTC)
ADA = {"name": "Ada Park", "phone": "(415) 555-0123", "email": " Ada@Example.com ", "source": "website"}


async def history(client: Client, lead: str) -> tuple[LeadStart, list[FormSubmitted]]:
    """What Temporal holds of a lead that no worker has touched: its input, and its forms in order."""
    start: LeadStart | None = None
    forms = []
    async for event in client.get_workflow_handle(lead).fetch_history_events():
        started = event.workflow_execution_started_event_attributes
        if event.HasField("workflow_execution_started_event_attributes"):
            (start,) = await client.data_converter.decode(started.input.payloads, [LeadStart])
        signal = event.workflow_execution_signaled_event_attributes
        if signal.signal_name == "form_submitted":
            forms += await client.data_converter.decode(signal.input.payloads, [FormSubmitted])
    assert start is not None
    return start, forms


# ---- over HTTP -------------------------------------------------------------------------------------------------


async def test_a_form_is_durable_before_it_is_accepted(web: Site, book: str) -> None:
    sent = {
        **ADA,
        "company": "Acme",
        "message": "How does it work?",
        "utm_source": "ads",
        "utm": {"campaign": "spring"},
        "state": "California",
        "zone": "America/Los_Angeles",
        "promise": "We'll call you",
        "page": "https://example.com/demo",
        "consent": {"text": "I agree", "version": "v3"},
        "seats": 12,
        "plan": {"name": "pro"},
    }
    response = await web.http.post("/leads", json=sent, headers={"Idempotency-Key": "k-1"})
    assert response.status_code == 202, response.text
    answer = response.json()
    assert answer["lead"] == identity.lead_id(identity.handle_id(settings().identity_key, "+14155550123"))
    assert answer["status_url"] == f"{web.url}/api/leads/{answer['lead']}"

    start, (event,) = await history(web.temporal, answer["lead"])
    assert start == LeadStart(lead=answer["lead"], audience="inbound", playbook=book, paced=False)
    form = event.form
    assert (event.id, form.submission_id, event.memory) == ("k-1", "k-1", None)
    assert (form.name, form.phone, form.email) == ("Ada Park", "+14155550123", "ada@example.com")
    assert (form.region, form.zone, form.source) == ("US-CA", "America/Los_Angeles", "website")
    assert form.utm == {"source": "ads", "campaign": "spring"}
    assert form.attributes == {"seats": "12", "plan": '{"name": "pro"}'}
    consent = form.consent
    assert (consent.text, consent.version, consent.kind, consent.address) == ("I agree", "v3", "written", "127.0.0.1")
    assert consent.at is not None
    assert form.phone_hash
    assert form.email_hash

    found = await web.temporal.get_workflow_handle(answer["lead"]).describe()
    shown = {pair.key.name: pair.value for pair in found.typed_search_attributes.search_attributes}
    assert shown["ShowrateStage"] == "new"
    assert shown["ShowrateAudience"] == "inbound"
    assert shown["ShowrateSource"] == "website"
    assert shown["ShowratePlaybook"] == book
    assert not any(word in str(shown) for word in ("Ada", "415", "example.com"))


async def test_two_posts_at_once_and_a_repeat_reach_one_lead(web: Site) -> None:
    form = {**ADA, "phone": "+1 415 555 0200"}
    first, second = await asyncio.gather(
        web.http.post("/leads", json={**form, "submission_id": "s-1"}),
        web.http.post("/leads", data={**form, "submission_id": "s-1", "phone": "415-555-0200"}),
    )
    third = await web.http.post("/leads", json=form)
    assert [r.status_code for r in (first, second, third)] == [202, 202, 202]
    assert len({r.json()["lead"] for r in (first, second, third)}) == 1
    _, forms = await history(web.temporal, first.json()["lead"])
    assert [event.id for event in forms][:2] == ["s-1", "s-1"]
    assert forms[2].id.startswith("f-")


async def test_who_has_no_phone_is_known_by_the_address(web: Site) -> None:
    response = await web.http.post("/leads", data={"email": "Only@Example.com"})
    hashed = identity.handle_id(settings().identity_key, "only@example.com")
    assert response.json()["lead"] == identity.lead_id(hashed)


@pytest.mark.parametrize(
    ("fields", "field", "remedy"),
    [
        ({"name": "Ada"}, "phone", "send phone or email"),
        ({"phone": "12"}, "phone", "write it as +1 415 555 0123"),
        ({"phone": "call me", "email": "a@b.com"}, "phone", "write it as +1 415 555 0123"),
        ({"email": "ada@nowhere"}, "email", "write it as name@example.com"),
        ({"phone": "+14155550123", "message": "x" * 5001}, "message", "send at most 5000"),
    ],
)
async def test_bad_input_names_field_and_remedy(web: Site, fields: dict[str, str], field: str, remedy: str) -> None:
    for response in (await web.http.post("/leads", json=fields), await web.http.post("/leads", data=fields)):
        assert response.status_code == 422
        (problem,) = response.json()["problems"]
        assert problem["field"] == field
        assert problem["remedy"] == remedy
        assert problem["problem"]


async def test_who_did_not_ask_to_be_called_needs_consent_and_an_audience_that_is_open(
    web: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent = {"consent": "yes", "consent_text": "Tallyhook may call me.", "consent_version": "fair-1"}
    visitor = {**ADA, "phone": "+14155550321", "email": "ada.one@example.com", "audience": "outbound"}
    for fields, field in (
        ({**visitor, **consent}, "audience"),  # no source leads there
        ({**visitor, **consent, "audience": "demo"}, "audience"),
    ):
        response = await web.http.post("/leads", json=fields)
        assert (response.status_code, response.json()["problems"][0]["field"]) == (422, field)
    monkeypatch.setenv("SHOWRATE_AUDIENCES", '{"trade_show": "outbound"}')
    settings.cache_clear()
    for fields in (visitor, {**visitor, "audience": "", "source": "trade_show"}):
        response = await web.http.post("/leads", json=fields)
        assert (response.status_code, response.json()["problems"][0]["field"]) == (422, "consent")
    by_name = await web.http.post("/leads", json={**visitor, **consent})
    by_source = await web.http.post("/leads", json={**ADA, "phone": "+14155550322", "email": "", "source": "trade_show", **consent})
    for response in (by_name, by_source):
        assert response.status_code == 202, response.text
        start, (event,) = await history(web.temporal, response.json()["lead"])
        assert start.audience == "outbound"
        assert "audience" not in event.form.attributes


async def test_bodies_that_are_no_forms(web: Site) -> None:
    post = web.http.post
    as_json = {"Content-Type": "application/json"}
    assert (await post("/leads", content=b"{", headers=as_json)).status_code == 422
    assert (await post("/leads", content=b"[" * 100_000, headers=as_json)).status_code == 422
    assert (await post("/leads", json=["+14155550123"])).status_code == 422
    assert (await post("/leads", content=b"<a/>", headers={"Content-Type": "text/xml"})).status_code == 415
    assert (await post("/leads", files={"file": b"x"})).status_code == 422
    multipart = await post("/leads", data=ADA, files=[("note", (None, "hello"))])
    assert multipart.status_code == 202


async def test_a_mebibyte_is_the_limit(web: Site) -> None:
    fits = await web.http.post("/leads", json={**ADA, "extra": "x" * (1024 * 1024 - 300)})
    assert fits.status_code == 202
    declared = await web.http.post("/leads", json={**ADA, "extra": "x" * (1024 * 1024)})
    assert declared.status_code == 413

    async def endless() -> Any:
        for _ in range(40):
            yield b"x" * 65536

    streamed = await web.http.post("/leads", content=endless(), headers={"Content-Type": "application/json"})
    assert streamed.status_code == 413


async def test_keys_belong_to_sources(web: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOWRATE_SOURCES", json.dumps({"website": "pk-w", "partner": "pk-p"}))
    monkeypatch.setenv("SHOWRATE_AUDIENCES", json.dumps({"partner": "demo"}))
    settings.cache_clear()
    person = {"phone": "+1 415 555 0301"}
    assert (await web.http.post("/leads", json=person)).status_code == 401
    assert (await web.http.post("/leads", json={**person, "key": "pk-x"})).status_code == 401
    wrong = await web.http.post("/leads", json={**person, "source": "website"}, headers={"X-Showrate-Key": "pk-p"})
    assert wrong.status_code == 403
    taken = await web.http.post("/leads", data={**person, "key": "pk-p"})
    assert taken.status_code == 202
    start, (event,) = await history(web.temporal, taken.json()["lead"])
    assert (start.audience, event.form.source) == ("demo", "partner")
    assert "pk-p" not in event.model_dump_json()


async def test_memory_goes_along_and_its_failure_loses_nobody(web: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "recall", lambda lead: {"lead": lead, "stage": "closed"})
    known = await web.http.post("/leads", json={"phone": "+1 415 555 0401"})
    _, (event,) = await history(web.temporal, known.json()["lead"])
    assert event.memory == {"lead": known.json()["lead"], "stage": "closed"}

    def away(lead: str) -> None:
        raise OSError("no database")

    monkeypatch.setattr(store, "recall", away)
    unknown = await web.http.post("/leads", json={"phone": "+1 415 555 0402"})
    assert unknown.status_code == 202


async def test_without_temporal_nothing_is_claimed(web: Site) -> None:
    web.app.state.temporal, connected = None, web.app.state.temporal
    response = await web.http.post("/leads", json=ADA)
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert (await web.http.get("/healthz")).status_code == 503
    web.app.state.temporal = connected
    assert (await web.http.get("/healthz")).json()["temporal"] == "ok"


async def test_other_sites_may_post(web: Site) -> None:
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    preflight = await web.http.options("/leads", headers=asked)
    assert preflight.status_code == 204
    assert "X-Showrate-Key" in preflight.headers["Access-Control-Allow-Headers"]
    response = await web.http.post("/leads", json={"phone": "nobody"}, headers={"Origin": "https://shop.example"})
    assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_a_plain_form_gets_a_page(web: Site) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml"}
    sent = {**ADA, "phone": "+1 415 555 0501", "consent": "yes", "consent_text": "I agree", "consent_version": "w"}
    thanked = await web.http.post("/leads", data=sent, headers=browser)
    assert (thanked.status_code, thanked.headers["Location"]) == (303, "/form/thanks")
    assert "Thank you" in (await web.http.get("/form/thanks")).text
    refused = await web.http.post("/leads", data={"name": '"><b>Eve', "phone": "12"}, headers=browser)
    assert refused.status_code == 422
    assert "write it as +1 415 555 0123" in refused.text
    assert "&#34;&gt;&lt;b&gt;Eve" in refused.text
    assert "<b>Eve" not in refused.text


# ---- pure ------------------------------------------------------------------------------------------------------

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=5),
    max_leaves=12,
)
_NAMES = st.sampled_from(
    ["phone", "email", "name", "zone", "state", "zip", "utm", "consent", "consent_at", "consent_address", "attributes",
     "submission_id", "message", "utm_source", "source", "promise"]
)  # fmt: skip


@given(st.dictionaries(_NAMES | st.text(max_size=30), _JSON, max_size=14))
@hypothesis_settings(max_examples=300)
def test_garbage_is_refused_or_kept_and_never_breaks(fields: dict[str, Any]) -> None:
    for given_fields in (fields, {**fields, "phone": "+14155550123", "email": None}):
        try:
            form = read_submission(given_fields, region="US", identity_key=b"k" * 32, now=NOW, address="192.0.2.1")
        except Unusable as error:
            problems = error.problems
        else:
            assert Form.model_validate_json(form.model_dump_json()) == form
            assert form.phone or form.email
            assert len(form.attributes) <= MAX_ATTRIBUTES + 1
            assert len(form.model_dump_json()) < 400_000
            continue
        assert problems
        assert all(p.field and p.problem and p.remedy for p in problems)


def test_consent_is_what_was_shown_and_ticked() -> None:
    def consent(**fields: object) -> Any:
        read = read_submission(
            {"phone": "+14155550123", **fields}, region="US", identity_key=b"k" * 32, now=NOW, address="192.0.2.1"
        )
        return read.consent, read.attributes

    ticked, _ = consent(consent="on", consent_text="I agree", consent_at="2027-03-01T14:59:00Z")
    assert (ticked.kind, ticked.text, ticked.at) == ("written", "I agree", NOW.replace(hour=14, minute=59))
    left, _ = consent(consent_text="I agree", consent_version="v1")
    assert left.kind == "none"
    refused, _ = consent(consent={"accepted": False, "text": "I agree"})
    assert refused.kind == "none"
    passed_on, attributes = consent(consent=True, consent_address="203.0.113.9", consent_at="soon")
    assert (passed_on.address, passed_on.at, attributes) == ("203.0.113.9", NOW, {"sent_from": "192.0.2.1"})


def test_states_and_zips() -> None:
    assert [region_code(t) for t in ("ca", "California", "US-CA", "D.C.", "Ontario", "Bavaria")] == [
        "US-CA", "US-CA", "US-CA", "US-DC", "CA-ON", "",
    ]  # fmt: skip
    assert [zip_region(z) for z in ("94103", "02139-4307", "10001", "33101", "99501", "1234", "00000")] == [
        "US-CA", "US-MA", "US-NY", "US-FL", "US-AK", "", "",
    ]  # fmt: skip
