"""The playbooks that ship, and what is found in ones that must not."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from workflows.graph import draw
from workflows.model import Model
from workflows.playbook import Playbook, PlaybookError, read_playbook
from workflows.proof import check
from workflows.roster import read_team

from .talk import playbook

FOLDER = Path(__file__).parent.parent / "workflows" / "playbooks"
TEXTS = {file.name: file.read_text() for file in FOLDER.glob("*.yml")}
PLAYBOOKS = sorted(name for name in TEXTS if not name.endswith(".team.yml"))


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_what_ships_is_proven(name: str) -> None:
    assert [str(fault) for fault in check(read_playbook(name, TEXTS), TEXTS, name)] == []


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_the_graph_has_all_ten_nodes(name: str) -> None:
    assert set(read_playbook(name, TEXTS).graph) == {
        "outreach", "identity", "qualification", "objection", "booking", "confirmation", "follow_up", "reschedule",
        "no_show_recovery", "handoff",
    }  # fmt: skip


def _differences(one: Any, other: Any, path: str = "") -> dict[str, tuple[Any, Any]]:
    if isinstance(one, Model) and isinstance(other, Model):
        one = {name: getattr(one, name) for name in type(one).model_fields}
        other = {name: getattr(other, name) for name in type(other).model_fields}
    if isinstance(one, dict) and isinstance(other, dict):
        found: dict[str, tuple[Any, Any]] = {}
        for key in one.keys() | other.keys():
            found |= _differences(one.get(key), other.get(key), f"{path}.{key}")
        return found
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        found = {}
        for index, (a, b) in enumerate(zip(one, other, strict=True)):
            found |= _differences(a, b, f"{path}.{index}")
        return found
    return {} if one == other else {path.strip("."): (one, other)}


def test_the_demo_differs_from_the_real_one_in_durations_only() -> None:
    found = _differences(playbook("inbound.yml"), playbook("demo.yml"))
    assert set(found) >= {"meeting.length", "cadence.min_gap", "attendance.absent_after", "memory"}
    others = {path for path, (a, b) in found.items() if not (isinstance(a, timedelta) and isinstance(b, timedelta))}
    assert others == {"name", "audience"}


def test_a_whole_life_fits_into_the_demo() -> None:
    """Booked on the second call, missed, recovered, held: within three and a half minutes, talks of 15 s included."""
    book = playbook("demo.yml")
    first = {touch.name: touch.after for touch in book.cadence.first}
    second_call = first["call_1"] + first["text_1"] + first["call_2"]
    meeting = book.meeting.notice + book.meeting.increment
    talk = timedelta(seconds=15)
    recovery = book.attendance.absent_after + book.cadence.recovery[0].after
    held = book.meeting.length
    assert second_call + talk + meeting + recovery + talk + meeting + held < timedelta(minutes=3, seconds=30)


def test_the_real_cadence_keeps_to_the_rules() -> None:
    book = playbook("inbound.yml")
    calls = [touch for touch in book.cadence.first if touch.channel == "call"]
    assert len(calls) == 6
    assert calls[0].after == timedelta(0)
    assert sum((touch.after for touch in book.cadence.first), timedelta()) <= timedelta(days=14)
    assert (book.cadence.max_calls, book.cadence.per) == (3, timedelta(hours=24))
    assert book.call.ring >= timedelta(seconds=15)
    assert all(row.source for row in book.hours.regions.values())
    assert [touch.name for touch in calls if touch.voicemail] == ["call_1", "call_2"]


def test_the_texts_carry_their_links() -> None:
    for name in PLAYBOOKS:
        messages = read_playbook(name, TEXTS).messages
        assert "{join_link}" in messages["confirmation"]
        assert "{manage_link}" in messages["confirmation"]
        assert "{join_link}" in messages["starting"]
        assert all("{company}" in messages[m] for m in ("missed_call", "confirmation", "opted_out", "link"))


def test_the_team_can_be_read() -> None:
    team = read_team(TEXTS["sales.team.yml"])
    assert team.id == playbook().team
    assert [rep.id for rep in team.reps] == ["ana", "ben"]
    assert all(len(rep.hours) == 7 for rep in team.reps)


def _changed(**changes: Any) -> Playbook:
    return playbook().model_copy(update=changes)


def _node(name: str, **changes: Any) -> Playbook:
    graph = dict(playbook().graph)
    graph[name] = graph[name].model_copy(update=changes)
    return _changed(graph=graph)


def _without(node: str) -> Playbook:
    return _changed(graph={name: here for name, here in playbook().graph.items() if name != node})


def _exits(*pairs: tuple[str, str]) -> Any:
    exit_type = type(playbook().graph["outreach"].exits[0])
    return tuple(exit_type(to=to, when=when) for to, when in pairs)


@pytest.mark.parametrize(
    ("book", "rule", "path"),
    [
        (_node("booking", exits=_exits(("qualification", "later"), ("handoff", "asks_person"))), "acyclic", "graph."),
        (_node("outreach", exits=_exits(("nowhere", "answered"), ("handoff", "asks_person"))), "names", "graph.outreach.exits.0"),
        (_node("outreach", exits=_exits(("handoff", "full_moon"))), "names", "graph.outreach.exits.0"),
        (_node("outreach", actions=("say", "dance", "hand_off", "opt_out", "end")), "names", "graph.outreach.actions"),
        (_node("follow_up", exits=()), "person", "graph.follow_up"),
        (_node("booking", actions=("say", "end")), "person", "graph.booking.actions"),
        (_without("handoff"), "person", "graph"),
        (_node("qualification", required=()), "fields", "qualification.required"),
        (_changed(fields={k: v for k, v in playbook().fields.items() if k != "team_size"}), "fields", "qualification.required"),
        (_changed(thresholds={k: v for k, v in playbook().thresholds.items() if k != "book"}), "thresholds", "thresholds"),
        (_changed(thresholds={**playbook().thresholds, "book": 1.5}), "thresholds", "thresholds.book"),
        (
            _changed(objections={**playbook().objections, "price": playbook().objections["price"].model_copy(update={"answers": ()})}),
            "objections",
            "objections.price",
        ),
        (_changed(speech=playbook().speech.model_copy(update={"disclosure": "Hi, this is Juno."})), "speech", "speech.disclosure"),
        (_changed(call=playbook().call.model_copy(update={"silence": ()})), "silence", "call.silence"),
    ],
)  # fmt: skip
def test_faults_are_found_with_a_remedy(book: Playbook, rule: str, path: str) -> None:
    faults = [fault for fault in check(book) if fault.rule == rule]
    assert faults
    assert faults[0].path.startswith(path)
    assert faults[0].remedy


def test_an_unreached_node_is_found() -> None:
    exits = tuple(way for way in playbook().graph["identity"].exits if way.to != "qualification")
    faults = check(_node("identity", exits=exits))
    assert [fault.path for fault in faults if fault.rule == "reachable"] == ["graph.qualification"]


def test_a_fault_names_file_and_line() -> None:
    text = "extends: inbound.yml\nname: broken\naudience: broken\nthresholds:\n  book: 7\n"
    texts = {**TEXTS, "broken.yml": text}
    (fault,) = check(read_playbook("broken.yml", texts), texts, "broken.yml")
    assert (fault.file, fault.line) == ("broken.yml", 5)
    texts["inbound.yml"] = TEXTS["inbound.yml"].replace(
        "to: confirmation, when: booked", "to: confirmation, when: never", 1
    )
    fault = check(read_playbook("broken.yml", texts), texts, "broken.yml")[0]
    line = texts["inbound.yml"].splitlines()[fault.line - 1]
    assert fault.file == "inbound.yml"
    assert "when: never" in line


def test_a_detour_is_no_circle() -> None:
    assert any(way.to == "reschedule" for way in playbook().graph["confirmation"].exits)
    assert any(way.to == "confirmation" for way in playbook().graph["reschedule"].exits)
    assert not [fault for fault in check(playbook()) if fault.rule == "acyclic"]


def test_unknown_keys_are_refused_by_name() -> None:
    with pytest.raises(PlaybookError, match=r"broken\.yml: .*cadense"):
        read_playbook("broken.yml", {**TEXTS, "broken.yml": "extends: inbound.yml\ncadense: {}\n"})


def test_the_picture_is_svg_with_every_node_and_the_path_marked() -> None:
    plain = draw(playbook())
    marked = draw(playbook(), ("outreach", "identity", "qualification"))
    root = ElementTree.fromstring(plain)
    words = " ".join("".join(node.itertext()) for node in root.iter())
    assert all(node.replace("_", " ") in words for node in playbook().graph)
    assert plain != marked
    assert marked.count('marker-end="url(#taken)"') == 2
    assert 'marker-end="url(#taken)"' not in plain
