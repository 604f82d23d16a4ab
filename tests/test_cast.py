"""The cast: whatever the seed and the hour, people who may lawfully be called now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clients.submission import read_submission
from tests import talk
from workers.sandbox.cast import Member, draw, visitor
from workers.sandbox.personas import CAST, Character, Person
from workflows import events as ev
from workflows import rules
from workflows.calling import Contact, judge
from workflows.playbook import read_playbook
from workflows.reading import is_opt_out

FOLDER = Path(__file__).parents[1] / "workflows" / "playbooks"
BOOK = read_playbook(
    "demo.yml", {p.name: p.read_text() for p in FOLDER.glob("*.yml") if not p.name.endswith(".team.yml")}
)

instants = st.integers(0, 4 * 366 * 86_400).map(lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s))


@given(seed=st.integers(0, 2**32), now=instants)
@example(seed=1, now=datetime(2026, 3, 8, 10, 0, tzinfo=UTC))  # the clock change in the United States
@settings(max_examples=150)
def test_everybody_may_be_called_during_the_whole_run(seed: int, now: datetime) -> None:
    cast = draw(seed, now)
    assert sorted(member.persona for member in cast) == sorted(CAST)
    assert len({member.number for member in cast}) == len(cast)
    for member in cast:
        assert phonenumbers.is_valid_number(phonenumbers.parse(member.number))
        (zone,) = rules.zones_of(member.number)
        for at in (now, now + timedelta(minutes=10)):
            assert 9 <= at.astimezone(ZoneInfo(zone)).hour < 19
            contact = Contact(phone=member.number, basis="written", heard_at=now)
            assert judge(contact, BOOK, at).at == at


@given(now=instants)
@settings(max_examples=60)
def test_the_visitor_of_the_first_form_may_be_called_at_once(now: datetime) -> None:
    form = read_submission(visitor(now), region="US", identity_key=b"k" * 32, now=now, address="127.0.0.1")
    assert form.phone
    contact = Contact(phone=form.phone, zone=form.zone, basis="asked", heard_at=now)
    assert judge(contact, BOOK, now).at == now


@given(seed=st.integers(0, 2**32), now=instants)
@settings(max_examples=60)
def test_the_same_seed_gives_the_same_cast_and_intake_takes_its_forms(seed: int, now: datetime) -> None:
    cast = draw(seed, now)
    assert cast == draw(seed, now)
    assert [Member.model_validate(m.model_dump(mode="json")) for m in cast] == cast
    assert [member.delay for member in cast] == sorted(member.delay for member in cast)
    assert all(member.delay < 15 for member in cast)
    for member in cast:
        for post in member.posts:
            form = read_submission(post.form, region="US", identity_key=b"k" * 32, now=now, address="127.0.0.1")
            assert form.phone == member.number
            assert form.email == member.character.email
            assert form.consent.kind == "written"
        assert (len(member.posts) == 2) == (member.persona == "twice")
        if member.persona == "no_show_recovered":
            assert (member.character.slot, member.delay) == (0, 0)


def test_seeds_differ() -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    casts = [tuple((m.persona, m.number, m.character.name) for m in draw(seed, now)) for seed in range(40)]
    assert len(set(casts)) == 40


@pytest.mark.parametrize("seed", range(10))
def test_whoever_wants_a_demo_gets_one_and_is_asked_nothing_twice(seed: int) -> None:
    """In all the words that they have for it, on a line whose recogniser never says how sure it is, as the demo's; but for
    one question of their own, after which ours is asked again."""
    for member in draw(seed, talk.NOW):
        if member.persona in ("not_interested", "says_stop"):
            continue
        who = member.character
        form = ev.Form(submission_id="f1", name=who.name, phone=member.number, email=who.email, company=who.company)
        call = talk.Talk(talk.brief(playbook=BOOK.hash, person=form), book=BOOK)
        person = Person(who, None)  # type: ignore[arg-type]
        heard = call.hear("Hello?", confidence=None)
        while call.state.booking is None and (said := person.answer(heard)) is not None and len(call.spoken) < 40:
            heard = call.hear(said, confidence=None)
        assert call.state.booking is not None, (member.persona, call.spoken)
        assert call.state.learned["team_size"] == str(who.team_size)
        told = " ".join(call.spoken)
        often = [told.count(question.ask) + told.count(question.rephrase) for question in BOOK.fields.values()]
        assert sum(times - 1 for times in often if times) <= bool(who.aside), call.spoken


def test_stop_is_always_understood() -> None:
    said = set()
    for seed in range(60):
        person = Person(Character(kind="says_stop", number="+14155550123", seed=seed), None)  # type: ignore[arg-type]
        said.add(person.answer("Hi, this is Juno. Is now a good moment?"))
    assert len(said) > 3
    assert all(words and is_opt_out(words, spoken=True) for words in said)
