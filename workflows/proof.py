"""The proof of a playbook: every fault is found before a lead could find it.

Here the graph and its numbers: that talks end (no circle but through bounded detours), that every node is reached,
every required field can be obtained in time, and a person can be had from everywhere. ``workflows/script.py`` has the
words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import get_args

from . import script
from .calling import hours_on
from .conversation.authority import RULES, TALK
from .conversation.exits import CONDITIONS
from .conversation.prompt import ACTIONS
from .events import Action
from .fault import Fault, found, placed
from .playbook import Criterion, Playbook

ENTRIES = {
    "outreach": "we call",
    "identity": "they ring us",
    "confirmation": "we ring about a meeting",
    "reschedule": "they ring about a meeting",
    "no_show_recovery": "after a missed meeting",
}
"""Where a conversation can begin, by what the lead already has (``workflows/brief.py``), and with whom."""
STRANGERS = ("outreach", "identity")
"""Where it begins with somebody of whom nothing is known yet."""
PERSON = "handoff"
"""The node in which a person takes over."""
GOAL = "booking"
"""The node before which the required fields must be known."""
ALWAYS = ("hand_off", "opt_out", "end")
"""What must be possible in every node."""
EFFECTS = frozenset(str(each.model_fields["kind"].default) for each in get_args(get_args(Action)[0]))
"""The actions that do something in the world, each of which needs the playbook's word on who decides it."""


def check(playbook: Playbook, texts: Mapping[str, str] | None = None, name: str = "") -> list[Fault]:
    """Every fault of ``playbook``; none means that it is proven. With the YAML ``texts`` by file name and the ``name``
    of this playbook's own file, each fault names its file and line."""
    rules = (
        _names, _acyclic, _reachable, _person, _escalation, _fields, _questions, _criteria, _objections, _thresholds,
        _instead, _turns, _keys, _hours, *script.RULES,
    )  # fmt: skip
    faults = [fault for rule in rules for fault in rule(playbook)]
    return placed(faults, texts, name) if texts and name else faults


# ---- the graph --------------------------------------------------------------------------------------------------


def _names(book: Playbook) -> Iterator[Fault]:
    """Every node, condition, action and field that is named exists."""
    for node, here in book.graph.items():
        for index, way in enumerate(here.exits):
            path = f"graph.{node}.exits.{index}"
            if way.to not in book.graph:
                yield found("names", path, f"leads to {way.to}, which is no node", "name a node of the graph")
            if way.when not in CONDITIONS:
                known = ", ".join(sorted(CONDITIONS))
                yield found("names", path, f"has the unknown condition {way.when}", f"write one of {known}")
        for action in here.actions:
            if action not in ACTIONS:
                remedy = f"write some of {', '.join(ACTIONS)}"
                yield found("names", f"graph.{node}.actions", f"{action} is no action", remedy)
    for entry in ENTRIES:
        if entry not in book.graph:
            yield found("names", "graph", f"has no node {entry}", "add it: conversations begin there")
    for node in book.call.patience.nodes:
        if node not in book.graph:
            yield found("names", f"call.patience.nodes.{node}", "is no node", "name a node of the graph")


def ways(book: Playbook) -> dict[str, list[str]]:
    """Node -> the nodes that it leads to."""
    return {node: [way.to for way in here.exits if way.to in book.graph] for node, here in book.graph.items()}


def _acyclic(book: Playbook) -> Iterator[Fault]:
    """No circle, but through a detour: that is a bounded call, which returns."""
    onward = {node: [to for to in targets if not book.graph[to].detour] for node, targets in ways(book).items()}
    done: set[str] = set()

    def circle(node: str, path: tuple[str, ...]) -> tuple[str, ...]:
        if node in path:
            return (*path[path.index(node) :], node)
        if node in done:
            return ()
        for to in onward[node]:
            if round_trip := circle(to, (*path, node)):
                return round_trip
        done.add(node)
        return ()

    for node in book.graph:
        if round_trip := circle(node, ()):
            last, back = round_trip[-2], round_trip[-1]
            index = next(i for i, way in enumerate(book.graph[last].exits) if way.to == back)
            problem = f"runs in a circle: {' -> '.join(round_trip)}"
            remedy = "remove one of these exits, or mark a node as detour: true"
            yield found("acyclic", f"graph.{last}.exits.{index}", problem, remedy)
            return


def closure(onward: Mapping[str, Iterable[str]], start: Iterable[str]) -> set[str]:
    """All that is reached from ``start``, itself included."""
    reached, todo = set(start), list(start)
    while todo:
        for to in onward.get(todo.pop(), ()):
            if to not in reached:
                reached.add(to)
                todo.append(to)
    return reached


def _reachable(book: Playbook) -> Iterator[Fault]:
    entries = [entry for entry in ENTRIES if entry in book.graph]
    for node in sorted(set(book.graph) - closure(ways(book), entries)):
        problem = f"is reached from none of {', '.join(entries)}"
        yield found("reachable", f"graph.{node}", problem, f"add an exit to: {node}, or remove the node")


def _person(book: Playbook) -> Iterator[Fault]:
    """From every node a person can be had by asking, and a stop is heard; neither is weighed or left to others."""
    if PERSON not in book.graph:
        yield found("person", "graph", f"has no node {PERSON}", "add it, with the action hand_off")
        return
    for node, here in book.graph.items():
        if node != PERSON and not any(way.to == PERSON and way.when == "asks_person" for way in here.exits):
            remedy = f"add an exit {{to: {PERSON}, when: asks_person}}"
            yield found("person", f"graph.{node}.exits", "cannot reach a person", remedy)
        for action in ALWAYS:
            if action not in here.actions:
                remedy = f"add {action}: it must be possible everywhere"
                yield found("person", f"graph.{node}.actions", f"does not allow {action}", remedy)
    for action in ("hand_off", "opt_out"):
        if book.thresholds.get(action, 0) > 0:
            yield found("person", f"thresholds.{action}", "asks for evidence", "write 0: the wish is enough")
        if book.autonomy.get(action, "act") != "act":
            yield found("person", f"autonomy.{action}", "waits for somebody", "write act: it must be done at once")


def _escalation(book: Playbook) -> Iterator[Fault]:
    """Where a node gives up, the talk goes on to another, and at last to a person."""
    told: set[str] = set()
    for node, here in book.graph.items():
        if node != PERSON and here.escalation not in (*book.graph, PERSON):
            problem = f"leads to {here.escalation}, which is no node"
            yield found("escalation", f"graph.{node}.escalation", problem, f"name a node, such as {PERSON}")
        passed = [node]
        while (at := passed[-1]) in book.graph and at != PERSON and at not in passed[:-1]:
            passed.append(book.graph[at].escalation)
        if at in passed[:-1] and at not in told:
            told.update(passed)
            problem = f"runs in a circle: {' -> '.join(passed[passed.index(at) :])}"
            yield found("escalation", f"graph.{at}.escalation", problem, f"have one of them lead to {PERSON}")


# ---- what is asked ----------------------------------------------------------------------------------------------


def _fields(book: Playbook) -> Iterator[Fault]:
    """A required field has a question, and a node in which it is asked on every way to where it is needed."""
    for field in book.qualification.required:
        yield from _obtained(book, field, "qualification.required", GOAL)
    for node, here in book.graph.items():
        for field in here.required:
            yield from _obtained(book, field, f"graph.{node}.required", node)


def _obtained(book: Playbook, field: str, path: str, needed: str) -> Iterator[Fault]:
    if field not in book.fields:
        yield found("fields", path, f"{field} has no question", f"add {field} under fields")
        return
    asking = {node for node, here in book.graph.items() if "ask" in here.actions and field in here.required}
    if not asking:
        remedy = f"name {field} under required of a node whose actions have ask"
        yield found("fields", path, f"{field} can be asked nowhere", remedy)
        return
    past = {node: targets for node, targets in ways(book).items() if node not in asking}
    starts = [node for node in STRANGERS if node in book.graph]
    if needed not in asking and needed in closure(past, starts):
        remedy = f"name it under required of a node on each way to {needed}, or remove the exit that leads past"
        yield found("fields", path, f"{field} is not asked on every way to {needed}", remedy)


def _questions(book: Playbook) -> Iterator[Fault]:
    """Every question can be asked, asked differently, and its answer relied on."""
    for name, question in book.fields.items():
        path = f"fields.{name}"
        if not question.ask.strip():
            yield found("questions", path, "asks nothing", "give the words of the question under ask")
        if question.complex and not question.rephrase.strip():
            yield found("questions", path, "takes thought and has no other wording", "add rephrase")
        if question.kind == "choice" and not question.choices:
            yield found("questions", path, "is a choice of nothing", "give its choices")
        for choice in sorted(set(question.words) - set(question.choices)):
            remedy = f"write one of {', '.join(question.choices) or 'its choices'}"
            yield found("questions", f"{path}.words.{choice}", "is no choice of it", remedy)
        if question.kind in ("email", "name") and not question.confirm:
            yield found("questions", path, "is relied on as it was heard", "write confirm: true")


def _criteria(book: Playbook) -> Iterator[Fault]:
    """Every criterion can be judged, some fit passes, and nobody is turned away on hearsay."""
    if not 0 <= (score := book.qualification.pass_score) <= 1:
        outside = f"{score:g} is outside 0 to 1"
        yield found("criteria", "qualification.pass_score", outside, "give the part of the weight that must be met")
    for index, criterion in enumerate(book.qualification.criteria):
        path = f"qualification.criteria.{index}"
        if criterion.field not in book.fields:
            yield found("criteria", path, f"{criterion.field} is no field", "add it under fields")
            continue
        if problem := _unjudged(book, criterion):
            yield found("criteria", path, *problem)
        if not criterion.sources:
            yield found("criteria", path, "accepts nobody's word", "give sources, such as [form, said]")
        if criterion.weight <= 0:
            yield found("criteria", path, f"weighs {criterion.weight:g}", "give a weight above 0, or remove it")
        if criterion.knock_out and "crm" in criterion.sources:
            remedy = "leave crm out of sources: they must have said or written it"
            yield found("criteria", path, "turns people away on the CRM's word", remedy)


def _unjudged(book: Playbook, criterion: Criterion) -> tuple[str, str] | None:
    """What is wrong with the values that meet it, and the remedy."""
    question = book.fields[criterion.field]
    if criterion.at_least is None and not criterion.one_of:
        return "accepts nothing", "give at_least or one_of"
    if criterion.at_least is not None and criterion.one_of:
        return "is judged in two ways", "give either at_least or one_of, and the other in a criterion of its own"
    if criterion.at_least is not None and question.kind != "number":
        return f"compares {criterion.field}, which is no number", "give one_of, or make the field a number"
    unknown = sorted(set(criterion.one_of) - set(question.choices)) if question.kind == "choice" else []
    if unknown:
        return (
            f"{', '.join(unknown)} is no choice of {criterion.field}",
            f"write some of {', '.join(question.choices)}",
        )
    return None


def _objections(book: Playbook) -> Iterator[Fault]:
    """Every concern is known by some words and has an answer, and a node in which it is given."""
    for name, objection in book.objections.items():
        path = f"objections.{name}"
        if not any(cue.strip() for cue in objection.cues):
            yield found("objections", path, "is known by no words", "give its cues")
        if not objection.answers or not all(answer.strip() for answer in objection.answers):
            yield found("objections", path, "has no answer", "give at least one under answers, none of them empty")
    answering = {node for node, here in book.graph.items() if "answer" in here.actions}
    if book.objections and not answering:
        yield found("objections", "graph", "no node answers concerns", "add answer to a node's actions")
        return
    for node, here in book.graph.items():
        for index, way in enumerate(here.exits):
            if way.when == "concern" and way.to in book.graph and way.to not in answering:
                path = f"graph.{node}.exits.{index}"
                yield found("objections", path, f"leads to {way.to}, which answers none", "add answer to its actions")


# ---- the numbers ------------------------------------------------------------------------------------------------


def _thresholds(book: Playbook) -> Iterator[Fault]:
    """Every action that a node allows has its evidence, and if it has an effect, somebody who decides."""
    used = {action for here in book.graph.values() for action in here.actions} & set(ACTIONS)
    for action in sorted(used):
        value = book.thresholds.get(action)
        if value is None:
            yield found("thresholds", "thresholds", f"{action} has no value", f"add {action}: 0 to 1")
        elif not 0 <= value <= 1:
            path = f"thresholds.{action}"
            yield found("thresholds", path, f"{value:g} is outside 0 to 1", "give a number from 0 to 1")
        if action in EFFECTS and action not in book.autonomy:
            yield found("thresholds", "autonomy", f"{action} has no value", f"add {action}: observe, propose or act")
    for part, names in (("thresholds", book.thresholds), ("autonomy", book.autonomy)):
        for action in sorted(set(names) - set(ACTIONS)):
            yield found("thresholds", f"{part}.{action}", "is no action", f"write one of {', '.join(ACTIONS)}")


def _instead(book: Playbook) -> Iterator[Fault]:
    """What is done in place of a denied action is named for a denial that there can be."""
    actions = {*RULES, *TALK}
    rules = {rule.name for each in RULES.values() for rule in each}
    for name in book.instead:
        action, dot, rule = name.partition(".")
        if (action in actions and rule in rules) if dot else (name in actions | rules):
            continue
        known = f"one of {', '.join(sorted(rules))}, an action, or ACTION.RULE"
        yield found("names", f"instead.{name}", "is no denial that there can be", f"write {known}")


def _turns(book: Playbook) -> Iterator[Fault]:
    """A node has a turn for each question that it must ask, and one to say so."""
    for node, here in book.graph.items():
        least = 1 + (len(here.required) if "ask" in here.actions else 0)
        if here.max_turns < least:
            problem = f"has {here.max_turns} turns for {least - 1} questions"
            yield found("turns", f"graph.{node}.max_turns", problem, f"give at least {least}")


def _keys(book: Playbook) -> Iterator[Fault]:
    """The keys are those of a telephone, and one stops the calls (47 CFR 64.1200(b)(3)), another gets a person."""
    for key in book.keys:
        if key not in tuple("0123456789*#"):
            yield found("keys", f"keys.{key}", "is no key of a telephone", "write 0 to 9, * or #, in quotes")
    for meaning in ("stop", "person"):
        if meaning not in book.keys.values():
            yield found("keys", "keys", f"none means {meaning}", f'add one, such as "9": {meaning}')


def _hours(book: Playbook) -> Iterator[Fault]:
    """Somewhere in the week is an hour in which we may call, in every state."""
    places = dict.fromkeys(["", *book.hours.regions, *(p for row in book.rules.hours for p in row.where)] if book.rules else ["", *book.hours.regions])
    began = book.rules.reviewed if book.rules else date(2026, 1, 1)
    for place in places:
        if not any(hours_on(book, place, began + timedelta(days=days)) for days in range(7)):
            path = f"hours.regions.{place}" if place in book.hours.regions else "hours"
            where = f" in {place}" if place else ""
            yield found("hours", path, f"leaves no hour of the week{where}", "widen opens, closes or days, or the rule file's")
