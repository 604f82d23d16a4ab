"""The four kinds of failure of an effect on the world, as Temporal sees them.

*retry after t* and *retry* leave it to Temporal's retry policy; *permanent* and *ambiguous* end the activity: after an
ambiguous failure the effect may have happened, so it is reconciled before anything is tried again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from temporalio.exceptions import ApplicationError


def retry_after(message: str, delay: timedelta) -> ApplicationError:
    """The vendor said when to come again."""
    return ApplicationError(message, type="retry_after", next_retry_delay=delay)


def retry(message: str) -> ApplicationError:
    """Nothing happened at the vendor, or the effect is idempotent: the retry policy decides when."""
    return ApplicationError(message, type="retry")


def permanent(message: str) -> ApplicationError:
    """The vendor refused, and will refuse again."""
    return ApplicationError(message, type="permanent", non_retryable=True)


def ambiguous(message: str) -> ApplicationError:
    """The request may have been carried out: a time-out or a dropped connection after it was sent."""
    return ApplicationError(message, type="ambiguous", non_retryable=True)


def is_temporary(error: BaseException) -> bool:
    """Whether the same may succeed later; an error of another kind is a fault of ours."""
    return not isinstance(error, ApplicationError) or not error.non_retryable


def worst(errors: Iterable[BaseException]) -> BaseException | None:
    """What a whole means whose parts raised ``errors``: the unforeseen first, then the longest wait, then a retry,
    then all refusals in one. None when there were none."""
    found = list(errors)
    known = [error for error in found if isinstance(error, ApplicationError)]
    if len(known) < len(found):
        return next(error for error in found if not isinstance(error, ApplicationError))
    temporary = [error for error in known if not error.non_retryable]
    if temporary:
        return max(temporary, key=lambda error: error.next_retry_delay or timedelta(0))
    if len(known) > 1:
        return permanent("; ".join(dict.fromkeys(error.message for error in known)))
    return known[0] if known else None
