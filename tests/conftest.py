"""Every module in ``tests/fixtures`` is a plugin: a part's fixtures are found by being there."""

from __future__ import annotations

from pathlib import Path

pytest_plugins = [
    f"tests.fixtures.{file.stem}"
    for file in sorted((Path(__file__).parent / "fixtures").glob("*.py"))
    if file.stem != "__init__"
]
