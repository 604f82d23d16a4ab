""""A bit later", "half an hour earlier", "that's too early": from the time that is spoken of to the next one that is free."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.talk import SLOTS, ZONE, Lead, Talk, brief, slot
from tests.test_times_heard import FITS, booked
from workflows import events as ev
from workflows.conversation import dates

DAY = (*(slot(26, hour, minute) for hour in range(9, 17) for minute in (0, 30)), slot(27, 9))


def offered(*slots: ev.Slot) -> Talk:
    """Somebody who fits and has just been offered these three of Thursday's times; the ledger has each half hour of it."""
    talk = Talk(brief(learned=FITS, sources=dict.fromkeys(FITS, "said")), lead=Lead(slots))
    talk.hear("Yes.")
    assert talk.state.offered == slots
    talk.lead.slots = DAY
    return talk


def standing() -> Talk:
    """Somebody who has just booked Thursday at eleven."""
    talk = offered(slot(26, 11))
    talk.hear("Yes.")
    assert talk.state.booking is not None
    return talk


@pytest.mark.parametrize(
    ("words", "then"),
    [
        ("Do you have anything a bit later?", slot(26, 13, 30)),
        ("A little earlier would be better.", slot(26, 9, 30)),
        ("Something later in the day?", slot(26, 13, 30)),
        ("That's too early for me.", slot(26, 13, 30)),
        ("Is there anything sooner?", slot(26, 9, 30)),
        ("Could we do it an hour later?", slot(26, 14)),
        ("Half an hour earlier, maybe?", slot(26, 9, 30)),
    ],
)
def test_the_next_free_time_that_way_is_offered(words: str, then: ev.Slot) -> None:
    talk = offered(slot(26, 10), slot(26, 11), slot(26, 13))
    talk.hear(words)
    assert talk.state.offered == (then,)
    assert not booked(talk)
    talk.hear("Yes, that works.")
    assert booked(talk) == [then.id]


@pytest.mark.parametrize(
    ("words", "then"),
    [
        ("Actually, can we make it a bit later?", slot(26, 11, 30)),
        ("Can we push it back a bit?", slot(26, 11, 30)),
        ("Hm, a little earlier would be better.", slot(26, 10, 30)),
        ("Oh wait, I have a dentist then. Could we do it an hour later?", slot(26, 12)),
        ("Could you move it up a bit?", slot(26, 10, 30)),
    ],
)
def test_a_meeting_that_stands_is_moved_that_way(words: str, then: ev.Slot) -> None:
    talk = standing()
    talk.hear(words)
    assert talk.state.offered == (then,)
    talk.hear("Yes.")
    assert talk.state.booking.start == then.start


def test_step_after_step_goes_on_from_the_last_one() -> None:
    talk = offered(slot(26, 10))
    for _ in range(3):
        talk.hear("A bit later?")
    assert talk.state.offered == (slot(26, 11, 30),)
    talk.hear("A little earlier.")
    assert talk.state.offered[0].start < slot(26, 10).start, "what was passed over is not offered again"


def test_where_nothing_is_free_that_way_the_nearest_is_offered_and_said_to_be_that() -> None:
    talk = offered(slot(26, 16, 30))
    assert "Nothing is free then" in talk.hear("Anything a bit later?")
    assert talk.state.offered


@pytest.mark.parametrize(
    "words",
    ["Call me a bit later.", "the later one", "no later than four", "sooner or later", "I'm a bit late.", "Maybe later.", "ten or later", "later this week"],
)  # fmt: skip
def test_what_only_sounds_like_a_step_is_none(words: str) -> None:
    assert dates.step(words) == 0


def test_a_call_a_bit_later_is_a_call_also_with_times_on_the_table() -> None:
    talk = offered(*SLOTS)
    talk.hear("Could you call me back a bit later?")
    assert not any(isinstance(act, ev.OfferSlots) and act.count for act in talk.lead.acts)
    assert dates.wanted("an hour later", ZONE, talk.now).shift == timedelta(hours=1)
