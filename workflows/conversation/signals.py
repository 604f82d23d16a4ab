"""What happens in a conversation and what it wants done: the typed inputs and outputs of the core.

Every input carries its instant (UTC). The core has no clock and no sockets; who drives it (gateway, test, text
thread) turns frames into inputs and carries the outputs out, in order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..events import Action, CallLearned, Line, Verdict
from ..messages import Answer, Brief, Transfer
from .turn import Decision

# ---- inputs ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begin:
    """Somebody is on the line (or a thread is open) and the lead has told what it knows. ``thread``: what was written
    before, where it is a thread."""

    at: datetime
    brief: Brief
    thread: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """A transcript of the lead's words, cumulative while not ``final``. ``confidence`` (0 to 1) where the recogniser
    tells it."""

    at: datetime
    text: str
    final: bool = True
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Onset:
    """The other side began (``on``) or ceased to make sounds of speech; words may follow, or none."""

    at: datetime
    on: bool


@dataclass(frozen=True, slots=True)
class Interrupted:
    """They spoke over us; ``heard`` is what was played of our speech until then, ``after`` how long it had lasted."""

    at: datetime
    heard: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Speaking:
    """Our speech began (``on``) or ended to be played."""

    at: datetime
    on: bool


@dataclass(frozen=True, slots=True)
class Played:
    """What was really played of our speech, cumulative or in pieces."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Key:
    """A key was pressed."""

    at: datetime
    digit: str


@dataclass(frozen=True, slots=True)
class AnsweredBy:
    """The carrier's answering machine detection: human, machine_start, machine_end_*, fax, unknown."""

    at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; sent when :attr:`Conversation.wake_at` is reached. Early or late ticks do no harm."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """The model's decision on request ``id``: complete before its words."""

    at: datetime
    id: int
    decision: Decision


@dataclass(frozen=True, slots=True)
class Words:
    """Some of the model's words on request ``id``."""

    at: datetime
    id: int
    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The model's turn ``id`` is whole; tokens as billed."""

    at: datetime
    id: int
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """The model gave no usable turn for request ``id``."""

    at: datetime
    id: int
    why: str = ""
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, slots=True)
class Performed:
    """The lead's recorded answer to the action ``id``."""

    at: datetime
    id: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class NotPerformed:
    """The lead gave no answer to the action ``id`` in time: nothing is known of it."""

    at: datetime
    id: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class OptOutKept:
    """The opt-out is durable: it may be acknowledged."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Paused:
    """Contact is paused by an operator: end politely."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Lost:
    """The media or the socket broke; the call may come back."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Rejoined:
    """The line was lost and is there again: the same call, a new socket."""

    at: datetime


@dataclass(frozen=True, slots=True)
class HungUp:
    """The other side is gone. ``broken``: the line or socket failed, nobody hung up."""

    at: datetime
    broken: bool = False


Input = (
    Begin
    | Heard
    | Onset
    | Interrupted
    | Speaking
    | Played
    | Key
    | AnsweredBy
    | Tick
    | Decided
    | Words
    | Finished
    | Failed
    | Performed
    | NotPerformed
    | OptOutKept
    | Paused
    | Lost
    | Rejoined
    | HungUp
)

# ---- outputs --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the language model; its answer comes back under ``id``. A newer Ask makes this one void."""

    id: int
    messages: list[dict[str, str]]
    schema: dict[str, Any]
    actions: tuple[str, ...]
    version: int = 0
    """The state version that it was made on: once the other side has said something newer, nothing of the answer is
    spoken."""
    speculative: bool = False
    """Made on words that may still change: nothing of the answer is released before they are final."""


@dataclass(frozen=True, slots=True)
class Speak:
    """Say ``text``; ``last`` ends what we say for now."""

    text: str
    last: bool = True
    interruptible: bool = True
    preemptible: bool = False
    """What is said next may cut it off: a filler."""


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys for the other side: a menu or a screening asked for them."""

    digits: str


@dataclass(frozen=True, slots=True)
class Hush:
    """Drop the outstanding model request: its words would be stale."""

    id: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Cease to play what was said, where the runtime has not done so by itself."""


@dataclass(frozen=True, slots=True)
class Perform:
    """Ask the lead for ``action`` under ``id``; ``version`` is the lead's as last known."""

    id: str
    action: Action
    version: int
    verdict: Verdict | None = None
    """Why it was authorised, or which autonomy leaves it to a person; goes to the lead with it."""


@dataclass(frozen=True, slots=True)
class KeepOptOut:
    """Make the opt-out durable now, before anything else is said; answered by OptOutKept."""

    words: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Report what was newly understood."""

    learned: CallLearned


@dataclass(frozen=True, slots=True)
class End:
    """Close the line once what was said is played; with ``transfer``, put it through to a colleague in place of that."""

    why: str
    transfer: Transfer | None = None


Output = Ask | Speak | Press | Hush | Stop | Perform | KeepOptOut | Tell | End


@dataclass(slots=True)
class Timing:
    """One turn's times in seconds, from the lead's final words. ``extra``: ``first_token`` (of the model), ``audio`` (our
    speech is played), ``pause`` (from the end of ours to the beginning of theirs), ``stop`` (from their first sound to
    the end of ours), ``model_failed``."""

    final: datetime
    decided: datetime | None = None
    first_word: datetime | None = None
    extra: dict[str, float] = field(default_factory=dict)

    def seconds(self) -> dict[str, float]:
        out = dict(self.extra)
        if self.decided:
            out["decided"] = round((self.decided - self.final).total_seconds(), 3)
        if self.first_word:
            out["first_word"] = round((self.first_word - self.final).total_seconds(), 3)
        return out
