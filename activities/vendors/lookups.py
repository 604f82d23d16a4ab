"""Twilio Lookup v2: what is known of a number. A read, so asking again changes nothing; each answer costs money.

Its REST API over HTTP, with the account of the calls. Interface: the vendor's own document, lookups v2 of 2026-04.
"""

from __future__ import annotations

import base64
from datetime import date
from typing import Any, Literal
from urllib.parse import quote

from activities import faults
from activities.settings import settings
from activities.vendors import rest
from workflows.model import Model
from workflows.rulebook import Line

_URL = "https://lookups.twilio.com"
_LINES: dict[str, Line] = {
    "landline": "fixed", "mobile": "mobile", "fixedVoip": "voip", "nonFixedVoip": "voip", "personal": "personal",
    "tollFree": "toll_free", "premium": "premium", "sharedCost": "shared_cost", "uan": "uan", "voicemail": "voicemail",
    "pager": "pager",
}  # fmt: skip
Reassigned = Literal["yes", "no", "no_data"]
_REASSIGNED: dict[str, Reassigned] = {"yes": "yes", "no": "no", "no_data_available": "no_data"}


class Answer(Model):
    """What the vendor says; None where it was not asked, or could not tell."""

    line: Line | None = None
    reassigned: Reassigned | None = None


async def look_up(phone: str, line: bool, since: date | None) -> Answer:
    """What kind of ``line`` ``phone`` (E.164) is, and with ``since`` whether it went to somebody else after that day.
    Raises ``retry``, ``retry_after`` or ``permanent``; no message names the number."""
    house = settings()
    fields = [*(["line_type_intelligence"] if line else []), *(["reassigned_number"] if since else [])]
    query = {"Fields": ",".join(fields), **({"LastVerifiedDate": f"{since:%Y%m%d}"} if since else {})}
    account = f"{house.twilio_account_sid}:{house.twilio_auth_token}"
    headers = {"Authorization": f"Basic {base64.b64encode(account.encode()).decode()}"}
    url = f"{house.twilio_base_url.rstrip('/') or _URL}/v2/PhoneNumbers/{quote(phone)}"
    told = rest.told("twilio lookup", await rest.send("twilio lookup", "GET", url, headers, params=query))
    if not isinstance(told, dict):
        raise faults.retry("twilio lookup's answer could not be read")
    kind, gone = _part(told, "line_type_intelligence"), _part(told, "reassigned_number")
    return Answer(
        line=_LINES.get(str(kind.get("type")), "unknown") if kind else None,
        reassigned=_REASSIGNED.get(str(gone.get("is_number_reassigned"))) if gone else None,
    )


def _part(told: dict[str, Any], name: str) -> dict[str, Any]:
    """A package of the answer; empty when it is missing or says that it failed."""
    part = told.get(name)
    return part if isinstance(part, dict) and not part.get("error_code") else {}
