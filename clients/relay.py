"""ConversationRelay's frames: Twilio's, and Telnyx's, which are the same."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from workflows.conversation import signals
from workflows.messages import Transfer

from .wire import LONGEST, Found, Ignored, Setup, parsed, text_of

_written = json.JSONEncoder(ensure_ascii=False).encode
"""Made once: ``json.dumps`` with an option makes an encoder for each frame."""
_SILENT = {"configUpdated"}
"""Frames that are as they should be, and say nothing to the conversation."""


class Relay:
    """A :class:`~clients.wire.Codec` without a memory."""

    def greet(self) -> Iterable[str]:
        return ()

    def read(self, text: str, at: datetime) -> Iterable[Found]:
        found = read(text, at)
        return () if found is None else (found,)

    def write(self, output: signals.Output) -> Iterable[str]:
        frame = write(output)
        return () if frame is None else (frame,)


def read(text: str, at: datetime) -> Found | None:
    """One frame that arrived at ``at``; None when it is well but says nothing."""
    frame = parsed(text)
    if isinstance(frame, Ignored):
        return frame
    match frame.get("type"):
        case "setup":
            return _setup(frame)
        case "prompt":
            words = frame.get("voicePrompt")
            if not isinstance(words, str):
                return Ignored("malformed")
            final = frame.get("last") is not False
            return signals.Heard(at, words[:LONGEST], final, _number(frame.get("confidence"), 1.0))
        case "interrupt":
            lasted = _number(frame.get("durationUntilInterruptMs"))
            after = None if lasted is None else timedelta(milliseconds=min(lasted, 3_600_000))
            return signals.Interrupted(at, text_of(frame, "utteranceUntilInterrupt"), after)
        case "dtmf":
            digit = text_of(frame, "digit", 4)
            return signals.Key(at, digit) if digit else Ignored("malformed")
        case "info":
            return _info(frame, at)
        case "error":
            return Ignored("carrier_error")
        case str() as kind:
            return None if kind in _SILENT else Ignored("unknown")
    return Ignored("malformed")


def _info(frame: dict[str, Any], at: datetime) -> Found:
    name, value = frame.get("name"), text_of(frame, "value")
    if name == "tokensPlayed":
        return signals.Played(at, value)
    if name not in ("agentSpeaking", "clientSpeaking"):
        return Ignored("unknown")
    if value not in ("on", "off"):
        return Ignored("malformed")
    return signals.Speaking(at, value == "on") if name == "agentSpeaking" else signals.Onset(at, value == "on")


def _number(value: object, most: float = math.inf) -> float | None:
    """A number from 0 to ``most``, given as one or in words (Twilio has done both); None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= most and math.isfinite(number) else None


def _setup(frame: dict[str, Any]) -> Setup | Ignored:
    call, session = text_of(frame, "callSid", 200), text_of(frame, "sessionId", 200)
    given = frame.get("customParameters")
    parameters = {str(k): str(v)[:500] for k, v in given.items()} if isinstance(given, dict) else {}
    if not call:
        return Ignored("malformed")
    inbound = text_of(frame, "direction") == "inbound"
    caller, called = text_of(frame, "from", 100), text_of(frame, "to", 100)
    return Setup(
        session=session,
        call=call,
        ours=called if inbound else caller,
        theirs=caller if inbound else called,
        inbound=inbound,
        parameters=parameters,
        transfers=True,
    )


def _put_through(transfer: Transfer) -> dict[str, Any]:
    return {"to": transfer.to, "rep": transfer.rep, "ring": round(transfer.ring.total_seconds())}


def write(output: signals.Output) -> str | None:
    """The frame that carries ``output`` out; None when it is not for the carrier."""
    if isinstance(output, signals.Speak):
        frame: dict[str, Any] = {"type": "text", "token": output.text, "last": output.last}
        if not output.interruptible:
            frame["interruptible"] = False
        if output.preemptible:
            frame["preemptible"] = True
    elif isinstance(output, signals.Press):
        frame = {"type": "sendDigits", "digits": output.digits}
    elif isinstance(output, signals.End):
        # The carrier hands it back in the action's request, which it signs.
        handoff = {"handoffData": _written(_put_through(output.transfer))} if output.transfer else {}
        frame = {"type": "end", **handoff}
    else:
        return None
    return _written(frame)
