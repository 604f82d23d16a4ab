"""What must hold of any month of any lead, judged from the log of what happened alone.

Nothing of the planner is used: hours, caps and promises are worked out here once more, from tables of this module. Each
rule gives its complaints, in words; none means that it held.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from tests.months import Fact, Month
from workflows.effects import Entry

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)

HOURS = {
    "+14155550123": [("America/Los_Angeles", 8, 21)],
    "+12125550123": [("America/New_York", 8, 21)],
    "+18505550123": [("America/New_York", 8, 20), ("America/Chicago", 8, 20)],  # Florida, on both sides of the line
    "+16025550123": [("America/Phoenix", 8, 21)],
    "+18085550123": [("Pacific/Honolulu", 8, 21)],
    "+12065550123": [("America/Los_Angeles", 8, 20)],
}
"""Where each number may be, and its hours there by the law of its state."""
MOST, PER = 3, timedelta(hours=24)
GAP = timedelta(seconds=90)
LATE = 15 * _MINUTE
"""A promised call that is later than this has to be explained."""
WAITS_FOR_PEOPLE = frozenset({"taken_over", "paused", "suspended", "approval", "opt_out", "rep_left", "attendance", "closed"})
"""Rules under which a lead may rest without a time: somebody has to come back to it."""
EXPLAINS = frozenset({"not_called", "ambiguous", "taken_over", "held", "suspended"})
"""Lines of the story that say why a call was not made when it was promised, whatever their words."""


def judged(month: Month) -> list[str]:
    """Every complaint about this month."""
    return [f"seed {month.seed} {month.persona.name}: {name}: {words}" for name, rule in RULES.items() for words in rule(month)]


def _of(month: Month, *kinds: str) -> list[Fact]:
    return [fact for fact in month.facts if fact.kind in kinds]


def _solicits(fact: Fact) -> bool:
    return fact.kind == "dial" or fact.touch.startswith("cadence/")


# ---- nobody is contacted who must not be ---------------------------------------------------------------------------


def silence(month: Month) -> Iterator[str]:
    """Nothing goes out after an opt-out was heard, but one word that says so."""
    heard = next(iter(_of(month, "opt_out_heard")), None)
    said = [f.at for f in _of(month, "opt_out_said")]
    if said and heard is None:
        yield f"said stop at {said[0]:%m-%d %H:%M}, and nobody heard"
    if heard is None:
        return
    after = [f for f in month.facts[month.facts.index(heard) :] if f.kind in ("dial", "text")]
    confirmations = [f for f in after if f.kind == "text" and f.message == "opted_out"]
    for fact in after:
        if fact not in confirmations[:1]:
            yield f"{fact.kind} {fact.touch} {fact.at - heard.at} after the opt-out"


def hours(month: Month) -> Iterator[str]:
    """Calls and solicitations only while every place where the number may be is open."""
    for fact in _of(month, "dial", "text"):
        if fact.kind == "text" and not fact.touch.startswith(("cadence/", "reminder/")):
            continue
        for zone, opens, closes in HOURS[month.phone]:
            local = fact.at.astimezone(ZoneInfo(zone))
            if not opens <= local.hour < closes:
                yield f"{fact.kind} {fact.touch} at {local:%a %H:%M} in {zone}"


def caps(month: Month) -> Iterator[str]:
    """At most so many dials of a number in any 24 hours."""
    dials = [f.at for f in _of(month, "dial")]
    for index, at in enumerate(dials):
        recent = index + 1 - bisect_left(dials, at - PER + timedelta(microseconds=1), 0, index + 1)
        if recent > MOST:
            yield f"{recent} dials in the 24 hours to {at:%m-%d %H:%M}"


def gap(month: Month) -> Iterator[str]:
    """Two solicitations never come on each other's heels."""
    made = [f for f in _of(month, "dial", "text") if _solicits(f) and not f.touch.startswith("resumption/")]
    for one, other in pairwise(made):
        if other.at - one.at < GAP:
            yield f"{other.touch} only {(other.at - one.at).total_seconds():.0f} s after {one.touch}"


def one_call(month: Month) -> Iterator[str]:
    """Nothing is dialled while they are on the line with us, or their phone rings."""
    under_way: set[str] = set()
    for fact in _of(month, "dial", "inbound", "hung_up"):
        if fact.kind == "hung_up":
            under_way.discard(fact.sid)
            continue
        if fact.kind == "dial" and under_way:
            yield f"{fact.sid} dialled while {', '.join(sorted(under_way))} was under way"
        under_way.add(fact.sid)


def touches_once(month: Month) -> Iterator[str]:
    """No touch of the cadence is made twice in one life of the lead, and no text of theirs answered twice."""
    seen: set[str] = set()
    for fact in _of(month, "text", "closed", "reply"):
        if fact.kind == "closed":
            seen.clear()
            continue
        keys = [fact.touch] if fact.kind == "text" else list(fact.messages) if fact.reply else []
        for key in keys:
            if key in seen:
                yield f"{key} twice"
            seen.add(key)


# ---- what was promised and what was said ---------------------------------------------------------------------------

_OVERTAKES = ("opt_out_heard", "booked", "inbound", "closed", "taken_over", "briefed", "promised", "asked")
"""After these a promised call is no longer what they wait for: they were spoken with since, or somebody else has them."""


def promises(month: Month) -> Iterator[str]:
    """A call that was asked for is made at its time, or the story says why not."""
    for promise in _of(month, "promised"):
        rest = month.facts[month.facts.index(promise) + 1 :]
        dials = [f for f in rest if f.kind == "dial" and f.touch.startswith("callback/")]
        kept = next((f for f in dials if f.at >= promise.due - _MINUTE), None)
        overtaken = next((f for f in rest if f.kind in _OVERTAKES), None)
        if overtaken is not None and overtaken.at <= promise.due + LATE and (kept is None or overtaken.at < kept.at):
            continue
        end = kept.at if kept else month.now
        if end - promise.due <= LATE:
            continue
        if not any(_explains(e) for e in month.story if promise.at <= e.at <= end):
            what = f"made {end - promise.due} late" if kept else "never made"
            yield f"the call promised for {promise.due:%m-%d %H:%M} was {what}, and nothing says why"


def _explains(line: Entry) -> bool:
    """A wait has to name the promised call, or a rule that keeps all calls back."""
    waits = line.kind == "waiting" and ("callback" in line.text or line.rule in WAITS_FOR_PEOPLE)
    return waits or line.kind in EXPLAINS


def asked_once(month: Month) -> Iterator[str]:
    """Every conversation knows what they said in the ones before."""
    known: dict[str, str] = {}
    for fact in _of(month, "said", "briefed"):
        if fact.kind == "said":
            known[fact.field] = fact.value
            continue
        for field, value in known.items():
            if fact.learned.get(field) != value:
                yield f"{field} was said to be {value}, and the talk at {fact.at:%m-%d %H:%M} knows {fact.learned.get(field)!r}"


def one_meeting(month: Month) -> Iterator[str]:
    """At most one meeting stands: each new one moves the one before, unless that is over."""
    stands: Fact | None = None
    for fact in _of(month, "booked", "cancelled", "met", "missed"):
        if fact.kind == "booked":
            if stands is not None and fact.moved != stands.booking and fact.at < stands.start:
                yield f"{fact.booking} was booked while {stands.booking} stood"
            stands = fact
        elif stands is not None and fact.booking == stands.booking:
            stands = None


# ---- how it ends -----------------------------------------------------------------------------------------------------


def closes_for_a_reason(month: Month) -> Iterator[str]:
    """Goal, refusal, rule, or every touch made or left out by a rule."""
    for closed in _of(month, "closed"):
        before = month.facts[: month.facts.index(closed)]
        kinds = {f.kind for f in before}
        declined = {f.disposition for f in before if f.kind == "asked"}
        match closed.disposition:
            case "showed":
                fine = "met" in kinds
            case "opted_out":
                fine = "opt_out_heard" in kinds
            case "not_interested" | "wrong_person" | "not_fit":
                fine = closed.disposition in declined
            case "no_show" if closed.state.pass_no >= month.book.cadence.passes and closed.state.pass_began is None:
                fine = "missed" in kinds
            case "unresponsive" | "no_show":
                yield from _missing(month, closed)
                fine = closed.disposition == "unresponsive" or "missed" in kinds
            case _:
                fine = False
        if not fine:
            yield f"closed as {closed.disposition!r} at {closed.at:%m-%d %H:%M}, and nothing that happened says so"


def _missing(month: Month, closed: Fact) -> Iterator[str]:
    """Touches that were due in the last pass and neither made nor left out by a rule."""
    state = closed.state
    cadence = month.book.cadence
    due = cadence.first if state.pass_kind == "first" else cadence.recovery
    made = {t.touch if t.channel == "call" else t.attempt for t in state.touches}
    for index, touch in enumerate(due):
        key = f"cadence/{state.pass_no}/{index}/{touch.name}"
        if key not in made and not state.passed.get(key):
            yield f"closed as exhausted, but {key} was neither made nor left out by a rule"


def wakes(month: Month) -> Iterator[str]:
    """A lead that is not closed has something that will wake it, or somebody who has to come back to it."""
    for fact in _of(month, "idle"):
        if fact.rule not in WAITS_FOR_PEOPLE:
            yield f"rests without a time, and only says {fact.rule}: {fact.reason}"
    if month.rests is not None and not month.ended:
        yield f"goes on no more in {month.state.stage}: {month.rests.rule}, {month.rests.reason}"


RULES: dict[str, Callable[[Month], Iterator[str]]] = {
    rule.__name__: rule
    for rule in (
        silence, hours, caps, gap, one_call, touches_once, promises, asked_once, one_meeting, closes_for_a_reason, wakes,
    )
}  # fmt: skip
