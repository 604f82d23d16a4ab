"""The rep who reads the channel: a card that asks whether somebody came is answered as a person does it, over the wire, by
its link and a button of the page behind it.

They were in the meeting, and the sandbox's people have no way into it but the join link: who was asked about did not come.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from .app import World

LOOKS = 1.5
"""Seconds until somebody looks at a card."""
_PAGE = re.compile(r"https?://[^\s/]+/o/[^\s/]+")
_BUTTON = re.compile(r"<button name=\"wish\" value=\"missed\"")
_TRIES = 3


def question(message: dict[str, Any]) -> str:
    """The address behind the button with which a card asks; nothing when it asks nothing."""
    elements = [e for block in message.get("blocks", ()) if block.get("type") == "actions" for e in block["elements"]]
    return next((e["url"] for e in elements if _PAGE.fullmatch(e.get("url", ""))), "")


async def answer(world: World, address: str) -> None:
    """Open the page and press the button; once more when it did not take."""
    for _ in range(_TRIES):
        await asyncio.sleep(LOOKS)
        try:
            async with world.http.get(address) as page:
                asked = page.status == 200 and _BUTTON.search(await page.text())
            if not asked:
                return
            async with world.http.post(address, data={"wish": "missed"}) as done:
                if done.status < 500:
                    return
        except (aiohttp.ClientError, TimeoutError):
            continue
