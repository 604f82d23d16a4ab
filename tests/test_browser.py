"""The pages in a real browser: the form as a visitor fills it in, on our page and on others; the console at work."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import uvicorn
from playwright.async_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from activities import links
from activities.settings import settings
from clients import form as forms
from workflows import identity

from .fixtures.web import TOKEN, People, Site
from .test_intake import history

PICTURES = os.environ.get("SHOWRATE_TEST_PICTURES", "")
"""A folder for screenshots, for whoever wants to look."""


async def picture(page: Page, name: str) -> None:
    """The page on a phone and on a desk."""
    for width in (390, 1280) if PICTURES else ():
        await page.set_viewport_size({"width": width, "height": 800})
        await page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)


async def fits(page: Page) -> None:
    """Nothing sticks out to the right of the window, on a desk and on a phone."""
    for width in (1280, 360):
        await page.set_viewport_size({"width": width, "height": 800})
        inside = await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert inside, f"{page.url} is wider than {width}"
    await page.set_viewport_size({"width": 1280, "height": 800})


def lead_of(phone: str) -> str:
    return identity.lead_id(identity.handle_id(settings().identity_key, phone))


@asynccontextmanager
async def another_site(body: str) -> AsyncIterator[str]:
    """A page of somebody else's, on another origin."""

    async def page(_: object) -> HTMLResponse:
        return HTMLResponse(f"<!doctype html><title>Shop</title><body>{body}")

    app = Starlette(routes=[Route("/{path:path}", page)])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task


async def fill(page: Page, phone: str) -> None:
    await page.get_by_label("Name").fill("Ada Park")
    await page.get_by_label("Phone").fill(phone)
    await page.get_by_label("Work e-mail").fill("ada@example.com")
    await page.get_by_label("Company").fill("Acme")
    await page.get_by_label("What can we help with?").fill("A demo, please")


async def test_the_hosted_form(web: Site, browser: Browser) -> None:
    page = await browser.new_page(timezone_id="America/Denver")
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url))
    await page.goto(f"{web.url}/form?utm_source=ads&utm_campaign=spring&zone=America/Boise")
    await fits(page)
    await picture(page, "form")
    await expect(page.get_by_text("Put this form on your site")).to_have_count(0)  # a visitor has no site of ours
    await fill(page, "555")
    await page.get_by_role("button", name="Call me").click()
    await expect(page.get_by_text("Please tick the box")).to_be_visible()
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="Call me").click()
    await expect(page.get_by_text("write it as +1 415 555 0123")).to_be_visible()
    await expect(page.get_by_label("Phone")).to_be_focused()
    await picture(page, "form-wrong")
    await page.get_by_label("Phone").fill("(415) 555-3001")
    await page.get_by_role("button", name="Call me").click()
    await expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    await fits(page)
    await picture(page, "thanks")
    assert all(address.startswith((web.url, "data:")) for address in outside), outside

    _, (event,) = await history(web.temporal, lead_of("+14155553001"))
    sent = event.form
    assert (sent.name, sent.company, sent.zone) == ("Ada Park", "Acme", "America/Boise")  # the page that links here knows better than the browser
    assert sent.utm == {"source": "ads", "campaign": "spring"}
    assert sent.promise == forms.PROMISE
    assert sent.consent.kind == "written"
    assert sent.consent.version == forms.consent_version(sent.consent.text)
    assert sent.page == f"{web.url}/form"


async def test_the_form_without_scripts(web: Site, browser: Browser) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{web.url}/form?utm_source=mail&zone=Asia/Tokyo&state=CA")
    await fill(page, "12")
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="Call me").click()
    await expect(page.get_by_text("write it as +1 415 555 0123")).to_be_visible()
    await expect(page.get_by_label("Company")).to_have_value("Acme")
    await page.get_by_label("Phone").fill("415 555 3002")
    await page.get_by_role("button", name="Call me").click()
    await expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    _, (event,) = await history(web.temporal, lead_of("+14155553002"))
    assert event.form.utm == {"source": "mail"}
    assert (event.form.zone, event.form.region) == ("Asia/Tokyo", "US-CA")


async def test_the_snippet_on_another_site(web: Site, browser: Browser) -> None:
    async with another_site(f"<h1>Shop</h1>{forms.snippet(settings(), 'website')}") as shop:
        page = await browser.new_page(timezone_id="America/Denver")
        await page.goto(f"{shop}/demo?utm_campaign=fall")
        await fill(page, "415 555 3003")
        await page.get_by_role("checkbox").check()
        await picture(page, "embedded")
        await page.get_by_role("button", name="Call me").click()
        await expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
        _, (event,) = await history(web.temporal, lead_of("+14155553003"))
        assert event.form.page == f"{shop}/demo"
        assert event.form.zone == "America/Denver"
        assert event.form.utm == {"campaign": "fall"}
        assert "Tallyhook" in event.form.consent.text


async def test_a_form_that_a_site_has_already(web: Site, browser: Browser) -> None:
    own = """<form id="your-form" action="/nowhere"><input name="full_name" value="Ada Park"><input name="tel" id="t">
      <select name="seats"><option>12</option></select>
      <label><input type="checkbox" name="consent" checked> You may call me.</label><button>Go</button></form>"""
    async with another_site(own + forms.enhancement(settings(), "website")) as shop:
        page = await browser.new_page()
        await page.goto(shop)
        await page.locator("#t").fill("nothing")
        await page.get_by_role("button", name="Go").click()
        await expect(page.get_by_role("alert")).to_contain_text("write it as")
        await page.locator("#t").fill("415-555-3004")
        await page.get_by_role("button", name="Go").click()
        await expect(page.get_by_role("status")).to_contain_text("Thank you")
        _, (event,) = await history(web.temporal, lead_of("+14155553004"))
        assert (event.form.name, event.form.attributes) == ("Ada Park", {"seats": "12"})
        assert event.form.consent.text == "You may call me."


async def test_the_join_link(web: Site, people: People, browser: Browser) -> None:
    met = await people.talked("+1 415 555 3005", timedelta(seconds=5))
    page = await browser.new_page()
    await page.goto(links.join_link(met.lead, met.booking.id, met.booking.end))
    await fits(page)
    await picture(page, "join")
    await page.get_by_role("button", name="Join the meeting").click()
    await expect(page.get_by_role("heading", name="You are in")).to_be_visible()
    await picture(page, "room")
    await people.until(met.lead, lambda seen: seen.furthest == "showed")
    later = await people.talked("+1 415 555 3006")
    await page.goto(links.manage_link(later.lead, later.booking.id, later.booking.end))
    await fits(page)
    await picture(page, "manage")


async def test_the_console(web: Site, people: People, browser: Browser) -> None:
    met = await people.talked("+1 415 555 3007", message="How does it count vans?", utm_source="ads")
    page = await browser.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" and "401" not in said.text else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.goto(f"{web.url}/console")
    await picture(page, "login")
    await page.get_by_label("Token").fill(TOKEN)
    await page.get_by_label("Your name").fill("Sam")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("link", name="Ada Park")).to_be_visible()
    await fits(page)
    await picture(page, "leads")
    await page.get_by_role("link", name="Ada Park").click()
    await expect(page.get_by_role("heading", name="Why this meeting")).to_be_visible()
    await fits(page)
    await picture(page, "lead")
    await page.get_by_role("button", name="Take over").click()
    await expect(page.get_by_role("status")).to_contain_text("taken over")
    await page.get_by_text("Cancel the meeting").click()
    await page.get_by_label("Why", exact=True).fill("they asked")
    await page.get_by_role("button", name="Cancel it").click()
    await expect(page.get_by_role("status")).to_contain_text("cancelled")

    await page.get_by_text("Opt out", exact=True).click()
    await page.get_by_label("What they said").fill("stop calling me")
    await picture(page, "opt-out")
    await page.get_by_role("button", name="Never contact again").click()
    await expect(page.get_by_role("status")).to_contain_text("Opted out")
    await page.get_by_text("Opt in again").click()
    await fits(page)
    await picture(page, "opt-in")
    await page.get_by_role("button", name="May be contacted again").click()  # what they said is asked for first
    await page.get_by_label("What they said").fill("do call me, I was cross that day")
    await page.get_by_role("button", name="May be contacted again").click()
    await expect(page.get_by_role("status")).to_contain_text("Opted in")

    # An open page follows the lead by itself.
    await page.goto(f"{web.url}/console/leads/{met.lead}")
    await people.site.http.post(f"/api/leads/{met.lead}/release", json={"by": "ops"}, headers=web.authorized)
    await expect(page.get_by_text("released by ops")).to_be_visible(timeout=30_000)

    for name, heading in (("Funnel", "Funnel"), ("Pause", "Pause"), ("Form", "The form on your site")):
        await page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
        await expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        await fits(page)
        await picture(page, f"console-{name.lower()}")
    await page.goto(f"{web.url}/form")
    await expect(page.get_by_text("Put this form on your site")).to_be_visible()
    assert not faults
