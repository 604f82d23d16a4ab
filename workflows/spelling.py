"""Words that stop contact as they are typed in anger or in haste: letters spaced out, swapped, doubled or left out, the
signs that stand for them, and the short forms of texts.

Only a few words are looked for, and each slip of them that is a word of its own is let be ("contract" is no "contact").
Plain functions; a text without any of this comes back as it was.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from .tokens import bag
from .words import lowered, remembered

_SIGNS = re.compile("[\U0001f6d1\U0001f6ab\u26d4\u270b\U0001f91a\U0001f4f5]+")
"""The stop sign, the forbidden, no entry, the raised hand, no telephones."""
_SPACED = re.compile(r"\b[a-z](?:[ .\-_*]{1,3}[a-z]){3,}\b")
"""A word spelled out: "s t o p", "S.T.O.P.", "s-t-o-p"."""
_SPELLED_OUT = frozenset(("stop", "stopall", "quit", "cancel", "unsubscribe", "optout"))
_NUMBERED = re.compile(r"\b(stop|quit|end|unsubscribe)(?:[0-9]|all)\b")
_DIGITS_FOR_LETTERS = re.compile(r"\b(?:st0p|5t[o0]p)\b")
_WITH = re.compile(r"\bw/(o\b)? ?(?=\w| |$)")
_PARTED = re.compile(r"\bun[ -](?=subscribe|sign\b|enrol|check\b|tick\b|list\b|add\b)|\bon (?=subscribe (?:me|us)\b)")
"""A word that was parted, or misheard so: "un-subscribe", "un sign", "on subscribe me"."""
_UNSUBSCRIBE = Counter("unsubscribe")
_ITS_FORMS = frozenset(("unsubscribed", "unsubscriber", "unsubscribes", "unsubscribing", "subscribe"))
_DRAWN_OUT = re.compile(r"\b(s+t+o{2,}p+|s+t+op{2,}|s{2,}t+op|n+o{3,})\b")
"""Drawn out: "stoooop", "sstop"."""
_WORD = re.compile(r"(?<![^\W\d_])[a-z]+(?:['’][a-z]+)?(?![^\W\d_])")
"""A whole word without accents: the beginning of "número" is no "num"."""

_SHORT = {
    "txt": "text", "txts": "texts", "txting": "texting", "txtin": "texting", "txtn": "texting", "callin": "calling", "textin": "texting", "txted": "texted", "msg": "message", "msgs": "messages", "msging": "messaging",
    "plz": "please", "pls": "please", "thx": "thanks", "ur": "your", "u": "you", "nomore": "no more", "dnt": "don't", "donot": "do not",
    "evr": "ever", "nvr": "never", "neva": "never", "agn": "again", "anymor": "anymore", "mor": "more", "any1": "anyone", "fone": "phone",
    "stahp": "stop", "staph": "stop", "stawp": "stop", "stap": "stop", "unsub": "unsubscribe", "unscribe": "unsubscribe",
    "intrested": "interested", "harras": "harass", "harrass": "harass",
    "harrassing": "harassing", "harrassment": "harassment", "harrasment": "harassment", "harasment": "harassment", "lst": "list",
    "num": "number", "nbr": "number", "stp": "stop", "rmv": "remove", "rmove": "remove", "unsign": "remove",
    "unadd": "remove", "unenroll": "remove", "unenrol": "remove", "delist": "remove", "unlist": "remove",
}  # fmt: skip
_MEANT = (
    "stop", "stopping", "quit", "cease", "calling", "texting", "messaging", "emailing", "contacting", "bothering", "harassing",
    "spamming", "message", "messages", "contact", "remove", "delete", "number", "unsubscribe", "again", "anymore", "bother",
    "never", "permission", "consent", "register", "registry", "database", "immediately", "solicit", "enough", "alone", "leave",
)  # fmt: skip
_OWN = bag(
    "contract contracts stoop sop top quite cease ceased lease lave leve levee nerve even alne along aone numer member agin umber enogh"
    " soliciting removed remover deleted never neve sever case aloe sopping"
)
"""Slips of those words that mean something of their own."""


def _slips(word: str) -> Iterator[str]:
    """``word`` with two letters swapped, one left out or one doubled; its first letter stays."""
    for i in range(1, len(word)):
        if i + 1 < len(word):
            yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]
        if len(word) > 4:
            yield word[:i] + word[i + 1 :]
        yield word[:i] + word[i] + word[i:]


_SLIPPED = {slip: word for word in _MEANT for slip in _slips(word) if slip not in _OWN and slip not in _MEANT}
_KNOWN = {**_SLIPPED, **_SHORT, "tsop": "stop", "agian": "again", "unsubcribe": "unsubscribe"}


@remembered
def mended(text: str) -> str:
    """``text`` in lower case with straight apostrophes, and the words that stop contact as they are written."""
    said = _SIGNS.sub(" stop ", lowered(text))
    said = _SPACED.sub(_joined, said)
    said = _DRAWN_OUT.sub(lambda m: "stop" if m[0][0] == "s" else "no", said)
    said = _NUMBERED.sub(r"\1", _DIGITS_FOR_LETTERS.sub("stop", _PARTED.sub("un", said)))
    said = _WITH.sub(lambda m: "without " if m[1] else "with ", said)
    return _WORD.sub(lambda m: _KNOWN.get(m[0]) or _meant(m[0]), said)


def _meant(word: str) -> str:
    """ "unsubscribe" for what has its letters but for two, in any order; nothing else is as long and begins so."""
    if word[0] != "u" or not 9 <= len(word) <= 13 or word in _ITS_FORMS:
        return word
    letters = Counter(word)
    wrong = (letters - _UNSUBSCRIBE).total() + (_UNSUBSCRIBE - letters).total()
    return "unsubscribe" if wrong <= 2 else word


def _joined(found: re.Match[str]) -> str:
    word = re.sub(r"[^a-z]", "", found[0])
    return word if word in _SPELLED_OUT else found[0]
