"""Who is the same person: forms, calls and texts of one person meet in one lead, those of two in two, over the real
server; what is in doubt waits for a person."""

from __future__ import annotations

import asyncio
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from activities import claims, handles, store, tables
from activities.settings import settings
from tests.fixtures.web import People
from workflows import events as ev
from workflows import identity
from workflows.likeness import Person, judged, names_alike

DANA = {"name": "Dana Reyes", "email": "dana@example.com"}
LUIS = {"name": "Luis Ortega", "email": "luis@example.com"}
CONSENT = {"consent": "yes", "consent_text": "I agree to be called", "consent_version": "v1"}


def hashed(handle: str) -> str:
    return identity.handle_id(settings().identity_key, handle)


# ---- one person, one lead ----------------------------------------------------------------------------------------


async def test_ten_forms_at_once_with_the_number_in_some_and_the_address_in_others_are_one_lead_and_one_call(
    people: People,
) -> None:
    both = {"phone": "+1 415 555 0601", "email": "race@example.com", "name": "Dana Reyes"}
    forms: list[dict[str, object]] = [both, *({k: v for k, v in both.items() if k != gone} for gone in ("phone", "email") * 5)][:10]
    await people.site.http.post("/leads", json=forms[0])
    answers = await asyncio.gather(*(people.site.http.post("/leads", json={**form, "source": "website"}) for form in forms))
    (lead,) = {answer.json()["lead"] for answer in answers}
    await people.until(lead, lambda seen: seen.touches)
    await asyncio.sleep(0.3)
    assert len(people.stage.of("place_call")) == 1


async def test_a_new_number_under_the_same_address_is_the_same_person_and_its_consent_its_own(people: People) -> None:
    first = await people.submit("+1 415 555 0611", **DANA, **CONSENT)
    again = await people.submit("+1 415 555 0612", **DANA)
    assert again == first
    seen = await people.until(first, lambda seen: seen.person.phone == "+14155550612")
    assert seen.person is not None
    assert seen.person.consent.kind == "none", "consent was given for the other number"
    for number in ("+14155550611", "+14155550612"):
        assert handles.lead_of(hashed(number)) == first
    await people.submit("+1 415 555 0611", name="Dana Reyes")
    back = await people.until(first, lambda seen: seen.person.phone == "+14155550611")
    assert back.person is not None
    assert back.person.consent.kind == "written"
    assert back.person.email == "dana@example.com"


async def test_the_crms_own_id_makes_one_person_of_two_forms(people: People) -> None:
    first = await people.submit("+1 415 555 0621", name="Dana Reyes", crm_id="70551")
    again = await people.submit("", email="dana.reyes@work.example", name="Dana Reyes", crm_id="70551")
    assert again == first


async def test_two_people_on_one_number_are_two_leads(people: People) -> None:
    first = await people.submit("+1 415 555 0631", **DANA)
    second = await people.submit("+1 415 555 0631", **LUIS)
    assert first != second
    assert await people.submit("+1 415 555 0631", **LUIS) == second
    assert await people.submit("+1 415 555 0631", **DANA) == first
    names = [(await people.view(lead)).person for lead in (first, second)]
    assert [person and person.name for person in names] == ["Dana Reyes", "Luis Ortega"]


# ---- the rule ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Dana Reyes", "dana  REYES", "same"), ("Ana Maria Lopez", "Ana Lopez", "same"), ("José Núñez", "Jose Nunez", "same"),
        ("Dr. Dana Reyes", "Dana Reyes", "same"), ("Dana R.", "Dana Reyes", "similar"), ("Dan Reyes", "Daniel Reyes", "similar"),
        ("Dana", "Dana Reyes", "similar"), ("Reyes", "Dana Reyes", "similar"), ("Dana Reyes", "Luis Reyes", "related"),
        ("Dana Reyes", "Luis Ortega", "different"), ("Tom Ford", "Sam Wood", "different"), ("", "Dana Reyes", "unknown"),
    ],
)  # fmt: skip
def test_names(one: str, other: str, expected: str) -> None:
    assert names_alike(one, other) == expected
    assert names_alike(other, one) == expected


def who(name: str = "", phone: str = "", email: str = "", crm: str = "") -> Person:
    def only(handle: str) -> frozenset[str]:
        return frozenset({handle} - {""})

    return Person(name=name, phones=only(phone), emails=only(email), crm=only(crm))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (who("Dana Reyes", "p", "e"), who("Dana Reyes", "p", "e"), "same"),
        (who("Dana Reyes", "p", "e"), who("Dana Reyes", "p", "f"), "same"),
        (who("Dana Reyes", "p", "e"), who("", "p"), "same"),
        (who("Dana Reyes", "p", "e"), who("Dana Reyes", "q", "e"), "same"),
        (who("Dana Reyes", "p", "e"), who("Dan Reyes", "", "e"), "same"),
        (who("Dana Reyes", "p", "e"), who("Luis Ortega", "p", "f"), "other"),
        (who("Dana Reyes", "p", "e"), who("Dana R.", "p", "f"), "doubt"),
        (who("Dana Reyes", "p", "e"), who("Luis Ortega", "p"), "doubt"),
        (who("Dana Reyes", "p", "e"), who("Luis Reyes", "p", "f"), "doubt"),
        (who("Dana Reyes", "p", "e"), who("Luis Ortega", "q", "e"), "doubt"),
        (who("Dana Reyes", "p", "e", "c"), who("Luis Ortega", "q", "f", "c"), "doubt"),
        (who("Dana Reyes", "p", "e", "c"), who("Dana Reyes", "q", "f", "c"), "same"),
        (who("Dana Reyes", "p", "e"), who("Dana Reyes", "q", "f"), "unrelated"),
    ],
)  # fmt: skip
def test_the_rule_of_identity(one: Person, other: Person, expected: str) -> None:
    assert judged(one, other)[0] == expected
    assert judged(other, one)[0] == expected


@given(st.text(max_size=30), st.text(max_size=30))
@how(max_examples=200, deadline=None)
def test_any_two_names_compare_both_ways(one: str, other: str) -> None:
    assert names_alike(one, other) == names_alike(other, one)
    assert names_alike(one, one) in ("same", "unknown")


def test_whatever_the_order_of_a_persons_forms_they_end_linked(environment: Any) -> None:
    """A number alone, an address alone, and one form with both: whoever comes first, at the end one lead holds both."""
    forms = {
        "phone": ev.Form(submission_id="1", name="Dana Reyes", phone="+14155550641", phone_hash="a" * 32),
        "email": ev.Form(submission_id="2", name="Dana Reyes", email="d@example.com", email_hash="b" * 32),
    }
    forms["both"] = forms["phone"].model_copy(update={"submission_id": "3", "email": "d@example.com", "email_hash": "b" * 32})
    for number, order in enumerate(permutations(forms)):
        given = [
            forms[name].model_copy(update={k: f"{v[:-2]}{number:02}" for k in ("phone_hash", "email_hash") if (v := getattr(forms[name], k))})
            for name in order
        ]
        found = [claims.claim(form) for form in given]
        linked = {c.lead for c in found}
        merged = {m.lead for c in found for m in c.meets if m.likeness == "same"}
        assert len(linked - merged) == 1, order


def test_a_lead_that_lost_its_number_does_not_lend_its_id(environment: Any) -> None:
    claim = claims.claim(ev.Form(submission_id="1", name="Dana Reyes", phone="+14155550123", phone_hash="a" * 32))
    with tables.writing(settings().record_url) as db:
        handles.let_go(db, claim.lead, ["a" * 32])
    other = claims.claim(ev.Form(submission_id="2", name="Luis Ortega", phone="+14155550123", phone_hash="a" * 32))
    assert other.lead != claim.lead
    assert store.lead(other.lead) is None, "it is only expected, not known yet"
