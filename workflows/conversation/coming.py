"""What they say of coming to the meeting that stands, decided by rule: late, here, on the way, not at all, "the link does not
work", and "who is this?", with or without a meeting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import events as ev
from ..attending import confirms, delay, said_of_coming
from ..reading import is_denial
from ..wishes import is_not_interested
from ..words import plain
from . import dates, identity, moves
from .concerns import concern
from .state import State
from .wants import fact

if TYPE_CHECKING:
    from .core import Conversation

_WORDS = 300


def answered(talk: Conversation, text: str) -> bool:
    """Meet what ``text`` says of coming; whether it said anything."""
    s = talk.state
    if unconfirmed(s) and _asked(s) and (confirms(text) or is_denial(text)):
        if confirms(text):
            moves.attempt(talk, ev.Confirm(words=text[:_WORDS]))
        else:
            _unable(talk, text)
        return True
    word = said_of_coming(text)
    if word == "who":
        first = s.booking is None and s.brief.channel == "call"  # what they have against us comes before who we are
        if (first or "who" not in plain(text).split()) and (concern(s, text) or fact(s, text)):
            return False  # "where is my number from?": the playbook has an answer of its own
        who(talk)
        return True
    meeting = s.booking
    if meeting is None or not word or is_not_interested(text):
        return False
    policy = s.playbook.attendance
    near = meeting.start - policy.opens <= s.now <= meeting.end + policy.closes
    if word == "join":
        moves.attempt(talk, ev.SendLink(join=True))
    elif word == "late":
        later = delay(text, meeting.start.minute)
        moves.attempt(
            talk, ev.Attend(how="late", minutes=round(later.total_seconds() / 60) if later else 0, words=text[:_WORDS])
        )
    elif word == "absent" and not s.offered:
        _unable(talk, text)
    elif word in ("here", "coming") and near:
        moves.attempt(talk, ev.Attend(how="here" if word == "here" else "soon", words=text[:_WORDS]))
    else:
        return False
    return True


def unconfirmed(s: State) -> bool:
    """Whether this call is about no more than their yes to the meeting, and they have not given it."""
    return s.brief.opening == "confirm" and s.booking is not None and not s.comes


def _asked(s: State) -> bool:
    """Whether they answer the question if they will be there."""
    last = next((line.text for line in reversed(s.lines) if line.who == "agent"), "")
    return s.words(s.playbook.speech.will_come) in last


def who(talk: Conversation) -> None:
    """Who writes or calls, that it is a machine, about what, and how to stop it."""
    s, speech = talk.state, talk.playbook.speech
    texting = s.brief.channel != "call"
    introduced = texting and not any(
        line.who == "agent" for line in s.lines
    )  # the first text of a thread says it anyway
    parts = ["" if introduced else speech.disclosure, speech.about]
    if identity.tellable(s) is not None:
        parts.append(speech.about_meeting)
    parts.append(speech.way_out_by_text if texting else speech.way_out)
    talk.void()
    talk.say(s.words(" ".join(filter(None, parts))), last=texting)
    if not texting:
        talk.say(moves.next_question(s))


def _unable(talk: Conversation, text: str) -> None:
    """They cannot come then: other times are offered at once. Once the meeting has begun it is known that they did not."""
    s, meeting = talk.state, talk.state.booking
    assert meeting is not None
    if s.now >= meeting.start:
        moves.attempt(talk, ev.Attend(how="absent", words=text[:_WORDS]))
        return
    offer(talk, text)


def offer(talk: Conversation, text: str) -> None:
    """Times in place of the one that does not suit: those that they name, else the next."""
    s = talk.state
    talk.say(s.words(talk.playbook.speech.unable), last=False)
    meeting = s.booking or s.brief.missed
    named = dates.read(text, s.brief.zone, s.now)
    same = meeting is not None and dates.fits(
        ev.Slot(id="", rep=meeting.rep, start=meeting.start, end=meeting.end), named, s.brief.zone
    )
    if named.empty or same:
        moves.attempt(talk, ev.OfferSlots(refused=tuple(s.past_offers)))
        return
    first, last, part = dates.window(named, s.brief.zone, s.now)
    moves.attempt(talk, ev.OfferSlots(not_before=first, not_after=last, part=part), windowed=True)


def done(talk: Conversation, action: ev.Attend | ev.Confirm) -> None:
    """The lead took note: what is said of it."""
    s, speech = talk.state, talk.playbook.speech
    if isinstance(action, ev.Confirm):
        s.comes = True
        talk.close("confirmed", s.words(speech.confirmed), soft=True)
        return
    if action.how == "absent":
        s.brief, s.booking = s.brief.model_copy(update={"missed": s.booking, "booking": None}), None
        offer(talk, action.words)
        return
    s.comes = True
    late = speech.late if action.minutes else speech.late_somehow
    words = {"late": late, "soon": speech.soon, "here": speech.here}[action.how]
    texting = s.brief.channel != "call"
    talk.say(s.words(words, minutes=str(action.minutes)), last=texting, result=True)
    if not texting:
        talk.say(moves.next_question(s))
