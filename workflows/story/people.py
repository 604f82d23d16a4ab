"""What people do: forms, opting out, taking over, pausing; and what we note ourselves."""

from __future__ import annotations

from .. import calling, review
from .. import events as ev
from ..conversation.qualify import answers
from ..lead import Lead, Owed
from ..messages import Answer
from ..playbook import registered
from ..wording import written_time
from . import cadence, known, marks, numbers, suspension, twins
from .union import pending


def form_submitted(state: Lead, event: ev.FormSubmitted) -> Lead:
    if event.form.submission_id in state.submissions:
        return _filled_in(state, event)
    return suspension.doubted(_filled_in(state, event), event.at, event.form)


def _filled_in(state: Lead, event: ev.FormSubmitted) -> Lead:
    form = event.form
    if state.version == 1 and event.memory:
        remembered = Lead.model_validate(event.memory)
        state = remembered.but(
            version=remembered.version + 1, lead=state.lead, playbook=state.playbook, audience=state.audience
        )
    given = numbers.without_wrong(state, form)
    # Who has the number that is not theirs is nobody to be taken for them.
    meets = event.meets if given is form else tuple(meet for meet in event.meets if meet.likeness == "same")
    if form.submission_id not in state.submissions:
        state = _submitted(state, event, given)
    return twins.met(state, event.at, meets)


def _submitted(state: Lead, event: ev.FormSubmitted, form: ev.Form) -> Lead:
    known = state.person is not None
    numberless = not state.phone
    kept = {k: v for k, v in state.person.model_dump().items() if v} if state.person else {}
    if known:
        # What the person was known by stays; the newer form wins where it says something.
        kept = kept | {k: v for k, v in form.model_dump().items() if v}
        kept["attributes"] = {**(state.person.attributes if state.person else {}), **form.attributes}
        person = ev.Form.model_validate(kept)
    else:
        person = form
    consents = _consents(state, form, person)
    person = person.model_copy(update={"consent": consents.get(person.phone_hash, ev.Consent())})
    book = registered().get(state.playbook)
    zones = calling.zones(person.phone, person.region, person.zone, book.rules if book else None)
    handles = tuple(dict.fromkeys([*state.handles, *filter(None, (form.phone_hash, form.email_hash, form.crm_hash))]))
    state = state.but(
        person=person, person_version=state.version, handles=handles, consents=consents, zones=zones,
        zone=person.zone or (zones[0] if zones else "UTC"), submissions=(*state.submissions, form.submission_id)[-50:],
    )  # fmt: skip
    state = answered(state)
    state = cadence.heard(state, event.at, (form.message, *cadence.asked_times(form)))
    state = marks.milestone(state, "form", event.at)
    state = marks.note(state, event.at, "form", f"form from {form.source or 'an unnamed source'}", source=form.source)
    if not known:
        return marks.reach(marks.milestone(state, "new", event.at), "new", event.at).but(pass_no=1, pass_began=event.at)
    if state.opted_out_at:
        state = review.file(state, "form_after_opt_out", event.at, form.submission_id, form.message)
        return marks.note(state, event.at, "not_called", "sent a form after opting out", "opt_out")
    if state.closed:
        meeting = pending(state)
        stands = meeting if meeting and meeting.start > event.at else None
        state = state.but(
            closed_at=None, disposition="", reason="", stage="booked" if stands else "new", pass_no=1, pass_kind="first",
            pass_began=event.at, next_touch=0, reached=False, texted_back=False, missed=None, booking=stands,
            attendance=None, outcome_due=False, evidence=(), unknown=None, expected_at=None, last_touch_at=None,
            last_over_at=None, not_before=None, passed={}, life_began=event.at,
        )  # fmt: skip
        state = marks.note(marks.moved(state, "closed", event.at), event.at, "reopened", "came back with a new form")
        if stands is None:
            return state
    if state.booking:
        return marks.card(
            state,
            f"again:{state.version}",
            "Sent the form again",
            "A meeting is booked already.",
            form.message,
        )
    if numberless and state.phone:
        # What was left out for want of a number is due now, as for somebody new.
        state = state.but(
            pass_began=event.at, next_touch=0, passed={}, life_began=event.at, last_touch_at=None,
            last_over_at=None, not_before=None,
        )  # fmt: skip
        return marks.note(state, event.at, "number", "there is a number to call now")
    return marks.note(state, event.at, "repeat", "the same person again: no second call", "one_lead")


def _consents(state: Lead, form: ev.Form, person: ev.Form) -> dict[str, ev.Consent]:
    """Each number's consent. A form that shows none takes none back, and one number's is not another's."""
    known = state.consents
    if not known and state.person is not None and state.person.consent != ev.Consent():
        known = {state.person.phone_hash: state.person.consent}
    return known if form.consent == ev.Consent() else {**known, person.phone_hash: form.consent}


def answered(state: Lead) -> Lead:
    """What the form says of the playbook's questions is known, and not asked again. What was heard, texted or noted by
    a rep outranks it; a newer form outranks an older one."""
    book = registered().get(state.playbook)
    if book is None or state.person is None:
        return state
    told = {
        field: fact
        for field, fact in answers(book, state.person).items()
        if field not in state.learned or state.learned[field].source == "form"
    }
    return state.but(learned={**state.learned, **told}) if told else state


def opt_out_kept(state: Lead, event: ev.OptOutKept) -> Lead:
    state = state.but(opt_out_kept=True)
    for request in state.requests:
        if request.action.kind == "opt_out":
            state = marks.answer(state, request.id, Answer(allowed=True))
    return state


def taken_over(state: Lead, event: ev.TakenOver) -> Lead:
    ringing = state.call is not None and state.call.transfer is not None
    if state.call is not None and not ringing:
        state = state.but(call=state.call.model_copy(update={"left": True}))
    state = marks.note(state, event.at, "taken_over", f"taken over by {event.by}", "taken_over")
    for kind in () if ringing else ("handoff", "complaint"):  # who wanted a person has one
        state = review.settle(state, kind, at=event.at, way="hand_over", by=event.by)
    return marks.settle(state.but(taken_over_by=event.by, due_texts=(), due_mails=(), transfers={}))


def released(state: Lead, event: ev.Released) -> Lead:
    return handed_back(suspension.lift(state, event.at, event.by), event)


def handed_back(state: Lead, event: ev.Released) -> Lead:
    """Nobody has the lead any more. Whether they opted out is another question."""
    state = marks.note(state, event.at, "released", f"released by {event.by}")
    for kind in ("handoff", "complaint"):
        state = review.settle(state, kind, at=event.at, way="done", by=event.by)
    return marks.settle(state.but(taken_over_by="", last_over_at=event.at, transfers={}))


def held(state: Lead, event: ev.Held) -> Lead:
    return marks.note(state.but(held_by=event.by), event.at, "held", f"paused by {event.by}", "paused")


def resumed(state: Lead, event: ev.Resumed) -> Lead:
    if not event.scope:
        state = suspension.lift(state, event.at, event.by or "a person")
    if (event.scope and event.scope != state.held_scope) or not (state.held_by or state.held_scope):
        return state
    # Who paused this one lead meant it: the end of a wider pause leaves that be.
    later = event.at + event.spread if event.spread else None
    state = state.but(held_by=state.held_by if event.scope else "", held_scope="", not_before=later, failures=0)
    return marks.note(state, event.at, "resumed", f"resumed by {event.by or 'the end of the pause'}")


def reflected(state: Lead, event: ev.Reflected) -> Lead:
    told = tuple(o for o in state.owed if o.version <= event.version)
    state = state.but(
        unwritten=(*state.unwritten, *(o for o in told if _refused(o, event.failed)))[-_UNWRITTEN:],
        entries=tuple(e for e in state.entries if e.version > event.version),
        transitions=tuple(t for t in state.transitions if t.version > event.version),
        owed=tuple(o for o in state.owed if o.version > event.version),
        reflected=event.version,
        reflected_stage=event.stage,
        outcome_due=state.outcome_due and not event.rotated,
        owner=state.owner or event.owner,
        crm_contact=event.crm_contact or state.crm_contact,
    )
    state = known.reconciled(state, event)
    # Whom we have dialled already does not wait: the other one, who comes later, does.
    later = tuple(meet.model_copy(update={"waits": meet.waits and not state.touches}) for meet in event.meets)
    state = twins.met(state, event.at, later)
    for part in event.failed:
        state = marks.note(state, event.at, "write_back_failed", f"could not be written: {part}", "write_back")
        state = review.file(state, "write_back_failed", event.at, part.partition(":")[0], part)
    return state


_PARTS = {"call": "crm", "todo": "crm", "card": "notice"}
"""Where each kind of what is owed goes."""
_UNWRITTEN = 20


def _refused(owed: Owed, failed: tuple[str, ...]) -> bool:
    """Whether the vendor that this was for refused it for good."""
    parts = {each.partition(":")[0] for each in failed}
    return any(getattr(owed, name) is not None and part in parts for name, part in _PARTS.items())


def lead_closed(state: Lead, event: ev.LeadClosed) -> Lead:
    if event.disposition == "no_way_to_contact":
        title = f"Nobody can be called: {marks.name(state) or 'a lead'}"
        email = state.person.email if state.person else ""
        state = marks.card(state, f"unreachable:{state.version}", title, event.reason, email)
        state = review.file(state, "no_way_to_contact", event.at, words=event.reason)
    return marks.closing(state, event.at, event.disposition, event.reason)


def faulted(state: Lead, event: ev.Faulted) -> Lead:
    state = marks.note(state, event.at, "fault", f"our own fault in {event.where}: {event.error}", "fault")
    state = review.file(state, "fault", event.at, event.where, event.error)
    if event.request:
        state = marks.answer(state, event.request, Answer(allowed=False, rule="fault", detail="a person looks at this"))
    return state


def waiting(state: Lead, event: ev.Waiting) -> Lead:
    state = state.but(kept_back=event.rule)
    if not event.rule:
        return state
    when = f" until {written_time(event.until, state.zone)}" if event.until else ""
    return marks.note(state, event.at, "waiting", f"{event.reason}{when}", event.rule)


def playbook_moved(state: Lead, event: ev.PlaybookMoved) -> Lead:
    state = marks.note(state, event.at, "playbook", f"moved to playbook {event.playbook} by {event.by}")
    return answered(state.but(playbook=event.playbook))
