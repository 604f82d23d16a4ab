"""Prometheus metrics of every process: counts and times, no label that could name a person.

Labels are taken from small, fixed vocabularies (an activity's name, an outcome, a task queue); ids of leads would
make a series each and stay out.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""The Content-Type of :func:`exposition`."""

_registry = CollectorRegistry()

_effects = Counter(
    "showrate_effects",
    "Effects on the world, by activity or part, and what became of them.",
    ("name", "outcome"),
    registry=_registry,
)
_dial_wait = Histogram(
    "showrate_dial_wait_seconds",
    "From a dial being due to the carrier's adapter taking it.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300),
    registry=_registry,
)
_turn = Histogram(
    "showrate_turn_seconds",
    "From the end of the lead's words to our first words, in a live call.",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8),
    registry=_registry,
)
_turn_stage = Histogram(
    "showrate_turn_stage_seconds",
    "Parts of a turn in a live call: decided (the lead's final words to the decision), first_token (the decision to "
    "our first words), performed (an action asked of the lead to its answer), stopped (an interruption to our silence).",
    ("stage",),
    buckets=(0.0005, 0.001, 0.002, 0.004, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10),
    registry=_registry,
)
_ignored_frames = Counter(
    "showrate_ignored_frames",
    "Frames of live calls that were not understood or not meant for the conversation, by what was wrong with them.",
    ("kind",),
    registry=_registry,
)
_backlog_age = Gauge(
    "showrate_backlog_age_seconds",
    "Age of the oldest task that waits in a task queue.",
    ("queue",),
    registry=_registry,
)


def effect(name: str, outcome: str) -> None:
    """Count one effect. ``name`` is an activity's or a part's; ``outcome`` is ``ok``, ``refused``, ``retry``,
    ``retry_after``, ``permanent``, ``ambiguous`` or ``error``."""
    _effects.labels(name, outcome).inc()


def dial_wait(seconds: float) -> None:
    """Note how long a dial waited for its turn."""
    _dial_wait.observe(max(seconds, 0.0))


def turn(seconds: float) -> None:
    """Note how long a live call waited for our first words."""
    _turn.observe(max(seconds, 0.0))


def turn_stage(stage: str, seconds: float) -> None:
    """Note how long one part of a turn took: ``decided``, ``first_token``, ``performed`` or ``stopped``."""
    _turn_stage.labels(stage).observe(max(seconds, 0.0))


def ignored_frame(kind: str) -> None:
    """Count a frame that was ignored; ``kind`` as in :class:`clients.wire.Ignored`."""
    _ignored_frames.labels(kind).inc()


def backlog_age(queue: str, seconds: float) -> None:
    """Note how old the oldest waiting task of a task queue is."""
    _backlog_age.labels(queue).set(max(seconds, 0.0))


def exposition() -> bytes:
    """All of it, in Prometheus' text format."""
    return generate_latest(_registry)
