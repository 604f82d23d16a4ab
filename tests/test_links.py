"""Links are short, signed, expire, and carry nothing personal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities import links
from activities.settings import settings

LEAD = "lead-" + "0123456789abcdef" * 2
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=3)


@pytest.fixture(autouse=True)
def _keyed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SHOWRATE_LINK_KEY", "k" * 32)
    monkeypatch.setenv("SHOWRATE_PUBLIC_URL", "https://meet.example.com/")
    settings.cache_clear()
    yield
    settings.cache_clear()


def token(link: str) -> str:
    return link.rsplit("/", 1)[1]


def test_what_was_written_is_read() -> None:
    join = links.join_link(LEAD, f"{LEAD}.b1", LATER)
    assert join.startswith("https://meet.example.com/j/")
    assert links.read(token(join), NOW) == links.Link(
        kind="join", lead=LEAD, booking=f"{LEAD}.b1", expires=LATER
    )
    manage = links.manage_link(LEAD, "", LATER)
    assert manage.startswith("https://meet.example.com/m/")
    assert links.read(token(manage), NOW) == links.Link(kind="manage", lead=LEAD, expires=LATER)


def test_it_fits_into_a_text() -> None:
    """Half of a 160-character segment stays for words, with a usual host."""
    assert len(token(links.join_link(LEAD, f"{LEAD}.b1", LATER))) <= 60


@given(
    lead=st.text("0123456789abcdef", min_size=32, max_size=32).map("lead-{}".format),
    booking=st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=40),
    seconds=st.integers(1, 10**8),
)
def test_any_booking_survives(lead: str, booking: str, seconds: int) -> None:
    expires = NOW + timedelta(seconds=seconds)
    for name in (booking, lead + booking):
        read = links.read(token(links.manage_link(lead, name, expires)), NOW)
        assert (read.lead, read.booking, read.expires) == (lead, name, expires)


def test_it_dies_at_its_time() -> None:
    link = token(links.join_link(LEAD, "b1", LATER))
    assert links.read(link, LATER - timedelta(seconds=1)).booking == "b1"
    with pytest.raises(links.BadLink) as raised:
        links.read(link, LATER)
    assert raised.value.reason == "expired"


@given(st.data())
def test_no_changed_token_is_read(data: st.DataObject) -> None:
    """Each character is part of the payload or of the signature."""
    link = token(links.join_link(LEAD, "b1", LATER))
    place = data.draw(st.integers(0, len(link) - 2))  # the very last carries spare bits of base64
    other = data.draw(st.sampled_from("ABCxyz019-_.").filter(lambda c: c != link[place]))
    with pytest.raises(links.BadLink) as raised:
        links.read(link[:place] + other + link[place + 1 :], NOW)
    assert raised.value.reason == "unreadable"


@pytest.mark.parametrize("rubbish", ["", ".", "abc", "é.é", "a" * 5000, "%00", "....", "\x00"])
def test_rubbish_is_unreadable(rubbish: str) -> None:
    with pytest.raises(links.BadLink):
        links.read(rubbish, NOW)


def test_another_key_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    link = token(links.join_link(LEAD, "b1", LATER))
    monkeypatch.setenv("SHOWRATE_LINK_KEY", "z" * 32)
    settings.cache_clear()
    with pytest.raises(links.BadLink):
        links.read(link, NOW)
    monkeypatch.setenv("SHOWRATE_LINK_KEY", "short")
    settings.cache_clear()
    with pytest.raises(ValueError, match="SHOWRATE_LINK_KEY"):
        links.join_link(LEAD, "b1", LATER)


def test_only_a_leads_own_id_makes_a_link() -> None:
    with pytest.raises(ValueError, match="no lead's id"):
        links.join_link("+14155550123", "b1", LATER)
