"""Gauges that are read off the database now and then: what waits, how long, how much (requirement observability)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from services.chassis import metrics
from services.chassis.clock import Clock
from services.chassis.database import UNAVAILABLE, Pool
from services.chassis.positions import Positions

log = structlog.get_logger()
EVERY_SECONDS = 5.0
AWAY = (*UNAVAILABLE, KafkaError)
"""Then what waits, waits for the database or the broker. One that is there and takes too long is no excuse."""

WAITING = """
SELECT (SELECT count(*) FROM (SELECT FROM outbox ORDER BY id LIMIT 10000) w) AS outbox_rows,
       coalesce((SELECT extract(epoch FROM statement_timestamp() - created_at) FROM outbox ORDER BY id LIMIT 1), 0)
           AS outbox_seconds,
       (SELECT count(*) FROM (SELECT FROM dead_letter WHERE status = 'open' AND kind <> 'refused'
                             ORDER BY created_at, id LIMIT 10000) w) AS letters,
       (SELECT count(*) FROM (SELECT FROM dead_letter WHERE kind = 'refused' ORDER BY created_at, id LIMIT 10000) w)
            AS refused,
       (SELECT count(*) FROM (SELECT FROM blocked_key ORDER BY key LIMIT 10000) w) AS blocked,
       (SELECT count(*) FROM (SELECT FROM local_message WHERE due_at <= $1 LIMIT 10000) w) AS due,
       coalesce((SELECT extract(epoch FROM $1 - due_at) FROM local_message WHERE due_at <= $1
                 ORDER BY due_at LIMIT 1), 0) AS late
"""
"""Counts stop at 10,000: what has piled up is not counted again and again, by every replica, to the last row."""


async def run(pool: Pool, clock: Clock, positions: Positions, is_idle: Callable[[], bool]) -> None:
    """Sample until cancelled; a database that is away leaves the last values standing."""
    while True:
        try:
            await sample(pool, clock)
            for topic, lag in (await positions.lag(idle=is_idle())).items():
                metrics.consumer_lag.labels(topic).set(lag)
        except Exception as error:
            if isinstance(error, AWAY) and not isinstance(error, asyncpg.QueryCanceledError):
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
