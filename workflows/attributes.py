"""What operators filter leads by in Temporal: the typed search attributes. None carries personal data."""

from __future__ import annotations

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

STAGE = SearchAttributeKey.for_keyword("ShowrateStage")
FURTHEST = SearchAttributeKey.for_keyword("ShowrateFurthest")
AUDIENCE = SearchAttributeKey.for_keyword("ShowrateAudience")
OWNER = SearchAttributeKey.for_keyword("ShowrateOwner")
SOURCE = SearchAttributeKey.for_keyword("ShowrateSource")
OUTCOME = SearchAttributeKey.for_keyword("ShowrateOutcome")
PLAYBOOK = SearchAttributeKey.for_keyword("ShowratePlaybook")
HELD = SearchAttributeKey.for_keyword("ShowrateHeld")
"""The paused scope that holds the lead back."""
REVIEW = SearchAttributeKey.for_keyword("ShowrateReview")
"""Why a person should look; absent when nobody needs to."""

ALL = (STAGE, FURTHEST, AUDIENCE, OWNER, SOURCE, OUTCOME, PLAYBOOK, HELD, REVIEW)
"""Nine of the ten keywords that a SQLite server has room for."""


def start_attributes(audience: str, source: str, playbook: str) -> TypedSearchAttributes:
    """The attributes of a lead at its start: stage ``new``, its audience, source and playbook hash."""
    values = {STAGE: "new", FURTHEST: "new", AUDIENCE: audience, SOURCE: source, PLAYBOOK: playbook}
    return TypedSearchAttributes([SearchAttributePair(key, value) for key, value in values.items() if value])
