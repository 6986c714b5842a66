"""Whether what waits is also handled (requirement health): some clients poll and get nothing, without end.

Kafka's own high-water marks come with fetches, so that a client that fetches nothing sees no lag: the broker is asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from services.chassis.offsets import Partition


class Progress:
    """Looks now and then how far a replica has handled what is there; times are monotonic, in seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._here: dict[Partition, int] = {}
        self._still_since: dict[Partition, float] = {}
        self._late_since: float | None = None

    def saw(self, here: Mapping[Partition, int], ends: Mapping[Partition, int]) -> None:
        """Up to where each partition of this replica is handled, and where it ends. A busy replica has no excuse."""
        now = self._monotonic()
        waiting = {partition for partition, end in ends.items() if here[partition] < end}
        self._still_since = {
            partition: self._still_since.get(partition, now) if self._here.get(partition) == here[partition] else now
            for partition in waiting
        }
        self._here = dict(here)

    def saw_due(self, *, waiting: bool, handled: bool) -> None:
        """Whether a round of the loop found due rows or results, and whether it got anything done."""
        if not waiting or handled:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = self._monotonic()

    def forget(self) -> None:
        """The database or the broker is away: what waits, waits for them."""
        self._still_since.clear()
        self._late_since = None

    def stalled_seconds(self) -> float:
        """How long something has waited while nothing of its kind was handled."""
        since = [*self._still_since.values(), *([] if self._late_since is None else [self._late_since])]
        return self._monotonic() - min(since) if since else 0.0
