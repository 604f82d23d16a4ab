"""What the calendar says that we did not do, for any calendar: nothing that agrees with the ledger is news, and nothing
is news twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from workflows import reconcile
from workflows.ledger import Meeting
from workflows.reconcile import News, Seen

NOW = datetime(2032, 3, 1, 12, tzinfo=UTC)
HALF = timedelta(minutes=30)
STARTS = st.integers(0, 12).map(lambda n: NOW + n * HALF)


@st.composite
def ledgers(draw: st.DrawFn) -> list[Meeting]:
    starts = draw(st.lists(STARTS, max_size=4, unique=True))
    return [
        Meeting(booking=f"b{n}", lead=f"lead-{n}", start=start, end=start + HALF, event=f"e{n}")
        for n, start in enumerate(starts)
    ]


@st.composite
def days(draw: st.DrawFn) -> tuple[list[Meeting], list[Seen]]:
    """A ledger, and a calendar that may say anything of its meetings and of others."""
    meetings = draw(ledgers())
    seen = []
    for meeting in draw(st.permutations(meetings)):
        if draw(st.booleans()):
            start = draw(st.one_of(st.just(meeting.start), STARTS))
            seen.append(
                Seen(
                    id=meeting.event, booking=draw(st.sampled_from([meeting.booking, ""])), rep=draw(st.sampled_from(["ana", "ben"])),
                    start=start, end=start + HALF, gone=draw(st.booleans()),
                    guest=draw(st.sampled_from(["", "accepted", "declined", "tentative"])),
                )
            )  # fmt: skip
    for n in range(draw(st.integers(0, 3))):
        start = draw(STARTS)
        seen.append(Seen(id=f"x{n}", rep="ana", start=start, end=start + 3 * HALF, busy=draw(st.booleans())))
    return meetings, seen


def read(meetings: list[Meeting], seen: list[Seen], told: reconcile.Told) -> tuple[list[News], reconcile.Told]:
    news = reconcile.own_news("ana", "Ana", meetings, seen, told, NOW)
    news += reconcile.clash_news("Ana", meetings, seen, told, NOW)
    return news, reconcile.still_told("ana", meetings, seen, seen, told)


@settings(max_examples=20)
@given(ledgers())
def test_our_own_events_in_their_places_are_no_news(meetings: list[Meeting]) -> None:
    seen = [Seen(id=m.event, booking=m.booking, rep="ana", start=m.start, end=m.end) for m in meetings]
    assert read(meetings, seen, {}) == ([], {})


@settings(max_examples=40)
@given(days())
def test_nothing_is_news_twice_and_only_meetings_have_news(day: tuple[list[Meeting], list[Seen]]) -> None:
    meetings, seen = day
    news, told = read(meetings, seen, {})
    assert {each.meeting.booking for each in news} <= {m.booking for m in meetings}
    assert read(meetings, seen, told) == ([], told)


@settings(max_examples=40)
@given(days())
def test_an_event_says_what_was_done_to_it(day: tuple[list[Meeting], list[Seen]]) -> None:
    meetings, seen = day
    news, _ = read(meetings, seen, {})
    said = {(each.meeting.booking, each.change.change) for each in news}
    for meeting in meetings:
        event = next((each for each in seen if each.id == meeting.event), None)
        changes = {change for booking, change in said if booking == meeting.booking} - {"clash"}
        if event is None:
            assert changes == set()
        elif event.gone:
            assert changes == {"removed"}
        else:
            in_place = (event.rep, event.start) == ("ana", meeting.start)
            wanted = {"moved"} - ({"moved"} if in_place else set())
            assert changes == wanted | ({event.guest} & {"accepted", "declined"})
        beside = [x for x in seen if x.id.startswith("x") and x.busy and x.start and x.end]
        clashes = any(x.start < meeting.end and meeting.start < x.end for x in beside)  # type: ignore[operator]
        assert ((meeting.booking, "clash") in said) == clashes


@settings(max_examples=40)
@given(days())
def test_what_is_gone_again_is_told_once(day: tuple[list[Meeting], list[Seen]]) -> None:
    meetings, seen = day
    _, told = read(meetings, seen, {})
    calm = [Seen(id=m.event, booking=m.booking, rep="ana", start=m.start, end=m.end) for m in meetings]
    news, after = read(meetings, calm, told)
    clashed = {booking for booking, keys in told.items() if any(key.startswith("clash:") for key in keys)}
    moved = {booking for booking, keys in told.items() if any(key.startswith("moved:") for key in keys)}
    assert {each.meeting.booking for each in news if each.change.change == "clear"} == clashed
    assert {each.meeting.booking for each in news if each.change.change == "moved"} == moved
    assert (after, read(meetings, calm, after)[0]) == ({}, [])
