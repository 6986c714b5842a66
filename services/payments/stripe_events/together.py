"""Webhooks that come at the same time are kept in one statement: it costs more than its rows."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import asyncpg

from services.chassis.clock import Clock
from services.chassis.database import PATIENCE_SECONDS, Pool
from services.payments.stripe_events import event_store
from services.payments.stripe_events.events import StripeEvent

MOST = 100
"""Events in one statement; each is 1 MB at most, mostly 3 kB."""
GATHER_SECONDS = 0.1
"""What requests of ours have caused is gathered so long: nobody waits for it, and by then the payment's row mostly
shows it, so that nothing has to be told."""
ENOUGH = 8
"""So many are kept at once: Stripe has only so many deliveries under way, and those behind must not wait for these."""


class Together:
    """Keeps events, one statement after the other; what comes meanwhile shares the next one.

    News waits for no company, and takes along what is being gathered. Nobody waits long for a statement that does not
    end: the next one has a connection of its own.
    """

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool, self._clock = pool, clock
        self._gathering: list[StripeEvent] = []
        self._ripe = asyncio.Event()
        self._kept: asyncio.Task[int] | None = None

    async def take(self, event: StripeEvent) -> int:
        """As event_store.take does; returns how many of those that were kept with it are new."""
        if len(self._gathering) in (0, MOST):
            self._gathering, self._ripe = [], asyncio.Event()
            self._kept = asyncio.create_task(self._take(self._gathering, self._ripe, after=self._kept))
        self._gathering.append(event)
        if not event.caused_by_us or len(self._gathering) >= ENOUGH:
            self._ripe.set()
        events, kept = self._gathering, self._kept
        assert kept is not None
        try:
            return await asyncio.shield(kept)
        except asyncpg.LockNotAvailableError:  # somebody holds the row of one of them
            if len(events) == 1:
                raise
            return await event_store.take(self._pool, [event], self._clock.now())

    async def _take(self, events: list[StripeEvent], ripe: asyncio.Event, after: asyncio.Task[int] | None) -> int:
        with suppress(TimeoutError):
            await asyncio.wait_for(ripe.wait(), GATHER_SECONDS)
        if after is not None:
            await asyncio.wait({after}, timeout=PATIENCE_SECONDS)
        if self._gathering is events:
            self._gathering = []
        return await event_store.take(self._pool, events, self._clock.now())
