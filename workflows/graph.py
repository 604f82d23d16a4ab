"""The proof of a playbook's graph, and its picture.

``check`` finds every fault before a lead could: it proves that talks end (no circle but through bounded detours), that
every node is reached, every required field can be obtained, and a person can be had from everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Literal

import yaml

from .conversation.exits import CONDITIONS
from .conversation.prompt import ACTIONS
from .model import Model
from .playbook import Playbook

ENTRIES = ("outreach", "identity", "confirmation", "reschedule", "no_show_recovery")
"""Where a conversation can begin, by what the lead already has (``workflows/brief.py``)."""
PERSON = "handoff"
"""The node in which a person takes over."""


class Fault(Model):
    """One fault of a playbook: what is wrong, what to write instead, and where (1-based; 0 when unknown)."""

    rule: Literal["names", "acyclic", "reachable", "person", "fields", "objections", "thresholds", "speech"]
    path: str
    """Where in the playbook, dotted."""
    problem: str
    remedy: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file else ""
        return f"{place}{self.path}: {self.problem}; {self.remedy}"


def check(playbook: Playbook, texts: Mapping[str, str] | None = None, name: str = "") -> list[Fault]:
    """Every fault of ``playbook``; none means that it is proven. With the YAML ``texts`` by file name and the ``name``
    of this playbook's own file, each fault names its file and line."""
    faults = [
        *_names(playbook),
        *_acyclic(playbook),
        *_reachable(playbook),
        *_person(playbook),
        *_fields(playbook),
        *_objections(playbook),
        *_thresholds(playbook),
        *_speech(playbook),
    ]
    if not texts or not name:
        return faults
    marks = _marks(texts, name)
    return [
        fault.model_copy(update=dict(zip(("file", "line"), _place(marks, fault.path), strict=True))) for fault in faults
    ]


# ---- the rules --------------------------------------------------------------------------------------------------


def _names(book: Playbook) -> Iterator[Fault]:
    """Everything that is named exists."""
    for node, here in book.graph.items():
        for index, way in enumerate(here.exits):
            path = f"graph.{node}.exits.{index}"
            if way.to not in book.graph:
                yield Fault(
                    rule="names",
                    path=path,
                    problem=f"leads to {way.to}, which is no node",
                    remedy="name a node of the graph",
                )
            if way.when not in CONDITIONS:
                known = ", ".join(sorted(CONDITIONS))
                yield Fault(
                    rule="names",
                    path=path,
                    problem=f"has the unknown condition {way.when}",
                    remedy=f"write one of {known}",
                )
        for action in here.actions:
            if action not in ACTIONS:
                yield Fault(
                    rule="names",
                    path=f"graph.{node}.actions",
                    problem=f"{action} is no action",
                    remedy=f"write some of {', '.join(ACTIONS)}",
                )
    for entry in ENTRIES:
        if entry not in book.graph:
            yield Fault(
                rule="names", path="graph", problem=f"has no node {entry}", remedy="add it: conversations begin there"
            )
    for index, criterion in enumerate(book.qualification.criteria):
        path = f"qualification.criteria.{index}"
        if criterion.field not in book.fields:
            yield Fault(rule="names", path=path, problem=f"{criterion.field} is no field", remedy="add it under fields")
        elif criterion.at_least is None and not criterion.one_of:
            yield Fault(rule="names", path=path, problem="accepts nothing", remedy="give at_least or one_of")
        else:
            question = book.fields[criterion.field]
            unknown = sorted(set(criterion.one_of) - set(question.choices)) if question.kind == "choice" else []
            if unknown:
                yield Fault(
                    rule="names",
                    path=path,
                    problem=f"{', '.join(unknown)} is no choice of {criterion.field}",
                    remedy=f"write some of {', '.join(question.choices)}",
                )


def _ways(book: Playbook) -> dict[str, list[str]]:
    """Node -> the nodes that it leads to."""
    return {node: [way.to for way in here.exits if way.to in book.graph] for node, here in book.graph.items()}


def _acyclic(book: Playbook) -> Iterator[Fault]:
    """No circle, but through a detour: that is a bounded call, which returns."""
    ways = {node: [to for to in targets if not book.graph[to].detour] for node, targets in _ways(book).items()}
    done: set[str] = set()

    def circle(node: str, path: tuple[str, ...]) -> tuple[str, ...]:
        if node in path:
            return (*path[path.index(node) :], node)
        if node in done:
            return ()
        for to in ways[node]:
            if found := circle(to, (*path, node)):
                return found
        done.add(node)
        return ()

    for node in book.graph:
        if found := circle(node, ()):
            index = next(i for i, way in enumerate(book.graph[found[0]].exits) if way.to == found[1])
            yield Fault(
                rule="acyclic",
                path=f"graph.{found[0]}.exits.{index}",
                problem=f"runs in a circle: {' -> '.join(found)}",
                remedy="remove one of these exits, or mark a node as detour: true",
            )
            return
    for node, here in book.graph.items():
        if here.max_turns < 1:
            yield Fault(
                rule="acyclic", path=f"graph.{node}.max_turns", problem="allows no turn", remedy="give at least 1"
            )


def _closure(ways: Mapping[str, Iterable[str]], start: Iterable[str]) -> set[str]:
    found, todo = set(start), list(start)
    while todo:
        for to in ways.get(todo.pop(), ()):
            if to not in found:
                found.add(to)
                todo.append(to)
    return found


def _reachable(book: Playbook) -> Iterator[Fault]:
    entries = [entry for entry in ENTRIES if entry in book.graph]
    for node in sorted(set(book.graph) - _closure(_ways(book), entries)):
        yield Fault(
            rule="reachable",
            path=f"graph.{node}",
            problem=f"is reached from none of {', '.join(entries)}",
            remedy=f"add an exit to: {node}, or remove the node",
        )


def _person(book: Playbook) -> Iterator[Fault]:
    """From every node a person can be had, and a stop is heard."""
    if PERSON not in book.graph:
        yield Fault(
            rule="person", path="graph", problem=f"has no node {PERSON}", remedy="add it, with the action hand_off"
        )
        return
    ways = _ways(book)
    for node, here in book.graph.items():
        if PERSON not in _closure(ways, [node]):
            yield Fault(
                rule="person",
                path=f"graph.{node}",
                problem="cannot reach a person",
                remedy=f"add an exit {{to: {PERSON}, when: asks_person}}",
            )
        for action in ("hand_off", "opt_out", "end"):
            if action not in here.actions:
                yield Fault(
                    rule="person",
                    path=f"graph.{node}.actions",
                    problem=f"does not allow {action}",
                    remedy=f"add {action}: it must be possible everywhere",
                )


def _fields(book: Playbook) -> Iterator[Fault]:
    """A required field has a question, and a node in which it can be asked before it is needed."""
    required = {field: f"graph.{node}.required" for node, here in book.graph.items() for field in here.required}
    required |= dict.fromkeys(book.qualification.required, "qualification.required")
    asking = [here for here in book.graph.values() if "ask" in here.actions]
    for field, path in required.items():
        if field not in book.fields:
            yield Fault(
                rule="fields", path=path, problem=f"{field} has no question", remedy=f"add {field} under fields"
            )
        elif not any(field in here.required for here in asking):
            yield Fault(
                rule="fields",
                path=path,
                problem=f"{field} can be asked nowhere",
                remedy="name it under required of a node whose actions have ask",
            )
    for name, question in book.fields.items():
        if question.kind == "choice" and not question.choices:
            yield Fault(
                rule="fields", path=f"fields.{name}", problem="is a choice of nothing", remedy="give its choices"
            )


def _objections(book: Playbook) -> Iterator[Fault]:
    for name, objection in book.objections.items():
        path = f"objections.{name}"
        if not objection.cues:
            yield Fault(rule="objections", path=path, problem="is known by no words", remedy="give its cues")
        if not any(answer.strip() for answer in objection.answers):
            yield Fault(rule="objections", path=path, problem="has no answer", remedy="give at least one under answers")
    if book.objections and not any("answer" in here.actions for here in book.graph.values()):
        yield Fault(
            rule="objections",
            path="graph",
            problem="no node answers objections",
            remedy="add answer to a node's actions",
        )


def _thresholds(book: Playbook) -> Iterator[Fault]:
    used = {action for here in book.graph.values() for action in here.actions}
    for action in sorted(used & set(ACTIONS)):
        value = book.thresholds.get(action)
        if value is None:
            yield Fault(
                rule="thresholds", path="thresholds", problem=f"{action} has no value", remedy=f"add {action}: 0 to 1"
            )
        elif not 0 <= value <= 1:
            yield Fault(
                rule="thresholds",
                path=f"thresholds.{action}",
                problem=f"{value:g} is outside 0 to 1",
                remedy="give a number from 0 to 1",
            )
    for part, names in (("thresholds", book.thresholds), ("autonomy", book.autonomy)):
        for action in sorted(set(names) - set(ACTIONS)):
            yield Fault(
                rule="thresholds",
                path=f"{part}.{action}",
                problem="is no action",
                remedy=f"write one of {', '.join(ACTIONS)}",
            )


def _speech(book: Playbook) -> Iterator[Fault]:
    """What the law wants said is said."""
    if "{company}" not in book.speech.disclosure and book.company.name not in book.speech.disclosure:
        yield Fault(
            rule="speech",
            path="speech.disclosure",
            problem="does not name the company",
            remedy="write {company} into it",
        )
    if not any(
        word in book.speech.disclosure.lower() for word in ("automated", "virtual", "artificial", " ai ", "robot")
    ):
        yield Fault(
            rule="speech",
            path="speech.disclosure",
            problem="does not say that a machine speaks",
            remedy="say that it is an automated assistant",
        )
    for kind in ("outreach", "inbound"):
        if not book.speech.opening.get(kind, "").strip():
            yield Fault(rule="speech", path="speech.opening", problem=f"has no {kind}", remedy=f"add {kind}")
    if len(book.call.silence) < len(book.speech.silence):
        yield Fault(
            rule="speech",
            path="call.silence",
            problem=f"has {len(book.call.silence)} times for {len(book.speech.silence)} prompts",
            remedy="give one time for each of speech.silence",
        )


# ---- where it stands ------------------------------------------------------------------------------------------------


def _marks(texts: Mapping[str, str], name: str) -> dict[str, tuple[str, int]]:
    """Dotted path -> file and line, over the file and those that it extends; the nearest file wins."""
    found: dict[str, tuple[str, int]] = {}
    seen: set[str] = set()
    while name and name in texts and name not in seen:
        seen.add(name)
        root = yaml.compose(texts[name], Loader=yaml.SafeLoader)
        base = ""
        for path, node in _walk(root, ()):
            found.setdefault(".".join(path), (name, node.start_mark.line + 1))
            if path == ("extends",) and isinstance(node, yaml.ScalarNode):
                base = str(node.value)
        name = base
    return found


def _walk(node: yaml.Node | None, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], yaml.Node]]:
    if node is None:
        return
    if path:
        yield path, node
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _walk(value, (*path, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _walk(value, (*path, str(index)))


def _place(marks: Mapping[str, tuple[str, int]], path: str) -> tuple[str, int]:
    """The nearest place that stands in a file."""
    while path:
        if path in marks:
            return marks[path]
        path = path.rpartition(".")[0]
    return next(iter(marks.values()), ("", 0))[0], 1


# ---- the picture ----------------------------------------------------------------------------------------------------

_WIDE, _HIGH, _ACROSS, _DOWN, _EDGE = 190, 54, 250, 110, 30


def draw(playbook: Playbook, path: Sequence[str] = ()) -> str:
    """The graph as SVG, in layers from where conversations begin; the nodes and ways of ``path`` (in the order in which
    a talk took them) are marked."""
    places = _layout(playbook)
    taken = set(pairwise(path))
    right = max(x for x, _ in places.values()) + _WIDE + _EDGE
    bottom = max(y for _, y in places.values()) + _HIGH + _EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right} {bottom}" width="{right}" height="{bottom}" '
        'font-family="system-ui, sans-serif" font-size="12" role="img">',
        f"<title>{escape(playbook.name)}: the graph of the conversation</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#64748b"/></marker></defs>',
        f'<rect width="{right}" height="{bottom}" fill="#fff"/>',
    ]
    for node, here in playbook.graph.items():
        for way in here.exits:
            if way.to in places:
                parts.append(_arrow(places[node], places[way.to], way.when, (node, way.to) in taken))
    for node, here in playbook.graph.items():
        parts.append(_box(places[node], node, here.objective, here.detour, node in path))
    return "".join([*parts, "</svg>"])


def _layout(book: Playbook) -> dict[str, tuple[int, int]]:
    """Node -> upper left corner: as far down as its longest way from a beginning, detours left out."""
    ways = {node: [to for to in targets if not book.graph[to].detour] for node, targets in _ways(book).items()}
    depth = dict.fromkeys(book.graph, 0)
    for _ in book.graph:
        for node, targets in ways.items():
            for to in targets:
                depth[to] = min(max(depth[to], depth[node] + 1), len(book.graph))
    rows: dict[int, list[str]] = {}
    for node in book.graph:
        rows.setdefault(depth[node], []).append(node)
    return {
        node: (_EDGE + column * _ACROSS, _EDGE + row * _DOWN)
        for row, depth_ in enumerate(sorted(rows))
        for column, node in enumerate(rows[depth_])
    }


def _arrow(start: tuple[int, int], end: tuple[int, int], label: str, taken: bool) -> str:
    x1, x2 = start[0] + _WIDE / 2, end[0] + _WIDE / 2
    down = end[1] > start[1]
    if start[1] == end[1]:
        right = end[0] > start[0]
        x1, x2 = (start[0] + _WIDE, end[0]) if right else (start[0], end[0] + _WIDE)
        y1 = y2 = start[1] + _HIGH / 2
    else:
        y1, y2 = (start[1] + _HIGH, end[1]) if down else (start[1], end[1] + _HIGH)
    bend = (y2 - y1) / 2
    colour, width = ("#0f766e", 3) if taken else ("#94a3b8", 1.2)
    line = f"M{x1:g} {y1:g}C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}"
    # The label stands nearer to the end, where ways to one node are told apart by where they come from.
    at = (x1 + 2 * x2) / 3, (y1 + 2 * y2) / 3
    return (
        f'<path d="{line}" fill="none" stroke="{colour}" stroke-width="{width}" marker-end="url(#tip)"/>'
        f'<text x="{at[0]:.0f}" y="{at[1] - 4:.0f}" text-anchor="middle" fill="#475569" font-size="10" '
        f'paint-order="stroke" stroke="#fff" stroke-width="3">{escape(label)}</text>'
    )


def _box(place: tuple[int, int], name: str, objective: str, detour: bool, taken: bool) -> str:
    x, y = place
    fill, edge = ("#ccfbf1", "#0f766e") if taken else ("#f1f5f9", "#64748b")
    dashes = ' stroke-dasharray="5 4"' if detour else ""
    short = objective if len(objective) <= 31 else objective[:30].rstrip() + "…"
    return (
        f'<g><title>{escape(objective)}</title><rect x="{x}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="9" fill="{fill}" '
        f'stroke="{edge}" stroke-width="{2.5 if taken else 1.2}"{dashes}/>'
        f'<text x="{x + _WIDE / 2:g}" y="{y + 23}" text-anchor="middle" font-weight="600" fill="#0f172a">'
        f"{escape(name.replace('_', ' '))}</text>"
        f'<text x="{x + _WIDE / 2:g}" y="{y + 40}" text-anchor="middle" fill="#475569" font-size="10">{escape(short)}</text></g>'
    )
