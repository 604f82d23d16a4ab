"""The first words: who calls, that it is a machine, that the call is recorded where that must be said, then why."""

from __future__ import annotations

from ..messages import Brief
from ..playbook import Playbook
from . import identity, moves
from .authority import authorize
from .state import State

_INSTEAD = {
    "again": "outreach",
    "known": "inbound",
    "reschedule": "booked",
    "booked": "outreach",
    "confirm": "booked",
    "broken": "outreach",
    "recovery": "outreach",
    "callback": "outreach",
    "customer": "outreach",
    "open_deal": "outreach",
    "not_picked_up": "broken",
}
"""What a kind of call begins with where the playbook has no words for it."""


def opening(state: State) -> str:
    """Disclosure, recording notice where the lead's state wants one, then the words for this kind of call. The
    first two are never left out, also when the same call is taken up again (47 CFR 64.1200(b); all-party consent
    states)."""
    speech, brief = state.playbook.speech, state.brief
    parts = list(_notices(state))
    if brief.resumed:
        parts += [speech.resumed, speech.already if state.booking else _question(state)]
    else:
        parts.append(_words(state, kind_of(state.playbook, brief)))
    if state.booking is not None and not identity.may_tell(state):
        parts[-1] = _asking_who(state, parts[-1])
    return state.words(" ".join(parts))


def _notices(state: State) -> tuple[str, ...]:
    speech = state.playbook.speech
    return (speech.disclosure, speech.recording) if state.brief.recording_notice else (speech.disclosure,)


def notices(state: State) -> tuple[str, ...]:
    """What has to be heard on a call before anything else, in the words of this call; nothing where it is refused, since
    it may be a stranger's."""
    brief = state.brief
    return tuple(map(state.words, _notices(state))) if brief.channel == "call" and not brief.refusal else ()


def unheard(state: State, text: str) -> str:
    """Those of the notices that were not heard and do not stand in ``text``: they broke into them. Nothing for a
    machine, and nothing more once the call is being closed."""
    if not state.notices or state.machine or state.closing or state.opted_out:
        return ""
    # News of an interruption can still take away from what we said last, and then from nothing before it.
    certain = " ".join(line.text for line in state.lines[:-2] if line.who == "agent")
    state.notices = tuple(words for words in state.notices if words not in certain)
    return " ".join(words for words in state.notices if words not in text and not state.was_heard(words))


def _asking_who(state: State, words: str) -> str:
    """Whoever holds the phone is asked who they are before the meeting is told; then it is."""
    state.wanted = "reveal", authorize(state, "reveal")
    if not identity.on_record(state):
        return state.playbook.speech.opening.get("inbound", state.here.fallback)
    tells = "{time}" in words or "{rep}" in words or "{name}" not in words
    return state.playbook.speech.confirm_name if tells else words


def kind_of(playbook: Playbook, brief: Brief) -> str:
    """Which of the playbook's openings this call begins with, by what stands between us and this person."""
    if brief.opening in ("broken", "confirm", "not_picked_up"):
        return brief.opening
    if brief.booking:
        return "reschedule" if brief.node == "reschedule" else "booked"
    if brief.opening == "inbound" and brief.talked_before:
        return "known"
    if brief.opening == "outreach" and _tried_before(playbook, brief.touch):
        return "again"
    return brief.opening


def _tried_before(playbook: Playbook, touch: str) -> bool:
    """Whether a call of the cadence went before ``touch``."""
    calls = [each.name for each in (*playbook.cadence.first, *playbook.cadence.recovery) if each.channel == "call"]
    return touch in calls[1:]


def _words(state: State, kind: str) -> str:
    """The opening of this kind, or of the nearest that the playbook has; what the node says as a last resort."""
    opening = state.playbook.speech.opening
    while kind not in opening and kind in _INSTEAD:
        kind = _INSTEAD[kind]
    words = opening.get(kind) or opening.get("outreach") or state.here.fallback
    if kind == "not_picked_up" and state.node == "follow_up":
        state.when_asked += 1  # the open question there is when to call
    return words.replace("{question}", _question(state)) if "{question}" in words else words


def _question(state: State) -> str:
    """What leads on from here: the times that were offered, by name, else the open question."""
    offering = state.offered and state.node in ("booking", "reschedule")
    return offer(state) if offering else moves.next_question(state)


def offer(state: State) -> str:
    """The words that offer the times at hand."""
    return state.playbook.speech.offer if len(state.offered) > 1 else state.playbook.speech.only


def nearest(state: State) -> str:
    """The words that offer the times at hand where none lies where they wanted one."""
    return state.playbook.speech.nearest if len(state.offered) > 1 else state.playbook.speech.nearest_only


def which(state: State) -> str:
    """The words that ask which of the times at hand they mean."""
    return state.playbook.speech.which if len(state.offered) > 1 else state.playbook.speech.only


def voicemail(state: State) -> str:
    """The words to leave on a machine: what the cadence's touch says, nothing when it leaves none; the playbook's
    own for a call that is no touch of the cadence. The call that takes up one that broke off leaves none: a text
    follows."""
    book = state.playbook
    if state.brief.opening == "broken":
        return ""
    wanted = state.brief.touch.rsplit("/", 1)[-1]
    for touch in (*book.cadence.first, *book.cadence.recovery):
        if wanted and touch.name == wanted:
            return state.words(book.messages[touch.voicemail]) if touch.voicemail else ""
    return state.words(book.speech.voicemail)
