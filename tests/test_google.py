"""Google Calendar through its own SDK, against the stand-in: once on the calendar, whatever fails."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from temporalio.exceptions import ApplicationError

from activities.settings import settings
from activities.vendors import google, google_wire
from tests.fixtures.books import Books
from tests.fixtures.temporal import Patience

SPEC = Path(__file__).parents[1] / "../shared/specs/google/calendar.v3.json"
ANA = "ana@tallyhook.example"
START = datetime(2027, 3, 12, 15, 0, tzinfo=UTC)


def draft(booking: str = "b1", **more: Any) -> google.Draft:
    values = {
        "booking": booking,
        "title": "Tallyhook demo",
        "notes": "Why this rep: it was her turn.",
        "start": START,
        "end": START + timedelta(minutes=30),
        "zone": "America/New_York",
        "attendee": "lee@example.com",
        "attendee_name": "Lee Park",
        "link": "https://showrate.example/j/abc",
    }
    return google.Draft(**{**values, **more})


def standing(books: Books, calendar: str = ANA) -> list[dict[str, Any]]:
    calendars = {one["id"]: one["events"] for one in books.state("google")["calendars"]}
    return [event for event in calendars.get(calendar, []) if event["status"] != "cancelled"]


async def kind_of(work: Any) -> str:
    with pytest.raises(ApplicationError) as raised:
        await work
    assert "example.com" not in str(raised.value)
    return str(raised.value.type)


async def test_an_event_is_written_read_moved_and_deleted(books: Books) -> None:
    event = await google.insert_event(ANA, draft())
    assert event.booking == "b1"
    assert event.start == START
    [seen] = standing(books)
    assert seen["location"] == "https://showrate.example/j/abc"
    assert seen["attendees"][0]["email"] == "lee@example.com"
    assert [e.id for e in await google.find_events(ANA, "b1")] == [event.id]
    later = {"dateTime": (START + timedelta(hours=1)).isoformat()}
    moved = await google.patch_event(ANA, event.id, {"end": later}, etag=event.etag)
    assert moved.etag != event.etag
    assert await kind_of(google.patch_event(ANA, event.id, {"summary": "x"}, etag=event.etag)) == "permanent"
    assert await google.delete_event(ANA, event.id)
    assert not await google.delete_event(ANA, event.id)
    assert not await google.delete_event(ANA, google.event_id("nobody"))
    assert await google.find_events(ANA, "b1") == []
    gone = await google.get_event(ANA, event.id)
    assert gone is not None
    assert gone.cancelled
    assert await google.get_event(ANA, google.event_id("nobody")) is None


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("fault", "kind"), [("500", "retry"), ("drop", "retry"), ("429", "retry_after")])
async def test_a_repeated_insert_leaves_one_event(books: Books, when: str, fault: str, kind: str) -> None:
    books.fault("google", fault, when, method="POST", path="/events$", retry_after=3 if fault == "429" else None)
    with pytest.raises(ApplicationError) as raised:
        await google.insert_event(ANA, draft())
    assert raised.value.type == kind
    if kind == "retry_after":
        assert raised.value.next_retry_delay == timedelta(seconds=3)
    assert len(books.requests("google")) == 1, "the SDK's own resend must be off"
    event = await google.insert_event(ANA, draft())
    assert [e["id"] for e in standing(books)] == [event.id]
    # After the commit, the repeat collides with itself and reads back: insert, insert, get.
    assert len(books.requests("google")) == (3 if when == "after" else 2)


async def test_a_slow_answer_is_a_retry_and_does_not_double(books: Books, patience: Patience) -> None:
    books.fault("google", "slow", "after", delay=0.6)
    with patience(0.2):
        assert await kind_of(google.insert_event(ANA, draft())) == "retry"
    await google.insert_event(ANA, draft())
    assert len(standing(books)) == 1


async def test_a_booking_undone_and_made_again_gets_a_new_generation(books: Books) -> None:
    first = await google.insert_event(ANA, draft())
    await google.delete_event(ANA, first.id)
    second = await google.insert_event(ANA, draft())
    assert second.id == google.event_id("b1", 1) != first.id
    assert (await google.insert_event(ANA, draft())).id == second.id
    assert len(standing(books)) == 1


async def test_an_id_that_is_somebody_elses_is_refused(books: Books) -> None:
    service = google_wire.service()
    times = {key: {"dateTime": START.isoformat()} for key in ("start", "end")}
    service.events().insert(calendarId=ANA, body={"id": google.event_id("b1"), **times}).execute()
    assert await kind_of(google.insert_event(ANA, draft())) == "permanent"


async def test_free_busy_is_by_calendar_and_pages_long_ranges(books: Books) -> None:
    await google.insert_event(ANA, draft())
    books.seed("google", unreadable=["gone@tallyhook.example"])
    found = await google.free_busy(
        [ANA, "gone@tallyhook.example"], START - timedelta(days=1), START + timedelta(days=99)
    )
    assert found[ANA].spans == ((START, START + timedelta(minutes=30)),)
    assert found["gone@tallyhook.example"].error == "notFound"
    assert len(books.requests("google", path="freeBusy")) == 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [("401", "permanent"), ("403", "retry"), ("404", "permanent"), ("412", "permanent"), ("503", "retry")],
)
async def test_what_an_answer_means(books: Books, status: str, kind: str) -> None:
    """The stand-in's 403 is Google's rateLimitExceeded, the one 403 that goes again."""
    books.fault("google", status)
    assert await kind_of(google.free_busy([ANA], START, START + timedelta(hours=1))) == kind


async def test_google_makes_a_conference_when_asked(books: Books) -> None:
    event = await google.insert_event(ANA, draft(conference=True))
    assert event.meet.startswith("https://meet.google.com/")


async def test_a_service_account_signs_in_and_refreshes_after_a_401(
    books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    account = {
        "type": "service_account",
        "client_email": "showrate@project.example",
        "private_key": pem.decode(),
        "token_uri": f"{books.url}/google/token",
    }
    (tmp_path / "key.json").write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_CREDENTIALS", str(tmp_path / "key.json"))
    settings.cache_clear()
    await google.insert_event(ANA, draft())
    books.fault("google", "401", path="/events$")
    await google.insert_event(ANA, draft("b2"))
    assert len(books.requests("google", path="/token")) == 2
    assert all("authorization" in entry.headers for entry in books.requests("google", path="/events"))
    assert len(standing(books)) == 2


@pytest.mark.skipif(not SPEC.exists(), reason="the vendor's own document is not here")
async def test_requests_and_answers_are_in_googles_document(books: Books) -> None:
    document = json.loads(SPEC.read_text())
    schemas, methods = document["schemas"], document["resources"]["events"]["methods"]
    event = await google.insert_event(ANA, draft(conference=True))
    await google.find_events(ANA, "b1")
    await google.free_busy([ANA], START, START + timedelta(hours=1))
    await google.delete_event(ANA, event.id)
    for entry in books.requests("google"):
        operation = {"POST": "insert", "GET": "list", "DELETE": "delete"}[entry.method]
        if "freeBusy" in entry.path:
            assert json.loads(entry.body).keys() <= schemas["FreeBusyRequest"]["properties"].keys()
            continue
        names = {pair.split("=")[0] for pair in entry.query.split("&") if pair}
        assert names <= methods[operation]["parameters"].keys() | document["parameters"].keys()
        if entry.body:
            assert json.loads(entry.body).keys() <= schemas["Event"]["properties"].keys()
    [calendar] = books.state("google")["calendars"]
    for seen in calendar["events"]:
        assert seen.keys() <= schemas["Event"]["properties"].keys()
    raw = books.get(f"/google/calendar/v3/calendars/{ANA}/events").json()
    assert raw.keys() <= schemas["Events"]["properties"].keys()


async def test_sync_tokens_name_what_changed(books: Books) -> None:
    path = f"/google/calendar/v3/calendars/{ANA}/events"
    token = books.get(path).json()["nextSyncToken"]
    event = await google.insert_event(ANA, draft())
    changed = books.get(f"{path}?syncToken={token}").json()
    assert [item["id"] for item in changed["items"]] == [event.id]
    await google.delete_event(ANA, event.id)
    changed = books.get(f"{path}?syncToken={changed['nextSyncToken']}").json()
    assert [item["status"] for item in changed["items"]] == ["cancelled"]
    assert books.get(f"{path}?syncToken=sync-0-999").status_code == 410
    assert books.get(f"{path}?syncToken={token}&q=x").status_code == 400
