"""What the CRM says of the lead, whenever it comes: it changes the course, and what cannot be written there is told."""

from __future__ import annotations

from datetime import datetime

from .. import events as ev
from .. import review
from ..crm import Course, Crm, Known, course
from ..lead import Lead
from ..playbook import registered
from . import marks

_SAID = {
    "crm_do_not_contact": "not to be contacted ({flag})",
    "crm_customer": "a customer of ours",
    "crm_open_deal": "a deal of theirs is open",
}
_DONE: dict[Course, str] = {
    "not_called": "they are not contacted",
    "owner": "left to who owns them",
    "opening": "called with words of its own",
    "as_usual": "called as anybody",
}
CONFLICT, FIELD = "crm_conflict", "crm_field"
"""The kinds of items in the review queue."""


def crm_known(state: Lead, event: ev.CrmKnown) -> Lead:
    """The answer came after the dial."""
    return heeded(state, event.at, event.known)


def heeded(state: Lead, at: datetime, known: Known | None) -> Lead:
    """The lead as the CRM knows it. That it could not be asked in time is told too."""
    if known is None:
        return state
    rules = rules_of(state)
    if known.outcome != "read":
        why = f"no answer within {rules.read_within.total_seconds():g} s" if known.outcome == "late" else "no answer"
        waits = rules.unread == "wait"
        done = "waiting for its word" if waits else "called without its word"
        return marks.note(state, at, "crm", f"the CRM gave {why}: {done}", "crm_unread")
    before, now = course(state.crm or Known(), rules), course(known, rules)
    state = state.but(
        crm=known, crm_contact=known.contact or state.crm_contact, owner=state.owner or known.owner
    )  # fmt: skip
    if now == before or not now[1]:
        return state
    way, rule = now
    words = _SAID[rule].format(flag=known.do_not_contact)
    late = " (known after the dial)" if state.call is not None and state.call.state != "queued" else ""
    state = marks.note(state, at, "crm", f"the CRM says: {words}; {_DONE[way]}{late}", rule)
    return _to_owner(state, at, rule, words) if way == "owner" else state


def _to_owner(state: Lead, at: datetime, rule: str, words: str) -> Lead:
    """Who owns them takes it up; where a meeting stands it stays, and the rep is told."""
    who, form = marks.name(state) or "A lead", state.person
    title = f"{who} asked again: {words}"
    lines = (form.message if form else "", f"Phone: {state.phone}" if state.phone else "")
    if state.booking or state.closed or state.opted_out_at or state.taken_over_by:
        return marks.card(state, f"{rule}:{state.version}", title, *lines)
    state = marks.errand(state, at, f"{rule}:{state.version}", title, *lines)
    state = review.file(state, "handoff", at, rule, words)
    return state.but(taken_over_by=state.owner or "team")


def reconciled(state: Lead, event: ev.Reflected) -> Lead:
    """What the CRM did not take, or keeps as a person wants it, stands in the review queue until it is over; what was
    refused before is through once nothing is refused."""
    if event.known is None:
        return state
    if event.version >= state.person_version:  # it was told what to write over; one that began before was not
        state = state.but(overwrite=())
    state = heeded(state, event.at, event.known)
    if not event.failed and state.unwritten:
        state = review.settle(state.but(unwritten=()), "write_back_failed", "crm")
    conflicts = {
        each.field: f"{each.field}: somebody set “{each.theirs}”, the lead says “{each.ours}”" for each in event.conflicts
    }
    state = _filed(state, event.at, CONFLICT, conflicts)
    return _filed(state, event.at, FIELD, {told.partition(": ")[0]: told for told in event.left_out})


def _filed(state: Lead, at: datetime, kind: str, found: dict[str, str]) -> Lead:
    for item in state.items:
        if item.kind == kind and item.about.startswith("contacts.") and item.about not in found:
            state = review.settle(state, kind, item.about)
    for about, words in found.items():
        name = f"{kind}:{about}"
        decided = review.resolution(state, name)
        if review.find(state, name) is None and (decided is None or decided.way == "retry"):
            state = review.file(state, kind, at, about, words)
            what = "somebody changed it there: left as it is" if kind == CONFLICT else "cannot be written"
            state = marks.note(state, at, kind, f"CRM, {about}: {what}", kind)
    return state


def rules_of(state: Lead) -> Crm:
    """The section ``crm`` of the lead's playbook."""
    book = registered().get(state.playbook)
    return book.crm if book else Crm()
