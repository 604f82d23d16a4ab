"""The funnel: each person once, by what they ever reached."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from rich.console import Console

from activities import funnel, store
from tests.fixtures.record import NOW, reflection
from workflows.effects import Entry

STEPS = ("form", "first_ring", "contacted", "interested", "qualified", "booked", "confirmed", "showed")


def tell(lead: str, steps: int, wait: float = 2, day: int = 0, version: int = 1, **over: Any) -> None:
    """A lead that got ``steps`` far on ``day``, rung after ``wait`` seconds."""
    came = NOW + timedelta(days=day)
    reached = {name: came + timedelta(seconds=wait * place) for place, name in enumerate(STEPS[:steps])}
    extra = over.pop("milestones", {})
    store.write(reflection(lead, version, milestones=reached | extra, **over))


def counts(group: funnel.Group) -> dict[str, int]:
    return {stage.name: stage.people for stage in group.stages}


def test_each_person_once_at_everything_they_ever_reached(record: Path) -> None:
    tell("lead-a", 8, source="website")
    tell("lead-b", 6, source="website", milestones={"no_show": NOW, "recovered": NOW})
    tell("lead-b", 6, version=2, source="partner")  # a second form joins the first one's cohort
    tell("lead-c", 1, source="partner")
    found = funnel.funnel(by="source")
    assert found.total.people == 3
    assert counts(found.total) == {
        "new": 3, "attempting": 2, "contacted": 2, "interested": 2, "qualified": 2, "booked": 2, "confirmed": 1,
        "showed": 1, "no_show": 1, "unknown": 0, "recovered": 1, "closed": 0,
    }  # fmt: skip
    assert [(group.name, group.people) for group in found.groups] == [("website", 2), ("partner", 1)]
    assert found.total.stages[1].share == 0.6667


def test_an_inbound_caller_counts_without_having_been_called(record: Path) -> None:
    tell("lead-a", 1, milestones={"attempting": NOW, "contacted": NOW})
    found = funnel.funnel()
    assert counts(found.total)["contacted"] == 1
    assert [person.lead for person in found.total.not_called] == ["lead-a"]


def test_filters_by_cohort(record: Path) -> None:
    tell("lead-a", 2, source="website", audience="inbound", day=0)
    tell("lead-b", 2, source="partner", audience="smb", day=1)
    assert funnel.funnel(source="website").total.people == 1
    assert funnel.funnel(audience="smb").total.people == 1
    assert funnel.funnel(since=NOW + timedelta(hours=1)).total.people == 1
    assert funnel.funnel(until=NOW).total.people == 0
    assert funnel.funnel(since=NOW, until=NOW + timedelta(days=2)).total.people == 2


def test_waits_are_nearest_rank(record: Path) -> None:
    for number in range(100):
        tell(f"lead-{number}", 2, wait=number + 1)
    ring = funnel.funnel().total.ring
    assert (ring.people, ring.p50, ring.p90, ring.p99) == (100, 50, 90, 99)


def test_who_was_not_called_has_the_latest_rule(record: Path) -> None:
    def line(version: int, rule: str) -> Entry:
        return Entry(
            at=NOW + timedelta(minutes=version), kind="wait", version=version, text="waits", rule=rule
        )

    tell("lead-night", 1, entries=(line(1, "paused"), line(2, "calling_hours"), line(3, "")))
    tell("lead-fresh", 1)
    tell("lead-called", 2)
    silent = {person.lead: person for person in funnel.funnel().total.not_called}
    assert set(silent) == {"lead-night", "lead-fresh"}
    assert (silent["lead-night"].rule, silent["lead-night"].rule_at) == (
        "calling_hours",
        NOW + timedelta(minutes=2),
    )
    assert silent["lead-fresh"].rule == ""


def test_an_erased_person_still_counts(record: Path) -> None:
    tell("lead-a", 8)
    before = funnel.funnel()
    store.erase("lead-a")
    assert funnel.funnel() == before


def test_nobody_is_a_funnel_too(record: Path) -> None:
    found = funnel.funnel(by="audience")
    assert found.total.people == 0
    assert found.total.ring.p50 is None
    ElementTree.fromstring(funnel.picture(found))


def test_it_can_be_looked_at(record: Path) -> None:
    tell("lead-a", 8, source="<website>")
    tell("lead-b", 1, source="<website>")
    found = funnel.funnel(by="source")
    drawn = ElementTree.fromstring(funnel.picture(found))
    assert len(drawn.findall(".//{http://www.w3.org/2000/svg}rect")) == len(funnel.MILESTONES)
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(funnel.table(found))
    console.print(funnel.not_called_table(found))
    shown = console.export_text()
    assert "1 (50%)" in shown
    assert "lead-b" in shown
    assert "undecided yet" in shown


def test_durations_are_read_at_a_glance() -> None:
    assert [funnel.duration(s) for s in (None, 1.24, 240, 12600)] == ["-", "1.2 s", "4 min", "3.5 h"]


def test_an_outcome_that_nobody_knows_has_a_number_of_its_own_until_somebody_says_it(record: Path) -> None:
    tell("lead-u", 4, source="website", milestones={"booked": NOW, "unknown": NOW})
    tell("lead-v", 5, source="website", milestones={"booked": NOW, "unknown": NOW, "showed": NOW + timedelta(hours=1)})
    tell("lead-w", 6, source="website", milestones={"no_show": NOW, "unknown": NOW + timedelta(days=2)})
    counted = {stage.name: stage.people for stage in funnel.funnel().total.stages}
    assert (counted["unknown"], counted["no_show"], counted["showed"]) == (2, 1, 1)
