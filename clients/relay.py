"""ConversationRelay's frames and the conversation's inputs and outputs: a codec, and no more.

Twilio's and Telnyx's sockets speak the same frames. What is malformed or unknown becomes None: counted, never fatal.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workflows.conversation import signals

LARGEST = 256 * 1024
"""Characters of one frame."""
_LONGEST = 8000
"""Characters of one transcript that are kept."""


@dataclass(frozen=True)
class Setup:
    """The first frame of a session: whose call this is. ``ours`` and ``theirs`` are E.164 numbers."""

    session: str
    call: str
    ours: str
    theirs: str
    inbound: bool
    parameters: dict[str, str] = field(default_factory=dict)


def read(text: str, at: datetime) -> Setup | signals.Input | None:
    """One frame that arrived at ``at``; None when it says nothing that concerns the conversation."""
    if len(text) > LARGEST:
        return None
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(frame, dict):
        return None
    kind = frame.get("type")
    if kind == "setup":
        return _setup(frame)
    if kind == "prompt":
        words = frame.get("voicePrompt")
        return (
            signals.Heard(at, words[:_LONGEST], final=frame.get("last") is not False)
            if isinstance(words, str)
            else None
        )
    if kind == "interrupt":
        return signals.Interrupted(at, _text(frame, "utteranceUntilInterrupt"))
    if kind == "dtmf":
        return signals.Key(at, _text(frame, "digit")[:4])
    if kind == "info" and frame.get("name") == "agentSpeaking":
        return signals.Speaking(at, frame.get("value") == "on")
    if kind == "info" and frame.get("name") == "tokensPlayed":
        return signals.Played(at, _text(frame, "value"))
    return None


def _text(frame: dict[str, Any], name: str) -> str:
    value = frame.get(name)
    return value[:_LONGEST] if isinstance(value, str) else ""


def _setup(frame: dict[str, Any]) -> Setup | None:
    call, session = _text(frame, "callSid"), _text(frame, "sessionId")
    given = frame.get("customParameters")
    parameters = {str(k): str(v)[:500] for k, v in given.items()} if isinstance(given, dict) else {}
    if not call:
        return None
    inbound = _text(frame, "direction") == "inbound"
    caller, called = _text(frame, "from"), _text(frame, "to")
    return Setup(
        session=session,
        call=call,
        ours=called if inbound else caller,
        theirs=caller if inbound else called,
        inbound=inbound,
        parameters=parameters,
    )


def write(output: signals.Output) -> str | None:
    """The frame that carries ``output`` out; None when it is not for the carrier."""
    if isinstance(output, signals.Speak):
        frame: dict[str, Any] = {"type": "text", "token": output.text, "last": output.last}
        if not output.interruptible:
            frame["interruptible"] = False
        return json.dumps(frame, ensure_ascii=False)
    if isinstance(output, signals.End):
        return json.dumps({"type": "end"})
    return None
