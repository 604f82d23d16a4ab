"""How executions meet a new build, where workers are versioned.

A lead stays on the build it began on until it continues as new (PINNED); what lives for good (ledgers, turns,
opt-outs, what is paused) moves to each new build (AUTO_UPGRADE). A server refuses either from an unversioned worker,
so a worker says first which it is, before it imports the workflows.
"""

from __future__ import annotations

from temporalio.common import VersioningBehavior

_versioned = False


def use(versioned: bool) -> None:
    """Say whether this process's workers are versioned; once, before the workflows are imported."""
    global _versioned
    _versioned = versioned


def stays() -> VersioningBehavior:
    """For executions that stay on their build."""
    return VersioningBehavior.PINNED if _versioned else VersioningBehavior.UNSPECIFIED


def moves() -> VersioningBehavior:
    """For executions that move to each new build."""
    return VersioningBehavior.AUTO_UPGRADE if _versioned else VersioningBehavior.UNSPECIFIED
