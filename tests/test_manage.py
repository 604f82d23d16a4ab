"""The manage page on a phone: two taps for each wish, and nothing to gain by tampering."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from activities import links
from clients import pages
from clients.phrases import utc
from workflows import effects as fx
from workflows import events as ev

from .fixtures.web import People, Site
from .test_browser import picture
from .test_pages import choices, path

HOUR = timedelta(hours=1)
PHONE = {"width": 360, "height": 740}
FINGER = 44
"""CSS pixels that a finger needs (WCAG 2.5.5)."""


@pytest.fixture
async def phone(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, timezone_id="America/Los_Angeles")  # type: ignore[arg-type]
    page = await context.new_page()
    yield page
    await context.close()


async def reachable(page: Page) -> None:
    """Nothing sticks out, and each button is as high as a finger is wide."""
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url
    for button in await page.get_by_role("button").all():
        box = await button.bounding_box()
        assert box is not None
        assert box["height"] >= FINGER, (await button.inner_text(), box)


async def test_each_wish_takes_two_taps(web: Site, people: People, phone: Page) -> None:
    met = await people.talked("+1 415 555 6001")
    people.stage.answers.pop("find_slots")
    await phone.goto(links.manage_link(met.lead, met.booking.id, met.booking.end))
    await reachable(phone)
    await picture(phone, "phone-manage")
    await phone.get_by_role("button", name="I'll be there").tap()
    await expect(phone.get_by_role("status")).to_contain_text("Confirmed")
    assert (await people.view(met.lead)).stage == "confirmed"

    await phone.goto(links.manage_link(met.lead, met.booking.id, met.booking.end))
    await phone.get_by_role("button", name="Another time").tap()
    await expect(phone.locator("button[name=slot]").first).to_be_visible()
    await reachable(phone)
    await picture(phone, "phone-times")
    await phone.locator("button[name=slot]").nth(1).tap()
    await expect(phone.get_by_role("status")).to_contain_text("Your new time is booked")
    await picture(phone, "phone-moved")
    moved = (await people.view(met.lead)).booking
    assert moved is not None
    assert moved.id != met.booking.id

    await phone.goto(links.manage_link(met.lead, moved.id, moved.end))
    await phone.get_by_role("button", name="I can't make it").tap()
    await expect(phone.get_by_role("button", name="Yes, call it off")).to_be_visible()
    await reachable(phone)
    await picture(phone, "phone-cancel")
    await phone.get_by_role("button", name="Yes, call it off").tap()
    await expect(phone.get_by_role("status")).to_contain_text("called off")
    assert (await people.view(met.lead)).booking is None
    await picture(phone, "phone-cancelled")


async def test_the_first_meeting_is_booked_in_two_taps_and_contact_stopped_in_one(
    web: Site, people: People, phone: Page
) -> None:
    lead = await people.submit("+1 415 555 6002")
    await people.until(lead, lambda seen: seen.touches)
    await phone.goto(links.manage_link(lead, "", datetime.now(UTC) + HOUR))
    await phone.get_by_role("button", name="See free times").tap()
    await phone.locator("button[name=slot]").first.tap()
    await expect(phone.get_by_role("status")).to_contain_text("You are booked")
    assert (await people.view(lead)).stage == "booked"
    await phone.goto(links.stop_link(lead, datetime.now(UTC) + HOUR))
    await reachable(phone)
    await picture(phone, "phone-stop")
    await phone.get_by_role("button", name="Stop all contact").tap()
    await expect(phone.get_by_role("status")).to_contain_text("Done")
    assert (await people.view(lead)).opted_out


async def test_two_quick_taps_book_once(web: Site, people: People) -> None:
    lead = await people.submit("+1 415 555 6003")
    await people.until(lead, lambda seen: seen.touches)
    address = path(links.manage_link(lead, "", datetime.now(UTC) + HOUR))
    one, other, *_ = choices((await web.http.post(address, data={"wish": "times"})).text)
    taps = [web.http.post(address, data={"wish": "book", "slot": one}) for _ in range(3)]
    answers = await asyncio.gather(*taps)
    assert {answer.status_code for answer in answers} == {200}
    booked = (await people.view(lead)).booking
    assert booked is not None
    assert len({r.booking for r in people.stage.of("book_meeting")}) == 1
    # Two different times at once: a move of the one to the other at most, never two meetings.
    await asyncio.gather(*(web.http.post(address, data={"wish": "book", "slot": slot}) for slot in (one, other)))
    asked = people.stage.of("book_meeting")
    assert all(request.replaces is not None for request in asked[1:])


async def test_another_leads_link_reaches_only_that_lead(web: Site, people: People) -> None:
    mine, theirs = await people.talked("+1 415 555 6004"), await people.talked("+1 415 555 6005")
    crossed = path(links.manage_link(mine.lead, theirs.booking.id, theirs.booking.end))
    shown = await web.http.get(crossed)
    assert utc(theirs.booking.start) not in shown.text.replace(utc(mine.booking.start), "")
    for wish in ("cancel-surely", "confirm", "times"):
        await web.http.post(crossed, data={"wish": wish})
    for met in (mine, theirs):
        seen = await people.view(met.lead)
        assert (seen.stage, seen.booking) == ("booked", met.booking)


async def test_what_stands_in_the_address_bar_is_no_wish(web: Site, people: People) -> None:
    lead = await people.submit("+1 415 555 6006")
    await people.until(lead, lambda seen: seen.touches)
    address = path(links.manage_link(lead, "", datetime.now(UTC) + HOUR))
    slot, *_ = choices((await web.http.post(address, data={"wish": "times"})).text)
    for query in (f"?wish=book&slot={slot}", "?wish=cancel-surely", "?wish=confirm"):
        assert (await web.http.get(address + query)).status_code == 200
        assert (await web.http.post(address + query)).status_code == 400
    assert not people.stage.of("book_meeting")


async def test_a_time_that_passed_while_the_page_lay_open_is_answered_with_others(web: Site, people: People) -> None:
    lead = await people.submit("+1 415 555 6007")
    await people.until(lead, lambda seen: seen.touches)
    address = path(links.manage_link(lead, "", datetime.now(UTC) + HOUR))
    slot, *_ = choices((await web.http.post(address, data={"wish": "times"})).text)
    people.stage.answers["book_meeting"] = lambda _: fx.Booked(refused="this time is past")  # the ledger's word
    answer = await web.http.post(address, data={"wish": "book", "slot": slot})
    assert (answer.status_code, "just gone" in answer.text) == (409, True)
    assert choices(answer.text)
    assert (await people.view(lead)).booking is None


def test_no_two_times_to_choose_from_read_alike() -> None:
    at = datetime(2027, 3, 12, 20, 7, tzinfo=UTC)
    starts = (at, at + timedelta(seconds=15), at + timedelta(hours=1))
    slots = tuple(ev.Slot(id=f"ana@{each}", rep="ana", start=each, end=each + timedelta(seconds=15)) for each in starts)
    ((day, times),) = pages._by_day(slots, "America/New_York")
    assert day == "Friday, March 12"
    assert [clock for _, clock in times] == ["3:07 PM", "3:07:15 PM", "4:07 PM"]
