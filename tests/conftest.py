"""Every module in ``tests/fixtures`` is a plugin: a part's fixtures are found by being there."""

from __future__ import annotations

from pathlib import Path

# Hypothesis's plugin imports this when it prints the summary; on Python 3.11 that parse can be interrupted by the
# collection of finished workflows and fail the run. Imported now, it is not parsed then.
import hypothesis.internal.observability  # noqa: F401

pytest_plugins = [
    f"tests.fixtures.{file.stem}"
    for file in sorted((Path(__file__).parent / "fixtures").glob("*.py"))
    if file.stem != "__init__"
]
