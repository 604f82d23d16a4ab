"""The console and its JSON mirror over HTTP: nothing without the token, and every button is the lead's own verdict."""

from __future__ import annotations

import asyncio
import html
import json
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import google.protobuf.json_format as protobuf_json
import httpx
import pytest
from temporalio.api.common.v1 import Payload, Payloads

from activities.settings import settings
from activities.vendors import temporal
from clients import codec
from workflows import effects as fx
from workflows import events as ev
from workflows.control_workflow import Hold
from workflows.wording import written_time

from .fixtures.web import TOKEN, People, Site
from .test_command import showrate

LEAD = "lead-" + "0" * 32
GUARDED = [
    ("GET", "/console"), ("GET", f"/console/leads/{LEAD}"),
    ("GET", f"/console/leads/{LEAD}/graph.svg"), ("POST", f"/console/leads/{LEAD}/cancel"),
    ("GET", "/console/review"), ("POST", "/console/review/1"), ("GET", "/api/review"), ("POST", "/api/review/1"),
    ("GET", "/console/funnel"), ("GET", "/console/pauses"), ("POST", "/console/pauses"), ("GET", "/console/form"),
    ("POST", "/console/logout"), ("GET", "/api/leads"), ("GET", f"/api/leads/{LEAD}"), ("GET", f"/api/leads/{LEAD}/why"),
    ("POST", f"/api/leads/{LEAD}/cancel"), ("GET", "/api/funnel"), ("GET", "/api/pauses"), ("POST", "/api/pause"),
    ("GET", f"/console/leads/{LEAD}/merge"), ("POST", f"/console/leads/{LEAD}/merge"),
    ("POST", f"/api/leads/{LEAD}/merge"), ("POST", f"/api/leads/{LEAD}/apart"),
    ("POST", "/api/resume"), ("POST", "/codec/decode"), ("POST", "/codec/encode"), ("POST", "/codec/guess/decode"),
]  # fmt: skip


async def log_in(web: Site, name: str = "Sam") -> None:
    response = await web.http.post("/console/login", data={"token": TOKEN, "name": name, "then": "/console"})
    assert response.status_code == 303


def proof_in(page: httpx.Response) -> str:
    return re.findall(r'name="proof" value="([0-9a-f]+)"', page.text)[0]


async def press(web: Site, lead: str, action: str, **fields: str) -> str:
    """Press a button on the lead's page, and read what the page says then."""
    proof = proof_in(await web.http.get(f"/console/leads/{lead}"))
    pressed = await web.http.post(f"/console/leads/{lead}/{action}", data={"proof": proof, **fields})
    assert pressed.status_code == 303, pressed.text
    shown = await web.http.get(pressed.headers["Location"])
    return html.unescape(re.findall(r'role="status">([^<]+)<', shown.text)[0])


# ---- who gets in -----------------------------------------------------------------------------------------------


async def test_nothing_is_read_or_changed_without_the_token(web: Site) -> None:
    for headers in ({}, {"Authorization": "Bearer guess"}, {"Cookie": "showrate=forged.AAAA.bbbb"}):
        for method, path in GUARDED:
            response = await web.http.request(method, path, headers=headers)
            assert response.status_code == 401, (method, path)
    covered = {path for _, path in GUARDED}
    open_paths = {"/console/login", "/console/live.js"}
    guarded_prefixes = ("/console", "/api", "/codec")
    for route in web.app.routes:
        path = str(getattr(route, "path", ""))
        filled = path.replace("{lead}", LEAD).replace("{action}", "cancel").replace("{number:int}", "1").replace("{token}", "guess")
        if path.startswith(guarded_prefixes) and path not in open_paths and "guess/encode" not in filled:
            assert filled in covered, f"{path} is not among the guarded"


async def test_without_a_configured_token_nobody_gets_in(web: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOWRATE_TOKEN", "")
    settings.cache_clear()
    assert "SHOWRATE_TOKEN" in (await web.http.get("/console")).text
    for given in ("", "x"):
        response = await web.http.get("/api/leads", headers={"Authorization": f"Bearer {given}".strip()})
        assert response.status_code == 401
        assert (await web.http.post("/console/login", data={"token": given})).status_code == 401


async def test_login_sets_a_cookie_that_scripts_and_other_sites_cannot_use(web: Site) -> None:
    assert (await web.http.post("/console/login", data={"token": "wrong"})).status_code == 401
    response = await web.http.post("/console/login", data={"token": TOKEN, "then": "https://evil.example/console"})
    assert response.headers["Location"] == "/console"
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert TOKEN not in cookie
    assert (await web.http.get("/console")).status_code == 200
    linked = await web.http.get(f"/console/login?token={TOKEN}")
    assert (linked.status_code, linked.headers["Location"]) == (303, "/console")


async def test_a_form_without_its_proof_changes_nothing(web: Site) -> None:
    lead = (await web.http.post("/leads", json={"phone": "+1 415 555 2001"})).json()["lead"]
    await log_in(web)
    for fields in ({}, {"proof": "0" * 64}):
        assert (await web.http.post(f"/console/leads/{lead}/opt-out", data=fields)).status_code == 403
    # Nor does the cookie, which a browser sends along with any page's request, open the API for changes.
    assert (await web.http.post(f"/api/leads/{lead}/opt-out", json={})).status_code == 401
    assert (await web.http.get("/api/leads")).status_code == 200


# ---- what people see and do ------------------------------------------------------------------------------------


async def test_an_accepted_lead_is_seen_before_any_worker_has(web: Site) -> None:
    lead = (await web.http.post("/leads", json={"phone": "+1 415 555 2002"})).json()["lead"]
    await log_in(web)
    for _ in range(50):
        listed = await web.http.get("/console")
        if lead in listed.text:
            break
        await asyncio.sleep(0.05)
    assert lead in listed.text
    told = await web.http.get(f"/api/leads/{lead}")
    assert told.json()["silence"] == "accepted; no worker has taken it up yet"
    assert "no worker has taken it up yet" in (await web.http.get(f"/console/leads/{lead}")).text
    unknown = await web.http.get(f"/console/leads/{LEAD}")
    assert (unknown.status_code, (await web.http.get(f"/api/leads/{LEAD}")).status_code) == (404, 404)


async def test_a_leads_page_tells_its_story_and_changes_it(web: Site, people: People) -> None:
    met = await people.talked("+1 415 555 2003", message="<script>alert(1)</script>", utm_source="ads")
    await log_in(web)
    page = (await web.http.get(f"/console/leads/{met.lead}")).text
    for told in ("Ada Park", "Acme", "Why this meeting", "next in turn", "Team size", "tomorrow works for me", "booked",
                 "Hi Ada, this is Juno.", "after the form", "0.90 of 0.50"):  # fmt: skip
        assert told in page, told
    assert "<script>alert" not in page
    assert met.lead in (await web.http.get("/console?stage=booked")).text
    assert met.lead not in (await web.http.get("/console?stage=new")).text
    found = await web.http.get("/console", params={"q": "415-555-2003"})
    assert found.headers["Location"] == f"/console/leads/{met.lead}"
    assert "Nobody with this" in (await web.http.get("/console", params={"q": "415-555-9999"})).text

    zone = ZoneInfo((await people.view(met.lead)).zone)
    there = f"{met.booking.start.astimezone(zone):%Y-%m-%dT%H:%M:%S}"
    assert "at that time already" in await press(web, met.lead, "reschedule", start=there)
    assert (await people.view(met.lead)).booking == met.booking
    later = met.booking.start + timedelta(hours=2)
    typed = f"{later.astimezone(zone):%Y-%m-%dT%H:%M:%S}"
    assert await press(web, met.lead, "reschedule", start=typed) == "The meeting is moved."
    booking = (await people.view(met.lead)).booking
    assert booking is not None
    assert booking.start == later
    assert "choose a day" in await press(web, met.lead, "reschedule", start="soon")

    assert "taken over" in await press(web, met.lead, "take-over")
    assert (await people.view(met.lead)).taken_over_by == "Sam"
    assert await press(web, met.lead, "release") == "The agent goes on."
    assert "On hold" in await press(web, met.lead, "hold")
    assert (await people.view(met.lead)).held_by == "Sam"
    await press(web, met.lead, "resume")
    await people.until(met.lead, lambda seen: not seen.held_by)
    assert "Not done" in await press(web, met.lead, "no-show")
    assert await press(web, met.lead, "cancel", words="they asked") == "The meeting is cancelled."
    assert (await people.view(met.lead)).booking is None
    assert "Opted out" in await press(web, met.lead, "opt-out", words="stop calling")
    await people.until(met.lead, lambda seen: seen.opted_out)
    assert "say what the person said" in await press(web, met.lead, "opt-in", words=" ")
    assert "May be contacted again" in (await web.http.get(f"/console/leads/{met.lead}")).text
    assert "Opted in" in await press(web, met.lead, "opt-in", words="do call me, I was cross that day")
    await people.until(met.lead, lambda seen: not seen.opted_out)


async def test_a_move_that_is_refused_names_times_wherever_it_is_asked(web: Site, people: People) -> None:
    met = await people.talked("+1 415 555 2030")
    assert [asked.nearest for asked in people.stage.of("book_meeting")] == [0]  # the agent has its own offers
    free = (met.booking.start + timedelta(hours=1), met.booking.start + timedelta(hours=5))
    near = tuple(ev.Slot(id=f"ana@{at.isoformat()}", rep="ana", start=at, end=at + timedelta(minutes=30)) for at in free)
    people.stage.answers["book_meeting"] = lambda asked: fx.Booked(refused="the time was taken", nearest=near[: asked.nearest])
    await log_in(web)
    zone = (await people.view(met.lead)).zone
    wanted = met.booking.start + timedelta(hours=2)
    said = await press(web, met.lead, "reschedule", start=f"{wanted.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M:%S}")
    named = [written_time(at, zone) for at in free]
    assert said == f"Not done: the time was taken; free near it: {named[0]}, or {named[1]}."
    asked = {"start": wanted.isoformat(), "by": "ops"}
    answered = (await web.http.post(f"/api/leads/{met.lead}/reschedule", json=asked, headers=web.authorized)).json()
    assert [datetime.fromisoformat(slot["start"]) for slot in answered["slots"]] == list(free)
    ran = await showrate("lead", "reschedule", met.lead, "--start", wanted.isoformat())
    assert ran.code == 1
    typed = re.findall(r"--start (\S+)", ran.out)
    assert [datetime.fromisoformat(each) for each in typed] == list(free)
    people.stage.answers.pop("book_meeting")
    assert (await showrate("lead", "reschedule", met.lead, "--start", typed[1])).code == 0
    assert (await people.view(met.lead)).booking.start == free[1]  # type: ignore[union-attr]


async def test_a_call_is_told_with_its_path_its_times_and_its_picture(web: Site, people: People) -> None:
    met = await people.talked("+1 415 555 2013")
    await log_in(web)
    page = html.unescape((await web.http.get(f"/console/leads/{met.lead}")).text)
    for told in ("<span>qualification</span>", "<svg", "Each turn's times", "340 ms", "too expensive", "they broke in",
                 "Fit", "wanted at least 3"):  # fmt: skip
        assert told in page, told
    why = (await web.http.get(f"/api/leads/{met.lead}/why", headers=web.authorized)).json()
    (call,) = why["calls"]
    assert call["path"][0] == "outreach"
    assert call["timings"][0]["decided"] == 0.34
    assert [m["kind"] for m in call["moments"]] == ["final", "interruption"]
    assert "transcript" not in call
    assert why["concerns"][0]["status"] == "resolved"
    assert {"field": "team_size", "status": "met", "value": "12", "source": "said"}.items() <= why["criteria"][
        0
    ].items()


async def test_what_waits_for_a_person_is_decided_on_the_page_and_by_the_api(web: Site, people: People) -> None:
    met, kept = await people.talked("+1 415 555 2014"), await people.talked("+1 415 555 2015")
    await log_in(web)
    await people.waits(met, "a1:7")
    shown = (await web.http.get(f"/console/leads/{met.lead}")).text
    assert "Waits for you: cancel the meeting" in shown
    assert "cancel it please" in shown
    assert await press(web, met.lead, "approve", request="a1:7") == "Approved and done."
    assert (await people.view(met.lead)).booking is None
    assert "of this lead waits" in await press(web, met.lead, "reject", request="a1:7")

    await people.waits(kept, "a1:8")
    why = (await web.http.get(f"/api/leads/{kept.lead}/why", headers=web.authorized)).json()
    assert [(each["request"], each["words"]) for each in why["approvals"]] == [("a1:8", "cancel the meeting")]
    done = await web.http.post(f"/api/leads/{kept.lead}/reject", json={"by": "ops"}, headers=web.authorized)
    assert done.json()["allowed"]
    assert (await people.view(kept.lead)).booking is not None
    assert (await people.view(kept.lead)).needs_review == "not_approved"


async def test_the_api_mirrors_it(web: Site, people: People) -> None:
    met = await people.talked("+1 415 555 2004")
    get = web.http.get
    listed = (await get("/api/leads?stage=booked", headers=web.authorized)).json()["leads"]
    assert met.lead in {row["lead"] for row in listed}
    by_number = (await get("/api/leads", params={"q": met.phone}, headers=web.authorized)).json()
    assert by_number["leads"][0]["lead"] == met.lead
    told = (await get(f"/api/leads/{met.lead}", headers=web.authorized)).json()
    assert told["booking"]["rep"] == "ana"
    assert told["calls"][0]["transcript"][1]["text"] == "Yes, tomorrow works for me."
    picture = await get(f"/console/leads/{met.lead}/graph.svg?attempt=a1", headers=web.authorized)
    assert (picture.headers["content-type"], picture.text.count('marker-end="url(#taken)"')) == ("image/svg+xml", 4)
    assert (await get(f"/console/leads/{met.lead}/graph.svg?attempt=x", headers=web.authorized)).status_code == 404
    why = (await get(f"/api/leads/{met.lead}/why", headers=web.authorized)).json()
    assert why["verdicts"][0]["threshold"] == 0.5
    assert next(entry["kind"] for entry in why["entries"]) == "form"
    assert len({json.dumps(entry, sort_keys=True) for entry in why["entries"]}) == len(why["entries"])

    async def post(action: str, body: object) -> httpx.Response:
        return await web.http.post(f"/api/leads/{met.lead}/{action}", json=body, headers=web.authorized)

    assert (await post("reschedule", {"start": "2027-03-12T15:00"})).status_code == 422
    assert (await post("reschedule", [])).status_code == 422
    assert (await post("fly", {})).status_code == 404
    first = await post("cancel", {"by": "ops", "id": "cancel-1"})
    again = await post("cancel", {"by": "ops", "id": "cancel-1"})
    assert first.json()["allowed"]
    assert again.json() == first.json()
    assert not (await post("attended", {"by": "ops"})).json()["allowed"]

    funnel = (await get("/api/funnel", params={"by": "source"}, headers=web.authorized)).json()
    assert {"booked": 1, "new": 1}.items() <= {s["name"]: s["people"] for s in funnel["total"]["stages"]}.items()
    assert funnel["total"]["ring"]["p50"] >= 0
    await log_in(web)
    page = (await get("/console/funnel")).text
    assert "first ring, median" in page
    assert "Everybody was called." in page


async def test_pauses_are_switched_and_shown(web: Site, switches: None) -> None:
    await log_in(web)
    proof = proof_in(await web.http.get("/console/pauses"))
    wish = {"proof": proof, "scope": "channel:email", "wish": "pause", "words": "the mail server moves"}
    assert (await web.http.post("/console/pauses", data=wish)).status_code == 303
    assert "Paused: e-mails." in (await web.http.get("/console")).text
    shown = (await web.http.get("/console/pauses")).text
    assert "by Sam" in shown
    assert "the mail server moves" in shown
    assert (await web.http.get("/api/pauses")).json() == {"paused": ["channel:email"]}
    bad = await web.http.post("/api/pause", json={"scope": "moon"}, headers=web.authorized)
    assert bad.status_code == 422
    resumed = await web.http.post("/api/resume", json={"scope": "channel:email"}, headers=web.authorized)
    assert resumed.json()["paused"] is False
    assert (await web.http.get("/api/pauses")).json() == {"paused": []}


async def test_a_lead_that_a_pause_holds_is_new_and_names_who_paused(
    web: Site, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = Hold(scope="channel:call", by="Kim", why="the carrier is down", at=datetime.now(UTC))

    async def holds(_: object) -> tuple[Hold, ...]:
        return (hold,)

    monkeypatch.setattr("clients.leads.holds", holds)
    people.stage.answers["place_call"] = lambda _: fx.Dispatched(refused="paused:channel:call")
    lead = await people.submit("+1 415 555 2031")
    assert (await people.until(lead, lambda seen: seen.held_by)).stage == "new"
    await log_in(web)
    page = html.unescape((await web.http.get(f"/console/leads/{lead}")).text)
    for told in ('<span class="chip new">new</span>', "on hold: calls", "Paused by Kim", "“the carrier is down”"):
        assert told in page, told
    assert "calls, paused by Kim (the carrier is down)" in (await showrate("lead", "show", lead)).out


async def test_without_temporal_the_record_still_tells(web: Site, people: People) -> None:
    met = await people.talked("+1 415 555 2005")
    await log_in(web)
    web.app.state.temporal, connected = None, web.app.state.temporal
    page = await web.http.get(f"/console/leads/{met.lead}")
    assert page.status_code == 200
    assert "Temporal does not answer" in page.text
    assert "Hi Ada, this is Juno." in page.text
    refused = await web.http.post(f"/api/leads/{met.lead}/cancel", json={}, headers=web.authorized)
    assert refused.status_code == 503
    web.app.state.temporal = connected


# ---- the codec endpoint ----------------------------------------------------------------------------------------


async def test_the_codec_endpoint_decodes_for_temporals_ui_only(web: Site) -> None:
    sealed = temporal.Codec(settings().encryption_keys).seal(
        Payload(metadata={"encoding": b"json/plain"}, data=b'"in the clear"')
    )
    body = protobuf_json.MessageToJson(Payloads(payloads=[sealed]))
    ui = settings().showrate_temporal_ui
    derived = f"/codec/{codec.derived_token(settings())}"
    for path, headers in (
        ("/codec/decode", web.authorized), (f"/codec/decode?token={TOKEN}", {}), (f"{derived}/decode", {}),
    ):  # fmt: skip
        response = await web.http.post(path, content=body, headers={**headers, "Origin": ui})
        assert response.status_code == 200
        assert response.headers["Access-Control-Allow-Origin"] == ui
        opened = protobuf_json.Parse(response.text, Payloads())
        assert opened.payloads[0].data == b'"in the clear"'
        sealed_again = await web.http.post(path.replace("decode", "encode"), content=response.text, headers=headers)
        assert "in the clear" not in sealed_again.text
    elsewhere = await web.http.options(f"{derived}/decode", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in elsewhere.headers
    assert (await web.http.post("/codec/decode", content=b"{", headers=web.authorized)).status_code == 400


async def test_faults_of_ours_are_answered_and_logged_without_their_words(
    web: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("+1 415 555 0123")

    monkeypatch.setattr("clients.intake.read_submission", broken)
    response = await web.http.post("/leads", json={"phone": "+1 415 555 0123"})
    assert response.status_code == 500
    assert "KeyError" in caplog.text
    assert "555" not in caplog.text
