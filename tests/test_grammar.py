"""The notation of what people say: what a pattern needs never hides it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.grammar import Grammar, Needs, spoken
from workflows.parts import GRAMMAR
from workflows.tokens import bag

PATTERNS = (
    "<send> [<me>] {over} [<det>] <link>",
    "(put|patch|pass) (me|us) (through|over) [please] $",
    "^ {just|no} (human [being]|agent|<real> <human_noun>) $",
    "not {<adv>} (sound*|seem*) ~ <machine> !(shop|part)",
    "(1*|2*) _ (minutes|hours)",
    "[please] _",
)
WORDS = sorted(
    bag(
        "send me us over a the link page put pass through please just no human being agent real person not really sounds seem like robot "
        "robots robotic shop part 10 25 minutes hours and , . ?"
    )
)


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
def test_a_pattern_is_found_as_if_nothing_were_known_of_what_it_needs(text: str) -> None:
    said = spoken(text)
    for pattern in PATTERNS:
        bare = re.compile(f"(?<= ){GRAMMAR.read(pattern)[0]}")
        looked_at = said if {"^", "$"} & set(pattern) else said[:1]
        assert GRAMMAR.rules(pattern).found_in(said) == any(bare.search(words) for words in looked_at), pattern
        if looked_at is not said:
            assert GRAMMAR.cuts(pattern).cut_from(said) == tuple(bare.sub(" ", words) for words in said), pattern


def test_of_several_words_the_rarer_is_what_a_pattern_needs() -> None:
    needs = Grammar({"me": "(me|us)"}).read("[please] send <me> (link*|page)")[1]
    assert needs == Needs(frozenset(("send",)))
    assert Grammar({}).read("[please] _")[1].open


def test_what_is_tied_to_the_edge_of_a_clause_cannot_be_cut() -> None:
    with pytest.raises(ValueError, match="not at an edge"):
        GRAMMAR.cuts("wrong number $")
