"""SQL of the worker: what became of each try is recorded, and what is not to be tried any more is ended.

Lock order: webhook_delivery ORDER BY number → webhook_subscription ORDER BY subscription_id. Nothing waits for a row
that somebody else holds: its subscriber alone is told later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.chassis.database import Connection, PooledConnection
from services.notifications.model.subscriptions import GIVE_UP_AFTER
from services.notifications.subscriptions.queue import WAITING, Due

SLICE = 500

LOCK = """
SELECT delivery_id FROM webhook_delivery WHERE delivery_id = ANY($1) AND state = 'pending' ORDER BY number
FOR UPDATE SKIP LOCKED
"""
HELD = "SELECT delivery_id FROM webhook_delivery WHERE delivery_id = ANY($1) AND state = 'pending'"
RECORD = """
UPDATE webhook_delivery d
SET state = t.state, try_at = t.try_at, tries = d.tries + 1, reason = t.reason, status = t.status, answer = t.answer,
    settled_at = CASE WHEN t.state <> 'pending' THEN $7::timestamptz END
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::int[], $6::text[])
    AS t (delivery_id, state, try_at, reason, status, answer)
WHERE d.delivery_id = t.delivery_id AND d.state = 'pending'
RETURNING d.delivery_id
"""
GO_ON = """
UPDATE webhook_delivery SET try_at = $3 WHERE delivery_id = ANY(ARRAY(
    SELECT delivery_id FROM webhook_delivery WHERE try_at > $3 AND delivery_id = ANY(ARRAY(
        SELECT (SELECT d.delivery_id FROM webhook_delivery d
                WHERE d.subscription_id = l.subscription_id AND d.key = l.key AND d.state = 'pending'
                ORDER BY d.number LIMIT 1)
        FROM unnest($1::uuid[], $2::text[]) AS l (subscription_id, key)))
    ORDER BY number FOR UPDATE SKIP LOCKED))
"""
"""The next of each line whose head has come to its end, once that can be seen. One that somebody holds is tried when it
was put off to."""
END = f"""
WITH {WAITING}, over AS (
    SELECT d.delivery_id, s.state = 'active' AS live
    FROM webhook_delivery d JOIN webhook_subscription s USING (subscription_id)
    WHERE d.delivery_id = ANY(ARRAY(
        SELECT delivery_id FROM webhook_delivery WHERE state = 'pending' AND opened_at <= $2
        ORDER BY opened_at LIMIT {SLICE})) OR d.delivery_id = ANY(ARRAY(
        SELECT p.delivery_id FROM waiting w JOIN webhook_subscription o USING (subscription_id)
        CROSS JOIN LATERAL (
            SELECT delivery_id FROM webhook_delivery WHERE subscription_id = o.subscription_id AND state = 'pending'
            LIMIT {SLICE}) p
        WHERE o.state <> 'active' LIMIT {SLICE}))
    ORDER BY d.number FOR UPDATE OF d SKIP LOCKED
)
UPDATE webhook_delivery SET state = 'failed', settled_at = $1, reason = CASE
    WHEN o.live AND reason IS NULL THEN 'given up after {GIVE_UP_AFTER.days} days: its turn did not come'
    WHEN o.live THEN 'given up after {GIVE_UP_AFTER.days} days: ' || reason
    ELSE 'the subscription is switched off' END
FROM over o
WHERE webhook_delivery.delivery_id = o.delivery_id AND webhook_delivery.state = 'pending'
RETURNING webhook_delivery.delivery_id, subscription_id, event_id, key, reason,
    (SELECT type FROM webhook_event e WHERE e.event_id = webhook_delivery.event_id) AS type
"""
"""Those that were tried for long enough ($2), and those of subscriptions that are not active any more."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a try comes to. While it is pending, `try_at` is when it is tried again."""

    due: Due
    state: str
    try_at: datetime
    reason: str | None
    status: int | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """`counted`: those that were recorded; `held`: those whose row somebody holds, to be recorded later. Others were
    ended meanwhile."""

    counted: set[UUID]
    held: set[UUID]


async def record(connection: Connection | PooledConnection, now: datetime, tried: Sequence[Tried]) -> Recorded:
    """Write what tries came to. In the caller's transaction. What follows in their lines goes on with `go_on`."""
    ids = {one.due.delivery_id for one in tried}
    free = {row["delivery_id"] for row in await connection.fetch(LOCK, list(ids))}
    held = {row["delivery_id"] for row in await connection.fetch(HELD, list(ids - free))} if ids - free else set()
    tried = [one for one in tried if one.due.delivery_id in free]
    rows = await connection.fetch(
        RECORD,
        [one.due.delivery_id for one in tried],
        [one.state for one in tried],
        [one.try_at for one in tried],
        [one.reason for one in tried],
        [one.status for one in tried],
        [one.answer for one in tried],
        now,
    )
    return Recorded({row["delivery_id"] for row in rows}, held)


async def go_on(connection: Connection | PooledConnection, now: datetime, lines: Sequence[tuple[UUID, str]]) -> None:
    """The next deliveries of these lines, (subscription, key), are due."""
    await connection.execute(GO_ON, [one for one, _ in lines], [key for _, key in lines], now)


async def end(connection: Connection | PooledConnection, now: datetime) -> list[asyncpg.Record]:
    """A slice of what is not tried any more, with what to tell of each."""
    return await connection.fetch(END, now, now - GIVE_UP_AFTER)
