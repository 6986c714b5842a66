"""How many tries are made at once, so that subscribers who are slow or dead take nothing from the others."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from services.notifications.subscriptions.queue import Due

PER_SUBSCRIPTION = 32
"""Of one subscriber that is well; one try of who failed last, and none beside a slow one."""
MOST_QUICK = 256
MOST_DOUBTFUL = 128
"""Tries of subscribers whose last one failed, with those that have become slow."""
MOST_IN_ALL = 1_024
"""Each is a connection, and holds its event."""
SLOW_SECONDS = 1.0
"""From then on a try takes room from the doubtful, and no more from the quick."""


@dataclass
class Room:
    """The tries that this process makes, by delivery."""

    _tries: dict[UUID, Due] = field(default_factory=dict)
    _quick: dict[UUID, asyncio.TimerHandle] = field(default_factory=dict)

    @property
    def quick(self) -> int:
        """How many more may be begun, of subscribers that are well or not."""
        return min(MOST_QUICK - len(self._quick), MOST_IN_ALL - len(self._tries))

    @property
    def doubtful(self) -> int:
        """How many of them may be of subscribers whose last try failed."""
        return max(0, MOST_DOUBTFUL - (len(self._tries) - len(self._quick)))

    def held(self) -> dict[UUID, int]:
        """How much of its room each subscriber takes; who has a slow try takes all of it."""
        held = Counter(due.subscription_id for due in self._tries.values())
        for delivery, due in self._tries.items():
            if delivery not in self._quick:
                held[due.subscription_id] = PER_SUBSCRIPTION
        return held

    def enter(self, due: Due) -> None:
        """A try begins."""
        self._tries[due.delivery_id] = due
        if not due.failures:
            slow = asyncio.get_running_loop().call_later(SLOW_SECONDS, self._quick.pop, due.delivery_id, None)
            self._quick[due.delivery_id] = slow

    def leave(self, due: Due) -> None:
        """It has ended."""
        del self._tries[due.delivery_id]
        if (slow := self._quick.pop(due.delivery_id, None)) is not None:
            slow.cancel()

    def __contains__(self, delivery: UUID) -> bool:
        return delivery in self._tries
