"""Whose story a contact tells that several leads share: a family's or a company's address, or two contacts that people merged.

It tells one lead's at a time, whole: of the open ones that whose stage changed last, and a closed one's only where none is
open. So whatever the leads write in turn, the contact changes when one of them comes further, and never back. Calls,
meetings, deals and tasks hang on the contact whosever they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from activities.vendors.hubspot import KEY, Record
from workflows.crm import Crm
from workflows.effects import Reflection

from . import sequences
from .fields import BLANKS, PROPERTIES, SAID

SINCE, LINK, STAGE = "showrate_since", "showrate_link", "showrate_stage"
NAMES = (SINCE, LINK, STAGE)
"""Our properties that say whose story it is, and since when it stands so."""
_KEPT = frozenset({KEY, sequences.PROPERTY})
_NEVER = datetime.min.replace(tzinfo=UTC)


def another(record: Record | None, told: Reflection, rules: Crm) -> bool:
    """Whether the contact tells the story of another lead now."""
    whose = _said(record, rules, LINK).rpartition("/")[2]
    return whose not in ("", told.lead, *told.absorbed)


def stands(record: Record | None, told: Reflection, rules: Crm) -> bool:
    """Whether it goes on telling that, whatever this lead has come to. Where it does not say since when (before the property
    was made), it tells the story of the lead whose key it has."""
    since = _said(record, rules, SINCE)
    if not since:
        return record is not None and record.values.get(KEY) != told.lead
    theirs_open, ours_open = _said(record, rules, STAGE) != "closed", told.stage != "closed"
    if theirs_open != ours_open:
        return theirs_open
    return _instant(since) >= (told.since or told.now)


def aside(record: Record | None, values: Mapping[str, str]) -> dict[str, str]:
    """Of ``values`` what this lead writes to a contact that tells another's story: what nobody has filled in."""
    return {name: value for name, value in values.items() if name in BLANKS and record and not record.values.get(name)}


def unnamed(record: Record | None, values: Mapping[str, str], lead: str) -> dict[str, str]:
    """``values`` without the name, number and address of a contact that has another lead's key: it keeps its own."""
    if record is None or record.values.get(KEY, lead) == lead:
        return dict(values)
    return {name: value for name, value in values.items() if name not in BLANKS or not record.values.get(name)}


def ours(rules: Crm, there: Iterable[str]) -> tuple[str, ...]:
    """All that the contact says of a lead's story, of the properties that are ``there``."""
    known = {rules.name(each.name) for each in PROPERTIES["contacts"] if each.name not in _KEPT}
    return tuple(sorted(name for name in there if name in known or name.startswith(SAID)))


def _said(record: Record | None, rules: Crm, name: str) -> str:
    return record.values.get(rules.name(name), "") if record else ""


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return _NEVER
    return at if at.tzinfo else at.replace(tzinfo=UTC)
