"""How a lead stands, for people: how well it fits and on whose word, its objections, and the signs that it gave."""

from __future__ import annotations

from collections.abc import Iterable

from .conversation.qualify import Fit, assess
from .conversation.signs import together
from .effects import Reflection
from .events import Concern, Sign
from .lead import Lead
from .messages import Judged
from .playbook import Playbook

_CALLED = {"met": "met", "failed": "against", "unknown": "missing", "unconfirmed": "to be confirmed"}
"""What people call the status of a criterion."""
_NEWS = frozenset({"form", "learned", "concern", "conversation", "answered", "playbook"})
"""Entries after which a lead may stand otherwise than before."""


def fit_of(state: Lead, playbook: Playbook) -> Fit:
    """How the lead fits by what is known of it, with the words and whose they are."""
    known = state.learned
    return assess(
        playbook, {k: v.value for k, v in known.items()}, {k: v.source for k, v in known.items()},
        {k: v.quote for k, v in known.items()},
    )  # fmt: skip


def signs_of(state: Lead) -> tuple[Sign, ...]:
    """The signs of all talks, one of each kind; see :func:`.conversation.signs.together`."""
    return together(state.signs)


def is_new(state: Lead) -> bool:
    """Whether the lead may stand otherwise than when it was last told, or somebody is about to be told of it."""
    return any(owed.card or owed.todo for owed in state.owed) or any(e.kind in _NEWS for e in state.entries)


def verdict(fit: Fit) -> str:
    """``fits``, ``no fit``, or ``open`` while something is missing."""
    return "fits" if fit.fits else "no fit" if fit.misfit else "open"


# ---- in words -----------------------------------------------------------------------------------------------------


def criterion(judged: Judged) -> str:
    """``met: team size is 25, wanted at least 3 (said: “about 25”)``."""
    return f"{_CALLED[judged.status]}: {judged.in_words}"


def objection(concern: Concern) -> str:
    """``price: resolved, raised 2 times, answered 1 time (“too expensive”)``."""

    def times(number: int) -> str:
        return f"{number} time" if number == 1 else f"{number} times"

    name = concern.name.replace("_", " ")
    words = f" (“{concern.words}”)" if concern.words else ""
    return f"{name}: {concern.status}, raised {times(concern.raised)}, answered {times(concern.answered)}{words}"


def sign(each: Sign) -> str:
    """``commitment 0.95 (“let's do it”)``."""
    words = f" (“{each.quote}”)" if each.quote else ""
    return f"{each.sign} {each.strength:.2f}{words}"


def by_status(criteria: Iterable[Judged]) -> str:
    """``met: team size 25 (said); missing: role``."""
    groups: dict[str, list[str]] = {name: [] for name in _CALLED.values()}
    for each in criteria:
        field = each.field.replace("_", " ")
        value = f" {each.value.replace('_', ' ')} ({each.source})" if each.value else ""
        groups[_CALLED[each.status]].append(field + value)
    return "; ".join(f"{name}: {', '.join(fields)}" for name, fields in groups.items() if fields)


def summary(told: Reflection) -> tuple[tuple[str, str], ...]:
    """How the lead stands, as a rep reads it on a card or under a call: what it is about, and the words. What is not
    known is left out."""
    fit = ". ".join(filter(None, (told.fit, by_status(told.criteria))))
    disposition = f" ({told.disposition.replace('_', ' ')})" if told.disposition else ""
    lines = {
        "Fit": fit,
        "Objections": "; ".join(map(objection, told.concerns)),
        "Signs": "; ".join(map(sign, told.signs)),
        "Now": told.stage.replace("_", " ") + disposition + (f", next: {told.next_step}" if told.next_step else ""),
    }
    return tuple((name, words) for name, words in lines.items() if words)
