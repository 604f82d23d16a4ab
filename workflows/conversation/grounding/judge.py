"""May this sentence be said in this state? Small talk passes phrase by phrase, everything else has to be grounded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .. import dates
from ..numbers import quantity
from ..state import State
from ..tokens import PUNCTUATION, bag, tokens
from . import times
from .facts import OURS, Approved, Word, approved, bare, content, sentence_parts, supporting, units
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
    TALK,
    counted,
    stem,
)
from .phrases import PHRASES, TIMED, longest

_CAPITALS = re.compile(r"(?<![.!?:\"'] )(?<!^)\b(?!I\b)([A-Z][\w]*[a-z]\w*|[A-Z]{2,})")
_KNOWN_CAPITALS = bag("i pm am ok okay english spanish est edt cst cdt mst mdt pst pdt gmt utc et ct mt pt")
_GATED = bag("can could will would shall should may might must get gets won't never always only")
"""Beside "you", these make a claim of what sounds like an echo: "you can cancel"."""
_JOINING = bag("and but so because since as while though")
_MOST_LINES = 12
_CLASSES = frozenset(["<t>", "<lead>", "<rep>", "<agent>", "<company>"])


@dataclass(slots=True)
class Sentence:
    """A sentence taken apart: ``items`` are its words with times, names and numbers as classes; ``open`` marks those that
    no phrase took."""

    text: str
    t: list[str]
    items: list[str]
    open: list[bool] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    mentions: list[dates.Mention] = field(default_factory=list)
    reps: list[str] = field(default_factory=list)
    asks: bool = False
    context: list[str] = field(default_factory=list)
    """The tokens of what we said right before."""
    sources: list[str] = field(default_factory=list)
    subjects: set[str] = field(default_factory=set)


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
    s = _taken_apart(state, known, text, t, before)
    _check_times(state, s)
    _take_phrases(s)
    _check_names(state, known, s)
    _check_kinds(state, known, s)
    for clause in _clauses(s):
        _check_clause(state, known, s, clause)
    if "grant" in s.kinds or "short" in s.kinds:
        _check_grant(state, known, s)
    return ", ".join(dict.fromkeys(s.sources)) or "courtesy"


# ---- taking a sentence apart -----------------------------------------------------------------------------------


def _taken_apart(state: State, known: Approved, text: str, t: list[str], before: str | None) -> Sentence:
    s = Sentence(text, t, [], asks="?" in t[-2:])
    s.context = tokens(_before(state, before))
    if dates.names_any(t):
        timed = _without_greetings(t)
        anchor = None
        if s.context:
            named = times.said_before(s.context, state)
            anchor = times.instant_of(state, named.said) if named else None
        if anchor is None:
            anchor = state.booking.start if state.booking and not state.offered else None
        s.mentions = dates.mentions(timed, state.brief.zone, state.now, anchor)
    _itemize(state, known, s)
    s.open = [True] * len(s.items)
    return s


def _before(state: State, before: str | None) -> str:
    """The sentence that we said right before this one."""
    if before is not None:
        return before
    if not state.lines or state.lines[-1].who != "agent":
        return ""
    parts = sentence_parts(state.lines[-1].text)
    return parts[-1] if parts else ""


def _without_greetings(t: list[str]) -> list[str]:
    """The tokens with those phrases blanked whose words of time name none: "have a good evening"."""
    blanked = t
    i = 0
    while i < len(t):
        found = longest(TIMED, t, i)
        if found is None:
            i += 1
            continue
        if blanked is t:
            blanked = list(t)
        blanked[i : found[0]] = ["~"] * (found[0] - i)
        i = found[0]
    return blanked


_LEANING = bag("at on in the around")


def _itemize(state: State, known: Approved, s: Sentence) -> None:
    names = _names(state, known)
    ours = known.ours
    items, i, t = s.items, 0, s.t
    starts = {m.start: m for m in s.mentions}
    while i < len(t):
        mention = starts.get(i)
        if mention is not None:
            while items and items[-1] in _LEANING:
                items.pop()
            items.append("<t>")
            i = mention.stop
            continue
        at = t[i]
        kind = names.get(at)
        if kind is not None:
            if kind == "<rep>":
                s.reps.append(at)
            if not items or items[-1] != kind:
                items.append(kind)
            i += 1
            continue
        if at == "half" and t[i + 1 : i + 3] == ["an", "hour"]:
            items += ("#30", "minutes")
            i += 3
            continue
        found = quantity(t, i) if at not in ours else None
        if found is None or (at == "one" and not (i + 1 < len(t) and t[i + 1] in _COUNTED)) or (i + 1 in starts and found[1] > i + 1):
            items.append(at)
            i += 1
            continue
        items.append(f"#{found[0]:g}")
        i = found[1]


_COUNTED = bag(
    "minute minutes hour hours second day days week weeks month months year years dollar dollars buck bucks euro euros pound pounds cent cents percent user "
    "users person people seat seats click clicks time grand"
)


def _names(state: State, known: Approved) -> dict[str, str]:
    names: dict[str, str] = dict.fromkeys(known.agent, "<agent>")
    for meeting in (state.booking, state.brief.missed):
        if meeting:
            names |= dict.fromkeys(tokens(meeting.rep_name), "<rep>")
    for slot in state.offered:
        if name := state.brief.reps.get(slot.rep):
            names |= dict.fromkeys(tokens(name), "<rep>")
    if state.name:
        names |= dict.fromkeys(tokens(state.name), "<lead>")
    for word in tokens(known.playbook.company.name):
        names[word] = "<company>"
    names.pop("-", None)
    return names


# ---- phrases ----------------------------------------------------------------------------------------------------


def _take_phrases(s: Sentence) -> None:
    items, i = s.items, 0
    while i < len(items):
        found = longest(PHRASES, items, i)
        if found is not None and _whole(items, i, found):
            for k in range(i, found[0]):
                s.open[k] = False
            if found[1] and not (found[1] == "grant" and s.asks and found[0] >= len(items) - 1):
                s.kinds.add(found[1])
            i = found[0]
            continue
        if items[i] == "<t>" or items[i] in PUNCTUATION:
            s.open[i] = False
        i += 1


def _whole(items: Sequence[str], i: int, found: tuple[int, str]) -> bool:
    """An answer in two words counts only where nothing belongs to it."""
    if found[1] != "short":
        return True
    return found[0] == len(items) or items[found[0]] in PUNCTUATION or items[found[0]] in GLUE


def _clauses(s: Sentence) -> Iterator[tuple[int, int]]:
    """The clauses with words that no phrase took, as ranges of items; all of them as one first when one text may hold them."""
    if not any(s.open):
        return
    start = 0
    for k, item in enumerate([*s.items, "."]):
        if (item in PUNCTUATION and item != "-") or item == "." or item == "-":
            if any(s.open[start:k]):
                yield start, k
            start = k + 1


# ---- what the phrases hang on -----------------------------------------------------------------------------------


def _check_times(state: State, s: Sentence) -> None:
    if not s.mentions:
        return
    probe = Sentence(s.text, s.t, s.items, [True] * len(s.items))
    _take_phrases(probe)
    kinds = probe.kinds
    told = [m for m in s.mentions if not times.starts_in(state, m.said)]
    before = times.said_before(s.context, state) if s.context else None
    if told and not times.grounded(state, told, s.t, kinds, s.asks, before):
        raise Refusal("time")
    s.sources.append(_time_source(state, kinds))


def _time_source(state: State, kinds: set[str]) -> str:
    for kind, source in (("missed", "missed"), ("meeting", "booking"), ("offer", "offered"), ("first", "offered"), ("said", "said"), ("look", "said")):
        if kind in kinds:
            return source
    return "offered" if state.offered else "booking" if state.booking else "said"


def _check_names(state: State, known: Approved, s: Sentence) -> None:
    """A capital letter within a sentence is a name: ours, theirs, or one that they or the playbook named."""
    for name in _CAPITALS.findall(s.text):
        for word in tokens(name):
            if word in s.items or word in s.t:
                if word in _KNOWN_CAPITALS or (word in FUNCTION and word not in ("will", "may")):
                    continue
                if not _named(state, known, s, word):
                    raise Refusal("name")


def _named(state: State, known: Approved, s: Sentence, word: str) -> bool:
    names = _names(state, known)
    if word in names or word in known.ours or stem(word) in known.by_word or stem(word) in known.asked:
        return True
    inside = {s.t[k] for m in s.mentions for k in range(m.start, m.stop)}
    return word in inside or word in _theirs(state)[1]


def _check_kinds(state: State, known: Approved, s: Sentence) -> None:
    kinds = s.kinds
    if "meeting" in kinds and state.booking is None:
        raise Refusal("done")
    if "missed" in kinds and state.brief.missed is None:
        raise Refusal("claim")
    if kinds & {"offer", "first"} and not state.offered and not state.booking:
        raise Refusal("time")
    if s.reps:
        _check_rep(state, s)
    for kind, source in (("meeting", "booking"), ("missed", "missed")):
        if kind in kinds:
            s.sources.append(source)


def _check_rep(state: State, s: Sentence) -> None:
    """The person named is the one of the meeting spoken of, or of the slot named."""
    meetings = [state.booking] if "meeting" in s.kinds else [state.brief.missed] if "missed" in s.kinds else [state.booking, state.brief.missed]
    allowed = {word for meeting in meetings if meeting for word in tokens(meeting.rep_name)}
    if not s.kinds & {"meeting", "missed"}:
        slots = state.offered
        if s.mentions:
            slots = tuple(slot for slot in slots if any(dates.fits(slot, m.said, state.brief.zone) for m in s.mentions))
            if len({slot.rep for slot in slots}) > 1:
                raise Refusal("name")
        allowed |= {word for slot in slots for word in tokens(state.brief.reps.get(slot.rep, ""))}
    if not set(s.reps) <= allowed:
        raise Refusal("name")


# ---- what no phrase took ----------------------------------------------------------------------------------------


def _check_clause(state: State, known: Approved, s: Sentence, clause: tuple[int, int]) -> None:
    begin, end = clause
    items = s.items[begin:end]
    left = [item for k, item in enumerate(items, begin) if s.open[k]]
    if all(item in GLUE or item == "<lead>" for item in left):
        return
    asking = _asking(s, begin, end)
    if asking and _question(state, known, items, left):
        return
    source = _claimed(state, known, s, items, left)
    if source:
        s.sources.append(source)
        return
    if _echo(state, known, s, items, left):
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
    if "<rep>" in words or "<lead>" in words:
        return "name"
    return "promise" if words & PROMISING else "claim"


def _asking(s: Sentence, begin: int, end: int) -> bool:
    """Whether this clause asks: it stands in a question, at or after the word with which one begins, and no tag makes a claim
    of it."""
    if not s.asks:
        return False
    words = [item for item in s.items[:end] if item not in GLUE and item not in PUNCTUATION and item != "<lead>"]
    start = next((k for k in range(end) if s.items[k] in OPENERS and _begins(s, k)), None)
    if start is None or start > max(begin, _first_word(s, begin, end)):
        return False
    first = s.items[start : start + 3]
    if len(first) > 1 and first[1] == "not":
        return False  # "isn't it", "don't you"
    if first[0] in ("did", "do", "are", "would", "have") and first[1:2] == ["you"] and not LEADING_IN.isdisjoint(s.items[start + 2 : start + 4]):
        return False
    return bool(words)


def _first_word(s: Sentence, begin: int, end: int) -> int:
    return next((k for k in range(begin, end) if s.items[k] not in GLUE and s.items[k] != "<lead>"), begin)


def _begins(s: Sentence, k: int) -> bool:
    """Whether a question may begin at item ``k``: nothing but glue, phrases and punctuation before it in its clause."""
    for j in range(k - 1, -1, -1):
        if s.items[j] in PUNCTUATION:
            return True
        if s.open[j] and s.items[j] not in GLUE and s.items[j] not in ("<lead>", "<company>", "<agent>") and s.items[j] not in ("with", "for", "to", "at", "by", "on", "in", "from", "about"):
            return False
    return True


def _question(state: State, known: Approved, items: Sequence[str], left: Sequence[str]) -> bool:
    """Whether these words only ask: words of talking and of their business, or their own; of ours only what one text says."""
    foreign = [
        item for item in left
        if item not in ASKING and item != "<lead>" and item not in ("<agent>", "<company>")
        and not (item not in RISKY and (stem(item) in known.asked or stem(item) in _ASKED_STEMS))
    ]  # fmt: skip
    own = any(item in OWN or item == "<company>" or item in known.ours for item in items) or "i" in items
    if "<rep>" in foreign:
        return False
    if not foreign:
        return not _presupposes(items)
    if own and not OWN_LIGHT.issuperset(item for item in items if item in OWN):
        words = content(foreign, known.ours)
        return bool(supporting(words, units(items), known, frozenset(), {w.stem for w in words} | {OURS}, True))
    statements = _theirs(state)
    return all(
        (item not in RISKY and (stem(item) in statements[0] or (item[0] == "#" and item in statements[0]))) or ("@" in item and item in statements[1])
        for item in foreign
    )


OWN_LIGHT = bag("it us they")
_ASKED_STEMS = frozenset(stem(word) for word in ASKING - FUNCTION if len(word) > 3)


def _presupposes(items: Sequence[str]) -> bool:
    """A question about us made of harmless words, which claims something all the same: "do you know we do all of it?"."""
    text = " ".join(items)
    return any(f" {phrase} " in f" {text} " for phrase in _PRESUPPOSING)


_PRESUPPOSING = ("that we", "that our", "that it is", "that it", "we do", "we can do", "we have", "we are", "if i told you", "why not")


def _claimed(state: State, known: Approved, s: Sentence, items: list[str], left: list[str]) -> str:
    """The approved text that holds what these words claim; "" when none does."""
    words = content(_marked(s, items, left), known.ours)
    words = _merged(words)
    named = {word.stem for word in words}
    if not words or (named <= {OURS}):
        return ""
    if _speaks_of_us(items, known):
        named.add(OURS)
    if "you" in items or "your" in items:
        named.add("you")
    context = _spoken_of(s, known)
    if RISKY.isdisjoint(items):
        context |= _asked_about(state)
    numbered = any(item[0] == "#" for item in left) and not _foreign_question(state, known, words)
    source = supporting([w for w in words if w.stem != OURS or len(words) == 1], units(items), known, context, named, numbered)
    if not source:
        source = _of_this_person(state, words, known, named | context) or _length(state, words, named, context)
    if source:
        s.subjects |= _subjects(known, source, named)
    return source


def _marked(s: Sentence, items: list[str], left: list[str]) -> list[str]:
    """What of the clause has to be supported: its open words, with the negators and subjects that phrases took."""
    return left if len(left) == len(items) else [item for item in items if item in left or item in NEGATORS]


def _merged(words: Sequence[Word]) -> list[Word]:
    seen: dict[str, bool | None] = {}
    for word, denied in words:
        seen[word] = denied if seen.get(word, denied) == denied else None
    return [Word(word, denied) for word, denied in seen.items()]


def _speaks_of_us(items: Sequence[str], known: Approved) -> bool:
    return any(item in ("we", "our", "us", "it", "<company>") or item in ALIASES or item in known.ours for item in items)


def _spoken_of(s: Sentence, known: Approved) -> frozenset[str]:
    """The subjects that this sentence or the one before it named."""
    if not s.context:
        return frozenset(s.subjects)
    return frozenset(s.subjects | {stem(item) for item in s.context if item not in FUNCTION})


def _subjects(known: Approved, source: str, named: set[str]) -> set[str]:
    return {claim.subject for claim in known.claims if claim.source == source and claim.subject in named}


def _foreign_question(state: State, known: Approved, words: Sequence[Word]) -> bool:
    """Whether the lead's last words ask about something else than these words are about."""
    asked = _asked_about(state)
    if not asked:
        return False
    for claim in known.by_word.get(max((w.stem for w in words if w.stem in known.by_word), key=len, default=""), ()):
        cues = known.cues.get(claim.source, frozenset())
        if all(word in claim.words or word in cues for word in asked):
            return False
    return True


def _asked_about(state: State) -> set[str]:
    """The content of the lead's last words, when they ask or demand something of us; empty when they do not."""
    words = state.last_words
    if not words:
        return set()
    t = tokens(words)
    risky = not RISKY.isdisjoint(t)
    asks = "?" in t or _asks_in_words(t)
    if not (asks or risky):
        return set()
    inside = {k for m in dates.mentions(t, state.brief.zone, state.now) for k in range(m.start, m.stop)}
    return {
        stem(token) for k, token in enumerate(t)
        if k not in inside and token not in TALK and token not in PUNCTUATION and token not in _REQUESTING
    }  # fmt: skip


_REQUESTING = bag("you me give hear speak quickly ok hi hello hey uh um yeah send text link explain")
_WHAT = bag("what how where which who when why")
_VERB_FIRST = bag("is are do does did can could will would has have")
_ASKED_OF = bag("you it there i we they this that the a your he she")


def _asks_in_words(t: Sequence[str]) -> bool:
    """Whether these words ask, with or without a question mark: "does it", "can I", or "what" at their beginning."""
    clause, begun = True, False
    for k, token in enumerate(t):
        if clause and token in _VERB_FIRST and k + 1 < len(t) and t[k + 1] in _ASKED_OF:
            return True
        if not begun and token in _WHAT:
            return True
        begun = begun or (token not in GLUE and token not in PUNCTUATION)
        clause = token in PUNCTUATION or (clause and token in GLUE) or token in ("and", "so", "but", "or")
    return False


def _check_grant(state: State, known: Approved, s: Sentence) -> None:
    """A yes (or a no, or "no problem") to a question about what we sell claims what was asked, and to a demand grants it."""
    asked = _asked_about(state)
    if not asked or ("disclosing" in s.kinds and asked <= _MACHINE_STEMS):
        return
    if s.sources and s.sources[-1] not in ("said",):
        for claim in known.claims:
            if claim.source in s.sources and asked <= set(claim.words) | known.cues.get(claim.source, frozenset()):
                return
    raise Refusal("machine" if asked & _MACHINE_STEMS else "promise" if asked & _RISKY_STEMS else "claim")


_MACHINE_STEMS = frozenset(stem(word) for word in MACHINE)
_RISKY_STEMS = frozenset(stem(word) for word in RISKY)


def _of_this_person(state: State, words: Sequence[Word], known: Approved, named: set[str]) -> str:
    """What their form asked for and was promised, as the playbook puts it."""
    for source, text in (("errand", state.errand), ("promise", state.promise)):
        if text:
            said = {word.stem: word.denied for word in content(counted(tokens(text)), known.ours)}
            if all(word.stem in said and word.denied in (None, said[word.stem]) for word in words):
                return source
    return ""


def _length(state: State, words: Sequence[Word], named: set[str], context: frozenset[str]) -> str:
    """How long the meeting takes, which the playbook says in figures."""
    stems = {word.stem for word in words}
    minutes = f"#{state.playbook.meeting.length.total_seconds() / 60:g}"
    allowed = {minutes, "minut", "demo", "meet", "meeting", "tak", "long", "last", "need", "only", "about", "appointment"}
    if minutes in stems and stems <= allowed and not any(word.denied for word in words) and (stems | context) & {"demo", "meet", "meeting", "appointment"}:
        return "meeting"
    return ""


def _theirs(state: State) -> tuple[frozenset[str], frozenset[str]]:
    """The words of the lead's statements and of what is known of them, in stems, and as they are."""
    told: list[str] = []
    lines = [line.text for line in state.lines if line.who == "lead"][-_MOST_LINES:]
    for text in lines:
        for part in sentence_parts(text):
            t = tokens(part)
            if "?" in t or _asks_in_words(t):
                continue
            told += t
    for value in state.learned.values():
        told += tokens(value)
    person = state.brief.person
    if person:
        for value in (person.company, person.message, *person.attributes.values()):
            told += tokens(value)
    items = counted(told)
    return frozenset(stem(item) for item in items if item not in PUNCTUATION), frozenset(told)


def _echo(state: State, known: Approved, s: Sentence, items: Sequence[str], left: Sequence[str]) -> bool:
    """Whether the words only say back what they told us: about them, or without a subject; nothing that is ours, nothing of
    price or law, and no "you can"."""
    words = [item for item in left if item not in GLUE and item != "<lead>"]
    framed = "said" in s.kinds
    if any((item in OWN and item not in ("it", "they", "them")) or item in ("<rep>", "<agent>") for item in words):
        return False
    if any(item in _GATED for item in words) or (not framed and any(item in RISKY for item in words)):
        return False
    if not framed and "grant" in s.kinds and not _GRANT_ECHO:
        return False
    if _it_is(words) and not ((framed or s.asks) and RISKY.isdisjoint(words)):
        return False
    substance = [item for item in words if item not in FUNCTION]
    if not substance:
        return _empty_echo(words, framed)
    stems, whole = _theirs(state)
    return all(stem(item) in stems or item in whole or item in _ECHOING for item in substance) and any(
        stem(item) in stems for item in substance
    )


_GRANT_ECHO = False
_ECHOING = bag(
    "main biggest looking hoping trying use uses used using need needs want wants wanted issue problem goal currently today team people person located based "
    "roughly total altogether means mean help keep keeps keeping track tracking manage managing system tool software business company moment now still some "
    "something things thing right time times once twice often day days week weeks ready place sites different several reason because mostly mainly"
)


def _it_is(words: Sequence[str]) -> bool:
    """Whether a pronoun that may mean us has a verb: "it is", "they do"."""
    return any(
        word in ("it", "they", "that", "this", "there") and k + 1 < len(words) and words[k + 1] in _VERBS for k, word in enumerate(words)
    )


_VERBS = bag("is are was were does do did has have had")


def _empty_echo(words: Sequence[str], framed: bool) -> bool:
    """Function words alone say something only of us; of them, or after "you said", nothing."""
    return framed or (bool(words) and words[0] in ("you", "your", "for", "with", "to", "from", "of", "as", "if", "in", "on", "at", "about") and not set(words) & {"we", "it", "our", "us", "they", "i"})
