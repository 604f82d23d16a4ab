"""What leans towards an opt-out: learn the weights of :mod:`workflows.leaning`, and say how good they are on wordings that
they have not seen.

Learned are the revocations and the doubtful of the corpora against all that people say and do not mean so: the
counter-examples, wishes, answers about a meeting, dates, the lines of the scenarios, and whatever else the tests and the
sandbox have people say. Logistic regression by gradients that are scaled for each feature (AdaGrad), with a pull towards
zero that leaves out what hardly matters; a fixed seed, so that the same corpora give the same file.

It is judged in five parts, each by weights from the other four. Wordings that share most of their words are always in
the same part. ``tests/corpora/unseen.yml`` is never learned from: the tests judge by it what is written.

    python -m tests.bench.leaning [--write]
"""

from __future__ import annotations

import argparse
import ast
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import yaml

from workflows import leaning
from workflows.doubt import may_revoke
from workflows.revocation import revokes
from workflows.tokens import words

ROOT = Path(__file__).parents[2]
CORPORA = ROOT / "tests" / "corpora"
WEIGHTS = ROOT / "workflows" / "leaning.json"

_ROUNDS = 14
_STEP = 0.3
_PULL = 5e-3
_SEEN = 3
"""A feature counts from so many lines on."""
_AS_MUCH = 2.0
"""What a revocation counts, or what sounds like one: there are fewer of these."""
_LETTER = 30
"""A revocation of more words than these is learned from not at all."""
_PARTS = 5
_ALIKE = 0.6
"""Wordings that share so much of all their words are one group."""
_SEED = 3
_NO_SPEECH = re.compile(r"[\\{}<>_|/=\[\]]|\(\?")
_OTHER_LETTERS = re.compile("[\u0370-\u1dff\u3000-\ud7af]")
"""Of languages that have few lines here, and rules of their own."""
_ABOUT_STOPPING = ("revocation", "foreign", "optout", "suspension", "leaning")
"""Tests whose lines are opt-outs more often than not."""


class Line(NamedTuple):
    text: str
    ending: bool
    """It is a revocation."""
    near: bool
    """It sounds like one and is none."""


def lines() -> list[Line]:
    """What there is to learn from, each wording once."""
    revocation, wishes, consent = _corpus("revocation"), _corpus("wishes"), list(_corpus("consent").values())
    ends = [*revocation["revokes"], *revocation["doubtful"], *wishes["stop"], *(text for part in consent for text in part["ends"])]
    near = [*revocation["leaves"], *(text for part in consent for text in part["stays"])]
    for part in _corpus("foreign").values():
        ends += [text for text in part["ends"] if not _OTHER_LETTERS.search(text)]
        near += [text for text in part["stays"] if not _OTHER_LETTERS.search(text)]
    said = [text for wish, texts in wishes.items() if wish != "stop" for text in texts]
    said += [text for texts in _corpus("coming").values() for text in _texts(texts)]
    said += [line["text"] for name in ("near_misses", "dates") for line in _corpus(name)]
    said += [text for file in (ROOT / "clients/evaluation/scenarios").glob("*.yml") for text in _says(yaml.safe_load(file.read_text()))]
    said += [text for file in _sources() for text in _literals(file)]
    ordinary = (text for text in said if not revokes(text) and not may_revoke(text))
    known: dict[str, Line] = {}
    for texts, ending, like in ((ends, True, False), (near, False, True), (ordinary, False, False)):
        for text in texts:
            known.setdefault(" ".join(words(text)), Line(text, ending, like))
    known.pop("", None)
    return list(known.values())


def _corpus(name: str) -> Any:
    return yaml.safe_load((CORPORA / f"{name}.yml").read_text())


def _texts(entries: Sequence[Any]) -> Iterator[str]:
    for entry in entries:
        yield entry if isinstance(entry, str) else entry["text"]


def _says(part: Any) -> Iterator[str]:
    """What a scenario has its caller say."""
    if isinstance(part, dict):
        for key, value in part.items():
            if isinstance(value, str) and key in ("says", "text"):
                yield value
            else:
                yield from _says(value)
    elif isinstance(part, list):
        for value in part:
            yield from _says(value)


def _sources() -> list[Path]:
    found = [*(ROOT / "tests").glob("*.py"), *(ROOT / "workers/sandbox").glob("*.py")]
    return sorted(file for file in found if not any(word in file.stem for word in _ABOUT_STOPPING))


def _literals(file: Path) -> Iterator[str]:
    """The strings in ``file`` that may be speech: no docstrings, no patterns, none of a single word."""
    tree = ast.parse(file.read_text())
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    told.update(id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            text = node.value.strip()
            if 8 <= len(text) <= 240 and " " in text and text[0].isalpha() and not _NO_SPEECH.search(text):
                yield text


# ---- learning -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Weights:
    bias: float
    of: dict[str, float]

    def lean(self, text: str) -> float:
        """How much further than it must ``text`` leans towards a revocation; beneath 0 it does not."""
        said = leaning.sentences(text)
        heaviest = max((self.weight(leaning.features(sentence)) for sentence in said), default=-math.inf)
        return heaviest - leaning.margin(said)

    def weight(self, found: set[str]) -> float:
        return self.bias + math.fsum(self.of.get(feature, 0.0) for feature in found) / math.sqrt(len(found))


def examples(known: Sequence[Line]) -> list[tuple[set[str], bool, float]]:
    """The features of each sentence, whether it is a revocation, and what it counts. Of several sentences nobody knows
    which one is: those of a short text are learned from together, those of a letter not at all."""
    found = []
    for text, ending, near in known:
        said = leaning.sentences(text)
        if ending:
            said = said[-1:] if len(words(text)) <= _LETTER else []
        found += [(leaning.features(sentence), ending, _AS_MUCH if ending or near else 1.0) for sentence in said]
    return found


def learned(known: Sequence[Line]) -> Weights:
    """The weights by which ``known`` lines are told apart."""
    seen = examples(known)
    counts = Counter(feature for found, _, _ in seen for feature in found)
    ids = {feature: i for i, feature in enumerate(sorted(f for f, count in counts.items() if count >= _SEEN))}
    rows = [(sorted(ids[f] for f in found if f in ids), math.sqrt(len(found)), ending, counts_as) for found, ending, counts_as in seen]
    weights, squares, bias, of_bias = [0.0] * len(ids), [1e-3] * len(ids), 0.0, 1e-3
    order, random = list(range(len(rows))), Random(_SEED)
    for _ in range(_ROUNDS):
        random.shuffle(order)
        for at in order:
            row, length, ending, counts_as = rows[at]
            weight = bias + sum(weights[i] for i in row) / length
            wrong = (1 / (1 + math.exp(-max(-30.0, min(30.0, weight)))) - ending) * counts_as
            if abs(wrong) < 1e-4:
                continue
            of_bias += wrong * wrong
            bias -= _STEP * wrong / math.sqrt(of_bias)
            slope = wrong / length
            for i in row:
                squares[i] += slope * slope
                step = _STEP / math.sqrt(squares[i])
                moved, pull = weights[i] - step * slope, step * _PULL
                weights[i] = math.copysign(max(0.0, abs(moved) - pull), moved)
    return Weights(bias, {feature: weights[i] for feature, i in ids.items() if weights[i]})


def write(weights: Weights) -> None:
    """Into the module's file, in whole tenths."""
    of = {feature: round(weight * leaning.UNIT) for feature, weight in sorted(weights.of.items())}
    kept = {"bias": round(weights.bias * leaning.UNIT), "weights": {feature: weight for feature, weight in of.items() if weight}}
    WEIGHTS.write_text(json.dumps(kept, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


# ---- judging ------------------------------------------------------------------------------------------------------


def groups(known: Sequence[Line]) -> list[int]:
    """For each line the number of its group: lines that share most of their words, and what those share with others."""
    bags = [frozenset(word for sentence in leaning.sentences(text) for word in sentence if word not in ",?") for text, _, _ in known]
    head = list(range(len(known)))
    having: dict[str, list[int]] = {}

    def first(at: int) -> int:
        while head[at] != at:
            head[at] = head[head[at]]
            at = head[at]
        return at

    for at, bag in enumerate(bags):
        shared = Counter(other for word in bag for other in having.get(word, ()))
        for other, count in shared.items():
            if count >= _ALIKE * len(bag | bags[other]):
                head[first(at)] = first(other)
        for word in bag:
            having.setdefault(word, []).append(at)
    return [first(at) for at in range(len(known))]


def crossed(known: Sequence[Line]) -> list[float]:
    """For each line how much it leans, by weights that were learned without its part."""
    group = groups(known)
    heads = sorted(set(group))
    Random(_SEED).shuffle(heads)
    part = {one: at % _PARTS for at, one in enumerate(heads)}
    leans = [0.0] * len(known)
    for each in range(_PARTS):
        weights = learned([line for line, one in zip(known, group, strict=True) if part[one] != each])
        for at, (text, _, _) in enumerate(known):
            if part[group[at]] == each:
                leans[at] = weights.lean(text)
    return leans


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--write", action="store_true", help="write workflows/leaning.json")
    asked.add_argument("--wrong", action="store_true", help="print the lines that were read wrongly")
    options = asked.parse_args()
    known = lines()
    leans = crossed(known)
    judged = list(zip(leans, known, strict=True))
    ends = [lean for lean, line in judged if line.ending]
    near = [lean for lean, line in judged if line.near]
    ordinary = [lean for lean, line in judged if not line.ending and not line.near]
    print(f"{len(ends)} revocations, {len(near)} counter-examples, {len(ordinary)} ordinary lines")
    for at in (-0.5, 0.0, 0.5, 1.0):
        caught, taken, usual = (sum(lean > at for lean in some) / len(some) for some in (ends, near, ordinary))
        print(f"from {at:+.1f}: caught {caught:.1%}, counter-examples suspended {taken:.1%}, ordinary lines {usual:.2%}")
    if options.wrong:
        wrong = sorted(((lean if not line.ending else -lean), line) for lean, line in judged if (lean > 0) != line.ending)
        for lean, line in reversed(wrong):
            print(f"{lean:+.2f} {'missed' if line.ending else 'suspended'} {line.text[:120]!r}")
    if options.write:
        weights = learned(known)
        write(weights)
        print(f"{len(weights.of)} features, {WEIGHTS.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
