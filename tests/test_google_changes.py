"""What changed in a Google calendar, read by sync token and told by push, against the stand-in."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.exceptions import ApplicationError

from activities.vendors import google, google_changes
from tests.fixtures.books import Books
from tests.test_google import ANA, START, draft
from workers.sandbox.google_push import BadChannel, Pushes

SPEC = Path(__file__).parents[1] / "../shared/specs/google/calendar.v3.json"
NOW = START - timedelta(days=1)
HOUR = timedelta(hours=1)


def by_hand(books: Books, method: str, path: str = "", calendar: str = ANA, **body: Any) -> dict[str, Any]:
    """What a person does on the calendar's own page."""
    address = f"{books.url}/google/calendar/v3/calendars/{calendar}/events{path}"
    answer = httpx.request(method, address, json=body or None)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json() if answer.content else {}
    return found


def times(start: datetime, length: timedelta = HOUR / 2, **more: str) -> dict[str, Any]:
    return {name: {"dateTime": at.isoformat(), **more} for name, at in (("start", start), ("end", start + length))}


async def test_a_first_reading_takes_all_that_is_not_over_and_later_ones_what_changed(books: Books) -> None:
    by_hand(books, "POST", **times(NOW - 2 * HOUR))
    event = await google.insert_event(ANA, draft())
    first = await google_changes.changes(ANA, "", NOW)
    assert (first.whole, [each.booking for each in first.events]) == (True, ["b1"])
    again = await google_changes.changes(ANA, first.token, NOW)
    assert (again.whole, again.events) == (False, ())
    by_hand(books, "PATCH", f"/{event.id}", **times(START + HOUR))
    foreign = by_hand(books, "POST", summary="Dentist, root canal", **times(START))
    moved = await google_changes.changes(ANA, again.token, NOW)
    assert {(each.booking, each.start) for each in moved.events} == {("b1", START + HOUR), ("", START)}
    by_hand(books, "DELETE", f"/{event.id}")
    by_hand(books, "DELETE", f"/{foreign['id']}")
    gone = await google_changes.changes(ANA, moved.token, NOW)
    assert [each.cancelled for each in gone.events] == [True, True]
    asked = [entry.query for entry in books.requests("google", "GET", "/events$")]
    assert all("summary" not in query and "fields=" in query for query in asked), "what it is, is not asked for"


async def test_pages_are_read_to_the_end_and_what_comes_meanwhile_is_left_for_the_next_time(books: Books) -> None:
    for number in range(5):
        by_hand(books, "POST", **times(START + number * HOUR))
    for page, requests in ((5, 1), (4, 2), (2, 3), (1, 5)):
        books.seed("google", page=page)
        before = len(books.requests("google", "GET"))
        found = await google_changes.changes(ANA, "", NOW)
        assert len(found.events) == 5
        assert len(books.requests("google", "GET")) - before == requests
    path = f"/google/calendar/v3/calendars/{ANA}/events"
    books.seed("google", page=3)
    first = books.get(path).json()
    by_hand(books, "POST", **times(NOW))  # sorts into the page that was read already
    last = books.get(f"{path}?pageToken={first['nextPageToken']}").json()
    assert len((await google_changes.changes(ANA, last["nextSyncToken"], NOW)).events) == 1


async def test_a_token_that_is_too_old_is_answered_by_reading_all(books: Books) -> None:
    await google.insert_event(ANA, draft())
    token = (await google_changes.changes(ANA, "", NOW)).token
    books.seed("google", forget=[ANA])
    found = await google_changes.changes(ANA, token, NOW)
    assert (found.whole, len(found.events)) == (True, 1)
    assert found.token != token
    assert not (await google_changes.changes(ANA, found.token, NOW)).whole


async def test_who_keeps_whom_busy(books: Books) -> None:
    people = [{"email": ANA, "self": True, "responseStatus": "declined"}]
    by_hand(books, "POST", attendees=people, **times(START))
    by_hand(books, "POST", transparency="transparent", **times(START))
    by_hand(books, "POST", eventType="workingLocation", **times(START))
    by_hand(books, "POST", start={"date": "2027-03-12"}, end={"date": "2027-03-13"})
    books.seed("google", calendars=[{"id": ANA, "timeZone": "America/New_York"}])
    found = await google_changes.between(ANA, START, START + HOUR)
    assert [each.busy for each in found] == [True, False, False, False]
    assert (found[0].start, found[0].end) == (
        datetime(2027, 3, 12, 5, tzinfo=UTC), datetime(2027, 3, 13, 5, tzinfo=UTC),
    )  # fmt: skip
    booked = await google.insert_event(ANA, draft("b9"))
    by_hand(books, "PATCH", f"/{booked.id}", attendees=[{"email": "lee@example.com", "responseStatus": "declined"}])
    seen = await google.get_event(ANA, booked.id)
    assert seen is not None
    assert (seen.guest, seen.refused, seen.busy, seen.organizer) == ("declined", False, True, ANA)


async def test_a_repeated_event_counts_by_its_turns(books: Books) -> None:
    weekly = times(START - timedelta(days=14), timeZone="America/New_York")
    by_hand(books, "POST", recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"], **weekly)
    # The second turn is over, the third falls on the day before the clocks change, the fourth after it.
    found = await google_changes.between(ANA, START - HOUR, START + timedelta(days=8))
    assert [each.start for each in found] == [START, START + timedelta(days=7) - HOUR]


async def test_a_channel_is_opened_and_stopped_and_the_pushes_carry_its_token(books: Books) -> None:
    address = "http://127.0.0.1:9/google/push"
    books.fault("google", "lost", direction="out", times=9)
    channel = await google_changes.watch(ANA, "c1", "secret", address, HOUR)
    assert abs(channel.expires - datetime.now(UTC) - HOUR) < timedelta(seconds=30)
    event = await google.insert_event(ANA, draft())
    async with asyncio.timeout(60):
        while len(pushes := books.world.log.find("google", "out", "POST")) < 2:
            await asyncio.sleep(0.02)
    assert [push.headers["X-Goog-Resource-State"] for push in pushes] == ["sync", "exists"]
    assert pushes[0].headers["X-Goog-Message-Number"] == "1"
    assert {push.headers["X-Goog-Channel-Token"] for push in pushes} == {"secret"}
    await google_changes.stop(channel.id, channel.resource)
    await google_changes.stop(channel.id, channel.resource)  # over already
    await google.delete_event(ANA, event.id)
    assert len(books.world.log.find("google", "out", "POST")) == 2


async def test_google_accepts_no_address_without_https(books: Books) -> None:
    with pytest.raises(ApplicationError) as raised:
        await google_changes.watch(ANA, "c1", "secret", "http://showrate.example/google/push", HOUR)
    assert raised.value.type == "permanent"
    assert "webhookUrlNotHttps" in raised.value.message


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_reading_that_fails_may_be_repeated(books: Books, when: str) -> None:
    await google.insert_event(ANA, draft())
    books.fault("google", "500", when, method="GET")
    with pytest.raises(ApplicationError) as raised:
        await google_changes.changes(ANA, "", NOW)
    assert raised.value.type == "retry"
    assert len((await google_changes.changes(ANA, "", NOW)).events) == 1


@pytest.mark.parametrize("answer", ['{"items": []}', '{"items": {}, "nextSyncToken": "x"}', '{"items": [{}]}', "[]"])
async def test_an_answer_that_makes_no_sense_is_refused_whole(books: Books, answer: str) -> None:
    books.fault("google", "200", answer=answer, method="GET")
    with pytest.raises(ApplicationError) as raised:
        await google_changes.changes(ANA, "", NOW)
    assert raised.value.type in ("permanent", "retry")


@pytest.mark.parametrize("body", [{"id": "c", "type": "web_hook", "address": "http://far.example/"}, {"type": "web_hook"}])
def test_the_stand_in_opens_no_channel_that_google_would_not(body: dict[str, str], books: Books) -> None:
    with pytest.raises(BadChannel):
        Pushes(books.world).open(ANA, body)


@pytest.mark.skipif(not SPEC.exists(), reason="the vendor's own document is not here")
async def test_what_we_send_is_in_googles_document(books: Books) -> None:
    document = json.loads(SPEC.read_text())
    events, channels = (document["resources"][name]["methods"] for name in ("events", "channels"))
    books.fault("google", "lost", direction="out", times=9)
    token = (await google_changes.changes(ANA, "", NOW)).token
    await google_changes.changes(ANA, token, NOW)
    await google_changes.between(ANA, NOW, NOW + HOUR)
    channel = await google_changes.watch(ANA, "c1", "t", "http://127.0.0.1:9/", HOUR)
    await google_changes.stop(channel.id, channel.resource)
    common = document["parameters"].keys()
    for entry in books.requests("google", "GET"):
        assert {pair.split("=")[0] for pair in entry.query.split("&")} <= events["list"]["parameters"].keys() | common
    properties = document["schemas"]["Channel"]["properties"].keys()
    [watched], [stopped] = books.requests("google", "POST", "/watch$"), books.requests("google", "POST", "/stop$")
    assert watched.path.endswith(events["watch"]["path"].partition("{calendarId}")[2])
    assert stopped.path.endswith(channels["stop"]["path"])
    assert json.loads(watched.body).keys() <= properties
    assert json.loads(stopped.body).keys() <= properties
    fields = google_changes._FIELDS
    known = document["schemas"]["Event"]["properties"].keys()
    inner = fields[fields.index("(") + 1 : fields.rindex(")")].replace("attendees(self,organizer,resource,responseStatus)", "attendees")
    assert {each.split("/")[0] for each in inner.split(",")} <= known
    assert {"self", "organizer", "resource", "responseStatus"} <= document["schemas"]["EventAttendee"]["properties"].keys()
