"""Who can take a meeting: the team and its reps, with their working hours in their own zones."""

from __future__ import annotations

import yaml
from pydantic import Field

from .model import Strict


class Rep(Strict):
    """One rep. ``hours`` maps weekday (0 Monday .. 6 Sunday) to ``HH:MM-HH:MM`` spans of the wall clock in
    ``zone`` (IANA); ``24:00`` ends a day."""

    id: str
    name: str
    email: str = ""
    calendar: str
    """The calendar id at the calendar vendor."""
    zone: str
    hours: dict[int, tuple[str, ...]]
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
