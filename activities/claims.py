"""Whose form is this? Claimed in one transaction before a lead is started, so that forms that race for one person meet in
the same lead.

Without the record a form goes to the lead of its own number or address; what is twice then is found when the lead is
next written down (:func:`others`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from workflows import identity
from workflows.events import Form, Meet
from workflows.likeness import Person, judged, person_of
from workflows.model import Model

from . import handles, store, tables
from .settings import settings


class Claim(Model):
    """The lead that a form belongs to, and the others that share one of its handles."""

    lead: str
    meets: tuple[Meet, ...] = ()


def own_lead(form: Form) -> str:
    """The id of a new lead for this form: the phone's, else the e-mail's, else the CRM's."""
    return identity.lead_id(form.phone_hash or form.email_hash or form.crm_hash)


def claim(form: Form) -> Claim:
    """Whose form this is, with its handles kept for them from now on. Idempotent. Raises SQLAlchemy's errors, ValueError
    without keys."""
    given = person_of(form)
    with tables.writing(settings().record_url) as db:
        persons = _persons(db, handles.holders(db, _hashes(form).values()))
        came = store.came(db, persons)
        same = [lead for lead, person in persons.items() if judged(person, given)[0] == "same"]
        lead = min(same, key=lambda each: _rank(each, persons[each], given)) if same else _free(db, form, persons)
        store.expect(db, lead, form)
        for kind, handle in _hashes(form).items():
            handles.keep(db, handle, lead, kind)
    return Claim(lead=lead, meets=_meets(_joined(persons.get(lead), given), lead, persons, came))


def in_crm(lead: str, contact: str) -> None:
    """The CRM's own id of the contact is a handle of ``lead`` too."""
    handle = identity.handle_id(settings().identity_key, identity.crm_handle(contact))
    with tables.writing(settings().record_url) as db:
        handles.keep(db, handle, lead, "crm")


def others(form: Form, lead: str) -> tuple[Meet, ...]:
    """The leads beside ``lead``, whose person ``form`` describes, that share one of its handles."""
    with tables.reading(settings().record_url) as db:
        persons = _persons(db, handles.holders(db, _hashes(form).values()))
        came = store.came(db, (*persons, lead))
    return _meets(person_of(form), lead, persons, came)


_LATEST = datetime.max.replace(tzinfo=UTC)


def _meets(known: Person, lead: str, persons: Mapping[str, Person], came: Mapping[str, datetime | None]) -> tuple[Meet, ...]:
    """What each of ``persons`` is to ``lead``. Of two in doubt the one waits that came later, whichever learns of the other:
    one order for all, so that of any number of leads in doubt about each other the first goes on."""
    judgements = {other: judged(known, person) for other, person in persons.items() if other != lead}
    order = {each: (each not in came, came.get(each) or _LATEST, each) for each in (lead, *persons)}
    return tuple(
        Meet(lead=other, likeness=likeness, why=why, waits=likeness == "doubt" and order[other] < order[lead])
        for other, (likeness, why) in judgements.items()
        if likeness != "unrelated"
    )


def _hashes(form: Form) -> dict[str, str]:
    """The form's handles by kind."""
    found = {"phone": form.phone_hash, "email": form.email_hash, "crm": form.crm_hash}
    return {kind: handle for kind, handle in found.items() if handle}


def _persons(db: Connection, leads: Sequence[str]) -> dict[str, Person]:
    """Each lead's person with all their handles."""
    names, kinds = store.names(db, leads), handles.kinds(db, leads)
    return {
        lead: Person(
            name=names.get(lead, ""), phones=kinds[lead]["phone"], emails=kinds[lead]["email"], crm=kinds[lead]["crm"]
        )
        for lead in leads
    }


def _rank(lead: str, person: Person, given: Person) -> tuple[int, int, str]:
    """Of several leads of one person, whose goes on: with most of the handles, then found by the CRM's id, by number, by
    address."""
    shared = [bool(person.crm & given.crm), bool(person.phones & given.phones), bool(person.emails & given.emails)]
    return -sum(shared), shared.index(True), lead


def _free(db: Connection, form: Form, persons: Mapping[str, Person]) -> str:
    """An id for a new lead that is nobody else's: the number's and the address's may be taken by those who share it."""
    named = identity.handle_id(settings().identity_key, f"{form.phone or form.email} {form.name.casefold()}")
    *wanted, last = (identity.lead_id(each) for each in (form.phone_hash, form.email_hash, form.crm_hash, named) if each)
    return next((lead for lead in wanted if lead not in persons and not store.is_somebody(db, lead)), last)


def _joined(known: Person | None, given: Person) -> Person:
    if known is None:
        return given
    return Person(
        name=given.name or known.name, phones=known.phones | given.phones, emails=known.emails | given.emails,
        crm=known.crm | given.crm,
    )  # fmt: skip
