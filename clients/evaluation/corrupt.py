"""Spoils a transcript as a speech recogniser does: words taken for others that sound like them, words lost, words that
nobody said, and a confidence that falls with the errors.

Seeded: the same words in the same place of the same conversation are always spoilt alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from random import Random

Spoiler = Callable[[str], tuple[str, float | None]]
"""What was said -> what was recognised, and with what confidence."""

LEVELS = (0.1, 0.2, 0.3)
"""Word error rates that are tried."""

_SUBSTITUTED, _LOST = 0.62, 0.26
"""The parts of the errors that are a wrong word, and a lost one; the rest are words that nobody said."""
_RUN = 0.3
"""The chance that a lost word takes the next one with it."""

_CONFUSED: tuple[tuple[str, ...], ...] = (
    ("tuesday", "thursday"), ("sunday", "monday"), ("today", "tuesday"), ("tomorrow", "two more"),
    ("nine", "five", "line"), ("ten", "then", "tin"), ("two", "to", "too"), ("four", "for", "fourth"),
    ("three", "free", "tree"), ("eight", "ate", "late"), ("six", "sick", "sixth"), ("seven", "eleven"), ("one", "won", "on"),
    ("first", "thirst", "fourth"), ("second", "seconds", "sector"), ("third", "bird", "fourth"), ("half", "have", "hah"),
    ("thirteen", "thirty"), ("fourteen", "forty"), ("fifteen", "fifty"), ("sixteen", "sixty"), ("seventeen", "seventy"),
    ("eighteen", "eighty"), ("nineteen", "ninety"), ("twelve", "twenty", "well"), ("hundred", "under"),
    ("yes", "yet", "guess"), ("no", "know", "now"), ("not", "now", "nod"), ("can", "can't"), ("will", "won't"),
    ("morning", "warning"), ("afternoon", "after noon", "after new"), ("evening", "even", "even in"), ("noon", "new", "soon"),
    ("quarter", "order", "water"), ("year", "here", "ear"), ("people", "purple"), ("week", "weak", "wick"),
    ("call", "cold", "all"), ("book", "look", "brook"), ("cancel", "counsel"), ("stop", "shop", "stock"),
    ("time", "dime", "thyme"), ("works", "words", "work"), ("please", "peace", "leaves"), ("demo", "memo"),
    ("earlier", "early"), ("later", "letter"), ("last", "lost"), ("either", "other"), ("dot", "dart"), ("at", "add", "that"),
    ("b", "d", "p"), ("d", "t", "e"), ("m", "n"), ("s", "f", "x"), ("a", "8"), ("i", "y"), ("g", "j"), ("k", "a"), ("v", "b"),
    ("dana", "donna", "diana"), ("reyes", "rays", "race"), ("stock", "talk", "stop"), ("counts", "accounts"), ("am", "a m", "pm"),
)  # fmt: skip
"""Words that recognisers and people take for each other."""
_EXTRA = ("uh", "the", "and", "um", "so", "a", "it", "yeah", "of", "to", "like")
_DIGITS = {"0": "8", "1": "7", "2": "3", "3": "2", "4": "5", "5": "9", "6": "8", "7": "1", "8": "6", "9": "5"}


@cache
def _neighbours() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for group in _CONFUSED:
        for word in group:
            found.setdefault(word, []).extend(other for other in group if other != word)
    return {word: tuple(dict.fromkeys(others)) for word, others in found.items()}


@cache
def sound(word: str) -> str:
    """How ``word`` sounds, roughly: its consonants by kind, and where vowels stand at its beginning."""
    bare = re.sub(r"[^a-z]", "", word.lower())
    for spelt, spoken in (
        ("ph", "f"),
        ("ck", "k"),
        ("kn", "n"),
        ("wr", "r"),
        ("gh", ""),
        ("sch", "s"),
        ("tion", "sn"),
    ):
        bare = bare.replace(spelt, spoken)
    kinds = str.maketrans("bpfvcgjkqsxzdtmnlrwhy", "bbbbkkkkksssttnnlr   ".replace(" ", "_"))
    key = "".join("A" if char in "aeiou" else char.translate(kinds) for char in bare)
    key = re.sub(r"(.)\1+", r"\1", key.replace("_", ""))
    return key[:1] + key[1:].replace("A", "")


def vocabulary(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The words of ``texts``, by how they sound."""
    words = sorted({word for text in texts for word in re.findall(r"[a-z']+", text.lower()) if len(word) > 1})
    found: dict[str, list[str]] = {}
    for word in words:
        found.setdefault(sound(word), []).append(word)
    return {key: tuple(same) for key, same in found.items()}


def spoiler(rate: float, seed: str, known: dict[str, tuple[str, ...]], tells: bool = True) -> Spoiler:
    """Spoils ``rate`` (0 to 1) of the words, in the order in which it is called. ``known`` are the words that others
    are taken for (:func:`vocabulary`); without ``tells`` the recogniser says nothing of its confidence."""
    random = Random(f"{seed}/{rate}")

    def spoil(text: str) -> tuple[str, float | None]:
        words, errors = _spoilt(text.split(), rate, random, known)
        confidence = _confidence(len(text.split()), errors, random)
        return " ".join(words), confidence if tells else None

    return spoil


def _spoilt(
    words: list[str], rate: float, random: Random, known: dict[str, tuple[str, ...]]
) -> tuple[list[str], int]:
    out: list[str] = []
    errors = 0
    losing = False
    for word in words:
        if losing:
            losing = random.random() < _RUN
            errors += 1
            continue
        if random.random() >= rate:
            out.append(word)
            continue
        errors += 1
        kind = random.random()
        if kind < _SUBSTITUTED:
            out.append(_mistaken(word, random, known))
        elif kind < _SUBSTITUTED + _LOST:
            losing = random.random() < _RUN
        else:
            out += [word, random.choice(_EXTRA)]
    return out, errors


def _mistaken(word: str, random: Random, known: dict[str, tuple[str, ...]]) -> str:
    """A word that sounds like ``word``, with its punctuation."""
    found = re.match(r"^(\W*)([\w@.'+-]*?)(\W*)$", word)
    before, bare, after = found.groups() if found else ("", word, "")
    lowered = bare.lower()
    if "@" in bare:
        at = random.randrange(len(bare.split("@")[0]) or 1)
        return before + bare[:at] + random.choice("bdmnst") + bare[at + 1 :] + after
    if any(char.isdigit() for char in bare):
        places = [at for at, char in enumerate(bare) if char.isdigit()]
        at = random.choice(places)
        return before + bare[:at] + _DIGITS[bare[at]] + bare[at + 1 :] + after
    alike = _neighbours().get(lowered) or tuple(w for w in known.get(sound(lowered), ()) if w != lowered)
    if not alike:
        alike = tuple(w for key in _near(sound(lowered)) for w in known.get(key, ()) if w != lowered)
    other = random.choice(alike) if alike else random.choice(_EXTRA)
    return before + (other.capitalize() if bare[:1].isupper() else other) + after


def _near(key: str) -> list[str]:
    """The sounds that lack one of ``key``'s."""
    return [key[:at] + key[at + 1 :] for at in range(len(key)) if len(key) > 1]


def _confidence(words: int, errors: int, random: Random) -> float:
    """What the recogniser says of the whole: sure of what is right (0.8 to 0.98), and doubtful as soon as any word is
    not (0.2 to 0.55), the more the more of them."""
    if not errors:
        return round(random.uniform(0.8, 0.98), 2)
    return round(max(random.uniform(0.3, 0.55) - 0.2 * errors / max(words, 1), 0.05), 2)
