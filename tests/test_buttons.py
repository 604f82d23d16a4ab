"""Buttons on the cards in the reps' channel: only what Slack signed just now, once, and the card says who did what."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from playwright.async_api import Browser, expect

from activities import notices
from activities.settings import settings
from activities.vendors import slack
from workflows.effects import Card

from .fixtures.books import CHANNEL, Books
from .fixtures.web import People, Site, Talked

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
PRESS = b"payload=%7B%7D"
NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)


# ---- the signature -------------------------------------------------------------------------------------------------


@pytest.fixture
def signing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SLACK_SIGNING_SECRET", SECRET)
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_the_example_of_slacks_own_documentation_is_genuine(signing: None) -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signed = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    at = datetime.fromtimestamp(1531420618, UTC)
    assert slack.genuine(body, "1531420618", signed, at)
    assert not slack.genuine(body + b" ", "1531420618", signed, at)


@pytest.mark.parametrize(
    ("timestamp", "signed", "genuine"),
    [
        (0, "", True), (299, "", True), (-299, "", True), (301, "", False), (-301, "", False),
        (0, "v0=" + "0" * 64, False), (0, "v1", False), (0, "v0=é", False),
    ],
)  # fmt: skip
def test_what_is_not_signed_just_now_is_not_slacks(signing: None, timestamp: int, signed: str, genuine: bool) -> None:
    at = str(int(NOW.timestamp()) + timestamp)
    given = signed or slack.signature(SECRET, at, PRESS)
    assert slack.genuine(PRESS, at, given, NOW) is genuine


@pytest.mark.parametrize("timestamp", ["", "x", "1e9", "-5", "²", "9" * 30])
def test_a_timestamp_that_is_none_is_refused(signing: None, timestamp: str) -> None:
    assert not slack.genuine(PRESS, timestamp, slack.signature(SECRET, timestamp, PRESS), NOW)


def test_without_a_secret_nothing_is_genuine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "")
    settings.cache_clear()
    at = str(int(NOW.timestamp()))
    assert not slack.genuine(PRESS, at, slack.signature("", at, PRESS), NOW)
    settings.cache_clear()


# ---- over the wire ---------------------------------------------------------------------------------------------------


class Channel:
    """The reps' channel, with hands to press with."""

    def __init__(self, books: Books, web: Site) -> None:
        self.books, self.web = books, web

    @property
    def state(self) -> Any:
        return self.books.state("slack")

    async def card(self, met: Talked, *acts: Any, request: str = "") -> str:
        """Post a card of ``met`` with these buttons; its timestamp."""
        start = met.booking.start if "reschedule" in acts else None
        card = Card(key=f"{met.lead}:k", title="Ada", lines=("a",), lead=met.lead, acts=acts, request=request, start=start)
        await notices.post([card])
        return str(self.state["channels"][CHANNEL][-1]["ts"])

    async def press(self, ts: str, action: str, user: str = "U0ANA", **more: Any) -> int:
        async with httpx.AsyncClient(timeout=20) as http:
            asked = {"ts": ts, "action": action, "user": user, **more}
            answer = await http.post(f"{self.books.url}/slack/press", json=asked)
            return int(answer.json().get("status", answer.status_code))

    async def replay(self, **headers: str) -> int:
        """Send what Slack sent last once more."""
        sent = self.books.world.log.find("slack", "out", "POST", "/slack/actions")[-1]
        kept = {k: v for k, v in sent.headers.items() if k.lower().startswith(("x-slack", "content"))}
        return (await self.web.http.post("/slack/actions", content=sent.body, headers=kept | headers)).status_code

    async def says(self, ts: str, words: str) -> list[dict[str, Any]]:
        """Wait until the card says ``words``; its blocks then."""
        end = time.monotonic() + 60
        while True:
            blocks = next(m for m in self.state["channels"][CHANNEL] if m["ts"] == ts)["blocks"]
            if words in json.dumps(blocks, ensure_ascii=False):
                return list(blocks)
            assert time.monotonic() < end, blocks
            await asyncio.sleep(0.05)

    def whispered(self, user: str) -> str:
        return next((w["text"] for w in reversed(self.state["whispers"]) if w["user"] == user), "")


@pytest.fixture
def channel(books: Books, web: Site, monkeypatch: pytest.MonkeyPatch) -> Channel:
    monkeypatch.setenv("SLACK_SIGNING_SECRET", SECRET)
    for name, value in {"SLACK_BASE_URL": f"{books.url}/slack/api/", "SLACK_CHANNEL": CHANNEL}.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    account = books.world.account
    books.world.account = replace(account, slack_secret=SECRET, slack_actions=f"{web.url}/slack/actions")
    return Channel(books, web)


async def test_take_over_acts_once_and_the_card_says_who(channel: Channel, people: People) -> None:
    met = await people.talked("+1 415 555 7001")
    ts = await channel.card(met, "take-over", "release")
    assert await channel.press(ts, "take-over") == 200
    assert (await people.view(met.lead)).taken_over_by == "Ana Torres"
    blocks = await channel.says(ts, "Taken over by <@U0ANA>")
    assert not [block for block in blocks if block.get("block_id") == notices.PRESSED]
    version = (await people.view(met.lead)).version
    assert await channel.replay() == 200
    assert (await people.view(met.lead)).version == version
    assert await channel.press(ts, "take-over") == 404  # the button is gone
    told = (await people.site.http.get(f"/api/leads/{met.lead}/why", headers=people.site.authorized)).json()["entries"]
    assert [entry["kind"] for entry in told].count("taken_over") == 1


async def test_two_who_press_at_once_are_told_who_was_first(channel: Channel, people: People) -> None:
    met = await people.talked("+1 415 555 7002")
    one, two = [await channel.card(met, "take-over") for _ in range(2)]
    await channel.press(one, "take-over", "U0ANA")
    await channel.press(two, "take-over", "U0BEN")
    await channel.says(two, "Settled already: Ana Torres has this lead")
    assert (await people.view(met.lead)).taken_over_by == "Ana Torres"
    await people.waits(met, "a9:1")
    first, second = [await channel.card(met, "approve", "reject", request="a9:1") for _ in range(2)]
    await channel.press(first, "approve", "U0ANA")
    await channel.press(second, "approve", "U0BEN")
    await channel.says(first, "Approved by <@U0ANA>")
    await channel.says(second, "Approved by Ana Torres")
    assert (await people.view(met.lead)).booking is None


async def test_a_stranger_changes_nothing_and_is_told_why(channel: Channel, people: People) -> None:
    met = await people.talked("+1 415 555 7003")
    ts = await channel.card(met, "take-over")
    assert await channel.press(ts, "take-over", "U0WHO") == 200
    assert "nobody of the team has your Slack id" in channel.whispered("U0WHO")
    assert (await people.view(met.lead)).taken_over_by == ""
    assert await channel.press(ts, "take-over") == 200  # the buttons are still there
    await channel.says(ts, "Taken over by <@U0ANA>")


async def test_a_forged_or_old_press_is_refused(channel: Channel, people: People) -> None:
    met = await people.talked("+1 415 555 7004")
    ts = await channel.card(met, "take-over", "release")
    channel.books.world.account = replace(channel.books.world.account, slack_secret="guessed")
    assert await channel.press(ts, "take-over") == 403
    old = str(int(time.time()) - 301)
    body = channel.books.world.log.find("slack", "out", "POST", "/slack/actions")[-1].body
    signed = {"X-Slack-Request-Timestamp": old, "X-Slack-Signature": slack.signature(SECRET, old, body.encode())}
    assert await channel.replay(**signed) == 403
    assert (await people.view(met.lead)).taken_over_by == ""


async def test_a_meeting_is_moved_to_the_time_beside_the_button(channel: Channel, people: People) -> None:
    met = await people.talked("+1 415 555 7005")
    ts = await channel.card(met, "reschedule", "take-over")
    await channel.press(ts, "reschedule")
    assert "choose a day and a time" in channel.whispered("U0ANA")
    later = met.booking.start + timedelta(days=1)
    await channel.press(ts, "reschedule", time=int(later.timestamp()))
    await channel.says(ts, "Moved to <!date^")
    booking = (await people.view(met.lead)).booking
    assert booking is not None
    assert booking.start == later


@pytest.mark.parametrize(("action", "stage"), [("attended", "closed"), ("no-show", "no_show")])
async def test_who_came_is_marked(channel: Channel, people: People, action: str, stage: str) -> None:
    met = await people.talked(f"+1 415 555 70{10 + len(action)}", starts_in=timedelta(seconds=15))
    ts = await channel.card(met, "attended", "no-show")
    await channel.press(ts, action)
    await channel.says(ts, f"{'Marked as attended' if action == 'attended' else 'Marked as a no-show'} by <@U0ANA>")
    await people.until(met.lead, lambda seen: seen.stage == stage)


async def test_a_refusal_is_told_and_the_buttons_stay(channel: Channel, people: People) -> None:
    met = await people.talked("+1 415 555 7008")
    ts = await channel.card(met, "attended", "no-show")
    await channel.press(ts, "no-show")
    assert "still ahead" in channel.whispered("U0ANA")
    assert await channel.press(ts, "no-show") == 200
    gone = Talked("lead-" + "0" * 32, met.booking, "")
    ts = await channel.card(gone, "take-over")
    await channel.press(ts, "take-over")
    assert "Temporal has no open lead" in channel.whispered("U0ANA")


@pytest.mark.parametrize(
    "body",
    [b"", b"payload=", b"payload=%7B", b"payload=[]", b"payload=7", urlencode({"payload": '{"type":"block_actions","actions":[{"type":"button","value":"x"}]}'}).encode(), b"\xff\xfe", b"payload=" + b"[" * 100_000,
     urlencode({"payload": json.dumps({"type": "block_actions", "actions": [{"type": "button", "value": "x", "action_id": "reschedule", "action_ts": "1"}],
      "user": {"id": "U0ANA"}, "message": {"ts": "1"}, "state": {"values": {"a": {"b": {"selected_date_time": 10**30}}}}})}).encode()],
)  # fmt: skip
async def test_what_cannot_be_read_is_no_button(channel: Channel, body: bytes) -> None:
    at = str(int(time.time()))
    headers = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": slack.signature(SECRET, at, body)}
    assert (await channel.web.http.post("/slack/actions", content=body, headers=headers)).status_code == 400


async def test_a_link_that_is_followed_and_a_time_that_is_chosen_do_nothing(channel: Channel) -> None:
    chosen = {"type": "block_actions", "actions": [{"type": "datetimepicker", "action_id": "time", "selected_date_time": 1}]}
    body = urlencode({"payload": json.dumps(chosen)}).encode()
    at = str(int(time.time()))
    headers = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": slack.signature(SECRET, at, body)}
    assert (await channel.web.http.post("/slack/actions", content=body, headers=headers)).status_code == 200


async def test_a_button_is_pressed_in_the_page(channel: Channel, people: People, browser: Browser) -> None:
    met = await people.talked("+1 415 555 7009")
    await channel.card(met, "take-over")
    page = await browser.new_page()
    await page.goto(f"{channel.books.url}/slack")
    await page.get_by_role("button", name="Take over").click()
    await expect(page.get_by_text("Taken over by")).to_be_visible()
    assert (await people.view(met.lead)).taken_over_by == "Ana Torres"
    await page.close()
