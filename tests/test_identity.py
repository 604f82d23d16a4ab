"""Who is the same person: forms, calls and texts of one person meet in one lead, those of two in two, over the real
server; what is in doubt waits for a person."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from temporalio import activity

from activities import claims, gate, handles, store, suppression, tables, twins
from activities.settings import settings
from clients import leads
from tests.fixtures.web import People
from tests.stage import form, playbook
from tests.test_lead_workflow import now, until
from workflows import effects as fx
from workflows import events as ev
from workflows import identity, plan
from workflows import messages as ms
from workflows.crm import Known
from workflows.lead import Lead, Preference
from workflows.likeness import Person, judged, names_alike
from workflows.story import apply, surplus

DANA = {"name": "Dana Reyes", "email": "dana@example.com"}
LUIS = {"name": "Luis Ortega", "email": "luis@example.com"}
BOOK = playbook()
START = datetime(2027, 3, 8, 20, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LATER = START + 3 * DAY
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


# ---- two people, one number --------------------------------------------------------------------------------------


def one_line(people: People) -> None:
    """Dials look at who shares the number, as the real ones do."""

    async def place_call(request: fx.PlaceCall) -> fx.Dispatched:
        if await twins.line_busy(activity.client(), request.gate.lead, request.gate.beside):
            return fx.Dispatched(refused="number_busy")
        return people.stage.usual_place_call(request)

    people.stage.answers["place_call"] = place_call


async def test_who_shares_a_number_is_not_rung_while_the_other_is(people: People) -> None:
    one_line(people)
    first = await people.submit("+1 415 555 0635", **DANA)
    seen = await people.until(first, lambda seen: seen.on_call == "placed")
    second = await people.submit("+1 415 555 0635", **LUIS)
    await people.until(second, lambda seen: any(t.outcome == "not placed: number_busy" for t in seen.touches))
    assert not any(t.sid for t in (await people.view(second)).touches)
    over = ev.CallEnded(at=now(), attempt="a1", sid=seen.touches[0].sid, status="no-answer", id="over")
    await people.site.temporal.get_workflow_handle(first).signal("call_status", over)
    await people.until(second, lambda seen: any(t.sid for t in seen.touches))
    # ... and the first knows of the second, so it works both ways
    assert second in people.stage.of("place_call")[-1].gate.beside or first in people.stage.of("place_call")[-1].gate.beside


async def test_who_shares_a_number_shares_its_opt_out(people: People) -> None:
    people.stage.answers["keep_opt_out"] = suppression.keep_opt_out
    first = await people.submit("+1 415 555 0637", **DANA)
    await people.until(first, lambda seen: seen.touches)
    await people.ask(first, "opt_out", ms.By(by="Dana"))
    second = await people.submit("+1 415 555 0637", **LUIS)
    gate_of = fx.Gate(lead=second, audience="inbound", handles=(hashed("+14155550637"), hashed("luis@example.com")))
    assert await gate.ask(gate_of, "call", people.site.temporal) == "opted_out"


# ---- doubt -------------------------------------------------------------------------------------------------------


async def in_doubt(people: People, phone: str) -> tuple[str, str]:
    """Dana and a Dana R. with another address on one number."""
    first = await people.submit(phone, **DANA)
    await people.until(first, lambda seen: seen.touches)
    second = await people.submit(phone, name="Dana R.", email="dana.r@elsewhere.example")
    assert first != second
    return first, second


async def test_a_doubt_names_both_leads_and_nobody_is_called_twice_until_somebody_decides(people: People) -> None:
    first, second = await in_doubt(people, "+1 415 555 0641")
    waits = await people.until(second, lambda seen: seen.doubts)
    other = await people.until(first, lambda seen: seen.doubts)
    assert [d.lead for d in waits.doubts + other.doubts] == [first, second]
    assert (waits.needs_review, other.needs_review) == ("identity", "identity")
    assert first in waits.next_reason
    assert len(people.stage.of("place_call")) == 1
    await leads.keep_apart(people.site.temporal, second, first, by="ops", words="two sisters")
    called = await people.until(second, lambda seen: any(t.sid for t in seen.touches))
    assert (called.doubts, called.needs_review) == ((), "")
    assert (await people.view(first)).doubts == ()
    again = await people.submit("+1 415 555 0641", name="Dana R.", email="dana.r@elsewhere.example")
    assert again == second
    assert (await people.view(second)).doubts == (), "it was decided"


async def test_merging_keeps_both_stories_and_leads_on(people: People) -> None:
    first, second = await in_doubt(people, "+1 415 555 0643")
    await people.until(second, lambda seen: seen.doubts)
    await people.recorded(second, "new")
    answer = await leads.merge(people.site.temporal, first, second, by="ops", words="it is her work address")
    assert answer.allowed, answer
    seen = await people.until(first, lambda seen: seen.absorbed)
    assert (seen.absorbed, seen.doubts, seen.needs_review) == ((second,), (), "")
    gone = await people.view(second)
    assert (gone.disposition, gone.merged_into) == ("merged", first)
    assert (await leads.view(people.site.temporal, second)).lead == first
    await people.recorded(second, "closed")
    for handle in ("+14155550643", "dana@example.com", "dana.r@elsewhere.example"):
        assert handles.leads_of(hashed(handle)) == [first]
    assert handles.survivor(second) == first
    told = [*store.entries(first), *await leads.why(people.site.temporal, first)]
    assert {e.kind for e in told} >= {"twin", "merged"}
    assert {e.data["source"] for e in told if e.kind == "form"} == {"website"}
    assert sum(e.kind == "form" for e in told) == 2
    # What still comes to the other reaches this one.
    late = ev.FormSubmitted(at=now(), id="late", form=form(submission_id="late", company="Later Ltd"))
    await people.site.temporal.get_workflow_handle(second).signal("form_submitted", late)
    await people.until(first, lambda seen: seen.person.company == "Later Ltd")
    answer = await leads.ask(people.site.temporal, second, "take-over", by="ana")
    assert answer.allowed
    assert (await people.view(first)).taken_over_by == "ana"
    assert len(people.stage.of("place_call")) == 1


async def test_an_opt_out_of_either_binds_both_and_a_meeting_comes_along(people: People) -> None:
    people.stage.answers["keep_opt_out"] = suppression.keep_opt_out
    met = await people.talked("+1 415 555 0645", name="Dana Reyes", email="dana.w@example.com")
    other = await people.submit("+1 415 555 0646", name="Dana Reyes", email="dana.h@example.com")
    await people.until(other, lambda seen: seen.touches)
    await people.ask(other, "opt_out", ms.By(by="Dana", words="stop"))
    answer = await leads.merge(people.site.temporal, other, met.lead, by="ops")
    assert answer.allowed, answer
    seen = await people.until(other, lambda seen: seen.booking)
    assert seen.booking is not None
    assert (seen.booking.id, seen.opted_out) == (met.booking.id, True)
    assert seen.learned["team_size"] == "12"
    await until(lambda: gate.opted_out(people.site.temporal, hashed("+14155550645")))
    assert not people.stage.of("release_meeting")


async def test_what_was_promised_or_is_in_doubt_goes_on_in_the_other_lead(people: People) -> None:
    """The lead that ends calls off nothing that the other one takes over."""
    one = await people.submit("+1 415 555 0691", name="Dana Reyes", email="on.a@example.com")
    two = await people.submit("+1 415 555 0692", name="Dana Reyes", email="on.b@example.com")
    for lead in (one, two):
        seen = await people.until(lead, lambda seen: seen.on_call == "placed")
        over = ev.CallEnded(at=now(), attempt="a1", sid=seen.touches[0].sid, status="no-answer", id="over")
        await people.site.temporal.get_workflow_handle(lead).signal("call_status", over)
    wish = ev.CallBack(at=now() + timedelta(days=1))
    await people._update(two, "act", ms.Act(at=now(), id="r1", action=wish, by="ana"), ms.Answer)
    words = ev.MessageReceived(at=now(), id="SM1", text="what is wrong with you people, you never stop")
    await people.site.temporal.get_workflow_handle(two).signal("message_received", words)
    await people.until(two, lambda seen: seen.needs_review == "suspended")
    answer = await leads.merge(people.site.temporal, one, two, by="ops")
    assert answer.allowed, answer
    seen = await people.until(one, lambda seen: seen.absorbed)
    assert (seen.needs_review, bool(seen.held_by)) == ("suspended", True), "nobody would look otherwise"
    await people._update(one, "release", ms.By(by="ana"), ms.Answer)
    seen = await people.until(one, lambda seen: seen.next_reason == "waiting for the promised callback")
    assert wish.at is not None
    assert wish.at <= seen.next_at < wish.at + timedelta(days=3)


async def test_of_two_meetings_one_stands_and_a_person_says_which(people: People) -> None:
    one = await people.talked("+1 415 555 0647", name="Dana Reyes", email="two.a@example.com")
    two = await people.talked("+1 415 555 0648", timedelta(days=2), name="Dana Reyes", email="two.b@example.com")
    refused = await leads.merge(people.site.temporal, one.lead, two.lead, by="ops")
    assert (refused.allowed, refused.rule) == (False, "not_merged")
    assert (await people.view(one.lead)).needs_review == "identity"
    kept = await leads.merge(people.site.temporal, one.lead, two.lead, by="ops", keep="theirs")
    assert kept.allowed
    seen = await people.until(one.lead, lambda seen: seen.booking and seen.booking.id == two.booking.id)
    assert seen.stage == "booked"
    (released,) = await until(lambda: people.stage.of("release_meeting"))
    assert released.booking.id == one.booking.id


async def test_two_that_take_each_other_in_become_one(people: People) -> None:
    one = await people.submit("+1 415 555 0649", name="Dana Reyes", email="mutual.a@example.com")
    two = await people.submit("+1 415 555 0650", name="Dana Reyes", email="mutual.b@example.com")
    for lead in (one, two):
        seen = await people.until(lead, lambda seen: seen.on_call == "placed")
        over = ev.CallEnded(at=now(), attempt="a1", sid=seen.touches[0].sid, status="no-answer", id="over")
        await people.site.temporal.get_workflow_handle(lead).signal("call_status", over)
    await asyncio.gather(
        leads.merge(people.site.temporal, one, two, by="ana"), leads.merge(people.site.temporal, two, one, by="ben"),
        return_exceptions=True,
    )  # fmt: skip
    first, second = sorted((one, two))
    await people.until(second, lambda seen: seen.merged_into == first)
    assert (await people.view(first)).absorbed == (second,)


async def test_twins_that_a_silent_record_let_through_are_found_and_merged(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr(claims, "claim", lambda form: 1 / 0)
        one = await people.submit("+1 415 555 0651", name="Dana Reyes", email="late@example.com")
        two = await people.submit("+1 415 555 0652", name="Dana Reyes", email="late@example.com")
    assert one != two
    for lead in (one, two):
        seen = await people.until(lead, lambda seen: seen.on_call == "placed" or seen.merged_into)
        over = ev.CallEnded(at=now(), attempt="a1", sid=seen.touches[0].sid, status="no-answer", id="over")
        await people.site.temporal.get_workflow_handle(lead).signal("call_status", over)

    async def one_left() -> bool:
        return [bool((await people.view(lead)).merged_into) for lead in (one, two)].count(True) == 1

    await until(one_left)


# ---- a wrong number ----------------------------------------------------------------------------------------------


async def test_a_wrong_number_ends_calls_and_texts_there_and_keeps_the_address(people: People) -> None:
    lead = await people.submit("+1 415 555 0661", name="Dana Reyes", email="wrong@example.com")
    seen = await people.until(lead, lambda seen: seen.on_call == "placed")
    await people.connect(lead, seen.touches[0].sid)
    wrong = ms.Act(id="a1:1", action=ev.Decline(disposition="wrong_person", words="wrong number"), at=now(), attempt="a1")
    assert (await people.ask(lead, "act", wrong)).allowed
    await people.ask(lead, "report", ms.Report(ended=ev.ConversationEnded(at=now(), attempt="a1")), int)
    over = ev.CallEnded(at=now(), attempt="a1", sid=seen.touches[0].sid, status="completed", id="over")
    await people.site.temporal.get_workflow_handle(lead).signal("call_status", over)
    await people.recorded(lead, "closed")
    after = await people.view(lead)
    assert (after.disposition, after.person.phone, after.person.email) == ("wrong_person", "", "wrong@example.com")
    (letter,) = await until(lambda: people.stage.of("send_mail"))
    assert (letter.mail.to, letter.mail.subject) == ("wrong@example.com", "Which number reaches you?")
    assert hashed("+14155550661") not in letter.gate.handles
    # Whose number it is are another lead, and the same number in a second form of hers is not called either.
    owner = await people.submit("+1 415 555 0661", name="Luis Ortega")
    assert owner != lead
    calls = len(people.stage.of("place_call"))
    assert await people.submit("+1 415 555 0661", name="Dana Reyes", email="wrong@example.com") in (lead, owner)
    back = await people.submit("+1 415 555 0662", name="Dana Reyes", email="wrong@example.com")
    assert back == lead
    await until(lambda: any(call.to == "+14155550662" for call in people.stage.of("place_call")))
    assert sum(call.to == "+14155550661" and call.gate.lead == lead for call in people.stage.of("place_call")) == 1
    assert len(people.stage.of("place_call")) <= calls + 2


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
@how(max_examples=60)
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


def test_a_contact_that_a_sync_found_is_a_handle_too(environment: Any) -> None:
    first = claims.claim(ev.Form(submission_id="1", name="Dana Reyes", phone="+14155550123", phone_hash="c" * 32))
    claims.in_crm(first.lead, "70551")
    crm = hashed(identity.crm_handle("70551"))
    again = claims.claim(ev.Form(submission_id="2", name="Dana Reyes", email="d@example.com", email_hash="d" * 32, crm_hash=crm))
    assert again.lead == first.lead


# ---- two stories -------------------------------------------------------------------------------------------------


def lead_of(name: str, *events: ev.Event, **over: Any) -> Lead:
    state = apply(Lead(lead=name, audience=BOOK.audience, playbook=BOOK.hash), ev.FormSubmitted(at=START, form=form(**over)))
    for event in events:
        state = apply(state, event)
    return state


def united(mine: Lead, theirs: Lead, **over: Any) -> Lead:
    """``mine`` with ``theirs`` in it, as the plan goes on with it."""
    given = apply(theirs, ev.Yielding(at=LATER, into=mine.lead)).model_dump(mode="json")
    took = ev.TookIn(at=LATER, joining=ev.Joining(lead=theirs.lead, **over), asked=theirs.lead, state=given)
    assert surplus(mine, took) is None
    return apply(mine, took)


def showed(name: str) -> Lead:
    booking = ev.Booking(id=f"b-{name}", rep="ana", rep_name="Ana", start=START + DAY, end=START + DAY + timedelta(minutes=30))
    came = ev.AttendanceReported(at=booking.end, booking=booking.id, present=True, source="rep")
    closed = ev.LeadClosed(at=booking.end, disposition="showed")
    return lead_of(name, ev.MeetingBooked(at=START, request="", booking=booking), came, closed, phone="", phone_hash="")


def next_of(state: Lead, at: Any) -> plan.Step:
    step = plan.next_step(state, BOOK, at)
    while isinstance(step, plan.Settle):
        state = apply(state, step.event)
        step = plan.next_step(state, BOOK, at)
    return step


def test_a_meeting_that_was_held_keeps_the_one_who_asked_again_from_nothing() -> None:
    asked = ("lead-b", {"submission_id": "s2"})
    for mine, theirs in ((showed("lead-a"), lead_of(asked[0], **asked[1])), (lead_of(asked[0], **asked[1]), showed("lead-a"))):
        state = united(mine, theirs)
        assert (state.closed, state.booking) == (False, None)
        assert isinstance(next_of(state, LATER), plan.Dial)
    state = united(showed("lead-a"), booked("lead-c"))
    assert (state.booking and state.booking.id, state.stage, state.attendance) == ("b-lead-c", "booked", None)


def booked(name: str) -> Lead:
    booking = ev.Booking(id=f"b-{name}", rep="ben", rep_name="Ben", start=LATER + DAY, end=LATER + DAY + timedelta(minutes=30))
    return lead_of(name, ev.MeetingBooked(at=LATER, request="", booking=booking))


def test_what_either_knew_of_how_to_reach_them_is_kept() -> None:
    flag = Known(contact="7", do_not_contact="do_not_contact")
    other = lead_of("lead-b").but(prefers=Preference(parts=("morning",)), bad_mails=("old@example.com",), crm=flag)
    doubt = ev.Meet(lead="lead-y", likeness="doubt", why="one number, but another name", waits=True)
    state = united(lead_of("lead-a").but(crm=Known()), apply(other, ev.TwinsMet(at=START, meets=(doubt,))))
    assert (state.prefers, state.bad_mails, state.crm) == (other.prefers, other.bad_mails, flag)
    assert (state.doubts, [item.id for item in state.items]) == ((doubt,), ["identity:lead-y"])


def test_a_number_comes_along_unless_it_is_wrong() -> None:
    mailed, called = lead_of("lead-a", phone="", phone_hash=""), lead_of("lead-b")
    assert united(mailed, called).phone == called.phone
    assert united(mailed, lead_of("lead-c", phone="", phone_hash="", email="c@example.com", email_hash="c" * 32)).phone == ""
    wrong = mailed.but(wrong_numbers=(called.handles[0],))
    for state in (united(wrong, called), united(called, wrong)):
        assert (state.phone, called.handles[0] in state.handles) == ("", False)


def test_who_comes_back_while_a_meeting_stands_keeps_it() -> None:
    """They opted out with the meeting left to the rep, take it back, and send the form again: nobody is called anew."""
    state = apply(booked("lead-c"), ev.MessageReceived(at=LATER, id="SM1", text="STOP"))
    assert isinstance(next_of(state, LATER), plan.KeepOptOut)
    state = apply(state, ev.OptOutKept(at=LATER))
    state = apply(state, ev.LeadClosed(at=LATER, disposition="opted_out"))
    state = apply(state, ev.MessageReceived(at=LATER, id="SM2", text="START"))
    state = apply(state, ev.FormSubmitted(at=LATER, form=form(submission_id="s3")))
    assert (state.closed, state.stage, state.booking and state.booking.id) == (False, "booked", "b-lead-c")
    assert next_of(state, LATER).rule == "reminder"
