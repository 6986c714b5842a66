"""The real engine and the real worker on one database: events in, webhooks out, with receivers of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from booking_contracts.envelope import Event, uuid7
from booking_contracts.http.notifications import Subscribe
from booking_contracts.testkit.waiting import eventually

from services.chassis.database import Session
from services.notifications.subscriptions import store
from services.notifications.subscriptions.posting import Poster
from services.notifications.subscriptions.worker import SubscriptionWorker
from tests.chassis.harness import Engine
from tests.notifications.receivers import HERE
from tests.notifications.test_database import record

OWNER = "owner@example.org"


TRIED_SECONDS = 0.1
"""How long a try may take that a test does not wait for by itself: some receivers do not answer."""


class WatchedWorker(SubscriptionWorker):
    """The real one; it can be waited for until it has looked."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._begun = self._done = 0
        self._one_done = asyncio.Condition()

    async def _round(self) -> None:
        self._begun += 1
        number = self._begun
        await super()._round()
        async with self._one_done:
            self._done = number
            self._one_done.notify_all()

    async def look(self) -> None:
        """Returns when a round that began after this has ended, and so have the tries that it took up: what came of
        them is recorded."""
        await self._next_round()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=TRIED_SECONDS)
            await self._next_round()

    async def _next_round(self) -> None:
        before = self._begun
        self.wake()
        async with asyncio.timeout(10), self._one_done:
            await self._one_done.wait_for(lambda: self._done > before)


class Stage:
    """`worker` runs while the stage is open; a test wakes it where it wants something at once."""

    def __init__(self, engine: Engine, poster: Poster) -> None:
        self.engine, self.clock = engine, engine.clock
        self.worker = WatchedWorker(Session(engine.session.url, "subscribers"), poster, engine.clock)
        self._sequence = 0

    async def subscribe(self, url: str, *types: type[Event], **more: Any) -> UUID:
        """A subscription; without types to everything."""
        asked = Subscribe(url=url, event_types=tuple(one.ce_type for one in types), owner_email=OWNER, **more)
        made = await store.subscribe(await self.engine.session.connection(), asked, self.clock.now())
        assert made is not None
        found: UUID = made[0]["subscription_id"]
        return found

    async def hear(self, *events: Event) -> list[str]:
        """Events arrive, in one batch; returns their ids."""
        ids = [uuid7() for _ in events]
        first = self._sequence + 1
        self._sequence += len(events)
        raws = [record(self.engine, event, first + nth, ids[nth]) for nth, event in enumerate(events)]
        await self.engine.run(*raws)
        self.worker.wake()
        return [str(one) for one in ids]

    async def rows(self, **where: object) -> Sequence[Any]:
        """Deliveries, oldest first."""
        wanted = " AND ".join(f"{name} = ${nth}" for nth, name in enumerate(where, 1)) or "true"
        return await self.engine.fetch(
            "SELECT delivery_id, subscription_id, event_id, key, state, tries, reason, status, answer, try_at "
            f"FROM webhook_delivery WHERE {wanted} ORDER BY number",
            *where.values(),
        )

    async def states(self) -> list[str]:
        return [row["state"] for row in await self.rows()]

    async def settled(self, count: int | None = None) -> Sequence[Any]:
        """All deliveries, once none is pending (and there are so many)."""
        return await eventually(
            "every delivery has ended",
            self.rows,
            lambda rows: all(row["state"] != "pending" for row in rows) and count in (None, len(rows)),
        )

    async def tried(self, tries: int = 1) -> Sequence[Any]:
        """All deliveries, once each was tried so often."""
        return await eventually("tries", self.rows, lambda rows: all(row["tries"] >= tries for row in rows))

    async def subscription(self, subscription_id: UUID) -> Any:
        (row,) = await self.engine.fetch(
            "SELECT state, disabled_for, failures, failing_since, rest_until, last_error, owner_email "
            "FROM webhook_subscription WHERE subscription_id = $1",
            subscription_id,
        )
        return row

    async def pass_time(self, **delta: float) -> None:
        """The clock goes on, and the worker has looked."""
        self.clock.advance(**delta)
        await self.worker.look()


@asynccontextmanager
async def staged(engine: Engine) -> AsyncIterator[Stage]:
    """A stage whose worker runs."""
    stage = Stage(engine, Poster(HERE))
    running = asyncio.create_task(stage.worker.run())
    try:
        yield stage
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
