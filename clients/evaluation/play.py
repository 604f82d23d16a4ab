"""Plays one scenario against the conversation core, in a time of its own: the line, the lead, the model and the other
side each do what they do when it is due.

Nothing sleeps: a call of minutes takes milliseconds. Only a model behind the wire takes real time, and its answer then
arrives in the play as late as it really did.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from workflows import events as ev
from workflows.conversation import Conversation, signals
from workflows.playbook import Playbook
from workflows.words import plain

from . import models
from .caller import MOST_REPEATS, Caller
from .corrupt import Spoiler
from .ledger import Asked, Ledger
from .line import Line
from .models import Model, Thought
from .scenario import Scenario, Thinks, Turn

WORD = timedelta(milliseconds=330)
"""How long somebody takes for one spoken word."""
RECOGNISED = timedelta(milliseconds=350)
"""From their last word to the final transcript."""
KEPT = timedelta(milliseconds=50)
"""Until an opt-out is durable."""
LATE = timedelta(minutes=2)
"""A call that still goes on so long after the longest that the playbook allows did not end."""
_MOST_STEPS = 20_000

_T = TypeVar("_T")


def at_once(work: Coroutine[Any, Any, _T]) -> _T:
    """The result of ``work``, which never waits for anything outside of this process. Raises RuntimeError if it
    does."""
    try:
        work.send(None)
    except StopIteration as done:
        result: _T = done.value
        return result
    work.close()
    raise RuntimeError("the model waits for the outside: await the play instead")


@dataclass
class Played:
    """What became of one play. ``replies`` is what we said after each turn of theirs, from -1, the opening."""

    scenario: Scenario
    ended: ev.ConversationEnded
    why: str
    """Why it was closed by us; empty when it was not."""
    over: bool
    """It came to an end at all."""
    replies: dict[int, str]
    nodes: dict[int, str]
    asked: list[Asked]
    bookings: list[ev.Slot]
    booking: ev.Booking | None
    learned: dict[str, str]
    concerns: dict[str, str]
    wrong: list[str]
    """Booked slots that the other side did not choose."""
    thoughts: list[Thought]
    turns: int
    seconds: float
    opted_out: bool

    @property
    def actions(self) -> list[ev.Action]:
        return [each.action for each in self.asked]

    @property
    def said(self) -> str:
        """All that we said."""
        return " ".join(filter(None, (self.replies[turn] for turn in sorted(self.replies))))

    @property
    def verdicts(self) -> tuple[ev.Verdict, ...]:
        return self.ended.verdicts


async def play(scenario: Scenario, playbook: Playbook, model: Model, spoil: Spoiler | None = None) -> Played:
    """Play ``scenario`` to its end; ``spoil`` turns what they say into what a recogniser makes of it."""
    return await Play(scenario, playbook, model, spoil).run()


class Play:
    """One play. :meth:`run` may be awaited once."""

    def __init__(
        self, scenario: Scenario, playbook: Playbook, model: Model, spoil: Spoiler | None = None
    ) -> None:
        self.scenario, self.playbook, self.spoil = scenario, playbook, spoil
        self.model = model
        self.now = scenario.began.astimezone(UTC)
        self.core = Conversation(playbook)
        brief = scenario.brief(playbook)
        slots = tuple(scenario.slot(each) for each in scenario.slots)
        self.ledger = Ledger(slots, brief, playbook.autonomy)
        self.line = Line()
        self.caller = Caller(scenario.turns)
        self._due: list[tuple[datetime, int, Callable[[], signals.Input | None]]] = []
        self._numbers = itertools.count()
        self._asks: list[signals.Ask] = []
        self._thinking: int | None = None
        self._working: set[str] = set()
        self._thinks: Thinks | None = scenario.model
        self._turn = -1
        self._replies: dict[int, str] = {}
        self._nodes: dict[int, str] = {}
        self._concerns: dict[str, str] = {}
        self._wrong: list[str] = []
        self._thoughts: list[Thought] = []
        self._why = ""
        self._spoken = brief.channel == "call"
        self._began = self.now
        self._opted_out = False
        self._last_heard: tuple[str, float | None] | None = None

    async def run(self) -> Played:
        """The whole play."""
        self.put(signals.Begin(self.now, self.ledger.brief))
        limit = self._began + self.playbook.call.longest + LATE
        for _ in range(_MOST_STEPS):
            while self._asks:
                await self._think(self._asks.pop(0))
            if self.core.over:
                break
            if (at := self._next()) is None or at > limit:
                break
            self.now = max(self.now, at)
            self._step()
        self._nodes[self._turn] = self.core.state.node
        return Played(
            scenario=self.scenario, ended=self.core.ended(self.now), why=self._why, over=self.core.over,
            replies={turn: " ".join(text.split()) for turn, text in self._replies.items()}, nodes=self._nodes,
            asked=self.ledger.asked, bookings=[slot for slot, _ in self.ledger.bookings],
            booking=self.ledger.booking, learned=self.ledger.learned, concerns=self._concerns, wrong=self._wrong,
            thoughts=self._thoughts, turns=self.caller.said, seconds=(self.now - self._began).total_seconds(),
            opted_out=self._opted_out,
        )  # fmt: skip

    # ---- time ---------------------------------------------------------------------------------------------------

    def _next(self) -> datetime | None:
        """The instant of whatever comes next."""
        dues = (
            self._due[0][0] if self._due else None,
            self.line.next_at,
            self._caller_due(),
            self.core.wake_at,
        )
        return min((at for at in dues if at is not None), default=None)

    def _step(self) -> None:
        """Whatever is due now, one thing."""
        if self._due and self._due[0][0] <= self.now:
            made = heapq.heappop(self._due)[2]()
            if made is not None:
                self.put(made)
            return
        if (at := self.line.next_at) is not None and at <= self.now:
            self._line_moves()
            return
        if (at := self._caller_due()) is not None and at <= self.now:
            self._caller_acts()
            return
        wake = self.core.wake_at
        self.put(signals.Tick(self.now))
        if wake is not None and wake == self.core.wake_at and wake <= self.now:
            self.now += timedelta(milliseconds=50)  # a tick that did nothing is not repeated at once

    def _at(self, at: datetime, make: Callable[[], signals.Input | None]) -> None:
        heapq.heappush(self._due, (at, next(self._numbers), make))

    def _input(self, kind: Callable[..., signals.Input], *about: Any) -> signals.Input:
        """An input of this ``kind``, at the time at which it is due."""
        return kind(self.now, *about)

    # ---- the core -----------------------------------------------------------------------------------------------

    def put(self, event: signals.Input) -> None:
        """One input to the core, and all that it wants done."""
        for output in self.core.receive(event):
            self._carry_out(output)

    def _carry_out(self, output: signals.Output) -> None:
        if isinstance(output, signals.Speak):
            self._replies[self._turn] = (
                self._replies.get(self._turn, "") + output.text + (" " if output.last else "")
            )
            if self._spoken:
                self.line.take(output, self.now)
            self.caller.free_at = None
        elif isinstance(output, signals.Ask):
            self._asks = [output]
            self._thinking = output.id
        elif isinstance(output, signals.Hush):
            if self._thinking == output.id:
                self._thinking, self._asks = None, []
        elif isinstance(output, signals.Perform):
            self._perform(output)
        elif isinstance(output, signals.KeepOptOut):
            self._opted_out = True
            self._working.add("opt-out")
            self._at(self.now + KEPT, partial(self._done, "opt-out", signals.OptOutKept))
        elif isinstance(output, signals.Tell):
            self.ledger.learn(output.learned.learned)
            self._concerns |= {each.name: each.status for each in output.learned.concerns}
        elif isinstance(output, signals.End):
            self._why = output.why or "ended"

    def _perform(self, asked: signals.Perform) -> None:
        if isinstance(asked.action, ev.Book) and (
            self.caller.meant is None or self.caller.meant.id != asked.action.slot
        ):
            self._wrong.append(asked.action.slot)
        answer, after = self.ledger.act(asked.action)
        self._working.add(asked.id)
        if answer is None:
            done = partial(self._done, asked.id, signals.NotPerformed, asked.id, "no answer")
        else:
            done = partial(self._done, asked.id, signals.Performed, asked.id, answer)
        self._at(self.now + after, done)

    def _done(self, work: str, kind: Callable[..., signals.Input], *about: Any) -> signals.Input:
        self._working.discard(work)
        return self._input(kind, *about)

    # ---- the model ----------------------------------------------------------------------------------------------

    async def _think(self, ask: signals.Ask) -> None:
        thinks = self._thinks
        if thinks is None or (not thinks.fails and not thinks.scripted):
            thought = await self.model(ask)
            if thinks and thinks.after is not None:
                parts = tuple((thinks.after, known) for _, known in thought.parts)
                thought = Thought(parts, thought.failed, thinks.after, thought.tokens_in, thought.tokens_out)
        else:
            thought = models.instead(thinks, ask)
        self._thoughts.append(thought)
        for after, known in thought.parts:
            self._arrives(ask, after, signals.Words if isinstance(known, str) else signals.Decided, known)
        used = thought.tokens_in, thought.tokens_out
        if thought.failed:
            self._arrives(ask, thought.took, signals.Failed, thought.failed, *used)
        else:
            self._arrives(ask, thought.took, signals.Finished, *used)

    def _arrives(
        self, ask: signals.Ask, after: timedelta, kind: Callable[..., signals.Input], *about: Any
    ) -> None:
        """A part of the model's turn, unless the request is dropped until then."""

        def arrived() -> signals.Input | None:
            if self._thinking != ask.id:
                return None
            if kind in (signals.Finished, signals.Failed):
                self._thinking = None
            return self._input(kind, ask.id, *about)

        self._at(self.now + after, arrived)

    # ---- our speech ---------------------------------------------------------------------------------------------

    def _line_moves(self) -> None:
        if not self.line.sounding:
            self.line.sounding = True
            self.put(signals.Speaking(self.now, True))
            return
        played = self.line.finish()
        if played:
            self.put(signals.Played(self.now, played))
        if not self.line.text():
            self.line.sounding = False
            self.put(signals.Speaking(self.now, False))

    def _break_in(self) -> None:
        """They make themselves heard while we speak."""
        if not self.line.busy or self.line.firm:
            return
        began = self.line.began_at(self.now)
        sounded = self.line.sounding
        heard = self.line.cut(self.now)
        if heard:
            self.put(signals.Played(self.now, heard))
        self.put(signals.Interrupted(self.now, heard, max(self.now - began, timedelta())))
        if sounded:
            self.put(signals.Speaking(self.now, False))

    # ---- the other side -----------------------------------------------------------------------------------------

    def _last_word(self) -> Turn | None:
        """What stands for the next turn of somebody who has said all, but was misheard."""
        return Turn(hums="mm-hm") if self._reaction() else None

    def _reaction(self) -> str:
        booked = self.ledger.bookings[-1][0].id if self.ledger.bookings else ""
        return self.caller.reaction(self.core.state, self._replies.get(self._turn, ""), booked, self.spoil is not None)

    def _caller_due(self) -> datetime | None:
        """When they do the next thing; None while they wait for something."""
        turn, caller = self.caller.turn or self._last_word(), self.caller
        if turn is None:
            return None
        if caller.talking_until and self.now < caller.talking_until:
            return caller.talking_until
        if turn.repeats:
            return caller.talking_until or self.now
        if turn.over is not None and self.line.busy:
            return self.line.when_heard(turn.over)
        if turn.meanwhile:
            return (caller.talking_until or self._began) + turn.after
        if self.line.busy or self._working or self._thinking is not None:
            caller.free_at = None
            return None
        if caller.free_at is None:
            caller.free_at = self.now
        if turn.silence is not None:
            if caller.quiet_from is None:
                caller.quiet_from = caller.free_at
                self._begins(turn, caller.index)
            return caller.quiet_from + turn.silence
        return caller.free_at + turn.after

    def _caller_acts(self) -> None:
        turn, caller = self.caller.turn, self.caller
        caller.quiet_from = None
        if (turn is None or turn.over is None) and (words := self._reaction()):
            caller.reacted += 1
            if words.endswith(caller.true):
                caller.chooses(caller.true, self.core.state, self.now)  # said again, perhaps of times that were not offered before
            self._pronounces(words)
            return
        assert turn is not None
        caller.reacted = 0
        if turn.answers:
            field_ = self._open_field()
            if field_ not in turn.answers or caller.answered.get(field_, 0) >= MOST_REPEATS:
                caller.index += 1
                return
            caller.answered[field_] = caller.answered.get(field_, 0) + 1
            self._begins(turn, caller.index)
            self._says(turn.answers[field_], turn)
            return
        caller.index += 1
        if turn.optional and (self.core.state.closing or "?" not in self._replies.get(self._turn, "")):
            return
        if turn.silence is None:
            self._begins(turn, caller.index - 1)
        self._does(turn)

    def _open_field(self) -> str:
        """What we asked for last and do not know."""
        s = self.core.state
        return "" if s.knows(s.last_asked) else s.last_asked

    def _begins(self, turn: Turn, index: int) -> None:
        """A new turn of theirs: what we say from now on is the answer to it."""
        self._nodes[self._turn] = self.core.state.node
        self._turn = index
        self._thinks = turn.model or self.scenario.model
        if turn.ledger:
            self.ledger.tell(turn.ledger)

    def _does(self, turn: Turn) -> None:
        now = self.now
        if turn.says:
            self._says(turn.says, turn)
        elif turn.hums or turn.cough:
            self._noise(turn)
        elif turn.key:
            for digit in turn.key:
                self.put(signals.Key(now, digit))
        elif turn.answered_by:
            self.put(signals.AnsweredBy(now, turn.answered_by))
        elif turn.line:
            self._line_changes(turn.line)
        elif turn.restart:
            self._restart()
        elif turn.paused:
            self.put(signals.Paused(now))
        elif turn.repeats and self._last_heard:
            self.put(signals.Heard(now, self._last_heard[0], True, self._last_heard[1]))
        if not (turn.says or turn.hums or turn.cough):
            self.caller.talking_until = now
        self.caller.free_at = None

    def _says(self, words: str, turn: Turn) -> None:
        """Words of theirs, as the recogniser takes them."""
        self.caller.true = turn.means or words
        self.caller.chooses(self.caller.true, self.core.state, self.now)
        # A recogniser that spoils what it hears starts from what was said, not from a mishearing that is written down.
        self._pronounces(self.caller.true if self.spoil else words, turn.confidence, turn.partials)

    def _pronounces(self, words: str, confidence: float | None = None, partials: bool = False) -> None:
        """These words on the line, with what the recogniser makes of them."""
        caller, text = self.caller, words
        if not self._spoken:
            self._heard(words, confidence)
            return
        if self.spoil:
            text, confidence = self.spoil(words)
        caller.misheard = plain(text) != plain(words)
        self.put(signals.Onset(self.now, True))
        self._break_in()
        lasts = max(WORD * len(words.split()), WORD)
        if partials:
            heard = text.split()
            for count in range(2, len(heard), 2):
                piece = " ".join(heard[:count])
                self._at(self.now + WORD * count, partial(self._input, signals.Heard, piece, False))
        ends = self.now + lasts
        self._at(ends, partial(self._input, signals.Onset, False))
        self._at(ends + RECOGNISED, partial(self._heard, text, confidence))
        caller.talking_until = ends + RECOGNISED + timedelta(milliseconds=10)
        caller.free_at = None

    def _heard(self, text: str, confidence: float | None) -> None:
        """The final transcript."""
        self.caller.said += 1
        self._last_heard = (text, confidence)
        self.caller.free_at = None
        if text.strip():
            self.put(signals.Heard(self.now, text, True, confidence))

    def _noise(self, turn: Turn) -> None:
        """A sound that is no word, or one that only says that they listen."""
        self.put(signals.Onset(self.now, True))
        self._break_in()
        ends = self.now + timedelta(milliseconds=300)
        self._at(ends, partial(self._input, signals.Onset, False))
        if turn.hums:
            self._at(ends + RECOGNISED, partial(self._input, signals.Heard, turn.hums, True, turn.confidence))
        # Somebody who only coughed waits for us to go on.
        self.caller.talking_until = ends + RECOGNISED + self.playbook.call.resume

    def _line_changes(self, how: str) -> None:
        if how == "restored":
            self.put(signals.Rejoined(self.now))
            return
        self.line.cut(self.now)
        self.put(
            signals.Lost(self.now) if how == "lost" else signals.HungUp(self.now, broken=how == "breaks")
        )

    def _restart(self) -> None:
        """The gateway is gone with all that it had in mind; another one asks the lead."""
        self.line.cut(self.now)
        self._due.clear()
        self._thinking, self._asks, self._working = None, [], set()
        self.core = Conversation(self.playbook)
        self.put(signals.Begin(self.now, self.ledger.brief_again()))
