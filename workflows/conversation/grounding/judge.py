"""May this sentence be said in this state? Small talk passes phrase by phrase, everything else has to be grounded."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...tokens import PUNCTUATION, bag, tokens
from .. import dates, identity
from ..state import State
from . import times
from .facts import OURS, Approved, Word, approved, bare, content, supporting
from .lexicon import (
    ALIASES,
    ASKING,
    DONE,
    FUNCTION,
    GLUE,
    LEADING_IN,
    MACHINE,
    NEGATORS,
    OPENERS,
    OWN,
    PROMISING,
    RISKY,
    counted,
    stem,
)
from .sentence import Sentence, names, taken_apart
from .told import MACHINE_STEMS, RISKY_STEMS, asked_about, told

_CAPITALS = re.compile(r"(?<![.!?:\"'] )(?<!^)\b(?!I\b)([A-Z]\w*[a-z]\w*|[A-Z]{2,})")
_NO_NAMES = bag("i pm am ok okay english spanish est edt cst cdt mst mdt pst pdt gmt utc et ct mt pt")
_NAMES_TOO = bag("will may")
"""Little words that are names when they have a capital letter within a sentence."""
_GATED = bag("can could will would shall should may might must get gets never always only")
"""Beside "you", these make a claim of what sounds like an echo: "you can cancel"."""
_ECHOING = bag(
    "main biggest looking hoping trying use uses used using need needs want wants wanted issue problem goal currently today team people person located based "
    "roughly total altogether means mean help keep keeps keeping track tracking manage managing system tool software business company moment now still some "
    "something things thing time times once twice often weeks ready place sites different several reason because mostly mainly"
)
"""Words that may stand with theirs when they are said back."""
_PRONOUNS = bag("it they that this there")
_BEING = bag("is are was were does do did has have had")
_LIGHT = bag("it us they")
_ASKED_STEMS = frozenset(stem(word) for word in ASKING - FUNCTION if len(word) > 3)
_PRESUPPOSING = ("that we", "that our", "that it", "we do", "we can do", "we have", "we are", "if i told you", "why not")
_ABOUT = bag("roughly approximately around exactly about")
_SPOKEN = _ABOUT | bag("with for to at by on in from")


class Refusal(Exception):
    """``rule`` is why."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def judge(state: State, text: str, before: str | None) -> str:
    """What supports ``text``: the names of the facts, answers or parts of the state, or "courtesy". Raises Refusal."""
    known = approved(state.playbook)
    t = tokens(text)
    said = bare(t)
    if not said:
        return "courtesy"
    if source := known.exact.get(said):
        return source
    if known.forbidden is not None and known.forbidden.search(said):
        raise Refusal("promise")
    s = taken_apart(state, known, text, t, before)
    _check_times(state, s)
    _check_names(state, known, s)
    _check_kinds(state, s)
    for begin, end in s.clauses():
        _check_clause(state, known, s, begin, end)
    _check_as_answer(state, known, s)
    return ", ".join(dict.fromkeys(s.sources)) or "courtesy"


# ---- times, names, and what the phrases hang on -----------------------------------------------------------------


def _check_times(state: State, s: Sentence) -> None:
    named = [mention for mention in s.mentions if not times.starts_in(state, mention.said)]
    if named and not times.grounded(state, named, s.t, s.kinds, s.asks, times.said_before(s.context, state)):
        raise Refusal("time")
    if s.mentions:
        s.sources.append(_time_source(state, s.kinds))


def _time_source(state: State, kinds: set[str]) -> str:
    for kind, source in (("missed", "missed"), ("meeting", "booking"), ("offer", "offered"), ("first", "offered"), ("said", "said"), ("want", "said"), ("look", "said")):
        if kind in kinds:
            return source
    return "offered" if state.offered else "booking" if state.booking else "said"


def _check_names(state: State, known: Approved, s: Sentence) -> None:
    """A capital letter within a sentence is a name: ours, theirs, or one that they or the playbook named."""
    for name in _CAPITALS.findall(s.text):
        for word in tokens(name):
            if word not in _NO_NAMES and (word not in FUNCTION or word in _NAMES_TOO) and not _named(state, known, s, word):
                raise Refusal("name")


def _named(state: State, known: Approved, s: Sentence, word: str) -> bool:
    if word in names(state, known) or word in known.ours or stem(word) in known.by_word or stem(word) in known.asked:
        return True
    if any(word in s.t[mention.start : mention.stop] for mention in s.mentions):
        return True
    return word in told(state)[1]


def _check_kinds(state: State, s: Sentence) -> None:
    if "meeting" in s.kinds and state.booking is None:
        raise Refusal("done")
    if "missed" in s.kinds and state.brief.missed is None:
        raise Refusal("claim")
    if s.kinds & {"offer", "first"} and not state.offered and not state.booking:
        raise Refusal("time")
    if s.reps:
        _check_rep(state, s)
    s.sources += [source for kind, source in (("meeting", "booking"), ("missed", "missed")) if kind in s.kinds]


def _check_rep(state: State, s: Sentence) -> None:
    """The person named is the one of the meeting spoken of, or of the slot named."""
    about = "meeting" in s.kinds, "missed" in s.kinds
    meetings = [m for m, meant in zip(identity.meetings(state), about, strict=True) if m and (meant or not any(about))]
    allowed = {word for meeting in meetings for word in tokens(meeting.rep_name)}
    if not any(about):
        slots = [slot for slot in state.offered if not s.mentions or any(dates.fits(slot, m.said, state.brief.zone) for m in s.mentions)]
        if len({slot.rep for slot in slots}) > 1 and s.mentions:
            raise Refusal("name")
        allowed |= {word for slot in slots for word in tokens(state.brief.reps.get(slot.rep, ""))}
    if not set(s.reps) <= allowed:
        raise Refusal("name")


# ---- what no phrase took ----------------------------------------------------------------------------------------


def _check_clause(state: State, known: Approved, s: Sentence, begin: int, end: int) -> None:
    items = s.items[begin:end]
    left = [item for k, item in enumerate(items, begin) if s.open[k]]
    if all(item in GLUE or item == "<lead>" for item in left):
        return
    s.kinds.add("solid")
    if _asking(s, begin, end) and _question(state, known, items, left):
        return
    if source := _claimed(state, known, s, items, left):
        s.sources.append(source)
        return
    if _echo(state, known, s, left):
        s.sources.append("said")
        return
    raise Refusal(_rule(left))


def _rule(left: Sequence[str]) -> str:
    words = set(left)
    if words & MACHINE:
        return "machine"
    if words & DONE:
        return "done"
    if any(item[0] == "#" for item in left):
        return "number"
    if words & {"<rep>", "<lead>"}:
        return "name"
    return "promise" if words & PROMISING else "claim"


# ---- questions --------------------------------------------------------------------------------------------------


def _asking(s: Sentence, begin: int, end: int) -> bool:
    """Whether this clause asks: it stands in a question, at or after the word with which one begins, and that word makes no
    claim of it ("isn't it", "did you know")."""
    if not s.asks:
        return False
    start = next((k for k in range(end) if s.items[k] in OPENERS and _begins(s, k)), None)
    first = next((k for k in range(begin, end) if s.items[k] not in GLUE and s.items[k] not in _ABOUT and s.items[k] != "<lead>"), begin)
    if start is None or start > first:
        return False
    opening = s.items[start : start + 4]
    if opening[1:2] == ["not"]:
        return False
    leading = opening[1:2] == ["you"] and opening[0] in ("did", "do", "are", "would", "have")
    return not (leading and not LEADING_IN.isdisjoint(opening[2:]))


def _begins(s: Sentence, k: int) -> bool:
    """Whether a question may begin at item ``k``: only glue, phrases, names and little words before it in its clause."""
    for j in range(k - 1, -1, -1):
        item = s.items[j]
        if item in PUNCTUATION:
            return True
        if s.open[j] and item not in GLUE and item not in _SPOKEN and item not in ("<lead>", "<company>", "<agent>"):
            return False
    return True


def _question(state: State, known: Approved, items: Sequence[str], left: Sequence[str]) -> bool:
    """Whether these words only ask: in words of talking and of their business, or in theirs; of ours only what one text says."""
    foreign = [item for item in left if not _may_ask(item, known)]
    if not foreign:
        text = f" {' '.join(items)} "
        return not any(f" {phrase} " in text for phrase in _PRESUPPOSING)
    if "<rep>" in foreign:
        return False
    own = [item for item in items if item in OWN or item == "<company>" or item in known.ours or item == "i"]
    if not _LIGHT.issuperset(own):
        words = content(foreign, known.ours)
        return bool(supporting(words, items, known, frozenset(), {word.stem for word in words} | {OURS}, True))
    stems, whole = told(state)
    return all(
        (item not in RISKY and stem(item) in stems) or ("@" in item and item in whole) for item in foreign
    )


def _may_ask(item: str, known: Approved) -> bool:
    if item in ASKING or item in ("<lead>", "<agent>", "<company>"):
        return True
    return item not in RISKY and item[0] != "#" and (stem(item) in known.asked or stem(item) in _ASKED_STEMS)


# ---- claims -----------------------------------------------------------------------------------------------------


def _claimed(state: State, known: Approved, s: Sentence, items: list[str], left: list[str]) -> str:
    """The source of the approved text that holds what these words claim; "" when none does."""
    words = _merged(content([item for item in items if item in left or item in NEGATORS], known.ours))
    named = {word.stem for word in words}
    if named <= {OURS}:
        return ""
    if any(item in ("we", "our", "us", "it", "<company>") or item in ALIASES or item in known.ours for item in items):
        named.add(OURS)
    if "you" in items or "your" in items:
        named.add("you")
    spoken_of = frozenset(s.subjects | {stem(item) for item in counted(s.context) if item not in FUNCTION})
    asked = asked_about(state, known) if s.mentions or not _plain(known, named) else frozenset()
    if RISKY.isdisjoint(items):
        spoken_of |= asked
    numbers = any(item[0] == "#" for item in left) and not _asked_elsewhere(known, asked, words)
    source = supporting([word for word in words if word.stem != OURS], items, known, spoken_of, named, numbers, len(words))
    source = source or _of_this_person(state, known, words) or _length(known, named, spoken_of, words)
    if source:
        s.subjects |= {claim.subject for claim in known.claims if claim.source == source and claim.subject in named}
    return source


def _plain(known: Approved, named: set[str]) -> bool:
    """Whether the subject is named, so that the lead's words need not be asked for it."""
    return OURS in named and "demo" not in named and not any(word[0] == "#" for word in named)


def _merged(words: Sequence[Word]) -> list[Word]:
    seen: dict[str, bool | None] = {}
    for word, denied in words:
        seen[word] = denied if seen.get(word, denied) == denied else None
    return [Word(word, denied) for word, denied in seen.items()]


def _asked_elsewhere(known: Approved, asked: frozenset[str], words: Sequence[Word]) -> bool:
    """Whether the lead's last words ask about something that these words are not about."""
    if not asked:
        return False
    for word in words:
        for claim in known.by_word.get(word.stem, ()):
            if all(other in claim.words or other in known.cues.get(claim.source, frozenset()) for other in asked):
                return False
    return True


def _of_this_person(state: State, known: Approved, words: Sequence[Word]) -> str:
    """What their form asked for and was promised, as the playbook puts it."""
    for source, text in (("errand", state.errand), ("promise", state.promise)):
        if text and len(words) > 1:
            said = {word.stem: word.denied for word in content(counted(tokens(text)), known.ours)}
            if all(word.stem in said and word.denied in (None, said[word.stem]) for word in words):
                return source
    return ""


_OF_LENGTH = frozenset(stem(word) for word in ("minutes", "demo", "meeting", "appointment", "takes", "long", "lasts", "about", "only"))
_MEETING = frozenset(stem(word) for word in ("demo", "meeting", "appointment"))


def _length(known: Approved, named: set[str], spoken_of: frozenset[str], words: Sequence[Word]) -> str:
    """How long the meeting takes, which the playbook says in figures."""
    minutes = f"#{known.length:g}"
    about = minutes in named and named - {OURS} <= _OF_LENGTH | {minutes} and not any(word.denied for word in words)
    return "meeting" if about and _MEETING & (named | spoken_of) else ""


# ---- saying back, and answering ---------------------------------------------------------------------------------


def _echo(state: State, known: Approved, s: Sentence, left: Sequence[str]) -> bool:
    """Whether the words only say back what they told us: of them, or without a subject; nothing that is ours, nothing of
    price or law, no "you can", and no answer to a question of theirs."""
    words = [item for item in left if item not in GLUE and item != "<lead>"]
    if any((item in OWN and item not in ("it", "they")) or item in ("<rep>", "<agent>") or item in _GATED for item in words):
        return False
    risky = not RISKY.isdisjoint(words)
    it_is = any(word in _PRONOUNS and words[k + 1 : k + 2] and words[k + 1] in _BEING for k, word in enumerate(words))
    if (risky and not s.framed) or (it_is and (risky or not (s.framed or s.asks))):
        return False
    if not s.framed and (s.mentions or "grant" in s.kinds or asked_about(state, known)):
        return False
    substance = [item for item in words if item not in FUNCTION]
    if not substance:
        return _nothing_said(words, s)
    stems, whole = told(state)
    theirs = [stem(item) in stems or item in whole for item in substance]
    return any(theirs) and all(own or item in _ECHOING for own, item in zip(theirs, substance, strict=True))


def _nothing_said(words: Sequence[str], s: Sentence) -> bool:
    """Function words alone say nothing after "you said", or when they only point: "for you and them"."""
    if s.framed:
        return True
    return bool(words) and words[0] in (*_SPOKEN, "of", "as", "if") and not set(words) & {"we", "it", "our", "us", "they", "i", "you"}


def _check_as_answer(state: State, known: Approved, s: Sentence) -> None:
    """A yes (or a no, or "right now") to a question about what we sell claims what was asked; to a demand it grants it."""
    answers = bool(s.kinds & {"grant", "short"}) or s.kinds == {"aside"}
    if not answers and "<agent>" not in s.items:
        return
    asked = asked_about(state, known)
    if not asked or ("disclosing" in s.kinds and asked <= MACHINE_STEMS) or not (answers or asked & MACHINE_STEMS):
        return
    for claim in known.claims:
        if claim.source in s.sources and asked <= claim.words.keys() | known.cues.get(claim.source, frozenset()):
            return
    raise Refusal("machine" if asked & MACHINE_STEMS else "promise" if asked & RISKY_STEMS else "claim")
