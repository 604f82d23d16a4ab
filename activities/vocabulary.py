"""What people say, made ready to be understood beside a process's first work: a talk that met it cold would wait."""

from __future__ import annotations

import asyncio

from workflows import words


async def prepare() -> None:
    """All of :func:`workflows.words.prepare`, while whatever else is to be done goes on in between."""
    for _ in words.prepare():
        await asyncio.sleep(0)
