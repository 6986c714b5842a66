"""Gauges that are read now and then, with the time they were read: what waits, how long (requirement observability).

Those of the database are the same from every replica of a service; queries take their maximum (docs/decisions/0035).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection

import asyncpg
import structlog
from aiokafka.errors import KafkaError
from booking_contracts.registry import BY_TYPE

from services.chassis import metrics
from services.chassis.clock import Clock, real_seconds
from services.chassis.database import UNAVAILABLE, Pool
from services.chassis.positions import Positions

log = structlog.get_logger()
EVERY_SECONDS = 5.0
AWAY = (*UNAVAILABLE, KafkaError)
"""Then what waits, waits for the database or the broker. One that is there and takes too long is no excuse."""
OF_WHOLE_TABLES = 0.01
"""The share of its time for which a replica may count whole tables, however large they have become."""
OTHER = "other"
"""The type of what no message of this build has: a header may say anything, and makes no series of its own."""

WAITING = """
SELECT (SELECT count(*) FROM (SELECT FROM outbox ORDER BY id LIMIT 10000) w) AS outbox_rows,
       coalesce((SELECT extract(epoch FROM statement_timestamp() - created_at) FROM outbox ORDER BY id LIMIT 1), 0)
           AS outbox_seconds,
       (SELECT count(*) FROM (SELECT FROM dead_letter WHERE kind = 'refused' ORDER BY created_at, id LIMIT 10000) w)
            AS refused,
       (SELECT count(*) FROM (SELECT FROM local_message WHERE due_at <= $1 LIMIT 10000) w) AS due,
       coalesce((SELECT extract(epoch FROM $1 - due_at) FROM local_message WHERE due_at <= $1
                 ORDER BY due_at LIMIT 1), 0) AS late,
       coalesce((SELECT extract(epoch FROM statement_timestamp() - opened_at) FROM gateway_call WHERE state = 'open'
                 ORDER BY opened_at LIMIT 1), 0) AS called_seconds
"""
"""Counts stop at 10,000: what has piled up is not counted again and again, by every replica, to the last row."""

BY_TYPE_OF_MESSAGE = """
SELECT 'letters' AS what, type, count(*) FROM (
    SELECT type FROM dead_letter WHERE status = 'open' AND kind <> 'refused' ORDER BY created_at, id LIMIT 10000) w
GROUP BY type
UNION ALL
SELECT 'blocked', type, count(*) FROM (
    SELECT (SELECT type FROM local_message m WHERE m.key = b.key AND kind = 'record' ORDER BY arrival LIMIT 1) AS type
    FROM blocked_key b ORDER BY key LIMIT 10000) w
GROUP BY type
"""


async def run(
    pool: Pool, clock: Clock, positions: Positions, is_idle: Callable[[], bool], local_types: Collection[str]
) -> None:
    """Sample until cancelled, the database and Kafka each by itself: one that is away does not hide the other."""

    def missed(error: Exception) -> None:
        if isinstance(error, AWAY) and not isinstance(error, asyncpg.QueryCanceledError):
            positions.progress.forget()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_sampling("postgresql", EVERY_SECONDS, lambda: sample(pool, clock, local_types), missed))
        tasks.create_task(keep_sampling("kafka", EVERY_SECONDS, lambda: behind(positions, idle=is_idle()), missed))


async def keep_sampling(
    name: str,
    every_seconds: float,
    look: Callable[[], Awaitable[object]],
    missed: Callable[[Exception], None] = lambda _: None,
    most_of_time: float = 1.0,
) -> None:
    """Look again and again, until cancelled, and note when it was done; at most for that share of the time.

    What cannot be looked at leaves the last values standing, and the time of the last look with them.
    """
    metrics.sampled.labels(name).set(real_seconds())  # from here on it is late
    while True:
        began = time.monotonic()
        try:
            await look()
            metrics.sampled.labels(name).set(real_seconds())
        except Exception as error:
            missed(error)
            log.warning("gauges are old", sample=name, error=repr(error))
        await asyncio.sleep(max(every_seconds, (time.monotonic() - began) / most_of_time))


async def sample(pool: Pool, clock: Clock, local_types: Collection[str]) -> None:
    """Read everything that waits in the database, once. `local_types`: the service's own messages to itself."""
    row = await pool.fetchrow(WAITING, clock.now())
    by_type = await pool.fetch(BY_TYPE_OF_MESSAGE)
    assert row is not None
    metrics.outbox_rows.set(row["outbox_rows"])
    metrics.outbox_oldest_seconds.set(float(row["outbox_seconds"]))
    metrics.refused_input_open.set(row["refused"])
    metrics.local_messages_overdue.set(row["due"])
    metrics.timer_lateness_seconds.set(float(row["late"]))
    metrics.gateway_oldest_seconds.set(float(row["called_seconds"]))
    metrics.dead_letters_open.clear()
    metrics.blocked_keys.clear()
    for one in by_type:
        gauge = metrics.dead_letters_open if one["what"] == "letters" else metrics.blocked_keys
        kind = one["type"]
        gauge.labels(kind if kind in BY_TYPE or kind in local_types else OTHER).inc(one["count"])


async def behind(positions: Positions, *, idle: bool) -> None:
    """Read what Kafka has that is not consumed yet, once."""
    lags = await positions.lag(idle=idle)
    metrics.consumer_lag.clear()
    metrics.consumer_behind.clear()  # of topics that other replicas have by now
    for topic, lag in lags.items():
        metrics.consumer_lag.labels(topic).set(lag.records)
        metrics.consumer_behind.labels(topic).set(lag.seconds)
