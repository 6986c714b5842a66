"""What is thrown away, and when (engine.md, Retention): in slices, by real time, never by the movable clock."""

from __future__ import annotations

import asyncio
import random

import structlog

from services.chassis.database import Pool

log = structlog.get_logger()
SLICE = 1000
EVERY_SECONDS = 300.0
RULES = {
    "command_receipt": "received_at < clock_timestamp() - interval '30 days'",
    "inbox": "received_at < clock_timestamp() - interval '8 days'",  # event topics keep 7 days
    "gateway_call": "state = 'done' AND opened_at < clock_timestamp() - interval '1 day'"
    " AND NOT EXISTS (SELECT FROM blocked_key b WHERE b.key = gateway_call.key)",  # an operator may have it made again
    "dead_letter": "(status <> 'open' AND created_at < clock_timestamp() - interval '30 days')"
    " OR (kind = 'refused' AND created_at < clock_timestamp() - interval '7 days')",
}


async def run(pool: Pool) -> None:
    """Purge now and then, until cancelled."""
    while True:
        await asyncio.sleep(EVERY_SECONDS * random.uniform(0.5, 1.5))
        for table, rule in RULES.items():
            try:
                await purge(pool, table, rule)
            except Exception as error:  # the next round takes it up
                log.warning("purge failed", table=table, error=repr(error))


async def purge(pool: Pool, table: str, rule: str) -> int:
    """Delete rows in slices, so that no transaction is long. Returns how many went."""
    gone = 0
    while True:
        status = await pool.execute(
            f"DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {rule} LIMIT {SLICE}))"
        )
        count = int(status.split()[-1])
        gone += count
        if count < SLICE:
            return gone
