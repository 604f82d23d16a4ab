"""What is decided when the other side speaks, or begins to: barge-in, false interruptions, keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..events import Verdict
from ..reading import asks_again, is_denial, takes_back
from . import early, local, moves, signals
from .moments import note
from .reduce import take_words
from .turn import Decision

if TYPE_CHECKING:
    from .core import Conversation

_EFFECTS = ("offer_slots", "book", "cancel", "call_back", "decline", "hand_off", "send_link", "task", "refer")
"""What is worth coming back to after an interruption; talk is not."""
_GOES_ON = ("answer", "yes", "picks_time", "names_time", "wants_meeting", "unclear")
"""Intents of words that leave standing what was decided before them."""
_MOST_RESUMED = 2
_MOST_DIGITS = 12


# ---- words -----------------------------------------------------------------------------------------------------------


def words(talk: Conversation) -> None:
    """Their words are in the state: what was held is settled first, then they are decided on."""
    s = talk.state
    text, cut = s.lines[-1].text, s.floor.missed
    held, s.floor.held = s.floor.held, []
    _suspend(talk, held)
    talk.void()
    for event in held:
        if isinstance(event, signals.Performed | signals.NotPerformed):
            talk.settle(event)
    if s.closing:
        _drop(talk)
        local.late(talk, text)
    elif s.opted_out or local.decide(talk, text):
        _drop(talk)
    elif s.pending is None and asks_again(text):
        talk.void()
        repeat(talk, cut)
    elif s.pending is None:
        talk.ask()
    else:
        s.unread = True
    early.drop(talk)


def _suspend(talk: Conversation, held: list[signals.Input]) -> None:
    """Keep what had been decided for the words before, if it would have had an effect."""
    s = talk.state
    for event in held:
        if isinstance(event, signals.Decided) and event.decision.action.name in _EFFECTS:
            if s.suspended and s.suspended.action.name != event.decision.action.name:
                _drop(talk)
            s.suspended = event.decision


def again(talk: Conversation, decision: Decision) -> Decision:
    """The ``decision`` on the new words, with what they interrupted taken up again where they leave it standing; it
    passes the authority once more, at the newest version."""
    s = talk.state
    before = s.suspended
    if before is None:
        return decision
    if decision.action.name == before.action.name:
        s.suspended = None
        return decision
    newest = s.lines[-1].text if s.lines else ""
    stands = decision.action.name in ("say", "ask") and decision.reading.intent in _GOES_ON
    if stands and not takes_back(newest) and not is_denial(newest) and before.action.name in s.allowed:
        s.suspended = None
        return Decision(reading=decision.reading, action=before.action)
    _drop(talk)
    return decision


def _drop(talk: Conversation) -> None:
    """What they interrupted is not done."""
    s = talk.state
    before, s.suspended = s.suspended, None
    if before is not None:
        s.verdicts.append(
            Verdict(
                action=before.action.name,
                allowed=False,
                rule="interrupted",
                detail="they said something else before it was done",
                evidence=(s.lines[-1].text,) if s.lines else (),
                version=s.version,
                at=s.now,
            )
        )


# ---- no words --------------------------------------------------------------------------------------------------------


def resume(talk: Conversation) -> None:
    """It was no interruption: what was cut off goes on, and what was held back happens."""
    f = talk.state.floor
    if f.theirs and not f.interrupted:
        note(talk.state, "onset")
    go_on(talk)


def go_on(talk: Conversation) -> None:
    """From the beginning of the sentence that was not fully heard."""
    s, f = talk.state, talk.state.floor
    if f.interrupted:
        note(s, "resumed")
    cut, f.cut = f.cut, ""
    f.give()
    if cut and f.resumed < _MOST_RESUMED and not s.opted_out:
        f.resumed += 1
        result, f.cut_result = f.cut_result, False
        s.owed = "" if result else s.owed
        talk.say(cut, last=not (s.asked is not None and s.asked.speaks), result=result)
    talk.release()


def gave_up(talk: Conversation) -> None:
    """Partial words whose final ones never came: they are what was said, and doubtful."""
    s = talk.state
    text = s.floor.partial
    note(s, "partial", detail=f"partials={s.floor.partials}")
    take_words(s, text, 0.0)
    words(talk)


def glance(talk: Conversation) -> None:
    """Partial words: stop speaking where they must not be spoken over; ask early once they are stable. Nothing is done
    about them before they are final."""
    s, f = talk.state, talk.state.floor
    if f.playing and not f.interrupted and local.knows(s, f.partial):
        ours = s.lines[-1].text if f.open else ""
        talk.put_out(signals.Stop())
        talk.take(signals.Interrupted(s.now, ours[f.safe : f.reached(ours, s.now)].strip()))
    elif f.again and early.due(s) is not None:
        early.ask(talk)


# ---- keys ------------------------------------------------------------------------------------------------------------


def key(talk: Conversation, digit: str) -> None:
    """A key was pressed: a digit of a number that was asked for, or what the playbook gives it to mean."""
    s = talk.state
    question = s.playbook.fields.get(s.last_asked)
    if question is not None and question.kind == "number" and digit.isdigit() and not s.closing:
        s.keys, s.key_at = (s.keys + digit)[:_MOST_DIGITS], s.now
    elif s.keys:
        keyed(talk)
    else:
        _press(talk, digit)


def keyed(talk: Conversation) -> None:
    """The number is whole: several digits are their answer, one alone is what the playbook gives it to mean."""
    s = talk.state
    digits, s.keys, s.key_at = s.keys, "", None
    if len(digits) == 1 and digits in s.playbook.keys:
        _press(talk, digits)
        return
    note(s, "key", detail="number")
    _as_words(talk, digits)


def _press(talk: Conversation, digit: str) -> None:
    s = talk.state
    meaning = s.playbook.keys.get(digit)
    note(s, "key", detail=meaning or "nothing")
    if meaning in ("yes", "no", "stop"):
        _as_words(talk, meaning)
    elif meaning == "person" and not s.closing:
        moves.hand_off(talk, "pressed the key for a person")
    elif meaning == "repeat" and not s.closing and s.asked is None and s.pending is None:
        repeat(talk, s.floor.cut)
        s.floor.give()
        s.floor.cut = ""


def repeat(talk: Conversation, cut: str) -> None:
    """Say our last words once more: a result that they did not hear, what they ``cut`` off, or all of it."""
    s = talk.state
    result, s.owed = s.owed, ""
    ours = next((line.text for line in reversed(s.lines) if line.who == "agent"), "")
    talk.say(result or cut or ours, result=bool(result))


def _as_words(talk: Conversation, text: str) -> None:
    take_words(talk.state, text, 1.0)
    words(talk)
