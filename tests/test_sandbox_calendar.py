"""The reps' calendars in a real browser: a stranger drags, moves, deletes and answers a meeting as the rep and the lead
would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.async_api import Browser, Page, expect

from activities.vendors import google, google_changes
from tests.fixtures.books import Books
from tests.test_browser import picture

ANA, BEN = "ana@tallyhook.example", "ben@tallyhook.example"
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=1)


async def calendars(books: Books, browser: Browser) -> tuple[Page, str]:
    """The page with a meeting of Ana's on it, and the meeting's id."""
    for calendar in (ANA, BEN):
        books.seed("google", calendars=[{"id": calendar}])
    draft = google.Draft(
        booking="b1", title="Demo: Lee", notes="", start=NOON, end=NOON + timedelta(minutes=30), zone="UTC",
        attendee="lee@example.com",
    )  # fmt: skip
    event = await google.insert_event(ANA, draft)
    page = await browser.new_page(timezone_id="UTC")
    page.on("dialog", lambda dialog: dialog.dismiss())
    await page.goto(f"{books.url}/calendars")
    await expect(page.locator(".event")).to_be_visible()
    return page, event.id


async def at(books: Books, calendar: str, event: str) -> google.Event:
    found = await google.get_event(calendar, event)
    assert found is not None
    return found


async def until(page: Page, check: Any) -> None:
    for _ in range(60):
        if await check():
            return
        await page.wait_for_timeout(50)
    raise AssertionError("did not come true in time")


async def grip(page: Page, column: str, begins: str) -> tuple[float, float]:
    """Where the mouse takes hold of the meeting, once the page shows it in this calendar's column beginning then. What
    the server knows already may not be drawn yet, and whatever is drawn anew has no place for a moment."""
    event = page.locator(f'.col[data-cal="{column}"] .event', has_text=f"{begins} –")
    await expect(event).to_be_visible()
    places: list[tuple[float, float]] = []

    async def placed() -> bool:
        await event.scroll_into_view_if_needed()
        if box := await event.bounding_box():
            places.append((box["x"] + 20, box["y"] + 10))
        return bool(places)

    await until(page, placed)
    return places[-1]


async def test_a_meeting_is_dragged_to_another_time_and_to_another_rep(books: Books, browser: Browser) -> None:
    page, event = await calendars(books, browser)
    x, y = await grip(page, ANA, "12:00 PM")
    scale = float(await page.locator(".col").first.get_attribute("data-scale") or 0)
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x, y + 30 * scale, steps=4)
    await page.mouse.up()

    async def later() -> bool:
        return (await at(books, ANA, event)).start == NOON + timedelta(minutes=30)

    await until(page, later)
    assert (await at(books, ANA, event)).guest == "needsAction"
    x, y = await grip(page, ANA, "12:30 PM")
    other = await page.locator(f'.col[data-cal="{BEN}"]').bounding_box()
    assert other is not None
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(other["x"] + 40, y, steps=4)
    await page.mouse.up()

    async def with_ben() -> bool:
        there = await google.get_event(BEN, event)
        return there is not None and there.organizer == BEN

    await until(page, with_ben)
    assert (await at(books, ANA, event)).cancelled
    assert (await at(books, BEN, event)).booking == "b1"


async def test_without_a_mouse_it_is_moved_answered_and_deleted(books: Books, browser: Browser) -> None:
    page, event = await calendars(books, browser)
    await page.locator(".event").focus()
    await page.keyboard.press("Enter")
    start = NOON + timedelta(hours=2)
    await page.get_by_label("Starts").fill(f"{start:%Y-%m-%dT%H:%M}")
    await page.get_by_role("button", name="Move", exact=True).click()

    async def moved() -> bool:
        return (await at(books, ANA, event)).start == start

    await until(page, moved)
    await page.locator(".event").click()
    await page.get_by_role("button", name="Guest declines").click()

    async def declined() -> bool:
        return (await at(books, ANA, event)).guest == "declined"

    await until(page, declined)
    await page.locator(".event").click()
    await page.get_by_role("button", name="Delete").click()

    async def gone() -> bool:
        return (await at(books, ANA, event)).cancelled

    await until(page, gone)


async def test_something_else_is_put_into_an_empty_time(books: Books, browser: Browser) -> None:
    page, _ = await calendars(books, browser)
    await page.locator(f'.col[data-cal="{BEN}"]').dblclick(position={"x": 60, "y": 20})
    await expect(page.get_by_text("Something else")).to_be_visible()
    assert [event.busy for event in await google_events(BEN)] == [True]


async def google_events(calendar: str) -> list[google.Event]:
    return await google_changes.between(calendar, NOON - timedelta(days=1), NOON + timedelta(days=1))


async def test_two_meetings_in_one_minute_are_told_apart_and_moved_by_seconds(books: Books, browser: Browser) -> None:
    """A demo playbook's meetings last seconds."""
    page, _ = await calendars(books, browser)
    begins = [NOON + timedelta(hours=1, seconds=seconds) for seconds in (5, 35)]
    ids = []
    for number, start in enumerate(begins):
        draft = google.Draft(booking=f"s{number}", title=f"Short {number}", notes="", start=start, end=start + timedelta(seconds=20), zone="UTC")
        ids.append((await google.insert_event(ANA, draft)).id)
    for number, told in enumerate(("1:00:05 PM", "1:00:35 PM")):
        await expect(page.locator(".event", has_text=f"Short {number}")).to_contain_text(told)
    await expect(page.locator(".event", has_text="Demo: Lee")).to_contain_text("12:00:00 PM – 12:30:00 PM")
    await picture(page, "calendars")
    await page.get_by_role("button", name="Agenda").click()
    await expect(page.locator(".line", has_text="Short 1")).to_contain_text("1:00:35 PM – 1:00:55 PM")
    await page.locator(".line", has_text="Short 1").click()
    await expect(page.get_by_label("Starts")).to_have_value(f"{begins[1]:%Y-%m-%dT%H:%M:%S}")
    await page.get_by_label("Starts").fill(f"{begins[1] + timedelta(seconds=10):%Y-%m-%dT%H:%M:%S}")
    await page.get_by_role("button", name="Move", exact=True).click()

    async def later() -> bool:
        return (await at(books, ANA, ids[1])).start == begins[1] + timedelta(seconds=10)

    await until(page, later)


async def test_whole_minutes_are_written_without_seconds(books: Books, browser: Browser) -> None:
    page, _ = await calendars(books, browser)
    await expect(page.locator(".event")).to_contain_text("12:00 PM – 12:30 PM")
