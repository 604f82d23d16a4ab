"""A team's turn-keeping, as activities and clients ask it (``workflows/rotation.py`` says what the answers mean).

A team that does not run yet is started with the roster of its file in SHOWRATE_PLAYBOOKS.
"""

from __future__ import annotations

from typing import Any, TypeVar

from temporalio.client import Client

from workflows import identity, messages, slots
from workflows.roster import Team
from workflows.rotation import (
    AskCandidates,
    Assigned,
    AssignTurn,
    Candidates,
    GiveBack,
    GivenBack,
    Outcome,
    SetActive,
    Shares,
)
from workflows.team_workflow import TeamStart

from . import calendars, entity, faults, library
from .entity import Entity
from .settings import settings

Answer = TypeVar("Answer")


async def set_roster(client: Client, team: Team) -> Shares:
    """Make ``team`` what it now is, starting it when it does not run; a repeat changes nothing.

    Raises ValueError naming the rep and the remedy when hours, a zone or a calendar cannot be read."""
    for rep in team.reps:
        slots.check_rep(rep)
        calendars.of(rep)
    return await entity.ask(client, _team(team.id, start=True), "set_roster", team, Shares)


async def set_active(client: Client, team: str, asked: SetActive) -> Shares:
    """Switch a rep off or on."""
    return await _ask(client, team, "set_active", asked, Shares)


async def shares(client: Client, team: str) -> Shares:
    """Each rep's share and the latest assignments with their reasons. Raises LookupError when it does not run."""
    return await entity.read(client, _team(team), "shares", None, Shares)


async def roster(client: Client, team: str) -> Team:
    """The team as it stands. Raises LookupError when it does not run."""
    return await entity.read(client, _team(team), "roster", None, Team)


async def candidates(client: Client, team: str, asked: AskCandidates, id: str) -> Candidates:
    """Whose times to offer, in order of preference."""
    return await _ask(client, team, "candidates", asked, Candidates, id)


async def assign(client: Client, team: str, asked: AssignTurn) -> Assigned:
    """The meeting goes to this rep."""
    return await _ask(client, team, "assign", asked, Assigned, entity.update_id(asked.booking, "assign"))


async def give_back(client: Client, team: str, asked: GiveBack) -> GivenBack:
    """The meeting will not be."""
    return await _ask(client, team, "give_back", asked, GivenBack, entity.update_id(asked.booking, "give-back"))


async def outcome(client: Client, team: str, asked: Outcome) -> bool:
    """They met, or the lead did not come."""
    return await _ask(client, team, "outcome", asked, bool, entity.update_id(asked.booking, "outcome"))


async def _ask(
    client: Client, team: str, update: str, asked: Any, answer: type[Answer], id: str | None = None
) -> Answer:
    """Raises as :func:`activities.entity.ask`, ``permanent`` for a team that nobody has written down."""
    try:
        return await entity.ask(client, _team(team), update, asked, answer, id)
    except LookupError:
        written = next((one for one in library.teams(settings().showrate_playbooks) if one.id == team), None)
    if written is None:
        raise faults.permanent(f"there is no team {team}; write {team}.team.yml beside the playbooks")
    await set_roster(client, written)
    return await entity.ask(client, _team(team), update, asked, answer, id)


def _team(team: str, start: bool = False) -> Entity:
    begin = TeamStart(team=team) if start else None
    return Entity(messages.TEAM, identity.team_id(team), begin, f"turns of the team {team}")
