"""Where answers to our e-mails go: ``reply+TOKEN@our.domain``, whose token says which lead was written to.

The token is signed, carries nothing personal, and is written in letters that survive a mail server that ignores case. It
is also the return path, so that a delivery that failed is known by the lead that it was for.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re

from workflows import identity

from .settings import settings

_LEAD = re.compile(re.escape(identity.lead_id("")) + r"[0-9a-f]{32}")
_HASH, _SIGNED = 16, 10
"""Bytes of the lead's hash, and of the signature: together 42 letters, within the 64 that stand before an @."""


def address(lead: str) -> str:
    """Where ``lead`` answers to; empty where no answers are read (MAIL_REPLIES). Raises ValueError without a link key."""
    local, at, domain = settings().mail_replies.partition("@")
    if not at or not _LEAD.fullmatch(lead):
        return ""
    known = bytes.fromhex(lead.removeprefix(identity.lead_id("")))
    token = base64.b32encode(known + _signature(known)).decode().rstrip("=").lower()
    return f"{local}+{token}@{domain}"


def lead_of(to: str) -> str:
    """Whose address this is; empty when it is none of ours."""
    ours, at, domain = settings().mail_replies.lower().partition("@")
    local, _, theirs = to.lower().rpartition("@")
    name, plus, token = local.partition("+")
    if not at or not plus or (name, theirs) != (ours, domain):
        return ""
    try:
        packed = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    except (binascii.Error, ValueError):
        return ""
    known, signature = packed[:_HASH], packed[_HASH:]
    if len(packed) != _HASH + _SIGNED or not hmac.compare_digest(signature, _signature(known)):
        return ""
    return identity.lead_id(known.hex())


def _signature(known: bytes) -> bytes:
    key = settings().showrate_link_key
    if len(key) < 32:
        raise ValueError("SHOWRATE_LINK_KEY is missing or short; `showrate setup --new-keys` prints one")
    return hmac.new(key.encode(), b"showrate replies" + known, hashlib.sha256).digest()[:_SIGNED]
