"""Who somebody is to us: handles in one spelling, and ids that carry nothing personal.

Ids are keyed hashes under the identity key. It never rotates and encrypts nothing: whoever holds it can test a
number against an id, and no more.
"""

from __future__ import annotations

import hashlib
import hmac
import re

import phonenumbers


def phone_number(text: str, region: str = "US") -> str:
    """``text`` in E.164 (``+14155550123``); numbers without ``+`` are read as dialled within ``region``
    (ISO 3166 letters). Raises ValueError that says what to write."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise ValueError("not a phone number; write it as +1 415 555 0123") from error
    if not phonenumbers.is_possible_number(number):
        raise ValueError("has too few or too many digits for its country; write it as +1 415 555 0123")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def email_address(text: str) -> str:
    """``text`` trimmed and in lower case. Raises ValueError that says what is missing."""
    address = text.strip().lower()
    local, at, domain = address.rpartition("@")
    if not at or not local or "." not in domain.strip(".") or any(c.isspace() for c in address):
        raise ValueError("not an e-mail address; write it as name@example.com")
    return address


def handle_id(key: bytes, handle: str) -> str:
    """The keyed hash of a handle in its one spelling (E.164 number or lower-case address): 32 hex digits."""
    return hmac.new(key, handle.encode(), hashlib.sha256).hexdigest()[:32]


def crm_handle(contact: str) -> str:
    """The handle of a contact of the CRM, by the CRM's own id."""
    return f"crm:{contact.strip()}"


def lead_id(handle_hash: str) -> str:
    """The workflow id of the lead of this handle: the phone's if there is one, else the e-mail's."""
    return f"lead-{handle_hash}"


NAMED = 12
"""So many digits of the lead's hash stand at the beginning of its bookings' ids."""


def booking_id(lead: str, unique: str) -> str:
    """The id of a booking of ``lead``: short, and whose it is can be found. ``unique`` is 8 hex digits."""
    return f"{lead.removeprefix('lead-')[:NAMED]}{unique}"


def begins(booking: str) -> str:
    """How the id of the lead begins that ``booking`` was named for. Raises ValueError for what is no booking's id: it may
    come from the address bar of a guest."""
    if not re.fullmatch(rf"[0-9a-f]{{{NAMED + 8}}}", booking):
        raise ValueError("no id of a booking")
    return lead_id(booking[:NAMED])


def optout_id(handle_hash: str) -> str:
    """The workflow id whose open execution means: this handle has opted out."""
    return f"optout-{handle_hash}"


def rep_id(rep: str) -> str:
    """The workflow id of a rep's ledger."""
    return f"rep-{rep}"


def team_id(team: str) -> str:
    """The workflow id of a team's turn-keeping."""
    return f"team-{team}"


CONTROL_ID = "showrate-control"
"""The one workflow that holds what is paused."""


CALENDARS_ID = "showrate-calendars"
"""The one Schedule that reads all reps' calendars; a push triggers it."""


def digest_id(team: str) -> str:
    """The Schedule that posts the day of a team."""
    return f"showrate-digest-{team}"


def fingerprint(key: bytes) -> str:
    """Tells one identity key from another without revealing it: stored by ``showrate setup``."""
    return hmac.new(key, b"showrate identity key", hashlib.sha256).hexdigest()[:16]
