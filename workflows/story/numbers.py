"""A number that turned out to be somebody else's: nothing is dialled or texted there again for this lead, whose e-mail
address stays."""

from __future__ import annotations

from datetime import datetime

from .. import events as ev
from ..lead import DueText, Lead
from . import marks

LETTER = "wrong_number"
"""The e-mail that asks for the right number, where the playbook has one."""


def wrong(state: Lead, at: datetime, request: str) -> Lead:
    """Take the number away; it is nobody's handle here any more."""
    person = state.person
    if person is None or not person.phone:
        return state
    state = marks.note(
        state, at, "wrong_number", "the number is somebody else's: no call or text goes there again", "wrong_number"
    )
    consents = {number: consent for number, consent in state.consents.items() if number != person.phone_hash}
    state = state.but(
        person=person.model_copy(update={"phone": "", "phone_hash": "", "consent": ev.Consent()}), person_version=state.version,
        handles=tuple(h for h in state.handles if h != person.phone_hash), consents=consents, due_texts=(), unanswered=(),
        wrong_numbers=tuple(dict.fromkeys((*state.wrong_numbers, *filter(None, (person.phone_hash,))))), broken=None,
    )  # fmt: skip
    if not person.email:
        return state
    return state.but(due_mails=(*state.due_mails, DueText(key=f"due/{LETTER}/{request}", message=LETTER)))


def without_wrong(state: Lead, form: ev.Form) -> ev.Form:
    """``form`` without a number of which somebody there said that it is not this person's."""
    if not form.phone_hash or form.phone_hash not in state.wrong_numbers:
        return form
    return form.model_copy(update={"phone": "", "phone_hash": ""})
