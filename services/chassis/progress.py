"""Whether a consumer still fetches (requirement health): clients have been seen that poll for ever and get nothing.

aiokafka's own high-water marks come with fetches, so that a client that fetches nothing sees no lag: the broker is
asked instead.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.chassis.offsets import Partition


class Progress:
    """Looks now and then where a replica stands; times are monotonic, in seconds."""

    def __init__(self) -> None:
        self._here: dict[Partition, int] = {}
        self._still_since: dict[Partition, float] = {}

    def saw(self, now: float, here: Mapping[Partition, int], ends: Mapping[Partition, int], *, excused: bool) -> None:
        """Every partition's position and the topic's end. `excused`: the database keeps the loop waiting, not Kafka."""
        waiting = {partition for partition, end in ends.items() if not excused and here.get(partition, end) < end}
        self._still_since = {
            partition: self._still_since.get(partition, now) if self._here.get(partition) == here[partition] else now
            for partition in waiting
        }
        self._here = dict(here)

    def stalled_seconds(self, now: float) -> float:
        """How long some partition has had records that nobody fetched."""
        return max((now - since for since in self._still_since.values()), default=0.0)
