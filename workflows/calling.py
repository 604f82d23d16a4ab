"""The calling gate: may this person be contacted over this channel now, by which rule, and when first?

One pure function, :func:`judge`. The plan asks it before a step is decided on, with what the lead knows of itself; the
dispatch asks it again right before the contact leaves (``activities/clearance.py``), with what has to be looked up, by
the rules as they stand then, and finally: what nobody knows counts as no.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Literal
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import PhoneNumberType as Kind

from .model import Instant, Model
from .playbook import Playbook
from .rulebook import DAYS, Basis, HolidayRow, HoursRow, Line, ListRow, Rulebook, Sent, holding
from .rules import Ruling, Span, cap_allows, first_open, house_hours, zones_of

Purpose = Literal["solicit", "service", "answer"]
"""``solicit``: a touch of the cadence or a callback. ``service``: a reminder of what they booked. ``answer``: to what
they just did; only an opt-out and the kind of line stand against it."""

Verdict = Literal["allowed", "wait", "forbidden", "unknown", "duty", "exempt"]
"""``unknown`` has yet to be looked up, and forbids where that is final; a ``duty`` forbids nothing, but has to be done."""


class Listing(Model):
    """What a do-not-call list says of a number. ``of`` is the day of the snapshot, ``on`` whether the number stands in
    it; None when that cannot be told, and ``why``."""

    name: str
    """``national``, or the state whose list it is (``US-IN``)."""
    of: date | None = None
    on: bool | None = None
    why: str = ""


class Contact(Model):
    """One contact that somebody wants to make, with all that the rules ask of it. Instants are UTC."""

    phone: str = ""
    """E.164."""
    channel: Sent = "call"
    purpose: Purpose = "solicit"
    region: str = ""
    """The state that they stated (``US-CA``)."""
    zone: str = ""
    """The time zone that they stated."""
    basis: Basis | Literal["none"] = "none"
    heard_at: Instant | None = None
    """When they last told us anything themselves: a form, a talk, a text."""
    dials: tuple[Instant, ...] = ()
    """When we dialled this number, or may have."""
    opted_out: bool | None = None
    lists: tuple[Listing, ...] = ()
    """What was looked up in do-not-call lists."""
    line: Line | None = None
    """The kind of line by a vendor's word; None when nobody asked, or there was no answer."""
    reassigned: Literal["yes", "no", "no_data"] | None = None
    """Whether the number has gone to somebody else since ``heard_at``; None likewise."""

    @property
    def for_dispatch(self) -> Contact:
        """What travels with the effect: the rest is the effect's own, or read where it is dispatched."""
        return self.model_copy(update={"phone": "", "channel": "call", "dials": (), "opted_out": None})


class Finding(Model):
    """What one rule says. ``at`` is the first instant from the one asked for at which it allows the contact, None when
    it never does by itself; ``until`` is when that ends; ``where`` is the place whose row it is."""

    rule: str
    verdict: Verdict
    reason: str
    at: Instant | None = None
    until: Instant | None = None
    where: str = ""
    source: str = ""


class Refusal(Model):
    """Why a contact was not made, by the gate that it met at its dispatch."""

    rule: str
    reason: str = ""
    where: str = ""
    source: str = ""
    at: Instant | None = None
    """When it may be tried again; None: never, as things stand."""
    tries: int = 0
    """Nobody knows what the rule needs: it may be looked up so many times, the last of them is final. 0: it is known."""


class Judgement(Ruling):
    """All rules together: ``at`` is the first instant at which every one allows it, ``rule`` the one that moved it
    furthest, or forbids it. ``findings`` are those at the instant asked for."""

    unsure: bool = False
    """It is forbidden only because nobody knows what the rule needs."""
    findings: tuple[Finding, ...] = ()

    @property
    def wanting(self) -> frozenset[str]:
        """The rules that need to know more."""
        return frozenset(f.rule for f in self.findings if f.verdict == "unknown")

    def refusal(self, at: datetime) -> Refusal | None:
        """Why not at ``at``, the instant that was asked for; None when it is allowed."""
        if self.at is not None and self.at <= at:
            return None
        found = [f for f in self.findings if (f.at is None or f.at > at) and self.unsure == (f.verdict == "unknown")]
        why = next((f for f in found if f.rule == self.rule), found[0] if found else Finding(rule=self.rule, verdict="wait", reason=""))
        return Refusal(rule=self.rule, reason=why.reason, where=why.where, source=why.source, at=self.at)


NO_RULES = Rulebook(name="", reviewed=date.min)
"""Of a playbook that names no rule file: its own hours and cap alone."""


def judge(contact: Contact, playbook: Playbook, at: datetime, rules: Rulebook | None = None, final: bool = False) -> Judgement:
    """May ``contact`` be made at ``at`` (UTC), and if not, when first? By the playbook's own limits and by ``rules``, or
    the playbook's own rule file. ``final``: nothing more is looked up, what is unknown forbids."""
    book = rules or playbook.rules or NO_RULES
    asked = _Asked(contact, playbook, book, final)
    first = findings = asked.findings(at)
    start, moved, longest = at, "", timedelta(0)
    for _ in range(64):
        stoppers = [f for f in findings if f.at is None]
        if stoppers:
            stopper = next((f for f in stoppers if f.verdict != "unknown"), stoppers[0])
            return Judgement(at=None, rule=stopper.rule, unsure=stopper.verdict == "unknown", findings=first)
        latest = max(findings, key=lambda f: f.at or at)
        if latest.at is None or latest.at <= start:
            until = min((f.until for f in findings if f.until), default=None)
            return Judgement(at=start, until=until, rule=moved, findings=first)
        if latest.at - start > longest:
            moved, longest = latest.rule, latest.at - start
        start = latest.at
        findings = asked.findings(start)
    return Judgement(at=None, rule="no_common_hours", findings=first)


@lru_cache(maxsize=4096)
def _number(phone: str) -> tuple[str, Line]:
    """Country and kind of line of a number (E.164); the kind is what its prefix says, not who carries it today."""
    if not phone:
        return "", "unknown"
    number = phonenumbers.parse(phone)
    code = number.country_code or 0
    country = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(code)
    return country, _LINES.get(phonenumbers.number_type(number), "unknown")


_LINES: dict[int, Line] = {
    Kind.FIXED_LINE: "fixed", Kind.MOBILE: "mobile", Kind.FIXED_LINE_OR_MOBILE: "fixed_or_mobile", Kind.UAN: "uan",
    Kind.TOLL_FREE: "toll_free", Kind.PREMIUM_RATE: "premium", Kind.SHARED_COST: "shared_cost", Kind.VOIP: "voip",
    Kind.PERSONAL_NUMBER: "personal", Kind.PAGER: "pager", Kind.VOICEMAIL: "voicemail",
}  # fmt: skip


def places_of(phone: str, region: str, rules: Rulebook) -> tuple[str, ...]:
    """Every place whose rows bind: the stated state, that of the area code, their countries, and everywhere."""
    states = [place for place in (region, rules.area(phone)[0]) if place]
    countries = [place.partition("-")[0] for place in states] or [_number(phone)[0]]
    return tuple(dict.fromkeys([*states, *filter(None, countries), "*"]))


def both_ends(places: tuple[str, ...], playbook: Playbook) -> tuple[str, ...]:
    """``places`` and the state from which the company calls: the stricter of both ends holds for what is recorded."""
    return tuple(dict.fromkeys([*places, *filter(None, [playbook.company.region])]))


def zones(phone: str, region: str, zone: str, rules: Rulebook | None) -> tuple[str, ...]:
    """Every zone in which they may be, by number, address and the area codes of ``rules``."""
    return zones_of(phone, region, zone, rules.area(phone)[1] if rules else ())


class _Asked:
    """One contact before the rules."""

    def __init__(self, contact: Contact, playbook: Playbook, rules: Rulebook, final: bool) -> None:
        self.contact, self.playbook, self.rules, self.final = contact, playbook, rules, final
        self.zones = zones(contact.phone, contact.region, contact.zone, rules)
        self.places = places_of(contact.phone, contact.region, rules)

    def findings(self, at: datetime) -> tuple[Finding, ...]:
        day = at.astimezone(ZoneInfo(self.zones[0])).date() if self.zones else at.date()
        return tuple(finding for rule in _RULES for finding in rule(self, at, day))

    def open(self, rule: str, at: datetime, hours: Callable[[date], Span | None], why: str, where: str, source: str) -> Finding:
        """What a rule of hours says."""
        ruling = first_open(at, self.zones, hours)
        verdict: Verdict = "forbidden" if ruling.at is None else "wait" if ruling.at > at else "allowed"
        return Finding(
            rule=rule if ruling.at else ruling.rule, verdict=verdict, reason=why, at=ruling.at, until=ruling.until,
            where=where, source=source,
        )  # fmt: skip

    def unknown(self, rule: str, reason: str, at: datetime, where: str, source: str) -> Finding:
        """What has yet to be looked up; it forbids where nobody will."""
        return Finding(rule=rule, verdict="unknown", reason=reason, at=None if self.final else at, where=where, source=source)


_Rule = Callable[[_Asked, datetime, date], Iterator[Finding]]


def _internal(asked: _Asked, at: datetime, day: date) -> Iterator[Finding]:
    source = "47 CFR 64.1200(d)"
    match asked.contact.opted_out:
        case True:
            yield Finding(rule="opted_out", verdict="forbidden", reason="they asked not to be contacted", source=source)
        case False:
            yield Finding(rule="opted_out", verdict="allowed", reason="not on our own list", at=at, source=source)
        case _:
            yield asked.unknown("opted_out", "our own list was not asked", at, "", source)


def _line(asked: _Asked, at: datetime, day: date) -> Iterator[Finding]:
    by_prefix, told = _number(asked.contact.phone)[1], asked.contact.line
    for where, row in holding(asked.rules.lines, asked.places, day):
        if asked.contact.channel not in row.channels:
            continue
        known = None if row.look_up == "never" else told
        bad = by_prefix in row.refuse or known in row.refuse
        needed = row.look_up == "required" or (row.look_up == "wanted" and not asked.final)
        if needed and not bad and known in (None, "unknown"):
            yield asked.unknown("line_type", "the kind of line was not looked up", at, where, row.source)
            continue
        reason = f"{'looked up' if known else 'by its prefix'}: the number is of the kind {(known or by_prefix).replace('_', ' ')}"
        yield Finding(
            rule="line_type", verdict="forbidden" if bad else "allowed", at=None if bad else at, where=where,
            reason=reason, source=row.source,
        )  # fmt: skip


def _consent(asked: _Asked, at: datetime, day: date) -> Iterator[Finding]:
    contact = asked.contact
    rows = [(w, r) for w, r in holding(asked.rules.consent, asked.places, day) if contact.channel in r.channels]
    own = {where.partition("-")[0] for where, _ in rows if "-" in where}
    states = [place for place in asked.places if "-" in place]
    covered = {where for where, _ in rows}
    for where, row in rows:
        if where in own and states and all(s in covered for s in states if s.startswith(f"{where}-")):
            continue  # each state where they may be has a row of its own
        if contact.purpose != "solicit":
            reason = "no consent is needed for this: they asked for it"
            yield Finding(rule="consent", verdict="exempt", reason=reason, at=at, where=where, source=row.source)
            continue
        enough = contact.basis in row.kinds
        reason = f"consent is {contact.basis}; {' or '.join(row.kinds) or 'none'} suffices"
        yield Finding(
            rule="consent", verdict="allowed" if enough else "forbidden", reason=reason, at=at if enough else None,
            where=where, source=row.source,
        )  # fmt: skip


def _national(asked: _Asked, at: datetime, day: date) -> Iterator[Finding]:
    contact, rule = asked.contact, "do_not_call"
    for where, row in holding(asked.rules.do_not_call, asked.places, day):
        lifted = ""
        if contact.purpose != "solicit":
            lifted = "no solicitation"
        elif contact.basis in row.exempt:
            lifted = f"{contact.basis} consent lifts the list"
        elif contact.heard_at is not None and at < contact.heard_at + row.inquiry:
            lifted = f"they asked us within {row.inquiry.days} days"
        if lifted:
            until = contact.heard_at + row.inquiry if contact.heard_at and lifted.startswith("they") else None
            yield Finding(rule=rule, verdict="exempt", reason=lifted, at=at, until=until, where=where, source=row.source)
        else:
            name = where if row.list == "own" else row.list
            listing = next((each for each in contact.lists if each.name == name), Listing(name=name, why="it was not asked"))
            yield _listed(asked, listing, row, where, at, day)


def _listed(asked: _Asked, listing: Listing, row: ListRow, where: str, at: datetime, day: date) -> Finding:
    rule, called = "do_not_call", f"the {listing.name} list"
    if listing.of is not None and ((age := day - listing.of) > row.fresh or age < timedelta(days=-1)):
        reason = f"the snapshot of {called} is of {listing.of}; at most {row.fresh.days} days count"
        return asked.unknown(rule, reason, at, where, row.source)
    if listing.of is None or listing.on is None:
        return asked.unknown(rule, f"{called}: {listing.why}", at, where, row.source)
    reason = f"{'on' if listing.on else 'not on'} {called} of {listing.of}"
    return Finding(
        rule=rule, verdict="forbidden" if listing.on else "allowed", reason=reason, at=None if listing.on else at,
        where=where, source=row.source,
    )  # fmt: skip


def _reassigned(asked: _Asked, at: datetime, day: date) -> Iterator[Finding]:
    contact, rule = asked.contact, "reassigned"
    for where, row in holding(asked.rules.reassigned, asked.places, day):
        heard = contact.heard_at
        if contact.purpose == "answer" or (heard is not None and at < heard + row.after):
            until = heard + row.after if heard and contact.purpose != "answer" else None
            reason = f"heard of within {row.after.days} days"
            yield Finding(rule=rule, verdict="allowed", reason=reason, at=at, until=until, where=where, source=row.source)
        elif contact.reassigned is None:
            yield asked.unknown(rule, "a long silence, and the number was not looked up", at, where, row.source)
        elif contact.reassigned == "no_data" and row.no_data == "forbids":
            yield asked.unknown(rule, "looked up: there is no data on the number", at, where, row.source)
        else:
            gone = contact.reassigned == "yes"
            reason = f"looked up: the number {'has gone to somebody else' if gone else 'is still theirs'}"
            if contact.reassigned == "no_data":
                reason = "looked up: there is no data on the number, which is enough here"
            yield Finding(
                rule=rule, verdict="forbidden" if gone else "allowed", reason=reason, at=None if gone else at,
                where=where, source=row.source,
            )  # fmt: skip


def _caps(asked: _Asked, at: datetime, day: date) -> Iterator[Finding]:
    if asked.contact.channel != "call" or asked.contact.purpose == "answer":
        return
    cadence = asked.playbook.cadence
    limits = [("", cadence.max_calls, cadence.per, "the playbook's cadence")]
    limits += [(where, r.most, r.per, r.source) for where, r in holding(asked.rules.caps, asked.places, day)]
    for where, most, per, source in limits:
        free = cap_allows(at, asked.contact.dials, most, per)
        recent = sum(at - per < dial <= at for dial in asked.contact.dials)
        yield Finding(
            rule="attempt_cap", verdict="wait" if free > at else "allowed", at=free, where=where, source=source,
            reason=f"{recent} of {most} dials within {per / timedelta(hours=1):g} h",
        )  # fmt: skip


def _hours(asked: _Asked, at: datetime, day: date) -> Iterator[Finding]:
    if asked.contact.purpose == "answer":
        yield Finding(rule="calling_hours", verdict="exempt", reason="it answers what they just did", at=at)
        return
    own = house_hours(asked.playbook.hours, asked.contact.region)
    yield asked.open("calling_hours", at, own, _told(asked, at, own(day)), "", "the playbook's hours")
    rows = [(w, r) for w, r in _dated(asked) if asked.contact.channel in r.channels]
    for where, group in groupby(sorted(rows, key=itemgetter(0)), key=itemgetter(0)):
        there = [row for _, row in group]
        source = "; ".join(dict.fromkeys(r.source for r in there))
        yield asked.open("calling_hours", at, _law(there), _told(asked, at, _law(there)(day)), where, source)


def _dated(asked: _Asked) -> Iterator[tuple[str, HoursRow]]:
    """The rows of hours of these places, whatever their dates: each day is judged by those that hold then."""
    rows = (row for row in asked.rules.hours if asked.contact.basis not in row.lifted_by)
    return ((where, row) for row in rows for where in row.where if where in asked.places)


def _law(rows: list[HoursRow]) -> Callable[[date], Span | None]:
    """The hours of one place, day by day: closed on what its rows leave out, the strictest where two say something."""

    def on(day: date) -> Span | None:
        dated = [row for row in rows if row.holds(day)]
        if not dated:
            return "00:00", "24:00"
        there = [row for row in dated if DAYS[day.weekday()] in row.days]
        span = max((row.opens for row in there), default=""), min((row.closes for row in there), default="")
        return span if span[0] < span[1] else None

    return on


def hours_on(playbook: Playbook, place: str, day: date) -> Span | None:
    """When somebody in ``place`` (``US-FL``) may be called on that local day, by the playbook and its rules."""
    spans = [house_hours(playbook.hours, place)(day)]
    if playbook.rules is not None:
        for each in {place, place.partition("-")[0], "*"}:
            spans.append(_law([row for row in playbook.rules.hours if each in row.where and "call" in row.channels])(day))
    opens, closes = (side([s[i] for s in spans if s], default="") for i, side in enumerate((max, min)))
    return (opens, closes) if all(spans) and opens < closes else None


def _told(asked: _Asked, at: datetime, span: Span | None) -> str:
    local = ", ".join(f"{at.astimezone(ZoneInfo(zone)):%a %H:%M} {zone}" for zone in asked.zones) or "an unknown time"
    return f"{f'{span[0]} to {span[1]}' if span else 'closed'} on that day; it is {local}"


def _holidays(asked: _Asked, at: datetime, day: date) -> Iterator[Finding]:
    if asked.contact.purpose != "solicit":
        return
    for row in asked.rules.holidays:
        if asked.contact.channel in row.channels and asked.contact.basis not in row.lifted_by:
            for where in (place for place in row.where if place in asked.places):
                yield asked.open("holiday", at, _free(row), row.closed(day) or "no holiday", where, row.source)


def _free(row: HolidayRow) -> Callable[[date], Span | None]:
    return lambda day: None if row.closed(day) else ("00:00", "24:00")


def _duties(asked: _Asked, at: datetime, day: date) -> Iterator[Finding]:
    if asked.contact.channel == "call":
        for where, row in holding(asked.rules.recording, both_ends(asked.places, asked.playbook), day):
            yield Finding(rule="recording", verdict="duty", reason=row.duty, at=at, where=where, source=row.source)
    for where, row in holding(asked.rules.disclosure, asked.places, day):
        yield Finding(rule="disclosure", verdict="duty", reason=row.duty, at=at, where=where, source=row.source)


_RULES: tuple[_Rule, ...] = (
    _internal, _line, _consent, _national, _reassigned, _caps, _hours, _holidays, _duties,
)  # fmt: skip
"""What forbids stands first: its name is told before that of a rule which only delays."""
