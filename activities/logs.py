"""What a process writes about itself: never a person's name, number, address or words.

The text of an exception may quote any of them (a vendor's refusal names the number it refused), so only its type and
the places in our code are written. Ids of leads and attempts are fine.
"""

from __future__ import annotations

import logging
import traceback
from types import TracebackType


class Discreet(logging.Formatter):
    """Formats exceptions without their messages."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        if record.name == "asyncio" and record.exc_info:
            record.message = record.message.partition("\n")[0]  # the rest shows the task, and its error's message
        return super().formatMessage(record)

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        lines: list[str] = []
        error: BaseException | None = ei[1]
        seen: set[int] = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            lines.append(f"{type(error).__module__}.{type(error).__name__}{_kind(error)}")
            lines += [line.rstrip("\n") for line in traceback.format_tb(error.__traceback__)[-4:]]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(lines)


def start() -> None:
    """Log to standard error, discreetly; to be called once, first of all."""
    handler = logging.StreamHandler()
    handler.setFormatter(Discreet("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for chatty in ("httpx", "httpx2", "httpcore", "openai", "twilio", "googleapiclient", "urllib3", "aiohttp"):
        logging.getLogger(chatty).setLevel(logging.WARNING)  # these log addresses, and numbers stand in some


def _kind(error: BaseException) -> str:
    kind = getattr(error, "type", None)
    return f" ({kind})" if isinstance(kind, str) and kind else ""
