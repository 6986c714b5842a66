"""How far a replica is behind in time: how long the oldest record that it has not handled has been in Kafka.

Records count for little: a thousand are a second's work or an hour's. Their own timestamps count for less, because
whoever publishes sets them. So it is noted when a partition was first seen to reach so far.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Mapping

from services.chassis.offsets import Partition

FINE = 100
"""A percent: an end is noted when so small a part of the time has passed since the last one. About a thousand notes
are kept of a partition that stands for a week."""


class Behind:
    """Times are monotonic, in seconds. What was there before the replica came counts from when it was first seen."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._ends: dict[Partition, list[int]] = {}
        self._seen_at: dict[Partition, list[float]] = {}
        """When each of the ends was seen first."""

    def saw(self, here: Mapping[Partition, int], ends: Mapping[Partition, int]) -> dict[str, float]:
        """Seconds behind, by topic. `here`: up to where each partition is handled, as far as that is known just now;
        `ends`: where it ends."""
        now = self._monotonic()
        self._ends = {partition: self._ends.get(partition, []) for partition in ends}
        self._seen_at = {partition: self._seen_at.get(partition, []) for partition in ends}
        seconds: dict[str, float] = {}
        for partition, end in ends.items():
            reached, seen_at = self._ends[partition], self._seen_at[partition]
            is_more = end > (reached[-1] if reached else here.get(partition, end))
            if is_more and (not seen_at or now - seen_at[-1] >= (now - seen_at[0]) / FINE):
                reached.append(end)
                seen_at.append(now)
            handled = bisect_right(reached, here[partition]) if partition in here else 0
            del reached[:handled], seen_at[:handled]
            waited = now - seen_at[0] if seen_at else 0.0
            seconds[partition[0]] = max(seconds.get(partition[0], 0.0), waited)
        return seconds
