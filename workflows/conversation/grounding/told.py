"""What the lead told us, and what their last words ask or demand."""

from __future__ import annotations

from collections.abc import Sequence

from ...tokens import PUNCTUATION, bag, tokens
from .. import dates
from ..state import State
from .facts import Approved, sentence_parts
from .lexicon import ASKING, DEMANDING, GLUE, MACHINE, RISKY, TALK, counted, stem

_MOST_LINES = 12
"""How many of their lines are looked at for the words that may be said back."""
_WHAT = bag("what how where which who when why")
_VERBS = bag("is are do does did can could will would has have was were")
_ASKED_OF = bag("you it there i we they this that the a your he she")
_OF_US = bag("it you that they")
_SAYING = _VERBS | bag("sound sounds look looks seem seems said say told cost costs work works need needs got get gets gave sent know knew offer charge")
_REQUESTING = bag("you me give hear speak quickly hi hello hey uh um yes send text link explain")
MACHINE_STEMS = frozenset(stem(word) for word in MACHINE)
RISKY_STEMS = frozenset(stem(word) for word in RISKY)


def told(state: State) -> tuple[frozenset[str], frozenset[str]]:
    """The words of the lead's statements and of what is known of them: in stems, and as they are. What they only asked is
    none of it."""
    found: list[str] = []
    lines = [line.text for line in state.lines if line.who == "lead"][-_MOST_LINES:]
    for text in lines:
        for part in sentence_parts(text):
            t = tokens(part)
            if "?" not in t and not _asks(t):
                found += t
    for value in state.learned.values():
        found += tokens(value)
    if person := state.brief.person:
        for value in (person.company, person.message, *person.attributes.values()):
            found += tokens(value)
    items = counted(found)
    return frozenset(stem(item) for item in items if item not in PUNCTUATION), frozenset(found)


def asked_about(state: State, known: Approved) -> frozenset[str]:
    """The content words, in stems, of what the lead's last words ask of us, demand, or say of us: a yes after them says more
    than yes. Empty when there is nothing of the kind."""
    said = state.last_words
    if not said:
        return frozenset()
    t = tokens(said)
    inside = {k for m in dates.mentions(t, state.brief.zone, state.now) for k in range(m.start, m.stop)}
    content = frozenset(
        stem(token) for k, token in enumerate(t)
        if k not in inside and token not in TALK and token not in PUNCTUATION and token not in _REQUESTING and token not in known.company
    )  # fmt: skip
    if not content:
        return content
    if "?" in t or _asks(t) or not RISKY.isdisjoint(t):
        return content
    beyond = frozenset(word for word in content if word not in known.asked and word not in known.by_word)
    if beyond and not DEMANDING.isdisjoint(t):
        return beyond
    return frozenset(word for word in beyond if word not in _ASKING_STEMS) if _says_of_us(t) else frozenset()


_ASKING_STEMS = frozenset(stem(word) for word in ASKING)


def _asks(t: Sequence[str]) -> bool:
    """Whether these words ask, with or without a question mark: "does it", "can I", or "what" at their beginning."""
    clause, begun = True, False
    for k, token in enumerate(t):
        if clause and token in _VERBS and k + 1 < len(t) and t[k + 1] in _ASKED_OF:
            return True
        if not begun and token in _WHAT:
            return True
        begun = begun or (token not in GLUE and token not in PUNCTUATION)
        clause = token in PUNCTUATION or (clause and token in GLUE) or token in ("and", "so", "but", "or")
    return False


def _says_of_us(t: Sequence[str]) -> bool:
    """Whether they say something of us or of it: "I heard it is expensive", "you sound like a robot"."""
    return any(token in _OF_US and k + 1 < len(t) and t[k + 1] in _SAYING for k, token in enumerate(t))
