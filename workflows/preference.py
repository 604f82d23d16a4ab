"""When somebody would rather be called, in their own words: "mornings are best", "call me after five", "not on Mondays".

A standing preference, and no appointment: "call me tomorrow morning" names one call (``workflows/wishes.py``) and says
nothing of the next. Pure; English.
"""

from __future__ import annotations

import re

from .lead import Preference
from .playbook import Part
from .rulebook import DAYS, Day
from .tokens import tokens

_PART_WORDS: dict[str, Part] = {
    "morning": "morning", "mornings": "morning", "midday": "midday", "noon": "midday", "lunchtime": "midday",
    "lunchtimes": "midday", "afternoon": "afternoon", "afternoons": "afternoon", "evening": "evening",
    "evenings": "evening",
}  # fmt: skip
_PARTS: tuple[Part, ...] = ("morning", "midday", "afternoon", "evening")
_DAY_WORDS: dict[str, tuple[Day, ...]] = {
    "mondays": ("mon",), "tuesdays": ("tue",), "wednesdays": ("wed",), "thursdays": ("thu",), "fridays": ("fri",),
    "saturdays": ("sat",), "sundays": ("sun",), "weekdays": DAYS[:5], "weekends": DAYS[5:],
}  # fmt: skip
_HOURS = {name: hour for hour, name in enumerate(
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 1
)}  # fmt: skip

_PART = "(?:(?:early |late )?(?:mornings?|afternoons?|evenings?|lunchtimes?|midday|noon))"
_MANY = "(?:mornings|afternoons|evenings|lunchtimes)"
_DAY = f"(?:{'|'.join(_DAY_WORDS)})"
_REACH = "(?:call|calls|calling|ring|ringing|phone|try|trying|reach|catch|contact|get|speak|talk|chat)"
_GOOD = "(?:best|better|good|fine|great|ideal|preferable|preferred|easier|easiest|okay|works?|suits?|perfect)"
_BAD = "(?:bad|no good|worst|terrible|awful|impossible|busy|out|hopeless|difficult|hard)"
_CLOCK = r"(?:noon|(?:[01]?\d|2[0-3])(?: : [0-5]\d|:[0-5]\d)?(?: [ap]m)?|(?:" + "|".join(_HOURS) + r")(?: oclock)?(?: [ap]m)?)"

_ONCE = re.compile(
    r"\b(?:today|tonight|tomorrow|this|next|now|again in|back in|until|monday|tuesday|wednesday|thursday|friday|saturday|sunday|\d+ (?:minutes?|hours?|days?|weeks?))\b"
)
"""It is about one call, or one day."""
_ASKS = tuple(re.compile(pattern) for pattern in (
    rf"\b{_REACH}\b[^.?!]{{0,30}}?\b(?:in|during|over) (?:the |my )?{_PART}\b",
    rf"\b(?:in|during) the {_PART}\b[^.?!]{{0,20}}?\b{_GOOD}\b",
    rf"\b(?:{_MANY}|{_DAY})\b[^.?!]{{0,20}}?\b{_GOOD}\b",
    rf"\b(?:the )?{_PART} (?:is|would be|will be|are) (?:\w+ )?{_GOOD}\b",
    rf"\b(?:best|better|good|preferred|easiest) time\b[^.?!]{{0,40}}?\b{_PART}\b",
    rf"\b(?:prefer|like|rather have|would rather|available|free|home|reachable)\b[^.?!]{{0,25}}?\b(?:{_MANY}|{_DAY}|in the {_PART})\b",
    rf"\b(?:only|just) (?:\w+ )?(?:in the )?(?:{_MANY}|{_DAY})\b",
    rf"\b{_REACH}\b[^.?!]{{0,25}}?\b(?:on )?{_DAY}\b",
    rf"^(?:[\w ,]{{0,15}} )?{_MANY}(?: please| thanks| thank you| are fine)?[ .!]*$",
    rf"^(?:the )?{_PART}(?: please| is fine)?[ .!]*$",
))  # fmt: skip
_WARDS_OFF = tuple(re.compile(pattern) for pattern in (
    rf"\b(?:not|never|no)\b[^.?!]{{0,30}}?\b(?:in|during|over|on)?(?: the)? ?(?:{_PART}|{_DAY})\b",
    rf"\b(?:{_MANY}|{_DAY}|the {_PART})\b[^.?!]{{0,15}}?\b(?:{_BAD}|do not (?:work|suit)|are not|is not|does not)\b",
    rf"\b(?:busy|in meetings|at work|working|asleep|driving)\b[^.?!]{{0,20}}?\b(?:in the )?(?:{_MANY}|{_DAY}|in the {_PART})\b",
))  # fmt: skip
_FROM = re.compile(rf"\b{_REACH}\b(?: [\w,]+){{0,5}} (?:only )?(?:after|from|past) ({_CLOCK})(?= |$)(?! minutes?| hours?| days?)")
_TO = re.compile(rf"\b{_REACH}\b(?: [\w,]+){{0,5}} (?:only )?(?:before) ({_CLOCK})(?= |$)(?! minutes?| hours?| days?)")
_BETWEEN = re.compile(rf"\b{_REACH}\b(?: [\w,]+){{0,5}} between ({_CLOCK}) and ({_CLOCK})(?= |$)")
_GREETING = re.compile(r"\bgood (?:morning|afternoon|evening)\b")


_NAMES_A_CALL = re.compile(rf"\b{_REACH}\b")


def preference(text: str, aloud: bool = False) -> Preference | None:
    """When ``text`` asks to be called from now on; None when it says nothing of that. What is said ``aloud`` in a call may
    as well be about the meeting, and has to speak of calling."""
    said = _GREETING.sub("", " ".join(tokens(text))).strip()
    for sentence in filter(None, (part.strip() for part in re.split(r"[.?!;]", said))):
        if _ONCE.search(sentence) or (aloud and not _NAMES_A_CALL.search(sentence)):
            continue
        if found := _of(sentence):
            return found.model_copy(update={"words": text.strip()[:200]})
    return None


def _of(sentence: str) -> Preference | None:
    if between := _BETWEEN.search(sentence):
        opens, closes = _clock(between[1]), _clock(between[2])
        return Preference(after=opens, before=closes) if opens < closes else None
    if after := _FROM.search(sentence):
        return Preference(after=_clock(after[1]))
    if before := _TO.search(sentence):
        return Preference(before=_clock(before[1]))
    if any(pattern.search(sentence) for pattern in _WARDS_OFF):
        return _named(sentence, but=True)
    return _named(sentence) if any(pattern.search(sentence) for pattern in _ASKS) else None


def _named(sentence: str, but: bool = False) -> Preference | None:
    """The parts and weekdays that stand in it, or all ``but`` those."""
    words = sentence.split()
    parts = dict.fromkeys(_PART_WORDS[word] for word in words if word in _PART_WORDS)
    days = dict.fromkeys(day for word in words for day in _DAY_WORDS.get(word, ()))
    if not parts and not days:
        return None
    if but:
        return Preference(
            parts=tuple(p for p in _PARTS if p not in parts) if parts else (),
            days=tuple(d for d in DAYS if d not in days) if days else (),
        )
    return Preference(parts=tuple(parts), days=tuple(days))


def _clock(said: str) -> str:
    """``HH:MM`` of a time of day as people call: without am or pm, an hour before eight is in the afternoon."""
    if said == "noon":
        return "12:00"
    whole = said.replace(" : ", ":").split()
    hour, _, minute = whole[0].partition(":")
    number = _HOURS.get(hour) or int(hour)
    half = whole[-1] if whole[-1] in ("am", "pm") else ""
    if half == "pm" or (not half and number < 8):
        number = number % 12 + 12
    elif half == "am":
        number %= 12
    return f"{number:02d}:{int(minute or 0):02d}"
