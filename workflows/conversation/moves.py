"""What a decision of the model, or an answer of the lead, leads to: the second half of each turn.

The model proposes; what is performed is resolved by code (which slot, which time), authorised, and its result is
spoken from the answer in the playbook's words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .. import events as ev
from ..reading import agrees, asks_when, hesitates, is_backchannel, is_denial, names_meeting, only_assents
from ..words import fixed, plain
from . import branches, coming, concerns, dates, ear, instead, later, local, offers, openings, readback
from .authority import TALK, authorize, for_a_person, is_meant
from .exits import advance, enter
from .grounding import refused
from .prompt import missing
from .results import answered
from .signals import Tell
from .state import ReadBack, State, Turn
from .turn import Decision, Proposal, Reading
from .understand import absorb
from .wants import answers_offer, fact, settle, wished

if TYPE_CHECKING:
    from .core import Conversation

__all__ = [
    "answered",
    "attempt",
    "decide",
    "decline",
    "drive",
    "hand_off",
    "judge",
    "next_question",
    "reveal",
    "speak_checked",
]

_MOST_VERDICTS = 80
_SAME_QUESTION = 0.6
"""The part of its words that makes the model's question one of the playbook's."""
_UNSURE = {
    "time": "They asked about a time that we could not confirm.",
    "number": "They asked about a figure or a price that we could not confirm.",
    "name": "They asked about somebody or something that we do not know.",
    "promise": "They asked about terms that we may not promise.",
    "done": "They asked what was done for them.",
    "claim": "They asked about the product what we could not confirm.",
}
"""What a person is asked to look up, by the rule that stopped our own words."""


def decide(talk: Conversation, decision: Decision) -> None:
    """Carry out the model's decision, set right by what was really said, as far as it is allowed."""
    s = talk.state
    decision = settle(s, decision)
    reading, proposal = decision.reading, decision.action
    raised = concerns.classify(s, reading, proposal.args.get("topic", ""))
    if reading.intent == "question" and fact(s, s.last_words):
        # "Where did you get my number?" is a concern, "what does it cost?" is not, unless more is said beside it.
        raised = concerns.stated(s, s.last_words)
    if raised and reading.intent in ("unclear", "no", "question"):
        reading = reading.model_copy(update={"intent": "concern"})
    eased = [c.name for c in s.concerns.values() if c.status == "open"]
    report = absorb(s, reading, raised, concerns.follow(s, raised, reading))
    if report is not None and report.learned and reading.intent == "unclear":
        reading = reading.model_copy(update={"intent": "answer"})
    advance(s, reading)
    if report is not None:
        talk.put_out(Tell(report.model_copy(update={"node": s.node})))
    if s.read_back is not None and not s.read_back.spoken:
        readback.ask(talk)
        return
    if reading.intent == "yes" and any(s.concerns[name].status == "resolved" for name in eased):
        talk.say(s.words(s.playbook.speech.soften), last=False)
    _follow(talk, reading, proposal, raised)


def _follow(talk: Conversation, reading: Reading, proposal: Proposal, raised: str) -> None:
    """Where this turn leads: what they want first, then what the model proposes."""
    s = talk.state
    if instead.take_up(talk, reading):
        return
    quotes = tuple(sign.quote for sign in s.signs[-4:] if sign.quote in s.last_words)
    if not _wish(talk, reading, proposal, raised, quotes):
        _proposal(talk, reading, proposal, raised, quotes)


def _wish(talk: Conversation, reading: Reading, proposal: Proposal, raised: str, quotes: tuple[str, ...]) -> bool:
    """Go where a wish of theirs leads, if they have one; whether they have."""
    s, name, intent = talk.state, proposal.name, reading.intent
    if name == "opt_out" or intent == "stop":
        local.opt_out(talk, s.last_words)
    elif intent == "complaint":
        branches.complain(talk)
    elif name == "hand_off" or s.node == "handoff":
        branches.person(talk, proposal.args.get("why", "") or "asked for a person")
    elif intent == "robot":
        local.disclose(talk)
    elif intent == "wrong_person" and s.booking is None:
        decline(talk, "wrong_person", quotes)
    elif (intent == "referral" or name == "refer" or s.referring) and branches.refer(talk, proposal):
        pass
    elif intent == "already_booked":
        branches.booked_already(talk)
    elif s.booking is None and wished(s) == "cancel":
        attempt(talk, ev.Cancel(words=s.last_words[:300]), quotes)
    elif intent == "call_now":
        branches.call_now(talk)
    elif name == "decline" or intent == "not_interested":
        branches.not_interested(talk, raised, quotes)
    elif intent == "send_link" or name == "send_link":
        branches.link(talk, quotes)
    elif intent == "later" or name == "call_back":
        later.call_back(talk, proposal, quotes)
    else:
        return _after_an_offer(talk, reading)
    return True


def _after_an_offer(talk: Conversation, reading: Reading) -> bool:
    """Their answer to what was offered last in place of arguing or pushing on; whether this was one."""
    s = talk.state
    yielded, s.yielded = s.yielded, ""
    if yielded and reading.intent == "yes":
        branches.person(talk, f"the concern about {yielded.replace('_', ' ')} came back")
        return True
    if s.playbook.unasked and s.node == "follow_up" and _says_no_again(s, reading):
        decline(talk, "not_interested")
        return True
    if s.promised and s.node == "follow_up" and reading.intent in ("goodbye", "yes", "unclear"):
        _finish(talk)
        return True
    if s.link_sent and s.node == "follow_up" and reading.intent in ("no", "goodbye", "yes", "unclear"):
        _finish(talk)
        return True
    return False


def _says_no_again(s: State, reading: Reading) -> bool:
    """Whether they say no, and nothing else, to what was offered in place of the talk that they gave no leave for: who did
    not ask for our call is not pressed a second time."""
    merely = reading.intent in ("no", "unclear") and ear.says(s, is_denial) and ear.says(s, only_assents)
    return merely and s.node_turns > 0 and not s.link_sent


def _proposal(talk: Conversation, reading: Reading, proposal: Proposal, raised: str, quotes: tuple[str, ...]) -> None:
    s, name = talk.state, proposal.name
    if name in TALK and name != "end" and not (verdict := judge(talk, name)).allowed:
        instead.turn_to(talk, verdict, name)
    elif raised and (reading.intent == "concern" or name == "answer"):
        branches.meet(talk, raised)
    elif name in ("answer", "state"):
        _answer_from_playbook(talk, proposal)
    elif name == "book":
        _book(talk, proposal, quotes)
    elif name == "cancel":
        attempt(talk, ev.Cancel(words=s.last_words[:300]), quotes)
    elif name == "task":
        branches.ask_person(talk, proposal.args.get("what", "") or "They asked for something to be settled.")
    elif name == "end":
        _finish(talk)
    elif name == "offer_slots":
        if not drive(talk):
            offers.look(talk, proposal.args.get("when", "") or s.last_words, quotes)
    elif not drive(talk):
        _speak(talk, proposal)


def drive(talk: Conversation) -> bool:
    """Do what the graph calls for by itself: close when they do not fit, look for times as soon as they do. True
    when something was done."""
    s = talk.state
    if s.booking is None and s.brief.missed is None and s.fit.misfit:
        decline(talk, "not_fit")
        return True
    unheard = len(s.offered) == len(offers.only_texted(s))
    if s.node == "booking" and s.booking is None and unheard and s.pending is None and s.qualified:
        offers.look(talk, s.last_words, ())
        return True
    return False


def go_on(talk: Conversation) -> None:
    """Something was settled without the model: walk on, and say what comes next."""
    s = talk.state
    advance(s, Reading(intent="answer"))
    if (chosen := s.chosen) and any(slot.id == chosen for slot in s.offered):
        s.chosen = ""
        _book_chosen(talk, chosen)
    elif not drive(talk):
        talk.say(next_question(s))


def _book_chosen(talk: Conversation, slot: str) -> None:
    """They chose it by themselves a moment ago; from a recogniser that does not say how sure it is, it is read back."""
    s = talk.state
    if s.unsure:
        s.read_back = ReadBack(about="book", value=slot)
        readback.ask(talk)
        return
    s.agreed = slot
    attempt(talk, ev.Book(slot=slot))


def next_question(state: State) -> str:
    """The playbook's own words that keep the talk going from here; a question that was asked in vain, in its other words."""
    if state.node in ("identity", "qualification") and not state.offered and (left := missing(state)):
        state.last_asked = left[0]
        question = state.playbook.fields[state.last_asked]
        in_vain = state.asked_often.get(state.last_asked, 0) % 2 == 1
        return state.words(question.rephrase if in_vain and question.rephrase else question.ask)
    state.last_asked = ""
    if coming.unconfirmed(state):
        return state.words(state.playbook.speech.will_come)
    if state.node == "booking" and not state.offered and state.booking is None:
        return state.words(state.playbook.speech.which_day)
    return state.words(state.here.fallback)


def speak_checked(talk: Conversation, turn: Turn, sentence: str) -> None:
    """Say one sentence of the model's if it is grounded. One that is not ends the turn: what they chose is booked, where
    their own words are an answer to the offer; else a person is asked, and what is said of that follows."""
    s = talk.state
    if _asks_known(s, sentence):
        return
    if is_backchannel(sentence) and s.lines[-1].who == "agent" and s.lines[-1].text.endswith(s.words(s.playbook.speech.soften)):
        return  # one acknowledgement is enough
    sentence = _in_other_words(s, sentence)
    ground = refused(s, sentence)
    if ground is None:
        turn.said += " " + sentence
        talk.say(sentence, last=False)
        return
    s.verdicts.append(
        ev.Verdict(action="say", allowed=False, rule=f"grounding_{ground.rule}", version=s.version, at=s.now)
    )
    del s.verdicts[:-_MOST_VERDICTS]
    if not turn.corrected:
        turn.corrected = True
        if answers_offer(s):
            _book(talk, Proposal(name="book"), ())
            return
        branches.ask_person(talk, _UNSURE.get(ground.rule, _UNSURE["claim"]))


def _in_other_words(state: State, sentence: str) -> str:
    """``sentence``, or the playbook's other words for a question that they have just heard in these and not answered."""
    question = state.playbook.fields.get(state.last_asked)
    if question is None or not question.rephrase or plain(sentence) != fixed(question.ask):
        return sentence
    spoke = next((n for n in range(len(state.lines) - 1, -1, -1) if state.lines[n].who == "lead"), 0)
    before = next((line.text for line in reversed(state.lines[:spoke]) if line.who == "agent"), "")
    return state.words(question.rephrase) if plain(sentence) in plain(before) else sentence


def _asks_known(state: State, sentence: str) -> bool:
    """Whether the model asks once more for what is known. To say it back ("so you are 20 people?") is no such
    question."""
    asked = _content(sentence)
    if not asked or not sentence.rstrip().endswith("?"):
        return False
    return any(
        len(asked & _content(question.ask)) >= _SAME_QUESTION * len(asked)
        and not asked & _content(state.learned.get(field, ""))
        and state.knows(field)
        for field, question in state.playbook.fields.items()
    )


def asks_for(state: State, words: str) -> str:
    """The field that a question of ours in ``words`` asks for, be it not in the playbook's words for it; "" when none."""
    asked = _content(re.split(r"[.;!?]", words.rstrip("? "))[-1]) if words.rstrip().endswith("?") else set()
    fields = state.playbook.fields.items()
    return next((name for name, q in fields if asked and len(asked & _content(q.ask)) >= _SAME_QUESTION * len(asked)), "")


def _content(text: str) -> set[str]:
    return {word for word in plain(text).split() if len(word) > 3 or word.isdigit()}


def judge(
    talk: Conversation, action: ev.Action | str, quotes: tuple[str, ...] = (), before: ev.Verdict | None = None
) -> ev.Verdict:
    """Authorise and keep the verdict."""
    verdict = authorize(talk.state, action, quotes, before)
    talk.state.verdicts.append(verdict)
    del talk.state.verdicts[:-_MOST_VERDICTS]
    return verdict


def decline(talk: Conversation, disposition: ev.Disposition, quotes: tuple[str, ...] = ()) -> None:
    """Close for good, with the disposition."""
    attempt(talk, ev.Decline(disposition=disposition, words=talk.state.last_words[:300]), quotes)


def escalate(talk: Conversation, why: str) -> None:
    """This node did not help: go on from the one that it names for that, at last with a person."""
    s = talk.state
    to = s.here.escalation
    if s.node == "handoff" or to in ("handoff", s.node) or to not in s.playbook.graph:
        hand_off(talk, why)
        return
    enter(s, to)
    s.return_to = ""
    talk.say(next_question(s))


def hand_off(talk: Conversation, why: str) -> None:
    """A person takes over."""
    enter(talk.state, "handoff")
    attempt(talk, ev.HandOff(why=why[:200], words=talk.state.last_words[:300]), ())


# ---- one proposal each ------------------------------------------------------------------------------------------


def _speak(talk: Conversation, proposal: Proposal) -> None:
    """Let the model's words through, sentence by sentence; a question for what is known is replaced."""
    s = talk.state
    wanted = proposal.args.get("field", "")
    if proposal.name == "ask":
        if not wanted or s.knows(wanted):
            talk.void()
            talk.say(next_question(s))
            return
        s.last_asked = wanted
    elif s.node in ("identity", "qualification"):
        next_question(s)  # notes which field comes next; the words are the model's
    if s.asked is not None:
        s.asked.speaks = True


def _answer_from_playbook(talk: Conversation, proposal: Proposal) -> None:
    """An approved fact, word for word, and the question that leads on. What is not there is asked of a person."""
    s, book = talk.state, talk.playbook
    talk.void()
    topic = proposal.args.get("topic", "")
    if asks_when(s.last_words) and (s.booking is not None or names_meeting(s.last_words)):
        reveal(talk)
        return
    topic = topic if topic in book.facts else fact(s, s.last_words)
    if topic not in book.facts:
        branches.ask_person(talk, "They asked what the playbook has no answer to.")
        return
    talk.say(s.words(book.facts[topic].text), last=False)
    if not drive(talk):
        talk.say(next_question(s))


def _book(talk: Conversation, proposal: Proposal, quotes: tuple[str, ...]) -> None:
    """Book the slot that the lead's own words pick. What the model took for their choice counts only where their
    words leave no doubt."""
    s, zone = talk.state, talk.state.brief.zone
    words = s.last_words
    slot = ear.picked(s)
    if slot is None and len(s.offered) == 1 and agrees(words):
        slot = s.offered[0]
    if slot is None:
        named = ear.named(s)
        if not named.empty and named.delay is None and (dates.refused(words, zone, s.now) or not _some_fit(s, words)):
            offers.look(talk, words, quotes)
            return
        slot = dates.choose(proposal.args.get("choice", ""), s.offered, zone, s.now)
    if slot is None:
        offers.narrow(s, words)
        _which(talk)
        return
    action = ev.Book(slot=slot.id)
    doubted = s.doubtful or ear.says(s, hesitates)
    # A recogniser that never says how sure it is may have taken one hour for another: every choice is read back.
    if slot.id != s.agreed and (doubted or (s.unsure and is_meant(authorize(s, action, quotes)))):
        if doubted:
            judge(talk, action, quotes)
        s.read_back = ReadBack(about="book", value=slot.id, quote=words)
        readback.ask(talk)
        return
    attempt(talk, action, quotes)


def _some_fit(s: State, words: str) -> bool:
    """Whether the time that was named fits several of the offered slots (it was not clear enough), or none."""
    named = dates.read(words, s.brief.zone, s.now)
    return any(dates.fits(slot, named, s.brief.zone) for slot in s.offered)


def _which(talk: Conversation) -> None:
    s = talk.state
    talk.void()
    talk.say(s.words(openings.which(s)) if s.offered else next_question(s))


def _finish(talk: Conversation) -> None:
    s = talk.state
    verdict = judge(talk, "end")
    if not verdict.allowed:
        instead.turn_to(talk, verdict, "end")
        return
    talk.void()
    talk.close("settled", s.words(s.playbook.speech.goodbye), soft=True)


def reveal(talk: Conversation, before: ev.Verdict | None = None) -> None:
    """Say when and with whom their meeting is, if it is theirs to know."""
    s = talk.state
    verdict = judge(talk, "reveal", (), before)
    if not verdict.allowed:
        instead.turn_to(talk, verdict, "reveal")
        return
    talk.void()
    talk.say(s.words(s.playbook.speech.already), last=False, result=True)
    talk.say(next_question(s))


def attempt(
    talk: Conversation,
    action: ev.Action,
    quotes: tuple[str, ...] = (),
    windowed: bool = False,
    before: ev.Verdict | None = None,
) -> None:
    """Perform ``action`` if it is authorised, or have a person asked where only the playbook's autonomy is against it;
    else do the next best thing. ``before``: see :func:`.authority.authorize`."""
    s = talk.state
    verdict = judge(talk, action, quotes, before)
    if not verdict.allowed and not for_a_person(verdict):
        instead.turn_to(talk, verdict, action)
        return
    if verdict.allowed and action.kind in ("offer_slots", "book"):
        talk.say(s.words(s.playbook.speech.moment), last=False)
    talk.perform(action, windowed=windowed)
