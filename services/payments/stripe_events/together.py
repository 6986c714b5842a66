"""Webhooks that come at the same time are kept in one transaction: its statements cost more than their rows."""

from __future__ import annotations

import asyncio

from services.chassis.clock import Clock
from services.chassis.database import Pool
from services.payments.stripe_events import event_store
from services.payments.stripe_events.event_store import StripeEvent

MOST = 100
"""Events in one transaction; each is 1 MB at most, mostly 3 kB."""


class Together:
    """Keeps events, one transaction at a time; what comes meanwhile shares the next one. Nobody waits for company."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool, self._clock = pool, clock
        self._turn = asyncio.Lock()
        self._gathering: list[StripeEvent] = []
        self._kept: asyncio.Task[int]

    async def take(self, event: StripeEvent) -> int:
        """As event_store.take does; returns how many of those that were kept with it are new."""
        if len(self._gathering) in (0, MOST):
            self._gathering = []
            self._kept = asyncio.create_task(self._take(self._gathering))
        self._gathering.append(event)
        return await asyncio.shield(self._kept)

    async def _take(self, events: list[StripeEvent]) -> int:
        async with self._turn:
            if self._gathering is events:
                self._gathering = []
            return await event_store.take(self._pool, events, self._clock.now())
