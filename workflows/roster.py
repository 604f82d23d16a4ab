"""Who can take a meeting: the team and its reps, with their working hours in their own zones."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

import yaml
from pydantic import Field, model_validator

from .model import Duration, Strict


class Away(Strict):
    """Out of office on the days from ``first`` to ``last``, both included, in the rep's zone."""

    first: date
    last: date
    why: str = "out of office"

    @model_validator(mode="after")
    def _in_order(self) -> Away:
        if self.last < self.first:
            raise ValueError("last must not be before first")
        return self


class Rep(Strict):
    """One rep. ``hours`` maps weekday (0 Monday .. 6 Sunday) to ``HH:MM-HH:MM`` spans of the wall clock in
    ``zone`` (IANA); ``24:00`` ends a day. ``overrides`` gives a date hours of its own (none: a day off) and outranks
    the weekday, holidays and absences."""

    id: str = Field(pattern=r"^[A-Za-z0-9][\w.-]*$")
    name: str
    email: str = ""
    calendar: str
    """The calendar id at the calendar vendor."""
    zone: str
    hours: dict[int, tuple[str, ...]]
    overrides: dict[date, tuple[str, ...]] = Field(default_factory=dict)
    away: tuple[Away, ...] = ()
    holidays: str = ""
    """Public holidays that the rep keeps: a country, or a country and its part, as ``US``, ``US-CA``, ``DE-BY``."""
    daily: int | None = Field(default=None, ge=1)
    """Meetings of ours that the rep takes in a day at most, counted on the rep's own wall clock; ``weekly`` from
    Monday to Sunday."""
    weekly: int | None = Field(default=None, ge=1)
    slack: str = ""
    crm_owner: str = ""
    """The rep's owner id in the CRM."""
    languages: tuple[str, ...] = ()
    """Language codes, as ``es`` or ``pt-BR``; a lead whose language is known goes to who speaks it, if anybody does."""
    skills: tuple[str, ...] = ()
    weight: float = Field(default=1.0, gt=0)
    active: bool = True


class Route(Strict):
    """Leads for whom all of ``when`` holds (a fact of the lead -> accepted values, see ``workflows/routing.py``) go to
    the reps of ``to``, or to those with all of ``skills``. When none of them takes meetings: to the pool, or, with
    ``queue``, to a person who decides."""

    name: str
    when: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    to: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    otherwise: Literal["pool", "queue"] = "pool"

    @model_validator(mode="after")
    def _names_somebody(self) -> Route:
        if not self.to and not self.skills:
            raise ValueError(f"route {self.name}: names nobody; give to: or skills:")
        return self


class Team(Strict):
    id: str
    reps: tuple[Rep, ...]
    routes: tuple[Route, ...] = ()
    owner_within: Duration = timedelta(days=14)
    """A lead's owner is offered alone while they have a time within this; after it the pool is asked."""

    @model_validator(mode="after")
    def _routes_name_reps(self) -> Team:
        known = {rep.id for rep in self.reps}
        for route in self.routes:
            if unknown := sorted(set(route.to) - known):
                raise ValueError(f"route {route.name}: {', '.join(unknown)} is nobody in the team {self.id}; fix to:")
        return self


def read_team(text: str) -> Team:
    """Parse a team's YAML. Raises pydantic.ValidationError naming the field."""
    return Team.model_validate(yaml.safe_load(text))
