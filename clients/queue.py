"""The review queue: what people should look at, the most pressing first, and what they do about it.

The list is the record's; what is done about an item is an update of its lead, whose own verdict is the answer.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, get_args

from temporalio.client import Client

from activities import store
from activities.settings import settings
from activities.store import Filed
from workflows import review
from workflows.effects import CallNote
from workflows.messages import Answer, Resolve, Way
from workflows.model import Model

from . import leads, stories
from .leads import Refused, Unknown
from .regions import region_code
from .stories import Story

WAYS: tuple[str, ...] = get_args(Way)


class Ranked(Model):
    """An item, how much it presses (``score``), and the sum in words."""

    filed: Filed
    score: float
    why: str

    @property
    def title(self) -> str:
        """What it is, in words for people."""
        return review.kind_of(self.filed.item.kind).words

    @property
    def ways(self) -> tuple[str, ...]:
        """How it can be resolved."""
        return () if self.filed.closed_at else review.kind_of(self.filed.item.kind).ways


async def queue(
    *, kind: str = "", owner: str = "", lead: str = "", closed: bool = False, limit: int = 100, now: datetime | None = None
) -> list[Ranked]:
    """What is open, the most pressing first; with ``closed`` what is over, the last first. Raises Unreachable."""
    found = await stories.from_record(lambda: store.review_queue(kind=kind, owner=owner, lead=lead, closed=closed))
    ranked = [_ranked(filed, now or datetime.now(UTC)) for filed in found]
    return (ranked if closed else sorted(ranked, key=lambda each: -each.score))[:limit]


async def shown(number: int) -> Ranked:
    """The item of this number. Raises Unknown, Unreachable."""
    there_may_be = 0 < number < 2**63  # what a database counts to
    found = await stories.from_record(lambda: store.review_queue(number=number)) if there_may_be else []
    if not found:
        raise Unknown(f"there is no item {number}; showrate review list names those that are open")
    return _ranked(found[0], datetime.now(UTC))


def _ranked(filed: Filed, now: datetime) -> Ranked:
    score, why = review.rank(filed.item, now)
    return Ranked(filed=filed, score=round(score, 2), why=why)


def talk(told: Story, ranked: Ranked) -> CallNote | None:
    """The conversation that the item is about, if it is about one."""
    about = ranked.filed.item.about.partition(":")[0]
    return next((call for call in told.calls if call.attempt == about), None)


async def resolve(
    client: Client | None, number: int, way: str, *, by: str, words: str = "", field: str = "", value: str = "", to: str = "",
    request_id: str = "",
) -> Answer:  # fmt: skip
    """Have the lead resolve the item so; its verdict. Raises Refused, Unknown, Unreachable."""
    ranked = await shown(number)
    filed = ranked.filed
    if filed.closed_at is not None:
        who = f"{filed.by} resolved it already ({filed.way.replace('_', ' ')})" if filed.by else "it was overtaken"
        return Answer(allowed=False, rule="not_open", detail=who)
    if way not in ranked.ways:
        raise Refused(f"this can be resolved by {', '.join(ranked.ways)}; not by {way or 'nothing'}")
    request_id = request_id or f"resolve-{uuid.uuid4().hex}"
    if field == "region":  # people write Texas
        value = region_code(value, settings().showrate_region) or value
    asked = Resolve.model_validate(
        {"item": filed.item.id, "way": way, "by": by, "words": words, "field": field, "value": value, "to": to, "id": request_id}
    )
    return await leads.update(client, filed.lead.lead, "resolve", asked, request_id=request_id, result=Answer)


def told(way: str, answer: Answer) -> str:
    """The answer in one sentence for people."""
    if not answer.allowed:
        return leads.told("resolve", answer)
    return {
        "retry": "It is tried again.",
        "undo": "Undone: what was before stands again.",
        "correct": "Corrected.",
        "hand_over": "Taken over; the agent stays silent.",
        "approve": "Approved and done.",
        "reject": "Rejected; they are told that a colleague gets back to them.",
    }.get(way, "Done.")


def as_json(ranked: Ranked) -> dict[str, Any]:
    """An item for programs."""
    filed, record = ranked.filed, ranked.filed.lead
    return {
        "number": filed.number, "title": ranked.title, **filed.item.in_full(), "score": ranked.score,
        "rank": ranked.why, "ways": list(ranked.ways), "lead": record.lead, "name": record.person.name if record.person else "",
        "company": record.person.company if record.person else "", "stage": record.stage, "owner": record.owner,
        "closed_at": filed.closed_at.isoformat() if filed.closed_at else None, "way": filed.way, "by": filed.by,
        "resolution": filed.words,
    }  # fmt: skip
