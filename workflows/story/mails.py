"""E-mails of the lead's: whether it is they who wrote, and what becomes of an address that cannot be delivered to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from .. import events as ev
from ..cadence import CADENCE
from ..lead import DueText, Lead
from ..messages import Touched
from ..reading import is_opt_out, may_opt_out
from ..wording import written_time
from . import marks, suspension

_MOST_ANSWERS, _PER = 8, timedelta(hours=1)
"""So many answers of the machine's in that time are a talk with another machine, which does not say that it is one."""


def addresses(state: Lead) -> frozenset[str]:
    """The e-mail addresses that are the lead's."""
    told = state.learned.get("email")
    known = (state.person.email if state.person else "", state.booked_email, told.value if told else "")
    return frozenset(address.strip().lower() for address in known if address.strip())


def theirs(state: Lead, post: ev.Post) -> bool:
    """Whether the lead wrote it: from an address of theirs, and the receiving server does not say otherwise."""
    return not post.forged and (post.sender in addresses(state) or (bool(post.handle) and post.handle in state.handles))


def from_another(state: Lead, event: ev.MessageReceived, post: ev.Post) -> Lead:
    """Somebody to whom our e-mail was passed on, or who says that they are the lead: a person reads it, and nothing is told
    or changed. Where they may want contact to end, nobody knows for whom."""
    if is_opt_out(event.text) or may_opt_out(event.text):
        state = suspension.suspend(state, event.at, event.text)
    name = marks.name(state) or "a lead"
    who = "Perhaps not from them: the mail server doubts the sender" if post.forged else f"From {post.sender}, not an address of theirs"
    return marks.card(state, f"mail:{event.id}", f"Somebody answered our e-mail to {name}", marks.quoted(event.text), who)


def readdressed(state: Lead, at: datetime, told: Sequence[ev.Learned]) -> Lead:
    """They gave another address in so many words: it takes the place of that on record, and who has a meeting is invited
    there once more. A calendar that invites by itself is the rep's to change."""
    address = next((fact.value for fact in told if fact.field == "email" and not fact.doubt), "")
    person = state.person
    if person is None or not address or address.lower() == person.email.lower():
        return state
    state = state.but(person=person.model_copy(update={"email": address}), person_version=state.version)
    booking = state.booking
    if booking is None or state.booked_email.lower() not in ("", person.email.lower()):
        return state
    state = state.but(booked_email=address, booked_for=state.booked_for or person.name)
    if booking.invited:
        title = f"Invite {marks.name(state) or 'the lead'} at another address"
        return marks.errand(state, at, f"address:{state.version}", title, f"{address}, for the meeting on {written_time(booking.start, state.zone)}")
    again = DueText(key=f"due/booked/{booking.id}-{state.version}", message="confirmation", booking=booking)
    return state.but(due_mails=(*state.due_mails, again))


def mail_due(state: Lead, event: ev.MailDue) -> Lead:
    """It counts as made from here on: a mail server that is away for hours holds nothing else up."""
    touched = Touched(attempt=event.touch, touch=event.message, channel="email", at=event.at, outcome="queued")
    due = DueText(key=event.touch, message=event.message, booking=state.booking)
    state = state.but(touches=(*state.touches, touched), due_mails=(*state.due_mails, due))
    if not event.touch.startswith(CADENCE):
        return state.but(reminded=(*state.reminded, event.touch))
    return marks.advance(marks.reach(state, "attempting", event.at), event.touch, event.at)


def in_circles(state: Lead, at: datetime) -> bool:
    """Whether the thread goes faster than people write e-mails."""
    return sum(line.who == "agent" and at - line.at < _PER for line in state.thread.lines) >= _MOST_ANSWERS


def mail_bounced(state: Lead, event: ev.MailBounced) -> Lead:
    """Nothing more is sent to that address; a person is told whose it was."""
    address = event.address.lower()
    if address in state.bad_mails or address not in addresses(state):
        return state
    state = marks.note(state, event.at, "mail_bounced", "their e-mail address cannot be delivered to", "bounced")
    state = state.but(bad_mails=(*state.bad_mails, address))
    title = f"The e-mail address of {marks.name(state) or 'a lead'} does not work"
    return marks.card(state, f"bounced:{state.version}", title, event.address, "Nothing more is sent to it.")
