"""What a form may send, and how it becomes a :class:`Form`: pure, and strict only where a person can mend it.

A field that reaches the lead by phone or e-mail must be right (the visitor is still looking at the form); whatever
else is sent is kept, never refused: a lead is worth more than a tidy payload.
"""

from __future__ import annotations

import ipaddress
import json
import re
import unicodedata
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import available_timezones

from workflows.events import Consent, Form
from workflows.identity import crm_handle, email_address, handle_id, phone_number

from .regions import region_code, zip_region

LIMITS = {"name": 200, "company": 200, "message": 5000, "promise": 500, "page": 2000, "consent_text": 5000}
"""The most characters a field may have."""
_ELSE = 300
MAX_ATTRIBUTES = 40
"""Unknown fields kept; more are counted in the attribute ``left_out``."""
MAX_ATTRIBUTE = 1000
"""Characters of an unknown field's value that are kept."""

_SPELLINGS = {
    "phone": ("phone", "phone_number", "tel", "mobile"),
    "email": ("email", "email_address", "e-mail"),
    "name": ("name", "full_name"),
    "zip": ("zip", "zip_code", "zipcode", "postal_code"),
    "state": ("state", "region", "province"),
    "zone": ("zone", "timezone", "time_zone"),
    "crm_id": ("crm_id", "crm_contact", "hubspot_contact_id"),
}
"""Field -> the names under which forms in the wild send it, the first that is filled wins."""
_OURS = ("company", "message", "source", "promise", "page", "submission_id", "key", "audience")
_CONSENT = ("text", "version", "at", "address", "kind")


@dataclass(frozen=True)
class Problem:
    """One field that cannot be used, what is wrong with it, and what to write instead."""

    field: str
    problem: str
    remedy: str


class Unusable(ValueError):
    """The submission cannot be accepted; :attr:`problems` says why, field by field."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.field}: {p.problem}" for p in self.problems))

    def as_json(self) -> list[dict[str, str]]:
        return [asdict(problem) for problem in self.problems]


def read_submission(
    fields: Mapping[str, object],
    *,
    region: str,
    identity_key: bytes,
    now: datetime,
    address: str,
    submission_id: str = "",
) -> Form:
    """The form in ``fields`` (values as JSON or a form encoding gives them).

    ``region`` is the country (ISO 3166) in which numbers without ``+`` are read; ``now`` the instant of arrival;
    ``address`` the peer's IP address; ``submission_id`` the one that the transport carried (a header), which wins
    over the field. Without either a fresh one is made: two posts are then two submissions of one person.
    Raises :class:`Unusable`.
    """
    reading = _Reading(fields)
    phone = reading.handle("phone", lambda text: phone_number(text, region))
    email = reading.handle("email", email_address)
    if not phone and not email and not reading.problems:
        reading.problem("phone", "there is neither a phone number nor an e-mail address", "send phone or email")
    name = reading.text("name") or " ".join(
        filter(None, (reading.text("first_name"), reading.text("last_name")))
    )
    state, zone = reading.text("state"), reading.text("zone")
    code = region_code(state, region) or (zip_region(reading.text("zip")) if region == "US" else "")
    contact = reading.text("crm_id")
    attributes = dict(reading.nested("attributes"))
    if state and not region_code(state, region):
        attributes["state"] = state
    if zone and zone not in _zones():
        attributes["zone"], zone = zone, ""
    form = dict(
        submission_id=submission_id or reading.text("submission_id") or f"f-{uuid.uuid4().hex}",
        name=name,
        phone=phone,
        email=email,
        **{field: reading.text(field) for field in ("company", "message", "source", "promise", "page", "zip")},
        utm=reading.utm(),
        region=code,
        zone=zone,
        consent=reading.consent(now, address, attributes),
        phone_hash=handle_id(identity_key, phone) if phone else "",
        email_hash=handle_id(identity_key, email) if email else "",
        crm_id=contact,
        crm_hash=handle_id(identity_key, crm_handle(contact)) if contact else "",
    )
    if reading.problems:
        raise Unusable(reading.problems)
    return Form.model_validate({**form, "attributes": _bounded({**attributes, **reading.rest()})})


class _Reading:
    """The fields while they are read: remembers which were used and what was wrong."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._values = {clean(str(name)): value for name, value in fields.items()}
        self._used: set[str] = set(_OURS)
        self.problems: list[Problem] = []

    def problem(self, field: str, problem: str, remedy: str) -> None:
        self.problems.append(Problem(field, problem, remedy))

    def text(self, field: str) -> str:
        """The value of ``field`` under any of its spellings, within its length."""
        names = _SPELLINGS.get(field, (field,))
        self._used.update(names)
        value = next(filter(None, (as_text(self._values.get(name)) for name in names)), "")
        return self._within(field, value)

    def handle(self, field: str, normal: object) -> str:
        value = self.text(field)
        if not value:
            return ""
        try:
            return str(normal(value))  # type: ignore[operator]
        except ValueError as error:
            problem, _, remedy = str(error).partition("; ")
            self.problem(field, problem, remedy)
            return ""

    def nested(self, field: str) -> dict[str, str]:
        """An object of texts, empty when it is anything else (which is then kept as an attribute)."""
        value = self._values.get(field)
        if not isinstance(value, Mapping):
            return {}
        self._used.add(field)
        return {clean(str(k))[:64]: as_text(v)[:MAX_ATTRIBUTE] for k, v in value.items()}

    def utm(self) -> dict[str, str]:
        """``utm_source`` and its siblings, or an object ``utm``: names without the prefix."""
        flat = {name: value for name, value in self._values.items() if name.lower().startswith("utm_")}
        self._used.update(flat)
        found = {
            **self.nested("utm"),
            **{name[4:].lower()[:64]: as_text(value)[:_ELSE] for name, value in flat.items()},
        }
        return {name.removeprefix("utm_"): value for name, value in list(found.items())[:20] if value}

    def consent(self, now: datetime, address: str, attributes: dict[str, str]) -> Consent:
        """The consent record: a box that was ticked (``consent``) with ``consent_text`` and ``consent_version``, or
        an object of the same. A form's back end may pass on the visitor's address; ours is then kept beside it."""
        given = self.nested("consent") or {
            name: self.text(f"consent_{name}") for name in _CONSENT if f"consent_{name}" in self._values
        }
        self._used.update(("consent", *(f"consent_{name}" for name in _CONSENT)))
        box = self._values.get("consent")
        ticked = as_text(box).lower() in {"yes", "true", "on", "1", "accepted", "agreed"}
        if isinstance(box, Mapping):
            ticked = as_text(box.get("accepted", "true")).lower() not in {"false", "no", "0", ""}
        visitor = _ip(given.get("address", ""))
        if visitor and visitor != address:
            attributes["sent_from"] = address
        kind = given.get("kind", "")
        if kind not in {"written", "oral", "none"}:
            kind = "written" if ticked else "none"
        if not ticked and not any(given.values()):
            return Consent()
        return Consent(
            text=self._within("consent_text", given.get("text", "")),
            version=given.get("version", "")[:_ELSE],
            at=_instant(given.get("at", ""), now),
            address=visitor or address,
            kind=kind,
        )

    def rest(self) -> dict[str, str]:
        """Whatever nobody asked for."""
        kept = {name: as_text(value) for name, value in self._values.items() if name not in self._used}
        return {name: value for name, value in kept.items() if name and value}

    def _within(self, field: str, value: str) -> str:
        most = LIMITS.get(field, _ELSE)
        if len(value) > most:
            self.problem(field, f"has {len(value)} characters", f"send at most {most}")
            return ""
        return value


def clean(text: str) -> str:
    """``text`` without what no store or screen can take: lone surrogates, control characters, outer blanks."""
    whole = text.encode("utf-8", "replace").decode()
    return "".join(c for c in whole if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs", "Cn"}).strip()


def as_text(value: object) -> str:
    """A JSON value as a form would have sent it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(v, str | int | float | bool | None) for v in value):
        return ", ".join(filter(None, map(as_text, value)))
    return clean(json.dumps(value, ensure_ascii=False, default=str))


def _bounded(attributes: Mapping[str, str]) -> dict[str, str]:
    kept = {name[:64]: value[:MAX_ATTRIBUTE] for name, value in list(attributes.items())[:MAX_ATTRIBUTES]}
    if len(attributes) > MAX_ATTRIBUTES:
        kept["left_out"] = str(len(attributes) - MAX_ATTRIBUTES)
    return kept


def _instant(text: str, now: datetime) -> datetime:
    """When the box was ticked, if the sender says so believably (aware, not ahead, within a year), else ``now``."""
    try:
        at = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text))
        believable = at.tzinfo is not None and now - timedelta(days=366) < at <= now + timedelta(minutes=5)
    except (ValueError, OverflowError):
        return now
    return min(at.astimezone(UTC), now) if believable else now


def _ip(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
