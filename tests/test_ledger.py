"""The ledger: pure rules first, then as a workflow on the real server, raced, repeated and continued as new."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateStage
from temporalio.exceptions import ApplicationError

from activities import entity, ledger
from tests.fixtures.temporal import Patience, running_worker
from workflows import identity
from workflows import ledger as book
from workflows.ledger import AskTaken, Commit, HoldTime, Ledger, Release, Standing
from workflows.rep_workflow import RepStart, RepWorkflow

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def holding(booking: str, start: int = 60, length: int = 30, now: int = 0, **more: object) -> HoldTime:
    """Minutes after NOW; held for ten minutes."""
    begun = NOW + now * MINUTE
    first = NOW + start * MINUTE
    return HoldTime(
        booking=booking, start=first, end=first + length * MINUTE, now=begun, until=begun + 10 * MINUTE, **more
    )  # fmt: skip


def commit(booking: str, now: int = 0) -> Commit:
    return Commit(booking=booking, now=NOW + now * MINUTE, event=f"event-{booking}")


def release(booking: str, now: int = 0) -> Release:
    return Release(booking=booking, now=NOW + now * MINUTE, why="cancelled")


def booked(*asked: HoldTime) -> Ledger:
    state = Ledger()
    for one in asked:
        state, standing = book.hold(state, one)
        assert standing.ok
        state, standing = book.commit(state, Commit(booking=one.booking, now=one.now))
        assert standing.ok
    return state


# ---- the rules -------------------------------------------------------------------------------------------------


def test_a_held_time_is_nobody_elses() -> None:
    state, first = book.hold(Ledger(), holding("a"))
    state, second = book.hold(state, holding("b", start=75))
    assert (first.ok, second.ok, second.why) == (True, False, "somebody else is just booking that time")
    state, third = book.hold(state, holding("c", start=90))
    assert third.ok


def test_a_hold_dies_by_being_read_late() -> None:
    state, _ = book.hold(Ledger(), holding("a"))
    state, other = book.hold(state, holding("b", now=11))
    assert other.ok
    state, late = book.commit(state, commit("a", now=12))
    assert (late.ok, late.state) == (False, "refused")
    state, standing = book.commit(state, commit("b", now=12))
    assert standing.state == "booked"


def test_a_dead_hold_is_booked_when_nobody_took_its_time() -> None:
    state, _ = book.hold(Ledger(), holding("a"))
    state, late = book.commit(state, commit("a", now=50))
    assert late.state == "booked"


def test_a_hold_that_died_is_renewed_by_asking_again() -> None:
    state, _ = book.hold(Ledger(), holding("a"))
    state, again = book.hold(state, holding("a", now=30))
    assert (again.ok, again.until) == (True, NOW + 40 * MINUTE)


def test_buffers_keep_meetings_apart_by_the_longer_of_the_two() -> None:
    state = booked(holding("a", before=5 * MINUTE, after=10 * MINUTE))
    assert not book.hold(state, holding("b", start=99))[1].ok
    assert book.hold(state, holding("b", start=100))[1].ok
    assert not book.hold(state, holding("b", start=100, before=15 * MINUTE))[1].ok
    assert book.hold(state, holding("b", start=105, before=15 * MINUTE))[1].ok
    assert not book.hold(state, holding("b", start=26))[1].ok
    assert book.hold(state, holding("b", start=25))[1].ok


def test_a_move_is_not_hindered_by_what_it_moves() -> None:
    state = booked(holding("a"))
    assert not book.hold(state, holding("b", start=70))[1].ok
    state, moved = book.hold(state, holding("b", start=70, replaces="a"))
    assert moved.ok
    state, moved = book.commit(state, commit("b"))
    state, _ = book.release(state, release("a"))
    assert [time.start for time in book.taken(state, ask()).times] == [NOW + 70 * MINUTE]


def ask(ignore: str = "", now: int = 0) -> AskTaken:
    return AskTaken(since=NOW, until=NOW + timedelta(days=1), now=NOW + now * MINUTE, ignore=ignore)


def test_taken_is_what_lives_and_says_what_it_left_out() -> None:
    state = booked(holding("a"))
    state, _ = book.hold(state, holding("b", start=120))
    assert len(book.taken(state, ask()).times) == 2
    assert len(book.taken(state, ask(now=11)).times) == 1
    left_out = book.taken(state, ask(ignore="a"))
    assert len(left_out.times) == 1
    assert left_out.ignored is not None
    assert left_out.ignored.start == NOW + 60 * MINUTE


def test_a_spent_id_books_nothing() -> None:
    """A request that was held up on its way must not bring back what was undone meanwhile."""
    state, _ = book.release(Ledger(), release("a"))
    state, late = book.hold(state, holding("a"))
    assert not late.ok
    state = booked(holding("b"))
    state, _ = book.release(state, release("b"))
    for step in (book.hold(state, holding("b")), book.commit(state, commit("b"))):
        assert (step[1].ok, step[1].why) == (False, "this booking was released: cancelled")


def test_what_is_past_or_unknown_is_refused() -> None:
    assert book.hold(Ledger(), holding("a", start=-1))[1].why == "that time has passed"
    assert book.commit(Ledger(), commit("a"))[1].why == "nothing is held for this booking"
    state, _ = book.hold(Ledger(), holding("a"))
    assert book.hold(state, holding("a", start=200))[1].why == "this booking was made for another time"


@pytest.mark.parametrize(
    "fault",
    [{"booking": ""}, {"end": NOW}, {"until": NOW}, {"before": -MINUTE}, {"start": NOW.replace(tzinfo=None)}],
)
def test_malformed_requests_are_no_requests(fault: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"booking|after|negative|zone"):
        HoldTime.model_validate(dict(holding("a")) | fault)


def test_the_past_is_dropped() -> None:
    state = booked(holding("a"), holding("b", start=20 * 24 * 60))
    state, _ = book.hold(state, holding("c", start=30 * 24 * 60, now=9 * 24 * 60))
    assert set(book.without_past(state).claims) == {"b", "c"}


requests = st.one_of(
    st.builds(
        holding,
        st.sampled_from("abcdef"),
        st.integers(1, 40).map(lambda n: n * 10),
        st.sampled_from([10, 30, 60]),
        st.integers(0, 30),
        before=st.sampled_from([0 * MINUTE, 5 * MINUTE, 20 * MINUTE]),
        after=st.sampled_from([0 * MINUTE, 10 * MINUTE]),
    ),
    st.builds(commit, st.sampled_from("abcdef"), st.integers(0, 30)),
    st.builds(release, st.sampled_from("abcdef"), st.integers(0, 30)),
)


@settings(max_examples=200)
@given(st.lists(requests, max_size=60))
def test_no_two_bookings_are_ever_too_close(asked: list[HoldTime | Commit | Release]) -> None:
    """Whatever comes in whatever order, from askers whose clocks disagree, repeated or not."""
    state = Ledger()
    for one in asked:
        step = {HoldTime: book.hold, Commit: book.commit, Release: book.release}[type(one)]
        state, first = step(state, one)  # type: ignore[arg-type]
        state, again = step(Ledger.model_validate_json(state.model_dump_json()), one)  # type: ignore[arg-type]
        assert (first.ok, first.state) == (again.ok, again.state) or not first.ok
        standing = [claim for claim in state.claims.values() if claim.state == "booked"]
        assert not any(a.clashes(b) or b.clashes(a) for a, b in itertools.combinations(standing, 2))


# ---- on the server -----------------------------------------------------------------------------------------------


async def test_sixty_leads_race_for_ten_times_of_three_reps(client: Client) -> None:
    """cal.com #13397, #10789: each time is booked at most once, no lead twice, and no hold leaks, with ledgers that
    continue as new in the middle of it."""
    reps = ["ana", "ben", "cleo"]
    slots = [(rep, 60 + nth * 30) for nth in range(10) for rep in reps]

    async def lead(nth: int) -> tuple[str, int] | None:
        """Half of the leads want the same times first; every seventh gives up its first hold."""
        begin = nth % 30 if nth % 2 else nth // 30
        for turn in range(4):
            rep, start = slots[(begin + 7 * turn) % 30]
            asked = holding(f"lead{nth}-{turn}", start=start)
            if not (await persist(ledger.hold, client, rep, asked)).ok:
                continue
            if nth % 7 == 3 and turn == 0:
                await persist(ledger.release, client, rep, release(asked.booking))
                continue
            assert (await persist(ledger.commit, client, rep, commit(asked.booking))).ok
            return rep, start
        return None

    async with running_worker(client, [RepWorkflow]):
        runs = {rep: await start_ledger(client, rep, turnover=10) for rep in reps}
        results = await asyncio.gather(*map(lead, range(60)))
        got = [one for one in results if one]
        assert max(Counter(got).values()) == 1
        standing = []
        for rep in reps:
            ahead = (await ledger.taken(client, rep, ask())).times
            standing += [(rep, (time.start - NOW) // MINUTE) for time in ahead]
            assert (await client.get_workflow_handle(identity.rep_id(rep)).describe()).run_id != runs[rep]
        assert sorted(standing) == sorted(got)
        assert len(got) >= 20


async def persist(step: Callable[..., Awaitable[Standing]], *asked: object) -> Standing:
    """As an activity would: again, under the same id, when no answer came in time."""
    for _ in range(3):
        try:
            return await step(*asked)
        except ApplicationError as error:
            if error.type != "retry":
                raise
    raise AssertionError("no answer")


async def start_ledger(client: Client, rep: str, turnover: int) -> str:
    """The id of its first run."""
    handle = await client.start_workflow(
        RepWorkflow.run,
        RepStart(rep=rep, turnover=turnover),
        id=identity.rep_id(rep),
        task_queue="showrate",
    )
    return handle.result_run_id or ""


async def test_answers_survive_continue_as_new(client: Client) -> None:
    async with running_worker(client, [RepWorkflow]):
        first_run = await start_ledger(client, "dana", turnover=2)
        handle = client.get_workflow_handle(identity.rep_id("dana"))
        first = await ledger.hold(client, "dana", holding("a"))
        done = await ledger.commit(client, "dana", commit("a"))
        assert (first.ok, done.state, done.event) == (True, "booked", "event-a")
        async with asyncio.timeout(60):
            while (await handle.describe()).run_id == first_run:
                await asyncio.sleep(0.05)
        again = await ledger.hold(client, "dana", holding("a"))
        assert (again.ok, again.state, again.event) == (True, "booked", "event-a")
        assert (await ledger.hold(client, "dana", holding("b"))).why == "the time was taken"


async def test_a_ledger_starts_on_demand_and_reads_empty_before(client: Client) -> None:
    async with running_worker(client, [RepWorkflow]):
        assert (await ledger.taken(client, "erin", ask())).times == ()
        answers = await asyncio.gather(*(ledger.hold(client, "erin", holding(f"l{n}")) for n in range(5)))
        assert sum(answer.ok for answer in answers) == 1
        details = await client.get_workflow_handle(identity.rep_id("erin")).query("__temporal_workflow_metadata")
        assert "1 meetings ahead" in str(details)


async def test_a_repeat_is_told_how_it_stands_now(client: Client) -> None:
    async with running_worker(client, [RepWorkflow]):
        for _ in range(2):
            assert (await ledger.hold(client, "fred", holding("a"))).state == "held"
        await ledger.commit(client, "fred", commit("a"))
        assert (await ledger.hold(client, "fred", holding("a"))).state == "booked"
        await ledger.release(client, "fred", release("a"))
        for late in (ledger.hold(client, "fred", holding("a")), ledger.commit(client, "fred", commit("a"))):
            assert (await late).state == "released"


async def test_bad_input_and_bugs_leave_the_ledger_answering(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_worker(client, [RepWorkflow]):
        await start_ledger(client, "gail", turnover=500)
        handle = client.get_workflow_handle(identity.rep_id("gail"))
        for asked in ({"booking": "a"}, {**holding("a").model_dump(mode="json"), "start": "soon"}, "nonsense"):
            with pytest.raises(WorkflowUpdateFailedError):
                await asyncio.wait_for(handle.execute_update("hold", asked), 60)
        with monkeypatch.context() as planted:
            planted.setattr(book, "hold", broken)
            with pytest.raises(ApplicationError, match="refused: broken failed: KeyError") as refused:
                await ledger.hold(client, "gail", holding("b"))
            assert refused.value.type == "permanent"
        assert (await ledger.hold(client, "gail", holding("c"))).ok


def broken(state: Ledger, asked: HoldTime) -> None:
    raise KeyError("planted")


async def test_by_hand_as_from_temporals_ui(client: Client) -> None:
    """Plain JSON is enough."""
    async with running_worker(client, [RepWorkflow]):
        await start_ledger(client, "hank", turnover=500)
        asked = {
            "booking": "x", "start": "2027-03-01T15:00:00Z", "end": "2027-03-01T15:30:00+00:00",
            "now": "2027-03-01T09:00:00Z", "until": "2027-03-01T09:05:00Z", "after": "15m",
        }  # fmt: skip
        handle = client.get_workflow_handle(identity.rep_id("hank"))
        update = await handle.start_update("hold", asked, wait_for_stage=WorkflowUpdateStage.COMPLETED)
        assert (await update.result())["ok"] is True


async def test_no_worker_is_an_error_that_may_be_retried(client: Client, patience: Patience) -> None:
    await start_ledger(client, "iris", turnover=500)
    with pytest.raises(ApplicationError) as error, patience(0.5):
        await ledger.hold(client, "iris", holding("a"))
    assert error.value.type == "retry"


async def test_more_updates_than_temporal_takes_at_once_wait_in_line(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Temporal refuses the eleventh in flight, and its client then asks again ever later."""
    sent, most, plain = 0, 0, entity._updated

    async def counted(*asked: Any) -> Any:
        nonlocal sent, most
        sent += 1
        most = max(most, sent)
        try:
            return await plain(*asked)
        finally:
            sent -= 1

    monkeypatch.setattr(entity, "_updated", counted)
    async with running_worker(client, [RepWorkflow]):
        asked = [holding(f"b{n}", start=60 + 30 * n) for n in range(40)]
        held = await asyncio.gather(*(ledger.hold(client, "in-line", one) for one in asked))
    assert all(each.ok for each in held)
    assert 1 < most <= 8
