"""Leads that share a handle: the same person is taken in, another is told apart, and what is in doubt is a person's to
decide."""

from __future__ import annotations

from datetime import datetime

from .. import events as ev
from .. import review
from ..lead import Gave, Lead
from . import marks
from .union import pending, united

REVIEW = "identity"
MERGED = "merged"
"""The type of the error with which a lead that went into another refuses; its message is that other lead's id."""


def unwilling(state: Lead, into: str, booked: bool) -> tuple[str, str] | None:
    """Why ``state`` cannot go into the lead ``into`` (which has a meeting, when ``booked``): the rule, and its words. Of
    two that want to take each other in, the one with the smaller id does."""
    if state.merged_into:
        return MERGED, state.merged_into
    if state.yielding not in ("", into):
        return "busy", f"goes into {state.yielding} just now"
    if state.lead < into and any(j.lead == into for j in state.joining):
        return "mutual", f"takes in {into} itself"
    if booked and pending(state) is not None:
        return "two_meetings", "both have a meeting"
    return None


def engaged(state: Lead, into: str) -> str:
    """Why ``state`` cannot go into the lead ``into`` just now; empty when it can. Who takes somebody in does so first: two
    that waited for each other to be quiet would wait for ever."""
    if state.yielding not in ("", into):
        return f"goes into {state.yielding} just now"
    first = next((joining.lead for joining in state.joining if joining.lead != into), "")
    return f"takes in {first} first" if first and not state.yielding else ""


def surplus(state: Lead, event: ev.TookIn) -> ev.Booking | None:
    """The meeting that may not stand once the lead of ``event`` is taken in; none unless both have one."""
    mine, theirs = pending(state), pending(Lead.model_validate(event.state)) if event.state else None
    if mine is None or theirs is None:
        return None
    return mine if event.joining.keep == "theirs" else theirs


def twins_met(state: Lead, event: ev.TwinsMet) -> Lead:
    return met(state, event.at, event.meets)


def met(state: Lead, at: datetime, meets: tuple[ev.Meet, ...]) -> Lead:
    """What other leads mean to this one; those known already mean nothing new."""
    for meet in meets:
        if meet.lead not in _known(state):
            state = _met(state, at, meet)
    return state


def _known(state: Lead) -> set[str]:
    related = (*(d.lead for d in state.doubts), *(j.lead for j in state.joining))
    return {state.lead, state.merged_into, state.yielding, *state.absorbed, *state.beside, *related}


def _met(state: Lead, at: datetime, meet: ev.Meet) -> Lead:
    match meet.likeness:
        case "same":
            state = marks.note(state, at, "twin", f"{meet.lead} is the same person ({meet.why})", "same_person", twin=meet.lead)
            return state.but(joining=(*state.joining, ev.Joining(lead=meet.lead)))
        case "other":
            state = marks.note(state, at, "twin", f"{meet.lead} is somebody else ({meet.why})", "two_people", twin=meet.lead)
            return state.but(beside=(*state.beside, meet.lead))
        case "doubt":
            return _doubt(state, at, meet)
        case _:
            return state


def _doubt(state: Lead, at: datetime, meet: ev.Meet) -> Lead:
    state = marks.note(
        state, at, "twin", f"{meet.lead} may be the same person ({meet.why}); a person decides", REVIEW, twin=meet.lead
    )
    state = marks.errand(
        state, at, f"identity:{meet.lead}", f"The same person? {marks.name(state) or state.lead}",
        f"This lead: {state.lead}", f"The other: {meet.lead}", marks.begun(meet.why),
        f"showrate lead merge {state.lead} {meet.lead}, or showrate lead apart {state.lead} {meet.lead}",
        "This one is not called until then." if meet.waits else "The other one is not called until then.",
    )  # fmt: skip
    words = f"{state.lead} and {meet.lead}: {meet.why}"
    return review.file(state.but(doubts=(*state.doubts, meet)), REVIEW, at, meet.lead, words)


def merge_asked(state: Lead, event: ev.MergeAsked) -> Lead:
    lead = event.joining.lead
    if lead in (state.lead, *state.absorbed):
        return state
    state = marks.note(
        state, event.at, "twin", f"{event.joining.by} says that {lead} is the same person", "merge", twin=lead, words=event.words
    )
    others = tuple(j for j in state.joining if j.lead != lead)
    return _decided(state, lead).but(joining=(*others, event.joining), beside=_without(state.beside, lead))


def kept_apart(state: Lead, event: ev.KeptApart) -> Lead:
    if event.lead in state.beside and not any(d.lead == event.lead for d in state.doubts):
        return state
    state = marks.note(
        state, event.at, "twin", f"{event.by} says that {event.lead} is somebody else", "apart", twin=event.lead, words=event.words
    )
    joining = tuple(j for j in state.joining if j.lead != event.lead)
    return _decided(state, event.lead).but(joining=joining, beside=(*_without(state.beside, event.lead), event.lead))


def yielding(state: Lead, event: ev.Yielding) -> Lead:
    return state.but(yielding=event.into, joining=tuple(j for j in state.joining if j.lead != event.into))


def gone_into(state: Lead, event: ev.GoneInto) -> Lead:
    """What was promised and is open goes on there: here it ends."""
    who = f", says {event.by}" if event.by else ""
    reason = f"the same person as {event.into}{who}"
    gave = Gave.model_validate({name: getattr(state, name) for name in Gave.model_fields})
    state = state.but(gave=gave, closed_at=None)
    state = marks.closing(state, event.at, "merged", reason)
    return state.but(merged_into=event.into, yielding="", doubts=(), joining=(), items=())


def twins_looked(state: Lead, event: ev.TwinsLooked) -> Lead:
    """Nobody is waited for who is not there: a lead that went into one that is gone takes its story back, and a doubt about
    one that is gone keeps nobody from being called. A doubt about one that went into a third is a doubt about that."""
    state = state.but(twins_seen_at=event.at)
    if state.merged_into:
        return _taken_back(state, event.at) if state.merged_into in event.gone else state
    for doubt in state.doubts:
        if doubt.lead in event.gone:
            said = f"{doubt.lead}, which may be the same person, is gone: nobody waits for it"
            state = _decided(marks.note(state, event.at, "twin", said, "gone", twin=doubt.lead), doubt.lead)
        elif into := event.moved.get(doubt.lead):
            state = _decided(state, doubt.lead)
            state = met(state, event.at, (doubt.model_copy(update={"lead": into}),))
    return state


def _taken_back(state: Lead, at: datetime) -> Lead:
    """The lead that has the story is gone: this one goes on as it stood, with what the record remembers of the other."""
    gave, gone = state.gave, state.merged_into
    if gave is None:  # from before it was kept: closed until they come back
        state = state.but(merged_into="", disposition="unknown")
    else:
        kept = {name: value for name in Gave.model_fields if name != "stage" for value in (getattr(gave, name),)}
        state = marks.reach(state.but(merged_into="", gave=None, **kept), gave.stage, at, back=True)
    state = marks.note(state, at, "twin", f"{gone}, into which this one went, is gone: goes on by itself", "gone", twin=gone)
    state = marks.errand(
        state, at, f"gone:{gone}", f"{marks.name(state) or 'A lead'} goes on under another lead",
        f"{gone}, which had the story, was ended. What happened there since they became one is in the record alone.",
    )  # fmt: skip
    return marks.settle(state.but(joining=(ev.Joining(lead=gone),)))


def took_in(state: Lead, event: ev.TookIn) -> Lead:
    lead, gone = event.joining.lead, tuple(dict.fromkeys(filter(None, (event.joining.lead, event.asked))))
    for each in gone:
        state = _decided(state, each).but(beside=_without(state.beside, each))
    state = state.but(
        joining=tuple(j for j in state.joining if j.lead not in gone), absorbed=tuple(dict.fromkeys((*state.absorbed, *gone)))
    )
    who = f" (says {event.joining.by})" if event.joining.by else ""
    state = marks.note(
        state, event.at, "merged", f"took in {lead}, the same person{who}", "same_person", twin=lead, by=event.joining.by
    )
    if event.state is None:
        return state
    return united(state, Lead.model_validate(event.state), event)


def not_taken_in(state: Lead, event: ev.NotTakenIn) -> Lead:
    joining = tuple(j for j in state.joining if j.lead != event.lead)
    state = state.but(joining=joining)
    if not event.why:
        return state
    state = marks.note(state, event.at, "twin", f"{event.lead} was not taken in: {event.why}", REVIEW, twin=event.lead)
    return _doubt(state, event.at, ev.Meet(lead=event.lead, likeness="doubt", why=event.why))


def _decided(state: Lead, lead: str) -> Lead:
    return review.settle(state.but(doubts=tuple(d for d in state.doubts if d.lead != lead)), REVIEW, lead)


def _without(leads: tuple[str, ...], lead: str) -> tuple[str, ...]:
    return tuple(each for each in leads if each != lead)
