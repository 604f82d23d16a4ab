"""What a vendor's HTTP status means for us, the same for every vendor that has no rule of its own.

The vendor's text stays out of the messages made here: it may quote an address, and messages of failures reach logs.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from temporalio.exceptions import ApplicationError

from activities import faults

_TEMPORARY = frozenset({408, 425, 429})


def temporary(status: int) -> bool:
    """Whether the same request may succeed later: time-outs, too many requests, and the vendor's own faults."""
    return status in _TEMPORARY or status >= 500


def delay(header: str | None, now: datetime | None = None) -> timedelta | None:
    """The wait that a ``Retry-After`` header asks for, in seconds or as an HTTP date; None when there is none that
    can be read. ``now`` (aware) is for tests."""
    if not header:
        return None
    try:
        return timedelta(seconds=max(float(header), 0.0))
    except (ValueError, OverflowError):
        pass
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(moment - (now or datetime.now(UTC)), timedelta(0))


def fault(vendor: str, status: int, words: str = "", header: str | None = None) -> ApplicationError:
    """The error to raise for ``status``, for effects that are idempotent or reads. ``words`` are the vendor's codes
    without anything personal; ``header`` is its Retry-After."""
    message = f"{vendor} answered {status} {words}".rstrip()
    if not temporary(status):
        return faults.permanent(message)
    wait = delay(header)
    return faults.retry(message) if wait is None else faults.retry_after(message, wait)
