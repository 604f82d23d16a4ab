"""Whose turn it is: each meeting is divided among the reps who could have taken it, and goes to the one most owed.

For every meeting each eligible rep is *due* a share, their weight over the weights of all who were eligible; the one
who gets it *had* one. The drift of a rep is ``due - had``, and the next meeting goes to the eligible rep with the
greatest drift. From that follows, whatever the weights, and whoever was eligible for which meeting:

    |drift| <= (reps - 1) + (turns given back, or taken out of turn because the lead chose so)

Proof: let T(k) be the greatest total drift of any k of the n reps; drifts add up to nothing, so T(0) = T(n) = 0. A
meeting raises the total of a set A only if it goes to a rep c outside of it. With a the rep in A who was eligible and
is owed the least, d(A) = (d(A + c) + d(A - a) - (d(c) - d(a))) / 2, and c was owed at least as much as a; so the new
total is at most (T(k+1) + T(k-1)) / 2 + 1, which k(n - k) satisfies. A turn given back or taken
out of turn raises any total by at most 1.

No history is needed for it, so nothing has to be calibrated by hand: who is away is not eligible and is owed nothing
for that time, who joins or comes back starts where they stood (a new rep at zero, the average of all) and gets their
share from then on, neither flooded nor left out. A meeting of a lead's owner is due to the owner alone and moves
nobody's turn. A no-show gives the turn back: its meeting counts as if it had not been.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from .model import Instant, Model

_DIGITS = 9
"""Drifts that agree in this many digits are equal: what is left is rounding."""


class Account(Model):
    """What a rep was due and had, in meetings, over their whole time in the team. ``last`` breaks ties: the one whose
    last meeting was assigned longest ago goes first."""

    due: float = 0.0
    had: int = 0
    no_shows: int = 0
    last: int = 0
    """The count of meetings assigned in the team when this rep got their last one."""

    @property
    def drift(self) -> float:
        """Meetings owed to the rep; negative when they had more than their share."""
        return self.due - self.had


class Turn(Model):
    """One assigned meeting. ``shares`` is what each rep was due of it."""

    rep: str
    shares: dict[str, float]
    at: Instant
    lead: str = ""
    reason: str = ""
    state: Literal["taken", "moved", "given_back", "showed", "no_show"] = "taken"
    start: Instant | None = None
    """When the meeting is."""
    moved_from: str = ""
    """The booking whose turn this one carries on."""

    @property
    def counts(self) -> bool:
        """Whether the meeting stands in the accounts."""
        return self.state in ("taken", "showed")


Accounts = Mapping[str, Account]


def shares(weights: Mapping[str, float]) -> dict[str, float]:
    """How one meeting is divided among those eligible (rep -> weight)."""
    total = sum(weights.values())
    return {rep: round(weight / total, _DIGITS) for rep, weight in weights.items()}


def order(accounts: Accounts, weights: Mapping[str, float], pending: Iterable[str] = ()) -> list[str]:
    """The eligible reps (rep -> weight) in the order of their claim to the next meeting. ``pending`` names the rep
    of each offer that is open just now: it counts as a meeting that this rep will have."""
    drifts = {rep: accounts.get(rep, Account()).drift for rep in weights}
    due = shares(weights)
    for first in pending:
        for rep, share in due.items():
            drifts[rep] += share
        if first in drifts:
            drifts[first] -= 1
    place = {rep: nth for nth, rep in enumerate(weights)}
    return sorted(
        weights,
        key=lambda rep: (
            -round(drifts[rep] + due[rep], _DIGITS - 2),
            accounts.get(rep, Account()).last,
            place[rep],
        ),
    )


def assign(accounts: Accounts, turn: Turn) -> dict[str, Account]:
    """The accounts after this meeting was assigned."""
    nth = 1 + max((account.last for account in accounts.values()), default=0)
    changed = _add(accounts, turn, 1)
    changed[turn.rep] = changed[turn.rep].model_copy(update={"last": nth})
    return changed


def give_back(accounts: Accounts, turn: Turn) -> dict[str, Account]:
    """The accounts as if this meeting had not been."""
    return _add(accounts, turn, -1)


def no_show(accounts: Accounts, turn: Turn) -> dict[str, Account]:
    """The turn given back, and the no-show counted."""
    return _no_shows(give_back(accounts, turn), turn.rep, 1)


def showed_after_all(accounts: Accounts, turn: Turn) -> dict[str, Account]:
    """Takes back :func:`no_show`: the rep's own mark outranks an absent click."""
    return _no_shows(_add(accounts, turn, 1), turn.rep, -1)


def reason(accounts: Accounts, rep: str, ordered: list[str], names: Mapping[str, str]) -> str:
    """Why ``rep`` gets this meeting, in one line; ``accounts`` as they were before it."""
    account = accounts.get(rep, Account())
    standing = f"had {account.had}, {account.due:.1f} were due" if account.had or account.due else "had none yet"
    if not ordered or ordered[0] == rep:
        return f"next in turn: {standing}"
    return f"had the time that suited ({standing}); next in turn was {names.get(ordered[0], ordered[0])}"


def _add(accounts: Accounts, turn: Turn, sign: int) -> dict[str, Account]:
    changed = dict(accounts)
    for rep in dict.fromkeys((*turn.shares, turn.rep)):
        account = changed.get(rep, Account())
        changed[rep] = account.model_copy(
            update={
                "due": round(account.due + sign * turn.shares.get(rep, 0.0), _DIGITS),
                "had": account.had + (sign if rep == turn.rep else 0),
            }
        )
    return changed


def _no_shows(accounts: dict[str, Account], rep: str, more: int) -> dict[str, Account]:
    account = accounts[rep]
    return {**accounts, rep: account.model_copy(update={"no_shows": max(account.no_shows + more, 0)})}
