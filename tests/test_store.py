"""The record: idempotent, never backwards, sealed, shared by processes."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable
from temporalio.exceptions import ApplicationError

from activities import data_keys, handles, installation, store, stream, tables
from activities import record as recording
from activities.settings import settings
from activities.vault import Unreadable
from tests.fixtures.record import NOW, reflection
from tests.stage import playbook
from workflows.effects import CallNote, Entry, Reflection
from workflows.events import Booking, Consent, Form, Line, Verdict

PERSON = Form(
    submission_id="s1",
    name="Wilhelmina Ottersby",
    phone="+14155550177",
    email="wilhelmina@ottersby.example",
    company="Ottersby Kilns",
    message="We need forty kilns",
    consent=Consent(text="I agree", address="203.0.113.77"),
    phone_hash="a" * 32,
    email_hash="b" * 32,
)
PERSONAL = (b"Wilhelmina", b"Ottersby", b"4155550177", b"forty kilns", b"203.0.113.77", b"call me after five")


def entry(version: int, text: str = "dialled", rule: str = "due", **over: Any) -> Entry:
    at = NOW + timedelta(seconds=version)
    return Entry.model_validate(
        {"at": at, "kind": "dial", "version": version, "text": text, "rule": rule} | over
    )


def call(attempt: str = "a1", **over: Any) -> CallNote:
    known: dict[str, Any] = {
        "attempt": attempt,
        "sid": "CA1",
        "at": NOW,
        "seconds": 61,
        "status": "completed",
        "disposition": "booked",
        "transcript": (Line(who="lead", text="please call me after five", at=NOW),),
        "verdicts": (
            Verdict(action="book", allowed=True, rule="evidence", evidence=("forty kilns",), at=NOW),
        ),
    }
    return CallNote.model_validate(known | over)


FULL = reflection(
    version=4,
    form=PERSON,
    stage="booked",
    furthest="booked",
    source="website",
    owner="ada",
    reason="Wilhelmina asked for it",
    learned={"role": "owner of Ottersby Kilns"},
    milestones={"form": NOW, "first_ring": NOW + timedelta(seconds=2)},
    entries=(entry(1, "form of Wilhelmina"), entry(2), entry(2), entry(4, "said: call me after five")),
    calls=(call(),),
    booking=Booking(id="b1", rep="ada", rep_name="Ada", start=NOW, end=NOW + timedelta(minutes=30)),
    memory={"stage": "closed", "name": "Wilhelmina"},
)


def test_what_was_told_is_known(record: Path) -> None:
    assert store.lead("lead-1") is None
    assert store.write(FULL) == 4
    known = store.lead("lead-1")
    assert known is not None
    assert (known.person, known.learned, known.booking) == (PERSON, FULL.learned, FULL.booking)
    assert (known.stage, known.owner, known.source, known.reason) == ("booked", "ada", "website", FULL.reason)
    assert (known.first_form_at, known.first_ring_at) == (NOW, NOW + timedelta(seconds=2))
    assert store.entries("lead-1") == list(FULL.entries)
    assert store.calls("lead-1") == [call()]
    assert store.recall("lead-1") == FULL.memory
    assert handles.leads_of("a" * 32) == handles.leads_of("b" * 32) == ["lead-1"]
    assert store.recall("lead-2") is None


def test_nothing_personal_stands_in_the_file(record: Path) -> None:
    store.write(FULL)
    for file in record.parent.iterdir():
        content = file.read_bytes()
        assert not [word for word in PERSONAL if word in content], file.name


def test_older_news_never_overwrites_newer(record: Path) -> None:
    store.write(
        reflection(version=9, stage="booked", form=PERSON, learned={"role": "owner"}, memory={"v": 9})
    )
    store.write(
        reflection(
            version=3,
            stage="attempting",
            form=PERSON.model_copy(update={"name": "Old"}),
            learned={"role": "clerk", "size": "3"},
            milestones={"form": NOW},
            entries=(entry(3),),
            memory={"v": 3},
        )
    )
    known = store.lead("lead-1")
    assert known is not None
    assert (known.version, known.stage, known.person) == (9, "booked", PERSON)
    assert known.learned == {"role": "owner", "size": "3"}
    assert known.milestones == {"form": NOW}
    assert store.entries("lead-1") == [entry(3)]
    assert store.recall("lead-1") == {"v": 9}


def test_the_cohort_is_the_first_forms(record: Path) -> None:
    store.write(reflection(version=1, source="website", milestones={"form": NOW}))
    store.write(reflection(version=2, source="partner", milestones={"form": NOW + timedelta(days=9)}))
    known = store.lead("lead-1")
    assert known is not None
    assert (known.source, known.first_form_at) == ("website", NOW)


_stories = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["dialled", "texted"])), max_size=3),
        st.dictionaries(st.sampled_from(["form", "booked"]), st.integers(0, 9), max_size=2),
    ),
    min_size=1,
    max_size=6,
)


@how(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(story=_stories, order=st.randoms(use_true_random=False))
def test_repeats_and_order_change_nothing(
    record: Path, monkeypatch: pytest.MonkeyPatch, story: list[Any], order: Any
) -> None:
    """Whatever is retried, and in whatever order it lands, the record ends the same."""
    told = {
        version: reflection(
            version=version,
            stage=f"stage-{version}",
            entries=tuple(entry(v, text) for v, text in lines),
            milestones={name: NOW + timedelta(seconds=s) for name, s in reached.items()},
        )
        for version, lines, reached in story
    }
    straight = _outcome(monkeypatch, [told[version] for version in sorted(told)])
    shuffled = [*told.values(), *told.values()]
    order.shuffle(shuffled)
    assert _outcome(monkeypatch, shuffled) == straight


def _outcome(monkeypatch: pytest.MonkeyPatch, told: list[Reflection]) -> Any:
    with tempfile.TemporaryDirectory() as home:
        monkeypatch.setenv("SHOWRATE_HOME", home)
        settings.cache_clear()
        for one in told:
            store.write(one)
        known = store.lead("lead-1")
        entries = sorted(e.model_dump_json() for e in store.entries("lead-1"))
        tables.engine(settings().record_url).dispose()
    return known, entries


def test_lists_filter_and_page(record: Path) -> None:
    for number in range(6):
        store.write(
            reflection(
                f"lead-{number}",
                stage="booked" if number % 2 else "new",
                owner="ada" if number < 2 else "ben",
                needs_review="reps disagree" if number == 3 else "",
                now=NOW + timedelta(minutes=number),
            )
        )
    assert [known.lead for known in store.list_leads(stage="booked")] == ["lead-5", "lead-3", "lead-1"]
    assert [known.lead for known in store.list_leads(owner="ada")] == ["lead-1", "lead-0"]
    assert [known.lead for known in store.list_leads(review=True)] == ["lead-3"]
    assert len(store.list_leads(review=False)) == 5
    assert [known.lead for known in store.list_leads(limit=2, offset=2)] == ["lead-3", "lead-2"]


def test_the_tail_goes_on_from_where_it_was(record: Path) -> None:
    store.write(reflection("lead-1", entries=(entry(1),)))
    first = stream.tail()
    assert [(told.lead, told.entry) for told in first] == [("lead-1", entry(1))]
    store.write(reflection("lead-2", entries=(entry(1),)))
    store.write(reflection("lead-1", entries=(entry(1),)))
    assert [told.lead for told in stream.tail(first[-1].seq)] == ["lead-2"]


def test_a_rotated_key_reads_on(record: Path, rotate: Callable[..., None]) -> None:
    store.write(FULL)
    rotate("k2", "k1")
    assert store.lead("lead-1").person == PERSON  # type: ignore[union-attr]
    store.write(reflection("lead-2", form=PERSON))
    assert data_keys.rewrap() == 1
    assert data_keys.rewrap() == 0
    rotate("k2")
    assert store.lead("lead-1").person == store.lead("lead-2").person == PERSON  # type: ignore[union-attr]


async def test_a_missing_key_is_named_and_waited_for(record: Path, rotate: Callable[..., None]) -> None:
    store.write(FULL)
    rotate("k9")
    with pytest.raises(Unreadable, match=r"'k1'.*SHOWRATE_ENCRYPTION_KEYS"):
        store.lead("lead-1")
    with pytest.raises(ApplicationError) as raised:
        await recording.write(FULL)
    assert raised.value.type == "retry"
    assert "Wilhelmina" not in str(raised.value)


def test_erasing_forgets_the_person_and_keeps_the_count(record: Path) -> None:
    store.write(FULL)
    assert store.erase("lead-1", NOW)
    known = store.lead("lead-1")
    assert known is not None
    assert known.erased
    assert (known.person, known.learned, known.booking, known.reason) == (None, {}, None, "")
    assert (known.stage, known.milestones) == ("booked", FULL.milestones)
    assert store.calls("lead-1") == []
    assert store.recall("lead-1") is None
    assert handles.leads_of("a" * 32) == []
    assert [(e.text, e.rule) for e in store.entries("lead-1")] == [("(erased)", "due")] * 4
    assert not store.erase("lead-unknown")


def test_an_erased_person_who_comes_back_is_new(record: Path) -> None:
    store.write(FULL)
    store.erase("lead-1")
    again = PERSON.model_copy(update={"submission_id": "s2"})
    store.write(reflection(version=7, form=again, entries=(entry(7),)))
    known = store.lead("lead-1")
    assert known is not None
    assert (known.person, known.erased) == (again, False)
    assert [e.text for e in store.entries("lead-1")] == ["(erased)"] * 4 + ["dialled"]


def test_an_erased_key_is_gone_from_the_files(record: Path) -> None:
    store.write(FULL)
    with tables.reading(settings().record_url) as db:
        wrapped = bytes(db.execute(tables.keys.select()).one().wrapped)
    tables.forget_traces(settings().record_url)
    assert wrapped in record.read_bytes()
    store.erase("lead-1")
    for file in record.parent.iterdir():
        assert wrapped not in file.read_bytes(), file.name


def test_the_identity_key_is_bound_once(record: Path) -> None:
    assert installation.identity_fingerprint() == ""
    installation.remember_identity("feed")
    installation.remember_identity("feed")
    assert installation.identity_fingerprint() == "feed"
    with pytest.raises(installation.OtherIdentity, match="Restore that key"):
        installation.remember_identity("beef")


def test_playbooks_are_kept_by_their_content(record: Path) -> None:
    book = playbook()
    installation.keep_playbooks([book, book])
    installation.keep_playbooks([book])
    assert installation.playbooks() == {book.hash: book}


def _write_many(home: str, keys: str, who: int) -> None:
    import os

    os.environ |= {"SHOWRATE_HOME": home, "SHOWRATE_ENCRYPTION_KEYS": keys}
    settings.cache_clear()
    for version in range(1, 26):
        store.write(reflection("lead-shared", version, entries=(entry(version, f"by {who}"),), form=PERSON))
        store.write(reflection(f"lead-{who}-{version}", entries=(entry(1),)))


def test_processes_write_at_once(record: Path) -> None:
    """Also the first of all, when neither file nor tables nor the lead's key exist."""
    using = settings()
    context = multiprocessing.get_context("spawn")
    arguments = (str(using.showrate_home), using.showrate_encryption_keys)
    writers = [context.Process(target=_write_many, args=(*arguments, who)) for who in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(300)
        assert writer.exitcode == 0
    assert len(store.entries("lead-shared")) == 100
    assert len(store.list_leads(limit=1000)) == 101
    assert store.lead("lead-shared").person == PERSON  # type: ignore[union-attr]


def test_a_newer_schema_is_left_alone(record: Path) -> None:
    url = settings().record_url
    store.write(FULL)
    with tables.writing(url) as db:
        db.execute(tables.meta.update().where(tables.meta.c.name == "schema").values(value="99"))
    tables.engine.cache_clear()
    with pytest.raises(RuntimeError, match="newer version"):
        store.lead("lead-1")
    tables.engine.cache_clear()


def test_every_table_can_be_made_in_postgresql() -> None:
    for table in tables.metadata.sorted_tables:
        assert "CREATE TABLE" in str(
            CreateTable(table, if_not_exists=True).compile(dialect=postgresql.dialect())
        )


@pytest.mark.parametrize("at", [datetime.fromisoformat("2026-11-23T10:00:00.123456-05:00")])
def test_instants_survive_to_the_microsecond(record: Path, at: datetime) -> None:
    store.write(reflection(milestones={"form": at}))
    assert store.lead("lead-1").first_form_at == at  # type: ignore[union-attr]
