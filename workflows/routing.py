"""Which reps may take a lead's meeting: the team's written rules over what is known of the lead, else everybody.

Pure. The rules stand in the team's file (``routes``), the first that matches wins, and every answer says why.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from .events import Form, Learned
from .playbook import Playbook
from .roster import Rep, Team

_SAID = ("number", "choice", "yes_no")
"""Kinds of learned fields that rules may name: a free text, a name or an address is nobody's territory."""


class Routed(NamedTuple):
    """The reps who may take the meeting, in the roster's order, and the rule that says so; "" when no rule does.
    ``queue``: nobody of them takes meetings, and the rule wants a person to look rather than the pool."""

    reps: tuple[str, ...]
    why: str = ""
    queue: bool = False


def facts(playbook: Playbook, person: Form | None, learned: Mapping[str, Learned]) -> dict[str, str]:
    """What rules may ask of a lead: ``region`` (US-CA), ``country`` (US), ``source``, ``language``, ``utm_*``, and what
    was learned in fields of numbers and choices. Nothing that names the person."""
    known: dict[str, str] = {}
    if person is not None:
        known = {"region": person.region, "country": person.region.partition("-")[0], "source": person.source}
        known |= {f"utm_{name.removeprefix('utm_')}": value for name, value in person.utm.items()}
        known["language"] = person.attributes.get("language", "")
        known |= {
            name: value for name, value in person.attributes.items()
            if name in playbook.fields and playbook.fields[name].kind in _SAID
        }  # fmt: skip
    known |= {
        name: found.value for name, found in learned.items()
        if name in playbook.fields and playbook.fields[name].kind in _SAID
    }  # fmt: skip
    return {name: value for name, value in known.items() if value}


def route(team: Team, active: Mapping[str, Rep], known: Mapping[str, str]) -> Routed:
    """Who of the ``active`` reps may take a lead of whom this is ``known``."""
    speakers = _speakers(active.values(), known.get("language", ""))
    for rule in team.routes:
        if not all(matches(accepted, known.get(name, "")) for name, accepted in rule.when.items()):
            continue
        named = [
            rep for rep in active.values() if rep.id in rule.to or (rule.skills and set(rule.skills) <= set(rep.skills))
        ]
        fit = [rep.id for rep in named if not speakers or rep.id in speakers] or [rep.id for rep in named]
        if fit:
            return Routed(tuple(fit), f"by the rule {rule.name!r}")
        if rule.otherwise == "queue":
            return Routed((), f"the rule {rule.name!r} names nobody who takes meetings now", queue=True)
        return Routed(_pool(active, speakers), f"nobody of the rule {rule.name!r} takes meetings now, so the pool")
    why = f"speaks {known['language']}" if speakers else ""
    return Routed(_pool(active, speakers), why)


def matches(accepted: Collection[str], value: str) -> bool:
    """Whether ``value`` is one of ``accepted``: a word, a pattern with ``*``, or a number's bound such as ``>=50``."""
    return bool(value) and any(_accepts(text, value) for text in accepted)


def _accepts(text: str, value: str) -> bool:
    for sign in (">=", "<=", ">", "<"):
        if text.startswith(sign):
            try:
                bound, number = float(text[len(sign) :]), float(value)
            except ValueError:
                return False
            return {">=": number >= bound, "<=": number <= bound, ">": number > bound, "<": number < bound}[sign]
    return fnmatchcase(value.casefold(), text.casefold())


def _speakers(reps: Collection[Rep], language: str) -> set[str]:
    """Those who say that they speak it (``es`` covers ``es-MX``); empty when it is unknown or nobody does."""
    if not language:
        return set()
    wanted = language.casefold().partition("-")[0]
    return {rep.id for rep in reps if any(each.casefold().partition("-")[0] == wanted for each in rep.languages)}


def _pool(active: Mapping[str, Rep], speakers: Collection[str]) -> tuple[str, ...]:
    return tuple(rep for rep in active if not speakers or rep in speakers)
