"""Drives the conversation core in a test: time, the model and the lead are under the test's control."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from workers.sandbox.model import reply
from workflows import events as ev
from workflows.conversation import Conversation, signals
from workflows.conversation.turn import Decision, MalformedTurn, TurnReader
from workflows.messages import Answer, Brief
from workflows.playbook import Playbook, read_playbook

NOW = datetime(2026, 11, 23, 15, 5, tzinfo=UTC)
"""A Monday; 10:05 in New York."""
ZONE = "America/New_York"
Model = Callable[[signals.Ask], str]


@cache
def playbook(name: str = "inbound.yml") -> Playbook:
    folder = Path(__file__).parent.parent / "workflows" / "playbooks"
    return read_playbook(name, {file.name: file.read_text() for file in folder.glob("*.yml")})


def slot(day: int, hour: int, minute: int = 0, rep: str = "ana") -> ev.Slot:
    """A slot in November 2026, at New York's wall clock (UTC-5)."""
    start = datetime(2026, 11, day, hour + 5, minute, tzinfo=UTC)
    return ev.Slot(id=f"{rep}@{start.isoformat()}", rep=rep, start=start, end=start + timedelta(minutes=30))


SLOTS = (slot(24, 10), slot(24, 15, 30), slot(25, 9))


def brief(**changes: Any) -> Brief:
    form = ev.Form(submission_id="f1", name="Dana Reyes", phone="+12125550100", email="dana@example.com")
    known: dict[str, Any] = {
        "lead": "lead-1", "attempt": "a1", "version": 3, "playbook": playbook().hash, "person": form, "zone": ZONE,
        "node": "outreach", "opening": "outreach",
    }  # fmt: skip
    return Brief(**{**known, **changes})


CLEAR = 0.9
"""How sure the recogniser is of words that were heard well; None is one that never says how sure it is."""

class Lead:
    """The lead as the gateway would find it: answers actions from a small ledger."""

    def __init__(self, slots: tuple[ev.Slot, ...] = SLOTS) -> None:
        self.slots = slots
        self.version = 10
        self.acts: list[ev.Action] = []
        self.autonomy: dict[str, str] = {}
        """As the playbook's: what a person does or approves is not done."""
        self.answers: list[Answer] = []
        """Put here what the next actions are answered with, instead."""

    def act(self, action: ev.Action) -> Answer:
        self.acts.append(action)
        self.version += 1
        if self.answers:
            return self.answers.pop(0)
        if (autonomy := self.autonomy.get(action.kind, "act")) != "act":
            return Answer(allowed=False, rule=f"autonomy_{autonomy}", version=self.version)
        if isinstance(action, ev.OfferSlots):
            free = [
                s for s in self.slots
                if s.id not in action.refused
                and not (action.not_before and s.start < action.not_before)
                and not (action.not_after and s.start >= action.not_after)
            ]  # fmt: skip
            return Answer(
                allowed=bool(free), rule="" if free else "no_slots", slots=tuple(free[: action.count or 3]), version=self.version
            )
        if isinstance(action, ev.Book):
            found = next((s for s in self.slots if s.id == action.slot), None)
            if found is None:
                return Answer(allowed=False, rule="slot_taken", version=self.version)
            booking = ev.Booking(
                id=f"b{self.version}", rep=found.rep, rep_name="Ana Torres", start=found.start, end=found.end
            )
            return Answer(allowed=True, booking=booking, version=self.version)
        return Answer(allowed=True, version=self.version)


def scripted(ask: signals.Ask) -> str:
    """The sandbox's model, without the wire."""
    schema = {"type": "json_schema", "json_schema": {"name": "turn", "schema": ask.schema}}
    return reply({"model": "scripted", "messages": ask.messages, "response_format": schema})


class Talk:
    """One conversation under test. What takes time (a slow model, a slow lead) comes when :meth:`pass_time` gets there;
    with the default of none it comes at once."""

    def __init__(
        self, told: Brief | None = None, book: Playbook | None = None, model: Model = scripted, lead: Lead | None = None
    ) -> None:
        self.core = Conversation(book or playbook())
        self.lead = lead or Lead()
        self.model = model
        self.now = NOW
        self.outputs: list[signals.Output] = []
        self.spoken: list[str] = []
        """One entry for each utterance of ours."""
        self.learned: list[ev.CallLearned] = []
        self.asks: list[signals.Ask] = []
        self.hold_acts = False
        self.held: list[signals.Perform] = []
        self.hold_model = False
        self.model_takes = 0.0
        """Seconds from an Ask to the model's whole answer."""
        self.lead_takes = 0.0
        """Seconds from a Perform to the lead's answer."""
        self._later: list[tuple[datetime, int, Callable[[], None]]] = []
        self._hushed: set[int] = set()
        self._count = 0
        self._piece = ""
        self.put(signals.Begin(self.now, told or brief()))

    @property
    def state(self) -> Any:
        return self.core.state

    @property
    def last(self) -> str:
        """What we said last."""
        return self.spoken[-1] if self.spoken else ""

    def put(self, event: signals.Input) -> None:
        """One input, and all that follows from it."""
        if isinstance(event, signals.Interrupted | signals.Lost):
            self._end_utterance()  # the carrier drops what it has not played
        for output in self.core.receive(event):
            self.outputs.append(output)
            self._carry_out(output)

    # ---- the other side -----------------------------------------------------------------------------------------

    def hear(
        self, text: str, seconds: float = 2.0, confidence: float | None = CLEAR, partials: tuple[str, ...] = ()
    ) -> str:
        """Our speech ends; the lead waits ``seconds``, then says ``text``, with these partial transcripts before it, a
        quarter of a second apart. What we said since."""
        before = len(self.spoken)
        self.finish_speech()
        self.pass_time(seconds)
        for words in partials:
            self.partial(words, confidence)
            self.pass_time(0.25)
        self.final(text, confidence)
        return " ".join(self.spoken[before:])

    def final(self, text: str, confidence: float | None = CLEAR) -> None:
        """A final transcript, now."""
        self.put(signals.Heard(self.now, text, confidence=confidence))

    def partial(self, text: str, confidence: float | None = CLEAR) -> None:
        """A partial transcript, now."""
        self.put(signals.Heard(self.now, text, final=False, confidence=confidence))

    def onset(self, on: bool = True) -> None:
        """They begin or cease to make sounds."""
        self.put(signals.Onset(self.now, on))

    def interrupt(self, heard: str, text: str = "", after: float = 1.0) -> str:
        """They break in when they have heard ``heard``; ``text``, if any, is what they say, ``after`` seconds later. What
        we said since."""
        before = len(self.spoken)
        self.put(signals.Speaking(self.now, True))
        self.put(signals.Onset(self.now, True))
        self.put(signals.Played(self.now, heard))
        self.put(signals.Interrupted(self.now, heard))
        self.put(signals.Speaking(self.now, False))
        if text:
            self.pass_time(after)
            self.put(signals.Onset(self.now, False))
            self.final(text)
        return " ".join(self.spoken[before:])

    def key(self, digits: str) -> str:
        """Keys are pressed, a fifth of a second apart; what we said since."""
        before = len(self.spoken)
        for digit in digits:
            self.put(signals.Key(self.now, digit))
            self.pass_time(0.2)
        return " ".join(self.spoken[before:])

    def lose(self) -> None:
        """The media break."""
        self.put(signals.Lost(self.now))

    def rejoin(self) -> str:
        """... and are there again; what we said since."""
        before = len(self.spoken)
        self.put(signals.Rejoined(self.now))
        return " ".join(self.spoken[before:])

    # ---- our side -----------------------------------------------------------------------------------------------

    def start_speech(self, played: str = "") -> None:
        """Our speech begins to be played, as far as ``played``."""
        self.put(signals.Speaking(self.now, True))
        if played:
            self.put(signals.Played(self.now, played))

    def finish_speech(self) -> None:
        self.put(signals.Speaking(self.now, True))
        self.pass_time(0.5)
        self.put(signals.Speaking(self.now, False))

    def pass_time(self, seconds: float) -> None:
        """Time passes, with the ticks that were asked for and what was still to come."""
        until = self.now + timedelta(seconds=seconds)
        while True:
            wake = self.core.wake_at
            due = self._later[0][0] if self._later else None
            if due is not None and due <= until and (wake is None or due <= wake):
                self.now = max(self.now, due)
                heapq.heappop(self._later)[2]()
            elif wake is not None and wake <= until:
                self.now = max(self.now, wake)
                self.put(signals.Tick(self.now))
            else:
                break
        self.now = until

    def silence(self, seconds: float) -> list[str]:
        """Our speech ends and nobody says anything for so long; the prompts that come."""
        self.finish_speech()
        before = len(self.spoken)
        self.pass_time(seconds)
        return self.spoken[before:]

    def answer(self, perform: signals.Perform, answer: Answer | None = None) -> None:
        self.put(signals.Performed(self.now, perform.id, answer or self.lead.act(perform.action)))

    def reply(self, ask: signals.Ask, text: str) -> None:
        """The model's ``text`` arrives in pieces."""
        if ask.id in self._hushed:
            return
        reader = TurnReader(ask.actions)
        try:
            for at in range(0, len(text), 7):
                for known in reader.feed(text[at : at + 7]):
                    if isinstance(known, Decision):
                        self.put(signals.Decided(self.now, ask.id, known))
                    else:
                        self.put(signals.Words(self.now, ask.id, known))
            reader.finish()
        except MalformedTurn as error:
            self.put(signals.Failed(self.now, ask.id, str(error)))
            return
        self.put(signals.Finished(self.now, ask.id, tokens_in=len(str(ask.messages)) // 4, tokens_out=len(text) // 4))

    def _in(self, seconds: float, act: Callable[[], None]) -> None:
        if not seconds:
            act()
            return
        self._count += 1
        heapq.heappush(self._later, (self.now + timedelta(seconds=seconds), self._count, act))

    def _end_utterance(self) -> None:
        if self._piece.strip():
            self.spoken.append(self._piece.strip())
        self._piece = ""

    def _carry_out(self, output: signals.Output) -> None:
        if isinstance(output, signals.Speak):
            self._piece += output.text
            if output.last:
                self._end_utterance()
        elif isinstance(output, signals.Ask):
            self.asks.append(output)
            if not self.hold_model:
                self._in(self.model_takes, lambda: self.reply(output, self.model(output)))
        elif isinstance(output, signals.Hush):
            if self.model_takes:
                self._hushed.add(output.id)  # a request that takes time is really given up
        elif isinstance(output, signals.Perform):
            if self.hold_acts:
                self.held.append(output)
            else:
                self._in(self.lead_takes, lambda: self.answer(output))
        elif isinstance(output, signals.KeepOptOut):
            self.put(signals.OptOutKept(self.now))
        elif isinstance(output, signals.Tell):
            self.learned.append(output.learned)


def turn(name: str, say: str = "", intent: str = "unclear", fields: dict[str, str] | None = None, **args: str) -> str:
    """A model's turn as JSON."""
    blank = {"field": "", "topic": "", "when": "", "choice": "", "why": ""}
    read = [{"field": f, "value": v, "quote": v} for f, v in (fields or {}).items()]
    return json.dumps({
        "reading": {"intent": intent, "fields": read, "signs": []},
        "action": {"name": name, "args": {**blank, **args}},
        "say": say,
    })  # fmt: skip
