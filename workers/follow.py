"""Shows in the terminal what happens to each lead, as it happens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from datetime import datetime

from rich.console import Console
from rich.text import Text
from temporalio.client import Client
from temporalio.service import RPCError

from clients import stories
from clients.leads import Unknown, Unreachable
from clients.phrases import tone, words
from clients.printing import DOTS, STYLES
from clients.stories import Story
from workflows import messages
from workflows.attributes import STAGE
from workflows.effects import Entry

OUT = Console(highlight=False, markup=False, soft_wrap=True)

_MOST = 50
"""Leads that are followed at once; a busier installation has its console."""
_NAME = 18


class Follower:
    """Prints each entry of the stories that happens from ``since`` on, once."""

    def __init__(self, client: Client, since: datetime) -> None:
        self._client = client
        self._since = since
        self._told: set[str] = set()
        self._open: set[str] = set()
        self.stories: dict[str, Story] = {}

    async def follow(self, pause: float = 0.5) -> None:
        """Print until cancelled; ``pause`` seconds between two looks."""
        while True:
            await self.look()
            await asyncio.sleep(pause)

    async def look(self) -> None:
        """Print what is new. While Temporal is away nothing is, and that is not this function's to report."""
        with contextlib.suppress(RPCError):
            query = f"WorkflowType = '{messages.LEAD}' AND ExecutionStatus = 'Running' AND {STAGE.name} != 'closed'"
            self._open |= {lead.id async for lead in self._client.list_workflows(query, limit=_MOST)}
        found = await asyncio.gather(*(self._story(lead) for lead in sorted(self._open)))
        fresh: list[tuple[Entry, str]] = []
        for story in filter(None, found):
            self.stories[story.lead] = story
            for entry in story.entries:
                key = f"{story.lead} {entry.model_dump_json()}"
                if entry.at >= self._since and key not in self._told:
                    self._told.add(key)
                    fresh.append((entry, _name(story)))
            if story.record is not None and story.record.stage == "closed" and (not story.now or story.now.closed):
                self._open.discard(story.lead)
        for entry, name in sorted(fresh, key=lambda each: each[0].at):
            OUT.print(line(entry, name))

    async def _story(self, lead: str) -> Story | None:
        try:
            return await stories.story(self._client, lead)
        except (Unknown, Unreachable):
            return None


def line(entry: Entry, name: str) -> Text:
    """One entry as one line: when (this machine's clock), who, what, and by which rule."""
    mark = tone(entry.kind)
    told = Text(f"{entry.at.astimezone():%H:%M:%S}  ", style="dim")
    told.append(f"{name[:_NAME]:<{_NAME}} ", style="bold")
    told.append(f"{DOTS[mark]} ", style=STYLES[mark])
    told.append(entry.text)
    if entry.rule:
        told.append(f"  [{words(entry.rule)}]", style="dim")
    return told


def _name(story: Story) -> str:
    return story.person.name if story.person and story.person.name else story.lead


def lines(texts: Iterable[str], style: str = "") -> None:
    """Print each text as a line."""
    for text in texts:
        OUT.print(Text(text, style=style))
