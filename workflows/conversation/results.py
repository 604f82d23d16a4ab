"""What is said and done once the lead has answered an action: from the answer alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import events as ev
from ..messages import Answer
from . import branches, coming, concerns, instead, language, later, moves, offers, openings
from .exits import advance, enter
from .state import Pending
from .turn import Reading

if TYPE_CHECKING:
    from .core import Conversation


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
    elif isinstance(action, ev.Task):
        talk.say(s.words(speech.tasked if answer.allowed else speech.unknown), last=False)
        if not moves.drive(talk):
            talk.say(moves.next_question(s))
    elif not answer.allowed:
        talk.say(s.words(speech.confirm_later), last=False)
        talk.say(moves.next_question(s))
    elif answer.transfer is not None:
        s.transfer = answer.transfer
        talk.close("transfer", s.words(speech.transfer, rep=answer.transfer.name), outcome="transferred")
    else:
        _done(talk, action, answer)


def _done(talk: Conversation, action: ev.Action, answer: Answer) -> None:
    """The action is done: most of them end the call."""
    s, speech = talk.state, talk.playbook.speech
    if isinstance(action, ev.Cancel):
        words = s.words(speech.cancelled)
        s.booking = None
        talk.close("cancelled", words)
    elif isinstance(action, ev.Decline):
        said = {"wrong_person": speech.wrong_person, "not_fit": speech.not_fit}.get(
            action.disposition, speech.not_interested
        )
        talk.close(action.disposition, s.words(said))
    elif isinstance(action, ev.CallBack):
        later.promise(talk, action, answer)
    elif isinstance(action, ev.HandOff):
        talk.close("hand_off", language.farewell(s) or s.words(speech.complaint if action.complaint else speech.handoff))
    elif isinstance(action, ev.Refer):
        talk.close("referred", s.words(speech.referred))
    elif isinstance(action, ev.SendLink) and action.join:
        talk.say(s.words(speech.join_sent), result=True)
    elif isinstance(action, ev.SendLink) and action.address:
        talk.say(s.words(speech.address_by_text), last=False, result=True)
        moves.go_on(talk)
    elif isinstance(action, ev.SendLink):
        branches.linked(talk)
    elif isinstance(action, ev.Attend | ev.Confirm):
        coming.done(talk, action)


def _slots(talk: Conversation, pending: Pending, answer: Answer) -> None:
    s, speech = talk.state, talk.playbook.speech
    if answer.allowed and answer.slots:
        s.offered, s.no_slots = offers.welcome(s, answer.slots), 0
        if s.node not in ("booking", "reschedule", "confirmation"):
            enter(s, "reschedule" if s.booking else "booking")
        offer = openings.nearest(s) if pending.retried else openings.offer(s)
        talk.say(f"{pending.note} {s.words(offer)}".strip(), result=True)
        return
    s.offered = ()
    if pending.windowed and not pending.retried:
        s.step = 0
        talk.perform(ev.OfferSlots())  # nothing then: anything, also what was named before
        assert s.pending is not None
        s.pending.retried = True
        return
    s.no_slots += 1
    s.past_offers = []
    if answer.rule in ("moved_too_often", "showed_already") or s.no_slots > 1:
        moves.hand_off(talk, answer.detail or answer.rule or "no free times")
        return
    talk.say(f"{pending.note} {s.words(speech.no_slots)}".strip())


def _booked(talk: Conversation, answer: Answer) -> None:
    s, speech = talk.state, talk.playbook.speech
    if answer.allowed and answer.booking:
        moved = s.booking is not None
        s.booking, s.offered, s.past_offers = answer.booking, (), []
        s.return_to, s.agreed = "", ""
        concerns.resolve(s)
        advance(s, Reading(intent="answer"))
        talk.say(s.words(speech.moved if moved else speech.booked), result=True)
        return
    if answer.rule in ("slot_taken", "slot_not_offered"):
        s.past_offers = list(dict.fromkeys([*s.past_offers, *(slot.id for slot in s.offered)]))[-30:]
        s.offered = ()
        talk.perform(ev.OfferSlots(refused=tuple(s.past_offers)), note=s.words(speech.slot_taken))
        return
    if answer.rule == "own_page" and "own_page" in talk.playbook.messages:
        s.offered = ()
        branches.linked(talk)
        return
    talk.say(s.words(speech.confirm_later), last=False)
    moves.hand_off(talk, answer.detail or answer.rule or "the booking failed")
