"""Signed, expiring links: to a booking's join page and manage page, to the page that stops all contact, and to the one
on which a rep says whether the lead came.

They go into texts, where every character counts, so the token is packed binary: kind, expiry, the hash in the
lead's id, the booking's id and a 128-bit signature. It carries nothing personal.
"""

from __future__ import annotations

import functools
import hashlib
import re
import struct
from datetime import UTC, datetime
from typing import Literal

from itsdangerous import BadSignature, Signer
from itsdangerous.encoding import base64_decode, base64_encode
from itsdangerous.exc import BadData

from workflows import identity
from workflows.model import Instant, Model

from .settings import settings

Kind = Literal["join", "manage", "stop", "outcome"]

_CODES: dict[Kind, str] = {"join": "j", "manage": "m", "stop": "s", "outcome": "o"}
_KINDS: dict[bytes, Kind] = {b"j": "join", b"m": "manage", b"s": "stop", b"o": "outcome"}
_HEAD = struct.Struct(">cI16s")
"""Kind, expiry in Unix seconds, the lead's hash."""
_LEAD = re.compile(re.escape(identity.lead_id("")) + r"[0-9a-f]{32}")
_OWN = "\x00"
"""Stands for the lead's own id at the start of a booking's id."""


class BadLink(Exception):
    """The link cannot be used; ``reason`` is ``expired`` or ``unreadable``."""

    def __init__(self, reason: Literal["expired", "unreadable"]) -> None:
        super().__init__(f"the link is {reason}")
        self.reason = reason


class Link(Model):
    """What a link says: its kind, whose it is, for which booking ('' for none), until when."""

    kind: Kind
    lead: str
    booking: str = ""
    expires: Instant


def join_link(lead: str, booking: str, expires: datetime) -> str:
    """The address under which the lead joins ``booking``. Raises ValueError when no link key is set."""
    return f"{settings().showrate_public_url}/j/{_write('join', lead, booking, expires)}"


def manage_link(lead: str, booking: str, expires: datetime) -> str:
    """The address under which the lead confirms, moves or cancels; ``booking`` may be ''."""
    return f"{settings().showrate_public_url}/m/{_write('manage', lead, booking, expires)}"


def stop_link(lead: str, expires: datetime) -> str:
    """The address under which the lead asks not to be contacted again (RFC 8058: one POST is enough)."""
    return f"{settings().showrate_public_url}/s/{_write('stop', lead, '', expires)}"


def outcome_link(lead: str, booking: str, expires: datetime) -> str:
    """The address under which a rep says whether the lead came to ``booking``."""
    return f"{settings().showrate_public_url}/o/{_write('outcome', lead, booking, expires)}"


def filled(body: str, lead: str, booking: str, expires: datetime) -> str:
    """``body`` with its ``{join_link}`` and ``{manage_link}``. They are signed, not drawn, so the same request gives
    the same words each time."""
    for name, link in (("{join_link}", join_link), ("{manage_link}", manage_link)):
        if name in body:
            body = body.replace(name, link(lead, booking, expires))
    return body


def read(token: str, now: datetime | None = None) -> Link:
    """The link of a token, as of ``now``. Raises BadLink: nothing in a token is believed before its
    signature."""
    try:
        packed = base64_decode(_signer().unsign(token))
        code, seconds, lead_hash = _HEAD.unpack_from(packed)
        booking = packed[_HEAD.size :].decode()
        kind = _KINDS[code]
    except (BadSignature, BadData, KeyError, struct.error, UnicodeError) as error:
        raise BadLink("unreadable") from error
    expires = datetime.fromtimestamp(seconds, UTC)
    if expires <= (now or datetime.now(UTC)):
        raise BadLink("expired")
    lead = identity.lead_id(lead_hash.hex())
    return Link(kind=kind, lead=lead, booking=booking.replace(_OWN, lead, 1), expires=expires)


def _write(kind: Kind, lead: str, booking: str, expires: datetime) -> str:
    if not _LEAD.fullmatch(lead):
        raise ValueError(f"{lead!r} is no lead's id")
    lead_hash = bytes.fromhex(lead.removeprefix(identity.lead_id("")))
    head = _HEAD.pack(_CODES[kind].encode(), int(expires.timestamp()), lead_hash)
    booking = booking.replace(lead, _OWN, 1) if booking.startswith(lead) else booking
    return _signer().sign(base64_encode(head + booking.encode())).decode()


def _signer() -> Signer:
    key = settings().showrate_link_key
    if len(key) < 32:
        raise ValueError("SHOWRATE_LINK_KEY is missing or short; `showrate setup --new-keys` prints one")
    return _signer_of(key)


@functools.cache
def _signer_of(key: str) -> Signer:
    digest = functools.partial(hashlib.blake2b, digest_size=16)
    return Signer(key, salt="showrate.links", key_derivation="hmac", digest_method=digest)
