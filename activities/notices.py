"""Cards for the reps' channel, each posted once as far as Slack allows.

Slack has no idempotency key. A card is posted straight away by an activity's first attempt; on every later attempt,
and whenever a post's answer was lost, the channel is read for its key first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from workflows.effects import Card

from . import faults
from .crm import lead_page
from .reps import rep
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
    summary = [f"*{name}:* {_escaped(words)}" for name, words in stands]
    for lines in ([_escaped(line) for line in card.lines], summary):
        if lines:
            blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(lines)[:3000]}})
    person = rep(card.rep)
    if person:
        whose = f"<@{person.slack}>" if person.slack else _escaped(person.name)
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": f"For {whose}"}]})
    if card.lead:
        button = {
            "type": "button",
            "text": {"type": "plain_text", "text": "Open the lead"},
            "url": lead_page(card.lead),
        }
        blocks.append({"type": "actions", "elements": [button]})
    return blocks


def _title(card: Card) -> str:
    return f"🚨 Urgent: {card.title}" if card.urgent else card.title


def _escaped(text: str) -> str:
    """Slack's own three: api.slack.com/reference/surfaces/formatting#escaping."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
