"""Fit, computed by code: from whose word, in any order, and never better for a criterion that is not met."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stage import form, playbook
from tests.talk import Talk, turn
from workflows import events as ev
from workflows.conversation.qualify import accept, answers, assess, known
from workflows.lead import Lead
from workflows.playbook import Criterion, Playbook, Qualification, Question, Source, register
from workflows.story import apply

BOOK = playbook()
NOW = datetime(2027, 3, 10, 17, 0, tzinfo=UTC)
SOURCES: tuple[Source, ...] = ("form", "said", "texted", "crm", "rep")


def book(*criteria: Criterion, required: tuple[str, ...] = (), pass_score: float = 0.5) -> Playbook:
    """A playbook with five yes/no questions, a to e."""
    fields = {name: Question(ask=f"{name}?", kind="yes_no") for name in "abcde"}
    rules = Qualification(criteria=criteria, required=required, pass_score=pass_score)
    return BOOK.model_copy(update={"fields": fields, "qualification": rules})


def criterion(field: str, **more: object) -> Criterion:
    return Criterion.model_validate({"field": field, "one_of": ("yes",), **more})


criteria = st.lists(
    st.builds(
        criterion, st.sampled_from("abcde"), knock_out=st.booleans(), weight=st.sampled_from((0.5, 1.0, 2.0, 5.0)),
        sources=st.sets(st.sampled_from(SOURCES), min_size=1).map(tuple),
    ),
    min_size=1, max_size=5, unique_by=lambda c: c.field,
)  # fmt: skip
values = st.dictionaries(st.sampled_from("abcde"), st.sampled_from(("yes", "no")))
whose = st.dictionaries(st.sampled_from("abcde"), st.sampled_from(SOURCES))


@given(criteria, values, whose, st.sampled_from("abcde"), st.sampled_from((0.0, 0.4, 0.5, 0.9, 1.0)))
def test_a_criterion_met_never_makes_the_fit_worse(
    rules: list[Criterion], learned: dict[str, str], sources: dict[str, Source], field: str, least: float
) -> None:
    judged = book(*rules, required=("a", "b"), pass_score=least)
    before = assess(judged, {**learned, field: "no"}, sources)
    unknown = assess(judged, {k: v for k, v in learned.items() if k != field}, sources)
    met = assess(judged, {**learned, field: "yes"}, sources)
    for other in (before, unknown):
        assert met.score >= other.score
        assert met.fits >= other.fits
        assert set(met.missing) <= set(other.missing)
        assert not (met.failed and not other.failed)


@given(criteria, values, whose)
def test_a_knock_out_that_failed_always_wins(
    rules: list[Criterion], learned: dict[str, str], sources: dict[str, Source]
) -> None:
    fit = assess(book(*rules, pass_score=0.0), learned, sources)
    failed = [
        c.field for c in rules
        if c.knock_out and learned.get(c.field) == "no" and sources.get(c.field, "said") in c.sources
    ]  # fmt: skip
    assert bool(fit.failed) == bool(failed)
    if failed:
        assert not fit.fits
        assert fit.misfit
        assert {c.field for c in fit.against} == set(failed)


@given(criteria, values, whose, st.randoms(use_true_random=False))
def test_the_order_of_learning_does_not_matter(
    rules: list[Criterion], learned: dict[str, str], sources: dict[str, Source], random: object
) -> None:
    items = list(learned.items())
    random.shuffle(items)  # type: ignore[attr-defined]
    judged = book(*rules, required=("a", "b", "c"))
    assert assess(judged, dict(items), sources) == assess(judged, learned, sources)


@given(criteria, values)
def test_a_word_that_does_not_count_is_as_good_as_none_and_asked_for_again(
    rules: list[Criterion], learned: dict[str, str]
) -> None:
    rules = [c.model_copy(update={"sources": ("said",)}) for c in rules]
    judged = book(*rules, required=tuple("abcde"))
    fit = assess(judged, learned, dict.fromkeys(learned, "crm"))
    without = {k: v for k, v in learned.items() if k not in {c.field for c in rules}}
    blank = assess(judged, without)
    assert (fit.score, fit.failed, fit.passes, fit.missing) == (blank.score, blank.failed, blank.passes, blank.missing)
    assert set(fit.unconfirmed) == {c.field for c in rules} & set(learned)
    for field in learned:
        assert known(judged, learned, dict.fromkeys(learned, "crm"), field) == (field in without)


@given(criteria, values, whose, st.floats(0, 1))
def test_the_score_is_the_met_part_of_the_weight_that_is_known(
    rules: list[Criterion], learned: dict[str, str], sources: dict[str, Source], least: float
) -> None:
    fit = assess(book(*rules, pass_score=least), learned, sources)
    counted = [c for c in rules if c.field in learned and sources.get(c.field, "said") in c.sources]
    met = sum(c.weight for c in counted if learned[c.field] == "yes")
    assert fit.score == (round(met / sum(c.weight for c in counted), 3) if counted else 1.0)
    exact = met / sum(c.weight for c in counted) if counted else 1.0
    assert fit.passes == (exact >= least)
    assert fit.fits == (fit.passes and not fit.failed)


@given(st.permutations("abcde"), criteria, values, whose)
def test_what_is_missing_is_asked_in_the_playbook_s_order(
    required: list[str], rules: list[Criterion], learned: dict[str, str], sources: dict[str, Source]
) -> None:
    judged = book(*rules, required=tuple(required))
    fit = assess(judged, learned, sources)
    assert list(fit.missing) == [field for field in required if not known(judged, learned, sources, field)]
    for field in required:
        learned, sources = {**learned, field: "yes"}, {**sources, field: _accepted(rules, field)}
        left = assess(judged, learned, sources).missing
        assert list(left) == [each for each in fit.missing if each in left]
        assert field not in left


def _accepted(rules: list[Criterion], field: str) -> Source:
    return next((c.sources[0] for c in rules if c.field == field), "said")


@pytest.mark.parametrize("claims", ["offer_slots", "decline", "end"])
def test_no_word_of_the_model_s_makes_somebody_fit_or_unfit(claims: str) -> None:
    """Whatever it claims to have heard or proposes: only what they said is known, and the rest is asked for in order."""
    every = {"use_case": "stock counts", "team_size": "50", "timeline": "now"}
    talk = Talk(model=lambda _: turn(claims, "You qualify.", "wants_meeting", every, choice="the first one"))
    talk.hear("Yes, sure.")
    said = talk.hear("About 50 people.")
    assert talk.state.learned == {**talk.state.brief.learned, "name": "Dana Reyes", "email": "dana@example.com", "team_size": "50"}
    assert talk.core.playbook.fields["use_case"].rephrase in said
    assert (talk.state.fit.missing, talk.state.qualified) == (("use_case", "timeline"), False)
    assert {act.kind for act in talk.lead.acts} <= {"task"}


def test_each_criterion_is_told_with_its_value_its_source_and_their_words() -> None:
    rules = (Criterion(field="a", at_least=3, knock_out=True), criterion("b", sources=("said", "rep")))
    fit = assess(book(*rules), {"a": "1", "b": "yes"}, {"a": "form", "b": "crm"}, {"a": "just me"})
    assert [(c.field, c.status, c.source) for c in fit.criteria] == [
        ("a", "failed", "form"),
        ("b", "unconfirmed", "crm"),
    ]
    assert fit.against[0].in_words == "a is 1, wanted at least 3 (form: “just me”)"


@pytest.mark.parametrize(("said", "kept"), [("1,000,000", "1000000"), ("about 25", "25"), ("2.5", "2.5"), ("some", "")])
def test_numbers_keep_their_size(said: str, kept: str) -> None:

    assert accept(Question(ask="?", kind="number"), said) == kept


# ---- what the form has answered ---------------------------------------------------------------------------------


def test_a_form_answers_questions_under_their_own_name_or_one_that_they_list() -> None:
    fields = {
        "team_size": Question(ask="?", kind="number", form=("seats",)),
        "timeline": Question(ask="?", kind="choice", choices=("now", "year")),
        "company": Question(ask="?"),
        "need": Question(ask="?", form=("message",)),
        "email": Question(ask="?", kind="email"),
    }
    judged = BOOK.model_copy(update={"fields": fields})
    found = answers(
        judged,
        form(company="Reyes Ltd", message="Counting vans", attributes={"Seats": "about 12", "Timeline": "soonish"}),
    )
    assert {name: (fact.value, fact.quote) for name, fact in found.items()} == {
        "team_size": ("12", "about 12"), "company": ("Reyes Ltd", "Reyes Ltd"), "need": ("Counting vans", "Counting vans"),
    }  # fmt: skip
    assert {fact.source for fact in found.values()} == {"form"}


def lead(**attributes: str) -> Lead:
    state = Lead(lead="lead-x", audience="inbound", playbook=BOOK.hash)
    return apply(state, ev.FormSubmitted(at=NOW, form=form(attributes=attributes)))


def test_what_the_form_said_is_known_with_its_source_until_somebody_says_otherwise() -> None:
    register([BOOK])
    state = lead(team_size="40")
    assert (state.learned["team_size"].value, state.learned["team_size"].source) == ("40", "form")
    newer = apply(state, ev.FormSubmitted(at=NOW, form=form(submission_id="s2", attributes={"team_size": "50"})))
    assert newer.learned["team_size"].value == "50"
    said = ev.Learned(field="team_size", value="12", quote="there are twelve of us")
    heard = apply(newer, ev.CallLearned(at=NOW, attempt="a1", turn=1, learned=(said,)))
    last = apply(heard, ev.FormSubmitted(at=NOW, form=form(submission_id="s3", attributes={"team_size": "60"})))
    assert last.learned["team_size"] == said
