"""Words as the guards compare them: lower case, no accents, contractions written out, punctuation as tokens of its own."""

from __future__ import annotations

import re

from .words import remembered

_ACCENTS = str.maketrans("áàâäãéèêëíìîïóòôöõúùûüñç’‘`´¿¡", "aaaaaeeeeiiiiooooouuuunc''''  ")
_TOKEN = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\d{1,2}:\d\d(?::\d\d)?|\d+(?:st|nd|rd|th)\b|\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*|"
    r"[$€£%#@&/+]|[,;:.?!…]|[—–]|(?<=\s)-+(?=\s)|\n"
)
_SPELLED = (("o'clock", "oclock"), ("e-mail", "email"), ("a.m.", "am"), ("p.m.", "pm"), ("24/7", "24 7"))
_DOTTED = re.compile(r"\b(\d{1,2})[.h](\d\d)(?=\s*(?:am|pm)\b)|\b(\d{1,2})h(\d\d)\b")
_STOPS = {"…": ".", "—": "-", "–": "-", "\n": "."}
_WHOLE = {
    "can't": ("can", "not"), "cannot": ("can", "not"), "won't": ("will", "not"), "shan't": ("shall", "not"), "ain't": ("is", "not"),
    "let's": ("let", "us"), "gonna": ("going", "to"), "wanna": ("want", "to"), "gotta": ("got", "to"), "y'all": ("you", "all"),
    "dont": ("do", "not"), "doesnt": ("does", "not"), "isnt": ("is", "not"), "cant": ("can", "not"), "wont": ("will", "not"),
    "im": ("i", "am"), "ive": ("i", "have"), "youre": ("you", "are"), "thats": ("that", "is"), "whats": ("what", "is"),
    "tmrw": ("tomorrow",), "tmr": ("tomorrow",), "ok": ("okay",), "k": ("thousand",), "yeah": ("yes",), "yep": ("yes",), "yup": ("yes",),
    "alright": ("all", "right"), "anytime": ("any", "time"), "lemme": ("let", "me"), "ma'am": ("madam",),
}  # fmt: skip
_ENDS = {"m": "am", "re": "are", "ve": "have", "ll": "will", "d": "would"}


def bag(text: str) -> frozenset[str]:
    """The words of ``text``, separated by spaces, as a set: how the guards' lists of words are written."""
    return frozenset(text.split())


_IS = bag("now name it that there what who where how here he she when this everything nothing something everyone")
_NUMBER_ISH = bag("noon midday one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty")

PUNCTUATION = frozenset(",;:.?!-")


def tokens(text: str) -> list[str]:
    """The tokens of ``text``. "It's at 10:30am!" becomes ``it is at 10:30 am !``; an e-mail address is one token."""
    return list(_tokens(text))


@remembered
def _tokens(text: str) -> tuple[str, ...]:
    lowered = text.lower().translate(_ACCENTS)
    for spelled, plain in _SPELLED:
        if spelled in lowered:
            lowered = lowered.replace(spelled, plain)
    if _DOTTED.search(lowered):
        lowered = _DOTTED.sub(lambda m: f"{m[1] or m[3]}:{m[2] or m[4]}", lowered)
    found: list[str] = []
    for token in _TOKEN.findall(lowered):
        if token in _WHOLE:
            found.extend(_WHOLE[token])
        elif "'" in token:
            found.extend(_written_out(token))
        elif token in _STOPS:
            found.append(_STOPS[token])
        elif token.endswith("ish") and token[:-3] in _NUMBER_ISH:
            found += (token[:-3], "ish")
        elif token[0] == "-":
            found.append("-")
        else:
            found.append(token)
    return tuple(found)


def _written_out(token: str) -> list[str]:
    head, _, end = token.rpartition("'")
    head = head.replace("'", "")
    if end == "t" and head.endswith("n"):
        return [head[:-1], "not"]
    if end in _ENDS and head:
        return [head, _ENDS[end]]
    if end == "s":
        return [head, "is"] if head in _IS else [head]
    return [token.replace("'", "")]


def words(text: str) -> list[str]:
    """:func:`tokens` without punctuation."""
    return [token for token in tokens(text) if token not in PUNCTUATION]
