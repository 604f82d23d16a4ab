"""Who can take a meeting: the team and its reps, with their working hours in their own zones."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

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
    phone: str = Field(default="", pattern=r"^(\+[1-9]\d{6,14})?$")
    """Where calls are put through to, in E.164, in the rep's hours; empty: none are."""
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


class DailyDigest(Strict):
    """The day in a few lines for the reps' channel, at the wall-clock time ``at`` of the day after, in ``zone`` (IANA; the
    first rep's when empty). An open lead of whom nothing was told for ``stuck`` is a leak; ``off``: none is posted."""

    at: str = Field(default="08:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    zone: str = ""
    stuck: Duration = timedelta(days=3)
    off: bool = False

    @model_validator(mode="after")
    def _is_zone(self) -> DailyDigest:
        try:
            ZoneInfo(self.zone or "UTC")
        except (KeyError, ValueError, OSError) as error:  # what is not found is a KeyError
            raise ValueError(f"{self.zone!r} is no time zone; write it as America/New_York") from error
        return self


class Team(Strict):
    id: str
    reps: tuple[Rep, ...]
    routes: tuple[Route, ...] = ()
    digest: DailyDigest = DailyDigest()
    on_call: tuple[str, ...] = ()
    """Who takes a call that is put through when its owner does not, in this order."""
    owner_within: Duration = timedelta(days=14)
    """A lead's owner is offered alone while they have a time within this; after it the pool is asked."""

    @property
    def zone(self) -> str:
        """Where the team's day begins and ends."""
        return self.digest.zone or (self.reps[0].zone if self.reps else "UTC")

    @model_validator(mode="after")
    def _routes_name_reps(self) -> Team:
        known = {rep.id for rep in self.reps}
        for route in self.routes:
            if unknown := sorted(set(route.to) - known):
                raise ValueError(f"route {route.name}: {', '.join(unknown)} is nobody in the team {self.id}; fix to:")
        if unknown := sorted(set(self.on_call) - known):
            raise ValueError(f"on_call: {', '.join(unknown)} is nobody in the team {self.id}; name its reps")
        return self


def last_day(zone: str, now: datetime) -> date:
    """The last day that is over at ``now`` (aware) on the wall clock of ``zone``."""
    return now.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)


def read_team(text: str) -> Team:
    """Parse a team's YAML. Raises pydantic.ValidationError naming the field."""
    return Team.model_validate(yaml.safe_load(text))
