"""Cards for the reps' channel, each posted once as far as Slack allows.

Slack has no idempotency key. A card is posted straight away by an activity's first attempt; on every later attempt,
and whenever a post's answer was lost, the channel is read for its key first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from workflows.effects import Card

from . import faults, links
from .crm import lead_page
from .reps import rep
from .settings import settings
from .vendors import slack

_BACK = timedelta(hours=1)
"""How far before the activity was scheduled the channel is read: more than any two clocks differ."""


async def post(cards: Sequence[Card], stands: Sequence[tuple[str, str]] = ()) -> None:
    """Post those of ``cards`` that do not stand in the channel, each with how the lead stands (see
    :func:`workflows.standing.summary`). Raises the errors of :mod:`activities.faults`, but
    never ambiguous: a card whose fate is unknown is a ``retry``, and the next attempt reads before it posts. A
    refused card does not keep the others from being posted."""
    if not cards:
        return
    since, again = _began()
    standing = await slack.find([card.key for card in cards], since) if again else set[str]()
    refusals: list[ApplicationError] = []
    for card in cards:
        if card.key in standing:
            continue
        try:
            await _post_once(card, stands, since)
        except ApplicationError as error:
            if not error.non_retryable:
                raise
            refusals.append(error)
    if refused := faults.worst(refusals):
        raise refused


async def _post_once(card: Card, stands: Sequence[tuple[str, str]], since: datetime) -> None:
    try:
        await slack.post(card.key, _title(card), _blocks(card, stands))
    except ApplicationError as error:
        if error.type != "ambiguous":
            raise
        if card.key not in await slack.find([card.key], since):
            raise faults.retry(error.message) from error


def _began() -> tuple[datetime, bool]:
    """From when on this activity's cards can stand in the channel, and whether it may have posted some already."""
    if not activity.in_activity():
        return datetime.now(UTC) - _BACK, False
    info = activity.info()
    return info.scheduled_time - _BACK, info.attempt > 1


def _blocks(card: Card, stands: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """The card in Block Kit: title, lines, how the lead stands, whose it is, and a button to the lead's page."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _title(card)[:150], "emoji": True}}
    ]
    summary = [f"*{name}:* {escaped(words)}" for name, words in stands]
    for lines in ([escaped(line) for line in card.lines], summary):
        if lines:
            blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(lines)[:3000]}})
    person = rep(card.rep)
    if person:
        whose = f"<@{person.slack}>" if person.slack else escaped(person.name)
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": f"For {whose}"}]})
    return [*blocks, *_buttons(card)]


LABELS: dict[str, str] = {
    "approve": "Approve", "reject": "Reject", "take-over": "Take over", "release": "Hand back", "reschedule": "Move it there",
    "attended": "They came", "no-show": "No-show",
}  # fmt: skip
"""What stands on the button of each action."""
PRESSED = "showrate"
"""The id of the block of buttons: it goes once one was pressed."""


def _buttons(card: Card) -> list[dict[str, Any]]:
    """The way to the lead's page and to that of the card's question, and below it what can be done at once, where presses can be verified."""
    if not card.lead:
        return []
    ways = [_link("Open the lead", lead_page(card.lead))]
    if card.asks == "outcome" and card.until is not None:
        ways.insert(0, _link("Did they come?", links.outcome_link(card.lead, card.about, card.until)))
    blocks: list[dict[str, Any]] = [{"type": "actions", "elements": ways}]
    if not card.acts or not settings().slack_signing_secret:
        return blocks
    value = json.dumps({"lead": card.lead, **({"request": card.request} if card.request else {})})
    elements: list[dict[str, Any]] = []
    for act in card.acts:
        if act == "reschedule":
            begins = {"initial_date_time": int(card.start.timestamp())} if card.start else {}
            elements.append({"type": "datetimepicker", "action_id": "time", **begins})
        style = {"style": "primary"} if act in ("approve", "attended") else {"style": "danger"} if act == "reject" else {}
        label = {"type": "plain_text", "text": LABELS[act]}
        elements.append({"type": "button", "text": label, "action_id": act, "value": value, **style})
    return [*blocks, {"type": "actions", "block_id": PRESSED, "elements": elements}]


def _link(words: str, address: str) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": words}, "url": address}


def settled(press: slack.Press, words: str) -> list[dict[str, Any]]:
    """The card that was pressed, with ``words`` in the place of its buttons."""
    rest = [dict(block) for block in press.blocks if block.get("block_id") != PRESSED]
    return [*rest, {"type": "context", "elements": [{"type": "mrkdwn", "text": words}]}]


def _title(card: Card) -> str:
    return f"🚨 Urgent: {card.title}" if card.urgent else card.title


def escaped(text: str) -> str:
    """Slack's own three: api.slack.com/reference/surfaces/formatting#escaping."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
