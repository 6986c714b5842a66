"""Gauges that are read off the database now and then: what waits, how long, how much (requirement observability)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from services.chassis import metrics
from services.chassis.clock import Clock
from services.chassis.database import Pool
from services.chassis.positions import Positions

log = structlog.get_logger()
EVERY_SECONDS = 5.0

WAITING = """
SELECT (SELECT count(*) FROM outbox) AS outbox_rows,
       (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0) FROM outbox) AS outbox_seconds,
       (SELECT count(*) FROM dead_letter WHERE status = 'open' AND kind <> 'refused') AS letters,
       (SELECT count(*) FROM dead_letter WHERE status = 'open' AND kind = 'refused') AS refused,
       (SELECT count(*) FROM blocked_key) AS blocked,
       (SELECT count(*) FROM local_message WHERE due_at <= $1) AS due,
       (SELECT coalesce(extract(epoch FROM $1 - min(due_at)), 0) FROM local_message WHERE due_at <= $1) AS late
"""


async def run(pool: Pool, clock: Clock, positions: Positions, is_idle: Callable[[], bool]) -> None:
    """Sample until cancelled; a database that is away leaves the last values standing."""
    while True:
        try:
            await sample(pool, clock)
            for topic, lag in (await positions.lag(idle=is_idle())).items():
                metrics.consumer_lag.labels(topic).set(lag)
        except Exception as error:
            positions.progress.forget()
            log.warning("gauges were not sampled", error=repr(error))
        await asyncio.sleep(EVERY_SECONDS)


async def sample(pool: Pool, clock: Clock) -> None:
    """Read everything that waits, once."""
    row = await pool.fetchrow(WAITING, clock.now())
    assert row is not None
    metrics.outbox_rows.set(row["outbox_rows"])
    metrics.outbox_oldest_seconds.set(float(row["outbox_seconds"]))
    metrics.dead_letters_open.set(row["letters"])
    metrics.refused_input_open.set(row["refused"])
    metrics.blocked_keys.set(row["blocked"])
    metrics.local_messages_overdue.set(row["due"])
    metrics.timer_lateness_seconds.set(float(row["late"]))
