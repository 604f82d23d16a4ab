"""What a vendor's answer must look like to be believed, the same for every calendar.

An answer of the wrong shape is worse than none: a time without its zone or a slot of negative length would be offered to
somebody. So it is refused whole, and what is not known is not free.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from activities import faults

MOST = 20_000
"""Times in one answer that are believed: a slot every five minutes, day and night, for two months is fewer."""


@contextmanager
def believed(vendor: str) -> Iterator[None]:
    """Whatever in this block trips over the shape of ``vendor``'s answer raises ``permanent`` saying what was wrong with
    it, never quoting it: an answer may hold an address."""
    try:
        yield
    except _Nonsense as error:
        raise faults.permanent(f"{vendor}'s answer makes no sense: {error}") from None
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise faults.permanent(f"{vendor}'s answer makes no sense ({type(error).__name__})") from None


def instant(text: Any) -> datetime:
    """An ISO 8601 time with its offset, in UTC."""
    if not isinstance(text, str):
        raise _Nonsense(f"a time that is no text but {type(text).__name__}")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _Nonsense("a time that is none") from None
    if moment.tzinfo is None:
        raise _Nonsense("a time without its zone")
    return moment.astimezone(UTC)


def span(start: Any, end: Any) -> tuple[datetime, datetime]:
    """From one time to another that does not come before it."""
    since, until = instant(start), instant(end)
    if until < since:
        raise _Nonsense("a time that ends before it begins")
    return since, until


def minutes(number: Any) -> timedelta:
    """The length of a meeting."""
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number <= 24 * 60:
        raise _Nonsense("a length that no meeting has")
    return timedelta(minutes=number)


def rows(found: Any) -> list[Any]:
    """A list of no more than anybody has."""
    if not isinstance(found, list):
        raise _Nonsense(f"{type(found).__name__} where a list belongs")
    few(found)
    return found


def few(found: Collection[Any]) -> None:
    """No more of them than a calendar has."""
    if len(found) > MOST:
        raise _Nonsense(f"{len(found)} times, more than a calendar has")


class _Nonsense(Exception):
    """What is wrong with an answer, in words that quote nothing of it."""
