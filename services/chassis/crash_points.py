"""Marked points between two steps of the engine, where a test may let the process die (tests/faults).

`reached` does nothing unless a hook was set with `on_reaching`. Only the local stack's entry point
(deploy/local/service.py) ever sets one; the entry point of production has no way to.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Point(StrEnum):
    """Where the engine's promises are most at risk: one thing is done, the next is not."""

    AFTER_COMMIT = "after_commit_before_offsets"
    """The batch is in the database; neither its offsets nor its gateway calls have gone out."""
    AFTER_PUBLISH = "after_publish_before_acknowledgement"
    """Records are on their way to Kafka; nobody knows whether they arrived."""
    AFTER_ACKNOWLEDGEMENT = "after_acknowledgement_before_forgetting"
    """Kafka has the records; their outbox rows are still there."""
    AFTER_ANSWER = "after_gateway_answer_before_record"
    """Stripe or the mail server has acted; the result is in memory alone."""
    WHILE_REVOKING = "while_partitions_are_revoked"
    """A rebalance is under way: offsets of what is done are not committed yet."""


Hook = Callable[[Point], None]


def _go_on(_: Point) -> None:
    return None


_hook: Hook = _go_on


def on_reaching(hook: Hook) -> None:
    """Call `hook` at every point from now on; for tests and the local stack."""
    global _hook
    _hook = hook


def reached(point: Point) -> None:
    """The engine stands at this point."""
    _hook(point)
