"""Retell's custom-LLM websocket.

Retell shows the whole transcript each time, so a codec remembers what it has handed on and gives only what is new.
It asks for a response under a number, and only the newest number is heard: whatever was written under an older one
and was not played yet is gone without a word. So a turn that is asked again with nothing new in it gets the same
words again, from here: the conversation has given its answer, and no action is asked for twice. Where there is
something new, the conversation is told how much of ours was heard before it hears the rest.

Silence is ours: Retell's own reminders are switched off, and one that comes all the same is answered with nothing.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from activities.vendors.retell import END_POLITELY
from workflows.conversation import signals

from .wire import LONGEST, Found, Ignored, Reply, Setup, parsed, text_of

_UNHEARD = re.compile(r"\(unintelligible audio\)", re.IGNORECASE)
_MOST_ENTRIES = 5000
"""Entries of one transcript that are looked at."""


class Retell:
    """A :class:`~clients.wire.Codec` for one call."""

    def __init__(self) -> None:
        self._asked = 0
        """The newest number under which Retell wants a response; 0: the first words, which it waits for."""
        self._open = True
        """The response to it has not been completed."""
        self._interrupt = 0
        self._interrupting = False
        self._said: list[str] = []
        """What we wrote since the lead's last words."""
        self._turn = 0
        """How many times the word had passed to us when the lead spoke last."""
        self._handed = ""
        """Of the lead's words in this turn: those handed on as final."""
        self._shown = ""
        """Of our words in this turn: those that Retell has shown as played."""
        self._keys = 0
        self._told = 0
        """How many pressed keys, and how many injected words, were handed on."""

    def greet(self) -> Iterable[str]:
        yield _frame("config", config={"auto_reconnect": True, "call_details": True, "transcript_with_tool_calls": True})
        yield _frame("update_agent", agent_config={"reminder_max_count": 0})

    # ---- in ----------------------------------------------------------------------------------------------------

    def read(self, text: str, at: datetime) -> Iterable[Found]:
        frame = parsed(text)
        if isinstance(frame, Ignored):
            return (frame,)
        match frame.get("interaction_type"):
            case "call_details":
                return (setup_of(frame.get("call")) or Ignored("malformed"),)
            case "ping_pong":
                return (Reply(_frame("ping_pong", timestamp=frame.get("timestamp"))),)
            case "update_only":
                return self._update(frame, at)
            case "response_required" | "reminder_required" as kind:
                return self._required(frame, at, reminder=kind == "reminder_required")
            case str():
                return (Ignored("unknown"),)
        return (Ignored("malformed"),)

    def _update(self, frame: dict[str, Any], at: datetime) -> Iterable[Found]:
        entries = _entries(frame)
        if entries is None:
            return (Ignored("malformed"),)
        found = [*self._beside(entries, at)]
        turn, ours, theirs, _ = _last(entries)
        new = self._new(turn, theirs)
        if frame.get("turntaking") == "user_turn":
            begun = self._cut_off(turn, ours, at) if ours and turn != self._turn else ()
            found += [*begun, signals.Speaking(at, False)]
        elif frame.get("turntaking") == "agent_turn":
            found.append(signals.Speaking(at, True))
        elif ours and ours != self._shown and not theirs:
            self._shown = ours
            found.append(signals.Played(at, ours))
        if new:
            found.append(signals.Heard(at, new[:LONGEST], final=False))
        return found

    def _required(self, frame: dict[str, Any], at: datetime, reminder: bool) -> Iterable[Found]:
        entries, number = _entries(frame), frame.get("response_id")
        if entries is None or not isinstance(number, int) or isinstance(number, bool) or number < 0:
            return (Ignored("malformed"),)
        if number <= self._asked and self._asked:
            return (Ignored("repeated" if number == self._asked else "stale"),)
        answering, self._asked, self._open, self._interrupting = self._open, number, True, False
        found = [*self._beside(entries, at)]
        turn, ours, theirs, unheard = _last(entries)
        new = "" if reminder else self._new(turn, theirs)
        if new:
            found += [*self._cut_off(turn, ours, at), signals.Heard(at, new[:LONGEST])]
            self._turn, self._handed, self._said, self._shown = turn, theirs, [], ""
        elif unheard and not theirs and not reminder:
            found += [signals.Onset(at, True), signals.Onset(at, False)]
        else:
            # Nothing new: what we answered and was not played is written again; a reminder wants nothing of the kind.
            rest = "" if reminder else self._unplayed(ours if turn != self._turn else "")
            self._open = answering
            if rest or not answering:
                again = {"content": rest, "content_complete": not answering}
                found.append(Reply(_frame("response", response_id=number, **again)))
        return found

    def _unplayed(self, heard: str) -> str:
        said = "".join(self._said).strip()
        return said.removeprefix(heard).strip() if not _same(heard, said) else ""

    def _new(self, turn: int, theirs: str) -> str:
        """The lead's words of this turn that were not handed on yet. Words that were rewritten are new."""
        if turn != self._turn or not self._handed:
            return theirs
        return theirs[len(self._handed) :].strip() if theirs.startswith(self._handed) else theirs

    def _cut_off(self, turn: int, ours: str, at: datetime) -> Iterable[Found]:
        """They spoke before we had said all that was written."""
        said = "".join(self._said).strip()
        heard = ours if turn != self._turn else ""
        if said and not _same(heard, said):
            self._said = [heard]
            yield signals.Interrupted(at, heard[:LONGEST])

    def _beside(self, entries: list[dict[str, Any]], at: datetime) -> Iterable[Found]:
        """Keys that were pressed, and what was injected through the API."""
        keys = [text_of(e, "digit", 4) for e in entries if e.get("role") == "dtmf"]
        told = [text_of(e, "content") for e in entries if e.get("role") == "injected"]
        for digit in filter(None, keys[self._keys :]):
            yield signals.Key(at, digit)
        if any(words.startswith(END_POLITELY) for words in told[self._told :]):
            yield signals.Paused(at)
        self._keys, self._told = len(keys), len(told)

    # ---- out ---------------------------------------------------------------------------------------------------

    def write(self, output: signals.Output) -> Iterable[str]:
        if isinstance(output, signals.Speak):
            self._said.append(output.text)
            # A filler does not complete the response: what it was the filler for is still to come.
            more = {} if output.interruptible else {"no_interruption_allowed": True}
            return (self._words(output.text, output.last and not output.preemptible, **more),)
        if isinstance(output, signals.Press):
            return (self._words("", True, digit_to_press=output.digits),)
        if isinstance(output, signals.Stop):
            self._open = False
            return (self._words("", True),)
        if isinstance(output, signals.End):
            return (self._words("", True, end_call=True),)
        return ()

    def _words(self, content: str, complete: bool, **more: Any) -> str:
        """Under the number that Retell waits for, else as words of our own accord."""
        if self._open:
            self._open = not complete
            return _frame("response", response_id=self._asked, content=content, content_complete=complete, **more)
        if not self._interrupting:
            self._interrupt += 1
        self._interrupting = not complete
        said: dict[str, Any] = {"interrupt_id": self._interrupt, "content": content, "content_complete": complete}
        return _frame("agent_interrupt", **said, **more)


def _frame(kind: str, **content: Any) -> str:
    return json.dumps({"response_type": kind, **content}, ensure_ascii=False)


def setup_of(call: object) -> Setup | None:
    """Whose call Retell's call object is; None when it is none."""
    if not isinstance(call, dict) or not text_of(call, "call_id", 200):
        return None
    given = call.get("metadata")
    parameters = {str(k): str(v)[:500] for k, v in given.items()} if isinstance(given, dict) else {}
    inbound = call.get("direction") == "inbound"
    caller, called = text_of(call, "from_number", 100), text_of(call, "to_number", 100)
    name = text_of(call, "call_id", 200)
    return Setup(
        session=f"{name}:{uuid.uuid4().hex[:8]}",  # Retell has no name for one socket of several
        call=name,
        ours=called if inbound else caller,
        theirs=caller if inbound else called,
        inbound=inbound,
        parameters=parameters,
    )


def _entries(frame: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The transcript's entries; None when there is no transcript."""
    given = frame.get("transcript_with_tool_calls")
    if not isinstance(given, list):
        given = frame.get("transcript")
    return [e for e in given[:_MOST_ENTRIES] if isinstance(e, dict)] if isinstance(given, list) else None


def _last(entries: list[dict[str, Any]]) -> tuple[int, str, str, bool]:
    """How many times the word has passed to us, our words before the lead's last ones, those last words (empty while
    the word is ours), and whether something of theirs could not be understood."""
    blocks: list[tuple[str, list[str]]] = []
    unheard = False
    for entry in entries:
        role, content = entry.get("role"), text_of(entry, "content")
        if role not in ("agent", "user"):
            continue
        words = " ".join(_UNHEARD.sub(" ", content).split())
        unheard = role == "user" and words != " ".join(content.split())
        if not words:
            continue
        if not blocks or blocks[-1][0] != role:
            blocks.append((role, []))
        blocks[-1][1].append(words)
    theirs = " ".join(blocks.pop()[1]) if blocks and blocks[-1][0] == "user" else ""
    ours = " ".join(blocks[-1][1]) if blocks else ""
    return sum(role == "agent" for role, _ in blocks), ours, theirs, unheard


def _same(heard: str, said: str) -> bool:
    """Whether all that was said was heard, as far as its words tell: speech recognition and text differ in points."""
    return len(heard.split()) >= len(said.split())
