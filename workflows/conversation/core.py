"""The conversation core: inputs in, outputs out. No sockets, no clock, no randomness.

Every input is first reduced to a new state version (:mod:`.reduce`); then it is decided on. What was asked of the
model on an older version than the other side's newest words is void: its words are never spoken. While the other side
speaks nothing is begun: what the model or the lead's ledger gives meanwhile is held until it is clear what they want.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ..events import Action, ConversationEnded, Line, OfferSlots
from ..messages import Brief
from ..playbook import Playbook
from ..reading import is_confirmation, is_opt_out
from . import branches, breaks, early, hearing, local, machines, moves, signals, timers
from .concerns import concern
from .exits import advance, enter
from .floor import speech
from .grounding import split_complete
from .moments import note
from .openings import notices, opening, unheard
from .prepared import prepared
from .prompt import request
from .reduce import Meaning, reduce, take_words
from .signals import Input, Output
from .state import Pending, State, Turn
from .turn import Decision, Reading
from .wants import by_rule

_MOST_ASKED = 5
"""Turns for one question; then a person takes over."""
_TURNS_PER_BRIEF = 1000
"""Turn numbers of one brief; the next brief of the same call, at a newer version, continues above them."""
_HELD: frozenset[Meaning] = frozenset(
    ("decided", "model_words", "finished", "failed", "performed", "not_performed"),
)


class Conversation:
    """One conversation with one lead. ``receive`` takes the inputs in order; after ``over`` it ignores them."""

    def __init__(self, playbook: Playbook) -> None:
        self.playbook = playbook
        self._state: State | None = None
        self._out: list[Output] = []
        self._muted: list[str] | None = None
        """What would have been said, while a result is only taken in."""

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
            self.take(event)
        return self._out

    def ended(self, at: datetime) -> ConversationEnded:
        """The transcript as heard, the path, moments, verdicts, timings and tokens."""
        return self.state.ended(at)

    @property
    def wake_at(self) -> datetime | None:
        """When the next Tick is due, unless something else comes first."""
        return None if self._state is None else timers.wake_at(self._state)

    # ---- what the moves use -----------------------------------------------------------------------------------

    def say(self, text: str, last: bool = True, result: bool = False, interruptible: bool = True) -> None:
        """Say the playbook's or checked words. ``result``: a fact from the ledger; cut off, it is said again."""
        s = self.state
        if self._muted is not None:
            self._muted += [text] if text else []
            return
        if text and s.owed:
            owed, s.owed = s.owed, ""
            self.say(owed, last=False, result=True)
        if text and (first := unheard(s, text)):
            text = f"{first} {text}"
        if text:
            s.floor.until = max(s.now, s.floor.until or s.now) + speech(text)
            if s.floor.open:
                line = s.lines[-1]
                s.lines[-1] = line.model_copy(update={"text": f"{line.text} {text}".strip()})
            else:
                self._open(text)
            if s.timings and s.timings[-1].first_word is None:
                s.timings[-1].first_word = s.now
                if s.asked is None:  # decided here, without the model
                    s.timings[-1].decided = s.timings[-1].decided or s.now
            if result:
                s.result = text
        # A space keeps two pieces of one utterance apart.
        self._out.append(signals.Speak(text if last or not text else text + " ", last, interruptible))

    def bridge(self, text: str) -> None:
        """Say that it takes a moment: no answer to anything, and it may be cut off by what it bridges."""
        s = self.state
        self._open(text)
        s.floor.open = False
        s.floor.until = max(s.now, s.floor.until or s.now) + speech(text)
        self._out.append(signals.Speak(text, preemptible=True))

    def perform(self, action: Action, windowed: bool = False, note: str = "") -> None:
        """Ask the lead for ``action``; the model's outstanding words are void, and the words that led here are done
        with."""
        s = self.state
        self.void()
        s.turn_no += 1
        s.read_to = len(s.lines)
        if isinstance(action, OfferSlots) and s.brief.zone != s.home:
            action = action.model_copy(update={"zone": s.brief.zone})
        s.pending = Pending(f"{s.brief.attempt}:{s.turn_no}", action, windowed=windowed, note=note, at=s.now)
        self._out.append(signals.Perform(s.pending.id, action, s.lead_version, s.verdict_on(action)))

    def ask(self) -> None:
        """Ask the model, unless the graph already knows what comes next."""
        s = self.state
        s.turn_no += 1
        s.node_turns += 1
        s.unread = False
        if s.node_turns > s.here.max_turns:
            moves.escalate(self, "went round in circles")
            return
        if s.last_asked:
            s.asked_often[s.last_asked] = s.asked_often.get(s.last_asked, 0) + 1
            if s.asked_often[s.last_asked] > _MOST_ASKED and not s.knows(s.last_asked):
                moves.escalate(self, f"no clear answer about {s.last_asked.replace('_', ' ')}")
                return
        words = s.last_words
        if s.node == "objection" and s.return_to and not concern(s, words):
            back, s.return_to = s.return_to, ""
            enter(s, back)
        if is_confirmation(words) and s.node in ("outreach", "identity", "no_show_recovery"):
            advance(s, Reading(intent="yes"))
            if len(words.split()) <= 4 and moves.drive(self):
                return
        if not early.adopt(self):
            early.drop(self)
            s.asked = self.request()

    def request(self, speculative: bool = False) -> Turn:
        """Ask the model on the talk as it stands, under the newest turn number."""
        s = self.state
        actions = s.allowed
        form = prepared(self.playbook).schema(actions)
        self._out.append(signals.Ask(s.turn_no, request(s), form, actions, s.version, speculative))
        return Turn(id=s.turn_no, actions=actions, version=s.version, at=s.now)

    def put_out(self, output: Output) -> None:
        """One more thing to do."""
        self._out.append(output)

    def close(
        self, why: str, text: str = "", outcome: str = "", soft: bool = False, interruptible: bool = True
    ) -> None:
        """Say the last words, then end."""
        s = self.state
        self.void()
        early.drop(self)
        if why == "opt_out":
            s.owed = ""
        if text:
            self.say(text, interruptible=interruptible)
        s.closing, s.soft_close = why, soft
        s.outcome = s.outcome or outcome
        if not text and not s.floor.playing:
            self.end()

    def end(self) -> None:
        """Close the line."""
        s = self.state
        if not s.over:
            branches.left_angry(self)
            s.over = True
            self._out.append(signals.End(s.closing, s.transfer if s.closing == "transfer" else None))

    def void(self) -> None:
        """What the model was asked is stale."""
        s = self.state
        if s.asked is not None:
            self._out.append(signals.Hush(s.asked.id))
            s.asked = None

    # ---- what hearing and the timers use -----------------------------------------------------------------------

    def take(self, event: Input) -> None:
        """Reduce, then decide."""
        meaning = reduce(self.state, event)
        if meaning in _HELD and self._waits(event):
            self.state.floor.held.append(event)
        elif meaning:
            _DECIDE[meaning](self, event)

    def release(self) -> None:
        """What was held back happens now."""
        s = self.state
        held, s.floor.held = s.floor.held, []
        for event in held:
            _DECIDE[_HELD_AS[type(event)]](self, event)

    def settle(self, event: signals.Performed | signals.NotPerformed) -> None:
        """Take a result in that came while they spoke: it is true at once, and said first after their words are
        understood. Where it ends the call, it is said now."""
        s = self.state
        if s.pending is None or s.pending.id != event.id:
            return
        self._muted = []
        self._result(event)
        said, self._muted = " ".join(self._muted), None
        if s.closing:
            self.say(said)
        else:
            s.owed = f"{s.owed} {said}".strip()

    def give_up(self, turn: Turn) -> None:
        """The model takes too long over ``turn``."""
        self._out.append(signals.Hush(turn.id))
        if self.state.timings:
            self.state.timings[-1].extra["model_failed"] = 1.0
        self._without_model(turn)

    # ---- inside ------------------------------------------------------------------------------------------------

    def _open(self, text: str) -> None:
        s = self.state
        s.lines.append(Line(who="agent", text=text, at=s.now))
        f = s.floor
        f.open, f.safe, f.played, f.behind = True, 0, "", f.playing

    def _waits(self, event: signals.Input) -> bool:
        """Whether this has to wait until the other side has the word no longer. Stop always counts."""
        s = self.state
        if not s.floor.taken or s.closing or s.opted_out:
            return False
        if isinstance(event, signals.Decided):
            return event.decision.action.name != "opt_out" and event.decision.reading.intent != "stop"
        if isinstance(event, signals.Performed | signals.NotPerformed):
            return s.pending is None or s.pending.action.kind != "opt_out"
        begun = s.asked is not None and s.asked.speaks
        return not begun or s.floor.interrupted or s.floor.lost or bool(s.floor.held)

    # ---- decisions ---------------------------------------------------------------------------------------------

    def _begin(self, event: signals.Begin) -> None:
        brief: Brief = event.brief
        fixed = prepared(self.playbook)
        s = self._state = State.of(self.playbook, brief, event.at)
        s.turn_no = brief.version * _TURNS_PER_BRIEF
        s.instruction, s.waiting, s.bridging = fixed.instruction, fixed.waiting, fixed.bridging
        note(s, "answered", detail=brief.opening)
        if brief.refusal:
            words = self.playbook.speech.paused if brief.refusal.startswith("paused") else self.playbook.speech.goodbye
            self.close(f"refused: {brief.refusal}", s.words(words), outcome="paused")
            return
        s.notices = notices(s)
        if brief.channel == "call":
            self.say(opening(s))
        else:  # they wrote: there is nobody to greet, and what they wrote comes next
            s.lines.extend(event.thread)
            s.last_asked = brief.last_asked

    def _decided(self, event: signals.Decided) -> None:
        s = self.state
        if s.asked is None or s.asked.id != event.id:
            return
        self._decide(event.decision)

    def _decide(self, decision: Decision) -> None:
        s = self.state
        if s.owed:
            owed, s.owed = s.owed, ""
            self.say(owed, last=False, result=True)
        moves.decide(self, hearing.again(self, decision))

    def _model_words(self, event: signals.Words) -> None:
        s = self.state
        if s.asked is None or s.asked.id != event.id or not s.asked.speaks:
            return
        turn = s.asked
        complete, turn.held = split_complete(turn.held + event.text)
        for sentence in complete:
            if s.asked is turn:  # a sentence that was refused may have ended the turn
                moves.speak_checked(self, turn, sentence)

    def _finished(self, event: signals.Finished) -> None:
        s = self.state
        turn = s.asked
        if turn is None or turn.id != event.id:
            return
        s.asked = None
        if not turn.speaks:
            return
        if turn.held.strip():
            moves.speak_checked(self, turn, turn.held.strip())
        if not turn.corrected:
            self.say("" if "?" in turn.said else moves.next_question(s))

    def _failed(self, event: signals.Failed) -> None:
        turn = self.state.asked
        if turn is not None and turn.id == event.id:
            self._without_model(turn)

    def _without_model(self, turn: Turn) -> None:
        """No usable turn: decide by local rules; the same guards apply."""
        s = self.state
        if turn.decided:
            # The action stands; only its words are missing.
            s.asked = None
            if turn.speaks:
                self.say("" if "?" in turn.said else moves.next_question(s))
            return
        found = by_rule(s)
        turn.decided = True
        self._decide(found)
        if s.asked is not turn:
            return
        s.asked = None
        if turn.speaks:
            again = found.reading.intent == "unclear" and not found.reading.fields
            self.say(s.words(self.playbook.speech.again) if again else moves.next_question(s))

    def _performed(self, event: signals.Performed | signals.NotPerformed) -> None:
        s = self.state
        if s.pending is None or s.pending.id != event.id:
            return
        if not s.unread:
            self._result(event)
            return
        s.unread = False
        self.settle(event)
        if s.closing:
            local.late(self, s.last_words)
        elif s.pending is not None:
            s.unread = True
        elif not s.opted_out:
            self.ask()

    def _result(self, event: signals.Performed | signals.NotPerformed) -> None:
        """What the lead answered to the action under way, or that it did not."""
        s = self.state
        pending, s.pending = s.pending, None
        assert pending is not None
        if isinstance(event, signals.Performed):
            if not s.closing:
                moves.answered(self, pending, event.answer)
        elif pending.action.kind == "opt_out":
            if event.why == "opt_out_not_kept":
                self.close("opt_out", s.words(self.playbook.speech.goodbye))
        elif not s.closing:
            task = pending.action.kind == "task"
            self.say(s.words(self.playbook.speech.unknown if task else self.playbook.speech.confirm_later), last=False)
            self.say(s.words(s.here.fallback))

    def _opt_out_kept(self, event: signals.OptOutKept) -> None:
        s = self.state
        if s.opted_out and not s.opt_out_kept:
            s.opt_out_kept = True
            self.close("opt_out", s.words(self.playbook.speech.opted_out))

    def _paused(self, event: signals.Paused) -> None:
        s = self.state
        if not s.closing:
            self.close("paused", s.words(self.playbook.speech.paused), outcome="paused")

    def _rejoined(self, event: signals.Rejoined) -> None:
        """Go on where we were: what we said last may not have been heard."""
        s = self.state
        early.drop(self)
        speaks = s.asked is not None and s.asked.speaks
        waits = not speaks and (s.asked is not None or s.pending is not None)
        if not s.closing and not waits:
            cut, s.floor.cut = s.floor.cut, ""
            if not cut and s.lines and s.lines[-1].who == "agent":
                cut = s.lines.pop().text
            s.floor.open = False
            self.say(f"{s.words(self.playbook.speech.resumed)} {cut or moves.next_question(s)}", last=not speaks)
        self.release()

    def _hung_up(self, event: signals.HungUp) -> None:
        s = self.state
        outcome = breaks.outcome(s, event.broken)
        if s.floor.partial:
            # Their last words have no final transcript; a stop among them counts.
            take_words(s, s.floor.partial, None)
            if is_opt_out(s.lines[-1].text, spoken=True) and not s.opted_out:
                local.opt_out(self, s.lines[-1].text)
        self.void()
        early.drop(self)
        branches.left_angry(self)
        s.over = True
        s.outcome = s.outcome or ("" if s.opted_out else outcome)


_DECIDE: dict[Meaning, Callable[[Conversation, Any], None]] = {
    "words": lambda talk, event: hearing.words(talk),
    "partial": lambda talk, event: hearing.glance(talk),
    "backchannel": lambda talk, event: hearing.go_on(talk),
    "key": lambda talk, event: hearing.key(talk, event.digit),
    "tick": lambda talk, event: timers.tick(talk, event.at),
    "answered_by": lambda talk, event: machines.answered_by(talk, event.who),
    "decided": Conversation._decided,
    "model_words": Conversation._model_words,
    "finished": Conversation._finished,
    "failed": Conversation._failed,
    "performed": Conversation._performed,
    "not_performed": Conversation._performed,
    "opt_out_kept": Conversation._opt_out_kept,
    "paused": Conversation._paused,
    "rejoined": Conversation._rejoined,
    "hung_up": Conversation._hung_up,
}
_HELD_AS: dict[type, Meaning] = {
    signals.Decided: "decided",
    signals.Words: "model_words",
    signals.Finished: "finished",
    signals.Failed: "failed",
    signals.Performed: "performed",
    signals.NotPerformed: "not_performed",
}
