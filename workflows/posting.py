"""E-mails that go out by themselves: touches of the cadence and reminders, to whoever can be reached so.

No hour and no consent binds an e-mail as they bind a call; what does is an address that works, the least gap between two
touches, and the footer with postal address and unsubscribe link that the playbook is proven to have (CAN-SPAM).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from . import events as ev
from .lead import Lead
from .playbook import Playbook
from .rules import Ruling
from .steps import Step, settle


def anytime(at: datetime) -> Ruling:
    """The calling gate of e-mails: open at ``at``, and on."""
    return Ruling(at=at, until=at + timedelta(days=1))


def reachable(state: Lead, playbook: Playbook) -> bool:
    """Whether a lead without a number is worked by e-mail: there is an address, and the playbook has e-mails for it."""
    touches = (*playbook.cadence.first, *playbook.cadence.recovery)
    return bool(state.email) and any(touch.channel == "email" for touch in touches)


def send(touch: str, message: str, rule: str, reason: str, now: datetime) -> Step:
    """``message`` goes out by e-mail now, under ``touch``."""
    return settle(f"mail:{touch}", rule, reason, ev.MailDue(at=now, touch=touch, message=message))
