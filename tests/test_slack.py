"""Cards in the reps' channel over Slack's Web API, against the stand-in: each stands there once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import notices
from activities.settings import settings
from activities.vendors import slack
from tests.fixtures.books import CHANNEL, Books
from tests.fixtures.temporal import Patience
from workflows.effects import Card

SPEC = Path(__file__).parents[1] / "../shared/specs/slack/slack_web_openapi_v2_without_examples.json"
LEAD = "lead-" + "5" * 32
CARDS = (
    Card(
        key=f"{LEAD}:booked:b1",
        title="Meeting booked: Lee",
        lines=("Fri 10 AM", "size: <40 & up>"),
        rep="ana",
        lead=LEAD,
    ),
    Card(key=f"{LEAD}:handoff:r1", title="Lee wants a person", lines=("pricing",), rep="ben", lead=LEAD),
)


def environment(attempt: int = 1) -> ActivityEnvironment:
    made = ActivityEnvironment()
    made.info = replace(made.info, attempt=attempt, scheduled_time=datetime.now(UTC) - timedelta(seconds=1))
    return made


async def test_a_card_shows_what_the_rep_needs(books: Books) -> None:
    await environment().run(notices.post, CARDS)
    assert books.cards == [card.key for card in CARDS]
    [first, _] = books.state("slack")["channels"][CHANNEL]
    header, section, context, actions = first["blocks"]
    assert header["text"]["text"] == "Meeting booked: Lee"
    assert section["text"]["text"] == "Fri 10 AM\nsize: &lt;40 &amp; up&gt;"
    assert context["elements"][0]["text"] == "For <@U0ANA>"
    assert actions["elements"][0]["url"] == f"https://showrate.example/console/leads/{LEAD}"
    assert [entry.path for entry in books.requests("slack")] == ["/slack/api/chat.postMessage"] * 2


async def test_what_is_urgent_is_seen_to_be(books: Books) -> None:
    await environment().run(notices.post, (CARDS[1].model_copy(update={"urgent": True}),))
    [card] = books.state("slack")["channels"][CHANNEL]
    assert card["blocks"][0]["text"]["text"] == "🚨 Urgent: Lee wants a person"


async def test_a_later_attempt_reads_before_it_posts(books: Books) -> None:
    await environment().run(notices.post, CARDS[:1])
    await environment(attempt=2).run(notices.post, CARDS)
    assert books.cards == [card.key for card in CARDS]
    assert len(books.requests("slack", path="conversations.history")) == 1


@pytest.mark.parametrize("fault", ["500", "drop"])
async def test_a_lost_answer_is_looked_up_at_once(books: Books, fault: str) -> None:
    books.fault("slack", fault, "after", path="postMessage")
    await environment().run(notices.post, CARDS)
    assert books.cards == [card.key for card in CARDS]
    assert len(books.requests("slack", path="postMessage")) == 2


@pytest.mark.parametrize("fault", ["500", "drop"])
async def test_a_post_that_is_not_there_is_left_to_the_next_attempt(books: Books, fault: str) -> None:
    books.fault("slack", fault, "before", path="postMessage")
    with pytest.raises(ApplicationError) as raised:
        await environment().run(notices.post, CARDS)
    assert raised.value.type == "retry"
    await environment(attempt=2).run(notices.post, CARDS)
    assert books.cards == [card.key for card in CARDS]


async def test_a_slow_answer_does_not_double(books: Books, patience: Patience) -> None:
    books.fault("slack", "slow", "after", delay=0.5, path="postMessage")
    with patience(0.2):
        await environment().run(notices.post, CARDS[:1])
    assert books.cards == [CARDS[0].key]


async def test_a_limit_is_waited_out(books: Books) -> None:
    books.fault("slack", "429", retry_after=7)
    with pytest.raises(ApplicationError) as raised:
        await environment().run(notices.post, CARDS)
    assert raised.value.type == "retry_after"
    assert raised.value.next_retry_delay == timedelta(seconds=7)
    assert books.cards == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("SLACK_BOT_TOKEN", "", "not_authed"), ("SLACK_CHANNEL", "#sales", "channel_not_found")],
)
async def test_a_refusal_names_the_remedy(
    books: Books, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    settings.cache_clear()
    with pytest.raises(ApplicationError) as raised:
        await slack.find(["x"], datetime.now(UTC))
    assert raised.value.type == "permanent"
    assert words in raised.value.message
    assert name in raised.value.message


async def test_a_refused_card_does_not_keep_the_others_back(books: Books) -> None:
    endless = CARDS[0].model_copy(update={"title": "x" * 50_000})
    with pytest.raises(ApplicationError) as raised:
        await environment().run(notices.post, (endless, CARDS[1]))
    assert raised.value.type == "permanent"
    assert books.cards == [CARDS[1].key]


async def test_a_key_is_found_pages_back(books: Books) -> None:
    await slack.post(CARDS[0].key, "card", [])
    with httpx.Client(base_url=books.url, headers={"Authorization": "Bearer x"}) as people:
        for number in range(201):
            people.post("/slack/api/chat.postMessage", json={"channel": CHANNEL, "text": f"chat {number}"})
    since = datetime.now(UTC) - timedelta(minutes=5)
    assert await slack.find([CARDS[0].key, "none"], since) == {CARDS[0].key}
    assert len(books.requests("slack", path="history")) == 2


async def test_a_message_can_be_changed(books: Books) -> None:
    ts = await slack.post("k", "before", [])
    headers = {"Authorization": "Bearer x"}
    body = {"channel": CHANNEL, "ts": ts, "text": "after"}
    assert httpx.post(f"{books.url}/slack/api/chat.update", json=body, headers=headers).json()["text"] == "after"
    assert books.state("slack")["channels"][CHANNEL][0]["text"] == "after"


@pytest.mark.skipif(not SPEC.exists(), reason="the vendor's own document is not here")
async def test_requests_and_answers_are_in_slacks_document(books: Books) -> None:
    """The published document ends in 2021: ``metadata`` and a message's newer fields came later."""
    document = json.loads(SPEC.read_text())
    paths = document["paths"]
    posting = {p["name"] for p in paths["/chat.postMessage"]["post"]["parameters"]} | {"metadata"}
    reading = {p["name"] for p in paths["/conversations.history"]["get"]["parameters"]} | {"include_all_metadata"}
    await slack.post("k", "text", [])
    await slack.find(["other"], datetime.now(UTC) - timedelta(hours=1))
    post, read = books.requests("slack")
    assert json.loads(post.body).keys() <= posting
    assert {pair.split("=")[0] for pair in read.query.split("&")} <= reading
    answers: list[tuple[str, str, Any]] = [
        ("/chat.postMessage", "post", {"channel": CHANNEL, "text": "hello"}),
        ("/conversations.history", "get", {"channel": CHANNEL}),
    ]
    for path, method, sent in answers:
        headers = {"Authorization": "Bearer x"}
        content = {"json": sent} if method == "post" else {"params": sent}
        answer = httpx.request(method, f"{books.url}/slack/api{path}", headers=headers, **content).json()
        schema = paths[path][method]["responses"]["200"]["schema"]
        names = {"bot_id", "user", "team", "blocks", "metadata"}
        for message in [*answer.get("messages", []), *([answer["message"]] if "message" in answer else [])]:
            for name in names:
                message.pop(name, None)
        jsonschema.Draft7Validator({**schema, "definitions": document["definitions"]}).validate(answer)
