"""The conversation core: inputs in, outputs out. No sockets, no clock, no randomness.

Every input is first reduced to a new state version; then it is decided. What was asked of the model on an older
version is void: its words are never spoken.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from ..events import Action, ConversationEnded, Line
from ..messages import Brief
from ..playbook import Playbook
from ..reading import (
    is_confirmation,
)
from . import local, moves, signals
from .exits import advance, enter
from .grounding import split_complete
from .openings import opening, voicemail
from .prompt import instruction, request
from .signals import Input, Output
from .state import Pending, State, Turn
from .turn import Reading, schema
from .understand import by_rule, concern

_GREETING = timedelta(seconds=2)
"""After a voicemail's greeting was recognised by its words, this long for the beep or the carrier's detection."""
_LINGER = timedelta(milliseconds=300)
"""From the end of our last words to closing the line."""
_LATE = timedelta(seconds=8)
"""Speech that the carrier never reports as ended is over this long after it should have been."""
_MOST_ASKED = 5
"""Turns for one question; then a person takes over."""
_SAME = timedelta(milliseconds=400)
"""A final transcript repeated within this time is a duplicate frame."""
_TURNS_PER_BRIEF = 1000
"""Turn numbers of one brief; the next brief of the same call, at a newer version, continues above them."""


class Conversation:
    """One conversation with one lead. ``receive`` takes the inputs in order; after ``over`` it ignores them."""

    def __init__(self, playbook: Playbook) -> None:
        self.playbook = playbook
        self._state: State | None = None
        self._out: list[Output] = []
        self._handlers: dict[type, Callable[[Any], None]] = {
            signals.Heard: self._heard,
            signals.Interrupted: self._interrupted,
            signals.Speaking: self._speaking,
            signals.AnsweredBy: self._answered_by,
            signals.Tick: self._tick,
            signals.Decided: self._decided,
            signals.Words: self._words,
            signals.Finished: self._finished,
            signals.Failed: self._failed,
            signals.Performed: self._performed,
            signals.NotPerformed: self._not_performed,
            signals.OptOutKept: self._opt_out_kept,
            signals.Paused: self._paused,
            signals.Rejoined: self._rejoined,
            signals.HungUp: self._hung_up,
        }

    # ---- the face ---------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Raises RuntimeError before Begin."""
        if self._state is None:
            raise RuntimeError("the conversation has not begun; send Begin first")
        return self._state

    @property
    def begun(self) -> bool:
        return self._state is not None

    @property
    def over(self) -> bool:
        return self._state is not None and self._state.over

    def receive(self, event: Input) -> list[Output]:
        """What is to be done now, in this order. Inputs that are late, repeated or out of order are ignored."""
        self._out = []
        if isinstance(event, signals.Begin):
            if self._state is None:
                self._begin(event)
        elif self._state is not None and not self._state.over:
            self._state.now = max(self._state.now, event.at)
            handler = self._handlers.get(type(event))
            if handler is not None:
                handler(event)
        return self._out

    def ended(self, at: datetime) -> ConversationEnded:
        """The transcript as heard, the verdicts, timings and tokens."""
        return self.state.ended(at)

    @property
    def wake_at(self) -> datetime | None:
        """When the next Tick is due, unless something else comes first."""
        s = self._state
        if s is None or s.over:
            return None
        limit = s.began + self.playbook.call.longest
        if s.closing:
            return min(self._speech_over(), limit + _LATE)
        if s.machine == "greeting" and s.lead_at:
            return s.lead_at + _GREETING
        if s.asked or s.pending:
            return limit
        return min(self._silent_since() + self._patience(), limit)

    # ---- what the moves use -----------------------------------------------------------------------------------

    def say(self, text: str, last: bool = True, result: bool = False) -> None:
        """Say the playbook's or checked words. ``result``: a fact from the ledger; cut off, it is said again."""
        s = self.state
        if text:
            s.spoken_until = s.speech_ends(text)
            if s.line_open and s.lines and s.lines[-1].who == "agent":
                line = s.lines[-1]
                s.lines[-1] = line.model_copy(update={"text": f"{line.text} {text}".strip()})
            else:
                s.lines.append(Line(who="agent", text=text, at=s.now))
            s.line_open = True
            if s.timings and s.timings[-1].first_word is None:
                s.timings[-1].first_word = s.now
        s.result = text if result else ""
        # A space keeps two pieces of one utterance apart.
        self._out.append(signals.Speak(text if last or not text else text + " ", last))

    def perform(self, action: Action, windowed: bool = False, note: str = "") -> None:
        """Ask the lead for ``action``; the model's outstanding words are void."""
        s = self.state
        self.void()
        s.turn_no += 1
        s.pending = Pending(id=f"{s.brief.attempt}:{s.turn_no}", action=action, windowed=windowed, note=note)
        self._out.append(signals.Perform(s.pending.id, action, s.lead_version, s.verdict_on(action)))

    def ask(self) -> None:
        """Ask the model, unless the graph already knows what comes next."""
        s = self.state
        s.turn_no += 1
        s.node_turns += 1
        if s.node_turns > s.here.max_turns:
            moves.hand_off(self, "went round in circles")
            return
        if s.last_asked:
            s.asked_often[s.last_asked] = s.asked_often.get(s.last_asked, 0) + 1
            if s.asked_often[s.last_asked] > _MOST_ASKED and not s.learned.get(s.last_asked):
                moves.hand_off(self, f"no clear answer about {s.last_asked.replace('_', ' ')}")
                return
        words = s.last_words
        if s.node == "objection" and s.return_to and not concern(s, words):
            back, s.return_to = s.return_to, ""
            enter(s, back)
        if is_confirmation(words) and s.node in ("outreach", "identity", "no_show_recovery"):
            advance(s, Reading(intent="yes"))
            if len(words.split()) <= 4 and moves.drive(self):
                return
        s.asked = Turn(id=s.turn_no, actions=s.allowed)
        self._out.append(signals.Ask(s.turn_no, request(s), schema(self.playbook, s.allowed), s.allowed, s.version))

    def put_out(self, output: Output) -> None:
        """One more thing to do."""
        self._out.append(output)

    def close(self, why: str, text: str = "", outcome: str = "", soft: bool = False) -> None:
        """Say the last words, then end."""
        s = self.state
        self.void()
        if text:
            self.say(text)
        s.closing, s.soft_close = why, soft
        s.outcome = s.outcome or outcome
        if not text and not s.playing:
            self._end()

    def void(self) -> None:
        """What the model was asked is stale."""
        s = self.state
        if s.asked is not None:
            self._out.append(signals.Hush(s.asked.id))
            s.asked = None

    # ---- inputs -----------------------------------------------------------------------------------------------

    def _begin(self, event: signals.Begin) -> None:
        brief: Brief = event.brief
        s = self._state = State.of(self.playbook, brief, event.at)
        s.turn_no = brief.version * _TURNS_PER_BRIEF
        s.instruction = instruction(self.playbook)
        if brief.refusal:
            words = self.playbook.speech.paused if brief.refusal.startswith("paused") else self.playbook.speech.goodbye
            self.close(f"refused: {brief.refusal}", s.words(words), outcome="paused")
            return
        self.say(opening(s))

    def _heard(self, event: signals.Heard) -> None:
        s = self.state
        text = " ".join(event.text.split())
        if not text:
            return
        if not event.final:
            s.lead_at = s.now
            return
        if s.lines and s.lines[-1].who == "lead" and s.lines[-1].text == text and s.now - s.lines[-1].at < _SAME:
            return
        s.version += 1
        s.lead_at = s.now
        s.quiet = 0
        s.line_open = False
        fresh = not s.lines or s.lines[-1].who == "agent"
        s.doubt = max(0.0 if fresh else s.doubt, 0.0 if event.confidence is None else 1 - event.confidence)
        s.lines.append(Line(who="lead", text=text, at=s.now))
        self.void()
        s.timings.append(signals.Timing(final=s.now))
        if s.closing:
            local.late(self, text)
        elif not local.decide(self, text) and s.pending is None:
            self.ask()

    def _interrupted(self, event: signals.Interrupted) -> None:
        """They spoke over us: what was not heard was not said."""
        s = self.state
        s.version += 1
        s.lead_at = s.now
        s.spoken_until, s.playing = s.now, False
        self.void()
        index = next((i for i in range(len(s.lines) - 1, -1, -1) if s.lines[i].who == "agent"), None)
        if index is None or index < len(s.lines) - 2:
            return
        line = s.lines[index]
        heard = " ".join(event.heard.split())
        at = line.text.find(heard) if heard else -1
        kept = line.text[: at + len(heard)] if at >= 0 else heard
        if s.result and s.result not in kept:
            s.owed = s.result
        s.result = ""
        s.lines[index] = line.model_copy(update={"text": kept})
        if s.closing and not s.opted_out and not s.outcome:
            s.soft_close = True

    def _speaking(self, event: signals.Speaking) -> None:
        s = self.state
        s.playing = event.on
        if not event.on:
            s.spoken_until = s.now

    def _answered_by(self, event: signals.AnsweredBy) -> None:
        s = self.state
        if event.who == "fax":
            self.close("fax", outcome="screened")
            self._end()
        elif event.who.startswith("machine") and not s.human and not s.closing and s.machine != "screening":
            self._leave_message()

    def _leave_message(self) -> None:
        s = self.state
        s.machine = "voicemail"
        self.close("voicemail", voicemail(s), outcome="voicemail")

    def _tick(self, event: signals.Tick) -> None:
        s = self.state
        due = self.wake_at
        if due is None or event.at < due:
            return
        speech = self.playbook.speech
        if s.closing:
            self._end()
        elif event.at >= s.began + self.playbook.call.longest:
            s.pending = None
            self.close("too long", s.words(speech.too_long), outcome="" if s.human else "silent")
        elif s.machine == "greeting":
            self._leave_message()
        else:
            self._silence()

    def _silence(self) -> None:
        s, prompts = self.state, self.playbook.speech.silence
        step = prompts[min(s.quiet, len(prompts) - 1)] if prompts else ""
        prompt = step if isinstance(step, str) else step[0]
        s.quiet += 1
        if s.quiet >= len(prompts):
            self.close("silence", s.words(prompt), outcome="screened" if s.machine == "screening" else "")
        else:
            question = moves.next_question(s) if "{question}" in prompt else ""
            self.say(s.words(prompt, question=question))

    def _decided(self, event: signals.Decided) -> None:
        s = self.state
        if s.asked is None or s.asked.id != event.id or s.asked.decided:
            return
        s.asked.decided = True
        if s.timings:
            s.timings[-1].decided = s.now
        if s.owed:
            owed, s.owed = s.owed, ""
            self.say(owed, last=False, result=True)
        moves.decide(self, event.decision)

    def _words(self, event: signals.Words) -> None:
        s = self.state
        if s.asked is None or s.asked.id != event.id or not s.asked.speaks:
            return
        complete, s.asked.held = split_complete(s.asked.held + event.text)
        for sentence in complete:
            moves.speak_checked(self, s.asked, sentence)

    def _finished(self, event: signals.Finished) -> None:
        s = self.state
        s.tokens_in += event.tokens_in
        s.tokens_out += event.tokens_out
        turn = s.asked
        if turn is None or turn.id != event.id:
            return
        s.asked = None
        if not turn.speaks:
            return
        if turn.held.strip():
            moves.speak_checked(self, turn, turn.held.strip())
        self.say("" if "?" in turn.said else moves.next_question(s))

    def _failed(self, event: signals.Failed) -> None:
        """No usable turn: decide by local rules; the same guards apply."""
        s = self.state
        s.tokens_in += event.tokens_in
        s.tokens_out += event.tokens_out
        turn = s.asked
        if turn is None or turn.id != event.id:
            return
        s.timings[-1].extra["model_failed"] = 1.0
        if turn.decided:
            # The action stands; only its words are missing.
            s.asked = None
            if turn.speaks:
                self.say("" if "?" in turn.said else moves.next_question(s))
            return
        found = by_rule(s)
        turn.decided = True
        moves.decide(self, found)
        if s.asked is turn and turn.speaks:
            s.asked = None
            again = found.reading.intent == "unclear" and not found.reading.fields
            self.say(s.words(self.playbook.speech.again) if again else moves.next_question(s))

    def _performed(self, event: signals.Performed) -> None:
        s = self.state
        s.lead_version = max(s.lead_version, event.answer.version)
        if s.pending is None or s.pending.id != event.id:
            return
        s.version += 1
        pending, s.pending = s.pending, None
        if s.closing:
            return
        moves.answered(self, pending, event.answer)

    def _not_performed(self, event: signals.NotPerformed) -> None:
        s = self.state
        if s.pending is None or s.pending.id != event.id:
            return
        s.version += 1
        pending, s.pending = s.pending, None
        if pending.action.kind == "opt_out":
            if event.why == "opt_out_not_kept":
                self.close("opt_out", s.words(self.playbook.speech.goodbye))
            return
        if not s.closing:
            self.say(s.words(self.playbook.speech.confirm_later), last=False)
            self.say(s.here.fallback)

    def _opt_out_kept(self, event: signals.OptOutKept) -> None:
        s = self.state
        if s.opted_out and not s.opt_out_kept:
            s.opt_out_kept = True
            self.close("opt_out", s.words(self.playbook.speech.opted_out))

    def _paused(self, event: signals.Paused) -> None:
        s = self.state
        if not s.closing:
            s.version += 1
            self.close("paused", s.words(self.playbook.speech.paused), outcome="paused")

    def _rejoined(self, event: signals.Rejoined) -> None:
        """Go on where we were: what we said last may not have been heard."""
        s = self.state
        s.version += 1
        s.playing, s.spoken_until, s.quiet = False, s.now, 0
        if s.closing or s.asked or s.pending:
            return
        unheard = s.lines[-1].text if s.lines and s.lines[-1].who == "agent" else ""
        if unheard:
            del s.lines[-1]
        s.line_open = False
        self.say(s.words(self.playbook.speech.resumed), last=False)
        self.say(unheard or moves.next_question(s))

    def _hung_up(self, event: signals.HungUp) -> None:
        s = self.state
        self.void()
        s.over = True
        if event.broken and not s.closing:
            s.outcome = s.outcome or "dropped"
        elif s.machine == "screening":
            s.outcome = s.outcome or "screened"
        elif s.machine:
            s.outcome = s.outcome or "voicemail"

    # ---- time -------------------------------------------------------------------------------------------------

    def _speech_over(self) -> datetime:
        s = self.state
        until = s.spoken_until or s.now
        return until + (_LATE if s.playing else _LINGER)

    def _silent_since(self) -> datetime:
        s = self.state
        ours = self._speech_over() if s.playing else (s.spoken_until or s.began)
        return max(ours, s.lead_at or s.began)

    def _patience(self) -> timedelta:
        waits = self.playbook.call.silence
        return waits[min(self.state.quiet, len(waits) - 1)] if waits else timedelta(seconds=8)

    def _end(self) -> None:
        s = self.state
        if not s.over:
            s.over = True
            self._out.append(signals.End(s.closing))
