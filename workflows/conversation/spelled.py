"""E-mail addresses, phone numbers and names as people say them: "dana at example dot com", "d as in david".

Pure; English. What is said comes in, the one spelling that is kept goes out, or "" when there is none in it.
"""

from __future__ import annotations

import re

from ..identity import email_address, phone_number
from .numbers import NUMBERS

_DIGITS = {word: str(n) for word, n in NUMBERS.items() if n < 10 and word not in ("a", "an")} | {"oh": "0", "o": "0"}
_TENS = {word: str(n) for word, n in NUMBERS.items() if 10 <= n <= 50} | {
    "sixty": "60",
    "seventy": "70",
    "eighty": "80",
    "ninety": "90",
}
_SIGNS = {
    "dot": ".",
    "point": ".",
    "period": ".",
    "underscore": "_",
    "dash": "-",
    "hyphen": "-",
    "minus": "-",
    "plus": "+",
}
_PROVIDERS = {
    "gmail": "gmail.com",
    "yahoo": "yahoo.com",
    "hotmail": "hotmail.com",
    "outlook": "outlook.com",
    "icloud": "icloud.com",
}
"""Providers that people name without saying "dot com"."""
_SHORT = 6
"""A domain of so many letters is spelled out: "acme" and "acmi" sound alike."""
_AS_IN = re.compile(r"\b([a-z])(?:,)? (?:as in|for|like in|like) [a-z]+\b")
_WRITTEN = re.compile(r"[a-z0-9_.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_BEFORE = {
    "is", "it's", "its", "address", "email", "mail", "to", "at", "use", "me", "my", "that's", "be", "write", "say", "yes", "no", "so", "and",
    "sure", "okay", "ok", "um", "uh", "well", "try", "just", "the", "on", "under", "would", "send", "sorry", "not", "it", "actually", "please",
    "reach", "him", "her", "them", "contact", "correct", "right", "wrong",
}  # fmt: skip
"""Words that stand before an address and are no part of it."""


def _tokens(text: str) -> list[str]:
    lowered = _AS_IN.sub(r"\1", text.lower().replace("’", "'").replace("double u", "w").replace("double-u", "w"))
    lowered = re.sub(r"\bat sign\b", "at", lowered).replace("@", " at ")
    lowered = re.sub(r"(?<=[a-z]) ?\. (?=com\b|net\b|org\b|io\b)", " dot ", lowered)
    lowered = re.sub(r"(?<=\w)\.(?=\w)", " dot ", lowered)
    lowered = re.sub(r"(?<=[a-z0-9])-(?=[a-z0-9]\b)", " ", lowered)  # spelled: d-a-n-a
    return re.findall(r"[a-z0-9_+'-]+", lowered)


def email_in(text: str) -> str:
    """The e-mail address that ``text`` names, written or spoken, in lower case; "" when there is none."""
    lowered = text.lower().strip()
    if written := _WRITTEN.search(lowered):
        return written[0].rstrip(".")
    tokens = _tokens(text)
    for at in (i for i, token in enumerate(tokens) if token == "at"):
        address = f"{_local(tokens[:at])}@{_domain(tokens[at + 1 :])}"
        try:
            return email_address(address) if _WRITTEN.fullmatch(address) else ""
        except ValueError:
            continue
    return ""


def is_only_email(text: str) -> bool:
    """Whether ``text`` says nothing before the address that it names: "No, it's dana at example dot com"."""
    tokens = _tokens(text)
    while tokens and tokens[0] in _BEFORE:
        tokens.pop(0)
    before = tokens[: tokens.index("at")] if "at" in tokens else []
    tells = before[:1] in (["i"], ["we"]) and len(before) > 1 and len(before[1]) > 1  # "I work at acme dot com"
    return bool(before) and not tells and "".join(_SIGNS.get(t, _DIGITS.get(t, t)) for t in before) == _local(before)


def _local(tokens: list[str]) -> str:
    """The part before the @, read backwards: a run of letters and signs, or one word and what dots and dashes join
    to it."""
    parts: list[str] = []
    joined = True
    for token in reversed(tokens):
        if token in _SIGNS:
            parts.append(_SIGNS[token])
            joined = True
        elif token in _DIGITS and token != "o":
            parts.append(_DIGITS[token])
        elif len(token) == 1 or token.isdigit():
            parts.append(token)
            joined = joined and len(parts) == 1 and token.isdigit()
        elif joined and token not in _BEFORE:
            parts.append(token)
            joined = False
        else:
            break
    return "".join(reversed(parts)).strip(".")


def _domain(tokens: list[str]) -> str:
    """The part after the @: words up to the first dot are one ("my company dot com"), then one word after each."""
    first = next((i for i, token in enumerate(tokens) if token in _SIGNS), 0)
    if not 0 < first <= 3:
        return _PROVIDERS.get(tokens[0], "") if tokens else ""
    parts: list[str] = []
    joined = True
    for place, token in enumerate(tokens):
        if token in _SIGNS:
            parts.append(_SIGNS[token])
            joined = True
        elif place < first or joined:
            parts.append(token)
            joined = False
        else:
            break
    return "".join(parts).strip(".")


def phone_in(text: str) -> str:
    """The phone number that ``text`` names in E.164 (a US number unless it says its country); "" when there is none."""
    written = re.sub(r"(?<=\d)[().\s-]+(?=\d)", "", text.lower().replace("-", " "))
    for run in _runs(re.findall(r"\+?\d+|[a-z]+", written)):
        if len(run.lstrip("+")) >= 10:
            try:
                return phone_number(run)
            except ValueError:
                continue
    return ""


def _runs(tokens: list[str]) -> list[str]:
    """The strings of digits that the words spell: "four fifteen, double five" is 41555, "twenty three" is 23."""
    runs, digits = [], ""
    before, repeat = "", 1
    for token in tokens:
        if token in ("double", "triple"):
            repeat = 2 if token == "double" else 3
        elif token == "plus" and not digits:
            digits = "+"
        elif found := token if token[-1].isdigit() else _DIGITS.get(token) or _TENS.get(token, ""):
            if before in _TENS and int(_TENS[before]) >= 20 and token in _DIGITS and found != "0":
                digits = digits[:-1] + found
            else:
                digits += found * repeat
            repeat = 1
        elif token not in ("and", "then", "dash", "area", "code"):
            runs.append(digits)
            digits = ""
        before = token
    return [*runs, digits]


_INTRODUCED = re.compile(
    r"(?:my name is|my name's|name is|the name's|this is|i'm|i am|it's|it is|call me|called|named|you're speaking (?:to|with)|speaking with|"
    r"talk to|speak (?:to|with)|ask for|contact|that would be|that'd be|he's|she's|you want|ask)\s+(?:my |our |the )?(?:boss |manager |colleague |wife |husband |partner |brother |sister )?",
    re.I,
)
_NAME = re.compile(r"[A-Z][\w'-]+(?:\s+(?:[A-Z]\.|(?:de|van|von|der|la|del|di|da)\s+)?\s*[A-Z][\w'-]+){0,3}")
_NO_NAMES = {
    "i", "the", "our", "my", "yes", "yeah", "no", "well", "sure", "okay", "ok", "hello", "hi", "hey", "sorry", "monday", "tuesday", "wednesday",
    "thursday", "friday", "saturday", "sunday", "january", "february", "march", "april", "june", "july", "august", "september", "october",
    "november", "december", "you", "he", "she", "they", "it", "that", "this", "please", "thanks", "thank", "it's", "that's", "i'm", "not", "just", "um", "uh", "so",
    "and", "but", "if", "what", "who", "when", "sounds", "wrong", "maybe", "actually", "oh", "good", "great", "we", "we'd", "you'd", "is", "ask", "talk", "try",
    "can", "could", "do", "does", "let", "let's", "speak", "contact", "call", "it'd", "a", "an", "then", "right", "correct", "number", "email",
}  # fmt: skip
_ROLES = {
    "boss", "manager", "colleague", "wife", "husband", "partner", "brother", "sister", "son", "daughter", "father", "mother", "owner",
    "director", "lead", "head", "assistant", "department", "team", "supervisor", "ceo", "cfo", "cto", "buyer", "secretary", "office", "people",
    "someone", "somebody", "nobody", "anyone", "person", "him", "her", "them", "me", "us", "know", "don't", "idea", "nope", "nah", "yep",
    "none", "nothing", "alright", "fine", "speaking", "here", "guess", "later", "stop", "bye", "goodbye", "pardon", "today", "tomorrow",
    "for", "on", "at", "in", "of", "to", "be", "it", "are", "was", "with", "from", "by", "or", "all", "more", "about", "course",
    "purchasing", "accounting", "sales", "logistics", "operations", "support", "one", "two", "three", "four", "five", "ten",
}  # fmt: skip
_NAMED = re.compile(
    r"\b(?:my name is|my name's|name is|the name's|talk to|speak (?:to|with)|ask for|you want|contact)"
    r" (?:my |our )?(?:boss |manager |colleague |wife |husband |partner |brother |sister )?([a-z' -]+?)(?: (?:in|from|at|on|about|instead|please|he|she)\b.*)?[.!,]*$"
)
_AFTER_NAME = re.compile(
    r"[.!]?$|, |(?: \w+ dot\b)| (?:is|handles|does|decides|runs|manages|in|from|at|here|speaking|knows|takes|would|can)\b"
)
"""What follows a name that begins a sentence."""
_SPELLED = re.compile(r"\b(?:[a-z](?:[\s-]+|$)){3,}", re.I)


def name_in(text: str) -> str:
    """The person's name that ``text`` gives: introduced ("this is Dana Reyes"), spelled out ("d a n a"), or standing
    there with capital letters; "" when there is none."""
    spelled = _SPELLED.search(_AS_IN.sub(r"\1", text.lower().replace(",", " ").replace(".", " ")))
    if spelled and len(letters := re.findall(r"[a-z]", spelled[0])) >= 3:
        return "".join(letters).capitalize()
    for found in _INTRODUCED.finditer(text):
        if name := _capitalised(text[found.end() :], anywhere=False):
            return name
    return _capitalised(text, anywhere=True) or _uncapitalised(text.lower())


def _capitalised(text: str, anywhere: bool) -> str:
    for found in _NAME.finditer(text) if anywhere else filter(None, (_NAME.match(text),)):
        words = found[0].split()
        begins = anywhere and not re.split(r"[.!?]", text[: found.start()])[-1].strip()
        while words and words[0].lower() in _NO_NAMES:
            words.pop(0)
            begins = False
        while words and words[-1].lower() in _NO_NAMES:
            words.pop()
        if begins and len(words) == 1 and not _AFTER_NAME.match(text[found.end() :]):
            continue  # a capital letter that only begins the sentence
        if words and not any(word.lower() in _ROLES or word.lower() in NUMBERS for word in words):
            return " ".join(words)
    return ""


def _uncapitalised(text: str) -> str:
    """A name in a transcript without capital letters: after "my name is", or all that was said."""
    named = _NAMED.search(text)
    words = re.findall(r"[a-zà-ÿ'-]+", named[1] if named else text)
    if not 0 < len(words) <= 2 or any(len(w) < 2 or w in _NO_NAMES or w in _ROLES for w in words):
        return ""
    return " ".join(word.capitalize() for word in words)


def contact_in(text: str) -> str:
    """The e-mail address or phone number in ``text``; "" when there is neither."""
    return email_in(text) or phone_in(text)


def aloud(kind: str, value: str) -> str:
    """``value`` as it is read back: an address and a number in pieces that can be checked by ear."""
    if kind == "email":
        local, _, domain = value.partition("@")
        first, _, rest = domain.partition(".")
        known = f"{first}.{rest}" in _PROVIDERS.values() or len(first) > _SHORT
        return f"{_slow(local)} at {first if known else '-'.join(first)} dot {rest.replace('.', ' dot ')}"
    if kind == "name":
        return f"{value}, spelled {', '.join(value.split()[0].upper())}"
    return value


def _slow(local: str) -> str:
    named = {sign: word for word, sign in reversed(_SIGNS.items())} | {
        ".": "dot",
        "-": "dash",
        "_": "underscore",
        "+": "plus",
    }
    return " ".join(named.get(piece, "-".join(piece)) for piece in re.findall(r"[a-z]+|\d|[._+-]", local))
