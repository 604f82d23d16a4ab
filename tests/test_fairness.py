"""Turns: the stated bound on drift, who joins and leaves, no-shows, and the rotation around the accounts."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows import fairness, rotation
from workflows.fairness import Account, Turn
from workflows.roster import Rep, Team
from workflows.rotation import AskCandidates, AssignTurn, GiveBack, Outcome, Rotation, SetActive

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
REPS = ["ana", "ben", "cleo", "dan", "eve", "fay"]


def rep(name: str, weight: float = 1.0, **more: object) -> Rep:
    hours = {0: ("09:00-17:00",)}
    return Rep(id=name, name=name.title(), calendar=name, zone="UTC", hours=hours, weight=weight, **more)


def team(*reps: Rep) -> Rotation:
    return rotation.set_roster(Rotation(team=Team(id="sales", reps=())), Team(id="sales", reps=reps))[0]


def turn_for(accounts: dict[str, Account], weights: dict[str, float], chosen: str = "") -> Turn:
    first = chosen or fairness.order(accounts, weights)[0]
    return Turn(rep=first, shares=fairness.shares(weights), at=NOW)


weights_of = st.dictionaries(st.sampled_from(REPS), st.floats(0.1, 10), min_size=1)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[dict[str, float], str, int]]:
    """Meetings: who was eligible at which weight, who was taken out of turn, which earlier one is given back."""
    found = []
    for _ in range(draw(st.integers(1, 80))):
        eligible = draw(weights_of)
        chosen = draw(st.sampled_from(["", "", "", "", *eligible]))
        found.append((eligible, chosen, draw(st.sampled_from([-1, -1, -1, 0, 1, 2]))))
    return found


@settings(max_examples=150)
@given(histories())
def test_drift_stays_within_the_stated_bound(history: list[tuple[dict[str, float], str, int]]) -> None:
    accounts: dict[str, Account] = {name: Account() for name in REPS}
    standing: list[Turn] = []
    exceptions = 0
    for eligible, chosen, back in history:
        turn = turn_for(accounts, eligible, chosen)
        exceptions += turn.rep != fairness.order(accounts, eligible)[0]
        accounts = fairness.assign(accounts, turn)
        standing.append(turn)
        if 0 <= back < len(standing):
            accounts = fairness.give_back(accounts, standing.pop(back))
            exceptions += 1
        drifts = [account.drift for account in accounts.values()]
        assert sum(drifts) == pytest.approx(0, abs=1e-6)
        assert max(map(abs, drifts)) <= len(REPS) - 1 + exceptions + 1e-6


@pytest.mark.parametrize("weights", [(1, 1, 1), (2, 1, 1), (5, 3, 1), (0.5, 1, 4)])
def test_shares_follow_weights_closely_when_all_are_eligible(weights: tuple[float, ...]) -> None:
    """With the whole team eligible nobody is ever more than two meetings from their share."""
    by_rep = dict(zip(REPS, weights, strict=False))
    accounts: dict[str, Account] = {}
    for _ in range(500):
        accounts = fairness.assign(accounts, turn_for(accounts, by_rep))
        assert max(abs(account.drift) for account in accounts.values()) < 2
    for name, weight in by_rep.items():
        assert accounts[name].had == pytest.approx(500 * weight / sum(weights), abs=2)


def test_a_debt_is_paid_back() -> None:
    """A rep with ten no-shows gets those meetings again, and then only their share."""
    accounts: dict[str, Account] = {}
    weights = {"ana": 1.0, "ben": 1.0}
    for _ in range(40):
        turn = turn_for(accounts, weights)
        accounts = fairness.assign(accounts, turn)
        if turn.rep == "ana" and accounts["ana"].no_shows < 10:
            accounts = fairness.no_show(accounts, turn)
    assert accounts["ana"].no_shows == 10
    assert accounts["ana"].had == accounts["ben"].had == 15


def run(state: Rotation, meetings: int, draw: random.Random | None = None) -> Rotation:
    for nth in range(meetings):
        lead = f"lead-{len(state.turns)}-{nth}"
        state, named = rotation.candidates(state, AskCandidates(lead=lead, now=NOW, until=LATER))
        taken = named.candidates[0].rep.id
        state, done = rotation.assign(state, AssignTurn(booking=f"b-{lead}", lead=lead, rep=taken, now=NOW))
        assert done.reason
    return state


def had(state: Rotation) -> dict[str, int]:
    return {row.rep: row.had for row in rotation.shares(state).shares}


def test_who_joins_gets_their_share_from_then_on() -> None:
    """cal.com PR #15558, #16310: neither every booking nor none; HubSpot: the rotation is not reset."""
    state = run(team(rep("ana"), rep("ben")), 101)
    before = had(state)
    state, _ = rotation.set_roster(state, Team(id="sales", reps=(rep("ana"), rep("ben"), rep("cleo"))))
    state = run(state, 30)
    gained = {name: count - before.get(name, 0) for name, count in had(state).items()}
    assert all(abs(count - 10) <= 2 for count in gained.values()), gained


def test_who_was_away_is_owed_nothing_and_keeps_their_place() -> None:
    state = run(team(rep("ana"), rep("ben"), rep("cleo")), 9)
    state, _ = rotation.set_active(state, SetActive(rep="cleo", active=False, by="ops"))
    state = run(state, 60)
    assert had(state)["cleo"] == 3
    state, _ = rotation.set_active(state, SetActive(rep="cleo", active=True, by="ops"))
    before = had(state)["cleo"]
    state = run(state, 30)
    assert abs(had(state)["cleo"] - before - 10) <= 1


def test_open_offers_send_others_to_the_next() -> None:
    """cal.com #1019: not every booking of a moment goes to the first host."""
    state = team(rep("ana"), rep("ben"), rep("cleo"))
    first = []
    for nth in range(6):
        state, named = rotation.candidates(state, AskCandidates(lead=f"l{nth}", now=NOW, until=LATER))
        first.append(named.candidates[0].rep.id)
    assert sorted(first) == sorted(["ana", "ben", "cleo"] * 2)
    state, again = rotation.candidates(state, AskCandidates(lead="l5", now=NOW, until=LATER))
    assert again.candidates[0].rep.id == first[5]  # asking again changes nothing
    after = LATER + timedelta(seconds=1)
    state, fresh = rotation.candidates(state, AskCandidates(lead="x", now=after, until=after + timedelta(1)))
    assert fresh.candidates[0].rep.id == "ana"
    assert set(state.offers) == {"x"}


def test_the_owner_comes_first_and_moves_nobodys_turn() -> None:
    state = team(rep("ana"), rep("ben", crm_owner="102"))
    for owner in ("ben", "102"):
        state, named = rotation.candidates(state, AskCandidates(lead="l", now=NOW, until=LATER, owner=owner))
        assert [one.rep.id for one in named.candidates] == ["ben", "ana"]
        assert named.candidates[0].why == "owns the contact in the CRM"
    asked = AssignTurn(booking="b", lead="l", rep="ben", owner="102", now=NOW)
    state, done = rotation.assign(state, asked)
    assert done.reason == "owns the contact in the CRM"
    assert [row.drift for row in rotation.shares(state).shares] == [0, 0]


def test_who_takes_no_meetings_gets_none() -> None:
    """cal.com #15871, #5331: an absent host is never assigned."""
    state = team(rep("ana"), rep("ben", active=False))
    state, _ = rotation.set_active(state, SetActive(rep="ana", active=False, by="ops"))
    state, named = rotation.candidates(state, AskCandidates(lead="l", now=NOW, until=LATER, owner="ben"))
    assert named.why == "nobody in the team sales takes meetings now"
    state, named = rotation.candidates(state, AskCandidates(lead="l", now=NOW, until=LATER, rep="ana"))
    assert (named.candidates, named.why) == ((), "Ana takes no meetings now")
    _, done = rotation.assign(state, AssignTurn(booking="b", lead="l", rep="ana", now=NOW))
    assert done.refused == "Ana takes no meetings now"


def test_a_booking_has_one_turn_however_often_it_is_asked_for() -> None:
    state = team(rep("ana"), rep("ben"))
    asked = AssignTurn(booking="b", lead="l", rep="ana", now=NOW)
    state, first = rotation.assign(state, asked)
    state, again = rotation.assign(Rotation.model_validate_json(state.model_dump_json()), asked)
    assert first == again
    assert had(state) == {"ana": 1, "ben": 0}
    back = GiveBack(booking="b", rep="ana", now=NOW)
    for _ in range(2):
        state, given = rotation.give_back(state, back)
        assert given.rep is not None
        assert had(state) == {"ana": 0, "ben": 0}
    state, late = rotation.assign(state, asked)
    assert late.refused
    assert all(row.drift == 0 for row in rotation.shares(state).shares)


def test_a_late_assignment_finds_its_booking_given_back() -> None:
    state, _ = rotation.give_back(team(rep("ana")), GiveBack(booking="b", rep="ana", now=NOW))
    state, done = rotation.assign(state, AssignTurn(booking="b", lead="l", rep="ana", now=NOW))
    assert done.refused
    assert had(state) == {"ana": 0}


def test_a_move_carries_its_turn_on() -> None:
    state = team(rep("ana"), rep("ben"))
    state, _ = rotation.assign(state, AssignTurn(booking="b1", lead="l", rep="ana", now=NOW))
    move = AssignTurn(booking="b2", lead="l", rep="ana", now=NOW, replaces="b1")
    moved, done = rotation.assign(state, move)
    assert done.reason == "kept from the meeting that was moved"
    assert had(moved) == {"ana": 1, "ben": 0}
    # The move did not come to be: the first meeting has its turn again.
    undone, _ = rotation.give_back(moved, GiveBack(booking="b2", rep="ana", now=NOW, undo=True))
    assert had(undone) == {"ana": 1, "ben": 0}
    cancelled, _ = rotation.give_back(undone, GiveBack(booking="b1", rep="ana", now=NOW))
    assert had(cancelled) == {"ana": 0, "ben": 0}
    # It did, and was cancelled later.
    cancelled, _ = rotation.give_back(moved, GiveBack(booking="b1", rep="ana", now=NOW))
    assert had(cancelled) == {"ana": 1, "ben": 0}
    cancelled, _ = rotation.give_back(cancelled, GiveBack(booking="b2", rep="ana", now=NOW))
    assert had(cancelled) == {"ana": 0, "ben": 0}


def test_a_no_show_gives_the_turn_back_and_a_correction_takes_it() -> None:
    """cal.com #15309."""
    state = team(rep("ana"), rep("ben"))
    state, _ = rotation.assign(state, AssignTurn(booking="b", lead="l", rep="ana", now=NOW))
    for showed, count, no_shows in ((False, 0, 1), (False, 0, 1), (True, 1, 0), (False, 0, 1), (True, 1, 0)):
        state, _ = rotation.outcome(state, Outcome(booking="b", showed=showed))
        row = rotation.shares(state).shares[0]
        assert (row.had, row.no_shows) == (count, no_shows)
    assert rotation.outcome(state, Outcome(booking="never", showed=False))[1] is False


def test_who_left_is_known_until_their_events_are_gone() -> None:
    state = team(rep("ana"), rep("ben"))
    state, _ = rotation.assign(state, AssignTurn(booking="b", lead="l", rep="ben", now=NOW))
    state, _ = rotation.set_roster(state, Team(id="sales", reps=(rep("ana"),)))
    state, given = rotation.give_back(state, GiveBack(booking="b", rep="ben", now=NOW))
    assert given.rep is not None
    assert given.rep.calendar == "ben"
    assert sum(account.drift for account in state.accounts.values()) == pytest.approx(0)


def test_old_turns_are_forgotten_and_accounts_stay() -> None:
    state = run(team(rep("ana"), rep("ben")), 4)
    then = NOW + rotation.MEMORY + timedelta(days=1)
    state, _ = rotation.candidates(state, AskCandidates(lead="l", now=then, until=then + timedelta(1)))
    state = rotation.without_past(state)
    assert state.turns == {}
    assert had(state) == {"ana": 2, "ben": 2}


def test_reasons_read_well() -> None:
    state = team(rep("ana"), rep("ben"))
    state, first = rotation.assign(state, AssignTurn(booking="b1", lead="l", rep="ana", now=NOW))
    assert first.reason == "next in turn: had none yet"
    _, second = rotation.assign(state, AssignTurn(booking="b2", lead="m", rep="ana", now=NOW))
    assert second.reason == "had the time that suited (had 1, 0.5 were due); next in turn was Ben"
