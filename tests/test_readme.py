"""The README says what is true: its table of settings is that of ``activities/settings.py``, and its links lead somewhere.

``python -m tests.test_readme`` writes the table anew.
"""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from pathlib import Path
from typing import Any

from typer.main import get_command

from activities.settings import Settings
from clients import command

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
BEGIN = "<!-- settings: written by `python -m tests.test_readme`, checked by the tests -->\n"
END = "<!-- end of settings -->"


def documented() -> dict[str, str]:
    """Setting -> the words written under it."""
    (body,) = ast.parse(inspect.getsource(Settings)).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for statement, after in zip(body.body, [*body.body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            words = ""
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                words = " ".join(str(after.value.value).split()).replace("``", "`")
            found[statement.target.id] = words
    return found


def table() -> str:
    """The table of every setting, as the README has it."""
    rows = ["| setting | default | what it is |", "| --- | --- | --- |"]
    for name, words in documented().items():
        default = Settings.model_fields[name].get_default(call_default_factory=True)
        if isinstance(default, Path) and default.is_absolute():
            default = default.relative_to(ROOT)
        shown = f"`{default}`" if default not in ("", {}) else ""
        rows.append(f"| `{name.upper()}` | {shown} | {words} |")
    return "\n".join(rows) + "\n"


def test_every_setting_is_documented() -> None:
    assert not [name for name, words in documented().items() if not words]
    written = README.read_text().partition(BEGIN)[2].partition(END)[0]
    assert written == table(), "run: python -m tests.test_readme"


def test_the_files_and_commands_it_names_exist() -> None:
    text = README.read_text()
    files = re.findall(r"`((?:workflows|activities|workers|clients|tests|docs)/[\w./-]+)`", text)
    missing = [name for name in (*files, "docs/timeline.svg", "temporal-dev.yml") if not (ROOT / name).exists()]
    assert not missing
    showrate = get_command(command.app)
    for line in re.findall(r"showrate ((?:[a-z-]+ ?){1,2})", text):
        first, *rest = line.split()
        known = getattr(showrate, "commands", {})
        assert first in known, first
        group = getattr(known[first], "commands", None)
        if group is not None:
            assert rest[0] in group, line


def daily() -> list[list[str]]:
    """The commands of "Day to day" and of what follows it, in words, without their comments."""
    block = README.read_text().partition("## Day to day\n")[2].partition("\n## The rules of calling")[0]
    lines = [line for line in block.splitlines() if line.startswith("    showrate ")]
    assert len(lines) > 30
    return [shlex.split(line, comments=True)[1:] for line in lines]


def test_what_people_type_each_day_is_understood_as_it_is_written() -> None:
    for words in daily():
        found: Any = get_command(command.app)
        while hasattr(found, "commands"):
            found = found.commands[words.pop(0)]
        found.make_context(found.name, words)  # raises on what it does not know, or lacks


def test_every_command_for_reps_and_operators_is_named() -> None:
    processes = {"demo", "setup", "worker", "sandbox", "serve", "eval"}
    groups = getattr(get_command(command.app), "commands", {})
    every = [
        " ".join((name, *inner))
        for name, group in groups.items() if name not in processes
        for inner in ([(each,) for each in group.commands] if hasattr(group, "commands") else [()])
    ]  # fmt: skip
    text = README.read_text()
    missing = [name for name in every if not re.search(rf"showrate {name}(?![\w-])", text)]
    assert not missing


if __name__ == "__main__":
    before, _, after = README.read_text().partition(BEGIN)
    README.write_text(before + BEGIN + table() + END + after.partition(END)[2])
