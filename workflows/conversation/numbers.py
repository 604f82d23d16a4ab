"""Numbers as people say them, in English and, up to a hundred, in Spanish."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..tokens import bag, tokens

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
NUMBERS = {word: n for n, word in enumerate(_ONES.split())}
NUMBERS |= {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "a": 1, "an": 1}
"""Number words up to fifty, and the article that counts as one."""

_UNITS = {word: n for word, n in NUMBERS.items() if 0 < n < 10 and len(word) > 2}
_TEENS = {word: n for word, n in NUMBERS.items() if 10 <= n < 20} | {"zero": 0, "forteen": 14}
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}  # fmt: skip
_SCALES = {"hundred": 100, "hundreds": 100, "thousand": 1000, "thousands": 1000, "grand": 1000, "million": 1_000_000, "dozen": 12, "dozens": 12}  # fmt: skip

_SPANISH = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete dieciocho "
    "diecinueve veinte veintiuno veintidos veintitres veinticuatro veinticinco veintiseis veintisiete veintiocho veintinueve"
)
SPANISH = {word: n for n, word in enumerate(_SPANISH.split())} | {"una": 1, "cien": 100, "docena": 12}
_SPANISH_TENS = {"treinta": 30, "cuarenta": 40, "cincuenta": 50, "sesenta": 60, "setenta": 70, "ochenta": 80, "noventa": 90}  # fmt: skip

_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")


def number(word: str) -> int:
    """The value of one number word or of digits; 0 for any other word."""
    return int(word) if word.isdecimal() and len(word) < 16 else NUMBERS.get(word, 0)


def digits(token: str) -> float | None:
    """The value of a token of digits, with thousands or decimals ("1,200", "2.5"); None for any other."""
    if not token[:1].isdecimal() or len(token) > 15 or not _DIGITS.fullmatch(token):
        return None
    if token.isdecimal():
        return float(token)
    if _THOUSANDS.fullmatch(token):
        return float(token.replace(",", ""))
    bare = token.replace(",", ".")
    return float(bare) if bare.count(".") == 1 else None


def quantity(t: Sequence[str], i: int) -> tuple[float, int] | None:
    """The number that begins at ``t[i]`` (tokens) and the index after it; None when none begins there. An article
    counts only before a scale ("a hundred", "a couple"), never by itself."""
    at = t[i]
    if (value := digits(at)) is not None:
        return _scaled(t, value, i + 1)
    if at in ("a", "an", "the") and i + 1 < len(t):
        if t[i + 1] in ("hundred", "thousand", "million", "dozen", "grand") and at != "the":
            return _scaled(t, 1.0, i + 1)
        if at == "a" and t[i + 1] == "couple":
            return _couple(t, i + 2)
        return None
    if at == "half" and t[i + 1 : i + 3] == ["a", "dozen"]:
        return 6.0, i + 3
    if at in ("couple", "dozen", "dozens"):
        return _couple(t, i + 1) if at == "couple" else (12.0, i + 1)
    return _spanish(t, i) if at in SPANISH or at in _SPANISH_TENS else _english(t, i)


def _couple(t: Sequence[str], i: int) -> tuple[float, int]:
    if i < len(t) and t[i] == "of" and i + 1 < len(t) and t[i + 1] in _SCALES:
        i += 1
    if i < len(t) and t[i] in _SCALES:
        return 2.0 * _SCALES[t[i]], i + 1
    return 2.0, i


def _english(t: Sequence[str], i: int) -> tuple[float, int] | None:
    small = _below_hundred(t, i)
    if small is None:
        return None
    value, after = small
    if value < 10 and after < len(t) and t[after] in ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"):  # fmt: skip
        rest = _below_hundred(t, after)
        if rest is not None and value:
            return _scaled(t, value * 100 + rest[0], rest[1])  # "one fifty", "two twenty five"
    return _scaled(t, float(value), after)


def _below_hundred(t: Sequence[str], i: int) -> tuple[int, int] | None:
    if i >= len(t):
        return None
    at = t[i]
    if at in _TENS:
        if i + 1 < len(t) and t[i + 1] in _UNITS:
            return _TENS[at] + _UNITS[t[i + 1]], i + 2
        return _TENS[at], i + 1
    if at in _TEENS:
        return _TEENS[at], i + 1
    return (_UNITS[at], i + 1) if at in _UNITS else None


def _scaled(t: Sequence[str], value: float, i: int) -> tuple[float, int]:
    """``value`` with what follows it: "and a half", "hundred and twenty", "thousand five hundred", "point five"."""
    if t[i : i + 3] == ["and", "a", "half"]:
        value, i = value + 0.5, i + 3
    elif i + 1 < len(t) and t[i] == "point" and t[i + 1] in _UNITS:
        value, i = value + _UNITS[t[i + 1]] / 10, i + 2
    least = 0
    while i < len(t) and t[i] in _SCALES and (not least or _SCALES[t[i]] != least):
        least = _SCALES[t[i]]
        value, i = value * least, i + 1
        if t[i : i + 3] == ["and", "a", "half"]:
            value, i = value + least / 2, i + 3
    if least >= 100:
        after = i + 1 if i < len(t) and t[i] == "and" else i
        rest = _english(t, after) if after < len(t) else None
        if rest is not None and rest[0] < least:
            return value + rest[0], rest[1]
    return value, i


def _spanish(t: Sequence[str], i: int) -> tuple[float, int] | None:
    if t[i] in SPANISH:
        return float(SPANISH[t[i]]), i + 1
    value = _SPANISH_TENS[t[i]]
    if i + 2 < len(t) and t[i + 1] == "y" and 0 < SPANISH.get(t[i + 2], 0) < 10:
        return float(value + SPANISH[t[i + 2]]), i + 3
    return float(value), i + 1


_ALONE = re.compile(r"\b(?:just|only) me\b|\b(?:myself|alone|by myself|one person|solo yo)\b")
_AND_OTHERS = ("me", "myself", "i")
_TWO = re.compile(
    r"(?:^|(?<!and )(?<!, ))\b(?:me|myself|i) and (?:my|a|one) (?!team\b|staff\b|crew\b|family\b|guys\b|\w+s\b)\w+|"
    r"\bmy (?!team\b|staff\b|crew\b|family\b)(?!\w+s\b)\w+ and (?:me|myself|i)\b(?! (?:and|have|run|need|want|would))"
)
_CORRECTS = frozenset(["no", "wait", "sorry", "actually", "mean", "meant", "rather", "correction", "scratch"])
_NOW = (["but", "now"], ["and", "now"])
_AND = frozenset(["and", "plus"])
_ROUGHLY = frozenset(["about", "around", "roughly", "maybe", "another", "some", "like", "also", "say", "probably", "the", "other", "then"])
_NO_MORE = frozenset(["half", "bit", "few", "lot", "couple", "quarter", "third"])
_PEOPLE = bag("people person persons users user us staff employees employee reps rep drivers colleagues workers heads seats agents guys folks members men women")
_PLACES = bag(
    "office offices location locations site sites branch branches building buildings shop shops store stores warehouse warehouses depot depots city cities"
    " country countries floor floors place places van vans truck trucks department departments team teams company companies"
)  # fmt: skip
_NOUNS = 3
"""Words of what is counted, between its number and the next."""


def number_in(text: str) -> float | None:
    """The quantity that ``text`` names, in digits or words ("about twenty five", "1,200", "just me"); of a range
    the lower end ("between five and ten", "five to ten": 5). "Me and two others" are three, "three vans and a shop" four;
    what is corrected in the same breath ("five, no wait, six") is the last. None when there is none."""
    t = tokens(text)
    if (at := _corrected(t)) and (meant := _counted(t[at:])) is not None:
        return meant
    return _counted(t)


def numbers_in(text: str) -> list[float]:
    """Every quantity of ``text`` by itself, in order, but for those that were taken back."""
    t = tokens(text)
    i, found = _corrected(t), []
    while i < len(t):
        number = quantity(t, i)
        if number is not None and (t[i] != "one" or _counts(t, i)):
            found.append(number[0])
            i = number[1]
        else:
            i += 1
    return found


def _corrected(t: Sequence[str]) -> int:
    """Where the number begins that takes the place of one before it; 0 when none does."""
    since, found = 0, 0
    for i in range(len(t)):
        if i < since or (number := quantity(t, i)) is None or (t[i] == "one" and not _counts(t, i)):
            continue
        between = list(t[since:i])
        pairs = [between[k : k + 2] for k in range(len(between))]
        if since and (not _CORRECTS.isdisjoint(between) or any(pair in pairs for pair in _NOW)):
            found = i
        since = number[1]
    return found


def _counted(t: Sequence[str]) -> float | None:
    if _ALONE.search(" ".join(t)):
        return 1.0
    for i, token in enumerate(t):
        if token in ("one", "once") and not _counts(t, i):
            continue
        found = quantity(t, i)
        if found is None or (token == "once" and t[max(0, i - 1)] in ("at", "more")):
            continue
        value, after = found
        if token == "once":  # Spanish for eleven; in English it counts nothing
            if not any(word in SPANISH or word in ("somos", "personas", "usuarios") for word in (*t[:i], *t[i + 1 :])):
                continue
        elif i >= 2 and t[i - 1] in ("and", "plus") and t[i - 2] in _AND_OTHERS and after < len(t):
            value += 1 if t[after] in ("other", "others", "more", "colleague", "colleagues", "people", "guys") else 0
        if after < len(t) and t[after] in ("to", "or", "-") and after + 1 < len(t) and (upper := quantity(t, after + 1)):
            return _lower_end(value, upper, t)
        return value if i and t[i - 1] in ("between", "entre") else value + _added(t, after)
    return 2.0 if _TWO.search(" ".join(t)) else None


def _added(t: Sequence[str], i: int) -> float:
    """What an enumeration that goes on at ``t[i]`` adds to the number before: "(three vans) and a shop" one more. Its
    parts but the last may stand without "and"; each counts something, and places are not added to people."""
    total, open_sum = 0.0, 0.0
    people = not _PEOPLE.isdisjoint(t[i : i + _NOUNS])
    while True:
        j = i
        while j < len(t) and j - i < _NOUNS and t[j].isalpha() and t[j] not in _AND and quantity(t, j) is None:
            j += 1
        if j >= len(t) or (t[j] not in _AND and t[j] != ","):
            return total
        joined = t[j] in _AND or t[j + 1 : j + 2] in (["and"], ["plus"])
        k = j + 1
        while k < len(t) and (t[k] in _AND or t[k] in _ROUGHLY):
            k += 1
        found = quantity(t, k) if k < len(t) else None
        if found is None and k and k < len(t) and (t[k] in ("a", "an") or t[k - 1] == "the") and j > i:
            noun = k + 1 if t[k] in ("a", "an") else k
            if noun >= len(t) or t[noun] in _NO_MORE or not t[noun].isalpha():
                return total
            if noun + 1 < len(t) and t[noun + 1].isalpha() and t[noun + 1] not in _AND:
                return total  # "and a budget of ...", "and the deadline is ..."
            found = 1.0, noun
        if found is None or t[found[1] : found[1] + 1] == ["of"] or (people and not _PLACES.isdisjoint(t[found[1] : found[1] + 1])):
            return total
        open_sum += found[0]
        i = found[1]
        if joined:
            total, open_sum = total + open_sum, 0.0


def _lower_end(value: float, upper: tuple[float, int], t: Sequence[str]) -> float:
    """Of "two to three hundred" the lower end is two hundred."""
    top, end = upper
    scale = _SCALES.get(t[end - 1], 0)
    return value * scale if scale and value < top / scale and value * scale < top else value


_BEFORE_A_PRONOUN = frozenset([
    "no", "the", "that", "this", "which", "any", "every", "some", "not", "only", "first", "second", "third", "fourth", "fifth",
    "last", "latter", "next", "other", "another", "each", "early", "late",
])  # fmt: skip


def _counts(t: Sequence[str], i: int) -> bool:
    """Whether "one" is a number here, and no pronoun: "no one", "the one", "one of us", "the second one"."""
    before = t[i - 1] if i else ""
    after = t[i + 1] if i + 1 < len(t) else ""
    return before not in _BEFORE_A_PRONOUN and after != "of"
