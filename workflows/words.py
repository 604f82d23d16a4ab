"""Words as the local rules compare them, and patterns over them.

There are a thousand such patterns, and to compile them takes longer than most commands run: each is compiled when it is
first looked for. A process that answers people does it beside its first work (:func:`prepare`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache, partial
from itertools import groupby
from typing import TypeVar

_Result = TypeVar("_Result")

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


_IS = re.compile(r"\b(what|who|where|how|when|that|it|this)'s\b")


class Cues:
    """The words that tell which of several names is meant: a playbook's, made ready for many texts."""

    __slots__ = ("_by_first",)

    def __init__(self, cues: Mapping[str, Sequence[str]]) -> None:
        self._by_first: dict[str, list[tuple[int, str, str]]] = {}
        """By a cue's first word: the place of its name, the name, and the cue."""
        for place, (name, known) in enumerate(cues.items()):
            for cue in filter(None, map(fixed, known)):
                self._by_first.setdefault(cue.split()[0], []).append((place, name, f" {cue} "))

    def first_in(self, words: str) -> str:
        """The first of the names one of whose cues stands in ``words``; "" when none does."""
        whole = _IS.sub(r"\1 is", plain(words))
        said = f" {whole} "
        begun = (each for word in whole.split() for each in self._by_first.get(word, ()))
        return min((each for each in begun if each[2] in said), default=(0, "", ""))[1]


_deferred: list[Callable[[], object]] = []


def deferred(work: Callable[[], _Result]) -> Callable[[], _Result]:
    """``work``, done once: when its result is first asked for, or by :func:`prepare`."""
    done = cache(work)
    _deferred.append(done)
    return done


def prepare() -> Iterator[None]:
    """Do all that is deferred, a step at a time, so that nobody waits for it in the middle of a talk: about a second
    altogether."""
    for work in tuple(_deferred):
        work()
        yield


class Expression:
    """A regular expression that is compiled when it is needed; ``pattern`` is its text."""

    __slots__ = ("_compiled", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._compiled = deferred(partial(re.compile, pattern))

    def search(self, text: str) -> re.Match[str] | None:
        return self._compiled().search(text)

    def found(self, text: str) -> list[str]:
        """All that it finds in ``text``."""
        return [match[0] for match in self._compiled().finditer(text)]

    def sub(self, by: str, text: str) -> str:
        return self._compiled().sub(by, text)


_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]|[^\\\[()|]+", re.DOTALL)
"""Of a regular expression: an escape, a class of characters, a bracket or bar, or anything else."""
_AT_A_WORD = r"\b"


def any_of(*patterns: str) -> Expression:
    """One pattern that finds what any of ``patterns`` finds, as they stand in a row. Where several of them begin at the
    edge of a word, that is written once before all of them: nowhere else are they tried."""
    options = [option for pattern in patterns for option in _options(pattern)]
    groups = groupby(options, lambda option: option.startswith(_AT_A_WORD))
    return Expression("|".join(_at_a_word(group) if edged else "|".join(group) for edged, group in groups))


def _at_a_word(options: Iterable[str]) -> str:
    return f"{_AT_A_WORD}(?:{'|'.join(option.removeprefix(_AT_A_WORD) for option in options)})"


def _options(pattern: str) -> list[str]:
    """The alternatives of ``pattern``."""
    found, depth = [""], 0
    for piece in _PIECE.findall(pattern):
        if piece == "|" and not depth:
            found.append("")
        else:
            depth += (piece == "(") - (piece == ")")
            found[-1] += piece
    return found
