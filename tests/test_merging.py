"""Two leads that a person knows to be one: shown side by side, merged or kept apart on the console's page, by program and
by command, and told in the story with who said so and why."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import httpx
import pytest
from playwright.async_api import Browser, expect

from clients import leads

from .fixtures.web import TOKEN, People, Site
from .test_browser import fits, picture
from .test_console import LEAD, log_in, press, proof_in


async def compare(web: Site, lead: str, other: str) -> httpx.Response:
    return await web.http.get(f"/console/leads/{lead}/merge", params={"other": other})


async def said(web: Site, response: httpx.Response) -> str:
    """What the lead's page says after this."""
    assert response.status_code == 303, response.text
    shown = await web.http.get(response.headers["Location"])
    return html.unescape(re.findall(r'role="status">([^<]+)<', shown.text)[0])


async def decide(web: Site, lead: str, other: str, **fields: str) -> str:
    proof = proof_in(await compare(web, lead, other))
    sent = {"proof": proof, "other": other, **fields}
    return await said(web, await web.http.post(f"/console/leads/{lead}/merge", data=sent))


async def test_two_leads_of_one_person_are_merged_on_the_page(web: Site, people: People, browser: Browser) -> None:
    met = await people.talked("+1 415 555 2101", name="Ada Park", email="ada@work.example")
    other = await people.submit("+1 415 555 2102", name="Ada M. Park", email="ada@home.example")
    await people.until(other, lambda seen: seen.touches)
    page = await browser.new_page()
    await page.goto(f"{web.url}/console/login?token={TOKEN}&then=/console/leads/{met.lead}")
    await page.get_by_text("Merge with another lead").click()
    await picture(page, "lead-merge")
    await page.get_by_label("The other's phone, e-mail or id").fill("ada@home.example")
    await page.get_by_role("button", name="Compare").click()
    await expect(page.get_by_role("heading", name="Are they one person?")).to_be_visible()
    await expect(page.get_by_role("heading", name="Ada M. Park")).to_be_visible()
    await expect(page.get_by_text("they share no number")).to_be_visible()
    await fits(page)
    await picture(page, "merge")
    await page.get_by_role("button", name="Merge: one person").click()  # why is asked for first
    await page.get_by_label("How you know").fill("she wrote from home")
    await page.get_by_role("button", name="Merge: one person").click()
    await expect(page.get_by_role("status")).to_have_text("They are one lead now.")
    seen = await people.view(met.lead)
    assert seen.absorbed == (other,)
    assert seen.booking == met.booking
    await expect(page.get_by_text(f"console says that {other} is the same person")).to_be_visible()
    await expect(page.get_by_text("“she wrote from home”")).to_be_visible()

    # The other's page leads here, whoever still has its address.
    await page.goto(f"{web.url}/console/leads/{other}")
    await expect(page.get_by_role("status")).to_contain_text("went into this lead")
    assert page.url.partition("?")[0].endswith(met.lead)


async def test_a_doubt_is_decided_where_the_lead_is_read(web: Site, people: People) -> None:
    first = await people.submit("+1 415 555 2103", name="Dana Reyes", email="dana@example.com")
    await people.until(first, lambda seen: seen.touches)
    second = await people.submit("+1 415 555 2103", name="Dana R.", email="dana.r@elsewhere.example")
    await people.until(second, lambda seen: seen.doubts)
    await log_in(web)
    page = html.unescape((await web.http.get(f"/console/leads/{second}")).text)
    assert "Nobody calls this one until somebody decides." in page
    assert f"/console/leads/{second}/merge?other={first}" in page
    shown = html.unescape((await compare(web, second, "+1 415 555 2103")).text)
    assert f'name="other" value="{first}"' in shown, "of those on one number the other one is meant"
    assert "By our rule: in doubt" in shown
    listed = await web.http.get("/console", params={"q": "415 555 2103"})
    assert (first in listed.text, second in listed.text) == (True, True)
    assert await decide(web, second, first, way="apart", words="two sisters") == "They are two people; both go on."
    for lead in (first, second):
        assert (await people.view(lead)).doubts == ()
    told = html.unescape((await web.http.get(f"/console/leads/{second}")).text)
    assert f"Sam says that {first} is somebody else" in told


async def test_whose_meeting_stands_is_asked_for(web: Site, people: People) -> None:
    one = await people.talked("+1 415 555 2105", name="Ada Park", email="one@example.com")
    two = await people.talked("+1 415 555 2106", timedelta(days=2), name="Ada Park", email="two@example.com")
    await log_in(web)
    shown = (await compare(web, one.lead, two.lead)).text
    assert shown.count('name="keep"') == 2
    refused = await decide(web, one.lead, two.lead, way="merge", words="same voice")
    assert refused.startswith("Not done: both have a meeting")
    done = await decide(web, one.lead, two.lead, way="merge", words="same voice", keep="theirs")
    assert done == "They are one lead now."
    await people.until(one.lead, lambda seen: seen.booking and seen.booking.id == two.booking.id)


async def test_what_cannot_be_merged_is_said_on_the_leads_page(web: Site, people: People) -> None:
    lead = await people.submit("+1 415 555 2107", email="ada@example.com")
    await people.until(lead, lambda seen: seen.touches)
    await log_in(web)
    for other, why in (("", "name the other lead"), ("415 555 9999", "nobody knows"), ("somebody", "is no lead's id"),
                       (lead, "that is this lead"), ("ada@example.com", "that is this lead")):  # fmt: skip
        assert why in await said(web, await compare(web, lead, other)), other
    pressed = await press(web, lead, "merge", other=lead, way="merge", words="x")
    assert "that is this lead" in pressed
    two = await people.submit("+1 415 555 2108", email="other@example.com")
    await people.until(two, lambda seen: seen.touches)
    for fields in ({"way": ""}, {"way": "merge", "keep": "both"}):  # a merge cannot be taken back: never by default
        assert "press one of the buttons" in await press(web, lead, "merge", other=two, words="x", **fields)
    assert "say how you know" in await press(web, lead, "merge", other=two, way="merge", words=" ")
    assert not (await people.view(lead)).absorbed
    by_program = await web.http.post(f"/api/leads/{lead}/merge", json={"other": LEAD}, headers=web.authorized)
    assert by_program.status_code == 404
    slip = await web.http.post(f"/api/leads/{lead}/merge", json={"other": lead, "keep": "both"}, headers=web.authorized)
    assert slip.status_code == 422


async def test_a_program_merges_and_keeps_apart(web: Site, people: People) -> None:
    one, two, three = [await people.submit(f"+1 415 555 211{n}", email=f"p{n}@example.com") for n in range(3)]
    for lead in (one, two, three):
        await people.until(lead, lambda seen: seen.on_call == "placed")
        await people.ended(lead)
    apart = {"other": "p2@example.com", "by": "ops", "words": "a namesake"}
    done = await web.http.post(f"/api/leads/{one}/apart", json=apart, headers=web.authorized)
    assert done.json()["allowed"]
    asked = {"other": "415 555 2111", "by": "ops", "words": "told us", "id": "merge-1"}
    answers = [await web.http.post(f"/api/leads/{one}/merge", json=asked, headers=web.authorized) for _ in range(2)]
    assert answers[0].json()["allowed"]
    assert (await people.view(one)).absorbed == (two,)
    assert (await people.view(three)).merged_into == ""


async def test_a_merge_waits_for_the_others_call_and_says_so(
    web: Site, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await people.submit("+1 415 555 2115", email="calm@example.com")
    two = await people.submit("+1 415 555 2116", email="talking@example.com")
    ringing = await people.until(two, lambda seen: seen.on_call == "placed")
    await people.connect(two, ringing.touches[0].sid)
    await log_in(web)
    monkeypatch.setattr(leads, "CHANGE_WITHIN", 1.0)
    assert "in a call; it goes into this one when that is over" in await decide(web, one, two, way="merge", words="told us")
    monkeypatch.undo()
    await people.ended(two)
    await people.until(one, lambda seen: seen.absorbed == (two,))
