"""The reps of every team of this installation, found by id or by their owner id in the CRM."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from workflows.roster import Rep

from .library import teams
from .settings import settings


def rep(rep_id: str) -> Rep | None:
    """The rep of this id; None when the id is empty or nobody's (any more)."""
    return _all(settings().showrate_playbooks).get(rep_id)


def rep_in_slack(user: str) -> Rep | None:
    """The active rep whose Slack id this is; None when it is nobody's."""
    everybody = _all(settings().showrate_playbooks).values()
    return next((one for one in everybody if user and one.slack == user and one.active), None)


def rep_of_owner(crm_owner: str) -> str:
    """The id of the active rep whose owner id in the CRM this is; empty when there is none."""
    if not crm_owner:
        return ""
    everybody = _all(settings().showrate_playbooks).values()
    return next((one.id for one in everybody if one.crm_owner == crm_owner and one.active), "")


@cache
def _all(folder: Path) -> dict[str, Rep]:
    """Read once for each process, as playbooks are; a changed team is picked up by a restart."""
    return {one.id: one for team in teams(folder) for one in team.reps}
