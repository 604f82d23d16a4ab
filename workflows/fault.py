"""A fault of a playbook, and where in its files it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import yaml

from .model import Model
from .playbook import LOADER, PlaybookError

Rule = Literal[
    "shape", "names", "acyclic", "reachable", "person", "escalation", "fields", "questions", "criteria", "objections",
    "thresholds", "turns", "speech", "placeholders", "forbidden", "silence", "matchers", "keys", "hours",
]  # fmt: skip


_REMEDIES = {
    "Extra inputs are not permitted": "no such key is known here: mend its spelling, or remove it",
    "Field required": "add it",
}


class Fault(Model):
    """One fault of a playbook: what is wrong, what to write instead, and where (1-based; 0 when unknown)."""

    rule: Rule
    path: str
    """Where in the playbook, dotted."""
    problem: str
    remedy: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file else ""
        return f"{place}{self.path}: {self.problem}; {self.remedy}"


def found(rule: Rule, path: str, problem: str, remedy: str) -> Fault:
    """A fault at ``path``, wherever in the files that stands."""
    return Fault(rule=rule, path=path, problem=problem, remedy=remedy)


def misshapen(error: PlaybookError, texts: Mapping[str, str], name: str) -> list[Fault]:
    """The faults of a playbook that cannot be read: unknown keys, missing ones, values of the wrong kind, each with file
    and line; or that which kept its file from being read at all."""
    if not error.fields:
        return [found("shape", "playbook", str(error), "mend the file and prove it again")]
    faults = [
        found("shape", path or "name", problem, _REMEDIES.get(problem, "write it as the playbooks that ship do"))
        for path, problem in error.fields
    ]
    return placed(faults, texts, name)


def placed(faults: Iterable[Fault], texts: Mapping[str, str], name: str) -> list[Fault]:
    """``faults`` with file and line: the nearest place of each that stands in the YAML ``texts``, by file name, of the
    playbook whose own file is ``name``."""
    marks = _marks(texts, name)
    return [
        fault.model_copy(update=dict(zip(("file", "line"), _place(marks, fault.path), strict=True))) for fault in faults
    ]


def _marks(texts: Mapping[str, str], name: str) -> dict[str, tuple[str, int]]:
    """Dotted path -> file and line, over the file and those that it extends; the nearest file wins."""
    marks: dict[str, tuple[str, int]] = {}
    seen: set[str] = set()
    sections: set[str] | None = None
    while name and name in texts and name not in seen:
        seen.add(name)
        root = yaml.compose(texts[name], Loader=LOADER)
        own = {path: (node, line) for path, node, line in _walk(root, ())}
        for path, (_, line) in own.items():
            if sections is None or path[0] in sections:
                marks.setdefault(".".join(path), (name, line))
        base = own.get(("extends",))
        takes = {node.value for path, (node, _) in own.items() if path[0] == "takes" and len(path) == 2}
        if takes:
            sections = takes if sections is None else sections & takes
        name = str(base[0].value) if base else ""
    return marks


def _walk(node: yaml.Node | None, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], yaml.Node, int]]:
    """Every entry under ``node`` with its path, its value, and the line on which it begins."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, str(key.value))
            yield inner, value, key.start_mark.line + 1
            yield from _walk(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            inner = (*path, str(index))
            yield inner, value, value.start_mark.line + 1
            yield from _walk(value, inner)


def _place(marks: Mapping[str, tuple[str, int]], path: str) -> tuple[str, int]:
    """The nearest place that stands in a file."""
    while path:
        if path in marks:
            return marks[path]
        path = path.rpartition(".")[0]
    return next(iter(marks.values()), ("", 0))[0], 1
