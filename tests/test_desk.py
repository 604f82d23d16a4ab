"""The review queue as people meet it: listed, ranked, read and resolved by command, page and API, and noted by whom."""

from __future__ import annotations

import asyncio
import html
import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, expect

from activities import store
from workflows import effects as fx
from workflows import events as ev
from workflows import messages as ms
from workflows.messages import Item, Resolved

from .fixtures.record import NOW, reflection
from .fixtures.web import TOKEN, People, Site
from .test_browser import fits, picture
from .test_command import showrate
from .test_console import log_in, proof_in

DUE = NOW + timedelta(hours=1)


def item(name: str, since: datetime = NOW, **over: Any) -> Item:
    kind, _, about = name.partition(":")
    known = {"id": name, "kind": kind, "since": since, "about": about, "words": "the second one", "due": DUE, "worth": 90.0}
    return Item.model_validate({**known, "why": "USD 100 x 90%", **over})


# ---- the record ----------------------------------------------------------------------------------------------------


def test_the_record_keeps_what_is_open_and_who_resolved_what(record: Path) -> None:
    clash, sample = item("clash:e1"), item("sample:a1", worth=1.0)
    store.write(reflection(items=(clash, sample)))
    store.write(reflection(version=2, items=(clash.model_copy(update={"worth": 200.0}), sample)))
    assert [(each.item.id, each.item.worth, each.item.words) for each in store.review_queue()] == [
        ("clash:e1", 200.0, "the second one"), ("sample:a1", 1.0, "the second one"),
    ]  # fmt: skip
    done = Resolved(item="clash:e1", kind="clash", way="retry", by="ana", words="asked Ben", at=NOW, since=NOW)
    store.write(reflection(version=3, resolved=(done,)))
    over = store.review_queue(closed=True)
    assert {(each.item.id, each.way, each.by, each.words) for each in over} == {
        ("clash:e1", "retry", "ana", "asked Ben"), ("sample:a1", "", "", ""),
    }  # fmt: skip
    assert store.review_queue() == []


def test_an_older_telling_reopens_nothing_and_a_repeat_adds_nothing(record: Path) -> None:
    first = reflection(version=5, items=(item("fault:planning"),))
    for _ in range(2):
        store.write(first)
    store.write(reflection(version=6))
    store.write(first)
    assert store.review_queue() == []
    again = item("fault:planning", NOW + timedelta(hours=2))
    store.write(reflection(version=7, items=(again,)))
    assert [each.item.since for each in store.review_queue()] == [again.since]
    assert len(store.review_queue(closed=True)) == 1


def test_what_came_up_and_was_resolved_unseen_is_kept_too(record: Path) -> None:
    done = Resolved(item="approval:a1:2", kind="approval", way="approve", by="ana", at=NOW, since=NOW)
    for version in (1, 2):
        store.write(reflection(version=version, resolved=(done,)))
    [over] = store.review_queue(closed=True)
    assert (over.item.id, over.way, over.by) == ("approval:a1:2", "approve", "ana")


def test_filters_and_erasure(record: Path) -> None:
    store.write(reflection(items=(item("clash:e1"),), owner="ana"))
    store.write(reflection(lead="lead-2", items=(item("task:a1:1"),), owner="ben"))
    assert [each.lead.lead for each in store.review_queue(owner="ben")] == ["lead-2"]
    assert [each.item.kind for each in store.review_queue(kind="clash")] == ["clash"]
    store.erase("lead-2")
    [erased] = store.review_queue(lead="lead-2")
    assert erased.item.words == ""
    assert b"the second one" not in b"".join(p.read_bytes() for p in record.parent.glob("record.db*"))


# ---- over the lead's own workflow ------------------------------------------------------------------------------------


async def open_item(web: Site, kind: str, seconds: float = 60) -> dict[str, Any]:
    """The newest open item of ``kind``, once the record knows it."""
    end = time.monotonic() + seconds
    while not (found := (await web.http.get(f"/api/review?kind={kind}", headers=web.authorized)).json()["items"]):
        assert time.monotonic() < end, f"no {kind} in the queue"
        await asyncio.sleep(0.05)
    return dict(found[-1])


async def closed_item(web: Site, kind: str, seconds: float = 60) -> dict[str, Any]:
    end = time.monotonic() + seconds
    path = f"/api/review?kind={kind}&closed=yes"
    while not (found := (await web.http.get(path, headers=web.authorized)).json()["items"]):
        assert time.monotonic() < end, f"no {kind} was closed"
        await asyncio.sleep(0.05)
    return dict(found[0])


async def test_an_approval_is_listed_read_and_approved_by_command(web: Site, people: People) -> None:
    met = await people.talked("+1 415 555 6001")
    await people.waits(met, "a9:1")
    waiting = await open_item(web, "approval")
    shown = await showrate("review", "show", str(waiting["number"]))
    assert shown.code == 0, shown.err
    assert "waits for approval" in shown.out
    assert "at stake" in shown.out
    listed = await showrate("review", "list")
    assert "Ada Park" in listed.out
    wrong = await showrate("review", "resolve", str(waiting["number"]), "retry")
    assert (wrong.code, "approve, reject, hand_over" in wrong.err) == (1, True)
    done = await showrate("review", "resolve", str(waiting["number"]), "approve", "--words", "they asked twice", "--by", "sam", "--json")
    assert done.code == 0, done.err
    assert (await people.view(met.lead)).booking is None
    over = await closed_item(web, "approval")
    assert (over["way"], over["by"], over["resolution"]) == ("approve", "sam", "they asked twice")
    again = await showrate("review", "resolve", str(waiting["number"]), "approve")
    assert again.code == 1
    assert "sam resolved it already (approve)" in again.out
    assert (await showrate("review", "show", "999999")).code == 3


async def test_an_ambiguous_text_is_sent_again_from_the_page(web: Site, people: People) -> None:
    met = await people.talked("+1 415 555 6002")
    touch = "due/link/x"
    handle = web.temporal.get_workflow_handle(met.lead)
    failed = ev.TextFailed(at=datetime.now(UTC), touch=touch, code="30003", id="failed-1")
    await handle.signal("message_status", failed)
    waiting = await open_item(web, "text_failed")
    assert waiting["worth"] > 0
    await log_in(web)
    page = await web.http.get("/console/review")
    assert "a text was not delivered" in page.text
    number = waiting["number"]
    data = {"proof": proof_in(page), "way": "hand_over", "words": "I ring them myself"}
    pressed = await web.http.post(f"/console/review/{number}", data=data)
    told = html.unescape(re.findall(r'role="status">([^<]+)<', (await web.http.get(pressed.headers["Location"])).text)[0])
    assert told == "Taken over; the agent stays silent."
    assert (await people.view(met.lead)).taken_over_by == "Sam"
    twice = await web.http.post(f"/console/review/{number}", data=data)
    assert "Not done" in (await web.http.get(twice.headers["Location"])).text
    over = await closed_item(web, "text_failed")
    assert (over["way"], over["by"]) == ("hand_over", "Sam")


async def test_what_the_crm_refused_is_written_again(web: Site, people: People) -> None:
    calls: list[fx.Reflection] = []
    record = people.stage.answers["reflect"]

    def refusing(request: fx.Reflection) -> Any:
        calls.append(request)
        record(request)
        return fx.ReflectionDone(failed=("crm: a property is gone",) if not calls[:-1] else ())

    people.stage.answers["reflect"] = refusing
    met = await people.talked("+1 415 555 6003")
    waiting = await open_item(web, "write_back_failed")
    before = len(calls)
    answered = await web.http.post(
        f"/api/review/{waiting['number']}", json={"way": "retry", "by": "ops", "words": "mended"}, headers=web.authorized
    )
    assert answered.json()["allowed"], answered.text
    over = await closed_item(web, "write_back_failed")
    assert (over["way"], over["by"]) == ("retry", "ops")
    assert len(calls) > before
    assert calls[-1].form is not None
    assert (await people.view(met.lead)).items == ()


async def test_a_bad_wish_says_what_would_do(web: Site, people: People) -> None:
    met = await people.talked("+1 415 555 6004")
    await people.waits(met, "a9:1")
    number = (await open_item(web, "approval"))["number"]

    async def post(**body: str) -> httpx.Response:
        return await web.http.post(f"/api/review/{number}", json=body, headers=web.authorized)

    assert (await post(way="burn", by="x")).status_code == 409
    assert (await post(by="x")).status_code == 409
    assert (await web.http.post("/api/review/424242", json={"way": "done"}, headers=web.authorized)).status_code == 404
    assert (await people.view(met.lead)).items[0].kind == "approval"


async def test_the_queue_in_a_browser(web: Site, people: People, browser: Browser) -> None:
    met = await people.talked("+1 415 555 6005")
    await people.waits(met, "a9:1")
    await open_item(web, "approval")
    page = await browser.new_page()
    await page.goto(f"{web.url}/console/review")
    await page.get_by_label("Token").fill(TOKEN)
    await page.get_by_label("Your name").fill("Sam")
    await page.get_by_role("button", name="Log in").click()
    await fits(page)
    await picture(page, "review")
    words = page.get_by_placeholder("Why, or what is true")
    await words.fill("let it stand")
    # What was typed outlasts the page's own refresh, wherever one looks meanwhile.
    await words.blur()
    await page.evaluate("document.querySelector('#live h1').textContent = 'Stale'")
    await page.wait_for_timeout(3000)
    await expect(words).to_have_value("let it stand")
    await page.get_by_role("button", name="Reject").click()
    await expect(page.get_by_role("status")).to_contain_text("Rejected")
    assert (await people.view(met.lead)).booking is not None
    await closed_item(web, "approval")
    await page.goto(f"{web.url}/console/review?closed=1")
    await expect(page.get_by_text("Reject by Sam")).to_be_visible()
    await page.close()


async def test_the_page_offers_the_kinds_that_are_there(web: Site, record: Path) -> None:
    done = Resolved(item="task:a1:1", kind="task", way="done", by="ana", at=NOW, since=NOW)
    store.write(reflection(items=(item("clash:e1"), item("sample:a1")), resolved=(done,)))
    await log_in(web)

    async def kinds(query: str = "") -> list[str]:
        page = (await web.http.get(f"/console/review{query}")).text
        return re.findall(r'href="/console/review\?kind=(\w+)', page)

    assert {"clash", "sample"} <= set(await kinds())
    assert "task" not in await kinds("?kind=clash")
    assert "task" in await kinds("?closed=1")
    assert "referral" in await kinds("?kind=referral"), "the way back from what is empty now"


async def test_a_number_that_no_item_can_have_is_unknown(web: Site) -> None:
    answer = await web.http.post(f"/api/review/{10**22}", json={"way": "done"}, headers=web.authorized)
    assert answer.status_code == 404
    assert (await showrate("review", "show", str(10**22))).code == 3


def test_items_are_plain_json() -> None:
    assert json.loads(item("clash:e1").model_dump_json())["id"] == "clash:e1"
    assert ms.Resolve.model_validate({"item": "x", "way": "done", "by": "y"}).id == ""


@pytest.mark.parametrize("way", ["explode", ""])
def test_a_way_that_is_none_is_no_resolution(way: str) -> None:
    with pytest.raises(ValueError, match="way"):
        ms.Resolve.model_validate({"item": "x", "way": way, "by": "y"})
