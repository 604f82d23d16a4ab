"""Words as the local rules compare them, and patterns over them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

_NEWEST = 64
"""Utterances of which it is remembered what they mean: the parts of one turn ask the same of the same words, and no
more is kept of what people say than that."""
remembered = lru_cache(maxsize=_NEWEST)

_SPACE = re.compile(r"[^a-z0-9áéíñóú' ]+")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "`": "'"})


def lowered(text: str) -> str:
    """``text`` in lower case with straight apostrophes; its punctuation stays."""
    return text.lower().translate(_APOSTROPHES)


@remembered
def plain(text: str) -> str:
    """``text`` in lower case, without punctuation, single-spaced: "Don't — please!" becomes "don't please"."""
    return " ".join(_SPACE.sub(" ", lowered(text).replace("opt-out", "opt out").replace("e-mail", "email")).split())


@lru_cache(maxsize=4096)
def fixed(text: str) -> str:
    """:func:`plain` of a playbook's text, worked out once; never for what people said."""
    return plain(text)


def cued(words: str, cues: Mapping[str, Sequence[str]]) -> str:
    """The first of the names in ``cues`` one of whose cues stands in ``words``; "" when none does."""
    said = f" {plain(words)} "
    return next((name for name, known in cues.items() if any(f" {fixed(cue)} " in said for cue in known)), "")


def any_of(*patterns: str) -> re.Pattern[str]:
    """One pattern that finds what any of ``patterns`` finds."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
