"""Webhooks that come at the same time are kept in one transaction: its statements cost more than their rows."""

from __future__ import annotations

import asyncio

import asyncpg

from services.chassis.clock import Clock
from services.chassis.database import PATIENCE_SECONDS, Pool
from services.payments.stripe_events import event_store
from services.payments.stripe_events.event_store import StripeEvent

MOST = 100
"""Events in one transaction; each is 1 MB at most, mostly 3 kB."""


class Together:
    """Keeps events, one transaction after the other; what comes meanwhile shares the next one.

    Nobody waits for company, nor long for a transaction that does not end: the next one has a connection of its own.
    """

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool, self._clock = pool, clock
        self._gathering: list[StripeEvent] = []
        self._kept: asyncio.Task[int] | None = None

    async def take(self, event: StripeEvent) -> int:
        """As event_store.take does; returns how many of those that were kept with it are new."""
        if len(self._gathering) in (0, MOST):
            self._gathering = []
            self._kept = asyncio.create_task(self._take(self._gathering, after=self._kept))
        self._gathering.append(event)
        events, kept = self._gathering, self._kept
        assert kept is not None
        try:
            return await asyncio.shield(kept)
        except asyncpg.LockNotAvailableError:  # somebody holds the row of one of them
            if len(events) == 1:
                raise
            return await event_store.take(self._pool, [event], self._clock.now())

    async def _take(self, events: list[StripeEvent], after: asyncio.Task[int] | None) -> int:
        if after is not None:
            await asyncio.wait({after}, timeout=PATIENCE_SECONDS)
        if self._gathering is events:
            self._gathering = []
        return await event_store.take(self._pool, events, self._clock.now())
