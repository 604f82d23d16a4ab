"""Whole leads on the real server, with the record, the CRM and the reps' channel behind them: what the playbook leaves to
a person is not done by the agent, whoever is asked answers, and every verdict can be read afterwards."""

from __future__ import annotations

import asyncio
import html
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.applications import Starlette

from activities import crm, store
from activities.reflection import reflect
from activities.settings import settings
from activities.vendors import openai
from workers.sandbox import model
from workflows import effects as fx
from workflows import events as ev
from workflows import playbook
from workflows.playbook import Autonomy, Playbook

from .fixtures.books import CHANNEL, Books
from .fixtures.temporal import delete
from .fixtures.web import People, Site
from .stage import Stage, on_stage
from .test_command import showrate
from .test_gateway import NUMBER, TOKEN, ringing, somebody

SLOT = (datetime.now(UTC) + timedelta(days=1)).replace(hour=18, minute=0, second=0, microsecond=0)
SLOTS = tuple(
    ev.Slot(id=f"ana@{at.isoformat()}", rep="ana", start=at, end=at + timedelta(minutes=30))
    for at in (SLOT, SLOT + timedelta(hours=1))
)


@pytest.fixture
async def house(books: Books, web: Site, serve: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[People]:
    """Leads whose calendar and carrier are a test's, and whose record, CRM and channel are real requests."""
    served = await serve(Starlette(routes=model.routes(None)))  # type: ignore[arg-type]
    for name, value in {
        "OPENAI_BASE_URL": f"{served.url}/openai/v1", "OPENAI_API_KEY": "sandbox", "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_NUMBER": NUMBER,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    await crm.prepare()
    stage = Stage()
    stage.answers |= {"find_slots": lambda _: fx.SlotsAnswer(slots=SLOTS), "reflect": reflect}
    async with on_stage(web.temporal, stage):
        yield People(web, stage)
    await openai.close()


def leave(autonomy: Autonomy, *actions: str) -> Playbook:
    """From here on, new leads follow a playbook that leaves ``actions`` to a person."""
    known = list(playbook.registered().values())[-1]
    book = known.model_copy(update={"autonomy": {**known.autonomy, **dict.fromkeys(actions, autonomy)}})
    playbook.register([book])
    return book


async def talk(house: People, *words: str) -> tuple[str, list[str]]:
    """A call from its ring to its end: the lead, and what we said."""
    lead = await house.submit(somebody(), email="ada@example.com")
    sid = (await house.until(lead, lambda view: view.touches and view.touches[0].sid)).touches[0].sid
    async with ringing(house.site.url) as caller:
        await caller.setup(sid, lead=lead, attempt="a1")
        said = [await caller.listen()]
        said += [await caller.say(each) for each in words]
        await caller.listen()
        assert caller.ended
    over = ev.CallEnded(at=datetime.now(UTC), attempt="a1", sid=sid, status="completed", seconds=60, id="over")
    await house.site.temporal.get_workflow_handle(lead).signal("call_status", over)
    await house.until(lead, lambda view: view.touches[0].outcome.endswith("over"))
    return lead, said


FITS = ("Yes, sure.", "We need help with stock counts", "About 25 people.", "This quarter.")
CHOOSES = (*FITS, "The second one, please.", "Yes, that's right.", "No, that's all. Thank you!")


async def why(house: People, lead: str) -> dict[str, Any]:
    """What ``GET /api/leads/LEAD/why`` answers, once the record knows what was said in the call."""
    end = time.monotonic() + 60
    while True:
        answer = await house.site.http.get(f"/api/leads/{lead}/why", headers=house.site.authorized)
        told: dict[str, Any] = answer.json()
        if told["verdicts"]:
            return told
        assert time.monotonic() < end, told
        await asyncio.sleep(0.05)


def verdict_on(told: dict[str, Any], action: str) -> dict[str, Any]:
    """The one verdict on ``action``, which is a whole record."""
    [found] = [v for v in told["verdicts"] if v["action"] == action]
    assert found["version"] > 0
    assert datetime.fromisoformat(found["at"]).utcoffset() is not None
    return dict(found)


async def carded(books: Books, lead: str, kind: str) -> dict[str, Any]:
    """The card of this ``kind`` about ``lead``: it is there once."""
    end = time.monotonic() + 60
    while not (keys := [key for key in books.cards if key.startswith(f"{lead}:{kind}:")]):
        assert time.monotonic() < end, books.cards
        await asyncio.sleep(0.05)
    assert len(keys) == 1
    messages = books.state("slack")["channels"][CHANNEL]
    return next(m for m in messages if m["metadata"]["event_payload"]["key"] == keys[0])


def held(books: Books, kind: str, lead: str) -> list[dict[str, str]]:
    """What the CRM holds of ``lead``."""
    known = [record["properties"] for record in books.state("hubspot")[kind]]
    return [each for each in known if each["showrate_key"].startswith(lead)]


async def in_crm(books: Books, kind: str, lead: str) -> list[dict[str, str]]:
    """What the CRM holds of ``lead``, once it holds anything."""
    end = time.monotonic() + 60
    while not (found := held(books, kind, lead)):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    return found


async def test_observed_is_decided_logged_and_done_by_a_person(house: People, books: Books) -> None:
    book = leave("observe", "book")
    lead, said = await talk(house, *CHOOSES)
    assert said[6].startswith(book.speech.tasked)
    assert said[6].endswith("Is there anything else I can do for you?"), "nothing is asked that was answered"
    card = await carded(books, lead, "observed")
    assert card["blocks"][0]["text"]["text"].startswith("Yours to do for Ada Park: book")
    assert house.stage.of("book_meeting") == []
    told = await why(house, lead)
    found = verdict_on(told, "book")
    assert (found["allowed"], found["rule"], found["threshold"]) == (False, "autonomy_observe", 0.6)
    assert found["value"] > 0.6
    assert found["evidence"][:2] == ["Yes, that's right.", "The second one, please."]
    assert told["calls"][0]["path"][-1] == "booking", "nothing is confirmed"
    assert [task["hs_task_subject"] for task in await in_crm(books, "tasks", lead)] == [card["blocks"][0]["text"]["text"]]

    done = await showrate("lead", "reschedule", lead, "--slot", SLOTS[1].id, "--by", "ana", "--json")
    assert (done.code, done.data["booking"]["start"]) == (0, SLOTS[1].start.isoformat().replace("+00:00", "Z"))
    assert len(house.stage.of("book_meeting")) == 1
    assert (await carded(books, lead, "booked"))["blocks"][0]["text"]["text"] == "Meeting booked: Ada Park"
    await house.site.temporal.get_workflow_handle(lead).terminate()


async def test_proposed_is_done_once_when_approved(house: People, books: Books) -> None:
    book = leave("propose", "book")
    lead, said = await talk(house, *CHOOSES)
    assert said[6].startswith(book.speech.approval)
    await carded(books, lead, "approval")
    assert house.stage.of("book_meeting") == []
    assert verdict_on(await why(house, lead), "book")["rule"] == "autonomy_propose"
    shown = await showrate("lead", "why", lead)
    for line in ("to approve", f"showrate lead approve {lead}", "✖ book  denied: autonomy propose", "of 0.60", "(said “25”)"):
        assert line in shown.out, line
    page = await house.site.http.get(f"/console/leads/{lead}", headers=house.site.authorized)
    for each in ("autonomy propose", "“The second one, please.”", f"/console/leads/{lead}/approve"):
        assert each in html.unescape(page.text), each

    asked = [
        house.site.http.post(f"/api/leads/{lead}/approve", json={"by": who}, headers=house.site.authorized)
        for who in ("ana", "ben")
    ]
    first, second = [answer.json() for answer in await asyncio.gather(*asked)]
    assert first["allowed"], first
    assert first == second, "two people at once, one answer"
    assert len(house.stage.of("book_meeting")) == 1
    await carded(books, lead, "booked")
    await house.until(lead, lambda view: [t.touch for t in view.touches if t.channel == "text"] == ["confirmation"])
    assert len([t for t in house.stage.of("send_text") if t.gate.lead == lead]) == 1
    assert (await showrate("lead", "reject", lead)).code == 1
    [deal] = await in_crm(books, "deals", lead)
    assert deal["showrate_fit"] == "fits"
    await house.site.temporal.get_workflow_handle(lead).terminate()


async def test_rejected_is_never_done_and_the_lead_is_told(house: People, books: Books) -> None:
    book = leave("propose", "book")
    lead, _ = await talk(house, *CHOOSES)
    assert (await showrate("lead", "reject", lead, "--by", "ana", "--words", "not our kind of customer")).code == 0
    await house.until(lead, lambda view: any(t.touch == "help_on_the_way" for t in view.touches))
    assert (await showrate("lead", "approve", lead)).code == 1
    card = await carded(books, lead, "dropped")
    assert card["blocks"][0]["text"]["text"].startswith("Not done for Ada Park: book")
    assert house.stage.of("book_meeting") == []
    sent = [t.body for t in house.stage.of("send_text") if t.gate.lead == lead]
    assert sent == [book.messages["help_on_the_way"].replace("{company}", book.company.name)]
    entries = (await why(house, lead))["entries"]
    assert [e["data"]["words"] for e in entries if e.get("rule") == "rejected"] == ["not our kind of customer"]
    await house.site.temporal.get_workflow_handle(lead).terminate()


async def test_a_denied_action_yields_the_next_best_and_all_of_it_outlives_the_lead(house: People, books: Books) -> None:
    book = leave("act")
    house.stage.answers["find_slots"] = lambda _: fx.SlotsAnswer(slots=SLOTS[:1])
    words = (*FITS, "Yeah, I guess so, maybe.", "Yes, let's do it.", "Actually, I'm not interested.", "Leave it as it is.")
    lead, said = await talk(house, *words, CHOOSES[-1])
    assert said[5].endswith("is that right?"), "a yes with doubt in it books nothing by itself"
    assert "you are booked with" in said[6]
    assert said[7] == book.graph["reschedule"].fallback, "a meeting that stands is moved or cancelled first"
    told = await why(house, lead)
    booked = [v for v in told["verdicts"] if v["action"] == "book"]
    assert [(v["allowed"], v["rule"]) for v in booked] == [(False, "evidence"), (True, "evidence")]
    assert booked[0]["value"] < booked[0]["threshold"] <= booked[1]["value"]
    denied = verdict_on(told, "decline")
    assert (denied["allowed"], denied["rule"]) == (False, "meeting_stands")
    [call] = told["calls"]
    assert len(call["timings"]) == len([m for m in call["moments"] if m["kind"] == "final"]) == len(words) + 1
    for turn in call["timings"]:
        assert 0 <= turn["decided"] <= turn["first_word"], turn
    assert len(await in_crm(books, "calls", lead)) == 1

    await house.recorded(lead, "booked")
    await delete(house.site.temporal, lead)
    after = await why(house, lead)
    for kept in ("criteria", "signs", "concerns", "verdicts", "calls"):
        assert after[kept] == told[kept], kept
    shown = await showrate("lead", "why", lead)
    assert "✖ book  denied: evidence" in shown.out
    assert "team size 25 (said “25”)" in shown.out


async def test_who_does_not_fit_leaves_by_a_way_of_their_own(house: People, books: Books) -> None:
    book = leave("act")
    lead, said = await talk(house, "Yes, sure.", "We need help with stock counts", "It's just me.")
    assert said[-1] == book.speech.not_fit
    seen = await house.until(lead, lambda view: view.closed)
    assert (seen.disposition, seen.booking) == ("not_fit", None)
    assert house.stage.of("find_slots") == house.stage.of("book_meeting") == []
    await house.recorded(lead, "closed")
    found = verdict_on(await why(house, lead), "decline")
    [contact] = await in_crm(books, "contacts", lead)
    assert (contact["showrate_disposition"], contact["showrate_fit"]) == ("not_fit", "no fit")
    assert contact["showrate_reason"].startswith("team size is 1, wanted at least 3 (said")
    assert "against: team size is 1, wanted at least 3" in contact["showrate_criteria"]
    assert held(books, "meetings", lead) == held(books, "deals", lead) == []
    assert "<em>Fit:</em> no fit. against: team size 1 (said)" in (await in_crm(books, "calls", lead))[0]["hs_call_body"]
    assert (found["allowed"], found["evidence"]) == (True, ["team size is 1, wanted at least 3 (said)"])
    await house.site.temporal.get_workflow_handle(lead).terminate()


async def test_what_was_judged_in_a_text_can_be_read_like_what_was_said(house: People, books: Books) -> None:
    phone = somebody()
    lead = await house.submit(phone)
    await house.until(lead, lambda view: view.touches and view.touches[0].sid)
    judged = ev.Verdict(
        action="book", allowed=False, rule="evidence", threshold=0.6, value=0.31, evidence=("one of them is fine",), version=4,
        at=datetime.now(UTC),
    )  # fmt: skip
    house.stage.answers["converse"] = lambda _: fx.Conversed(reply="Which of these do you mean?", verdicts=(judged,))
    handle = house.site.temporal.get_workflow_handle(lead)
    over = ev.CallEnded(at=datetime.now(UTC), attempt="a1", sid="CA1", status="no-answer", id="over")
    await handle.signal("call_status", over)
    await handle.signal("message_received", ev.MessageReceived(at=datetime.now(UTC), id="SM9", text="one of them is fine"))
    told = await why(house, lead)
    assert told["verdicts"] == [judged.in_full()]
    shown = await showrate("lead", "why", lead)
    assert "✖ book  denied: evidence  0.31 of 0.60" in shown.out
    page = await house.site.http.get(f"/console/leads/{lead}", headers=house.site.authorized)
    assert "evidence 0.31 of 0.60 “one of them is fine”" in page.text
    await house.submit(phone)  # a text's verdicts ride along with the next write to the record
    end = time.monotonic() + 60
    while not any(entry.verdicts for entry in await asyncio.to_thread(store.entries, lead)):
        assert time.monotonic() < end, "the record does not know of it"
        await asyncio.sleep(0.05)
    await delete(house.site.temporal, lead)
    assert (await why(house, lead))["verdicts"] == told["verdicts"]
