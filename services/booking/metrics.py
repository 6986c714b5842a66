"""Booking's own gauges: where sagas stand. A stuck one is an operator's."""

from __future__ import annotations

import asyncio

import structlog
from prometheus_client import Gauge

from services.chassis.database import Pool

log = structlog.get_logger()
EVERY_SECONDS = 10.0
sagas = Gauge("sagas", "Sagas that are not done", ["step", "status"])
sagas_stuck = Gauge("sagas_stuck", "Sagas parked for an operator")


async def run(pool: Pool) -> None:
    """Count sagas now and then, until cancelled."""
    while True:
        try:
            rows = await pool.fetch("SELECT step, status, count(*) FROM saga WHERE status <> 'done' GROUP BY 1, 2")
            sagas.clear()
            for row in rows:
                sagas.labels(row["step"], row["status"]).set(row["count"])
            sagas_stuck.set(sum(row["count"] for row in rows if row["status"] == "stuck"))
        except Exception as error:
            log.warning("sagas were not counted", error=repr(error))
        await asyncio.sleep(EVERY_SECONDS)
