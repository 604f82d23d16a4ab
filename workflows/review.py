"""What of a lead a person should look at: filed when it comes up, settled when it is over, ranked by money and clock.

A new kind is one line of :data:`KINDS`; what files it calls :func:`file`, what overtakes it :func:`settle`. What a
person does about it stands in ``workflows/story/reviewed.py``. Pure; instants are UTC.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from . import identity
from .events import ConversationEnded, Learned
from .lead import Lead
from .messages import Item, Resolve, Resolved, Way
from .playbook import Desk, Playbook, registered
from .wording import length

_MOST = 40
"""Items of one lead that are kept; the newest win."""
_KEPT = 20
"""Resolutions that a lead remembers, so that a second one hears who was first."""
_PRESSING = 0.1
"""At this part of its time, or past it, an item presses ten times as much as when it was filed."""


class Kind(NamedTuple):
    """``words`` for people; ``stake``: which part of the lead's worth is lost if nobody looks; ``within``: until when
    somebody should (both can be set in the playbook, ``desk.kinds``). ``quiet``: the lead itself is fine, and nobody is
    called to it."""

    words: str
    ways: tuple[Way, ...]
    stake: float
    within: timedelta
    quiet: bool = False


def _minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def _hours(number: int) -> timedelta:
    return timedelta(hours=number)


KINDS: dict[str, Kind] = {
    "complaint": Kind("has a complaint", ("done", "hand_over", "retry"), 1.0, _minutes(15)),
    "handoff": Kind("wants a person", ("done", "hand_over", "retry"), 0.9, _minutes(15)),
    "approval": Kind("waits for approval", ("approve", "reject", "hand_over"), 0.7, _minutes(30)),
    "clash": Kind("two things in the calendar at once", ("retry", "undo", "correct", "hand_over", "done"), 0.8, _hours(2)),
    "rep_left": Kind("a meeting without a rep", ("retry", "undo", "correct", "hand_over", "done"), 0.9, _hours(2)),
    "suspended": Kind("perhaps they opted out", ("approve", "reject", "hand_over"), 0.6, _hours(4)),
    "form_after_opt_out": Kind("sent a form after opting out", ("hand_over", "done"), 0.5, _hours(8)),
    "identity": Kind("may be the person of another lead", ("retry", "done", "hand_over"), 0.7, _hours(1)),
    "fault": Kind("our own fault", ("retry", "hand_over", "done"), 0.8, _hours(1)),
    "ambiguous_dial": Kind("nobody knows whether it rang", ("retry", "correct", "hand_over", "done"), 0.3, _hours(4)),
    "ambiguous_text": Kind("nobody knows whether a text went out", ("retry", "correct", "hand_over", "done"), 0.3, _hours(4)),
    "number_refused": Kind("the carrier refuses the number", ("retry", "correct", "hand_over", "done"), 0.5, _hours(8)),
    "not_looked_up": Kind("a calling rule needs what nobody could look up", ("retry", "hand_over", "done"), 0.5, _hours(8)),
    "no_way_to_contact": Kind("nobody can be called", ("retry", "correct", "hand_over", "done"), 0.5, _hours(8)),
    "attendance": Kind("nobody says whether they came", ("done", "hand_over"), 0.4, _hours(24)),
    "text_failed": Kind("a text was not delivered", ("retry", "correct", "hand_over", "done"), 0.3, _hours(4)),
    "two_meetings": Kind("two meetings of one person became one", ("done", "hand_over"), 0.3, _hours(4)),
    "task": Kind("wants to know something", ("done", "hand_over"), 0.4, _hours(4)),
    "observed": Kind("the agent left it to a person", ("done", "hand_over"), 0.6, _hours(2)),
    "not_approved": Kind("was not approved", ("done", "hand_over", "undo"), 0.6, _hours(2)),
    "referral": Kind("names somebody else", ("done", "hand_over"), 0.3, _hours(24)),
    "not_mailed": Kind("an e-mail was not sent", ("retry", "correct", "hand_over", "done"), 0.1, _hours(24)),
    "write_back_failed": Kind("could not be written", ("retry", "correct", "done"), 0.1, _hours(24)),
    "crm_conflict": Kind("somebody changed it in the CRM", ("retry", "done", "hand_over"), 0.1, _hours(24), quiet=True),
    "crm_field": Kind("a field that the CRM does not take", ("retry", "done"), 0.05, _hours(72), quiet=True),
    "reading": Kind("heard with doubt", ("correct", "done", "hand_over", "undo"), 0.2, _hours(24), quiet=True),
    "sample": Kind("a sampled conversation", ("done", "correct", "hand_over", "undo"), 0.05, _hours(72), quiet=True),
}  # fmt: skip
"""In the order in which one of them names a lead that has several."""
_OTHER = Kind("a person should look", ("done", "hand_over", "correct"), 0.3, _hours(8))
"""A kind that a newer version filed."""
MEETING = frozenset({"clash", "rep_left"})
"""What is about the meeting that stands: it is late once that begins."""


def kind_of(name: str) -> Kind:
    """The kind of this name; a general one for a name that this version does not know."""
    return KINDS.get(name, _OTHER)


# ---- filing and settling -----------------------------------------------------------------------------------------


def file(state: Lead, kind: str, at: datetime, about: str = "", words: str = "", due: datetime | None = None) -> Lead:
    """Have a person look. ``about`` tells it from others of its kind (an attempt, a request, a touch); what is open
    already stays as it is. ``words`` are read by people; ``due`` is its own deadline, if it has one."""
    item = Item(id=f"{kind}:{about}" if about else kind, kind=kind, since=at, about=about, words=words[:500], due=due)
    if find(state, item.id) is not None:
        return state
    return state.but(items=(*state.items, item)[-_MOST:])


def settle(
    state: Lead, kind: str, about: str | None = None, *, at: datetime | None = None, way: Way | None = None, by: str = "",
    words: str = "",
) -> Lead:  # fmt: skip
    """What is open of ``kind`` (and ``about`` that, if given) is over; with ``by``, this person resolved it so."""
    gone = [i for i in state.items if i.kind == kind and about in (None, i.about)]
    if not gone:
        return state
    done = [
        Resolved(item=i.id, kind=i.kind, way=way, by=by, words=words[:500], at=at, since=i.since)
        for i in gone if by and way is not None and at is not None
    ]  # fmt: skip
    rest = tuple(i for i in state.items if i not in gone)
    return state.but(items=rest, resolved=(*state.resolved, *done)[-_KEPT:])


def stands(state: Lead, *kinds: str) -> bool:
    """Whether something of one of these kinds is open."""
    return any(item.kind in kinds for item in state.items)


def find(state: Lead, name: str) -> Item | None:
    """The open item of this id."""
    return next((item for item in state.items if item.id == name), None)


def resolution(state: Lead, name: str) -> Resolved | None:
    """Who resolved the item of this id last, and how, as far as the lead remembers."""
    return next((each for each in reversed(state.resolved) if each.item == name), None)


def noted(before: Lead, after: Lead) -> Lead:
    """``after`` an event, with the one word that names it for lists, and the version at which the record is to hear of it:
    that people are called to something else now, or did something about it."""
    if after.items is before.items:
        return after
    loud = [item for item in after.items if not kind_of(item.kind).quiet]
    order = list(KINDS)
    word = min((i.kind for i in loud), key=lambda k: order.index(k) if k in KINDS else len(order), default="")
    if after.resolved is before.resolved and loud == [i for i in before.items if not kind_of(i.kind).quiet]:
        return after.but(review=word)
    return after.but(review=word, review_version=after.version)


def unfiled(state: Lead) -> bool:
    """Whether the record does not know yet what people are called to."""
    return state.review_version > state.reflected


def weigh(state: Lead, at: datetime, attempt: str, fact: Learned) -> Lead:
    """A person checks what was heard with doubt; the same said plainly settles it."""
    for item in state.items:
        if item.kind == "reading" and item.about.partition(":")[2] == fact.field:
            state = settle(state, "reading", item.about)
    if not fact.doubt:
        return state
    words = f"{fact.field.replace('_', ' ')} is {fact.value}? (“{fact.quote}”, {1 - fact.doubt:.0%} sure)"
    return file(state, "reading", at, f"{attempt}:{fact.field}", words)


def sample(state: Lead, ended: ConversationEnded) -> Lead:
    """A person reads this conversation, if it is one of those."""
    book = registered().get(state.playbook)
    spoke = any(line.who == "lead" for line in ended.transcript)
    if book is None or not spoke or not sampled(state, book, ended.attempt):
        return state
    return file(state, "sample", ended.at, ended.attempt)


def sampled(state: Lead, playbook: Playbook, attempt: str) -> bool:
    """Whether this conversation is one of those that a person reads, so many of all (``desk.sample``). The same each
    time that it is asked."""
    drawn = hashlib.sha256(f"{state.lead}/{attempt}".encode()).digest()
    return int.from_bytes(drawn[:4], "big") < playbook.desk.sample * 2**32


# ---- the rank ----------------------------------------------------------------------------------------------------


def priced(state: Lead, playbook: Playbook) -> tuple[Item, ...]:
    """The open items with what hangs on each, in the playbook's money, and until when somebody should look."""
    return tuple(_priced(state, playbook.desk, item) for item in state.items)


def _priced(state: Lead, desk: Desk, item: Item) -> Item:
    own = desk.kinds.get(item.kind)
    usual = kind_of(item.kind)
    stake = usual.stake if own is None or own.stake is None else own.stake
    within = usual.within if own is None or own.within is None else own.within
    stage = state.furthest if state.closed else state.stage
    odds = desk.odds.get(stage, 0.0)
    due = item.due or item.since + within
    if item.kind in MEETING and state.booking is not None and state.booking.start > item.since:
        due = min(due, state.booking.start)
    why = f"{desk.currency} {desk.worth:,.0f} a meeting held x {odds:.0%} from {stage.replace('_', ' ')} x {stake:.0%} at stake"
    return item.model_copy(update={"due": due, "worth": round(desk.worth * odds * stake, 2), "why": why})


def rank(item: Item, now: datetime) -> tuple[float, str]:
    """How much a priced item presses at ``now``, and the sum in words: what hangs on it, times how much of its time is
    gone. The more the sooner."""
    whole = max((item.due or item.since) - item.since, timedelta(seconds=1))
    left = (item.due or item.since) - now
    pressing = 1 / min(max(left / whole, _PRESSING), 1.0)
    when = f"due in {_span(left)}" if left > timedelta(0) else f"overdue by {_span(-left)}"
    return item.worth * pressing, f"{item.why} = {item.worth:,.0f}, x {pressing:.1f} ({when})"


def _span(time: timedelta) -> str:
    """A length of time in words, about: 2 hours."""
    unit = next((u for u in (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)) if time >= u), timedelta(seconds=1))
    return length(max(time // unit, 0) * unit)


# ---- whether it can be resolved so --------------------------------------------------------------------------------

PERSONAL = ("name", "email", "company", "region", "zip", "zone")
"""What a correction can set of the person beside the playbook's own fields; a new number comes with a new form."""


def unfit(state: Lead, asked: Resolve) -> tuple[str, str] | None:
    """The rule against resolving it so, and the remedy; None when it can be done."""
    item = find(state, asked.item)
    if item is None:
        known = resolution(state, asked.item)
        by = f"{known.by} resolved it already ({(known.way).replace('_', ' ')})" if known else "it is not open (any more)"
        return "not_open", by
    ways = kind_of(item.kind).ways
    if asked.way not in ways:
        return "way", f"this can be resolved by {', '.join(ways)}"
    if asked.way == "correct":
        if not (asked.words or asked.field):
            return "nothing_corrected", "say what is true: words, or field and value"
        fields = {*PERSONAL, *(registered()[state.playbook].fields if state.playbook in registered() else ())}
        if asked.field and (asked.field not in fields or not asked.value):
            return "field", f"give a value for one of {', '.join(sorted(fields))}"
        if remedy := _misspelt(asked.field, asked.value):
            return "value", remedy
    return None


def _misspelt(field: str, value: str) -> str:
    """How ``field`` of the person is written, where ``value`` is not: the calling rules go by region and zone, and would
    take what they cannot read for nothing known."""
    if field == "region" and not re.fullmatch(r"[A-Z]{2}-[A-Z0-9]{1,3}", value):
        return "write the region as US-TX (ISO 3166-2)"
    try:
        if field == "email":
            identity.email_address(value)
        if field == "zone":
            ZoneInfo(value)
    except (ValueError, OSError, KeyError) as error:
        return str(error).partition("; ")[2] if field == "email" else "write the zone as America/New_York"
    return ""
