"""What a decision of the model, or an answer of the lead, leads to: the second half of each turn.

The model proposes; what is performed is resolved by code (which slot, which time), authorised, and its result is
spoken from the answer in the playbook's words.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .. import events as ev
from ..messages import Answer
from ..reading import asks_later, asks_when, is_confirmation
from . import dates, instead, local
from .authority import authorize, for_a_person
from .exits import advance, enter
from .grounding import refused
from .prompt import moment
from .signals import Tell
from .state import Pending, State, Turn
from .turn import Decision, Proposal, Reading
from .understand import absorb, concern, fact

if TYPE_CHECKING:
    from .core import Conversation

_MOST_VERDICTS = 80
_SOON = timedelta(minutes=5)


def decide(talk: Conversation, decision: Decision) -> None:
    """Carry out the model's decision, as far as it is allowed."""
    s = talk.state
    reading, proposal = decision.reading, decision.action
    learned = absorb(s, reading)
    raised = concern(s, s.last_words) or (proposal.args.get("topic", "") if reading.intent == "concern" else "")
    if reading.intent == "concern" and raised in s.playbook.objections:
        report = learned or ev.CallLearned(
            at=s.now, id=f"{s.brief.attempt}:learned:{s.turn_no}", attempt=s.brief.attempt, turn=s.turn_no, node=s.node
        )
        learned = report.model_copy(update={"objections": (raised,)})
    advance(s, reading)
    if learned is not None:
        talk.put_out(Tell(learned.model_copy(update={"node": s.node})))
    _follow(talk, reading, proposal, raised)


def _follow(talk: Conversation, reading: Reading, proposal: Proposal, raised: str) -> None:
    s, name = talk.state, proposal.name
    if instead.take_up(talk):
        return
    quotes = tuple(sign.quote for sign in s.signs[-4:] if sign.quote in s.last_words)
    if name == "opt_out" or reading.intent == "stop":
        local.opt_out(talk, s.last_words)
    elif name == "hand_off" or s.node == "handoff":
        hand_off(talk, proposal.args.get("why", "") or "asked for a person")
    elif reading.intent == "wrong_person" and s.booking is None:
        decline(talk, "wrong_person", quotes)
    elif name == "decline" or reading.intent == "not_interested":
        decline(talk, "not_interested", quotes)
    elif name in ("answer", "state"):
        _answer_from_playbook(talk, proposal, raised)
    elif name == "book":
        _book(talk, proposal, quotes)
    elif name == "cancel":
        attempt(talk, ev.Cancel(words=s.last_words[:300]), quotes)
    elif name == "call_back":
        _call_back(talk, proposal, quotes)
    elif name == "send_link":
        attempt(talk, ev.SendLink(), quotes)
    elif name == "end":
        _finish(talk)
    elif name == "offer_slots":
        if not drive(talk):
            _offer(talk, proposal.args.get("when", "") or s.last_words, quotes)
    elif not drive(talk):
        _speak(talk, proposal)


def drive(talk: Conversation) -> bool:
    """Do what the graph calls for by itself: close when they do not fit, look for times as soon as they do. True
    when something was done."""
    s = talk.state
    fit = s.fit
    if s.booking is None and s.brief.missed is None and (fit.failed or (not fit.missing and not fit.passes)):
        decline(talk, "not_fit")
        return True
    if s.node == "booking" and not s.offered and s.pending is None and s.qualified:
        _offer(talk, s.last_words, ())
        return True
    return False


def next_question(state: State) -> str:
    """The playbook's own words that keep the talk going from here."""
    missing = moment(state, "")["state"]["missing"]  # type: ignore[index]
    if missing and state.node in ("identity", "qualification") and not state.offered:
        state.last_asked = str(missing[0]["field"])
        return state.words(str(missing[0]["ask"]))
    state.last_asked = ""
    return state.words(state.here.fallback)


def speak_checked(talk: Conversation, turn: Turn, sentence: str) -> None:
    """Say one sentence of the model's if it is grounded, else once the playbook's words for "not sure"."""
    s = talk.state
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
        talk.say(s.words(s.playbook.speech.confirm_later), last=False)


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
        if not wanted or s.learned.get(wanted):
            talk.void()
            talk.say(next_question(s))
            return
        s.last_asked = wanted
    elif s.node in ("identity", "qualification"):
        next_question(s)  # notes which field comes next; the words are the model's
    if s.asked is not None:
        s.asked.speaks = True


def _answer_from_playbook(talk: Conversation, proposal: Proposal, raised: str) -> None:
    """An approved answer or fact, word for word, and the question that leads on."""
    s, book = talk.state, talk.playbook
    talk.void()
    topic = proposal.args.get("topic", "")
    if s.booking is not None and asks_when(s.last_words):
        reveal(talk)
        return
    if proposal.name == "answer" or topic not in book.facts:
        topic = topic if topic in book.objections else raised
        if topic in book.objections:
            _answer_concern(talk, topic)
            return
    topic = topic if topic in book.facts else fact(s, s.last_words)
    if topic in book.facts:
        talk.say(s.words(book.facts[topic].text), last=False)
        if drive(talk):
            return
    else:
        talk.say(s.words(book.speech.confirm_later), last=False)
    talk.say(next_question(s))


def _answer_concern(talk: Conversation, topic: str) -> None:
    s = talk.state
    answers = s.playbook.objections[topic].answers
    given = s.objections.get(topic, 0)
    s.objections[topic] = given + 1
    if given < len(answers):
        text = s.words(answers[given])
        if asks_later(s.last_words) and given:
            s.when_asked += 1
        talk.say(text)
        return
    # Answered as often as the playbook has answers: accept it, and offer another moment.
    enter(s, "follow_up")
    s.return_to = ""
    s.when_asked += 1
    talk.say(s.words(s.here.fallback))


def _offer(talk: Conversation, when: str, quotes: tuple[str, ...]) -> None:
    s = talk.state
    said = dates.read(when, s.brief.zone, s.now)
    if said.empty:
        said = dates.read(s.last_words, s.brief.zone, s.now)
    first, last, part = dates.window(said, s.brief.zone, s.now)
    # What was offered and lies outside of the wish is not offered again; without a wish, none of it is.
    missed = [o.id for o in s.offered if said.empty or said.delay is not None or not dates.fits(o, said, s.brief.zone)]
    s.past_offers = list(dict.fromkeys([*s.past_offers, *missed]))[-30:]
    action = ev.OfferSlots(not_before=first, not_after=last, part=part, refused=tuple(s.past_offers))
    attempt(talk, action, quotes, windowed=not said.empty)


def _book(talk: Conversation, proposal: Proposal, quotes: tuple[str, ...]) -> None:
    """Book the slot that the lead's own words pick. What the model took for their choice counts only where their
    words leave no doubt."""
    s, zone = talk.state, talk.state.brief.zone
    words = s.last_words
    slot = dates.choose(words, s.offered, zone, s.now)
    if slot is None and len(s.offered) == 1 and is_confirmation(words):
        slot = s.offered[0]
    if slot is None:
        named = dates.read(words, zone, s.now)
        if not named.empty and named.delay is None and not _some_fit(s, words):
            _offer(talk, words, quotes)
            return
        slot = dates.choose(proposal.args.get("choice", ""), s.offered, zone, s.now)
    if slot is None:
        _which(talk)
        return
    attempt(talk, ev.Book(slot=slot.id), quotes)


def _some_fit(s: State, words: str) -> bool:
    """Whether the time that was named fits several of the offered slots (it was not clear enough), or none."""
    named = dates.read(words, s.brief.zone, s.now)
    return any(dates.fits(slot, named, s.brief.zone) for slot in s.offered)


def _which(talk: Conversation) -> None:
    s = talk.state
    talk.void()
    talk.say(s.words(s.playbook.speech.which) if s.offered else next_question(s))


def _call_back(talk: Conversation, proposal: Proposal, quotes: tuple[str, ...]) -> None:
    s, zone = talk.state, talk.state.brief.zone
    words = s.last_words
    at = dates.moment(dates.read(words, zone, s.now), zone, s.now)
    if at is None:
        at = dates.moment(dates.read(proposal.args.get("when", ""), zone, s.now), zone, s.now)
    if at is None:
        if not s.when_asked:
            s.when_asked += 1
            if "follow_up" in s.playbook.graph:
                enter(s, "follow_up")
            talk.void()
            talk.say(s.words(s.playbook.speech.when))
            return
        at = s.now + s.playbook.cadence.retry_callback
    if at - s.now > _SOON:
        at = (at + timedelta(seconds=59)).replace(second=0, microsecond=0)
    attempt(talk, ev.CallBack(at=at, words=words[:300]), quotes)


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


# ---- the lead's answers -------------------------------------------------------------------------------------------


def answered(talk: Conversation, pending: Pending, answer: Answer) -> None:
    """Speak of the result, from the answer alone."""
    action = pending.action
    s, speech = talk.state, talk.playbook.speech
    if not answer.allowed and answer.rule == "stale_version" and not pending.retried:
        talk.perform(action, pending.windowed, pending.note)
        assert s.pending is not None
        s.pending.retried = True
        return
    if not answer.allowed and answer.rule.startswith("autonomy_"):
        instead.left_to_a_person(talk, action, answer)
    elif isinstance(action, ev.OfferSlots):
        _slots(talk, pending, answer)
    elif isinstance(action, ev.Book):
        _booked(talk, answer)
    elif isinstance(action, ev.OptOut):
        if not s.opt_out_kept and answer.allowed:
            s.opt_out_kept = True
            talk.close("opt_out", s.words(speech.opted_out))
    elif not answer.allowed:
        talk.say(s.words(speech.confirm_later), last=False)
        talk.say(next_question(s))
    elif isinstance(action, ev.Cancel):
        words = s.words(speech.cancelled)
        s.booking = None
        talk.close("cancelled", words)
    elif isinstance(action, ev.Decline):
        said = {"wrong_person": speech.wrong_person, "not_fit": speech.not_fit}.get(
            action.disposition, speech.not_interested
        )
        talk.close(action.disposition, s.words(said))
    elif isinstance(action, ev.CallBack):
        talk.close("call_back", s.words(speech.callback, time=_when(s, action.at)))
    elif isinstance(action, ev.HandOff):
        talk.close("hand_off", s.words(speech.handoff))
    elif isinstance(action, ev.SendLink):
        talk.say(s.words(speech.link_sent), result=True)


def _when(s: State, at: datetime | None) -> str:
    if at is None or at - s.now <= _SOON:
        return "in a few minutes"
    return s.time(at)


def _slots(talk: Conversation, pending: Pending, answer: Answer) -> None:
    s, speech = talk.state, talk.playbook.speech
    if answer.allowed and answer.slots:
        s.offered, s.no_slots = answer.slots, 0
        if s.node not in ("booking", "reschedule", "confirmation"):
            enter(s, "reschedule" if s.booking else "booking")
        talk.say(f"{pending.note} {s.words(speech.nearest if pending.retried else speech.offer)}".strip(), result=True)
        return
    s.offered = ()
    if pending.windowed and not pending.retried:
        talk.perform(ev.OfferSlots())  # nothing then: anything, also what was named before
        assert s.pending is not None
        s.pending.retried = True
        return
    s.no_slots += 1
    s.past_offers = []
    if answer.rule in ("moved_too_often", "showed_already") or s.no_slots > 1:
        hand_off(talk, answer.detail or answer.rule or "no free times")
        return
    talk.say(f"{pending.note} {s.words(speech.no_slots)}".strip())


def _booked(talk: Conversation, answer: Answer) -> None:
    s, speech = talk.state, talk.playbook.speech
    if answer.allowed and answer.booking:
        moved = s.booking is not None
        s.booking, s.offered, s.past_offers = answer.booking, (), []
        s.return_to = ""
        if "confirmation" in s.playbook.graph:
            enter(s, "confirmation")
        talk.say(s.words(speech.moved if moved else speech.booked), result=True)
        return
    if answer.rule in ("slot_taken", "slot_not_offered"):
        s.past_offers = list(dict.fromkeys([*s.past_offers, *(slot.id for slot in s.offered)]))[-30:]
        s.offered = ()
        talk.perform(ev.OfferSlots(refused=tuple(s.past_offers)), note=s.words(speech.slot_taken))
        return
    talk.say(s.words(speech.confirm_later), last=False)
    hand_off(talk, answer.detail or answer.rule or "the booking failed")
