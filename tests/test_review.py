"""What a person should look at: filed by what happened, ranked by money and clock, and really done when resolved."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.stage import form, playbook
from workflows import events as ev
from workflows import messages as ms
from workflows import plan, review
from workflows.calling import Refusal
from workflows.crm import Conflict, Known
from workflows.lead import Lead
from workflows.playbook import Desk, Weighing, register
from workflows.reflection import reflection
from workflows.story import apply
from workflows.story.reviewed import RETRIED

START = datetime(2027, 3, 10, 17, 0, tzinfo=UTC)
BOOK = playbook()
BOOK = BOOK.model_copy(update={"desk": BOOK.desk.model_copy(update={"sample": 1.0})})
register([BOOK])
MEETING = ev.Booking(
    id="b1", rep="ana", rep_name="Ana Torres", start=START + timedelta(days=1), end=START + timedelta(days=1, minutes=30),
    event_id="e1",
)  # fmt: skip


def after(*events: ev.Event) -> Lead:
    state = Lead(lead="lead-x", audience=BOOK.audience, playbook=BOOK.hash)
    for event in (ev.FormSubmitted(at=START, form=form()), *events):
        state = apply(state, event)
    return state


def asked(action: ev.Action, name: str = "a1:1") -> tuple[ev.Event, ...]:
    return (ev.ActionAsked(at=START, id=name, action=action, by="agent", attempt="a1"), ev.ActionDone(at=START, request=name))


BOOKED = (
    ev.ActionAsked(at=START, id="r1", action=ev.Book(slot="ana@x"), by="agent"),
    ev.MeetingBooked(at=START, request="r1", booking=MEETING),
)
PROPOSED = (
    ev.ActionAsked(at=START, id="a1:2", action=ev.CallBack(), by="agent", attempt="a1"),
    ev.ActionDeferred(at=START, request="a1:2", until=START + timedelta(minutes=30)),
)
DIALLED = (ev.DialQueued(at=START, attempt="a1", touch="cadence/1/0/call_1"),)
TALK = ev.ConversationEnded(at=START, attempt="a1", transcript=(ev.Line(who="lead", text="about twelve", at=START),))
HEARD = ev.Learned(field="team_size", value="20", quote="about twenty", doubt=0.62)
FILED: dict[str, tuple[ev.Event, ...]] = {
    "reading": (*DIALLED, ev.CallLearned(at=START, attempt="a1", turn=1, learned=(HEARD,))),
    "sample": (*DIALLED, TALK),
    "complaint": asked(ev.HandOff(why="angry", complaint=True)),
    "handoff": asked(ev.HandOff(why="pricing", words="who can tell me?")),
    "task": asked(ev.Task(what="is there an API?")),
    "referral": asked(ev.Refer(name="Bo")),
    "approval": PROPOSED,
    "not_approved": (*PROPOSED, ev.ActionDecided(at=START, request="a1:2", approved=False)),
    "observed": (
        ev.ActionAsked(at=START, id="a1:3", action=ev.CallBack(), by="agent"),
        ev.ActionDone(at=START, request="a1:3", allowed=False, why="autonomy_observe"),
    ),
    "clash": (*BOOKED, ev.CalendarChanged(at=START, booking="b1", change="clash", event="other")),
    "rep_left": (
        *BOOKED,
        ev.RepLeft(at=START, rep="ana", name="Ana Torres"),
        ev.NotRehomed(at=START, booking="b1", why="nobody is free then"),
    ),
    "form_after_opt_out": (
        *asked(ev.OptOut(words="stop")),
        ev.FormSubmitted(at=START, form=form(submission_id="s2", message="me again")),
    ),
    "fault": (ev.Faulted(at=START, where="planning", error="KeyError"),),
    "ambiguous_dial": (*DIALLED, ev.CallAmbiguous(at=START, attempt="a1")),
    "ambiguous_text": (ev.TextAmbiguous(at=START, touch="due/link/1", message="link"),),
    "text_failed": (ev.TextSent(at=START, touch="due/link/1", message="link"), ev.TextFailed(at=START, touch="due/link/1")),
    "not_mailed": (ev.MailNotSent(at=START, touch="due/link/1", message="link", why="refused"),),
    "number_refused": (*DIALLED, ev.CallNotPlaced(at=START, attempt="a1", why="invalid number", permanent=True)),
    "not_looked_up": (
        *DIALLED,
        ev.CallNotPlaced(at=START, attempt="a1", why="do_not_call", refusal=Refusal(rule="do_not_call", at=START + timedelta(days=1), tries=3)),
    ),
    "no_way_to_contact": (ev.LeadClosed(at=START, disposition="no_way_to_contact", reason="zone unknown"),),
    "write_back_failed": (
        *asked(ev.Task(what="is there an API?")),
        ev.Reflected(at=START, version=3, failed=("crm: a property is gone",)),
    ),
}


def opened(kind: str) -> tuple[Lead, ms.Item]:
    state = after(*FILED[kind])
    return state, next(item for item in state.items if item.kind == kind)


@pytest.mark.parametrize("kind", FILED)
def test_what_happened_is_filed_with_its_deadline_and_worth(kind: str) -> None:
    state, item = opened(kind)
    told = reflection(state, BOOK, START)
    [priced] = [each for each in told.items if each.id == item.id]
    assert priced.due is not None
    assert priced.due > priced.since
    assert priced.worth > 0 or state.closed
    assert f"{review.kind_of(kind).stake:.0%} at stake" in priced.why
    quiet = review.KINDS[kind].quiet
    assert state.review == ("" if quiet else state.review)
    assert (state.review_version > state.reflected) is not quiet


@pytest.mark.parametrize("kind", FILED)
@pytest.mark.parametrize("way", ["retry", "undo", "correct", "hand_over", "done"])
def test_every_kind_is_resolved_in_the_ways_it_has_and_in_no_other(kind: str, way: ms.Way) -> None:
    state, item = opened(kind)
    wish = ms.Resolve(item=item.id, way=way, by="ana", words="as agreed on the phone")
    if way not in review.KINDS[kind].ways:
        assert (review.unfit(state, wish) or ("",))[0] == "way"
        return
    assert review.unfit(state, wish) is None
    state = apply(state, ev.ReviewResolved(at=START, item=item.id, way=way, by="ana", words=wish.words))
    assert review.find(state, item.id) is None
    [done] = [each for each in reflection(state, BOOK, START).resolved if each.item == item.id]
    assert (done.way, done.by, done.words, done.at) == (way, "ana", wish.words, START)
    assert state.entries[-1].kind in ("reviewed", "taken_over", "released", "reopened")
    assert review.unfit(state, wish) == ("not_open", f"ana resolved it already ({way.replace('_', ' ')})")
    if way == "hand_over":
        assert plan.blocked_by(state) is not None
        assert state.taken_over_by == "ana"


@pytest.mark.parametrize("kind", ["handoff", "complaint"])
def test_who_takes_over_has_taken_up_what_called_for_a_person(kind: str) -> None:
    state, item = opened(kind)
    state = apply(state, ev.TakenOver(at=START, by="Ana Torres"))
    assert review.find(state, item.id) is None
    [done] = [each for each in reflection(state, BOOK, START).resolved if each.item == item.id]
    assert (done.way, done.by) == ("hand_over", "Ana Torres")
    assert plan.blocked_by(state) is not None


def test_every_kind_that_can_be_retried_says_how() -> None:
    assert set(RETRIED) == {name for name, kind in review.KINDS.items() if "retry" in kind.ways}


@pytest.mark.parametrize("kind", ["ambiguous_dial", "number_refused", "not_looked_up", "no_way_to_contact"])
def test_retrying_a_call_calls(kind: str) -> None:
    state, item = opened(kind)
    if state.call:  # nobody knows of it: the carrier has no such call
        state = apply(state, ev.CallUnknown(at=START, attempt="a1"))
    state = apply(state, ev.ReviewResolved(at=START, item=item.id, way="retry", by="ana"))
    assert state.callback_at == START
    assert not state.closed


@pytest.mark.parametrize("kind", ["ambiguous_text", "text_failed", "not_mailed"])
def test_retrying_a_message_sends_it_once_more(kind: str) -> None:
    state, item = opened(kind)
    state = apply(state, ev.ReviewResolved(at=START, item=item.id, way="retry", by="ana"))
    [due] = state.due_mails if kind == "not_mailed" else state.due_texts
    assert due.message == "link"
    assert due.key != "due/link/1"


EDITED = Conflict(field="contacts.showrate_stage", theirs="hot", ours="new")


def reflected(state: Lead, *conflicts: Conflict, version: int | None = None) -> Lead:
    done = ev.Reflected(
        at=START, version=state.version if version is None else version, stage=state.stage, crm_contact="51", known=Known(contact="51"),
        conflicts=conflicts,
    )  # fmt: skip
    return apply(state, done)


def test_what_is_to_be_written_over_the_crm_is_not_forgotten_by_a_telling_that_began_before() -> None:
    state = reflected(after(), EDITED)
    [item] = state.items
    begun = state.version
    state = apply(state, ev.ReviewResolved(at=START, item=item.id, way="retry", by="ana"))
    state = reflected(state, EDITED, version=begun)
    assert reflection(state, BOOK, START).overwrite == ("contacts.showrate_stage",)
    state = reflected(state)
    assert reflection(state, BOOK, START).overwrite == ()
    assert state.items == ()


def test_who_changes_a_field_again_after_it_was_written_over_is_heard_again() -> None:
    state = reflected(after(), EDITED)
    state = apply(state, ev.ReviewResolved(at=START, item=state.items[0].id, way="retry", by="ana"))
    state = reflected(reflected(state), EDITED.model_copy(update={"theirs": "cold"}))
    assert [item.kind for item in state.items] == ["crm_conflict"]
    state = apply(state, ev.ReviewResolved(at=START, item=state.items[0].id, way="done", by="ana"))
    assert reflected(state, EDITED).items == (), "theirs is to stand"


def test_a_refused_write_is_owed_again() -> None:
    state, item = opened("write_back_failed")
    assert not state.owed
    state = apply(state, ev.ReviewResolved(at=START, item=item.id, way="retry", by="ana"))
    told = reflection(state, BOOK, START)
    assert [todo.title for todo in told.todos] == ["Dana Reyes wants to know: is there an API?"]
    assert told.form is not None


def test_a_meeting_without_a_rep_is_offered_round_again() -> None:
    state, item = opened("rep_left")
    state = apply(state, ev.ReviewResolved(at=START, item=item.id, way="retry", by="ana"))
    assert isinstance(plan.next_step(state, BOOK, START), plan.Rehome)


def test_what_was_heard_with_doubt_is_settled_by_plain_words() -> None:
    state, item = opened("reading")
    assert item.words == "team size is 20? (“about twenty”, 38% sure)"
    plainly = ev.CallLearned(at=START, attempt="a1", turn=2, learned=(HEARD.model_copy(update={"doubt": 0.0}),))
    assert apply(state, plainly).items == ()


def test_so_many_of_all_conversations_are_sampled_and_always_the_same() -> None:
    half = BOOK.model_copy(update={"desk": Desk(sample=0.5)})
    drawn = [review.sampled(after().but(lead=f"lead-{n}"), half, "a1") for n in range(1000)]
    assert 430 < sum(drawn) < 570
    assert drawn == [review.sampled(after().but(lead=f"lead-{n}"), half, "a1") for n in range(1000)]
    silent = apply(after(*DIALLED), TALK.model_copy(update={"transcript": ()}))
    assert silent.items == ()


def test_no_kind_is_tried_here_that_is_none() -> None:
    assert set(FILED) <= set(review.KINDS)


def test_what_is_filed_anywhere_is_a_kind() -> None:
    """The one word is what the items say, and nobody writes it by hand."""
    folder = Path(review.__file__).parent
    code = "\n".join(file.read_text() for file in folder.rglob("*.py") if file.name != "review.py")
    filed = set(re.findall(r'review\.(?:file|settle|stands)\(\s*[\w.()]+, "(\w+)"', code))
    assert filed >= {"handoff", "clash", "write_back_failed"}
    assert filed <= set(review.KINDS)
    assert not re.search(r'\breview="', code)


def test_what_a_person_corrects_outranks_what_was_heard() -> None:
    state, item = opened("ambiguous_dial")
    asking = ms.Resolve(item=item.id, way="correct", by="ana", field="team_size", value="12")
    assert review.unfit(state, asking) is None
    assert (review.unfit(state, asking.model_copy(update={"field": "shoe_size"})) or ("",))[0] == "field"
    assert (review.unfit(state, ms.Resolve(item=item.id, way="correct", by="ana")) or ("",))[0] == "nothing_corrected"
    state = apply(state, ev.ReviewResolved(at=START, item=item.id, way="correct", by="ana", field="team_size", value="12"))
    assert (state.learned["team_size"].value, state.learned["team_size"].source) == ("12", "rep")


@pytest.mark.parametrize(
    ("field", "wrong", "right"),
    [("region", "Texas", "US-TX"), ("zone", "Nowhere/Land", "America/Denver"), ("zone", "../etc/passwd", "UTC"), ("email", "bo at x", "bo@x.example")],
)
def test_a_correction_that_the_rules_could_not_read_is_refused_with_the_way_to_write_it(field: str, wrong: str, right: str) -> None:
    state, item = opened("ambiguous_dial")
    asking = ms.Resolve(item=item.id, way="correct", by="ana", field=field, value=wrong)
    refused = review.unfit(state, asking)
    assert refused is not None
    assert refused[0] == "value"
    assert "write" in refused[1]
    assert review.unfit(state, asking.model_copy(update={"value": right})) is None
    state = apply(state, ev.ReviewResolved(at=START, item=item.id, way="correct", by="ana", field=field, value=right))
    assert state.person is not None
    assert getattr(state.person, field) == right


def test_several_stand_beside_each_other_and_the_heaviest_names_the_lead() -> None:
    state = after(*FILED["task"], *FILED["not_mailed"], *asked(ev.HandOff(why="now"), "a1:9"))
    assert [item.kind for item in state.items] == ["task", "not_mailed", "handoff"]
    assert state.review == "handoff"
    state = apply(state, ev.Released(at=START, by="ana"))
    assert state.review == "task"
    assert [(each.item, each.by) for each in state.resolved] == [("handoff:a1:9", "ana")]


def test_what_is_overtaken_leaves_by_itself() -> None:
    state, _ = opened("ambiguous_dial")
    state = apply(state, ev.CallPlaced(at=START, attempt="a1", sid="CA1"))
    assert state.items == ()
    assert state.review == ""
    assert state.resolved == ()


def test_a_lead_written_before_there_were_items_has_its_one() -> None:
    kept = after().model_dump(mode="json") | {"review": "text_failed", "last_touch_at": START.isoformat()}
    state = Lead.model_validate(kept)
    assert [(item.kind, item.since) for item in state.items] == [("text_failed", START)]


def test_the_rank_is_money_times_clock_and_says_so() -> None:
    state = after(*BOOKED, *FILED["task"], *asked(ev.HandOff(why="angry", complaint=True), "a1:9"))
    desk = Desk(worth=1000, kinds={"task": Weighing(stake=0.5, within=timedelta(hours=10))})
    task, complaint = review.priced(state, BOOK.model_copy(update={"desk": desk}))
    assert (task.worth, task.due) == (300.0, START + timedelta(hours=10))
    assert complaint.worth == 600.0
    fresh, words = review.rank(task, START)
    assert fresh == 300.0
    assert words == "USD 1,000 a meeting held x 60% from booked x 50% at stake = 300, x 1.0 (due in 10 hours)"
    pressing, words = review.rank(task, START + timedelta(hours=8))
    assert pressing == pytest.approx(1500.0)
    assert pressing > review.rank(complaint, START)[0]
    assert review.rank(task, START + timedelta(hours=12))[1].endswith("x 10.0 (overdue by 2 hours)")


def test_a_clash_is_late_when_its_meeting_begins() -> None:
    state = after(*BOOKED, ev.CalendarChanged(at=MEETING.start - timedelta(minutes=9), booking="b1", change="clash", event="o"))
    [item] = review.priced(state, BOOK)
    assert item.due == MEETING.start
