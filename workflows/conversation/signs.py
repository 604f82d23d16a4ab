"""How strong a sign of commitment, concern, confirmation, denial or hesitation is, and what they come to together.

The strength of one sign (0 to 1) is read off its words by code: "absolutely, let's do it" is more than "sure", "sure" is
more than "I guess so". Together the signs of a lead, over this talk and the ones before it, only grow: none fades
away with time, but the strongest counts in full and each weaker one for a little less.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

from ..events import Sign
from ..reading import FILLERS, HEDGES, agrees, is_confirmation, is_denial
from ..words import plain

if TYPE_CHECKING:
    from .state import State

Kind = Literal["commitment", "concern", "confirmation", "denial", "hesitation"]

_PLAIN: dict[Kind, float] = {
    "commitment": 0.75,
    "confirmation": 0.75,
    "denial": 0.7,
    "concern": 0.6,
    "hesitation": 0.45,
}
_READ_ONLY = 0.5
"""What a commitment or confirmation weighs that shows no word of agreement: only the model took it for one."""
_NO_NO = 0.15
"""What a denial weighs in which no word denies: only the model took it for one."""
_NEGATIVE = re.compile(
    r"\b(?:no|not|nor|never|none|nothing|nobody|nah|nope|without|rather|pass|stop|leave|enough|forget|decline|cancel|already|\w+n't|dont|wont|cant)\b"
)
_EMPHATIC = re.compile(
    r"\b(?:absolutely|definitely|certainly|for sure|of course|totally|hundred percent|100 percent|perfect|exactly|"
    r"let's (?:do|go|book|get)|sign me up|book (?:it|me|that)|please do|great|love (?:it|to|that)|go for it|can't wait|gladly|"
    r"count me in|i'll take|with pleasure|no doubt|without a doubt)\b"
)
_FIRM = re.compile(
    r"\b(?:absolutely|definitely|certainly|really|at all|never|no way|under no circumstances|far too|way too|much too|very|"
    r"seriously|honestly|simply|big|serious|impossible|not ever|stop|for sure|out of the question|any of)\b"
)
_SOFT = re.compile(
    r"\b(?:not really|don't think|do not think|rather not|probably not|not right now|not (?:at )?(?:the moment|now|today|yet)|"
    r"not sure|maybe not|i guess not|i'm afraid|not that|not particularly)\b"
)
_ASIDE = re.compile(
    r"\b(?:by the way|just (?:wondering|curious|asking|out of curiosity)|a (?:bit|little)|slightly|quick question|kind of|sort of|somewhat|"
    r"though|one thing|minor|maybe|perhaps|i guess|not a big)\b"
)
_REFUSES = re.compile(r"\b(?:no|not|never|nothing|don't|won't|can't|doesn't|isn't)\b")
_TAKEN_BACK = re.compile(r"\b(?:but|however|although|except|unless)\b")

_NEXT = 0.85
"""Each sign counts this much of the stronger one before it ..."""
_LEAST = 0.4
"""... but never less than this part of itself."""
_SAID_AGAIN = 0.3
"""The same words of agreement or doubt once more add only this part. A concern or a no said again counts in full."""
_DOUBTFUL = 0.6
"""What is left of a sign that was heard badly."""


def weigh(kind: Kind, words: str, doubtful: bool = False) -> float:
    """How strongly ``words`` show a sign of this ``kind``: 0 (not at all, or the opposite of it) to 1.

    ``doubtful``: the transcript itself is uncertain."""
    said = plain(words)
    if not said:
        return 0.0
    if kind in ("commitment", "confirmation"):
        value = _agreement(kind, words, said)
    elif kind == "denial":
        denied = _graded(kind, said, _SOFT, 0.4) if _NEGATIVE.search(said) else _NO_NO
        value = 0.0 if is_confirmation(words) else denied
    elif kind == "concern":
        value = _graded(kind, said, _ASIDE, 0.3)
    else:
        hedges = len(HEDGES.findall(said))
        fillers = len(FILLERS.findall(said))
        value = min(0.15 * fillers + (_PLAIN[kind] + 0.2 * (hedges - 1) if hedges else 0.15), 0.9)
    return round(value * (_DOUBTFUL if doubtful else 1.0), 3)


def _agreement(kind: Kind, words: str, said: str) -> float:
    if is_denial(words):
        return 0.0
    hedges = len(HEDGES.findall(said))
    if _EMPHATIC.search(said) and not hedges:
        value = 0.95
    elif is_confirmation(words) or agrees(words):
        value = _PLAIN[kind]
    elif _REFUSES.search(HEDGES.sub(" ", said)):
        return 0.0
    else:
        value = _READ_ONLY
    value *= 0.6**hedges
    value *= 0.85 ** min(len(FILLERS.findall(said)), 2)
    return value * (0.5 if _TAKEN_BACK.search(said) else 1.0)


def _graded(kind: Kind, said: str, soft: re.Pattern[str], softly: float) -> float:
    """A no or a concern: soft words weigh ``softly``, firm ones more than plain ones."""
    if soft.search(said):
        return softly
    return 0.9 if _FIRM.search(said) else _PLAIN[kind]


def cumulative(signs: Sequence[Sign], kind: Kind, about: str = "") -> float:
    """What the signs of this ``kind`` come to together, 0 to 1: the strongest counts in full and each weaker one for a
    little less, so that one more sign, however weak, never takes anything away. ``about`` narrows them to one matter;
    a sign about nothing in particular then counts for half."""
    strengths: list[float] = []
    said: dict[str, int] = {}
    for sign in signs:
        if sign.sign != kind or (about and sign.about not in (about, "")):
            continue
        value = min(max(sign.strength, 0.0), 1.0) * (0.5 if about and not sign.about else 1.0)
        words = plain(sign.quote)
        if words in said and kind not in ("concern", "denial"):
            first = said[words]
            value, strengths[first] = min(value, strengths[first]) * _SAID_AGAIN, max(value, strengths[first])
        else:
            said[words] = len(strengths)
        strengths.append(value)
    left = 1.0
    for place, value in enumerate(sorted(strengths, reverse=True)):
        left *= 1.0 - max(_NEXT**place, _LEAST) * value
    return round(1.0 - left, 3)


def together(signs: Sequence[Sign]) -> tuple[Sign, ...]:
    """``signs`` as people are told of them: one of each kind that was shown, in the words of its strongest, as strong as
    all of them are together."""
    shown = {kind: [s for s in signs if s.sign == kind and s.strength > 0] for kind in get_args(Kind)}
    strongest = [max(each, key=lambda s: s.strength) for each in shown.values() if each]
    return tuple(s.model_copy(update={"strength": cumulative(signs, s.sign)}) for s in strongest)


def strength(state: State, sign: Kind, about: str = "") -> float:
    """:func:`cumulative` over all that this lead said, in this talk and in those that the brief tells of."""
    return cumulative(state.signs, sign, about)
