"""Numbers as people say them."""

from __future__ import annotations

import re

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
NUMBERS = {word: n for n, word in enumerate(_ONES.split())}
NUMBERS |= {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "a": 1, "an": 1}
"""Number words up to fifty, and the article that counts as one."""


def number(word: str) -> int:
    """The value of one number word or of digits; 0 for any other word."""
    return int(word) if word.isdigit() else NUMBERS.get(word, 0)


_QUANTITIES = {
    "couple": 2,
    "dozen": 12,
    "hundred": 100,
    "thousand": 1000,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}


def number_in(text: str) -> float | None:
    """The quantity that ``text`` names, in digits or words ("about twenty five", "1,200", "just me"); of a range
    the lower end. None when there is none."""
    words = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text.lower()).replace("-", " ")
    digits = re.search(r"\d+(?:\.\d+)?", words)
    if digits:
        scale = 1000 if re.match(r" ?(?:k\b|thousand)", words[digits.end() :]) else 1
        return float(digits.group()) * scale
    if re.search(r"\b(?:just|only) me\b|\b(?:myself|alone|by myself|one person)\b", words):
        return 1.0
    total: float | None = None
    for word in re.findall(r"[a-z]+", words):
        value = _QUANTITIES.get(word) or (NUMBERS.get(word) if word not in ("a", "an") else None)
        if value is None:
            if total is not None and word not in ("and", "of", "a"):
                break
        elif total is not None and value >= 100:
            total *= value
        elif total is not None and word not in _QUANTITIES and (total < 20 or (value >= 10 and total < 100)):
            break
        else:
            total = (total or 0) + value
    return total
