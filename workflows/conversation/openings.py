"""The first words: who calls, that it is a machine, that the call is recorded where that must be said, then why."""

from __future__ import annotations

from .state import State


def opening(state: State) -> str:
    """Disclosure, recording notice where the lead's state wants one, then the opening for this kind of call. The
    first two are never left out (47 CFR 64.1200(b); all-party consent states)."""
    speech, brief = state.playbook.speech, state.brief
    parts = [speech.disclosure]
    if brief.recording_notice:
        parts.append(speech.recording)
    if brief.resumed:
        parts.append(speech.resumed)
        parts.append(speech.already if state.booking else state.here.fallback)
    else:
        kind = "booked" if brief.booking and "booked" in speech.opening else brief.opening
        parts.append(speech.opening.get(kind) or next(iter(speech.opening.values()), state.here.fallback))
    return state.words(" ".join(parts))


def voicemail(state: State) -> str:
    """The words to leave on a machine: what the cadence's touch says, nothing when it leaves none; the playbook's
    own for a call that is no touch of the cadence."""
    book = state.playbook
    wanted = state.brief.touch.rsplit("/", 1)[-1]
    for touch in (*book.cadence.first, *book.cadence.recovery):
        if wanted and touch.name == wanted:
            return state.words(book.messages[touch.voicemail]) if touch.voicemail else ""
    return state.words(book.speech.voicemail)
