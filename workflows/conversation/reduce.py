"""The first half of every input: it becomes a new version of the state. Nothing is decided and nothing is said here.

:func:`reduce` says what an input amounts to; what is late, repeated or out of order amounts to nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal

from ..events import Line
from ..reading import is_backchannel, is_greeting, urges_on
from . import floor, signals, silence
from .moments import note
from .state import State

Meaning = Literal[
    "",
    "words",
    "partial",
    "backchannel",
    "key",
    "answered_by",
    "tick",
    "decided",
    "model_words",
    "finished",
    "failed",
    "performed",
    "not_performed",
    "opt_out_kept",
    "paused",
    "rejoined",
    "hung_up",
]

_SAME = timedelta(milliseconds=400)
"""A final transcript repeated within this time is a duplicate frame ..."""
_REPLAYED = timedelta(seconds=2)
"""... or, within this time after a reconnection, one that the carrier sends again."""


def reduce(s: State, event: signals.Input) -> Meaning:
    """Take ``event`` into the state; what it amounts to, "" when there is nothing to decide on."""
    if isinstance(event, signals.Heard) and _repeated(s, event):
        return ""
    if not isinstance(event, signals.Tick):
        s.version += 1
    return _REDUCE[type(event)](s, event)


# ---- the other side -------------------------------------------------------------------------------------------------


def _heard(s: State, event: signals.Heard) -> Meaning:
    text = " ".join(event.text.split())
    if not event.final:
        return _partial(s, text)
    waits = urges_on(text) or (is_greeting(text) and not s.machine)
    if (waits or is_backchannel(text)) and not _answers(s):
        s.human = s.human or not s.machine
        s.floor.resumed = 0 if waits else s.floor.resumed
        note(s, "backchannel")
        return "backchannel"
    take_words(s, text, event.confidence)
    return "words"


def _repeated(s: State, event: signals.Heard) -> bool:
    """Whether it says nothing, or what we have heard already."""
    text = " ".join(event.text.split())
    last = next((line for line in reversed(s.lines) if line.who == "lead"), None)
    same = last is not None and (last.text == text if event.final else last.text.startswith(text))
    if last is None or not same:
        return not text
    back = s.floor.rejoined_at
    if back is not None and s.now - back < _REPLAYED and last.at <= back:
        return True
    return s.lines[-1] is last and s.now - last.at < _SAME


def _partial(s: State, text: str) -> Meaning:
    f = s.floor
    f.take(s.now)
    f.again = text == f.partial
    if not f.again:
        f.stable_at = s.now
    f.partial, f.partial_at = text, s.now
    f.partials += 1
    return "partial"


def _answers(s: State) -> bool:
    """Whether a word like "okay" is an answer now: to a question that was heard, or to our silence. While we speak
    and have asked nothing it only shows that they listen, and so it does while an action is under way. "Go on" and
    "hello?" are then met by going on, too."""
    f = s.floor
    ours = s.lines[-1] if s.lines and s.lines[-1].who == "agent" else None
    if ours is None:
        return s.pending is None
    if f.interrupted:
        return floor.asked(ours.text, len(ours.text), 1.0) or _cut_question(s)
    if f.playing:
        return floor.asked(ours.text, f.reached(ours.text, s.now), s.playbook.call.heard)
    return s.pending is None


def _cut_question(s: State) -> bool:
    """Whether the sentence that they broke into was a question, and most of it was heard."""
    f, ours = s.floor, s.lines[-1].text
    first = floor.first_sentence(f.cut)
    return first.endswith("?") and len(floor.last_sentence(ours)) >= len(first) * s.playbook.call.heard


def take_words(s: State, text: str, confidence: float | None) -> None:
    """Words of theirs, final."""
    f = s.floor
    answering = bool(s.lines) and s.lines[-1].who == "agent"
    doubt = 0.0 if confidence is None else 1.0 - min(max(confidence, 0.0), 1.0)
    s.doubt = doubt if not s.last_words else max(s.doubt, doubt)
    s.unsure = confidence is None and s.brief.channel == "call"
    began = f.began or s.now - floor.speech(text)
    if answering and not f.interrupted and not f.over_us and f.until is not None:
        pause = max((began - f.until).total_seconds(), 0.0)
        silence.paused(s, pause)
        s.measured["pause"] = round(pause, 3)
    _tell_turn(s, text, confidence, s.now - began)
    s.fresh = s.version
    s.quiet, s.quiet_at, s.stalled = 0, None, False
    s.keys, s.key_at = "", None
    s.result = ""
    s.lines.append(Line(who="lead", text=text, at=s.now))
    s.timings.append(signals.Timing(final=s.now, extra=s.measured))
    s.measured = {}
    f.missed = f.cut
    f.open, f.sign_at, f.resumed, f.cut, f.cut_result = False, s.now, 0, "", False
    f.give()


def _tell_turn(s: State, text: str, confidence: float | None, lasted: timedelta) -> None:
    seconds = lasted.total_seconds()
    parts = [] if confidence is None else [f"confidence={confidence:.2f}"]
    if s.floor.partials:
        parts.append(f"partials={s.floor.partials}")
    if s.floor.began is not None and seconds >= 0.5:
        parts.append(f"pace={len(text.split()) / seconds:.1f}")
    if s.floor.over_us and not s.floor.interrupted:
        note(s, "overlap", seconds)
    note(s, "final", seconds, " ".join(parts))


def _onset(s: State, event: signals.Onset) -> Meaning:
    f = s.floor
    if event.on:
        f.take(s.now)
    elif f.theirs:
        f.sign_at, f.ceased = s.now, True
    return ""


def _interrupted(s: State, event: signals.Interrupted) -> Meaning:
    """They broke in: what was not heard was not said."""
    f = s.floor
    begun = f.began
    f.take(s.now)
    f.over_us = True
    f.playing, f.until = False, s.now
    index = len(s.lines) - 1 if s.lines and s.lines[-1].who == "agent" else len(s.lines) - 2
    if index < 0 or s.lines[index].who != "agent" or f.interrupted:
        return ""
    line = s.lines[index]
    played = " ".join(event.heard.split()) or f.played
    reached = floor.kept(line.text, f.safe, played)
    cut = "" if line.text in s.waiting else floor.rest(line.text, reached)
    unheard_result = bool(s.result) and s.result not in line.text[:reached]
    s.lines[index] = line.model_copy(update={"text": line.text[:reached].rstrip()})
    f.open, f.played, f.safe = False, "", reached
    if unheard_result:
        s.owed = s.result
    s.result = ""
    note(s, "interruption", event.after)
    if index < len(s.lines) - 1:  # their words were quicker than the news of it, and are being answered
        f.give()
        return ""
    f.interrupted, f.cut, f.cut_result = True, cut, unheard_result
    if begun is not None:
        s.measured["stop"] = round((s.now - begun).total_seconds(), 3)
    if s.closing and not s.opted_out and not s.outcome:
        s.soft_close = True
    return ""


def _key(s: State, event: signals.Key) -> Meaning:
    s.floor.sign_at = s.now
    s.quiet, s.quiet_at = 0, None
    return "key" if event.digit else ""


# ---- our voice and the line ------------------------------------------------------------------------------------------


def _speaking(s: State, event: signals.Speaking) -> Meaning:
    f = s.floor
    if event.on:
        if not f.playing:
            f.playing, f.since = True, s.now
        if s.timings and "audio" not in s.timings[-1].extra and s.timings[-1].first_word is not None:
            s.timings[-1].extra["audio"] = round((s.now - s.timings[-1].final).total_seconds(), 3)
        return ""
    f.playing, f.until = False, s.now
    _shut(s)
    return ""


def _shut(s: State) -> None:
    """What is played now is over; what was said too late to be part of it is still to come."""
    f = s.floor
    if f.open and s.lines:
        f.until = s.now + floor.speech(f.shut(s.lines[-1].text))


def _played(s: State, event: signals.Played) -> Meaning:
    f = s.floor
    text = " ".join(event.text.split())
    if f.open and text and not _before(s, text):
        whole = f"{f.played} {text}".strip()
        f.played = whole if f.played and whole in s.lines[-1].text else text
        if not f.playing and f.tells:
            _shut(s)  # the news of the end was quicker
    f.tells = True
    return ""


def _before(s: State, text: str) -> bool:
    """Whether ``text`` is what was still being played when our open line was begun."""
    if not s.floor.behind or text in s.lines[-1].text:
        return False
    return any(line.who == "agent" and text in line.text for line in s.lines[:-1])


def _answered_by(s: State, event: signals.AnsweredBy) -> Meaning:
    kind = "machine" if event.who.startswith("machine") else {"fax": "fax", "human": "answered"}.get(event.who, "")
    if kind:
        note(s, kind, detail=event.who if event.who.startswith("machine_") else "")
    return "answered_by"


def _lost(s: State, event: signals.Lost) -> Meaning:
    if not s.floor.lost:
        s.floor.lost, s.floor.playing = True, False
        note(s, "lost")
    return ""


def _rejoined(s: State, event: signals.Rejoined) -> Meaning:
    f = s.floor
    f.lost, f.playing, f.until, f.rejoined_at = False, False, s.now, s.now
    f.give()
    s.quiet, s.quiet_at = 0, None
    note(s, "restored")
    return "rejoined"


def _hung_up(s: State, event: signals.HungUp) -> Meaning:
    note(s, "hang_up", detail="broken" if event.broken else "")
    return "hung_up"


# ---- the model and the lead ------------------------------------------------------------------------------------------


def _of_the_model(meaning: Meaning) -> Callable[[State, Any], Meaning]:
    def reduced(s: State, event: Any) -> Meaning:
        if s.guess is not None and s.guess.turn.id == event.id:
            s.guess.held.append(event)
            return ""
        if meaning in ("finished", "failed"):
            s.tokens_in += event.tokens_in
            s.tokens_out += event.tokens_out
        turn = s.asked
        if turn is None or turn.id != event.id or turn.version < s.fresh or (meaning == "decided" and turn.decided):
            return ""
        _time(s, meaning)
        turn.at = s.now
        turn.decided = turn.decided or meaning == "decided"
        return meaning

    return reduced


def _time(s: State, meaning: Meaning) -> None:
    if not s.timings:
        return
    timing = s.timings[-1]
    if meaning == "decided" and timing.decided is None:
        timing.decided = s.now
    elif meaning == "model_words" and "first_token" not in timing.extra:
        timing.extra["first_token"] = round((s.now - timing.final).total_seconds(), 3)
    elif meaning == "failed":
        timing.extra["model_failed"] = 1.0


def _performed(s: State, event: signals.Performed) -> Meaning:
    s.lead_version = max(s.lead_version, event.answer.version)
    return "performed" if s.pending is not None and s.pending.id == event.id else ""


def _not_performed(s: State, event: signals.NotPerformed) -> Meaning:
    return "not_performed" if s.pending is not None and s.pending.id == event.id else ""


def _as(meaning: Meaning) -> Callable[[State, Any], Meaning]:
    return lambda s, event: meaning


_REDUCE: dict[type, Callable[[State, Any], Meaning]] = {
    signals.Heard: _heard,
    signals.Onset: _onset,
    signals.Interrupted: _interrupted,
    signals.Key: _key,
    signals.Speaking: _speaking,
    signals.Played: _played,
    signals.AnsweredBy: _answered_by,
    signals.Lost: _lost,
    signals.Rejoined: _rejoined,
    signals.HungUp: _hung_up,
    signals.Tick: _as("tick"),
    signals.Decided: _of_the_model("decided"),
    signals.Words: _of_the_model("model_words"),
    signals.Finished: _of_the_model("finished"),
    signals.Failed: _of_the_model("failed"),
    signals.Performed: _performed,
    signals.NotPerformed: _not_performed,
    signals.OptOutKept: _as("opt_out_kept"),
    signals.Paused: _as("paused"),
}
