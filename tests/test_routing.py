"""Who may take a lead's meeting: rules, languages, owners, and the reason that each assignment carries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.talk import playbook
from workflows import events as ev
from workflows import rotation, routing
from workflows.roster import Team, read_team
from workflows.rotation import AskCandidates, AssignTurn, Rotation

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
ALWAYS = {day: ["00:00-24:00"] for day in range(7)}


def team(**more: object) -> Team:
    reps = [
        {"id": name, "name": name.title(), "calendar": name, "zone": "UTC", "hours": ALWAYS, **extra}
        for name, extra in (
            ("ana", {"skills": ["enterprise"], "crm_owner": "101"}), ("ben", {"languages": ["en", "es"]}), ("kim", {"skills": ["enterprise"]}),
        )
    ]  # fmt: skip
    return Team.model_validate({"id": "sales", "reps": reps, **more})


BIG = {"name": "enterprise", "when": {"team_size": [">=200"]}, "skills": ["enterprise"]}
WEST = {"name": "west", "when": {"region": ["US-CA", "US-W*"], "source": ["website", "ads-*"]}, "to": ["ben"]}


def ask(of: Team, away: tuple[str, ...] = (), owner: str = "", **facts: str) -> rotation.Candidates:
    held = Rotation(team=of, away=dict.fromkeys(away, "ops"))
    asked = AskCandidates(lead="l", now=NOW, until=NOW + timedelta(minutes=5), owner=owner, facts=facts)
    return rotation.candidates(held, asked)[1]


def names(found: rotation.Candidates) -> list[str]:
    return [candidate.rep.id for candidate in found.candidates]


def test_the_first_rule_that_matches_names_the_reps_and_the_reason() -> None:
    of = team(routes=[BIG, WEST])
    big = ask(of, team_size="250", region="US-CA", source="website")
    assert names(big) == ["ana", "kim"]
    assert big.candidates[0].why.startswith("by the rule 'enterprise'; next in turn")
    assert names(ask(of, team_size="20", region="US-WA", source="ads-spring")) == ["ben"]
    assert names(ask(of, team_size="20", region="US-NY", source="website")) == ["ana", "ben", "kim"]
    assert names(ask(of, team_size="many")) == ["ana", "ben", "kim"]  # what is no number keeps no bound


def test_a_rule_whose_reps_are_away_goes_to_the_pool_or_to_a_person() -> None:
    found = ask(team(routes=[WEST]), away=("ben",), region="US-CA", source="website")
    assert names(found) == ["ana", "kim"]
    assert found.candidates[0].why.startswith("nobody of the rule 'west' takes meetings now, so the pool")
    queued = ask(team(routes=[{**WEST, "otherwise": "queue"}]), away=("ben",), region="US-CA", source="website")
    assert (names(queued), queued.why) == ([], "the rule 'west' names nobody who takes meetings now")


def test_a_known_language_goes_to_who_speaks_it() -> None:
    assert names(ask(team(), language="es-MX")) == ["ben"]
    assert names(ask(team(), language="fi")) == ["ana", "ben", "kim"]


def test_the_owner_comes_first_and_is_named_when_passed_over() -> None:
    of = team(routes=[WEST])
    found = ask(of, owner="101", region="US-CA", source="website")
    assert names(found) == ["ana", "ben"]
    assert (found.candidates[0].within, found.candidates[1].within) == (timedelta(days=14), None)
    held = Rotation(team=of)
    wish = AssignTurn(
        booking="b1", lead="l", rep="ben", now=NOW, owner="101", facts={"region": "US-CA", "source": "website"}
    )
    reason = rotation.assign(held, wish)[1].reason
    assert reason.startswith("Ana owns the contact and had no time that suited; by the rule 'west'; next in turn")
    away = held.model_copy(update={"away": {"ana": "ops"}})
    assert "Ana owns the contact and takes no meetings now" in rotation.assign(away, wish)[1].reason


def test_facts_name_no_person() -> None:
    person = ev.Form(
        submission_id="s", name="Dana", phone="+14155550123", email="d@example.com", company="Reyes", message="hello",
        region="US-CA", source="website", utm={"campaign": "spring"}, attributes={"language": "es", "team_size": "40", "secret": "x"},
    )  # fmt: skip
    learned = {
        name: ev.Learned(field=name, value=value)
        for name, value in (("timeline", "now"), ("use_case", "vans"), ("name", "Dana"))
    }
    assert routing.facts(playbook(), person, learned) == {
        "region": "US-CA", "country": "US", "source": "website", "utm_campaign": "spring", "language": "es", "team_size": "40",
        "timeline": "now",
    }  # fmt: skip


def test_a_route_that_names_nobody_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValidationError, match="route x: names nobody; give to: or skills:"):
        team(routes=[{"name": "x"}])
    with pytest.raises(ValidationError, match="route x: zoe is nobody in the team sales"):
        team(routes=[{"name": "x", "to": ["zoe"]}])
    read = read_team(
        "id: s\nowner_within: 3d\nreps:\n  - {id: a, name: A, calendar: a, zone: UTC, hours: {0: ['09:00-17:00']}}\n"
        "routes:\n  - {name: all, to: [a]}\n"
    )
    assert (read.owner_within, read.routes[0].to) == (timedelta(days=3), ("a",))


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["10", "300"]),
            st.sampled_from(["US-CA", "US-NY"]),
            st.sets(st.sampled_from(["ana", "ben", "kim"]), max_size=1),
        ),
        max_size=120,
    )
)
def test_drift_stays_within_its_bound_among_those_who_were_eligible(stream: list[tuple[str, str, set[str]]]) -> None:
    """|due - had| <= reps - 1, whoever was eligible for which meeting (the proof stands in ``workflows/fairness.py``)."""
    held = Rotation(team=team(routes=[BIG, {"name": "ca", "when": {"region": ["US-CA"]}, "to": ["ben", "kim"]}]))
    for nth, (size, region, away) in enumerate(stream):
        held = held.model_copy(update={"away": dict.fromkeys(away, "ops")})
        facts = {"team_size": size, "region": region}
        asked = AskCandidates(lead=f"l{nth}", now=NOW, until=NOW + timedelta(seconds=1), facts=facts)
        held, found = rotation.candidates(held, asked)
        first = found.candidates[0].rep.id
        assert first in routing.route(held.team, held.active(), facts).reps
        held, given_ = rotation.assign(
            held, AssignTurn(booking=f"b{nth}", lead=f"l{nth}", rep=first, now=NOW, facts=facts)
        )
        assert given_.rep is not None
        shares = rotation.shares(held)
        assert all(abs(share.drift) <= shares.bound + 1e-6 for share in shares.shares)
