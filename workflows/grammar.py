"""A small notation for what people say, so that a rule is built of parts and not of sentences.

A part is a class of words or phrases with one role: ways to name a person, to say "right now", to ask somebody to do
something. A rule is a sequence of parts and words, and so understands every combination of them:

    "<send> [<me>] {over} [<det>] <link>"      send me the link, text us a booking page, shoot over your calendar

In a pattern ``(a|b)`` is one of them, ``[a|b]`` one or none, ``{a|b}`` up to three in a row, ``<name>`` a part, ``~`` up to
three words of any kind, ``_`` one such word, ``!(a|b)`` that none of them follows, ``^`` the beginning of a clause (after
words that say nothing, such as "oh, well"), ``$`` the end of one, ``word*`` every word that begins so. Words are compared
as :mod:`.tokens` writes them: contractions are spelled out, "yeah" is "yes", "ok" is "okay". No pattern reaches beyond the
end of a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from .tokens import tokens

_IS = re.compile(
    r"\b([a-z]+)['’]s (?=(?:the|a|an|not|in|on|at|going|already|our|my|who|her|his|really|actually|just|responsible|no longer|handling|running|doing)\b)", re.IGNORECASE
)
"""A name with "is" behind it: "Sarah's the one". What belongs to Sarah is followed by something else."""
_ENDS = frozenset(".?!;:")
_PAUSES = frozenset(",-'")

Spoken = tuple[str, ...]
"""A text as rules see it: once whole, and once more with a cut at each comma, if it has any."""


@lru_cache(maxsize=8)
def spoken(text: str) -> Spoken:
    """``text`` in words with a space around each and the ends of sentences as "."."""
    if "'" in text or "’" in text:
        text = _IS.sub(r"\1 is ", text)
    whole: list[str] = []
    cut: list[str] = []
    for token in tokens(text):
        if token in _ENDS:
            whole.append(".")
            cut.append(".")
        elif token in _PAUSES:
            cut.append(".")
        else:
            whole.append(token)
            cut.append(token)
    if not whole:
        return ()
    one = f" {' '.join(whole)} "
    return (one,) if len(whole) == len(cut) else (one, f" {' '.join(cut)} ")


class Rules:
    """Patterns of which any may be found: ``anywhere``, or such as begin or end with a clause (``edged``)."""

    __slots__ = ("_anywhere", "_edged")

    def __init__(self, anywhere: str, edged: str) -> None:
        self._anywhere = re.compile(anywhere)
        self._edged = re.compile(edged)

    def found_in(self, said: Spoken) -> bool:
        """Whether one of the patterns is in what was said."""
        return bool(said) and (
            self._anywhere.search(said[0]) is not None or any(self._edged.search(words) for words in said)
        )

    def cut_from(self, said: Spoken) -> Spoken:
        """What was said, without the words that the patterns find anywhere."""
        return tuple(self._anywhere.sub(" ", words) for words in said)


_ITEM = re.compile(
    r"\s*(?:(?P<open>!?\(|[\[{])|(?P<close>[)\]}])|(?P<bar>\|)|<(?P<part>\w+)>|(?P<word>[^\s()\[\]{}|<>]+))"
)
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_MEANING = {"(": "{}", "!(": "(?!{})", "[": "{}?", "{": "{}{{0,3}}"}
_EDGES = frozenset("^$")
_NOTHING = r"(?!)"
_FREE = r"(?:[^ .]+ )"
_EMPTY = (
    r"(?:(?:oh|uh|um|hm|hmm|er|well|ah|so|and|but|look|listen|hey|hi|hello|sorry|okay|yes|no|please|just|honestly|actually|wait|hang on|hold on|right|then|"
    r"to be honest|i mean|you know|like|i think|nah|now|thanks|thank you|also|because|maybe|love|mate|pal|sir|madam) )"
)
_SIGNS = {"~": _FREE + "{0,3}?", "_": _FREE, "^": rf"(?:(?<=\. )|(?<=^ )){_EMPTY}*", "$": r"(?=\.|$)"}


class Grammar:
    """Parts by name, each a pattern that may use other parts; :meth:`rules` makes one matcher of many patterns."""

    def __init__(self, parts: Mapping[str, str]) -> None:
        self._patterns = parts
        self._parts: dict[str, str] = {}

    def rules(self, *patterns: str) -> Rules:
        """What finds any of ``patterns``. Raises ValueError for a pattern that cannot be read."""
        edged = [pattern for pattern in patterns if not _EDGES.isdisjoint(pattern)]
        anywhere = [pattern for pattern in patterns if pattern not in edged]
        return Rules(*(f"(?<= ){self._any(group)}" if group else _NOTHING for group in (anywhere, edged)))

    def _any(self, patterns: list[str]) -> str:
        return _either([self._compiled(pattern) for pattern in patterns])

    def _part(self, name: str) -> str:
        if name not in self._parts:
            if name not in self._patterns:
                raise ValueError(f"no part is called {name}")
            self._parts[name] = self._compiled(self._patterns[name])
        return self._parts[name]

    def _compiled(self, pattern: str) -> str:
        pattern = pattern.rstrip()
        found, at = self._alternatives(pattern, 0, "")
        if at != len(pattern):
            raise ValueError(f"unread from {at}: {pattern!r}")
        return found

    def _alternatives(self, pattern: str, at: int, closing: str) -> tuple[str, int]:
        options: list[str] = []
        items: list[str] = []
        while at < len(pattern):
            item = _ITEM.match(pattern, at)
            if item is None:
                raise ValueError(f"unread from {at}: {pattern!r}")
            at = item.end()
            if item["close"]:
                if item["close"] != closing:
                    raise ValueError(f"unexpected {item['close']} at {at}: {pattern!r}")
                options.append("".join(items))
                return _either(options), at
            if item["bar"]:
                options.append("".join(items))
                items = []
            elif opened := item["open"]:
                inner, at = self._alternatives(pattern, at, _CLOSING[opened[-1]])
                items.append(_MEANING[opened].format(inner))
            elif item["part"]:
                items.append(self._part(item["part"]))
            else:
                items.append(_word(item["word"]))
        if closing:
            raise ValueError(f"{closing} is missing: {pattern!r}")
        options.append("".join(items))
        return _either(options), at


def _word(word: str) -> str:
    if word in _SIGNS:
        return _SIGNS[word]
    if word.endswith("*"):
        return re.escape(word[:-1]) + "[^ .]* "
    return f"{re.escape(word)} "


_PLAIN = re.compile(r"[a-z0-9@#]+(?: [a-z0-9@#]+)* ")


def _either(options: list[str]) -> str:
    """One of ``options`` as a pattern; those that share their first word are put together."""
    plain = sorted({option[:-1] for option in options if _PLAIN.fullmatch(option)}, key=lambda o: (-o.count(" "), o))
    other = [option for option in options if not _PLAIN.fullmatch(option)]
    if plain:
        other.append(f"(?:{'|'.join(plain)}) " if len(plain) > 1 else f"{plain[0]} ")
    return f"(?:{'|'.join(other)})"
