"""How the vendors do, as this process sees it, and the alerts that follow: when one fails repeatedly, when it goes on,
and when it is well again; each told once to the reps' channel, whichever process saw it.

Effects are counted in the process; only a change of fortune is written down (:mod:`activities.troubles`).
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from temporalio.exceptions import ApplicationError

from workflows.effects import Card, Entry

from . import metrics, notices, troubles
from .settings import settings
from .troubles import News, Trouble
from .vendors import slack

log = logging.getLogger(__name__)

HOLDER = f"{socket.gethostname()}-{os.getpid()}"
"""This process."""
CALLS = "calls"
_PAUSE = 5.0
"""Seconds between two looks at what was counted."""
_WELL = 3
"""So many successes in a row mean that it is well again; one is enough when the window has passed since."""

_CALLS_AND_TEXTS = "calls and texts do not go out; they are planned again"
_VENDORS = {
    "place_call": ("the carrier", _CALLS_AND_TEXTS),
    "end_call": ("the carrier", _CALLS_AND_TEXTS),
    "find_call": ("the carrier", _CALLS_AND_TEXTS),
    "send_text": ("the text carrier", "texts do not go out; they are planned again"),
    "find_text": ("the text carrier", "texts do not go out; they are planned again"),
    "send_mail": ("the mail server", "e-mails wait, and are given up after a day"),
    "find_slots": ("the calendars", "no times can be offered and no meeting booked"),
    "book_meeting": ("the calendars", "no times can be offered and no meeting booked"),
    "release_meeting": ("the calendars", "meetings that are off still stand in the reps' calendars"),
    "sync_calendars": ("the calendars", "what reps change in their calendars is not seen"),
    "converse": ("the language model", "texts of leads are not answered by the machine, and go to people"),
    "model_turn": ("the language model", "in calls the agent has nothing to say, and hands over"),
    "reflect.crm": ("the CRM", "contacts, calls and meetings are written later"),
    "reflect.notice": ("Slack", "cards come later, and so does this alert"),
    "reflect.record": ("the record", "lists, funnel and outgoing events come later"),
}
"""By the name of an effect: who is asked for it, and what does not happen while they fail."""
_FAILURES = frozenset({"retry", "retry_after", "permanent", "ambiguous", "error"})
_OUR_OWN = ("late", "opted_out", "no_longer_wanted", "paused:")
"""Why a dial was not made when nothing failed: our own rules."""


class Tally:
    """What became of the effects of one name lately."""

    def __init__(self, affects: str) -> None:
        self.affects = affects
        self.why = ""
        self._seen: deque[tuple[datetime, bool]] = deque(maxlen=2000)
        self._fresh = 0
        self._leads: set[str] = set()
        self._new_leads = 0
        self.failing_since: datetime | None = None
        self._good = 0
        self._last_failure: datetime | None = None

    def add(self, at: datetime, ok: bool, why: str, lead: str) -> None:
        self._seen.append((at, ok))
        if ok:
            self._good += 1
            return
        self._good, self._last_failure, self.why = 0, at, why or self.why
        self._fresh += 1
        self.failing_since = self.failing_since or at
        if lead and lead not in self._leads and len(self._leads) < 100_000:
            self._leads.add(lead)
            self._new_leads += 1

    def fails(self, now: datetime, threshold: int, outnumbered: bool) -> bool:
        """Whether there were ``threshold`` failures in the window, and (``outnumbered``) not more successes."""
        begins = now - timedelta(seconds=settings().showrate_alert_window)
        lately = [ok for at, ok in self._seen if at >= begins]
        failures = lately.count(False)
        return failures >= threshold and (not outnumbered or failures >= len(lately) - failures)

    def well(self, now: datetime) -> bool:
        """Whether it has worked since it last failed."""
        if self._last_failure is None or not self._good:
            return False
        past = now - self._last_failure >= timedelta(seconds=settings().showrate_alert_window)
        return self._good >= _WELL or past

    def taken(self) -> tuple[int, int]:
        """The failures and leads since the last look."""
        fresh, self._fresh, leads, self._new_leads = self._fresh, 0, self._new_leads, 0
        return fresh, leads

    def forget(self) -> None:
        """It is well: the next failure begins anew."""
        self._seen.clear()
        self.failing_since, self._last_failure, self.why = None, None, ""
        self._fresh = self._new_leads = 0
        self._leads.clear()


_lock = threading.Lock()
_tallies: dict[str, Tally] = {}


def effect(name: str, outcome: str, why: str = "", lead: str = "", at: datetime | None = None) -> None:
    """Count one effect on the world, as :func:`activities.metrics.effect` does, for the alerts too. ``name`` is an
    activity's, a part's of the reflection, or ``webhook ENDPOINT``; ``why`` holds nothing that a person said."""
    if name.startswith("webhook "):
        vendor, affects = name, "its events wait, and are sent in order when it answers"
    elif name in _VENDORS:
        vendor, affects = _VENDORS[name]
    else:
        vendor, affects = "", ""
    if not name.startswith("webhook "):
        metrics.effect(name, outcome)
    if vendor:
        _count(vendor, affects, outcome not in _FAILURES, why, lead, at)


def calls(lead: str, entries: Iterable[Entry]) -> None:
    """Count the calls that these lines of a lead's story tell of."""
    for entry in entries:
        failed = _call_failed(entry)
        if failed is not None:
            why = f"{entry.rule or 'the carrier says: failed'}"
            _count(CALLS, "these leads were not reached; what comes next is planned", not failed, why, lead, None)


def _call_failed(entry: Entry) -> bool | None:
    """Whether the entry tells of a call that failed; None when it tells of no call's end."""
    if entry.kind == "call_ended":
        return entry.data.get("outcome") == "failed"
    if entry.kind == "not_called":
        return True if "attempt" in entry.data and not entry.rule.startswith(_OUR_OWN) else None
    return True if entry.kind == "ambiguous" and "attempt" in entry.data else None


def _count(name: str, affects: str, ok: bool, why: str, lead: str, at: datetime | None) -> None:
    with _lock:
        tally = _tallies.setdefault(name, Tally(affects))
        tally.add(at or datetime.now(UTC), ok, why, lead)


def switched_off(endpoint: str, why: str, at: datetime) -> None:
    """An endpoint was switched off: somebody has to look. Writes to the record: call it through a thread from a running
    event loop."""
    affects = f"its events wait, for it is switched off; when it is mended: showrate events enable {endpoint}"
    troubles.begin(Trouble(name=_deliveries(endpoint), since=at, affects=affects, why=why, holder=HOLDER), at)


def switched_on(endpoint: str, at: datetime) -> None:
    """It is delivered to again."""
    troubles.end(_deliveries(endpoint), HOLDER, at)


def _deliveries(endpoint: str) -> str:
    return f"the webhooks to {endpoint}"


# ---- looking and telling -------------------------------------------------------------------------------------------


async def watch(stop: asyncio.Event) -> None:
    """Look at what was counted and tell what is new, until ``stop``. A record or a Slack that is away is tried again."""
    while not stop.is_set():
        try:
            now = datetime.now(UTC)
            await asyncio.to_thread(look, now)
            await tell(now)
        except Exception as error:  # the watch itself must not end
            log.warning("troubles cannot be written down: %s", type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PAUSE)


def look(now: datetime) -> None:
    """Write down who fails and who is well again."""
    using = settings()
    with _lock:
        found = list(_tallies.items())
    for name, tally in found:
        about_calls = name == CALLS
        threshold = using.showrate_alert_calls if about_calls else using.showrate_alert_failures
        with _lock:
            fails = tally.fails(now, threshold, outnumbered=not about_calls)
            well = tally.well(now)
            if not fails and not well:
                continue
            failures, leads = tally.taken()
            since, affects, why = tally.failing_since, tally.affects, tally.why
            if well:
                tally.forget()
        if failures and fails:
            seen = Trouble(name=name, since=since, failures=failures, leads=leads, affects=affects, why=why, holder=HOLDER)
            troubles.begin(seen, now)
        if well:
            troubles.end(name, HOLDER, now)


async def tell(now: datetime) -> None:
    """Tell the reps' channel what it does not know yet; without a channel the log is told."""
    quiet = timedelta(seconds=settings().showrate_alert_quiet)
    for trouble in await asyncio.to_thread(troubles.known):
        news = trouble.news(now, quiet)
        if news is None or not await asyncio.to_thread(troubles.claim, trouble, news, now):
            continue
        card = _card(trouble, news, now)
        log.warning("%s; %s", card.title, "; ".join(card.lines))
        if not slack.configured():
            continue
        try:
            await notices.post([card])
        except ApplicationError as error:
            log.warning("an alert could not be posted: %s", error.message)
            await asyncio.to_thread(troubles.give_back, trouble)


def _card(trouble: Trouble, news: News, now: datetime) -> Card:
    since = (trouble.told_since if news == "well" else trouble.since) or now
    key = f"alert:{trouble.name}:{since.isoformat()}:{news}"
    key += f":{trouble.told_at.timestamp():.0f}" if news == "goes_on" and trouble.told_at else ""
    name = trouble.name[:1].upper() + trouble.name[1:]
    counted = [_many(number, thing) for number, thing in ((trouble.failures, "failure"), (trouble.leads, "lead")) if number]
    began = ": ".join(filter(None, [f"Since {_when(since)}", ", ".join(counted)]))
    if news == "well":
        return Card(key=key, title=f"Well again: {name}", lines=(f"In trouble {began[0].lower()}{began[1:]}.",))
    title = f"Trouble: {name}" if news == "began" else f"Still in trouble: {name}"
    lines = (f"{began}.", f"Meanwhile {trouble.affects}.", f"The last: {trouble.why}" if trouble.why else "")
    return Card(key=key, title=title, lines=tuple(filter(None, lines)), urgent=news == "began")


def _many(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _when(at: datetime) -> str:
    """In UTC: the channel's readers may be anywhere."""
    return f"{at.astimezone(UTC):%b %-d, %H:%M} UTC"
