"""Conversations whose transcript is spoilt as a recogniser spoils it: what was booked and kept though nobody meant it.

The truth is what they said before it was spoilt: the time that they chose, and the values that stand in the scenario, or
that its words have in a clean recording of the same conversation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import cache

from clients.evaluation import scenario
from clients.evaluation.corrupt import spoiler, vocabulary
from clients.evaluation.play import Played, at_once, play
from clients.evaluation.scenario import Scenario
from workflows.conversation.understand import value_of

from . import played

EXACT = ("email", "number", "name")
"""Kinds of fields whose every letter counts."""

SPELLED = """
audiences: {inbound: {}, outbound: {}}
scenarios:
  tells_name_number_and_address:
    lead: {inbound: true, name: "", email: "", known: {use_case: counts, timeline: quarter, current_way: paper, role: decides}}
    book: {qualification: {required: [name, team_size, email]}}
    only: inbound
    turns:
      - {says: "Hi, I would like to see a demo."}
      - answers: {name: "My name is Robin Hale.", team_size: "We are fourteen people.", email: "It is robin dot hale at example dot com."}
      - {says: "Wednesday at nine, please."}
      - {says: "No, that's all."}
    expect: {learned: {name: Robin Hale, team_size: "14", email: robin.hale@example.com}, books: 2026-11-25 09:00 ana}
    bookable: true
  tells_sites_and_address:
    lead: {name: Robin Hale, email: "", known: {current_way: paper}}
    book: {qualification: {required: [sites, email]}}
    only: outbound
    turns:
      - {says: "Yes, go ahead."}
      - answers: {sites: "We have nineteen locations.", email: "r hale 47 at example dot com"}
      - {says: "Half past three tomorrow, please."}
      - {says: "No, that's all."}
    expect: {learned: {sites: "19", email: rhale47@example.com}, books: 2026-11-24 15:30 ben}
    bookable: true
"""
"""Beside the bundled scenarios: who is asked for all that must be exact."""


@dataclass
class Tally:
    """What came of many spoilt conversations."""

    played: int = 0
    bookable: int = 0
    booked: int = 0
    read_back: int = 0
    """Things that were read back to them."""
    wrong: list[str] = field(default_factory=list)
    """Booked times that they did not choose."""
    misheard: list[str] = field(default_factory=list)
    """E-mail addresses, numbers and names that were kept though they said another."""
    unended: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count ``other`` in."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@cache
def spelled() -> tuple[Scenario, ...]:
    """The scenarios of :data:`SPELLED`."""
    return tuple(scenario.parse(SPELLED, "spelled.yml"))


@cache
def all_of_them() -> tuple[Scenario, ...]:
    """Every scenario that may be spoilt."""
    return (*spelled(), *(each for each in played.scenarios().values() if each.corrupt))


@cache
def _words() -> dict[str, tuple[str, ...]]:
    return vocabulary(turn.says for each in all_of_them() for turn in each.turns)


@cache
def _clean(title: str) -> Played:
    """The same conversation, heard without a fault."""
    wanted = next(each for each in all_of_them() if each.title == title)
    return at_once(play(wanted, wanted.adapted(played.books()[wanted.audience]), played.MODEL))


def once(wanted: Scenario, rate: float, seed: int, tells: bool = True) -> Tally:
    """One conversation with ``rate`` of its words spoilt; ``tells``: the recogniser says how sure it is."""
    book = wanted.adapted(played.books()[wanted.audience])
    spoil = spoiler(rate, f"{seed}/{wanted.title}", _words(), tells)
    came = at_once(play(wanted, book, played.MODEL, spoil))
    said = {name: words for turn in wanted.turns for name, words in turn.answers.items() if name in book.fields}
    truth = {name: value_of(book.fields[name], words) for name, words in said.items()}
    truth |= _clean(wanted.title).learned | wanted.expect.learned
    where = f"{wanted.title} at {rate:.0%}, seed {seed}"
    new = came.learned.items() - wanted.lead.known.items()
    exact = [(name, value) for name, value in sorted(new) if name in book.fields and book.fields[name].kind in EXACT]
    asked = book.speech.read_back.partition("{")[0]
    return Tally(
        played=1,
        bookable=int(wanted.bookable),
        booked=int(wanted.bookable and bool(came.bookings) and not came.wrong),
        read_back=came.said.count(asked) if asked else 0,
        wrong=[f"{where}: {slot}" for slot in came.wrong],
        misheard=[f"{where}: {name} {value!r}, said {truth.get(name)!r}" for name, value in exact if value != truth.get(name)],
        unended=[] if came.over else [where],
    )


def many(wanted: Iterable[Scenario], rate: float, seeds: Iterable[int], tells: bool = True) -> Tally:
    """All of ``wanted`` with each of the ``seeds``."""
    total, drawn = Tally(), tuple(seeds)
    for each in wanted:
        for seed in drawn:
            total.add(once(each, rate, seed, tells))
    return total
