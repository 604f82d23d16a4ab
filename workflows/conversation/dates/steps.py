""""A bit later", "anything earlier?", "that's too early": which way from the time that is spoken of."""

from __future__ import annotations

import re

from ...tokens import tokens

_LITTLE = r"(?:(?:a|any|just|maybe) )?(?:(?:little|tiny|wee) )?(?:bit|little|touch|tad|while)|slightly|somewhat|much|way|far|quite a bit"
_OF_WHAT = r"any|anything|something|some|one|ones|times?|slots?|spots?|it|that|this|be|you|start|meet|go|on|what about|how about|could|can"
_LATER = re.compile(
    rf"\b(?:{_LITTLE}|{_OF_WHAT}) later\b(?! (?:than|this|next|one|or sooner))"
    rf"|\blater (?:in the day|that day|on that day|the same day)\b"
    rf"|\b(?:too|(?:little|bit) too|{_LITTLE}) early\b|\bnot (?:that|so|quite so) early\b|\bpush (?:it|that|the \w+) (?:back|out)\b"
)
_EARLIER = re.compile(
    rf"\b(?:{_LITTLE}|{_OF_WHAT}) (?:earlier|sooner)\b(?! (?:than|this|next|one|or later))"
    rf"|\bearlier (?:in the day|that day|on that day|the same day)\b"
    rf"|\btoo late\b|\b(?:{_LITTLE}) late (?:for (?:me|us)|in the (?:day|afternoon|evening))\b|\bnot (?:that|so|quite so) late\b"
    r"|\b(?:bring|pull|move) (?:it|that|the \w+) (?:forward|up)\b"
)
_OF_A_CALL = re.compile(r"\b(?:call|ring|phone|try|talk|speak|touch|back to (?:me|us)|reach|contact|text|decide|tell you|let you know)\b")


def step(text: str) -> int:
    """1 where ``text`` asks for a later time than the one spoken of, -1 for an earlier one, 0 for neither. By how much it
    leaves open: "an hour later" is read with its hour. A call to come at some later time is none."""
    said = " ".join(tokens(text))
    if _OF_A_CALL.search(said):
        return 0
    later, earlier = _LATER.search(said), _EARLIER.search(said)
    return 0 if bool(later) == bool(earlier) else 1 if later else -1
