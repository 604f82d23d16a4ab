"""E-mails: the activity that sends one, and what one looks like.

A message is made from its request alone, under a Message-ID of its touch. When the server's answer is lost it is sent
again, unlike a text: a confirmation that never came costs a meeting, while a repeat under the same Message-ID is shown
once by most mail programs, and its invitation, of the same UID and SEQUENCE, changes nothing in a calendar.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from temporalio import activity
from temporalio.exceptions import ApplicationError

from workflows import identity
from workflows.effects import Gate, Mail, Mailed, SendMail

from . import faults, gate, links, replies
from .dispatch import late
from .invitation import invitation
from .settings import settings
from .vendors import smtp

_ALONGSIDE = 5.0
"""Seconds that an e-mail may add to the activity of its text; after that it is sent by itself."""
_PAUSED = timedelta(minutes=5)
"""After this long it is asked again whether e-mail is still paused."""
_STOP = timedelta(days=365)
"""How long the link lives that stops all contact (RFC 8058 wants it to work long after the message)."""
_MOST_REFERENCES = 10
"""A header may not grow without end; the root of the thread and the newest are what mail programs go by."""
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^\s)]+)\)|(https?://[^\s<]+)")


@activity.defn
async def send_mail(request: SendMail) -> Mailed:
    """Ask the gate, then send. Raises ``retry`` also when the answer was lost, and ``permanent``."""
    if late(request.not_after):
        return Mailed(refused="late")
    return Mailed(refused=await _deliver(request.gate, request.mail))


async def alongside(asker: Gate, mail: Mail) -> str:
    """Send ``mail`` in the activity of its text, which it must not endanger: ``sent``, ``later`` when it has to be
    tried by itself, else why it will not be sent. Raises nothing."""
    try:
        async with asyncio.timeout(_ALONGSIDE):
            return await _deliver(asker, mail) or "sent"
    except TimeoutError:
        return "later"
    except ApplicationError as error:
        return error.message if error.type == "permanent" else "later"


async def _deliver(asker: Gate, mail: Mail) -> str:
    """Empty once it is sent, else the rule against it."""
    if not smtp.configured():
        return "no_mail_server"
    # Also an address that we learned in a talk, or that a person corrected, may be somebody's who has opted out.
    theirs = identity.handle_id(settings().identity_key, mail.to.strip().lower())
    if refused := await gate.ask(asker.model_copy(update={"handles": (*asker.handles, theirs)}), "email"):
        if refused.startswith("paused:"):
            raise faults.retry_after(refused, _PAUSED)
        return refused
    try:
        await smtp.send(compose(asker.lead, mail), mail.to, replies.address(asker.lead))
    except ApplicationError as error:
        if error.type == "ambiguous":
            raise faults.retry(f"{error.message}; the same message is sent again") from None
        raise
    return ""


def compose(lead: str, mail: Mail) -> EmailMessage:
    """The whole message: plain words, the same as HTML, and the invitation if it carries one. Raises permanent when an
    address cannot be written."""
    stop = links.stop_link(lead, mail.at + _STOP)
    words = links.filled(mail.body, lead, mail.links, mail.expires).replace("{stop_link}", stop)
    plain = _LINK.sub(lambda m: f"{m[1]}: {m[2]}" if m[1] else m[3], words)
    message = EmailMessage(policy=SMTP)
    from_ = smtp.sender(_line(mail.sender))
    message["From"] = from_
    try:
        message["To"] = Address(display_name=_line(mail.name), addr_spec=mail.to)
    except (ValueError, IndexError):
        raise faults.permanent("the lead's e-mail address cannot be written to") from None
    message["Subject"] = _line(mail.subject)
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = message_id(lead, mail.touch, from_.domain)
    if answers := replies.address(lead):
        message["Reply-To"] = answers
    thread = message_id(lead, "", from_.domain)
    message["In-Reply-To"] = mail.answers or thread
    message["References"] = " ".join(dict.fromkeys(filter(None, (thread, *mail.references[-_MOST_REFERENCES:], mail.answers))))
    message["Auto-Submitted"] = "auto-replied" if mail.answers else "auto-generated"
    message["List-Unsubscribe"] = f"<{stop}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(plain)
    message.add_alternative(_html(words), subtype="html")
    if mail.method and mail.booking:
        ics = invitation(
            mail.method,
            mail.booking,
            title=mail.title,
            words=plain,
            link=links.join_link(lead, mail.booking.id, mail.expires),
            organizer=from_.addr_spec,
            organizer_name=mail.sender,
            attendee=mail.to,
            attendee_name=mail.name,
            at=mail.at,
        )
        # Twice, as calendars themselves send it: the part is what mail programs act on, the file what people open.
        message.add_alternative(ics.decode(), subtype="calendar", params={"method": mail.method}, cte="base64")
        message.add_attachment(ics, maintype="application", subtype="ics", filename="invite.ics")
    return message


def message_id(lead: str, touch: str, domain: str) -> str:
    """The Message-ID of the e-mail of ``touch``; with no touch, the name of the thread that a lead's e-mails are."""
    digest = hashlib.blake2b(f"{lead}\0{touch}".encode(), digest_size=16).hexdigest()
    return f"<{digest}@{domain}>"


def _line(text: str) -> str:
    """One line of a header, however it was typed into a form."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _html(words: str) -> str:
    """Plain words as HTML: a paragraph each, a link with words as a button."""
    paragraphs = "".join(
        f'<p style="margin:0 0 16px">{_linked(part)}</p>' for part in re.split(r"\n\s*\n", words.strip())
    )
    return (
        '<!doctype html><html lang="en"><body style="margin:0;padding:24px;background:#f6f6f4;color:#1c1d21;'
        'font:16px/1.5 system-ui,-apple-system,Segoe UI,Roboto,sans-serif">'
        '<div style="max-width:520px;margin:0 auto;background:#fff;border-radius:12px;padding:24px">'
        f"{paragraphs}</div></body></html>"
    )


def _linked(text: str) -> str:
    parts, end = [], 0
    for found in _LINK.finditer(text):
        parts.append(escape(text[end : found.start()]).replace("\n", "<br>"))
        label, address = (found[1], found[2]) if found[1] else (found[3], found[3])
        look = "font-weight:600;color:#2f5bd7" if found[1] else "color:#2f5bd7"
        parts.append(f'<a href="{escape(address)}" style="{look}">{escape(label)}</a>')
        end = found.end()
    parts.append(escape(text[end:]).replace("\n", "<br>"))
    return "".join(parts)
