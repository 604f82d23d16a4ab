"""What of our messages goes out by e-mail too, and how it reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from . import events as ev
from .effects import Mail
from .lead import DueText, Lead
from .playbook import Letter, Playbook
from .wording import first_name, render

_PLAIN = Letter(subject="Re: {subject}", body="{reply}")
"""How an e-mail of theirs is answered where the playbook has no ``reply``."""
_AGAIN = re.compile(r"^(?:(?:re|aw|antw|sv|rv|fwd?)\s*:\s*)+", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_]+(?:[ '’-][^\W\d_]+)*")


def mail(state: Lead, playbook: Playbook, due: DueText, facts: Mapping[str, str], now: datetime) -> Mail | None:
    """The e-mail that goes with ``due``; None when the playbook has none, no address is known, or it answers a text of
    theirs: who writes texts is not written to in two places.

    It invites to the meeting, under the same UID through all its moves, unless the calendar's vendor invites by
    itself: two invitations to one meeting are two meetings in the lead's calendar."""
    letter, person = playbook.mails.get(due.message, _PLAIN if due.post else None), state.person
    if letter is None or person is None or (due.body and due.post is None):
        return None
    post = due.post or ev.Post()
    booking = due.booking or state.booking
    theirs = (state.booked_for, state.booked_email) if booking and state.booked_email else (person.name, person.email)
    name, address = theirs
    address = post.sender or address
    if not address or address.lower() in state.bad_mails:
        return None
    stands = booking if booking and state.booking and booking.id == state.booking.id else None
    method = {"due/booked": "REQUEST", "due/cancelled": "CANCEL"}.get(due.key.rpartition("/")[0], "")
    # Who fills in a form could have us write a link to somebody else: a name has letters only.
    first = first_name(name)
    facts = {**facts, "name": first if _NAME.fullmatch(first) else ""}
    facts = {**facts, "subject": _AGAIN.sub("", post.subject), "reply": "", "address": playbook.company.address}
    facts["reply"] = _ungreeted(due.body, render(letter.body.strip().partition("\n")[0], facts))
    return Mail.model_validate({
        "touch": due.key, "to": address, "name": name if _NAME.fullmatch(name) else "",
        "sender": playbook.company.name, "subject": render(letter.subject, facts), "body": _body(f"{letter.body}\n\n{playbook.mail_footer}", facts),
        "answers": post.id, "references": post.references,
        "booking": booking, "links": stands.id if stands else "", "title": f"{playbook.meeting.name}: {playbook.company.name}",
        "method": method if booking is not None and not booking.invited else "", "at": now,
        "expires": (stands.end if stands else now + playbook.meeting.window) + playbook.attendance.closes,
    })  # fmt: skip


def _ungreeted(reply: str, greeting: str) -> str:
    """``reply`` without the ``greeting`` that stands above it already: "Hi Ada," is said once."""
    rest = reply.removeprefix(greeting).lstrip() if greeting else reply
    return reply if rest == reply else rest[:1].upper() + rest[1:]


def _body(words: str, facts: Mapping[str, str]) -> str:
    """Paragraph by paragraph: the spaces that an empty fact leaves are closed up within each."""
    return "\n\n".join(render(part, facts) for part in re.split(r"\n\s*\n", words.strip()))
