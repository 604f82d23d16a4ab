"""Where somebody says that they are, and so by which clock they want their times: "I'm in California this week"."""

from __future__ import annotations

import re

from ...tokens import tokens
from .zones import PLACES, TIMES

_AT = re.compile(
    r"\b(?:i am|we are|i will be|we will be|am|based|i live|we live|staying|travell?ing|working|right now|currently|back|over|out|down|up) "
    r"(?:\w+ ){0,2}?(?:in|on) (?:the )?(?P<place>\w+(?: \w+)?)"
)
_IN_TIME = re.compile(r"\b(?:in|on) (?P<zone>\w+(?: \w+)?) (?:standard |daylight )?time\b")
_NOT = re.compile(r"\b(?:not|never|was|were|used to|interested|selling|they|he|she|customers?|warehouses?|stores?|shops?|offices?|vans?|sites?)\b")
_SITES = PLACES | {
    "florida": "America/New_York", "new jersey": "America/New_York", "philadelphia": "America/New_York", "washington dc": "America/New_York",
    "ohio": "America/New_York", "new orleans": "America/Chicago", "austin": "America/Chicago", "san antonio": "America/Chicago",
    "minneapolis": "America/Chicago", "colorado": "America/Denver", "utah": "America/Denver", "salt lake": "America/Denver",
    "las vegas": "America/Los_Angeles", "nevada": "America/Los_Angeles", "oregon": "America/Los_Angeles", "san diego": "America/Los_Angeles",
    "hawaii": "Pacific/Honolulu", "alaska": "America/Anchorage", "england": "Europe/London", "ireland": "Europe/Dublin", "france": "Europe/Paris",
    "germany": "Europe/Berlin", "spain": "Europe/Madrid", "italy": "Europe/Rome", "rome": "Europe/Rome", "amsterdam": "Europe/Amsterdam",
    "vancouver": "America/Vancouver", "singapore": "Asia/Singapore", "hong kong": "Asia/Hong_Kong", "dubai": "Asia/Dubai", "japan": "Asia/Tokyo",
}  # fmt: skip
"""Places that lie in one zone, or nearly so."""
_LABELS = {
    "America/New_York": "Eastern", "America/Chicago": "Central", "America/Denver": "Mountain", "America/Los_Angeles": "Pacific",
}  # fmt: skip


def whereabouts(text: str) -> str:
    """The zone (IANA) in which they say that they are, or in which they ask for a time ("what is that in Pacific time?");
    "" when they say neither. Where somebody else, or something of theirs, is counts for nothing."""
    said = " ".join(tokens(text))
    if (found := _IN_TIME.search(said)) and (zone := _named(found["zone"], TIMES) or _named(found["zone"], PLACES)):
        return zone
    for found in _AT.finditer(said):
        zone = _named(found["place"], _SITES)
        if zone and not _NOT.search(said[max(0, found.start() - 30) : found.end()]):
            return zone
    return ""


def is_stay(before: str) -> bool:
    """Whether a time that follows these words (tokens, joined) is only how long they are somewhere: "I'm in London until
    Friday"."""
    return any(found.end() == len(before) and _named(found["place"], _SITES) for found in _AT.finditer(before))


def _named(words: str, known: dict[str, str]) -> str:
    """The zone of the longest name of ``known`` that ``words`` begin with."""
    return known.get(words) or known.get(words.split()[0], "")


def label(zone: str) -> str:
    """What a time in ``zone`` is called: "Pacific time", "London time"."""
    return f"{_LABELS.get(zone) or zone.rpartition('/')[2].replace('_', ' ')} time"
