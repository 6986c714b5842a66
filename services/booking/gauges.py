"""Booking's own gauges: where sagas stand, of which a stuck one needs an operator, and how many bookings there are."""

from __future__ import annotations

import asyncio

from services.booking import metrics
from services.booking.saga import Status, Step
from services.chassis.database import Pool
from services.chassis.gauges import OF_WHOLE_TABLES, keep_sampling

EVERY_SECONDS = 10.0
TOTALS_SECONDS = 300.0
"""What reads a whole table: seldom, and seldomer where it takes long (docs/decisions/0035)."""
LONG_UNANSWERED = 4
"""Times asked: after 30, 60 and 120 s (saga.py, ASK_AGAIN)."""
SAGAS = """
SELECT step, status, counted.total, counted.unanswered FROM (
    SELECT status, step FROM unnest($1::text[]) AS status, unnest($2::text[]) AS step) kind
CROSS JOIN LATERAL (
    SELECT count(*) AS total, count(*) FILTER (WHERE asked >= $3) AS unanswered FROM (
        SELECT asked FROM saga
        WHERE saga.status <> 'done' AND (saga.status, saga.step) = (kind.status, kind.step)
        LIMIT 10000) few) counted
"""


async def run(pool: Pool) -> None:
    """Count sagas and bookings now and then, until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_sampling("sagas", EVERY_SECONDS, lambda: look(pool)))
        tasks.create_task(
            keep_sampling("totals", TOTALS_SECONDS, lambda: look_at_all(pool), most_of_time=OF_WHOLE_TABLES)
        )


async def look(pool: Pool) -> None:
    """Count sagas once; of each kind at most 10,000, which is too many in any case."""
    rows = await pool.fetch(
        SAGAS, [status for status in Status if status is not Status.DONE], list(Step), LONG_UNANSWERED
    )
    metrics.sagas.clear()
    for row in rows:
        metrics.sagas.labels(row["step"], row["status"]).set(row["total"])
        if row["status"] == Status.WAITING:
            metrics.sagas_unanswered.labels(row["step"]).set(row["unanswered"])
    metrics.sagas_stuck.set(sum(row["total"] for row in rows if row["status"] == Status.STUCK))


async def look_at_all(pool: Pool) -> None:
    """Count bookings once, all of them: a figure for business, read rarely."""
    rows = await pool.fetch(
        "SELECT state, count(b.state) FROM booking_state LEFT JOIN booking b USING (state) GROUP BY state"
    )
    for row in rows:
        metrics.bookings.labels(row["state"]).set(row["count"])
