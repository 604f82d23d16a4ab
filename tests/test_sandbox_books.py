"""The sandbox's pages of calendars, CRM and channel, in a real browser: live, and with nothing from outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from playwright.async_api import Browser, expect

from activities import crm, notices
from activities.vendors import google
from tests.fixtures.books import Books
from workflows.effects import CallNote, Card, Reflection
from workflows.events import Booking, Form, Line

LEAD = "lead-" + "8" * 32


async def test_the_pages_show_what_was_written_while_open(books: Books, browser: Browser) -> None:
    page = await browser.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda sent: faults.append(sent.url) if not sent.url.startswith((books.url, "data:")) else None)

    now = datetime.now(UTC)
    booking = Booking(id="b1", rep="ana", rep_name="Ana Torres", start=now, end=now + timedelta(minutes=2))
    await page.goto(f"{books.url}/calendars")
    await expect(page.get_by_text("No calendar has been asked for yet")).to_be_visible()
    draft = google.Draft(
        booking="b1",
        title="Demo with <Lee>",
        notes="",
        start=booking.start,
        end=booking.end,
        zone="UTC",
        attendee="lee@example.com",
    )
    await google.insert_event("ana@tallyhook.example", draft)
    await page.locator(".event").click()
    await expect(page.locator("dialog")).to_contain_text("lee@example.com")

    await crm.prepare()
    await page.goto(f"{books.url}/crm")
    line = Line(who="lead", text="Ten is <b>fine</b>.", at=now)
    await crm.sync(
        Reflection(
            lead=LEAD,
            version=1,
            audience="inbound",
            playbook="0" * 16,
            now=now,
            stage="booked",
            furthest="booked",
            form=Form(submission_id="s", name="Lee Park", email="lee@example.com", company="Birch"),
            calls=(CallNote(attempt="a1", sid="CA1", at=now, status="completed", transcript=(line,)),),
            booking=booking,
        )
    )
    await expect(page.locator("#people")).to_contain_text("Lee Park")
    await expect(page.locator("#person")).to_contain_text("Meeting booked")
    await page.get_by_text("Call to the lead").click()
    await expect(page.locator(".say")).to_have_text("Ten is <b>fine</b>.")

    await page.goto(f"{books.url}/slack")
    await notices.post((Card(key="k", title="Meeting booked: Lee", lines=("a <b>",), rep="ana", lead=LEAD),))
    await expect(page.locator(".msg")).to_contain_text("a <b>")
    await expect(page.locator(".at")).to_have_text("@ana")
    assert faults == []
