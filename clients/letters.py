"""An e-mail as it came in (RFC 5322), read: who wrote it, in which thread, and whether a person did.

Pure functions over the message's bytes. Nothing in it is believed beyond what it says of itself; whoever sends garbage
gets :class:`Unreadable`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage, Message
from email.policy import default
from email.utils import getaddresses
from typing import Literal

from workflows.identity import email_address

from . import quoting

_ID = re.compile(r"<[^<>\s]{1,990}>")
_MOST_IDS = 20
_FORGED = re.compile(r"\bdmarc\s*=\s*fail\b", re.IGNORECASE)
_BY_ITSELF = frozenset(("bulk", "junk", "list", "auto_reply"))
_AWAY = re.compile(
    r"^\W*(?:auto(?:matic|mated)?[ -]?(?:reply|response|answer)|out of (?:the )?office|i am out of|i'm out of|away from|on vacation|autoreply"
    r"|respuesta autom[aá]tica|abwesenheit|r[eé]ponse automatique|undeliver|delivery status|mail delivery|returned mail|failure notice)",
    re.IGNORECASE,
)
_DAEMON = re.compile(r"^(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)(?:[+@-]|$)", re.IGNORECASE)


class Unreadable(ValueError):
    """It is no e-mail, or says not who wrote it; the message names what is missing."""


@dataclass(frozen=True)
class Letter:
    """``kind``: ``person``; ``automatic`` (an absence, a list, another machine: never answered); ``bounce`` (it could not
    be delivered for good: ``failed`` is the address). ``to`` are all addresses that it was sent to."""

    kind: Literal["person", "automatic", "bounce"]
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    id: str
    """Its Message-ID; one made of its content when it has none."""
    references: tuple[str, ...] = ()
    """The Message-IDs of the thread before it, oldest first."""
    failed: str = ""
    forged: bool = False
    """The receiving server says that it does not come from where it says (DMARC)."""


def read(raw: bytes) -> Letter:
    """The letter in ``raw``. Raises Unreadable."""
    try:
        message = message_from_bytes(raw, policy=default)
    except (MessageError, ValueError, LookupError) as error:
        raise Unreadable(f"the message cannot be parsed ({type(error).__name__})") from None
    if not isinstance(message, EmailMessage) or not message.keys():
        raise Unreadable("the message has no headers; send it whole, as RFC 5322 has it")
    failed = _failed(message)
    sender = next(iter(_addresses(message, "From")), "")
    if not sender and not failed:
        raise Unreadable("the message has no readable From address")
    automatic = failed or _automatic(message, sender)
    return Letter(
        kind="bounce" if failed else "automatic" if automatic else "person",
        sender=sender,
        to=_addresses(message, "To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"),
        subject=_line(_header(message, "Subject"))[:300],
        text="" if automatic else _text(message),
        id=next(iter(_ids(message, "Message-ID")), f"<{hashlib.blake2b(raw, digest_size=16).hexdigest()}@unnamed>"),
        references=tuple(dict.fromkeys((*_ids(message, "References"), *_ids(message, "In-Reply-To"))))[-_MOST_IDS:],
        failed=failed,
        forged=any(_FORGED.search(said) for said in _headers(message, "Authentication-Results")),
    )


def _headers(message: EmailMessage, name: str) -> list[str]:
    """All headers of this name, also those that the parser finds wrong."""
    try:
        return [str(value) for value in message.get_all(name, [])]
    except (ValueError, LookupError, IndexError, AttributeError, MessageError):
        return [str(value) for key, value in message.raw_items() if key.lower() == name.lower()]


def _header(message: EmailMessage, name: str) -> str:
    return next(iter(_headers(message, name)), "")


def _addresses(message: EmailMessage, *names: str) -> tuple[str, ...]:
    """The addresses in these headers, each in its one spelling."""
    found: dict[str, None] = {}
    for _, address in getaddresses([value for name in names for value in _headers(message, name)]):
        try:
            found[email_address(address)] = None
        except ValueError:
            continue
    return tuple(found)


def _ids(message: EmailMessage, name: str) -> list[str]:
    return [each for value in _headers(message, name) for each in _ID.findall(value)]


def _automatic(message: EmailMessage, sender: str) -> bool:
    """Whether a machine wrote it (RFC 3834, 2): to answer it would answer forever."""
    submitted = _header(message, "Auto-Submitted").partition(";")[0].strip().lower()
    if submitted not in ("", "no") or _header(message, "Precedence").strip().lower() in _BY_ITSELF:
        return True
    if any(_header(message, name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress", "List-Id", "Feedback-ID")):
        return not _header(message, "X-Auto-Response-Suppress") or bool(_AWAY.search(_header(message, "Subject")))
    if _header(message, "Return-Path").strip() == "<>" or message.get_content_type() == "multipart/report":
        return True
    return bool(_DAEMON.search(sender) or _AWAY.search(_header(message, "Subject")))


def _failed(message: EmailMessage) -> str:
    """The address that a delivery report (RFC 3464) says cannot be delivered to for good; empty for any other message,
    and while delivery is only late (4.x.x)."""
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        blocks = part.get_payload()
        for block in (each for each in (blocks if isinstance(blocks, list) else []) if isinstance(each, Message)):
            action, status = str(block.get("Action", "")).strip().lower(), str(block.get("Status", "")).strip()
            named = str(block.get("Final-Recipient") or block.get("Original-Recipient") or "").partition(";")[2].strip()
            if action == "failed" and not status.startswith("4"):
                try:
                    return email_address(named)
                except ValueError:
                    continue
    return ""


def _text(message: EmailMessage) -> str:
    """What they wrote themselves, without what they quote and how they sign."""
    for kind, plain in (("plain", quoting.own_words), ("html", quoting.own_words_of_html)):
        part = message.get_body((kind,))
        payload = part.get_payload(decode=True) if part is not None else None
        if part is not None and isinstance(payload, bytes) and (words := plain(_decoded(payload, part.get_content_charset()))):
            return words
    return ""


def _decoded(payload: bytes, charset: str | None) -> str:
    """In the encoding that it names, or UTF-8 where it names none, or one that nobody knows."""
    try:
        return payload.decode(charset or "utf-8", "replace")
    except LookupError:
        return payload.decode("utf-8", "replace")


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
