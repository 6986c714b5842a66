"""Gauges of subscribers, read now and then; and the purge of what they were sent."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from services.chassis import retention
from services.chassis.clock import Clock
from services.chassis.database import Pool
from services.chassis.gauges import keep_sampling
from services.chassis.periodic import every
from services.notifications.subscriptions import metrics

EVERY_SECONDS = 30.0
PURGE_SECONDS = 3600.0
EVENTS = retention.Rule("webhook_event", "created_at", timedelta(days=30))
"""With their deliveries: as long as they can be sent again."""
DEAD_AFTER = timedelta(days=1)

DEAD = "disabled_for IN ('gone', 'failing') OR (state = 'active' AND failing_since <= $1)"
LOOK = f"""
SELECT count(*) FILTER (WHERE state = 'active') AS active,
       count(*) FILTER (WHERE state = 'disabled') AS disabled,
       count(*) FILTER (WHERE {DEAD}) AS dead
FROM webhook_subscription WHERE state <> 'deleted'
"""
FORGET = """
DELETE FROM webhook_subscription WHERE subscription_id = ANY(ARRAY(
    SELECT subscription_id FROM webhook_subscription s
    WHERE state = 'deleted' AND NOT EXISTS (SELECT FROM webhook_delivery d WHERE d.subscription_id = s.subscription_id)
    ORDER BY subscription_id LIMIT 1000 FOR UPDATE SKIP LOCKED))
"""
WAITING = """
SELECT count(*) AS pending, extract(epoch FROM $1 - min(opened_at))::float8 AS oldest_seconds
FROM (SELECT opened_at FROM webhook_delivery WHERE state = 'pending' ORDER BY opened_at LIMIT 10000) w
"""


async def purge(pool: Pool) -> None:
    """What is too old to be sent again, and subscriptions that are over and of which nothing is left."""
    await retention.purge(pool, EVENTS)
    await pool.execute(FORGET)


class Gauges:
    """`clock` says for how long a subscriber has failed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def run(self, pool: Pool) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(keep_sampling("webhooks", EVERY_SECONDS, lambda: self.look(pool)))
            tasks.create_task(every(PURGE_SECONDS, lambda: purge(pool), "purge", failed=lambda: None))

    async def look(self, pool: Pool) -> None:
        """Set the gauges once."""
        now = self._clock.now()
        found, waiting = await pool.fetchrow(LOOK, now - DEAD_AFTER), await pool.fetchrow(WAITING, now)
        assert found is not None
        assert waiting is not None
        metrics.subscribers.labels("active").set(found["active"])
        metrics.subscribers.labels("disabled").set(found["disabled"])
        metrics.subscribers_dead.set(found["dead"])
        metrics.pending.set(waiting["pending"])
        metrics.oldest_seconds.set(waiting["oldest_seconds"] or 0.0)
