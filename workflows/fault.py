"""A fault of a playbook, and where in its files it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .model import Model
from .playbook import LOADER, PlaybookError

Rule = Literal[
    "shape", "names", "acyclic", "reachable", "person", "escalation", "fields", "questions", "criteria", "objections",
    "thresholds", "turns", "speech", "placeholders", "forbidden", "silence", "matchers", "keys", "hours",
]  # fmt: skip


_SAID: dict[str, tuple[str, str]] = {
    "extra_forbidden": ("is no key that is known here", "mend its spelling, or remove it"),
    "missing": ("is missing", "add it"),
    "float_parsing": ("{input!r} is no number", "write a number, such as 0.6"),
    "float_type": ("{input!r} is no number", "write a number, such as 0.6"),
    "int_parsing": ("{input!r} is no whole number", "write one, such as 2"),
    "int_type": ("{input!r} is no whole number", "write one, such as 2"),
    "bool_parsing": ("{input!r} is neither true nor false", "write true or false"),
    "bool_type": ("{input!r} is neither true nor false", "write true or false"),
    "string_type": ("{input!r} is no text", "write text, in quotes if need be"),
    "tuple_type": ("{input!r} is no list", "write a list, such as [one, two]"),
    "dict_type": ("{input!r} has no keys", "write key: value, a line each, under it"),
    "model_type": ("{input!r} has no keys", "write key: value, a line each, under it"),
    "literal_error": ("{input!r} is not known here", "write {expected}"),
}
"""What pydantic finds wrong, by its name for it, in the words of who writes playbooks: the problem and the remedy."""


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
        path = f"{self.path}: " if self.path else ""
        return f"{place}{path}{self.problem}; {self.remedy}"


def found(rule: Rule, path: str, problem: str, remedy: str) -> Fault:
    """A fault at ``path``, wherever in the files that stands."""
    return Fault(rule=rule, path=path, problem=problem, remedy=remedy)


def misshapen(error: PlaybookError, texts: Mapping[str, str], name: str) -> list[Fault]:
    """The faults of a playbook that cannot be read: unknown keys, missing ones, values of the wrong kind, each with file
    and line; or that which kept a file of it from being read at all."""
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        return placed([_misfit(each) for each in cause.errors()], texts, error.file or name)
    problem, _, remedy = str(error).removeprefix(f"{error.file}: ").rpartition("; ")
    fault = found("shape", error.path, problem, remedy)
    if isinstance(cause, yaml.MarkedYAMLError) and cause.problem_mark:
        torn = {"problem": f"not readable as YAML: {cause.problem}", "line": cause.problem_mark.line + 1}
        return [fault.model_copy(update={"file": error.file, **torn})]
    (there,) = placed([fault], texts, error.file)
    return [there.model_copy(update={"file": error.file, "line": max(there.line, 1)})]


def _misfit(error: ErrorDetails) -> Fault:
    """One value of the wrong kind."""
    path = ".".join(map(str, error["loc"]))
    if error["type"] == "value_error":
        told = str(error.get("ctx", {}).get("error", error["msg"]))
        if not path:
            path, _, told = told.partition(": ")
        problem, _, remedy = told.rpartition("; ")
        return found("shape", path, problem or told, remedy if problem else "write it as the playbooks that ship do")
    problem, remedy = _SAID.get(error["type"], (error["msg"].replace("{", "{{"), "write it as the playbooks that ship do"))
    words = {"input": error["input"], "expected": error.get("ctx", {}).get("expected", "")}
    return found("shape", path, problem.format(**words), remedy.format(**words))


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
