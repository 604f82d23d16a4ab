"""The audio of one call, as the person (or machine) at the far end hears it and speaks into it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal


@dataclass
class Said:
    """One utterance on the line. ``us``: the product's side. ``cut``: interrupted there."""

    us: bool
    text: str
    at: str
    cut: bool = False


@dataclass(frozen=True)
class Doing:
    """What the far end does: speaks ``words`` or presses ``digit``. ``how``: ``say`` them, make a ``noise`` without
    words, or ``break_off``: be gone in the middle of them."""

    words: str = ""
    digit: str = ""
    how: Literal["say", "noise", "break_off"] = "say"


class Line:
    """Between :mod:`.relay`, which plays what the product says, and whoever holds the phone."""

    def __init__(self) -> None:
        self.transcript: list[Said] = []
        self.over = asyncio.Event()
        self.ended_by = ""
        """``person``, ``product``, ``api`` or ``limit`` once it is over."""
        self.speaks = asyncio.Event()
        """The product is speaking, or has more to play ..."""
        self.quiet = asyncio.Event()
        """... or not."""
        self.busy = False
        self.toned = asyncio.Event()
        """A machine's greeting is over: its tone was heard."""
        self.lost = asyncio.Event()
        """The way between the carrier and the product is broken; who carries it takes note, and clears it."""
        self.doings: asyncio.Queue[Doing] = asyncio.Queue()
        self._keys: asyncio.Queue[str] = asyncio.Queue()
        self._heard: asyncio.Queue[str] = asyncio.Queue()

    @property
    def busy(self) -> bool:
        """Whether the product is speaking, or has more to play."""
        return self.speaks.is_set()

    @busy.setter
    def busy(self, speaks: bool) -> None:
        on, off = (self.speaks, self.quiet) if speaks else (self.quiet, self.speaks)
        on.set()
        off.clear()

    # -- the far end ------------------------------------------------------------------------------------------

    async def hear(self, patience: float) -> str | None:
        """The next whole utterance; None after ``patience`` seconds of silence or when the call is over."""
        heard = asyncio.ensure_future(self._heard.get())
        over = asyncio.ensure_future(self.over.wait())
        try:
            await asyncio.wait({heard, over}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            return heard.result() if heard.done() else None
        finally:
            heard.cancel()
            over.cancel()

    async def key(self, patience: float) -> str | None:
        """The next keys that the product presses; None after ``patience`` seconds."""
        try:
            return await asyncio.wait_for(self._keys.get(), patience)
        except TimeoutError:
            return None

    def say(self, words: str) -> None:
        self._do(Doing(words=words))

    def press(self, digit: str) -> None:
        self._do(Doing(digit=digit))

    def cough(self) -> None:
        """Make a sound that is no word."""
        self._do(Doing(how="noise"))

    def break_off(self, words: str) -> None:
        """Be gone in the middle of ``words``."""
        self._do(Doing(words=words, how="break_off"))

    def _do(self, doing: Doing) -> None:
        if not self.over.is_set():
            self.doings.put_nowait(doing)

    def hang_up(self, by: str = "person") -> None:
        """End the call; the first who does it counts."""
        if not self.over.is_set():
            self.ended_by = by
            self.over.set()

    # -- the carrier ------------------------------------------------------------------------------------------

    def played(self, words: str, cut: bool = False) -> None:
        """The far end has heard ``words``; a fragment that they cut themselves is not news to them."""
        if words:
            self.transcript.append(Said(True, words, datetime.now(UTC).isoformat(), cut))
            if not cut:
                self._heard.put_nowait(words)

    def pressed(self, digits: str) -> None:
        """The product pressed keys."""
        self.transcript.append(Said(True, f"({digits})", datetime.now(UTC).isoformat()))
        self._keys.put_nowait(digits)

    def spoken(self, words: str) -> None:
        """The far end said ``words``, as the carrier's speech recognition wrote them."""
        self.transcript.append(Said(False, words, datetime.now(UTC).isoformat()))
