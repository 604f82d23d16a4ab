"""What each wish of the lead's leads to: its words, its disposition and its effect, from the playbook and the ledger."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .. import events as ev
from ..reading import hesitates, is_denial
from ..wishes import asks_person, is_complaint, is_not_interested, is_outburst, named_instead, refers
from ..words import plain
from . import concerns, moves, spelled
from .exits import enter
from .signs import weigh
from .state import State
from .turn import Proposal

if TYPE_CHECKING:
    from .core import Conversation

_SOFT = 0.5
"""A no that weighs less than this may be met with the answer to what stands behind it, once."""
_WORDS = 300
_AGAIN = re.compile(r"\b(?:back|again|hang up|line|connection)\b")
_NO_NAME = re.compile(r"\b(?:no idea|can't say|can't tell|couldn't say|rather not|himself|herself|(?:my|our) \w+)\b")
"""An answer to the question who is right that names nobody."""
_LINK_ONLY = re.compile(r"\b(?:just|only|simply|instead|rather|myself|online|prefer|nothing else)\b")


def complain(talk: Conversation) -> None:
    """Nothing is sold to them; a person sees to it, with their words. Who is only angry at being called hears an apology
    and that they can have a person, once, and the next words decide."""
    s = talk.state
    words = s.last_words
    if is_outburst(words) and not s.soothed and s.brief.channel == "call":
        s.soothed, s.outburst = True, words
        talk.void()
        talk.say(s.words(s.playbook.speech.soothe))
        return
    _hand_to_person(talk, words)


def calmed(talk: Conversation, text: str) -> bool:
    """Their next words after an outburst: whether they did not calm down, and a person takes over."""
    s = talk.state
    before, s.outburst = s.outburst, ""
    if not before or is_not_interested(text) or not (is_complaint(text) or asks_person(text) or is_denial(text)):
        return False
    _hand_to_person(talk, f"{before} {text}")
    return True


def left_angry(talk: Conversation) -> None:
    """The call is over after an outburst: a person sees to it, and we do not ring again by ourselves."""
    s = talk.state
    if s.outburst and not s.opted_out:
        words, s.outburst = s.outburst, ""
        talk.perform(_complaint(words))


def _hand_to_person(talk: Conversation, words: str) -> None:
    s = talk.state
    if "handoff" in s.playbook.graph:
        enter(s, "handoff")
    moves.attempt(talk, _complaint(words))


def _complaint(words: str) -> ev.HandOff:
    return ev.HandOff(why=f"complaint: {words}"[:200], words=words[:_WORDS], complaint=True)


def person(talk: Conversation, why: str) -> None:
    """A person takes over at once, and is told where the talk stood."""
    s = talk.state
    standing = [f"in {s.node.replace('_', ' ')}"] if s.node != "handoff" else []
    standing += [
        f"concerned about {c.name.replace('_', ' ')}" for c in s.concerns.values() if c.status in ("open", "softened")
    ]
    if s.offered and s.booking is None:
        standing.append("times were offered")
    moves.hand_off(talk, f"{why}; {', '.join(standing)}" if standing else why)


def refer(talk: Conversation, proposal: Proposal) -> bool:
    """Somebody else is the right one: who, and how are they reached? Asked once; then a person takes it up. False
    when they speak of something else after all."""
    s = talk.state
    words = s.last_words
    name = named_instead(words) or spelled.name_in(words) or _really(words, proposal.args.get("name", ""))
    contact = spelled.contact_in(words) or _really(words, proposal.args.get("contact", ""))
    if not name and not contact:
        if not s.referring:
            s.referring = True
            talk.void()
            talk.say(s.words(s.playbook.speech.who))
            return True
        if not (refers(words) or is_denial(words) or hesitates(words) or _NO_NAME.search(plain(words))):
            s.referring = False
            return False
    moves.attempt(talk, ev.Refer(name=name[:80], contact=contact[:120], words=words[:_WORDS]))
    return True


def _really(words: str, claimed: str) -> str:
    """What the model took for a name or contact, if they said it."""
    return claimed if claimed and f" {plain(claimed)} " in f" {plain(words)} " else ""


def booked_already(talk: Conversation) -> None:
    """They have a meeting: said from the ledger. It knows of none: a person looks for it."""
    s = talk.state
    if s.booking is not None:
        moves.reveal(talk)
        return
    talk.void()
    talk.say(s.words(s.playbook.speech.not_booked), last=False)
    ask_person(talk, "They say that they have booked a meeting; we know of none.")


def call_now(talk: Conversation) -> None:
    """They have us on the line: it is settled now. Whoever wants to be rung again, or insists, is rung at once."""
    s = talk.state
    if s.brief.channel == "call" and not s.told_now and not _AGAIN.search(plain(s.last_words)):
        s.told_now = True
        talk.void()
        talk.say(s.words(s.playbook.speech.now_call), last=False)
        if not moves.drive(talk):
            talk.say(moves.next_question(s))
        return
    moves.attempt(talk, ev.CallBack(at=s.now, words=s.last_words[:_WORDS]))


def link(talk: Conversation, quotes: tuple[str, ...]) -> None:
    """The link, and no more pushing."""
    moves.attempt(talk, ev.SendLink(), quotes)


def linked(talk: Conversation) -> None:
    """The link is on its way: one more question, or none when the link was all that they wanted."""
    s, speech = talk.state, talk.playbook.speech
    s.link_sent = True
    words = next((line.text for line in reversed(s.lines) if line.who == "lead"), "")
    if not s.offered and s.booking is None and "follow_up" in s.playbook.graph:
        enter(s, "follow_up")
    if _LINK_ONLY.search(plain(words)) and s.booking is None:
        talk.close("link_sent", s.words(speech.link_only), soft=True)
    else:
        talk.say(s.words(speech.link_sent), result=True)


def not_interested(talk: Conversation, raised: str, quotes: tuple[str, ...]) -> None:
    """Taken as it is said. Only a half-hearted no with a concern behind it, to which there is an answer, is met with
    that answer, once in a talk."""
    s = talk.state
    behind = raised or next((c.name for c in s.concerns.values() if c.status == "open"), "")
    if not s.saved and behind and concerns.left(s, behind) and weigh("denial", s.last_words) < _SOFT:
        s.saved = True
        meet(talk, behind)
        return
    moves.decline(talk, "not_interested", quotes)


def meet(talk: Conversation, name: str) -> None:
    """Meet the concern in proportion, or accept it and offer the next best."""
    s = talk.state
    reply = concerns.answer(s, name)
    talk.void()
    if reply.text:
        onward = reply.goes_on or "?" not in reply.text
        talk.say(reply.text, last=not onward)
        s.last_asked = moves.asks_for(s, reply.text) or s.last_asked
        if onward:
            _go_back(s)
            if not moves.drive(talk):
                talk.say(moves.next_question(s))
    elif reply.then == "send_link" and not s.link_sent:
        moves.attempt(talk, ev.SendLink())
    elif reply.then == "hand_off":
        person(talk, f"the concern about {name.replace('_', ' ')} stays")
    elif reply.then == "acknowledge":
        s.yielded = name
        talk.say(s.words(s.playbook.graph[s.node if s.node == "objection" else _node(s)].fallback))
    else:
        s.return_to = ""
        if "follow_up" in s.playbook.graph:
            enter(s, "follow_up")
        s.when_asked += 1
        talk.say(s.words(s.here.fallback))


def _node(s: State) -> str:
    return next((name for name in ("objection", "follow_up") if name in s.playbook.graph), s.node)


def _go_back(s: State) -> None:
    """An aside was answered: the talk goes on where it was."""
    if s.return_to:
        back, s.return_to = s.return_to, ""
        enter(s, back)


def ask_person(talk: Conversation, what: str) -> None:
    """Have a person look it up, once for each question of theirs; what is said of it follows its answer."""
    s = talk.state
    question = plain(s.last_words)
    if question in s.tasks:
        talk.void()
        talk.say(s.words(s.playbook.speech.confirm_later), last=False)
        talk.say(moves.next_question(s))
        return
    s.tasks.append(question)
    moves.attempt(talk, ev.Task(what=what[:200], words=s.last_words[:_WORDS]))
