"""The calling rules, asked once more where a dial or a text leaves: may this contact be made now?

The lead asked them when it planned, with what it knows. Here comes in what it cannot know: the do-not-call lists, dials
of other leads to the same number, a vendor's word on the number, and rule files that were edited since. Where the lead's
own rules and the newest differ, both must allow it; what nobody knows counts as no; what cannot be read for a fault of
ours is tried again soon.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from workflows.calling import NO_RULES, Contact, Judgement, Listing, Refusal, judge, places_of
from workflows.playbook import Playbook, PlaybookError, registered
from workflows.refusals import OURS
from workflows.rulebook import Rulebook, Sent

from . import dials, faults, library, lists, numbers

_LOG = logging.getLogger(__name__)
_RACES = 5
"""So often a dial is judged anew because another one to the same number came in between."""


class Clearance(NamedTuple):
    """``refusal`` is None when it may go, until ``until`` (UTC; None: no rule ends it). ``dial`` is its place in the log
    of dials, where it is one. ``slow``: a vendor was asked, and what was known before may be different by now."""

    refusal: Refusal | None = None
    until: datetime | None = None
    dial: int | None = None
    slow: bool = False


async def text(contact: Contact | None, to: str, playbook: str, at: datetime) -> Clearance:
    """May ``to`` (E.164) be texted at ``at``, by the playbook of this hash? Nobody of theirs has opted out. Raises
    ``retry`` when what is known of the number cannot be had."""
    book, rules = _known(contact, playbook)
    if contact is None or book is None or rules is None:
        return Clearance(_ours(contact, book))
    try:
        return await _judged(_whole(contact, to, "text"), book, rules, at)
    except (SQLAlchemyError, ValueError) as error:
        raise faults.retry(f"what is known of the number could not be had: {type(error).__name__}") from error


async def dial(contact: Contact | None, to: str, playbook: str, at: datetime, lead: str, attempt: str) -> Clearance:
    """May ``to`` (E.164) be dialled at ``at``? If so, the dial ``attempt`` of ``lead`` stands in the log from here on.
    Raises ``retry`` when the log cannot be had."""
    book, rules = _known(contact, playbook)
    if contact is None or book is None or rules is None:
        return Clearance(_ours(contact, book))
    asked = _whole(contact, to, "call")
    try:
        number = dials.handle(to)
        for _ in range(_RACES):
            past = await asyncio.to_thread(dials.past, number, at)
            found = await _judged(asked.model_copy(update={"dials": past.dials}), book, rules, at)
            if found.refusal is not None:
                return found
            place = await asyncio.to_thread(dials.claim, number, at, lead, attempt, past)
            if place is not None:
                return found._replace(dial=place)
    except (SQLAlchemyError, ValueError) as error:
        raise faults.retry(f"the log of dials could not be had: {type(error).__name__}") from error
    raise faults.retry("others dial the same number at this moment")


async def struck(place: int | None) -> None:
    """The dial at this place of the log surely did not go out. What cannot be struck out goes on counting."""
    if place is not None:
        try:
            await asyncio.to_thread(dials.strike, place)
        except SQLAlchemyError as error:
            _LOG.warning("a dial that was not made could not be struck out: %s", type(error).__name__)


def _known(contact: Contact | None, playbook: str) -> tuple[Playbook | None, tuple[Rulebook, ...] | None]:
    """The lead's playbook, and the rules that bind: those that it took over, and the same file as it stands now where
    that is another. None for what cannot be had."""
    book = registered().get(playbook)
    if book is None or contact is None:
        return book, None
    if book.rules is None:
        return book, (NO_RULES,)
    try:
        newest = library.rules(book.rules.name)
    except (PlaybookError, OSError) as error:
        _LOG.error("nobody is called or texted by these rules until they are mended: %s", error)
        return book, None
    return book, (book.rules,) if newest is None or newest == book.rules else (book.rules, newest)


def _ours(contact: Contact | None, book: Playbook | None) -> Refusal:
    if contact is None:
        return Refusal(rule=OURS, reason="the request does not say enough for the calling rules")
    if book is None:
        return Refusal(rule=OURS, reason="this worker does not know the lead's playbook")
    return Refusal(rule=OURS, reason="the rule file cannot be read; showrate playbook check says why")


def _whole(contact: Contact, to: str, channel: Sent) -> Contact:
    """Whoever asks here has asked for opt-outs before."""
    return contact.model_copy(update={"phone": to, "channel": channel, "opted_out": False})


async def _judged(asked: Contact, book: Playbook, rules: tuple[Rulebook, ...], at: datetime) -> Clearance:
    wanting = {rule for each in rules for rule in judge(asked, book, at, each).wanting}
    if "do_not_call" in wanting:
        asked = asked.model_copy(update={"lists": await asyncio.to_thread(listings, asked, rules)})
    slow = bool(wanting & {"line_type", "reassigned"}) and numbers.configured()
    if slow:
        asked = asked.model_copy(update=await _looked_up(asked, rules, at, wanting))
    final = [(judge(asked, book, at, each, final=True), each) for each in rules]
    refusals = [refusal for judgement, each in final if (refusal := _refusal(judgement, each, at))]
    if refusals:
        return Clearance(max(refusals, key=lambda r: (r.at is None, r.at or at)), slow=slow)
    return Clearance(until=min((j.until for j, _ in final if j.until), default=None), slow=slow)


async def _looked_up(asked: Contact, rules: Iterable[Rulebook], at: datetime, wanting: set[str]) -> dict[str, object]:
    """What a vendor says of the number, by its name in the contact."""
    line = min((row.fresh for each in rules for row in each.lines), default=None) if "line_type" in wanting else None
    silence = min((row.fresh for each in rules for row in each.reassigned), default=None) if "reassigned" in wanting else None
    found = await numbers.look_up(asked.phone, at, line, asked.heard_at, silence)
    return {"line": found.line, "reassigned": found.reassigned}


def listings(asked: Contact, rules: Iterable[Rulebook]) -> tuple[Listing, ...]:
    """What the lists say of the number that any row names for the places where they may be."""
    names = {
        where if row.list == "own" else row.list
        for each in rules
        for row in each.do_not_call
        for where in set(row.where) & set(places_of(asked.phone, asked.region, each))
    }
    return tuple(lists.look(asked.phone, name) for name in sorted(names))


def _refusal(judgement: Judgement, rules: Rulebook, at: datetime) -> Refusal | None:
    """Where it is only not known, it is looked up again after a while, a few times."""
    found = judgement.refusal(at)
    if found is None or not judgement.unsure:
        return found
    return found.model_copy(update={"at": at + rules.unsure.again, "tries": rules.unsure.tries})
