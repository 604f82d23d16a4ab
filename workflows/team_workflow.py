"""One team's turn-keeping as a workflow: ``team-<team>``, started when its roster is first set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from . import effects, messages, rotation, slots, versions
    from .handlers import bug_ends_here, query, quiet_moment, update
    from .model import Model
    from .roster import Team
    from .rotation import (
        AskCandidates,
        Assigned,
        AssignTurn,
        Candidates,
        GiveBack,
        GivenBack,
        Gone,
        Outcome,
        Rotation,
        SetActive,
        Shares,
    )

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


class TeamStart(Model):
    """The input. ``carry`` is all that is known, through continue-as-new, which comes after ``turnover`` changes."""

    team: str
    carry: Rotation | None = None
    turnover: int = 500


@workflow.defn(name=messages.TEAM, versioning_behavior=versions.moves())
class TeamWorkflow:
    """Updates: ``set_roster`` Team -> Shares, ``set_active`` SetActive -> Shares, ``candidates`` AskCandidates ->
    Candidates, ``assign`` AssignTurn -> Assigned, ``give_back`` GiveBack -> GivenBack, ``outcome`` Outcome ->
    bool. Queries: ``shares`` -> Shares, ``roster`` -> Team. No handler awaits anything. The only activity tells the
    leads of a rep who stopped taking meetings."""

    @workflow.init
    def __init__(self, start: TeamStart) -> None:
        self._rotation = start.carry or Rotation(team=Team(id=start.team, reps=()))
        self._changes = 0
        self._show()

    @workflow.run
    async def run(self, start: TeamStart) -> None:
        turnover = asyncio.create_task(quiet_moment(lambda: self._changes, start.turnover))
        while not turnover.done():
            await workflow.wait_condition(lambda: turnover.done() or bool(self._rotation.gone))
            while self._rotation.gone:
                await self._rehome(start.team, self._rotation.gone[0])
        await workflow.wait_condition(workflow.all_handlers_finished)
        carried = rotation.without_past(self._rotation)
        workflow.continue_as_new(start.model_copy(update={"carry": carried}))

    async def _rehome(self, team: str, gone: Gone) -> None:
        """Tell a former rep's leads, however long that takes."""
        request = effects.RehomeLeads(team=team, now=workflow.now(), **gone.model_dump())
        await workflow.execute_activity(
            effects.rehome_leads, request, start_to_close_timeout=timedelta(minutes=10), heartbeat_timeout=timedelta(seconds=30),
            summary="tell the leads of a rep who left",
        )  # fmt: skip
        self._rotation = self._rotation.model_copy(update={"gone": self._rotation.gone[1:]})

    @update
    def set_roster(self, team: Team) -> Shares:
        """Who is in the team, with their hours, calendars and weights."""
        return self._change(rotation.set_roster, team)

    @set_roster.validator
    def _readable(self, team: Team) -> None:
        try:
            for rep in team.reps:
                slots.hours_of(rep)
        except ValueError as error:
            raise ApplicationError(str(error)) from error
        if len({rep.id for rep in team.reps}) < len(team.reps):
            raise ApplicationError("two reps have the same id; give each their own")

    @update
    def set_active(self, asked: SetActive) -> Shares:
        """Switch a rep off (away, ill) or on again."""
        return self._change(rotation.set_active, asked)

    @update
    def candidates(self, asked: AskCandidates) -> Candidates:
        """Whose times to offer a lead, in order of preference."""
        return self._change(rotation.candidates, asked)

    @update
    def assign(self, asked: AssignTurn) -> Assigned:
        """The meeting goes to this rep."""
        return self._change(rotation.assign, asked)

    @update
    def give_back(self, asked: GiveBack) -> GivenBack:
        """The meeting will not be."""
        return self._change(rotation.give_back, asked)

    @update
    def outcome(self, asked: Outcome) -> bool:
        """They met, or the lead did not come."""
        return self._change(rotation.outcome, asked)

    @query
    def shares(self) -> Shares:
        """Each rep's share of the meetings against their weight, and why each of the latest went where it did."""
        return rotation.shares(self._rotation)

    @query
    def roster(self) -> Team:
        """Who is in the team."""
        return self._rotation.team

    def _change(self, step: Callable[[Rotation, _Asked], tuple[Rotation, _Answer]], asked: _Asked) -> _Answer:
        with bug_ends_here(step.__name__):
            self._rotation, answer = step(self._rotation, asked)
            self._changes += 1
            self._show()
            return answer

    def _show(self) -> None:
        """Everybody's share, for people who look at the workflow."""
        found = rotation.shares(self._rotation, recent=0)
        lines = [
            f"**Team {found.team}**",
            "",
            "| rep | takes meetings | weight | had | due | no-shows |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        lines += [
            f"| {row.name} | {'yes' if row.active else 'no'} | {row.weight:g} | {row.had} | {row.due:.1f} |"
            f" {row.no_shows} |"
            for row in found.shares
        ]
        workflow.set_current_details("\n".join(lines))
