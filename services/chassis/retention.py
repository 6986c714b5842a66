"""What is thrown away, and when (engine.md, Retention): in slices, by real time, never by the movable clock."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from services.chassis.database import Pool

log = structlog.get_logger()
SLICE = 250
EVERY_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows of a table go when they are older than `age`, by a column with an index that knows `only` too, if given."""

    table: str
    column: str
    age: timedelta
    only: str = "true"


NOT_BLOCKED = "key <> ALL(ARRAY(SELECT key FROM blocked_key))"
"""An operator may still have the call made again."""

RULES = (
    Rule("command_receipt", "received_at", timedelta(days=30)),
    Rule("inbox", "received_at", timedelta(days=8)),  # event topics keep 7 days
    Rule("gateway_call", "opened_at", timedelta(days=1), f"state = 'done' AND {NOT_BLOCKED}"),
    Rule("dead_letter", "created_at", timedelta(days=30), "status <> 'open'"),
    Rule("dead_letter", "created_at", timedelta(days=7), "kind = 'refused'"),
)


async def run(pool: Pool, rules: Sequence[Rule] = RULES) -> None:
    """Purge now and then, until cancelled."""
    while True:
        await asyncio.sleep(EVERY_SECONDS * random.uniform(0.5, 1.5))
        for rule in rules:
            try:
                await purge(pool, rule)
            except Exception as error:  # the next round takes it up
                log.warning("purge failed", table=rule.table, error=repr(error))


async def purge(pool: Pool, rule: Rule) -> int:
    """Delete what is too old, the oldest first, in slices, so that no transaction is long. Returns how many went.

    A slice begins where the one before it ended: what is deleted stays in the index until a vacuum, and need not be
    passed over again.
    """
    gone, since = 0, datetime(1970, 1, 1, tzinfo=UTC)
    while True:
        row = await pool.fetchrow(
            f"""
            WITH gone AS (
                DELETE FROM {rule.table} WHERE ctid = ANY(ARRAY(
                    SELECT ctid FROM {rule.table}
                    WHERE {rule.column} >= $1 AND {rule.column} < statement_timestamp() - $2::interval AND {rule.only}
                    ORDER BY {rule.column} LIMIT {SLICE}))
                RETURNING {rule.column} AS since)
            SELECT count(*) AS count, max(since) AS since FROM gone
            """,
            since,
            rule.age,
        )
        assert row is not None
        gone += int(row["count"])
        if row["count"] < SLICE:
            return gone
        since = row["since"]
