"""What a live call's session and its codecs share. A codec turns one carrier's frames into the conversation's inputs
and its outputs into frames; it decides nothing.

What is malformed or unknown becomes :class:`Ignored`: counted under its kind, never fatal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from workflows.conversation import signals

LARGEST = 256 * 1024
"""Characters of one frame."""
LONGEST = 8000
"""Characters of one transcript that are kept."""


@dataclass(frozen=True)
class Setup:
    """What a socket says first: whose call this is. ``ours`` and ``theirs`` are E.164 numbers; ``session`` is another
    for each socket of one call."""

    session: str
    call: str
    ours: str
    theirs: str
    inbound: bool
    parameters: dict[str, str] = field(default_factory=dict)
    transfers: bool = False
    """The carrier puts a call through to a phone, and tells us what became of it."""


@dataclass(frozen=True)
class Ignored:
    """A frame that says nothing to the conversation. ``kind`` is one of a small vocabulary: ``malformed``,
    ``unknown``, ``misplaced``, ``too_long``, ``binary``, ``stale``, ``repeated``, ``carrier_error``."""

    kind: str


@dataclass(frozen=True)
class Reply:
    """A frame to send back at once: the carrier asked something of the codec alone."""

    frame: str


Found = Setup | signals.Input | Ignored | Reply


class Codec(Protocol):
    """One call's codec; it outlives a socket that broke."""

    def greet(self) -> Iterable[str]:
        """What is sent first on each new socket."""

    def read(self, text: str, at: datetime) -> Iterable[Found]:
        """One frame that arrived at ``at`` (UTC). Raises nothing, whatever it holds."""

    def write(self, output: signals.Output) -> Iterable[str]:
        """The frames that carry ``output`` out; none when it is not for the carrier."""


def parsed(text: str) -> dict[str, Any] | Ignored:
    """The frame's JSON object."""
    if len(text) > LARGEST:
        return Ignored("too_long")
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return Ignored("malformed")
    return frame if isinstance(frame, dict) else Ignored("malformed")


def text_of(frame: dict[str, Any], name: str, most: int = LONGEST) -> str:
    """The string under ``name``, at most ``most`` characters of it; "" for anything else."""
    value = frame.get(name)
    return value[:most] if isinstance(value, str) else ""
