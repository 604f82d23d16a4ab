"""The lead's own pages: a GET proves nothing, a click does, and each link says clearly when it cannot be used."""

from __future__ import annotations

import html
import re
import secrets
from datetime import UTC, datetime, timedelta

import pytest

from activities import gate, links
from clients.phrases import utc
from workflows import effects as fx

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
    for address in (
        good[:-9] + ("A" if good[-9] != "A" else "B") + good[-8:],
        "/j/nonsense",
        good.replace("/j/", "/m/"),
        "/room/nonsense",
    ):
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


def choices(page: str) -> list[str]:
    """The slots that the page lets them tap."""
    return [html.unescape(slot) for slot in re.findall(r'name="slot" value="([^"]+)"', page)]


async def test_a_meeting_is_moved_in_two_taps_and_no_more_often_than_allowed(web: Site, people: People) -> None:
    met = await people.talked("+1 415 555 1006")
    people.stage.answers.pop("find_slots")
    address = path(links.manage_link(met.lead, met.booking.id, met.booking.end + HOUR))
    times = await web.http.post(address, data={"wish": "times"})
    _, second, *_ = choices(times.text)
    assert people.stage.of("find_slots")[-1].count == 6
    moved = await web.http.post(address, data={"wish": "book", "slot": second})
    assert "Your new time is booked." in moved.text
    seen = await people.view(met.lead)
    assert seen.booking is not None
    assert (seen.booking.start, seen.booking.rep) == (datetime.fromisoformat(second.partition("@")[2]), met.booking.rep)
    repeated = await web.http.post(address, data={"wish": "book", "slot": second})  # the old link, the same tap
    assert "Your meeting was moved" in repeated.text
    assert len(people.stage.of("book_meeting")) == 2

    for nth in (0, 2):
        address = path(links.manage_link(met.lead, seen.booking.id, seen.booking.end + HOUR))
        slot = choices((await web.http.post(address, data={"wish": "times"})).text)[nth]
        await web.http.post(address, data={"wish": "book", "slot": slot})
        seen = await people.view(met.lead)
        assert seen.booking is not None
    address = path(links.manage_link(met.lead, seen.booking.id, seen.booking.end + HOUR))
    often = await web.http.post(address, data={"wish": "times"})
    assert (often.status_code, "moved several times" in often.text) == (409, True)


async def test_before_there_is_a_meeting_the_link_books_one_and_stops_the_call(web: Site, people: People) -> None:
    lead = await people.submit("+1 415 555 1007")
    await people.until(lead, lambda seen: seen.touches and seen.touches[0].sid)
    address = path(links.manage_link(lead, "", datetime.now(UTC) + HOUR))
    assert "See free times" in (await web.http.get(address)).text
    assert not people.stage.of("find_slots")  # what fetches a link sets nothing going
    assert not people.stage.of("end_call")
    slot = choices((await web.http.post(address, data={"wish": "times"})).text)[0]
    await people.until(lead, lambda seen: people.stage.of("end_call"))  # it rang while they were choosing
    booked = await web.http.post(address, data={"wish": "book", "slot": slot})
    assert "You are booked." in booked.text
    assert (await people.view(lead)).stage == "booked"
    assert (
        "I&#39;ll be there" in (await web.http.get(address)).text
        or "I'll be there" in (await web.http.get(address)).text
    )


async def test_what_was_never_offered_or_has_gone_is_answered_with_what_is_free(web: Site, people: People) -> None:
    lead = await people.submit("+1 415 555 1008")
    await people.until(lead, lambda seen: seen.touches)
    address = path(links.manage_link(lead, "", datetime.now(UTC) + HOUR))
    later = datetime.now(UTC) + timedelta(days=3)
    for forged in (f"ana@={later.isoformat()}", f"ana@{later.isoformat()}", "nobody", "", "x" * 5000):
        answer = await web.http.post(address, data={"wish": "book", "slot": forged})
        assert answer.status_code == 409
        assert choices(answer.text)
    assert not people.stage.of("book_meeting")
    people.stage.answers["book_meeting"] = lambda _: fx.Booked(refused="the time was taken")
    gone = await web.http.post(address, data={"wish": "book", "slot": choices(answer.text)[0]})
    assert "That time has just gone" in gone.text
    assert (await people.view(lead)).booking is None
    bad = await web.http.post(address, data={"wish": "times", "day": "tomorrow"})
    assert bad.status_code == 400
    people.stage.answers["find_slots"] = lambda _: fx.SlotsAnswer(why="no time")
    none = await web.http.post(address, data={"wish": "times", "day": f"{later:%Y-%m-%d}"})
    assert "Nothing is free on that day" in none.text
    asked = people.stage.of("find_slots")[-1]
    assert asked.not_after - asked.not_before == timedelta(days=1)


@pytest.mark.parametrize("by", ["button", "mail program"])
async def test_one_post_stops_all_contact_and_looking_does_not(web: Site, people: People, by: str) -> None:
    phone = "+1 415 555 1010" if by == "button" else "+1 415 555 1011"
    lead = await people.submit(phone, email=f"{by[0]}@example.com")
    address = path(links.stop_link(lead, datetime.now(UTC) + HOUR))
    assert "Stop all contact" in (await web.http.get(address)).text
    assert not (await people.view(lead)).opted_out
    sent = {"wish": "stop"} if by == "button" else {"List-Unsubscribe": "One-Click"}
    done = await web.http.post(address, data=sent)
    assert (done.status_code, "Done." in done.text) == (200, True)
    assert (await people.view(lead)).opted_out
    person = (await people.view(lead)).person
    assert person is not None
    for handle in (person.phone_hash, person.email_hash):
        assert await gate.opted_out(web.temporal, handle), "every address of theirs"
    assert "Done." in (await web.http.get(address)).text
    manage = path(links.manage_link(lead, "", datetime.now(UTC) + HOUR))
    assert (await web.http.post(manage.replace("/m/", "/s/"))).status_code == 404, "one link is not another"


async def test_contact_is_stopped_while_the_lead_cannot_answer(web: Site, people: People) -> None:
    """A lead that is not there any more, and one that never was: the opt-out stands by the link alone."""
    lead = f"lead-{secrets.token_hex(16)}"
    done = await web.http.post(path(links.stop_link(lead, datetime.now(UTC) + HOUR)))
    assert done.status_code == 200
    assert await gate.opted_out(web.temporal, lead.removeprefix("lead-"))
