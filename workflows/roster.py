"""Who can take a meeting: the team and its reps, with their working hours in their own zones."""

from __future__ import annotations

from datetime import date

import yaml
from pydantic import Field, model_validator

from .model import Strict


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

    id: str
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
    weight: float = Field(default=1.0, gt=0)
    active: bool = True


class Team(Strict):
    id: str
    reps: tuple[Rep, ...]


def read_team(text: str) -> Team:
    """Parse a team's YAML. Raises pydantic.ValidationError naming the field."""
    return Team.model_validate(yaml.safe_load(text))
