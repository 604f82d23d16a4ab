"""Two leads of one person become one: the one that goes on gets both stories, and nothing that binds is lost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import calling, review
from .. import events as ev
from ..lead import Lead, Owed
from ..messages import Touched
from ..playbook import registered
from ..wording import written_time
from . import marks, numbers

_MOST_SIGNS = 40
_PREFIX = 4
"""So many digits of a lead's hash tell the attempts of its calls from ours."""


def united(state: Lead, other: Lead, event: ev.TookIn) -> Lead:
    """``state`` with all that ``other`` knew, did, owed and was told. Where both say something of the same, this one's
    word stands; a refusal of either binds, and so does what either promised."""
    state = _person(state, other)
    state = _history(state, other)
    state = _known(state, other)
    state = _cadence(state, other)
    state = _openness(state, other)
    state = _meeting(state, other, event)
    state = _promises(state, other, event)
    return _told(_contacts(state, other, event), other, event)


def pending(lead: Lead) -> ev.Booking | None:
    """The meeting that is to come, or of which somebody has yet to say whether it was held; one that was held, or given up
    as unknown, is history."""
    return None if lead.attendance is not None or lead.disposition == "unknown" else lead.booking


def _person(state: Lead, other: Lead) -> Lead:
    """Their handles are all kept but numbers that either knows to be wrong; what one form left out the other fills in, and
    a number brings its own consent."""
    mine, theirs = _form(state, other), _form(other, state)
    if mine.get("phone"):  # a number and its hash belong together
        theirs = {k: v for k, v in theirs.items() if k not in ("phone", "phone_hash")}
    filled = theirs | {k: v for k, v in mine.items() if v}
    if not filled:
        return state
    consents = {**_consents(other), **_consents(state)}
    wrong = {*state.wrong_numbers, *other.wrong_numbers}
    filled["consent"] = consents.get(filled.get("phone_hash", ""), ev.Consent()).model_dump()
    filled["attributes"] = {**theirs.get("attributes", {}), **mine.get("attributes", {})}
    person = ev.Form.model_validate(filled)
    book = registered().get(state.playbook)
    zones = calling.zones(person.phone, person.region, person.zone, book.rules if book else None)
    return state.but(
        person=person, person_version=state.version, consents=consents, zones=zones,
        zone=person.zone or (zones[0] if zones else state.zone),
        handles=tuple(h for h in _once(state.handles, other.handles) if h not in wrong),
        submissions=_once(other.submissions, state.submissions)[-50:], seen=_once(other.seen, state.seen)[-marks.KEPT_IDS :],
    )  # fmt: skip


def _form(lead: Lead, other: Lead) -> dict[str, Any]:
    """What is known of the lead's person, without what is left open and without a number that is wrong by the other lead."""
    return numbers.without_wrong(other, lead.person).model_dump() if lead.person else {}


def _consents(state: Lead) -> dict[str, ev.Consent]:
    if state.consents or state.person is None or state.person.consent == ev.Consent():
        return state.consents
    return {state.person.phone_hash: state.person.consent}


def _history(state: Lead, other: Lead) -> Lead:
    touches = sorted((*state.touches, *(_renamed(t, other) for t in other.touches)), key=lambda t: t.at)
    milestones = dict(other.milestones)
    for name, at in state.milestones.items():
        milestones[name] = min(at, milestones.get(name, at))
    state = state.but(
        touches=tuple(touches), milestones=milestones, bookings=state.bookings + other.bookings,
        wrong_numbers=_once(state.wrong_numbers, other.wrong_numbers),
        last_touch_at=_last(state.last_touch_at, other.last_touch_at), last_over_at=_last(state.last_over_at, other.last_over_at),
        engaged_at=_last(state.engaged_at, other.engaged_at), wrote_at=_last(state.wrote_at, other.wrote_at),
        reached=state.reached or other.reached, texted_back=state.texted_back or other.texted_back,
        bad_mails=_once(state.bad_mails, other.bad_mails),
        reminded=_once(state.reminded, other.reminded), absorbed=_once(state.absorbed, other.absorbed),
        beside=tuple(b for b in _once(state.beside, other.beside) if b != state.lead),
    )  # fmt: skip
    if marks.RANK[other.furthest] > marks.RANK[state.furthest]:
        state = state.but(furthest=other.furthest)
    return state


def _renamed(touch: Touched, other: Lead) -> Touched:
    """Under an attempt of its own: both leads counted from a1."""
    if touch.channel != "call" or touch.touch == "inbound":
        return touch
    return touch.model_copy(update={"attempt": f"{other.lead.removeprefix('lead-')[:_PREFIX]}-{touch.attempt}"})


def _known(state: Lead, other: Lead) -> Lead:
    """What either heard need not be asked again. What was said outranks what a form says."""
    ours = {f: fact for f, fact in state.learned.items() if fact.source != "form" or f not in other.learned}
    names = {**other.objections, **state.objections}
    objections = {name: state.objections.get(name, 0) + other.objections.get(name, 0) for name in names}
    signs = sorted((*state.signs, *other.signs), key=lambda s: s.at.timestamp() if s.at else 0.0)[-_MOST_SIGNS:]
    lines = tuple(sorted((*state.thread.lines, *other.thread.lines), key=lambda line: line.at))[-20:]
    thread = state.thread if state.thread.lines else other.thread
    return state.but(
        learned={**other.learned, **ours}, objections=objections, concerns={**other.concerns, **state.concerns},
        signs=tuple(signs), thread=thread.model_copy(update={"lines": lines}), prefers=state.prefers or other.prefers,
    )  # fmt: skip


def _cadence(state: Lead, other: Lead) -> Lead:
    """As far as either has come: nobody hears the same touch twice."""
    if (other.pass_no, other.next_touch) <= (state.pass_no, state.next_touch):
        return state
    return state.but(
        pass_no=other.pass_no, pass_kind=other.pass_kind, pass_began=other.pass_began, next_touch=other.next_touch,
        passed=other.passed,
    )  # fmt: skip


def _openness(state: Lead, other: Lead) -> Lead:
    """Open when either is, unless they asked not to be contacted. A meeting that is history keeps nobody from being called."""
    if not state.closed or other.closed:
        return state
    if pending(state) is None:
        state = state.but(booking=None, attendance=None, evidence=(), unknown=None)
    return state.but(closed_at=None, disposition="", reason="", stage=other.stage)


def _meeting(state: Lead, other: Lead, event: ev.TookIn) -> Lead:
    """At most one meeting stands, and whatever belongs to it comes along."""
    theirs = pending(other) is not None and (pending(state) is None or event.joining.keep == "theirs")
    theirs = theirs or (state.closed and state.booking is None and other.booking is not None)
    if event.released is not None:
        when = written_time(event.released.start, state.zone)
        state = marks.errand(
            state, event.at, f"two_meetings:{event.released.id}", f"Two meetings of {marks.name(state) or 'one person'}",
            f"Only one stands; the one of {when} with {event.released.rep_name} is taken out.",
        )  # fmt: skip
        state = review.file(state, "two_meetings", event.at, event.released.id, f"{event.released.rep_name}, {when}")
    if theirs or (state.booking is None and state.missed is None and other.missed is not None):
        state = state.but(**{name: getattr(other, name) for name in _OF_THE_MEETING})
        return marks.settle(state) if other.closed else marks.settle(state.but(stage=other.stage))
    return state


_OF_THE_MEETING = (
    "booking", "booked_at", "booked_for", "booked_email", "missed", "before", "moves", "homeless", "outside", "clash",
    "invitation", "attendance", "evidence", "unknown", "expected_at", "outcome_due", "offered", "refused",
)  # fmt: skip


def _promises(state: Lead, other: Lead, event: ev.TookIn) -> Lead:
    """What was promised or waits for an answer; and what forbids it all."""
    callbacks = [at for at in (state.callback_at, other.callback_at) if at]
    state, joining = _contradicted(state, other, event)
    met = {state.lead, *state.absorbed, *state.beside, *(d.lead for d in state.doubts), *(j.lead for j in state.joining)}
    doubts = tuple(doubt for doubt in other.doubts if doubt.lead not in met)
    asked = [doubt.lead for doubt in doubts]
    state = state.but(
        callback_at=min(callbacks, default=None), unanswered=(*state.unanswered, *other.unanswered),
        due_texts=(*state.due_texts, *other.due_texts), due_mails=(*state.due_mails, *other.due_mails),
        broken=state.broken or other.broken, approvals=(*state.approvals, *other.approvals),
        taken_over_by=state.taken_over_by or other.taken_over_by, held_by=state.held_by or other.held_by,
        suspended_at=state.suspended_at or other.suspended_at, held_scope=state.held_scope or other.held_scope, not_before=_last(state.not_before, other.not_before),
        joining=joining,
        doubts=(*state.doubts, *doubts),
        items=(*state.items, *(i for i in other.items if (i.kind != "identity" or i.about in asked) and review.find(state, i.id) is None)),
    )  # fmt: skip
    if pending(state) is not None:
        state = marks.call_off(state, event.at, "goal_reached", "a meeting is booked")
    refused = [(at, lead.opt_out_words) for lead in (state, other) if (at := lead.opted_out_at)]
    if not refused:
        return state
    at, words = min(refused)
    state = marks.opt_out(state.but(opted_out_at=None), event.at, words)
    return state.but(opted_out_at=at, opt_out_kept=False)  # to be kept under all handles that they have now


def _contradicted(state: Lead, other: Lead, event: ev.TookIn) -> tuple[Lead, tuple[ev.Joining, ...]]:
    """Whom either was about to take in, but those who were told apart from the other: the three cannot all be as they were
    said to be, and a person decides."""
    joining = (*state.joining, *(j for j in other.joining if j.lead not in (state.lead, *state.absorbed)))
    apart = [j for j in joining if j.lead in state.beside]
    for each in apart:
        why = f"the same person as one of {state.lead} and {other.lead}, and told apart from the other"
        words = f"{state.lead} and {each.lead}: {why}"
        state = marks.note(state, event.at, "twin", f"{each.lead} is {why}; a person decides", "identity", twin=each.lead)
        state = review.file(
            state.but(
                doubts=(*state.doubts, ev.Meet(lead=each.lead, likeness="doubt", why=why)),
                beside=tuple(lead for lead in state.beside if lead != each.lead),
            ), "identity", event.at, each.lead, words,
        )  # fmt: skip
    return state, tuple(j for j in joining if j not in apart)


def _contacts(state: Lead, other: Lead, event: ev.TookIn) -> Lead:
    """The CRM may hold them twice: a person puts the two contacts together there."""
    if state.crm_contact and other.crm_contact and state.crm_contact != other.crm_contact:
        state = marks.note(
            state, event.at, "crm", "two contacts of one person in the CRM", "same_person", contact=state.crm_contact,
            other=other.crm_contact,
        )  # fmt: skip
        state = marks.errand(
            state, event.at, f"contacts:{other.crm_contact}", f"Two CRM contacts of {marks.name(state) or 'one person'}",
            f"Merge the contact {other.crm_contact} into {state.crm_contact}.",
        )  # fmt: skip
    said = [known for known in (state.crm, other.crm) if known is not None]
    crm = next((known for known in said if known.do_not_contact), next(iter(said), None))
    return state.but(crm=crm, crm_contact=state.crm_contact or other.crm_contact, owner=state.owner or other.owner)


def _told(state: Lead, other: Lead, event: ev.TookIn) -> Lead:
    """What the other lead still owed the CRM and the reps is owed by this one."""
    owed: list[Owed] = []
    for each in other.owed:
        call = each.call and each.call.model_copy(update={"attempt": f"{other.lead[5 : 5 + _PREFIX]}-{each.call.attempt}"})
        owed.append(each.model_copy(update={"version": state.version, "call": call}))
    return state.but(owed=(*state.owed, *owed))


def _once(*many: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(each for those in many for each in those))


def _last(*moments: Any) -> Any:
    return max((at for at in moments if at), default=None)
