"""Booking's own gauges: where sagas stand. A stuck one needs an operator."""

from __future__ import annotations

import asyncio

import structlog
from prometheus_client import Gauge

from services.booking.saga import Status, Step
from services.chassis.database import Pool

log = structlog.get_logger()
EVERY_SECONDS = 10.0
sagas = Gauge("sagas", "Sagas that are not done", ["step", "status"])
sagas_stuck = Gauge("sagas_stuck", "Sagas parked for an operator")


async def run(pool: Pool) -> None:
    """Count sagas now and then, until cancelled."""
    while True:
        try:
            await look(pool)
        except Exception as error:
            log.warning("sagas were not counted", error=repr(error))
        await asyncio.sleep(EVERY_SECONDS)


async def look(pool: Pool) -> None:
    """Count them once; of each kind at most 10,000, which is too many in any case."""
    rows = await pool.fetch(
        """
        SELECT step, status, (SELECT count(*) FROM (
            SELECT FROM saga WHERE saga.status <> 'done' AND (saga.status, saga.step) = (kind.status, kind.step)
            LIMIT 10000) counted)
        FROM (SELECT status, step FROM unnest($1::text[]) AS status, unnest($2::text[]) AS step) kind
        """,
        [status for status in Status if status is not Status.DONE],
        list(Step),
    )
    sagas.clear()
    for row in rows:
        sagas.labels(row["step"], row["status"]).set(row["count"])
    sagas_stuck.set(sum(row["count"] for row in rows if row["status"] == "stuck"))
