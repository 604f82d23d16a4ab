"""Who takes part in a run: people of different kinds, one of each, drawn from a seed.

Whatever the hour, each has a number in a country or state where it is daytime now, so that all may lawfully be
called. Where a numbering plan sets numbers aside for fiction, those are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from typing import Any, Literal
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as number_zones
from pydantic import Field

from workflows.model import Strict

from .personas import CAST, Character, Kind

OPENS, CLOSES = time(9, 15), time(18, 30)
"""Local hours within which a number is drawn: inside 9:00-19:00, with room for a run."""


@dataclass(frozen=True)
class _Range:
    """A range of numbers: ``prefix`` and ``digits`` more after it, all in the one time zone ``zone``; the first of
    them is ``first``, and there are ``count`` (0: all)."""

    prefix: str
    digits: int
    zone: str
    first: int = 0
    count: int = 0


def _fiction(area: str, zone: str) -> _Range:
    """555-0100 to 555-0199 of a North American area code."""
    return _Range(f"+1{area}5550", 3, zone, 100, 100)


# US states with no stricter hours or days than the federal ones, and area codes that lie in one zone as a whole.
_RANGES = (
    *(_fiction(area, "America/New_York") for area in ("212", "404", "614", "704")),
    *(_fiction(area, "America/Chicago") for area in ("312", "414", "314")),
    *(_fiction(area, "America/Denver") for area in ("303", "801")),
    *(_fiction(area, "America/Phoenix") for area in ("602", "480")),
    *(_fiction(area, "America/Los_Angeles") for area in ("415", "213", "619")),
    _fiction("808", "Pacific/Honolulu"),
    _Range("+44207946", 4, "Europe/London"),
    _Range("+4930231", 5, "Europe/Berlin", 25_000, 1_000),
    _Range("+6125550", 4, "Australia/Sydney"),
    _Range("+649300", 4, "Pacific/Auckland"),
    _Range("+81312", 6, "Asia/Tokyo", 300_000, 90_000),
    _Range("+91112345", 4, "Asia/Calcutta"),
    _Range("+9714412", 4, "Asia/Dubai", 1000, 9000),
    _Range("+656123", 4, "Asia/Singapore"),
    _Range("+27111", 6, "Africa/Johannesburg", 230_000, 9_000),
    _Range("+551123", 6, "America/Sao_Paulo", 400_000, 90_000),
)

_FIRST = (
    "Amara",
    "Ben",
    "Carla",
    "Dmitri",
    "Elena",
    "Farid",
    "Grace",
    "Hiro",
    "Ines",
    "Jonas",
    "Kavya",
    "Liam",
    "Mei",
    "Nadia",
    "Oscar",
    "Priya",
    "Quentin",
    "Rosa",
    "Samir",
    "Tess",
    "Umar",
    "Vera",
    "Wes",
    "Ximena",
    "Yusuf",
    "Zoe",
)
_LAST = (
    "Abbott",
    "Bauer",
    "Castillo",
    "Dahl",
    "Eriksen",
    "Fontaine",
    "Garcia",
    "Haddad",
    "Ivanova",
    "Jensen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Novak",
    "Okoye",
    "Petrov",
    "Quinn",
    "Rahman",
    "Silva",
    "Tanaka",
    "Umarov",
    "Vargas",
    "Weber",
    "Xu",
    "Yamada",
    "Zeller",
)
_COMPANIES = (
    "Alder & Finch",
    "Bluewater Freight",
    "Cobalt Supply",
    "Dovetail Joinery",
    "Eastgate Foods",
    "Fernhill Medical",
    "Granite Parts",
    "Harbor Tools",
    "Ironbridge Motors",
    "Juniper Goods",
    "Kestrel Outdoor",
    "Larkspur Dental",
    "Marlow Electric",
    "Northfield Farms",
)
_USE_CASES = (
    "keeping our stock counts right",
    "knowing what is in the vans",
    "counting parts across two warehouses",
    "reordering before we run out",
    "getting rid of our stock spreadsheets",
)
_TIMELINES = ("this quarter", "right now", "this year")
_ROLES = ("I decide on that myself", "My partner and I decide together", "That is my decision")
_ASIDES = ("", "", "", "What does it cost, by the way?", "How long does the demo take?", "Are you a robot?")
_PROMISES = (
    "We call you back within a minute.",
    "A specialist will call you right away.",
    "Expect our call in a moment.",
)
_CONSENT = "I agree to be called and texted about my request, also by an automated voice. I can opt out at any time."


class Post(Strict):
    """One time that the form is sent: ``delay`` seconds after the run began."""

    delay: float
    form: dict[str, Any]


class Outcome(Strict):
    """What must hold of the lead at the end: it is closed with ``disposition`` and, where ``furthest`` is set, has
    reached that stage. At least ``calls_at_least`` and at most ``calls_at_most`` calls were dialled by us; ``inbound``: they also rang us;
    ``recovered``: a missed meeting was followed by one that was held; ``asked``: nobody knew whether they came, and the
    rep said it; ``booked``: how many meetings were booked;
    ``silent_after``: no call or text of ours after the opt-out, but one confirming text."""

    stage: Literal["closed"] = "closed"
    disposition: str
    furthest: str = ""
    calls_at_least: int = 0
    calls_at_most: int = 6
    inbound: bool = False
    recovered: bool = False
    asked: bool = False
    booked: int = 0
    silent_after: bool = False


class Member(Strict):
    """One of the cast: who they are, when they send which form, and what must become of their lead."""

    persona: Kind
    character: Character
    posts: tuple[Post, ...] = Field(min_length=1)
    expect: Outcome

    @property
    def number(self) -> str:
        return self.character.number

    @property
    def form(self) -> dict[str, Any]:
        """The form as first sent."""
        return self.posts[0].form

    @property
    def delay(self) -> float:
        """Seconds from the run's begin to the first form."""
        return self.posts[0].delay


_EXPECT: dict[Kind, Outcome] = {
    "books_and_shows": Outcome(disposition="showed", furthest="showed", calls_at_least=1, booked=1),
    "voicemail_then_books": Outcome(disposition="showed", furthest="showed", calls_at_least=2, booked=1),
    "rings_back": Outcome(disposition="showed", furthest="showed", calls_at_least=1, inbound=True, booked=1),
    "no_show_recovered": Outcome(disposition="showed", furthest="showed", calls_at_least=2, recovered=True, asked=True, booked=2),
    "not_interested": Outcome(disposition="not_interested", calls_at_least=1),
    "says_stop": Outcome(disposition="opted_out", calls_at_least=1, calls_at_most=1, silent_after=True),
    "twice": Outcome(disposition="showed", furthest="showed", calls_at_least=1, calls_at_most=1, booked=1),
    "cut_off": Outcome(disposition="showed", furthest="showed", calls_at_least=2, calls_at_most=2, booked=1),
}


def draw(seed: int, now: datetime) -> list[Member]:
    """The cast of ``seed`` as of ``now``: one of each kind, in the order in which they send their forms. The same
    seed at the same instant gives the same cast."""
    random = Random(seed)
    kinds = list(CAST)
    random.shuffle(kinds)
    kinds.sort(key=lambda kind: kind != "no_show_recovered")  # two meetings take longest: they begin
    numbers = _numbers(random, now, len(kinds))
    firsts, lasts = random.sample(_FIRST, len(kinds)), random.sample(_LAST, len(kinds))
    companies = random.sample(_COMPANIES, len(kinds))
    members, delay = [], 0.0
    for index, kind in enumerate(kinds):
        who = _character(random, kind, numbers[index], f"{firsts[index]} {lasts[index]}", companies[index])
        members.append(_member(random, seed, index, who, round(delay, 2)))
        delay += random.uniform(0.3, 2.0)
    return members


def _character(random: Random, kind: Kind, number: str, name: str, company: str) -> Character:
    domain = "".join(c for c in company.lower() if c.isalnum())
    return Character(
        kind=kind,
        number=number,
        name=name,
        email=f"{name.lower().replace(' ', '.')}@{domain}.example",
        company=company,
        use_case=random.choice(_USE_CASES),
        team_size=random.choice((5, 8, 12, 17, 25, 40, 65, 120)),
        timeline=random.choice(_TIMELINES),
        role=random.choice(_ROLES),
        # Who misses the meeting takes the soonest, so that there is time to win them back.
        slot=0 if kind == "no_show_recovered" else random.choice((0, 0, 1)),
        aside=random.choice(_ASIDES),
        seed=random.randrange(1 << 30),
    )


def _member(random: Random, seed: int, index: int, who: Character, delay: float) -> Member:
    form: dict[str, Any] = {
        "submission_id": f"cast-{seed}-{index}-{random.randrange(1 << 32):08x}",
        "name": who.name,
        "phone": _written(random, who.number),
        "email": who.email,
        "company": who.company,
        "message": random.choice(("I would like to see a demo.", "Please show me how it works.", "")),
        "source": random.choice(("website", "ads", "webinar")),
        "utm_source": random.choice(("google", "newsletter", "linkedin")),
        "utm_campaign": random.choice(("autumn", "launch")),
        "promise": random.choice(_PROMISES),
        "consent": True,
        "consent_text": _CONSENT,
        "consent_version": "2026-11",
    }
    posts = [Post(delay=delay, form=form)]
    if who.kind == "twice":
        again = dict(form)
        if random.random() < 0.5:  # they filled it in again; otherwise the browser sent the same one twice
            again["submission_id"] += "-again"
        posts.append(Post(delay=round(delay + random.choice((0.0, 0.04, 1.5)), 2), form=again))
    return Member(persona=who.kind, character=who, posts=tuple(posts), expect=_EXPECT[who.kind])


def _written(random: Random, number: str) -> str:
    """The number as people write it into a form."""
    parsed = phonenumbers.parse(number)
    style = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(parsed, random.choice((style.E164, style.INTERNATIONAL)))


def visitor(now: datetime, seed: int | None = None) -> dict[str, str]:
    """Somebody to fill in a form as: the fields of a person with a number where it is daytime at ``now``, so that the
    calling hours let the phone ring at once: their zone goes along, lest that of the browser, where it may be night,
    count as well. Drawn from ``seed``, else from the second."""
    random = Random(int(now.timestamp()) if seed is None else seed)
    (number,) = _numbers(random, now, 1)
    (zone,) = number_zones.time_zones_for_number(phonenumbers.parse(number))
    name, company = f"{random.choice(_FIRST)} {random.choice(_LAST)}", random.choice(_COMPANIES)
    who = _character(random, CAST[0], number, name, company)
    return {"name": name, "phone": number, "email": who.email, "company": company, "zone": zone}


def _numbers(random: Random, now: datetime, count: int) -> list[str]:
    """``count`` different valid numbers whose one time zone has daytime at ``now``, over as many zones as there are."""
    by_zone: dict[str, list[_Range]] = {}
    for one in _RANGES:
        if _daytime(one.zone, now):
            by_zone.setdefault(one.zone, []).append(one)
    zones = sorted(by_zone)
    random.shuffle(zones)
    found: list[str] = []
    turn = 0
    while len(found) < count:
        one = random.choice(by_zone[zones[turn % len(zones)]])
        turn += 1
        span = one.count or 10**one.digits
        number = f"{one.prefix}{one.first + random.randrange(span):0{one.digits}d}"
        parsed = phonenumbers.parse(number)
        if (
            number not in found
            and phonenumbers.is_valid_number(parsed)
            and len(number_zones.time_zones_for_number(parsed)) == 1
        ):
            found.append(number)
    return found


def _daytime(zone: str, now: datetime) -> bool:
    """Whether it is between OPENS and CLOSES in ``zone`` now and in ten minutes, on the same day."""
    local = now.astimezone(ZoneInfo(zone))
    later = (now + timedelta(minutes=10)).astimezone(ZoneInfo(zone))
    return local.date() == later.date() and local.time() >= OPENS and later.time() <= CLOSES
