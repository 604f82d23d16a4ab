"""Is it the same person? What two sets of handles and names say of each other: pure, and never sure without a reason.

A number may be shared by a household or an office, an address rarely, an id of the CRM never. So a shared address or id
makes one person unless the names contradict; a shared number makes one person unless name *and* address contradict, and
then two. Whatever lies between is in doubt: a person decides, and nobody is called twice meanwhile.
"""

from __future__ import annotations

import unicodedata
from difflib import SequenceMatcher
from typing import Literal

from .events import Form, Likeness
from .model import Model

Names = Literal["unknown", "same", "similar", "related", "different"]

_ALIKE = 0.8
"""Two words of a name are taken for spellings of one from this ratio on (``Meier`` and ``Maier`` are 0.8)."""
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof", "jr", "sr", "ii", "iii"})


class Person(Model):
    """Who somebody is, as far as matters here. Hashes of every handle that they are known by; ``email`` and ``name``
    are the ones in use."""

    name: str = ""
    phones: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    crm: frozenset[str] = frozenset()


def person_of(form: Form | None) -> Person:
    """The person whom one form describes."""
    if form is None:
        return Person()

    def only(handle: str) -> frozenset[str]:
        return frozenset({handle} - {""})

    return Person(
        name=form.name, phones=only(form.phone_hash), emails=only(form.email_hash), crm=only(form.crm_hash)
    )


def judged(one: Person, other: Person) -> tuple[Likeness, str]:
    """``same``, ``other``, ``doubt`` or ``unrelated`` (they share no handle), and why in words without personal data."""
    names = names_alike(one.name, other.name)
    if one.crm & other.crm:
        return _unless_named_otherwise(names, "CRM contact")
    if one.emails & other.emails:
        return _unless_named_otherwise(names, "e-mail address")
    if not one.phones & other.phones:
        return "unrelated", "no handle in common"
    contradicts = bool(one.emails) and bool(other.emails)
    if names == "different" and contradicts:
        return "other", "one number, but another name and another e-mail address"
    if names in ("different", "related"):
        return "doubt", "one number, but another name"
    if names == "similar" and contradicts:
        return "doubt", "one number and a similar name, but another e-mail address"
    return "same", "the same number"


def _unless_named_otherwise(names: Names, what: str) -> tuple[Likeness, str]:
    if names in ("different", "related"):
        return "doubt", f"one {what}, but another name"
    return "same", f"the same {what}"


def names_alike(one: str, other: str) -> Names:
    """How two full names compare: ``unknown`` when either is missing; ``same`` when they have the same words, or one
    has all words of the other and more than one; ``similar`` when the first names are, shorten or nearly spell each
    other; ``related`` when only some other word does, as in a family."""
    first, second = _words(one), _words(other)
    if not first or not second:
        return "unknown"
    shorter, longer = sorted((first, second), key=len)
    if set(first) == set(second) or (len(shorter) > 1 and set(shorter) <= set(longer)):
        return "same"
    if _alike(first[0], second[0]) or (len(shorter) == 1 and any(_alike(shorter[0], each) for each in longer)):
        return "similar"
    return "related" if any(_alike(word, each) for word in shorter for each in longer) else "different"


def _alike(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return long.startswith(short) or SequenceMatcher(None, one, other, autojunk=False).ratio() >= _ALIKE


def _words(name: str) -> tuple[str, ...]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    kept = "".join(c if c.isalnum() or c == "'" else " " for c in plain)
    return tuple(word for word in kept.split() if word not in _TITLES)
