"""The lead's own pages: a GET proves nothing, a click does, and each link says clearly when it cannot be used."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from activities import links
from clients.phrases import utc

from .fixtures.web import People, Site

HOUR = timedelta(hours=1)


def path(address: str) -> str:
    """A link's path on the site under test."""
    return re.sub(r"^https?://[^/]+", "", address)


async def test_only_a_click_is_attendance(web: Site, people: People) -> None:
    met = await people.talked("+1 415 555 1001", timedelta(seconds=5))
    address = path(links.join_link(met.lead, met.booking.id, met.booking.end + HOUR))
    for _ in range(3):
        shown = await web.http.get(address)
    assert shown.status_code == 200
    assert f'<time datetime="{utc(met.booking.start)}">' in shown.text
    assert "Ana Torres" in shown.text
    assert "Join the meeting" in shown.text
    assert "Ada" not in shown.text
    assert (await web.http.head(address)).status_code == 200
    assert (await people.view(met.lead)).stage == "booked"

    clicked = await web.http.post(address)
    assert clicked.status_code == 303
    assert "You are in" in (await web.http.get(clicked.headers["Location"])).text
    await people.until(met.lead, lambda seen: seen.furthest == "showed")


async def test_too_early_a_click_does_not_count(web: Site, people: People) -> None:
    met = await people.talked("+1 415 555 1002")
    address = path(links.join_link(met.lead, met.booking.id, met.booking.end + HOUR))
    early = await web.http.post(address)
    assert early.status_code == 409
    assert "The room opens" in early.text
    assert (await people.view(met.lead)).stage == "booked"


async def test_links_that_are_forged_or_expired(web: Site) -> None:
    good = path(links.join_link("lead-" + "a" * 32, "b1", datetime.now(UTC) + HOUR))
    for address in (good[:-2] + "AA", "/j/nonsense", good.replace("/j/", "/m/"), "/room/nonsense"):
        refused = await web.http.get(address)
        assert refused.status_code == 404
        assert "not complete" in refused.text
    old = path(links.join_link("lead-" + "a" * 32, "b1", datetime.now(UTC) - timedelta(seconds=5)))
    for response in (await web.http.get(old), await web.http.post(old)):
        assert response.status_code == 410
        assert "expired" in response.text


async def test_the_meeting_is_confirmed_and_called_off_after_asking_once_more(web: Site, people: People) -> None:
    met = await people.talked("+1 415 555 1003")
    address = path(links.manage_link(met.lead, met.booking.id, met.booking.end))
    assert "I'll be there" in (await web.http.get(address)).text
    assert (await people.view(met.lead)).stage == "booked"
    confirmed = await web.http.post(address, data={"wish": "confirm"})
    assert "Confirmed." in confirmed.text
    assert (await people.view(met.lead)).stage == "confirmed"

    asked = await web.http.post(address, data={"wish": "cancel"})
    assert "Yes, call it off" in asked.text
    assert (await people.view(met.lead)).booking is not None
    done = await web.http.post(address, data={"wish": "cancel-surely", "words": "on holiday"})
    assert "called off" in done.text
    assert (await people.view(met.lead)).booking is None
    gone = await web.http.get(address)
    assert gone.status_code == 410
    assert "not on any more" in gone.text
    assert (await web.http.get(path(links.join_link(met.lead, met.booking.id, met.booking.end)))).status_code == 410


async def test_a_link_to_a_moved_meeting_leads_to_the_new_time(web: Site, people: People) -> None:
    met = await people.talked("+1 415 555 1004")
    moved_to = met.booking.start + timedelta(hours=3)
    response = await web.http.post(
        f"/api/leads/{met.lead}/reschedule", json={"start": moved_to.isoformat(), "by": "ops"}, headers=web.authorized
    )
    assert response.json()["allowed"], response.text
    shown = await web.http.get(path(links.join_link(met.lead, met.booking.id, met.booking.end + HOUR)))
    assert "Your meeting was moved" in shown.text
    assert f'<time datetime="{utc(moved_to)}">' in shown.text
    (fresh,) = re.findall(r'href="(http[^"]+/j/[^"]+)"', shown.text)
    assert "Join the meeting" in (await web.http.get(path(fresh))).text


async def test_nobody_is_kept_out_while_the_lead_cannot_answer(web: Site) -> None:
    lead = (await web.http.post("/leads", json={"phone": "+1 415 555 1005"})).json()["lead"]
    address = path(links.join_link(lead, "b1", datetime.now(UTC) + HOUR))
    web.app.state.temporal, connected = None, web.app.state.temporal
    assert "Join the meeting" in (await web.http.get(address)).text
    assert (await web.http.post(address)).status_code == 303
    web.app.state.temporal = connected
