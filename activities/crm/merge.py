"""What may be written over what stands in the CRM: never what a person set there. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime
from typing import NamedTuple

import phonenumbers

from activities.vendors.hubspot import Record
from workflows.crm import Conflict

LIFECYCLE = (
    "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist", "other",
)  # fmt: skip
"""HubSpot's own order, in which a record only moves forward (facts: the lifecycle stage moves only forward)."""
_SAID = 300
"""Characters of a value that a conflict tells."""


class Merged(NamedTuple):
    """``values`` are to be written; each conflict stands for a field that was left as a person wants it."""

    values: dict[str, str]
    conflicts: tuple[Conflict, ...] = ()


def merged(
    kind: str, standing: Record | None, wanted: Mapping[str, str], blanks: Set[str], app: str, region: str = "US"
) -> Merged:
    """What to write of ``wanted`` (an empty value clears). Of ``blanks``, which are not ours, only what is empty, our own
    (of ``app``, any app's when that is not known), or junk is written."""
    if standing is None:
        return Merged({name: value for name, value in wanted.items() if value})
    values: dict[str, str] = {}
    conflicts: list[Conflict] = []
    for name, value in wanted.items():
        there, setter = standing.values.get(name, ""), standing.setters.get(name)
        if same(there, value) or (name == "lifecyclestage" and not forward(there, value)):
            continue
        if setter is not None and setter.person:
            said = {"theirs": there[:_SAID], "ours": value[:_SAID]}
            conflicts.append(Conflict(field=f"{kind}.{name}", **said))
            continue
        ours = setter is not None and bool(setter.app) and setter.app == (app or setter.app)
        if name in blanks and there and not ours and not _junk(name, there, region):
            continue
        values[name] = value
    return Merged(values, tuple(conflicts))


def forward(there: str, value: str) -> bool:
    """Whether a lifecycle stage may be moved so; from one of the account's own making it is not."""
    if not there:
        return True
    return there in LIFECYCLE and value in LIFECYCLE and LIFECYCLE.index(value) > LIFECYCLE.index(there)


def same(there: str, value: str) -> bool:
    """Whether two values are one to HubSpot, which trims text and writes instants in its own way."""
    there, value = _plain(there), _plain(value)
    return there == value or (_instant(there) is not None and _instant(there) == _instant(value))


def _plain(value: str) -> str:
    return value.replace("\r\n", "\n").strip()


def _instant(value: str) -> datetime | None:
    if len(value) < 16 or not value[:4].isdigit():
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _junk(name: str, there: str, region: str) -> bool:
    """Whether a phone number is none: nobody can be called under it."""
    if name != "phone":
        return False
    try:
        return not phonenumbers.is_possible_number(phonenumbers.parse(there, region))
    except phonenumbers.NumberParseException:
        return True
