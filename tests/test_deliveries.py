"""Outgoing webhooks: every event at least once, those of a lead in order, whatever the receiver does."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy import insert
from sqlalchemy.exc import OperationalError

from activities import catalogue, deliveries, health, outbox, store, stream, tables, troubles
from activities.deliveries import AGAIN, REST, STREAK, Courier
from activities.endpoints import Endpoint, new_secret
from activities.settings import settings
from activities.vendors import webhook
from activities.vendors.webhook import Forbidden, Sender
from clients import printing
from tests.fixtures.receiver import NEWER, SECRET, Receiver
from tests.fixtures.record import NOW, reflection
from tests.test_command import showrate
from workflows.effects import Entry, Transition
from workflows.events import Form

ADA = Form(submission_id="s1", name="Ada Park", phone="+14155550123", email="ada@example.com", company="Acme")
ONE = "lead-" + "1" * 32


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    health._tallies.clear()
    yield
    health._tallies.clear()


def happens(lead: str, version: int, *kinds: str, to: str = "", before: str = "new", **data: str) -> None:
    """The lead's story goes on."""
    entries = tuple(
        Entry(at=NOW + timedelta(seconds=version), kind=kind, version=version, text=f"Ada did {kind}", data=data)
        for kind in kinds
    )
    moved = (Transition(at=NOW, version=version, before=before, after=to),) if to else ()
    store.write(reflection(lead, version, entries=entries, transitions=moved, form=ADA))


def courier(name: str = "crm", holder: str = "me", **over: Any) -> Courier:
    known = settings().showrate_webhooks[name]
    return Courier(name, known.model_copy(update=over), holder)


@pytest.fixture
async def crm(receiver: Receiver) -> Any:
    made = courier()
    await made.turn(NOW)  # from here on
    yield made
    await made.close()


async def test_every_transition_is_sent_signed_and_in_order(receiver: Receiver, crm: Courier) -> None:
    happens("lead-1", 1, "form", source="website")
    happens("lead-1", 2, "call_placed", to="attempting", attempt="a1", sid="CA1")
    happens("lead-2", 1, "form")
    booked = {"booking": "b1", "rep": "ana", "start": NOW.isoformat(), "end": NOW.isoformat(), "by": "Ada herself"}
    happens("lead-1", 3, "booked", to="booked", before="attempting", **booked)
    assert await crm.turn(NOW)
    mine = [event for event in receiver.came if event["data"]["lead"] == "lead-1"]
    assert [event["type"] for event in mine] == [
        "form.submitted", "lead.stage_changed", "call.placed", "lead.stage_changed", "meeting.booked",
    ]  # fmt: skip
    assert receiver.numbers("lead-1") == [1, 2, 3, 4, 5]
    assert [event["data"]["stage"] for event in mine] == ["new", "attempting", "attempting", "booked", "booked"]
    changed, meeting = mine[3], mine[4]
    assert (changed["data"]["from"], changed["data"]["to"]) == ("attempting", "booked")
    assert meeting["data"] == {
        "lead": "lead-1", "seq": meeting["data"]["seq"], "number": 5, "stage": "booked", "erased": False, "booking": "b1",
        "rep": "ana", "start": "2026-11-23T15:00:00Z", "end": "2026-11-23T15:00:00Z",
    }  # fmt: skip
    said = json.dumps(receiver.came)
    assert not [word for word in ("Ada", "Park", "example.com", "4155550123", "Acme", "CA1") if word in said]
    assert not await crm.turn(NOW)
    assert len(receiver.came) == 6


async def test_who_asks_for_it_is_told_who_it_is_until_they_are_erased(receiver: Receiver, crm: Courier) -> None:
    happens("lead-1", 1, "form", source="website")
    full = courier(detail="full")
    await full.turn(NOW)
    assert receiver.came[0]["data"]["person"] == {
        "name": "Ada Park", "phone": "+14155550123", "email": "ada@example.com", "company": "Acme",
    }  # fmt: skip
    assert receiver.came[0]["data"]["text"] == "Ada did form"
    happens("lead-1", 2, "booked", to="booked", booking="b1")
    store.erase("lead-1")
    await full.turn(NOW)
    changed, booked = receiver.came[1:]
    assert changed["data"] == {
        "lead": "lead-1", "seq": 2, "number": 2, "stage": "booked", "erased": True, "to": "booked",
    }  # fmt: skip
    assert booked["data"].keys() == {"lead", "seq", "number", "stage", "erased"}
    await full.close()


async def test_only_the_types_that_are_wanted_are_sent(receiver: Receiver, crm: Courier) -> None:
    happens("lead-1", 1, "form", "booked", "slots", to="booked")
    some = courier(events=("meeting.*", "lead.stage_changed"))
    await some.turn(NOW)
    assert [event["type"] for event in receiver.came] == ["lead.stage_changed", "meeting.booked"]
    assert outbox.parked() == []
    await some.close()


async def test_both_secrets_sign_while_one_replaces_the_other(receiver: Receiver, crm: Courier) -> None:
    for version, secret in enumerate((SECRET, NEWER), 1):
        receiver.secret = secret
        happens("lead-1", version, "form")
        both = courier(secrets=(NEWER, SECRET))
        await both.turn(NOW)
        await both.close()
    assert len(receiver.came) == 2
    happens("lead-1", 3, "form")
    await crm.turn(NOW)  # only the old one signs, and the receiver wants the new one
    assert len(receiver.came) == 2
    assert outbox.parked()[0].why == "answered 401"


async def test_an_event_that_is_not_taken_holds_up_its_own_lead_alone(receiver: Receiver, crm: Courier) -> None:
    receiver.answers = lambda event: 500 if event["data"]["lead"] == "lead-1" and len(receiver.came) < 4 else 200
    happens("lead-1", 1, "form")
    happens("lead-2", 1, "form")
    happens("lead-1", 2, "message")
    await crm.turn(NOW)
    assert (receiver.numbers("lead-1"), receiver.numbers("lead-2")) == ([1], [1])
    happens("lead-1", 3, "message")
    happens("lead-2", 2, "message")
    await crm.turn(NOW)
    assert (receiver.numbers("lead-1"), receiver.numbers("lead-2")) == ([1], [1, 2])
    assert [each.tries for each in outbox.parked("crm")] == [1, 0, 0]
    await crm.turn(NOW + AGAIN[0] * 1.2)
    assert receiver.numbers("lead-1") == [1, 1, 2, 3]
    assert outbox.parked("crm") == []
    first, again = (event for event in receiver.came if event["data"]["lead"] == "lead-1" and event["data"]["number"] == 1)
    assert first == again, "the same event is the same, whenever it is sent"


async def test_it_is_tried_over_hours_and_then_given_up(receiver: Receiver, crm: Courier) -> None:
    receiver.answers = lambda event: 400 if event["data"]["number"] == 1 and event["data"]["lead"] == "lead-1" else 200
    happens("lead-1", 1, "form", "message")
    now, tries = NOW, 0
    await crm.turn(now)
    while (waiting := outbox.parked("crm")) and waiting[0].again_at is not None:
        tries += 1
        now = waiting[0].again_at
        happens(f"lead-{tries + 1}", 1, "form")  # others go on meanwhile, and keep the endpoint well
        await crm.turn(now)
        await crm.turn(now)
    assert tries == len(AGAIN)
    assert timedelta(hours=24) < now - NOW < timedelta(hours=48)
    assert receiver.numbers("lead-1") == [1] * (tries + 1) + [2]
    [given_up] = outbox.parked("crm")
    assert (given_up.seq, given_up.again_at) == (1, None)


async def test_a_receiver_that_is_away_is_left_alone_and_then_hears_all(receiver: Receiver, crm: Courier) -> None:
    receiver.answers = lambda event: 503
    for number in range(12):
        happens(f"lead-{number}", 1, "form")
    now = NOW
    await crm.turn(now)
    tried = len(receiver.came)
    assert STREAK <= tried < 8
    await crm.turn(now + timedelta(seconds=1))
    assert len(receiver.came) == tried
    for rest in REST:
        happens("lead-0", int(rest.total_seconds()), "message")
        now += rest
        await crm.turn(now)
    assert len(receiver.came) <= tried + len(REST), "one try after each rest"
    receiver.answers = lambda event: 200
    before = len(receiver.came)
    now += timedelta(days=2)
    for _ in range(9):
        await crm.turn(now)
    heard = Counter(event["id"] for event in receiver.came[before:])
    assert set(heard.values()) == {1}
    assert len(heard) == 12 + len(REST)
    assert receiver.numbers("lead-0")[-6:] == [1, 2, 3, 4, 5, 6]
    assert outbox.parked() == []


async def test_one_bad_endpoint_does_not_hold_up_another(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    known = json.loads(settings().model_dump_json())["showrate_webhooks"]["crm"]
    both = {"crm": known, "dead": {**known, "url": "http://127.0.0.1:9/"}}
    monkeypatch.setenv("SHOWRATE_WEBHOOKS", json.dumps(both))
    settings.cache_clear()
    stop = asyncio.Event()
    running = asyncio.create_task(deliveries.run("me", stop))
    while len(outbox.states()) < 2:
        await asyncio.sleep(0.02)
    for number in range(6):
        happens(f"lead-{number}", 1, "form")
    async with asyncio.timeout(60):
        while len(receiver.came) < 6 or not outbox.states()[1].why:
            await asyncio.sleep(0.02)
    stop.set()
    await running
    crm, dead = outbox.states()
    assert (crm.delivered, dead.delivered) == (6, 0)
    assert dead.why.startswith("no answer")


async def test_gone_switches_it_off_with_an_alert_and_nothing_is_lost(receiver: Receiver, crm: Courier) -> None:
    receiver.answers = lambda event: 410
    happens("lead-1", 1, "form")
    await crm.turn(NOW)
    happens("lead-1", 2, "message")
    await crm.turn(NOW + timedelta(days=9))
    assert len(receiver.came) == 1
    [off] = troubles.lasting()
    assert off.name == "the webhooks to crm"
    assert "showrate events enable crm" in off.affects
    receiver.answers = lambda event: 200
    assert outbox.enable("crm")
    for _ in range(3):
        await crm.turn(NOW + timedelta(days=9))
    assert receiver.numbers("lead-1") == [1, 1, 2]


async def test_days_without_success_switch_it_off(receiver: Receiver, crm: Courier) -> None:
    receiver.answers = lambda event: 500
    for number in range(STREAK):
        happens(f"lead-{number}", 1, "form")
    await crm.turn(NOW)
    assert outbox.states()[0].disabled_at is None
    await crm.turn(NOW + timedelta(days=2))
    assert outbox.states()[0].disabled_at is None
    await crm.turn(NOW + timedelta(days=3, hours=1))
    assert outbox.states()[0].disabled_at is not None


async def test_the_receiver_says_when_to_come_again(receiver: Receiver, crm: Courier) -> None:
    receiver.answers = lambda event: (429, {"Retry-After": "1200"})
    happens("lead-1", 1, "form")
    await crm.turn(NOW)
    again = outbox.parked()[0].again_at
    assert again is not None
    assert again - NOW == timedelta(seconds=1200)


async def test_one_process_delivers_at_a_time_and_another_takes_over(receiver: Receiver, crm: Courier) -> None:
    happens("lead-1", 1, "form")
    other = courier(holder="other")
    assert not await other.turn(NOW)
    assert receiver.came == []
    assert await other.turn(NOW + outbox.HELD * 2)  # the first was killed
    assert receiver.numbers("lead-1") == [1]
    assert not await crm.turn(NOW + outbox.HELD * 2)
    outbox.let_go("other")
    happens("lead-1", 2, "form")
    assert await crm.turn(NOW + outbox.HELD * 2)
    await other.close()


@pytest.fixture
def slow(crm: Courier, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Each POST takes as many renewals of the hold as ``slow(...)`` says what becomes of, in their order; it gives those
    that were met: ``held``, ``away`` (the record) or ``lost`` (to another process); held from then on."""
    monkeypatch.setattr(outbox, "HELD", timedelta(seconds=0.15))
    post, take = crm._sender.post, outbox.take

    def script(*fates: str) -> list[str]:
        met: list[str] = []

        async def slowly(event: str, body: bytes) -> Any:
            async with asyncio.timeout(60):
                while len(met) < len(fates):
                    await asyncio.sleep(0.02)
            return await post(event, body)

        monkeypatch.setattr(crm._sender, "post", slowly)

        def taken(name: str, holder: str, now: datetime) -> outbox.State | None:
            met.append(fates[len(met)] if len(met) < len(fates) else "held")
            if met[-1] == "away":
                raise OperationalError("planted", None, OSError("away"))
            return None if met[-1] == "lost" else take(name, holder, now)

        monkeypatch.setattr(outbox, "take", taken)
        return met

    return script


async def test_a_slow_turn_keeps_its_hold_also_while_the_record_is_away(
    receiver: Receiver, crm: Courier, slow: Callable[..., list[str]]
) -> None:
    happens("lead-1", 1, "form")
    met = slow("held", "away", "held")
    assert await crm.turn()
    assert met[:3] == ["held", "away", "held"]
    assert (receiver.numbers("lead-1"), outbox.states()[0].delivered) == ([1], 1)


async def test_who_has_lost_the_hold_notes_nothing(
    receiver: Receiver, crm: Courier, slow: Callable[..., list[str]]
) -> None:
    happens("lead-1", 1, "form")
    before = outbox.states()[0]
    slow("held", "lost")
    with pytest.raises(RuntimeError, match="another process"):
        await crm.turn()
    assert outbox.states()[0].cursor == before.cursor
    assert outbox.parked() == []
    assert await crm.turn(), "what was not noted is sent anew"
    assert receiver.numbers("lead-1") == [1, 1]


async def test_what_was_sent_before_a_kill_is_sent_again_as_the_same_event(receiver: Receiver, crm: Courier) -> None:
    happens("lead-1", 1, "form", "message")

    def killed(*_: Any, **__: Any) -> None:
        raise RuntimeError("killed")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "note", killed)
        with pytest.raises(RuntimeError, match="killed"):
            await crm.turn(NOW)
    await crm.turn(NOW)
    assert receiver.numbers("lead-1") == [1, 2, 1, 2]
    assert receiver.came[:2] == receiver.came[2:]


# ---- where nothing is sent -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.0.9", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1", "fd00::1",
     "fe80::1%eth0", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2606:4700::1111"],
)  # fmt: skip
async def test_nothing_is_sent_into_private_networks(
    address: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOWRATE_WEBHOOKS_LOCAL", "false")
    settings.cache_clear()

    async def found(*_: Any, **__: Any) -> list[Any]:
        return [(0, 0, 0, "", ("93.184.216.34", 443)), (0, 0, 0, "", (address, 443))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
    public = address == "2606:4700::1111"
    url = webhook.httpx.URL("https://inside.example/hooks")
    if public:
        assert await webhook._allowed(url) == "93.184.216.34"
    else:
        with pytest.raises(Forbidden, match="SHOWRATE_WEBHOOKS_LOCAL"):
            await webhook._allowed(url)


async def test_plain_http_is_refused_and_the_endpoint_switched_off(
    receiver: Receiver, crm: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOWRATE_WEBHOOKS_LOCAL", "false")
    settings.cache_clear()
    happens("lead-1", 1, "form")
    await crm.turn(NOW)
    assert receiver.came == []
    assert "https only" in outbox.states()[0].why
    assert outbox.states()[0].disabled_at == NOW


async def test_redirects_are_not_followed(receiver: Receiver) -> None:
    receiver.answers = lambda event: (302, {"Location": receiver.url})
    sender = Sender(receiver.url, [SECRET])
    answer = await sender.post("evt_1", b'{"data": {"lead": "x", "number": 1}}')
    await sender.close()
    assert (answer.status, answer.ok, len(receiver.came)) == (302, False, 1)


@pytest.mark.parametrize(
    "wrong",
    [{"url": "ftp://x.example"}, {"url": "https://user:pass@x.example"}, {"secrets": []}, {"secrets": ["hunter2"]},
     {"secrets": ["whsec_c2hvcnQ="]}, {"detail": "everything"}, {"event": ["*"]}],
)  # fmt: skip
def test_a_wrong_endpoint_is_refused(wrong: dict[str, Any]) -> None:
    right = {"url": "https://x.example/hooks", "secrets": [new_secret()]}
    assert Endpoint.model_validate(right).wants("lead.closed")
    with pytest.raises(ValidationError) as refused:
        Endpoint.model_validate({**right, **wrong})
    assert "hunter2" not in str(refused.value.errors(include_input=False))


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of standardwebhooks.com's own libraries' tests."""
    at = datetime.fromtimestamp(1614265330).astimezone()
    signed = webhook.signature(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}'
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_numbers_count_a_leads_own_events_and_outlive_an_erasure(record: Path) -> None:
    happens("lead-1", 1, "form", "call_placed")
    happens("lead-2", 1, "form")
    happens("lead-1", 2, "booked", to="booked")
    store.erase("lead-1")
    told = stream.tail()
    assert [(each.lead, each.number) for each in told] == [
        ("lead-1", 1), ("lead-1", 2), ("lead-2", 1), ("lead-1", 3), ("lead-1", 4),
    ]  # fmt: skip
    assert [entry.kind for entry in store.entries("lead-1")] == ["form", "call_placed", "booked"]


def test_an_entry_of_an_older_version_is_an_event_as_well(record: Path) -> None:
    with tables.writing(settings().record_url) as db:
        row = {"lead": "lead-9", "version": 1, "digest": "d", "nth": 0, "at": NOW, "kind": "something_new", "rule": ""}
        db.execute(insert(tables.entries).values(**row))
    [told] = stream.tail()
    assert catalogue.type_of(told.entry.kind) == "lead.noted"


# ---- the command ---------------------------------------------------------------------------------------------------


async def test_a_replay_sends_the_same_events_again(receiver: Receiver, crm: Courier) -> None:
    happens(ONE, 1, "form", "message")
    happens("lead-2", 1, "form")
    happens(ONE, 2, "booked", to="booked", booking="b1")
    await crm.turn(NOW)
    first = sorted(receiver.came, key=lambda event: int(event["data"]["seq"]))
    receiver.came = []
    again = await showrate("events", "replay", "--from", "2")
    assert again.code == 0, again.err
    assert "4 sent" in again.out
    assert receiver.came == first[1:]
    receiver.came = []
    since = (NOW + timedelta(seconds=2)).isoformat()
    one = await showrate("events", "replay", "--since", since, "--lead", ONE, "--to", "crm", "--json")
    assert one.code == 0, one.err
    assert one.data == {"sent": 1, "skipped": 0, "failed": [], "why": ""}
    assert receiver.came == first[-1:]
    receiver.came = []
    elsewhere = receiver.url.replace("hooks", "elsewhere")
    there = await showrate("events", "replay", "--from", "1", "--to", elsewhere, "--as", "crm", "--until", "3")
    assert there.code == 0, there.err
    assert receiver.came == first[:3]
    assert outbox.states()[0].delivered == 5, "a replay moves no cursor"


async def test_a_replay_stops_a_lead_whose_event_is_not_taken(receiver: Receiver, crm: Courier) -> None:
    happens("lead-1", 1, "form", "message")
    happens("lead-2", 1, "form")
    receiver.answers = lambda event: 500 if event["data"]["lead"] == "lead-1" else 200
    ran = await showrate("events", "replay", "--from", "1", "--json")
    assert ran.code == 1
    assert ran.data == {"sent": 1, "skipped": 1, "failed": [1], "why": "answered 500"}


async def test_a_replay_that_says_too_little_is_misused(receiver: Receiver, crm: Courier) -> None:
    for asked in ((), ("--from", "1", "--since", NOW.isoformat()), ("--since", "yesterday"), ("--from", "1", "--to", "x"),
                  ("--from", "1", "--to", "ftp://x.example", "--as", "crm"), ("--from", "1", "--to", "https://x.example", "--as", "x")):  # fmt: skip
        assert (await showrate("events", "replay", *asked)).code == 2, asked
    assert (await showrate("events", "replay", "--from", "1", "--lead", "nobody")).code == 3


async def test_the_endpoints_are_shown_and_switched_on(
    receiver: Receiver, crm: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "out", Console(width=80, highlight=False, markup=False))
    happens("lead-1", 1, "form", "message")
    receiver.answers = lambda event: 410
    await crm.turn(NOW)
    shown = await showrate("events", "endpoints")
    for words in ("crm", "switched off", "answered 410"):
        assert words in " ".join(shown.out.split()), "on the narrowest terminal"
    assert (await showrate("events", "enable", "nobody")).code == 2
    assert (await showrate("events", "enable", "crm")).code == 0
    assert troubles.lasting() == []
    [seen] = (await showrate("events", "endpoints", "--json")).data
    assert (seen["state"], seen["waiting"]) == ("well", 2)
    Endpoint(url="https://x.example", secrets=((await showrate("events", "secret")).out.strip(),))
