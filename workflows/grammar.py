"""A small notation for what people say, so that a rule is built of parts and not of sentences.

A part is a class of words or phrases with one role: ways to name a person, to say "right now", to ask somebody to do
something. A rule is a sequence of parts and words, and so understands every combination of them:

    "<send> [<me>] {over} [<det>] <link>"      send me the link, text us a booking page, shoot over your calendar

In a pattern ``(a|b)`` is one of them, ``[a|b]`` one or none, ``{a|b}`` up to three in a row, ``<name>`` a part, ``~`` up to
three words of any kind, ``_`` one such word, ``!(a|b)`` that none of them follows, ``^`` the beginning of a clause (after
words that say nothing, such as "oh, well"), ``$`` the end of one, ``word*`` every word that begins so. Words are compared
as :mod:`.tokens` writes them: contractions are spelled out, "yeah" is "yes", "ok" is "okay". No pattern reaches beyond the
end of a sentence.

Most of what people say holds no word that a pattern cannot do without, so that it need not be looked for: each knows its
:class:`Needs`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .tokens import bag, tokens
from .words import Expression, remembered

_IS = re.compile(
    r"\b([a-z]+)['’]s (?=(?:the|a|an|not|in|on|at|going|already|our|my|who|her|his|really|actually|just|responsible|no longer|handling|running|doing)\b)", re.IGNORECASE
)
"""A name with "is" behind it: "Sarah's the one". What belongs to Sarah is followed by something else."""
_ENDS = frozenset(".?!;:")
_PAUSES = frozenset(",-'")

Spoken = tuple[str, ...]
"""A text as rules see it: once whole, and once more with a cut at each comma, if it has any."""


@remembered
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


_COMMON = bag(
    "i we me us my our you u r is are am was were be been do does did have has had a an the this that it they he she to of in on at for "
    "with and or not no yes can could will would should may if so just all any one get got go what how who your their there here"
)
"""Words that are in most of what people say."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Words of which at least one stands wherever a pattern is found; ``open`` when there is none that must."""

    words: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()
    """What a word may begin with instead."""
    open: bool = False

    @property
    def often(self) -> int:
        """How often, compared with others, they are met by a text that does not hold the pattern."""
        return len(self.words) + len(self.beginnings) + 40 * len(self.words & _COMMON)


_OPEN = Needs(open=True)


def _one_of(options: list[Needs]) -> Needs:
    """What each of ``options`` needs, where any will do."""
    if any(needs.open for needs in options):
        return _OPEN
    beginnings = {beginning for needs in options for beginning in needs.beginnings}
    return Needs(frozenset().union(*(needs.words for needs in options)), tuple(sorted(beginnings)))


def _rarest(items: list[Needs]) -> Needs:
    """What is least often there of that which ``items``, one after the other, need."""
    return min((needs for needs in items if not needs.open), key=lambda needs: needs.often, default=_OPEN)


@dataclass(frozen=True, slots=True, eq=False)
class _Pattern:
    find: Expression
    needs: Needs
    edged: bool
    """It begins or ends with a clause."""

    def found_in(self, said: Spoken) -> bool:
        if self.find.search(said[0]):
            return True
        return self.edged and len(said) > 1 and self.find.search(said[1]) is not None


class _Index:
    """What the patterns of a grammar need, by word: a text is looked up once for all of them."""

    __slots__ = ("_by_beginning", "_by_word", "_lengths", "possible")

    def __init__(self) -> None:
        self._by_word: dict[str, list[_Pattern]] = {}
        self._by_beginning: dict[str, list[_Pattern]] = {}
        self._lengths: list[int] = []
        self.possible = remembered(self._possible)

    def add(self, pattern: _Pattern) -> None:
        for word in pattern.needs.words:
            self._by_word.setdefault(word, []).append(pattern)
        for beginning in pattern.needs.beginnings:
            self._by_beginning.setdefault(beginning, []).append(pattern)
        self._lengths = sorted({len(beginning) for beginning in self._by_beginning})
        self.possible.cache_clear()

    def _possible(self, said: Spoken) -> frozenset[_Pattern]:
        """The patterns that may be in what was said, beside those that need nothing."""
        found: set[_Pattern] = set()
        for word in set(said[0].split()):
            found.update(self._by_word.get(word, ()))
            for length in self._lengths:
                found.update(self._by_beginning.get(word[:length], ()))
        return frozenset(found)


class Rules:
    """Patterns of which any may be found: anywhere, or at the edges of a clause."""

    __slots__ = ("_always", "_index", "_others")

    def __init__(self, patterns: list[_Pattern], index: _Index) -> None:
        self._index = index
        self._always = [pattern for pattern in patterns if pattern.needs.open]
        self._others = frozenset(pattern for pattern in patterns if not pattern.needs.open)

    def found_in(self, said: Spoken) -> bool:
        """Whether one of the patterns is in what was said."""
        if not said:
            return False
        possible = self._others & self._index.possible(said)
        return any(pattern.found_in(said) for pattern in (*self._always, *possible))


class Cuts:
    """Patterns whose words are left out before others are looked for."""

    __slots__ = ("_index", "_pattern")

    def __init__(self, pattern: _Pattern, index: _Index) -> None:
        self._pattern = pattern
        self._index = index

    def cut_from(self, said: Spoken) -> Spoken:
        """What was said, without the words that the patterns find anywhere."""
        needless = not said or not (self._pattern.needs.open or self._pattern in self._index.possible(said))
        return said if needless else tuple(self._pattern.find.sub(" ", words) for words in said)


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
        self._parts: dict[str, tuple[str, Needs]] = {}
        self._index = _Index()

    def rules(self, *patterns: str) -> Rules:
        """What finds any of ``patterns``. Raises ValueError for a pattern that cannot be read."""
        return Rules([self._pattern(pattern) for pattern in patterns], self._index)

    def cuts(self, *patterns: str) -> Cuts:
        """What leaves out ``patterns``, none of which is tied to the edge of a clause. Raises ValueError for one that
        is, or that cannot be read."""
        if edged := [pattern for pattern in patterns if not _EDGES.isdisjoint(pattern)]:
            raise ValueError(f"to be cut anywhere, not at an edge: {edged[0]!r}")
        found = [self.read(pattern) for pattern in patterns]
        together = _either([text for text, _ in found]), _one_of([needs for _, needs in found])
        return Cuts(self._made(*together, edged=False), self._index)

    def _pattern(self, pattern: str) -> _Pattern:
        return self._made(*self.read(pattern), edged=not _EDGES.isdisjoint(pattern))

    def _made(self, text: str, needs: Needs, edged: bool) -> _Pattern:
        made = _Pattern(Expression(f"(?<= ){text}"), needs, edged)
        self._index.add(made)
        return made

    def _part(self, name: str) -> tuple[str, Needs]:
        if name not in self._parts:
            if name not in self._patterns:
                raise ValueError(f"no part is called {name}")
            self._parts[name] = self.read(self._patterns[name])
        return self._parts[name]

    def read(self, pattern: str) -> tuple[str, Needs]:
        """The regular expression that ``pattern`` stands for, and what it cannot be found without. Raises ValueError where
        it cannot be read."""
        pattern = pattern.rstrip()
        text, needs, at = self._alternatives(pattern, 0, "")
        if at != len(pattern):
            raise ValueError(f"unread from {at}: {pattern!r}")
        return text, needs

    def _alternatives(self, pattern: str, at: int, closing: str) -> tuple[str, Needs, int]:
        options: list[str] = []
        needed: list[Needs] = []
        items: list[tuple[str, Needs]] = []

        def complete() -> None:
            options.append("".join(text for text, _ in items))
            needed.append(_rarest([needs for _, needs in items]))
            items.clear()

        while at < len(pattern):
            item = _ITEM.match(pattern, at)
            if item is None:
                raise ValueError(f"unread from {at}: {pattern!r}")
            at = item.end()
            if item["close"]:
                if item["close"] != closing:
                    raise ValueError(f"unexpected {item['close']} at {at}: {pattern!r}")
                complete()
                return _either(options), _one_of(needed), at
            if item["bar"]:
                complete()
            elif opened := item["open"]:
                inner, needs, at = self._alternatives(pattern, at, _CLOSING[opened[-1]])
                items.append((_MEANING[opened].format(inner), needs if opened == "(" else _OPEN))
            elif item["part"]:
                items.append(self._part(item["part"]))
            else:
                items.append((_word(item["word"]), _needs_of(item["word"])))
        if closing:
            raise ValueError(f"{closing} is missing: {pattern!r}")
        complete()
        return _either(options), _one_of(needed), at


def _word(word: str) -> str:
    if word in _SIGNS:
        return _SIGNS[word]
    if word.endswith("*"):
        return re.escape(word[:-1]) + "[^ .]* "
    return f"{re.escape(word)} "


def _needs_of(word: str) -> Needs:
    if word in _SIGNS:
        return _OPEN
    if word.endswith("*"):
        return Needs(beginnings=(word[:-1],))
    return Needs(frozenset((word,)))


_PLAIN = re.compile(r"[a-z0-9@#]+(?: [a-z0-9@#]+)* ")


def _either(options: list[str]) -> str:
    """One of ``options`` as a pattern; those that share their first word are put together."""
    plain = sorted({option[:-1] for option in options if _PLAIN.fullmatch(option)}, key=lambda o: (-o.count(" "), o))
    other = [option for option in options if not _PLAIN.fullmatch(option)]
    if plain:
        other.append(f"(?:{'|'.join(plain)}) " if len(plain) > 1 else f"{plain[0]} ")
    return f"(?:{'|'.join(other)})"
